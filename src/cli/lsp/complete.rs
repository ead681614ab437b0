//! What could be written at a position.

use super::super::script::Disk;
use super::answer::Subject;
use super::context;
use super::context::Expected;
use super::outline::Definition;
use super::outline::Name;
use super::outline::Symbol;
use lsp_types::CompletionItem;
use lsp_types::CompletionItemKind;
use lsp_types::CompletionList;
use lsp_types::CompletionTextEdit;
use lsp_types::Documentation;
use lsp_types::InsertTextFormat;
use lsp_types::MarkupContent;
use lsp_types::MarkupKind;
use lsp_types::Position;
use lsp_types::Range;
use lsp_types::TextEdit;
use quadrille::constraint;
use quadrille::objective::Metric;
use quadrille::script;
use quadrille::script::Files;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

/// So many items at most: the editor asks again when more has been written.
const MOST: usize = 500;
/// So many names of a cluster are looked at.
const MOST_NAMES: usize = 200_000;

/// First words of statements.
const STATEMENTS: [&str; 14] = [
    "def",
    "export",
    "for",
    "if",
    "import",
    "include",
    "link",
    "minimise",
    "namespace",
    "network",
    "resource",
    "route",
    "switch",
    "template",
];
/// First words of values.
const SELECTIONS: [&str; 2] = ["all vms", "all nodes"];
/// How things are at the start.
const STATES: [&str; 5] = ["running on", "sleeping on", "ready", "online", "offline"];
/// Options that mean something wherever they stand.
const OPTIONS: [&str; 2] = ["tag", "clone"];

struct Items {
    all: Vec<CompletionItem>,
    /// What is written already, sign included.
    written: String,
    range: Range,
    met: BTreeSet<String>,
    incomplete: bool,
}

impl Items {
    /// Adds an item if it goes on where what is written ends.
    fn add(
        &mut self,
        label: &str,
        kind: CompletionItemKind,
        detail: Option<String>,
    ) -> Option<&mut CompletionItem> {
        let begins = label.len() >= self.written.len()
            && label.bytes().zip(self.written.bytes()).all(|(a, b)| a.eq_ignore_ascii_case(&b));
        if !begins || self.met.contains(label) {
            return None;
        }
        if self.all.len() >= MOST {
            self.incomplete = true;
            return None;
        }
        self.met.insert(label.to_owned());
        self.all.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range: self.range,
                new_text: label.to_owned(),
            })),
            ..CompletionItem::default()
        });
        self.all.last_mut()
    }

    fn words(&mut self, words: &[&str]) {
        for word in words {
            self.add(word, CompletionItemKind::KEYWORD, None);
        }
    }
}

/// What could be written at a position.
pub(super) fn complete(subject: &Subject<'_>, position: Position, snippets: bool) -> CompletionList {
    let document = subject.document;
    let byte = document.byte(position);
    let context = context::context(&document.text, byte);
    let span = quadrille_dsl::Span { start: context.start as u32, end: byte as u32 };
    let mut items = Items {
        all: Vec::new(),
        written: document.text.get(context.start..byte).unwrap_or_default().to_owned(),
        range: document.range(span),
        met: BTreeSet::new(),
        incomplete: false,
    };
    match (context.expected, context.sign) {
        (Expected::Nothing, _) => {}
        (_, Some('$')) => variables(subject, byte, &mut items),
        (_, Some(_)) => elements(subject, Symbol::Node, &mut items),
        (Expected::Statement, None) => {
            constraints(&mut items, snippets);
            functions(subject, false, &mut items, snippets);
            items.words(&STATEMENTS);
            elements(subject, Symbol::Vm, &mut items);
        }
        (Expected::Constraint, None) => constraints(&mut items, snippets),
        (Expected::Expression, None) => {
            variables(subject, byte, &mut items);
            functions(subject, true, &mut items, snippets);
            items.words(&SELECTIONS);
            elements(subject, Symbol::Vm, &mut items);
            elements(subject, Symbol::Node, &mut items);
        }
        (Expected::Template, None) => {
            let definitions = &document.outline().definitions;
            for definition in definitions.iter().filter(|definition| definition.symbol == Symbol::Template) {
                items.add(&definition.name.text(), CompletionItemKind::CLASS, None);
            }
            // Templates need not be declared.
            for definition in definitions {
                if matches!(definition.symbol, Symbol::Vm | Symbol::Node) && !definition.detail.is_empty() {
                    items.add(&definition.detail, CompletionItemKind::CLASS, None);
                }
            }
        }
        (Expected::Option, None) => options(subject, &mut items),
        (Expected::State, None) => items.words(&STATES),
        (Expected::Namespace, None) => {
            for script in subject.analysis.iter().flat_map(|analysis| analysis.program.scripts().skip(1)) {
                items.add(script.namespace(), CompletionItemKind::MODULE, None);
            }
            namespaces(subject, &mut items);
        }
        (Expected::Metric, None) => {
            for metric in Metric::ALL {
                items.add(metric.name(), CompletionItemKind::ENUM_MEMBER, None);
            }
        }
    }
    CompletionList { is_incomplete: items.incomplete, items: items.all }
}

/// The scripts and folders that an import could name.
fn namespaces(subject: &Subject<'_>, items: &mut Items) {
    let folders: Vec<PathBuf> = match subject.analysis {
        Some(analysis) => analysis.program.folders().to_vec(),
        None => subject.path.parent().map(Path::to_owned).into_iter().collect(),
    };
    let package = items.written.rsplit_once('.').map_or("", |(package, _)| package).to_owned();
    for folder in folders {
        let folder =
            package.split('.').filter(|part| !part.is_empty()).fold(folder, |at, part| at.join(part));
        let Ok(mut found) = Disk.list(&folder) else { continue };
        found.sort();
        for path in found.iter().filter(|path| *path != subject.path) {
            let is_script = path.extension().is_some_and(|extension| extension == "btrp");
            let name = if is_script { path.file_stem() } else { path.file_name() };
            let Some(name) = name.and_then(OsStr::to_str).filter(|name| is_word(name)) else { continue };
            if is_script || path.is_dir() {
                let label = if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
                let kind = if is_script { CompletionItemKind::MODULE } else { CompletionItemKind::FOLDER };
                items.add(&label, kind, None);
            }
        }
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
}

fn constraints(items: &mut Items, snippets: bool) {
    for signature in constraint::REGISTRY {
        let usage = script::usage(signature);
        let range = items.range;
        let Some(item) = items.add(signature.name, CompletionItemKind::FUNCTION, Some(usage)) else {
            continue;
        };
        item.documentation = Some(Documentation::MarkupContent(MarkupContent {
            kind: MarkupKind::Markdown,
            value: constraint::manual_page(signature),
        }));
        call(item, range, signature.name, snippets);
    }
}

/// Inserts the brackets of a call as well, the cursor between them.
fn call(item: &mut CompletionItem, range: Range, name: &str, snippets: bool) {
    if snippets {
        item.insert_text_format = Some(InsertTextFormat::SNIPPET);
        item.text_edit = Some(CompletionTextEdit::Edit(TextEdit { range, new_text: format!("{name}($0)") }));
    }
}

fn functions(subject: &Subject<'_>, with_value: bool, items: &mut Items, snippets: bool) {
    let of_kind = |definition: &&Definition| {
        definition.symbol == Symbol::Function && definition.has_value == with_value
    };
    for definition in subject.document.outline().definitions.iter().filter(of_kind) {
        let name = definition.name.text();
        let detail = format!("{name}{}", definition.detail);
        let range = items.range;
        if let Some(item) = items.add(&name, CompletionItemKind::FUNCTION, Some(detail)) {
            call(item, range, &name, snippets);
        }
    }
}

fn variables(subject: &Subject<'_>, byte: usize, items: &mut Items) {
    items.add("$me", CompletionItemKind::VARIABLE, Some("the VMs that this script declares".to_owned()));
    for definition in subject.document.outline().variables_at(byte) {
        let label = match &definition.name {
            Name::One(name) => format!("${name}"),
            Name::Many { head, .. } => format!("${head}"),
        };
        let detail = (!definition.detail.is_empty()).then(|| definition.detail.clone());
        items.add(&label, CompletionItemKind::VARIABLE, detail);
    }
    let Some(analysis) = subject.analysis else { return };
    for (at, script) in analysis.program.scripts().enumerate() {
        if at == 0 {
            for name in script.included().take(MOST) {
                items.add(&format!("${name}"), CompletionItemKind::VARIABLE, Some("included".to_owned()));
            }
            continue;
        }
        for statement in &script.tree().statements {
            let quadrille_dsl::Statement::Export { what, .. } = &statement.value else { continue };
            for exported in what {
                if let quadrille_dsl::Expression::Variable(name) = &exported.value {
                    let label = match name.as_str() {
                        "me" => format!("${}", script.namespace()),
                        name => format!("${}.{name}", script.namespace()),
                    };
                    items.add(&label, CompletionItemKind::VARIABLE, Some("imported".to_owned()));
                }
            }
        }
    }
}

/// Names of VMs or nodes: those that are known from evaluating, and those of the text.
fn elements(subject: &Subject<'_>, symbol: Symbol, items: &mut Items) {
    let nodes = symbol == Symbol::Node;
    let kind = CompletionItemKind::VALUE;
    for definition in &subject.document.outline().definitions {
        if definition.symbol == symbol {
            let name = match &definition.name {
                Name::One(name) => name.clone(),
                Name::Many { head, .. } => format!("{head}["),
            };
            let label = if nodes { format!("@{name}") } else { name };
            items.add(&label, kind, Some(definition.detail.clone()).filter(|detail| !detail.is_empty()));
        }
    }
    let Some(analysis) = subject.analysis else { return };
    let instance = analysis.inspection.instance();
    let prefix = subject.document.outline().namespace.as_ref().map(|word| format!("{}.", word.value));
    let names = if nodes { instance.nodes() } else { instance.vms() };
    for name in names.names().take(MOST_NAMES) {
        if items.incomplete {
            break;
        }
        let label = if nodes {
            format!("@{}", name.strip_prefix('@').unwrap_or(name))
        } else {
            let own = prefix.as_ref().and_then(|prefix| name.strip_prefix(prefix.as_str()));
            own.unwrap_or(name).to_owned()
        };
        items.add(&label, kind, None);
    }
}

fn options(subject: &Subject<'_>, items: &mut Items) {
    for definition in &subject.document.outline().definitions {
        if definition.symbol == Symbol::Resource {
            items.add(&definition.name.text(), CompletionItemKind::PROPERTY, Some("resource".to_owned()));
        }
    }
    if let Some(analysis) = subject.analysis {
        let instance = analysis.inspection.instance();
        for id in instance.resource_ids() {
            items.add(instance.resource_name(id), CompletionItemKind::PROPERTY, Some("resource".to_owned()));
        }
    }
    for option in OPTIONS {
        items.add(option, CompletionItemKind::PROPERTY, None);
    }
}

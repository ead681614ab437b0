//! Answers about a document: hover, definition, symbols.

use super::analysis::Analysis;
use super::document::Document;
use super::location;
use super::outline::Definition;
use super::outline::Name;
use super::outline::Outline;
use super::outline::Symbol;
use super::outline::Use;
use super::position::Lines;
use lsp_types::DocumentSymbol;
use lsp_types::Hover;
use lsp_types::HoverContents;
use lsp_types::Location;
use lsp_types::MarkupContent;
use lsp_types::MarkupKind;
use lsp_types::Position;
use lsp_types::SymbolKind;
use quadrille::constraint;
use quadrille::model::NodeId;
use quadrille::model::Place as Where;
use quadrille::model::VmId;
use quadrille::script;
use quadrille::script::Place;
use quadrille::script::Seen;
use quadrille_dsl::Span;
use std::fmt::Write as _;
use std::path::Path;

/// A document, and what is known of it; `fresh` where that is of the text as it stands.
pub(super) struct Subject<'s> {
    pub(super) document: &'s Document,
    pub(super) path: &'s Path,
    pub(super) analysis: Option<&'s Analysis>,
    pub(super) fresh: bool,
}

impl<'s> Subject<'s> {
    /// The namespace before the names of its VMs.
    fn prefix(&self) -> Option<&'s str> {
        self.document.outline().namespace.as_ref().map(|word| word.value.as_str())
    }

    fn vm(&self, name: &Name) -> Option<(&'s Analysis, VmId)> {
        let Name::One(name) = name else { return None };
        let analysis = self.analysis?;
        Some((analysis, analysis.inspection.vm(self.prefix(), name)?))
    }

    fn node(&self, name: &Name) -> Option<(&'s Analysis, NodeId)> {
        let Name::One(name) = name else { return None };
        let analysis = self.analysis?;
        Some((analysis, analysis.inspection.node(name)?))
    }

    /// What a variable held at a place of this document.
    fn seen(&self, span: Span) -> Option<&'s Seen> {
        let analysis = self.analysis.filter(|_| self.fresh)?;
        let script = analysis.program.scripts().next()?;
        analysis.inspection.seen(Place { file: script.file(), span })
    }

    fn here(&self, span: Span) -> Location {
        Location { uri: self.document.uri.clone(), range: self.document.range(span) }
    }
}

/// A place in a file that was read.
fn location_of(analysis: &Analysis, place: Place) -> Option<Location> {
    let text = analysis.text(place.file)?;
    let uri = location::uri(analysis.path(place.file)?)?;
    Some(Location { uri, range: Lines::new(text).range(text, place.span) })
}

/// What stands at a position.
pub(super) fn hover(subject: &Subject<'_>, position: Position) -> Option<Hover> {
    let document = subject.document;
    let outline = document.outline();
    let used = outline.at(document.byte(position))?;
    let defined = outline.definition(used);
    let text = match used.symbol {
        Symbol::Rule | Symbol::Function => match defined {
            Some(definition) => source(document, definition),
            None => manual(&used.name.text())?,
        },
        Symbol::Variable => variable(subject, used, defined)?,
        Symbol::Vm => match subject.vm(&used.name) {
            Some((analysis, vm)) => vm_text(analysis, vm),
            None => source(document, defined?),
        },
        Symbol::Node => match subject.node(&used.name) {
            Some((analysis, node)) => node_text(analysis, node),
            None => source(document, defined?),
        },
        Symbol::Template | Symbol::Resource | Symbol::Switch => source(document, defined?),
        Symbol::Namespace => {
            let name = used.name.text();
            let analysis = subject.analysis?;
            let script = analysis.program.scripts().find(|script| script.namespace() == name)?;
            format!("namespace `{name}`\n\n{}", analysis.path(script.file())?.display())
        }
    };
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(document.range(used.span)) })
}

/// The manual page of a constraint; `before` is two of them.
fn manual(name: &str) -> Option<String> {
    if name == "before" {
        let pages: Vec<String> = ["deadline", "precedence"].into_iter().filter_map(manual).collect();
        return Some(pages.join("\n\n---\n\n"));
    }
    let signature = constraint::signature(name)?;
    let usage = script::usage(signature);
    Some(format!("```btrp\n{usage}\n```\n\n{}", constraint::manual_page(signature)))
}

/// The statement of a definition.
fn source(document: &Document, definition: &Definition) -> String {
    /// Lines that are shown.
    const MOST: usize = 12;
    let (start, end) = (definition.whole.start as usize, definition.whole.end as usize);
    let text = document.text.get(start..end).unwrap_or_default();
    let mut shown: Vec<&str> = text.lines().take(MOST).collect();
    if text.lines().count() > MOST {
        shown.push("…");
    }
    format!("```btrp\n{}\n```", shown.join("\n"))
}

fn variable(subject: &Subject<'_>, used: &Use, defined: Option<&Definition>) -> Option<String> {
    let mut text = format!("**${}**", used.name.text());
    match subject.seen(used.span) {
        Some(seen) => {
            let types: Vec<String> = seen.types.iter().map(|name| format!("`{name}`")).collect();
            // Writing to a string does not fail.
            let _ = write!(text, ": {}", types.join(" or "));
            if let Some((least, most)) = seen.sizes {
                let _ = match (least, most) {
                    (1, 1) => write!(text, ", 1 element"),
                    _ if least == most => write!(text, ", {least} elements"),
                    _ => write!(text, ", {least} to {most} elements"),
                };
            }
            if let Some(value) = &seen.text {
                let _ = write!(text, " = `{}`", value.replace('`', "'"));
            }
        }
        None => {
            defined?;
        }
    }
    if let Some(definition) = defined {
        text.push_str("\n\n");
        match definition.detail.as_str() {
            "parameter" => text.push_str("a parameter"),
            _ => text.push_str(&source(subject.document, definition)),
        }
    }
    Some(text)
}

fn vm_text(analysis: &Analysis, vm: VmId) -> String {
    let instance = analysis.inspection.instance();
    let mut text = format!("VM **{}**", instance.vm_name(vm));
    if let Some(template) = analysis.inspection.vm_template(vm) {
        let _ = write!(text, ", template `{template}`");
    }
    text.push_str("\n\n");
    match instance.place(vm) {
        Where::Running(node) => {
            let _ = write!(text, "running on `{}`", instance.node_name(node));
        }
        Where::Sleeping(node) => {
            let _ = write!(text, "sleeping on `{}`", instance.node_name(node));
        }
        other => text.push_str(other.state().name()),
    }
    let amounts = instance.resource_ids().map(|id| (instance.resource_name(id), instance.demand(vm, id)));
    rest(&mut text, amounts.collect(), analysis, analysis.inspection.vm_declaration(vm));
    text
}

fn node_text(analysis: &Analysis, node: NodeId) -> String {
    let instance = analysis.inspection.instance();
    let mut text = format!("node **{}**", instance.node_name(node));
    if let Some(template) = analysis.inspection.node_template(node) {
        let _ = write!(text, ", template `{template}`");
    }
    text.push_str(if instance.is_online(node) { "\n\nonline" } else { "\n\noffline" });
    let amounts = instance.resource_ids().map(|id| (instance.resource_name(id), instance.capacity(node, id)));
    rest(&mut text, amounts.collect(), analysis, analysis.inspection.node_declaration(node));
    text
}

/// Amounts, and where it was declared.
fn rest(text: &mut String, amounts: Vec<(&str, u64)>, analysis: &Analysis, declared: Option<Place>) {
    for (name, amount) in amounts {
        let _ = write!(text, ", {name} {amount}");
    }
    let line = declared.and_then(|place| {
        let lines = Lines::new(analysis.text(place.file)?);
        let line = lines.position(analysis.text(place.file)?, place.span.start as usize).line + 1;
        Some((analysis.path(place.file)?, line))
    });
    if let Some((path, line)) = line {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let _ = write!(text, "\n\ndeclared in {file}, line {line}");
    }
}

/// Where what stands at a position is defined.
pub(super) fn definition(subject: &Subject<'_>, position: Position) -> Option<Location> {
    let outline = subject.document.outline();
    let used = outline.at(subject.document.byte(position))?;
    let in_analysis = |place: Option<Place>, analysis: &Analysis| {
        let place = place?;
        // Of this document the text as it stands knows better.
        let own = analysis.path(place.file) == Some(subject.path);
        if own && !subject.fresh { None } else { location_of(analysis, place) }
    };
    let evaluated = match used.symbol {
        Symbol::Vm => subject
            .vm(&used.name)
            .and_then(|(analysis, vm)| in_analysis(analysis.inspection.vm_declaration(vm), analysis)),
        Symbol::Node => subject
            .node(&used.name)
            .and_then(|(analysis, node)| in_analysis(analysis.inspection.node_declaration(node), analysis)),
        _ => None,
    };
    if evaluated.is_some() {
        return evaluated;
    }
    if let Some(definition) = outline.definition(used) {
        return Some(subject.here(definition.span));
    }
    match used.symbol {
        Symbol::Variable => imported(subject, &used.name),
        Symbol::Namespace => {
            let name = used.name.text();
            let analysis = subject.analysis?;
            let script = analysis.program.scripts().find(|script| script.namespace() == name)?;
            location_of(analysis, Place { file: script.file(), span: Span::default() })
        }
        // The elements of an enumeration of another script: where the first one is.
        Symbol::Vm | Symbol::Node => {
            let analysis = subject.analysis?;
            analysis.program.scripts().find_map(|script| {
                let outline = Outline::new(script.tree());
                let span = outline.find(used.symbol, &used.name)?.span;
                in_analysis(Some(Place { file: script.file(), span }), analysis)
            })
        }
        _ => None,
    }
}

/// Where the variable `a.b.x` of the namespace `a.b` gets its value.
fn imported(subject: &Subject<'_>, name: &Name) -> Option<Location> {
    let full = match name {
        Name::One(name) => name.as_str(),
        Name::Many { head, .. } => head.as_str(),
    };
    let analysis = subject.analysis?;
    let mut scripts: Vec<_> = analysis.program.scripts().skip(1).collect();
    // `a.b` before `a`.
    scripts.sort_by_key(|script| std::cmp::Reverse(script.namespace().len()));
    scripts.into_iter().find_map(|script| {
        let rest = full.strip_prefix(script.namespace())?;
        let span = match rest.strip_prefix('.') {
            Some(local) => {
                let outline = Outline::new(script.tree());
                let local = match name {
                    Name::One(_) => Name::One(local.to_owned()),
                    Name::Many { tail, .. } => Name::Many { head: local.to_owned(), tail: tail.clone() },
                };
                let found = match &local {
                    Name::One(local) => outline.exported(local),
                    Name::Many { .. } => outline.find(Symbol::Variable, &local),
                };
                found?.span
            }
            None if rest.is_empty() => Span::default(),
            None => return None,
        };
        location_of(analysis, Place { file: script.file(), span })
    })
}

/// What a document defines, in order.
pub(super) fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let outline = document.outline();
    let mut found = Vec::new();
    for definition in &outline.definitions {
        let (kind, name) = match definition.symbol {
            Symbol::Variable if !definition.is_at_top() => continue,
            Symbol::Variable => (SymbolKind::VARIABLE, format!("${}", definition.name.text())),
            Symbol::Vm => (SymbolKind::OBJECT, definition.name.text()),
            Symbol::Node => (SymbolKind::OBJECT, format!("@{}", definition.name.text())),
            Symbol::Function => (SymbolKind::FUNCTION, definition.name.text()),
            Symbol::Template => (SymbolKind::CLASS, definition.name.text()),
            Symbol::Resource => (SymbolKind::PROPERTY, definition.name.text()),
            Symbol::Switch => (SymbolKind::INTERFACE, definition.name.text()),
            Symbol::Rule | Symbol::Namespace => continue,
        };
        // The range of a symbol holds that of its name.
        let whole = Span {
            start: definition.whole.start.min(definition.span.start),
            end: definition.whole.end.max(definition.span.end),
        };
        #[allow(deprecated, reason = "the field `deprecated` must be given")]
        found.push(DocumentSymbol {
            name,
            detail: (!definition.detail.is_empty()).then(|| definition.detail.clone()),
            kind,
            tags: None,
            deprecated: None,
            range: document.range(whole),
            selection_range: document.range(definition.span),
            children: None,
        });
    }
    found
}

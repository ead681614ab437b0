//! Trees and diagnostics as plain text.

use quadrille_dsl::Binary;
use quadrille_dsl::Block;
use quadrille_dsl::Body;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Filter;
use quadrille_dsl::Kind;
use quadrille_dsl::Number;
use quadrille_dsl::Setting;
use quadrille_dsl::Severity;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Statement;
use quadrille_dsl::Switched;
use quadrille_dsl::Tree;
use quadrille_dsl::Unary;
use quadrille_dsl::Word;
use quadrille_dsl::position;
use std::fmt::Debug;
use std::fmt::Write;

/// A tree, a statement a line, each with its place; operations in parentheses, the
/// parentheses of the text as `paren`.
pub(crate) fn tree(text: &str, tree: &Tree) -> String {
    let mut out = String::new();
    statements(text, &tree.statements, 0, &mut out);
    for comment in &tree.comments {
        let slice = &text[comment.span.start as usize..comment.span.end as usize];
        let kind = if comment.block { "block" } else { "line" };
        writeln!(out, "{} {kind} comment {slice:?}", place(text, comment.span)).expect("a string grows");
    }
    for lost in &tree.lost {
        writeln!(out, "{} lost {}", place(text, lost.span), expression(lost)).expect("a string grows");
    }
    out
}

/// Diagnostics, each with its places, its help and the lines it points to.
pub(crate) fn diagnostics(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for one in diagnostics {
        let kind = if one.severity == Severity::Error { "error" } else { "warning" };
        writeln!(out, "{kind} {} {}: {}", one.code, place(text, one.span()), one.message)
            .expect("a string grows");
        pointed(text, one.span(), &mut out);
        for label in one.labels.iter().skip(1) {
            writeln!(out, "  {}: {}", place(text, label.span), label.text).expect("a string grows");
        }
        if let Some(help) = &one.help {
            writeln!(out, "  help: {help}").expect("a string grows");
        }
    }
    out
}

/// The line of a place, and a mark under it.
fn pointed(text: &str, span: Span, out: &mut String) {
    let start = span.start as usize;
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[from..].lines().next().unwrap_or("");
    if line.chars().count() > 120 {
        return;
    }
    let end = (span.end as usize).min(from + line.len());
    let blanks = text[from..start.min(from + line.len())].chars().count();
    let marks = text[start.min(end)..end].chars().count().max(1);
    writeln!(out, "  | {line}\n  | {}{}", " ".repeat(blanks), "^".repeat(marks)).expect("a string grows");
}

fn place(text: &str, span: Span) -> String {
    let (line, column) = position(text, span.start as usize);
    let (last, end) = position(text, span.end as usize);
    if line == last { format!("{line}:{column}-{end}") } else { format!("{line}:{column}-{last}:{end}") }
}

fn statements(text: &str, statements: &[Spanned<Statement>], level: usize, out: &mut String) {
    for statement in statements {
        let place = place(text, statement.span);
        write!(out, "{}{place} ", "    ".repeat(level)).expect("a string grows");
        one(text, &statement.value, level, out);
    }
}

fn block(text: &str, block: &Block, level: usize, out: &mut String) {
    statements(text, &block.statements, level + 1, out);
}

fn one(text: &str, statement: &Statement, level: usize, out: &mut String) {
    let line = match statement {
        Statement::Namespace(name) => format!("namespace {}", name.value),
        Statement::Import { path, all } => {
            format!("import {}{}", path.value, if *all { " and below" } else { "" })
        }
        Statement::Include { file, name } => format!("include {:?} as ${}", file.value, name.value),
        Statement::Resource(names) => format!("resource {}", words(names)),
        Statement::Template { name, options } => format!("template {} {}", name.value, settings(options)),
        Statement::Network { routing, options } => format!("network {} {}", routing.value, settings(options)),
        Statement::Switch(switches) => {
            let one = |one: &Switched| format!("{} {}", expression(&one.names), settings(&one.options));
            format!("switch {}", switches.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Statement::Link { ends, switch, options } => {
            format!("link {} to {} {}", expression(ends), switch.value, settings(options))
        }
        Statement::Route { from, to, via } => {
            format!("route {} to {} via {}", expression(from), expression(to), words(via))
        }
        Statement::Declaration { target, template, options, state } => {
            let state = match state.as_ref().map(|state| &state.value) {
                None => String::new(),
                Some(State::Running(place)) => format!(" running on {}", expression(place)),
                Some(State::Sleeping(place)) => format!(" sleeping on {}", expression(place)),
                Some(other) => format!(" {other:?}").to_lowercase(),
            };
            format!("declare {} as {} {}{state}", expression(target), template.value, settings(options))
        }
        Statement::Definition { target, operator, value } => {
            format!(
                "define {} {}= {}",
                expression(target),
                operator.map_or("", Binary::sign),
                expression(value)
            )
        }
        Statement::For { variable, over, body } => {
            writeln!(out, "for ${} in {}", variable.value, expression(over)).expect("a string grows");
            return block(text, body, level, out);
        }
        Statement::If { condition, then, otherwise } => {
            writeln!(out, "if {}", expression(condition)).expect("a string grows");
            block(text, then, level, out);
            if let Some(otherwise) = otherwise {
                let place = place(text, otherwise.span);
                writeln!(out, "{}{place} else", "    ".repeat(level)).expect("a string grows");
                block(text, otherwise, level, out);
            }
            return;
        }
        Statement::Rule { discrete, name, arguments, soft } => {
            let discrete = if discrete.is_some() { " discrete" } else { "" };
            let soft = soft.as_ref().map_or(String::new(), |soft| format!(" soft {}", expression(soft)));
            format!("rule{discrete} {}({}){soft}", name.value, list(arguments))
        }
        Statement::Export { what, to } => format!("export {} to {}", list(what), words(to)),
        Statement::Function { name, parameters, body } => {
            let head = format!("function {}({})", name.value, words(parameters));
            match body {
                Body::Value(value) => format!("{head} = {}", expression(value)),
                Body::Block(body) => {
                    writeln!(out, "{head}").expect("a string grows");
                    return block(text, body, level, out);
                }
            }
        }
        Statement::Objective(levels) => {
            let term = |term: &Spanned<quadrille_dsl::Term>| match &term.value.weight {
                Some(weight) => format!("{} times {}", number(weight.value), term.value.metric.value),
                None => term.value.metric.value.clone(),
            };
            let level = |terms: &Vec<Spanned<_>>| terms.iter().map(term).collect::<Vec<_>>().join(" plus ");
            format!("minimise {}", levels.iter().map(level).collect::<Vec<_>>().join(", then "))
        }
    };
    writeln!(out, "{}", line.trim_end()).expect("a string grows");
}

fn words(words: &[Word]) -> String {
    words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn settings(settings: &[Spanned<Setting>]) -> String {
    let setting = |one: &Spanned<Setting>| match &one.value.value {
        Some(value) => format!("{}={}", one.value.name.value, expression(value)),
        None => one.value.name.value.clone(),
    };
    format!("<{}>", settings.iter().map(setting).collect::<Vec<_>>().join(", "))
}

fn list(values: &[Spanned<Expression>]) -> String {
    values.iter().map(expression).collect::<Vec<_>>().join(", ")
}

fn number(number: Number) -> String {
    match number {
        Number::Integer(value, 10) => value.to_string(),
        Number::Integer(value, base) => format!("{value}(base {base})"),
        Number::Float(value) => format!("{value:?}"),
    }
}

pub(crate) fn expression(one: &Spanned<Expression>) -> String {
    value(&one.value)
}

fn value(value_: &Expression) -> String {
    match value_ {
        Expression::Name(name) => name.clone(),
        Expression::QuotedName(name) => format!("vm{name:?}"),
        Expression::Node(name) if name.contains(|c: char| !c.is_ascii_alphanumeric()) => format!("@{name:?}"),
        Expression::Node(name) => format!("@{name}"),
        Expression::Variable(name) => format!("${name}"),
        Expression::Number(one) => number(*one),
        Expression::Text(text) => format!("{text:?}"),
        Expression::Blank => "_".to_owned(),
        Expression::Set(members) => format!("{{{}}}", list(members)),
        Expression::Enumeration { kind, head, elements, tail } => {
            let sign = match kind {
                Kind::Name => "",
                Kind::Node => "@",
                Kind::Variable => "$",
            };
            let element = |one: &Spanned<Element>| match &one.value {
                Element::Range(first, last) => format!("{}..{}", expression(first), expression(last)),
                Element::One(one) => value(one),
            };
            let elements = elements.iter().map(element).collect::<Vec<_>>().join(", ");
            format!("{sign}{head}[{elements}]{tail}")
        }
        Expression::Parentheses(inner) => format!("paren({})", expression(inner)),
        Expression::Unary(operator, inner) => {
            let sign = match operator {
                Unary::Negate => "-",
                Unary::Not => "!",
                Unary::Count => "#",
            };
            format!("({sign}{})", expression(inner))
        }
        Expression::Binary(left, operator, right) => {
            format!("({} {} {})", expression(left), operator.value.sign(), expression(right))
        }
        Expression::Call(name, arguments) => format!("call {}({})", name.value, list(arguments)),
        Expression::All(selection) => {
            let mut out = format!("(all {}", if selection.nodes { "nodes" } else { "vms" });
            for filter in &selection.filters {
                out += &match &filter.value {
                    Filter::Tagged(text) => format!(" tagged {:?}", text.value),
                    Filter::Named(text) => format!(" named {:?}", text.value),
                    Filter::With(text, None) => format!(" with {:?}", text.value),
                    Filter::With(text, Some((equal, to))) => {
                        let sign = if *equal { "==" } else { "!=" };
                        format!(" with {:?} {sign} {}", text.value, expression(to))
                    }
                    Filter::On(place) => format!(" on {}", expression(place)),
                    Filter::In(set) => format!(" in {}", expression(set)),
                };
            }
            if let Some(by) = &selection.by {
                out += &format!(" by {:?}", by.value);
            }
            out + ")"
        }
    }
}

/// What something looks like without the places in it.
pub(crate) fn bare(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Span { start: ") {
        out += before;
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

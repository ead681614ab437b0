//! From text to tree, statement by statement.

use crate::Diagnostic;
use crate::Element;
use crate::Expression;
use crate::Span;
use crate::Spanned;
use crate::Statement;
use crate::Tree;
use pest::Parser;
use pest::error::Error;
use pest::error::ErrorVariant;
use pest::error::InputLocation;
use pest::iterators::Pair;

/// Brackets nest at most this deep: the parser is recursive and the text is not ours.
pub const DEEPEST: usize = 64;

/// pest_derive writes public items without documentation; a module keeps them in.
mod grammar {
    #![allow(missing_docs, reason = "generated")]
    #![allow(unreachable_pub, reason = "generated")]

    #[derive(pest_derive::Parser)]
    #[grammar = "grammar.pest"]
    pub(super) struct Grammar;
}
use grammar::Grammar;
use grammar::Rule;

/// Reads a rule file. Never fails: a statement that cannot be read is left out, with
/// a diagnostic, and reading goes on after its semicolon. Linear in the text.
pub fn parse(text: &str) -> (Tree, Vec<Diagnostic>) {
    let mut tree = Tree::default();
    let mut diagnostics = Vec::new();
    let mut at = 0;
    loop {
        at += blank(&text[at..]);
        if at == text.len() {
            return (tree, diagnostics);
        }
        let extent = extent(&text[at..]);
        let span = Span { start: at, end: at + extent.length };
        let source = &text[span.start..span.end];
        at = span.end;
        if let Some((offset, message)) = extent.fault {
            let start = span.start + offset;
            diagnostics.push(Diagnostic { span: Span { start, end: span.end }, message: message.to_owned() });
            continue;
        }
        match Grammar::parse(Rule::statement, source) {
            Ok(mut pairs) => match pairs.next().and_then(|pair| statement(pair, span.start)) {
                Some(read) => tree.statements.push(read),
                None => diagnostics
                    .push(Diagnostic { span, message: "this statement was not understood".to_owned() }),
            },
            Err(error) => diagnostics.push(refusal(&error, span)),
        }
    }
}

/// The length of the blanks and comments that a text starts with.
fn blank(text: &str) -> usize {
    Grammar::parse(Rule::trivia, text)
        .ok()
        .and_then(|mut pairs| pairs.next())
        .map_or(0, |pair| pair.as_str().len())
}

/// How far a statement goes, found by looking at brackets, quotes and comments only.
struct Extent {
    length: usize,
    /// Where and why it need not be parsed at all.
    fault: Option<(usize, &'static str)>,
}

fn extent(text: &str) -> Extent {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut fault = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b';' => return Extent { length: at + 1, fault },
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > DEEPEST && fault.is_none() {
                    fault = Some((at, "brackets nest too deeply here; 64 levels are the most"));
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'"' => match text_end(bytes, at + 1) {
                Some(end) => at = end,
                None => {
                    // Reading goes on in the next line: one quote does not swallow the file.
                    fault = fault.or(Some((at, "this text is not closed; expected `\"` in the same line")));
                    while bytes.get(at + 1).is_some_and(|&next| next != b'\n') {
                        at += 1;
                    }
                }
            },
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while bytes.get(at + 1).is_some_and(|&next| next != b'\n') {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => match text[at + 2..].find("*/") {
                Some(length) => at += length + 3,
                None => {
                    let fault = fault.or(Some((at, "this comment is not closed; expected `*/`")));
                    return Extent { length: text.len(), fault };
                }
            },
            _ => {}
        }
        at += 1;
    }
    Extent { length: text.len(), fault: fault.or(Some((text.trim_end().len(), "expected `;` at the end"))) }
}

/// The place of the quote that closes a text; `from` is the byte after the opening one.
fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\n' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn refusal(error: &Error<Rule>, statement: Span) -> Diagnostic {
    let offset = match error.location {
        InputLocation::Pos(at) => at,
        InputLocation::Span((start, _)) => start,
    };
    let message = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            let mut words: Vec<&str> = positives.iter().map(|&rule| word(rule)).collect();
            words.sort_unstable();
            words.dedup();
            match words.as_slice() {
                [] => "this is not part of a statement".to_owned(),
                words => format!("expected {}", words.join(" or ")),
            }
        }
        ErrorVariant::CustomError { message } => message.clone(),
    };
    Diagnostic { span: Span { start: statement.start + offset, end: statement.end }, message }
}

/// A rule of the grammar in the reader's words.
fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::statement | Rule::constraint | Rule::namespace | Rule::import => {
            "`namespace`, `import` or a constraint"
        }
        Rule::word_namespace => "`namespace`",
        Rule::word_import => "`import`",
        Rule::discrete => "`>>`",
        Rule::semicolon => "`;`",
        Rule::comma => "`,`",
        Rule::open => "`(`",
        Rule::close => "`)`",
        Rule::brace => "`}`",
        Rule::bracket => "`]`",
        Rule::star => "`.*`",
        Rule::identifier | Rule::path => "a name",
        Rule::number | Rule::integer | Rule::float => "a number",
        Rule::text | Rule::content => "a text",
        Rule::variable => "a variable",
        Rule::node => "a node",
        Rule::arguments | Rule::expression => "a value",
        Rule::element | Rule::elements | Rule::range => "an element",
        Rule::set => "a set",
        Rule::enumeration | Rule::head | Rule::tail => "an enumeration",
        _ => "a statement",
    }
}

fn span(pair: &Pair<'_, Rule>, base: usize) -> Span {
    let span = pair.as_span();
    Span { start: base + span.start(), end: base + span.end() }
}

fn owned(pair: &Pair<'_, Rule>, base: usize) -> Spanned<String> {
    Spanned { value: pair.as_str().to_owned(), span: span(pair, base) }
}

fn statement(pair: Pair<'_, Rule>, base: usize) -> Option<Spanned<Statement>> {
    let span = span(&pair, base);
    let inner = pair.into_inner().next()?;
    let rule = inner.as_rule();
    let mut parts = inner.into_inner().peekable();
    let value = match rule {
        Rule::namespace => Statement::Namespace(owned(&parts.nth(1)?, base)),
        Rule::import => {
            let path = owned(&parts.nth(1)?, base);
            Statement::Import { path, all: parts.next()?.as_rule() == Rule::star }
        }
        Rule::constraint => {
            let discrete = parts.next_if(|pair| pair.as_rule() == Rule::discrete).is_some();
            let name = owned(&parts.next()?, base);
            let arguments = values(parts.nth(1)?, base)?;
            Statement::Constraint { discrete, name, arguments }
        }
        _ => return None,
    };
    Some(Spanned { value, span })
}

/// The values of a list, without the punctuation.
fn values(list: Pair<'_, Rule>, base: usize) -> Option<Vec<Spanned<Expression>>> {
    let values = list.into_inner().filter(|pair| pair.as_rule() == Rule::expression);
    values.map(|pair| expression(pair, base)).collect()
}

fn expression(pair: Pair<'_, Rule>, base: usize) -> Option<Spanned<Expression>> {
    let span = span(&pair, base);
    let inner = if pair.as_rule() == Rule::expression { pair.into_inner().next()? } else { pair };
    let value = match inner.as_rule() {
        Rule::set => Expression::Set(values(inner, base)?),
        Rule::number => Expression::Number(inner.as_str().to_owned()),
        Rule::text => Expression::Text(unescaped(inner.into_inner().next()?.as_str())),
        Rule::variable => Expression::Variable(inner.as_str().get(1..)?.to_owned()),
        Rule::node => Expression::Node(inner.as_str().get(1..)?.to_owned()),
        Rule::path | Rule::identifier => Expression::Name(inner.as_str().to_owned()),
        Rule::enumeration => {
            let mut parts = inner.into_inner();
            let head = parts.next()?.as_str().to_owned();
            let elements = parts.next()?.into_inner().filter(|pair| pair.as_rule() == Rule::element);
            let elements = elements.map(|pair| element(pair, base)).collect::<Option<_>>()?;
            let tail = parts.nth(1).map_or_else(String::new, |pair| pair.as_str().to_owned());
            Expression::Enumeration { head, elements, tail }
        }
        _ => return None,
    };
    Some(Spanned { value, span })
}

fn element(pair: Pair<'_, Rule>, base: usize) -> Option<Spanned<Element>> {
    let span = span(&pair, base);
    let inner = pair.into_inner().next()?;
    let value = if inner.as_rule() == Rule::range {
        let mut bounds = inner.into_inner();
        Element::Range(bounds.next()?.as_str().to_owned(), bounds.next()?.as_str().to_owned())
    } else {
        Element::One(expression(inner, base)?.value)
    };
    Some(Spanned { value, span })
}

fn unescaped(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

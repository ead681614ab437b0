//! From what the grammar found to the tree.

mod expression;

use super::Rule;
use super::scan::between;
use super::scan::is_reserved;
use crate::Binary;
use crate::Diagnostic;
use crate::Expression;
use crate::Setting;
use crate::Span;
use crate::Spanned;
use crate::State;
use crate::Statement;
use crate::Switched;
use crate::Term;
use crate::Unary;
use crate::Word;
use expression::attached;
use expression::expression;
use expression::number;
use expression::operand;
use expression::raised;
use expression::unescaped;
use expression::values;
use pest::iterators::Pair;
use pest::iterators::Pairs;

/// What was built, or what a number or a text has that the grammar cannot see.
pub(super) type Built<T> = Result<T, Diagnostic>;

/// An expression and how many operations stand above one another in it.
type Tall = (Spanned<Expression>, usize);

fn place(pair: &Pair<'_, Rule>, base: usize) -> Span {
    let span = pair.as_span();
    between(base + span.start(), base + span.end())
}

/// The same without the blanks and comments that a rule with an optional end takes along.
fn tight(pair: &Pair<'_, Rule>, base: usize) -> Span {
    let start = place(pair, base).start;
    let mut last = pair.clone();
    while let Some(inner) = last.clone().into_inner().next_back() {
        last = inner;
    }
    Span { start, end: place(&last, base).end }
}

/// The parts of a pair. The grammar says which there are; to run out of them is a mistake of ours.
struct Parts<'a> {
    pairs: Pairs<'a, Rule>,
    base: usize,
    span: Span,
}

impl<'a> Parts<'a> {
    fn new(pair: Pair<'a, Rule>, base: usize) -> Self {
        let span = place(&pair, base);
        Self { pairs: pair.into_inner(), base, span }
    }

    fn next(&mut self) -> Built<Pair<'a, Rule>> {
        self.pairs.next().ok_or_else(|| Diagnostic::error("E0002", self.span, "this was not understood"))
    }

    fn peek(&self) -> Option<Rule> {
        self.pairs.peek().map(|pair| pair.as_rule())
    }

    /// Takes the next part if it is one of these.
    fn take(&mut self, rules: &[Rule]) -> Option<Pair<'a, Rule>> {
        if rules.contains(&self.peek()?) { self.pairs.next() } else { None }
    }

    fn word(&mut self) -> Built<Word> {
        word(&self.next()?, self.base)
    }

    /// All parts of one kind that are left.
    fn all<T>(self, rule: Rule, read: impl Fn(Pair<'a, Rule>, usize) -> Built<T>) -> Built<Vec<T>> {
        let base = self.base;
        self.pairs.filter(|pair| pair.as_rule() == rule).map(|pair| read(pair, base)).collect()
    }
}

/// A word without the sign or the quotes around it. Only names are taken for reserved words.
fn word(pair: &Pair<'_, Rule>, base: usize) -> Built<Word> {
    if pair.as_rule() == Rule::text {
        return text(pair, base);
    }
    let (text, span) = (pair.as_str(), place(pair, base));
    if let Some(name) = text.strip_prefix('$') {
        return Ok(Word { value: name.to_owned(), span });
    }
    // `in.*` is a word of its own, as `in.a` is.
    let inside = || pair.as_span().get_input()[pair.as_span().end()..].starts_with(".*");
    if pair.as_rule() == Rule::path && is_reserved(text) && !inside() {
        let message = format!("expected a name, found `{text}`");
        let help = format!("`{text}` is a word of the language; as a name write vm\"{text}\"");
        return Err(Diagnostic::error("E0002", span, message).with_help(help));
    }
    Ok(Word { value: text.to_owned(), span })
}

fn text(pair: &Pair<'_, Rule>, base: usize) -> Built<Word> {
    let span = place(pair, base);
    Ok(Word { value: unescaped(pair.as_str(), span.start as usize)?, span })
}

/// The pairs of the statements of a list.
pub(super) fn several<'a>(pair: Pair<'a, Rule>) -> impl Iterator<Item = Pair<'a, Rule>> {
    pair.into_inner().filter(|pair| matches!(pair.as_rule(), Rule::constraint | Rule::binding))
}

/// The first of them.
pub(super) fn only(pair: Pair<'_, Rule>, base: usize) -> Built<Statement> {
    let span = place(&pair, base);
    match several(pair).next() {
        Some(pair) => statement(pair, base),
        None => Err(Diagnostic::error("E0002", span, "this was not understood")),
    }
}

/// A statement that ends with a semicolon.
pub(super) fn statement(pair: Pair<'_, Rule>, base: usize) -> Built<Statement> {
    let rule = pair.as_rule();
    let mut parts = Parts::new(pair, base);
    Ok(match rule {
        Rule::constraint => {
            let discrete = parts.take(&[Rule::discrete]).map(|pair| place(&pair, base));
            let name = parts.word()?;
            let arguments = values(parts.next()?, base)?.0;
            let soft = match parts.take(&[Rule::word_soft]) {
                Some(_) => Some(expression(parts.next()?, base)?.0),
                None => None,
            };
            Statement::Rule { discrete, name, arguments, soft }
        }
        Rule::binding => {
            let target = target(parts.next()?, base)?.0;
            let sign = parts.next()?;
            if sign.as_rule() == Rule::assignment {
                let operator = assigned(sign.as_str());
                Statement::Definition { target, operator, value: expression(parts.next()?, base)?.0 }
            } else {
                let template = parts.word()?;
                let options = options(&mut parts)?;
                let state = parts.take(&[Rule::state]).map(|pair| state(pair, base)).transpose()?;
                Statement::Declaration { target, template, options, state }
            }
        }
        Rule::namespace => {
            parts.next()?;
            Statement::Namespace(parts.word()?)
        }
        Rule::import => {
            parts.next()?;
            let wide = parts.next()?;
            let all = wide.as_str().ends_with(".*");
            Statement::Import { path: Parts::new(wide, base).word()?, all }
        }
        Rule::include => {
            parts.next()?;
            let file = text(&parts.next()?, base)?;
            parts.next()?;
            Statement::Include { file, name: parts.word()? }
        }
        Rule::resource => {
            let titles = parts.pairs.filter(|pair| matches!(pair.as_rule(), Rule::path | Rule::text));
            Statement::Resource(titles.map(|pair| word(&pair, base)).collect::<Built<_>>()?)
        }
        Rule::template => {
            parts.next()?;
            Statement::Template { name: parts.word()?, options: options(&mut parts)? }
        }
        Rule::network => {
            parts.next()?;
            Statement::Network { routing: parts.word()?, options: options(&mut parts)? }
        }
        Rule::switch => Statement::Switch(parts.all(Rule::switched, switched)?),
        Rule::link => {
            parts.next()?;
            let ends = expression(parts.next()?, base)?.0;
            parts.next()?;
            Statement::Link { ends, switch: parts.word()?, options: options(&mut parts)? }
        }
        Rule::route => {
            parts.next()?;
            let from = expression(parts.next()?, base)?.0;
            parts.next()?;
            let to = expression(parts.next()?, base)?.0;
            Statement::Route { from, to, via: parts.all(Rule::path, |pair, base| word(&pair, base))? }
        }
        Rule::export => {
            parts.next()?;
            let mut what = Vec::new();
            let mut to = Vec::new();
            for part in parts.pairs {
                match part.as_rule() {
                    Rule::exported => what.push(exported(part, base)?.0),
                    Rule::audience => to = audience(part, base)?,
                    _ => {}
                }
            }
            Statement::Export { what, to }
        }
        _ => Statement::Objective(
            parts.all(Rule::level, |level, base| Parts::new(level, base).all(Rule::amount, amount))?,
        ),
    })
}

/// Who sees what is exported.
fn audience(pair: Pair<'_, Rule>, base: usize) -> Built<Vec<Word>> {
    let parts = pair.into_inner().filter(|part| part.as_rule() != Rule::comma);
    parts.map(|part| Ok(Word { value: part.as_str().to_owned(), span: place(&part, base) })).collect()
}

fn assigned(sign: &str) -> Option<Binary> {
    Some(match sign {
        "+=" => Binary::Plus,
        "-=" => Binary::Minus,
        "*=" => Binary::Times,
        "/=" => Binary::Divide,
        "%=" => Binary::Modulo,
        _ => return None,
    })
}

/// Variable and set of `for`.
pub(super) fn repetition(pair: Pair<'_, Rule>, base: usize) -> Built<(Word, Spanned<Expression>)> {
    let mut parts = Parts::new(pair, base);
    parts.next()?;
    let variable = parts.word()?;
    parts.next()?;
    Ok((variable, expression(parts.next()?, base)?.0))
}

/// The condition of `if`.
pub(super) fn condition(pair: Pair<'_, Rule>, base: usize) -> Built<Spanned<Expression>> {
    let mut parts = Parts::new(pair, base);
    parts.next()?;
    Ok(expression(parts.next()?, base)?.0)
}

/// Name and parameters of `def`, and what stands behind `=`.
pub(super) fn function(
    pair: Pair<'_, Rule>,
    base: usize,
) -> Built<(Word, Vec<Word>, Option<Spanned<Expression>>)> {
    let mut parts = Parts::new(pair, base);
    parts.next()?;
    let name = parts.word()?;
    let parameters =
        Parts::new(parts.next()?, base).all(Rule::plain_variable, |pair, base| word(&pair, base))?;
    let value = match parts.take(&[Rule::gives]) {
        Some(_) => Some(expression(parts.next()?, base)?.0),
        None => None,
    };
    Ok((name, parameters, value))
}

/// What a statement that cannot be read would have given a value.
pub(super) fn lost(pair: Pair<'_, Rule>, base: usize) -> Built<Spanned<Expression>> {
    let rule = pair.as_rule();
    let mut parts = Parts::new(pair, base);
    let first = parts.next()?;
    if rule == Rule::lost_binding {
        return Ok(target(first, base)?.0);
    }
    let Word { value, span } = parts.word()?;
    Ok(Spanned { value: Expression::Name(value), span })
}

/// The options that may stand next.
fn options(parts: &mut Parts<'_>) -> Built<Vec<Spanned<Setting>>> {
    let options = parts.take(&[Rule::options]).map(|pair| settings(pair, parts.base)).transpose()?;
    Ok(options.unwrap_or_default())
}

/// Switches with their options.
fn switched(pair: Pair<'_, Rule>, base: usize) -> Built<Switched> {
    let mut parts = Parts::new(pair, base);
    let mut names = operand(parts.next()?, base)?;
    if let Some(brackets) = parts.take(&[Rule::brackets]) {
        names = attached(names, brackets, base)?;
    }
    Ok(Switched { names: names.0, options: options(&mut parts)? })
}

fn settings(pair: Pair<'_, Rule>, base: usize) -> Built<Vec<Spanned<Setting>>> {
    Parts::new(pair, base).all(Rule::option, |pair, base| {
        let span = tight(&pair, base);
        let mut parts = Parts::new(pair, base);
        let name = parts.word()?;
        let value = match parts.take(&[Rule::gives]) {
            Some(_) => Some(literal(parts.next()?, base)?),
            None => None,
        };
        Ok(Spanned { value: Setting { name, value }, span })
    })
}

fn literal(pair: Pair<'_, Rule>, base: usize) -> Built<Spanned<Expression>> {
    let span = place(&pair, base);
    let mut parts = Parts::new(pair, base);
    let negated = parts.take(&[Rule::negate]).is_some();
    let value = operand(parts.next()?, base)?.0;
    if !negated {
        return Ok(value);
    }
    Ok(Spanned { value: Expression::Unary(Unary::Negate, Box::new(value)), span })
}

fn state(pair: Pair<'_, Rule>, base: usize) -> Built<Spanned<State>> {
    let span = tight(&pair, base);
    let inner = Parts::new(pair, base).next()?;
    let rule = inner.as_rule();
    let mut parts = Parts::new(inner, base);
    let value = match rule {
        Rule::word_ready => State::Ready,
        Rule::word_online => State::Online,
        Rule::word_offline => State::Offline,
        _ => {
            parts.next()?;
            parts.next()?;
            let place = expression(parts.next()?, base)?.0;
            if rule == Rule::running { State::Running(place) } else { State::Sleeping(place) }
        }
    };
    Ok(Spanned { value, span })
}

fn amount(pair: Pair<'_, Rule>, base: usize) -> Built<Spanned<Term>> {
    let span = tight(&pair, base);
    let mut parts = Parts::new(pair, base);
    let weight = match parts.take(&[Rule::number]) {
        Some(pair) => {
            parts.next()?;
            Some(Spanned { value: number(&pair, base)?, span: place(&pair, base) })
        }
        None => None,
    };
    Ok(Spanned { value: Term { weight, metric: parts.word()? }, span })
}

fn target(pair: Pair<'_, Rule>, base: usize) -> Built<Tall> {
    let mut parts = Parts::new(pair, base);
    let first = parts.next()?;
    if first.as_rule() == Rule::blocked {
        return members(first, base, Rule::target, target);
    }
    let mut value = operand(first, base)?;
    for suffix in parts.pairs {
        value = attached(value, suffix, base)?;
    }
    Ok(value)
}

fn exported(pair: Pair<'_, Rule>, base: usize) -> Built<Tall> {
    if pair.clone().into_inner().any(|part| part.as_rule() == Rule::exported) {
        return members(pair, base, Rule::exported, exported);
    }
    let mut parts = Parts::new(pair, base);
    let value = operand(parts.next()?, base)?;
    match parts.pairs.next() {
        Some(suffix) => attached(value, suffix, base),
        None => Ok(value),
    }
}

/// A set of what may stand in a target or behind `export`.
fn members(
    pair: Pair<'_, Rule>,
    base: usize,
    kind: Rule,
    read: fn(Pair<'_, Rule>, usize) -> Built<Tall>,
) -> Built<Tall> {
    let span = place(&pair, base);
    let mut members = Vec::new();
    let mut height = 0;
    for part in pair.into_inner() {
        if part.as_rule() == Rule::blank {
            members.push(Spanned { value: Expression::Blank, span: place(&part, base) });
        } else if part.as_rule() == kind {
            let (value, tall) = read(part, base)?;
            members.push(value);
            height = height.max(tall);
        }
    }
    raised(Expression::Set(members), span, height)
}

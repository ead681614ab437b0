//! From what the grammar found to the tree.

use super::Rule;
use super::TALLEST;
use super::scan::between;
use super::scan::is_reserved;
use super::scan::shortened;
use crate::Binary;
use crate::Diagnostic;
use crate::Element;
use crate::Expression;
use crate::Filter;
use crate::Kind;
use crate::Number;
use crate::Selection;
use crate::Setting;
use crate::Span;
use crate::Spanned;
use crate::State;
use crate::Statement;
use crate::Term;
use crate::Unary;
use crate::Word;
use pest::iterators::Pair;
use pest::iterators::Pairs;
use pest::pratt_parser::Assoc;
use pest::pratt_parser::Op;
use pest::pratt_parser::PrattParser;
use std::sync::LazyLock;

/// What was built, or what a number or a text has that the grammar cannot see.
pub(super) type Built<T> = Result<T, Diagnostic>;

/// An expression and how many operations stand above one another in it.
type Tall = (Spanned<Expression>, usize);

/// From the loosest to the closest.
static OPERATORS: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::logical))
        .op(left(Rule::comparison))
        .op(left(Rule::additive))
        .op(left(Rule::multiplicative))
        .op(Op::prefix(Rule::negate) | Op::prefix(Rule::not) | Op::prefix(Rule::count))
        .op(left(Rule::power))
        .op(Op::postfix(Rule::brackets)
            | Op::postfix(Rule::arguments)
            | Op::postfix(Rule::label)
            | Op::postfix(Rule::scope))
});

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

/// A word without the sign before it. Only names are taken for reserved words.
fn word(pair: &Pair<'_, Rule>, base: usize) -> Built<Word> {
    let (text, span) = (pair.as_str(), place(pair, base));
    if let Some(name) = text.strip_prefix('$') {
        return Ok(Word { value: name.to_owned(), span });
    }
    if pair.as_rule() == Rule::path && is_reserved(text) {
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
                let options = parts.take(&[Rule::options]).map(|pair| settings(pair, base)).transpose()?;
                let state = parts.take(&[Rule::state]).map(|pair| state(pair, base)).transpose()?;
                Statement::Declaration { target, template, options: options.unwrap_or_default(), state }
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
        Rule::resource => Statement::Resource(parts.all(Rule::path, |pair, base| word(&pair, base))?),
        Rule::template => {
            parts.next()?;
            let name = parts.word()?;
            let options = parts.take(&[Rule::options]).map(|pair| settings(pair, base)).transpose()?;
            Statement::Template { name, options: options.unwrap_or_default() }
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
    let value = operand(first, base)?;
    match parts.pairs.next() {
        Some(suffix) => attached(value, suffix, base),
        None => Ok(value),
    }
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

/// An expression with another one of this height in it.
fn raised(value: Expression, span: Span, height: usize) -> Built<Tall> {
    if height >= TALLEST {
        let message = format!("this expression has more than {TALLEST} operations on top of one another");
        return Err(Diagnostic::error("E0601", span, message).with_help("give parts of it to variables"));
    }
    Ok((Spanned { value, span }, height + 1))
}

/// The expressions among the parts of a list, and the height of the highest.
fn values(pair: Pair<'_, Rule>, base: usize) -> Built<(Vec<Spanned<Expression>>, usize)> {
    let parts = pair.into_inner();
    // Every other part is a comma.
    let mut values = Vec::with_capacity(parts.len().div_ceil(2));
    let mut height = 0;
    for part in parts.filter(|part| part.as_rule() == Rule::expression) {
        let (value, tall) = expression(part, base)?;
        values.push(value);
        height = height.max(tall);
    }
    values.shrink_to_fit();
    Ok((values, height))
}

/// Operators and operands in a row.
fn expression(pair: Pair<'_, Rule>, base: usize) -> Built<Tall> {
    let mut parts = Parts::new(pair, base);
    // Most are values or enumerations, and need no look at precedence.
    match parts.pairs.len() {
        1 => return operand(parts.next()?, base),
        2 if !matches!(parts.peek(), Some(Rule::negate | Rule::not | Rule::count)) => {
            let value = operand(parts.next()?, base)?;
            return attached(value, parts.next()?, base);
        }
        _ => {}
    }
    OPERATORS
        .map_primary(|pair| operand(pair, base))
        .map_postfix(|value, suffix| attached(value?, suffix, base))
        .map_prefix(|sign, value: Built<Tall>| {
            let (value, height) = value?;
            let operator = match sign.as_rule() {
                Rule::negate => Unary::Negate,
                Rule::not => Unary::Not,
                _ => Unary::Count,
            };
            let span = Span { start: place(&sign, base).start, end: value.span.end };
            raised(Expression::Unary(operator, Box::new(value)), span, height)
        })
        .map_infix(|left: Built<Tall>, sign, right: Built<Tall>| {
            let ((left, a), (right, b)) = (left?, right?);
            let span = Span { start: left.span.start, end: right.span.end };
            let operator = Spanned { value: infix(sign.as_str()), span: place(&sign, base) };
            if operator.value == Binary::Power {
                single(&left.value, &right.value, operator.span)?;
            }
            raised(Expression::Binary(Box::new(left), operator, Box::new(right)), span, a.max(b))
        })
        .parse(parts.pairs)
}

/// Powers are not chained, and their exponent has no sign.
fn single(base: &Expression, exponent: &Expression, sign: Span) -> Built<()> {
    let (message, help) = match (base, exponent) {
        (Expression::Binary(..), _) => ("powers are not chained", "write parentheses around one of them"),
        (_, Expression::Unary(..)) => ("an exponent has no sign", "write parentheses around it"),
        _ => return Ok(()),
    };
    Err(Diagnostic::error("E0002", sign, message).with_help(help))
}

fn infix(sign: &str) -> Binary {
    match sign {
        "||" => Binary::Or,
        "&&" => Binary::And,
        "==" => Binary::Equal,
        "!=" => Binary::Unequal,
        "<" => Binary::Less,
        "<=" => Binary::AtMost,
        ">" => Binary::Greater,
        ">=" => Binary::AtLeast,
        "+" => Binary::Plus,
        "-" => Binary::Minus,
        "*" => Binary::Times,
        "/" => Binary::Divide,
        "%" => Binary::Modulo,
        _ => Binary::Power,
    }
}

fn operand(pair: Pair<'_, Rule>, base: usize) -> Built<Tall> {
    let span = place(&pair, base);
    let value = match pair.as_rule() {
        Rule::path => Expression::Name(word(&pair, base)?.value),
        Rule::variable | Rule::plain_variable => Expression::Variable(word(&pair, base)?.value),
        Rule::node => match pair.as_str().strip_prefix('@') {
            Some(name) if name.starts_with('"') => {
                Expression::Node(unescaped(name, span.start as usize + 1)?)
            }
            name => Expression::Node(name.unwrap_or_default().to_owned()),
        },
        Rule::number => Expression::Number(number(&pair, base)?),
        Rule::text => Expression::Text(text(&pair, base)?.value),
        Rule::set => {
            let (members, height) = values(pair, base)?;
            return raised(Expression::Set(members), span, height);
        }
        Rule::parentheses => {
            let (value, height) = expression(Parts::new(pair, base).next()?, base)?;
            return raised(Expression::Parentheses(Box::new(value)), span, height);
        }
        _ => return Err(Diagnostic::error("E0002", span, "this was not understood")),
    };
    Ok((Spanned { value, span }, 1))
}

/// A word with what follows it: brackets, arguments, or the text of a name that is no word.
fn attached((first, height): Tall, suffix: Pair<'_, Rule>, base: usize) -> Built<Tall> {
    let place = place(&suffix, base);
    let span = Span { start: first.span.start, end: place.end };
    let glued = first.span.end == place.start;
    let wrong = |message: String, help: &str| Err(Diagnostic::error("E0002", place, message).with_help(help));
    match (suffix.as_rule(), first.value) {
        (Rule::brackets, value @ (Expression::Name(_) | Expression::Variable(_) | Expression::Node(_))) => {
            if !glued {
                let place = Span { start: place.start, end: place.start + 1 };
                let fault = Diagnostic::error("E0002", place, "there is a blank before this `[`");
                return Err(fault.with_help("the brackets of an enumeration follow its name without a blank"));
            }
            let (kind, head) = match value {
                Expression::Variable(head) => (Kind::Variable, head),
                Expression::Node(head) => (Kind::Node, head),
                Expression::Name(head) => (Kind::Name, head),
                _ => (Kind::Name, String::new()),
            };
            enumeration(kind, head, suffix, span, base)
        }
        (Rule::arguments, Expression::Name(name)) => {
            let (arguments, height) = values(suffix, base)?;
            let name = Word { value: name, span: first.span };
            raised(Expression::Call(name, arguments), span, height)
        }
        (Rule::label, Expression::Name(name)) if name == "vm" && glued => {
            Ok((Spanned { value: Expression::QuotedName(text(&suffix, base)?.value), span }, height))
        }
        (Rule::scope, Expression::Name(name)) if name == "all" => selection(suffix, first.span, base),
        (Rule::scope, _) => wrong(
            format!("expected an operator, found `{}`", shortened(suffix.as_str())),
            "did you mean `all vms` or `all nodes`?",
        ),
        (Rule::label, _) => wrong(
            format!("expected an operator, found `{}`", shortened(suffix.as_str())),
            "texts are joined with `+`; a name in quotes is vm\"…\" or @\"…\"",
        ),
        _ => wrong("only functions have arguments".to_owned(), "a call is written `name(…)`"),
    }
}

fn enumeration(kind: Kind, head: String, pair: Pair<'_, Rule>, span: Span, base: usize) -> Built<Tall> {
    let mut parts = Parts::new(pair, base);
    let mut elements = Vec::new();
    let mut height = 0;
    for part in parts.next()?.into_inner().filter(|part| part.as_rule() == Rule::element) {
        let span = tight(&part, base);
        let mut sums = part.into_inner().filter(|part| part.as_rule() == Rule::sum);
        let (Some(first), last) = (sums.next(), sums.next()) else { continue };
        let (first, tall) = expression(first, base)?;
        height = height.max(tall);
        let value = match last {
            Some(last) => {
                let (last, tall) = expression(last, base)?;
                height = height.max(tall);
                Element::Range(first, last)
            }
            None => Element::One(first.value),
        };
        elements.push(Spanned { value, span });
    }
    parts.next()?;
    let tail = parts.next()?.as_str().to_owned();
    raised(Expression::Enumeration { kind, head, elements, tail }, span, height)
}

fn selection(pair: Pair<'_, Rule>, word: Span, base: usize) -> Built<Tall> {
    let whole = Span { start: word.start, end: tight(&pair, base).end };
    let mut parts = Parts::new(pair, base);
    let nodes = parts.next()?.as_rule() == Rule::word_nodes;
    let mut filters = Vec::new();
    let mut by = None;
    let mut height = 0;
    for part in parts.pairs {
        let span = tight(&part, base);
        if part.as_rule() == Rule::by {
            let mut parts = Parts::new(part, base);
            parts.next()?;
            by = Some(text(&parts.next()?, base)?);
            continue;
        }
        let inner = Parts::new(part, base).next()?;
        let rule = inner.as_rule();
        let mut parts = Parts::new(inner, base);
        parts.next()?;
        let first = parts.next()?;
        let value = match rule {
            Rule::tagged => Filter::Tagged(text(&first, base)?),
            Rule::globbed => Filter::Named(text(&first, base)?),
            Rule::featured => {
                let equal = match parts.pairs.next() {
                    Some(sign) => Some((sign.as_str() == "==", literal(parts.next()?, base)?)),
                    None => None,
                };
                Filter::With(text(&first, base)?, equal)
            }
            _ => {
                let (value, tall) = expression(first, base)?;
                height = height.max(tall);
                if rule == Rule::hosted { Filter::On(value) } else { Filter::In(value) }
            }
        };
        filters.push(Spanned { value, span });
    }
    raised(Expression::All(Selection { nodes, filters, by }), whole, height)
}

fn number(pair: &Pair<'_, Rule>, base: usize) -> Built<Number> {
    let text = pair.as_str();
    let wrong = |what: &str, help: String| {
        let message = format!("`{}` {what}", shortened(text));
        Err(Diagnostic::error("E0001", place(pair, base), message).with_help(help))
    };
    let large = || wrong("is too large", format!("integers go up to {}", i64::MAX));
    if text.contains('.') {
        return match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Number::Float(value)),
            _ => wrong("is too large", format!("numbers go up to {:e}", f64::MAX)),
        };
    }
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    if radix == 8 && digits.contains(['8', '9']) {
        let plain = text.trim_start_matches('0');
        return wrong("is no octal number", format!("numbers that begin with 0 are octal; write {plain}"));
    }
    match i64::from_str_radix(digits, radix) {
        Ok(value) => Ok(Number::Integer(value, radix)),
        Err(_) => large(),
    }
}

/// What stands between the quotes, escapes resolved.
fn unescaped(quoted: &str, start: usize) -> Built<String> {
    let inner = &quoted[1..quoted.len() - 1];
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let Some((_, escaped)) = characters.next() else { break };
        text.push(match escaped {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{C}',
            '"' | '\'' | '\\' => escaped,
            other => {
                let from = start + 1 + at;
                let span = between(from, from + 1 + other.len_utf8());
                let fault = Diagnostic::error("E0001", span, format!("`\\{other}` means nothing"));
                return Err(
                    fault.with_help("write \\n, \\t, \\r, \\b, \\f, \\\", \\' or \\\\; a backslash is \\\\")
                );
            }
        });
    }
    Ok(text)
}

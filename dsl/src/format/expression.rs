//! From the tree of a statement to the pieces of its lines.

use super::layout::Piece;
use super::layout::STEP;
use crate::Binary;
use crate::Comment;
use crate::Element;
use crate::Expression;
use crate::Filter;
use crate::Kind;
use crate::Setting;
use crate::Span;
use crate::Spanned;
use crate::State;
use crate::Statement;
use crate::Unary;
use crate::Word;
use crate::parse::next_token;

/// Takes a statement to pieces, with the comments in it. What the text says of words,
/// numbers and texts is taken as it stands.
pub(super) struct Writer<'a> {
    text: &'a str,
    comments: &'a [Comment],
    /// The first comment that was not taken.
    pub(super) comment: usize,
    pub(super) pieces: Vec<Piece<'a>>,
    /// Comments that take a line of their own and stand where there is none.
    pub(super) above: Vec<Span>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(text: &'a str, comments: &'a [Comment], comment: usize) -> Self {
        Self { text, comments, comment, pieces: Vec::new(), above: Vec::new() }
    }

    pub(super) fn say(&mut self, text: impl Into<std::borrow::Cow<'a, str>>) {
        self.pieces.push(Piece::Text(text.into()));
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn open(&mut self, step: usize, all: bool) {
        self.pieces.push(Piece::Open { step, all });
    }

    fn shut(&mut self) {
        self.pieces.push(Piece::Close);
    }

    /// The next comment if it begins before this place.
    fn next_comment(&mut self, place: u32) -> Option<&'a Comment> {
        let comment = self.comments.get(self.comment)?;
        if comment.span.start >= place {
            return None;
        }
        self.comment += 1;
        Some(comment)
    }

    /// True for a comment that can stand between two words.
    fn is_short(&self, comment: &Comment) -> bool {
        comment.block && !self.slice(comment.span).contains(['\n', '\r'])
    }

    /// The comments before a word that comes next.
    fn lead(&mut self, place: u32) {
        while let Some(comment) = self.next_comment(place) {
            if self.is_short(comment) {
                self.say(self.slice(comment.span));
                self.say(" ");
            } else {
                self.above.push(comment.span);
            }
        }
    }

    /// The comments before a sign that ends something.
    pub(super) fn close(&mut self, place: u32) {
        while let Some(comment) = self.next_comment(place) {
            if self.is_short(comment) {
                self.say(" ");
                self.say(self.slice(comment.span));
            } else {
                self.above.push(comment.span);
            }
        }
    }

    /// A word, a text, a number as it stands in the text.
    fn verbatim(&mut self, span: Span) {
        self.lead(span.start);
        self.say(self.slice(span));
    }

    pub(super) fn word(&mut self, word: &'a Word) {
        self.verbatim(word.span);
    }

    /// Long comments before a place of a list, where lines of their own are at hand. `from` is
    /// the end of what stands before. What comes next begins a line if the answer is true.
    fn remarks(&mut self, from: usize, place: u32, mut held: Vec<Span>) -> bool {
        while let Some(comment) = self.comments.get(self.comment) {
            if comment.span.start >= place || self.is_short(comment) {
                break;
            }
            held.push(comment.span);
            self.comment += 1;
        }
        let mut fresh = false;
        for span in held {
            let line = self.slice(span).starts_with("//");
            let behind = line && !fresh && !self.is_parted(from as u32, span.start);
            match (behind, fresh) {
                (true, _) => self.say(" "),
                (false, false) => self.pieces.push(Piece::Line),
                (false, true) => {}
            }
            self.say(tidy(self.slice(span)));
            self.pieces.push(Piece::Line);
            fresh = true;
        }
        fresh
    }

    /// The comments before a comma: short ones stay there, the others are handed back.
    fn hold(&mut self, place: u32) -> Vec<Span> {
        let mut held = Vec::new();
        while let Some(comment) = self.next_comment(place) {
            if self.is_short(comment) {
                self.say(" ");
                self.say(self.slice(comment.span));
            } else {
                held.push(comment.span);
            }
        }
        held
    }

    /// True if a comment that needs its own line stands between two places.
    fn has_long(&self, from: u32, to: u32) -> bool {
        let first = self.comments.partition_point(|comment| comment.span.start < from);
        let comments = self.comments[first..].iter().take_while(|comment| comment.span.start < to);
        comments.into_iter().any(|comment| !self.is_short(comment))
    }

    /// True if a line ends between two places.
    fn is_parted(&self, from: u32, to: u32) -> bool {
        self.text[from.min(to) as usize..to as usize].contains('\n')
    }

    /// The place of the next token.
    fn token(&self, from: u32) -> u32 {
        next_token(self.text, from as usize) as u32
    }

    /// Members between two signs, with commas; the opening one stands at `open`.
    fn list<T>(
        &mut self,
        signs: [&'static str; 2],
        open: u32,
        members: &'a [Spanned<T>],
        write: impl Fn(&mut Self, &'a Spanned<T>),
    ) {
        self.close(open);
        self.say(signs[0]);
        let (Some(first), Some(last)) = (members.first(), members.last()) else {
            let end = self.token(open + 1);
            self.lone(end);
            self.say(signs[1]);
            return;
        };
        let end = self.token(last.span.end);
        // Where one list is all that is in another, their signs keep together.
        let inside = self.slice(Span { start: first.span.start, end: last.span.end });
        let brackets = inside.ends_with(['}', ')', ']']);
        // The comments that the list would write in lines of their own.
        let next = self.comments.get(self.comment);
        let before = next.is_some_and(|one| one.span.start < first.span.start && !self.is_short(one));
        let quiet = !before && !self.has_long(last.span.end, end);
        if members.len() == 1 && quiet && (signs[0] == "[" || signs[0] == "(" && brackets) {
            write(self, first);
            self.close(end);
            self.say(signs[1]);
            return;
        }
        self.open(0, true);
        // A comment behind the opening sign stays there.
        let behind = self.comments.get(self.comment).filter(|comment| {
            let start = comment.span.start;
            let line = start < first.span.start && self.slice(comment.span).starts_with("//");
            line && !self.is_parted(open, start)
        });
        if let Some(comment) = behind {
            self.comment += 1;
            self.say(" ");
            self.say(tidy(self.slice(comment.span)));
            self.pieces.push(Piece::Tall);
        }
        self.pieces.push(Piece::Break { blank: false, step: STEP });
        // Words fill the lines; what has brackets of its own gets a line of its own.
        self.open(STEP, inside.contains(['{', '[', '(']));
        self.first_remarks(first.span.start);
        for (index, member) in members.iter().enumerate() {
            write(self, member);
            let Some(next) = members.get(index + 1) else { break };
            let comma = self.token(member.span.end);
            let held = self.hold(comma);
            self.say(",");
            let from = if held.is_empty() { comma + 1 } else { member.span.end };
            if !self.remarks(from as usize, next.span.start, held) {
                self.pieces.push(Piece::Break { blank: true, step: 0 });
            }
        }
        self.last_remarks(last.span.end, end);
        self.shut();
        self.pieces.push(Piece::Break { blank: false, step: 0 });
        self.say(signs[1]);
        self.shut();
    }

    /// The comments in an empty list.
    fn lone(&mut self, place: u32) {
        let mut first = true;
        while let Some(comment) = self.next_comment(place) {
            if self.is_short(comment) {
                self.say(if first { "" } else { " " });
                self.say(self.slice(comment.span));
                first = false;
            } else {
                self.above.push(comment.span);
            }
        }
    }

    /// Long comments at the begin of a list, each in its line.
    fn first_remarks(&mut self, place: u32) {
        while let Some(comment) = self.comments.get(self.comment) {
            if comment.span.start >= place || self.is_short(comment) {
                return;
            }
            self.comment += 1;
            self.say(tidy(self.slice(comment.span)));
            self.pieces.push(Piece::Line);
        }
    }

    /// Comments at the end of a list.
    fn last_remarks(&mut self, from: u32, place: u32) {
        let mut end = from;
        let mut alone = false;
        while let Some(comment) = self.next_comment(place) {
            let same_line = !self.is_parted(end, comment.span.start);
            let long = !self.is_short(comment);
            if !alone && (!long || same_line && !comment.block) {
                self.say(" ");
            } else {
                self.pieces.push(Piece::Line);
            }
            self.say(tidy(self.slice(comment.span)));
            if long {
                self.pieces.push(Piece::Tall);
                alone = true;
            }
            end = comment.span.end;
        }
    }

    /// Members with commas and nothing around them.
    fn row<T>(&mut self, members: &'a [T], write: impl Fn(&mut Self, &'a T)) {
        self.open(STEP, false);
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.say(",");
                self.pieces.push(Piece::Break { blank: true, step: 0 });
            }
            write(self, member);
        }
        self.shut();
    }

    pub(super) fn parameters(&mut self, name: &'a Word, parameters: &'a [Word]) {
        let open = self.token(name.span.end);
        self.list(["(", ")"], open, parameters, |writer, word| writer.word(word));
    }

    fn arguments(&mut self, name: &'a Word, arguments: &'a [Spanned<Expression>]) {
        let open = self.token(name.span.end);
        self.list(["(", ")"], open, arguments, |writer, value| writer.expression(value));
    }

    fn settings(&mut self, name: Span, settings: &'a [Spanned<Setting>]) {
        if settings.is_empty() {
            return;
        }
        let open = self.token(name.end);
        self.list(["<", ">"], open, settings, |writer, setting| {
            writer.word(&setting.value.name);
            if let Some(value) = &setting.value.value {
                writer.say("=");
                writer.expression(value);
            }
        });
    }

    /// A statement without a block, and without its semicolon.
    pub(super) fn simple(&mut self, statement: &'a Statement) {
        match statement {
            Statement::Namespace(name) => {
                self.say("namespace ");
                self.word(name);
            }
            Statement::Import { path, all } => {
                self.say("import ");
                self.word(path);
                if *all {
                    self.say(".*");
                }
            }
            Statement::Include { file, name } => {
                self.say("include ");
                self.word(file);
                self.say(" as ");
                self.word(name);
            }
            Statement::Resource(names) => {
                self.say("resource ");
                self.row(names, Self::word);
            }
            Statement::Template { name, options } => {
                self.say("template ");
                self.word(name);
                self.settings(name.span, options);
            }
            Statement::Network { routing, options } => {
                self.say("network ");
                self.word(routing);
                self.settings(routing.span, options);
            }
            Statement::Switch(switches) => {
                self.say("switch ");
                self.row(switches, |writer, switch| {
                    writer.expression(&switch.names);
                    writer.settings(switch.names.span, &switch.options);
                });
            }
            Statement::Link { ends, switch, options } => {
                self.say("link ");
                self.expression(ends);
                self.say(" to ");
                self.word(switch);
                self.settings(switch.span, options);
            }
            Statement::Route { from, to, via } => {
                self.say("route ");
                self.expression(from);
                self.say(" to ");
                self.expression(to);
                self.say(" via ");
                self.row(via, Self::word);
            }
            Statement::Declaration { target, template, options, state } => {
                self.expression(target);
                self.say(" : ");
                self.word(template);
                self.settings(template.span, options);
                if let Some(state) = state {
                    self.open(STEP, false);
                    self.pieces.push(Piece::Break { blank: true, step: 0 });
                    self.state(state);
                    self.shut();
                }
            }
            Statement::Definition { target, operator, value } => {
                self.expression(target);
                self.say(format!(" {}= ", operator.map_or("", Binary::sign)));
                self.expression(value);
            }
            Statement::Rule { discrete, name, arguments, soft } => {
                if discrete.is_some() {
                    self.say(">>");
                }
                self.word(name);
                self.arguments(name, arguments);
                if let Some(price) = soft {
                    self.say(" soft ");
                    self.expression(price);
                }
            }
            Statement::Export { what, to } => {
                self.say("export ");
                self.row(what, Self::expression);
                self.say(" to ");
                self.row(to, Self::word);
            }
            Statement::Objective(levels) => {
                self.say("minimise ");
                self.row(levels, |writer, terms| {
                    for (index, term) in terms.iter().enumerate() {
                        if index > 0 {
                            writer.say(" + ");
                        }
                        if let Some(weight) = &term.value.weight {
                            writer.verbatim(weight.span);
                            writer.say("*");
                        }
                        writer.word(&term.value.metric);
                    }
                });
            }
            // These have blocks.
            Statement::For { .. } | Statement::If { .. } | Statement::Function { .. } => {}
        }
    }

    fn state(&mut self, state: &'a Spanned<State>) {
        self.lead(state.span.start);
        match &state.value {
            State::Running(place) => {
                self.say("running on ");
                self.expression(place);
            }
            State::Sleeping(place) => {
                self.say("sleeping on ");
                self.expression(place);
            }
            State::Ready | State::Online | State::Offline => self.say(self.slice(state.span)),
        }
    }

    pub(super) fn expression(&mut self, expression: &'a Spanned<Expression>) {
        self.value(&expression.value, expression.span);
    }

    fn value(&mut self, value: &'a Expression, span: Span) {
        match value {
            Expression::Name(_)
            | Expression::QuotedName(_)
            | Expression::Node(_)
            | Expression::Variable(_)
            | Expression::Number(_)
            | Expression::Text(_)
            | Expression::Blank => self.verbatim(span),
            Expression::Set(members) => {
                self.lead(span.start);
                self.list(["{", "}"], span.start, members, Self::expression);
            }
            Expression::Enumeration { kind, head, elements, tail } => {
                self.lead(span.start);
                let sign = match kind {
                    Kind::Name => "vm",
                    Kind::Node => "@",
                    Kind::Variable => "$",
                };
                let written = self.slice(span);
                let open = match written.strip_prefix(sign).and_then(|rest| rest.strip_prefix('"')) {
                    Some(rest) => span.start + (sign.len() + 1 + end_of_text(rest)) as u32,
                    None => span.start + head.len() as u32 + u32::from(*kind != Kind::Name),
                };
                self.say(self.slice(Span { start: span.start, end: open }));
                self.list(["[", "]"], open, elements, Self::element);
                self.say(tail.as_str());
            }
            Expression::Parentheses(inner) => {
                self.lead(span.start);
                self.say("(");
                self.expression(inner);
                self.close(span.end - 1);
                self.say(")");
            }
            Expression::Unary(operator, inner) => {
                self.lead(span.start);
                self.say(match operator {
                    Unary::Negate => "-",
                    Unary::Not => "!",
                    Unary::Count => "#",
                });
                self.expression(inner);
            }
            Expression::Binary(left, operator, right) if operator.value == Binary::Power => {
                self.expression(left);
                self.close(operator.span.start);
                self.say("^");
                self.expression(right);
            }
            Expression::Binary(..) => self.chain(value),
            Expression::Call(name, arguments) => {
                self.word(name);
                self.arguments(name, arguments);
            }
            Expression::All(selection) => {
                self.lead(span.start);
                self.say("all");
                let word = self.token(span.start + 3);
                self.close(word);
                self.say(if selection.nodes { " nodes" } else { " vms" });
                self.open(STEP, false);
                for filter in &selection.filters {
                    self.pieces.push(Piece::Break { blank: true, step: 0 });
                    self.filter(filter);
                }
                if let Some(attribute) = &selection.by {
                    self.pieces.push(Piece::Break { blank: true, step: 0 });
                    self.say("by ");
                    self.word(attribute);
                }
                self.shut();
            }
        }
    }

    fn filter(&mut self, filter: &'a Spanned<Filter>) {
        self.lead(filter.span.start);
        match &filter.value {
            Filter::Tagged(text) => {
                self.say("tagged ");
                self.word(text);
            }
            Filter::Named(text) => {
                self.say("named ");
                self.word(text);
            }
            Filter::With(text, value) => {
                self.say("with ");
                self.word(text);
                if let Some((equal, value)) = value {
                    self.say(if *equal { " == " } else { " != " });
                    self.expression(value);
                }
            }
            Filter::On(place) => {
                self.say("on ");
                self.expression(place);
            }
            Filter::In(set) => {
                self.say("in ");
                self.expression(set);
            }
        }
    }

    fn element(&mut self, element: &'a Spanned<Element>) {
        match &element.value {
            Element::Range(first, last) => {
                self.expression(first);
                let plain = |one: &Spanned<Expression>| !matches!(one.value, Expression::Binary(..));
                self.say(if plain(first) && plain(last) { ".." } else { " .. " });
                self.expression(last);
            }
            Element::One(value) => self.value(value, element.span),
        }
    }

    /// Operands of operators that bind alike, a line each if they do not fit on one.
    fn chain(&mut self, chain: &'a Expression) {
        let Expression::Binary(left, operator, right) = chain else { return };
        let level = precedence(operator.value);
        let mut operands = vec![(operator, right)];
        let mut first = left;
        while let Expression::Binary(left, operator, right) = &first.value
            && precedence(operator.value) == level
        {
            operands.push((operator, right));
            first = left;
        }
        self.open(STEP, false);
        self.expression(first);
        for (operator, operand) in operands.into_iter().rev() {
            self.close(operator.span.start);
            self.pieces.push(Piece::Break { blank: true, step: 0 });
            self.say(operator.value.sign());
            self.say(" ");
            self.expression(operand);
        }
        self.shut();
    }
}

/// Where a text ends whose opening quote came before: behind its closing quote.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    let closing = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    closing.map_or(rest.len(), |at| at + 1)
}

/// A comment without blanks at the ends of its lines.
pub(super) fn tidy(comment: &str) -> String {
    let lines: Vec<&str> = comment.split('\n').map(str::trim_end).collect();
    lines.join("\n")
}

fn precedence(operator: Binary) -> usize {
    match operator {
        Binary::Or | Binary::And => 0,
        Binary::Equal | Binary::Unequal => 1,
        Binary::Less | Binary::AtMost | Binary::Greater | Binary::AtLeast => 1,
        Binary::Plus | Binary::Minus => 2,
        Binary::Times | Binary::Divide | Binary::Modulo => 3,
        Binary::Power => 4,
    }
}

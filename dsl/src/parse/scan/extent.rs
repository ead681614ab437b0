//! Where statements end.
//!
//! Brackets decide, and an eye for what can only be the start of the next statement. The
//! scanner goes on from there, so that reading is linear however broken a text is.

use super::Kind;
use super::Scanner;
use super::Token;
use super::announces_statement;
use super::is_reserved;
use super::starts_statement;
use super::wants_more;
use crate::Diagnostic;
use crate::parse::DEEPEST;
use crate::parse::LONGEST;

/// What a statement may look like, as its first word promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) enum Shape {
    /// It ends with a semicolon.
    Simple,
    /// It ends before the brace of a block.
    Head,
    /// The same, unless `=` comes first.
    Function,
    /// It ends with a semicolon, and a block behind its arguments is a mistake.
    Rule,
    /// Nobody knows.
    Unknown,
}

/// Why a statement ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) enum Stop {
    /// At its semicolon.
    Semicolon,
    /// Before the brace of a block.
    Body,
    /// Before what can only be another statement.
    Next,
    /// Before the brace that closes the block it is in.
    Outer,
    /// With the file.
    File,
}

/// How far a statement goes.
#[derive(Debug)]
pub(in crate::parse) struct Extent {
    /// Where its last token ends; the semicolon is one.
    pub(in crate::parse) end: usize,
    /// Where the last token before the semicolon ends.
    pub(in crate::parse) last: usize,
    pub(in crate::parse) stop: Stop,
    /// How far its first line is indented.
    pub(in crate::parse) indentation: usize,
    /// Why it need not be read at all.
    pub(in crate::parse) fault: Option<Diagnostic>,
}

impl Token {
    /// True for what may be a piece of the name of the enumeration before it; `tail` says if
    /// the previous token was.
    fn is_tail_of(&self, previous: &Self, tail: bool) -> bool {
        let glued = previous.end == self.start && (tail || previous.kind == Kind::Close(b']'));
        glued && matches!(self.kind, Kind::Word | Kind::Number | Kind::Sign)
    }
}

impl Scanner<'_> {
    /// Finds the end of the statement that begins at the next token and goes there.
    /// `inside` says how many blocks it is in.
    pub(in crate::parse) fn extent(&mut self, mut shape: Shape, inside: usize) -> Extent {
        let mut brackets = Brackets::default();
        let mut fault = self.take_fault();
        let mut count = 0usize;
        let mut indentation = 0;
        let mut previous: Option<Token> = None;
        // A value may end with the previous token, where `on` is a name if it cannot be more.
        let mut value = false;
        // The previous token belongs to the tail of an enumeration.
        let mut tail = false;
        self.muted = fault.is_some();
        let (end, last, stop) = loop {
            let before = self.at;
            let token = self.next();
            count += 1;
            if let Some(found) = self.take_fault() {
                fault.get_or_insert(found);
                self.muted = true;
            }
            if count == LONGEST && fault.is_none() {
                let message = format!("a statement has more than {LONGEST} words and signs");
                fault = Some(Diagnostic::error("E0603", token.span(), message));
            }
            let last = previous.map_or(token.start, |token| token.end);
            if let Some(previous) = previous
                && !token.is_tail_of(&previous, tail)
                && self.begins(&token, &previous, shape, brackets.open.len(), indentation)
            {
                self.at = before;
                break (last, last, Stop::Next);
            }
            match token.kind {
                Kind::End => {
                    self.at = token.start;
                    break (last, last, Stop::File);
                }
                Kind::Semicolon => {
                    if !matches!(shape, Shape::Simple | Shape::Rule)
                        && let Some(brace) = brackets.body()
                    {
                        self.at = brace.at;
                        break (brace.last, brace.last, Stop::Body);
                    }
                    break (token.end, last, Stop::Semicolon);
                }
                Kind::Open(byte) => {
                    let block = match shape {
                        Shape::Simple => false,
                        Shape::Rule => previous.is_some_and(|previous| previous.kind == Kind::Close(b')')),
                        _ => value,
                    };
                    if byte == b'{' && block && brackets.open.is_empty() {
                        self.at = token.start;
                        break (last, last, Stop::Body);
                    }
                    brackets.enter(Bracket { byte, at: token.start, last, value, selections: 0 });
                }
                Kind::Sign
                    if shape == Shape::Function
                        && brackets.open.is_empty()
                        && &self.text[token.start..token.end] == "=" =>
                {
                    shape = Shape::Simple;
                }
                // A word that begins a statement, right behind a brace: so that begins a block.
                Kind::Word
                    if !matches!(shape, Shape::Simple | Shape::Rule)
                        && previous.is_some_and(|previous| previous.kind == Kind::Open(b'{'))
                        && starts_statement(&self.text[token.start..token.end]) =>
                {
                    if let Some(brace) = brackets.open.last() {
                        self.at = brace.at;
                        break (brace.last, brace.last, Stop::Body);
                    }
                }
                Kind::Close(byte) => {
                    // One that was forgotten in between is found when the statement is read.
                    let closed = brackets.leave(byte);
                    let outer = byte == b'}' && previous.is_some();
                    if !closed && outer && (inside > 0 || brackets.open.is_empty()) {
                        // `spread(VM1};` is a wrong bracket, not the end of the block: no
                        // statement begins with what follows.
                        let wrong = match self.peek().kind {
                            Kind::Sign | Kind::Close(b')' | b']') => true,
                            Kind::Semicolon => !brackets.open.is_empty(),
                            _ => false,
                        };
                        if !wrong {
                            self.at = before;
                            break (last, last, Stop::Outer);
                        }
                    }
                }
                Kind::Sign if self.byte(token.start) == b',' => brackets.part(),
                Kind::Word if &self.text[token.start..token.end] == "all" => {
                    let word = previous.map_or("", |previous| &self.text[previous.start..previous.end]);
                    if matches!(word, "in" | "on") {
                        brackets.select();
                    }
                }
                _ => {}
            }
            if brackets.depth() + inside > DEEPEST && fault.is_none() {
                let message = format!("brackets, blocks and selections nest more than {DEEPEST} deep");
                fault = Some(Diagnostic::error("E0601", token.span(), message));
            }
            if previous.is_none() {
                indentation = self.indentation;
            }
            tail = previous.is_some_and(|previous| token.is_tail_of(&previous, tail));
            previous = Some(token);
            value = match (token.kind, &self.text[token.start..token.end]) {
                // The tail of an enumeration.
                (Kind::Word, _) if tail => true,
                (Kind::Sign, sign) if tail => sign.starts_with('_'),
                (Kind::Word, "on") => !value,
                (Kind::Word, word) => !is_reserved(word),
                _ => self.ends_value(&token),
            };
        };
        self.muted = false;
        Extent { end, last, stop, indentation, fault }
    }

    /// What is before `end`, reading from where the scanner stands: the innermost bracket
    /// that is open, and the last token.
    pub(in crate::parse) fn before(mut self, end: usize) -> (Option<(u8, usize)>, Option<Token>) {
        let mut brackets = Brackets::default();
        let mut last = None;
        self.muted = true;
        loop {
            let token = self.next();
            match token.kind {
                _ if token.start >= end => break,
                Kind::End => break,
                Kind::Open(byte) => {
                    brackets.enter(Bracket { byte, at: token.start, last: 0, value: false, selections: 0 });
                }
                Kind::Close(byte) => {
                    brackets.leave(byte);
                }
                _ => {}
            }
            last = Some(token);
        }
        (brackets.open.last().map(|bracket| (bracket.byte, bracket.at)), last)
    }

    /// True if a value may end with this token.
    fn ends_value(&self, token: &Token) -> bool {
        match token.kind {
            Kind::Number | Kind::Text | Kind::Variable | Kind::Node | Kind::Close(_) | Kind::Bad => true,
            Kind::Word => !wants_more(&self.text[token.start..token.end]),
            _ => false,
        }
    }

    /// True if the token can only be the first of a statement, after this one.
    fn begins(
        &mut self,
        token: &Token,
        previous: &Token,
        shape: Shape,
        depth: usize,
        indentation: usize,
    ) -> bool {
        if depth > 0 {
            // A forgotten bracket and a forgotten comma look alike: the indentation decides.
            let Some(line) = token.line else { return false };
            if token.start - line > indentation {
                return false;
            }
        }
        let fresh = token.line.is_some();
        let word = &self.text[token.start..token.end];
        let reserved = token.kind == Kind::Discrete || token.kind == Kind::Word && starts_statement(word);
        // A statement may end with the `>` of its options, and so may a line with a comparison.
        let options = &self.text[previous.start..previous.end] == ">";
        if !options && !self.ends_value(previous) {
            return reserved && fresh;
        }
        if reserved {
            return !options || fresh;
        }
        match token.kind {
            Kind::Word if wants_more(word) && !announces_statement(word) => false,
            Kind::Word | Kind::Variable | Kind::Node => {
                let next = self.peek();
                let sign = &self.text[next.start..next.end];
                match next.kind {
                    Kind::Open(_) if options => false,
                    Kind::Open(b'(') if token.kind == Kind::Word => {
                        shape == Shape::Head || fresh || matches!(previous.kind, Kind::Close(_))
                    }
                    Kind::Open(b'[') => fresh && next.start == token.end,
                    Kind::Word | Kind::Text => fresh && announces_statement(word),
                    Kind::Sign => match sign {
                        ":" => fresh,
                        "=" | "+=" | "-=" | "*=" | "/=" | "%=" => fresh || depth == 0 && !options,
                        _ => false,
                    },
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Goes behind the brace that closes the block whose opening brace comes next.
    pub(in crate::parse) fn skip_block(&mut self) {
        let mut depth = 0usize;
        loop {
            match self.next().kind {
                Kind::Open(b'{') => depth += 1,
                Kind::Close(b'}') => depth = depth.saturating_sub(1),
                Kind::End => return,
                _ => continue,
            }
            if depth == 0 {
                return;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Bracket {
    byte: u8,
    at: usize,
    /// Where the token before it ends.
    last: usize,
    /// That token ends a value.
    value: bool,
    /// How many selections are open before it.
    selections: usize,
}

/// The brackets that are open, and what else nests.
#[derive(Default)]
struct Brackets {
    open: Vec<Bracket>,
    /// How many there are of each kind: without it, every bracket that closes nothing
    /// would be a walk over all that are open.
    kinds: [usize; 3],
    /// Selections in selections, as in `all vms on all nodes in $x`: no bracket shows their
    /// ends. Those since the last bracket or comma, and all.
    selections: usize,
    all: usize,
}

impl Brackets {
    fn kind(byte: u8) -> usize {
        match byte {
            b'(' | b')' => 0,
            b'[' | b']' => 1,
            _ => 2,
        }
    }

    fn enter(&mut self, bracket: Bracket) {
        self.kinds[Self::kind(bracket.byte)] += 1;
        self.open.push(Bracket { selections: std::mem::take(&mut self.selections), ..bracket });
    }

    /// Closes the innermost bracket that this one closes, and those in it. False if there is none.
    fn leave(&mut self, closing: u8) -> bool {
        let kind = Self::kind(closing);
        if self.kinds[kind] == 0 {
            return false;
        }
        while let Some(bracket) = self.open.pop() {
            self.kinds[Self::kind(bracket.byte)] -= 1;
            self.part();
            self.selections = bracket.selections;
            if Self::kind(bracket.byte) == kind {
                break;
            }
        }
        true
    }

    /// A comma ends the selections before it.
    fn part(&mut self) {
        self.all -= std::mem::take(&mut self.selections);
    }

    fn select(&mut self) {
        self.selections += 1;
        self.all += 1;
    }

    fn depth(&self) -> usize {
        self.open.len() + self.all
    }

    /// Which of them is the block of a head, if a semicolon comes next: a brace after a value
    /// if there is one, or else the first brace.
    fn body(&self) -> Option<Bracket> {
        let mut braces = self.open.iter().filter(|bracket| bracket.byte == b'{').copied();
        braces.clone().rfind(|bracket| bracket.value).or_else(|| braces.next())
    }
}

//! From text to tree, statement by statement.
//!
//! [`scan`] says how far a statement goes, the grammar reads it, [`build`] makes a tree
//! of it, and [`message`] puts into words why that was not possible. Blocks are taken
//! apart here, so that a mistake costs the statement it is in and nothing else.

mod build;
mod message;
mod scan;

use crate::Block;
use crate::Body;
use crate::Diagnostic;
use crate::Expression;
use crate::Spanned;
use crate::Statement;
use crate::Tree;
use build::Built;
use pest::Parser;
use pest::iterators::Pair;
use scan::Extent;
use scan::Kind;
use scan::Scanner;
use scan::Shape;
use scan::Stop;
use scan::Token;
use scan::between;
pub(crate) use scan::next_token;

/// Brackets, blocks and comments nest at most this deep: reading is recursive and the text is not ours.
pub const DEEPEST: usize = 128;
/// A file has at most this many bytes.
pub const LARGEST: usize = 16 << 20;
/// A statement has at most this many words and signs.
pub const LONGEST: usize = 1_000_000;
/// This many operations of an expression may stand on top of one another: trees are walked recursively.
pub const TALLEST: usize = 500;
/// After this many errors the rest of a file is not read.
pub const MOST_ERRORS: usize = 100;

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
/// a diagnostic, and reading goes on behind it. Linear in the text.
pub fn parse(text: &str) -> (Tree, Vec<Diagnostic>) {
    if text.len() > LARGEST {
        let message = format!("this file has {} bytes; {LARGEST} are the most", text.len());
        return (Tree::default(), vec![Diagnostic::error("E0602", between(0, 0), message)]);
    }
    let mut reader = Reader {
        text,
        scanner: Scanner::new(text),
        diagnostics: Vec::new(),
        lost: Vec::new(),
        unclosed: false,
    };
    let statements = reader.statements(0, None);
    // A comment that is not closed may stand behind the last statement.
    if let Some(fault) = reader.scanner.take_fault() {
        reader.complain(fault);
    }
    let tree = Tree { statements, comments: reader.scanner.comments, lost: reader.lost };
    (tree, reader.diagnostics)
}

/// Statements are handed to the grammar in pieces of about this many bytes: a call of it
/// for each of them takes longer than reading it.
const BATCH: usize = 4096;

/// Statements of one kind that follow one another and were not read yet.
struct Batch {
    rule: Rule,
    extents: Vec<(Token, Extent)>,
}

impl Batch {
    fn new() -> Self {
        Self { rule: Rule::constraints, extents: Vec::new() }
    }

    /// How many bytes they have together.
    fn length(&self) -> usize {
        match (self.extents.first(), self.extents.last()) {
            (Some((first, _)), Some((_, last))) => last.end - first.start,
            _ => 0,
        }
    }
}

/// What a statement begins like.
enum Start {
    /// One that ends with a semicolon.
    Simple(Rule),
    For,
    If,
    Else,
    Function,
    /// Nothing that is known; the second token.
    Unknown(Token),
}

impl Start {
    /// Looks at the first two tokens.
    fn of(scanner: &mut Scanner<'_>, first: &Token) -> Self {
        let word = match first.kind {
            Kind::Discrete => return Self::Simple(Rule::constraints),
            Kind::Variable | Kind::Node | Kind::Open(b'{') => return Self::Simple(Rule::bindings),
            Kind::Word => &scanner.text[first.start..first.end],
            _ => "",
        };
        let second = scanner.second(first);
        let follows = &scanner.text[second.start..second.end];
        // A VM may be called `resource`; what follows tells.
        let announced =
            !matches!(follows, "(" | "[" | "," | ";" | ":" | "=" | "+=" | "-=" | "*=" | "/=" | "%=" | "");
        match word {
            "namespace" => Self::Simple(Rule::namespace),
            "import" => Self::Simple(Rule::import),
            "export" => Self::Simple(Rule::export),
            "for" => Self::For,
            "if" => Self::If,
            "else" => Self::Else,
            _ if second.kind == Kind::Open(b'[') && second.start == first.end && !word.is_empty() => {
                Self::Simple(Rule::bindings)
            }
            "include" if announced => Self::Simple(Rule::include),
            "resource" if announced => Self::Simple(Rule::resource),
            "template" if announced => Self::Simple(Rule::template),
            "network" if announced => Self::Simple(Rule::network),
            "switch" if announced => Self::Simple(Rule::switch),
            "link" if announced => Self::Simple(Rule::link),
            "route" if announced => Self::Simple(Rule::route),
            "minimise" | "minimize" if announced => Self::Simple(Rule::objective),
            "def" if announced => Self::Function,
            "" => Self::Unknown(second),
            _ if second.kind == Kind::Open(b'(') => Self::Simple(Rule::constraints),
            _ if matches!(follows, ":" | "=" | "+=" | "-=" | "*=" | "/=" | "%=") => {
                Self::Simple(Rule::bindings)
            }
            _ if second.kind == Kind::Open(b'[') => Self::Simple(Rule::bindings),
            "vm" if second.kind == Kind::Text => Self::Simple(Rule::bindings),
            _ => Self::Unknown(second),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    diagnostics: Vec<Diagnostic>,
    lost: Vec<Spanned<Expression>>,
    /// The end of the file came before that of a block, and was complained about.
    unclosed: bool,
}

impl Reader<'_> {
    fn complain(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            return;
        }
        let span = diagnostic.span();
        self.diagnostics.push(diagnostic);
        if self.diagnostics.len() == MOST_ERRORS {
            let message = format!("these are {MOST_ERRORS} errors; the rest of the file was not read");
            self.diagnostics.push(Diagnostic::error(
                "E0604",
                between(span.end as usize, span.end as usize),
                message,
            ));
        }
    }

    fn is_full(&self) -> bool {
        self.diagnostics.len() > MOST_ERRORS
    }

    fn word(&self, token: &Token) -> &str {
        &self.text[token.start..token.end]
    }

    /// Statements up to the end of the file, or within a block to the brace that closes it,
    /// which is left where it is. A block without its opening brace ends before a line that is
    /// not indented by more than `limit`.
    fn statements(&mut self, inside: usize, limit: Option<usize>) -> Vec<Spanned<Statement>> {
        let mut statements = Vec::new();
        let mut batch = Batch::new();
        while !self.is_full() {
            let token = self.scanner.peek();
            let out = token.line.zip(limit).is_some_and(|(line, limit)| token.start - line <= limit);
            if out && token.kind != Kind::Close(b'}') {
                self.flush(&mut batch, &mut statements);
                break;
            }
            match token.kind {
                Kind::End | Kind::Close(b'}') | Kind::Semicolon => {
                    self.flush(&mut batch, &mut statements);
                    match token.kind {
                        Kind::Close(b'}') if inside > 0 => break,
                        Kind::End => {
                            self.scanner.next();
                            break;
                        }
                        _ => self.stray(&token),
                    }
                }
                _ => self.statement(token, inside, &mut batch, &mut statements),
            }
        }
        statements
    }

    /// A brace or a semicolon where a statement should begin.
    fn stray(&mut self, token: &Token) {
        self.scanner.next();
        self.complain(match token.kind {
            Kind::Semicolon => {
                let fault = Diagnostic::error("E0002", token.span(), "there is no statement before this `;`");
                fault.with_help("remove it")
            }
            _ => Diagnostic::error("E0002", token.span(), "this `}` closes nothing"),
        });
    }

    /// One statement, or nothing but a complaint.
    fn statement(
        &mut self,
        first: Token,
        inside: usize,
        batch: &mut Batch,
        statements: &mut Vec<Spanned<Statement>>,
    ) {
        let start = Start::of(&mut self.scanner, &first);
        if let Start::Simple(rule @ (Rule::constraints | Rule::bindings)) = start {
            if batch.rule != rule || batch.length() > BATCH {
                self.flush(batch, statements);
            }
            let shape = if rule == Rule::constraints { Shape::Rule } else { Shape::Simple };
            let extent = self.scanner.extent(shape, inside);
            let stop = extent.stop;
            batch.rule = rule;
            batch.extents.push((first, extent));
            if stop == Stop::Body {
                self.flush(batch, statements);
                self.block(inside, 0);
            }
            return;
        }
        self.flush(batch, statements);
        let read = match start {
            Start::Simple(rule) => {
                let extent = self.scanner.extent(Shape::Simple, inside);
                let statement = self.read(rule, &first, &extent, build::statement);
                self.want_semicolon(&extent, statement.is_some());
                statement.map(|statement| (statement, extent.end))
            }
            Start::For => self.repetition(first, inside),
            Start::If => self.condition(first, inside),
            Start::Function => self.function(first, inside),
            Start::Else => {
                self.orphan(first, inside);
                None
            }
            Start::Unknown(second) => {
                self.unknown(first, second, inside);
                None
            }
        };
        if let Some((value, end)) = read {
            statements.push(Spanned { value, span: between(first.start, end) });
        }
    }

    /// Reads the statements that were put aside: all at once if that is possible, or else
    /// one by one for their faults.
    fn flush(&mut self, batch: &mut Batch, statements: &mut Vec<Spanned<Statement>>) {
        let extents = std::mem::take(&mut batch.extents);
        let (Some((first, _)), Some((_, last))) = (extents.first(), extents.last()) else { return };
        let sound = |extent: &Extent| extent.fault.is_none() && extent.stop == Stop::Semicolon;
        if extents.len() > 1 && extents.iter().all(|(_, extent)| sound(extent)) {
            let text = self.scanner.blanked(first.start, last.end);
            if let Ok(mut pairs) = Grammar::parse(batch.rule, &text)
                && let Some(pair) = pairs.next()
            {
                for (pair, (token, extent)) in build::several(pair).zip(&extents) {
                    let span = between(token.start, extent.end);
                    match build::statement(pair, first.start) {
                        Ok(value) => statements.push(Spanned { value, span }),
                        Err(fault) => {
                            self.complain(fault);
                            self.lose(batch.rule, token, extent);
                        }
                    }
                }
                return;
            }
        }
        for (first, extent) in &extents {
            let statement = self.read(batch.rule, first, extent, build::only);
            self.want_semicolon(extent, statement.is_some());
            let span = between(first.start, extent.end);
            statements.extend(statement.map(|value| Spanned { value, span }));
        }
    }

    /// Reads what an extent holds. Complains if that is not possible.
    fn read<T>(
        &mut self,
        rule: Rule,
        first: &Token,
        extent: &Extent,
        build: impl FnOnce(Pair<'_, Rule>, usize) -> Built<T>,
    ) -> Option<T> {
        let result = if let Some(fault) = &extent.fault {
            self.complain(fault.clone());
            None
        } else {
            match Grammar::parse(rule, &self.scanner.blanked(first.start, extent.end)) {
                Ok(mut pairs) => match pairs.next().map(|pair| build(pair, first.start)) {
                    Some(Ok(result)) => Some(result),
                    Some(Err(fault)) => {
                        self.complain(fault);
                        None
                    }
                    None => None,
                },
                Err(error) => {
                    let fault = message::refusal(self.text, first.start, extent, rule, &error);
                    self.complain(fault);
                    None
                }
            }
        };
        if result.is_none() && matches!(rule, Rule::bindings | Rule::function) {
            self.lose(rule, first, extent);
        }
        result
    }

    /// Notes what a statement that could not be read would have given a value.
    fn lose(&mut self, rule: Rule, first: &Token, extent: &Extent) {
        if rule == Rule::constraints
            || extent.fault.as_ref().is_some_and(|fault| fault.code.starts_with("E06"))
        {
            return;
        }
        let text = self.scanner.blanked(first.start, extent.end);
        let rule = if rule == Rule::function { Rule::lost_function } else { Rule::lost_binding };
        let pair = Grammar::parse(rule, &text).ok().and_then(|mut pairs| pairs.next());
        let found = pair.and_then(|pair| build::lost(pair, first.start).ok());
        self.lost.extend(found);
    }

    /// A statement that was read must have ended with its semicolon.
    fn want_semicolon(&mut self, extent: &Extent, sound: bool) {
        if sound && extent.stop != Stop::Semicolon {
            let fault = message::missing(self.text, ";", extent);
            self.complain(fault);
        }
    }

    /// The block that comes next, and where it ends. Where the brace is missing, it is
    /// taken as written: the mistake was told already. `indentation` is that of the head.
    fn block(&mut self, inside: usize, indentation: usize) -> (Block, usize) {
        let brace = self.scanner.peek();
        if inside >= DEEPEST {
            let message = format!("blocks nest more than {DEEPEST} deep");
            self.complain(Diagnostic::error("E0601", brace.span(), message));
            self.scanner.skip_block();
            return (Block::default(), self.scanner.at);
        }
        let opened = brace.kind == Kind::Open(b'{');
        if opened {
            self.scanner.next();
        }
        let limit = if opened { None } else { Some(indentation) };
        let statements = self.statements(inside + 1, limit);
        let closing = self.scanner.peek();
        if closing.kind == Kind::Close(b'}') {
            self.scanner.next();
        } else if opened && !self.unclosed && !self.scanner.has_fault() {
            self.unclosed = true;
            let fault = Diagnostic::error("E0003", brace.span(), "this `{` is never closed");
            self.complain(fault.with_help("write `}` where the block ends"));
        }
        let span = between(brace.start, self.scanner.at);
        (Block { statements, span }, self.scanner.at)
    }

    /// The block of a head, if there is one; complains about a missing one if the head was sound.
    fn body(&mut self, extent: &Extent, sound: bool, inside: usize) -> Option<(Block, usize)> {
        if extent.fault.as_ref().is_some_and(|fault| fault.code == "E0601") && extent.stop == Stop::Body {
            self.scanner.skip_block();
            return None;
        }
        if sound && extent.stop != Stop::Body {
            let fault = message::missing(self.text, "{", extent);
            self.complain(fault);
        }
        match extent.stop {
            Stop::Body | Stop::Next => Some(self.block(inside, extent.indentation)),
            _ => None,
        }
    }

    fn repetition(&mut self, first: Token, inside: usize) -> Option<(Statement, usize)> {
        let extent = self.scanner.extent(Shape::Head, inside);
        let head = self.read(Rule::for_head, &first, &extent, build::repetition);
        let body = self.body(&extent, head.is_some(), inside);
        let ((variable, over), (body, end)) = (head?, body?);
        Some((Statement::For { variable, over, body }, end))
    }

    fn condition(&mut self, first: Token, inside: usize) -> Option<(Statement, usize)> {
        let extent = self.scanner.extent(Shape::Head, inside);
        let condition = self.read(Rule::if_head, &first, &extent, build::condition);
        let then = self.body(&extent, condition.is_some(), inside);
        let mut end = then.as_ref().map_or(extent.end, |(_, end)| *end);
        let mut otherwise = None;
        let token = self.scanner.peek();
        if then.is_some() && self.word(&token) == "else" {
            self.scanner.next();
            let next = self.scanner.peek();
            let block = if self.word(&next) == "if" && next.kind == Kind::Word {
                self.chained(next, inside + 1)
            } else {
                self.alternative(&token, &next, inside, extent.indentation)
            };
            if let Some((block, at)) = block {
                otherwise = Some(block);
                end = at;
            }
        }
        let (condition, (then, _)) = (condition?, then?);
        Some((Statement::If { condition, then, otherwise }, end))
    }

    /// What stands behind `else`.
    fn alternative(
        &mut self,
        word: &Token,
        next: &Token,
        inside: usize,
        indentation: usize,
    ) -> Option<(Block, usize)> {
        if next.kind != Kind::Open(b'{') {
            let message =
                format!("expected `{{` or `if` after `else`, found {}", message::found(self.text, next));
            self.complain(Diagnostic::error("E0002", between(word.end, word.end), message));
            if next.kind == Kind::Semicolon {
                self.scanner.next();
            }
            if matches!(next.kind, Kind::End | Kind::Semicolon | Kind::Close(_)) {
                return None;
            }
        }
        Some(self.block(inside, indentation))
    }

    /// `else if`: a block with nothing but the second `if` in it.
    fn chained(&mut self, next: Token, inside: usize) -> Option<(Block, usize)> {
        if inside >= DEEPEST {
            let message = format!("more than {DEEPEST} times `else if`, or blocks that nest so deep");
            self.complain(Diagnostic::error("E0601", next.span(), message));
            self.skip_chain();
            return None;
        }
        let (value, end) = self.condition(next, inside)?;
        let span = between(next.start, end);
        Some((Block { statements: vec![Spanned { value, span }], span }, end))
    }

    /// Goes behind the last block of an `if`.
    fn skip_chain(&mut self) {
        loop {
            self.scanner.extent(Shape::Head, 0);
            if self.scanner.peek().kind != Kind::Open(b'{') {
                return;
            }
            self.scanner.skip_block();
            let token = self.scanner.peek();
            if self.word(&token) != "else" {
                return;
            }
            self.scanner.next();
        }
    }

    /// An `else` with no `if` before it.
    fn orphan(&mut self, first: Token, inside: usize) {
        let fault = Diagnostic::error("E0002", first.span(), "there is no `if` before this `else`");
        self.complain(fault);
        self.scanner.next();
        let next = self.scanner.peek();
        if next.kind == Kind::Open(b'{') {
            self.block(inside, 0);
        } else if self.word(&next) == "if" {
            self.condition(next, inside);
        } else if next.kind == Kind::Semicolon {
            self.scanner.next();
        }
    }

    fn function(&mut self, first: Token, inside: usize) -> Option<(Statement, usize)> {
        let extent = self.scanner.extent(Shape::Function, inside);
        let head = self.read(Rule::function, &first, &extent, build::function);
        // What stands behind `=` is no block.
        if let Some((name, parameters, Some(value))) = head {
            self.want_semicolon(&extent, true);
            if extent.stop == Stop::Body {
                self.block(inside, 0);
            }
            return Some((Statement::Function { name, parameters, body: Body::Value(value) }, extent.end));
        }
        let body = self.body(&extent, head.is_some(), inside);
        let ((name, parameters, _), (body, end)) = (head?, body?);
        Some((Statement::Function { name, parameters, body: Body::Block(body) }, end))
    }

    /// A statement that begins like none. If a block follows, its statements are looked at.
    fn unknown(&mut self, first: Token, second: Token, inside: usize) {
        let extent = self.scanner.extent(Shape::Unknown, inside);
        let fault = match &extent.fault {
            Some(fault) => fault.clone(),
            None => message::unknown(self.text, &first, &second, &extent),
        };
        let deep = fault.code == "E0601";
        self.complain(fault);
        if extent.stop == Stop::Body {
            if deep {
                self.scanner.skip_block();
            } else {
                self.block(inside, 0);
            }
        }
    }
}

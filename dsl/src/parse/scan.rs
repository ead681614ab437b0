//! Tokens, as far as the ends of statements depend on them.

mod extent;

use super::DEEPEST;
use crate::Comment;
use crate::Diagnostic;
use crate::Span;
pub(super) use extent::Extent;
pub(super) use extent::Shape;
pub(super) use extent::Stop;
use std::borrow::Cow;

/// What a token is, as far as the ends of statements depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Text,
    Variable,
    Node,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    Semicolon,
    /// `>>`
    Discrete,
    /// Other punctuation.
    Sign,
    /// What can stand nowhere; its diagnostic is at hand.
    Bad,
    /// The end of the file.
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its line begins if it is the first on it.
    pub(super) line: Option<usize>,
}

impl Token {
    pub(super) fn span(&self) -> Span {
        between(self.start, self.end)
    }
}

/// The bytes `start..end`. Texts are at most 16 MiB long, so they fit.
pub(super) fn between(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

/// Where the next token begins.
pub(crate) fn next_token(text: &str, from: usize) -> usize {
    Scanner::at(text, from).peek().start
}

/// Walks over the tokens of a text, once.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    /// Where the next token is looked for.
    pub(super) at: usize,
    pub(super) comments: Vec<Comment>,
    /// Comments that begin before are known already.
    noted: usize,
    /// How far the current line is indented.
    indentation: usize,
    /// The first fault since it was asked for: a bad token, a comment that is not closed.
    fault: Option<Diagnostic>,
    /// Nobody is going to ask for it.
    muted: bool,
}

impl<'a> Scanner<'a> {
    /// At the begin of a text, behind what says how to run it.
    pub(super) fn new(text: &'a str) -> Self {
        let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        let mut scanner = Self::at(text, start);
        if text[start..].starts_with("#!") {
            scanner.at = scanner.line_end(start);
            scanner.note(start, scanner.at, false);
        }
        scanner
    }

    /// Within a text.
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        Self { text, at, comments: Vec::new(), noted: 0, indentation: 0, fault: None, muted: false }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn line_end(&self, from: usize) -> usize {
        let length = self.text.as_bytes()[from..].iter().position(|&byte| byte == b'\n');
        let end = length.map_or(self.text.len(), |length| from + length);
        if end > from && self.byte(end - 1) == b'\r' { end - 1 } else { end }
    }

    fn note(&mut self, start: usize, end: usize, block: bool) {
        if start >= self.noted {
            self.comments.push(Comment { span: between(start, end), block });
            self.noted = end;
        }
    }

    /// The first complaint since the last call.
    pub(super) fn take_fault(&mut self) -> Option<Diagnostic> {
        self.fault.take()
    }

    /// True if there is a complaint that nobody took.
    pub(super) fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    fn blame(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.fault.is_none() && !self.muted {
            self.fault = Some(diagnostic());
        }
    }

    /// Looks at the next token without taking it.
    pub(super) fn peek(&mut self) -> Token {
        let (at, indentation, muted) = (self.at, self.indentation, self.muted);
        self.muted = true;
        let token = self.next();
        (self.at, self.indentation, self.muted) = (at, indentation, muted);
        token
    }

    /// Looks at the token after the one that comes next.
    pub(super) fn second(&mut self, first: &Token) -> Token {
        let at = self.at;
        self.at = first.end;
        let token = self.peek();
        self.at = at;
        token
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        let line = self.skip();
        let start = self.at;
        if let Some(line) = line {
            self.indentation = start - line;
        }
        let kind = self.token();
        Token { kind, start, end: self.at, line }
    }

    /// Skips blanks and comments; says where the line begins if no token stands before on it.
    fn skip(&mut self) -> Option<usize> {
        let mut line = (self.at == 0).then_some(0);
        loop {
            match self.byte(self.at) {
                b'\n' => {
                    self.at += 1;
                    line = Some(self.at);
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if self.byte(self.at + 1) == b'/' => {
                    let end = self.line_end(self.at);
                    self.note(self.at, end, false);
                    self.at = end;
                }
                b'/' if self.byte(self.at + 1) == b'*' => {
                    let start = self.at;
                    self.block_comment();
                    let feed = self.text.as_bytes()[start..self.at].iter().rposition(|&byte| byte == b'\n');
                    line = feed.map(|offset| start + offset + 1).or(line);
                }
                _ => return line,
            }
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let (mut depth, mut deepest) = (0usize, 0);
        loop {
            match (self.byte(self.at), self.byte(self.at + 1)) {
                (b'/', b'*') => {
                    depth += 1;
                    deepest = deepest.max(depth);
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ if self.at >= self.text.len() => {
                    self.at = self.text.len();
                    let help = match deepest {
                        1 => "write `*/` where it ends",
                        _ => "comments nest: every `/*` needs its own `*/`",
                    };
                    let span = between(start, start + 2);
                    self.blame(|| {
                        Diagnostic::error("E0003", span, "this comment is never closed").with_help(help)
                    });
                    break;
                }
                _ => self.at += 1,
            }
        }
        if deepest > DEEPEST {
            let message = format!("comments nest more than {DEEPEST} deep");
            self.blame(|| Diagnostic::error("E0601", between(start, start + 2), message));
        }
        self.note(start, self.at, true);
    }

    fn while_byte(&mut self, holds: impl Fn(u8) -> bool) {
        while holds(self.byte(self.at)) {
            self.at += 1;
        }
    }

    fn token(&mut self) -> Kind {
        if self.at >= self.text.len() {
            return Kind::End;
        }
        let start = self.at;
        let byte = self.byte(start);
        self.at += 1;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {
                self.dotted(|byte| byte.is_ascii_alphabetic());
                self.letters_beyond(start, Kind::Word)
            }
            b'0'..=b'9' => {
                self.while_byte(in_name);
                if self.byte(self.at) == b'.' && self.byte(self.at + 1).is_ascii_digit() {
                    self.at += 1;
                    self.while_byte(in_name);
                }
                self.letters_beyond(start, Kind::Number)
            }
            b'_' => {
                self.while_byte(in_name);
                Kind::Sign
            }
            b'$' => {
                self.dotted(|byte| byte.is_ascii_alphanumeric() || byte == b'[');
                self.letters_beyond(start, Kind::Variable)
            }
            b'@' if self.byte(self.at) == b'"' => {
                self.at += 1;
                if self.closing('"', start) { Kind::Node } else { Kind::Bad }
            }
            b'@' => {
                while in_name(self.byte(self.at))
                    || (matches!(self.byte(self.at), b'.' | b'-')
                        && (in_name(self.byte(self.at + 1)) || matches!(self.byte(self.at + 1), b'-' | b'[')))
                {
                    self.at += 1;
                }
                self.letters_beyond(start, Kind::Node)
            }
            b'"' => {
                if self.closing('"', start) {
                    Kind::Text
                } else {
                    Kind::Bad
                }
            }
            b'(' | b'[' | b'{' => Kind::Open(byte),
            b')' | b']' | b'}' => Kind::Close(byte),
            b';' => Kind::Semicolon,
            b'>' if self.byte(self.at) == b'>' => {
                self.at += 1;
                Kind::Discrete
            }
            b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' if self.byte(self.at) == b'=' => {
                self.at += 1;
                Kind::Sign
            }
            b'&' | b'|' | b'.' if self.byte(self.at) == byte => {
                self.at += 1;
                Kind::Sign
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'!' | b'#' | b'=' | b'<' | b'>' | b',' | b':'
            | b'.' => Kind::Sign,
            _ => {
                self.at = start;
                self.stranger()
            }
        }
    }

    /// A run of the characters of names, with dots before what may follow one.
    fn dotted(&mut self, follows: impl Fn(u8) -> bool) {
        loop {
            self.while_byte(in_name);
            if self.byte(self.at) != b'.' || !follows(self.byte(self.at + 1)) {
                return;
            }
            self.at += 1;
        }
    }

    /// `VMé` is one mistake, not a name and a mistake.
    fn letters_beyond(&mut self, start: usize, kind: Kind) -> Kind {
        if self.byte(self.at) < 0x80 || !self.text[self.at..].starts_with(char::is_alphanumeric) {
            return kind;
        }
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
        self.at = length.map_or(self.text.len(), |length| self.at + length);
        let (text, span) = (self.text, between(start, self.at));
        self.blame(|| {
            let message =
                format!("`{}` is no name", shortened(&text[span.start as usize..span.end as usize]));
            Diagnostic::error("E0001", span, message).with_help(
                "names are made of the letters a to z, digits and `_`; write others as vm\"…\" or @\"…\"",
            )
        });
        Kind::Bad
    }

    /// Goes behind the quote that closes a text in the same line.
    fn closing(&mut self, quote: char, start: usize) -> bool {
        let mut characters = self.text[self.at..].char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '\n' => break,
                '\\' if self.byte(self.at + offset + 1) != b'\n' => {
                    characters.next();
                }
                _ if character == quote => {
                    self.at += offset + character.len_utf8();
                    return true;
                }
                _ => {}
            }
        }
        // Reading goes on in the next line: one quote does not swallow the file.
        self.at = self.line_end(self.at).max(self.at);
        let span = between(start, self.at);
        self.blame(|| {
            let fault = Diagnostic::error("E0003", span, "this text is not closed");
            fault.with_help(format!("it needs a `{quote}` in the same line"))
        });
        false
    }

    /// Takes what can stand nowhere.
    fn stranger(&mut self) -> Kind {
        let start = self.at;
        let Some(first) = self.text[start..].chars().next() else { return Kind::End };
        if first.is_alphanumeric() {
            return self.letters_beyond(start, Kind::Bad);
        }
        self.at += first.len_utf8();
        let partner = match first {
            '“' | '”' | '„' => Some(['”', '“', '„']),
            '«' | '»' => Some(['»', '«', '»']),
            '‘' | '’' => Some(['’', '‘', '’']),
            '\'' | '`' => Some([first; 3]),
            _ => None,
        };
        // Up to its partner in the same line, if it has one.
        let partner = partner.and_then(|partner| {
            let rest = &self.text[self.at..];
            let found = rest.char_indices().find(|(_, c)| *c == '\n' || partner.contains(c));
            found.filter(|(_, c)| *c != '\n')
        });
        if let Some((offset, character)) = partner {
            self.at += offset + character.len_utf8();
        }
        let span = between(start, self.at);
        self.blame(|| {
            let (message, help) = strange(first);
            let mut fault = Diagnostic::error("E0001", span, message);
            fault.help = help.map(str::to_owned);
            fault
        });
        Kind::Bad
    }

    /// A piece of the text that was just walked over, its comments replaced by blanks.
    pub(super) fn blanked(&self, start: usize, end: usize) -> Cow<'a, str> {
        let text = &self.text[start..end];
        let first = self.comments.partition_point(|comment| (comment.span.start as usize) < start);
        let comments = &self.comments[first..];
        if comments.first().is_none_or(|comment| comment.span.start as usize >= end) {
            return Cow::Borrowed(text);
        }
        let mut blanked = String::with_capacity(text.len());
        let mut at = start;
        for comment in comments.iter().take_while(|comment| (comment.span.start as usize) < end) {
            let Span { start, end } = comment.span;
            blanked.push_str(&self.text[at..start as usize]);
            blanked.extend(std::iter::repeat_n(' ', (end - start) as usize));
            at = end as usize;
        }
        blanked.push_str(&self.text[at..end]);
        Cow::Owned(blanked)
    }
}

/// What to say about a character that can stand nowhere.
fn strange(character: char) -> (String, Option<&'static str>) {
    let (message, help) = match character {
        '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '\'' | '`' => {
            ("does not quote a text", "write it between straight quotes: \"…\"")
        }
        '|' => ("means nothing alone", "the number of elements is `#x`, not `|x|`; \"or\" is `||`"),
        '&' => ("means nothing alone", "\"and\" is `&&`"),
        '–' | '—' | '−' => ("is no minus", "write `-`"),
        '×' | '÷' | '·' => ("is no operator", "write `*` or `/`"),
        '≤' | '≥' | '≠' => ("is no operator", "write `<=`, `>=` or `!=`"),
        '…' => ("is no range", "write two dots: `1..4`"),
        _ if character.is_whitespace() => {
            let message = format!("U+{:04X} is no plain blank", u32::from(character));
            return (message, Some("put an ordinary blank in its place"));
        }
        _ if character.is_control() || !is_visible(character) => {
            return (format!("the character U+{:04X} cannot stand here", u32::from(character)), None);
        }
        _ => return (format!("`{character}` cannot stand here"), None),
    };
    (format!("`{character}` {message}"), Some(help))
}

/// False for what a terminal does not show, or shows in a way that deceives.
fn is_visible(character: char) -> bool {
    !matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E000}'..='\u{F8FF}')
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Words that end nothing: something follows them.
fn wants_more(word: &str) -> bool {
    starts_statement(word)
        || announces_statement(word)
        || matches!(
            word,
            "in" | "to" | "else" | "on" | "as" | "by" | "via" | "soft" | "tagged" | "named" | "with" | "all"
        )
        || matches!(word, "running" | "sleeping")
}

/// Words that are never names.
pub(super) fn is_reserved(word: &str) -> bool {
    starts_statement(word) || matches!(word, "in" | "to" | "else")
}

/// Reserved words that begin a statement.
pub(super) fn starts_statement(word: &str) -> bool {
    matches!(word, "namespace" | "import" | "export" | "for" | "if")
}

/// Words that begin a statement if another word or a text follows.
pub(super) fn announces_statement(word: &str) -> bool {
    matches!(
        word,
        "include"
            | "resource"
            | "template"
            | "network"
            | "switch"
            | "link"
            | "route"
            | "def"
            | "minimise"
            | "minimize"
    )
}

/// A piece of the text for a message, not longer than a line of it should be.
pub(super) fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(32) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

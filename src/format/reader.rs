//! Pulling values out of a JSON text.
//!
//! The readers know what they expect, so there is no tree of values and no value is
//! copied that need not be: a text without escapes is a slice of the document. An
//! error is an offset and a sentence; which line and which path that is, is worked
//! out afterwards (see `locate`), so that documents without errors pay nothing for it.
//! Nothing here recurses: the depth of a document cannot exhaust the stack.

use std::borrow::Cow;

/// Arrays and objects within each other that are still read.
pub(super) const DEEPEST: u32 = 128;

/// What is wrong, and the offset in the text at which it is seen.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

/// The fault is boxed: it is rare, and the happy path stays in registers.
pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// A fault at an offset.
pub(super) fn fault<T>(at: usize, message: impl Into<String>) -> Parsed<T> {
    Err(Box::new(Fault { at, message: message.into() }))
}

/// Where a value lies in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A number: whole ones within 64 bits are kept apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

/// A position in a JSON text.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Has an array or object just been opened, so that no comma is due?
    fresh: bool,
    /// Where the last key starts.
    key_at: usize,
}

/// A text for a message: short, in back quotes.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", text[..end].escape_debug()),
        None => format!("`{}`", text.escape_debug()),
    }
}

impl<'a> Reader<'a> {
    /// At the start of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, fresh: false, key_at: 0 }
    }

    /// At an offset of the same text: to read a value that was left out before.
    pub(super) fn seek(&self, at: usize) -> Self {
        Self { at, fresh: false, key_at: at, ..self.clone() }
    }

    /// The text of a value.
    pub(super) fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    /// The offset of the next token.
    pub(super) fn here(&mut self) -> usize {
        self.blank();
        self.at
    }

    /// Where the last key starts.
    pub(super) fn key_at(&self) -> usize {
        self.key_at
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The first byte of the next token.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.blank();
        self.bytes.get(self.at).copied()
    }

    /// A fault at the next token: what was expected, and what is there.
    pub(super) fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let found = self.found();
        fault(self.at, format!("expected {what}, found {found}"))
    }

    fn found(&mut self) -> String {
        match self.peek() {
            None => "the end of the text".to_owned(),
            Some(b'{') => "an object".to_owned(),
            Some(b'[') => "an array".to_owned(),
            Some(b'"') => match self.clone().string() {
                Ok(text) => format!("the text {}", quoted(&text)),
                Err(_) => "an unfinished text".to_owned(),
            },
            Some(b'-' | b'0'..=b'9') => match self.clone().digits() {
                Ok((digits, _)) => format!("the number {}", quoted(digits)),
                Err(_) => "a malformed number".to_owned(),
            },
            Some(b't') if self.rest().starts_with(b"true") => "`true`".to_owned(),
            Some(b'f') if self.rest().starts_with(b"false") => "`false`".to_owned(),
            Some(b'n') if self.rest().starts_with(b"null") => "`null`".to_owned(),
            Some(_) => match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
                Some(other) => format!("the character {other:?}"),
                None => "something that is not text".to_owned(),
            },
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Does the text go on with these bytes?
    pub(super) fn is_at(&self, text: &str) -> bool {
        self.rest().starts_with(text.as_bytes())
    }

    /// Passes over a text that `is_at` has seen.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Enters an object; `key` follows.
    pub(super) fn object(&mut self, what: &str) -> Parsed<()> {
        if self.peek() != Some(b'{') {
            return self.expected(what);
        }
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// The next key of the object, its value being next; `None` after the last.
    pub(super) fn key(&mut self) -> Parsed<Option<Cow<'a, str>>> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.fresh = false;
                return Ok(None);
            }
            Some(b',') if !self.fresh => {
                self.at += 1;
                self.blank();
            }
            _ if self.fresh => {}
            _ => return self.expected("`,` or `}`"),
        }
        self.fresh = false;
        self.key_at = self.at;
        if self.bytes.get(self.at) != Some(&b'"') {
            return self.expected("a key in double quotes");
        }
        let key = self.string()?;
        self.colon()?;
        Ok(Some(key))
    }

    fn colon(&mut self) -> Parsed<()> {
        if self.peek() != Some(b':') {
            return self.expected("`:` after the key");
        }
        self.at += 1;
        Ok(())
    }

    /// Enters an array; `element` follows.
    pub(super) fn array(&mut self, what: &str) -> Parsed<()> {
        if self.peek() != Some(b'[') {
            return self.expected(what);
        }
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// Is there another element in the array? It is next.
    pub(super) fn element(&mut self) -> Parsed<bool> {
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                self.fresh = false;
                return Ok(false);
            }
            Some(b',') if !self.fresh => self.at += 1,
            _ if self.fresh => {}
            _ => return self.expected("`,` or `]`"),
        }
        self.fresh = false;
        Ok(true)
    }

    /// A text.
    pub(super) fn text_value(&mut self, what: &str) -> Parsed<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.expected(what);
        }
        self.string()
    }

    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(Cow::Borrowed(&self.text[start..end]));
                }
                Some(b'\\') => return self.escaped(start, end),
                Some(0..=0x1f) => return fault(end, "a control character in a text must be escaped"),
                Some(_) => end += 1,
                None => return fault(self.at, "the text in double quotes has no end"),
            }
        }
    }

    fn escaped(&mut self, start: usize, mut at: usize) -> Parsed<Cow<'a, str>> {
        let mut value = self.text[start..at].to_owned();
        loop {
            let from = at;
            while let Some(0x20..) = self.bytes.get(at).filter(|byte| !matches!(byte, b'"' | b'\\')) {
                at += 1;
            }
            value.push_str(&self.text[from..at]);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Cow::Owned(value));
                }
                Some(b'\\') => {
                    let (character, next) = self.escape(at)?;
                    value.push(character);
                    at = next;
                }
                Some(_) => return fault(at, "a control character in a text must be escaped"),
                None => return fault(start - 1, "the text in double quotes has no end"),
            }
        }
    }

    /// The character of an escape sequence at an offset, and the offset behind it.
    fn escape(&self, at: usize) -> Parsed<(char, usize)> {
        let plain = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(at),
            _ => return fault(at, "expected one of `\"\\/bfnrtu` after a backslash"),
        };
        Ok((plain, at + 2))
    }

    fn unicode(&self, at: usize) -> Parsed<(char, usize)> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            u32::from_str_radix(digits, 16).ok()
        };
        let Some(first) = unit(at) else {
            return fault(at, "expected four hexadecimal digits after `\\u`");
        };
        if let Some(character) = char::from_u32(first) {
            return Ok((character, at + 6));
        }
        // What is not a character is half of one: a surrogate, whose other half must follow.
        let pair = unit(at + 6).filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second));
        match pair.and_then(|second| char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))) {
            Some(character) => Ok((character, at + 12)),
            None => fault(at, "half of a surrogate pair stands alone"),
        }
    }

    /// The text of a number, and whether it is a whole one.
    fn digits(&mut self) -> Parsed<(&'a str, bool)> {
        let start = self.at;
        let digit = |at: usize| matches!(self.bytes.get(at), Some(b'0'..=b'9'));
        let mut at = start + usize::from(self.bytes.get(start) == Some(&b'-'));
        let mut whole = true;
        if !digit(at) {
            return fault(start, "expected a digit after `-`");
        }
        let zero = self.bytes.get(at) == Some(&b'0');
        at += 1;
        if zero && digit(at) {
            return fault(start, "a number does not start with 0");
        }
        while digit(at) {
            at += 1;
        }
        if self.bytes.get(at) == Some(&b'.') {
            whole = false;
            at += 1;
            if !digit(at) {
                return fault(start, "expected a digit after the decimal point");
            }
            while digit(at) {
                at += 1;
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            whole = false;
            at += 1;
            at += usize::from(matches!(self.bytes.get(at), Some(b'+' | b'-')));
            if !digit(at) {
                return fault(start, "expected a digit in the exponent");
            }
            while digit(at) {
                at += 1;
            }
        }
        self.at = at;
        Ok((&self.text[start..at], whole))
    }

    /// A whole number from 0 to `most`.
    pub(super) fn unsigned(&mut self, most: u64, what: &str) -> Parsed<u64> {
        let Some(b'-' | b'0'..=b'9') = self.peek() else {
            return self.expected(what);
        };
        // The common case by hand: up to 18 digits, nothing else.
        let start = self.at;
        let mut value = 0u64;
        let mut at = start;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(at) {
            if at - start == 18 {
                break;
            }
            value = value * 10 + u64::from(digit - b'0');
            at += 1;
        }
        let plain = match self.bytes.get(at) {
            Some(b',' | b']' | b'}') => at > start && (self.bytes[start] != b'0' || at == start + 1),
            _ => false,
        };
        if plain {
            if value > most {
                return self.expected(what);
            }
            self.at = at;
            return Ok(value);
        }
        let (digits, whole) = self.digits()?;
        match digits.parse::<u64>() {
            Ok(value) if whole && value <= most => Ok(value),
            _ if whole && digits == "-0" => Ok(0),
            _ => {
                self.at = start;
                self.expected(what)
            }
        }
    }

    /// A number.
    pub(super) fn number(&mut self, what: &str) -> Parsed<Number> {
        let Some(b'-' | b'0'..=b'9') = self.peek() else {
            return self.expected(what);
        };
        let start = self.at;
        let (digits, whole) = self.digits()?;
        if whole {
            return match digits.parse::<i64>() {
                Ok(value) => Ok(Number::Int(value)),
                Err(_) => {
                    fault(start, format!("expected {what} of at most 64 bits, found {}", quoted(digits)))
                }
            };
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Number::Float(value)),
            _ => fault(start, format!("expected {what} of at most 64 bits, found {}", quoted(digits))),
        }
    }

    /// A finite number, with or without a fraction.
    pub(super) fn float(&mut self, what: &str) -> Parsed<f64> {
        match self.number(what)? {
            Number::Int(value) => Ok(value as f64),
            Number::Float(value) => Ok(value),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek() == word.bytes().next() && self.is_at(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, what: &str) -> Parsed<bool> {
        if self.word("true") {
            Ok(true)
        } else if self.word("false") {
            Ok(false)
        } else {
            self.expected(what)
        }
    }

    /// Passes over `null`, if that is next.
    pub(super) fn null(&mut self) -> bool {
        self.word("null")
    }

    /// Only blanks may follow.
    pub(super) fn end(&mut self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.expected("the end of the text"),
        }
    }

    /// Passes over a value that nobody reads, checking that it is one.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        // One bit for each open array (0) or object (1), the innermost last.
        let mut open = 0u128;
        let mut depth = 0;
        loop {
            match self.peek() {
                Some(opening @ (b'{' | b'[')) => {
                    let start = self.at;
                    self.at += 1;
                    let is_object = opening == b'{';
                    if self.peek() == Some(if is_object { b'}' } else { b']' }) {
                        self.at += 1;
                    } else {
                        if depth == DEEPEST {
                            return fault(start, too_deep());
                        }
                        depth += 1;
                        open = open << 1 | u128::from(is_object);
                        if is_object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.digits()?;
                }
                _ => {
                    if !self.word("true") && !self.word("false") && !self.word("null") {
                        return self.expected("a value");
                    }
                }
            }
            // A value has ended: so may the arrays and objects around it.
            loop {
                if depth == 0 {
                    self.fresh = false;
                    return Ok(());
                }
                let is_object = open & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if is_object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => self.at += 1,
                    Some(b']') if !is_object => self.at += 1,
                    _ => return self.expected(if is_object { "`,` or `}`" } else { "`,` or `]`" }),
                }
                open >>= 1;
                depth -= 1;
            }
        }
    }

    fn skip_key(&mut self) -> Parsed<()> {
        if self.peek() != Some(b'"') {
            return self.expected("a key in double quotes");
        }
        self.string()?;
        self.colon()
    }

    /// Passes over a value that is read later, looking at brackets and quotes only.
    ///
    /// Whoever reads it later must end where it ends here ([`Reader::arrived`]): then
    /// every byte has been checked after all.
    pub(super) fn span(&mut self) -> Parsed<Span> {
        let start = self.here();
        match self.peek() {
            Some(b'{' | b'[') => {}
            _ => {
                self.skip()?;
                return Ok(Span { start, end: self.at });
            }
        }
        let mut depth = 0u32;
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            at += 1;
            match byte {
                b'[' | b'{' => {
                    depth += 1;
                    if depth > DEEPEST {
                        return fault(at - 1, too_deep());
                    }
                }
                b']' | b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = at;
                        self.fresh = false;
                        return Ok(Span { start, end: at });
                    }
                }
                b'"' => {
                    let opening = at - 1;
                    loop {
                        match self.bytes.get(at) {
                            Some(b'"') => break,
                            Some(b'\\') => at += 2,
                            Some(_) => at += 1,
                            None => return fault(opening, "the text in double quotes has no end"),
                        }
                    }
                    at += 1;
                }
                _ => {}
            }
        }
        fault(start, "the text ends before this value does")
    }

    /// Is this the end of a value that was passed over by `span`?
    pub(super) fn arrived(&self, span: Span) -> Parsed<()> {
        if self.at == span.end { Ok(()) } else { fault(self.at, "brackets that do not match") }
    }
}

fn too_deep() -> String {
    format!("arrays and objects nested more than {DEEPEST} deep")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(text: &str) -> Result<usize, String> {
        let mut reader = Reader::new(text);
        reader.skip().and_then(|()| reader.end()).map(|()| text.len()).map_err(|fault| fault.message)
    }

    #[test]
    fn what_is_json_is_skipped_and_what_is_not_is_refused() {
        for good in [
            "0",
            "-0",
            "1.5e-3",
            "\"\"",
            "\"\\u00e9\\n\"",
            "[]",
            "{}",
            " [1, [2, {}], {\"a\": [null, true, false]}] ",
        ] {
            assert_eq!(skipped(good), Ok(good.len()), "{good}");
        }
        for bad in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "[1}",
            "{]",
            "\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "[1 2]",
            "1 1",
            "\"\\u12\"",
            "[",
            "{\"a\":",
        ] {
            assert!(skipped(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_are_unescaped() {
        let read =
            |text| Reader::new(text).text_value("a text").map(Cow::into_owned).map_err(|fault| fault.message);
        assert_eq!(read(r#""plain""#), Ok("plain".to_owned()));
        assert_eq!(read(r#""a\"b\\c\/\n\t\u0041\ud83d\ude00é""#), Ok("a\"b\\c/\n\tA😀é".to_owned()));
        for bad in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#""\ud83d\u0041""#, r#""\u+123""#, r#""\"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_range() {
        let read =
            |text: &str| Reader::new(text).unsigned(u64::MAX, "an amount").map_err(|fault| fault.message);
        assert_eq!(read("0]"), Ok(0));
        assert_eq!(read("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(read("123456789012345678,"), Ok(123_456_789_012_345_678));
        assert_eq!(read("-0"), Ok(0));
        for bad in ["-1", "18446744073709551616", "1.0", "1e3", "01,", "00]", "\"1\"", "null"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(Reader::new("256,").unsigned(255, "a byte").is_err());
    }

    #[test]
    fn depth_is_bounded_without_recursion() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(skipped(&deep).map_err(|message| message.contains("128")), Err(true));
        assert!(Reader::new(&deep).span().is_err());
        let fine = "[".repeat(128) + &"]".repeat(128);
        assert!(skipped(&fine).is_ok());
        assert!(Reader::new(&fine).span().is_ok());
    }

    #[test]
    fn a_span_ends_where_its_value_ends() {
        let text = r#" {"a": "]}\"", "b": [1, {"c": []}]} , 7"#;
        let mut reader = Reader::new(text);
        let span = reader.span().expect("a value");
        assert_eq!(reader.slice(span), r#"{"a": "]}\"", "b": [1, {"c": []}]}"#);
        let mut again = reader.seek(span.start);
        again.skip().expect("a value");
        assert!(again.arrived(span).is_ok());
        assert!(Reader::new("\"abc").span().is_err());
        assert!(Reader::new("[\"abc\\").span().is_err());
    }
}

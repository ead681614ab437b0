//! What is wrong with a text, and where.

use crate::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used as it stands.
    Error,
    /// It can, but probably does not say what was meant.
    Warning,
}

/// A place that has to do with it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Which of the files that were read: an index that whoever reads files gives out; 0 for
    /// the text that was parsed.
    pub file: u32,
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name like `E0101`, under which it is explained.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// Where: the first label is the place itself, others what it clashes with.
    pub labels: Vec<Label>,
    /// What to do about it, or the nearest known name.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place of file 0.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let label = Label { file: 0, span, text: String::new() };
        Self { code, severity: Severity::Error, message: message.into(), labels: vec![label], help: None }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with text at its place.
    #[must_use]
    pub fn labelled(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// The same with another place.
    #[must_use]
    pub fn and(mut self, file: u32, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { file, span, text: text.into() });
        self
    }

    /// The place itself.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::default(), |label| label.span)
    }

    /// `line:column: message`, counted from 1, columns in characters.
    pub fn describe(&self, text: &str) -> String {
        let (line, column) = position(text, self.span().start as usize);
        format!("{line}:{column}: {}", self.message)
    }
}

/// Line and column of a byte, from 1; the column counts characters. A place inside
/// a character is that character's. Linear in the text before it.
pub fn position(text: &str, byte: usize) -> (usize, usize) {
    let mut end = byte.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}

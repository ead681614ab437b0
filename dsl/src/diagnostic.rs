//! What is wrong with a text, and where.

use crate::Span;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// What, in one sentence without a full stop.
    pub message: String,
}

impl Diagnostic {
    /// `line:column: message`, counted from 1, columns in characters.
    pub fn describe(&self, text: &str) -> String {
        let (line, column) = position(text, self.span.start);
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

//! An open document.

use super::outline::Outline;
use super::position::Lines;
use lsp_types::Position;
use lsp_types::Range;
use lsp_types::TextDocumentContentChangeEvent;
use lsp_types::Uri;
use quadrille_dsl::Span;
use std::cell::OnceCell;
use std::sync::Arc;

/// An open document: its text as the editor has it.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) version: i32,
    /// The wish for an evaluation that belongs to this text.
    pub(super) stamp: u64,
    pub(super) text: Arc<str>,
    lines: Lines,
    outline: OnceCell<Outline>,
}

impl Document {
    pub(super) fn new(uri: Uri, version: i32, text: String) -> Self {
        let lines = Lines::new(&text);
        Self { uri, version, stamp: 0, text: text.into(), lines, outline: OnceCell::new() }
    }

    /// Does what the editor did, one change after the other.
    pub(super) fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        self.version = version;
        for change in changes {
            self.text = match change.range {
                None => change.text.into(),
                Some(range) => {
                    let start = self.byte(range.start);
                    let end = self.byte(range.end).max(start);
                    let parts = (self.text.get(..start), self.text.get(end..));
                    let (before, after) = (parts.0.unwrap_or_default(), parts.1.unwrap_or_default());
                    [before, &change.text, after].concat().into()
                }
            };
            self.lines = Lines::new(&self.text);
        }
        self.outline = OnceCell::new();
    }

    pub(super) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::new(&quadrille_dsl::parse(&self.text).0))
    }

    pub(super) fn byte(&self, position: Position) -> usize {
        self.lines.byte(&self.text, position)
    }

    pub(super) fn range(&self, span: Span) -> Range {
        self.lines.range(&self.text, span)
    }

    /// From the first character to the last.
    pub(super) fn whole(&self) -> Range {
        self.range(Span { start: 0, end: u32::try_from(self.text.len()).unwrap_or(u32::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn changes_follow_each_other() {
        let uri = Uri::from_str("file:///x.btrp").expect("an address");
        let mut document = Document::new(uri, 1, "ä😀b\nc".to_owned());
        let change = |start: (u32, u32), end: (u32, u32), text: &str| TextDocumentContentChangeEvent {
            range: Some(Range {
                start: Position { line: start.0, character: start.1 },
                end: Position { line: end.0, character: end.1 },
            }),
            range_length: None,
            text: text.to_owned(),
        };
        document.change(2, vec![change((0, 1), (0, 3), "ö\n"), change((1, 1), (2, 0), "d")]);
        assert_eq!(&*document.text, "äö\nbdc");
        document.change(3, vec![change((9, 9), (1, 0), "!"), change((1, 0), (0, 0), "?")]);
        assert_eq!(&*document.text, "äö\n?bdc!");
        let all = TextDocumentContentChangeEvent { range: None, range_length: None, text: "x".to_owned() };
        document.change(4, vec![all]);
        assert_eq!((&*document.text, document.version), ("x", 4));
    }
}

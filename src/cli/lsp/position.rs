//! Places as editors count them: lines and UTF-16 units.

use lsp_types::Position;
use lsp_types::Range;
use quadrille_dsl::Span;

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in text.bytes().enumerate() {
            // `\n`, `\r\n`, and `\r` alone end lines.
            if byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                starts.push(at + 1);
            }
        }
        Self { starts }
    }

    /// The byte of a position. One behind the end of a line is the end of that line, one
    /// behind the last line the end of the text, one within a character its start.
    pub(super) fn byte(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else { return text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let Some(content) = text.get(start..end) else { return text.len() };
        let content = content.trim_end_matches(['\n', '\r']);
        let mut units = 0;
        for (offset, character) in content.char_indices() {
            units += character.len_utf16() as u64;
            if units > u64::from(position.character) {
                return start + offset;
            }
        }
        start + content.len()
    }

    /// The position of a byte; one within a character is its start.
    pub(super) fn position(&self, text: &str, byte: usize) -> Position {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|&start| start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let units: usize = text.get(start..byte).unwrap_or_default().chars().map(char::len_utf16).sum();
        Position { line: line as u32, character: units as u32 }
    }

    pub(super) fn range(&self, text: &str, span: Span) -> Range {
        Range {
            start: self.position(text, span.start as usize),
            end: self.position(text, span.end.max(span.start) as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn positions_count_utf16_units() {
        // An umlaut has two bytes and one unit, a face four bytes and two units.
        let text = "ä😀b\r\nzweite\n\nend";
        let lines = Lines::new(text);
        for (position, byte) in [
            (at(0, 0), 0),
            (at(0, 1), 2),
            (at(0, 3), 6),
            (at(0, 4), 7),
            (at(1, 0), 9),
            (at(1, 6), 15),
            (at(2, 0), 16),
            (at(3, 3), 20),
        ] {
            assert_eq!(lines.byte(text, position), byte, "{position:?}");
            assert_eq!(lines.position(text, byte), position, "{byte}");
        }
    }

    #[test]
    fn positions_outside_are_brought_inside() {
        let text = "ä😀\r\nb";
        let lines = Lines::new(text);
        assert_eq!(lines.byte(text, at(0, 2)), 2, "half a face");
        assert_eq!(lines.byte(text, at(0, u32::MAX)), 6);
        assert_eq!(lines.byte(text, at(u32::MAX, 0)), text.len());
        assert_eq!(lines.byte(text, at(1, 99)), text.len());
        assert_eq!(lines.position(text, 1), at(0, 0), "half an umlaut");
        assert_eq!(lines.position(text, usize::MAX), at(1, 1));
        assert_eq!(Lines::new("").position("", 5), at(0, 0));
        assert_eq!(Lines::new("a\rb").position("a\rb", 2), at(1, 0));
    }

    #[test]
    fn every_byte_goes_there_and_back() {
        let text = "$größe = \"😀\";\r\n@n[1..2] : nœud; // ∅\n\n𝒳";
        let lines = Lines::new(text);
        for byte in (0..=text.len()).filter(|&byte| text.is_char_boundary(byte)) {
            // The end of a line is before its `\r\n`.
            if text[..byte].ends_with('\r') {
                continue;
            }
            assert_eq!(lines.byte(text, lines.position(text, byte)), byte);
        }
    }
}

//! Putting JSON together.

use super::reader::Number;
use crate::model::Value;
use std::fmt::Write;
use std::ops::Range;

/// A JSON text that grows. Its callers see to brackets and commas.
#[derive(Debug, Default)]
pub(super) struct Json {
    out: String,
}

impl Json {
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Brackets, commas, blanks.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What was written before, once more.
    pub(super) fn again(&mut self, range: Range<usize>) {
        self.out.extend_from_within(range);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\x1f' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    pub(super) fn key(&mut self, key: &str) {
        self.text(key);
        self.out.push_str(": ");
    }

    pub(super) fn unsigned(&mut self, value: u64) {
        let _ = write!(self.out, "{value}");
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    /// Finite numbers only: JSON has no others. A float keeps its point or exponent,
    /// by which it is told from a whole number.
    pub(super) fn number(&mut self, value: Number) {
        let _ = match value {
            Number::Int(value) => write!(self.out, "{value}"),
            Number::Float(value) => write!(self.out, "{value:?}"),
        };
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(value) => self.boolean(*value),
            Value::Int(value) => self.number(Number::Int(*value)),
            Value::Float(value) => self.number(Number::Float(*value)),
            Value::Text(value) => self.text(value),
        }
    }

    /// `[a, b, c]` on one line.
    pub(super) fn array<T>(&mut self, items: impl Iterator<Item = T>, mut item: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for (at, value) in items.enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            item(self, value);
        }
        self.out.push(']');
    }

    /// `[` … `]` (or braces) with each item on a line of its own, indented by `depth` steps.
    pub(super) fn lines<T>(
        &mut self,
        brackets: [&str; 2],
        depth: usize,
        items: impl Iterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.out.push_str(brackets[0]);
        let mut any = false;
        for value in items {
            self.out.push_str(if any { ",\n" } else { "\n" });
            any = true;
            self.indent(depth + 1);
            item(self, value);
        }
        if any {
            self.out.push('\n');
            self.indent(depth);
        }
        self.out.push_str(brackets[1]);
    }

    pub(super) fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.out.push_str("  ");
        }
    }
}

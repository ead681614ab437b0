//! What a lenient reading let pass.

use super::locate;
use std::collections::BTreeMap;

/// Notes of one kind that are kept word by word; the others are counted.
const KEPT: usize = 5;

/// Notes, gathered by kind in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<(&'static str, usize, String)>,
    counts: BTreeMap<&'static str, usize>,
}

impl Notes {
    /// Adds a note about the place at an offset. A hundred thousand of a kind cost no
    /// more than a handful.
    pub(super) fn add(&mut self, kind: &'static str, at: usize, text: impl FnOnce() -> String) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push((kind, at, text()));
        }
    }

    /// As sentences, each with its place.
    pub(super) fn told(self, text: &str) -> Vec<String> {
        let mut told: Vec<String> = self
            .kept
            .into_iter()
            .map(|(_, at, note)| {
                let (line, column) = locate::line_and_column(text, at);
                format!("line {line}, column {column}, {}: {note}", locate::path(text, at))
            })
            .collect();
        for (kind, count) in self.counts {
            if count > KEPT {
                told.push(format!("and {} more: {kind}", count - KEPT));
            }
        }
        told
    }
}

//! Diagnostics as they are found.

use super::limits;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Severity;
use quadrille_dsl::Span;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// Keeps each mistake once, and so many of a file.
#[derive(Debug, Default)]
pub(super) struct Log {
    all: Vec<Diagnostic>,
    /// A loop makes the same mistake in each round.
    met: FxHashSet<(u32, Span, &'static str)>,
    counts: FxHashMap<(u32, Severity), usize>,
    errors: usize,
}

impl Log {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let file = diagnostic.labels.first().map_or(0, |label| label.file);
        if !self.met.insert((file, diagnostic.span(), diagnostic.code)) {
            return;
        }
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        let count = self.counts.entry((file, diagnostic.severity)).or_default();
        *count += 1;
        if *count <= limits::DIAGNOSTICS {
            self.all.push(diagnostic);
        } else if *count == limits::DIAGNOSTICS + 1 {
            let mut last = diagnostic;
            last.code = "E0604";
            last.message = format!("there is more; the first {} are shown", limits::DIAGNOSTICS);
            last.help = None;
            last.labels.truncate(1);
            self.all.push(last);
        }
    }

    /// Errors so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// All of them, by file and place; those without more behind them last.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        let key = |diagnostic: &Diagnostic| {
            let label = diagnostic.labels.first();
            (
                label.map_or(0, |label| label.file),
                diagnostic.code == "E0604",
                label.map_or(Span::default(), |label| label.span),
                diagnostic.severity,
            )
        };
        self.all.sort_by_key(key);
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(at: u32) -> Diagnostic {
        Diagnostic::error("E0101", Span { start: at, end: at + 1 }, "no such thing")
    }

    #[test]
    fn the_same_mistake_is_told_once() {
        let mut log = Log::default();
        log.push(error(5));
        log.push(error(3));
        log.push(error(5));
        assert_eq!(log.errors(), 2);
        let starts: Vec<u32> = log.finish().iter().map(|diagnostic| diagnostic.span().start).collect();
        assert_eq!(starts, [3, 5]);
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut log = Log::default();
        for at in 0..1000 {
            log.push(error(at).warning());
        }
        assert_eq!(log.errors(), 0);
        for at in 0..1000 {
            log.push(error(at + 2000));
        }
        assert_eq!(log.errors(), 1000);
        let all = log.finish();
        assert_eq!(all.len(), 2 * limits::DIAGNOSTICS + 2);
        assert_eq!(all.iter().filter(|diagnostic| diagnostic.code == "E0604").count(), 2);
    }
}

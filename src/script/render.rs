//! Diagnostics for people, and for editors.

use super::report::Report;
use codespan_reporting::diagnostic as shown;
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term;
use codespan_reporting::term::Chars;
use codespan_reporting::term::Config;
use codespan_reporting::term::termcolor::Ansi;
use codespan_reporting::term::termcolor::NoColor;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Label;
use quadrille_dsl::Severity;
use rustc_hash::FxHashMap;
use serde_json::Value;
use serde_json::json;
use std::fmt::Write as _;

/// Longer lines are not shown.
const LONGEST_LINE: usize = 400;

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Diagnostics with the lines that they are about, as compilers show them.
pub fn human(report: &Report, diagnostics: &[Diagnostic], color: bool) -> String {
    let mut files = SimpleFiles::new();
    let mut ids: FxHashMap<u32, usize> = FxHashMap::default();
    let mut lines = Lines::default();
    let config = Config { chars: Chars::ascii(), ..Config::default() };
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        let shows = !diagnostic.labels.is_empty()
            && diagnostic.labels.iter().all(|label| lines.are_short(report, label));
        if !shows {
            out.extend(plain(report, diagnostic, &mut lines).into_bytes());
            continue;
        }
        for label in &diagnostic.labels {
            ids.entry(label.file).or_insert_with(|| {
                let name = printable(report.name(label.file).unwrap_or_default());
                files.add(name, same_length(report.text(label.file).unwrap_or_default()))
            });
        }
        let labels = diagnostic.labels.iter().enumerate().map(|(at, label)| {
            let text = report.text(label.file).unwrap_or_default();
            let start = boundary(text, label.span.start as usize);
            let end = boundary(text, label.span.end as usize).max(start);
            let id = ids.get(&label.file).copied().unwrap_or_default();
            let shown = if at == 0 {
                shown::Label::primary(id, start..end)
            } else {
                shown::Label::secondary(id, start..end)
            };
            shown.with_message(printable(&label.text))
        });
        let severity = match diagnostic.severity {
            Severity::Error => shown::Severity::Error,
            Severity::Warning => shown::Severity::Warning,
        };
        let shown = shown::Diagnostic::new(severity)
            .with_code(diagnostic.code)
            .with_message(printable(&diagnostic.message))
            .with_labels(labels.collect())
            .with_notes(diagnostic.help.iter().map(|help| format!("help: {}", printable(help))).collect());
        let mut one = Vec::new();
        let written = if color {
            term::emit_to_write_style(&mut Ansi::new(&mut one), &config, &files, &shown)
        } else {
            term::emit_to_write_style(&mut NoColor::new(&mut one), &config, &files, &shown)
        };
        match written {
            Ok(()) => out.extend(one),
            Err(_) => out.extend(plain(report, diagnostic, &mut lines).into_bytes()),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A diagnostic without the line that it is about.
fn plain(report: &Report, diagnostic: &Diagnostic, lines: &mut Lines) -> String {
    // Writing to a string does not fail.
    let mut text =
        format!("{}[{}]: {}\n", word(diagnostic.severity), diagnostic.code, printable(&diagnostic.message));
    for label in &diagnostic.labels {
        let (line, column) = lines.position(report, label.file, label.span.start as usize);
        let name = printable(report.name(label.file).unwrap_or_default());
        let _ = match label.text.as_str() {
            "" => writeln!(text, "  --> {name}:{line}:{column}"),
            said => writeln!(text, "  --> {name}:{line}:{column}: {}", printable(said)),
        };
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "  = help: {}", printable(help));
    }
    text.push('\n');
    text
}

/// One JSON object a line for each diagnostic: `file`, `code`, `severity`, `message`,
/// `start` and `end` (`line` and `column` from 1, columns in characters), `label`,
/// `labels` (further places, each with `file`, `start`, `end` and `text`), and `help`
/// where there is some.
pub fn json_lines(report: &Report, diagnostics: &[Diagnostic]) -> String {
    let mut lines = Lines::default();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let mut place = |label: &Label| {
            let mut end_of = |byte: u32| {
                let (line, column) = lines.position(report, label.file, byte as usize);
                json!({ "line": line, "column": column })
            };
            let (start, end) = (end_of(label.span.start), end_of(label.span.end));
            (report.name(label.file).unwrap_or_default(), start, end)
        };
        let mut object = serde_json::Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        if let Some(first) = diagnostic.labels.first() {
            let (file, start, end) = place(first);
            put("file", json!(file));
            put("start", start);
            put("end", end);
            put("label", json!(first.text));
        }
        put("code", json!(diagnostic.code));
        put("severity", json!(word(diagnostic.severity)));
        put("message", json!(diagnostic.message));
        let others: Vec<Value> = diagnostic
            .labels
            .iter()
            .skip(1)
            .map(|label| {
                let (file, start, end) = place(label);
                json!({ "file": file, "start": start, "end": end, "text": label.text })
            })
            .collect();
        put("labels", Value::Array(others));
        if let Some(help) = &diagnostic.help {
            put("help", json!(help));
        }
        let _ = writeln!(text, "{}", Value::Object(object));
    }
    text
}

/// The starts of the lines of each file.
#[derive(Default)]
struct Lines {
    starts: FxHashMap<u32, Vec<usize>>,
}

impl Lines {
    fn starts(&mut self, report: &Report, file: u32) -> &[usize] {
        self.starts.entry(file).or_insert_with(|| {
            let text = report.text(file).unwrap_or_default();
            let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(after).collect()
        })
    }

    /// The line of a byte, from 0, and where it starts.
    fn line(&mut self, report: &Report, file: u32, byte: usize) -> (usize, usize) {
        let starts = self.starts(report, file);
        let line = starts.partition_point(|&start| start <= byte).saturating_sub(1);
        (line, starts.get(line).copied().unwrap_or_default())
    }

    /// Line and column from 1.
    fn position(&mut self, report: &Report, file: u32, byte: usize) -> (usize, usize) {
        let text = report.text(file).unwrap_or_default();
        let byte = boundary(text, byte);
        let (line, start) = self.line(report, file, byte);
        (line + 1, text.get(start..byte).unwrap_or_default().chars().count() + 1)
    }

    /// Are the lines short on which it starts and ends?
    fn are_short(&mut self, report: &Report, label: &Label) -> bool {
        let length = report.text(label.file).unwrap_or_default().len();
        [label.span.start, label.span.end].into_iter().all(|byte| {
            let (line, start) = self.line(report, label.file, byte as usize);
            let end = self.starts(report, label.file).get(line + 1).copied().unwrap_or(length);
            end.saturating_sub(start) <= LONGEST_LINE
        })
    }
}

/// The start of the character that a byte is in.
fn boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Characters that a terminal would act on, or that turn the direction of writing.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is written by others, for a terminal.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// The same for whole files: every character stays where it is.
fn same_length(text: &str) -> String {
    let clean = |character: char| match (character, character.len_utf8()) {
        ('\n' | '\t', _) => character,
        ('\r', _) => ' ',
        (_, length) if is_harmful(character) => match length {
            1 => '?',
            2 => '\u{bf}',
            _ => '\u{fffd}',
        },
        _ => character,
    };
    text.chars().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quadrille_dsl::Span;

    fn report(text: &str) -> Report {
        let mut report = Report::default();
        report.add("a.btrp", text.to_owned());
        report
    }

    fn error(start: u32, end: u32) -> Diagnostic {
        Diagnostic::error("E0101", Span { start, end }, "there is no VM `VM9`")
            .with_help("did you mean `VM1`?")
    }

    #[test]
    fn for_people() {
        let report = report("namespace a;\nspread(VM9);\n");
        let text = human(&report, &[error(20, 23)], false);
        let expected = [
            "error[E0101]: there is no VM `VM9`",
            "  --> a.btrp:2:8",
            "  |",
            "2 | spread(VM9);",
            "  |        ^^^",
            "  |",
            "  = help: did you mean `VM1`?",
        ];
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[..7], expected, "{text}");
        assert!(human(&report, &[error(20, 23)], true).contains("\x1b["));
    }

    #[test]
    fn for_editors() {
        let report = report("ä\nüx\n");
        let text = json_lines(&report, &[error(5, 6).and(0, Span { start: 0, end: 2 }, "here").warning()]);
        let value: Value = serde_json::from_str(text.trim()).expect("JSON");
        assert_eq!(value["file"], "a.btrp");
        assert_eq!(value["severity"], "warning");
        assert_eq!(value["start"], json!({ "line": 2, "column": 2 }));
        assert_eq!(value["end"], json!({ "line": 2, "column": 3 }));
        assert_eq!(value["labels"][0]["text"], "here");
        assert_eq!(value["help"], "did you mean `VM1`?");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn hostile_texts() {
        let report = report(&format!("\x1b[31m\u{202e}x{}", "y".repeat(10_000)));
        for span in [(0, 1), (2, 3), (9, 10_000), (20_000, 30_000), (7, 2), (u32::MAX, u32::MAX)] {
            let text = human(&report, &[error(span.0, span.1)], false);
            assert!(!text.contains('\x1b') && text.len() < 500, "{text}");
            assert_eq!(json_lines(&report, &[error(span.0, span.1)]).lines().count(), 1);
        }
        let mut strange = error(0, 0);
        strange.labels[0].file = 7;
        assert!(human(&report, &[strange.clone()], false).contains("VM9"));
        strange.labels.clear();
        strange.message = "\x1b".to_owned();
        assert!(human(&report, &[strange], true).contains("u{1b}"));
    }

    #[test]
    fn the_end_of_a_file() {
        for text in ["", "a", "a\n"] {
            let report = report(text);
            let end = text.len() as u32;
            assert!(human(&report, &[error(end, end)], false).contains("a.btrp:"));
        }
    }
}

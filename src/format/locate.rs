//! From an offset in a text to what a person can find: line, column, path.

use super::reader::DEEPEST;
use super::reader::Parsed;
use super::reader::Reader;
use std::fmt::Write;

/// Line and column of an offset, both from 1; the column counts characters.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    // Continuation bytes do not start a character.
    let column = before[start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
    (line, column)
}

/// A step from a value to one within it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// To the value of a key of an object.
    Key(String),
    /// To the element of an array at this position.
    At(usize),
    /// To the first element of an array that is an object with the key `id` and this text.
    WithId(&'static str),
}

impl Step {
    pub(super) fn key(key: impl Into<String>) -> Self {
        Step::Key(key.into())
    }
}

/// The offset of the value to which steps lead from the start of the document, or of the last
/// one on the way that is there. Nothing is kept for it while a document is read: it is for
/// faults that are seen once all is known. Linear in the text.
pub(super) fn find(reader: &Reader<'_>, steps: &[Step]) -> usize {
    let mut reader = reader.seek(0);
    for step in steps {
        let mut inside = reader.clone();
        match enter(&mut inside, step) {
            Ok(true) => reader = inside,
            Ok(false) | Err(_) => break,
        }
    }
    reader.here()
}

/// Goes one step on from a value; false where it does not lead anywhere.
fn enter(reader: &mut Reader<'_>, step: &Step) -> Parsed<bool> {
    match step {
        Step::Key(wanted) => {
            reader.object("an object")?;
            while let Some(key) = reader.key()? {
                if key == wanted.as_str() {
                    return Ok(true);
                }
                reader.skip()?;
            }
        }
        Step::At(wanted) => {
            reader.array("an array")?;
            let mut at = 0;
            while reader.element()? {
                if at == *wanted {
                    return Ok(true);
                }
                reader.skip()?;
                at += 1;
            }
        }
        Step::WithId(wanted) => {
            reader.array("an array")?;
            while reader.element()? {
                let mut inside = reader.clone();
                let has_id = matches!(enter(&mut inside, &Step::key("id")), Ok(true));
                if has_id && inside.text_value("a text").is_ok_and(|id| id == *wanted) {
                    return Ok(true);
                }
                reader.skip()?;
            }
        }
    }
    Ok(false)
}

enum Frame {
    Array(usize),
    /// Where the current key lies, if there is one yet.
    Object(Option<(usize, usize)>),
}

/// The path of the value (or key) at an offset, as `$.model.views[2].nodes.17`.
///
/// The text may be broken anywhere, and is from the offset on. Linear in the offset.
pub(super) fn path(text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let mut frames: Vec<Frame> = Vec::new();
    // In an object, a text is a key if it follows `{` or `,`.
    let mut key_due = false;
    let mut position = 0;
    while position < bytes.len() && position <= at {
        match bytes[position] {
            // What opens at the offset itself is the value that is meant.
            b'{' | b'[' if position < at => {
                if frames.len() > DEEPEST as usize {
                    break;
                }
                key_due = bytes[position] == b'{';
                frames.push(if key_due { Frame::Object(None) } else { Frame::Array(0) });
            }
            b'}' | b']' if position < at => {
                frames.pop();
                key_due = false;
            }
            b',' if position < at => match frames.last_mut() {
                Some(Frame::Array(index)) => *index += 1,
                Some(Frame::Object(key)) => {
                    *key = None;
                    key_due = true;
                }
                None => {}
            },
            b'"' => {
                let start = position + 1;
                position = start;
                while position < bytes.len() && bytes[position] != b'"' {
                    position += if bytes[position] == b'\\' { 2 } else { 1 };
                }
                if key_due && let Some(Frame::Object(key)) = frames.last_mut() {
                    *key = Some((start, position.min(bytes.len())));
                    key_due = false;
                }
            }
            _ => {}
        }
        position += 1;
    }
    let mut path = "$".to_owned();
    for frame in frames {
        match frame {
            Frame::Array(index) => {
                let _ = write!(path, "[{index}]");
            }
            Frame::Object(Some((start, end))) => push_key(&mut path, text.get(start..end).unwrap_or("?")),
            Frame::Object(None) => {}
        }
    }
    path
}

fn push_key(path: &mut String, key: &str) {
    const MOST: usize = 60;
    let plain = !key.is_empty()
        && key.len() <= MOST
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'#' | b'@'));
    if plain {
        path.push('.');
        path.push_str(key);
        return;
    }
    let shown: String = key.chars().take(MOST).collect();
    let more = if shown.len() < key.len() { "…" } else { "" };
    let _ = write!(path, "[\"{}{more}\"]", Printable(&shown));
}

/// A key as it stands in the text (its escapes are there already), without what a
/// terminal would not print.
struct Printable<'t>(&'t str);

impl std::fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' | '\'' => f.write_char(character),
            other => write!(f, "{}", other.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_keys_and_indices() {
        let text = r#"{"model": {"views": [{}, {"a,]\"": 1}, {"id": "x", "nodes": {"3": 1, "17": -2}}]}, "end": tru"#;
        let at = |needle: &str| path(text, text.find(needle).expect("it is there"));
        assert_eq!(at("-2"), "$.model.views[2].nodes.17");
        assert_eq!(at("\"17\""), "$.model.views[2].nodes.17");
        assert_eq!(at("1}, {"), r#"$.model.views[1]["a,]\""]"#);
        assert_eq!(at("[{}"), "$.model.views");
        assert_eq!(at("{}"), "$.model.views[0]");
        assert_eq!(at("tru"), "$.end");
        assert_eq!(path("", 0), "$");
        assert_eq!(path("{\"a", 1), "$.a");
        assert_eq!(path("]]}}", 3), "$");
    }

    #[test]
    fn values_are_found_again() {
        let text = r#" {"a": [1, {"x\u0041": 7, "id": "no"}, {"id": "net", "y": [true]}], "b": 2}"#;
        let at = |steps: &[Step]| &text[find(&Reader::new(text), steps)..];
        let a = Step::key("a");
        assert!(at(&[Step::key("b")]).starts_with("2}"));
        assert!(at(&[a.clone(), Step::At(1), Step::key("xA")]).starts_with("7,"));
        assert!(at(&[a.clone(), Step::WithId("net"), Step::key("y"), Step::At(0)]).starts_with("true"));
        // As far as it goes.
        assert!(at(&[Step::At(0)]).starts_with("{\"a\""));
        assert!(at(&[a.clone(), Step::At(3)]).starts_with("[1"));
        assert!(at(&[a.clone(), Step::At(0), Step::key("z")]).starts_with("1,"));
        assert!(at(&[a, Step::WithId("other")]).starts_with("[1"));
        assert_eq!(find(&Reader::new(""), &[Step::At(0)]), 0);
        assert_eq!(find(&Reader::new("{\"a\": x"), &[Step::key("b")]), 0);
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_and_column("é\né!", 5), (2, 2));
        assert_eq!(line_and_column("ab", 99), (1, 3));
    }
}

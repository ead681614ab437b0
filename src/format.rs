//! Reading and writing: instances and plans, as our own JSON and as BtrPlace's.
//!
//! Every reader takes bytes that may be anything at all and answers with an instance
//! (or a plan) that is sound, or with a [`FormatError`] that says where what was
//! expected. Nothing is read and then ignored, save what a format says to ignore.

pub mod btrplace;
pub mod native;

mod attributes;
mod field;
mod inflate;
mod locate;
mod nearest;
mod notes;
mod reader;
mod rule;
mod schema;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub use inflate::inflate;
pub use nearest::nearest;
pub use schema::SchemaKind;
pub use schema::schema;

use crate::model::Instance;
use notes::Notes;
use reader::Fault;
use reader::Parsed;
use reader::Reader;
use std::fmt;

/// The longest text that [`inflate`] should be asked for: 4 GiB, the reach of the
/// offsets in which names are kept.
pub const LONGEST_TEXT: u64 = u32::MAX as u64;

/// A document that is not what it should be, or that cannot say what it would have to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The JSON path of the value, such as `$.model.views[2].nodes.17`; empty where the
    /// fault is not at one place (compressed data, or something that cannot be written).
    pub path: String,
    /// The line, from 1; 0 where the fault is not at one place.
    pub line: usize,
    /// The column in characters, from 1; 0 where the fault is not at one place.
    pub column: usize,
    /// What was expected and what was found, in one sentence without a full stop.
    pub message: String,
}

impl FormatError {
    /// A fault of the document as a whole.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { path: String::new(), line: 0, column: 0, message: message.into() }
    }

    fn located(text: &str, fault: &Fault) -> Self {
        let (line, column) = locate::line_and_column(text, fault.at);
        Self { path: locate::path(text, fault.at), line, column, message: fault.message.clone() }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}, {}: ", self.line, self.column, self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

/// How an instance is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What is unknown is left out with a note, and a few historic spellings are
    /// accepted with one, instead of being errors.
    pub lenient: bool,
}

/// How an instance or a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// What the format cannot say is left out with a note instead of being an error.
    pub lossy: bool,
}

/// A document, and what was lost or is peculiar about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The document; it ends with a line feed.
    pub text: String,
    /// Sentences about what the document does not say.
    pub notes: Vec<String>,
}

/// The formats of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstanceFormat {
    /// Our own JSON, by names: `{"schema": "quadrille/instance/1", …}`.
    Quadrille,
    /// BtrPlace's JSON, by integers: `{"model": …}`.
    BtrPlace,
}

/// An instance that was read.
#[derive(Clone, Debug)]
pub struct ReadInstance {
    /// The instance.
    pub instance: Instance,
    /// The format that it was in.
    pub format: InstanceFormat,
    /// What was left out or taken in another sense than it was written.
    pub notes: Vec<String>,
}

/// Reads an instance, told apart by its keys: `schema` is ours, `model` is BtrPlace's.
///
/// ```
/// use quadrille::format::{ReadOptions, read_instance};
///
/// let text = br#"{"schema": "quadrille/instance/1",
///     "nodes": [{"name": "n1", "capacity": {"cpu": 8}}],
///     "vms": [{"name": "web", "host": "n1", "demand": {"cpu": 2}}]}"#;
/// let read = read_instance(text, &ReadOptions::default())?;
/// assert_eq!(read.instance.vm_count(), 1);
///
/// let error = read_instance(br#"{"schema": "quadrille/instance/1", "node": []}"#, &ReadOptions::default());
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     "line 1, column 36, $.node: unknown key `node`; did you mean `nodes`?"
/// );
/// # Ok::<(), quadrille::format::FormatError>(())
/// ```
///
/// # Errors
/// Where the document is not JSON, of neither format, or contradicts itself.
pub fn read_instance(bytes: &[u8], options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    read_document(bytes, options, |mut reader, context| match detect(reader.clone())? {
        InstanceFormat::Quadrille => Ok((native::instance(&mut reader, context)?, InstanceFormat::Quadrille)),
        InstanceFormat::BtrPlace => Ok((btrplace::instance(&mut reader, context)?, InstanceFormat::BtrPlace)),
    })
    .map(|((instance, format), notes)| ReadInstance { instance, format, notes })
}

/// What a reading carries along: whether it is lenient, and what it let pass.
struct Context {
    lenient: bool,
    notes: Notes,
}

impl Context {
    /// Lets something pass with a note if the reading is lenient; an error otherwise.
    fn tolerate(&mut self, kind: &'static str, at: usize, message: impl FnOnce() -> String) -> Parsed<()> {
        if !self.lenient {
            return reader::fault(at, message());
        }
        self.notes.add(kind, at, message);
        Ok(())
    }

    /// Lets a key be missing that BtrPlace always writes. `start` is where the object begins.
    fn missing(&mut self, key: &str, start: usize) -> Parsed<()> {
        self.tolerate("missing keys", start, || format!("the key `{key}` is missing"))
    }
}

/// Reads a whole document and gives faults and notes their place.
fn read_document<'a, T>(
    bytes: &'a [u8],
    options: &ReadOptions,
    read: impl FnOnce(Reader<'a>, &mut Context) -> Parsed<T>,
) -> Result<(T, Vec<String>), FormatError> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let mut notes = Vec::new();
    let mut bytes = bytes;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(FormatError {
            path: "$".to_owned(),
            line: 1,
            column: 1,
            message: "expected UTF-8, found a byte order mark of UTF-16".to_owned(),
        });
    }
    if let Some(rest) = bytes.strip_prefix(MARK) {
        let message = "the text starts with a byte order mark, which JSON does not have".to_owned();
        if !options.lenient {
            return Err(FormatError { path: "$".to_owned(), line: 1, column: 1, message });
        }
        notes.push(message);
        bytes = rest;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let byte = bytes.get(good.len()).copied().unwrap_or_default();
            let message = format!("expected UTF-8, found the byte 0x{byte:02x}, which is not part of it");
            return Err(FormatError::located(good, &Fault { at: good.len(), message }));
        }
    };
    let mut context = Context { lenient: options.lenient, notes: Notes::default() };
    let value = read(Reader::new(text), &mut context).map_err(|fault| FormatError::located(text, &fault))?;
    notes.extend(context.notes.told(text));
    Ok((value, notes))
}

/// Looks at the keys of the document until one tells the format.
fn detect(mut reader: Reader<'_>) -> Parsed<InstanceFormat> {
    const EXPECTED: &str = "an instance: an object with the key `schema` or `model`";
    let start = reader.here();
    reader.object(EXPECTED)?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "schema" => return Ok(InstanceFormat::Quadrille),
            "model" => return Ok(InstanceFormat::BtrPlace),
            "origin" | "actions" | "plan" => {
                return reader::fault(start, "expected an instance, found a plan");
            }
            _ => reader.span()?,
        };
    }
    reader::fault(start, "expected the key `schema` (our own format) or `model` (BtrPlace's), found neither")
}

#[cfg(test)]
mod tests;

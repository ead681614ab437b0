//! The keys of an object whose meaning depends on one of them, which may come last.

use super::nearest::nearest;
use super::reader::Parsed;
use super::reader::Reader;
use super::reader::Span;
use super::reader::fault;
use super::reader::quoted;
use std::borrow::Cow;

/// A key with its value, not yet read.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) key_at: usize,
    pub(super) span: Span,
    /// Its place among the values that were met before, if it is a long one.
    pub(super) memo: Option<usize>,
}

/// Reads the keys and passes over the values of an object.
pub(super) fn fields<'a>(reader: &mut Reader<'a>, what: &str) -> Parsed<Vec<Field<'a>>> {
    let mut fields = Vec::new();
    reader.object(what)?;
    while let Some(key) = reader.key()? {
        let key_at = reader.key_at();
        let span = reader.span()?;
        fields.push(Field { key, key_at, span, memo: None });
    }
    Ok(fields)
}

/// The one field of a key.
pub(super) fn only<'f, 'a>(fields: &'f [Field<'a>], key: &str) -> Parsed<Option<&'f Field<'a>>> {
    let mut found = None;
    for field in fields {
        if field.key == key {
            if found.is_some() {
                return fault(field.key_at, format!("the key {} is given twice", quoted(key)));
            }
            found = Some(field);
        }
    }
    Ok(found)
}

/// The one field of a key that must be there. `start` is where the object begins.
pub(super) fn required<'f, 'a>(fields: &'f [Field<'a>], key: &str, start: usize) -> Parsed<&'f Field<'a>> {
    match only(fields, key)? {
        Some(field) => Ok(field),
        None => {
            let near = nearest(key, fields.iter().map(|field| field.key.as_ref()))
                .map_or(String::new(), |near| format!("; it has {}", quoted(near)));
            fault(start, format!("the key `{key}` is missing{near}"))
        }
    }
}

/// The value of a key that must have been met. `start` is where the object begins.
pub(super) fn needed<T>(value: Option<T>, key: &str, start: usize) -> Parsed<T> {
    match value {
        Some(value) => Ok(value),
        None => fault(start, format!("the key `{key}` is missing")),
    }
}

impl<'a> Field<'a> {
    /// Reads the value.
    pub(super) fn read<T>(
        &self,
        reader: &Reader<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Parsed<T>,
    ) -> Parsed<T> {
        let mut reader = reader.seek(self.span.start);
        let value = read(&mut reader)?;
        reader.arrived(self.span)?;
        Ok(value)
    }
}

/// Checks the values of the keys that are not among these: nobody else looks at them.
pub(super) fn skip_others(reader: &Reader<'_>, fields: &[Field<'_>], known: &[&str]) -> Parsed<()> {
    for field in fields.iter().filter(|field| !known.contains(&field.key.as_ref())) {
        field.read(reader, Reader::skip)?;
    }
    Ok(())
}

/// A key that an object has at most once: the value that it already has is an error.
pub(super) fn once<T>(slot: &Option<T>, key: &str, reader: &Reader<'_>) -> Parsed<()> {
    match slot {
        None => Ok(()),
        Some(_) => fault(reader.key_at(), format!("the key `{key}` is given twice")),
    }
}

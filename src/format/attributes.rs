//! Attributes in JSON, which both formats write alike.

use super::Context;
use super::FormatError;
use super::reader::Number;
use super::reader::Parsed;
use super::reader::Reader;
use super::reader::fault;
use super::reader::quoted;
use super::writer::Json;
use crate::model::Attributes;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::Value;
use crate::model::known_attributes;
use crate::model::meant_by;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

/// Gathers the attributes of the VMs or of the nodes. Keys are few and come in the same
/// order for every element, texts repeat: both are kept once.
#[derive(Debug, Default)]
pub(super) struct AttributeTable {
    keys: Vec<String>,
    by_key: HashMap<Box<str>, u16>,
    /// The row in which each key was last met.
    last_row: Vec<u32>,
    texts: HashSet<Arc<str>>,
    /// Each element's pairs together, sorted by key.
    pairs: Vec<(u16, Value)>,
    /// The elements in the order in which they were read, each with the end of its pairs.
    elements: Vec<(u32, u32)>,
    row: u32,
}

impl AttributeTable {
    /// Reads the object of an element; each element at most once.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, element: u32) -> Parsed<()> {
        self.row += 1;
        let mut next = 0;
        let first = self.pairs.len();
        reader.object("an object of attributes")?;
        while let Some(key) = reader.key()? {
            let key_at = reader.key_at();
            let key = self.key(&key, next, key_at)?;
            let last = &mut self.last_row[usize::from(key)];
            if *last == self.row {
                let name = quoted(&self.keys[usize::from(key)]);
                return fault(key_at, format!("the attribute {name} is given twice"));
            }
            *last = self.row;
            next = usize::from(key) + 1;
            let value = self.value(reader)?;
            self.pairs.push((key, value));
        }
        if self.pairs.len() > first {
            self.pairs[first..].sort_unstable_by_key(|pair| pair.0);
            self.elements.push((element, self.pairs.len() as u32));
        }
        Ok(())
    }

    fn key(&mut self, key: &str, next: usize, at: usize) -> Parsed<u16> {
        if self.keys.get(next).is_some_and(|known| known == key) {
            return Ok(next as u16);
        }
        if let Some(&known) = self.by_key.get(key) {
            return Ok(known);
        }
        let Ok(new) = u16::try_from(self.keys.len()) else {
            return fault(at, "expected at most 65536 different attributes, found one more");
        };
        self.keys.push(key.to_owned());
        self.last_row.push(0);
        self.by_key.insert(key.into(), new);
        Ok(new)
    }

    fn value(&mut self, reader: &mut Reader<'_>) -> Parsed<Value> {
        const WHAT: &str = "the value of an attribute: true, false, a number or a text";
        Ok(match reader.peek() {
            Some(b'"') => {
                let text = reader.text_value(WHAT)?;
                match self.texts.get(text.as_ref()) {
                    Some(known) => Value::Text(known.clone()),
                    None => {
                        let text: Arc<str> = text.into();
                        self.texts.insert(text.clone());
                        Value::Text(text)
                    }
                }
            }
            Some(b't' | b'f') => Value::Bool(reader.boolean(WHAT)?),
            _ => match reader.number(WHAT)? {
                Number::Int(value) => Value::Int(value),
                Number::Float(value) => Value::Float(value),
            },
        })
    }

    /// The table. Rows are put in the order of their elements here, whole rows at a
    /// time, so that nothing is left to sort.
    pub(super) fn finish(mut self) -> Attributes {
        let mut start = 0;
        let mut spans: Vec<(u32, usize, usize)> = Vec::with_capacity(self.elements.len());
        for (element, end) in self.elements {
            spans.push((element, start, end as usize));
            start = end as usize;
        }
        spans.sort_unstable();
        let mut rows = Vec::with_capacity(self.pairs.len());
        for (element, start, end) in spans {
            for (key, value) in &mut self.pairs[start..end] {
                rows.push((element, *key, std::mem::replace(value, Value::Bool(false))));
            }
        }
        Attributes::from_rows(rows, self.keys)
    }
}

/// Notes attributes that mean nothing and are called nearly like one that does, each once: at its
/// first element, whose place the readers find.
pub(super) fn note_misspelt(
    instance: &Instance,
    context: &mut Context,
    place: impl Fn(bool, usize, &str) -> usize,
) {
    for (of_nodes, elements) in [(false, instance.vms()), (true, instance.nodes())] {
        let attributes = elements.attributes();
        for key in attributes.keys() {
            let Some(meant) = meant_by(key, known_attributes(of_nodes)) else { continue };
            let Some(first) = (0..elements.len()).find(|&row| attributes.get(row, key).is_some()) else {
                continue;
            };
            context.notes.add("attributes that mean nothing", place(of_nodes, first, key), || {
                format!("the attribute {} means nothing; did you mean `{meant}`?", quoted(key))
            });
        }
    }
}

/// Writes the attributes of an element as an object, by key.
///
/// # Errors
/// When one is a number that JSON does not have.
pub(super) fn write(json: &mut Json, elements: &Elements, index: usize) -> Result<(), FormatError> {
    write_pairs(json, elements, index, sorted(elements.attributes(), index))
}

/// The attributes of an element, by key.
pub(super) fn sorted(attributes: &Attributes, index: usize) -> Vec<(&str, Value)> {
    let mut pairs: Vec<(&str, Value)> =
        attributes.of(index).map(|(key, value)| (key, value.clone())).collect();
    pairs.sort_unstable_by_key(|(key, _)| *key);
    pairs
}

/// Writes attributes that may not all be the element's own.
///
/// # Errors
/// As [`write`].
pub(super) fn write_pairs(
    json: &mut Json,
    elements: &Elements,
    index: usize,
    pairs: Vec<(&str, Value)>,
) -> Result<(), FormatError> {
    json.raw("{");
    for (at, (key, value)) in pairs.into_iter().enumerate() {
        if let Value::Float(number) = value
            && !number.is_finite()
        {
            let name = elements.name(index);
            return Err(FormatError::whole(format!(
                "the attribute {} of {} is {number}, which JSON cannot say",
                quoted(key),
                quoted(name)
            )));
        }
        if at > 0 {
            json.raw(", ");
        }
        json.key(key);
        json.value(&value);
    }
    json.raw("}");
    Ok(())
}

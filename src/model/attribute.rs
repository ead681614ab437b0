//! Attributes: free key-value pairs on VMs and nodes.

use std::sync::Arc;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// true or false
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text; equal texts may be shared.
    Text(Arc<str>),
}

impl Value {
    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is a whole one (`2.0` counts).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(*value as i64),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            Value::Bool(_) | Value::Text(_) => None,
        }
    }

    /// As a sentence says it: a text in quotes and not at any length.
    pub fn said(&self) -> String {
        const MOST: usize = 60;
        match self {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) if value.abs() >= 1e16 => format!("{value:e}"),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => match text.char_indices().nth(MOST) {
                Some((end, _)) => format!("`{}…`", text[..end].escape_debug()),
                None => format!("`{}`", text.escape_debug()),
            },
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }
}

/// The attributes of all VMs (or of all nodes), row by row.
///
/// Keys are few and interned; a look-up scans the row of one element.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    keys: Vec<String>,
    /// `entries[ends[i - 1]..ends[i]]` belong to element i; rows past the end are empty.
    ends: Vec<u32>,
    entries: Vec<(u16, Value)>,
}

impl Attributes {
    /// Builds the table from (element, index into `keys`, value) in any order; the
    /// last value given for a key wins.
    pub fn from_rows(mut rows: Vec<(u32, u16, Value)>, keys: Vec<String>) -> Self {
        rows.sort_by_key(|row| (row.0, row.1));
        let mut ends = Vec::new();
        let mut entries: Vec<(u16, Value)> = Vec::with_capacity(rows.len());
        let mut last: Option<(u32, u16)> = None;
        for (element, key, value) in rows {
            if last == Some((element, key)) {
                if let Some(entry) = entries.last_mut() {
                    entry.1 = value;
                }
                continue;
            }
            while ends.len() < element as usize {
                ends.push(entries.len() as u32);
            }
            entries.push((key, value));
            last = Some((element, key));
        }
        if let Some((element, _)) = last {
            while ends.len() <= element as usize {
                ends.push(entries.len() as u32);
            }
        }
        Self { keys, ends, entries }
    }

    fn row(&self, index: usize) -> &[(u16, Value)] {
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.entries[start as usize..end as usize]
    }

    /// The value of a key of an element.
    pub fn get(&self, index: usize, key: &str) -> Option<&Value> {
        self.get_key(index, self.key(key)?)
    }

    /// The value of an interned key of an element: for loops over many elements.
    pub fn get_key(&self, index: usize, key: u16) -> Option<&Value> {
        self.row(index).iter().find(|(other, _)| *other == key).map(|(_, value)| value)
    }

    /// Gives an element a value for a key, in place of the one that it has. Linear in the table.
    pub(crate) fn set(&mut self, index: usize, key: &str, value: Value) {
        let mut keys = std::mem::take(&mut self.keys);
        let known = keys.iter().position(|other| other == key);
        let key = known.unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        });
        let rows = (0..self.ends.len()).flat_map(|element| {
            self.row(element).iter().map(move |(key, value)| (element as u32, *key, value.clone()))
        });
        let mut rows: Vec<(u32, u16, Value)> = rows.collect();
        rows.push((index as u32, key as u16, value));
        *self = Self::from_rows(rows, keys);
    }

    /// The interned form of a key, if any element has it.
    pub fn key(&self, key: &str) -> Option<u16> {
        self.keys.iter().position(|other| other == key).map(|at| at as u16)
    }

    /// All attributes of an element, by order of interning.
    pub fn of(&self, index: usize) -> impl Iterator<Item = (&str, &Value)> {
        self.row(index).iter().map(|(key, value)| (self.keys[*key as usize].as_str(), value))
    }

    /// All keys, in the order of interning.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Number of different keys.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Has no element any attribute?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Equal when every element has the same pairs, whatever the order of the keys.
impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        let rows = self.ends.len().max(other.ends.len());
        (0..rows).all(|index| {
            self.row(index).len() == other.row(index).len()
                && self.of(index).all(|(key, value)| other.get(index, key) == Some(value))
        })
    }
}

//! Names, numbers, tags and attributes of the VMs or of the nodes.

use super::Attributes;
use std::collections::BTreeMap;

/// What is known of each VM (or each node) beside its state.
///
/// Names lie in one string; looking one up by id costs nothing, by name a scan
/// (readers keep their own table while they read).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elements {
    text: String,
    ends: Vec<u32>,
    /// The integers that BtrPlace files use, where the instance came from one.
    pub(crate) numbers: Option<Vec<u32>>,
    /// Further names of an element, as a naming view may give several.
    pub(crate) aliases: Vec<(String, u32)>,
    pub(crate) tags: BTreeMap<u32, Vec<String>>,
    pub(crate) attributes: Attributes,
}

impl Elements {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name of the element at an index.
    pub fn name(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// All names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.name(index))
    }

    /// The element of a name. Linear; keep a table for many questions.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names().position(|other| other == name).or_else(|| {
            let alias = self.aliases.iter().find(|(alias, _)| alias == name)?;
            Some(alias.1 as usize)
        })
    }

    /// Appends an element.
    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
    }

    /// The integer that BtrPlace files use for the element.
    pub fn number(&self, index: usize) -> u32 {
        self.numbers.as_ref().map_or(index as u32, |numbers| numbers[index])
    }

    /// The tags of an element.
    pub fn tags(&self, index: usize) -> &[String] {
        self.tags.get(&(index as u32)).map_or(&[], Vec::as_slice)
    }

    /// The attributes of all elements.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

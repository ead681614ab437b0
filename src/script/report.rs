//! The texts that diagnostics point into.

/// A text that was read.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
}

/// The files of a run, by the indices that the labels of diagnostics have.
#[derive(Clone, Debug, Default)]
pub struct Report {
    sources: Vec<Source>,
}

impl Report {
    /// Of one text, whose labels have the index 0.
    pub fn of(name: &str, text: String) -> Self {
        Self { sources: vec![Source { name: name.to_owned(), text }] }
    }

    /// Adds a text; its index.
    pub(super) fn add(&mut self, name: &str, text: String) -> u32 {
        self.sources.push(Source { name: name.to_owned(), text });
        self.sources.len() as u32 - 1
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// What a file is called.
    pub fn name(&self, file: u32) -> Option<&str> {
        self.sources.get(file as usize).map(|source| source.name.as_str())
    }

    /// What is in it.
    pub fn text(&self, file: u32) -> Option<&str> {
        self.sources.get(file as usize).map(|source| source.text.as_str())
    }
}

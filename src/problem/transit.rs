//! What moves take beside room in bins: channels between them.

use std::fmt::Debug;

/// A move between two bins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Seconds from its start to its end.
    pub seconds: u32,
    /// What it takes of each of its channels.
    pub rate: u64,
    /// The channels, ascending.
    pub channels: Vec<u32>,
}

/// What moves take on the channels between bins, each of which carries no more than its
/// capacity at once.
pub trait Transit: Debug + Send + Sync {
    /// The capacity of each channel.
    fn capacities(&self) -> &[u64];

    /// A move of an item at the largest rate there is; `None` where it cannot be done.
    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage>;
}

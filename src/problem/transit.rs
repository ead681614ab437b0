//! What moves take beside room in bins: channels between them.

use std::fmt::Debug;

/// A move between two bins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Seconds from its start to its end.
    pub seconds: u32,
    /// Its bandwidth, in Mbit/s.
    pub bandwidth: u64,
    /// What it takes of which channels, by channel, ascending.
    pub uses: Vec<(u32, u64)>,
}

/// What moves take on the channels between bins, each of which carries no more than its
/// capacity at once.
pub trait Transit: Debug + Send + Sync {
    /// The capacity of each channel.
    fn capacities(&self) -> &[u64];

    /// A move of an item at the largest rate there is; `None` where it cannot be done.
    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage>;
}

//! What moves, and open bins, take beside room: channels that all share.

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

/// The parts of the largest rate at which moves may be done: all of it, a half, a fourth.
pub const PARTS: [u64; 3] = [1, 2, 4];

/// What moves take on the channels between bins, and open bins of them, from the start of
/// their opening to the end of their closing. No channel carries more than its capacity at
/// once; where open bins take more than that at the start, it never carries more than before.
pub trait Transit: Debug + Send + Sync {
    /// The capacity of each channel.
    fn capacities(&self) -> &[u64];

    /// A move of an item at the largest rate there is; `None` where it cannot be done.
    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage>;

    /// The same at this part of the largest rate: a half, a fourth; `None` where it cannot be
    /// done so.
    fn slower(&self, item: u32, from: u32, to: u32, part: u64) -> Option<Passage>;

    /// The same where a copy of the item takes its place, for as long as that takes anyway.
    fn copy(&self, item: u32, from: u32, to: u32) -> Option<Vec<(u32, u64)>>;

    /// What an open bin takes of which channels, by channel.
    fn standing(&self, bin: u32) -> &[(u32, u64)];

    /// Does it depend on the bins how long a move takes?
    fn is_far(&self) -> bool;
}

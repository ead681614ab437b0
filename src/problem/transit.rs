//! What moves, and open bins, take beside room: channels that all share.

use super::BitSet;
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

/// What an item takes of a channel at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toll {
    /// The channel.
    pub channel: u32,
    /// It takes at least so much while it is on the channel.
    pub amount: u64,
    /// It is there for at least so many seconds.
    pub seconds: u32,
    /// Amount times seconds is at least this.
    pub work: u128,
}

/// The parts of the largest rate at which moves may be done where they may share: all of it, a
/// half, a fourth.
pub const PARTS: [u64; 3] = [1, 2, 4];

/// What moves take on the channels between bins, and open bins of them, from the start of
/// their opening to the end of their closing. No channel carries more than its capacity at
/// once; where open bins take more than that at the start, it never carries more than before.
pub trait Transit: Debug + Send + Sync {
    /// The capacity of each channel.
    fn capacities(&self) -> &[u64];

    /// A move of an item at the largest rate there is; `None` where it cannot be done.
    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage>;

    /// What an item cannot avoid that gets from one bin to another, whatever stops it makes
    /// on the way, or out of the bin where `to` is [`super::NONE`]: at least one of its moves
    /// takes as much, at whatever part of its rate. Each channel once, and none where nothing
    /// is known.
    fn tolls(&self, _item: u32, _from: u32, _to: u32) -> Vec<Toll> {
        Vec::new()
    }

    /// May a move that starts in this bin take the channel?
    fn comes_from(&self, _channel: u32, _bin: u32) -> bool {
        true
    }

    /// May a move that ends in this bin take the channel?
    fn leads_to(&self, _channel: u32, _bin: u32) -> bool {
        true
    }

    /// The parts of the largest rate at which moves may be done; the first is 1.
    fn parts(&self) -> &[u64] {
        &PARTS[..1]
    }

    /// A move at this part of the largest rate; `None` where it cannot be done so.
    fn slower(&self, _item: u32, _from: u32, _to: u32, _part: u64) -> Option<Passage> {
        None
    }

    /// What a move takes of channels where a copy of the item takes its place, for as long as
    /// that takes anyway.
    fn copy(&self, _item: u32, _from: u32, _to: u32) -> Option<Vec<(u32, u64)>> {
        Some(Vec::new())
    }

    /// All channels that moves of these items among these bins may take, in any order; `None`
    /// where that costs too much to say. `budget` is what it may cost yet, in ways looked at.
    fn among(&self, _items: &[u32], _bins: &BitSet, _budget: &mut u64) -> Option<Vec<u32>> {
        None
    }

    /// What an open bin takes of which channels, by channel.
    fn standing(&self, _bin: u32) -> &[(u32, u64)] {
        &[]
    }

    /// Does it depend on the bins how long a move takes?
    fn is_far(&self) -> bool {
        true
    }
}

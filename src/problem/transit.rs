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

/// What moves take on the channels between bins, each of which carries no more than its
/// capacity at once.
pub trait Transit: Debug + Send + Sync {
    /// The capacity of each channel.
    fn capacities(&self) -> &[u64];

    /// A move of an item at the largest rate there is; `None` where it cannot be done.
    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage>;

    /// What an item cannot avoid that gets from one bin to another, whatever stops it makes
    /// on the way, or out of the bin where `to` is [`super::NONE`]: at least one of its moves
    /// takes as much. Each channel once, and none where nothing is known.
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
}

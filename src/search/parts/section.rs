//! The channels of one part.

use crate::problem::NONE;
use crate::problem::Passage;
use crate::problem::Toll;
use crate::problem::Transit;
use std::sync::Arc;

/// What the moves and bins of a part take of the channels that no other part touches, all in
/// the numbers of the part.
#[derive(Debug)]
pub(super) struct Section {
    whole: Arc<dyn Transit>,
    /// By item, bin and channel of the part: its number in the whole; channels ascend.
    items: Vec<u32>,
    bins: Vec<u32>,
    channels: Vec<u32>,
    capacities: Vec<u64>,
    /// By bin of the part.
    standing: Vec<Vec<(u32, u64)>>,
}

impl Section {
    /// The part with these items, bins and channels, given by their numbers in the whole;
    /// channels ascend.
    pub(super) fn new(whole: Arc<dyn Transit>, items: &[u32], bins: &[u32], channels: Vec<u32>) -> Self {
        let capacities = channels.iter().map(|&channel| whole.capacities()[channel as usize]).collect();
        let (items, bins) = (items.to_vec(), bins.to_vec());
        let mut section = Self { whole, items, bins, channels, capacities, standing: Vec::new() };
        let standing = |&bin: &u32| section.own(section.whole.standing(bin).to_vec());
        section.standing = section.bins.iter().map(|bin| standing(bin).unwrap_or_default()).collect();
        section
    }

    fn item(&self, item: u32) -> u32 {
        self.items[item as usize]
    }

    fn bin(&self, bin: u32) -> u32 {
        if bin == NONE { NONE } else { self.bins[bin as usize] }
    }

    fn channel(&self, channel: u32) -> Option<u32> {
        self.channels.binary_search(&channel).ok().map(|at| at as u32)
    }

    /// Shares in the numbers of the part; `None` if one is of a channel of another part.
    fn own(&self, mut uses: Vec<(u32, u64)>) -> Option<Vec<(u32, u64)>> {
        for (channel, _) in &mut uses {
            *channel = self.channel(*channel)?;
        }
        Some(uses)
    }

    fn own_passage(&self, passage: Passage) -> Option<Passage> {
        Some(Passage { uses: self.own(passage.uses)?, ..passage })
    }
}

impl Transit for Section {
    fn capacities(&self) -> &[u64] {
        &self.capacities
    }

    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage> {
        self.own_passage(self.whole.passage(self.item(item), self.bin(from), self.bin(to))?)
    }

    fn tolls(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        let tolls = self.whole.tolls(self.item(item), self.bin(from), self.bin(to));
        let own = |toll: Toll| Some(Toll { channel: self.channel(toll.channel)?, ..toll });
        tolls.into_iter().filter_map(own).collect()
    }

    fn comes_from(&self, channel: u32, bin: u32) -> bool {
        self.whole.comes_from(self.channels[channel as usize], self.bin(bin))
    }

    fn leads_to(&self, channel: u32, bin: u32) -> bool {
        self.whole.leads_to(self.channels[channel as usize], self.bin(bin))
    }

    fn parts(&self) -> &[u64] {
        self.whole.parts()
    }

    fn slower(&self, item: u32, from: u32, to: u32, part: u64) -> Option<Passage> {
        self.own_passage(self.whole.slower(self.item(item), self.bin(from), self.bin(to), part)?)
    }

    fn copy(&self, item: u32, from: u32, to: u32) -> Option<Vec<(u32, u64)>> {
        self.own(self.whole.copy(self.item(item), self.bin(from), self.bin(to))?)
    }

    fn standing(&self, bin: u32) -> &[(u32, u64)] {
        &self.standing[bin as usize]
    }

    fn is_far(&self) -> bool {
        self.whole.is_far()
    }
}

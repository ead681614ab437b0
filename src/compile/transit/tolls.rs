//! What an item cannot avoid on its way, whatever stops it makes.

use super::Accounts;
use super::Links;
use super::Ways;
use super::owner_at;
use crate::model::NodeId;
use crate::model::VmId;
use crate::problem::NONE;
use crate::problem::Toll;

/// Groups of rates that are told apart.
const MOST_RATES: usize = 12;

impl Ways {
    /// See [`crate::problem::Transit::tolls`].
    pub(super) fn unavoidable(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        let mut found = self.links.as_ref().map_or_else(Vec::new, |links| links.tolls(item, from, to));
        let least = |node: u32| match &self.links {
            Some(links) => links.least_seconds(item, node),
            None => Some(self.legs[item as usize]),
        };
        if let Some(leaves) = least(from) {
            let ends = [(from, leaves), (to, least(to).unwrap_or(0))];
            self.accounts.unavoidable(self.vm_of[item as usize], ends, &mut found);
        }
        found
    }
}

impl Links {
    fn tolls(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        let Some(Some(cargo)) = self.cargo.get(item as usize) else { return Vec::new() };
        let to = (to != NONE).then_some(NodeId(to));
        let toll = |channel: u32| {
            // A way over the channel is no wider than it, and as wide as something.
            let capacity = self.topology.channel(channel).1;
            let widths = &self.widths[..self.widths.partition_point(|&width| width <= capacity)];
            let mut toll: Option<Toll> = None;
            for &part in self.parts_of(item) {
                // Of a group of rates the slowest takes the least, and nothing is over sooner than
                // at the fastest.
                for group in widths.chunks(widths.len().div_ceil(MOST_RATES).max(1)) {
                    let mut rates = group.iter().map(|&width| width.min(cargo.most) / part);
                    let seconds = |rate: u64| match group.len() {
                        1 => cargo.flow(self.model.get(), rate).ok().map(|flow| flow.seconds),
                        _ => cargo.least(self.model.get(), rate).ok(),
                    };
                    let Some(fastest) = rates.clone().next_back().filter(|&rate| rate > 0) else { continue };
                    let Some(seconds) = seconds(fastest) else { continue };
                    let flows = |rate: &u64| *rate > 0 && cargo.flow(self.model.get(), *rate).is_ok();
                    let amount = rates.find(flows).unwrap_or(fastest);
                    let work = u128::from(amount) * u128::from(seconds);
                    let known = toll.get_or_insert(Toll { channel, amount, seconds, work });
                    known.amount = known.amount.min(amount);
                    known.seconds = known.seconds.min(seconds);
                    known.work = known.work.min(work);
                }
            }
            toll
        };
        self.topology.crossed(NodeId(from), to).into_iter().filter_map(toll).collect()
    }

    /// The least seconds of a move of an item out of a node, or into it; `None` where there is no
    /// such move.
    fn least_seconds(&self, item: u32, node: u32) -> Option<u32> {
        let cargo = self.cargo.get(item as usize)?.as_ref()?;
        let rate = self.widest.get(node as usize)?.min(&cargo.most);
        cargo.least(self.model.get(), *rate).ok()
    }
}

impl Accounts {
    /// Adds what is taken of budgets whatever stops are made: the first move leaves the one
    /// node, the last comes to the other. Given the least seconds of each; no node ([`NONE`]) is
    /// anywhere.
    fn unavoidable(&self, vm: VmId, ends: [(u32, u32); 2], found: &mut Vec<Toll>) {
        let known = found.len();
        // The other end of either move may be where no budget knows of.
        let moves = [(ends[0], (ends[0].0, NONE)), (ends[1], (NONE, ends[1].0))];
        for ((node, seconds), (start, end)) in moves {
            if node == NONE {
                continue;
            }
            for (budget, first) in self.concerned(vm, start, end) {
                for (owner, amount) in budget.shares(vm, NodeId(start), NodeId(end)) {
                    let channel = first + owner_at(budget, owner);
                    let work = u128::from(amount) * u128::from(seconds);
                    match found[known..].iter_mut().find(|toll| toll.channel == channel) {
                        // What a set has in common may be taken once for both.
                        Some(toll) => {
                            toll.seconds = toll.seconds.max(seconds);
                            toll.work = toll.work.max(work);
                        }
                        None => found.push(Toll { channel, amount, seconds, work }),
                    }
                }
            }
        }
    }
}

//! What to decide next: who leaves a bin that is too full, and where who must leave goes.
//!
//! Items that had a part in failures come first (Moskewicz et al. 2001), each with the bin
//! that it had last (Pipatsrisawat and Darwiche 2007), at first that of the best plan. All
//! others stay, once those are settled.

use super::model::Model;
use crate::engine::Atom;
use crate::engine::Guide;
use crate::engine::Var;
use crate::engine::View;
use crate::problem::NONE;
use crate::problem::Packing;

/// How much a failure counts less than the next one.
const DECAY: f64 = 0.95;
const LARGEST: f64 = 1e100;

#[derive(Debug)]
pub(super) struct Repairer {
    hosts: Vec<Var>,
    /// By slot: its source, or [`NONE`].
    source: Vec<u32>,
    /// By slot: the bins that it may end in, the roomiest first.
    choices: Vec<Vec<u32>>,
    /// By slot: does it sit where somebody has to leave?
    crowded: Vec<bool>,
    /// By slot: the value that it had last.
    last: Vec<i32>,
    activity: Vec<f64>,
    bump: f64,
    /// By variable: its slot, or [`NONE`].
    slot: Vec<u32>,
    /// What else is to be decided, and whether its largest value is tried first.
    others: Vec<(Var, bool)>,
}

impl Repairer {
    pub(super) fn new(model: &Model, packing: &Packing, crowded: &[bool], wish: Option<&[u32]>) -> Self {
        let count = model.items.len();
        let dims = packing.dims;
        // What is free at the start, relative to the capacity of the fullest dimension.
        let mut free: Vec<u64> = Vec::new();
        let mut load = vec![0u64; packing.bins.len() * dims];
        for (item, row) in packing.items.iter().enumerate() {
            if row.source != NONE && row.role == crate::problem::Role::Stay {
                for (load, size) in
                    load[row.source as usize * dims..].iter_mut().zip(packing.then(item as u32))
                {
                    *load = load.saturating_add(*size);
                }
            }
        }
        for bin in 0..packing.bins.len() {
            let share = |dim: usize| {
                let capacity = packing.capacity_then[bin * dims + dim];
                let left = capacity.saturating_sub(load[bin * dims + dim]);
                ((u128::from(left) << 20) / u128::from(capacity.max(1))) as u64
            };
            free.push((0..dims).map(share).min().unwrap_or(0));
        }
        let size = |item: u32| -> f64 {
            (0..dims).map(|dim| packing.then(item)[dim] as f64 / (1 + scale(packing, dim)) as f64).sum()
        };
        let mut slot = Vec::new();
        for (at, var) in model.hosts.iter().enumerate() {
            slot.resize((var.0 as usize + 1).max(slot.len()), NONE);
            slot[var.0 as usize] = at as u32;
        }
        let mut others: Vec<(Var, bool)> =
            model.open.iter().map(|&(bin, var)| (var, packing.bins[bin as usize].open)).collect();
        others.extend(model.others.iter().map(|&var| (var, false)));
        others.extend([(model.parking, false), (model.total, false)]);
        others.extend(model.seconds.map(|var| (var, false)));
        Self {
            hosts: model.hosts.clone(),
            source: model.items.iter().map(|&item| packing.items[item as usize].source).collect(),
            choices: model
                .choices
                .iter()
                .map(|bins| {
                    let mut bins = bins.clone();
                    bins.sort_by_key(|&bin| (std::cmp::Reverse(free[bin as usize]), bin));
                    bins
                })
                .collect(),
            crowded: model
                .items
                .iter()
                .map(|&item| {
                    let source = packing.items[item as usize].source;
                    source != NONE && crowded[source as usize]
                })
                .collect(),
            last: model
                .items
                .iter()
                .map(|&item| wish.map_or(-1, |wish| wish[item as usize] as i32))
                .collect(),
            activity: model.items.iter().map(|&item| 1e-3 * size(item)).collect(),
            bump: 1.0,
            slot,
            others,
        }
        .checked(count)
    }

    fn checked(self, count: usize) -> Self {
        debug_assert_eq!(self.hosts.len(), count);
        self
    }
}

fn scale(packing: &Packing, dim: usize) -> u64 {
    packing.size_then.iter().skip(dim).step_by(packing.dims.max(1)).copied().max().unwrap_or(0).min(1 << 40)
}

impl Guide for Repairer {
    fn choose(&mut self, view: &dyn View) -> Option<Atom> {
        let mut best: Option<(bool, f64, usize)> = None;
        for (slot, &host) in self.hosts.iter().enumerate() {
            if view.value(host).is_some() {
                continue;
            }
            let source = self.source[slot];
            let must = source == NONE || !view.contains(host, source as i32);
            let urgent = must || self.crowded[slot];
            let rank = (urgent, self.activity[slot]);
            if best.is_none_or(|(urgent, activity, _)| (rank.0, rank.1) > (urgent, activity)) {
                best = Some((rank.0, rank.1, slot));
            }
        }
        if let Some((_, _, slot)) = best {
            let host = self.hosts[slot];
            let last = self.last[slot];
            let source = self.source[slot];
            let bin = if last >= 0 && view.contains(host, last) {
                last
            } else if source != NONE && view.contains(host, source as i32) {
                source as i32
            } else {
                let first = self.choices[slot].iter().find(|&&bin| view.contains(host, bin as i32));
                first.map_or_else(|| view.least(host), |&bin| bin as i32)
            };
            return Some(Atom::Is(host, bin));
        }
        self.others.iter().find(|(var, _)| view.value(*var).is_none()).map(|&(var, largest)| {
            if largest { Atom::AtLeast(var, view.most(var)) } else { Atom::AtMost(var, view.least(var)) }
        })
    }

    fn blame(&mut self, var: Var) {
        let Some(&slot) = self.slot.get(var.0 as usize) else { return };
        if slot == NONE {
            return;
        }
        let activity = &mut self.activity[slot as usize];
        *activity += self.bump;
        if *activity > LARGEST {
            self.activity.iter_mut().for_each(|activity| *activity /= LARGEST);
            self.bump /= LARGEST;
        }
    }

    fn failed(&mut self) {
        self.bump /= DECAY;
    }

    fn released(&mut self, var: Var, value: i32) {
        if let Some(&slot) = self.slot.get(var.0 as usize)
            && slot != NONE
        {
            self.last[slot as usize] = value;
        }
    }
}

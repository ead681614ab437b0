//! Sums over sets of bins stay within their limits.
//!
//! Each row weighs some items; those that end in its bins for sure must not weigh more
//! than the limit, and whoever would be too much stays out. An item is in for sure when
//! no bin outside is left to it. Cost: rows times items, times bins for those undecided.

use crate::engine::Atom;
use crate::engine::Propagator;
use crate::engine::Stop;
use crate::engine::Store;
use crate::engine::Var;
use crate::engine::View;
use crate::problem::BitSet;
use std::rc::Rc;

/// A limit on what a set of bins holds.
#[derive(Clone, Debug)]
pub struct Row {
    /// The bins.
    pub bins: BitSet,
    /// (item, weight): weights are positive.
    pub weights: Vec<(u32, u64)>,
    /// The limit on the sum of the weights.
    pub limit: u64,
}

/// The rule: every row holds.
#[derive(Clone, Debug)]
pub struct Sums {
    /// By item: its last bin, and the bins that it may end in, ascending.
    hosts: Rc<[(Var, Vec<u32>)]>,
    rows: Rc<[Row]>,
}

impl Sums {
    /// The rule over rows of items.
    pub fn new(hosts: Vec<(Var, Vec<u32>)>, rows: Vec<Row>) -> Self {
        Self { hosts: hosts.into(), rows: rows.into() }
    }

    fn is_in(&self, view: &impl View, item: u32, bins: &BitSet) -> bool {
        let (host, all) = &self.hosts[item as usize];
        match view.value(*host) {
            Some(bin) => bins.contains(bin as u32),
            None => all.iter().all(|&bin| bins.contains(bin) || !view.contains(*host, bin as i32)),
        }
    }

    fn reason(&self, view: &impl View, item: u32, bins: &BitSet, reason: &mut Vec<Atom>) {
        let (host, all) = &self.hosts[item as usize];
        match view.value(*host) {
            Some(bin) => reason.push(Atom::Is(*host, bin)),
            None => reason.extend(
                all.iter().filter(|&&bin| !bins.contains(bin)).map(|&bin| Atom::Not(*host, bin as i32)),
            ),
        }
    }
}

impl Propagator for Sums {
    fn name(&self) -> &'static str {
        "sums"
    }

    fn watched(&self) -> Vec<Var> {
        self.hosts.iter().map(|host| host.0).collect()
    }

    fn propagate(&mut self, store: &mut impl Store) -> Result<(), Stop> {
        for row in self.rows.iter() {
            let mut sum = 0u64;
            let mut within: Vec<(u64, u32)> = Vec::new();
            for &(item, weight) in &row.weights {
                if self.is_in(store, item, &row.bins) {
                    sum = sum.saturating_add(weight);
                    within.push((weight, item));
                }
            }
            within.sort_unstable_by(|a, b| b.cmp(a));
            // The heaviest of those within that weigh more than this together.
            let reason = |store: &dyn Fn(u32, &mut Vec<Atom>), more_than: u64| {
                let mut reason = Vec::new();
                let mut weight = 0u64;
                for &(size, item) in &within {
                    if weight > more_than {
                        break;
                    }
                    weight = weight.saturating_add(size);
                    store(item, &mut reason);
                }
                reason
            };
            if sum > row.limit {
                let why = |item: u32, to: &mut Vec<Atom>| self.reason(store, item, &row.bins, to);
                return Err(Stop::Conflict(reason(&why, row.limit)));
            }
            let free = row.limit - sum;
            for &(item, weight) in row.weights.iter().filter(|entry| entry.1 > free) {
                let (host, all) = &self.hosts[item as usize];
                let open = all
                    .iter()
                    .filter(|&&bin| row.bins.contains(bin) && store.contains(*host, bin as i32))
                    .copied();
                let open: Vec<u32> = open.collect();
                if open.is_empty() || self.is_in(store, item, &row.bins) {
                    continue;
                }
                let why = |item: u32, to: &mut Vec<Atom>| self.reason(store, item, &row.bins, to);
                // With the item they weigh more than the limit.
                let reason = if weight > row.limit { Vec::new() } else { reason(&why, row.limit - weight) };
                for bin in open {
                    store.imply(Atom::Not(*host, bin as i32), &reason)?;
                }
            }
        }
        Ok(())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Domains;
    use crate::engine::testing::check;
    use crate::random::Random;

    #[test]
    fn conclusions_follow_from_their_reasons() {
        let mut random = Random::new(5);
        for _ in 0..3000 {
            let (bins, items) = (2 + random.below(3), 2 + random.below(3));
            let domains: Vec<Vec<i32>> = (0..items)
                .map(|_| {
                    let keep = random.below(bins);
                    (0..bins)
                        .filter(|&bin| bin == keep || random.below(3) > 0)
                        .map(|bin| bin as i32)
                        .collect()
                })
                .collect();
            let rows: Vec<Row> = (0..1 + random.below(2))
                .map(|_| {
                    let mut set = BitSet::empty(bins);
                    (0..bins as u32).filter(|_| random.below(2) == 0).for_each(|bin| set.insert(bin));
                    let weights = (0..items as u32).filter(|_| random.below(4) > 0);
                    let weights = weights.map(|item| (item, 1 + item as u64 % 3)).collect();
                    Row { bins: set, weights, limit: random.below(5) as u64 }
                })
                .collect();
            let hosts = domains
                .iter()
                .zip(0..)
                .map(|(domain, at)| (Var(at), domain.iter().map(|&bin| bin as u32).collect()));
            let rule = Sums::new(hosts.collect(), rows.clone());
            let narrow = |domain: &Vec<i32>| {
                let keep = domain[random.below(domain.len())];
                domain.iter().copied().filter(|&bin| bin == keep || random.below(3) == 0).collect()
            };
            let narrowed = Domains(domains.iter().map(narrow).collect());
            let holds = |values: &[i32]| {
                rows.iter().all(|row| {
                    let inside =
                        row.weights.iter().filter(|entry| row.bins.contains(values[entry.0 as usize] as u32));
                    inside.map(|entry| entry.1).sum::<u64>() <= row.limit
                })
            };
            assert_eq!(check(&rule, &domains, &narrowed, &holds), Ok(()), "{rows:?}\n{narrowed:?}");
        }
    }
}

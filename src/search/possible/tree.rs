//! Every placement of a small problem, one unit after the other.

use super::Possible;
use super::Units;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::RelationKind;
use crate::problem::Shares;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::search::Limits;
use rustc_hash::FxHashMap;

/// Problems with more units are not looked at: repair is better at them.
const MOST_UNITS: usize = 400;

struct Tree<'u, 'p> {
    units: &'u Units<'p>,
    ledger: Ledger<'p>,
    /// By bin: bins of one class are alike for all units.
    class: Vec<u32>,
    /// By unit: its bin, or [`NONE`].
    bin_of: Vec<u32>,
    /// Relations that limit the open bins: the bins, how many, how many are open now.
    powered: Vec<(&'p Shares, u64, u64)>,
    survive: Vec<u32>,
    budget: &'u mut u64,
    limits: &'u Limits,
    /// Something cannot be decided here.
    open_question: bool,
}

/// What came of a branch.
#[derive(PartialEq)]
enum End {
    Found,
    Nothing,
    Budget,
}

/// Tries every placement of the units; `budget` bins at most.
pub(super) fn search(units: &Units<'_>, budget: &mut u64, limits: &Limits) -> Possible {
    if units.units.len() > MOST_UNITS {
        return Possible::Unknown;
    }
    let packing = units.packing;
    let hard = || (0u32..).zip(&packing.relations).filter(|(_, relation)| relation.penalty.is_none());
    let powered = hard().filter_map(|(_, relation)| match &relation.kind {
        RelationKind::Powered { bins, limit } => {
            Some((bins, *limit, bins.sum(|bin| units.open.contains(bin))))
        }
        _ => None,
    });
    let mut tree = Tree {
        units,
        ledger: Ledger::new(packing, Moment::Then),
        class: classes(units),
        bin_of: vec![NONE; units.units.len()],
        powered: powered.collect(),
        survive: hard()
            .filter(|(_, relation)| matches!(relation.kind, RelationKind::Survive { .. }))
            .map(|(at, _)| at)
            .collect(),
        budget,
        limits,
        open_question: false,
    };
    match tree.descend() {
        End::Found => {
            let bin = |&unit: &u32| tree.bin_of.get(unit as usize).copied().unwrap_or(NONE);
            Possible::Yes(units.unit_of.iter().map(bin).collect())
        }
        End::Nothing if !tree.open_question => {
            // Which of them are to blame is not known.
            let mut items: Vec<u32> =
                units.units.iter().flat_map(|unit| unit.items.iter().copied()).collect();
            items.sort_unstable();
            Possible::No(items)
        }
        End::Nothing | End::Budget => Possible::Unknown,
    }
}

/// Numbers bins such that those of one number can be exchanged for each other.
fn classes(units: &Units<'_>) -> Vec<u32> {
    let packing = units.packing;
    let mut domains: Vec<&BitSet> = units.units.iter().map(|unit| &unit.domain).collect();
    domains.sort_by_key(|domain| domain.iter().next());
    domains.dedup();
    let sets: Vec<&BitSet> = packing
        .relations
        .iter()
        .filter(|relation| relation.penalty.is_none())
        .filter_map(|relation| match &relation.kind {
            RelationKind::Load { bins, .. }
            | RelationKind::Count { bins, .. }
            | RelationKind::Survive { bins, .. } => Some(bins),
            _ => None,
        })
        .collect();
    let shares: Vec<&Shares> = packing
        .relations
        .iter()
        .filter(|relation| relation.penalty.is_none())
        .filter_map(|relation| match &relation.kind {
            RelationKind::Powered { bins, .. } => Some(bins),
            _ => None,
        })
        .collect();
    let mut known: FxHashMap<Vec<u64>, u32> = FxHashMap::default();
    (0..packing.bins.len() as u32)
        .map(|bin| {
            let row = bin as usize * packing.dims;
            let mut key: Vec<u64> = packing.capacity_then[row..row + packing.dims].to_vec();
            key.push(u64::from(packing.bins[bin as usize].later == Later::Closed));
            key.push(u64::from(units.open.contains(bin)));
            key.extend(shares.iter().flat_map(|shares| [u64::from(shares.contains(bin)), shares.of(bin)]));
            key.extend(
                packing.partitions.iter().map(|partition| u64::from(partition.group_of[bin as usize])),
            );
            let bits: Vec<bool> = domains.iter().chain(&sets).map(|set| set.contains(bin)).collect();
            key.extend(
                bits.chunks(64).map(|bits| {
                    bits.iter().enumerate().fold(0, |word, (at, &bit)| word | u64::from(bit) << at)
                }),
            );
            let next = known.len() as u32;
            *known.entry(key).or_insert(next)
        })
        .collect()
}

impl Tree<'_, '_> {
    /// Places the unit with the least choice, and what is left.
    fn descend(&mut self) -> End {
        let mut next: Option<(u32, Vec<u32>)> = None;
        for unit in 0..self.units.units.len() as u32 {
            if self.bin_of[unit as usize] != NONE {
                continue;
            }
            let Some(bins) = self.bins(unit, next.as_ref().map_or(usize::MAX, |next| next.1.len())) else {
                continue;
            };
            if *self.budget == 0 || self.limits.cancel.is_cancelled() {
                return End::Budget;
            }
            let done = bins.len() < 2;
            next = Some((unit, bins));
            if done {
                break;
            }
        }
        let Some((unit, bins)) = next else { return self.leaf() };
        if self.limits.reached(0).is_some() {
            return End::Budget;
        }
        for bin in bins {
            if !self.enter(unit, bin) {
                continue;
            }
            let end = if self.survives() { self.descend() } else { End::Nothing };
            if end != End::Nothing {
                return end;
            }
            self.leave(unit, bin);
        }
        End::Nothing
    }

    /// The bins that a unit may enter, of empty ones that are alike only one; `None`
    /// where they are as many as `most`.
    fn bins(&mut self, unit: u32, most: usize) -> Option<Vec<u32>> {
        let mut bins = Vec::new();
        let mut classes: Vec<u32> = Vec::new();
        let units = self.units;
        for bin in units.units[unit as usize].domain.iter() {
            let empty = self.ledger.guests(bin).is_empty();
            let class = self.class[bin as usize];
            if empty && classes.contains(&class) {
                continue;
            }
            *self.budget = self.budget.saturating_sub(1);
            if self.enter(unit, bin) {
                self.leave(unit, bin);
                bins.push(bin);
                if bins.len() >= most {
                    return None;
                }
            }
            if empty {
                classes.push(class);
            }
        }
        // Where it is; then bins in use: they leave the others free.
        let source = units.packing.items[units.units[unit as usize].items[0] as usize].source;
        bins.sort_by_key(|&bin| (bin != source, self.ledger.guests(bin).is_empty()));
        Some(bins)
    }

    /// Puts a unit into a bin, if that breaks nothing.
    fn enter(&mut self, unit: u32, bin: u32) -> bool {
        let units = self.units;
        let packing = units.packing;
        let row = &units.units[unit as usize];
        if self.ledger.has_room(bin, &row.size).is_err() {
            return false;
        }
        if self.ledger.guests(bin).is_empty()
            && !units.open.contains(bin)
            && self
                .powered
                .iter()
                .any(|(bins, limit, open)| bins.contains(bin) && open.saturating_add(bins.of(bin)) > *limit)
        {
            return false;
        }
        for (done, &item) in row.items.iter().enumerate() {
            if self.ledger.may_enter(item, bin, packing.then(item)).is_err() {
                for &item in row.items[..done].iter().rev() {
                    self.ledger.remove(item, bin, packing.then(item));
                }
                return false;
            }
            self.ledger.add(item, bin, packing.then(item));
        }
        if self.ledger.guests(bin).len() == row.items.len() {
            self.count_open(bin, true);
        }
        self.bin_of[unit as usize] = bin;
        true
    }

    fn leave(&mut self, unit: u32, bin: u32) {
        let units = self.units;
        for &item in units.units[unit as usize].items.iter().rev() {
            self.ledger.remove(item, bin, units.packing.then(item));
        }
        if self.ledger.guests(bin).is_empty() {
            self.count_open(bin, false);
        }
        self.bin_of[unit as usize] = NONE;
    }

    fn count_open(&mut self, bin: u32, opens: bool) {
        if self.units.open.contains(bin) {
            return;
        }
        for (bins, _, open) in self.powered.iter_mut().filter(|(bins, ..)| bins.contains(bin)) {
            let share = bins.of(bin);
            *open = if opens { *open + share } else { *open - share };
        }
    }

    /// With everything open that may be: can crashes be survived? What is not placed yet
    /// makes it no easier.
    fn survives(&mut self) -> bool {
        let bins = &self.units.packing.bins;
        let open = |bin: u32| bins[bin as usize].later != Later::Closed;
        self.survive.iter().all(|&at| self.ledger.violation(at, &open) == 0)
    }

    fn leaf(&mut self) -> End {
        // Which bins are switched off decides whether a crash is survived: not tried here.
        if !self.survive.is_empty() && !self.powered.is_empty() {
            self.open_question = true;
            return End::Nothing;
        }
        if self.powered.iter().any(|(_, limit, open)| open > limit) {
            return End::Nothing;
        }
        End::Found
    }
}

//! From "everything stays" to a placement, by repair.
//!
//! What breaks something leaves its bin, as few items as possible; then whoever has no
//! bin gets one: those with the least choice first, each at the best fit, by pushing
//! others aside where nothing is left.

use super::Limits;
use super::place::Places;
use super::presolve;
use super::presolve::Analysis;
use super::presolve::Need;
use super::random::Random;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Ledger;

/// Does everything hold at the end? The ledger refuses newcomers only; what was wrong at
/// the start and could not leave is seen here.
pub(super) fn is_whole(problem: &Problem, places: &Places<'_>) -> bool {
    holds(problem, places.then(), &|bin| places.is_open(bin))
}

/// The same of a placement from elsewhere.
pub(super) fn is_sound(problem: &Problem, then: &Ledger<'_>, open: &[bool]) -> bool {
    holds(problem, then, &|bin| open[bin as usize])
}

fn holds(problem: &Problem, then: &Ledger<'_>, open: &dyn Fn(u32) -> bool) -> bool {
    problem.packing.load_fits(then)
        && problem
            .packing
            .relations
            .iter()
            .enumerate()
            .all(|(at, relation)| relation.penalty.is_some() || then.violation(at as u32, open) == 0)
}

/// Placings between two looks at the limits.
const LOOK_AT_LIMITS: usize = 64;

/// With so many items that find no bin the placement is given up.
const MOST_HOMELESS: u32 = 64;

/// The hand that repairs.
pub(super) struct Repair<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// Placing ends early when one of them is reached.
    pub limits: &'a Limits,
    /// Choose among so many of the best; `None` for the best itself.
    pub noise: Option<usize>,
    /// Does a bin that stays empty get closed?
    pub thrifty: bool,
    /// For the choice.
    pub random: &'a mut Random,
}

impl Repair<'_> {
    /// From "everything stays" to a placement; some items may be left missing.
    pub(super) fn construct(&mut self, analysis: &Analysis, places: &mut Places<'_>) {
        self.close_bins(places);
        self.settle_groups(places);
        if self.noise.is_none() && places.untouched() {
            for eviction in &analysis.evictions {
                match eviction.sets.first() {
                    Some(set) => set.iter().for_each(|&item| places.take(item)),
                    None => self.evict(places, eviction.bin),
                }
            }
        } else {
            for bin in 0..self.problem.packing.bins.len() as u32 {
                self.evict(places, bin);
            }
        }
        self.thin_out(places);
        self.relieve(places);
        self.place_missing(places);
        self.close_empty(places);
        self.harden(places);
    }

    /// Puts right what a disturbance left.
    pub(super) fn repair(&mut self, places: &mut Places<'_>) {
        self.settle_groups(places);
        for bin in places.touched() {
            self.evict(places, bin);
        }
        self.thin_out(places);
        self.relieve(places);
        self.place_missing(places);
        self.close_empty(places);
        self.harden(places);
    }

    /// Puts right a placement that comes from elsewhere, looking at every bin.
    pub(super) fn mend(&mut self, places: &mut Places<'_>) {
        self.settle_groups(places);
        for bin in 0..self.problem.packing.bins.len() as u32 {
            self.evict(places, bin);
        }
        self.thin_out(places);
        self.relieve(places);
        self.place_missing(places);
        self.close_empty(places);
        self.harden(places);
    }

    /// Closes the bins of free fate that nothing is in at the end, where that breaks nothing.
    fn close_empty(&mut self, places: &mut Places<'_>) {
        if !self.thrifty {
            return;
        }
        let packing = &self.problem.packing;
        let mut has_image = BitSet::empty(packing.bins.len());
        packing.items.iter().filter(|item| item.image).for_each(|item| has_image.insert(item.source));
        let surviving: Vec<u32> = (0..packing.relations.len() as u32)
            .filter(|&at| matches!(packing.relations[at as usize].kind, RelationKind::Survive { .. }))
            .collect();
        let short = |places: &Places<'_>| -> Vec<u64> {
            let open = |bin: u32| places.is_open(bin);
            surviving.iter().map(|&at| places.then().violation(at, &open)).collect()
        };
        for bin in 0..packing.bins.len() as u32 {
            if packing.bins[bin as usize].later != Later::Free
                || !places.is_open(bin)
                || has_image.contains(bin)
                || !places.then().guests(bin).is_empty()
            {
                continue;
            }
            let before = short(places);
            places.set_open(bin, false);
            if short(places) > before {
                places.set_open(bin, true);
            }
        }
    }

    /// Closes bins of free fate where too many are powered: those with the least in them.
    fn close_bins(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        let mut has_image = BitSet::empty(packing.bins.len());
        packing.items.iter().filter(|item| item.image).for_each(|item| has_image.insert(item.source));
        for relation in &packing.relations {
            let RelationKind::Powered { bins, limit } = &relation.kind else { continue };
            if relation.penalty.is_some() {
                continue;
            }
            let mut excess = bins.sum(|bin| places.is_open(bin)).saturating_sub(*limit);
            let mut candidates: Vec<u32> = bins
                .iter()
                .filter(|&bin| {
                    places.is_open(bin)
                        && packing.bins[bin as usize].later == Later::Free
                        && !has_image.contains(bin)
                        && places.then().guests(bin).iter().all(|&item| !packing.items[item as usize].pinned)
                })
                .collect();
            candidates.sort_by_key(|&bin| (places.then().guests(bin).len(), bin));
            if self.noise.is_some() {
                self.random.shuffle(&mut candidates);
            }
            for bin in candidates {
                if excess == 0 {
                    break;
                }
                if bins.of(bin) == 0 {
                    continue;
                }
                excess = excess.saturating_sub(bins.of(bin));
                places.set_open(bin, false);
                for item in places.then().guests(bin).to_vec() {
                    places.take(item);
                }
            }
        }
    }

    /// Where members of a relation over groups sit in several, takes out all but those of one.
    fn settle_groups(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        for (at, relation) in packing.relations.iter().enumerate() {
            if relation.penalty.is_some() {
                continue;
            }
            let (RelationKind::SameGroup { .. } | RelationKind::GroupsApart { .. }) = &relation.kind else {
                continue;
            };
            if places.then().violation(at as u32, &|_| true) == 0 {
                continue;
            }
            let (members, partition): (Vec<(u32, u32)>, u32) = match &relation.kind {
                RelationKind::SameGroup { items, partition } => {
                    (items.iter().map(|&item| (item, 0)).collect(), *partition)
                }
                RelationKind::GroupsApart { items, partition } => (items.clone(), *partition),
                _ => continue,
            };
            let group = |bin: u32| match packing.partitions.get(partition as usize) {
                Some(partition) => partition.group_of[bin as usize],
                None => bin,
            };
            // How many members each (part, group) would keep; pinned ones decide.
            let mut votes: Vec<(u64, u32, u32)> = Vec::new();
            for &(item, part) in &members {
                let bin = places.bin(item);
                if bin == NONE || group(bin) == NONE {
                    continue;
                }
                let weight = if packing.items[item as usize].pinned { 1 << 32 } else { 1 };
                match votes.iter_mut().find(|vote| (vote.1, vote.2) == (part, group(bin))) {
                    Some(vote) => vote.0 += weight,
                    None => votes.push((weight, part, group(bin))),
                }
            }
            if self.noise.is_some_and(|noise| noise > 1) {
                for vote in &mut votes {
                    vote.0 = vote.0 * 4 + self.random.below(6) as u64;
                }
            }
            votes.sort_by_key(|&(votes, part, group)| (std::cmp::Reverse(votes), part, group));
            let mut kept: Vec<(u32, u32)> = Vec::new();
            for (_, part, group) in votes {
                if !kept.iter().any(|&(other, taken)| other == part || taken == group) {
                    kept.push((part, group));
                }
            }
            for &(item, part) in &members {
                let bin = places.bin(item);
                if bin != NONE && !kept.contains(&(part, group(bin))) && !packing.items[item as usize].pinned
                {
                    places.take(item);
                }
            }
        }
    }

    /// Takes the fewest items out of a bin that is too full or broken.
    fn evict(&mut self, places: &mut Places<'_>, bin: u32) {
        let Need::Evict(eviction) =
            presolve::eviction(self.problem, places.then(), bin, &[], self.noise.is_none())
        else {
            return;
        };
        let set = match self.noise {
            None => eviction.sets.first(),
            Some(_) if eviction.sets.is_empty() => None,
            Some(_) => Some(&eviction.sets[self.random.below(eviction.sets.len())]),
        };
        match set {
            Some(set) => set.iter().for_each(|&item| places.take(item)),
            None => {
                // The covering search gave up: the largest first, until it fits.
                let mut guests: Vec<u32> = places.then().guests(bin).to_vec();
                guests.retain(|&item| !self.problem.packing.items[item as usize].pinned);
                guests.sort_by_key(|&item| {
                    (std::cmp::Reverse(presolve::bulk(&self.problem.packing, item)), item)
                });
                for item in guests {
                    if matches!(presolve::eviction(self.problem, places.then(), bin, &[], false), Need::Fits)
                    {
                        break;
                    }
                    places.take(item);
                }
            }
        }
    }

    /// Takes items out of groups with too many of a set: the smallest first.
    fn thin_out(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        for (at, relation) in packing.relations.iter().enumerate() {
            let RelationKind::AtMost { items, most, partition } = &relation.kind else { continue };
            let open = relation.penalty.is_some() || *partition == NONE;
            if open || places.then().violation(at as u32, &|_| true) == 0 {
                continue;
            }
            let mut members: Vec<u32> =
                items.iter().copied().filter(|&item| !packing.items[item as usize].pinned).collect();
            members.sort_by_key(|&item| (presolve::bulk(packing, item), item));
            if self.noise.is_some() {
                self.random.shuffle(&mut members);
            }
            for item in members {
                let bin = places.bin(item);
                if bin != NONE && places.then().members_near(at as u32, bin) > *most {
                    places.take(item);
                }
            }
        }
    }

    /// Takes items out of sets of bins that hold too much together.
    fn relieve(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        for relation in &packing.relations {
            if relation.penalty.is_some() {
                continue;
            }
            let (bins, dim, limit) = match &relation.kind {
                RelationKind::Load { bins, dim, limit } => (bins, Some(*dim as usize), *limit),
                RelationKind::Count { bins, limit } => (bins, None, *limit),
                _ => continue,
            };
            let size = |item: u32| dim.map_or(1, |dim| packing.then(item)[dim]);
            let bound =
                |item: &u32| packing.domains[packing.items[*item as usize].domain as usize].is_within(bins);
            let mut guests: Vec<u32> =
                bins.iter().flat_map(|bin| places.then().guests(bin).iter().copied()).collect();
            // Whoever has no bin and may go nowhere else comes too.
            let comes = places.missing().iter().filter(|item| bound(item));
            let mut all = guests.iter().chain(comes).map(|&item| u128::from(size(item))).sum::<u128>();
            if all <= u128::from(limit) {
                continue;
            }
            // Whoever may be nowhere else would only come back.
            guests.retain(|item| !packing.items[*item as usize].pinned && size(*item) > 0 && !bound(item));
            guests.sort_by_key(|&item| (std::cmp::Reverse(size(item)), item));
            if self.noise.is_some() {
                self.random.shuffle(&mut guests);
            }
            for item in guests {
                if all <= u128::from(limit) {
                    break;
                }
                all -= u128::from(size(item));
                places.take(item);
            }
        }
    }

    /// Places what has no bin: those with the least choice first, then the largest.
    fn place_missing(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        let mut missing = places.missing().to_vec();
        let choice = |item: u32| {
            let row = &packing.items[item as usize];
            let bound = packing.relations_of(item).iter().any(|&(at, _)| {
                matches!(
                    packing.relations[at as usize].kind,
                    RelationKind::SameGroup { .. } | RelationKind::Exclusive { .. }
                )
            });
            (row.domain == 0 && !bound, row.domain == 0)
        };
        let key: rustc_hash::FxHashMap<u32, u64> = match self.noise {
            Some(_) => missing
                .iter()
                .map(|&item| {
                    let size = presolve::bulk(packing, item).max(1);
                    (item, size - (size / 2).min(self.random.bits() % (size / 2 + 1)))
                })
                .collect(),
            None => missing.iter().map(|&item| (item, presolve::bulk(packing, item))).collect(),
        };
        missing.sort_by_key(|item| (choice(*item), std::cmp::Reverse(key[item]), *item));
        let among = self.noise.unwrap_or(1);
        let late = |at: usize, places: &Places<'_>| {
            at.is_multiple_of(LOOK_AT_LIMITS) && self.limits.reached(places.steps).is_some()
        };
        for (at, &item) in missing.iter().enumerate() {
            if late(at, places) {
                return;
            }
            if let Some(bin) = places.best_bin(item, among, self.random) {
                places.put(item, bin);
            }
        }
        missing.retain(|&item| places.bin(item) == NONE);
        let mut homeless = 0;
        for (at, item) in missing.into_iter().enumerate() {
            if late(at, places) {
                return;
            }
            if places.bin(item) != NONE {
                continue;
            }
            match places.best_bin(item, 1, self.random) {
                Some(bin) => places.put(item, bin),
                None if self.send_others(places, item) => {}
                None => {
                    homeless += u32::from(!places.eject(item, 3, &mut vec![item], self.random));
                    if homeless >= MOST_HOMELESS {
                        return;
                    }
                }
            }
        }
    }

    /// An item had to leave its bin and finds no other: sends other items away from there,
    /// as few as before, that do find one. Leaves everything as it was when that fails.
    fn send_others(&mut self, places: &mut Places<'_>, item: u32) -> bool {
        const WAYS: usize = 24;
        let packing = &self.problem.packing;
        let row = &packing.items[item as usize];
        if row.role != Role::Stay || !packing.may_end_in(item, row.source) || !places.is_open(row.source) {
            return false;
        }
        let bin = row.source;
        let start = places.position();
        let gone: Vec<u32> = places
            .missing()
            .iter()
            .copied()
            .filter(|&other| {
                let row = &packing.items[other as usize];
                row.role == Role::Stay && row.source == bin && packing.may_end_in(other, bin)
            })
            .collect();
        // What the others are tied to may have moved on.
        for &other in &gone {
            if places.would_go(other, bin) {
                places.put(other, bin);
            }
        }
        if places.bin(item) == NONE {
            places.undo_to(start);
            return false;
        }
        let gone: Vec<u32> = gone.into_iter().filter(|&other| places.bin(other) == bin).collect();
        if let Need::Evict(eviction) = presolve::eviction(self.problem, places.then(), bin, &[], false) {
            let few = eviction.sets.into_iter().filter(|set| set.len() <= gone.len()).take(WAYS);
            for set in few {
                let before = places.position();
                set.iter().for_each(|&other| places.take(other));
                let settled = set.iter().all(|&other| match places.best_bin(other, 1, self.random) {
                    Some(to) if to != bin => {
                        places.put(other, to);
                        true
                    }
                    _ => false,
                });
                if settled {
                    return true;
                }
                places.undo_to(before);
            }
        }
        places.undo_to(start);
        false
    }

    /// Moves single items as long as that lets more failures be survived.
    fn harden(&mut self, places: &mut Places<'_>) {
        let packing = &self.problem.packing;
        let surviving: Vec<u32> = (0..packing.relations.len() as u32)
            .filter(|&at| {
                let relation = &packing.relations[at as usize];
                relation.penalty.is_none() && matches!(relation.kind, RelationKind::Survive { .. })
            })
            .collect();
        if surviving.is_empty() || !places.missing().is_empty() {
            return;
        }
        let short = |places: &Places<'_>| -> u64 {
            let open = |bin: u32| places.is_open(bin);
            surviving.iter().map(|&at| places.then().violation(at, &open)).sum()
        };
        let mut now = short(places);
        for _ in 0..32 {
            if now == 0 {
                return;
            }
            let mut items: Vec<u32> = (0..packing.items.len() as u32)
                .filter(|&item| places.bin(item) != NONE && !packing.items[item as usize].pinned)
                .collect();
            self.random.shuffle(&mut items);
            let mut best: Option<(u64, u64, u32, u32)> = None;
            let mut looks = 4_000 / (1 + packing.items.len() / 64);
            'items: for item in items {
                let from = places.bin(item);
                for bin in 0..packing.bins.len() as u32 {
                    if bin == from || !places.is_open(bin) || !packing.may_end_in(item, bin) {
                        continue;
                    }
                    if looks == 0 {
                        break 'items;
                    }
                    looks -= 1;
                    places.take(item);
                    let fits = places.fits(item, bin).is_ok();
                    places.put(item, if fits { bin } else { from });
                    if fits {
                        let candidate = (short(places), places.moves(), item, bin);
                        places.take(item);
                        places.put(item, from);
                        if best.as_ref().is_none_or(|best| candidate < *best) {
                            best = Some(candidate);
                        }
                    }
                }
            }
            match best {
                Some((after, _, item, bin)) if after < now => {
                    places.take(item);
                    places.put(item, bin);
                    now = after;
                }
                _ => return,
            }
        }
    }
}

//! What must move, whatever the plan: the lower bound, and the sets to start from.
//!
//! Items that may not end where they are must move. In each bin, what is left must fit:
//! the fewest items that have to go are a small covering problem with a row for each
//! dimension that is too full and for each relation that is broken inside the bin. Bins
//! share no item, so the sum over the bins is a lower bound on the number of moves.
//! Relations that reach over several bins (same group, sums over sets of bins, bins to
//! be closed) add to it where they ask for more in bins that no other one has counted.

use super::cover::Cover;
use super::draws::Draws;
use crate::engine::Meter;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::schedule::bound::Ends;
use crate::schedule::bound::channel;
use crate::schedule::bound::move_takes;
use rustc_hash::FxHashMap;

/// A bin that some of its items must leave.
#[derive(Clone, Debug)]
pub struct Eviction {
    /// The bin.
    pub bin: u32,
    /// At least so many must leave beside those that must leave anyway.
    pub fewest: u32,
    /// Sets of that size that would do; cheapest first. May be cut, never empty
    /// unless the search for them gave up.
    pub sets: Vec<Vec<u32>>,
    /// Least sum of (end of each leaver + moment at which each grower that has to wait
    /// gets its size) over all sets of that size; 0 where not all were looked at.
    pub least_delay: u64,
    /// The same over all sets of any size, without the waiting: weaker.
    pub least_ends: u64,
    /// The last of the leavers has left no earlier.
    pub least_end: u64,
    /// What is too full or broken: the first dimension or relation.
    pub cause: crate::propagator::Block,
}

/// What is known before any search.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Items that must leave their bin because they may not end there.
    pub forced: Vec<u32>,
    /// Bins that items must leave because together they do not fit.
    pub evictions: Vec<Eviction>,
    /// No plan has fewer moves.
    pub fewest_moves: u64,
    /// No plan has a smaller sum of ends (see [`crate::objective::Metric::Mttr`]) with
    /// as few moves as `fewest_moves`.
    pub least_mttr: u64,
    /// No plan has a smaller sum of ends, however many moves it has.
    pub least_mttr_any: u64,
    /// When what happens in every plan ends.
    pub ends: Ends,
    /// No plan ends earlier.
    pub least_makespan: u64,
    /// No plan with as few moves as `fewest_moves` ends earlier.
    pub least_makespan_fewest: u64,
    /// No plan spends less time on moves, summed over them.
    pub least_relocation_time: u64,
    /// No plan leaves fewer bins open at the end.
    pub fewest_open: u64,
    /// What is drawn in any case.
    pub draws: Draws,
    /// The same for plans with as few moves as `fewest_moves`, where more is known of those.
    pub draws_fewest: Option<Draws>,
    /// A bin whose content cannot be made to fit, whatever leaves it.
    pub hopeless: Option<(u32, crate::propagator::Block)>,
    /// An item that must be in a bin at the end and may be in none.
    pub homeless: Option<u32>,
}

impl Analysis {
    /// No plan takes less energy (see [`crate::objective::Metric::Energy`]).
    pub fn least_energy(&self) -> u64 {
        self.draws.least(self.least_makespan, self.fewest_moves, self.fewest_open)
    }

    /// No plan with as few moves as `fewest_moves` takes less.
    pub fn least_energy_fewest(&self) -> u64 {
        let draws = self.draws_fewest.as_ref().unwrap_or(&self.draws);
        draws.least(self.least_makespan_fewest, self.fewest_moves, self.fewest_open).max(self.least_energy())
    }

    /// No plan has fewer moves than this.
    pub(super) fn raise_moves(&mut self, bound: u64) {
        if bound > self.fewest_moves {
            self.fewest_moves = bound;
            // Some bin loses more than the fewest, and then the waiting may be less.
            self.least_mttr = self.least_mttr_any;
            self.least_makespan_fewest = self.least_makespan;
            self.draws_fewest = None;
        }
    }
}

/// Looks at a problem. Near-linear, save for the covers, which are bounded.
pub fn analyse(problem: &Problem) -> Analysis {
    let packing = &problem.packing;
    let mut analysis = Analysis::default();
    let mut keep = Ledger::new(packing, Moment::Then);
    // What stays, and what comes to a bin since no other is left to it.
    for (item, row) in packing.items.iter().enumerate() {
        let item = item as u32;
        if row.role == Role::Stay && packing.may_end_in(item, row.source) {
            keep.add(item, row.source, packing.then(item));
            continue;
        }
        if row.role == Role::Stay {
            analysis.forced.push(item);
        }
        if let Some(bin) = packing.settled_in(item) {
            keep.add(item, bin, packing.then(item));
        }
    }
    analysis.homeless = homeless(packing);
    analysis.fewest_open = packing.bins.iter().filter(|bin| bin.later == Later::Open).count() as u64;
    let mut per_bin: FxHashMap<u32, u32> = FxHashMap::default();
    for bin in 0..packing.bins.len() as u32 {
        match eviction(problem, &keep, bin, &[], true) {
            Need::Fits => {}
            Need::Hopeless(block) => {
                analysis.hopeless.get_or_insert((bin, block));
            }
            Need::Evict(eviction) => {
                per_bin.insert(bin, eviction.fewest);
                analysis.evictions.push(eviction);
            }
        }
    }
    let base: u64 =
        analysis.forced.len() as u64 + per_bin.values().map(|&fewest| u64::from(fewest)).sum::<u64>();
    analysis.fewest_moves = base + beyond_bins(problem, &keep, &per_bin, analysis.forced.len() as u64);
    let exact = analysis.fewest_moves == base;
    let forced: u64 = analysis.forced.iter().map(|&item| move_takes(packing, item)).sum();
    analysis.ends = Ends::new(problem, &analysis.forced, true, false, &|_| false);
    let shortest: u64 = analysis.evictions.iter().map(|eviction| eviction.least_ends).sum();
    analysis.least_mttr_any = analysis.ends.sum(forced + shortest);
    analysis.least_mttr = analysis.least_mttr_any;
    analysis.least_makespan = least_makespan(&analysis);
    analysis.least_makespan_fewest = analysis.least_makespan;
    // Else some bin loses more than the fewest, and then the waiting may be less.
    if exact {
        let uncertain = |bin: u32| per_bin.contains_key(&bin);
        // Whoever must leave does so once, or some other would have to stay.
        let ends = Ends::new(problem, &analysis.forced, false, true, &uncertain);
        analysis.least_makespan_fewest = analysis.least_makespan_fewest.max(ends.makespan);
        let delays = analysis.evictions.iter().map(|eviction| eviction.least_delay.max(eviction.least_ends));
        analysis.least_mttr = analysis.least_mttr.max(ends.sum(forced + delays.sum::<u64>()));
        analysis.draws_fewest = Some(Draws::of(problem, &analysis.forced, &analysis.evictions, false));
    }
    analysis.draws = Draws::of(problem, &analysis.forced, &analysis.evictions, true);
    analysis.least_relocation_time = analysis
        .forced
        .iter()
        .map(|&item| move_takes(packing, item))
        .chain(analysis.evictions.iter().map(|eviction| eviction.least_ends))
        .sum();
    analysis
}

/// Raises the bounds on sums of ends where those who must move cross several channels each, until
/// they are higher by `target` or the meter is over.
pub fn raise_sums(problem: &Problem, analysis: &mut Analysis, target: u64, meter: &mut Meter) {
    let forced = &analysis.forced;
    let taken: u64 = forced.iter().map(|&item| move_takes(&problem.packing, item)).sum();
    let evictions = &analysis.evictions;
    let aim = analysis.ends.waits.saturating_add(target);
    // A half for plans with stops, and the rest for those without.
    let mut own = meter.part(meter.left() / 2);
    let excess = channel::split_excess(problem, forced, false, aim, &mut own);
    meter.include(&own);
    analysis.ends.raise_waits(problem, forced, excess);
    let shortest: u64 = evictions.iter().map(|eviction| eviction.least_ends).sum();
    analysis.least_mttr_any = analysis.least_mttr_any.max(analysis.ends.sum(taken + shortest));
    analysis.least_mttr = analysis.least_mttr.max(analysis.least_mttr_any);
    let fewest: u64 = evictions.iter().map(|eviction| u64::from(eviction.fewest)).sum();
    // Whoever must leave does so once, or some other would have to stay.
    if analysis.fewest_moves == forced.len() as u64 + fewest {
        let excess = channel::split_excess(problem, forced, true, aim, meter);
        let mut ends = analysis.ends;
        ends.raise_waits(problem, forced, excess);
        let delays = evictions.iter().map(|eviction| eviction.least_delay.max(eviction.least_ends));
        analysis.least_mttr = analysis.least_mttr.max(ends.sum(taken + delays.sum::<u64>()));
    }
}

/// What happens in every plan ends, and somebody leaves each bin that is too full.
fn least_makespan(analysis: &Analysis) -> u64 {
    let evicted = analysis.evictions.iter().map(|eviction| eviction.least_end).max();
    analysis.ends.makespan.max(evicted.unwrap_or(0))
}

/// By dimension: what the largest of the bins that may be open at the end holds.
pub(crate) fn largest_bin(packing: &Packing) -> Vec<u64> {
    let mut largest = vec![0; packing.dims];
    for (bin, _) in packing.bins.iter().enumerate().filter(|(_, row)| row.later != Later::Closed) {
        let capacity = &packing.capacity_then[bin * packing.dims..(bin + 1) * packing.dims];
        largest.iter_mut().zip(capacity).for_each(|(largest, &capacity)| *largest = capacity.max(*largest));
    }
    largest
}

/// By dimension: what those of the items that are in a bin at the end take together.
pub(crate) fn final_load(packing: &Packing, items: &[u32]) -> Vec<u128> {
    let mut load = vec![0; packing.dims];
    for &item in items.iter().filter(|&&item| packing.items[item as usize].role != Role::Depart) {
        load.iter_mut().zip(packing.then(item)).for_each(|(load, &size)| *load += u128::from(size));
    }
    load
}

fn homeless(packing: &Packing) -> Option<u32> {
    let mut some_open: Vec<Option<bool>> = vec![None; packing.domains.len()];
    (0..packing.items.len() as u32).find(|&item| {
        let row = &packing.items[item as usize];
        if row.role == Role::Depart {
            return false;
        }
        if row.pinned && row.role == Role::Stay {
            return !packing.may_end_in(item, row.source);
        }
        if row.source != NONE && packing.may_end_in(item, row.source) {
            return false;
        }
        if row.domain == row.route {
            let any = *some_open[row.domain as usize].get_or_insert_with(|| {
                packing.domains[row.domain as usize]
                    .iter()
                    .any(|bin| packing.bins[bin as usize].later != Later::Closed)
            });
            return !any;
        }
        !(0..packing.bins.len() as u32).any(|bin| packing.may_end_in(item, bin))
    })
}

/// What a bin asks of its items.
pub(crate) enum Need {
    Fits,
    Evict(Eviction),
    Hopeless(crate::propagator::Block),
}

const SETS: usize = 400;
const BUDGET: u64 = 20_000;

/// The fewest items that must leave a bin, beside those in `gone`.
pub(crate) fn eviction(problem: &Problem, keep: &Ledger<'_>, bin: u32, gone: &[u32], delays: bool) -> Need {
    use crate::propagator::Block;
    let packing = &problem.packing;
    let guests: Vec<u32> = keep.guests(bin).iter().copied().filter(|item| !gone.contains(item)).collect();
    // Rows: dimensions too full, relations with too many members here.
    let mut need: Vec<u64> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    enum Row {
        Dim(usize),
        Relation(u32),
        Any,
    }
    let load = keep.load(bin);
    for (dim, (&load, &capacity)) in load.iter().zip(keep.capacity(bin)).enumerate() {
        let gone: u64 = gone
            .iter()
            .filter(|&&item| packing.items[item as usize].source == bin)
            .map(|&item| packing.then(item)[dim])
            .sum();
        if load - gone > capacity {
            need.push(load - gone - capacity);
            rows.push(Row::Dim(dim));
        }
    }
    let mut conflicts: Vec<u32> = Vec::new();
    if !packing.relations.is_empty() {
        let mut members: Vec<u32> = guests
            .iter()
            .flat_map(|&item| packing.relations_of(item))
            .map(|&(relation, _)| relation)
            .collect();
        members.sort_unstable();
        for chunk in members.chunk_by(|a, b| a == b) {
            let relation = &packing.relations[chunk[0] as usize];
            if relation.penalty.is_some() {
                continue;
            }
            match &relation.kind {
                RelationKind::AtMost { most, partition, .. }
                    if chunk.len() > *most as usize && packing.group(*partition, bin) != NONE =>
                {
                    need.push(chunk.len() as u64 - u64::from(*most));
                    rows.push(Row::Relation(chunk[0]));
                }
                RelationKind::Apart { .. } if chunk.len() > 1 => conflicts.push(chunk[0]),
                RelationKind::Exclusive { .. } if chunk.len() < guests.len() => conflicts.push(chunk[0]),
                _ => {}
            }
        }
        for &at in &packing.bin_relations[bin as usize] {
            let relation = &packing.relations[at as usize];
            if let RelationKind::Count { bins, limit } = &relation.kind
                && relation.penalty.is_none()
                && bins.count() == 1
                && guests.len() as u64 > *limit
            {
                need.push(guests.len() as u64 - limit);
                rows.push(Row::Any);
            }
        }
    }
    if need.is_empty() && conflicts.is_empty() {
        return Need::Fits;
    }
    let cause = match rows.first() {
        Some(Row::Dim(dim)) => Block::Dim(*dim as u32),
        Some(Row::Relation(relation)) => Block::Relation(*relation),
        Some(Row::Any) | None => Block::Relation(conflicts.first().copied().unwrap_or(0)),
    };
    let movable = |item: u32| packing.settled_in(item) != Some(bin);
    let weight_of = |item: u32| -> Vec<u64> {
        rows.iter()
            .map(|row| match *row {
                Row::Dim(dim) => packing.then(item)[dim],
                Row::Relation(relation) => {
                    u64::from(packing.relations_of(item).iter().any(|&(other, _)| other == relation))
                }
                Row::Any => 1,
            })
            .collect()
    };
    // Each way to settle the conflicts forces some items out; the rest is a cover.
    let mut best: Option<(u32, Vec<Vec<u32>>, bool)> = None;
    let mut budget = BUDGET;
    let (ways, cut) = settlements(packing, &guests, &conflicts);
    for out in ways {
        if !out.iter().all(|&item| movable(item)) {
            continue;
        }
        let candidates: Vec<u32> =
            guests.iter().copied().filter(|item| movable(*item) && !out.contains(item)).collect();
        let mut rest = need.clone();
        for &item in &out {
            for (rest, weight) in rest.iter_mut().zip(weight_of(item)) {
                *rest = rest.saturating_sub(weight);
            }
        }
        let cover = Cover { need: rest, weight: candidates.iter().map(|&item| weight_of(item)).collect() };
        let Some(covers) = cover.solve(SETS, &mut budget) else { continue };
        let size = covers.fewest + out.len() as u32;
        let sets = covers.sets.iter().map(|set| {
            let mut all = out.clone();
            all.extend(set.iter().map(|&at| candidates[at as usize]));
            all.sort_unstable();
            all
        });
        match &mut best {
            Some((fewest, known, complete)) if *fewest == size => {
                known.extend(sets);
                *complete &= covers.complete;
            }
            Some((fewest, _, _)) if *fewest < size => {}
            _ => best = Some((size, sets.collect(), covers.complete)),
        }
    }
    if let (Some(cut), Some(best)) = (cut, &mut best)
        && cut < best.0
    {
        *best = (cut, Vec::new(), false);
    }
    let Some((fewest, mut sets, complete)) = best else {
        return match cut {
            None => Need::Hopeless(cause),
            Some(cut) => Need::Evict(Eviction {
                bin,
                fewest: cut,
                sets: Vec::new(),
                least_delay: 0,
                least_ends: 0,
                least_end: 0,
                cause,
            }),
        };
    };
    let mut ends: Vec<u64> = guests
        .iter()
        .filter(|&&item| movable(item))
        .map(|&item| {
            let row = &packing.items[item as usize];
            u64::from(row.lead + row.hold)
        })
        .collect();
    ends.sort_unstable();
    let least_ends = ends.iter().take(fewest as usize).sum();
    let mut legs: Vec<u64> = guests
        .iter()
        .filter(|&&item| movable(item))
        .map(|&item| move_takes(packing, item).min(u64::from(packing.items[item as usize].leg)))
        .collect();
    legs.sort_unstable();
    let least_end = (fewest as usize).checked_sub(1).and_then(|at| legs.get(at)).copied().unwrap_or(0);
    let mut least_delay = 0;
    if delays {
        let mut priced: Vec<(u64, u64, Vec<u32>)> = sets
            .into_iter()
            .map(|set| {
                let bulk: u64 = set.iter().map(|&item| bulk(packing, item)).sum();
                (delay(problem, keep, bin, &set), bulk, set)
            })
            .collect();
        priced.sort();
        if complete && gone.is_empty() {
            least_delay = priced.first().map_or(0, |first| first.0);
        }
        sets = priced.into_iter().map(|(_, _, set)| set).collect();
    }
    Need::Evict(Eviction { bin, fewest, sets, least_delay, least_ends, least_end, cause })
}

/// How much an item takes, dimensions made comparable by the capacities of the whole.
pub(crate) fn bulk(packing: &Packing, item: u32) -> u64 {
    packing.then(item).iter().fold(0, |sum: u64, &size| sum.saturating_add(size))
}

/// The ways to settle conflicts inside a bin: which items go. At most 64 ways; then
/// also the size of the smallest that was left out.
fn settlements(packing: &Packing, guests: &[u32], conflicts: &[u32]) -> (Vec<Vec<u32>>, Option<u32>) {
    let mut cut: Option<u32> = None;
    let mut ways: Vec<Vec<u32>> = vec![Vec::new()];
    for &relation in conflicts {
        let part_of = |item: u32| {
            packing.relations_of(item).iter().find(|&&(other, _)| other == relation).map(|&(_, part)| part)
        };
        let mut next = Vec::new();
        for way in &ways {
            let rest: Vec<u32> = guests.iter().copied().filter(|item| !way.contains(item)).collect();
            let mut parts: Vec<u32> = rest.iter().filter_map(|&item| part_of(item)).collect();
            parts.sort_unstable();
            parts.dedup();
            let exclusive =
                matches!(packing.relations[relation as usize].kind, RelationKind::Exclusive { .. });
            let mut extend = |leaves: &dyn Fn(u32) -> bool| {
                let mut out = way.clone();
                out.extend(rest.iter().copied().filter(|&item| leaves(item)));
                out.sort_unstable();
                next.push(out);
            };
            if exclusive {
                if parts.is_empty() || rest.iter().all(|&item| part_of(item).is_some()) {
                    next.push(way.clone());
                } else {
                    extend(&|item| part_of(item).is_some());
                    extend(&|item| part_of(item).is_none());
                }
            } else if parts.len() < 2 {
                next.push(way.clone());
            } else {
                for &part in &parts {
                    extend(&|item| part_of(item).is_some_and(|other| other != part));
                }
            }
        }
        ways = next;
        if ways.len() > 64 {
            ways.sort_by_key(Vec::len);
            let left_out = ways[64].len() as u32;
            cut = Some(cut.map_or(left_out, |cut| cut.min(left_out)));
            ways.truncate(64);
        }
    }
    (ways, cut)
}

/// A lower bound on the ends of the leavers, and on how long those that grow or arrive
/// have to wait for them.
fn delay(problem: &Problem, keep: &Ledger<'_>, bin: u32, out: &[u32]) -> u64 {
    let packing = &problem.packing;
    let ends: Vec<u64> = out
        .iter()
        .map(|&item| {
            let row = &packing.items[item as usize];
            u64::from(row.lead + row.hold)
        })
        .collect();
    let first = ends.iter().copied().min().unwrap_or(0);
    let mut waiting = 0;
    for dim in 0..packing.dims {
        let mut now = 0u64;
        let mut growths: Vec<u64> = Vec::new();
        for &item in keep.guests(bin) {
            let row = &packing.items[item as usize];
            let (before, after) = (packing.now(item)[dim], packing.then(item)[dim]);
            if row.source != bin {
                // Who comes from another bin may wait there, and that is counted as its move.
                if row.role == Role::Arrive && after > 0 {
                    growths.push(after);
                }
            } else if out.contains(&item) {
                now += before;
            } else {
                // Shrinking may be done at once.
                now += before.min(after);
                if after > before {
                    growths.push(after - before);
                }
            }
        }
        // What departs or is forced out holds its size as well; leaving it out keeps the bound valid.
        let mut room = packing.capacity_now[bin as usize * packing.dims + dim].saturating_sub(now);
        growths.sort_unstable();
        let mut late = growths.len() as u64;
        for growth in growths {
            if growth > room {
                break;
            }
            room -= growth;
            late -= 1;
        }
        waiting = waiting.max(late);
    }
    ends.iter().sum::<u64>() + waiting * first
}

/// What relations over several bins add to the sum over the bins.
fn beyond_bins(problem: &Problem, keep: &Ledger<'_>, per_bin: &FxHashMap<u32, u32>, forced: u64) -> u64 {
    let packing = &problem.packing;
    let mut extra = 0u64;
    let mut counted = vec![false; packing.bins.len()];
    let fewest = |bin: u32| u64::from(per_bin.get(&bin).copied().unwrap_or(0));
    for (at, relation) in packing.relations.iter().enumerate() {
        if relation.penalty.is_some() {
            continue;
        }
        match &relation.kind {
            RelationKind::SameGroup { items, partition } => {
                let group = |bin: u32| match packing.partitions.get(*partition as usize) {
                    Some(partition) => partition.group_of[bin as usize],
                    None => bin,
                };
                let seats: Vec<(u32, u32, u32)> = items
                    .iter()
                    .filter(|&&item| {
                        let row = &packing.items[item as usize];
                        row.role == Role::Stay && packing.may_end_in(item, row.source)
                    })
                    .map(|&item| {
                        let source = packing.items[item as usize].source;
                        (item, source, group(source))
                    })
                    .collect();
                let Some(first) = seats.first() else { continue };
                if seats.iter().all(|seat| seat.2 == first.2 && seat.2 != NONE)
                    || seats.iter().any(|seat| counted[seat.1 as usize])
                {
                    continue;
                }
                let mut bins: Vec<u32> = seats.iter().map(|seat| seat.1).collect();
                bins.sort_unstable();
                bins.dedup();
                let mut groups: Vec<u32> =
                    seats.iter().map(|seat| seat.2).filter(|&group| group != NONE).collect();
                groups.sort_unstable();
                groups.dedup();
                // Any group that none of them is in costs all of them.
                groups.push(NONE - 1);
                let alone: u64 = bins.iter().map(|&bin| fewest(bin)).sum();
                let least = groups
                    .iter()
                    .map(|&target| {
                        let out: Vec<u32> =
                            seats.iter().filter(|seat| seat.2 != target).map(|seat| seat.0).collect();
                        let mut sum = out.len() as u64;
                        for &bin in &bins {
                            match eviction(problem, keep, bin, &out, false) {
                                Need::Evict(eviction) => sum += u64::from(eviction.fewest),
                                Need::Fits | Need::Hopeless(_) => {}
                            }
                        }
                        sum
                    })
                    .min()
                    .unwrap_or(0);
                extra += least.saturating_sub(alone);
                bins.iter().for_each(|&bin| counted[bin as usize] = true);
            }
            RelationKind::AtMost { items, most, partition } if *partition != NONE => {
                // (group, bin) of each member that could stay.
                let mut seats: Vec<(u32, u32)> = items
                    .iter()
                    .map(|&item| (item, &packing.items[item as usize]))
                    .filter(|(item, row)| row.role == Role::Stay && packing.may_end_in(*item, row.source))
                    .map(|(_, row)| (packing.group(*partition, row.source), row.source))
                    .filter(|seat| seat.0 != NONE && !counted[seat.1 as usize])
                    .collect();
                seats.sort_unstable();
                for seats in seats.chunk_by(|a, b| a.0 == b.0).filter(|seats| seats.len() > *most as usize) {
                    let mut bins: Vec<u32> = seats.iter().map(|seat| seat.1).collect();
                    bins.dedup();
                    let alone: u64 = bins.iter().map(|&bin| fewest(bin)).sum();
                    extra += (seats.len() as u64 - u64::from(*most)).saturating_sub(alone);
                    bins.iter().for_each(|&bin| counted[bin as usize] = true);
                }
            }
            RelationKind::Load { bins, .. } | RelationKind::Count { bins, .. } => {
                let excess = keep.violation(at as u32, &|_| true);
                if excess == 0 || bins.iter().any(|bin| counted[bin as usize]) {
                    continue;
                }
                let mut sizes: Vec<u64> = bins
                    .iter()
                    .flat_map(|bin| keep.guests(bin))
                    .map(|&item| match relation.kind {
                        RelationKind::Load { dim, .. } => packing.then(item)[dim as usize],
                        _ => 1,
                    })
                    .collect();
                sizes.sort_unstable_by(|a, b| b.cmp(a));
                let mut left = excess;
                let mut leavers = 0u64;
                for size in sizes {
                    if left == 0 {
                        break;
                    }
                    left = left.saturating_sub(size);
                    leavers += 1;
                }
                let alone: u64 = bins.iter().map(fewest).sum();
                extra += leavers.saturating_sub(alone);
                bins.iter().for_each(|bin| counted[bin as usize] = true);
            }
            RelationKind::Powered { bins, limit } => {
                let open = |bin: &u32| {
                    let row = &packing.bins[*bin as usize];
                    row.later == Later::Open || (row.later == Later::Free && row.open)
                };
                let on = bins.sum(|bin| open(&bin));
                if on <= *limit || bins.iter().any(|bin| counted[bin as usize]) {
                    continue;
                }
                let may_close = |bin: &u32| {
                    packing.bins[*bin as usize].later == Later::Free && packing.bins[*bin as usize].open
                };
                let closed = bins.fewest(bins.iter().filter(may_close), on - limit);
                let mut prices: Vec<u64> = bins
                    .iter()
                    .filter(may_close)
                    .map(|bin| (keep.guests(bin).len() as u64).saturating_sub(fewest(bin)))
                    .collect();
                prices.sort_unstable();
                extra += prices.iter().take(closed as usize).sum::<u64>();
                bins.iter().for_each(|bin| counted[bin as usize] = true);
            }
            RelationKind::Survive { .. } => {
                // Without a single move nothing changes but what arrives and departs.
                let nothing_moves = forced == 0 && per_bin.is_empty() && extra == 0;
                let open = |bin: u32| {
                    let row = &packing.bins[bin as usize];
                    row.later == Later::Open || (row.later == Later::Free && row.open)
                };
                let free = packing.bins.iter().any(|bin| bin.later == Later::Free && !bin.open);
                let arrives = packing.items.iter().any(|item| item.role == Role::Arrive);
                if nothing_moves && !free && !arrives && keep.violation(at as u32, &open) > 0 {
                    extra += 1;
                }
            }
            _ => {}
        }
    }
    extra
}

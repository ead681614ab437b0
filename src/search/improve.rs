//! A first plan, then better ones: repair and large neighbourhoods.
//!
//! Large neighbourhood search (Shaw 1998): the moves around a few bins are taken back,
//! what has to leave those bins is chosen anew, and the rest is placed again; kept when
//! it is no worse. Several workers start from the same plan with seeds of their own and
//! the best result, ties by worker, is the next start: what comes out does not depend
//! on how many of them run at a time.

use super::Answer;
use super::Settings;
use super::Watcher;
use super::place::Lists;
use super::place::Places;
use super::presolve;
use super::presolve::Analysis;
use super::presolve::Need;
use super::random::Random;
use crate::outcome::Phase;
use crate::outcome::StopReason;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::schedule;
use crate::schedule::Placement;
use crate::schedule::Rules;
use rayon::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// The best plan so far.
#[derive(Clone, Debug)]
pub struct Incumbent {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Its values by level.
    pub values: Vec<u64>,
    /// Where everything ends.
    pub placement: Placement,
}

/// Steps without a better plan after which the search gives up, if no limit is given:
/// so many for each item, and never more than the most.
const PATIENCE_EACH: u64 = 300;
const PATIENCE_MOST: u64 = 40_000;
/// Once the first level is proved, what is left are finer points.
const PATIENCE_FINE: u64 = 6;
/// Workers of a round; fixed, since results must not depend on the machine.
const WORKERS: u64 = 4;

/// Where the search stands between its parts.
#[derive(Debug)]
pub struct Search<'p> {
    base: Places<'p>,
    current: Worker<'p>,
}

/// A first placement by repair, and times for it.
pub fn first<'p>(
    problem: &'p Problem,
    analysis: &Analysis,
    settings: &Settings<'_>,
    answer: &mut Answer,
) -> Search<'p> {
    let lists = Arc::new(Lists::new(&problem.packing));
    let base = Places::new(problem, lists);
    let mut random = Random::new(settings.seed);
    let mut places = base.clone();
    construct(problem, analysis, &mut places, None, &mut random);
    answer.effort += std::mem::take(&mut places.steps);
    let mut current = Worker { places, best: None };
    let clock = Instant::now();
    answer.effort += current.evaluate(problem, settings, &mut random);
    answer.scheduling += clock.elapsed().as_secs_f64();
    Search { base, current }
}

impl Search<'_> {
    /// The best plan so far.
    pub fn best(&self) -> Option<&Incumbent> {
        self.current.best.as_ref()
    }

    /// Takes over a plan found elsewhere, if it is better.
    pub fn adopt(&mut self, found: Incumbent) {
        if self.current.best.as_ref().is_none_or(|best| found.values < best.values) {
            self.current.places = self.base.clone();
            self.current.places.follow(&found.placement);
            self.current.best = Some(found);
        }
    }

    /// The best plan.
    pub fn into_best(self) -> Option<Incumbent> {
        self.current.best
    }
}

/// Looks for better plans until the bound is met, a limit is reached or patience runs out.
pub fn search(
    problem: &Problem,
    analysis: &Analysis,
    settings: &Settings<'_>,
    watch: Watcher<'_>,
    search: &mut Search<'_>,
    answer: &mut Answer,
) -> StopReason {
    let patience_of = |met: bool| {
        let all = (PATIENCE_EACH * (1 + problem.packing.items.len() as u64)).min(PATIENCE_MOST);
        if met { all / PATIENCE_FINE } else { all }
    };
    let slice = patience_of(true) / (2 * WORKERS);
    let Search { base, current } = search;
    let mut quiet = 0;
    let report = |phase, current: &Worker<'_>, answer: &Answer| {
        let values = current.best.as_ref().map(|best| &best.values[..]);
        watch(phase, values, answer.bounds[0], answer.effort);
    };
    report(Phase::Improve, current, answer);
    let mut round = 0u64;
    loop {
        if let Some(found) = &current.best {
            let bounds = super::bounds(settings.objective, analysis, Some(&found.values));
            if found.values.iter().zip(&bounds).all(|(value, bound)| value <= bound) {
                break StopReason::Proved;
            }
        }
        if let Some(reason) = settings.limits.reached(answer.effort) {
            break reason;
        }
        let met = current.best.as_ref().is_some_and(|best| best.values[0] <= answer.bounds[0]);
        let patience = patience_of(met);
        let unlimited = settings.limits.deadline.is_none() && settings.limits.steps.is_none();
        // A round that takes longer than the patience lasts is not begun without being asked.
        let round_takes = if current.best.is_some() { WORKERS * times_take(problem) } else { 0 };
        if quiet + round_takes >= patience && (unlimited || current.best.is_none()) {
            break if unlimited { StopReason::Stalled } else { StopReason::Limit };
        }
        round += 1;
        let results: Vec<(Worker<'_>, u64)> = (0..WORKERS)
            .into_par_iter()
            .map(|worker| {
                let seed = settings.seed ^ (round * WORKERS + worker).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut random = Random::new(seed);
                let mut mine = current.clone();
                let spent = mine.round(problem, analysis, base, settings, slice, &mut random);
                (mine, spent)
            })
            .collect();
        let effort: u64 = results.iter().map(|(_, spent)| spent).sum();
        answer.effort += effort;
        quiet += effort.max(1);
        let better = results
            .into_iter()
            .map(|(worker, _)| worker)
            .enumerate()
            .min_by_key(|(at, worker)| (worker.rank(), *at));
        if let Some((_, worker)) = better {
            let improved = worker.rank() < current.rank();
            if worker.rank() <= current.rank() {
                *current = worker;
            }
            if improved {
                quiet = 0;
                report(Phase::Improve, current, answer);
            }
        }
    }
}

/// A placement under change, and the best plan that it led to.
#[derive(Clone, Debug)]
struct Worker<'p> {
    places: Places<'p>,
    best: Option<Incumbent>,
}

impl<'p> Worker<'p> {
    /// Smaller is better: a plan before none, then its values; without one, fewest missing.
    fn rank(&self) -> (bool, Vec<u64>) {
        match &self.best {
            Some(best) => (false, best.values.clone()),
            None => (true, vec![self.places.missing().len() as u64]),
        }
    }

    /// Times for the placement as it is; keeps them if they are the best. Returns the effort.
    fn evaluate(&mut self, problem: &Problem, settings: &Settings<'_>, random: &mut Random) -> u64 {
        if !self.places.missing().is_empty() || !is_whole(problem, &self.places) {
            return 1;
        }
        let placement = self.places.placement();
        let price = super::penalty(problem, self.places.then(), &placement.open);
        let mut effort = 0;
        let steps = times(problem, settings, &placement, price, random, &mut effort);
        if let Some((steps, values)) = steps
            && self.best.as_ref().is_none_or(|best| values < best.values)
        {
            self.best = Some(Incumbent { steps, values, placement });
        }
        effort
    }

    /// Tries neighbourhoods until the slice is spent. Returns the effort.
    fn round(
        &mut self,
        problem: &Problem,
        analysis: &Analysis,
        base: &Places<'p>,
        settings: &Settings<'_>,
        slice: u64,
        random: &mut Random,
    ) -> u64 {
        let mut effort = 0;
        self.places.steps = 0;
        let soft = problem.packing.relations.iter().any(|relation| relation.penalty.is_some());
        while effort + self.places.steps < slice {
            if settings.limits.reached(0).is_some() {
                break;
            }
            effort += 1;
            if self.best.is_none() {
                // From scratch, other choices.
                let spent = self.places.steps;
                let mut fresh = base.clone();
                construct(problem, analysis, &mut fresh, Some(1 + random.below(4)), random);
                fresh.steps += spent;
                let missing = fresh.missing().len();
                if missing <= self.places.missing().len() {
                    self.places = fresh;
                } else {
                    self.places.steps = fresh.steps;
                }
                effort += self.evaluate(problem, settings, random);
                continue;
            }
            let moves = self.places.moves();
            let price = |places: &Places<'_>| {
                if soft { super::penalty(problem, places.then(), &places.placement().open) } else { 0 }
            };
            let before = price(&self.places);
            self.places.mark();
            if soft && random.below(3) == 0 {
                nudge(problem, &mut self.places, random);
            } else {
                disturb(problem, analysis, &mut self.places, random);
            }
            repair(problem, &mut self.places, Some(1 + random.below(4)), random);
            let worse = !self.places.missing().is_empty()
                || !is_whole(problem, &self.places)
                || self.places.moves() + price(&self.places) > moves + before;
            if worse {
                self.places.undo();
                continue;
            }
            let held = self.best.as_ref().map(|best| best.values.clone());
            let placement = self.places.placement();
            let cost = super::penalty(problem, self.places.then(), &placement.open);
            let found = times(problem, settings, &placement, cost, random, &mut effort);
            match (found, held) {
                (Some((steps, values)), Some(held)) if values <= held => {
                    self.best = Some(Incumbent { steps, values, placement });
                }
                _ => self.places.undo(),
            }
        }
        effort + std::mem::take(&mut self.places.steps)
    }
}

/// Does everything hold at the end? The ledger refuses newcomers only; what was wrong at
/// the start and could not leave is seen here.
fn is_whole(problem: &Problem, places: &Places<'_>) -> bool {
    let open = |bin: u32| places.is_open(bin);
    problem.packing.load_fits(places.then())
        && problem.packing.relations.iter().enumerate().all(|(at, relation)| {
            relation.penalty.is_some() || places.then().violation(at as u32, &open) == 0
        })
}

/// From "everything stays" to a placement; some items may be left missing.
fn construct(
    problem: &Problem,
    analysis: &Analysis,
    places: &mut Places<'_>,
    noise: Option<usize>,
    random: &mut Random,
) {
    close_bins(problem, places, noise, random);
    settle_groups(problem, places, noise, random);
    if noise.is_none() && places.untouched() {
        for eviction in &analysis.evictions {
            match eviction.sets.first() {
                Some(set) => set.iter().for_each(|&item| places.take(item)),
                None => evict(problem, places, eviction.bin, noise, random),
            }
        }
    } else {
        for bin in 0..problem.packing.bins.len() as u32 {
            evict(problem, places, bin, noise, random);
        }
    }
    relieve(problem, places, noise, random);
    place_missing(problem, places, noise, random);
    harden(problem, places, random);
}

/// Puts right what a disturbance left.
fn repair(problem: &Problem, places: &mut Places<'_>, noise: Option<usize>, random: &mut Random) {
    settle_groups(problem, places, noise, random);
    for bin in places.touched() {
        evict(problem, places, bin, noise, random);
    }
    relieve(problem, places, noise, random);
    place_missing(problem, places, noise, random);
    harden(problem, places, random);
}

/// Closes bins of free fate where too many are powered: those with the least in them.
fn close_bins(problem: &Problem, places: &mut Places<'_>, noise: Option<usize>, random: &mut Random) {
    let packing = &problem.packing;
    let has_image = |bin: u32| packing.items.iter().any(|item| item.image && item.source == bin);
    for relation in &packing.relations {
        let RelationKind::Powered { bins, limit } = &relation.kind else { continue };
        if relation.penalty.is_some() {
            continue;
        }
        let on = bins.iter().filter(|&bin| places.is_open(bin)).count() as u64;
        let mut candidates: Vec<u32> = bins
            .iter()
            .filter(|&bin| {
                places.is_open(bin)
                    && packing.bins[bin as usize].later == Later::Free
                    && !has_image(bin)
                    && places.then().guests(bin).iter().all(|&item| !packing.items[item as usize].pinned)
            })
            .collect();
        candidates.sort_by_key(|&bin| (places.then().guests(bin).len(), bin));
        if noise.is_some() {
            random.shuffle(&mut candidates);
        }
        for bin in candidates.into_iter().take(on.saturating_sub(*limit) as usize) {
            places.set_open(bin, false);
            for item in places.then().guests(bin).to_vec() {
                places.take(item);
            }
        }
    }
}

/// Where members of a relation over groups sit in several, takes out all but those of one.
fn settle_groups(problem: &Problem, places: &mut Places<'_>, noise: Option<usize>, random: &mut Random) {
    let packing = &problem.packing;
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
        if noise.is_some_and(|noise| noise > 1) {
            for vote in &mut votes {
                vote.0 = vote.0 * 4 + random.below(6) as u64;
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
            if bin != NONE && !kept.contains(&(part, group(bin))) && !packing.items[item as usize].pinned {
                places.take(item);
            }
        }
    }
}

/// Takes the fewest items out of a bin that is too full or broken.
fn evict(problem: &Problem, places: &mut Places<'_>, bin: u32, noise: Option<usize>, random: &mut Random) {
    let Need::Evict(eviction) = presolve::eviction(problem, places.then(), bin, &[], noise.is_none()) else {
        return;
    };
    let set = match noise {
        None => eviction.sets.first(),
        Some(_) if eviction.sets.is_empty() => None,
        Some(_) => Some(&eviction.sets[random.below(eviction.sets.len())]),
    };
    match set {
        Some(set) => set.iter().for_each(|&item| places.take(item)),
        None => {
            // The covering search gave up: the largest first, until it fits.
            let mut guests: Vec<u32> = places.then().guests(bin).to_vec();
            guests.retain(|&item| !problem.packing.items[item as usize].pinned);
            guests.sort_by_key(|&item| (std::cmp::Reverse(presolve::bulk(&problem.packing, item)), item));
            for item in guests {
                if matches!(presolve::eviction(problem, places.then(), bin, &[], false), Need::Fits) {
                    break;
                }
                places.take(item);
            }
        }
    }
}

/// Takes items out of sets of bins that hold too much together.
fn relieve(problem: &Problem, places: &mut Places<'_>, noise: Option<usize>, random: &mut Random) {
    let packing = &problem.packing;
    for (at, relation) in packing.relations.iter().enumerate() {
        if relation.penalty.is_some() {
            continue;
        }
        let (bins, dim) = match &relation.kind {
            RelationKind::Load { bins, dim, .. } => (bins, Some(*dim as usize)),
            RelationKind::Count { bins, .. } => (bins, None),
            _ => continue,
        };
        if places.then().violation(at as u32, &|_| true) == 0 {
            continue;
        }
        let size = |item: u32| dim.map_or(1, |dim| packing.then(item)[dim]);
        let mut guests: Vec<u32> = bins
            .iter()
            .flat_map(|bin| places.then().guests(bin).iter().copied())
            .filter(|&item| !packing.items[item as usize].pinned && size(item) > 0)
            .collect();
        guests.sort_by_key(|&item| (std::cmp::Reverse(size(item)), item));
        if noise.is_some() {
            random.shuffle(&mut guests);
        }
        for item in guests {
            let excess = places.then().violation(at as u32, &|_| true);
            if excess == 0 {
                break;
            }
            places.take(item);
        }
    }
}

/// Places what has no bin: those with the least choice first, then the largest.
fn place_missing(problem: &Problem, places: &mut Places<'_>, noise: Option<usize>, random: &mut Random) {
    let packing = &problem.packing;
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
    let key: rustc_hash::FxHashMap<u32, u64> = match noise {
        Some(_) => missing
            .iter()
            .map(|&item| {
                let size = presolve::bulk(packing, item).max(1);
                (item, size - (size / 2).min(random.bits() % (size / 2 + 1)))
            })
            .collect(),
        None => missing.iter().map(|&item| (item, presolve::bulk(packing, item))).collect(),
    };
    missing.sort_by_key(|item| (choice(*item), std::cmp::Reverse(key[item]), *item));
    places.expect_missing_in(&missing);
    let among = noise.unwrap_or(1);
    for item in missing {
        if let Some(bin) = places.best_bin(item, among, random) {
            places.put(item, bin);
        }
    }
    for item in places.missing().to_vec() {
        if places.bin(item) != NONE {
            continue;
        }
        match places.best_bin(item, 1, random) {
            Some(bin) => places.put(item, bin),
            None if send_others(problem, places, item, random) => {}
            None => {
                let mut tabu = vec![item];
                places.eject(item, 3, &mut tabu, random);
            }
        }
    }
}

/// An item had to leave its bin and finds no other: sends other items away from there,
/// as few as before, that do find one. Leaves everything as it was when that fails.
fn send_others(problem: &Problem, places: &mut Places<'_>, item: u32, random: &mut Random) -> bool {
    const WAYS: usize = 24;
    let packing = &problem.packing;
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
    if let Need::Evict(eviction) = presolve::eviction(problem, places.then(), bin, &[], false) {
        let few = eviction.sets.into_iter().filter(|set| set.len() <= gone.len()).take(WAYS);
        for set in few {
            let before = places.position();
            set.iter().for_each(|&other| places.take(other));
            let settled = set.iter().all(|&other| match places.best_bin(other, 1, random) {
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
fn harden(problem: &Problem, places: &mut Places<'_>, random: &mut Random) {
    let packing = &problem.packing;
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
        random.shuffle(&mut items);
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

/// Takes back the moves around a few bins.
fn disturb(problem: &Problem, analysis: &Analysis, places: &mut Places<'_>, random: &mut Random) {
    let packing = &problem.packing;
    let moved = places.moved();
    if moved.is_empty() {
        return;
    }
    // Those that nothing made move but others: the likeliest to be spared.
    let pushed: Vec<u32> = moved
        .iter()
        .copied()
        .filter(|&item| {
            let source = packing.items[item as usize].source;
            source != NONE
                && analysis.forced.binary_search(&item).is_err()
                && analysis.evictions.binary_search_by_key(&source, |eviction| eviction.bin).is_err()
        })
        .collect();
    let mut bins: Vec<u32> = Vec::new();
    for at in 0..1 + random.below(3) {
        let item = if at == 0 && !pushed.is_empty() && random.below(4) > 0 {
            pushed[random.below(pushed.len())]
        } else {
            moved[random.below(moved.len())]
        };
        for bin in [packing.items[item as usize].source, places.bin(item)] {
            if bin != NONE && !bins.contains(&bin) {
                bins.push(bin);
            }
        }
    }
    // Whoever came to a bin of the first may be why it had to go.
    let back: Vec<u32> = moved
        .into_iter()
        .filter(|&item| {
            bins.contains(&places.bin(item)) || bins.contains(&packing.items[item as usize].source)
        })
        .collect();
    for item in back {
        let row = &packing.items[item as usize];
        places.take(item);
        if row.role == Role::Stay && packing.may_end_in(item, row.source) && places.is_open(row.source) {
            places.put(item, row.source);
        }
    }
}

/// Moves a member of a broken soft relation somewhere else.
fn nudge(problem: &Problem, places: &mut Places<'_>, random: &mut Random) {
    let packing = &problem.packing;
    let open = |bin: u32| places.is_open(bin);
    let broken: Vec<u32> = (0..packing.relations.len() as u32)
        .filter(|&at| {
            packing.relations[at as usize].penalty.is_some() && places.then().violation(at, &open) > 0
        })
        .collect();
    if broken.is_empty() {
        return;
    }
    let at = broken[random.below(broken.len())];
    let items: Vec<u32> = match &packing.relations[at as usize].kind {
        RelationKind::AtMost { items, .. }
        | RelationKind::SameGroup { items, .. }
        | RelationKind::Exclusive { items }
        | RelationKind::Avoid { items, .. } => items.clone(),
        RelationKind::Apart { items } | RelationKind::GroupsApart { items, .. } => {
            items.iter().map(|row| row.0).collect()
        }
        RelationKind::Load { bins, .. }
        | RelationKind::Count { bins, .. }
        | RelationKind::Survive { bins, .. } => {
            bins.iter().flat_map(|bin| places.then().guests(bin).iter().copied()).collect()
        }
        RelationKind::Powered { .. } => return,
    };
    let items: Vec<u32> = items
        .into_iter()
        .filter(|&item| places.bin(item) != NONE && !packing.items[item as usize].pinned)
        .collect();
    if items.is_empty() {
        return;
    }
    let item = items[random.below(items.len())];
    let from = places.bin(item);
    places.take(item);
    for _ in 0..8 {
        let bin = random.below(packing.bins.len()) as u32;
        if bin != from
            && places.is_open(bin)
            && packing.may_end_in(item, bin)
            && places.fits(item, bin).is_ok()
        {
            places.put(item, bin);
            return;
        }
    }
    places.put(item, from);
}

/// What finding times for a placement counts for, in steps.
fn times_take(problem: &Problem) -> u64 {
    1 + problem.packing.items.len() as u64 / 16
}

/// Times for a placement: several rules, the best result that keeps all promises.
fn times(
    problem: &Problem,
    settings: &Settings<'_>,
    placement: &Placement,
    penalty: u64,
    random: &mut Random,
    effort: &mut u64,
) -> Option<(Vec<Step>, Vec<u64>)> {
    let items = problem.packing.items.len();
    let cost = times_take(problem);
    let mut best: Option<(Vec<Step>, Vec<u64>)> = None;
    let urgent: Vec<u32> = problem
        .project
        .orders
        .iter()
        .filter_map(|(order, _)| match order {
            Order::Deadline(item, _) => Some(*item),
            _ => None,
        })
        .collect();
    let ranked = |random: Option<&mut Random>| -> Vec<u32> {
        let mut rank: Vec<u32> = match random {
            Some(random) => (0..items).map(|_| 1 + random.below(1000) as u32).collect(),
            None if urgent.is_empty() => return Vec::new(),
            None => vec![1; items],
        };
        urgent.iter().for_each(|&item| rank[item as usize] = 0);
        rank
    };
    // The plain rules nearly always do; the others are for circles and deadlines.
    for attempt in 0..12u32 {
        let rules = Rules {
            rank: if attempt < 2 || attempt == 6 { ranked(None) } else { ranked(Some(random)) },
            newcomers_last: attempt % 2 == 1,
            parkings: if attempt < 6 { 0 } else { 8 },
        };
        *effort += cost;
        if let Ok(steps) = schedule::generate(problem, placement, &rules)
            && super::in_time(problem, &steps)
        {
            let values = super::value(problem, settings, &steps, penalty);
            if best.as_ref().is_none_or(|best| values < best.1) {
                best = Some((steps, values));
            }
            break;
        }
    }
    best
}

/// Takes over a path that was found step by step, with better times where a schedule
/// of the same moves has them.
pub(crate) fn adopt_path(
    problem: &Problem,
    settings: &Settings<'_>,
    steps: Vec<Step>,
    search: &mut Search<'_>,
) {
    let placement = super::last_places(problem, &steps);
    let mut then = crate::propagator::Ledger::new(&problem.packing, crate::propagator::Moment::Then);
    for (item, &bin) in placement.to.iter().enumerate() {
        if bin != NONE {
            then.add(item as u32, bin, problem.packing.then(item as u32));
        }
    }
    let penalty = super::penalty(problem, &then, &placement.open);
    let mut random = Random::new(settings.seed);
    let plain = steps.iter().all(|step| !matches!(step.kind, StepKind::Move { parking: true, .. }));
    let mut candidates = Vec::new();
    if super::in_time(problem, &steps) {
        let values = super::value(problem, settings, &steps, penalty);
        candidates.push((values, steps));
    }
    if let Some((steps, values)) = times(problem, settings, &placement, penalty, &mut random, &mut 0)
        && (plain || !candidates.is_empty())
    {
        candidates.push((values, steps));
    }
    for (values, steps) in candidates {
        search.adopt(Incumbent { steps, values, placement: placement.clone() });
    }
}

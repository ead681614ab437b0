//! A first plan, then better ones: repair and large neighbourhoods.
//!
//! Large neighbourhood search (Shaw 1998): the moves around a few bins are taken back,
//! what has to leave those bins is chosen anew, and the rest is placed again; kept when
//! it is no worse. Several workers start from the same plan with seeds of their own and
//! the best result, ties by worker, is the next start: what comes out does not depend
//! on how many of them run at a time.

use super::Answer;
use super::Settings;
use super::construct;
use super::construct::Repair;
use super::place::Lists;
use super::place::Places;
use super::presolve;
use super::presolve::Analysis;
use super::random::Random;
use crate::objective::Metric;
use crate::outcome::StopReason;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::passage_of;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::schedule;
use crate::schedule::Placement;
use crate::schedule::Rules;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
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

impl Incumbent {
    /// The price of its soft relations.
    pub(crate) fn penalty(&self, problem: &Problem) -> u64 {
        super::penalty(problem, &final_ledger(problem, &self.placement), &self.placement.open)
    }
}

fn final_ledger<'p>(problem: &'p Problem, placement: &Placement) -> Ledger<'p> {
    let mut then = Ledger::new(&problem.packing, Moment::Then);
    for (item, &bin) in placement.to.iter().enumerate() {
        if bin != NONE {
            then.add(item as u32, bin, problem.packing.then(item as u32));
        }
    }
    then
}

/// Steps without a better plan after which the search gives up, if no limit is given:
/// so many for each item, and never more than the most.
const PATIENCE_EACH: u64 = 300;
const PATIENCE_MOST: u64 = 40_000;
/// Once the first level is proved, what is left are finer points.
const PATIENCE_FINE: u64 = 6;
/// Workers of a round; fixed, since results must not depend on the machine.
const WORKERS: u64 = 4;
/// Schedules that are tried for each placement on a network, and the most steps of which.
const QUICK_SCHEDULES: u64 = 48;
const MOST_QUICKENED: usize = 512;
/// How often a first placement without times is repaired before new starts are tried.
const LOOSENINGS: u32 = 8;

fn patience(problem: &Problem, fine: bool) -> u64 {
    let all = (PATIENCE_EACH * (1 + problem.packing.items.len() as u64)).min(PATIENCE_MOST);
    if fine { all / PATIENCE_FINE } else { all }
}

/// Where the search stands between its parts.
#[derive(Debug)]
pub struct Search<'p> {
    base: Places<'p>,
    current: Worker<'p>,
    /// Effort since the last better plan.
    quiet: u64,
    rounds: u64,
}

impl<'p> Search<'p> {
    /// A first placement by repair, and times for it.
    pub fn first(
        problem: &'p Problem,
        analysis: &Analysis,
        settings: &Settings<'_>,
        answer: &mut Answer,
    ) -> Self {
        let lists = Arc::new(Lists::new(&problem.packing));
        let mut base = Places::new(problem, lists);
        if settings.objective.asks_for_time() {
            base.hurry();
        }
        let mut random = Random::new(settings.seed);
        let mut places = base.clone();
        let thrifty = settings.objective.saves_nodes();
        Repair { problem, limits: &settings.limits, noise: None, thrifty, random: &mut random }
            .construct(analysis, &mut places);
        answer.effort += std::mem::take(&mut places.steps);
        let mut current = Worker { places, best: None, stuck: Vec::new() };
        let clock = Instant::now();
        answer.effort += current.evaluate(problem, settings, &mut random);
        answer.scheduling += clock.elapsed().as_secs_f64();
        for _ in 0..LOOSENINGS {
            if current.stuck.is_empty() || settings.limits.reached(answer.effort).is_some() {
                break;
            }
            answer.effort += current.loosen(problem, settings, &mut random);
            answer.effort += std::mem::take(&mut current.places.steps);
        }
        Self { base, current, quiet: 0, rounds: 0 }
    }

    /// The best plan so far.
    pub fn best(&self) -> Option<&Incumbent> {
        self.current.best.as_ref()
    }

    /// Has nothing better come for a while?
    pub fn is_quiet(&self, problem: &Problem) -> bool {
        self.quiet >= patience(problem, true)
    }

    /// Takes over a plan found elsewhere, if it is better.
    pub fn adopt(&mut self, found: Incumbent) {
        if self.current.best.as_ref().is_none_or(|best| found.values < best.values) {
            if self.current.best.is_none() {
                self.quiet = 0;
            }
            self.current.places = self.base.clone();
            self.current.places.follow(&found.placement);
            self.current.best = Some(found);
        }
    }

    /// Takes over better times for the best plan.
    pub fn hasten(&mut self, found: Incumbent) {
        self.quiet = 0;
        self.current.best = Some(found);
    }

    /// Tries a placement found elsewhere: as it is, repaired where it breaks something, and
    /// with other moves where those wait for ever. Keeps what is better. Returns the effort.
    pub fn try_placement(
        &mut self,
        problem: &'p Problem,
        settings: &Settings<'_>,
        placement: &Placement,
    ) -> u64 {
        let mut random = Random::new(settings.seed);
        let mut places = self.base.clone();
        places.follow(placement);
        if !places.missing().is_empty() || !construct::is_whole(problem, &places) {
            let thrifty = settings.objective.saves_nodes();
            places.mark();
            Repair { problem, limits: &settings.limits, noise: None, thrifty, random: &mut random }
                .mend(&mut places);
        }
        let mut worker = Worker { places, best: None, stuck: Vec::new() };
        let mut effort = worker.evaluate(problem, settings, &mut random);
        for _ in 0..LOOSENINGS {
            if worker.stuck.is_empty() || settings.limits.reached(effort).is_some() {
                break;
            }
            effort += worker.loosen(problem, settings, &mut random);
        }
        effort += std::mem::take(&mut worker.places.steps);
        let better = match (&worker.best, &self.current.best) {
            (Some(found), Some(best)) => found.values < best.values,
            (found, _) => found.is_some(),
        };
        if better {
            self.current = worker;
            self.quiet = 0;
        }
        effort
    }

    /// The best plan.
    pub fn into_best(self) -> Option<Incumbent> {
        self.current.best
    }

    /// One round of all workers, unless the bound is met, a limit is reached or patience
    /// has run out: then why.
    pub fn round(
        &mut self,
        problem: &Problem,
        analysis: &Analysis,
        settings: &Settings<'_>,
        answer: &mut Answer,
    ) -> Option<StopReason> {
        let Search { base, current, quiet, rounds } = self;
        if let Some(found) = &current.best {
            // What was proved on the way counts as well as what was known before.
            let bounds = super::bounds(settings.objective, analysis, Some(&found.values));
            let known = bounds.iter().zip(&answer.bounds).map(|(bound, proved)| bound.max(proved));
            if found.values.iter().zip(known).all(|(value, bound)| value <= bound) {
                return Some(StopReason::Proved);
            }
        }
        if let Some(reason) = settings.limits.reached(answer.effort) {
            return Some(reason);
        }
        let met = current.best.as_ref().is_some_and(|best| best.values[0] <= answer.bounds[0]);
        let unlimited = settings.limits.deadline.is_none() && settings.limits.steps.is_none();
        // A round that takes longer than the patience lasts is not begun without being asked.
        let round_takes = if current.best.is_some() { WORKERS * times_take(problem) } else { 0 };
        if *quiet + round_takes >= patience(problem, met) && (unlimited || current.best.is_none()) {
            return Some(if unlimited { StopReason::Stalled } else { StopReason::Limit });
        }
        *rounds += 1;
        let slice = patience(problem, true) / (2 * WORKERS);
        // What the limit leaves is shared out before the start: who comes first must not matter.
        let mut limits = settings.limits.clone();
        limits.steps = limits.steps.map(|most| (most - answer.effort).div_ceil(WORKERS));
        let settings = &Settings { limits, ..settings.clone() };
        let results: Vec<(Worker<'_>, u64)> = (0..WORKERS)
            .into_par_iter()
            .map(|worker| {
                let seed = settings.seed ^ (*rounds * WORKERS + worker).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut random = Random::new(seed);
                let mut mine = current.clone();
                let spent = mine.round(problem, analysis, base, settings, slice, &mut random);
                (mine, spent)
            })
            .collect();
        let effort: u64 = results.iter().map(|(_, spent)| spent).sum();
        answer.effort += effort;
        *quiet += effort.max(1);
        let better = results
            .into_iter()
            .map(|(worker, _)| worker)
            .enumerate()
            .min_by_key(|(at, worker)| (worker.rank(), *at));
        if let Some((_, worker)) = better {
            if worker.rank() < current.rank() {
                *quiet = 0;
            }
            if worker.rank() <= current.rank() {
                *current = worker;
            }
        }
        None
    }
}

/// A placement under change, and the best plan that it led to.
#[derive(Clone, Debug)]
struct Worker<'p> {
    places: Places<'p>,
    best: Option<Incumbent>,
    /// Items whose moves wait for ever in the placement, as long as there is no plan.
    stuck: Vec<u32>,
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
        self.stuck.clear();
        if !self.places.missing().is_empty() || !construct::is_whole(problem, &self.places) {
            return 1;
        }
        let placement = self.places.placement();
        let price = super::penalty(problem, self.places.then(), &placement.open);
        let mut effort = 0;
        match times(problem, settings, &placement, price, random, &mut effort) {
            Ok(found) => {
                if self.best.as_ref().is_none_or(|best| found.values < best.values) {
                    self.best = Some(found);
                }
            }
            Err(stuck) => self.stuck = stuck,
        }
        effort
    }

    /// A placement has no times since some moves wait for ever: takes those back, repairs
    /// what that breaks in another way, and asks for times again. Returns the effort.
    fn loosen(&mut self, problem: &Problem, settings: &Settings<'_>, random: &mut Random) -> u64 {
        self.places.mark();
        for item in std::mem::take(&mut self.stuck) {
            take_back(problem, &mut self.places, item);
        }
        let noise = Some(1 + random.below(4));
        let thrifty = settings.objective.saves_nodes();
        Repair { problem, limits: &settings.limits, noise, thrifty, random }.repair(&mut self.places);
        self.evaluate(problem, settings, random)
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
        let limits = &settings.limits;
        let soft = problem.packing.relations.iter().any(|relation| relation.penalty.is_some());
        let thrifty = settings.objective.saves_nodes();
        // More moves may pay if a bin can close for them: times tell.
        let saving = settings.objective.saves_energy();
        while effort + self.places.steps < slice {
            if limits.reached(effort + self.places.steps).is_some() {
                break;
            }
            effort += 1;
            if self.best.is_none() && !self.stuck.is_empty() && random.below(2) == 0 {
                effort += self.loosen(problem, settings, random);
                continue;
            }
            if self.best.is_none() {
                // From scratch, other choices.
                let mut fresh = base.clone();
                fresh.steps = self.places.steps;
                let noise = Some(1 + random.below(4));
                // Where time is short nothing may be left for switching off.
                let thrifty = thrifty && random.below(2) == 0;
                Repair { problem, limits, noise, thrifty, random }.construct(analysis, &mut fresh);
                if fresh.missing().len() <= self.places.missing().len() {
                    self.places = fresh;
                } else {
                    self.places.steps = fresh.steps;
                }
                effort += self.evaluate(problem, settings, random);
                continue;
            }
            let price = |places: &Places<'_>| {
                if soft { super::penalty(problem, places.then(), &places.placement().open) } else { 0 }
            };
            let before = guide(problem, settings, &self.places, price(&self.places));
            self.places.mark();
            let mut vacated = false;
            if soft && random.below(3) == 0 {
                nudge(problem, &mut self.places, random);
            } else if (thrifty || saving) && random.below(2) == 0 {
                vacate(problem, &mut self.places, random);
                vacated = saving;
            } else {
                disturb(problem, analysis, &mut self.places, random);
            }
            let noise = Some(1 + random.below(4));
            Repair { problem, limits, noise, thrifty, random }.repair(&mut self.places);
            let after = price(&self.places);
            let worse = !self.places.missing().is_empty()
                || !construct::is_whole(problem, &self.places)
                || (!vacated && guide(problem, settings, &self.places, after) > before);
            if worse {
                self.places.undo();
                continue;
            }
            let placement = self.places.placement();
            let found = times(problem, settings, &placement, after, random, &mut effort);
            match (found, &mut self.best) {
                (Ok(found), Some(best)) if found.values <= best.values => *best = found,
                _ => self.places.undo(),
            }
        }
        effort + std::mem::take(&mut self.places.steps)
    }
}

/// What leads the search from placement to placement before times are known: the levels as
/// far as the placement decides them; the moves, where time decides all of them.
fn guide(problem: &Problem, settings: &Settings<'_>, places: &Places<'_>, penalty: u64) -> Vec<u64> {
    let objective = settings.objective;
    if !objective.counts(Metric::NodesOn) {
        return vec![places.moves() + penalty];
    }
    let bins = 0..problem.packing.bins.len() as u32;
    let open = bins.filter(|&bin| places.is_open(bin)).count() as u64;
    let mut guide = objective.values(|metric| match metric {
        Metric::NodesOn => open,
        Metric::Relocations => places.moves(),
        Metric::RelocationTime => moving_time(problem, places),
        Metric::Mttr | Metric::SumOfEnds | Metric::Makespan | Metric::Energy => 0,
    });
    guide[0] = guide[0].saturating_add(penalty);
    guide.push(places.moves());
    guide
}

/// How long the moves take together, without stops on the way.
fn moving_time(problem: &Problem, places: &Places<'_>) -> u64 {
    let rows = problem.packing.items.iter().zip(0u32..);
    rows.filter(|(row, item)| row.role == Role::Stay && places.bin(*item) != row.source)
        .map(|(row, _)| u64::from(row.lead + row.hold))
        .sum()
}

/// Empties a bin of free fate and closes it: one of a few, with little in it.
fn vacate(problem: &Problem, places: &mut Places<'_>, random: &mut Random) {
    const LOOKS: usize = 6;
    let packing = &problem.packing;
    let bins = packing.bins.len();
    let may_close = |bin: u32| {
        packing.bins[bin as usize].later == Later::Free
            && places.is_open(bin)
            && places.then().guests(bin).iter().all(|&item| packing.settled_in(item).is_none())
    };
    // From a random place on, so that each gets its turn.
    let start = random.below(bins);
    let candidates = (start..bins).chain(0..start).map(|bin| bin as u32).filter(|&bin| may_close(bin));
    let bulk =
        |bin: u32| places.then().guests(bin).iter().map(|&item| presolve::bulk(packing, item)).sum::<u64>();
    let Some((_, bin)) = candidates.take(LOOKS).map(|bin| (bulk(bin), bin)).min() else { return };
    for item in places.then().guests(bin).to_vec() {
        places.take(item);
    }
    places.set_open(bin, false);
}

/// Takes a move back: the item goes where it was, if it may end there, and is missing if not.
fn take_back(problem: &Problem, places: &mut Places<'_>, item: u32) {
    let packing = &problem.packing;
    let row = &packing.items[item as usize];
    places.take(item);
    if row.role == Role::Stay && packing.may_end_in(item, row.source) && places.is_open(row.source) {
        places.put(item, row.source);
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
        take_back(problem, places, item);
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

/// Times for a placement: several rules, the first result that keeps all promises, or the
/// items whose moves are in each other's way (none, where only a promise about time fails).
fn times(
    problem: &Problem,
    settings: &Settings<'_>,
    placement: &Placement,
    penalty: u64,
    random: &mut Random,
    effort: &mut u64,
) -> Result<Incumbent, Vec<u32>> {
    let items = problem.packing.items.len();
    let cost = times_take(problem);
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
    let mut fewest: Option<Vec<u32>> = None;
    // The plain rules nearly always do; the others are for circles and deadlines.
    for attempt in 0..12u32 {
        if attempt > 0 && settings.limits.reached(*effort).is_some() {
            break;
        }
        let rules = Rules {
            rank: if attempt < 2 || attempt == 6 { ranked(None) } else { ranked(Some(random)) },
            newcomers_last: attempt % 2 == 1,
            parkings: if attempt < 6 { 0 } else { 8 },
            share: false,
        };
        *effort += cost;
        match schedule::generate(problem, placement, &rules) {
            Ok(steps) if super::in_time(problem, &steps) => {
                let values = super::value(problem, settings, &steps, penalty);
                let mut known = (steps, values);
                if let Some(shared) = shared(problem, settings, placement, penalty, rules, &known.0)
                    && shared.1 < known.1
                {
                    known = shared;
                }
                let (steps, values) = known;
                let plan = |(steps, values)| {
                    let found = Incumbent { steps, values, placement: placement.clone() };
                    thrifty(problem, settings, found)
                };
                let known = plan((steps, values));
                return Ok(match quickened(problem, settings, &known, random, effort).map(plan) {
                    Some(quicker) if quicker.values < known.values => quicker,
                    _ => known,
                });
            }
            Ok(_) => {}
            Err(stuck) => {
                let moves = stuck.items.into_iter().map(|(item, _)| item).filter(|&item| {
                    let source = problem.packing.items[item as usize].source;
                    source != NONE && placement.to[item as usize] != source
                });
                let moves: Vec<u32> = moves.collect();
                if fewest.as_ref().is_none_or(|fewest| moves.len() < fewest.len()) {
                    fewest = Some(moves);
                }
            }
        }
    }
    Err(fewest.unwrap_or_default())
}

/// The same plan for fewer joules, where those count; with its values told anew.
pub(crate) fn thrifty(problem: &Problem, settings: &Settings<'_>, mut found: Incumbent) -> Incumbent {
    if !settings.objective.counts(Metric::Energy) {
        return found;
    }
    found.values = super::value(problem, settings, &found.steps, found.penalty(problem));
    for steps in schedule::thrift::thrifty(problem, &found.steps) {
        let placement = super::last_places(problem, &steps);
        let then = final_ledger(problem, &placement);
        let penalty = super::penalty(problem, &then, &placement.open);
        let values = super::value(problem, settings, &steps, penalty);
        if values < found.values
            && construct::is_sound(problem, &then, &placement.open)
            && schedule::replays(problem, &steps)
            && super::in_time(problem, &steps)
        {
            return Incumbent { steps, values, placement };
        }
    }
    found
}

/// Somewhat better times on a network, where placements are compared by them.
fn quickened(
    problem: &Problem,
    settings: &Settings<'_>,
    known: &Incumbent,
    random: &mut Random,
    effort: &mut u64,
) -> Option<schedule::hasten::Better> {
    let Incumbent { steps, values, .. } = known;
    if problem.project.transit.is_none() || settings.any || steps.len() > MOST_QUICKENED {
        return None;
    }
    let request = schedule::Request {
        problem,
        objective: settings.objective,
        steps,
        values,
        bounds: &vec![0; values.len()],
        first: true,
        granted: QUICK_SCHEDULES * (1 + steps.len() as u64 / 16),
        seed: random.bits(),
    };
    let sound = |steps: &[Step]| schedule::replays(problem, steps) && super::in_time(problem, steps);
    let (found, spent) = schedule::hasten(request, &|| settings.limits.reached(0).is_some(), &sound);
    *effort += spent;
    found
}

/// Steps beyond which nobody shares: what it costs to look grows with those that run at once.
const MOST_SHARING: usize = 2_000;

/// Times where moves may share what lies on their way, in the order that the rules say or the
/// longest first; none where that cannot be better than the steps that are known.
fn shared(
    problem: &Problem,
    settings: &Settings<'_>,
    placement: &Placement,
    penalty: u64,
    rules: Rules,
    known: &[Step],
) -> Option<(Vec<Step>, Vec<u64>)> {
    if known.len() > MOST_SHARING || !may_share(problem, known) {
        return None;
    }
    let items = problem.packing.items.iter();
    let longest = items.map(|item| u32::MAX - item.hold).collect();
    let tries = [rules.clone(), Rules { rank: longest, ..rules }].map(|rules| Rules { share: true, ..rules });
    let timed = tries.iter().filter_map(|rules| {
        let steps = schedule::generate(problem, placement, rules).ok()?;
        let values =
            super::in_time(problem, &steps).then(|| super::value(problem, settings, &steps, penalty))?;
        Some((steps, values))
    });
    timed.min_by(|one, other| one.1.cmp(&other.1))
}

/// Do two moves over a network meet on a channel of which the slower one leaves some, but too
/// little for the faster one?
fn may_share(problem: &Problem, steps: &[Step]) -> bool {
    let Some(transit) = problem.project.transit.as_ref().filter(|transit| transit.parts().len() > 1) else {
        return false;
    };
    // By channel: how many moves use it, the least that one takes, and the most.
    let mut uses: FxHashMap<u32, (u32, u64, u64)> = FxHashMap::default();
    for passage in steps.iter().filter_map(|step| passage_of(problem, &step.kind)).flatten() {
        for (channel, amount) in passage.uses {
            let row = uses.entry(channel).or_insert((0, u64::MAX, 0));
            *row = (row.0 + 1, row.1.min(amount), row.2.max(amount));
        }
    }
    uses.into_iter().any(|(channel, (count, least, most))| {
        let capacity = transit.capacities()[channel as usize];
        count > 1 && least < capacity && least.saturating_add(most) > capacity
    })
}

/// Times for a placement that was found elsewhere; the number of moves, if there are times.
pub(crate) fn adopt_placement(
    problem: &Problem,
    settings: &Settings<'_>,
    placement: &Placement,
    search: &mut Search<'_>,
    effort: &mut u64,
) -> Option<u64> {
    let then = final_ledger(problem, placement);
    if !construct::is_sound(problem, &then, &placement.open) {
        return None;
    }
    let penalty = super::penalty(problem, &then, &placement.open);
    let mut random = Random::new(settings.seed);
    let found = times(problem, settings, placement, penalty, &mut random, effort).ok()?;
    let moves = found.steps.iter().filter(|step| matches!(step.kind, StepKind::Move { .. })).count() as u64;
    search.adopt(found);
    Some(moves)
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
    let then = final_ledger(problem, &placement);
    let penalty = super::penalty(problem, &then, &placement.open);
    let mut random = Random::new(settings.seed);
    let plain = steps.iter().all(|step| !matches!(step.kind, StepKind::Move { parking: true, .. }));
    let mut candidates = Vec::new();
    if super::in_time(problem, &steps) {
        let values = super::value(problem, settings, &steps, penalty);
        candidates.push(Incumbent { steps, values, placement: placement.clone() });
    }
    if let Ok(found) = times(problem, settings, &placement, penalty, &mut random, &mut 0)
        && (plain || !candidates.is_empty())
    {
        candidates.push(found);
    }
    for found in candidates {
        search.adopt(thrifty(problem, settings, found));
    }
}

//! The search: from a problem to steps, a lower bound, or the proof that there are none.
//!
//! In order: what groups decide before any choice ([`tighten`]); the independent parts
//! ([`parts`]), and for each: what must move in any case ([`presolve`]); a first placement
//! by repair, starting from those ([`place`]); times for it ([`crate::schedule`]); neighbourhoods
//! around the best plan so far until its value meets the bound or nothing better comes
//! ([`improve`]); and on small problems every order of steps ([`exact`]), which also
//! proves that there is no plan. On larger ones a linear programme can ([`room`]).

pub mod bound;
mod cheapest;
mod consolidate;
mod construct;
pub mod cover;
mod deadline;
mod draws;
pub mod exact;
pub mod fewest;
mod haste;
pub mod improve;
pub mod pack;
pub mod parts;
pub mod place;
pub mod possible;
pub mod presolve;
pub mod price;
mod prove;
pub mod room;
mod sparse;
pub mod tighten;
mod traffic;

use crate::engine::Meter;
use crate::objective::Metric;
use crate::objective::Objective;
use crate::outcome::CancelToken;
use crate::outcome::Phase;
use crate::outcome::StopReason;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Shares;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::propagator::Block;
use crate::random;
use crate::schedule;
use consolidate::Consolidation;
use exact::Exact;
use exact::MoveCost;
use presolve::Analysis;
use rayon::prelude::*;
use std::time::Instant;

/// When to stop.
#[derive(Clone, Debug)]
pub struct Limits {
    /// At this moment.
    pub deadline: Option<Instant>,
    /// After so many steps.
    pub steps: Option<u64>,
    /// When raised.
    pub cancel: CancelToken,
}

impl Limits {
    /// Is it time to stop, after so many steps?
    pub fn reached(&self, steps: u64) -> Option<StopReason> {
        if self.cancel.is_cancelled() {
            return Some(StopReason::Interrupted);
        }
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        (late || self.steps.is_some_and(|most| steps >= most)).then_some(StopReason::Limit)
    }

    /// Counts what is left of them, after so many steps.
    fn meter(&self, steps: u64) -> Meter {
        let left = self.steps.map_or(u64::MAX, |most| most.saturating_sub(steps));
        Meter::new(left, self.deadline, self.cancel.clone())
    }
}

/// Told about every better plan: phase, values by level, bound of the first level, steps.
pub type Watcher<'a> = &'a (dyn Fn(Phase, Option<&[u64]>, u64, u64) + 'a);

/// How to search.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// What is minimised.
    pub objective: &'a Objective,
    /// When to stop.
    pub limits: Limits,
    /// Stop once the gap of the first level is at most this share.
    pub gap: Option<f64>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Stop at the first plan.
    pub any: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The bin's content cannot be made to fit: what is too full or broken.
    Bin(u32, Block),
    /// The item may be in no bin at the end.
    Homeless(u32),
    /// These items do not fit into these bins, taken together, in this dimension
    /// ([`NONE`]: in all dimensions together).
    Room(Vec<u32>, Vec<u32>, u32),
    /// The bins that a relation lets be open have too little room in this dimension.
    Powered(u32, u32),
    /// No schedule ends by the horizon: this is the earliest end.
    Late(u64),
    /// The item's move has to end earlier than it can.
    Overdue(u32),
    /// A relation wants its items in one bin, and no bin has as much of this dimension.
    Together(u32, u32),
    /// A relation has more items than it has room for, as this many bins are left.
    Crowd(u32, u32),
    /// These items, with all relations, have no last configuration.
    Nowhere(Vec<u32>),
    /// Every order of steps was tried.
    Exhausted,
}

/// The answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The best plan found.
    pub steps: Option<Vec<Step>>,
    /// Its values by level.
    pub values: Option<Vec<u64>>,
    /// By level: no plan that is as good in the levels before is below.
    pub bounds: Vec<u64>,
    /// Why there is none.
    pub proof: Option<Proof>,
    /// Why the search ended.
    pub stop: StopReason,
    /// Bins tried.
    pub effort: u64,
    /// Seconds spent on times rather than places.
    pub scheduling: f64,
    /// What was known before the search.
    pub analysis: Analysis,
}

/// Solves a problem: its independent parts side by side.
pub fn run(problem: &Problem, settings: &Settings<'_>, watch: Watcher<'_>) -> Answer {
    let sums = settings.objective.levels.iter().flat_map(|level| &level.terms);
    // A bin that stays open draws power until the last part ends.
    let separable = sums.clone().all(|(_, metric)| !matches!(metric, Metric::Makespan | Metric::Energy));
    let parts = if separable { parts::split(problem) } else { None };
    match parts {
        None => solve(&[problem], settings, watch).pop().unwrap_or_default(),
        Some(parts) => {
            let problems: Vec<&Problem> = parts.iter().map(|part| &part.problem).collect();
            parts::merge(&parts, solve(&problems, settings, watch), settings.objective)
        }
    }
}

/// Solves problems that have nothing to do with each other, round by round, so that a
/// limit that comes in between finds all of them with a plan.
fn solve(problems: &[&Problem], settings: &Settings<'_>, watch: Watcher<'_>) -> Vec<Answer> {
    let weight = |problem: &Problem| 1 + problem.packing.items.len() as u128;
    let all: u128 = problems.iter().map(|problem| weight(problem)).sum();
    watch(Phase::Construct, None, 0, 0);
    let mut solvers: Vec<Solver<'_>> = problems
        .par_iter()
        .map(|&problem| {
            let mut settings = settings.clone();
            // A share of the steps by size: who is faster must not matter.
            settings.limits.steps =
                settings.limits.steps.map(|steps| (u128::from(steps) * weight(problem) / all) as u64);
            Solver::start(problem, settings)
        })
        .collect();
    report(Phase::Improve, &solvers, watch);
    while solvers.iter().all(|solver| solver.answer.proof.is_none())
        && solvers.iter().any(|solver| solver.stop.is_none() && !solver.is_enough())
    {
        let improved = match &mut solvers[..] {
            // One alone can tell what it proves on the way.
            [solver] if !solver.within_gap() && solver.wants_fewest() => {
                let _ = solver.prove_fewest(Some(watch));
                true
            }
            solvers => {
                let improved: Vec<bool> = solvers.par_iter_mut().map(Solver::round).collect();
                improved.contains(&true)
            }
        };
        if improved {
            report(Phase::Improve, &solvers, watch);
        }
    }
    if solvers.iter().all(|solver| solver.answer.proof.is_none()) {
        if solvers.iter().any(Solver::wants_proof) {
            report(Phase::Prove, &solvers, watch);
        }
        solvers.par_iter_mut().for_each(Solver::prove_last);
    }
    solvers.into_iter().map(Solver::finish).collect()
}

fn report(phase: Phase, solvers: &[Solver<'_>], watch: Watcher<'_>) {
    let bound = solvers.iter().map(|solver| solver.answer.bounds[0]).fold(0, u64::saturating_add);
    let effort = solvers.iter().map(|solver| solver.answer.effort).sum();
    let values = solvers
        .iter()
        .map(|solver| solver.best().map(|best| best.values.clone()))
        .reduce(|sum, values| Some(parts::add_up(&sum?, &values?)))
        .flatten();
    watch(phase, values.as_deref(), bound, effort);
}

/// One problem on its way.
struct Solver<'p> {
    problem: &'p Problem,
    settings: Settings<'p>,
    analysis: Analysis,
    answer: Answer,
    /// None where there was nothing to search for.
    search: Option<improve::Search<'p>>,
    /// The search for few open bins, where those count.
    consolidation: Option<Consolidation>,
    /// The items that may do something.
    active: Vec<u32>,
    /// Was the proof of the fewest moves tried?
    fewest_tried: bool,
    /// Was the proof of the least seconds of the moves tried?
    quickest_tried: bool,
    /// Was every schedule tried, the cheapest first?
    cheapest_tried: bool,
    /// The placement and the values of the plan for which the best times were looked for.
    perfected: Option<(schedule::Placement, Vec<u64>)>,
    stop: Option<StopReason>,
    /// Rounds of improvement so far; the searches take turns by their number.
    rounds: u64,
    /// Rounds that were about times.
    hastes: u64,
    /// Did the last of those find nothing?
    idle: bool,
}

impl<'p> Solver<'p> {
    /// Bounds, and a first plan.
    fn start(problem: &'p Problem, settings: Settings<'p>) -> Self {
        let analysis = presolve::analyse(problem);
        let mut answer = Answer { bounds: bounds(settings.objective, &analysis, None), ..Answer::default() };
        answer.proof = first_proof(problem, &analysis);
        let mut search = None;
        if answer.proof.is_none() {
            search = Some(improve::Search::first(problem, &analysis, &settings, &mut answer));
        }
        let active = active_items(problem);
        let (fewest_tried, quickest_tried) = (false, false);
        let mut solver = Self {
            problem,
            settings,
            analysis,
            answer,
            search,
            consolidation: None,
            active,
            fewest_tried,
            quickest_tried,
            cheapest_tried: false,
            perfected: None,
            stop: None,
            rounds: 0,
            hastes: 0,
            idle: false,
        };
        solver.prove_nowhere();
        solver.start_consolidation();
        solver.raise_sums();
        // On a tiny problem every order of steps is tried at once, on a small one after
        // everything else.
        if solver.answer.proof.is_none() && solver.is_tiny() && !solver.met() && !solver.is_enough() {
            solver.prove();
        }
        if solver.is_tiny() && solver.wants_cheapest() {
            solver.prove_cheapest();
        }
        if solver.answer.proof.is_some() {
            solver.stop = Some(StopReason::Proved);
        }
        solver
    }

    /// Where repair finds no plan at first: is that because there is no last configuration?
    fn prove_nowhere(&mut self) {
        if self.best().is_some() || self.answer.proof.is_some() {
            return;
        }
        let most =
            self.settings.limits.steps.map_or(u64::MAX, |most| most.saturating_sub(self.answer.effort));
        let granted = POSSIBLE_BUDGET.min(most);
        let mut budget = granted;
        let found = possible::possible(self.problem, &mut budget, &self.settings.limits);
        self.answer.effort += (granted - budget) / POSSIBLE_STEP;
        if let possible::Possible::No(items) = found {
            self.answer.proof = Some(Proof::Nowhere(items));
        }
    }

    /// Bounds on the open bins and packings in one pass, where open bins count.
    fn start_consolidation(&mut self) {
        if self.answer.proof.is_some() || !self.settings.objective.counts(Metric::NodesOn) {
            return;
        }
        let mut meter = self.settings.limits.meter(self.answer.effort);
        self.consolidation = Consolidation::new(self.problem, self.settings.seed, &mut meter);
        self.answer.effort += meter.steps();
        self.use_consolidation();
    }

    /// Another stage of the search for few open bins. False when there is none.
    fn consolidate(&mut self) -> bool {
        let Some(consolidation) = &mut self.consolidation else { return false };
        if consolidation.packer.is_done() || self.settings.limits.reached(self.answer.effort).is_some() {
            return false;
        }
        let mut meter = self.settings.limits.meter(self.answer.effort);
        let better = consolidation.packer.advance(&mut meter);
        self.answer.effort += meter.steps();
        if better {
            self.use_consolidation();
        }
        true
    }

    /// Takes over the bound, and the placement if it leaves fewer bins open.
    fn use_consolidation(&mut self) {
        let (Some(consolidation), Some(search)) = (&self.consolidation, &mut self.search) else { return };
        self.analysis.fewest_open = self.analysis.fewest_open.max(consolidation.bound());
        let least = bounds(self.settings.objective, &self.analysis, None);
        self.answer.bounds.iter_mut().zip(least).for_each(|(bound, least)| *bound = (*bound).max(least));
        let fewer = match (consolidation.value(), search.best()) {
            (Some(value), Some(best)) => value < open_bins(best),
            (value, _) => value.is_some(),
        };
        if fewer && let Some(placement) = consolidation.placement(self.problem) {
            self.answer.effort += search.try_placement(self.problem, &self.settings, &placement);
        }
    }

    fn best(&self) -> Option<&improve::Incumbent> {
        self.search.as_ref()?.best()
    }

    /// Is the first level proved?
    fn met(&self) -> bool {
        self.best().is_some_and(|best| best.values[0] <= self.answer.bounds[0])
    }

    /// Is any plan asked for, and is there one?
    fn is_enough(&self) -> bool {
        self.settings.any && self.best().is_some()
    }

    fn is_tiny(&self) -> bool {
        self.active.len() <= TINY_ITEMS && self.problem.packing.bins.len() <= TINY_BINS
    }

    fn is_small(&self) -> bool {
        self.active.len() <= EXACT_ITEMS && self.problem.packing.bins.len() <= EXACT_BINS
    }

    fn wants_proof(&self) -> bool {
        self.answer.proof.is_none()
            && self.is_small()
            && !self.is_tiny()
            && !self.met()
            && !self.is_enough()
            && !self.within_gap()
            && self.stop != Some(StopReason::Interrupted)
    }

    /// Is the gap of the first level as small as was asked?
    fn within_gap(&self) -> bool {
        let (Some(gap), Some(best)) = (self.settings.gap, self.best()) else { return false };
        let (value, bound) = (best.values[0], self.answer.bounds[0]);
        value.saturating_sub(bound) as f64 <= gap * value as f64
    }

    /// A round of improvement, if it has not stopped. Is the plan better now, or the bound?
    fn round(&mut self) -> bool {
        if self.is_enough() {
            return false;
        }
        if self.stop.is_none() && self.within_gap() {
            self.stop = Some(StopReason::Gap);
        }
        if self.wants_fewest() {
            return self.prove_fewest(None);
        }
        if self.wants_quickest() {
            return self.prove_quickest();
        }
        if self.search.is_none() || self.stop.is_some() {
            return false;
        }
        let before = self.best().map(|best| best.values.clone());
        self.rounds += 1;
        if self.wants_perfect() {
            return self.perfect_times();
        }
        if self.wants_haste() {
            return self.haste();
        }
        // Both take turns only where what one finds is no plan for the other.
        let turn = self.followed() || !self.rounds.is_multiple_of(2);
        if turn && self.consolidate() {
            return self.best().map(|best| &best.values) != before.as_ref();
        }
        let Some(search) = &mut self.search else { return false };
        self.stop = search.round(self.problem, &self.analysis, &self.settings, &mut self.answer);
        self.stop.is_none() && search.best().map(|best| &best.values) != before.as_ref()
    }

    /// Does the best plan leave no more bins open than the best packing?
    fn followed(&self) -> bool {
        match (self.consolidation.as_ref().and_then(Consolidation::value), self.best()) {
            (Some(value), Some(best)) => open_bins(best) <= value,
            _ => false,
        }
    }

    /// Tries every order of steps: finds the best plan as far as the moves go, or the
    /// proof that there is none.
    fn prove(&mut self) {
        let Self { problem, settings, answer, search: Some(search), active, .. } = self else { return };
        let packing = &problem.packing;
        let level = &settings.objective.levels[0];
        // Only sums over the moves can be compared before times are known.
        let mut cost = MoveCost { per_move: 0, per_second: 0, per_open: 0 };
        let mut comparable = true;
        for &(weight, metric) in &level.terms {
            match metric {
                Metric::Relocations => cost.per_move += u64::from(weight),
                Metric::RelocationTime => cost.per_second += u64::from(weight),
                Metric::NodesOn => cost.per_open += u64::from(weight),
                _ => comparable = false,
            }
        }
        if search.best().is_some() && !comparable {
            return;
        }
        if !comparable {
            cost = MoveCost { per_move: 1, per_second: 0, per_open: 0 };
        }
        let seats: Vec<(u32, bool)> = packing.items.iter().map(|item| (item.source, false)).collect();
        let mut budget = EXACT_BUDGET;
        if let Some(most) = settings.limits.steps {
            budget = budget.min(most.saturating_sub(answer.effort));
        }
        let granted = budget;
        // The timed search tries one rate for each move.
        let on_the_way = problem.project.transit.as_ref().is_some_and(|transit| transit.is_far());
        let timed = exact::timed::applies(problem) && !on_the_way;
        // What is impossible without promises about time is so with them, and seen sooner.
        let mut found = exact::search(problem, active, &seats, cost, &mut budget, &settings.limits);
        if timed && !matches!(found, Exact::Impossible) {
            found = exact::timed::search(problem, active, &seats, cost, &mut budget, &settings.limits);
        }
        let comparable = comparable
            && !(timed && (cost.per_second > 0 || cost.per_open > 0))
            && !(on_the_way && cost.per_second > 0);
        answer.effort += granted - budget;
        match found {
            Exact::Impossible if search.best().is_none() => answer.proof = Some(Proof::Exhausted),
            Exact::Impossible => {}
            Exact::Budget(bound) => {
                if comparable {
                    answer.bounds[0] = answer.bounds[0].max(bound);
                }
            }
            Exact::Found(steps, cost) => {
                if comparable {
                    answer.bounds[0] = answer.bounds[0].max(cost);
                }
                improve::adopt_path(problem, settings, steps, search);
            }
        }
    }

    /// The proofs that are tried when the improvement has ended.
    fn prove_last(&mut self) {
        if self.within_gap() || self.is_enough() {
            return;
        }
        let lasts = self.stop != Some(StopReason::Interrupted);
        let thorough = lasts && !self.settings.any;
        // Once for any plan, and once for the best.
        for _ in 0..2 {
            if lasts && !self.fewest_tried && self.may_gain() && !self.is_enough() {
                let _ = self.prove_fewest(None);
            }
        }
        if thorough && !self.quickest_tried {
            let _ = self.prove_quickest();
        }
        if thorough {
            let _ = self.perfect_times();
        }
        if self.wants_proof() {
            self.prove();
        }
        if self.is_small() && self.stop != Some(StopReason::Interrupted) && self.wants_cheapest() {
            self.prove_cheapest();
        }
        if self.best().is_none() && self.answer.proof.is_none() {
            self.answer.proof = room::proof(self.problem);
        }
    }

    fn finish(self) -> Answer {
        let Self { settings, analysis, mut answer, search, stop, .. } = self;
        let best = search.and_then(improve::Search::into_best);
        answer.stop = stop.unwrap_or(StopReason::Limit);
        if let Some(best) = best {
            let reached = bounds(settings.objective, &analysis, Some(&best.values));
            for (bound, reached) in answer.bounds.iter_mut().zip(reached) {
                *bound = (*bound).max(reached);
            }
            for (bound, value) in answer.bounds.iter_mut().zip(&best.values) {
                *bound = (*bound).min(*value);
            }
            if answer.bounds == best.values {
                answer.stop = StopReason::Proved;
            }
            answer.values = Some(best.values);
            answer.steps = Some(best.steps);
        } else if answer.proof.is_some() {
            answer.stop = StopReason::Proved;
        }
        answer.analysis = analysis;
        answer
    }
}

/// Bins that a plan leaves open.
fn open_bins(best: &improve::Incumbent) -> u64 {
    best.placement.open.iter().filter(|&&open| open).count() as u64
}

/// Lower bounds by level. The bounds on ends may assume the fewest moves only
/// where the levels before enforce them.
fn bounds(objective: &Objective, analysis: &Analysis, values: Option<&[u64]>) -> Vec<u64> {
    let mut fewest_moves = false;
    objective
        .levels
        .iter()
        .enumerate()
        .map(|(at, level)| {
            let bound = level.value(|metric| match metric {
                Metric::Relocations => analysis.fewest_moves,
                Metric::Mttr | Metric::SumOfEnds if fewest_moves => analysis.least_mttr,
                Metric::Mttr | Metric::SumOfEnds => analysis.least_mttr_any,
                Metric::Makespan if fewest_moves => analysis.least_makespan_fewest,
                Metric::Makespan => analysis.least_makespan,
                Metric::RelocationTime => analysis.least_relocation_time,
                Metric::NodesOn => analysis.fewest_open,
                Metric::Energy if fewest_moves => analysis.least_energy_fewest(),
                Metric::Energy => analysis.least_energy(),
            });
            if let ([(_, Metric::Relocations)], Some(values)) = (&level.terms[..], values)
                && values[at] == bound
            {
                fewest_moves = true;
            }
            bound
        })
        .collect()
}

fn first_proof(problem: &Problem, analysis: &Analysis) -> Option<Proof> {
    if let Some((bin, block)) = analysis.hopeless {
        return Some(Proof::Bin(bin, block));
    }
    if let Some(item) = analysis.homeless {
        return Some(Proof::Homeless(item));
    }
    if problem.project.horizon.is_some_and(|horizon| horizon < analysis.least_makespan) {
        return Some(Proof::Late(analysis.least_makespan));
    }
    if let Some(item) = deadline::overdue(problem, &analysis.forced) {
        return Some(Proof::Overdue(item));
    }
    // More items than seats: at most k in each of the bins that may be open.
    let packing = &problem.packing;
    let usable = packing.bins.iter().filter(|bin| bin.later != Later::Closed).count() as u64;
    let largest = presolve::largest_bin(packing);
    packing.relations.iter().enumerate().find_map(|(at, relation)| {
        if let RelationKind::SameGroup { items, partition: NONE } = &relation.kind
            && relation.penalty.is_none()
        {
            let need = presolve::final_load(packing, items);
            let dim = (0..packing.dims).find(|&dim| need[dim] > u128::from(largest[dim]))?;
            return Some(Proof::Together(at as u32, dim as u32));
        }
        if let RelationKind::Powered { bins, limit } = &relation.kind
            && relation.penalty.is_none()
        {
            return too_few_open(packing, at as u32, bins, *limit);
        }
        let RelationKind::AtMost { items, most, partition } = &relation.kind else { return None };
        let usable = if *partition == NONE { usable } else { usable_groups(packing, *partition)? };
        let members = items.iter().filter(|&&item| packing.items[item as usize].role != Role::Depart).count();
        (relation.penalty.is_none() && members as u64 > usable * u64::from(*most))
            .then_some(Proof::Crowd(at as u32, usable as u32))
    })
}

/// The number of groups with a bin that may be open; `None` where such a bin is in no group.
fn usable_groups(packing: &Packing, partition: u32) -> Option<u64> {
    let open = (0u32..).zip(&packing.bins).filter(|(_, bin)| bin.later != Later::Closed);
    let mut groups: Vec<u32> = open.map(|(bin, _)| packing.group(partition, bin)).collect();
    groups.sort_unstable();
    groups.dedup();
    (groups.last() != Some(&NONE)).then_some(groups.len() as u64)
}

/// Even the largest bins that may be open together cannot hold everything.
fn too_few_open(packing: &Packing, at: u32, bins: &Shares, limit: u64) -> Option<Proof> {
    let usable = |bin: &u32| packing.bins[*bin as usize].later != Later::Closed;
    let all = 0..packing.bins.len() as u32;
    let stays: Vec<u32> = (0..packing.items.len() as u32)
        .filter(|&item| packing.items[item as usize].role != Role::Depart)
        .collect();
    // As many as could be open if they took the least.
    let most = bins.most(bins.iter().filter(usable), limit);
    if most == 0 && !stays.is_empty() && !all.clone().any(|bin| usable(&bin) && !bins.contains(bin)) {
        return Some(Proof::Crowd(at, 0));
    }
    (0..packing.dims).find_map(|dim| {
        let capacity = |bin: u32| u128::from(packing.capacity_then[bin as usize * packing.dims + dim]);
        let need: u128 = stays.iter().map(|&item| u128::from(packing.then(item)[dim])).sum();
        let outside: u128 = all.clone().filter(|bin| usable(bin) && !bins.contains(*bin)).map(capacity).sum();
        let mut inside: Vec<u128> = bins.iter().filter(usable).map(capacity).collect();
        inside.sort_unstable_by(|a, b| b.cmp(a));
        let room = outside + inside.iter().take(most as usize).sum::<u128>();
        (need > room).then_some(Proof::Powered(at, dim as u32))
    })
}

/// The largest problems for which every order of steps is tried: first, and last.
const TINY_ITEMS: usize = 9;
const TINY_BINS: usize = 5;
const EXACT_ITEMS: usize = 40;
const EXACT_BINS: usize = 24;
const EXACT_BUDGET: u64 = 60_000;

/// Bins that are tried to prove that there is no last configuration, and how many of them
/// are a step.
const POSSIBLE_BUDGET: u64 = 400_000;
const POSSIBLE_STEP: u64 = 64;

/// The items that may do something.
fn active_items(problem: &Problem) -> Vec<u32> {
    let packing = &problem.packing;
    (0..packing.items.len() as u32)
        .filter(|&item| {
            let row = &packing.items[item as usize];
            !(row.role == Role::Stay && row.pinned && !packing.resizes(item))
        })
        .collect()
}

/// Are all promises about time kept?
pub(crate) fn in_time(problem: &Problem, steps: &[Step]) -> bool {
    if let Some(horizon) = problem.project.horizon
        && steps.iter().any(|step| step.end > horizon)
    {
        return false;
    }
    if !schedule::is_carried(problem, steps) {
        return false;
    }
    problem.project.orders.iter().all(|(order, _)| match order {
        Order::Deadline(item, latest) => steps.iter().all(|step| match step.kind {
            StepKind::Move { item: other, .. } => other != *item || step.end <= *latest,
            _ => true,
        }),
        Order::NoDelay(item) => steps.iter().all(|step| match step.kind {
            StepKind::Move { item: other, .. }
            | StepKind::Arrive { item: other, .. }
            | StepKind::Depart { item: other, .. }
            | StepKind::Resize { item: other, .. } => other != *item || step.start == 0,
            _ => true,
        }),
        _ => true,
    })
}

/// The price of the soft relations for a placement.
pub(crate) fn penalty(problem: &Problem, ledger: &crate::propagator::Ledger<'_>, open: &[bool]) -> u64 {
    let is_open = |bin: u32| open[bin as usize];
    problem
        .packing
        .relations
        .iter()
        .enumerate()
        .filter_map(|(at, relation)| {
            let price = relation.penalty?;
            Some(u64::from(price).saturating_mul(ledger.violation(at as u32, &is_open)))
        })
        .fold(0, u64::saturating_add)
}

/// Values of a list of steps with the price of its last configuration.
pub(crate) fn value(problem: &Problem, settings: &Settings<'_>, steps: &[Step], penalty: u64) -> Vec<u64> {
    schedule::levels(problem, steps, settings.objective, penalty)
}

/// The last bin of each item, and the open bins, after some steps.
pub(crate) fn last_places(problem: &Problem, steps: &[Step]) -> schedule::Placement {
    let packing = &problem.packing;
    let mut to: Vec<u32> = packing.items.iter().map(|item| item.source).collect();
    let mut open: Vec<bool> = packing.bins.iter().map(|bin| bin.open).collect();
    let mut order: Vec<&Step> = steps.iter().collect();
    order.sort_by_key(|step| (step.end, step.start));
    for step in order {
        match step.kind {
            StepKind::Move { item, to: bin, .. } | StepKind::Arrive { item, to: bin, .. } => {
                to[item as usize] = bin
            }
            StepKind::Depart { item, .. } => to[item as usize] = NONE,
            StepKind::Open(bin) => open[bin as usize] = true,
            StepKind::Close(bin) => open[bin as usize] = false,
            _ => {}
        }
    }
    schedule::Placement { to, open }
}

//! The search: from a problem to steps, a lower bound, or the proof that there are none.
//!
//! In order: what must move in any case ([`presolve`]); a first placement by repair,
//! starting from those ([`place`]); times for it ([`crate::schedule`]); neighbourhoods
//! around the best plan so far until its value meets the bound or nothing better comes
//! ([`improve`]); and on small problems every order of steps ([`exact`]), which also
//! proves that there is no plan. On larger ones a linear programme can ([`room`]).

pub mod cover;
pub mod exact;
pub mod improve;
pub mod place;
pub mod presolve;
pub mod random;
pub mod room;

use crate::objective::Metric;
use crate::objective::Objective;
use crate::outcome::CancelToken;
use crate::outcome::Phase;
use crate::outcome::StopReason;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::propagator::Block;
use crate::schedule;
use exact::Exact;
use exact::MoveCost;
use presolve::Analysis;
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
    /// Seed of every random choice.
    pub seed: u64,
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
    /// A relation has more items than it has room for, as this many bins are left.
    Crowd(u32, u32),
    /// Every order of steps was tried.
    Exhausted,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The best plan found.
    pub steps: Option<Vec<Step>>,
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

/// Solves a problem.
pub fn run(problem: &Problem, settings: &Settings<'_>, watch: Watcher<'_>) -> Answer {
    let analysis = presolve::analyse(problem);
    let mut answer = Answer {
        steps: None,
        bounds: bounds(settings.objective, &analysis, None),
        proof: None,
        stop: StopReason::Proved,
        effort: 0,
        scheduling: 0.0,
        analysis: Analysis::default(),
    };
    answer.proof = first_proof(problem, &analysis);
    if answer.proof.is_some() {
        answer.analysis = analysis;
        return answer;
    }
    watch(Phase::Construct, None, answer.bounds[0], 0);
    let mut search = improve::first(problem, &analysis, settings, &mut answer);
    let met = |search: &improve::Search<'_>, answer: &Answer| {
        search.best().is_some_and(|best| best.values[0] <= answer.bounds[0])
    };
    // On a tiny problem every order of steps is tried at once, on a small one after
    // everything else.
    let active = active_items(problem);
    let bins = problem.packing.bins.len();
    let tiny = active.len() <= TINY_ITEMS && bins <= TINY_BINS;
    if tiny && !met(&search, &answer) {
        prove(problem, settings, &active, watch, &mut search, &mut answer);
    }
    let mut stop = StopReason::Proved;
    if answer.proof.is_none() {
        stop = improve::search(problem, &analysis, settings, watch, &mut search, &mut answer);
        let small = active.len() <= EXACT_ITEMS && bins <= EXACT_BINS;
        if small && !tiny && !met(&search, &answer) && stop != StopReason::Interrupted {
            prove(problem, settings, &active, watch, &mut search, &mut answer);
        }
    }
    let best = search.into_best();
    if best.is_none() && answer.proof.is_none() {
        answer.proof = room::proof(problem);
    }
    answer.stop = stop;
    if let Some(best) = best {
        let reached = bounds(settings.objective, &analysis, Some(&best.values));
        for (bound, reached) in answer.bounds.iter_mut().zip(reached) {
            *bound = (*bound).max(reached);
        }
        for (bound, value) in answer.bounds.iter_mut().zip(&best.values) {
            *bound = (*bound).min(*value);
        }
        let met = answer.bounds.iter().zip(&best.values).all(|(bound, value)| bound >= value);
        if met {
            answer.stop = StopReason::Proved;
        }
        answer.steps = Some(best.steps);
    } else if answer.proof.is_some() {
        answer.stop = StopReason::Proved;
    }
    answer.analysis = analysis;
    answer
}

/// Lower bounds by level. The bound on the sum of ends may assume the fewest moves only
/// where the levels before enforce them.
fn bounds(objective: &Objective, analysis: &Analysis, values: Option<&[u64]>) -> Vec<u64> {
    let mut fewest_moves = false;
    objective
        .levels
        .iter()
        .enumerate()
        .map(|(at, level)| {
            let bound = level
                .terms
                .iter()
                .map(|&(weight, metric)| {
                    let least = match metric {
                        Metric::Relocations => analysis.fewest_moves,
                        Metric::Mttr | Metric::SumOfEnds if fewest_moves => analysis.least_mttr,
                        Metric::Mttr | Metric::SumOfEnds => analysis.least_mttr_any,
                        Metric::Makespan => analysis.least_makespan,
                        Metric::RelocationTime => analysis.least_relocation_time,
                    };
                    u64::from(weight).saturating_mul(least)
                })
                .fold(0, u64::saturating_add);
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
    // More items than seats: at most k in each of the bins that may be open.
    let packing = &problem.packing;
    let usable = packing.bins.iter().filter(|bin| bin.later != Later::Closed).count() as u64;
    packing.relations.iter().enumerate().find_map(|(at, relation)| {
        if let RelationKind::Powered { bins, limit } = &relation.kind
            && relation.penalty.is_none()
        {
            return too_few_open(packing, at as u32, bins, *limit);
        }
        let RelationKind::AtMost { items, most } = &relation.kind else { return None };
        let members = items.iter().filter(|&&item| packing.items[item as usize].role != Role::Depart).count();
        (relation.penalty.is_none() && members as u64 > usable * u64::from(*most))
            .then_some(Proof::Crowd(at as u32, usable as u32))
    })
}

/// Even the largest bins that may be open together cannot hold everything.
fn too_few_open(packing: &Packing, at: u32, bins: &BitSet, limit: u64) -> Option<Proof> {
    let usable = |bin: &u32| packing.bins[*bin as usize].later != Later::Closed;
    let all = 0..packing.bins.len() as u32;
    let stays: Vec<u32> = (0..packing.items.len() as u32)
        .filter(|&item| packing.items[item as usize].role != Role::Depart)
        .collect();
    if limit == 0 && !stays.is_empty() && !all.clone().any(|bin| usable(&bin) && !bins.contains(bin)) {
        return Some(Proof::Crowd(at, 0));
    }
    (0..packing.dims).find_map(|dim| {
        let capacity = |bin: u32| u128::from(packing.capacity_then[bin as usize * packing.dims + dim]);
        let need: u128 = stays.iter().map(|&item| u128::from(packing.then(item)[dim])).sum();
        let outside: u128 = all.clone().filter(|bin| usable(bin) && !bins.contains(*bin)).map(capacity).sum();
        let mut inside: Vec<u128> = bins.iter().filter(usable).map(capacity).collect();
        inside.sort_unstable_by(|a, b| b.cmp(a));
        let room = outside + inside.iter().take(limit as usize).sum::<u128>();
        (need > room).then_some(Proof::Powered(at, dim as u32))
    })
}

/// The largest problems for which every order of steps is tried: first, and last.
const TINY_ITEMS: usize = 9;
const TINY_BINS: usize = 5;
const EXACT_ITEMS: usize = 40;
const EXACT_BINS: usize = 24;
const EXACT_BUDGET: u64 = 60_000;

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

/// Tries every order of steps: finds the best plan as far as the moves go, or the proof
/// that there is none.
fn prove(
    problem: &Problem,
    settings: &Settings<'_>,
    active: &[u32],
    watch: Watcher<'_>,
    search: &mut improve::Search<'_>,
    answer: &mut Answer,
) {
    let packing = &problem.packing;
    watch(Phase::Prove, search.best().map(|best| &best.values[..]), answer.bounds[0], answer.effort);
    let level = &settings.objective.levels[0];
    // Only sums over the moves can be compared before times are known.
    let mut cost = MoveCost { per_move: 0, per_second: 0 };
    let mut comparable = true;
    for &(weight, metric) in &level.terms {
        match metric {
            Metric::Relocations => cost.per_move += u64::from(weight),
            Metric::RelocationTime => cost.per_second += u64::from(weight),
            _ => comparable = false,
        }
    }
    if search.best().is_some() && !comparable {
        return;
    }
    if !comparable {
        cost = MoveCost { per_move: 1, per_second: 0 };
    }
    let seats: Vec<(u32, bool)> = packing.items.iter().map(|item| (item.source, false)).collect();
    let mut budget = EXACT_BUDGET;
    if let Some(most) = settings.limits.steps {
        budget = budget.min(most.saturating_sub(answer.effort));
    }
    let granted = budget;
    let timed = exact::timed::applies(problem);
    // What is impossible without promises about time is so with them, and seen sooner.
    let mut found = exact::search(problem, active, &seats, cost, &mut budget, &settings.limits);
    if timed && !matches!(found, Exact::Impossible) {
        found = exact::timed::search(problem, active, &seats, cost, &mut budget, &settings.limits);
    }
    let comparable = comparable && !(timed && cost.per_second > 0);
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

/// Are all promises about time kept?
pub(crate) fn in_time(problem: &Problem, steps: &[Step]) -> bool {
    if let Some(horizon) = problem.project.horizon
        && steps.iter().any(|step| step.end > horizon)
    {
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

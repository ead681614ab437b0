//! The best times for a placement, where that is small.
//!
//! Steps as tasks of a project with cumulative resources (RCPSP): what leaves holds its bin
//! from the start of time until it ends, what comes from its start to the end of time, so
//! each is one task longer than the horizon whose start is what is looked for. The earliest
//! start is tried first, with ever smaller limits on the objective, from the value of the
//! times that are known. That no times are better holds for this placement only: it is no
//! bound for others.
//!
//! Applies where capacities alone decide when a step may start. The answer is replayed on
//! the ledger before it counts.

use crate::engine::Atom;
use crate::engine::Core;
use crate::engine::Guide;
use crate::engine::Meter;
use crate::engine::Var;
use crate::engine::Verdict;
use crate::engine::View;
use crate::engine::guarded;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::schedule::is_carried;

/// Steps beyond which no model is made.
const MOST_STEPS: usize = 60;
/// The last end beyond which no model is made.
const MOST_SECONDS: u64 = 100_000;

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The sum of the ends of all steps.
    Sum,
    /// The last end.
    Last,
}

/// Do capacities alone decide when the steps may start?
pub fn applies(problem: &Problem, steps: &[Step]) -> bool {
    let packing = &problem.packing;
    let at_end_only = |at: usize| {
        let relation = &packing.relations[at];
        // Where everybody may ever be is part of the placement.
        !relation.continuous
            || relation.penalty.is_some()
            || matches!(relation.kind, RelationKind::Avoid { .. })
    };
    let plain = |step: &Step| match step.kind {
        StepKind::Move { item, parking, resized, was_resized, .. } => {
            let row = &packing.items[item as usize];
            !parking && row.lead == 0 && (resized || was_resized || !packing.resizes(item))
        }
        StepKind::Depart { item, .. } => !packing.items[item as usize].image,
        StepKind::Arrive { item, resized, .. } => {
            let row = &packing.items[item as usize];
            row.anchor == NONE && (resized || !packing.resizes(item))
        }
        StepKind::Resize { .. } => true,
        StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => false,
    };
    problem.project.orders.is_empty()
        && problem.project.horizon.is_none()
        && (0..packing.relations.len()).all(at_end_only)
        && steps.len() <= MOST_STEPS
        && steps.iter().all(plain)
        && steps.iter().map(|step| step.end).max().unwrap_or(0) <= MOST_SECONDS
}

/// Better times for the steps, if any are found.
pub fn improve(problem: &Problem, steps: &[Step], goal: Goal, meter: &mut Meter) -> Option<Vec<Step>> {
    if !applies(problem, steps) {
        return None;
    }
    let mut best = None;
    // What was found before the solver gave up counts all the same.
    let _ = guarded(|| shorten(problem, steps, goal, meter, &mut best));
    best.filter(|better: &Vec<Step>| replays(problem, better) && is_carried(problem, better))
}

fn value(goal: Goal, steps: &[Step]) -> u64 {
    match goal {
        Goal::Sum => steps.iter().map(|step| step.end).sum(),
        Goal::Last => value_last(steps),
    }
}

fn shorten(problem: &Problem, steps: &[Step], goal: Goal, meter: &mut Meter, best: &mut Option<Vec<Step>>) {
    // Nothing is gained by waiting longer than everything takes one after the other.
    let all: u64 = steps.iter().map(|step| step.end - step.start).sum();
    let Ok(horizon) = i32::try_from(all.max(value_last(steps))) else { return };
    let Ok(known) = i32::try_from(value(goal, steps)) else { return };
    let mut core = Core::default();
    let starts: Vec<Var> = steps.iter().map(|_| core.between(0, horizon)).collect();
    let durations: Vec<i32> = steps.iter().map(|step| (step.end - step.start) as i32).collect();
    if rooms(&problem.packing, steps, &starts, &durations, horizon, &mut core).is_none() {
        return;
    }
    let limit = core.between(0, known);
    match goal {
        Goal::Sum => {
            let mut terms: Vec<(i32, Var)> = starts.iter().map(|&start| (1, start)).collect();
            terms.push((-1, limit));
            core.sum_at_most(&terms, -(all as i32));
        }
        Goal::Last => {
            for (&start, &duration) in starts.iter().zip(&durations) {
                core.sum_at_most(&[(1, start), (-1, limit)], -duration);
            }
        }
    }
    let mut guide = Earliest { starts: starts.clone(), limit };
    let mut known = known;
    while let Verdict::Found(values) = core.solve(&[Atom::AtMost(limit, known - 1)], &mut guide, meter) {
        let times = steps.iter().zip(&starts).map(|(step, start)| {
            let start = values[start.0 as usize] as u64;
            Step { start, end: start + (step.end - step.start), ..*step }
        });
        let timed: Vec<Step> = times.collect();
        known = value(goal, &timed) as i32;
        *best = Some(timed);
    }
}

fn value_last(steps: &[Step]) -> u64 {
    steps.iter().map(|step| step.end).max().unwrap_or(0)
}

/// What a step takes from bins: (bin, dimension, amount, whether until its end).
fn uses(packing: &Packing, step: &Step) -> Vec<(u32, usize, u64, bool)> {
    let mut uses = Vec::new();
    for dim in 0..packing.dims {
        match step.kind {
            StepKind::Move { item, from, to, was_resized, .. } => {
                let before = if was_resized { packing.then(item)[dim] } else { packing.now(item)[dim] };
                uses.push((from, dim, before, true));
                uses.push((to, dim, packing.then(item)[dim], false));
            }
            StepKind::Arrive { item, to, .. } => uses.push((to, dim, packing.then(item)[dim], false)),
            StepKind::Depart { item, from } => uses.push((from, dim, packing.now(item)[dim], true)),
            StepKind::Resize { item, at } => {
                let (now, then) = (packing.now(item)[dim], packing.then(item)[dim]);
                if then > now {
                    uses.push((at, dim, then - now, false));
                } else {
                    uses.push((at, dim, now - then, true));
                }
            }
            StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => {}
        }
    }
    uses.retain(|usage| usage.2 > 0);
    uses
}

/// The cumulative resources: for each bin and dimension what leaves and what comes.
fn rooms(
    packing: &Packing,
    steps: &[Step],
    starts: &[Var],
    durations: &[i32],
    horizon: i32,
    core: &mut Core,
) -> Option<()> {
    let dims = packing.dims;
    let mut load = vec![0u64; packing.bins.len() * dims];
    for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.source != NONE) {
        for (load, size) in load[row.source as usize * dims..].iter_mut().zip(packing.now(item)) {
            *load = load.saturating_add(*size);
        }
    }
    let mut tasks: Vec<Vec<(Var, i32, i32)>> = vec![Vec::new(); load.len()];
    let mut moving = vec![0u64; load.len()];
    let mut comes = vec![false; load.len()];
    // Time is counted from one span before the plan starts: what leaves is a task of one
    // span that starts at its end, and so lasts until then; what comes one that starts a
    // span after its start.
    let span = horizon.checked_mul(2)?.checked_add(1)?;
    let ends: Vec<Var> = starts.iter().map(|_| core.between(0, 2 * horizon)).collect();
    for (at, step) in steps.iter().enumerate() {
        core.sum_at_most(&[(1, ends[at]), (-1, starts[at])], durations[at]);
        core.sum_at_most(&[(-1, ends[at]), (1, starts[at])], -durations[at]);
        for (bin, dim, amount, leaves) in uses(packing, step) {
            let place = bin as usize * dims + dim;
            let taken = i32::try_from(amount).ok()?;
            if leaves {
                tasks[place].push((ends[at], span, taken));
                moving[place] += amount;
            } else {
                comes[place] = true;
                tasks[place].push((shift_start(core, starts[at], span, horizon), span, taken));
            }
        }
    }
    for place in 0..load.len() {
        if !comes[place] {
            continue;
        }
        let fixed = load[place].checked_sub(moving[place])?;
        let room = packing.capacity_now[place].saturating_sub(fixed);
        // What is too full from the start on is left to the rules of thumb.
        if packing.capacity_now[place] < load[place] {
            return None;
        }
        let room = i32::try_from(room).unwrap_or(i32::MAX / 2);
        core.cumulative(&tasks[place], room);
    }
    Some(())
}

/// The start, a span later.
fn shift_start(core: &mut Core, start: Var, span: i32, horizon: i32) -> Var {
    let later = core.between(span, span + horizon);
    core.sum_at_most(&[(1, later), (-1, start)], span);
    core.sum_at_most(&[(-1, later), (1, start)], -span);
    later
}

/// The earliest start first.
#[derive(Debug)]
struct Earliest {
    starts: Vec<Var>,
    limit: Var,
}

impl Guide for Earliest {
    fn choose(&mut self, view: &dyn View) -> Option<Atom> {
        let open = |var: &&Var| view.value(**var).is_none();
        let first = self.starts.iter().filter(open).min_by_key(|&&var| (view.least(var), var));
        // The others follow from the starts.
        let next = first.or(Some(&self.limit).filter(open))?;
        Some(Atom::AtMost(*next, view.least(*next)))
    }

    fn blame(&mut self, _: Var) {}

    fn failed(&mut self) {}

    fn released(&mut self, _: Var, _: i32) {}
}

/// Does every step get in when it starts? At one moment ends come first, and what takes no
/// time in the order in which it fits.
fn replays(problem: &Problem, steps: &[Step]) -> bool {
    let packing = &problem.packing;
    let mut ledger = Ledger::new(packing, Moment::Now);
    for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.source != NONE) {
        ledger.add(item, row.source, packing.now(item));
    }
    let mut moments: Vec<u64> = steps.iter().flat_map(|step| [step.start, step.end]).collect();
    moments.sort_unstable();
    moments.dedup();
    for now in moments {
        for step in steps.iter().filter(|step| step.end == now && step.start < now) {
            end(packing, &mut ledger, step);
        }
        let mut waiting: Vec<&Step> = steps.iter().filter(|step| step.start == now).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|step| {
                let fits = start(packing, &mut ledger, step);
                if fits && step.end == now {
                    end(packing, &mut ledger, step);
                }
                !fits
            });
            if waiting.len() == before {
                return false;
            }
        }
    }
    true
}

fn start(packing: &Packing, ledger: &mut Ledger<'_>, step: &Step) -> bool {
    match step.kind {
        StepKind::Move { item, to, .. } | StepKind::Arrive { item, to, .. } => {
            let fits = ledger.may_enter(item, to, packing.then(item)).is_ok();
            if fits {
                ledger.add(item, to, packing.then(item));
            }
            fits
        }
        StepKind::Resize { item, at } => ledger.may_resize(at, packing.now(item), packing.then(item)).is_ok(),
        StepKind::Depart { .. } => true,
        StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => false,
    }
}

fn end(packing: &Packing, ledger: &mut Ledger<'_>, step: &Step) {
    match step.kind {
        StepKind::Move { item, from, was_resized, .. } => {
            let size = if was_resized { packing.then(item) } else { packing.now(item) };
            ledger.remove(item, from, size);
        }
        StepKind::Depart { item, from } => ledger.remove(item, from, packing.now(item)),
        StepKind::Resize { item, at } => ledger.resize(at, packing.now(item), packing.then(item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::CancelToken;
    use crate::problem::Bin;
    use crate::problem::BitSet;
    use crate::problem::Item;
    use crate::problem::Later;
    use crate::problem::Role;
    use crate::random::Random;
    use crate::schedule;
    use crate::schedule::Placement;
    use crate::schedule::Rules;

    fn meter() -> Meter {
        Meter { steps: 100_000, deadline: None, cancel: CancelToken::new() }
    }

    /// Items (source, target, size, duration) in bins of one dimension.
    fn problem(room: &[u64], items: &[(u32, u32, u64, u32)]) -> (Problem, Placement) {
        let bin = Bin { open: true, later: Later::Open, opening: 0, closing: 0 };
        let item = |&(source, _, _, takes): &(u32, u32, u64, u32)| Item {
            source,
            role: Role::Stay,
            pinned: false,
            domain: 0,
            route: 0,
            lead: 0,
            hold: takes,
            leg: takes,
            duration: takes,
            anchor: NONE,
            image: false,
        };
        let mut packing = Packing {
            dims: 1,
            bins: vec![bin; room.len()],
            items: items.iter().map(item).collect(),
            domains: vec![BitSet::full(room.len())],
            capacity_now: room.to_vec(),
            capacity_then: room.to_vec(),
            size_now: items.iter().map(|row| row.2).collect(),
            size_then: items.iter().map(|row| row.2).collect(),
            anchored: vec![false; room.len()],
            ..Packing::default()
        };
        packing.index_relations();
        let to = items.iter().map(|row| row.1).collect();
        (Problem { packing, ..Problem::default() }, Placement { to, open: vec![true; room.len()] })
    }

    /// The least value of all starts from 0 to `last`, by replaying each.
    fn brute(problem: &Problem, steps: &[Step], goal: Goal, last: u64) -> u64 {
        let mut best = u64::MAX;
        let mut starts = vec![0u64; steps.len()];
        loop {
            let timed: Vec<Step> = steps
                .iter()
                .zip(&starts)
                .map(|(step, &start)| Step { start, end: start + (step.end - step.start), ..*step })
                .collect();
            if value(goal, &timed) < best && replays(problem, &timed) {
                best = value(goal, &timed);
            }
            let Some(at) = starts.iter().position(|&start| start < last) else { return best };
            starts[..at].fill(0);
            starts[at] += 1;
        }
    }

    #[test]
    fn times_are_the_best_of_all() {
        let mut random = Random::new(6);
        let (mut checked, mut better) = (0, 0);
        for _ in 0..400 {
            let room: Vec<u64> = (0..3).map(|_| 4 + random.below(4) as u64).collect();
            let items: Vec<(u32, u32, u64, u32)> = (0..4)
                .map(|_| {
                    let (from, to) = (random.below(3) as u32, random.below(3) as u32);
                    (from, to, 1 + random.below(3) as u64, 1 + random.below(3) as u32)
                })
                .collect();
            let (problem, placement) = problem(&room, &items);
            // Long ones first: there is something to gain.
            let rank = items.iter().map(|row| 10 - row.3).collect();
            let rules = Rules { rank, ..Rules::default() };
            let Ok(steps) = schedule::generate(&problem, &placement, &rules) else { continue };
            let fits = |bin: usize| {
                let here = items.iter().filter(|row| row.0 == bin as u32);
                here.map(|row| row.2).sum::<u64>() <= room[bin]
            };
            if !(0..3).all(fits) || steps.is_empty() {
                continue;
            }
            for goal in [Goal::Sum, Goal::Last] {
                let found = improve(&problem, &steps, goal, &mut meter());
                let reached = value(goal, found.as_deref().unwrap_or(&steps));
                assert_eq!(reached, brute(&problem, &steps, goal, value_last(&steps)), "{room:?} {items:?}");
                better += usize::from(found.is_some());
                checked += 1;
            }
        }
        assert!(checked > 100 && better > 2, "{checked} {better}");
    }
}

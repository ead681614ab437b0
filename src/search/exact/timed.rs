//! Every schedule, for problems whose promises about time the plain search cannot see.
//!
//! Depth first over what to start at each moment: nothing is ever gained by starting a
//! step at another moment than 0 or the end of some step, since going back in time to the
//! last such moment takes nothing away from anybody. At one moment steps are started in
//! one order only. Limits on the number of moves are raised one by one, so the first
//! schedule that is found has the fewest.

use super::Exact;
use super::MoveCost;
use super::Space;
use super::State;
use super::exceeds_at_first;
use super::new_space;
use super::scene::Scene;
use crate::problem::BitSet;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::duration_of;
use crate::problem::lead_of;
use crate::propagator::Ledger;
use rustc_hash::FxHashSet;

/// Does the problem make promises that only this search can see, and no others?
pub fn applies(problem: &Problem) -> bool {
    let orders = &problem.project.orders;
    let dated = problem.project.horizon.is_some()
        || orders.iter().any(|(order, _)| matches!(order, Order::Deadline(..)));
    let relations = &problem.packing.relations;
    dated
        && !orders.iter().any(|(order, _)| matches!(order, Order::Sync(_)))
        && !relations
            .iter()
            .any(|relation| relation.continuous && matches!(relation.kind, RelationKind::Survive { .. }))
        && !exceeds_at_first(problem)
}

/// Looks for the schedule with the fewest moves that keeps every promise about time.
/// At most `most_moves` moves are tried: none with more can end in time.
pub fn search(
    problem: &Problem,
    active: &[u32],
    seats: &[(u32, bool)],
    cost: MoveCost,
    budget: &mut u64,
    limits: &super::super::Limits,
) -> Exact {
    let (space, start, mut then) = new_space(problem, active, seats, cost);
    // A move takes a second at least, and every item moves one step at a time.
    let latest = problem
        .project
        .horizon
        .unwrap_or(u64::MAX)
        .min(problem.packing.items.iter().map(|item| u64::from(item.leg)).fold(64, u64::saturating_add));
    let most = (active.len() as u64).saturating_mul(latest.min(4));
    let mut moves = 0;
    loop {
        let mut walk = Walk {
            space: &space,
            then: &mut then,
            ledger: space.base.clone(),
            running: Vec::new(),
            steps: Vec::new(),
            seen: FxHashSet::default(),
            budget,
            limits,
            cut: false,
        };
        space.load(&start, &mut walk.ledger, true);
        let found = walk.descend(&start, 0, None, moves);
        let (steps, cut) = (walk.steps, walk.cut);
        match found {
            Some(true) => return Exact::Found(mark_parkings(problem, steps), moves * cost.per_move),
            Some(false) if !cut || moves >= most => return Exact::Impossible,
            Some(false) => moves += 1,
            None => return Exact::Budget(moves * cost.per_move),
        }
    }
}

pub(super) fn mark_parkings(problem: &Problem, mut steps: Vec<Step>) -> Vec<Step> {
    let mut arrived = BitSet::empty(problem.packing.items.len());
    for step in steps.iter_mut().rev() {
        if let StepKind::Move { item, parking, .. } = &mut step.kind {
            *parking = arrived.contains(*item);
            arrived.insert(*item);
        }
    }
    steps
}

type Running = Vec<(u64, StepKind)>;

struct Walk<'a, 'p> {
    space: &'a Space<'p>,
    then: &'a mut Ledger<'p>,
    ledger: Ledger<'p>,
    running: Running,
    steps: Vec<Step>,
    seen: FxHashSet<(State, Running, u64, Option<StepKind>, u64)>,
    budget: &'a mut u64,
    limits: &'a super::super::Limits,
    /// Was something left out because it would take one move more?
    cut: bool,
}

impl Walk<'_, '_> {
    /// True: `steps` is a schedule. False: there is none from here. None: out of budget.
    fn descend(&mut self, state: &State, time: u64, after: Option<StepKind>, moves: u64) -> Option<bool> {
        if *self.budget == 0 || (self.budget.is_multiple_of(256) && self.limits.reached(0).is_some()) {
            return None;
        }
        *self.budget -= 1;
        if self.running.is_empty() && self.space.goal(state, self.then).is_some() {
            return Some(true);
        }
        if !self.seen.insert((state.clone(), self.running.clone(), time, after, moves)) {
            return Some(false);
        }
        let scene = Scene { space: self.space, ledger: &self.ledger, running: &self.running, carried: true };
        for kind in scene.startable(state, time == 0) {
            if after.is_some_and(|after| kind <= after) {
                continue;
            }
            let is_move = matches!(kind, StepKind::Move { .. });
            if is_move && moves == 0 {
                self.cut = true;
                continue;
            }
            let problem = self.space.problem;
            let start = time.max(u64::from(lead_of(problem, &kind)));
            let end = start + u64::from(duration_of(problem, &kind));
            if !self.in_time(&kind, end) {
                continue;
            }
            self.space.with_step(&mut self.ledger, &kind, true);
            self.steps.push(Step { kind, start, end });
            let left = moves - u64::from(is_move);
            let found = if end == time {
                // It may let in what comes before it in the order.
                let next = self.space.after(state, &[kind]);
                self.descend(&next, time, None, left)
            } else {
                self.running.push((end, kind));
                self.running.sort_unstable();
                let found = self.descend(state, time, Some(kind), left);
                if found != Some(true) {
                    self.running.retain(|running| running.1 != kind);
                }
                found
            };
            if found != Some(false) {
                return found;
            }
            self.steps.pop();
            self.space.with_step(&mut self.ledger, &kind, false);
        }
        let Some(&(next, _)) = self.running.first() else { return Some(false) };
        let held = self.running.clone();
        let ending: Vec<StepKind> =
            held.iter().take_while(|running| running.0 == next).map(|running| running.1).collect();
        let mut later = self.space.after(state, &ending);
        let started = self.space.started_at();
        later[started] = 1;
        // The ledger is taken from the states; those on their way hold both bins.
        self.reload(state, &later, &held, ending.len());
        self.running = held[ending.len()..].to_vec();
        let found = self.descend(&later, next, None, moves);
        if found == Some(false) {
            self.running = held;
            let running = self.running.clone();
            self.reload_back(state, &later, &running, ending.len());
        }
        found
    }

    fn reload(&mut self, before: &State, after: &State, running: &[(u64, StepKind)], ended: usize) {
        self.drop_all(before, running);
        self.take_all(after, &running[ended..]);
    }

    fn reload_back(&mut self, before: &State, after: &State, running: &[(u64, StepKind)], ended: usize) {
        self.drop_all(after, &running[ended..]);
        self.take_all(before, running);
    }

    fn drop_all(&mut self, state: &State, running: &[(u64, StepKind)]) {
        for (_, kind) in running.iter().rev() {
            self.space.with_step(&mut self.ledger, kind, false);
        }
        self.space.load(state, &mut self.ledger, false);
    }

    fn take_all(&mut self, state: &State, running: &[(u64, StepKind)]) {
        self.space.load(state, &mut self.ledger, true);
        for (_, kind) in running {
            self.space.with_step(&mut self.ledger, kind, true);
        }
    }

    fn in_time(&self, kind: &StepKind, end: u64) -> bool {
        let project = &self.space.problem.project;
        if project.horizon.is_some_and(|horizon| end > horizon) {
            return false;
        }
        let StepKind::Move { item, .. } = *kind else { return true };
        project.orders.iter().all(|(order, _)| match order {
            Order::Deadline(other, latest) => *other != item || end <= *latest,
            _ => true,
        })
    }
}

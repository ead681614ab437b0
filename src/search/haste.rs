//! Better times for the best plan, where moves meet on the way.
//!
//! On a network the times are most of the work: a placement is often the only one, and what
//! its moves take of links decides when all is done. Rounds of [`schedule::hasten`] take turns
//! with the search for other placements.

use super::Solver;
use super::bounds;
use super::improve::Incumbent;
use super::improve::thrifty;
use super::in_time;
use crate::problem::Role;
use crate::problem::Step;
use crate::schedule;

/// Schedules that are tried in a round, and the steps that they may take together, save for so
/// many schedules.
const SCHEDULES: u64 = 4_000;
const MOST_STEPS: u64 = 200_000;
const FEWEST_SCHEDULES: u64 = 32;
/// Of so many rounds one is about places, where there is only one placement.
const FIXED_TURN: u64 = 8;

impl Solver<'_> {
    /// Is it the turn of times?
    pub(super) fn wants_haste(&self) -> bool {
        let turn = if self.is_settled() { FIXED_TURN } else { 2 };
        self.problem.project.transit.is_some()
            && self.stop.is_none()
            && !self.settings.any
            && !self.rounds.is_multiple_of(turn)
            && self.best().is_some()
            && self.settings.limits.reached(self.answer.effort).is_none()
            && self.is_late()
    }

    /// Is it the turn of exact times? Once for a plan, after some rounds of others, or one that
    /// found no better times.
    pub(super) fn wants_perfect(&mut self) -> bool {
        let turn = self.problem.project.transit.is_some()
            && self.stop.is_none()
            && !self.settings.any
            && (self.rounds % FIXED_TURN == FIXED_TURN / 2 || self.idle)
            && self.is_late();
        let Some(best) = self.best().filter(|_| turn) else { return false };
        if self.perfected.as_ref() == Some(&(best.placement.clone(), best.values.clone())) {
            return false;
        }
        self.perfected = Some((best.placement.clone(), best.values.clone()));
        self.idle = false;
        true
    }

    /// May each item end in one bin alone?
    fn is_settled(&self) -> bool {
        let packing = &self.problem.packing;
        self.active.iter().all(|&item| {
            packing.items[item as usize].role == Role::Depart || packing.settled_in(item).is_some()
        })
    }

    /// Is there a level about times that is above its bound?
    fn is_late(&self) -> bool {
        let Some(best) = self.best() else { return false };
        let known = self.known_bounds(&best.values);
        let levels = self.settings.objective.levels.iter().zip(best.values.iter().zip(&known));
        levels
            .filter(|(level, _)| level.terms.iter().any(|&(_, metric)| metric.is_timed()))
            .any(|(_, (value, bound))| value > bound)
    }

    /// Bounds by level, given the values of the levels before.
    pub(super) fn known_bounds(&self, values: &[u64]) -> Vec<u64> {
        let mut known = bounds(self.settings.objective, &self.analysis, Some(values));
        known.iter_mut().zip(&self.answer.bounds).for_each(|(known, bound)| *known = (*known).max(*bound));
        known
    }

    /// A round of better times. True where the plan is better than before.
    pub(super) fn haste(&mut self) -> bool {
        let Some(best) = self.best() else { return false };
        let known = self.known_bounds(&best.values);
        let cost = 1 + best.steps.len() as u64 / 16;
        let left =
            self.settings.limits.steps.map_or(u64::MAX, |most| most.saturating_sub(self.answer.effort));
        let limits = &self.settings.limits;
        let effort = self.answer.effort;
        let stop = || limits.reached(effort).is_some();
        let problem = self.problem;
        let sound = |steps: &[Step]| schedule::replays(problem, steps) && in_time(problem, steps);
        let request = schedule::Request {
            problem,
            objective: self.settings.objective,
            steps: &best.steps,
            values: &best.values,
            bounds: &known,
            first: self.hastes == 0,
            granted: (SCHEDULES * cost).min(MOST_STEPS.max(FEWEST_SCHEDULES * cost)).min(left),
            seed: self.settings.seed ^ self.rounds.wrapping_mul(0xd134_2543_de82_ef95),
        };
        let (found, spent) = schedule::hasten(request, &stop, &sound);
        let found =
            found.map(|(steps, values)| Incumbent { steps, values, placement: best.placement.clone() });
        self.answer.effort += spent;
        self.hastes += 1;
        self.idle = found.is_none();
        let (Some(found), Some(search)) = (found, &mut self.search) else { return false };
        let found = thrifty(problem, &self.settings, found);
        let better = search.best().is_none_or(|best| found.values < best.values);
        if better {
            search.hasten(found);
        }
        better
    }
}

//! When every schedule is tried, the cheapest first, and what becomes of it.

use super::EXACT_BUDGET;
use super::Solver;
use super::exact::clocked;
use super::exact::clocked::Cheapest;
use super::improve;
use crate::objective::Metric;

impl Solver<'_> {
    /// The number of first levels that the search sees, if they count joules.
    fn clocked_levels(&self) -> usize {
        let levels = &self.settings.objective.levels;
        let depth = clocked::levels(self.settings.objective);
        let mut terms = levels[..depth].iter().flat_map(|level| &level.terms);
        if terms.any(|&(_, metric)| metric == Metric::Energy) { depth } else { 0 }
    }

    /// Is it open whether there is a plan of fewer joules, and can that be tried?
    pub(super) fn wants_cheapest(&self) -> bool {
        let depth = self.clocked_levels();
        let open = self.best().is_none_or(|best| {
            let known = self.known_bounds(&best.values);
            best.values[..depth].iter().zip(&known).any(|(value, bound)| value > bound)
        });
        depth > 0
            && open
            && !self.cheapest_tried
            && self.answer.proof.is_none()
            && !self.settings.any
            && !self.within_gap()
            && clocked::applies(self.problem, &self.active)
    }

    /// Tries every schedule, the cheapest first: the best plan and its proof, or a bound.
    pub(super) fn prove_cheapest(&mut self) {
        self.cheapest_tried = true;
        let depth = self.clocked_levels();
        let shares = self.may_share();
        let Self { problem, settings, answer, search: Some(search), active, .. } = self else { return };
        let left = settings.limits.steps.map_or(u64::MAX, |most| most.saturating_sub(answer.effort));
        let granted = EXACT_BUDGET.min(left);
        let mut budget = granted;
        let known = search.best().map(|best| best.values[..depth].to_vec());
        let (objective, limits) = (settings.objective, &settings.limits);
        let found =
            clocked::search(problem, active, objective, known.as_deref(), !shares, &mut budget, limits);
        answer.effort += granted - budget;
        let cost = match found {
            Cheapest::Found(steps, cost) => {
                improve::adopt_path(problem, settings, steps, search);
                cost
            }
            Cheapest::None => known.unwrap_or_default(),
            Cheapest::Budget(cost) => cost,
        };
        let values = search.best().map(|best| &best.values);
        for (level, cost) in cost.into_iter().enumerate() {
            let bound = &mut answer.bounds[level];
            *bound = (*bound).max(cost);
            // What comes after is for plans that are as good in the levels before.
            if values.is_none_or(|values| values[level] > *bound) {
                break;
            }
        }
    }
}

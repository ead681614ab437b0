//! When the best times are proved, where moves share what lies on their way.

use super::super::Solver;
use super::super::improve;
use super::super::improve::Incumbent;
use super::super::in_time;
use super::super::presolve;
use super::super::value;
use super::moves;
use super::share;
use crate::engine::Meter;
use crate::objective::Metric;
use crate::problem::Bin;
use crate::problem::Later;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::schedule;
use crate::schedule::bound::project;
use crate::schedule::detour;
use crate::schedule::exact;
use crate::schedule::tasks::Tasks;

/// What splitting weights among channels may cost.
const SPLIT_STEPS: u64 = 40_000;

impl Solver<'_> {
    /// Raises the bounds on sums of ends where moves share channels.
    pub(in super::super) fn raise_sums(&mut self) {
        let sums = [Metric::Mttr, Metric::SumOfEnds];
        let asked = sums.iter().any(|&metric| self.settings.objective.counts(metric));
        if !asked || self.settings.any || self.problem.project.transit.is_none() {
            return;
        }
        let Some(best) = self.best() else { return };
        // No bound is higher than what is reached.
        let reached = schedule::metric(self.problem, &best.steps, Metric::Mttr);
        let target = reached.saturating_sub(self.analysis.least_mttr_any);
        let mut meter = self.settings.limits.meter(self.answer.effort).part(SPLIT_STEPS);
        presolve::raise_sums(self.problem, &mut self.analysis, target, &mut meter);
        self.answer.effort += meter.steps();
        let known = self.best().map(|best| best.values.clone());
        let raised = super::super::bounds(self.settings.objective, &self.analysis, known.as_deref());
        self.answer.bounds.iter_mut().zip(raised).for_each(|(bound, raised)| *bound = (*bound).max(raised));
    }

    /// Looks for the best times of the best placement, level by level, as long as they are
    /// found and proved. True where plan or bound got better.
    pub(in super::super) fn perfect_times(&mut self) -> bool {
        let mut gained = false;
        while let Some(proved) = self.perfect_level() {
            gained = true;
            if !proved {
                break;
            }
        }
        let proved = self.prove_last_end();
        self.raise_last_end() || proved || gained
    }

    /// Raises the bound on the last end where every plan has the steps of the best one, and the
    /// next open level asks for the last end alone.
    fn raise_last_end(&mut self) -> bool {
        let Some(best) = self.best() else { return false };
        let known = self.known_bounds(&best.values);
        let Some(level) = (0..known.len()).find(|&at| best.values[at] > known[at]) else { return false };
        let alone = matches!(self.settings.objective.levels[level].terms[..], [(1, Metric::Makespan)]);
        if level == 0 || !alone || !self.is_only_way(level) {
            return false;
        }
        let Some(tasks) = Tasks::new(self.problem, &best.steps) else { return false };
        let ends: Vec<u64> = best.steps.iter().map(|step| step.end).collect();
        let (steps, limits) = share(&self.settings.limits, self.answer.effort, best.steps.len() as u64);
        let mut meter = Meter::new(steps, limits.deadline, limits.cancel);
        let bound = project::last_end(&tasks, &ends, best.values[level], &mut meter);
        self.answer.effort += meter.steps() + 1 + tasks.count() as u64 / 16;
        let gained = bound > known[level];
        self.answer.bounds[level] = self.answer.bounds[level].max(bound);
        gained
    }

    /// Proves that no plan ends before the best one, whatever stops it makes, where that is
    /// all that the first level asks.
    fn prove_last_end(&mut self) -> bool {
        let shares = self.may_share();
        let Self { problem, settings, analysis, answer, search: Some(search), .. } = self else {
            return false;
        };
        let only = matches!(settings.objective.levels[0].terms[..], [(1, Metric::Makespan)]) && !shares;
        let Some(best) = search.best().filter(|_| only) else { return false };
        let penalty = best.penalty(problem);
        let value = best.values[0];
        if penalty > 0 || value <= answer.bounds[0] {
            return false;
        }
        let (steps, limits) = share(&settings.limits, answer.effort, problem.packing.items.len() as u64);
        let mut meter = Meter::new(steps, limits.deadline, limits.cancel);
        let proved = detour::refuted(problem, &analysis.forced, value - 1, &mut meter);
        answer.effort += meter.steps();
        if proved {
            answer.bounds[0] = value;
            analysis.least_makespan = analysis.least_makespan.max(value);
            analysis.least_makespan_fewest = analysis.least_makespan_fewest.max(value);
        }
        proved
    }

    /// Looks for better times in the next level about times that is open. `None` where nothing
    /// was gained; whether the level is proved now, else.
    fn perfect_level(&mut self) -> Option<bool> {
        let best = self.best()?;
        let known = self.known_bounds(&best.values);
        if best.steps.len() > exact::MOST_STEPS {
            // There only a bound is to be had, for whom it holds.
            let plan = (&best.steps[..], &best.values[..]);
            let open = exact::open_level(self.problem, self.settings.objective, plan, &known)?;
            if self.problem.project.transit.is_none() || !self.is_only_way(open) {
                return None;
            }
        }
        let Self { problem, settings, answer, search: Some(search), .. } = self else { return None };
        let best = search.best()?;
        let (steps, limits) = share(&settings.limits, answer.effort, problem.packing.items.len() as u64);
        let mut meter = Meter::new(steps, limits.deadline, limits.cancel);
        let sound = |steps: &[Step]| schedule::replays(problem, steps) && in_time(problem, steps);
        let plan = (&best.steps[..], &best.values[..]);
        let found = exact::improve(problem, settings.objective, plan, &known, &mut meter, &sound);
        answer.effort += meter.steps();
        let found = found?;
        let better = found.steps.is_some();
        if let Some(steps) = found.steps {
            let (placement, price) = (best.placement.clone(), best.penalty(problem));
            let values = value(problem, settings, &steps, price);
            search.adopt(improve::thrifty(problem, settings, Incumbent { steps, values, placement }));
        }
        let only = self.is_only_way(found.level);
        let value = self.best()?.values[found.level];
        let bound = &mut self.answer.bounds[found.level];
        let raised = only && found.bound.min(value) > *bound;
        if raised {
            *bound = found.bound.min(value);
        }
        let proved = only && found.bound >= value;
        (better || raised).then_some(proved)
    }

    /// Can moves be done at a part of their rate? Then those of the best plan can be done in
    /// other ways, too.
    pub(in super::super) fn may_share(&self) -> bool {
        self.problem.project.transit.as_ref().is_some_and(|transit| transit.parts().len() > 1)
    }

    /// Has every plan the steps of the best one, if it is as good in the levels before? Where
    /// those allow no more moves than must be, each to the only place there is.
    fn is_only_way(&self, level: usize) -> bool {
        let Some(best) = self.best().filter(|_| !self.may_share()) else { return false };
        let packing = &self.problem.packing;
        let fewest = |at: usize| {
            matches!(self.settings.objective.levels[at].terms[..], [(_, Metric::Relocations)])
                && best.values[at] == self.analysis.forced.len() as u64
                && moves(&best.steps) == best.values[at]
        };
        let settled = |item: u32| packing.settled_in(item).is_some();
        let plain = |item: &u32| {
            let row = &packing.items[*item as usize];
            row.lead == 0 && !packing.resizes(*item) && settled(*item)
        };
        let others = |step: &Step| match step.kind {
            // What grows may do so after it has come, in a step of its own.
            StepKind::Arrive { item, .. } => settled(item) && !packing.resizes(item),
            StepKind::Close(bin) => packing.bins[bin as usize].later == Later::Closed,
            StepKind::Open(bin) => {
                packing.bins[bin as usize].later == Later::Open
                    || best.steps.iter().any(|step| match step.kind {
                        StepKind::Move { to, .. } | StepKind::Arrive { to, .. } => to == bin,
                        _ => false,
                    })
            }
            _ => true,
        };
        // Where joules count, empty bins that may close can be better closed.
        let joules =
            self.settings.objective.levels[..=level].iter().any(|level| level.counts(Metric::Energy));
        let occupied = |(bin, row): (u32, &Bin)| {
            let drawn = self.problem.project.power.bins.get(bin as usize).copied().unwrap_or(0);
            !row.open || row.later != Later::Free || drawn == 0 || best.placement.to.contains(&bin)
        };
        (0..level).any(fewest)
            && self.analysis.forced.iter().all(plain)
            && best.steps.iter().all(others)
            && (!joules || (0u32..).zip(&packing.bins).all(occupied))
    }
}

//! When the fewest moves are proved, and what becomes of the proof.

use super::Limits;
use super::Proof;
use super::Settings;
use super::Solver;
use super::Watcher;
use super::bounds;
use super::fewest;
use super::fewest::Fewest;
use super::fewest::Listener;
use super::fewest::Question;
use super::improve;
use super::improve::Incumbent;
use super::in_time;
use super::presolve::Analysis;
use super::price;
use super::price::Priced;
use super::value;
use crate::engine::Meter;
use crate::objective::Level;
use crate::objective::Metric;
use crate::outcome::Phase;
use crate::problem::Later;
use crate::problem::Problem;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::schedule;
use crate::schedule::Placement;
use crate::schedule::bound::move_takes;
use crate::schedule::bound::project;
use crate::schedule::detour;
use crate::schedule::exact;
use crate::schedule::tasks::Tasks;
use std::time::Duration;
use std::time::Instant;

/// Where no limit is given: steps times items.
const WORK: u64 = 3_000_000;
/// The same for whoever wants any plan: such questions are many, and each must be short.
const QUESTION_WORK: u64 = 40_000;
/// Share of what is left of the limits, in percent.
const SHARE: u32 = 80;

impl Solver<'_> {
    /// Is it time to prove the fewest moves?
    pub(super) fn wants_fewest(&self) -> bool {
        // Whoever wants any plan asks many such questions, each of which must be short.
        !self.fewest_tried
            && !self.settings.any
            && self.stop.is_none()
            && self.may_gain()
            && self.search.as_ref().is_some_and(|search| search.is_quiet(self.problem))
    }

    /// Are moves counted, and is it open whether fewer would do?
    pub(super) fn may_gain(&self) -> bool {
        let levels = &self.settings.objective.levels;
        let mut terms = levels.iter().flat_map(|level| &level.terms);
        let done = matches!(levels[0].terms[..], [(_, Metric::Relocations)]) && self.met();
        self.answer.proof.is_none()
            && !done
            && terms.any(|(_, metric)| *metric == Metric::Relocations)
            && self.best().is_none_or(|best| moves(&best.steps) > self.analysis.fewest_moves)
    }

    /// Proves the fewest moves as far as a share of the limits goes, and takes over the plan
    /// that has them. True where the plan or the bound is better than before.
    pub(super) fn prove_fewest(&mut self, watch: Option<Watcher<'_>>) -> bool {
        self.fewest_tried = true;
        let Self { problem, settings, analysis, answer, search: Some(search), .. } = self else {
            return false;
        };
        let settings = &*settings;
        let best = search.best().map(|best| (best.placement.clone(), moves(&best.steps)));
        let (steps, limits) = share(&settings.limits, answer.effort, problem.packing.items.len() as u64);
        let limits = Limits { steps: Some(steps), ..limits };
        let mut priced = Priced::default();
        if let Some((_, moves)) = &best {
            priced = price::fewest_moves(problem, analysis, *moves, &limits);
            answer.effort += priced.steps;
            raise_moves(analysis, priced.bound);
        }
        let items = problem.packing.items.len() as u64;
        let (mut steps, limits) = share(&settings.limits, answer.effort, items);
        if settings.any {
            steps = steps.min(QUESTION_WORK / items.max(1));
        }
        let question = Question {
            problem,
            analysis,
            fewest: analysis.fewest_moves,
            best: best.as_ref().map(|(placement, moves)| (placement, *moves)),
            excluded: &priced.excluded,
        };
        let before = (answer.bounds.clone(), search.best().map(|best| best.values.clone()));
        let mut effort = 0;
        let found = {
            let mut adopter = Adopter { problem, settings, analysis, search, effort: &mut effort, watch };
            fewest::search(question, steps, &limits, &mut adopter)
        };
        answer.effort += found.steps + effort;
        self.take_proof(&found);
        // With the first plan the question is another.
        self.fewest_tried = best.is_some() || self.best().is_none();
        let best = self.best().map(|best| best.values.clone());
        before != (self.answer.bounds.clone(), best)
    }

    /// Takes over what the search for the fewest moves has proved.
    fn take_proof(&mut self, found: &Fewest) {
        let Self { problem, settings, analysis, answer, search, .. } = self;
        if found.impossible && search.as_ref().is_some_and(|search| search.best().is_none()) {
            // Not a matter of order: there is no placement.
            let items = (0u32..).zip(&problem.packing.items).filter(|(_, row)| row.role != Role::Depart);
            answer.proof = Some(Proof::Nowhere(items.map(|(item, _)| item).collect()));
        }
        raise_moves(analysis, found.bound);
        for (bound, raised) in answer.bounds.iter_mut().zip(bounds(settings.objective, analysis, None)) {
            *bound = (*bound).max(raised);
        }
    }

    /// The least seconds of the moves are worth a proof: with at most so many moves
    /// (`Some(None)`: with any number).
    #[allow(clippy::option_option, reason = "whether, and with which limit")]
    fn quickest_scope(&self) -> Option<Option<u64>> {
        let best = self.best()?;
        let levels = &self.settings.objective.levels;
        let timed =
            |metric: Metric| matches!(metric, Metric::Mttr | Metric::SumOfEnds | Metric::RelocationTime);
        let asks = |level: &Level| level.terms.iter().any(|&(_, metric)| timed(metric));
        if let [(_, Metric::Relocations)] = levels[0].terms[..] {
            let known = bounds(self.settings.objective, &self.analysis, Some(&best.values));
            let open = (1..levels.len()).any(|at| asks(&levels[at]) && best.values[at] > known[at]);
            return (open && self.met()).then(|| Some(moves(&best.steps)));
        }
        (asks(&levels[0]) && !self.met()).then_some(None)
    }

    /// Is it time to prove the least seconds of the moves?
    pub(super) fn wants_quickest(&self) -> bool {
        !self.quickest_tried
            && !self.settings.any
            && self.stop.is_none()
            && self.answer.proof.is_none()
            && self.search.as_ref().is_some_and(|search| search.is_quiet(self.problem))
            && self.quickest_scope().is_some()
    }

    /// Proves the least seconds that moves take in sum, among the plans that are as good in
    /// the levels before: a bound on sums of ends. True where plan or bound got better.
    pub(super) fn prove_quickest(&mut self) -> bool {
        self.quickest_tried = true;
        let Some(most_moves) = self.quickest_scope() else { return false };
        let Self { problem, settings, analysis, answer, search: Some(search), .. } = self else {
            return false;
        };
        let settings = &*settings;
        let Some(best) = search.best().map(|best| best.placement.clone()) else { return false };
        let (steps, limits) = share(&settings.limits, answer.effort, problem.packing.items.len() as u64);
        let evicted: u64 = analysis.evictions.iter().map(|eviction| eviction.least_ends).sum();
        let forced = analysis.forced.iter().map(|&item| move_takes(&problem.packing, item));
        let question = Question {
            problem,
            analysis,
            fewest: evicted + forced.sum::<u64>(),
            best: Some((&best, fewest::seconds_of(&problem.packing, &best))),
            excluded: &[],
        };
        let before = (analysis.least_mttr, search.best().map(|best| best.values.clone()));
        let mut effort = 0;
        let found = {
            // What is proved on the way is in seconds of moves, no bound of the first level.
            let mut adopter =
                Adopter { problem, settings, analysis, search, effort: &mut effort, watch: None };
            fewest::quickest(question, most_moves, steps, &limits, &mut adopter)
        };
        answer.effort += found.steps + effort;
        let ends = analysis.ends.sum(found.bound);
        analysis.least_mttr = analysis.least_mttr.max(ends);
        if most_moves.is_none() {
            analysis.least_mttr_any = analysis.least_mttr_any.max(ends);
            analysis.least_relocation_time = analysis.least_relocation_time.max(found.bound);
        }
        for (bound, raised) in answer.bounds.iter_mut().zip(bounds(settings.objective, analysis, None)) {
            *bound = (*bound).max(raised);
        }
        let best = self.best().map(|best| best.values.clone());
        before != (self.analysis.least_mttr, best)
    }

    /// Looks for the best times of the best placement, level by level, as long as they are
    /// found and proved. True where plan or bound got better.
    pub(super) fn perfect_times(&mut self) -> bool {
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
            search.adopt(Incumbent { steps, values, placement });
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
    fn may_share(&self) -> bool {
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
            StepKind::Arrive { item, .. } => settled(item),
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
        (0..level).any(fewest) && self.analysis.forced.iter().all(plain) && best.steps.iter().all(others)
    }
}

/// No plan has fewer moves than this.
fn raise_moves(analysis: &mut Analysis, bound: u64) {
    if bound > analysis.fewest_moves {
        analysis.fewest_moves = bound;
        // Some bin loses more than the fewest, and then the waiting may be less.
        analysis.least_mttr = analysis.least_mttr_any;
        analysis.least_makespan_fewest = analysis.least_makespan;
    }
}

fn moves(steps: &[Step]) -> u64 {
    let is_move = |step: &&Step| matches!(step.kind, StepKind::Move { .. });
    steps.iter().filter(is_move).count() as u64
}

/// Steps and limits of the proof.
fn share(limits: &Limits, effort: u64, items: u64) -> (u64, Limits) {
    let unlimited = limits.deadline.is_none() && limits.steps.is_none();
    let steps = match limits.steps {
        Some(steps) => steps.saturating_sub(effort) / 100 * u64::from(SHARE),
        None if unlimited => WORK / items.max(1),
        None => u64::MAX,
    };
    let now = Instant::now();
    let deadline = limits.deadline.map(|deadline| {
        let left = deadline.checked_duration_since(now).unwrap_or(Duration::ZERO);
        now + left / 100 * SHARE
    });
    (steps, Limits { deadline, ..limits.clone() })
}

/// Takes over what is found.
struct Adopter<'a, 'p> {
    problem: &'p Problem,
    settings: &'a Settings<'p>,
    analysis: &'a Analysis,
    search: &'a mut improve::Search<'p>,
    effort: &'a mut u64,
    watch: Option<Watcher<'a>>,
}

impl Listener for Adopter<'_, '_> {
    fn placement(&mut self, placement: &Placement) -> Option<u64> {
        improve::adopt_placement(self.problem, self.settings, placement, self.search, self.effort)
    }

    fn bound(&mut self, bound: u64) {
        let Some(watch) = self.watch else { return };
        let analysis = Analysis { fewest_moves: bound, ..self.analysis.clone() };
        let bound = bounds(self.settings.objective, &analysis, None)[0];
        let values = self.search.best().map(|best| best.values.as_slice());
        watch(Phase::Prove, values, bound, *self.effort);
    }
}

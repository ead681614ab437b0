//! When the fewest moves are proved, and what becomes of the proof.

mod times;

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
use super::presolve::Analysis;
use super::price;
use super::price::Priced;
use crate::objective::Level;
use crate::objective::Metric;
use crate::outcome::Phase;
use crate::problem::Problem;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::schedule::Placement;
use crate::schedule::bound::move_takes;
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
            analysis.raise_moves(priced.bound);
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
        analysis.raise_moves(found.bound);
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

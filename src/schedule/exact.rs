//! The best times for a placement, where that is small.
//!
//! The steps of a plan as a project ([`Tasks`]) for the solver by lazy clause generation:
//! channels are cumulative resources; what leaves a bin holds it from the start of time
//! until it ends, what comes from its start to the end of time, so each is one task longer
//! than the horizon whose start is what is looked for. The earliest start is tried first,
//! with ever smaller limits on the objective, from the value of the times that are known.
//! Sums of ends are looked at in every order of their tasks first ([`turns`]), with a bound that
//! there is for large plans, too. That no times are better holds for these steps only: it is a
//! bound where every plan has them, which is for the caller to know.
//!
//! Relations and deadlines are left out, so that a proof holds all the same; answers are
//! replayed before they count.

use super::bound::project;
use super::level::Level;
use super::level::levels;
use super::tasks::Kind;
use super::tasks::Tasks;
use super::turns;
use super::turns::Turns;
use crate::engine::Atom;
use crate::engine::Core;
use crate::engine::Guide;
use crate::engine::Meter;
use crate::engine::Var;
use crate::engine::Verdict;
use crate::engine::View;
use crate::engine::guarded;
use crate::objective::Objective;
use crate::problem::Problem;
use crate::problem::Step;

/// Steps beyond which no model is made.
pub const MOST_STEPS: usize = 60;
/// The last end beyond which no model is made.
const MOST_SECONDS: u64 = 100_000;
/// What a bound on a sum of ends, and trying every order, may cost.
const SPLIT_STEPS: u64 = 40_000;
const TURNS_STEPS: u64 = 400_000;

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Perfect {
    /// Better times, if any were found.
    pub steps: Option<Vec<Step>>,
    /// The level that was made smaller.
    pub level: usize,
    /// No times of these steps that are as good in the levels before are below this in that
    /// level.
    pub bound: u64,
}

/// The first level about times that is above its bound.
pub fn open_level(
    problem: &Problem,
    objective: &Objective,
    known: (&[Step], &[u64]),
    bounds: &[u64],
) -> Option<usize> {
    let levels = levels(problem, objective, known.0, known.1);
    first_open(&levels, known.1, bounds)
}

fn first_open(levels: &[Level], values: &[u64], bounds: &[u64]) -> Option<usize> {
    (0..levels.len()).find(|&at| levels[at].is_timed() && values[at] > bounds[at])
}

/// Better times for the steps of a plan with these values, in the first level about times
/// that is above its bound; those alone that are `sound`. `None` where no model is made.
pub fn improve(
    problem: &Problem,
    objective: &Objective,
    known: (&[Step], &[u64]),
    bounds: &[u64],
    meter: &mut Meter,
    sound: &dyn Fn(&[Step]) -> bool,
) -> Option<Perfect> {
    let (steps, values) = known;
    let mut levels = levels(problem, objective, steps, values);
    let open = first_open(&levels, values, bounds)?;
    levels.truncate(open + 1);
    let values = &values[..=open];
    let tasks = Tasks::new(problem, steps)?;
    let mut perfect = Perfect { level: open, ..Perfect::default() };
    if let Some(weights) = &levels[open].weights {
        let constant = levels[open].constant;
        let target = i128::from(values[open]) - constant;
        let mut own = meter.part(SPLIT_STEPS);
        let split =
            project::weighted_ends(&tasks, weights, u64::try_from(target).unwrap_or(u64::MAX), &mut own);
        meter.include(&own);
        perfect.bound = u64::try_from(i128::from(split.value()) + constant).unwrap_or(0).min(values[open]);
        if perfect.bound < values[open] && fits(steps) {
            let mut own = meter.part(TURNS_STEPS);
            let found = turns::search(&tasks, &levels, values, &split, &mut own);
            meter.include(&own);
            if let Some(Turns { ends, bound }) = found {
                perfect.bound = perfect.bound.max(bound);
                let timed = ends.map(|(ends, _)| at_ends(steps, &ends));
                perfect.steps = timed.filter(|timed| sound(timed));
            }
        }
    }
    if perfect.bound < values[open] && perfect.steps.is_none() {
        learn(&tasks, &levels, known, &mut perfect, meter, sound)?;
    }
    Some(perfect)
}

fn fits(steps: &[Step]) -> bool {
    steps.len() <= MOST_STEPS && value_last(steps) <= MOST_SECONDS
}

fn at_ends(steps: &[Step], ends: &[u64]) -> Vec<Step> {
    let timed = steps.iter().zip(ends);
    timed.map(|(step, &end)| Step { start: end - (step.end - step.start), end, ..*step }).collect()
}

/// Better times by the solver that learns.
fn learn(
    tasks: &Tasks,
    levels: &[Level],
    known: (&[Step], &[u64]),
    perfect: &mut Perfect,
    meter: &mut Meter,
    sound: &dyn Fn(&[Step]) -> bool,
) -> Option<()> {
    let (steps, values) = known;
    if !fits(steps) {
        return (perfect.bound > 0).then_some(());
    }
    let open = levels.len() - 1;
    // What was found before the solver gave up counts all the same.
    let _ = guarded(|| -> Option<()> {
        let mut model = Model::new(tasks, steps, levels, values)?;
        let mut value = values[open];
        loop {
            match model.below(value.checked_sub(1)?, meter) {
                Verdict::Found(found) => {
                    let timed = model.timed(steps, &found);
                    let ends: Vec<u64> = timed.iter().map(|step| step.end).collect();
                    value = levels[open].of(&ends);
                    // Where relations forbid it there may be others, but not of this value alone.
                    if !sound(&timed) {
                        return None;
                    }
                    perfect.steps = Some(timed);
                }
                Verdict::Refuted => {
                    perfect.bound = perfect.bound.max(value);
                    return None;
                }
                Verdict::Unknown => return None,
            }
        }
    });
    Some(())
}

fn value_last(steps: &[Step]) -> u64 {
    steps.iter().map(|step| step.end).max().unwrap_or(0)
}

/// Is it proved that some tasks of a project have no times that end by `last`, given heads and
/// tails of all? Room that others give is there from the start on.
pub fn refuted(
    tasks: &Tasks,
    part: &[u32],
    heads: &[u64],
    tails: &[u64],
    last: u64,
    meter: &mut Meter,
) -> bool {
    let verdict = guarded(|| {
        let kept = part;
        let part = tasks.part(kept, heads);
        let mut core = Core::default();
        let horizon = i32::try_from(last).ok().filter(|&last| last < i32::MAX / 8)?;
        let mut starts = Vec::new();
        for (&task, (&release, &duration)) in kept.iter().zip(part.release.iter().zip(&part.duration)) {
            let latest =
                last.checked_sub(duration + tails[task as usize]).filter(|&latest| latest >= release);
            let Some(latest) = latest else { return Some(Verdict::Refuted) };
            starts.push(core.between(release as i32, latest as i32));
        }
        let durations = order(&part, &starts, &mut core);
        resources(&part, &starts, &durations, horizon, &mut core)?;
        let mut guide = Earliest { starts, late: Vec::new(), limits: Vec::new() };
        Some(core.solve(&[], &mut guide, meter))
    });
    verdict.flatten() == Some(Verdict::Refuted)
}

/// Each task after those that it waits for. The durations.
fn order(tasks: &Tasks, starts: &[Var], core: &mut Core) -> Vec<i32> {
    let durations: Vec<i32> = tasks.duration.iter().map(|&takes| takes as i32).collect();
    for task in 0..tasks.count() as u32 {
        for &then in tasks.next.of(task) {
            let pair = [(1, starts[task as usize]), (-1, starts[then as usize])];
            core.sum_at_most(&pair, -durations[task as usize]);
        }
    }
    durations
}

/// The project for the solver.
struct Model {
    core: Core,
    starts: Vec<Var>,
    /// What the open level adds up to, without its constant.
    limit: Var,
    constant: i128,
    guide: Earliest,
}

impl Model {
    /// The last of the levels is open; those before keep their values.
    fn new(tasks: &Tasks, steps: &[Step], levels: &[Level], values: &[u64]) -> Option<Self> {
        // Nothing is gained by waiting longer than everything takes one after the other.
        let all: u64 = tasks.duration.iter().chain(&tasks.release).sum();
        let horizon = i32::try_from(all.max(value_last(steps))).ok().filter(|&all| all < i32::MAX / 8)?;
        let mut core = Core::default();
        let starts: Vec<Var> =
            tasks.release.iter().map(|&release| core.between(release as i32, horizon)).collect();
        let durations = order(tasks, &starts, &mut core);
        resources(tasks, &starts, &durations, horizon, &mut core)?;
        let last = core.between(0, horizon);
        for (&start, &duration) in starts.iter().zip(&durations) {
            core.sum_at_most(&[(1, start), (-1, last)], -duration);
        }
        let mut limits = Vec::new();
        let mut late = vec![false; starts.len()];
        for (level, &value) in levels.iter().zip(values) {
            let most = i32::try_from(i128::from(value) - level.constant).ok()?;
            if !level.is_timed() {
                continue;
            }
            let limit = core.between(0, most.max(0));
            let mut terms = vec![(-1, limit)];
            let mut taken = 0i64;
            let mut largest = i64::from(most);
            if level.last > 0 {
                terms.push((i32::try_from(level.last).ok()?, last));
                largest += level.last as i64 * i64::from(horizon);
            }
            let weights = level.weights.iter().flatten().zip(starts.iter().zip(&durations));
            for (&weight, (&start, &duration)) in weights.filter(|(weight, _)| **weight > 0) {
                terms.push((i32::try_from(weight).ok()?, start));
                taken += i64::from(weight) * i64::from(duration);
                largest += i64::from(weight) * i64::from(horizon);
            }
            for &(task, worth) in &level.late {
                let at = task as usize;
                terms.push((-i32::try_from(worth).ok()?, starts[at]));
                taken -= i64::from(worth) * i64::from(durations[at]);
                largest += i64::from(worth) * (i64::from(horizon) + i64::from(durations[at]));
                late[at] |= worth > 0;
            }
            if largest + taken.abs() > i64::from(i32::MAX) / 2 {
                return None;
            }
            core.sum_at_most(&terms, i32::try_from(-taken).ok()?);
            limits.push(limit);
        }
        let (limit, constant) = (*limits.last()?, levels.last()?.constant);
        limits.push(last);
        let (late, early) = starts.iter().zip(&late).partition::<Vec<_>, _>(|(_, late)| **late);
        let vars = |rows: Vec<(&Var, &bool)>| rows.into_iter().map(|(start, _)| *start).collect();
        let guide = Earliest { starts: vars(early), late: vars(late), limits };
        Some(Self { core, starts, limit, constant, guide })
    }

    /// Times under which the open level is at most this.
    fn below(&mut self, value: u64, meter: &mut Meter) -> Verdict {
        let most = i32::try_from(i128::from(value) - self.constant).unwrap_or(-1);
        if most < 0 {
            return Verdict::Refuted;
        }
        self.core.solve(&[Atom::AtMost(self.limit, most)], &mut self.guide, meter)
    }

    fn timed(&self, steps: &[Step], values: &[i32]) -> Vec<Step> {
        let times = steps.iter().zip(&self.starts).map(|(step, start)| {
            let start = values[start.0 as usize] as u64;
            Step { start, end: start + (step.end - step.start), ..*step }
        });
        times.collect()
    }
}

/// The cumulative resources: channels as they are, and for each room what leaves and what
/// comes.
fn resources(tasks: &Tasks, starts: &[Var], durations: &[i32], horizon: i32, core: &mut Core) -> Option<()> {
    let mut uses: Vec<Vec<(Var, i32, i32)>> = vec![Vec::new(); tasks.free.len()];
    let mut given = vec![0i64; tasks.free.len()];
    let is_room = |resource: u32| tasks.kinds[resource as usize] == Kind::Room;
    // Time is counted from one span before the plan starts: what leaves is a task of one
    // span that starts at its end, and so lasts until then; what comes one that starts a
    // span after its start.
    let span = horizon.checked_mul(2)?.checked_add(1)?;
    for task in 0..tasks.count() as u32 {
        let (start, duration) = (starts[task as usize], durations[task as usize]);
        let amount = |amount: i64| i32::try_from(amount).ok();
        for &(resource, taken) in tasks.takes.of(task) {
            let taken = amount(taken)?;
            if is_room(resource) {
                uses[resource as usize].push((shifted(core, start, span, horizon), span, taken));
            } else if duration > 0 {
                uses[resource as usize].push((start, duration, taken));
            }
        }
        for &(resource, taken) in tasks.gives.of(task).iter().filter(|usage| is_room(usage.0)) {
            given[resource as usize] += taken;
            uses[resource as usize].push((shifted(core, start, duration, horizon), span, amount(taken)?));
        }
    }
    for (resource, uses) in uses.iter().enumerate().filter(|(_, uses)| !uses.is_empty()) {
        // What is too full from the start on is left to the rules of thumb.
        if tasks.free[resource] < 0 {
            return None;
        }
        let room = i32::try_from(tasks.free[resource] + given[resource]).unwrap_or(i32::MAX / 2);
        core.cumulative(uses, room);
    }
    Some(())
}

/// The start, so much later.
fn shifted(core: &mut Core, start: Var, by: i32, horizon: i32) -> Var {
    let later = core.between(by, by + horizon);
    core.sum_at_most(&[(1, later), (-1, start)], by);
    core.sum_at_most(&[(-1, later), (1, start)], -by);
    later
}

/// The earliest start first; then the latest one of those that are better late.
#[derive(Debug)]
struct Earliest {
    starts: Vec<Var>,
    late: Vec<Var>,
    limits: Vec<Var>,
}

impl Guide for Earliest {
    fn choose(&mut self, view: &dyn View) -> Option<Atom> {
        let open = |var: &&Var| view.value(**var).is_none();
        let first = self.starts.iter().filter(open).min_by_key(|&&var| (view.least(var), var));
        if let (None, Some(&late)) = (first, self.late.iter().find(open)) {
            return Some(Atom::AtLeast(late, view.most(late)));
        }
        // The others follow from the starts.
        let next = first.or_else(|| self.limits.iter().find(open))?;
        Some(Atom::AtMost(*next, view.least(*next)))
    }

    fn blame(&mut self, _: Var) {}

    fn failed(&mut self) {}

    fn released(&mut self, _: Var, _: i32) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Metric;
    use crate::outcome::CancelToken;
    use crate::random::Random;
    use crate::schedule;
    use crate::schedule::testing;

    #[test]
    fn times_are_the_best_of_all() {
        let mut random = Random::new(6);
        let (mut checked, mut better) = (0, 0);
        for _ in 0..700 {
            let Some((mut problem, steps)) = testing::random(&mut random, 3) else { continue };
            if steps.len() > 4 || value_last(&steps) > 12 {
                continue;
            }
            problem.project.power.bins = (0..3).map(|_| 1 + random.below(3) as u64).collect();
            for metric in [Metric::SumOfEnds, Metric::Mttr, Metric::Makespan, Metric::Energy] {
                let objective = testing::objective(metric);
                let values = schedule::levels(&problem, &steps, &objective, 0);
                let mut meter = Meter::new(100_000, None, CancelToken::new());
                let sound = |steps: &[Step]| testing::sound(&problem, steps);
                let found = improve(&problem, &objective, (&steps, &values), &[0], &mut meter, &sound);
                let found = found.expect("small");
                let reached = match &found.steps {
                    None => values[0],
                    Some(steps) => schedule::levels(&problem, steps, &objective, 0)[0],
                };
                let best = testing::brute(&problem, &steps, &objective, value_last(&steps));
                assert_eq!(reached, best, "{problem:?} {steps:?}");
                assert_eq!(found.bound, best);
                better += usize::from(found.steps.is_some());
                checked += 1;
            }
        }
        assert!(checked > 100 && better > 2, "{checked} {better}");
    }
}

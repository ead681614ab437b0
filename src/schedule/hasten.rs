//! Better times for the steps of a plan: local search on the order in which they get their
//! turn.
//!
//! The steps become a project ([`Tasks`]); a rank of its tasks gives times by list scheduling
//! ([`super::list`]). First ranks: the times that are known, the longest remaining load and the
//! longest path first, or for a sum of ends the shortest first. Then iterated changes of rank
//! around what ends late (Kolisch and Hartmann 2006 survey such searches), and forward-backward
//! improvement: the times are pushed to the end and back again (Tormos and Lova 2001; double
//! justification, Valls, Ballestín and Quintanilla 2005). Other workers put tasks in anew
//! ([`super::reinsert`]). Half of them look at the project with time turned around, whose
//! schedules are others.

mod worker;

use super::level::Level;
use super::level::levels;
use super::tasks::Tasks;
use crate::objective::Objective;
use crate::problem::Problem;
use crate::problem::Step;
use rayon::prelude::*;
use worker::Worker;

/// Workers of a round; fixed, since results must not depend on the machine.
const WORKERS: u64 = 4;

/// What is looked for: less of the first level that is open, and none of those before
/// worse.
#[derive(Clone, Debug)]
struct Aim {
    levels: Vec<Level>,
    /// By level: what is known.
    values: Vec<u64>,
    /// The level that is made smaller.
    open: usize,
    /// Ends after this moment are too late, where the last end is what counts.
    target: u64,
}

impl Aim {
    fn values(&self, ends: &[u64]) -> Vec<u64> {
        self.levels.iter().map(|level| level.of(ends)).collect()
    }

    /// Smaller is better: by how much the levels before are missed, then how late things are.
    fn rate(&self, ends: &[u64]) -> (u64, u64) {
        let before = self.levels[..self.open].iter().zip(&self.values);
        let missed = before.map(|(level, value)| match level.is_timed() {
            true => level.of(ends).saturating_sub(*value),
            false => 0,
        });
        let missed = missed.fold(0, u64::saturating_add);
        let level = &self.levels[self.open];
        if level.weights.is_some() {
            return (missed, level.of(ends));
        }
        (missed, ends.iter().map(|end| end.saturating_sub(self.target)).sum())
    }
}

/// Steps at better times, and their values by level.
pub type Better = (Vec<Step>, Vec<u64>);

/// What is asked for: better times for the steps of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// What is minimised.
    pub objective: &'a Objective,
    /// The plan.
    pub steps: &'a [Step],
    /// Its values by level.
    pub values: &'a [u64],
    /// Bounds by level.
    pub bounds: &'a [u64],
    /// Try rules of thumb before the search: once is enough.
    pub first: bool,
    /// Steps that may be spent.
    pub granted: u64,
    /// Seed of every random choice.
    pub seed: u64,
}

/// Better times with their values (as if bins opened late enough, where joules count: they are to
/// be valued anew), looked for until the steps are spent or `stop`; those alone
/// that are `sound`. Also the steps spent.
pub fn hasten(
    request: Request<'_>,
    stop: &(dyn Fn() -> bool + Sync),
    sound: &(dyn Fn(&[Step]) -> bool + Sync),
) -> (Option<Better>, u64) {
    let Request { problem, objective, steps, values, bounds, first, granted, seed } = request;
    let mut levels = levels(problem, objective, steps, values);
    // Schedules here start everything early; what is better late is for the caller.
    levels.iter_mut().for_each(|level| level.late.clear());
    let open = (0..levels.len()).find(|&at| levels[at].is_timed() && values[at] > bounds[at]);
    let Some(open) = open.filter(|_| steps.len() > 1) else { return (None, 1) };
    let Some(tasks) = Tasks::new(problem, steps) else { return (None, 1) };
    let last = steps.iter().map(|step| step.end).max().unwrap_or(0);
    // The bound where it is near, else a little less than what is known.
    let short = values[open].saturating_sub(bounds[open]) / levels[open].last.max(1);
    let target = last - short.min(last).min((last / 50).max(8));
    let aim = Aim { levels, values: values.to_vec(), open, target };
    let back = tasks.reversed();
    let tails = tasks.tails();
    let heads = back.tails();
    let turn = aim.levels[open].weights.is_none() && tasks.release.iter().all(|&release| release == 0);
    let mut workers: Vec<Worker<'_>> = (0..WORKERS)
        .map(|worker| {
            let seed = seed ^ worker.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            if turn && worker % 2 == 1 {
                Worker::new(&back, &tasks, &heads, &aim, true, seed, granted / WORKERS)
            } else {
                Worker::new(&tasks, &back, &tails, &aim, false, seed, granted / WORKERS)
            }
        })
        .collect();
    // Two start from what is known and rules of thumb, and change ranks; the others put in anew.
    workers.par_iter_mut().enumerate().for_each(|(at, worker)| worker.start(steps, at < 2, first, stop));
    if !workers.iter().any(|worker| worker.has_reached(bounds[open])) {
        workers.par_iter_mut().enumerate().for_each(|(at, worker)| {
            if at < 2 || !worker.reinsert(stop) {
                worker.search(stop);
            }
        });
    }
    let spent = workers.iter().map(|worker| worker.spent).sum();
    let mut better: Vec<(Vec<u64>, usize)> = workers
        .iter()
        .enumerate()
        .filter_map(|(at, worker)| Some((worker.best.as_ref()?.0.clone(), at)))
        .collect();
    better.sort();
    for (values, at) in better {
        let Some((_, ends)) = &workers[at].best else { continue };
        let mut timed: Vec<Step> = steps
            .iter()
            .zip(ends)
            .map(|(step, &end)| Step { start: end - (step.end - step.start), end, ..*step })
            .collect();
        timed.sort_by_key(|step| (step.start, step.end, step.kind));
        if sound(&timed) {
            return (Some((timed, values)), spent);
        }
    }
    (None, spent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Metric;
    use crate::random::Random;
    use crate::schedule;
    use crate::schedule::testing;

    #[test]
    fn better_times_are_sound_and_never_below_the_best() {
        let mut random = Random::new(8);
        let (mut checked, mut best) = (0, 0);
        for _ in 0..250 {
            let Some((problem, steps)) = testing::random(&mut random, 3) else { continue };
            let last = steps.iter().map(|step| step.end).max().unwrap_or(0);
            if steps.len() > 4 || last > 12 {
                continue;
            }
            for metric in [Metric::SumOfEnds, Metric::Mttr, Metric::Makespan] {
                let objective = testing::objective(metric);
                let values = schedule::levels(&problem, &steps, &objective, 0);
                let sound = |steps: &[Step]| testing::sound(&problem, steps);
                let request = Request {
                    problem: &problem,
                    objective: &objective,
                    steps: &steps,
                    values: &values,
                    bounds: &[0],
                    first: true,
                    granted: 400,
                    seed: 1,
                };
                let run = || hasten(request, &|| false, &sound);
                let (found, spent) = run();
                assert_eq!((found.clone(), spent), run());
                let reached = found.map_or(values[0], |(steps, values)| {
                    assert!(sound(&steps));
                    assert_eq!(schedule::levels(&problem, &steps, &objective, 0), values);
                    values[0]
                });
                let least = testing::brute(&problem, &steps, &objective, last);
                assert!(least <= reached && reached <= values[0]);
                best += usize::from(least == reached);
                checked += 1;
            }
        }
        assert!(checked > 30 && best * 20 > checked * 19, "{best} of {checked}");
    }
}

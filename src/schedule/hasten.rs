//! Better times for the steps of a plan: local search on the order in which they get their
//! turn.
//!
//! The steps become a project ([`Tasks`]); a rank of its tasks gives times by list
//! scheduling ([`List`]). First ranks: the times that are known, the longest remaining load
//! and the longest path first, or for a sum of ends the shortest first. Then iterated
//! changes of rank around what ends late (Kolisch and Hartmann 2006 survey such searches),
//! and forward-backward improvement: the times are pushed to the end and back again (Tormos
//! and Lova 2001; double justification, Valls, Ballestín and Quintanilla 2005). Other workers
//! put tasks in anew ([`Field`]). Half of them look at the project with time turned around,
//! whose schedules are others.

use super::level::Level;
use super::level::levels;
use super::list::List;
use super::list::by_remaining_load;
use super::reinsert::Field;
use super::tasks::Tasks;
use crate::objective::Objective;
use crate::problem::Problem;
use crate::problem::Step;
use crate::random::Random;
use rayon::prelude::*;

/// Workers of a round; fixed, since results must not depend on the machine.
const WORKERS: u64 = 4;
/// Tasks beyond which no rank is made that takes time quadratic in them.
const MOST_QUADRATIC: usize = 16_384;
/// What a second beyond the last end counts where a sum is made smaller.
const LATE: u64 = 1 << 20;

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

/// Better times with their values, looked for until the steps are spent or `stop`; those alone
/// that are `sound`. Also the steps spent.
pub fn hasten(
    request: Request<'_>,
    stop: &(dyn Fn() -> bool + Sync),
    sound: &(dyn Fn(&[Step]) -> bool + Sync),
) -> (Option<(Vec<Step>, Vec<u64>)>, u64) {
    let Request { problem, objective, steps, values, bounds, first, granted, seed } = request;
    let levels = levels(problem, objective, steps, values);
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
    let found: Vec<(Worker<'_>, u64)> = (0..WORKERS)
        .into_par_iter()
        .map(|worker| {
            let turned = turn && worker % 2 == 1;
            let seed = seed ^ worker.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut mine = if turned {
                Worker::new(&back, &tasks, &heads, &aim, true, seed, granted / WORKERS)
            } else {
                Worker::new(&tasks, &back, &tails, &aim, false, seed, granted / WORKERS)
            };
            // Two start from what is known, one from a rule of thumb, one from another.
            mine.start(steps, worker, first);
            if worker < 2 || !mine.reinsert(stop) {
                mine.search(stop);
            }
            let spent = mine.spent;
            (mine, spent)
        })
        .collect();
    let spent = found.iter().map(|(_, spent)| spent).sum();
    let mut better: Vec<(Vec<u64>, usize)> = found
        .iter()
        .enumerate()
        .filter_map(|(at, (worker, _))| Some((worker.best.as_ref()?.0.clone(), at)))
        .collect();
    better.sort();
    for (values, at) in better {
        let Some((_, ends)) = &found[at].0.best else { continue };
        let timed: Vec<Step> = steps
            .iter()
            .zip(ends)
            .map(|(step, &end)| Step { start: end - (step.end - step.start), end, ..*step })
            .collect();
        let mut timed = timed;
        timed.sort_by_key(|step| (step.start, step.end, step.kind));
        if sound(&timed) {
            return (Some((timed, values)), spent);
        }
    }
    (None, spent)
}

/// One search, on the project or on its reverse.
struct Worker<'t> {
    tasks: &'t Tasks,
    aim: &'t Aim,
    tails: &'t [u64],
    turned: bool,
    list: List<'t>,
    other: List<'t>,
    random: Random,
    /// By resource: the tasks that take it.
    users: Vec<Vec<u32>>,
    rank: Vec<u32>,
    ends: Vec<u64>,
    rate: (u64, u64),
    /// Values and ends, in the time of the project.
    best: Option<(Vec<u64>, Vec<u64>)>,
    spent: u64,
    granted: u64,
}

impl<'t> Worker<'t> {
    fn new(
        tasks: &'t Tasks,
        other: &'t Tasks,
        tails: &'t [u64],
        aim: &'t Aim,
        turned: bool,
        seed: u64,
        granted: u64,
    ) -> Self {
        let mut users = vec![Vec::new(); tasks.free.len()];
        for task in 0..tasks.len() as u32 {
            tasks.takes.of(task).iter().for_each(|&(resource, _)| users[resource as usize].push(task));
        }
        Self {
            tasks,
            aim,
            tails,
            turned,
            list: List::new(tasks),
            other: List::new(other),
            random: Random::new(seed),
            users,
            rank: (0..tasks.len() as u32).collect(),
            ends: Vec::new(),
            rate: (u64::MAX, u64::MAX),
            best: None,
            spent: 0,
            granted,
        }
    }

    /// What a schedule counts for.
    fn cost(&self) -> u64 {
        1 + self.tasks.len() as u64 / 16
    }

    /// A rank by some key: the smallest first.
    fn ranked(&self, key: impl Fn(usize) -> u64) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.tasks.len() as u32).collect();
        order.sort_by_key(|&task| (key(task as usize), task));
        let mut rank = vec![0; order.len()];
        (0u32..).zip(&order).for_each(|(at, &task)| rank[task as usize] = at);
        rank
    }

    /// Ends with time turned around.
    fn mirrored(&self, ends: &[u64]) -> Vec<u64> {
        let last = ends.iter().copied().max().unwrap_or(0);
        ends.iter().zip(&self.tasks.duration).map(|(end, duration)| last - end + duration).collect()
    }

    /// Takes over times if they are no worse; remembers the best.
    fn consider(&mut self, ends: &[u64], slack: u64) -> bool {
        let rate = self.aim.rate(ends);
        if rate < self.rate || self.best.is_none() {
            let forward = if self.turned { self.mirrored(ends) } else { ends.to_vec() };
            let values = self.aim.values(&forward);
            let known = self.best.as_ref().map_or(&self.aim.values, |best| &best.0);
            if values < *known {
                self.best = Some((values, forward));
            }
        }
        if rate.0 <= self.rate.0 && rate.1 <= self.rate.1.saturating_add(slack) {
            self.rate = rate;
            self.ends.clear();
            self.ends.extend_from_slice(ends);
            return true;
        }
        false
    }

    /// Schedules by rank.
    fn try_rank(&mut self, slack: u64) -> bool {
        self.spent += self.cost();
        if !self.list.run(&self.rank) {
            return false;
        }
        let ends = std::mem::take(&mut self.list.ends);
        let taken = self.consider(&ends, slack);
        self.list.ends = ends;
        taken
    }

    /// Tries a first rank, and keeps it if it is the best so far.
    fn start_with(&mut self, rank: Vec<u32>) {
        let known = std::mem::replace(&mut self.rank, rank);
        if !self.try_rank(0) {
            self.rank = known;
        } else {
            self.justify();
        }
    }

    /// Pushes all to the end and back again.
    fn justify(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let rank = self.ranked(|task| u64::MAX - self.ends[task]);
        self.spent += self.cost();
        if !self.other.run(&rank) {
            return;
        }
        let ends = self.mirrored(&self.other.ends);
        let mut known = self.ranked(|task| ends[task] - self.tasks.duration[task]);
        std::mem::swap(&mut known, &mut self.rank);
        if !self.try_rank(0) {
            self.rank = known;
        }
    }

    /// The first times: those that are known, and for some workers rules of thumb.
    fn start(&mut self, steps: &[Step], worker: u64, first: bool) {
        let known: Vec<u64> = steps.iter().map(|step| step.end).collect();
        let known = if self.turned { self.mirrored(&known) } else { known };
        if worker < 2 {
            self.start_with(self.ranked(|task| known[task] - self.tasks.duration[task]));
            if !first {
                return;
            }
            if self.aim.levels[self.aim.open].weights.is_some() {
                self.start_with(self.ranked(|task| self.tasks.duration[task]));
            }
            if self.tasks.len() <= MOST_QUADRATIC {
                self.spent += self.cost() * 16;
                if let Some(ends) = by_remaining_load(self.tasks, self.tails) {
                    self.start_with(self.ranked(|task| ends[task] - self.tasks.duration[task]));
                }
            }
            self.start_with(self.ranked(|task| u64::MAX - self.tasks.duration[task] - self.tails[task]));
        } else {
            self.consider(&known, 0);
        }
    }

    /// Searches by putting tasks in anew. False where that does not apply.
    fn reinsert(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> bool {
        let aim = self.aim;
        let weights: Vec<u64> = match &aim.levels[aim.open].weights {
            Some(weights) => weights.iter().map(|&weight| u64::from(weight)).collect(),
            None => Vec::new(),
        };
        // A sum is made smaller as long as no level before gets worse.
        let before = aim.levels[..aim.open].iter().any(|level| level.last > 0);
        let last = self.ends.iter().copied().max().unwrap_or(0);
        let (target, price) = match weights.is_empty() {
            true => (aim.target, 1),
            false => (last, if before { LATE } else { 0 }),
        };
        let Some(mut field) = Field::new(self.tasks, &self.ends, weights, target, price) else {
            return false;
        };
        field.settle();
        let mut total = field.total();
        let mut rounds = 0u64;
        while self.spent < self.granted {
            rounds += 1;
            self.spent += 1;
            if rounds.is_multiple_of(64) && stop() {
                break;
            }
            let slack = if self.random.below(48) == 0 { 1 + total / 512 } else { 0 };
            field.attempt(&mut self.random, slack);
            let done = price > 0 && field.is_in_time();
            if done || rounds.is_multiple_of(1024) {
                if rounds.is_multiple_of(16_384) {
                    field.settle();
                    self.spent += self.cost();
                }
                total = field.total();
                let ends = field.ends();
                self.consider(&ends, 0);
                if done && aim.levels[aim.open].weights.is_none() {
                    break;
                }
            }
        }
        let ends = field.ends();
        self.consider(&ends, 0);
        true
    }

    fn search(&mut self, stop: &(dyn Fn() -> bool + Sync)) {
        if self.ends.is_empty() {
            return;
        }
        let mut rounds = 0u32;
        while self.spent < self.granted && !self.is_done() {
            rounds += 1;
            if stop() {
                break;
            }
            if rounds.is_multiple_of(256) {
                self.justify();
            }
            let undo = self.disturb();
            if undo.is_empty() {
                continue;
            }
            // A little worse now and then, so as to leave where nothing near is better.
            let slack = if self.random.below(64) == 0 { self.rate.1 / 256 + 1 } else { 0 };
            if !self.try_rank(slack) {
                undo.into_iter().for_each(|(task, rank)| self.rank[task as usize] = rank);
            }
        }
    }

    /// Is nothing late any more?
    fn is_done(&self) -> bool {
        self.rate == (0, 0)
    }

    /// Changes some ranks; what they were.
    fn disturb(&mut self) -> Vec<(u32, u32)> {
        let Some(late) = self.late() else { return Vec::new() };
        let takes = self.tasks.takes.of(late);
        if takes.is_empty() {
            return Vec::new();
        }
        let resource = takes[self.random.below(takes.len())].0;
        let users = &self.users[resource as usize];
        let start = |task: u32| self.ends[task as usize] - self.tasks.duration[task as usize];
        match self.random.below(8) {
            // Before another on the same resource, or in its place.
            kind @ 0..6 => {
                let mut other = late;
                for _ in 0..8 {
                    other = users[self.random.below(users.len())];
                    if other != late && self.rank[other as usize] < self.rank[late as usize] {
                        break;
                    }
                }
                let (mine, its) = (self.rank[late as usize], self.rank[other as usize]);
                if other == late || its == mine {
                    return Vec::new();
                }
                if kind < 4 {
                    return self.assign(&[(late, its), (other, mine)]);
                }
                let (low, high) = (mine.min(its), mine.max(its));
                let moved = (0..self.rank.len() as u32).filter(|&task| {
                    let rank = self.rank[task as usize];
                    rank >= low && rank <= high && task != late
                });
                let up = its < mine;
                let mut changes: Vec<(u32, u32)> = moved
                    .map(|task| {
                        let rank = self.rank[task as usize];
                        (task, if up { rank + 1 } else { rank - 1 })
                    })
                    .collect();
                changes.push((late, its));
                self.assign(&changes)
            }
            // Several that run at about the same time.
            _ => {
                let near = self.random.below(users.len());
                let pivot = start(users[near]);
                let window = 1 + self.tasks.duration[late as usize] * (1 + self.random.below(3) as u64);
                let mut some: Vec<u32> = Vec::new();
                for _ in 0..24 {
                    let task = users[self.random.below(users.len())];
                    if start(task).abs_diff(pivot) <= window && !some.contains(&task) && some.len() < 5 {
                        some.push(task);
                    }
                }
                let ranks: Vec<u32> = some.iter().map(|&task| self.rank[task as usize]).collect();
                self.random.shuffle(&mut some);
                let changes: Vec<(u32, u32)> = some.into_iter().zip(ranks).collect();
                self.assign(&changes)
            }
        }
    }

    fn assign(&mut self, changes: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut undo = Vec::with_capacity(changes.len());
        for &(task, rank) in changes {
            let known = std::mem::replace(&mut self.rank[task as usize], rank);
            if known != rank {
                undo.push((task, known));
            }
        }
        undo
    }

    /// A task that ends late, or one that such a task waits for; any, where a sum counts.
    fn late(&mut self) -> Option<u32> {
        let tasks = self.tasks.len();
        if self.aim.levels[self.aim.open].weights.is_some() || self.random.below(8) == 0 {
            return Some(self.random.below(tasks) as u32);
        }
        let late = (0..tasks).filter(|&task| self.ends[task] + self.tails[task] > self.aim.target);
        let late: Vec<u32> = late.map(|task| task as u32).collect();
        let mut task = *late.get(self.random.below(late.len().max(1)))?;
        // Back along what it waited for.
        for _ in 0..self.random.below(4) {
            let start = self.ends[task as usize] - self.tasks.duration[task as usize];
            let takes = self.tasks.takes.of(task);
            if takes.is_empty() {
                break;
            }
            let users = &self.users[takes[self.random.below(takes.len())].0 as usize];
            let offset = self.random.below(users.len());
            let found = (0..users.len().min(64))
                .map(|at| users[(offset + at) % users.len()])
                .find(|&user| self.ends[user as usize] == start);
            match found {
                Some(found) => task = found,
                None => break,
            }
        }
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Metric;
    use crate::schedule;
    use crate::schedule::testing;

    #[test]
    fn better_times_are_sound_and_never_below_the_best() {
        let mut random = Random::new(8);
        let (mut checked, mut best) = (0, 0);
        for _ in 0..900 {
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
        assert!(checked > 100 && best * 20 > checked * 19, "{best} of {checked}");
    }
}

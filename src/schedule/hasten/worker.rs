//! One search for better times, on the project or on its reverse.

use super::Aim;
use crate::problem::Step;
use crate::random::Random;
use crate::schedule::list::List;
use crate::schedule::list::by_remaining_load;
use crate::schedule::reinsert::Field;
use crate::schedule::tasks::Tasks;

/// Tasks beyond which no rank is made that takes time quadratic in them.
const MOST_QUADRATIC: usize = 16_384;
/// What a second beyond the last end counts where a sum is made smaller.
const LATE: u64 = 1 << 20;

/// One search, on the project or on its reverse.
pub(super) struct Worker<'t> {
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
    pub(super) best: Option<(Vec<u64>, Vec<u64>)>,
    /// Steps so far.
    pub(super) spent: u64,
    granted: u64,
}

impl<'t> Worker<'t> {
    pub(super) fn new(
        tasks: &'t Tasks,
        other: &'t Tasks,
        tails: &'t [u64],
        aim: &'t Aim,
        turned: bool,
        seed: u64,
        granted: u64,
    ) -> Self {
        let mut users = vec![Vec::new(); tasks.free.len()];
        for task in 0..tasks.count() as u32 {
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
            rank: (0..tasks.count() as u32).collect(),
            ends: Vec::new(),
            rate: (u64::MAX, u64::MAX),
            best: None,
            spent: 0,
            granted,
        }
    }

    /// What a schedule counts for.
    fn cost(&self) -> u64 {
        1 + self.tasks.count() as u64 / 16
    }

    /// A rank by some key: the smallest first.
    fn ranked(&self, key: impl Fn(usize) -> u64) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.tasks.count() as u32).collect();
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
    pub(super) fn start(
        &mut self,
        steps: &[Step],
        ranks: bool,
        first: bool,
        stop: &(dyn Fn() -> bool + Sync),
    ) {
        let known: Vec<u64> = steps.iter().map(|step| step.end).collect();
        let known = if self.turned { self.mirrored(&known) } else { known };
        if ranks {
            self.start_with(self.ranked(|task| known[task] - self.tasks.duration[task]));
            if !first || stop() {
                return;
            }
            if self.aim.levels[self.aim.open].weights.is_some() {
                self.start_with(self.ranked(|task| self.tasks.duration[task]));
            }
            if self.tasks.count() <= MOST_QUADRATIC {
                self.spent += self.cost() * 16;
                if !stop()
                    && let Some(ends) = by_remaining_load(self.tasks, self.tails, stop)
                {
                    self.start_with(self.ranked(|task| ends[task] - self.tasks.duration[task]));
                }
            }
            self.start_with(self.ranked(|task| u64::MAX - self.tasks.duration[task] - self.tails[task]));
        } else {
            self.consider(&known, 0);
        }
    }

    /// Searches by putting tasks in anew. False where that does not apply.
    pub(super) fn reinsert(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> bool {
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
        field.settle(stop);
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
                    field.settle(stop);
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

    pub(super) fn search(&mut self, stop: &(dyn Fn() -> bool + Sync)) {
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

    /// Has the open level come down to this?
    pub(super) fn has_reached(&self, bound: u64) -> bool {
        self.best.as_ref().is_some_and(|(values, _)| values[self.aim.open] <= bound)
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
        let tasks = self.tasks.count();
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

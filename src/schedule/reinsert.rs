//! Better times by taking a few tasks out and putting them in again.
//!
//! Ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000) on times instead of
//! ranks: some tasks around one that is late leave, and in another order each gets the
//! earliest moment at which all that it takes is free for long enough. Unlike list schedules
//! it leaves things waiting for a gap further on, and an attempt costs what it touches, not
//! the size of the project.
//!
//! Applies where tasks that take something wait for nothing but tasks that take nothing
//! (opens before, closes after), and no bin is short of room.

use super::tasks::Kind;
use super::tasks::Tasks;
use crate::random::Random;

/// The most tasks that are taken out at once.
const MOST_OUT: usize = 9;
/// Tasks that are put in anew between two looks at the clock.
const LOOK: usize = 64;

/// The tasks of a project at their times, with what each resource is taken by.
#[derive(Clone, Debug)]
pub struct Field<'t> {
    tasks: &'t Tasks,
    heads: Vec<u64>,
    tails: Vec<u64>,
    /// By task: what its end counts, beside being late.
    weights: Vec<u64>,
    /// Ends after this, with their tails, are late.
    target: u64,
    /// What a second of being late counts.
    price: u64,
    starts: Vec<u64>,
    /// By resource: its tasks by start.
    rows: Vec<Vec<(u64, u32)>>,
    /// By resource: the longest of its tasks.
    longest: Vec<u64>,
    /// Tasks that are late, and by task where it is in there.
    late: Vec<u32>,
    place: Vec<u32>,
    busy: Vec<u32>,
    active: Vec<(u64, i64)>,
}

const NONE: u32 = u32::MAX;

impl<'t> Field<'t> {
    /// From times that are known, by end. `None` where tasks depend on each other in other
    /// ways than through opens and closes.
    pub fn new(tasks: &'t Tasks, ends: &[u64], weights: Vec<u64>, target: u64, price: u64) -> Option<Self> {
        let takes = |task: u32| !tasks.takes.of(task).is_empty();
        let count = tasks.count() as u32;
        let rooms = |task: u32| {
            let mut all = tasks.takes.of(task).iter().chain(tasks.gives.of(task));
            all.any(|&(resource, _)| tasks.kinds[resource as usize] == Kind::Room)
        };
        // Who waits, be it over others, for one that takes something.
        let order = tasks.order();
        let mut heads = tasks.release.clone();
        let mut after = vec![false; tasks.count()];
        for &task in &order {
            let end = heads[task as usize] + tasks.duration[task as usize];
            for &then in tasks.next.of(task) {
                heads[then as usize] = heads[then as usize].max(end);
                after[then as usize] |= after[task as usize] || takes(task);
            }
        }
        if order.len() < tasks.count()
            || (0..count).any(|task| takes(task) && (after[task as usize] || rooms(task)))
        {
            return None;
        }
        let mut rows = vec![Vec::new(); tasks.free.len()];
        let mut longest = vec![0u64; tasks.free.len()];
        let starts: Vec<u64> = ends.iter().zip(&tasks.duration).map(|(end, takes)| end - takes).collect();
        let busy: Vec<u32> = (0..count).filter(|&task| takes(task)).collect();
        for &task in &busy {
            for &(resource, _) in tasks.takes.of(task) {
                rows[resource as usize].push((starts[task as usize], task));
                longest[resource as usize] = longest[resource as usize].max(tasks.duration[task as usize]);
            }
        }
        rows.iter_mut().for_each(|row| row.sort_unstable());
        let mut field = Self {
            heads,
            tails: tasks.tails(),
            weights,
            target,
            price,
            starts,
            rows,
            longest,
            late: Vec::new(),
            place: vec![NONE; tasks.count()],
            busy,
            active: Vec::new(),
            tasks,
        };
        for at in 0..field.busy.len() {
            field.note(field.busy[at]);
        }
        (field.busy.len() > 1).then_some(field)
    }

    fn end(&self, task: u32) -> u64 {
        self.starts[task as usize] + self.tasks.duration[task as usize]
    }

    /// By how much a task is late.
    fn excess(&self, task: u32) -> u64 {
        (self.end(task) + self.tails[task as usize]).saturating_sub(self.target)
    }

    fn cost(&self, task: u32) -> u64 {
        let weight = self.weights.get(task as usize).copied().unwrap_or(0);
        weight.saturating_mul(self.end(task)).saturating_add(self.price.saturating_mul(self.excess(task)))
    }

    fn cost_of(&self, tasks: &[u32]) -> u64 {
        tasks.iter().map(|&task| self.cost(task)).fold(0, u64::saturating_add)
    }

    /// Is nothing late?
    pub fn is_in_time(&self) -> bool {
        self.late.is_empty()
    }

    /// Remembers whether a task is late.
    fn note(&mut self, task: u32) {
        let (is_late, at) = (self.excess(task) > 0, self.place[task as usize]);
        if is_late && at == NONE {
            self.place[task as usize] = self.late.len() as u32;
            self.late.push(task);
        } else if !is_late && at != NONE {
            self.late.swap_remove(at as usize);
            if let Some(&moved) = self.late.get(at as usize) {
                self.place[moved as usize] = at;
            }
            self.place[task as usize] = NONE;
        }
    }

    fn take_out(&mut self, task: u32) {
        for &(resource, _) in self.tasks.takes.of(task) {
            let row = &mut self.rows[resource as usize];
            if let Ok(at) = row.binary_search(&(self.starts[task as usize], task)) {
                row.remove(at);
            }
        }
    }

    fn put(&mut self, task: u32, start: u64) {
        self.starts[task as usize] = start;
        for &(resource, _) in self.tasks.takes.of(task) {
            let row = &mut self.rows[resource as usize];
            let at = row.binary_search(&(start, task)).unwrap_or_else(|at| at);
            row.insert(at, (start, task));
        }
    }

    /// The first moment from `from` on at which a resource has so much for so long.
    fn free_from(&mut self, resource: u32, amount: i64, lasts: u64, from: u64) -> u64 {
        let row = &self.rows[resource as usize];
        let room = self.tasks.free[resource as usize] - amount;
        let usage = |task: u32| {
            let mut takes = self.tasks.takes.of(task).iter();
            takes.find(|usage| usage.0 == resource).map_or(0, |usage| usage.1)
        };
        let mut now = from;
        'again: loop {
            self.active.clear();
            let mut used = 0;
            let earliest = now.saturating_sub(self.longest[resource as usize]);
            let mut at = row.partition_point(|&(start, _)| start < earliest);
            while let Some(&(start, task)) = row.get(at) {
                if start >= now + lasts {
                    break;
                }
                at += 1;
                let end = start + self.tasks.duration[task as usize];
                if end <= now {
                    continue;
                }
                if start > now {
                    self.active.retain(|&(end, amount)| {
                        let runs = end > start;
                        used -= if runs { 0 } else { amount };
                        runs
                    });
                }
                used += usage(task);
                self.active.push((end, usage(task)));
                // Those that start together are looked at one by one; more only come.
                if used > room {
                    now = self.active.iter().map(|&(end, _)| end).min().unwrap_or(end);
                    continue 'again;
                }
            }
            return now;
        }
    }

    /// The first moment at which a task fits.
    fn earliest(&mut self, task: u32) -> u64 {
        let tasks = self.tasks;
        let lasts = tasks.duration[task as usize];
        let mut now = self.heads[task as usize];
        loop {
            let before = now;
            for &(resource, amount) in tasks.takes.of(task) {
                now = self.free_from(resource, amount, lasts, now);
            }
            if now == before {
                return now;
            }
        }
    }

    /// One attempt; false where it was taken back. What is worse by no more than `slack` is
    /// taken as well.
    pub fn attempt(&mut self, random: &mut Random, slack: u64) -> bool {
        let weighted = !self.weights.is_empty();
        let first = match self.late.len() {
            0 => self.busy[random.below(self.busy.len())],
            _ if weighted && random.below(2) == 0 => self.busy[random.below(self.busy.len())],
            late => self.late[random.below(late)],
        };
        let mut out = vec![first];
        let most = 2 + random.below(MOST_OUT - 1);
        let mut from = first;
        for _ in 0..2 * most {
            if out.len() >= most {
                break;
            }
            let takes = self.tasks.takes.of(from);
            let row = &self.rows[takes[random.below(takes.len())].0 as usize];
            let near = row.partition_point(|&(start, _)| start < self.starts[from as usize]);
            let at = if random.below(2) == 0 {
                random.below(row.len())
            } else {
                (near + random.below(13)).saturating_sub(6).min(row.len() - 1)
            };
            let task = row[at].1;
            if !out.contains(&task) {
                out.push(task);
            }
            if random.below(2) == 0 {
                from = task;
            }
        }
        let before = self.cost_of(&out);
        let known: Vec<(u32, u64)> = out.iter().map(|&task| (task, self.starts[task as usize])).collect();
        out.iter().for_each(|&task| self.take_out(task));
        let rest = usize::from(random.below(3) > 0);
        random.shuffle(&mut out[rest..]);
        for &task in &out {
            let start = self.earliest(task);
            self.put(task, start);
        }
        let after = self.cost_of(&out);
        let taken = after <= before.saturating_add(slack);
        if !taken {
            out.iter().for_each(|&task| self.take_out(task));
            known.iter().for_each(|&(task, start)| self.put(task, start));
        } else {
            out.iter().for_each(|&task| self.note(task));
        }
        taken
    }

    /// Starts everything as early as the rest lets it, until it is time to `stop`.
    pub fn settle(&mut self, stop: &dyn Fn() -> bool) {
        let mut order = self.busy.clone();
        order.sort_by_key(|&task| (self.starts[task as usize], task));
        for (at, task) in order.into_iter().enumerate() {
            if at % LOOK == LOOK - 1 && stop() {
                return;
            }
            self.take_out(task);
            let start = self.earliest(task);
            self.put(task, start);
            self.note(task);
        }
    }

    /// The end of each task; those that take nothing follow as soon as they may.
    pub fn ends(&self) -> Vec<u64> {
        let tasks = self.tasks;
        let mut starts = tasks.release.clone();
        let mut ends = vec![0; tasks.count()];
        for task in tasks.order() {
            let takes = !tasks.takes.of(task).is_empty();
            let start = if takes { self.starts[task as usize] } else { starts[task as usize] };
            ends[task as usize] = start + tasks.duration[task as usize];
            for &then in tasks.next.of(task) {
                starts[then as usize] = starts[then as usize].max(ends[task as usize]);
            }
        }
        ends
    }

    /// What all is worth: smaller is better.
    pub fn total(&self) -> u64 {
        self.cost_of(&self.busy)
    }
}

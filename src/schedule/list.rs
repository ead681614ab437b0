//! Times by priority: at each moment whoever comes first among those that fit starts.
//!
//! Parallel schedule generation (Kelley 1963; Kolisch 1996), driven by events: who does not
//! fit waits at one resource that is short, and is looked at again when that one is given
//! back. O((n + looks) log n) a schedule.

use super::tasks::Tasks;
use crate::problem::NONE;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Sorts tasks: the smallest first.
fn key(rank: u32, task: u32) -> u64 {
    u64::from(rank) << 32 | u64::from(task)
}

/// Makes schedules of one project, again and again.
#[derive(Clone, Debug)]
pub struct List<'t> {
    tasks: &'t Tasks,
    free: Vec<i64>,
    waits: Vec<u32>,
    /// By resource: who waits for it, by key.
    waiting: Vec<BinaryHeap<Reverse<u64>>>,
    /// By resource: the least that any task takes of it.
    least: Vec<i64>,
    /// (when, task): ends, and with `len` added releases.
    events: BinaryHeap<Reverse<(u64, u32)>>,
    /// (key, the resource at which it waited).
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    held: Vec<(u32, u64)>,
    /// By task: when it ends.
    pub ends: Vec<u64>,
}

impl<'t> List<'t> {
    /// For a project.
    pub fn new(tasks: &'t Tasks) -> Self {
        let mut least = vec![i64::MAX; tasks.free.len()];
        for task in 0..tasks.count() as u32 {
            for &(resource, amount) in tasks.takes.of(task) {
                let least = &mut least[resource as usize];
                *least = amount.min(*least);
            }
        }
        Self {
            tasks,
            free: Vec::new(),
            waits: Vec::new(),
            waiting: vec![BinaryHeap::new(); tasks.free.len()],
            least,
            events: BinaryHeap::new(),
            ready: BinaryHeap::new(),
            held: Vec::new(),
            ends: vec![0; tasks.count()],
        }
    }

    /// Times by rank, the smallest first, into `ends`. False where tasks wait on each other
    /// for ever.
    pub fn run(&mut self, rank: &[u32]) -> bool {
        let tasks = self.tasks;
        self.free.clone_from(&tasks.free);
        self.waits.clone_from(&tasks.waits);
        self.waiting.iter_mut().for_each(BinaryHeap::clear);
        self.events.clear();
        let mut left = tasks.count();
        for task in 0..tasks.count() as u32 {
            if self.waits[task as usize] == 0 {
                self.admit(task, 0, rank);
            }
        }
        let mut now = 0;
        loop {
            while let Some(Reverse((at, origin))) = self.ready.pop() {
                let task = at as u32;
                let short = |&&(resource, amount): &&(u32, i64)| self.free[resource as usize] < amount;
                match tasks.takes.of(task).iter().find(short) {
                    None => {
                        for &(resource, amount) in tasks.takes.of(task) {
                            self.free[resource as usize] -= amount;
                        }
                        left -= 1;
                        let end = now + tasks.duration[task as usize];
                        self.ends[task as usize] = end;
                        if end == now {
                            self.end(task, now, rank);
                        } else {
                            self.events.push(Reverse((end, task)));
                        }
                    }
                    // It waits on where it waited, but others may be smaller.
                    Some(&(resource, _)) if resource == origin => self.held.push((resource, at)),
                    Some(&(resource, _)) => self.waiting[resource as usize].push(Reverse(at)),
                }
                if origin != NONE {
                    self.wake(origin);
                }
            }
            while let Some((resource, at)) = self.held.pop() {
                self.waiting[resource as usize].push(Reverse(at));
            }
            let Some(&Reverse((next, _))) = self.events.peek() else { return left == 0 };
            now = next;
            while let Some(&Reverse((when, task))) = self.events.peek() {
                if when > now {
                    break;
                }
                self.events.pop();
                match (task as usize).checked_sub(tasks.count()) {
                    None => self.end(task, now, rank),
                    Some(released) => self.ready.push(Reverse((key(rank[released], released as u32), NONE))),
                }
            }
        }
    }

    /// A task has nothing left to wait for but its release and resources.
    fn admit(&mut self, task: u32, now: u64, rank: &[u32]) {
        let release = self.tasks.release[task as usize];
        if release > now {
            self.events.push(Reverse((release, task + self.tasks.count() as u32)));
        } else {
            self.ready.push(Reverse((key(rank[task as usize], task), NONE)));
        }
    }

    fn end(&mut self, task: u32, now: u64, rank: &[u32]) {
        for &(resource, amount) in self.tasks.gives.of(task) {
            self.free[resource as usize] += amount;
            self.wake(resource);
        }
        for &then in self.tasks.next.of(task) {
            let waits = &mut self.waits[then as usize];
            *waits -= 1;
            if *waits == 0 {
                self.admit(then, now, rank);
            }
        }
    }

    /// The first that waits for a resource may look again.
    fn wake(&mut self, resource: u32) {
        if self.free[resource as usize] >= self.least[resource as usize]
            && let Some(Reverse(at)) = self.waiting[resource as usize].pop()
        {
            self.ready.push(Reverse((at, resource)));
        }
    }
}

/// Times by what is left to do: the task on the most loaded resource first, where the load
/// of a resource is the work of those that have not started, with what has to follow them.
/// Longest remaining processing time, as list scheduling of open shops (Gonzalez and Sahni
/// 1976) has it. `None` where tasks wait on each other for ever, or it is time to `stop`. O(n²).
pub fn by_remaining_load(tasks: &Tasks, tails: &[u64], stop: &dyn Fn() -> bool) -> Option<Vec<u64>> {
    let mut free = tasks.free.clone();
    let mut waits = tasks.waits.clone();
    let mut left: Vec<u128> = vec![0; free.len()];
    let renewable = |resource: u32| tasks.kinds[resource as usize] == super::tasks::Kind::Renewable;
    for task in 0..tasks.count() as u32 {
        for &(resource, amount) in tasks.takes.of(task).iter().filter(|usage| renewable(usage.0)) {
            left[resource as usize] += amount as u128 * u128::from(tasks.duration[task as usize]);
        }
    }
    let mut waiting: Vec<u32> = (0..tasks.count() as u32).collect();
    let mut ends = vec![0u64; tasks.count()];
    let mut events: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
    let mut now = 0u64;
    // What a task is worth: the two longest loads of its resources, then its length.
    let worth = |task: u32, left: &[u128]| {
        let mut most = [0u128; 2];
        for &(resource, _) in tasks.takes.of(task).iter().filter(|usage| renewable(usage.0)) {
            let load = left[resource as usize] * 16 / tasks.free[resource as usize].max(1) as u128
                + 16 * u128::from(tails[task as usize]);
            if load > most[0] {
                most = [load, most[0]];
            } else {
                most[1] = most[1].max(load);
            }
        }
        (most, tasks.duration[task as usize] + tails[task as usize], Reverse(task))
    };
    loop {
        if stop() {
            return None;
        }
        loop {
            let fits = |task: u32| {
                waits[task as usize] == 0
                    && tasks.release[task as usize] <= now
                    && tasks
                        .takes
                        .of(task)
                        .iter()
                        .all(|&(resource, amount)| free[resource as usize] >= amount)
            };
            // Many may start at one moment: they are looked at by their worth now, and
            // again where something was given back at once.
            let mut fitting: Vec<_> =
                waiting.iter().filter(|&&task| fits(task)).map(|&task| worth(task, &left)).collect();
            fitting.sort_unstable_by(|a, b| b.cmp(a));
            let mut again = false;
            for (_, _, Reverse(task)) in fitting {
                let takes = tasks.takes.of(task);
                if takes.iter().any(|&(resource, amount)| free[resource as usize] < amount) {
                    continue;
                }
                let duration = tasks.duration[task as usize];
                for &(resource, amount) in takes {
                    free[resource as usize] -= amount;
                    if renewable(resource) {
                        left[resource as usize] -= amount as u128 * u128::from(duration);
                    }
                }
                ends[task as usize] = now + duration;
                waits[task as usize] = NONE;
                events.push(Reverse((now + duration, task)));
                again |= duration == 0;
            }
            waiting.retain(|&task| waits[task as usize] != NONE);
            if !again {
                break;
            }
            settle(tasks, &mut events, now, &mut free, &mut waits);
        }
        if waiting.is_empty() {
            return Some(ends);
        }
        let released = waiting.iter().map(|&task| tasks.release[task as usize]).filter(|&at| at > now).min();
        let ended = events.peek().map(|&Reverse((at, _))| at);
        now = released.into_iter().chain(ended).min()?;
        settle(tasks, &mut events, now, &mut free, &mut waits);
    }
}

/// Ends what ends by now.
fn settle(
    tasks: &Tasks,
    events: &mut BinaryHeap<Reverse<(u64, u32)>>,
    now: u64,
    free: &mut [i64],
    waits: &mut [u32],
) {
    while let Some(&Reverse((at, task))) = events.peek() {
        if at > now {
            return;
        }
        events.pop();
        for &(resource, amount) in tasks.gives.of(task) {
            free[resource as usize] += amount;
        }
        tasks.next.of(task).iter().for_each(|&then| waits[then as usize] -= 1);
    }
}

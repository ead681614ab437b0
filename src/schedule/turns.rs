//! The best times of few steps: every order in which they may start.
//!
//! Where no end that comes earlier makes a plan worse, some best times start each task as early
//! as those that started before let it. So a schedule is an order of tasks, and what follows
//! from the first of them depends on which they are and when they end alone: dynamic programming
//! over sets of tasks (Held and Karp 1962), from one number of tasks to the next. Of two states
//! with the same tasks one is left out where the other has everything ended as early, at no more
//! cost; so is what a bound ([`super::bound::split`]) shows to come to no good, and who starts
//! although another that takes no room could be over by then (Giffler and Thompson 1960).

use super::bound::split;
use super::bound::split::Part;
use super::bound::split::Split;
use super::level::Level;
use super::tasks::Kind;
use super::tasks::Tasks;
use crate::engine::Meter;

/// Tasks beyond which nothing is tried.
const MOST_TASKS: usize = 48;
/// Moments kept by states of one number of tasks.
const MOST_KEPT: usize = 1 << 22;
/// Others of the same tasks that a state is compared with.
const MOST_RIVALS: usize = 64;

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The ends of better times by task, if there are any, and the value of the last level.
    pub ends: Option<(Vec<u64>, u64)>,
    /// No times are below this in the last level that are as good in the levels before.
    pub bound: u64,
}

/// The best times in the last of the levels, below its value, and as good in those before;
/// `None` where there are too many tasks, or some are better late. `split` bounds the sum of the
/// last level.
pub fn search(
    tasks: &Tasks,
    levels: &[Level],
    values: &[u64],
    split: &Split,
    meter: &mut Meter,
) -> Option<Turns> {
    let (&value, level) = (values.last()?, levels.last()?);
    // An end that is better late is no earlier for those that started before.
    let regular = levels.iter().all(|level| level.late.is_empty());
    if !regular || tasks.count() > MOST_TASKS || tasks.order().len() < tasks.count() || value == 0 {
        return None;
    }
    let search = Search::new(tasks, levels, values, split);
    let Some(first) = search.state(0, vec![0; tasks.count()]) else {
        return Some(Turns { ends: None, bound: value });
    };
    let mut layer = vec![first];
    for _ in 0..tasks.count() {
        let reached = layer.iter().map(|state| state.bound).min().unwrap_or(value).min(value);
        let mut next: Vec<State> = Vec::new();
        for state in &layer {
            meter.spend(search.cost());
            if meter.is_over() || next.len() * tasks.count() > MOST_KEPT {
                return Some(Turns { ends: None, bound: reached });
            }
            search.expand(state, &mut next);
        }
        layer = search.best(next, meter);
    }
    let best = layer.into_iter().map(|state| (level.of(&state.moments), state.moments)).min();
    let best = best.filter(|(reached, _)| *reached < value);
    let bound = best.as_ref().map_or(value, |(reached, _)| *reached);
    Some(Turns { ends: best.map(|(reached, ends)| (ends, reached)), bound })
}

/// Some tasks that have started.
#[derive(Clone, Debug)]
struct State {
    /// They as bits.
    started: u64,
    /// Nothing else starts earlier.
    now: u64,
    /// By task: its end; of those that have not started when they may at the earliest.
    moments: Vec<u64>,
    /// Those that may be next, as bits.
    ready: u64,
    /// The last level is at least this in the end.
    bound: u64,
}

/// What the tasks that have started leave of the resources.
struct Left<'t> {
    tasks: &'t Tasks,
    /// By resource: what is free when all of them have ended.
    free: Vec<i64>,
    /// Those that run: ends, with the task.
    running: Vec<(u64, u32)>,
}

impl<'t> Left<'t> {
    fn new(tasks: &'t Tasks, started: u64, moments: &[u64], now: u64) -> Self {
        let mut free = tasks.free.clone();
        for task in bits(started) {
            tasks.takes.of(task).iter().for_each(|&(at, amount)| free[at as usize] -= amount);
            tasks.gives.of(task).iter().for_each(|&(at, amount)| free[at as usize] += amount);
        }
        let running = bits(started).map(|task| (moments[task as usize], task));
        let mut running: Vec<(u64, u32)> = running.filter(|&(end, _)| end > now).collect();
        running.sort_unstable();
        Self { tasks, free, running }
    }

    /// When a task may start, from a moment on, as far as resources of a kind go, or all.
    fn earliest(&self, task: u32, from: u64, kind: Option<Kind>) -> Option<u64> {
        let lasts = self.tasks.duration[task as usize] > 0;
        let counts = |usage: &&(u32, i64)| {
            let this = self.tasks.kinds[usage.0 as usize];
            kind.is_none_or(|kind| this == kind) && (lasts || this == Kind::Room)
        };
        let mut start = from;
        for &(resource, amount) in self.tasks.takes.of(task).iter().filter(counts) {
            let mut free = self.free[resource as usize];
            // The last that may still run.
            let mut at = self.running.len();
            if free < amount {
                return None;
            }
            while at > 0 && self.running[at - 1].0 > start {
                let gives = self.tasks.gives.of(self.running[at - 1].1).iter();
                free -= gives.filter(|usage| usage.0 == resource).map(|usage| usage.1).sum::<i64>();
                if free < amount {
                    start = self.running[at - 1].0;
                    break;
                }
                at -= 1;
            }
        }
        Some(start)
    }
}

struct Search<'t> {
    tasks: &'t Tasks,
    levels: &'t [Level],
    values: &'t [u64],
    split: &'t Split,
    /// By channel of the split: the resource that it is.
    resources: Vec<u32>,
    /// By task: the part of its weight that counts at its earliest end.
    rest: Vec<u64>,
    /// By task: those that it waits for, as bits.
    before: Vec<u64>,
    /// Tasks that take no room, as bits.
    roomless: u64,
    order: Vec<u32>,
    /// By task: those that give some of the rooms that it takes, as bits.
    givers: Vec<u64>,
}

/// The bits of a set.
fn bits(mut set: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}

impl<'t> Search<'t> {
    fn new(tasks: &'t Tasks, levels: &'t [Level], values: &'t [u64], split: &'t Split) -> Self {
        let count = tasks.count();
        let (mut before, mut given, mut roomless) = (vec![0u64; count], vec![0u64; tasks.free.len()], 0);
        for task in 0..count as u32 {
            tasks.next.of(task).iter().for_each(|&then| before[then as usize] |= 1 << task);
            tasks.gives.of(task).iter().for_each(|&(resource, _)| given[resource as usize] |= 1 << task);
        }
        let rooms = |task: u32| {
            let takes = tasks.takes.of(task).iter().map(|usage| usage.0);
            takes.filter(|&resource| tasks.kinds[resource as usize] == Kind::Room)
        };
        let mut givers = vec![0u64; count];
        for task in 0..count as u32 {
            givers[task as usize] = rooms(task).fold(0, |all, room| all | given[room as usize]);
            roomless |= u64::from(rooms(task).next().is_none()) << task;
        }
        Self {
            tasks,
            levels,
            values,
            split,
            resources: split.channels().iter().map(|channel| channel.name).collect(),
            rest: split.rest(),
            before,
            roomless,
            order: tasks.order(),
            givers,
        }
    }

    /// What looking at what follows a state takes.
    fn cost(&self) -> u64 {
        let count = self.tasks.count() as u64;
        count * (count + 8 * self.resources.len() as u64)
    }

    /// The state after these tasks have started; `None` where nothing good comes of it.
    fn state(&self, started: u64, mut moments: Vec<u64>) -> Option<State> {
        let tasks = self.tasks;
        let now = bits(started).map(|task| moments[task as usize] - tasks.duration[task as usize]).max();
        let mut now = now.unwrap_or(0);
        let open = u64::MAX >> (64 - tasks.count()) & !started;
        let left = Left::new(tasks, started, &moments, now);
        let mut floors = moments.clone();
        let mut ready = 0u64;
        for &task in self.order.iter().filter(|&&task| open >> task & 1 == 1) {
            let before = self.before[task as usize];
            let ends = bits(before & started).map(|other| moments[other as usize]);
            let waits =
                bits(before & open).map(|other| floors[other as usize] + tasks.duration[other as usize]);
            let least = ends.chain(waits).fold(now.max(tasks.release[task as usize]), u64::max);
            // Others may yet give room, but no channel.
            floors[task as usize] = left.earliest(task, least, Some(Kind::Renewable)).unwrap_or(least);
            if before & open == 0
                && let Some(start) = left.earliest(task, least, None)
            {
                moments[task as usize] = start;
                ready |= 1 << task;
            }
        }
        if open != 0 {
            now = bits(ready).map(|task| moments[task as usize]).min()?;
        }
        for task in bits(open) {
            floors[task as usize] = floors[task as usize].max(now);
        }
        // Who waits for room may have it when the first of those that give some has ended.
        let fixed = floors.clone();
        for task in bits(open & !self.roomless) {
            let start = if ready >> task & 1 == 1 { moments[task as usize] } else { u64::MAX };
            let givers = bits(self.givers[task as usize] & open).filter(|&other| other != task);
            let given = givers.map(|other| fixed[other as usize] + tasks.duration[other as usize]);
            let least = given.min().unwrap_or(u64::MAX).min(start);
            // Nobody gives any: that is for the states that follow to find.
            if least < u64::MAX {
                floors[task as usize] = floors[task as usize].max(least);
            }
        }
        let mut state = State { started, now, moments, ready, bound: 0 };
        state.bound = self.bound(&state, &floors)?;
        Some(state)
    }

    /// The last level is at least this; `None` where that is too much, or a level before is.
    fn bound(&self, state: &State, floors: &[u64]) -> Option<u64> {
        let tasks = self.tasks;
        let ends: Vec<u64> = (0..tasks.count())
            .map(|task| {
                let ended = if state.started >> task & 1 == 1 { 0 } else { tasks.duration[task] };
                floors[task] + ended
            })
            .collect();
        let (open, before) = self.levels.split_last()?;
        let missed = |(level, value): (&Level, &u64)| level.is_timed() && level.of(&ends) > *value;
        if before.iter().zip(self.values).any(missed) {
            return None;
        }
        let mut bound = open.of(&ends);
        if let Some(weights) = open.weights.as_ref().filter(|_| bound < self.values[before.len()]) {
            let simple: u128 =
                weights.iter().zip(&ends).map(|(&w, &end)| u128::from(w) * u128::from(end)).sum();
            let more = self.sum(state, weights, &ends, floors).saturating_sub(simple);
            bound = bound.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        }
        (bound < self.values[before.len()]).then_some(bound)
    }

    /// The weighted sum of ends is at least this.
    fn sum(&self, state: &State, weights: &[u32], ends: &[u64], floors: &[u64]) -> u128 {
        let tasks = self.tasks;
        let (mut sum, mut done) = (0u128, 0u128);
        for (task, (&weight, &end)) in weights.iter().zip(ends).enumerate() {
            if state.started >> task & 1 == 1 {
                done += u128::from(weight) * u128::from(end);
            } else {
                sum += split::at_least(self.rest[task], end);
            }
        }
        let mut parts: Vec<Part> = Vec::with_capacity(tasks.count());
        for (channel, &resource) in self.split.channels().iter().zip(&self.resources) {
            let open = channel
                .parts
                .iter()
                .filter(|part| part.part > 0 && state.started >> part.share.task & 1 == 0);
            parts.clear();
            parts.extend(open.map(|part| {
                let mut part = *part;
                part.share.head = floors[part.share.task as usize];
                part
            }));
            if parts.is_empty() {
                continue;
            }
            // What is left beside those that run.
            let mut running: Vec<(u64, u64)> = bits(state.started)
                .filter(|&task| state.moments[task as usize] > state.now)
                .filter_map(|task| {
                    let taken = tasks.takes.of(task).iter().find(|usage| usage.0 == resource)?;
                    Some((state.moments[task as usize], taken.1.max(0) as u64))
                })
                .collect();
            running.sort_unstable();
            let taken: u64 = running.iter().map(|row| row.1).sum();
            let mut free = vec![(state.now, channel.capacity.saturating_sub(taken))];
            for (end, amount) in running {
                let last = free.last().map_or(0, |step| step.1);
                free.push((end, last + amount));
            }
            sum = sum.saturating_add(split::least_sum(&free, &parts, |_| {}));
        }
        done + split::rounded_up(sum)
    }

    /// Adds the states in which one more task has started.
    fn expand(&self, state: &State, next: &mut Vec<State>) {
        let tasks = self.tasks;
        let (start, takes) =
            (|task: u32| state.moments[task as usize], |task: u32| tasks.duration[task as usize]);
        let first = bits(state.ready & self.roomless).map(|task| (start(task) + takes(task), start(task)));
        let first: Vec<(u64, u64)> = first.collect();
        for task in bits(state.ready) {
            // Another can be over by then.
            if first.iter().any(|&(end, from)| end <= start(task) && from < start(task)) {
                continue;
            }
            let mut moments = state.moments.clone();
            moments[task as usize] += takes(task);
            next.extend(self.state(state.started | 1 << task, moments));
        }
    }

    /// Those that no other makes needless.
    fn best(&self, mut states: Vec<State>, meter: &mut Meter) -> Vec<State> {
        // Whoever is needless comes after one that makes it so.
        states.sort_by_cached_key(|state| {
            let sum: u64 = bits(state.started).map(|task| state.moments[task as usize]).sum();
            (state.started, state.bound, state.now, sum, state.moments.clone())
        });
        let mut kept: Vec<State> = Vec::new();
        let mut from = 0;
        for state in states {
            if kept.get(from).is_none_or(|other| other.started != state.started) {
                from = kept.len();
            }
            let rivals = &kept[from..];
            meter.spend((rivals.len().min(MOST_RIVALS) * self.tasks.count()) as u64);
            if !rivals.iter().take(MOST_RIVALS).any(|other| self.is_needless(&state, other)) {
                kept.push(state);
            }
        }
        kept
    }

    /// Is whatever follows a state no better than what follows another of the same tasks?
    fn is_needless(&self, state: &State, other: &State) -> bool {
        let later = |task: u32| {
            let (end, than) = (other.moments[task as usize], state.moments[task as usize]);
            end > than && end > state.now
        };
        let worse = |level: &Level| {
            let cost = |state: &State| {
                let ends = bits(state.started).map(|task| (task, state.moments[task as usize]));
                let (mut sum, mut last) = (0u128, 0u64);
                for (task, end) in ends {
                    let weight = level.weights.as_ref().map_or(0, |weights| weights[task as usize]);
                    sum += u128::from(weight) * u128::from(end);
                    last = last.max(end);
                }
                (sum, if level.last > 0 { last } else { 0 })
            };
            let (here, there) = (cost(state), cost(other));
            there.0 > here.0 || there.1 > here.1
        };
        // Whatever is not later in sum either cannot be in turn needless because of this one.
        let sum = |state: &State| bits(state.started).map(|task| state.moments[task as usize]).sum::<u64>();
        sum(other) <= sum(state)
            && other.now <= state.now
            && !bits(state.started).any(later)
            && !self.levels.iter().any(worse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective;
    use crate::objective::Metric;
    use crate::objective::Objective;
    use crate::outcome::CancelToken;
    use crate::problem::Step;
    use crate::random::Random;
    use crate::schedule;
    use crate::schedule::bound::project;
    use crate::schedule::level::levels;
    use crate::schedule::testing;

    fn objectives() -> Vec<Objective> {
        let level = |metrics: &[(u32, Metric)]| objective::Level { terms: metrics.to_vec() };
        vec![
            Objective { levels: vec![level(&[(1, Metric::SumOfEnds)])] },
            Objective { levels: vec![level(&[(1, Metric::Mttr), (2, Metric::Makespan)])] },
            Objective { levels: vec![level(&[(1, Metric::Makespan)]), level(&[(1, Metric::SumOfEnds)])] },
        ]
    }

    #[test]
    fn every_order_is_as_good_as_every_time() {
        let mut random = Random::new(17);
        let (mut checked, mut better, mut tight) = (0, 0, 0);
        for _ in 0..700 {
            let Some((problem, steps)) = testing::random(&mut random, 3) else { continue };
            let last = steps.iter().map(|step| step.end).max().unwrap_or(0);
            if steps.len() > 4 || last > 12 {
                continue;
            }
            for objective in objectives() {
                let mut values = schedule::levels(&problem, &steps, &objective, 0);
                let best = testing::brute_levels(&problem, &steps, &objective, last);
                // The levels before are as good as can be.
                let open = values.len() - 1;
                values[..open].copy_from_slice(&best[..open]);
                values[open] = values[open].max(best[open] + 1);
                let tasks = Tasks::new(&problem, &steps).expect("plain");
                let mut levels =
                    levels(&problem, &objective, &steps, &schedule::levels(&problem, &steps, &objective, 0));
                levels.iter_mut().for_each(|level| level.constant = 0);
                let weights = levels[open].weights.clone().expect("a sum");
                let mut meter = Meter::new(100_000, None, CancelToken::new());
                let split = project::weighted_ends(&tasks, &weights, best[open], &mut meter);
                if objective.levels[open].terms.len() == 1 {
                    assert!(split.value() <= best[open], "{split:?} {best:?} {problem:?} {steps:?}");
                    tight += usize::from(split.value() == best[open]);
                }
                let found = search(&tasks, &levels, &values, &split, &mut meter).expect("few");
                let (ends, value) = found.ends.expect("there are better ones");
                assert_eq!((value, found.bound), (best[open], best[open]), "{problem:?} {steps:?}");
                let takes = |step: &Step| step.end - step.start;
                let timed = steps.iter().zip(&ends);
                let timed = timed.map(|(step, &end)| Step { start: end - takes(step), end, ..*step });
                let timed: Vec<Step> = timed.collect();
                assert!(testing::sound(&problem, &timed));
                // There is nothing below that.
                values[open] = best[open];
                let found = search(&tasks, &levels, &values, &split, &mut meter).expect("few");
                assert_eq!(found, Turns { ends: None, bound: best[open] });
                // Without any step there is still a bound.
                let mut none = Meter::new(0, None, CancelToken::new());
                let found = search(&tasks, &levels, &values, &split, &mut none).expect("few");
                assert!(found.ends.is_none() && found.bound <= best[open]);
                better += usize::from(schedule::levels(&problem, &steps, &objective, 0)[open] > best[open]);
                checked += 1;
            }
        }
        assert!(checked > 100 && better > 5 && tight * 2 > checked / 3, "{checked} {better} {tight}");
    }
}

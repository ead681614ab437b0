//! When the tasks of one plan end at the earliest, whatever times they get.
//!
//! Heads: the longest path, and room: who comes to a bin that is too full starts when enough of
//! those that leave it may have left, even if it were the only one to come. Each makes others
//! later, until nothing changes. Tails are the heads of the project with time turned around.
//! With both, each channel is bounded like a machine ([`super::channel::least_last`]). Then
//! parts of the project that are tight are put to the solver by lazy clause generation
//! ([`crate::schedule::exact::refuted`]): what has no times alone has none with the rest.
//! Sums of ends are bounded by splits of weights ([`super::split`]).

use super::channel::Job;
use super::channel::least_last;
use super::split::Share;
use super::split::Split;
use crate::engine::Meter;
use crate::schedule::exact;
use crate::schedule::tasks::Kind;
use crate::schedule::tasks::Tasks;

/// Times that rooms are looked at again; what is known then is a bound all the same.
const MOST_PASSES: u32 = 60;
/// Parts that are put to the solver, and what each may cost.
const PARTS: usize = 6;
const MOST_TASKS: usize = 48;
const PART_STEPS: u64 = 30_000;

/// A lower bound on the last end of a project, given that it is no more than `last`.
pub fn last_end(tasks: &Tasks, ends: &[u64], last: u64, meter: &mut Meter) -> u64 {
    let heads = heads(tasks);
    let tails = heads_of_reverse(tasks);
    let mut bound = 0;
    for task in 0..tasks.count() {
        bound = bound.max(heads[task] + tasks.duration[task] + tails[task]);
    }
    let users = users(tasks);
    for (resource, users) in users.iter().enumerate() {
        if tasks.kinds[resource] == Kind::Room || users.len() < 2 {
            continue;
        }
        let job = |&task: &u32| job(tasks, task, resource, &heads, tails[task as usize]);
        let jobs: Vec<Job> = users.iter().map(job).collect();
        bound = least_last(&jobs, tasks.free[resource].max(1) as u64, bound);
    }
    // The tasks that end last, and what they share something with.
    let mut latest: Vec<u32> = (0..tasks.count() as u32).collect();
    latest.sort_by_key(|&task| (std::cmp::Reverse(ends[task as usize] + tails[task as usize]), task));
    let mut tried: Vec<u32> = Vec::new();
    for &seed in latest.iter().take(4 * PARTS) {
        if bound >= last || tried.len() >= PARTS {
            break;
        }
        if tried.contains(&seed) || tasks.takes.of(seed).is_empty() {
            continue;
        }
        tried.push(seed);
        let part = around(tasks, &users, &heads, &tails, ends, seed);
        let mut own = meter.part(PART_STEPS);
        let refuted = exact::refuted(tasks, &part, &heads, &tails, last - 1, &mut own);
        meter.include(&own);
        if refuted {
            bound = last;
        }
    }
    bound.min(last)
}

/// Bounds the sum of the ends of the tasks of a project by these weights; improved until it is
/// `target`, or the meter is over.
pub fn weighted_ends(tasks: &Tasks, weights: &[u32], target: u64, meter: &mut Meter) -> Split {
    let mut heads = heads(tasks);
    after_all(tasks, &mut heads);
    let least = heads.iter().zip(&tasks.duration).map(|(head, takes)| head + takes).collect();
    let mut split = Split::new(weights.iter().map(|&weight| u64::from(weight)).collect(), least);
    for (resource, users) in users(tasks).iter().enumerate() {
        if tasks.kinds[resource] == Kind::Room {
            continue;
        }
        let share = |&task: &u32| {
            let (head, seconds) = (heads[task as usize], tasks.duration[task as usize]);
            Share {
                task,
                head,
                seconds,
                work: u128::from(taken(tasks, task, resource)) * u128::from(seconds),
            }
        };
        split.add(resource as u32, tasks.free[resource].max(0) as u64, users.iter().map(share));
    }
    split.improve(target, meter);
    split
}

/// Raises the heads of those that wait for several that share something: those end one after
/// the other.
fn after_all(tasks: &Tasks, heads: &mut [u64]) {
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); tasks.count()];
    for task in 0..tasks.count() as u32 {
        tasks.next.of(task).iter().for_each(|&then| before[then as usize].push(task));
    }
    for task in tasks.order() {
        let before = &before[task as usize];
        let mut shared: Vec<(u32, u32)> = Vec::new();
        for &other in before {
            let end = heads[other as usize] + tasks.duration[other as usize];
            heads[task as usize] = heads[task as usize].max(end);
            let renewable = |usage: &&(u32, i64)| tasks.kinds[usage.0 as usize] == Kind::Renewable;
            shared.extend(tasks.takes.of(other).iter().filter(renewable).map(|usage| (usage.0, other)));
        }
        shared.sort_unstable();
        for group in shared.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let resource = group[0].0 as usize;
            let jobs: Vec<Job> = group.iter().map(|row| job(tasks, row.1, resource, heads, 0)).collect();
            let last = least_last(&jobs, tasks.free[resource].max(1) as u64, 0);
            heads[task as usize] = heads[task as usize].max(last);
        }
    }
}

/// What a task takes of a resource.
fn taken(tasks: &Tasks, task: u32, resource: usize) -> u64 {
    let takes = tasks.takes.of(task).iter().find(|usage| usage.0 as usize == resource);
    takes.map_or(0, |usage| usage.1.max(0) as u64)
}

fn job(tasks: &Tasks, task: u32, resource: usize, heads: &[u64], tail: u64) -> Job {
    let (head, seconds) = (heads[task as usize], tasks.duration[task as usize]);
    let amount = taken(tasks, task, resource);
    Job { item: task, head, tail, seconds, amount, work: u128::from(amount) * u128::from(seconds) }
}

/// By resource: the tasks that take or give some of it.
fn users(tasks: &Tasks) -> Vec<Vec<u32>> {
    let mut users = vec![Vec::new(); tasks.free.len()];
    for task in 0..tasks.count() as u32 {
        for &(resource, _) in tasks.takes.of(task).iter().chain(tasks.gives.of(task)) {
            let users: &mut Vec<u32> = &mut users[resource as usize];
            if users.last() != Some(&task) {
                users.push(task);
            }
        }
    }
    users
}

/// By task: it starts no earlier.
fn heads(tasks: &Tasks) -> Vec<u64> {
    let mut heads = tasks.release.clone();
    let order = tasks.order();
    let mut gives: Vec<Vec<u32>> = vec![Vec::new(); tasks.free.len()];
    let mut takes = gives.clone();
    let is_room = |resource: u32| tasks.kinds[resource as usize] == Kind::Room;
    for task in 0..tasks.count() as u32 {
        let of =
            |list: &'_ [(u32, i64)]| list.iter().map(|usage| usage.0).filter(|&at| is_room(at)).collect();
        let (taken, given): (Vec<u32>, Vec<u32>) = (of(tasks.takes.of(task)), of(tasks.gives.of(task)));
        taken.into_iter().for_each(|at| takes[at as usize].push(task));
        given.into_iter().for_each(|at| gives[at as usize].push(task));
    }
    let amount = |list: &[(u32, i64)], resource: usize| {
        list.iter().filter(|usage| usage.0 as usize == resource).map(|usage| usage.1).sum::<i64>()
    };
    for _ in 0..MOST_PASSES {
        let mut changed = false;
        for &task in &order {
            let end = heads[task as usize] + tasks.duration[task as usize];
            for &then in tasks.next.of(task) {
                changed |= heads[then as usize] < end;
                heads[then as usize] = heads[then as usize].max(end);
            }
        }
        for (resource, comers) in takes.iter().enumerate().filter(|(_, comers)| !comers.is_empty()) {
            let mut given: Vec<(u64, i64)> = gives[resource]
                .iter()
                .map(|&task| {
                    let end = heads[task as usize] + tasks.duration[task as usize];
                    (end, amount(tasks.gives.of(task), resource))
                })
                .collect();
            given.sort_unstable();
            for &task in comers {
                let wanted = amount(tasks.takes.of(task), resource);
                let mut free = tasks.free[resource];
                let mut now = 0;
                for &(end, amount) in &given {
                    if free >= wanted {
                        break;
                    }
                    (free, now) = (free + amount, end);
                }
                changed |= heads[task as usize] < now;
                heads[task as usize] = heads[task as usize].max(now);
            }
        }
        if !changed {
            break;
        }
    }
    heads
}

/// By task: so many seconds follow its end.
fn heads_of_reverse(tasks: &Tasks) -> Vec<u64> {
    heads(&tasks.reversed())
}

/// Tasks around one that ends late: those that share what is most in demand.
fn around(
    tasks: &Tasks,
    users: &[Vec<u32>],
    heads: &[u64],
    tails: &[u64],
    ends: &[u64],
    seed: u32,
) -> Vec<u32> {
    let load = |resource: u32| {
        let sum: u64 = users[resource as usize]
            .iter()
            .map(|&task| tasks.duration[task as usize])
            .fold(0, u64::saturating_add);
        let room = tasks.kinds[resource as usize] == Kind::Room;
        // Rooms that are short come first: they are why tasks wait.
        (room, sum)
    };
    let mut part = vec![seed];
    let mut seen: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < part.len() && part.len() < MOST_TASKS {
        let task = part[at];
        at += 1;
        let usages = tasks.takes.of(task).iter().chain(tasks.gives.of(task));
        let mut resources: Vec<u32> = usages.map(|usage| usage.0).filter(|at| !seen.contains(at)).collect();
        resources.sort_unstable();
        resources.dedup();
        resources.sort_by_key(|&resource| (std::cmp::Reverse(load(resource)), resource));
        for resource in resources {
            let others = users[resource as usize].iter().filter(|other| !part.contains(other));
            let mut others: Vec<u32> = others.copied().collect();
            if part.len() + others.len() > MOST_TASKS {
                // Those that run before, and fill what is left best.
                let tight = |task: &u32| {
                    let at = *task as usize;
                    (std::cmp::Reverse(heads[at] + tasks.duration[at] + tails[at]), ends[at], *task)
                };
                others.sort_by_key(tight);
                others.truncate(MOST_TASKS.saturating_sub(part.len()));
            }
            seen.push(resource);
            part.extend(others);
        }
    }
    part.sort_unstable();
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Metric;
    use crate::outcome::CancelToken;
    use crate::random::Random;
    use crate::schedule::testing;

    #[test]
    fn no_times_of_the_steps_end_before_the_bound() {
        let mut random = Random::new(33);
        let (mut checked, mut tight) = (0, 0);
        for _ in 0..900 {
            let Some((problem, steps)) = testing::random(&mut random, 3) else { continue };
            let last = steps.iter().map(|step| step.end).max().unwrap_or(0);
            if steps.len() > 4 || last > 12 {
                continue;
            }
            let tasks = Tasks::new(&problem, &steps).expect("plain");
            let ends: Vec<u64> = steps.iter().map(|step| step.end).collect();
            let best = testing::brute(&problem, &steps, &testing::objective(Metric::Makespan), last);
            for (granted, exactly) in [(0, false), (10_000, true)] {
                let mut meter = Meter::new(granted, None, CancelToken::new());
                let bound = last_end(&tasks, &ends, last, &mut meter);
                assert!(bound <= best, "{bound} {best} {problem:?} {steps:?}");
                // The part is the whole here.
                assert!(!exactly || best < last || bound == last, "{bound} {best} {problem:?} {steps:?}");
                tight += usize::from(bound == best);
            }
            checked += 2;
        }
        assert!(checked > 100 && tight * 2 > checked, "{tight} of {checked}");
    }
}

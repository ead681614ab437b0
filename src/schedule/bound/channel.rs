//! Loads of channels: what has to go over one takes its time.
//!
//! Each channel is one resource with jobs: what must cross it, not before a head (its
//! destination opens first) and with a tail after it (its source closes then). Whatever
//! jobs are looked at, the least head, their work over the capacity, and the least tail
//! come one after the other: the preemptive bound of one machine (Jackson 1955; Carlier
//! 1982) for all sets of heads and tails that matter, and the energetic one of a cumulative
//! resource (Erschler, Lopez and Thuriot 1991). Where each job takes more than a share of
//! 1/(m + 1) no more than m run at once, as on m machines; a machine is busy for a sum of
//! durations, so that it may have to be idle (the lifting by subset sums of Haouari, Gharbi
//! and Jemmali 2006). Ends add up to no less than those of the shortest first (Smith 1956;
//! on m machines Conway, Maxwell and Miller 1967).

use super::critical::Earliest;
use super::machine::Excess;
use super::machine::preemptive;
use super::split::Share;
use super::split::Split;
use crate::engine::Meter;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Passage;
use crate::problem::Problem;
use crate::problem::Toll;
use crate::problem::Transit;

/// What must cross a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// The item.
    pub item: u32,
    /// It starts no earlier.
    pub head: u64,
    /// So many seconds follow it.
    pub tail: u64,
    /// It lasts at least so many seconds.
    pub seconds: u64,
    /// It takes at least so much while it lasts.
    pub amount: u64,
    /// Amount times seconds is at least this.
    pub work: u128,
}

/// Heads, and tails, that are told apart.
const MOST_DISTINCT: usize = 6;
/// Destinations of an item that are all looked at.
const MOST_WAYS: usize = 64;
/// Channels for which heads and tails are looked for, and bins that are looked at for that.
const MOST_SIDED: usize = 512;
const MOST_LOOKS: usize = 1 << 24;
/// The largest sums of durations, and the most of them, that are enumerated.
const MOST_SUM: u64 = 1 << 16;
const MOST_SUMMED: usize = 1 << 12;

/// What the channels add to the bounds. Where `direct` is true it holds for plans alone in
/// which the items of `forced` move once, each to where it ends, and no other moves.
pub fn loads(problem: &Problem, earliest: &Earliest, forced: &[u32], direct: bool) -> Excess {
    let Some(transit) = &problem.project.transit else { return Excess::default() };
    let capacities = transit.capacities();
    let jobs = jobs(problem, transit.as_ref(), forced, direct);
    let mut found = Excess::default();
    // By what they add to the sum of ends; each item counts on one channel.
    let mut sums: Vec<(u64, u32)> = Vec::new();
    for (channel, jobs) in (0u32..).zip(&jobs).filter(|(_, jobs)| jobs.len() > 1) {
        let capacity = capacities[channel as usize];
        found.makespan = found.makespan.max(least_last(jobs, capacity, found.makespan));
        sums.push((excess(jobs, capacity, earliest), channel));
    }
    sums.sort_unstable_by(|a, b| b.cmp(a));
    let mut counted = vec![false; problem.packing.items.len()];
    for (_, channel) in sums.into_iter().take_while(|(excess, _)| *excess > 0) {
        let fresh = jobs[channel as usize].iter().filter(|job| !counted[job.item as usize]);
        let fresh: Vec<Job> = fresh.copied().collect();
        found.excess += excess(&fresh, capacities[channel as usize], earliest);
        fresh.iter().for_each(|job| counted[job.item as usize] = true);
    }
    found
}

/// By channel: what must cross it.
fn jobs(problem: &Problem, transit: &dyn Transit, forced: &[u32], direct: bool) -> Vec<Vec<Job>> {
    let mut jobs: Vec<Vec<Job>> = vec![Vec::new(); transit.capacities().len()];
    for &item in forced {
        if direct {
            add_direct(problem, transit, item, &mut jobs);
        } else {
            add_least(problem, transit, item, &mut jobs);
        }
    }
    if !direct {
        add_sides(&problem.packing, transit, &mut jobs);
    }
    jobs
}

/// By how much the ends of the items exceed the earliest ones, in sum, where each counts on all
/// channels that it must cross, in parts; see [`loads`]. `target` is what is hoped for.
pub fn split_excess(problem: &Problem, forced: &[u32], direct: bool, target: u64, meter: &mut Meter) -> u64 {
    let Some(transit) = &problem.project.transit else { return 0 };
    let earliest = Earliest::new(problem, forced);
    let least: Vec<u64> = forced.iter().map(|&item| earliest.of_item(item)).collect();
    let known = least.iter().fold(0u64, |sum, end| sum.saturating_add(*end));
    let mut split = Split::new(vec![1; forced.len()], least);
    let of_channel = jobs(problem, transit.as_ref(), forced, direct);
    for (channel, jobs) in (0u32..).zip(&of_channel).filter(|(_, jobs)| jobs.len() > 1) {
        let shares = jobs.iter().filter_map(|job| {
            let task = forced.binary_search(&job.item).ok()? as u32;
            Some(Share { task, head: job.head, seconds: job.seconds, work: job.work })
        });
        split.add(channel, transit.capacities()[channel as usize], shares);
    }
    split.improve(known.saturating_add(target), meter);
    split.value().saturating_sub(known)
}

/// Seconds until a bin is open.
fn opens_after(packing: &Packing, bin: u32) -> u64 {
    let row = &packing.bins[bin as usize];
    if row.open { 0 } else { u64::from(row.opening) }
}

/// Seconds that a bin needs after the last has left it.
fn closes_within(packing: &Packing, bin: u32) -> u64 {
    let row = &packing.bins[bin as usize];
    if row.open && row.later == Later::Closed { u64::from(row.closing) } else { 0 }
}

/// The one move of an item, over the channels that all its ways share.
fn add_direct(problem: &Problem, transit: &dyn Transit, item: u32, jobs: &mut [Vec<Job>]) {
    let packing = &problem.packing;
    let row = &packing.items[item as usize];
    if row.lead > 0 {
        return;
    }
    let mut common: Option<Vec<(u32, Job)>> = None;
    let ends: Vec<u32> = match packing.settled_in(item) {
        Some(bin) => vec![bin],
        None => {
            let domain = packing.domains[row.domain as usize].iter();
            let ends = domain.filter(|&bin| bin != row.source && packing.may_end_in(item, bin));
            ends.take(MOST_WAYS + 1).collect()
        }
    };
    if ends.len() > MOST_WAYS {
        return add_least(problem, transit, item, jobs);
    }
    for to in ends {
        let Some(passage) = transit.passage(item, row.source, to) else { continue };
        let seconds = u64::from(passage.seconds);
        // At a part of its rate it takes less for longer.
        let slower = transit.parts().iter().skip(1);
        let slower: Vec<Passage> =
            slower.filter_map(|&part| transit.slower(item, row.source, to, part)).collect();
        let job = |&(channel, amount): &(u32, u64)| {
            let mut work = u128::from(amount) * u128::from(seconds);
            let mut amount = amount;
            for other in &slower {
                for &(_, part) in other.uses.iter().filter(|usage| usage.0 == channel) {
                    amount = amount.min(part);
                    work = work.min(u128::from(part) * u128::from(other.seconds));
                }
            }
            let (head, tail) = (opens_after(packing, to), closes_within(packing, row.source));
            (channel, Job { item, head, tail, seconds, amount, work })
        };
        match &mut common {
            None => common = Some(passage.uses.iter().map(job).collect()),
            Some(common) => common.retain_mut(|(channel, known)| {
                let found = passage.uses.iter().find(|usage| usage.0 == *channel).map(job);
                if let Some((_, other)) = found {
                    known.head = known.head.min(other.head);
                    known.seconds = known.seconds.min(other.seconds);
                    known.amount = known.amount.min(other.amount);
                    known.work = known.work.min(other.work);
                }
                found.is_some()
            }),
        }
    }
    for (channel, job) in common.into_iter().flatten().filter(|(_, job)| job.amount > 0) {
        jobs[channel as usize].push(job);
    }
}

/// What an item cannot avoid, whatever stops it makes.
fn add_least(problem: &Problem, transit: &dyn Transit, item: u32, jobs: &mut [Vec<Job>]) {
    let packing = &problem.packing;
    let row = &packing.items[item as usize];
    if row.lead > 0 {
        return;
    }
    let to = packing.settled_in(item).unwrap_or(NONE);
    for Toll { channel, amount, seconds, work } in transit.tolls(item, row.source, to) {
        if amount > 0 {
            let seconds = u64::from(seconds);
            jobs[channel as usize].push(Job { item, head: 0, tail: 0, seconds, amount, work });
        }
    }
}

/// Heads and tails by channel: nothing crosses before a bin behind it is open; where all
/// bins before it close, the last that crosses came from one of them.
fn add_sides(packing: &Packing, transit: &dyn Transit, jobs: &mut [Vec<Job>]) {
    let bins = packing.bins.len() as u32;
    let opens = (0..bins).any(|bin| opens_after(packing, bin) > 0);
    let closes = (0..bins).any(|bin| closes_within(packing, bin) > 0);
    if !opens && !closes {
        return;
    }
    let work = |channel: &u32| {
        let sum: u128 = jobs[*channel as usize].iter().map(|job| job.work).sum();
        sum / u128::from(transit.capacities()[*channel as usize].max(1))
    };
    let mut busy: Vec<u32> = (0..jobs.len() as u32).filter(|&at| jobs[at as usize].len() > 1).collect();
    busy.sort_by_key(|channel| (std::cmp::Reverse(work(channel)), *channel));
    busy.truncate(MOST_SIDED.min(MOST_LOOKS / (bins as usize).max(1)));
    for channel in busy {
        let behind = (0..bins).filter(|&bin| transit.leads_to(channel, bin));
        let head = behind.map(|bin| opens_after(packing, bin)).min().unwrap_or(0);
        let before = (0..bins).filter(|&bin| transit.comes_from(channel, bin));
        let tail = before.map(|bin| closes_within(packing, bin)).min().unwrap_or(0);
        for job in &mut jobs[channel as usize] {
            (job.head, job.tail) = (head, tail);
        }
    }
}

/// No schedule of the jobs ends earlier, tails included; `known` is a bound already.
pub fn least_last(jobs: &[Job], capacity: u64, known: u64) -> u64 {
    let mut heads: Vec<u64> = jobs.iter().map(|job| job.head).collect();
    let mut tails: Vec<u64> = jobs.iter().map(|job| job.tail).collect();
    for values in [&mut heads, &mut tails] {
        values.sort_unstable_by(|a, b| b.cmp(a));
        values.dedup();
        // The least of all stands for those that are left out.
        if let Some(&least) = values.last().filter(|_| values.len() > MOST_DISTINCT) {
            values[MOST_DISTINCT - 1] = least;
            values.truncate(MOST_DISTINCT);
        }
    }
    let mut bound = known;
    for &head in &heads {
        for &tail in &tails {
            let among = jobs.iter().filter(|job| job.head >= head && job.tail >= tail);
            let among: Vec<&Job> = among.collect();
            let Some(least) = among.iter().map(|job| job.amount).min() else { continue };
            let work: u128 = among.iter().map(|job| job.work).sum();
            let energy = work.div_ceil(u128::from(capacity.max(1)));
            let longest = among.iter().map(|job| job.seconds).max().unwrap_or(0);
            let mut takes = u64::try_from(energy).unwrap_or(u64::MAX).max(longest);
            // Of larger jobs fewer run at once.
            for (share, machines) in [(least, capacity / least.max(1)), (capacity / 2 + 1, 1)] {
                let large = among.iter().filter(|job| job.amount >= share);
                let seconds: Vec<u64> = large.map(|job| job.seconds).collect();
                let sum: u64 = seconds.iter().fold(0, |sum, next| sum.saturating_add(*next));
                if machines == 0 || seconds.len() as u64 <= machines {
                    continue;
                }
                takes = takes.max(sum.div_ceil(machines));
                if head.saturating_add(takes).saturating_add(longest).saturating_add(tail) > bound {
                    takes = takes.max(packed(&seconds, machines, takes));
                }
            }
            bound = bound.max(head.saturating_add(takes).saturating_add(tail));
        }
    }
    bound
}

/// The least time, from `least` on, in which machines that are each busy for a sum of
/// durations can do all of them, as far as sums alone tell.
pub fn packed(seconds: &[u64], machines: u64, least: u64) -> u64 {
    let all: u64 = seconds.iter().sum();
    let longest = seconds.iter().copied().max().unwrap_or(0);
    // With so much time something that is long enough can always be left out or not.
    let most = least.saturating_add(longest);
    if machines < 2 || most > MOST_SUM || seconds.len() > MOST_SUMMED {
        return least;
    }
    let words = most as usize / 64 + 1;
    let mut sums = vec![0u64; words];
    sums[0] = 1;
    for &length in seconds {
        let (skip, shift) = (length as usize / 64, length % 64);
        for at in (skip..words).rev() {
            let low = sums[at - skip] << shift;
            let high = if shift > 0 && at > skip { sums[at - skip - 1] >> (64 - shift) } else { 0 };
            sums[at] |= low | high;
        }
    }
    let is_sum = |sum: u64| sums[sum as usize / 64] >> (sum % 64) & 1 == 1;
    let mut busy = (0..=least).rev().find(|&sum| is_sum(sum)).unwrap_or(0);
    let mut time = least;
    while time < most && busy.saturating_mul(machines) < all {
        time += 1;
        if is_sum(time) {
            busy = time;
        }
    }
    time
}

/// By how much the ends of the jobs exceed the earliest ones, in sum, on this channel.
pub fn excess(jobs: &[Job], capacity: u64, earliest: &Earliest) -> u64 {
    let known: u64 = jobs.iter().map(|job| earliest.of_item(job.item)).sum();
    let head = jobs.iter().map(|job| job.head).min().unwrap_or(0);
    let Some(least) = jobs.iter().map(|job| job.amount).min() else { return 0 };
    let machines = capacity / least.max(1);
    let mut sum = 0u64;
    if machines == 1 {
        let timed: Vec<(u64, u64)> = jobs.iter().map(|job| (job.head, job.seconds)).collect();
        sum = preemptive(&timed).0;
    } else if machines > 1 {
        let mut seconds: Vec<u64> = jobs.iter().map(|job| job.seconds).collect();
        seconds.sort_unstable();
        let mut ends = vec![head; (machines as usize).min(jobs.len())];
        let machines = ends.len();
        for (at, seconds) in seconds.into_iter().enumerate() {
            ends[at % machines] += seconds;
            sum = sum.saturating_add(ends[at % machines]);
        }
    }
    // As if a job could have the whole channel for itself.
    let mut works: Vec<u128> = jobs.iter().map(|job| job.work).collect();
    works.sort_unstable();
    let mut done = 0u128;
    let mut wide = 0u64;
    for work in works {
        done += work;
        let end = u64::try_from(done.div_ceil(u128::from(capacity.max(1)))).unwrap_or(u64::MAX);
        wide = wide.saturating_add(head).saturating_add(end);
    }
    sum.max(wide).saturating_sub(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Metric;
    use crate::outcome::CancelToken;
    use crate::random::Random;
    use crate::schedule;
    use crate::schedule::bound::Ends;
    use crate::schedule::bound::move_takes;
    use crate::schedule::testing;

    /// The least last end, tails included, of all orders: each job as early as the others let
    /// it.
    fn orders(left: &[Job], placed: &[(u64, Job)], capacity: u64, best: &mut u64) {
        if left.is_empty() {
            let last = placed.iter().map(|(start, job)| start + job.seconds + job.tail).max();
            *best = last.unwrap_or(0).min(*best);
        }
        for at in 0..left.len() {
            let mut rest = left.to_vec();
            let job = rest.remove(at);
            let fits = |start: &u64| {
                (*start..start + job.seconds).all(|now| {
                    let running =
                        placed.iter().filter(|(from, job)| *from <= now && now < from + job.seconds);
                    running.map(|(_, job)| job.amount).sum::<u64>() + job.amount <= capacity
                })
            };
            let start = (job.head..).find(fits).expect("after all others");
            let mut placed = placed.to_vec();
            placed.push((start, job));
            orders(&rest, &placed, capacity, best);
        }
    }

    #[test]
    fn no_order_of_jobs_ends_before_the_bound() {
        let mut random = Random::new(11);
        let (mut tight, mut all) = (0, 0);
        for _ in 0..400 {
            let capacity = 2 + random.below(4) as u64;
            let jobs: Vec<Job> = (0..2 + random.below(4))
                .map(|at| {
                    let (seconds, amount) = (2 * (1 + random.below(4) as u64), 1 + random.below(2) as u64);
                    let (head, tail) = (3 * random.below(2) as u64, 2 * random.below(2) as u64);
                    let work = u128::from(seconds * amount);
                    Job { item: at as u32, head, tail, seconds, amount, work }
                })
                .collect();
            let mut best = u64::MAX;
            orders(&jobs, &[], capacity, &mut best);
            let bound = least_last(&jobs, capacity, 0);
            assert!(bound <= best, "{capacity} {jobs:?}: {bound} {best}");
            tight += usize::from(bound == best);
            all += 1;
        }
        assert!(tight * 2 > all, "{tight} of {all}");
    }

    #[test]
    fn machines_are_busy_for_a_sum_of_durations() {
        // 96 moves of even length on ten lanes: 2,688 s of work do not go into 269 s.
        let mut seconds = [18, 20, 36, 38].repeat(24);
        assert_eq!(packed(&seconds, 10, 269), 270);
        seconds = [18, 36].repeat(48);
        assert_eq!(packed(&seconds, 10, 260), 270);
        assert_eq!(packed(&[3, 3, 3], 2, 5), 6);
        assert_eq!(packed(&[1; 8], 2, 4), 4);
    }

    #[test]
    fn no_plan_of_direct_moves_is_below_the_bounds() {
        let mut random = Random::new(21);
        let (mut checked, mut tight) = (0, 0);
        for _ in 0..900 {
            let Some((problem, steps)) = testing::random(&mut random, 3) else { continue };
            let last = steps.iter().map(|step| step.end).max().unwrap_or(0);
            if problem.project.transit.is_none() || steps.len() > 4 || last > 12 {
                continue;
            }
            let packing = &problem.packing;
            let must = |&item: &u32| packing.settled_in(item) != Some(packing.items[item as usize].source);
            let forced: Vec<u32> = (0..packing.items.len() as u32).filter(must).collect();
            let moves = forced.iter().map(|&item| move_takes(packing, item)).sum();
            let ends = Ends::new(&problem, &forced, false, true, &|_| false);
            let mut any = Ends::new(&problem, &forced, true, false, &|_| false);
            let mut ends = ends;
            for (ends, direct) in [(&mut ends, true), (&mut any, false)] {
                let mut meter = Meter::new(10_000, None, CancelToken::new());
                ends.raise_waits(&problem, &forced, split_excess(&problem, &forced, direct, 9, &mut meter));
            }
            assert!(any.makespan <= ends.makespan && any.sum(moves) <= ends.sum(moves), "{problem:?}");
            for (metric, bound) in [(Metric::Makespan, ends.makespan), (Metric::Mttr, ends.sum(moves))] {
                let best = testing::brute(&problem, &steps, &testing::objective(metric), last);
                assert!(bound <= best, "{metric:?} {bound} {best} {problem:?}");
                tight += usize::from(bound == best);
                checked += 1;
            }
            assert!(schedule::is_carried(&problem, &steps));
        }
        assert!(checked > 60 && tight * 2 > checked, "{tight} of {checked}");
    }
}

//! One after the other: moves of which no two may overlap.
//!
//! A single machine with release dates. Preemption only helps, and then the shortest
//! remaining time first has the smallest sum of ends (Schrage 1968; without release dates
//! Smith 1956), and any order without idle time the earliest last end.

use super::critical::Earliest;
use crate::problem::Later;
use crate::problem::Order;
use crate::problem::Problem;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a rule adds to the ends that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excess {
    /// By how much the sum of ends exceeds the sum of the earliest.
    pub excess: u64,
    /// The last end.
    pub makespan: u64,
}

/// The least sum of ends and the earliest last end of jobs (release, duration) on one machine
/// that may interrupt them. O(n log n).
pub fn preemptive(jobs: &[(u64, u64)]) -> (u64, u64) {
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable();
    let mut waiting: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let (mut now, mut sum, mut next) = (0u64, 0u64, 0);
    while next < jobs.len() || !waiting.is_empty() {
        if waiting.is_empty() {
            now = now.max(jobs[next].0);
        }
        while next < jobs.len() && jobs[next].0 <= now {
            waiting.push(Reverse(jobs[next].1));
            next += 1;
        }
        let Some(Reverse(left)) = waiting.pop() else { continue };
        // Until it is done, or another comes that may be shorter.
        let until = jobs.get(next).map_or(u64::MAX, |job| job.0);
        if now.saturating_add(left) <= until {
            now += left;
            sum = sum.saturating_add(now);
        } else {
            waiting.push(Reverse(left - (until - now)));
            now = until;
        }
    }
    (sum, now)
}

/// The moves that happen in every plan and of which no two may overlap. A move is counted in
/// one group only.
pub fn serialized(problem: &Problem, earliest: &Earliest, forced: &[u32]) -> Excess {
    let mut found = Excess::default();
    let mut counted: Vec<u32> = Vec::new();
    let packing = &problem.packing;
    for (order, _) in &problem.project.orders {
        let Order::Serialize(items) = order else { continue };
        let of_group = items.iter().filter(|item| forced.binary_search(item).is_ok());
        let fresh: Vec<u32> = of_group.filter(|item| !counted.contains(item)).copied().collect();
        let job = |&item: &u32| {
            // Only the part that holds the destination excludes others.
            let hold = u64::from(packing.items[item as usize].hold);
            (earliest.of_item(item).saturating_sub(hold), hold)
        };
        // A stop on the way may be shorter, and leaves as well.
        let leg = |&item: &u32| {
            let row = &packing.items[item as usize];
            (0, u64::from(row.hold.min(row.leg)))
        };
        let jobs: Vec<(u64, u64)> = fresh.iter().map(job).collect();
        let (sum, last) = preemptive(&jobs);
        let known: u64 = fresh.iter().map(|&item| earliest.of_item(item)).sum();
        found.excess += sum.saturating_sub(known);
        found.makespan = found.makespan.max(last);
        // A bin closes when the last of those that leave it one by one has left.
        let mut leavers: Vec<(u32, u32)> =
            fresh.iter().map(|&item| (packing.items[item as usize].source, item)).collect();
        leavers.sort_unstable();
        for of_bin in leavers.chunk_by(|a, b| a.0 == b.0) {
            let row = &packing.bins[of_bin[0].0 as usize];
            if row.open && row.later == Later::Closed {
                let jobs: Vec<(u64, u64)> = of_bin.iter().map(|(_, item)| leg(item)).collect();
                found.makespan = found.makespan.max(preemptive(&jobs).1 + u64::from(row.closing));
            }
        }
        counted.extend(fresh);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// All orders without interruption, each started as early as possible.
    fn orders(jobs: &[(u64, u64)], now: u64, sum: u64, best: &mut (u64, u64)) {
        if jobs.is_empty() {
            *best = (best.0.min(sum), best.1.min(now));
            return;
        }
        for at in 0..jobs.len() {
            let mut rest = jobs.to_vec();
            let job = rest.remove(at);
            let end = now.max(job.0) + job.1;
            orders(&rest, end, sum + end, best);
        }
    }

    #[test]
    fn no_order_is_better() {
        let mut random = Random::new(3);
        let mut tight = 0;
        for _ in 0..500 {
            let jobs: Vec<(u64, u64)> = (0..1 + random.below(5))
                .map(|_| (random.below(6) as u64, 1 + random.below(5) as u64))
                .collect();
            let mut best = (u64::MAX, u64::MAX);
            orders(&jobs, 0, 0, &mut best);
            let (sum, last) = preemptive(&jobs);
            assert!(sum <= best.0 && last == best.1, "{jobs:?}");
            tight += usize::from(sum == best.0);
        }
        assert!(tight > 300, "{tight}");
    }
}

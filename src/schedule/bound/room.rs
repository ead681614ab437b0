//! Room over time: who can only come to a bin waits for those who have to leave it.
//!
//! For one bin and one dimension: what leaves gives its room back at its earliest end and
//! not before, what comes takes its room from its start on. The k-th that starts needs at
//! least the room of the k smallest, so it starts no earlier than that much is free: the
//! energetic view of a cumulative resource (Erschler, Lopez and Thuriot 1991) without
//! durations. Each item is counted in one bin, where it can only go. O(n log n) a bin.

use super::critical::Earliest;
use super::leaves_after;
use super::machine::Excess;
use crate::problem::NONE;
use crate::problem::Problem;
use crate::problem::Role;

/// Who comes to a bin for sure: earliest end, seconds that it takes there, the item.
type Comer = (u64, u64, u32);

/// The waits of all bins. Where `voluntary` is false nobody leaves but who must, save for
/// the bins that are `uncertain`, which are left out.
pub fn waits(
    problem: &Problem,
    earliest: &Earliest,
    forced: &[u32],
    voluntary: bool,
    uncertain: &dyn Fn(u32) -> bool,
) -> Excess {
    let packing = &problem.packing;
    let mut comers: Vec<Vec<Comer>> = vec![Vec::new(); packing.bins.len()];
    let mut guests: Vec<Vec<u32>> = vec![Vec::new(); packing.bins.len()];
    for (item, row) in (0u32..).zip(&packing.items) {
        if row.source != NONE {
            guests[row.source as usize].push(item);
        }
        let comes = row.role == Role::Arrive || forced.binary_search(&item).is_ok();
        if let Some(bin) = packing.settled_in(item).filter(|&bin| comes && bin != row.source) {
            // An arrival may stop on the way, and then move.
            let takes = if row.role == Role::Arrive { row.duration.min(row.hold) } else { row.hold };
            comers[bin as usize].push((earliest.of_item(item), u64::from(takes), item));
        }
    }
    let mut found = Excess::default();
    for bin in 0..packing.bins.len() as u32 {
        let comers = &comers[bin as usize];
        if comers.is_empty() || (!voluntary && uncertain(bin)) {
            continue;
        }
        let mut most = Excess::default();
        for dim in 0..packing.dims {
            let one =
                dimension(problem, earliest, forced, voluntary, bin, dim, comers, &guests[bin as usize]);
            most.excess = most.excess.max(one.excess);
            most.makespan = most.makespan.max(one.makespan);
        }
        found.excess += most.excess;
        found.makespan = found.makespan.max(most.makespan);
    }
    found
}

#[allow(clippy::too_many_arguments, reason = "one bin seen from one side")]
fn dimension(
    problem: &Problem,
    earliest: &Earliest,
    forced: &[u32],
    voluntary: bool,
    bin: u32,
    dim: usize,
    comers: &[Comer],
    guests: &[u32],
) -> Excess {
    let packing = &problem.packing;
    let smaller = |item: u32| packing.now(item)[dim].min(packing.then(item)[dim]);
    let mut held = 0u64;
    // (when, how much).
    let mut given: Vec<(u64, u64)> = Vec::new();
    for &item in guests {
        let row = &packing.items[item as usize];
        let size = if row.role == Role::Depart { packing.now(item)[dim] } else { smaller(item) };
        held = held.saturating_add(size);
        let must = row.role == Role::Depart || forced.binary_search(&item).is_ok();
        if must {
            given.push((earliest.of_item(item).min(leaves_after(packing, item)), size));
        } else if voluntary && !row.pinned {
            given.push((leaves_after(packing, item), size));
        }
    }
    given.sort_unstable();
    let mut sizes: Vec<u64> =
        comers.iter().map(|&(_, _, item)| smaller(item)).filter(|&size| size > 0).collect();
    sizes.sort_unstable();
    let capacity = packing.capacity_now[bin as usize * packing.dims + dim];
    let (mut next, mut now, mut wanted) = (0, 0u64, 0u64);
    let (mut starts, mut last) = (0u64, 0u64);
    for size in &sizes {
        wanted = wanted.saturating_add(*size);
        while held.saturating_add(wanted) > capacity {
            let Some(&(when, amount)) = given.get(next) else { break };
            held -= amount;
            now = now.max(when);
            next += 1;
        }
        starts = starts.saturating_add(now);
        last = now;
    }
    let known: u64 = comers.iter().map(|comer| comer.0).sum();
    let takes: u64 = comers.iter().map(|comer| comer.1).sum();
    let shortest = comers.iter().filter(|comer| smaller(comer.2) > 0).map(|comer| comer.1).min();
    Excess {
        excess: (starts + takes).saturating_sub(known),
        makespan: if last > 0 { last + shortest.unwrap_or(0) } else { 0 },
    }
}

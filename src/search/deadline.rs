//! Deadlines that no plan can keep.

use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::schedule::bound::critical::Earliest;

/// An item that must move and cannot have done so by its deadline: what comes before it takes
/// too long, or what must have crossed a channel by then is more than the channel carries in
/// that time (the energetic argument of Erschler, Lopez and Thuriot 1991, from moment 0 on).
/// O(d log d) in the deadlines, beside the earliest ends.
pub(super) fn overdue(problem: &Problem, forced: &[u32]) -> Option<u32> {
    let deadlines = problem.project.orders.iter().filter_map(|(order, _)| match order {
        Order::Deadline(item, latest) if forced.binary_search(item).is_ok() => Some((*item, *latest)),
        _ => None,
    });
    let deadlines: Vec<(u32, u64)> = deadlines.collect();
    if deadlines.is_empty() {
        return None;
    }
    let earliest = Earliest::new(problem, forced);
    let late = deadlines.iter().find(|&&(item, latest)| earliest.of_item(item) > latest);
    late.map(|&(item, _)| item).or_else(|| crowded(problem, &deadlines))
}

/// The first deadline by which some channel would have to carry more than it can.
fn crowded(problem: &Problem, deadlines: &[(u32, u64)]) -> Option<u32> {
    let transit = problem.project.transit.as_deref()?;
    let packing = &problem.packing;
    // (channel, deadline, item, work)
    let mut jobs: Vec<(u32, u64, u32, u128)> = Vec::new();
    for &(item, latest) in deadlines {
        let row = &packing.items[item as usize];
        if row.lead == 0 && row.source != NONE {
            let to = packing.settled_in(item).unwrap_or(NONE);
            let tolls = transit.tolls(item, row.source, to);
            jobs.extend(tolls.iter().map(|toll| (toll.channel, latest, item, toll.work)));
        }
    }
    jobs.sort_unstable();
    jobs.chunk_by(|a, b| a.0 == b.0).find_map(|jobs| {
        let capacity = u128::from(transit.capacities()[jobs[0].0 as usize]);
        let mut counted = Vec::new();
        let mut sum = 0u128;
        let over = jobs.iter().find(|&&(_, latest, item, work)| {
            // An item may have several deadlines; the first of them counts.
            if !counted.contains(&item) {
                counted.push(item);
                sum = sum.saturating_add(work);
            }
            sum > capacity.saturating_mul(u128::from(latest))
        });
        over.map(|job| job.2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Constraint;
    use crate::constraint::Timestamp;
    use crate::constraint::deadline::Deadline;
    use crate::constraint::fence::Fence;
    use crate::model::InstanceBuilder;
    use crate::model::Network;
    use crate::model::Value;

    /// Two VMs of 1,000 MB from nodes of their own to a third, over links of 1000 Mbit/s: 9 s each.
    fn pair(deadlines: [u64; 2]) -> Problem {
        let mut b = InstanceBuilder::new();
        let nodes = ["n0", "n1", "n2"].map(|name| b.node(name));
        for (at, seconds) in deadlines.into_iter().enumerate() {
            let vm = b.running_vm(&format!("v{at}"), nodes[at]);
            b.vm_attribute(vm, "memUsed", Value::Int(1000));
            b.constraint(Constraint::new(Fence { vm, nodes: [nodes[2]].into() }));
            b.constraint(Constraint::new(Deadline { vm, timestamp: Timestamp::Relative(seconds) }));
        }
        b.network(Network::star(3, 1000));
        crate::compile::compile(&b.build().expect("an instance")).expect("a problem").problem
    }

    #[test]
    fn what_a_link_carries_by_a_deadline_is_limited() {
        let late = |deadlines| overdue(&pair(deadlines), &[0, 1]);
        assert_eq!(late([18, 9]), None);
        assert_eq!(late([8, 100]), Some(0));
        assert_eq!(late([17, 17]), Some(1));
        assert_eq!(late([17, 9]), Some(0));
    }
}

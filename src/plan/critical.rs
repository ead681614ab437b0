//! What the length of a plan depends on.

use super::walk::Walk;
use crate::model::Plan;

/// A chain of actions that ends last: each waits for the one before it, and whatever
/// delays one of them delays the end of the plan, gaps aside. Indices into
/// `plan.actions`, in order; empty for an empty plan.
///
/// Of several the one with the smallest indices. O(actions + edges).
pub fn critical_path(plan: &Plan) -> Vec<u32> {
    let end = |at: u32| plan.actions[at as usize].end;
    let count = plan.actions.len();
    // For each action, the latest to end of those it waits for.
    let mut cause: Vec<Option<u32>> = vec![None; count];
    for &(first, then) in &plan.happens_before {
        if first as usize >= count || then as usize >= count {
            continue;
        }
        let slot = &mut cause[then as usize];
        if slot.is_none_or(|other| end(first) > end(other)) {
            *slot = Some(first);
        }
    }
    let mut last: Option<u32> = None;
    for at in 0..count as u32 {
        if last.is_none_or(|other| end(at) > end(other)) {
            last = Some(at);
        }
    }
    let mut path = Vec::new();
    let mut seen = vec![false; count];
    while let Some(at) = last {
        path.push(at);
        seen[at as usize] = true;
        // A circle of edges, in a plan from elsewhere, must not hold us.
        last = cause[at as usize].filter(|&first| !seen[first as usize]);
    }
    path.reverse();
    path
}

/// By action, how many seconds later than foreseen it may end without delaying the end of
/// the plan, if all others keep their durations. O(actions + edges).
pub fn slack(plan: &Plan) -> Vec<u64> {
    let walk = Walk::of(plan);
    let mut latest: Vec<u64> = vec![plan.makespan(); plan.actions.len()];
    for &at in walk.order.iter().rev() {
        let own = &plan.actions[at as usize];
        for &then in walk.successors(at) {
            let next = &plan.actions[then as usize];
            let start = latest[then as usize].saturating_sub(next.end.saturating_sub(next.start));
            let slot = &mut latest[at as usize];
            *slot = (*slot).min(start).max(own.end);
        }
    }
    latest.iter().zip(&plan.actions).map(|(latest, action)| latest.saturating_sub(action.end)).collect()
}

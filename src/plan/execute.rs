//! What happens when the plan is executed by its edges.

use super::walk::Walk;
use super::walk::sorted;
use crate::model::Plan;

/// The run of a plan in which every action starts as soon as all that it waits for have
/// ended, and takes as long as `durations` says, by its index in `plan.actions` (its own
/// duration where the list ends). The result is sorted again, edges included.
///
/// An action that waits for itself by a circle of edges never starts: it is left out, and
/// so is all that waits for it. O(n log n) in actions and edges.
pub fn execute(plan: &Plan, durations: &[u64]) -> Plan {
    let walk = Walk::of(plan);
    let mut run = plan.clone();
    let mut ready = vec![0u64; run.actions.len()];
    let mut started = vec![false; run.actions.len()];
    for &at in &walk.order {
        let index = at as usize;
        let action = &mut run.actions[index];
        let duration =
            durations.get(index).copied().unwrap_or_else(|| action.end.saturating_sub(action.start));
        action.start = ready[index];
        action.end = action.start.saturating_add(duration);
        started[index] = true;
        for &then in walk.successors(at) {
            let ready = &mut ready[then as usize];
            *ready = (*ready).max(action.end);
        }
    }
    sorted(&run, |at| started[at as usize])
}

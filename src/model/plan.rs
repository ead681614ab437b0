//! A plan: timed actions and the order among them.

use super::Action;

/// Timed actions and the happens-before edges that make the times unnecessary.
///
/// Actions are sorted by start, end, then kind. An edge `(a, b)` means: b may
/// start once a has ended. Executed by its edges, whatever the durations, a plan
/// made by [`crate::plan`] breaks no capacity and no continuous constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The actions.
    pub actions: Vec<Action>,
    /// Sorted pairs of indices into `actions`.
    pub happens_before: Vec<(u32, u32)>,
}

impl Plan {
    /// The end of the last action; 0 for an empty plan.
    pub fn makespan(&self) -> u64 {
        self.actions.iter().map(|action| action.end).max().unwrap_or(0)
    }

    /// For each action, the actions that must have ended before it starts. Edges to
    /// actions that do not exist are left out.
    pub fn predecessors(&self) -> Vec<Vec<u32>> {
        let mut before = vec![Vec::new(); self.actions.len()];
        for &(first, then) in &self.happens_before {
            if first as usize >= self.actions.len() {
                continue;
            }
            if let Some(before) = before.get_mut(then as usize) {
                before.push(first);
            }
        }
        before
    }
}

//! Going through a plan along its edges.

use crate::model::Plan;

/// The edges of a plan by their first action, and an order of the actions that all
/// edges agree with.
pub(super) struct Walk {
    /// `successors[from[a]..from[a + 1]]` wait for a.
    from: Vec<u32>,
    successors: Vec<u32>,
    /// The actions, each after all that it waits for. Those on a circle of edges, and
    /// those that wait for a circle, are not in it.
    pub(super) order: Vec<u32>,
}

impl Walk {
    /// Edges that name actions which the plan has not are left out. O(actions + edges).
    pub(super) fn of(plan: &Plan) -> Self {
        let count = plan.actions.len();
        let edges = || {
            plan.happens_before
                .iter()
                .copied()
                .filter(|&(first, then)| (first as usize) < count && (then as usize) < count)
        };
        let mut from = vec![0u32; count + 1];
        let mut missing = vec![0u32; count];
        for (first, then) in edges() {
            from[first as usize + 1] += 1;
            missing[then as usize] += 1;
        }
        for at in 0..count {
            from[at + 1] += from[at];
        }
        let mut next = from.clone();
        let mut successors = vec![0u32; from[count] as usize];
        for (first, then) in edges() {
            successors[next[first as usize] as usize] = then;
            next[first as usize] += 1;
        }
        let mut walk = Self { from, successors, order: Vec::with_capacity(count) };
        let mut order: Vec<u32> = (0..count as u32).filter(|&at| missing[at as usize] == 0).collect();
        let mut done = 0;
        while let Some(&at) = order.get(done) {
            done += 1;
            for &then in walk.successors(at) {
                missing[then as usize] -= 1;
                if missing[then as usize] == 0 {
                    order.push(then);
                }
            }
        }
        walk.order = order;
        walk
    }

    /// The actions that wait for one.
    pub(super) fn successors(&self, at: u32) -> &[u32] {
        &self.successors[self.from[at as usize] as usize..self.from[at as usize + 1] as usize]
    }
}

/// Sorts the actions by start, end, kind, and the edges with them. Only the actions for
/// which `keep` is true remain.
pub(super) fn sorted(plan: &Plan, keep: impl Fn(u32) -> bool) -> Plan {
    let actions = &plan.actions;
    let mut order: Vec<u32> = (0..actions.len() as u32).filter(|&at| keep(at)).collect();
    order.sort_by_key(|&at| {
        let action = &actions[at as usize];
        (action.start, action.end, action.kind)
    });
    let mut place: Vec<Option<u32>> = vec![None; actions.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old as usize] = Some(new as u32);
    }
    let place = |old: u32| place.get(old as usize).copied().flatten();
    let mut happens_before: Vec<(u32, u32)> =
        plan.happens_before.iter().filter_map(|&(first, then)| Some((place(first)?, place(then)?))).collect();
    happens_before.sort_unstable();
    Plan { actions: order.into_iter().map(|at| actions[at as usize].clone()).collect(), happens_before }
}

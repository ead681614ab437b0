//! A plan seen as a whole: what rules about order and time look at.

use super::Action;
use super::Instance;
use super::NodeId;
use super::Plan;
use super::VmId;

/// An instance with a plan, and each VM's actions at hand.
#[derive(Debug)]
pub struct Run<'a> {
    instance: &'a Instance,
    plan: &'a Plan,
    /// Actions by VM, each list sorted by start.
    by_vm: Vec<(VmId, u32)>,
    /// Actions by node that a VM enters or leaves, in the order of the plan.
    by_node: Vec<(NodeId, u32)>,
}

impl<'a> Run<'a> {
    /// Looks at a plan. O(n log n) in the number of actions.
    pub fn new(instance: &'a Instance, plan: &'a Plan) -> Self {
        let mut by_vm: Vec<(VmId, u32)> = plan
            .actions
            .iter()
            .enumerate()
            .filter_map(|(at, action)| Some((action.kind.vm()?, at as u32)))
            .collect();
        by_vm.sort_by_key(|&(vm, at)| {
            let action = &plan.actions[at as usize];
            (vm, action.start, action.end, at)
        });
        let mut by_node = Vec::new();
        for (at, action) in plan.actions.iter().enumerate() {
            let (to, from) = (action.kind.destination(), action.kind.origin());
            by_node.extend(to.map(|node| (node, at as u32)));
            by_node.extend(from.filter(|&from| Some(from) != to).map(|node| (node, at as u32)));
        }
        by_node.sort_unstable();
        Self { instance, plan, by_vm, by_node }
    }

    /// The instance.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The actions on a VM, by start.
    pub fn actions_of(&self, vm: VmId) -> impl Iterator<Item = &'a Action> + '_ {
        let from = self.by_vm.partition_point(|&(other, _)| other < vm);
        self.by_vm[from..]
            .iter()
            .take_while(move |&&(other, _)| other == vm)
            .map(|&(_, at)| &self.plan.actions[at as usize])
    }

    /// The actions by which VMs enter or leave a node (see `ActionKind::destination`
    /// and `ActionKind::origin`), in the order of the plan.
    pub fn actions_at(&self, node: NodeId) -> impl Iterator<Item = &'a Action> + '_ {
        let from = self.by_node.partition_point(|&(other, _)| other < node);
        self.by_node[from..]
            .iter()
            .take_while(move |&&(other, _)| other == node)
            .map(|&(_, at)| &self.plan.actions[at as usize])
    }

    /// The relocations of a VM as (start, end): migrations one by one, and each
    /// re-instantiation from its forging to the stop of the original.
    pub fn relocations_of(&self, vm: VmId) -> Vec<(u64, u64)> {
        use super::ActionKind::*;
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for action in self.actions_of(vm) {
            match action.kind {
                Migrate { .. } | ForgeClone { .. } => spans.push((action.start, action.end)),
                BootClone { .. } | ShutdownOriginal { .. } => match spans.last_mut() {
                    Some(span) => span.1 = span.1.max(action.end),
                    None => spans.push((action.start, action.end)),
                },
                _ => {}
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionKind;
    use crate::model::NodeId;
    use crate::model::Reason;

    #[test]
    fn relocations_are_spans_and_a_reinstantiation_is_one() {
        let (a, b) = (VmId(0), VmId(1));
        let [n0, n1, n2] = [NodeId(0), NodeId(1), NodeId(2)];
        let actions = [
            (7, 8, ActionKind::ForgeClone { vm: a }),
            (0, 3, ActionKind::Migrate { vm: a, from: n0, to: n1 }),
            (8, 9, ActionKind::BootClone { vm: a, from: n1, to: n2 }),
            (9, 9, ActionKind::ShutdownOriginal { vm: a, from: n1 }),
            (2, 4, ActionKind::Suspend { vm: b, node: n0 }),
        ]
        .map(|(start, end, kind)| Action {
            kind,
            start,
            end,
            allocations: Vec::new(),
            bandwidth: 0,
            reason: Reason::Unknown,
        });
        let plan = Plan { actions: actions.to_vec(), happens_before: Vec::new() };
        let instance = Instance::default();
        let run = Run::new(&instance, &plan);
        assert_eq!(run.relocations_of(a), [(0, 3), (7, 9)]);
        assert_eq!(run.relocations_of(b), []);
        assert_eq!(run.actions_of(a).map(|action| action.start).collect::<Vec<_>>(), [0, 7, 8, 9]);
        assert_eq!(run.actions_of(b).count(), 1);
        assert_eq!(run.actions_of(VmId(2)).count(), 0);
    }
}

//! What relocations under way take of nodes and of sets of nodes.

use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::VmId;
use std::collections::BTreeMap;

/// Which relocations count, by the words of the rules.
pub(in crate::constraint) const DIRECTIONS: [&str; 3] = ["both", "in", "out"];

/// What relocations take, and which.
#[derive(Clone, Debug, Default)]
pub(in crate::constraint) struct Taken {
    pub(in crate::constraint) amount: u64,
    /// In order.
    pub(in crate::constraint) vms: Vec<VmId>,
}

impl Taken {
    fn add(&mut self, vm: VmId, cost: u64) {
        self.amount = self.amount.saturating_add(cost);
        let at = self.vms.partition_point(|&other| other < vm);
        self.vms.insert(at, vm);
    }
}

fn counts(direction: &str, nodes: &[NodeId], from: NodeId, to: NodeId) -> (bool, bool) {
    let has = |node: NodeId| nodes.binary_search(&node).is_ok();
    (direction != "in" && has(from), direction != "out" && has(to))
}

/// By node of a set: what the relocations take that leave it or come to it, as the direction
/// says.
pub(in crate::constraint) fn taken_of_each(
    at: &Configuration<'_>,
    nodes: &[NodeId],
    direction: &str,
    cost: impl Fn(VmId) -> u64,
) -> BTreeMap<NodeId, Taken> {
    let mut taken: BTreeMap<NodeId, Taken> = BTreeMap::new();
    for (vm, from, to) in at.in_transit() {
        let (leaves, comes) = counts(direction, nodes, from, to);
        for node in leaves.then_some(from).into_iter().chain(comes.then_some(to)) {
            taken.entry(node).or_default().add(vm, cost(vm));
        }
    }
    taken
}

/// What the relocations take that leave the set, or come to it, or go from one of its nodes to
/// another; each counts once.
pub(in crate::constraint) fn taken_together(
    at: &Configuration<'_>,
    nodes: &[NodeId],
    direction: &str,
    cost: impl Fn(VmId) -> u64,
) -> Taken {
    let mut taken = Taken::default();
    for (vm, from, to) in at.in_transit() {
        let (leaves, comes) = counts(direction, nodes, from, to);
        if leaves || comes {
            taken.add(vm, cost(vm));
        }
    }
    taken
}

//! `atMost`: at most so many VMs of a set in each of several groups of nodes.
//!
//! # Meaning
//! For each group G of `parts`: the number of running v in `vms` with host(v) ∈ G is at
//! most `amount`. Nodes outside all groups are free. A node in two groups belongs to the
//! first one listed. A node may be a group: `spread` is this with every node a group of
//! its own and 1 as the amount.
//!
//! # Discrete and continuous
//! Either; continuous where nothing is said. Continuous: at no moment has a group more
//! members than that. A member that moves from group to group counts in both while it
//! does, one that moves within a group counts once.
//!
//! # In the language
//! `atMost({vm1, vm2, vm3}, {{@n1, @n2}, {@n3, @n4}}, 2);` at every moment, `>>atMost(…)`
//! at the end only. A selection by an attribute, as that of the rack, gives all its groups.
//!
//! # In JSON
//! `{"atMost": {"vms": ["vm1", "vm2"], "parts": [["n1", "n2"], ["n3", "n4"]], "amount": 1, "continuous": true}}`
//!
//! # Compiles to
//! At most so many items of the set in each group of bins.
//!
//! # Cost
//! Checking: n log n in the set. Planning: constant time for each placement tried.
//!
//! # See also
//! `spread` (nodes instead of groups), `among` (all in one group), `splitAmong`.
//!
//! The amount of a violation is the number of members too many, summed over the groups.
//! BtrPlace has no such constraint.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;
use std::borrow::Cow;
use std::sync::Arc;

side_constraint! {
    /// At most so many VMs of the set in each group.
    pub struct AtMost {
        /// The VMs.
        vms("vms"): VmSet,
        /// The groups of nodes.
        parts("parts"): Arc<[NodeSet]>,
        /// How many.
        amount("amount"): u64,
    }
    name = "atMost", btrplace = None, flag = Absent,
    restrictions = Restrictions::Both(Restriction::Continuous), soft = true, source = include_str!("at_most.rs");
    check = |_| Ok(());
}

impl SideConstraint for AtMost {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        // (group, member), each once: on its way from node to node a VM is one VM.
        let mut seats: Vec<(usize, VmId)> = self
            .vms
            .iter()
            .flat_map(|&vm| {
                at.hosts(vm).filter_map(move |node| Some((super::group_of(&self.parts, node)?, vm)))
            })
            .collect();
        seats.sort_unstable();
        seats.dedup();
        let full = |group: &&[(usize, VmId)]| group.len() as u64 > self.amount;
        let too_full: Vec<&[(usize, VmId)]> = seats.chunk_by(|a, b| a.0 == b.0).filter(full).collect();
        let Some(first) = too_full.first() else { return Ok(()) };
        let amount = too_full.iter().map(|group| group.len() as u64 - self.amount).sum();
        let mut vms: Vec<VmId> = too_full.iter().flat_map(|group| group.iter().map(|seat| seat.1)).collect();
        vms.sort_unstable();
        vms.dedup();
        let mut nodes: Vec<NodeId> = vms.iter().flat_map(|&vm| at.hosts(vm)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let text = format!(
            "{} of the VMs run in group {} of the nodes; {} are allowed",
            first.len(),
            first[0].0 + 1,
            self.amount
        );
        Err(Violation::new(amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let most = u32::try_from(self.amount).unwrap_or(u32::MAX);
        builder.at_most_per_group(&self.vms, &self.parts, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn members_are_counted_by_group_and_once_within() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2, far] = ["n0", "n1", "n2", "far"].map(|name| b.node(name));
        let [x, y, z] = [("x", n0), ("y", n2), ("z", far)].map(|(name, node)| b.running_vm(name, node));
        let instance = b.build().expect("a valid instance");
        let parts = [[n0, n1].into(), [n2].into()].into();
        let rule = AtMost { vms: [x, y, z].into(), parts, amount: 1 };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        // Within the group: still one.
        at.enter(x, n1, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
        // A second one comes, which is in its own group too as long as it moves.
        at.enter(y, n0, Box::new([]));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.vms));
        assert_eq!(broken, Err((1, vec![x, y])));
        at.arrive(x);
        at.arrive(y);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        // Outside all groups there is no limit.
        at.enter(y, far, Box::new([]));
        at.arrive(y);
        assert_eq!(rule.holds(&at), Ok(()));
    }
}

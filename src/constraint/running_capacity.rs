//! `runningCapacity`: at most so many VMs on a set of nodes together.
//!
//! # Meaning
//! The number of VMs that run on the nodes of `nodes` is at most `amount` in the final
//! configuration. It is one sum over the set, not one for each node. No node: satisfied.
//!
//! # Discrete and continuous
//! Discrete only: on its way within the set a VM would count twice.
//!
//! # In the language
//! `runningCapacity({@n1, @n2}, 10);`
//!
//! # In JSON
//! `{"runningCapacity": {"nodes": ["n1", "n2"], "amount": 10}}`
//!
//! # Compiles to
//! The number of items in a set of bins.
//!
//! # Cost
//! Checking: linear in the nodes. Planning: constant time for each placement tried.
//!
//! # See also
//! `resourceCapacity` (amounts instead of VMs), `maxOnline` (nodes instead of VMs).
//!
//! As in BtrPlace.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// At most so many VMs on the nodes together.
    pub struct RunningCapacity {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// The largest number of VMs.
        amount("amount"): u64,
    }
    name = "runningCapacity", btrplace = Some("runningCapacity"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = true, source = include_str!("running_capacity.rs");
    check = |_| Ok(());
}

impl SideConstraint for RunningCapacity {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let sum: u64 = self.nodes.iter().map(|&node| at.guests(node).len() as u64).sum();
        if sum <= self.amount {
            return Ok(());
        }
        let names = at.instance();
        let nodes: Vec<NodeId> =
            self.nodes.iter().copied().filter(|&node| !at.guests(node).is_empty()).collect();
        let vms = nodes.iter().flat_map(|&node| at.guests(node)).copied().collect();
        let text = format!(
            "{sum} VMs run on {} together; {} are allowed",
            super::node_names(names, &nodes),
            self.amount
        );
        Err(Violation::new(sum - self.amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.count_at_most(&self.nodes, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn running_vms_count_and_no_others() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let v0 = b.running_vm("v0", n0);
        let v1 = b.running_vm("v1", n1);
        let v2 = b.ready_vm("v2");
        b.sleeping_vm("sleeper", n0);
        b.running_vm("elsewhere", n2);
        let instance = b.build().expect("a valid instance");
        let rule = RunningCapacity { nodes: [n0, n1].into(), amount: 2 };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(v2, Place::Running(n1));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.vms, v.nodes));
        assert_eq!(broken, Err((1, vec![v0, v1, v2], vec![n0, n1])));
        assert_eq!(RunningCapacity { nodes: [].into(), amount: 0 }.holds(&at), Ok(()));
    }
}

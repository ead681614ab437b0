//! `resourceCapacity`: at most so much of a resource on a set of nodes together.
//!
//! # Meaning
//! The sum, over all nodes of `nodes`, of what the VMs that run there hold of `resource`
//! is at most `amount`. It is one sum over the set, not one for each node. VMs that do
//! not run hold nothing. No node: satisfied.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at every moment; a VM that
//! migrates within the set counts on both nodes while it does, so a set that is exactly
//! full forbids migrations inside it.
//!
//! # In the language
//! `resourceCapacity({@n1, @n2}, "mem", 64);` at every moment, `>>resourceCapacity(…)` at
//! the end only.
//!
//! # In JSON
//! `{"resourceCapacity": {"nodes": ["n1", "n2"], "resource": "mem", "amount": 64, "continuous": false}}`
//!
//! # Compiles to
//! The sum of the sizes of the items in a set of bins.
//!
//! # Cost
//! Checking: linear in the nodes. Planning: constant time for each placement tried.
//!
//! # See also
//! `runningCapacity` (VMs instead of amounts), `overbook` (one node, more).
//!
//! Deviation from BtrPlace: a set that carries too much before the plan is relieved, not
//! refused, unless the plan is asked to be strict; allocations count when they happen.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::ResourceId;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// At most so much of a resource on the nodes together.
    pub struct ResourceCapacity {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// The resource.
        resource("rc"): ResourceId,
        /// The largest sum.
        amount("amount"): u64,
    }
    name = "resourceCapacity", btrplace = Some("resourceCapacity"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true,
    source = include_str!("resource_capacity.rs");
    check = |_| Ok(());
}

impl SideConstraint for ResourceCapacity {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let loads = self.nodes.iter().map(|&node| at.load(node, self.resource));
        let sum = loads.fold(0, u64::saturating_add);
        if sum <= self.amount {
            return Ok(());
        }
        let names = at.instance();
        let nodes: Vec<NodeId> =
            self.nodes.iter().copied().filter(|&node| at.load(node, self.resource) > 0).collect();
        let vms = nodes.iter().flat_map(|&node| at.guests(node)).copied().collect();
        let text = format!(
            "{} carry {sum} of {} together; {} is allowed",
            super::node_names(names, &nodes),
            names.resource_name(self.resource),
            self.amount
        );
        Err(Violation::new(sum - self.amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.load_at_most(&self.nodes, self.resource, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn one_sum_over_the_set() {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource_with_defaults("cpu", 9, 1);
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let v0 = b.running_vm("v0", n0);
        let v1 = b.running_vm("v1", n1);
        let v2 = b.running_vm("v2", n2);
        b.sleeping_vm("sleeper", n0);
        b.demand(v0, cpu, 2);
        let instance = b.build().expect("a valid instance");
        let rule = ResourceCapacity { nodes: [n0, n1].into(), resource: cpu, amount: 4 };
        let mut at = Configuration::source(&instance);
        // 3 of 4; an arrival makes it 4; within the set a migrant counts twice.
        assert_eq!(rule.holds(&at), Ok(()));
        at.enter(v2, n0, Box::new([1]));
        assert_eq!(rule.holds(&at), Ok(()));
        at.arrive(v2);
        at.enter(v1, n0, Box::new([1]));
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.nodes)), Err((1, vec![n0, n1])));
        at.arrive(v1);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Ok(()));
        // A stop, an allocation, a departure.
        at.put(v0, Place::Ready);
        at.allocate(v1, cpu, 3);
        assert_eq!(rule.holds(&at), Ok(()));
        at.allocate(v2, cpu, 3);
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.vms)), Err((2, vec![v1, v2])));
        at.enter(v2, n2, Box::new([3]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        at.arrive(v2);
        assert_eq!(rule.holds(&at), Ok(()));
        assert_eq!(ResourceCapacity { nodes: [].into(), resource: cpu, amount: 0 }.holds(&at), Ok(()));
    }
}

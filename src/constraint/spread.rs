//! `spread`: no two VMs of a set on one node.
//!
//! # Meaning
//! For all running x ≠ y in `vms`: host(x) ≠ host(y). VMs that do not run are ignored.
//!
//! # Discrete and continuous
//! Either; continuous where nothing is said. Continuous: at no moment does a node
//! carry two members, a member in migration counting on both of its nodes. A member
//! may take the node of another at the moment at which that one has left.
//!
//! # In the language
//! `spread({vm1, vm2, vm3});` at every moment, `>>spread(…)` at the end only.
//!
//! # In JSON
//! `{"spread": {"vms": ["vm1", "vm2", "vm3"], "continuous": true}}`
//!
//! # Compiles to
//! At most one item of the set in each bin.
//!
//! # Cost
//! Checking: n log n in the set. Planning: constant time for each placement tried.
//!
//! # See also
//! `split` (sets of VMs kept apart), `lonely`, `gather` (the opposite).
//!
//! Deviation from BtrPlace: a set that is violated before the plan is repaired, not
//! refused, unless the plan is asked to be strict; sleeping members do not count.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// No two VMs of the set on one node.
    pub struct Spread {
        /// The VMs.
        vms("vms"): VmSet,
    }
    name = "spread", btrplace = Some("spread"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Continuous), soft = true, source = include_str!("spread.rs");
    check = |_| Ok(());
}

impl SideConstraint for Spread {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let mut seats: Vec<(NodeId, VmId)> =
            self.vms.iter().flat_map(|&vm| at.hosts(vm).map(move |node| (node, vm))).collect();
        seats.sort_unstable();
        seats.dedup();
        let mut amount = 0;
        let (mut nodes, mut vms) = (Vec::new(), Vec::new());
        for pair in seats.windows(2) {
            if pair[0].0 == pair[1].0 {
                amount += 1;
                nodes.push(pair[0].0);
                vms.extend([pair[0].1, pair[1].1]);
            }
        }
        if amount == 0 {
            return Ok(());
        }
        let names = at.instance();
        vms.dedup();
        nodes.dedup();
        let text =
            format!("{} share node {}", super::vm_names(names, &vms), super::node_names(names, &nodes));
        Err(Violation::new(amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.at_most_per_node(&self.vms, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn two_on_a_node_break_it_and_a_migrant_holds_both() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [a, c] = [("a", n0), ("c", n1)].map(|(name, node)| b.running_vm(name, node));
        let instance = b.build().expect("a valid instance");
        let rule = Spread { vms: [a, c].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.enter(a, n1, Box::new([]));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.vms, v.nodes));
        assert_eq!(broken, Err((1, vec![a, c], vec![n1])));
        at.put(c, Place::Sleeping(n1));
        assert_eq!(rule.holds(&at), Ok(()));
    }

    #[test]
    fn a_node_may_be_taken_once_it_is_left() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let [a, c] = [("a", n0), ("c", n1)].map(|(name, node)| b.running_vm(name, node));
        let instance = b.build().expect("a valid instance");
        let rule = Spread { vms: [a, c].into() };
        let mut at = Configuration::source(&instance);
        at.enter(c, n2, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
        at.arrive(c);
        at.enter(a, n1, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
    }

    #[test]
    fn moving_apart_never_makes_it_worse() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let vms = ["a", "c", "d"].map(|name| b.running_vm(name, n0));
        let instance = b.build().expect("a valid instance");
        let rule = Spread { vms: vms.into() };
        let mut at = Configuration::source(&instance);
        let mut amounts = Vec::new();
        for (vm, node) in [(vms[0], n1), (vms[1], n2)] {
            at.enter(vm, node, Box::new([]));
            amounts.push(rule.holds(&at).map_err(|v| v.amount));
            at.arrive(vm);
            amounts.push(rule.holds(&at).map_err(|v| v.amount));
        }
        assert_eq!(amounts, [Err(2), Err(1), Err(1), Ok(())]);
        assert_eq!(Spread { vms: [].into() }.holds(&at), Ok(()));
    }
}

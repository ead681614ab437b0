//! `lonely`: a set of VMs shares its nodes with no other VM.
//!
//! # Meaning
//! A node that runs a member of `vms` runs members only. Members may share a node. VMs
//! that do not run are ignored, members and others alike.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at no moment does a node carry a
//! member beside another VM, a VM in migration counting on both of its nodes.
//!
//! # In the language
//! `lonely({vm1, vm2});` at every moment, `>>lonely(…)` at the end only.
//!
//! # In JSON
//! `{"lonely": {"vms": ["vm1", "vm2"], "continuous": false}}`
//!
//! # Compiles to
//! Bins not shared between the set and the rest.
//!
//! # Cost
//! Checking: the guests of the members' nodes. Planning: constant time for each
//! placement tried.
//!
//! # See also
//! `split` (sets kept from each other), `spread` (members kept from each other).
//!
//! Deviation from BtrPlace: members may join a node that is theirs, and nobody may arrive
//! on a shared one; a node is free again once they have left. A set that is disturbed
//! before the plan is repaired step by step; not everybody has to leave.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// The VMs share their nodes with no other VM.
    pub struct Lonely {
        /// The VMs.
        vms("vms"): VmSet,
    }
    name = "lonely", btrplace = Some("lonely"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("lonely.rs");
    check = |_| Ok(());
}

impl SideConstraint for Lonely {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let mut nodes = super::hosts(at, &self.vms);
        nodes.retain(|&node| at.guests(node).iter().any(|vm| self.vms.binary_search(vm).is_err()));
        if nodes.is_empty() {
            return Ok(());
        }
        // Every VM of a mixed node counts once, in transit or not: whoever leaves for a
        // good node counts no more than before.
        let mut vms: Vec<VmId> = nodes.iter().flat_map(|&node| at.guests(node)).copied().collect();
        vms.sort_unstable();
        vms.dedup();
        let names = at.instance();
        let (members, others): (Vec<VmId>, Vec<VmId>) =
            vms.iter().partition(|vm| self.vms.binary_search(vm).is_ok());
        let text = format!(
            "{} share {} with {}",
            super::vm_names(names, &members),
            super::node_names(names, &nodes),
            super::vm_names(names, &others)
        );
        Err(Violation::new(vms.len() as u64, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Neighbours(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.exclusive(&self.vms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn alone_among_themselves_or_beside_sleepers() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [m0, m1] = ["m0", "m1"].map(|name| b.running_vm(name, n0));
        let sleeper = b.sleeping_vm("sleeper", n0);
        let other = b.running_vm("other", n1);
        let instance = b.build().expect("a valid instance");
        let rule = Lonely { vms: [m0, m1].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(sleeper, Place::Running(n0));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.vms, v.nodes));
        assert_eq!(broken, Err((3, vec![m0, m1, sleeper], vec![n0])));
        // The stranger leaves: no worse on the way.
        at.enter(sleeper, n1, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(3));
        at.arrive(sleeper);
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(m1, Place::Running(n1));
        assert_eq!(rule.holds(&at).map_err(|v| v.vms), Err(vec![m1, sleeper, other]));
    }

    #[test]
    fn a_member_may_arrive_once_all_others_have_left() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let member = b.running_vm("member", n0);
        let [stops, leaves] = ["stops", "leaves"].map(|name| b.running_vm(name, n1));
        let instance = b.build().expect("a valid instance");
        let rule = Lonely { vms: [member].into() };
        let mut at = Configuration::source(&instance);
        at.put(stops, Place::Ready);
        at.enter(leaves, n2, Box::new([]));
        let mut early = at.clone();
        early.enter(member, n1, Box::new([]));
        assert_eq!(rule.holds(&early).map_err(|v| v.nodes), Err(vec![n1]));
        at.arrive(leaves);
        at.enter(member, n1, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
        assert_eq!(Lonely { vms: [].into() }.holds(&early), Ok(()));
    }
}

//! `among`: all VMs of a set within one of several groups of nodes.
//!
//! # Meaning
//! There is one group G of `parts` such that host(v) ∈ G for every running v in `vms`.
//! Nodes outside all groups are forbidden. No running member: satisfied. A node in
//! two groups belongs to the first one listed.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: members that run stay within
//! the group; it can change only while none of them runs.
//!
//! # In the language
//! `among({vm1, vm2}, {@n[1..2], @n[3..4]});` at every moment, `>>among(…)` at the end only.
//!
//! # In JSON
//! `{"among": {"vms": ["vm1", "vm2"], "parts": [["n1", "n2"], ["n3", "n4"]], "continuous": false}}`
//!
//! # Compiles to
//! Same group.
//!
//! # Cost
//! Checking: members times groups. Planning: constant time for each placement tried.
//!
//! # See also
//! `fence` (one group), `gather` (one node), `splitAmong`.
//!
//! The amount of a violation is the number of groups in use, less one, and the number
//! of places outside all groups.
//!
//! Deviation from BtrPlace: no group at all is infeasible as soon as a member runs, not
//! an error; members outside every group before the plan are led into one; members that
//! stop do not tie the others to their group.

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
    /// All VMs of the set within one of the groups.
    pub struct Among {
        /// The VMs.
        vms("vms"): VmSet,
        /// The groups of nodes.
        parts("parts"): Arc<[NodeSet]>,
    }
    name = "among", btrplace = Some("among"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("among.rs");
    check = |_| Ok(());
}

impl SideConstraint for Among {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        // A node outside all groups is wrong whatever the others do; of the groups in
        // use, all but one are.
        let mut used = Vec::new();
        let (mut vms, mut nodes): (Vec<VmId>, Vec<NodeId>) = (Vec::new(), Vec::new());
        let mut outside = 0;
        for &vm in self.vms.iter() {
            for node in at.hosts(vm) {
                vms.push(vm);
                nodes.push(node);
                match super::group_of(&self.parts, node) {
                    Some(group) => used.push(group),
                    None => outside += 1,
                }
            }
        }
        used.sort_unstable();
        used.dedup();
        let amount = outside + (used.len() as u64).saturating_sub(1);
        if amount == 0 {
            return Ok(());
        }
        vms.dedup();
        let text = format!(
            "{} run in {} of the groups, {outside} outside all of them; one group is asked for",
            super::vm_names(at.instance(), &vms),
            used.len()
        );
        Err(Violation::new(amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.same_group(&self.vms, &self.parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn all_members_in_one_group() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2, far] = ["n0", "n1", "n2", "far"].map(|name| b.node(name));
        let v0 = b.running_vm("v0", n0);
        let v1 = b.running_vm("v1", n1);
        let v2 = b.sleeping_vm("v2", n2);
        let instance = b.build().expect("a valid instance");
        let rule = Among { vms: [v0, v1, v2].into(), parts: [[n0, n1].into(), [n2].into()].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(v2, Place::Sleeping(far));
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(v2, Place::Running(n2));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.nodes));
        assert_eq!(broken, Err((1, vec![n0, n1, n2])));
        // Coming home: no worse on the way.
        at.enter(v2, n0, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.arrive(v2);
        assert_eq!(rule.holds(&at), Ok(()));
        // Within the group is fine, a round trip outside is not.
        at.enter(v0, n1, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
        at.arrive(v0);
        at.enter(v0, far, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
    }

    #[test]
    fn overlapping_groups_and_none() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [v0, v1] = [("v0", n0), ("v1", n1)].map(|(name, node)| b.running_vm(name, node));
        let instance = b.build().expect("a valid instance");
        let at = Configuration::source(&instance);
        // A node of two groups belongs to the first.
        let first = Among { vms: [v0, v1].into(), parts: [[n0].into(), [n0, n1].into()].into() };
        assert_eq!(first.holds(&at).map_err(|v| v.amount), Err(1));
        let none = Among { vms: [v0, v1].into(), parts: [].into() };
        assert_eq!(none.holds(&at).map_err(|v| v.amount), Err(2));
        let nobody = Among { vms: [].into(), parts: [].into() };
        assert_eq!(nobody.holds(&at), Ok(()));
    }
}

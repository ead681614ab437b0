//! `splitAmong`: sets of VMs, each within a group of nodes of its own.
//!
//! # Meaning
//! Every set of `vm_parts` is `among` the groups of `node_parts`: its running VMs are all
//! in one group. Two sets never use the same group. VMs that do not run are ignored, and
//! VMs outside all sets do not matter. The groups are disjoint; a VM in two sets makes
//! the rule unsatisfiable while it runs.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: each set stays in its group; it
//! can change only while none of its VMs runs.
//!
//! # In the language
//! `splitAmong({{vm1, vm2}, {vm3}}, {@n[1..2], @n[3..4]});` at every moment,
//! `>>splitAmong(…)` at the end only.
//!
//! # In JSON
//! `{"splitAmong": {"vm_parts": [["vm1", "vm2"], ["vm3"]], "node_parts": [["n1"], ["n2"]], "continuous": false}}`
//!
//! # Compiles to
//! Same group for each set, different groups for different sets; no bin at all for a VM
//! that is in two sets.
//!
//! # Cost
//! Checking: n log n in the members and nodes listed. Planning: constant time for each
//! placement tried.
//!
//! # See also
//! `among` (one set), `split` (nodes instead of groups).
//!
//! The amount of a violation is the number of sets at fault: spread over groups, outside
//! them all, or in a group with another set. Leading a set home, VM by VM, never
//! increases it.
//!
//! Deviation from BtrPlace: the rule can be read from files; VMs outside all groups are
//! led into one; groups that are wrong before the plan are repaired, not refused, unless
//! the plan is asked to be strict.

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
use std::sync::Arc;

side_constraint! {
    /// Each set of VMs within one group, different sets within different groups.
    pub struct SplitAmong {
        /// The sets of VMs.
        vm_parts("vParts"): Arc<[VmSet]>,
        /// The groups of nodes, disjoint.
        node_parts("pParts"): Arc<[NodeSet]>,
    }
    name = "splitAmong", btrplace = Some("splitAmong"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true,
    source = include_str!("split_among.rs");
    check = |rule| super::disjoint(&rule.node_parts, "node_parts");
}

impl SideConstraint for SplitAmong {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        // Groups in use, by part; `None` stands for nodes outside all groups.
        let mut used: Vec<(Option<usize>, usize)> = Vec::new();
        for (part, vms) in self.vm_parts.iter().enumerate() {
            for node in vms.iter().flat_map(|&vm| at.hosts(vm)) {
                used.push((super::group_of(&self.node_parts, node), part));
            }
        }
        used.sort_unstable();
        used.dedup();
        let mut groups_of = vec![0; self.vm_parts.len()];
        let mut at_fault = vec![false; self.vm_parts.len()];
        for users in used.chunk_by(|a, b| a.0 == b.0) {
            for &(group, part) in users {
                groups_of[part] += 1;
                at_fault[part] |= group.is_none() || users.len() > 1 || groups_of[part] > 1;
            }
        }
        let amount = at_fault.iter().filter(|&&fault| fault).count() as u64;
        if amount == 0 {
            return Ok(());
        }
        let mut vms: Vec<VmId> = Vec::new();
        for (part, _) in self.vm_parts.iter().zip(&at_fault).filter(|(_, fault)| **fault) {
            vms.extend(part.iter().copied().filter(|&vm| at.is_running(vm)));
        }
        let nodes: Vec<NodeId> = vms.iter().flat_map(|&vm| at.hosts(vm)).collect();
        let names = at.instance();
        let text = format!(
            "{amount} of {} sets of VMs have no group of nodes of their own: {}",
            self.vm_parts.len(),
            super::vm_names(names, &vms)
        );
        Err(Violation::new(amount, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(super::union(&self.vm_parts))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.groups_apart(&self.vm_parts, &self.node_parts);
        // A VM of two sets would put both into one group wherever it runs.
        let mut members: Vec<VmId> = self.vm_parts.iter().flat_map(|part| part.iter().copied()).collect();
        members.sort_unstable();
        let mut torn: Vec<VmId> =
            members.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        torn.dedup();
        if !torn.is_empty() {
            builder.within(&torn.into(), &[].into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Described;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn each_part_has_a_group_of_its_own() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2, n3, far] = ["n0", "n1", "n2", "n3", "far"].map(|name| b.node(name));
        let [a0, a1] = ["a0", "a1"].map(|name| b.running_vm(name, n0));
        let [c0, c1] = ["c0", "c1"].map(|name| b.running_vm(name, n2));
        let outsider = b.running_vm("outsider", n2);
        let instance = b.build().expect("a valid instance");
        let rule = SplitAmong {
            vm_parts: [[a0, a1].into(), [c0, c1].into()].into(),
            node_parts: [[n0, n1].into(), [n2, n3].into()].into(),
        };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        // Within the group all is fine, and outsiders may go where they like.
        at.enter(a0, n1, Box::new([]));
        at.enter(outsider, n0, Box::new([]));
        assert_eq!(rule.holds(&at), Ok(()));
        at.arrive(a0);
        // One part over two groups, and both in one of them.
        at.enter(a0, n3, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        at.put(a0, Place::Running(far));
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.vms)), Err((1, vec![a0, a1])));
        // Both in one group.
        at.put(a0, Place::Running(n3));
        at.put(a1, Place::Running(n3));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        // Leading one of them home, one VM after the other, is never worse.
        for vm in [a0, a1] {
            at.enter(vm, n0, Box::new([]));
            assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
            at.arrive(vm);
        }
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(c0, Place::Sleeping(far));
        assert_eq!(rule.holds(&at), Ok(()));
    }

    #[test]
    fn groups_may_be_exchanged_at_the_end_and_must_be_disjoint() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [a, c] = [("a", n0), ("c", n1)].map(|(name, node)| b.running_vm(name, node));
        let instance = b.build().expect("a valid instance");
        let rule = SplitAmong {
            vm_parts: [[a].into(), [c].into()].into(),
            node_parts: [[n0].into(), [n1].into()].into(),
        };
        let mut at = Configuration::source(&instance);
        at.put(a, Place::Running(n1));
        at.put(c, Place::Running(n0));
        assert_eq!(rule.holds(&at), Ok(()));
        let overlapping = SplitAmong { node_parts: [[n0].into(), [n0, n1].into()].into(), ..rule };
        assert!((SplitAmong::SIGNATURE.build)(&overlapping.arguments()).is_err());
        // A VM of two sets may not run.
        let torn = SplitAmong { vm_parts: [[a].into(), [a, c].into()].into(), ..overlapping.clone() };
        assert!(torn.holds(&at).is_err());
        let mut instance = instance.clone();
        instance.add_constraint(crate::constraint::Constraint::new(SplitAmong {
            node_parts: [[n0].into(), [n1].into()].into(),
            ..torn
        }));
        assert_eq!(Builder::post_all(&instance).relations.len(), 2);
        // No group at all: whoever runs is at fault.
        let none = SplitAmong { node_parts: [].into(), ..overlapping };
        assert_eq!(none.holds(&at).map_err(|v| v.amount), Err(2));
    }
}

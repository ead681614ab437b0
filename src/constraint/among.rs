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
//! `among({vm1, vm2}, {@rack1, @rack2});`
//!
//! # In JSON
//! `{"among": {"vms": ["vm1", "vm2"], "parts": [["n1", "n2"], ["n3", "n4"]], "continuous": false}}`
//!
//! # Compiles to
//! Same group.
//!
//! # Cost
//! Checking: linear in the set. Planning: constant time for each placement tried.
//!
//! # See also
//! `fence` (one group), `gather` (one node), `splitAmong`.
//!
//! Deviation from BtrPlace: no group at all is infeasible as soon as a member runs,
//! not an error; members outside every group at the start are led into one.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeSet;
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
        // The amount is the number of groups in use, less one; a node outside all
        // groups is a group of its own that is wrong already.
        let mut used = Vec::new();
        let (mut vms, mut nodes) = (Vec::new(), Vec::new());
        let mut outside = 0;
        for &vm in self.vms.iter() {
            for node in at.hosts(vm) {
                vms.push(vm);
                nodes.push(node);
                match self.parts.iter().position(|part| part.binary_search(&node).is_ok()) {
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
        nodes.sort_unstable();
        nodes.dedup();
        let names = at.instance();
        let text = format!(
            "{} run in {} of the groups and {outside} outside all of them; one group is asked for",
            super::list(vms.iter().map(|&vm| names.vm_name(vm))),
            used.len()
        );
        Err(Violation { amount, vms, nodes, text })
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.same_group(&self.vms, &self.parts);
    }
}

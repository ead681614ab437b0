//! `split`: sets of VMs that share no node with each other.
//!
//! # Meaning
//! For all running x, y in different sets of `parts`: host(x) ≠ host(y). VMs of one set
//! may share a node; VMs outside all sets do not matter, nor do VMs that do not run.
//! The sets are disjoint.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at no moment does a node carry
//! members of two sets, a member in migration counting on both of its nodes.
//!
//! # In the language
//! `split({{vm1, vm2}, {vm3, vm4}});` at every moment, `>>split(…)` at the end only.
//!
//! # In JSON
//! `{"split": {"parts": [["vm1", "vm2"], ["vm3", "vm4"]], "continuous": false}}`
//!
//! # Compiles to
//! Bins not shared between sets of items.
//!
//! # Cost
//! Checking: n log n in the members. Planning: constant time for each placement tried.
//!
//! # See also
//! `spread` (every VM a set of its own), `lonely` (one set and all others),
//! `splitAmong` (groups of nodes instead of nodes).
//!
//! Deviation from BtrPlace: satisfied where no member runs; a member that is being
//! stopped counts until it has stopped, and no longer; sets that share a node before the
//! plan are parted, not refused, unless the plan is asked to be strict.

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
use std::sync::Arc;

side_constraint! {
    /// No node carries VMs of two sets.
    pub struct Split {
        /// The sets, disjoint.
        parts("parts"): Arc<[VmSet]>,
    }
    name = "split", btrplace = Some("split"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("split.rs");
    check = |rule| super::disjoint(&rule.parts, "parts");
}

impl SideConstraint for Split {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let mut seats: Vec<(NodeId, usize, VmId)> = Vec::new();
        for (part, vms) in self.parts.iter().enumerate() {
            for &vm in vms.iter() {
                seats.extend(at.hosts(vm).map(|node| (node, part, vm)));
            }
        }
        seats.sort_unstable();
        let (mut nodes, mut vms) = (Vec::new(), Vec::new());
        for guests in seats.chunk_by(|a, b| a.0 == b.0) {
            if let [first, .., last] = guests
                && first.1 != last.1
            {
                nodes.push(first.0);
                vms.extend(guests.iter().map(|seat| seat.2));
            }
        }
        if nodes.is_empty() {
            return Ok(());
        }
        vms.sort_unstable();
        vms.dedup();
        let names = at.instance();
        let text = format!(
            "{}, of different sets, share {}",
            super::vm_names(names, &vms),
            super::node_names(names, &nodes)
        );
        Err(Violation::new(vms.len() as u64, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(super::union(&self.parts))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.apart(&self.parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Described;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn parts_share_no_node() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let [a0, a1] = ["a0", "a1"].map(|name| b.running_vm(name, n0));
        let c0 = b.running_vm("c0", n1);
        b.running_vm("outsider", n0);
        let instance = b.build().expect("a valid instance");
        let rule = Split { parts: [[a0, a1].into(), [c0].into()].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        // A part over two nodes is fine.
        at.put(a1, Place::Running(n2));
        assert_eq!(rule.holds(&at), Ok(()));
        // An overlap for a moment is one, too.
        at.enter(a1, n1, Box::new([]));
        let broken = rule.holds(&at).map_err(|v| (v.amount, v.vms, v.nodes));
        assert_eq!(broken, Err((2, vec![a1, c0], vec![n1])));
        at.arrive(a1);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        // From bad to bad it is worse on the way, from bad to good it is not.
        at.enter(c0, n0, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(3));
        at.enter(c0, n2, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        at.arrive(c0);
        assert_eq!(rule.holds(&at), Ok(()));
        // A VM that has stopped leaves its node free.
        at.put(c0, Place::Ready);
        at.put(a0, Place::Running(n2));
        assert_eq!(rule.holds(&at), Ok(()));
    }

    #[test]
    fn overlapping_parts_are_refused() {
        let rule = Split { parts: [[VmId(0), VmId(1)].into(), [VmId(1)].into()].into() };
        assert!((Split::SIGNATURE.build)(&rule.arguments()).is_err());
    }
}

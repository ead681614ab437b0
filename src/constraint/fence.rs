//! `fence`: a VM on certain nodes only.
//!
//! # Meaning
//! If `vm` runs: host(`vm`) ∈ `nodes`. A VM that does not run satisfies it. Several
//! fences on a VM: their intersection. No node: the VM may not run.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at no moment does the VM hold
//! another node, not even on its way.
//!
//! # In the language
//! `fence(vm1, {@n1, @n2});` at every moment, `>>fence(…)` at the end only.
//!
//! # In JSON
//! `{"fence": {"vm": "vm1", "nodes": ["n1", "n2"], "continuous": false}}`
//!
//! # Compiles to
//! The VM's item within these bins.
//!
//! # Cost
//! Checking: a binary search. Planning: constant time for each placement tried.
//!
//! # See also
//! `ban` (the opposite), `among` (one of several groups), `root` (where it is).
//!
//! Deviation from BtrPlace: a discrete fence speaks of the end only, whatever the VM does
//! on its way; a sleeping VM may sleep outside; a VM that runs outside before the plan is
//! led inside, not refused, unless the plan is asked to be strict.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// The VM on these nodes only.
    pub struct Fence {
        /// The VM.
        vm("vm"): VmId,
        /// The allowed nodes.
        nodes("nodes"): NodeSet,
    }
    name = "fence", btrplace = Some("fence"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("fence.rs");
    check = |_| Ok(());
}

impl SideConstraint for Fence {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let wrong = |node| self.nodes.binary_search(&node).is_err();
        super::runs_on_none(at, self.vm, wrong, "outside its fence")
    }

    fn watch(&self) -> Watch<'_> {
        Watch::vm(&self.vm)
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.within(&[self.vm].into(), &self.nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn inside_or_not_running() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n2);
        let instance = b.build().expect("a valid instance");
        let rule = Fence { vm, nodes: [n0, n1].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.nodes)), Err((1, vec![n2])));
        // Coming inside never makes it worse.
        at.enter(vm, n1, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.arrive(vm);
        assert_eq!(rule.holds(&at), Ok(()));
        let nowhere = Fence { vm, nodes: [].into() };
        assert_eq!(nowhere.holds(&at).map_err(|v| v.amount), Err(1));
        at.put(vm, Place::Ready);
        assert_eq!(nowhere.holds(&at), Ok(()));
        at.put(vm, Place::Sleeping(n2));
        assert_eq!(rule.holds(&at), Ok(()));
    }
}

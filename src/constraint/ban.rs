//! `ban`: a VM never on certain nodes.
//!
//! # Meaning
//! If `vm` runs: host(`vm`) ∉ `nodes`. A VM that does not run satisfies it, even if its
//! image lies on such a node. No node: satisfied.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at no moment does the VM hold one
//! of the nodes, not even on its way.
//!
//! # In the language
//! `ban(vm1, {@n1, @n2});` at every moment, `>>ban(…)` at the end only.
//!
//! # In JSON
//! `{"ban": {"vm": "vm1", "nodes": ["n1", "n2"], "continuous": false}}`
//!
//! # Compiles to
//! The VM's item outside these bins.
//!
//! # Cost
//! Checking: a binary search. Planning: constant time for each placement tried.
//!
//! # See also
//! `fence` (the opposite), `offline`, `quarantine`.
//!
//! Deviation from BtrPlace: a discrete ban speaks of the end only, whatever the VM does
//! on its way; a sleeping VM is not banned from where it sleeps; a VM that runs on a
//! banned node before the plan is led away, not refused, unless the plan is asked to be
//! strict.

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
    /// The VM never on these nodes.
    pub struct Ban {
        /// The VM.
        vm("vm"): VmId,
        /// The forbidden nodes.
        nodes("nodes"): NodeSet,
    }
    name = "ban", btrplace = Some("ban"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("ban.rs");
    check = |_| Ok(());
}

impl SideConstraint for Ban {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let wrong = |node| self.nodes.binary_search(&node).is_ok();
        super::runs_on_none(at, self.vm, wrong, "from which it is banned")
    }

    fn watch(&self) -> Watch<'_> {
        Watch::vm(&self.vm)
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.outside(&[self.vm].into(), &self.nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn elsewhere_or_not_running() {
        let mut b = InstanceBuilder::new();
        let [n0, n1, n2] = ["n0", "n1", "n2"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n0);
        let instance = b.build().expect("a valid instance");
        let rule = Ban { vm, nodes: [n1, n2].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        // On its way it holds both: one bad node, then two, then one.
        at.enter(vm, n1, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.nodes)), Err((1, vec![n1])));
        at.arrive(vm);
        at.enter(vm, n2, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(2));
        at.put(vm, Place::Sleeping(n2));
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(vm, Place::Running(n2));
        assert_eq!(Ban { vm, nodes: [].into() }.holds(&at), Ok(()));
    }

    #[test]
    fn leaving_a_banned_node_never_makes_it_worse() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n0);
        let instance = b.build().expect("a valid instance");
        let rule = Ban { vm, nodes: [n0].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.enter(vm, n1, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.arrive(vm);
        assert_eq!(rule.holds(&at), Ok(()));
    }
}

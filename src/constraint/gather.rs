//! `gather`: all VMs of a set on one node.
//!
//! # Meaning
//! For all running x, y in `vms`: host(x) = host(y). VMs that do not run are ignored.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at every moment the members that
//! run hold one node between them. Since a member in migration holds two, none migrates
//! once they are together, not even one that runs alone; the node can change only while
//! none of them runs.
//!
//! # In the language
//! `gather({vm1, vm2});` at every moment, `>>gather(…)` at the end only.
//!
//! # In JSON
//! `{"gather": {"vms": ["vm1", "vm2"], "continuous": false}}`
//!
//! # Compiles to
//! Same bin.
//!
//! # Cost
//! Checking: linear in the set. Planning: constant time for each placement tried.
//!
//! # See also
//! `spread` (the opposite), `among` (one group of nodes), `lonely`.
//!
//! Deviation from BtrPlace: a set that is apart before the plan is brought together, not
//! refused, unless the plan is asked to be strict; members that stop do not tie the
//! others to their node.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::VmSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// All VMs of the set on one node.
    pub struct Gather {
        /// The VMs.
        vms("vms"): VmSet,
    }
    name = "gather", btrplace = Some("gather"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("gather.rs");
    check = |_| Ok(());
}

impl SideConstraint for Gather {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let nodes = super::hosts(at, &self.vms);
        if nodes.len() <= 1 {
            return Ok(());
        }
        let names = at.instance();
        let vms: Vec<_> = self.vms.iter().copied().filter(|&vm| at.is_running(vm)).collect();
        let text = format!(
            "{} run on {}; one node is asked for",
            super::vm_names(names, &vms),
            super::node_names(names, &nodes)
        );
        Err(Violation::new(nodes.len() as u64 - 1, vms, nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.same_node(&self.vms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn together_or_not_running() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vm0 = b.running_vm("vm0", n0);
        let vm1 = b.ready_vm("vm1");
        let instance = b.build().expect("a valid instance");
        let rule = Gather { vms: [vm0, vm1].into() };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(vm1, Place::Running(n0));
        assert_eq!(rule.holds(&at), Ok(()));
        at.put(vm1, Place::Running(n1));
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.nodes)), Err((1, vec![n0, n1])));
        // Coming together: no worse on the way.
        at.enter(vm1, n0, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.arrive(vm1);
        assert_eq!(rule.holds(&at), Ok(()));
        // Both leave together: they are apart, each from itself.
        at.enter(vm0, n1, Box::new([]));
        at.enter(vm1, n1, Box::new([]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        assert_eq!(Gather { vms: [].into() }.holds(&at), Ok(()));
    }
}

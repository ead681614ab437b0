//! `preserve`: a VM gets at least so much of a resource.
//!
//! # Meaning
//! If `vm` runs at the end, it holds at least `amount` of `resource`. What it holds in
//! the end is the largest of what it holds before and what any preserve asks for: a
//! preserve never takes anything away. A VM that does not run satisfies it.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `preserve(vm1, "cpu", 4);`
//!
//! # In JSON
//! `{"preserve": {"vm": "vm1", "resource": "cpu", "amount": 4}}`
//!
//! # Compiles to
//! The size of the VM's item, and an allocation where that differs from what it holds.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `overbook` (the capacity of a node), `resourceCapacity`.
//!
//! Deviation from BtrPlace: a preserve below what the VM holds leaves that alone, where
//! BtrPlace lowers it.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// At least so much of a resource for a VM that runs.
    pub struct Preserve {
        /// The VM.
        vm("vm"): VmId,
        /// The resource.
        resource("rc"): ResourceId,
        /// The least amount.
        amount("amount"): u64,
    }
    name = "preserve", btrplace = Some("preserve"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("preserve.rs");
    check = |_| Ok(());
}

impl SideConstraint for Preserve {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let held = at.demand(self.vm, self.resource);
        if !at.is_running(self.vm) || held >= self.amount {
            return Ok(());
        }
        let names = at.instance();
        let text = format!(
            "{} holds {held} of {}; at least {} is asked for",
            names.vm_name(self.vm),
            names.resource_name(self.resource),
            self.amount
        );
        Err(Violation::new(self.amount - held, vec![self.vm], at.hosts(self.vm).collect(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::vm(&self.vm)
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.demand_at_least(self.vm, self.resource, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn enough_or_not_running() {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource_with_defaults("cpu", 20, 3);
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n0);
        let sleeper = b.sleeping_vm("sleeper", n0);
        let instance = b.build().expect("a valid instance");
        let asks = |vm, amount| Preserve { vm, resource: cpu, amount };
        let mut at = Configuration::source(&instance);
        // The default demand counts; a VM that sleeps does not.
        assert_eq!(asks(vm, 3).holds(&at), Ok(()));
        assert_eq!(asks(sleeper, 9).holds(&at), Ok(()));
        assert_eq!(asks(vm, 5).holds(&at).map_err(|v| (v.amount, v.nodes)), Err((2, vec![n0])));
        at.allocate(vm, cpu, 7);
        assert_eq!(asks(vm, 5).holds(&at), Ok(()));
        at.allocate(vm, cpu, 4);
        assert_eq!(asks(vm, 5).holds(&at).map_err(|v| v.amount), Err(1));
        // What it gets where it goes counts once it is there.
        at.enter(vm, n1, Box::new([6]));
        at.arrive(vm);
        assert_eq!(asks(vm, 5).holds(&at), Ok(()));
    }
}

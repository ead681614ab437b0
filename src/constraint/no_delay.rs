//! `noDelay`: what happens to a VM happens at once.
//!
//! # Meaning
//! Every action on `vm` starts at 0, allocations included. A re-instantiation is one
//! action in this respect: it starts with the forging of the copy. A VM on which nothing
//! is done satisfies it; a VM that is relocated twice breaks it.
//!
//! # Discrete and continuous
//! Discrete only, though it speaks of the whole plan.
//!
//! # In the language
//! `noDelay(vm1);`
//!
//! # In JSON
//! `{"noDelay": {"vm": "vm1"}}`
//!
//! # Compiles to
//! A fixed start of the VM's tasks.
//!
//! # Cost
//! Checking: the actions of the VM. Planning: constant.
//!
//! # See also
//! `deadline` (a last moment), `precedence`, `seq`.
//!
//! Deviation from BtrPlace: enforced for shutdown, suspend and forge as well.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::ActionKind;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// The actions on the VM start at 0.
    pub struct NoDelay {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "noDelay", btrplace = Some("noDelay"), flag = WrittenFalse,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("no_delay.rs");
    check = |_| Ok(());
}

impl SideConstraint for NoDelay {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        // The later steps of a re-instantiation follow its first step; they have no
        // start of their own.
        let first_step =
            |kind| !matches!(kind, ActionKind::BootClone { .. } | ActionKind::ShutdownOriginal { .. });
        let mut late = run.actions_of(self.vm).filter(|action| first_step(action.kind) && action.start > 0);
        let Some(first) = late.next() else { return Ok(()) };
        let text = format!(
            "{} of {} starts at {} s; it is to start at once",
            first.kind.name(),
            run.instance().vm_name(self.vm),
            first.start
        );
        Err(Violation::new(1 + late.count() as u64, vec![self.vm], Vec::new(), text))
    }

    fn is_about_moments(&self) -> bool {
        true
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.no_delay(self.vm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn at_once_or_never() {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource("cpu");
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [vm, other] = ["vm", "other"].map(|name| b.running_vm(name, n0));
        let instance = b.build().expect("a valid instance");
        let rule = NoDelay { vm };
        let there = Migrate { vm, from: n0, to: n1 };
        let back = Migrate { vm, from: n1, to: n0 };
        assert_eq!(over(&rule, &instance, &[]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(there, 0, 1)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(Migrate { vm: other, from: n0, to: n1 }, 5, 6)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(there, 0, 1), (back, 1, 2)]).map_err(|v| v.amount), Err(1));
        for kind in [
            Shutdown { vm, node: n0 },
            Suspend { vm, node: n0 },
            Forge { vm },
            Kill { vm, node: Some(n0) },
            Allocate { vm, node: n0, resource: cpu, amount: 2 },
        ] {
            assert_eq!(over(&rule, &instance, &[(kind, 0, 0)]), Ok(()), "{kind:?}");
            assert!(over(&rule, &instance, &[(kind, 1, 1)]).is_err(), "{kind:?}");
        }
        let clone = |start: u64| {
            [
                (ForgeClone { vm }, start, start + 1),
                (BootClone { vm, from: n0, to: n1 }, start + 1, start + 2),
                (ShutdownOriginal { vm, from: n0 }, start + 2, start + 2),
            ]
        };
        assert_eq!(over(&rule, &instance, &clone(0)), Ok(()));
        assert!(over(&rule, &instance, &clone(1)).is_err());
    }
}

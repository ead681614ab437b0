//! `root`: a VM is not relocated.
//!
//! # Meaning
//! In the whole plan `vm` neither migrates nor is re-instantiated: running before and
//! after, it stays on its node. It may be suspended, shut down or killed, and boot or
//! resume anywhere.
//!
//! # Discrete and continuous
//! Continuous only.
//!
//! # In the language
//! `root(vm1);`
//!
//! # In JSON
//! `{"root": {"vm": "vm1"}}`
//!
//! # Compiles to
//! The VM's item in the bin where it is.
//!
//! # Cost
//! Checking: the actions of the VM. Planning: none, the VM is not a question any more.
//!
//! # See also
//! `fence` (certain nodes), `quarantine` (all VMs of a node).
//!
//! Deviation from BtrPlace: re-instantiation breaks it too, not migration only.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// The VM is not relocated.
    pub struct Root {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "root", btrplace = Some("root"), flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("root.rs");
    check = |_| Ok(());
}

impl SideConstraint for Root {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let moves = run.relocations_of(self.vm);
        let Some((start, _)) = moves.first() else { return Ok(()) };
        let text = format!("{} is relocated at {start} s; it is to stay", run.instance().vm_name(self.vm));
        Err(Violation::new(moves.len() as u64, vec![self.vm], Vec::new(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.stay(self.vm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn relocation_breaks_it_and_nothing_else() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [vm, other] = ["vm", "other"].map(|name| b.running_vm(name, n0));
        let ready = b.ready_vm("ready");
        let instance = b.build().expect("a valid instance");
        let rule = Root { vm };
        assert_eq!(over(&rule, &instance, &[]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(Migrate { vm: other, from: n0, to: n1 }, 0, 1)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(Suspend { vm, node: n0 }, 0, 1)]), Ok(()));
        let moved = over(&rule, &instance, &[(Migrate { vm, from: n0, to: n1 }, 2, 3)]);
        assert_eq!(moved.map_err(|v| v.vms), Err(vec![vm]));
        let cloned = [
            (ForgeClone { vm }, 0, 1),
            (BootClone { vm, from: n0, to: n1 }, 1, 2),
            (ShutdownOriginal { vm, from: n0 }, 2, 2),
        ];
        assert_eq!(over(&rule, &instance, &cloned).map_err(|v| v.amount), Err(1));
        assert_eq!(over(&Root { vm: ready }, &instance, &[(Boot { vm: ready, node: n1 }, 0, 1)]), Ok(()));
    }
}

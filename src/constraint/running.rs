//! `running`: a VM runs at the end.
//!
//! # Meaning
//! state(`vm`) = running in the final configuration: boots from ready, resumes from sleeping; an image that sleeps may resume on any node.
//! Two rules that want different states for one VM contradict each other. A VM of which
//! no rule says anything keeps its state.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `running(vm1);`
//!
//! # In JSON
//! `{"running": {"vm": "vm1"}}`
//!
//! # Compiles to
//! The wanted state of the VM, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `ready`, `sleeping`, `killed`; `fence` and `ban` (where it runs).
//!
//! Deviation from BtrPlace: `running` on a VM that is only a name is a contradiction, not a crash; allocations and
//! re-instantiations of the VM are no violation.

use super::Restrictions;
use crate::model::VmId;
use crate::model::VmState;
use crate::side_constraint;

side_constraint! {
    /// The VM runs at the end.
    pub struct Running {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "running", btrplace = Some("running"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("running.rs");
    check = |_| Ok(());
}

super::vm_goal!(Running, VmState::Running);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::SideConstraint;
    use crate::model::Configuration;
    use crate::model::InstanceBuilder;
    use crate::model::Place;

    #[test]
    fn that_state_only() {
        let mut b = InstanceBuilder::new();
        let n = b.node("n");
        let vm = b.ready_vm("vm");
        let instance = b.build().expect("a valid instance");
        let rule = Running { vm };
        let mut at = Configuration::source(&instance);
        for place in [Place::Init, Place::Ready, Place::Running(n), Place::Sleeping(n), Place::Killed] {
            at.put(vm, place);
            assert_eq!(rule.holds(&at).is_ok(), place.state() == VmState::Running, "{place:?}");
        }
        assert_eq!(rule.wants(), Some((vm, VmState::Running)));
    }
}

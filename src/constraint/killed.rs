//! `killed`: a VM is gone at the end.
//!
//! # Meaning
//! state(`vm`) = killed in the final configuration: a running, sleeping or ready VM is destroyed; a VM that is gone already satisfies the rule.
//! Two rules that want different states for one VM contradict each other. A VM of which
//! no rule says anything keeps its state.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `killed(vm1);`
//!
//! # In JSON
//! `{"killed": {"vm": "vm1"}}`
//!
//! # Compiles to
//! The wanted state of the VM, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `running`, `ready`, `sleeping`.
//!
//! Deviation from BtrPlace: a kill may start at any moment, not at the start of the plan only; a VM
//! that is gone already is accepted.

use super::Restrictions;
use crate::model::VmId;
use crate::model::VmState;
use crate::side_constraint;

side_constraint! {
    /// The VM is gone at the end.
    pub struct Killed {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "killed", btrplace = Some("killed"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("killed.rs");
    check = |_| Ok(());
}

super::vm_goal!(Killed, VmState::Killed);

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
        let rule = Killed { vm };
        let mut at = Configuration::source(&instance);
        for place in [Place::Init, Place::Ready, Place::Running(n), Place::Sleeping(n), Place::Killed] {
            at.put(vm, place);
            assert_eq!(rule.holds(&at).is_ok(), place.state() == VmState::Killed, "{place:?}");
        }
        assert_eq!(rule.wants(), Some((vm, VmState::Killed)));
    }
}

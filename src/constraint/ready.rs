//! `ready`: a VM exists and runs nowhere at the end.
//!
//! # Meaning
//! state(`vm`) = ready in the final configuration: a running VM is shut down, a VM that is only a name is forged from its template; a sleeping
//! VM has no way there, so that is a contradiction.
//! Two rules that want different states for one VM contradict each other. A VM of which
//! no rule says anything keeps its state.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `ready(vm1);`
//!
//! # In JSON
//! `{"ready": {"vm": "vm1"}}`
//!
//! # Compiles to
//! The wanted state of the VM, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `running`, `sleeping`, `killed`.
//!
//! As in BtrPlace.

use super::Restrictions;
use crate::model::VmId;
use crate::model::VmState;
use crate::side_constraint;

side_constraint! {
    /// The VM exists and runs nowhere at the end.
    pub struct Ready {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "ready", btrplace = Some("ready"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("ready.rs");
    check = |_| Ok(());
}

super::vm_goal!(Ready, VmState::Ready);

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
        let rule = Ready { vm };
        let mut at = Configuration::source(&instance);
        for place in [Place::Init, Place::Ready, Place::Running(n), Place::Sleeping(n), Place::Killed] {
            at.put(vm, place);
            assert_eq!(rule.holds(&at).is_ok(), place.state() == VmState::Ready, "{place:?}");
        }
        assert_eq!(rule.wants(), Some((vm, VmState::Ready)));
    }
}

//! `sleeping`: a VM is suspended at the end.
//!
//! # Meaning
//! state(`vm`) = sleeping in the final configuration: a running VM is suspended on the node where it runs; a ready VM has no way there, so that is a
//! contradiction.
//! Two rules that want different states for one VM contradict each other. A VM of which
//! no rule says anything keeps its state.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `sleeping(vm1);`
//!
//! # In JSON
//! `{"sleeping": {"vm": "vm1"}}`
//!
//! # Compiles to
//! The wanted state of the VM, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `running`, `ready`, `killed`.
//!
//! Deviation from BtrPlace: the node that keeps the image may not be switched off.

use super::Restrictions;
use crate::model::VmId;
use crate::model::VmState;
use crate::side_constraint;

side_constraint! {
    /// The VM is suspended at the end.
    pub struct Sleeping {
        /// The VM.
        vm("vm"): VmId,
    }
    name = "sleeping", btrplace = Some("sleeping"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("sleeping.rs");
    check = |_| Ok(());
}

super::vm_goal!(Sleeping, VmState::Sleeping);

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
        let rule = Sleeping { vm };
        let mut at = Configuration::source(&instance);
        for place in [Place::Init, Place::Ready, Place::Running(n), Place::Sleeping(n), Place::Killed] {
            at.put(vm, place);
            assert_eq!(rule.holds(&at).is_ok(), place.state() == VmState::Sleeping, "{place:?}");
        }
        assert_eq!(rule.wants(), Some((vm, VmState::Sleeping)));
    }
}

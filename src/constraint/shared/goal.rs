//! Rules that want one VM, or one node, to end in one state.

use crate::constraint::Violation;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::VmId;
use crate::model::VmState;

/// `vm_goal!(Running, VmState::Running)`: the field `vm` of the rule is in that state.
macro_rules! vm_goal {
    ($rule:ty, $state:expr) => {
        impl $crate::constraint::SideConstraint for $rule {
            fn holds(
                &self,
                at: &$crate::model::Configuration<'_>,
            ) -> Result<(), $crate::constraint::Violation> {
                $crate::constraint::shared::in_state(at, self.vm, $state)
            }

            fn wants(&self) -> Option<($crate::model::VmId, $crate::model::VmState)> {
                Some((self.vm, $state))
            }

            fn watch(&self) -> $crate::constraint::Watch<'_> {
                $crate::constraint::Watch::vm(&self.vm)
            }

            fn post(&self, builder: &mut $crate::compile::Builder<'_>) {
                builder.vm_state(self.vm, $state);
            }
        }
    };
}
pub(in crate::constraint) use vm_goal;

/// `node_goal!(Online, NodePhase::Online)`: the field `node` of the rule is in that phase.
macro_rules! node_goal {
    ($rule:ty, $phase:expr) => {
        impl $crate::constraint::SideConstraint for $rule {
            fn holds(
                &self,
                at: &$crate::model::Configuration<'_>,
            ) -> Result<(), $crate::constraint::Violation> {
                $crate::constraint::shared::in_phase(at, self.node, $phase)
            }

            fn watch(&self) -> $crate::constraint::Watch<'_> {
                $crate::constraint::Watch::node(&self.node)
            }

            fn post(&self, builder: &mut $crate::compile::Builder<'_>) {
                builder.node_state(self.node, $phase == $crate::model::NodePhase::Online);
            }
        }
    };
}
pub(in crate::constraint) use node_goal;

/// Is the VM in the state that a rule wants?
pub(in crate::constraint) fn in_state(
    at: &Configuration<'_>,
    vm: VmId,
    wanted: VmState,
) -> Result<(), Violation> {
    let found = at.state(vm);
    if found == wanted {
        return Ok(());
    }
    let text = format!("{} is {}; {} is asked for", at.instance().vm_name(vm), found.name(), wanted.name());
    Err(Violation::new(1, vec![vm], Vec::new(), text))
}

/// Is the node in the phase that a rule wants?
pub(in crate::constraint) fn in_phase(
    at: &Configuration<'_>,
    node: NodeId,
    wanted: NodePhase,
) -> Result<(), Violation> {
    let found = at.phase(node);
    if found == wanted {
        return Ok(());
    }
    let text = format!(
        "node {} is {}; {} is asked for",
        at.instance().node_name(node),
        phase_name(found),
        phase_name(wanted)
    );
    Err(Violation::new(1, Vec::new(), vec![node], text))
}

/// The word for the phase of a node.
fn phase_name(phase: NodePhase) -> &'static str {
    match phase {
        NodePhase::Offline => "offline",
        NodePhase::Booting => "booting",
        NodePhase::Online => "online",
        NodePhase::ShuttingDown => "shutting down",
    }
}

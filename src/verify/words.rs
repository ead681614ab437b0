//! How findings speak of actions and places.

use crate::constraint::Violation;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::Place;
use crate::model::VmId;
use crate::model::VmState;

/// `migrate(vm5, n5, n1)`.
pub(super) fn action(instance: &Instance, kind: &ActionKind) -> String {
    use ActionKind::*;
    let vm_name = |vm: VmId| instance.vm_name(vm);
    let node_name = |node: NodeId| instance.node_name(node);
    let word = kind.name();
    match *kind {
        Migrate { vm, from, to } | Resume { vm, from, to } => {
            format!("{word}({}, {}, {})", vm_name(vm), node_name(from), node_name(to))
        }
        Boot { vm, node } | Shutdown { vm, node } | Suspend { vm, node } | Kill { vm, node: Some(node) } => {
            format!("{word}({}, {})", vm_name(vm), node_name(node))
        }
        Kill { vm, node: None } | Forge { vm } => format!("{word}({})", vm_name(vm)),
        ForgeClone { vm } => format!("{word}(clone of {})", vm_name(vm)),
        BootClone { vm, to, .. } => format!("{word}(clone of {}, {})", vm_name(vm), node_name(to)),
        ShutdownOriginal { vm, from } => format!("{word}(original of {}, {})", vm_name(vm), node_name(from)),
        Allocate { vm, node, resource, amount } => format!(
            "{word}({}, {}, {}, {amount})",
            vm_name(vm),
            node_name(node),
            instance.resource_name(resource)
        ),
        BootNode { node } | ShutdownNode { node } => format!("{word}({})", node_name(node)),
    }
}

/// `vm5 runs on n5`.
pub(super) fn place(instance: &Instance, vm: VmId, place: Place) -> String {
    let name = instance.vm_name(vm);
    match place {
        Place::Init => format!("{name} has not been forged"),
        Place::Ready => format!("{name} is ready"),
        Place::Running(node) => format!("{name} runs on {}", instance.node_name(node)),
        Place::Sleeping(node) => format!("{name} sleeps on {}", instance.node_name(node)),
        Place::Killed => format!("{name} has been killed"),
    }
}

/// `is running`.
pub(super) fn state(state: VmState) -> &'static str {
    match state {
        VmState::Init => "not forged",
        other => other.name(),
    }
}

/// `is off`.
pub(super) fn phase(phase: NodePhase) -> &'static str {
    match phase {
        NodePhase::Offline => "is off",
        NodePhase::Booting => "is still booting",
        NodePhase::Online => "is online",
        NodePhase::ShuttingDown => "is shutting down",
    }
}

/// One thing that is wrong, about these VMs and nodes.
pub(super) fn violation(amount: u64, mut vms: Vec<VmId>, mut nodes: Vec<NodeId>, text: String) -> Violation {
    vms.sort_unstable();
    vms.dedup();
    nodes.sort_unstable();
    nodes.dedup();
    Violation { amount, vms, nodes, text }
}

/// What an action is about: the VM, and the nodes it names.
pub(super) fn about(kind: &ActionKind) -> (Vec<VmId>, Vec<NodeId>) {
    use ActionKind::*;
    let nodes = match *kind {
        Migrate { from, to, .. } | Resume { from, to, .. } | BootClone { from, to, .. } => vec![from, to],
        Boot { node, .. } | Shutdown { node, .. } | Suspend { node, .. } | Allocate { node, .. } => {
            vec![node]
        }
        ShutdownOriginal { from, .. } => vec![from],
        Kill { node, .. } => node.into_iter().collect(),
        Forge { .. } | ForgeClone { .. } => Vec::new(),
        BootNode { node } | ShutdownNode { node } => vec![node],
    };
    (kind.vm().into_iter().collect(), nodes)
}

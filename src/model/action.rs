//! What a plan does to one VM or one node.

use super::NodeId;
use super::ResourceId;
use super::VmId;

/// What is done.
///
/// A re-instantiation is three actions on the same VM: [`ActionKind::ForgeClone`],
/// [`ActionKind::BootClone`] and [`ActionKind::ShutdownOriginal`]. The clone takes
/// the VM's place in every rule from the start of its boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the fields say what they are: the VM, and where it is or goes")]
pub enum ActionKind {
    /// Live migration.
    Migrate { vm: VmId, from: NodeId, to: NodeId },
    /// A ready VM starts.
    Boot { vm: VmId, node: NodeId },
    /// A running VM becomes ready.
    Shutdown { vm: VmId, node: NodeId },
    /// A running VM is suspended; its image stays on the node.
    Suspend { vm: VmId, node: NodeId },
    /// A suspended VM runs again, here or elsewhere.
    Resume { vm: VmId, from: NodeId, to: NodeId },
    /// The VM is destroyed; `node` is where it ran or slept.
    Kill { vm: VmId, node: Option<NodeId> },
    /// A VM is made from its template.
    Forge { vm: VmId },
    /// Re-instantiation, first step: a copy is made from the template.
    ForgeClone { vm: VmId },
    /// Re-instantiation, second step: the copy starts on `to`.
    BootClone { vm: VmId, from: NodeId, to: NodeId },
    /// Re-instantiation, third step: the original on `from` stops.
    ShutdownOriginal { vm: VmId, from: NodeId },
    /// A running VM gets another share of a resource; takes no time.
    Allocate { vm: VmId, node: NodeId, resource: ResourceId, amount: u64 },
    /// A node is switched on.
    BootNode { node: NodeId },
    /// A node is switched off.
    ShutdownNode { node: NodeId },
}

impl ActionKind {
    /// The VM that is acted on.
    pub fn vm(&self) -> Option<VmId> {
        use ActionKind::*;
        match *self {
            Migrate { vm, .. }
            | Boot { vm, .. }
            | Shutdown { vm, .. }
            | Suspend { vm, .. }
            | Resume { vm, .. }
            | Kill { vm, .. }
            | Forge { vm }
            | ForgeClone { vm }
            | BootClone { vm, .. }
            | ShutdownOriginal { vm, .. }
            | Allocate { vm, .. } => Some(vm),
            BootNode { .. } | ShutdownNode { .. } => None,
        }
    }

    /// The node that the action enters: that must host what it did not before.
    pub fn destination(&self) -> Option<NodeId> {
        use ActionKind::*;
        match *self {
            Migrate { to, .. } | Resume { to, .. } | BootClone { to, .. } => Some(to),
            Boot { node, .. } => Some(node),
            _ => None,
        }
    }

    /// The node that the action leaves: that it frees when it ends.
    pub fn origin(&self) -> Option<NodeId> {
        use ActionKind::*;
        match *self {
            Migrate { from, .. } | Resume { from, .. } | ShutdownOriginal { from, .. } => Some(from),
            Shutdown { node, .. } | Suspend { node, .. } => Some(node),
            Kill { node, .. } => node,
            _ => None,
        }
    }

    /// Does it belong to a relocation of a running VM?
    pub fn is_relocation(&self) -> bool {
        use ActionKind::*;
        matches!(self, Migrate { .. } | ForgeClone { .. } | BootClone { .. } | ShutdownOriginal { .. })
    }

    /// Does it change the state of a VM (run, stop, suspend, forge, kill)?
    pub fn is_transition(&self) -> bool {
        use ActionKind::*;
        matches!(
            self,
            Boot { .. } | Shutdown { .. } | Suspend { .. } | Resume { .. } | Kill { .. } | Forge { .. }
        )
    }

    /// The word that texts and files use.
    pub fn name(&self) -> &'static str {
        use ActionKind::*;
        match self {
            Migrate { .. } => "migrate",
            Boot { .. } | BootClone { .. } => "boot",
            Shutdown { .. } | ShutdownOriginal { .. } => "shutdown",
            Suspend { .. } => "suspend",
            Resume { .. } => "resume",
            Kill { .. } => "kill",
            Forge { .. } | ForgeClone { .. } => "forge",
            Allocate { .. } => "allocate",
            BootNode { .. } => "boot_node",
            ShutdownNode { .. } => "shutdown_node",
        }
    }
}

/// Why an action is in the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is known (a plan read from a file).
    #[default]
    Unknown,
    /// It serves the constraint at this index of the instance.
    Constraint(u32),
    /// The node is, or would be, overloaded in this resource.
    Overload(NodeId, ResourceId),
    /// The VM cannot stay where it is: no room beside the others for its future size.
    NoRoom(NodeId),
    /// It makes room for another VM.
    RoomFor(VmId),
    /// A stop on the way: breaks a circle of moves that wait on each other, or makes the plan
    /// better.
    Parking,
    /// A node is needed to host this VM.
    Hosts(VmId),
}

/// One action of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What is done.
    pub kind: ActionKind,
    /// When it starts, in seconds from the start of the plan.
    pub start: u64,
    /// When it ends.
    pub end: u64,
    /// What the VM holds at its destination from the start of the action, where
    /// that differs from what it held before: (resource, amount), by resource.
    pub allocations: Vec<(ResourceId, u64)>,
    /// What a migration takes of every channel on its way, in Mbit/s; 0 without a network.
    pub bandwidth: u64,
    /// Why.
    pub reason: Reason,
}

impl Action {
    /// How long it takes, in seconds; 0 where the end is before the start.
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

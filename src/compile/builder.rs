//! What constraints say to the planner.

use super::Budget;
use crate::constraint::Constraint;
use crate::constraint::Restriction;
use crate::constraint::Strength;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmSet;
use crate::model::VmState;
use std::sync::Arc;

/// How a crash of nodes must be survivable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FtMode {
    /// The VMs of the crashed nodes restart on the others, survivors staying put. Exact.
    Restart,
    /// What is left of each resource suffices in sum. Necessary only.
    Aggregate,
    /// As `Aggregate`, counted in slots of the largest VM. Sufficient for equal VMs.
    Slots,
}

/// A relation among places, in terms of VMs and nodes.
#[derive(Clone, Debug)]
pub enum Relationship {
    /// Running members only on these nodes.
    Within(VmSet, NodeSet),
    /// Running members never on these nodes.
    Outside(VmSet, NodeSet),
    /// A running VM that runs at the end as well stays on its node throughout.
    Stay(VmId),
    /// Nothing enters the node; what runs there does not migrate away.
    Sealed(NodeId),
    /// At most k running members on each node.
    AtMostPerNode(VmSet, u32),
    /// At most k running members in each group; the first group that lists a node has it.
    /// A member that moves within a group counts once.
    AtMostPerGroup(VmSet, Arc<[NodeSet]>, u32),
    /// All running members on one node.
    SameNode(VmSet),
    /// All running members in one group; the first group that lists a node has it.
    SameGroup(VmSet, Arc<[NodeSet]>),
    /// No node carries members of two different parts.
    Apart(Arc<[VmSet]>),
    /// A node that carries a member carries members only.
    Exclusive(VmSet),
    /// Each part in one group, different parts in different groups.
    GroupsApart(Arc<[VmSet]>, Arc<[NodeSet]>),
    /// What the running VMs hold on the nodes together.
    LoadAtMost(NodeSet, ResourceId, u64),
    /// The number of running VMs on the nodes together.
    CountAtMost(NodeSet, u64),
    /// The number of powered nodes of the set.
    PoweredAtMost(NodeSet, u64),
    /// What migrations, and nodes that are on, take together.
    Budget(Arc<Budget>),
    /// Any `failures` nodes of the set may crash together.
    Survive {
        /// The nodes that may crash.
        nodes: NodeSet,
        /// How many do at once.
        failures: u32,
        /// What surviving means.
        mode: FtMode,
    },
    /// The whole set of VMs changes state or place strictly in the order of the list
    /// (relocations do not count).
    Sequence(VmSet),
    /// The actions of the VM start at 0.
    NoDelay(VmId),
    /// The relocations of the VM end by then, in seconds.
    Deadline(VmId, u64),
    /// The relocations of the first end before those of the second start.
    Precedence(VmId, VmId),
    /// No two relocations of the set overlap.
    Serialize(VmSet),
    /// The relocations of the set end together (post-copy members: start together).
    Sync(VmSet),
}

/// Which constraint a fact comes from, and when and how strictly it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Index of the constraint in the instance.
    pub constraint: u32,
    /// Does it hold at every moment?
    pub continuous: bool,
    /// The price of a unit of violation; `None` where it is hard.
    pub penalty: Option<u32>,
}

/// Everything that the constraints of an instance said.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    /// Wanted states of VMs.
    pub states: Vec<(VmId, VmState, Cause)>,
    /// Wanted states of nodes: true for on.
    pub nodes: Vec<(NodeId, bool, Cause)>,
    /// Least amounts of a resource for a VM that runs at the end.
    pub demands: Vec<(VmId, ResourceId, u64, Cause)>,
    /// Overbooking ratios of nodes: the largest load of the node.
    pub overbooks: Vec<(NodeId, ResourceId, u64, Cause)>,
    /// Relations.
    pub relations: Vec<(Relationship, Cause)>,
}

/// Takes down what a constraint says. Order does not matter; saying a thing twice
/// is harmless. Sets are shared, not copied.
#[derive(Debug)]
pub struct Builder<'a> {
    instance: &'a Instance,
    cause: Cause,
    posted: Posted,
}

impl<'a> Builder<'a> {
    /// Asks every constraint of an instance.
    pub fn post_all(instance: &'a Instance) -> Posted {
        let mut builder = Self {
            instance,
            cause: Cause { constraint: 0, continuous: false, penalty: None },
            posted: Posted::default(),
        };
        for (index, constraint) in instance.constraints().iter().enumerate() {
            builder.post(index as u32, constraint);
        }
        builder.posted
    }

    fn post(&mut self, index: u32, constraint: &Constraint) {
        self.cause = Cause {
            constraint: index,
            continuous: constraint.restriction == Restriction::Continuous,
            penalty: match constraint.strength {
                Strength::Hard => None,
                Strength::Soft(penalty) => Some(penalty),
            },
        };
        constraint.rule.post(self);
    }

    /// The instance.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }

    fn relate(&mut self, relationship: Relationship) {
        self.posted.relations.push((relationship, self.cause));
    }

    /// The VM must end in this state.
    pub fn vm_state(&mut self, vm: VmId, state: VmState) {
        self.posted.states.push((vm, state, self.cause));
    }

    /// The node must end on (or off).
    pub fn node_state(&mut self, node: NodeId, online: bool) {
        self.posted.nodes.push((node, online, self.cause));
    }

    /// If the VM runs at the end, it holds at least this much.
    pub fn demand_at_least(&mut self, vm: VmId, resource: ResourceId, amount: u64) {
        self.posted.demands.push((vm, resource, amount, self.cause));
    }

    /// The node carries up to `amount` of the resource instead of its capacity.
    pub fn overbook(&mut self, node: NodeId, resource: ResourceId, amount: u64) {
        self.posted.overbooks.push((node, resource, amount, self.cause));
    }

    /// Running members only on these nodes.
    pub fn within(&mut self, vms: &VmSet, nodes: &NodeSet) {
        self.relate(Relationship::Within(vms.clone(), nodes.clone()));
    }

    /// Running members never on these nodes.
    pub fn outside(&mut self, vms: &VmSet, nodes: &NodeSet) {
        self.relate(Relationship::Outside(vms.clone(), nodes.clone()));
    }

    /// A VM that runs before and after stays on its node throughout.
    pub fn stay(&mut self, vm: VmId) {
        self.relate(Relationship::Stay(vm));
    }

    /// Nothing enters the node; what runs there does not migrate away.
    pub fn seal(&mut self, node: NodeId) {
        self.relate(Relationship::Sealed(node));
    }

    /// At most `most` running members on each node.
    pub fn at_most_per_node(&mut self, vms: &VmSet, most: u32) {
        self.relate(Relationship::AtMostPerNode(vms.clone(), most));
    }

    /// At most `most` running members in each group.
    pub fn at_most_per_group(&mut self, vms: &VmSet, groups: &Arc<[NodeSet]>, most: u32) {
        self.relate(Relationship::AtMostPerGroup(vms.clone(), groups.clone(), most));
    }

    /// All running members on one node.
    pub fn same_node(&mut self, vms: &VmSet) {
        self.relate(Relationship::SameNode(vms.clone()));
    }

    /// All running members in one of the groups.
    pub fn same_group(&mut self, vms: &VmSet, groups: &Arc<[NodeSet]>) {
        self.relate(Relationship::SameGroup(vms.clone(), groups.clone()));
    }

    /// No node carries members of two different parts.
    pub fn apart(&mut self, parts: &Arc<[VmSet]>) {
        self.relate(Relationship::Apart(parts.clone()));
    }

    /// A node that carries a member carries members only.
    pub fn exclusive(&mut self, vms: &VmSet) {
        self.relate(Relationship::Exclusive(vms.clone()));
    }

    /// Each part in one group, different parts in different groups.
    pub fn groups_apart(&mut self, parts: &Arc<[VmSet]>, groups: &Arc<[NodeSet]>) {
        self.relate(Relationship::GroupsApart(parts.clone(), groups.clone()));
    }

    /// The running VMs hold at most `amount` on the nodes together.
    pub fn load_at_most(&mut self, nodes: &NodeSet, resource: ResourceId, amount: u64) {
        self.relate(Relationship::LoadAtMost(nodes.clone(), resource, amount));
    }

    /// At most `amount` VMs run on the nodes together.
    pub fn count_at_most(&mut self, nodes: &NodeSet, amount: u64) {
        self.relate(Relationship::CountAtMost(nodes.clone(), amount));
    }

    /// At most `amount` of the nodes are powered.
    pub fn powered_at_most(&mut self, nodes: &NodeSet, amount: u64) {
        self.relate(Relationship::PoweredAtMost(nodes.clone(), amount));
    }

    /// Migrations, and nodes that are on, share an amount.
    pub fn budget(&mut self, budget: Budget) {
        self.relate(Relationship::Budget(Arc::new(budget)));
    }

    /// Any `failures` of the nodes may crash together.
    pub fn survive(&mut self, nodes: &NodeSet, failures: u32, mode: FtMode) {
        self.relate(Relationship::Survive { nodes: nodes.clone(), failures, mode });
    }

    /// The VMs change state one after the other, in this order.
    pub fn sequence(&mut self, vms: &VmSet) {
        self.relate(Relationship::Sequence(vms.clone()));
    }

    /// The VM's actions start at 0.
    pub fn no_delay(&mut self, vm: VmId) {
        self.relate(Relationship::NoDelay(vm));
    }

    /// The VM's relocations end by then.
    pub fn deadline(&mut self, vm: VmId, seconds: u64) {
        self.relate(Relationship::Deadline(vm, seconds));
    }

    /// The relocations of `first` end before those of `then` start.
    pub fn precedence(&mut self, first: VmId, then: VmId) {
        self.relate(Relationship::Precedence(first, then));
    }

    /// No two relocations of the VMs overlap.
    pub fn serialize(&mut self, vms: &VmSet) {
        self.relate(Relationship::Serialize(vms.clone()));
    }

    /// The relocations of the VMs end together.
    pub fn sync(&mut self, vms: &VmSet) {
        self.relate(Relationship::Sync(vms.clone()));
    }
}

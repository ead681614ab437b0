//! The instance: nodes, VMs, where they are, what they need, what must hold.

mod action;
mod attribute;
mod behaviour;
mod builder;
mod cargo;
mod configuration;
mod duration;
mod element;
mod figures;
mod id;
mod metrics;
mod migration;
mod network;
mod plan;
mod power;
mod roads;
mod run;
mod topology;

pub use action::Action;
pub use action::ActionKind;
pub use action::Reason;
pub use attribute::Attributes;
pub use attribute::Value;
pub use behaviour::Behaviour;
pub use behaviour::Live;
pub(crate) use behaviour::Parameter;
pub use builder::BuildError;
pub use builder::InstanceBuilder;
pub use builder::Part;
pub use cargo::Cargo;
pub use cargo::CargoError;
pub use cargo::Flow;
pub use cargo::Mode;
pub use cargo::SharedModel;
pub use configuration::Configuration;
pub use configuration::NodePhase;
pub use duration::Duration;
pub use duration::DurationError;
pub use duration::Durations;
pub use duration::Timed;
pub use element::Elements;
pub(crate) use figures::Figure;
pub use figures::FigureError;
pub(crate) use figures::fault_of_hot_memory;
pub(crate) use figures::known_attributes;
pub(crate) use figures::meant_by;
pub use id::NodeId;
pub use id::NodeSet;
pub use id::ResourceId;
pub use id::VmId;
pub use id::VmSet;
pub use metrics::Metrics;
pub use migration::Footprint;
pub use migration::Measured;
pub use migration::MigrationError;
pub use migration::MigrationModel;
pub use migration::PostCopy;
pub use migration::PreCopy;
pub use migration::Rounds;
pub use migration::Transfer;
pub use migration::payload;
pub use network::Allowance;
pub use network::Endpoint;
pub use network::Link;
pub use network::Network;
pub use network::NetworkError;
pub use network::NetworkPart;
pub use network::Route;
pub use network::Routing;
pub use network::Switch;
pub use plan::Plan;
pub use roads::Roads;
pub use run::Run;
pub use topology::Channel;
pub use topology::Path;
pub use topology::Topology;

use crate::constraint::Constraint;
use crate::objective::Objective;

/// Where a VM is, and in what state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Known by name only; it exists once it has been forged.
    Init,
    /// Exists, runs nowhere.
    Ready,
    /// Runs on the node.
    Running(NodeId),
    /// Suspended; its image lies on the node.
    Sleeping(NodeId),
    /// Gone.
    Killed,
}

impl Place {
    /// The state without the node.
    pub fn state(self) -> VmState {
        match self {
            Place::Init => VmState::Init,
            Place::Ready => VmState::Ready,
            Place::Running(_) => VmState::Running,
            Place::Sleeping(_) => VmState::Sleeping,
            Place::Killed => VmState::Killed,
        }
    }

    /// The node that runs the VM or stores its image.
    pub fn node(self) -> Option<NodeId> {
        match self {
            Place::Running(node) | Place::Sleeping(node) => Some(node),
            _ => None,
        }
    }

    /// The node that runs the VM.
    pub fn host(self) -> Option<NodeId> {
        match self {
            Place::Running(node) => Some(node),
            _ => None,
        }
    }
}

/// The state of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VmState {
    /// Known by name only.
    Init,
    /// Exists, runs nowhere.
    Ready,
    /// Runs on a node.
    Running,
    /// Suspended on a node.
    Sleeping,
    /// Gone.
    Killed,
}

impl VmState {
    /// The word that formats and messages use.
    pub fn name(self) -> &'static str {
        match self {
            VmState::Init => "init",
            VmState::Ready => "ready",
            VmState::Running => "running",
            VmState::Sleeping => "sleeping",
            VmState::Killed => "killed",
        }
    }
}

/// A named dimension: what nodes offer and running VMs take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name that constraints use.
    pub name: String,
    /// Capacity of a node of which nothing else is said.
    pub default_capacity: u64,
    /// Demand of a VM of which nothing else is said.
    pub default_demand: u64,
    /// Capacity by node, in the unit of the resource.
    pub capacity: Vec<u64>,
    /// Demand by VM while it runs, before the plan.
    pub demand: Vec<u64>,
}

/// The whole question: a cluster, what must hold, and what is preferred.
///
/// All ids are dense: `VmId(0)` to `VmId(vm_count - 1)`, the same for nodes and
/// resources. Built by [`InstanceBuilder`] or read by [`crate::format`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    pub(crate) vms: Elements,
    pub(crate) nodes: Elements,
    pub(crate) places: Vec<Place>,
    pub(crate) online: Vec<bool>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) durations: Durations,
    pub(crate) network: Option<Network>,
    pub(crate) migration_model: SharedModel,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) objective: Objective,
}

impl Instance {
    /// Number of VMs.
    pub fn vm_count(&self) -> usize {
        self.places.len()
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.online.len()
    }

    /// Number of resources.
    pub fn resource_count(&self) -> usize {
        self.resources.len()
    }

    /// All VMs, in the order of their ids.
    pub fn vm_ids(&self) -> impl ExactSizeIterator<Item = VmId> + use<> {
        (0..self.places.len()).map(VmId::from_index)
    }

    /// All nodes, in the order of their ids.
    pub fn node_ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.online.len()).map(NodeId::from_index)
    }

    /// All resources, in the order of their ids.
    pub fn resource_ids(&self) -> impl ExactSizeIterator<Item = ResourceId> + use<> {
        (0..self.resources.len()).map(ResourceId::from_index)
    }

    /// Names, tags and attributes of the VMs.
    pub fn vms(&self) -> &Elements {
        &self.vms
    }

    /// Names, tags and attributes of the nodes.
    pub fn nodes(&self) -> &Elements {
        &self.nodes
    }

    /// The name of a VM.
    pub fn vm_name(&self, vm: VmId) -> &str {
        self.vms.name(vm.index())
    }

    /// The name of a node.
    pub fn node_name(&self, node: NodeId) -> &str {
        self.nodes.name(node.index())
    }

    /// The name of a resource.
    pub fn resource_name(&self, resource: ResourceId) -> &str {
        &self.resources[resource.index()].name
    }

    /// The resource of that name. Linear in the number of resources.
    pub fn resource_named(&self, name: &str) -> Option<ResourceId> {
        let at = self.resources.iter().position(|r| r.name == name)?;
        Some(ResourceId::from_index(at))
    }

    /// Where a VM is before the plan.
    pub fn place(&self, vm: VmId) -> Place {
        self.places[vm.index()]
    }

    /// Is the node on before the plan?
    pub fn is_online(&self, node: NodeId) -> bool {
        self.online[node.index()]
    }

    /// The resources.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// What a node offers of a resource.
    pub fn capacity(&self, node: NodeId, resource: ResourceId) -> u64 {
        self.resources[resource.index()].capacity[node.index()]
    }

    /// What a VM takes of a resource while it runs, before the plan.
    pub fn demand(&self, vm: VmId, resource: ResourceId) -> u64 {
        self.resources[resource.index()].demand[vm.index()]
    }

    /// How long actions take.
    pub fn durations(&self) -> &Durations {
        &self.durations
    }

    /// The network, where one is described.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// How long migrations take on the network.
    pub fn migration_model(&self) -> &SharedModel {
        &self.migration_model
    }

    /// What must hold, and what had better hold.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Adds a constraint.
    pub fn add_constraint(&mut self, constraint: Constraint) {
        self.constraints.push(constraint);
    }

    /// What is minimised.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Sets what is minimised.
    pub fn set_objective(&mut self, objective: Objective) {
        self.objective = objective;
    }

    /// May the VM be moved by forging a copy, booting that and stopping the original?
    ///
    /// True when the attribute `clone` is true and `template` is set.
    pub fn can_reinstantiate(&self, vm: VmId) -> bool {
        let attributes = self.vms.attributes();
        attributes.get(vm.index(), "clone").and_then(Value::as_bool) == Some(true)
            && attributes.get(vm.index(), "template").is_some()
    }
}

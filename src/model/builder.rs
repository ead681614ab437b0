//! Building instances in a program.

use super::Attributes;
use super::Duration;
use super::FigureError;
use super::Instance;
use super::MigrationModel;
use super::Network;
use super::NetworkError;
use super::NetworkPart;
use super::NodeId;
use super::Place;
use super::Resource;
use super::ResourceId;
use super::SharedModel;
use super::Timed;
use super::Topology;
use super::Value;
use super::VmId;
use crate::constraint::Constraint;
use crate::objective::Objective;
use rustc_hash::FxHashMap;
use std::fmt;

/// What a mistake in an instance is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The instance as a whole.
    #[default]
    Instance,
    /// An attribute of a VM.
    Vm(VmId, &'static str),
    /// An attribute of a node.
    Node(NodeId, &'static str),
    /// The network.
    Network(NetworkPart),
}

/// An instance that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// What it is about.
    pub part: Part,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What can be done about it, where any network can be said.
    pub advice: Option<&'static str>,
}

impl BuildError {
    fn whole(message: String) -> Self {
        Self { part: Part::Instance, message, advice: None }
    }
}

impl From<FigureError> for BuildError {
    fn from(error: FigureError) -> Self {
        Self { part: error.part, message: error.message, advice: None }
    }
}

impl From<NetworkError> for BuildError {
    fn from(error: NetworkError) -> Self {
        let message = error.said_of(&error.subject);
        Self { part: Part::Network(error.part), message, advice: error.advice }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds an [`Instance`], element by element; mistakes are reported by `build`.
///
/// ```
/// use quadrille::constraint::{Constraint, spread::Spread};
/// use quadrille::model::InstanceBuilder;
///
/// let mut b = InstanceBuilder::new();
/// let cpu = b.resource("cpu");
/// let n1 = b.node("n1");
/// let n2 = b.node("n2");
/// b.capacity(n1, cpu, 8).capacity(n2, cpu, 8);
/// let web = b.running_vm("web", n1);
/// let db = b.running_vm("db", n1);
/// b.demand(web, cpu, 2).demand(db, cpu, 4);
/// b.constraint(Constraint::new(Spread { vms: [web, db].into() }));
/// let instance = b.build()?;
/// assert_eq!(instance.vm_count(), 2);
/// # Ok::<(), quadrille::model::BuildError>(())
/// ```
#[derive(Debug, Default)]
pub struct InstanceBuilder {
    instance: Instance,
    vm_table: FxHashMap<Box<str>, u32>,
    node_table: FxHashMap<Box<str>, u32>,
    vm_attributes: Rows,
    node_attributes: Rows,
    mistake: Option<String>,
}

#[derive(Debug, Default)]
struct Rows {
    keys: Vec<String>,
    rows: Vec<(u32, u16, Value)>,
}

impl Rows {
    fn add(&mut self, element: u32, key: &str, value: Value) {
        let at = self.keys.iter().position(|other| other == key).unwrap_or_else(|| {
            self.keys.push(key.to_owned());
            self.keys.len() - 1
        });
        self.rows.push((element, at as u16, value));
    }

    fn table(self) -> Attributes {
        Attributes::from_rows(self.rows, self.keys)
    }
}

impl InstanceBuilder {
    /// The most that all capacities (or all demands) of a resource may add up to.
    pub const LARGEST_SUM: u64 = 1 << 60;

    /// An empty cluster.
    pub fn new() -> Self {
        Self::default()
    }

    fn mistake(&mut self, message: String) {
        self.mistake.get_or_insert(message);
    }

    /// Adds an online node.
    pub fn node(&mut self, name: &str) -> NodeId {
        let id = NodeId::from_index(self.instance.online.len());
        if self.node_table.insert(name.into(), id.0).is_some() {
            self.mistake(format!("node `{name}` is declared twice"));
        }
        self.instance.nodes.push(name);
        self.instance.online.push(true);
        for resource in &mut self.instance.resources {
            resource.capacity.push(resource.default_capacity);
        }
        id
    }

    /// Adds an offline node.
    pub fn offline_node(&mut self, name: &str) -> NodeId {
        let id = self.node(name);
        self.instance.online[id.index()] = false;
        id
    }

    /// Adds a VM.
    pub fn vm(&mut self, name: &str, place: Place) -> VmId {
        let id = VmId::from_index(self.instance.places.len());
        if self.vm_table.insert(name.into(), id.0).is_some() {
            self.mistake(format!("VM `{name}` is declared twice"));
        }
        self.instance.vms.push(name);
        self.instance.places.push(place);
        for resource in &mut self.instance.resources {
            resource.demand.push(resource.default_demand);
        }
        id
    }

    /// Adds a running VM.
    pub fn running_vm(&mut self, name: &str, node: NodeId) -> VmId {
        self.vm(name, Place::Running(node))
    }

    /// Adds a VM that exists and runs nowhere.
    pub fn ready_vm(&mut self, name: &str) -> VmId {
        self.vm(name, Place::Ready)
    }

    /// Adds a suspended VM.
    pub fn sleeping_vm(&mut self, name: &str, node: NodeId) -> VmId {
        self.vm(name, Place::Sleeping(node))
    }

    /// Moves a VM that was added before.
    pub fn place(&mut self, vm: VmId, place: Place) -> &mut Self {
        self.instance.places[vm.index()] = place;
        self
    }

    /// The VM of a name.
    pub fn vm_named(&self, name: &str) -> Option<VmId> {
        self.vm_table.get(name).copied().map(VmId)
    }

    /// The node of a name.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.node_table.get(name).copied().map(NodeId)
    }

    /// Adds a resource; capacities and demands are 0 where nothing else is said.
    pub fn resource(&mut self, name: &str) -> ResourceId {
        self.resource_with_defaults(name, 0, 0)
    }

    /// Adds a resource with a default capacity and a default demand.
    pub fn resource_with_defaults(&mut self, name: &str, capacity: u64, demand: u64) -> ResourceId {
        if self.instance.resource_named(name).is_some() {
            self.mistake(format!("resource `{name}` is declared twice"));
        }
        let id = ResourceId::from_index(self.instance.resources.len());
        self.instance.resources.push(Resource {
            name: name.to_owned(),
            default_capacity: capacity,
            default_demand: demand,
            capacity: vec![capacity; self.instance.online.len()],
            demand: vec![demand; self.instance.places.len()],
        });
        id
    }

    /// Sets what a node offers.
    pub fn capacity(&mut self, node: NodeId, resource: ResourceId, amount: u64) -> &mut Self {
        self.instance.resources[resource.index()].capacity[node.index()] = amount;
        self
    }

    /// Sets what a VM takes while it runs.
    pub fn demand(&mut self, vm: VmId, resource: ResourceId, amount: u64) -> &mut Self {
        self.instance.resources[resource.index()].demand[vm.index()] = amount;
        self
    }

    /// Sets an attribute of a VM.
    pub fn vm_attribute(&mut self, vm: VmId, key: &str, value: Value) -> &mut Self {
        self.vm_attributes.add(vm.0, key, value);
        self
    }

    /// Sets an attribute of a node.
    pub fn node_attribute(&mut self, node: NodeId, key: &str, value: Value) -> &mut Self {
        self.node_attributes.add(node.0, key, value);
        self
    }

    /// Sets the tags of a VM.
    pub fn vm_tags(&mut self, vm: VmId, tags: Vec<String>) -> &mut Self {
        if !tags.is_empty() {
            self.instance.vms.tags.insert(vm.0, tags);
        }
        self
    }

    /// Sets the tags of a node.
    pub fn node_tags(&mut self, node: NodeId, tags: Vec<String>) -> &mut Self {
        if !tags.is_empty() {
            self.instance.nodes.tags.insert(node.0, tags);
        }
        self
    }

    /// Sets how long a kind of action takes where no attribute says so.
    pub fn duration(&mut self, kind: Timed, duration: Duration) -> &mut Self {
        self.instance.durations.set(kind, duration);
        self
    }

    /// Says how long migrations take on the network, instead of
    /// [`PreCopy`](super::PreCopy).
    pub fn migration_model(&mut self, model: impl MigrationModel + 'static) -> &mut Self {
        self.instance.migration_model = SharedModel::new(model);
        self
    }

    /// Describes the network.
    pub fn network(&mut self, network: Network) -> &mut Self {
        self.instance.network = Some(network);
        self
    }

    /// Adds a constraint.
    pub fn constraint(&mut self, constraint: Constraint) -> &mut Self {
        self.instance.constraints.push(constraint);
        self
    }

    /// Sets what is minimised.
    pub fn objective(&mut self, objective: Objective) -> &mut Self {
        self.instance.objective = objective;
        self
    }

    /// The instance.
    ///
    /// # Errors
    /// Names declared twice, VMs on nodes that are off, sums past
    /// [`InstanceBuilder::LARGEST_SUM`], attributes that are no such figures (see
    /// [`Instance::check_figures`]), a network that cannot be used, constraints that do not fit
    /// the instance.
    pub fn build(mut self) -> Result<Instance, BuildError> {
        self.instance.vms.attributes = std::mem::take(&mut self.vm_attributes).table();
        self.instance.nodes.attributes = std::mem::take(&mut self.node_attributes).table();
        if let Some(message) = self.mistake {
            return Err(BuildError::whole(message));
        }
        self.instance.check()?;
        Ok(self.instance)
    }
}

impl Instance {
    /// Checks what all readers and builders must guarantee.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let fail = |message| Err(BuildError::whole(message));
        for vm in self.vm_ids() {
            let Some(node) = self.place(vm).node() else { continue };
            if node.index() >= self.node_count() {
                return fail(format!("VM `{}` is on a node that does not exist", self.vm_name(vm)));
            }
            if !self.is_online(node) {
                return fail(format!(
                    "VM `{}` is {} on node `{}`, which is offline",
                    self.vm_name(vm),
                    self.place(vm).state().name(),
                    self.node_name(node)
                ));
            }
        }
        for resource in &self.resources {
            for (what, amounts) in [("capacities", &resource.capacity), ("demands", &resource.demand)] {
                let sum = amounts.iter().try_fold(0u64, |sum, &amount| sum.checked_add(amount));
                if sum.is_none_or(|sum| sum > InstanceBuilder::LARGEST_SUM) {
                    return fail(format!(
                        "the {what} of resource `{}` add up to more than {}",
                        resource.name,
                        InstanceBuilder::LARGEST_SUM
                    ));
                }
            }
        }
        self.check_figures()?;
        if let Some(network) = &self.network {
            network.check_names()?;
            Topology::new(network, self)?;
        }
        for constraint in &self.constraints {
            constraint.fits(self).map_err(BuildError::whole)?;
        }
        Ok(())
    }
}

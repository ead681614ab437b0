//! Who is where, in what state, at one moment.

use super::Instance;
use super::NodeId;
use super::Place;
use super::ResourceId;
use super::VmId;
use super::VmState;
use rustc_hash::FxHashMap;

/// The phase of a node at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodePhase {
    /// Off; hosts nothing.
    Offline,
    /// On its way up; hosts nothing yet, already draws power.
    Booting,
    /// On; may host.
    Online,
    /// On its way down; hosts nothing any more, still draws power.
    ShuttingDown,
}

/// Who is where, in what state, at one moment of a plan.
///
/// A VM in migration holds *both* nodes: it is among the guests of each, and its
/// demand is in the load of each. A booting or resuming VM is `Running` from the
/// start of that action, a stopping VM until its end. Loads and guests are kept up
/// to date by the operations, so a rule may ask for them at no cost.
#[derive(Clone, Debug)]
pub struct Configuration<'a> {
    instance: &'a Instance,
    phases: Vec<NodePhase>,
    places: Vec<Place>,
    /// By VM and resource: what the VM holds at its node while it runs.
    held: Vec<u64>,
    /// VMs in transit: where they go, and what they hold there.
    transit: FxHashMap<VmId, (NodeId, Box<[u64]>)>,
    guests: Vec<Vec<VmId>>,
    load: Vec<u64>,
}

impl<'a> Configuration<'a> {
    /// The moment before the plan. O(VMs + nodes).
    pub fn source(instance: &'a Instance) -> Self {
        let resources = instance.resource_count();
        let phases = instance
            .node_ids()
            .map(|node| if instance.is_online(node) { NodePhase::Online } else { NodePhase::Offline })
            .collect();
        let mut held = Vec::with_capacity(instance.vm_count() * resources);
        for vm in instance.vm_ids() {
            held.extend(instance.resource_ids().map(|resource| instance.demand(vm, resource)));
        }
        let mut configuration = Self {
            instance,
            phases,
            places: instance.places.clone(),
            held,
            transit: FxHashMap::default(),
            guests: vec![Vec::new(); instance.node_count()],
            load: vec![0; instance.node_count() * resources],
        };
        for vm in instance.vm_ids() {
            if let Some(node) = configuration.places[vm.index()].host() {
                configuration.add_guest(vm, node, None);
            }
        }
        configuration
    }

    /// The instance that this is a moment of.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// State and (first) node of a VM.
    pub fn place(&self, vm: VmId) -> Place {
        self.places[vm.index()]
    }

    /// State of a VM.
    pub fn state(&self, vm: VmId) -> VmState {
        self.places[vm.index()].state()
    }

    /// Does the VM run (boots and resumes included)?
    pub fn is_running(&self, vm: VmId) -> bool {
        matches!(self.places[vm.index()], Place::Running(_))
    }

    /// The node that a running VM is on, or leaves.
    pub fn host(&self, vm: VmId) -> Option<NodeId> {
        self.places[vm.index()].host()
    }

    /// The node that a VM in transit goes to.
    pub fn arriving(&self, vm: VmId) -> Option<NodeId> {
        if self.transit.is_empty() {
            return None;
        }
        self.transit.get(&vm).map(|(node, _)| *node)
    }

    /// The nodes that a running VM holds: none, one, or two while it is in transit.
    pub fn hosts(&self, vm: VmId) -> impl Iterator<Item = NodeId> {
        self.host(vm).into_iter().chain(self.arriving(vm))
    }

    /// The running VMs that hold a node, in no particular order.
    pub fn guests(&self, node: NodeId) -> &[VmId] {
        &self.guests[node.index()]
    }

    /// What the guests of a node hold of a resource.
    pub fn load(&self, node: NodeId, resource: ResourceId) -> u64 {
        self.load[node.index() * self.instance.resource_count() + resource.index()]
    }

    /// What a VM holds of a resource at its (first) node if it runs, or would hold
    /// if it ran now.
    pub fn demand(&self, vm: VmId, resource: ResourceId) -> u64 {
        self.held[vm.index() * self.instance.resource_count() + resource.index()]
    }

    /// What a VM holds of a resource on a node that it holds; 0 elsewhere.
    pub fn demand_on(&self, vm: VmId, node: NodeId, resource: ResourceId) -> u64 {
        let mut sum = 0;
        if self.host(vm) == Some(node) {
            sum += self.demand(vm, resource);
        }
        if let Some((to, held)) = self.transit.get(&vm)
            && *to == node
        {
            sum += held[resource.index()];
        }
        sum
    }

    /// The phase of a node.
    pub fn phase(&self, node: NodeId) -> NodePhase {
        self.phases[node.index()]
    }

    /// Is the node on in any way: booting, online or shutting down?
    pub fn is_powered(&self, node: NodeId) -> bool {
        self.phases[node.index()] != NodePhase::Offline
    }

    /// May the node host VMs now?
    pub fn is_online(&self, node: NodeId) -> bool {
        self.phases[node.index()] == NodePhase::Online
    }

    /// Sets the phase of a node.
    pub fn set_phase(&mut self, node: NodeId, phase: NodePhase) {
        self.phases[node.index()] = phase;
    }

    /// Moves a VM to a place at once: no transit. Ends any transit under way.
    pub fn put(&mut self, vm: VmId, place: Place) {
        self.cancel_transit(vm);
        if let Some(node) = self.places[vm.index()].host() {
            self.remove_guest(vm, node, None);
        }
        self.places[vm.index()] = place;
        if let Some(node) = place.host() {
            self.add_guest(vm, node, None);
        }
    }

    /// A running VM starts to move: from now on it holds `to` as well, with the
    /// given amounts (by resource) there.
    pub fn enter(&mut self, vm: VmId, to: NodeId, held: Box<[u64]>) {
        debug_assert_eq!(held.len(), self.instance.resource_count());
        self.cancel_transit(vm);
        self.add_guest(vm, to, Some(&held));
        self.transit.insert(vm, (to, held));
    }

    /// A VM in transit has arrived: it no longer holds the node it came from.
    pub fn arrive(&mut self, vm: VmId) {
        let Some((to, held)) = self.transit.remove(&vm) else { return };
        if let Some(from) = self.places[vm.index()].host() {
            self.remove_guest(vm, from, None);
        }
        let resources = held.len();
        let at = vm.index() * resources;
        self.held[at..at + resources].copy_from_slice(&held);
        self.places[vm.index()] = Place::Running(to);
    }

    /// Sets what a VM holds of a resource at its (first) node, or would hold if it ran.
    pub fn allocate(&mut self, vm: VmId, resource: ResourceId, amount: u64) {
        let resources = self.instance.resource_count();
        let at = vm.index() * resources + resource.index();
        if let Some(node) = self.host(vm) {
            let load = &mut self.load[node.index() * resources + resource.index()];
            *load = *load - self.held[at] + amount;
        }
        self.held[at] = amount;
    }

    fn cancel_transit(&mut self, vm: VmId) {
        if self.transit.is_empty() {
            return;
        }
        if let Some((to, held)) = self.transit.remove(&vm) {
            self.remove_guest(vm, to, Some(&held));
        }
    }

    fn add_guest(&mut self, vm: VmId, node: NodeId, held: Option<&[u64]>) {
        self.guests[node.index()].push(vm);
        let resources = self.instance.resource_count();
        let from = vm.index() * resources;
        let held = held.unwrap_or(&self.held[from..from + resources]);
        let load = &mut self.load[node.index() * resources..][..resources];
        for (load, held) in load.iter_mut().zip(held) {
            *load += held;
        }
    }

    fn remove_guest(&mut self, vm: VmId, node: NodeId, held: Option<&[u64]>) {
        let guests = &mut self.guests[node.index()];
        if let Some(at) = guests.iter().position(|&other| other == vm) {
            guests.swap_remove(at);
        }
        let resources = self.instance.resource_count();
        let from = vm.index() * resources;
        let held = held.unwrap_or(&self.held[from..from + resources]);
        let load = &mut self.load[node.index() * resources..][..resources];
        for (load, held) in load.iter_mut().zip(held) {
            *load -= held;
        }
    }
}

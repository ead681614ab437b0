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
/// to date by the operations, each in constant time (times the number of resources),
/// so a rule may ask for them at no cost. Ids must be those of the instance.
#[derive(Clone, Debug)]
pub struct Configuration<'a> {
    instance: &'a Instance,
    phases: Vec<NodePhase>,
    places: Vec<Place>,
    /// By VM and resource: what the VM holds at its node while it runs.
    held: Vec<u64>,
    /// By VM: where it stands in the list of guests (or of images) of its node.
    seats: Vec<u32>,
    /// VMs in transit: where they go.
    transit: FxHashMap<VmId, Transit>,
    /// By node: the running VMs that hold it, and the images that lie on it.
    guests: Vec<Vec<VmId>>,
    images: Vec<Vec<VmId>>,
    /// By node and resource. Wide, since amounts that rules ask for may be huge.
    load: Vec<u128>,
}

/// The second node of a VM on the move.
#[derive(Clone, Debug)]
struct Transit {
    to: NodeId,
    /// What it holds there, by resource.
    held: Box<[u64]>,
    /// Where it stands in the list of guests there.
    seat: u32,
}

impl<'a> Configuration<'a> {
    /// The moment before the plan. O((VMs + nodes) × resources).
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
            seats: vec![0; instance.vm_count()],
            transit: FxHashMap::default(),
            guests: vec![Vec::new(); instance.node_count()],
            images: vec![Vec::new(); instance.node_count()],
            load: vec![0; instance.node_count() * resources],
        };
        for vm in instance.vm_ids() {
            configuration.settle(vm);
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
        self.transit.get(&vm).map(|transit| transit.to)
    }

    /// The VMs in transit, each with the node that it leaves and the one that it goes to, in no
    /// particular order.
    pub fn in_transit(&self) -> impl Iterator<Item = (VmId, NodeId, NodeId)> {
        self.transit.iter().filter_map(|(&vm, transit)| Some((vm, self.host(vm)?, transit.to)))
    }

    /// The nodes that a running VM holds: none, one, or two while it is in transit.
    pub fn hosts(&self, vm: VmId) -> impl Iterator<Item = NodeId> {
        self.host(vm).into_iter().chain(self.arriving(vm))
    }

    /// The running VMs that hold a node, in no particular order.
    pub fn guests(&self, node: NodeId) -> &[VmId] {
        &self.guests[node.index()]
    }

    /// The sleeping VMs whose images lie on a node, in no particular order.
    pub fn images(&self, node: NodeId) -> &[VmId] {
        &self.images[node.index()]
    }

    /// What the guests of a node hold of a resource; `u64::MAX` if that is more than
    /// 64 bits can say.
    pub fn load(&self, node: NodeId, resource: ResourceId) -> u64 {
        let load = self.load[node.index() * self.instance.resource_count() + resource.index()];
        u64::try_from(load).unwrap_or(u64::MAX)
    }

    /// What a VM holds of a resource at its (first) node if it runs, or would hold
    /// if it ran now.
    pub fn demand(&self, vm: VmId, resource: ResourceId) -> u64 {
        self.held[vm.index() * self.instance.resource_count() + resource.index()]
    }

    /// What a VM holds of a resource on a node that it holds; 0 elsewhere.
    pub fn demand_on(&self, vm: VmId, node: NodeId, resource: ResourceId) -> u64 {
        let mut sum: u64 = 0;
        if self.host(vm) == Some(node) {
            sum = self.demand(vm, resource);
        }
        if self.arriving(vm) == Some(node)
            && let Some(transit) = self.transit.get(&vm)
        {
            sum = sum.saturating_add(transit.held[resource.index()]);
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
        self.unsettle(vm);
        self.places[vm.index()] = place;
        self.settle(vm);
    }

    /// A running VM starts to move to another node: from now on it holds `to` as
    /// well, with the given amounts (one for each resource) there. Nothing happens to
    /// a VM that does not run, or that runs there already.
    pub fn enter(&mut self, vm: VmId, to: NodeId, held: Box<[u64]>) {
        debug_assert_eq!(held.len(), self.instance.resource_count());
        if !self.is_running(vm) || self.host(vm) == Some(to) {
            return;
        }
        self.cancel_transit(vm);
        let seat = self.guests[to.index()].len() as u32;
        self.guests[to.index()].push(vm);
        for (load, &held) in self.loads_mut(to).iter_mut().zip(&held) {
            *load += u128::from(held);
        }
        self.transit.insert(vm, Transit { to, held, seat });
    }

    /// A VM in transit has arrived: it no longer holds the node it came from.
    pub fn arrive(&mut self, vm: VmId) {
        let Some(Transit { to, held, seat }) = self.transit.remove(&vm) else { return };
        self.unsettle(vm);
        let at = vm.index() * self.instance.resource_count();
        for (mine, &held) in self.held[at..].iter_mut().zip(&held) {
            *mine = held;
        }
        self.places[vm.index()] = Place::Running(to);
        self.seats[vm.index()] = seat;
    }

    /// Sets what a VM holds of a resource at its (first) node, or would hold if it ran.
    pub fn allocate(&mut self, vm: VmId, resource: ResourceId, amount: u64) {
        let resources = self.instance.resource_count();
        let at = vm.index() * resources + resource.index();
        if let Some(node) = self.host(vm) {
            let load = &mut self.load[node.index() * resources + resource.index()];
            *load = *load - u128::from(self.held[at]) + u128::from(amount);
        }
        self.held[at] = amount;
    }

    fn loads_mut(&mut self, node: NodeId) -> &mut [u128] {
        let resources = self.instance.resource_count();
        &mut self.load[node.index() * resources..][..resources]
    }

    /// Takes a seat at the place where the VM is.
    fn settle(&mut self, vm: VmId) {
        let resources = self.instance.resource_count();
        let list = match self.places[vm.index()] {
            Place::Running(node) => {
                let load = &mut self.load[node.index() * resources..][..resources];
                for (load, &held) in load.iter_mut().zip(&self.held[vm.index() * resources..]) {
                    *load += u128::from(held);
                }
                &mut self.guests[node.index()]
            }
            Place::Sleeping(node) => &mut self.images[node.index()],
            Place::Init | Place::Ready | Place::Killed => return,
        };
        self.seats[vm.index()] = list.len() as u32;
        list.push(vm);
    }

    /// Gives up the seat at the place where the VM is.
    fn unsettle(&mut self, vm: VmId) {
        let resources = self.instance.resource_count();
        let seat = self.seats[vm.index()];
        match self.places[vm.index()] {
            Place::Running(node) => {
                let load = &mut self.load[node.index() * resources..][..resources];
                for (load, &held) in load.iter_mut().zip(&self.held[vm.index() * resources..]) {
                    *load -= u128::from(held);
                }
                self.leave_guests(node, seat);
            }
            Place::Sleeping(node) => {
                let images = &mut self.images[node.index()];
                images.swap_remove(seat as usize);
                if let Some(&moved) = images.get(seat as usize) {
                    self.seats[moved.index()] = seat;
                }
            }
            Place::Init | Place::Ready | Place::Killed => {}
        }
    }

    /// Takes whoever sits there off the list of guests; the last guest gets the seat.
    fn leave_guests(&mut self, node: NodeId, seat: u32) {
        let guests = &mut self.guests[node.index()];
        guests.swap_remove(seat as usize);
        let Some(&moved) = guests.get(seat as usize) else { return };
        match self.transit.get_mut(&moved) {
            Some(transit) if transit.to == node => transit.seat = seat,
            _ => self.seats[moved.index()] = seat,
        }
    }

    fn cancel_transit(&mut self, vm: VmId) {
        if self.transit.is_empty() {
            return;
        }
        let Some(Transit { to, held, seat }) = self.transit.remove(&vm) else { return };
        for (load, &held) in self.loads_mut(to).iter_mut().zip(&held) {
            *load -= u128::from(held);
        }
        self.leave_guests(to, seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use proptest::prelude::*;

    struct Three {
        instance: Instance,
        nodes: [NodeId; 3],
        vms: [VmId; 3],
        cpu: ResourceId,
    }

    /// a (2 cpu) and b (3 cpu) run on n0, c (5 cpu) sleeps on n1; n2 is off.
    fn three() -> Three {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource("cpu");
        let nodes = [b.node("n0"), b.node("n1"), b.offline_node("n2")];
        let vms = [b.running_vm("a", nodes[0]), b.running_vm("b", nodes[0]), b.sleeping_vm("c", nodes[1])];
        for (vm, amount) in vms.into_iter().zip([2, 3, 5]) {
            b.demand(vm, cpu, amount);
        }
        Three { instance: b.build().expect("a valid instance"), nodes, vms, cpu }
    }

    #[test]
    fn the_source_is_what_the_instance_says() {
        let Three { instance, nodes: [n0, n1, n2], vms: [a, b, c], cpu } = three();
        let at = Configuration::source(&instance);
        assert_eq!(at.guests(n0), [a, b]);
        assert_eq!((at.load(n0, cpu), at.load(n1, cpu)), (5, 0));
        assert_eq!(at.images(n1), [c]);
        assert_eq!(at.state(c), VmState::Sleeping);
        assert_eq!(at.hosts(c).count(), 0);
        assert!(at.is_online(n0) && !at.is_powered(n2));
    }

    #[test]
    fn a_migrant_holds_both_nodes_each_with_its_own_amount() {
        let Three { instance, nodes: [n0, n1, _], vms: [a, b, _], cpu } = three();
        let mut at = Configuration::source(&instance);
        at.enter(a, n1, Box::new([7]));
        assert_eq!(at.hosts(a).collect::<Vec<_>>(), [n0, n1]);
        assert_eq!((at.load(n0, cpu), at.load(n1, cpu)), (5, 7));
        assert_eq!((at.demand_on(a, n0, cpu), at.demand_on(a, n1, cpu), at.demand(a, cpu)), (2, 7, 2));
        at.arrive(a);
        assert_eq!((at.guests(n0), at.guests(n1)), (&[b][..], &[a][..]));
        assert_eq!((at.load(n0, cpu), at.load(n1, cpu), at.demand(a, cpu)), (3, 7, 7));
        at.arrive(a);
        assert_eq!(at.place(a), Place::Running(n1));
    }

    #[test]
    fn putting_a_migrant_down_ends_its_transit() {
        let Three { instance, nodes: [n0, n1, _], vms: [a, b, _], cpu } = three();
        let mut at = Configuration::source(&instance);
        at.enter(a, n1, Box::new([7]));
        at.put(a, Place::Sleeping(n0));
        assert_eq!((at.guests(n0), at.guests(n1), at.images(n0)), (&[b][..], &[][..], &[a][..]));
        assert_eq!((at.load(n0, cpu), at.load(n1, cpu)), (3, 0));
        at.put(a, Place::Killed);
        assert!(at.images(n0).is_empty());
    }

    #[test]
    fn amounts_of_any_size_add_up() {
        let Three { instance, nodes: [n0, ..], vms: [a, b, _], cpu } = three();
        let mut at = Configuration::source(&instance);
        at.allocate(a, cpu, u64::MAX);
        at.allocate(b, cpu, u64::MAX);
        assert_eq!(at.load(n0, cpu), u64::MAX);
        at.allocate(a, cpu, 1);
        at.allocate(b, cpu, 4);
        assert_eq!(at.load(n0, cpu), 5);
    }

    #[test]
    fn what_a_ready_vm_is_given_weighs_once_it_runs() {
        let Three { instance, nodes: [_, n1, _], vms: [_, _, c], cpu } = three();
        let mut at = Configuration::source(&instance);
        at.allocate(c, cpu, 9);
        assert_eq!(at.load(n1, cpu), 0);
        at.put(c, Place::Running(n1));
        assert_eq!((at.load(n1, cpu), at.images(n1).len()), (9, 0));
    }

    proptest! {
        /// Whatever is done, guests, images and loads are those that one gets by
        /// asking every VM.
        #[test]
        fn the_tables_agree_with_the_vms(steps in prop::collection::vec((0u8..5, 0u32..6, 0u32..4, 0u64..9), 0..60)) {
            let mut b = InstanceBuilder::new();
            let cpu = b.resource_with_defaults("cpu", 0, 1);
            let nodes: Vec<_> = (0..4).map(|n| b.node(&format!("n{n}"))).collect();
            for vm in 0..6 {
                b.running_vm(&format!("v{vm}"), nodes[vm % 4]);
            }
            let instance = b.build().expect("a valid instance");
            let mut at = Configuration::source(&instance);
            for (what, vm, node, amount) in steps {
                let (vm, node) = (VmId(vm), NodeId(node));
                match what {
                    0 => at.put(vm, Place::Running(node)),
                    1 => at.put(vm, if amount < 4 { Place::Sleeping(node) } else { Place::Ready }),
                    2 => at.enter(vm, node, Box::new([amount])),
                    3 => at.arrive(vm),
                    4 => at.allocate(vm, cpu, amount),
                    _ => {}
                }
                for node in instance.node_ids() {
                    let mut guests = at.guests(node).to_vec();
                    guests.sort_unstable();
                    let expected: Vec<_> =
                        instance.vm_ids().filter(|&vm| at.hosts(vm).any(|host| host == node)).collect();
                    let load: u64 = expected.iter().map(|&vm| at.demand_on(vm, node, cpu)).sum();
                    prop_assert_eq!(guests, expected);
                    prop_assert_eq!(at.load(node, cpu), load);
                    let mut images = at.images(node).to_vec();
                    images.sort_unstable();
                    let expected: Vec<_> =
                        instance.vm_ids().filter(|&vm| at.place(vm) == Place::Sleeping(node)).collect();
                    prop_assert_eq!(images, expected);
                }
            }
        }
    }
}

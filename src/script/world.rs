//! VMs, nodes and resources while scripts add to them.

use super::fault::Attempt;
use super::fault::Fault;
use super::limits;
use super::network::Draft;
use super::value::Names;
use crate::model::Attributes;
use crate::model::Duration;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Resource;
use crate::model::ResourceId;
use crate::model::SharedModel;
use crate::model::Timed;
use crate::model::Value as Attribute;
use crate::model::VmId;
use quadrille_dsl::Diagnostic;
use rustc_hash::FxHashMap;

/// What VMs and nodes have in common.
#[derive(Debug, Default)]
struct Table {
    ids: FxHashMap<Box<str>, u32>,
    /// False for VMs with the prefix of a namespace: their plain name is not theirs.
    plain: Vec<bool>,
    /// Attributes that were added, by element.
    added: Vec<Vec<(u16, Attribute)>>,
    keys: Vec<String>,
    by_key: FxHashMap<Box<str>, u16>,
    name_bytes: usize,
    /// The number of the next element, where elements have numbers.
    next_number: Option<u32>,
}

impl Table {
    fn of(elements: &Elements) -> Self {
        let mut table = Self::default();
        table.ids.reserve(elements.len());
        for (at, name) in elements.names().enumerate() {
            table.ids.insert(name.into(), at as u32);
            table.name_bytes += name.len();
        }
        for (alias, at) in &elements.aliases {
            table.ids.entry(alias.as_str().into()).or_insert(*at);
        }
        table.next_number = match &elements.numbers {
            Some(numbers) => numbers.iter().max().map_or(Some(0), |most| most.checked_add(1)),
            None => None,
        };
        table.plain = vec![true; elements.len()];
        table.added = vec![Vec::new(); elements.len()];
        table
    }

    /// Gives the last element a number that no other has, where elements have numbers.
    fn number(&mut self, elements: &mut Elements) {
        let Some(numbers) = &mut elements.numbers else { return };
        match self.next_number {
            Some(number) => {
                numbers.push(number);
                self.next_number = number.checked_add(1);
            }
            // No larger number is left: positions are numbers from here on.
            None => elements.numbers = None,
        }
    }

    fn key(&mut self, name: &str) -> Attempt<u16> {
        if let Some(&key) = self.by_key.get(name) {
            return Ok(key);
        }
        // The base has its own; together they must be few enough.
        if self.keys.len() >= limits::ATTRIBUTES / 2 {
            return Err(Fault::new(
                "E0613",
                format!("there are more than {} different attributes", limits::ATTRIBUTES / 2),
            ));
        }
        let key = self.keys.len() as u16;
        self.keys.push(name.to_owned());
        self.by_key.insert(name.into(), key);
        Ok(key)
    }

    fn set(&mut self, element: u32, name: &str, value: Attribute) -> Attempt<()> {
        let key = self.key(name)?;
        let Some(row) = self.added.get_mut(element as usize) else { return Ok(()) };
        match row.iter_mut().find(|(other, _)| *other == key) {
            Some(entry) => entry.1 = value,
            None => row.push((key, value)),
        }
        Ok(())
    }

    fn get<'a>(&'a self, elements: &'a Elements, element: u32, name: &str) -> Option<&'a Attribute> {
        let own = self.by_key.get(name).and_then(|&key| {
            let row = self.added.get(element as usize)?;
            row.iter().find(|(other, _)| *other == key).map(|(_, value)| value)
        });
        own.or_else(|| elements.attributes().get(element as usize, name))
    }

    /// The attributes of the base with those that were added.
    fn merged(self, base: &Attributes) -> Attributes {
        if self.keys.is_empty() {
            return base.clone();
        }
        let mut keys = self.keys;
        let mut by_key = self.by_key;
        let mut rows = Vec::new();
        for (element, added) in (0u32..).zip(self.added) {
            for (name, value) in base.of(element as usize) {
                let key = match by_key.get(name) {
                    Some(&key) => key,
                    None => {
                        // Few enough together: `set_attribute` has looked.
                        let key = keys.len() as u16;
                        keys.push(name.to_owned());
                        by_key.insert(name.into(), key);
                        key
                    }
                };
                rows.push((element, key, value.clone()));
            }
            rows.extend(added.into_iter().map(|(key, value)| (element, key, value)));
        }
        Attributes::from_rows(rows, keys)
    }
}

/// An instance that grows.
#[derive(Debug)]
pub(super) struct World {
    instance: Instance,
    vms: Table,
    nodes: Table,
    /// Sums of capacities and of demands, by resource.
    sums: Vec<[u64; 2]>,
    /// The VMs and nodes of the base.
    base: (usize, usize),
    /// Does the name of some node start with `@`?
    signs: bool,
    pub(super) network: Draft,
}

impl Names for World {
    fn vm_name(&self, vm: VmId) -> &str {
        self.instance.vm_name(vm)
    }

    fn node_name(&self, node: NodeId) -> &str {
        self.instance.node_name(node)
    }
}

impl World {
    pub(super) fn new(base: Option<Instance>) -> Self {
        let mut instance = base.unwrap_or_default();
        let network = instance.network.take().map(Draft::of).unwrap_or_default();
        let sum = |amounts: &[u64]| amounts.iter().fold(0u64, |sum, &amount| sum.saturating_add(amount));
        Self {
            vms: Table::of(&instance.vms),
            nodes: Table::of(&instance.nodes),
            sums: instance.resources.iter().map(|r| [sum(&r.capacity), sum(&r.demand)]).collect(),
            base: (instance.vm_count(), instance.node_count()),
            signs: instance.nodes.names().any(|name| name.starts_with('@'))
                || instance.nodes.aliases.iter().any(|(alias, _)| alias.starts_with('@')),
            network,
            instance,
        }
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Was it there before any script?
    pub(super) fn is_base(&self, element: Element) -> bool {
        match element {
            Element::Vm(vm) => vm.index() < self.base.0,
            Element::Node(node) => node.index() < self.base.1,
        }
    }

    /// The VM that a script of a namespace calls so: its own before one with a plain name.
    /// `buffer` saves allocations.
    pub(super) fn vm(&self, prefix: Option<&str>, name: &str, buffer: &mut String) -> Option<VmId> {
        if let Some(prefix) = prefix {
            buffer.clear();
            buffer.push_str(prefix);
            buffer.push('.');
            buffer.push_str(name);
            if let Some(&id) = self.vms.ids.get(buffer.as_str()) {
                return Some(VmId(id));
            }
        }
        let id = *self.vms.ids.get(name)?;
        self.vms.plain.get(id as usize).copied().unwrap_or(true).then_some(VmId(id))
    }

    /// As [`World::vm`], where the VM after another one is likely to be asked for: names of
    /// enumerations lie side by side.
    pub(super) fn vm_after(
        &self,
        last: Option<VmId>,
        prefix: Option<&str>,
        name: &str,
        buffer: &mut String,
    ) -> Option<VmId> {
        if let Some(next) = last.map(|last| VmId(last.0.saturating_add(1)))
            && next.index() < self.instance.vm_count()
        {
            let found = self.instance.vm_name(next);
            let is_it = match prefix {
                Some(prefix) => {
                    let local = found.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
                    local == Some(name)
                }
                None => found == name && self.vms.plain.get(next.index()) == Some(&true),
            };
            if is_it {
                return Some(next);
            }
        }
        self.vm(prefix, name, buffer)
    }

    /// As [`World::node`], where the node after another one is likely to be asked for.
    pub(super) fn node_after(&self, last: Option<NodeId>, name: &str, buffer: &mut String) -> Option<NodeId> {
        if let Some(next) = last.map(|last| NodeId(last.0.saturating_add(1)))
            && next.index() < self.instance.node_count()
        {
            let found = self.instance.node_name(next);
            // A node with the sign comes before one without.
            if found.strip_prefix('@') == Some(name) || (!self.signs && found == name) {
                return Some(next);
            }
        }
        self.node(name, buffer)
    }

    /// The node of a name, with or without `@`.
    pub(super) fn node(&self, name: &str, buffer: &mut String) -> Option<NodeId> {
        buffer.clear();
        buffer.push('@');
        buffer.push_str(name);
        self.nodes.ids.get(buffer.as_str()).or_else(|| self.nodes.ids.get(name)).copied().map(NodeId)
    }

    pub(super) fn vm_names(&self) -> impl Iterator<Item = &str> {
        self.instance.vms.names()
    }

    pub(super) fn node_names(&self) -> impl Iterator<Item = &str> {
        self.instance.nodes.names()
    }

    fn room(&self, name: &str) -> Attempt<()> {
        let elements = self.instance.vm_count() + self.instance.node_count() + 1;
        if elements > limits::ELEMENTS {
            return Err(Fault::new(
                "E0613",
                format!("there are more than {} VMs and nodes", limits::ELEMENTS),
            ));
        }
        if self.vms.name_bytes + self.nodes.name_bytes + name.len() > limits::NAMES {
            return Err(Fault::new("E0613", "the names of all VMs and nodes are too long together"));
        }
        if elements.saturating_mul(self.instance.resource_count()) > limits::AMOUNTS {
            return Err(too_many_amounts());
        }
        Ok(())
    }

    /// Adds a VM that is ready.
    pub(super) fn add_vm(&mut self, name: &str, plain: bool) -> Attempt<VmId> {
        self.room(name)?;
        let vm = VmId::from_index(self.instance.places.len());
        self.instance.vms.push(name);
        self.vms.number(&mut self.instance.vms);
        self.instance.places.push(Place::Ready);
        self.vms.ids.insert(name.into(), vm.0);
        self.vms.plain.push(plain);
        self.vms.added.push(Vec::new());
        self.vms.name_bytes += name.len();
        for at in 0..self.instance.resources.len() {
            let default = self.instance.resources[at].default_demand;
            self.instance.resources[at].demand.push(0);
            self.amount(ResourceId::from_index(at), Element::Vm(vm), default)?;
        }
        Ok(vm)
    }

    /// Has a declaration given an element an attribute of this name?
    pub(super) fn gave_attribute(&self, name: &str) -> bool {
        self.vms.by_key.contains_key(name) || self.nodes.by_key.contains_key(name)
    }

    /// Adds a node that is off.
    pub(super) fn add_node(&mut self, name: &str) -> Attempt<NodeId> {
        self.room(name)?;
        let node = NodeId::from_index(self.instance.online.len());
        self.signs |= name.starts_with('@');
        self.instance.nodes.push(name);
        self.nodes.number(&mut self.instance.nodes);
        self.instance.online.push(false);
        self.nodes.ids.insert(name.into(), node.0);
        self.nodes.plain.push(true);
        self.nodes.added.push(Vec::new());
        self.nodes.name_bytes += name.len();
        for at in 0..self.instance.resources.len() {
            let default = self.instance.resources[at].default_capacity;
            self.instance.resources[at].capacity.push(0);
            self.amount(ResourceId::from_index(at), Element::Node(node), default)?;
        }
        Ok(node)
    }

    pub(super) fn place(&mut self, vm: VmId, place: Place) {
        if let Some(entry) = self.instance.places.get_mut(vm.index()) {
            *entry = place;
        }
    }

    pub(super) fn switch_on(&mut self, node: NodeId) {
        if let Some(entry) = self.instance.online.get_mut(node.index()) {
            *entry = true;
        }
    }

    pub(super) fn resource(&self, name: &str) -> Option<ResourceId> {
        self.instance.resource_named(name)
    }

    /// Adds a resource of which everything has 0.
    pub(super) fn add_resource(&mut self, name: &str) -> Attempt<()> {
        let resources = self.instance.resources.len() + 1;
        let elements = self.instance.vm_count() + self.instance.node_count();
        if resources > limits::RESOURCES {
            return Err(Fault::new("E0613", format!("there are more than {} resources", limits::RESOURCES)));
        }
        if resources.saturating_mul(elements) > limits::AMOUNTS {
            return Err(too_many_amounts());
        }
        self.instance.resources.push(Resource {
            name: name.to_owned(),
            default_capacity: 0,
            default_demand: 0,
            capacity: vec![0; self.instance.node_count()],
            demand: vec![0; self.instance.vm_count()],
        });
        self.sums.push([0, 0]);
        Ok(())
    }

    /// Sets what nodes offer, or VMs take, of which nothing is said from here on.
    pub(super) fn set_default(&mut self, resource: ResourceId, nodes: bool, amount: u64) {
        if let Some(row) = self.instance.resources.get_mut(resource.index()) {
            *(if nodes { &mut row.default_capacity } else { &mut row.default_demand }) = amount;
        }
    }

    /// Sets how long a kind of action takes where no attribute says so.
    pub(super) fn set_duration(&mut self, kind: Timed, duration: Duration) {
        self.instance.durations.set(kind, duration);
    }

    /// Sets what a node offers or a VM takes.
    pub(super) fn amount(&mut self, resource: ResourceId, element: Element, amount: u64) -> Attempt<()> {
        let (Some(row), Some(sums)) =
            (self.instance.resources.get_mut(resource.index()), self.sums.get_mut(resource.index()))
        else {
            return Ok(());
        };
        let (entry, sum, what) = match element {
            Element::Node(node) => (row.capacity.get_mut(node.index()), &mut sums[0], "capacities"),
            Element::Vm(vm) => (row.demand.get_mut(vm.index()), &mut sums[1], "demands"),
        };
        let Some(entry) = entry else { return Ok(()) };
        let new = (*sum - (*entry).min(*sum)).saturating_add(amount);
        if new > InstanceBuilder::LARGEST_SUM {
            return Err(Fault::new(
                "E0310",
                format!(
                    "the {what} of resource `{}` add up to more than {}",
                    row.name,
                    InstanceBuilder::LARGEST_SUM
                ),
            ));
        }
        *sum = new;
        *entry = amount;
        Ok(())
    }

    pub(super) fn set_attribute(&mut self, element: Element, name: &str, value: Attribute) -> Attempt<()> {
        let (table, elements, id) = match element {
            Element::Vm(vm) => (&mut self.vms, &self.instance.vms, vm.0),
            Element::Node(node) => (&mut self.nodes, &self.instance.nodes, node.0),
        };
        if elements.attributes().key_count() > limits::ATTRIBUTES / 2 {
            return Err(Fault::new(
                "E0613",
                "the cluster has too many different attributes to be given more",
            ));
        }
        table.set(id, name, value)
    }

    pub(super) fn attribute(&self, element: Element, name: &str) -> Option<&Attribute> {
        match element {
            Element::Vm(vm) => self.vms.get(&self.instance.vms, vm.0, name),
            Element::Node(node) => self.nodes.get(&self.instance.nodes, node.0, name),
        }
    }

    pub(super) fn add_tag(&mut self, element: Element, tag: &str) {
        let (elements, id) = match element {
            Element::Vm(vm) => (&mut self.instance.vms, vm.0),
            Element::Node(node) => (&mut self.instance.nodes, node.0),
        };
        let tags = elements.tags.entry(id).or_default();
        if !tags.iter().any(|other| other == tag) {
            tags.push(tag.to_owned());
        }
    }

    pub(super) fn has_tag(&self, element: Element, tag: &str) -> bool {
        let tags = match element {
            Element::Vm(vm) => self.instance.vms.tags(vm.index()),
            Element::Node(node) => self.instance.nodes.tags(node.index()),
        };
        tags.iter().any(|other| other == tag)
    }

    /// What is wrong with the network, and where.
    pub(super) fn network_fault(&mut self) -> Option<Diagnostic> {
        self.network.fault(&self.instance)
    }

    /// The instance.
    pub(super) fn finish(self) -> Instance {
        let mut instance = self.instance;
        instance.vms.attributes = self.vms.merged(&instance.vms.attributes);
        instance.nodes.attributes = self.nodes.merged(&instance.nodes.attributes);
        let (network, behaviour) = self.network.finish(instance.node_count());
        instance.network = network;
        if let Some(behaviour) = behaviour {
            instance.migration_model = SharedModel::new(behaviour);
        }
        instance
    }
}

fn too_many_amounts() -> Box<Fault> {
    Fault::new(
        "E0613",
        format!("the resources of all VMs and nodes are more than {} amounts", limits::AMOUNTS),
    )
}

/// A VM or a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Element {
    Vm(VmId),
    Node(NodeId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Instance {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource_with_defaults("cpu", 8, 1);
        let n1 = b.node("n1");
        let vm = b.running_vm("web", n1);
        b.demand(vm, cpu, 3).vm_attribute(vm, "rack", Attribute::Int(7));
        b.build().expect("a sound instance")
    }

    #[test]
    fn names_of_a_namespace_come_first() {
        let mut world = World::new(Some(base()));
        let buffer = &mut String::new();
        let own = world.add_vm("shop.db", false).expect("room");
        assert_eq!(world.vm(Some("shop"), "db", buffer), Some(own));
        assert_eq!(world.vm(Some("other"), "shop.db", buffer), None);
        assert_eq!(world.vm(Some("shop"), "web", buffer), Some(VmId(0)));
        assert_eq!(world.vm(None, "web", buffer), Some(VmId(0)));
        assert_eq!(world.node("n1", buffer), Some(NodeId(0)));
        let two = world.add_node("n2").expect("room");
        assert_eq!(world.node_after(Some(NodeId(0)), "n2", buffer), Some(two));
        let at = world.add_node("@n1").expect("room");
        world.add_node("@n2").expect("room");
        assert_eq!(world.node("n1", buffer), Some(at));
        assert_eq!(world.node_after(Some(NodeId(0)), "n2", buffer), Some(NodeId(3)));
        assert_eq!(world.vm_after(Some(VmId(0)), Some("shop"), "db", buffer), Some(own));
        assert_eq!(world.vm_after(Some(VmId(0)), None, "shop.db", buffer), None);
        assert_eq!(world.vm_after(Some(own), Some("shop"), "web", buffer), Some(VmId(0)));
    }

    #[test]
    fn new_elements_get_defaults_and_attributes() {
        let mut world = World::new(Some(base()));
        let vm = world.add_vm("db", true).expect("room");
        let node = world.add_node("n2").expect("room");
        world.add_resource("mem").expect("room");
        let mem = world.resource("mem").expect("just added");
        world.amount(mem, Element::Node(node), 64).expect("no overflow");
        world.set_attribute(Element::Vm(VmId(0)), "zone", Attribute::Int(1)).expect("room");
        world.set_attribute(Element::Vm(VmId(0)), "rack", Attribute::Int(8)).expect("room");
        world.add_tag(Element::Vm(vm), "x");
        assert!(!world.is_base(Element::Vm(vm)) && world.is_base(Element::Node(NodeId(0))));
        let instance = world.finish();
        assert_eq!(instance.check(), Ok(()));
        let cpu = instance.resource_named("cpu").expect("of the base");
        assert_eq!((instance.demand(vm, cpu), instance.capacity(node, cpu)), (1, 8));
        assert_eq!((instance.capacity(NodeId(0), mem), instance.capacity(node, mem)), (0, 64));
        let attributes = instance.vms().attributes();
        assert_eq!(attributes.get(0, "rack"), Some(&Attribute::Int(8)));
        assert_eq!(attributes.get(0, "zone"), Some(&Attribute::Int(1)));
        assert_eq!(instance.vms().tags(1), ["x"]);
        assert!(!instance.is_online(node));
    }

    #[test]
    fn sums_are_checked() {
        let mut world = World::new(Some(base()));
        let cpu = world.resource("cpu").expect("of the base");
        let vm = Element::Vm(VmId(0));
        world.amount(cpu, vm, InstanceBuilder::LARGEST_SUM).expect("just so much");
        assert_eq!(world.amount(cpu, vm, u64::MAX).expect_err("too much").code, "E0310");
        world.amount(cpu, vm, 1).expect("less again");
    }

    #[test]
    fn numbers_of_files_go_on() {
        let mut instance = base();
        instance.vms.numbers = Some(vec![41]);
        instance.nodes.numbers = Some(vec![u32::MAX]);
        let mut world = World::new(Some(instance));
        world.add_vm("a", true).expect("room");
        world.add_node("n2").expect("room");
        let instance = world.finish();
        assert_eq!(instance.vms().number(1), 42);
        assert_eq!(instance.nodes().number(1), 1);
    }
}

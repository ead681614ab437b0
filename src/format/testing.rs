//! Random instances and plans for the tests of the formats.

use crate::constraint::Argument;
use crate::constraint::BtrPlaceFlag;
use crate::constraint::Constraint;
use crate::constraint::Kind;
use crate::constraint::REGISTRY;
use crate::constraint::Ratio;
use crate::constraint::Restriction;
use crate::constraint::Restrictions;
use crate::constraint::Strength;
use crate::constraint::Timestamp;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Attributes;
use crate::model::Behaviour;
use crate::model::Duration;
use crate::model::Elements;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Live;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Parameter;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ResourceId;
use crate::model::Rounds;
use crate::model::Route;
use crate::model::Routing;
use crate::model::SharedModel;
use crate::model::Switch;
use crate::model::Timed;
use crate::model::Topology;
use crate::model::Value;
use crate::model::VmId;
use crate::objective::Level;
use crate::objective::Metric;
use crate::objective::Objective;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use std::sync::Arc;

/// A stream of numbers that decide; zeros once it has run dry, so that shorter streams
/// mean smaller cases.
pub(crate) struct Choices {
    numbers: Vec<u32>,
    at: usize,
}

/// The usual number of cases; no files beside the sources.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Streams long enough for a whole instance.
pub(crate) fn choices() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..400)
}

impl Choices {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self { numbers, at: 0 }
    }

    pub(crate) fn next(&mut self) -> u32 {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        number
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { self.next() as usize % most }
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 1
    }

    fn amount(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::from(self.next()) << 20,
            _ => u64::from(self.next() % 100),
        }
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 10] =
            ["", "web", "é", "a b", "\"q\"", "back\\slash", "line\nfeed", "\u{1}\u{7f}", "😀", "vm#x"];
        TEXTS[self.below(TEXTS.len())].to_owned()
    }

    fn value(&mut self) -> Value {
        match self.below(6) {
            0 => Value::Bool(self.chance(2)),
            1 => Value::Int(i64::from(self.next()) - (1 << 31)),
            2 => Value::Int(i64::MIN + i64::from(self.next())),
            3 => Value::Float(f64::from(self.next()) / 7.0),
            4 => Value::Float(f64::from(self.next()) * 1e290),
            _ => Value::Text(self.text().into()),
        }
    }
}

/// Whose format the case is for: it has nothing that the format cannot say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Quadrille,
    BtrPlace,
}

fn elements(choices: &mut Choices, count: usize, word: &str, scope: Scope) -> Elements {
    let mut elements = Elements::default();
    let sparse = choices.chance(3);
    let mut number = 0u32;
    let mut numbers = Vec::new();
    for index in 0..count {
        number = match sparse {
            // Six of them stay below 2^32: no two elements may have one number.
            true => number + 1 + choices.next() % 700_000_000,
            false => index as u32,
        };
        numbers.push(number);
        // Names end in their index, so no two are alike; some are those by default.
        match choices.below(3) {
            0 => elements.push(&format!("{word}#{number}")),
            _ => elements.push(&format!("{}{word}.{index}", choices.text())),
        }
        if choices.chance(5) {
            elements.aliases.push((format!("alias {word}{index}"), index as u32));
            elements.aliases.push((format!("another {word}{index}"), index as u32));
        }
        if scope == Scope::Quadrille && choices.chance(4) {
            elements.tags.insert(index as u32, vec![choices.text(), choices.text()]);
        }
    }
    elements.numbers = numbers.iter().zip(0..).any(|(number, at)| *number != at).then_some(numbers);
    // Those that mean something must say it; these are free, and one is nearly another.
    let keys = ["memused", "owner", "template", "é\n"].map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for index in 0..count {
        for key in 0..keys.len() {
            if choices.chance(3) {
                rows.push((index as u32, key as u16, choices.value()));
            }
        }
    }
    let mut keys = keys;
    keys.push("boot".to_owned());
    if count > 0 && choices.chance(2) {
        rows.push((choices.below(count) as u32, 4, Value::Int(1 + i64::from(choices.next() % 1000))));
    }
    elements.attributes = Attributes::from_rows(rows, keys);
    elements
}

pub(crate) fn instance(choices: &mut Choices, scope: Scope) -> Instance {
    let (node_count, vm_count) = (choices.below(5), choices.below(7));
    let online: Vec<bool> = (0..node_count).map(|_| choices.below(4) != 1).collect();
    let hosts: Vec<NodeId> = (0..node_count).filter(|&node| online[node]).map(NodeId::from_index).collect();
    let places: Vec<Place> = (0..vm_count)
        .map(|_| match (choices.below(7), hosts.is_empty()) {
            (0, _) | (_, true) => Place::Ready,
            (1, _) => Place::Sleeping(hosts[choices.below(hosts.len())]),
            (2, _) if scope == Scope::Quadrille => Place::Init,
            (3, _) if scope == Scope::Quadrille => Place::Killed,
            _ => Place::Running(hosts[choices.below(hosts.len())]),
        })
        .collect();
    let mut resources = Vec::new();
    for at in 0..choices.below(4) {
        let (default_capacity, default_demand) = (choices.amount(), choices.amount());
        let mut amounts = |count: usize, default: u64| -> Vec<u64> {
            (0..count).map(|_| if choices.chance(2) { choices.amount() } else { default }).collect()
        };
        let (capacity, demand) = (amounts(node_count, default_capacity), amounts(vm_count, default_demand));
        let name = format!("{}{at}", choices.text());
        resources.push(Resource { name, default_capacity, default_demand, capacity, demand });
    }
    let mut instance = Instance {
        vms: elements(choices, vm_count, "vm", scope),
        nodes: elements(choices, node_count, "node", scope),
        places,
        online,
        resources,
        ..Instance::default()
    };
    instance.network = choices.chance(2).then(|| network(choices, node_count, scope));
    if scope == Scope::Quadrille {
        add_route(&mut instance);
        if instance.network.is_some() && choices.chance(3) {
            instance.migration_model = SharedModel::new(behaviour(choices));
        }
        for kind in Timed::ALL {
            match (choices.below(5), instance.resources.len()) {
                (0, _) => instance.durations.set(kind, Duration::Constant(1 + choices.next() % 1000)),
                (1, count @ 1..) => instance.durations.set(
                    kind,
                    Duration::Linear {
                        resource: ResourceId::from_index(choices.below(count)),
                        coefficient: f64::from(choices.next()) / 3.0,
                        offset: -f64::from(choices.next() % 10),
                    },
                ),
                _ => {}
            }
        }
        instance.objective = match choices.below(2) {
            0 => Objective::default(),
            _ => objective(choices),
        };
    } else {
        let single = [Metric::RelocationTime, Metric::Mttr];
        instance.objective = match choices.below(3) {
            0 => Objective::default(),
            at => Objective::single(single[at - 1]),
        };
    }
    for _ in 0..choices.below(12) {
        if let Some(constraint) = constraint(choices, &instance, scope) {
            instance.constraints.push(constraint);
        }
    }
    instance
}

/// Gives a route where the shortest ways are taken: the one that there is.
fn add_route(instance: &mut Instance) {
    let [from, to] = [0, 1].map(NodeId);
    let Some(network) = instance.network.as_ref().filter(|network| network.routing == Routing::Shortest)
    else {
        return;
    };
    if instance.node_count() < 2 {
        return;
    }
    let topology = Topology::new(network, instance).expect("a tree");
    let links = topology.route(from, to).iter().map(|&at| (at / 2, at % 2 == 1)).collect();
    if let Some(network) = &mut instance.network {
        network.routing = Routing::Mixed(vec![Route { from, to, links }]);
    }
}

fn behaviour(choices: &mut Choices) -> Behaviour {
    let live = if choices.chance(2) { Live::Rounds(Rounds::default()) } else { Live::PreCopy };
    let mut behaviour = Behaviour { live, ..Behaviour::default() };
    for parameter in Parameter::ALL {
        if choices.chance(2) {
            let number = 1.0 + f64::from(choices.next() % 999);
            parameter.set(&mut behaviour, number);
        }
    }
    behaviour
}

fn objective(choices: &mut Choices) -> Objective {
    let levels = (0..1 + choices.below(3))
        .map(|_| {
            let term = |choices: &mut Choices| {
                (1 + choices.next() % 100, Metric::ALL[choices.below(Metric::ALL.len())])
            };
            Level { terms: (0..1 + choices.below(3)).map(|_| term(choices)).collect() }
        })
        .collect();
    Objective { levels }
}

/// Switches in a tree, a node or none below each, and all other nodes below the first.
fn network(choices: &mut Choices, node_count: usize, scope: Scope) -> Network {
    let capacity = |choices: &mut Choices| choices.amount().max(1);
    let count = 1 + choices.below(3);
    let mut network = Network::default();
    for at in 0..count {
        let limit = choices.chance(2).then(|| capacity(choices));
        let number = 10 * at as u32 + choices.next() % 10;
        let name = (scope == Scope::Quadrille && choices.chance(2)).then(|| format!("edge{at}"));
        network.switches.push(Switch::new(number, name.as_deref(), limit));
    }
    let mut ends: Vec<(u32, Endpoint)> =
        (1..count).map(|at| (choices.below(at) as u32, Endpoint::Switch(at as u32))).collect();
    ends.extend(
        (0..node_count).map(|at| (choices.below(count) as u32, Endpoint::Node(NodeId::from_index(at)))),
    );
    if scope == Scope::Quadrille && choices.chance(4) {
        network.routing = Routing::Shortest;
    }
    let step = if choices.chance(2) { 1 } else { 7 };
    for (at, (switch, end)) in (0u32..).zip(ends) {
        let capacity = capacity(choices);
        network.links.push(Link { number: step * at, capacity, switch, end });
        if scope == Scope::Quadrille && choices.chance(3) {
            network.allowance.reserves.push((at, u64::from(choices.next()) % capacity));
        }
    }
    if scope == Scope::Quadrille {
        let least = network.links.iter().map(|link| link.capacity).min().unwrap_or(0);
        network.allowance.reserve_percent = if least > 1 { choices.below(3) as u8 * 20 } else { 0 };
        network.allowance.per_migration = choices.chance(2).then(|| capacity(choices));
        network.allowance.sharing = choices.chance(3);
    }
    network
}

fn argument(choices: &mut Choices, instance: &Instance, kind: Kind) -> Option<Argument> {
    let (vms, nodes) = (instance.vm_count(), instance.node_count());
    let vm_set = |choices: &mut Choices, sorted: bool| -> Arc<[VmId]> {
        let mut set: Vec<VmId> = Vec::new();
        for _ in 0..choices.below(if vms == 0 { 1 } else { 4 }) {
            let vm = VmId::from_index(choices.below(vms));
            if !set.contains(&vm) {
                set.push(vm);
            }
        }
        if sorted {
            set.sort_unstable();
        }
        set.into()
    };
    let node_set = |choices: &mut Choices| -> Arc<[NodeId]> {
        let mut set: Vec<NodeId> = Vec::new();
        for _ in 0..choices.below(if nodes == 0 { 1 } else { 4 }) {
            set.push(NodeId::from_index(choices.below(nodes)));
        }
        set.sort_unstable();
        set.dedup();
        set.into()
    };
    Some(match kind {
        Kind::Vm => Argument::Vm(VmId::from_index((vms > 0).then(|| choices.below(vms))?)),
        Kind::Node => Argument::Node(NodeId::from_index((nodes > 0).then(|| choices.below(nodes))?)),
        Kind::Vms => Argument::Vms(vm_set(choices, true)),
        Kind::VmList => Argument::VmList(vm_set(choices, false)),
        Kind::Nodes => Argument::Nodes(node_set(choices)),
        // BtrPlace collapses equal sets, so there are none.
        Kind::VmSets => {
            let mut sets: Vec<Arc<[VmId]>> = (0..choices.below(4)).map(|_| vm_set(choices, true)).collect();
            sets.sort();
            sets.dedup();
            Argument::VmSets(sets.into())
        }
        Kind::NodeSets => {
            let mut sets: Vec<Arc<[NodeId]>> = (0..choices.below(4)).map(|_| node_set(choices)).collect();
            sets.sort();
            sets.dedup();
            Argument::NodeSets(sets.into())
        }
        Kind::Resource => {
            let count = instance.resource_count();
            Argument::Resource(ResourceId::from_index((count > 0).then(|| choices.below(count))?))
        }
        Kind::Amount => Argument::Amount(choices.amount()),
        Kind::Ratio => Argument::Ratio(Ratio::new(1.0 + f64::from(choices.next() % 1000) / 7.0).ok()?),
        Kind::Time => Argument::Time(match choices.below(2) {
            0 => Timestamp::Relative(u64::from(choices.next() % 1_000_000)),
            _ => Timestamp::OfDay(choices.next() % 86_400),
        }),
        Kind::Word(words) => Argument::Word((*words.get(choices.below(words.len()))?).to_owned()),
    })
}

fn constraint(choices: &mut Choices, instance: &Instance, scope: Scope) -> Option<Constraint> {
    let signature = REGISTRY[choices.below(REGISTRY.len())];
    let parameters = (signature.parameters)();
    let mut arguments = Vec::new();
    for parameter in parameters {
        arguments.push(match parameter.default {
            Some(default) if choices.chance(2) => default(),
            _ => argument(choices, instance, parameter.kind)?,
        });
    }
    let rule = (signature.build)(&arguments).ok()?;
    let mut restriction = signature.restrictions.default();
    let is_said = scope == Scope::Quadrille
        || signature.btrplace.is_none()
        || signature.btrplace_flag == BtrPlaceFlag::Required;
    if is_said && matches!(signature.restrictions, Restrictions::Both(_)) {
        restriction = [Restriction::Discrete, Restriction::Continuous][choices.below(2)];
    }
    let soft = signature.may_be_soft && choices.chance(3);
    let strength = if soft { Strength::Soft(1 + choices.next() % 1000) } else { Strength::Hard };
    Some(Constraint { rule, restriction, strength })
}

/// A plan that need not make sense, save that re-instantiations are whole. Without
/// edges and with each action once, sorted.
pub(crate) fn plan(choices: &mut Choices, instance: &Instance) -> Plan {
    let mut actions = Vec::new();
    let nodes = instance.node_count();
    if nodes == 0 {
        return Plan::default();
    }
    for vm in instance.vm_ids() {
        let mut now = u64::from(choices.next() % 5);
        let mut cloned = false;
        for _ in 0..choices.below(4) {
            let node = |choices: &mut Choices| NodeId::from_index(choices.below(nodes));
            let (from, to) = (node(choices), node(choices));
            let mut allocations: Vec<(ResourceId, u64)> = Vec::new();
            for resource in instance.resource_ids() {
                if choices.chance(3) {
                    allocations.push((resource, choices.amount()));
                }
            }
            let mut add = |kind: ActionKind, start: u64, end: u64, allocations: Vec<_>| {
                let allocations = if kind.destination().is_some() { allocations } else { Vec::new() };
                actions.push(Action { kind, start, end, allocations, bandwidth: 0, reason: Reason::Unknown });
            };
            let end = now + 1 + u64::from(choices.next() % 9);
            let kind = match choices.below(9) {
                0 => ActionKind::Boot { vm, node: to },
                1 => ActionKind::Shutdown { vm, node: from },
                2 => ActionKind::Suspend { vm, node: from },
                3 => ActionKind::Resume { vm, from, to },
                4 => ActionKind::Kill { vm, node: choices.chance(2).then_some(from) },
                // Who has been copied is a copy, which cannot be forged again.
                5 if !cloned => ActionKind::Forge { vm },
                6 => {
                    add(ActionKind::ForgeClone { vm }, now, now + 1, Vec::new());
                    add(ActionKind::BootClone { vm, from, to }, now + 1, end + 1, allocations.clone());
                    add(ActionKind::ShutdownOriginal { vm, from }, end + 1, end + 1, Vec::new());
                    now = end + 2;
                    cloned = true;
                    continue;
                }
                7 if !allocations.is_empty() => {
                    let (resource, amount) = allocations[0];
                    ActionKind::Allocate { vm, node: from, resource, amount }
                }
                _ => ActionKind::Migrate { vm, from, to },
            };
            add(kind, now, end, allocations);
            now = end + 1;
        }
    }
    for node in instance.node_ids() {
        let kind = match choices.below(4) {
            0 => ActionKind::BootNode { node },
            1 => ActionKind::ShutdownNode { node },
            _ => continue,
        };
        let start = u64::from(choices.next() % 5);
        actions.push(Action {
            kind,
            start,
            end: start + 3,
            allocations: Vec::new(),
            bandwidth: 0,
            reason: Reason::Unknown,
        });
    }
    actions.sort_by_key(|action| (action.start, action.end, action.kind));
    Plan { actions, happens_before: Vec::new() }
}

/// The files of the data folder with BtrPlace instances, if there is one.
pub(crate) fn data() -> Vec<(String, Vec<u8>)> {
    let root = std::env::var("QUADRILLE_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    let Ok(folder) = std::fs::read_dir(std::path::Path::new(&root).join("btrplace_tdsc")) else {
        return Vec::new();
    };
    let mut files: Vec<(String, Vec<u8>)> = folder
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            if !name.ends_with(".json.gz") {
                return None;
            }
            let text = super::inflate(std::fs::read(&path).ok()?, super::LONGEST_TEXT).ok()?;
            Some((name, text))
        })
        .collect();
    files.sort();
    files
}

//! Small clusters and rules about them: grids that can be walked over, and random draws.

use crate::common::Dice;
use crate::common::NodeSpec;
use crate::common::ResourceSpec;
use crate::common::Spec;
use crate::common::VmSpec;
use quadrille::model::NodeId;
use quadrille::model::Place;

const NODES: [&str; 12] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10", "n11"];
/// The names of VMs.
pub(crate) const VMS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Where a VM may begin, and what is wished for it.
const FATES: [(&str, &str); 9] = [
    ("running", ""),
    ("running", "ready"),
    ("running", "sleeping"),
    ("running", "killed"),
    ("ready", ""),
    ("ready", "running"),
    ("sleeping", ""),
    ("sleeping", "running"),
    ("ready", "killed"),
];

/// Rules about places, alone.
pub(crate) const PLACEMENT: &[&str] = &[
    "among a,b n0/n1",
    "among a,b n0,n1/n2",
    "among * n1/n0,n2",
    "among a n1",
    "among a,b -",
    "atMost a,b n0,n1 1",
    "atMost a,b n0,n1/n2 1; discrete",
    "atMost * n0,n1/n2 1",
    "atMost * n1/n0,n2 2; discrete",
    "atMost a,b n0/n1 0",
    "among a,b n0/n1; continuous",
    "among a,b n0,n1/n2; continuous",
    "among * n1/n0,n2; continuous",
    "ban a n0",
    "ban a n0,n1",
    "ban a n0; continuous",
    "ban b n1,n2; continuous",
    "fence a n1",
    "fence b n0,n2",
    "fence a -",
    "fence a n1; continuous",
    "fence b n0,n2; continuous",
    "gather a,b",
    "gather *",
    "gather a,b; continuous",
    "gather *; continuous",
    "lonely a",
    "lonely a,b",
    "lonely a; continuous",
    "lonely a,b; continuous",
    "split a/b",
    "split a,b/c",
    "split a/b; continuous",
    "split a,c/b; continuous",
    "splitAmong a/b n0/n1",
    "splitAmong a,b/c n0,n1/n2",
    "splitAmong a/b n0/n1; continuous",
    "splitAmong a,b/c n0,n1/n2; continuous",
    "spread a,b; discrete",
    "spread *; discrete",
    "spread a,b",
    "spread *",
    "quarantine n0",
    "quarantine n1",
    "root a",
];

/// Rules about resources and counts.
pub(crate) const RESOURCES: &[&str] = &[
    "preserve a cpu 1",
    "preserve a cpu 2",
    "preserve a cpu 3",
    "preserve b cpu 2",
    "overbook n0 cpu 1.5",
    "overbook n0 cpu 2",
    "overbook n1 cpu 1",
    "overbook n0 cpu 1.5; discrete",
    "overbook n1 cpu 1; discrete",
    "resourceCapacity n0 cpu 1",
    "resourceCapacity n0,n1 cpu 2",
    "resourceCapacity * cpu 3",
    "resourceCapacity n0 cpu 1; continuous",
    "resourceCapacity n0,n1 cpu 2; continuous",
    "runningCapacity n0 1",
    "runningCapacity n0,n1 1",
    "runningCapacity * 2",
];

/// Rules about states of VMs and nodes.
pub(crate) const STATES: &[&str] = &[
    "maxOnline n0,n1 1",
    "maxOnline * 1",
    "maxOnline n1 0",
    "maxOnline n0,n1 1; continuous",
    "maxOnline * 2; continuous",
    "online n0",
    "online n1",
    "offline n0",
    "offline n1",
    "running a",
    "ready a",
    "sleeping a",
    "killed a",
];

/// Rules about order and time.
pub(crate) const ORDER: &[&str] = &[
    "seq a,b",
    "seq b,a",
    "seq c,a,b",
    "noDelay a",
    "noDelay b",
    "deadline a +00:00:01",
    "deadline b +00:00:02",
    "deadline a +00:00:00",
    "precedence a b",
    "precedence b a",
    "serialize a,b",
    "serialize *",
    "sync a,b",
    "sync *",
    "maxMigrations * 1",
    "maxMigrations n0,n1 1 in",
    "maxMigrations n0 1 out",
    "maxMigrations * 1 both together",
    "maxMigrations n0 0",
    "maxMigrations n0,n1 0 both together",
    "maxMigrations n1 0 in",
    "migrationBudget * 1",
    "migrationBudget n0 0",
    // Nothing names a datastore here: `limits` has VMs and nodes that do.
    "datastoreBudget * 0",
    // Nothing draws power here: `limits` has nodes that do.
    "powerCap * 0",
];

/// Fault tolerance.
pub(crate) const SURVIVAL: &[&str] =
    &["ft * 1", "ft n0,n1 1", "ft * 2", "ft * 1 aggregate", "ft * 1 slots", "ft n0 1 restart"];

/// Rules at a price.
pub(crate) const SOFT: &[&str] = &[
    "spread a,b; discrete; soft 1",
    "spread *; discrete; soft 3",
    "ban a n0; soft 2",
    "fence b n0; soft 1",
    "gather a,b; soft 1",
    "gather *; soft 5",
    "among a,b n0/n1; soft 2",
    "atMost * n0,n1/n2 1; discrete; soft 2",
    "lonely a; soft 1",
    "split a/b; soft 2",
    "splitAmong a/b n0/n1; soft 2",
    "runningCapacity n0 1; soft 1",
    "resourceCapacity n0 cpu 1; soft 2",
    "maxOnline * 1; soft 1",
];

/// All hard rules.
pub(crate) fn any_rules() -> Vec<&'static str> {
    [PLACEMENT, RESOURCES, STATES, ORDER, SURVIVAL].concat()
}

/// A point of the grid of clusters of `nodes` and `vms`: mixed digits of a number.
/// `None` where the digits contradict each other.
pub(crate) fn point(mut number: usize, nodes: usize, vms: usize) -> Option<Spec> {
    let mut digit = |base: usize| {
        let digit = number % base;
        number /= base;
        digit
    };
    let mut spec = Spec::default();
    let mut capacity = Vec::new();
    for name in &NODES[..nodes] {
        // On with room for 2 or 3, or off with room for 2.
        let kind = digit(3);
        capacity.push(if kind == 1 { 3 } else { 2 });
        spec.nodes.push(NodeSpec { name: (*name).to_owned(), online: kind < 2 });
    }
    let mut demand = Vec::new();
    for name in &VMS[..vms] {
        let (state, wish) = FATES[digit(FATES.len())];
        let node = digit(nodes);
        demand.push(1 + digit(2) as u64);
        let place = match state {
            "running" => Place::Running(NodeId::from_index(node)),
            "sleeping" => Place::Sleeping(NodeId::from_index(node)),
            // Where it is makes no difference: once is enough.
            _ if node > 0 => return None,
            _ => Place::Ready,
        };
        if place.node().is_some_and(|node| !spec.nodes[node.index()].online) {
            return None;
        }
        spec.vms.push(VmSpec { name: (*name).to_owned(), place });
        if !wish.is_empty() {
            spec.rules.push(format!("{wish} {name}"));
        }
    }
    spec.resources.push(ResourceSpec { name: "cpu".to_owned(), capacity, demand });
    Some(spec)
}

/// The number of points of the grid.
pub(crate) fn grid(nodes: usize, vms: usize) -> usize {
    3usize.pow(nodes as u32) * (FATES.len() * nodes * 2).pow(vms as u32)
}

/// A random cluster of up to 12 nodes, mostly of running VMs.
pub(crate) fn draw(dice: &mut Dice, nodes: usize, vms: usize) -> Spec {
    let mut spec = Spec::default();
    let mut capacity = Vec::new();
    for name in &NODES[..nodes] {
        capacity.push(2 + dice.below(3) as u64);
        spec.nodes.push(NodeSpec { name: (*name).to_owned(), online: !dice.once_in(6) });
    }
    let on: Vec<usize> = (0..nodes).filter(|&node| spec.nodes[node].online).collect();
    let mut demand = Vec::new();
    for at in 0..vms {
        let name = VMS.get(at).map_or_else(|| format!("v{at}"), |&name| name.to_owned());
        demand.push(1 + dice.below(2) as u64);
        let (state, wish) = if dice.once_in(3) { dice.of(&FATES) } else { FATES[0] };
        let place = match state {
            "running" if !on.is_empty() => Place::Running(NodeId::from_index(dice.of(&on))),
            "sleeping" if !on.is_empty() => Place::Sleeping(NodeId::from_index(dice.of(&on))),
            _ => Place::Ready,
        };
        spec.vms.push(VmSpec { name: name.clone(), place });
        let possible = place != Place::Ready || wish == "running" || wish == "killed";
        if !wish.is_empty() && possible {
            spec.rules.push(format!("{wish} {name}"));
        }
    }
    spec.resources.push(ResourceSpec { name: "cpu".to_owned(), capacity, demand });
    spec
}

/// Does every name in the rule exist?
pub(crate) fn fits(rule: &str, nodes: usize, vms: usize) -> bool {
    let head = rule.split(';').next().unwrap_or_default();
    head.split_whitespace().skip(1).flat_map(|word| word.split([',', '/'])).all(|name| {
        NODES.iter().position(|&node| node == name).is_none_or(|at| at < nodes)
            && VMS.iter().position(|&vm| vm == name).is_none_or(|at| at < vms)
    })
}

//! Ways between nodes, and what is no network.

use super::*;
use crate::model::InstanceBuilder;
use crate::model::Link;
use crate::model::Switch;

fn switch(number: u32, capacity: Option<u64>) -> Switch {
    Switch::new(number, None, capacity)
}

fn link(number: u32, capacity: u64, switch: u32, end: Endpoint) -> Link {
    Link { number, capacity, switch, end }
}

fn node(at: u32) -> Endpoint {
    Endpoint::Node(NodeId(at))
}

fn cluster(nodes: u32) -> Instance {
    let mut builder = InstanceBuilder::new();
    for at in 0..nodes {
        builder.node(&format!("n{at}"));
    }
    builder.build().expect("sound")
}

/// Two racks of two nodes below a core that passes 1,500.
fn racks() -> Network {
    Network {
        switches: vec![switch(10, None), switch(11, None), switch(12, Some(1500))],
        links: vec![
            link(0, 1000, 0, node(0)),
            link(1, 1000, 0, node(1)),
            link(2, 1000, 1, node(2)),
            link(3, 500, 1, node(3)),
            link(4, 2000, 2, Endpoint::Switch(0)),
            link(5, 2000, 2, Endpoint::Switch(1)),
        ],
        routing: Routing::Tree,
        ..Network::default()
    }
}

fn told(network: &Network, nodes: u32) -> String {
    Topology::new(network, &cluster(nodes)).err().map_or_else(String::new, |error| error.to_string())
}

fn path(topology: &Topology, from: u32, to: u32) -> (Vec<Channel>, u64) {
    let path = topology.path(NodeId(from), NodeId(to));
    (path.channels.iter().map(|&at| topology.channel(at).0).collect(), path.bandwidth)
}

#[test]
fn paths_of_a_tree() {
    use Channel::*;
    let topology = Topology::new(&racks(), &cluster(4)).expect("sound");
    // What a way takes is what leads from its start, leads to its end, and is crossed.
    for (from, to) in (0..4).flat_map(|from| (0..4).map(move |to| (NodeId(from), NodeId(to)))) {
        let channels = topology.path(from, to).channels;
        assert_eq!(topology.crossed(from, Some(to)), channels);
        if from != to {
            assert!(topology.crossed(from, None).iter().all(|channel| channels.contains(channel)));
            assert!(!topology.crossed(from, None).is_empty());
        }
        for channel in 0..12 {
            let may = topology.may_take(channel, from, true) && topology.may_take(channel, to, false);
            assert_eq!(may, channels.contains(&channel), "{from:?} {to:?} {channel}");
        }
    }
    assert_eq!(topology.channel_count(), 13);
    assert_eq!(path(&topology, 0, 1), (vec![Up(0), Down(1)], 1000));
    assert_eq!(path(&topology, 1, 0), (vec![Down(0), Up(1)], 1000));
    assert_eq!(path(&topology, 0, 3), (vec![Up(0), Down(3), Up(4), Down(5), Switch(2)], 500));
    assert_eq!(path(&topology, 2, 0), (vec![Down(0), Up(2), Down(4), Up(5), Switch(2)], 1000));
    assert_eq!(path(&topology, 2, 2), (vec![], u64::MAX));
}

#[test]
fn shortest_paths_are_those_of_the_tree_where_there_is_one() {
    let network = racks();
    let tree = Topology::new(&network, &cluster(4)).expect("sound");
    let network = Network { routing: Routing::Shortest, ..network };
    let shortest = Topology::new(&network, &cluster(4)).expect("sound");
    for (from, to) in (0..4).flat_map(|from| (0..4).map(move |to| (NodeId(from), NodeId(to)))) {
        assert_eq!(tree.path(from, to), shortest.path(from, to));
    }
}

#[test]
fn equal_ways_are_shared_by_the_pairs() {
    // Two leaves of two nodes, two spines: a small fat tree.
    let spine = |number, leaf, spine| link(number, 1000, spine, Endpoint::Switch(leaf));
    let network = Network {
        switches: (0..4).map(|at| switch(at, None)).collect(),
        links: vec![
            link(0, 1000, 0, node(0)),
            link(1, 1000, 0, node(1)),
            link(2, 1000, 1, node(2)),
            link(3, 1000, 1, node(3)),
            spine(4, 0, 2),
            spine(5, 0, 3),
            spine(6, 1, 2),
            spine(7, 1, 3),
        ],
        routing: Routing::Shortest,
        ..Network::default()
    };
    let topology = Topology::new(&network, &cluster(4)).expect("sound");
    let mut used = [0; 2];
    for (from, to) in [(0, 2), (0, 3), (1, 2), (1, 3), (2, 0), (2, 1), (3, 0), (3, 1)] {
        let (channels, bandwidth) = path(&topology, from, to);
        assert_eq!((channels.len(), bandwidth), (4, 1000));
        let over = channels.iter().filter_map(|channel| match channel {
            Channel::Up(at) | Channel::Down(at) if *at >= 4 => Some((at % 2) as usize),
            _ => None,
        });
        let over: Vec<usize> = over.collect();
        // Up and down by the same spine.
        assert_eq!((over.len(), over[0]), (2, over[1]));
        used[over[0]] += 1;
    }
    assert!(used.iter().all(|&count| count > 0), "{used:?}");
    // A route that is given is taken, the others are not changed by it.
    let given =
        Route { from: NodeId(0), to: NodeId(2), links: vec![(0, false), (4, false), (6, true), (2, true)] };
    let mixed = Network { routing: Routing::Mixed(vec![given.clone()]), ..network.clone() };
    let mixed = Topology::new(&mixed, &cluster(4)).expect("sound");
    for to in (0..4).map(NodeId) {
        mixed.routes_to(to, |from, route| {
            let expected = match (from, to) == (given.from, given.to) {
                true => given.links.iter().map(|&(link, down)| 2 * link + u32::from(down)).collect(),
                false => topology.route(from, to),
            };
            assert_eq!((route, mixed.route(from, to)), (expected.as_slice(), expected.clone()));
        });
    }
    let tree = Network { routing: Routing::Tree, ..network };
    assert!(told(&tree, 4).contains("closes a circle"), "{}", told(&tree, 4));
}

#[test]
fn routes_that_are_given() {
    let mut network = racks();
    let route =
        |from, to, links: &[(u32, bool)]| Route { from: NodeId(from), to: NodeId(to), links: links.to_vec() };
    network.switches.truncate(1);
    network.links.truncate(2);
    network.routing = Routing::Fixed(vec![route(1, 0, &[(1, false), (0, true)])]);
    assert_eq!(
        told(&network, 2),
        "the network: there is no route from node `n0` to node `n1`; `shortest` finds those that are not given"
    );
    let both = vec![route(1, 0, &[(1, false), (0, true)]), route(0, 1, &[(0, false), (1, true)])];
    network.routing = Routing::Fixed(both.clone());
    let topology = Topology::new(&network, &cluster(2)).expect("sound");
    assert_eq!(path(&topology, 0, 1), (vec![Channel::Up(0), Channel::Down(1)], 1000));
    for (broken, message) in [
        (route(0, 1, &[(0, true), (1, true)]), "is torn: link 0 does not go on from node `n0`"),
        (route(0, 1, &[(0, false)]), "the route from node `n0` to node `n1` ends at switch 10"),
        (route(0, 1, &[(7, false)]), "takes a link that does not exist"),
        (both[0].clone(), "the route from node `n1` to node `n0` is the second one between them"),
        (
            route(1, 1, &[(1, false), (1, true)]),
            "the route from node `n1` to node `n1` leads from a node to itself",
        ),
        (
            route(0, 1, &[(0, false), (0, true), (0, false), (1, true)]),
            "the route from node `n0` to node `n1` passes node `n0` twice",
        ),
    ] {
        network.routing = Routing::Fixed(vec![both[0].clone(), broken]);
        assert!(told(&network, 2).contains(message), "{}", told(&network, 2));
    }
}

#[test]
fn traffic_passes_through_switches_only() {
    // n0 – s0 – n1 – s1 – n2.
    let mut network = Network {
        switches: vec![switch(0, None), switch(1, None)],
        links: vec![
            link(0, 1000, 0, node(0)),
            link(1, 1000, 0, node(1)),
            link(2, 1000, 1, node(1)),
            link(3, 1000, 1, node(2)),
        ],
        ..Network::default()
    };
    let message = "no way from node `n0` to node `n2`; traffic passes through switches only";
    for routing in [Routing::Tree, Routing::Shortest] {
        network.routing = routing;
        assert!(told(&network, 3).contains(message), "{}", told(&network, 3));
    }
    let through =
        Route { from: NodeId(0), to: NodeId(2), links: vec![(0, false), (1, true), (2, false), (3, true)] };
    network.routing = Routing::Fixed(vec![through]);
    assert!(told(&network, 3).contains("passes through node `n1`"), "{}", told(&network, 3));
    // Three nodes, each pair with a switch of its own.
    network.links.push(link(4, 1000, 2, node(0)));
    network.links.push(link(5, 1000, 2, node(2)));
    network.switches.push(switch(2, None));
    network.routing = Routing::Shortest;
    let topology = Topology::new(&network, &cluster(3)).expect("sound");
    assert_eq!(path(&topology, 0, 2), (vec![Channel::Up(4), Channel::Down(5)], 1000));
    network.links[3].end = node(0);
    network.links[3].switch = 0;
    assert!(told(&network, 3).contains("no way from node `n1` to node `n2`"), "{}", told(&network, 3));
}

#[test]
fn what_guests_keep_migrations_do_not_use() {
    let mut network = racks();
    network.allowance.reserve_percent = 25;
    network.allowance.reserves = vec![(3, 100)];
    let topology = Topology::new(&network, &cluster(4)).expect("sound");
    let links: Vec<u64> = (0..6).map(|at| network.usable(at)).collect();
    assert_eq!(links, [750, 750, 750, 400, 1500, 1500]);
    assert_eq!([path(&topology, 0, 1).1, path(&topology, 0, 2).1, path(&topology, 3, 2).1], [750, 750, 400]);
    network.allowance.per_migration = Some(500);
    let topology = Topology::new(&network, &cluster(4)).expect("sound");
    assert_eq!([path(&topology, 0, 1).1, path(&topology, 3, 2).1], [500, 400]);
    assert_eq!(topology.path(NodeId(1), NodeId(1)).bandwidth, u64::MAX);
    // The switch has no guests.
    assert_eq!(topology.channel(12), (Channel::Switch(2), 1500));
    network.allowance.per_migration = Some(0);
    assert!(told(&network, 4).contains("its limit for each is 0"));
    network.allowance = super::super::Allowance { reserves: vec![(0, 2000)], ..Default::default() };
    assert!(
        told(&network, 4)
            .contains("link 0 has nothing left for migrations: all of its 1000 Mbit/s are kept free")
    );
}

#[test]
fn what_is_no_network() {
    let mut network = racks();
    assert_eq!(told(&network, 5), "the network: there is no way from node `n0` to node `n4`");
    network.links[3].capacity = 0;
    assert_eq!(told(&network, 4), "the network: link 3 has no capacity");
    network.links[3].capacity = 1;
    network.switches[1].capacity = Some(0);
    assert_eq!(told(&network, 4), "the network: switch 11 has no capacity");
    network.switches[1].capacity = None;
    network.links.push(link(6, 1000, 0, node(0)));
    // The first link that does, in the order in which they are given.
    assert_eq!(
        told(&network, 4),
        "the network: link 6 closes a circle, so that there are several ways; give the routes, or choose \
         `shortest`"
    );
    let last = network.links.len() - 1;
    network.links[last].end = Endpoint::Switch(0);
    assert!(told(&network, 4).contains("closes a circle"), "{}", told(&network, 4));
    assert_eq!(told(&Network::default(), 1), "");
    assert_eq!(told(&Network::default(), 0), "");
}

#[test]
fn a_star() {
    let topology = Topology::new(&Network::star(3, 1000), &cluster(3)).expect("sound");
    assert_eq!(path(&topology, 0, 2), (vec![Channel::Up(0), Channel::Down(2)], 1000));
}

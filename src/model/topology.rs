//! What lies between two nodes of a network: the channels that a migration occupies.
//!
//! A full-duplex link is two channels, one for each direction; a switch that may block is
//! one. Traffic from a node to another takes a path of them and holds its bandwidth on
//! each.

use super::Endpoint;
use super::Instance;
use super::Network;
use super::NetworkError;
use super::NetworkPart;
use super::NodeId;
use super::Route;
use super::Routing;
use petgraph::unionfind::UnionFind;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// No link, no vertex.
const NONE: u32 = u32::MAX;

/// Something that traffic occupies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// The link at this index, towards its switch: what the other end sends.
    Up(u32),
    /// The link at this index, away from its switch.
    Down(u32),
    /// The blocking switch at this index, whatever the direction.
    Switch(u32),
}

/// What lies between two nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Indices of channels (see [`Topology::channel`]), ascending.
    pub channels: Vec<u32>,
    /// The most that a migration may use, in Mbit/s: the least that its channels, and the
    /// network for each migration, allow.
    pub bandwidth: u64,
}

/// How paths are found.
#[derive(Clone, Debug)]
enum Paths {
    /// Up from both ends until they meet: by vertex, the vertex above, the channel to it,
    /// the channel from it, and the number of vertices above; and where it and those below
    /// it are, from and to, when each comes before those below it.
    Tree { above: Vec<Above>, span: Vec<(u32, u32)> },
    /// As given, or else the fewest links: by vertex, its neighbours and the channels to them.
    Shortest { given: Routes, neighbours: Vec<Vec<(u32, u32)>> },
    /// As given. By node: the channels of all routes out of it, and into it.
    Fixed { routes: Routes, shared: [Vec<Vec<u32>>; 2] },
}

/// The channels of routes in turn, sorted by (from, to).
#[derive(Clone, Debug, Default)]
struct Routes(Vec<(NodeId, NodeId, Vec<u32>)>);

impl Routes {
    fn get(&self, from: NodeId, to: NodeId) -> Option<&Vec<u32>> {
        let at = self.0.binary_search_by_key(&(from, to), |&(from, to, _)| (from, to)).ok()?;
        Some(&self.0[at].2)
    }
}

#[derive(Clone, Copy, Debug)]
struct Above {
    vertex: u32,
    /// The channel to it.
    up: u32,
    /// The channel from it.
    down: u32,
    depth: u32,
}

/// A network that has been checked and made ready.
///
/// Vertices are the nodes, then the switches.
#[derive(Clone, Debug)]
pub struct Topology {
    nodes: usize,
    channels: Vec<(Channel, u64)>,
    /// No path gives more.
    most: u64,
    /// By link: the channels of the switches at its ends, or [`NONE`] where they never block.
    blocking: Vec<[u32; 2]>,
    /// By link: the vertices at its ends.
    links: Vec<[u32; 2]>,
    /// By node: the channel out of it, where it has one link alone, or [`NONE`].
    only: Vec<u32>,
    paths: Paths,
}

impl Topology {
    /// Checks a network and makes it ready. Linear in links and switches; with routes that
    /// are given, in their links.
    ///
    /// # Errors
    /// A capacity of 0, a link or a route that leads nowhere, two nodes with no way
    /// between them, links in a circle where paths are those of a tree.
    pub fn new(network: &Network, instance: &Instance) -> Result<Self, NetworkError> {
        let names = Names { network, instance };
        let nodes = instance.node_count();
        let mut channels = Vec::with_capacity(2 * network.links.len() + network.switches.len());
        for (at, link) in (0u32..).zip(&network.links) {
            if link.capacity == 0 {
                return Err(names.fault_of(NetworkPart::Link(at), "has no capacity"));
            }
            let usable = network.usable(at);
            if usable == 0 {
                let what = format!(
                    "has nothing left for migrations: all of its {} Mbit/s are kept free",
                    link.capacity
                );
                return Err(names.fault_of(NetworkPart::Link(at), what));
            }
            let known = match link.end {
                Endpoint::Node(node) => node.index() < nodes,
                Endpoint::Switch(switch) => (switch as usize) < network.switches.len(),
            };
            if !known || link.switch as usize >= network.switches.len() {
                return Err(names.fault_of(NetworkPart::Link(at), "ends at nothing that exists"));
            }
            channels.push((Channel::Up(at), usable));
            channels.push((Channel::Down(at), usable));
        }
        let mut switches = vec![NONE; network.switches.len()];
        for (at, switch) in (0u32..).zip(&network.switches) {
            let Some(capacity) = switch.capacity else { continue };
            if capacity == 0 {
                return Err(names.fault_of(NetworkPart::Switch(at), "has no capacity"));
            }
            switches[at as usize] = channels.len() as u32;
            channels.push((Channel::Switch(at), capacity));
        }
        let blocking = network.links.iter().map(|link| {
            let end = match link.end {
                Endpoint::Switch(switch) => switches[switch as usize],
                Endpoint::Node(_) => NONE,
            };
            [switches[link.switch as usize], end]
        });
        let blocking = blocking.collect();
        let vertex = |end| match end {
            Endpoint::Node(node) => node.0,
            Endpoint::Switch(switch) => nodes as u32 + switch,
        };
        let links = network.links.iter().map(|link| [nodes as u32 + link.switch, vertex(link.end)]).collect();
        let mut only: Vec<Option<u32>> = vec![Some(NONE); nodes];
        for (at, link) in (0u32..).zip(&network.links) {
            if let Endpoint::Node(node) = link.end {
                let only = &mut only[node.index()];
                *only = (*only == Some(NONE)).then_some(2 * at);
            }
        }
        let only = only.into_iter().map(|only| only.unwrap_or(NONE)).collect();
        let most = network.allowance.per_migration.unwrap_or(u64::MAX);
        if most == 0 {
            let what = "no migration may use any bandwidth: its limit for each is 0";
            return Err(names.fault_of(NetworkPart::PerMigration, what));
        }
        let paths = Paths::Fixed { routes: Routes::default(), shared: <[_; 2]>::default() };
        let mut topology = Self { nodes, channels, most, blocking, links, only, paths };
        topology.paths = match &network.routing {
            Routing::Tree => topology.tree(&names)?,
            Routing::Shortest => topology.shortest(&names, &[])?,
            Routing::Mixed(given) => topology.shortest(&names, given)?,
            Routing::Fixed(given) => topology.fixed(&names, given)?,
        };
        Ok(topology)
    }

    /// Are the ways those of a tree?
    pub fn is_tree(&self) -> bool {
        matches!(self.paths, Paths::Tree { .. })
    }

    /// Number of channels.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// The channel at this index, and what migrations may use of it, in Mbit/s.
    pub fn channel(&self, at: u32) -> (Channel, u64) {
        self.channels[at as usize]
    }

    /// What lies between two nodes; no channels, and no limit, from a node to itself.
    /// Costs as much as [`Topology::route`].
    pub fn path(&self, from: NodeId, to: NodeId) -> Path {
        let mut channels = self.route(from, to);
        self.add_switches(&mut channels);
        let least = channels.iter().map(|&at| self.channels[at as usize].1).min();
        let bandwidth = least.map_or(u64::MAX, |least| least.min(self.most));
        Path { channels, bandwidth }
    }

    /// Adds the switches at the ends of links, and sorts.
    fn add_switches(&self, channels: &mut Vec<u32>) {
        for at in 0..channels.len() {
            let switches = self.blocking[channels[at] as usize / 2];
            channels.extend(switches.iter().filter(|&&switch| switch != NONE));
        }
        channels.sort_unstable();
        channels.dedup();
    }

    /// The channels that whoever gets from a node to another crosses at some time, whatever
    /// stops it makes, or (`None`) that it crosses when it leaves; ascending. May leave some out.
    pub fn crossed(&self, from: NodeId, to: Option<NodeId>) -> Vec<u32> {
        let mut channels = match (&self.paths, to) {
            (Paths::Fixed { shared: [out, into], .. }, to) => {
                let of = |list: &'_ [Vec<u32>], node: NodeId| list.get(node.index()).cloned();
                let ends = [of(out, from), to.and_then(|to| of(into, to))];
                ends.into_iter().flatten().flatten().collect()
            }
            (Paths::Tree { .. }, Some(to)) => self.route(from, to),
            (Paths::Tree { .. } | Paths::Shortest { .. }, _) => {
                let ends = [Some((from, true)), to.map(|to| (to, false))];
                let only = ends.into_iter().flatten().filter_map(|(node, out)| self.only_link(node, out));
                only.collect()
            }
        };
        self.add_switches(&mut channels);
        channels
    }

    /// The channel out of a node, or into it, where it has one link alone.
    fn only_link(&self, node: NodeId, out: bool) -> Option<u32> {
        let channel = self.only[node.index()];
        (channel != NONE).then_some(if out { channel } else { channel ^ 1 })
    }

    /// May traffic out of (`out`) or into the node take the channel?
    pub fn may_take(&self, channel: u32, node: NodeId, out: bool) -> bool {
        let (Channel::Up(link) | Channel::Down(link)) = self.channel(channel).0 else { return true };
        let Paths::Tree { above, span } = &self.paths else { return true };
        // The vertex below the link, and whether the channel leads away from it.
        let lower = self.links[link as usize].into_iter().find(|&end| above[end as usize].up / 2 == link);
        let Some(lower) = lower else { return true };
        let (low, high) = span[lower as usize];
        let inside = (low..high).contains(&span[node.index()].0);
        let leaves = above[lower as usize].up == channel;
        inside == (leaves == out)
    }

    /// The channels of links from a node to another, in turn. Costs as much as the way is
    /// long; with [`Routing::Shortest`], as much as the network is large.
    pub fn route(&self, from: NodeId, to: NodeId) -> Vec<u32> {
        match &self.paths {
            Paths::Tree { above, .. } => {
                let (mut there, mut back) = (Vec::new(), Vec::new());
                let (mut a, mut b) = (from.0, to.0);
                while a != b {
                    let (up, down) = (above[a as usize], above[b as usize]);
                    if up.depth >= down.depth {
                        there.push(up.up);
                        a = up.vertex;
                    } else {
                        back.push(down.down);
                        b = down.vertex;
                    }
                }
                there.extend(back.iter().rev());
                there
            }
            Paths::Shortest { given, neighbours } => match given.get(from, to) {
                Some(route) => route.clone(),
                None => self.walk(neighbours, &self.distances(neighbours, to.0, from.0), from.0, to.0),
            },
            Paths::Fixed { routes, .. } => routes.get(from, to).cloned().unwrap_or_default(),
        }
    }

    /// Calls back with the node and [`Topology::route`] from it for each other node, ascending.
    /// Searches once, where that has to search for each.
    pub fn routes_to(&self, to: NodeId, mut each: impl FnMut(NodeId, &[u32])) {
        let sources = (0..self.nodes).map(NodeId::from_index).filter(|&from| from != to);
        let Paths::Shortest { given, neighbours } = &self.paths else {
            return sources.for_each(|from| each(from, &self.route(from, to)));
        };
        let distance = self.distances(neighbours, to.0, NONE);
        for from in sources {
            match given.get(from, to) {
                Some(route) => each(from, route),
                None => each(from, &self.walk(neighbours, &distance, from.0, to.0)),
            }
        }
    }

    /// By vertex: (neighbour, channel to it).
    fn neighbours(&self, network: &Network) -> Vec<Vec<(u32, u32)>> {
        let mut neighbours = vec![Vec::new(); self.nodes + network.switches.len()];
        for (at, link) in (0u32..).zip(&network.links) {
            let switch = self.nodes as u32 + link.switch;
            let end = self.vertex(link.end);
            neighbours[end as usize].push((switch, 2 * at));
            neighbours[switch as usize].push((end, 2 * at + 1));
        }
        neighbours
    }

    fn vertex(&self, end: Endpoint) -> u32 {
        match end {
            Endpoint::Node(node) => node.0,
            Endpoint::Switch(switch) => self.nodes as u32 + switch,
        }
    }

    fn tree(&self, names: &Names<'_>) -> Result<Paths, NetworkError> {
        let neighbours = self.neighbours(names.network);
        let mut above = vec![Above { vertex: NONE, up: NONE, down: NONE, depth: NONE }; neighbours.len()];
        for root in 0..neighbours.len() as u32 {
            if above[root as usize].depth != NONE {
                continue;
            }
            above[root as usize].depth = 0;
            let mut queue = VecDeque::from([root]);
            while let Some(vertex) = queue.pop_front() {
                let here = above[vertex as usize];
                for &(next, channel) in &neighbours[vertex as usize] {
                    if channel == here.up {
                        continue;
                    }
                    if above[next as usize].depth != NONE {
                        let what = "closes a circle, so that there are several ways";
                        let link = self.first_circle().unwrap_or(channel / 2);
                        let error = names.fault_of(NetworkPart::Link(link), what);
                        return Err(NetworkError {
                            advice: Some("give the routes, or choose `shortest`"),
                            ..error
                        });
                    }
                    above[next as usize] =
                        Above { vertex, up: channel ^ 1, down: channel, depth: here.depth + 1 };
                    queue.push_back(next);
                }
            }
        }
        self.connected(&neighbours, names)?;
        let span = spans(&above);
        Ok(Paths::Tree { above, span })
    }

    /// The first link whose ends those before it connect already.
    fn first_circle(&self) -> Option<u32> {
        let vertices = self.links.iter().flatten().max().map_or(0, |&last| last as usize + 1);
        let mut joined = UnionFind::<usize>::new(vertices);
        let closes = |&(_, &[switch, end]): &(u32, &[u32; 2])| !joined.union(switch as usize, end as usize);
        (0u32..).zip(&self.links).find(closes).map(|(at, _)| at)
    }

    fn shortest(&self, names: &Names<'_>, given: &[Route]) -> Result<Paths, NetworkError> {
        let neighbours = self.neighbours(names.network);
        self.connected(&neighbours, names)?;
        Ok(Paths::Shortest { given: self.routes(names, given)?, neighbours })
    }

    /// Is there a way between all nodes, over switches alone?
    fn connected(&self, neighbours: &[Vec<(u32, u32)>], names: &Names<'_>) -> Result<(), NetworkError> {
        let mut switches = UnionFind::<usize>::new(neighbours.len());
        for &[switch, end] in self.links.iter().filter(|[_, end]| *end as usize >= self.nodes) {
            switches.union(switch as usize, end as usize);
        }
        let region = switches.into_labeling();
        // The nodes by the regions that they are linked to: few sets, as a rule.
        let mut nodes_of: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for node in (0..self.nodes).rev() {
            let mut regions: Vec<usize> =
                neighbours[node].iter().map(|&(switch, _)| region[switch as usize]).collect();
            regions.sort_unstable();
            regions.dedup();
            nodes_of.insert(regions, node);
        }
        let sets: Vec<(&Vec<usize>, usize)> =
            nodes_of.iter().map(|(regions, &node)| (regions, node)).collect();
        let meet = |one: &[usize], other: &[usize]| one.iter().any(|at| other.binary_search(at).is_ok());
        let is_common = |at: &usize| sets.iter().all(|(regions, _)| regions.binary_search(at).is_ok());
        if self.nodes < 2 || sets.first().is_some_and(|(regions, _)| regions.iter().any(is_common)) {
            return Ok(());
        }
        let alone = |(regions, node): &(&Vec<usize>, usize)| {
            let other = (0..self.nodes).find(|at| at != node)?;
            regions.is_empty().then_some((*node.min(&other), *node.max(&other)))
        };
        let apart = || {
            let pairs = (0..sets.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
            let mut apart = pairs.filter(|&(one, other)| !meet(sets[one].0, sets[other].0));
            apart.next().map(|(one, other)| (sets[one].1.min(sets[other].1), sets[one].1.max(sets[other].1)))
        };
        let Some((one, other)) = sets.iter().find_map(alone).or_else(apart) else { return Ok(()) };
        let name = |node: usize| names.instance.node_name(NodeId::from_index(node));
        let through = match sets.iter().any(|(regions, _)| regions.len() > 1) {
            true => "; traffic passes through switches only",
            false => "",
        };
        let (one, other) = (name(one), name(other));
        let what = format!("there is no way from node `{one}` to node `{other}`{through}");
        Err(names.fault_of(NetworkPart::Links, what))
    }

    /// By vertex: the fewest links to a node, as far as is needed for the way from another, or
    /// ([`NONE`]) everywhere.
    fn distances(&self, neighbours: &[Vec<(u32, u32)>], to: u32, from: u32) -> Vec<u32> {
        let mut distance = vec![NONE; neighbours.len()];
        distance[to as usize] = 0;
        let mut queue = VecDeque::from([to]);
        while let Some(vertex) = queue.pop_front() {
            if vertex == from {
                break;
            }
            // Traffic passes through switches only.
            if (vertex as usize) < self.nodes && vertex != to {
                continue;
            }
            for &(next, _) in &neighbours[vertex as usize] {
                if distance[next as usize] == NONE {
                    distance[next as usize] = distance[vertex as usize] + 1;
                    queue.push_back(next);
                }
            }
        }
        distance
    }

    /// The way with the fewest links. Among ways that are equally short the pair of nodes decides, so
    /// that pairs are spread over them (equal-cost multipath, RFC 2992), always alike.
    fn walk(&self, neighbours: &[Vec<(u32, u32)>], distance: &[u32], from: u32, to: u32) -> Vec<u32> {
        let mut spread = (u64::from(from) << 32 | u64::from(to)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut channels = Vec::new();
        let mut at = from;
        while at != to {
            let nearer: Vec<(u32, u32)> = neighbours[at as usize]
                .iter()
                .copied()
                .filter(|&(next, _)| {
                    let left = distance[next as usize];
                    left != NONE
                        && left < distance[at as usize]
                        && (next == to || next as usize >= self.nodes)
                })
                .collect();
            if nearer.is_empty() {
                return Vec::new();
            }
            spread ^= spread >> 29;
            let (next, channel) = nearer[(spread % nearer.len() as u64) as usize];
            spread = spread.wrapping_mul(0xBF58_476D_1CE4_E5B9);
            channels.push(channel);
            at = next;
        }
        channels
    }

    /// Routes between all nodes.
    fn fixed(&self, names: &Names<'_>, given: &[Route]) -> Result<Paths, NetworkError> {
        let routes = self.routes(names, given)?;
        // Sorted, and none twice: where all pairs are there, they come one after the other.
        let mut known = routes.0.iter().map(|&(from, to, _)| (from, to));
        for from in names.instance.node_ids() {
            for to in names.instance.node_ids().filter(|&to| to != from) {
                if known.next() != Some((from, to)) {
                    let (from, to) = (names.instance.node_name(from), names.instance.node_name(to));
                    let what = format!("there is no route from node `{from}` to node `{to}`");
                    let error = names.fault_of(NetworkPart::Routes, what);
                    return Err(NetworkError {
                        advice: Some("`shortest` finds those that are not given"),
                        ..error
                    });
                }
            }
        }
        let shared = [true, false].map(|out| shared(self.nodes, &routes, out));
        Ok(Paths::Fixed { routes, shared })
    }

    /// Routes that are given: each goes on from where it is to its end, passes nothing twice, and
    /// is the only one of its pair of nodes.
    fn routes(&self, names: &Names<'_>, given: &[Route]) -> Result<Routes, NetworkError> {
        let mut routes = Vec::with_capacity(given.len());
        // By vertex: one more than the last route that passed it.
        let mut passed = vec![0u32; self.nodes + names.network.switches.len()];
        for (index, route) in (0u32..).zip(given) {
            let fault = |what: String| Err(names.fault_of(NetworkPart::Route(index), what));
            if route.from.index().max(route.to.index()) >= self.nodes {
                return fault("ends at a node that does not exist".to_owned());
            }
            if route.from == route.to {
                return fault("leads from a node to itself".to_owned());
            }
            let mut at = route.from.0;
            passed[at as usize] = index + 1;
            let mut channels = Vec::with_capacity(route.links.len());
            for &(link, down) in &route.links {
                let Some(&[switch, end]) = self.links.get(link as usize) else {
                    return fault("takes a link that does not exist".to_owned());
                };
                let (start, end) = if down { (switch, end) } else { (end, switch) };
                if start != at {
                    return fault(format!(
                        "is torn: {} does not go on from {}",
                        names.link(link),
                        names.vertex(at, self.nodes)
                    ));
                }
                if std::mem::replace(&mut passed[end as usize], index + 1) == index + 1 {
                    return fault(format!("passes {} twice", names.vertex(end, self.nodes)));
                }
                if (start as usize) < self.nodes && start != route.from.0 {
                    return fault(format!(
                        "passes through {}; traffic passes through switches only",
                        names.vertex(start, self.nodes)
                    ));
                }
                channels.push(2 * link + u32::from(down));
                at = end;
            }
            if at != route.to.0 {
                return fault(format!("ends at {}", names.vertex(at, self.nodes)));
            }
            routes.push((route.from, route.to, channels, index));
        }
        routes.sort_by_key(|&(from, to, _, index)| (from, to, index));
        if let Some(pair) = routes.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
            return Err(names.fault_of(NetworkPart::Route(pair[1].3), "is the second one between them"));
        }
        Ok(Routes(routes.into_iter().map(|(from, to, channels, _)| (from, to, channels)).collect()))
    }
}

/// By vertex: from where to where it and those below it are, when each comes before those
/// below it.
fn spans(above: &[Above]) -> Vec<(u32, u32)> {
    let mut order: Vec<u32> = (0..above.len() as u32).collect();
    order.sort_by_key(|&vertex| (above[vertex as usize].depth, vertex));
    let mut below = vec![1u32; above.len()];
    for &vertex in order.iter().rev() {
        let upper = above[vertex as usize].vertex;
        if upper != NONE {
            below[upper as usize] += below[vertex as usize];
        }
    }
    let mut span = vec![(0, 0); above.len()];
    // By vertex: where its next child begins; those at the top come after each other.
    let mut next = vec![0u32; above.len()];
    let mut top = 0;
    for vertex in order {
        let from = match above[vertex as usize].vertex {
            NONE => &mut top,
            upper => &mut next[upper as usize],
        };
        let low = *from;
        *from += below[vertex as usize];
        span[vertex as usize] = (low, low + below[vertex as usize]);
        next[vertex as usize] = low + 1;
    }
    span
}

/// The user's names for the parts of a network.
struct Names<'n> {
    network: &'n Network,
    instance: &'n Instance,
}

impl Names<'_> {
    fn fault_of(&self, part: NetworkPart, what: impl Into<String>) -> NetworkError {
        let subject = match part {
            NetworkPart::Whole | NetworkPart::Links | NetworkPart::Routes | NetworkPart::PerMigration => {
                String::new()
            }
            NetworkPart::Switch(at) => {
                self.vertex(at + self.instance.node_count() as u32, self.instance.node_count())
            }
            NetworkPart::Link(at) => self.link(at),
            NetworkPart::Route(at) => match self.network.routing.routes().get(at as usize) {
                Some(route) => self.route(route),
                None => format!("route {at}"),
            },
        };
        NetworkError::new(part, subject, what)
    }

    fn link(&self, at: u32) -> String {
        format!("link {}", self.network.links.get(at as usize).map_or(at, |link| link.number))
    }

    fn route(&self, route: &Route) -> String {
        let name = |node: NodeId| match node.index() < self.instance.node_count() {
            true => self.instance.node_name(node),
            false => "?",
        };
        format!("the route from node `{}` to node `{}`", name(route.from), name(route.to))
    }

    fn vertex(&self, vertex: u32, nodes: usize) -> String {
        match (vertex as usize).checked_sub(nodes) {
            None => format!("node `{}`", self.instance.node_name(NodeId(vertex))),
            Some(at) => match self.network.switches.get(at) {
                Some(switch) => format!("switch {}", switch.said()),
                None => "a switch".to_owned(),
            },
        }
    }
}

/// By node: the channels that all routes out of it (`out`), or into it, have.
fn shared(nodes: usize, routes: &Routes, out: bool) -> Vec<Vec<u32>> {
    let mut shared: Vec<Option<Vec<u32>>> = vec![None; nodes];
    for (from, to, channels) in &routes.0 {
        let known = &mut shared[if out { from.index() } else { to.index() }];
        match known {
            None => *known = Some(channels.clone()),
            Some(known) => known.retain(|channel| channels.contains(channel)),
        }
    }
    shared.into_iter().map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests;

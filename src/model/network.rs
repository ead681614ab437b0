//! The network: switches, links, and how traffic finds its way.

use super::NodeId;

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A node.
    Node(NodeId),
    /// A switch, by its index in [`Network::switches`].
    Switch(u32),
}

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its number in files.
    pub number: u32,
    /// What people call it.
    pub name: Option<String>,
    /// Mbit/s through it; `None` where it never blocks.
    pub capacity: Option<u64>,
}

impl Switch {
    /// A switch. A name that is `s` and the number is that of one without a name.
    pub fn new(number: u32, name: Option<&str>, capacity: Option<u64>) -> Self {
        let own = name.filter(|name| name.strip_prefix('s') != Some(number.to_string().as_str()));
        Self { number, name: own.map(str::to_owned), capacity }
    }

    /// What a sentence calls it: its name in quotes, or its number.
    pub fn said(&self) -> String {
        self.name.as_ref().map_or_else(|| self.number.to_string(), |name| format!("`{name}`"))
    }

    /// Its name, or `s` and its number where it has none.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("s{}", self.number))
    }
}

/// A full-duplex link between a switch and a node or another switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in files.
    pub number: u32,
    /// Mbit/s in each direction.
    pub capacity: u64,
    /// The switch at one end, by its index in [`Network::switches`].
    pub switch: u32,
    /// The other end.
    pub end: Endpoint,
}

/// A directed path between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it starts.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// Indices in [`Network::links`], each with true for downlink, false for uplink.
    pub links: Vec<(u32, bool)>,
}

/// How traffic finds its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// The links are a tree: there is one way.
    #[default]
    Tree,
    /// The fewest links; equal ways are shared by the pairs of nodes, always alike.
    Shortest,
    /// A route for each ordered pair of nodes.
    Fixed(Vec<Route>),
}

/// Switches, links, and how traffic finds its way. [`crate::model::Topology`] checks it and
/// finds paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The switches.
    pub switches: Vec<Switch>,
    /// The links.
    pub links: Vec<Link>,
    /// How traffic finds its way.
    pub routing: Routing,
}

impl Network {
    /// One switch that never blocks, and a link of this capacity (Mbit/s) to each node.
    pub fn star(nodes: u32, capacity: u64) -> Self {
        let link = |node| Link { number: node, capacity, switch: 0, end: Endpoint::Node(NodeId(node)) };
        Self {
            switches: vec![Switch::new(0, None, None)],
            links: (0..nodes).map(link).collect(),
            routing: Routing::Tree,
        }
    }
}

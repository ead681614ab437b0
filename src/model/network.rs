//! The network: kept and written back.

use super::NodeId;

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Mbit/s through it; `None` where it never blocks.
    pub capacity: Option<u64>,
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

/// Switches, links, and how traffic finds its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The switches.
    pub switches: Vec<Switch>,
    /// The links.
    pub links: Vec<Link>,
    /// Explicit routes; `None` where paths are searched.
    pub routes: Option<Vec<Route>>,
}

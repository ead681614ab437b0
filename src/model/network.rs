//! The network: switches, links, and how traffic finds its way.

use super::NodeId;
use rustc_hash::FxHashMap;
use std::fmt;

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
    /// Routes for some ordered pairs of nodes, and the fewest links between the others.
    Mixed(Vec<Route>),
}

impl Routing {
    /// The routes that are given.
    pub fn routes(&self) -> &[Route] {
        match self {
            Routing::Tree | Routing::Shortest => &[],
            Routing::Fixed(routes) | Routing::Mixed(routes) => routes,
        }
    }
}

/// What migrations may have of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Percent of each link, in each direction, that migrations leave to the guests: 0 to 99.
    pub reserve_percent: u8,
    /// Mbit/s of single links that they leave, in place of the percentage: (index in
    /// [`Network::links`], Mbit/s), by link.
    pub reserves: Vec<(u32, u64)>,
    /// Mbit/s that no migration exceeds; `None` where a path may be used up.
    pub per_migration: Option<u64>,
    /// May migrations be done at a half or a fourth of the bandwidth that their way has, where
    /// all is over sooner so? Else each takes all of it.
    pub sharing: bool,
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
    /// What migrations may have of it.
    pub allowance: Allowance,
}

impl Network {
    /// Mbit/s that migrations may use of a link in each direction; 0 where there is no such
    /// link.
    pub fn usable(&self, link: u32) -> u64 {
        let Some(capacity) = self.links.get(link as usize).map(|link| link.capacity) else { return 0 };
        let Allowance { reserve_percent, reserves, .. } = &self.allowance;
        match reserves.binary_search_by_key(&link, |&(link, _)| link) {
            Ok(at) => capacity.saturating_sub(reserves[at].1),
            Err(_) => {
                let share = 100u128.saturating_sub(u128::from(*reserve_percent));
                // A share of a number of 64 bits has as many at most.
                (u128::from(capacity) * share / 100) as u64
            }
        }
    }

    /// Can switches be told apart by what they are called?
    ///
    /// # Errors
    /// Two that have the same name, or one that is called as another is by its number.
    pub fn check_names(&self) -> Result<(), NetworkError> {
        let mut met: FxHashMap<String, u32> = FxHashMap::default();
        for (at, switch) in (0u32..).zip(&self.switches) {
            let label = switch.label();
            let Some(&other) = met.get(&label) else {
                met.insert(label, at);
                continue;
            };
            let [first, second] = [other, at].map(|at| self.switches[at as usize].number);
            let what = format!("the switches {first} and {second} are both called `{label}`");
            return Err(NetworkError::new(NetworkPart::Switch(at), String::new(), what));
        }
        Ok(())
    }

    /// One switch that never blocks, and a link of this capacity (Mbit/s) to each node.
    pub fn star(nodes: u32, capacity: u64) -> Self {
        let link = |node| Link { number: node, capacity, switch: 0, end: Endpoint::Node(NodeId(node)) };
        Self {
            switches: vec![Switch::new(0, None, None)],
            links: (0..nodes).map(link).collect(),
            routing: Routing::Tree,
            allowance: Allowance::default(),
        }
    }
}

/// What a fault of a network is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkPart {
    /// The network as a whole.
    Whole,
    /// The switch at this index.
    Switch(u32),
    /// All links together.
    Links,
    /// The link at this index.
    Link(u32),
    /// All routes together.
    Routes,
    /// The route at this index.
    Route(u32),
    /// [`Allowance::per_migration`].
    PerMigration,
}

/// Why a network cannot be used as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// What it is about.
    pub part: NetworkPart,
    /// That part by its number or its ends; empty where the sentence names it itself.
    pub subject: String,
    /// What is wrong, to stand behind the subject.
    pub what: String,
    /// What can be done about it, where routing can be chosen freely.
    pub advice: Option<&'static str>,
}

impl NetworkError {
    /// A fault without advice.
    pub(super) fn new(part: NetworkPart, subject: String, what: impl Into<String>) -> Self {
        Self { part, subject, what: what.into(), advice: None }
    }

    /// The sentence with other words for the part, and without advice.
    pub fn said_of(&self, subject: &str) -> String {
        match subject {
            "" => format!("the network: {}", self.what),
            _ => format!("the network: {subject} {}", self.what),
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said_of(&self.subject))?;
        match self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for NetworkError {}

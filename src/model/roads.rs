//! What plans take of the network, for those who look at them.

use super::Action;
use super::ActionKind;
use super::Cargo;
use super::Channel;
use super::Endpoint;
use super::Flow;
use super::Instance;
use super::NodeId;
use super::Path;
use super::Topology;
use super::VmId;

/// The network of an instance, and what travels on it.
#[derive(Clone, Debug)]
pub struct Roads<'i> {
    instance: &'i Instance,
    topology: Topology,
}

impl<'i> Roads<'i> {
    /// None where there is no network.
    pub fn of(instance: &'i Instance) -> Option<Self> {
        let topology = Topology::new(instance.network()?, instance).ok()?;
        Some(Self { instance, topology })
    }

    /// The network, checked and made ready.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What lies between two nodes.
    pub fn path(&self, from: NodeId, to: NodeId) -> Path {
        self.topology.path(from, to)
    }

    /// What a migration at this bandwidth takes.
    ///
    /// # Errors
    /// A bandwidth that there is not, or at which the migration would not end: what is
    /// wrong, to stand behind the name of the action.
    pub fn flow(&self, vm: VmId, from: NodeId, to: NodeId, bandwidth: u64) -> Result<Flow, String> {
        let cargo = Cargo::of(self.instance, vm).map_err(|error| error.to_string())?;
        let most = self.path(from, to).bandwidth.min(cargo.most);
        if bandwidth == 0 {
            return Err(format!("at no bandwidth; there are up to {most} Mbit/s"));
        }
        if bandwidth > most {
            return Err(format!("at {bandwidth} Mbit/s; there are {most} Mbit/s on its way"));
        }
        if bandwidth < most && cargo.is_fixed() {
            return Err(format!("at {bandwidth} Mbit/s; its time is given for all {most} Mbit/s of its way"));
        }
        cargo.flow(self.instance.migration_model().get(), bandwidth).map_err(|error| error.to_string())
    }

    /// What the migration of a plan takes; `None` for other actions, and where that is wrong.
    pub fn flow_of(&self, action: &Action) -> Option<Flow> {
        let ActionKind::Migrate { vm, from, to } = action.kind else { return None };
        self.flow(vm, from, to, action.bandwidth).ok()
    }

    /// The most that the migration of a plan could have taken, in Mbit/s.
    pub fn most_of(&self, action: &Action) -> Option<u64> {
        let ActionKind::Migrate { vm, from, to } = action.kind else { return None };
        let cargo = Cargo::of(self.instance, vm).ok()?;
        Some(self.path(from, to).bandwidth.min(cargo.most))
    }

    /// What migrations may use of a channel, of which there is so much for them; and how much
    /// of it is kept free.
    pub fn room(&self, channel: Channel, usable: u64) -> String {
        let capacity = match channel {
            Channel::Up(at) | Channel::Down(at) => {
                let links = self.instance.network().map(|network| &network.links);
                links.and_then(|links| links.get(at as usize)).map_or(usable, |link| link.capacity)
            }
            Channel::Switch(_) => usable,
        };
        match capacity.saturating_sub(usable) {
            0 => capacity.to_string(),
            kept => format!("{usable} ({kept} of {capacity} are kept free)"),
        }
    }

    /// A channel in words: `link 3 from node n1`.
    pub fn name(&self, channel: Channel) -> String {
        let network = self.instance.network();
        let link = |at: u32| network.and_then(|network| network.links.get(at as usize));
        let switch = |at: u32| {
            let switch = network.and_then(|network| network.switches.get(at as usize));
            format!("switch {}", switch.map_or_else(|| at.to_string(), |switch| switch.said()))
        };
        let end = |at: u32| match link(at).map(|link| link.end) {
            Some(Endpoint::Node(node)) => format!("node {}", self.instance.node_name(node)),
            Some(Endpoint::Switch(at)) => switch(at),
            None => String::new(),
        };
        let number = |at: u32| link(at).map_or(at, |link| link.number);
        match channel {
            Channel::Up(at) => format!("link {} from {}", number(at), end(at)),
            Channel::Down(at) => format!("link {} to {}", number(at), end(at)),
            Channel::Switch(at) => switch(at),
        }
    }
}

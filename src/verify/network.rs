//! What migrations take of the network, moment by moment.

use super::CoreRule;
use super::Finding;
use super::Source;
use super::words;
use crate::model::ActionKind;
use crate::model::Cargo;
use crate::model::Channel;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Topology;
use crate::model::VmId;

/// The network of an instance.
pub(super) struct Roads<'i> {
    instance: &'i Instance,
    topology: Topology,
}

impl<'i> Roads<'i> {
    /// None where there is no network.
    pub(super) fn of(instance: &'i Instance) -> Option<Self> {
        let topology = Topology::new(instance.network()?, instance).ok()?;
        Some(Self { instance, topology })
    }

    /// How long a migration at this bandwidth must take.
    ///
    /// # Errors
    /// A bandwidth that there is not, or at which the migration would not end.
    pub(super) fn seconds(&self, vm: VmId, from: NodeId, to: NodeId, bandwidth: u64) -> Result<u32, String> {
        let cargo = Cargo::of(self.instance, vm).map_err(|error| error.to_string())?;
        let most = self.topology.path(from, to).bandwidth.min(cargo.most);
        if bandwidth == 0 {
            return Err(format!("at no bandwidth; there are up to {most} Mbit/s"));
        }
        if bandwidth > most {
            return Err(format!("at {bandwidth} Mbit/s; there are {most} Mbit/s on its way"));
        }
        let flow = cargo.flow(self.instance.migration_model().get(), bandwidth);
        flow.map(|flow| flow.seconds).map_err(|error| error.to_string())
    }

    /// How much there is of a channel, and how much of that is not for migrations.
    fn room(&self, channel: Channel, usable: u64) -> String {
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

    fn name(&self, channel: Channel) -> String {
        let network = self.instance.network();
        let link = |at: u32| network.and_then(|network| network.links.get(at as usize));
        let towards = |at: u32| {
            let end = link(at).map(|link| link.end);
            match end {
                Some(crate::model::Endpoint::Node(node)) => format!("node {}", self.instance.node_name(node)),
                Some(crate::model::Endpoint::Switch(switch)) => {
                    let number = network.and_then(|network| network.switches.get(switch as usize));
                    format!("switch {}", number.map_or(switch, |switch| switch.number))
                }
                None => String::new(),
            }
        };
        let number = |at: u32| link(at).map_or(at, |link| link.number);
        match channel {
            Channel::Up(at) => format!("link {} from {}", number(at), towards(at)),
            Channel::Down(at) => format!("link {} to {}", number(at), towards(at)),
            Channel::Switch(at) => {
                let switch = network.and_then(|network| network.switches.get(at as usize));
                format!("switch {}", switch.map_or(at, |switch| switch.number))
            }
        }
    }
}

/// Channels that carry more than they can. Each is told once, at the first moment. At one
/// moment ends come before starts. O(n log n) in what the migrations take.
pub(super) fn check_loads(instance: &Instance, plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(roads) = Roads::of(instance) else { return };
    // (moment, is a start, channel, bandwidth)
    let mut events: Vec<(u64, bool, u32, u64)> = Vec::new();
    for action in &plan.actions {
        let ActionKind::Migrate { from, to, .. } = action.kind else { continue };
        if action.start >= action.end {
            continue;
        }
        for &channel in &roads.topology.path(from, to).channels {
            events.push((action.start, true, channel, action.bandwidth));
            events.push((action.end, false, channel, action.bandwidth));
        }
    }
    events.sort_unstable();
    let mut load = vec![0u64; roads.topology.channel_count()];
    let mut told = vec![false; load.len()];
    for (moment, starts, channel, bandwidth) in events {
        let load = &mut load[channel as usize];
        if !starts {
            *load = load.saturating_sub(bandwidth);
            continue;
        }
        *load = load.saturating_add(bandwidth);
        let (which, capacity) = roads.topology.channel(channel);
        if *load > capacity && !std::mem::replace(&mut told[channel as usize], true) {
            let text = format!(
                "{} carries {} Mbit/s from {moment} s on, of {}",
                roads.name(which),
                *load,
                roads.room(which, capacity)
            );
            findings.push(Finding {
                at: Some(moment),
                source: Source::Core(CoreRule::Network),
                soft: false,
                violation: words::violation(*load - capacity, Vec::new(), Vec::new(), text),
            });
        }
    }
}

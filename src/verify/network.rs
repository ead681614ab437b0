//! What migrations take of the network, moment by moment.

use super::Clock;
use super::CoreRule;
use super::Finding;
use super::Source;
use super::words;
use crate::model::ActionKind;
use crate::model::Channel;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Roads;
use crate::model::Route;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// The ways of the migrations of a plan.
pub(super) struct Ways<'a> {
    instance: &'a Instance,
    network: &'a Network,
    roads: Roads<'a>,
    /// By action: the channels that it takes; none where it is no migration.
    by_action: Vec<Vec<u32>>,
}

/// A channel that carries more than it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overload {
    pub(super) moment: u64,
    pub(super) channel: u32,
    load: u128,
}

impl<'a> Ways<'a> {
    /// None where there is no network.
    pub(super) fn of(instance: &'a Instance, plan: &Plan) -> Option<Self> {
        let network = instance.network()?;
        let roads = Roads::of(instance)?;
        let way = |kind| match kind {
            ActionKind::Migrate { from, to, .. } => roads.path(from, to).channels,
            _ => Vec::new(),
        };
        let by_action = plan.actions.iter().map(|action| way(action.kind)).collect();
        Some(Self { instance, network, roads, by_action })
    }

    /// Does the action take this channel?
    pub(super) fn takes(&self, action: u32, channel: u32) -> bool {
        self.by_action[action as usize].contains(&channel)
    }

    /// Is what each migration takes a way from its source to its destination? Followed link
    /// by link in the network itself. Linear in what the migrations take.
    pub(super) fn check(&self, plan: &Plan, findings: &mut Vec<Finding>) {
        let given = self.network.routing.routes();
        let given: FxHashMap<(NodeId, NodeId), &Route> =
            given.iter().map(|route| ((route.from, route.to), route)).collect();
        for (action, way) in plan.actions.iter().zip(&self.by_action) {
            let ActionKind::Migrate { from, to, .. } = action.kind else { continue };
            // That nobody migrates to where it is, the replay says.
            if from == to {
                continue;
            }
            let followed = self.follow(from, to, way).and_then(|mut links| {
                let Some(route) = given.get(&(from, to)) else { return Ok(()) };
                let mut route = route.links.clone();
                route.sort_unstable();
                links.sort_unstable();
                if links == route { Ok(()) } else { Err("it is not the route that is given".to_owned()) }
            });
            if let Err(why) = followed {
                let text =
                    format!("the way of {} is none: {why}", words::action(self.instance, &action.kind));
                let (vms, nodes) = words::about(&action.kind);
                findings.push(finding(Some(action.start), words::violation(1, vms, nodes, text)));
            }
        }
    }

    /// From a node to another over switches, each at most once; and every switch that may
    /// block is among the channels, and nothing else is. Gives the links, with true for those
    /// away from their switch.
    fn follow(&self, from: NodeId, to: NodeId, way: &[u32]) -> Result<Vec<(u32, bool)>, String> {
        let mut next: FxHashMap<Endpoint, (Endpoint, u32)> = FxHashMap::default();
        let mut blocking: FxHashSet<u32> = FxHashSet::default();
        let mut links: Vec<(u32, bool)> = Vec::new();
        for &channel in way {
            let (which, _) = self.roads.topology().channel(channel);
            let (at, down) = match which {
                Channel::Up(at) => (at, false),
                Channel::Down(at) => (at, true),
                Channel::Switch(at) => {
                    blocking.insert(at);
                    continue;
                }
            };
            let Some(link) = self.network.links.get(at as usize) else {
                return Err(format!("there is no link {at}"));
            };
            let (switch, end) = (Endpoint::Switch(link.switch), link.end);
            let (first, then) = if down { (switch, end) } else { (end, switch) };
            links.push((at, down));
            if next.insert(first, (then, at)).is_some() {
                return Err(format!("it parts at {}", self.roads.name(which)));
            }
        }
        let mut here = Endpoint::Node(from);
        let mut crossed: FxHashSet<u32> = FxHashSet::default();
        // A vertex is left once, so there is an end.
        while here != Endpoint::Node(to) {
            let Some((then, link)) = next.remove(&here) else {
                return Err("it does not reach its destination".to_owned());
            };
            if !crossed.insert(link) {
                return Err(format!("it goes back on link {}", self.network.links[link as usize].number));
            }
            match then {
                Endpoint::Node(node) if node != to => {
                    return Err(format!("it passes through the node {}", self.instance.node_name(node)));
                }
                Endpoint::Node(_) => {}
                Endpoint::Switch(switch) => {
                    let blocks =
                        self.network.switches.get(switch as usize).is_some_and(|it| it.capacity.is_some());
                    if blocks && !blocking.remove(&switch) {
                        return Err(format!("it leaves out {}", self.roads.name(Channel::Switch(switch))));
                    }
                }
            }
            here = then;
        }
        if !next.is_empty() || !blocking.is_empty() {
            return Err("it takes more than lies between its ends".to_owned());
        }
        Ok(links)
    }

    /// Channels that carry more than they can, each once, at the first moment. At one moment
    /// ends come before starts. O(n log n) in what the migrations take.
    pub(super) fn overloads(&self, plan: &Plan) -> Vec<Overload> {
        // (moment, is a start, channel, bandwidth)
        let mut events: Vec<(u64, bool, u32, u64)> = Vec::new();
        for (action, way) in plan.actions.iter().zip(&self.by_action) {
            if action.start >= action.end {
                continue;
            }
            for &channel in way {
                events.push((action.start, true, channel, action.bandwidth));
                events.push((action.end, false, channel, action.bandwidth));
            }
        }
        events.sort_unstable();
        // As many numbers of 64 bits as there are actions: 128 bits hold their sum.
        let mut load = vec![0u128; self.roads.topology().channel_count()];
        let mut told = vec![false; load.len()];
        let mut overloads = Vec::new();
        for (moment, starts, channel, bandwidth) in events {
            let load = &mut load[channel as usize];
            if !starts {
                *load -= u128::from(bandwidth);
                continue;
            }
            *load += u128::from(bandwidth);
            let (_, capacity) = self.roads.topology().channel(channel);
            if *load > u128::from(capacity) && !std::mem::replace(&mut told[channel as usize], true) {
                overloads.push(Overload { moment, channel, load: *load });
            }
        }
        overloads
    }

    /// An overload in words.
    pub(super) fn finding(&self, over: &Overload, clock: Clock) -> Finding {
        let (which, capacity) = self.roads.topology().channel(over.channel);
        let moment = match clock {
            Clock::Stated => format!(" from {} s on", over.moment),
            Clock::Free => String::new(),
        };
        let text = format!(
            "{} carries {} Mbit/s{moment}, of {}",
            self.roads.name(which),
            over.load,
            self.roads.room(which, capacity)
        );
        let excess = u64::try_from(over.load - u128::from(capacity)).unwrap_or(u64::MAX);
        finding(Some(over.moment), words::violation(excess, Vec::new(), Vec::new(), text))
    }
}

fn finding(at: Option<u64>, violation: crate::constraint::Violation) -> Finding {
    Finding { at, source: Source::Core(CoreRule::Network), soft: false, violation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Link;
    use crate::model::Switch;

    /// n0 - a - b - n1, and n2 at b; b may block.
    fn chain() -> Instance {
        let mut builder = InstanceBuilder::new();
        for at in 0..3 {
            builder.node(&format!("n{at}"));
        }
        let link = |number, switch, end| Link { number, capacity: 1000, switch, end };
        builder.network(Network {
            switches: vec![Switch::new(0, Some("a"), None), Switch::new(1, Some("b"), Some(5000))],
            links: vec![
                link(0, 0, Endpoint::Node(NodeId(0))),
                link(1, 0, Endpoint::Switch(1)),
                link(2, 1, Endpoint::Node(NodeId(1))),
                link(3, 1, Endpoint::Node(NodeId(2))),
            ],
            ..Network::default()
        });
        builder.build().expect("sound")
    }

    #[test]
    fn ways_are_followed_link_by_link() {
        let instance = chain();
        let plan = Plan::default();
        let ways = Ways::of(&instance, &plan).expect("a network");
        let channel = |wanted: Channel| {
            let topology = ways.roads.topology();
            (0..topology.channel_count() as u32).find(|&at| topology.channel(at).0 == wanted).expect("known")
        };
        let follow = |way: &[Channel]| {
            let way: Vec<u32> = way.iter().map(|&one| channel(one)).collect();
            ways.follow(NodeId(0), NodeId(1), &way).map(|links| links.len())
        };
        use Channel::*;
        // Link 1 is between the switches: `a` is its switch, `b` its end.
        let right = [Up(0), Down(1), Down(2), Switch(1)];
        assert_eq!(follow(&right), Ok(3));
        assert_eq!(ways.roads.path(NodeId(0), NodeId(1)).channels.len(), 4);
        let wrong: [(&[Channel], &str); 7] = [
            (&[], "does not reach"),
            (&[Up(0), Down(2), Switch(1)], "does not reach"),
            (&[Up(0), Down(1), Down(2)], "leaves out switch `b`"),
            (&[Up(0), Down(1), Down(3), Switch(1)], "passes through the node n2"),
            (&[Up(0), Down(1), Down(2), Up(3), Switch(1)], "more than lies between"),
            (&[Up(0), Down(1), Down(2), Down(3), Switch(1)], "parts at"),
            (&[Up(0), Down(0)], "goes back on link 0"),
        ];
        for (way, message) in wrong {
            let found = follow(way).expect_err(message);
            assert!(found.contains(message), "{found} is not `{message}`");
        }
    }
}

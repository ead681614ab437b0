//! The network as the search sees it.

use super::Compiled;
use super::lower::Refusal;
use crate::model::Cargo;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Path;
use crate::model::SharedModel;
use crate::model::Topology;
use crate::problem::NONE;
use crate::problem::Passage;
use crate::problem::Role;
use crate::problem::Toll;
use crate::problem::Transit;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::Mutex;

/// Different capacities beyond which nothing is told about what cannot be avoided.
const MOST_RATES: usize = 12;
/// Ways between nodes that are kept once found.
const MOST_KEPT: usize = 1 << 16;

#[derive(Debug)]
struct Roads {
    topology: Topology,
    capacities: Vec<u64>,
    /// The different capacities, ascending: each way is as wide as one of them.
    widths: Vec<u64>,
    model: SharedModel,
    /// By item; none for items that never travel.
    cargo: Vec<Option<Cargo>>,
    /// Only to be faster: what is kept does not change any answer.
    kept: Mutex<FxHashMap<(u32, u32), Arc<Path>>>,
}

impl Roads {
    fn path(&self, from: u32, to: u32) -> Arc<Path> {
        let kept = self.kept.lock().ok().and_then(|kept| kept.get(&(from, to)).cloned());
        if let Some(path) = kept {
            return path;
        }
        let path = Arc::new(self.topology.path(NodeId(from), NodeId(to)));
        if let Ok(mut kept) = self.kept.lock()
            && kept.len() < MOST_KEPT
        {
            kept.insert((from, to), path.clone());
        }
        path
    }
}

impl Transit for Roads {
    fn capacities(&self) -> &[u64] {
        &self.capacities
    }

    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage> {
        let cargo = self.cargo.get(item as usize)?.as_ref()?;
        let path = self.path(from, to);
        let rate = path.bandwidth.min(cargo.most);
        let flow = cargo.flow(self.model.get(), rate).ok()?;
        let uses = path.channels.iter().map(|&channel| (channel, rate)).collect();
        Some(Passage { seconds: flow.seconds, bandwidth: rate, uses })
    }

    fn tolls(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        let Some(Some(cargo)) = self.cargo.get(item as usize) else { return Vec::new() };
        if self.widths.len() > MOST_RATES {
            return Vec::new();
        }
        let to = (to != NONE).then_some(NodeId(to));
        let toll = |channel: u32| {
            // A way over the channel is no wider than it, and as wide as something.
            let capacity = self.capacities[channel as usize];
            let widths = self.widths.iter().filter(|&&width| width <= capacity);
            let flows = widths.filter_map(|&width| {
                let rate = width.min(cargo.most);
                Some((rate, cargo.flow(self.model.get(), rate).ok()?.seconds))
            });
            let flows: Vec<(u64, u32)> = flows.collect();
            let amount = flows.iter().map(|flow| flow.0).min()?;
            let seconds = flows.iter().map(|flow| flow.1).min()?;
            let work = flows.iter().map(|&(rate, seconds)| u128::from(rate) * u128::from(seconds)).min()?;
            Some(Toll { channel, amount, seconds, work })
        };
        self.topology.crossed(NodeId(from), to).into_iter().filter_map(toll).collect()
    }

    fn comes_from(&self, channel: u32, bin: u32) -> bool {
        self.topology.may_take(channel, NodeId(bin), true)
    }

    fn leads_to(&self, channel: u32, bin: u32) -> bool {
        self.topology.may_take(channel, NodeId(bin), false)
    }
}

/// Adds the network, if there is one, and makes the least time that each item may travel
/// its duration: what bounds go by.
///
/// # Errors
/// A network that cannot be used, a VM that may travel and does not say what it needs.
pub(super) fn add_transit(instance: &Instance, compiled: &mut Compiled) -> Result<(), Refusal> {
    let Some(network) = instance.network() else { return Ok(()) };
    let topology = Topology::new(network, instance).map_err(|error| Refusal::Input(error.to_string()))?;
    // The widest way out of each node: nothing leaves it faster.
    let mut widest = vec![0u64; instance.node_count()];
    for link in &network.links {
        if let crate::model::Endpoint::Node(node) = link.end {
            widest[node.index()] = widest[node.index()].max(link.capacity);
        }
    }
    let model = instance.migration_model().clone();
    let packing = &mut compiled.problem.packing;
    let mut cargo = Vec::with_capacity(packing.items.len());
    for (item, row) in packing.items.iter_mut().enumerate() {
        let travels = matches!(row.role, Role::Stay | Role::Depart) && !row.pinned;
        if !travels {
            cargo.push(None);
            continue;
        }
        let found =
            Cargo::of(instance, compiled.vm_of[item]).map_err(|error| Refusal::Input(error.to_string()))?;
        let rate = widest[row.source as usize].min(found.most);
        match found.flow(model.get(), rate) {
            Ok(flow) => {
                row.leg = flow.seconds;
                if row.lead == 0 {
                    row.hold = flow.seconds;
                }
                cargo.push(Some(found));
            }
            // It writes faster than its node can send: it stays, or is made again elsewhere.
            Err(_) => {
                row.pinned |= row.lead == 0;
                cargo.push(None);
            }
        }
    }
    let capacities: Vec<u64> =
        (0..topology.channel_count() as u32).map(|at| topology.channel(at).1).collect();
    let mut widths = capacities.clone();
    widths.sort_unstable();
    widths.dedup();
    let roads = Roads { topology, capacities, widths, model, cargo, kept: Mutex::default() };
    compiled.problem.project.transit = Some(Arc::new(roads));
    Ok(())
}

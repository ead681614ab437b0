//! The network as the search sees it.

use super::Compiled;
use super::lower::Refusal;
use crate::model::Cargo;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Path;
use crate::model::SharedModel;
use crate::model::Topology;
use crate::problem::Passage;
use crate::problem::Role;
use crate::problem::Transit;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::Mutex;

/// Ways between nodes that are kept once found.
const MOST_KEPT: usize = 1 << 16;

#[derive(Debug)]
struct Roads {
    topology: Topology,
    capacities: Vec<u64>,
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
    let capacities = (0..topology.channel_count() as u32).map(|at| topology.channel(at).1).collect();
    let roads = Roads { topology, capacities, model, cargo, kept: Mutex::default() };
    compiled.problem.project.transit = Some(Arc::new(roads));
    Ok(())
}

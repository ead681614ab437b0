//! VMs that cannot migrate at all, whatever else happens: their memory is written faster than
//! their way sends it, or a migration takes more of a budget than there is.

use crate::compile;
use crate::compile::Relationship;
use crate::model::Cargo;
use crate::model::Channel;
use crate::model::Instance;
use crate::model::MigrationError;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Roads;
use crate::model::VmId;

/// Why a VM cannot migrate.
#[derive(Clone, Debug, PartialEq)]
pub enum Stuck {
    /// To these nodes (or, `None`, to every other node) a live migration would never end: what
    /// is written and what can be sent, at the widest of the ways.
    Endless(Option<Vec<NodeId>>, MigrationError),
    /// Any migration of it from where it is takes so much of what the constraint at this index
    /// allows, and so much is all there is.
    Dear(u32, u64, u64),
}

/// Ways to more nodes than this are not looked at.
const MOST_WAYS: usize = 1_000;

/// Why a VM cannot migrate away from the node where it runs: nothing where it can, or may
/// be made again elsewhere. Costs a way to each other node.
pub fn stuck(instance: &Instance, vm: VmId) -> Vec<Stuck> {
    let Some(from) = instance.place(vm).host() else { return Vec::new() };
    if instance.can_reinstantiate(vm) {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(endless(instance, vm, from));
    for (relationship, cause) in compile::Builder::post_all(instance).relations {
        let Relationship::Budget(budget) = relationship else { continue };
        // To wherever it is cheapest: a node that the budget does not know, if there is one.
        let others = instance.node_ids().filter(|&to| to != from);
        let dear = |to: NodeId| budget.shares(vm, from, to).map(|share| share.1).max().unwrap_or(0);
        let least = others.map(dear).min().unwrap_or(0);
        if cause.penalty.is_none() && least > budget.most {
            found.push(Stuck::Dear(cause.constraint, least, budget.most));
        }
    }
    found
}

fn endless(instance: &Instance, vm: VmId, from: NodeId) -> Option<Stuck> {
    let ways = Ways::of(instance, vm, from)?;
    let mut fails: Vec<(u64, NodeId)> = Vec::new();
    let others = instance.node_count() - 1;
    if others > MOST_WAYS {
        return None;
    }
    for to in instance.node_ids().filter(|&to| to != from) {
        let rate = ways.rate(to);
        if ways.fault(rate).is_some() {
            fails.push((rate, to));
        }
    }
    let widest = fails.iter().map(|fail| fail.0).max()?;
    let all = fails.len() == others;
    let nodes = (!all).then(|| fails.into_iter().map(|fail| fail.1).collect());
    Some(Stuck::Endless(nodes, ways.fault(widest)?))
}

/// The ways of a VM out of its node.
struct Ways<'i> {
    instance: &'i Instance,
    roads: Roads<'i>,
    cargo: Cargo,
    from: NodeId,
}

impl<'i> Ways<'i> {
    fn of(instance: &'i Instance, vm: VmId, from: NodeId) -> Option<Self> {
        let roads = Roads::of(instance)?;
        let cargo = Cargo::of(instance, vm).ok()?;
        Some(Self { instance, roads, cargo, from })
    }

    fn rate(&self, to: NodeId) -> u64 {
        self.roads.path(self.from, to).bandwidth.min(self.cargo.most)
    }

    fn fault(&self, rate: u64) -> Option<MigrationError> {
        self.cargo.flow(self.instance.migration_model().get(), rate).err()
    }

    /// The least bandwidth at which its migrations end.
    fn need(&self) -> Option<u64> {
        let (mut low, mut high) = (0u64, 1u64);
        while self.fault(high).is_some() {
            low = high;
            high = high.checked_mul(2).filter(|&high| high < 1 << 40)?;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.fault(middle).is_some() { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// The links on the way of a VM to a node that are too narrow for its migration to end, and the
/// capacity with which none is; `None` where it ends, or wider links would not help.
pub(super) fn too_narrow(instance: &Instance, vm: VmId, to: NodeId) -> Option<(Vec<u32>, u64)> {
    let from = instance.place(vm).host().filter(|&from| from != to)?;
    let ways = Ways::of(instance, vm, from)?;
    ways.fault(ways.rate(to))?;
    let need = ways.need()?;
    let network = instance.network()?;
    let limit = network.allowance.per_migration.unwrap_or(u64::MAX);
    if need > limit.min(ways.cargo.most) {
        return None;
    }
    let mut links: Vec<u32> = Vec::new();
    for at in ways.roads.path(from, to).channels {
        let (channel, capacity) = ways.roads.topology().channel(at);
        match channel {
            _ if capacity >= need => {}
            Channel::Up(link) | Channel::Down(link) => links.push(link),
            Channel::Switch(_) => return None,
        }
    }
    links.sort_unstable();
    links.dedup();
    let capacity = links.iter().filter_map(|&link| least_capacity(network, link, need)).max()?;
    Some((links, capacity))
}

/// The capacity of which so much is usable.
fn least_capacity(network: &Network, link: u32, need: u64) -> Option<u64> {
    let mut network = network.clone();
    let mut usable = |capacity: u64| {
        let slot = network.links.get_mut(link as usize)?;
        slot.capacity = capacity;
        Some(network.usable(link))
    };
    // At most 99 percent are kept free, or so many Mbit/s.
    let (mut low, mut high) = (0u64, need.checked_mul(128)?.saturating_add(1 << 41));
    if usable(high)? < need {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if usable(middle)? < need { low = middle } else { high = middle }
    }
    Some(high)
}

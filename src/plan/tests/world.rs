//! A naive world in which actions start and end, and everything is counted again.

use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::NodeSet;
use crate::model::Place;
use crate::model::VmId;
use crate::model::VmState;
use std::collections::BTreeSet;

#[derive(Clone)]
pub(super) struct World<'a> {
    posted: &'a Posted,
    pub(super) at: Configuration<'a>,
    /// VMs with an action under way.
    pub(super) busy: BTreeSet<VmId>,
    /// Forged clones.
    forged: BTreeSet<VmId>,
    /// Nodes with an image that is being resumed from.
    images: BTreeSet<(NodeId, VmId)>,
    /// What was broken least so far, by rule.
    least: Vec<u64>,
}

impl<'a> World<'a> {
    pub(super) fn new(instance: &'a Instance, posted: &'a Posted) -> Self {
        let at = Configuration::source(instance);
        let mut world = Self {
            posted,
            at,
            busy: BTreeSet::new(),
            forged: BTreeSet::new(),
            images: BTreeSet::new(),
            least: Vec::new(),
        };
        world.least = world.excess().into_iter().map(|(_, amount)| amount).collect();
        world
    }

    pub(super) fn start(&mut self, action: &Action) -> Result<(), String> {
        use ActionKind::*;
        let at = &mut self.at;
        let instance = at.instance();
        let future = |at: &Configuration<'_>, vm: VmId| -> Box<[u64]> {
            instance
                .resource_ids()
                .map(|resource| {
                    let new = action.allocations.iter().find(|(other, _)| *other == resource);
                    new.map_or(at.demand(vm, resource), |&(_, amount)| amount)
                })
                .collect()
        };
        let can = match action.kind {
            Migrate { vm, from, to } => at.host(vm) == Some(from) && from != to && at.is_online(to),
            Boot { vm, node } => at.state(vm) == VmState::Ready && at.is_online(node),
            Resume { vm, from, to } => {
                at.place(vm) == Place::Sleeping(from) && at.is_online(from) && at.is_online(to)
            }
            Shutdown { vm, node } | Suspend { vm, node } | Kill { vm, node: Some(node) } => {
                at.host(vm) == Some(node)
            }
            Kill { vm, node: None } => at.host(vm).is_none(),
            Forge { vm } => at.state(vm) == VmState::Init,
            ForgeClone { vm } => at.is_running(vm),
            BootClone { vm, from, to } => {
                self.forged.contains(&vm) && at.host(vm) == Some(from) && at.is_online(to)
            }
            ShutdownOriginal { vm, from } => at.host(vm) == Some(from) && at.arriving(vm).is_some(),
            Allocate { vm, node, .. } => at.host(vm) == Some(node),
            BootNode { node } => at.phase(node) == NodePhase::Offline,
            ShutdownNode { node } => {
                at.is_online(node)
                    && at.guests(node).is_empty()
                    && !self.images.iter().any(|&(other, _)| other == node)
                    && !instance.vm_ids().any(|vm| at.place(vm).node() == Some(node))
            }
        };
        if !can {
            return Err(format!("{:?} cannot start", action.kind));
        }
        if let Some(vm) = action.kind.vm() {
            let among_others = matches!(action.kind, Allocate { .. });
            if !self.busy.insert(vm) && !among_others {
                return Err(format!("{:?} starts while another action is under way", action.kind));
            }
        }
        match action.kind {
            Migrate { vm, to, .. } | BootClone { vm, to, .. } => {
                let held = future(at, vm);
                at.enter(vm, to, held);
            }
            Boot { vm, node: to } | Resume { vm, to, .. } => {
                if let Resume { from, .. } = action.kind {
                    self.images.insert((from, vm));
                }
                let held = future(at, vm);
                for (resource, amount) in instance.resource_ids().zip(held) {
                    at.allocate(vm, resource, amount);
                }
                at.put(vm, Place::Running(to));
            }
            Allocate { vm, resource, amount, .. } if amount > at.demand(vm, resource) => {
                at.allocate(vm, resource, amount);
            }
            BootNode { node } => at.set_phase(node, NodePhase::Booting),
            ShutdownNode { node } => at.set_phase(node, NodePhase::ShuttingDown),
            _ => {}
        }
        self.check(action)
    }

    pub(super) fn end(&mut self, action: &Action) -> Result<(), String> {
        use ActionKind::*;
        let at = &mut self.at;
        match action.kind {
            Migrate { vm, .. } | ShutdownOriginal { vm, .. } => at.arrive(vm),
            Shutdown { vm, .. } | Forge { vm } => at.put(vm, Place::Ready),
            Suspend { vm, node } => at.put(vm, Place::Sleeping(node)),
            Kill { vm, .. } => at.put(vm, Place::Killed),
            ForgeClone { vm } => drop(self.forged.insert(vm)),
            Allocate { vm, resource, amount, .. } => at.allocate(vm, resource, amount),
            BootNode { node } => at.set_phase(node, NodePhase::Online),
            ShutdownNode { node } => at.set_phase(node, NodePhase::Offline),
            Resume { vm, from, .. } => drop(self.images.remove(&(from, vm))),
            Boot { .. } | BootClone { .. } => {}
        }
        if let Some(vm) = action.kind.vm() {
            self.busy.remove(&vm);
        }
        self.check(action)
    }

    /// No rule may be broken more than it was at any moment before.
    fn check(&mut self, action: &Action) -> Result<(), String> {
        for (least, (name, amount)) in self.least.iter().zip(self.excess()) {
            if amount > *least {
                return Err(format!("{:?}: {name} is broken by {amount}", action.kind));
            }
        }
        let now = self.excess();
        for (least, (_, amount)) in self.least.iter_mut().zip(now) {
            *least = amount;
        }
        Ok(())
    }

    fn excess(&self) -> Vec<(String, u64)> {
        let at = &self.at;
        let instance = at.instance();
        let mut list = Vec::new();
        for node in instance.node_ids() {
            for resource in instance.resource_ids() {
                let excess = at.load(node, resource).saturating_sub(instance.capacity(node, resource));
                list.push((format!("{resource:?} of {node:?}"), excess));
            }
            if !at.is_online(node) {
                list.push((format!("hosting on {node:?}"), at.guests(node).len() as u64));
            } else {
                list.push((String::new(), 0));
            }
        }
        for (relationship, cause) in &self.posted.relations {
            if cause.continuous {
                list.push((format!("{relationship:?}"), self.broken(relationship)));
            }
        }
        list
    }

    /// By how much a relation is broken now.
    pub(super) fn broken(&self, relationship: &Relationship) -> u64 {
        let at = &self.at;
        let instance = at.instance();
        let members_on =
            |node: NodeId, vms: &[VmId]| at.guests(node).iter().filter(|vm| vms.contains(vm)).count() as u64;
        let more_than_one = |set: BTreeSet<usize>| (set.len() as u64).saturating_sub(1);
        let groups_of = |vms: &[VmId], groups: &[NodeSet]| -> BTreeSet<usize> {
            let nodes = vms.iter().flat_map(|&vm| at.hosts(vm));
            nodes.map(|node| groups.iter().position(|group| group.contains(&node)).unwrap_or(99)).collect()
        };
        match relationship {
            Relationship::AtMostPerNode(vms, most) => {
                instance.node_ids().map(|node| members_on(node, vms).saturating_sub(u64::from(*most))).sum()
            }
            Relationship::AtMostPerGroup(vms, groups, most) => (0..groups.len())
                .map(|group| {
                    let inside = |vm: &&VmId| {
                        at.hosts(**vm)
                            .any(|node| groups.iter().position(|g| g.contains(&node)) == Some(group))
                    };
                    let members: BTreeSet<VmId> = vms.iter().filter(inside).copied().collect();
                    (members.len() as u64).saturating_sub(u64::from(*most))
                })
                .sum(),
            Relationship::SameNode(vms) => {
                more_than_one(vms.iter().flat_map(|&vm| at.hosts(vm)).map(NodeId::index).collect())
            }
            Relationship::SameGroup(vms, groups) => more_than_one(groups_of(vms, groups)),
            Relationship::Apart(parts) => instance
                .node_ids()
                .map(|node| {
                    let present = (0..parts.len()).filter(|&part| members_on(node, &parts[part]) > 0);
                    more_than_one(present.collect())
                })
                .sum(),
            Relationship::Exclusive(vms) => instance
                .node_ids()
                .filter(|&node| {
                    let members = members_on(node, vms);
                    members > 0 && (members as usize) < at.guests(node).len()
                })
                .count() as u64,
            Relationship::GroupsApart(parts, groups) => {
                let used: Vec<BTreeSet<usize>> = parts.iter().map(|part| groups_of(part, groups)).collect();
                let own: u64 = used.iter().map(|set| more_than_one(set.clone())).sum();
                let shared: u64 = (0..groups.len())
                    .map(|group| {
                        let parts = (0..parts.len()).filter(|&part| used[part].contains(&group));
                        more_than_one(parts.collect())
                    })
                    .sum();
                own + shared
            }
            Relationship::LoadAtMost(nodes, resource, most) => {
                let load: u64 = nodes.iter().map(|&node| at.load(node, *resource)).sum();
                load.saturating_sub(*most)
            }
            Relationship::CountAtMost(nodes, most) => {
                let count: u64 = nodes.iter().map(|&node| at.guests(node).len() as u64).sum();
                count.saturating_sub(*most)
            }
            Relationship::PoweredAtMost(nodes, most) => {
                let powered = nodes.iter().filter(|&&node| at.is_powered(node)).count() as u64;
                powered.saturating_sub(*most)
            }
            _ => 0,
        }
    }
}

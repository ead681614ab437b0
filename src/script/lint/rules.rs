//! Rules that always or never hold, contradict each other, or are stated twice.
//!
//! What a rule means is taken from the relations that it posts.

use super::Found;
use crate::compile::Builder;
use crate::compile::Cause;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::Place as Seat;
use crate::model::VmId;
use crate::model::VmState;
use crate::script::Built;
use crate::script::Place;
use rustc_hash::FxHashMap;
use rustc_hash::FxHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// Comparisons of nodes for rules that leave a VM no node; more are not made.
const MOST_WORK: usize = 50_000_000;

/// By VM that runs at the end and may not do so everywhere: its nodes, and the last rule
/// that took some away.
type Homes = FxHashMap<VmId, (Vec<NodeId>, Cause)>;

struct Rules<'a> {
    built: &'a Built,
    instance: &'a Instance,
    posted: Posted,
    /// How many constraints come before those of the scripts.
    base: usize,
    /// VMs that a sound plan leaves running.
    runs: Vec<bool>,
    /// Nodes that a sound plan may leave on.
    usable: usize,
    /// The nodes that must be off.
    off: Vec<bool>,
}

pub(super) fn check(built: &Built, found: &mut Found) {
    let instance = &built.instance;
    let posted = Builder::post_all(instance);
    let mut runs: Vec<bool> = instance.places.iter().map(|place| matches!(place, Seat::Running(_))).collect();
    for (vm, state, cause) in &posted.states {
        if let Some(runs) = runs.get_mut(vm.index()).filter(|_| cause.penalty.is_none()) {
            *runs = *state == VmState::Running;
        }
    }
    let mut off = vec![false; instance.node_count()];
    for (node, online, cause) in &posted.nodes {
        if let Some(off) = off.get_mut(node.index()).filter(|_| cause.penalty.is_none()) {
            *off |= !online;
        }
    }
    let usable = off.iter().filter(|off| !**off).count();
    let base = instance.constraints().len().saturating_sub(built.places.len());
    let rules = Rules { built, instance, posted, base, runs, usable, off };
    rules.doubles(found);
    rules.alone(found);
    rules.states(found);
    let homes = rules.homes(found);
    rules.crowded(&homes, found);
    rules.together_and_apart(found);
}

impl Rules<'_> {
    /// Where a constraint was stated; none for one of the cluster.
    fn place(&self, constraint: usize) -> Option<Place> {
        self.built.places.get(constraint.checked_sub(self.base)?).copied()
    }

    fn name(&self, constraint: usize) -> &'static str {
        self.instance.constraints().get(constraint).map_or("", |one| one.rule.signature().name)
    }

    /// Two constraints that cannot both hold, told at the later one that has a place.
    fn clash(&self, found: &mut Found, one: Cause, other: Cause, message: String) {
        let (first, last) = (one.constraint.min(other.constraint), one.constraint.max(other.constraint));
        let Some(place) = self.place(last as usize) else { return };
        let message = match self.place(first as usize) {
            Some(_) => message,
            None => format!("{message}; `{}` is a rule of the cluster", self.name(first as usize)),
        };
        found.pair("W0912", place, message, self.place(first as usize), "the other one");
    }

    /// The same rule twice.
    fn doubles(&self, found: &mut Found) {
        let mut known: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        for (at, constraint) in self.instance.constraints().iter().enumerate() {
            let same = known.entry(fingerprint(constraint)).or_default();
            let twin = same.iter().copied().find(|&other| {
                self.instance.constraints().get(other).is_some_and(|other| other == constraint)
            });
            let Some(twin) = twin else {
                same.push(at);
                continue;
            };
            let Some(place) = self.place(at) else { continue };
            let name = self.name(at);
            let first = self.place(twin);
            let message = match first {
                Some(_) => format!("this `{name}` is stated twice"),
                None => format!("the cluster has this `{name}` already"),
            };
            found.pair("W0913", place, message, first, "here first");
        }
    }

    /// Rules that always hold, or never.
    fn alone(&self, found: &mut Found) {
        // By constraint: facts, and those among them that always hold.
        let mut facts: Vec<[u32; 2]> = vec![[0; 2]; self.instance.constraints().len()];
        let others = self.posted.states.iter().map(|(_, _, cause)| cause);
        let others = others.chain(self.posted.nodes.iter().map(|(_, _, cause)| cause));
        let others = others.chain(self.posted.demands.iter().map(|(_, _, _, cause)| cause));
        let others = others.chain(self.posted.overbooks.iter().map(|(_, _, _, cause)| cause));
        for cause in others {
            if let Some(facts) = facts.get_mut(cause.constraint as usize) {
                facts[0] += 1;
            }
        }
        for (relation, cause) in &self.posted.relations {
            let at = cause.constraint as usize;
            if let Some(facts) = facts.get_mut(at) {
                facts[0] += 1;
                facts[1] += u32::from(self.always(relation));
            }
            if let (Some(place), Some(why)) = (self.place(at), self.never(relation)) {
                found.add("W0910", place, format!("this `{}` can never hold: {why}", self.name(at)));
            }
        }
        // A statement that says something of some is right.
        let mut statements: FxHashMap<Place, bool> = FxHashMap::default();
        for (at, &[all, always]) in facts.iter().enumerate() {
            if let Some(place) = self.place(at) {
                *statements.entry(place).or_insert(true) &= all > 0 && all == always;
            }
        }
        for at in self.base..facts.len() {
            if let Some(place) = self.place(at).filter(|place| statements.get(place) == Some(&true)) {
                found.add("W0911", place, format!("this `{}` always holds; it says nothing", self.name(at)));
            }
        }
    }

    /// The members that run at the end.
    fn running(&self, vms: &[VmId]) -> usize {
        vms.iter().filter(|vm| self.runs.get(vm.index()) == Some(&true)).count()
    }

    /// The nodes of a set that may be on at the end.
    fn on(&self, nodes: &[NodeId]) -> usize {
        nodes.iter().filter(|node| self.off.get(node.index()) == Some(&false)).count()
    }

    fn always(&self, relation: &Relationship) -> bool {
        let (vms, nodes) = (self.instance.vm_count(), self.instance.node_count());
        match relation {
            Relationship::Within(members, set) => members.is_empty() || set.len() == nodes,
            Relationship::Outside(members, set) => members.is_empty() || set.is_empty(),
            Relationship::AtMostPerNode(members, most) => members.len() <= *most as usize,
            Relationship::AtMostPerGroup(members, groups, most) => {
                members.len() <= *most as usize || groups.iter().all(|group| group.is_empty())
            }
            Relationship::SameNode(members)
            | Relationship::Sequence(members)
            | Relationship::Serialize(members)
            | Relationship::Sync(members) => members.len() <= 1,
            Relationship::SameGroup(members, groups) => {
                members.is_empty() || groups.iter().any(|group| group.len() == nodes)
            }
            Relationship::Apart(parts) => parts.iter().filter(|part| !part.is_empty()).count() <= 1,
            Relationship::Exclusive(members) => members.is_empty() || members.len() == vms,
            Relationship::GroupsApart(parts, groups) => {
                let used = parts.iter().filter(|part| !part.is_empty()).count();
                used == 0 || (used == 1 && groups.iter().any(|group| group.len() == nodes))
            }
            Relationship::LoadAtMost(set, ..) => set.is_empty(),
            Relationship::CountAtMost(set, most) => set.is_empty() || *most >= vms as u64,
            Relationship::PoweredAtMost(set, most) => *most >= set.len() as u64,
            Relationship::Stay(_)
            | Relationship::Sealed(_)
            | Relationship::Budget(_)
            | Relationship::Survive { .. }
            | Relationship::NoDelay(_)
            | Relationship::Deadline(..)
            | Relationship::Precedence(..) => false,
        }
    }

    /// Why no plan satisfies it, if none does.
    fn never(&self, relation: &Relationship) -> Option<String> {
        let nodes = self.instance.node_count();
        match relation {
            Relationship::Within(members, set) if self.on(set) == 0 => {
                let running = self.running(members);
                (running > 0).then(|| "none of its nodes is on at the end".to_owned())
            }
            Relationship::Outside(members, set) if set.len() == nodes => {
                (self.running(members) > 0).then(|| "no node is left".to_owned())
            }
            Relationship::AtMostPerNode(members, most) => {
                let running = self.running(members);
                let room = (*most as usize).saturating_mul(self.usable);
                (running > room).then(|| format!("{running} VMs run, on {} nodes at most", self.usable))
            }
            Relationship::AtMostPerGroup(members, groups, most) => {
                let running = self.running(members);
                let mut inside: Vec<NodeId> = groups.iter().flat_map(|group| group.iter().copied()).collect();
                inside.sort_unstable();
                inside.dedup();
                let used = groups.iter().filter(|group| self.on(group) > 0).count();
                let room = (*most as usize).saturating_mul(used);
                (inside.len() == nodes && running > room)
                    .then(|| format!("{running} VMs run, in {used} groups at most"))
            }
            Relationship::SameGroup(members, groups) => {
                let running = self.running(members);
                (running > 0 && groups.iter().all(|group| self.on(group) == 0))
                    .then(|| "none of the nodes is on at the end".to_owned())
            }
            Relationship::GroupsApart(parts, groups) => {
                let parts = parts.iter().filter(|part| self.running(part) > 0).count();
                let groups = groups.iter().filter(|group| self.on(group) > 0).count();
                (parts > groups).then(|| format!("{parts} sets of running VMs for {groups} groups of nodes"))
            }
            Relationship::CountAtMost(set, most) if set.len() == nodes => {
                let running = self.runs.iter().filter(|runs| **runs).count();
                (running as u64 > *most).then(|| format!("{running} VMs run"))
            }
            Relationship::PoweredAtMost(set, most) => {
                let wanted = |node: &&NodeId| {
                    let asked = |(other, online, cause): &(NodeId, bool, Cause)| {
                        other == *node && *online && cause.penalty.is_none()
                    };
                    self.posted.nodes.iter().any(asked)
                };
                // The look at every wish is for small sets of wishes.
                if self.posted.nodes.len().saturating_mul(set.len()) > MOST_WORK {
                    return None;
                }
                let wanted = set.iter().filter(wanted).count();
                (wanted as u64 > *most).then(|| format!("{wanted} of its nodes are to be online"))
            }
            _ => None,
        }
    }

    /// States that exclude each other.
    fn states(&self, found: &mut Found) {
        let mut vms: FxHashMap<VmId, (VmState, Cause)> = FxHashMap::default();
        for (vm, state, cause) in self.posted.states.iter().filter(|(_, _, cause)| cause.penalty.is_none()) {
            let (known, other) = *vms.entry(*vm).or_insert((*state, *cause));
            if known != *state {
                let name = self.instance.vm_name(*vm);
                let message = format!("`{name}` cannot be {} and {}", known.name(), state.name());
                self.clash(found, other, *cause, message);
            }
        }
        let mut nodes: FxHashMap<NodeId, (bool, Cause)> = FxHashMap::default();
        for (node, online, cause) in self.posted.nodes.iter().filter(|(_, _, cause)| cause.penalty.is_none())
        {
            let (known, other) = *nodes.entry(*node).or_insert((*online, *cause));
            if known != *online {
                let name = self.instance.node_name(*node);
                self.clash(found, other, *cause, format!("`{name}` cannot be online and offline"));
            }
        }
    }

    /// Rules that together leave a VM no node. Returns the nodes that the others are left
    /// with, for those that may not run everywhere.
    fn homes(&self, found: &mut Found) -> Homes {
        let mut facts: FxHashMap<VmId, Vec<(bool, &NodeSet, Cause)>> = FxHashMap::default();
        let mut order = Vec::new();
        for (relation, cause) in self.posted.relations.iter().filter(|(_, cause)| cause.penalty.is_none()) {
            let (members, within, nodes) = match relation {
                Relationship::Within(members, nodes) => (members, true, nodes),
                Relationship::Outside(members, nodes) => (members, false, nodes),
                _ => continue,
            };
            for vm in members.iter().filter(|vm| self.runs.get(vm.index()) == Some(&true)) {
                let facts = facts.entry(*vm).or_insert_with(|| {
                    order.push(*vm);
                    Vec::new()
                });
                facts.push((within, nodes, *cause));
            }
        }
        let all: Vec<NodeId> =
            self.instance.node_ids().filter(|node| self.off.get(node.index()) == Some(&false)).collect();
        let mut homes = Homes::default();
        let mut work = 0usize;
        for vm in order {
            let Some(facts) = facts.get(&vm) else { continue };
            let mut left = Vec::new();
            let mut former: Option<Cause> = None;
            for (at, (within, nodes, cause)) in facts.iter().enumerate() {
                let before = if at == 0 { all.len() } else { left.len() };
                let seen = if at == 0 && *within { nodes.len() } else { before };
                work = work.saturating_add(seen);
                if work > MOST_WORK || all.is_empty() {
                    return homes;
                }
                match at {
                    0 if *within => {
                        let on = nodes.iter().filter(|node| self.off.get(node.index()) == Some(&false));
                        left.extend(on);
                    }
                    0 => left.extend(all.iter().filter(|node| nodes.binary_search(node).is_err())),
                    _ => left.retain(|node| nodes.binary_search(node).is_ok() == *within),
                }
                if left.is_empty() {
                    // One that allows none by itself has been told of.
                    if let Some(former) = former {
                        let name = self.instance.vm_name(vm);
                        let message = format!("no node is left for `{name}`, which runs at the end");
                        self.clash(found, former, *cause, message);
                    }
                    break;
                }
                if left.len() < before {
                    former = Some(*cause);
                }
            }
            if let Some(cause) = former.filter(|_| !left.is_empty()) {
                homes.insert(vm, (left, cause));
            }
        }
        homes
    }

    /// Rules that let fewer VMs onto some nodes than others keep there.
    fn crowded(&self, homes: &Homes, found: &mut Found) {
        let mut work = 0usize;
        for (relation, cause) in self.posted.relations.iter().filter(|(_, cause)| cause.penalty.is_none()) {
            match relation {
                Relationship::AtMostPerNode(members, most) => {
                    // The members with the same nodes, and all that have few.
                    let mut alike: FxHashMap<&[NodeId], (usize, Cause)> = FxHashMap::default();
                    let mut kept: Vec<&(Vec<NodeId>, Cause)> = Vec::new();
                    for home in members.iter().filter_map(|vm| homes.get(vm)) {
                        alike.entry(&home.0).or_insert((0, home.1)).0 += 1;
                        kept.push(home);
                        work = work.saturating_add(home.0.len());
                    }
                    if work > MOST_WORK {
                        return;
                    }
                    let mut union: Vec<NodeId> =
                        alike.keys().flat_map(|nodes| nodes.iter().copied()).collect();
                    union.sort_unstable();
                    union.dedup();
                    let groups = alike.iter().map(|(nodes, &(count, other))| (count, nodes.len(), other));
                    let together = kept.last().map(|home| (kept.len(), union.len(), home.1));
                    let full = groups
                        .chain(together)
                        .filter(|&(count, nodes, _)| count > (*most as usize).saturating_mul(nodes))
                        .min_by_key(|&(count, nodes, other)| (nodes, count, other.constraint));
                    if let Some((count, nodes, other)) = full {
                        let message = format!(
                            "this `{}` lets {most} of its VMs onto a node, and {count} of them have {nodes} {} only",
                            self.name(cause.constraint as usize),
                            if nodes == 1 { "node" } else { "nodes" }
                        );
                        self.clash(found, other, *cause, message);
                    }
                }
                Relationship::CountAtMost(set, most) => {
                    work = work.saturating_add(homes.values().map(|home| home.0.len()).sum());
                    if work > MOST_WORK {
                        return;
                    }
                    let kept = || {
                        homes
                            .values()
                            .filter(|home| home.0.iter().all(|node| set.binary_search(node).is_ok()))
                    };
                    let count = kept().count() as u64;
                    let last = kept().map(|home| home.1).max_by_key(|cause| cause.constraint);
                    if let Some(other) = last.filter(|_| count > *most) {
                        let message = format!("{count} VMs are kept on its nodes, {most} are the most");
                        self.clash(found, other, *cause, message);
                    }
                }
                _ => {}
            }
        }
    }

    /// VMs that must share a node and must not.
    fn together_and_apart(&self, found: &mut Found) {
        let mut together: FxHashMap<VmId, Vec<usize>> = FxHashMap::default();
        let hard =
            || self.posted.relations.iter().enumerate().filter(|(_, (_, cause))| cause.penalty.is_none());
        for (at, (relation, _)) in hard() {
            if let Relationship::SameNode(members) = relation {
                for vm in members.iter().filter(|vm| self.runs.get(vm.index()) == Some(&true)) {
                    together.entry(*vm).or_default().push(at);
                }
            }
        }
        if together.is_empty() {
            return;
        }
        for (_, (relation, cause)) in hard() {
            let Relationship::AtMostPerNode(members, most) = relation else { continue };
            let mut counts: FxHashMap<usize, u32> = FxHashMap::default();
            let mut first: Option<usize> = None;
            for at in members.iter().flat_map(|vm| together.get(vm).into_iter().flatten()) {
                let count = counts.entry(*at).or_default();
                *count += 1;
                if *count > *most {
                    first = Some(first.map_or(*at, |first| first.min(*at)));
                }
            }
            if let Some((_, other)) = first.and_then(|at| self.posted.relations.get(at)) {
                let message = format!("VMs that share a node are {most} at most on each here");
                self.clash(found, *other, *cause, message);
            }
        }
    }
}

/// Equal constraints have equal ones.
fn fingerprint(constraint: &Constraint) -> u64 {
    let mut hasher = FxHasher::default();
    (constraint.rule.signature().name, constraint.restriction, constraint.strength).hash(&mut hasher);
    for argument in constraint.rule.arguments() {
        match argument {
            Argument::Vm(vm) => vm.hash(&mut hasher),
            Argument::Node(node) => node.hash(&mut hasher),
            Argument::Vms(vms) | Argument::VmList(vms) => vms.hash(&mut hasher),
            Argument::Nodes(nodes) => nodes.hash(&mut hasher),
            Argument::VmSets(sets) => sets.hash(&mut hasher),
            Argument::NodeSets(sets) => sets.hash(&mut hasher),
            Argument::Resource(resource) => resource.hash(&mut hasher),
            Argument::Amount(amount) => amount.hash(&mut hasher),
            Argument::Ratio(ratio) => ratio.get().to_bits().hash(&mut hasher),
            Argument::Time(moment) => moment.to_string().hash(&mut hasher),
            Argument::Word(word) => word.hash(&mut hasher),
        }
    }
    hasher.finish()
}

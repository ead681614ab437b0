//! What an action of a plan waits for, and why.

use crate::compile;
use crate::compile::Budget;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Channel;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::ResourceId;
use crate::model::Roads;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Why an action waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The node must be on.
    Boots(NodeId),
    /// The node must be empty before it is switched off.
    Empties(NodeId),
    /// Both are about the same VM.
    SameVm(VmId),
    /// It needs so much of the resource on the node, and without the other's leaving so
    /// much is free there.
    Room(NodeId, ResourceId, u64, u64),
    /// Too little of this is left, when the later one starts, for both together.
    Way(Channel),
    /// The constraint at this index asks for the order.
    Rule(u32),
    /// It is not known.
    Unknown,
}

/// What an action of a plan waits for, and why: for each action that must have ended.
pub fn waits_for(instance: &Instance, plan: &Plan, action: u32) -> Vec<(u32, Why)> {
    let waits = Waits::of(instance, plan);
    let before = plan.predecessors();
    let list = before.get(action as usize).map_or(&[][..], Vec::as_slice);
    list.iter().map(|&first| (first, waits.why(first, action))).collect()
}

/// Something of which actions hold a share for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Share {
    /// A channel of the network.
    Channel(u32),
    /// The budget of this relation, of a node or of its whole set.
    Budget(u32, Option<NodeId>),
}

/// A plan, and what its actions hold of links and budgets over time: for whoever asks why one
/// waits for another.
#[derive(Debug)]
pub struct Waits<'i> {
    instance: &'i Instance,
    plan: &'i Plan,
    posted: Posted,
    roads: Option<Roads<'i>>,
    /// By node and by VM: the budgets that it has to do with.
    budgets_of_node: FxHashMap<NodeId, Vec<u32>>,
    budgets_of_vm: FxHashMap<VmId, Vec<u32>>,
    /// By VM: the start of the clone that takes its place.
    clones: FxHashMap<VmId, ActionKind>,
    /// By VM: the rules about order that name it.
    orders: FxHashMap<VmId, Vec<u32>>,
    /// How much is held from a moment on, by moment.
    held: FxHashMap<Share, Vec<(u64, u128)>>,
}

impl<'i> Waits<'i> {
    /// Linear in the instance's rules and in what the actions of the plan take, but for sorting.
    pub fn of(instance: &'i Instance, plan: &'i Plan) -> Self {
        let posted = compile::Builder::post_all(instance);
        let mut waits = Self {
            instance,
            plan,
            posted: Posted::default(),
            roads: Roads::of(instance),
            budgets_of_node: FxHashMap::default(),
            budgets_of_vm: FxHashMap::default(),
            clones: FxHashMap::default(),
            orders: FxHashMap::default(),
            held: FxHashMap::default(),
        };
        for (at, (relationship, cause)) in (0u32..).zip(&posted.relations) {
            if cause.penalty.is_some() {
                continue;
            }
            match relationship {
                Relationship::Budget(budget) => {
                    for &node in budget.nodes.iter() {
                        waits.budgets_of_node.entry(node).or_default().push(at);
                    }
                    for &(vm, _) in budget.everywhere.iter() {
                        waits.budgets_of_vm.entry(vm).or_default().push(at);
                    }
                }
                Relationship::Sequence(vms) | Relationship::Serialize(vms) => {
                    vms.iter().for_each(|vm| waits.orders.entry(*vm).or_default().push(at));
                }
                Relationship::Precedence(first, then) => {
                    [first, then].iter().for_each(|vm| waits.orders.entry(**vm).or_default().push(at));
                }
                _ => {}
            }
        }
        for kind in plan.actions.iter().map(|action| action.kind) {
            if let ActionKind::BootClone { vm, .. } = kind {
                waits.clones.insert(vm, kind);
            }
        }
        waits.posted = posted;
        waits.hold();
        waits
    }

    /// Goes through the plan once.
    fn hold(&mut self) {
        let mut changes: FxHashMap<Share, Vec<(u64, i128)>> = FxHashMap::default();
        for action in &self.plan.actions {
            for (share, amount) in self.taken(&action.kind, action.bandwidth) {
                changes.entry(share).or_default().push((action.start, i128::from(amount)));
            }
            for (share, amount) in self.freed(&action.kind, action.bandwidth) {
                changes.entry(share).or_default().push((action.end, -i128::from(amount)));
            }
        }
        for (share, mut changes) in changes {
            changes.sort_unstable();
            let mut now = i128::from(self.standing(share));
            let mut held: Vec<(u64, u128)> = Vec::with_capacity(changes.len());
            for (moment, change) in changes {
                now += change;
                let amount = u128::try_from(now).unwrap_or(0);
                match held.last_mut() {
                    Some(last) if last.0 == moment => last.1 = amount,
                    _ => held.push((moment, amount)),
                }
            }
            self.held.insert(share, held);
        }
    }

    /// What nodes that are on before the plan hold of a budget.
    fn standing(&self, share: Share) -> u64 {
        let Share::Budget(at, owner) = share else { return 0 };
        let Some(budget) = self.budget(at) else { return 0 };
        let counts = |node: NodeId| owner.is_none_or(|owner| owner == node);
        let on = budget.standing.iter().filter(|&&(node, _)| counts(node) && self.instance.is_online(node));
        on.map(|&(_, taken)| taken).fold(0, u64::saturating_add)
    }

    fn budget(&self, at: u32) -> Option<&Budget> {
        match &self.posted.relations.get(at as usize)?.0 {
            Relationship::Budget(budget) => Some(budget),
            _ => None,
        }
    }

    /// What an action holds from its start on.
    fn taken(&self, kind: &ActionKind, bandwidth: u64) -> Vec<(Share, u64)> {
        match *kind {
            ActionKind::Migrate { vm, from, to } => {
                let mut shares = self.of_budgets(vm, from, to);
                shares.extend(self.of_way(from, to, bandwidth));
                shares
            }
            ActionKind::BootClone { vm, from, to } => self.of_budgets(vm, from, to),
            ActionKind::BootNode { node } => self.of_power(node),
            _ => Vec::new(),
        }
    }

    /// What an action holds no more from its end on.
    fn freed(&self, kind: &ActionKind, bandwidth: u64) -> Vec<(Share, u64)> {
        match *kind {
            ActionKind::Migrate { .. } => self.taken(kind, bandwidth),
            ActionKind::ShutdownOriginal { vm, .. } => {
                self.clones.get(&vm).map_or_else(Vec::new, |clone| self.taken(clone, bandwidth))
            }
            ActionKind::ShutdownNode { node } => self.of_power(node),
            _ => Vec::new(),
        }
    }

    fn of_way(&self, from: NodeId, to: NodeId, bandwidth: u64) -> Vec<(Share, u64)> {
        let channels = self.roads.as_ref().map_or_else(Vec::new, |roads| roads.path(from, to).channels);
        channels.into_iter().map(|channel| (Share::Channel(channel), bandwidth)).collect()
    }

    fn of_budgets(&self, vm: VmId, from: NodeId, to: NodeId) -> Vec<(Share, u64)> {
        let of_node = |node| self.budgets_of_node.get(&node).into_iter().flatten();
        let of_vm = self.budgets_of_vm.get(&vm).into_iter().flatten();
        let mut concerned: Vec<u32> = of_node(from).chain(of_node(to)).chain(of_vm).copied().collect();
        concerned.sort_unstable();
        concerned.dedup();
        let shares = concerned.into_iter().filter_map(|at| Some((at, self.budget(at)?)));
        let shares = shares.flat_map(|(at, budget)| {
            budget.shares(vm, from, to).map(move |(owner, cost)| (Share::Budget(at, owner), cost))
        });
        shares.collect()
    }

    fn of_power(&self, node: NodeId) -> Vec<(Share, u64)> {
        let budgets = self.budgets_of_node.get(&node).into_iter().flatten();
        let shares = budgets.filter_map(|&at| {
            let budget = self.budget(at)?;
            Some((Share::Budget(at, budget.owner(node)), budget.standing(node)))
        });
        shares.filter(|&(_, taken)| taken > 0).collect()
    }

    fn capacity(&self, share: Share) -> u64 {
        match share {
            Share::Channel(at) => {
                self.roads.as_ref().map_or(u64::MAX, |roads| roads.topology().channel(at).1)
            }
            Share::Budget(at, _) => self.budget(at).map_or(u64::MAX, |budget| budget.most),
        }
    }

    /// Of what both take, that of which too little is left for both when the later one
    /// starts, beside everything else that runs then: channels first, the narrowest of them.
    fn exhausted(&self, first: u32, then: u32) -> Option<Share> {
        let (one, other) = (&self.plan.actions[first as usize], &self.plan.actions[then as usize]);
        let mut wanted: Vec<Share> =
            self.taken(&other.kind, other.bandwidth).into_iter().map(|share| share.0).collect();
        wanted.sort_unstable();
        let mut common = self.freed(&one.kind, one.bandwidth);
        common.retain(|(share, amount)| *amount > 0 && wanted.binary_search(share).is_ok());
        let lacks = |&(share, amount): &(Share, u64)| {
            let held = self.held.get(&share).map_or(&[][..], Vec::as_slice);
            let at = held.partition_point(|&(moment, _)| moment <= other.start);
            let now = if at == 0 { 0 } else { held[at - 1].1 };
            now + u128::from(amount) > u128::from(self.capacity(share))
        };
        let rank = |share: Share| (matches!(share, Share::Budget(..)), self.capacity(share), share);
        common.into_iter().filter(lacks).map(|share| share.0).min_by_key(|&share| rank(share))
    }

    /// The rule that says by itself that one comes after the other.
    fn ordered(&self, leaver: VmId, comer: VmId) -> Option<u32> {
        let rules = self.orders.get(&leaver).into_iter().flatten();
        let speaks = |vms: &[VmId]| vms.contains(&leaver) && vms.contains(&comer);
        let mut rules = rules.map(|&at| &self.posted.relations[at as usize]).filter(|(rule, _)| match rule {
            Relationship::Sequence(vms) | Relationship::Serialize(vms) => speaks(vms),
            Relationship::Precedence(first, then) => (*first, *then) == (leaver, comer),
            _ => false,
        });
        rules.next().map(|(_, cause)| cause.constraint)
    }

    fn shared(&self, share: Share) -> Why {
        match share {
            Share::Channel(at) => {
                self.roads.as_ref().map_or(Why::Unknown, |roads| Why::Way(roads.topology().channel(at).0))
            }
            Share::Budget(at, _) => Why::Rule(self.posted.relations[at as usize].1.constraint),
        }
    }

    /// Why one action waits for another, as far as rules about order, links and budgets say:
    /// what is known without going through nodes.
    pub fn brief(&self, first: u32, then: u32) -> Option<Why> {
        let kind = |at: u32| self.plan.actions[at as usize].kind;
        if let (Some(leaver), Some(comer)) = (kind(first).vm(), kind(then).vm())
            && leaver != comer
            && let Some(rule) = self.ordered(leaver, comer)
        {
            return Some(Why::Rule(rule));
        }
        if kind(first).vm().is_some() && kind(first).vm() == kind(then).vm() {
            return None;
        }
        self.exhausted(first, then).map(|share| self.shared(share))
    }

    /// Why one action waits for another: both are indices of the plan.
    pub fn why(&self, first: u32, then: u32) -> Why {
        let (instance, plan) = (self.instance, self.plan);
        let (one, other) = (&plan.actions[first as usize], &plan.actions[then as usize]);
        if let ActionKind::BootNode { node } = one.kind
            && (other.kind.destination() == Some(node) || other.kind == ActionKind::ShutdownNode { node })
        {
            return Why::Boots(node);
        }
        if let ActionKind::ShutdownNode { node } = other.kind
            && one.kind.origin() == Some(node)
        {
            return Why::Empties(node);
        }
        let (Some(leaver), Some(comer)) = (one.kind.vm(), other.kind.vm()) else {
            return self.exhausted(first, then).map_or(Why::Unknown, |share| self.shared(share));
        };
        if leaver == comer {
            return Why::SameVm(leaver);
        }
        if let Some(rule) = self.ordered(leaver, comer) {
            return Why::Rule(rule);
        }
        // Where the other one comes to, or grows.
        let place = |kind: ActionKind| match kind {
            ActionKind::Allocate { node, .. } => Some(node),
            _ => None,
        };
        let node = other.kind.destination().or(place(other.kind));
        let frees = one.kind.origin().or(place(one.kind));
        if let Some(node) = node.filter(|node| frees == Some(*node)) {
            for resource in instance.resource_ids() {
                let need = takes(instance, plan, other, resource);
                let held = load(instance, plan, node, resource, other.start, (then, first));
                let free = instance.capacity(node, resource).saturating_sub(held);
                if need > free {
                    return Why::Room(node, resource, need, free);
                }
            }
        }
        if let Some(share) = self.exhausted(first, then) {
            return self.shared(share);
        }
        let speaks = |vms: &[VmId]| vms.contains(&leaver) && vms.contains(&comer);
        let near = |nodes: &[NodeId]| {
            one.kind.origin().is_some_and(|node| nodes.contains(&node))
                && node.is_some_and(|node| nodes.contains(&node))
        };
        let rule = self.posted.relations.iter().find(|(relationship, cause)| {
            cause.penalty.is_none()
                && match relationship {
                    Relationship::AtMostPerNode(vms, _)
                    | Relationship::AtMostPerGroup(vms, ..)
                    | Relationship::SameNode(vms)
                    | Relationship::SameGroup(vms, _)
                    | Relationship::Sync(vms) => speaks(vms),
                    Relationship::Exclusive(vms) => vms.contains(&leaver) != vms.contains(&comer),
                    Relationship::Apart(parts) | Relationship::GroupsApart(parts, _) => {
                        [leaver, comer].iter().all(|vm| parts.iter().any(|part| part.contains(vm)))
                    }
                    Relationship::LoadAtMost(nodes, ..) | Relationship::CountAtMost(nodes, _) => near(nodes),
                    Relationship::Survive { .. } => cause.continuous,
                    _ => false,
                }
        });
        rule.map_or(Why::Unknown, |(_, cause)| Why::Rule(cause.constraint))
    }
}

/// What an action takes of a resource where it goes.
fn takes(instance: &Instance, plan: &Plan, action: &Action, resource: ResourceId) -> u64 {
    if let ActionKind::Allocate { resource: other, amount, vm, .. } = action.kind {
        let before = amount_at(instance, plan, vm, resource, action.start);
        return if other == resource { amount.saturating_sub(before) } else { 0 };
    }
    let own = action.allocations.iter().find(|(other, _)| *other == resource).map(|&(_, amount)| amount);
    own.or_else(|| action.kind.vm().map(|vm| amount_at(instance, plan, vm, resource, action.start)))
        .unwrap_or(0)
}

/// What a VM holds of a resource at a moment.
fn amount_at(instance: &Instance, plan: &Plan, vm: VmId, resource: ResourceId, at: u64) -> u64 {
    let mut amount = instance.demand(vm, resource);
    for action in plan.actions.iter().filter(|action| action.kind.vm() == Some(vm) && action.start < at) {
        if let ActionKind::Allocate { resource: other, amount: new, .. } = action.kind
            && other == resource
        {
            amount = new;
        }
        for &(other, new) in &action.allocations {
            if other == resource {
                amount = new;
            }
        }
    }
    amount
}

/// What is held on a node at a moment, as if the second action had not ended, and without
/// what the first one brings.
fn load(
    instance: &Instance,
    plan: &Plan,
    node: NodeId,
    resource: ResourceId,
    at: u64,
    (comer, leaver): (u32, u32),
) -> u64 {
    let mut by_vm: Vec<bool> = instance.vm_ids().map(|vm| instance.place(vm).host() == Some(node)).collect();
    let mut order: Vec<usize> = (0..plan.actions.len()).collect();
    order.sort_by_key(|&index| plan.actions[index].start);
    for index in order {
        let action = &plan.actions[index];
        let Some(vm) = action.kind.vm().filter(|_| index != comer as usize) else { continue };
        if action.kind.destination() == Some(node) && action.start <= at {
            by_vm[vm.index()] = true;
        }
        if action.kind.origin() == Some(node) && action.end <= at && index != leaver as usize {
            by_vm[vm.index()] = false;
        }
    }
    let comes = plan.actions[comer as usize].kind.vm();
    let grows = matches!(plan.actions[comer as usize].kind, ActionKind::Allocate { .. });
    instance
        .vm_ids()
        .filter(|vm| by_vm[vm.index()] && (grows || comes != Some(*vm)))
        .map(|vm| amount_at(instance, plan, vm, resource, at))
        .fold(0, u64::saturating_add)
}

//! Why each action is in the plan.

use crate::compile::Compiled;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Block;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::search::presolve::Analysis;
use rustc_hash::FxHashMap;

/// Gives each action its reason.
pub fn reasons(instance: &Instance, compiled: &Compiled, analysis: &Analysis, plan: &mut Plan) {
    let packing = &compiled.problem.packing;
    let mut bin_cause: FxHashMap<u32, Block> = FxHashMap::default();
    for eviction in &analysis.evictions {
        bin_cause.insert(eviction.bin, eviction.cause);
    }
    let mut demanded: FxHashMap<(VmId, ResourceId), u32> = FxHashMap::default();
    for &(vm, resource, _, cause) in &compiled.posted.demands {
        demanded.entry((vm, resource)).or_insert(cause.constraint);
    }
    let fences = Fences::of(compiled, &analysis.forced);
    let last_move: FxHashMap<VmId, usize> = plan
        .actions
        .iter()
        .enumerate()
        .filter(|(_, action)| {
            matches!(action.kind, ActionKind::Migrate { .. } | ActionKind::BootClone { .. })
        })
        .map(|(at, action)| (at, action.kind.vm()))
        .filter_map(|(at, vm)| Some((vm?, at)))
        .collect();
    // Who enters each node: the one that an unasked leaver makes room for.
    let mut enters: FxHashMap<NodeId, Vec<(VmId, u64)>> = FxHashMap::default();
    for action in &plan.actions {
        if let (Some(node), Some(vm)) = (action.kind.destination(), action.kind.vm()) {
            enters.entry(node).or_default().push((vm, action.start));
        }
    }
    let mut end = End::of(compiled, plan);
    // `left`: when the VM has left.
    let mut source_reason = |vm: VmId, from: NodeId, left: u64| -> Reason {
        let item = compiled.item_of[vm.index()];
        if item == NONE {
            return Reason::Unknown;
        }
        if analysis.forced.binary_search(&item).is_ok() {
            return fences.cause(compiled, vm, from).map_or(Reason::Unknown, Reason::Constraint);
        }
        match bin_cause.get(&from.0) {
            Some(Block::Dim(dim)) => return Reason::Overload(from, ResourceId(*dim)),
            Some(Block::Relation(at)) => return Reason::Constraint(packing.relations[*at as usize].cause),
            None => {}
        }
        stands_in_the_way(compiled, &mut end, item, from).unwrap_or_else(|| {
            let late =
                enters.get(&from).into_iter().flatten().find(|&&(other, start)| other != vm && start >= left);
            late.map_or(Reason::Unknown, |&(other, _)| Reason::RoomFor(other))
        })
    };
    let node_reason = |node: NodeId, plan: &Plan| -> Reason {
        match compiled.node_cause[node.index()] {
            NONE => plan
                .actions
                .iter()
                .find(|action| action.kind.destination() == Some(node))
                .and_then(|action| action.kind.vm())
                .map_or_else(
                    || {
                        packing
                            .relations
                            .iter()
                            .find(|relation| matches!(&relation.kind, RelationKind::Powered { bins, .. } if bins.contains(node.0)))
                            .map_or(Reason::Unknown, |relation| Reason::Constraint(relation.cause))
                    },
                    Reason::Hosts,
                ),
            cause => Reason::Constraint(cause),
        }
    };
    let found: Vec<Reason> = plan
        .actions
        .iter()
        .enumerate()
        .map(|(at, action)| match action.kind {
            ActionKind::BootNode { node } | ActionKind::ShutdownNode { node } => node_reason(node, plan),
            ActionKind::Migrate { vm, .. } if last_move.get(&vm).is_some_and(|&last| last > at) => {
                Reason::Parking
            }
            ActionKind::Migrate { vm, .. }
            | ActionKind::ForgeClone { vm }
            | ActionKind::BootClone { vm, .. }
            | ActionKind::ShutdownOriginal { vm, .. } => match instance.place(vm).host() {
                Some(from) => source_reason(vm, from, action.end),
                None => Reason::Parking,
            },
            ActionKind::Allocate { vm, resource, .. } => {
                demanded.get(&(vm, resource)).map_or(Reason::Unknown, |&cause| Reason::Constraint(cause))
            }
            ActionKind::Boot { vm, .. }
            | ActionKind::Shutdown { vm, .. }
            | ActionKind::Suspend { vm, .. }
            | ActionKind::Resume { vm, .. }
            | ActionKind::Kill { vm, .. }
            | ActionKind::Forge { vm } => {
                compiled.state_cause.get(&vm).map_or(Reason::Unknown, |&cause| Reason::Constraint(cause))
            }
        })
        .collect();
    for (action, reason) in plan.actions.iter_mut().zip(found) {
        action.reason = reason;
    }
}

/// Who is where at the end of a plan.
pub(super) struct End<'c> {
    pub(super) ledger: Ledger<'c>,
    /// By item: its bin.
    pub(super) to: Vec<u32>,
    open: Vec<bool>,
}

impl<'c> End<'c> {
    pub(super) fn of(compiled: &'c Compiled, plan: &Plan) -> Self {
        let packing = &compiled.problem.packing;
        let mut to: Vec<u32> = packing.items.iter().map(|item| item.source).collect();
        let mut open: Vec<bool> = packing.bins.iter().map(|bin| bin.open).collect();
        let mut order: Vec<&Action> = plan.actions.iter().collect();
        order.sort_by_key(|action| action.end);
        for action in order {
            match action.kind {
                ActionKind::BootNode { node } => open[node.index()] = true,
                ActionKind::ShutdownNode { node } => open[node.index()] = false,
                kind => {
                    if let (Some(vm), Some(node)) = (kind.vm(), kind.destination())
                        && let Some(to) = to.get_mut(compiled.item_of[vm.index()] as usize)
                    {
                        *to = node.0;
                    }
                }
            }
        }
        let mut ledger = Ledger::new(packing, Moment::Then);
        for (item, &bin) in (0u32..).zip(&to) {
            if bin != NONE && packing.items[item as usize].role != Role::Depart {
                ledger.add(item, bin, packing.then(item));
            }
        }
        Self { ledger, to, open }
    }
}

/// Why an item that left a bin could not be there at the end, all others where they end:
/// the rule that forbids it, or whoever has come instead.
fn stands_in_the_way(compiled: &Compiled, end: &mut End<'_>, item: u32, from: NodeId) -> Option<Reason> {
    let packing = &compiled.problem.packing;
    let hard = || (0u32..).zip(&packing.relations).filter(|(_, relation)| relation.penalty.is_none());
    if !end.open[from.index()] {
        let powered = hard().find(|(_, relation)| {
            matches!(&relation.kind, RelationKind::Powered { bins, .. } if bins.contains(from.0))
        });
        return powered.map(|(_, relation)| Reason::Constraint(relation.cause));
    }
    let now = end.to[item as usize];
    if now == NONE || now == from.0 || packing.items[item as usize].role == Role::Depart {
        return None;
    }
    let size = packing.then(item);
    end.ledger.remove(item, now, size);
    let blocked = end.ledger.may_enter(item, from.0, size);
    let reason = match blocked {
        Err(Block::Relation(at)) => Some(Reason::Constraint(packing.relations[at as usize].cause)),
        Err(Block::Dim(dim)) => {
            let came = end.ledger.guests(from.0).iter().copied().find(|&guest| {
                packing.items[guest as usize].source != from.0 && packing.then(guest)[dim as usize] > 0
            });
            Some(came.map_or(Reason::Overload(from, ResourceId(dim)), |guest| {
                Reason::RoomFor(compiled.vm_of[guest as usize])
            }))
        }
        Ok(()) => {
            end.ledger.add(item, from.0, size);
            let open = |bin: u32| end.open[bin as usize];
            let unsafe_then = hard()
                .filter(|(_, relation)| matches!(relation.kind, RelationKind::Survive { .. }))
                .find(|(at, _)| end.ledger.violation(*at, &open) > 0)
                .map(|(_, relation)| Reason::Constraint(relation.cause));
            let wished = unsafe_then.or_else(|| dearer(packing, end, item, from.0, now));
            end.ledger.remove(item, from.0, size);
            wished
        }
    };
    end.ledger.add(item, now, size);
    reason
}

/// A soft rule that costs more with an item in one bin, where it is now, than in another.
fn dearer(packing: &Packing, end: &mut End<'_>, item: u32, here: u32, there: u32) -> Option<Reason> {
    let soft: Vec<u32> = packing
        .relations_of(item)
        .iter()
        .map(|&(at, _)| at)
        .chain(packing.bin_relations[here as usize].iter().copied())
        .filter(|&at| packing.relations[at as usize].penalty.is_some())
        .collect();
    if soft.is_empty() {
        return None;
    }
    let open = end.open.clone();
    let prices = |ledger: &Ledger<'_>| -> Vec<u64> {
        soft.iter().map(|&at| ledger.violation(at, &|bin| open[bin as usize])).collect()
    };
    let with = prices(&end.ledger);
    end.ledger.remove(item, here, packing.then(item));
    end.ledger.add(item, there, packing.then(item));
    let without = prices(&end.ledger);
    end.ledger.remove(item, there, packing.then(item));
    end.ledger.add(item, here, packing.then(item));
    let dearer = with.iter().zip(&without).position(|(with, without)| with > without)?;
    Some(Reason::Constraint(packing.relations[soft[dearer] as usize].cause))
}

/// Which rules keep VMs off nodes.
pub(super) struct Fences {
    /// By VM: (inside or outside, the relation).
    by_vm: FxHashMap<VmId, Vec<(bool, usize)>>,
}

impl Fences {
    /// Of some items: those that are asked about.
    pub(super) fn of(compiled: &Compiled, items: &[u32]) -> Self {
        let mut by_vm: FxHashMap<VmId, Vec<(bool, usize)>> = FxHashMap::default();
        for (at, (relationship, cause)) in compiled.posted.relations.iter().enumerate() {
            let (vms, inside) = match relationship {
                Relationship::Within(vms, _) => (vms, true),
                Relationship::Outside(vms, _) => (vms, false),
                _ => continue,
            };
            if cause.penalty.is_some() {
                continue;
            }
            for vm in vms.iter() {
                let item = compiled.item_of[vm.index()];
                if item != NONE && items.binary_search(&item).is_ok() {
                    by_vm.entry(*vm).or_default().push((inside, at));
                }
            }
        }
        Self { by_vm }
    }

    /// The constraint that forbids a VM to end on a node, if there is one by itself.
    pub(super) fn cause(&self, compiled: &Compiled, vm: VmId, node: NodeId) -> Option<u32> {
        let packing = &compiled.problem.packing;
        if packing.bins[node.index()].later == Later::Closed {
            return Some(compiled.node_cause[node.index()]).filter(|&cause| cause != NONE);
        }
        let wrong = self.by_vm.get(&vm).into_iter().flatten().find(|&&(inside, at)| {
            let (Relationship::Within(_, nodes) | Relationship::Outside(_, nodes)) =
                &compiled.posted.relations[at].0
            else {
                return false;
            };
            nodes.binary_search(&node).is_ok() != inside
        });
        if let Some(&(_, at)) = wrong {
            return Some(compiled.posted.relations[at].1.constraint);
        }
        // Members of a group that is decided elsewhere.
        let item = compiled.item_of[vm.index()];
        let grouped = packing.relations_of(item).iter().find(|&&(at, _)| {
            let relation = &packing.relations[at as usize];
            relation.penalty.is_none()
                && matches!(relation.kind, RelationKind::SameGroup { .. } | RelationKind::GroupsApart { .. })
        });
        grouped.map(|&(at, _)| packing.relations[at as usize].cause)
    }
}

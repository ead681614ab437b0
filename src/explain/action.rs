//! Why each action is in the plan.

use crate::compile::Compiled;
use crate::compile::Relationship;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::RelationKind;
use crate::propagator::Block;
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
    let mut fenced: FxHashMap<VmId, Vec<(bool, usize, u32)>> = FxHashMap::default();
    for (at, (relationship, cause)) in compiled.posted.relations.iter().enumerate() {
        let (vms, inside) = match relationship {
            Relationship::Within(vms, _) => (vms, true),
            Relationship::Outside(vms, _) => (vms, false),
            _ => continue,
        };
        for vm in vms.iter() {
            let item = compiled.item_of[vm.index()];
            // Only those that must leave their bin are asked about.
            if item != NONE && analysis.forced.binary_search(&item).is_ok() {
                fenced.entry(*vm).or_default().push((inside, at, cause.constraint));
            }
        }
    }
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
    let mut enters: FxHashMap<NodeId, Vec<VmId>> = FxHashMap::default();
    for action in &plan.actions {
        if let (Some(node), Some(vm)) = (action.kind.destination(), action.kind.vm()) {
            enters.entry(node).or_default().push(vm);
        }
    }
    let source_reason = |vm: VmId, from: NodeId| -> Reason {
        let item = compiled.item_of[vm.index()];
        if item == NONE {
            return Reason::Unknown;
        }
        if analysis.forced.binary_search(&item).is_ok() {
            if packing.bins[from.index()].later == Later::Closed {
                return Reason::Constraint(compiled.node_cause[from.index()]);
            }
            let wrong = fenced.get(&vm).into_iter().flatten().find(|&&(inside, at, _)| {
                let (Relationship::Within(_, nodes) | Relationship::Outside(_, nodes)) =
                    &compiled.posted.relations[at].0
                else {
                    return false;
                };
                nodes.binary_search(&from).is_ok() != inside
            });
            return wrong.map_or(Reason::Unknown, |&(_, _, cause)| Reason::Constraint(cause));
        }
        match bin_cause.get(&from.0) {
            Some(Block::Dim(dim)) => return Reason::Overload(from, ResourceId(*dim)),
            Some(Block::Relation(at)) => return Reason::Constraint(packing.relations[*at as usize].cause),
            None => {}
        }
        if let Some(entering) = enters.get(&from).and_then(|vms| vms.iter().find(|&&other| other != vm)) {
            return Reason::RoomFor(*entering);
        }
        // What is left are relations over several bins.
        match packing.relations_of(item).first() {
            Some(&(at, _)) => Reason::Constraint(packing.relations[at as usize].cause),
            None => packing
                .bin_relations
                .get(from.index())
                .and_then(|relations| relations.first())
                .map_or(Reason::Unknown, |&at| Reason::Constraint(packing.relations[at as usize].cause)),
        }
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
                Some(from) => source_reason(vm, from),
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

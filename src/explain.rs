//! Reasons in the user's words: why an action is in the plan, why there is no plan.

use crate::compile::Compiled;
use crate::compile::Relationship;
use crate::constraint::list;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::outcome::Conflict;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Block;
use crate::search::Proof;
use crate::search::presolve;
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

/// A proof that there is no plan, in the user's names.
pub fn conflict(instance: &Instance, compiled: &Compiled, proof: &Proof) -> Conflict {
    let packing = &compiled.problem.packing;
    let vm_of = |item: &u32| compiled.vm_of[*item as usize];
    let vm_names = |vms: &[VmId]| list(vms.iter().map(|&vm| instance.vm_name(vm)));
    // What keeps a VM where it may be: fences, and the groups that it is held in.
    let fences = |vm: VmId| -> Vec<u32> {
        let groups = packing.relations_of(compiled.item_of[vm.index()]).iter().filter_map(|&(at, _)| {
            let relation = &packing.relations[at as usize];
            let grouped =
                matches!(relation.kind, RelationKind::SameGroup { .. } | RelationKind::GroupsApart { .. });
            (grouped && relation.penalty.is_none()).then_some(relation.cause)
        });
        compiled
            .posted
            .relations
            .iter()
            .filter(|(relationship, cause)| {
                cause.penalty.is_none()
                    && match relationship {
                        Relationship::Within(vms, _) | Relationship::Outside(vms, _) => vms.contains(&vm),
                        Relationship::Stay(other) => *other == vm,
                        _ => false,
                    }
            })
            .map(|(_, cause)| cause.constraint)
            .chain(groups)
            .collect()
    };
    match proof {
        Proof::Bin(bin, block) => {
            let node = NodeId(*bin);
            let vms: Vec<VmId> = (0..packing.items.len() as u32)
                .filter(|&item| packing.settled_in(item) == Some(*bin))
                .map(|item| vm_of(&item))
                .collect();
            let constraints = vms.iter().flat_map(|&vm| fences(vm)).collect::<Vec<_>>();
            let (what, mut causes) = match block {
                Block::Dim(dim) => {
                    let resource = ResourceId(*dim);
                    let need: u64 = vms
                        .iter()
                        .map(|&vm| packing.then(compiled.item_of[vm.index()])[resource.index()])
                        .fold(0, u64::saturating_add);
                    let has = packing.capacity_then[node.index() * packing.dims + resource.index()];
                    (format!("need {need} of {}, it has {has}", instance.resource_name(resource)), Vec::new())
                }
                Block::Relation(at) => {
                    let cause = packing.relations[*at as usize].cause;
                    let name = instance.constraints()[cause as usize].rule.signature().name;
                    (format!("break `{name}`"), vec![cause])
                }
            };
            causes.extend(constraints);
            Conflict {
                text: format!(
                    "{} must be on node {} and {what}",
                    vm_names(&vms),
                    instance.node_name(node)
                ),
                constraints: causes,
                vms,
                nodes: vec![node],
            }
        }
        Proof::Homeless(item) => {
            let vm = vm_of(item);
            Conflict {
                constraints: fences(vm),
                vms: vec![vm],
                nodes: Vec::new(),
                text: format!("no node that is on at the end may run VM {}", instance.vm_name(vm)),
            }
        }
        Proof::Room(items, bins, dim) => {
            let vms: Vec<VmId> = items.iter().map(vm_of).collect();
            let nodes: Vec<NodeId> = bins.iter().map(|&bin| NodeId(bin)).collect();
            let amounts = |dim: usize| {
                let need: u128 = items.iter().map(|&item| u128::from(packing.then(item)[dim])).sum();
                let has: u128 =
                    bins.iter().map(|&bin| u128::from(packing.capacity_then[bin as usize * packing.dims + dim])).sum();
                format!("need {need} of {}, they have {has}", instance.resource_name(ResourceId(dim as u32)))
            };
            let what = match *dim {
                NONE => (0..packing.dims).map(amounts).collect::<Vec<_>>().join("; "),
                dim => amounts(dim as usize),
            };
            Conflict {
                constraints: Vec::new(),
                text: format!(
                    "there is not enough room: {} VMs on {} nodes that they may use {what} (less what must stay there)",
                    vms.len(),
                    nodes.len()
                ),
                vms,
                nodes,
            }
        }
        Proof::Powered(at, dim) => {
            let cause = packing.relations[*at as usize].cause;
            Conflict {
                constraints: vec![cause],
                vms: Vec::new(),
                nodes: Vec::new(),
                text: format!(
                    "the nodes that `{}` lets be online, were they the largest, have too little {} for the VMs that run",
                    instance.constraints()[cause as usize].rule.signature().name,
                    instance.resource_name(ResourceId(*dim))
                ),
            }
        }
        Proof::Together(at, dim) => {
            let relation = &packing.relations[*at as usize];
            let RelationKind::SameGroup { items, .. } = &relation.kind else { return Conflict::default() };
            let stay: Vec<u32> =
                items.iter().copied().filter(|&item| packing.items[item as usize].role != Role::Depart).collect();
            let dim = *dim as usize;
            let (need, has) = (presolve::final_load(packing, items)[dim], presolve::largest_bin(packing)[dim]);
            Conflict {
                constraints: vec![relation.cause],
                text: format!(
                    "`{}` puts {} VMs on one node, where they need {need} of {}: no node that may be on has more than {has}",
                    instance.constraints()[relation.cause as usize].rule.signature().name,
                    stay.len(),
                    instance.resource_name(ResourceId(dim as u32)),
                ),
                vms: stay.iter().map(vm_of).collect(),
                nodes: Vec::new(),
            }
        }
        Proof::Late(least) => Conflict {
            constraints: Vec::new(),
            vms: Vec::new(),
            nodes: Vec::new(),
            text: format!("no plan ends within the horizon: the shortest takes {least} s at least"),
        },
        Proof::Crowd(at, usable) => {
            let cause = packing.relations[*at as usize].cause;
            Conflict {
                constraints: vec![cause],
                vms: Vec::new(),
                nodes: Vec::new(),
                text: format!(
                    "`{}` needs more nodes than the {usable} that may be on at the end",
                    instance.constraints()[cause as usize].rule.signature().name
                ),
            }
        }
        Proof::Exhausted => Conflict {
            constraints: Vec::new(),
            vms: Vec::new(),
            nodes: Vec::new(),
            text: "every order of actions was tried: none leads to a configuration that satisfies all constraints"
                .to_owned(),
        },
    }
}

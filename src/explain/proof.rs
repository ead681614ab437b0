//! From the proof of a search to a conflict.

use crate::compile::Compiled;
use crate::compile::Relationship;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::problem::NONE;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Block;
use crate::search::Proof;
use crate::search::presolve;

/// A proof that there is no plan, in terms of the instance.
pub fn conflict(compiled: &Compiled, proof: &Proof) -> Conflict {
    let packing = &compiled.problem.packing;
    let vm_of = |item: &u32| compiled.vm_of[*item as usize];
    let cause = |at: u32| packing.relations[at as usize].cause;
    match proof {
        Proof::Bin(bin, block) => {
            let node = NodeId(*bin);
            let vms: Vec<VmId> = (0..packing.items.len() as u32)
                .filter(|&item| packing.settled_in(item) == Some(*bin))
                .map(|item| vm_of(&item))
                .collect();
            let mut constraints = fences(compiled, &vms);
            let clash = match block {
                Block::Dim(dim) => {
                    let dim = *dim as usize;
                    let need = vms
                        .iter()
                        .map(|&vm| packing.then(compiled.item_of[vm.index()])[dim])
                        .fold(0, u64::saturating_add);
                    Clash::Load(
                        ResourceId(dim as u32),
                        need,
                        packing.capacity_then[node.index() * packing.dims + dim],
                    )
                }
                Block::Relation(at) => {
                    constraints.push(cause(*at));
                    Clash::Broken(cause(*at))
                }
            };
            Conflict::of(clash, constraints, vms, vec![node])
        }
        Proof::Homeless(item) => {
            let vms = vec![vm_of(item)];
            Conflict::of(Clash::NoNode, fences(compiled, &vms), vms, Vec::new())
        }
        Proof::Room(items, bins, dim) => {
            let amounts = |dim: usize| {
                let need: u128 = items.iter().map(|&item| u128::from(packing.then(item)[dim])).sum();
                let room = |&bin: &u32| u128::from(packing.capacity_then[bin as usize * packing.dims + dim]);
                (ResourceId(dim as u32), need, bins.iter().map(room).sum())
            };
            let amounts = match *dim {
                NONE => (0..packing.dims).map(amounts).collect(),
                dim => vec![amounts(dim as usize)],
            };
            let nodes = bins.iter().map(|&bin| NodeId(bin)).collect();
            Conflict::of(Clash::Room(amounts), Vec::new(), items.iter().map(vm_of).collect(), nodes)
        }
        Proof::Powered(at, dim) => {
            let clash = Clash::FewOn(cause(*at), ResourceId(*dim));
            Conflict::of(clash, vec![cause(*at)], Vec::new(), Vec::new())
        }
        Proof::Together(at, dim) => {
            let RelationKind::SameGroup { items, .. } = &packing.relations[*at as usize].kind else {
                return Conflict::default();
            };
            let stay = items.iter().filter(|&&item| packing.items[item as usize].role != Role::Depart);
            let need = presolve::final_load(packing, items)[*dim as usize];
            let has = presolve::largest_bin(packing)[*dim as usize];
            let clash = Clash::Together(ResourceId(*dim), need, has);
            Conflict::of(clash, vec![cause(*at)], stay.map(vm_of).collect(), Vec::new())
        }
        Proof::Crowd(at, usable) => {
            let (items, most) = match &packing.relations[*at as usize].kind {
                RelationKind::AtMost { items, most, .. } => (items.as_slice(), u64::from(*most).max(1)),
                _ => (&[][..], 1),
            };
            let stay = items.iter().filter(|&&item| packing.items[item as usize].role != Role::Depart);
            let vms: Vec<VmId> = stay.map(vm_of).collect();
            let clash = match vms.len() as u64 {
                0 => Clash::Nowhere,
                count => Clash::Seats(count.div_ceil(most), u64::from(*usable)),
            };
            Conflict::of(clash, vec![cause(*at)], vms, Vec::new())
        }
        Proof::Nowhere(items) => {
            let vms: Vec<VmId> = items.iter().map(vm_of).collect();
            Conflict::of(Clash::Nowhere, Vec::new(), vms, Vec::new())
        }
        Proof::Late(least) => Conflict::of(Clash::Late(*least), Vec::new(), Vec::new(), Vec::new()),
        Proof::Overdue(item) => Conflict { vms: vec![vm_of(item)], ..Conflict::default() },
        Proof::Exhausted => Conflict::default(),
    }
}

/// What keeps VMs where they may be: fences, and the groups that they are held in.
fn fences(compiled: &Compiled, vms: &[VmId]) -> Vec<u32> {
    let packing = &compiled.problem.packing;
    let groups = vms.iter().flat_map(|vm| packing.relations_of(compiled.item_of[vm.index()])).filter_map(
        |&(at, _)| {
            let relation = &packing.relations[at as usize];
            let grouped =
                matches!(relation.kind, RelationKind::SameGroup { .. } | RelationKind::GroupsApart { .. });
            (grouped && relation.penalty.is_none()).then_some(relation.cause)
        },
    );
    let posted = compiled.posted.relations.iter().filter(|(relationship, cause)| {
        cause.penalty.is_none()
            && match relationship {
                Relationship::Within(members, _) | Relationship::Outside(members, _) => {
                    vms.iter().any(|vm| members.binary_search(vm).is_ok())
                }
                Relationship::Stay(other) => vms.contains(other),
                _ => false,
            }
    });
    posted.map(|(_, cause)| cause.constraint).chain(groups).collect()
}

//! Relations of items, as the search sees them.

use super::super::budget::Budget;
use super::super::budget::Scope;
use super::super::builder::Cause;
use super::super::builder::Relationship;
use super::Compiled;
use super::bits;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmSet;
use crate::problem::BitSet;
use crate::problem::NONE;
use crate::problem::Partition;
use crate::problem::Relation;
use crate::problem::RelationKind;
use crate::problem::Shares;
use rustc_hash::FxHashMap;
use rustc_hash::FxHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

struct Lowering<'a> {
    item_of: &'a [u32],
    bound: usize,
    partitions: Vec<Partition>,
    by_pointer: FxHashMap<(usize, usize), u32>,
}

impl Lowering<'_> {
    fn items(&self, vms: &VmSet) -> Vec<u32> {
        let mut items: Vec<u32> =
            vms.iter().map(|vm| self.item_of[vm.index()]).filter(|&item| item != NONE).collect();
        items.sort_unstable();
        items
    }

    fn parts(&self, parts: &Arc<[VmSet]>) -> Vec<(u32, u32)> {
        let mut items: Vec<(u32, u32)> = Vec::new();
        for (part, vms) in parts.iter().enumerate() {
            items.extend(self.items(vms).into_iter().map(|item| (item, part as u32)));
        }
        items.sort_unstable();
        items
    }

    fn partition(&mut self, groups: &Arc<[NodeSet]>) -> u32 {
        let key = (groups.as_ptr() as usize, groups.len());
        if let Some(&partition) = self.by_pointer.get(&key) {
            return partition;
        }
        let mut group_of = vec![NONE; self.bound];
        for (group, nodes) in groups.iter().enumerate() {
            for node in nodes.iter() {
                let entry = &mut group_of[node.index()];
                if *entry == NONE {
                    *entry = group as u32;
                }
            }
        }
        self.partitions.push(Partition { group_of, groups: groups.len() as u32 });
        let partition = self.partitions.len() as u32 - 1;
        self.by_pointer.insert(key, partition);
        partition
    }
}

/// Adds what constraints say about where items are together, apart and in which number.
pub(super) fn add_relations(instance: &Instance, compiled: &mut Compiled) {
    let mut lowering = Lowering {
        item_of: &compiled.item_of,
        bound: instance.node_count(),
        partitions: Vec::new(),
        by_pointer: FxHashMap::default(),
    };
    let bound = lowering.bound;
    let mut relations = Vec::new();
    let mut push = |kind: RelationKind, cause: &Cause| {
        relations.push(Relation {
            kind,
            continuous: cause.continuous,
            penalty: cause.penalty,
            cause: cause.constraint,
        });
    };
    for (relationship, cause) in &compiled.posted.relations {
        match relationship {
            Relationship::Within(vms, nodes) if cause.penalty.is_some() => {
                let mut bins = BitSet::full(bound);
                nodes.iter().for_each(|node| bins.remove(node.0));
                push(RelationKind::Avoid { items: lowering.items(vms), bins }, cause);
            }
            Relationship::Outside(vms, nodes) if cause.penalty.is_some() => {
                push(RelationKind::Avoid { items: lowering.items(vms), bins: bits(nodes, bound) }, cause);
            }
            Relationship::AtMostPerNode(vms, most) => {
                let items = lowering.items(vms);
                if items.len() > *most as usize {
                    push(RelationKind::AtMost { items, most: *most, partition: NONE }, cause);
                }
            }
            Relationship::AtMostPerGroup(vms, groups, most) => {
                let items = lowering.items(vms);
                let partition = lowering.partition(groups);
                if items.len() > *most as usize {
                    push(RelationKind::AtMost { items, most: *most, partition }, cause);
                }
            }
            Relationship::SameNode(vms) => {
                let items = lowering.items(vms);
                // On its way even a single member would hold two nodes.
                if items.len() > 1 || (cause.continuous && !items.is_empty()) {
                    push(RelationKind::SameGroup { items, partition: NONE }, cause);
                }
            }
            Relationship::SameGroup(vms, groups) => {
                let items = lowering.items(vms);
                let partition = lowering.partition(groups);
                if !items.is_empty() {
                    push(RelationKind::SameGroup { items, partition }, cause);
                }
            }
            Relationship::Apart(parts) => {
                let items = lowering.parts(parts);
                if items.len() > 1 {
                    push(RelationKind::Apart { items }, cause);
                }
            }
            Relationship::Exclusive(vms) => {
                let items = lowering.items(vms);
                if !items.is_empty() {
                    push(RelationKind::Exclusive { items }, cause);
                }
            }
            Relationship::GroupsApart(parts, groups) => {
                let items = lowering.parts(parts);
                let partition = lowering.partition(groups);
                if !items.is_empty() {
                    push(RelationKind::GroupsApart { items, partition }, cause);
                }
            }
            Relationship::LoadAtMost(nodes, resource, limit) => {
                // A single node's limit is its capacity already; at a price it is not.
                if !nodes.is_empty() && (nodes.len() > 1 || cause.penalty.is_some()) {
                    push(
                        RelationKind::Load { bins: bits(nodes, bound), dim: resource.0, limit: *limit },
                        cause,
                    );
                }
            }
            Relationship::CountAtMost(nodes, limit) if !nodes.is_empty() => {
                push(RelationKind::Count { bins: bits(nodes, bound), limit: *limit }, cause);
            }
            Relationship::PoweredAtMost(nodes, limit) if nodes.len() as u64 > *limit => {
                let bins = Shares::equal(bits(nodes, bound));
                push(RelationKind::Powered { bins, limit: *limit }, cause);
            }
            Relationship::Budget(budget) => {
                // What open bins take of it beside moves: see `transit`.
                if let Some((bins, limit)) = standing(budget, bound) {
                    let cause = Cause { continuous: false, ..*cause };
                    push(RelationKind::Powered { bins, limit }, &cause);
                }
            }
            Relationship::Survive { nodes, failures, mode } => {
                let bins = if nodes.is_empty() { BitSet::full(bound) } else { bits(nodes, bound) };
                if *failures > 0 {
                    push(RelationKind::Survive { bins, failures: *failures, mode: *mode }, cause);
                }
            }
            _ => {}
        }
    }
    let partitions = std::mem::take(&mut lowering.partitions);
    let packing = &mut compiled.problem.packing;
    packing.partitions = partitions;
    packing.relations = merge_equal(relations);
}

/// What nodes take of an amount while they are on, if it is shared and all of them take more: as
/// a number of nodes, where each takes as much as any other.
fn standing(budget: &Budget, bound: usize) -> Option<(Shares, u64)> {
    let rows = || budget.standing.iter().filter(|&&(_, taken)| taken > 0);
    let all = rows().map(|&(_, taken)| taken).fold(0, u64::saturating_add);
    if budget.scope == Scope::Each || all <= budget.most {
        return None;
    }
    let nodes: Vec<NodeId> = rows().map(|&(node, _)| node).collect();
    let (least, most) = rows().fold((u64::MAX, 0), |(a, b), &(_, taken)| (a.min(taken), b.max(taken)));
    let bins = bits(&nodes, bound);
    if least == most {
        return Some((Shares::equal(bins), budget.most / most));
    }
    let mut amounts = vec![0; bound];
    rows().for_each(|&(node, taken)| amounts[node.index()] = taken);
    Some((Shares::new(bins, amounts), budget.most))
}

/// Says a thing once that was said many times; prices of soft relations add up.
fn merge_equal(relations: Vec<Relation>) -> Vec<Relation> {
    let mut kept: Vec<Relation> = Vec::with_capacity(relations.len());
    let mut seen: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for relation in relations {
        let mut hasher = FxHasher::default();
        relation.kind.hash(&mut hasher);
        let same_hash = seen.entry(hasher.finish()).or_default();
        let equal = same_hash.iter().copied().find(|&at| {
            let other = &kept[at as usize];
            other.continuous == relation.continuous
                && other.penalty.is_some() == relation.penalty.is_some()
                && other.kind == relation.kind
        });
        match equal {
            Some(at) => {
                let other = &mut kept[at as usize];
                other.penalty = other.penalty.zip(relation.penalty).map(|(one, two)| one.saturating_add(two));
            }
            None => {
                same_hash.push(kept.len() as u32);
                kept.push(relation);
            }
        }
    }
    kept
}

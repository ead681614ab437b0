//! The continuous relations, by the VMs and nodes of the plan that they concern.

use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::ResourceId;
use crate::model::VmId;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The group of nodes that lie in no group.
pub(super) const OUTSIDE: u32 = u32::MAX;

/// What a relation has to do with a VM.
#[derive(Clone, Copy, Debug)]
pub(super) enum Membership {
    /// Counted on each node.
    PerNode,
    /// Counted in each group of this table.
    PerGroup(u32),
    /// All members on one node.
    SameNode,
    /// All members in one of the groups of this table.
    SameGroup(u32),
    /// Belongs to this part; parts share no node.
    Part(u32),
    /// Belongs to this part; each part in one of the groups of this table, no group shared.
    PartInGroup(u32, u32),
    /// No outsider on a node with a member.
    Exclusive,
}

/// What a relation has to do with a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sum {
    /// The load of the set in a resource.
    Load(ResourceId),
    /// The number of guests of the set.
    Count,
    /// The number of powered nodes of the set.
    Powered,
}

/// The continuous hard relations, by whom they concern. Only VMs and nodes of the plan
/// are listed: nobody else moves.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// (relation, what it has to do with the VM), in the order of the relations.
    pub(super) of_vm: FxHashMap<VmId, Vec<(u32, Membership)>>,
    /// Sums over sets of nodes that the node is in.
    pub(super) of_node: FxHashMap<NodeId, Vec<(u32, Sum)>>,
    /// Budgets that the node is in.
    pub(super) budgets_of: FxHashMap<NodeId, Vec<u32>>,
    /// Budgets of which the VM takes wherever it goes.
    pub(super) budgets_of_vm: FxHashMap<VmId, Vec<u32>>,
    /// `Exclusive` relations with a member on the node at some moment.
    pub(super) exclusive_on: FxHashMap<NodeId, Vec<u32>>,
    /// Members of `Exclusive` relations among the VMs of the plan.
    exclusive: FxHashSet<(u32, VmId)>,
    /// Group by node, one table for each list of groups.
    groups: Vec<FxHashMap<NodeId, u32>>,
    /// Is there one for which nothing better is known than one action after the other?
    pub(super) serial: bool,
}

impl Relations {
    /// Linear in the sizes of the sets that are spoken of.
    pub(super) fn of(instance: &Instance, posted: &Posted, actions: &[Action]) -> Self {
        let mut vms: FxHashSet<VmId> = FxHashSet::default();
        let mut nodes: FxHashSet<NodeId> = FxHashSet::default();
        let mut entered: FxHashMap<VmId, Vec<NodeId>> = FxHashMap::default();
        for action in actions {
            let kind = &action.kind;
            vms.extend(kind.vm());
            nodes.extend(kind.origin());
            nodes.extend(kind.destination());
            if let crate::model::ActionKind::BootNode { node }
            | crate::model::ActionKind::ShutdownNode { node }
            | crate::model::ActionKind::Allocate { node, .. } = *kind
            {
                nodes.insert(node);
            }
            if let (Some(vm), Some(to)) = (kind.vm(), kind.destination()) {
                entered.entry(vm).or_default().push(to);
            }
        }
        let mut relations = Self::default();
        let mut tables: FxHashMap<usize, u32> = FxHashMap::default();
        for (index, (relationship, cause)) in posted.relations.iter().enumerate() {
            if !cause.continuous || cause.penalty.is_some() {
                continue;
            }
            let index = index as u32;
            let join = |relations: &mut Self, members: &[VmId], membership: Membership| {
                for vm in members.iter().filter(|vm| vms.contains(vm)) {
                    let list = relations.of_vm.entry(*vm).or_default();
                    // Named twice, or in two parts: the first counts.
                    if list.last().is_none_or(|&(last, _)| last != index) {
                        list.push((index, membership));
                    }
                }
            };
            let sum = |relations: &mut Self, set: &[NodeId], sum: Sum| {
                for node in set.iter().filter(|node| nodes.contains(node)) {
                    let list = relations.of_node.entry(*node).or_default();
                    // A set may name a node twice; it counts once.
                    if list.last().is_none_or(|&(last, _)| last != index) {
                        list.push((index, sum));
                    }
                }
            };
            match relationship {
                Relationship::AtMostPerNode(members, _) => {
                    join(&mut relations, members, Membership::PerNode);
                }
                Relationship::AtMostPerGroup(members, groups, _) => {
                    let table = relations.table(groups, &mut tables);
                    join(&mut relations, members, Membership::PerGroup(table));
                }
                Relationship::SameNode(members) => join(&mut relations, members, Membership::SameNode),
                Relationship::SameGroup(members, groups) => {
                    let table = relations.table(groups, &mut tables);
                    join(&mut relations, members, Membership::SameGroup(table));
                }
                Relationship::Apart(parts) => {
                    for (part, members) in parts.iter().enumerate() {
                        join(&mut relations, members, Membership::Part(part as u32));
                    }
                }
                Relationship::GroupsApart(parts, groups) => {
                    let table = relations.table(groups, &mut tables);
                    for (part, members) in parts.iter().enumerate() {
                        join(&mut relations, members, Membership::PartInGroup(part as u32, table));
                    }
                }
                Relationship::Exclusive(members) => {
                    join(&mut relations, members, Membership::Exclusive);
                    for &vm in members.iter().filter(|vm| vm.index() < instance.vm_count()) {
                        if vms.contains(&vm) {
                            relations.exclusive.insert((index, vm));
                        }
                        let first = instance.place(vm).host().filter(|node| nodes.contains(node));
                        let later = entered.get(&vm).into_iter().flatten().copied();
                        for node in first.into_iter().chain(later) {
                            let list = relations.exclusive_on.entry(node).or_default();
                            if list.last() != Some(&index) {
                                list.push(index);
                            }
                        }
                    }
                }
                Relationship::LoadAtMost(set, resource, _) => {
                    if resource.index() < instance.resource_count() {
                        sum(&mut relations, set, Sum::Load(*resource));
                    }
                }
                Relationship::CountAtMost(set, _) => sum(&mut relations, set, Sum::Count),
                Relationship::PoweredAtMost(set, _) => sum(&mut relations, set, Sum::Powered),
                Relationship::Budget(budget) => {
                    for node in budget.nodes.iter().filter(|node| nodes.contains(node)) {
                        relations.budgets_of.entry(*node).or_default().push(index);
                    }
                    for (vm, _) in budget.everywhere.iter().filter(|(vm, _)| vms.contains(vm)) {
                        relations.budgets_of_vm.entry(*vm).or_default().push(index);
                    }
                }
                Relationship::Survive { .. } => relations.serial = true,
                // Where a VM may be at all does not depend on when.
                Relationship::Within(..)
                | Relationship::Outside(..)
                | Relationship::Stay(_)
                | Relationship::Sealed(_) => {}
                // Order and time: see `order`. Promises about time are no edges.
                Relationship::Sequence(_)
                | Relationship::NoDelay(_)
                | Relationship::Deadline(..)
                | Relationship::Precedence(..)
                | Relationship::Serialize(_)
                | Relationship::Sync(_) => {}
            }
        }
        relations
    }

    /// The index of the table of a list of groups; lists that are shared are read once.
    fn table(&mut self, groups: &Arc<[NodeSet]>, tables: &mut FxHashMap<usize, u32>) -> u32 {
        let key = Arc::as_ptr(groups).cast::<NodeSet>() as usize;
        *tables.entry(key).or_insert_with(|| {
            let mut table = FxHashMap::default();
            for (group, nodes) in groups.iter().enumerate() {
                for &node in nodes.iter() {
                    table.entry(node).or_insert(group as u32);
                }
            }
            self.groups.push(table);
            (self.groups.len() - 1) as u32
        })
    }

    /// The group of a node; [`OUTSIDE`] where it lies in none.
    pub(super) fn group(&self, table: u32, node: NodeId) -> u32 {
        self.groups.get(table as usize).and_then(|table| table.get(&node)).copied().unwrap_or(OUTSIDE)
    }

    /// Is the VM a member of an `Exclusive` relation?
    pub(super) fn is_exclusive(&self, relation: u32, vm: VmId) -> bool {
        self.exclusive.contains(&(relation, vm))
    }
}

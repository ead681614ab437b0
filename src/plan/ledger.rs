//! Accounts of units and rooms of classes, opened where the plan touches them.

use super::effect::Effects;
use super::relation::Membership;
use super::relation::OUTSIDE;
use super::relation::Relations;
use super::relation::Sum;
use super::room::Room;
use crate::compile::Budget;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::constraint::Restriction;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::Topology;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Units of one capacity or count, before the plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// Units that nobody holds.
    pub(super) free: u64,
    /// Units held beyond the limit.
    pub(super) deficit: u64,
}

impl Account {
    fn new(limit: u64, held: u64) -> Self {
        Self { free: limit.saturating_sub(held), deficit: held.saturating_sub(limit) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum AccountKey {
    /// A resource of a node.
    Node(NodeId, ResourceId),
    /// Members of a relation on a node.
    PerNode(u32, NodeId),
    /// Members of a relation in a group of nodes.
    PerGroup(u32, u32),
    /// A relation over a set of nodes.
    Set(u32),
    /// A channel of the network.
    Channel(u32),
    /// A budget of a node, or (`None`) of its whole set.
    Budget(u32, Option<NodeId>),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum RoomKey {
    /// Of the whole relation.
    Whole(u32),
    /// A node, for a relation.
    Node(u32, NodeId),
    /// A part of a relation: its classes are groups.
    Part(u32, u32),
    /// A group, for a relation: its classes are parts.
    Group(u32, u32),
}

/// A VM on a node.
pub(super) struct Stay<'a> {
    pub(super) vm: VmId,
    pub(super) node: NodeId,
    /// The node that it holds besides.
    pub(super) beside: Option<NodeId>,
    /// What it holds of each resource.
    pub(super) held: &'a [u64],
}

/// Everything that the actions of a plan take from and give back to.
pub(super) struct Ledger<'a> {
    instance: &'a Instance,
    posted: &'a Posted,
    relations: &'a Relations,
    /// Limits of nodes in transit, where they are not the capacity; `None` for no limit.
    limits: FxHashMap<(NodeId, ResourceId), Option<u64>>,
    /// The network, where migrations take bandwidth.
    topology: Option<Topology>,
    /// Load by node and resource, before the plan.
    load: Vec<u64>,
    /// Guests by node, before the plan.
    guests: Vec<u64>,
    /// By relation that counts per node: the nodes of its running members, sorted.
    hosts: FxHashMap<u32, Vec<NodeId>>,
    keys: FxHashMap<AccountKey, u32>,
    room_keys: FxHashMap<RoomKey, u32>,
    /// The accounts, by index.
    pub(super) accounts: Vec<Account>,
    /// The rooms, by index.
    pub(super) rooms: Vec<Room>,
}

impl<'a> Ledger<'a> {
    /// Reads the limits and the loads. Linear in the instance.
    pub(super) fn new(instance: &'a Instance, posted: &'a Posted, relations: &'a Relations) -> Self {
        let resources = instance.resource_count();
        let mut load = vec![0u64; instance.node_count() * resources];
        let mut guests = vec![0u64; instance.node_count()];
        for vm in instance.vm_ids() {
            let Some(host) = instance.place(vm).host() else { continue };
            guests[host.index()] += 1;
            for resource in instance.resource_ids() {
                let slot = &mut load[host.index() * resources + resource.index()];
                *slot = slot.saturating_add(instance.demand(vm, resource));
            }
        }
        Self {
            instance,
            posted,
            relations,
            limits: limits(instance),
            topology: instance.network().and_then(|network| Topology::new(network, instance).ok()),
            load,
            guests,
            hosts: FxHashMap::default(),
            keys: FxHashMap::default(),
            room_keys: FxHashMap::default(),
            accounts: Vec::new(),
            rooms: Vec::new(),
        }
    }

    fn load(&self, node: NodeId, resource: ResourceId) -> u64 {
        self.load[node.index() * self.instance.resource_count() + resource.index()]
    }

    fn open(&mut self, key: AccountKey, account: impl FnOnce(&mut Self) -> Account) -> u32 {
        if let Some(&index) = self.keys.get(&key) {
            return index;
        }
        let account = account(self);
        let index = self.accounts.len() as u32;
        self.accounts.push(account);
        self.keys.insert(key, index);
        index
    }

    fn room(&mut self, key: RoomKey) -> u32 {
        let rooms = &mut self.rooms;
        *self.room_keys.entry(key).or_insert_with(|| {
            rooms.push(Room::default());
            (rooms.len() - 1) as u32
        })
    }

    /// The account of a resource of a node; `None` where nothing limits it in transit.
    fn node_account(&mut self, node: NodeId, resource: ResourceId) -> Option<u32> {
        let limit = match self.limits.get(&(node, resource)) {
            Some(limit) => (*limit)?,
            None => self.instance.capacity(node, resource),
        };
        let key = AccountKey::Node(node, resource);
        Some(self.open(key, |ledger| Account::new(limit, ledger.load(node, resource))))
    }

    /// A migration takes bandwidth of every channel on its way, from its start to its end.
    pub(super) fn travel(&mut self, from: NodeId, to: NodeId, bandwidth: u64, effects: &mut Effects) {
        let Some(topology) = self.topology.as_ref().filter(|_| bandwidth > 0) else { return };
        let path = topology.path(from, to);
        let capacities: Vec<(u32, u64)> =
            path.channels.iter().map(|&channel| (channel, topology.channel(channel).1)).collect();
        for (channel, capacity) in capacities {
            let account = self.open(AccountKey::Channel(channel), |_| Account::new(capacity, 0));
            effects.takes.push((account, bandwidth));
            effects.gives.push((account, bandwidth));
        }
    }

    /// What the migration of a VM, or the clone that takes its place, takes of budgets.
    pub(super) fn spent(&mut self, vm: VmId, from: NodeId, to: NodeId) -> Vec<(u32, u64)> {
        let relations = self.relations;
        let of_node = |node| relations.budgets_of.get(&node).into_iter().flatten();
        let of_vm = relations.budgets_of_vm.get(&vm).into_iter().flatten();
        let mut concerned: Vec<u32> = of_node(from).chain(of_node(to)).chain(of_vm).copied().collect();
        concerned.sort_unstable();
        concerned.dedup();
        let mut units = Vec::new();
        for relation in concerned {
            let Some(budget) = self.budget(relation) else { continue };
            for (owner, cost) in budget.shares(vm, from, to) {
                units.push((self.budget_account(relation, budget, owner), cost));
            }
        }
        units
    }

    fn budget(&self, relation: u32) -> Option<&'a Budget> {
        match self.posted.relations.get(relation as usize)? {
            (Relationship::Budget(budget), _) => Some(budget),
            _ => None,
        }
    }

    fn budget_account(&mut self, relation: u32, budget: &Budget, owner: Option<NodeId>) -> u32 {
        self.open(AccountKey::Budget(relation, owner), |ledger| {
            let takes = |&(node, taken): &(NodeId, u64)| {
                let counts = owner.is_none_or(|owner| owner == node);
                if counts && ledger.instance.is_online(node) { taken } else { 0 }
            };
            let held = budget.standing.iter().map(takes).fold(0, u64::saturating_add);
            Account::new(budget.most, held)
        })
    }

    /// The account of the members of a relation on a node.
    fn per_node_account(&mut self, relation: u32, node: NodeId) -> Option<u32> {
        let posted = self.posted;
        let (Relationship::AtMostPerNode(members, most), _) = posted.relations.get(relation as usize)? else {
            return None;
        };
        Some(self.open(AccountKey::PerNode(relation, node), |ledger| {
            let instance = ledger.instance;
            let hosts = ledger.hosts.entry(relation).or_insert_with(|| {
                let mut members = members.to_vec();
                members.sort_unstable();
                members.dedup();
                members.retain(|vm| vm.index() < instance.vm_count());
                let mut hosts: Vec<NodeId> =
                    members.into_iter().filter_map(|vm| instance.place(vm).host()).collect();
                hosts.sort_unstable();
                hosts
            });
            let first = hosts.partition_point(|&other| other < node);
            let last = hosts.partition_point(|&other| other <= node);
            Account::new(u64::from(*most), (last - first) as u64)
        }))
    }

    /// The account of the members of a relation in a group of nodes.
    fn per_group_account(&mut self, relation: u32, table: u32, group: u32) -> Option<u32> {
        let posted = self.posted;
        let (Relationship::AtMostPerGroup(members, _, most), _) = posted.relations.get(relation as usize)?
        else {
            return None;
        };
        Some(self.open(AccountKey::PerGroup(relation, group), |ledger| {
            let mut members = members.to_vec();
            members.sort_unstable();
            members.dedup();
            let held = members
                .into_iter()
                .filter(|vm| vm.index() < ledger.instance.vm_count())
                .filter_map(|vm| ledger.instance.place(vm).host())
                .filter(|&host| ledger.relations.group(table, host) == group)
                .count();
            Account::new(u64::from(*most), held as u64)
        }))
    }

    /// The account of a relation over a set of nodes.
    fn set_account(&mut self, relation: u32) -> Option<u32> {
        let posted = self.posted;
        let (relationship, _) = posted.relations.get(relation as usize)?;
        let (nodes, most) = match relationship {
            Relationship::LoadAtMost(nodes, _, most)
            | Relationship::CountAtMost(nodes, most)
            | Relationship::PoweredAtMost(nodes, most) => (nodes, *most),
            _ => return None,
        };
        Some(self.open(AccountKey::Set(relation), |ledger| {
            let mut nodes = nodes.to_vec();
            nodes.sort_unstable();
            nodes.dedup();
            nodes.retain(|node| node.index() < ledger.instance.node_count());
            let held = nodes.iter().fold(0u64, |sum, &node| {
                sum.saturating_add(match relationship {
                    Relationship::LoadAtMost(_, resource, _) => ledger.load(node, *resource),
                    Relationship::CountAtMost(..) => ledger.guests[node.index()],
                    _ => u64::from(ledger.instance.is_online(node)),
                })
            });
            Account::new(most, held)
        }))
    }

    /// A VM comes to a node that it did not hold.
    pub(super) fn enter(&mut self, stay: &Stay<'_>, effects: &mut Effects) {
        self.account_for(stay, &mut effects.takes);
        self.rooms_for(stay, &mut effects.enters);
    }

    /// A VM goes from a node.
    pub(super) fn leave(&mut self, stay: &Stay<'_>, effects: &mut Effects) {
        self.account_for(stay, &mut effects.gives);
        self.rooms_for(stay, &mut effects.leaves);
    }

    fn account_for(&mut self, stay: &Stay<'_>, units: &mut Vec<(u32, u64)>) {
        let Stay { vm, node, beside, held } = *stay;
        let relations = self.relations;
        for (resource, &amount) in self.instance.resource_ids().zip(held) {
            if amount > 0
                && let Some(account) = self.node_account(node, resource)
            {
                units.push((account, amount));
            }
        }
        for &(relation, sum) in relations.of_node.get(&node).into_iter().flatten() {
            let amount = match sum {
                Sum::Load(resource) => held.get(resource.index()).copied().unwrap_or(0),
                Sum::Count => 1,
                Sum::Powered => 0,
            };
            if amount > 0
                && let Some(account) = self.set_account(relation)
            {
                units.push((account, amount));
            }
        }
        for &(relation, membership) in relations.of_vm.get(&vm).into_iter().flatten() {
            let account = match membership {
                Membership::PerNode => self.per_node_account(relation, node),
                Membership::PerGroup(table) => {
                    let group = relations.group(table, node);
                    // Within a group it counts once.
                    let counted = beside.is_some_and(|other| relations.group(table, other) == group);
                    if group == OUTSIDE || counted {
                        None
                    } else {
                        self.per_group_account(relation, table, group)
                    }
                }
                _ => None,
            };
            units.extend(account.map(|account| (account, 1)));
        }
    }

    fn rooms_for(&mut self, stay: &Stay<'_>, rooms: &mut Vec<(u32, u32)>) {
        let Stay { vm, node, .. } = *stay;
        let relations = self.relations;
        for &(relation, membership) in relations.of_vm.get(&vm).into_iter().flatten() {
            match membership {
                // Exclusive relations concern outsiders too: by node, below.
                Membership::PerNode | Membership::PerGroup(_) | Membership::Exclusive => {}
                Membership::SameNode => rooms.push((self.room(RoomKey::Whole(relation)), node.0)),
                Membership::SameGroup(table) => {
                    rooms.push((self.room(RoomKey::Whole(relation)), relations.group(table, node)));
                }
                Membership::Part(part) => rooms.push((self.room(RoomKey::Node(relation, node)), part)),
                Membership::PartInGroup(part, table) => {
                    let group = relations.group(table, node);
                    rooms.push((self.room(RoomKey::Part(relation, part)), group));
                    if group != OUTSIDE {
                        rooms.push((self.room(RoomKey::Group(relation, group)), part));
                    }
                }
            }
        }
        for &relation in relations.exclusive_on.get(&node).into_iter().flatten() {
            let class = u32::from(relations.is_exclusive(relation, vm));
            rooms.push((self.room(RoomKey::Node(relation, node)), class));
        }
    }

    /// A guest of a node gets another share of a resource.
    pub(super) fn allocate(
        &mut self,
        node: NodeId,
        resource: ResourceId,
        from: u64,
        to: u64,
        effects: &mut Effects,
    ) {
        let units = if to > from { &mut effects.takes } else { &mut effects.gives };
        let amount = to.abs_diff(from);
        if amount == 0 {
            return;
        }
        if let Some(account) = self.node_account(node, resource) {
            units.push((account, amount));
        }
        let relations = self.relations;
        for &(relation, sum) in relations.of_node.get(&node).into_iter().flatten() {
            if matches!(sum, Sum::Load(summed) if summed == resource)
                && let Some(account) = self.set_account(relation)
            {
                units.push((account, amount));
            }
        }
    }

    /// A node is switched on.
    pub(super) fn power_on(&mut self, node: NodeId, effects: &mut Effects) {
        self.power(node, &mut effects.takes);
    }

    /// A node is switched off.
    pub(super) fn power_off(&mut self, node: NodeId, effects: &mut Effects) {
        self.power(node, &mut effects.gives);
    }

    fn power(&mut self, node: NodeId, units: &mut Vec<(u32, u64)>) {
        let relations = self.relations;
        for &relation in relations.budgets_of.get(&node).into_iter().flatten() {
            if let Some(budget) = self.budget(relation)
                && budget.standing(node) > 0
            {
                let account = self.budget_account(relation, budget, budget.owner(node));
                units.push((account, budget.standing(node)));
            }
        }
        for &(relation, sum) in relations.of_node.get(&node).into_iter().flatten() {
            if let Sum::Powered = sum
                && let Some(account) = self.set_account(relation)
            {
                units.push((account, 1));
            }
        }
    }
}

/// The limits in transit that rules set in place of capacities. Of several continuous
/// ones the smallest counts; where all are discrete there is none before the end.
fn limits(instance: &Instance) -> FxHashMap<(NodeId, ResourceId), Option<u64>> {
    let mut limits: FxHashMap<(NodeId, ResourceId), Option<u64>> = FxHashMap::default();
    for constraint in instance.constraints() {
        if !constraint.is_hard() {
            continue;
        }
        let Some((node, resource, amount)) = constraint.rule.limit(instance) else { continue };
        let limit = limits.entry((node, resource)).or_default();
        if constraint.restriction == Restriction::Continuous {
            *limit = Some(limit.map_or(amount, |other| other.min(amount)));
        }
    }
    limits
}

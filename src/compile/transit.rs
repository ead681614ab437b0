//! The network, and amounts that migrations share, as the search sees them.

mod tolls;

use super::Budget;
use super::Compiled;
use super::Direction;
use super::Relationship;
use super::Scope;
use super::lower::Refusal;
use super::lower::reinstantiation;
use crate::model::Cargo;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Path;
use crate::model::SharedModel;
use crate::model::Topology;
use crate::model::VmId;
use crate::problem::BitSet;
use crate::problem::Item;
use crate::problem::NONE;
use crate::problem::PARTS;
use crate::problem::Passage;
use crate::problem::Role;
use crate::problem::Toll;
use crate::problem::Transit;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::sync::Mutex;

/// Ways between nodes that are kept once found.
const MOST_KEPT: usize = 1 << 16;

/// The network, if there is one, and the budgets.
#[derive(Debug)]
struct Ways {
    links: Option<Links>,
    accounts: Accounts,
    /// Of the channels of the network, then of the budgets.
    capacities: Vec<u64>,
    vm_of: Vec<VmId>,
    /// By item: seconds of a move where there is no network.
    legs: Vec<u32>,
}

#[derive(Debug)]
struct Links {
    topology: Topology,
    /// May migrations be done at a part of their rate …
    shares: bool,
    /// … or at least those of these items, which have to end together?
    synced: BitSet,
    /// The different capacities of channels of the network, ascending, as far as a migration
    /// may use them: each way is as wide as one of them.
    widths: Vec<u64>,
    /// By node: the widest way out of it, and into it.
    widest: Vec<u64>,
    model: SharedModel,
    /// By item; none for items that never travel.
    cargo: Vec<Option<Cargo>>,
    /// Only to be faster: what is kept does not change any answer.
    kept: Mutex<FxHashMap<(u32, u32), Arc<Path>>>,
}

impl Links {
    fn path(&self, from: u32, to: u32) -> Arc<Path> {
        let kept = self.kept.lock().ok().and_then(|kept| kept.get(&(from, to)).cloned());
        if let Some(path) = kept {
            return path;
        }
        let path = Arc::new(self.topology.path(NodeId(from), NodeId(to)));
        if let Ok(mut kept) = self.kept.lock()
            && kept.len() < MOST_KEPT
        {
            kept.insert((from, to), path.clone());
        }
        path
    }

    fn passage(&self, item: u32, from: u32, to: u32, part: u64) -> Option<Passage> {
        let cargo = self.cargo.get(item as usize)?.as_ref()?;
        let path = self.path(from, to);
        let rate = path.bandwidth.min(cargo.most) / part;
        // A time that is given is that of the whole rate.
        if rate == 0 || (part > 1 && cargo.is_fixed()) {
            return None;
        }
        let flow = cargo.flow(self.model.get(), rate).ok()?;
        let uses = path.channels.iter().map(|&channel| (channel, rate)).collect();
        Some(Passage { seconds: flow.seconds, bandwidth: rate, uses })
    }

    /// The channels of the ways among these bins.
    fn among(&self, bins: &BitSet, budget: &mut u64) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        // In a tree the ways to and from one of them cover those among all.
        let centres = if self.topology.is_tree() { 1 } else { usize::MAX };
        for from in bins.iter().take(centres) {
            for to in bins.iter().filter(|&to| to != from) {
                *budget = budget.checked_sub(2)?;
                found.extend_from_slice(&self.path(from, to).channels);
                found.extend_from_slice(&self.path(to, from).channels);
            }
            found.sort_unstable();
            found.dedup();
        }
        Some(found)
    }

    /// The parts of their largest rates at which migrations may be done.
    fn parts(&self) -> &'static [u64] {
        if self.shares || !self.synced.is_empty() { &PARTS } else { &PARTS[..1] }
    }

    /// The parts of its largest rates at which an item may move.
    fn parts_of(&self, item: u32) -> &'static [u64] {
        if self.shares || self.synced.contains(item) { &PARTS } else { &PARTS[..1] }
    }

    /// May a migration out of (`out`) or into a node take this channel of the network?
    fn may_take(&self, channel: u32, node: u32, out: bool) -> bool {
        channel as usize >= self.topology.channel_count()
            || self.topology.may_take(channel, NodeId(node), out)
    }
}

/// The budgets, each with its first channel: one for each of its nodes, or one.
#[derive(Debug, Default)]
struct Accounts {
    budgets: Vec<(Arc<Budget>, u32)>,
    /// By node: the budgets that it is in.
    of_node: Vec<Vec<u32>>,
    /// By VM: the budgets of which it takes wherever it goes.
    of_vm: FxHashMap<VmId, Vec<u32>>,
    /// By node: what it takes of which channels while it is on.
    standing: Vec<Vec<(u32, u64)>>,
}

impl Accounts {
    /// The continuous hard budgets; their channels come after those that there are.
    fn of(instance: &Instance, compiled: &Compiled, capacities: &mut Vec<u64>) -> Self {
        let mut accounts = Self::default();
        for (relationship, cause) in &compiled.posted.relations {
            let Relationship::Budget(budget) = relationship else { continue };
            let concerns_none = budget.nodes.is_empty() && budget.everywhere.is_empty();
            if cause.penalty.is_some() || !cause.continuous || concerns_none {
                continue;
            }
            // What all nodes and VMs take together is no limit to any of them.
            let moves = compiled.vm_of.iter().map(|&vm| budget.cost(vm));
            let all = moves.chain(budget.standing.iter().map(|taken| taken.1)).fold(0, u64::saturating_add);
            if all <= budget.most {
                continue;
            }
            accounts.of_node.resize(instance.node_count(), Vec::new());
            accounts.standing.resize(instance.node_count(), Vec::new());
            let (at, first) = (accounts.budgets.len() as u32, capacities.len() as u32);
            for &node in budget.nodes.iter() {
                accounts.of_node[node.index()].push(at);
            }
            for &(vm, _) in budget.everywhere.iter() {
                accounts.of_vm.entry(vm).or_default().push(at);
            }
            for &(node, taken) in budget.standing.iter().filter(|&&(_, taken)| taken > 0) {
                let channel = first + owner_at(budget, budget.owner(node));
                accounts.standing[node.index()].push((channel, taken));
            }
            let owners = match budget.scope {
                Scope::Each => budget.nodes.len(),
                Scope::Together => 1,
            };
            capacities.resize(capacities.len() + owners, budget.most);
            accounts.budgets.push((budget.clone(), first));
        }
        accounts
    }

    /// The budgets of which moving a VM may take, each once.
    fn concerned(&self, vm: VmId, from: u32, to: u32) -> impl Iterator<Item = (&Budget, u32)> {
        let of_node = |node: u32| self.of_node.get(node as usize).map_or(&[][..], Vec::as_slice);
        let of_vm = self.of_vm.get(&vm).map_or(&[][..], Vec::as_slice);
        let (of_from, of_to) = (of_node(from), of_node(to));
        let of_to_alone = of_to.iter().filter(|at| !of_from.contains(at));
        let of_vm = of_vm.iter().filter(move |at| !of_from.contains(at) && !of_to.contains(at));
        of_from.iter().chain(of_to_alone).chain(of_vm).map(|&at| {
            let (budget, first) = &self.budgets[at as usize];
            (&**budget, *first)
        })
    }

    /// The channels of budgets that moves of these VMs among these nodes may take.
    fn among(&self, vms: &[VmId], nodes: &BitSet) -> Vec<u32> {
        let mut found = Vec::new();
        let mut counts: FxHashMap<u32, bool> = FxHashMap::default();
        for node in nodes.iter() {
            for &at in self.of_node.get(node as usize).into_iter().flatten() {
                let (budget, first) = &self.budgets[at as usize];
                if *counts.entry(at).or_insert_with(|| vms.iter().any(|&vm| budget.cost(vm) > 0)) {
                    found.push(first + owner_at(budget, budget.owner(NodeId(node))));
                }
            }
        }
        for at in vms.iter().flat_map(|vm| self.of_vm.get(vm).into_iter().flatten()) {
            found.push(self.budgets[*at as usize].1);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Adds what moving a VM takes; `None` where it takes more than there is.
    fn add(&self, vm: VmId, from: u32, to: u32, uses: &mut Vec<(u32, u64)>) -> Option<()> {
        let known = uses.len();
        for (budget, first) in self.concerned(vm, from, to) {
            for (owner, cost) in budget.shares(vm, NodeId(from), NodeId(to)) {
                if cost > budget.most {
                    return None;
                }
                uses.push((first + owner_at(budget, owner), cost));
            }
        }
        uses[known..].sort_unstable();
        Some(())
    }

    /// Can the item not migrate away from where it is, wherever it would go?
    fn pins(&self, vm: VmId, item: &Item) -> bool {
        if item.source == NONE || self.budgets.is_empty() {
            return false;
        }
        // To a node that no budget knows.
        self.concerned(vm, item.source, NONE).any(|(budget, _)| {
            let mut shares = budget.shares(vm, NodeId(item.source), NodeId(NONE));
            shares.any(|(_, cost)| cost > budget.most)
        })
    }
}

/// Where an owner stands among the channels of a budget.
fn owner_at(budget: &Budget, owner: Option<NodeId>) -> u32 {
    owner.and_then(|node| budget.nodes.binary_search(&node).ok()).unwrap_or(0) as u32
}

impl Transit for Ways {
    fn capacities(&self) -> &[u64] {
        &self.capacities
    }

    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage> {
        let mut passage = match &self.links {
            Some(links) => links.passage(item, from, to, 1)?,
            None => {
                let seconds = self.legs[item as usize];
                Passage { seconds, ..Passage::default() }
            }
        };
        self.accounts.add(self.vm_of[item as usize], from, to, &mut passage.uses)?;
        Some(passage)
    }

    fn parts(&self) -> &[u64] {
        self.links.as_ref().map_or(&PARTS[..1], Links::parts)
    }

    fn slower(&self, item: u32, from: u32, to: u32, part: u64) -> Option<Passage> {
        let links = self.links.as_ref().filter(|links| links.parts_of(item).contains(&part))?;
        let mut passage = links.passage(item, from, to, part)?;
        self.accounts.add(self.vm_of[item as usize], from, to, &mut passage.uses)?;
        Some(passage)
    }

    fn tolls(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        self.unavoidable(item, from, to)
    }

    fn comes_from(&self, channel: u32, bin: u32) -> bool {
        self.links.as_ref().is_none_or(|links| links.may_take(channel, bin, true))
    }

    fn leads_to(&self, channel: u32, bin: u32) -> bool {
        self.links.as_ref().is_none_or(|links| links.may_take(channel, bin, false))
    }

    fn copy(&self, item: u32, from: u32, to: u32) -> Option<Vec<(u32, u64)>> {
        let mut uses = Vec::new();
        self.accounts.add(self.vm_of[item as usize], from, to, &mut uses)?;
        Some(uses)
    }

    fn among(&self, items: &[u32], bins: &BitSet, budget: &mut u64) -> Option<Vec<u32>> {
        let vms: Vec<VmId> = items.iter().map(|&item| self.vm_of[item as usize]).collect();
        let mut found = self.accounts.among(&vms, bins);
        if let Some(links) = &self.links {
            found.extend(links.among(bins, budget)?);
        }
        Some(found)
    }

    fn standing(&self, bin: u32) -> &[(u32, u64)] {
        self.accounts.standing.get(bin as usize).map_or(&[], Vec::as_slice)
    }

    fn is_far(&self) -> bool {
        self.links.is_some()
    }
}

/// Adds the network and the budgets, if there are any, and makes the least time that each
/// item may travel its duration: what bounds go by.
///
/// # Errors
/// A network that cannot be used, a VM that may travel and does not say what it needs, an
/// amount that is none.
pub(super) fn add_transit(
    instance: &Instance,
    tied: &FxHashSet<VmId>,
    compiled: &mut Compiled,
) -> Result<(), Refusal> {
    instance.check_figures().map_err(|error| Refusal::Input(error.to_string()))?;
    let mut capacities = Vec::new();
    let links = add_links(instance, tied, compiled, &mut capacities)?;
    let accounts = Accounts::of(instance, compiled, &mut capacities);
    if links.is_none() && accounts.budgets.is_empty() {
        return Ok(());
    }
    let items = &mut compiled.problem.packing.items;
    for (item, &vm) in items.iter_mut().zip(&compiled.vm_of) {
        item.pinned |= item.lead == 0 && accounts.pins(vm, item);
    }
    let legs = items.iter().map(|item| item.leg).collect();
    let vm_of = compiled.vm_of.clone();
    let ways = Ways { links, accounts, capacities, vm_of, legs };
    compiled.problem.project.transit = Some(Arc::new(ways));
    Ok(())
}

/// Takes from the bins that items may go to those that they can never move into, since that
/// takes more of a budget than there is.
pub(super) fn shut_domains(compiled: &mut Compiled) {
    let budgets = compiled.posted.relations.iter().filter_map(|(relationship, cause)| match relationship {
        Relationship::Budget(budget) if cause.continuous && cause.penalty.is_none() => Some(budget.clone()),
        _ => None,
    });
    let mut budgets: Vec<Arc<Budget>> = budgets.collect();
    budgets.retain(|budget| budget.direction != Direction::Out);
    let packing = &mut compiled.problem.packing;
    let mut known: FxHashMap<(u32, u32, Vec<usize>, bool), u32> = FxHashMap::default();
    for (item, &vm) in packing.items.iter_mut().zip(&compiled.vm_of) {
        if item.role == Role::Arrive || item.lead > 0 {
            continue;
        }
        let dear = (0..budgets.len()).filter(|&at| budgets[at].cost(vm) > budgets[at].most);
        let dear: Vec<usize> = dear.collect();
        if dear.is_empty() {
            continue;
        }
        let everywhere = dear.iter().any(|&at| budgets[at].is_everywhere(vm));
        for domain in [&mut item.domain, &mut item.route] {
            let key = (*domain, item.source, dear.clone(), everywhere);
            *domain = *known.entry(key).or_insert_with(|| {
                let mut bins = packing.domains[*domain as usize].clone();
                let nodes = dear.iter().flat_map(|&at| budgets[at].nodes.iter()).map(|node| node.0);
                let all = if everywhere { 0..packing.bins.len() as u32 } else { 0..0 };
                nodes.chain(all).filter(|&bin| bin != item.source).for_each(|bin| bins.remove(bin));
                packing.domains.push(bins);
                packing.domains.len() as u32 - 1
            });
        }
    }
}

fn add_links(
    instance: &Instance,
    tied: &FxHashSet<VmId>,
    compiled: &mut Compiled,
    capacities: &mut Vec<u64>,
) -> Result<Option<Links>, Refusal> {
    let Some(network) = instance.network() else { return Ok(None) };
    let topology = Topology::new(network, instance).map_err(|error| Refusal::Input(error.to_string()))?;
    // The widest way out of each node: nothing leaves it faster, or comes to it.
    let mut widest = vec![0u64; instance.node_count()];
    for (at, link) in (0u32..).zip(&network.links) {
        if let crate::model::Endpoint::Node(node) = link.end {
            widest[node.index()] = widest[node.index()].max(network.usable(at));
        }
    }
    let model = instance.migration_model().clone();
    let per_migration = network.allowance.per_migration.unwrap_or(u64::MAX);
    // What is told to stay needs nothing to travel.
    let stays = compiled.posted.relations.iter().filter_map(|(what, _)| match what {
        Relationship::Stay(vm) => Some(*vm),
        _ => None,
    });
    let stays: FxHashSet<VmId> = stays.collect();
    let packing = &mut compiled.problem.packing;
    let mut cargo = Vec::with_capacity(packing.items.len());
    for (item, row) in packing.items.iter_mut().enumerate() {
        let may_move = !row.pinned && !stays.contains(&compiled.vm_of[item]);
        let travels = matches!(row.role, Role::Stay | Role::Depart) && may_move;
        if !travels {
            cargo.push(None);
            continue;
        }
        let found =
            Cargo::of(instance, compiled.vm_of[item]).map_err(|error| Refusal::Input(error.to_string()))?;
        let rate = widest[row.source as usize].min(found.most).min(per_migration);
        let leg = found.least(model.get(), rate);
        (row.lead, row.hold) = (0, leg.unwrap_or(row.hold));
        // It is made again elsewhere where that is no slower; and it stays where it writes
        // faster than its node can send.
        let again = reinstantiation(instance, tied, compiled.vm_of[item], leg.unwrap_or(u32::MAX))
            .map_err(|error| Refusal::Input(error.to_string()))?;
        if let Some((lead, hold)) = again.filter(|_| row.role == Role::Stay) {
            (row.lead, row.hold) = (lead, hold);
        }
        match leg {
            Ok(leg) => {
                row.leg = leg;
                cargo.push(Some(found));
            }
            Err(_) => {
                row.pinned |= row.lead == 0;
                cargo.push(None);
            }
        }
    }
    let usable: Vec<u64> = (0..topology.channel_count() as u32).map(|at| topology.channel(at).1).collect();
    let mut widths: Vec<u64> = usable.iter().map(|&width| width.min(per_migration)).collect();
    widths.sort_unstable();
    widths.dedup();
    capacities.extend(usable);
    widest.iter_mut().for_each(|width| *width = (*width).min(per_migration));
    let mut synced = BitSet::empty(compiled.vm_of.len());
    for (relationship, _) in &compiled.posted.relations {
        if let Relationship::Sync(vms) = relationship {
            let items = vms.iter().map(|vm| compiled.item_of[vm.index()]);
            items.filter(|&item| item != NONE).for_each(|item| synced.insert(item));
        }
    }
    let shares = network.allowance.sharing;
    Ok(Some(Links { topology, widths, widest, shares, synced, model, cargo, kept: Mutex::default() }))
}

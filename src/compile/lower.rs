//! From what the constraints said to items, bins, relations and tasks.

mod orders;
mod relations;

use super::builder::Builder;
use super::builder::Posted;
use super::builder::Relationship;
use super::transit::add_transit;
use super::transit::shut_domains;
use crate::model::DurationError;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Timed;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmState;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::problem::Bin;
use crate::problem::BitSet;
use crate::problem::Extra;
use crate::problem::Item;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Power;
use crate::problem::Problem;
use crate::problem::Role;
use orders::add_orders;
use relations::add_relations;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// What a task without a place does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraAction {
    /// Forge the VM.
    Forge(VmId),
    /// Kill the VM, which is ready or sleeping.
    Kill(VmId),
}

/// A problem, and how its items lead back to the VMs. Bins are nodes, one to one.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The problem.
    pub problem: Problem,
    /// The VM of each item.
    pub vm_of: Vec<VmId>,
    /// The item of each VM, or [`NONE`].
    pub item_of: Vec<u32>,
    /// What each task without a place does.
    pub extras: Vec<ExtraAction>,
    /// What the constraints said.
    pub posted: Posted,
    /// The state in which each VM ends.
    pub wanted: Vec<VmState>,
    /// For each VM of [`Compiled::vm_of`] that changes its state: the constraint that asks for it.
    pub state_cause: FxHashMap<VmId, u32>,
    /// For each node with a wanted state: the constraint that asks for it.
    pub node_cause: Vec<u32>,
}

/// Why there is no problem to solve.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The instance is not well formed.
    Input(String),
    /// Wanted states that contradict each other, or cannot be reached: no plan.
    Conflict(Box<Conflict>),
}

impl From<DurationError> for Refusal {
    fn from(error: DurationError) -> Self {
        Refusal::Input(error.to_string())
    }
}

fn refused(conflict: Conflict) -> Refusal {
    Refusal::Conflict(Box::new(conflict))
}

/// Compiles an instance. O(size of the instance).
///
/// # Errors
/// See [`Refusal`].
pub fn compile(instance: &Instance) -> Result<Compiled, Refusal> {
    let posted = Builder::post_all(instance);
    let (wanted, state_cause) = wanted_states(instance, &posted)?;
    let mut compiled = Compiled {
        problem: Problem::default(),
        vm_of: Vec::new(),
        item_of: vec![NONE; instance.vm_count()],
        extras: Vec::new(),
        posted,
        wanted: Vec::new(),
        state_cause,
        node_cause: vec![NONE; instance.node_count()],
    };
    add_bins(instance, &mut compiled)?;
    let mut extra_of = FxHashMap::default();
    let tied = tied(&compiled.posted);
    add_items(instance, (&wanted, &tied), &mut compiled, &mut extra_of)?;
    add_transit(instance, &tied, &mut compiled)?;
    add_power(instance, &mut compiled);
    add_sizes(instance, &mut compiled)?;
    add_domains(instance, &mut compiled);
    shut_domains(&mut compiled);
    add_relations(instance, &mut compiled);
    add_orders(instance, &wanted, &mut compiled, &extra_of);
    compiled.problem.packing.index_relations();
    compiled.wanted = wanted;
    Ok(compiled)
}

type Wanted = (Vec<VmState>, FxHashMap<VmId, u32>);

fn wanted_states(instance: &Instance, posted: &Posted) -> Result<Wanted, Refusal> {
    let mut wanted: Vec<VmState> = instance.vm_ids().map(|vm| instance.place(vm).state()).collect();
    let mut cause: FxHashMap<VmId, u32> = FxHashMap::default();
    for &(vm, state, from) in &posted.states {
        if let Some(&earlier) = cause.get(&vm)
            && wanted[vm.index()] != state
        {
            return Err(refused(Conflict::of(
                Clash::VmStates(wanted[vm.index()], state),
                vec![earlier, from.constraint],
                vec![vm],
                Vec::new(),
            )));
        }
        wanted[vm.index()] = state;
        cause.entry(vm).or_insert(from.constraint);
    }
    for vm in instance.vm_ids() {
        let Some(&constraint) = cause.get(&vm) else { continue };
        let now = instance.place(vm).state();
        let then = wanted[vm.index()];
        if !is_reachable(now, then) {
            return Err(refused(Conflict::of(
                Clash::Unreachable(now, then),
                vec![constraint],
                vec![vm],
                Vec::new(),
            )));
        }
    }
    Ok((wanted, cause))
}

/// VMs whose relocation is tied to a moment: those migrate, since a copy that is made
/// elsewhere has two steps.
fn tied(posted: &Posted) -> FxHashSet<VmId> {
    let members = posted.relations.iter().flat_map(|(relationship, _)| match relationship {
        Relationship::NoDelay(vm) => std::slice::from_ref(vm),
        Relationship::Sync(vms) if vms.len() > 1 => &vms[..],
        _ => &[],
    });
    members.copied().collect()
}

/// Seconds before a copy of the VM that is made elsewhere boots, and that the VM holds its node
/// from then on, where that is to be done since moving it takes no less than to make the copy.
pub(super) fn reinstantiation(
    instance: &Instance,
    tied: &FxHashSet<VmId>,
    vm: VmId,
    leg: u32,
) -> Result<Option<(u32, u32)>, DurationError> {
    if !instance.can_reinstantiate(vm) || tied.contains(&vm) {
        return Ok(None);
    }
    let forge = instance.vm_duration(Timed::Forge, vm)?;
    if forge > leg {
        return Ok(None);
    }
    Ok(Some((forge, forge.max(instance.clone_boot_duration(vm)?))))
}

/// Does a single action lead from one state of a VM to another, or none have to?
pub fn is_reachable(now: VmState, then: VmState) -> bool {
    use VmState::*;
    now == then
        || matches!(
            (now, then),
            (Init, Ready)
                | (Ready, Running | Killed)
                | (Running, Ready | Sleeping | Killed)
                | (Sleeping, Running | Killed)
        )
}

fn add_bins(instance: &Instance, compiled: &mut Compiled) -> Result<(), Refusal> {
    let mut later = vec![Later::Free; instance.node_count()];
    for &(node, online, from) in &compiled.posted.nodes {
        let wanted = if online { Later::Open } else { Later::Closed };
        let entry = &mut later[node.index()];
        if *entry != Later::Free && *entry != wanted {
            return Err(refused(Conflict::of(
                Clash::NodeStates,
                vec![compiled.node_cause[node.index()], from.constraint],
                Vec::new(),
                vec![node],
            )));
        }
        if *entry == Later::Free {
            *entry = wanted;
            compiled.node_cause[node.index()] = from.constraint;
        }
    }
    let packing = &mut compiled.problem.packing;
    packing.anchored = vec![false; instance.node_count()];
    for node in instance.node_ids() {
        packing.bins.push(Bin {
            open: instance.is_online(node),
            later: later[node.index()],
            opening: instance.node_duration(Timed::BootNode, node)?,
            closing: instance.node_duration(Timed::ShutdownNode, node)?,
        });
    }
    Ok(())
}

fn add_items(
    instance: &Instance,
    (wanted, tied): (&[VmState], &FxHashSet<VmId>),
    compiled: &mut Compiled,
    extra_of: &mut FxHashMap<VmId, u32>,
) -> Result<(), Refusal> {
    let attributes = instance.vms().attributes();
    for vm in instance.vm_ids() {
        let then = wanted[vm.index()];
        let place = instance.place(vm);
        let mut item = Item {
            source: NONE,
            role: Role::Stay,
            pinned: false,
            domain: 0,
            route: 0,
            lead: 0,
            hold: 1,
            leg: 1,
            duration: 1,
            anchor: NONE,
            image: false,
        };
        match (place, then) {
            (Place::Running(node), VmState::Running) => {
                item.source = node.0;
                item.leg = instance.vm_duration(Timed::Migrate, vm)?;
                item.hold = item.leg;
                if let Some((lead, hold)) = reinstantiation(instance, tied, vm, item.leg)? {
                    (item.lead, item.hold) = (lead, hold);
                }
            }
            (Place::Running(node), state) => {
                item.source = node.0;
                item.role = Role::Depart;
                let kind = match state {
                    VmState::Sleeping => {
                        item.image = true;
                        Timed::Suspend
                    }
                    VmState::Killed => Timed::Kill,
                    _ => Timed::Shutdown,
                };
                item.duration = instance.vm_duration(kind, vm)?;
                item.leg = instance.vm_duration(Timed::Migrate, vm)?;
                item.hold = item.leg;
            }
            (Place::Ready, VmState::Running) => {
                item.role = Role::Arrive;
                item.duration = instance.vm_duration(Timed::Boot, vm)?;
                item.leg = instance.vm_duration(Timed::Migrate, vm)?;
                item.hold = item.leg;
            }
            (Place::Sleeping(node), VmState::Running) => {
                item.role = Role::Arrive;
                item.duration = instance.vm_duration(Timed::Resume, vm)?;
                item.leg = instance.vm_duration(Timed::Migrate, vm)?;
                item.hold = item.leg;
                item.anchor = node.0;
            }
            (Place::Init, VmState::Ready) => {
                if attributes.get(vm.index(), "template").and_then(Value::as_text).is_none() {
                    return Err(Refusal::Input(format!(
                        "VM {} cannot be forged: it has no attribute `template`",
                        instance.vm_name(vm)
                    )));
                }
                extra_of.insert(vm, compiled.extras.len() as u32);
                compiled.extras.push(ExtraAction::Forge(vm));
                compiled
                    .problem
                    .project
                    .extras
                    .push(Extra { duration: instance.vm_duration(Timed::Forge, vm)?, anchor: NONE });
                continue;
            }
            (Place::Ready | Place::Sleeping(_), VmState::Killed) => {
                extra_of.insert(vm, compiled.extras.len() as u32);
                compiled.extras.push(ExtraAction::Kill(vm));
                let anchor = place.node().map_or(NONE, |node| node.0);
                compiled
                    .problem
                    .project
                    .extras
                    .push(Extra { duration: instance.vm_duration(Timed::Kill, vm)?, anchor });
                continue;
            }
            (Place::Sleeping(node), _) => {
                // No item: only the image matters, and it keeps the node on.
                let bin = &mut compiled.problem.packing.bins[node.index()];
                if bin.later == Later::Closed {
                    return Err(refused(Conflict::of(
                        Clash::Image,
                        vec![compiled.node_cause[node.index()]]
                            .into_iter()
                            .chain(compiled.state_cause.get(&vm).copied())
                            .collect(),
                        vec![vm],
                        vec![node],
                    )));
                }
                bin.later = Later::Open;
                compiled.problem.packing.anchored[node.index()] = true;
                continue;
            }
            _ => continue,
        }
        compiled.item_of[vm.index()] = compiled.problem.packing.items.len() as u32;
        compiled.problem.packing.items.push(item);
        compiled.vm_of.push(vm);
    }
    Ok(())
}

/// What nodes and migrations draw, where any do.
fn add_power(instance: &Instance, compiled: &mut Compiled) {
    let some =
        |amounts: Vec<u64>| if amounts.iter().any(|&amount| amount > 0) { amounts } else { Vec::new() };
    compiled.problem.project.power = Power {
        bins: some(instance.node_ids().map(|node| instance.node_power(node)).collect()),
        moves: some(compiled.vm_of.iter().map(|&vm| instance.migration_energy(vm)).collect()),
    };
}

fn add_sizes(instance: &Instance, compiled: &mut Compiled) -> Result<(), Refusal> {
    let dims = instance.resource_count();
    let packing = &mut compiled.problem.packing;
    packing.dims = dims;
    packing.size_now = Vec::with_capacity(dims * packing.items.len());
    for &vm in &compiled.vm_of {
        packing.size_now.extend(instance.resource_ids().map(|resource| instance.demand(vm, resource)));
    }
    packing.size_then = packing.size_now.clone();
    for &(vm, resource, amount, _) in &compiled.posted.demands {
        let item = compiled.item_of[vm.index()];
        if item != NONE && packing.items[item as usize].role != Role::Depart {
            let size = &mut packing.size_then[item as usize * dims + resource.index()];
            *size = (*size).max(amount);
        }
    }
    for resource in instance.resource_ids() {
        let mut sum = 0u64;
        for item in 0..packing.items.len() {
            sum = match sum.checked_add(packing.size_then[item * dims + resource.index()]) {
                Some(sum) if sum <= 1 << 61 => sum,
                _ => {
                    return Err(Refusal::Input(format!(
                        "the amounts of resource `{}` that are asked for add up to more than 2^61",
                        instance.resource_name(resource)
                    )));
                }
            };
        }
    }
    packing.capacity_then = Vec::with_capacity(dims * packing.bins.len());
    for node in instance.node_ids() {
        packing
            .capacity_then
            .extend(instance.resource_ids().map(|resource| instance.capacity(node, resource)));
    }
    packing.capacity_now = packing.capacity_then.clone();
    // An overbooked node: the smallest limit counts at the end; before the end only
    // continuous ones do, and where all are discrete nothing does.
    let mut seen: FxHashMap<usize, (u64, u64)> = FxHashMap::default();
    for &(node, resource, amount, cause) in &compiled.posted.overbooks {
        let entry = seen.entry(node.index() * dims + resource.index()).or_insert((u64::MAX, u64::MAX));
        entry.0 = entry.0.min(amount);
        if cause.continuous {
            entry.1 = entry.1.min(amount);
        }
    }
    for (at, (then, now)) in seen {
        packing.capacity_then[at] = then;
        packing.capacity_now[at] = now;
    }
    packing.capacity_own = packing.capacity_then.clone();
    for (relationship, cause) in &compiled.posted.relations {
        if let (Relationship::LoadAtMost(nodes, resource, amount), None) = (relationship, cause.penalty)
            && let [node] = nodes[..]
        {
            let at = node.index() * dims + resource.index();
            packing.capacity_then[at] = packing.capacity_then[at].min(*amount);
            if cause.continuous {
                packing.capacity_now[at] = packing.capacity_now[at].min(*amount);
            }
        }
    }
    Ok(())
}

fn bits(nodes: &[NodeId], bound: usize) -> BitSet {
    let mut set = BitSet::empty(bound);
    for node in nodes {
        set.insert(node.0);
    }
    set
}

/// What was said of an item: inside or outside, at every moment or at the end, which set.
type Said = Vec<(bool, bool, usize)>;

/// Folds all fences, bans and seals of an item into two sets of bins, shared by all
/// items of which the same was said.
fn add_domains(instance: &Instance, compiled: &mut Compiled) {
    let bound = instance.node_count();
    let packing = &mut compiled.problem.packing;
    let full = BitSet::full(bound);
    let mut open_route = full.clone();
    // By item: indices of the relations that restrict it.
    let mut said: Vec<(u32, u32)> = Vec::new();
    for (at, (relationship, cause)) in compiled.posted.relations.iter().enumerate() {
        match relationship {
            Relationship::Within(vms, _) | Relationship::Outside(vms, _) if cause.penalty.is_none() => {
                for vm in vms.iter() {
                    let item = compiled.item_of[vm.index()];
                    if item != NONE {
                        said.push((item, at as u32));
                    }
                }
            }
            Relationship::Stay(vm) => {
                if let Some(item) = packing.items.get_mut(compiled.item_of[vm.index()] as usize) {
                    item.pinned = true;
                }
            }
            Relationship::Sealed(node) => open_route.remove(node.0),
            _ => {}
        }
    }
    packing.domains = vec![full.clone()];
    let mut class_of: FxHashMap<BitSet, u32> = FxHashMap::default();
    class_of.insert(full.clone(), 0);
    let mut class = |domains: &mut Vec<BitSet>, set: BitSet| -> u32 {
        *class_of.entry(set).or_insert_with_key(|set| {
            domains.push(set.clone());
            domains.len() as u32 - 1
        })
    };
    let plain_route = class(&mut packing.domains, open_route.clone());
    for item in &mut packing.items {
        item.route = plain_route;
        if item.source != NONE && !open_route.contains(item.source) {
            item.pinned = true;
        }
        if item.anchor != NONE && !open_route.contains(item.anchor) {
            // What sleeps on a sealed node may wake up there.
            let mut route = open_route.clone();
            route.insert(item.anchor);
            item.route = class(&mut packing.domains, route);
        }
    }
    said.sort_unstable();
    let mut cache: FxHashMap<Said, (BitSet, BitSet)> = FxHashMap::default();
    for row in said.chunk_by(|a, b| a.0 == b.0) {
        let mut key: Said = Vec::with_capacity(row.len());
        for &(_, at) in row {
            let (relationship, cause) = &compiled.posted.relations[at as usize];
            match relationship {
                Relationship::Within(_, nodes) => key.push((true, cause.continuous, nodes.as_ptr() as usize)),
                Relationship::Outside(_, nodes) => {
                    key.push((false, cause.continuous, nodes.as_ptr() as usize))
                }
                _ => {}
            }
        }
        let (domain, route) = cache.entry(key).or_insert_with(|| {
            let (mut domain, mut route) = (full.clone(), full.clone());
            for &(_, at) in row {
                let (relationship, cause) = &compiled.posted.relations[at as usize];
                let (nodes, inside) = match relationship {
                    Relationship::Within(_, nodes) => (nodes, true),
                    Relationship::Outside(_, nodes) => (nodes, false),
                    _ => continue,
                };
                let mut set = bits(nodes, bound);
                if !inside {
                    let mut rest = full.clone();
                    set.iter().for_each(|bin| rest.remove(bin));
                    set = rest;
                }
                domain.intersect(&set);
                if cause.continuous {
                    route.intersect(&set);
                }
            }
            (domain, route)
        });
        let item = row[0].0 as usize;
        let mut domain = domain.clone();
        domain.intersect(&packing.domains[packing.items[item].domain as usize]);
        let mut route = route.clone();
        route.intersect(&packing.domains[packing.items[item].route as usize]);
        packing.items[item].domain = class(&mut packing.domains, domain);
        packing.items[item].route = class(&mut packing.domains, route);
    }
}

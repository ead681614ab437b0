//! What would help: the cheapest changes after which there is a plan.
//!
//! For each conflict every member is tried: a rule is dropped, softened or given more, a
//! node that rules keep off is on, a node gets the least capacity that suffices (by bisection), the horizon is moved, a VM
//! sleeps through the plan or is left out; one whose migration never ends gets wider links, or
//! goes otherwise. Where there are several conflicts, each is looked
//! at as if the others were gone, and a way out has a change for each of them. Whatever is
//! suggested was planned with, by the whole planner and its checker.
//!
//! The cost of a change says what is tried first and shown first:
//!
//! | change | cost |
//! |---|---|
//! | a later horizon | 1 |
//! | a VM is suspended, and resumed at the end | 2 |
//! | a larger limit of a rule | 3 |
//! | more capacity on a node | 4, and 1 for each tenth of what it has |
//! | wider links | 4, and 1 for each of them |
//! | a VM is post-copied | 4 |
//! | a rule becomes soft | 5 |
//! | a VM stands still while it migrates | 5 |
//! | a node is on that rules keep off: it boots, or stays on | 6 |
//! | a rule is dropped | 7 |
//! | a VM does not run | 9 |

use super::question::Kept;
use super::question::Oracle;
use super::quickxplain::Verdict;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::Strength;
use crate::constraint::online::Online;
use crate::constraint::running::Running;
use crate::constraint::sleeping::Sleeping;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::ResourceId;
use crate::model::Value;
use crate::model::VmId;
use crate::outcome::Conflict;
use crate::outcome::Member;
use crate::outcome::Options;
use crate::solve;

/// Ways out that are shown.
const MOST_WAYS: usize = 8;

/// Members of a kind that are tried for a conflict.
const MOST_TRIED: usize = 12;

/// The price of a broken rule where it is made soft: more than any plan has moves.
const PRICE: u32 = 1_000_000;

/// A change to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The plan may take until this moment, in seconds.
    Horizon(u64),
    /// The VM is suspended first and resumed when everything else is done.
    Suspend(VmId),
    /// The amount of the constraint at this index becomes so much, instead of.
    Raise(u32, u64, u64),
    /// The node offers so much of the resource, instead of.
    Capacity(NodeId, ResourceId, u64, u64),
    /// The constraint at this index becomes soft.
    Soften(u32),
    /// The node is on at the end, and no rule keeps it off.
    PowerOn(NodeId),
    /// The constraint at this index is dropped.
    Drop(u32),
    /// The VM does not run.
    LeaveOut(VmId),
    /// Each of these links, by index, has so many Mbit/s in each direction.
    Widen(Vec<u32>, u64),
    /// The VM may be post-copied (attribute `postCopy`).
    PostCopy(VmId),
    /// The VM may stand still while it migrates (attribute `coldMigration`).
    Cold(VmId),
}

/// How many tenths more that is.
fn tenths(to: u64, from: u64) -> u64 {
    u64::try_from((u128::from(to - from.min(to)) * 10).div_ceil(u128::from(from.max(1))))
        .unwrap_or(u64::MAX)
        .min(1_000)
}

impl Change {
    /// See the table of the module.
    pub fn cost(&self) -> u64 {
        match *self {
            // Links have no capacity here that could be compared.
            Change::Widen(ref links, _) => 4 + links.len() as u64,
            Change::PostCopy(_) => 4,
            Change::Cold(_) => 5,
            Change::Horizon(_) => 1,
            Change::Suspend(_) => 2,
            Change::Raise(..) => 3,
            Change::Capacity(_, _, to, from) => 4 + tenths(to, from),
            Change::Soften(_) => 5,
            Change::PowerOn(_) => 6,
            Change::Drop(_) => 7,
            Change::LeaveOut(_) => 9,
        }
    }
}

/// Changes after which there is a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// One for each conflict.
    pub changes: Vec<Change>,
    /// The sum of their costs.
    pub cost: u64,
    /// Relocations of the plan that was found with them.
    pub relocations: u64,
}

/// An instance after some changes, and its horizon. ([`Change::Suspend`] changes the plan,
/// not the instance.)
pub fn changed(instance: &Instance, horizon: Option<u64>, changes: &[Change]) -> (Instance, Option<u64>) {
    let mut new = instance.clone();
    let mut until = horizon;
    let mut dropped: Vec<u32> = Vec::new();
    let mut powered: Vec<Constraint> = Vec::new();
    for change in changes {
        match *change {
            Change::Horizon(later) => until = Some(later),
            Change::Suspend(_) => {}
            Change::Raise(index, to, _) => {
                if let Some(raised) = raised(&new.constraints[index as usize], to) {
                    new.constraints[index as usize] = raised;
                }
            }
            Change::Capacity(node, resource, to, _) => {
                new.resources[resource.index()].capacity[node.index()] = to;
            }
            Change::Soften(index) => new.constraints[index as usize].strength = Strength::Soft(PRICE),
            Change::PowerOn(node) => {
                let rules = (0u32..).zip(&new.constraints);
                dropped.extend(rules.filter(|(_, one)| kept_off(one) == Some(node)).map(|(at, _)| at));
                powered.push(Constraint::new(Online { node }));
            }
            Change::Widen(ref links, capacity) => {
                let network = new.network.iter_mut().flat_map(|network| &mut network.links);
                let wider = (0u32..).zip(network).filter(|(at, _)| links.contains(at));
                wider.for_each(|(_, link)| link.capacity = link.capacity.max(capacity));
            }
            Change::PostCopy(vm) => new.vms.attributes.set(vm.index(), "postCopy", Value::Bool(true)),
            Change::Cold(vm) => new.vms.attributes.set(vm.index(), "coldMigration", Value::Bool(true)),
            Change::Drop(index) => dropped.push(index),
            Change::LeaveOut(vm) => {
                new.places[vm.index()] = Place::Ready;
                let wants = new
                    .constraints
                    .iter()
                    .enumerate()
                    .filter(|(_, one)| one.rule.wants().is_some_and(|(other, _)| other == vm));
                dropped.extend(wants.map(|(at, _)| at as u32));
            }
        }
    }
    let mut at = 0;
    new.constraints.retain(|_| {
        at += 1;
        !dropped.contains(&(at - 1))
    });
    new.constraints.extend(powered);
    (new, until)
}

/// The node that a constraint wants to be off.
fn kept_off(constraint: &Constraint) -> Option<NodeId> {
    match constraint.rule.arguments().as_slice() {
        [Argument::Node(node)] if constraint.rule.signature().name == "offline" => Some(*node),
        _ => None,
    }
}

/// The constraint with another amount.
fn raised(constraint: &Constraint, amount: u64) -> Option<Constraint> {
    let signature = constraint.rule.signature();
    let mut arguments = constraint.rule.arguments();
    let last = arguments.iter_mut().rev().find(|argument| matches!(argument, Argument::Amount(_)))?;
    *last = Argument::Amount(amount);
    Constraint::from_parts(signature, arguments, Some(constraint.restriction), constraint.strength).ok()
}

/// Rules whose amount is no number of VMs or nodes.
const BUDGETS: [&str; 4] = ["datastoreBudget", "maxMigrations", "migrationBudget", "powerCap"];

/// The amount of a constraint of which more allows more.
fn limit(constraint: &Constraint) -> Option<u64> {
    let limits = ["atMost", "maxOnline", "resourceCapacity", "runningCapacity"];
    let name = constraint.rule.signature().name;
    (limits.contains(&name) || BUDGETS.contains(&name)).then_some(())?;
    constraint.rule.arguments().iter().rev().find_map(|argument| match argument {
        Argument::Amount(amount) => Some(*amount),
        _ => None,
    })
}

/// The instance after a plan: who is where, what is on, who holds what.
pub(super) fn after(instance: &Instance, plan: &Plan) -> Instance {
    use ActionKind::*;
    let mut end = instance.clone();
    let mut order: Vec<usize> = (0..plan.actions.len()).collect();
    order.sort_by_key(|&at| plan.actions[at].end);
    for at in order {
        let action = &plan.actions[at];
        match action.kind {
            Migrate { vm, to, .. }
            | BootClone { vm, to, .. }
            | Resume { vm, to, .. }
            | Boot { vm, node: to } => {
                end.places[vm.index()] = Place::Running(to);
            }
            Shutdown { vm, .. } | Forge { vm } => end.places[vm.index()] = Place::Ready,
            Suspend { vm, node } => end.places[vm.index()] = Place::Sleeping(node),
            Kill { vm, .. } => end.places[vm.index()] = Place::Killed,
            Allocate { vm, resource, amount, .. } => {
                end.resources[resource.index()].demand[vm.index()] = amount
            }
            BootNode { node } => end.online[node.index()] = true,
            ShutdownNode { node } => end.online[node.index()] = false,
            ForgeClone { .. } | ShutdownOriginal { .. } => {}
        }
        if let Some(vm) = action.kind.vm() {
            for &(resource, amount) in &action.allocations {
                end.resources[resource.index()].demand[vm.index()] = amount;
            }
        }
    }
    end
}

/// Two instances in turn: in the first the VM is suspended and everything else happens; in
/// the second, which starts where the plan of the first ends, it is resumed. `None` where
/// there is no such plan, or none was found. The relocations of both.
pub fn suspended(instance: &Instance, vm: VmId, options: &Options) -> Option<u64> {
    instance.place(vm).host()?;
    let mut first = instance.clone();
    first.constraints.retain(|one| one.rule.wants().is_none_or(|(other, _)| other != vm));
    first.constraints.push(Constraint::new(Sleeping { vm }));
    let one = solve::any_plan(&first, options).ok()?;
    let mut second = after(instance, one.plan.as_ref()?);
    second.constraints.push(Constraint::new(Running { vm }));
    let two = solve::any_plan(&second, options).ok()?;
    two.plan.as_ref()?;
    Some(one.metrics.relocations + two.metrics.relocations)
}

/// Ways out of conflicts: changes that settle all of them at once, and one change for each.
pub(super) fn out(oracle: &mut Oracle<'_>, conflicts: &[Conflict]) -> Vec<WayOut> {
    let instance = oracle.instance;
    let mut ways: Vec<Vec<Change>> = Vec::new();
    let mut options: Vec<Vec<Vec<Change>>> = Vec::new();
    for (at, conflict) in conflicts.iter().enumerate() {
        let mut kept = Kept::all(instance);
        ways.extend(changes(oracle, &kept, conflict).into_iter().map(|change| vec![change]));
        if conflicts.len() == 1 {
            break;
        }
        for (_, other) in conflicts.iter().enumerate().filter(|(other, _)| *other != at) {
            super::leave_out(instance, &mut kept, other);
        }
        let mut found: Vec<Vec<Change>> =
            changes(oracle, &kept, conflict).into_iter().map(|change| vec![change]).collect();
        if found.is_empty() {
            found.extend(several(oracle, &kept, conflict));
        }
        options.push(found);
    }
    if let ([conflict], true) = (conflicts, ways.is_empty()) {
        ways.extend(several(oracle, &Kept::all(instance), conflict));
    }
    let best: Option<Vec<Vec<Change>>> = options.iter().map(|changes| changes.first().cloned()).collect();
    for (at, changes) in options.iter().enumerate() {
        for change in changes {
            let Some(mut way) = best.clone() else { break };
            way[at].clone_from(change);
            ways.push(way.concat());
        }
    }
    let cost = |way: &[Change]| way.iter().map(Change::cost).fold(0, u64::saturating_add);
    ways.sort_by_key(|way| cost(way));
    let mut found: Vec<WayOut> = Vec::new();
    for changes in ways {
        if found.len() >= MOST_WAYS || oracle.stop().is_some() {
            break;
        }
        // One that does more than another that is enough.
        if found.iter().any(|way| way.changes.iter().all(|change| changes.contains(change))) {
            continue;
        }
        if let Some(relocations) = verified(oracle, &changes) {
            found.push(WayOut { cost: cost(&changes), changes, relocations });
        }
    }
    found
}

/// Where no single change is enough: more of every resource on one node, or rules of the
/// conflict that are given up together, as few as was found by leaving them out one by one.
fn several(oracle: &mut Oracle<'_>, kept: &Kept, conflict: &Conflict) -> Vec<Vec<Change>> {
    let instance = oracle.instance;
    let mut found = Vec::new();
    let nodes = conflict.members.iter().find_map(|member| match member {
        Member::Capacity(nodes, _) => nodes.first().copied(),
        _ => None,
    });
    found.extend(nodes.and_then(|node| enlarged(oracle, kept, node)));
    let mut all: Vec<Change> =
        conflict.constraints().map(|index| give_up(&instance.constraints()[index as usize], index)).collect();
    if all.len() < 2 || !help(oracle, kept, &all) {
        return found;
    }
    let mut at = 0;
    while at < all.len() && all.len() > 1 {
        let mut less = all.clone();
        less.remove(at);
        if help(oracle, kept, &less) {
            all = less;
        } else {
            at += 1;
        }
    }
    found.push(all);
    found.sort_by_key(|way| way.iter().map(Change::cost).fold(0, u64::saturating_add));
    found
}

/// More of every resource on a node, each the least beside the others.
fn enlarged(oracle: &mut Oracle<'_>, kept: &Kept, node: NodeId) -> Option<Vec<Change>> {
    let instance = oracle.instance;
    let amounts = |resource: ResourceId| (most_load(instance, resource), instance.capacity(node, resource));
    let mut all: Vec<(ResourceId, u64, u64)> = instance
        .resource_ids()
        .map(|resource| {
            let (most, now) = amounts(resource);
            (resource, most.max(now), now)
        })
        .collect();
    let changes = |all: &[(ResourceId, u64, u64)]| -> Vec<Change> {
        let grows = all.iter().filter(|(_, to, now)| to > now);
        grows.map(|&(resource, to, now)| Change::Capacity(node, resource, to, now)).collect()
    };
    if all.len() < 2 || !help(oracle, kept, &changes(&all)) {
        return None;
    }
    for at in 0..all.len() {
        let (_, mut high, mut low) = all[at];
        let mut try_with = |amount: u64, all: &mut Vec<(ResourceId, u64, u64)>| {
            all[at].1 = amount;
            help(oracle, kept, &changes(all))
        };
        if try_with(low, &mut all) {
            continue;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if try_with(middle, &mut all) {
                high = middle;
            } else {
                low = middle;
            }
        }
        all[at].1 = high;
    }
    Some(changes(&all))
}

/// A rule made soft, or dropped where it cannot be; one that keeps a node off goes with all
/// others that do.
fn give_up(constraint: &Constraint, index: u32) -> Change {
    if let Some(node) = kept_off(constraint) {
        Change::PowerOn(node)
    } else if constraint.rule.signature().may_be_soft && constraint.is_hard() {
        Change::Soften(index)
    } else {
        Change::Drop(index)
    }
}

/// Plans with the changes, and has the plan checked.
fn verified(oracle: &mut Oracle<'_>, changes: &[Change]) -> Option<u64> {
    let (instance, horizon) = changed(oracle.instance, oracle.options().horizon, changes);
    let options = oracle.options_for(horizon);
    let asleep: Vec<VmId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Suspend(vm) => Some(*vm),
            _ => None,
        })
        .collect();
    oracle.questions += 1;
    match asleep[..] {
        [] => {
            let outcome = solve::any_plan(&instance, &options).ok()?;
            oracle.steps += outcome.steps.max(1);
            outcome.plan.is_some().then_some(outcome.metrics.relocations)
        }
        [vm] => suspended(&instance, vm, &options),
        _ => None,
    }
}

/// The changes to members of a conflict after which a part has a plan, the cheapest first.
fn changes(oracle: &mut Oracle<'_>, kept: &Kept, conflict: &Conflict) -> Vec<Change> {
    let instance = oracle.instance;
    let mut found: Vec<Change> = Vec::new();
    let mut tried = [0usize; 6];
    for member in &conflict.members {
        let kind = match member {
            Member::Horizon(_) => 0,
            Member::Place(_) => 1,
            Member::Constraint(_) => 2,
            Member::Capacity(..) => 3,
            Member::Vm(_) => 4,
            Member::Network => 5,
        };
        tried[kind] += 1;
        if tried[kind] > MOST_TRIED {
            continue;
        }
        match member {
            Member::Horizon(until) => found.extend(later(oracle, kept, *until)),
            Member::Place(vm) => found.push(Change::Suspend(*vm)),
            Member::Constraint(index) => {
                let constraint = &instance.constraints()[*index as usize];
                if let Some(now) = limit(constraint) {
                    let most = most_amount(instance, constraint);
                    let raise = |amount| Change::Raise(*index, amount, now);
                    found.extend(least(oracle, kept, now, most, raise));
                }
                let change = give_up(constraint, *index);
                found.extend(Some(change).filter(|change| helps(oracle, kept, change)));
            }
            Member::Capacity(nodes, resource) => {
                // Nodes that are alike need the same: one of each size, the smallest last.
                let mut sizes: Vec<(std::cmp::Reverse<u64>, NodeId)> = nodes
                    .iter()
                    .map(|&node| (std::cmp::Reverse(instance.capacity(node, *resource)), node))
                    .collect();
                sizes.sort_unstable();
                if nodes.len() > 1 {
                    sizes.dedup_by_key(|(size, _)| *size);
                }
                for &(_, node) in sizes.iter().take(3) {
                    let now = instance.capacity(node, *resource);
                    let most = most_load(instance, *resource);
                    let grow = |amount| Change::Capacity(node, *resource, amount, now);
                    found.extend(least(oracle, kept, now, most, grow));
                }
            }
            Member::Network => found.extend(otherwise(oracle, kept, conflict)),
            Member::Vm(vm) => found.extend(
                Some(Change::LeaveOut(*vm))
                    .filter(|_| instance.place(*vm).host().is_some())
                    .filter(|change| helps(oracle, kept, change)),
            ),
        }
    }
    found.sort_by_key(Change::cost);
    found
}

/// Other ways to migrate for the VMs of a conflict whose migrations never end: wider links,
/// post-copy, or standing still.
fn otherwise(oracle: &mut Oracle<'_>, kept: &Kept, conflict: &Conflict) -> Vec<Change> {
    let instance = oracle.instance;
    let vms = conflict.members.iter().filter_map(|member| match member {
        Member::Vm(vm) | Member::Place(vm) => Some(*vm),
        _ => None,
    });
    let mut vms: Vec<VmId> = vms.collect();
    vms.sort_unstable();
    vms.dedup();
    // Where rules of the conflict speak of nodes, those.
    let mut named: Vec<NodeId> = Vec::new();
    for index in conflict.constraints() {
        for argument in instance.constraints()[index as usize].rule.arguments() {
            argument.for_each_node(|node| named.push(node));
        }
    }
    named.sort_unstable();
    named.dedup();
    if named.is_empty() {
        named = instance.node_ids().collect();
    }
    let mut candidates: Vec<Change> = Vec::new();
    for vm in vms {
        let endless = super::stuck(instance, vm);
        if !endless.iter().any(|why| matches!(why, super::Stuck::Endless(..))) {
            continue;
        }
        let wider = named.iter().filter_map(|&to| super::stuck::too_narrow(instance, vm, to));
        candidates.extend(wider.take(MOST_TRIED).map(|(links, capacity)| Change::Widen(links, capacity)));
        candidates.extend([Change::PostCopy(vm), Change::Cold(vm)]);
    }
    let mut found: Vec<Change> = Vec::new();
    for change in candidates {
        if !found.contains(&change) && helps(oracle, kept, &change) {
            found.push(change);
        }
    }
    found
}

/// More than this no VM can take together.
fn most_load(instance: &Instance, resource: ResourceId) -> u64 {
    let asked = instance.constraints().iter().filter_map(|one| match one.rule.arguments().as_slice() {
        [Argument::Vm(_), Argument::Resource(what), Argument::Amount(amount)] if *what == resource => {
            Some(*amount)
        }
        _ => None,
    });
    let now = instance.vm_ids().map(|vm| instance.demand(vm, resource));
    now.chain(asked).fold(0u64, u64::saturating_add).min(1 << 60)
}

/// An amount of a limit that forbids nothing any more.
fn most_amount(instance: &Instance, constraint: &Constraint) -> u64 {
    match constraint.rule.arguments().as_slice() {
        [_, Argument::Resource(resource), _] => most_load(instance, *resource),
        _ if BUDGETS.contains(&constraint.rule.signature().name) => 1 << 40,
        _ => instance.vm_count().max(instance.node_count()) as u64,
    }
}

/// Is there a plan for the part with this change?
fn helps(oracle: &mut Oracle<'_>, kept: &Kept, change: &Change) -> bool {
    help(oracle, kept, std::slice::from_ref(change))
}

/// Is there a plan for the part with these changes?
fn help(oracle: &mut Oracle<'_>, kept: &Kept, changes: &[Change]) -> bool {
    // Constraints have other indices in the part.
    let original = kept.original(oracle.instance);
    let here = |index: u32| original.binary_search(&index).ok().map(|at| at as u32);
    let own = |change: &Change| match change {
        Change::Raise(index, to, from) => here(*index).map(|at| Change::Raise(at, *to, *from)),
        Change::Soften(index) => here(*index).map(Change::Soften),
        Change::Drop(index) => here(*index).map(Change::Drop),
        other => Some(other.clone()),
    };
    let Some(changes) = changes.iter().map(own).collect::<Option<Vec<Change>>>() else { return false };
    let horizon = oracle.options().horizon.filter(|_| kept.horizon);
    let (part, horizon) = changed(&kept.instance(oracle.instance), horizon, &changes);
    oracle.ask_instance(&part, horizon).verdict == Verdict::Possible
}

/// The change with the least amount above `now` that helps, if `most` does.
fn least(
    oracle: &mut Oracle<'_>,
    kept: &Kept,
    now: u64,
    most: u64,
    change: impl Fn(u64) -> Change,
) -> Option<Change> {
    if most <= now || !helps(oracle, kept, &change(most)) {
        return None;
    }
    // `low` does not help, `high` does.
    let (mut low, mut high) = (now, most);
    // Small additions first: what is missing is mostly little.
    let mut step = 1;
    while step < high - low {
        if helps(oracle, kept, &change(low + step)) {
            high = low + step;
            break;
        }
        low += step;
        step = step.saturating_mul(2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if helps(oracle, kept, &change(middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(change(high))
}

/// The earliest horizon that was found to suffice.
fn later(oracle: &mut Oracle<'_>, kept: &Kept, until: u64) -> Option<Change> {
    let free = Kept { horizon: false, ..kept.clone() };
    let options = oracle.options_for(None);
    let outcome = solve::any_plan(&free.instance(oracle.instance), &options).ok()?;
    oracle.steps += outcome.steps.max(1);
    let end = outcome.plan?.makespan();
    if end <= until {
        return None;
    }
    let mut high = end;
    let mut low = until;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if helps(oracle, kept, &Change::Horizon(middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(Change::Horizon(high))
}

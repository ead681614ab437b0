//! Why a plan is as it is: why a VM goes where it goes and nowhere else, what an action
//! waits for, why there is no better plan.

use super::action::End;
use super::action::Fences;
use crate::compile;
use crate::compile::Budget;
use crate::compile::Compiled;
use crate::compile::Posted;
use crate::compile::Refusal;
use crate::compile::Relationship;
use crate::constraint::Constraint;
use crate::constraint::fence::Fence;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Channel;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::ResourceId;
use crate::model::Roads;
use crate::model::VmId;
use crate::outcome::Conflict;
use crate::outcome::Lack;
use crate::outcome::Options;
use crate::outcome::Outcome;
use crate::outcome::PlanError;
use crate::outcome::Status;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Role;
use crate::propagator::Block;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::search;
use crate::search::presolve;
use crate::solve::solve;

/// Why a VM is not on a node at the end of a plan.
#[derive(Clone, Debug)]
pub struct WhyNot {
    /// What it lacks there beside all others where they end: the first resource or rule.
    pub lack: Option<Lack>,
    /// What it would take.
    pub instead: Instead,
}

/// What it would take to have a VM on a node.
#[derive(Clone, Debug)]
pub enum Instead {
    /// It is there.
    Already,
    /// No plan ends so: why. The last constraint of the conflict, which the instance does
    /// not have, is the wish.
    Never(Box<Conflict>),
    /// A plan that ends so: its relocations and its end, those of the present one.
    Plan([u64; 2], [u64; 2]),
    /// None was found, and no proof that there is none.
    Unknown,
}

/// Why does a plan not put a VM on a node, and what would it cost? Plans once more, with
/// that wish as a rule.
///
/// # Errors
/// When the instance cannot be planned for as it stands.
pub fn why_not(
    instance: &Instance,
    outcome: &Outcome,
    vm: VmId,
    node: NodeId,
    options: &Options,
) -> Result<WhyNot, PlanError> {
    let none = Plan::default();
    let plan = outcome.plan.as_ref().unwrap_or(&none);
    let lack = compiled(instance)?.and_then(|compiled| lack(&compiled, plan, vm, node));
    if host_after(instance, plan, vm) == Some(node) {
        return Ok(WhyNot { lack: None, instead: Instead::Already });
    }
    let wish = with_wish(instance, vm, node);
    let other = solve(&wish, options)?;
    let instead = match other.status {
        Status::Optimal | Status::Feasible => {
            let figures = |outcome: &Outcome| [outcome.metrics.relocations, outcome.metrics.makespan];
            Instead::Plan(figures(&other), figures(outcome))
        }
        Status::Unknown => Instead::Unknown,
        Status::Infeasible => {
            let found = super::smallest(&wish, options).or(other.conflict);
            found.map_or(Instead::Unknown, |conflict| Instead::Never(Box::new(conflict)))
        }
    };
    Ok(WhyNot { lack, instead })
}

/// The instance with one constraint more: that a VM ends on a node.
pub fn with_wish(instance: &Instance, vm: VmId, node: NodeId) -> Instance {
    let mut wish = instance.clone();
    wish.constraints.push(Constraint::new(Fence { vm, nodes: [node].into() }));
    wish
}

fn compiled(instance: &Instance) -> Result<Option<Compiled>, PlanError> {
    match compile::compile(instance) {
        Ok(mut compiled) => {
            search::tighten::tighten(&mut compiled.problem.packing);
            Ok(Some(compiled))
        }
        Err(Refusal::Conflict(_)) => Ok(None),
        Err(Refusal::Input(message)) => Err(PlanError::Input(message)),
    }
}

/// Where a VM runs after a plan.
pub fn host_after(instance: &Instance, plan: &Plan, vm: VmId) -> Option<NodeId> {
    super::way::after(instance, plan).place(vm).host()
}

fn lack(compiled: &Compiled, plan: &Plan, vm: VmId, node: NodeId) -> Option<Lack> {
    let packing = &compiled.problem.packing;
    let item = compiled.item_of[vm.index()];
    if item == NONE || packing.items[item as usize].role == Role::Depart {
        return None;
    }
    let fenced = compiled.posted.relations.iter().find(|(relationship, cause)| {
        cause.penalty.is_none()
            && match relationship {
                Relationship::Within(vms, nodes) => {
                    vms.binary_search(&vm).is_ok() && nodes.binary_search(&node).is_err()
                }
                Relationship::Outside(vms, nodes) => {
                    vms.binary_search(&vm).is_ok() && nodes.binary_search(&node).is_ok()
                }
                Relationship::Stay(other) => *other == vm && packing.items[item as usize].source != node.0,
                Relationship::Sealed(other) => *other == node,
                _ => false,
            }
    });
    if let Some((_, cause)) = fenced {
        return Some(Lack::Rule(cause.constraint));
    }
    if packing.bins[node.index()].later == Later::Closed && compiled.node_cause[node.index()] != NONE {
        return Some(Lack::Rule(compiled.node_cause[node.index()]));
    }
    let mut end = End::of(compiled, plan);
    let size = packing.then(item);
    let now = end.to[item as usize];
    if now != NONE {
        end.ledger.remove(item, now, size);
    }
    match end.ledger.may_enter(item, node.0, size).err()? {
        Block::Dim(dim) => {
            let at = dim as usize;
            let free = end.ledger.capacity(node.0)[at].saturating_sub(end.ledger.load(node.0)[at]);
            Some(Lack::Room(ResourceId(dim), size[at], free))
        }
        Block::Relation(at) => Some(Lack::Rule(packing.relations[at as usize].cause)),
    }
}

/// Why an action waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The node must be on.
    Boots(NodeId),
    /// The node must be empty before it is switched off.
    Empties(NodeId),
    /// Both are about the same VM.
    SameVm(VmId),
    /// It needs so much of the resource on the node, and without the other's leaving so
    /// much is free there.
    Room(NodeId, ResourceId, u64, u64),
    /// Both take more of this than there is.
    Way(Channel),
    /// The constraint at this index asks for the order.
    Rule(u32),
    /// It is not known.
    Unknown,
}

/// What an action of a plan waits for, and why: for each action that must have ended.
pub fn waits_for(instance: &Instance, plan: &Plan, action: u32) -> Vec<(u32, Why)> {
    let posted = compile::Builder::post_all(instance);
    let before = plan.predecessors();
    let list = before.get(action as usize).map_or(&[][..], Vec::as_slice);
    list.iter().map(|&first| (first, why(instance, &posted, plan, first, action))).collect()
}

fn why(instance: &Instance, posted: &Posted, plan: &Plan, first: u32, then: u32) -> Why {
    let (one, other) = (&plan.actions[first as usize], &plan.actions[then as usize]);
    if let ActionKind::BootNode { node } = one.kind
        && (other.kind.destination() == Some(node) || other.kind == ActionKind::ShutdownNode { node })
    {
        return Why::Boots(node);
    }
    if let ActionKind::ShutdownNode { node } = other.kind {
        return Why::Empties(node);
    }
    let (Some(leaver), Some(comer)) = (one.kind.vm(), other.kind.vm()) else {
        let shared = |relationship: &Relationship| match relationship {
            Relationship::Budget(budget) => share(budget, &one.kind, &other.kind),
            _ => false,
        };
        let rule = posted.relations.iter().find(|(relationship, _)| shared(relationship));
        return rule.map_or(Why::Unknown, |(_, cause)| Why::Rule(cause.constraint));
    };
    if leaver == comer {
        return Why::SameVm(leaver);
    }
    // Where the other one comes to, or grows.
    let node = other.kind.destination().or(match other.kind {
        ActionKind::Allocate { node, .. } => Some(node),
        _ => None,
    });
    let frees = one.kind.origin().or(match one.kind {
        ActionKind::Allocate { node, .. } => Some(node),
        _ => None,
    });
    if let Some(node) = node.filter(|node| frees == Some(*node)) {
        for resource in instance.resource_ids() {
            let need = takes(instance, plan, other, resource);
            let held = load(instance, plan, node, resource, other.start, (then, first));
            let free = instance.capacity(node, resource).saturating_sub(held);
            if need > free {
                return Why::Room(node, resource, need, free);
            }
        }
    }
    if let Some(channel) = Roads::of(instance).and_then(|roads| roads.meeting(one, other)) {
        return Why::Way(channel);
    }
    let speaks = |vms: &[VmId]| vms.contains(&leaver) && vms.contains(&comer);
    let near = |nodes: &[NodeId]| {
        one.kind.origin().is_some_and(|node| nodes.contains(&node))
            && node.is_some_and(|node| nodes.contains(&node))
    };
    let rule = posted.relations.iter().find(|(relationship, cause)| {
        cause.penalty.is_none()
            && match relationship {
                Relationship::AtMostPerNode(vms, _)
                | Relationship::AtMostPerGroup(vms, ..)
                | Relationship::SameNode(vms)
                | Relationship::SameGroup(vms, _)
                | Relationship::Sequence(vms)
                | Relationship::Serialize(vms)
                | Relationship::Sync(vms) => speaks(vms),
                Relationship::Exclusive(vms) => vms.contains(&leaver) != vms.contains(&comer),
                Relationship::Apart(parts) | Relationship::GroupsApart(parts, _) => {
                    [leaver, comer].iter().all(|vm| parts.iter().any(|part| part.contains(vm)))
                }
                Relationship::Precedence(a, b) => (*a, *b) == (leaver, comer),
                Relationship::LoadAtMost(nodes, ..) | Relationship::CountAtMost(nodes, _) => near(nodes),
                Relationship::Budget(budget) => share(budget, &one.kind, &other.kind),
                Relationship::Survive { .. } => cause.continuous,
                _ => false,
            }
    });
    rule.map_or(Why::Unknown, |(_, cause)| Why::Rule(cause.constraint))
}

/// Do two actions take a share of the same amount?
fn share(budget: &Budget, one: &ActionKind, other: &ActionKind) -> bool {
    let owners = |kind: &ActionKind| -> Vec<Option<NodeId>> {
        match *kind {
            ActionKind::Migrate { vm, from, to } | ActionKind::BootClone { vm, from, to } => {
                budget.shares(vm, from, to).map(|share| share.0).collect()
            }
            ActionKind::ShutdownOriginal { vm, from } => {
                budget.shares(vm, from, from).map(|share| share.0).collect()
            }
            ActionKind::BootNode { node } | ActionKind::ShutdownNode { node }
                if budget.standing(node) > 0 =>
            {
                vec![budget.owner(node)]
            }
            _ => Vec::new(),
        }
    };
    let first = owners(one);
    owners(other).iter().any(|owner| first.contains(owner))
}

/// What an action takes of a resource where it goes.
fn takes(instance: &Instance, plan: &Plan, action: &Action, resource: ResourceId) -> u64 {
    if let ActionKind::Allocate { resource: other, amount, vm, .. } = action.kind {
        let before = amount_at(instance, plan, vm, resource, action.start);
        return if other == resource { amount.saturating_sub(before) } else { 0 };
    }
    let own = action.allocations.iter().find(|(other, _)| *other == resource).map(|&(_, amount)| amount);
    own.or_else(|| action.kind.vm().map(|vm| amount_at(instance, plan, vm, resource, action.start)))
        .unwrap_or(0)
}

/// What a VM holds of a resource at a moment.
fn amount_at(instance: &Instance, plan: &Plan, vm: VmId, resource: ResourceId, at: u64) -> u64 {
    let mut amount = instance.demand(vm, resource);
    for action in plan.actions.iter().filter(|action| action.kind.vm() == Some(vm) && action.start < at) {
        if let ActionKind::Allocate { resource: other, amount: new, .. } = action.kind
            && other == resource
        {
            amount = new;
        }
        for &(other, new) in &action.allocations {
            if other == resource {
                amount = new;
            }
        }
    }
    amount
}

/// What is held on a node at a moment, as if the second action had not ended, and without
/// what the first one brings.
fn load(
    instance: &Instance,
    plan: &Plan,
    node: NodeId,
    resource: ResourceId,
    at: u64,
    (comer, leaver): (u32, u32),
) -> u64 {
    let mut by_vm: Vec<bool> = instance.vm_ids().map(|vm| instance.place(vm).host() == Some(node)).collect();
    let mut order: Vec<usize> = (0..plan.actions.len()).collect();
    order.sort_by_key(|&index| plan.actions[index].start);
    for index in order {
        let action = &plan.actions[index];
        let Some(vm) = action.kind.vm().filter(|_| index != comer as usize) else { continue };
        if action.kind.destination() == Some(node) && action.start <= at {
            by_vm[vm.index()] = true;
        }
        if action.kind.origin() == Some(node) && action.end <= at && index != leaver as usize {
            by_vm[vm.index()] = false;
        }
    }
    let comes = plan.actions[comer as usize].kind.vm();
    let grows = matches!(plan.actions[comer as usize].kind, ActionKind::Allocate { .. });
    instance
        .vm_ids()
        .filter(|vm| by_vm[vm.index()] && (grows || comes != Some(*vm)))
        .map(|vm| amount_at(instance, plan, vm, resource, at))
        .fold(0, u64::saturating_add)
}

/// A part of the lower bound on the number of relocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundPart {
    /// These VMs may not stay where they are, because of the constraint at this index.
    Must(Vec<VmId>, Option<u32>),
    /// At least so many must leave the node, which has this much too little of a resource.
    Overload(NodeId, u64, ResourceId, u64),
    /// At least so many must leave the node, because of the constraint at this index.
    Broken(NodeId, u64, u32),
    /// So many more, since rules over several nodes ask for more than the nodes one by one.
    Beyond(u64),
}

impl BoundPart {
    /// How many relocations it counts.
    pub fn count(&self) -> u64 {
        match self {
            BoundPart::Must(vms, _) => vms.len() as u64,
            BoundPart::Overload(_, fewest, ..) | BoundPart::Broken(_, fewest, _) => *fewest,
            BoundPart::Beyond(more) => *more,
        }
    }
}

/// The lower bound on the number of relocations, as a sum. What the search proves beyond it
/// by trying is not in it.
///
/// # Errors
/// When the instance cannot be planned for as it stands.
pub fn bound(instance: &Instance) -> Result<Vec<BoundPart>, PlanError> {
    let Some(compiled) = compiled(instance)? else { return Ok(Vec::new()) };
    let packing = &compiled.problem.packing;
    let analysis = presolve::analyse(&compiled.problem);
    let fences = Fences::of(&compiled, &analysis.forced);
    let mut parts: Vec<BoundPart> = Vec::new();
    for &item in &analysis.forced {
        let vm = compiled.vm_of[item as usize];
        let cause = fences.cause(&compiled, vm, NodeId(packing.items[item as usize].source));
        let same = parts.iter_mut().find_map(|part| match part {
            BoundPart::Must(vms, other) if *other == cause => Some(vms),
            _ => None,
        });
        match same {
            Some(vms) => vms.push(vm),
            None => parts.push(BoundPart::Must(vec![vm], cause)),
        }
    }
    // What stays, as the bound counts it.
    let mut keep = Ledger::new(packing, Moment::Then);
    for (item, row) in (0u32..).zip(&packing.items) {
        if row.role == Role::Stay && packing.may_end_in(item, row.source) {
            keep.add(item, row.source, packing.then(item));
        } else if let Some(bin) = packing.settled_in(item) {
            keep.add(item, bin, packing.then(item));
        }
    }
    for eviction in &analysis.evictions {
        let node = NodeId(eviction.bin);
        let fewest = u64::from(eviction.fewest);
        parts.push(match eviction.cause {
            Block::Dim(dim) => {
                let at = dim as usize;
                let over = keep.load(node.0)[at].saturating_sub(keep.capacity(node.0)[at]);
                BoundPart::Overload(node, fewest, ResourceId(dim), over)
            }
            Block::Relation(at) => BoundPart::Broken(node, fewest, packing.relations[at as usize].cause),
        });
    }
    let known: u64 = parts.iter().map(BoundPart::count).sum();
    if analysis.fewest_moves > known {
        parts.push(BoundPart::Beyond(analysis.fewest_moves - known));
    }
    Ok(parts)
}

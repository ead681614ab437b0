//! Why a plan is as it is: why a VM goes where it goes and nowhere else, why there is no
//! better plan.

use super::action::End;
use super::action::Fences;
use crate::compile;
use crate::compile::Compiled;
use crate::compile::Refusal;
use crate::compile::Relationship;
use crate::constraint::Constraint;
use crate::constraint::fence::Fence;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::ResourceId;
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

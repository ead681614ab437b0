//! Why there is no plan, what would help, and why a plan is as it is.
//!
//! [`explain`] looks for conflicts: smallest sets of constraints and facts (VMs, their
//! places, capacities, the horizon) for which there is no plan. All of it is data: words
//! are made of it by [`crate::render`].

mod action;
mod ask;
mod deadlock;
mod find;
mod proof;
mod question;
mod quickxplain;
mod stuck;
mod wait;
mod way;

pub use action::reasons;
pub use ask::BoundPart;
pub use ask::Instead;
pub use ask::WhyNot;
pub use ask::bound;
pub use ask::host_after;
pub use ask::why_not;
pub use ask::with_wish;
pub use proof::conflict;
pub use question::Kept;
pub use stuck::Stuck;
pub use stuck::stuck;
pub use wait::Waits;
pub use wait::Why;
pub use wait::waits_for;
pub use way::Change;
pub use way::WayOut;
pub use way::changed;
pub use way::suspended;

use crate::compile;
use crate::compile::Refusal;
use crate::constraint::deadline::Deadline;
use crate::model::Instance;
use crate::model::VmId;
use crate::outcome::Conflict;
use crate::outcome::Member;
use crate::outcome::Options;
use crate::outcome::PlanError;
use crate::outcome::Status;
use crate::outcome::StopReason;
use question::Oracle;
use quickxplain::Verdict;
use std::time::Instant;

/// Conflicts that are looked for at most.
const MOST_CONFLICTS: usize = 5;

/// Why there is no plan.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// [`Status::Infeasible`], or [`Status::Feasible`]: there is a plan and nothing to
    /// explain; [`Status::Unknown`] where neither was found out.
    pub status: Status,
    /// Why the search for conflicts ended.
    pub stop_reason: StopReason,
    /// Conflicts that have no rule in common (save rules that stop a VM; those without rules:
    /// no capacity), the first found first.
    pub conflicts: Vec<Conflict>,
    /// What would help, the cheapest first; each was planned with, and its plan checked.
    pub ways: Vec<WayOut>,
    /// Questions that were asked about parts of the instance.
    pub questions: u64,
    /// Steps of all of them together.
    pub steps: u64,
}

/// Looks for the smallest conflicts of an instance, as long as the limits of the options
/// allow. Each question about a part of the instance is answered by the planner itself; one
/// to which it finds no answer counts as if there were a plan, and the conflict says that
/// it may not be minimal. A conflict is impossible by itself in any case.
///
/// # Errors
/// When the instance cannot be planned for as it stands.
pub fn explain(instance: &Instance, options: &Options) -> Result<Explanation, PlanError> {
    let settled = Deadline::settle(instance, options.start_of_day);
    let instance = settled.as_ref();
    match options.threads {
        None => explain_here(instance, options, MOST_CONFLICTS),
        Some(threads) => crate::solve::in_pool(threads, || explain_here(instance, options, MOST_CONFLICTS))?,
    }
}

/// One conflict, as small as the limits of the options allow; `None` where it is not known
/// that there is one.
pub fn smallest(instance: &Instance, options: &Options) -> Option<Conflict> {
    let settled = Deadline::settle(instance, options.start_of_day);
    let mut explanation = explain_here(settled.as_ref(), options, 1).ok()?;
    explanation.conflicts.pop()
}

fn explain_here(instance: &Instance, options: &Options, most: usize) -> Result<Explanation, PlanError> {
    if let Err(Refusal::Input(message)) = compile::compile(instance) {
        return Err(PlanError::Input(message));
    }
    let deadline = options.time_limit.map(|limit| Instant::now() + limit);
    let mut oracle = Oracle::new(instance, options, deadline);
    let mut conflicts: Vec<Conflict> = Vec::new();
    let mut kept = Kept::all(instance);
    let mut status = Status::Unknown;
    while conflicts.len() < most {
        if let Some(conflict) = contradiction(&mut oracle, &kept) {
            status = Status::Infeasible;
            leave_out(instance, &mut kept, &conflict);
            conflicts.push(conflict);
            if oracle.stop().is_some() {
                break;
            }
            continue;
        }
        let part = match oracle.ask(&kept).verdict {
            Verdict::Impossible => Some(kept.clone()),
            Verdict::Possible if conflicts.is_empty() => {
                status = Status::Feasible;
                None
            }
            Verdict::Unknown => find::focus(&mut oracle, &kept),
            Verdict::Possible | Verdict::Stop => None,
        };
        let Some(mut part) = part else { break };
        status = Status::Infeasible;
        let conflict = find::shrink(&mut oracle, &mut part);
        leave_out(instance, &mut kept, &conflict);
        let empty = conflict.members.is_empty();
        conflicts.push(conflict);
        if empty {
            break;
        }
    }
    let ways = if most > 1 { way::out(&mut oracle, &conflicts) } else { Vec::new() };
    let stop_reason = oracle.stop().unwrap_or(match status {
        Status::Unknown => StopReason::Stalled,
        _ => StopReason::Proved,
    });
    Ok(Explanation { status, stop_reason, conflicts, ways, questions: oracle.questions, steps: oracle.steps })
}

/// Wanted states that contradict each other: what compiling refuses.
fn contradiction(oracle: &mut Oracle<'_>, kept: &Kept) -> Option<Conflict> {
    let part = kept.instance(oracle.instance);
    let Err(Refusal::Conflict(conflict)) = compile::compile(&part) else { return None };
    let mut conflict = *conflict;
    let original: Vec<u32> = kept.original(oracle.instance);
    for member in &mut conflict.members {
        if let Member::Constraint(index) = member {
            *index = original.get(*index as usize).copied()?;
        }
    }
    // The VM is part of it, unless it is there for these rules only.
    let instance = oracle.instance;
    let asked = |vm: VmId| {
        let wants = |index: u32| instance.constraints()[index as usize].rule.wants();
        conflict.constraints().any(|index| wants(index).is_some_and(|(other, _)| other == vm))
    };
    let there = conflict.vms.iter().filter(|vm| instance.place(**vm).host().is_some() || !asked(**vm));
    let there: Vec<Member> = there.map(|&vm| Member::Vm(vm)).collect();
    conflict.members.extend(there);
    Some(find::confirmed(oracle, conflict.members))
}

/// What a conflict names does not count any more: the next one is another. Its rules go
/// (save those that make room: without them there would be conflicts that are none now);
/// where it has none, the capacities, and else the VMs.
fn leave_out(instance: &Instance, kept: &mut Kept, conflict: &Conflict) {
    let rank = |member: &Member| match member {
        Member::Constraint(_) => 0,
        Member::Capacity(..) | Member::Network | Member::Horizon(_) => 1,
        Member::Vm(_) | Member::Place(_) => 2,
    };
    let background = question::background(instance);
    let makes_room = |member: &Member| matches!(member, Member::Constraint(at) if background[*at as usize]);
    let candidates = || conflict.members.iter().filter(|member| !makes_room(member));
    let first = candidates().map(rank).min();
    for member in candidates().filter(|member| Some(rank(member)) == first) {
        match member {
            Member::Constraint(at) => kept.constraints[*at as usize] = false,
            other => kept.set(instance, other, false),
        }
    }
}

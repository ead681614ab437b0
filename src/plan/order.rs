//! The happens-before edges.

use super::effect;
use super::event::Positions;
use super::ledger::Ledger;
use super::reduce;
use super::relation::Relations;
use super::route::Routes;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Sorts the actions of a valid schedule and computes the happens-before edges,
/// replacing those that the plan has.
///
/// Whatever the durations, executing the plan by these edges never overloads a node,
/// never breaks a continuous hard relation, and keeps to sequences and precedences.
/// Edges lead only from an action that ends to one that starts no earlier in the
/// schedule. Promises about time (no delay, deadlines, moves that end together) are no
/// edges: no order can keep them when durations change.
///
/// A relation that is broken before the plan: units beyond a limit are given back before
/// anything takes more, so the excess never grows; for VMs that are to be kept apart or
/// together the order of the schedule is kept pair by pair.
///
/// Near-linear in the number of actions and the sizes of the sets in relations; where
/// many must wait for many (a set of VMs that leaves a rack before another enters) there
/// is an edge for each pair.
pub fn order(instance: &Instance, posted: &Posted, plan: &mut Plan) {
    plan.actions.sort_by_key(|action| (action.start, action.end, action.kind));
    plan.happens_before.clear();
    let actions = &plan.actions;
    if actions.len() < 2 {
        return;
    }
    let relations = Relations::of(instance, posted, actions);
    let mut ledger = Ledger::new(instance, posted, &relations);
    let effects = effect::effects(instance, &mut ledger, actions);
    let positions = Positions::of(actions, &effects);
    if relations.serial {
        plan.happens_before = serial(&positions);
        return;
    }
    let mut before = asked_for(instance, posted, actions, &positions);
    let mut routes = Routes::new(&ledger.accounts, actions.len());
    for &(index, is_end) in &positions.events {
        let effects = &effects[index as usize];
        if is_end {
            routes.give(index, &effects.gives);
            for &(room, class) in &effects.leaves {
                ledger.rooms[room as usize].leave(class, index);
            }
            continue;
        }
        let mut list = std::mem::take(&mut before[index as usize]);
        for &(room, class) in &effects.enters {
            ledger.rooms[room as usize].enter(class, |other| list.push(other));
        }
        list.sort_unstable();
        list.dedup();
        routes.take(index, &effects.takes, &mut list);
        before[index as usize] = list;
    }
    plan.happens_before = reduce::reduce(before, &positions.start);
}

/// Edges that hold without any counting: what happens to one VM happens in turn, nodes
/// host between their boot and their shutdown, and orders that rules ask for.
fn asked_for(
    instance: &Instance,
    posted: &Posted,
    actions: &[Action],
    positions: &Positions,
) -> Vec<Vec<u32>> {
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); actions.len()];
    let mut add = |first: u32, then: u32| {
        if positions.precedes(first, then) {
            before[then as usize].push(first);
        }
    };
    let mut by_vm: FxHashMap<VmId, Vec<u32>> = FxHashMap::default();
    let mut boots: FxHashMap<NodeId, u32> = FxHashMap::default();
    let mut shutdowns: FxHashMap<NodeId, u32> = FxHashMap::default();
    for (at, action) in actions.iter().enumerate() {
        match action.kind {
            ActionKind::BootNode { node } => drop(boots.insert(node, at as u32)),
            ActionKind::ShutdownNode { node } => drop(shutdowns.insert(node, at as u32)),
            kind => {
                if let Some(vm) = kind.vm().filter(|vm| vm.index() < instance.vm_count()) {
                    by_vm.entry(vm).or_default().push(at as u32);
                }
            }
        }
    }
    for (at, action) in actions.iter().enumerate() {
        if let Some(&boot) = action.kind.destination().and_then(|node| boots.get(&node)) {
            add(boot, at as u32);
        }
        if let Some(&shutdown) = action.kind.origin().and_then(|node| shutdowns.get(&node)) {
            add(at as u32, shutdown);
        }
        if let ActionKind::ShutdownNode { node } = action.kind
            && let Some(&boot) = boots.get(&node)
        {
            add(boot, at as u32);
        }
    }
    for list in by_vm.values_mut() {
        list.sort_unstable_by_key(|&at| positions.start[at as usize]);
        in_turn(actions, list, &mut add);
    }
    for (relationship, cause) in &posted.relations {
        if cause.penalty.is_some() {
            continue;
        }
        match relationship {
            Relationship::Sequence(vms) => {
                let mut last: Option<u32> = None;
                for vm in vms.iter() {
                    let list = by_vm.get(vm).map_or(&[][..], Vec::as_slice);
                    for &at in list.iter().filter(|&&at| actions[at as usize].kind.is_transition()) {
                        if let Some(last) = last {
                            add(last, at);
                        }
                        last = Some(at);
                    }
                }
            }
            Relationship::Precedence(first, then) => {
                let last = relocations(actions, &by_vm, *first).last().map(|&(_, last)| last);
                let next = relocations(actions, &by_vm, *then).first().map(|&(first, _)| first);
                if let (Some(last), Some(next)) = (last, next) {
                    add(last, next);
                }
            }
            Relationship::Serialize(vms) => {
                let mut spans: Vec<(u32, u32)> =
                    vms.iter().flat_map(|&vm| relocations(actions, &by_vm, vm)).collect();
                spans.sort_unstable_by_key(|&(first, _)| positions.start[first as usize]);
                for pair in spans.windows(2) {
                    add(pair[0].1, pair[1].0);
                }
            }
            _ => {}
        }
    }
    before
}

/// The actions on one VM follow each other; shares of several resources that change at
/// once do not.
fn in_turn(actions: &[Action], list: &[u32], add: &mut impl FnMut(u32, u32)) {
    let allocated = |at: u32| match actions[at as usize].kind {
        ActionKind::Allocate { resource, .. } => Some((actions[at as usize].start, resource)),
        _ => None,
    };
    // `group` are the last actions; each of the next ones waits for all of the group before.
    let (mut past, mut group): (&[u32], usize) = (&[], 0);
    for at in 1..list.len() {
        let together = match (allocated(list[at - 1]), allocated(list[at])) {
            (Some((then, resource)), Some((now, other))) => then == now && resource != other,
            _ => false,
        };
        if !together {
            past = &list[group..at];
            group = at;
        }
        for &first in past {
            add(first, list[at]);
        }
    }
}

/// The relocations of a VM as (first action, last action), in turn.
fn relocations(actions: &[Action], by_vm: &FxHashMap<VmId, Vec<u32>>, vm: VmId) -> Vec<(u32, u32)> {
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for &at in by_vm.get(&vm).into_iter().flatten() {
        match actions[at as usize].kind {
            ActionKind::Migrate { .. } | ActionKind::ForgeClone { .. } => spans.push((at, at)),
            ActionKind::BootClone { .. } | ActionKind::ShutdownOriginal { .. } => match spans.last_mut() {
                Some(span) => span.1 = at,
                None => spans.push((at, at)),
            },
            _ => {}
        }
    }
    spans
}

/// Every action after all that ended before it started, with no edge said twice.
///
/// What holds in the schedule when an action starts then holds whenever it is the latest
/// to have started, of every rule that fewer guests cannot break.
fn serial(positions: &Positions) -> Vec<(u32, u32)> {
    let mut edges = Vec::new();
    let mut ended: Vec<u32> = Vec::new();
    // The latest start among those that have ended: whoever ended before it is implied.
    let mut latest: Option<u32> = None;
    for &(index, is_end) in &positions.events {
        if is_end {
            ended.push(index);
            latest = latest.max(Some(positions.start[index as usize]));
            continue;
        }
        for &first in ended.iter().rev() {
            if Some(positions.end[first as usize]) < latest {
                break;
            }
            edges.push((first, index));
        }
    }
    edges.sort_unstable();
    edges
}

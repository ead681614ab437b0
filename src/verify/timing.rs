//! Times, durations, and the order that the edges ask for. Nothing is replayed here.

use super::CoreRule;
use super::Finding;
use super::Source;
use super::words;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use crate::model::Roads;
use crate::model::Timed;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Does the plan name VMs, nodes or resources that the instance has not?
pub(super) fn unknown_elements(instance: &Instance, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, action) in plan.actions.iter().enumerate() {
        let (vms, nodes) = words::about(&action.kind);
        let mut resources: Vec<_> = action.allocations.iter().map(|&(resource, _)| resource).collect();
        if let ActionKind::Allocate { resource, .. } = action.kind {
            resources.push(resource);
        }
        let lacking = if let Some(vm) = vms.iter().find(|vm| vm.index() >= instance.vm_count()) {
            format!("VM {}; the instance has {} VMs", vm.0, instance.vm_count())
        } else if let Some(node) = nodes.iter().find(|node| node.index() >= instance.node_count()) {
            format!("node {}; the instance has {} nodes", node.0, instance.node_count())
        } else if let Some(resource) = resources.iter().find(|r| r.index() >= instance.resource_count()) {
            format!("resource {}; the instance has {} resources", resource.0, instance.resource_count())
        } else {
            continue;
        };
        let text = format!("action {index} of the plan, a {}, names {lacking}", action.kind.name());
        findings.push(core(action.start, CoreRule::State, words::violation(1, Vec::new(), Vec::new(), text)));
    }
    findings
}

/// Ends before starts, durations that are not the actions' own, ends past the horizon.
pub(super) fn check_times(
    instance: &Instance,
    plan: &Plan,
    horizon: Option<u64>,
    findings: &mut Vec<Finding>,
) {
    let roads = Roads::of(instance);
    for action in &plan.actions {
        let name = || words::action(instance, &action.kind);
        let mut report = |at, amount, text| {
            let (vms, nodes) = words::about(&action.kind);
            findings.push(core(at, CoreRule::Time, words::violation(amount, vms, nodes, text)));
        };
        if action.end < action.start {
            let text = format!("{} ends at {} s, before its start at {} s", name(), action.end, action.start);
            report(action.start, action.start - action.end, text);
        } else {
            match expected_duration(instance, roads.as_ref(), action) {
                Ok(expected) if expected == action.duration() => {}
                Ok(expected) => {
                    let text = format!("{} takes {} s, not {expected} s", name(), action.duration());
                    report(action.start, action.duration().abs_diff(expected), text);
                }
                Err(why) => {
                    report(action.start, 1, format!("{} takes {} s; {why}", name(), action.duration()))
                }
            }
        }
        if let Some(horizon) = horizon
            && action.end > horizon
        {
            let text = format!("{} ends at {} s, past the horizon at {horizon} s", name(), action.end);
            report(action.end, action.end - horizon, text);
        }
    }
}

/// How long an action must take.
///
/// The clone of a re-instantiation has no attributes, so its boot takes what the
/// model says; the original is stopped for as long as forging takes longer than that.
fn expected_duration(instance: &Instance, roads: Option<&Roads<'_>>, action: &Action) -> Result<u64, String> {
    use ActionKind::*;
    let vm_time = |timed, vm| instance.vm_duration(timed, vm);
    if let (Migrate { vm, from, to }, Some(roads)) = (action.kind, roads) {
        return roads.flow(vm, from, to, action.bandwidth).map(|flow| u64::from(flow.seconds));
    }
    let seconds = match action.kind {
        Allocate { .. } => return Ok(0),
        Migrate { vm, .. } => vm_time(Timed::Migrate, vm),
        Boot { vm, .. } => vm_time(Timed::Boot, vm),
        Shutdown { vm, .. } => vm_time(Timed::Shutdown, vm),
        Suspend { vm, .. } => vm_time(Timed::Suspend, vm),
        Resume { vm, .. } => vm_time(Timed::Resume, vm),
        Kill { vm, .. } => vm_time(Timed::Kill, vm),
        Forge { vm } | ForgeClone { vm } => vm_time(Timed::Forge, vm),
        BootClone { vm, .. } => instance.clone_boot_duration(vm),
        ShutdownOriginal { vm, .. } => vm_time(Timed::Forge, vm)
            .and_then(|forge| Ok(forge.saturating_sub(instance.clone_boot_duration(vm)?))),
        BootNode { node } => instance.node_duration(Timed::BootNode, node),
        ShutdownNode { node } => instance.node_duration(Timed::ShutdownNode, node),
    };
    seconds.map(u64::from).map_err(|error| error.to_string())
}

/// Checks the edges, and gives every action a rank that respects them: by start,
/// end and kind where they leave it open.
pub(super) fn check_order(instance: &Instance, plan: &Plan, findings: &mut Vec<Finding>) -> Vec<u32> {
    let actions = &plan.actions;
    let mut edges: Vec<(u32, u32)> = Vec::with_capacity(plan.happens_before.len());
    for &(first, then) in &plan.happens_before {
        let (Some(before), Some(after)) = (actions.get(first as usize), actions.get(then as usize)) else {
            let text = format!(
                "the edge {first} -> {then} names an action that the plan of {} has not",
                actions.len()
            );
            findings.push(core(0, CoreRule::Order, words::violation(1, Vec::new(), Vec::new(), text)));
            continue;
        };
        edges.push((first, then));
        if before.end > after.start && first != then {
            let text = format!(
                "{} starts at {} s, before the end at {} s of {}, which it has to wait for",
                words::action(instance, &after.kind),
                after.start,
                before.end,
                words::action(instance, &before.kind)
            );
            let (mut vms, mut nodes) = words::about(&before.kind);
            let (more_vms, more_nodes) = words::about(&after.kind);
            vms.extend(more_vms);
            nodes.extend(more_nodes);
            let violation = words::violation(before.end - after.start, vms, nodes, text);
            findings.push(core(after.start, CoreRule::Order, violation));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    ranks(instance, actions, &edges, findings)
}

fn ranks(
    instance: &Instance,
    actions: &[Action],
    edges: &[(u32, u32)],
    findings: &mut Vec<Finding>,
) -> Vec<u32> {
    let after = |of: u32| {
        let from = edges.partition_point(|&(first, _)| first < of);
        edges[from..].iter().take_while(move |&&(first, _)| first == of).map(|&(_, then)| then)
    };
    let key = |index: u32| {
        let action = &actions[index as usize];
        Reverse((action.start, action.end, action.kind, index))
    };
    let mut waits_for = vec![0u32; actions.len()];
    for &(_, then) in edges {
        waits_for[then as usize] += 1;
    }
    let mut ranks = vec![u32::MAX; actions.len()];
    let mut next = 0;
    let mut free: BinaryHeap<_> =
        (0..actions.len() as u32).filter(|&index| waits_for[index as usize] == 0).map(key).collect();
    while let Some(Reverse((.., index))) = free.pop() {
        ranks[index as usize] = next;
        next += 1;
        for then in after(index) {
            waits_for[then as usize] -= 1;
            if waits_for[then as usize] == 0 {
                free.push(key(then));
            }
        }
    }
    if (next as usize) < actions.len() {
        let stuck: Vec<u32> =
            (0..actions.len() as u32).filter(|&index| ranks[index as usize] == u32::MAX).collect();
        report_circles(instance, actions, edges, &stuck, findings);
        for index in stuck {
            ranks[index as usize] = next;
            next += 1;
        }
    }
    ranks
}

/// One finding for each set of actions that all wait for each other.
fn report_circles(
    instance: &Instance,
    actions: &[Action],
    edges: &[(u32, u32)],
    stuck: &[u32],
    findings: &mut Vec<Finding>,
) {
    let mut graph = petgraph::graph::DiGraph::<u32, ()>::new();
    let vertices: Vec<_> = stuck.iter().map(|&index| graph.add_node(index)).collect();
    for (first, then) in edges {
        if let (Ok(first), Ok(then)) = (stuck.binary_search(first), stuck.binary_search(then)) {
            graph.add_edge(vertices[first], vertices[then], ());
        }
    }
    // Kosaraju's algorithm, since petgraph's other one recurses.
    for component in petgraph::algo::kosaraju_scc(&graph) {
        let itself = |vertex| graph.find_edge(vertex, vertex).is_some();
        if component.len() == 1 && !component.iter().any(|&vertex| itself(vertex)) {
            continue;
        }
        let mut circle: Vec<u32> = component.iter().map(|&vertex| graph[vertex]).collect();
        circle.sort_unstable();
        let names: Vec<String> =
            circle.iter().map(|&index| words::action(instance, &actions[index as usize].kind)).collect();
        let names = crate::constraint::list(names.iter().map(String::as_str));
        let text = if circle.len() == 1 {
            format!("{names} waits for its own end")
        } else {
            format!("{names} wait for each other in a circle")
        };
        let start = circle.iter().map(|&index| actions[index as usize].start).min().unwrap_or(0);
        let (vms, nodes): (Vec<_>, Vec<_>) =
            circle.iter().map(|&index| words::about(&actions[index as usize].kind)).unzip();
        let violation = words::violation(1, vms.concat(), nodes.concat(), text);
        findings.push(core(start, CoreRule::Order, violation));
    }
}

pub(super) fn core(at: u64, rule: CoreRule, violation: crate::constraint::Violation) -> Finding {
    Finding { at: Some(at), source: Source::Core(rule), violation, soft: false }
}

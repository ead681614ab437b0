//! Why there is no plan: conflicts and ways out, for people and programs.

use super::clash;
use super::json;
use super::name;
use super::words;
use super::words::count;
use crate::explain::Change;
use crate::explain::Explanation;
use crate::explain::WayOut;
use crate::model::Channel;
use crate::model::Instance;
use crate::model::Roads;
use crate::outcome::Conflict;
use crate::outcome::Member;
use crate::outcome::Status;
use crate::outcome::StopReason;
use serde_json::Value;
use serde_json::json as value;
use std::fmt::Write;

/// Conflicts with their members, one a line, then what would help.
pub fn explanation(instance: &Instance, explanation: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (at, conflict) in explanation.conflicts.iter().enumerate() {
        let head = if at == 0 { "no plan" } else { "nor without that" };
        let _ = writeln!(text, "{head}: {}", sentence(instance, conflict));
        clash::lines(&mut text, instance, conflict);
    }
    if !explanation.ways.is_empty() {
        text.push_str("what would help, each checked by a plan:\n");
    }
    for way in &explanation.ways {
        let changes: Vec<String> = way.changes.iter().map(|change| self::change(instance, change)).collect();
        let _ = writeln!(
            text,
            "  {} (cost {}; then {})",
            changes.join(", and "),
            way.cost,
            count(way.relocations, "relocation", "relocations")
        );
    }
    text.push_str(&verdict(explanation));
    text.push('\n');
    text
}

/// A change, as advice: `n2 needs 2 more cpu (10 -> 12)`.
fn change(instance: &Instance, change: &Change) -> String {
    let vm = |vm| name::vm(instance, vm);
    let rule = |index| words::constraint_at(instance, index);
    match *change {
        Change::Horizon(until) => format!("wait: the plan may take {}", words::seconds(until)),
        Change::Suspend(one) => format!("suspend {} first and resume it at the end", vm(one)),
        Change::Raise(index, to, from) => {
            format!("{} allows {} more ({from} -> {to})", rule(index), to - from.min(to))
        }
        Change::Capacity(node, resource, to, from) => format!(
            "{} needs {} more {} ({from} -> {to})",
            name::node(instance, node),
            to - from.min(to),
            name::resource(instance, resource)
        ),
        Change::Soften(index) => format!("make {} soft", rule(index)),
        Change::PowerOn(node) => {
            let node_name = name::node(instance, node);
            if instance.is_online(node) {
                format!("keep {node_name} on")
            } else {
                format!("boot {node_name}")
            }
        }
        Change::Drop(index) => format!("drop {}", rule(index)),
        Change::LeaveOut(one) => format!("leave {} off", vm(one)),
        Change::Widen(ref links, capacity) => {
            let needs = if links.len() == 1 { "needs" } else { "need" };
            format!("{} {needs} {capacity} Mbit/s", widened(instance, links).join(", "))
        }
        Change::PostCopy(one) => format!("let {} be post-copied (`postCopy`)", vm(one)),
        Change::Cold(one) => format!("let {} stand still while it migrates (`coldMigration`)", vm(one)),
    }
}

/// Links with what they have now: `link 1 from node d (100)`.
fn widened(instance: &Instance, links: &[u32]) -> Vec<String> {
    let (Some(roads), Some(network)) = (Roads::of(instance), instance.network()) else { return Vec::new() };
    let link = |&at: &u32| {
        let called = roads.name(Channel::Up(at));
        let capacity = network.links.get(at as usize).map_or(0, |link| link.capacity);
        format!("{} ({capacity})", name::sentence(&called))
    };
    links.iter().map(link).collect()
}

fn way_json(instance: &Instance, way: &WayOut) -> Value {
    let changes: Vec<Value> = way
        .changes
        .iter()
        .map(|change| {
            let mut object = match *change {
                Change::Horizon(until) => value!({ "kind": "horizon", "to": until }),
                Change::Suspend(vm) => value!({ "kind": "suspend", "vm": name::raw_vm(instance, vm) }),
                Change::Raise(index, to, from) => {
                    value!({ "kind": "raise", "constraint": index, "from": from, "to": to })
                }
                Change::Capacity(node, resource, to, from) => value!({
                    "kind": "capacity",
                    "node": name::raw_node(instance, node),
                    "resource": name::raw_resource(instance, resource),
                    "from": from,
                    "to": to,
                }),
                Change::Soften(index) => value!({ "kind": "soften", "constraint": index }),
                Change::PowerOn(node) => {
                    value!({ "kind": "power_on", "node": name::raw_node(instance, node) })
                }
                Change::Drop(index) => value!({ "kind": "drop", "constraint": index }),
                Change::LeaveOut(vm) => value!({ "kind": "leave_out", "vm": name::raw_vm(instance, vm) }),
                Change::Widen(ref links, to) => {
                    let links = widened(instance, links);
                    value!({ "kind": "widen", "links": links, "to": to })
                }
                Change::PostCopy(vm) => value!({ "kind": "post_copy", "vm": name::raw_vm(instance, vm) }),
                Change::Cold(vm) => value!({ "kind": "cold_migration", "vm": name::raw_vm(instance, vm) }),
            };
            object["text"] = self::change(instance, change).into();
            object
        })
        .collect();
    value!({ "changes": changes, "cost": way.cost, "relocations": way.relocations })
}

/// `spread({db1, db2, db3}), fence(db1, {n1, n2}) clash: db1, db2 and db3 need 3 places of
/// their own, 2 are left (n1, n2)`.
fn sentence(instance: &Instance, conflict: &Conflict) -> String {
    const SHOWN: usize = 3;
    let rules = clash::rules(instance, conflict);
    let why = clash(instance, conflict);
    match rules.len() {
        _ if !conflict.waits.is_empty() => why,
        0 => why,
        1 => format!("{} cannot hold: {why}", rules[0]),
        all if all <= SHOWN => format!("{} clash: {why}", rules.join(", ")),
        all => format!("{} and {} more clash: {why}", rules[..SHOWN].join(", "), all - SHOWN),
    }
}

/// The last line.
fn verdict(explanation: &Explanation) -> String {
    let mut text = match explanation.status {
        Status::Infeasible => {
            let found = explanation.conflicts.len() as u64;
            format!("infeasible: {}", count(found, "conflict", "conflicts"))
        }
        Status::Unknown => "no plan found, and no proof that none exists".to_owned(),
        Status::Optimal | Status::Feasible => "there is a plan: nothing clashes".to_owned(),
    };
    if explanation.status == Status::Infeasible {
        text.push_str(if explanation.conflicts.iter().all(|conflict| conflict.minimal) {
            ", each minimal"
        } else {
            ", minimal as far as was seen"
        });
    }
    let why = match explanation.stop_reason {
        StopReason::Proved | StopReason::Gap | StopReason::Stalled => "",
        StopReason::Limit => "; stopped by the limit",
        StopReason::Interrupted => "; interrupted",
    };
    let _ = write!(text, "{why}; {}", count(explanation.questions, "question", "questions"));
    text
}

/// The explanation as one document, `quadrille/explanation/1`. Names stand as they are:
/// write it with [`super::json_text`].
pub fn explanation_json(instance: &Instance, explanation: &Explanation) -> Value {
    let conflicts: Vec<Value> =
        explanation.conflicts.iter().map(|found| json::conflict(instance, found)).collect();
    value!({
        "schema": "quadrille/explanation/1",
        "status": explanation.status.name(),
        "stop_reason": explanation.stop_reason.name(),
        "questions": explanation.questions,
        "steps": explanation.steps,
        "conflicts": conflicts,
        "ways_out": explanation.ways.iter().map(|way| way_json(instance, way)).collect::<Vec<Value>>(),
    })
}

/// The conflicts as a graph in the DOT language: constraints as boxes, VMs and nodes as
/// ellipses, an edge where a member speaks of one.
pub fn explanation_dot(instance: &Instance, explanation: &Explanation) -> String {
    let mut text = String::from("graph conflicts {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n");
    for (at, conflict) in explanation.conflicts.iter().enumerate() {
        let _ = writeln!(text, "  subgraph cluster_{at} {{");
        let _ = writeln!(text, "    label=\"{}\";", super::dot::quoted(&clash(instance, conflict)));
        let mut names: Vec<String> = Vec::new();
        let mut edges = Vec::new();
        for (number, member) in conflict.members.iter().enumerate() {
            let shape = if matches!(member, Member::Constraint(_)) { "box" } else { "note" };
            let label = super::dot::quoted(&clash::member(instance, member));
            let _ = writeln!(text, "    m{at}_{number} [label=\"{label}\", shape={shape}];");
            for name in clash::subjects(instance, conflict, member) {
                let known = names.iter().position(|other| *other == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                edges.push((number, known));
            }
        }
        for (number, name) in names.iter().enumerate() {
            let _ = writeln!(text, "    e{at}_{number} [label=\"{}\"];", super::dot::quoted(name));
        }
        for (member, name) in edges {
            let _ = writeln!(text, "    m{at}_{member} -- e{at}_{name};");
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

//! Answers to questions about a plan, for people and programs.

use super::clash;
use super::json;
use super::label;
use super::name;
use super::travel::Travels;
use super::words;
use super::words::Reasons;
use super::words::count;
use crate::explain::BoundPart;
use crate::explain::Instead;
use crate::explain::Why;
use crate::explain::WhyNot;
use crate::explain::host_after;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Roads;
use crate::model::VmId;
use crate::objective::Level;
use crate::objective::Metric;
use crate::outcome::Bounded;
use crate::outcome::Conflict;
use crate::outcome::Lack;
use crate::outcome::Member;
use serde_json::Value;
use serde_json::json as value;
use std::fmt::Write;

/// What a plan does with a VM and why, one line an action; or that it stays.
pub fn why_vm(instance: &Instance, plan: &Plan, vm: VmId) -> String {
    let reasons = Reasons::of(instance, plan);
    let travels = Travels::of(instance, plan);
    let mut text = String::new();
    for action in plan.actions.iter().filter(|action| action.kind.vm() == Some(vm)) {
        let why = reasons.text(action).map_or_else(String::new, |why| format!("  # {why}"));
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{}:{} {}{why}", action.start, action.end, label::words(instance, &action.kind));
        for line in travels.details(action) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if text.is_empty() {
        let stays = match host_after(instance, plan, vm) {
            Some(node) => format!("stays on {}: nothing asks it to leave", name::node(instance, node)),
            None => format!("stays {}: nothing asks for anything else", instance.place(vm).state().name()),
        };
        let _ = writeln!(text, "{} {stays}", name::vm(instance, vm));
    }
    text
}

/// Why a plan does not put a VM on a node, and what that would cost. `wish` is the instance
/// with that wish as its last constraint.
pub fn why_not(wish: &Instance, vm: VmId, node: NodeId, why: &WhyNot) -> String {
    let (vm, node) = (name::vm(wish, vm), name::node(wish, node));
    let mut text = String::new();
    if let Some(lack) = &why.lack {
        let _ = writeln!(text, "{vm} is not on {node}: {}", lacking(wish, lack, &node));
    }
    let _ = match &why.instead {
        Instead::Already => writeln!(text, "{vm} is on {node} at the end"),
        Instead::Unknown => {
            writeln!(text, "no plan with {vm} on {node} was found, and no proof that none exists")
        }
        Instead::Plan(with, without) => writeln!(text, "{vm} could be on {node}: {}", price(*with, *without)),
        Instead::Never(conflict) => {
            let conflict = without_wish(wish, conflict);
            let _ = writeln!(text, "{vm} can never be on {node}: {}", clash(wish, &conflict));
            clash::lines(&mut text, wish, &conflict);
            Ok(())
        }
    };
    text
}

/// The conflict without the wish, which nobody stated.
fn without_wish(wish: &Instance, conflict: &Conflict) -> Conflict {
    let mut conflict = conflict.clone();
    let last = wish.constraints().len() as u32 - 1;
    conflict.members.retain(|member| *member != Member::Constraint(last));
    conflict
}

fn lacking(instance: &Instance, lack: &Lack, node: &str) -> String {
    match lack {
        Lack::Room(resource, need, free) => format!(
            "needs {need} of {}, {node} has {free} left at the end of this plan",
            name::resource(instance, *resource)
        ),
        Lack::Rule(index) => format!("{} forbids it", words::constraint_at(instance, *index)),
    }
}

/// `1 relocation more (3 instead of 2), 5s instead of 3s`.
fn price([moves, end]: [u64; 2], [moves_now, end_now]: [u64; 2]) -> String {
    let moves = match moves.cmp(&moves_now) {
        std::cmp::Ordering::Equal => "no more relocations".to_owned(),
        std::cmp::Ordering::Greater => format!(
            "{} more ({moves} instead of {moves_now})",
            count(moves - moves_now, "relocation", "relocations")
        ),
        std::cmp::Ordering::Less => format!(
            "{} fewer ({moves} instead of {moves_now})",
            count(moves_now - moves, "relocation", "relocations")
        ),
    };
    format!("{moves}, done after {} instead of {}", words::seconds(end), words::seconds(end_now))
}

/// What an action of a plan waits for, one line for each other action; see
/// [`crate::explain::waits_for`].
pub fn why_action(instance: &Instance, plan: &Plan, action: u32, waits: &[(u32, Why)]) -> String {
    let Some(it) = plan.actions.get(action as usize) else { return String::new() };
    let reasons = Reasons::of(instance, plan);
    let why = reasons.text(it).map_or_else(String::new, |why| format!("  # {why}"));
    let mut text = format!("{action}: {}:{} {}{why}\n", it.start, it.end, label::words(instance, &it.kind));
    for line in Travels::of(instance, plan).details(it) {
        let _ = writeln!(text, "  {line}");
    }
    if waits.is_empty() {
        text.push_str("  waits for nothing\n");
    }
    for (first, why) in waits {
        let Some(other) = plan.actions.get(*first as usize) else { continue };
        let other = label::words(instance, &other.kind);
        let _ = writeln!(text, "  waits for {first}: {other}  # {}", reason(instance, why));
    }
    text
}

fn reason(instance: &Instance, why: &Why) -> String {
    match *why {
        Why::Boots(node) => format!("{} must be on first", name::node(instance, node)),
        Why::Empties(node) => {
            format!("{} must be left before it is switched off", name::node(instance, node))
        }
        Why::SameVm(vm) => format!("both are about {}", name::vm(instance, vm)),
        Why::Room(node, resource, need, free) => format!(
            "needs {need} of {} on {}, {free} free until then",
            name::resource(instance, resource),
            name::node(instance, node)
        ),
        Why::Way(channel) => match Roads::of(instance) {
            Some(roads) => {
                let what = roads.name(channel);
                format!("{} has too little left for both at that moment", name::sentence(&what))
            }
            None => "a link has too little left for both at that moment".to_owned(),
        },
        Why::Rule(index) => words::constraint_at(instance, index),
        Why::Unknown => "the order of the schedule".to_owned(),
    }
}

/// The lower bound on the number of relocations as a sum, one line a part; and what the
/// plan reaches.
pub fn why_bound(instance: &Instance, parts: &[BoundPart], levels: &[Bounded]) -> String {
    let sum: u64 = parts.iter().map(BoundPart::count).sum();
    let least = levels.first().filter(|level| level.level == Level::of(Metric::Relocations));
    let least = least.map_or(sum, |level| level.bound.max(sum));
    let mut text = format!("at least {}:\n", count(least, "relocation", "relocations"));
    for one in parts {
        let _ = writeln!(text, "  {}", part(instance, one));
    }
    // What is proved beyond the sum was proved by trying.
    if let Some(level) = levels.first()
        && level.level == Level::of(Metric::Relocations)
        && level.bound > sum
    {
        let _ = writeln!(
            text,
            "  {}: no order of actions does with fewer, as was found by trying them",
            level.bound - sum
        );
    }
    for level in levels {
        let _ = writeln!(
            text,
            "{}: this plan has {}, no plan has less than {}",
            level.level, level.value, level.bound
        );
    }
    text
}

fn part(instance: &Instance, part: &BoundPart) -> String {
    let leave = |fewest: u64| format!("at least {} must leave", count(fewest, "VM", "VMs"));
    match part {
        BoundPart::Must(vms, cause) => {
            let why = cause.map_or_else(
                || "they may not stay where they are".to_owned(),
                |index| words::constraint_at(instance, index),
            );
            format!("{}: {} must leave: {why}", vms.len(), name::vm_groups(instance, vms))
        }
        BoundPart::Overload(node, fewest, resource, over) => format!(
            "{fewest}: {} is overloaded by {over} {}: {}",
            name::node(instance, *node),
            name::resource(instance, *resource),
            leave(*fewest)
        ),
        BoundPart::Broken(node, fewest, index) => format!(
            "{fewest}: {} breaks {}: {}",
            name::node(instance, *node),
            words::constraint_at(instance, *index),
            leave(*fewest)
        ),
        BoundPart::Beyond(more) => {
            format!("{more}: rules over several nodes ask for more than each node alone")
        }
    }
}

/// The same answers as one document, `quadrille/answer/1`: those that were asked for.
#[derive(Debug, Default)]
pub struct Answers(serde_json::Map<String, Value>);

impl Answers {
    /// No answers yet.
    pub fn new() -> Self {
        let mut object = serde_json::Map::new();
        object.insert("schema".to_owned(), "quadrille/answer/1".into());
        Self(object)
    }

    /// What [`why_vm`] says.
    pub fn vm(&mut self, instance: &Instance, plan: &Plan, vm: VmId) {
        let reasons = Reasons::of(instance, plan);
        let travels = Travels::of(instance, plan);
        let actions: Vec<Value> = (0..)
            .zip(&plan.actions)
            .filter(|(_, action)| action.kind.vm() == Some(vm))
            .map(|(at, action): (u32, _)| {
                value!({
                    "id": at,
                    "text": label::words(instance, &action.kind),
                    "start": action.start,
                    "end": action.end,
                    "reason": reasons.text(action),
                    "travel": travels.details(action),
                })
            })
            .collect();
        let host = host_after(instance, plan, vm).map(|node| name::raw_node(instance, node));
        self.0.insert(
            "vm".to_owned(),
            value!({ "vm": name::raw_vm(instance, vm), "actions": actions, "node": host }),
        );
    }

    /// What [`why_not`] says.
    pub fn not(&mut self, wish: &Instance, vm: VmId, node: NodeId, why: &WhyNot) {
        let lack = match &why.lack {
            None => Value::Null,
            Some(Lack::Room(resource, need, free)) => value!({
                "resource": name::raw_resource(wish, *resource), "need": need, "free": free,
            }),
            Some(Lack::Rule(index)) => value!({ "constraint": index }),
        };
        let (verdict, more) = match &why.instead {
            Instead::Already => ("already", Value::Null),
            Instead::Unknown => ("unknown", Value::Null),
            Instead::Plan(with, without) => (
                "possible",
                value!({
                    "relocations": with[0], "makespan": with[1],
                    "relocations_now": without[0], "makespan_now": without[1],
                }),
            ),
            Instead::Never(conflict) => ("impossible", json::conflict(wish, &without_wish(wish, conflict))),
        };
        self.0.insert(
            "to".to_owned(),
            value!({
                "vm": name::raw_vm(wish, vm),
                "node": name::raw_node(wish, node),
                "verdict": verdict,
                "lack": lack,
                "detail": more,
                "text": why_not(wish, vm, node, why),
            }),
        );
    }

    /// What [`why_action`] says.
    pub fn action(&mut self, instance: &Instance, plan: &Plan, action: u32, waits: &[(u32, Why)]) {
        let list: Vec<Value> = waits
            .iter()
            .map(|(first, why)| value!({ "action": first, "reason": reason(instance, why) }))
            .collect();
        let text = plan.actions.get(action as usize).map(|one| label::words(instance, &one.kind));
        let travels = Travels::of(instance, plan);
        let travel = plan.actions.get(action as usize).map_or_else(Vec::new, |one| travels.details(one));
        self.0.insert(
            "action".to_owned(),
            value!({ "id": action, "text": text, "travel": travel, "waits_for": list }),
        );
    }

    /// What [`why_bound`] says.
    pub fn bound(&mut self, instance: &Instance, parts: &[BoundPart], levels: &[Bounded]) {
        let list: Vec<Value> =
            parts.iter().map(|one| value!({ "count": one.count(), "text": part(instance, one) })).collect();
        let levels: Vec<Value> = levels
            .iter()
            .map(|level| {
                value!({ "name": level.level.to_string(), "value": level.value, "bound": level.bound })
            })
            .collect();
        let sum: u64 = parts.iter().map(BoundPart::count).sum();
        self.0.insert("bound".to_owned(), value!({ "relocations": sum, "parts": list, "levels": levels }));
    }

    /// The document; write it with [`super::json_text`].
    pub fn document(self) -> Value {
        Value::Object(self.0)
    }
}

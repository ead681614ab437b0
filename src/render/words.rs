//! Constraints, reasons and numbers in words.

use super::name;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::model::Action;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use rustc_hash::FxHashMap;

/// How many names of a set are shown.
const SHOWN: usize = 6;

/// A constraint as one writes it: `spread({VM1, VM2})`; long sets are cut.
pub(super) fn constraint(instance: &Instance, constraint: &Constraint) -> String {
    let arguments: Vec<String> =
        constraint.rule.arguments().iter().map(|argument| value(instance, argument)).collect();
    format!("{}({})", constraint.rule.signature().name, arguments.join(", "))
}

/// The constraint at an index, as one writes it.
pub(super) fn constraint_at(instance: &Instance, index: u32) -> String {
    match instance.constraints().get(index as usize) {
        Some(found) => constraint(instance, found),
        None => format!("constraint {index}"),
    }
}

pub(super) fn value(instance: &Instance, argument: &Argument) -> String {
    let vms = |list: &[crate::model::VmId]| shown(list, |&vm| name::vm(instance, vm));
    let nodes = |list: &[NodeId]| shown(list, |&node| name::node(instance, node));
    match argument {
        Argument::Vm(vm) => name::vm(instance, *vm),
        Argument::Node(node) => name::node(instance, *node),
        Argument::Vms(list) => format!("{{{}}}", vms(list)),
        Argument::VmList(list) => format!("[{}]", vms(list)),
        Argument::Nodes(list) => format!("{{{}}}", nodes(list)),
        Argument::VmSets(sets) => format!("{{{}}}", shown(sets, |set| format!("{{{}}}", vms(set)))),
        Argument::NodeSets(sets) => format!("{{{}}}", shown(sets, |set| format!("{{{}}}", nodes(set)))),
        Argument::Resource(resource) => name::resource(instance, *resource),
        Argument::Amount(amount) => amount.to_string(),
        Argument::Ratio(ratio) => ratio.get().to_string(),
        Argument::Time(moment) => moment.to_string(),
        Argument::Word(word) => name::word(word).into_owned(),
    }
}

fn shown<T>(list: &[T], text: impl Fn(&T) -> String) -> String {
    let mut parts: Vec<String> = list.iter().take(SHOWN).map(text).collect();
    if list.len() > SHOWN {
        parts.push(format!("… {} in all", list.len()));
    }
    parts.join(", ")
}

/// Says why actions are in a plan.
pub(super) struct Reasons<'a> {
    instance: &'a Instance,
    /// Whether the nodes that reasons speak of are overloaded before the plan.
    overloaded: FxHashMap<(NodeId, ResourceId), bool>,
}

impl<'a> Reasons<'a> {
    /// Looks at the loads where a reason asks for them.
    pub(super) fn of(instance: &'a Instance, plan: &Plan) -> Self {
        let mut loads: FxHashMap<(NodeId, ResourceId), u64> = FxHashMap::default();
        let mut resources: Vec<ResourceId> = Vec::new();
        for action in &plan.actions {
            if let Reason::Overload(node, resource) = action.reason
                && node.index() < instance.node_count()
                && resource.index() < instance.resource_count()
            {
                loads.insert((node, resource), 0);
                if !resources.contains(&resource) {
                    resources.push(resource);
                }
            }
        }
        for &resource in &resources {
            for vm in instance.vm_ids() {
                if let Some(host) = instance.place(vm).host()
                    && let Some(load) = loads.get_mut(&(host, resource))
                {
                    *load = load.saturating_add(instance.demand(vm, resource));
                }
            }
        }
        let overloaded = loads
            .into_iter()
            .map(|((node, resource), load)| ((node, resource), load > instance.capacity(node, resource)))
            .collect();
        Self { instance, overloaded }
    }

    /// Why an action is in the plan; `None` where nothing is known.
    pub(super) fn text(&self, action: &Action) -> Option<String> {
        let instance = self.instance;
        let subject = |node: NodeId| match action.kind.vm() {
            Some(vm) => format!("{} does not fit on {}", name::vm(instance, vm), name::node(instance, node)),
            None => format!("no room on {}", name::node(instance, node)),
        };
        Some(match action.reason {
            Reason::Unknown => return None,
            Reason::Constraint(index) => constraint_at(instance, index),
            Reason::Overload(node, resource) => {
                let resource_name = name::resource(instance, resource);
                if self.overloaded.get(&(node, resource)) == Some(&true) {
                    format!("{} is overloaded: {resource_name}", name::node(instance, node))
                } else {
                    format!("{}: {resource_name}", subject(node))
                }
            }
            Reason::NoRoom(node) => format!("{} beside the others", subject(node)),
            Reason::RoomFor(vm) => format!("makes room for {}", name::vm(instance, vm)),
            Reason::Parking => {
                "a stop on the way: moves wait for each other, or the plan is better so".to_owned()
            }
            Reason::Hosts(vm) => format!("to host {}", name::vm(instance, vm)),
        })
    }
}

/// Seconds for people: `8s`, `12m30s`, `1h00m05s`.
pub(super) fn seconds(total: u64) -> String {
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds:02}s"),
        _ => format!("{hours}h{minutes:02}m{seconds:02}s"),
    }
}

/// A number with its noun: `1 boot`, `7 migrations`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_for_people() {
        assert_eq!(seconds(0), "0s");
        assert_eq!(seconds(59), "59s");
        assert_eq!(seconds(750), "12m30s");
        assert_eq!(seconds(3605), "1h00m05s");
        assert_eq!(count(1, "boot", "boots"), "1 boot");
        assert_eq!(count(0, "boot", "boots"), "0 boots");
    }
}

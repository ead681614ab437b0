//! Sets of VMs and nodes, and rules about them, as short as they can be said.

use super::name;
use super::words;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Of so many with one beginning all are named.
const NAMED: usize = 4;

/// VMs: names, or `db*` where these are all whose names are `db` and a number.
pub(super) fn vms(instance: &Instance, vms: &[VmId]) -> String {
    let names: Vec<&str> = vms.iter().map(|&vm| instance.vm_name(vm)).collect();
    braced(short(&names, &|stem| instance.vms().names().filter(|name| name::stem(name) == stem).count()))
}

/// Nodes: the same, or `rack r1` where these are all nodes with that attribute.
pub(super) fn nodes(instance: &Instance, nodes: &[NodeId]) -> String {
    if let Some(text) = with_attribute(instance, nodes) {
        return text;
    }
    let names: Vec<&str> = nodes.iter().map(|&node| instance.node_name(node)).collect();
    braced(short(&names, &|stem| instance.nodes().names().filter(|name| name::stem(name) == stem).count()))
}

fn braced(parts: Vec<String>) -> String {
    match parts.as_slice() {
        [only] => only.clone(),
        several => format!("{{{}}}", several.join(", ")),
    }
}

/// `all`: how many names of the instance begin so and end in a number.
fn short(names: &[&str], all: &dyn Fn(&str) -> usize) -> Vec<String> {
    let mut by_stem: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut at_stem: FxHashMap<&str, usize> = FxHashMap::default();
    for &one in names {
        let stem = name::stem(one);
        let at = *at_stem.entry(stem).or_insert_with(|| {
            by_stem.push((stem, Vec::new()));
            by_stem.len() - 1
        });
        by_stem[at].1.push(one);
    }
    let mut parts = Vec::new();
    for (stem, members) in by_stem {
        let total = if members.len() > 2 && !stem.is_empty() { all(stem) } else { 0 };
        if total == members.len() && total > 0 {
            parts.push(name::word(&format!("{stem}*")).into_owned());
        } else if members.len() > NAMED && total > 0 {
            parts.push(format!("{} of {}", members.len(), name::word(&format!("{stem}*"))));
        } else {
            parts.extend(members.iter().map(|name| name::word(name).into_owned()));
        }
    }
    const MOST: usize = 12;
    if parts.len() > MOST {
        let more = parts.len() - MOST + 1;
        parts.truncate(MOST - 1);
        parts.push(format!("… {more} more"));
    }
    parts
}

/// `rack r1`, where these are the nodes of which the attribute `rack` is `r1`.
fn with_attribute(instance: &Instance, nodes: &[NodeId]) -> Option<String> {
    let (first, rest) = nodes.split_first().filter(|(_, rest)| !rest.is_empty())?;
    let attributes = instance.nodes().attributes();
    attributes.of(first.index()).find_map(|(key, value)| {
        let text = value.as_text()?;
        let has =
            |node: &NodeId| attributes.get(node.index(), key).and_then(|value| value.as_text()) == Some(text);
        let all = rest.iter().all(has) && instance.node_ids().filter(has).count() == nodes.len();
        all.then(|| format!("{} {}", name::word(key), name::word(text)))
    })
}

/// Rules that are said together: all that differ in their first argument only.
struct Group<'i> {
    indices: Vec<u32>,
    vms: Vec<VmId>,
    nodes: Vec<NodeId>,
    constraint: &'i Constraint,
    arguments: Vec<Argument>,
}

/// Rules that differ in their first VM or node only are said once: the rules of each group,
/// and the text. Rules that the instance has not are left out.
pub(super) fn rules(instance: &Instance, indices: &[u32]) -> Vec<(Vec<u32>, String)> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for &index in indices {
        let Some(constraint) = instance.constraints().get(index as usize) else { continue };
        let arguments = constraint.rule.arguments();
        let same = |group: &Group<'_>| {
            let alike = match (group.arguments.first(), arguments.first()) {
                (Some(Argument::Vm(_)), Some(Argument::Vm(_))) => true,
                (Some(Argument::Node(_)), Some(Argument::Node(_))) => true,
                _ => return false,
            };
            alike
                && group.constraint.rule.signature().name == constraint.rule.signature().name
                && group.constraint.restriction == constraint.restriction
                && group.arguments[1..] == arguments[1..]
        };
        let group = match groups.iter().position(same) {
            Some(at) => &mut groups[at],
            None => {
                let (vms, nodes) = (Vec::new(), Vec::new());
                groups.push(Group {
                    indices: Vec::new(),
                    vms,
                    nodes,
                    constraint,
                    arguments: arguments.clone(),
                });
                let last = groups.len() - 1;
                &mut groups[last]
            }
        };
        group.indices.push(index);
        match arguments.first() {
            Some(Argument::Vm(vm)) => group.vms.push(*vm),
            Some(Argument::Node(node)) => group.nodes.push(*node),
            _ => {}
        }
    }
    groups.into_iter().map(|group| (group.indices.clone(), group.text(instance))).collect()
}

impl Group<'_> {
    fn text(&self, instance: &Instance) -> String {
        let argument = |argument: &Argument| match argument {
            Argument::Vms(set) => vms(instance, set),
            Argument::Nodes(set) => nodes(instance, set),
            Argument::NodeSets(sets) => {
                let sets: Vec<String> = sets.iter().map(|set| nodes(instance, set)).collect();
                format!("{{{}}}", sets.join(", "))
            }
            other => words::value(instance, other),
        };
        let mut texts: Vec<String> = self.arguments.iter().map(argument).collect();
        if let Some(first) = texts.first_mut() {
            if self.vms.len() > 1 {
                *first = vms(instance, &self.vms);
            } else if self.nodes.len() > 1 {
                *first = nodes(instance, &self.nodes);
            }
        }
        format!("{}({})", self.constraint.rule.signature().name, texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::fence::Fence;
    use crate::constraint::spread::Spread;
    use crate::model::InstanceBuilder;
    use crate::model::Value;

    #[test]
    fn sets_and_rules_are_short() {
        let mut b = InstanceBuilder::new();
        let nodes: Vec<NodeId> = (0..6).map(|at| b.node(&format!("n{at}"))).collect();
        for &node in &nodes[..3] {
            b.node_attribute(node, "rack", Value::Text("r1".into()));
        }
        let db: Vec<VmId> = (0..3).map(|at| b.running_vm(&format!("db{at}"), nodes[0])).collect();
        let web: Vec<VmId> = (0..8).map(|at| b.running_vm(&format!("web{at}"), nodes[0])).collect();
        for &vm in &db {
            b.constraint(Constraint::new(Fence { vm, nodes: nodes[..3].into() }));
        }
        b.constraint(Constraint::new(Spread { vms: web[..2].into() }));
        let instance = b.build().expect("an instance");
        assert_eq!(vms(&instance, &db), "db*");
        assert_eq!(vms(&instance, &db[..2]), "{db0, db1}");
        assert_eq!(vms(&instance, &web[1..7]), "6 of web*");
        assert_eq!(vms(&instance, &[&db[..], &web[..1]].concat()), "{db*, web0}");
        assert_eq!(super::nodes(&instance, &nodes[..3]), "rack r1");
        assert_eq!(super::nodes(&instance, &nodes[1..3]), "{n1, n2}");
        assert_eq!(super::nodes(&instance, &nodes[..1]), "n0");
        assert_eq!(
            rules(&instance, &[0, 1, 2, 3]),
            [(vec![0, 1, 2], "fence(db*, rack r1)".to_owned()), (vec![3], "spread({web0, web1})".to_owned())]
        );
    }
}

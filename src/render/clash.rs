//! Conflicts in words.

use super::name;
use super::set;
use super::words;
use crate::explain;
use crate::explain::Stuck;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::outcome::Lack;
use crate::outcome::Member;
use crate::outcome::Wait;
use rustc_hash::FxHashSet;
use std::fmt::Write;

/// What cannot be, in one sentence with the numbers: `db1, db2 and db3 need 3 nodes of
/// their own, 2 are left to them (n1, n2)`. VMs that can never migrate are named, with why.
pub fn clash(instance: &Instance, conflict: &Conflict) -> String {
    let mut text = plainly(instance, conflict);
    for why in stuck(instance, conflict) {
        text.push_str("; ");
        text.push_str(&why);
    }
    text
}

/// Of VMs of a conflict that can never migrate: why.
fn stuck(instance: &Instance, conflict: &Conflict) -> Vec<String> {
    if !matches!(conflict.clash, Clash::NoNode | Clash::Nowhere | Clash::Order) {
        return Vec::new();
    }
    let vm_of = |member: &Member| match member {
        Member::Vm(vm) | Member::Place(vm) => Some(*vm),
        _ => None,
    };
    let mut vms: Vec<VmId> = conflict.members.iter().filter_map(vm_of).collect();
    if vms.is_empty() {
        vms.clone_from(&conflict.vms);
    }
    vms.sort_unstable();
    vms.dedup();
    // A conflict that is known in full has the fact that it is about.
    let full = conflict.members.iter().any(|member| !matches!(member, Member::Constraint(_)));
    let speaks = |member: &Member| !full || conflict.members.contains(member);
    let mut texts = Vec::new();
    for &vm in vms.iter().filter(|vm| vm.index() < instance.vm_count()).take(FEW) {
        let called = name::vm(instance, vm);
        for why in explain::stuck(instance, vm) {
            match why {
                Stuck::Endless(to, error) if speaks(&Member::Network) => {
                    let to = match to {
                        None => String::new(),
                        Some(nodes) => format!(" to {}", name::nodes(instance, &nodes)),
                    };
                    texts.push(format!("{called} cannot migrate{to}: {error}"));
                }
                Stuck::Dear(index, cost, most) if speaks(&Member::Constraint(index)) => texts.push(format!(
                    "to migrate {called} takes {cost} of what {} allows, which is {most}",
                    words::constraint_at(instance, index)
                )),
                Stuck::Endless(..) | Stuck::Dear(..) => {}
            }
        }
    }
    texts
}

fn plainly(instance: &Instance, conflict: &Conflict) -> String {
    let vms = name::vm_groups(instance, &conflict.vms);
    let one = conflict.vms.len() == 1;
    let who = if vms.is_empty() { "the VMs that run".to_owned() } else { vms.clone() };
    let nodes = name::nodes(instance, &conflict.nodes);
    let resource = |resource| name::resource(instance, resource);
    let rule = |index: u32| match instance.constraints().get(index as usize) {
        Some(found) => format!("`{}`", found.rule.signature().name),
        None => format!("constraint {index}"),
    };
    let needs = if one { "needs" } else { "need" };
    match &conflict.clash {
        Clash::VmStates(one, other) => {
            format!("VM {vms} is asked to be {} and to be {}", one.name(), other.name())
        }
        Clash::Unreachable(now, then) => format!(
            "VM {vms} is {} and is asked to be {}: no single action leads there",
            now.name(),
            then.name()
        ),
        Clash::NodeStates => format!("node {nodes} is asked to be online and to be offline"),
        Clash::Image => {
            format!("node {nodes} is asked to be offline and stores VM {vms}, which is asleep at the end")
        }
        Clash::Source(text) => format!("broken before the plan starts: {}", name::sentence(text)),
        Clash::Load(what, need, has) => {
            format!("{who} must be on node {nodes} and {needs} {need} of {}, it has {has}", resource(*what))
        }
        Clash::Broken(constraint) => {
            let verb = if one { "breaks" } else { "break" };
            format!("{who} must be on node {nodes} and {verb} {}", rule(*constraint))
        }
        Clash::NoNode => format!("no node that is on at the end may run VM {vms}"),
        Clash::Room(amounts) => {
            let amounts: Vec<String> = amounts
                .iter()
                .map(|&(what, need, has)| {
                    let have = if conflict.nodes.len() == 1 { "it has" } else { "they have" };
                    format!("{needs} {need} of {}, {have} {has}", resource(what))
                })
                .collect();
            let where_to = match conflict.nodes.as_slice() {
                [] => "the nodes that they may use".to_owned(),
                [only] => format!("node {}", name::node(instance, *only)),
                some if some.len() <= FEW => nodes,
                some => format!("{} nodes that they may use", some.len()),
            };
            format!("there is not enough room: {who} on {where_to} {}", amounts.join("; "))
        }
        Clash::FewOn(constraint, what) => format!(
            "the nodes that {} lets be online, were they the largest, have too little {} for {who}",
            rule(*constraint),
            resource(*what)
        ),
        Clash::Together(what, need, has) if one => {
            format!("{who} needs {need} of {}: no node that it may use has more than {has}", resource(*what))
        }
        Clash::Together(what, need, has) => format!(
            "{who} must share a node and {needs} {need} of {}: no node of theirs has more than {has}",
            resource(*what)
        ),
        Clash::Seats(need, have) => {
            let few = (1..=FEW).contains(&conflict.nodes.len());
            let which = if few { format!(" ({nodes})") } else { String::new() };
            let left = if *have == 1 { "1 is" } else { &format!("{have} are") };
            format!("{who} {needs} {}, {left} left{which}", places(*need))
        }
        Clash::Late(least) => {
            format!("no plan ends within the horizon: the shortest takes {least} s at least")
        }
        Clash::Nowhere => format!("{who} cannot all be placed: no places keep every rule at the end"),
        Clash::Order if conflict.waits.is_empty() => {
            "every order of actions was tried: none leads to a configuration that satisfies all constraints"
                .to_owned()
        }
        Clash::Order => {
            let waits: Vec<String> = conflict.waits.iter().map(|one| wait(instance, one)).collect();
            format!("there are places for all, and no order of moves: {}", waits.join("; "))
        }
    }
}

/// `a (n1 -> n2) waits for b to leave: it needs 5 of cpu there, 3 are free`.
fn wait(instance: &Instance, wait: &Wait) -> String {
    let vm = name::vm(instance, wait.vm);
    let to = name::node(instance, wait.to);
    let way = match wait.from {
        Some(from) => format!("{vm} ({} -> {to})", name::node(instance, from)),
        None => format!("{vm} (to {to})"),
    };
    let why = match wait.lack {
        Lack::Room(what, need, free) => {
            let are = if free == 1 { "is" } else { "are" };
            format!("needs {need} of {}, {free} {are} free", name::resource(instance, what))
        }
        Lack::Rule(index) => format!("{} forbids it at that moment", words::constraint_at(instance, index)),
    };
    match wait.others.as_slice() {
        [] => format!("{way} never starts: {why}"),
        others => format!("{way} waits for {} to leave: {why}", name::vm_groups(instance, others)),
    }
}

/// Sets of nodes up to this size are named.
const FEW: usize = 4;

fn places(count: u64) -> String {
    words::count(count, "place of their own", "places of their own")
}

/// A member of a conflict, as a phrase: a rule as one writes it, or a fact with its numbers.
pub fn member(instance: &Instance, member: &Member) -> String {
    match member {
        Member::Constraint(index) => words::constraint_at(instance, *index),
        Member::Vm(vm) => {
            let amounts: Vec<String> = instance
                .resource_ids()
                .filter(|_| vm.index() < instance.vm_count())
                .filter(|&resource| instance.demand(*vm, resource) > 0)
                .map(|resource| {
                    format!("{} {}", name::resource(instance, resource), instance.demand(*vm, resource))
                })
                .collect();
            let takes =
                if amounts.is_empty() { String::new() } else { format!(" and takes {}", amounts.join(", ")) };
            format!("{} runs{takes}", name::vm(instance, *vm))
        }
        Member::Place(vm) => {
            let place = instance.place(*vm).node();
            match place {
                Some(node) => format!("{} is on {}", name::vm(instance, *vm), name::node(instance, node)),
                None => format!("{} is on no node", name::vm(instance, *vm)),
            }
        }
        Member::Capacity(nodes, resource) => {
            let capacity = |node: &NodeId| instance.capacity(*node, *resource);
            let what = name::resource(instance, *resource);
            let (least, most) = (nodes.iter().map(capacity).min(), nodes.iter().map(capacity).max());
            match (nodes.as_slice(), least, most) {
                ([only], Some(most), _) => format!("{} has {most} of {what}", name::node(instance, *only)),
                (_, Some(least), Some(most)) if least == most => {
                    format!("{} have {most} of {what} each", name::node_groups(instance, nodes))
                }
                (_, _, Some(most)) => {
                    format!("{} have at most {most} of {what} each", name::node_groups(instance, nodes))
                }
                _ => format!("the capacity of {what}"),
            }
        }
        Member::Network => "migrations travel on the network as it is".to_owned(),
        Member::Horizon(seconds) => format!("the plan ends within {}", words::seconds(*seconds)),
    }
}

/// The members of a conflict, one a line: rules that differ in a VM only on one, with the
/// places where they were stated; a VM and its place together.
pub(super) fn lines(text: &mut String, instance: &Instance, conflict: &Conflict) {
    let all: Vec<u32> = conflict.constraints().collect();
    for (indices, rule) in set::rules(instance, &all) {
        let mut places: Vec<String> = indices
            .iter()
            .map(|&index| match conflict.origin(index) {
                Some(origin) => {
                    format!("{}:{}:{}", name::sentence(&origin.file), origin.line, origin.column)
                }
                None => format!("constraints[{index}]"),
            })
            .collect();
        places.dedup();
        if places.len() > FEW {
            let more = places.len() - FEW;
            places.truncate(FEW);
            places.push(format!("{more} more"));
        }
        let _ = writeln!(text, "  {rule} ({})", places.join(", "));
    }
    for fact in facts(instance, conflict) {
        let _ = writeln!(text, "  {fact}");
    }
}

/// The facts of a conflict in words: VMs that take the same and nodes that have the same
/// together.
fn facts(instance: &Instance, conflict: &Conflict) -> Vec<String> {
    let mut vms: Vec<(Vec<u64>, Vec<VmId>)> = Vec::new();
    let mut capacities: Vec<((ResourceId, u64), Vec<NodeId>)> = Vec::new();
    let mut texts = Vec::new();
    let mut others = Vec::new();
    let (mut there, mut placed) = (FxHashSet::default(), FxHashSet::default());
    for one in &conflict.members {
        match one {
            Member::Vm(vm) => {
                there.insert(*vm);
            }
            Member::Place(vm) => {
                placed.insert(*vm);
            }
            _ => {}
        }
    }
    for one in &conflict.members {
        match one {
            Member::Vm(vm) if placed.contains(vm) => {
                let runs = member(instance, one);
                let name = name::vm(instance, *vm);
                let more = runs.strip_prefix(&format!("{name} runs")).unwrap_or_default();
                let at = instance
                    .place(*vm)
                    .host()
                    .map_or_else(String::new, |node| format!(" on {}", name::node(instance, node)));
                texts.push(format!("{name} runs{at}{more}"));
            }
            Member::Vm(vm) => {
                let takes: Vec<u64> =
                    instance.resource_ids().map(|resource| instance.demand(*vm, resource)).collect();
                match vms.iter_mut().find(|(other, _)| *other == takes) {
                    Some((_, group)) => group.push(*vm),
                    None => vms.push((takes, vec![*vm])),
                }
            }
            Member::Capacity(nodes, resource) if nodes.len() == 1 => {
                let key = (*resource, instance.capacity(nodes[0], *resource));
                match capacities.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, group)) => group.extend(nodes),
                    None => capacities.push((key, nodes.clone())),
                }
            }
            Member::Place(vm) if there.contains(vm) => {}
            Member::Constraint(index) if instance.constraints().len() > *index as usize => {}
            _ => others.push(member(instance, one)),
        }
    }
    for (takes, group) in vms {
        let amounts: Vec<String> = instance
            .resource_ids()
            .zip(&takes)
            .filter(|(_, amount)| **amount > 0)
            .map(|(resource, amount)| format!("{} {amount}", name::resource(instance, resource)))
            .collect();
        texts.push(match (group.as_slice(), amounts.is_empty()) {
            ([only], _) => member(instance, &Member::Vm(*only)),
            (some, true) => format!("{} run", name::vm_groups(instance, some)),
            (some, false) => {
                format!("{} run and take {} each", name::vm_groups(instance, some), amounts.join(", "))
            }
        });
    }
    let capacities = capacities.into_iter().map(|((resource, _), nodes)| Member::Capacity(nodes, resource));
    texts.extend(capacities.map(|one| member(instance, &one)));
    texts.extend(others);
    texts
}

/// The rules of a conflict for a sentence.
pub(super) fn rules(instance: &Instance, conflict: &Conflict) -> Vec<String> {
    let all: Vec<u32> = conflict.constraints().collect();
    set::rules(instance, &all).into_iter().map(|(_, rule)| format!("`{rule}`")).collect()
}

/// The word for a kind of clash that documents use.
pub(super) fn kind(clash: &Clash) -> &'static str {
    match clash {
        Clash::VmStates(..) => "vm_states",
        Clash::Unreachable(..) => "unreachable_state",
        Clash::NodeStates => "node_states",
        Clash::Image => "image",
        Clash::Source(_) => "broken_at_source",
        Clash::Load(..) => "load",
        Clash::Broken(_) => "broken_on_node",
        Clash::NoNode => "no_node",
        Clash::Room(_) => "room",
        Clash::FewOn(..) => "too_few_nodes_on",
        Clash::Together(..) => "together",
        Clash::Seats(..) => "seats",
        Clash::Late(_) => "late",
        Clash::Nowhere => "nowhere",
        Clash::Order => "order",
    }
}

/// The VMs and nodes of the conflict that a member speaks of, by their names.
pub(super) fn subjects(instance: &Instance, conflict: &Conflict, member: &Member) -> Vec<String> {
    let (mut vms, mut nodes) = (Vec::new(), Vec::new());
    match member {
        Member::Constraint(index) => {
            let found = instance.constraints().get(*index as usize);
            for argument in found.map(|found| found.rule.arguments()).unwrap_or_default() {
                argument.for_each_vm(|vm| vms.push(vm));
                argument.for_each_node(|node| nodes.push(node));
            }
        }
        Member::Vm(vm) => vms.push(*vm),
        Member::Place(vm) => {
            vms.push(*vm);
            nodes.extend(instance.place(*vm).node());
        }
        Member::Capacity(some, _) => nodes.extend(some),
        Member::Network | Member::Horizon(_) => {}
    }
    vms.retain(|vm| conflict.vms.contains(vm));
    nodes.retain(|node| conflict.nodes.contains(node) || matches!(member, Member::Place(_)));
    let vms = vms.into_iter().map(|vm| name::vm(instance, vm));
    vms.chain(nodes.into_iter().map(|node| name::node(instance, node))).collect()
}

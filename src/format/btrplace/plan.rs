//! Reading plans.

use super::clone;
use super::mapping;
use super::mapping::NODE;
use super::mapping::VM;
use super::mapping::is_absent;
use super::model;
use super::model::Model;
use super::view;
use crate::format::Context;
use crate::format::FormatError;
use crate::format::ReadOptions;
use crate::format::field::Field;
use crate::format::field::fields;
use crate::format::field::only;
use crate::format::field::required;
use crate::format::field::skip_others;
use crate::format::nearest::hint;
use crate::format::read_document;
use crate::format::reader::Number;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::Place;
use crate::model::Plan;
use std::borrow::Cow;
use std::collections::HashSet;

/// Reads a plan for an instance. BtrPlace's plans have no happens-before edges and no
/// reasons; the bandwidth of migrations is checked to be a number and left out.
///
/// # Errors
/// Where the document is not a plan, or not one for this instance: its `origin` must
/// declare the same VMs and nodes in the same states with the same amounts.
pub fn read_plan(bytes: &[u8], instance: &Instance) -> Result<Plan, FormatError> {
    let (plan, _) = read_document(bytes, &ReadOptions::default(), |mut reader, context| {
        let document = Document::read(&mut reader)?;
        // What BtrPlace does not know, the origin leaves out.
        let absent = instance.vm_ids().filter(|&vm| is_absent(instance, vm));
        let absent: Vec<u32> = absent.map(|vm| instance.vms().number(vm.index())).collect();
        let origin = document.origin(&reader, &absent, context)?;
        if let Some(difference) = difference(&origin, instance) {
            return fault(
                document.origin.span.start,
                format!("the plan starts from another configuration: {difference}"),
            );
        }
        clone::fold(&document.actions, &origin)
    })?;
    Ok(plan)
}

/// Reads a plan, and the configuration that it starts from: an instance without
/// constraints. VMs that the plan forges are part of it, yet to be forged.
///
/// # Errors
/// Where the document is not a plan.
pub fn read_plan_with_origin(bytes: &[u8]) -> Result<(Instance, Plan), FormatError> {
    let (read, _) = read_document(bytes, &ReadOptions::default(), |mut reader, context| {
        let document = Document::read(&mut reader)?;
        let clones: HashSet<u32> = document
            .actions
            .iter()
            .flat_map(|action| &action.events)
            .filter_map(|event| match event.kind {
                EventKind::Substituted { new, .. } => Some(new),
                EventKind::Allocate { .. } => None,
            })
            .collect();
        let forged = document.actions.iter().filter_map(|action| match action.kind {
            WireKind::Forge { vm } if !clones.contains(&vm) => Some(vm),
            _ => None,
        });
        let forged: Vec<u32> = forged.collect();
        let origin = document.origin(&reader, &forged, context)?;
        let plan = clone::fold(&document.actions, &origin)?;
        let start = document.origin.span.start;
        let instance = model::checked(&reader, start, "origin", origin.instance)?;
        Ok((instance, plan))
    })?;
    Ok(read)
}

/// An action with the integers of the document.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) at: usize,
    pub(super) kind: WireKind<'a>,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) events: Vec<Event<'a>>,
}

/// The bandwidth of a migration without one.
pub(super) const NO_BANDWIDTH: i64 = i32::MAX as i64;

#[derive(Clone, Debug)]
pub(super) enum WireKind<'a> {
    Migrate { vm: u32, from: u32, to: u32, bandwidth: u64 },
    Boot { vm: u32, on: u32 },
    Shutdown { vm: u32, on: u32 },
    Suspend { vm: u32, on: u32 },
    Resume { vm: u32, from: u32, to: u32 },
    Kill { vm: u32, on: Option<u32> },
    Forge { vm: u32 },
    Allocate { vm: u32, on: u32, resource: Cow<'a, str>, amount: u64 },
    BootNode { node: u32 },
    ShutdownNode { node: u32 },
}

/// What happens along with an action.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) at: usize,
    pub(super) kind: EventKind<'a>,
}

#[derive(Debug)]
pub(super) enum EventKind<'a> {
    Allocate { vm: u32, resource: Cow<'a, str>, amount: u64 },
    Substituted { vm: u32, new: u32 },
}

struct Document<'a> {
    origin: Field<'a>,
    actions: Vec<Wire<'a>>,
}

const ACTIONS: [&str; 10] = [
    "allocate",
    "bootNode",
    "bootVM",
    "forgeVM",
    "killVM",
    "migrateVM",
    "resumeVM",
    "shutdownNode",
    "shutdownVM",
    "suspendVM",
];

impl<'a> Document<'a> {
    fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let start = reader.here();
        let keys = fields(reader, "a plan: an object with the keys `origin` and `actions`")?;
        reader.end()?;
        skip_others(reader, &keys, &["origin", "actions"])?;
        let origin = required(&keys, "origin", start)?.clone();
        let actions = required(&keys, "actions", start)?.read(reader, |reader| {
            let mut actions = Vec::new();
            reader.array("an array of actions")?;
            while reader.element()? {
                actions.push(action(reader)?);
            }
            Ok(actions)
        })?;
        Ok(Self { origin, actions })
    }

    fn origin(&self, reader: &Reader<'a>, introduced: &[u32], context: &mut Context) -> Parsed<Model> {
        self.origin.read(reader, |reader| model::read(reader, introduced, context))
    }
}

fn action<'a>(reader: &mut Reader<'a>) -> Parsed<Wire<'a>> {
    let at = reader.here();
    let (fields, id_at, id) = model::with_id(reader, "an action: an object with the key `id`")?;
    let reader = &*reader;
    let number = |key, what| required(&fields, key, at)?.read(reader, |reader| mapping::number(reader, what));
    let time = |key| {
        required(&fields, key, at)?.read(reader, |reader| {
            reader.unsigned(u64::from(u32::MAX), "a moment: seconds from the start of the plan")
        })
    };
    let vm = || number("vm", VM);
    let node = |key| number(key, NODE);
    let kind = match id.as_ref() {
        "bootVM" => WireKind::Boot { vm: vm()?, on: node("on")? },
        "shutdownVM" => WireKind::Shutdown { vm: vm()?, on: node("on")? },
        "killVM" => {
            let on = match only(&fields, "on")? {
                Some(_) => Some(node("on")?),
                None => None,
            };
            WireKind::Kill { vm: vm()?, on }
        }
        "forgeVM" => WireKind::Forge { vm: vm()? },
        "migrateVM" => {
            let bandwidth = match only(&fields, "bw")? {
                Some(field) => field.read(reader, |reader| reader.number("a bandwidth: a number"))?,
                None => Number::Int(0),
            };
            // The largest number stands for none.
            let bandwidth = match bandwidth {
                Number::Int(bandwidth @ 1..NO_BANDWIDTH) => bandwidth as u64,
                _ => 0,
            };
            WireKind::Migrate { vm: vm()?, from: node("from")?, to: node("to")?, bandwidth }
        }
        "suspendVM" => {
            let (from, to) = (node("from")?, node("to")?);
            if from != to {
                return fault(
                    at,
                    format!("the image of a suspended VM stays on node {from}; here it goes to {to}"),
                );
            }
            WireKind::Suspend { vm: vm()?, on: from }
        }
        "resumeVM" => WireKind::Resume { vm: vm()?, from: node("from")?, to: node("to")? },
        "allocate" => {
            let resource = required(&fields, "rc", at)?
                .read(reader, |reader| reader.text_value("the name of a resource"))?;
            let amount = required(&fields, "amount", at)?.read(reader, view::amount)?;
            WireKind::Allocate { vm: vm()?, on: node("on")?, resource, amount }
        }
        "bootNode" => WireKind::BootNode { node: node("node")? },
        "shutdownNode" => WireKind::ShutdownNode { node: node("node")? },
        _ => return fault(id_at, format!("no action has the id {}{}", quoted(&id), hint(&id, ACTIONS))),
    };
    let (start, end) = (time("start")?, time("end")?);
    if start > end {
        return fault(at, format!("the action ends at {end}, before it starts at {start}"));
    }
    let events = match only(&fields, "hooks")? {
        Some(hooks) => hooks.read(reader, events)?,
        None => Vec::new(),
    };
    let known = ["id", "vm", "on", "node", "from", "to", "rc", "amount", "start", "end", "hooks", "bw"];
    skip_others(reader, &fields, &known)?;
    Ok(Wire { at, kind, start, end, events })
}

fn events<'a>(reader: &mut Reader<'a>) -> Parsed<Vec<Event<'a>>> {
    let mut events = Vec::new();
    reader.object("hooks: an object with the keys `pre` and `post`")?;
    while let Some(hook) = reader.key()? {
        if !hook.eq_ignore_ascii_case("pre") && !hook.eq_ignore_ascii_case("post") {
            return fault(reader.key_at(), format!("expected `pre` or `post`, found {}", quoted(&hook)));
        }
        reader.array("an array of events")?;
        while reader.element()? {
            let at = reader.here();
            let (fields, id_at, id) = model::with_id(reader, "an event: an object with the key `id`")?;
            let reader = &*reader;
            let vm = |key| required(&fields, key, at)?.read(reader, |reader| mapping::number(reader, VM));
            let kind = match id.as_ref() {
                "allocate" => EventKind::Allocate {
                    vm: vm("vm")?,
                    resource: required(&fields, "rc", at)?
                        .read(reader, |reader| reader.text_value("the name of a resource"))?,
                    amount: required(&fields, "amount", at)?.read(reader, view::amount)?,
                },
                "substitutedVM" => EventKind::Substituted { vm: vm("vm")?, new: vm("newVm")? },
                _ => {
                    let near = hint(&id, ["allocate", "substitutedVM"]);
                    return fault(id_at, format!("no event has the id {}{near}", quoted(&id)));
                }
            };
            skip_others(reader, &fields, &["id", "vm", "newVm", "rc", "amount"])?;
            events.push(Event { at, kind });
        }
    }
    Ok(events)
}

/// The first thing in which the origin of a plan differs from the instance.
fn difference(origin: &Model, instance: &Instance) -> Option<String> {
    let other = &origin.instance;
    for (kind, numbers, elements) in
        [("node", origin.nodes.numbers(), instance.nodes()), ("VM", origin.vms.numbers(), instance.vms())]
    {
        let own: HashSet<u32> = (0..elements.len()).map(|index| elements.number(index)).collect();
        if let Some(number) = numbers.iter().find(|number| !own.contains(number)) {
            return Some(format!("it has a {kind} {number}, which the instance lacks"));
        }
        let missing =
            (0..elements.len()).find(|&index| numbers.binary_search(&elements.number(index)).is_err());
        if let Some(index) = missing {
            return Some(format!("it lacks {kind} {}", quoted(elements.name(index))));
        }
    }
    for node in instance.node_ids() {
        let name = quoted(instance.node_name(node));
        if other.is_online(node) != instance.is_online(node) {
            let word = if other.is_online(node) { "online" } else { "offline" };
            return Some(format!("node {name} is {word} there"));
        }
        if let Some(text) = pairs_differ(&other.nodes, &instance.nodes, node.index()) {
            return Some(format!("node {name} {text}"));
        }
    }
    for vm in instance.vm_ids() {
        if is_absent(instance, vm) && other.place(vm) == Place::Init {
            continue;
        }
        let name = quoted(instance.vm_name(vm));
        if other.place(vm) != instance.place(vm) {
            let place = |instance: &Instance| match instance.place(vm).node() {
                Some(node) => format!(
                    "{} on node {}",
                    instance.place(vm).state().name(),
                    quoted(instance.node_name(node))
                ),
                None => instance.place(vm).state().name().to_owned(),
            };
            return Some(format!(
                "VM {name} is {} there and {} in the instance",
                place(other),
                place(instance)
            ));
        }
        if let Some(text) = pairs_differ(&other.vms, &instance.vms, vm.index()) {
            return Some(format!("VM {name} {text}"));
        }
    }
    for resource in instance.resources() {
        let name = quoted(&resource.name);
        let Some(given) = other.resources().iter().find(|given| given.name == resource.name) else {
            return Some(format!("it lacks the resource {name}"));
        };
        for node in instance.node_ids() {
            let (there, here) = (given.capacity[node.index()], resource.capacity[node.index()]);
            if there != here {
                let node = quoted(instance.node_name(node));
                return Some(format!("node {node} has {there} of {name} there and {here} in the instance"));
            }
        }
        for vm in instance.vm_ids().filter(|&vm| !is_absent(instance, vm)) {
            let (there, here) = (given.demand[vm.index()], resource.demand[vm.index()]);
            if there != here {
                let vm = quoted(instance.vm_name(vm));
                return Some(format!("VM {vm} takes {there} of {name} there and {here} in the instance"));
            }
        }
    }
    let own = |name: &str| instance.resource_named(name).is_some();
    if let Some(more) = other.resources().iter().find(|given| !own(&given.name)) {
        return Some(format!("it has the resource {}, which the instance lacks", quoted(&more.name)));
    }
    let is_own = |given| instance.network().is_some_and(|own| super::network::says(given, own, instance));
    if !other.network().is_none_or(is_own) {
        return Some("its network is not that of the instance".to_owned());
    }
    None
}

/// How the attributes of an element differ.
fn pairs_differ(there: &Elements, here: &Elements, index: usize) -> Option<String> {
    let (there, here) = (there.attributes(), here.attributes());
    let one_way = |a: &crate::model::Attributes, b: &crate::model::Attributes| {
        let key = a.of(index).find(|(key, value)| b.get(index, key) != Some(value))?.0;
        Some(format!("has another value of the attribute {} there", quoted(key)))
    };
    one_way(here, there).or_else(|| one_way(there, here))
}

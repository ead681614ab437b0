//! Reading plans.

use super::PLAN_SCHEMA;
use super::document::schema;
use crate::format::FormatError;
use crate::format::ReadOptions;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::nearest::hint;
use crate::format::read_document;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::table;
use crate::format::table::Totals;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::Roads;
use crate::model::VmId;
use std::collections::HashMap;

/// Reads a plan for an instance, out of the document that planning prints. Only its
/// part `plan` counts; reasons are words for people and come back as unknown.
///
/// # Errors
/// Where the document is not a plan, or speaks of what the instance lacks.
pub fn read_plan(bytes: &[u8], instance: &Instance) -> Result<Plan, FormatError> {
    let (plan, _) = read_document(bytes, &ReadOptions::default(), |mut reader, _| {
        let start = reader.here();
        let (mut version, mut plan) = (None, None);
        reader.object("a plan: an object with the keys `schema` and `plan`")?;
        while let Some(key) = reader.key()? {
            match key.as_ref() {
                "schema" => {
                    once(&version, "schema", &reader)?;
                    version = Some(schema(&mut reader, PLAN_SCHEMA)?);
                }
                "plan" => {
                    once(&plan, "plan", &reader)?;
                    plan = Some(read(&mut reader, &Known::new(instance))?);
                }
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        needed(version, "schema", start)?;
        needed(plan, "plan", start)
    })?;
    Ok(plan)
}

/// The names of an instance, and its network.
struct Known<'i> {
    instance: &'i Instance,
    roads: Option<Roads<'i>>,
    vms: HashMap<&'i str, u32>,
    nodes: HashMap<&'i str, u32>,
    resources: HashMap<&'i str, ResourceId>,
}

impl<'i> Known<'i> {
    fn new(instance: &'i Instance) -> Self {
        fn by_name(elements: &Elements) -> HashMap<&str, u32> {
            let aliases = elements.aliases.iter().map(|alias| (alias.0.as_str(), alias.1));
            aliases.chain(elements.names().zip(0..)).collect()
        }
        let resources = table::resources_by_name(instance);
        let roads = Roads::of(instance);
        Self { instance, roads, vms: by_name(instance.vms()), nodes: by_name(instance.nodes()), resources }
    }

    fn vm(&self, reader: &mut Reader<'_>) -> Parsed<VmId> {
        find(reader, "VM", &self.vms, self.instance.vms()).map(VmId)
    }

    fn node(&self, reader: &mut Reader<'_>) -> Parsed<NodeId> {
        find(reader, "node", &self.nodes, self.instance.nodes()).map(NodeId)
    }

    /// Does a migration take what the file says besides its bandwidth? That of which nothing
    /// can be said, the checker refuses.
    fn check_figures(&self, action: &Action, parts: &Figures) -> Parsed<()> {
        let Some(roads) = &self.roads else { return Ok(()) };
        if parts.mode.is_none() && parts.downtime.is_none() {
            return Ok(());
        }
        let Some(flow) = roads.flow_of(action) else { return Ok(()) };
        let rate = action.bandwidth;
        if let Some((mode, at)) = parts.mode
            && MODES[mode] != flow.mode.name()
        {
            let (is, not) = (flow.mode.name(), MODES[mode]);
            return fault(at, format!("at {rate} Mbit/s the migration is `{is}`, not `{not}`"));
        }
        match (parts.downtime, flow.downtime) {
            // Files have milliseconds.
            (Some((stated, _)), Some(downtime)) if (stated - downtime).abs() < 0.000_501 => Ok(()),
            (Some((stated, at)), Some(downtime)) => fault(
                at,
                format!("at {rate} Mbit/s the VM stands still for {downtime:.3} s, not for {stated} s"),
            ),
            (Some((_, at)), None) => {
                fault(at, "how long the VM stands still is not known: its time is given".to_owned())
            }
            (None, _) => Ok(()),
        }
    }

    fn resource(&self, name: &str, at: usize) -> Parsed<ResourceId> {
        table::resource(&self.resources, self.instance, name, at)
    }
}

fn find(reader: &mut Reader<'_>, kind: &str, table: &HashMap<&str, u32>, elements: &Elements) -> Parsed<u32> {
    let at = reader.here();
    let name = reader.text_value(&format!("the name of a {kind}"))?;
    match table.get(name.as_ref()) {
        Some(&id) => Ok(id),
        None => fault(at, format!("there is no {kind} {}{}", quoted(&name), hint(&name, elements.names()))),
    }
}

fn read(reader: &mut Reader<'_>, known: &Known<'_>) -> Parsed<Plan> {
    let start = reader.here();
    if reader.null() {
        return fault(start, "the document holds no plan");
    }
    let mut actions = None;
    reader.object("the plan: an object with the key `actions`")?;
    while let Some(key) = reader.key()? {
        if key != "actions" {
            reader.skip()?;
            continue;
        }
        once(&actions, "actions", reader)?;
        let mut list = Vec::new();
        let mut totals = Totals::default();
        reader.array("an array of actions")?;
        while reader.element()? {
            list.push(action(reader, known, &mut totals)?);
        }
        actions = Some(list);
    }
    plan(needed(actions, "actions", start)?)
}

/// An action with its id and those it waits for, and where they are given.
struct Numbered {
    id: u64,
    at: usize,
    after: Vec<(u64, usize)>,
    action: Action,
}

/// Sorts the actions, and finds them by their ids.
fn plan(mut actions: Vec<Numbered>) -> Parsed<Plan> {
    actions.sort_by(|a, b| {
        let key = |numbered: &Numbered| (numbered.action.start, numbered.action.end, numbered.action.kind);
        key(a).cmp(&key(b)).then(a.id.cmp(&b.id))
    });
    let mut positions: HashMap<u64, u32> = HashMap::with_capacity(actions.len());
    for (position, numbered) in actions.iter().enumerate() {
        if positions.insert(numbered.id, position as u32).is_some() {
            return fault(numbered.at, format!("two actions have the id {}", numbered.id));
        }
    }
    let mut happens_before = Vec::new();
    for (position, numbered) in actions.iter().enumerate() {
        for &(id, at) in &numbered.after {
            match positions.get(&id) {
                Some(&first) if first as usize == position => {
                    return fault(at, format!("action {id} waits for itself"));
                }
                Some(&first) => happens_before.push((first, position as u32)),
                None => return fault(at, format!("no action has the id {id}")),
            }
        }
    }
    happens_before.sort_unstable();
    happens_before.dedup();
    Ok(Plan { actions: actions.into_iter().map(|numbered| numbered.action).collect(), happens_before })
}

const KINDS: [&str; 10] = [
    "migrate",
    "boot",
    "shutdown",
    "suspend",
    "resume",
    "kill",
    "forge",
    "allocate",
    "boot_node",
    "shutdown_node",
];

const KEYS: [&str; 17] = [
    "id",
    "kind",
    "vm",
    "node",
    "from",
    "to",
    "resource",
    "amount",
    "clone",
    "start",
    "end",
    "after",
    "reason",
    "allocations",
    "bandwidth",
    "mode",
    "downtime",
];

/// The keys of an action, as far as they were met.
#[derive(Default)]
struct Parts {
    id: Option<u64>,
    kind: Option<usize>,
    vm: Option<VmId>,
    node: Option<NodeId>,
    from: Option<NodeId>,
    to: Option<NodeId>,
    resource: Option<ResourceId>,
    amount: Option<u64>,
    clone: Option<bool>,
    start: Option<u64>,
    end: Option<u64>,
    after: Option<Vec<(u64, usize)>>,
    reason: Option<()>,
    allocations: Option<Vec<(ResourceId, u64)>>,
    bandwidth: Option<u64>,
    mode: Option<(usize, usize)>,
    downtime: Option<(f64, usize)>,
}

/// What a file says of a migration and its bandwidth tells, each with its place: an index in
/// [`MODES`], and seconds.
struct Figures {
    mode: Option<(usize, usize)>,
    downtime: Option<(f64, usize)>,
}

const MODES: [&str; 4] = ["pre-copy", "post-copy", "cold", "fixed"];

const AMOUNT: &str = "an amount: a whole number of 0 or more";
const RATE: &str = "a bandwidth in Mbit/s: a whole number of 0 or more";
const MOMENT: &str = "a moment: seconds from the start of the plan";
const ID: &str = "the id of an action: a whole number of 0 or more";

fn action(reader: &mut Reader<'_>, known: &Known<'_>, totals: &mut Totals) -> Parsed<Numbered> {
    let at = reader.here();
    let mut parts = Parts::default();
    reader.object("an action: an object with the keys `id`, `kind`, `start` and `end`")?;
    while let Some(key) = reader.key()? {
        let key_at = reader.key_at();
        macro_rules! read {
            ($slot:ident, $value:expr) => {{
                once(&parts.$slot, &key, reader)?;
                // What an action has not may be null.
                if !reader.null() {
                    parts.$slot = Some($value);
                }
            }};
        }
        match key.as_ref() {
            "id" => read!(id, reader.unsigned(u64::MAX, ID)?),
            "kind" => read!(kind, super::element::word(reader, KINDS)?),
            "vm" => read!(vm, known.vm(reader)?),
            "node" => read!(node, known.node(reader)?),
            "from" => read!(from, known.node(reader)?),
            "to" => read!(to, known.node(reader)?),
            "resource" => read!(resource, {
                let at = reader.here();
                let name = reader.text_value("the name of a resource")?;
                known.resource(&name, at)?
            }),
            "amount" => read!(amount, {
                let at = reader.here();
                let amount = reader.unsigned(u64::MAX, AMOUNT)?;
                totals.amount(amount, at)?;
                amount
            }),
            "clone" => read!(clone, reader.boolean("`true` or `false`")?),
            "start" => read!(start, reader.unsigned(u64::MAX, MOMENT)?),
            "end" => read!(end, {
                let at = reader.here();
                let end = reader.unsigned(u64::MAX, MOMENT)?;
                totals.end(end, at)?;
                end
            }),
            "after" => read!(after, {
                let mut after = Vec::new();
                reader.array("an array of ids of actions")?;
                while reader.element()? {
                    let at = reader.here();
                    after.push((reader.unsigned(u64::MAX, ID)?, at));
                }
                after
            }),
            "reason" => read!(reason, {
                reader.text_value("a reason: a text")?;
            }),
            "bandwidth" => read!(bandwidth, reader.unsigned(u64::MAX, RATE)?),
            "mode" => read!(mode, {
                let at = reader.here();
                (super::element::word(reader, MODES)?, at)
            }),
            "downtime" => read!(downtime, {
                let at = reader.here();
                (reader.float("seconds: a number")?, at)
            }),
            "allocations" => read!(allocations, allocations(reader, known, totals)?),
            _ => return fault(key_at, format!("unknown key {}{}", quoted(&key), hint(&key, KEYS))),
        }
    }
    let figures = Figures { mode: parts.mode, downtime: parts.downtime };
    let numbered = parts.finish(at)?;
    known.check_figures(&numbered.action, &figures)?;
    Ok(numbered)
}

fn allocations(
    reader: &mut Reader<'_>,
    known: &Known<'_>,
    totals: &mut Totals,
) -> Parsed<Vec<(ResourceId, u64)>> {
    let mut allocations: Vec<(ResourceId, u64, usize)> = Vec::new();
    reader.object("an object of amounts, by the names of resources")?;
    while let Some(name) = reader.key()? {
        let at = reader.key_at();
        let resource = known.resource(&name, at)?;
        let amount = reader.unsigned(u64::MAX, AMOUNT)?;
        totals.amount(amount, at)?;
        allocations.push((resource, amount, at));
    }
    table::in_order(allocations).or_else(|at| fault(at, "the amount of one resource is given twice"))
}

impl Parts {
    fn finish(mut self, at: usize) -> Parsed<Numbered> {
        fn has<T>(value: Option<T>, key: &str, at: usize) -> Parsed<T> {
            match value {
                Some(value) => Ok(value),
                None => fault(at, format!("the action needs the key `{key}`")),
            }
        }
        let word = KINDS[has(self.kind, "kind", at)?];
        let clone = self.clone.take().unwrap_or(false);
        let kind = match word {
            "boot_node" => ActionKind::BootNode { node: has(self.node.take(), "node", at)? },
            "shutdown_node" => ActionKind::ShutdownNode { node: has(self.node.take(), "node", at)? },
            _ => {
                let vm = has(self.vm.take(), "vm", at)?;
                let (node, from, to) = (&mut self.node, &mut self.from, &mut self.to);
                let mut node = || has(node.take(), "node", at);
                let mut from = || has(from.take(), "from", at);
                let mut to = || has(to.take(), "to", at);
                match (word, clone) {
                    ("migrate", false) => ActionKind::Migrate { vm, from: from()?, to: to()? },
                    ("boot", false) => ActionKind::Boot { vm, node: node()? },
                    ("boot", true) => ActionKind::BootClone { vm, from: from()?, to: to()? },
                    ("shutdown", false) => ActionKind::Shutdown { vm, node: node()? },
                    ("shutdown", true) => ActionKind::ShutdownOriginal { vm, from: from()? },
                    ("suspend", false) => ActionKind::Suspend { vm, node: node()? },
                    ("resume", false) => ActionKind::Resume { vm, from: from()?, to: to()? },
                    ("kill", false) => ActionKind::Kill { vm, node: self.node.take() },
                    ("forge", false) => ActionKind::Forge { vm },
                    ("forge", true) => ActionKind::ForgeClone { vm },
                    ("allocate", false) => ActionKind::Allocate {
                        vm,
                        node: node()?,
                        resource: has(self.resource.take(), "resource", at)?,
                        amount: has(self.amount.take(), "amount", at)?,
                    },
                    _ => return fault(at, format!("the action `{word}` is never one on a clone")),
                }
            }
        };
        let left = [
            (self.vm.is_some(), "vm"),
            (self.node.is_some(), "node"),
            (self.from.is_some(), "from"),
            (self.to.is_some(), "to"),
            (self.resource.is_some(), "resource"),
            (self.amount.is_some(), "amount"),
        ];
        if let Some((_, key)) = left.into_iter().find(|(is_left, _)| *is_left) {
            return fault(at, format!("the action `{word}` has no key `{key}`"));
        }
        let allocations = self.allocations.unwrap_or_default();
        if !allocations.is_empty() && kind.destination().is_none() {
            return fault(at, format!("the action `{word}` has no key `allocations`"));
        }
        let bandwidth = self.bandwidth.unwrap_or(0);
        let given = [
            (bandwidth > 0, "bandwidth"),
            (self.mode.is_some(), "mode"),
            (self.downtime.is_some(), "downtime"),
        ];
        if let Some((_, key)) = given.into_iter().find(|(is_given, _)| *is_given)
            && !matches!(kind, ActionKind::Migrate { .. })
        {
            return fault(at, format!("the action `{word}` has no key `{key}`"));
        }
        let (start, end) = (has(self.start, "start", at)?, has(self.end, "end", at)?);
        if start > end {
            return fault(at, format!("the action ends at {end}, before it starts at {start}"));
        }
        Ok(Numbered {
            id: has(self.id, "id", at)?,
            at,
            after: self.after.unwrap_or_default(),
            action: Action { kind, start, end, allocations, bandwidth, reason: Reason::Unknown },
        })
    }
}

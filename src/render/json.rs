//! Outcomes for programs.

use super::clash;
use super::name;
use super::words::Reasons;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Metrics;
use crate::model::Plan;
use crate::model::Roads;
use crate::outcome::Bounded;
use crate::outcome::Conflict;
use crate::outcome::Lack;
use crate::outcome::Member;
use crate::outcome::Outcome;
use crate::outcome::Wait;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json as value;
use serde_json::ser::Formatter;
use std::io;

/// What only the process that ran the planner knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Reading the instance, in milliseconds.
    pub read_ms: f64,
    /// Everything so far, in milliseconds.
    pub total_ms: f64,
    /// The most memory that was in use, in MiB, where the system tells.
    pub peak_rss_mib: Option<f64>,
}

/// The outcome as one document, `quadrille/plan/1`. `metrics` and `plan` are null where
/// there is no plan, `objective` where nothing was bounded, `conflict` where there is none.
///
/// The first level of the objective is `objective` itself, the others follow in `then`.
/// Names stand as they are: write the document with [`json_text`].
pub fn json(instance: &Instance, outcome: &Outcome, measured: &Measured) -> Value {
    let timings = &outcome.timings;
    value!({
        "schema": "quadrille/plan/1",
        "status": outcome.status.name(),
        "stop_reason": outcome.stop_reason.name(),
        "objective": objective(&outcome.levels),
        "metrics": outcome.plan.as_ref().map(|_| metrics(&outcome.metrics)),
        "timings_ms": {
            "read": rounded(measured.read_ms),
            "compile": rounded(timings.compile),
            "place": rounded(timings.place),
            "schedule": rounded(timings.schedule),
            "verify": rounded(timings.verify),
            "total": rounded(measured.total_ms),
        },
        "peak_rss_mib": measured.peak_rss_mib.map(rounded),
        "plan": outcome.plan.as_ref().map(|plan| value!({ "actions": actions(instance, plan) })),
        "conflict": outcome.conflict.as_ref().map(|found| conflict(instance, found)),
    })
}

fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

fn objective(levels: &[Bounded]) -> Value {
    let Some((first, rest)) = levels.split_first() else { return Value::Null };
    let mut object = level(first);
    object.insert("then".to_owned(), rest.iter().map(|next| Value::Object(level(next))).collect());
    Value::Object(object)
}

fn level(level: &Bounded) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("name".to_owned(), level.level.to_string().into());
    object.insert("value".to_owned(), level.value.into());
    object.insert("bound".to_owned(), level.bound.into());
    object.insert("gap".to_owned(), ((level.gap() * 1e6).round() / 1e6).into());
    object
}

fn metrics(metrics: &Metrics) -> Value {
    let mut figures = value!({
        "relocations": metrics.relocations,
        "migrations": metrics.migrations,
        "reinstantiations": metrics.reinstantiations,
        "boots": metrics.boots,
        "shutdowns": metrics.shutdowns,
        "suspends": metrics.suspends,
        "resumes": metrics.resumes,
        "kills": metrics.kills,
        "forges": metrics.forges,
        "allocations": metrics.allocations,
        "node_boots": metrics.node_boots,
        "node_shutdowns": metrics.node_shutdowns,
        "nodes_on": metrics.nodes_on,
        "makespan": metrics.makespan,
        "mttr": metrics.mttr,
        "sum_of_ends": metrics.sum_of_ends,
    });
    // Joules are known of few.
    if metrics.energy > 0 {
        figures["energy"] = metrics.energy.into();
    }
    figures
}

/// A conflict: its members, the VMs and nodes concerned, and what clashes, in words.
pub(super) fn conflict(instance: &Instance, conflict: &Conflict) -> Value {
    let constraints: Vec<Value> = conflict
        .constraints()
        .map(|index| {
            let found = instance.constraints().get(index as usize);
            let mut object = value!({
                "index": index,
                "name": found.map(|constraint| constraint.rule.signature().name),
                "text": clash::member(instance, &Member::Constraint(index)),
            });
            match conflict.origin(index) {
                Some(origin) => {
                    object["file"] = origin.file.as_str().into();
                    object["line"] = origin.line.into();
                    object["column"] = origin.column.into();
                }
                None => object["path"] = format!("constraints[{index}]").into(),
            }
            object
        })
        .collect();
    let facts: Vec<Value> = conflict
        .members
        .iter()
        .filter(|member| !matches!(member, Member::Constraint(_)))
        .map(|member| fact(instance, member))
        .collect();
    value!({
        "kind": clash::kind(&conflict.clash),
        "constraints": constraints,
        "facts": facts,
        "vms": name::raw_vms(instance, &conflict.vms),
        "nodes": name::raw_nodes(instance, &conflict.nodes),
        "minimal": conflict.minimal,
        "waits": conflict.waits.iter().map(|one| wait(instance, one)).collect::<Vec<Value>>(),
        "text": clash(instance, conflict),
    })
}

fn wait(instance: &Instance, wait: &Wait) -> Value {
    let mut object = value!({
        "vm": name::raw_vm(instance, wait.vm),
        "from": wait.from.map(|node| name::raw_node(instance, node)),
        "to": name::raw_node(instance, wait.to),
        "for": name::raw_vms(instance, &wait.others),
    });
    match wait.lack {
        Lack::Room(resource, need, free) => {
            object["resource"] = name::raw_resource(instance, resource).into();
            object["need"] = need.into();
            object["free"] = free.into();
        }
        Lack::Rule(index) => object["constraint"] = index.into(),
    }
    object
}

fn fact(instance: &Instance, member: &Member) -> Value {
    let mut object = match member {
        Member::Constraint(index) => value!({ "kind": "constraint", "index": index }),
        Member::Vm(vm) => value!({ "kind": "vm", "vm": name::raw_vm(instance, *vm) }),
        Member::Place(vm) => value!({
            "kind": "place",
            "vm": name::raw_vm(instance, *vm),
            "node": instance.place(*vm).node().map(|node| name::raw_node(instance, node)),
        }),
        Member::Capacity(nodes, resource) => value!({
            "kind": "capacity",
            "resource": name::raw_resource(instance, *resource),
            "nodes": name::raw_nodes(instance, nodes),
            "amounts": nodes.iter().map(|&node| instance.capacity(node, *resource)).collect::<Vec<u64>>(),
        }),
        Member::Network => value!({ "kind": "network" }),
        Member::Horizon(seconds) => value!({ "kind": "horizon", "seconds": seconds }),
    };
    object["text"] = clash::member(instance, member).into();
    object
}

fn actions(instance: &Instance, plan: &Plan) -> Vec<Value> {
    let reasons = Reasons::of(instance, plan);
    let roads = Roads::of(instance);
    let mut before = plan.predecessors();
    plan.actions
        .iter()
        .enumerate()
        .map(|(at, action)| {
            let mut object = Map::new();
            object.insert("id".to_owned(), at.into());
            describe(instance, &action.kind, &mut object);
            object.insert("start".to_owned(), action.start.into());
            object.insert("end".to_owned(), action.end.into());
            object.insert("after".to_owned(), std::mem::take(&mut before[at]).into());
            object.insert("reason".to_owned(), reasons.text(action).into());
            if action.bandwidth > 0 {
                object.insert("bandwidth".to_owned(), action.bandwidth.into());
                if let Some(flow) = roads.as_ref().and_then(|roads| roads.flow_of(action)) {
                    object.insert("mode".to_owned(), flow.mode.name().into());
                    if let Some(downtime) = flow.downtime {
                        object.insert("downtime".to_owned(), thousandths(downtime).into());
                    }
                }
            }
            if !action.allocations.is_empty() {
                object.insert("allocations".to_owned(), allocations(instance, action));
            }
            Value::Object(object)
        })
        .collect()
}

/// To the millisecond: models of migrations are not more precise.
fn thousandths(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Amounts by the names of resources.
fn allocations(instance: &Instance, action: &Action) -> Value {
    let amounts = action
        .allocations
        .iter()
        .map(|&(resource, amount)| (name::raw_resource(instance, resource).into_owned(), amount.into()));
    Value::Object(amounts.collect())
}

/// The kind and what it is done to.
fn describe(instance: &Instance, kind: &ActionKind, object: &mut Map<String, Value>) {
    use ActionKind::*;
    let mut set = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
    let node = |node| Value::from(name::raw_node(instance, node));
    set("kind", kind.name().into());
    if let Some(vm) = kind.vm() {
        set("vm", name::raw_vm(instance, vm).into());
    }
    match *kind {
        Migrate { from, to, .. } | Resume { from, to, .. } => {
            set("from", node(from));
            set("to", node(to));
        }
        BootClone { from, to, .. } => {
            set("from", node(from));
            set("to", node(to));
            set("clone", true.into());
        }
        ShutdownOriginal { from, .. } => {
            set("from", node(from));
            set("clone", true.into());
        }
        ForgeClone { .. } => set("clone", true.into()),
        Boot { node: at, .. }
        | Shutdown { node: at, .. }
        | Suspend { node: at, .. }
        | Kill { node: Some(at), .. }
        | BootNode { node: at }
        | ShutdownNode { node: at } => set("node", node(at)),
        Allocate { node: at, resource, amount, .. } => {
            set("node", node(at));
            set("resource", name::raw_resource(instance, resource).into());
            set("amount", amount.into());
        }
        Kill { node: None, .. } | Forge { .. } => {}
    }
}

/// A document as text: the outer levels over several lines, each action on one, and
/// whatever a terminal would not print as itself escaped. Ends with a line break.
pub fn json_text(document: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Lines::default());
    // Writing a value to memory cannot fail: its keys are strings.
    let _ = document.serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Line breaks in the outer levels, none in the inner ones.
#[derive(Default)]
struct Lines {
    depth: usize,
    /// By depth: has something been written there?
    filled: Vec<bool>,
}

impl Lines {
    const OUTER: usize = 3;

    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled.push(false);
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        let filled = self.filled.pop() == Some(true);
        let outer = self.depth <= Self::OUTER;
        self.depth = self.depth.saturating_sub(1);
        if filled && outer {
            self.line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn next<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if let Some(filled) = self.filled.last_mut() {
            *filled = true;
        }
        match (self.depth <= Self::OUTER, first) {
            (true, _) => self.line(writer),
            (false, true) => Ok(()),
            (false, false) => writer.write_all(b" "),
        }
    }

    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c| !name::is_plain(c)) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let Some(c) = tail.chars().next() else { break };
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &tail[c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

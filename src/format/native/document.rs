//! The document.

use super::INSTANCE_SCHEMA;
use super::element;
use super::element::ByName;
use super::element::Resources;
use super::element::Table;
use super::network;
use crate::constraint::Constraint;
use crate::format::Context;
use crate::format::attributes;
use crate::format::field::Field;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::field::only;
use crate::format::locate::Step;
use crate::format::locate::find;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule;
use crate::format::rule::Catalog;
use crate::format::rule::Dialect;
use crate::format::rule::Memo;
use crate::format::rule::Names;
use crate::model::Behaviour;
use crate::model::Duration;
use crate::model::Durations;
use crate::model::Instance;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Part;
use crate::model::Place;
use crate::model::SharedModel;
use crate::model::Timed;
use crate::objective::Objective;

const KEYS: [&str; 8] =
    ["schema", "resources", "durations", "nodes", "vms", "constraints", "objective", "network"];

/// What has been read so far.
#[derive(Default)]
struct Parts<'a> {
    schema: Option<()>,
    resources: Resources<'a>,
    nodes: Option<(Table<'a>, Vec<bool>)>,
    vms: Option<(Table<'a>, Vec<Place>)>,
    durations: Option<Durations>,
    constraints: Option<Vec<Constraint>>,
    objective: Option<Objective>,
    network: Option<(Network, Behaviour)>,
}

/// Reads an instance up to the end of the text.
///
/// Keys may come in any order. What speaks of things that come later waits; in the
/// order in which we write, nothing does.
pub(in crate::format) fn instance(reader: &mut Reader<'_>, context: &mut Context) -> Parsed<Instance> {
    let start = reader.here();
    let mut parts = Parts::default();
    let mut waiting: Vec<Field<'_>> = Vec::new();
    reader.object("an instance: an object with the key `schema`")?;
    while let Some(key) = reader.key()? {
        let key_at = reader.key_at();
        let Some(known) = KEYS.into_iter().find(|known| *known == key) else {
            context.tolerate("unknown keys", key_at, || {
                format!("unknown key {}{}", quoted(&key), hint(&key, KEYS))
            })?;
            reader.skip()?;
            continue;
        };
        if waiting.iter().any(|field| field.key == known) {
            return fault(key_at, format!("the key `{known}` is given twice"));
        }
        let all_named = parts.nodes.is_some() && parts.vms.is_some();
        let now = match known {
            "vms" => parts.nodes.is_some(),
            "durations" | "constraints" => all_named && parts.resources.are_declared(),
            "network" => parts.nodes.is_some(),
            _ => true,
        };
        if now {
            parts.read(reader, known, context)?;
        } else {
            let span = reader.span()?;
            waiting.push(Field { key, key_at, span, memo: None });
        }
    }
    reader.end()?;
    needed(parts.schema, "schema", start)?;
    // Nodes wait for nothing; VMs for nodes, all others for both.
    for key in ["vms", "durations", "constraints", "network"] {
        if key != "vms" {
            parts.nodes.get_or_insert_default();
            parts.vms.get_or_insert_default();
        } else {
            parts.nodes.get_or_insert_default();
        }
        if let Some(field) = only(&waiting, key)? {
            field.read(reader, |reader| parts.read(reader, key, context))?;
        }
    }
    let instance = parts.finish(reader, start)?;
    attributes::note_misspelt(&instance, context, |of_nodes, row, key| {
        find(reader, &of_element(if of_nodes { "nodes" } else { "vms" }, row, key))
    });
    Ok(instance)
}

impl<'a> Parts<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, key: &'static str, context: &mut Context) -> Parsed<()> {
        match key {
            "schema" => {
                once(&self.schema, key, reader)?;
                schema(reader, INSTANCE_SCHEMA)?;
                self.schema = Some(());
            }
            "resources" => self.resources.declare(reader, context)?,
            "nodes" => {
                once(&self.nodes, key, reader)?;
                self.nodes = Some(element::nodes(reader, &mut self.resources, context)?);
            }
            "vms" => {
                once(&self.vms, key, reader)?;
                let (nodes, _) = self.nodes.get_or_insert_default();
                self.vms = Some(element::vms(reader, nodes, &mut self.resources, context)?);
            }
            "durations" => {
                once(&self.durations, key, reader)?;
                let durations = durations(reader, &self.names(), context)?;
                self.durations = Some(durations);
            }
            "constraints" => {
                once(&self.constraints, key, reader)?;
                let constraints = constraints(reader, &self.names(), context)?;
                self.constraints = Some(constraints);
            }
            "objective" => {
                once(&self.objective, key, reader)?;
                let at = reader.here();
                let text = reader.text_value("an objective: a text such as \"relocations,mttr\"")?;
                self.objective = Some(
                    text.parse()
                        .or_else(|error: crate::objective::ObjectiveError| fault(at, error.to_string()))?,
                );
            }
            _ => {
                once(&self.network, key, reader)?;
                let network = network::read(reader, &self.names(), context)?;
                self.network = Some(network);
            }
        }
        Ok(())
    }

    fn names(&self) -> ByName<'_, 'a> {
        ByName {
            vms: self.vms.as_ref().map(|(table, _)| table),
            nodes: self.nodes.as_ref().map(|(table, _)| table),
            resources: &self.resources,
        }
    }

    fn finish(self, reader: &Reader<'_>, start: usize) -> Parsed<Instance> {
        let (nodes, online) = self.nodes.unwrap_or_default();
        let (vms, places) = self.vms.unwrap_or_default();
        let resources = self.resources.finish(online.len(), places.len(), start)?;
        let (network, behaviour) = self.network.unzip();
        let instance = Instance {
            vms: vms.finish("VM")?,
            nodes: nodes.finish("node")?,
            places,
            online,
            resources,
            durations: self.durations.unwrap_or_default(),
            network,
            migration_model: behaviour.map(SharedModel::new).unwrap_or_default(),
            constraints: self.constraints.unwrap_or_default(),
            objective: self.objective.unwrap_or_default(),
        };
        match instance.check() {
            Ok(()) => Ok(instance),
            Err(error) => fault(find(reader, &steps(error.part)), error.to_string()),
        }
    }
}

/// Where an attribute stands.
fn of_element(list: &str, at: usize, key: &str) -> [Step; 4] {
    [Step::key(list), Step::At(at), Step::key("attributes"), Step::key(key)]
}

/// Where a part of an instance stands.
fn steps(part: Part) -> Vec<Step> {
    match part {
        Part::Instance => Vec::new(),
        Part::Vm(vm, key) => of_element("vms", vm.index(), key).to_vec(),
        Part::Node(node, key) => of_element("nodes", node.index(), key).to_vec(),
        Part::Network(part) => network::steps(part),
    }
}

/// The version of the document.
pub(super) fn schema(reader: &mut Reader<'_>, expected: &str) -> Parsed<()> {
    let at = reader.here();
    let found = reader.text_value(&format!("the text \"{expected}\""))?;
    if found != expected {
        return fault(at, format!("expected the schema `{expected}`, found {}", quoted(&found)));
    }
    Ok(())
}

fn durations(reader: &mut Reader<'_>, names: &ByName<'_, '_>, context: &mut Context) -> Parsed<Durations> {
    let mut durations = Durations::default();
    let mut met = [false; Timed::ALL.len()];
    reader.object("an object of durations, by kinds of actions")?;
    while let Some(key) = reader.key()? {
        let at = reader.key_at();
        let Some((position, &kind)) = Timed::ALL.iter().enumerate().find(|(_, kind)| kind.name() == key)
        else {
            let near = hint(&key, Timed::ALL.map(Timed::name));
            context.tolerate("unknown keys", at, || format!("no action is called {}{near}", quoted(&key)))?;
            reader.skip()?;
            continue;
        };
        if std::mem::replace(&mut met[position], true) {
            return fault(at, format!("the duration of `{}` is given twice", kind.name()));
        }
        durations.set(kind, duration(reader, names, context)?);
    }
    Ok(durations)
}

fn duration(reader: &mut Reader<'_>, names: &ByName<'_, '_>, context: &mut Context) -> Parsed<Duration> {
    let start = reader.here();
    if reader.peek() != Some(b'{') {
        let what = format!(
            "a duration: seconds from 1 to {}, or an object with the keys `resource`, `coefficient` and `offset`",
            Durations::LONGEST
        );
        return match reader.unsigned(u64::from(Durations::LONGEST), &what)? {
            0 => reader.seek(start).expected(&what),
            seconds => Ok(Duration::Constant(seconds as u32)),
        };
    }
    let (mut resource, mut coefficient, mut offset) = (None, None, None);
    reader.object("a duration")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "resource" => {
                once(&resource, "resource", reader)?;
                resource = Some(names.resource(reader)?);
            }
            "coefficient" => {
                once(&coefficient, "coefficient", reader)?;
                coefficient = Some(reader.float("seconds per unit of the resource: a number")?);
            }
            "offset" => {
                once(&offset, "offset", reader)?;
                offset = Some(reader.float("seconds: a number")?);
            }
            _ => element::unknown(reader, &key, &["resource", "coefficient", "offset"], context)?,
        }
    }
    Ok(Duration::Linear {
        resource: needed(resource, "resource", start)?,
        coefficient: needed(coefficient, "coefficient", start)?,
        offset: offset.unwrap_or(0.0),
    })
}

fn constraints<'a>(
    reader: &mut Reader<'a>,
    names: &ByName<'_, 'a>,
    context: &mut Context,
) -> Parsed<Vec<Constraint>> {
    const WHAT: &str = "a constraint: an object with its name as the only key";
    let catalog = Catalog::new(Dialect::Quadrille);
    let mut memo = Memo::default();
    let mut fields = Vec::new();
    let mut constraints = Vec::new();
    reader.array("an array of constraints")?;
    while reader.element()? {
        let start = reader.here();
        reader.object(WHAT)?;
        let Some(name) = reader.key()? else {
            return reader.seek(start).expected(WHAT);
        };
        let name_at = reader.key_at();
        match catalog.get(&name) {
            Some(entry) => {
                reader.object("the parameters of the constraint: an object")?;
                memo.fields(reader, &mut fields)?;
                constraints.push(rule::constraint(
                    Dialect::Quadrille,
                    entry,
                    reader,
                    name_at,
                    &fields,
                    &mut memo,
                    names,
                    context,
                )?);
            }
            None => {
                context.tolerate("unknown constraints, left out", name_at, || {
                    format!("no constraint is called {}{}", quoted(&name), hint(&name, catalog.names()))
                })?;
                reader.skip()?;
            }
        }
        if let Some(second) = reader.key()? {
            let text = format!(
                "expected one constraint to an object, found {} beside {}",
                quoted(&second),
                quoted(&name)
            );
            return fault(reader.key_at(), text);
        }
    }
    Ok(constraints)
}

/// The node of a name.
pub(super) fn node(reader: &mut Reader<'_>, nodes: &Table<'_>) -> Parsed<NodeId> {
    nodes.find(reader, "node").map(NodeId)
}

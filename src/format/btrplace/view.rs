//! Views: resources, names, the network.

use super::mapping;
use super::mapping::Mapping;
use super::mapping::NODE;
use super::mapping::VM;
use super::model::declared;
use super::model::element;
use super::model::with_id;
use super::network;
use crate::format::Context;
use crate::format::field::Field;
use crate::format::field::required;
use crate::format::field::skip_others;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::table;
use crate::format::table::Numbering;
use crate::model::Network;
use crate::model::Resource;
use std::borrow::Cow;
use std::collections::HashSet;

/// A name that a naming view gives.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) name: Cow<'a, str>,
    /// The dense id.
    pub(super) element: u32,
    pub(super) at: usize,
}

/// What the views say.
#[derive(Debug, Default)]
pub(super) struct Views<'a> {
    pub(super) resources: Vec<Resource>,
    pub(super) vm_names: Vec<Named<'a>>,
    pub(super) node_names: Vec<Named<'a>>,
    pub(super) network: Option<Network>,
}

const IDS: [&str; 3] = ["shareableResource", "ns", "net"];

/// Reads the views. Of several of the same kind (and resource) the first counts.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    mapping: &Mapping,
    context: &mut Context,
) -> Parsed<Views<'a>> {
    let mut views = Views::default();
    let mut met: HashSet<(&'static str, String)> = HashSet::new();
    reader.array("an array of views")?;
    while reader.element()? {
        let start = reader.here();
        let (fields, at, id) = with_id(reader, "a view: an object with the key `id`")?;
        let Some(id) = IDS.into_iter().find(|known| *known == id) else {
            context.tolerate("unknown views, left out", at, || {
                format!("no view has the id {}{}", quoted(&id), hint(&id, IDS))
            })?;
            skip_others(reader, &fields, &["id"])?;
            continue;
        };
        // What tells two views of one kind apart.
        let of = match id {
            "shareableResource" => text(reader, &fields, "rcId", start)?,
            "ns" => text(reader, &fields, "type", start)?,
            _ => Cow::Borrowed(""),
        };
        if !met.insert((id, of.clone().into_owned())) {
            let name = if of.is_empty() { quoted(id) } else { format!("{} of {}", quoted(id), quoted(&of)) };
            context.notes.add("views given again, left out", start, || {
                format!("the view {name} was given before; this one is left out, as BtrPlace does")
            });
            skip_others(reader, &fields, &["id"])?;
            continue;
        }
        match id {
            "shareableResource" => {
                let elements = mapping.vms.len() + mapping.nodes.len();
                table::check_amounts(views.resources.len() + 1, elements, start)?;
                views.resources.push(resource(reader, &fields, start, of.into_owned(), mapping)?);
                skip_others(
                    reader,
                    &fields,
                    &["id", "rcId", "defCapacity", "defConsumption", "nodes", "vms"],
                )?;
            }
            "ns" => {
                let map = required(&fields, "map", start)?;
                match of.as_ref() {
                    "vm" => {
                        views.vm_names = map.read(reader, |reader| names(reader, &mapping.vms, "VM", VM))?
                    }
                    "node" => {
                        views.node_names =
                            map.read(reader, |reader| names(reader, &mapping.nodes, "node", NODE))?;
                    }
                    _ => {
                        let at = required(&fields, "type", start)?.span.start;
                        return fault(at, format!("expected `vm` or `node`, found {}", quoted(&of)));
                    }
                }
                skip_others(reader, &fields, &["id", "type", "map"])?;
            }
            _ => {
                views.network = Some(network::read(reader, &fields, start, mapping)?);
                skip_others(reader, &fields, &["id", "switches", "links", "routing"])?;
            }
        }
    }
    Ok(views)
}

fn text<'a>(reader: &Reader<'a>, fields: &[Field<'a>], key: &str, start: usize) -> Parsed<Cow<'a, str>> {
    required(fields, key, start)?.read(reader, |reader| reader.text_value("a text"))
}

/// An amount; BtrPlace takes it in quotes too.
pub(super) fn amount(reader: &mut Reader<'_>) -> Parsed<u64> {
    const WHAT: &str = "an amount: a whole number of 0 or more";
    if reader.peek() != Some(b'"') {
        return reader.unsigned(u64::MAX, WHAT);
    }
    let before = reader.clone();
    let text = reader.text_value(WHAT)?;
    match text.parse() {
        Ok(amount) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(amount),
        _ => before.clone().expected(WHAT),
    }
}

fn resource<'a>(
    reader: &Reader<'a>,
    fields: &[Field<'a>],
    start: usize,
    name: String,
    mapping: &Mapping,
) -> Parsed<Resource> {
    let default_capacity = required(fields, "defCapacity", start)?.read(reader, amount)?;
    let default_demand = required(fields, "defConsumption", start)?.read(reader, amount)?;
    let mut resource = Resource {
        name,
        default_capacity,
        default_demand,
        capacity: vec![default_capacity; mapping.nodes.len()],
        demand: vec![default_demand; mapping.vms.len()],
    };
    let capacities = required(fields, "nodes", start)?;
    capacities
        .read(reader, |reader| amounts(reader, &mapping.nodes, "node", NODE, &mut resource.capacity))?;
    let demands = required(fields, "vms", start)?;
    demands.read(reader, |reader| amounts(reader, &mapping.vms, "VM", VM, &mut resource.demand))?;
    table::check_sums(&resource, start)?;
    Ok(resource)
}

fn amounts(
    reader: &mut Reader<'_>,
    numbering: &Numbering,
    kind: &str,
    what: &str,
    amounts: &mut [u64],
) -> Parsed<()> {
    if reader.null() {
        return Ok(());
    }
    let mut met = vec![false; numbering.len()];
    reader.object("an object of amounts, by the integers of their elements")?;
    while let Some(key) = reader.key()? {
        let at = reader.key_at();
        let number = mapping::number_of_key(&key, what, at)?;
        let element = declared(number, numbering, kind, at)? as usize;
        if std::mem::replace(&mut met[element], true) {
            return fault(at, format!("the amount of {kind} {number} is given twice"));
        }
        amounts[element] = amount(reader)?;
    }
    Ok(())
}

fn names<'a>(
    reader: &mut Reader<'a>,
    numbering: &Numbering,
    kind: &str,
    what: &str,
) -> Parsed<Vec<Named<'a>>> {
    let mut names = Vec::new();
    let mut met: HashSet<Cow<'a, str>> = HashSet::with_capacity(numbering.len());
    reader.object("an object of integers, by names")?;
    while let Some(name) = reader.key()? {
        let at = reader.key_at();
        if !met.insert(name.clone()) {
            return fault(at, format!("the name {} is given twice", quoted(&name)));
        }
        let element = element(reader, numbering, kind, what)?;
        names.push(Named { name, element, at });
    }
    Ok(names)
}

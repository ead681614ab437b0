//! The model: mapping, attributes, views.

use super::mapping;
use super::mapping::NODE;
use super::mapping::VM;
use super::network;
use super::view;
use super::view::Named;
use super::view::Views;
use crate::format::Context;
use crate::format::attributes;
use crate::format::attributes::AttributeTable;
use crate::format::field::Field;
use crate::format::field::fields;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::field::required;
use crate::format::locate::Step;
use crate::format::locate::find;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule::Names;
use crate::format::table;
use crate::format::table::Numbering;
use crate::model::Attributes;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Part;
use crate::model::ResourceId;
use crate::model::VmId;
use std::borrow::Cow;
use std::collections::HashMap;

/// An instance without constraints, and the integers of its VMs and nodes.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) instance: Instance,
    pub(super) vms: Numbering,
    pub(super) nodes: Numbering,
}

/// How a document names things: by integers, resources by their names.
pub(super) struct ByNumber<'m> {
    pub(super) vms: &'m Numbering,
    pub(super) nodes: &'m Numbering,
    resources: HashMap<&'m str, ResourceId>,
}

/// The dense id of the VM or node that comes next.
pub(super) fn element(reader: &mut Reader<'_>, numbering: &Numbering, kind: &str, what: &str) -> Parsed<u32> {
    let at = reader.here();
    let number = mapping::number(reader, what)?;
    declared(number, numbering, kind, at)
}

/// The dense id of a number.
pub(super) fn declared(number: u32, numbering: &Numbering, kind: &str, at: usize) -> Parsed<u32> {
    match numbering.get(number) {
        Some(id) => Ok(id),
        None => fault(at, format!("{kind} {number} is not declared in the mapping")),
    }
}

impl Names for ByNumber<'_> {
    fn vm(&self, reader: &mut Reader<'_>) -> Parsed<VmId> {
        element(reader, self.vms, "VM", VM).map(VmId)
    }

    fn node(&self, reader: &mut Reader<'_>) -> Parsed<NodeId> {
        element(reader, self.nodes, "node", NODE).map(NodeId)
    }

    fn resource(&self, reader: &mut Reader<'_>) -> Parsed<ResourceId> {
        let at = reader.here();
        let name = reader.text_value("the name of a resource")?;
        match self.resources.get(name.as_ref()) {
            Some(&resource) => Ok(resource),
            None => {
                // The one that comes first in the document, of several as near.
                let mut known: Vec<(ResourceId, &str)> =
                    self.resources.iter().map(|(name, resource)| (*resource, *name)).collect();
                known.sort_unstable();
                let near = hint(&name, known.into_iter().map(|(_, name)| name));
                fault(at, format!("no view describes the resource {}{near}", quoted(&name)))
            }
        }
    }
}

impl Model {
    pub(super) fn names(&self) -> ByNumber<'_> {
        let resources = table::resources_by_name(&self.instance);
        ByNumber { vms: &self.vms, nodes: &self.nodes, resources }
    }
}

/// Reads a model. Attributes and views need the mapping: what comes before it waits.
/// For `introduced` see [`mapping::read`].
pub(super) fn read(reader: &mut Reader<'_>, introduced: &[u32], context: &mut Context) -> Parsed<Model> {
    let start = reader.here();
    let mut mapping = None;
    let mut attributes = None;
    let mut views: Option<Views<'_>> = None;
    let mut waiting: Vec<Field<'_>> = Vec::new();
    reader.object("the model: an object with the keys `mapping`, `attributes` and `views`")?;
    while let Some(key) = reader.key()? {
        match (key.as_ref(), &mapping) {
            ("mapping", _) => {
                once(&mapping, "mapping", reader)?;
                mapping = Some(mapping::read(reader, introduced, context)?);
            }
            ("attributes", Some(mapping)) => {
                once(&attributes, "attributes", reader)?;
                attributes = Some(read_attributes(reader, mapping)?);
            }
            ("views", Some(mapping)) => {
                once(&views, "views", reader)?;
                views = Some(view::read(reader, mapping, context)?);
            }
            ("attributes" | "views", None) => {
                let key_at = reader.key_at();
                let span = reader.span()?;
                waiting.push(Field { key, key_at, span, memo: None });
            }
            _ => reader.skip()?,
        }
    }
    let mapping = needed(mapping, "mapping", start)?;
    for field in &waiting {
        let twice = format!("the key `{}` is given twice", field.key);
        if field.key == "attributes" {
            if attributes.is_some() {
                return fault(field.key_at, twice);
            }
            attributes = Some(field.read(reader, |reader| read_attributes(reader, &mapping))?);
        } else {
            if views.is_some() {
                return fault(field.key_at, twice);
            }
            views = Some(field.read(reader, |reader| view::read(reader, &mapping, context))?);
        }
    }
    for (missing, key) in [(attributes.is_none(), "attributes"), (views.is_none(), "views")] {
        if missing {
            context.missing(key, start)?;
        }
    }
    let (vm_attributes, node_attributes) = attributes.unwrap_or_default();
    let views = views.unwrap_or_default();
    let mut vms = named(&mapping.vms, views.vm_names, "VM", "vm#", start)?;
    vms.attributes = vm_attributes;
    let mut nodes = named(&mapping.nodes, views.node_names, "node", "node#", start)?;
    nodes.attributes = node_attributes;
    let instance = Instance {
        vms,
        nodes,
        places: mapping.places,
        online: mapping.online,
        resources: views.resources,
        network: views.network,
        ..Instance::default()
    };
    Ok(Model { instance, vms: mapping.vms, nodes: mapping.nodes })
}

/// Where an attribute stands in a document that has its model as the value of a key.
fn of_element(key: &str, list: &str, number: u32, attribute: &str) -> [Step; 5] {
    [key, "attributes", list, &number.to_string(), attribute].map(Step::key)
}

/// Notes attributes that are probably misspelt.
pub(super) fn note_misspelt(reader: &Reader<'_>, instance: &Instance, context: &mut Context) {
    attributes::note_misspelt(instance, context, |of_nodes, row, attribute| {
        let (list, elements) = if of_nodes { ("nodes", instance.nodes()) } else { ("vms", instance.vms()) };
        find(reader, &of_element("model", list, elements.number(row), attribute))
    });
}

/// Checks an instance whose model is the value of a key of the document; `start` is where what
/// is wrong with it as a whole is seen.
pub(super) fn checked(reader: &Reader<'_>, start: usize, key: &str, instance: Instance) -> Parsed<Instance> {
    let Err(error) = instance.check() else { return Ok(instance) };
    let of_element =
        |list: &str, number: u32, attribute: &str| of_element(key, list, number, attribute).to_vec();
    let steps: Vec<Step> = match error.part {
        Part::Instance => return fault(start, error.message),
        Part::Vm(vm, attribute) => of_element("vms", instance.vms().number(vm.index()), attribute),
        Part::Node(node, attribute) => of_element("nodes", instance.nodes().number(node.index()), attribute),
        Part::Network(part) => {
            let view = [Step::key(key), Step::key("views"), Step::WithId("net")];
            view.into_iter().chain(network::steps(part)).collect()
        }
    };
    // Advice speaks of what our own files can say.
    fault(find(reader, &steps), error.message)
}

fn read_attributes(reader: &mut Reader<'_>, mapping: &mapping::Mapping) -> Parsed<(Attributes, Attributes)> {
    let (mut vms, mut nodes) = (None, None);
    reader.object("the attributes: an object with the keys `vms` and `nodes`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "vms" => {
                once(&vms, "vms", reader)?;
                vms = Some(attributes_of(reader, &mapping.vms, "VM", VM)?);
            }
            "nodes" => {
                once(&nodes, "nodes", reader)?;
                nodes = Some(attributes_of(reader, &mapping.nodes, "node", NODE)?);
            }
            _ => reader.skip()?,
        }
    }
    Ok((vms.unwrap_or_default(), nodes.unwrap_or_default()))
}

fn attributes_of(
    reader: &mut Reader<'_>,
    numbering: &Numbering,
    kind: &str,
    what: &str,
) -> Parsed<Attributes> {
    let mut table = AttributeTable::default();
    let mut met = vec![false; numbering.len()];
    reader.object("an object of attributes, by the integers of their elements")?;
    while let Some(key) = reader.key()? {
        let at = reader.key_at();
        let number = mapping::number_of_key(&key, what, at)?;
        let element = declared(number, numbering, kind, at)?;
        if std::mem::replace(&mut met[element as usize], true) {
            return fault(at, format!("the attributes of {kind} {number} are given twice"));
        }
        table.read(reader, element)?;
    }
    Ok(table.finish())
}

/// The elements with their names: the last one that a naming view gives, else the
/// integer behind a prefix. Names given before the last are aliases.
fn named(
    numbering: &Numbering,
    given: Vec<Named<'_>>,
    kind: &str,
    prefix: &str,
    start: usize,
) -> Parsed<Elements> {
    let mut names: Vec<Option<Cow<'_, str>>> = vec![None; numbering.len()];
    let mut aliases = Vec::new();
    let mut borrowed = Vec::new();
    for Named { name, element, at } in given {
        if let Some(other) = named_by_default(&name, prefix).and_then(|number| numbering.get(number))
            && other != element
        {
            borrowed.push((other, at));
        }
        if let Some(before) = names[element as usize].replace(name) {
            aliases.push((before.into_owned(), element));
        }
    }
    if let Some(&(other, at)) = borrowed.iter().find(|(other, _)| names[*other as usize].is_none()) {
        let number = numbering.numbers()[other as usize];
        return fault(
            at,
            format!("`{prefix}{number}` is what {kind} {number} is called, which has no other name"),
        );
    }
    let names: Vec<Cow<'_, str>> = names
        .into_iter()
        .zip(numbering.numbers())
        .map(|(name, number)| name.unwrap_or_else(|| Cow::Owned(format!("{prefix}{number}"))))
        .collect();
    aliases.sort_by_key(|alias| alias.1);
    let Some(mut elements) = table::elements(names.iter().map(Cow::as_ref)) else {
        return fault(start, format!("the names of the {kind}s are longer than 4 GiB together"));
    };
    elements.numbers = numbering.kept();
    elements.aliases = aliases;
    Ok(elements)
}

/// The number whose element is called that where no view names it.
fn named_by_default(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

/// The keys of an object that depend on its `id`.
pub(super) fn with_id<'a>(
    reader: &mut Reader<'a>,
    what: &str,
) -> Parsed<(Vec<Field<'a>>, usize, Cow<'a, str>)> {
    let start = reader.here();
    let fields = fields(reader, what)?;
    let field = required(&fields, "id", start)?;
    let at = field.span.start;
    let id = field.read(reader, |reader| reader.text_value("the id: a text"))?;
    Ok((fields, at, id))
}

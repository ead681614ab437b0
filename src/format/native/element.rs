//! Nodes, VMs and resources.

use super::document::node;
use crate::format::Context;
use crate::format::attributes::AttributeTable;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule::Names;
use crate::format::table;
use crate::model::Elements;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Resource;
use crate::model::ResourceId;
use crate::model::VmId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::HashMap;

/// The VMs, or the nodes, while they are read.
#[derive(Debug, Default)]
pub(super) struct Table<'a> {
    names: Vec<Cow<'a, str>>,
    /// By names and aliases.
    by_name: HashMap<Cow<'a, str>, u32>,
    aliases: Vec<(String, u32)>,
    numbers: Vec<u32>,
    tags: BTreeMap<u32, Vec<String>>,
    attributes: AttributeTable,
}

/// Passes over a key that is not known, if that is tolerated.
pub(super) fn unknown(
    reader: &mut Reader<'_>,
    key: &str,
    known: &[&str],
    context: &mut Context,
) -> Parsed<()> {
    context.tolerate("unknown keys", reader.key_at(), || {
        format!("unknown key {}{}", quoted(key), hint(key, known.iter().copied()))
    })?;
    reader.skip()
}

impl<'a> Table<'a> {
    /// The element whose name comes next.
    pub(super) fn find(&self, reader: &mut Reader<'_>, kind: &str) -> Parsed<u32> {
        let at = reader.here();
        let name = reader.text_value(&format!("the name of a {kind}"))?;
        match self.by_name.get(name.as_ref()) {
            Some(&id) => Ok(id),
            None => {
                let near = hint(&name, self.names.iter().map(Cow::as_ref));
                fault(at, format!("there is no {kind} {}{near}", quoted(&name)))
            }
        }
    }

    fn next(&self) -> u32 {
        self.names.len() as u32
    }

    fn add_name(&mut self, name: Cow<'a, str>, kind: &str, at: usize) -> Parsed<()> {
        let id = self.next();
        if self.by_name.insert(name.clone(), id).is_some() {
            return fault(at, format!("{kind} {} is declared twice", quoted(&name)));
        }
        Ok(())
    }

    /// Reads a key that VMs and nodes share; false if it is none.
    fn shared(
        &mut self,
        reader: &mut Reader<'a>,
        key: &str,
        seen: &mut Shared<'a>,
        kind: &str,
    ) -> Parsed<bool> {
        match key {
            "name" => {
                once(&seen.name, key, reader)?;
                let at = reader.here();
                let name = reader.text_value("a name")?;
                self.add_name(name.clone(), kind, at)?;
                seen.name = Some(name);
            }
            "number" => {
                once(&seen.number, key, reader)?;
                let at = reader.here();
                let number = reader.unsigned(u64::from(u32::MAX), "an integer from 0 to 4294967295")? as u32;
                if self.numbers.last().is_some_and(|&last| last >= number) {
                    return fault(at, "expected the key `number` to ascend from one to the next");
                }
                if self.numbers.len() < self.names.len() {
                    return fault(at, format!("expected the key `number` on every {kind} or on none"));
                }
                self.numbers.push(number);
                seen.number = Some(());
            }
            "aliases" => {
                once(&seen.aliases, key, reader)?;
                let id = self.next();
                reader.array("an array of names")?;
                while reader.element()? {
                    let at = reader.here();
                    let name = reader.text_value("a name")?;
                    self.add_name(name.clone(), kind, at)?;
                    self.aliases.push((name.into_owned(), id));
                }
                seen.aliases = Some(());
            }
            "tags" => {
                once(&seen.tags, key, reader)?;
                let mut tags = Vec::new();
                reader.array("an array of tags")?;
                while reader.element()? {
                    tags.push(reader.text_value("a tag: a text")?.into_owned());
                }
                if !tags.is_empty() {
                    self.tags.insert(self.next(), tags);
                }
                seen.tags = Some(());
            }
            "attributes" => {
                once(&seen.attributes, key, reader)?;
                let id = self.next();
                self.attributes.read(reader, id)?;
                seen.attributes = Some(());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The element is complete.
    fn push(&mut self, seen: Shared<'a>, kind: &str, start: usize) -> Parsed<()> {
        let name = needed(seen.name, "name", start)?;
        if seen.number.is_none() && !self.numbers.is_empty() {
            return fault(start, format!("expected the key `number` on every {kind} or on none"));
        }
        self.names.push(name);
        Ok(())
    }

    pub(super) fn finish(self, kind: &str) -> Parsed<Elements> {
        let Some(mut elements) = table::elements(self.names.iter().map(Cow::as_ref)) else {
            return fault(0, format!("the names of the {kind}s are longer than 4 GiB together"));
        };
        let plain = self.numbers.iter().enumerate().all(|(at, &number)| at as u32 == number);
        elements.numbers = if plain { None } else { Some(self.numbers) };
        elements.aliases = self.aliases;
        elements.tags = self.tags;
        elements.attributes = self.attributes.finish();
        Ok(elements)
    }
}

/// The keys that VMs and nodes share, as far as they were met.
#[derive(Default)]
struct Shared<'a> {
    name: Option<Cow<'a, str>>,
    number: Option<()>,
    aliases: Option<()>,
    tags: Option<()>,
    attributes: Option<()>,
}

/// Reads the nodes, and which of them are on.
pub(super) fn nodes<'a>(
    reader: &mut Reader<'a>,
    resources: &mut Resources<'a>,
    context: &mut Context,
) -> Parsed<(Table<'a>, Vec<bool>)> {
    const KEYS: [&str; 7] = ["name", "state", "capacity", "tags", "attributes", "number", "aliases"];
    let mut table = Table::default();
    let mut online = Vec::new();
    reader.array("an array of nodes")?;
    while reader.element()? {
        let start = reader.here();
        let mut seen = Shared::default();
        let (mut state, mut capacity) = (None, None);
        reader.object("a node: an object with the key `name`")?;
        while let Some(key) = reader.key()? {
            match key.as_ref() {
                "state" => {
                    once(&state, "state", reader)?;
                    state = Some(word(reader, ["online", "offline"])? == 0);
                }
                "capacity" => {
                    once(&capacity, "capacity", reader)?;
                    capacity = Some(resources.read(reader, table.next(), Side::Capacity)?);
                }
                key if table.shared(reader, key, &mut seen, "node")? => {}
                key => unknown(reader, key, &KEYS, context)?,
            }
        }
        table.push(seen, "node", start)?;
        online.push(state.unwrap_or(true));
    }
    Ok((table, online))
}

/// Reads the VMs, and where they are.
pub(super) fn vms<'a>(
    reader: &mut Reader<'a>,
    nodes: &Table<'a>,
    resources: &mut Resources<'a>,
    context: &mut Context,
) -> Parsed<(Table<'a>, Vec<Place>)> {
    const KEYS: [&str; 8] = ["name", "state", "host", "demand", "tags", "attributes", "number", "aliases"];
    const STATES: [&str; 5] = ["init", "ready", "running", "sleeping", "killed"];
    let mut table = Table::default();
    let mut places = Vec::new();
    reader.array("an array of VMs")?;
    while reader.element()? {
        let start = reader.here();
        let mut seen = Shared::default();
        let (mut state, mut host, mut demand) = (None, None, None);
        reader.object("a VM: an object with the key `name`")?;
        while let Some(key) = reader.key()? {
            match key.as_ref() {
                "state" => {
                    once(&state, "state", reader)?;
                    state = Some(word(reader, STATES)?);
                }
                "host" => {
                    once(&host, "host", reader)?;
                    let at = reader.here();
                    if !reader.null() {
                        host = Some((node(reader, nodes)?, at));
                    }
                }
                "demand" => {
                    once(&demand, "demand", reader)?;
                    demand = Some(resources.read(reader, table.next(), Side::Demand)?);
                }
                key if table.shared(reader, key, &mut seen, "VM")? => {}
                key => unknown(reader, key, &KEYS, context)?,
            }
        }
        table.push(seen, "VM", start)?;
        // A host alone says that the VM runs, its absence that it does not.
        let state = state.unwrap_or(if host.is_some() { 2 } else { 1 });
        places.push(match (state, host) {
            (0, None) => Place::Init,
            (1, None) => Place::Ready,
            (2, Some((node, _))) => Place::Running(node),
            (3, Some((node, _))) => Place::Sleeping(node),
            (4, None) => Place::Killed,
            (2 | 3, None) => {
                return fault(start, format!("a VM that is {} needs the key `host`", STATES[state]));
            }
            (_, Some((_, at))) => return fault(at, format!("a VM that is {} has no host", STATES[state])),
            (_, None) => Place::Ready,
        });
    }
    Ok((table, places))
}

/// The position of the word that comes next.
pub(super) fn word<const N: usize>(reader: &mut Reader<'_>, words: [&str; N]) -> Parsed<usize> {
    let at = reader.here();
    let expected = format!("one of the words {}", words.join(", "));
    let found = reader.text_value(&expected)?;
    match words.iter().position(|word| *word == found) {
        Some(position) => Ok(position),
        None => fault(at, format!("expected {expected}, found {}{}", quoted(&found), hint(&found, words))),
    }
}

/// What is read: what nodes offer, or what VMs take.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Capacity,
    Demand,
}

/// The resources while they are read: declared, or met where they are used.
#[derive(Debug, Default)]
pub(super) struct Resources<'a> {
    /// Names in the order in which they were met, with the place.
    names: Vec<(Cow<'a, str>, usize)>,
    by_name: HashMap<Cow<'a, str>, u32>,
    /// The declarations: (name by position in `names`, default capacity, default demand).
    declared: Option<Vec<(u32, u64, u64)>>,
    /// The id to be of each declared name, by position in `names`.
    ids: Vec<Option<u32>>,
    /// The row in which each name was last met.
    last_row: Vec<u32>,
    row: u32,
    capacities: Vec<(u32, u32, u64)>,
    demands: Vec<(u32, u32, u64)>,
}

const AMOUNT: &str = "an amount: a whole number of 0 or more";

impl<'a> Resources<'a> {
    pub(super) fn are_declared(&self) -> bool {
        self.declared.is_some()
    }

    fn intern(&mut self, name: Cow<'a, str>, next: usize, at: usize) -> u32 {
        if self.names.get(next).is_some_and(|(known, _)| *known == name) {
            return next as u32;
        }
        if let Some(&known) = self.by_name.get(&name) {
            return known;
        }
        let new = self.names.len() as u32;
        self.names.push((name.clone(), at));
        self.last_row.push(0);
        self.by_name.insert(name, new);
        new
    }

    /// Reads the declarations.
    pub(super) fn declare(&mut self, reader: &mut Reader<'a>, context: &mut Context) -> Parsed<()> {
        const KEYS: [&str; 3] = ["name", "default_capacity", "default_demand"];
        once(&self.declared, "resources", reader)?;
        let mut declared = Vec::new();
        self.row += 1;
        reader.array("an array of resources")?;
        while reader.element()? {
            let start = reader.here();
            let (mut name, mut capacity, mut demand) = (None, None, None);
            reader.object("a resource: an object with the key `name`")?;
            while let Some(key) = reader.key()? {
                match key.as_ref() {
                    "name" => {
                        once(&name, "name", reader)?;
                        let at = reader.here();
                        let text = reader.text_value("a name")?;
                        let known = self.intern(text, self.names.len(), at);
                        if std::mem::replace(&mut self.last_row[known as usize], self.row) == self.row {
                            let text = quoted(&self.names[known as usize].0);
                            return fault(at, format!("resource {text} is declared twice"));
                        }
                        name = Some(known);
                    }
                    "default_capacity" => {
                        once(&capacity, "default_capacity", reader)?;
                        capacity = Some(reader.unsigned(u64::MAX, AMOUNT)?);
                    }
                    "default_demand" => {
                        once(&demand, "default_demand", reader)?;
                        demand = Some(reader.unsigned(u64::MAX, AMOUNT)?);
                    }
                    key => unknown(reader, key, &KEYS, context)?,
                }
            }
            let name = needed(name, "name", start)?;
            declared.push((name, capacity.unwrap_or(0), demand.unwrap_or(0)));
        }
        self.ids = vec![None; self.names.len()];
        for (id, &(name, ..)) in declared.iter().enumerate() {
            self.ids[name as usize] = Some(id as u32);
        }
        self.declared = Some(declared);
        Ok(())
    }

    /// Reads the amounts of an element.
    fn read(&mut self, reader: &mut Reader<'a>, element: u32, side: Side) -> Parsed<()> {
        self.row += 1;
        let mut next = 0;
        reader.object("an object of amounts, by the names of resources")?;
        while let Some(name) = reader.key()? {
            let at = reader.key_at();
            let resource = self.intern(name, next, at);
            if std::mem::replace(&mut self.last_row[resource as usize], self.row) == self.row {
                let name = quoted(&self.names[resource as usize].0);
                return fault(at, format!("the amount of {name} is given twice"));
            }
            next = resource as usize + 1;
            let amount = reader.unsigned(u64::MAX, AMOUNT)?;
            match side {
                Side::Capacity => self.capacities.push((resource, element, amount)),
                Side::Demand => self.demands.push((resource, element, amount)),
            }
        }
        Ok(())
    }

    /// The positions in `names` in the order of the ids to be.
    fn order(&self) -> Vec<u32> {
        match &self.declared {
            Some(declared) => declared.iter().map(|resource| resource.0).collect(),
            None => (0..self.names.len() as u32).collect(),
        }
    }

    fn find(&self, name: &str) -> Option<ResourceId> {
        let known = *self.by_name.get(name)?;
        match &self.declared {
            Some(_) => self.ids.get(known as usize).copied().flatten().map(ResourceId),
            None => Some(ResourceId(known)),
        }
    }

    pub(super) fn finish(self, nodes: usize, vms: usize, start: usize) -> Parsed<Vec<Resource>> {
        let order = self.order();
        table::check_amounts(order.len(), nodes + vms, start)?;
        let mut position = vec![u32::MAX; self.names.len()];
        for (at, &known) in order.iter().enumerate() {
            position[known as usize] = at as u32;
        }
        if let Some(stranger) = position.iter().position(|&at| at == u32::MAX) {
            let (name, at) = &self.names[stranger];
            let near = hint(name, order.iter().map(|&known| self.names[known as usize].0.as_ref()));
            return fault(*at, format!("there is no resource {}{near}", quoted(name)));
        }
        let mut resources: Vec<Resource> = Vec::with_capacity(order.len());
        for (at, &known) in order.iter().enumerate() {
            let (_, default_capacity, default_demand) =
                self.declared.as_ref().and_then(|declared| declared.get(at)).copied().unwrap_or_default();
            resources.push(Resource {
                name: self.names[known as usize].0.clone().into_owned(),
                default_capacity,
                default_demand,
                capacity: vec![default_capacity; nodes],
                demand: vec![default_demand; vms],
            });
        }
        for (resource, element, amount) in self.capacities {
            resources[position[resource as usize] as usize].capacity[element as usize] = amount;
        }
        for (resource, element, amount) in self.demands {
            resources[position[resource as usize] as usize].demand[element as usize] = amount;
        }
        for (resource, &known) in resources.iter().zip(&order) {
            table::check_sums(resource, self.names[known as usize].1)?;
        }
        Ok(resources)
    }
}

/// How a document names things: by names.
pub(super) struct ByName<'m, 'a> {
    pub(super) vms: Option<&'m Table<'a>>,
    pub(super) nodes: Option<&'m Table<'a>>,
    pub(super) resources: &'m Resources<'a>,
}

impl ByName<'_, '_> {
    /// Number of nodes.
    pub(super) fn node_count(&self) -> u32 {
        self.nodes.map_or(0, Table::next)
    }
}

impl Names for ByName<'_, '_> {
    fn vm(&self, reader: &mut Reader<'_>) -> Parsed<VmId> {
        match self.vms {
            Some(vms) => vms.find(reader, "VM").map(VmId),
            None => reader.expected("nothing that needs VMs"),
        }
    }

    fn node(&self, reader: &mut Reader<'_>) -> Parsed<NodeId> {
        match self.nodes {
            Some(nodes) => node(reader, nodes),
            None => reader.expected("nothing that needs nodes"),
        }
    }

    fn resource(&self, reader: &mut Reader<'_>) -> Parsed<ResourceId> {
        let at = reader.here();
        let name = reader.text_value("the name of a resource")?;
        match self.resources.find(&name) {
            Some(resource) => Ok(resource),
            None => {
                let order = self.resources.order();
                let names = order.iter().map(|&known| self.resources.names[known as usize].0.as_ref());
                fault(at, format!("there is no resource {}{}", quoted(&name), hint(&name, names)))
            }
        }
    }
}

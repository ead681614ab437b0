//! Templates, and the declarations of nodes and VMs.

use super::Losses;
use super::Out;
use super::Subject;
use super::names;
use super::names::Names;
use crate::format::FormatError;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Value;
use crate::script::declare;
use crate::script::value;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Options that elements have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Profile {
    /// The attribute `template`, where it can be written as one.
    template: Option<Arc<str>>,
    options: Vec<String>,
}

/// Elements in a row that are alike.
struct Stretch {
    range: Range<usize>,
    profile: usize,
    /// Their state, once the row has been cut by it.
    state: String,
}

/// The kinds of elements; their words are used in the names of templates.
struct Kind {
    word: &'static str,
    profiles: Vec<Profile>,
    stretches: Vec<Stretch>,
    /// The text after the colon, by profile.
    texts: Vec<String>,
}

pub(super) fn write(subject: Subject<'_>, out: &mut Out, losses: &mut Losses) -> Result<(), FormatError> {
    let Subject { instance, names, resources } = subject;
    let mut nodes = gather(instance, instance.nodes(), "node", resources, losses)?;
    let mut vms = gather(instance, instance.vms(), "vm", resources, losses)?;
    let online = |at: usize| instance.online.get(at).copied().unwrap_or(false);
    nodes.divide(|range| {
        let state = online(range.start);
        let alike = range.clone().take_while(|&at| online(at) == state).count();
        Ok((range.start + alike, if state { "online" } else { "offline" }.to_owned()))
    })?;
    vms.divide(|range| placed(instance, names, range, losses))?;
    templates([&mut nodes, &mut vms], out);
    for (kind, table) in [(nodes, &names.nodes), (vms, &names.vms)] {
        if !kind.stretches.is_empty() {
            out.gap();
        }
        for Stretch { range, profile, state } in &kind.stretches {
            let text = kind.texts.get(*profile).map_or("plain", String::as_str);
            out.statement(&format!("{} : {text} {state}", table.target(range.clone())));
        }
    }
    Ok(())
}

impl Kind {
    /// Cuts what stands in a row where the state changes: `state` tells the state at the
    /// start of a range and where that ends.
    fn divide(
        &mut self,
        mut state: impl FnMut(Range<usize>) -> Result<(usize, String), FormatError>,
    ) -> Result<(), FormatError> {
        for Stretch { range, profile, .. } in std::mem::take(&mut self.stretches) {
            let mut start = range.start;
            while start < range.end {
                let (end, state) = state(start..range.end)?;
                let end = end.max(start + 1);
                self.stretches.push(Stretch { range: start..end, profile, state });
                start = end;
            }
        }
        Ok(())
    }
}

/// The first VMs of a range that one statement can put where they are; where that is.
fn placed(
    instance: &Instance,
    names: &Names,
    range: Range<usize>,
    losses: &mut Losses,
) -> Result<(usize, String), FormatError> {
    let places = instance.places.get(range.clone()).unwrap_or(&[]);
    let Some(&first) = places.first() else { return Ok((range.end, "ready".to_owned())) };
    let equal = places.iter().take_while(|&&place| place == first).count();
    let word = match first {
        Place::Running(_) => "running",
        Place::Sleeping(_) => "sleeping",
        Place::Ready => return Ok((range.start + equal, "ready".to_owned())),
        Place::Init | Place::Killed => {
            let word = first.state().name();
            for at in range.start..range.start + equal {
                let name = instance.vms().name(at);
                losses.add("states of VMs", || format!("`{name}` is {word}; it is written as ready"))?;
            }
            return Ok((range.start + equal, "ready".to_owned()));
        }
    };
    let mut met: FxHashSet<NodeId> = FxHashSet::default();
    let different = places
        .iter()
        .map_while(|place| place.node().filter(|_| place.state() == first.state()))
        .take_while(|&node| met.insert(node))
        .count();
    if equal > 1 || different < 2 {
        let node = first.node().map_or(0, NodeId::index);
        return Ok((range.start + equal.max(1), format!("{word} on {}", names.nodes.single(node))));
    }
    // The last of them may rather go with those that follow it on its node.
    let follows = places.get(different).is_some_and(|next| places.get(different - 1) == Some(next));
    let different = if follows && different > 2 { different - 1 } else { different };
    let hosts: Vec<NodeId> = places.iter().take(different).filter_map(|place| place.node()).collect();
    Ok((range.start + different, format!("{word} on {}", names.set(&hosts, true))))
}

/// The options of all elements, and which of them stand in a row with equal ones.
fn gather(
    instance: &Instance,
    elements: &Elements,
    word: &'static str,
    resources: &[bool],
    losses: &mut Losses,
) -> Result<Kind, FormatError> {
    let mut kind = Kind { word, profiles: Vec::new(), stretches: Vec::new(), texts: Vec::new() };
    let mut known: FxHashMap<Profile, usize> = FxHashMap::default();
    for at in 0..elements.len() {
        let profile = profile(instance, elements, at, word == "node", resources, losses)?;
        let next = kind.profiles.len();
        let profile = *known.entry(profile).or_insert_with_key(|profile| {
            kind.profiles.push(profile.clone());
            next
        });
        match kind.stretches.last_mut() {
            Some(stretch) if stretch.profile == profile => stretch.range.end = at + 1,
            _ => kind.stretches.push(Stretch { range: at..at + 1, profile, state: String::new() }),
        }
    }
    Ok(kind)
}

fn profile(
    instance: &Instance,
    elements: &Elements,
    at: usize,
    node: bool,
    resources: &[bool],
    losses: &mut Losses,
) -> Result<Profile, FormatError> {
    let mut profile = Profile { template: None, options: Vec::new() };
    let name = elements.name(at);
    for (resource, sound) in instance.resources().iter().zip(resources) {
        let (amounts, default) = match node {
            true => (&resource.capacity, resource.default_capacity),
            false => (&resource.demand, resource.default_demand),
        };
        let amount = amounts.get(at).copied().unwrap_or_default();
        if *sound && amount != default {
            profile.options.push(format!("{}={amount}", names::title(&resource.name)));
        }
    }
    let mut attributes: Vec<(&str, &Value)> = elements.attributes().of(at).collect();
    attributes.sort_unstable_by_key(|(key, _)| *key);
    for (key, given) in attributes {
        if let ("template", Value::Text(text)) = (key, given)
            && names::is_path(text)
            && !declare::is_special(text)
        {
            profile.template = Some(text.clone());
            continue;
        }
        let of_resource =
            || instance.resources().iter().zip(resources).any(|(r, sound)| *sound && r.name == key);
        let key = match key == "tag" || key.starts_with(declare::ATTRIBUTE) || of_resource() {
            true => format!("{}{key}", declare::ATTRIBUTE),
            false => key.to_owned(),
        };
        match attribute(given) {
            Some(text) if text.is_empty() => profile.options.push(names::title(&key)),
            Some(text) => profile.options.push(format!("{}={text}", names::title(&key))),
            None => losses.add("attributes", || {
                format!("the attribute `{key}` of `{name}`, `{}`", declare::attribute_text(given))
            })?,
        }
    }
    for (position, tag) in elements.tags(at).iter().enumerate() {
        if elements.tags(at)[..position].contains(tag) {
            losses.add("tags", || format!("`{name}` has the tag `{tag}` twice"))?;
            continue;
        }
        profile.options.push(format!("tag={}", names::quoted(tag)));
    }
    Ok(profile)
}

/// The value of an attribute; empty for a flag. None where it would be read as another.
fn attribute(given: &Value) -> Option<String> {
    Some(match given {
        Value::Bool(true) => String::new(),
        Value::Bool(false) => "\"false\"".to_owned(),
        // Its size alone is no integer.
        Value::Int(i64::MIN) => format!("\"{}\"", i64::MIN),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if !number.is_finite() => return None,
        Value::Float(number) => {
            let text = number.to_string();
            if text.contains('.') { text } else { format!("{text}.0") }
        }
        Value::Text(text) => {
            let read = declare::attribute_of(&value::Value::Text(text.clone()));
            if read.as_ref() != Some(given) {
                return None;
            }
            names::quoted(text)
        }
    })
}

/// Declares templates for what is common, and finds what is left to say.
fn templates(kinds: [&mut Kind; 2], out: &mut Out) {
    // By the attribute: what all have in common.
    let mut named: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
    let mut met: FxHashSet<Arc<str>> = FxHashSet::default();
    for profile in kinds.iter().flat_map(|kind| &kind.profiles) {
        let Some(template) = &profile.template else { continue };
        if met.insert(template.clone()) {
            named.insert(template.clone(), profile.options.clone());
        } else if let Some(common) = named.get_mut(template) {
            // Tags are given in their order: all of them together, or one by one.
            if *common != profile.options {
                common.retain(|option| !option.starts_with("tag=") && profile.options.contains(option));
            }
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (name, options) in &named {
        lines.push(template(name, options));
    }
    let mut plain = false;
    for kind in kinds {
        let mut used = vec![0usize; kind.profiles.len()];
        for stretch in &kind.stretches {
            if let Some(used) = used.get_mut(stretch.profile) {
                *used += 1;
            }
        }
        let mut next = 0;
        for (profile, used) in kind.profiles.iter().zip(used) {
            if let Some(name) = &profile.template {
                let common = named.get(name).map_or(&[][..], Vec::as_slice);
                let own: Vec<&str> = profile
                    .options
                    .iter()
                    .filter(|option| !common.contains(option))
                    .map(String::as_str)
                    .collect();
                kind.texts.push(with_options(name, &own));
            } else if used > 1 && !profile.options.is_empty() {
                next += 1;
                let name = format!("plain.{}{next}", kind.word);
                lines.push(template(&name, &profile.options));
                kind.texts.push(name);
            } else {
                plain = true;
                let own: Vec<&str> = profile.options.iter().map(String::as_str).collect();
                kind.texts.push(with_options("plain", &own));
            }
        }
    }
    if plain {
        lines.insert(0, "template plain".to_owned());
    }
    // Where none is declared, none has to be.
    if plain || lines.iter().any(|line| line.contains(['<', '.'])) {
        out.gap();
        for line in lines {
            out.statement(&line);
        }
    }
}

fn template(name: &str, options: &[String]) -> String {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    format!("template {}", with_options(name, &options))
}

fn with_options(name: &str, options: &[&str]) -> String {
    if options.is_empty() { name.to_owned() } else { format!("{name}<{}>", options.join(", ")) }
}

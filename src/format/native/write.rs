//! Writing instances.

use super::INSTANCE_SCHEMA;
use super::network;
use crate::format::FormatError;
use crate::format::attributes;
use crate::format::reader::Number;
use crate::format::rule::Dialect;
use crate::format::rule::Scribe;
use crate::format::rule::WriteNames;
use crate::format::writer::Json;
use crate::model::Duration;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::Timed;
use crate::model::VmId;

/// Writes an instance; reading the text yields an equal one.
///
/// One node, VM or constraint on a line, in the order of their ids; attributes by key.
/// What is as it would be anyway is left out.
///
/// # Errors
/// When an attribute or a duration is not a finite number, which JSON cannot say.
pub fn write_instance(instance: &Instance) -> Result<String, FormatError> {
    let mut json = Json::default();
    json.raw("{\n  \"schema\": ");
    json.text(INSTANCE_SCHEMA);
    json.raw(",\n  \"resources\": ");
    json.lines(["[", "]"], 1, instance.resources().iter(), |json, resource| {
        json.raw("{\"name\": ");
        json.text(&resource.name);
        for (key, amount) in
            [("default_capacity", resource.default_capacity), ("default_demand", resource.default_demand)]
        {
            if amount != 0 {
                json.raw(", ");
                json.key(key);
                json.unsigned(amount);
            }
        }
        json.raw("}");
    });
    let mut result = Ok(());
    json.raw(",\n  \"nodes\": ");
    json.lines(["[", "]"], 1, instance.node_ids(), |json, node| {
        let elements = instance.nodes();
        json.raw("{\"name\": ");
        json.text(instance.node_name(node));
        if !instance.is_online(node) {
            json.raw(", \"state\": \"offline\"");
        }
        amounts(json, instance, "capacity", |resource| {
            let resource = &instance.resources()[resource.index()];
            (resource.capacity[node.index()], resource.default_capacity)
        });
        let written = rest(json, elements, node.index());
        if result.is_ok() {
            result = written;
        }
        json.raw("}");
    });
    json.raw(",\n  \"vms\": ");
    json.lines(["[", "]"], 1, instance.vm_ids(), |json, vm| {
        let elements = instance.vms();
        json.raw("{\"name\": ");
        json.text(instance.vm_name(vm));
        json.raw(", \"state\": ");
        json.text(instance.place(vm).state().name());
        if let Some(host) = instance.place(vm).node() {
            json.raw(", \"host\": ");
            json.text(instance.node_name(host));
        }
        amounts(json, instance, "demand", |resource| {
            let resource = &instance.resources()[resource.index()];
            (resource.demand[vm.index()], resource.default_demand)
        });
        let written = rest(json, elements, vm.index());
        if result.is_ok() {
            result = written;
        }
        json.raw("}");
    });
    result?;
    durations(&mut json, instance)?;
    if let Some(network) = instance.network() {
        json.raw(",\n  \"network\": ");
        network::write(&mut json, network, instance)?;
    }
    json.raw(",\n  \"constraints\": ");
    let names = Texts { instance };
    let mut scribe = Scribe::default();
    json.lines(["[", "]"], 1, instance.constraints().iter(), |json, constraint| {
        json.raw("{");
        json.key(constraint.rule.signature().name);
        json.raw("{");
        scribe.fields(json, constraint, Dialect::Quadrille, &names, false);
        json.raw("}}");
    });
    json.raw(",\n  \"objective\": ");
    json.text(&instance.objective().to_string());
    json.raw("\n}\n");
    Ok(json.finish())
}

struct Texts<'i> {
    instance: &'i Instance,
}

impl WriteNames for Texts<'_> {
    fn vm(&self, json: &mut Json, vm: VmId) {
        json.text(self.instance.vm_name(vm));
    }

    fn node(&self, json: &mut Json, node: NodeId) {
        json.text(self.instance.node_name(node));
    }

    fn resource(&self, json: &mut Json, resource: ResourceId) {
        json.text(self.instance.resource_name(resource));
    }
}

fn amounts(json: &mut Json, instance: &Instance, key: &str, amount: impl Fn(ResourceId) -> (u64, u64)) {
    let mut any = false;
    for resource in instance.resource_ids() {
        let (amount, default) = amount(resource);
        if amount == default {
            continue;
        }
        json.raw(", ");
        if !any {
            json.key(key);
            json.raw("{");
        }
        any = true;
        json.key(instance.resource_name(resource));
        json.unsigned(amount);
    }
    if any {
        json.raw("}");
    }
}

/// Tags, attributes, aliases and integers.
fn rest(json: &mut Json, elements: &Elements, index: usize) -> Result<(), FormatError> {
    let tags = elements.tags(index);
    if !tags.is_empty() {
        json.raw(", \"tags\": ");
        json.array(tags.iter(), |json, tag| json.text(tag));
    }
    let mut result = Ok(());
    if elements.attributes().of(index).next().is_some() {
        json.raw(", \"attributes\": ");
        result = attributes::write(json, elements, index);
    }
    // The aliases are sorted by element.
    let from = elements.aliases.partition_point(|alias| (alias.1 as usize) < index);
    let to = elements.aliases.partition_point(|alias| alias.1 as usize <= index);
    if from < to {
        json.raw(", \"aliases\": ");
        json.array(elements.aliases[from..to].iter(), |json, alias| json.text(&alias.0));
    }
    if elements.numbers.is_some() {
        json.raw(", \"number\": ");
        json.unsigned(u64::from(elements.number(index)));
    }
    result
}

fn durations(json: &mut Json, instance: &Instance) -> Result<(), FormatError> {
    let mut any = false;
    for kind in Timed::ALL {
        let Some(duration) = instance.durations().stated(kind) else { continue };
        json.raw(if any { ",\n    " } else { ",\n  \"durations\": {\n    " });
        any = true;
        json.key(kind.name());
        match duration {
            Duration::Constant(seconds) => json.unsigned(u64::from(seconds)),
            Duration::Linear { resource, coefficient, offset } => {
                if !coefficient.is_finite() || !offset.is_finite() {
                    let name = kind.name();
                    return Err(FormatError::whole(format!(
                        "the duration of `{name}` is not made of finite numbers, and JSON has no others"
                    )));
                }
                json.raw("{\"resource\": ");
                json.text(instance.resource_name(resource));
                json.raw(", \"coefficient\": ");
                json.number(Number::Float(coefficient));
                json.raw(", \"offset\": ");
                json.number(Number::Float(offset));
                json.raw("}");
            }
        }
    }
    if any {
        json.raw("\n  }");
    }
    Ok(())
}

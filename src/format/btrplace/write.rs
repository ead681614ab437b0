//! Writing instances.

use super::mapping::is_absent;
use super::network;
use super::objective;
use crate::constraint::BtrPlaceFlag;
use crate::constraint::Constraint;
use crate::format::FormatError;
use crate::format::WriteOptions;
use crate::format::Written;
use crate::format::attributes;
use crate::format::reader::quoted;
use crate::format::rule::Dialect;
use crate::format::rule::Scribe;
use crate::format::rule::WriteNames;
use crate::format::rule::btrplace_id;
use crate::format::writer::Json;
use crate::model::Behaviour;
use crate::model::Duration;
use crate::model::DurationError;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::Timed;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmState;
use std::collections::BTreeMap;

/// Writes an instance.
///
/// Elements, amounts and attributes are sorted; constraints keep their order. Amounts
/// that are the default of their resource are not written.
///
/// # Errors
/// When the format cannot say something (tags, duration models, VMs that are yet to be
/// forged or are gone, most objectives), unless `options.lossy` allows to leave it out
/// or to say it otherwise.
pub fn write_instance(instance: &Instance, options: &WriteOptions) -> Result<Written, FormatError> {
    let mut loss = Loss { lossy: options.lossy, notes: Vec::new() };
    check_restrictions(instance.constraints(), &mut loss)?;
    let id = match objective::id(instance.objective()) {
        Some(id) => id,
        None => {
            loss.of(format!(
                "the objective `{}` has no name in BtrPlace files; `minimizeMTTR` is written",
                instance.objective()
            ))?;
            "minimizeMTTR"
        }
    };
    let mut json = Json::default();
    json.raw("{\n\"model\": ");
    write_model(&mut json, instance, Undeclared::Ready, &mut loss)?;
    json.raw(",\n\"constraints\": ");
    let names = Numbers { instance };
    let mut scribe = Scribe::default();
    json.lines(["[", "]"], 0, instance.constraints().iter(), |json, constraint| {
        json.raw("{\"id\": ");
        json.text(btrplace_id(constraint.rule.signature()));
        scribe.fields(json, constraint, Dialect::BtrPlace, &names, true);
        json.raw("}");
    });
    json.raw(",\n\"objective\": {\"id\": ");
    json.text(id);
    json.raw("}\n}\n");
    remark(instance, &mut loss.notes);
    Ok(Written { text: json.finish(), notes: loss.notes })
}

/// What the format cannot say: an error, or a note where that is allowed.
pub(super) struct Loss {
    pub(super) lossy: bool,
    pub(super) notes: Vec<String>,
}

impl Loss {
    fn of(&mut self, what: String) -> Result<(), FormatError> {
        if !self.lossy {
            return Err(FormatError::whole(what));
        }
        self.notes.push(what);
        Ok(())
    }
}

/// What becomes of the VMs that BtrPlace does not know: those to be forged, and those gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undeclared {
    /// They are written as ready, which is a loss.
    Ready,
    /// They are left out, as in the origin of a plan: its actions introduce them.
    LeftOut,
}

/// How the documents name things.
pub(super) struct Numbers<'i> {
    pub(super) instance: &'i Instance,
}

impl WriteNames for Numbers<'_> {
    fn vm(&self, json: &mut Json, vm: VmId) {
        json.unsigned(u64::from(self.instance.vms().number(vm.index())));
    }

    fn node(&self, json: &mut Json, node: NodeId) {
        json.unsigned(u64::from(self.instance.nodes().number(node.index())));
    }

    fn resource(&self, json: &mut Json, resource: ResourceId) {
        json.text(self.instance.resource_name(resource));
    }
}

/// A restriction other than the default is lost where BtrPlace does not look at the flag.
fn check_restrictions(constraints: &[Constraint], loss: &mut Loss) -> Result<(), FormatError> {
    for (at, constraint) in constraints.iter().enumerate() {
        let signature = constraint.rule.signature();
        let is_read = signature.btrplace.is_none() || signature.btrplace_flag == BtrPlaceFlag::Required;
        if !is_read && constraint.restriction != signature.restrictions.default() {
            loss.of(format!(
                "constraint {at}, `{}`, is {}, which BtrPlace files cannot say of it",
                signature.name,
                constraint.restriction.name()
            ))?;
        }
    }
    Ok(())
}

/// What our reader understands and BtrPlace does not.
fn remark(instance: &Instance, notes: &mut Vec<String>) {
    let allowance = instance.network().map(|network| &network.allowance);
    if allowance.is_some_and(|allowance| allowance.reserve_percent > 0 || !allowance.reserves.is_empty()) {
        notes.push("links are written with what migrations may use of them".to_owned());
    }
    let constraints = instance.constraints();
    let soft = constraints.iter().filter(|constraint| !constraint.is_hard()).count();
    if soft > 0 {
        notes.push(format!("{soft} soft constraints have the key `penalty`; BtrPlace takes them as hard"));
    }
    let mut foreign: BTreeMap<&str, usize> = BTreeMap::new();
    for constraint in constraints {
        let signature = constraint.rule.signature();
        if signature.btrplace.is_none() {
            *foreign.entry(signature.name).or_default() += 1;
        }
    }
    for (name, count) in foreign {
        notes.push(format!(
            "`{name}`, of which there are {count}, is not known to BtrPlace, which refuses the file"
        ));
    }
    let largest = instance
        .resources()
        .iter()
        .flat_map(|resource| resource.capacity.iter().chain(&resource.demand))
        .max()
        .copied()
        .unwrap_or_default();
    if largest > i32::MAX as u64 {
        notes.push(format!("amounts up to {largest} are beyond 2147483647, which BtrPlace refuses"));
    }
}

/// Writes a model object.
pub(super) fn write_model(
    json: &mut Json,
    instance: &Instance,
    undeclared: Undeclared,
    loss: &mut Loss,
) -> Result<(), FormatError> {
    let is_declared = |vm: VmId| undeclared == Undeclared::Ready || !is_absent(instance, vm);
    for vm in instance.vm_ids() {
        if undeclared == Undeclared::Ready && is_absent(instance, vm) {
            let (name, state) = (quoted(instance.vm_name(vm)), instance.place(vm).state().name());
            loss.of(format!(
                "VM {name} is {state}, which BtrPlace files cannot say; it is written as ready"
            ))?;
        }
    }
    for (kind, elements) in [("VM", instance.vms()), ("node", instance.nodes())] {
        if undeclared == Undeclared::Ready
            && let Some((&first, _)) = elements.tags.iter().next()
        {
            let name = quoted(elements.name(first as usize));
            loss.of(format!("BtrPlace files have no tags; {kind} {name} has some"))?;
        }
    }
    json.raw("{\n  \"mapping\": ");
    write_mapping(json, instance, undeclared);
    let modelled: Vec<Timed> = Timed::ALL
        .into_iter()
        // A second is what they say anyway, save that a stated one may be that of a network.
        .filter(|kind| match instance.durations().stated(*kind) {
            None => false,
            Some(Duration::Constant(1)) => *kind == Timed::Migrate && instance.network().is_some(),
            Some(_) => true,
        })
        .filter(|_| undeclared == Undeclared::Ready)
        .collect();
    if let Some(first) = modelled.first() {
        loss.of(format!(
            "BtrPlace files have no duration models, such as the one for `{}`; each VM and node gets attributes",
            first.name()
        ))?;
    }
    json.raw(",\n  \"attributes\": {\n    \"vms\": ");
    write_attributes(json, instance.vms(), instance.vm_count(), |index, pairs| {
        let vm = VmId::from_index(index);
        for &kind in modelled.iter().filter(|kind| !matches!(kind, Timed::BootNode | Timed::ShutdownNode)) {
            // On a network, memory tells the time of migrations, unless an attribute does.
            let by_memory = kind == Timed::Migrate
                && instance.network().is_some()
                && pairs.iter().any(|(key, _)| *key == "memUsed");
            if !by_memory {
                add(pairs, kind, || instance.vm_duration(kind, vm))?;
            }
        }
        Ok(is_declared(vm))
    })?;
    json.raw(",\n    \"nodes\": ");
    write_attributes(json, instance.nodes(), instance.node_count(), |index, pairs| {
        for &kind in modelled.iter().filter(|kind| matches!(kind, Timed::BootNode | Timed::ShutdownNode)) {
            add(pairs, kind, || instance.node_duration(kind, NodeId::from_index(index)))?;
        }
        Ok(true)
    })?;
    json.raw("\n  },\n  \"views\": [");
    let mut views = 0;
    let mut next = |json: &mut Json| {
        json.raw(if views == 0 { "\n    " } else { ",\n    " });
        views += 1;
    };
    for resource in instance.resources() {
        next(json);
        json.raw("{\"id\": \"shareableResource\", \"rcId\": ");
        json.text(&resource.name);
        json.raw(", \"defCapacity\": ");
        json.unsigned(resource.default_capacity);
        json.raw(", \"defConsumption\": ");
        json.unsigned(resource.default_demand);
        json.raw(", \"nodes\": ");
        write_amounts(json, instance.nodes(), &resource.capacity, resource.default_capacity, |_| true);
        json.raw(", \"vms\": ");
        write_amounts(json, instance.vms(), &resource.demand, resource.default_demand, |index| {
            is_declared(VmId::from_index(index))
        });
        json.raw("}");
    }
    for (kind, prefix, elements) in [("vm", "vm#", instance.vms()), ("node", "node#", instance.nodes())] {
        let keep = |index: usize| kind == "node" || is_declared(VmId::from_index(index));
        let names = given_names(elements, prefix, keep);
        if names.is_empty() {
            continue;
        }
        next(json);
        json.raw("{\"id\": \"ns\", \"type\": ");
        json.text(kind);
        json.raw(", \"map\": {");
        for (at, (name, number)) in names.into_iter().enumerate() {
            if at > 0 {
                json.raw(", ");
            }
            json.key(name);
            json.unsigned(u64::from(number));
        }
        json.raw("}}");
    }
    if let Some(network) = instance.network() {
        if let Some(most) = network.allowance.per_migration {
            loss.of(format!(
                "BtrPlace files have no bandwidth that no migration exceeds; the network has {most} Mbit/s"
            ))?;
        }
        if network.allowance.sharing {
            loss.of("BtrPlace files do not say that migrations may share what lies on their way".to_owned())?;
        }
        if instance.migration_model().get().behaviour() != Some(Behaviour::default()) {
            loss.of(
                "BtrPlace files do not say how migrations behave: they would be those of BtrPlace".to_owned()
            )?;
        }
        next(json);
        network::write(json, network, instance)?;
    }
    json.raw(if views == 0 { "]\n}" } else { "\n  ]\n}" });
    Ok(())
}

/// Adds the duration that a model yields, where no attribute says another.
fn add(
    pairs: &mut Vec<(&str, Value)>,
    kind: Timed,
    seconds: impl FnOnce() -> Result<u32, DurationError>,
) -> Result<(), FormatError> {
    if !pairs.iter().any(|(key, _)| *key == kind.attribute()) {
        let seconds = seconds().map_err(|error| FormatError::whole(error.to_string()))?;
        pairs.push((kind.attribute(), Value::Int(i64::from(seconds))));
        pairs.sort_unstable_by_key(|(key, _)| *key);
    }
    Ok(())
}

fn write_mapping(json: &mut Json, instance: &Instance, undeclared: Undeclared) {
    let mut hosted: Vec<(NodeId, bool, VmId)> = Vec::new();
    let mut ready = Vec::new();
    for vm in instance.vm_ids() {
        match (instance.place(vm), instance.place(vm).state()) {
            (place, VmState::Running | VmState::Sleeping) => {
                if let Some(node) = place.node() {
                    hosted.push((node, place.host().is_none(), vm));
                }
            }
            (_, VmState::Ready) => ready.push(vm),
            _ if undeclared == Undeclared::Ready => ready.push(vm),
            _ => {}
        }
    }
    hosted.sort_unstable();
    let names = Numbers { instance };
    json.raw("{\n    \"readyVMs\": ");
    json.array(ready.into_iter(), |json, vm| names.vm(json, vm));
    json.raw(",\n    \"onlineNodes\": ");
    let online = instance.node_ids().filter(|&node| instance.is_online(node));
    json.lines(["{", "}"], 2, online, |json, node| {
        let from = hosted.partition_point(|seat| seat.0 < node);
        let to = hosted.partition_point(|seat| seat.0 <= node);
        let seats = &hosted[from..to];
        let sleeping = seats.partition_point(|seat| !seat.1);
        json.key(&instance.nodes().number(node.index()).to_string());
        json.raw("{\"runningVMs\": ");
        json.array(seats[..sleeping].iter(), |json, seat| names.vm(json, seat.2));
        json.raw(", \"sleepingVMs\": ");
        json.array(seats[sleeping..].iter(), |json, seat| names.vm(json, seat.2));
        json.raw("}");
    });
    json.raw(",\n    \"offlineNodes\": ");
    let offline = instance.node_ids().filter(|&node| !instance.is_online(node));
    json.array(offline, |json, node| names.node(json, node));
    json.raw("\n  }");
}

/// Writes the attributes of all elements; `edit` may add some, and says whether the
/// element is in the document at all.
fn write_attributes<'i>(
    json: &mut Json,
    elements: &'i Elements,
    count: usize,
    mut edit: impl FnMut(usize, &mut Vec<(&'i str, Value)>) -> Result<bool, FormatError>,
) -> Result<(), FormatError> {
    let mut rows = Vec::new();
    for index in 0..count {
        let mut pairs = attributes::sorted(elements.attributes(), index);
        if edit(index, &mut pairs)? && !pairs.is_empty() {
            rows.push((index, pairs));
        }
    }
    let mut result = Ok(());
    json.lines(["{", "}"], 2, rows.into_iter(), |json, (index, pairs)| {
        json.key(&elements.number(index).to_string());
        let written = attributes::write_pairs(json, elements, index, pairs);
        if result.is_ok() {
            result = written;
        }
    });
    result
}

fn write_amounts(
    json: &mut Json,
    elements: &Elements,
    amounts: &[u64],
    default: u64,
    keep: impl Fn(usize) -> bool,
) {
    json.raw("{");
    let mut any = false;
    for (index, &amount) in
        amounts.iter().enumerate().filter(|&(index, &amount)| amount != default && keep(index))
    {
        json.raw(if any { ", \"" } else { "\"" });
        any = true;
        json.unsigned(u64::from(elements.number(index)));
        json.raw("\": ");
        json.unsigned(amount);
    }
    json.raw("}");
}

/// Names with their integers: aliases before the name, since the last one counts; the
/// name that an element has anyway only where it has aliases.
fn given_names<'i>(
    elements: &'i Elements,
    prefix: &str,
    keep: impl Fn(usize) -> bool,
) -> Vec<(&'i str, u32)> {
    let mut names = Vec::new();
    let mut aliases = elements.aliases.iter().peekable();
    for index in (0..elements.len()).filter(|&index| keep(index)) {
        let number = elements.number(index);
        while aliases.next_if(|alias| (alias.1 as usize) < index).is_some() {}
        let first = names.len();
        while let Some(alias) = aliases.next_if(|alias| alias.1 as usize == index) {
            names.push((alias.0.as_str(), number));
        }
        let name = elements.name(index);
        let by_default = name.strip_prefix(prefix).is_some_and(|rest| rest == number.to_string());
        if !by_default || names.len() > first {
            names.push((name, number));
        }
    }
    names
}

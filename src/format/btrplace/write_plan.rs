//! Writing plans.

use super::plan::NO_BANDWIDTH;
use super::write::Loss;
use super::write::Numbers;
use super::write::Undeclared;
use super::write::write_model;
use crate::format::FormatError;
use crate::format::Written;
use crate::format::reader::quoted;
use crate::format::rule::WriteNames;
use crate::format::writer::Json;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use crate::model::ResourceId;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Writes a plan together with the configuration that it starts from.
///
/// BtrPlace's plans have neither happens-before edges nor reasons. The copy that a
/// re-instantiation makes gets the first integer above those of all VMs, the next copy
/// the next one (from 0 again after 4294967295, where it is free); it is booted with a `substitutedVM` event. Tags and duration models
/// are no part of what a plan starts from, so leaving them out is no loss.
///
/// # Errors
/// When an attribute is not a finite number, or the plan stops a VM's original without
/// having booted a copy.
pub fn write_plan(instance: &Instance, plan: &Plan) -> Result<Written, FormatError> {
    let mut loss = Loss { lossy: true, notes: Vec::new() };
    let mut json = Json::default();
    json.raw("{\n\"origin\": ");
    write_model(&mut json, instance, Undeclared::LeftOut, &mut loss)?;
    json.raw(",\n\"actions\": ");
    let mut actions: Vec<&Action> = plan.actions.iter().collect();
    actions.sort_by_key(|action| (action.start, action.end, action.kind));
    let mut identities = Identities::new(instance);
    let mut lines = Vec::with_capacity(actions.len());
    for action in actions {
        lines.push((action, identities.of(action, instance)?));
    }
    json.lines(["[", "]"], 0, lines.into_iter(), |json, (action, identity)| {
        write_action(json, instance, action, identity);
    });
    json.raw("\n}\n");
    let (mut forges, mut kills) = (0, 0);
    for action in &plan.actions {
        match action.kind {
            ActionKind::Forge { .. } | ActionKind::ForgeClone { .. } => forges += 1,
            ActionKind::Kill { node: None, .. } => kills += 1,
            _ => {}
        }
    }
    let mut notes = loss.notes;
    if forges > 0 {
        notes.push(format!("BtrPlace does not read `forgeVM`, of which there are {forges}"));
    }
    if kills > 0 {
        notes.push(format!("BtrPlace does not read `killVM` without `on`, of which there are {kills}"));
    }
    Ok(Written { text: json.finish(), notes })
}

/// The integers under which an action knows its VM.
#[derive(Clone, Copy, Debug, Default)]
struct Identity {
    /// The VM that is acted on.
    number: u32,
    /// For the boot of a copy: the VM whose place it takes.
    replaced: u32,
}

/// Each VM's integers as the plan goes on; its own, where nothing is kept.
struct Identities {
    /// The integers of the VMs, ascending.
    taken: Vec<u32>,
    /// The integer that is tried next.
    next: u32,
    /// Forged and not yet booted.
    forged: FxHashMap<VmId, u32>,
    current: FxHashMap<VmId, u32>,
    /// Replaced and not yet stopped.
    replaced: FxHashMap<VmId, u32>,
}

impl Identities {
    fn new(instance: &Instance) -> Self {
        let mut taken: Vec<u32> =
            (0..instance.vm_count()).map(|index| instance.vms().number(index)).collect();
        taken.sort_unstable();
        let next = taken.last().map_or(0, |last| last.wrapping_add(1));
        Self {
            taken,
            next,
            forged: FxHashMap::default(),
            current: FxHashMap::default(),
            replaced: FxHashMap::default(),
        }
    }

    /// An integer that nobody has. There are more of them than VMs and copies fit in memory.
    fn fresh(&mut self) -> u32 {
        while self.taken.binary_search(&self.next).is_ok() {
            self.next = self.next.wrapping_add(1);
        }
        let fresh = self.next;
        self.next = fresh.wrapping_add(1);
        fresh
    }

    fn of(&mut self, action: &Action, instance: &Instance) -> Result<Identity, FormatError> {
        let Some(vm) = action.kind.vm() else { return Ok(Identity::default()) };
        let current = self.current.get(&vm).copied().unwrap_or_else(|| instance.vms().number(vm.index()));
        let fail = |what: &str| {
            let name = quoted(instance.vm_name(vm));
            Err(FormatError::whole(format!("the plan {what} of VM {name}")))
        };
        match action.kind {
            ActionKind::ForgeClone { .. } => {
                let number = self.fresh();
                self.forged.insert(vm, number);
                Ok(Identity { number, replaced: current })
            }
            ActionKind::BootClone { .. } => {
                let Some(number) = self.forged.remove(&vm) else { return fail("boots an unforged copy") };
                self.current.insert(vm, number);
                self.replaced.insert(vm, current);
                Ok(Identity { number, replaced: current })
            }
            ActionKind::ShutdownOriginal { .. } => match self.replaced.remove(&vm) {
                Some(number) => Ok(Identity { number, replaced: number }),
                None => fail("stops the original before there is a copy"),
            },
            _ => Ok(Identity { number: current, replaced: current }),
        }
    }
}

fn write_action(json: &mut Json, instance: &Instance, action: &Action, identity: Identity) {
    use ActionKind::*;
    let names = Numbers { instance };
    let node = |json: &mut Json, key: &str, node| {
        json.raw(", ");
        json.key(key);
        names.node(json, node);
    };
    let vm = |json: &mut Json, id: &str, number: u32| {
        json.raw("{\"id\": ");
        json.text(id);
        json.raw(", \"vm\": ");
        json.unsigned(u64::from(number));
    };
    let share = |json: &mut Json, resource: ResourceId, amount: u64| {
        json.raw(", \"rc\": ");
        names.resource(json, resource);
        json.raw(", \"amount\": ");
        json.unsigned(amount);
    };
    let number = identity.number;
    match action.kind {
        Migrate { from, to, .. } => {
            vm(json, "migrateVM", number);
            node(json, "from", from);
            node(json, "to", to);
            json.raw(", \"bw\": ");
            json.unsigned(match action.bandwidth {
                0 => NO_BANDWIDTH as u64,
                bandwidth => bandwidth.min(NO_BANDWIDTH as u64),
            });
        }
        Boot { node: on, .. } | BootClone { to: on, .. } => {
            vm(json, "bootVM", number);
            node(json, "on", on);
        }
        Shutdown { node: on, .. } | ShutdownOriginal { from: on, .. } => {
            vm(json, "shutdownVM", number);
            node(json, "on", on);
        }
        Suspend { node: on, .. } => {
            vm(json, "suspendVM", number);
            node(json, "from", on);
            node(json, "to", on);
        }
        Resume { from, to, .. } => {
            vm(json, "resumeVM", number);
            node(json, "from", from);
            node(json, "to", to);
        }
        Kill { node: on, .. } => {
            vm(json, "killVM", number);
            if let Some(on) = on {
                node(json, "on", on);
            }
        }
        Forge { .. } | ForgeClone { .. } => vm(json, "forgeVM", number),
        Allocate { node: on, resource, amount, .. } => {
            vm(json, "allocate", number);
            node(json, "on", on);
            share(json, resource, amount);
        }
        BootNode { node: id } => {
            json.raw("{\"id\": \"bootNode\"");
            node(json, "node", id);
        }
        ShutdownNode { node: id } => {
            json.raw("{\"id\": \"shutdownNode\"");
            node(json, "node", id);
        }
    }
    json.raw(", \"start\": ");
    json.unsigned(action.start);
    json.raw(", \"end\": ");
    json.unsigned(action.end);
    let allocate = |json: &mut Json, &(resource, amount): &(ResourceId, u64)| {
        vm(json, "allocate", number);
        share(json, resource, amount);
        json.raw("}");
    };
    json.raw(", \"hooks\": {\"pre\": ");
    // A migrant holds its future amounts when it has arrived, others from the start.
    let late = matches!(action.kind, Migrate { .. });
    let events = action.allocations.iter();
    if let BootClone { .. } = action.kind {
        json.raw("[");
        vm(json, "substitutedVM", identity.replaced);
        json.raw(", \"newVm\": ");
        json.unsigned(u64::from(number));
        json.raw("}");
        for event in events {
            json.raw(", ");
            allocate(json, event);
        }
        json.raw("], \"post\": []}}");
    } else if late {
        json.raw("[], \"post\": ");
        json.array(events, allocate);
        json.raw("}}");
    } else {
        json.array(events, allocate);
        json.raw(", \"post\": []}}");
    }
}

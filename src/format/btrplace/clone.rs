//! Re-instantiations: in BtrPlace's plans the copy is a VM of its own that takes the
//! place of the original; in ours it is the same VM all along.

use super::model::Model;
use super::model::declared;
use super::plan::EventKind;
use super::plan::Wire;
use super::plan::WireKind;
use crate::format::reader::Parsed;
use crate::format::reader::fault;
use crate::format::table;
use crate::format::table::Totals;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Who took whose place.
struct Clones {
    /// The VM that a copy stands for: an original, or a copy itself.
    stands_for: FxHashMap<u32, u32>,
    /// Where each replaced VM is shut down.
    stopped_on: FxHashMap<u32, u32>,
    /// The copy that replaced a VM, and when it starts to boot.
    replaced_by: FxHashMap<u32, (u32, u64)>,
}

impl Clones {
    fn find(actions: &[Wire<'_>], origin: &Model) -> Parsed<Self> {
        let mut clones = Self {
            stands_for: FxHashMap::default(),
            stopped_on: FxHashMap::default(),
            replaced_by: FxHashMap::default(),
        };
        let mut places = Vec::new();
        for action in actions {
            for event in &action.events {
                let EventKind::Substituted { vm, new } = event.kind else { continue };
                match action.kind {
                    WireKind::Boot { vm: booted, .. } if booted == new => {}
                    _ => {
                        return fault(
                            event.at,
                            format!("VM {new} takes the place of VM {vm}, which it can do as it boots only"),
                        );
                    }
                }
                if origin.vms.get(new).is_some() {
                    return fault(
                        event.at,
                        format!("VM {new} is declared in the mapping; it is nobody's copy"),
                    );
                }
                let twice = clones.stands_for.insert(new, vm).is_some();
                if twice || clones.replaced_by.insert(vm, (new, action.start)).is_some() {
                    return fault(event.at, format!("VM {vm} or VM {new} is in two substitutions"));
                }
                places.push((event.at, vm, new));
            }
        }
        let mut forged = std::collections::HashSet::new();
        for action in actions {
            let at = action.at;
            if let WireKind::Shutdown { vm, on } = action.kind
                && clones.is_replaced(vm, action.start)
                && clones.stopped_on.insert(vm, on).is_some_and(|other| other != on)
            {
                return fault(at, format!("VM {vm} is shut down on two nodes"));
            }
            if let WireKind::Forge { vm } = action.kind
                && !forged.insert(vm)
                && clones.stands_for.contains_key(&vm)
            {
                return fault(at, format!("VM {vm} is a copy that is forged twice"));
            }
        }
        for &(at, vm, new) in &places {
            if !clones.stopped_on.contains_key(&vm) {
                return fault(at, format!("VM {new} takes the place of VM {vm}, which is never shut down"));
            }
            if !forged.contains(&new) {
                return fault(at, format!("VM {new} takes the place of VM {vm}, but is never forged"));
            }
        }
        // Who is replaced once and replaces once is on a chain or on a circle; chains
        // start at VMs that are no copies.
        let mut reached = 0;
        let roots: Vec<u32> =
            places.iter().map(|place| place.1).filter(|vm| !clones.stands_for.contains_key(vm)).collect();
        for vm in roots {
            let mut last = vm;
            while let Some(&(next, _)) = clones.replaced_by.get(&last) {
                // The root at once, so that chains are not walked again.
                clones.stands_for.insert(next, vm);
                last = next;
                reached += 1;
            }
        }
        match places.first() {
            Some(&(at, ..)) if reached < places.len() => fault(at, "VMs take each other's place in a circle"),
            _ => Ok(clones),
        }
    }

    /// Has a copy taken the place of the VM by then? A VM that stops earlier just stops.
    fn is_replaced(&self, vm: u32, at: u64) -> bool {
        self.replaced_by.get(&vm).is_some_and(|&(_, since)| since <= at)
    }

    /// The VM of the instance behind a number.
    fn vm(&self, number: u32, origin: &Model, at: usize) -> Parsed<VmId> {
        let original = self.stands_for.get(&number).copied().unwrap_or(number);
        declared(original, &origin.vms, "VM", at).map(VmId)
    }
}

/// The plan in our terms.
pub(super) fn fold(actions: &[Wire<'_>], origin: &Model) -> Parsed<Plan> {
    let clones = Clones::find(actions, origin)?;
    let mut totals = Totals::default();
    let resources = table::resources_by_name(&origin.instance);
    let mut folded = Vec::with_capacity(actions.len());
    for action in actions {
        let at = action.at;
        let node = |number: u32| declared(number, &origin.nodes, "node", at).map(NodeId);
        let resource = |name: &str, at: usize| table::resource(&resources, &origin.instance, name, at);
        let vm = |number: u32| clones.vm(number, origin, at);
        let mut bandwidth = 0;
        let kind = match action.kind {
            WireKind::Migrate { vm: id, from, to, bandwidth: given } => {
                bandwidth = given;
                ActionKind::Migrate { vm: vm(id)?, from: node(from)?, to: node(to)? }
            }
            WireKind::Boot { vm: id, on } => {
                let replaced = action.events.iter().find_map(|event| match event.kind {
                    EventKind::Substituted { vm, .. } => Some(vm),
                    EventKind::Allocate { .. } => None,
                });
                match replaced.and_then(|replaced| clones.stopped_on.get(&replaced)) {
                    None => ActionKind::Boot { vm: vm(id)?, node: node(on)? },
                    Some(&from) => ActionKind::BootClone { vm: vm(id)?, from: node(from)?, to: node(on)? },
                }
            }
            WireKind::Shutdown { vm: id, on } => match clones.is_replaced(id, action.start) {
                true => ActionKind::ShutdownOriginal { vm: vm(id)?, from: node(on)? },
                false => ActionKind::Shutdown { vm: vm(id)?, node: node(on)? },
            },
            WireKind::Suspend { vm: id, on } => ActionKind::Suspend { vm: vm(id)?, node: node(on)? },
            WireKind::Resume { vm: id, from, to } => {
                ActionKind::Resume { vm: vm(id)?, from: node(from)?, to: node(to)? }
            }
            WireKind::Kill { vm: id, on } => {
                ActionKind::Kill { vm: vm(id)?, node: on.map(node).transpose()? }
            }
            WireKind::Forge { vm: id } => match clones.stands_for.contains_key(&id) {
                true => ActionKind::ForgeClone { vm: vm(id)? },
                false => ActionKind::Forge { vm: vm(id)? },
            },
            WireKind::Allocate { vm: id, on, resource: ref name, amount } => {
                totals.amount(amount, at)?;
                ActionKind::Allocate { vm: vm(id)?, node: node(on)?, resource: resource(name, at)?, amount }
            }
            WireKind::BootNode { node: id } => ActionKind::BootNode { node: node(id)? },
            WireKind::ShutdownNode { node: id } => ActionKind::ShutdownNode { node: node(id)? },
        };
        let mut allocations: Vec<(ResourceId, u64, usize)> = Vec::new();
        for event in &action.events {
            let EventKind::Allocate { vm: id, resource: name, amount } = &event.kind else { continue };
            if kind.destination().is_none() || Some(vm(*id)?) != kind.vm() {
                let text = "an allocation comes along with a migration, boot or resume of the same VM only";
                return fault(event.at, text);
            }
            totals.amount(*amount, event.at)?;
            allocations.push((resource(name, event.at)?, *amount, event.at));
        }
        let allocations =
            table::in_order(allocations).or_else(|at| fault(at, "one resource is allocated twice"))?;
        totals.end(action.end, at)?;
        folded.push(Action {
            kind,
            start: action.start,
            end: action.end,
            allocations,
            bandwidth,
            reason: Reason::Unknown,
        });
    }
    folded.sort_by(|a, b| {
        (a.start, a.end, a.kind, &a.allocations).cmp(&(b.start, b.end, b.kind, &b.allocations))
    });
    // The actions are a set: equal ones are one.
    folded.dedup();
    Ok(Plan { actions: folded, happens_before: Vec::new() })
}

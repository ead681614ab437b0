//! What each action takes and gives back.

use super::ledger::Ledger;
use super::ledger::Stay;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// What one action takes when it starts and gives back when it ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// (account, units), at the start.
    pub(super) takes: Vec<(u32, u64)>,
    /// (account, units), at the end.
    pub(super) gives: Vec<(u32, u64)>,
    /// (room, class), at the start.
    pub(super) enters: Vec<(u32, u32)>,
    /// (room, class), at the end.
    pub(super) leaves: Vec<(u32, u32)>,
}

impl Effects {
    /// Does it take or enter anything?
    pub(super) fn takes_anything(&self) -> bool {
        !self.takes.is_empty() || !self.enters.is_empty()
    }
}

/// Does the action name only what the instance has?
pub(super) fn is_known(instance: &Instance, kind: &ActionKind) -> bool {
    let node_is = |node: NodeId| node.index() < instance.node_count();
    let nodes = match *kind {
        ActionKind::Migrate { from, to, .. }
        | ActionKind::Resume { from, to, .. }
        | ActionKind::BootClone { from, to, .. } => node_is(from) && node_is(to),
        ActionKind::Boot { node, .. }
        | ActionKind::Shutdown { node, .. }
        | ActionKind::Suspend { node, .. }
        | ActionKind::BootNode { node }
        | ActionKind::ShutdownNode { node } => node_is(node),
        ActionKind::ShutdownOriginal { from, .. } => node_is(from),
        ActionKind::Kill { node, .. } => node.is_none_or(node_is),
        ActionKind::Allocate { node, resource, .. } => {
            node_is(node) && resource.index() < instance.resource_count()
        }
        ActionKind::Forge { .. } | ActionKind::ForgeClone { .. } => true,
    };
    nodes && kind.vm().is_none_or(|vm| vm.index() < instance.vm_count())
}

/// Where a VM of the plan is, and what it holds there.
struct Guest {
    host: Option<NodeId>,
    held: Vec<u64>,
    /// Where its clone runs, with what the clone holds.
    clone: Option<(NodeId, Vec<u64>)>,
}

/// The effects of every action; `actions` sorted by start, end, kind. What one VM takes
/// and gives depends on its own actions only, which come one after the other.
pub(super) fn effects(instance: &Instance, ledger: &mut Ledger<'_>, actions: &[Action]) -> Vec<Effects> {
    let mut guests: FxHashMap<VmId, Guest> = FxHashMap::default();
    let mut list = Vec::with_capacity(actions.len());
    for action in actions {
        let mut effects = Effects::default();
        if is_known(instance, &action.kind) {
            match action.kind.vm() {
                Some(vm) => {
                    let guest = guests.entry(vm).or_insert_with(|| Guest {
                        host: instance.place(vm).host(),
                        held: instance.resource_ids().map(|r| instance.demand(vm, r)).collect(),
                        clone: None,
                    });
                    vm_effects(ledger, action, vm, guest, &mut effects);
                }
                None => node_effects(ledger, &action.kind, &mut effects),
            }
        }
        list.push(effects);
    }
    list
}

fn node_effects(ledger: &mut Ledger<'_>, kind: &ActionKind, effects: &mut Effects) {
    match *kind {
        ActionKind::BootNode { node } => ledger.power_on(node, effects),
        ActionKind::ShutdownNode { node } => ledger.power_off(node, effects),
        _ => {}
    }
}

fn vm_effects(ledger: &mut Ledger<'_>, action: &Action, vm: VmId, guest: &mut Guest, effects: &mut Effects) {
    use ActionKind::*;
    match action.kind {
        Migrate { to, .. } => {
            let there = future(&guest.held, action);
            ledger.enter(&Stay { vm, node: to, beside: guest.host, held: &there }, effects);
            if let Some(from) = guest.host {
                ledger.leave(&Stay { vm, node: from, beside: Some(to), held: &guest.held }, effects);
                ledger.travel(from, to, action.bandwidth, effects);
                let spent = ledger.spent(vm, from, to);
                effects.takes.extend(&spent);
                effects.gives.extend(spent);
            }
            guest.host = Some(to);
            guest.held = there;
        }
        Boot { node: to, .. } | Resume { to, .. } => {
            guest.held = future(&guest.held, action);
            ledger.enter(&Stay { vm, node: to, beside: None, held: &guest.held }, effects);
            guest.host = Some(to);
        }
        Shutdown { .. } | Suspend { .. } | Kill { .. } => {
            if let Some(from) = guest.host.take() {
                ledger.leave(&Stay { vm, node: from, beside: None, held: &guest.held }, effects);
            }
        }
        BootClone { to, .. } => {
            let there = future(&guest.held, action);
            ledger.enter(&Stay { vm, node: to, beside: guest.host, held: &there }, effects);
            if let Some(from) = guest.host {
                effects.takes.extend(ledger.spent(vm, from, to));
            }
            guest.clone = Some((to, there));
        }
        ShutdownOriginal { .. } => {
            if let Some(from) = guest.host {
                let clone = guest.clone.as_ref().map(|clone| clone.0);
                ledger.leave(&Stay { vm, node: from, beside: clone, held: &guest.held }, effects);
                if let Some(to) = clone {
                    effects.gives.extend(ledger.spent(vm, from, to));
                }
            }
            if let Some((to, there)) = guest.clone.take() {
                guest.host = Some(to);
                guest.held = there;
            }
        }
        Allocate { resource, amount, .. } => {
            let Some(held) = guest.held.get_mut(resource.index()) else { return };
            if let Some(host) = guest.host {
                ledger.allocate(host, resource, *held, amount, effects);
            }
            *held = amount;
        }
        Forge { .. } | ForgeClone { .. } | BootNode { .. } | ShutdownNode { .. } => {}
    }
}

/// What the VM holds at the destination of an action.
fn future(held: &[u64], action: &Action) -> Vec<u64> {
    let mut there = held.to_vec();
    for &(resource, amount) in &action.allocations {
        if let Some(slot) = there.get_mut(resource.index()) {
            *slot = amount;
        }
    }
    there
}

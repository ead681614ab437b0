//! What actions do to a configuration, and when they may not be done.

use super::Clock;
use super::CoreRule;
use super::Finding;
use super::timing::core;
use super::words;
use crate::constraint::list;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::Place;
use crate::model::Plan;
use crate::model::VmId;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The configuration as the plan changes it, step by step.
///
/// An action that cannot be done is reported and skipped, so that the replay goes
/// on and finds what else is wrong.
pub(super) struct Replay<'a> {
    instance: &'a Instance,
    pub(super) plan: &'a Plan,
    clock: Clock,
    pub(super) at: Configuration<'a>,
    pub(super) touched: Touched,
    vms: FxHashMap<VmId, VmTrack>,
    /// Nodes that change their state, with the action that does it.
    nodes: FxHashMap<NodeId, u32>,
    /// Sleeping VMs that are resumed elsewhere: their images are still read.
    read: FxHashMap<NodeId, BTreeSet<VmId>>,
    skipped: Vec<bool>,
}

/// What the events of one instant changed.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) vms: Vec<VmId>,
    /// Nodes whose guests, loads or phase changed, or that a guest is about to leave.
    pub(super) nodes: Vec<NodeId>,
    /// Who arrived, left or changed its size where.
    pub(super) seats: Vec<(NodeId, VmId)>,
}

impl Touched {
    fn seat(&mut self, vm: VmId, node: NodeId) {
        self.vms.push(vm);
        self.nodes.push(node);
        self.seats.push((node, vm));
    }

    /// Each thing once, in order.
    pub(super) fn tidy(&mut self) {
        self.vms.sort_unstable();
        self.vms.dedup();
        self.nodes.sort_unstable();
        self.nodes.dedup();
        self.seats.sort_unstable();
        self.seats.dedup();
    }

    pub(super) fn clear(&mut self) {
        self.vms.clear();
        self.nodes.clear();
        self.seats.clear();
    }
}

/// How far a re-instantiation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Copying {
    #[default]
    None,
    Forged,
    Booted,
}

#[derive(Default)]
struct VmTrack {
    /// The action under way.
    busy: Option<u32>,
    /// The action that changed its state.
    changed: Option<u32>,
    clone: Copying,
}

impl<'a> Replay<'a> {
    pub(super) fn new(instance: &'a Instance, plan: &'a Plan, clock: Clock) -> Self {
        Self {
            instance,
            plan,
            clock,
            at: Configuration::source(instance),
            touched: Touched::default(),
            vms: FxHashMap::default(),
            nodes: FxHashMap::default(),
            read: FxHashMap::default(),
            skipped: vec![false; plan.actions.len()],
        }
    }

    /// The VMs that the plan acts on, by id.
    pub(super) fn acted_on(&self) -> Vec<VmId> {
        let mut vms: Vec<VmId> = self.vms.keys().copied().collect();
        vms.sort_unstable();
        vms
    }

    /// An action starts.
    pub(super) fn start(&mut self, index: u32, findings: &mut Vec<Finding>) {
        let action = &self.plan.actions[index as usize];
        if let Err(why) = self.admit(index, action) {
            self.skipped[index as usize] = true;
            let text = format!("{} cannot start{}: {why}", self.name(action), self.clock.at(action.start));
            findings.push(self.fault(action, CoreRule::State, text));
            return;
        }
        self.check_allocations(action, findings);
        self.check_hosting(action, findings);
        self.enter(action);
    }

    /// An action ends.
    pub(super) fn end(&mut self, index: u32) {
        use ActionKind::*;
        if self.skipped[index as usize] {
            return;
        }
        let action = &self.plan.actions[index as usize];
        if let Some(track) = action.kind.vm().and_then(|vm| self.vms.get_mut(&vm)) {
            track.busy = None;
            match action.kind {
                ForgeClone { .. } => track.clone = Copying::Forged,
                BootClone { .. } => track.clone = Copying::Booted,
                ShutdownOriginal { .. } => track.clone = Copying::None,
                _ => {}
            }
        }
        match action.kind {
            Migrate { vm, from, .. } | ShutdownOriginal { vm, from } => {
                self.touched.seat(vm, from);
                if let Some(to) = self.at.arriving(vm) {
                    self.touched.seat(vm, to);
                }
                self.at.arrive(vm);
            }
            Shutdown { vm, node } => self.put(vm, Some(node), Place::Ready),
            Suspend { vm, node } => self.put(vm, Some(node), Place::Sleeping(node)),
            Kill { vm, node } => self.put(vm, node, Place::Killed),
            Forge { vm } => self.put(vm, None, Place::Ready),
            Resume { vm, from, .. } => {
                if let Some(read) = self.read.get_mut(&from) {
                    read.remove(&vm);
                }
            }
            BootNode { node } => self.set_phase(node, NodePhase::Online),
            ShutdownNode { node } => self.set_phase(node, NodePhase::Offline),
            Boot { .. } | ForgeClone { .. } | BootClone { .. } | Allocate { .. } => {}
        }
    }

    /// Re-instantiations that were begun and not brought to an end.
    pub(super) fn check_finished(&self, makespan: u64, findings: &mut Vec<Finding>) {
        for vm in self.acted_on() {
            let missing = match self.vms.get(&vm).map(|track| track.clone) {
                Some(Copying::Forged) => "its clone is never booted",
                Some(Copying::Booted) => "the original is never stopped",
                _ => continue,
            };
            let text = format!("{} is not re-instantiated: {missing}", self.instance.vm_name(vm));
            let nodes = self.at.hosts(vm).collect();
            findings.push(core(makespan, CoreRule::State, words::violation(1, vec![vm], nodes, text)));
        }
    }

    fn name(&self, action: &Action) -> String {
        words::action(self.instance, &action.kind)
    }

    fn fault(&self, action: &Action, rule: CoreRule, text: String) -> Finding {
        let (vms, nodes) = words::about(&action.kind);
        core(action.start, rule, words::violation(1, vms, nodes, text))
    }

    /// May the action start in this state? Notes it down as begun if so.
    fn admit(&mut self, index: u32, action: &Action) -> Result<(), String> {
        use ActionKind::*;
        match action.kind {
            BootNode { node } => self.admit_node(index, node, NodePhase::Offline),
            ShutdownNode { node } => self.admit_node(index, node, NodePhase::Online),
            Migrate { vm, .. }
            | Boot { vm, .. }
            | Shutdown { vm, .. }
            | Suspend { vm, .. }
            | Resume { vm, .. }
            | Kill { vm, .. }
            | Forge { vm }
            | ForgeClone { vm }
            | BootClone { vm, .. }
            | ShutdownOriginal { vm, .. }
            | Allocate { vm, .. } => {
                self.admit_place(&action.kind, vm)?;
                self.admit_vm(index, &action.kind, vm)
            }
        }
    }

    fn admit_node(&mut self, index: u32, node: NodeId, expected: NodePhase) -> Result<(), String> {
        if let Some(&other) = self.nodes.get(&node) {
            let other = self.name(&self.plan.actions[other as usize]);
            return Err(format!("a node changes its state once, and {other} did it"));
        }
        let phase = self.at.phase(node);
        if phase != expected {
            return Err(format!("{} {}", self.instance.node_name(node), words::phase(phase)));
        }
        self.nodes.insert(node, index);
        Ok(())
    }

    /// Is the VM where the action expects it?
    fn admit_place(&self, kind: &ActionKind, vm: VmId) -> Result<(), String> {
        use ActionKind::*;
        let place = self.at.place(vm);
        let legal = match *kind {
            Migrate { from, to, .. } | BootClone { from, to, .. } => {
                if from == to {
                    return Err("it goes nowhere".to_owned());
                }
                place == Place::Running(from)
            }
            Shutdown { node, .. } | Suspend { node, .. } | Allocate { node, .. } => {
                place == Place::Running(node)
            }
            ShutdownOriginal { from, .. } => place == Place::Running(from),
            ForgeClone { .. } => matches!(place, Place::Running(_)),
            Boot { .. } => place == Place::Ready,
            Resume { from, .. } => place == Place::Sleeping(from),
            Kill { node, .. } => !matches!(place, Place::Init | Place::Killed) && place.node() == node,
            Forge { .. } => place == Place::Init,
            BootNode { .. } | ShutdownNode { .. } => true,
        };
        if legal { Ok(()) } else { Err(words::place(self.instance, vm, place)) }
    }

    /// Is nothing else under way on the VM, and is this its turn?
    fn admit_vm(&mut self, index: u32, kind: &ActionKind, vm: VmId) -> Result<(), String> {
        use ActionKind::*;
        let name = self.instance.vm_name(vm);
        let track = self.vms.entry(vm).or_default();
        let describe = |other: u32| words::action(self.instance, &self.plan.actions[other as usize].kind);
        if let Some(other) = track.busy {
            return Err(format!("{} is still under way", describe(other)));
        }
        match (track.clone, kind) {
            (Copying::None, BootClone { .. }) => return Err(format!("no clone of {name} has been forged")),
            (Copying::None, ShutdownOriginal { .. }) => return Err(format!("no clone of {name} runs")),
            (Copying::Forged, BootClone { .. }) | (Copying::Booted, ShutdownOriginal { .. }) => {}
            (Copying::Forged, _) => return Err(format!("a clone of {name} waits to be booted")),
            (Copying::Booted, _) => return Err(format!("a clone of {name} runs beside it")),
            (Copying::None, _) => {}
        }
        match kind {
            Forge { .. } if self.instance.vms().attributes().get(vm.index(), "template").is_none() => {
                return Err(format!("{name} has no attribute `template`"));
            }
            ForgeClone { .. } if !self.instance.can_reinstantiate(vm) => {
                return Err(format!("{name} has not the attributes `clone` = true and `template`"));
            }
            _ => {}
        }
        if kind.is_transition() {
            if let Some(other) = track.changed {
                return Err(format!("a VM changes its state once, and {} did it", describe(other)));
            }
            track.changed = Some(index);
        }
        track.busy = Some(index);
        Ok(())
    }

    fn check_allocations(&self, action: &Action, findings: &mut Vec<Finding>) {
        use ActionKind::*;
        if action.allocations.is_empty() {
            return;
        }
        if !matches!(action.kind, Migrate { .. } | Boot { .. } | Resume { .. } | BootClone { .. }) {
            let text = format!("{} brings the VM nowhere, so it cannot give it resources", self.name(action));
            findings.push(self.fault(action, CoreRule::State, text));
        }
        let mut resources: Vec<_> = action.allocations.iter().map(|&(resource, _)| resource).collect();
        resources.sort_unstable();
        for pair in resources.windows(2).filter(|pair| pair[0] == pair[1]) {
            let resource = self.instance.resource_name(pair[0]);
            let text = format!("{} gives {resource} twice", self.name(action));
            findings.push(self.fault(action, CoreRule::State, text));
        }
    }

    fn check_hosting(&self, action: &Action, findings: &mut Vec<Finding>) {
        if let Some(to) = action.kind.destination()
            && !self.at.is_online(to)
        {
            let text = format!(
                "{} starts{} while {} {}",
                self.name(action),
                self.clock.at(action.start),
                self.instance.node_name(to),
                words::phase(self.at.phase(to))
            );
            findings.push(self.fault(action, CoreRule::Hosting, text));
        }
        let ActionKind::ShutdownNode { node } = action.kind else { return };
        let read: Vec<VmId> = self.read.get(&node).into_iter().flatten().copied().collect();
        let residents = [
            (self.at.guests(node), "still hosts"),
            (self.at.images(node), "still stores the images of"),
            (&read, "still stores the images, which are being resumed elsewhere, of"),
        ];
        for (vms, what) in residents {
            if vms.is_empty() {
                continue;
            }
            let mut vms = vms.to_vec();
            vms.sort_unstable();
            let text = format!(
                "{} starts{} while the node {what} {}",
                self.name(action),
                self.clock.at(action.start),
                list(vms.iter().map(|&vm| self.instance.vm_name(vm)))
            );
            let violation = words::violation(vms.len() as u64, vms, vec![node], text);
            findings.push(core(action.start, CoreRule::Hosting, violation));
        }
    }

    /// What changes when an action starts.
    fn enter(&mut self, action: &Action) {
        use ActionKind::*;
        match action.kind {
            Migrate { vm, to, .. } | BootClone { vm, to, .. } => {
                let mut held: Box<[u64]> =
                    self.instance.resource_ids().map(|resource| self.at.demand(vm, resource)).collect();
                for &(resource, amount) in &action.allocations {
                    held[resource.index()] = amount;
                }
                self.touched.nodes.extend(self.at.host(vm));
                self.at.enter(vm, to, held);
                self.touched.seat(vm, to);
            }
            Boot { vm, node: to } | Resume { vm, to, .. } => {
                for &(resource, amount) in &action.allocations {
                    self.at.allocate(vm, resource, amount);
                }
                self.put(vm, Some(to), Place::Running(to));
                if let Resume { from, .. } = action.kind
                    && from != to
                {
                    self.read.entry(from).or_default().insert(vm);
                }
            }
            Allocate { vm, node, resource, amount } => {
                self.at.allocate(vm, resource, amount);
                self.touched.seat(vm, node);
            }
            BootNode { node } => self.set_phase(node, NodePhase::Booting),
            ShutdownNode { node } => self.set_phase(node, NodePhase::ShuttingDown),
            Shutdown { .. }
            | Suspend { .. }
            | Kill { .. }
            | Forge { .. }
            | ForgeClone { .. }
            | ShutdownOriginal { .. } => {}
        }
    }

    fn put(&mut self, vm: VmId, node: Option<NodeId>, place: Place) {
        self.at.put(vm, place);
        match node {
            Some(node) => self.touched.seat(vm, node),
            None => self.touched.vms.push(vm),
        }
    }

    fn set_phase(&mut self, node: NodeId, phase: NodePhase) {
        self.at.set_phase(node, phase);
        self.touched.nodes.push(node);
    }
}

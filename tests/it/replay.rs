//! A naive replay of plans: everything is looked at again at every moment.
//!
//! Written apart from the checker of the crate, to be compared with it. It knows
//! model types and the meaning of the constraints, nothing else.

use quadrille::Instance;
use quadrille::Plan;
use quadrille::constraint::Argument;
use quadrille::constraint::Restriction;
use quadrille::model::Action;
use quadrille::model::ActionKind;
use quadrille::model::Configuration;
use quadrille::model::Duration;
use quadrille::model::NodeId;
use quadrille::model::NodePhase;
use quadrille::model::Place;
use quadrille::model::ResourceId;
use quadrille::model::Run;
use quadrille::model::Timed;
use quadrille::model::VmId;
use quadrille::model::VmState;

/// Whether actions must last as long as the instance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// They must.
    Own,
    /// They last as long as they last; rules that name moments are left aside.
    Free,
}

/// What is wrong for good: the rules that are about moments of the clock.
const ABOUT_TIME: [&str; 3] = ["noDelay", "deadline", "sync"];

/// The largest loads of nodes, by node and resource; `None` where there is no limit.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    resources: usize,
    on_the_way: Vec<Option<u64>>,
    at_the_end: Vec<u64>,
}

impl Limits {
    pub(crate) fn of(instance: &Instance) -> Self {
        let resources = instance.resource_count();
        let mut on_the_way = Vec::new();
        let mut at_the_end = Vec::new();
        for node in instance.node_ids() {
            for resource in instance.resource_ids() {
                let mut all = Vec::new();
                let mut continuous = Vec::new();
                for constraint in instance.constraints().iter().filter(|constraint| constraint.is_hard()) {
                    let Some((at, of, amount)) = constraint.rule.limit(instance) else { continue };
                    if (at, of) != (node, resource) {
                        continue;
                    }
                    all.push(amount);
                    if constraint.restriction == Restriction::Continuous {
                        continuous.push(amount);
                    }
                }
                let capacity = instance.capacity(node, resource);
                at_the_end.push(all.iter().copied().min().unwrap_or(capacity));
                on_the_way.push(match (all.is_empty(), continuous.into_iter().min()) {
                    (true, _) => Some(capacity),
                    (false, least) => least,
                });
            }
        }
        Self { resources, on_the_way, at_the_end }
    }

    pub(crate) fn on_the_way(&self, node: NodeId, resource: ResourceId) -> Option<u64> {
        self.on_the_way[node.index() * self.resources + resource.index()]
    }

    pub(crate) fn at_the_end(&self, node: NodeId, resource: ResourceId) -> u64 {
        self.at_the_end[node.index() * self.resources + resource.index()]
    }
}

/// The state in which each VM must end; `None` when rules contradict each other.
pub(crate) fn wanted(instance: &Instance) -> Option<Vec<VmState>> {
    let mut asked: Vec<Option<VmState>> = vec![None; instance.vm_count()];
    for constraint in instance.constraints().iter().filter(|constraint| constraint.is_hard()) {
        let Some((vm, state)) = constraint.rule.wants() else { continue };
        if asked[vm.index()].is_some_and(|other| other != state) {
            return None;
        }
        asked[vm.index()] = Some(state);
    }
    let keep = |vm: VmId| asked[vm.index()].unwrap_or(instance.place(vm).state());
    Some(instance.vm_ids().map(keep).collect())
}

/// What each VM holds of each resource if it runs at the end: never less than before.
pub(crate) fn future(instance: &Instance) -> Vec<Vec<u64>> {
    let mut amounts: Vec<Vec<u64>> = instance
        .vm_ids()
        .map(|vm| instance.resource_ids().map(|resource| instance.demand(vm, resource)).collect())
        .collect();
    for constraint in instance.constraints().iter().filter(|constraint| constraint.is_hard()) {
        if constraint.rule.signature().name != "preserve" {
            continue;
        }
        if let [Argument::Vm(vm), Argument::Resource(resource), Argument::Amount(amount)] =
            constraint.rule.arguments()[..]
        {
            let at = &mut amounts[vm.index()][resource.index()];
            *at = (*at).max(amount);
        }
    }
    amounts
}

/// How much of everything that must never get worse is broken: continuous rules in
/// their order, then loads by node and resource.
pub(crate) fn broken(at: &Configuration<'_>, limits: &Limits) -> Vec<u64> {
    let instance = at.instance();
    let mut amounts = Vec::new();
    for constraint in instance.constraints() {
        if constraint.is_hard() && constraint.restriction == Restriction::Continuous {
            amounts.push(constraint.rule.holds(at).err().map_or(0, |violation| violation.amount.max(1)));
        }
    }
    for node in instance.node_ids() {
        for resource in instance.resource_ids() {
            let over = |limit| at.load(node, resource).saturating_sub(limit);
            amounts.push(limits.on_the_way(node, resource).map_or(0, over));
        }
    }
    amounts
}

/// The configuration after a plan, whatever is wrong on the way.
pub(crate) fn end<'a>(instance: &'a Instance, plan: &Plan) -> Configuration<'a> {
    let mut replay = Replay::new(instance, plan);
    replay.run(Clock::Free);
    replay.at
}

/// Everything that is wrong with a plan.
pub(crate) fn faults(instance: &Instance, plan: &Plan, clock: Clock) -> Vec<String> {
    let mut replay = Replay::new(instance, plan);
    replay.run(clock);
    replay.finish(clock);
    replay.faults
}

struct Replay<'a, 'p> {
    instance: &'a Instance,
    plan: &'p Plan,
    at: Configuration<'a>,
    now: u64,
    /// By VM: actions under way.
    busy: Vec<usize>,
    /// By VM: state changes so far.
    transitions: Vec<usize>,
    /// By VM: how far its re-instantiation is (0 none, 1 forged, 2 booted).
    clone: Vec<u8>,
    /// By VM: the node that keeps the image of a VM that resumes.
    image: Vec<Option<NodeId>>,
    node_changes: Vec<usize>,
    faults: Vec<String>,
}

impl<'a, 'p> Replay<'a, 'p> {
    fn new(instance: &'a Instance, plan: &'p Plan) -> Self {
        Self {
            instance,
            plan,
            at: Configuration::source(instance),
            now: 0,
            busy: vec![0; instance.vm_count()],
            transitions: vec![0; instance.vm_count()],
            clone: vec![0; instance.vm_count()],
            image: vec![None; instance.vm_count()],
            node_changes: vec![0; instance.node_count()],
            faults: Vec::new(),
        }
    }

    fn expect(&mut self, right: bool, what: &str) {
        if !right {
            self.faults.push(format!("at {}: {what}", self.now));
        }
    }

    fn run(&mut self, clock: Clock) {
        let limits = Limits::of(self.instance);
        let mut least = broken(&self.at, &limits);
        let mut moments: Vec<u64> =
            self.plan.actions.iter().flat_map(|action| [action.start, action.end]).collect();
        moments.sort_unstable();
        moments.dedup();
        let actions: &'p [Action] = &self.plan.actions;
        for moment in moments {
            self.now = moment;
            for action in actions.iter().filter(|action| action.end == moment && action.start < moment) {
                self.leave(action);
            }
            for action in actions.iter().filter(|action| action.end == moment && action.start == moment) {
                self.begin(action);
                self.leave(action);
            }
            for action in actions.iter().filter(|action| action.start == moment && action.end != moment) {
                self.begin(action);
            }
            for node in self.instance.node_ids() {
                self.hosting(node);
            }
            let amounts = broken(&self.at, &limits);
            for (at, (amount, least)) in amounts.iter().zip(&mut least).enumerate() {
                if amount > least {
                    self.faults
                        .push(format!("at {moment}: rule or load {at} is broken by {amount}, was {least}"));
                }
                *least = (*least).min(*amount);
            }
        }
        if clock == Clock::Own {
            for action in actions {
                self.lasts(action);
            }
        }
    }

    fn lasts(&mut self, action: &Action) {
        use ActionKind::*;
        let vm = |kind, vm| self.instance.vm_duration(kind, vm).map_or(0, u64::from);
        let node = |kind, node| self.instance.node_duration(kind, node).map_or(0, u64::from);
        let clone_boot = match self.instance.durations().get(Timed::Boot) {
            Duration::Constant(seconds) => Some(u64::from(seconds)),
            Duration::Linear { .. } => None,
        };
        let wanted = match action.kind {
            Migrate { vm: v, .. } => Some(vm(Timed::Migrate, v)),
            Boot { vm: v, .. } => Some(vm(Timed::Boot, v)),
            Shutdown { vm: v, .. } => Some(vm(Timed::Shutdown, v)),
            Suspend { vm: v, .. } => Some(vm(Timed::Suspend, v)),
            Resume { vm: v, .. } => Some(vm(Timed::Resume, v)),
            Kill { vm: v, .. } => Some(vm(Timed::Kill, v)),
            Forge { vm: v } | ForgeClone { vm: v } => Some(vm(Timed::Forge, v)),
            BootClone { .. } => clone_boot,
            ShutdownOriginal { vm: v, .. } => clone_boot.map(|boot| vm(Timed::Forge, v).saturating_sub(boot)),
            Allocate { .. } => Some(0),
            BootNode { node: n } => Some(node(Timed::BootNode, n)),
            ShutdownNode { node: n } => Some(node(Timed::ShutdownNode, n)),
        };
        if wanted.is_some_and(|wanted| action.start.checked_add(wanted) != Some(action.end)) {
            self.faults.push(format!("{action:?} lasts {wanted:?}"));
        }
    }

    fn held(&self, action: &Action, vm: VmId) -> Vec<u64> {
        let mut held: Vec<u64> =
            self.instance.resource_ids().map(|resource| self.at.demand(vm, resource)).collect();
        for &(resource, amount) in &action.allocations {
            held[resource.index()] = amount;
        }
        held
    }

    fn begin(&mut self, action: &Action) {
        use ActionKind::*;
        if let Some(vm) = action.kind.vm() {
            self.expect(self.busy[vm.index()] == 0, "two actions on one VM at once");
            self.busy[vm.index()] += 1;
            if action.kind.is_transition() {
                self.transitions[vm.index()] += 1;
                self.expect(self.transitions[vm.index()] == 1, "a VM changes its state twice");
            }
            let cloning = matches!(action.kind, BootClone { .. } | ShutdownOriginal { .. });
            self.expect(
                cloning || self.clone[vm.index()] == 0,
                "a VM does something else while it is copied",
            );
        }
        match action.kind {
            Migrate { vm, from, to } => {
                self.expect(
                    self.at.place(vm) == Place::Running(from) && from != to,
                    "migrates from elsewhere",
                );
                self.expect(self.at.is_online(to), "migrates to a node that is not on");
                let held = self.held(action, vm);
                self.at.enter(vm, to, held.into());
            }
            Boot { vm, node } => {
                self.expect(self.at.place(vm) == Place::Ready, "boots, but is not ready");
                self.start(action, vm, node);
            }
            Resume { vm, from, to } => {
                self.expect(self.at.place(vm) == Place::Sleeping(from), "resumes, but does not sleep there");
                self.image[vm.index()] = Some(from);
                self.start(action, vm, to);
            }
            Shutdown { vm, node } | Suspend { vm, node } => {
                let there = self.at.place(vm) == Place::Running(node) && self.at.arriving(vm).is_none();
                self.expect(there, "stops elsewhere");
            }
            Kill { vm, node } => {
                let place = self.at.place(vm);
                self.expect(place.node() == node && place != Place::Killed, "is killed elsewhere");
            }
            Forge { vm } => {
                let template = self.instance.vms().attributes().get(vm.index(), "template").is_some();
                self.expect(self.at.place(vm) == Place::Init && template, "cannot be forged");
            }
            ForgeClone { vm } => {
                let running = self.at.is_running(vm) && self.at.arriving(vm).is_none();
                self.expect(running && self.instance.can_reinstantiate(vm), "cannot be copied");
            }
            BootClone { vm, from, to } => {
                self.expect(self.clone[vm.index()] == 1, "the copy is not forged");
                self.expect(
                    self.at.place(vm) == Place::Running(from) && from != to,
                    "is copied from elsewhere",
                );
                self.expect(self.at.is_online(to), "a copy boots on a node that is not on");
                let held = self.held(action, vm);
                self.at.enter(vm, to, held.into());
            }
            ShutdownOriginal { vm, from } => {
                self.expect(self.clone[vm.index()] == 2, "the copy does not run");
                self.expect(self.at.host(vm) == Some(from), "the original is elsewhere");
            }
            Allocate { vm, node, .. } => {
                let there = self.at.host(vm) == Some(node) && self.at.arriving(vm).is_none();
                self.expect(there, "is given a share elsewhere");
            }
            BootNode { node } => {
                self.node_changes[node.index()] += 1;
                self.expect(self.at.phase(node) == NodePhase::Offline, "boots a node that is not off");
                self.at.set_phase(node, NodePhase::Booting);
            }
            ShutdownNode { node } => {
                self.node_changes[node.index()] += 1;
                self.expect(self.at.phase(node) == NodePhase::Online, "stops a node that is not on");
                self.at.set_phase(node, NodePhase::ShuttingDown);
            }
        }
    }

    fn start(&mut self, action: &Action, vm: VmId, node: NodeId) {
        self.expect(self.at.is_online(node), "starts on a node that is not on");
        for &(resource, amount) in &action.allocations {
            self.at.allocate(vm, resource, amount);
        }
        self.at.put(vm, Place::Running(node));
    }

    fn leave(&mut self, action: &Action) {
        use ActionKind::*;
        if let Some(vm) = action.kind.vm() {
            self.busy[vm.index()] -= 1;
        }
        match action.kind {
            Migrate { vm, .. } => self.at.arrive(vm),
            Boot { .. } => {}
            Resume { vm, .. } => self.image[vm.index()] = None,
            Shutdown { vm, .. } | Forge { vm } => self.at.put(vm, Place::Ready),
            Suspend { vm, node } => self.at.put(vm, Place::Sleeping(node)),
            Kill { vm, .. } => self.at.put(vm, Place::Killed),
            ForgeClone { vm } => self.clone[vm.index()] = 1,
            BootClone { vm, .. } => self.clone[vm.index()] = 2,
            ShutdownOriginal { vm, .. } => {
                self.clone[vm.index()] = 0;
                self.at.arrive(vm);
            }
            Allocate { vm, resource, amount, .. } => self.at.allocate(vm, resource, amount),
            BootNode { node } => self.at.set_phase(node, NodePhase::Online),
            ShutdownNode { node } => self.at.set_phase(node, NodePhase::Offline),
        }
    }

    fn hosting(&mut self, node: NodeId) {
        let sleeps = self
            .instance
            .vm_ids()
            .any(|vm| self.at.place(vm) == Place::Sleeping(node) || self.image[vm.index()] == Some(node));
        let used = sleeps || !self.at.guests(node).is_empty();
        self.expect(!used || self.at.is_online(node), "a node that is not on is in use");
    }

    fn finish(&mut self, clock: Clock) {
        for node in self.instance.node_ids() {
            self.hosting(node);
            self.expect(self.node_changes[node.index()] < 2, "a node changes twice");
        }
        let limits = Limits::of(self.instance);
        for node in self.instance.node_ids() {
            for resource in self.instance.resource_ids() {
                let load = self.at.load(node, resource);
                self.expect(load <= limits.at_the_end(node, resource), "a node is overloaded in the end");
            }
        }
        match wanted(self.instance) {
            None => self.faults.push("contradictory states are asked for".to_owned()),
            Some(wanted) => {
                for vm in self.instance.vm_ids() {
                    let right = self.at.state(vm) == wanted[vm.index()] && self.clone[vm.index()] == 0;
                    self.expect(right, "a VM ends in another state");
                }
            }
        }
        let plan: &'p Plan = self.plan;
        let run = Run::new(self.instance, plan);
        for (index, constraint) in self.instance.constraints().iter().enumerate() {
            if !constraint.is_hard() {
                continue;
            }
            if let Err(violation) = constraint.rule.holds(&self.at) {
                self.faults.push(format!("constraint {index} in the end: {violation}"));
            }
            if clock == Clock::Free && ABOUT_TIME.contains(&constraint.rule.signature().name) {
                continue;
            }
            if let Err(violation) = constraint.rule.holds_over(&run) {
                self.faults.push(format!("constraint {index} over the plan: {violation}"));
            }
        }
        for &(first, then) in &plan.happens_before {
            let (first, then) = (first as usize, then as usize);
            let right = first < plan.actions.len()
                && then < plan.actions.len()
                && plan.actions[first].end <= plan.actions[then].start;
            self.expect(right, "an edge contradicts the times");
        }
    }
}

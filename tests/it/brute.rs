//! The planner that tries everything: the question of every small instance in slow motion.
//!
//! Two searches that share the reading of the instance (`Question`) and nothing of the
//! crate's solver. [`Question::fewest`] walks over configurations with one action under
//! way at a time: carrying out the actions of a plan one after the other, in the order
//! of their starts, never holds more than the plan itself does, so this decides whether
//! there is a plan and how many relocations the best has. Rules that name moments
//! (`noDelay`, `deadline`) or force actions to overlap (`sync`) need real time: see
//! [`crate::timed`].

use crate::replay;
use crate::replay::Limits;
use quadrille::Instance;
use quadrille::Plan;
use quadrille::constraint::Argument;
use quadrille::constraint::Strength;
use quadrille::constraint::Timestamp;
use quadrille::model::Action;
use quadrille::model::ActionKind;
use quadrille::model::Configuration;
use quadrille::model::NodeId;
use quadrille::model::NodePhase;
use quadrille::model::Place;
use quadrille::model::Reason;
use quadrille::model::ResourceId;
use quadrille::model::Timed;
use quadrille::model::VmId;
use quadrille::model::VmState;
use quadrille::objective::Metric;
use std::collections::BTreeMap;
use std::collections::HashMap;

/// What an instance asks, spelt out.
pub(crate) struct Question<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) wanted: Vec<VmState>,
    pub(crate) future: Vec<Vec<u64>>,
    pub(crate) grows: Vec<bool>,
    pub(crate) limits: Limits,
    pub(crate) rooted: Vec<bool>,
    pub(crate) sealed: Vec<bool>,
    pub(crate) sequences: Vec<Vec<VmId>>,
    pub(crate) precedences: Vec<(VmId, VmId)>,
    pub(crate) serialized: Vec<Vec<VmId>>,
    pub(crate) prompt: Vec<bool>,
    pub(crate) deadlines: Vec<(VmId, u64)>,
    pub(crate) synced: Vec<Vec<VmId>>,
    /// May VMs move that are also started or stopped?
    pub(crate) movers: bool,
    /// (constraint, penalty)
    soft: Vec<(usize, u64)>,
    /// What a relocation counts, and a node that is online at the end.
    prices: (u64, u64),
}

/// A VM in a state of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Seat {
    pub(crate) place: Place,
    /// Holds its future amounts.
    pub(crate) grown: bool,
    /// Has been relocated at all; kept only where a precedence asks.
    pub(crate) relocated: bool,
}

/// What a search found out.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    /// What the first level counts, penalties included.
    pub(crate) value: u64,
    /// A plan of that value, one action after the other.
    pub(crate) plan: Plan,
}

/// A state that was reached: relocations so far, and the step that led there.
type Reached = (State, u64, Option<(usize, Step)>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    seats: Vec<Seat>,
    online: Vec<bool>,
    least: Vec<u64>,
}

/// One thing that can be done, and with which amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) kind: ActionKind,
    /// The VM holds its future amounts from the start of the action.
    pub(crate) grows: bool,
}

/// The weights of relocations and of nodes that are online: of relocations alone where the
/// first level does not count nodes.
fn prices(instance: &Instance) -> (u64, u64) {
    let terms = &instance.objective().levels[0].terms;
    let weight = |metric| terms.iter().filter(|term| term.1 == metric).map(|term| u64::from(term.0)).sum();
    match weight(Metric::NodesOn) {
        0 => (1, 0),
        nodes => (weight(Metric::Relocations), nodes),
    }
}

impl<'a> Question<'a> {
    /// Reads the instance; `None` when the wanted states contradict each other.
    pub(crate) fn of(instance: &'a Instance) -> Option<Self> {
        let future = replay::future(instance);
        let wanted = replay::wanted(instance)?;
        let grows = instance
            .vm_ids()
            .map(|vm| {
                wanted[vm.index()] == VmState::Running
                    && instance
                        .resource_ids()
                        .any(|r| future[vm.index()][r.index()] != instance.demand(vm, r))
            })
            .collect();
        let mut question = Self {
            instance,
            wanted,
            future,
            grows,
            limits: Limits::of(instance),
            rooted: vec![false; instance.vm_count()],
            sealed: vec![false; instance.node_count()],
            sequences: Vec::new(),
            precedences: Vec::new(),
            serialized: Vec::new(),
            prompt: vec![false; instance.vm_count()],
            deadlines: Vec::new(),
            synced: Vec::new(),
            movers: true,
            soft: Vec::new(),
            prices: prices(instance),
        };
        for (index, constraint) in instance.constraints().iter().enumerate() {
            let penalty = match constraint.strength {
                Strength::Hard => None,
                Strength::Soft(penalty) => Some(u64::from(penalty)),
            };
            if let Some(penalty) = penalty {
                question.soft.push((index, penalty));
                continue;
            }
            match (constraint.rule.signature().name, &constraint.rule.arguments()[..]) {
                ("root", [Argument::Vm(vm)]) => question.rooted[vm.index()] = true,
                ("quarantine", [Argument::Node(node)]) => question.sealed[node.index()] = true,
                ("seq", [Argument::VmList(vms)]) => question.sequences.push(vms.to_vec()),
                ("precedence", [Argument::Vm(first), Argument::Vm(then)]) => {
                    // Before itself: never.
                    if first == then {
                        question.rooted[first.index()] = true;
                    }
                    question.precedences.push((*first, *then));
                }
                ("serialize", [Argument::Vms(vms)]) => question.serialized.push(vms.to_vec()),
                ("sync", [Argument::Vms(vms)]) => question.synced.push(vms.to_vec()),
                ("noDelay", [Argument::Vm(vm)]) => question.prompt[vm.index()] = true,
                ("deadline", [Argument::Vm(vm), Argument::Time(Timestamp::Relative(by))]) => {
                    question.deadlines.push((*vm, *by));
                }
                (
                    "root" | "quarantine" | "seq" | "precedence" | "serialize" | "sync" | "noDelay"
                    | "deadline",
                    other,
                ) => {
                    panic!("unexpected arguments {other:?}")
                }
                _ => {}
            }
        }
        Some(question)
    }

    /// Is real time needed to answer?
    pub(crate) fn is_timed(&self) -> bool {
        !self.deadlines.is_empty() || !self.synced.is_empty() || self.prompt.contains(&true)
    }

    /// Does the source break what must never get worse?
    pub(crate) fn starts_broken(&self) -> bool {
        self.source_amounts().iter().any(|&amount| amount > 0)
    }

    pub(crate) fn source_amounts(&self) -> Vec<u64> {
        replay::broken(&Configuration::source(self.instance), &self.limits)
    }

    /// The new least amounts, unless something got worse.
    pub(crate) fn not_worse(&self, at: &Configuration<'_>, least: &[u64]) -> Option<Vec<u64>> {
        let amounts = replay::broken(at, &self.limits);
        // Nothing rises, so the amounts of this moment are the least so far.
        let worse = amounts.iter().zip(least).any(|(amount, least)| amount > least);
        (!worse).then_some(amounts)
    }

    /// What a VM holds: now, or when it has grown.
    pub(crate) fn amounts(&self, vm: VmId, grown: bool) -> Vec<u64> {
        if grown {
            return self.future[vm.index()].clone();
        }
        self.instance.resource_ids().map(|resource| self.instance.demand(vm, resource)).collect()
    }

    pub(crate) fn grow(&self, at: &mut Configuration<'_>, vm: VmId) {
        for (resource, &amount) in self.future[vm.index()].iter().enumerate() {
            at.allocate(vm, ResourceId::from_index(resource), amount);
        }
    }

    /// The first level of the objective beside relocations; `None` where the
    /// configuration is no end.
    pub(crate) fn price_of_end(&self, at: &Configuration<'_>) -> Option<u64> {
        let instance = self.instance;
        for node in instance.node_ids() {
            for resource in instance.resource_ids() {
                if at.load(node, resource) > self.limits.at_the_end(node, resource) {
                    return None;
                }
            }
        }
        for constraint in instance.constraints().iter().filter(|constraint| constraint.is_hard()) {
            constraint.rule.holds(at).ok()?;
        }
        let price = |&(index, penalty): &(usize, u64)| {
            let violation = instance.constraints()[index].rule.holds(at).err();
            violation.map_or(0, |violation| violation.amount * penalty)
        };
        let online = instance.node_ids().filter(|&node| at.is_online(node)).count() as u64;
        Some(self.soft.iter().map(price).sum::<u64>() + self.prices.1 * online)
    }

    /// What can be done with a VM that does nothing at the moment, hosts being told
    /// by `online`; rules about moments are left to the caller.
    pub(crate) fn steps(&self, vm: VmId, seat: Seat, online: impl Fn(NodeId) -> bool) -> Vec<Step> {
        let mut steps = Vec::new();
        let wanted = self.wanted[vm.index()];
        let stays = wanted == VmState::Running;
        let open = |node: &NodeId| online(*node) && !self.sealed[node.index()];
        let mut add = |kind, grows| steps.push(Step { kind, grows });
        match seat.place {
            Place::Running(from) => {
                let at_all = self.movers || (stays && self.instance.place(vm).host().is_some());
                if at_all && !self.rooted[vm.index()] && !self.sealed[from.index()] {
                    for to in self.instance.node_ids().filter(open).filter(|&to| to != from) {
                        let kind = ActionKind::Migrate { vm, from, to };
                        // With its future amounts from the start of the move, or later.
                        if stays && self.grows[vm.index()] && !seat.grown {
                            add(kind, true);
                        }
                        add(kind, false);
                    }
                }
                match wanted {
                    VmState::Ready => add(ActionKind::Shutdown { vm, node: from }, false),
                    VmState::Sleeping => add(ActionKind::Suspend { vm, node: from }, false),
                    VmState::Killed => add(ActionKind::Kill { vm, node: Some(from) }, false),
                    _ => {}
                }
            }
            Place::Ready => match wanted {
                VmState::Running => {
                    for node in self.instance.node_ids().filter(open) {
                        if self.grows[vm.index()] {
                            add(ActionKind::Boot { vm, node }, true);
                        }
                        add(ActionKind::Boot { vm, node }, false);
                    }
                }
                VmState::Killed => add(ActionKind::Kill { vm, node: None }, false),
                _ => {}
            },
            Place::Sleeping(from) => match wanted {
                VmState::Running => {
                    // An image on a sealed node may wake up there.
                    for to in self.instance.node_ids().filter(|&to| open(&to) || to == from) {
                        if self.grows[vm.index()] {
                            add(ActionKind::Resume { vm, from, to }, true);
                        }
                        add(ActionKind::Resume { vm, from, to }, false);
                    }
                }
                VmState::Killed => add(ActionKind::Kill { vm, node: Some(from) }, false),
                _ => {}
            },
            Place::Init => {
                let template = self.instance.vms().attributes().get(vm.index(), "template").is_some();
                if wanted == VmState::Ready && template {
                    add(ActionKind::Forge { vm }, false);
                }
            }
            Place::Killed => {}
        }
        steps
    }

    /// The seat of a VM after a step.
    pub(crate) fn seat_after(&self, seat: Seat, step: Step) -> Seat {
        use ActionKind::*;
        let mut after = seat;
        match step.kind {
            Migrate { vm, to, .. } => {
                after.place = Place::Running(to);
                after.relocated = self.precedences.iter().any(|&(_, then)| then == vm);
            }
            Boot { node, .. } => after.place = Place::Running(node),
            Resume { to, .. } => after.place = Place::Running(to),
            Shutdown { .. } | Forge { .. } => after.place = Place::Ready,
            Suspend { node, .. } => after.place = Place::Sleeping(node),
            Kill { .. } => after.place = Place::Killed,
            _ => {}
        }
        after.grown |= step.grows;
        after
    }

    pub(crate) fn has_changed(&self, vm: VmId, place: Place) -> bool {
        place.state() != self.instance.place(vm).state()
    }

    fn configuration(&self, state: &State) -> Configuration<'a> {
        let mut at = Configuration::source(self.instance);
        for node in self.instance.node_ids() {
            let phase = if state.online[node.index()] { NodePhase::Online } else { NodePhase::Offline };
            at.set_phase(node, phase);
        }
        for (vm, seat) in self.instance.vm_ids().zip(&state.seats) {
            if seat.place != self.instance.place(vm) {
                at.put(vm, seat.place);
            }
            if seat.grown {
                self.grow(&mut at, vm);
            }
        }
        at
    }

    /// Is the VM in the state that is wanted?
    pub(crate) fn arrived(&self, vm: VmId, seat: Seat) -> bool {
        seat.place.state() == self.wanted[vm.index()]
    }

    /// The best plan, of all plans whose actions follow one another; `None` if there is none.
    /// Rules about moments are not looked at.
    pub(crate) fn fewest(&self) -> Option<Best> {
        let start = State {
            seats: self
                .instance
                .vm_ids()
                .map(|vm| Seat { place: self.instance.place(vm), grown: false, relocated: false })
                .collect(),
            online: self.instance.node_ids().map(|node| self.instance.is_online(node)).collect(),
            least: self.source_amounts(),
        };
        let mut table: HashMap<State, usize> = HashMap::new();
        let mut found: Vec<Reached> = vec![(start.clone(), 0, None)];
        table.insert(start, 0);
        let mut queue: BTreeMap<u64, Vec<usize>> = BTreeMap::from([(0, vec![0])]);
        let mut best: Option<(u64, usize)> = None;
        while let Some((distance, bucket)) = queue.pop_first() {
            if best.is_some_and(|(value, _)| value <= distance) {
                break;
            }
            let mut bucket = bucket;
            while let Some(index) = bucket.pop() {
                if found[index].1 != distance {
                    continue;
                }
                let state = found[index].0.clone();
                let at = self.configuration(&state);
                if self.instance.vm_ids().all(|vm| self.arrived(vm, state.seats[vm.index()])) {
                    let mut end = at.clone();
                    for vm in self.instance.vm_ids().filter(|vm| self.grows[vm.index()]) {
                        self.grow(&mut end, vm);
                    }
                    if let Some(price) = self.price_of_end(&end)
                        && self.not_worse(&end, &state.least).is_some()
                        && best.is_none_or(|(value, _)| distance + price < value)
                    {
                        best = Some((distance + price, index));
                    }
                }
                self.successors(&state, &at, |step, next| {
                    let cost = distance + self.prices.0 * u64::from(step.kind.is_relocation());
                    match table.get(&next) {
                        Some(&known) if found[known].1 <= cost => {}
                        Some(&known) => {
                            found[known].1 = cost;
                            found[known].2 = Some((index, step));
                            if cost == distance { &mut bucket } else { queue.entry(cost).or_default() }
                                .push(known);
                        }
                        None => {
                            let new = found.len();
                            table.insert(next.clone(), new);
                            found.push((next, cost, Some((index, step))));
                            if cost == distance { &mut bucket } else { queue.entry(cost).or_default() }
                                .push(new);
                        }
                    }
                });
            }
        }
        let (value, mut index) = best?;
        let mut steps = Vec::new();
        let last = found[index].0.clone();
        while let Some((from, step)) = found[index].2 {
            steps.push(step);
            index = from;
        }
        steps.reverse();
        Some(Best { value, plan: self.one_by_one(&steps, &last) })
    }

    fn successors(&self, state: &State, at: &Configuration<'a>, mut visit: impl FnMut(Step, State)) {
        for vm in self.instance.vm_ids() {
            let seat = state.seats[vm.index()];
            for step in self.steps(vm, seat, |node| state.online[node.index()]) {
                // Growing in the end, where it is by then, asks for the least room.
                if step.grows {
                    continue;
                }
                if step.kind.is_relocation()
                    && self.precedences.iter().any(|&(first, then)| {
                        first == vm && then != vm && state.seats[then.index()].relocated
                    })
                {
                    continue;
                }
                if step.kind.is_transition() && self.out_of_turn(vm, |vm| state.seats[vm.index()].place) {
                    continue;
                }
                let mut least = state.least.clone();
                let mut moving = at.clone();
                if let ActionKind::Migrate { to, .. } = step.kind {
                    moving.enter(vm, to, self.amounts(vm, step.grows || seat.grown).into());
                    match self.not_worse(&moving, &least) {
                        Some(amounts) => least = amounts,
                        None => continue,
                    }
                }
                let mut next = state.clone();
                next.seats[vm.index()] = self.seat_after(seat, step);
                let after = self.configuration(&next);
                if let Some(amounts) = self.not_worse(&after, &least) {
                    next.least = amounts;
                    visit(step, next);
                }
            }
        }
        for node in self.instance.node_ids() {
            let online = state.online[node.index()];
            if online != self.instance.is_online(node) {
                continue;
            }
            let used = state.seats.iter().any(|seat| seat.place.node() == Some(node));
            if used {
                continue;
            }
            let (kind, phase) = if online {
                (ActionKind::ShutdownNode { node }, NodePhase::ShuttingDown)
            } else {
                (ActionKind::BootNode { node }, NodePhase::Booting)
            };
            let mut next = state.clone();
            next.online[node.index()] = !online;
            let mut changing = at.clone();
            changing.set_phase(node, phase);
            let Some(least) = self.not_worse(&changing, &state.least) else { continue };
            let Some(least) = self.not_worse(&self.configuration(&next), &least) else { continue };
            next.least = least;
            visit(Step { kind, grows: false }, next);
        }
    }

    /// Would a state change of this VM come after one that must follow it?
    pub(crate) fn out_of_turn(&self, vm: VmId, place: impl Fn(VmId) -> Place) -> bool {
        self.sequences.iter().any(|list| match list.iter().position(|&other| other == vm) {
            Some(turn) => list[turn + 1..].iter().any(|&later| self.has_changed(later, place(later))),
            None => false,
        })
    }

    /// How long an action of this kind takes.
    pub(crate) fn duration(&self, kind: ActionKind) -> u64 {
        use ActionKind::*;
        let vm = |timed, vm| self.instance.vm_duration(timed, vm).expect("a duration");
        let node = |timed, node| self.instance.node_duration(timed, node).expect("a duration");
        u64::from(match kind {
            Migrate { vm: v, .. } => vm(Timed::Migrate, v),
            Boot { vm: v, .. } => vm(Timed::Boot, v),
            Shutdown { vm: v, .. } => vm(Timed::Shutdown, v),
            Suspend { vm: v, .. } => vm(Timed::Suspend, v),
            Resume { vm: v, .. } => vm(Timed::Resume, v),
            Kill { vm: v, .. } => vm(Timed::Kill, v),
            Forge { vm: v } => vm(Timed::Forge, v),
            BootNode { node: n } => node(Timed::BootNode, n),
            ShutdownNode { node: n } => node(Timed::ShutdownNode, n),
            ForgeClone { .. } | BootClone { .. } | ShutdownOriginal { .. } | Allocate { .. } => 0,
        })
    }

    /// What a step says of the amounts at its destination.
    pub(crate) fn allocations(&self, vm: VmId, before: bool, after: bool) -> Vec<(ResourceId, u64)> {
        if before == after {
            return Vec::new();
        }
        let future = &self.future[vm.index()];
        let pairs = self.instance.resource_ids().map(|r| (r, future[r.index()]));
        pairs.filter(|&(r, amount)| amount != self.instance.demand(vm, r)).collect()
    }

    fn one_by_one(&self, steps: &[Step], last: &State) -> Plan {
        let mut plan = Plan::default();
        let mut now = 0;
        let mut grown = vec![false; self.instance.vm_count()];
        for step in steps {
            let end = now + self.duration(step.kind);
            let allocations = match step.kind.vm() {
                Some(vm) => {
                    let before = grown[vm.index()];
                    grown[vm.index()] |= step.grows;
                    self.allocations(vm, before, grown[vm.index()])
                }
                None => Vec::new(),
            };
            plan.actions.push(Action {
                kind: step.kind,
                start: now,
                end,
                allocations,
                bandwidth: 0,
                reason: Reason::Unknown,
            });
            now = end;
        }
        for vm in self.instance.vm_ids() {
            let (seat, Some(node)) = (last.seats[vm.index()], last.seats[vm.index()].place.host()) else {
                continue;
            };
            if !self.grows[vm.index()] || seat.grown {
                continue;
            }
            for (resource, amount) in self.allocations(vm, false, true) {
                let kind = ActionKind::Allocate { vm, node, resource, amount };
                plan.actions.push(Action {
                    kind,
                    start: now,
                    end: now,
                    allocations: Vec::new(),
                    bandwidth: 0,
                    reason: Reason::Unknown,
                });
            }
        }
        plan
    }
}

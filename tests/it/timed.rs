//! The planner that tries everything, with a clock.
//!
//! Actions last as long as they last; any set of them may start at 0 and whenever
//! another ends. No other moments need be tried: what is minimised, and every deadline,
//! only gets better when an action starts earlier, so a best plan exists in which each
//! action starts at 0 or waits for the end of another. (`sync` is the exception; its
//! members are expected to take equally long, so that ending together is starting
//! together.)

use crate::brute::Question;
use crate::brute::Seat;
use crate::brute::Step;
use quadrille::model::ActionKind;
use quadrille::model::Cargo;
use quadrille::model::Configuration;
use quadrille::model::NodeId;
use quadrille::model::NodePhase;
use quadrille::model::Place;
use quadrille::model::Value;
use quadrille::model::VmId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap;

/// What is asked of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Relocations alone; the clock is stopped once no rule looks at it any more.
    Relocations,
    /// Relocations, at most so many, and then the sum of ends (`mttr`).
    Mttr(u64),
    /// Joules until the last end.
    Energy,
    /// Relocations, then joules.
    MovesThenEnergy,
}

/// Links between nodes and a switch that is never in the way: each carries so much in either
/// direction, and a migration takes all that the narrower one of its two has.
#[derive(Clone, Debug)]
pub(crate) struct Star(pub(crate) Vec<u64>);

impl Star {
    fn rate(&self, from: NodeId, to: NodeId) -> u64 {
        self.0[from.index()].min(self.0[to.index()])
    }
}

/// The search was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Moments that are looked at before the search is given up.
const MOST_MOMENTS: usize = 60_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moment {
    now: u64,
    seats: Vec<Seat>,
    /// What each VM is doing, and for how much longer.
    busy: Vec<Option<(Busy, u64)>>,
    nodes: Vec<(NodePhase, u64)>,
    least: Vec<u64>,
    /// By VM: the end that is in the sum already.
    counted: Vec<u64>,
    /// By `sync`: untouched, starting at this very moment, or over.
    groups: Vec<u8>,
    /// Elements before this one have decided what to start now.
    next: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Busy {
    Moving { to: NodeId, grows: bool },
    Waking { image: NodeId },
    Starting,
    Ending(Place),
}

/// The best (relocations and penalties, sum of ends); `None` where there is no plan.
pub(crate) fn best(question: &Question<'_>, ask: Ask) -> Result<Option<(u64, u64)>, TooLarge> {
    best_on(question, ask, None)
}

/// The same, where migrations go over a network.
pub(crate) fn best_on(
    question: &Question<'_>,
    ask: Ask,
    star: Option<&Star>,
) -> Result<Option<(u64, u64)>, TooLarge> {
    let instance = question.instance;
    let start = Moment {
        now: 0,
        seats: instance
            .vm_ids()
            .map(|vm| Seat { place: instance.place(vm), grown: false, relocated: false })
            .collect(),
        busy: vec![None; instance.vm_count()],
        nodes: instance
            .node_ids()
            .map(|node| (if instance.is_online(node) { NodePhase::Online } else { NodePhase::Offline }, 0))
            .collect(),
        least: question.source_amounts(),
        counted: vec![0; instance.vm_count()],
        groups: vec![0; question.synced.len()],
        next: 0,
    };
    let mut known: HashMap<Moment, usize> = HashMap::from([(start.clone(), 0)]);
    let mut found: Vec<(Moment, (u64, u64))> = vec![(start, (0, 0))];
    let mut queue = BinaryHeap::from([Reverse(((0, 0), 0))]);
    let mut best: Option<(u64, u64)> = None;
    let search = Search { question, ask, star, stop_clock: stop_clock(question) };
    while let Some(Reverse((cost, index))) = queue.pop() {
        if found[index].1 != cost {
            continue;
        }
        if best.is_some_and(|best| best <= cost) {
            break;
        }
        let moment = found[index].0.clone();
        if let Some(price) = search.price_of_end(&moment) {
            let total = (cost.0 + price, cost.1);
            best = Some(best.map_or(total, |best| best.min(total)));
        }
        let mut next = Vec::new();
        search.start_something(&moment, cost, &mut next);
        search.wait(&moment, cost, &mut next);
        for (moment, cost) in next {
            match known.get(&moment) {
                Some(&at) if found[at].1 <= cost => {}
                Some(&at) => {
                    found[at].1 = cost;
                    queue.push(Reverse((cost, at)));
                }
                None => {
                    if found.len() >= MOST_MOMENTS {
                        return Err(TooLarge);
                    }
                    known.insert(moment.clone(), found.len());
                    queue.push(Reverse((cost, found.len())));
                    found.push((moment, cost));
                }
            }
        }
    }
    Ok(best)
}

/// From when on no rule looks at the clock.
fn stop_clock(question: &Question<'_>) -> u64 {
    question.deadlines.iter().map(|&(_, by)| by).max().unwrap_or(0).max(1)
}

struct Search<'q, 'a> {
    question: &'q Question<'a>,
    ask: Ask,
    star: Option<&'q Star>,
    stop_clock: u64,
}

impl<'a> Search<'_, 'a> {
    fn keeps_time(&self) -> bool {
        matches!(self.ask, Ask::Mttr(_))
    }

    fn counts_joules(&self) -> bool {
        matches!(self.ask, Ask::Energy | Ask::MovesThenEnergy)
    }

    /// So many relocations, and joules, more.
    fn add(&self, cost: (u64, u64), moves: u64, joules: u64) -> (u64, u64) {
        match self.ask {
            Ask::Relocations | Ask::Mttr(_) => (cost.0 + moves, cost.1),
            Ask::Energy => (cost.0 + joules, cost.1),
            Ask::MovesThenEnergy => (cost.0 + moves, cost.1 + joules),
        }
    }

    /// What the nodes that are on draw.
    fn watts(&self, moment: &Moment) -> u64 {
        let instance = self.question.instance;
        let on = instance.node_ids().filter(|node| moment.nodes[node.index()].0 != NodePhase::Offline);
        on.map(|node| instance.node_power(node)).sum()
    }

    fn duration(&self, kind: ActionKind) -> u64 {
        match (self.star, kind) {
            (Some(star), ActionKind::Migrate { vm, from, to }) => {
                let instance = self.question.instance;
                let cargo = Cargo::of(instance, vm).expect("what it needs");
                let flow = cargo.flow(instance.migration_model().get(), star.rate(from, to));
                u64::from(flow.expect("it arrives").seconds)
            }
            _ => self.question.duration(kind),
        }
    }

    /// Do the links carry one more migration?
    fn carries(&self, moment: &Moment, kind: ActionKind) -> bool {
        let (Some(star), ActionKind::Migrate { from, to, .. }) = (self.star, kind) else { return true };
        let mut left = star.0.iter().map(|&capacity| (capacity, capacity)).collect::<Vec<_>>();
        let running = moment.seats.iter().zip(&moment.busy).filter_map(|(seat, busy)| match busy {
            Some((Busy::Moving { to, .. }, _)) => Some((seat.place.host()?, *to)),
            _ => None,
        });
        for (from, to) in running {
            let rate = star.rate(from, to);
            left[from.index()].0 -= rate;
            left[to.index()].1 -= rate;
        }
        let rate = star.rate(from, to);
        rate <= left[from.index()].0 && rate <= left[to.index()].1
    }

    fn configuration(&self, moment: &Moment) -> Configuration<'a> {
        let question = self.question;
        let mut at = Configuration::source(question.instance);
        for (node, &(phase, _)) in question.instance.node_ids().zip(&moment.nodes) {
            at.set_phase(node, phase);
        }
        for (vm, seat) in question.instance.vm_ids().zip(&moment.seats) {
            if seat.place != question.instance.place(vm) {
                at.put(vm, seat.place);
            }
            if seat.grown {
                question.grow(&mut at, vm);
            }
            if let Some((Busy::Moving { to, grows }, _)) = moment.busy[vm.index()] {
                at.enter(vm, to, question.amounts(vm, grows || seat.grown).into());
            }
        }
        at
    }

    fn price_of_end(&self, moment: &Moment) -> Option<u64> {
        let question = self.question;
        let idle = moment.busy.iter().all(Option::is_none) && moment.nodes.iter().all(|&(_, left)| left == 0);
        if !idle {
            return None;
        }
        let mut at = self.configuration(moment);
        for vm in question.instance.vm_ids() {
            let seat = moment.seats[vm.index()];
            if !question.arrived(vm, seat) {
                return None;
            }
            if question.grows[vm.index()] && !seat.grown {
                if self.keeps_time() || question.prompt[vm.index()] {
                    return None;
                }
                question.grow(&mut at, vm);
            }
        }
        question.not_worse(&at, &moment.least)?;
        question.price_of_end(&at)
    }

    /// The next end.
    fn wait(&self, moment: &Moment, cost: (u64, u64), found: &mut Vec<(Moment, (u64, u64))>) {
        let question = self.question;
        let works = moment.busy.iter().flatten().map(|&(_, left)| left);
        let changes = moment.nodes.iter().map(|&(_, left)| left).filter(|&left| left > 0);
        let Some(pause) = works.chain(changes).min() else { return };
        let pause = if self.counts_joules() { pause.min(1) } else { pause };
        let cost = self.add(cost, 0, pause * self.watts(moment));
        let mut later = moment.clone();
        later.now += pause;
        if !self.keeps_time() {
            later.now = later.now.min(self.stop_clock);
        }
        later.next = 0;
        for group in &mut later.groups {
            *group = if *group == 0 { 0 } else { 2 };
        }
        for vm in question.instance.vm_ids() {
            let Some((busy, left)) = moment.busy[vm.index()] else { continue };
            if left > pause {
                later.busy[vm.index()] = Some((busy, left - pause));
                continue;
            }
            later.busy[vm.index()] = None;
            let seat = &mut later.seats[vm.index()];
            match busy {
                Busy::Moving { to, grows } => {
                    let from = seat.place.host().unwrap_or(to);
                    *seat = question
                        .seat_after(*seat, Step { kind: ActionKind::Migrate { vm, from, to }, grows });
                }
                Busy::Ending(place) => seat.place = place,
                Busy::Waking { .. } | Busy::Starting => {}
            }
        }
        for node in &mut later.nodes {
            if node.1 == 0 {
                continue;
            }
            node.1 -= pause;
            if node.1 == 0 {
                node.0 = if node.0 == NodePhase::Booting { NodePhase::Online } else { NodePhase::Offline };
            }
        }
        if let Some(least) = question.not_worse(&self.configuration(&later), &moment.least) {
            later.least = least;
            found.push((later, cost));
        }
    }

    fn start_something(&self, moment: &Moment, cost: (u64, u64), found: &mut Vec<(Moment, (u64, u64))>) {
        let question = self.question;
        let vms = question.instance.vm_count();
        let mut push = |mut next: Moment, element: usize, cost: (u64, u64)| {
            if let Ask::Mttr(most) = self.ask
                && cost.0 > most
            {
                return;
            }
            next.next = element + 1;
            if let Some(least) = question.not_worse(&self.configuration(&next), &moment.least) {
                next.least = least;
                found.push((next, cost));
            }
        };
        for vm in question.instance.vm_ids().skip(moment.next) {
            if moment.busy[vm.index()].is_some() || (question.prompt[vm.index()] && moment.now > 0) {
                continue;
            }
            let seat = moment.seats[vm.index()];
            let count = |next: &mut Moment, end: u64| {
                if !self.keeps_time() {
                    return 0;
                }
                let counted = &mut next.counted[vm.index()];
                let more = end - *counted;
                *counted = end;
                more
            };
            if question.grows[vm.index()]
                && !seat.grown
                && seat.place.host().is_some()
                && (self.keeps_time() || question.prompt[vm.index()])
            {
                let mut next = moment.clone();
                next.seats[vm.index()].grown = true;
                let more = count(&mut next, moment.now);
                push(next, vm.index(), (cost.0, cost.1 + more));
            }
            // What has grown stays: before, it would have moved more easily.
            let settled = seat.grown && question.instance.place(vm).host().is_some();
            for step in question.steps(vm, seat, |node| moment.nodes[node.index()] == (NodePhase::Online, 0))
            {
                if (settled && step.kind.is_relocation())
                    || !self.in_order(moment, vm, step)
                    || !self.carries(moment, step.kind)
                {
                    continue;
                }
                let lasts = self.duration(step.kind);
                let mut next = moment.clone();
                let busy = match step.kind {
                    ActionKind::Migrate { to, .. } => {
                        for (group, vms) in question.synced.iter().enumerate() {
                            if vms.contains(&vm) {
                                next.groups[group] = 1;
                            }
                        }
                        Busy::Moving { to, grows: step.grows }
                    }
                    ActionKind::Boot { .. } => {
                        next.seats[vm.index()] = question.seat_after(seat, step);
                        Busy::Starting
                    }
                    ActionKind::Resume { from, .. } => {
                        next.seats[vm.index()] = question.seat_after(seat, step);
                        Busy::Waking { image: from }
                    }
                    _ => Busy::Ending(question.seat_after(seat, step).place),
                };
                next.busy[vm.index()] = Some((busy, lasts));
                let more = count(&mut next, moment.now + lasts);
                let moves = u64::from(step.kind.is_relocation());
                let joules = moves * question.instance.migration_energy(vm);
                let cost = self.add(cost, moves, joules);
                push(next, vm.index(), (cost.0, cost.1 + more));
            }
        }
        for node in question.instance.node_ids() {
            let element = vms + node.index();
            if element < moment.next {
                continue;
            }
            let kind = match moment.nodes[node.index()] {
                (NodePhase::Online, 0) if question.instance.is_online(node) => {
                    if self.uses(moment, node) {
                        continue;
                    }
                    ActionKind::ShutdownNode { node }
                }
                (NodePhase::Offline, 0) if !question.instance.is_online(node) => {
                    ActionKind::BootNode { node }
                }
                _ => continue,
            };
            let lasts = question.duration(kind);
            let mut next = moment.clone();
            let phase = match kind {
                ActionKind::BootNode { .. } => NodePhase::Booting,
                _ => NodePhase::ShuttingDown,
            };
            next.nodes[node.index()] = (phase, lasts);
            let more = if self.keeps_time() { moment.now + lasts } else { 0 };
            push(next, element, (cost.0, cost.1 + more));
        }
    }

    fn uses(&self, moment: &Moment, node: NodeId) -> bool {
        moment.seats.iter().zip(&moment.busy).any(|(seat, busy)| {
            seat.place.node() == Some(node)
                || match busy {
                    Some((Busy::Moving { to, .. }, _)) => *to == node,
                    Some((Busy::Waking { image }, _)) => *image == node,
                    Some((Busy::Ending(place), _)) => place.node() == Some(node),
                    _ => false,
                }
        })
    }

    /// Do the rules about order and time let the step start now?
    fn in_order(&self, moment: &Moment, vm: VmId, step: Step) -> bool {
        let question = self.question;
        let moves = |vm: VmId| matches!(moment.busy[vm.index()], Some((Busy::Moving { .. }, _)));
        let changes = |vm: VmId| moment.busy[vm.index()].is_some() && !moves(vm);
        if step.kind.is_transition() {
            let waits =
                question.sequences.iter().any(|list| match list.iter().position(|&other| other == vm) {
                    Some(turn) => list.iter().enumerate().any(|(at, &other)| at != turn && changes(other)),
                    None => false,
                });
            if waits || question.out_of_turn(vm, |vm| moment.seats[vm.index()].place) {
                return false;
            }
        }
        if !step.kind.is_relocation() {
            return true;
        }
        let lasts = question.duration(step.kind);
        let late = question.deadlines.iter().any(|&(of, by)| of == vm && moment.now + lasts > by);
        let overlaps = question
            .serialized
            .iter()
            .any(|list| list.contains(&vm) && list.iter().any(|&other| other != vm && moves(other)));
        let early = question.precedences.iter().any(|&(first, then)| {
            (first == vm && (moment.seats[then.index()].relocated || moves(then)))
                || (then == vm && moves(first))
        });
        let alone = question.synced.iter().enumerate().any(|(group, list)| {
            let together = |other: &VmId| moves(*other) && !self.equally_long(vm, *other);
            list.contains(&vm) && (moment.groups[group] == 2 || list.iter().any(together))
        });
        !(late || overlaps || early || alone)
    }

    fn equally_long(&self, a: VmId, b: VmId) -> bool {
        let nowhere = NodeId(0);
        let lasts = |vm| self.question.duration(ActionKind::Migrate { vm, from: nowhere, to: nowhere });
        let post = |vm: VmId| {
            let attributes = self.question.instance.vms().attributes();
            attributes.get(vm.index(), "postCopy").and_then(Value::as_bool) == Some(true)
        };
        (post(a) && post(b)) || lasts(a) == lasts(b)
    }
}

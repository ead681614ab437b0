//! A second checker, slow and simple, must agree with the first on random plans.
//!
//! It replays nothing: it works out where every VM sits during which interval, and
//! builds the configuration of every moment anew from these.

use super::rules::Rule;
use super::*;
use crate::constraint::Restriction;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::Place;
use crate::model::ResourceId;
use crate::model::Timed;
use crate::model::Value;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The moment before the plan.
const BEFORE: i64 = -1;
const EVER: i64 = i64::MAX;

/// A VM holds a node during `from..to`.
#[derive(Clone)]
struct Seat {
    node: NodeId,
    from: i64,
    to: i64,
    held: Vec<u64>,
}

/// What happens to one VM.
struct History {
    seats: Vec<Seat>,
    /// Where its image lies, and during which interval.
    images: Vec<(NodeId, i64, i64)>,
    /// Its state from a moment on.
    places: Vec<(i64, Place)>,
}

impl History {
    fn place(&self, time: i64) -> Place {
        self.places.iter().rev().find(|place| place.0 <= time).map_or(Place::Init, |place| place.1)
    }

    fn seats(&self, time: i64) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(move |seat| seat.from <= time && time < seat.to)
    }

    fn leave(&mut self, time: i64) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.to == EVER) {
            seat.to = time;
        }
    }
}

/// `None` when the actions on the VM cannot be done one after the other.
fn history(instance: &Instance, plan: &Plan, vm: VmId) -> Option<History> {
    use ActionKind::*;
    let demands: Vec<u64> = instance.resource_ids().map(|resource| instance.demand(vm, resource)).collect();
    let mut place = instance.place(vm);
    let mut h = History { seats: Vec::new(), images: Vec::new(), places: vec![(BEFORE, place)] };
    match place {
        Place::Running(node) => h.seats.push(Seat { node, from: BEFORE, to: EVER, held: demands.clone() }),
        Place::Sleeping(node) => h.images.push((node, BEFORE, EVER)),
        _ => {}
    }
    let mut actions: Vec<&Action> =
        plan.actions.iter().filter(|action| action.kind.vm() == Some(vm)).collect();
    actions.sort_by_key(|action| (action.start, action.end, action.kind));
    let (mut free, mut changed, mut copied) = (0, false, 0);
    for action in actions {
        let (start, end) = (action.start as i64, action.end as i64);
        if start < free || (action.kind.is_transition() && std::mem::replace(&mut changed, true)) {
            return None;
        }
        free = end;
        let mut held = h.seats.last().map_or(demands.clone(), |seat| seat.held.clone());
        for &(resource, amount) in &action.allocations {
            held[resource.index()] = amount;
        }
        let turn = match action.kind {
            BootClone { .. } => 1,
            ShutdownOriginal { .. } => 2,
            _ => 0,
        };
        if turn != copied {
            return None;
        }
        match (action.kind, place) {
            (Migrate { from, to, .. }, Place::Running(node)) if node == from && from != to => {
                h.leave(end);
                h.seats.push(Seat { node: to, from: start, to: EVER, held });
                place = Place::Running(to);
                h.places.push((end, place));
            }
            (ForgeClone { .. }, Place::Running(_)) if instance.can_reinstantiate(vm) => copied = 1,
            (BootClone { from, to, .. }, Place::Running(node)) if node == from && from != to => {
                h.seats.push(Seat { node: to, from: start, to: EVER, held });
                copied = 2;
            }
            (ShutdownOriginal { from, .. }, Place::Running(node)) if node == from => {
                h.leave(end);
                place = Place::Running(h.seats.last()?.node);
                h.places.push((end, place));
                copied = 0;
            }
            (Boot { node, .. }, Place::Ready) => {
                h.seats.push(Seat { node, from: start, to: EVER, held });
                place = Place::Running(node);
                h.places.push((start, place));
            }
            (Resume { from, to, .. }, Place::Sleeping(node)) if node == from => {
                h.images.last_mut()?.2 = end;
                h.seats.push(Seat { node: to, from: start, to: EVER, held });
                place = Place::Running(to);
                h.places.push((start, place));
            }
            (Shutdown { node, .. } | Suspend { node, .. }, Place::Running(host)) if node == host => {
                h.leave(end);
                place = Place::Ready;
                if matches!(action.kind, Suspend { .. }) {
                    h.images.push((node, end, EVER));
                    place = Place::Sleeping(node);
                }
                h.places.push((end, place));
            }
            (Kill { node, .. }, Place::Ready | Place::Running(_) | Place::Sleeping(_))
                if node == place.node() =>
            {
                h.leave(end);
                if let Some(image) = h.images.last_mut() {
                    image.2 = image.2.min(end);
                }
                place = Place::Killed;
                h.places.push((end, place));
            }
            (Forge { .. }, Place::Init)
                if instance.vms().attributes().get(vm.index(), "template").is_some() =>
            {
                place = Place::Ready;
                h.places.push((end, place));
            }
            (Allocate { node, resource, amount, .. }, Place::Running(host)) if node == host => {
                h.leave(end);
                held[resource.index()] = amount;
                h.seats.push(Seat { node, from: end, to: EVER, held });
            }
            _ => return None,
        }
    }
    (copied == 0).then_some(h)
}

/// When each node is online, and how long it takes to get there and away.
struct Window {
    boot: i64,
    from: i64,
    to: i64,
    off: i64,
}

fn window(instance: &Instance, plan: &Plan, node: NodeId) -> Option<Window> {
    let mut window = if instance.is_online(node) {
        Window { boot: BEFORE, from: BEFORE, to: EVER, off: EVER }
    } else {
        Window { boot: EVER, from: EVER, to: EVER, off: EVER }
    };
    let mut changed = false;
    for action in &plan.actions {
        let online = match action.kind {
            ActionKind::BootNode { node: other } if other == node => false,
            ActionKind::ShutdownNode { node: other } if other == node => true,
            _ => continue,
        };
        if std::mem::replace(&mut changed, true) || online != instance.is_online(node) {
            return None;
        }
        let (start, end) = (action.start as i64, action.end as i64);
        if online {
            (window.to, window.off) = (start, end);
        } else {
            (window.boot, window.from) = (start, end);
        }
    }
    Some(window)
}

type Verdict = (BTreeSet<(u8, u32)>, Vec<(u32, u64)>, u64);

fn key(source: Source) -> (u8, u32) {
    match source {
        Source::Core(rule) => (0, rule as u32),
        Source::Constraint(index) => (1, index),
    }
}

/// Who is broken, what is repaired since when, and the penalty; `None` when some
/// action cannot be done.
fn naive(instance: &Instance, plan: &Plan, strict: bool) -> Option<Verdict> {
    let histories: Vec<History> =
        instance.vm_ids().map(|vm| history(instance, plan, vm)).collect::<Option<_>>()?;
    let windows: Vec<Window> =
        instance.node_ids().map(|node| window(instance, plan, node)).collect::<Option<_>>()?;
    let mut faults = BTreeSet::new();

    for h in &histories {
        let seats = h.seats.iter().map(|seat| (seat.node, seat.from, seat.to));
        for (node, from, to) in seats.chain(h.images.iter().copied()) {
            let window = &windows[node.index()];
            if from < to && (from < window.from || to > window.to) {
                faults.insert(key(Source::Core(CoreRule::Hosting)));
            }
        }
    }

    let mut moments = BTreeSet::from([BEFORE]);
    moments.extend(plan.actions.iter().flat_map(|action| [action.start as i64, action.end as i64]));
    let moments: Vec<i64> = moments.into_iter().collect();
    let configurations: Vec<Configuration<'_>> =
        moments.iter().map(|&time| configuration(instance, &histories, &windows, time)).collect();
    let last = moments.len() - 1;

    for node in instance.node_ids() {
        for resource in instance.resource_ids() {
            let excess = |moment: usize, limit: u64| {
                let loads = histories.iter().flat_map(|h| h.seats(moments[moment]));
                let load: u64 =
                    loads.filter(|seat| seat.node == node).map(|seat| seat.held[resource.index()]).sum();
                load.saturating_sub(limit)
            };
            let limits = |continuous: bool| {
                let rules = instance.constraints().iter().enumerate().filter(|(_, c)| c.is_hard());
                rules
                    .filter(move |(_, c)| !continuous || c.restriction == Restriction::Continuous)
                    .filter_map(|(index, c)| match c.rule.limit(instance) {
                        Some((n, r, most)) if (n, r) == (node, resource) => Some((most, index as u32)),
                        _ => None,
                    })
                    .min()
            };
            let capacity = instance.capacity(node, resource);
            let source = |limit: Option<(u64, u32)>| {
                key(limit.map_or(Source::Core(CoreRule::Capacity), |limit| Source::Constraint(limit.1)))
            };
            let of_transit = match (limits(true), limits(false)) {
                (Some(limit), _) => Some((limit.0, source(Some(limit)))),
                (None, Some(_)) => None,
                (None, None) => Some((capacity, source(None))),
            };
            if let Some((limit, source)) = of_transit {
                let mut least = excess(0, limit);
                if strict && least > 0 {
                    faults.insert(source);
                }
                for moment in 1..last {
                    if excess(moment, limit) > least {
                        faults.insert(source);
                    }
                    least = least.min(excess(moment, limit));
                }
            }
            if excess(last, limits(false).map_or(capacity, |limit| limit.0)) > 0 {
                faults.insert(source(limits(false)));
            }
        }
    }

    let mut repaired = Vec::new();
    let mut penalty = 0;
    for (index, constraint) in instance.constraints().iter().enumerate() {
        let source = key(Source::Constraint(index as u32));
        let amounts: Vec<u64> = configurations
            .iter()
            .map(|at| constraint.rule.holds(at).err().map_or(0, |violation| violation.amount))
            .collect();
        if let Strength::Soft(price) = constraint.strength {
            penalty += u64::from(price) * amounts[last];
            continue;
        }
        let mut fault = amounts[last] > 0;
        if constraint.restriction == Restriction::Continuous {
            fault |= strict && amounts[0] > 0;
            fault |= (1..last).any(|moment| amounts[..moment].iter().any(|&before| before < amounts[moment]));
            if !fault && amounts[0] > 0 {
                let good = amounts.iter().rposition(|&amount| amount > 0).map_or(0, |at| at + 1);
                repaired.push((index as u32, moments[good] as u64));
            }
        }
        if fault {
            faults.insert(source);
        }
    }

    for vm in instance.vm_ids() {
        let after = histories[vm.index()].place(EVER).state();
        let wanted: BTreeSet<VmState> = instance
            .constraints()
            .iter()
            .filter_map(|constraint| constraint.rule.wants())
            .filter(|wish| wish.0 == vm)
            .map(|wish| wish.1)
            .collect();
        if wanted.len() > 1 || (wanted.is_empty() && after != instance.place(vm).state()) {
            faults.insert(key(Source::Core(CoreRule::State)));
        }
    }
    Some((faults, repaired, penalty))
}

fn configuration<'a>(
    instance: &'a Instance,
    histories: &[History],
    windows: &[Window],
    time: i64,
) -> Configuration<'a> {
    let mut at = Configuration::source(instance);
    for (vm, h) in instance.vm_ids().zip(histories) {
        let seats: Vec<&Seat> = h.seats(time).collect();
        if let Some(seat) = seats.first() {
            at.put(vm, Place::Running(seat.node));
            for (resource, &amount) in instance.resource_ids().zip(&seat.held) {
                at.allocate(vm, resource, amount);
            }
        } else {
            at.put(vm, h.place(time));
        }
        if let Some(seat) = seats.get(1) {
            at.enter(vm, seat.node, seat.held.clone().into());
        }
    }
    for (node, window) in instance.node_ids().zip(windows) {
        let phase = if time < window.boot || time >= window.off {
            NodePhase::Offline
        } else if time < window.from {
            NodePhase::Booting
        } else if time < window.to {
            NodePhase::Online
        } else {
            NodePhase::ShuttingDown
        };
        at.set_phase(node, phase);
    }
    at
}

/// Choices made from a list of numbers, so that failures shrink.
struct Dice<'a>(&'a mut dyn Iterator<Item = u32>);

impl Dice<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |number| number as usize % n.max(1))
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

struct World {
    builder: InstanceBuilder,
    nodes: Vec<NodeId>,
    vms: Vec<VmId>,
    resources: Vec<ResourceId>,
}

fn random_world(dice: &mut Dice<'_>) -> World {
    let mut b = InstanceBuilder::new();
    let resources: Vec<_> = (0..1 + dice.below(2)).map(|r| b.resource(&format!("r{r}"))).collect();
    let nodes: Vec<_> = (0..2 + dice.below(3)).map(|n| b.node(&format!("n{n}"))).collect();
    let room = dice.pick(&[3, 6, 12, 40]);
    for &node in &nodes {
        for &resource in &resources {
            b.capacity(node, resource, (room + dice.below(4)) as u64);
        }
    }
    let off = b.offline_node("off");
    for &resource in &resources {
        b.capacity(off, resource, room as u64);
    }
    let mut vms = Vec::new();
    for v in 0..1 + dice.below(5) {
        let node = dice.pick(&nodes);
        let place = match dice.below(8) {
            0..=4 => Place::Running(node),
            5 => Place::Ready,
            6 => Place::Sleeping(node),
            _ => Place::Init,
        };
        let vm = b.vm(&format!("v{v}"), place);
        for &resource in &resources {
            b.demand(vm, resource, dice.below(5) as u64);
        }
        if dice.chance(60) {
            b.vm_attribute(vm, "template", Value::Text("t".into()));
            b.vm_attribute(vm, "clone", Value::Bool(true));
        }
        for timed in [Timed::Migrate, Timed::Forge, Timed::Boot, Timed::Shutdown, Timed::Suspend] {
            b.vm_attribute(vm, timed.attribute(), Value::Int(1 + dice.below(3) as i64));
        }
        vms.push(vm);
    }
    World { builder: b, nodes: nodes.into_iter().chain([off]).collect(), vms, resources }
}

/// Actions that follow each other on each VM, each for as long as it takes.
fn random_plan(dice: &mut Dice<'_>, world: &World, instance: &Instance) -> Plan {
    use ActionKind::*;
    let mut actions = Vec::new();
    let time = |timed, vm| instance.vm_duration(timed, vm).map_or(1, u64::from);
    for &vm in &world.vms {
        let (mut now, mut changed) = (0, false);
        let mut place = instance.place(vm);
        for _ in 0..dice.pick(&[0, 0, 1, 1, 2, 3]) {
            now += dice.below(3) as u64;
            let to = dice.pick(&world.nodes);
            let share = (dice.pick(&world.resources), dice.below(6) as u64);
            let mut push = |seconds: u64, kind: ActionKind| {
                let mut action = act(now, now + seconds, kind);
                if kind.destination().is_some() && share.1 > 3 {
                    action.allocations.push(share);
                }
                actions.push(action);
                now += seconds;
            };
            match place {
                Place::Running(node) => match dice.below(if changed { 6 } else { 9 }) {
                    0..=2 if node != to => {
                        push(time(Timed::Migrate, vm), Migrate { vm, from: node, to });
                        place = Place::Running(to);
                    }
                    3 if node != to && instance.can_reinstantiate(vm) => {
                        let forge = time(Timed::Forge, vm);
                        push(forge, ForgeClone { vm });
                        push(1, BootClone { vm, from: node, to });
                        push(forge - 1, ShutdownOriginal { vm, from: node });
                        place = Place::Running(to);
                    }
                    4 | 5 => push(0, Allocate { vm, node, resource: share.0, amount: share.1 }),
                    6 => {
                        push(time(Timed::Shutdown, vm), Shutdown { vm, node });
                        (place, changed) = (Place::Ready, true);
                    }
                    7 => {
                        push(time(Timed::Suspend, vm), Suspend { vm, node });
                        (place, changed) = (Place::Sleeping(node), true);
                    }
                    8 => {
                        push(1, Kill { vm, node: Some(node) });
                        (place, changed) = (Place::Killed, true);
                    }
                    _ => {}
                },
                Place::Ready | Place::Sleeping(_) if changed => {}
                Place::Ready => {
                    push(time(Timed::Boot, vm), Boot { vm, node: to });
                    (place, changed) = (Place::Running(to), true);
                }
                Place::Sleeping(from) => {
                    push(1, Resume { vm, from, to });
                    (place, changed) = (Place::Running(to), true);
                }
                Place::Init if instance.can_reinstantiate(vm) => {
                    push(time(Timed::Forge, vm), Forge { vm });
                    (place, changed) = (Place::Ready, true);
                }
                Place::Init | Place::Killed => {}
            }
        }
    }
    for &node in &world.nodes {
        let start = dice.below(6) as u64;
        if !instance.is_online(node) && dice.chance(70) {
            actions.push(act(start / 3, start / 3 + 1, BootNode { node }));
        } else if instance.is_online(node) && dice.chance(20) {
            actions.push(act(start, start + 1, ShutdownNode { node }));
        }
    }
    plan(actions)
}

fn random_change(dice: &mut Dice<'_>, world: &World, plan: &mut Plan) {
    use ActionKind::*;
    if plan.actions.is_empty() {
        return;
    }
    let index = dice.below(plan.actions.len());
    let node = dice.pick(&world.nodes);
    let action = &mut plan.actions[index];
    match dice.below(5) {
        0 => {
            plan.actions.remove(index);
        }
        1 => {
            let late = dice.below(4) as u64;
            let (start, end) = (action.start + late, action.end + late);
            let again = Action { start, end, ..action.clone() };
            plan.actions.push(again);
        }
        2 => match &mut action.kind {
            Migrate { to, .. } | Resume { to, .. } | BootClone { to, .. } => *to = node,
            Boot { node: to, .. } => *to = node,
            _ => {}
        },
        3 => match &mut action.kind {
            Migrate { from, .. } | Resume { from, .. } | ShutdownOriginal { from, .. } => *from = node,
            Shutdown { node: from, .. } | Suspend { node: from, .. } => *from = node,
            _ => {}
        },
        _ => {
            let later = dice.below(5) as i64 - 2;
            let later = later.max(-(action.start as i64));
            action.start = action.start.saturating_add_signed(later);
            action.end = action.end.saturating_add_signed(later);
        }
    }
}

fn random_rules(dice: &mut Dice<'_>, world: &World, instance: &mut Instance, plan: &Plan) {
    // The states that the plan leads to are wanted, most of the time.
    for &vm in &world.vms {
        let Some(h) = history(instance, plan, vm) else { continue };
        let state = h.place(EVER).state();
        if state != instance.place(vm).state() && dice.chance(95) {
            instance.add_constraint(Rule::State(vm, state).discrete());
        }
    }
    for _ in 0..dice.below(4) {
        let vms: Vec<VmId> = world.vms.iter().copied().filter(|_| dice.chance(60)).collect();
        let nodes: Vec<NodeId> = world.nodes.iter().copied().filter(|_| dice.chance(70)).collect();
        let (vm, node, resource) =
            (dice.pick(&world.vms), dice.pick(&world.nodes), dice.pick(&world.resources));
        let amount = dice.below(12) as u64;
        let mut constraint = match dice.below(9) {
            0 => Constraint::new(crate::constraint::spread::Spread { vms: vms.into() }),
            1 => {
                let half = nodes.len() / 2;
                let parts = [nodes[..half].into(), nodes[half..].into()];
                Constraint::new(crate::constraint::among::Among { vms: vms.into(), parts: parts.into() })
            }
            2 => Rule::Within(vms.into(), nodes.into()).discrete(),
            3 => Rule::Alone(vms.into()).discrete(),
            4 => Rule::Powered(nodes.into(), amount / 3).discrete(),
            5 => Rule::Load(nodes.into(), resource, amount).discrete(),
            6 => Rule::Running(amount / 2).discrete(),
            7 => Rule::AtLeast(vm, resource, amount / 3).discrete(),
            _ => {
                instance.add_constraint(Rule::Limit(node, resource, amount).continuous());
                Rule::Limit(node, resource, amount / 2).discrete()
            }
        };
        constraint.restriction =
            dice.pick(&[Restriction::Discrete, Restriction::Continuous, Restriction::Continuous]);
        constraint.strength = dice.pick(&[Strength::Hard, Strength::Hard, Strength::Hard, Strength::Soft(7)]);
        instance.add_constraint(constraint);
    }
}

fn agree(numbers: Vec<u32>) -> Result<Option<bool>, TestCaseError> {
    let mut numbers = numbers.into_iter();
    let mut dice = Dice(&mut numbers);
    let mut world = random_world(&mut dice);
    let mut instance = std::mem::take(&mut world.builder).build().expect("a valid instance");
    let mut plan = random_plan(&mut dice, &world, &instance);
    random_rules(&mut dice, &world, &mut instance, &plan);
    if dice.chance(40) {
        random_change(&mut dice, &world, &mut plan);
    }
    let strict = dice.chance(20);
    let mut report = verify(&instance, &plan, &VerifyOptions { strict, horizon: None });
    report.findings.retain(|finding| finding.source != Source::Core(CoreRule::Time));
    let is_ok = report.is_ok();
    match naive(&instance, &plan, strict) {
        None => {
            prop_assert!(broken_by(&report, Source::Core(CoreRule::State)), "{plan:#?}\n{report:#?}");
            Ok(None)
        }
        Some((faults, repaired, penalty)) => {
            let mine: BTreeSet<_> =
                report.findings.iter().filter(|f| !f.soft).map(|f| key(f.source)).collect();
            let mended: Vec<_> = report.repaired.iter().map(|&(index, since, _)| (index, since)).collect();
            prop_assert_eq!(
                (mine, mended, report.penalty),
                (faults, repaired, penalty),
                "{:#?}\n{:#?}\n{:#?}",
                instance,
                plan,
                report
            );
            Ok(Some(is_ok))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_checkers_agree(numbers in prop::collection::vec(0u32..1_000_000, 150)) {
        agree(numbers)?;
    }
}

#[test]
fn random_plans_are_of_every_kind() {
    let mut counts = [0; 3];
    let mut state = 1u64;
    for _ in 0..2000 {
        let numbers = (0..150).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u32
        });
        match agree(numbers.collect()) {
            Ok(None) => counts[0] += 1,
            Ok(Some(false)) => counts[1] += 1,
            Ok(Some(true)) => counts[2] += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(counts.iter().all(|&count| count > 200), "impossible, broken, right: {counts:?}");
}

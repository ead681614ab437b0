//! A second checker, slow and simple, must agree with the first on random plans.
//!
//! It replays nothing: it works out where every VM sits during which interval, and
//! builds the configuration of every moment anew from these.

use super::random::Dice;
use super::random::random_change;
use super::random::random_plan;
use super::random::random_rules;
use super::random::random_world;
use super::*;
use crate::constraint::Restriction;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::model::Place;
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

/// The state in which a VM ends, if its actions can be done.
pub(super) fn final_state(instance: &Instance, plan: &Plan, vm: VmId) -> Option<VmState> {
    history(instance, plan, vm).map(|history| history.place(EVER).state())
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
                "{:?}\n{:#?}\n{:?}\n{:#?}",
                instance.constraints(),
                plan.actions.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>(),
                instance.places,
                texts(&report)
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

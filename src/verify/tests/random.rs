//! Small instances, plans and rules by chance: mostly right, sometimes just not.

use super::naive::final_state;
use super::rules::Rule;
use super::*;
use crate::constraint::Restriction;
use crate::constraint::among::Among;
use crate::constraint::spread::Spread;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::ResourceId;
use crate::model::Timed;
use crate::model::Value;

/// Choices made from a list of numbers, so that failures shrink.
pub(super) struct Dice<'a>(pub(super) &'a mut dyn Iterator<Item = u32>);

impl Dice<'_> {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |number| number as usize % n.max(1))
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

pub(super) struct World {
    pub(super) builder: InstanceBuilder,
    nodes: Vec<NodeId>,
    vms: Vec<VmId>,
    resources: Vec<ResourceId>,
}

pub(super) fn random_world(dice: &mut Dice<'_>) -> World {
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
pub(super) fn random_plan(dice: &mut Dice<'_>, world: &World, instance: &Instance) -> Plan {
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

pub(super) fn random_change(dice: &mut Dice<'_>, world: &World, plan: &mut Plan) {
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

pub(super) fn random_rules(dice: &mut Dice<'_>, world: &World, instance: &mut Instance, plan: &Plan) {
    // The states that the plan leads to are wanted, most of the time.
    for &vm in &world.vms {
        let Some(state) = final_state(instance, plan, vm) else { continue };
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
            0 => Constraint::new(Spread { vms: vms.into() }),
            1 => {
                let half = nodes.len() / 2;
                let parts = [nodes[..half].into(), nodes[half..].into()];
                Constraint::new(Among { vms: vms.into(), parts: parts.into() })
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

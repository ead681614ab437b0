//! Random small clusters and random valid schedules on them.

use super::world::World;
use crate::compile::Cause;
use crate::compile::FtMode;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmSet;
use crate::model::VmState;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Numbers that are the same everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF0);
        for _ in 0..4 {
            dice.below(2);
        }
        dice
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

pub(super) struct Case {
    pub(super) instance: Instance,
    pub(super) posted: Posted,
    pub(super) plan: Plan,
}

pub(super) fn case(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let instance = cluster(&mut dice);
    let posted = relations(&mut dice, &instance);
    let plan = schedule(&mut dice, &instance, &posted);
    Case { instance, posted, plan }
}

fn cluster(dice: &mut Dice) -> Instance {
    let mut b = InstanceBuilder::new();
    let resources: Vec<ResourceId> = ["cpu", "mem"].iter().map(|name| b.resource(name)).collect();
    let mut online = Vec::new();
    for at in 0..3 + dice.below(3) {
        let name = format!("n{at}");
        let node = if at > 1 && dice.one_in(4) {
            b.offline_node(&name)
        } else {
            let node = b.node(&name);
            online.push(node);
            node
        };
        for &resource in &resources {
            b.capacity(node, resource, 3 + dice.below(7));
        }
    }
    for at in 0..4 + dice.below(7) {
        let place = match dice.below(8) {
            0 => Place::Ready,
            1 => Place::Sleeping(dice.pick(&online)),
            _ => Place::Running(dice.pick(&online)),
        };
        let vm = b.vm(&format!("vm{at}"), place);
        b.vm_attribute(vm, "clone", Value::Bool(true)).vm_attribute(vm, "template", Value::Text("t".into()));
        for &resource in &resources {
            b.demand(vm, resource, dice.below(5));
        }
    }
    b.build().expect("a cluster")
}

fn relations(dice: &mut Dice, instance: &Instance) -> Posted {
    let mut posted = Posted::default();
    let vms: Vec<VmId> = instance.vm_ids().collect();
    let nodes: Vec<NodeId> = instance.node_ids().collect();
    let some_vms = |dice: &mut Dice| -> VmSet { vms.iter().copied().filter(|_| dice.one_in(2)).collect() };
    let some_nodes =
        |dice: &mut Dice| -> NodeSet { nodes.iter().copied().filter(|_| dice.one_in(2)).collect() };
    for constraint in 0..dice.below(4) as u32 {
        let groups = |dice: &mut Dice| -> Arc<[NodeSet]> {
            let cut = 1 + dice.below(nodes.len() as u64 - 1) as usize;
            [nodes[..cut].into(), nodes[cut..].into()].into()
        };
        let parts = |dice: &mut Dice| -> Arc<[VmSet]> {
            let mut parts = vec![Vec::new(); 3];
            for &vm in &vms {
                parts[dice.below(3) as usize].push(vm);
            }
            parts.truncate(2 + dice.below(2) as usize);
            parts.into_iter().map(VmSet::from).collect()
        };
        let kinds = if dice.one_in(8) { 11 } else { 10 };
        let relationship = match dice.below(kinds) {
            0 => Relationship::AtMostPerNode(some_vms(dice), 1 + dice.below(3) as u32),
            1 => Relationship::SameNode([dice.pick(&vms), dice.pick(&vms)].into()),
            2 => Relationship::SameGroup(some_vms(dice), groups(dice)),
            3 => Relationship::Apart(parts(dice)),
            4 => Relationship::Exclusive(some_vms(dice)),
            5 => Relationship::GroupsApart(parts(dice), groups(dice)),
            6 => Relationship::LoadAtMost(some_nodes(dice), ResourceId(0), 4 + dice.below(16)),
            7 => Relationship::CountAtMost(some_nodes(dice), 2 + dice.below(8)),
            8 => Relationship::PoweredAtMost(some_nodes(dice), 1 + dice.below(3)),
            9 => Relationship::AtMostPerGroup(some_vms(dice), groups(dice), 1 + dice.below(3) as u32),
            // Nothing checks it here; but the other rules must hold as they do without.
            _ => Relationship::Survive { nodes: some_nodes(dice), failures: 1, mode: FtMode::Restart },
        };
        // What is counted may be broken at the start; what is kept apart may not.
        let counted = matches!(
            relationship,
            Relationship::AtMostPerNode(..)
                | Relationship::AtMostPerGroup(..)
                | Relationship::LoadAtMost(..)
                | Relationship::CountAtMost(..)
        );
        if counted || World::new(instance, &posted).broken(&relationship) == 0 {
            posted
                .relations
                .push((relationship, Cause { constraint, continuous: !dice.one_in(8), penalty: None }));
        }
    }
    posted
}

/// Actions that are possible one after the other or at the same time, started at random.
fn schedule(dice: &mut Dice, instance: &Instance, posted: &Posted) -> Plan {
    let mut world = World::new(instance, posted);
    let mut actions: Vec<Action> = Vec::new();
    let mut under_way: Vec<Action> = Vec::new();
    // A clone that was booted still has its original to stop.
    let mut next_steps: Vec<Action> = Vec::new();
    let mut changed: BTreeSet<VmId> = BTreeSet::new();
    let mut switched: BTreeSet<NodeId> = BTreeSet::new();
    let mut now = 0;
    for _ in 0..60 {
        if actions.len() >= 12 && next_steps.is_empty() {
            break;
        }
        if dice.one_in(4) && !under_way.is_empty() {
            now = under_way.iter().map(|action| action.end).min().unwrap_or(now);
            let (over, still): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|action| action.end == now);
            under_way = still;
            for action in over {
                world.end(&action).expect("an action that started can end");
                let next = match action.kind {
                    ActionKind::ForgeClone { vm } => {
                        let from = world.at.host(vm).expect("a running VM");
                        let to = dice.pick(&instance.node_ids().collect::<Vec<_>>());
                        ActionKind::BootClone { vm, from, to }
                    }
                    ActionKind::BootClone { vm, from, .. } => ActionKind::ShutdownOriginal { vm, from },
                    _ => continue,
                };
                let length =
                    if matches!(next, ActionKind::ShutdownOriginal { .. }) { dice.below(3) } else { 2 };
                next_steps.push(action_of(next, now, length));
            }
            // Steps of a re-instantiation come at once, or the copy is thrown away.
            for step in std::mem::take(&mut next_steps) {
                let mut trial = world.clone();
                let possible = !matches!(step.kind, ActionKind::BootClone { from, to, .. } if from == to);
                if possible && trial.start(&step).is_ok() {
                    world = trial;
                    actions.push(step.clone());
                    if step.end > now {
                        under_way.push(step);
                    } else {
                        world.end(&step).expect("an action that started can end");
                    }
                } else {
                    assert!(!matches!(step.kind, ActionKind::ShutdownOriginal { .. }));
                }
            }
            continue;
        }
        let Some(action) = proposal(dice, &world, now, &mut changed, &mut switched) else { continue };
        if action.kind.vm().is_some_and(|vm| world.busy.contains(&vm)) {
            continue;
        }
        // A plan gives a VM one new share of a resource; two at one instant had no order.
        let share = |other: &Action| match other.kind {
            ActionKind::Allocate { vm, resource, .. } => Some((vm, resource)),
            _ => None,
        };
        if share(&action).is_some() && actions.iter().any(|other| share(other) == share(&action)) {
            continue;
        }
        let mut trial = world.clone();
        if trial.start(&action).is_err() {
            continue;
        }
        if action.end == action.start {
            if trial.end(&action).is_err() {
                continue;
            }
        } else {
            under_way.push(action.clone());
        }
        match action.kind {
            ActionKind::BootNode { node } | ActionKind::ShutdownNode { node } => drop(switched.insert(node)),
            kind if kind.is_transition() => changed.extend(kind.vm()),
            _ => {}
        }
        world = trial;
        actions.push(action);
    }
    // Re-instantiations under way are led to their end.
    while !under_way.is_empty() {
        now = under_way.iter().map(|action| action.end).min().unwrap_or(now);
        let (over, still): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|action| action.end == now);
        under_way = still;
        for action in over {
            world.end(&action).expect("an action that started can end");
            if let ActionKind::BootClone { vm, from, .. } = action.kind {
                let stop = action_of(ActionKind::ShutdownOriginal { vm, from }, now, 1);
                world.start(&stop).expect("the original can stop");
                under_way.push(stop.clone());
                actions.push(stop);
            }
        }
    }
    Plan { actions, happens_before: Vec::new() }
}

fn action_of(kind: ActionKind, start: u64, length: u64) -> Action {
    Action {
        kind,
        start,
        end: start + length,
        allocations: Vec::new(),
        bandwidth: 0,
        reason: Reason::Unknown,
    }
}

fn proposal(
    dice: &mut Dice,
    world: &World<'_>,
    now: u64,
    changed: &mut BTreeSet<VmId>,
    switched: &mut BTreeSet<NodeId>,
) -> Option<Action> {
    let instance = world.at.instance();
    let vm = dice.pick(&instance.vm_ids().collect::<Vec<_>>());
    let node = dice.pick(&instance.node_ids().collect::<Vec<_>>());
    if dice.one_in(5) {
        if switched.contains(&node) {
            return None;
        }
        let kind = if world.at.is_online(node) {
            ActionKind::ShutdownNode { node }
        } else {
            ActionKind::BootNode { node }
        };
        return Some(action_of(kind, now, 1 + dice.below(5)));
    }
    let may_change = !changed.contains(&vm);
    let kind = match world.at.place(vm) {
        Place::Running(from) => match dice.below(8) {
            0 if may_change => ActionKind::Shutdown { vm, node: from },
            1 if may_change => ActionKind::Suspend { vm, node: from },
            2 if may_change => ActionKind::Kill { vm, node: Some(from) },
            3 => {
                let resource = ResourceId(dice.below(2) as u32);
                ActionKind::Allocate { vm, node: from, resource, amount: dice.below(6) }
            }
            4 => ActionKind::ForgeClone { vm },
            _ if from != node => ActionKind::Migrate { vm, from, to: node },
            _ => return None,
        },
        Place::Ready if may_change => ActionKind::Boot { vm, node },
        Place::Sleeping(from) if may_change => ActionKind::Resume { vm, from, to: node },
        _ => return None,
    };
    debug_assert!(world.at.state(vm) != VmState::Killed);
    let length = if matches!(kind, ActionKind::Allocate { .. }) { 0 } else { 1 + dice.below(6) };
    let mut action = action_of(kind, now, length);
    if kind.destination().is_some() && dice.one_in(3) {
        action.allocations.push((ResourceId(0), dice.below(6)));
    }
    Some(action)
}

//! From steps back to actions on VMs and nodes.

use super::Compiled;
use super::ExtraAction;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmState;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::lead_of;
use crate::problem::passage_of_step;

/// The actions of some steps, with their times; edges are still to be found.
pub fn raise(instance: &Instance, compiled: &Compiled, steps: &[Step]) -> Plan {
    let problem = &compiled.problem;
    let packing = &problem.packing;
    let mut actions = Vec::with_capacity(steps.len());
    let mut send =
        |kind: ActionKind, start: u64, end: u64, allocations: Vec<(ResourceId, u64)>, bandwidth: u64| {
            actions.push(Action { kind, start, end, allocations, bandwidth, reason: Reason::Unknown });
        };
    let changes = |item: u32| -> Vec<(ResourceId, u64)> {
        let sizes = packing.now(item).iter().zip(packing.then(item)).enumerate();
        sizes
            .filter(|(_, (now, then))| now != then)
            .map(|(at, (_, then))| (ResourceId::from_index(at), *then))
            .collect()
    };
    for step in steps {
        let mut push = |kind, start, end, allocations| send(kind, start, end, allocations, 0);
        let (start, end) = (step.start, step.end);
        match step.kind {
            StepKind::Open(bin) => push(ActionKind::BootNode { node: NodeId(bin) }, start, end, Vec::new()),
            StepKind::Close(bin) => {
                push(ActionKind::ShutdownNode { node: NodeId(bin) }, start, end, Vec::new())
            }
            StepKind::Move { item, from, to, resized, was_resized, .. } => {
                let vm = compiled.vm_of[item as usize];
                let (from, to) = (NodeId(from), NodeId(to));
                let allocations = if resized && !was_resized { changes(item) } else { Vec::new() };
                let lead = u64::from(lead_of(problem, &step.kind));
                if lead > 0 {
                    let boot = u64::from(instance.clone_boot_duration(vm).unwrap_or(1));
                    push(ActionKind::ForgeClone { vm }, start - lead, start, Vec::new());
                    push(ActionKind::BootClone { vm, from, to }, start, start + boot, allocations);
                    push(ActionKind::ShutdownOriginal { vm, from }, start + boot, end, Vec::new());
                } else {
                    let passage = passage_of_step(problem, step).flatten();
                    let bandwidth = passage.map_or(0, |passage| passage.bandwidth);
                    send(ActionKind::Migrate { vm, from, to }, start, end, allocations, bandwidth);
                }
            }
            StepKind::Arrive { item, to, resized } => {
                let vm = compiled.vm_of[item as usize];
                let allocations = if resized { changes(item) } else { Vec::new() };
                let kind = match instance.place(vm) {
                    Place::Sleeping(from) => ActionKind::Resume { vm, from, to: NodeId(to) },
                    _ => ActionKind::Boot { vm, node: NodeId(to) },
                };
                push(kind, start, end, allocations);
            }
            StepKind::Depart { item, from } => {
                let vm = compiled.vm_of[item as usize];
                let node = NodeId(from);
                let kind = match compiled.wanted[vm.index()] {
                    VmState::Sleeping => ActionKind::Suspend { vm, node },
                    VmState::Killed => ActionKind::Kill { vm, node: Some(node) },
                    _ => ActionKind::Shutdown { vm, node },
                };
                push(kind, start, end, Vec::new());
            }
            StepKind::Resize { item, at } => {
                let vm = compiled.vm_of[item as usize];
                for (resource, amount) in changes(item) {
                    let kind = ActionKind::Allocate { vm, node: NodeId(at), resource, amount };
                    push(kind, start, end, Vec::new());
                }
            }
            StepKind::Extra(extra) => match compiled.extras[extra as usize] {
                ExtraAction::Forge(vm) => push(ActionKind::Forge { vm }, start, end, Vec::new()),
                ExtraAction::Kill(vm) => {
                    push(ActionKind::Kill { vm, node: instance.place(vm).node() }, start, end, Vec::new());
                }
            },
        }
    }
    Plan { actions, happens_before: Vec::new() }
}

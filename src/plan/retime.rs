//! The earliest times that the edges allow.

use super::walk::Walk;
use super::walk::sorted;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use crate::model::VmId;
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;

/// How often the actions are gone through at most. Once is enough where no block of
/// actions has others between its own.
const SWEEPS: usize = 1_000;

/// Moves every action of an ordered plan to the earliest moment that its edges allow,
/// with the durations that it has. No action gets later.
///
/// The three steps of a re-instantiation keep their distances, and so do the relocations
/// of a `Sync` relation: they move together. Near-linear; the actions are sorted again.
pub fn retime(instance: &Instance, posted: &Posted, plan: &mut Plan) {
    let count = plan.actions.len();
    let mut blocks = UnionFind::<u32>::new(count);
    let mut relocations: FxHashMap<VmId, Vec<u32>> = FxHashMap::default();
    // The forging, or the boot, that the next step of a re-instantiation belongs to.
    let mut open: FxHashMap<VmId, u32> = FxHashMap::default();
    for (at, action) in plan.actions.iter().enumerate() {
        let at = at as u32;
        let Some(vm) = action.kind.vm().filter(|vm| vm.index() < instance.vm_count()) else { continue };
        if action.kind.is_relocation() {
            relocations.entry(vm).or_default().push(at);
        }
        match action.kind {
            ActionKind::ForgeClone { .. } => drop(open.insert(vm, at)),
            ActionKind::BootClone { .. } | ActionKind::ShutdownOriginal { .. } => {
                if let Some(&first) = open.get(&vm) {
                    blocks.union(first, at);
                }
            }
            _ => {}
        }
    }
    for (relationship, cause) in &posted.relations {
        if let (Relationship::Sync(vms), None) = (relationship, cause.penalty) {
            let mut members = vms.iter().filter_map(|vm| relocations.get(vm)).flatten();
            if let Some(&first) = members.next() {
                for &at in members {
                    blocks.union(first, at);
                }
            }
        }
    }
    let blocks = blocks.into_labeling();
    let walk = Walk::of(plan);
    let Some(shift) = earliest(plan, &walk, &blocks) else { return };
    for (action, &block) in plan.actions.iter_mut().zip(&blocks) {
        let shift = shift[block as usize];
        action.start = moved(action.start, shift);
        action.end = moved(action.end, shift);
    }
    *plan = sorted(plan, |_| true);
}

fn moved(time: u64, shift: i128) -> u64 {
    u64::try_from(i128::from(time) + shift).unwrap_or(time)
}

/// How far each block moves, by its label: the least solution of the edges, 0 or less.
/// The times that the plan has are a solution, so every block stays or gets earlier.
fn earliest(plan: &Plan, walk: &Walk, blocks: &[u32]) -> Option<Vec<i128>> {
    // As far to the left as the start of the plan allows, to begin with.
    let mut shift: Vec<i128> = vec![i128::MIN; plan.actions.len()];
    for (action, &block) in plan.actions.iter().zip(blocks) {
        let slot = &mut shift[block as usize];
        *slot = (*slot).max(-i128::from(action.start));
    }
    for _ in 0..SWEEPS {
        let mut changed = false;
        for &at in &walk.order {
            let end = i128::from(plan.actions[at as usize].end) + shift[blocks[at as usize] as usize];
            for &then in walk.successors(at) {
                let block = blocks[then as usize] as usize;
                let least = end - i128::from(plan.actions[then as usize].start);
                if shift[block] < least {
                    if least > 0 {
                        // The edges contradict the times: not a plan that `order` made.
                        return None;
                    }
                    shift[block] = least;
                    changed = true;
                }
            }
        }
        if !changed {
            return Some(shift);
        }
    }
    None
}

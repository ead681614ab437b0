//! There are places for all, and no order of moves that leads there: who waits for whom.

use crate::compile::Compiled;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::outcome::Lack;
use crate::outcome::Wait;
use crate::problem::NONE;
use crate::problem::Role;
use crate::propagator::Block;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::search::Limits;
use crate::search::possible;
use crate::search::possible::Possible;

/// Bins that are tried to find places.
const BUDGET: u64 = 200_000;

/// The moves that wait on each other, on the way to places that keep every rule: a circle
/// where there is one, in its order; else all that never start. Empty where there are no
/// such places, or none were found, or it is not room or rules about places that the moves
/// lack.
pub(super) fn waits(compiled: &Compiled, limits: &Limits) -> Vec<Wait> {
    let packing = &compiled.problem.packing;
    let Possible::Yes(to) = possible::possible(&compiled.problem, &mut BUDGET.clone(), limits) else {
        return Vec::new();
    };
    let mut now = Ledger::new(packing, Moment::Now);
    for (item, row) in (0u32..).zip(&packing.items) {
        if row.source != NONE && row.role != Role::Depart {
            now.add(item, row.source, packing.now(item));
        }
    }
    // Whoever can move does, until only those are left who wait.
    let mut left: Vec<u32> = (0..packing.items.len() as u32)
        .filter(|&item| {
            let row = &packing.items[item as usize];
            row.role != Role::Depart && to[item as usize] != NONE && to[item as usize] != row.source
        })
        .collect();
    loop {
        let next =
            left.iter().position(|&item| now.may_enter(item, to[item as usize], packing.then(item)).is_ok());
        let Some(at) = next else { break };
        let item = left.swap_remove(at);
        let source = packing.items[item as usize].source;
        if source != NONE {
            now.remove(item, source, packing.now(item));
        }
        now.add(item, to[item as usize], packing.then(item));
    }
    left.sort_unstable();
    let waits: Vec<Wait> = left
        .iter()
        .map(|&item| {
            let bin = to[item as usize];
            let (lack, others) = match now.may_enter(item, bin, packing.then(item)) {
                Err(Block::Dim(dim)) => {
                    let at = dim as usize;
                    let free = now.capacity(bin)[at].saturating_sub(now.load(bin)[at]);
                    let lack = Lack::Room(ResourceId(dim), packing.then(item)[at], free);
                    let leave = |&&other: &&u32| {
                        packing.items[other as usize].source == bin && packing.now(other)[at] > 0
                    };
                    (lack, left.iter().filter(leave).copied().collect::<Vec<u32>>())
                }
                Err(Block::Relation(at)) => {
                    let lack = Lack::Rule(packing.relations[at as usize].cause);
                    let tied = |&&other: &&u32| {
                        other != item
                            && (packing.items[other as usize].source == bin
                                || packing.relations_of(other).iter().any(|&(relation, _)| relation == at))
                    };
                    (lack, left.iter().filter(tied).copied().collect())
                }
                Ok(()) => (Lack::Room(ResourceId(0), 0, 0), Vec::new()),
            };
            let source = packing.items[item as usize].source;
            Wait {
                vm: compiled.vm_of[item as usize],
                from: (source != NONE).then_some(NodeId(source)),
                to: NodeId(bin),
                lack,
                others: others.into_iter().map(|other| compiled.vm_of[other as usize]).collect(),
            }
        })
        .collect();
    circle(&waits).unwrap_or(waits)
}

/// A circle among waits, each for the next and the last for the first: a shortest one.
fn circle(waits: &[Wait]) -> Option<Vec<Wait>> {
    let at = |vm: &VmId| waits.iter().position(|wait| wait.vm == *vm);
    let mut best: Option<Vec<usize>> = None;
    for start in 0..waits.len() {
        // Breadth first, back to the start.
        let mut from = vec![usize::MAX; waits.len()];
        let mut queue = vec![start];
        let mut head = 0;
        'search: while head < queue.len() {
            let here = queue[head];
            head += 1;
            for next in waits[here].others.iter().filter_map(at) {
                if next == start {
                    let mut path = vec![here];
                    while path.last() != Some(&start) {
                        let Some(&last) = path.last() else { break };
                        path.push(from[last]);
                    }
                    path.reverse();
                    if best.as_ref().is_none_or(|best| path.len() < best.len()) {
                        best = Some(path);
                    }
                    break 'search;
                }
                if from[next] == usize::MAX {
                    from[next] = here;
                    queue.push(next);
                }
            }
        }
    }
    let best = best?;
    let count = best.len();
    Some(
        (0..count)
            .map(|nth| {
                let mut wait = waits[best[nth]].clone();
                wait.others = vec![waits[best[(nth + 1) % count]].vm];
                wait
            })
            .collect(),
    )
}

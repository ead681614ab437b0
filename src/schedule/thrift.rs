//! The same steps for fewer joules.
//!
//! Bins of free fate in which nothing is at the end close as soon as they are empty, where they
//! have closed before the last end; else they stay open, since closing them would make the plan
//! longer or save nothing. Bins open as late as those let them who come there, at the latest so
//! that they are open when everything else is done.

use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;

/// Times, and closings, with which the steps take fewer joules: what may be tried, the best
/// first. Rules are not looked at. O(steps + items + bins).
pub fn thrifty(problem: &Problem, steps: &[Step]) -> [Vec<Step>; 2] {
    let packing = &problem.packing;
    let is_free = |step: &&Step| match step.kind {
        StepKind::Close(bin) => packing.bins[bin as usize].later == Later::Free,
        _ => false,
    };
    let mut closed: Vec<Step> = steps.iter().filter(|step| !is_free(step)).copied().collect();
    let last = last_end(&closed);
    let since = empty_since(problem, &closed);
    let drawn = |bin: usize| problem.project.power.bins.get(bin).copied().unwrap_or(0);
    for (bin, since) in since.into_iter().enumerate() {
        let row = &packing.bins[bin];
        let free = row.open && row.later == Later::Free && !packing.anchored[bin] && drawn(bin) > 0;
        if let Some(start) = since.filter(|_| free) {
            let end = start + u64::from(row.closing);
            if end < last {
                closed.push(Step { kind: StepKind::Close(bin as u32), start, end });
            }
        }
    }
    [closed, steps.to_vec()].map(|mut steps| {
        open_late(problem, &mut steps);
        steps.sort_by_key(|step| (step.start, step.end, step.kind));
        steps
    })
}

fn last_end(steps: &[Step]) -> u64 {
    steps.iter().map(|step| step.end).max().unwrap_or(0)
}

/// By bin: from when on nothing is in it, if that is so at the end.
fn empty_since(problem: &Problem, steps: &[Step]) -> Vec<Option<u64>> {
    let packing = &problem.packing;
    let mut guests = vec![0i64; packing.bins.len()];
    let mut since = vec![0u64; packing.bins.len()];
    for row in packing.items.iter().filter(|row| row.source != NONE) {
        guests[row.source as usize] += 1;
    }
    for step in steps {
        let mut left = |bin: u32| since[bin as usize] = since[bin as usize].max(step.end);
        match step.kind {
            StepKind::Move { from, to, .. } => {
                left(from);
                guests[from as usize] -= 1;
                guests[to as usize] += 1;
            }
            StepKind::Depart { item, from } => {
                left(from);
                // What stays behind keeps the bin open.
                guests[from as usize] -= i64::from(!packing.items[item as usize].image);
            }
            StepKind::Arrive { item, to, .. } => {
                let anchor = packing.items[item as usize].anchor;
                if anchor != NONE {
                    left(anchor);
                }
                guests[to as usize] += 1;
            }
            StepKind::Extra(extra) => {
                let anchor = problem.project.extras[extra as usize].anchor;
                if anchor != NONE {
                    left(anchor);
                }
            }
            StepKind::Open(_) | StepKind::Close(_) | StepKind::Resize { .. } => {}
        }
    }
    guests.into_iter().zip(since).map(|(guests, since)| (guests == 0).then_some(since)).collect()
}

/// Moves the openings of bins as far back as may be.
fn open_late(problem: &Problem, steps: &mut [Step]) {
    let last = last_end(steps);
    let mut wanted = vec![last; problem.packing.bins.len()];
    for step in steps.iter() {
        if let StepKind::Move { to, .. } | StepKind::Arrive { to, .. } = step.kind {
            wanted[to as usize] = wanted[to as usize].min(step.start);
        }
    }
    for step in steps.iter_mut() {
        if let StepKind::Open(bin) = step.kind {
            let takes = step.end - step.start;
            step.end = wanted[bin as usize].max(step.end);
            step.start = step.end - takes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Bin;
    use crate::problem::BitSet;
    use crate::problem::Packing;
    use crate::problem::Power;
    use crate::problem::Role;
    use crate::schedule::testing::item;

    #[test]
    fn bins_close_early_and_open_late() {
        let bin = |open, later, closing| Bin { open, later, opening: 3, closing };
        let packing = Packing {
            bins: vec![
                bin(true, Later::Free, 2),
                bin(false, Later::Free, 1),
                bin(true, Later::Free, 9),
                bin(true, Later::Open, 1),
                bin(false, Later::Open, 1),
            ],
            items: vec![item(0, Role::Stay, 4), item(NONE, Role::Arrive, 6)],
            domains: vec![BitSet::full(5)],
            anchored: vec![false; 5],
            ..Packing::default()
        };
        let mut problem = Problem { packing, ..Problem::default() };
        problem.project.power = Power { bins: vec![10; 5], moves: Vec::new() };
        let step = |kind, start, end| Step { kind, start, end };
        let leave =
            StepKind::Move { item: 0, from: 0, to: 3, resized: true, was_resized: true, parking: false };
        let come = StepKind::Arrive { item: 1, to: 1, resized: true };
        let steps = [
            step(StepKind::Open(1), 0, 3),
            step(StepKind::Open(4), 0, 3),
            step(leave, 0, 4),
            step(StepKind::Close(2), 0, 9),
            step(come, 5, 11),
        ];
        let [closed, same] = thrifty(&problem, &steps);
        // Bin 2 would have closed in time, bin 0 does after its guest; of bins that open, one waits
        // for its guest, the other for the end.
        assert_eq!(
            closed,
            [
                step(leave, 0, 4),
                step(StepKind::Close(2), 0, 9),
                step(StepKind::Open(1), 2, 5),
                step(StepKind::Close(0), 4, 6),
                step(come, 5, 11),
                step(StepKind::Open(4), 8, 11),
            ]
        );
        assert!(same.contains(&step(StepKind::Open(4), 8, 11)) && same.len() == steps.len());
        // What takes as long as the plan does not close.
        let [closed, _] = thrifty(&problem, &steps[..4]);
        assert_eq!(closed.last(), Some(&step(StepKind::Open(4), 1, 4)));
        assert_eq!(closed.len(), 3);
    }
}

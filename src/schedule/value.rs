//! The figures of a list of steps.

use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Power;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;
use rustc_hash::FxHashMap;

/// One figure of a list of steps; see [`Metric`].
pub fn metric(problem: &Problem, steps: &[Step], metric: Metric) -> u64 {
    let moves = || steps.iter().filter(|step| matches!(step.kind, StepKind::Move { .. }));
    let lead = |step: &Step| u64::from(crate::problem::lead_of(problem, &step.kind));
    match metric {
        Metric::Relocations => moves().count() as u64,
        Metric::RelocationTime => moves().map(|step| step.end - step.start + lead(step)).sum(),
        Metric::NodesOn => {
            let count =
                |switch: fn(&StepKind) -> bool| steps.iter().filter(|step| switch(&step.kind)).count();
            let start = problem.packing.bins.iter().filter(|bin| bin.open).count();
            let opened = count(|kind| matches!(kind, StepKind::Open(_)));
            let closed = count(|kind| matches!(kind, StepKind::Close(_)));
            (start + opened - closed) as u64
        }
        Metric::Makespan => steps.iter().map(|step| step.end).max().unwrap_or(0),
        Metric::Mttr => {
            let mut last: FxHashMap<u32, u64> = FxHashMap::default();
            let mut sum = 0;
            for step in steps {
                match step.kind {
                    StepKind::Move { item, .. }
                    | StepKind::Arrive { item, .. }
                    | StepKind::Depart { item, .. }
                    | StepKind::Resize { item, .. } => {
                        let end = last.entry(item).or_default();
                        *end = (*end).max(step.end);
                    }
                    StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => sum += step.end,
                }
            }
            sum + last.values().sum::<u64>()
        }
        Metric::Energy => energy(problem, steps),
        Metric::SumOfEnds => steps
            .iter()
            .map(|step| match step.kind {
                StepKind::Move { .. } if lead(step) > 0 => {
                    // Forging ends at the start, the copy's boot before the end.
                    step.start + step.end + step.end
                }
                StepKind::Resize { item, .. } => {
                    let packing = &problem.packing;
                    let changes = packing
                        .now(item)
                        .iter()
                        .zip(packing.then(item))
                        .filter(|(now, then)| now != then)
                        .count();
                    changes as u64 * step.end
                }
                _ => step.end,
            })
            .sum(),
    }
}

/// Joules: open bins, from the start of their opening to the end of their closing or of the
/// schedule, and moves.
fn energy(problem: &Problem, steps: &[Step]) -> u64 {
    let Power { bins, moves } = &problem.project.power;
    let end = steps.iter().map(|step| step.end).max().unwrap_or(0);
    let drawn = |bin: u32| bins.get(bin as usize).copied().unwrap_or(0);
    let open = problem.packing.bins.iter().zip(bins).filter(|(row, _)| row.open).map(|(_, drawn)| *drawn);
    let whole = open.fold(0, u64::saturating_add).saturating_mul(end);
    steps.iter().fold(whole, |sum, step| match step.kind {
        StepKind::Open(bin) => sum.saturating_add(drawn(bin).saturating_mul(end - step.start)),
        StepKind::Close(bin) => sum.saturating_sub(drawn(bin).saturating_mul(end - step.end)),
        StepKind::Move { item, .. } if crate::problem::lead_of(problem, &step.kind) == 0 => {
            sum.saturating_add(moves.get(item as usize).copied().unwrap_or(0))
        }
        _ => sum,
    })
}

/// The levels of an objective, penalties added to the first.
pub fn levels(problem: &Problem, steps: &[Step], objective: &Objective, penalty: u64) -> Vec<u64> {
    let mut values = objective.values(|which| metric(problem, steps, which));
    if let Some(first) = values.first_mut() {
        *first = first.saturating_add(penalty);
    }
    values
}

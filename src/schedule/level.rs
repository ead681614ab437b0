//! Levels of an objective as functions of the ends of tasks.

use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::lead_of;
use rustc_hash::FxHashMap;

/// A level of the objective as a function of ends: `last` times the last end, and the ends
/// weighted by task, and what no times change.
#[derive(Clone, Debug)]
pub struct Level {
    /// What the last end counts.
    pub last: u64,
    /// By task: what its end counts; none where no end of a task alone does.
    pub weights: Option<Vec<u32>>,
    /// What no times change.
    pub constant: i128,
}

impl Level {
    /// Its value.
    pub fn of(&self, ends: &[u64]) -> u64 {
        let last = u128::from(self.last) * u128::from(ends.iter().copied().max().unwrap_or(0));
        let weighted = self.weights.as_ref().map_or(0, |weights| {
            weights.iter().zip(ends).map(|(&weight, &end)| u128::from(weight) * u128::from(end)).sum()
        });
        u64::try_from((last + weighted) as i128 + self.constant).unwrap_or(u64::MAX)
    }

    /// Do times matter to it?
    pub fn is_timed(&self) -> bool {
        self.last > 0 || self.weights.is_some()
    }
}

/// By task: how often its end counts in the metrics of a level.
fn weights(problem: &Problem, steps: &[Step], metric: Metric) -> Vec<u64> {
    let mut last: FxHashMap<u32, (u64, u64, usize)> = FxHashMap::default();
    let mut weights = vec![0u64; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        weights[at] = match step.kind {
            StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => 1,
            StepKind::Move { .. } if metric == Metric::SumOfEnds && lead_of(problem, &step.kind) > 0 => 3,
            StepKind::Resize { item, .. } if metric == Metric::SumOfEnds => {
                let pairs = problem.packing.now(item).iter().zip(problem.packing.then(item));
                pairs.filter(|(now, then)| now != then).count() as u64
            }
            StepKind::Move { .. }
            | StepKind::Arrive { .. }
            | StepKind::Depart { .. }
            | StepKind::Resize { .. }
                if metric == Metric::SumOfEnds =>
            {
                1
            }
            StepKind::Move { item, .. }
            | StepKind::Arrive { item, .. }
            | StepKind::Depart { item, .. }
            | StepKind::Resize { item, .. } => {
                // Only the last of an item counts.
                let this = (step.end, step.start, at);
                let known = last.entry(item).or_insert(this);
                *known = this.max(*known);
                0
            }
        };
    }
    last.values().for_each(|&(_, _, at)| weights[at] = 1);
    weights
}

/// The levels of an objective for the steps of a plan that has these values.
pub fn levels(problem: &Problem, objective: &Objective, steps: &[Step], values: &[u64]) -> Vec<Level> {
    let ends: Vec<u64> = steps.iter().map(|step| step.end).collect();
    let level = |(level, &value): (&crate::objective::Level, &u64)| {
        let mut last = 0u64;
        let mut sum = vec![0u64; steps.len()];
        for &(weight, metric) in &level.terms {
            match metric {
                Metric::Makespan => last += u64::from(weight),
                Metric::Mttr | Metric::SumOfEnds => {
                    for (sum, own) in sum.iter_mut().zip(weights(problem, steps, metric)) {
                        *sum += own * u64::from(weight);
                    }
                }
                // Energy is more than a function of ends: what is found is valued as a whole.
                Metric::Relocations | Metric::RelocationTime | Metric::NodesOn | Metric::Energy => {}
            }
        }
        let timed = sum.iter().any(|&weight| weight > 0);
        let weights =
            timed.then(|| sum.into_iter().map(|sum| u32::try_from(sum).unwrap_or(u32::MAX)).collect());
        let mut level = Level { last, weights, constant: 0 };
        level.constant = i128::from(value) - i128::from(level.of(&ends));
        level
    };
    objective.levels.iter().zip(values).map(level).collect()
}

//! Levels of an objective as functions of the ends of tasks.

use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::lead_of;
use rustc_hash::FxHashMap;

/// A level of the objective as a function of ends: `last` times the last end, and the ends
/// weighted by task, less those that are better late, and what no times change.
#[derive(Clone, Debug)]
pub struct Level {
    /// What the last end counts.
    pub last: u64,
    /// By task: what its end counts; none where no end of a task alone does.
    pub weights: Option<Vec<u32>>,
    /// Tasks that are better late, with what a second is worth; together no more than `last`.
    pub late: Vec<(u32, u32)>,
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
        let late: u128 =
            self.late.iter().map(|&(task, worth)| u128::from(worth) * u128::from(ends[task as usize])).sum();
        u64::try_from((last + weighted) as i128 - late as i128 + self.constant).unwrap_or(u64::MAX)
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

/// What joules are as a function of ends: bins that are open at the end draw until the last end,
/// save for the time before they opened, and others until they have closed. By task that closes
/// one, what its end counts.
fn joules(problem: &Problem, steps: &[Step], weight: u64, level: &mut Level, sum: &mut [u64]) {
    let drawn = |bin: u32| {
        let drawn = problem.project.power.bins.get(bin as usize).copied().unwrap_or(0);
        drawn.saturating_mul(weight)
    };
    let open = (0u32..).zip(&problem.packing.bins).filter(|(_, row)| row.open);
    let mut last = open.map(|(bin, _)| drawn(bin)).fold(0, u64::saturating_add);
    for (at, step) in steps.iter().enumerate() {
        match step.kind {
            StepKind::Open(bin) => {
                last = last.saturating_add(drawn(bin));
                if drawn(bin) > 0 {
                    level.late.push((at as u32, u32::try_from(drawn(bin)).unwrap_or(u32::MAX)));
                }
            }
            StepKind::Close(bin) => {
                last = last.saturating_sub(drawn(bin));
                sum[at] = sum[at].saturating_add(drawn(bin));
            }
            _ => {}
        }
    }
    level.last = level.last.saturating_add(last);
}

/// The levels of an objective for the steps of a plan that has these values.
pub fn levels(problem: &Problem, objective: &Objective, steps: &[Step], values: &[u64]) -> Vec<Level> {
    let ends: Vec<u64> = steps.iter().map(|step| step.end).collect();
    let level = |(terms, &value): (&crate::objective::Level, &u64)| {
        let mut level = Level { last: 0, weights: None, late: Vec::new(), constant: 0 };
        let mut sum = vec![0u64; steps.len()];
        for &(weight, metric) in &terms.terms {
            match metric {
                Metric::Makespan => level.last = level.last.saturating_add(u64::from(weight)),
                Metric::Mttr | Metric::SumOfEnds => {
                    for (sum, own) in sum.iter_mut().zip(weights(problem, steps, metric)) {
                        *sum = sum.saturating_add(own * u64::from(weight));
                    }
                }
                Metric::Energy => joules(problem, steps, u64::from(weight), &mut level, &mut sum),
                Metric::Relocations | Metric::RelocationTime | Metric::NodesOn => {}
            }
        }
        let timed = sum.iter().any(|&weight| weight > 0);
        level.weights =
            timed.then(|| sum.into_iter().map(|sum| u32::try_from(sum).unwrap_or(u32::MAX)).collect());
        level.constant = i128::from(value) - i128::from(level.of(&ends));
        level
    };
    objective.levels.iter().zip(values).map(level).collect()
}

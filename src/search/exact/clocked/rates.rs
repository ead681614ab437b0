//! What moves, seconds and open bins cost, by level.

use super::Cost;
use super::DEPTH;
use super::levels;
use crate::objective::Level;
use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Power;

/// What each level counts.
pub(super) struct Rates<'p> {
    levels: Vec<LevelRates>,
    power: &'p Power,
}

#[derive(Clone, Copy, Debug, Default)]
struct LevelRates {
    relocation: u64,
    moving_second: u64,
    second: u64,
    joule: u64,
    open: u64,
}

impl<'p> Rates<'p> {
    pub(super) fn new(objective: &Objective, power: &'p Power) -> Self {
        let of = |level: &Level| {
            let mut rates = LevelRates::default();
            for &(weight, metric) in &level.terms {
                let counted = match metric {
                    Metric::Relocations => &mut rates.relocation,
                    Metric::RelocationTime => &mut rates.moving_second,
                    Metric::Makespan => &mut rates.second,
                    Metric::Energy => &mut rates.joule,
                    Metric::NodesOn => &mut rates.open,
                    Metric::Mttr | Metric::SumOfEnds => continue,
                };
                *counted = counted.saturating_add(u64::from(weight));
            }
            rates
        };
        Self { levels: objective.levels.iter().take(levels(objective)).map(of).collect(), power }
    }

    fn cost(&self, of: impl Fn(&LevelRates) -> u64) -> Cost {
        let mut cost = [0; DEPTH];
        cost.iter_mut().zip(&self.levels).for_each(|(cost, level)| *cost = of(level));
        cost
    }

    /// What so many seconds cost while bins draw that much.
    pub(super) fn of_time(&self, drawn: u64, seconds: u64) -> Cost {
        self.cost(|level| {
            level.second.saturating_add(level.joule.saturating_mul(drawn)).saturating_mul(seconds)
        })
    }

    /// What so many joules cost, and seconds until the last end.
    pub(super) fn of_joules(&self, joules: u64, seconds: u64) -> Cost {
        self.cost(|level| {
            level.joule.saturating_mul(joules).saturating_add(level.second.saturating_mul(seconds))
        })
    }

    pub(super) fn of_move(&self, item: u32, seconds: u64) -> Cost {
        let joules = self.power.moves.get(item as usize).copied().unwrap_or(0);
        self.cost(|level| {
            let moved = level.moving_second.saturating_mul(seconds);
            level.relocation.saturating_add(moved).saturating_add(level.joule.saturating_mul(joules))
        })
    }

    pub(super) fn of_open(&self, bins: u64) -> Cost {
        self.cost(|level| level.open.saturating_mul(bins))
    }

    pub(super) fn drawn(&self, bin: usize) -> u64 {
        self.power.bins.get(bin).copied().unwrap_or(0)
    }
}

//! What is minimised.
//!
//! An objective is a list of levels, compared one after the other; each level is
//! a weighted sum of metrics. Penalties of soft constraints are added to the first.

use std::fmt;

/// A figure of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Number of migrations and re-instantiations; a parked VM counts twice.
    Relocations,
    /// Sum, over the VMs and nodes that change, of the moment at which each is done;
    /// a VM that stays counts the moment of its last allocation. BtrPlace's MinMTTR,
    /// save that an allocation need not wait for the end of the plan.
    Mttr,
    /// Sum of the ends of all actions.
    SumOfEnds,
    /// End of the last action.
    Makespan,
    /// Sum of the durations of all relocations. BtrPlace's MinMigrations.
    RelocationTime,
    /// Number of nodes that are online at the end. A node of which no rule says what
    /// becomes of it may be switched on or off for that; one that stores a sleeping VM stays on.
    NodesOn,
    /// Joules from second 0 to the end of the last action, whatever that is: the power of each
    /// node of the instance times the seconds of that period for which it is on, and what each
    /// live migration takes as a whole (see `Instance::node_power` and
    /// `Instance::migration_energy`; a VM that is made again elsewhere takes nothing). A node is
    /// on from 0 if it is online at first, else from the start of its boot, until the end of its
    /// shutdown or of the plan. What nodes take afterwards does not count: a plan that does
    /// nothing takes nothing. A node of which no rule says what becomes of it may be switched on
    /// or off for that, and a VM may move so that its node can go off.
    Energy,
}

impl Metric {
    /// Does it depend on when things end?
    pub fn is_timed(self) -> bool {
        matches!(self, Metric::Mttr | Metric::SumOfEnds | Metric::Makespan | Metric::Energy)
    }

    /// All metrics.
    pub const ALL: [Metric; 7] = [
        Metric::Relocations,
        Metric::Mttr,
        Metric::SumOfEnds,
        Metric::Makespan,
        Metric::RelocationTime,
        Metric::NodesOn,
        Metric::Energy,
    ];

    /// The word that files and the command line use.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Relocations => "relocations",
            Metric::Mttr => "mttr",
            Metric::SumOfEnds => "sum_of_ends",
            Metric::Makespan => "makespan",
            Metric::RelocationTime => "relocation_time",
            Metric::NodesOn => "nodes_on",
            Metric::Energy => "energy",
        }
    }

    /// The metric of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// A weighted sum of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// (weight, metric); weights are positive.
    pub terms: Vec<(u32, Metric)>,
}

impl Level {
    /// One metric alone.
    pub fn of(metric: Metric) -> Self {
        Self { terms: vec![(1, metric)] }
    }

    /// Does it count this?
    pub fn counts(&self, metric: Metric) -> bool {
        self.terms.iter().any(|term| term.1 == metric)
    }

    /// The weighted sum, from the figure of each metric; what is beyond 64 bits is the
    /// largest value.
    pub fn value(&self, figure: impl Fn(Metric) -> u64) -> u64 {
        let terms = self.terms.iter();
        terms
            .map(|&(weight, metric)| u64::from(weight).saturating_mul(figure(metric)))
            .fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (weight, metric)) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_str("+")?;
            }
            if *weight != 1 {
                write!(f, "{weight}*")?;
            }
            f.write_str(metric.name())?;
        }
        Ok(())
    }
}

/// Levels, the most important first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Never empty.
    pub levels: Vec<Level>,
}

impl Default for Objective {
    /// Fewest relocations; among those, the smallest sum of ends.
    fn default() -> Self {
        Self { levels: vec![Level::of(Metric::Relocations), Level::of(Metric::Mttr)] }
    }
}

impl Objective {
    /// One metric; ties are broken by relocations, then by the sum of ends.
    pub fn single(metric: Metric) -> Self {
        let mut levels = vec![Level::of(metric)];
        for tie in [Metric::Relocations, Metric::Mttr] {
            if tie != metric {
                levels.push(Level::of(tie));
            }
        }
        Self { levels }
    }

    /// Does any level count this?
    pub fn counts(&self, metric: Metric) -> bool {
        self.levels.iter().flat_map(|level| &level.terms).any(|term| term.1 == metric)
    }

    /// The value of each level, from the figure of each metric; see [`Level::value`].
    pub fn values(&self, figure: impl Fn(Metric) -> u64) -> Vec<u64> {
        self.levels.iter().map(|level| level.value(&figure)).collect()
    }

    /// Does any level ask when things end?
    pub fn asks_for_time(&self) -> bool {
        self.levels.iter().flat_map(|level| &level.terms).any(|term| term.1.is_timed())
    }

    /// Are nodes worth switching off: do they count, and before any figure of time that
    /// switching them off makes worse?
    pub fn saves_nodes(&self) -> bool {
        self.levels
            .iter()
            .find(|level| level.terms.iter().any(|term| term.1 == Metric::NodesOn || term.1.is_timed()))
            .is_some_and(|level| level.terms.iter().any(|term| term.1 == Metric::NodesOn))
    }

    /// May joules be saved by more relocations: do they count, and in no later level?
    pub fn saves_energy(&self) -> bool {
        let counts = |level: &&Level| level.counts(Metric::Energy) || level.counts(Metric::Relocations);
        self.levels.iter().find(counts).is_some_and(|level| level.counts(Metric::Energy))
    }
}

/// `relocations,mttr`: levels by commas, terms by `+`, weights as `3*`. Read as well with
/// the weight behind: `mttr*3`.
impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, level) in self.levels.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{level}")?;
        }
        Ok(())
    }
}

/// An objective that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectiveError {
    /// The part that was not understood.
    pub part: String,
}

impl fmt::Display for ObjectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an objective; expected one of ", self.part)?;
        for metric in Metric::ALL {
            write!(f, "{}, ", metric.name())?;
        }
        f.write_str("joined by `+`, with weights like `3*makespan`, levels separated by commas")
    }
}

impl std::error::Error for ObjectiveError {}

impl std::str::FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut levels = Vec::new();
        for part in text.split(',') {
            let mut terms = Vec::new();
            for term in part.split('+') {
                let term = term.trim();
                // The weight before the metric, or after it.
                let (left, right) = term.split_once('*').unwrap_or(("1", term));
                let (left, right) = (left.trim(), right.trim());
                let (weight, name) =
                    if Metric::named(left).is_some() { (right, left) } else { (left, right) };
                let weight = weight.parse::<u32>().ok().filter(|&weight| weight > 0);
                match (weight, Metric::named(name)) {
                    (Some(weight), Some(metric)) => terms.push((weight, metric)),
                    _ => return Err(ObjectiveError { part: term.to_owned() }),
                }
            }
            levels.push(Level { terms });
        }
        Ok(Self { levels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in ["relocations,mttr", "makespan", "100*relocations+makespan,sum_of_ends", "nodes_on"] {
            assert_eq!(text.parse::<Objective>().map(|o| o.to_string()), Ok(text.to_owned()));
        }
        let after = "nodes_on*100+relocations,mttr".parse::<Objective>().map(|o| o.to_string());
        assert_eq!(after, Ok("100*nodes_on+relocations,mttr".to_owned()));
        assert!("".parse::<Objective>().is_err());
        assert!("0*makespan".parse::<Objective>().is_err());
        assert!("minMigrations".parse::<Objective>().is_err());
    }
}

//! What is asked of the planner, and what it answers.

use crate::constraint::Violation;
use crate::model::Metrics;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::VmId;
use crate::objective::Level;
use crate::objective::Objective;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Stops a search from another thread (or a signal handler); clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A flag that is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag: the search ends soon, with the best plan so far.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Is it raised?
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the search is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From the instance to the problem.
    Compile,
    /// Looking for a first plan.
    Construct,
    /// Looking for a better one.
    Improve,
    /// Looking at every possibility.
    Prove,
}

/// What the progress callback is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What the search is doing.
    pub phase: Phase,
    /// Values of the best plan so far, level by level.
    pub best: Option<Vec<u64>>,
    /// Lower bound of the first level.
    pub bound: u64,
    /// Steps so far.
    pub steps: u64,
}

/// The progress callback.
pub type ProgressCallback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How to search.
#[derive(Clone, Default)]
pub struct Options {
    /// Instead of the instance's objective.
    pub objective: Option<Objective>,
    /// Stop after this long. The plan then depends on the machine's speed.
    pub time_limit: Option<std::time::Duration>,
    /// Stop after so many steps (placements tried); what was begun is finished. The plan
    /// is then the same everywhere.
    pub step_limit: Option<u64>,
    /// Stop once the gap of the first level (see [`Bounded::gap`]) is at most this share; at
    /// 0, once the first level is proved. Further levels are then as they happen to be.
    pub gap: Option<f64>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Worker threads; all cores where none is given. Never changes the plan.
    pub threads: Option<usize>,
    /// The last moment at which a plan may end, in seconds.
    pub horizon: Option<u64>,
    /// Refuse a source configuration that breaks a continuous constraint.
    pub strict: bool,
    /// The time of day at which the plan starts, in seconds from midnight: for
    /// deadlines given as a time of day.
    pub start_of_day: Option<u32>,
    /// Stops the search.
    pub cancel: CancelToken,
    /// Told about better plans and bounds, from the thread that called.
    pub progress: Option<ProgressCallback>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("objective", &self.objective)
            .field("time_limit", &self.time_limit)
            .field("step_limit", &self.step_limit)
            .field("gap", &self.gap)
            .field("seed", &self.seed)
            .field("threads", &self.threads)
            .field("horizon", &self.horizon)
            .field("strict", &self.strict)
            .field("start_of_day", &self.start_of_day)
            .finish_non_exhaustive()
    }
}

/// How much is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A plan, and the proof that none is better in the first level of the objective.
    /// Each further level carries its own bound, which may or may not be met.
    Optimal,
    /// A plan.
    Feasible,
    /// The proof that there is no plan.
    Infeasible,
    /// Neither a plan nor a proof.
    Unknown,
}

impl Status {
    /// The word that texts and files use.
    pub fn name(self) -> &'static str {
        match self {
            Status::Optimal => "optimal",
            Status::Feasible => "feasible",
            Status::Infeasible => "infeasible",
            Status::Unknown => "unknown",
        }
    }
}

/// Why the search ended; of several searches, the last in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopReason {
    /// Nothing is left to find: every level meets its bound, or there is no plan.
    #[default]
    Proved,
    /// The gap is as small as was asked.
    Gap,
    /// The time or step limit.
    Limit,
    /// No better plan for long, and no limit was given.
    Stalled,
    /// The cancel token.
    Interrupted,
}

impl StopReason {
    /// The word that texts and files use.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::Proved => "proved",
            StopReason::Gap => "gap",
            StopReason::Limit => "limit",
            StopReason::Stalled => "stalled",
            StopReason::Interrupted => "interrupted",
        }
    }
}

/// One level of the objective: what was reached, and what no plan can go below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// The level.
    pub level: Level,
    /// The value of the plan, penalties included in the first level.
    pub value: u64,
    /// No plan that is as good in the levels before has a smaller value.
    pub bound: u64,
}

impl Bounded {
    /// `(value - bound) / value`; 0 where both are 0.
    pub fn gap(&self) -> f64 {
        if self.value <= self.bound { 0.0 } else { (self.value - self.bound) as f64 / self.value as f64 }
    }
}

/// Facts that cannot hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// Indices of constraints of the instance. Empty where capacities and states alone clash.
    pub constraints: Vec<u32>,
    /// The VMs concerned.
    pub vms: Vec<VmId>,
    /// The nodes concerned.
    pub nodes: Vec<NodeId>,
    /// In words, with the numbers.
    pub text: String,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How much is known.
    pub status: Status,
    /// Why the search ended.
    pub stop_reason: StopReason,
    /// The best plan found; verified.
    pub plan: Option<Plan>,
    /// The levels of the objective, for the plan. Empty without a plan.
    pub levels: Vec<Bounded>,
    /// The figures of the plan.
    pub metrics: Metrics,
    /// Why there is no plan.
    pub conflict: Option<Conflict>,
    /// Continuous constraints that the source configuration breaks: (constraint,
    /// moment from which the plan satisfies it for good, how it is broken before).
    pub repaired: Vec<(u32, u64, Violation)>,
    /// Placements tried.
    pub steps: u64,
    /// Wall time by phase, in milliseconds.
    pub timings: Timings,
}

/// Wall time by phase, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "one per phase")]
pub struct Timings {
    pub compile: f64,
    pub place: f64,
    pub schedule: f64,
    pub verify: f64,
}

/// The planner could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The instance cannot be planned for as it stands: a duration that is not one,
    /// sums past 64 bits, a template that is missing.
    Input(String),
    /// The planner's own plan did not pass the checker.
    Internal(String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::Input(message) => f.write_str(message),
            PlanError::Internal(message) => write!(f, "internal error: {message}"),
        }
    }
}

impl std::error::Error for PlanError {}

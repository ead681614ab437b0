//! What is asked of the planner, and what it answers.

use crate::constraint::Violation;
use crate::model::Metrics;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmState;
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

/// Something that a conflict needs: without it the others go together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// The constraint at this index of the instance.
    Constraint(u32),
    /// The VM is there, with what it takes.
    Vm(VmId),
    /// The VM starts where it is before the plan, not elsewhere.
    Place(VmId),
    /// These nodes offer no more of the resource than they do.
    Capacity(Vec<NodeId>, ResourceId),
    /// Migrations travel on the network, as it is.
    Network,
    /// The plan ends by this moment, in seconds.
    Horizon(u64),
}

/// How things clash, with the numbers. The VMs and nodes are those of the [`Conflict`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clash {
    /// A VM is asked to end in two states.
    VmStates(VmState, VmState),
    /// No single action leads from the first state to the second.
    Unreachable(VmState, VmState),
    /// A node is asked to be on and to be off.
    NodeStates,
    /// A node that is to be off stores the image of a VM.
    Image,
    /// A rule is broken before the plan starts, and that is not forgiven: how.
    Source(String),
    /// The VMs must be on the node and need more than it has: resource, need, has.
    Load(ResourceId, u64, u64),
    /// The VMs must be on the node and break this constraint there.
    Broken(u32),
    /// No node is left to the VM.
    NoNode,
    /// The VMs need more than the nodes that they may use have: resource, need, has.
    Room(Vec<(ResourceId, u128, u128)>),
    /// The nodes that this constraint lets be on are too few, were they the largest, for
    /// what is needed of the resource.
    FewOn(u32, ResourceId),
    /// The VMs must share a node and need more than any of theirs has: resource, need, has.
    Together(ResourceId, u128, u64),
    /// The VMs need so many nodes or groups of nodes of their own, and this many are left
    /// to them.
    Seats(u64, u64),
    /// No plan ends by the horizon: the shortest takes so many seconds at least.
    Late(u64),
    /// The VMs have no places that keep all rules.
    Nowhere,
    /// There are places for all, and no order of actions that leads there.
    #[default]
    Order,
}

/// Facts that cannot hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// What it takes: constraints first, then facts of the cluster. From [`crate::solve`]
    /// the constraints that the proof names; from [`crate::explain::explain`] everything.
    pub members: Vec<Member>,
    /// How they clash.
    pub clash: Clash,
    /// The VMs concerned.
    pub vms: Vec<VmId>,
    /// The nodes concerned.
    pub nodes: Vec<NodeId>,
    /// Was it seen that the members are all needed: without any one of them there is a plan
    /// for the others?
    pub minimal: bool,
    /// Where there are places and no order of moves: the moves that wait on each other.
    pub waits: Vec<Wait>,
    /// Where constraints of it were stated, where whoever read them knows.
    pub origins: Vec<(u32, Origin)>,
}

/// A move that never starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The VM.
    pub vm: VmId,
    /// Where it is; `None` for one that is to be started.
    pub from: Option<NodeId>,
    /// Where it would go.
    pub to: NodeId,
    /// What it lacks there.
    pub lack: Lack,
    /// Those who would have to leave first, and wait themselves.
    pub others: Vec<VmId>,
}

/// What a move lacks where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Of this resource it needs so much, and so much is free.
    Room(ResourceId, u64, u64),
    /// The constraint at this index forbids it at that moment.
    Rule(u32),
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Conflict {
    /// A conflict of constraints, of which nothing more is known. Each is kept once.
    pub fn of(clash: Clash, constraints: Vec<u32>, vms: Vec<VmId>, nodes: Vec<NodeId>) -> Self {
        let mut members: Vec<Member> = constraints.into_iter().map(Member::Constraint).collect();
        members.sort_unstable();
        members.dedup();
        Self { members, clash, vms, nodes, minimal: false, waits: Vec::new(), origins: Vec::new() }
    }

    /// Where a constraint of it was stated.
    pub fn origin(&self, constraint: u32) -> Option<&Origin> {
        self.origins.iter().find(|(index, _)| *index == constraint).map(|(_, origin)| origin)
    }

    /// The indices of its constraints.
    pub fn constraints(&self) -> impl Iterator<Item = u32> + '_ {
        self.members.iter().filter_map(|member| match member {
            Member::Constraint(index) => Some(*index),
            _ => None,
        })
    }
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

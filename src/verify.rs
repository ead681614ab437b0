//! Is the source configuration, or a plan, right? Every violation, in words.
//!
//! Looks at the instance and the plan only; knows nothing of compiling and solving.

use crate::constraint::Violation;
use crate::model::Instance;
use crate::model::Plan;

/// Where a violation comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The constraint at this index of the instance.
    Constraint(u32),
    /// A rule that holds without being asked for: capacities, states, hosting windows.
    Core(CoreRule),
}

/// The rules that hold without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoreRule {
    /// A node carries more of a resource than it has.
    Capacity,
    /// An action in a state in which it cannot be done, or a state that was asked for and not reached.
    State,
    /// A node hosts while it is off, booting or shutting down.
    Hosting,
    /// Times: an end before a start, a duration that is not the action's own.
    Time,
    /// An edge that the times contradict, or a circle of edges.
    Order,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The moment, in seconds; `None` for the source configuration without a plan.
    pub at: Option<u64>,
    /// Which rule.
    pub source: Source,
    /// How it is broken.
    pub violation: Violation,
    /// True for a broken soft constraint: a price, not a fault.
    pub soft: bool,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong, by time, then rule. Never cut.
    pub findings: Vec<Finding>,
    /// Continuous constraints that the source breaks and the plan repairs without ever
    /// making them worse: (constraint, the moment from which it holds for good, how it was broken).
    pub repaired: Vec<(u32, u64, Violation)>,
    /// Total price of the soft constraints that the final configuration breaks.
    pub penalty: u64,
}

impl Report {
    /// Is nothing wrong (soft constraints aside)?
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.soft)
    }
}

/// Which lapses of the source configuration are forgiven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Refuse a source that breaks a continuous constraint or a capacity.
    pub strict: bool,
    /// The last moment at which a plan may end.
    pub horizon: Option<u64>,
}

/// Checks the source configuration: capacities and every placement constraint.
pub fn verify_source(instance: &Instance) -> Report {
    let _ = instance;
    Report::default()
}

/// Checks a plan against its instance.
pub fn verify(instance: &Instance, plan: &Plan, options: &VerifyOptions) -> Report {
    let _ = (instance, plan, options);
    Report::default()
}

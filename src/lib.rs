//! Plans the reconfiguration of clusters of virtual machines.

pub mod compile;
pub mod constraint;
pub mod format;
pub mod model;
pub mod objective;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod propagator;
pub mod render;
pub mod schedule;
pub mod search;
pub mod verify;

pub use constraint::Constraint;
pub use model::Instance;
pub use model::InstanceBuilder;
pub use model::Plan;
pub use objective::Objective;
pub use outcome::Options;
pub use outcome::Outcome;
pub use outcome::PlanError;
pub use outcome::Status;
pub use outcome::StopReason;

/// Finds a plan: where every VM goes, and in which order.
///
/// # Errors
/// When the instance cannot be planned for as it stands. That there is no plan is
/// not an error but [`Status::Infeasible`].
pub fn solve(instance: &Instance, options: &Options) -> Result<Outcome, PlanError> {
    let _ = options;
    Ok(Outcome {
        status: Status::Unknown,
        stop_reason: StopReason::Limit,
        plan: None,
        levels: Vec::new(),
        metrics: model::Metrics::of(instance, &Plan::default()),
        conflict: None,
        repaired: Vec::new(),
        steps: 0,
        timings: outcome::Timings::default(),
    })
}

//! Plans the reconfiguration of clusters of virtual machines.

pub mod compile;
pub mod constraint;
pub mod explain;
pub mod format;
pub mod generate;
pub mod model;
pub mod objective;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod propagator;
pub mod render;
pub mod schedule;
pub mod search;
mod solve;
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

pub use solve::solve;

//! Plans the reconfiguration of clusters of virtual machines: where every VM goes, and
//! in which order.
//!
//! ```text
//! bytes ──format──▶ Instance ──compile──▶ Problem ──search──▶ steps ──plan──▶ Plan ──render──▶ text
//! ```
//! An [`Instance`] (built by [`InstanceBuilder`] or read by [`format`](mod@format)) says where everything
//! is and which [constraints](constraint) hold; [`solve`] answers with an [`Outcome`]: a
//! status, a bound for each level of the [`Objective`], and a [`Plan`] that has passed
//! [`verify`](mod@verify), or the conflict that rules one out.
//!
//! ```
//! use quadrille::constraint::offline::Offline;
//! use quadrille::{Constraint, InstanceBuilder, Options, Status};
//!
//! let mut cluster = InstanceBuilder::new();
//! let [old, new] = ["old", "new"].map(|name| cluster.node(name));
//! let web = cluster.running_vm("web", old);
//! cluster.constraint(Constraint::new(Offline { node: old }));
//! let instance = cluster.build()?;
//!
//! let outcome = quadrille::solve(&instance, &Options::default())?;
//! assert_eq!(outcome.status, Status::Optimal);
//! let plan = outcome.plan.ok_or("there is room on the new node")?;
//! assert_eq!(plan.actions[0].kind.vm(), Some(web));
//! assert_eq!(plan.actions[0].kind.destination(), Some(new));
//! assert_eq!(plan.happens_before, [(0, 1)]); // `old` is switched off once `web` has left
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod compile;
pub mod constraint;
pub mod engine;
pub mod explain;
pub mod format;
pub mod generate;
pub mod model;
pub mod objective;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod propagator;
pub mod random;
pub mod render;
pub mod schedule;
pub mod script;
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

//! From timed actions to a plan that survives delays.
//!
//! A schedule promises durations that nobody can keep. [`order`] turns it into a
//! partial order: an edge a → b says that b may start once a has ended. For every
//! assignment of durations, whoever executes the plan by its edges never overloads a
//! node and never breaks a continuous constraint.
//!
//! Every capacity, and every constraint that counts, is an account of units. Whoever
//! enters a node takes units when its action starts, whoever leaves gives them back when
//! its action ends, and each unit taken is routed from where it came: it was free at the
//! start, or an earlier action gave it back, which is an edge. A unit can then be in two
//! hands at no moment, however long anything takes. (Partial-order schedules by chaining,
//! Policella, Cesta, Oddi and Smith 2004 and 2007; resource-flow networks, Artigues,
//! Michelon and Reusser 2003.) Constraints that keep things apart rather than count are
//! conflicts between those who leave and those who come later. The transitive reduction
//! then drops what is said twice.
//!
//! What is already broken before the plan is led out of it: the first units given back
//! fill the hole, and whoever takes units later waits for those who filled it.

mod critical;
mod effect;
mod event;
mod execute;
mod ledger;
mod order;
mod reduce;
mod relation;
mod retime;
mod room;
mod route;
#[cfg(test)]
mod tests;
mod walk;

pub use critical::critical_path;
pub use critical::slack;
pub use execute::execute;
pub use order::order;
pub use retime::retime;

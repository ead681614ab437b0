//! From the instance to a problem without VMs.
//!
//! Passes, in order: every constraint is asked to `post` itself to the [`Builder`],
//! which only writes down what it is told; the wanted states become items, bins and
//! tasks; demands become sizes; what was written down becomes relations.

mod budget;
mod builder;
mod lower;
mod raise;
mod transit;

pub use budget::Budget;
pub use budget::Direction;
pub use budget::Scope;
pub use builder::Builder;
pub use builder::Cause;
pub use builder::FtMode;
pub use builder::Posted;
pub use builder::Relationship;
pub use lower::Compiled;
pub use lower::ExtraAction;
pub use lower::Refusal;
pub use lower::compile;
pub use lower::is_reachable;
pub use raise::raise;

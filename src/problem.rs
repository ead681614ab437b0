//! The question without VMs: items that go into bins, and tasks that take them there.
//!
//! [`Packing`] says where things may be: items with sizes, bins with capacities,
//! relations among items. [`Project`] says how long it takes to get there and what
//! must come before what. Every bin is a node and most items are VMs, but nothing
//! here knows that.

mod bits;
mod packing;
mod project;
mod shares;
mod text;
mod transit;

pub use bits::BitSet;
pub use packing::Bin;
pub use packing::Item;
pub use packing::Later;
pub use packing::NONE;
pub use packing::Packing;
pub use packing::Partition;
pub use packing::Relation;
pub use packing::RelationKind;
pub use packing::Role;
pub use project::Extra;
pub use project::Order;
pub use project::Power;
pub use project::Project;
pub use project::Step;
pub use project::StepKind;
pub use project::TaskRef;
pub use project::duration_of;
pub use project::lead_of;
pub use project::passage_of;
pub use project::passage_of_step;
pub use shares::Shares;
pub use transit::PARTS;
pub use transit::Passage;
pub use transit::Toll;
pub use transit::Transit;

/// Packing and project.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// Where things may be.
    pub packing: Packing,
    /// How they get there.
    pub project: Project,
}

/// The greatest common divisor; that of 0 and a number is the number.
pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

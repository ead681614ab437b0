//! What may still go where: the incremental side of every relation.

pub mod evictions;
pub mod fill;
mod ledger;
pub mod leftover;
pub mod restart;
pub mod sums;
mod survive;

pub use ledger::Block;
pub use ledger::Ledger;
pub use ledger::Moment;
pub use survive::shortfall;

//! BtrPlace's JSON: instances and plans, by integers.
//!
//! What we say beyond it: constraints that BtrPlace lacks stand under our own names, a
//! soft constraint has the extra key `penalty`, plans may forge (`forgeVM`) and kill a
//! VM that is on no node. Where BtrPlace ignores a key, so do we.
//!
//! What it cannot say: tags, duration models, VMs that are yet to be forged, and most
//! objectives. `minimizeMTTR` stands for fewest relocations first, then its own sum;
//! `minimizeMTTRMigrationScheduling` for the sum alone, `minimizeMigrations` for the
//! time spent relocating.

mod clone;
mod document;
mod mapping;
mod model;
mod network;
mod objective;
mod plan;
mod view;
mod write;
mod write_plan;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod tests;

pub(super) use document::instance;
pub use plan::read_plan;
pub use plan::read_plan_with_origin;
pub use write::write_instance;
pub use write_plan::write_plan;

use super::FormatError;
use super::InstanceFormat;
use super::ReadInstance;
use super::ReadOptions;
use super::read_document;

/// Reads an instance.
///
/// # Errors
/// Where the document is not JSON, lacks a key, or contradicts itself.
pub fn read_instance(bytes: &[u8], options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    let (instance, notes) =
        read_document(bytes, options, |mut reader, context| instance(&mut reader, context))?;
    Ok(ReadInstance { instance, format: InstanceFormat::BtrPlace, notes })
}

//! Our own JSON: instances and plans, by names.
//!
//! ```json
//! {
//!   "schema": "quadrille/instance/1",
//!   "resources": [{"name": "cpu", "default_capacity": 0, "default_demand": 0}],
//!   "durations": {"migrate": 4, "boot": {"resource": "mem", "coefficient": 0.5, "offset": 2}},
//!   "nodes": [{"name": "n1", "state": "online", "capacity": {"cpu": 8}, "tags": ["rack1"]}],
//!   "vms": [{"name": "web", "state": "running", "host": "n1", "demand": {"cpu": 2}}],
//!   "constraints": [{"spread": {"vms": ["web", "db"], "continuous": true}}],
//!   "objective": "relocations,mttr"
//! }
//! ```
//! Only `schema` is required. Unknown keys are errors. An instance that came from
//! BtrPlace keeps its integers in the key `number` of VMs and nodes.

mod document;
mod element;
mod network;
mod plan;
mod write;

#[cfg(test)]
mod tests;

pub(super) use document::instance;
pub use plan::read_plan;
pub use write::write_instance;

use super::FormatError;
use super::InstanceFormat;
use super::ReadInstance;
use super::ReadOptions;
use super::read_document;

/// The `schema` of instances.
pub const INSTANCE_SCHEMA: &str = "quadrille/instance/1";
/// The `schema` of plans.
pub const PLAN_SCHEMA: &str = "quadrille/plan/1";

/// Reads an instance.
///
/// # Errors
/// Where the document is not JSON, has an unknown key or name, or contradicts itself.
pub fn read_instance(bytes: &[u8], options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    let (instance, notes) =
        read_document(bytes, options, |mut reader, context| instance(&mut reader, context))?;
    Ok(ReadInstance { instance, format: InstanceFormat::Quadrille, notes })
}

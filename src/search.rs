//! The search: from a problem to steps.

pub mod exact;

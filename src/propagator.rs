//! Reasoning about items and bins that knows no VM and no constraint name.

pub mod restart;

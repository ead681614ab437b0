//! What a script may ask for at most. Everything beyond is an error with a place.

/// Bytes of a script.
pub(super) const FILE_BYTES: u64 = 16 << 20;
/// Bytes of an included JSON document.
pub(super) const INCLUDE_BYTES: u64 = 64 << 20;
/// Files that are imported or included.
pub(super) const FILES: usize = 1_000;
/// Elements of a range or an enumeration.
pub(super) const ENUMERATION: usize = 1_000_000;
/// Members of a set.
pub(super) const SET: usize = 1_000_000;
/// Members of a product or a power.
pub(super) const PRODUCT: usize = 4_000_000;
/// Sets within sets.
pub(super) const DEGREE: u32 = 8;
/// Constraints.
pub(super) const CONSTRAINTS: usize = 4_000_000;
/// VMs and nodes.
pub(super) const ELEMENTS: usize = 4_000_000;
/// Bytes of all their names.
pub(super) const NAMES: usize = 1 << 30;
/// Amounts: resources times VMs and nodes.
pub(super) const AMOUNTS: usize = 1 << 26;
/// Resources.
pub(super) const RESOURCES: usize = 1 << 12;
/// Different attributes.
pub(super) const ATTRIBUTES: usize = 1 << 16;
/// Rounds of loops, statements in them, and calls.
pub(super) const STEPS: u64 = 10_000_000;
/// Calls within each other.
pub(super) const CALLS: usize = 64;
/// Statements, expressions and calls within each other.
pub(super) const DEPTH: usize = 700;
/// Diagnostics of a file, errors and warnings apart.
pub(super) const DIAGNOSTICS: usize = 100;
/// Bytes of a text.
pub(super) const TEXT: usize = 1 << 16;
/// Bytes of all texts that were put together.
pub(super) const TEXTS: u64 = 1 << 30;
/// Members of sets that operators have looked at.
pub(super) const HANDLED: u64 = 1_000_000_000;
/// Bytes that sets hold at one time.
pub(super) const HELD: u64 = 1 << 30;

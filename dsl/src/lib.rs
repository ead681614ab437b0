//! The syntax of rule files.
//!
//! This crate knows text, tokens and trees. It knows no VM, no node and no
//! constraint: a name is a name here.

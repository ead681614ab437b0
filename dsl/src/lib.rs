//! The syntax of rule files.
//!
//! This crate knows text, tokens and trees. It knows no VM, no node and no
//! constraint: a name is a name here. [`parse`] never fails: it returns what it
//! could read, and a [`Diagnostic`] for everything that it could not. [`format()`] writes
//! a file the one way rule files are written.
//!
//! ```
//! let (tree, diagnostics) = quadrille_dsl::parse("namespace web; >>spread({VM1, VM[2..4]});");
//! assert!(diagnostics.is_empty());
//! assert_eq!(tree.statements.len(), 2);
//! ```

// The parser that is generated without "std" asks for it.
extern crate alloc;

mod diagnostic;
mod format;
mod parse;
mod tree;

pub use diagnostic::Diagnostic;
pub use diagnostic::Label;
pub use diagnostic::Severity;
pub use diagnostic::position;
pub use format::format;
pub use parse::DEEPEST;
pub use parse::LARGEST;
pub use parse::LONGEST;
pub use parse::MOST_ERRORS;
pub use parse::TALLEST;
pub use parse::parse;
pub use tree::*;

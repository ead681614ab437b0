//! The syntax of rule files.
//!
//! This crate knows text, tokens and trees. It knows no VM, no node and no
//! constraint: a name is a name here. [`parse`] never fails: it returns what it
//! could read, and a [`Diagnostic`] for everything that it could not.
//!
//! ```
//! let (tree, diagnostics) = quadrille_dsl::parse("namespace web; >>spread({VM1, VM[2..4]});");
//! assert!(diagnostics.is_empty());
//! assert_eq!(tree.statements.len(), 2);
//! ```

mod diagnostic;
mod parse;
mod tree;

pub use diagnostic::Diagnostic;
pub use diagnostic::position;
pub use parse::DEEPEST;
pub use parse::parse;
pub use tree::Element;
pub use tree::Expression;
pub use tree::Span;
pub use tree::Spanned;
pub use tree::Statement;
pub use tree::Tree;

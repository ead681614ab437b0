//! Tests of the rule language's syntax: text in, tree, text or diagnostics out.

mod corpus;
mod dump;
mod format;
mod properties;
mod random;
mod syntax;

//! Exact search over finite domains that learns from its failures.
//!
//! Lazy clause generation (Ohrimenko, Stuckey and Codish 2009): propagators narrow the
//! domains of variables and say why, and every failure becomes a clause that keeps the
//! search from failing for the same reason again. This module says what a propagator sees
//! and does; [`Core`] is the solver behind it. Nothing here knows of items or bins, and
//! only `engine/core.rs` knows which solver it is.

mod core;
mod meter;
#[cfg(test)]
pub(crate) mod testing;

pub use self::core::Core;
pub use self::core::guarded;
pub use self::meter::Meter;
pub use self::meter::STEP;

/// A variable over integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

/// A statement about one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// It has this value.
    Is(Var, i32),
    /// It has another.
    Not(Var, i32),
    /// It is at least that.
    AtLeast(Var, i32),
    /// It is at most that.
    AtMost(Var, i32),
}

/// What is known about the variables at a point of the search.
pub trait View {
    /// Is the value still possible?
    fn contains(&self, var: Var, value: i32) -> bool;
    /// The smallest value that is possible.
    fn least(&self, var: Var) -> i32;
    /// The largest value that is possible.
    fn most(&self, var: Var) -> i32;

    /// The value, where only one is left.
    fn value(&self, var: Var) -> Option<i32> {
        let least = self.least(var);
        (least == self.most(var)).then_some(least)
    }
}

/// Why a propagator stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// These statements, all of which hold, cannot hold together.
    Conflict(Vec<Atom>),
    /// What was implied left a variable without a value.
    Emptied,
}

/// What a propagator may change.
pub trait Store: View {
    /// The statement follows from the reason, all of which holds now.
    ///
    /// # Errors
    /// When that leaves a variable without a value; the propagator must return at once.
    fn imply(&mut self, atom: Atom, reason: &[Atom]) -> Result<(), Stop>;
}

/// A rule over variables. It keeps no state about the search: what it concludes follows
/// from the domains that it is shown.
pub trait Propagator: Clone + std::fmt::Debug + 'static {
    /// A word for statistics.
    fn name(&self) -> &'static str;

    /// The variables whose domains it looks at.
    fn watched(&self) -> Vec<Var>;

    /// Narrows domains. Where every variable has one value it must notice whether the rule
    /// is broken.
    ///
    /// # Errors
    /// When the rule cannot hold any more.
    fn propagate(&mut self, store: &mut impl Store) -> Result<(), Stop>;
}

/// What to try next.
pub trait Guide: std::fmt::Debug {
    /// A statement that neither holds nor is excluded; `None` where all is decided.
    fn choose(&mut self, view: &dyn View) -> Option<Atom>;

    /// The variable had a part in a failure.
    fn blame(&mut self, var: Var);

    /// There was a failure.
    fn failed(&mut self);

    /// The variable had this value until now.
    fn released(&mut self, var: Var, value: i32);
}

/// What a search ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A value for each variable.
    Found(Vec<i32>),
    /// There is no solution.
    Refuted,
    /// The meter ran out.
    Unknown,
}

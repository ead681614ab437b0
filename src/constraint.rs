//! What must hold: the trait, the signatures, and the registry.
//!
//! A constraint is one file of the folder beside this one. It holds, in this order:
//! its manual page (the `//!` lines), the arguments and [`Signature`] (by the macro
//! `side_constraint!`), its meaning (`holds` on one configuration, or `holds_over` a
//! whole run), what it compiles to (`post`), and its tests. JSON, the command line,
//! the manual and the checker are consumers of that file. [`REGISTRY`] lists them.

mod argument;
mod manual;
mod signature;

pub mod among;
pub mod spread;

pub use argument::Argument;
pub use argument::Kind;
pub use argument::Param;
pub use argument::Ratio;
pub use argument::Timestamp;
pub use argument::VmSequence;
pub use manual::manual_page;
pub use signature::BtrPlaceFlag;
pub use signature::Described;
pub use signature::Parameter;
pub use signature::Restrictions;
pub use signature::Signature;

use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::Run;
use crate::model::VmId;
use crate::model::VmState;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Every constraint of the catalog, by name.
pub static REGISTRY: &[&Signature] = &[&among::Among::SIGNATURE, &spread::Spread::SIGNATURE];

/// The signature of a name.
pub fn signature(name: &str) -> Option<&'static Signature> {
    REGISTRY.iter().copied().find(|signature| signature.name == name)
}

/// When a constraint must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Restriction {
    /// In the final configuration.
    Discrete,
    /// At every moment between two events of the plan, and in the final configuration.
    Continuous,
}

/// Must it hold, or had it better hold?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strength {
    /// A plan that breaks it is no plan.
    Hard,
    /// Each unit of violation in the final configuration adds this to the objective.
    Soft(u32),
}

/// A rule of the user, with when and how strictly it applies.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// What is asked.
    pub rule: Arc<dyn SideConstraint>,
    /// When it must hold.
    pub restriction: Restriction,
    /// Whether it must hold.
    pub strength: Strength,
}

impl Constraint {
    /// A hard constraint in the default restriction of its signature.
    pub fn new(rule: impl SideConstraint) -> Self {
        let restriction = rule.signature().restrictions.default();
        Self { rule: Arc::new(rule), restriction, strength: Strength::Hard }
    }

    /// The same, to hold at the end.
    ///
    /// # Errors
    /// When the signature allows the continuous restriction only.
    pub fn discrete(self) -> Result<Self, String> {
        self.restricted(Restriction::Discrete)
    }

    /// The same, to hold at every moment.
    ///
    /// # Errors
    /// When the signature allows the discrete restriction only.
    pub fn continuous(self) -> Result<Self, String> {
        self.restricted(Restriction::Continuous)
    }

    /// The same with a restriction.
    ///
    /// # Errors
    /// When the signature does not allow it.
    pub fn restricted(mut self, restriction: Restriction) -> Result<Self, String> {
        let signature = self.rule.signature();
        if !signature.restrictions.allows(restriction) {
            let word = match restriction {
                Restriction::Discrete => "discrete",
                Restriction::Continuous => "continuous",
            };
            return Err(format!("`{}` cannot be {word}", signature.name));
        }
        self.restriction = restriction;
        Ok(self)
    }

    /// The same, at a price instead of strictly.
    ///
    /// # Errors
    /// When the signature does not allow soft strength, or the penalty is 0.
    pub fn soft(mut self, penalty: u32) -> Result<Self, String> {
        let signature = self.rule.signature();
        if !signature.may_be_soft {
            return Err(format!("`{}` cannot be soft: it is not about places", signature.name));
        }
        if penalty == 0 {
            return Err("a penalty is at least 1".to_owned());
        }
        self.strength = Strength::Soft(penalty);
        Ok(self)
    }

    /// Is it hard?
    pub fn is_hard(&self) -> bool {
        self.strength == Strength::Hard
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.restriction == other.restriction
            && self.strength == other.strength
            && std::ptr::eq(self.rule.signature().name, other.rule.signature().name)
            && self.rule.arguments() == other.rule.arguments()
    }
}

/// Broken, by how much, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// How much: 1 or more, in a unit of the constraint's own. A continuous
    /// constraint that the source configuration breaks may never be broken more.
    pub amount: u64,
    /// The VMs at fault.
    pub vms: Vec<VmId>,
    /// The nodes at fault.
    pub nodes: Vec<NodeId>,
    /// One sentence with the names and the numbers.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What can change the answer of [`SideConstraint::holds`].
#[derive(Clone, Debug)]
pub enum Watch<'a> {
    /// Nothing: the rule is about order and time.
    Nothing,
    /// These VMs: their state, nodes and demands.
    Vms(Cow<'a, [VmId]>),
    /// These nodes: their phase, their guests and those guests' demands.
    Nodes(Cow<'a, [NodeId]>),
    /// These VMs, and whoever shares a node with one of them.
    Neighbours(Cow<'a, [VmId]>),
    /// Anything at all.
    Everything,
}

/// A rule: its meaning, and what the planner is to know of it.
///
/// Placement rules state their meaning by `holds`; the framework lifts it to time:
/// a discrete one is asked about the final configuration, a continuous one about
/// every configuration between two events (see [`Configuration`]). Rules about order
/// and time state it by `holds_over`. `post` tells the planner, in terms of the
/// primitives of [`Builder`]; it must demand at least as much as `holds` does, since
/// the checker has the last word. An embedder may implement it in its own crate.
pub trait SideConstraint: Described + fmt::Debug + Send + Sync + 'static {
    /// Is the rule satisfied at this moment?
    ///
    /// # Errors
    /// How it is broken.
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let _ = at;
        Ok(())
    }

    /// Is the rule satisfied by the whole run? Asked once for a plan, in addition to `holds`.
    ///
    /// # Errors
    /// How it is broken.
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let _ = run;
        Ok(())
    }

    /// The state in which the rule wants a VM to end. A VM of which no rule says
    /// anything keeps the state that it has.
    fn wants(&self) -> Option<(VmId, VmState)> {
        None
    }

    /// Does the rule wish for another state of things (a VM to boot, a node to switch
    /// off, a larger share), so that it is not wrong that it does not hold yet? Such
    /// rules are left out when the source configuration is checked by itself. Where
    /// nothing else is said: rules about the end alone that cannot be soft, since
    /// those are not about places.
    fn is_goal(&self) -> bool {
        let signature = self.signature();
        signature.restrictions == Restrictions::Discrete && !signature.may_be_soft
    }

    /// The largest load of a node in a resource, in place of the node's capacity.
    /// Of several, the smallest counts; at moments before the last only continuous
    /// ones count, and where all are discrete there is no limit before the end.
    fn limit(&self, instance: &Instance) -> Option<(NodeId, ResourceId, u64)> {
        let _ = instance;
        None
    }

    /// What can change the answer of `holds`. The checker asks again only then.
    fn watch(&self) -> Watch<'_>;

    /// Tells the planner.
    fn post(&self, builder: &mut Builder<'_>);
}

/// Names for a sentence: `a`, `a and b`, `a, b and c`; at most a dozen.
pub fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const MOST: usize = 12;
    let names: Vec<&str> = names.collect();
    let shown = &names[..names.len().min(MOST)];
    if names.len() > MOST {
        return format!("{} and {} more", shown.join(", "), names.len() - MOST);
    }
    match shown {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

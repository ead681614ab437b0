//! What must hold: the trait, the signatures, and the registry.
//!
//! A constraint is one file of the folder beside this one. It holds, in this order:
//! its manual page (the `//!` lines), the arguments and [`Signature`] (by the macro
//! `side_constraint!`), its meaning (`holds` on one configuration, or `holds_over` a
//! whole run), what it compiles to (`post`), and its tests. JSON, the command line,
//! the manual and the checker are consumers of that file. [`REGISTRY`] lists them.

mod argument;
mod manual;
mod shared;
mod signature;

pub mod among;
pub mod at_most;
pub mod ban;
pub mod datastore_budget;
pub mod deadline;
pub mod fence;
pub mod ft;
pub mod gather;
pub mod killed;
pub mod lonely;
pub mod max_migrations;
pub mod max_online;
pub mod migration_budget;
pub mod no_delay;
pub mod offline;
pub mod online;
pub mod overbook;
pub mod power_cap;
pub mod precedence;
pub mod preserve;
pub mod quarantine;
pub mod ready;
pub mod resource_capacity;
pub mod root;
pub mod running;
pub mod running_capacity;
pub mod seq;
pub mod serialize;
pub mod sleeping;
pub mod split;
pub mod split_among;
pub mod spread;
pub mod sync;

pub use argument::Argument;
pub use argument::Kind;
pub use argument::Param;
pub use argument::Ratio;
pub use argument::Timestamp;
pub use argument::VmSequence;
pub use manual::manual_page;
pub use shared::list;
pub use signature::BtrPlaceFlag;
pub use signature::Build;
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
use shared::disjoint;
use shared::group_of;
use shared::hosts;
use shared::node_goal;
use shared::node_names;
#[cfg(test)]
use shared::over;
use shared::runs_on_none;
use shared::union;
use shared::vm_goal;
use shared::vm_names;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Every constraint of the catalog, by name.
pub static REGISTRY: &[&Signature] = &[
    &among::Among::SIGNATURE,
    &at_most::AtMost::SIGNATURE,
    &ban::Ban::SIGNATURE,
    &datastore_budget::DatastoreBudget::SIGNATURE,
    &deadline::Deadline::SIGNATURE,
    &fence::Fence::SIGNATURE,
    &ft::Ft::SIGNATURE,
    &gather::Gather::SIGNATURE,
    &killed::Killed::SIGNATURE,
    &lonely::Lonely::SIGNATURE,
    &max_migrations::MaxMigrations::SIGNATURE,
    &max_online::MaxOnline::SIGNATURE,
    &migration_budget::MigrationBudget::SIGNATURE,
    &no_delay::NoDelay::SIGNATURE,
    &offline::Offline::SIGNATURE,
    &online::Online::SIGNATURE,
    &overbook::Overbook::SIGNATURE,
    &power_cap::PowerCap::SIGNATURE,
    &precedence::Precedence::SIGNATURE,
    &preserve::Preserve::SIGNATURE,
    &quarantine::Quarantine::SIGNATURE,
    &ready::Ready::SIGNATURE,
    &resource_capacity::ResourceCapacity::SIGNATURE,
    &root::Root::SIGNATURE,
    &running::Running::SIGNATURE,
    &running_capacity::RunningCapacity::SIGNATURE,
    &seq::Seq::SIGNATURE,
    &serialize::Serialize::SIGNATURE,
    &sleeping::Sleeping::SIGNATURE,
    &split::Split::SIGNATURE,
    &split_among::SplitAmong::SIGNATURE,
    &spread::Spread::SIGNATURE,
    &sync::Sync::SIGNATURE,
];

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

impl Restriction {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Restriction::Discrete => "discrete",
            Restriction::Continuous => "continuous",
        }
    }
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
    ///
    /// Sets may be given in any order and with duplicates; they are put in order here.
    pub fn new(rule: impl SideConstraint) -> Self {
        let signature = rule.signature();
        let arguments = rule.arguments();
        let rule: Arc<dyn SideConstraint> = if arguments.iter().all(Argument::is_normal) {
            Arc::new(rule)
        } else {
            // Rules rely on sorted sets. A rule that its own `build` refuses is kept as
            // it is: `fits` reports it.
            let arguments: Vec<Argument> = arguments.into_iter().map(Argument::normal).collect();
            (signature.build)(&arguments).unwrap_or_else(|_| Arc::new(rule))
        };
        Self { rule, restriction: signature.restrictions.default(), strength: Strength::Hard }
    }

    /// A constraint from what a reader found: one argument for each parameter of the
    /// signature, and the restriction, where one is given.
    ///
    /// # Errors
    /// When the arguments do not fit the signature, or each other; when the signature
    /// allows neither the restriction nor the strength.
    pub fn from_parts(
        signature: &Signature,
        arguments: Vec<Argument>,
        restriction: Option<Restriction>,
        strength: Strength,
    ) -> Result<Self, String> {
        let arguments: Vec<Argument> = arguments.into_iter().map(Argument::normal).collect();
        let rule = (signature.build)(&arguments)?;
        let constraint =
            Self { rule, restriction: signature.restrictions.default(), strength: Strength::Hard }
                .restricted(restriction.unwrap_or(signature.restrictions.default()))?;
        match strength {
            Strength::Hard => Ok(constraint),
            Strength::Soft(penalty) => constraint.soft(penalty),
        }
    }

    /// Does it speak of VMs, nodes and resources of the instance only, and, if it is of
    /// the catalog, do its arguments go together? Readers guarantee it; programs may err.
    /// Linear in the number of arguments.
    ///
    /// # Errors
    /// What does not fit.
    pub fn fits(&self, instance: &Instance) -> Result<(), String> {
        let found = self.rule.signature();
        let arguments = self.rule.arguments();
        for (parameter, argument) in (found.parameters)().iter().zip(&arguments) {
            if !argument.is_within(instance) {
                return Err(format!(
                    "`{}` of `{}` names what the instance does not have",
                    parameter.name, found.name
                ));
            }
        }
        // A rule from elsewhere need not be buildable from arguments.
        match signature(found.name) {
            Some(known) => {
                (known.build)(&arguments).map_err(|message| format!("`{}`: {message}", found.name))?;
                Ok(())
            }
            None => Ok(()),
        }
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
            return Err(format!("`{}` cannot be {}", signature.name, restriction.name()));
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
            && self.rule.signature().name == other.rule.signature().name
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

impl Violation {
    /// A violation; the VMs and nodes are put in order, each once.
    pub fn new(amount: u64, mut vms: Vec<VmId>, mut nodes: Vec<NodeId>, text: String) -> Self {
        vms.sort_unstable();
        vms.dedup();
        nodes.sort_unstable();
        nodes.dedup();
        Self { amount: amount.max(1), vms, nodes, text }
    }
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
    /// These nodes: their phase, their guests, those guests' demands and where they move.
    Nodes(Cow<'a, [NodeId]>),
    /// These VMs, and whoever shares a node with one of them.
    Neighbours(Cow<'a, [VmId]>),
    /// Anything at all.
    Everything,
}

impl<'a> Watch<'a> {
    /// One VM.
    pub fn vm(vm: &'a VmId) -> Self {
        Watch::Vms(Cow::Borrowed(std::slice::from_ref(vm)))
    }

    /// One node.
    pub fn node(node: &'a NodeId) -> Self {
        Watch::Nodes(Cow::Borrowed(std::slice::from_ref(node)))
    }
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

    /// Does `holds_over` speak of moments of the clock, which a delay may break whatever the
    /// order of actions? Rules about order alone are kept however long actions take, and the
    /// checker asks them again with other durations.
    fn is_about_moments(&self) -> bool {
        false
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::NodeSet;
    use crate::model::VmSet;
    use std::collections::BTreeSet;

    /// An argument of a kind; sets of sets are disjoint.
    fn sample(kind: Kind) -> Argument {
        let vms = |ids: &[u32]| -> VmSet { ids.iter().copied().map(VmId).collect() };
        let nodes = |ids: &[u32]| -> NodeSet { ids.iter().copied().map(NodeId).collect() };
        match kind {
            Kind::Vm => Argument::Vm(VmId(1)),
            Kind::Node => Argument::Node(NodeId(1)),
            Kind::Vms => Argument::Vms(vms(&[0, 2])),
            Kind::VmList => Argument::VmList(vms(&[2, 0, 1])),
            Kind::Nodes => Argument::Nodes(nodes(&[0, 1])),
            Kind::VmSets => Argument::VmSets([vms(&[0, 1]), vms(&[2])].into()),
            Kind::NodeSets => Argument::NodeSets([nodes(&[1]), nodes(&[0, 2])].into()),
            Kind::Resource => Argument::Resource(ResourceId(0)),
            Kind::Amount => Argument::Amount(2),
            Kind::Ratio => Argument::Ratio(Ratio::new(1.5).expect("a ratio")),
            Kind::Time => Argument::Time(Timestamp::Relative(90)),
            Kind::Word(choices) => Argument::Word(choices[0].to_owned()),
        }
    }

    fn sample_rule(signature: &Signature) -> (Vec<Argument>, Arc<dyn SideConstraint>) {
        let arguments: Vec<Argument> =
            (signature.parameters)().iter().map(|parameter| sample(parameter.kind)).collect();
        let rule = (signature.build)(&arguments).unwrap_or_else(|e| panic!("{}: {e}", signature.name));
        (arguments, rule)
    }

    fn instance() -> Instance {
        let mut b = InstanceBuilder::new();
        b.resource_with_defaults("cpu", 100, 1);
        let node = b.node("n0");
        b.node("n1");
        b.node("n2");
        for name in ["v0", "v1", "v2"] {
            let vm = b.running_vm(name, node);
            b.vm_attribute(vm, "datastore", crate::model::Value::Text("lun".into()));
        }
        b.build().expect("a valid instance")
    }

    #[test]
    fn the_registry_is_sorted_and_complete() {
        let names: Vec<&str> = REGISTRY.iter().map(|signature| signature.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/constraint");
        let mut files = BTreeSet::new();
        for entry in std::fs::read_dir(folder).expect("the folder of constraints") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            if !["argument", "manual", "shared", "signature"].contains(&stem.as_str()) {
                let source = std::fs::read_to_string(&path).expect("a readable file");
                let name = source.split('`').nth(1).expect("a name in the first line").to_owned();
                let snake: String = name
                    .chars()
                    .flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()))
                    .collect();
                assert_eq!(snake, stem);
                files.insert(name);
            }
        }
        assert_eq!(names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), files);
    }

    #[test]
    fn every_page_has_its_headings() {
        let headings = [
            "# Meaning",
            "# Discrete and continuous",
            "# In the language",
            "# In JSON",
            "# Compiles to",
            "# Cost",
            "# See also",
        ];
        for signature in REGISTRY {
            let page = manual_page(signature);
            let found: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
            assert_eq!(found, headings, "{}", signature.name);
            assert!(page.starts_with(&format!("`{}`: ", signature.name)), "{}", signature.name);
        }
    }

    #[test]
    fn the_json_of_every_page_names_the_parameters() {
        for signature in REGISTRY {
            let page = manual_page(signature);
            let json = page.split("# In JSON\n`").nth(1).and_then(|rest| rest.split("`\n").next());
            let json: serde_json::Value = serde_json::from_str(json.expect("an example")).expect("JSON");
            let mut found: Vec<&str> =
                json[signature.name].as_object().expect("an object").keys().map(String::as_str).collect();
            let either = matches!(signature.restrictions, Restrictions::Both(_));
            assert_eq!(found.last() == Some(&"continuous"), either, "{}", signature.name);
            found.retain(|&key| key != "continuous");
            let names: Vec<&str> = (signature.parameters)().iter().map(|parameter| parameter.name).collect();
            assert_eq!(found, names, "{}", signature.name);
        }
    }

    #[test]
    fn every_signature_builds_what_it_describes() {
        let instance = instance();
        for signature in REGISTRY {
            let (arguments, rule) = sample_rule(signature);
            assert_eq!(rule.arguments(), arguments, "{}", signature.name);
            assert_eq!(rule.signature().name, signature.name);
            assert!((signature.build)(&[]).is_err(), "{}", signature.name);
            let constraint = Constraint::from_parts(signature, arguments, None, Strength::Hard);
            let constraint = constraint.unwrap_or_else(|e| panic!("{}: {e}", signature.name));
            assert_eq!(constraint.fits(&instance), Ok(()), "{}", signature.name);
            assert_eq!(constraint.clone().soft(3).is_ok(), signature.may_be_soft, "{}", signature.name);
            for parameter in (signature.parameters)() {
                if let Some(default) = parameter.default {
                    let same =
                        std::mem::discriminant(&default()) == std::mem::discriminant(&sample(parameter.kind));
                    assert!(same, "{}.{}", signature.name, parameter.name);
                }
            }
        }
    }

    #[test]
    fn restrictions_as_in_the_catalog() {
        for signature in REGISTRY {
            let expected = match signature.name {
                "running" | "ready" | "sleeping" | "killed" | "online" | "offline" | "preserve"
                | "runningCapacity" | "noDelay" => Restrictions::Discrete,
                "root" | "quarantine" | "seq" | "deadline" | "precedence" | "serialize" | "sync"
                | "maxMigrations" | "migrationBudget" | "datastoreBudget" | "powerCap" => {
                    Restrictions::Continuous
                }
                "spread" | "atMost" | "overbook" => Restrictions::Both(Restriction::Continuous),
                _ => Restrictions::Both(Restriction::Discrete),
            };
            assert_eq!(signature.restrictions, expected, "{}", signature.name);
        }
    }

    #[test]
    fn every_rule_says_something_to_the_planner() {
        for signature in REGISTRY {
            let mut instance = instance();
            let (_, rule) = sample_rule(signature);
            let restriction = signature.restrictions.default();
            instance.add_constraint(Constraint { rule, restriction, strength: Strength::Hard });
            let posted = Builder::post_all(&instance);
            let facts = posted.states.len()
                + posted.nodes.len()
                + posted.demands.len()
                + posted.overbooks.len()
                + posted.relations.len();
            assert_eq!(facts, 1, "{}", signature.name);
        }
    }

    #[test]
    fn no_rule_over_empty_sets_is_broken() {
        let instance = instance();
        let at = Configuration::source(&instance);
        for signature in REGISTRY {
            let empty = |parameter: Parameter| match parameter.kind {
                Kind::Vms => Some(Argument::Vms([].into())),
                Kind::VmList => Some(Argument::VmList([].into())),
                Kind::Nodes => Some(Argument::Nodes([].into())),
                Kind::VmSets => Some(Argument::VmSets([].into())),
                Kind::NodeSets => Some(Argument::NodeSets([].into())),
                Kind::Vm if signature.name == "fence" => None,
                Kind::Vm | Kind::Node => {
                    (signature.parameters)().len().gt(&1).then(|| sample(parameter.kind))
                }
                kind => Some(sample(kind)),
            };
            let Some(arguments) = (signature.parameters)().into_iter().map(empty).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let rule = (signature.build)(&arguments).unwrap_or_else(|e| panic!("{}: {e}", signature.name));
            if !["preserve", "overbook", "deadline", "precedence"].contains(&signature.name) {
                assert_eq!(rule.holds(&at), Ok(()), "{}", signature.name);
            }
        }
    }

    #[test]
    fn sets_are_put_in_order_and_strangers_found() {
        let instance = instance();
        let [v0, v1] = [VmId(0), VmId(1)];
        let given = Constraint::new(spread::Spread { vms: [v1, v0, v1].into() });
        assert_eq!(given, Constraint::new(spread::Spread { vms: [v0, v1].into() }));
        let unknown = Constraint::new(spread::Spread { vms: [v0, VmId(3)].into() });
        assert!(unknown.fits(&instance).is_err());
        let parts = [[v0, v1].into(), [v1].into()].into();
        assert!(Constraint::new(split::Split { parts }).fits(&instance).is_err());
        let ordered = seq::Seq { vms: VmSequence([v1, v0].into()) };
        assert_eq!(Constraint::new(ordered).rule.arguments(), [Argument::VmList([v1, v0].into())]);
    }
}

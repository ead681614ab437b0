//! Small rules of every kind that the checker has to deal with.

use crate::compile::Builder;
use crate::constraint::Argument;
use crate::constraint::BtrPlaceFlag;
use crate::constraint::Constraint;
use crate::constraint::Described;
use crate::constraint::Restriction;
use crate::constraint::Restrictions;
use crate::constraint::SideConstraint;
use crate::constraint::Signature;
use crate::constraint::Strength;
use crate::constraint::Violation;
use crate::constraint::Watch;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::ResourceId;
use crate::model::Run;
use crate::model::VmId;
use crate::model::VmSet;
use crate::model::VmState;
use std::borrow::Cow;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// The VM ends in this state.
    State(VmId, VmState),
    /// Wants the state, and is silent about it in `holds`.
    SilentState(VmId, VmState),
    /// The node ends on (or off).
    Node(NodeId, bool),
    /// If it runs, the VM holds at least so much.
    AtLeast(VmId, ResourceId, u64),
    /// The node carries up to so much, whatever its capacity.
    Limit(NodeId, ResourceId, u64),
    /// Running members only on these nodes; the amount is the number of seats elsewhere.
    Within(VmSet, NodeSet),
    /// Whoever shares a node with a running member is one too.
    Alone(VmSet),
    /// So many of the nodes are powered at most.
    Powered(NodeSet, u64),
    /// The nodes together carry so much at most.
    Load(NodeSet, ResourceId, u64),
    /// So many VMs run at most.
    Running(u64),
    /// All actions on the VM start at 0.
    AtOnce(VmId),
}

impl Rule {
    pub(super) fn with(self, restriction: Restriction, strength: Strength) -> Constraint {
        Constraint { rule: Arc::new(self), restriction, strength }
    }

    pub(super) fn discrete(self) -> Constraint {
        self.with(Restriction::Discrete, Strength::Hard)
    }

    pub(super) fn continuous(self) -> Constraint {
        self.with(Restriction::Continuous, Strength::Hard)
    }
}

impl Described for Rule {
    fn signature(&self) -> &'static Signature {
        static SIGNATURE: Signature = Signature {
            name: "rule",
            btrplace: None,
            btrplace_flag: BtrPlaceFlag::Absent,
            parameters: Vec::new,
            restrictions: Restrictions::Both(Restriction::Discrete),
            may_be_soft: true,
            source: "",
            build: |_| Err("a rule of the tests".to_owned()),
        };
        &SIGNATURE
    }

    fn arguments(&self) -> Vec<Argument> {
        Vec::new()
    }
}

fn at_most(amount: u64, most: u64, vms: &[VmId], nodes: &[NodeId]) -> Result<(), Violation> {
    if amount <= most {
        return Ok(());
    }
    let text = format!("{amount} instead of {most}");
    Err(Violation { amount: amount - most, vms: vms.to_vec(), nodes: nodes.to_vec(), text })
}

impl SideConstraint for Rule {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        match self {
            Rule::State(vm, state) => at_most(u64::from(at.state(*vm) != *state), 0, &[*vm], &[]),
            Rule::Node(node, on) => at_most(u64::from(at.is_online(*node) != *on), 0, &[], &[*node]),
            Rule::AtLeast(vm, resource, least) => {
                let held = if at.is_running(*vm) { at.demand(*vm, *resource) } else { *least };
                at_most(least.saturating_sub(held), 0, &[*vm], &[])
            }
            Rule::Within(vms, nodes) => {
                let seats = vms.iter().flat_map(|&vm| at.hosts(vm));
                at_most(seats.filter(|node| !nodes.contains(node)).count() as u64, 0, vms, &[])
            }
            Rule::Alone(vms) => {
                let mut nodes: Vec<NodeId> = vms.iter().flat_map(|&vm| at.hosts(vm)).collect();
                nodes.sort_unstable();
                nodes.dedup();
                let strangers = nodes.iter().flat_map(|&node| at.guests(node)).filter(|vm| !vms.contains(vm));
                at_most(strangers.count() as u64, 0, vms, &[])
            }
            Rule::Powered(nodes, most) => {
                let powered = nodes.iter().filter(|&&node| at.is_powered(node)).count();
                at_most(powered as u64, *most, &[], nodes)
            }
            Rule::Load(nodes, resource, most) => {
                let load = nodes.iter().fold(0u64, |sum, &node| sum.saturating_add(at.load(node, *resource)));
                at_most(load, *most, &[], nodes)
            }
            Rule::Running(most) => {
                let running = at.instance().vm_ids().filter(|&vm| at.is_running(vm)).count();
                at_most(running as u64, *most, &[], &[])
            }
            Rule::SilentState(..) | Rule::Limit(..) | Rule::AtOnce(_) => Ok(()),
        }
    }

    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let Rule::AtOnce(vm) = self else { return Ok(()) };
        at_most(run.actions_of(*vm).map(|action| action.start).max().unwrap_or(0), 0, &[*vm], &[])
    }

    fn wants(&self) -> Option<(VmId, VmState)> {
        match self {
            Rule::State(vm, state) | Rule::SilentState(vm, state) => Some((*vm, *state)),
            _ => None,
        }
    }

    fn is_goal(&self) -> bool {
        matches!(self, Rule::State(..) | Rule::SilentState(..) | Rule::Node(..) | Rule::AtLeast(..))
    }

    fn limit(&self, _: &Instance) -> Option<(NodeId, ResourceId, u64)> {
        match *self {
            Rule::Limit(node, resource, most) => Some((node, resource, most)),
            _ => None,
        }
    }

    fn watch(&self) -> Watch<'_> {
        match self {
            Rule::State(vm, _) | Rule::AtLeast(vm, ..) => Watch::Vms(Cow::Owned(vec![*vm])),
            Rule::Node(node, _) => Watch::Nodes(Cow::Owned(vec![*node])),
            Rule::Within(vms, _) => Watch::Vms(Cow::Borrowed(vms)),
            Rule::Alone(vms) => Watch::Neighbours(Cow::Borrowed(vms)),
            Rule::Powered(nodes, _) | Rule::Load(nodes, ..) => Watch::Nodes(Cow::Borrowed(nodes)),
            Rule::Running(_) => Watch::Everything,
            Rule::SilentState(..) | Rule::Limit(..) | Rule::AtOnce(_) => Watch::Nothing,
        }
    }

    fn post(&self, _: &mut Builder<'_>) {}
}

//! The kinds of arguments that constraints take.

use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The kind of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One VM.
    Vm,
    /// One node.
    Node,
    /// A set of VMs: sorted, without duplicates.
    Vms,
    /// A list of VMs: order matters, no VM twice.
    VmList,
    /// A set of nodes: sorted, without duplicates.
    Nodes,
    /// Disjoint sets of VMs.
    VmSets,
    /// Sets of nodes.
    NodeSets,
    /// A resource of the instance.
    Resource,
    /// A whole number, 0 or more.
    Amount,
    /// A number with a fraction, 1 or more.
    Ratio,
    /// A moment: `+hh:mm:ss` from the start of the plan.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value for a parameter.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "one per kind")]
pub enum Argument {
    Vm(VmId),
    Node(NodeId),
    Vms(VmSet),
    VmList(VmSet),
    Nodes(NodeSet),
    VmSets(Arc<[VmSet]>),
    NodeSets(Arc<[NodeSet]>),
    Resource(ResourceId),
    Amount(u64),
    Ratio(Ratio),
    Time(Timestamp),
    Word(String),
}

impl Argument {
    /// Each node that it names, sets included.
    pub fn for_each_node(&self, mut each: impl FnMut(NodeId)) {
        match self {
            Argument::Node(node) => each(*node),
            Argument::Nodes(nodes) => nodes.iter().copied().for_each(each),
            Argument::NodeSets(sets) => sets.iter().flat_map(|set| set.iter().copied()).for_each(each),
            _ => {}
        }
    }

    /// Each VM that it names, sets and lists included.
    pub fn for_each_vm(&self, mut each: impl FnMut(VmId)) {
        match self {
            Argument::Vm(vm) => each(*vm),
            Argument::Vms(vms) | Argument::VmList(vms) => vms.iter().copied().for_each(each),
            Argument::VmSets(sets) => sets.iter().flat_map(|set| set.iter().copied()).for_each(each),
            _ => {}
        }
    }

    /// Are its sets in order, each element once? Lists are always normal.
    pub fn is_normal(&self) -> bool {
        match self {
            Argument::Vms(vms) => vms.is_sorted_by(|a, b| a < b),
            Argument::Nodes(nodes) => nodes.is_sorted_by(|a, b| a < b),
            Argument::VmSets(sets) => sets.iter().all(|set| set.is_sorted_by(|a, b| a < b)),
            Argument::NodeSets(sets) => sets.iter().all(|set| set.is_sorted_by(|a, b| a < b)),
            _ => true,
        }
    }

    /// The same with its sets in order, each element once. Sets that are so already
    /// stay shared.
    pub fn normal(self) -> Self {
        fn set<T: Ord + Copy>(set: &Arc<[T]>) -> Arc<[T]> {
            if set.is_sorted_by(|a, b| a < b) {
                return set.clone();
            }
            let mut elements = set.to_vec();
            elements.sort_unstable();
            elements.dedup();
            elements.into()
        }
        if self.is_normal() {
            return self;
        }
        match self {
            Argument::Vms(vms) => Argument::Vms(set(&vms)),
            Argument::Nodes(nodes) => Argument::Nodes(set(&nodes)),
            Argument::VmSets(sets) => Argument::VmSets(sets.iter().map(set).collect()),
            Argument::NodeSets(sets) => Argument::NodeSets(sets.iter().map(set).collect()),
            other => other,
        }
    }

    /// Are all its VMs, nodes and resources in the instance?
    pub fn is_within(&self, instance: &Instance) -> bool {
        let vm = |vm: &VmId| vm.index() < instance.vm_count();
        let node = |node: &NodeId| node.index() < instance.node_count();
        match self {
            Argument::Vm(one) => vm(one),
            Argument::Node(one) => node(one),
            Argument::Vms(vms) | Argument::VmList(vms) => vms.iter().all(vm),
            Argument::Nodes(nodes) => nodes.iter().all(node),
            Argument::VmSets(sets) => sets.iter().flat_map(|set| set.iter()).all(vm),
            Argument::NodeSets(sets) => sets.iter().flat_map(|set| set.iter()).all(node),
            Argument::Resource(resource) => resource.index() < instance.resource_count(),
            Argument::Amount(_) | Argument::Ratio(_) | Argument::Time(_) | Argument::Word(_) => true,
        }
    }
}

/// A finite number of at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

impl Ratio {
    /// # Errors
    /// When it is below 1, above 10^6 or not a number.
    pub fn new(value: f64) -> Result<Self, String> {
        if (1.0..=1.0e6).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is not a ratio from 1 to 1000000"))
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// `floor(amount × ratio)`, saturating.
    pub fn times(self, amount: u64) -> u64 {
        // Whole ratios stay exact beyond the 53 bits of a float.
        if self.0.fract() == 0.0 {
            return amount.saturating_mul(self.0 as u64);
        }
        (amount as f64 * self.0).floor() as u64
    }
}

/// A moment, in seconds: from the start of the plan, or of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// `+hh:mm:ss`: seconds from the start of the plan.
    Relative(u64),
    /// `hh:mm:ss`: seconds from midnight. It needs to be told when the plan starts.
    OfDay(u32),
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail =
            || format!("`{text}` is not a moment; expected `+hh:mm:ss`, or `hh:mm:ss` for a time of day");
        let (relative, digits) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut parts = [0u64; 3];
        let mut pieces = digits.split(':');
        for part in &mut parts {
            let piece = pieces.next().ok_or_else(fail)?;
            if piece.is_empty() || piece.len() > 6 || !piece.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(fail());
            }
            *part = piece.parse().map_err(|_| fail())?;
        }
        let [hours, minutes, seconds] = parts;
        if pieces.next().is_some() || minutes > 59 || seconds > 59 || (!relative && hours > 23) {
            return Err(fail());
        }
        let total = hours * 3600 + minutes * 60 + seconds;
        Ok(if relative { Timestamp::Relative(total) } else { Timestamp::OfDay(total as u32) })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, total) = match *self {
            Timestamp::Relative(total) => ("+", total),
            Timestamp::OfDay(total) => ("", u64::from(total)),
        };
        write!(f, "{sign}{:02}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60)
    }
}

/// A Rust type that a parameter may have: the bridge between the fields of a
/// constraint and [`Argument`].
pub trait Param: Sized + Clone + fmt::Debug {
    /// The kind; `choices` is for words only.
    fn kind(choices: &'static [&'static str]) -> Kind;
    /// As an argument.
    fn to_argument(&self) -> Argument;
    /// From an argument of the right kind.
    fn from_argument(argument: &Argument) -> Option<Self>;
}

macro_rules! param {
    ($type:ty, $kind:ident) => {
        impl Param for $type {
            fn kind(_: &'static [&'static str]) -> Kind {
                Kind::$kind
            }
            fn to_argument(&self) -> Argument {
                Argument::$kind(self.clone())
            }
            fn from_argument(argument: &Argument) -> Option<Self> {
                match argument {
                    Argument::$kind(value) => Some(value.clone()),
                    _ => None,
                }
            }
        }
    };
}
param!(VmId, Vm);
param!(NodeId, Node);
param!(VmSet, Vms);
param!(NodeSet, Nodes);
param!(Arc<[VmSet]>, VmSets);
param!(Arc<[NodeSet]>, NodeSets);
param!(ResourceId, Resource);
param!(u64, Amount);
param!(Ratio, Ratio);
param!(Timestamp, Time);

/// An ordered list of VMs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmSequence(pub VmSet);

impl Param for VmSequence {
    fn kind(_: &'static [&'static str]) -> Kind {
        Kind::VmList
    }
    fn to_argument(&self) -> Argument {
        Argument::VmList(self.0.clone())
    }
    fn from_argument(argument: &Argument) -> Option<Self> {
        match argument {
            Argument::VmList(vms) => Some(Self(vms.clone())),
            _ => None,
        }
    }
}

impl Param for String {
    fn kind(choices: &'static [&'static str]) -> Kind {
        Kind::Word(choices)
    }
    fn to_argument(&self) -> Argument {
        Argument::Word(self.clone())
    }
    fn from_argument(argument: &Argument) -> Option<Self> {
        match argument {
            Argument::Word(word) => Some(word.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!("+00:01:30".parse(), Ok(Timestamp::Relative(90)));
        assert_eq!("+12:00:00".parse(), Ok(Timestamp::Relative(43_200)));
        assert_eq!("23:59:59".parse(), Ok(Timestamp::OfDay(86_399)));
        for bad in ["", "+", "24:00:00", "+1:2", "+00:60:00", "+00:00:-1", "+a:b:c", "+99999999:00:00"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
        assert_eq!(Timestamp::Relative(3725).to_string(), "+01:02:05");
    }

    #[test]
    fn ratios() {
        assert!(Ratio::new(0.5).is_err());
        assert!(Ratio::new(f64::NAN).is_err());
        assert_eq!(Ratio::new(1.5).map(|ratio| ratio.times(7)), Ok(10));
    }
}

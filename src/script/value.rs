//! Values: numbers, texts, VMs, nodes, and sets of them.
//!
//! A set is one array, in the order in which its members were named. Copies share it.

use super::limits;
use crate::model::NodeId;
use crate::model::VmId;
pub(super) use quadrille_dsl::Number;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::fmt::Write as _;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// What a value, or a member of a set, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Vm,
    Node,
    Number,
    Text,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Vm => "vm",
            Kind::Node => "node",
            Kind::Number => "number",
            Kind::Text => "string",
        }
    }
}

/// The kind of what is in the innermost sets, and how many sets are around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    /// None where a set is empty and was never anything else.
    pub(super) kind: Option<Kind>,
    pub(super) degree: u32,
}

impl Type {
    /// May members of both be in one set? What is empty fits everywhere.
    pub(super) fn fits(self, other: Self) -> bool {
        match (self.kind, other.kind) {
            (None, _) | (_, None) => self.degree > 0 && other.degree > 0,
            _ => self == other,
        }
    }

    pub(super) fn name(self) -> String {
        let kind = self.kind.map_or("", Kind::name);
        let mut name = "set<".repeat(self.degree as usize);
        name.push_str(kind);
        name.extend(std::iter::repeat_n('>', self.degree as usize));
        name
    }
}

/// What an expression gives.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// The expression was faulty, which has been said; whatever is done with it is right.
    Unknown,
    Number(Number),
    Text(Arc<str>),
    Vm(VmId),
    Node(NodeId),
    Set(Set),
}

impl Value {
    pub(super) const fn integer(value: i64) -> Self {
        Value::Number(Number::Integer(value, 10))
    }

    pub(super) fn boolean(value: bool) -> Self {
        Value::integer(i64::from(value))
    }

    /// None of [`Value::Unknown`].
    pub(super) fn shape(&self) -> Option<Type> {
        let scalar = |kind| Some(Type { kind: Some(kind), degree: 0 });
        match self {
            Value::Unknown => None,
            Value::Number(_) => scalar(Kind::Number),
            Value::Text(_) => scalar(Kind::Text),
            Value::Vm(_) => scalar(Kind::Vm),
            Value::Node(_) => scalar(Kind::Node),
            Value::Set(set) => Some(set.shape),
        }
    }

    /// For messages: `vm`, `set<set<node>>`.
    pub(super) fn type_name(&self) -> String {
        self.shape().map_or_else(|| "unknown".to_owned(), Type::name)
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }

    /// So much work it is to look at it.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Value::Set(set) => set.len() as u64,
            _ => 1,
        }
    }

    /// As text, with the names that `names` knows; cut where it is too long.
    pub(super) fn text(&self, names: &dyn Names) -> String {
        let mut text = String::new();
        self.write(names, &mut text);
        text
    }

    fn write(&self, names: &dyn Names, text: &mut String) {
        match self {
            Value::Unknown => {}
            Value::Number(number) => write_number(*number, text),
            Value::Text(value) => text.push_str(value),
            Value::Vm(vm) => text.push_str(names.vm_name(*vm)),
            Value::Node(node) => {
                let name = names.node_name(*node);
                if !name.starts_with('@') {
                    text.push('@');
                }
                text.push_str(name);
            }
            Value::Set(set) => {
                text.push('{');
                for (at, member) in set.members().enumerate() {
                    if text.len() > limits::TEXT {
                        break;
                    }
                    if at > 0 {
                        text.push_str(", ");
                    }
                    member.write(names, text);
                }
                text.push('}');
            }
        }
    }
}

/// Who knows what VMs and nodes are called.
pub(super) trait Names {
    fn vm_name(&self, vm: VmId) -> &str;
    fn node_name(&self, node: NodeId) -> &str;
}

/// A number as it becomes part of a name: in its base, without prefix.
pub(super) fn write_number(number: Number, text: &mut String) {
    // Writing to a string does not fail.
    let _ = match number {
        Number::Integer(value, base) => {
            let sign = if value < 0 { "-" } else { "" };
            let size = value.unsigned_abs();
            match base {
                16 => write!(text, "{sign}{size:x}"),
                8 => write!(text, "{sign}{size:o}"),
                _ => write!(text, "{sign}{size}"),
            }
        }
        Number::Float(value) => write!(text, "{value:?}"),
    };
}

/// A number without its base, the same for `2` and `2.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum NumberKey {
    Integer(i64),
    Bits(u64),
}

pub(super) fn number_key(number: Number) -> NumberKey {
    match number {
        Number::Integer(value, _) => NumberKey::Integer(value),
        Number::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
            NumberKey::Integer(value as i64)
        }
        Number::Float(value) => NumberKey::Bits(value.to_bits()),
    }
}

/// As a float, for comparisons and mixed arithmetic.
pub(super) fn float(number: Number) -> f64 {
    match number {
        Number::Integer(value, _) => value as f64,
        Number::Float(value) => value,
    }
}

/// The members of a set.
#[derive(Clone, Debug)]
pub(super) enum Items {
    Empty,
    Vms(Arc<[VmId]>),
    Nodes(Arc<[NodeId]>),
    Numbers(Arc<[Number]>),
    Texts(Arc<[Arc<str>]>),
    Sets(Arc<[Set]>),
}

/// An ordered set.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) items: Items,
    pub(super) shape: Type,
    charge: Option<Arc<Charge>>,
}

/// Does something with the members, whatever they are.
macro_rules! each_kind {
    ($items:expr, $members:ident => $body:expr, $empty:expr) => {
        match $items {
            $crate::script::value::Items::Empty => $empty,
            $crate::script::value::Items::Vms($members) => $body,
            $crate::script::value::Items::Nodes($members) => $body,
            $crate::script::value::Items::Numbers($members) => $body,
            $crate::script::value::Items::Texts($members) => $body,
            $crate::script::value::Items::Sets($members) => $body,
        }
    };
}
pub(super) use each_kind;

impl Set {
    /// Of members that are of this type less one degree.
    pub(super) fn new(items: Items, shape: Type) -> Self {
        Self { items, shape, charge: None }
    }

    /// `{}`.
    pub(super) fn empty() -> Self {
        Self::new(Items::Empty, Type { kind: None, degree: 1 })
    }

    pub(super) fn of_vms(vms: impl Into<Arc<[VmId]>>) -> Self {
        Self::new(Items::Vms(vms.into()), Type { kind: Some(Kind::Vm), degree: 1 })
    }

    pub(super) fn of_nodes(nodes: impl Into<Arc<[NodeId]>>) -> Self {
        Self::new(Items::Nodes(nodes.into()), Type { kind: Some(Kind::Node), degree: 1 })
    }

    /// The set of one scalar; none of sets and of what is unknown.
    pub(super) fn of_scalar(value: &Value) -> Option<Self> {
        let items = match value {
            Value::Number(number) => Items::Numbers([*number].into()),
            Value::Text(text) => Items::Texts([text.clone()].into()),
            Value::Vm(vm) => Items::Vms([*vm].into()),
            Value::Node(node) => Items::Nodes([*node].into()),
            Value::Unknown | Value::Set(_) => return None,
        };
        let kind = value.shape()?.kind;
        Some(Self::new(items, Type { kind, degree: 1 }))
    }

    pub(super) fn len(&self) -> usize {
        each_kind!(&self.items, members => members.len(), 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A member by position.
    pub(super) fn get(&self, at: usize) -> Option<Value> {
        Some(match &self.items {
            Items::Empty => return None,
            Items::Vms(members) => Value::Vm(*members.get(at)?),
            Items::Nodes(members) => Value::Node(*members.get(at)?),
            Items::Numbers(members) => Value::Number(*members.get(at)?),
            Items::Texts(members) => Value::Text(members.get(at)?.clone()),
            Items::Sets(members) => Value::Set(members.get(at)?.clone()),
        })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The members in an order that does not depend on how they were named.
    pub(super) fn canon(&self) -> Canon {
        fn sorted<T: Member>(members: &[T]) -> Box<[T::Key]> {
            let mut keys: Vec<T::Key> = members.iter().map(Member::key).collect();
            keys.sort_unstable();
            keys.into()
        }
        match &self.items {
            _ if self.is_empty() => Canon::Empty,
            Items::Empty => Canon::Empty,
            Items::Vms(members) => Canon::Ids(sorted(members)),
            Items::Nodes(members) => Canon::Ids(sorted(members)),
            Items::Numbers(members) => Canon::Numbers(sorted(members)),
            Items::Texts(members) => Canon::Texts(sorted(members)),
            Items::Sets(members) => Canon::Sets(sorted(members)),
        }
    }

    /// The same members, in whatever order? Sets of other types differ, unless both are empty.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.shape.fits(other.shape) && self.len() == other.len() && self.canon() == other.canon()
    }

    /// Bytes that it holds and nobody has counted.
    fn bytes(&self) -> u64 {
        if self.charge.is_some() {
            return 0;
        }
        let (count, size) =
            each_kind!(&self.items, members => (members.len(), size_of_val(&**members)), (0, 0));
        let own = size as u64 + 16 * u64::from(count > 0);
        match &self.items {
            Items::Sets(members) => own + members.iter().map(Set::bytes).sum::<u64>(),
            _ => own,
        }
    }

    /// Counts what it holds, until the last copy is dropped. False where that is too much.
    pub(super) fn charge(&mut self, meter: &Meter) -> bool {
        /// Smaller sets are too many to be counted.
        const SMALL: u64 = 256;
        let bytes = self.bytes();
        if bytes < SMALL {
            return true;
        }
        let held = meter.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        self.charge = Some(Arc::new(Charge { bytes, meter: meter.clone() }));
        held <= limits::HELD
    }

    /// Where its members lie: the same for copies.
    pub(super) fn address(&self) -> usize {
        each_kind!(&self.items, members => members.as_ptr().cast::<u8>() as usize, 0)
    }
}

/// Bytes that all sets of a run hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

#[derive(Debug)]
struct Charge {
    bytes: u64,
    meter: Meter,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.meter.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The members of a set, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Canon {
    Empty,
    Ids(Box<[u32]>),
    Numbers(Box<[NumberKey]>),
    Texts(Box<[Arc<str>]>),
    Sets(Box<[Canon]>),
}

/// What sets are made of.
pub(super) trait Member: Clone {
    /// Equal where the members are.
    type Key: Clone + Ord + Hash;
    fn key(&self) -> Self::Key;
    /// A small number of its own, where it has one.
    fn id(_key: &Self::Key) -> Option<u32> {
        None
    }
    fn items(members: Vec<Self>) -> Items;
}

macro_rules! member {
    ($type:ty, $key:ty, $items:ident, $self:ident => $body:expr $(, $id:item)?) => {
        impl Member for $type {
            type Key = $key;
            fn key(&$self) -> $key {
                $body
            }
            $($id)?
            fn items(members: Vec<Self>) -> Items {
                Items::$items(members.into())
            }
        }
    };
}
member!(VmId, u32, Vms, self => self.0, fn id(key: &u32) -> Option<u32> { Some(*key) });
member!(NodeId, u32, Nodes, self => self.0, fn id(key: &u32) -> Option<u32> { Some(*key) });
member!(Number, NumberKey, Numbers, self => number_key(*self));
member!(Arc<str>, Arc<str>, Texts, self => self.clone());
member!(Set, Canon, Sets, self => self.canon());

/// So few are compared one by one.
const FEW: usize = 8;

/// Tells which members are in a list.
enum Lookup<T: Member> {
    Few(Vec<T::Key>),
    Many(FxHashSet<T::Key>),
    /// One bit an id.
    Bits(Vec<u64>),
}

impl<T: Member> Lookup<T> {
    fn new(members: &[T]) -> Self {
        let keys = members.iter().map(Member::key);
        if members.len() <= FEW {
            return Lookup::Few(keys.collect());
        }
        let most = keys.clone().filter_map(|key| T::id(&key)).max();
        match most.map(|most| most as usize / 64 + 1).filter(|&words| words <= 4 * members.len()) {
            Some(words) => {
                let mut bits = vec![0; words];
                for id in keys.filter_map(|key| T::id(&key)) {
                    if let Some(word) = bits.get_mut(id as usize / 64) {
                        *word |= 1 << (id % 64);
                    }
                }
                Lookup::Bits(bits)
            }
            None => Lookup::Many(keys.collect()),
        }
    }

    fn has(&self, key: &T::Key) -> bool {
        match self {
            Lookup::Few(keys) => keys.contains(key),
            Lookup::Many(keys) => keys.contains(key),
            Lookup::Bits(bits) => T::id(key)
                .and_then(|id| Some(bits.get(id as usize / 64)? >> (id % 64) & 1 == 1))
                .unwrap_or(false),
        }
    }
}

/// Those of `a`, then those of `b` that are not among them.
pub(super) fn union<T: Member>(a: &[T], b: &[T]) -> Vec<T> {
    let mut all = Vec::with_capacity(a.len() + b.len());
    all.extend_from_slice(a);
    if b.len() <= FEW {
        for member in b {
            let key = member.key();
            if !all.iter().any(|other| other.key() == key) {
                all.push(member.clone());
            }
        }
        return all;
    }
    let known = Lookup::new(a);
    all.extend(b.iter().filter(|member| !known.has(&member.key())).cloned());
    all
}

/// Those of `a` that are not in `b`.
pub(super) fn difference<T: Member>(a: &[T], b: &[T]) -> Vec<T> {
    let without = Lookup::new(b);
    a.iter().filter(|member| !without.has(&member.key())).cloned().collect()
}

/// All sets of one member of `a` and another of `b`, each once whatever the order.
pub(super) fn pairs<T: Member>(a: &[T], b: &[T], mut pair: impl FnMut(&T, &T)) {
    let keys_a: Vec<T::Key> = a.iter().map(Member::key).collect();
    let keys_b: Vec<T::Key> = b.iter().map(Member::key).collect();
    let places: FxHashMap<&T::Key, usize> = keys_a.iter().enumerate().map(|(at, key)| (key, at)).collect();
    let both: FxHashSet<&T::Key> = keys_b.iter().filter(|key| places.contains_key(key)).collect();
    for (at, x) in a.iter().enumerate() {
        let reversible = both.contains(&keys_a[at]);
        for (y, key) in b.iter().zip(&keys_b) {
            // {y, x} has come before {x, y} where both are in both.
            let before = reversible && places.get(key).is_some_and(|&place| place < at);
            if *key != keys_a[at] && !before {
                pair(x, y);
            }
        }
    }
}

/// Without those that came before; and the first that did.
pub(super) fn distinct<T: Member>(members: Vec<T>) -> (Vec<T>, Option<T>) {
    let mut twice = None;
    let mut all = Vec::with_capacity(members.len());
    if members.len() <= FEW {
        for member in members {
            let key = member.key();
            if all.iter().any(|other: &T| other.key() == key) {
                twice.get_or_insert(member);
            } else {
                all.push(member);
            }
        }
        return (all, twice);
    }
    let mut met = FxHashSet::with_capacity_and_hasher(members.len(), Default::default());
    for member in members {
        if met.insert(member.key()) {
            all.push(member);
        } else {
            twice.get_or_insert(member);
        }
    }
    (all, twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;
    impl Names for Nobody {
        fn vm_name(&self, _: VmId) -> &str {
            "foo.VM1"
        }
        fn node_name(&self, _: NodeId) -> &str {
            "n1"
        }
    }

    fn numbers(values: &[i64]) -> Set {
        let items: Vec<Number> = values.iter().map(|&value| Number::Integer(value, 10)).collect();
        Set::new(Number::items(items), Type { kind: Some(Kind::Number), degree: 1 })
    }

    #[test]
    fn names_of_types() {
        let vms = Value::Set(Set::of_vms([VmId(1)]));
        assert_eq!(vms.type_name(), "set<vm>");
        assert_eq!(Type { kind: Some(Kind::Node), degree: 2 }.name(), "set<set<node>>");
        assert_eq!(Value::Set(Set::empty()).type_name(), "set<>");
        assert_eq!(Value::integer(1).type_name(), "number");
    }

    #[test]
    fn numbers_in_names_keep_their_base() {
        let text = |number| Value::Number(number).text(&Nobody);
        assert_eq!(text(Number::Integer(17, 16)), "11");
        assert_eq!(text(Number::Integer(10, 16)), "a");
        assert_eq!(text(Number::Integer(8, 8)), "10");
        assert_eq!(text(Number::Integer(-12, 10)), "-12");
        assert_eq!(text(Number::Float(3.0)), "3.0");
    }

    #[test]
    fn values_as_text() {
        assert_eq!(Value::Vm(VmId(0)).text(&Nobody), "foo.VM1");
        assert_eq!(Value::Node(NodeId(0)).text(&Nobody), "@n1");
        assert_eq!(Value::Set(numbers(&[1, 2])).text(&Nobody), "{1, 2}");
    }

    #[test]
    fn sets_are_equal_whatever_their_order() {
        assert!(numbers(&[1, 2, 3]).equals(&numbers(&[3, 1, 2])));
        assert!(!numbers(&[1, 2]).equals(&numbers(&[1, 3])));
        assert!(!numbers(&[1]).equals(&Set::of_vms([VmId(1)])));
        assert!(Set::empty().equals(&numbers(&[])));
        assert_eq!(number_key(Number::Integer(17, 16)), number_key(Number::Float(17.0)));
    }

    #[test]
    fn products_have_each_pair_once() {
        let mut all = Vec::new();
        let vm = |ids: &[u32]| -> Vec<VmId> { ids.iter().copied().map(VmId).collect() };
        pairs(&vm(&[2, 3]), &vm(&[1, 3]), |a, b| all.push((a.0, b.0)));
        assert_eq!(all, [(2, 1), (2, 3), (3, 1)]);
        all.clear();
        pairs(&vm(&[1, 2, 3]), &vm(&[1, 2, 3]), |a, b| all.push((a.0, b.0)));
        assert_eq!(all, [(1, 2), (1, 3), (2, 3)]);
    }

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let meter = Meter::default();
        let mut set = Set::of_vms((0..1000).map(VmId).collect::<Vec<_>>());
        assert!(set.charge(&meter));
        assert!(meter.0.load(Ordering::Relaxed) >= 4000);
        let copy = set.clone();
        drop(set);
        assert!(meter.0.load(Ordering::Relaxed) >= 4000);
        drop(copy);
        assert_eq!(meter.0.load(Ordering::Relaxed), 0);
    }
}

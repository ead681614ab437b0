//! Constraint statements become constraints, by what the signatures say.

use super::evaluate::Place;
use super::evaluate::Run;
use super::fault::Attempt;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::fault::short;
use super::limits;
use super::value::Items;
use super::value::Number;
use super::value::Set;
use super::value::Value;
use super::value::float;
use crate::constraint;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::Kind;
use crate::constraint::Parameter;
use crate::constraint::Ratio;
use crate::constraint::Restriction;
use crate::constraint::Signature;
use crate::constraint::Strength;
use crate::constraint::Timestamp;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::model::VmSet;
use quadrille_dsl::Expression;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::Word;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The statement that stands for two constraints: with a moment, and with other VMs.
const BEFORE: &str = "before";
/// What it is with a moment.
const MOMENT: &str = "deadline";
/// What it is with other VMs.
const ORDER: &str = "precedence";

/// Constraints among the moves of several VMs.
const AT_LEAST_TWO: [&str; 2] = ["serialize", "sync"];

/// A constraint that can be stated.
#[derive(Debug)]
struct Entry {
    signature: &'static Signature,
    parameters: Vec<Parameter>,
}

/// What can be stated, and the arguments that many statements have in common.
#[derive(Debug)]
pub(super) struct Catalog {
    entries: FxHashMap<&'static str, Arc<Entry>>,
    /// Large sets as arguments, by where their members lie; the set keeps that place.
    shared: FxHashMap<(usize, bool), (Set, Argument)>,
}

impl Catalog {
    pub(super) fn new() -> Self {
        let entry = |signature: &&'static Signature| {
            let parameters = (signature.parameters)();
            (signature.name, Arc::new(Entry { signature, parameters }))
        };
        Self { entries: constraint::REGISTRY.iter().map(entry).collect(), shared: FxHashMap::default() }
    }

    /// Is it the name of a constraint statement?
    pub(super) fn has(&self, name: &str) -> bool {
        name == BEFORE || self.entries.contains_key(name)
    }

    fn get(&self, name: &str) -> Option<Arc<Entry>> {
        self.entries.get(name).cloned()
    }
}

/// An argument, or those of which each is one.
enum Slot {
    One(Argument),
    Vms(VmSet),
    Nodes(NodeSet),
}

impl Slot {
    fn len(&self) -> usize {
        match self {
            Slot::One(_) => 1,
            Slot::Vms(vms) => vms.len(),
            Slot::Nodes(nodes) => nodes.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Argument> {
        match self {
            Slot::One(argument) => Some(argument.clone()),
            Slot::Vms(vms) => vms.get(at).copied().map(Argument::Vm),
            Slot::Nodes(nodes) => nodes.get(at).copied().map(Argument::Node),
        }
    }
}

/// Why a value is no argument.
enum Refusal {
    /// It is of another type.
    Type,
    /// It is empty.
    Empty,
    Value(Box<Fault>),
}

/// The type that a parameter takes, as messages write it.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vm | Kind::Vms | Kind::VmList => "set<vm>",
        Kind::Node | Kind::Nodes => "set<node>",
        Kind::VmSets => "set<set<vm>>",
        Kind::NodeSets => "set<set<node>>",
        Kind::Amount | Kind::Ratio => "number",
        Kind::Resource | Kind::Time | Kind::Word(_) => "string",
    }
}

/// `spread(vms: set<vm>)`; what may be left out in square brackets.
pub(super) fn signature_text(name: &str, parameters: &[Parameter]) -> String {
    let parameter = |parameter: &Parameter| {
        let text = format!("{}: {}", parameter.name, kind_name(parameter.kind));
        if parameter.default.is_some() { format!("[{text}]") } else { text }
    };
    let parameters: Vec<String> = parameters.iter().map(parameter).collect();
    format!("{name}({})", parameters.join(", "))
}

impl<'p> Run<'p, '_> {
    /// A constraint, or the call of a def.
    pub(super) fn rule(
        &mut self,
        span: Span,
        discrete: Option<Span>,
        name: &'p Word,
        arguments: &'p [Spanned<Expression>],
        soft: Option<&'p Spanned<Expression>>,
    ) {
        if let Some(function) = self.functions.get(name.value.as_str()).copied() {
            if let Some(place) = discrete.or(soft.map(|soft| soft.span)) {
                let message = "`>>` and `soft` are for constraints; this calls a `def`";
                self.error("E0407", place, message);
            }
            if function.has_value() {
                let message = format!("`{}` gives a value, which is lost here", name.value);
                self.error("E0212", name.span, message);
                return;
            }
            self.call(function, arguments, span);
            return;
        }
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
        let price = soft.map(|soft| (self.value(soft), soft.span));
        let stated = match (name.value.as_str(), values.get(1)) {
            (BEFORE, Some(Value::Text(_))) => MOMENT,
            (BEFORE, _) => ORDER,
            (other, _) => other,
        };
        let Some(entry) = self.session.catalog.get(stated) else {
            return self.unknown_constraint(name);
        };
        let restriction = self.restriction(&entry, discrete);
        let strength = self.strength(&entry, price);
        if values.iter().any(Value::is_unknown) {
            return;
        }
        let Some(slots) = self.slots(span, name, &entry, arguments, &values) else { return };
        if let (Some(restriction), Some(strength)) = (restriction, strength) {
            self.state(span, &entry, &slots, restriction, strength);
        }
    }

    fn unknown_constraint(&mut self, name: &Word) {
        if self.session.lost.has(quadrille_dsl::Kind::Name, &name.value) {
            return;
        }
        let mut known: Vec<&str> = self.session.catalog.entries.keys().copied().collect();
        known.push(BEFORE);
        known.extend(self.functions.keys().copied());
        known.sort_unstable();
        let fault = Fault::new("E0104", format!("there is no constraint `{}`", short(&name.value)));
        let help = did_you_mean(&name.value, known)
            .unwrap_or_else(|| "`quadrille doc` lists the constraints".to_owned());
        self.fault(name.span, fault.help(help));
    }

    /// Continuous where it may be, unless `>>` is written.
    fn restriction(&mut self, entry: &Entry, discrete: Option<Span>) -> Option<Restriction> {
        let allowed = entry.signature.restrictions;
        match discrete {
            None if allowed.allows(Restriction::Continuous) => Some(Restriction::Continuous),
            None => Some(allowed.default()),
            Some(_) if allowed.allows(Restriction::Discrete) => Some(Restriction::Discrete),
            Some(place) => {
                let name = entry.signature.name;
                let fault = Fault::new("E0403", format!("`{name}` cannot hold at the end only"))
                    .help("leave out `>>`: it holds at every moment of the plan");
                self.fault(place, fault);
                None
            }
        }
    }

    fn strength(&mut self, entry: &Entry, price: Option<(Value, Span)>) -> Option<Strength> {
        let Some((value, span)) = price else { return Some(Strength::Hard) };
        if !entry.signature.may_be_soft {
            self.error("E0404", span, format!("`{}` cannot be soft", entry.signature.name));
            return None;
        }
        let found = match &value {
            Value::Unknown => return None,
            Value::Number(Number::Integer(price, _)) => {
                match u32::try_from(*price).ok().filter(|&price| price > 0) {
                    Some(price) => return Some(Strength::Soft(price)),
                    None => price.to_string(),
                }
            }
            Value::Number(_) => value.text(&self.session.world),
            other => format!("a {}", other.type_name()),
        };
        let message = format!("a price is a whole number from 1 to {}, found {found}", u32::MAX);
        self.error("E0404", span, message);
        None
    }

    /// One slot for each parameter; none where the arguments do not fit, or where there
    /// is nothing to state.
    fn slots(
        &mut self,
        span: Span,
        name: &Word,
        entry: &Entry,
        arguments: &[Spanned<Expression>],
        values: &[Value],
    ) -> Option<Vec<Slot>> {
        let needed = entry.parameters.iter().take_while(|parameter| parameter.default.is_none()).count();
        if values.len() < needed || values.len() > entry.parameters.len() {
            self.misfit(span, name, entry, values);
            return None;
        }
        let mut slots = Vec::with_capacity(entry.parameters.len());
        let mut sound = true;
        for (at, parameter) in entry.parameters.iter().enumerate() {
            let Some(value) = values.get(at) else {
                slots.extend(parameter.default.map(|default| Slot::One(default())));
                continue;
            };
            let place = arguments.get(at).map_or(span, |argument| argument.span);
            match self.slot(parameter, value) {
                Ok(slot) => {
                    if matches!(&slot, Slot::One(Argument::Vms(vms)) if vms.len() == 1)
                        && AT_LEAST_TWO.contains(&entry.signature.name)
                    {
                        let message = format!("`{}` says nothing of a single VM", name.value);
                        self.warning("W0901", place, message);
                    }
                    slots.push(slot);
                }
                Err(Refusal::Type) => {
                    self.misfit(place, name, entry, values);
                    return None;
                }
                Err(Refusal::Empty) => {
                    let message = format!("`{}` says nothing of an empty set; it is left out", name.value);
                    self.warning("W0901", place, message);
                    return None;
                }
                Err(Refusal::Value(fault)) => {
                    self.fault(place, fault);
                    sound = false;
                }
            }
        }
        sound.then_some(slots)
    }

    /// The arguments are too few, too many, or of other types.
    fn misfit(&mut self, span: Span, name: &Word, entry: &Entry, values: &[Value]) {
        let found: Vec<String> = values.iter().map(Value::type_name).collect();
        let mut wanted = format!("`{}`", signature_text(&name.value, &entry.parameters));
        if name.value == BEFORE
            && let (Some(moment), Some(order)) =
                (self.session.catalog.get(MOMENT), self.session.catalog.get(ORDER))
        {
            let text = |entry: &Entry| signature_text(BEFORE, &entry.parameters);
            wanted = format!("`{}` or `{}`", text(&moment), text(&order));
        }
        let message = format!("`{}({})` does not fit {wanted}", name.value, found.join(", "));
        let mut fault = Fault::new("E0401", message);
        let flat = |value: &Value| value.shape().is_some_and(|shape| shape.degree < 2);
        let deep = |parameter: &Parameter| matches!(parameter.kind, Kind::VmSets | Kind::NodeSets);
        if entry.parameters.iter().zip(values).any(|(parameter, value)| deep(parameter) && flat(value)) {
            fault = fault.help("a set of sets is written `{{a, b}, {c}}`, or made by `set / 2` or `set % 4`");
        }
        self.fault(span, fault);
    }

    /// What a value is for a parameter.
    fn slot(&mut self, parameter: &Parameter, value: &Value) -> Result<Slot, Refusal> {
        let one = |argument| Ok(Slot::One(argument));
        let named = |code, message: String| Refusal::Value(Fault::new(code, message));
        let name = parameter.name;
        match (parameter.kind, value) {
            (Kind::Vm, Value::Vm(vm)) => one(Argument::Vm(*vm)),
            (Kind::Node, Value::Node(node)) => one(Argument::Node(*node)),
            (Kind::Vms, Value::Vm(vm)) => one(Argument::Vms([*vm].into())),
            (Kind::VmList, Value::Vm(vm)) => one(Argument::VmList([*vm].into())),
            (Kind::Nodes, Value::Node(node)) => one(Argument::Nodes([*node].into())),
            (
                Kind::Vm
                | Kind::Node
                | Kind::Vms
                | Kind::VmList
                | Kind::Nodes
                | Kind::VmSets
                | Kind::NodeSets,
                Value::Set(set),
            ) => self.set_slot(parameter, set),
            (Kind::Resource, Value::Text(text)) => match self.session.world.resource(text) {
                Some(resource) => one(Argument::Resource(resource)),
                None => {
                    let known = self.session.world.instance().resources();
                    let names: Vec<&str> = known.iter().map(|resource| resource.name.as_str()).collect();
                    let fault = Fault::new("E0109", format!("there is no resource `{}`", short(text)));
                    Err(Refusal::Value(match did_you_mean(text, names.iter().copied()) {
                        Some(help) => fault.help(help),
                        None if names.is_empty() => fault.help("`resource cpu;` declares one"),
                        None => fault,
                    }))
                }
            },
            (Kind::Amount, Value::Number(Number::Integer(amount, _))) => match u64::try_from(*amount) {
                Ok(amount) => one(Argument::Amount(amount)),
                Err(_) => {
                    Err(named("E0402", format!("`{name}` is a whole number of 0 or more, found {amount}")))
                }
            },
            (Kind::Amount, Value::Number(number)) => {
                let found = float(*number);
                Err(named("E0402", format!("`{name}` is a whole number of 0 or more, found {found:?}")))
            }
            (Kind::Ratio, Value::Number(number)) => match Ratio::new(float(*number)) {
                Ok(ratio) => one(Argument::Ratio(ratio)),
                Err(message) => Err(named("E0402", format!("`{name}`: {message}"))),
            },
            (Kind::Time, Value::Text(text)) => match moment(text) {
                Ok(moment) => one(Argument::Time(moment)),
                Err(message) => Err(named("E0402", message)),
            },
            (Kind::Word(choices), Value::Text(text)) => {
                if choices.contains(&text.as_ref()) {
                    return one(Argument::Word(text.to_string()));
                }
                let message = format!("`{name}` is one of {}, found `{}`", choices.join(", "), short(text));
                let fault = Fault::new("E0402", message);
                Err(Refusal::Value(match did_you_mean(text, choices.iter().copied()) {
                    Some(help) => fault.help(help),
                    None => fault,
                }))
            }
            _ => Err(Refusal::Type),
        }
    }

    fn set_slot(&mut self, parameter: &Parameter, set: &Set) -> Result<Slot, Refusal> {
        if set.is_empty() {
            let argument = match parameter.kind {
                Kind::Vms => Argument::Vms([].into()),
                Kind::VmList => Argument::VmList([].into()),
                Kind::Nodes => Argument::Nodes([].into()),
                Kind::VmSets => Argument::VmSets([].into()),
                Kind::NodeSets => Argument::NodeSets([].into()),
                _ => return Err(Refusal::Empty),
            };
            // Where the empty set is what a constraint is made for, it stands for something.
            let meant = parameter.default.is_some_and(|default| default() == argument);
            return if meant { Ok(Slot::One(argument)) } else { Err(Refusal::Empty) };
        }
        match (parameter.kind, &set.items) {
            (Kind::Vm, Items::Vms(vms)) => Ok(Slot::Vms(vms.clone())),
            (Kind::Node, Items::Nodes(nodes)) => Ok(Slot::Nodes(nodes.clone())),
            (Kind::VmList, Items::Vms(vms)) => Ok(Slot::One(Argument::VmList(vms.clone()))),
            (Kind::Vms, Items::Vms(vms)) => {
                let vms = vms.clone();
                Ok(Slot::One(self.shared(set, |_| Ok(Argument::Vms(vms).normal()))?))
            }
            (Kind::Nodes, Items::Nodes(nodes)) => {
                let nodes = nodes.clone();
                Ok(Slot::One(self.shared(set, |_| Ok(Argument::Nodes(nodes).normal()))?))
            }
            (Kind::VmSets, Items::Sets(sets)) => {
                let sets = sets.clone();
                Ok(Slot::One(self.shared(set, |run| {
                    let parts: Option<Arc<[VmSet]>> = sets.iter().map(vms_of).collect();
                    let parts = parts.ok_or(Refusal::Type)?;
                    run.disjoint(parameter, &parts).map_err(Refusal::Value)?;
                    Ok(Argument::VmSets(parts).normal())
                })?))
            }
            (Kind::NodeSets, Items::Sets(sets)) => {
                let sets = sets.clone();
                Ok(Slot::One(self.shared(set, |_| {
                    let parts: Option<Arc<[NodeSet]>> = sets.iter().map(nodes_of).collect();
                    Ok(Argument::NodeSets(parts.ok_or(Refusal::Type)?).normal())
                })?))
            }
            _ => Err(Refusal::Type),
        }
    }

    /// The argument that a set becomes: the same for all statements with that set.
    fn shared(
        &mut self,
        set: &Set,
        make: impl FnOnce(&mut Self) -> Result<Argument, Refusal>,
    ) -> Result<Argument, Refusal> {
        /// Smaller ones are not worth it.
        const LARGE: usize = 16;
        if set.len() < LARGE && !matches!(set.items, Items::Sets(_)) {
            return make(self);
        }
        let key = (set.address(), matches!(set.items, Items::Sets(_)));
        if let Some((_, argument)) = self.session.catalog.shared.get(&key) {
            return Ok(argument.clone());
        }
        let argument = make(self)?;
        self.session.catalog.shared.insert(key, (set.clone(), argument.clone()));
        Ok(argument)
    }

    /// Sets of VMs are parts: no VM is in two of them.
    fn disjoint(&self, parameter: &Parameter, parts: &[VmSet]) -> Attempt<()> {
        let mut owner: FxHashMap<VmId, usize> = FxHashMap::default();
        for (at, part) in parts.iter().enumerate() {
            for &vm in part.iter() {
                if let Some(&other) = owner.get(&vm)
                    && other != at
                {
                    let name = self.session.world.instance().vm_name(vm);
                    return Err(Fault::new(
                        "E0406",
                        format!(
                            "`{name}` is in sets {} and {} of `{}`; they must have nothing in common",
                            other + 1,
                            at + 1,
                            parameter.name
                        ),
                    ));
                }
                owner.insert(vm, at);
            }
        }
        Ok(())
    }

    /// States a constraint for every choice of elements.
    fn state(
        &mut self,
        span: Span,
        entry: &Entry,
        slots: &[Slot],
        restriction: Restriction,
        strength: Strength,
    ) {
        let count = slots.iter().fold(1usize, |count, slot| count.saturating_mul(slot.len()));
        if self.session.constraints.len().saturating_add(count) > limits::CONSTRAINTS {
            let message = format!("there are more than {} constraints", limits::CONSTRAINTS);
            return self.halt("E0606", span, message);
        }
        if !self.work(span, count as u64) {
            return;
        }
        let place = Place { file: self.script.file, span };
        for at in 0..count {
            let mut rest = at;
            let mut arguments = Vec::with_capacity(slots.len());
            // The last slot changes first.
            for slot in slots.iter().rev() {
                arguments.extend(slot.get(rest % slot.len()));
                rest /= slot.len();
            }
            arguments.reverse();
            match Constraint::from_parts(entry.signature, arguments, Some(restriction), strength) {
                Ok(constraint) if self.is_root => {
                    self.session.constraints.push(constraint);
                    self.session.places.push(place);
                }
                Ok(_) => {}
                Err(message) => {
                    return self.error("E0405", span, format!("`{}`: {message}", entry.signature.name));
                }
            }
        }
    }
}

fn vms_of(set: &Set) -> Option<VmSet> {
    match &set.items {
        Items::Vms(vms) => Some(vms.clone()),
        Items::Empty => Some([].into()),
        _ => None,
    }
}

fn nodes_of(set: &Set) -> Option<NodeSet> {
    match &set.items {
        Items::Nodes(nodes) => Some(nodes.clone()),
        Items::Empty => Some([].into()),
        _ => None,
    }
}

/// A moment; seconds from the start may be written `+90s` or `+90 s` as well.
fn moment(text: &str) -> Result<Timestamp, String> {
    let seconds = text.strip_prefix('+').and_then(|rest| rest.strip_suffix('s')).map(str::trim_end);
    if let Some(digits) = seconds.filter(|digits| !digits.is_empty() && digits.len() < 12)
        && let Ok(seconds) = digits.parse::<u64>()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Ok(Timestamp::Relative(seconds));
    }
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_seconds() {
        assert_eq!(moment("+90s"), Ok(Timestamp::Relative(90)));
        assert_eq!(moment("+90 s"), Ok(Timestamp::Relative(90)));
        assert_eq!(moment("+00:01:30"), Ok(Timestamp::Relative(90)));
        assert_eq!(moment("10:00:00"), Ok(Timestamp::OfDay(36_000)));
        for bad in ["", "s", "+s", "90s", "+-1s", "+9999999999999999s", "+1m"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn signatures_for_messages() {
        let text = |name: &str| {
            let signature = constraint::signature(name).expect("in the catalog");
            signature_text(name, &(signature.parameters)())
        };
        assert_eq!(text("spread"), "spread(vms: set<vm>)");
        assert_eq!(text("among"), "among(vms: set<vm>, parts: set<set<node>>)");
        assert_eq!(text("ft"), "ft([nodes: set<node>], [failures: number], [mode: string])");
    }

    #[test]
    fn every_constraint_can_be_stated() {
        let catalog = Catalog::new();
        assert!(constraint::REGISTRY.iter().all(|signature| catalog.has(signature.name)));
        assert!(catalog.has(BEFORE) && catalog.get(MOMENT).is_some() && catalog.get(ORDER).is_some());
    }
}

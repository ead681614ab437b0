//! Constraints in JSON, generically: everything is taken from their signatures.

use super::Context;
use super::field::Field;
use super::field::only;
use super::nearest::hint;
use super::nearest::nearest;
use super::reader::Number;
use super::reader::Parsed;
use super::reader::Reader;
use super::reader::Span;
use super::reader::fault;
use super::reader::quoted;
use super::writer::Json;
use crate::constraint::Argument;
use crate::constraint::BtrPlaceFlag;
use crate::constraint::Constraint;
use crate::constraint::Kind;
use crate::constraint::Parameter;
use crate::constraint::REGISTRY;
use crate::constraint::Ratio;
use crate::constraint::Restriction;
use crate::constraint::Restrictions;
use crate::constraint::Signature;
use crate::constraint::Strength;
use crate::constraint::Timestamp;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmSet;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Whose files: the two name constraints and parameters differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Quadrille,
    BtrPlace,
}

/// How a document names what constraints speak of.
pub(super) trait Names {
    fn vm(&self, reader: &mut Reader<'_>) -> Parsed<VmId>;
    fn node(&self, reader: &mut Reader<'_>) -> Parsed<NodeId>;
    fn resource(&self, reader: &mut Reader<'_>) -> Parsed<ResourceId>;
}

/// A signature with its parameters at hand.
pub(super) struct Entry {
    pub(super) signature: &'static Signature,
    pub(super) parameters: Vec<Parameter>,
}

/// All constraints, by the names that a dialect uses.
pub(super) struct Catalog {
    dialect: Dialect,
    entries: Vec<Entry>,
    by_name: FxHashMap<&'static str, usize>,
}

/// The `id` of a constraint in BtrPlace files; our own name where BtrPlace lacks it.
pub(super) fn btrplace_id(signature: &Signature) -> &'static str {
    signature.btrplace.unwrap_or(signature.name)
}

impl Dialect {
    fn constraint(self, signature: &Signature) -> &'static str {
        match self {
            Dialect::Quadrille => signature.name,
            Dialect::BtrPlace => btrplace_id(signature),
        }
    }

    fn parameter(self, parameter: &Parameter) -> &'static str {
        match self {
            Dialect::Quadrille => parameter.name,
            Dialect::BtrPlace => parameter.btrplace,
        }
    }
}

impl Catalog {
    pub(super) fn new(dialect: Dialect) -> Self {
        let entries: Vec<Entry> = REGISTRY
            .iter()
            .map(|&signature| Entry { signature, parameters: (signature.parameters)() })
            .collect();
        let by_name =
            entries.iter().enumerate().map(|(at, entry)| (dialect.constraint(entry.signature), at)).collect();
        Self { dialect, entries, by_name }
    }

    /// The constraint of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|&at| &self.entries[at])
    }

    /// All names, in the order of the registry.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries.iter().map(|entry| self.dialect.constraint(entry.signature))
    }
}

/// The texts of long values that were met before, each with what it was read as.
///
/// Generated instances repeat themselves: a thousand constraints over the same groups
/// of nodes. A repeated text is compared, not read, and its value is shared.
#[derive(Debug, Default)]
pub(super) struct Memo<'a> {
    values: Vec<(&'a str, Vec<(Kind, Argument)>)>,
    by_text: HashMap<&'a str, usize>,
    /// The last long value of each key: at most [`Memo::KEYS`] keys.
    last: Vec<(Cow<'a, str>, usize)>,
}

impl<'a> Memo<'a> {
    /// Shorter texts are read faster than they are looked up.
    const LONG: usize = 256;
    const KEYS: usize = 16;

    /// Passes over the next value.
    #[allow(clippy::ptr_arg, reason = "a key that is kept is kept as it is: borrowed, mostly")]
    fn pass(&mut self, reader: &mut Reader<'a>, key: &Cow<'a, str>) -> Parsed<(Span, Option<usize>)> {
        let start = reader.here();
        let last = self.last.iter().position(|(other, _)| other == key);
        if let Some(last) = last {
            // An array's text cannot be the beginning of another value's.
            let at = self.last[last].1;
            let text = self.values[at].0;
            if reader.is_at(text) {
                reader.advance(text.len());
                return Ok((Span { start, end: start + text.len() }, Some(at)));
            }
        }
        let span = reader.span()?;
        let text = reader.slice(span);
        if text.len() < Self::LONG || !text.starts_with('[') {
            return Ok((span, None));
        }
        let next = self.values.len();
        let at = *self.by_text.entry(text).or_insert(next);
        if at == next {
            self.values.push((text, Vec::new()));
        }
        match last {
            Some(last) => self.last[last].1 = at,
            None if self.last.len() < Self::KEYS => self.last.push((key.clone(), at)),
            None => {}
        }
        Ok((span, Some(at)))
    }

    /// Reads the keys and passes over the values of an object that has been entered.
    pub(super) fn fields(&mut self, reader: &mut Reader<'a>, fields: &mut Vec<Field<'a>>) -> Parsed<()> {
        fields.clear();
        while let Some(key) = reader.key()? {
            let key_at = reader.key_at();
            let (span, memo) = self.pass(reader, &key)?;
            fields.push(Field { key, key_at, span, memo });
        }
        Ok(())
    }

    fn argument(
        &mut self,
        reader: &Reader<'a>,
        field: &Field<'a>,
        kind: Kind,
        dialect: Dialect,
        names: &impl Names,
    ) -> Parsed<Argument> {
        if let Some(at) = field.memo
            && let Some((_, known)) = self.values[at].1.iter().find(|(other, _)| *other == kind)
        {
            return Ok(known.clone());
        }
        let argument = field.read(reader, |reader| argument(reader, kind, dialect, names))?;
        if let Some(at) = field.memo {
            self.values[at].1.push((kind, argument.clone()));
        }
        Ok(argument)
    }
}

/// Makes a constraint of its fields. `start` is where it begins in the text.
#[allow(clippy::too_many_arguments, reason = "each is a different thing, and all callers are in this module")]
pub(super) fn constraint<'a>(
    dialect: Dialect,
    entry: &Entry,
    reader: &Reader<'a>,
    start: usize,
    fields: &[Field<'a>],
    memo: &mut Memo<'a>,
    names: &impl Names,
    context: &mut Context,
) -> Parsed<Constraint> {
    let signature = entry.signature;
    let name = dialect.constraint(signature);
    let mut arguments = Vec::with_capacity(entry.parameters.len());
    for parameter in &entry.parameters {
        let key = dialect.parameter(parameter);
        arguments.push(match (only(fields, key)?, parameter.default) {
            (Some(field), _) => memo.argument(reader, field, parameter.kind, dialect, names)?,
            (None, Some(default)) => default(),
            (None, None) => {
                let near = nearest(key, fields.iter().map(|field| field.key.as_ref()))
                    .map_or(String::new(), |near| format!(", and has {}", quoted(near)));
                return fault(
                    start,
                    format!("`{name}` needs the key `{key}` ({}){near}", expectation(parameter.kind)),
                );
            }
        });
    }
    for field in fields {
        let known = entry.parameters.iter().any(|parameter| dialect.parameter(parameter) == field.key);
        if known || matches!(field.key.as_ref(), "continuous" | "penalty") {
            continue;
        }
        field.read(reader, Reader::skip)?;
        if dialect == Dialect::Quadrille {
            let keys = entry.parameters.iter().map(|parameter| dialect.parameter(parameter));
            context.tolerate("unknown keys of constraints", field.key_at, || {
                let near = hint(&field.key, keys.chain(["continuous", "penalty"]));
                format!("`{name}` has no key {}{near}", quoted(&field.key))
            })?;
        }
    }
    let rule =
        (signature.build)(&arguments).or_else(|message| fault(start, format!("`{name}`: {message}")))?;
    let default = signature.restrictions.default();
    let mut constraint = Constraint { rule, restriction: default, strength: Strength::Hard };
    if let Some((at, restriction)) = restriction(dialect, signature, reader, start, fields, context)? {
        constraint = constraint.restricted(restriction).or_else(|message| fault(at, message))?;
    }
    if let Some(field) = only(fields, "penalty")? {
        let what = "a penalty: a whole number from 1 to 4294967295";
        let penalty = field.read(reader, |reader| reader.unsigned(u64::from(u32::MAX), what))?;
        constraint = constraint.soft(penalty as u32).or_else(|message| fault(field.span.start, message))?;
    }
    Ok(constraint)
}

/// The restriction that the key `continuous` asks for, and where it does.
fn restriction(
    dialect: Dialect,
    signature: &Signature,
    reader: &Reader<'_>,
    start: usize,
    fields: &[Field<'_>],
    context: &mut Context,
) -> Parsed<Option<(usize, Restriction)>> {
    let field = only(fields, "continuous")?;
    let is_btrplace = dialect == Dialect::BtrPlace && signature.btrplace.is_some();
    let Some(field) = field else {
        if is_btrplace && signature.btrplace_flag == BtrPlaceFlag::Required {
            let name = dialect.constraint(signature);
            let default = signature.restrictions.default().name();
            context.tolerate("constraints without the key `continuous`", start, || {
                format!("`{name}` needs the key `continuous`: true or false; {default} where nothing is said")
            })?;
        }
        return Ok(None);
    };
    if is_btrplace && signature.btrplace_flag != BtrPlaceFlag::Required {
        // BtrPlace does not look at it, and old files carry contradictory values.
        field.read(reader, Reader::skip)?;
        return Ok(None);
    }
    let flag = field.read(reader, |reader| reader.boolean("`true` or `false`"))?;
    let restriction = if flag { Restriction::Continuous } else { Restriction::Discrete };
    Ok(Some((field.span.start, restriction)))
}

/// What a kind of argument looks like, for messages.
fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Vm => "a VM",
        Kind::Node => "a node",
        Kind::Vms => "an array of VMs",
        Kind::VmList => "an array of VMs, none twice",
        Kind::Nodes => "an array of nodes",
        Kind::VmSets => "an array of arrays of VMs",
        Kind::NodeSets => "an array of arrays of nodes",
        Kind::Resource => "the name of a resource",
        Kind::Amount => "an amount: a whole number of 0 or more",
        Kind::Ratio => "a ratio: a number of 1 or more",
        Kind::Time => "a moment, such as \"+00:01:30\"",
        Kind::Word(_) => "a word",
    }
}

fn argument(reader: &mut Reader<'_>, kind: Kind, dialect: Dialect, names: &impl Names) -> Parsed<Argument> {
    let what = expectation(kind);
    let start = reader.here();
    let vm = |reader: &mut Reader<'_>| names.vm(reader);
    let node = |reader: &mut Reader<'_>| names.node(reader);
    Ok(match kind {
        Kind::Vm => Argument::Vm(names.vm(reader)?),
        Kind::Node => Argument::Node(names.node(reader)?),
        Kind::Vms => Argument::Vms(set(reader, what, vm)?),
        Kind::VmList => Argument::VmList(vm_list(reader, what, names)?),
        Kind::Nodes => Argument::Nodes(set(reader, what, node)?),
        Kind::VmSets => {
            Argument::VmSets(sets(reader, what, dialect, |reader| set(reader, expectation(Kind::Vms), vm))?)
        }
        Kind::NodeSets => Argument::NodeSets(sets(reader, what, dialect, |reader| {
            set(reader, expectation(Kind::Nodes), node)
        })?),
        Kind::Resource => Argument::Resource(names.resource(reader)?),
        Kind::Amount => Argument::Amount(reader.unsigned(u64::MAX, what)?),
        Kind::Ratio => match Ratio::new(reader.float(what)?) {
            Ok(ratio) => Argument::Ratio(ratio),
            Err(message) => return fault(start, message),
        },
        Kind::Time => match reader.text_value(what)?.parse::<Timestamp>() {
            Ok(moment) => Argument::Time(moment),
            Err(message) => return fault(start, message),
        },
        Kind::Word(choices) => {
            let word = reader.text_value(&format!("one of the words {}", choices.join(", ")))?;
            if !choices.contains(&word.as_ref()) {
                let near = hint(&word, choices.iter().copied());
                return fault(
                    start,
                    format!(
                        "expected one of the words {}, found {}{near}",
                        choices.join(", "),
                        quoted(&word)
                    ),
                );
            }
            Argument::Word(word.into_owned())
        }
    })
}

fn list<T>(
    reader: &mut Reader<'_>,
    what: &str,
    mut element: impl FnMut(&mut Reader<'_>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut list = Vec::new();
    reader.array(what)?;
    while reader.element()? {
        list.push(element(reader)?);
    }
    Ok(list)
}

fn set<T: Ord>(
    reader: &mut Reader<'_>,
    what: &str,
    element: impl FnMut(&mut Reader<'_>) -> Parsed<T>,
) -> Parsed<Arc<[T]>> {
    let mut set = list(reader, what, element)?;
    set.sort_unstable();
    set.dedup();
    Ok(set.into())
}

fn vm_list(reader: &mut Reader<'_>, what: &str, names: &impl Names) -> Parsed<VmSet> {
    let start = reader.here();
    let list = list(reader, what, |reader| names.vm(reader))?;
    let mut sorted = list.clone();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let twice = list.iter().rposition(|&vm| vm == pair[0]).unwrap_or_default();
        return fault(start, format!("expected {what}, found the VM of position {twice} before it as well"));
    }
    Ok(list.into())
}

/// Sets in their order. BtrPlace keeps a set of them, so there equal ones are one.
fn sets<'a, T: Clone + Eq + std::hash::Hash>(
    reader: &mut Reader<'a>,
    what: &str,
    dialect: Dialect,
    mut set: impl FnMut(&mut Reader<'a>) -> Parsed<Arc<[T]>>,
) -> Parsed<Arc<[Arc<[T]>]>> {
    let mut list = Vec::new();
    let mut met = std::collections::HashSet::new();
    reader.array(what)?;
    while reader.element()? {
        let one = set(reader)?;
        if dialect == Dialect::Quadrille || met.insert(one.clone()) {
            list.push(one);
        }
    }
    Ok(list.into())
}

/// How a document writes what constraints speak of.
pub(super) trait WriteNames {
    fn vm(&self, json: &mut Json, vm: VmId);
    fn node(&self, json: &mut Json, node: NodeId);
    fn resource(&self, json: &mut Json, resource: ResourceId);
}

/// Writes constraints; a long shared set is put into words once and copied then.
#[derive(Debug, Default)]
pub(super) struct Scribe {
    /// The arguments are kept so that their addresses stay theirs.
    met: FxHashMap<usize, (Argument, std::ops::Range<usize>)>,
}

impl Scribe {
    const LONG: usize = 16;

    /// The parameters and flags of a constraint, each preceded by a comma if `comma`.
    pub(super) fn fields(
        &mut self,
        json: &mut Json,
        constraint: &Constraint,
        dialect: Dialect,
        names: &impl WriteNames,
        mut comma: bool,
    ) {
        let signature = constraint.rule.signature();
        let mut key = |json: &mut Json, key: &str| {
            if comma {
                json.raw(", ");
            }
            comma = true;
            json.key(key);
        };
        for (parameter, argument) in (signature.parameters)().iter().zip(constraint.rule.arguments()) {
            if parameter.default.is_some_and(|default| default() == argument) {
                continue;
            }
            key(json, dialect.parameter(parameter));
            self.argument(json, argument, names);
        }
        let continuous = constraint.restriction == Restriction::Continuous;
        let flag = if dialect == Dialect::BtrPlace && signature.btrplace.is_some() {
            match signature.btrplace_flag {
                BtrPlaceFlag::Required => Some(continuous),
                BtrPlaceFlag::WrittenFalse => Some(false),
                BtrPlaceFlag::Absent => None,
            }
        } else {
            matches!(signature.restrictions, Restrictions::Both(_)).then_some(continuous)
        };
        if let Some(flag) = flag {
            key(json, "continuous");
            json.boolean(flag);
        }
        if let Strength::Soft(penalty) = constraint.strength {
            key(json, "penalty");
            json.unsigned(u64::from(penalty));
        }
    }

    fn argument(&mut self, json: &mut Json, argument: Argument, names: &impl WriteNames) {
        let (address, length) = match &argument {
            Argument::Vms(set) | Argument::VmList(set) => (set.as_ptr() as usize, set.len()),
            Argument::Nodes(set) => (set.as_ptr() as usize, set.len()),
            Argument::VmSets(sets) => (sets.as_ptr() as usize, sets.iter().map(|set| set.len()).sum()),
            Argument::NodeSets(sets) => (sets.as_ptr() as usize, sets.iter().map(|set| set.len()).sum()),
            _ => (0, 0),
        };
        if length < Self::LONG {
            return write_argument(json, &argument, names);
        }
        if let Some((known, range)) = self.met.get(&address)
            && *known == argument
        {
            return json.again(range.clone());
        }
        let start = json.len();
        write_argument(json, &argument, names);
        self.met.insert(address, (argument, start..json.len()));
    }
}

fn write_argument(json: &mut Json, argument: &Argument, names: &impl WriteNames) {
    match argument {
        Argument::Vm(vm) => names.vm(json, *vm),
        Argument::Node(node) => names.node(json, *node),
        Argument::Vms(vms) | Argument::VmList(vms) => json.array(vms.iter(), |json, vm| names.vm(json, *vm)),
        Argument::Nodes(nodes) => json.array(nodes.iter(), |json, node| names.node(json, *node)),
        Argument::VmSets(sets) => {
            json.array(sets.iter(), |json, set| json.array(set.iter(), |json, vm| names.vm(json, *vm)));
        }
        Argument::NodeSets(sets) => {
            json.array(sets.iter(), |json, set| json.array(set.iter(), |json, node| names.node(json, *node)));
        }
        Argument::Resource(resource) => names.resource(json, *resource),
        Argument::Amount(amount) => json.unsigned(*amount),
        Argument::Ratio(ratio) => json.number(Number::Float(ratio.get())),
        Argument::Time(moment) => json.text(&moment.to_string()),
        Argument::Word(word) => json.text(word),
    }
}

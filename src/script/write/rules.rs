//! Constraints: statements over sets, loops, and names for sets that occur often.

use super::Losses;
use super::Out;
use super::Subject;
use super::names::Names;
use super::names::quoted;
use crate::constraint;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::Parameter;
use crate::constraint::Restriction;
use crate::constraint::Restrictions;
use crate::constraint::Strength;
use crate::constraint::Timestamp;
use crate::format::FormatError;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::model::VmSet;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Shorter sets are repeated rather than named.
const SHORT: usize = 16;
/// As many statements in a row are worth a loop.
const LOOP: usize = 3;

/// A set that was met, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Vm(VmId),
    Node(NodeId),
    /// Sorted.
    Vms(u32),
    VmList(u32),
    Nodes(u32),
    VmSets(u32),
    NodeSets(u32),
    /// Anything short, as it is written.
    Text(u32),
}

/// Equal things by number.
struct Pool<T> {
    all: Vec<T>,
    numbers: FxHashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Pool<T> {
    fn new() -> Self {
        Self { all: Vec::new(), numbers: FxHashMap::default() }
    }

    fn number(&mut self, one: &T) -> u32 {
        if let Some(&number) = self.numbers.get(one) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(one.clone());
        self.numbers.insert(one.clone(), number);
        number
    }
}

/// Everything that arguments are made of.
struct Pools {
    vms: Pool<VmSet>,
    nodes: Pool<NodeSet>,
    vm_sets: Pool<Arc<[VmSet]>>,
    node_sets: Pool<Arc<[NodeSet]>>,
    texts: Pool<String>,
    /// The numbers of sets by where they lie.
    met: FxHashMap<(usize, usize), u32>,
}

/// A constraint that can be written.
struct Rule {
    name: &'static str,
    keys: Vec<Key>,
    discrete: bool,
    soft: Option<u32>,
}

impl Rule {
    /// Do they differ in that argument at most?
    fn is_alike(&self, other: &Self, slot: usize) -> bool {
        self.name == other.name
            && self.discrete == other.discrete
            && self.soft == other.soft
            && self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).enumerate().all(|(at, (a, b))| at == slot || a == b)
    }

    /// The first argument in which another differs.
    fn difference(&self, other: &Self) -> Option<usize> {
        self.keys.iter().zip(&other.keys).position(|(a, b)| a != b)
    }
}

/// One or more constraints as one statement.
enum Statement {
    One(usize),
    /// The same of each element in this argument.
    Each(std::ops::Range<usize>, usize),
    /// The same of each set in this argument.
    Loop(std::ops::Range<usize>, usize),
}

pub(super) fn write(subject: Subject<'_>, out: &mut Out, losses: &mut Losses) -> Result<(), FormatError> {
    let Subject { instance, names, resources } = subject;
    let mut pools = Pools {
        vms: Pool::new(),
        nodes: Pool::new(),
        vm_sets: Pool::new(),
        node_sets: Pool::new(),
        texts: Pool::new(),
        met: FxHashMap::default(),
    };
    let mut parameters: FxHashMap<&'static str, Vec<Parameter>> = FxHashMap::default();
    let mut rules = Vec::new();
    for constraint in instance.constraints() {
        let name = constraint.rule.signature().name;
        let Some(known) = constraint::signature(name) else {
            losses.add("rules that are not of the catalog", || format!("`{name}` is not of the catalog"))?;
            continue;
        };
        let parameters = parameters.entry(name).or_insert_with(|| (known.parameters)());
        match rule(instance, constraint, parameters, resources, &mut pools) {
            Ok(rule) => rules.push(rule),
            Err(why) => losses.add("rules", || format!("a rule `{name}` {why}"))?,
        }
    }
    let statements = group(&rules);
    let mut variables = Variables::new(instance, names, &pools);
    for statement in &statements {
        variables.count(&rules, statement);
    }
    variables.define(out);
    if !rules.is_empty() {
        out.gap();
    }
    for statement in &statements {
        variables.write(&rules, statement, out);
    }
    Ok(())
}

/// A constraint in numbers; or why it cannot be written.
fn rule(
    instance: &Instance,
    constraint: &Constraint,
    parameters: &[Parameter],
    resources: &[bool],
    pools: &mut Pools,
) -> Result<Rule, String> {
    let signature = constraint.rule.signature();
    let arguments = constraint.rule.arguments();
    let mut keys = Vec::with_capacity(arguments.len());
    // What is left out at the end stands for the defaults.
    let is_default = |(parameter, argument): (&Parameter, &Argument)| {
        parameter.default.is_some_and(|default| default() == *argument)
    };
    let last = parameters.iter().zip(&arguments).rposition(|pair| !is_default(pair));
    for (at, (parameter, argument)) in parameters.iter().zip(&arguments).enumerate() {
        if last.is_none_or(|last| at > last) {
            break;
        }
        let empty = match argument {
            Argument::Vms(set) | Argument::VmList(set) => set.is_empty(),
            Argument::Nodes(set) => set.is_empty(),
            Argument::VmSets(sets) => sets.is_empty(),
            Argument::NodeSets(sets) => sets.is_empty(),
            _ => false,
        };
        if empty && !is_default((parameter, argument)) {
            return Err(format!("has an empty set for `{}`", parameter.name));
        }
        keys.push(match argument {
            Argument::Vm(vm) => Key::Vm(*vm),
            Argument::Node(node) => Key::Node(*node),
            Argument::Vms(set) => Key::Vms(pools.vm_set(set)),
            Argument::VmList(set) => Key::VmList(pools.vm_set(set)),
            Argument::Nodes(set) => Key::Nodes(pools.node_set(set)),
            Argument::VmSets(sets) => {
                distinct(sets).ok_or_else(|| format!("has a set twice in `{}`", parameter.name))?;
                let mut members: Vec<VmId> = sets.iter().flat_map(|set| set.iter().copied()).collect();
                members.sort_unstable();
                if members.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(format!("has sets in `{}` that overlap", parameter.name));
                }
                for set in sets.iter() {
                    pools.vm_set(set);
                }
                Key::VmSets(pools.vm_sets.number(sets))
            }
            Argument::NodeSets(sets) => {
                distinct(sets).ok_or_else(|| format!("has a set twice in `{}`", parameter.name))?;
                for set in sets.iter() {
                    pools.node_set(set);
                }
                Key::NodeSets(pools.node_sets.number(sets))
            }
            Argument::Resource(resource) => {
                if !resources.get(resource.index()).copied().unwrap_or(false) {
                    return Err("is about a resource that cannot be named".to_owned());
                }
                pools.text(quoted(instance.resource_name(*resource)))
            }
            Argument::Amount(amount) => match i64::try_from(*amount) {
                Ok(amount) => pools.text(amount.to_string()),
                Err(_) => return Err(format!("has the amount {amount}")),
            },
            Argument::Ratio(ratio) => {
                let text = ratio.get().to_string();
                pools.text(if text.contains('.') { text } else { format!("{text}.0") })
            }
            Argument::Time(moment) => pools.text(match moment {
                Timestamp::Relative(seconds) if *seconds >= 100_000_000_000 => {
                    return Err(format!("has the moment {seconds}"));
                }
                Timestamp::Relative(seconds) if *seconds >= 360_000 => format!("\"+{seconds}s\""),
                _ => format!("\"{moment}\""),
            }),
            Argument::Word(word) => pools.text(quoted(word)),
        });
    }
    // Without `>>` it would be continuous.
    let discrete = constraint.restriction == Restriction::Discrete
        && matches!(signature.restrictions, Restrictions::Both(_));
    let soft = match constraint.strength {
        Strength::Hard => None,
        Strength::Soft(price) => Some(price),
    };
    Ok(Rule { name: signature.name, keys, discrete, soft })
}

/// None where a set is there twice.
fn distinct<T: Ord>(sets: &[Arc<[T]>]) -> Option<()> {
    let mut sorted: Vec<&Arc<[T]>> = sets.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1]).then_some(())
}

impl Pools {
    fn vm_set(&mut self, set: &VmSet) -> u32 {
        let key = (Arc::as_ptr(set).cast::<VmId>() as usize, set.len());
        *self.met.entry(key).or_insert_with(|| self.vms.number(set))
    }

    fn node_set(&mut self, set: &NodeSet) -> u32 {
        self.nodes.number(set)
    }

    fn text(&mut self, text: String) -> Key {
        Key::Text(self.texts.number(&text))
    }
}

/// Puts constraints that follow one another into statements; their order stays.
fn group(rules: &[Rule]) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut at = 0;
    while let Some(rule) = rules.get(at) {
        let statement = rules.get(at + 1).and_then(|next| {
            let slot = rule.difference(next)?;
            let mut met: FxHashSet<Key> = [*rule.keys.get(slot)?].into_iter().collect();
            for other in &rules[at + 1..] {
                // An element counts once in a set.
                if !rule.is_alike(other, slot) || !met.insert(*other.keys.get(slot)?) {
                    break;
                }
            }
            let range = at..at + met.len();
            match rule.keys.get(slot)? {
                Key::Vm(_) | Key::Node(_) if met.len() > 1 => Some(Statement::Each(range, slot)),
                Key::Vms(_) | Key::VmList(_) | Key::Nodes(_) | Key::VmSets(_) | Key::NodeSets(_)
                    if met.len() >= LOOP =>
                {
                    Some(Statement::Loop(range, slot))
                }
                _ => None,
            }
        });
        at += match &statement {
            Some(Statement::Each(range, _) | Statement::Loop(range, _)) => range.len(),
            _ => 1,
        };
        statements.push(statement.unwrap_or(Statement::One(at - 1)));
    }
    statements
}

/// A set as it is written, how often, and the variable that it gets.
struct Written {
    text: String,
    uses: u32,
    variable: Option<String>,
}

/// Which sets get names.
struct Variables<'a> {
    instance: &'a Instance,
    names: &'a Names,
    pools: &'a Pools,
    vms: FxHashMap<(u32, bool), Written>,
    nodes: FxHashMap<u32, Written>,
    /// In the order of first use.
    used: Vec<Key>,
}

impl<'a> Variables<'a> {
    fn new(instance: &'a Instance, names: &'a Names, pools: &'a Pools) -> Self {
        Self {
            instance,
            names,
            pools,
            vms: FxHashMap::default(),
            nodes: FxHashMap::default(),
            used: Vec::new(),
        }
    }

    fn count(&mut self, rules: &[Rule], statement: &Statement) {
        let range = match statement {
            Statement::One(at) => *at..*at + 1,
            Statement::Each(range, _) | Statement::Loop(range, _) => range.clone(),
        };
        let Some(first) = rules.get(range.start) else { return };
        let varies = match statement {
            Statement::Loop(_, slot) | Statement::Each(_, slot) => Some(*slot),
            Statement::One(_) => None,
        };
        for (slot, key) in first.keys.iter().enumerate() {
            if varies != Some(slot) {
                self.count_key(*key);
            }
        }
        if let Statement::Loop(range, slot) = statement {
            for rule in rules.get(range.clone()).into_iter().flatten() {
                if let Some(key) = rule.keys.get(*slot) {
                    self.count_key(*key);
                }
            }
        }
    }

    fn count_key(&mut self, key: Key) {
        match key {
            Key::Vms(number) | Key::VmList(number) => {
                let ordered = matches!(key, Key::VmList(_));
                let Some(set) = self.pools.vms.all.get(number as usize) else { return };
                let names = self.names;
                let written = self.vms.entry((number, ordered)).or_insert_with(|| {
                    self.used.push(key);
                    Written { text: names.set(set, ordered), uses: 0, variable: None }
                });
                written.uses += 1;
            }
            Key::Nodes(number) => {
                let Some(set) = self.pools.nodes.all.get(number as usize) else { return };
                let names = self.names;
                let written = self.nodes.entry(number).or_insert_with(|| {
                    self.used.push(key);
                    Written { text: names.set(set, false), uses: 0, variable: None }
                });
                written.uses += 1;
            }
            Key::VmSets(number) => {
                let pools = self.pools;
                for set in pools.vm_sets.all.get(number as usize).into_iter().flat_map(|sets| sets.iter()) {
                    if let Some(&number) = pools.vms.numbers.get(set) {
                        self.count_key(Key::Vms(number));
                    }
                }
            }
            Key::NodeSets(number) => {
                let pools = self.pools;
                for set in pools.node_sets.all.get(number as usize).into_iter().flat_map(|sets| sets.iter()) {
                    if let Some(&number) = pools.nodes.numbers.get(set) {
                        self.count_key(Key::Nodes(number));
                    }
                }
            }
            Key::Vm(_) | Key::Node(_) | Key::Text(_) => {}
        }
    }

    /// Gives names to what occurs often and is long.
    fn define(&mut self, out: &mut Out) {
        let (vm_count, node_count) = (self.instance.vm_count(), self.instance.node_count());
        let mut next = [0u32; 2];
        let mut any = false;
        for key in &self.used {
            let (written, all, word, at) = match key {
                Key::Nodes(number) => {
                    let size = self.pools.nodes.all.get(*number as usize).map_or(0, |set| set.len());
                    (self.nodes.get_mut(number), size == node_count, "nodes", 0)
                }
                Key::Vms(number) | Key::VmList(number) => {
                    let ordered = matches!(key, Key::VmList(_));
                    let size = self.pools.vms.all.get(*number as usize).map_or(0, |set| set.len());
                    (self.vms.get_mut(&(*number, ordered)), size == vm_count && !ordered, "vms", 1)
                }
                _ => continue,
            };
            let Some(written) = written else { continue };
            if written.uses < 2 || written.text.len() < SHORT {
                continue;
            }
            let name = if all {
                format!("${word}")
            } else {
                next[at] += 1;
                format!("${word}{}", next[at])
            };
            if !std::mem::replace(&mut any, true) {
                out.gap();
            }
            out.statement(&format!("{name} = {}", written.text));
            written.variable = Some(name);
        }
    }

    fn text(&self, key: Key) -> String {
        let named = |written: Option<&Written>| match written {
            Some(Written { variable: Some(name), .. }) => name.clone(),
            Some(written) => written.text.clone(),
            None => "{}".to_owned(),
        };
        match key {
            Key::Vm(vm) => self.names.vms.single(vm.index()).to_owned(),
            Key::Node(node) => self.names.nodes.single(node.index()).to_owned(),
            Key::Vms(number) => named(self.vms.get(&(number, false))),
            Key::VmList(number) => named(self.vms.get(&(number, true))),
            Key::Nodes(number) => named(self.nodes.get(&number)),
            Key::VmSets(number) => {
                let sets = self.pools.vm_sets.all.get(number as usize);
                let sets = sets.into_iter().flat_map(|sets| sets.iter());
                let text = |set| {
                    let number = self.pools.vms.numbers.get(set);
                    named(number.and_then(|&number| self.vms.get(&(number, false))))
                };
                let texts: Vec<String> = sets.map(text).collect();
                format!("{{{}}}", texts.join(", "))
            }
            Key::NodeSets(number) => {
                let sets = self.pools.node_sets.all.get(number as usize);
                let sets = sets.into_iter().flat_map(|sets| sets.iter());
                let text = |set| {
                    let number = self.pools.nodes.numbers.get(set);
                    named(number.and_then(|number| self.nodes.get(number)))
                };
                let texts: Vec<String> = sets.map(text).collect();
                format!("{{{}}}", texts.join(", "))
            }
            Key::Text(number) => self.pools.texts.all.get(number as usize).cloned().unwrap_or_default(),
        }
    }

    fn write(&self, rules: &[Rule], statement: &Statement, out: &mut Out) {
        match statement {
            Statement::One(at) => {
                if let Some(rule) = rules.get(*at) {
                    out.statement(&self.rule(rule, None));
                }
            }
            Statement::Each(range, slot) => {
                let group = rules.get(range.clone()).unwrap_or(&[]);
                let keys = || group.iter().filter_map(|rule| rule.keys.get(*slot));
                let vms: Vec<VmId> = keys()
                    .filter_map(|key| match key {
                        Key::Vm(vm) => Some(*vm),
                        _ => None,
                    })
                    .collect();
                let nodes: Vec<NodeId> = keys()
                    .filter_map(|key| match key {
                        Key::Node(node) => Some(*node),
                        _ => None,
                    })
                    .collect();
                let text =
                    if vms.is_empty() { self.names.set(&nodes, true) } else { self.names.set(&vms, true) };
                if let Some(rule) = group.first() {
                    out.statement(&self.rule(rule, Some((*slot, &text))));
                }
            }
            Statement::Loop(range, slot) => {
                let group = rules.get(range.clone()).unwrap_or(&[]);
                out.line("for $group in {");
                for (at, rule) in group.iter().enumerate() {
                    let text = rule.keys.get(*slot).map_or_else(String::new, |key| self.text(*key));
                    out.wrapped(&text, "    ");
                    out.line(if at + 1 < group.len() { "," } else { "" });
                }
                out.line("} {");
                if let Some(rule) = group.first() {
                    out.wrapped(&self.rule(rule, Some((*slot, "$group"))), "    ");
                    out.line(";");
                }
                out.line("}");
            }
        }
    }

    fn rule(&self, rule: &Rule, replaced: Option<(usize, &str)>) -> String {
        let mut text = String::new();
        if rule.discrete {
            text.push_str(">>");
        }
        text.push_str(match rule.name {
            "deadline" | "precedence" => "before",
            name => name,
        });
        text.push('(');
        for (at, key) in rule.keys.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            match replaced {
                Some((slot, replacement)) if slot == at => text.push_str(replacement),
                _ => text.push_str(&self.text(*key)),
            }
        }
        text.push(')');
        if let Some(price) = rule.soft {
            text.push_str(&format!(" soft {price}"));
        }
        text
    }
}

//! Resources, templates, VMs and nodes.

use super::evaluate::Run;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::fault::short;
use super::value::Items;
use super::value::Number;
use super::value::Set;
use super::value::Value;
use super::value::write_number;
use super::world::Element;
use crate::model::Duration;
use crate::model::Durations;
use crate::model::Figure;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::ResourceId;
use crate::model::Timed;
use crate::model::Value as Attribute;
use crate::model::VmId;
use crate::model::fault_of_hot_memory;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind as EnumerationKind;
use quadrille_dsl::Setting;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Word;

/// A template that was declared.
#[derive(Debug)]
pub(super) struct Template<'p> {
    name: &'p Word,
    options: Vec<Choice<'p>>,
}

/// An option with its value.
#[derive(Clone, Debug)]
pub(super) struct Choice<'p> {
    pub(super) name: &'p Word,
    pub(super) value: Value,
    pub(super) span: Span,
}

/// What an option does to an element.
#[derive(Clone, Debug)]
enum Effect<'p> {
    Amount(ResourceId, u64, Span),
    Tag(String),
    Attribute(&'p str, Attribute, Span),
}

/// The state that elements start in.
enum Start {
    Running(Vec<NodeId>),
    Sleeping(Vec<NodeId>),
    Ready,
    Online,
    Offline,
}

/// The value of an attribute as an option gives it: texts that look like something else
/// are that. None where it can be none.
pub(super) fn attribute_of(value: &Value) -> Option<Attribute> {
    Some(match value {
        Value::Number(Number::Integer(value, _)) => Attribute::Int(*value),
        Value::Number(Number::Float(value)) => Attribute::Float(*value),
        Value::Text(text) => match text.as_ref() {
            "true" => Attribute::Bool(true),
            "false" => Attribute::Bool(false),
            other => match (other.parse::<i64>(), decimal(other)) {
                (Ok(value), _) => Attribute::Int(value),
                (Err(_), Some(value)) => Attribute::Float(value),
                (Err(_), None) => Attribute::Text(text.clone()),
            },
        },
        _ => return None,
    })
}

/// Templates of this name, and those below it, lend their options but not their name.
const PLAIN: &str = "plain";
/// What holds for VMs of which nothing else is said.
const DEFAULT_VM: &str = "default.vm";
/// The same for nodes.
const DEFAULT_NODE: &str = "default.node";

/// Before the name of an attribute that an option would otherwise take for a resource or a tag.
pub(super) const ATTRIBUTE: &str = "attribute.";

/// Does a `template` statement with this name mean more than options?
pub(super) fn is_special(name: &str) -> bool {
    is_plain(name) || is_default(name)
}

/// Does it say what holds where nothing else is said?
pub(super) fn is_default(name: &str) -> bool {
    name == DEFAULT_VM || name == DEFAULT_NODE
}

fn is_plain(name: &str) -> bool {
    name.strip_prefix(PLAIN).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `0.5*mem + 2`: a duration by the amount of a resource.
fn linear(text: &str, resource: impl Fn(&str) -> Option<ResourceId>) -> Option<Duration> {
    let (coefficient, rest) = text.split_once('*')?;
    let coefficient: f64 = coefficient.trim().parse().ok()?;
    let known = |name: &str, offset: f64| {
        Some(Duration::Linear { resource: resource(name.trim())?, coefficient, offset })
    };
    // A sign without a number behind it belongs to the name.
    let offset = rest.rfind(['+', '-']).and_then(|at| {
        let size: f64 = rest[at + 1..].trim().parse().ok()?;
        Some((at, if rest[at..].starts_with('-') { -size } else { size }))
    });
    let found = match offset {
        None => known(rest, 0.0),
        Some((at, offset)) => known(&rest[..at], offset),
    };
    found.filter(|duration| match duration {
        Duration::Linear { coefficient, offset, .. } => coefficient.is_finite() && offset.is_finite(),
        Duration::Constant(_) => true,
    })
}

/// Digits with a point; not `inf`, `1e5` or the like.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = digits.contains('.') && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok().filter(|value: &f64| value.is_finite()) } else { None }
}

/// An attribute as text, for comparing and grouping.
pub(super) fn attribute_text(value: &Attribute) -> String {
    let mut text = String::new();
    match value {
        Attribute::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Attribute::Int(value) => write_number(Number::Integer(*value, 10), &mut text),
        Attribute::Float(value) => write_number(Number::Float(*value), &mut text),
        Attribute::Text(value) => text.push_str(value),
    }
    text
}

impl<'p> Run<'p, '_> {
    /// `resource cpu, mem;`
    pub(super) fn resources(&mut self, words: &'p [Word]) {
        for word in words {
            // Another script, or the cluster, may have it already: that is the same one.
            if self.session.world.resource(&word.value).is_some() {
                continue;
            }
            if self.session.world.gave_attribute(&word.value) {
                let message =
                    format!("`{0}` was an attribute in declarations above, and stays one there", word.value);
                self.warning("W0915", word.span, message);
            }
            if let Err(fault) = self.session.world.add_resource(&word.value) {
                self.fault(word.span, fault);
            }
        }
    }

    /// `template small<cpu=1>;`
    pub(super) fn template(&mut self, name: &'p Word, options: &'p [Spanned<Setting>]) {
        let options = self.choices(options);
        if let Some(first) = self.templates.get(name.value.as_str()) {
            let (message, first) =
                (format!("the template `{}` is declared twice", name.value), first.name.span);
            let file = self.script.file;
            self.say(Diagnostic::error("E0111", name.span, message).and(file, first, "here first"));
            return;
        }
        match name.value.as_str() {
            DEFAULT_VM => self.defaults(&options, false),
            DEFAULT_NODE => self.defaults(&options, true),
            _ => {}
        }
        self.templates.insert(&name.value, Template { name, options });
    }

    /// `template default.vm<cpu=1, migrate=4>;`: what holds where nothing else is said.
    fn defaults(&mut self, options: &[Choice<'p>], nodes: bool) {
        for Choice { name, value, span } in options {
            let word = name.value.as_str();
            let kind = Timed::ALL.into_iter().find(|kind| {
                let of_node = matches!(kind, Timed::BootNode | Timed::ShutdownNode);
                of_node == nodes && kind.attribute() == word
            });
            match (self.session.world.resource(word), kind, value) {
                (_, _, Value::Unknown) => {}
                (Some(resource), _, Value::Number(Number::Integer(amount, _))) if *amount >= 0 => {
                    self.session.world.set_default(resource, nodes, *amount as u64);
                }
                (Some(_), _, other) => {
                    let found = other.text(&self.session.world);
                    let message = format!(
                        "`{word}` is a resource: it takes a whole number of 0 or more, found {}",
                        short(&found)
                    );
                    self.error("E0306", *span, message);
                }
                (None, Some(kind), value) => {
                    let world = &self.session.world;
                    let duration = match value {
                        Value::Number(Number::Integer(seconds, _)) => u32::try_from(*seconds)
                            .ok()
                            .filter(|seconds| (1..=Durations::LONGEST).contains(seconds))
                            .map(Duration::Constant),
                        Value::Text(text) => linear(text, |name| world.resource(name)),
                        _ => None,
                    };
                    match duration {
                        Some(duration) => self.session.world.set_duration(kind, duration),
                        None => {
                            let message = format!("`{word}` is how long that takes");
                            let fault = Fault::new("E0312", message).help(format!(
                                "a whole number of seconds from 1 to {}, or by a resource: \"0.5*mem + 2\"",
                                Durations::LONGEST
                            ));
                            self.fault(*span, fault);
                        }
                    }
                }
                (None, None, _) => {
                    let what = if nodes { "nodes" } else { "VMs" };
                    let fault = Fault::new("E0312", format!("`{word}` has no default for {what}"))
                        .help("defaults are amounts of resources and durations");
                    self.fault(*span, fault);
                }
            }
        }
    }

    /// The values of options.
    pub(super) fn choices(&mut self, options: &'p [Spanned<Setting>]) -> Vec<Choice<'p>> {
        let mut choices: Vec<Choice<'p>> = Vec::new();
        for option in options {
            let name = &option.value.name;
            let value = match &option.value.value {
                Some(expression) => self.value(expression),
                None => Value::Text("true".into()),
            };
            if name.value != "tag" && choices.iter().any(|choice| choice.name.value == name.value) {
                let message = format!("`{}` is given twice; the last one counts", name.value);
                self.warning("W0905", name.span, message);
            }
            choices.push(Choice { name, value, span: option.span });
        }
        choices
    }

    /// What options do, in order.
    fn effects(&mut self, choices: &[Choice<'p>]) -> Vec<Effect<'p>> {
        let mut effects = Vec::new();
        for Choice { name, value, span } in choices {
            if value.is_unknown() {
                continue;
            }
            let (name, plain) = match name.value.strip_prefix(ATTRIBUTE) {
                Some(rest) => (rest, false),
                None => (name.value.as_str(), true),
            };
            if let Some(resource) = self.session.world.resource(name).filter(|_| plain) {
                match value {
                    Value::Number(Number::Integer(amount, _)) if *amount >= 0 => {
                        effects.push(Effect::Amount(resource, *amount as u64, *span));
                    }
                    other => {
                        let found = match other {
                            Value::Number(_) => other.text(&self.session.world),
                            other => format!("a {}", other.type_name()),
                        };
                        let message = format!(
                            "`{}` is a resource: it takes a whole number of 0 or more, found {found}",
                            name
                        );
                        self.error("E0306", *span, message);
                    }
                }
                continue;
            }
            if plain && name == "tag" {
                match value {
                    Value::Text(text) => effects.push(Effect::Tag(text.to_string())),
                    other => {
                        let message = format!("a tag is a text, this is a {}", other.type_name());
                        self.error("E0209", *span, message);
                    }
                }
                continue;
            }
            let Some(attribute) = attribute_of(value) else {
                let message = format!("an attribute is a number or a text, this is a {}", value.type_name());
                self.error("E0209", *span, message);
                continue;
            };
            effects.push(Effect::Attribute(name, attribute, *span));
        }
        effects
    }

    /// `VM[1..3] : small<clone> running on @n1;`
    pub(super) fn declaration(
        &mut self,
        target: &'p Spanned<Expression>,
        template: &'p Word,
        options: &'p [Spanned<Setting>],
        state: Option<&'p Spanned<State>>,
    ) {
        let own = self.choices(options);
        let mut choices: Vec<Choice<'p>> = Vec::new();
        match self.templates.get(template.value.as_str()) {
            Some(known) => {
                let given = |name: &str| name != "tag" && own.iter().any(|choice| choice.name.value == name);
                choices.extend(known.options.iter().filter(|choice| !given(&choice.name.value)).cloned());
            }
            None => {
                let mut names: Vec<&str> = self.templates.keys().copied().collect();
                names.sort_unstable();
                if let Some(help) = did_you_mean(&template.value, names) {
                    let message = format!("no template `{}` is declared", template.value);
                    let warning = Diagnostic::error("W0904", template.span, message).warning();
                    self.say(warning.with_help(help));
                }
            }
        }
        choices.extend(own);
        let mut effects = Vec::new();
        // Where no `template` statement says so, it is a name as any other.
        let lends_only = is_plain(&template.value) && self.templates.contains_key(template.value.as_str());
        if !lends_only {
            let name = Attribute::Text(template.value.as_str().into());
            effects.push(Effect::Attribute("template", name, template.span));
        }
        effects.extend(self.effects(&choices));
        self.epoch += 1;
        let mut elements: Vec<(Element, bool)> = Vec::new();
        if !self.declare(target, &mut elements) {
            // What it would have declared is not known.
            self.session.lost.target(&target.value);
        }
        self.met_declaration(target.span, &elements);
        self.check_figures(&effects, &elements);
        for &(element, _) in &elements {
            self.give(element, &effects);
        }
        self.check_hot_memory(&effects, &elements);
        if let Some(state) = state {
            self.start(state, &elements);
        }
    }

    /// Do attributes that mean something for these elements say what they must?
    fn check_figures(&mut self, effects: &[Effect<'p>], elements: &[(Element, bool)]) {
        let some_vm = elements.iter().any(|(element, _)| matches!(element, Element::Vm(_)));
        let some_node = elements.iter().any(|(element, _)| matches!(element, Element::Node(_)));
        for effect in effects {
            let Effect::Attribute(name, value, span) = effect else { continue };
            let of_vms = some_vm.then(|| Figure::of_vms(name)).flatten();
            let of_nodes = some_node.then(|| Figure::of_nodes(name)).flatten();
            let expected = of_vms.into_iter().chain(of_nodes).find(|figure| !figure.is(value));
            if let Some(figure) = expected {
                let message = format!("`{name}` is {}; expected {}", value.said(), figure.expected());
                self.error("E0314", *span, message);
            }
        }
    }

    /// Is the hot memory of VMs written in some time? Two options tell, and two statements may.
    fn check_hot_memory(&mut self, effects: &[Effect<'p>], elements: &[(Element, bool)]) {
        const OPTIONS: [&str; 2] = ["hotDirtySize", "hotDirtyDuration"];
        let last = effects.iter().rev().find_map(|effect| match effect {
            Effect::Attribute(name, _, span) if OPTIONS.contains(name) => Some(*span),
            _ => None,
        });
        let Some(span) = last else { return };
        for &(element, _) in elements.iter().filter(|(element, _)| matches!(element, Element::Vm(_))) {
            let number = |name| self.session.world.attribute(element, name).and_then(Attribute::as_number);
            let [size, seconds] = OPTIONS.map(number);
            if let Some(fault) = fault_of_hot_memory(size, seconds) {
                return self.error("E0314", span, fault);
            }
        }
    }

    /// Makes the elements of a target known; false where some are not known.
    fn declare(&mut self, target: &'p Spanned<Expression>, elements: &mut Vec<(Element, bool)>) -> bool {
        match &target.value {
            Expression::Name(name) | Expression::QuotedName(name) => {
                self.declare_vm(name, target.span, elements)
            }
            Expression::Node(name) => self.declare_node(name, target.span, elements),
            Expression::Enumeration { kind: EnumerationKind::Name, head, elements: parts, tail } => self
                .each_name(target.span, head, parts, tail, &mut |run, name, span| {
                    run.declare_vm(name, span, elements)
                }),
            Expression::Enumeration { kind: EnumerationKind::Node, head, elements: parts, tail } => self
                .each_name(target.span, head, parts, tail, &mut |run, name, span| {
                    run.declare_node(name, span, elements)
                }),
            Expression::Set(targets) => {
                if !self.descend(target.span) {
                    return false;
                }
                let mut sound = true;
                for target in targets {
                    sound &= self.declare(target, elements);
                }
                self.ascend();
                sound
            }
            _ => {
                let fault =
                    Fault::new("E0205", "only names, nodes, enumerations and sets of them can be declared")
                        .help("`VM1 : small;`, `@n[1..4] : large;`");
                self.fault(target.span, fault);
                false
            }
        }
    }

    fn declare_vm(&mut self, name: &str, span: Span, elements: &mut Vec<(Element, bool)>) -> bool {
        let known = self.session.world.vm(self.prefix(), name, &mut self.buffer);
        let (vm, new) = match known {
            Some(vm) => (vm, false),
            None => {
                let full = match self.prefix() {
                    Some(prefix) => format!("{prefix}.{name}"),
                    None => name.to_owned(),
                };
                match self.session.world.add_vm(&full, !self.script.written) {
                    Ok(vm) => {
                        self.me.push(vm);
                        self.me_set = None;
                        (vm, true)
                    }
                    Err(fault) => {
                        self.halt(fault.code, span, fault.message);
                        return false;
                    }
                }
            }
        };
        self.declared_once(Element::Vm(vm), new, span, elements);
        true
    }

    fn declare_node(&mut self, name: &str, span: Span, elements: &mut Vec<(Element, bool)>) -> bool {
        let known = self.session.world.node(name, &mut self.buffer);
        let (node, new) = match known {
            Some(node) => (node, false),
            None => match self.session.world.add_node(name) {
                Ok(node) => (node, true),
                Err(fault) => {
                    self.halt(fault.code, span, fault.message);
                    return false;
                }
            },
        };
        self.declared_once(Element::Node(node), new, span, elements);
        true
    }

    fn declared_once(
        &mut self,
        element: Element,
        new: bool,
        span: Span,
        elements: &mut Vec<(Element, bool)>,
    ) {
        let name = match element {
            Element::Vm(vm) => Value::Vm(vm),
            Element::Node(node) => Value::Node(node),
        };
        let epoch = self.epoch;
        if let Some((first, before)) = self.declared.insert(element, (span, epoch)) {
            if before == epoch {
                let text = name.text(&self.session.world);
                self.warning("W0903", span, format!("`{text}` is named twice and counts once"));
                return;
            }
            let (text, file) = (name.text(&self.session.world), self.script.file);
            let message = format!("`{text}` is declared twice");
            self.say(Diagnostic::error("E0105", span, message).and(file, first, "here first"));
            return;
        }
        elements.push((element, new));
    }

    /// Gives an element its options.
    fn give(&mut self, element: Element, effects: &[Effect<'p>]) {
        for effect in effects {
            let (result, span) = match effect {
                Effect::Amount(resource, amount, span) => {
                    (self.session.world.amount(*resource, element, *amount), *span)
                }
                Effect::Attribute(name, value, span) => {
                    (self.session.world.set_attribute(element, name, value.clone()), *span)
                }
                Effect::Tag(tag) => {
                    self.session.world.add_tag(element, tag);
                    continue;
                }
            };
            if let Err(fault) = result {
                self.fault(span, fault);
            }
        }
    }

    /// Puts elements into their first state.
    fn start(&mut self, state: &'p Spanned<State>, elements: &[(Element, bool)]) {
        let (start, word) = match &state.value {
            State::Running(nodes) => (self.on(nodes).map(Start::Running), "running"),
            State::Sleeping(nodes) => (self.on(nodes).map(Start::Sleeping), "sleeping"),
            State::Ready => (Some(Start::Ready), "ready"),
            State::Online => (Some(Start::Online), "online"),
            State::Offline => (Some(Start::Offline), "offline"),
        };
        let Some(start) = start else { return };
        let of_vms = !matches!(start, Start::Online | Start::Offline);
        let wrong = elements.iter().any(|(element, _)| matches!(element, Element::Vm(_)) != of_vms);
        if wrong {
            let (what, states) = if of_vms {
                ("a node", "`online` or `offline`")
            } else {
                ("a VM", "`ready`, `running on …` or `sleeping on …`")
            };
            let message = format!("{what} cannot be {word}; it can be {states}");
            self.error("E0208", state.span, message);
            return;
        }
        if let Some((old, _)) = elements.iter().find(|(_, new)| !new) {
            let name = match old {
                Element::Vm(vm) => Value::Vm(*vm),
                Element::Node(node) => Value::Node(*node),
            };
            let name = name.text(&self.session.world);
            let whose = if self.session.world.is_base(*old) {
                "in the cluster"
            } else {
                "declared by another script"
            };
            let message = format!("`{name}` is {whose} already; its state cannot be given here");
            self.error("E0308", state.span, message);
            return;
        }
        let vms: Vec<VmId> = elements
            .iter()
            .filter_map(|(element, _)| match element {
                Element::Vm(vm) => Some(*vm),
                Element::Node(_) => None,
            })
            .collect();
        match start {
            Start::Ready | Start::Offline => {}
            Start::Online => {
                for (element, _) in elements {
                    if let Element::Node(node) = element {
                        self.session.world.switch_on(*node);
                    }
                }
            }
            Start::Running(nodes) => self.put(&vms, &nodes, state, Place::Running),
            Start::Sleeping(nodes) => self.put(&vms, &nodes, state, Place::Sleeping),
        }
    }

    /// The nodes after `on`.
    fn on(&mut self, expression: &'p Spanned<Expression>) -> Option<Vec<NodeId>> {
        match self.value(expression) {
            Value::Unknown => None,
            Value::Node(node) => Some(vec![node]),
            Value::Set(Set { items: Items::Nodes(nodes), .. }) => Some(nodes.to_vec()),
            other => {
                let message = format!("`on` takes a node or a set of nodes, this is a {}", other.type_name());
                self.error("E0208", expression.span, message);
                None
            }
        }
    }

    fn put(&mut self, vms: &[VmId], nodes: &[NodeId], state: &Spanned<State>, place: fn(NodeId) -> Place) {
        let all_on_one = nodes.len() == 1;
        if !all_on_one && nodes.len() != vms.len() {
            let message = format!("{} VMs cannot be put on {} nodes", vms.len(), nodes.len());
            let fault = Fault::new("E0307", message)
                .help("one node takes all of them; as many nodes as VMs take one each");
            self.fault(state.span, fault);
            return;
        }
        for (vm, node) in vms.iter().zip(nodes.iter().cycle()) {
            if !self.session.world.instance().is_online(*node) {
                let name = Value::Node(*node).text(&self.session.world);
                let message = format!("`{name}` is offline; no VM can be on it");
                let mut fault = Fault::new("E0307", message);
                if !self.session.world.is_base(Element::Node(*node)) {
                    fault = fault.help(format!("declare it online: `{name} : … online;`"));
                }
                self.fault(state.span, fault);
                return;
            }
            self.session.world.place(*vm, place(*node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_look_like_something_else() {
        let of = |text: &str| attribute_of(&Value::Text(text.into()));
        assert_eq!(of("true"), Some(Attribute::Bool(true)));
        assert_eq!(of("7"), Some(Attribute::Int(7)));
        assert_eq!(of("+7"), Some(Attribute::Int(7)));
        assert_eq!(of("7.5"), Some(Attribute::Float(7.5)));
        for text in ["inf", "nan", "1e5", "1.2.3", "", "x"] {
            assert_eq!(of(text), Some(Attribute::Text(text.into())));
        }
        assert_eq!(attribute_of(&Value::Vm(VmId(0))), None);
        assert_eq!(attribute_text(&Attribute::Float(7.0)), "7.0");
    }
}

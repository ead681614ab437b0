//! Expressions.

use super::evaluate::Run;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::fault::short;
use super::limits;
use super::operate;
use super::value::Items;
use super::value::Member;
use super::value::Set;
use super::value::Value;
use super::value::distinct;
use super::value::write_number;
use crate::model::NodeId;
use crate::model::VmId;
use quadrille_dsl::Binary;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind;
use quadrille_dsl::Number;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::Word;
use std::sync::Arc;

/// Names that an element of an enumeration stands for.
enum Part {
    /// From and to, in a base.
    Range(i64, i64, u32),
    Text(Arc<str>),
}

/// Does a word stand for itself?
#[derive(Clone, Copy, PartialEq)]
enum Words {
    /// No: it is a VM.
    Vms,
    /// Yes: it is part of an enumeration.
    Text,
}

impl<'p> Run<'p, '_> {
    /// What an expression gives.
    pub(super) fn value(&mut self, expression: &'p Spanned<Expression>) -> Value {
        self.value_of(&expression.value, expression.span, Words::Vms)
    }

    fn value_of(&mut self, expression: &'p Expression, span: Span, words: Words) -> Value {
        if self.session.halted || !self.descend(span) {
            return Value::Unknown;
        }
        let value = match expression {
            Expression::Name(name) if words == Words::Text => Value::Text(name.as_str().into()),
            Expression::Name(name) | Expression::QuotedName(name) => self.vm(name, span),
            Expression::Node(name) => self.node(name, span),
            Expression::Variable(name) => {
                let value = self.variable(name, span);
                self.met(span, &value);
                value
            }
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.as_str().into()),
            Expression::Blank => {
                self.error("E0002", span, "`_` stands for a value only where values are given to variables");
                Value::Unknown
            }
            Expression::Set(members) => self.set(members, span),
            Expression::Enumeration { kind, head, elements, tail } => match kind {
                Kind::Name => self.vms(span, head, elements, tail),
                Kind::Node => self.nodes(span, head, elements, tail),
                Kind::Variable => self.variables(span, head, elements, tail),
            },
            Expression::Parentheses(inner) => self.value_of(&inner.value, inner.span, words),
            Expression::Unary(operator, operand) => {
                let operand = self.value_of(&operand.value, operand.span, words);
                let attempt = operate::unary(*operator, &operand);
                self.or_unknown(span, attempt)
            }
            Expression::Binary(..) => self.chain(expression, span, words),
            Expression::Call(name, arguments) => self.call_named(name, arguments, span),
            Expression::All(selection) => self.select(selection, span),
        };
        self.ascend();
        value
    }

    /// `a + b + c + …`: as long as it likes, the left operands being within each other.
    fn chain(&mut self, expression: &'p Expression, span: Span, words: Words) -> Value {
        let mut steps = Vec::new();
        let (mut first, mut place) = (expression, span);
        while let Expression::Binary(left, operator, right) = first {
            steps.push((operator, right));
            (first, place) = (&left.value, left.span);
        }
        let mut value = self.value_of(first, place, words);
        while let Some((operator, right)) = steps.pop() {
            let right = self.value_of(&right.value, right.span, words);
            value = self.apply(operator.value, operator.span, &value, &right);
        }
        value
    }

    /// `left operator right`.
    pub(super) fn apply(&mut self, operator: Binary, span: Span, left: &Value, right: &Value) -> Value {
        if !self.work(span, left.weight() + right.weight()) {
            return Value::Unknown;
        }
        let attempt = operate::binary(operator, left, right, &self.session.world);
        if let Ok(value) = &attempt
            && value.weight() > left.weight() + right.weight()
            && !self.work(span, value.weight())
        {
            return Value::Unknown;
        }
        self.or_unknown(span, attempt)
    }

    fn call_named(&mut self, name: &'p Word, arguments: &'p [Spanned<Expression>], span: Span) -> Value {
        match self.functions.get(name.value.as_str()).copied() {
            Some(function) if function.has_value() => self.call(function, arguments, span),
            Some(_) => {
                let message = format!("the `def` `{}` has a block and gives no value", name.value);
                self.error("E0212", name.span, message);
                Value::Unknown
            }
            None => {
                for argument in arguments {
                    self.value(argument);
                }
                self.unknown_function(name);
                Value::Unknown
            }
        }
    }

    fn unknown_function(&mut self, name: &Word) {
        if self.session.lost.has(Kind::Name, &name.value) {
            return;
        }
        let mut fault = Fault::new("E0112", format!("there is no `def` of the name `{}`", name.value));
        if self.session.catalog.has(&name.value) {
            fault = fault.help("it is a constraint, which is a statement of its own and has no value");
        } else {
            let mut known: Vec<&str> = self.functions.keys().copied().collect();
            known.sort_unstable();
            if let Some(near) = did_you_mean(&name.value, known) {
                fault = fault.help(near);
            }
        }
        self.fault(name.span, fault);
    }

    /// The VM of a name.
    fn vm(&mut self, name: &str, span: Span) -> Value {
        match self.session.world.vm(self.prefix(), name, &mut self.buffer) {
            Some(vm) => Value::Vm(vm),
            None => {
                self.unknown_vm(name, span);
                Value::Unknown
            }
        }
    }

    pub(super) fn unknown_vm(&mut self, name: &str, span: Span) {
        if self.session.lost.has(Kind::Name, name) {
            return;
        }
        let mut fault = Fault::new("E0101", format!("there is no VM `{}`", short(name)));
        let help = if let Some(full) = self.elsewhere(name) {
            Some(format!("`{full}` is a VM of another namespace; export a set of it there, and import that"))
        } else if self.scope.get(name).is_some() {
            Some(format!("did you mean the variable `${name}`?"))
        } else if self.session.world.node(name, &mut self.buffer).is_some() {
            Some(format!("did you mean the node `@{name}`?"))
        } else if self.hint() {
            let prefix = self.prefix().map(|prefix| format!("{prefix}."));
            let own = |name| match &prefix {
                Some(prefix) => str::strip_prefix(name, prefix.as_str()).unwrap_or(name),
                None => name,
            };
            did_you_mean(name, self.session.world.vm_names().map(own))
        } else {
            None
        };
        if let Some(help) = help {
            fault = fault.help(help);
        }
        self.fault(span, fault);
    }

    /// A VM of that local name in the namespace of a script that was read.
    fn elsewhere(&mut self, name: &str) -> Option<String> {
        let namespaces: Vec<&'p str> = self.namespaces();
        namespaces.into_iter().take(64).find_map(|namespace| {
            self.session.world.vm(Some(namespace), name, &mut self.buffer)?;
            Some(format!("{namespace}.{name}"))
        })
    }

    /// Looking for a near name costs time: not for every mistake.
    fn hint(&mut self) -> bool {
        let left = self.session.hints > 0;
        self.session.hints = self.session.hints.saturating_sub(1);
        left
    }

    /// The node of a name.
    fn node(&mut self, name: &str, span: Span) -> Value {
        match self.session.world.node(name, &mut self.buffer) {
            Some(node) => Value::Node(node),
            None => {
                self.unknown_node(name, span);
                Value::Unknown
            }
        }
    }

    pub(super) fn unknown_node(&mut self, name: &str, span: Span) {
        if self.session.lost.has(Kind::Node, name) {
            return;
        }
        let mut fault = Fault::new("E0102", format!("there is no node `@{}`", short(name)));
        if self.hint()
            && let Some(near) = crate::format::nearest(
                name,
                self.session.world.node_names().map(|name| name.strip_prefix('@').unwrap_or(name)),
            )
        {
            fault = fault.help(format!("did you mean `@{near}`?"));
        }
        self.fault(span, fault);
    }

    /// `{a, b}`.
    fn set(&mut self, members: &'p [Spanned<Expression>], span: Span) -> Value {
        let mut values = Vec::with_capacity(members.len());
        let mut unknown = false;
        for member in members {
            let value = self.value(member);
            unknown |= value.is_unknown();
            values.push(value);
        }
        if unknown {
            return Value::Unknown;
        }
        self.literal(values, span)
    }

    fn literal(&mut self, values: Vec<Value>, span: Span) -> Value {
        let weight: u64 = values.iter().map(Value::weight).sum();
        if !self.work(span, weight) {
            return Value::Unknown;
        }
        match operate::literal(values) {
            Ok((set, twice)) => {
                if let Some(twice) = twice {
                    let text = twice.text(&self.session.world);
                    self.twice(&text, span);
                }
                self.held(span, Value::Set(set))
            }
            Err(fault) => {
                self.fault(span, fault);
                Value::Unknown
            }
        }
    }

    fn twice(&mut self, text: &str, span: Span) {
        self.warning("W0903", span, format!("`{}` is named twice and counts once", short(text)));
    }

    /// `VM[1..3]`.
    fn vms(&mut self, span: Span, head: &'p str, elements: &'p [Spanned<Element>], tail: &'p str) -> Value {
        let mut found: Vec<VmId> = Vec::new();
        let done = self.each_name(span, head, elements, tail, &mut |run, name, place| {
            let vm = run.session.world.vm(run.prefix(), name, &mut run.buffer);
            match vm {
                Some(vm) => found.push(vm),
                None => run.unknown_vm(name, place),
            }
            vm.is_some()
        });
        if !done {
            return Value::Unknown;
        }
        let found = self.once(found, span, Value::Vm);
        self.held(span, Value::Set(Set::of_vms(found)))
    }

    /// `@n[1..3]`.
    fn nodes(&mut self, span: Span, head: &'p str, elements: &'p [Spanned<Element>], tail: &'p str) -> Value {
        let mut found: Vec<NodeId> = Vec::new();
        let done = self.each_name(span, head, elements, tail, &mut |run, name, place| {
            let node = run.session.world.node(name, &mut run.buffer);
            match node {
                Some(node) => found.push(node),
                None => run.unknown_node(name, place),
            }
            node.is_some()
        });
        if !done {
            return Value::Unknown;
        }
        let found = self.once(found, span, Value::Node);
        self.held(span, Value::Set(Set::of_nodes(found)))
    }

    fn once<T: Member + Ord>(&mut self, found: Vec<T>, span: Span, value: impl Fn(T) -> Value) -> Vec<T> {
        if found.is_sorted_by(|a, b| a < b) {
            return found;
        }
        let (found, twice) = distinct(found);
        if let Some(twice) = twice {
            let text = value(twice).text(&self.session.world);
            self.twice(&text, span);
        }
        found
    }

    /// `$R[1..3]`: the set of the values.
    fn variables(
        &mut self,
        span: Span,
        head: &'p str,
        elements: &'p [Spanned<Element>],
        tail: &'p str,
    ) -> Value {
        let mut values = Vec::new();
        let done = self.each_name(span, head, elements, tail, &mut |run, name, place| {
            let value = run.variable(name, place);
            let known = !value.is_unknown();
            values.push(value);
            known
        });
        if done { self.literal(values, span) } else { Value::Unknown }
    }

    /// Goes through the names of an enumeration until `each` has enough. False where it
    /// had, or where the enumeration is faulty.
    pub(super) fn each_name(
        &mut self,
        span: Span,
        head: &str,
        elements: &'p [Spanned<Element>],
        tail: &str,
        each: &mut dyn FnMut(&mut Self, &str, Span) -> bool,
    ) -> bool {
        let Some(parts) = self.parts(span, elements) else { return false };
        let mut name = head.to_owned();
        for (part, place) in parts {
            match part {
                Part::Text(text) => {
                    name.truncate(head.len());
                    name.push_str(&text);
                    name.push_str(tail);
                    if !each(self, &name, place) {
                        return false;
                    }
                }
                Part::Range(from, to, base) => {
                    for value in from..=to {
                        name.truncate(head.len());
                        write_number(Number::Integer(value, base), &mut name);
                        name.push_str(tail);
                        if !each(self, &name, place) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// The elements of an enumeration, not too many.
    fn parts(&mut self, span: Span, elements: &'p [Spanned<Element>]) -> Option<Vec<(Part, Span)>> {
        let mut parts = Vec::with_capacity(elements.len());
        let mut count = 0usize;
        let mut sound = true;
        for element in elements {
            let before = parts.len();
            let added = match &element.value {
                Element::Range(from, to) => {
                    let range = self.range(from, to, element.span);
                    range.map(|(part, length)| {
                        parts.push((part, element.span));
                        length
                    })
                }
                Element::One(expression) => {
                    let value = self.value_of(expression, element.span, Words::Text);
                    self.names(&value, element.span, &mut parts);
                    (parts.len() > before || matches!(value, Value::Set(_))).then_some(parts.len() - before)
                }
            };
            match added {
                Some(added) => count = count.saturating_add(added),
                None => sound = false,
            }
            if count > limits::ENUMERATION {
                let message = format!("an enumeration has {} elements at most", limits::ENUMERATION);
                self.error("E0611", span, message);
                return None;
            }
        }
        // A name is looked up for each of them, which takes longer than looking at a member.
        (sound && self.work(span, 16 * count as u64)).then_some(parts)
    }

    fn range(
        &mut self,
        from: &'p Spanned<Expression>,
        to: &'p Spanned<Expression>,
        span: Span,
    ) -> Option<(Part, usize)> {
        let bounds = [
            self.value_of(&from.value, from.span, Words::Text),
            self.value_of(&to.value, to.span, Words::Text),
        ];
        let (a, b) = match bounds {
            [Value::Number(Number::Integer(a, base)), Value::Number(Number::Integer(b, other))] => {
                if base != other {
                    let message =
                        format!("the ends of a range have one base, these are of base {base} and {other}");
                    self.error("E0305", span, message);
                    return None;
                }
                ((a.min(b), base), a.max(b))
            }
            [Value::Unknown, _] | [_, Value::Unknown] => return None,
            [Value::Number(Number::Integer(..)), other] | [other, _] => {
                let message =
                    format!("the ends of a range are whole numbers, this is a {}", other.type_name());
                self.error("E0207", span, message);
                return None;
            }
        };
        let ((least, base), most) = (a, b);
        let length = most.abs_diff(least).saturating_add(1);
        if length > limits::ENUMERATION as u64 {
            let message = format!("this range has {length} elements; {} are the most", limits::ENUMERATION);
            self.error("E0611", span, message);
            return None;
        }
        Some((Part::Range(least, most, base), length as usize))
    }

    /// What a value stands for in an enumeration; a set of numbers or texts for each of them.
    fn names(&mut self, value: &Value, span: Span, parts: &mut Vec<(Part, Span)>) {
        match value {
            Value::Unknown => {}
            Value::Set(Set { items: Items::Sets(_), .. }) => {
                let message = format!("a {} is no element of an enumeration", value.type_name());
                self.error("E0207", span, message);
            }
            Value::Set(set) => {
                for member in set.members() {
                    let text = member.text(&self.session.world);
                    parts.push((Part::Text(text.into()), span));
                }
            }
            Value::Text(text) => parts.push((Part::Text(text.clone()), span)),
            other => {
                let text = other.text(&self.session.world);
                parts.push((Part::Text(text.into()), span));
            }
        }
    }
}

//! Names that nothing uses, and names that hide others.

use super::Found;
use super::place;
use crate::model::Instance;
use crate::model::known_attributes;
use crate::model::meant_by;
use crate::script::declare;
use crate::script::load::Script;
use quadrille_dsl::Body;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Filter;
use quadrille_dsl::Kind;
use quadrille_dsl::Setting;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Statement;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// What a script gives names to, and what it uses.
#[derive(Default)]
struct Names<'p> {
    /// Variables, by what they are in messages; the first place of each.
    made: Vec<(&'p str, Span, &'static str)>,
    known: FxHashSet<&'p str>,
    /// Variables whose names are put together: what these begin with.
    made_heads: Vec<(&'p str, Span)>,
    used: FxHashSet<&'p str>,
    used_heads: FxHashSet<&'p str>,
    /// Names outside of all functions, with their places.
    outside: FxHashMap<&'p str, Span>,
    /// Names within functions.
    inside: Vec<(&'p str, Span, &'static str)>,
    functions: Vec<(&'p str, Span)>,
    called: FxHashSet<&'p str>,
    templates: Vec<(&'p str, Span)>,
    /// Options of templates and of elements.
    attributes: Vec<(&'p str, Span)>,
    declared: FxHashSet<&'p str>,
    in_function: bool,
}

pub(super) fn check(script: &Script, instance: &Instance, found: &mut Found) {
    let mut seen = Names::default();
    seen.statements(&script.tree.statements);
    let at = |span| place(script.file, span);
    let heads = &seen.used_heads;
    let is_used = |name: &str| {
        seen.used.contains(name)
            // `$site.key` is part of `$site`.
            || seen.used.iter().any(|used| used.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
            || heads.iter().any(|head| name.starts_with(head))
    };
    for (name, span, what) in &seen.made {
        if !is_used(name) {
            found.add("W0907", at(*span), format!("the {what} `${name}` is never used"));
        }
    }
    for (head, span) in &seen.made_heads {
        let used = seen.used.iter().any(|used| used.starts_with(head))
            || heads.iter().any(|other| other.starts_with(head) || head.starts_with(other));
        if !used {
            found.add("W0907", at(*span), format!("the variables `${head}[…]` are never used"));
        }
    }
    for (name, span) in &seen.functions {
        if !seen.called.contains(name) {
            found.add("W0908", at(*span), format!("the function `{name}` is never called"));
        }
    }
    for (name, span) in &seen.templates {
        if !seen.declared.contains(name) && !declare::is_default(name) {
            found.add("W0909", at(*span), format!("nothing is declared with the template `{name}`"));
        }
    }
    for (name, span) in &seen.attributes {
        let known = known_attributes(false).chain(known_attributes(true));
        let meant = meant_by(name, known).filter(|_| instance.resource_named(name).is_none());
        if let Some(meant) = meant {
            let message = format!("the option `{name}` means nothing; did you mean `{meant}`?");
            found.add("W0916", at(*span), message);
        }
    }
    for (name, span, what) in &seen.inside {
        if let Some(outer) = seen.outside.get(name) {
            let message = format!("the {what} `${name}` hides the variable of the script");
            found.pair("W0914", at(*span), message, Some(at(*outer)), "this one");
        }
    }
}

/// The name of an option, as that of an attribute.
fn named(option: &Setting) -> (&str, Span) {
    let name = option.name.value.as_str();
    (name.strip_prefix(declare::ATTRIBUTE).unwrap_or(name), option.name.span)
}

impl<'p> Names<'p> {
    fn make(&mut self, name: &'p str, span: Span, what: &'static str) {
        if self.known.insert(name) {
            self.made.push((name, span, what));
        }
        if self.in_function {
            self.inside.push((name, span, what));
        } else if what == "variable" {
            self.outside.entry(name).or_insert(span);
        }
    }

    fn statements(&mut self, statements: &'p [Spanned<Statement>]) {
        for statement in statements {
            self.statement(&statement.value);
        }
    }

    fn statement(&mut self, statement: &'p Statement) {
        match statement {
            Statement::Namespace(_) | Statement::Import { .. } | Statement::Resource(_) => {}
            Statement::Include { name, .. } => self.make(&name.value, name.span, "variable"),
            Statement::Objective(_) => {}
            Statement::Network { options, .. } => self.options(options),
            Statement::Switch(switches) => {
                for switch in switches {
                    self.names_in(&switch.names);
                    self.options(&switch.options);
                }
            }
            Statement::Link { ends, options, .. } => {
                self.expression(&ends.value);
                self.options(options);
            }
            Statement::Route { from, to, .. } => {
                self.expression(&from.value);
                self.expression(&to.value);
            }
            Statement::Template { name, options } => {
                self.templates.push((&name.value, name.span));
                self.attributes.extend(options.iter().map(|option| named(&option.value)));
                self.options(options);
            }
            Statement::Declaration { target, template, options, state } => {
                self.names_in(target);
                self.declared.insert(&template.value);
                self.attributes.extend(options.iter().map(|option| named(&option.value)));
                self.options(options);
                match state.as_ref().map(|state| &state.value) {
                    Some(State::Running(on) | State::Sleeping(on)) => self.expression(&on.value),
                    Some(State::Ready | State::Online | State::Offline) | None => {}
                }
            }
            Statement::Definition { target, operator, value } => {
                self.expression(&value.value);
                // `$x += 1;` alone changes what nobody looks at.
                if operator.is_none() {
                    self.target(target);
                }
            }
            Statement::For { variable, over, body } => {
                self.expression(&over.value);
                self.make(&variable.value, variable.span, "variable of the loop");
                self.statements(&body.statements);
            }
            Statement::If { condition, then, otherwise } => {
                self.expression(&condition.value);
                self.statements(&then.statements);
                if let Some(block) = otherwise {
                    self.statements(&block.statements);
                }
            }
            Statement::Rule { name, arguments, soft, .. } => {
                self.called.insert(&name.value);
                for argument in arguments.iter().chain(soft) {
                    self.expression(&argument.value);
                }
            }
            Statement::Export { what, .. } => {
                for expression in what {
                    self.expression(&expression.value);
                }
            }
            Statement::Function { name, parameters, body } => {
                self.functions.push((&name.value, name.span));
                let before = std::mem::replace(&mut self.in_function, true);
                for parameter in parameters {
                    self.make(&parameter.value, parameter.span, "parameter");
                }
                match body {
                    Body::Block(block) => self.statements(&block.statements),
                    Body::Value(value) => self.expression(&value.value),
                }
                self.in_function = before;
            }
        }
    }

    fn options(&mut self, options: &'p [Spanned<Setting>]) {
        for value in options.iter().filter_map(|option| option.value.value.as_ref()) {
            self.expression(&value.value);
        }
    }

    /// What gets a value.
    fn target(&mut self, target: &'p Spanned<Expression>) {
        match &target.value {
            Expression::Variable(name) => self.make(name, target.span, "variable"),
            Expression::Set(targets) => targets.iter().for_each(|target| self.target(target)),
            Expression::Enumeration { kind: Kind::Variable, head, elements, .. } => {
                self.elements(elements);
                self.made_heads.push((head, target.span));
            }
            _ => {}
        }
    }

    /// The variables in the names that are declared.
    fn names_in(&mut self, target: &'p Spanned<Expression>) {
        match &target.value {
            Expression::Set(targets) => targets.iter().for_each(|target| self.names_in(target)),
            Expression::Enumeration { elements, .. } => self.elements(elements),
            _ => {}
        }
    }

    fn elements(&mut self, elements: &'p [Spanned<Element>]) {
        for element in elements {
            match &element.value {
                Element::Range(from, to) => {
                    self.expression(&from.value);
                    self.expression(&to.value);
                }
                Element::One(expression) => self.expression(expression),
            }
        }
    }

    fn expression(&mut self, expression: &'p Expression) {
        let mut open = vec![expression];
        while let Some(expression) = open.pop() {
            match expression {
                Expression::Variable(name) => {
                    self.used.insert(name);
                }
                Expression::Enumeration { kind, head, elements, .. } => {
                    if *kind == Kind::Variable {
                        self.used_heads.insert(head);
                    }
                    self.elements(elements);
                }
                Expression::Set(members) => open.extend(members.iter().map(|member| &member.value)),
                Expression::Parentheses(inner) | Expression::Unary(_, inner) => open.push(&inner.value),
                Expression::Binary(left, _, right) => open.extend([&left.value, &right.value]),
                Expression::Call(name, arguments) => {
                    self.called.insert(&name.value);
                    open.extend(arguments.iter().map(|argument| &argument.value));
                }
                Expression::All(selection) => {
                    for filter in &selection.filters {
                        match &filter.value {
                            Filter::With(_, Some((_, value))) => open.push(&value.value),
                            Filter::On(value) | Filter::In(value) => open.push(&value.value),
                            Filter::Tagged(_) | Filter::Named(_) | Filter::With(_, None) => {}
                        }
                    }
                }
                Expression::Name(_)
                | Expression::QuotedName(_)
                | Expression::Node(_)
                | Expression::Number(_)
                | Expression::Text(_)
                | Expression::Blank => {}
            }
        }
    }
}

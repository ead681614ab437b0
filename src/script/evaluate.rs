//! Statements, from the first to the last.

use super::declare::Template;
use super::fault::Attempt;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::limits;
use super::load::Loaded;
use super::load::Script;
use super::log::Log;
use super::lost::Lost;
use super::lower::Catalog;
use super::operate;
use super::scope::Fixed;
use super::scope::Scope;
use super::trace::Trace;
use super::value::Meter;
use super::value::Set;
use super::value::Value;
use super::world::Element;
use super::world::World;
use crate::constraint::Constraint;
use crate::model::VmId;
use crate::objective::Level;
use crate::objective::Metric;
use crate::objective::Objective;
use quadrille_dsl::Block;
use quadrille_dsl::Body;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Expression;
use quadrille_dsl::Number;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::Statement;
use quadrille_dsl::Term;
use quadrille_dsl::Word;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// Where something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The index of the file in the report.
    pub file: u32,
    /// Where in it.
    pub span: Span,
}

/// A symbol that others may see.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) to: Rc<[String]>,
}

/// What is common to all scripts of a run.
#[derive(Debug)]
pub(super) struct Session<'p> {
    pub(super) loaded: &'p Loaded,
    pub(super) world: World,
    pub(super) log: Log,
    pub(super) meter: Meter,
    pub(super) catalog: Catalog,
    pub(super) constraints: Vec<Constraint>,
    /// Where each of them was stated.
    pub(super) places: Vec<Place>,
    objective: Option<(Objective, Place)>,
    pub(super) exports: Vec<Vec<Export>>,
    /// Scripts with errors in them.
    pub(super) faulty: Vec<bool>,
    /// Names that may be declared where something was not understood.
    pub(super) lost: Lost,
    steps: u64,
    handled: u64,
    texts: u64,
    /// A limit was passed: nothing is evaluated any more.
    pub(super) halted: bool,
    /// Nearest names that may still be looked for.
    pub(super) hints: usize,
    /// What is met on the way, where somebody wants to know.
    pub(super) trace: Option<Trace>,
}

/// What came of a run.
pub(super) struct Outcome {
    pub(super) world: World,
    pub(super) constraints: Vec<Constraint>,
    pub(super) places: Vec<Place>,
    pub(super) objective: Option<Objective>,
    pub(super) log: Log,
    pub(super) trace: Option<Trace>,
}

/// Evaluates all scripts, each after those that it imports.
pub(super) fn evaluate(loaded: &Loaded, world: World, trace: Option<Trace>) -> Outcome {
    let count = loaded.scripts.len();
    let mut session = Session {
        loaded,
        world,
        log: Log::default(),
        meter: Meter::default(),
        catalog: Catalog::new(),
        constraints: Vec::new(),
        places: Vec::new(),
        objective: None,
        exports: (0..count).map(|_| Vec::new()).collect(),
        faulty: vec![false; count],
        lost: Lost::default(),
        steps: 0,
        handled: 0,
        texts: 0,
        halted: false,
        hints: 64,
        trace,
    };
    for target in loaded.scripts.iter().flat_map(|script| &script.tree.lost) {
        session.lost.target(&target.value);
    }
    for diagnostic in &loaded.diagnostics {
        let reads = matches!(diagnostic.code, "E0001" | "E0002" | "E0003");
        if let Some(label) = diagnostic.labels.first().filter(|_| reads) {
            let text = loaded.report.text(label.file).unwrap_or_default();
            session.lost.beginning(text.get(..label.span.start as usize).unwrap_or_default());
        }
        session.log.push(diagnostic.clone());
    }
    for &index in &loaded.order {
        let Some(script) = loaded.scripts.get(index) else { continue };
        let before = session.log.errors();
        Run::new(&mut session, script, index).script();
        let broken = session.log.errors() > before || script.broken;
        if let Some(faulty) = session.faulty.get_mut(index) {
            *faulty = broken;
        }
    }
    if session.log.errors() == 0
        && let Some(fault) = session.world.network_fault()
    {
        session.log.push(fault);
    }
    let Session { world, constraints, places, objective, log, trace, .. } = session;
    Outcome { world, constraints, places, objective: objective.map(|(objective, _)| objective), log, trace }
}

/// A def.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function<'p> {
    pub(super) name: &'p Word,
    parameters: &'p [Word],
    body: &'p Body,
}

impl Function<'_> {
    /// Is it an expression, not a block?
    pub(super) fn has_value(&self) -> bool {
        matches!(self.body, Body::Value(_))
    }
}

/// One script while it is evaluated.
pub(super) struct Run<'p, 's> {
    pub(super) session: &'s mut Session<'p>,
    pub(super) script: &'p Script,
    pub(super) index: usize,
    /// Is it one of those that were asked for, so that its constraints count?
    pub(super) is_root: bool,
    pub(super) scope: Scope,
    pub(super) functions: FxHashMap<&'p str, Function<'p>>,
    pub(super) templates: FxHashMap<&'p str, Template<'p>>,
    pub(super) imported: FxHashMap<String, Value>,
    /// Symbols of imported scripts that this one may not see.
    pub(super) hidden: FxHashSet<String>,
    /// Symbols that begin so may exist or not.
    pub(super) uncertain: Vec<String>,
    /// Variables that have no value, and why.
    pub(super) unusable: FxHashMap<String, String>,
    /// What this script declares, where, and by which declaration.
    pub(super) declared: FxHashMap<Element, (Span, u64)>,
    /// Counts declarations.
    pub(super) epoch: u64,
    /// The VMs that it made, and the set of them where it has been asked for.
    pub(super) me: Vec<VmId>,
    pub(super) me_set: Option<Set>,
    /// Where the defs that are being evaluated were called.
    calls: Vec<Span>,
    /// Blocks around the statement.
    nesting: usize,
    depth: usize,
    pub(super) buffer: String,
}

impl<'p, 's> Run<'p, 's> {
    fn new(session: &'s mut Session<'p>, script: &'p Script, index: usize) -> Self {
        let is_root = session.loaded.roots.contains(&index);
        Self {
            session,
            script,
            index,
            is_root,
            scope: Scope::new(),
            functions: FxHashMap::default(),
            templates: FxHashMap::default(),
            imported: FxHashMap::default(),
            hidden: FxHashSet::default(),
            uncertain: Vec::new(),
            unusable: FxHashMap::default(),
            declared: FxHashMap::default(),
            epoch: 0,
            me: Vec::new(),
            me_set: None,
            calls: Vec::new(),
            nesting: 0,
            depth: 0,
            buffer: String::new(),
        }
    }

    /// The prefix of the VMs that it names, where a namespace was written.
    pub(super) fn prefix(&self) -> Option<&'p str> {
        self.script.written.then_some(self.script.namespace.as_str())
    }

    /// The namespaces of all scripts.
    pub(super) fn namespaces(&self) -> Vec<&'p str> {
        self.session.loaded.scripts.iter().map(|script| script.namespace.as_str()).collect()
    }

    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        let mut diagnostic = diagnostic;
        for label in &mut diagnostic.labels {
            label.file = self.script.file;
        }
        if let Some(&call) = self.calls.last() {
            diagnostic = diagnostic.and(self.script.file, call, "called here");
        }
        self.session.log.push(diagnostic);
    }

    /// Reports a fault. Nothing more fits into a cluster that is full: that ends the run.
    pub(super) fn fault(&mut self, span: Span, fault: Box<Fault>) {
        let full = fault.code == "E0613";
        if !(full && self.session.halted) {
            self.say(fault.at(self.script.file, span));
        }
        self.session.halted |= full;
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.fault(span, Fault::new(code, message));
    }

    pub(super) fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.say(Diagnostic::error(code, span, message).warning());
    }

    /// Reports a fault and goes on with an unknown value.
    pub(super) fn or_unknown(&mut self, span: Span, attempt: Attempt<Value>) -> Value {
        match attempt {
            Ok(value) => self.held(span, value),
            Err(fault) => {
                self.fault(span, fault);
                Value::Unknown
            }
        }
    }

    /// Counts what a new value holds.
    pub(super) fn held(&mut self, span: Span, mut value: Value) -> Value {
        let fits = match &mut value {
            Value::Set(set) => set.charge(&self.session.meter),
            Value::Text(text) => {
                self.session.texts += text.len() as u64;
                self.session.texts <= limits::TEXTS
            }
            _ => true,
        };
        if !fits {
            self.halt("E0612", span, "the values of this run need too much memory");
            return Value::Unknown;
        }
        value
    }

    /// A limit is passed.
    pub(super) fn halt(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        if !self.session.halted {
            self.session.halted = true;
            self.error(code, span, message);
        }
    }

    /// Counts a step; false when there have been too many.
    pub(super) fn step(&mut self, span: Span) -> bool {
        self.session.steps += 1;
        if self.session.steps > limits::STEPS {
            self.halt("E0607", span, format!("this run takes more than {} steps", limits::STEPS));
        }
        !self.session.halted
    }

    /// Counts members that are looked at.
    pub(super) fn work(&mut self, span: Span, members: u64) -> bool {
        self.session.handled = self.session.handled.saturating_add(members);
        if self.session.handled > limits::HANDLED {
            let most = limits::HANDLED;
            self.halt(
                "E0607",
                span,
                format!("the operators of this run look at more than {most} members of sets"),
            );
        }
        !self.session.halted
    }

    /// Enters something nested; false where it is too deep. `ascend` follows if not.
    pub(super) fn descend(&mut self, span: Span) -> bool {
        if self.depth >= limits::DEPTH {
            self.halt("E0608", span, "calls, blocks and expressions lie too deep within each other here");
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    fn script(mut self) {
        self.scope.set("me", Value::Set(Set::of_vms([])), Fixed::Me);
        self.imports();
        let mut includes = self.script.includes.iter();
        let statements = &self.script.tree.statements;
        self.gather_functions(statements);
        for (at, statement) in statements.iter().enumerate() {
            match &statement.value {
                Statement::Namespace(word) if at > 0 => {
                    self.error("E0005", word.span, "the namespace is the first statement of a script");
                }
                Statement::Namespace(_) | Statement::Import { .. } => {}
                Statement::Include { .. } => {
                    if let Some(include) = includes.next() {
                        self.include(include);
                    }
                }
                _ => self.statement(statement),
            }
            if self.session.halted {
                return;
            }
        }
    }

    /// Makes the defs known, wherever in the script they stand.
    fn gather_functions(&mut self, statements: &'p [Spanned<Statement>]) {
        for statement in statements {
            let Statement::Function { name, parameters, body } = &statement.value else { continue };
            if self.session.catalog.has(&name.value) {
                self.error("E0108", name.span, format!("`{}` is the name of a constraint", name.value));
                continue;
            }
            if let Some(other) = self.functions.get(name.value.as_str()) {
                let first = other.name.span;
                let message = format!("there is a `def` of the name `{}` already", name.value);
                let file = self.script.file;
                self.say(Diagnostic::error("E0108", name.span, message).and(file, first, "here"));
                continue;
            }
            for (at, parameter) in parameters.iter().enumerate() {
                if parameters[..at].iter().any(|other| other.value == parameter.value) {
                    let message = format!("the parameter `${}` is named twice", parameter.value);
                    self.error("E0106", parameter.span, message);
                }
            }
            self.functions.insert(&name.value, Function { name, parameters, body });
        }
    }

    fn statements(&mut self, statements: &'p [Spanned<Statement>]) {
        for statement in statements {
            self.statement(statement);
            if self.session.halted {
                return;
            }
        }
    }

    /// A block with variables of its own.
    fn block(&mut self, block: &'p Block) {
        self.scope.open_block();
        self.nested(block);
        self.scope.close_block();
    }

    fn nested(&mut self, block: &'p Block) {
        if self.descend(block.span) {
            self.nesting += 1;
            self.statements(&block.statements);
            self.nesting -= 1;
            self.ascend();
        }
    }

    fn statement(&mut self, statement: &'p Spanned<Statement>) {
        let span = statement.span;
        if !self.step(span) {
            return;
        }
        match &statement.value {
            Statement::Definition { target, operator, value } => {
                self.definition(target, operator.as_ref().copied(), value, span);
            }
            Statement::For { variable, over, body } => self.repeat(variable, over, body),
            Statement::If { condition, then, otherwise } => {
                self.choose(condition, then, otherwise.as_ref());
            }
            Statement::Rule { discrete, name, arguments, soft } => {
                self.rule(span, *discrete, name, arguments, soft.as_ref());
            }
            Statement::Declaration { target, template, options, state } => {
                self.declaration(target, template, options, state.as_ref());
            }
            Statement::Export { what, to } => self.export(what, to),
            _ if self.nesting > 0 || self.scope.calls() > 0 => {
                self.error("E0004", span, "this statement stands outside of all blocks");
            }
            Statement::Resource(words) => self.resources(words),
            Statement::Template { name, options } => self.template(name, options),
            Statement::Network { routing, options } => self.network(routing, options),
            Statement::Switch(switches) => self.switches(switches),
            Statement::Link { ends, switch, options } => self.link(ends, switch, options),
            Statement::Route { from, to, via } => self.route(from, to, via, span),
            Statement::Objective(levels) => self.objective(levels, span),
            // Looked at before all others.
            Statement::Function { .. }
            | Statement::Namespace(_)
            | Statement::Import { .. }
            | Statement::Include { .. } => {}
        }
    }

    fn repeat(&mut self, variable: &'p Word, over: &'p Spanned<Expression>, body: &'p Block) {
        let value = self.value(over);
        if self.scope.has(&variable.value) {
            let fault = Fault::new("E0106", format!("there is a variable `${}` already", variable.value))
                .help("the variable of a loop is a new one");
            self.fault(variable.span, fault);
            return;
        }
        let set = match value {
            Value::Set(set) => set,
            // The body may be wrong in other ways.
            Value::Unknown => return self.round(variable, Value::Unknown, body),
            other => {
                let message = format!("a loop goes over a set, this is a {}", other.type_name());
                return self.error("E0204", over.span, message);
            }
        };
        for member in set.members() {
            if !self.step(variable.span) {
                return;
            }
            self.round(variable, member, body);
        }
    }

    fn round(&mut self, variable: &'p Word, value: Value, body: &'p Block) {
        self.met(variable.span, &value);
        self.scope.open_block();
        self.scope.assign(&variable.value, value);
        self.nested(body);
        self.scope.close_block();
    }

    fn choose(&mut self, condition: &'p Spanned<Expression>, then: &'p Block, otherwise: Option<&'p Block>) {
        let (mut condition, mut then, mut otherwise) = (condition, then, otherwise);
        loop {
            let value = self.value(condition);
            match (operate::truth(&value), &value) {
                (Some(true), _) => return self.block(then),
                (Some(false), _) => {}
                (None, Value::Unknown) => {
                    self.session.lost.block(then);
                    if let Some(otherwise) = otherwise {
                        self.session.lost.block(otherwise);
                    }
                    return;
                }
                (None, _) => {
                    let message = format!("a condition is a number, this is a {}", value.type_name());
                    let fault = Fault::new("E0206", message)
                        .help("1 is true, every other number is false; comparisons give 1 or 0");
                    return self.fault(condition.span, fault);
                }
            }
            let Some(block) = otherwise else { return };
            // `else if` in a chain is no deeper than the first `if`.
            if let [only] = block.statements.as_slice()
                && let Statement::If { condition: c, then: t, otherwise: o } = &only.value
            {
                (condition, then, otherwise) = (c, t, o.as_ref());
                if !self.step(only.span) {
                    return;
                }
                continue;
            }
            return self.block(block);
        }
    }

    /// Calls a def. The value of its expression; unknown for one with a block.
    pub(super) fn call(
        &mut self,
        function: Function<'p>,
        arguments: &'p [Spanned<Expression>],
        span: Span,
    ) -> Value {
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
        if values.len() != function.parameters.len() {
            let parameters: Vec<String> =
                function.parameters.iter().map(|parameter| format!("${}", parameter.value)).collect();
            let message = format!(
                "`{}` takes {} arguments, found {}",
                function.name.value,
                function.parameters.len(),
                values.len()
            );
            let fault = Fault::new("E0210", message).help(format!(
                "`{}({})`",
                function.name.value,
                parameters.join(", ")
            ));
            self.fault(span, fault);
            return Value::Unknown;
        }
        if self.scope.calls() >= limits::CALLS {
            let message = format!("calls lie within each other {} deep at most", limits::CALLS);
            self.halt("E0608", span, message);
            return Value::Unknown;
        }
        if !self.step(span) || !self.descend(span) {
            return Value::Unknown;
        }
        self.scope.call();
        self.calls.push(span);
        for (parameter, value) in function.parameters.iter().zip(values) {
            self.met(parameter.span, &value);
            self.scope.set(&parameter.value, value, Fixed::Parameter);
        }
        let value = match function.body {
            Body::Value(expression) => self.value(expression),
            Body::Block(block) => {
                self.nested(block);
                Value::Unknown
            }
        };
        self.calls.pop();
        self.scope.leave();
        self.ascend();
        value
    }

    fn objective(&mut self, levels: &'p [Vec<Spanned<Term>>], span: Span) {
        let mut found = Vec::new();
        for level in levels {
            let mut terms = Vec::new();
            for term in level {
                let weight = match &term.value.weight {
                    None => Some(1),
                    Some(Spanned { value: Number::Integer(weight, _), .. }) => {
                        u32::try_from(*weight).ok().filter(|&weight| weight > 0)
                    }
                    Some(_) => None,
                };
                let metric = &term.value.metric;
                match (weight, Metric::named(&metric.value)) {
                    (Some(weight), Some(metric)) => terms.push((weight, metric)),
                    (None, _) => {
                        let message = format!("a weight is a whole number from 1 to {}", u32::MAX);
                        self.error("E0311", term.span, message);
                    }
                    (_, None) => {
                        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
                        let help = did_you_mean(&metric.value, names.iter().copied())
                            .unwrap_or_else(|| format!("there are {}", names.join(", ")));
                        let message = format!("`{}` is nothing that can be minimised", metric.value);
                        self.fault(metric.span, Fault::new("E0110", message).help(help));
                    }
                }
            }
            if !terms.is_empty() {
                found.push(Level { terms });
            }
        }
        if !self.is_root || found.is_empty() {
            return;
        }
        let place = Place { file: self.script.file, span };
        match &self.session.objective {
            Some((_, first)) => {
                let first = *first;
                let file = self.script.file;
                let mut diagnostic = Diagnostic::error("E0111", span, "what is minimised is said twice");
                diagnostic.labels[0].file = file;
                self.session.log.push(diagnostic.and(first.file, first.span, "here first"));
            }
            None => self.session.objective = Some((Objective { levels: found }, place)),
        }
    }
}

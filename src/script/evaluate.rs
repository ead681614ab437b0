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
use super::scope::Assigned;
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
use quadrille_dsl::Binary;
use quadrille_dsl::Block;
use quadrille_dsl::Body;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind as EnumerationKind;
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
struct Export {
    name: String,
    value: Value,
    to: Rc<[String]>,
}

/// What is common to all scripts of a run.
#[derive(Debug)]
pub(super) struct Session<'p> {
    loaded: &'p Loaded,
    pub(super) world: World,
    pub(super) log: Log,
    pub(super) meter: Meter,
    pub(super) catalog: Catalog,
    pub(super) constraints: Vec<Constraint>,
    /// Where each of them was stated.
    pub(super) places: Vec<Place>,
    objective: Option<(Objective, Place)>,
    exports: Vec<Vec<Export>>,
    /// Scripts with errors in them.
    faulty: Vec<bool>,
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
    index: usize,
    /// Is it one of those that were asked for, so that its constraints count?
    pub(super) is_root: bool,
    pub(super) scope: Scope,
    pub(super) functions: FxHashMap<&'p str, Function<'p>>,
    pub(super) templates: FxHashMap<&'p str, Template<'p>>,
    imported: FxHashMap<String, Value>,
    /// Symbols of imported scripts that this one may not see.
    hidden: FxHashSet<String>,
    /// Symbols that begin so may exist or not.
    uncertain: Vec<String>,
    /// Variables that have no value, and why.
    unusable: FxHashMap<String, String>,
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

    /// Reports a fault.
    pub(super) fn fault(&mut self, span: Span, fault: Box<Fault>) {
        self.say(fault.at(self.script.file, span));
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
            self.error("E0608", span, "calls, blocks and expressions lie too deep within each other here");
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

    /// Makes the symbols of other scripts known.
    fn imports(&mut self) {
        for import in &self.script.imports {
            if import.faulty {
                self.uncertain.push(import.path.clone());
            }
            for (script, namespace) in &import.scripts {
                if self.session.faulty.get(*script).copied().unwrap_or(true) {
                    self.uncertain.push(namespace.clone());
                }
                for export in self.session.exports.get(*script).into_iter().flatten() {
                    let name = match export.name.as_str() {
                        "me" => namespace.clone(),
                        name => format!("{namespace}.{name}"),
                    };
                    if export.to.iter().any(|to| sees(to, &self.script.namespace)) {
                        self.imported.insert(name, export.value.clone());
                    } else {
                        self.hidden.insert(name);
                    }
                }
            }
        }
    }

    fn include(&mut self, include: &'p super::load::Include) {
        let name = &include.name;
        if self.scope.has(&name.value) || self.unusable.contains_key(&name.value) {
            self.error("E0106", name.span, format!("there is a variable `${}` already", name.value));
            return;
        }
        let Some(document) = &include.value else {
            self.uncertain.push(name.value.clone());
            return;
        };
        for (path, value) in &document.values {
            let full = format!("{}{path}", name.value);
            match value {
                Ok(value) => self.scope.set(&full, value.clone(), Fixed::Included),
                Err(why) => {
                    self.unusable.insert(full, why.clone());
                }
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
            Statement::Objective(levels) => self.objective(levels, span),
            // Looked at before all others.
            Statement::Function { .. }
            | Statement::Namespace(_)
            | Statement::Import { .. }
            | Statement::Include { .. } => {}
        }
    }

    fn definition(
        &mut self,
        target: &'p Spanned<Expression>,
        operator: Option<Binary>,
        value: &'p Spanned<Expression>,
        span: Span,
    ) {
        let Some(operator) = operator else {
            let value = self.value(value);
            self.assign(target, value);
            return;
        };
        let Expression::Variable(name) = &target.value else {
            self.value(value);
            let sign = operate::sign(operator);
            self.error("E0205", target.span, format!("`{sign}=` changes a variable; this is none"));
            return;
        };
        let former = self.variable(name, target.span);
        let added = self.value(value);
        if let Some(fixed) = self.fixed(name) {
            self.immutable(name, target.span, fixed);
            return;
        }
        let result = self.apply(operator, span, &former, &added);
        self.assign(target, result);
    }

    /// Why a variable may not be changed, if it may not.
    fn fixed(&self, name: &str) -> Option<Fixed> {
        let imported = || {
            let is_there = self.imported.contains_key(name) && !self.scope.has(name);
            is_there.then_some(Fixed::Imported)
        };
        self.scope.fixed(name).or_else(imported)
    }

    fn immutable(&mut self, name: &str, span: Span, fixed: Fixed) {
        self.error("E0107", span, format!("`${name}` {} and cannot be changed", fixed.why()));
    }

    /// Gives a variable, or the variables of a set, a value.
    fn assign(&mut self, target: &'p Spanned<Expression>, value: Value) {
        match &target.value {
            Expression::Variable(name) => self.assign_variable(name, target.span, value),
            Expression::Set(targets) => {
                let Some(members) = self.members(&value, target.span) else { return };
                let mut next = Position(0);
                for target in targets {
                    match &target.value {
                        Expression::Blank => {
                            next.take(&members);
                        }
                        Expression::Variable(name) => match next.take(&members) {
                            Some(value) => self.assign_variable(name, target.span, value),
                            None => break,
                        },
                        Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                            self.assign_enumeration(target.span, (head, elements, tail), &members, &mut next);
                        }
                        _ => self.no_target(target.span),
                    }
                }
            }
            Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                let Some(members) = self.members(&value, target.span) else { return };
                self.assign_enumeration(target.span, (head, elements, tail), &members, &mut Position(0));
            }
            _ => self.no_target(target.span),
        }
    }

    fn no_target(&mut self, span: Span) {
        let fault = Fault::new("E0205", "a value can be given to variables only")
            .help("`$x = …;` or `{$a, _, $b} = …;`");
        self.fault(span, fault);
    }

    fn assign_variable(&mut self, name: &str, span: Span, value: Value) {
        self.met(span, &value);
        if self.imported.contains_key(name) && !self.scope.has(name) {
            return self.immutable(name, span, Fixed::Imported);
        }
        if let Assigned::Fixed(fixed) = self.scope.assign(name, value) {
            self.immutable(name, span, fixed);
        }
    }

    fn assign_enumeration(
        &mut self,
        span: Span,
        (head, elements, tail): (&'p str, &'p [Spanned<quadrille_dsl::Element>], &'p str),
        members: &Members,
        next: &mut Position,
    ) {
        self.each_name(span, head, elements, tail, &mut |run, name, at| {
            let value = next.take(members);
            if let Some(value) = &value {
                run.assign_variable(name, at, value.clone());
            }
            value.is_some()
        });
    }

    /// The members of what is to be taken apart.
    fn members(&mut self, value: &Value, span: Span) -> Option<Members> {
        match value {
            Value::Set(set) => Some(Members::Of(set.clone())),
            Value::Unknown => Some(Members::Unknown),
            other => {
                let message = format!("only a set can be taken apart, this is a {}", other.type_name());
                self.error("E0204", span, message);
                None
            }
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

    /// The value of a variable.
    pub(super) fn variable(&mut self, name: &str, span: Span) -> Value {
        if name == "me" {
            let me = &self.me;
            let set = self.me_set.get_or_insert_with(|| Set::of_vms(me.as_slice()));
            return Value::Set(set.clone());
        }
        if let Some(value) = self.scope.get(name) {
            return value.clone();
        }
        if let Some(value) = self.imported.get(name) {
            return value.clone();
        }
        let begins = |prefix: &String| {
            name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if self.uncertain.iter().any(begins) || self.session.lost.has(EnumerationKind::Variable, name) {
            return Value::Unknown;
        }
        let fault = if let Some(why) = self.unusable.get(name) {
            Fault::new("E0507", format!("`${name}` has no value: it is {why}"))
        } else if self.hidden.contains(name) {
            Fault::new(
                "E0508",
                format!("`${name}` exists, but is not exported to `{}`", self.script.namespace),
            )
        } else {
            let fault = Fault::new("E0103", format!("there is no variable `${name}` here"));
            let mut imported: Vec<&str> = self.imported.keys().map(String::as_str).collect();
            imported.sort_unstable();
            let near = did_you_mean(name, self.scope.names().chain(imported));
            match near {
                Some(near) => fault.help(near.replacen('`', "`$", 1)),
                None => fault,
            }
        };
        self.fault(span, fault);
        Value::Unknown
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

    fn export(&mut self, what: &'p [Spanned<Expression>], to: &'p [Word]) {
        let to: Rc<[String]> = to.iter().map(|word| word.value.clone()).collect();
        for expression in what {
            self.export_one(expression, &to);
        }
    }

    fn export_one(&mut self, expression: &'p Spanned<Expression>, to: &Rc<[String]>) {
        match &expression.value {
            Expression::Variable(name) => self.export_variable(name, expression.span, to),
            Expression::Set(members) => {
                if self.descend(expression.span) {
                    for member in members {
                        self.export_one(member, to);
                    }
                    self.ascend();
                }
            }
            Expression::Enumeration { kind: EnumerationKind::Variable, head, elements, tail } => {
                self.each_name(expression.span, head, elements, tail, &mut |run, name, span| {
                    run.export_variable(name, span, to);
                    true
                });
            }
            _ => self.error("E0205", expression.span, "only variables can be exported"),
        }
    }

    fn export_variable(&mut self, name: &str, span: Span, to: &Rc<[String]>) {
        let value = self.variable(name, span);
        if let Some(exports) = self.session.exports.get_mut(self.index) {
            exports.push(Export { name: name.to_owned(), value, to: to.clone() });
        }
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

/// Does an export to `to` reach a namespace?
fn sees(to: &str, namespace: &str) -> bool {
    match to.strip_suffix(".*") {
        Some(prefix) => namespace.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => to == "*" || to == namespace,
    }
}

/// What is taken apart.
enum Members {
    Of(Set),
    Unknown,
}

/// The next member.
struct Position(usize);

impl Position {
    fn take(&mut self, members: &Members) -> Option<Value> {
        self.0 += 1;
        match members {
            Members::Of(set) => set.get(self.0 - 1),
            Members::Unknown => Some(Value::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sees;

    #[test]
    fn who_sees_what() {
        for (to, namespace, seen) in [
            ("*", "a", true),
            ("a", "a", true),
            ("a", "a.b", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*", "a", false),
            ("a.*", "ab.c", false),
        ] {
            assert_eq!(sees(to, namespace), seen, "{to} {namespace}");
        }
    }
}

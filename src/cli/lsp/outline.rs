//! What a tree says without being evaluated: what is defined where, and who means it.

use quadrille_dsl::Block;
use quadrille_dsl::Body;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Filter;
use quadrille_dsl::Kind;
use quadrille_dsl::Selection;
use quadrille_dsl::Setting;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Statement;
use quadrille_dsl::Tree;
use quadrille_dsl::Word;
use rustc_hash::FxHashSet;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    Variable,
    Vm,
    Node,
    Function,
    Template,
    Resource,
    Switch,
    /// A statement that is a constraint, or calls a function.
    Rule,
    Namespace,
}

impl From<Kind> for Symbol {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Name => Symbol::Vm,
            Kind::Node => Symbol::Node,
            Kind::Variable => Symbol::Variable,
        }
    }
}

/// A name, or the names that begin and end so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    One(String),
    Many { head: String, tail: String },
}

impl Name {
    pub(super) fn is(&self, other: &Name) -> bool {
        match (self, other) {
            (Name::One(a), Name::One(b)) => a == b,
            (Name::Many { head, tail }, Name::One(name)) | (Name::One(name), Name::Many { head, tail }) => {
                name.len() > head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
            }
            (Name::Many { head: a, tail: b }, Name::Many { head: c, tail: d }) => a == c && b == d,
        }
    }

    /// As it is written, without sign.
    pub(super) fn text(&self) -> String {
        match self {
            Name::One(name) => name.clone(),
            Name::Many { head, tail } => format!("{head}[…]{tail}"),
        }
    }
}

/// Where a name gets its meaning.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) symbol: Symbol,
    pub(super) name: Name,
    /// The name itself.
    pub(super) span: Span,
    /// The statement.
    pub(super) whole: Span,
    /// The block that it is known in.
    scope: usize,
    /// The template of an element, the parameters of a function.
    pub(super) detail: String,
    /// For functions: has it a value?
    pub(super) has_value: bool,
}

impl Definition {
    /// Is it outside of all blocks?
    pub(super) fn is_at_top(&self) -> bool {
        self.scope == 0
    }
}

/// Where a name stands.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) symbol: Symbol,
    pub(super) name: Name,
    pub(super) span: Span,
    scope: usize,
}

#[derive(Debug)]
struct Scope {
    span: Span,
    above: Option<usize>,
    /// The body of a function, from which one sees no block that is around it.
    function: bool,
}

/// The definitions and uses of a tree.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) definitions: Vec<Definition>,
    uses: Vec<Use>,
    scopes: Vec<Scope>,
    pub(super) namespace: Option<Word>,
    /// The block that is being read.
    scope: usize,
    /// The variables of the blocks.
    known: FxHashSet<(usize, String)>,
}

impl Outline {
    pub(super) fn new(tree: &Tree) -> Self {
        let all = Span { start: 0, end: u32::MAX };
        let mut outline = Self {
            definitions: Vec::new(),
            uses: Vec::new(),
            scopes: vec![Scope { span: all, above: None, function: false }],
            namespace: None,
            scope: 0,
            known: FxHashSet::default(),
        };
        outline.statements(&tree.statements);
        for lost in &tree.lost {
            outline.target(&lost.value, lost.span, lost.span, "");
        }
        outline
    }

    /// The innermost name at a byte.
    pub(super) fn at(&self, byte: usize) -> Option<&Use> {
        let holds = |used: &&Use| used.span.start as usize <= byte && byte <= used.span.end as usize;
        self.uses.iter().filter(holds).min_by_key(|used| used.span.end - used.span.start)
    }

    /// Where a name gets its meaning in this file.
    pub(super) fn definition(&self, used: &Use) -> Option<&Definition> {
        match used.symbol {
            Symbol::Variable => self.variable(&used.name, used.scope),
            Symbol::Rule => self.find(Symbol::Function, &used.name),
            symbol => self.find(symbol, &used.name),
        }
    }

    /// The first definition of a kind.
    pub(super) fn find(&self, symbol: Symbol, name: &Name) -> Option<&Definition> {
        let of_kind = || self.definitions.iter().filter(|definition| definition.symbol == symbol);
        of_kind()
            .find(|definition| definition.name == *name)
            .or_else(|| of_kind().find(|definition| definition.name.is(name)))
    }

    /// The variable of a name at the top of the script, where others import it from.
    pub(super) fn exported(&self, name: &str) -> Option<&Definition> {
        self.variable(&Name::One(name.to_owned()), 0)
    }

    fn variable(&self, name: &Name, scope: usize) -> Option<&Definition> {
        self.chain(scope).find_map(|scope| {
            let here = || {
                self.definitions.iter().filter(move |definition| {
                    definition.symbol == Symbol::Variable && definition.scope == scope
                })
            };
            here()
                .find(|definition| definition.name == *name)
                .or_else(|| here().find(|definition| definition.name.is(name)))
        })
    }

    /// The blocks that are seen from one, from within.
    fn chain(&self, scope: usize) -> impl Iterator<Item = usize> {
        let mut next = Some(scope);
        std::iter::from_fn(move || {
            let now = next?;
            next = match self.scopes.get(now) {
                Some(scope) if scope.function => Some(0),
                Some(scope) => scope.above,
                None => None,
            };
            Some(now)
        })
    }

    /// The variables that are known at a byte, each once.
    pub(super) fn variables_at(&self, byte: usize) -> Vec<&Definition> {
        let inside = |scope: &&(usize, &Scope)| {
            scope.1.span.start as usize <= byte && byte <= scope.1.span.end as usize
        };
        let innermost = self
            .scopes
            .iter()
            .enumerate()
            .filter(|scope| inside(&scope))
            .max_by_key(|(at, scope)| (scope.span.start, *at))
            .map_or(0, |(at, _)| at);
        let chain: Vec<usize> = self.chain(innermost).collect();
        let in_function = chain.iter().any(|&at| self.scopes.get(at).is_some_and(|scope| scope.function));
        let mut found: Vec<&Definition> = Vec::new();
        for definition in &self.definitions {
            let seen = definition.symbol == Symbol::Variable && chain.contains(&definition.scope);
            // The variable of a loop, or a parameter, is known in all of its block; others
            // behind the statement that makes them.
            let block = self.scopes.get(definition.scope).is_some_and(|scope| scope.span == definition.whole);
            let made = if block { definition.span.end } else { definition.whole.end };
            // A function sees what exists when it is called, wherever that stands.
            let before = made as usize <= byte || (in_function && definition.is_at_top());
            if seen && before && !found.iter().any(|other| other.name == definition.name) {
                found.push(definition);
            }
        }
        found
    }

    fn define(&mut self, symbol: Symbol, name: Name, span: Span, whole: Span, detail: &str) {
        if symbol == Symbol::Variable {
            self.known.insert((self.scope, name.text()));
        }
        self.definitions.push(Definition {
            symbol,
            name,
            span,
            whole,
            scope: self.scope,
            detail: detail.to_owned(),
            has_value: false,
        });
    }

    fn used(&mut self, symbol: Symbol, name: Name, span: Span) {
        self.uses.push(Use { symbol, name, span, scope: self.scope });
    }

    fn word(&mut self, symbol: Symbol, word: &Word) {
        self.used(symbol, Name::One(word.value.clone()), word.span);
    }

    fn statements(&mut self, statements: &[Spanned<Statement>]) {
        for statement in statements {
            self.statement(&statement.value, statement.span);
        }
    }

    fn block(&mut self, span: Span, function: bool, inner: impl FnOnce(&mut Self)) {
        let above = self.scope;
        self.scopes.push(Scope { span, above: Some(above), function });
        self.scope = self.scopes.len() - 1;
        inner(self);
        self.scope = above;
    }

    fn statement(&mut self, statement: &Statement, whole: Span) {
        match statement {
            Statement::Namespace(word) => {
                self.namespace.get_or_insert_with(|| word.clone());
                self.word(Symbol::Namespace, word);
            }
            Statement::Import { path, .. } => self.word(Symbol::Namespace, path),
            Statement::Include { name, .. } => {
                self.define(Symbol::Variable, Name::One(name.value.clone()), name.span, whole, "included");
                self.word(Symbol::Variable, name);
            }
            Statement::Resource(words) => {
                for word in words {
                    self.define(Symbol::Resource, Name::One(word.value.clone()), word.span, whole, "");
                    self.word(Symbol::Resource, word);
                }
            }
            Statement::Network { options, .. } => self.options(options),
            Statement::Switch(switches) => {
                for switch in switches {
                    self.switch(&switch.names, Some(whole));
                    self.options(&switch.options);
                }
            }
            Statement::Link { ends, switch, options } => {
                self.switch(ends, None);
                self.word(Symbol::Switch, switch);
                self.options(options);
            }
            Statement::Route { from, to, via } => {
                self.expression(from);
                self.expression(to);
                via.iter().for_each(|word| self.word(Symbol::Switch, word));
            }
            Statement::Template { name, options } => {
                self.define(Symbol::Template, Name::One(name.value.clone()), name.span, whole, "");
                self.word(Symbol::Template, name);
                self.options(options);
            }
            Statement::Declaration { target, template, options, state } => {
                self.target(&target.value, target.span, whole, &template.value);
                self.word(Symbol::Template, template);
                self.options(options);
                if let Some(State::Running(place) | State::Sleeping(place)) =
                    state.as_ref().map(|state| &state.value)
                {
                    self.expression(place);
                }
            }
            Statement::Definition { target, value, .. } => {
                self.expression(value);
                self.target(&target.value, target.span, whole, "");
            }
            Statement::For { variable, over, body } => {
                self.expression(over);
                self.block(whole, false, |outline| {
                    let name = Name::One(variable.value.clone());
                    outline.define(Symbol::Variable, name, variable.span, whole, "");
                    outline.word(Symbol::Variable, variable);
                    outline.statements(&body.statements);
                });
            }
            Statement::If { condition, then, otherwise } => {
                self.expression(condition);
                for block in std::iter::once(then).chain(otherwise) {
                    self.inner(block);
                }
            }
            Statement::Rule { name, arguments, soft, .. } => {
                self.word(Symbol::Rule, name);
                arguments.iter().chain(soft).for_each(|argument| self.expression(argument));
            }
            Statement::Export { what, .. } => what.iter().for_each(|what| self.expression(what)),
            Statement::Function { name, parameters, body } => {
                let names: Vec<String> =
                    parameters.iter().map(|parameter| format!("${}", parameter.value)).collect();
                let detail = format!("({})", names.join(", "));
                self.define(Symbol::Function, Name::One(name.value.clone()), name.span, whole, &detail);
                if let Some(definition) = self.definitions.last_mut() {
                    definition.has_value = matches!(body, Body::Value(_));
                }
                self.word(Symbol::Function, name);
                self.block(whole, true, |outline| {
                    for parameter in parameters {
                        let name = Name::One(parameter.value.clone());
                        outline.define(Symbol::Variable, name, parameter.span, whole, "parameter");
                        outline.word(Symbol::Variable, parameter);
                    }
                    match body {
                        Body::Block(block) => outline.statements(&block.statements),
                        Body::Value(value) => outline.expression(value),
                    }
                });
            }
            Statement::Objective(_) => {}
        }
    }

    fn inner(&mut self, block: &Block) {
        self.block(block.span, false, |outline| outline.statements(&block.statements));
    }

    fn options(&mut self, options: &[Spanned<Setting>]) {
        for option in options {
            self.word(Symbol::Resource, &option.value.name);
            option.value.value.iter().for_each(|value| self.expression(value));
        }
    }

    /// What is declared, or given a value.
    fn target(&mut self, target: &Expression, span: Span, whole: Span, detail: &str) {
        let (symbol, name) = match target {
            Expression::Set(members) => {
                members.iter().for_each(|member| self.target(&member.value, member.span, whole, detail));
                return;
            }
            Expression::Enumeration { kind, head, elements, tail } => {
                self.elements(elements);
                (Symbol::from(*kind), Name::Many { head: head.clone(), tail: tail.clone() })
            }
            Expression::Name(name) | Expression::QuotedName(name) => (Symbol::Vm, Name::One(name.clone())),
            Expression::Node(name) => (Symbol::Node, Name::One(name.clone())),
            Expression::Variable(name) => (Symbol::Variable, Name::One(name.clone())),
            _ => return,
        };
        self.used(symbol, name.clone(), span);
        // A variable that exists gets another value.
        let is_known = symbol == Symbol::Variable && self.own(&name);
        if !is_known {
            self.define(symbol, name, span, whole, detail);
        }
    }

    /// Names of switches, declared or linked; whatever else is linked.
    fn switch(&mut self, names: &Spanned<Expression>, declared: Option<Span>) {
        let name = match &names.value {
            Expression::Set(members) => {
                return members.iter().for_each(|member| self.switch(member, declared));
            }
            Expression::Name(name) => Name::One(name.clone()),
            Expression::Enumeration { kind: Kind::Name, head, elements, tail } => {
                self.elements(elements);
                Name::Many { head: head.clone(), tail: tail.clone() }
            }
            _ => return self.expression(names),
        };
        self.used(Symbol::Switch, name.clone(), names.span);
        if let Some(whole) = declared {
            self.define(Symbol::Switch, name, names.span, whole, "");
        }
    }

    /// Is there such a variable that an assignment here would change?
    fn own(&self, name: &Name) -> bool {
        let mut key = (self.scope, name.text());
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            key.0 = at;
            if self.known.contains(&key) {
                return true;
            }
            scope = self.scopes.get(at).filter(|scope| !scope.function).and_then(|scope| scope.above);
        }
        false
    }

    fn elements(&mut self, elements: &[Spanned<Element>]) {
        for element in elements {
            match &element.value {
                Element::Range(from, to) => {
                    [from, to].into_iter().for_each(|end| self.part(&end.value, end.span))
                }
                Element::One(one) => self.part(one, element.span),
            }
        }
    }

    /// Part of a name: words stand for themselves there.
    fn part(&mut self, part: &Expression, span: Span) {
        if !matches!(part, Expression::Name(_)) {
            self.value(part, span);
        }
    }

    fn expression(&mut self, expression: &Spanned<Expression>) {
        self.value(&expression.value, expression.span);
    }

    fn value(&mut self, expression: &Expression, span: Span) {
        match expression {
            Expression::Name(name) | Expression::QuotedName(name) => {
                self.used(Symbol::Vm, Name::One(name.clone()), span);
            }
            Expression::Node(name) => self.used(Symbol::Node, Name::One(name.clone()), span),
            Expression::Variable(name) => self.used(Symbol::Variable, Name::One(name.clone()), span),
            Expression::Enumeration { kind, head, elements, tail } => {
                let name = Name::Many { head: head.clone(), tail: tail.clone() };
                self.used(Symbol::from(*kind), name, span);
                self.elements(elements);
            }
            Expression::Set(members) => members.iter().for_each(|member| self.expression(member)),
            Expression::Parentheses(inner) | Expression::Unary(_, inner) => self.expression(inner),
            Expression::Binary(left, _, right) => {
                self.expression(left);
                self.expression(right);
            }
            Expression::Call(name, arguments) => {
                self.word(Symbol::Function, name);
                arguments.iter().for_each(|argument| self.expression(argument));
            }
            Expression::All(selection) => self.selection(selection),
            Expression::Number(_) | Expression::Text(_) | Expression::Blank => {}
        }
    }

    fn selection(&mut self, selection: &Selection) {
        for filter in &selection.filters {
            match &filter.value {
                Filter::With(_, Some((_, value))) | Filter::On(value) | Filter::In(value) => {
                    self.expression(value);
                }
                Filter::With(_, None) | Filter::Tagged(_) | Filter::Named(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "$a = 1; def f($p) { $a = 2; $b = $a + $p; } for $i in {1} { $a += $i; $c = $a; } f($a); VM[1..3] : t; spread({VM2, VM[1..2]});";

    fn outline() -> Outline {
        Outline::new(&quadrille_dsl::parse(TEXT).0)
    }

    #[track_caller]
    fn defined_at(needle: &str, offset: usize) -> usize {
        let outline = outline();
        let at = TEXT.find(needle).expect("it is there") + offset;
        let used = outline.at(at).expect("a name");
        outline.definition(used).expect("a definition").span.start as usize
    }

    #[test]
    fn names_find_their_definitions() {
        let at = |needle: &str| TEXT.find(needle).expect("it is there");
        assert_eq!(defined_at("$a + $p", 1), at("$a = 2"), "a function has its own");
        assert_eq!(defined_at("$p; }", 1), at("$p) {"));
        assert_eq!(defined_at("$a += $i", 1), at("$a = 1"), "a block changes what is around it");
        assert_eq!(defined_at("$i; $c", 1), at("$i in"));
        assert_eq!(defined_at("f($a)", 0), at("f($p)"));
        assert_eq!(defined_at("VM2", 1), at("VM[1..3]"));
        assert_eq!(defined_at("VM[1..2]", 1), at("VM[1..3]"));
    }

    #[test]
    fn variables_in_scope() {
        let outline = outline();
        let names = |needle: &str| -> Vec<String> {
            let at = TEXT.find(needle).expect("it is there");
            outline.variables_at(at).iter().map(|definition| definition.name.text()).collect()
        };
        assert_eq!(names("f($a);"), ["a"]);
        assert_eq!(names("$c = $a"), ["a", "i"]);
        assert_eq!(names("$p; }"), ["a", "p"]);
        assert_eq!(names("spread("), ["a"]);
    }
}

//! Random trees, and random ways to write them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use quadrille_dsl::Binary;
use quadrille_dsl::Block;
use quadrille_dsl::Body;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Filter;
use quadrille_dsl::Kind;
use quadrille_dsl::Number;
use quadrille_dsl::Selection;
use quadrille_dsl::Setting;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::State;
use quadrille_dsl::Statement;
use quadrille_dsl::Switched;
use quadrille_dsl::Term;
use quadrille_dsl::Unary;

fn at<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::default() }
}

fn boxed(value: Expression) -> Box<Spanned<Expression>> {
    Box::new(at(value))
}

const RESERVED: [&str; 8] = ["namespace", "import", "export", "to", "for", "in", "if", "else"];

fn name() -> impl Strategy<Value = String> {
    let words =
        ["all", "on", "soft", "def", "resource", "template", "vm", "vms", "by", "ready", "include", "as"];
    prop_oneof![
        6 => "[a-zA-Z][a-zA-Z0-9_]{0,6}(\\.[a-zA-Z][a-zA-Z0-9_]{0,3})?",
        1 => "[a-zA-Z][a-zA-Z0-9]{20,40}",
        1 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
    ]
    .prop_filter("reserved", |name| !RESERVED.contains(&name.as_str()))
}

fn is_word(text: &str) -> bool {
    let mut parts = text.split('.');
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    parts.all(plain) && !RESERVED.contains(&text)
}

/// May it stand between `@` and `[` without quotes?
fn is_node_head(text: &str) -> bool {
    let dotted = |pair: &[u8]| pair.contains(&b'.') && pair.iter().all(|byte| b"-_.".contains(byte));
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && !text.starts_with(['-', '_', '.'])
        && !text.as_bytes().windows(2).any(dotted)
}

fn variable() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_]{0,5}(\\.[a-zA-Z0-9][a-zA-Z0-9_]{0,3})?"
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z *?/;{}()\"\\\\]{0,8}", 1 => "\\PC{0,6}", 1 => "[\\x00-\\x1f]{0,3}"]
}

/// Of an option or a resource.
fn title() -> impl Strategy<Value = String> {
    prop_oneof![3 => name(), 1 => text()]
}

fn node() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z0-9]{1,4}([-_.][a-z0-9]{1,4}){0,2}", 1 => text()]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        6 => (0i64..100, prop::sample::select([10u32, 10, 8, 16].as_slice())).prop_map(|(n, base)| Number::Integer(n, base)),
        1 => (0i64..=i64::MAX).prop_map(|n| Number::Integer(n, 10)),
        2 => (0u32..10_000).prop_map(|n| Number::Float(f64::from(n) / 100.0)),
        1 => prop::num::f64::POSITIVE.prop_map(Number::Float),
    ]
}

fn literal() -> impl Strategy<Value = Expression> {
    prop_oneof![
        number().prop_map(Expression::Number),
        number().prop_map(|n| Expression::Unary(Unary::Negate, boxed(Expression::Number(n)))),
        text().prop_map(Expression::Text),
        variable().prop_map(Expression::Variable),
    ]
}

fn leaf() -> impl Strategy<Value = Expression> {
    prop_oneof![
        3 => name().prop_map(Expression::Name),
        3 => variable().prop_map(Expression::Variable),
        2 => node().prop_map(Expression::Node),
        2 => number().prop_map(Expression::Number),
        1 => text().prop_map(Expression::Text),
        1 => text().prop_map(Expression::QuotedName),
    ]
}

/// How close an operator binds.
fn level(operator: Binary) -> usize {
    match operator {
        Binary::Or | Binary::And => 1,
        Binary::Plus | Binary::Minus => 3,
        Binary::Times | Binary::Divide | Binary::Modulo => 4,
        Binary::Power => 6,
        _ => 2,
    }
}

/// How close the outermost operator of an expression binds; what ends as it likes binds least.
fn closeness(expression: &Expression) -> usize {
    match expression {
        Expression::Binary(_, operator, _) => level(operator.value),
        Expression::Unary(..) => 5,
        Expression::All(_) => 0,
        _ => 7,
    }
}

/// In parentheses if it binds less than this.
fn wrapped(expression: Expression, least: usize) -> Expression {
    if closeness(&expression) < least { Expression::Parentheses(boxed(expression)) } else { expression }
}

fn binary(left: Expression, operator: Binary, right: Expression) -> Expression {
    let least = level(operator);
    let left = wrapped(left, if least == 6 { 7 } else { least });
    let right = wrapped(right, least + 1);
    Expression::Binary(boxed(left), at(operator), boxed(right))
}

fn unary(operator: Unary, inner: Expression) -> Expression {
    let doubled =
        matches!(inner, Expression::Unary(Unary::Not | Unary::Count, _)) && operator == Unary::Negate;
    let inner = if doubled { inner } else { wrapped(inner, 6) };
    Expression::Unary(operator, boxed(inner))
}

fn operator() -> impl Strategy<Value = Binary> {
    use Binary::*;
    let all =
        [Or, And, Equal, Unequal, Less, AtMost, Greater, AtLeast, Plus, Minus, Times, Divide, Modulo, Power];
    prop::sample::select(all.to_vec())
}

fn enumeration(inner: BoxedStrategy<Expression>, kinds: &'static [Kind]) -> BoxedStrategy<Expression> {
    let sum = inner.prop_map(|one| if matches!(one, Expression::All(_)) { one } else { wrapped(one, 3) });
    let element = prop_oneof![
        2 => (number(), number()).prop_map(|(a, b)| {
            Element::Range(at(Expression::Number(a)), at(Expression::Number(b)))
        }),
        1 => (sum.clone(), sum.clone()).prop_map(|(a, b)| Element::Range(at(wrapped(a, 1)), at(b))),
        2 => sum.prop_map(Element::One),
    ];
    let tail = "([a-zA-Z0-9_]{1,3}|[.-][a-z0-9]{1,2}){0,2}";
    let head = prop::sample::select(kinds).prop_flat_map(|kind| {
        let head = match kind {
            Kind::Name => prop_oneof![3 => name(), 1 => text()].boxed(),
            Kind::Variable => variable().boxed(),
            Kind::Node => prop_oneof![3 => "([a-z0-9]{1,3}([-_.][a-z0-9]{0,2})?)?", 1 => text()].boxed(),
        };
        head.prop_map(move |head| (kind, head))
    });
    (head, vec(element.prop_map(at), 1..5), tail)
        .prop_map(|((kind, head), elements, tail)| Expression::Enumeration { kind, head, elements, tail })
        .boxed()
}

const KINDS: [Kind; 3] = [Kind::Name, Kind::Node, Kind::Variable];

fn selection(inner: BoxedStrategy<Expression>) -> impl Strategy<Value = Expression> {
    let sum = inner.prop_map(|one| wrapped(one, 3));
    let equal = option::of((any::<bool>(), literal().prop_map(at)));
    let filter = prop_oneof![
        text().prop_map(|text| Filter::Tagged(at(text))),
        text().prop_map(|text| Filter::Named(at(text))),
        (text(), equal).prop_map(|(text, equal)| Filter::With(at(text), equal)),
        sum.clone().prop_map(|sum| Filter::On(at(sum))),
        sum.prop_map(|sum| Filter::In(at(sum))),
    ];
    (any::<bool>(), vec(filter.prop_map(at), 0..3), option::of(text().prop_map(at)))
        .prop_map(|(nodes, filters, by)| Expression::All(Selection { nodes, filters, by }))
}

pub(crate) fn expression() -> BoxedStrategy<Expression> {
    leaf()
        .prop_recursive(4, 24, 5, |inner| {
            let many = vec(inner.clone().prop_map(at), 0..6);
            prop_oneof![
                3 => many.clone().prop_map(Expression::Set),
                3 => (inner.clone(), operator(), inner.clone()).prop_map(|(a, o, b)| binary(a, o, b)),
                1 => (prop::sample::select([Unary::Negate, Unary::Not, Unary::Count].as_slice()), inner.clone())
                    .prop_map(|(operator, inner)| unary(operator, inner)),
                1 => inner.clone().prop_map(|one| Expression::Parentheses(boxed(one))),
                1 => (name(), many).prop_map(|(name, members)| Expression::Call(at(name), members)),
                2 => enumeration(inner.clone(), &KINDS),
                1 => selection(inner),
            ]
        })
        .boxed()
}

fn target() -> BoxedStrategy<Expression> {
    let leaf = prop_oneof![
        2 => variable().prop_map(Expression::Variable),
        1 => name().prop_map(Expression::Name),
        1 => node().prop_map(Expression::Node),
        1 => text().prop_map(Expression::QuotedName),
        1 => enumeration(expression(), &KINDS),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let item = prop_oneof![3 => inner, 1 => Just(Expression::Blank)];
        vec(item.prop_map(at), 1..4).prop_map(Expression::Set)
    })
    .boxed()
}

fn exported() -> BoxedStrategy<Expression> {
    let leaf = prop_oneof![
        3 => variable().prop_map(Expression::Variable),
        1 => enumeration(expression(), &[Kind::Variable]),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| vec(inner.prop_map(at), 1..4).prop_map(Expression::Set)).boxed()
}

fn settings() -> impl Strategy<Value = Vec<Spanned<Setting>>> {
    let setting = (title().prop_map(at), option::of(literal().prop_map(at)));
    vec(setting.prop_map(|(name, value)| at(Setting { name, value })), 0..4)
}

/// What begins with a parenthesis would be read as the call of something named `link`.
fn ends() -> impl Strategy<Value = Expression> {
    prop_oneof![
        2 => exported(),
        1 => node().prop_map(Expression::Node),
        1 => name().prop_map(Expression::Name),
        1 => enumeration(expression(), &[Kind::Node]),
    ]
}

fn switched() -> impl Strategy<Value = Switched> {
    let names = prop_oneof![
        2 => name().prop_map(Expression::Name),
        1 => enumeration(expression(), &[Kind::Name]).prop_filter(
            "the head is a word",
            |one| matches!(one, Expression::Enumeration { head, .. } if is_word(head)),
        ),
    ];
    (names.prop_map(at), settings()).prop_map(|(names, options)| Switched { names, options })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        expression().prop_map(|place| State::Running(at(place))),
        expression().prop_map(|place| State::Sleeping(at(place))),
        Just(State::Ready),
        Just(State::Online),
        Just(State::Offline),
    ]
}

fn simple() -> BoxedStrategy<Statement> {
    let word = || name().prop_map(at);
    let value = || expression().prop_map(at);
    let assignment =
        [None, Some(Binary::Plus), Some(Binary::Minus), Some(Binary::Times), Some(Binary::Modulo)];
    let term =
        (option::of(number().prop_map(at)), word()).prop_map(|(weight, metric)| at(Term { weight, metric }));
    let audience = prop_oneof![
        Just(vec![at("*".to_owned())]),
        vec((name(), any::<bool>()).prop_map(|(name, all)| at(if all { name + ".*" } else { name })), 1..3),
    ];
    prop_oneof![
        1 => word().prop_map(Statement::Namespace),
        1 => (word(), any::<bool>()).prop_map(|(path, all)| Statement::Import { path, all }),
        1 => (text().prop_map(at), variable().prop_map(at)).prop_map(|(file, name)| Statement::Include { file, name }),
        1 => vec(title().prop_map(at), 1..4).prop_map(Statement::Resource),
        1 => (word(), settings()).prop_map(|(name, options)| Statement::Template { name, options }),
        1 => (word(), settings()).prop_map(|(routing, options)| Statement::Network { routing, options }),
        1 => vec(switched(), 1..3).prop_map(Statement::Switch),
        1 => (ends().prop_map(at), word(), settings())
            .prop_map(|(ends, switch, options)| Statement::Link { ends, switch, options }),
        1 => (ends().prop_map(at), value(), vec(word(), 1..4))
            .prop_map(|(from, to, via)| Statement::Route { from, to, via }),
        3 => (target().prop_map(at), word(), settings(), option::of(state().prop_map(at))).prop_map(
            |(target, template, options, state)| Statement::Declaration { target, template, options, state }
        ),
        3 => (target().prop_map(at), prop::sample::select(assignment.to_vec()), value())
            .prop_map(|(target, operator, value)| Statement::Definition { target, operator, value }),
        5 => (any::<bool>(), word(), vec(value(), 0..5), option::of(value())).prop_map(
            |(discrete, name, arguments, soft)| Statement::Rule {
                discrete: discrete.then(Span::default),
                name,
                arguments,
                soft
            }
        ),
        1 => (vec(exported().prop_map(at), 1..3), audience).prop_map(|(what, to)| Statement::Export { what, to }),
        1 => (word(), vec(variable().prop_map(at), 0..4), value())
            .prop_map(|(name, parameters, value)| Statement::Function { name, parameters, body: Body::Value(value) }),
        1 => vec(vec(term, 1..3), 1..3).prop_map(Statement::Objective),
    ]
    .boxed()
}

fn statement() -> impl Strategy<Value = Statement> {
    simple().prop_recursive(3, 12, 3, |inner| {
        let block = vec(inner.clone().prop_map(at), 0..3)
            .prop_map(|statements| Block { statements, ..Block::default() });
        let value = || expression().prop_map(at);
        prop_oneof![
            (variable().prop_map(at), value(), block.clone())
                .prop_map(|(variable, over, body)| Statement::For { variable, over, body }),
            (value(), block.clone(), option::of(block.clone()))
                .prop_map(|(condition, then, otherwise)| Statement::If { condition, then, otherwise }),
            (name().prop_map(at), vec(variable().prop_map(at), 0..3), block).prop_map(
                |(name, parameters, body)| Statement::Function { name, parameters, body: Body::Block(body) }
            ),
        ]
    })
}

pub(crate) fn programme() -> impl Strategy<Value = Vec<Spanned<Statement>>> {
    vec(statement().prop_map(at), 0..6)
}

/// Writes statements with blanks and comments as it pleases a small random generator.
pub(crate) struct Scribe {
    out: String,
    seed: u64,
    comments: bool,
    /// What comes next belongs to what stands before.
    glued: bool,
}

impl Scribe {
    pub(crate) fn write(statements: &[Spanned<Statement>], seed: u64, comments: bool) -> String {
        let mut scribe = Self { out: String::new(), seed: seed | 1, comments, glued: false };
        for statement in statements {
            scribe.statement(&statement.value);
        }
        scribe.out
    }

    fn chance(&mut self, of: u64) -> bool {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed.is_multiple_of(of)
    }

    fn gap(&mut self, needed: bool) {
        if needed {
            let blank = if self.chance(6) { '\n' } else { ' ' };
            self.out.push(blank);
        }
        if self.chance(8) {
            self.out += "\n  ";
        }
        if self.chance(8) {
            self.out += "\t";
        }
        if self.comments && self.chance(9) {
            if self.out.ends_with('/') {
                self.out.push(' ');
            }
            let number = self.out.len();
            let line = self.chance(2);
            self.out += &if line { format!("// c{number} \n") } else { format!("/* c{number} */") };
            if !line && self.chance(3) {
                self.out += &format!("\n\n/* of {number}\n   lines // \r\n */");
            }
            if self.chance(4) {
                self.out += "\n\n\n";
            }
        }
    }

    /// A token.
    fn say(&mut self, token: &str) {
        if !std::mem::take(&mut self.glued) {
            // Signs of punctuation may touch; others might run together.
            let free = |c: Option<char>| c.is_none_or(|c| "(){},;".contains(c));
            let needed = !free(self.out.chars().next_back()) && !free(token.chars().next());
            self.gap(needed);
        }
        self.out += token;
    }

    fn glue(&mut self) {
        self.glued = true;
    }

    fn quoted(&mut self, before: &str, text: &str) {
        let mut quoted = format!("{before}\"");
        for character in text.chars() {
            match character {
                '"' => quoted += "\\\"",
                '\\' => quoted += "\\\\",
                '\n' => quoted += "\\n",
                '\r' => quoted += "\\r",
                '\u{8}' => quoted += "\\b",
                '\u{C}' => quoted += "\\f",
                other => quoted.push(other),
            }
        }
        self.say(&(quoted + "\""));
    }

    /// In quotes if it is no word.
    fn title(&mut self, name: &str) {
        if is_word(name) { self.say(name) } else { self.quoted("", name) }
    }

    fn list<T>(&mut self, members: &[T], write: impl Fn(&mut Self, &T)) {
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.say(",");
            }
            write(self, member);
        }
    }

    fn number(&mut self, number: Number) {
        self.say(&match number {
            Number::Integer(value, 16) => format!("0x{value:x}"),
            Number::Integer(value, 8) => format!("0{value:o}"),
            Number::Integer(value, _) => value.to_string(),
            Number::Float(value) if value.fract() == 0.0 => format!("{value:.1}"),
            Number::Float(value) => format!("{value}"),
        });
    }

    fn block(&mut self, block: &Block) {
        self.say("{");
        for statement in &block.statements {
            self.statement(&statement.value);
        }
        self.say("}");
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Namespace(name) => {
                self.say("namespace");
                self.say(&name.value);
            }
            Statement::Import { path, all } => {
                self.say("import");
                self.say(&format!("{}{}", path.value, if *all { ".*" } else { "" }));
            }
            Statement::Include { file, name } => {
                self.say("include");
                self.quoted("", &file.value);
                self.say("as");
                self.say(&format!("${}", name.value));
            }
            Statement::Resource(names) => {
                self.say("resource");
                self.list(names, |scribe, name| scribe.title(&name.value));
            }
            Statement::Template { name, options } => {
                self.say("template");
                self.say(&name.value);
                self.settings(options);
            }
            Statement::Network { routing, options } => {
                self.say("network");
                self.say(&routing.value);
                self.settings(options);
            }
            Statement::Switch(switches) => {
                self.say("switch");
                self.list(switches, |scribe, switch| {
                    scribe.expression(&switch.names.value);
                    scribe.settings(&switch.options);
                });
            }
            Statement::Link { ends, switch, options } => {
                self.say("link");
                self.expression(&ends.value);
                self.say("to");
                self.say(&switch.value);
                self.settings(options);
            }
            Statement::Route { from, to, via } => {
                self.say("route");
                self.expression(&from.value);
                self.say("to");
                self.expression(&to.value);
                self.say("via");
                self.list(via, |scribe, one| scribe.say(&one.value));
            }
            Statement::Declaration { target, template, options, state } => {
                self.expression(&target.value);
                self.say(":");
                self.say(&template.value);
                self.settings(options);
                match state.as_ref().map(|state| &state.value) {
                    Some(State::Running(place)) => {
                        self.say("running");
                        self.say("on");
                        self.expression(&place.value);
                    }
                    Some(State::Sleeping(place)) => {
                        self.say("sleeping");
                        self.say("on");
                        self.expression(&place.value);
                    }
                    Some(other) => self.say(&format!("{other:?}").to_lowercase()),
                    None => {}
                }
            }
            Statement::Definition { target, operator, value } => {
                self.expression(&target.value);
                self.say(&format!("{}=", operator.map_or("", Binary::sign)));
                self.expression(&value.value);
            }
            Statement::Rule { discrete, name, arguments, soft } => {
                if discrete.is_some() {
                    self.say(">>");
                }
                self.say(&name.value);
                self.say("(");
                self.list(arguments, |scribe, argument| scribe.expression(&argument.value));
                self.say(")");
                if let Some(price) = soft {
                    self.say("soft");
                    self.expression(&price.value);
                }
            }
            Statement::Export { what, to } => {
                self.say("export");
                self.list(what, |scribe, one| scribe.expression(&one.value));
                self.say("to");
                self.list(to, |scribe, one| scribe.say(&one.value));
            }
            Statement::Objective(levels) => {
                let word = if self.chance(2) { "minimise" } else { "minimize" };
                self.say(word);
                self.list(levels, |scribe, terms| {
                    for (index, term) in terms.iter().enumerate() {
                        if index > 0 {
                            scribe.say("+");
                        }
                        if let Some(weight) = &term.value.weight {
                            scribe.number(weight.value);
                            scribe.say("*");
                        }
                        scribe.say(&term.value.metric.value);
                    }
                });
            }
            Statement::Function { name, parameters, body } => {
                self.say("def");
                self.say(&name.value);
                self.say("(");
                self.list(parameters, |scribe, one| scribe.say(&format!("${}", one.value)));
                self.say(")");
                match body {
                    Body::Block(block) => return self.block(block),
                    Body::Value(value) => {
                        self.say("=");
                        self.expression(&value.value);
                    }
                }
            }
            Statement::For { variable, over, body } => {
                self.say("for");
                self.say(&format!("${}", variable.value));
                self.say("in");
                self.expression(&over.value);
                return self.block(body);
            }
            Statement::If { condition, then, otherwise } => {
                self.say("if");
                self.expression(&condition.value);
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.say("else");
                    match otherwise.statements.as_slice() {
                        [Spanned { value: one @ Statement::If { .. }, .. }] if self.chance(2) => {
                            self.statement(one);
                        }
                        _ => self.block(otherwise),
                    }
                }
                return;
            }
        }
        self.say(";");
    }

    fn settings(&mut self, settings: &[Spanned<Setting>]) {
        if settings.is_empty() {
            return;
        }
        self.say("<");
        self.list(settings, |scribe, setting| {
            scribe.title(&setting.value.name.value);
            if let Some(value) = &setting.value.value {
                scribe.say("=");
                scribe.expression(&value.value);
            }
        });
        self.say(">");
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Name(name) => self.say(name),
            Expression::QuotedName(name) => self.quoted("vm", name),
            Expression::Variable(name) => self.say(&format!("${name}")),
            Expression::Node(name) => {
                let plain = |c: char| c.is_ascii_alphanumeric();
                let mut parts = name.split(['-', '_', '.']);
                if parts.all(|part| !part.is_empty() && part.chars().all(plain)) {
                    self.say(&format!("@{name}"));
                } else {
                    self.quoted("@", name);
                }
            }
            Expression::Number(number) => self.number(*number),
            Expression::Text(text) => self.quoted("", text),
            Expression::Blank => self.say("_"),
            Expression::Set(members) => {
                self.say("{");
                self.list(members, |scribe, member| scribe.expression(&member.value));
                self.say("}");
            }
            Expression::Enumeration { kind, head, elements, tail } => {
                match kind {
                    Kind::Name if is_word(head) => self.say(head),
                    Kind::Name => self.quoted("vm", head),
                    Kind::Variable => self.say(&format!("${head}")),
                    Kind::Node if is_node_head(head) => {
                        self.say(&format!("@{head}"));
                    }
                    Kind::Node => self.quoted("@", head),
                }
                self.glue();
                self.say("[");
                self.list(elements, |scribe, element| match &element.value {
                    Element::Range(first, last) => {
                        scribe.expression(&first.value);
                        scribe.say("..");
                        scribe.expression(&last.value);
                    }
                    Element::One(one) => scribe.expression(one),
                });
                self.gap(false);
                self.glue();
                self.say(&format!("]{tail}"));
            }
            Expression::Parentheses(inner) => {
                self.say("(");
                self.expression(&inner.value);
                self.say(")");
            }
            Expression::Unary(operator, inner) => {
                self.say(match operator {
                    Unary::Negate => "-",
                    Unary::Not => "!",
                    Unary::Count => "#",
                });
                if self.chance(2) {
                    self.glue();
                }
                self.expression(&inner.value);
            }
            Expression::Binary(left, operator, right) => {
                self.expression(&left.value);
                self.say(operator.value.sign());
                self.expression(&right.value);
            }
            Expression::Call(name, arguments) => {
                self.say(&name.value);
                self.say("(");
                self.list(arguments, |scribe, argument| scribe.expression(&argument.value));
                self.say(")");
            }
            Expression::All(selection) => {
                self.say("all");
                self.say(if selection.nodes { "nodes" } else { "vms" });
                for filter in &selection.filters {
                    self.filter(&filter.value);
                }
                if let Some(by) = &selection.by {
                    self.say("by");
                    self.quoted("", &by.value);
                }
            }
        }
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Tagged(text) => {
                self.say("tagged");
                self.quoted("", &text.value);
            }
            Filter::Named(text) => {
                self.say("named");
                self.quoted("", &text.value);
            }
            Filter::With(text, value) => {
                self.say("with");
                self.quoted("", &text.value);
                if let Some((equal, value)) = value {
                    self.say(if *equal { "==" } else { "!=" });
                    self.expression(&value.value);
                }
            }
            Filter::On(place) => {
                self.say("on");
                self.expression(&place.value);
            }
            Filter::In(set) => {
                self.say("in");
                self.expression(&set.value);
            }
        }
    }
}

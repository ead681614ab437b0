//! The tree of a rule file: what was written, and where.

/// Bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// A word with its place: an identifier, a variable without its `$`, a node without its `@`.
pub type Word = Spanned<String>;

/// A comment, its marks included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where.
    pub span: Span,
    /// True for `/* … */`.
    pub block: bool,
}

/// A rule file. What could not be read is missing; a diagnostic tells of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The statements, in order.
    pub statements: Vec<Spanned<Statement>>,
    /// The comments, in order.
    pub comments: Vec<Comment>,
    /// What statements that could not be read would have given a value or declared: variables,
    /// names, nodes, enumerations, sets of them; the names of functions. To find them unknown
    /// elsewhere is no second mistake.
    pub lost: Vec<Spanned<Expression>>,
}

/// A block in braces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The statements, in order.
    pub statements: Vec<Spanned<Statement>>,
    /// From brace to brace.
    pub span: Span,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `namespace a.b;`
    Namespace(Word),
    /// `import a.b;` or `import a.*;`
    Import {
        /// The namespace, without `.*`.
        path: Word,
        /// True for `.*`: everything in that directory.
        all: bool,
    },
    /// `include "site.json" as $site;`
    Include {
        /// The file.
        file: Word,
        /// The variable.
        name: Word,
    },
    /// `resource cpu, mem;`
    Resource(Vec<Word>),
    /// `template small<cpu=1>;`
    Template {
        /// Its name.
        name: Word,
        /// Its options.
        options: Vec<Spanned<Setting>>,
    },
    /// `network shortest;`
    Network {
        /// How traffic finds its way.
        routing: Word,
        /// The options.
        options: Vec<Spanned<Setting>>,
    },
    /// `switch core<capacity=40000>, edge[1..4];`
    Switch(Vec<Switched>),
    /// `link @n[1..20] to edge1<capacity=1000>;`
    Link {
        /// What is linked: nodes, or the names of switches.
        ends: Spanned<Expression>,
        /// The switch at the other end of each link.
        switch: Word,
        /// The options.
        options: Vec<Spanned<Setting>>,
    },
    /// `route @n1 to @n2 via edge1, core, edge2;`
    Route {
        /// Where it starts: a node.
        from: Spanned<Expression>,
        /// Where it ends: a node.
        to: Spanned<Expression>,
        /// The switches on the way, in order.
        via: Vec<Word>,
    },
    /// `VM[1..3] : small<clone> running on @n1;`
    Declaration {
        /// What is declared: a name, a node, an enumeration, a set of them.
        target: Spanned<Expression>,
        /// The template.
        template: Word,
        /// The options.
        options: Vec<Spanned<Setting>>,
        /// The state at the start.
        state: Option<Spanned<State>>,
    },
    /// `$x = e;`, `$x += e;`, `{$a, _} = e;`
    Definition {
        /// What gets a value.
        target: Spanned<Expression>,
        /// The operator of `+=` and the like; none for `=`.
        operator: Option<Binary>,
        /// The value.
        value: Spanned<Expression>,
    },
    /// `for $x in e { … }`
    For {
        /// The variable.
        variable: Word,
        /// What it goes over.
        over: Spanned<Expression>,
        /// What is repeated.
        body: Block,
    },
    /// `if e { … } else { … }`
    If {
        /// The condition.
        condition: Spanned<Expression>,
        /// Where it is true.
        then: Block,
        /// Where it is not: a block; for `else if` one with a single `if` in it.
        otherwise: Option<Block>,
    },
    /// `>>spread($x) soft 10;`, or the call of a function with a block.
    Rule {
        /// The place of `>>`.
        discrete: Option<Span>,
        /// The name.
        name: Word,
        /// The arguments, in order.
        arguments: Vec<Spanned<Expression>>,
        /// The price after `soft`.
        soft: Option<Spanned<Expression>>,
    },
    /// `export $x, $R[1..3] to *;`
    Export {
        /// Variables, enumerations of variables, sets of them.
        what: Vec<Spanned<Expression>>,
        /// Who sees them: `*`, a namespace, or a namespace with `.*`.
        to: Vec<Word>,
    },
    /// `def f($a, $b) { … }` or `def f($a) = e;`
    Function {
        /// Its name.
        name: Word,
        /// Its parameters.
        parameters: Vec<Word>,
        /// What it does.
        body: Body,
    },
    /// `minimise relocations, 3*makespan + mttr;`
    Objective(Vec<Vec<Spanned<Term>>>),
}

/// What a function does.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Statements.
    Block(Block),
    /// The value of an expression.
    Value(Spanned<Expression>),
}

/// A term of an objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The number before `*`.
    pub weight: Option<Spanned<Number>>,
    /// The metric.
    pub metric: Word,
}

/// An option of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: Word,
    /// Its value; none for a flag. A number (maybe negated), a text or a variable.
    pub value: Option<Spanned<Expression>>,
}

/// Switches with their options.
#[derive(Clone, Debug, PartialEq)]
pub struct Switched {
    /// A name, or an enumeration of names.
    pub names: Spanned<Expression>,
    /// The options.
    pub options: Vec<Spanned<Setting>>,
}

/// A state at the start.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// `running on e`
    Running(Spanned<Expression>),
    /// `sleeping on e`
    Sleeping(Spanned<Expression>),
    /// `ready`
    Ready,
    /// `online`
    Online,
    /// `offline`
    Offline,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer and its base (8, 10 or 16), which counts where it becomes part of a name.
    Integer(i64, u32),
    /// Any other.
    Float(f64),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `^`
    Power,
}

impl Binary {
    /// The operator as it is written: `||`, `<=`, `^`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `-`
    Negate,
    /// `!`
    Not,
    /// `#`
    Count,
}

/// What an enumeration is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `VM[…]`
    Name,
    /// `@n[…]`
    Node,
    /// `$R[…]`
    Variable,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A dotted name.
    Name(String),
    /// `vm"db 1"`: a name that is no identifier.
    QuotedName(String),
    /// `@name` or `@"node 1"`, without the sign.
    Node(String),
    /// `$name`, without the sign.
    Variable(String),
    /// A number.
    Number(Number),
    /// Text without its quotes, escapes resolved.
    Text(String),
    /// `_`, in targets only.
    Blank,
    /// `{a, b}`
    Set(Vec<Spanned<Expression>>),
    /// `VM[1..4, 7, front]`, `@n[1..2].x`
    Enumeration {
        /// What it is made of.
        kind: Kind,
        /// What stands before the bracket, without sign.
        head: String,
        /// What stands in it.
        elements: Vec<Spanned<Element>>,
        /// What follows it.
        tail: String,
    },
    /// `(e)`
    Parentheses(Box<Spanned<Expression>>),
    /// `-e`
    Unary(Unary, Box<Spanned<Expression>>),
    /// `a + b`
    Binary(Box<Spanned<Expression>>, Spanned<Binary>, Box<Spanned<Expression>>),
    /// `half($x)`
    Call(Word, Vec<Spanned<Expression>>),
    /// `all vms tagged "db" by "rack"`
    All(Selection),
}

/// One element of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// `1..4`, both ends included.
    Range(Spanned<Expression>, Spanned<Expression>),
    /// A number, name, text, variable or sum of such.
    One(Expression),
}

/// `all vms …` or `all nodes …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// True for nodes, false for VMs.
    pub nodes: bool,
    /// All of them must be met.
    pub filters: Vec<Spanned<Filter>>,
    /// The attribute after `by`: one set for each of its values.
    pub by: Option<Word>,
}

/// A condition of a selection.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// `tagged "db"`
    Tagged(Word),
    /// `named "web-*"`
    Named(Word),
    /// `with "rack" == "r1"`; without operator: has the attribute. `true` for `==`.
    With(Word, Option<(bool, Spanned<Expression>)>),
    /// `on @n[1..3]`
    On(Spanned<Expression>),
    /// `in $front`
    In(Spanned<Expression>),
}

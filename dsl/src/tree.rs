//! The tree of a rule file: what was written, and where.

/// Bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// A rule file. Statements that could not be read are missing; a diagnostic tells of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The statements, in order.
    pub statements: Vec<Spanned<Statement>>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `namespace a.b;`
    Namespace(Spanned<String>),
    /// `import a.b;` or `import a.*;`
    Import {
        /// The namespace.
        path: Spanned<String>,
        /// True for `.*`: everything below it.
        all: bool,
    },
    /// `spread({VM1, VM2});` or `>>spread({VM1, VM2});`
    Constraint {
        /// True for `>>`: to hold at the end only.
        discrete: bool,
        /// The name.
        name: Spanned<String>,
        /// The arguments, in order.
        arguments: Vec<Spanned<Expression>>,
    },
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A dotted name: a VM, or a word that a constraint knows.
    Name(String),
    /// `@name`, without the sign.
    Node(String),
    /// `$name`, without the sign.
    Variable(String),
    /// A number as it is written: its base and its leading zeros count in names.
    Number(String),
    /// Text without its quotes, escapes resolved.
    Text(String),
    /// `{a, b}`
    Set(Vec<Spanned<Expression>>),
    /// `VM[1..4, 7, front]`, `@n[1..2].x`
    Enumeration {
        /// What stands before the bracket, sign included.
        head: String,
        /// What stands in it.
        elements: Vec<Spanned<Element>>,
        /// What follows it.
        tail: String,
    },
}

/// One element of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// `1..4`, both ends included, as they are written.
    Range(String, String),
    /// A name, a number, a text or a variable.
    One(Expression),
}

//! What could not be read, in words: what was expected, what was found, what to do.

use super::Rule;
use super::scan::Extent;
use super::scan::Kind;
use super::scan::Scanner;
use super::scan::Stop;
use super::scan::Token;
use super::scan::announces_statement;
use super::scan::between;
use super::scan::is_reserved;
use super::scan::shortened;
use crate::Diagnostic;
use crate::Span;
use pest::error::Error;
use pest::error::ErrorVariant;
use pest::error::InputLocation;

/// Words with which statements begin.
const STATEMENTS: [&str; 16] = [
    "namespace",
    "import",
    "export",
    "include",
    "resource",
    "template",
    "network",
    "switch",
    "link",
    "route",
    "def",
    "for",
    "if",
    "else",
    "minimise",
    "minimize",
];

/// How functions are written.
const FUNCTION: &str = "a function is defined as `def name($a) = …;` or `def name($a) { … }`";

/// A token, as a message calls it.
pub(super) fn found(text: &str, token: &Token) -> String {
    match token.kind {
        Kind::End => "the end of the file".to_owned(),
        _ => format!("`{}`", shortened(&text[token.start..token.end])),
    }
}

/// A statement that was read, but for what must end it.
pub(super) fn missing(text: &str, sign: &str, extent: &Extent) -> Diagnostic {
    let next = Scanner::at(text, extent.last).peek();
    let message = format!("expected `{sign}`, found {}", found(text, &next));
    let fault = Diagnostic::error("E0002", between(extent.last, extent.last), message);
    match sign {
        ";" if next.kind == Kind::Open(b'{') => fault.with_help(FUNCTION),
        ";" => fault.with_help("every statement ends with `;`"),
        _ => fault.with_help("what is to be done stands in a block: `{ … }`"),
    }
}

/// What is wrong with a statement that the grammar refused.
pub(super) fn refusal(
    text: &str,
    start: usize,
    extent: &Extent,
    kind: Rule,
    error: &Error<Rule>,
) -> Diagnostic {
    let offset = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let at = start + offset;
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let message = "this statement is nested too deeply to be read";
        return Diagnostic::error("E0601", between(start, extent.last), message);
    };
    let token = Scanner::at(text, at).peek();
    let (open, previous) = Scanner::at(text, start).before(token.start);
    let scene = Scene { text, token, previous, open, expected: Expected::new(positives, kind) };
    scene.number().or_else(|| scene.unclosed(extent)).unwrap_or_else(|| scene.plain())
}

/// What the grammar could have gone on with, sorted by how much it helps to say so.
struct Expected {
    /// Signs, words, names, values.
    words: Vec<&'static str>,
    /// Something that may or may not follow.
    more: Vec<&'static str>,
    value: bool,
    operator: bool,
    variable: bool,
    setting: bool,
}

impl Expected {
    fn new(rules: &[Rule], kind: Rule) -> Self {
        let has = |rule| rules.contains(&rule);
        let mut expected = Self {
            words: Vec::new(),
            more: Vec::new(),
            // Only values begin with a parenthesis.
            value: has(Rule::parentheses),
            operator: false,
            variable: has(Rule::plain_variable),
            setting: has(Rule::literal),
        };
        for &rule in rules {
            let part_of_value =
                matches!(rule, Rule::path | Rule::variable | Rule::node | Rule::number | Rule::text);
            match describe(rule) {
                Part::Word(_) if part_of_value && expected.value => {}
                // A block follows a head.
                Part::Word("`;`") if matches!(kind, Rule::for_head | Rule::if_head) => {
                    expected.words.push("`{`")
                }
                Part::Word("`;`") if kind == Rule::function && has(Rule::gives) => {
                    expected.words.extend(["`{`", "`=`"])
                }
                Part::Word(word) => expected.words.push(word),
                Part::More(word) => expected.more.push(word),
                Part::Value => expected.value = true,
                Part::Operator => expected.operator = true,
            }
        }
        if expected.value {
            expected.words.push("a value");
        }
        expected.words.sort_by_key(|word| (rank(word), *word));
        expected.words.dedup();
        expected.more.sort_unstable();
        expected.more.dedup();
        expected
    }

    fn phrase(&self) -> String {
        let words = match (self.words.as_slice(), self.more.as_slice()) {
            ([], []) if self.operator => &["an operator"],
            ([], more) => more,
            (words, _) => words,
        };
        match words {
            [] => "something else".to_owned(),
            [one] => (*one).to_owned(),
            [most @ .., last] => format!("{} or {last}", most.join(", ")),
        }
    }

    /// True if a bracket may be closed here.
    fn closes(&self) -> bool {
        self.words.iter().any(|word| matches!(*word, "`)`" | "`]`" | "`}`"))
    }

    /// True if what stands before could be all.
    fn ends(&self) -> bool {
        self.closes() || self.words.contains(&"`;`") || self.words.contains(&"`{`")
    }
}

fn rank(word: &str) -> usize {
    match word {
        "a value" => 0,
        "`,`" => 1,
        "`;`" => 9,
        _ if word.len() == 3 => 3,
        _ => 2,
    }
}

enum Part {
    Word(&'static str),
    More(&'static str),
    Value,
    Operator,
}

/// A rule of the grammar in the reader's words.
fn describe(rule: Rule) -> Part {
    Part::Word(match rule {
        Rule::expression
        | Rule::sum
        | Rule::set
        | Rule::parentheses
        | Rule::negate
        | Rule::not
        | Rule::count
        | Rule::literal => return Part::Value,
        Rule::logical
        | Rule::comparison
        | Rule::equality
        | Rule::additive
        | Rule::multiplicative
        | Rule::power => {
            return Part::Operator;
        }
        Rule::brackets => return Part::More("`[`"),
        Rule::label => return Part::More("a text in quotes"),
        Rule::scope => return Part::More("`vms`"),
        Rule::arguments | Rule::parameters => return Part::More("`(`"),
        Rule::options => return Part::More("`<`"),
        Rule::state => return Part::More("a state"),
        Rule::word_soft => return Part::More("`soft`"),
        Rule::filter | Rule::by | Rule::word_by => return Part::More("a filter"),
        Rule::star => return Part::More("`.*`"),
        Rule::gives => return Part::More("`=`"),
        Rule::tail => return Part::More("a tail"),
        Rule::EOI | Rule::semicolon => "`;`",
        Rule::greater => "`>`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::dots => "`..`",
        Rule::times => "`*`",
        Rule::assignment => "`=`",
        Rule::close => "`)`",
        Rule::close_brace => "`}`",
        Rule::close_bracket => "`]`",
        Rule::everyone | Rule::audience => "a namespace or `*`",
        Rule::element | Rule::elements => "an element",
        Rule::number => "a number",
        Rule::text => "a text in quotes",
        Rule::path | Rule::wide_path | Rule::option | Rule::level | Rule::amount | Rule::switched => "a name",
        Rule::variable | Rule::plain_variable | Rule::exported => "a variable",
        Rule::node => "the name of a node",
        Rule::target | Rule::blocked | Rule::blank => "a variable, a name or a node",
        Rule::discrete => "`>>`",
        Rule::word_namespace => "`namespace`",
        Rule::word_import => "`import`",
        Rule::word_include => "`include`",
        Rule::word_resource => "`resource`",
        Rule::word_template => "`template`",
        Rule::word_network => "`network`",
        Rule::word_switch => "`switch`",
        Rule::word_link => "`link`",
        Rule::word_route => "`route`",
        Rule::word_via => "`via`",
        Rule::word_export => "`export`",
        Rule::word_minimise => "`minimise`",
        Rule::word_def => "`def`",
        Rule::word_for => "`for`",
        Rule::word_if => "`if`",
        Rule::word_in => "`in`",
        Rule::word_to => "`to`",
        Rule::word_as => "`as`",
        Rule::word_on => "`on`",
        Rule::word_vms => "`vms`",
        Rule::word_nodes => "`nodes`",
        _ => "something else",
    })
}

/// Where reading came to an end.
struct Scene<'a> {
    text: &'a str,
    /// What stands there.
    token: Token,
    /// What stands before.
    previous: Option<Token>,
    /// The innermost bracket that is open.
    open: Option<(u8, usize)>,
    expected: Expected,
}

impl Scene<'_> {
    fn word(&self) -> &str {
        &self.text[self.token.start..self.token.end]
    }

    fn previous(&self) -> &str {
        self.previous.map_or("", |token| &self.text[token.start..token.end])
    }

    /// Where to point at: where something is missing, or at what is wrong.
    fn place(&self) -> Span {
        let gone = self.token.line.is_some() || matches!(self.token.kind, Kind::End | Kind::Semicolon);
        match self.previous {
            Some(previous) if gone && (self.expected.ends() || self.token.kind == Kind::End) => {
                between(previous.end, previous.end)
            }
            _ => self.token.span(),
        }
    }

    /// Something like a number.
    fn number(&self) -> Option<Diagnostic> {
        let rest = &self.text[self.token.start..];
        let dotted = rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if self.expected.value && dotted {
            let fault = Diagnostic::error("E0001", self.token.span(), "a number does not begin with a point");
            return Some(fault.with_help("write a digit before it: 0.5"));
        }
        if self.token.kind != Kind::Number
            || !(self.expected.value || self.expected.words.contains(&"a number"))
        {
            return None;
        }
        let word = self.word();
        let fault =
            Diagnostic::error("E0001", self.token.span(), format!("`{}` is no number", shortened(word)));
        Some(match word.as_bytes() {
            [b'0', b'x' | b'X', ..] => {
                fault.with_help("hexadecimal numbers have the digits 0 to 9 and a to f")
            }
            _ if word
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .starts_with(['e', 'E']) =>
            {
                fault.with_help("write it without an exponent")
            }
            _ => fault.with_help("names begin with a letter; texts stand in quotes"),
        })
    }

    /// A bracket that should be closed before what was found.
    fn unclosed(&self, extent: &Extent) -> Option<Diagnostic> {
        let (byte, at) = self.open?;
        let closing = match byte {
            b'(' => ')',
            b'[' => ']',
            _ => '}',
        };
        if !self.expected.closes() {
            return None;
        }
        let over = match self.token.kind {
            Kind::Semicolon | Kind::End | Kind::Close(_) => true,
            _ => self.token.start >= extent.end,
        };
        if !over {
            return None;
        }
        let message = format!("expected `{closing}`, found {}", found(self.text, &self.token));
        let label = format!("this `{}` is not closed", byte as char);
        Some(Diagnostic::error("E0003", self.place(), message).and(0, between(at, at + 1), label))
    }

    fn plain(&self) -> Diagnostic {
        let range = self.expected.value && self.previous() == "..";
        let phrase = if range { "the end of the range".to_owned() } else { self.expected.phrase() };
        let message = format!("expected {phrase}, found {}", found(self.text, &self.token));
        let mut fault = Diagnostic::error("E0002", self.place(), message);
        fault.help = self.help(self.word());
        fault
    }

    /// True behind the first word of an argument.
    fn is_named(&self) -> bool {
        let Some(previous) = self.previous.filter(|token| token.kind == Kind::Word) else { return false };
        let before = self.text[..previous.start].trim_end();
        self.open.is_some_and(|(byte, _)| byte == b'(') && before.ends_with(['(', ','])
    }

    fn help(&self, word: &str) -> Option<String> {
        let fixed = |text: &str| Some(text.to_owned());
        let ended = self.expected.operator;
        match word {
            "=" if ended && self.is_named() => return fixed("arguments go by their order, without names"),
            "=" if ended && !self.expected.more.contains(&"`soft`") => {
                return fixed("a comparison is written `==`");
            }
            "==" if self.expected.words.contains(&"`=`") => {
                return fixed("a value is given with a single `=`");
            }
            "and" | "AND" if ended => return fixed("\"and\" is `&&`"),
            "or" | "OR" if ended => return fixed("\"or\" is `||`"),
            "not" | "NOT" if ended || self.expected.value => return fixed("\"not\" is `!`"),
            ".." if ended => return fixed("ranges stand in brackets: `VM[1..4]`"),
            "=" | "{" if self.previous() == ")" && self.expected.more.contains(&"`soft`") => {
                return fixed(FUNCTION);
            }
            "mod" if ended => return fixed("the remainder is `%`"),
            "is" | "eq" if ended => return fixed("a comparison is written `==`"),
            "then" | "do" if ended => return fixed("what is to be done stands in a block: `{ … }`"),
            "^" if ended => return fixed("powers are not chained; write parentheses"),
            "-" | "!" | "#" if self.expected.value => {
                return fixed("write parentheses around what has a sign");
            }
            "_" => {
                return fixed(
                    "`_` skips a value on the left side of `=`, as in `{$a, _} = …`, and stands nowhere else",
                );
            }
            "[" => return fixed("a name has one pair of brackets; join sets with `+`"),
            ")" | "]" | "}" | ">" if self.previous() == "," => return fixed("remove the comma"),
            "true" | "false" if self.expected.setting => {
                return fixed("a flag is written without a value, a text in quotes");
            }
            "." if self.previous.is_some_and(|token| token.kind == Kind::Number) => {
                return fixed("a number has digits on both sides of its point");
            }
            "." if self.previous() == "]" => {
                return fixed("a letter or digit follows the point after an enumeration");
            }
            _ => {}
        }
        if self.previous() == "not" && ended {
            return fixed("\"not\" is `!`");
        }
        if self.previous() == "import" && self.token.kind == Kind::Text {
            return fixed("a script is imported by its namespace: `import a.b;`");
        }
        if self.token.kind == Kind::Variable && !word[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fixed("the name of a variable begins with a letter");
        }
        if self.previous() == ":" && word == "=" {
            return fixed("a value is given with `=`");
        }
        if self.previous() == "all" && self.token.kind == Kind::Word {
            return fixed("write `all vms` or `all nodes`");
        }
        if self.expected.setting && self.token.kind == Kind::Word {
            return fixed("the value of an option is a number, a text in quotes or a variable");
        }
        if self.expected.variable && self.token.kind == Kind::Word {
            return fixed("variables begin with `$`");
        }
        if self.token.kind != Kind::Word {
            return None;
        }
        if is_reserved(word) && (self.expected.value || self.expected.words.contains(&"a name")) {
            return Some(format!("`{word}` is a word of the language; as a name write vm\"{word}\""));
        }
        let quoted = self.expected.words.iter().filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
        let words = quoted.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
        let states = ["running", "sleeping", "ready", "online", "offline"];
        let filters = ["tagged", "named", "with", "on", "in", "by"];
        let mut known: Vec<&str> = words.collect();
        known.extend(if self.expected.more.contains(&"a state") { states.as_slice() } else { &[] });
        known.extend(if self.expected.more.contains(&"a filter") { filters.as_slice() } else { &[] });
        known.extend(self.expected.more.contains(&"`soft`").then_some("soft"));
        nearest(word, &known).map(|known| format!("did you mean `{known}`?"))
    }
}

/// A statement that begins like none.
pub(super) fn unknown(text: &str, first: &Token, second: &Token, extent: &Extent) -> Diagnostic {
    let word = &text[first.start..first.end];
    let error = |message: String| Diagnostic::error("E0002", first.span(), message);
    match first.kind {
        Kind::Close(_) => return error(format!("this `{word}` closes nothing")),
        Kind::Word => {}
        _ => return error(format!("expected a statement, found {}", found(text, first))),
    }
    let help = match word {
        "use" => Some("write `import a.b;`"),
        "foreach" | "while" | "loop" => Some("write `for $x in $set { … }`"),
        "let" | "var" | "set" | "const" => Some("write `$x = …;`"),
        "function" | "func" | "fn" | "define" | "macro" => {
            Some("write `def name($a) { … }` or `def name($a) = …;`")
        }
        "elif" | "elsif" | "elseif" => Some("write `else if`"),
        "goal" | "objective" | "maximise" | "maximize" => Some("write `minimise relocations;`"),
        "package" | "module" => Some("write `namespace name;`"),
        _ => None,
    };
    if let Some(help) = help {
        return error(format!("`{word}` begins no statement")).with_help(help);
    }
    if announces_statement(word) || matches!(word, "to" | "in") {
        return match word {
            "include" => error("expected a text in quotes after `include`".to_owned()),
            "to" | "in" => error(format!("`{word}` begins no statement")),
            _ => error(format!("expected a name after `{word}`")),
        };
    }
    if let Some(known) = nearest(word, &STATEMENTS) {
        return error(format!("`{word}` begins no statement")).with_help(format!("did you mean `{known}`?"));
    }
    let forms = format!("a rule is written `{word}(…);`, a declaration `{word} : template;`");
    match second.kind {
        Kind::Word | Kind::Number | Kind::Text | Kind::Variable | Kind::Node | Kind::Open(_)
            if extent.stop != Stop::Body =>
        {
            error(format!("expected `(` after `{word}`, found {}", found(text, second))).with_help(forms)
        }
        Kind::Sign => {
            let message = format!("expected `(`, `:` or `=` after `{word}`, found {}", found(text, second));
            let help = match &text[second.start..second.end] {
                "," => format!("several are declared as a set: `{{{word}, …}} : template;`"),
                _ => forms,
            };
            error(message).with_help(help)
        }
        Kind::Semicolon | Kind::Close(_) | Kind::End => {
            error(format!("`{word}` alone is no statement")).with_help(forms)
        }
        _ => error(format!("`{word}` begins no statement")),
    }
}

/// The nearest of some words, if it is near enough to have been meant.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase();
    let near = known.iter().filter(|known| known.len().abs_diff(word.len()) < 3);
    let near = near.map(|known| (distance(&lower, known), *known));
    near.filter(|(distance, known)| *distance <= known.len().max(word.len()) / 3)
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be changed, added, left out or swapped with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut older = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j - 1] + changed).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(older[j - 2] + 1);
            }
        }
        older = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

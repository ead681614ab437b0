//! What holds for every text and every tree.

use crate::corpus::files;
use crate::dump::bare;
use crate::random::Scribe;
use crate::random::programme;
use crate::visit;
use proptest::prelude::*;
use quadrille_dsl::MOST_ERRORS;
use quadrille_dsl::Severity;
use quadrille_dsl::Spanned;
use quadrille_dsl::Statement;
use quadrille_dsl::Tree;
use quadrille_dsl::format;
use quadrille_dsl::parse;

/// The comments of a text without their marks, blanks and order.
fn comments(text: &str, tree: &Tree) -> Vec<String> {
    let slices = tree.comments.iter().map(|one| &text[one.span.start as usize..one.span.end as usize]);
    let mut comments: Vec<String> =
        slices.map(|comment| comment.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    comments.sort();
    comments
}

/// What may be said of any text at all.
fn behaves(text: &str) {
    let (tree, diagnostics) = parse(text);
    assert!(diagnostics.len() <= MOST_ERRORS + 1);
    for one in &diagnostics {
        assert!(!one.labels.is_empty() && !one.message.is_empty());
        assert_eq!(one.severity, Severity::Error);
        for label in &one.labels {
            assert!(label.span.start <= label.span.end, "{one:?}");
            assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{one:?}");
        }
        one.describe(text);
    }
    let mut end = 0;
    for statement in &tree.statements {
        assert!(end <= statement.span.start && statement.span.start < statement.span.end);
        end = statement.span.end;
        assert!(text.get(statement.span.start as usize..end as usize).is_some());
    }
    match format(text) {
        Ok(formatted) => {
            assert!(diagnostics.is_empty());
            keeps(text, &tree, &formatted);
        }
        Err(said) => assert_eq!(said, diagnostics),
    }
}

/// Trees are the same but for places.
#[track_caller]
fn alike(found: &[Spanned<Statement>], expected: &[Spanned<Statement>], text: &str) {
    let (found, expected) = (bare(&found), bare(&expected));
    if found != expected {
        let at = found.bytes().zip(expected.bytes()).position(|(a, b)| a != b).unwrap_or(0);
        let around = |tree: &str| {
            String::from_utf8_lossy(&tree.as_bytes()[at.saturating_sub(150)..(at + 150).min(tree.len())])
                .into_owned()
        };
        panic!("found    {}\nexpected {}\nin {text}", around(&found), around(&expected));
    }
}

/// A formatted text says the same, and is not changed when formatted again.
fn keeps(text: &str, tree: &Tree, formatted: &str) {
    let (again, diagnostics) = parse(formatted);
    assert!(diagnostics.is_empty(), "{text}\nbecame\n{formatted}\n{diagnostics:?}");
    alike(&again.statements, &tree.statements, &format!("{text}\nbecame\n{formatted}"));
    assert_eq!(comments(formatted, &again), comments(text, tree), "{text}\nbecame\n{formatted}");
    let twice = format(formatted).expect("it was read before");
    assert_eq!(twice, formatted, "from\n{text}");
}

/// The texts of all files, and pieces of them.
fn corpus() -> Vec<String> {
    let folders = ["tests/ok", "tests/err", "examples"];
    folders.into_iter().flat_map(files).map(|(_, text)| text).collect()
}

fn same(statements: &[Spanned<Statement>], text: &str) -> Tree {
    let (tree, diagnostics) = parse(text);
    let said: Vec<String> = diagnostics.iter().map(|one| one.describe(text)).collect();
    assert!(said.is_empty(), "{text}\n{said:?}");
    alike(&tree.statements, statements, text);
    places(&tree, text);
    tree
}

/// What stands at the place of an expression is that expression.
fn places(tree: &Tree, text: &str) {
    visit::expressions(&tree.statements, &mut |one| {
        let slice = &text[one.span.start as usize..one.span.end as usize];
        assert_eq!(slice.trim(), slice);
        // Only targets have these.
        if bare(one).contains("Blank") {
            return;
        }
        let (again, diagnostics) = parse(&format!("$x = {slice};"));
        assert!(diagnostics.is_empty(), "{slice} in {text}");
        let [Spanned { value: Statement::Definition { value, .. }, .. }] = again.statements.as_slice() else {
            panic!("{slice} in {text}");
        };
        assert_eq!(bare(value), bare(one), "{slice} in {text}");
    });
}

#[test]
fn places_of_the_corpus() {
    for text in corpus() {
        places(&parse(&text).0, &text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What was written is what is read, however it was written.
    #[test]
    fn written_trees_are_read(statements in programme(), seed: u64) {
        same(&statements, &Scribe::write(&statements, seed, false));
    }

    #[test]
    fn formatting_keeps_trees_and_comments(statements in programme(), seed: u64) {
        let text = Scribe::write(&statements, seed, true);
        let tree = same(&statements, &text);
        let formatted = format(&text).expect("it was read before");
        keeps(&text, &tree, &formatted);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        behaves(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_characters(text in "\\PC{0,100}") {
        behaves(&text);
    }

    /// Words and signs of the language in any order.
    #[test]
    fn any_tokens(words in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        behaves(&words.concat());
    }

    /// Sound texts with mistakes in them.
    #[test]
    fn mutated_texts(
        index: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, prop::sample::select(TOKENS)), 1..5),
    ) {
        let corpus = corpus();
        let mut text = index.get(&corpus).clone();
        for (place, kind, token) in changes {
            let mut at = place.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let length = text[at..].chars().next().map_or(0, char::len_utf8);
            match kind {
                0 => text.replace_range(at..at + length, ""),
                1 => text.insert_str(at, token),
                2 => text.replace_range(at..at + length, token),
                _ => text.truncate(at),
            }
        }
        behaves(&text);
    }

    /// One token less is a few errors, not one for each line that follows; most often one.
    #[test]
    fn a_missing_token_stays_where_it_is(statements in programme(), place: prop::sample::Index) {
        let text = format(&Scribe::write(&statements, 1, false)).expect("random trees are sound");
        let signs: Vec<usize> = text.match_indices([';', '(', ')', '}', '{', ',']).map(|(at, _)| at).collect();
        if !signs.is_empty() {
            let mut text = text.clone();
            let sign = text.remove(*place.get(&signs));
            behaves(&text);
            let most = if matches!(sign, '{' | '}') { 12 } else { 5 };
            let said = parse(&text).1;
            prop_assert!(said.len() <= most, "without a {sign}: {text}\n{said:?}");
        }
    }
}

const TOKENS: &[&str] = &[
    "namespace ",
    "import ",
    "export ",
    "to ",
    "for ",
    "in ",
    "if ",
    "else ",
    "include ",
    "resource ",
    "template ",
    "network ",
    "switch ",
    "link ",
    "route ",
    "via ",
    "def ",
    "minimise ",
    "soft ",
    "all ",
    "vms ",
    "nodes ",
    "running on ",
    "ready",
    "spread",
    "VM",
    "VM1",
    "@n",
    "@n1",
    "$x",
    "$R",
    "vm\"a\"",
    "@\"b\"",
    "\"text\"",
    "\"",
    "1",
    "0x1f",
    "08",
    "1.5",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ">>",
    ";",
    ";\n",
    ",",
    ":",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "!",
    "#",
    "&&",
    "||",
    "|",
    "..",
    ".",
    "_",
    " ",
    "\n",
    "\r\n",
    "\t",
    "//",
    "/*",
    "*/",
    "\\",
    "é",
    "“",
    "”",
    "\u{feff}",
    "\0",
];

//! Texts that are large, deep, long or odd.

use quadrille_dsl::DEEPEST;
use quadrille_dsl::Expression;
use quadrille_dsl::LARGEST;
use quadrille_dsl::LONGEST;
use quadrille_dsl::MOST_ERRORS;
use quadrille_dsl::Statement;
use quadrille_dsl::format;
use quadrille_dsl::parse;

fn codes(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<&str> = parse(text).1.iter().map(|one| one.code).collect();
    codes.dedup();
    codes
}

#[test]
fn many_statements() {
    let text = "spread({VM1, VM2});\n".repeat(100_000);
    let (tree, diagnostics) = parse(&text);
    assert_eq!((tree.statements.len(), diagnostics.len()), (100_000, 0));
    let last = tree.statements.last().map(|one| (one.span.start as usize, one.span.end as usize));
    assert_eq!(last, Some((text.len() - 20, text.len() - 1)));
    assert_eq!(format(&text).as_ref(), Ok(&text));
}

#[test]
fn one_long_line() {
    let members: Vec<String> = (0..100_000).map(|n| format!("VM{n}")).collect();
    let (tree, diagnostics) = parse(&format!("a(); $x = {{{}}}; b();", members.join(",")));
    assert_eq!(diagnostics, []);
    let Statement::Definition { value, .. } = &tree.statements[1].value else { panic!("a definition") };
    assert!(matches!(&value.value, Expression::Set(members) if members.len() == 100_000));
    let (tree, diagnostics) = parse(&"a();b(c);".repeat(50_000));
    assert_eq!((tree.statements.len(), diagnostics.len()), (100_000, 0));
}

/// Each of these took time or stack that grows faster than the text in some way of reading it.
#[test]
fn hostile_shapes() {
    let size = 1 << 20;
    let shapes = [
        "(",
        "{",
        "[",
        "f(",
        "VM[",
        "$x = {",
        "if {",
        "if a {",
        "for $x in {",
        "a {",
        "def f() {",
        "else ",
        "else if a {}",
        "if a {} else ",
        "/*",
        "/* */",
        "//\n",
        "\"",
        "\"\\",
        "'",
        "“",
        "a ",
        "a\n",
        "a.",
        "-",
        "-a",
        "- ",
        "+1",
        "1 + ",
        "!",
        "^2",
        "a::",
        "1..",
        "@a-",
        "$a.",
        "a,",
        "}",
        ")",
        "]",
        "[)",
        "{]",
        ";",
        "a;",
        "a();",
        ">>",
        "é",
        "\u{0}",
        "\r",
        "\t",
        "\u{feff}",
        "all vms ",
        "all vms in ",
        "soft ",
        "VM[1]-a",
        "VM[1] ",
        "f(a\n",
        "f(\n",
        "x : t\n",
        "$x = 1\n",
        "\"a\"",
        "_",
        "{_,",
        "resource a\n",
        "minimise a + ",
        "a(\"",
        "\\",
        "<a=1",
        "for ",
        "in ",
    ];
    for shape in shapes {
        for before in ["", "$x = ", "f(", "if "] {
            let text = format!("{before}{}", shape.repeat(size / shape.len() / 4));
            let (_, diagnostics) = parse(&text);
            assert!(diagnostics.len() <= MOST_ERRORS + 1, "{before}{shape}");
            let _ = format(&text);
        }
    }
}

#[test]
fn errors_come_to_an_end() {
    let (tree, diagnostics) = parse(&"a(;\n".repeat(1000));
    assert_eq!((tree.statements.len(), diagnostics.len()), (0, MOST_ERRORS + 1));
    assert_eq!(diagnostics.last().map(|one| one.code), Some("E0604"));
}

#[test]
fn large_files() {
    let text = " ".repeat(LARGEST);
    assert_eq!(parse(&text).1, []);
    assert_eq!(codes(&(text + " ")), ["E0602"]);
    let long = format!("$x = {{{}}}; a();", vec!["a"; LONGEST / 2].join(","));
    assert_eq!(codes(&long), ["E0603"]);
    assert_eq!(parse(&long).0.statements.len(), 1);
    // Formatting is not to make a file too large to be read.
    let deep =
        format!("{}{}{}", "if 1 {".repeat(DEEPEST - 1), "a();".repeat(100_000), "}".repeat(DEEPEST - 1));
    assert_eq!(parse(&deep).1, []);
    assert_eq!(format(&deep).expect_err("it would be large")[0].code, "E0602");
}

#[test]
fn odd_characters() {
    for text in [
        "\u{feff}a();",
        "\u{feff}#! x\na();",
        "#!a\r\na();\r\n",
        "a();\r",
        "\r\na();",
        "a(\"\u{0}\");",
        "a();//\u{0}",
    ] {
        assert_eq!(parse(text).1, [], "{text:?}");
        assert_eq!(parse(text).0.statements.len(), 1, "{text:?}");
    }
    for text in
        ["a();\u{feff}b();", "a\u{0}();", "a(\u{2028});", "#a\n", " #!a\n", "a(é);", "a(日", "😀", "a😀();"]
    {
        let (_, diagnostics) = parse(text);
        assert_eq!(diagnostics.len(), 1, "{text:?} {diagnostics:?}");
        for label in &diagnostics[0].labels {
            assert!(
                text.get(label.span.start as usize..label.span.end as usize).is_some(),
                "{text:?} {label:?}"
            );
        }
    }
}

#[test]
fn every_prefix_of_a_programme() {
    for (_, text) in crate::corpus::files("tests/ok") {
        for (end, _) in text.char_indices().step_by(7) {
            let (_, diagnostics) = parse(&text[..end]);
            assert!(diagnostics.len() <= 2, "{}\n{diagnostics:?}", &text[..end]);
        }
    }
}

/// Every code that this crate gives is seen to be given.
#[test]
fn codes_in_use() {
    let mut found: Vec<&str> = Vec::new();
    for (_, text) in crate::corpus::files("tests/err") {
        found.extend(codes(&text));
    }
    found.extend(codes(&" ".repeat(LARGEST + 1)));
    found.extend(codes(&"a,".repeat(LONGEST)));
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["E0001", "E0002", "E0003", "E0601", "E0602", "E0603", "E0604"]);
}

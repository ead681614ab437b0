//! Text in, tree or diagnostics out.

use quadrille_dsl::Diagnostic;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Statement;
use quadrille_dsl::parse;

/// The arguments of the only statement of a text, which must be a sound constraint.
#[track_caller]
fn arguments(text: &str) -> Vec<Expression> {
    let (tree, diagnostics) = parse(text);
    assert_eq!(diagnostics, [], "{text}");
    let [statement] = tree.statements.as_slice() else { panic!("one statement in {text}: {tree:?}") };
    let Statement::Constraint { arguments, .. } = &statement.value else { panic!("a constraint: {tree:?}") };
    arguments.iter().map(|argument| argument.value.clone()).collect()
}

#[track_caller]
fn complaints(text: &str) -> (usize, Vec<String>) {
    let (tree, diagnostics) = parse(text);
    let described = diagnostics.iter().map(|one: &Diagnostic| one.describe(text)).collect();
    (tree.statements.len(), described)
}

fn name(text: &str) -> Expression {
    Expression::Name(text.to_owned())
}

#[test]
fn statements_of_every_form() {
    let text = "\u{FEFF}namespace shop.front; // the web shop\nimport racks;\nimport base.*;\n\
                /* VMs */ spread({VM1, VM2});\n>> ban ( VM1 , {@n1} ) ;";
    let (tree, diagnostics) = parse(text);
    assert_eq!(diagnostics, []);
    let kinds: Vec<String> = tree
        .statements
        .iter()
        .map(|statement| match &statement.value {
            Statement::Namespace(path) => format!("namespace {}", path.value),
            Statement::Import { path, all } => format!("import {} {all}", path.value),
            Statement::Constraint { discrete, name, arguments } => {
                assert_eq!(&text[name.span.start..name.span.end], name.value);
                format!("{} {discrete} {}", name.value, arguments.len())
            }
        })
        .collect();
    assert_eq!(
        kinds,
        ["namespace shop.front", "import racks false", "import base true", "spread false 1", "ban true 2"]
    );
    let last = tree.statements.last().map(|statement| &text[statement.span.start..statement.span.end]);
    assert_eq!(last, Some(">> ban ( VM1 , {@n1} ) ;"));
}

#[test]
fn values_of_every_form() {
    assert_eq!(
        arguments(r#"f(VM1, a.VM2, @n1.x, $x, 12, -3, 0x1F, 007, 1.50, "a \"b\" \\ \n", {});"#),
        [
            name("VM1"),
            name("a.VM2"),
            Expression::Node("n1.x".to_owned()),
            Expression::Variable("x".to_owned()),
            Expression::Number("12".to_owned()),
            Expression::Number("-3".to_owned()),
            Expression::Number("0x1F".to_owned()),
            Expression::Number("007".to_owned()),
            Expression::Number("1.50".to_owned()),
            Expression::Text("a \"b\" \\ \n".to_owned()),
            Expression::Set(Vec::new()),
        ]
    );
    let nested = arguments("f({{a}, {b, c}});");
    let [Expression::Set(sets)] = nested.as_slice() else { panic!("a set: {nested:?}") };
    let sizes: Vec<usize> = sets
        .iter()
        .map(|set| match &set.value {
            Expression::Set(members) => members.len(),
            other => panic!("a set: {other:?}"),
        })
        .collect();
    assert_eq!(sizes, [1, 2]);
    assert_eq!(arguments("now();"), []);
    assert_eq!(arguments("namespaces(importance);"), [name("importance")]);
}

#[test]
fn enumerations_and_ranges() {
    let read = arguments("f(VM[1..4, 7, front, \"back\", $i], @n[0x1..0xc].rack, $R[1..3]);");
    let shape: Vec<(String, usize, String)> = read
        .iter()
        .map(|expression| match expression {
            Expression::Enumeration { head, elements, tail } => (head.clone(), elements.len(), tail.clone()),
            other => panic!("an enumeration: {other:?}"),
        })
        .collect();
    let expected = [("VM", 5, ""), ("@n", 1, ".rack"), ("$R", 1, "")];
    assert_eq!(shape, expected.map(|(head, count, tail)| (head.to_owned(), count, tail.to_owned())));
    let Some(Expression::Enumeration { elements, .. }) = read.first() else { panic!("{read:?}") };
    assert_eq!(elements[0].value, Element::Range("1".to_owned(), "4".to_owned()));
    assert_eq!(elements[2].value, Element::One(name("front")));
}

#[test]
fn a_broken_statement_does_not_hide_the_others() {
    let (count, said) = complaints("spread({VM1 VM2});\nban(VM1, );\nlonely({VM3});\nroot VM4;\nfence(VM5)");
    assert_eq!(count, 1);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].starts_with("1:13: "), "{said:?}");
    assert!(said[1].starts_with("2:10: expected"), "{said:?}");
    assert!(said[2].starts_with("4:6: "), "{said:?}");
    assert_eq!(said[3], "5:11: expected `;` at the end");
}

#[test]
fn what_is_not_closed() {
    let (count, said) = complaints("f(\"a);\nroot(VM1);");
    assert_eq!(
        (count, said),
        (0, vec!["1:3: this text is not closed; expected `\"` in the same line".to_owned()])
    );
    let (count, said) = complaints("root(VM1); /* to do");
    assert_eq!((count, said), (1, vec!["1:12: this comment is not closed; expected `*/`".to_owned()]));
    let (_, said) = complaints("f(\"\\");
    assert_eq!(said.len(), 1);
}

#[test]
fn semicolons_in_texts_and_comments_end_nothing() {
    assert_eq!(arguments("f(\"a;b\" /* ; */ // ;\n);"), [Expression::Text("a;b".to_owned())]);
}

#[test]
fn hostile_texts() {
    let deep = format!("f({}{});", "{".repeat(100_000), "}".repeat(100_000));
    let (count, said) = complaints(&deep);
    assert_eq!((count, said.len()), (0, 1));
    assert!(said[0].contains("nest too deeply"), "{said:?}");
    let bearable = format!("f({}{});", "{".repeat(60), "}".repeat(60));
    assert_eq!(complaints(&bearable).1, Vec::<String>::new());
    for text in [
        "", " \n", ";", ";;;", "é", "f(é);", "\u{0}", "/", "\"", "\"\\é", "{[(", ")", "@", "$", "f(1a);",
        "f(1..2);",
    ] {
        let (tree, _) = parse(text);
        assert!(tree.statements.is_empty(), "{text}");
    }
    let many = "spread({VM1, VM2});\n".repeat(20_000);
    assert_eq!(parse(&many).0.statements.len(), 20_000);
}

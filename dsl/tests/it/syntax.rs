//! Small texts and what becomes of them.

use quadrille_dsl::Binary;
use quadrille_dsl::DEEPEST;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Element;
use quadrille_dsl::Expression;
use quadrille_dsl::Number;
use quadrille_dsl::Spanned;
use quadrille_dsl::Statement;
use quadrille_dsl::TALLEST;
use quadrille_dsl::Unary;
use quadrille_dsl::parse;

/// The arguments of the only statement of a text, which must be a sound constraint.
#[track_caller]
fn arguments(text: &str) -> Vec<Expression> {
    let (tree, diagnostics) = parse(text);
    assert_eq!(diagnostics, [], "{text}");
    let [statement] = tree.statements.as_slice() else { panic!("one statement in {text}: {tree:?}") };
    let Statement::Rule { arguments, .. } = &statement.value else { panic!("a constraint: {tree:?}") };
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

/// An expression with all its parentheses and without places.
fn shape(expression: &Expression) -> String {
    let inner = |one: &Spanned<Expression>| shape(&one.value);
    match expression {
        Expression::Number(Number::Integer(value, _)) => value.to_string(),
        Expression::Number(Number::Float(value)) => value.to_string(),
        Expression::Variable(name) => format!("${name}"),
        Expression::Name(name) => name.clone(),
        Expression::Parentheses(one) => inner(one),
        Expression::Unary(Unary::Negate, one) => format!("(-{})", inner(one)),
        Expression::Unary(Unary::Not, one) => format!("(!{})", inner(one)),
        Expression::Unary(Unary::Count, one) => format!("(#{})", inner(one)),
        Expression::Binary(left, operator, right) => {
            format!("({}{}{})", inner(left), operator.value.sign(), inner(right))
        }
        other => panic!("{other:?}"),
    }
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
            Statement::Rule { discrete, name, arguments, .. } => {
                assert_eq!(&text[name.span.start as usize..name.span.end as usize], name.value);
                format!("{} {} {}", name.value, discrete.is_some(), arguments.len())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        ["namespace shop.front", "import racks false", "import base true", "spread false 1", "ban true 2"]
    );
    let last = tree.statements.last().map(|one| &text[one.span.start as usize..one.span.end as usize]);
    assert_eq!(last, Some(">> ban ( VM1 , {@n1} ) ;"));
    let comments: Vec<&str> =
        tree.comments.iter().map(|one| &text[one.span.start as usize..one.span.end as usize]).collect();
    assert_eq!(comments, ["// the web shop", "/* VMs */"]);
}

#[test]
fn values_of_every_form() {
    let integer = |value, base| Expression::Number(Number::Integer(value, base));
    assert_eq!(
        arguments(
            r#"f(VM1, a.VM2, @n1.x, $x.y, 12, 0x1F, 007, 1.50, "a \"b\" \\ \n", {}, vm"db 1", @"n 1");"#
        ),
        [
            name("VM1"),
            name("a.VM2"),
            Expression::Node("n1.x".to_owned()),
            Expression::Variable("x.y".to_owned()),
            integer(12, 10),
            integer(31, 16),
            integer(7, 8),
            Expression::Number(Number::Float(1.5)),
            Expression::Text("a \"b\" \\ \n".to_owned()),
            Expression::Set(Vec::new()),
            Expression::QuotedName("db 1".to_owned()),
            Expression::Node("n 1".to_owned()),
        ]
    );
    assert_eq!(arguments("now();"), []);
    assert_eq!(arguments("namespaces(importance, in.to);"), [name("importance"), name("in.to")]);
}

#[test]
fn operators_bind_as_they_should() {
    for (text, expected) in [
        ("-2^2", "(-(2^2))"),
        ("10 - 3 - 2", "((10-3)-2)"),
        ("1 < 2 == 1", "((1<2)==1)"),
        ("$a || $b && $c", "(($a||$b)&&$c)"),
        ("1 + 2 * 3 ^ 4 % 5", "(1+((2*(3^4))%5))"),
        ("-#$a * !$b", "((-(#$a))*(!$b))"),
        ("#$a>4&&#$b==2", "(((#$a)>4)&&((#$b)==2))"),
        ("(1 + 2) * -3", "((1+2)*(-3))"),
        ("$a-$b", "($a-$b)"),
        ("a.b - c", "(a.b-c)"),
    ] {
        let [read] = arguments(&format!("f({text});")).try_into().expect("one argument");
        assert_eq!(shape(&read), expected, "{text}");
    }
}

#[test]
fn enumerations_and_ranges() {
    let read =
        arguments("f(VM[1..4, 7, front, \"back\", $i + 1], @n[0x1..0xc].rack, $R[1..3], @b[1..2]-c.x);");
    let shape: Vec<(String, usize, String)> = read
        .iter()
        .map(|expression| match expression {
            Expression::Enumeration { head, elements, tail, .. } => {
                (head.clone(), elements.len(), tail.clone())
            }
            other => panic!("an enumeration: {other:?}"),
        })
        .collect();
    let expected = [("VM", 5, ""), ("n", 1, ".rack"), ("R", 1, ""), ("b", 1, "-c.x")];
    assert_eq!(shape, expected.map(|(head, count, tail)| (head.to_owned(), count, tail.to_owned())));
    let Some(Expression::Enumeration { elements, .. }) = read.first() else { panic!("{read:?}") };
    assert!(matches!(elements[0].value, Element::Range(..)));
    assert_eq!(elements[2].value, Element::One(name("front")));
    // A minus before the head of another enumeration is the difference.
    for text in ["f(VM[1..4]-VM[2..3]);", "f(VM[1..4] - VM[2..3]);", "f(@n[1]-@m[1]);", "f(VM[1]-$x);"] {
        assert!(matches!(arguments(text).as_slice(), [Expression::Binary(..)]), "{text}");
    }
}

#[test]
fn contextual_words_are_names_elsewhere() {
    for text in [
        "resource", "template", "def", "include", "minimise", "soft", "all", "on", "vm", "vms", "by",
        "network", "switch", "link", "route", "via",
    ] {
        for statement in [
            format!("{text} : small;"),
            format!("{text}[1..2] : small;"),
            format!("{text}({text});"),
            format!("{text} = 1;"),
        ] {
            let (count, said) = complaints(&statement);
            assert_eq!((count, said), (1, Vec::new()), "{statement}");
        }
    }
}

#[test]
fn a_broken_statement_does_not_hide_the_others() {
    let (count, said) = complaints("spread({VM1 VM2});\nban(VM1, );\nlonely({VM3});\nroot VM4;\nfence(VM5)");
    assert_eq!(count, 2);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].starts_with("1:13: expected `,`"), "{said:?}");
    assert!(said[1].starts_with("2:10: expected a value"), "{said:?}");
    assert!(said[2].starts_with("4:1: expected `(` after `root`"), "{said:?}");
    assert_eq!(said[3], "5:11: expected `;`, found the end of the file");
}

#[test]
fn nor_within_a_block() {
    let text = "for $x in $s {\n  a(1;\n  b(2);\n  if $y { c(3) d(4); }\n  e(5;\n}\nf(6);\n";
    let (tree, diagnostics) = parse(text);
    let said: Vec<String> = diagnostics.iter().map(|one| one.describe(text)).collect();
    assert_eq!(
        said,
        ["2:6: expected `)`, found `;`", "4:15: expected `;`, found `d`", "5:6: expected `)`, found `;`"]
    );
    assert_eq!(tree.statements.len(), 2);
    let Statement::For { body, .. } = &tree.statements[0].value else { panic!("{tree:?}") };
    assert_eq!(body.statements.len(), 2);
    let Statement::If { then, .. } = &body.statements[1].value else { panic!("{body:?}") };
    assert_eq!(then.statements.len(), 2);
}

#[test]
fn what_is_lost_is_noted() {
    let (tree, diagnostics) = parse("$x = ;\nVM[1..2] : small<;\n{$a, _} = 1 +;\ndef f($a) = ;\nspread(;");
    assert_eq!(diagnostics.len(), 5);
    assert_eq!(tree.lost.len(), 4);
    assert_eq!(tree.lost[0].value, Expression::Variable("x".to_owned()));
    assert_eq!(tree.lost[3].value, name("f"));
}

#[test]
fn what_is_not_closed() {
    let (count, said) = complaints("f(\"a);\nroot(VM1);");
    assert_eq!((count, said), (1, vec!["1:3: this text is not closed".to_owned()]));
    let (count, said) = complaints("root(VM1); /* to do");
    assert_eq!((count, said), (1, vec!["1:12: this comment is never closed".to_owned()]));
    let (_, said) = complaints("f(\"\\");
    assert_eq!(said.len(), 1);
    let (count, said) = complaints("a();\nfor $x in $y {\n  b();\n");
    assert_eq!((count, said), (2, vec!["2:14: this `{` is never closed".to_owned()]));
}

#[test]
fn semicolons_in_texts_and_comments_end_nothing() {
    assert_eq!(arguments("f(\"a;b\" /* ; /* ; */ ; */ // ;\n);"), [Expression::Text("a;b".to_owned())]);
}

#[test]
fn hostile_texts() {
    let deep = format!("f({}{});", "{".repeat(100_000), "}".repeat(100_000));
    let (count, said) = complaints(&deep);
    assert_eq!((count, said.len()), (0, 1));
    assert!(said[0].contains("nest more than"), "{said:?}");
    for (open, close) in ["{}", "()", "f()", "VM[]"].map(|pair| pair.split_at(pair.len() - 1)) {
        let depth = DEEPEST - 1;
        let bearable = format!("f({}1{});", open.repeat(depth), close.repeat(depth));
        assert_eq!(complaints(&bearable).1, Vec::<String>::new());
    }
    let blocks = format!("{}{}", "for $x in $y {".repeat(DEEPEST), "}".repeat(DEEPEST));
    assert_eq!(complaints(&blocks), (1, Vec::new()));
    let blocks = format!("{}{} a();", "if $y {".repeat(DEEPEST + 1), "}".repeat(DEEPEST + 1));
    let (count, said) = complaints(&blocks);
    assert_eq!((count, said.len()), (2, 1), "{said:?}");
    let chain = format!("if $y {{}}{}", " else if $y {}".repeat(DEEPEST - 1));
    assert_eq!(complaints(&chain), (1, Vec::new()));
    let chain = format!("if $y {{}}{} else {{}} a();", " else if $y {}".repeat(DEEPEST + 1));
    let (count, said) = complaints(&chain);
    assert_eq!((count, said.len()), (2, 1), "{said:?}");
    let sum = format!("$x = 1{};", "+1".repeat(TALLEST - 1));
    assert_eq!(complaints(&sum), (1, Vec::new()));
    let sum = format!("$x = 1{};", "+1".repeat(100_000));
    assert_eq!(complaints(&sum).1.len(), 1);
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

#[test]
fn quoted_heads_of_enumerations() {
    for (text, head) in [(r#"f(vm"vm#"[1..3].x);"#, "vm#"), (r#"f(@"node #"[1..3].x);"#, "node #")] {
        let found = arguments(text);
        let [Expression::Enumeration { head: found, elements, tail, .. }] = found.as_slice() else {
            panic!("{text}: {found:?}");
        };
        assert_eq!((found.as_str(), elements.len(), tail.as_str()), (head, 1, ".x"), "{text}");
    }
    let (tree, diagnostics) = parse(r#"{vm"a b"[1, 2], @"c d"[1]} : small; $x = vm"a b"[1..2] + vm"x";"#);
    assert_eq!((tree.statements.len(), diagnostics), (2, vec![]));
    assert!(!parse(r#"f(vm"a" [1]);"#).1.is_empty());
}

#[test]
fn quoted_names_of_resources_and_options() {
    let (tree, diagnostics) = parse(r#"resource cpu, "storage-cache"; A : small<"storage-cache"=1, "é">;"#);
    assert_eq!(diagnostics, []);
    let [resources, declaration] = tree.statements.as_slice() else { panic!("{tree:?}") };
    let Statement::Resource(words) = &resources.value else { panic!("{tree:?}") };
    let Statement::Declaration { options, .. } = &declaration.value else { panic!("{tree:?}") };
    let words: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
    let options: Vec<&str> = options.iter().map(|option| option.value.name.value.as_str()).collect();
    assert_eq!((words, options), (vec!["cpu", "storage-cache"], vec!["storage-cache", "é"]));
}

#[test]
fn operators_are_written_by_their_signs() {
    let signs = [
        (Binary::Or, "||"),
        (Binary::And, "&&"),
        (Binary::Equal, "=="),
        (Binary::Unequal, "!="),
        (Binary::Less, "<"),
        (Binary::AtMost, "<="),
        (Binary::Greater, ">"),
        (Binary::AtLeast, ">="),
        (Binary::Plus, "+"),
        (Binary::Minus, "-"),
        (Binary::Times, "*"),
        (Binary::Divide, "/"),
        (Binary::Modulo, "%"),
        (Binary::Power, "^"),
    ];
    for (operator, sign) in signs {
        assert_eq!(operator.sign(), sign);
        let (tree, diagnostics) = parse(&format!("if ($a {sign} $b) {{ }}"));
        assert_eq!(diagnostics, [], "{sign}");
        let read = format!("{:?}", tree.statements);
        assert!(read.contains(&format!("value: {operator:?},")), "{sign}: {read}");
    }
}

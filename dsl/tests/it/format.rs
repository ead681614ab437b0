//! How formatted texts look.

use quadrille_dsl::format;

#[track_caller]
fn becomes(text: &str, expected: &str) {
    let formatted = format(text).unwrap_or_else(|said| panic!("{text}\n{said:?}"));
    assert_eq!(formatted, expected, "\n{formatted}\ninstead of\n{expected}");
    assert_eq!(format(&formatted).as_deref(), Ok(expected));
}

#[test]
fn blanks_go_where_they_belong() {
    becomes("namespace  a.b ;import\tc.* ;", "namespace a.b;\nimport c.*;\n");
    becomes(">> ban ( {VM1,VM2} ,@n1 )soft   10 ;", ">>ban({VM1, VM2}, @n1) soft 10;\n");
    becomes("$x=-1+#$a*2 ^3;$x  +=  !$b;", "$x = -1 + #$a * 2^3;\n$x += !$b;\n");
    becomes(
        "VM[1 .. 3,$i+1 .. 7,x]:small<a = 1,b>ready;",
        "VM[1..3, $i + 1 .. 7, x] : small<a=1, b> ready;\n",
    );
    becomes("minimize a+2 * b,c;", "minimise a + 2*b, c;\n");
    becomes("for $x in $y{}if 1{}else{}", "for $x in $y {}\nif 1 {} else {}\n");
    becomes("", "");
    becomes("\n\n  ", "");
}

#[test]
fn what_was_written_stays_written() {
    // Numbers and texts are not made pretty.
    becomes(
        "f(007,0x1F,1.50,\"a\\'b\", @\"n1\", vm\"x\");",
        "f(007, 0x1F, 1.50, \"a\\'b\", @\"n1\", vm\"x\");\n",
    );
    becomes(
        "if $a { b(); } else { if $c { d(); } }",
        "if $a {\n    b();\n} else {\n    if $c {\n        d();\n    }\n}\n",
    );
    becomes("if $a { b(); } else if $c { d(); }", "if $a {\n    b();\n} else if $c {\n    d();\n}\n");
}

#[test]
fn comments_stay_where_they_are() {
    becomes(
        "#!/usr/bin/quadrille\n// a\n\n\n\n// b\na(); // c\n\n\n/* d */ /* e */\nb();//f",
        "#!/usr/bin/quadrille\n// a\n\n// b\na(); // c\n\n/* d */ /* e */\nb(); //f\n",
    );
    becomes(
        "{VM1,//first\nVM2\n//own\n,VM3}:t;",
        "{\n    VM1, //first\n    VM2,\n    //own\n    VM3\n} : t;\n",
    );
    becomes(
        "for $x in $y { // all\n// one\na();\n\n// last\n}",
        "for $x in $y { // all\n    // one\n    a();\n\n    // last\n}\n",
    );
    becomes("a(/* left */ 1 /* right */, 2);", "a(/* left */ 1 /* right */, 2);\n");
    becomes("if 1 {} // why\nelse {}", "if 1 {} else {\n    // why\n}\n");
    // Where no line may end, a comment goes above.
    becomes("$x = // why\n1;", "// why\n$x = 1;\n");
}

#[test]
fn long_lines_are_broken_at_commas() {
    let names = |from: usize, to: usize| {
        (from..to).map(|n| format!("virtual_machine_{n:03}")).collect::<Vec<_>>().join(", ")
    };
    becomes(
        &format!("spread({{{}}});", names(0, 6)),
        &format!("spread({{\n    {},\n    {}\n}});\n", names(0, 4), names(4, 6)),
    );
    becomes(
        &format!("among({{{}}}, {{{}}});", names(0, 2), names(2, 5)),
        &format!("among(\n    {{{}}},\n    {{{}}}\n);\n", names(0, 2), names(2, 5)),
    );
    // A line of exactly a hundred characters fits.
    let value = "x".repeat(100 - "$x = ;".len());
    becomes(&format!("$x={value};"), &format!("$x = {value};\n"));
    let rest = "x".repeat(100 - "f({a, });".len());
    becomes(&format!("f({{a,{rest}}});"), &format!("f({{a, {rest}}});\n"));
    becomes(&format!("f({{a,{rest}y}});"), &format!("f({{\n    a, {rest}y\n}});\n"));
}

#[test]
fn many_short_members_fill_their_lines() {
    let members: Vec<String> = (0..1000).map(|n| format!("VM{n}")).collect();
    let formatted = format(&format!("for $x in {{{}}} {{ a(); }}", members.join(","))).expect("it is sound");
    let lengths: Vec<usize> = formatted.lines().map(str::len).collect();
    assert!(lengths.iter().all(|&length| length <= 100), "{formatted}");
    assert!(lengths[1..lengths.len() - 4].iter().all(|&length| length > 90), "{formatted}");
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    becomes("a();\r\nb(); // c\r\n/* d\r\n e */\r\n", "a();\r\nb(); // c\r\n/* d\r\n e */\r\n");
    becomes("\u{FEFF}a();\nb();\r\n", "a();\nb();\n");
}

#[test]
fn faulty_texts_are_left_alone() {
    let said = format("a(;\nb(1;").expect_err("it has two errors");
    assert_eq!(said.len(), 2);
}

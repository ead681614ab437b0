//! The language of rule files: what BtrPlace's tests of it ask for, and where it differs.

use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Status;
use quadrille::constraint::Argument;
use quadrille::constraint::Restriction;
use quadrille::constraint::Strength;
use quadrille::model::Place;
use quadrille::model::Value;
use quadrille::script::Built;
use quadrille::script::Diagnostic;
use quadrille::script::Memory;
use quadrille::script::Program;

/// Applies scripts; the first is the one that is asked for.
pub(crate) fn apply(files: &[(&str, &str)], base: Option<Instance>) -> Result<Built, Vec<Diagnostic>> {
    let memory = files.iter().fold(Memory::default(), |memory, (path, text)| memory.with(*path, *text));
    Program::load(&[files[0].0.into()], &[], &memory).apply(base)
}

#[track_caller]
pub(crate) fn built(text: &str) -> Built {
    match apply(&[("foo.btrp", text)], None) {
        Ok(built) => built,
        Err(diagnostics) => panic!("{text}\n{}", told(&diagnostics).join("\n")),
    }
}

pub(crate) fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message)).collect()
}

/// The codes of all diagnostics.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    let diagnostics = match apply(&[("foo.btrp", text)], None) {
        Ok(built) => built.warnings,
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// With 20 VMs and 20 nodes.
pub(crate) fn with_elements(text: &str) -> String {
    format!("resource cpu; VM[1..20] : small; @N[1..20] : node;\n{text}")
}

/// Is the condition true?
#[track_caller]
fn is_true(condition: &str) -> bool {
    let text = with_elements(&format!("$result = 0; if {condition} {{ root(VM1); }}"));
    built(&text).instance.constraints().len() == 1
}

#[track_caller]
fn assert_true(conditions: &[&str]) {
    for condition in conditions {
        assert!(is_true(condition), "{condition}");
    }
}

#[test]
fn numbers() {
    assert_true(&[
        "7 / 2 == 3",
        "-7 / 2 == -3",
        "7 % 4 == 3",
        "10 - 3 - 2 == 5",
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "-2 ^ 2 == -4",
        "2 ^ 10 == 1024",
        "077 == 63",
        "0xFF == 255",
        "1.5 + 1 == 2.5",
        "3 == 9 ^ 0.5",
        "1 < 2 == 1",
        "7 / 2.0 == 3.5",
        "1 <= 1 && 2 >= 3 || 1",
        "\"\" + (0xf + 2) == \"11\"",
        "\"\" + (1 + 0xf) == \"16\"",
        "!(1 == 2)",
        "!0 == 1",
    ]);
    let result =
        built("VM1 : t; $x = 5; $x += 3; $x -= 1; $x *= 4; $x /= 2; $x %= 5; if $x == 4 { root(VM1); }");
    assert_eq!(result.instance.constraints().len(), 1);
}

#[test]
fn logic() {
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        assert_eq!(is_true(&format!("{a} && {b}")), a == 1 && b == 1);
        assert_eq!(is_true(&format!("{a} || {b}")), a == 1 || b == 1);
    }
    // Only 1 is true.
    assert!(!is_true("2") && is_true("1.0") && !is_true("0"));
}

#[test]
fn conditions_choose_a_branch() {
    for (value, expected) in [(1, 1), (2, 2), (3, 3), (9, 4)] {
        let text = format!(
            "VM[1..9] : t; $x = {value};
             if $x == 1 {{ root(VM1); }} else if $x == 2 {{ root(VM[1..2]); }}
             else if ($x == 3) {{ root(VM[1..3]); }} else {{ root(VM[1..4]); }}"
        );
        assert_eq!(built(&text).instance.constraints().len(), expected);
    }
    // A false one without `else` does nothing.
    assert_eq!(built("VM1 : t; if 0 { root(VM1); }").instance.constraints().len(), 0);
}

#[test]
fn sets() {
    let text = "VM[1..100] : t; @N[1..100] : n; $all = VM[1..100]; $t = $all / 3; $sum = {};
        for $part in $t { $sum += $part; }
        if #$t == 3 && #$sum == 100 && #($all - VM[1..20] + VM[1..10]) == 90 { root(VM1); }
        if #(@N[1..100] % 33) == 4 && VM[1..3] == VM[3,2,1] && VM[1..3] != VM[1..4] { root(VM2); }
        if {VM1, VM2} == VM[1..2] && {{VM1}, {VM2}} == {{VM2}, {VM1}} && @N[1..3] != VM[1..3] { root(VM3); }
        if {2,3} * {1,3} == {{2,1},{2,3},{3,1}} && #({1,2,3} ^ 2) == 6 { root(VM4); }
        if {1,2} * {} == {1,2} && #{} == 0 { root(VM5); }";
    assert_eq!(built(text).instance.constraints().len(), 5);
}

#[test]
fn a_scalar_counts_as_the_set_of_it() {
    assert_true(&["VM[1..2] + VM3 == VM[1..3]", "VM1 + VM[2..3] == VM[1..3]", "VM[1..3] - VM3 == VM[1..2]"]);
    assert_eq!(codes(&with_elements("$x = VM1 + VM2;")), ["E0201"]);
    assert_eq!(codes(&with_elements("$x = {VM[1..2]} + VM3;")), ["E0201"]);
}

#[test]
fn eight_wrong_operations_are_eight_errors() {
    let text = with_elements(
        "$a = VM[1..3] + @N1;
         $b = VM[1..3] * @N[1..3];
         $c = VM[1..3] / 4;
         $d = VM[1..3] / 0;
         $e = VM[1..3] % 0;
         $f = {VM1, @N1};
         $g = {VM1, VM[2..3]};
         $h = VM[1..3] ^ 3;
         spread($a); spread($b); $i = $c + $d; among($e, $f); if #$g > 1 { root($h); }",
    );
    assert_eq!(codes(&text).len(), 8, "{:?}", codes(&text));
}

#[test]
fn empty_sets_take_the_type_of_the_other_side() {
    assert_true(&["#({} + VM[1..3]) == 3", "#({} + @N[1..3]) == 3", "{} == {}", "#({} + VM1) == 1"]);
    assert_eq!(codes(&with_elements("spread({});")), ["W0901"]);
    assert_eq!(codes(&with_elements("running(VM[1..3] - VM[1..3]);")), ["W0901"]);
}

#[test]
fn templates_and_options() {
    let result = built(
        "namespace foo; VM[1..5] : tiny<clone, boot=7, cost=1.5, label=\"x\">; VM6 : large<size=\"7.5\", n=\"12\">;
         @N[1..12] : defaultNode;",
    );
    let instance = result.instance;
    let attributes = instance.vms().attributes();
    let attribute = |vm: usize, key: &str| attributes.get(vm, key).cloned();
    assert_eq!((instance.vm_count(), instance.node_count()), (6, 12));
    for vm in 0..5 {
        assert_eq!(attribute(vm, "template"), Some(Value::Text("tiny".into())));
        assert_eq!(attribute(vm, "clone"), Some(Value::Bool(true)));
        assert_eq!(attribute(vm, "boot"), Some(Value::Int(7)));
        assert_eq!(attribute(vm, "cost"), Some(Value::Float(1.5)));
        assert_eq!(attribute(vm, "label"), Some(Value::Text("x".into())));
    }
    assert_eq!(attribute(5, "template"), Some(Value::Text("large".into())));
    assert_eq!(attribute(5, "size"), Some(Value::Float(7.5)));
    assert_eq!(attribute(5, "n"), Some(Value::Int(12)));
    assert_eq!(attributes.of(5).count(), 3);
    assert_eq!(instance.nodes().attributes().get(3, "template"), Some(&Value::Text("defaultNode".into())));
    assert_eq!(instance.vm_name(quadrille::model::VmId(0)), "foo.VM1");
    assert_eq!(instance.node_name(quadrille::model::NodeId(0)), "N1");
    assert!(instance.vm_ids().all(|vm| instance.place(vm) == Place::Ready));
    assert!(instance.node_ids().all(|node| !instance.is_online(node)));
}

#[test]
fn resources_templates_and_states() {
    let text = "resource cpu, mem; $size = 3;
        template small<cpu=2, mem=-0, boot=5, tag=\"a\">;
        @n[1..3] : node<cpu=8, mem=$size> online; @spare : node;
        VM[1..2] : small running on @n1; VM[3..4] : small<cpu=4, tag=\"b\"> sleeping on @n[2..3]; VM5 : small ready;";
    let instance = built(text).instance;
    let [cpu, mem] = ["cpu", "mem"].map(|name| instance.resource_named(name).expect("declared"));
    let vm = |at| quadrille::model::VmId(at);
    let node = |at| quadrille::model::NodeId(at);
    assert_eq!(instance.capacity(node(2), cpu), 8);
    assert_eq!(instance.capacity(node(2), mem), 3);
    assert_eq!(instance.capacity(node(3), cpu), 0);
    assert_eq!((instance.demand(vm(0), cpu), instance.demand(vm(2), cpu)), (2, 4));
    assert_eq!(instance.place(vm(1)), Place::Running(node(0)));
    assert_eq!(instance.place(vm(2)), Place::Sleeping(node(1)));
    assert_eq!(instance.place(vm(3)), Place::Sleeping(node(2)));
    assert_eq!(instance.place(vm(4)), Place::Ready);
    assert_eq!(instance.vms().tags(2), ["a", "b"]);
    assert!(instance.is_online(node(0)) && !instance.is_online(node(3)));
    // Without a namespace names are plain.
    assert_eq!(instance.vm_name(vm(0)), "VM1");
}

#[test]
fn resources_come_before_what_has_them() {
    assert_eq!(codes("VM1 : t<cpu=1>; resource cpu;"), ["W0915"]);
    assert_eq!(codes("template t<cpu=1>; resource cpu; VM1 : t;"), [""; 0]);
    assert_eq!(codes("$racks = all nodes by \"rack\";"), ["W0902"]);
    assert_eq!(codes("@n : t; $racks = all nodes by \"rack\";"), ["W0902"]);
}

#[test]
fn states_that_cannot_be() {
    let online = "@n[1..3] : node online; VM0 : t;";
    for (text, code) in [
        ("VM1 : t online;", "E0208"),
        ("@m : t ready;", "E0208"),
        ("VM1 : t running on VM0;", "E0208"),
        ("VM[1..2] : t running on @n[1..3];", "E0307"),
        ("@m : t; VM1 : t running on @m;", "E0307"),
        ("VM1 : t running on @m;", "E0102"),
        ("$x : t;", "E0205"),
    ] {
        assert_eq!(codes(&format!("{online} {text}")), [code], "{text}");
    }
}

#[test]
fn me_is_what_the_script_declares() {
    let result = built("namespace foo; VM[1..6] : t; VM[7..10] : t; lonely($me);");
    let [constraint] = result.instance.constraints() else { panic!("one constraint") };
    assert!(matches!(&constraint.rule.arguments()[0], Argument::Vms(vms) if vms.len() == 10));
    for text in ["$me = VM1;", "$me += VM1;", "{$me} = {VM1};", "$me[1..2] = VM[1..2];"] {
        let found = codes(&with_elements(text));
        assert!(found.is_empty() || found == ["E0107"], "{text}: {found:?}");
    }
    assert_eq!(codes(&with_elements("$me = VM1;")), ["E0107"]);
}

#[test]
fn texts() {
    assert_true(&[
        "\"n\" + 5 == \"n5\"",
        "\"n\" + 5 + VM1 == \"n5VM1\"",
        "\"on \" + @N1 == \"on @N1\"",
        "\"a\" + \"b\" == \"ab\"",
        "#({\"a\", \"b\"} + {\"b\", \"c\"}) == 3",
        "\"a\" != 1",
        "\"a\\nb\" != \"a\\\\nb\"",
    ]);
    assert_eq!(codes("$x = 5 + \"n\";"), ["E0201"]);
}

#[test]
fn enumerations() {
    let text = "$foo = 3; $y = \"z\"; VM[$foo,baz,7,$y,15,12..9] : t; @N[1..250] : n;
        VM[0x1..0xc]x : t; W[01..010] : t; $i = 4; X[$i + 1, $i - 1, \"a\" + 1] : t; @b-[1..2].home : n;";
    let instance = built(text).instance;
    let names: Vec<&str> = instance.vms().names().collect();
    let expected = [
        "VM3", "VMbaz", "VM7", "VMz", "VM15", "VM9", "VM10", "VM11", "VM12", "VM1x", "VM2x", "VM3x", "VM4x",
        "VM5x", "VM6x", "VM7x", "VM8x", "VM9x", "VMax", "VMbx", "VMcx", "W1", "W2", "W3", "W4", "W5", "W6",
        "W7", "W10", "X5", "X3", "Xa1",
    ];
    assert_eq!(names, expected);
    assert_eq!(instance.node_count(), 252);
    assert_eq!(instance.nodes().name(251), "b-2.home");
    assert_eq!(codes("VM[1..10] : t; $x = VM[1..12];"), ["E0101"]);
    assert_eq!(codes(&with_elements("$x = VM[1..0x4];")), ["E0305"]);
    assert_eq!(codes(&with_elements("$x = VM[1.5..2];")), ["E0207"]);
    assert_eq!(codes(&with_elements("$x = VM[1..\"a\"];")), ["E0207"]);
    assert_true(&["#(VM[1..4] - VM[2..3]) == 2", "#(VM[1..4]-VM[2..3]) == 2", "#VM[{1, 2, 5}] == 3"]);
    assert_eq!(codes(&with_elements("$x = VM[{{1}}];")), ["E0207"]);
}

#[test]
fn named_twice_is_a_warning() {
    for text in ["VM[1,1] : t;", "@N[1,1] : t;", "{VM1, VM1} : t;"] {
        assert_eq!(codes(text), ["W0903"], "{text}");
    }
    for text in ["$x = VM[1,1];", "$x = {VM1, VM1};", "$x = @N[1..3, 2];", "maxOnline(@N[1,1], 1);"] {
        assert_eq!(codes(&with_elements(text)), ["W0903"], "{text}");
    }
    // BtrPlace drops such constraints.
    assert_eq!(built(&with_elements("maxOnline(@N[1,1], 1);")).instance.constraints().len(), 1);
    assert_eq!(codes("VM1 : t; VM1 : t;"), ["E0105"]);
    assert_eq!(codes("for $i in {1, 2} { VM1 : t; }"), ["E0105"]);
}

#[test]
fn sets_are_taken_apart() {
    let text = with_elements(
        "{$a, _, $b} = VM[1..5]; $R[1..4] = @N[1..20] / 4; {$c, $S[1..2]} = {1, 2, 3}; {$x, $y} = {VM1};
         if $a == VM1 && $b == VM3 && #$R3 == 5 && #$R[1..4] == 4 && $S2 == 3 { spread({$x} + $a + $b); }",
    );
    assert_eq!(built(&text).instance.constraints().len(), 1);
    assert_eq!(codes(&with_elements("{$a, $b} = VM1;")), ["E0204"]);
    assert_eq!(codes(&with_elements("{$a, VM1} = VM[1..2];")), ["E0205"]);
    assert_eq!(codes(&with_elements("VM1 = VM2;")), ["E0205"]);
    assert_eq!(codes(&with_elements("{$a, $b} = {VM1}; spread($b);")), ["E0103"]);
    assert_eq!(codes(&with_elements("$c += 1;")), ["E0103"]);
}

#[test]
fn loops_and_scope() {
    let text = with_elements(
        "$n = 0; for $i in {1, 2, 3} { $n += $i; $inner = $i; } for $t in VM[1..6] / 2 { spread($t); }
         for $i in {} { spread(VM99); } if $n == 6 { root(VM1); }",
    );
    assert_eq!(built(&text).instance.constraints().len(), 3);
    assert_eq!(codes(&with_elements("for $i in {1} { $x = 1; } $y = $x;")), ["E0103"]);
    assert_eq!(codes(&with_elements("$i = 1; for $i in {1} { root(VM1); }")), ["E0106"]);
    assert_eq!(codes(&with_elements("for $i in VM1 { root($i); }")), ["E0204"]);
    assert_eq!(codes(&with_elements("for $i in {1} { $i = 2; $i += 1; }")), [""; 0]);
    // A mistake in a loop is told once.
    assert_eq!(codes(&with_elements("for $i in VM[1..20] { spread(VM99); }")), ["E0101"]);
}

#[test]
fn functions() {
    let text = with_elements(
        "$outer = VM[1..4]; def half($s) = $s / 2; def apart($a) { $more = $a + $outer; spread($more); }
         def sum($n) = $n; def down($n) { if $n > 0 { root(VM[$n]); down($n - 1); } }
         split(half(VM[1..4])); apart(VM[5..6]); down(3); if sum(2) == 2 { root(VM1); } later(VM1);
         def later($v) { root($v); }",
    );
    assert_eq!(built(&text).instance.constraints().len(), 7);
    for (text, code) in [
        ("def f($a) { root($a); } f(VM1, VM2);", "E0210"),
        ("def f($a) { $a = 1; } f(VM1);", "E0107"),
        ("$x = 1; def f() { $x += 1; } f();", "E0107"),
        ("def f() { $x = 1; } f(); $y = $x;", "E0103"),
        ("def spread($a) = $a;", "E0108"),
        ("def before($a) = $a;", "E0108"),
        ("def f() = 1; def f() = 2;", "E0108"),
        ("def f($a, $a) = 1;", "E0106"),
        ("def f($a) = $a; >>f(VM1);", "E0407"),
        ("def f($a) { root($a); } f(VM1) soft 3;", "E0407"),
        ("def f($a) { root($a); } $x = f(VM1);", "E0212"),
        ("def f($a) = $a; f(VM1);", "E0212"),
        ("$x = f(VM1);", "E0112"),
        ("$x = spread(VM1);", "E0112"),
        ("def f($n) = f($n); $x = f(1);", "E0608"),
        ("def f($n) { f($n); } f(1);", "E0608"),
    ] {
        let found = codes(&with_elements(text));
        assert!(found.contains(&code) && found.len() <= 2, "{text}: {found:?}");
    }
    // A local variable may have the name of one outside.
    let text = with_elements("$x = VM1; def f() { $x = VM[2..3]; spread($x); } f(); root($x);");
    assert_eq!(built(&text).instance.constraints().len(), 2);
}

#[test]
fn selections() {
    let text = "resource cpu; namespace_of : t;
        @n[1..2] : node<rack=\"r1\"> online; @n[3..4] : node<rack=\"r2\"> online; @n5 : node;
        web[1..3] : small<tag=\"web\", slot=7> running on @n1; db[1..2] : large<tag=\"db\"> running on @n3;
        $ok = 0;
        if all vms tagged \"web\" == web[1..3] { $ok += 1; }
        if all vms named \"db?\" == db[1..2] { $ok += 1; }
        if all vms with \"slot\" == 7 == web[1..3] { $ok += 1; }
        if all vms with \"template\" != \"small\" in web[1..3] + db[1..2] == db[1..2] { $ok += 1; }
        if all vms on @n[1..2] == web[1..3] { $ok += 1; }
        if all vms on @n3 tagged \"db\" == db[1..2] { $ok += 1; }
        if all nodes by \"rack\" == {@n[1..2], @n[3..4]} { $ok += 1; }
        if #(all nodes) == 5 && #(all vms) == 6 { $ok += 1; }
        if all nodes with \"rack\" == @n[1..4] { $ok += 1; }
        if all nodes named \"@n5\" == {@n5} { $ok += 1; }
        if $ok == 10 { root(db1); }";
    let result = built(text);
    assert_eq!(result.instance.constraints().len(), 1, "{:?}", told(&result.warnings));
    assert_eq!(codes(&with_elements("$x = all vms tagged \"y\";")), ["W0902"]);
    assert_eq!(codes(&with_elements("$x = all nodes by \"rack\";")), ["W0902"]);
    assert_eq!(codes(&with_elements("$x = all nodes on @N1;")), ["E0211"]);
    assert_eq!(codes(&with_elements("$x = all vms in @N1;")), ["E0211"]);
}

fn cluster() -> Instance {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let nodes: Vec<_> = (1..=5).map(|at| b.node(&format!("@N{at}"))).collect();
    for &node in &nodes {
        b.capacity(node, cpu, 10);
    }
    for at in 1..=9 {
        let vm = b.ready_vm(&format!("VM{at}"));
        b.demand(vm, cpu, 1);
    }
    b.build().expect("a sound instance")
}

#[test]
fn rules_on_a_loaded_cluster() {
    let text =
        "VM10 : tiny<cpu=2>; $vms = VM[1..10]; running($vms); >>split($vms / 2); VM1 : tiny<tag=\"first\">;";
    let result = apply(&[("foo.btrp", text)], Some(cluster())).expect("sound");
    let instance = result.instance;
    assert_eq!(instance.vm_count(), 10);
    assert_eq!(instance.vms().tags(0), ["first"]);
    assert_eq!(result.places.len(), 11);
    let outcome = quadrille::solve(&instance, &Options::default()).expect("sound");
    let plan = outcome.plan.expect("there is room");
    assert_eq!(plan.actions.iter().filter(|action| action.kind.name() == "boot").count(), 10);
    // Elements of the cluster keep their state.
    let found = apply(&[("foo.btrp", "VM1 : t running on @N1;")], Some(cluster())).expect_err("it has one");
    assert_eq!(told(&found).len(), 1);
    assert_eq!(found[0].code, "E0308");
    // With a namespace, its own VMs come first, and those of the cluster are found as well.
    let text = "namespace foo; VM1 : t; running(VM[1..2]); running($me);";
    let instance = apply(&[("foo.btrp", text)], Some(cluster())).expect("sound").instance;
    assert_eq!(instance.vm_count(), 9);
}

#[test]
fn a_cluster_of_a_script_is_planned() {
    let text = "namespace foo; resource cpu;
        @n[1..2] : node<cpu=4> online; @n3 : node<cpu=4, boot=10>;
        VM[1..2] : small<cpu=3> running on @n1; VM3 : small<cpu=3>;
        spread($me); running(VM3); ban(VM3, @n2) soft 3; minimise makespan, relocations;";
    let instance = built(text).instance;
    assert_eq!(instance.constraints().len(), 3);
    assert_eq!(instance.objective().to_string(), "makespan,relocations");
    assert_eq!(instance.constraints()[2].strength, Strength::Soft(3));
    let outcome = quadrille::solve(&instance, &Options::default()).expect("sound");
    assert!(matches!(outcome.status, Status::Optimal | Status::Feasible));
    assert!(outcome.plan.is_some());
}

#[test]
fn mistakes_have_their_place() {
    let found = apply(&[("foo.btrp", "VM[1..9] : t; @N1 : n;\nspread(VM[1..9]; \nroot(VM1);")], None);
    let found = found.expect_err("a parenthesis is missing");
    assert_eq!(found.len(), 1, "{:?}", told(&found));
    let text = "VM[1..9] : t;\nspread(VM[1..9]";
    let found = apply(&[("foo.btrp", text)], None).expect_err("the end is missing");
    assert_eq!(found.len(), 1, "{:?}", told(&found));
    let place = found[0].describe(text);
    assert!(place.starts_with("2:"), "{place}");
    let found = apply(&[("foo.btrp", "VM1 : t;\nban(VM1, @N9);")], None).expect_err("no such node");
    assert_eq!((found.len(), found[0].code), (1, "E0102"));
    assert!(found[0].describe("VM1 : t;\nban(VM1, @N9);").starts_with("2:10"));
}

#[test]
fn what_could_not_be_read_is_not_missed() {
    let found = codes("VM[1..9 : t; $x = ; $y = VM[1..9]; spread($x); spread($y); def f($a { } f(VM1);");
    assert!(found.iter().all(|code| code.starts_with("E00")), "{found:?}");
    // What is declared where a value is unknown is not missed either.
    assert_eq!(codes("VM[1..$n] : t; spread(VM[1..9]);"), ["E0103"]);
    assert_eq!(codes("if $n { VM[1..9] : t; } spread(VM[1..9]);"), ["E0103"]);
    assert_eq!(codes("for $i in $n { VM[1..$i] : t; } spread(VM[1..9]);"), ["E0103"]);
}

#[test]
fn blanks_comments_and_ends() {
    assert_eq!(
        codes("#!/usr/bin/env quadrille\nVM[1..2] : t; spread (VM[1..2]); /* a /* b */ c */ // end"),
        [""; 0]
    );
    assert_eq!(codes("vm\"db 1\" : t; @\"node 1\" : n online; ban(vm\"db 1\", @\"node 1\");"), [""; 0]);
    assert_eq!(
        codes("VM1 : t; running : t; resource : t; soft : t; root(running + VM1 + {soft});"),
        ["E0201"]
    );
}

#[test]
fn every_constraint_takes_what_it_should() {
    let good = [
        ("among(VM[1..4], @N[1..4] / 2);", 1),
        (">>among(VM1, {{@N1}});", 1),
        ("ban(VM[1..4], @N[1..2]);", 4),
        (">>ban(VM1, @N1);", 1),
        ("fence(VM[1..4], @N[1..2]);", 4),
        ("gather(VM[1..4]); gather(VM1);", 2),
        (">>lonely(VM[1..4]);", 1),
        ("spread(VM[1..4]); >>spread(VM1);", 2),
        ("seq(VM[4..1]);", 1),
        ("root(VM[1..4]); running(VM1); >>running(VM1);", 6),
        ("ready(VM[1..2]); sleeping(VM[1..2]); killed(VM[1..2]); noDelay(VM[1..2]); >>noDelay(VM1);", 9),
        ("online(@N[1..3]); offline(@N1); quarantine(@N[1..2]);", 6),
        ("overbook(@N[1..2], \"cpu\", 1.5); >>overbook(@N1, \"cpu\", 1);", 3),
        ("preserve(VM[1..2], \"cpu\", 7); >>preserve(VM1, \"cpu\", 0);", 3),
        ("resourceCapacity(@N[1..2], \"cpu\", 7); >>resourceCapacity(@N1, \"cpu\", 0);", 2),
        ("runningCapacity(@N[1..2], 7); >>runningCapacity(@N1, 0); maxOnline(@N[1..4], 2);", 3),
        ("split(VM[1..4] / 2); >>splitAmong(VM[1..4] / 2, @N[1..4] / 2);", 2),
        ("before(VM[1..3], \"+00:10:00\"); before(VM1, \"10:00:00\"); before(VM1, \"+90s\");", 5),
        ("before(VM[1..3], VM[4..5]); before(VM1, VM2);", 7),
        ("serialize(VM[1..3]); sync(VM[1..3]);", 2),
        ("ft({}, 1); ft(@N[1..3], 2, \"slots\"); >>ft(@N[1..3]);", 3),
    ];
    for (text, count) in good {
        let result = built(&with_elements(text));
        assert_eq!(result.instance.constraints().len(), count, "{text}");
        assert!(result.warnings.is_empty(), "{text}: {:?}", told(&result.warnings));
    }
    let bad = [
        ("spread();", "E0401"),
        ("spread(VM1, VM2);", "E0401"),
        ("spread(@N1);", "E0401"),
        ("spread(VM[1..4] / 2);", "E0401"),
        ("split(VM[1..4]);", "E0401"),
        ("among(VM1, @N[1..2]);", "E0401"),
        ("ban(@N1, VM1);", "E0401"),
        ("online(VM1);", "E0401"),
        ("overbook(@N1, 3, 1.5);", "E0401"),
        ("overbook(@N1, \"cpu\", \"a\");", "E0401"),
        ("overbook(@N1, \"cpu\", 0.5);", "E0402"),
        ("overbook(@N1, \"gpu\", 1.5);", "E0109"),
        ("preserve(VM1, \"cpu\", -1);", "E0402"),
        ("preserve(VM1, \"cpu\", 1.5);", "E0402"),
        ("maxOnline(@N[1..3], -1);", "E0402"),
        ("before(VM1, \"soon\");", "E0402"),
        ("before(VM1, @N1);", "E0401"),
        ("before(VM1);", "E0401"),
        ("ft(@N1, 1, \"all\");", "E0402"),
        ("ft(@N1, 0);", "E0405"),
        ("split({{VM1, VM2}, {VM2, VM3}});", "E0406"),
        ("splitAmong({{VM1, VM2}, {VM2, VM3}}, @N[1..4] / 2);", "E0406"),
        ("splitAmong({{VM1, VM2}}, {{@N1, @N2}, {@N2, @N3}});", "E0405"),
        (">>root(VM1);", "E0403"),
        (">>quarantine(@N1);", "E0403"),
        (">>seq(VM[1..2]);", "E0403"),
        (">>before(VM1, VM2);", "E0403"),
        (">>sync(VM[1..2]);", "E0403"),
        (">>serialize(VM[1..2]);", "E0403"),
        ("root(VM1) soft 3;", "E0404"),
        ("spread(VM[1..2]) soft 0;", "E0404"),
        ("spread(VM[1..2]) soft 1.5;", "E0404"),
        ("spread(VM[1..2]) soft VM1;", "E0404"),
        ("cSpread(VM[1..2]);", "E0104"),
        ("capacity(VM[1..2]);", "E0104"),
    ];
    for (text, code) in bad {
        assert_eq!(codes(&with_elements(text)), [code], "{text}");
    }
}

#[test]
fn restrictions_and_prices() {
    let result = built(&with_elements(
        "spread(VM[1..2]); >>spread(VM[1..2]); running(VM1); ban(VM1, @N1) soft 5 + 2;",
    ));
    let found: Vec<(Restriction, Strength)> =
        result.instance.constraints().iter().map(|c| (c.restriction, c.strength)).collect();
    let expected = [
        (Restriction::Continuous, Strength::Hard),
        (Restriction::Discrete, Strength::Hard),
        (Restriction::Discrete, Strength::Hard),
        (Restriction::Continuous, Strength::Soft(7)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn messages_name_types_and_what_is_near() {
    let one = |text: &str| -> (String, String) {
        let found = apply(&[("foo.btrp", &with_elements(text))], None).expect_err("it is wrong");
        (found[0].message.clone(), found[0].help.clone().unwrap_or_default())
    };
    assert_eq!(one("spread(VM1, VM2);").0, "`spread(vm, vm)` does not fit `spread(vms: set<vm>)`");
    assert!(one("split(VM[1..4]);").1.contains("set of sets"));
    assert_eq!(one("sprad(VM1);").1, "did you mean `spread`?");
    assert_eq!(one("$aa = 1; $b = $aaa;").1, "did you mean `$aa`?");
    assert_eq!(one("overbook(@N1, \"cpo\", 2);").1, "did you mean `cpu`?");
    assert_eq!(one("root(N1);").1, "did you mean the node `@N1`?");
    assert_eq!(one("minimise relocation;").1, "did you mean `relocations`?");
}

#[test]
fn what_is_minimised() {
    let objective = |text: &str| built(text).instance.objective().to_string();
    assert_eq!(objective("minimise relocations;"), "relocations");
    assert_eq!(objective("minimize 3*makespan + mttr, sum_of_ends;"), "3*makespan+mttr,sum_of_ends");
    assert_eq!(codes("minimise makespan; minimise mttr;"), ["E0111"]);
    assert_eq!(codes("minimise 0*makespan;"), ["E0311"]);
    assert_eq!(codes("minimise 1.5*makespan;"), ["E0311"]);
    assert_eq!(codes("if 1 { minimise makespan; }"), ["E0004"]);
}

#[test]
fn the_same_text_gives_the_same_instance() {
    let text = with_elements(
        "for $t in VM[1..20] * VM[1..20] { >>spread($t); } $g = all vms by \"template\"; split(VM[1..20] / 4);",
    );
    let (first, second) = (built(&text), built(&text));
    assert_eq!(first.instance, second.instance);
    assert_eq!(first.instance.constraints().len(), 191);
}

use super::*;
use crate::script::Memory;

/// Codes and places (line of the first label) of what is found beside a cluster.
#[track_caller]
fn found(rules: &str) -> Vec<String> {
    let cluster = "resource cpu; @n[1..3] : node<cpu=8> online; VM[1..4] : small<cpu=1> running on @n1; \
                   IDLE : small ready;\n";
    let text = format!("{cluster}{rules}");
    let program = Program::load(&["a.btrp".into()], &[], &Memory::default().with("a.btrp", text.as_str()));
    let built = program.apply(None).unwrap_or_else(|found| panic!("{found:?}"));
    let told = |one: &Diagnostic| format!("{} {}", one.code, one.describe(&text));
    lint(&program, &built).iter().map(told).collect()
}

#[track_caller]
fn codes(rules: &str) -> Vec<String> {
    found(rules).iter().map(|one| one[..5].to_owned()).collect()
}

#[test]
fn sound_rules() {
    let rules = "$web = VM[1..2];\nspread($web);\n>>fence(VM1, @n[1..2]);\n>>ban(VM1, @n2);\n\
                 running(IDLE);\noffline(@n3);\nmaxOnline(@n[1..3], 2);\ngather({VM4, IDLE});";
    assert_eq!(found(&rules.replace("spread($web)", ">>spread($web) soft 3")), [""; 0]);
}

#[test]
fn rules_that_never_hold() {
    assert_eq!(codes(">>spread(VM[1..4]);"), ["W0910"]);
    // Who does not run needs no node.
    assert_eq!(codes(">>spread(VM[1..2] + {IDLE});\nsleeping(VM3);"), [""; 0]);
    assert_eq!(codes(">>spread(VM[1..3] + {IDLE});\nrunning(IDLE);"), ["W0910"]);
    assert_eq!(codes(">>spread(VM[1..4]);\nready(VM4);"), [""; 0]);
    assert_eq!(codes(">>fence(VM1, @n3);\noffline(@n3);"), ["W0910"]);
    assert_eq!(codes(">>ban(VM1, @n[1..3]);"), ["W0910"]);
    assert_eq!(codes(">>splitAmong({{VM1}, {VM2}}, {@n[1..3]});"), ["W0910"]);
    assert_eq!(codes("online(@n[1..3]);\nmaxOnline(@n[1..3], 2);"), ["W0910"]);
    assert_eq!(codes("runningCapacity(@n[1..3], 3);"), ["W0910"]);
}

#[test]
fn rules_that_always_hold() {
    assert_eq!(codes("spread(VM1);"), ["W0911"]);
    assert_eq!(codes("gather({VM1});\nseq({VM1});"), ["W0911", "W0911"]);
    assert_eq!(codes("maxOnline(@n[1..3], 3);"), ["W0911"]);
    assert_eq!(codes("runningCapacity(@n[1..2], 5);"), ["W0911"]);
    assert_eq!(codes(">>fence(VM1, @n[1..3]);"), ["W0911"]);
    // One of them says something.
    assert_eq!(codes("for $s in {VM[1..2], {VM3}} { >>spread($s); }"), [""; 0]);
    assert_eq!(codes("for $s in {{VM2}, {VM3}} { >>spread($s); }"), ["W0911"]);
}

#[test]
fn contradictions() {
    let told = found(">>fence(VM1, @n1);\n>>ban(VM2, @n3);\n>>fence(VM1, @n2);");
    assert_eq!(told, ["W0912 4:1: no node is left for `VM1`, which runs at the end"]);
    assert_eq!(codes(">>fence(IDLE, @n1);\n>>fence(IDLE, @n2);"), [""; 0]);
    assert_eq!(codes(">>fence(VM1, @n1) soft 2;\n>>fence(VM1, @n2);"), [""; 0]);
    assert_eq!(codes("running(VM1);\nready(VM1);"), ["W0912"]);
    assert_eq!(codes("online(@n1);\noffline(@n[1..2]);"), ["W0912"]);
    assert_eq!(codes(">>gather(VM[1..2]);\n>>spread(VM[2..3] + {VM1});"), ["W0912"]);
    assert_eq!(codes(">>gather(VM[1..2]);\n>>spread(VM[2..3]);"), [""; 0]);
}

#[test]
fn rules_that_crowd() {
    let told = found(">>fence(VM[1..3], @n[1..2]);\n>>spread(VM[1..3]);");
    assert_eq!(
        told,
        ["W0912 3:1: this `spread` lets 1 of its VMs onto a node, and 3 of them have 2 nodes only"]
    );
    let told = found(">>spread(VM[1..3]);\n>>fence(VM[1..2], @n1);\n>>fence(VM3, @n[1..2]);");
    assert_eq!(
        told,
        ["W0912 3:1: this `spread` lets 1 of its VMs onto a node, and 2 of them have 1 node only"]
    );
    assert_eq!(
        codes(">>spread(VM[1..3]);\n>>fence(VM1, @n1);\n>>ban(VM2, @n3);\n>>ban(VM3, @n3);"),
        ["W0912"]
    );
    assert_eq!(codes(">>spread(VM[1..3]);\n>>fence(VM1, @n1);\n>>ban(VM2, @n3);"), [""; 0]);
    let told = found(">>fence(VM[1..3], @n1);\nrunningCapacity(@n[1..2], 2);");
    assert_eq!(told, ["W0912 3:1: 3 VMs are kept on its nodes, 2 are the most"]);
    assert_eq!(codes(">>fence(VM[1..3], @n[1..2]);\nrunningCapacity(@n1, 2);"), [""; 0]);
}

#[test]
fn rules_stated_twice() {
    let told = found("spread(VM[1..2]) soft 2;\nspread({VM2, VM1}) soft 2;\nspread(VM[1..2]);");
    assert_eq!(told, ["W0913 3:1: this `spread` is stated twice"]);
    assert_eq!(codes("online(@n[1..2]);\nonline(@n[2..3]);"), ["W0913"]);
}

#[test]
fn a_rule_of_the_cluster_has_no_place() {
    let cluster =
        "@n[1..2] : node online; VM[1..2] : small running on @n1; spread(VM[1..2]); >>fence(VM1, @n1);";
    let files =
        Memory::default().with("a.btrp", cluster).with("b.btrp", "spread(VM[1..2]); >>fence(VM1, @n2);");
    let base = Program::load(&["a.btrp".into()], &[], &files).apply(None).expect("sound").instance;
    let program = Program::load(&["b.btrp".into()], &[], &files);
    let built = program.apply(Some(base)).expect("sound");
    let found = lint(&program, &built);
    let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["W0913", "W0912"]);
    assert!(found.iter().all(|one| one.labels.len() == 1 && one.message.contains("cluster")), "{found:?}");
}

#[test]
fn names_that_nothing_uses() {
    assert_eq!(codes("$x = 1;"), ["W0907"]);
    assert_eq!(codes("$x = 1; $x += 1;"), ["W0907"]);
    assert_eq!(codes("$x = VM[1..2]; spread($x) soft #$x;"), [""; 0]);
    assert_eq!(codes("$x = VM[1..2]; export $x to *;"), [""; 0]);
    assert_eq!(codes("{$R[1..2]} = {VM[1..2], VM[3..4]}; for $s in $R[1..2] { spread($s); }"), [""; 0]);
    assert_eq!(codes("{$a, _} = {1, 2};"), ["W0907"]);
    assert_eq!(codes("for $i in {1, 2} { online(@n1); }"), ["W0907", "W0913"]);
    assert_eq!(codes("$i = 2; B[$i] : small;"), [""; 0]);
    assert_eq!(codes("def f($a, $b) = $a + 1; $n = f(1, 2); >>spread(VM[1..2]) soft $n;"), ["W0907"]);
    assert_eq!(codes("def f() { online(@n1); }"), ["W0908"]);
    assert_eq!(
        codes("template large<cpu=4>; template default.vm<cpu=1>; template plain; B : plain;"),
        ["W0909"]
    );
}

#[test]
fn names_that_hide_others() {
    let rules = "$x = VM[1..2];\ndef f($x) { $y = $x; >>spread($y); }\nf($x);";
    assert_eq!(found(rules), ["W0914 3:7: the parameter `$x` hides the variable of the script"]);
    let rules = "$x = VM[1..2];\ndef f($a) { $x = $a; >>spread($x); }\nf($x);";
    assert_eq!(codes(rules), ["W0914"]);
}

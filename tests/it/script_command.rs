//! Rule files on the command line.

use crate::process::assert_exit;
use crate::process::folder;
use crate::process::run;
use crate::process::text;
use crate::process::write;

const CLUSTER: &str = "resource cpu;
@n[1..2] : node<cpu=4> online;
VM[1..2] : small<cpu=2> running on @n1;
";

#[test]
fn a_script_is_an_instance() {
    let folder = folder("script/instance");
    write(&folder, "cluster.btrp", &format!("{CLUSTER}spread(VM[1..2]);\n"));
    let output = run(&folder, &["plan", "cluster.btrp"]);
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("migrate VM"), "{}", text(&output.stdout));
    let output = run(&folder, &["check", "cluster.btrp"]);
    assert_exit(&output, 6);
    let output = run(&folder, &["convert", "cluster.btrp", "--format", "quadrille", "-o", "cluster.json"]);
    assert_exit(&output, 0);
    let output = run(&folder, &["plan", "cluster.json", "--format", "json"]);
    assert_exit(&output, 0);
}

#[test]
fn rules_come_beside_an_instance() {
    let folder = folder("script/beside");
    write(&folder, "cluster.btrp", CLUSTER);
    assert_exit(
        &run(&folder, &["convert", "cluster.btrp", "--format", "quadrille", "-o", "cluster.json"]),
        0,
    );
    write(&folder, "a.btrp", "import site; spread($site.web);\n");
    write(&folder, "b.btrp", "offline(@n2);\n");
    write(&folder, "lib/site.btrp", "$web = all vms; export $web to *;\n");
    let output = run(&folder, &["plan", "cluster.json", "--rules", "a.btrp", "--include", "lib"]);
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("migrate"), "{}", text(&output.stdout));
    let both = ["plan", "cluster.json", "--rules", "a.btrp", "--rules", "b.btrp", "--include", "lib"];
    assert_exit(&run(&folder, &both), 3);
    // Without the folder it is not found.
    let output = run(&folder, &["plan", "cluster.json", "--rules", "a.btrp"]);
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("E0501"), "{}", text(&output.stderr));
}

#[test]
fn mistakes_are_told() {
    let folder = folder("script/mistakes");
    write(&folder, "a.btrp", &format!("{CLUSTER}spread(VM[1..3]);\nsplit(VM[1..2]);\n"));
    let output = run(&folder, &["plan", "a.btrp"]);
    assert_exit(&output, 2);
    let said = text(&output.stderr);
    for part in ["error[E0101]", "--> a.btrp:4:", "spread(VM[1..3]);", "error[E0401]", "2 mistakes"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    assert!(!said.contains('\x1b'), "{said}");
    assert!(text(&output.stdout).is_empty());
    let output = run(&folder, &["plan", "a.btrp", "--color", "always"]);
    assert!(text(&output.stderr).contains("\x1b["));
    let output = run(&folder, &["check", "a.btrp", "--diagnostics", "json"]);
    assert_exit(&output, 2);
    let codes: Vec<String> = text(&output.stderr)
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("every line is JSON");
            value["code"].as_str().expect("a code").to_owned()
        })
        .collect();
    assert_eq!(codes, ["E0101", "E0401"]);
}

#[test]
fn warnings_do_not_stop() {
    let folder = folder("script/warnings");
    write(&folder, "a.btrp", &format!("{CLUSTER}spread({{}});\n"));
    let output = run(&folder, &["plan", "a.btrp"]);
    assert_exit(&output, 0);
    assert!(text(&output.stderr).contains("warning[W0901]"));
    let output = run(&folder, &["plan", "a.btrp", "--quiet"]);
    assert_exit(&output, 0);
    assert!(text(&output.stderr).is_empty());
}

#[test]
fn codes_have_a_page() {
    let folder = folder("script/codes");
    let output = run(&folder, &["doc", "E0101"]);
    assert_exit(&output, 0);
    assert!(text(&output.stdout).starts_with("E0101: there is no such VM\n"));
    assert_exit(&run(&folder, &["doc", "w0901"]), 0);
    let output = run(&folder, &["doc", "E9999"]);
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("E9999"));
}

#[test]
fn files_that_are_not_there() {
    let folder = folder("script/missing");
    assert_exit(&run(&folder, &["plan", "none.btrp"]), 2);
    write(&folder, "cluster.btrp", CLUSTER);
    assert_exit(&run(&folder, &["plan", "cluster.btrp", "--rules", "none.btrp"]), 2);
    assert_exit(&run(&folder, &["plan", "cluster.btrp", "--rules", "lib"]), 2);
}

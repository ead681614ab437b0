//! Rule files on the command line.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("script").join(test);
    fs::create_dir_all(folder.join("lib")).expect("a folder for temporary files");
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quadrille"));
    command.args(arguments).env_remove("NO_COLOR").current_dir(folder).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout: {out}\nstderr: {err}");
}

const CLUSTER: &str = "resource cpu;
@n[1..2] : node<cpu=4> online;
VM[1..2] : small<cpu=2> running on @n1;
";

#[test]
fn a_script_is_an_instance() {
    let folder = folder("instance");
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
    let folder = folder("beside");
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
    let folder = folder("mistakes");
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
    let folder = folder("warnings");
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
    let folder = folder("codes");
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
    let folder = folder("missing");
    assert_exit(&run(&folder, &["plan", "none.btrp"]), 2);
    write(&folder, "cluster.btrp", CLUSTER);
    assert_exit(&run(&folder, &["plan", "cluster.btrp", "--rules", "none.btrp"]), 2);
    assert_exit(&run(&folder, &["plan", "cluster.btrp", "--rules", "lib"]), 2);
}

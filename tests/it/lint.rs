//! `quadrille lint`, and clusters written as rule files, end to end.

use crate::process::assert_exit;
use crate::process::folder;
use crate::process::run;
use crate::process::text;
use crate::process::write;
use std::fs;

const CLUSTER: &str = r#"{"schema": "quadrille/instance/1",
    "nodes": [{"name": "n1", "capacity": {"cpu": 4}}, {"name": "n2", "capacity": {"cpu": 4}}],
    "vms": [{"name": "vm#1", "host": "n1", "demand": {"cpu": 2}}, {"name": "vm#2", "host": "n1", "demand": {"cpu": 2}}],
    "constraints": [{"spread": {"vms": ["vm#1", "vm#2"], "continuous": false}}]}"#;

#[test]
fn findings_mistakes_and_nothing() {
    let folder = folder("lint/findings");
    write(&folder, "cluster.json", CLUSTER);
    write(&folder, "good.btrp", "@\"n\"[1..2];\n");
    write(&folder, "odd.btrp", "$x = 1;\n>>fence(vm\"vm#\"[1..2], @n1);\n>>fence(vm\"vm#1\", @n2);\n");
    write(&folder, "good.btrp", ">>fence(vm\"vm#\"[1..2], @n[1, 2]) soft 3;\n");
    let output = run(&folder, &["lint", "odd.btrp", "--cluster", "cluster.json"]);
    assert_exit(&output, 6);
    let said = text(&output.stdout);
    assert!(said.contains("W0907") && said.contains("W0912") && said.contains("odd.btrp:3"), "{said}");
    let output = run(&folder, &["lint", "odd.btrp", "--cluster", "cluster.json", "--format", "json"]);
    assert_exit(&output, 6);
    let lines: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    assert!(
        lines.iter().all(|line| line["severity"] == "warning" && line["file"] == "odd.btrp"),
        "{lines:?}"
    );
    // Without the cluster its names are unknown.
    let output = run(&folder, &["lint", "odd.btrp"]);
    assert_exit(&output, 6);
    assert!(text(&output.stdout).contains("E0101"), "{}", text(&output.stdout));
    write(&folder, "good.btrp", ">>ban(vm\"vm#1\", @n1) soft 3;\n");
    let output = run(&folder, &["lint", "good.btrp", "--cluster", "cluster.json"]);
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout), "");
    assert_exit(&run(&folder, &["lint"]), 2);
    assert_exit(&run(&folder, &["lint", "good.btrp", "--cluster", "absent.json"]), 2);
    assert_exit(&run(&folder, &["doc", "W0912"]), 0);
}

#[test]
fn there_and_back() {
    let folder = folder("lint/back");
    write(&folder, "cluster.json", CLUSTER);
    for name in ["cluster.btrp", "named.txt"] {
        let mut arguments = vec!["convert", "cluster.json", "-o", name];
        if name == "named.txt" {
            arguments.extend(["--format", "btrp"]);
        }
        assert_exit(&run(&folder, &arguments), 0);
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("written");
    assert_eq!(read("cluster.btrp"), read("named.txt"));
    assert!(read("cluster.btrp").contains("vm\"vm#\"[1..2]"), "{}", read("cluster.btrp"));
    for (from, to) in [("cluster.json", "first.json"), ("cluster.btrp", "second.json")] {
        assert_exit(&run(&folder, &["convert", from, "--format", "quadrille", "-o", to]), 0);
    }
    assert_eq!(read("first.json"), read("second.json"));
    assert_exit(&run(&folder, &["lint", "cluster.btrp"]), 0);
}

#[test]
fn what_cannot_be_converted() {
    let folder = folder("lint/refused");
    let routes =
        r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "n1"}], "network": {"routes": []}}"#;
    write(&folder, "cluster.json", routes);
    let output = run(&folder, &["convert", "cluster.json", "-o", "cluster.btrp"]);
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("routes"), "{}", text(&output.stderr));
    let output = run(&folder, &["convert", "cluster.json", "-o", "cluster.btrp", "--lenient"]);
    assert_exit(&output, 0);
    assert!(text(&output.stderr).contains("note: that there are no routes"), "{}", text(&output.stderr));
    let output = run(&folder, &["convert", "cluster.json", "-o", "cluster.out"]);
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("--format btrp"), "{}", text(&output.stderr));
}

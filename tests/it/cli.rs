//! The command: arguments, streams, files, exit codes.

use crate::process::assert_exit;
use crate::process::command;
use crate::process::feed;
use crate::process::folder;
use crate::process::text;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Output;
use std::process::Stdio;

/// Two nodes, two VMs on the first; no move is needed.
const CALM: &str = r#"{"schema": "quadrille/instance/1",
  "nodes": [{"name": "n1", "capacity": {"cpu": 4}}, {"name": "n2", "capacity": {"cpu": 4}}],
  "vms": [{"name": "a", "host": "n1", "demand": {"cpu": 2}}, {"name": "b", "host": "n1", "demand": {"cpu": 2}}]}"#;

fn stdout(output: &Output) -> String {
    text(&output.stdout)
}

fn stderr(output: &Output) -> String {
    text(&output.stderr)
}

fn name(path: &Path) -> &str {
    path.to_str().expect("the target folder has a readable name")
}

/// `CALM` with constraints.
fn with(constraints: &str) -> String {
    let body = CALM.strip_suffix('}').expect("an object");
    format!("{body}, \"constraints\": [{constraints}]}}")
}

const SPREAD: &str = r#"{"spread": {"vms": ["a", "b"]}}"#;
const IMPOSSIBLE: &str = r#"{"offline": {"node": "n1"}}, {"offline": {"node": "n2"}}"#;

#[test]
fn the_talk_comes_out_as_told() {
    let expected = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/models/talk/talk.txt"))
        .expect("the expected plan of the talk");
    for file in ["models/talk/talk.json", "models/talk/talk.btrplace.json"] {
        let output = feed(&["plan", file], "");
        assert_exit(&output, 0);
        assert_eq!(actions(&stdout(&output)), actions(&expected), "{file}");
        let summary = stdout(&output).lines().last().map(str::to_owned).unwrap_or_default();
        assert!(
            summary.starts_with("4 migrations, 1 node shutdown, 8s, sum of ends 26; optimal"),
            "{summary}"
        );
        // Nothing is wrong before the plan: what is wished for is not met yet, that is all.
        assert_exit(&feed(&["check", file], ""), 0);
    }
}

/// A plan without its last line, which says how long it took and what was proved.
fn actions(plan: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = plan.lines().collect();
    lines.pop();
    lines
}

#[test]
fn exit_codes() {
    assert_exit(&feed(&["plan", "-"], CALM), 0);
    assert_exit(&feed(&["plan", "-"], &with(SPREAD)), 0);
    assert_exit(&feed(&["plan", "-", "--require-optimal"], &with(SPREAD)), 0);
    assert_exit(&feed(&["plan", "-"], &with(IMPOSSIBLE)), 3);
    assert_exit(&feed(&["check", "-"], CALM), 0);
    assert_exit(&feed(&["check", "-"], &with(SPREAD)), 6);
    for arguments in [
        &["plan"][..],
        &["plan", "-", "--time-limit", "-3s"],
        &["plan", "-", "--objective", "speed"],
        &["plan", "-", "--format", "yaml"],
        &["plan", "-", "--threads", "0"],
        &["plan", "/no/such/file.json"],
        &["plan", "-", "-o", "/no/such/folder/plan.json"],
        &["plan", "."],
        &["check", "-", "-"],
        &["check", "-", "--strict"],
        &["doc", "sprad"],
        &["generate", "--nodes", "3"],
        &["generate", "--nodes", "0", "--vms", "3"],
    ] {
        let output = feed(arguments, CALM);
        assert_exit(&output, 2);
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
    assert_exit(&feed(&["--help"], ""), 0);
    assert_exit(&feed(&["--version"], ""), 0);
}

#[test]
fn the_exit_code_follows_the_status() {
    let nothing = feed(&["plan", "models/talk/talk.json", "--step-limit", "0"], "");
    assert_exit(&nothing, 4);
    for limit in ["1", "30", "300", "3000", "300000"] {
        let arguments = ["plan", "models/talk/talk.json", "--objective", "mttr", "--step-limit", limit];
        let json = ["--require-optimal", "--format", "json"];
        let output = feed(&[&arguments[..], &json[..]].concat(), "");
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        let code = match document["status"].as_str() {
            Some("optimal") => 0,
            Some("feasible") => 5,
            Some("unknown") => 4,
            other => panic!("the talk has a plan: {other:?}"),
        };
        assert_exit(&output, code);
        let relaxed = feed(&arguments, "");
        assert_exit(&relaxed, if code == 5 { 0 } else { code });
    }
}

#[test]
fn bad_input_says_where() {
    let cases = [
        ("", "line 1, column 1"),
        ("[]", "line 1, column 1"),
        ("{\"schema\": \"quadrille/instance/1\",\n \"nodes\": 3}", "line 2, column 11, $.nodes: "),
        ("{\"schema\": \"quadrille/instance/1\", \"node\": []}", "did you mean `nodes`?"),
    ];
    for (input, expected) in cases {
        let output = feed(&["plan", "-"], input);
        assert_exit(&output, 2);
        let said = stderr(&output);
        assert!(said.starts_with("error: standard input: ") && said.contains(expected), "{input}: {said}");
    }
    let long = feed(&["plan", "-", "--max-read-size", "10"], CALM);
    assert_exit(&long, 2);
    assert!(stderr(&long).contains("longer than 10 bytes"), "{}", stderr(&long));
}

#[test]
fn few_nodes_on_are_asked_for_and_told() {
    for (objective, name) in
        [("nodes_on,relocations", "nodes_on"), ("nodes_on*100+mttr", "100*nodes_on+mttr")]
    {
        let arguments = ["plan", "-", "--objective", objective, "--format", "json", "--require-optimal"];
        let output = feed(&arguments, &with(SPREAD));
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(
            (&document["metrics"]["nodes_on"], &document["objective"]["name"]),
            (&2.into(), &name.into())
        );
        let output = feed(&arguments[..6], CALM);
        assert_exit(&output, 0);
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(document["metrics"]["nodes_on"], 1);
        assert_eq!(document["plan"]["actions"][0]["kind"], "shutdown_node");
    }
}

#[test]
fn json_is_one_document() {
    let output = feed(&["plan", "-", "--format", "json", "--seed", "3"], &with(SPREAD));
    assert_exit(&output, 0);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["schema"], "quadrille/plan/1");
    assert_eq!(document["status"], "optimal");
    assert_eq!(document["metrics"]["relocations"], 1);
    assert_eq!(document["objective"]["bound"], document["objective"]["value"]);
    assert_eq!(document["plan"]["actions"].as_array().map(Vec::len), Some(1));
    assert!(document["timings_ms"]["total"].is_number());

    let output = feed(&["plan", "-", "--format", "json"], &with(IMPOSSIBLE));
    assert_exit(&output, 3);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["status"], "infeasible");
    assert!(document["conflict"].is_object(), "{document}");
}

#[test]
fn every_format_of_a_plan() {
    for (format, expected) in
        [("text", "migrate"), ("events", "migrate"), ("dot", "digraph"), ("btrplace", "\"actions\"")]
    {
        let output = feed(&["plan", "-", "--format", format], &with(SPREAD));
        assert_exit(&output, 0);
        assert!(stdout(&output).contains(expected), "{format}: {}", stdout(&output));
    }
}

#[test]
fn plans_are_written_compressed_read_back_and_checked() {
    let folder = folder("cli/plans");
    let instance = folder.join("instance.json");
    fs::write(&instance, with(SPREAD)).expect("a temporary file");
    for file in ["plan.json", "plan.json.gz"] {
        let plan = folder.join(file);
        let output = feed(&["plan", name(&instance), "--format", "json", "-o", name(&plan)], "");
        assert_exit(&output, 0);
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).starts_with("note: 1 migration"), "{}", stderr(&output));
        let compressed = fs::read(&plan).expect("the plan").starts_with(&[0x1f, 0x8b]);
        assert_eq!(compressed, file.ends_with(".gz"));
        assert_exit(&feed(&["check", name(&instance), name(&plan)], ""), 0);
        let quiet = feed(&["plan", "-q", name(&instance), "-o", name(&folder.join("other.txt"))], "");
        assert_eq!(stderr(&quiet), "");
    }
    // The plan in BtrPlace's JSON and back is as good.
    let (theirs, ours) = (folder.join("theirs.json"), folder.join("ours.json"));
    let plan = folder.join("plan.json.gz");
    let convert = |from: &Path, format, to: &Path| {
        let output = feed(&["convert", name(&instance), name(from), "--format", format, "-o", name(to)], "");
        assert_exit(&output, 0);
    };
    convert(&plan, "btrplace", &theirs);
    assert_exit(&feed(&["check", name(&instance), name(&theirs)], ""), 0);
    convert(&theirs, "quadrille", &ours);
    assert_exit(&feed(&["check", name(&instance), name(&ours)], ""), 0);
    // A plan for another cluster is refused, and a plan that does nothing leaves the rule broken.
    let empty = folder.join("empty.json");
    fs::write(&empty, r#"{"schema": "quadrille/plan/1", "plan": {"actions": []}}"#)
        .expect("a temporary file");
    let output = feed(&["check", name(&instance), name(&empty)], "");
    assert_exit(&output, 6);
    assert!(stdout(&output).contains("spread"), "{}", stdout(&output));
}

#[test]
fn a_damaged_archive_is_bad_input() {
    let folder = folder("cli/archive");
    let path = folder.join("instance.json.gz");
    let output = feed(&["generate", "--nodes", "50", "--vms", "200", "-o", name(&path)], "");
    assert_exit(&output, 0);
    assert_exit(&feed(&["check", name(&path)], ""), 0);
    let bytes = fs::read(&path).expect("the archive");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("a temporary file");
    let output = feed(&["plan", name(&path)], "");
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("instance.json.gz: the gzip data is cut off"), "{}", stderr(&output));
}

#[test]
fn generated_instances_depend_on_the_seed_alone() {
    let generate = |seed: &str, format: &str| {
        let output = feed(
            &[
                "generate",
                "--nodes",
                "40",
                "--ratio",
                "5",
                "--scenario",
                "mixed",
                "--constrained",
                "50%",
                "--rack",
                "10",
                "--seed",
                seed,
                "--format",
                format,
            ],
            "",
        );
        assert_exit(&output, 0);
        stdout(&output)
    };
    let instance = generate("1", "quadrille");
    assert_eq!(instance, generate("1", "quadrille"));
    assert_ne!(instance, generate("2", "quadrille"));
    // A plan with boots, moves to larger shares and allocations, written, read back and checked.
    let folder = folder("cli/generated");
    let path = folder.join("instance.json");
    fs::write(&path, &instance).expect("a temporary file");
    for format in ["json", "btrplace"] {
        let plan = folder.join("plan.json");
        let arguments = ["plan", name(&path), "--format", format, "--step-limit", "20000", "-o", name(&plan)];
        assert_exit(&feed(&arguments, ""), 0);
        assert_exit(&feed(&["check", name(&path), name(&plan)], ""), 0);
    }
    // To BtrPlace's JSON and back: the same question.
    let theirs = feed(&["convert", "-", "--format", "btrplace", "--lenient"], &instance);
    assert_exit(&theirs, 0);
    let ours = feed(&["convert", "-", "--format", "quadrille"], &stdout(&theirs));
    assert_exit(&ours, 0);
    let count = |text: &str, key: &str| {
        serde_json::from_str::<Value>(text).expect("JSON")[key].as_array().map(Vec::len)
    };
    for key in ["nodes", "vms", "constraints"] {
        assert_eq!(count(&instance, key), count(&stdout(&ours), key), "{key}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child =
        command(Path::new(env!("CARGO_MANIFEST_DIR")), &["generate", "--nodes", "2000", "--vms", "10000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
    let mut start = [0; 10];
    child.stdout.take().expect("it is piped").read_exact(&mut start).expect("some output");
    let output = child.wait_with_output().expect("the command ends");
    assert_exit(&output, 0);
    assert_eq!(stderr(&output), "");
}

#[test]
fn colours_only_where_asked_for() {
    let plain = feed(&["plan", "-"], &with(SPREAD));
    assert!(!stdout(&plain).contains('\x1b'));
    let error = feed(&["plan", "/no/such/file", "--color", "always"], "");
    assert!(stderr(&error).starts_with("\x1b["), "{}", stderr(&error));
}

#[test]
fn a_time_of_day_counts_from_the_start() {
    // The move takes a minute, and is to be over at noon.
    let instance = CALM.replace(
        "\n  \"vms\"",
        r#"
  "durations": {"migrate": 60},
  "constraints": [{"fence": {"vm": "a", "nodes": ["n2"]}}, {"deadline": {"vm": "a", "timestamp": "12:00:00"}}],
  "vms""#,
    );
    assert_exit(&feed(&["plan", "--start", "11:59:00", "-"], &instance), 0);
    assert_exit(&feed(&["plan", "--start", "11:59:01", "-"], &instance), 3);
    let plan = Path::new(env!("CARGO_TARGET_TMPDIR")).join("noon.plan.json");
    let plan = plan.to_str().expect("text");
    assert_exit(&feed(&["plan", "--start", "11:00:00", "-", "-o", plan], &instance), 0);
    assert_exit(&feed(&["check", "--start", "11:59:00", "-", plan], &instance), 0);
    let late = feed(&["check", "--start", "11:59:01", "-", plan], &instance);
    assert_exit(&late, 6);
    assert!(stdout(&late).contains("deadline"), "{}", stdout(&late));
}

#[test]
fn manual_pages_and_schemas() {
    let list = stdout(&feed(&["doc"], ""));
    for signature in quadrille::constraint::REGISTRY {
        assert!(list.lines().any(|line| line.starts_with(signature.name)), "{}", signature.name);
        let page = feed(&["doc", signature.name], "");
        assert_exit(&page, 0);
        assert!(stdout(&page).contains("# Meaning"), "{}", signature.name);
    }
    let missing = feed(&["doc", "sprad"], "");
    assert!(stderr(&missing).contains("did you mean `spread`?"), "{}", stderr(&missing));
    for kind in ["instance", "plan"] {
        let schema: Value =
            serde_json::from_slice(&feed(&["schema", kind], "").stdout).expect("a schema is JSON");
        assert!(schema["$schema"].is_string() && schema["properties"].is_object(), "{kind}");
    }
}

#[test]
fn the_readme_shows_what_happens() {
    let file = |name: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("part of the repository")
    };
    let readme = file("README.md");
    assert!(readme.contains(&file("models/talk/talk.txt")), "README.md shows the plan of the talk");
    let quickstart = file("examples/quickstart.rs");
    let program = quickstart.find("use quadrille::Constraint;").and_then(|at| quickstart.get(at..));
    assert!(readme.contains(program.expect("the imports")), "README.md shows examples/quickstart.rs");
}

#[test]
fn shells_learn_the_arguments() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = feed(&["completions", shell], "");
        assert_exit(&output, 0);
        assert!(stdout(&output).contains("time-limit") && stdout(&output).contains("convert"), "{shell}");
    }
    assert_exit(&feed(&["completions", "abacus"], ""), 2);
}

#[test]
fn manual_pages_are_written() {
    let output = feed(&["man"], "");
    assert_exit(&output, 0);
    assert!(stdout(&output).contains(".TH quadrille 1"), "{}", stdout(&output));
    let folder = folder("cli/man").join("man1");
    assert_exit(&feed(&["man", name(&folder)], ""), 0);
    let page = fs::read_to_string(folder.join("quadrille-plan.1")).expect("a page for each subcommand");
    assert!(page.contains(".TH quadrille-plan 1") && page.contains("time\\-limit"), "{page}");
    assert!(folder.join("quadrille.1").exists());
}

/// Two replicas that are kept apart, and one node for both.
const CLASH: &str = r#"{"spread": {"vms": ["a", "b"]}}, {"fence": {"vm": "a", "nodes": ["n1"]}},
  {"ban": {"vm": "b", "nodes": ["n2"]}}"#;

#[test]
fn explain_names_the_conflict_and_what_helps() {
    let output = feed(&["explain", "-"], &with(CLASH));
    assert_exit(&output, 3);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "no plan: `spread({a, b})`, `fence(a, n1)`, `ban(b, n2)` clash: a and b must be on node n1 and break \
             `spread`",
            "  spread({a, b}) (constraints[0])",
            "  fence(a, n1) (constraints[1])",
            "  ban(b, n2) (constraints[2])",
            "  a and b run and take cpu 2 each",
            "what would help, each checked by a plan:",
        ]
    );
    assert!(text.contains("\n  make ban(b, {n2}) soft (cost 5; then 1 relocation)\n"), "{text}");
    assert!(text.ends_with("questions\n") && text.contains("1 conflict, each minimal"), "{text}");

    let output = feed(&["explain", "-", "--format", "json"], &with(CLASH));
    assert_exit(&output, 3);
    let document: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(document["schema"], "quadrille/explanation/1");
    let conflict = &document["conflicts"][0];
    assert_eq!((&conflict["kind"], &conflict["minimal"]), (&"broken_on_node".into(), &true.into()));
    assert_eq!(conflict["constraints"][1]["path"], "constraints[1]");
    assert_eq!(conflict["facts"][0]["kind"], "vm");
    assert_eq!(conflict["vms"], serde_json::json!(["a", "b"]));
    assert!(document["ways_out"].as_array().is_some_and(|ways| ways.len() > 2), "{document}");

    let output = feed(&["explain", "-", "--format", "dot"], &with(CLASH));
    let dot = stdout(&output);
    assert!(dot.starts_with("graph conflicts {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("label=\"fence(a, {n1})\", shape=box") && dot.contains(" -- "), "{dot}");
}

#[test]
fn what_plan_says_of_a_conflict() {
    let output = feed(&["plan", "-", "--format", "json"], &with(CLASH));
    assert_exit(&output, 3);
    let document: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let paths: Vec<&Value> = document["conflict"]["constraints"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["path"])
        .collect();
    assert_eq!(paths, ["constraints[0]", "constraints[1]", "constraints[2]"]);
}

#[test]
fn conflicts_point_into_rule_files() {
    let folder = folder("cli/conflicts");
    let rules = folder.join("site.btrp");
    fs::write(&rules, "namespace site;\nspread(VM[1..2]);\n>>fence(VM1, @n1);\n>>fence(VM2, @n1);\n")
        .expect("a file");
    let cluster = folder.join("cluster.btrp");
    let declared = "resource cpu;\n@n[1..2] : s<cpu=4> online;\nVM[1..2] : t<cpu=1> running on @n1;\n";
    fs::write(&cluster, declared).expect("a file");
    for command in ["plan", "explain"] {
        let output = feed(&[command, name(&cluster), "--rules", name(&rules)], "");
        assert_exit(&output, 3);
        let said = stderr(&output);
        assert!(
            said.starts_with("error[E0701]: no plan: VM1 and VM2 must be on node n1 and break `spread`\n"),
            "{said}"
        );
        for place in ["site.btrp:2:1\n", "2 | spread(VM[1..2]);\n", "3 | >>fence(VM1, @n1);\n"] {
            assert!(said.contains(place), "{place} in {said}");
        }
        assert!(stdout(&output).contains("site.btrp:4:1"), "{}", stdout(&output));
        let arguments =
            [command, name(&cluster), "--rules", name(&rules), "--format", "json", "--diagnostics", "json"];
        let output = feed(&arguments, "");
        let document: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let conflict = document.get("conflict").unwrap_or(&document["conflicts"][0]);
        let first = &conflict["constraints"][0];
        assert_eq!((&first["line"], &first["column"]), (&2.into(), &1.into()), "{first}");
        let diagnostic: Value =
            serde_json::from_str(stderr(&output).lines().next().expect("a line")).expect("JSON");
        assert_eq!(diagnostic["code"], "E0701");
        assert_eq!(diagnostic["labels"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn questions_about_a_plan() {
    let talk = "models/talk/talk.json";
    let ask = |arguments: &[&str]| {
        let output = feed(&[&["explain", talk], arguments].concat(), "");
        assert_exit(&output, 0);
        stdout(&output)
    };
    assert_eq!(ask(&["--vm", "VM5"]), "0:3 migrate VM5 (N1 -> N3)  # makes room for VM7\n");
    assert_eq!(
        ask(&["--vm", "VM7", "--to", "N4"]),
        "3:8 migrate VM7 (N5 -> N1)  # VM7 does not fit on N5: cpu\n\
         VM7 is not on N4: needs 5 of cpu, N4 has 0 left at the end of this plan\n\
         VM7 can never be on N4: VM7 must be on node N4 and needs 5 of cpu, it has 4\n  \
         preserve(VM7, cpu, 5) (constraints[1])\n  VM7 runs and takes cpu 2, mem 5\n  N4 has 4 of cpu\n"
    );
    assert_eq!(
        ask(&["--action", "3"]),
        "3: 3:8 migrate VM7 (N5 -> N1)  # VM7 does not fit on N5: cpu\n  \
         waits for 1: migrate VM5 (N1 -> N3)  # needs 5 of cpu on N1, 3 free until then\n"
    );
    let bound = ask(&["--bound"]);
    assert!(
        bound.starts_with("at least 4 relocations:\n  2: VM2 and VM4 must leave: offline(N2)\n"),
        "{bound}"
    );
    assert!(bound.contains("  1: N5 is overloaded by 2 cpu: at least 1 VM must leave\n"), "{bound}");
    let document: Value =
        serde_json::from_str(&ask(&["--vm", "VM1", "--bound", "--format", "json"])).expect("JSON");
    assert_eq!(document["schema"], "quadrille/answer/1");
    assert_eq!(document["vm"]["actions"], serde_json::json!([]));
    for wrong in
        [&["--vm", "VM99"][..], &["--vm", "VM1", "--to", "N99"], &["--action", "99"], &["--to", "N1"]]
    {
        assert_exit(&feed(&[&["explain", talk], wrong].concat(), ""), 2);
    }
    assert_exit(&feed(&["explain", "-"], CALM), 0);
}

#[test]
fn reasons_are_true() {
    let room = "resource cpu; @e : s<cpu=8> online; @w : s<cpu=8> online;\n\
        db[1..2] : t<cpu=3, migrate=12> running on @e; web : t<cpu=1> running on @e;\n\
        big : t<cpu=5> running on @w; mail : t<cpu=1>;\n\
        splitAmong(db[1..2] % 1, {{@e}, {@w}}); running(mail);\n";
    let file = folder("cli/reasons").join("room.btrp");
    fs::write(&file, room).expect("a file");
    let output = feed(&["plan", name(&file)], "");
    let said = stdout(&output);
    assert!(said.contains("migrate db2 (e -> w)  # splitAmong("), "{said}");
    assert!(!said.contains("makes room"), "there was room: {said}");
}

//! The example of the talk, and names that mean harm.

use super::*;
use crate::constraint::Constraint;
use crate::constraint::Violation;
use crate::constraint::spread::Spread;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::Metrics;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::objective::Level;
use crate::objective::Metric;
use crate::outcome::Bounded;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::outcome::Outcome;
use crate::outcome::Status;
use crate::outcome::StopReason;
use crate::outcome::Timings;
use crate::verify::Conditions;
use crate::verify::CoreRule;
use crate::verify::Finding;
use crate::verify::Report;
use crate::verify::Source;

const CPU: ResourceId = ResourceId(0);

fn action(kind: ActionKind, start: u64, end: u64, reason: Reason) -> Action {
    Action { kind, start, end, allocations: Vec::new(), bandwidth: 0, reason }
}

fn migrate(vm: u32, from: u32, to: u32) -> ActionKind {
    ActionKind::Migrate { vm: VmId(vm - 1), from: NodeId(from - 1), to: NodeId(to - 1) }
}

/// N2 goes to maintenance, the load of VM7 rises.
fn talk() -> (Instance, Plan) {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    for (at, capacity) in [8, 8, 4, 4, 3].into_iter().enumerate() {
        let node = b.node(&format!("N{}", at + 1));
        b.capacity(node, cpu, capacity);
    }
    for (at, (node, demand)) in
        [(0, 3), (1, 2), (2, 2), (1, 1), (0, 2), (3, 2), (4, 2)].into_iter().enumerate()
    {
        let vm = b.running_vm(&format!("VM{}", at + 1), NodeId(node));
        b.demand(vm, cpu, demand);
    }
    b.constraint(Constraint::new(Spread { vms: [VmId(1), VmId(3)].into() }));
    let instance = b.build().expect("a cluster");
    let mut grows = action(migrate(7, 5, 1), 3, 8, Reason::Overload(NodeId(4), CPU));
    grows.allocations = vec![(CPU, 5)];
    let plan = Plan {
        actions: vec![
            action(migrate(4, 2, 5), 0, 3, Reason::Constraint(0)),
            action(migrate(5, 1, 3), 0, 3, Reason::RoomFor(VmId(6))),
            action(migrate(2, 2, 4), 0, 4, Reason::Constraint(0)),
            grows,
            action(ActionKind::ShutdownNode { node: NodeId(1) }, 4, 8, Reason::Unknown),
        ],
        happens_before: vec![(0, 4), (1, 3), (2, 4)],
    };
    (instance, plan)
}

fn outcome(plan: Option<Plan>) -> Outcome {
    let metrics = plan.as_ref().map_or_else(Metrics::default, |plan| Metrics::of(&talk().0, plan));
    let level = |metric, bound| Bounded { level: Level::of(metric), value: metrics.get(metric), bound };
    Outcome {
        status: if plan.is_some() { Status::Optimal } else { Status::Unknown },
        stop_reason: StopReason::Proved,
        levels: vec![level(Metric::Relocations, metrics.relocations), level(Metric::Mttr, metrics.mttr)],
        plan,
        metrics,
        conflict: None,
        repaired: Vec::new(),
        steps: 0,
        timings: Timings::default(),
    }
}

#[test]
fn the_talk_in_lines() {
    let (instance, plan) = talk();
    let mut outcome = outcome(Some(plan));
    assert_eq!(
        text(&instance, &outcome, &TextOptions::default()),
        "\
0:3 migrate VM4 (N2 -> N5)  # spread({VM2, VM4})
0:3 migrate VM5 (N1 -> N3)  # makes room for VM7
0:4 migrate VM2 (N2 -> N4)  # spread({VM2, VM4})
3:8 migrate VM7 (N5 -> N1)  !migrate(VM5) -> migrate(VM7, N5, N1)  # VM7 does not fit on N5: cpu; with cpu 5
4:8 shutdown N2             !migrate(VM4) & !migrate(VM2) -> shutdown(N2)
4 migrations, 1 node shutdown, 8s, sum of ends 26; optimal: 4 relocations is the fewest; mttr 26 (bound 26)
"
    );
    outcome.levels[1].bound = 20;
    outcome.stop_reason = StopReason::Limit;
    let options = TextOptions { verbose: true, total_ms: Some(213.0), ..TextOptions::default() };
    let verbose = text(&instance, &outcome, &options);
    assert!(verbose.contains("-> migrate(VM4)  # spread({VM2, VM4}); may be 1s late\n"), "{verbose}");
    assert!(verbose.contains("with cpu 5; critical\n"), "{verbose}");
    assert!(
        verbose.ends_with("; mttr 26 (bound 20, gap 23.1 %); stopped by the limit after 0.21 s\n"),
        "{verbose}"
    );
    assert!(!verbose.contains('\u{1b}'));
    let colored = text(&instance, &outcome, &TextOptions { color: true, ..options });
    let mut plain = colored.clone();
    for code in ["2", "32", "0"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_ne!(colored, plain);
    assert_eq!(plain, verbose);
}

#[test]
fn the_talk_in_events() {
    let (instance, plan) = talk();
    assert_eq!(
        events(&instance, &plan),
        "\
-> migrate(VM4)
-> migrate(VM5)
-> migrate(VM2)
!migrate(VM5) -> migrate(VM7, N5, N1)
!migrate(VM4) & !migrate(VM2) -> shutdown(N2)
"
    );
}

#[test]
fn labels_that_could_be_two_things_say_more() {
    let mut b = InstanceBuilder::new();
    let (a, c) = (b.node("a"), b.node("c"));
    let off = b.offline_node("x");
    let x = b.running_vm("x", a);
    let y = b.ready_vm("y");
    let instance = b.build().expect("a cluster");
    let unknown = |kind| action(kind, 0, 1, Reason::Unknown);
    let plan = Plan {
        actions: vec![
            unknown(ActionKind::Migrate { vm: x, from: a, to: c }),
            unknown(ActionKind::Migrate { vm: x, from: c, to: a }),
            unknown(ActionKind::Migrate { vm: x, from: a, to: c }),
            unknown(ActionKind::BootNode { node: off }),
            unknown(ActionKind::Boot { vm: y, node: off }),
            unknown(ActionKind::ForgeClone { vm: x }),
            unknown(ActionKind::BootClone { vm: x, from: c, to: a }),
            unknown(ActionKind::Shutdown { vm: x, node: a }),
            unknown(ActionKind::ShutdownNode { node: off }),
        ],
        happens_before: vec![(0, 1), (1, 2), (3, 4), (5, 6), (7, 8)],
    };
    assert_eq!(
        events(&instance, &plan),
        "\
-> migrate(x, a, c)#0
!migrate(x, a, c)#0 -> migrate(x, c, a)
!migrate(x, c, a) -> migrate(x, a, c)#2
-> boot(x)
!boot(x) -> boot(y, x)
-> forge_clone(x)
!forge_clone(x) -> boot_clone(x, c, a)
-> shutdown(x, a)
!shutdown(x, a) -> shutdown_node(x)
"
    );
}

#[test]
fn the_status_speaks_of_the_first_level() {
    let (_, plan) = talk();
    let mut outcome = outcome(Some(plan));
    let last = |outcome: &Outcome| {
        summary(&talk().0, outcome, 210.0)
            .split_once("; ")
            .map(|parts| parts.1.to_owned())
            .unwrap_or_default()
    };
    outcome.status = Status::Feasible;
    outcome.stop_reason = StopReason::Stalled;
    outcome.levels[0].bound = 3;
    assert_eq!(
        last(&outcome),
        "not proved optimal: 4 relocations, at least 3 are needed; mttr 26 (bound 26); no better plan for long after 0.21 s"
    );
    // Penalties are named.
    outcome.levels[0].value = 10;
    assert!(
        last(&outcome)
            .starts_with("not proved optimal: relocations 4 and penalties 6 make 10 (bound 3, gap 70 %); ")
    );
    outcome.status = Status::Optimal;
    outcome.stop_reason = StopReason::Proved;
    outcome.levels = vec![Bounded { level: Level::of(Metric::SumOfEnds), value: 26, bound: 26 }];
    assert_eq!(last(&outcome), "optimal (bound 26) in 0.21 s");
    outcome.levels =
        vec![Bounded { level: Level::of(Metric::Makespan), value: 8, bound: 8 }, outcome.levels.remove(0)];
    assert_eq!(last(&outcome), "optimal: makespan 8 is the least; sum of ends 26 (bound 26) in 0.21 s");
}

#[test]
fn no_plan_and_nothing_to_do() {
    let (instance, _) = talk();
    let mut empty = outcome(Some(Plan::default()));
    assert_eq!(
        text(&instance, &empty, &TextOptions::default()),
        "nothing to do; optimal: 0 relocations is the fewest; mttr 0 (bound 0)\n"
    );
    empty.plan = None;
    empty.levels.clear();
    empty.status = Status::Infeasible;
    empty.conflict =
        Some(Conflict::of(Clash::Seats(2, 1), vec![9, 0], vec![VmId(1), VmId(3)], vec![NodeId(0)]));
    assert_eq!(
        text(&instance, &empty, &TextOptions::default()),
        "\
these cannot hold together:
  spread({VM2, VM4}) (constraints[0])
  constraint 9
VMs: VM2, VM4
nodes: N1
infeasible: VM2 and VM4 need 2 places of their own, 1 is left (N1)
"
    );
    let document = json(&instance, &empty, &Measured::default());
    assert_eq!(document["status"], "infeasible");
    assert!(document["plan"].is_null() && document["metrics"].is_null() && document["objective"].is_null());
    assert_eq!(document["conflict"]["constraints"][0]["name"], "spread");
    assert_eq!(document["conflict"]["vms"], serde_json::json!(["VM2", "VM4"]));
}

#[test]
fn the_talk_in_json() {
    let (instance, plan) = talk();
    let outcome = outcome(Some(plan));
    let measured = Measured { read_ms: 1.23456, total_ms: 10.0, peak_rss_mib: Some(12.5) };
    let document = json(&instance, &outcome, &measured);
    let keys: Vec<&str> =
        document.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    assert_eq!(
        keys,
        [
            "schema",
            "status",
            "stop_reason",
            "objective",
            "metrics",
            "timings_ms",
            "peak_rss_mib",
            "plan",
            "conflict"
        ]
    );
    assert_eq!(
        document["objective"],
        serde_json::json!({
            "name": "relocations", "value": 4, "bound": 4, "gap": 0.0,
            "then": [{"name": "mttr", "value": 26, "bound": 26, "gap": 0.0}],
        })
    );
    assert_eq!(document["timings_ms"]["read"], 1.235);
    assert_eq!(document["metrics"]["sum_of_ends"], 26);
    let written = json_text(&document);
    assert!(
        written.contains(
            "      {\"id\": 3, \"kind\": \"migrate\", \"vm\": \"VM7\", \"from\": \"N5\", \"to\": \"N1\", \
             \"start\": 3, \"end\": 8, \"after\": [1], \"reason\": \"VM7 does not fit on N5: cpu\", \
             \"allocations\": {\"cpu\": 5}},\n      \
             {\"id\": 4, \"kind\": \"shutdown_node\", \"node\": \"N2\", \"start\": 4, \"end\": 8, \
             \"after\": [0, 2], \"reason\": null}\n"
        ),
        "{written}"
    );
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).ok(), Some(document));
}

#[test]
fn every_kind_in_json() {
    let (instance, _) = talk();
    let (vm, node, to) = (VmId(0), NodeId(0), NodeId(2));
    let of = |kind| {
        let plan = Plan { actions: vec![action(kind, 0, 1, Reason::Unknown)], happens_before: vec![] };
        let mut object =
            json(&instance, &outcome(Some(plan)), &Measured::default())["plan"]["actions"][0].take();
        for key in ["id", "start", "end", "after", "reason"] {
            object.as_object_mut().and_then(|map| map.shift_remove(key)).expect(key);
        }
        object.to_string()
    };
    use ActionKind::*;
    let cases = [
        (Boot { vm, node }, r#"{"kind":"boot","vm":"VM1","node":"N1"}"#),
        (Shutdown { vm, node }, r#"{"kind":"shutdown","vm":"VM1","node":"N1"}"#),
        (Suspend { vm, node }, r#"{"kind":"suspend","vm":"VM1","node":"N1"}"#),
        (Resume { vm, from: node, to }, r#"{"kind":"resume","vm":"VM1","from":"N1","to":"N3"}"#),
        (Kill { vm, node: Some(node) }, r#"{"kind":"kill","vm":"VM1","node":"N1"}"#),
        (Kill { vm, node: None }, r#"{"kind":"kill","vm":"VM1"}"#),
        (Forge { vm }, r#"{"kind":"forge","vm":"VM1"}"#),
        (ForgeClone { vm }, r#"{"kind":"forge","vm":"VM1","clone":true}"#),
        (
            BootClone { vm, from: node, to },
            r#"{"kind":"boot","vm":"VM1","from":"N1","to":"N3","clone":true}"#,
        ),
        (ShutdownOriginal { vm, from: node }, r#"{"kind":"shutdown","vm":"VM1","from":"N1","clone":true}"#),
        (
            Allocate { vm, node, resource: CPU, amount: 7 },
            r#"{"kind":"allocate","vm":"VM1","node":"N1","resource":"cpu","amount":7}"#,
        ),
        (BootNode { node }, r#"{"kind":"boot_node","node":"N1"}"#),
        (ShutdownNode { node }, r#"{"kind":"shutdown_node","node":"N1"}"#),
        // An id that the instance has not is a name all the same.
        (Forge { vm: VmId(99) }, r#"{"kind":"forge","vm":"unknown-vm-99"}"#),
    ];
    for (kind, expected) in cases {
        assert_eq!(of(kind), expected);
    }
}

const EVIL: &str = "a\"]; b\\\n\u{1b}[31m<&>\u{9b}2J\u{202e}";

#[test]
fn names_that_mean_harm() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("c\u{7}pu");
    let from = b.node(EVIL);
    let to = b.node("n2");
    let vm = b.running_vm(EVIL, from);
    b.constraint(Constraint::new(Spread { vms: [vm].into() }));
    let instance = b.build().expect("a cluster");
    let moves = action(ActionKind::Migrate { vm, from, to }, 0, 1, Reason::Constraint(0));
    let share = ActionKind::Allocate { vm, node: to, resource: cpu, amount: 1 };
    let plan = Plan {
        actions: vec![moves, action(share, 1, 1, Reason::Overload(to, cpu))],
        happens_before: vec![(0, 1)],
    };
    let mut outcome = outcome(Some(plan.clone()));
    let violation =
        Violation { amount: 1, vms: vec![vm], nodes: vec![from], text: format!("{EVIL} is wrong") };
    outcome.repaired = vec![(0, 1, violation.clone())];
    let found = Report {
        findings: vec![Finding { at: Some(1), source: Source::Constraint(0), violation, soft: false }],
        ..Report::default()
    };
    let document = json(&instance, &outcome, &Measured::default());
    let texts = [
        text(&instance, &outcome, &TextOptions { verbose: true, ..TextOptions::default() }),
        events(&instance, &plan),
        dot(&instance, &plan),
        gantt(&instance, &plan),
        report(&instance, &found),
        json_text(&document),
        json_text(&report_json(&instance, &found)),
    ];
    for text in &texts {
        let harmful = |c: char| c != '\n' && !name::is_plain(c);
        assert!(!text.contains(harmful), "{text:?}");
    }
    // Two actions, one line each; the name breaks no line.
    assert_eq!(texts[1].lines().count(), 2);
    // The inside of the label: quotes and backslashes escaped once more.
    assert!(texts[2].contains(r#"[label="migrate \"a\\\"]; b\\\\\\n\\u{1b}[31m<&>"#), "{}", texts[2]);
    assert!(texts[3].contains("&lt;&amp;&gt;") && !texts[3].contains("<&>"));
    // What is read back is the name itself.
    let back: serde_json::Value = serde_json::from_str(&texts[5]).expect("a document");
    assert_eq!(back["plan"]["actions"][0]["vm"], EVIL);
}

#[test]
fn the_talk_as_a_graph() {
    let (instance, plan) = talk();
    let graph = dot(&instance, &plan);
    assert!(graph.starts_with("digraph plan {") && graph.ends_with("}\n"));
    assert!(graph.contains("a3 [label=\"migrate VM7 (N5 -> N1)\\n3:8\", color=red, penwidth=2];"), "{graph}");
    assert!(graph.contains("a1 -> a3 [color=red, penwidth=2];"));
    assert!(graph.contains("a0 -> a4;"));
    assert_eq!(graph.matches(" -> a").count(), 3);
    let picture = gantt(&instance, &plan);
    // Every migration on two rows, the shutdown on one, and the background.
    assert_eq!(picture.matches("<rect").count(), 4 * 2 + 1 + 1);
}

#[test]
fn reports() {
    let (instance, _) = talk();
    let violation = |text: &str| Violation {
        amount: 8,
        vms: vec![VmId(6)],
        nodes: vec![NodeId(4)],
        text: text.to_owned(),
    };
    let found = Report {
        findings: vec![
            Finding {
                at: Some(12),
                source: Source::Core(CoreRule::Capacity),
                violation: violation("node N5 needs 24 of cpu, has 16"),
                soft: false,
            },
            Finding {
                at: None,
                source: Source::Constraint(0),
                violation: violation("VM2 and VM4 are both on N2"),
                soft: true,
            },
        ],
        repaired: vec![(0, 4, violation("VM2 and VM4 are both on N2"))],
        penalty: 30,
        conditions: Conditions::Unchecked,
    };
    assert_eq!(
        report(&instance, &found),
        "\
at 12 s: capacity: node N5 needs 24 of cpu, has 16
    VMs: VM7; nodes: N5
spread({VM2, VM4}) (constraint 0) (at a price): VM2 and VM4 are both on N2
    VMs: VM7; nodes: N5
repaired: spread({VM2, VM4}) (constraint 0) holds from 4 s on; before the plan, VM2 and VM4 are both on N2
1 violation; 1 rule broken at a price; penalty 30
"
    );
    let document = report_json(&instance, &found);
    assert_eq!(document["ok"], false);
    assert_eq!(document["findings"][0]["rule"], "capacity");
    assert_eq!(document["findings"][0]["at"], 12);
    assert_eq!(document["findings"][1]["constraint"], 0);
    assert_eq!(document["findings"][1]["rule"], "spread");
    assert_eq!(document["repaired"][0]["holds_from"], 4);
    assert_eq!(document["conditions"], "unchecked");
    let holds = "everything that must hold holds\n";
    let with = |conditions| report(&instance, &Report { conditions, ..Report::default() });
    assert_eq!(with(Conditions::Unchecked), holds);
    assert_eq!(with(Conditions::Tried(16)), holds);
    let lacking = "only the times were checked: a plan of this format has no conditions\n";
    assert_eq!(with(Conditions::Lacking), format!("{lacking}{holds}"));
}

//! What is told of migrations over a network: in plans, of plans in files, and where there is none.

use crate::network::cluster;
use crate::network::solved;
use quadrille::Constraint;
use quadrille::Instance;
use quadrille::Options;
use quadrille::constraint::max_migrations::MaxMigrations;
use quadrille::constraint::serialize::Serialize;
use quadrille::explain;
use quadrille::explain::Change;
use quadrille::explain::Why;
use quadrille::format;
use quadrille::model::Channel;
use quadrille::model::NodeId;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::outcome::Member;
use quadrille::render;

const IDLE: Option<(i64, i64, f64)> = Some((0, 2, 0.0));

/// Why the second of two migrations over links of this width waits for the first, where each
/// takes 1000 Mbit/s at most; and the plan in words.
fn waits(width: u64, rule: Option<Constraint>) -> (Why, String) {
    let mut b = cluster(&[width; 3], &[(1000, IDLE, 0, 2), (1000, IDLE, 0, 2)]);
    for vm in [VmId(0), VmId(1)] {
        b.vm_attribute(vm, "bandwidth", Value::Int(1000));
    }
    if let Some(rule) = rule {
        b.constraint(rule);
    }
    let instance = b.build().expect("sound");
    let (outcome, plan) = solved(&instance, "makespan");
    let (_, then) = plan.happens_before[0];
    let why = explain::waits_for(&instance, &plan, then);
    let dot = render::dot(&instance, &plan);
    let text = render::text(&instance, &outcome, &render::TextOptions::default());
    let last = text.lines().find_map(|line| line.split("; waits for ").nth(1)).expect("a wait").to_owned();
    assert!(dot.contains(&format!("label=\"{last}\"")), "{dot}");
    (why[0].1.clone(), last)
}

#[test]
fn a_link_is_a_reason_only_where_it_is_full() {
    let one_by_one = || Some(Constraint::new(Serialize { vms: [VmId(0), VmId(1)].into() }));
    let (why, text) = waits(1000, None);
    assert_eq!((why, text.as_str()), (Why::Way(Channel::Up(0)), "link 0 from node n0"));
    // Room for both on each link, or for one: the rule says it plainly.
    for width in [10_000, 1000] {
        let (why, text) = waits(width, one_by_one());
        assert_eq!((why, text.as_str()), (Why::Rule(2), "serialize({vm0, vm1})"), "{width}");
    }
    let most = MaxMigrations {
        nodes: [NodeId(0)].into(),
        amount: 1,
        direction: "out".to_owned(),
        scope: "each".to_owned(),
    };
    let (why, text) = waits(10_000, Some(Constraint::new(most)));
    assert_eq!((why, text.as_str()), (Why::Rule(2), "maxMigrations({n0}, 1, out, each)"));
}

#[test]
fn what_a_file_says_of_a_migration_is_compared() {
    let instance = cluster(&[1000; 2], &[(1000, Some((100, 2, 10.0)), 0, 1)]).build().expect("sound");
    let (outcome, _) = solved(&instance, "makespan");
    let written = render::json_text(&render::json(&instance, &outcome, &render::Measured::default()));
    assert!(format::native::read_plan(written.as_bytes(), &instance).is_ok());
    let downtime =
        written.split("\"downtime\": ").nth(1).and_then(|rest| rest.split([',', '\n', '}']).next());
    let downtime = downtime.expect("a downtime");
    for (from, to, message) in [
        ("\"pre-copy\"", "\"cold\"", "the migration is `pre-copy`, not `cold`"),
        ("\"pre-copy\"", "\"fast\"", "one of the words"),
        (&format!("\"downtime\": {downtime}"), "\"downtime\": 99", "not for 99 s"),
    ] {
        let other = written.replacen(from, to, 1);
        assert_ne!(other, written, "{from}");
        let error = format::native::read_plan(other.as_bytes(), &instance).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// Memory that is written at 50 MB/s, and a link of 100 Mbit/s where it is to go.
fn endless() -> Instance {
    cluster(&[1000, 100], &[(4000, Some((0, 2, 50.0)), 0, 1)]).build().expect("sound")
}

#[test]
fn a_migration_that_would_never_end_is_named() {
    let instance = endless();
    let options = Options { step_limit: Some(20_000), ..Options::default() };
    let found = explain::explain(&instance, &options).expect("sound");
    let conflict = &found.conflicts[0];
    assert!(conflict.members.contains(&Member::Network), "{conflict:?}");
    assert!(conflict.minimal);
    let text = render::clash(&instance, conflict);
    assert!(
        text.ends_with(
            "vm0 cannot migrate: memory is written at 50.0 MB/s, and 11.1 MB/s can be sent: a live \
             migration would never end"
        ),
        "{text}"
    );
    let changes: Vec<&Change> = found.ways.iter().flat_map(|way| &way.changes).collect();
    for change in [Change::Widen(vec![1], 451), Change::PostCopy(VmId(0)), Change::Cold(VmId(0))] {
        assert!(changes.contains(&&change), "{change:?}: {changes:?}");
        let (other, _) = explain::changed(&instance, None, &[change]);
        assert!(quadrille::solve(&other, &options).expect("sound").plan.is_some());
    }
    let text = render::explanation(&instance, &found);
    assert!(text.contains("  link 1 from node n1 (100) needs 451 Mbit/s (cost 5; "), "{text}");
}

#[test]
fn a_migration_that_a_budget_never_allows_is_named() {
    let mut b = cluster(&[1000; 2], &[(1000, IDLE, 0, 1)]);
    b.constraint(Constraint::new(MaxMigrations {
        nodes: [NodeId(0)].into(),
        amount: 0,
        direction: "both".to_owned(),
        scope: "each".to_owned(),
    }));
    let instance = b.build().expect("sound");
    let options = Options { step_limit: Some(20_000), ..Options::default() };
    let found = explain::explain(&instance, &options).expect("sound");
    let text = render::clash(&instance, &found.conflicts[0]);
    let expected = "to migrate vm0 takes 1 of what maxMigrations({n0}, 0, both, each) allows, which is 0";
    assert!(text.ends_with(expected), "{text}");
    let raised = Change::Raise(1, 1, 0);
    assert!(found.ways.iter().any(|way| way.changes == [raised.clone()]), "{:?}", found.ways);
}

#[test]
fn the_last_line_names_the_value_of_every_level() {
    let mut b = cluster(&[1000; 2], &[(1000, IDLE, 0, 1)]);
    b.node_attribute(NodeId(0), "power", Value::Int(100));
    let instance = b.build().expect("sound");
    let line = |objective: &str| render::summary(&instance, &solved(&instance, objective).0, 0.0);
    // 9 s of 100 W, and 532 J.
    let energy = line("energy");
    assert!(energy.contains("energy 1432 J"), "{energy}");
    let sum = line("2*makespan+3*relocations");
    assert!(sum.contains("2*makespan+3*relocations 21"), "{sum}");
    assert!(line("relocations,energy").contains("; energy 1432 J ("), "{}", line("relocations,energy"));
}

#[test]
fn a_vm_is_told_how_it_travels() {
    let mut b = cluster(&[2000, 1000, 1000], &[(1000, IDLE, 0, 2), (4500, None, 1, 2)]);
    b.vm_attribute(VmId(0), "bandwidth", Value::Int(400)).vm_attribute(VmId(1), "migrate", Value::Int(7));
    let instance = b.build().expect("sound");
    let (_, plan) = solved(&instance, "makespan");
    let text = render::why_vm(&instance, &plan, VmId(0));
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "  at 400 Mbit/s: vm0 takes no more than 400; its way is 1000 Mbit/s wide, link 2 to node n2 the \
             narrowest part of it",
            "  pre-copy in 23s, of which the VM stands still for less than 1 ms",
        ]
    );
    let text = render::why_vm(&instance, &plan, VmId(1));
    assert!(text.contains("  takes 7s, as its attribute `migrate` says\n"), "{text}");
}

#[test]
fn who_shares_its_way_is_told_with_whom() {
    let instance = cluster(&[1000; 2], &[(1000, IDLE, 0, 1), (1000, IDLE, 0, 1)]).build().expect("sound");
    let (_, mut plan) = solved(&instance, "makespan");
    plan.happens_before.clear();
    for action in &mut plan.actions {
        (action.start, action.end, action.bandwidth) = (0, 18, 500);
    }
    let text = render::why_action(&instance, &plan, 0, &[]);
    assert!(
        text.contains(
            "  shares its way with migrate vm1 (n0 -> n1); at all 1000 Mbit/s it would take 9s instead of \
             18s, and they would wait\n"
        ),
        "{text}"
    );
}

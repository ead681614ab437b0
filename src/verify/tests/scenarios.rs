//! What an operator may meet, one situation a test.

use super::rules::Rule;
use super::*;
use crate::constraint::Restriction;
use crate::constraint::among::Among;
use crate::constraint::spread::Spread;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::ResourceId;

const CAPACITY: Source = Source::Core(CoreRule::Capacity);
const STATE: Source = Source::Core(CoreRule::State);

/// Nodes of 10 cpu; VMs with a node and a demand each.
fn cluster(nodes: usize, vms: &[(usize, u64)]) -> (InstanceBuilder, Vec<NodeId>, Vec<VmId>, ResourceId) {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 10, 0);
    let nodes: Vec<_> = (0..nodes).map(|n| b.node(&format!("n{n}"))).collect();
    let vms = vms
        .iter()
        .enumerate()
        .map(|(v, &(node, demand))| {
            let vm = b.running_vm(&format!("v{v}"), nodes[node]);
            b.demand(vm, cpu, demand);
            vm
        })
        .collect();
    (b, nodes, vms, cpu)
}

fn built(b: InstanceBuilder) -> Instance {
    b.build().expect("a valid instance")
}

fn migrate(start: u64, vm: VmId, from: NodeId, to: NodeId) -> Action {
    act(start, start + 1, ActionKind::Migrate { vm, from, to })
}

fn strictly(instance: &Instance, plan: &Plan) -> Report {
    verify(instance, plan, &VerifyOptions { strict: true, horizon: None })
}

#[test]
fn an_empty_cluster_and_an_empty_plan_are_right() {
    let instance = built(InstanceBuilder::new());
    assert_eq!(verify_source(&instance), Report::default());
    assert_eq!(strictly(&instance, &Plan::default()), Report::default());
}

#[test]
fn the_source_is_checked_for_what_is_wrong_now() {
    let (mut b, n, v, cpu) = cluster(3, &[(0, 6), (0, 7), (1, 2)]);
    let spread = Spread { vms: [v[0], v[1]].into() };
    for constraint in [
        Constraint::new(spread.clone()),
        Constraint::new(spread.clone()).discrete().expect("may be discrete"),
        Constraint::new(spread).soft(5).expect("may be soft"),
        // Wishes: that they are not met yet is no fault.
        Rule::State(v[2], VmState::Sleeping).discrete(),
        Rule::Node(n[2], false).discrete(),
        Rule::AtLeast(v[2], cpu, 4).discrete(),
        // The node may carry more, or must carry less, than its capacity.
        Rule::Limit(n[1], cpu, 1).discrete(),
    ] {
        b.constraint(constraint);
    }
    let report = verify_source(&built(b));
    let expected = [CAPACITY, Source::Constraint(0), Source::Constraint(1), Source::Constraint(6)];
    assert_eq!(faults(&report), expected.map(|source| (None, source)));
    assert_eq!(report.penalty, 5);
    assert_eq!(
        texts(&report),
        [
            "node n0 needs 13 of cpu, has 10",
            "v0 and v1 share node n0",
            "v0 and v1 share node n0",
            "v0 and v1 share node n0",
            "node n1 needs 2 of cpu, has 10 and may carry 1",
        ]
    );
    assert_eq!(report.findings[0].violation.vms, [v[0], v[1]]);
    assert_eq!(report.findings[0].violation.nodes, [n[0]]);
    assert_eq!(report.findings[0].violation.amount, 3);
}

#[test]
fn an_overload_is_repaired_step_by_step() {
    let (b, n, v, _) = cluster(3, &[(0, 6), (0, 7), (0, 3), (1, 2)]);
    let instance = built(b);
    let relief = vec![migrate(0, v[2], n[0], n[1]), migrate(1, v[1], n[0], n[2])];
    let mut good = plan(relief);
    assert_eq!(check(&instance, &good), Report::default());
    assert_eq!(faults(&strictly(&instance, &good)), [(Some(0), CAPACITY)]);

    good.actions.pop();
    let report = check(&instance, &good);
    assert_eq!(texts(&report), ["node n0 needs 13 of cpu at 1 s, has 10"], "not gone at the end");
    let report = check(&instance, &Plan::default());
    assert_eq!(texts(&report), ["node n0 needs 16 of cpu at 0 s, has 10"]);
    assert_eq!(faults(&strictly(&instance, &Plan::default())), [(Some(0), CAPACITY)], "said once");
}

#[test]
fn an_overload_may_not_grow_even_for_a_moment() {
    let (b, n, v, _) = cluster(3, &[(0, 6), (0, 7), (0, 3), (1, 2)]);
    let instance = built(b);
    let visit = |arrival| {
        plan(vec![
            migrate(arrival, v[3], n[1], n[0]),
            migrate(arrival + 1, v[3], n[0], n[1]),
            migrate(3, v[0], n[0], n[1]),
            migrate(0, v[2], n[0], n[2]),
            migrate(10, v[1], n[0], n[2]),
        ])
    };
    // From 16 to 18 while v2 is still there.
    assert_eq!(faults(&check(&instance, &visit(0))), [(Some(0), CAPACITY)]);
    // From 13, which 16 has become, to 15.
    let report = check(&instance, &visit(2));
    assert_eq!(faults(&report), [(Some(2), CAPACITY)]);
    assert_eq!(
        texts(&report),
        [
            "node n0 needs 15 of cpu at 2 s, has 10; v3 came or grew; an overload that was there before may not grow"
        ]
    );
    // As v2 leaves: never more than before.
    assert_eq!(check(&instance, &visit(1)), Report::default());
    // To 7 at 4 s; then there is room.
    assert_eq!(check(&instance, &visit(5)), Report::default());
}

#[test]
fn a_vm_on_the_move_weighs_on_both_nodes() {
    let (b, n, v, _) = cluster(3, &[(0, 6), (1, 6), (2, 4)]);
    let instance = built(b);
    let late = |start| {
        let swap = vec![
            migrate(0, v[2], n[2], n[1]),
            migrate(1, v[2], n[1], n[2]),
            migrate(start, v[0], n[0], n[2]),
            migrate(start + 1, v[0], n[2], n[0]),
        ];
        check(&instance, &plan(swap))
    };
    assert_eq!(late(2), Report::default(), "n2 is full, not more");
    let (b, n, v, _) = cluster(2, &[(0, 6), (1, 6)]);
    let report = check(&built(b), &plan(vec![migrate(0, v[0], n[0], n[1]), migrate(0, v[1], n[1], n[0])]));
    assert_eq!(
        texts(&report),
        [
            "node n0 needs 12 of cpu at 0 s, has 10; v1 came or grew",
            "node n1 needs 12 of cpu at 0 s, has 10; v0 came or grew"
        ],
        "each waits for the other"
    );
}

#[test]
fn the_destination_is_charged_the_new_share_from_the_start_and_the_source_the_old_one() {
    let (b, n, v, cpu) = cluster(2, &[(0, 8), (1, 4), (0, 0)]);
    let instance = built(b);
    let moving = |share, grown, at| {
        let mut moving = migrate(0, v[0], n[0], n[1]);
        moving.allocations = vec![(cpu, share)];
        let grow = act(at, at, ActionKind::Allocate { vm: v[2], node: n[0], resource: cpu, amount: grown });
        check(&instance, &plan(vec![moving, grow]))
    };
    assert_eq!(moving(6, 2, 0), Report::default());
    assert_eq!(faults(&moving(7, 2, 0)), [(Some(0), CAPACITY)]);
    assert_eq!(faults(&moving(6, 3, 0)), [(Some(0), CAPACITY)], "8 on n0 until v0 has left");
    assert_eq!(moving(6, 3, 1), Report::default());
}

#[test]
fn limits_take_the_place_of_capacities() {
    let base = || cluster(2, &[(0, 6), (1, 6)]);
    let (b, n, v, cpu) = base();
    let visit = plan(vec![migrate(0, v[0], n[0], n[1]), migrate(3, v[0], n[1], n[0])]);
    let with = |rules: Vec<Constraint>| {
        let (mut b, ..) = base();
        rules.into_iter().for_each(|rule| {
            b.constraint(rule);
        });
        check(&built(b), &visit)
    };
    assert_eq!(faults(&check(&built(b), &visit)), [(Some(0), CAPACITY)]);
    let limit = |most| Rule::Limit(n[1], cpu, most);
    assert_eq!(with(vec![limit(12).continuous()]), Report::default());
    let report = with(vec![limit(12).continuous(), limit(11).continuous()]);
    assert_eq!(faults(&report), [(Some(0), Source::Constraint(1))]);
    assert_eq!(texts(&report), ["node n1 needs 12 of cpu at 0 s, has 10 and may carry 11; v0 came or grew"]);
    // Discrete ones alone: no limit before the end.
    assert_eq!(with(vec![limit(6).discrete()]), Report::default());
    assert_eq!(faults(&with(vec![limit(5).discrete()])), [(Some(4), Source::Constraint(0))]);
    assert_eq!(faults(&with(vec![limit(11).continuous(), limit(5).discrete()])).len(), 2);
    let soft = limit(99).with(Restriction::Continuous, Strength::Soft(1));
    assert_eq!(faults(&with(vec![soft])), [(Some(0), CAPACITY)], "a wish gives no room");
}

#[test]
fn spread_members_may_follow_each_other_and_not_meet() {
    let (mut b, n, v, _) = cluster(3, &[(0, 1), (1, 1)]);
    b.constraint(Constraint::new(Spread { vms: v.clone().into() }));
    let mut instance = built(b);
    let behind = |start| plan(vec![migrate(0, v[1], n[1], n[2]), migrate(start, v[0], n[0], n[1])]);
    assert_eq!(check(&instance, &behind(1)), Report::default());
    let report = check(&instance, &behind(0));
    assert_eq!(faults(&report), [(Some(0), Source::Constraint(0))]);
    assert_eq!(texts(&report), ["v0 and v1 share node n1"]);
    let together = plan(vec![migrate(1, v[0], n[0], n[1])]);
    assert_eq!(faults(&check(&instance, &together)), [(Some(1), Source::Constraint(0))], "said once");

    instance.constraints[0].restriction = Restriction::Discrete;
    assert_eq!(check(&instance, &behind(0)), Report::default());
    assert_eq!(faults(&check(&instance, &together)), [(Some(2), Source::Constraint(0))]);
}

#[test]
fn a_broken_spread_is_repaired_and_the_moment_is_said() {
    let (mut b, n, v, _) = cluster(3, &[(0, 1), (0, 1), (1, 1)]);
    b.constraint(Constraint::new(Spread { vms: v.clone().into() }));
    let instance = built(b);
    let repair = plan(vec![migrate(4, v[1], n[0], n[2])]);
    let report = check(&instance, &repair);
    assert!(report.is_ok());
    let [(0, 5, before)] = &report.repaired[..] else { panic!("{:?}", report.repaired) };
    assert_eq!((before.amount, before.text.as_str()), (1, "v0 and v1 share node n0"));

    let report = strictly(&instance, &repair);
    assert_eq!(texts(&report), ["v0 and v1 share node n0; it is broken before the plan"]);
    assert_eq!(report.repaired, []);

    let report = check(&instance, &Plan::default());
    assert_eq!(texts(&report), ["v0 and v1 share node n0; the plan does not repair it"]);
}

#[test]
fn a_broken_constraint_may_not_become_worse_or_break_again() {
    let (mut b, n, v, _) = cluster(4, &[(0, 1), (0, 1), (1, 1)]);
    b.constraint(Constraint::new(Spread { vms: v.clone().into() }));
    let instance = built(b);
    // All three meet on n0 before two of them leave.
    let worse =
        plan(vec![migrate(0, v[2], n[1], n[0]), migrate(2, v[1], n[0], n[2]), migrate(2, v[2], n[0], n[3])]);
    let report = check(&instance, &worse);
    assert_eq!(faults(&report), [(Some(0), Source::Constraint(0))]);
    assert_eq!(texts(&report), ["v0, v1 and v2 share node n0; worse than it was before"]);
    assert_eq!(report.repaired, []);
    // v1 leaves for n2, then comes to v2.
    let again =
        plan(vec![migrate(0, v[1], n[0], n[2]), migrate(2, v[1], n[2], n[1]), migrate(3, v[1], n[1], n[2])]);
    let report = check(&instance, &again);
    assert_eq!(faults(&report), [(Some(2), Source::Constraint(0))]);
    assert_eq!(texts(&report), ["v1 and v2 share node n1"]);
}

#[test]
fn among_may_not_be_left_and_come_back_to() {
    let (mut b, n, v, _) = cluster(3, &[(0, 1), (1, 1)]);
    let parts = [[n[0], n[1]].as_slice().into(), [n[2]].as_slice().into()];
    b.constraint(
        Constraint::new(Among { vms: v.clone().into(), parts: parts.into() }).continuous().expect("may be"),
    );
    let mut instance = built(b);
    let trip = plan(vec![migrate(0, v[0], n[0], n[2]), migrate(1, v[0], n[2], n[1])]);
    assert_eq!(check(&instance, &Plan::default()), Report::default());
    assert_eq!(faults(&check(&instance, &trip))[0], (Some(0), Source::Constraint(0)));
    instance.constraints[0].restriction = Restriction::Discrete;
    assert_eq!(check(&instance, &trip), Report::default());
}

#[test]
fn who_joins_a_private_node_is_seen_though_no_member_moves() {
    // v0 wants to be alone; v1 and v2 are on n1.
    let (mut b, n, v, _) = cluster(3, &[(0, 1), (1, 1), (1, 1)]);
    b.constraint(Rule::Alone([v[0]].into()).continuous());
    let mut instance = built(b);
    let visit = plan(vec![migrate(0, v[1], n[1], n[0]), migrate(1, v[1], n[0], n[1])]);
    assert_eq!(faults(&check(&instance, &visit)), [(Some(0), Source::Constraint(0))]);

    // The member goes to n1 from 2 to 4; both strangers have to have left by then.
    let leave = |stop: u64, start: u64| {
        plan(vec![
            act(2, 3, ActionKind::Migrate { vm: v[0], from: n[0], to: n[1] }),
            act(stop, stop + 1, ActionKind::Shutdown { vm: v[1], node: n[1] }),
            migrate(start, v[2], n[1], n[2]),
        ])
    };
    instance.add_constraint(Rule::State(v[1], VmState::Ready).discrete());
    assert_eq!(check(&instance, &leave(0, 1)), Report::default());
    assert_eq!(faults(&check(&instance, &leave(0, 2))), [(Some(2), Source::Constraint(0))]);
    assert_eq!(faults(&check(&instance, &leave(2, 1))), [(Some(2), Source::Constraint(0))]);
}

#[test]
fn powered_nodes_count_from_the_start_of_the_boot_to_the_end_of_the_shutdown() {
    let mut b = InstanceBuilder::new();
    let n = [b.node("n0"), b.node("n1"), b.offline_node("n2")];
    for kind in [crate::model::Timed::BootNode, crate::model::Timed::ShutdownNode] {
        b.duration(kind, crate::model::Duration::Constant(5));
    }
    b.constraint(Rule::Powered(n.into(), 2).continuous());
    let mut instance = built(b);
    let turn = |boot: u64, stop: u64| {
        plan(vec![
            act(boot, boot + 5, ActionKind::BootNode { node: n[2] }),
            act(stop, stop + 5, ActionKind::ShutdownNode { node: n[0] }),
        ])
    };
    assert_eq!(check(&instance, &turn(5, 0)), Report::default());
    assert_eq!(faults(&check(&instance, &turn(4, 0))), [(Some(4), Source::Constraint(0))]);
    instance.constraints[0].restriction = Restriction::Discrete;
    assert_eq!(check(&instance, &turn(3, 0)), Report::default());
    let boot = plan(turn(3, 9).actions[..1].to_vec());
    assert_eq!(faults(&check(&instance, &boot)), [(Some(8), Source::Constraint(0))]);
}

#[test]
fn loads_of_a_set_of_nodes_are_watched() {
    let (mut b, n, v, cpu) = cluster(3, &[(0, 2), (0, 1), (2, 1)]);
    b.constraint(Rule::Load([n[0], n[1]].into(), cpu, 4).continuous());
    b.constraint(Rule::State(v[0], VmState::Ready).discrete());
    let instance = built(b);
    let grow = |at, amount| act(at, at, ActionKind::Allocate { vm: v[1], node: n[0], resource: cpu, amount });
    let steps = |at, amount| {
        check(
            &instance,
            &plan(vec![
                migrate(0, v[2], n[2], n[1]),                             // 4 of 4
                act(1, 2, ActionKind::Shutdown { vm: v[0], node: n[0] }), // 2 of 4
                grow(at, amount),
                migrate(5, v[1], n[0], n[2]), // 1 of 4
            ]),
        )
    };
    assert_eq!(steps(2, 3), Report::default());
    assert_eq!(faults(&steps(1, 3)), [(Some(1), Source::Constraint(0))]);
    assert_eq!(faults(&steps(2, 4)), [(Some(2), Source::Constraint(0))]);
}

#[test]
fn a_rule_that_looks_at_everything_is_asked_at_every_instant() {
    let (mut b, n, v, _) = cluster(2, &[(0, 1), (0, 1)]);
    let late = b.ready_vm("late");
    b.constraint(Rule::Running(2).continuous());
    b.constraint(Rule::State(v[0], VmState::Ready).discrete());
    b.constraint(Rule::State(late, VmState::Running).discrete());
    let instance = built(b);
    let boot = |start| {
        plan(vec![
            act(0, 1, ActionKind::Shutdown { vm: v[0], node: n[0] }),
            act(start, start + 1, ActionKind::Boot { vm: late, node: n[1] }),
        ])
    };
    assert_eq!(check(&instance, &boot(1)), Report::default());
    assert_eq!(faults(&check(&instance, &boot(0))), [(Some(0), Source::Constraint(0))]);
}

#[test]
fn rules_about_time_are_asked_about_the_whole_run() {
    let (mut b, n, v, _) = cluster(2, &[(0, 1), (0, 1)]);
    b.constraint(Rule::AtOnce(v[0]).discrete());
    let instance = built(b);
    assert_eq!(check(&instance, &Plan::default()), Report::default());
    let both = |start| plan(vec![migrate(0, v[0], n[0], n[1]), migrate(start, v[1], n[0], n[1])]);
    assert_eq!(check(&instance, &both(9)), Report::default());
    let back = plan(vec![migrate(0, v[0], n[0], n[1]), migrate(1, v[0], n[1], n[0])]);
    assert_eq!(faults(&check(&instance, &back)), [(Some(2), Source::Constraint(0))]);
}

#[test]
fn soft_constraints_cost_and_do_not_refuse() {
    let (mut b, n, v, _) = cluster(3, &[(0, 1), (0, 1), (0, 1)]);
    let spread = Constraint::new(Spread { vms: v.clone().into() });
    b.constraint(spread.soft(10).expect("may be soft"));
    b.constraint(Rule::Within([v[0]].into(), [n[2]].into()).with(Restriction::Continuous, Strength::Soft(3)));
    let instance = built(b);
    let report = strictly(&instance, &Plan::default());
    assert!(report.is_ok());
    assert_eq!((report.penalty, report.findings.len()), (23, 2));
    // The end alone counts.
    let report = check(&instance, &plan(vec![migrate(0, v[0], n[0], n[2])]));
    assert_eq!((report.penalty, report.repaired.len()), (10, 0));
}

#[test]
fn nobody_is_lost() {
    let (mut b, n, v, _) = cluster(2, &[(0, 1), (0, 1)]);
    let asleep = b.sleeping_vm("asleep", n[0]);
    let instance = built(b);
    let stop = plan(vec![
        act(0, 1, ActionKind::Suspend { vm: v[0], node: n[0] }),
        act(0, 1, ActionKind::Kill { vm: asleep, node: Some(n[0]) }),
    ]);
    let report = check(&instance, &stop);
    assert_eq!(faults(&report), [(Some(1), STATE), (Some(1), STATE)]);
    assert_eq!(
        texts(&report),
        [
            "asleep ends killed; it was sleeping, and no rule wants that to change",
            "v0 ends sleeping; it was running, and no rule wants that to change"
        ]
    );
}

#[test]
fn wishes_are_met_and_do_not_contradict_each_other() {
    let (mut b, n, v, _) = cluster(2, &[(0, 1), (0, 1)]);
    b.constraint(Rule::SilentState(v[0], VmState::Sleeping).discrete());
    let mut instance = built(b);
    let report = check(&instance, &Plan::default());
    assert_eq!(texts(&report), ["v0 ends running, it is wanted sleeping"]);
    let suspend = plan(vec![act(0, 1, ActionKind::Suspend { vm: v[0], node: n[0] })]);
    assert_eq!(check(&instance, &suspend), Report::default());

    instance.add_constraint(Rule::State(v[0], VmState::Sleeping).discrete());
    assert_eq!(check(&instance, &suspend), Report::default(), "said twice");
    assert_eq!(faults(&check(&instance, &Plan::default())), [(Some(0), Source::Constraint(1))]);

    instance.add_constraint(Rule::State(v[0], VmState::Ready).discrete());
    let report = check(&instance, &suspend);
    assert_eq!(faults(&report), [(Some(1), STATE), (Some(1), Source::Constraint(2))]);
    assert_eq!(
        texts(&report)[0],
        "v0 cannot end ready (constraint 2, rule) and sleeping (constraint 0, rule)"
    );
}

#[test]
fn a_member_that_sleeps_or_is_ready_weighs_nothing_anywhere() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 1, 5);
    let n0 = b.node("n0");
    let vms = [b.ready_vm("ready"), b.sleeping_vm("asleep", n0), b.vm("gone", Place::Killed)];
    b.constraint(Constraint::new(Spread { vms: vms.into() }));
    b.constraint(Rule::Load([n0].into(), cpu, 0).continuous());
    let instance = built(b);
    assert_eq!(verify_source(&instance), Report::default());
    assert_eq!(strictly(&instance, &Plan::default()), Report::default());
}

#[test]
fn a_mixed_plan_leads_where_it_should() {
    // n2 is off, v4 is ready; v3 grows where v0 has been.
    let (mut b, n, v, cpu) = cluster(2, &[(0, 4), (1, 2), (1, 2), (0, 4)]);
    let off = b.offline_node("n2");
    let ready = b.ready_vm("v4");
    b.demand(ready, cpu, 3).node_attribute(off, "boot", crate::model::Value::Int(5));
    for rule in [
        Rule::State(ready, VmState::Running),
        Rule::Node(off, true),
        Rule::Node(n[1], false),
        Rule::AtLeast(v[3], cpu, 6),
        Rule::Within([v[0], v[1], v[2]].into(), [off].into()),
    ] {
        b.constraint(rule.discrete());
    }
    let instance = built(b);
    let mut mixed = plan(vec![
        act(0, 5, ActionKind::BootNode { node: off }),
        migrate(5, v[0], n[0], off),
        migrate(5, v[1], n[1], off),
        migrate(6, v[2], n[1], off),
        act(6, 6, ActionKind::Allocate { vm: v[3], node: n[0], resource: cpu, amount: 6 }),
        act(6, 7, ActionKind::Boot { vm: ready, node: n[0] }),
        act(7, 8, ActionKind::ShutdownNode { node: n[1] }),
    ]);
    mixed.happens_before = vec![(0, 1), (0, 2), (0, 3), (1, 4), (1, 5), (2, 6), (3, 6)];
    assert_eq!(check(&instance, &mixed), Report::default());
    mixed.actions[5].start = 5;
    mixed.actions[5].end = 6;
    mixed.happens_before.retain(|&edge| edge != (1, 5));
    let report = check(&instance, &mixed);
    assert_eq!(texts(&report), ["node n0 needs 11 of cpu at 5 s, has 10; v4 came or grew"]);
}

#[test]
fn findings_come_by_time_and_then_by_rule() {
    let (mut b, n, v, _) = cluster(3, &[(0, 6), (1, 6), (2, 6)]);
    b.constraint(Constraint::new(Spread { vms: v.clone().into() }));
    let instance = built(b);
    let report = check(
        &instance,
        &plan(vec![
            migrate(3, v[0], n[0], n[1]),
            act(4, 4, ActionKind::Migrate { vm: v[2], from: n[2], to: n[0] }),
            migrate(0, v[2], n[0], n[1]),
        ]),
    );
    let times: Vec<_> = report.findings.iter().map(|finding| finding.at).collect();
    assert!(times.is_sorted());
    assert_eq!(
        faults(&report),
        [
            (Some(0), STATE),
            (Some(3), CAPACITY),
            (Some(3), Source::Constraint(0)),
            (Some(4), Source::Core(CoreRule::Time)),
        ]
    );
}

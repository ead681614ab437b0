//! As few nodes on as can be: from scratch, by consolidation, under rules and limits.

use crate::common::Answer;
use crate::common::Spec;
use crate::common::cluster;
use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Status;
use quadrille::constraint::running::Running;
use quadrille::constraint::spread::Spread;
use quadrille::model::VmId;
use quadrille::objective::Metric;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;

fn on(answer: &Answer) -> u64 {
    answer.outcome.metrics.get(Metric::NodesOn)
}

/// The plan is proved to leave so many nodes on.
fn proved(spec: &Spec, nodes: u64) -> Answer {
    let answer = spec.plan();
    let first = &answer.outcome.levels[0];
    assert_eq!((on(&answer), first.bound), (nodes, first.value), "{answer}");
    assert_eq!(answer.outcome.status, Status::Optimal, "{answer}");
    answer
}

/// VMs of these sizes, ready, to run on nodes that are off.
fn scratch(capacity: &[u64], sizes: &[&[u64]]) -> InstanceBuilder {
    let mut b = InstanceBuilder::new();
    let resources: Vec<_> = (0..capacity.len()).map(|dim| b.resource(&format!("r{dim}"))).collect();
    for at in 0..sizes.len() {
        let node = b.offline_node(&format!("n{at}"));
        resources.iter().zip(capacity).for_each(|(&r, &amount)| {
            b.capacity(node, r, amount);
        });
    }
    for (at, size) in sizes.iter().enumerate() {
        let vm = b.ready_vm(&format!("v{at}"));
        resources.iter().zip(*size).for_each(|(&r, &amount)| {
            b.demand(vm, r, amount);
        });
        b.constraint(Constraint::new(Running { vm }));
    }
    b
}

fn solve(instance: &Instance, objective: &str, steps: Option<u64>) -> quadrille::Outcome {
    let options = Options {
        objective: Some(objective.parse().expect("an objective")),
        step_limit: steps,
        ..Options::default()
    };
    quadrille::solve(instance, &options).expect("an answer")
}

/// Triplets that fill a node exactly, in both dimensions.
fn triplets(count: u64) -> Vec<[u64; 2]> {
    let mut sizes = Vec::new();
    for at in 0..count {
        let (a, b) = (27 + at * 7 % 20, 30 + at * 11 % 18);
        let (c, d) = (28 + at * 13 % 9, 26 + at * 5 % 12);
        sizes.extend([[a, c], [b, d], [100 - a - b, 100 - c - d]]);
    }
    sizes
}

#[test]
fn nodes_that_nothing_needs_are_switched_off() {
    proved(&cluster("n0: a | n1: | n2:").minimise("nodes_on"), 1).actions(2).has_no("migrate");
    // Not where a rule, or an image, wants them on.
    proved(&cluster("n0: a | n1: | n2:").minimise("nodes_on").rule("online n1"), 1).ends_on("a", "n1");
    proved(&cluster("n0: a | n1: | n2:").minimise("nodes_on").rules(&["online n1", "root a"]), 2);
    proved(&cluster("n0: a | n1: | sleeping n1: s").minimise("nodes_on"), 1).ends_on("a", "n1");
    proved(&cluster("n0: a | n1: | sleeping n1: s").minimise("nodes_on").rule("root a"), 2);
    proved(&cluster("n0:").minimise("nodes_on"), 0).has("0:1 shutdown_node n0");
}

#[test]
fn vms_move_together() {
    let spread_out = cluster("n0: a | n1: b | n2: c").cpu("nodes=3 vms=1");
    proved(&spread_out.clone().minimise("nodes_on,relocations"), 1).moves(2);
    proved(&spread_out.clone().minimise("nodes_on*100+relocations"), 1).moves(2);
    // A node is not worth three relocations, nor the first of all levels.
    proved(&spread_out.clone().minimise("nodes_on+3*relocations"), 3).moves(0);
    assert_eq!(on(&spread_out.minimise("relocations,nodes_on").plan()), 3);
    let half = cluster("n0: a | n1: b | n2: c").cpu("nodes=2 vms=1");
    proved(&half.minimise("nodes_on,relocations"), 2).moves(1);
}

#[test]
fn rules_are_kept() {
    let room = cluster("n0: a | n1: b | n2: c").cpu("nodes=9 vms=1").minimise("nodes_on,relocations");
    proved(&room.clone().rule("spread a,b"), 2).moves(1);
    proved(&room.clone().rule("spread a,b,c"), 3).moves(0);
    proved(&room.clone().rule("lonely a"), 2).moves(1);
    proved(&room.clone().rule("root a").rule("root c"), 2).ends_on("b", "n0");
    proved(&room.clone().rule("ban a n0").rule("ban b n1").rule("ban c n2"), 2);
}

#[test]
fn a_cluster_with_much_to_spare() {
    // Four hosts with 6, 5, 4 and 3 VMs of half a unit in ten, filled to 63 % at most: two
    // are enough, and those with the fewest VMs are emptied.
    let text = "h1: a0 a1 a2 a3 a4 a5 | h2: b0 b1 b2 b3 b4 | h3: c0 c1 c2 c3 | h4: d0 d1 d2";
    let hosts = cluster(text).cpu("nodes=126 vms=10").minimise("nodes_on,relocations");
    let answer = proved(&hosts, 2);
    answer.moves(7);
    assert_eq!(answer.outcome.metrics.node_shutdowns, 2, "{answer}");
    // A VM that may not leave its host keeps that on.
    proved(&hosts.clone().rule("root d0"), 2).moves(9).ends_on("d0", "h4");
}

#[test]
fn failures_to_survive_keep_nodes_on() {
    let two = cluster("h1: a | h2: b | h3:").cpu("nodes=10 vms=2").minimise("nodes_on");
    proved(&two, 1);
    proved(&two.clone().rule("ft h1,h2,h3 1"), 2);
}

#[test]
fn exact_triplets_are_found() {
    for count in [3, 10, 25] {
        let sizes = triplets(count);
        let rows: Vec<&[u64]> = sizes.iter().map(<[u64; 2]>::as_slice).collect();
        let instance = scratch(&[100, 100], &rows).build().expect("an instance");
        let outcome = solve(&instance, "nodes_on", None);
        assert_eq!((outcome.metrics.nodes_on, outcome.status), (count, Status::Optimal));
        assert_eq!(outcome.metrics.node_boots, count);
    }
}

#[test]
fn sums_are_not_all() {
    // Three of 34 do not fit into 100, nor two of 51, whatever the sums are.
    let small: Vec<&[u64]> = vec![&[34]; 9];
    let outcome = solve(&scratch(&[100], &small).build().expect("an instance"), "nodes_on", None);
    assert_eq!((outcome.metrics.nodes_on, outcome.status), (5, Status::Optimal));
    let wide: Vec<&[u64]> = vec![&[51, 10], &[51, 10], &[10, 51], &[10, 51], &[51, 10]];
    let outcome = solve(&scratch(&[100, 100], &wide).build().expect("an instance"), "nodes_on", None);
    assert_eq!((outcome.metrics.nodes_on, outcome.status), (3, Status::Optimal));
}

#[test]
fn a_spread_group_needs_as_many_nodes_as_it_has_vms() {
    let sizes: Vec<&[u64]> = vec![&[1]; 30];
    let mut b = scratch(&[100], &sizes);
    let group: Vec<VmId> = (0..12).map(VmId::from_index).collect();
    b.constraint(Constraint::new(Spread { vms: group.into() }));
    let outcome = solve(&b.build().expect("an instance"), "nodes_on", None);
    assert_eq!((outcome.metrics.nodes_on, outcome.status), (12, Status::Optimal));
}

#[test]
fn every_limit_leaves_a_valid_plan_and_a_valid_bound() {
    let sizes = triplets(12);
    let rows: Vec<&[u64]> = sizes.iter().map(<[u64; 2]>::as_slice).collect();
    let mut b = scratch(&[100, 100], &rows);
    let group: Vec<VmId> = (0..4).map(|at| VmId::from_index(at * 3)).collect();
    b.constraint(Constraint::new(Spread { vms: group.into() }));
    let instance = b.build().expect("an instance");
    let mut best = u64::MAX;
    for steps in [0, 1, 3, 10, 40, 41, 42, 60, 100, 300, 1_000, 3_000, 10_000, 100_000] {
        let outcome = solve(&instance, "nodes_on,relocations", Some(steps));
        assert_ne!(outcome.status, Status::Infeasible);
        let Some(plan) = &outcome.plan else { continue };
        assert!(verify(&instance, plan, &VerifyOptions::default()).is_ok());
        let first = &outcome.levels[0];
        assert!(first.bound <= 12, "a bound of {} after {steps} steps", first.bound);
        assert!(first.value >= 12);
        best = best.min(first.value);
        let again = solve(&instance, "nodes_on,relocations", Some(steps));
        assert_eq!(outcome.plan, again.plan, "another plan after {steps} steps");
    }
    assert_eq!(best, 12);
}

//! Limits of operators: relocations at once, budgets of hosts and links, power, and what
//! stays free of the network.

use crate::brute::Question;
use crate::common::Dice;
use crate::timed;
use crate::timed::Ask;
use proptest::prelude::*;
use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Outcome;
use quadrille::Plan;
use quadrille::Status;
use quadrille::constraint::SideConstraint;
use quadrille::constraint::datastore_budget::DatastoreBudget;
use quadrille::constraint::fence::Fence;
use quadrille::constraint::max_migrations::MaxMigrations;
use quadrille::constraint::migration_budget::MigrationBudget;
use quadrille::constraint::offline::Offline;
use quadrille::constraint::online::Online;
use quadrille::constraint::power_cap::PowerCap;
use quadrille::constraint::running::Running;
use quadrille::model::ActionKind;
use quadrille::model::Network;
use quadrille::model::NodeId;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::verify::Source;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;

fn nodes(ids: &[u32]) -> std::sync::Arc<[NodeId]> {
    ids.iter().copied().map(NodeId).collect()
}

fn at_most(ids: &[u32], amount: u64, direction: &str, scope: &str) -> MaxMigrations {
    MaxMigrations { nodes: nodes(ids), amount, direction: direction.to_owned(), scope: scope.to_owned() }
}

/// A cluster of nodes without limits of room, and VMs: seconds of a migration, from, to.
fn cluster(count: usize, vms: &[(i64, usize, usize)]) -> InstanceBuilder {
    let mut b = InstanceBuilder::new();
    let ids: Vec<NodeId> = (0..count).map(|at| b.node(&format!("n{at}"))).collect();
    for (at, &(seconds, from, to)) in vms.iter().enumerate() {
        let vm = b.running_vm(&format!("vm{at}"), ids[from]);
        b.vm_attribute(vm, "migrate", Value::Int(seconds));
        let fence = Constraint::new(Fence { vm, nodes: [ids[to]].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
    }
    b
}

#[track_caller]
fn solved(instance: &Instance, objective: &str) -> Outcome {
    let objective = objective.parse().expect("an objective");
    let options = Options { objective: Some(objective), step_limit: Some(20_000), ..Options::default() };
    quadrille::solve(instance, &options).expect("sound")
}

#[track_caller]
fn planned(instance: &Instance, objective: &str) -> (Outcome, Plan) {
    let outcome = solved(instance, objective);
    let plan = outcome.plan.clone().unwrap_or_else(|| panic!("no plan: {outcome:?}"));
    (outcome, plan)
}

fn with(mut b: InstanceBuilder, rule: impl SideConstraint) -> Instance {
    b.constraint(Constraint::new(rule));
    b.build().expect("sound")
}

fn makespan(instance: &Instance) -> u64 {
    planned(instance, "makespan").0.metrics.makespan
}

/// The constraints that a plan breaks, with how.
fn broken(instance: &Instance, plan: &Plan) -> Vec<(u32, String)> {
    let report = verify(instance, plan, &VerifyOptions::default());
    let found = report.findings.iter().filter_map(|finding| match finding.source {
        Source::Constraint(at) => Some((at, finding.violation.text.clone())),
        Source::Core(_) => None,
    });
    found.collect()
}

#[test]
fn at_most_so_many_at_once() {
    let vms = [(4, 0, 2), (4, 0, 2), (4, 1, 2), (4, 1, 2)];
    assert_eq!(makespan(&cluster(3, &vms).build().expect("sound")), 4);
    for (rule, expected) in [
        (at_most(&[0, 1, 2], 1, "both", "each"), 16),
        (at_most(&[0, 1], 1, "out", "each"), 8),
        (at_most(&[0, 1], 1, "in", "each"), 4),
        (at_most(&[2], 3, "in", "each"), 8),
        (at_most(&[0, 1], 1, "out", "together"), 16),
        (at_most(&[0, 1, 2], 2, "both", "together"), 8),
        (at_most(&[], 0, "both", "together"), 4),
    ] {
        let text = format!("{rule:?}");
        assert_eq!(makespan(&with(cluster(3, &vms), rule)), expected, "{text}");
    }
    let never = with(cluster(3, &vms), at_most(&[2], 0, "in", "each"));
    assert_eq!(solved(&never, "relocations").status, Status::Infeasible);
    let never = with(cluster(3, &vms), at_most(&[0], 0, "out", "each"));
    assert_eq!(solved(&never, "relocations").status, Status::Infeasible);
}

#[test]
fn limits_bound_plans_that_may_stop_on_the_way() {
    // 30 migrations of 4 s, so many that not all ways are tried.
    let vms: Vec<_> = (0..30).map(|at| (4, 0, 1 + at % 2)).collect();
    for (rule, expected) in [
        (at_most(&[0], 3, "out", "each"), 40),
        (at_most(&[1, 2], 3, "in", "each"), 20),
        (at_most(&[0, 1, 2, 3], 5, "both", "together"), 24),
        (at_most(&[1, 2], 5, "in", "together"), 24),
    ] {
        let text = format!("{rule:?}");
        let found = solved(&with(cluster(4, &vms), rule), "makespan");
        assert_eq!((found.status, found.metrics.makespan), (Status::Optimal, expected), "{text}");
    }
}

#[test]
fn a_horizon_that_the_limit_leaves_no_time_for() {
    let vms = [(4, 0, 1), (4, 0, 1), (4, 0, 1)];
    let instance = with(cluster(2, &vms), at_most(&[0], 1, "out", "each"));
    let solve = |horizon| {
        let options = Options { horizon: Some(horizon), step_limit: Some(20_000), ..Options::default() };
        quadrille::solve(&instance, &options).expect("sound").status
    };
    assert_eq!(solve(12), Status::Optimal);
    assert_eq!(solve(11), Status::Infeasible);
}

#[test]
fn who_waits_is_an_edge_and_is_explained() {
    let vms = [(4, 0, 1), (9, 0, 2)];
    let instance = with(cluster(3, &vms), at_most(&[0], 1, "out", "each"));
    let (_, plan) = planned(&instance, "makespan");
    assert_eq!(plan.happens_before.len(), 1);
    let (first, then) = plan.happens_before[0];
    let why = quadrille::explain::waits_for(&instance, &plan, then);
    assert_eq!(why, [(first, quadrille::explain::Why::Rule(2))]);
    // A plan that does both at once is refused, in words.
    let mut crowded = plan;
    crowded.happens_before.clear();
    for action in &mut crowded.actions {
        (action.end, action.start) = (action.duration(), 0);
    }
    let found = broken(&instance, &crowded);
    assert_eq!(found[0].0, 2);
    assert!(found[0].1.starts_with("2 VMs leave n0 at once: vm0 and vm1; 1 is allowed"), "{found:?}");
}

#[test]
fn budgets_of_datastores() {
    // Nine whose disks travel from the datastore of n0 to that of n1: eight at once.
    let vms = [(6, 0, 1); 9];
    let budget = |amount| DatastoreBudget { vms: (0..9).map(VmId).collect(), amount };
    let stores = |travel: bool| {
        let mut b = cluster(2, &vms);
        for at in 0..9 {
            let (key, value) =
                if travel { ("diskUsed", Value::Int(1)) } else { ("datastore", Value::Text("a".into())) };
            b.vm_attribute(VmId(at), key, value);
        }
        b.node_attribute(NodeId(0), "datastore", Value::Text("a".into()));
        b
    };
    assert_eq!(makespan(&with(stores(true), budget(128))), 12);
    assert_eq!(makespan(&with(stores(true), budget(144))), 6);
    assert_eq!(makespan(&with(stores(false), budget(128))), 6);
    assert_eq!(makespan(&with(stores(false), budget(4))), 18);
    // What costs more than there is stays; by the node that names the datastore, or by the VM.
    let (never, fine) = (with(stores(true), budget(15)), with(stores(false), budget(1)));
    assert_eq!(solved(&never, "relocations").status, Status::Infeasible);
    assert_eq!(solved(&with(stores(false), budget(0)), "relocations").status, Status::Infeasible);
    let (_, mut plan) = planned(&fine, "makespan");
    assert_eq!(plan.happens_before.len(), 8, "one after the other");
    let why = quadrille::explain::waits_for(&fine, &plan, plan.happens_before[0].1);
    assert_eq!(why, [(plan.happens_before[0].0, quadrille::explain::Why::Rule(9))]);
    for action in &mut plan.actions {
        (action.end, action.start) = (action.duration(), 0);
    }
    let found = broken(&fine, &plan);
    assert!(found.iter().any(|(rule, text)| *rule == 9 && text.contains("the datastore a 9")), "{found:?}");
}

#[test]
fn budgets_of_hosts_and_links() {
    let vms = [(6, 0, 1), (6, 0, 1), (6, 0, 1), (6, 0, 1)];
    let budget = |host| MigrationBudget { nodes: nodes(&[0, 1]), host, links: "bySpeed".to_owned() };
    assert_eq!(makespan(&with(cluster(2, &vms), budget(8))), 6);
    assert_eq!(makespan(&with(cluster(2, &vms), budget(2))), 12);
    // One that brings its disks takes half of the budget.
    let mut dear = cluster(2, &vms);
    dear.vm_attribute(VmId(0), "migrationCost", Value::Int(4));
    assert_eq!(makespan(&with(dear, budget(4))), 12);
    // Links below 1 Gbit/s take two at once, faster ones four; fixed times, little bandwidth.
    for (capacity, expected) in [(999, 12), (1000, 6)] {
        let mut b = cluster(2, &vms);
        b.network(Network::star(2, capacity));
        for vm in 0..4 {
            b.vm_attribute(VmId(vm), "bandwidth", Value::Int(100));
        }
        assert_eq!(makespan(&with(b, budget(8))), expected, "{capacity}");
    }
    let mut wrong = cluster(2, &vms);
    wrong.vm_attribute(VmId(1), "migrationCost", Value::Int(-1));
    let error = quadrille::solve(&with(wrong, budget(8)), &Options::default()).expect_err("no amount");
    assert!(error.to_string().contains("VM `vm1`") && error.to_string().contains("migrationCost"), "{error}");
}

/// Two old nodes that go off and two new ones that come on, 100 W each; VMs on the old ones.
fn renewal(watts: u64, moves: i64) -> Instance {
    let mut b = InstanceBuilder::new();
    let old = ["old0", "old1"].map(|name| b.node(name));
    let new = ["new0", "new1"].map(|name| b.offline_node(name));
    for node in old.into_iter().chain(new) {
        b.node_attribute(node, "power", Value::Int(100));
        b.node_attribute(node, "boot", Value::Int(3));
        b.node_attribute(node, "shutdown", Value::Int(2));
    }
    for (at, (&from, to)) in old.iter().zip(new).enumerate() {
        let vm = b.running_vm(&format!("vm{at}"), from);
        b.vm_attribute(vm, "migrate", Value::Int(5));
        b.vm_attribute(vm, "migrationPower", Value::Int(moves));
        let fence = Constraint::new(Fence { vm, nodes: [to].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
        b.constraint(Constraint::new(Offline { node: from }));
        b.constraint(Constraint::new(Online { node: to }));
    }
    b.constraint(Constraint::new(PowerCap { nodes: nodes(&[0, 1, 2, 3]), watts }));
    b.build().expect("sound")
}

/// The most that nodes and migrations of a plan draw at a moment.
fn drawn(instance: &Instance, plan: &Plan) -> u64 {
    let moments = plan.actions.iter().map(|action| action.start);
    let at = |moment: u64| {
        let nodes = instance.node_ids().filter(|&node| {
            let mut on = instance.is_online(node);
            for action in &plan.actions {
                on |= action.kind == ActionKind::BootNode { node } && action.start <= moment;
                on &= !(action.kind == ActionKind::ShutdownNode { node } && action.end <= moment);
            }
            on
        });
        let moves = plan.actions.iter().filter(|action| action.start <= moment && moment < action.end);
        let moves = moves.filter_map(|action| match action.kind {
            ActionKind::Migrate { vm, .. } => Some(instance.migration_power(vm)),
            _ => None,
        });
        nodes.map(|node| instance.node_power(node)).sum::<u64>() + moves.sum::<u64>()
    };
    moments.map(at).max().unwrap_or(0)
}

#[test]
fn power_is_capped_at_every_moment() {
    // Everything at once: boots 0:3, migrations 3:8, shutdowns 8:10.
    let instance = renewal(460, 30);
    let (outcome, plan) = planned(&instance, "makespan");
    assert_eq!((outcome.metrics.makespan, drawn(&instance, &plan)), (10, 460));
    // One migration after the other.
    assert_eq!(makespan(&renewal(459, 30)), 15);
    // Three nodes at once: the second boots when the first old one has gone off.
    let instance = renewal(330, 30);
    let (outcome, plan) = planned(&instance, "makespan");
    assert_eq!((outcome.metrics.makespan, drawn(&instance, &plan)), (20, 330));
    let boot = plan.actions.iter().rposition(|action| matches!(action.kind, ActionKind::BootNode { .. }));
    let off = plan.actions.iter().position(|action| matches!(action.kind, ActionKind::ShutdownNode { .. }));
    let (boot, off) = (boot.expect("a boot") as u32, off.expect("a shutdown") as u32);
    assert!(plan.happens_before.contains(&(off, boot)));
    let why = quadrille::explain::waits_for(&instance, &plan, boot);
    assert_eq!(why, [(off, quadrille::explain::Why::Rule(6))]);
    // No room for a migration beside three nodes: both VMs go to one old node, then to one new
    // node, and then one of them on to the other: four moves.
    assert_eq!(planned(&renewal(329, 30), "relocations").0.metrics.relocations, 4);
    // Nor beside two.
    assert_eq!(solved(&renewal(229, 30), "relocations").status, Status::Infeasible);
    let mut early = plan;
    early.happens_before.clear();
    early.actions[boot as usize].start -= 1;
    let found = broken(&instance, &early);
    assert!(found[0].1.contains("draw 400 W; the cap is 330 W"), "{found:?}");
}

#[test]
fn too_much_power_before_the_plan_is_brought_down() {
    let mut b = InstanceBuilder::new();
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    let [n2] = ["n2"].map(|name| b.offline_node(name));
    for node in [n0, n1, n2] {
        b.node_attribute(node, "power", Value::Int(100));
    }
    b.running_vm("vm", n0);
    b.constraint(Constraint::new(PowerCap { nodes: nodes(&[0, 1, 2]), watts: 150 }));
    let instance = b.build().expect("sound");
    let (outcome, plan) = planned(&instance, "relocations");
    assert_eq!(outcome.repaired.len(), 1);
    assert!(plan.actions.iter().any(|action| action.kind == ActionKind::ShutdownNode { node: n1 }));
    let strict = Options { strict: true, ..Options::default() };
    assert_eq!(quadrille::solve(&instance, &strict).expect("sound").status, Status::Infeasible);
}

#[test]
fn energy_counts_nodes_and_migrations() {
    // Each to its new node: four times 100 W for 10 s. But one goes to the other old node first,
    // so that its own is off after 7 s; the other is after 12, and new ones boot from 2 on.
    let (outcome, plan) = planned(&renewal(1000, 0), "energy");
    assert_eq!(outcome.metrics.energy, 100 * (7 + 12 + 2 * 10));
    assert_eq!((plan.makespan(), outcome.metrics.relocations), (12, 3));
    assert_eq!((outcome.status, outcome.levels[0].bound), (Status::Optimal, 3900));
    let (outcome, plan) = planned(&renewal(1000, 0), "relocations,energy");
    assert_eq!((outcome.metrics.energy, plan.makespan()), (4 * 100 * 10, 10));
    assert_eq!(outcome.levels[1].bound, 4000);
    // Two nodes that stay on, a migration of 1000 MB (532 J): nothing can be saved.
    let mut b = cluster(2, &[(7, 0, 1)]);
    for node in [NodeId(0), NodeId(1)] {
        b.node_attribute(node, "power", Value::Int(50));
        b.constraint(Constraint::new(Online { node }));
    }
    b.vm_attribute(VmId(0), "memUsed", Value::Int(1000));
    let outcome = solved(&b.build().expect("sound"), "energy");
    assert_eq!((outcome.status, outcome.metrics.energy), (Status::Optimal, 2 * 50 * 7 + 532));
}

#[test]
fn nodes_of_many_different_powers() {
    // Twelve nodes for 3 VMs each; nine VMs come, and 100 + 110 + 120 W are all there is.
    let build = |watts: u64| {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource("cpu");
        let ids: Vec<NodeId> = (0..12).map(|at| b.offline_node(&format!("n{at}"))).collect();
        for (at, &node) in ids.iter().enumerate() {
            b.node_attribute(node, "power", Value::Int(100 + 10 * ((at as i64 * 5) % 12)));
            b.capacity(node, cpu, 3);
        }
        for at in 0..9 {
            let vm = b.ready_vm(&format!("vm{at}"));
            b.demand(vm, cpu, 1);
            b.constraint(Constraint::new(Running { vm }));
        }
        with(b, PowerCap { nodes: ids.into(), watts })
    };
    let (outcome, plan) = planned(&build(330), "relocations");
    assert_eq!((outcome.status, outcome.metrics.node_boots), (Status::Optimal, 3));
    assert_eq!(drawn(&build(330), &plan), 330);
    assert_eq!(solved(&build(329), "relocations").status, Status::Infeasible);
}

#[test]
fn guests_keep_a_share_of_the_links() {
    let idle = |b: &mut InstanceBuilder, vm: u32| {
        b.vm_attribute(VmId(vm), "memUsed", Value::Int(1000));
        b.vm_attribute(VmId(vm), "hotDirtySize", Value::Int(0));
    };
    let build = |change: &dyn Fn(&mut Network)| {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n0);
        idle(&mut b, 0);
        let fence = Constraint::new(Fence { vm, nodes: [n1].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
        let mut network = Network::star(2, 1000);
        change(&mut network);
        b.network(network);
        b.build()
    };
    let figures = |change: &dyn Fn(&mut Network)| {
        let (outcome, plan) = planned(&build(change).expect("sound"), "makespan");
        (outcome.metrics.makespan, plan.actions[0].bandwidth)
    };
    assert_eq!(figures(&|_| {}), (9, 1000));
    assert_eq!(figures(&|network| network.allowance.reserve_percent = 40), (15, 600));
    assert_eq!(figures(&|network| network.allowance.reserves = vec![(1, 500)]), (18, 500));
    assert_eq!(figures(&|network| network.allowance.per_migration = Some(300)), (30, 300));
    let all = build(&|network| network.allowance.reserves = vec![(1, 1000)]);
    let error = all.expect_err("nothing is left");
    assert!(error.to_string().contains("all 1000 Mbit/s of link 1 are kept free"), "{error}");
    // The checker knows as well.
    let (_, plan) = planned(&build(&|_| {}).expect("sound"), "makespan");
    let reserved = build(&|network| network.allowance.reserve_percent = 10).expect("sound");
    let report = verify(&reserved, &plan, &VerifyOptions::default());
    let texts: Vec<&str> = report.findings.iter().map(|finding| finding.violation.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("of 900 (100 of 1000 are kept free)")), "{texts:?}");
}

#[test]
fn a_link_is_shared_where_that_ends_sooner() {
    // Half of the link into n2 is taken by a migration that can use no more.
    let build = |sharing: bool| {
        let mut b = InstanceBuilder::new();
        let ids = ["n0", "n1", "n2"].map(|name| b.node(name));
        for (at, most) in [(0, 500), (1, 1000)] {
            let vm = b.running_vm(&format!("vm{at}"), ids[at]);
            b.vm_attribute(vm, "memUsed", Value::Int(1000));
            b.vm_attribute(vm, "hotDirtySize", Value::Int(0));
            b.vm_attribute(vm, "bandwidth", Value::Int(most));
            let fence = Constraint::new(Fence { vm, nodes: [ids[2]].into() });
            b.constraint(fence.discrete().expect("a fence may be discrete"));
        }
        let mut network = Network::star(3, 1000);
        network.allowance.sharing = sharing;
        b.network(network);
        b.build().expect("sound")
    };
    // Where nobody has asked for it, each takes all of its way.
    let (outcome, _) = planned(&build(false), "makespan");
    assert_eq!(outcome.metrics.makespan, 27);
    let (outcome, plan) = planned(&build(true), "makespan");
    assert_eq!(outcome.metrics.makespan, 18);
    assert!(plan.actions.iter().all(|action| action.bandwidth == 500), "{plan:?}");
    // One after the other, the fast one first, is as good for the sum of ends, and kept.
    let (outcome, _) = planned(&build(true), "sum_of_ends");
    assert_eq!(outcome.metrics.sum_of_ends, 36);
}

/// A tiny cluster with room for two VMs a node, some nodes off, VMs that have to go somewhere,
/// and limits: drawn at random.
fn drawn_at_random(dice: &mut Dice) -> Instance {
    let mut b = InstanceBuilder::new();
    let slots = b.resource_with_defaults("slots", 2, 1);
    let count = 2 + dice.below(2);
    let mut online = Vec::new();
    let ids: Vec<NodeId> = (0..count)
        .map(|at| {
            let name = format!("n{at}");
            if at > 0 && dice.below(4) == 0 {
                return b.offline_node(&name);
            }
            online.push(b.node(&name));
            online[online.len() - 1]
        })
        .collect();
    let mut held = vec![0u32; count];
    for at in 0..1 + dice.below(3) {
        let from = online[dice.below(online.len())];
        if held[from.index()] == 2 {
            continue;
        }
        held[from.index()] += 1;
        let vm = b.running_vm(&format!("vm{at}"), from);
        b.demand(vm, slots, 1);
        b.vm_attribute(vm, "migrate", Value::Int(1 + dice.below(3) as i64));
        b.vm_attribute(vm, "migrationPower", Value::Int(dice.below(3) as i64 * 5));
        b.vm_attribute(vm, "migrationCost", Value::Int(1 + dice.below(2) as i64));
        b.vm_attribute(vm, "diskUsed", Value::Int(dice.below(2) as i64));
        if dice.below(2) == 0 {
            b.vm_attribute(vm, "datastore", Value::Text("a".into()));
        }
        if dice.below(3) > 0 {
            let to = ids[dice.below(count)];
            b.constraint(Constraint::new(Fence { vm, nodes: [to].into() }).discrete().expect("may be"));
        }
    }
    for &node in &ids {
        b.node_attribute(node, "power", Value::Int(10 * (1 + dice.below(2) as i64)));
        if let Some(&store) = ["a", "b"].get(dice.below(3)) {
            b.node_attribute(node, "datastore", Value::Text(store.into()));
        }
        match dice.below(6) {
            0 => drop(b.constraint(Constraint::new(Online { node }))),
            1 => drop(b.constraint(Constraint::new(Offline { node }))),
            _ => {}
        }
    }
    let all = nodes(&(0..count as u32).collect::<Vec<_>>());
    let one = nodes(&[dice.below(count) as u32]);
    for _ in 0..1 + dice.below(2) {
        let set = if dice.below(2) == 0 { all.clone() } else { one.clone() };
        let amount = dice.below(3) as u64;
        match dice.below(4) {
            0 => {
                let direction = ["both", "in", "out"][dice.below(3)].to_owned();
                let scope = ["each", "together"][dice.below(2)].to_owned();
                b.constraint(Constraint::new(MaxMigrations { nodes: set, amount, direction, scope }));
            }
            1 => {
                let links = "bySpeed".to_owned();
                b.constraint(Constraint::new(MigrationBudget { nodes: set, host: amount, links }));
            }
            2 => {
                let vms = (0..held.iter().sum()).map(VmId).collect();
                let amount = [1, 16, 17, 32][dice.below(4)];
                b.constraint(Constraint::new(DatastoreBudget { vms, amount }));
            }
            _ => {
                let watts = 10 * (1 + dice.below(6) as u64);
                b.constraint(Constraint::new(PowerCap { nodes: all.clone(), watts }));
            }
        }
    }
    b.build().expect("sound")
}

#[test]
fn the_planner_finds_what_trying_everything_finds() {
    let mut dice = Dice::new(41);
    let (mut with_plan, mut without, mut open) = (0, 0, 0);
    for round in 0..400 {
        let instance = drawn_at_random(&mut dice);
        let Some(question) = Question::of(&instance) else { continue };
        let truth = question.fewest().map(|best| best.value);
        let found = solved(&instance, "relocations,mttr");
        let text = || format!("round {round}: {truth:?}, found {found:?}\n{instance:?}");
        match (truth, found.status) {
            (Some(value), Status::Optimal) => {
                assert_eq!(found.levels[0].value, value, "{}", text());
                with_plan += 1;
            }
            (Some(value), Status::Feasible) => {
                assert!(found.levels[0].bound <= value && value <= found.levels[0].value, "{}", text());
                open += 1;
            }
            (None, Status::Infeasible) => without += 1,
            (_, Status::Unknown) => open += 1,
            _ => panic!("{}", text()),
        }
        // The sum of ends has a bound that no schedule goes below.
        if let (Some(value), [first, second]) = (truth, &found.levels[..])
            && first.value == value
            && let Ok(Some((_, ends))) = timed::best(&question, Ask::Mttr(value))
        {
            assert!(second.bound <= ends && ends <= second.value, "{ends}: {}", text());
        }
    }
    assert!(with_plan > 100 && without > 10, "{with_plan} plans, {without} proofs");
    assert!(open * 10 <= with_plan + without, "{open} of {} are left open", with_plan + without + open);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn limits_hold_however_long_migrations_take(
        count in 2usize..5,
        vms in prop::collection::vec((1i64..9, 0usize..8, 0usize..8), 1..10),
        amount in 1u64..3,
        watts in 0u64..3,
        direction in prop::sample::select(vec!["both", "in", "out"]),
        scope in prop::sample::select(vec!["each", "together"]),
        stretches in prop::collection::vec(0u64..20, 20),
    ) {
        let vms: Vec<_> = vms.into_iter().map(|(seconds, from, to)| (seconds, from % count, to % count)).collect();
        let all: Vec<u32> = (0..count as u32).collect();
        let mut b = cluster(count, &vms);
        for at in 0..vms.len() as u32 {
            b.vm_attribute(VmId(at), "migrationPower", Value::Int(1 + i64::from(at % 3)));
        }
        b.constraint(Constraint::new(PowerCap { nodes: nodes(&all), watts: watts + 3 }));
        let instance = with(b, at_most(&all, amount, direction, scope));
        let (_, plan) = planned(&instance, "makespan");
        prop_assert_eq!(broken(&instance, &plan), []);
        let durations: Vec<u64> =
            plan.actions.iter().zip(&stretches).map(|(action, stretch)| action.duration() / 2 + stretch).collect();
        let run = quadrille::plan::execute(&plan, &durations);
        prop_assert_eq!(broken(&instance, &run), []);
    }
}

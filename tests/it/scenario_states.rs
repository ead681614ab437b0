//! States, durations, shares, copies, limits: what the planner does without placement rules.

use crate::common::cluster;
use crate::common::parse_rule;
use quadrille::Options;
use quadrille::Status;
use quadrille::StopReason;
use quadrille::constraint::Constraint;
use quadrille::constraint::fence::Fence;
use quadrille::model::Duration;
use quadrille::model::InstanceBuilder;
use quadrille::model::Timed;
use quadrille::model::Value;
use quadrille::outcome::CancelToken;
use std::sync::Arc;
use std::sync::Mutex;

#[test]
fn nothing_to_do() {
    cluster("n0: a | n1: b").plan().moves(0).actions(0).lasts(0);
    cluster("n0: a | n1: b").cpu("nodes=2 vms=1").plan().moves(0).actions(0);
    cluster("").plan().actions(0);
    cluster("off: n0 | ready: a | init: b").plan().actions(0);
}

#[test]
fn every_action_takes_its_own_time() {
    for (text, rule, attribute, action) in [
        ("n0: a | n1:", "fence a n1", "a.migrate", "migrate a n0 n1"),
        ("n0: | ready: a", "running a", "a.boot", "boot a n0"),
        ("n0: a", "ready a", "a.shutdown", "shutdown a n0"),
        ("n0: a", "sleeping a", "a.suspend", "suspend a n0"),
        ("n0: | sleeping n0: a", "running a", "a.resume", "resume a n0 n0"),
        ("n0: a", "killed a", "a.kill", "kill a n0"),
        ("n0: | ready: a", "killed a", "a.kill", "kill a"),
        ("n0: | sleeping n0: a", "killed a", "a.kill", "kill a n0"),
        ("off: n0", "online n0", "n0.boot", "boot_node n0"),
        ("n0:", "offline n0", "n0.shutdown", "shutdown_node n0"),
    ] {
        let base = cluster(text).rule(rule);
        base.plan().actions(1).has(&format!("0:1 {action}"));
        base.takes(&format!("{attribute}=7")).plan().actions(1).has(&format!("0:7 {action}"));
    }
    let forged = cluster("n0: | init: a").rule("ready a").cloneable("a");
    forged.clone().takes("a.forge=7").plan().actions(1).has("0:7 forge a");
}

#[test]
fn an_attribute_goes_before_the_model_of_an_action() {
    let mut b = InstanceBuilder::new();
    let mem = b.resource("mem");
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    b.capacity(n0, mem, 10).capacity(n1, mem, 10);
    let a = b.running_vm("a", n0);
    b.demand(a, mem, 3);
    b.duration(Timed::Migrate, Duration::Linear { resource: mem, coefficient: 3.0, offset: 4.0 });
    let mut instance = b.build().expect("a valid instance");
    instance.add_constraint(parse_rule(&instance, "fence a n1").expect("a rule"));
    let outcome = quadrille::solve(&instance, &Options::default()).expect("an answer");
    assert_eq!(outcome.metrics.makespan, 13);
}

#[test]
fn durations_that_are_none_are_errors() {
    // Of a VM: as the instance is built.
    for bad in [0, -3] {
        let mut b = InstanceBuilder::new();
        let vm = b.ready_vm("a");
        b.vm_attribute(vm, "migrate", Value::Int(bad));
        let error = b.build().expect_err("no duration");
        assert!(error.to_string().contains("expected a whole number of seconds"), "{error}");
    }
    // What a model makes of a demand: as it is needed.
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 9, 0);
    let [from, to] = ["n0", "n1"].map(|name| b.node(name));
    let vm = b.running_vm("a", from);
    b.duration(Timed::Migrate, Duration::Linear { resource: cpu, coefficient: 1.0, offset: 0.0 });
    b.constraint(Constraint::new(Fence { vm, nodes: [to].into() }));
    let instance = b.build().expect("sound");
    assert!(quadrille::solve(&instance, &Options::default()).is_err());
}

#[test]
fn states_that_cannot_be_reached() {
    cluster("n0: | sleeping n0: a").rule("ready a").no_plan();
    cluster("n0: | ready: a").rule("sleeping a").no_plan();
    cluster("n0: a").rules(&["running a", "ready a"]).no_plan();
    cluster("n0: | init: a").rule("running a").no_plan();
    cluster("n0: | init: a").rule("sleeping a").no_plan();
    cluster("off: n0 | ready: a").rules(&["running a", "offline n0"]).no_plan();
    cluster("ready: a").rule("running a").no_plan();
}

#[test]
fn vms_that_nobody_mentions_keep_their_state() {
    let answer = cluster("n0: a x | ready: r | sleeping n0: s").rule("ready a").plan();
    answer.actions(1).has("shutdown a n0");
}

#[test]
fn a_node_boots_for_a_vm() {
    let answer = cluster("off: n0 | ready: a").takes("n0.boot=5 a.boot=2").rule("running a").plan();
    answer.actions(2).has("0:5 boot_node n0").has("5:7 boot a n0").before("boot_node n0", "boot a n0");
    cluster("n0: a | off: n1").rule("fence a n1").plan().before("boot_node n1", "migrate a n0 n1");
    cluster("off: n0").rule("offline n0").plan().actions(0);
}

#[test]
fn a_node_goes_off_after_its_guests() {
    let answer =
        cluster("n0: a").takes("a.shutdown=2 n0.shutdown=5").rules(&["ready a", "offline n0"]).plan();
    answer.has("0:2 shutdown a n0").has("2:7 shutdown_node n0");
    let answer = cluster("n0: a | n1: b").rules(&["ready a", "ready b", "offline n0", "offline n1"]).plan();
    answer.actions(4).lasts(2);
    let answer = cluster("n0: a | off: n1")
        .rules(&["offline n0", "online n1", "running a"])
        .takes("n1.boot=3 a.migrate=2 n0.shutdown=4")
        .plan();
    answer.has("0:3 boot_node n1").has("3:5 migrate a n0 n1").has("5:9 shutdown_node n0").lasts(9);
}

#[test]
fn a_vm_wakes_up_elsewhere_when_it_must() {
    let answer = cluster("n0: a | n1: | sleeping n0: s").cpu("nodes=2 vms=2").rule("running s").plan();
    answer.moves(0).actions(1).has("resume s n0 n1");
    let stays = cluster("n0: | n1: | sleeping n0: s").rules(&["running s", "fence s n0"]).plan();
    stays.has("resume s n0 n0");
}

#[test]
fn forging_needs_a_template() {
    let base =
        cluster("n0: | init: a | n1:").takes("a.forge=7 n1.shutdown=20").rules(&["ready a", "offline n1"]);
    base.clone().cloneable("a").plan().actions(2).has("0:7 forge a").lasts(20);
    let instance = base.build();
    match quadrille::solve(&instance, &Options::default()) {
        Err(error) => assert!(error.to_string().contains('a'), "{error}"),
        Ok(outcome) => assert_eq!(outcome.status, Status::Infeasible),
    }
}

#[test]
fn a_copy_is_made_where_that_is_faster() {
    let base = cluster("n0: a | n1:").cpu("nodes=2 a=2").cloneable("a").rule("fence a n1");
    let answer = base.clone().takes("a.migrate=10 a.forge=3").plan();
    answer.moves(1).actions(3).has("0:3 forge a").has("3:4 boot a n0 n1").has("4:6 shutdown a n0");
    assert_eq!(answer.outcome.metrics.reinstantiations, 1, "{answer}");
    let answer = base.clone().takes("a.migrate=2 a.forge=3").plan();
    answer.moves(1).actions(1).has("0:2 migrate a n0 n1");
    // All of them take one second.
    let answer = base.plan();
    answer.moves(1);
}

#[test]
fn a_copy_may_be_larger_than_the_original() {
    let answer = cluster("n0: a b | n1:")
        .cpu("nodes=3 a=1 b=2")
        .cloneable("a b")
        .takes("a.migrate=9 b.migrate=9")
        .rule("preserve a cpu 2")
        .plan();
    answer.moves(1);
}

#[test]
fn a_resource_that_nobody_uses() {
    cluster("n0: a b | n1:").resource("cpu", "nodes=0 vms=0").rule("spread a,b").plan().moves(1);
}

#[test]
fn shares_survive_a_migration() {
    let answer = cluster("n0: a | n1:").cpu("nodes=4 a=3").rule("fence a n1").plan();
    let end = crate::replay::end(&answer.instance, answer.the_plan());
    let cpu = answer.instance.resource_named("cpu").expect("a resource");
    let a = quadrille::model::VmId(0);
    assert_eq!((end.demand(a, cpu), end.load(quadrille::model::NodeId(1), cpu)), (3, 3));
    answer.actions(1);
}

#[test]
fn growth_that_fits_moves_nobody() {
    cluster("n0: a | n1: b")
        .cpu("nodes=5 vms=2")
        .rules(&["preserve a cpu 4", "preserve b cpu 5"])
        .plan()
        .moves(0)
        .actions(2)
        .lasts(0);
    cluster("n0: a").cpu("n0=5 a=2").rule("preserve a cpu 6").no_plan();
}

#[test]
fn one_resource_grows_where_another_is_plenty() {
    let answer = cluster("n0: a b | ready: c")
        .resource("cpu", "n0=6 vms=2")
        .resource("mem", "n0=6 vms=2")
        .rules(&["preserve a cpu 4", "preserve a mem 1", "ready b", "running c"])
        .within(5)
        .plan();
    answer.moves(0).before("shutdown b", "boot c").has("allocate a n0 cpu 4");
}

#[test]
fn two_that_grow_on_a_full_node() {
    let answer = cluster("n0: a b | n1: | n2: r")
        .cpu("n0=4 n1=4 n2=4 a=2 b=2 r=4")
        .rules(&["preserve a cpu 3", "preserve b cpu 3", "root r"])
        .minimise("relocation_time")
        .plan();
    answer.moves(1).actions(2);
    assert_eq!(answer.outcome.metrics.allocations, 1, "{answer}");
}

#[test]
fn the_one_big_vm_moves_instead_of_many() {
    let answer = cluster("n0: big a b c | n1: d | n2:")
        .cpu("n0=7 n1=5 n2=4 big=4 a=1 b=1 c=1 d=1")
        .rules(&["preserve a cpu 2", "preserve b cpu 2", "preserve c cpu 2"])
        .minimise("relocations")
        .plan();
    answer.moves(1);
    let migrations = answer.the_plan().actions.iter().filter(|action| action.kind.is_relocation());
    assert_eq!(migrations.count(), 1);
}

#[test]
fn an_overload_is_repaired() {
    let base = cluster("n0: a b c | n1:").cpu("n0=2 n1=2 vms=1");
    base.plan().moves(1).actions(1);
    base.clone().strictly().no_plan();
    cluster("n0: a b c").cpu("n0=2 vms=1").no_plan();
    cluster("n0: a b c").cpu("n0=2 vms=1").rule("ready a").plan().moves(0).actions(1);
}

#[test]
fn nobody_moves_without_need() {
    let answer =
        cluster("n0: a b | n1: c | n2: | n3: | ready: d").cpu("nodes=4 vms=1").rule("running d").plan();
    answer.moves(0).actions(1);
    cluster("n0: a | n1: b | n2: c | n3:").cpu("nodes=4 vms=1").rule("offline n3").plan().moves(0).actions(1);
}

#[test]
fn seven_boots_five_on_a_node() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let mut base = cluster(&format!("n0: | n1: | n2: | ready: {}", names.join(" ")));
    for node in ["n0", "n1", "n2"] {
        base = base.rule(format!("runningCapacity {node} 5"));
    }
    for name in names {
        base = base.rule(format!("running {name}"));
    }
    base.plan().actions(7).lasts(1);
}

#[test]
fn three_boots_where_three_fit() {
    cluster("n0: | n1: | n2: | ready: a b c")
        .cpu("nodes=1 vms=1")
        .rules(&["running a", "running b", "running c"])
        .plan()
        .actions(3)
        .lasts(1);
}

#[test]
fn many_boots_into_full_slots() {
    let nodes: Vec<String> = (0..20).map(|at| format!("n{at}:")).collect();
    let names: Vec<String> = (0..380).map(|at| format!("v{at}")).collect();
    let text = format!("{} | ready: {}", nodes.join(" | "), names.join(" "));
    let mut base = cluster(&text).cpu("nodes=19 vms=1").resource("mem", "nodes=38 vms=2");
    for name in &names {
        base = base.rule(format!("running {name}"));
    }
    base.plan().moves(0).actions(380).lasts(1);
    base.rule("maxOnline * 19").no_plan();
}

#[test]
fn a_hot_spot_in_three_dimensions() {
    let hot: Vec<String> = (0..16).map(|at| format!("v{at}")).collect();
    let mut base = cluster(&format!("n0: {} | n1: w | n2: x | n3: y", hot.join(" ")))
        .resource("cpu", "nodes=16 vms=1")
        .resource("mem", "nodes=32 vms=2")
        .resource("net", "nodes=64 vms=1")
        .minimise("relocation_time");
    for name in &hot[..4] {
        base = base.rule(format!("preserve {name} cpu 3"));
    }
    // 8 of cpu too much: four that grow, or others, leave; four of 3 are 12, and 3 of 3 are 9.
    base.plan().moves(3);
}

#[test]
fn fewest_powered_nodes_are_a_matter_of_a_limit() {
    let text: Vec<String> = (0..10).map(|at| format!("n{at}: v{at}")).collect();
    let base = cluster(&text.join(" | ")).cpu("nodes=10 vms=1");
    let answer = base.clone().rule("maxOnline * 1").plan();
    answer.moves(9);
    assert_eq!(answer.outcome.metrics.node_shutdowns, 9);
    base.rule("maxOnline * 0").no_plan();
}

#[test]
fn a_state_change_and_a_node_in_the_same_second() {
    // The image stays on the node, so that the node cannot go off.
    cluster("n0: a").rules(&["sleeping a", "offline n0"]).within(1).no_plan();
}

#[test]
fn the_horizon_is_inclusive() {
    let base = cluster("n0: a | n1:").takes("a.migrate=3600").rule("fence a n1");
    base.clone().within(3600).plan().lasts(3600);
    base.within(3599).no_plan();
}

#[test]
fn a_search_that_is_stopped_says_so() {
    let base = cluster("n0: a | n1:").cpu("nodes=1 vms=1").rule("fence a n1");
    let instance = base.build();
    let cancel = CancelToken::new();
    cancel.cancel();
    let outcome = quadrille::solve(&instance, &Options { cancel, ..base.options() }).expect("an answer");
    if outcome.plan.is_none() {
        assert_eq!((outcome.status, outcome.stop_reason), (Status::Unknown, StopReason::Interrupted));
    }
    let outcome =
        quadrille::solve(&instance, &Options { step_limit: Some(0), ..base.options() }).expect("an answer");
    assert_ne!(outcome.status, Status::Infeasible);
}

#[test]
fn progress_is_told_and_ends_with_the_answer() {
    let base = cluster("n0: a b c | n1: | n2:").cpu("n0=2 n1=2 n2=2 vms=1").rule("fence a n1");
    type Told = (Option<Vec<u64>>, u64);
    let seen: Arc<Mutex<Vec<Told>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let progress: quadrille::outcome::ProgressCallback = Arc::new(move |progress| {
        sink.lock().expect("no panic").push((progress.best.clone(), progress.bound));
    });
    let instance = base.build();
    let outcome = quadrille::solve(&instance, &Options { progress: Some(progress), ..base.options() })
        .expect("an answer");
    let seen = seen.lock().expect("no panic");
    let values: Vec<u64> = outcome.levels.iter().map(|level| level.value).collect();
    let best = seen.iter().filter_map(|(best, _)| best.clone()).next_back();
    assert_eq!(best, Some(values), "the last best value that was told is that of the plan");
    assert!(seen.windows(2).all(|pair| pair[0].1 <= pair[1].1), "bounds fall: {seen:?}");
}

#[test]
fn two_that_change_places() {
    let rules = ["fence a n1", "fence b n0"];
    // Room for both at once: two moves. A third node: three. Neither: none.
    cluster("n0: a | n1: b").cpu("nodes=2 vms=1").rules(&rules).plan().moves(2);
    cluster("n0: a | n1: b | n2:").cpu("nodes=1 vms=1").rules(&rules).plan().moves(3);
    cluster("n0: a | n1: b").cpu("nodes=1 vms=1").rules(&rules).no_plan();
    cluster("n0: a | n1: b | n2: c")
        .cpu("nodes=1 vms=1")
        .rules(&["fence a n1", "fence b n2", "fence c n0"])
        .no_plan();
    cluster("n0: a | n1: b | n2: c | n3:")
        .cpu("nodes=1 vms=1")
        .rules(&["fence a n1", "fence b n2", "fence c n0"])
        .plan()
        .moves(4);
}

#[test]
fn a_node_boots_to_park_a_vm() {
    cluster("n0: a | n1: b | off: n2")
        .cpu("nodes=1 vms=1")
        .rules(&["fence a n1", "fence b n0"])
        .plan()
        .moves(3)
        .has("boot_node n2");
}

#[test]
fn room_in_pieces_is_no_room() {
    let base = cluster("n0: a | n1: b | n2: c | n3: d | ready: big").cpu("nodes=2 vms=1 big=2").rules(&[
        "running big",
        "root a",
        "root b",
        "root c",
        "root d",
    ]);
    base.no_plan();
    cluster("n0: a | n1: b | n2: c | n3: d | ready: big")
        .cpu("nodes=2 vms=1 big=2")
        .rule("running big")
        .plan()
        .moves(1);
    cluster("n0: a b c | n1: x y")
        .cpu("n0=10 n1=10 a=2 b=2 c=2 x=5 y=5")
        .rules(&["fence x n0", "fence y n0"])
        .no_plan();
}

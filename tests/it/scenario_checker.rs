//! Plans written by hand: what the checker accepts, and what it refuses by which rule.

use crate::common::cluster;
use quadrille::constraint::REGISTRY;
use quadrille::constraint::Restriction;
use quadrille::verify::CoreRule;

#[test]
fn among_asks_for_one_group_of_those_that_run() {
    let rule = "among a,b,c n0,n1/n2";
    cluster("n0: a b | n1: | n2: | sleeping n2: c").rule(rule).accepts("");
    cluster("n0: a b | n1: | n2: c").rule(rule).refuses("", "among");
    cluster("n0: a b | n1: c | n2:").rule(rule).accepts("");
    cluster("n0: a b | n1: | n2: | n3: | sleeping n3: c").rule(rule).accepts("");
    cluster("n0: a b | n1: | n2: | n3: c").rule(rule).refuses("", "among");
    cluster("n0: | n1: | ready: a").rule("among a -").accepts("");
    cluster("n0: a").rule("among a -").refuses("", "among");
}

#[test]
fn a_visit_outside_the_group_breaks_a_continuous_among_only() {
    let visit = "0:1 migrate a n0 n2 | 1:2 migrate a n2 n0";
    let base = cluster("n0: a b | n1: | n2:");
    base.clone().rule("among a,b n0,n1/n2; continuous").accepts("").refuses(visit, "among");
    base.clone().rule("among a,b n0,n1/n2").accepts(visit);
    base.rule("among a,b n0,n1/n2; continuous").accepts("0:1 migrate a n0 n1 | 1:2 migrate a n1 n0");
}

#[test]
fn ban_and_fence_look_at_running_vms() {
    let base = cluster("n0: a | n1: | n2:");
    base.clone().rule("ban a n1,n2").accepts("").refuses("0:1 migrate a n0 n1", "ban");
    base.clone().rule("ban a n0").refuses("", "ban").accepts("0:1 migrate a n0 n2");
    base.clone().rule("ban a -").accepts("").accepts("0:1 migrate a n0 n2");
    base.clone().rule("fence a n0,n1").accepts("").accepts("0:1 migrate a n0 n1");
    base.clone().rule("fence a n0,n1").refuses("0:1 migrate a n0 n2", "fence");
    base.clone().rule("fence a -").refuses("", "fence");
    cluster("n0: | n1: | sleeping n0: a").rule("ban a n0").accepts("");
    // Passing through is a matter of the continuous form alone.
    let visit = "0:1 migrate a n0 n1 | 1:2 migrate a n1 n2";
    base.clone().rule("ban a n1").accepts(visit);
    base.clone().rule("ban a n1; continuous").refuses(visit, "ban");
    base.clone().rule("fence a n0,n2").accepts(visit);
    base.rule("fence a n0,n2; continuous").refuses(visit, "fence");
}

#[test]
fn gather_asks_for_one_node_of_those_that_run() {
    cluster("n0: a | n1: | ready: b").rule("gather a,b").accepts("");
    cluster("n0: a b | n1:").rule("gather a,b").accepts("");
    cluster("n0: a | n1: b").rule("gather a,b").refuses("", "gather").accepts("0:1 migrate a n0 n1");
}

#[test]
fn a_gathered_set_cannot_travel_when_continuous() {
    let rule = "gather a,b; continuous";
    let together = "0:1 migrate a n0 n1 | 0:1 migrate b n0 n1";
    cluster("n0: a b | n1:").rule(rule).refuses(together, "gather").accepts("");
    cluster("n0: a b | n1:").rule("gather a,b").accepts(together);
    cluster("n0: a | n1: | ready: b").rules(&[rule, "running b"]).accepts("0:1 boot b n0");
    cluster("n0: a | n1: | ready: b").rules(&[rule, "running b"]).refuses("0:1 boot b n1", "gather");
    // Apart before the plan: repaired, or refused where one is strict.
    cluster("n0: a | n1: b").rule(rule).accepts("0:1 migrate a n0 n1").refuses("", "gather");
    cluster("n0: a | n1: b").rule(rule).strictly().refuses("0:1 migrate a n0 n1", "gather");
}

#[test]
fn wanted_states_are_looked_at_in_the_end() {
    for (rule, right, wrong) in [
        ("running", "n0: a", ["n0: | ready: a", "n0: | sleeping n0: a"]),
        ("ready", "n0: | ready: a", ["n0: a", "n0: | sleeping n0: a"]),
        ("sleeping", "n0: | sleeping n0: a", ["n0: a", "n0: | ready: a"]),
    ] {
        cluster(right).rule(format!("{rule} a")).accepts("");
        for text in wrong {
            cluster(text).rule(format!("{rule} a")).refuses("", rule);
        }
    }
    for text in ["n0: a", "n0: | ready: a", "n0: | sleeping n0: a"] {
        cluster(text).rule("killed a").refuses("", "killed");
    }
    cluster("n0: a").rule("killed a").accepts("0:1 kill a n0");
    cluster("n0: | ready: a").rule("killed a").accepts("4:5 kill a");
    cluster("n0: | off: n1").rule("online n0").accepts("");
    cluster("n0: | off: n1").rule("online n1").refuses("", "online").accepts("0:1 boot_node n1");
}

#[test]
fn a_state_that_nobody_asked_for_is_refused() {
    cluster("n0: a").breaks("0:1 shutdown a n0", CoreRule::State);
    cluster("n0: a | ready: b").breaks("0:1 boot b n0", CoreRule::State);
    cluster("n0: a").rules(&["running a", "ready a"]).breaks("", CoreRule::State);
}

#[test]
fn lonely_shuns_running_strangers() {
    let rule = "lonely a,b";
    cluster("n0: a | n1: x b").rule("lonely a").accepts("");
    cluster("n0: a b | n1: x").rule(rule).accepts("");
    cluster("n0: a b | sleeping n0: x").rule(rule).accepts("");
    cluster("n0: a b x").rule(rule).refuses("", "lonely");
    cluster("n0: x | ready: a").rule("lonely a").accepts("");
}

#[test]
fn strangers_leave_before_a_continuously_lonely_vm_comes() {
    let base = cluster("n0: a | n1: x y | n2:").rules(&["lonely a; continuous", "ready x"]);
    let (come, stop, leave) = ("2:4 migrate a n0 n1", "0:1 shutdown x n1", "1:2 migrate y n1 n2");
    base.refuses(&format!("{come} | {stop}"), "lonely");
    base.accepts(&format!("{come} | {stop} | {leave}"));
    base.refuses(&format!("{come} | {stop} | 1:3 migrate y n1 n2"), "lonely");
    // A member may join a node that belongs to members already.
    cluster("n0: a | n1: b").rule("lonely a,b; continuous").accepts("0:1 migrate a n0 n1");
}

#[test]
fn nodes_that_boot_count_as_on() {
    cluster("n0: | n1: | off: n2").rule("maxOnline * 2").accepts("").refuses("3:9 boot_node n2", "maxOnline");
    cluster("n0: | n1: | n2:").rule("maxOnline * 2").refuses("", "maxOnline");
    let base = cluster("n0: | n1: | off: n2");
    let change = "3:9 boot_node n2 | 0:5 shutdown_node n0";
    base.clone().rule("maxOnline * 2").accepts(change);
    base.clone().rule("maxOnline * 2; continuous").refuses(change, "maxOnline");
    base.clone().rule("maxOnline * 2; continuous").accepts("5:9 boot_node n2 | 0:5 shutdown_node n0");
    base.rule("maxOnline - 0").accepts("");
}

#[test]
fn what_is_not_to_be_delayed_starts_at_once() {
    let base = cluster("n0: a b | n1: | n2:").rule("noDelay a");
    base.accepts("").accepts("0:2 migrate a n0 n1").accepts("7:9 migrate b n0 n1");
    base.refuses("1:2 migrate a n0 n1", "noDelay");
    base.refuses("0:1 migrate a n0 n1 | 1:2 migrate a n1 n2", "noDelay");
    cluster("n0: a").rules(&["noDelay a", "ready a"]).refuses("1:2 shutdown a n0", "noDelay");
    cluster("n0: a").rules(&["noDelay a", "sleeping a"]).refuses("1:2 suspend a n0", "noDelay");
    cluster("n0: a").rules(&["noDelay a", "killed a"]).refuses("1:2 kill a n0", "noDelay");
}

#[test]
fn offline_nodes_are_empty_first() {
    let base = cluster("n0: a | n1:").rules(&["offline n0", "ready a"]);
    base.refuses("0:1 shutdown a n0", "offline");
    base.refuses("0:1 shutdown a n0 | 0:1 shutdown_node n1", "offline");
    base.accepts("0:1 shutdown a n0 | 1:2 shutdown_node n0");
    base.breaks("0:2 shutdown a n0 | 1:2 shutdown_node n0", CoreRule::Hosting);
}

#[test]
fn images_keep_their_node_on() {
    let base = cluster("n0: | n1: | sleeping n0: a").rule("offline n0");
    base.breaks("0:1 shutdown_node n0", CoreRule::Hosting);
    let woken = cluster("n0: | n1: | sleeping n0: a").rules(&["offline n0", "running a"]);
    woken.accepts("0:2 resume a n0 n1 | 2:3 shutdown_node n0");
    woken.breaks("0:2 resume a n0 n1 | 1:2 shutdown_node n0", CoreRule::Hosting);
}

#[test]
fn overbooked_nodes_carry_more_than_they_have() {
    let base = cluster("n0: a b c").cpu("n0=2 vms=1");
    base.clone().breaks("", CoreRule::Capacity);
    base.clone().rule("overbook n0 cpu 1.5").accepts("");
    base.clone().rule("overbook n0 cpu 1.4").refuses("", "overbook");
    base.clone().rules(&["overbook n0 cpu 2", "overbook n0 cpu 1"]).refuses("", "overbook");
    base.rule("overbook n0 cpu 1.5; discrete").accepts("");
}

#[test]
fn shares_that_grow_need_room() {
    let base = cluster("n0: a b").cpu("n0=4 a=2 b=2").rules(&["preserve a cpu 4", "overbook n0 cpu 1.5"]);
    base.accepts("0:0 allocate a n0 cpu 4");
    base.refuses("0:0 allocate a n0 cpu 5", "overbook");
    base.refuses("", "preserve");
    base.refuses("0:0 allocate a n0 cpu 3", "preserve");
    let base = cluster("n0: a b").cpu("n0=4 a=2 b=2").rules(&["preserve a cpu 3", "ready b"]);
    base.accepts("0:1 shutdown b n0 | 1:1 allocate a n0 cpu 3");
    base.breaks("0:1 shutdown b n0 | 0:0 allocate a n0 cpu 3", CoreRule::Capacity);
}

#[test]
fn preserve_looks_at_running_vms() {
    cluster("n0: a").cpu("n0=4 a=3").rule("preserve a cpu 3").accepts("");
    cluster("n0: a").cpu("n0=4 a=3").rule("preserve a cpu 2").accepts("");
    cluster("n0: a").cpu("n0=4 a=3").rule("preserve a cpu 4").refuses("", "preserve");
    cluster("n0: | sleeping n0: a").cpu("n0=4 a=3").rule("preserve a cpu 4").accepts("");
    let moving = cluster("n0: a | n1:").cpu("nodes=4 a=2").rule("preserve a cpu 4");
    moving.accepts("0:1 migrate a n0 n1 cpu=4");
    moving.refuses("0:1 migrate a n0 n1 cpu=3", "preserve");
    moving.refuses("0:1 migrate a n0 n1", "preserve");
}

#[test]
fn a_migrating_vm_holds_its_future_share_from_the_start() {
    let base = cluster("n0: a | n1: b | n2:").cpu("nodes=4 a=2 b=2").rule("preserve a cpu 3");
    base.breaks("0:3 migrate a n0 n1 cpu=3 | 0:1 migrate b n1 n2", CoreRule::Capacity);
    base.accepts("1:3 migrate a n0 n1 cpu=3 | 0:1 migrate b n1 n2");
}

#[test]
fn nothing_enters_or_leaves_a_node_in_quarantine() {
    let base = cluster("n0: a | n1: b | ready: c").rules(&["quarantine n0", "running c", "ready b"]);
    base.accepts("0:1 shutdown b n1 | 0:1 boot c n1");
    base.refuses("0:1 shutdown b n1 | 0:1 boot c n0", "quarantine");
    let base = cluster("n0: a | n1: b").rule("quarantine n0");
    base.accepts("")
        .refuses("0:1 migrate b n1 n0", "quarantine")
        .refuses("0:1 migrate a n0 n1", "quarantine");
    // An empty one is fine, one wakes up where one sleeps, and stopping is no leaving.
    cluster("n0: | n1: b").rule("quarantine n0").accepts("");
    cluster("n0: | n1: | sleeping n0: a")
        .rules(&["quarantine n0", "running a"])
        .accepts("0:1 resume a n0 n0");
    cluster("n0: a").rules(&["quarantine n0", "ready a"]).accepts("0:1 shutdown a n0");
}

#[test]
fn loads_are_summed_over_a_set_of_nodes() {
    let base = cluster("n0: a | n1: b | n2: | sleeping n0: c").cpu("nodes=4 a=2 b=1 c=3");
    base.clone().rule("resourceCapacity n0,n1 cpu 3").accepts("");
    base.clone().rule("resourceCapacity n0,n1 cpu 2").refuses("", "resourceCapacity");
    base.clone().rule("resourceCapacity - cpu 0").accepts("");
    base.rule("resourceCapacity n0,n1 cpu 2").accepts("0:1 migrate a n0 n2");
}

#[test]
fn a_sum_of_loads_may_be_reached_at_every_moment() {
    let base = cluster("n0: a | n1: b | n2: c | ready: d").cpu("nodes=4 a=1 b=2 c=1 d=1").rules(&[
        "resourceCapacity n0,n1 cpu 4; continuous",
        "ready b",
        "running d",
        "preserve a cpu 2",
    ]);
    base.accepts(
        "0:1 migrate c n2 n0 | 1:2 shutdown b n1 | 0:1 boot d n2 | 2:2 allocate a n0 cpu 2 | 3:4 migrate c n0 n2",
    );
    base.refuses(
        "0:1 migrate c n2 n0 | 1:2 shutdown b n1 | 0:1 boot d n1 | 2:2 allocate a n0 cpu 2",
        "resourceCapacity",
    );
}

#[test]
fn rooted_vms_stay() {
    cluster("n0: a | n1:").rule("root a").accepts("").refuses("0:1 migrate a n0 n1", "root");
    cluster("n0: | n1: | ready: a").rule("root a").accepts("");
    cluster("n0: a").rules(&["root a", "sleeping a"]).accepts("0:1 suspend a n0");
}

#[test]
fn running_vms_are_counted() {
    let base = cluster("n0: a | n1: b | ready: c");
    base.clone().rule("runningCapacity n0,n1 2").accepts("");
    base.clone().rules(&["runningCapacity n0,n1 2", "running c"]).refuses("0:1 boot c n0", "runningCapacity");
    base.rule("runningCapacity n0 1").accepts("");
}

#[test]
fn sequences_of_state_changes() {
    let base = cluster("n0: a m | n1: x | ready: b | sleeping n1: c").rules(&[
        "seq a,m,b,c",
        "sleeping a",
        "running b",
        "running c",
    ]);
    let moved = "0:1 migrate m n0 n1";
    base.accepts(&format!("2:3 suspend a n0 | 3:4 boot b n0 | 4:5 resume c n1 n1 | {moved}"));
    base.refuses(&format!("2:3 suspend a n0 | 3:4 boot b n0 | 3:5 resume c n1 n1 | {moved}"), "seq");
    base.refuses("3:4 suspend a n0 | 2:3 boot b n0 | 4:5 resume c n1 n1", "seq");
}

#[test]
fn parts_that_are_split_share_no_node() {
    let rule = "split a,b/x,y";
    cluster("n0: a b | n1: x y").rule(rule).accepts("");
    cluster("n0: a | n1: b | n2: x | n3: y").rule(rule).accepts("");
    cluster("n0: a b x | n1: y").rule(rule).refuses("", "split");
    cluster("n0: a b z | n1: x y").rule(rule).accepts("");
    // Broken, then repaired.
    let base = cluster("n0: a x | n1: b | n2:");
    base.clone().rule("split a,b/x").accepts("0:1 migrate x n0 n2");
    base.clone().rule("split a,b/x; continuous").accepts("0:1 migrate x n0 n2");
    base.clone()
        .rule("split a,b/x; continuous")
        .refuses("0:1 migrate x n0 n1 | 1:2 migrate x n1 n2", "split");
    base.rule("split a,b/x; continuous").strictly().refuses("0:1 migrate x n0 n2", "split");
    // A visit.
    let visit = "0:1 migrate a n0 n1 | 1:2 migrate a n1 n2";
    cluster("n0: a | n1: x | n2:").rule("split a/x; continuous").refuses(visit, "split");
    cluster("n0: a | n1: x | n2:").rule("split a/x; discrete").accepts(visit);
    // A VM that stops frees its node.
    let base = cluster("n0: a | n1: x").rules(&["split a/x; continuous", "ready x"]);
    base.accepts("0:1 shutdown x n1 | 1:2 migrate a n0 n1");
    base.refuses("0:2 shutdown x n1 | 1:2 migrate a n0 n1", "split");
}

#[test]
fn parts_have_groups_of_their_own() {
    let rule = "splitAmong a,b/x n0,n1/n2,n3";
    cluster("n0: a | n1: b | n2: x | n3:").rule(rule).accepts("");
    cluster("n0: a | n1: | n2: x | n3: b").rule(rule).refuses("", "splitAmong");
    cluster("n0: a b | n1: x | n2: | n3:").rule(rule).refuses("", "splitAmong");
    let base = cluster("n0: a b | n1: z | n2: x | n3:").rule(format!("{rule}; continuous"));
    base.accepts("0:1 migrate a n0 n1").accepts("0:1 migrate z n1 n2");
    base.refuses("0:1 migrate a n0 n3", "splitAmong");
}

#[test]
fn spread_vms_follow_each_other() {
    cluster("n0: a b | n1:")
        .rule("spread a,b; discrete")
        .refuses("", "spread")
        .accepts("0:1 migrate a n0 n1");
    let base = cluster("n0: a | n1: b | n2:").rule("spread a,b");
    base.refuses("0:1 migrate b n1 n2 | 0:1 migrate a n0 n1", "spread");
    base.accepts("0:1 migrate b n1 n2 | 1:2 migrate a n0 n1");
    base.refuses("0:2 migrate b n1 n2 | 1:2 migrate a n0 n1", "spread");
    // Waking up where one sleeps is no meeting with oneself.
    cluster("n0: b | n1: | sleeping n1: a").rules(&["spread a,b", "running a"]).accepts("0:1 resume a n1 n1");
}

#[test]
fn relocations_in_time() {
    let base = cluster("n0: a b | n1: | n2:");
    base.clone()
        .rule("deadline a +00:00:05")
        .accepts("2:5 migrate a n0 n1")
        .refuses("2:6 migrate a n0 n1", "deadline");
    let both = |a: &str, b: &str| format!("{a} migrate a n0 n1 | {b} migrate b n0 n2");
    let first = base.clone().rule("precedence a b");
    first
        .accepts(&both("0:2", "2:3"))
        .refuses(&both("0:2", "1:3"), "precedence")
        .accepts("0:1 migrate b n0 n1");
    let alone = base.clone().rule("serialize a,b");
    alone.accepts(&both("0:2", "2:3")).accepts(&both("2:3", "0:2")).refuses(&both("0:2", "1:3"), "serialize");
    let together = base.rule("sync a,b");
    together.accepts(&both("0:3", "1:3")).refuses(&both("0:3", "0:2"), "sync").accepts("4:5 migrate a n0 n1");
}

#[test]
fn actions_are_done_in_the_states_that_they_need() {
    let base = cluster("n0: a | n1: | off: n2 | ready: r | sleeping n1: s");
    for text in [
        "0:1 migrate a n1 n0",
        "0:1 migrate a n0 n0",
        "0:1 migrate r n0 n1",
        "0:1 boot a n0",
        "0:1 boot s n1",
        "0:1 resume r n1 n1",
        "0:1 resume s n0 n1",
        "0:1 suspend s n1",
        "0:1 shutdown r n0",
        "0:1 forge r",
        "0:2 migrate a n0 n1 | 1:2 migrate a n0 n1",
        "0:1 boot_node n1",
        "0:1 shutdown_node n2",
    ] {
        base.breaks(text, CoreRule::State);
    }
    for text in ["0:1 migrate a n0 n2", "0:3 boot_node n2 | 2:3 migrate a n0 n2", "0:1 shutdown_node n0"] {
        base.breaks(text, CoreRule::Hosting);
    }
    base.accepts("0:3 boot_node n2 | 3:4 migrate a n0 n2 | 4:5 shutdown_node n0");
}

#[test]
fn a_vm_in_migration_needs_room_on_both_nodes() {
    let base = cluster("n0: a | n1: b | n2:").cpu("nodes=2 a=2 b=2");
    base.breaks("0:1 migrate a n0 n1 | 0:1 migrate b n1 n0", CoreRule::Capacity);
    base.breaks("0:1 migrate a n0 n1 | 0:1 migrate b n1 n2", CoreRule::Capacity);
    base.accepts("0:1 migrate b n1 n2 | 1:2 migrate a n0 n1 | 2:3 migrate b n2 n0");
}

#[test]
fn an_overload_may_shrink_but_never_grow() {
    let base = cluster("n0: a b c | n1: d | n2:").cpu("n0=2 n1=1 n2=3 vms=1");
    base.accepts("0:1 migrate a n0 n2").breaks("", CoreRule::Capacity);
    base.breaks("0:1 migrate d n1 n0 | 1:2 migrate a n0 n2 | 2:3 migrate b n0 n1", CoreRule::Capacity);
    base.clone().strictly().breaks("0:1 migrate a n0 n2", CoreRule::Capacity);
}

#[test]
fn a_copy_replaces_the_original() {
    let base = cluster("n0: a | n1:").cpu("nodes=2 a=2").cloneable("a");
    base.accepts("0:3 forge_clone a | 3:4 boot_clone a n0 n1 | 4:6 shutdown_original a n0");
    base.breaks("0:3 forge_clone a | 2:3 boot_clone a n0 n1 | 3:5 shutdown_original a n0", CoreRule::State);
    base.breaks("0:3 forge_clone a | 3:4 boot_clone a n0 n1", CoreRule::State);
    let plain = cluster("n0: a | n1:").cpu("nodes=2 a=2");
    plain.breaks("0:1 forge_clone a | 1:2 boot_clone a n0 n1 | 2:2 shutdown_original a n0", CoreRule::State);
    let rooted = base.rule("root a");
    rooted.refuses("0:1 forge_clone a | 1:2 boot_clone a n0 n1 | 2:2 shutdown_original a n0", "root");
}

#[test]
fn durations_are_those_of_the_instance() {
    let instance = cluster("n0: a | n1:").takes("a.migrate=3").build();
    for (text, right) in
        [("0:3 migrate a n0 n1", true), ("0:2 migrate a n0 n1", false), ("2:5 migrate a n0 n1", true)]
    {
        let plan = crate::tampered::plan(&instance, text);
        let report =
            quadrille::verify::verify(&instance, &plan, &quadrille::verify::VerifyOptions::default());
        assert_eq!(report.is_ok(), right, "{text}: {:?}", report.findings);
    }
}

#[test]
fn a_plan_ends_by_the_horizon() {
    let base = cluster("n0: a | n1:");
    base.clone().within(3600).accepts("3599:3600 migrate a n0 n1");
    base.within(3600).breaks_the_clock("3600:3601 migrate a n0 n1");
}

#[test]
fn the_restrictions_of_every_rule() {
    let both = ["among", "ban", "fence", "gather", "lonely", "maxOnline", "overbook", "resourceCapacity"]
        .into_iter()
        .chain(["split", "splitAmong", "spread"]);
    let continuous_by_default = ["spread", "overbook"];
    let both: Vec<&str> = both.collect();
    let only_continuous = ["root", "quarantine", "seq", "deadline", "precedence", "serialize", "sync"];
    for signature in REGISTRY.iter().filter(|signature| signature.btrplace.is_some()) {
        let [discrete, continuous] = [Restriction::Discrete, Restriction::Continuous]
            .map(|restriction| signature.restrictions.allows(restriction));
        let name = signature.name;
        assert_eq!(discrete, !only_continuous.contains(&name), "{name} discrete");
        assert_eq!(continuous, only_continuous.contains(&name) || both.contains(&name), "{name} continuous");
        if both.contains(&name) {
            let by_default = signature.restrictions.default() == Restriction::Continuous;
            assert_eq!(by_default, continuous_by_default.contains(&name), "default of {name}");
        }
    }
}

#[test]
fn rules_are_equal_by_arguments_and_restriction() {
    let instance = cluster("n0: a b | n1: c").build();
    let rule = |text| crate::common::parse_rule(&instance, text).expect("a rule");
    assert_eq!(rule("spread a,b"), rule("spread b,a"));
    assert_ne!(rule("spread a,b"), rule("spread a,c"));
    assert_ne!(rule("spread a,b"), rule("spread a,b; discrete"));
    assert_ne!(rule("spread a,b; discrete"), rule("spread a,b; discrete; soft 1"));
    assert_ne!(rule("gather a,b"), rule("spread a,b; discrete"));
    assert_eq!(rule("seq a,b,c"), rule("seq a,b,c"));
    assert_ne!(rule("seq a,b,c"), rule("seq b,c,a"));
}

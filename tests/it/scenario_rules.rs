//! What the planner does with each rule.

use crate::common::cluster;
use quadrille::Status;

#[test]
fn among_brings_the_last_member_home() {
    let answer = cluster("n0: a | n1: b | n2: c").rule("among a,b,c n0,n1").plan();
    answer.moves(1).actions(1);
    assert_ne!(answer.host("c"), Some("n2"));
}

#[test]
fn among_follows_a_member_that_is_fenced_elsewhere() {
    let base = cluster("n0: a | n1: b | n2: | n3:").rules(&["among a,b n0,n1/n2,n3", "fence b n2,n3"]);
    base.plan().moves(2);
    cluster("n0: a | n1: b | n2: | n3:")
        .rules(&["among a,b n0,n1/n2,n3; continuous", "fence b n2,n3"])
        .no_plan();
}

#[test]
fn among_cannot_serve_two_masters() {
    cluster("n0: a | n1: b").rules(&["among a,b n0/n1", "fence a n0", "fence b n1"]).no_plan();
}

#[test]
fn a_vm_boots_in_the_group_of_the_others() {
    let answer = cluster("n0: a | n1: | n2: | ready: b")
        .cpu("n0=1 n1=1 n2=1 vms=1")
        .rules(&["among a,b n0,n1/n2; continuous", "running b"])
        .plan();
    answer.moves(0).actions(1).ends_on("b", "n1");
}

#[test]
fn a_group_can_change_once_nobody_runs_in_it() {
    cluster("n0: a | n1: b").rules(&["among a,b n0/n1; continuous", "ready a"]).plan().actions(1);
    // The only member that runs stops; the other then boots in the second group.
    cluster("n0: a | n1: | ready: b")
        .rules(&["among a,b n0/n1; continuous", "ready a", "running b", "fence b n1"])
        .plan()
        .before("shutdown a", "boot b");
}

#[test]
fn a_banned_vm_leaves_and_nobody_else() {
    cluster("n0: a b | n1: c | n2:")
        .cpu("nodes=2 vms=1")
        .rules(&["ban a n0,n1", "running a", "running b", "running c", "online n0", "online n1", "online n2"])
        .plan()
        .moves(1)
        .actions(1)
        .ends_on("a", "n2");
}

#[test]
fn a_fence_moves_a_vm_unless_it_stops_anyway() {
    let base = cluster("n0: a | n1:").rule("fence a n1");
    base.plan().moves(1).has("0:1 migrate a n0 n1");
    base.clone().rule("ready a").plan().moves(0).actions(1).has("0:1 shutdown a n0");
    base.clone().rule("ban a n1").no_plan();
    cluster("n0: a").rule("fence a -").no_plan();
    base.rule("ready a").rule("ban a n1").plan();
    cluster("n0: a | n1: | n2: ").rules(&["fence a n0,n1", "fence a n1,n2"]).plan().ends_on("a", "n1");
}

#[test]
fn gather_leaves_alone_what_does_not_run() {
    cluster("n0: a | n1: | ready: b").rule("gather a,b").plan().actions(0);
    let together = cluster("n0: a | n1: | ready: b").rules(&["gather a,b", "running b"]).plan();
    together.moves(0).actions(1).ends_on("b", "n0");
    cluster("n0: a | n1: | ready: b")
        .rules(&["gather a,b; continuous", "running b"])
        .plan()
        .ends_on("b", "n0");
    let both =
        cluster("n0: | n1: | ready: a b").rules(&["gather a,b; continuous", "running a", "running b"]).plan();
    assert_eq!(both.host("a"), both.host("b"));
}

#[test]
fn gathered_vms_do_not_part_even_for_a_moment() {
    let base = cluster("n0: a b | n1:").rules(&["fence a n1", "fence b n1"]);
    base.clone().rule("gather a,b").plan().moves(2);
    base.rule("gather a,b; continuous").no_plan();
    // A single member may move.
    cluster("n0: a | n1:").rules(&["gather a; continuous", "fence a n1"]).no_plan();
}

#[test]
fn lonely_vms_find_a_node_of_their_own() {
    let answer = cluster("n0: a x | n1: b y | n2:").cpu("nodes=3 vms=1").rule("lonely a,b").plan();
    answer.moves(2);
    cluster("n0: | n1: x | ready: a").rule("lonely a").plan().actions(0);
}

#[test]
fn strangers_make_way_for_a_continuously_lonely_vm() {
    let answer = cluster("n0: a | n1: x y | n2:")
        .cpu("nodes=2 vms=1")
        .rules(&["lonely a; continuous", "fence a n1"])
        .plan();
    answer.moves(3).before("migrate x", "migrate a").before("migrate y", "migrate a");
}

#[test]
fn as_few_nodes_stay_on_as_allowed() {
    let answer = cluster("n0: a | n1: b | n2: c").cpu("nodes=4 vms=1").rule("maxOnline * 1").within(3).plan();
    answer.moves(2).actions(4).lasts(2);
}

#[test]
fn two_limits_on_nodes_that_are_on() {
    cluster("n0: a | n1: b | n2: c")
        .cpu("n0=1 n1=2 n2=2 vms=1")
        .rules(&["maxOnline * 2", "maxOnline n0,n1 1"])
        .within(4)
        .plan()
        .moves(1)
        .ends_on("b", "n1");
}

#[test]
fn a_node_goes_off_before_another_comes_on() {
    let answer = cluster("n0: | off: n1").rules(&["maxOnline * 1; continuous", "online n1"]).plan();
    answer.actions(2).has("0:1 shutdown_node n0").has("1:2 boot_node n1");
    answer.before("shutdown_node n0", "boot_node n1");
    let answer = cluster("n0: | off: n1").rules(&["maxOnline * 1", "online n1"]).plan();
    answer.actions(2).lasts(1);
}

#[test]
fn a_limit_on_nodes_while_vms_move() {
    cluster("n0: a | n1: b | off: n2")
        .cpu("nodes=2 vms=1")
        .rules(&["maxOnline * 2; continuous", "online n2"])
        .within(3)
        .plan()
        .moves(1)
        .lasts(3);
}

#[test]
fn two_limits_on_five_nodes() {
    cluster("n0: a | n1: b | n2: c | off: n3 n4")
        .cpu("nodes=3 vms=1")
        .rules(&[
            "maxOnline * 3; continuous",
            "maxOnline n1,n2,n3,n4 2; continuous",
            "online n3",
            "online n4",
        ])
        .within(10)
        .plan()
        .moves(2);
}

#[test]
fn the_one_that_must_wait_cannot_start_at_once() {
    // a -> n1 where b is, b -> n2 where c is, c -> n3 which is free.
    let chain = cluster("n0: a | n1: b | n2: c | n3:").cpu("nodes=1 vms=1").rules(&[
        "fence a n1",
        "fence b n2",
        "fence c n3",
    ]);
    let answer = chain.clone().rule("noDelay c").plan();
    answer
        .moves(3)
        .has("0:1 migrate c n2 n3")
        .before("migrate c", "migrate b")
        .before("migrate b", "migrate a");
    chain.clone().rule("noDelay b").no_plan();
    chain.rule("noDelay a").no_plan();
}

#[test]
fn what_is_not_delayed_goes_first() {
    // Both want the only free seat on their way; either may be the first.
    let base =
        cluster("n0: a b | n1: c | n2:").cpu("n0=2 n1=2 n2=1 vms=1").rules(&["fence a n1", "fence c n2"]);
    base.clone().rule("noDelay a").plan().has("0:1 migrate a");
    base.rule("noDelay c").plan().has("0:1 migrate c");
}

#[test]
fn empty_nodes_go_off_at_once() {
    let answer = cluster("n0: | n1: | n2: a")
        .takes("n0.shutdown=10 n1.shutdown=10")
        .rules(&["offline n0", "offline n1"])
        .plan();
    answer.actions(2).lasts(10);
}

#[test]
fn a_node_is_emptied_before_it_goes_off() {
    let answer = cluster("n0: a | n1:").rule("offline n0").plan();
    answer.moves(1).actions(2).before("migrate a", "shutdown_node n0");
    let conflict = cluster("n0: a").rule("offline n0").no_plan();
    assert!(conflict.outcome.conflict.is_some(), "no reason is given: {conflict}");
    cluster("n0: | off: n1").rule("online n1").plan().actions(1).has("0:1 boot_node n1");
    cluster("n0: | n1:").rules(&["online n0", "offline n0"]).no_plan();
}

#[test]
fn a_node_that_keeps_an_image_stays_on() {
    cluster("n0: | n1: | sleeping n0: a").rule("offline n0").no_plan();
    let answer = cluster("n0: | n1: | sleeping n0: a").rules(&["offline n0", "running a"]).plan();
    answer.before("resume a n0 n1", "shutdown_node n0");
    cluster("n0: | n1: | sleeping n0: a").rules(&["offline n0", "killed a"]).plan().actions(2);
}

#[test]
fn overbooked_nodes_take_more() {
    let boot = ["running a", "running b", "running c"];
    let base = cluster("n0: | n1: | ready: a b c").cpu("nodes=2 vms=1").rules(&boot);
    base.clone().rules(&["overbook n0 cpu 2", "overbook n1 cpu 2"]).plan().actions(3);
    let base = cluster("n0: | ready: a b c").cpu("n0=2 vms=1").rules(&boot);
    base.no_plan();
    base.clone().rule("overbook n0 cpu 1.5").plan().actions(3);
    base.clone().rule("overbook n0 cpu 1.4").no_plan();
    base.rules(&["overbook n0 cpu 2", "overbook n0 cpu 1"]).no_plan();
}

#[test]
fn three_ratios_for_eleven_vms() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    let text = format!("n0: | n1: | n2: | ready: {}", names.join(" "));
    let mut base = cluster(&text).cpu("nodes=2 vms=1");
    for name in names {
        base = base.rule(format!("running {name}"));
    }
    let base = base.rules(&["overbook n0 cpu 1", "overbook n1 cpu 2", "overbook n2 cpu 3"]);
    base.plan().actions(11).lasts(1);
    // One more does not fit.
    let mut more = cluster(&format!("{text} l")).cpu("nodes=2 vms=1");
    for name in names.iter().chain(&["l"]) {
        more = more.rule(format!("running {name}"));
    }
    more.rules(&["overbook n0 cpu 1", "overbook n1 cpu 2", "overbook n2 cpu 3"]).plan().actions(12);
    let mut seven = cluster("n0: | n1: | ready: a b c d e f g").cpu("nodes=3 vms=0");
    for name in &names[..7] {
        seven = seven.rule(format!("running {name}")).rule(format!("preserve {name} cpu 1"));
    }
    seven.rules(&["overbook n0 cpu 1", "overbook n1 cpu 1"]).no_plan();
}

#[test]
fn a_vm_takes_the_room_of_one_that_stops() {
    let answer = cluster("n0: a | ready: b")
        .cpu("n0=2 vms=2")
        .rules(&["overbook n0 cpu 1", "sleeping a", "running b"])
        .plan();
    answer.actions(2).before("suspend a", "boot b");
}

#[test]
fn a_share_grows_into_the_room_of_one_that_stops() {
    let answer = cluster("n0: a b")
        .cpu("n0=5 a=3 b=2")
        .rules(&["overbook n0 cpu 1", "preserve a cpu 5", "ready b"])
        .plan();
    answer.actions(2).before("shutdown b", "allocate a n0 cpu 5");
}

#[test]
fn a_share_that_outgrows_its_node() {
    let answer = cluster("n0: a b | n1:").cpu("nodes=5 a=3 b=2").rule("preserve b cpu 3").plan();
    answer.moves(1);
    cluster("n0: a b").cpu("n0=5 a=3 b=2").rule("preserve b cpu 3").no_plan();
    // Less than it has changes nothing.
    cluster("n0: a").cpu("n0=5 a=3").rule("preserve a cpu 1").plan().actions(0);
    // The largest of several counts.
    let answer = cluster("n0: a").cpu("n0=5 a=1").rules(&["preserve a cpu 2", "preserve a cpu 4"]).plan();
    answer.actions(1).has("0:0 allocate a n0 cpu 4");
}

#[test]
fn nobody_crosses_the_border_of_a_quarantine() {
    cluster("n0: a | n1: b").rule("quarantine n0").plan().actions(0);
    cluster("n0: a | n1: b").rules(&["quarantine n0", "fence b n0"]).no_plan();
    cluster("n0: a | n1: b").rules(&["quarantine n0", "fence a n1"]).no_plan();
    cluster("n0: | n1: | ready: b").rules(&["quarantine n0", "running b"]).plan().ends_on("b", "n1");
    let answer = cluster("n0: a | n1:").rules(&["quarantine n0", "ready a", "offline n0"]).plan();
    answer.before("shutdown a", "shutdown_node n0");
}

#[test]
fn a_sum_of_loads_is_kept() {
    let base = cluster("n0: a | n1: b | n2: | sleeping n1: c").cpu("nodes=8 a=5 b=5 c=3");
    base.clone().rule("resourceCapacity * cpu 10").plan().actions(0);
    base.clone().rule("resourceCapacity n0,n1 cpu 9").plan().moves(1);
    base.rule("resourceCapacity * cpu 9").no_plan();
    cluster("n0: a | n1: b | n2: | ready: c")
        .cpu("nodes=10 vms=5")
        .rules(&["resourceCapacity n0,n1 cpu 10; continuous", "running c", "fence c n0"])
        .plan()
        .moves(1)
        .before("migrate", "boot c");
}

#[test]
fn a_node_may_carry_less_than_it_has() {
    let base = cluster("n0: a | n1:").cpu("nodes=5 a=2").rule("preserve a cpu 3");
    base.clone().rule("resourceCapacity n0 cpu 4").plan().moves(0).actions(1);
    cluster("n0: a b").cpu("n0=5 a=2 b=3").rule("resourceCapacity n0 cpu 3").no_plan();
    let answer = cluster("n0: a | n1: | ready: b")
        .cpu("nodes=5 vms=3")
        .rules(&["resourceCapacity n0 cpu 3; continuous", "running b", "fence b n0"])
        .plan();
    answer.actions(2).before("migrate a", "boot b");
}

#[test]
fn a_rooted_vm_stays() {
    cluster("n0: a | n1:").rules(&["root a", "offline n0"]).no_plan();
    let answer = cluster("n0: a b | n1:").cpu("n0=1 n1=2 vms=1").rule("root a").plan();
    answer.moves(1).ends_on("a", "n0").ends_on("b", "n1");
}

#[test]
fn running_vms_are_counted_in_the_end() {
    let base = cluster("n0: a b | n1: c d | n2:");
    base.clone().rule("runningCapacity n0,n1 4").plan().actions(0);
    base.clone().rule("runningCapacity n0,n1 3").plan().moves(1).actions(1);
    base.rule("runningCapacity * 2").no_plan();
    cluster("n0: a b | ready: c")
        .rules(&["runningCapacity n0 2", "ready b", "running c"])
        .plan()
        .actions(2)
        .lasts(1);
    let answer = cluster("n0: | n1: | n2: | ready: a b c")
        .rules(&[
            "running a",
            "running b",
            "running c",
            "runningCapacity n0 2",
            "runningCapacity n1 1",
            "runningCapacity n2 0",
        ])
        .plan();
    answer.actions(3).has_no("boot a n2").has_no("boot b n2").has_no("boot c n2");
}

#[test]
fn state_changes_come_one_after_the_other() {
    let wishes = ["running a", "sleeping b", "running c", "ready d"];
    let base = cluster("n0: b d | n1: k | ready: a | sleeping n1: c").rules(&wishes);
    let answer = base.clone().rule("seq a,b,k,c,d").plan();
    answer.actions(4).lasts(4);
    answer.before("boot a", "suspend b").before("suspend b", "resume c").before("resume c", "shutdown d");
    base.plan().actions(4).lasts(1);
    let killed = cluster("n0: a b").rules(&["killed a", "killed b", "seq b,a"]).plan();
    killed.before("kill b", "kill a").lasts(2);
}

#[test]
fn parts_are_split() {
    cluster("n0: a x | n1: b y | n2: | n3:").rule("split a,b/x,y").plan().moves(2);
    cluster("n0: a x").rule("split a/x").no_plan();
    cluster("n0: | ready: a x").rule("split a/x").plan().actions(0);
    // Two parts change places by way of a free node.
    let rules = ["fence a n1", "fence x n0"];
    let exchange = cluster("n0: a | n1: x | n2:").rules(&rules).rule("split a/x; continuous");
    exchange.plan().moves(3);
    cluster("n0: a | n1: x").rules(&rules).rule("split a/x; continuous").no_plan();
    cluster("n0: a | n1: x").rules(&rules).rule("split a/x; discrete").plan().moves(2);
}

#[test]
fn parts_get_groups_of_their_own() {
    let base = cluster("n0: a x | n1: | n2: | n3:");
    base.clone().rule("splitAmong a/x n0,n1/n2,n3").plan().moves(1);
    base.clone().rule("splitAmong a/x n0,n1/n2,n3; continuous").plan().moves(1);
    base.clone().rule("splitAmong a/x n0,n1/n2,n3; continuous").strictly().no_plan();
    base.rule("splitAmong a/x n0,n1").no_plan();
    let change = cluster("n0: a | n1: | n2: x | n3:").rules(&["fence a n2,n3", "fence x n0,n1"]);
    change.clone().rule("splitAmong a/x n0,n1/n2,n3").plan().moves(2);
    change.rule("splitAmong a/x n0,n1/n2,n3; continuous").no_plan();
}

#[test]
fn spread_vms_change_places() {
    for rule in ["spread a,b", "spread a,b; discrete"] {
        let answer = cluster("n0: a | n1: b | n2:").rules(&[rule, "fence a n1"]).plan();
        answer.moves(2).actions(2);
        assert_ne!(answer.host("a"), answer.host("b"));
    }
    let answer = cluster("n0: a | n1: b | n2:").rules(&["spread a,b", "fence a n1"]).plan();
    answer.before("migrate b", "migrate a");
}

#[test]
fn a_spread_that_is_broken_before_the_plan() {
    let base = cluster("n0: a b | n1:").rule("spread a,b");
    let answer = base.plan();
    answer.moves(1);
    assert_eq!(answer.outcome.repaired.len(), 1, "{answer}");
    base.strictly().no_plan();
    cluster("n0: a | n1: | ready: b").rule("spread a,b").plan().actions(0);
    cluster("n0: a b c | n1:").rule("spread a,b,c").no_plan();
}

#[test]
fn two_spreads_a_fence_and_a_node_that_goes_off() {
    cluster("n0: a x | n1: b y | n2: c z | n3:")
        .rules(&["spread a,b,c", "spread x,y,z", "fence a n1,n2,n3", "offline n0"])
        .plan()
        .moves(2);
}

#[test]
fn a_deadline_is_met_or_impossible() {
    let base = cluster("n0: a | n1:").takes("a.migrate=60").rule("fence a n1");
    let answer = base.clone().rule("deadline a +00:01:30").plan();
    assert!(answer.action("migrate a").end <= 90);
    base.clone().rule("deadline a +00:00:30").no_plan();
    base.rule("deadline a +12:00:00").plan();
    cluster("n0: a | n1:").rule("deadline a +00:00:00").plan().actions(0);
}

#[test]
fn relocations_in_order() {
    let base = cluster("n0: a b | n1: | n2:").rules(&["fence a n1", "fence b n2"]);
    base.clone().rule("precedence b a").plan().before("migrate b", "migrate a").lasts(2);
    base.clone().rule("serialize a,b").plan().lasts(2);
    let answer = base.clone().takes("a.migrate=3 b.migrate=5").rule("sync a,b").plan();
    assert_eq!(answer.action("migrate a").end, answer.action("migrate b").end);
    answer.lasts(5);
    base.plan().lasts(1);
    // A member that stays ties nobody, and one that stops has no relocation.
    cluster("n0: a b | n1:").rules(&["fence a n1", "sync a,b"]).plan().moves(1);
    cluster("n0: a b | n1:").rules(&["fence a n1", "precedence b a", "ready b"]).plan().moves(1);
    cluster("n0: a b | n1:").rules(&["fence a n1", "serialize a"]).plan().moves(1);
}

#[test]
fn relocations_that_must_end_together_but_cannot() {
    // Each needs the room that the other leaves.
    cluster("n0: a | n1: b | n2:")
        .cpu("nodes=1 vms=1")
        .rules(&["fence a n1", "fence b n2", "sync a,b"])
        .no_plan();
}

#[test]
fn any_node_may_fail() {
    // Three nodes with room for two: six slots, of which one node's two may be lost.
    let base = cluster("n0: a b | n1: c | n2: d").cpu("nodes=2 vms=1");
    base.clone().rule("ft * 1").plan().actions(0);
    cluster("n0: a b | n1: c d | n2: e").cpu("nodes=2 vms=1").rule("ft * 1").no_plan();
    // Room enough in sum, but in pieces that are too small for a VM of two.
    let answer = cluster("n0: a | n1: b | n2: c | n3: d")
        .cpu("n0=2 n1=3 n2=3 n3=4 a=2 b=2 c=2 d=2")
        .rule("ft * 1")
        .solve();
    assert_ne!(answer.outcome.status, Status::Unknown, "{answer}");
}

#[test]
fn a_rule_may_have_a_price_instead() {
    let base = cluster("n0: a b | n1:").cpu("nodes=2 vms=1");
    // Moving costs 1, sharing a node costs 3: it moves. At a price of 1 it need not.
    let answer = base.clone().rule("spread a,b; discrete; soft 3").plan();
    answer.moves(1);
    assert_eq!(answer.outcome.levels[0].value, 1, "{answer}");
    let answer = base.clone().rules(&["spread a,b; discrete; soft 3", "root a", "root b"]).plan();
    answer.moves(0);
    assert_eq!(answer.outcome.levels[0].value, 3, "{answer}");
    let answer = base.rules(&["fence a n1; soft 1"]).plan();
    assert_eq!(answer.outcome.levels[0].value, 1, "{answer}");
}

#[test]
fn a_vm_that_may_not_move_and_may_not_stay() {
    for rule in ["fence a n1", "ban a n0", "among a n1", "among a -", "splitAmong a/b n1/n2"] {
        cluster("n0: a | n1: | n2: b").rules(&["root a", rule]).no_plan();
        cluster("n0: a | n1: | n2: b").rules(&["quarantine n0", rule]).no_plan();
        // What else there is to do makes no difference.
        cluster("n0: a | n1: c | n2: b").rules(&["root a", rule, "ready c"]).no_plan();
        cluster("n0: a | n1: c | n2: b").rules(&["root a", rule, "sleeping c"]).no_plan();
    }
}

#[test]
fn thirty_vms_that_may_not_wait_are_not_tried_in_all_ways_at_once() {
    // More ways to start together than memory could list; one node has too little room.
    let vms: Vec<String> = (0..30).map(|vm| format!("v{vm}")).collect();
    let nodes: String = (1..12).map(|node| format!(" | n{node}:")).collect();
    let spec = cluster(&format!("n0: {}{nodes}", vms.join(" "))).cpu("nodes=59 n0=100 vms=30");
    let rules = vms.iter().flat_map(|vm| [format!("noDelay {vm}"), format!("ban {vm} n0")]);
    rules.fold(spec, |spec, rule| spec.rule(rule)).rule("spread v0,v1").no_plan();
}

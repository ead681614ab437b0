//! Instances, configurations, plans: the things themselves, before anybody plans.

use crate::common::Spec;
use crate::common::cluster;
use crate::common::line;
use crate::tampered;
use quadrille::Instance;
use quadrille::Plan;
use quadrille::compile::Builder;
use quadrille::model::Configuration;
use quadrille::model::InstanceBuilder;
use quadrille::model::Metrics;
use quadrille::model::NodeId;
use quadrille::model::Place;
use quadrille::model::ResourceId;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::model::VmState;

#[test]
fn an_empty_cluster() {
    let instance = InstanceBuilder::new().build().expect("an empty instance");
    assert_eq!((instance.vm_count(), instance.node_count(), instance.resource_count()), (0, 0, 0));
    assert_eq!(instance.vms().find("a"), None);
    assert_eq!(instance.resource_named("cpu"), None);
    let at = Configuration::source(&instance);
    assert!(std::ptr::eq(at.instance(), &instance));
}

#[test]
fn mistakes_of_a_builder_are_errors() {
    let message = |b: InstanceBuilder| b.build().expect_err("a mistake").to_string();
    let mut twice = InstanceBuilder::new();
    twice.node("n0");
    twice.offline_node("n0");
    assert!(message(twice).contains("n0"));
    let mut twice = InstanceBuilder::new();
    let n0 = twice.node("n0");
    twice.running_vm("a", n0);
    twice.ready_vm("a");
    assert!(message(twice).contains("`a`"));
    for place in [Place::Running, Place::Sleeping] {
        let mut off = InstanceBuilder::new();
        let n0 = off.offline_node("n0");
        off.vm("a", place(n0));
        assert!(message(off).contains("offline"));
        let mut nowhere = InstanceBuilder::new();
        nowhere.vm("a", place(NodeId(7)));
        assert!(message(nowhere).contains("does not exist"));
    }
    let mut twice = InstanceBuilder::new();
    twice.resource("cpu");
    twice.resource("cpu");
    assert!(message(twice).contains("cpu"));
    let mut huge = InstanceBuilder::new();
    let cpu = huge.resource("cpu");
    for name in ["n0", "n1"] {
        let node = huge.node(name);
        huge.capacity(node, cpu, u64::MAX);
    }
    assert!(message(huge).contains("cpu"));
}

#[test]
fn a_vm_is_in_one_place_at_a_time() {
    let mut b = InstanceBuilder::new();
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    let a = b.running_vm("a", n0);
    b.place(a, Place::Running(n1));
    let instance = b.build().expect("a valid instance");
    let mut at = Configuration::source(&instance);
    assert_eq!((at.guests(n0).len(), at.guests(n1)), (0, &[a][..]));
    for place in [Place::Sleeping(n1), Place::Ready, Place::Killed, Place::Running(n0)] {
        at.put(a, place);
        assert_eq!(at.place(a), place);
        let hosted: usize = [n0, n1].map(|node| at.guests(node).len()).iter().sum();
        assert_eq!(hosted, usize::from(place.state() == VmState::Running));
    }
}

#[test]
fn copies_of_a_configuration_are_independent() {
    let instance = cluster("n0: a | n1:").cpu("nodes=4 a=3").build();
    let (a, n0, n1, cpu) = (VmId(0), NodeId(0), NodeId(1), ResourceId(0));
    let one = Configuration::source(&instance);
    let mut other = one.clone();
    other.put(a, Place::Running(n1));
    assert_eq!((one.load(n0, cpu), one.load(n1, cpu)), (3, 0));
    assert_eq!((other.load(n0, cpu), other.load(n1, cpu)), (0, 3));
}

#[test]
fn what_is_not_said_of_a_resource_is_its_default() {
    let mut b = InstanceBuilder::new();
    b.node("before");
    let cpu = b.resource_with_defaults("cpu", 4, 1);
    let mem = b.resource("mem");
    let after = b.node("after");
    let a = b.running_vm("a", after);
    let c = b.running_vm("c", after);
    b.demand(c, cpu, 3).capacity(after, mem, 9);
    let instance = b.build().expect("a valid instance");
    let sum: u64 = instance.node_ids().map(|node| instance.capacity(node, cpu)).sum();
    assert_eq!(sum, 8);
    assert_eq!((instance.demand(a, cpu), instance.demand(c, cpu)), (1, 3));
    assert_eq!((instance.demand(a, mem), instance.capacity(after, mem)), (0, 9));
    assert_eq!(Configuration::source(&instance).load(after, cpu), 4);
}

#[test]
fn attributes_keep_their_kinds() {
    let mut b = InstanceBuilder::new();
    let a = b.ready_vm("a");
    b.vm_attribute(a, "boot", Value::Int(3)).vm_attribute(a, "boot", Value::Int(4));
    b.vm_attribute(a, "rate", Value::Float(2.0)).vm_attribute(a, "odd", Value::Float(2.5));
    b.vm_attribute(a, "clone", Value::Bool(true)).vm_attribute(a, "template", Value::Text("small".into()));
    let instance = b.build().expect("a valid instance");
    let attributes = instance.vms().attributes();
    let get = |key| attributes.get(a.index(), key);
    assert_eq!(get("boot").and_then(Value::as_int), Some(4));
    assert_eq!(get("rate").and_then(Value::as_int), Some(2));
    assert_eq!(get("odd").and_then(Value::as_int), None);
    assert_eq!(get("clone").and_then(Value::as_bool), Some(true));
    assert_eq!(get("template").and_then(Value::as_text), Some("small"));
    assert_eq!(get("template").and_then(Value::as_int), None);
    assert_eq!(get("nothing"), None);
    assert!(instance.can_reinstantiate(a));
}

#[test]
fn a_plan_of_nothing() {
    let instance = cluster("n0: a").build();
    let plan = Plan::default();
    assert_eq!((plan.makespan(), plan.actions.len()), (0, 0));
    assert_eq!(Metrics::of(&instance, &plan), Metrics { nodes_on: 1, ..Metrics::default() });
    let end = crate::replay::end(&instance, &plan);
    assert_eq!(end.place(VmId(0)), Place::Running(NodeId(0)));
}

/// A plan in which much happens, in the order of time.
const MIXED: &str = "0:5 boot_node n2 | 0:3 migrate a n0 n1 cpu=3 | 3:3 allocate b n0 cpu 2 \
                     | 5:7 boot r n2 | 3:7 migrate s n3 n1 | 7:9 shutdown_node n3";

fn mixed() -> Spec {
    cluster("n0: a b | n1: | off: n2 | n3: s | ready: r").cpu("nodes=4 a=2 b=1 s=1 r=2").rules(&[
        "preserve a cpu 3",
        "preserve b cpu 2",
        "running r",
        "offline n3",
        "online n2",
    ])
}

#[test]
fn applying_a_plan_gives_the_places_and_shares_foreseen() {
    mixed().accepts(MIXED);
    let instance = mixed().build();
    let plan = tampered::plan(&instance, MIXED);
    let end = crate::replay::end(&instance, &plan);
    let [a, b, s, r] = [0, 1, 2, 3].map(VmId);
    let [n0, n1, n2, n3] = [0, 1, 2, 3].map(NodeId);
    let cpu = ResourceId(0);
    assert_eq!([a, b, s, r].map(|vm| end.host(vm)), [Some(n1), Some(n0), Some(n1), Some(n2)]);
    assert_eq!([n0, n1, n2].map(|node| end.load(node, cpu)), [2, 4, 2]);
    assert!(end.is_online(n2) && !end.is_powered(n3));
    let metrics = Metrics::of(&instance, &plan);
    assert_eq!((metrics.migrations, metrics.boots, metrics.allocations), (2, 1, 1));
    assert_eq!((metrics.node_boots, metrics.node_shutdowns, metrics.makespan), (1, 1, 9));
    assert_eq!(metrics.mttr, 5 + 3 + 3 + 7 + 7 + 9);
    assert_eq!(metrics.sum_of_ends, 5 + 3 + 3 + 7 + 7 + 9);
    assert_eq!(metrics.relocation_time, 3 + 4);
}

/// The plan with its edges, and each edge as `a -> b` in words.
fn edges(spec: &Spec, text: &str) -> (Instance, Plan, Vec<String>) {
    let instance = spec.build();
    let mut plan = tampered::plan(&instance, text);
    quadrille::plan::order(&instance, &Builder::post_all(&instance), &mut plan);
    let words = |at: u32| {
        let line = line(&instance, &plan.actions[at as usize]);
        line.split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned())
    };
    let edges = plan.happens_before.iter().map(|&(a, b)| format!("{} -> {}", words(a), words(b))).collect();
    (instance, plan, edges)
}

fn expect_edges(spec: &Spec, text: &str, expected: &[&str]) {
    let (.., mut found) = edges(spec, text);
    let mut expected: Vec<String> = expected.iter().map(|&edge| edge.to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "edges of `{text}`");
}

#[test]
fn executing_by_edges_gives_the_same_end() {
    let (instance, plan, _) = edges(&mixed(), MIXED);
    let again = quadrille::plan::execute(&plan, &[9, 1, 0, 4, 6, 2]);
    let [one, other] = [&plan, &again].map(|plan| crate::replay::end(&instance, plan));
    for vm in instance.vm_ids() {
        assert_eq!(one.place(vm), other.place(vm));
    }
    assert_eq!(crate::replay::faults(&instance, &again, crate::replay::Clock::Free), Vec::<String>::new());
}

#[test]
fn actions_far_apart_do_not_wait() {
    let base = cluster("n0: a | n1: | n2: b | n3:").cpu("nodes=1 vms=1");
    expect_edges(&base, "0:1 migrate a n0 n1 | 3:4 migrate b n2 n3", &[]);
}

#[test]
fn a_boot_waits_for_its_node() {
    let base = cluster("off: n0 | ready: a").rule("running a");
    expect_edges(&base, "0:5 boot_node n0 | 5:7 boot a n0", &["boot_node n0 -> boot a n0"]);
}

#[test]
fn an_arrival_waits_for_the_departure_that_makes_room() {
    let base = cluster("n0: a | n1: b | n2:").cpu("nodes=1 vms=1");
    let text = "0:5 migrate b n1 n2 | 7:9 migrate a n0 n1";
    expect_edges(&base, text, &["migrate b n1 n2 -> migrate a n0 n1"]);
    // With room for both nobody waits.
    let base = cluster("n0: a | n1: b | n2:").cpu("nodes=2 vms=1");
    expect_edges(&base, text, &[]);
}

#[test]
fn a_node_goes_off_after_the_last_departure() {
    let base = cluster("n0: a b | n1:").rule("offline n0");
    let text = "0:2 migrate a n0 n1 | 0:3 migrate b n0 n1 | 3:7 shutdown_node n0";
    let edges = ["migrate a n0 n1 -> shutdown_node n0", "migrate b n0 n1 -> shutdown_node n0"];
    expect_edges(&base, text, &edges);
}

#[test]
fn a_share_grows_after_the_one_that_stops() {
    let base = cluster("n0: a b").cpu("n0=5 a=3 b=2").rules(&["preserve a cpu 5", "ready b"]);
    expect_edges(
        &base,
        "0:1 shutdown b n0 | 5:5 allocate a n0 cpu 5",
        &["shutdown b n0 -> allocate a n0 cpu 5"],
    );
}

#[test]
fn what_is_said_by_two_edges_is_not_said_by_a_third() {
    let base = cluster("n0: a | n1: b | n2: c | n3:").cpu("nodes=1 vms=1").rule("seq a,b,c");
    let text = "0:1 migrate c n2 n3 | 1:2 migrate b n1 n2 | 2:3 migrate a n0 n1";
    let expected = ["migrate c n2 n3 -> migrate b n1 n2", "migrate b n1 n2 -> migrate a n0 n1"];
    expect_edges(&base, text, &expected);
}

#[test]
fn state_changes_in_sequence_wait_though_they_share_nothing() {
    let base = cluster("n0: a | n1: b").rules(&["seq a,b", "ready a", "sleeping b"]);
    expect_edges(&base, "0:1 shutdown a n0 | 1:2 suspend b n1", &["shutdown a n0 -> suspend b n1"]);
}

#[test]
fn spread_vms_wait_for_each_other() {
    let base = cluster("n0: a | n1: b | n2:").rule("spread a,b");
    let text = "0:1 migrate b n1 n2 | 1:2 migrate a n0 n1";
    expect_edges(&base, text, &["migrate b n1 n2 -> migrate a n0 n1"]);
    let base = cluster("n0: a | n1: b | n2:").rule("spread a,b; discrete");
    expect_edges(&base, text, &[]);
}

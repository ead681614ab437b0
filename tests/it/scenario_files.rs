//! Instances and plans in files: what is written is read again.

use crate::common::Dice;
use crate::common::Spec;
use crate::common::cluster;
use crate::generate::SOFT;
use crate::generate::any_rules;
use crate::generate::draw;
use crate::generate::fits;
use crate::tampered;
use quadrille::Instance;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::format::WriteOptions;
use quadrille::format::btrplace;
use quadrille::format::native;
use quadrille::model::Endpoint;
use quadrille::model::InstanceBuilder;
use quadrille::model::Link;
use quadrille::model::Network;
use quadrille::model::Route;
use quadrille::model::Routing;
use quadrille::model::Switch;
use quadrille::model::Value;

fn reread(instance: &Instance) -> Instance {
    let text = native::write_instance(instance).expect("writable");
    let read = format::read_instance(text.as_bytes(), &ReadOptions::default());
    read.unwrap_or_else(|error| panic!("{error} in\n{text}")).instance
}

/// Through BtrPlace's format and back.
fn rewritten(instance: &Instance) -> Instance {
    let written = btrplace::write_instance(instance, &WriteOptions::default()).expect("writable");
    let read = format::read_instance(written.text.as_bytes(), &ReadOptions::default());
    read.unwrap_or_else(|error| panic!("{error} in\n{}", written.text)).instance
}

fn says(instance: &Instance) -> String {
    native::write_instance(instance).expect("writable")
}

#[test]
fn any_instance_is_read_as_it_was_written() {
    let rules = [any_rules(), SOFT.to_vec()].concat();
    let mut dice = Dice::new(21);
    for _ in 0..400 {
        let (nodes, vms) = dice.of(&[(2, 3), (3, 4), (6, 12)]);
        let mut spec = draw(&mut dice, nodes, vms).takes("a.migrate=7 n1.boot=3");
        for _ in 0..dice.below(5) {
            let rule = dice.of(&rules);
            if fits(rule, nodes, vms) {
                spec.rules.push(rule.to_owned());
            }
        }
        let instance = spec.build();
        let again = reread(&instance);
        assert_eq!(instance, again, "{spec}\nis\n{}", says(&instance));
        assert_eq!(says(&instance), says(&again));
    }
}

#[test]
fn every_rule_is_read_as_it_was_written() {
    for rule in [any_rules(), SOFT.to_vec()].concat() {
        let instance = everything().rule(rule).build();
        let again = reread(&instance);
        assert_eq!(instance.constraints(), again.constraints(), "{rule}");
    }
}

/// A cluster in which every state occurs.
fn everything() -> Spec {
    cluster("n0: a b | n1: c | n2: | off: n3 | ready: d | sleeping n1: e").cpu("nodes=4 vms=1").cloneable("a")
}

#[test]
fn every_rule_survives_btrplace_s_format() {
    for rule in any_rules() {
        let instance = everything().rule(rule).build();
        let again = rewritten(&instance);
        assert_eq!(says_of_rules(&instance), says_of_rules(&again), "{rule}");
    }
}

/// The rules in words, by names: numbers may differ between formats.
fn says_of_rules(instance: &Instance) -> Vec<String> {
    let say = |constraint: &quadrille::Constraint| {
        let rule = &constraint.rule;
        format!("{} {:?} {:?}", rule.signature().name, rule.arguments(), constraint.restriction)
    };
    instance.constraints().iter().map(say).collect()
}

#[test]
fn states_shares_and_attributes_survive_btrplace_s_format() {
    let instance = everything().takes("a.migrate=3 n0.boot=9").resource("mem", "nodes=8 vms=2 a=5").build();
    let again = rewritten(&instance);
    for vm in instance.vm_ids() {
        assert_eq!(instance.vm_name(vm), again.vm_name(vm));
        assert_eq!(instance.place(vm), again.place(vm));
        assert_eq!(instance.can_reinstantiate(vm), again.can_reinstantiate(vm));
        for resource in instance.resource_ids() {
            assert_eq!(instance.demand(vm, resource), again.demand(vm, resource));
        }
    }
    for node in instance.node_ids() {
        assert_eq!(instance.node_name(node), again.node_name(node));
        assert_eq!(instance.is_online(node), again.is_online(node));
    }
    assert_eq!(instance.vms().attributes(), again.vms().attributes());
    assert_eq!(instance.nodes().attributes(), again.nodes().attributes());
    // Once it has their numbers it is the same for good.
    assert_eq!(again, rewritten(&again));
}

#[test]
fn attributes_of_every_kind() {
    let mut b = InstanceBuilder::new();
    let a = b.ready_vm("a");
    let n = b.node("n");
    for (key, value) in [
        ("flag", Value::Bool(true)),
        ("count", Value::Int(-7)),
        ("part", Value::Float(0.25)),
        ("word", Value::Text("x \"y\" \u{e9}\n".into())),
    ] {
        b.vm_attribute(a, key, value.clone()).node_attribute(n, key, value);
    }
    let instance = b.build().expect("a valid instance");
    assert_eq!(instance, reread(&instance));
    assert_eq!(instance.vms().attributes(), rewritten(&instance).vms().attributes());
}

#[test]
fn a_network_with_switches_links_and_routes() {
    let mut b = InstanceBuilder::new();
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    let link = |number, switch, end| Link { number, capacity: 2000, switch, end };
    let mut network = Network {
        switches: vec![Switch::new(0, None, Some(1000)), Switch::new(1, None, None)],
        links: vec![
            link(0, 0, Endpoint::Node(n0)),
            link(1, 1, Endpoint::Node(n1)),
            link(2, 0, Endpoint::Switch(1)),
        ],
        routing: Routing::Tree,
        ..Network::default()
    };
    b.network(network.clone());
    let instance = b.build().expect("a valid instance");
    assert_eq!(instance.network(), reread(&instance).network());
    assert_eq!(instance.network(), rewritten(&instance).network());
    let mut b = InstanceBuilder::new();
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    network.routing = Routing::Fixed(vec![
        Route { from: n0, to: n1, links: vec![(0, false), (2, true), (1, true)] },
        Route { from: n1, to: n0, links: vec![(1, false), (2, false), (0, true)] },
    ]);
    b.network(network);
    let instance = b.build().expect("a valid instance");
    assert_eq!(instance.network(), reread(&instance).network());
    assert_eq!(instance.network(), rewritten(&instance).network());
}

#[test]
fn objectives_are_read_as_they_were_written() {
    for objective in
        ["relocations,mttr", "makespan", "relocation_time", "100*relocations+makespan,sum_of_ends"]
    {
        let instance = cluster("n0: a").minimise(objective).build();
        assert_eq!(instance.objective(), reread(&instance).objective(), "{objective}");
    }
}

#[test]
fn plans_with_every_action_survive_both_formats() {
    let spec = cluster("n0: a b c k | n1: | off: n2 | n3: | ready: r | sleeping n1: s")
        .cpu("nodes=9 vms=1")
        .cloneable("b");
    let text = "0:1 migrate a n0 n1 cpu=2 | 0:2 shutdown c n0 | 0:1 kill k n0 | 0:3 boot_node n2 \
                | 3:4 boot r n2 cpu=2 | 0:1 resume s n1 n0 | 1:1 allocate s n0 cpu 3 | 0:1 shutdown_node n3 \
                | 4:5 suspend r n2";
    let instance = spec.build();
    let plan = tampered::plan(&instance, text);
    let written = btrplace::write_plan(&instance, &plan).expect("writable");
    let again = btrplace::read_plan(written.text.as_bytes(), &instance).expect("readable");
    let mut actions: Vec<_> = plan.actions.clone();
    let mut others: Vec<_> = again.actions.clone();
    actions.sort_by_key(|action| (action.start, action.end, format!("{:?}", action.kind)));
    others.sort_by_key(|action| (action.start, action.end, format!("{:?}", action.kind)));
    assert_eq!(actions, others, "{}", written.text);
    let cloned =
        tampered::plan(&instance, "0:3 forge_clone b | 3:4 boot_clone b n0 n1 | 4:6 shutdown_original b n0");
    let written = btrplace::write_plan(&instance, &cloned).expect("writable");
    let again = btrplace::read_plan(written.text.as_bytes(), &instance).expect("readable");
    assert_eq!(cloned.actions, again.actions, "{}", written.text);
}

#[test]
fn mistakes_in_files_have_a_place() {
    let document = |vms: &str, constraints: &str| {
        format!(
            "{{\"schema\": \"quadrille/instance/1\",\n \"nodes\": [{{\"name\": \"n1\"}}],\n \"vms\": [{vms}],\n \"constraints\": [{constraints}]}}"
        )
    };
    let vm = r#"{"name": "a", "host": "n1"}"#;
    for (vms, constraints, expected) in [
        (r#"{"name": "a", "host": "n2"}"#, "", "n2"),
        (r#"{"name": "a", "host": "n1"}, {"name": "a"}"#, "", "a"),
        (r#"{"name": "a", "hots": "n1"}"#, "", "host"),
        (vm, r#"{"spraed": {"vms": ["a"]}}"#, "spread"),
        (vm, r#"{"spread": {"vms": ["b"]}}"#, "b"),
        (vm, r#"{"spread": {}}"#, "vms"),
        (vm, r#"{"running": {"vm": 7}}"#, "vm"),
        (vm, r#"{"root": {"vm": "a", "continuous": false}}"#, "root"),
        (vm, r#"{"root": {"vm": "a", "penalty": 3}}"#, "root"),
    ] {
        let text = document(vms, constraints);
        let error = format::read_instance(text.as_bytes(), &ReadOptions::default()).expect_err(&text);
        assert!(error.line > 0 && error.column > 0, "{error} has no place");
        assert!(error.to_string().contains(expected), "`{error}` does not say `{expected}`");
    }
    for text in ["", "{", "[]", "nonsense", "{\"model\": 3}", "{\"schema\": \"quadrille/instance/9\"}"] {
        assert!(format::read_instance(text.as_bytes(), &ReadOptions::default()).is_err(), "{text:?}");
    }
}

#[test]
fn two_resources_and_two_naming_views() {
    let instance =
        cluster("n0: a | n1:").resource("cpu", "nodes=4 a=1").resource("mem", "nodes=9 a=3").build();
    let again = rewritten(&instance);
    let names: Vec<&str> = again.resources().iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["cpu", "mem"]);
    assert_eq!(
        (again.nodes().find("n1"), again.vms().find("n1"), again.vms().find("a")),
        (Some(1), None, Some(0))
    );
}

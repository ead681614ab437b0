use super::*;
use crate::format::testing;
use crate::format::testing::Choices;
use crate::format::testing::Scope;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use proptest::prelude::*;

/// Two nodes, a VM on the first, a resource.
fn small() -> Instance {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let n0 = b.node("n0");
    b.node("n1");
    b.offline_node("n2");
    for name in ["a", "b"] {
        let vm = b.running_vm(name, n0);
        b.demand(vm, cpu, 2);
    }
    b.vm("new", Place::Init);
    b.build().expect("a valid instance")
}

const ORIGIN: &str = r#"{"mapping": {"readyVMs": [], "offlineNodes": [2], "onlineNodes": {
        "0": {"runningVMs": [0, 1], "sleepingVMs": []}, "1": {"runningVMs": [], "sleepingVMs": []}}},
    "attributes": {}, "views": [{"id": "shareableResource", "rcId": "cpu", "defCapacity": 0, "defConsumption": 2,
    "nodes": {}, "vms": {}}]}"#;

fn plan_of(actions: &str) -> String {
    format!(r#"{{"origin": {ORIGIN}, "actions": [{actions}]}}"#)
}

fn action(kind: ActionKind, start: u64, end: u64, allocations: &[(ResourceId, u64)]) -> Action {
    Action { kind, start, end, allocations: allocations.to_vec(), bandwidth: 0, reason: Reason::Unknown }
}

#[test]
fn a_whole_plan() {
    let text = plan_of(
        r#"{"id": "allocate", "start": 5, "end": 5, "vm": 1, "on": 0, "rc": "cpu", "amount": 3, "hooks": {"pre": [], "post": []}},
        {"id": "bootNode", "start": 0, "end": 4, "node": 2},
        {"id": "migrateVM", "start": 4, "end": 5, "vm": 0, "from": 0, "to": 2, "bw": 2147483647,
         "hooks": {"PRE": [], "post": [{"id": "allocate", "rc": "cpu", "vm": 0, "amount": "7"}]}},
        {"id": "bootNode", "start": 0, "end": 4, "node": 2},
        {"id": "forgeVM", "start": 0, "end": 1, "vm": 2},
        {"id": "killVM", "start": 1, "end": 2, "vm": 2}"#,
    );
    let cpu = ResourceId(0);
    let [a, b, new] = [VmId(0), VmId(1), VmId(2)];
    let [n0, n2] = [NodeId(0), NodeId(2)];
    let expected = vec![
        action(ActionKind::Forge { vm: new }, 0, 1, &[]),
        action(ActionKind::BootNode { node: n2 }, 0, 4, &[]),
        action(ActionKind::Kill { vm: new, node: None }, 1, 2, &[]),
        action(ActionKind::Migrate { vm: a, from: n0, to: n2 }, 4, 5, &[(cpu, 7)]),
        action(ActionKind::Allocate { vm: b, node: n0, resource: cpu, amount: 3 }, 5, 5, &[]),
    ];
    let plan = read_plan(text.as_bytes(), &small()).expect("a valid plan");
    assert_eq!(plan, Plan { actions: expected, happens_before: Vec::new() });
    // With the origin as its instance: the VM that is forged is part of it.
    let (instance, again) = read_plan_with_origin(text.as_bytes()).expect("a valid plan");
    assert_eq!(again, plan);
    assert_eq!((instance.place(new), instance.vm_name(new)), (Place::Init, "vm#2"));
    assert_eq!(instance.constraints().len(), 0);
}

#[test]
fn a_copy_is_the_same_vm() {
    let [a, n0, n1, n2] = [0, 0, 1, 2];
    let (vm, from, to, last) = (VmId(a), NodeId(n0), NodeId(n1), NodeId(n2));
    let cpu = ResourceId(0);
    let actions = vec![
        action(ActionKind::ForgeClone { vm }, 0, 3, &[]),
        action(ActionKind::BootClone { vm, from, to }, 3, 4, &[(cpu, 9)]),
        action(ActionKind::ShutdownOriginal { vm, from }, 4, 6, &[]),
        action(ActionKind::ForgeClone { vm }, 6, 7, &[]),
        action(ActionKind::BootClone { vm, from: to, to: last }, 7, 8, &[]),
        action(ActionKind::ShutdownOriginal { vm, from: to }, 8, 8, &[]),
        action(ActionKind::Shutdown { vm, node: last }, 9, 10, &[]),
    ];
    let plan = Plan { actions, happens_before: Vec::new() };
    let written = write_plan(&small(), &plan).expect("it can be said");
    for line in [
        r#"{"id": "forgeVM", "vm": 3, "start": 0, "end": 3, "hooks": {"pre": [], "post": []}}"#,
        r#"{"id": "bootVM", "vm": 3, "on": 1, "start": 3, "end": 4, "hooks": {"pre": [{"id": "substitutedVM", "vm": 0, "newVm": 3}, {"id": "allocate", "vm": 3, "rc": "cpu", "amount": 9}], "post": []}}"#,
        r#"{"id": "shutdownVM", "vm": 0, "on": 0, "start": 4, "end": 6, "#,
        r#"{"id": "substitutedVM", "vm": 3, "newVm": 4}"#,
        r#"{"id": "shutdownVM", "vm": 3, "on": 1, "start": 8, "end": 8, "#,
        r#"{"id": "shutdownVM", "vm": 4, "on": 2, "start": 9, "end": 10, "#,
    ] {
        assert!(written.text.contains(line), "{line}\n{}", written.text);
    }
    assert!(written.notes[0].contains("`forgeVM`, of which there are 2"), "{:?}", written.notes);
    assert_eq!(read_plan(written.text.as_bytes(), &small()), Ok(plan.clone()));
    let (_, again) = read_plan_with_origin(written.text.as_bytes()).expect("a valid plan");
    assert_eq!(again, plan);
    // A step that is missing shows.
    let half = Plan { actions: plan.actions[1..].to_vec(), happens_before: Vec::new() };
    assert!(write_plan(&small(), &half).is_err());
}

#[test]
fn wrong_plans_are_refused_with_their_place() {
    let boot = r#"{"id": "bootVM", "start": 0, "end": 1, "vm": 9, "on": 1, "hooks": {"pre": [{"id": "substitutedVM", "vm": 0, "newVm": 9}]}}"#;
    let cases = [
        (r#"{"id": "moveVM", "start": 0, "end": 1, "vm": 0}"#.to_owned(), "$.actions[0].id", "no action"),
        (r#"{"id": "bootVM", "start": 0, "end": 1, "vm": 0}"#.to_owned(), "$.actions[0]", "`on` is missing"),
        (r#"{"id": "bootVM", "start": 2, "end": 1, "vm": 0, "on": 0}"#.to_owned(), "$.actions[0]", "before it starts"),
        (r#"{"id": "bootVM", "start": -2, "end": 1, "vm": 0, "on": 0}"#.to_owned(), "$.actions[0].start", "`-2`"),
        (r#"{"id": "bootVM", "start": 0, "end": 1, "vm": 8, "on": 0}"#.to_owned(), "$.actions[0]", "VM 8 is not declared"),
        (r#"{"id": "bootVM", "start": 0, "end": 1, "vm": 0, "on": 8}"#.to_owned(), "$.actions[0]", "node 8 is not declared"),
        (r#"{"id": "suspendVM", "start": 0, "end": 1, "vm": 0, "from": 0, "to": 1}"#.to_owned(), "$.actions[0]", "stays on node 0"),
        (r#"{"id": "allocate", "start": 0, "end": 0, "vm": 0, "on": 0, "rc": "gpu", "amount": 1}"#.to_owned(), "$.actions[0]", "no resource `gpu`"),
        (r#"{"id": "bootNode", "start": 0, "end": 1, "node": 2, "hooks": {"then": []}}"#.to_owned(), "$.actions[0].hooks.then", "`pre` or `post`"),
        (r#"{"id": "bootNode", "start": 0, "end": 1, "node": 2, "hooks": {"pre": [{"id": "allocate", "vm": 0, "rc": "cpu", "amount": 1}]}}"#.to_owned(), "$.actions[0].hooks.pre[0]", "comes along"),
        (boot.to_owned(), "$.actions[0].hooks.pre[0]", "never shut down"),
        (format!(r#"{boot}, {{"id": "shutdownVM", "start": 1, "end": 2, "vm": 0, "on": 0}}"#), "$.actions[0].hooks.pre[0]", "never forged"),
        (boot.replace("9", "1"), "$.actions[0].hooks.pre[0]", "nobody's copy"),
        (format!("{boot}, {boot}"), "$.actions[1].hooks.pre[0]", "two substitutions"),
    ];
    for (actions, path, part) in &cases {
        let error = read_plan(plan_of(actions).as_bytes(), &small()).expect_err(actions);
        assert_eq!(&error.path, path, "{error}");
        assert!(error.message.contains(part), "{error}: {part}");
    }
    let circle = r#"{"id": "bootVM", "start": 0, "end": 1, "vm": 8, "on": 1, "hooks": {"pre": [{"id": "substitutedVM", "vm": 9, "newVm": 8}]}},
        {"id": "bootVM", "start": 0, "end": 1, "vm": 9, "on": 1, "hooks": {"pre": [{"id": "substitutedVM", "vm": 8, "newVm": 9}]}},
        {"id": "forgeVM", "start": 0, "end": 1, "vm": 8}, {"id": "forgeVM", "start": 0, "end": 1, "vm": 9},
        {"id": "shutdownVM", "start": 0, "end": 1, "vm": 8, "on": 0}, {"id": "shutdownVM", "start": 0, "end": 1, "vm": 9, "on": 0}"#;
    let error = read_plan(plan_of(circle).as_bytes(), &small()).expect_err("a circle");
    assert!(error.message.contains("circle"), "{error}");
}

#[test]
fn a_plan_from_elsewhere_is_refused() {
    let text = plan_of("");
    for (from, to, part) in [
        (r#""runningVMs": [0, 1]"#, r#""runningVMs": [0, 1, 5]"#, "it has a VM 5"),
        (r#""runningVMs": [0, 1]"#, r#""runningVMs": [0]"#, "it lacks VM `b`"),
        (
            r#""runningVMs": [0, 1], "sleepingVMs": []"#,
            r#""runningVMs": [0], "sleepingVMs": [1]"#,
            "VM `b` is sleeping on node `node#0` there",
        ),
        (r#""offlineNodes": [2]"#, r#""offlineNodes": [3]"#, "it has a node 3"),
        (r#""defConsumption": 2"#, r#""defConsumption": 3"#, "VM `a` takes 3 of `cpu` there and 2"),
        (r#""rcId": "cpu""#, r#""rcId": "ram""#, "it lacks the resource `cpu`"),
        (
            r#""attributes": {}"#,
            r#""attributes": {"vms": {"0": {"boot": 3}}}"#,
            "VM `a` has another value of the attribute `boot`",
        ),
    ] {
        let other = text.replace(from, to);
        assert_ne!(other, text);
        let error = read_plan(other.as_bytes(), &small()).expect_err(part);
        assert!(error.message.contains(part), "{error}");
        assert_eq!(error.path, "$.origin");
        assert!(read_plan_with_origin(other.as_bytes()).is_ok());
    }
}

proptest! {
    #![proptest_config(testing::config())]

    #[test]
    fn plans_come_back_as_they_were(numbers in testing::choices(), scope in 0..2) {
        let mut choices = Choices::new(numbers);
        let scope = if scope == 0 { Scope::BtrPlace } else { Scope::Quadrille };
        let instance = testing::instance(&mut choices, scope);
        let plan = testing::plan(&mut choices, &instance);
        let written = write_plan(&instance, &plan).expect("it can be said");
        prop_assert_eq!(read_plan(written.text.as_bytes(), &instance), Ok(plan.clone()), "{}", written.text);
    }
}

use super::*;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::Restriction;
use crate::constraint::Strength;
use crate::constraint::spread::Spread;
use crate::format::testing;
use crate::format::testing::Choices;
use crate::format::testing::Scope;
use crate::model::ActionKind;
use crate::model::Behaviour;
use crate::model::Duration;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::Live;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::PostCopy;
use crate::model::ResourceId;
use crate::model::Rounds;
use crate::model::Routing;
use crate::model::Timed;
use crate::model::Value;
use crate::model::VmId;
use proptest::prelude::*;

const STRICT: ReadOptions = ReadOptions { lenient: false };
const LENIENT: ReadOptions = ReadOptions { lenient: true };

fn read(text: &str, options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    read_instance(text.as_bytes(), options)
}

#[test]
fn a_whole_document_in_any_order() {
    // Everything before what it speaks of.
    let text = r#"{
        "constraints": [
            {"spread": {"vms": ["db", "web", "db"], "continuous": false}},
            {"ban": {"vm": "web", "nodes": ["n2"], "penalty": 5}},
            {"preserve": {"amount": 3, "vm": "web", "resource": "mem"}}
        ],
        "durations": {"migrate": 4, "boot": {"resource": "mem", "coefficient": 0.5, "offset": 2}},
        "network": {
            "routes": [
                {"from": "n1", "to": "n2", "links": [{"link": 2, "down": false}, {"link": 3, "down": true}, {"link": 4, "down": true}]},
                {"from": "n2", "to": "n1", "links": [{"link": 4, "down": false}, {"link": 3, "down": false}, {"link": 2, "down": true}]}
            ],
            "links": [
                {"id": 2, "capacity": 100, "switch": 0, "node": "n1"},
                {"id": 3, "capacity": 1, "switch": 0, "to_switch": 1},
                {"id": 4, "capacity": 100, "switch": 1, "node": "n2"}
            ],
            "switches": [{"id": 0}, {"id": 1, "capacity": 10}]
        },
        "objective": "2*makespan+mttr,relocations",
        "vms": [
            {"host": "n1", "name": "web", "demand": {"mem": 2}, "attributes": {"clone": true}},
            {"name": "db", "state": "sleeping", "host": "n1"},
            {"name": "cache", "host": null, "tags": ["a", "b"]},
            {"name": "new", "state": "init"}
        ],
        "nodes": [{"name": "n1", "capacity": {"cpu": 8, "mem": 4}}, {"name": "n2", "state": "offline"}],
        "resources": [{"name": "mem", "default_capacity": 16, "default_demand": 1}, {"name": "cpu"}],
        "schema": "quadrille/instance/1"
    }"#;
    let read = read(text, &STRICT).expect("a valid document");
    assert_eq!((read.format, read.notes.len()), (InstanceFormat::Quadrille, 0));
    let i = read.instance;
    assert_eq!(i.vms().names().collect::<Vec<_>>(), ["web", "db", "cache", "new"]);
    let n1 = NodeId(0);
    assert_eq!(
        i.vm_ids().map(|vm| i.place(vm)).collect::<Vec<_>>(),
        [Place::Running(n1), Place::Sleeping(n1), Place::Ready, Place::Init]
    );
    let [mem, cpu] = i.resources() else { panic!("two resources") };
    assert_eq!(
        (mem.name.as_str(), &mem.capacity[..], &mem.demand[..]),
        ("mem", &[4, 16][..], &[2, 1, 1, 1][..])
    );
    assert_eq!((cpu.name.as_str(), &cpu.capacity[..], &cpu.demand[..]), ("cpu", &[8, 0][..], &[0; 4][..]));
    assert_eq!(i.vms().tags(2), ["a", "b"]);
    assert_eq!(i.vms().attributes().get(0, "clone"), Some(&Value::Bool(true)));
    assert_eq!(i.durations().get(Timed::Migrate), Duration::Constant(4));
    let linear = Duration::Linear { resource: ResourceId(0), coefficient: 0.5, offset: 2.0 };
    assert_eq!(i.durations().get(Timed::Boot), linear);
    assert_eq!(
        i.network().map(|network| (
            network.links.len(),
            matches!(&network.routing, Routing::Fixed(routes) if routes.len() == 2)
        )),
        Some((3, true))
    );
    let [spread, ban, preserve] = i.constraints() else { panic!("three constraints") };
    assert_eq!(spread.rule.arguments(), [Argument::Vms([VmId(0), VmId(1)].into())]);
    assert_eq!(spread.restriction, Restriction::Discrete);
    assert_eq!(ban.strength, Strength::Soft(5));
    assert_eq!(preserve.rule.arguments()[1], Argument::Resource(ResourceId(0)));
    assert_eq!(i.objective().to_string(), "2*makespan+mttr,relocations");
}

#[test]
fn the_smallest_document() {
    let instance = read(r#"{"schema": "quadrille/instance/1"}"#, &STRICT).expect("an empty cluster").instance;
    assert_eq!(instance, Instance::default());
    // Resources are collected where none are declared.
    let text =
        r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "n", "capacity": {"b": 1, "a": 2}}]}"#;
    let instance = read(text, &STRICT).expect("valid").instance;
    assert_eq!(instance.resources().iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
}

/// Documents that are wrong: the part after the schema, the path, a part of the message.
#[test]
fn wrong_documents_are_refused_with_their_place() {
    let cases = [
        (r#""node": []"#, "$.node", "did you mean `nodes`"),
        (r#""nodes": [], "nodes": []"#, "$.nodes", "twice"),
        (r#""vms": [], "vms": []"#, "$.vms", "twice"),
        (r#""schema": "quadrille/instance/1""#, "$.schema", "twice"),
        (r#""nodes": [{"nam": "a"}]"#, "$.nodes[0].nam", "did you mean `name`"),
        (r#""nodes": [{"state": "online"}]"#, "$.nodes[0]", "`name` is missing"),
        (r#""nodes": [{"name": "a", "state": "onlin"}]"#, "$.nodes[0].state", "did you mean `online`"),
        (r#""nodes": [{"name": "a"}, {"name": "a"}]"#, "$.nodes[1].name", "node `a` is declared twice"),
        (
            r#""nodes": [{"name": "a"}, {"name": "b", "aliases": ["a"]}]"#,
            "$.nodes[1].aliases[0]",
            "declared twice",
        ),
        (r#""nodes": [{"name": "a", "capacity": {"cpu": -1}}]"#, "$.nodes[0].capacity.cpu", "`-1`"),
        (r#""nodes": [{"name": "a", "capacity": {"cpu": 1.0}}]"#, "$.nodes[0].capacity.cpu", "`1.0`"),
        (
            r#""nodes": [{"name": "a", "capacity": {"cpu": 18446744073709551616}}]"#,
            "$.nodes[0].capacity.cpu",
            "18446744073709551616",
        ),
        (r#""nodes": [{"name": "a", "capacity": {"cpu": 1, "cpu": 1}}]"#, "$.nodes[0].capacity.cpu", "twice"),
        (
            r#""nodes": [{"name": "a", "capacity": {"cpu": 1152921504606846977}}]"#,
            "$.nodes[0].capacity.cpu",
            "add up to more",
        ),
        (
            r#""resources": [{"name": "cpu"}], "nodes": [{"name": "a", "capacity": {"cpus": 1}}]"#,
            "$.nodes[0].capacity.cpus",
            "did you mean `cpu`",
        ),
        (
            r#""nodes": [{"name": "a", "capacity": {"cpus": 1}}], "resources": [{"name": "cpu"}]"#,
            "$.nodes[0].capacity.cpus",
            "did you mean `cpu`",
        ),
        (r#""resources": [{"name": "cpu"}, {"name": "cpu"}]"#, "$.resources[1].name", "declared twice"),
        (r#""nodes": [{"name": "a", "number": 4}, {"name": "b"}]"#, "$.nodes[1]", "on every node or on none"),
        (
            r#""nodes": [{"name": "a"}, {"name": "b", "number": 4}]"#,
            "$.nodes[1].number",
            "on every node or on none",
        ),
        (
            r#""nodes": [{"name": "a", "number": 4}, {"name": "b", "number": 4}]"#,
            "$.nodes[1].number",
            "ascend",
        ),
        (
            r#""nodes": [{"name": "db1"}], "vms": [{"name": "v", "host": "db2"}]"#,
            "$.vms[0].host",
            "did you mean `db1`",
        ),
        (r#""vms": [{"name": "v", "state": "running"}]"#, "$.vms[0]", "needs the key `host`"),
        (
            r#""nodes": [{"name": "n"}], "vms": [{"name": "v", "state": "ready", "host": "n"}]"#,
            "$.vms[0].host",
            "has no host",
        ),
        (
            r#""nodes": [{"name": "n", "state": "offline"}], "vms": [{"name": "v", "host": "n"}]"#,
            "$",
            "offline",
        ),
        (r#""vms": [{"name": "v", "attributes": {"a": []}}]"#, "$.vms[0].attributes.a", "found an array"),
        (r#""vms": [{"name": 7}]"#, "$.vms[0].name", "found the number `7`"),
        (r#""durations": {"move": 1}"#, "$.durations.move", "no action is called `move`"),
        (r#""durations": {"migrate": 0}"#, "$.durations.migrate", "`0`"),
        (r#""durations": {"migrate": 1e9}"#, "$.durations.migrate", "`1e9`"),
        (
            r#""durations": {"migrate": {"resource": "mem", "coefficient": 1}}"#,
            "$.durations.migrate.resource",
            "no resource `mem`",
        ),
        (r#""constraints": [{"spraed": {}}]"#, "$.constraints[0].spraed", "did you mean `spread`"),
        (r#""constraints": [{}]"#, "$.constraints[0]", "its name as the only key"),
        (
            r#""constraints": [{"spread": {"vms": []}, "ban": {}}]"#,
            "$.constraints[0].ban",
            "one constraint to an object",
        ),
        (r#""constraints": [{"spread": {"vm": []}}]"#, "$.constraints[0].spread", "needs the key `vms`"),
        (
            r#""constraints": [{"spread": {"vms": [], "continous": true}}]"#,
            "$.constraints[0].spread.continous",
            "did you mean `continuous`",
        ),
        (r#""constraints": [{"spread": {"vms": ["x"]}}]"#, "$.constraints[0].spread.vms[0]", "no VM `x`"),
        (
            r#""nodes": [{"name": "n"}], "constraints": [{"ft": {"mode": "restrat"}}]"#,
            "$.constraints[0].ft.mode",
            "did you mean `restart`",
        ),
        (r#""objective": "relocation""#, "$.objective", "`relocation` is not an objective"),
        (
            r#""network": {"links": [{"id": 1, "capacity": 1, "switch": 0, "node": "n"}]}"#,
            "$.network.links[0].switch",
            "no switch 0",
        ),
        (r#""network": {"switches": [{"id": 1}, {"id": 1}]}"#, "$.network.switches[1]", "twice"),
        (r#""network": {"reserve_percent": 100}"#, "$.network.reserve_percent", "from 0 to 99"),
        (r#""network": {"max_bandwidth": 0}"#, "$.network.max_bandwidth", "1 or more"),
        (
            r#""network": {"switches": [{"id": 0}], "links": [{"id": 1, "capacity": 1, "switch": 0, "reserve": -1}]}"#,
            "$.network.links[0].reserve",
            "0 or more",
        ),
    ];
    for (rest, path, part) in cases {
        let text = format!(r#"{{"schema": "quadrille/instance/1", {rest}}}"#);
        match read(&text, &STRICT) {
            Ok(_) => panic!("accepted: {text}"),
            Err(error) => {
                assert_eq!(error.path, path, "{error}");
                assert!(error.message.contains(part), "{error}: {part}");
                assert!(error.line > 0 && error.column > 0);
            }
        }
    }
    assert!(
        read(r#"{"nodes": []}"#, &STRICT).is_err_and(|error| error.message.contains("`schema` is missing"))
    );
    let later = read(r#"{"schema": "quadrille/instance/2"}"#, &STRICT).expect_err("another version");
    assert!(later.message.contains("found `quadrille/instance/2`"), "{later}");
}

#[test]
fn lenient_reading_leaves_out_what_it_does_not_know() {
    let text = r#"{"schema": "quadrille/instance/1", "comment": [1], "nodes": [{"name": "n", "rack": 3}],
        "constraints": [{"nothing like it": {"x": [{}]}}, {"spread": {"vms": [], "why": "so"}}]}"#;
    assert!(read(text, &STRICT).is_err());
    let read = read(text, &LENIENT).expect("tolerated");
    assert_eq!((read.instance.constraints().len(), read.notes.len()), (1, 4));
}

#[test]
fn text_that_is_written_is_the_same_every_time() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 8, 0);
    let node = b.node("n1");
    b.offline_node("n2");
    let vm = b.running_vm("we\"b", node);
    b.ready_vm("db");
    b.demand(vm, cpu, 3).vm_attribute(vm, "b", Value::Bool(true)).vm_attribute(vm, "a", Value::Float(2.0));
    b.node_tags(node, vec!["rack1".to_owned()]).duration(Timed::Migrate, Duration::Constant(4));
    b.constraint(Constraint::new(Spread { vms: [vm].into() }).soft(2).expect("it may be soft"));
    let instance = b.build().expect("a valid instance");
    let written = write_instance(&instance).expect("it can be said");
    assert_eq!(
        written,
        r#"{
  "schema": "quadrille/instance/1",
  "resources": [
    {"name": "cpu", "default_capacity": 8}
  ],
  "nodes": [
    {"name": "n1", "tags": ["rack1"]},
    {"name": "n2", "state": "offline"}
  ],
  "vms": [
    {"name": "we\"b", "state": "running", "host": "n1", "demand": {"cpu": 3}, "attributes": {"a": 2.0, "b": true}},
    {"name": "db", "state": "ready"}
  ],
  "durations": {
    "migrate": 4
  },
  "constraints": [
    {"spread": {"vms": ["we\"b"], "continuous": true, "penalty": 2}}
  ],
  "objective": "relocations,mttr"
}
"#
    );
    let mut b = InstanceBuilder::new();
    let vm = b.ready_vm("a");
    b.vm_attribute(vm, "x", Value::Float(f64::INFINITY));
    let error = write_instance(&b.build().expect("an instance")).expect_err("JSON cannot say it");
    assert!(error.message.contains("`x` of `a` is inf"), "{error}");
}

/// A plan as the planner prints it, put together by hand.
fn document(instance: &Instance, plan: &Plan) -> String {
    use ActionKind::*;
    let node = |key: &str, node: NodeId| format!(r#", "{key}": {:?}"#, instance.node_name(node));
    let actions: Vec<String> = plan
        .actions
        .iter()
        .zip(plan.predecessors())
        .enumerate()
        .map(|(id, (action, after))| {
            let rest = match action.kind {
                Migrate { from, to, .. } | Resume { from, to, .. } => node("from", from) + &node("to", to),
                Boot { node: n, .. } | Shutdown { node: n, .. } | Suspend { node: n, .. } => node("node", n),
                Kill { node: Some(n), .. } | BootNode { node: n } | ShutdownNode { node: n } => node("node", n),
                Kill { node: None, .. } | Forge { .. } => String::new(),
                ForgeClone { .. } => r#", "clone": true"#.to_owned(),
                BootClone { from, to, .. } => node("from", from) + &node("to", to) + r#", "clone": true"#,
                ShutdownOriginal { from, .. } => node("from", from) + r#", "clone": true"#,
                Allocate { node: n, resource, amount, .. } => {
                    format!(r#"{}, "resource": {:?}, "amount": {amount}"#, node("node", n), instance.resource_name(resource))
                }
            };
            let vm = action.kind.vm().map_or(String::new(), |vm| format!(r#", "vm": {:?}"#, instance.vm_name(vm)));
            let allocations: Vec<String> = action
                .allocations
                .iter()
                .map(|&(resource, amount)| format!("{:?}: {amount}", instance.resource_name(resource)))
                .collect();
            format!(
                r#"{{"id": {id}, "kind": "{}"{vm}{rest}, "start": {}, "end": {}, "after": {after:?}, "reason": "so", "allocations": {{{}}}}}"#,
                action.kind.name(),
                action.start,
                action.end,
                allocations.join(", ")
            )
        })
        .collect();
    format!(
        r#"{{"schema": "quadrille/plan/1", "status": "optimal", "plan": {{"actions": [{}]}}, "conflict": null}}"#,
        actions.join(", ")
    )
}

fn small() -> Instance {
    let mut b = InstanceBuilder::new();
    b.resource("cpu");
    let n1 = b.node("n1");
    b.node("n2");
    b.running_vm("db1", n1);
    b.ready_vm("db2");
    b.build().expect("a valid instance")
}

fn plan_of(actions: &str) -> String {
    format!(r#"{{"schema": "quadrille/plan/1", "plan": {{"actions": [{actions}]}}}}"#)
}

#[test]
fn a_plan_in_any_order() {
    let text = plan_of(
        r#"{"id": 7, "kind": "boot", "vm": "db2", "node": "n1", "start": 4, "end": 6, "after": [3, 3, 9], "allocations": {"cpu": 5}},
        {"id": 3, "kind": "migrate", "vm": "db1", "from": "n1", "to": "n2", "start": 0, "end": 4, "after": [], "reason": "room", "node": null},
        {"id": 9, "kind": "boot_node", "node": "n2", "start": 0, "end": 0, "clone": false}"#,
    );
    let plan = read_plan(text.as_bytes(), &small()).expect("a valid plan");
    let kinds: Vec<ActionKind> = plan.actions.iter().map(|action| action.kind).collect();
    let [n1, n2] = [NodeId(0), NodeId(1)];
    assert_eq!(
        kinds,
        [
            ActionKind::BootNode { node: n2 },
            ActionKind::Migrate { vm: VmId(0), from: n1, to: n2 },
            ActionKind::Boot { vm: VmId(1), node: n1 },
        ]
    );
    assert_eq!(plan.happens_before, [(0, 2), (1, 2)]);
    assert_eq!(plan.actions[2].allocations, [(ResourceId(0), 5)]);
}

#[test]
fn wrong_plans_are_refused_with_their_place() {
    let cases = [
        (
            r#"{"id": 0, "kind": "migrat", "start": 0, "end": 1}"#,
            "$.plan.actions[0].kind",
            "did you mean `migrate`",
        ),
        (
            r#"{"id": 0, "kind": "migrate", "vm": "db3", "start": 0, "end": 1}"#,
            "$.plan.actions[0].vm",
            "did you mean `db1`",
        ),
        (
            r#"{"id": 0, "kind": "migrate", "vm": "db1", "from": "n1", "start": 0, "end": 1}"#,
            "$.plan.actions[0]",
            "needs the key `to`",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "node": "n1", "start": 0, "end": 1}"#,
            "$.plan.actions[0]",
            "has no key `node`",
        ),
        (
            r#"{"id": 0, "kind": "suspend", "clone": true, "vm": "db1", "node": "n1", "start": 0, "end": 1}"#,
            "$.plan.actions[0]",
            "never one on a clone",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "allocations": {"cpu": 1}, "start": 0, "end": 1}"#,
            "$.plan.actions[0]",
            "has no key `allocations`",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "allocation": {}, "start": 0, "end": 1}"#,
            "$.plan.actions[0].allocation",
            "did you mean `allocations`",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "start": 2, "end": 1}"#,
            "$.plan.actions[0]",
            "before it starts",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "start": 0, "end": 18446744073709551615}"#,
            "$.plan.actions[0].end",
            "add up to more",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "start": 0, "end": 1, "after": [0]}"#,
            "$.plan.actions[0].after[0]",
            "waits for itself",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "start": 0, "end": 1, "after": [5]}"#,
            "$.plan.actions[0].after[0]",
            "no action has the id 5",
        ),
        (
            r#"{"id": 0, "kind": "forge", "vm": "db1", "start": 0, "end": 1}, {"id": 0, "kind": "forge", "vm": "db2", "start": 0, "end": 1}"#,
            "$.plan.actions[1]",
            "two actions have the id 0",
        ),
        (
            r#"{"kind": "forge", "vm": "db1", "start": 0, "end": 1}"#,
            "$.plan.actions[0]",
            "needs the key `id`",
        ),
    ];
    for (actions, path, part) in cases {
        let error = read_plan(plan_of(actions).as_bytes(), &small()).expect_err(actions);
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.contains(part), "{error}: {part}");
    }
    let none = r#"{"schema": "quadrille/plan/1", "status": "infeasible", "plan": null}"#;
    let error = read_plan(none.as_bytes(), &small()).expect_err("there is none");
    assert!(error.message.contains("holds no plan"), "{error}");
}

proptest! {
    #![proptest_config(testing::config())]

    /// What is printed is what is read.
    #[test]
    fn printed_plans_are_read(numbers in testing::choices()) {
        let mut choices = Choices::new(numbers);
        let instance = testing::instance(&mut choices, Scope::Quadrille);
        let plan = testing::plan(&mut choices, &instance);
        let outcome = crate::outcome::Outcome {
            status: crate::Status::Feasible,
            stop_reason: crate::StopReason::Limit,
            metrics: crate::model::Metrics::of(&instance, &plan),
            plan: Some(plan.clone()),
            levels: Vec::new(),
            conflict: None,
            repaired: Vec::new(),
            steps: 0,
            timings: Default::default(),
        };
        let document = crate::render::json(&instance, &outcome, &Default::default());
        let text = crate::render::json_text(&document);
        prop_assert_eq!(read_plan(text.as_bytes(), &instance), Ok(plan), "{}", text);
        crate::format::schema::tests::fits_plan(&document);
    }

    #[test]
    fn instances_come_back_as_they_were(numbers in testing::choices(), scope in 0..2) {
        let scope = if scope == 0 { Scope::BtrPlace } else { Scope::Quadrille };
        let instance = testing::instance(&mut Choices::new(numbers), scope);
        let written = write_instance(&instance).expect("it can be said");
        let back = read_instance(written.as_bytes(), &STRICT);
        prop_assert_eq!(back.map(|read| read.instance), Ok(instance), "{}", written);
    }

    #[test]
    fn plans_come_back_as_they_were(numbers in testing::choices()) {
        let mut choices = Choices::new(numbers);
        // Names as Rust prints them are JSON where nothing is out of the ordinary.
        let mut b = InstanceBuilder::new();
        b.resource("cpu");
        b.resource("mem");
        for node in 0..1 + choices.below(3) {
            b.node(&format!("node {node}"));
        }
        for vm in 0..choices.below(6) {
            b.ready_vm(&format!("é{vm}"));
        }
        let instance = b.build().expect("a valid instance");
        let mut plan = testing::plan(&mut choices, &instance);
        let count = plan.actions.len() as u32;
        for _ in 0..if count > 1 { choices.below(6) } else { 0 } {
            let (a, b) = (choices.below(count as usize) as u32, choices.below(count as usize) as u32);
            if a != b {
                plan.happens_before.push((a, b));
            }
        }
        plan.happens_before.sort_unstable();
        plan.happens_before.dedup();
        // Equal actions are told apart by their ids, which follow their order.
        let text = document(&instance, &plan);
        prop_assert_eq!(read_plan(text.as_bytes(), &instance), Ok(plan), "{}", text);
    }
}

/// A network of three nodes and what comes behind its switches and links, the last being given.
fn ring(last: &str, rest: &str) -> String {
    format!(
        r#"{{"schema": "quadrille/instance/1", "nodes": [{{"name": "a"}}, {{"name": "b"}}, {{"name": "c"}}],
            "network": {{"switches": [{{"id": 0}}, {{"id": 1, "name": "x"}}], "links": [
            {{"id": 0, "capacity": 9, "switch": 0, "node": "a"}}, {{"id": 1, "capacity": 9, "switch": 1, "node": "b"}},
            {{"id": 7, "capacity": 9, "switch": 0, "to_switch": 1}}, {last}]{rest}}}}}"#
    )
}

#[test]
fn faults_of_networks_stand_where_they_are_made() {
    let node = r#"{"id": 8, "capacity": 9, "switch": 0, "node": "c"}"#;
    let route = |from: &str, to: &str, links: &[(u32, bool)]| {
        let links: Vec<String> =
            links.iter().map(|(link, down)| format!(r#"{{"link": {link}, "down": {down}}}"#)).collect();
        format!(r#"{{"from": "{from}", "to": "{to}", "links": [{}]}}"#, links.join(", "))
    };
    let routes = |routes: &[String]| format!(r#", "routing": "shortest", "routes": [{}]"#, routes.join(", "));
    let there = route("a", "c", &[(0, false), (8, true)]);
    for (last, rest, path, said) in [
        (
            r#"{"id": 8, "capacity": 9, "switch": 1, "node": "a"}"#,
            String::new(),
            "$.network.links[3]",
            "link 8 closes",
        ),
        (
            r#"{"id": 8, "capacity": 9, "switch": 0, "node": "a"}"#,
            routes(&[]),
            "$.network.links",
            "no way from",
        ),
        (
            r#"{"id": 8, "capacity": 9, "reserve": 9, "switch": 0, "node": "c"}"#,
            String::new(),
            "$.network.links[3]",
            "link 8 has nothing left",
        ),
        (
            r#"{"id": 8, "capacity": 9, "switch": 0}"#,
            String::new(),
            "$.network.links[3]",
            "`node`, or `to_switch`",
        ),
        (
            node,
            r#", "routes": []"#.to_owned(),
            "$.network.routes",
            "no route from node `a` to node `b`; `shortest`",
        ),
        (node, r#", "routes": [], "routing": "tree""#.to_owned(), "$.network.routing", "no key `routing`"),
        (
            node,
            routes(&[there.clone(), route("b", "b", &[(1, false), (1, true)])]),
            "$.network.routes[1]",
            "from a node to itself",
        ),
        (
            node,
            routes(&[route("a", "c", &[(0, false), (7, false), (7, true), (8, true)])]),
            "$.network.routes[0]",
            "is torn",
        ),
        (
            node,
            routes(&[route("a", "c", &[(0, false), (7, true), (7, false), (8, true)])]),
            "$.network.routes[0]",
            "passes switch 0 twice",
        ),
        (node, routes(&[there.clone(), there.clone()]), "$.network.routes[1]", "the second one between them"),
        (node, r#", "star": 9"#.to_owned(), "$.network.star", "or the key `switches`, found both"),
        (node, r#", "migration": {"model": "round"}"#.to_owned(), "$.network.migration.model", "`rounds`"),
        (node, r#", "migration": {"enough": 3}"#.to_owned(), "$.network.migration.enough", "is not chosen"),
        (
            node,
            r#", "migration": {"most_rounds": 0.5, "model": "rounds"}"#.to_owned(),
            "$.network.migration.most_rounds",
            "from 1 to 1000, found the number `0.5`",
        ),
        (
            node,
            r#", "migration": {"mode": 3}"#.to_owned(),
            "$.network.migration.mode",
            "did you mean `model`",
        ),
    ] {
        let text = ring(last, &rest);
        let error = read(&text, &STRICT).expect_err(said);
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.contains(said), "{error}: {said}");
    }
    let same = r#"{"schema": "quadrille/instance/1", "network": {"switches": [{"id": 3}, {"id": 1, "name": "s3"}]}}"#;
    let error = read(same, &STRICT).expect_err("two names");
    assert_eq!(error.path, "$.network.switches[1]");
    assert!(error.message.contains("3 and 1 are both called `s3`"), "{error}");
    assert!(read(&ring(node, &routes(&[there])), &STRICT).is_ok());
}

#[test]
fn figures_are_refused_with_their_place() {
    let vm = |attributes: &str| {
        format!(
            r#"{{"schema": "quadrille/instance/1", "vms": [{{"name": "a"}}, {{"name": "b", "attributes": {{{attributes}}}}}]}}"#
        )
    };
    for (attributes, path, said) in [
        (r#""x": 1, "memUsed": -4"#, "$.vms[1].attributes.memUsed", "`memUsed` -4; expected a number from 0"),
        (r#""memUsed": "lots""#, "$.vms[1].attributes.memUsed", "`memUsed` `lots`; expected"),
        (r#""postCopy": 1"#, "$.vms[1].attributes.postCopy", "`postCopy` 1; expected true or false"),
        (r#""migrate": 0"#, "$.vms[1].attributes.migrate", "whole number of seconds"),
        (r#""hotDirtyDuration": 0"#, "$.vms[1].attributes.hotDirtyDuration", "in no time"),
    ] {
        let error = read(&vm(attributes), &STRICT).expect_err(said);
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.contains(said) && error.message.contains("VM `b`"), "{error}");
    }
    let node =
        r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "n", "attributes": {"power": "a lot"}}]}"#;
    assert_eq!(read(node, &STRICT).expect_err("no amount").path, "$.nodes[0].attributes.power");
    // What is nearly a figure is noted.
    let notes = read(&vm(r#""memused": 4000, "rack": 7"#), &STRICT).expect("attributes are free").notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].contains("$.vms[1].attributes.memused: the attribute `memused` means nothing"),
        "{notes:?}"
    );
    assert!(notes[0].ends_with("did you mean `memUsed`?"), "{notes:?}");
}

#[test]
fn a_star_and_how_migrations_behave() {
    let text = r#"{"schema": "quadrille/instance/1", "nodes": [{"name": "a"}, {"name": "b"}],
        "network": {"star": 700, "migration": {"most_traffic": 2, "model": "rounds", "post_copy_switch": 0.1}}}"#;
    let instance = read(text, &STRICT).expect("sound").instance;
    assert_eq!(instance.network(), Some(&Network::star(2, 700)));
    let behaviour = instance.migration_model().get().behaviour();
    let rounds = Rounds { most_traffic: 2.0, ..Rounds::default() };
    assert_eq!(
        behaviour,
        Some(Behaviour { live: Live::Rounds(rounds), post_copy: PostCopy { switch: 0.1 } })
    );
    let written = write_instance(&instance).expect("writable");
    assert!(
        written.contains(r#""migration": {"model": "rounds", "most_traffic": 2, "post_copy_switch": 0.1}"#)
    );
    assert_eq!(read(&written, &STRICT).expect("own text").instance, instance);
    // What only a program can say is not left out in silence.
    let mut b = InstanceBuilder::new();
    b.node("a");
    b.network(Network::star(1, 1)).migration_model(PostCopy::default());
    assert!(write_instance(&b.build().expect("sound")).is_err_and(|error| error.message.contains("behave")));
}

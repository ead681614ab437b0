use super::*;
use crate::constraint::Constraint;
use crate::constraint::Timestamp;
use crate::constraint::among::Among;
use crate::constraint::deadline::Deadline;
use crate::constraint::fence::Fence;
use crate::constraint::online::Online;
use crate::constraint::precedence::Precedence;
use crate::constraint::spread::Spread;
use crate::format::ReadOptions;
use crate::format::read_instance;
use crate::format::testing;
use crate::generate::Scenario;
use crate::generate::Spec;
use crate::generate::generate;
use crate::model::Endpoint;
use crate::model::InstanceBuilder;
use crate::model::Link;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Route;
use crate::model::Routing;
use crate::model::Switch;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmSet;
use crate::script::Memory;
use crate::script::Program;
use proptest::prelude::*;

/// What a rule file says; there must be no mistake in it.
#[track_caller]
fn read(text: &str) -> Instance {
    let files = Memory::default().with("all.btrp", text);
    let program = Program::load(&["all.btrp".into()], &[], &files);
    match program.apply(None) {
        Ok(built) => built.instance,
        Err(found) => {
            let told: Vec<String> = found.iter().map(|one| one.describe(text)).collect();
            panic!("{told:#?}\n{text}");
        }
    }
}

#[track_caller]
fn strictly(instance: &Instance) -> String {
    let written = write(instance, &WriteOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(written.notes, [""; 0]);
    let found = read(&written.text);
    assert_eq!(found, *instance, "{}", written.text);
    written.text
}

#[test]
fn a_cluster_as_people_would_write_it() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let nodes: Vec<NodeId> = (1..=4).map(|at| b.node(&format!("n{at}"))).collect();
    let vms: Vec<VmId> = (1..=4).map(|at| b.running_vm(&format!("VM{at}"), nodes[0])).collect();
    let db: Vec<VmId> = (0..3).map(|at| b.running_vm(&format!("db-{at}"), nodes[at + 1])).collect();
    for &node in &nodes {
        b.capacity(node, cpu, 16);
    }
    for &vm in vms.iter().chain(&db) {
        b.demand(vm, cpu, 2);
    }
    let spare = b.offline_node("spare");
    b.vm_attribute(vms[0], "clone", Value::Bool(true)).vm_attribute(
        vms[0],
        "template",
        Value::Text("web".into()),
    );
    for key in ["cpu", "tag", "attribute.x", "a b"] {
        b.node_attribute(spare, key, Value::Int(7));
    }
    b.vm_tags(vms[1], vec!["b".to_owned(), "a".to_owned()]);
    let rack: [std::sync::Arc<[NodeId]>; 2] = [nodes[..2].into(), nodes[2..].into()];
    for &vm in &vms {
        b.constraint(Constraint::new(Fence { vm, nodes: rack[0].clone() }));
    }
    for pair in [[0, 1], [0, 2], [1, 3]] {
        let vms: VmSet = pair.map(|at| vms[at]).into();
        let spread = Constraint::new(Spread { vms });
        b.constraint(spread.discrete().and_then(|rule| rule.soft(7)).expect("allowed"));
    }
    for &vm in &db[1..] {
        b.constraint(Constraint::new(Precedence { first: db[0], then: vm }));
    }
    b.constraint(Constraint::new(Among { vms: db.as_slice().into(), parts: rack.into() }));
    b.constraint(Constraint::new(Online { node: spare }));
    b.objective("makespan,3*mttr+relocations".parse().expect("an objective"));
    let text = strictly(&b.build().expect("sound"));
    let expected = r#"// 5 nodes, 7 VMs, 11 rules

resource cpu;

template plain;
template web<cpu=2, clone>;
template plain.vm1<cpu=2>;

@n[1..4] : plain<cpu=16> online;
@spare : plain<"a b"=7, attribute.attribute.x=7, attribute.cpu=7, attribute.tag=7> offline;

VM1 : web running on @n1;
VM2 : plain<cpu=2, tag="b", tag="a"> running on @n1;
VM[3..4] : plain.vm1 running on @n1;
vm"db-"[0..2] : plain.vm1 running on @n[2..4];

>>fence(VM[1..4], @n[1..2]);
for $group in {
    VM[1..2],
    VM[1, 3],
    VM[2, 4]
} {
    >>spread($group) soft 7;
}
before(vm"db-0", vm"db-"[1..2]);
>>among(vm"db-"[0..2], {@n[1..2], @n[3..4]});
online(@spare);

minimise makespan, 3*mttr+relocations;
"#;
    assert_eq!(text, expected);
}

#[test]
fn moments_and_orders_do_not_mix() {
    let mut b = InstanceBuilder::new();
    let vm = b.ready_vm("a");
    b.constraint(Constraint::new(Precedence { first: vm, then: vm }));
    b.constraint(Constraint::new(Deadline { vm, timestamp: Timestamp::Relative(0) }));
    strictly(&b.build().expect("sound"));
}

#[test]
fn defaults_and_durations() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 8, 1);
    b.node("n1");
    let node = b.node("n2");
    b.capacity(node, cpu, 0);
    b.vm("a", Place::Ready);
    b.duration(Timed::Migrate, Duration::Linear { resource: cpu, coefficient: 0.5, offset: -2.25 });
    b.duration(Timed::Boot, Duration::Constant(30)).duration(Timed::BootNode, Duration::Constant(60));
    let text = strictly(&b.build().expect("sound"));
    assert!(text.contains(r#"template default.vm<cpu=1, migrate="0.5*cpu - 2.25", boot=30>;"#), "{text}");
    assert!(text.contains("template default.node<cpu=8, boot=60>;"), "{text}");
}

#[test]
fn names_of_all_sorts() {
    let mut b = InstanceBuilder::new();
    let names = [
        "vm#1", "vm#2", "a b", "007", "008", "in", "x.y", "x.to", "q\"\\\n", "", "é1", "é2", "running",
        "n1-b.c", "n2-b.c",
    ];
    for name in names {
        b.ready_vm(name);
        b.node(name);
    }
    b.node("@x");
    b.node("@x1");
    let text = strictly(&b.build().expect("sound"));
    assert!(text.contains("vm\"vm#\"[1..2]") && text.contains("@\"vm#\"[1..2]"), "{text}");
    assert!(text.contains("@00[7..8]"), "{text}");
}

/// Two edges with two nodes each below a core.
fn fabric() -> InstanceBuilder {
    let mut b = InstanceBuilder::new();
    let nodes: Vec<NodeId> = (1..=4).map(|at| b.node(&format!("n{at}"))).collect();
    let mut links: Vec<Link> = (0u32..)
        .zip(&nodes)
        .map(|(at, node)| Link { number: at, capacity: 1000, switch: at / 2, end: Endpoint::Node(*node) })
        .collect();
    for edge in 0..2 {
        links.push(Link { number: 4 + edge, capacity: 10_000, switch: 2, end: Endpoint::Switch(edge) });
    }
    b.network(Network {
        switches: vec![
            Switch::new(0, None, None),
            Switch::new(1, None, None),
            Switch::new(9, Some("core"), Some(40_000)),
        ],
        links,
        routing: Routing::Tree,
        ..Network::default()
    });
    b
}

#[test]
fn networks_as_people_would_write_them() {
    let instance = fabric().build().expect("sound");
    let text = strictly(&instance);
    for line in [
        "network tree;",
        "switch s0;",
        "switch core<capacity=40000, number=9>;",
        "link @n[1..2] to s0<capacity=1000>;",
        "link @n[3..4] to s1<capacity=1000>;",
        "link {s0, s1} to core<capacity=10000>;",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn routes_are_told_by_their_switches() {
    let instance = fabric().build().expect("sound");
    let mut network = instance.network().expect("just built").clone();
    let mut routes = Vec::new();
    for from in 0..4u32 {
        for to in (0..4).filter(|to| *to != from) {
            let mut links = vec![(from, false)];
            if from / 2 != to / 2 {
                links.extend([(4 + from / 2, false), (4 + to / 2, true)]);
            }
            links.push((to, true));
            routes.push(Route { from: NodeId(from), to: NodeId(to), links });
        }
    }
    network.routing = Routing::Fixed(routes);
    let mut b = fabric();
    b.network(network.clone());
    let text = strictly(&b.build().expect("sound"));
    assert!(text.contains("route @n1 to @n2 via s0;\n"), "{text}");
    assert!(text.contains("route @n4 to @n1 via s1, core, s0;\n"), "{text}");
    // Which of two cables is taken cannot be said.
    network.links.push(Link { number: 77, ..network.links[4].clone() });
    let mut b = fabric();
    b.network(network);
    let instance = b.build().expect("sound");
    let refused = write(&instance, &WriteOptions::default()).expect_err("two links");
    assert!(refused.to_string().contains("its switches do not tell its links"), "{refused}");
    // What is left is a network: the shortest way takes the place of what cannot be said.
    let written = write(&instance, &WriteOptions { lossy: true }).expect("with notes");
    assert!(written.text.contains("network shortest;\n") && !written.notes.is_empty(), "{}", written.text);
    let found = read(&written.text);
    assert!(
        matches!(&found.network().expect("a network").routing, Routing::Mixed(routes) if routes.len() == 4)
    );
}

#[test]
fn bandwidths_beyond_numbers_of_scripts_are_cut() {
    let mut b = fabric();
    let instance = fabric().build().expect("sound");
    let mut network = instance.network().expect("just built").clone();
    network.links[4].capacity = u64::MAX;
    network.allowance.per_migration = Some(u64::MAX);
    b.network(network);
    let instance = b.build().expect("sound");
    let refused = write(&instance, &WriteOptions::default()).expect_err("too much");
    assert!(refused.to_string().contains("18446744073709551615 Mbit/s"), "{refused}");
    let written = write(&instance, &WriteOptions { lossy: true }).expect("with notes");
    assert_eq!(written.notes.len(), 2, "{:?}", written.notes);
    let network = read(&written.text).network().expect("a network").clone();
    assert_eq!((network.links[4].capacity, network.links[5].capacity), (i64::MAX as u64, 10_000));
}

#[test]
fn what_cannot_be_said_is_refused_or_noted() {
    let mut b = InstanceBuilder::new();
    let node = b.node("n1");
    b.vm("a", Place::Init);
    let web = b.running_vm("web", node);
    b.vm_attribute(web, "rack", Value::Text("7".into()));
    b.network(Network { routing: Routing::Fixed(Vec::new()), ..Network::default() });
    b.constraint(Constraint::new(Fence { vm: web, nodes: [].into() }));
    let instance = b.build().expect("sound");
    let refused = write(&instance, &WriteOptions::default()).expect_err("not all of it can be said");
    assert!(refused.to_string().contains("`7`"), "{refused}");
    let written = write(&instance, &WriteOptions { lossy: true }).expect("with notes");
    assert_eq!(written.notes.len(), 4, "{:?}", written.notes);
    let found = read(&written.text);
    assert_eq!((found.vm_count(), found.constraints().len()), (2, 0));

    let mut b = InstanceBuilder::new();
    b.node("n1");
    b.node("@n1");
    let clash = write(&b.build().expect("sound"), &WriteOptions { lossy: true });
    assert!(clash.is_err_and(|error| error.to_string().contains("apart")));
}

/// Nothing that the language cannot say, so that something is left to compare.
fn sayable(mut instance: Instance) -> Instance {
    instance.vms.numbers = None;
    instance.nodes.numbers = None;
    instance.vms.aliases.clear();
    instance.nodes.aliases.clear();
    for place in &mut instance.places {
        if matches!(place, Place::Init | Place::Killed) {
            *place = Place::Ready;
        }
    }
    instance
}

proptest! {
    #![proptest_config(testing::config())]

    #[test]
    fn what_is_written_gives_an_equal_instance(numbers in testing::choices()) {
        let instance = testing::instance(&mut testing::Choices::new(numbers), testing::Scope::Quadrille);
        let written = write(&instance, &WriteOptions { lossy: true });
        if let Ok(written) = written {
            let found = read(&written.text);
            prop_assert_eq!(found.vm_count(), instance.vm_count());
            if written.notes.is_empty() {
                prop_assert_eq!(&found, &instance, "{}", written.text);
            }
        }
        let instance = sayable(instance);
        if let Ok(written) = write(&instance, &WriteOptions::default()) {
            prop_assert_eq!(read(&written.text), instance, "{}", written.text);
        }
    }

    #[test]
    fn generated_clusters_come_back(seed in 0u64..1000, vms in 20u32..200, mixed in any::<bool>()) {
        let scenario = if mixed { Scenario::Mixed } else { Scenario::LoadIncrease };
        let spec = Spec { nodes: 12, vms, seed, scenario, constrained: 80, rack: 4, ..Spec::default() };
        if let Ok(instance) = generate(&spec) {
            // Rules about no VM are drawn as well, which cannot be said.
            let written = write(&instance, &WriteOptions { lossy: true }).expect("not too long");
            let found = read(&written.text);
            if written.notes.is_empty() {
                prop_assert_eq!(found, instance);
            }
        }
    }
}

#[test]
fn every_model_comes_back() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut count = 0;
    for folder in std::fs::read_dir(root).expect("part of the repository") {
        let Ok(files) = std::fs::read_dir(folder.expect("a folder").path()) else { continue };
        for file in files {
            let path = file.expect("a file").path();
            let name = path.to_string_lossy().into_owned();
            if !name.ends_with(".json") || name.ends_with(".expect.json") {
                continue;
            }
            let bytes = std::fs::read(&path).expect("readable");
            let Ok(instance) = read_instance(&bytes, &ReadOptions::default()) else { continue };
            let mut instance = instance.instance;
            // Numbers are for BtrPlace's files only.
            instance.vms.numbers = None;
            instance.nodes.numbers = None;
            strictly(&instance);
            count += 1;
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn the_workload_of_btrplace_comes_back() {
    for (name, bytes) in testing::data() {
        // One of each kind: the largest take a while without optimisation.
        if !name.contains("c66") && !name.starts_with("issue") {
            continue;
        }
        let mut instance = read_instance(&bytes, &ReadOptions { lenient: true }).expect("readable").instance;
        instance = sayable(instance);
        let written = write(&instance, &WriteOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(read(&written.text) == instance, "{name}");
    }
}

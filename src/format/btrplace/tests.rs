use super::*;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::Restriction;
use crate::constraint::Strength;
use crate::constraint::preserve::Preserve;
use crate::constraint::spread::Spread;
use crate::format::WriteOptions;
use crate::format::testing;
use crate::format::testing::Choices;
use crate::format::testing::Scope;
use crate::model::Duration;
use crate::model::Endpoint;
use crate::model::InstanceBuilder;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Routing;
use crate::model::Timed;
use crate::model::Value;
use crate::model::VmId;
use crate::objective::Metric;
use crate::objective::Objective;
use proptest::prelude::*;

const STRICT: ReadOptions = ReadOptions { lenient: false };
const LENIENT: ReadOptions = ReadOptions { lenient: true };

/// A document around a model, constraints and an objective.
fn around(mapping: &str, views: &str, constraints: &str) -> String {
    format!(
        r#"{{"model": {{"mapping": {mapping}, "attributes": {{}}, "views": {views}}},
            "constraints": {constraints}, "objective": {{"id": "minimizeMTTR"}}}}"#
    )
}

const MAPPING: &str = r#"{"readyVMs": [4],
    "onlineNodes": {"0": {"runningVMs": [0, 2], "sleepingVMs": [3]}, "1": {"runningVMs": [1], "sleepingVMs": []}},
    "offlineNodes": [7]}"#;
const CPU: &str = r#"[{"id": "shareableResource", "rcId": "cpu", "defCapacity": 8, "defConsumption": 1,
    "nodes": {"0": 4}, "vms": {"0": "3", "1": 2}}]"#;

fn read(text: &str, options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    read_instance(text.as_bytes(), options)
}

fn rules(constraints: &str, options: &ReadOptions) -> Result<ReadInstance, FormatError> {
    read(&around(MAPPING, CPU, constraints), options)
}

#[test]
fn a_whole_document() {
    let text = r#"
{
  "objective": {"id": "minMigrations", "extra": [1, {}]},
  "constraints": [
    {"vms": [1, 0, 1], "id": "spread", "continuous": false},
    {"id": "preserve", "vm": 0, "rc": "cpu", "amount": 5, "continuous": "ignored"},
    {"id": "spread", "vms": [0, 2], "continuous": true, "penalty": 9}
  ],
  "model": {
    "views": [
      {"rcId": "cpu", "id": "shareableResource", "defCapacity": 8, "defConsumption": 1,
       "nodes": {"0": 4}, "vms": {"0": "3", "12": 2}},
      {"id": "ns", "type": "vm", "map": {"old": 0, "web": 0, "db": 12}},
      {"id": "ns", "type": "node", "map": {"@n0": 0}},
      {"id": "net", "switches": [{"id": 3, "capacity": -1}, {"id": 1, "capacity": 500}],
       "links": [
         {"id": 0, "capacity": 1000, "switch": 3, "physicalElement": {"type": "node", "id": 5}},
         {"id": 2, "capacity": 100, "switch": 1, "physicalElement": {"type": "switch", "id": 3}},
         {"id": 3, "capacity": 1000, "switch": 1, "physicalElement": {"type": "node", "id": 0}},
         {"id": 4, "capacity": 1000, "switch": 1, "physicalElement": {"type": "node", "id": 9}}],
       "routing": {"type": "default"}}
    ],
    "attributes": {"vms": {"12": {"migrate": 7, "clone": true, "template": "t", "x": 2.0}}, "nodes": {"5": {"boot": 60}}},
    "mapping": {"readyVMs": [1], "offlineNodes": [9], "unknown": null, "onlineNodes": {
      "5": {"runningVMs": [], "sleepingVMs": [2]}, "0": {"runningVMs": [12, 0], "sleepingVMs": []}}}
  }
}"#;
    let read = read(text, &STRICT).expect("a valid document");
    assert_eq!((read.format, read.notes.as_slice()), (InstanceFormat::BtrPlace, [].as_slice()));
    let i = read.instance;
    assert_eq!(i.vms().names().collect::<Vec<_>>(), ["web", "vm#1", "vm#2", "db"]);
    assert_eq!(i.nodes().names().collect::<Vec<_>>(), ["@n0", "node#5", "node#9"]);
    assert_eq!(i.vms().find("old"), Some(0));
    assert_eq!((0..4).map(|vm| i.vms().number(vm)).collect::<Vec<_>>(), [0, 1, 2, 12]);
    assert_eq!((0..3).map(|node| i.nodes().number(node)).collect::<Vec<_>>(), [0, 5, 9]);
    let [n0, n5] = [NodeId(0), NodeId(1)];
    assert_eq!(
        i.vm_ids().map(|vm| i.place(vm)).collect::<Vec<_>>(),
        [Place::Running(n0), Place::Ready, Place::Sleeping(n5), Place::Running(n0)]
    );
    assert_eq!(i.node_ids().map(|node| i.is_online(node)).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(
        (&i.resources()[0].capacity[..], &i.resources()[0].demand[..]),
        (&[4, 8, 8][..], &[3, 1, 1, 2][..])
    );
    let attributes = i.vms().attributes();
    assert_eq!(attributes.get(3, "migrate"), Some(&Value::Int(7)));
    assert_eq!(attributes.get(3, "x"), Some(&Value::Float(2.0)));
    assert!(i.can_reinstantiate(VmId(3)) && !i.can_reinstantiate(VmId(0)));
    assert_eq!(i.nodes().attributes().get(1, "boot"), Some(&Value::Int(60)));
    let network = i.network().expect("a network");
    assert_eq!((network.switches[0].capacity, network.switches[1].capacity), (None, Some(500)));
    assert_eq!((network.links[0].end, network.links[1].end), (Endpoint::Node(n5), Endpoint::Switch(0)));
    assert_eq!(network.routing, Routing::Tree);
    let [spread, preserve, soft] = i.constraints() else { panic!("three constraints") };
    assert_eq!(spread.rule.arguments(), [Argument::Vms([VmId(0), VmId(1)].into())]);
    assert_eq!(spread.restriction, Restriction::Discrete);
    assert_eq!(preserve.rule.arguments()[2], Argument::Amount(5));
    assert_eq!((soft.restriction, soft.strength), (Restriction::Continuous, Strength::Soft(9)));
    assert_eq!(*i.objective(), Objective::single(Metric::RelocationTime));
}

#[test]
fn links_are_written_with_what_migrations_may_use() {
    let mut b = InstanceBuilder::new();
    b.node("n0");
    b.node("n1");
    let mut network = Network::star(2, 1000);
    network.allowance.reserve_percent = 20;
    b.network(network.clone());
    let written = write_instance(&b.build().expect("sound"), &WriteOptions::default()).expect("sayable");
    assert!(written.notes.iter().any(|note| note.contains("what migrations may use")), "{:?}", written.notes);
    let back = read(&written.text, &STRICT).expect("valid").instance;
    assert!(back.network().is_some_and(|network| network.links.iter().all(|link| link.capacity == 800)));
    network.allowance.per_migration = Some(300);
    let mut b = InstanceBuilder::new();
    b.node("n0");
    b.node("n1");
    b.network(network);
    let instance = b.build().expect("sound");
    let error = write_instance(&instance, &WriteOptions::default()).map(|_| ()).expect_err("a loss");
    assert!(error.message.contains("300 Mbit/s"), "{error}");
    assert!(write_instance(&instance, &WriteOptions { lossy: true }).is_ok());
}

#[test]
fn routes_that_are_given() {
    let text = |direction: &str| {
        format!(
            r#"{{"mapping": {{"readyVMs": [], "offlineNodes": [], "onlineNodes": {{
              "0": {{"runningVMs": [], "sleepingVMs": []}}, "1": {{"runningVMs": [], "sleepingVMs": []}}}}}},
            "attributes": {{}}, "views": [{{"id": "net", "switches": [{{"id": 0, "capacity": -1}}],
              "links": [
                {{"id": 0, "capacity": 1000, "switch": 0, "physicalElement": {{"type": "node", "id": 0}}}},
                {{"id": 1, "capacity": 500, "switch": 0, "physicalElement": {{"type": "node", "id": 1}}}}],
              "routing": {{"type": "static", "routes": [
                {{"nodes_map": {{"src": 0, "dst": 1}},
                 "links": [{{"link": 0, "direction": "false"}}, {{"link": 1, "direction": {direction}}}]}},
                {{"nodes_map": {{"src": 1, "dst": 0}},
                 "links": [{{"link": 1, "direction": false}}, {{"link": 0, "direction": "true"}}]}}]}}}}]}}"#
        )
    };
    let model = |direction| format!(r#"{{"model": {}, "constraints": []}}"#, text(direction));
    let instance = read(&model("true"), &LENIENT).expect("sound").instance;
    let Some(Network { routing: Routing::Fixed(routes), .. }) = instance.network() else { panic!("routes") };
    assert_eq!(routes[0].links, [(0, false), (1, true)]);
    let torn = read(&model("false"), &LENIENT).expect_err("torn");
    assert!(torn.message.contains("the route from node `node#0` to node `node#1` is torn"), "{torn}");
    assert_eq!(torn.path, "$.model.views[0].routing.routes[0]");
}

#[test]
fn faults_of_networks_and_figures_have_a_place() {
    let document = |attributes: &str, last: &str| {
        format!(
            r#"{{"model": {{"mapping": {{"readyVMs": [4], "offlineNodes": [], "onlineNodes": {{
              "0": {{"runningVMs": [], "sleepingVMs": []}}, "1": {{"runningVMs": [], "sleepingVMs": []}}}}}},
            "attributes": {{{attributes}}}, "views": [{{"id": "net", "switches": [{{"id": 0, "capacity": -1}}],
              "links": [
                {{"id": 0, "capacity": 1000, "switch": 0, "physicalElement": {{"type": "node", "id": 0}}}},
                {{"id": 1, "capacity": 500, "switch": 0, "physicalElement": {{"type": "node", "id": 1}}}}{last}],
              "routing": {{"type": "default"}}}}]}}, "constraints": []}}"#
        )
    };
    let circle = document(
        "",
        r#", {"id": 7, "capacity": 5, "switch": 0, "physicalElement": {"type": "node", "id": 1}}"#,
    );
    let error = read(&circle, &LENIENT).expect_err("two ways");
    assert_eq!(error.path, "$.model.views[0].links[2]");
    // Without advice: there are no shortest ways in these files.
    assert_eq!(error.message, "the network: link 7 closes a circle, so that there are several ways");
    let figure = document(r#""vms": {"4": {"memUsed": true}}"#, "");
    let error = read(&figure, &LENIENT).expect_err("no figure");
    assert_eq!(error.path, "$.model.attributes.vms.4.memUsed");
    assert!(error.message.contains("true; expected a number from 0 to 10^12"), "{error}");
    let near = read(&document(r#""vms": {"4": {"memUse": 1}}"#, ""), &LENIENT).expect("free").notes;
    assert!(
        near.iter().any(|note| note.contains("vms.4.memUse: the attribute `memUse` means nothing")),
        "{near:?}"
    );
}

#[test]
fn a_missing_flag_is_an_error_or_a_note() {
    let text = r#"[{"id": "spread", "vms": [0, 1]}]"#;
    let error = rules(text, &STRICT).expect_err("the flag is required");
    assert_eq!(error.path, "$.constraints[0]");
    assert!(error.message.contains("`continuous`"), "{error}");
    let read = rules(text, &LENIENT).expect("it may be missing");
    assert_eq!(read.instance.constraints()[0].restriction, Restriction::Continuous);
    assert!(read.notes[0].contains("$.constraints[0]"), "{:?}", read.notes);
    // Where BtrPlace does not look, nothing is asked for.
    assert!(
        rules(r#"[{"id": "root", "vm": 0}, {"id": "root", "vm": 0, "continuous": false}]"#, &STRICT).is_ok()
    );
    for bad in ["null", "\"true\"", "1"] {
        let text = format!(r#"[{{"id": "spread", "vms": [0], "continuous": {bad}}}]"#);
        assert_eq!(
            rules(&text, &LENIENT).map_err(|error| error.path).err(),
            Some("$.constraints[0].continuous".into())
        );
    }
}

#[test]
fn capitals_matter_unless_lenient() {
    let text = r#"[{"id": "deadline", "vm": 0, "timestamp": "+00:01:30"}]"#;
    let error = rules(text, &STRICT).expect_err("it is written with a capital");
    assert!(error.message.contains("`Deadline`"), "{error}");
    let read = rules(text, &LENIENT).expect("tolerated");
    assert_eq!((read.instance.constraints().len(), read.notes.len()), (1, 1));
    assert!(rules(&text.replace("deadline", "Deadline"), &STRICT).is_ok());
}

#[test]
fn what_is_unknown_is_an_error_or_a_note() {
    for (text, path, near) in [
        (
            around(MAPPING, CPU, r#"[{"id": "spred", "vms": [0], "continuous": true}]"#),
            "$.constraints[0].id",
            "`spread`",
        ),
        (
            around(MAPPING, r#"[{"id": "sharableResource"}]"#, "[]"),
            "$.model.views[0].id",
            "`shareableResource`",
        ),
        (
            around(MAPPING, CPU, "[]").replace("minimizeMTTR", "minimizeMTR"),
            "$.objective.id",
            "`minimizeMTTR`",
        ),
    ] {
        let error = read(&text, &STRICT).expect_err("unknown");
        assert_eq!(error.path, path);
        assert!(error.message.contains("did you mean") && error.message.contains(near), "{error}");
        let read = read(&text, &LENIENT).expect("left out");
        assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
        assert!(read.instance.constraints().is_empty());
    }
    // Many of a kind are counted, not listed.
    let many = format!("[{}]", vec![r#"{"id": "nothing like it"}"#; 100].join(","));
    let notes = rules(&many, &LENIENT).expect("left out").notes;
    assert_eq!(notes.len(), 6);
    assert!(notes[5].contains("95 more"), "{notes:?}");
}

#[test]
fn of_two_views_of_a_kind_the_first_counts() {
    let views = r#"[
        {"id": "shareableResource", "rcId": "cpu", "defCapacity": 1, "defConsumption": 0, "nodes": null, "vms": null},
        {"id": "shareableResource", "rcId": "cpu", "defCapacity": 2, "defConsumption": 0, "nodes": {}, "vms": {}},
        {"id": "ns", "type": "vm", "map": {"a": 0}}, {"id": "ns", "type": "vm", "map": {"b": 0}}]"#;
    let read = read(&around(MAPPING, views, "[]"), &STRICT).expect("accepted");
    assert_eq!(read.instance.resources()[0].capacity, [1, 1, 1]);
    assert_eq!(read.instance.vm_name(VmId(0)), "a");
    assert_eq!(read.notes.len(), 2);
}

#[test]
fn equal_parts_are_one_and_duplicates_are_harmless() {
    let text = r#"[{"id": "among", "vms": [0, 0], "parts": [[0, 1], [1, 0], [0, 1], [7]], "continuous": false},
        {"id": "online", "node": 0}, {"id": "online", "node": 0}]"#;
    let instance = rules(text, &STRICT).expect("accepted").instance;
    assert_eq!(instance.constraints().len(), 3);
    let Argument::NodeSets(parts) = &instance.constraints()[0].rule.arguments()[1] else { panic!("parts") };
    assert_eq!(parts.len(), 2);
}

#[test]
fn long_values_that_repeat_are_shared() {
    let nodes: Vec<String> =
        (0..200).map(|node| format!(r#""{node}": {{"runningVMs": [], "sleepingVMs": []}}"#)).collect();
    let mapping =
        format!(r#"{{"readyVMs": [0, 1], "onlineNodes": {{{}}}, "offlineNodes": []}}"#, nodes.join(","));
    let list = (0..200).map(|node| node.to_string()).collect::<Vec<_>>().join(",");
    let rules = format!(
        r#"[{{"id": "ban", "vm": 0, "nodes": [{list}], "continuous": false}},
            {{"id": "ban", "nodes": [{list}], "vm": 1, "continuous": false}},
            {{"id": "runningCapacity", "nodes": [{list}], "amount": 7}},
            {{"id": "fence", "vm": 1, "nodes": [{list} ], "continuous": false}}]"#
    );
    let instance = read(&around(&mapping, "[]", &rules), &STRICT).expect("valid").instance;
    let sets: Vec<_> = instance
        .constraints()
        .iter()
        .flat_map(|constraint| constraint.rule.arguments())
        .filter_map(|argument| match argument {
            Argument::Nodes(nodes) => Some(nodes),
            _ => None,
        })
        .collect();
    assert!(std::sync::Arc::ptr_eq(&sets[0], &sets[1]) && std::sync::Arc::ptr_eq(&sets[0], &sets[2]));
    assert_eq!(sets[0], sets[3]);
    // The same text where something else is meant is read anew.
    let wrong = rules.replace("\"fence\", \"vm\": 1", "\"gather\", \"vms\": [300]").replace("300", &list);
    assert_eq!(
        read(&around(&mapping, "[]", &wrong), &STRICT).map_err(|e| e.path).err(),
        Some("$.constraints[3].vms[2]".into())
    );
}

/// Documents that are wrong: what is wrong, the path, and a part of the message.
#[test]
fn wrong_documents_are_refused_with_their_place() {
    let views = |view: &str| around(MAPPING, &format!("[{view}]"), "[]");
    let mapping = |text: &str| around(text, "[]", "[]");
    let rule = |text: &str| around(MAPPING, CPU, &format!("[{text}]"));
    let cases = [
        (
            mapping(r#"{"readyVMs": [1, 1], "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs[1]",
            "declared twice",
        ),
        (
            mapping(
                r#"{"readyVMs": [], "onlineNodes": {"0": {"runningVMs": [3], "sleepingVMs": []}, "1": {"runningVMs": [3], "sleepingVMs": []}}, "offlineNodes": []}"#,
            ),
            "$.model.mapping.onlineNodes.1.runningVMs[0]",
            "running on node 0, and running on node 1",
        ),
        (
            mapping(r#"{"readyVMs": [], "onlineNodes": {}, "offlineNodes": [2, 2]}"#),
            "$.model.mapping.offlineNodes[1]",
            "declared twice",
        ),
        (
            mapping(
                r#"{"readyVMs": [], "onlineNodes": {"0": {"runningVMs": [], "sleepingVMs": []}}, "offlineNodes": [0]}"#,
            ),
            "$.model.mapping.offlineNodes[0]",
            "node 0 is declared twice",
        ),
        (
            mapping(r#"{"readyVMs": [-1], "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs[0]",
            "`-1`",
        ),
        (
            mapping(r#"{"readyVMs": [4294967296], "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs[0]",
            "4294967295",
        ),
        (
            mapping(r#"{"readyVMs": [99999999999999999999999], "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs[0]",
            "expected a VM",
        ),
        (
            mapping(r#"{"readyVMs": [1.5], "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs[0]",
            "`1.5`",
        ),
        (
            mapping(r#"{"readyVMs": {}, "onlineNodes": {}, "offlineNodes": []}"#),
            "$.model.mapping.readyVMs",
            "expected an array",
        ),
        (
            mapping(
                r#"{"readyVMs": [], "onlineNodes": {"-1": {"runningVMs": [], "sleepingVMs": []}}, "offlineNodes": []}"#,
            ),
            "$.model.mapping.onlineNodes.-1",
            "`-1`",
        ),
        (
            mapping(r#"{"readyVMs": [], "onlineNodes": {"0": {"runningVMs": []}}, "offlineNodes": []}"#),
            "$.model.mapping.onlineNodes.0",
            "`sleepingVMs` is missing",
        ),
        (mapping(r#"{"readyVMs": [], "onlineNodes": {}}"#), "$.model.mapping", "`offlineNodes` is missing"),
        (
            around(MAPPING, CPU, "[]").replace("\"attributes\": {}", r#""attributes": {"vms": {"8": {}}}"#),
            "$.model.attributes.vms.8",
            "VM 8 is not declared",
        ),
        (
            around(MAPPING, CPU, "[]")
                .replace("\"attributes\": {}", r#""attributes": {"vms": {"0": {"a": null}}}"#),
            "$.model.attributes.vms.0.a",
            "found `null`",
        ),
        (
            around(MAPPING, CPU, "[]")
                .replace("\"attributes\": {}", r#""attributes": {"vms": {"0": {"a": 1, "a": 1}}}"#),
            "$.model.attributes.vms.0.a",
            "twice",
        ),
        (
            around(MAPPING, CPU, "[]")
                .replace("\"attributes\": {}", r#""attributes": {"vms": {"0": {}, "0": {}}}"#),
            "$.model.attributes.vms.0",
            "twice",
        ),
        (views(r#"{"rcId": "cpu"}"#), "$.model.views[0]", "`id` is missing"),
        (views(r#"{"id": "shareableResource", "rcID": "cpu"}"#), "$.model.views[0]", "it has `rcID`"),
        (
            views(
                r#"{"id": "shareableResource", "rcId": "cpu", "defCapacity": 1, "defConsumption": 1, "nodes": {"6": 1}, "vms": {}}"#,
            ),
            "$.model.views[0].nodes.6",
            "node 6 is not declared",
        ),
        (
            views(
                r#"{"id": "shareableResource", "rcId": "cpu", "defCapacity": 1, "defConsumption": 1, "nodes": {"0": 3.0}, "vms": {}}"#,
            ),
            "$.model.views[0].nodes.0",
            "`3.0`",
        ),
        (
            views(
                r#"{"id": "shareableResource", "rcId": "cpu", "defCapacity": 1, "defConsumption": 1, "nodes": {}, "vms": {"0": "-3"}}"#,
            ),
            "$.model.views[0].vms.0",
            "`-3`",
        ),
        (
            views(
                r#"{"id": "shareableResource", "rcId": "cpu", "defCapacity": 18446744073709551615, "defConsumption": 1, "nodes": {}, "vms": {}}"#,
            ),
            "$.model.views[0]",
            "add up to more",
        ),
        (views(r#"{"id": "ns", "type": "vn", "map": {}}"#), "$.model.views[0].type", "`vm` or `node`"),
        (
            views(r#"{"id": "ns", "type": "vm", "map": {"a": 0, "a": 1}}"#),
            "$.model.views[0].map.a",
            "`a` is given twice",
        ),
        (
            views(r#"{"id": "ns", "type": "vm", "map": {"vm#1": 0}}"#),
            "$.model.views[0].map.vm#1",
            "VM 1 is called",
        ),
        (
            views(
                r#"{"id": "net", "switches": [], "links": [{"id": 0, "capacity": 1, "switch": 4, "physicalElement": {"type": "node", "id": 0}}], "routing": {"type": "default"}}"#,
            ),
            "$.model.views[0].links[0].switch",
            "no switch 4",
        ),
        (
            rule(r#"{"id": "spread", "vms": [5], "continuous": true}"#),
            "$.constraints[0].vms[0]",
            "VM 5 is not declared",
        ),
        (
            rule(r#"{"id": "running", "vms": [1]}"#),
            "$.constraints[0]",
            "needs the key `vm` (a VM), and has `vms`",
        ),
        (
            rule(r#"{"id": "preserve", "vm": 0, "rc": "cpus", "amount": 1}"#),
            "$.constraints[0].rc",
            "did you mean `cpu`",
        ),
        (
            rule(r#"{"id": "preserve", "vm": 0, "rc": "cpu", "amount": -1}"#),
            "$.constraints[0].amount",
            "`-1`",
        ),
        (
            rule(r#"{"id": "preserve", "vm": 0, "vm": 1, "rc": "cpu", "amount": 1}"#),
            "$.constraints[0].vm",
            "twice",
        ),
        (
            rule(r#"{"id": "overbook", "node": 0, "rc": "cpu", "ratio": 0.5, "continuous": true}"#),
            "$.constraints[0].ratio",
            "0.5",
        ),
        (
            rule(r#"{"id": "overbook", "node": 0, "rc": "cpu", "ratio": 1e999, "continuous": true}"#),
            "$.constraints[0].ratio",
            "1e999",
        ),
        (
            rule(r#"{"id": "Deadline", "vm": 0, "timestamp": "soon"}"#),
            "$.constraints[0].timestamp",
            "hh:mm:ss",
        ),
        (rule(r#"{"id": "seq", "vms": [0, 1, 0]}"#), "$.constraints[0].vms", "none twice"),
        (
            rule(r#"{"id": "split", "parts": [[0], [0, 1]], "continuous": true}"#),
            "$.constraints[0]",
            "`split`",
        ),
        (
            rule(r#"{"id": "spread", "vms": [0], "continuous": true, "penalty": 0}"#),
            "$.constraints[0].penalty",
            "penalty",
        ),
        (rule(r#"{"id": "minimizeMTTR"}"#), "$.constraints[0].id", "objective"),
        (rule("7"), "$.constraints[0]", "expected a constraint"),
        (
            around(MAPPING, CPU, "[]").replace("minimizeMTTR", "spread"),
            "$.objective.id",
            "found the constraint",
        ),
        (around(MAPPING, CPU, "[]").replace("\"objective\"", "\"constraints\""), "$.constraints", "twice"),
        (around(MAPPING, CPU, "[]").replace("\"objective\"", "\"other\""), "$", "`objective` is missing"),
    ];
    for (text, path, part) in &cases {
        match read(text, &STRICT) {
            Ok(_) => panic!("accepted: {text}"),
            Err(error) => {
                assert_eq!(&error.path, path, "{error}");
                assert!(error.message.contains(part), "{error}: {part}");
                assert!(error.line > 0 && error.column > 0);
            }
        }
    }
}

#[test]
fn ids_may_be_far_apart() {
    let mapping = r#"{"readyVMs": [4294967295, 7], "onlineNodes": {}, "offlineNodes": [4294967295]}"#;
    let text = around(
        mapping,
        "[]",
        r#"[{"id": "running", "vm": 4294967295}, {"id": "offline", "node": 4294967295}]"#,
    );
    let instance = read(&text, &STRICT).expect("valid").instance;
    assert_eq!(
        (instance.vm_name(VmId(1)), instance.node_name(NodeId(0))),
        ("vm#4294967295", "node#4294967295")
    );
}

#[test]
fn many_resources_for_many_elements_are_bounded() {
    let ready = (0..70_000).map(|vm| vm.to_string()).collect::<Vec<_>>().join(",");
    let mapping = format!(r#"{{"readyVMs": [{ready}], "onlineNodes": {{}}, "offlineNodes": []}}"#);
    let views: Vec<String> = (0..1000)
        .map(|at| format!(r#"{{"id": "shareableResource", "rcId": "r{at}", "defCapacity": 0, "defConsumption": 1, "nodes": null, "vms": null}}"#))
        .collect();
    let error =
        read(&around(&mapping, &format!("[{}]", views.join(",")), "[]"), &STRICT).expect_err("too many");
    assert!(error.message.contains("70000 VMs and nodes"), "{error}");
}

#[test]
fn a_million_constraints_on_one_vm() {
    let rules = format!("[{}]", vec![r#"{"id":"root","vm":0}"#; 1_000_000].join(","));
    let instance = self::rules(&rules, &STRICT).expect("valid").instance;
    assert_eq!(instance.constraints().len(), 1_000_000);
}

#[test]
fn what_cannot_be_said_is_an_error_or_a_note() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let node = b.node("n1");
    b.node_tags(node, vec!["rack1".to_owned()]).capacity(node, cpu, 1 << 40);
    let vm = b.vm("web", Place::Init);
    let other = b.running_vm("db", node);
    b.vm_attribute(other, "migrate", Value::Int(9)).duration(Timed::Migrate, Duration::Constant(4));
    b.constraint(Constraint::new(Spread { vms: [vm].into() }).soft(3).expect("it may be soft"));
    b.objective("makespan".parse().expect("an objective"));
    let instance = b.build().expect("a valid instance");
    let mut said = Vec::new();
    for part in ["`makespan`", "`web` is init", "`n1` has some", "`migrate`", "`penalty`", "1099511627776"] {
        let error = write_instance(&instance, &WriteOptions::default()).map(|_| ()).expect_err("a loss");
        let written = write_instance(&instance, &WriteOptions { lossy: true }).expect("allowed");
        assert!(written.notes.contains(&error.message), "{error}");
        assert!(written.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", written.notes);
        said.push(written.text);
    }
    // The durations live on as attributes; those that were there stay.
    let back = read(&said[0], &STRICT).expect("valid").instance;
    assert_eq!(back.vms().attributes().get(0, "migrate"), Some(&Value::Int(4)));
    assert_eq!(back.vms().attributes().get(1, "migrate"), Some(&Value::Int(9)));
    assert_eq!((back.vm_name(vm), back.place(vm)), ("web", Place::Ready));
    assert!(!back.constraints()[0].is_hard());
}

#[test]
fn text_that_is_written_is_the_same_every_time() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let node = b.node("n1");
    let vm = b.running_vm("vm#0", node);
    b.demand(vm, cpu, 3).vm_attribute(vm, "b", Value::Bool(true)).vm_attribute(vm, "a", Value::Float(2.0));
    b.constraint(Constraint::new(Preserve { vm, resource: cpu, amount: 4 }));
    let instance = b.build().expect("a valid instance");
    let written = write_instance(&instance, &WriteOptions::default()).expect("it can be said");
    assert_eq!(
        written.text,
        r#"{
"model": {
  "mapping": {
    "readyVMs": [],
    "onlineNodes": {
      "0": {"runningVMs": [0], "sleepingVMs": []}
    },
    "offlineNodes": []
  },
  "attributes": {
    "vms": {
      "0": {"a": 2.0, "b": true}
    },
    "nodes": {}
  },
  "views": [
    {"id": "shareableResource", "rcId": "cpu", "defCapacity": 0, "defConsumption": 0, "nodes": {}, "vms": {"0": 3}},
    {"id": "ns", "type": "node", "map": {"n1": 0}}
  ]
},
"constraints": [
  {"id": "preserve", "vm": 0, "rc": "cpu", "amount": 4}
],
"objective": {"id": "minimizeMTTR"}
}
"#
    );
}

#[test]
#[allow(clippy::print_stderr, reason = "whoever runs the tests should see what was not tested")]
fn public_instances_survive_writing() {
    let files = testing::data();
    if files.is_empty() {
        eprintln!("skipped: no data folder");
    }
    for (name, text) in files {
        let read = read_instance(&text, &STRICT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.notes, [""; 0], "{name}");
        let instance = read.instance;
        let written = write_instance(&instance, &WriteOptions::default()).expect("it came from there");
        let back =
            read_instance(written.text.as_bytes(), &STRICT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(back.instance == instance, "{name}");
        let own = crate::format::native::write_instance(&instance).expect("our format says everything");
        let back = crate::format::native::read_instance(own.as_bytes(), &STRICT)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(back.instance == instance, "{name}");
    }
}

proptest! {
    #![proptest_config(testing::config())]

    #[test]
    fn instances_come_back_as_they_were(numbers in testing::choices()) {
        let instance = testing::instance(&mut Choices::new(numbers), Scope::BtrPlace);
        let written = write_instance(&instance, &WriteOptions::default()).expect("it can be said");
        let back = read_instance(written.text.as_bytes(), &STRICT);
        prop_assert_eq!(back.map(|read| read.instance), Ok(instance), "{}", written.text);
    }
}

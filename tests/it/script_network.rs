//! Networks in scripts.

use crate::script::apply;
use crate::script::codes;
use crate::script::told;
use quadrille::Instance;
use quadrille::model::Behaviour;
use quadrille::model::Endpoint;
use quadrille::model::Live;
use quadrille::model::NodeId;
use quadrille::model::Rounds;
use quadrille::model::Routing;
use quadrille::model::Topology;

const NODES: &str = "@n[1..4] : node online; VM1 : small<memUsed=1000> running on @n1;";

/// The instance of a script that follows the declarations of four nodes.
#[track_caller]
fn network(text: &str) -> Instance {
    let text = format!("{NODES}\n{text}");
    match apply(&[("net.btrp", &text)], None) {
        Ok(built) => built.instance,
        Err(found) => panic!("{}", told(&found).join("\n")),
    }
}

fn wrong(text: &str) -> String {
    let text = format!("{NODES}\n{text}");
    let found = apply(&[("net.btrp", &text)], None).err().unwrap_or_default();
    told(&found).join("; ")
}

/// Bandwidth between two nodes, and how many channels are on the way.
fn way(instance: &Instance, from: u32, to: u32) -> (u64, usize) {
    let network = instance.network().expect("a network");
    let topology = Topology::new(network, instance).expect("checked when it was read");
    let path = topology.path(NodeId(from), NodeId(to));
    (path.bandwidth, path.channels.len())
}

#[test]
fn a_tree() {
    let text = "switch core<capacity=1500>, edge[1..2];
        link @n[1..2] to edge1<capacity=1000>;
        link {@n3, @n4} to edge2<capacity=500>;
        link edge[1..2] to core<capacity=4000>;";
    let instance = network(text);
    assert_eq!(way(&instance, 0, 1), (1000, 2));
    assert_eq!(way(&instance, 0, 2), (500, 5));
    let found = instance.network().expect("a network");
    assert_eq!(found.routing, Routing::Tree);
    let numbers: Vec<u32> = found.links.iter().map(|link| link.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    assert_eq!(found.links[5].end, Endpoint::Switch(2));
    assert_eq!(found.switches[0].name.as_deref(), Some("core"));
}

#[test]
fn several_ways() {
    let text = "network shortest; switch a, b, c;
        link @n[1..2] to a<capacity=1000>; link @n[3..4] to b<capacity=1000>;
        link a to b<capacity=200>; link {a, b} to c<capacity=5000>;";
    assert_eq!(way(&network(text), 0, 2).0, 200);
    let routes: String = (1..=4)
        .flat_map(|from| (1..=4).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
        .map(|(from, to)| {
            let via = match (from < 3, to < 3) {
                (true, true) => "a",
                (false, false) => "b",
                (true, false) => "a, c, b",
                (false, true) => "b, a",
            };
            format!("route @n{from} to @n{to} via {via};\n")
        })
        .collect();
    let given = network(&format!("{}{routes}", text.replace("network shortest;", "")));
    assert_eq!((way(&given, 0, 2).0, way(&given, 2, 0).0), (1000, 200));
}

#[test]
fn rules_may_add_to_the_network_of_a_cluster() {
    let base = network("switch core, s7; link @n[1..4] to core<capacity=1000>; link s7 to core<capacity=1>;");
    let text = "@n5 : node online; link @n5 to core<capacity=300>;";
    let instance = apply(&[("more.btrp", text)], Some(base)).expect("sound").instance;
    assert_eq!(way(&instance, 4, 0), (300, 2));
    assert_eq!(instance.network().expect("a network").links[5].number, 5);
}

#[test]
fn what_migrations_may_have() {
    let text = "network tree<reserve=25, bandwidth=600, sharing>; switch core;
        link @n[1..3] to core<capacity=1000>; link @n4 to core<capacity=1000, reserve=700>;";
    let instance = network(text);
    assert_eq!((way(&instance, 0, 1).0, way(&instance, 0, 3).0), (600, 300));
    assert!(instance.network().expect("a network").allowance.sharing);
}

#[test]
fn mistakes() {
    let star = "switch core; link @n[1..4] to core<capacity=1000>;";
    for (text, said) in [
        ("switch core; link @n[1..4] to cor<capacity=1>;", "E0113 there is no switch `cor`"),
        ("switch core; link @n[1..4] to core;", "E0313 a link needs a capacity, in Mbit/s"),
        (
            "switch core; link @n[1..4] to core<capacity=0>;",
            "E0313 bandwidths are in Mbit/s: whole numbers of 1 or more",
        ),
        ("switch core; link VM1 to core<capacity=1>;", "E0113 there is no switch `VM1`"),
        (
            "switch core; link {1} to core<capacity=1>;",
            "E0313 nodes and switches are linked, this is a set of something else",
        ),
        ("switch core; link 3 to core<capacity=1>;", "E0313 nodes and switches are linked, this is a number"),
        ("switch core, core;", "E0105 the switch `core` is declared twice"),
        ("switch a<number=3>, b<number=3>;", "E0105 the switch `b` has a number that is taken already"),
        (
            "switch a<number=4294967295>, b;",
            "E0105 the switch `b` gets no number, since none is left behind 4294967295; give it one",
        ),
        ("switch a; link @n[1..2] to a<capacity=1, number=3>;", "E0313 only one link can have that number"),
        ("network ring;", "E0313 traffic does not find its way by `ring`"),
        ("network tree; network tree;", "E0111 how traffic finds its way is said twice"),
        ("network tree<reserve=100>;", "E0313 `reserve` of a network is a whole percentage from 0 to 99"),
        ("network tree<reserve=12.5>;", "E0313 `reserve` of a network is a whole percentage from 0 to 99"),
        ("network tree<rounds=3>;", "E0313 `rounds` stands alone, without a value"),
        ("network tree<enough=3>;", "E0313 `enough` says something of migrations in rounds"),
        ("network tree<rounds, enough=-3>;", "E0313 `enough` is MB: a number from 0 to 10^12"),
        (
            "network tree<rounds, mostRounds=1.5>;",
            "E0313 `mostRounds` is rounds: a whole number from 1 to 1000",
        ),
        ("network tree<rounds, restart=\"long\">;", "E0313 `restart` is seconds: a number from 0 to 10^6"),
        ("network tree<capacity=3>;", "E0313 there is no option `capacity` here"),
        ("network star;", "E0313 the links of a star need a capacity, in Mbit/s"),
        (
            "network star<capacity=1000>; switch a;",
            "E0313 `network star` links all nodes itself, and there are switches or links",
        ),
        ("network tree<sharing=1>;", "E0313 `sharing` stands alone, without a value"),
        ("network tree<speed=3>;", "E0313 there is no option `speed` here"),
        (
            "switch core; link @n[1..3] to core<capacity=9>;",
            "E0313 the network: there is no way from node `n1` to node `n4`",
        ),
        (
            &format!("{star} link @n1 to core<capacity=9>;"),
            "E0313 the network: the link of `@n1` to `core` closes a circle, so that there are several ways",
        ),
        (
            &format!("{star} route @n1 to @n2 via core;"),
            "E0313 the network: there is no route from node `n1` to node `n3`",
        ),
        (&format!("{star} route @n1 to VM1 via core;"), "E0313 a route goes from node to node, this is a vm"),
        (
            "switch a, b; route @n1 to @n2 via a, b;",
            "E0313 there is no link between node `n1` and switch `a`",
        ),
    ] {
        assert_eq!(wrong(text), said, "{text}");
    }
    for inside in ["if 1 == 1 { switch a; }", "for $x in {1} { network tree; }"] {
        assert_eq!(codes(inside), ["E0004"], "{inside}");
    }
}

#[test]
fn faults_stand_where_they_were_made() {
    let racks = "switch a, b, c; link @n[1..2] to a<capacity=9>; link @n[3..4] to b<capacity=9>;
        link {a, b} to c<capacity=9>;";
    for (text, said, place) in [
        ("link b to a<capacity=9>;", "the link of `b` to `a` closes a circle", "b to a"),
        ("link c to c<capacity=9>;", "the link of `c` to `c` closes a circle", "c to c"),
        ("link @n2 to c<capacity=9>;", "the link of `@n2` to `c` closes a circle", "@n2 to c"),
        (
            "route @n1 to @n2 via a;",
            "there is no route from node `n1` to node `n3`",
            "route @n1 to @n2 via a;",
        ),
        (
            "network shortest; route @n1 to @n2 via a; route @n1 to @n2 via a;",
            "the route from node `n1` to node `n2` is the second one between them",
            "route @n1 to @n2 via a;",
        ),
        (
            "network shortest; route @n1 to @n3 via a, c, a, c, b;",
            "the route from node `n1` to node `n3` passes switch `a` twice",
            "route @n1 to @n3 via a, c, a, c, b;",
        ),
        (
            "network shortest; route @n1 to @n1 via a;",
            "the route from node `n1` to node `n1` leads from a node to itself",
            "route @n1 to @n1 via a;",
        ),
    ] {
        let text = format!("{NODES}\n{racks}\n{text}");
        let found = apply(&[("net.btrp", &text)], None).expect_err(said);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].message, format!("the network: {said}").replace("circle", CIRCLE), "{text}");
        let span = found[0].span();
        assert_eq!(&text[span.start as usize..span.end as usize], place, "{text}");
    }
    let reserve =
        format!("{NODES}\nswitch a; link @n[1..3] to a<capacity=9>; link @n4 to a<capacity=9, reserve=9>;");
    let found = apply(&[("net.btrp", &reserve)], None).expect_err("nothing is left");
    assert!(
        found[0].message.contains("the link of `@n4` to `a` has nothing left for migrations"),
        "{found:?}"
    );
    assert!(reserve[found[0].span().start as usize..].starts_with("@n4 to a"));
}

const CIRCLE: &str = "circle, so that there are several ways";

#[test]
fn routes_come_before_the_shortest_ways() {
    let text = "network shortest; switch a, b, c;
        link @n[1..2] to a<capacity=1000>; link @n[3..4] to b<capacity=1000>;
        link a to b<capacity=200>; link {a, b} to c<capacity=5000>;
        route @n1 to @n3 via a, c, b;";
    let instance = network(text);
    assert_eq!((way(&instance, 0, 2).0, way(&instance, 2, 0).0, way(&instance, 1, 2).0), (1000, 200, 200));
    // A script adds routes to the shortest ways of a cluster, and shortest ways to its routes.
    let base = network(text.split("route").next().expect("a beginning"));
    let more = apply(&[("more.btrp", "route @n1 to @n3 via a, c, b;")], Some(base)).expect("sound").instance;
    assert_eq!(more.network(), instance.network());
}

#[test]
fn all_nodes_on_one_switch() {
    let instance = network("network star<capacity=700, reserve=10>; @n5 : node online;");
    assert_eq!(
        (way(&instance, 0, 4), instance.network().map(|network| network.links.len())),
        ((630, 2), Some(5))
    );
}

#[test]
fn how_migrations_behave() {
    let live = |text: &str| network(text).migration_model().get().behaviour().expect("of a file");
    let of = |enough, working_set| {
        Live::Rounds(Rounds { enough, working_set, most_traffic: 2.5, ..Rounds::default() })
    };
    let found = live("network star<capacity=900, rounds, enough=16, mostTraffic=2.5, workingSet=500>;");
    assert_eq!(found, Behaviour { live: of(16.0, 500.0), ..Behaviour::default() });
    let found = live("network star<capacity=900, postCopySwitch=2>;");
    assert_eq!((found.live, found.post_copy.switch), (Live::PreCopy, 2.0));
}

#[test]
fn figures_are_checked_where_they_are_stated() {
    for (options, said, place) in [
        ("memUsed=-4", "`memUsed` is -4; expected a number from 0 to 10^12", "memUsed=-4"),
        ("memUsed=\"lots\"", "`memUsed` is `lots`; expected a number from 0 to 10^12", "memUsed=\"lots\""),
        ("bandwidth=0", "`bandwidth` is 0; expected Mbit/s: a number from 1 to 10^12", "bandwidth=0"),
        ("postCopy=\"yes\"", "`postCopy` is `yes`; expected true or false", "postCopy=\"yes\""),
        ("coldMigration=1", "`coldMigration` is 1; expected true or false", "coldMigration=1"),
        ("migrate=0", "`migrate` is 0; expected a whole number of seconds from 1 to 100000000", "migrate=0"),
        (
            "hotDirtyDuration=0",
            "its hot memory is written in no time: `hotDirtyDuration` is 0",
            "hotDirtyDuration=0",
        ),
    ] {
        let text = format!("template small<{options}>; VM1 : small;");
        let found = apply(&[("vm.btrp", &text)], None).expect_err(said);
        assert_eq!(told(&found), [format!("E0314 {said}")]);
        let span = found[0].span();
        assert_eq!(&text[span.start as usize..span.end as usize], place);
        // What means something for VMs is free for nodes.
        let node = format!("@n1 : node<{options}> online;");
        assert_eq!(apply(&[("n.btrp", &node)], None).is_ok(), !options.starts_with("boot"), "{options}");
    }
    let sound = "template small; VM1 : small<postCopy=\"true\", coldMigration, clone=\"false\", memUsed=1.5, hotDirtySize=0, hotDirtyDuration=0>;";
    assert!(apply(&[("vm.btrp", sound)], None).is_ok());
}

#[test]
fn large_and_strange_networks_are_read_at_once() {
    let text = "@n[1..100000] : node online; switch core, edge[1..20000];
        link @n[1..100000] to core<capacity=1000>; link edge[1..20000] to core<capacity=1>;";
    let built = apply(&[("large.btrp", text)], None).expect("sound");
    assert_eq!(built.instance.network().expect("a network").links.len(), 120_000);
    let many = "switch s[1..9999999999];";
    assert_eq!(codes(many), ["E0611"]);
}

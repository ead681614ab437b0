//! Which parts there are, and how their answers become one.

use super::*;
use crate::constraint::Constraint;
use crate::constraint::fence::Fence;
use crate::constraint::max_migrations::MaxMigrations;
use crate::constraint::power_cap::PowerCap;
use crate::constraint::running_capacity::RunningCapacity;
use crate::constraint::spread::Spread;
use crate::model::Endpoint;
use crate::model::InstanceBuilder;
use crate::model::Link;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Switch;
use crate::model::Value;
use crate::model::VmId;

/// Racks of two nodes with a VM that never leaves its own; rules as given.
fn racks(count: usize, rules: &[Constraint]) -> Problem {
    let mut b = InstanceBuilder::new();
    for rack in 0..count {
        let nodes = [b.node(&format!("a{rack}")), b.node(&format!("b{rack}"))];
        let vm = b.running_vm(&format!("v{rack}"), nodes[1]);
        b.constraint(Constraint::new(Fence { vm, nodes: nodes.into() }).continuous().expect("it may"));
    }
    for rule in rules {
        b.constraint(rule.clone());
    }
    let instance = b.build().expect("an instance");
    crate::compile::compile(&instance).expect("a problem").problem
}

/// Racks whose nodes have a switch of their own, all of which lead to one that may block.
fn switched(count: usize, core: Option<u64>, roams: bool) -> Problem {
    let mut b = InstanceBuilder::new();
    let mut network = Network { switches: vec![Switch::new(0, None, core)], ..Network::default() };
    let link = |switch, end, capacity| Link { number: 0, switch, end, capacity };
    for rack in 0..count {
        let nodes = [b.node(&format!("a{rack}")), b.node(&format!("b{rack}"))];
        let switch = network.switches.len() as u32;
        network.switches.push(Switch::new(switch, None, None));
        network.links.push(link(0, Endpoint::Switch(switch), 1000));
        for node in nodes {
            network.links.push(link(switch, Endpoint::Node(node), 100));
            let vm = b.running_vm(&format!("v{}", node.0), node);
            b.vm_attribute(vm, "memUsed", Value::Int(1000));
            // The first VM of all may leave its rack, if at all.
            let nodes = if roams && vm.0 == 0 { [NodeId(0), NodeId(2)] } else { nodes };
            let fence = Constraint::new(Fence { vm, nodes: nodes.into() });
            b.constraint(fence.continuous().expect("it may"));
        }
    }
    b.network(network);
    crate::compile::compile(&b.build().expect("an instance")).expect("a problem").problem
}

#[test]
fn moves_that_meet_on_the_way_are_one_part() {
    // Inside a rack nothing passes the switch of another.
    let problem = switched(3, Some(1000), false);
    let parts = split(&problem).expect("three parts");
    assert_eq!(parts.len(), 3);
    let transit = parts[1].problem.project.transit.as_ref().expect("a network");
    // Two links in two directions.
    assert_eq!(transit.capacities(), [100; 4]);
    let whole = problem.project.transit.as_ref().expect("a network");
    let (own, all) = (transit.passage(0, 0, 1).expect("a way"), whole.passage(2, 2, 3).expect("a way"));
    assert_eq!((own.seconds, own.bandwidth), (all.seconds, all.bandwidth));
    assert_eq!(own.uses.len(), 2);
    // Who may go from the first rack to the second ties them, and the third stays alone.
    assert_eq!(bins_of(split(&switched(3, None, true))), [vec![0, 1, 2, 3], vec![4, 5]]);
}

#[test]
fn limits_tie_what_shares_them() {
    let all: Vec<NodeId> = (0..6).map(NodeId::from_index).collect();
    let at_most = |scope: &str| {
        let (direction, scope) = ("both".to_owned(), scope.to_owned());
        Constraint::new(MaxMigrations { nodes: all.clone().into(), amount: 1, direction, scope })
    };
    let parts = split(&racks(3, &[at_most("each")])).expect("three parts");
    let capacities = |part: &Part| part.problem.project.transit.as_ref().map(|it| it.capacities().to_vec());
    assert_eq!(parts.iter().map(capacities).collect::<Vec<_>>(), vec![Some(vec![1, 1]); 3]);
    assert!(split(&racks(3, &[at_most("together")])).is_none());
    // Neither the nodes nor the moves draw any power, so they do not meet.
    let cap = Constraint::new(PowerCap { nodes: all.into(), watts: 9 });
    assert_eq!(bins_of(split(&racks(3, &[cap]))).len(), 3);
}

fn bins_of(parts: Option<Vec<Part>>) -> Vec<Vec<u32>> {
    parts.unwrap_or_default().into_iter().map(|part| part.bins).collect()
}

#[test]
fn bins_that_share_an_item_or_a_sum_are_one_part() {
    assert_eq!(bins_of(split(&racks(3, &[]))), [[0, 1], [2, 3], [4, 5]]);
    assert!(split(&racks(1, &[])).is_none());
    // Between nodes that nobody shares, keeping apart ties nothing; a sum does.
    let all: Vec<VmId> = (0..3).map(VmId::from_index).collect();
    let spread = Constraint::new(Spread { vms: all.into() });
    assert_eq!(bins_of(split(&racks(3, &[spread]))).len(), 3);
    let two = [0, 5].map(NodeId::from_index);
    let sum = Constraint::new(RunningCapacity { nodes: two.into(), amount: 2 });
    assert_eq!(bins_of(split(&racks(3, &[sum]))), [vec![0, 1, 4, 5], vec![2, 3]]);
}

#[test]
fn parts_are_told_in_the_numbers_of_the_whole() {
    let problem = racks(3, &[]);
    let parts = split(&problem).expect("three parts");
    let last = &parts[2];
    assert_eq!(last.problem.packing.items[0].source, 1);
    assert_eq!(last.problem.packing.domains.len(), 1);
    let kind = StepKind::Move { item: 0, from: 1, to: 0, resized: true, was_resized: true, parking: false };
    let told = last.step(Step { kind, start: 0, end: 1 });
    let StepKind::Move { item, from, to, .. } = told.kind else { panic!("another kind") };
    assert_eq!((item, from, to), (2, 5, 4));
    assert_eq!(last.proof(Proof::Homeless(0)), Proof::Homeless(2));
}

/// An answer with values and bounds.
fn answer(values: [u64; 2], bounds: [u64; 2]) -> Answer {
    Answer {
        steps: Some(Vec::new()),
        values: Some(values.to_vec()),
        bounds: bounds.to_vec(),
        ..Answer::default()
    }
}

#[test]
fn bounds_add_up_as_far_as_the_levels_before_are_proved() {
    let parts = split(&racks(2, &[])).expect("two parts");
    let merged = |one, other| merge(&parts, vec![one, other], &Objective::default()).bounds;
    assert_eq!(merged(answer([2, 9], [2, 7]), answer([1, 5], [1, 5])), [3, 12]);
    assert_eq!(merged(answer([2, 9], [1, 7]), answer([1, 5], [1, 5])), [2, 0]);
}

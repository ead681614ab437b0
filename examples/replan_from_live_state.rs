//! Half-way through a plan a node turns out to be smaller than thought. What has been
//! done is done, what is under way is let finish, and the rest is planned anew.
//!
//! `cargo run --example replan_from_live_state`

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::constraint::offline::Offline;
use quadrille::model::ActionKind;
use quadrille::model::BuildError;
use quadrille::model::Duration;
use quadrille::model::NodeId;
use quadrille::model::Place;
use quadrille::model::Plan;
use quadrille::model::Timed;
use quadrille::render;
use quadrille::render::TextOptions;
use quadrille::verify;
use std::error::Error;

const NODES: [(&str, u64); 4] = [("n1", 8), ("n2", 8), ("n3", 8), ("n4", 8)];
const VMS: [(&str, u64); 6] = [("a", 4), ("b", 4), ("c", 3), ("d", 2), ("e", 2), ("f", 3)];

/// The cluster with every VM on a node: n1 is to be switched off.
fn cluster(capacities: [u64; 4], online: [bool; 4], hosts: [usize; 6]) -> Result<Instance, BuildError> {
    let mut b = InstanceBuilder::new();
    let memory = b.resource("memory");
    b.duration(Timed::Migrate, Duration::Linear { resource: memory, coefficient: 1.0, offset: 0.0 });
    for (at, (name, _)) in NODES.into_iter().enumerate() {
        let node = if online[at] { b.node(name) } else { b.offline_node(name) };
        b.capacity(node, memory, capacities[at]);
    }
    for ((name, amount), host) in VMS.into_iter().zip(hosts) {
        let vm = b.running_vm(name, NodeId::from_index(host));
        b.demand(vm, memory, amount);
    }
    b.constraint(Constraint::new(Offline { node: NodeId::from_index(0) }));
    b.build()
}

/// Where everybody is once the actions that start before `now` have ended.
fn live(instance: &Instance, plan: &Plan, now: u64) -> ([bool; 4], [usize; 6]) {
    let mut online: [bool; 4] = std::array::from_fn(|at| instance.is_online(NodeId::from_index(at)));
    let mut hosts: [usize; 6] = std::array::from_fn(|at| {
        instance
            .vm_ids()
            .nth(at)
            .and_then(|vm| match instance.place(vm) {
                Place::Running(node) => Some(node.index()),
                _ => None,
            })
            .unwrap_or_default()
    });
    for action in plan.actions.iter().filter(|action| action.start < now) {
        match action.kind {
            ActionKind::Migrate { vm, to, .. } => hosts[vm.index()] = to.index(),
            ActionKind::ShutdownNode { node } => online[node.index()] = false,
            _ => {}
        }
    }
    (online, hosts)
}

fn main() -> Result<(), Box<dyn Error>> {
    let capacities = NODES.map(|(_, capacity)| capacity);
    let before = cluster(capacities, [true; 4], [0, 0, 1, 1, 2, 3])?;
    let first = quadrille::solve(&before, &Options::default())?;
    println!("The plan:");
    print!("{}", render::text(&before, &first, &TextOptions::default()));
    let plan = first.plan.ok_or("three nodes are enough for 18 of memory")?;

    // The first move has started when the node that the second one goes to loses memory.
    let now = 1;
    let (online, hosts) = live(&before, &plan, now);
    let mut capacities = capacities;
    let mut load = [0; 4];
    for (host, (_, amount)) in hosts.into_iter().zip(VMS) {
        load[host] += amount;
    }
    let fullest = (1..4).max_by_key(|&at| load[at]).unwrap_or(1);
    capacities[fullest] = load[fullest] - 1;
    println!("\n{} s later {} is down to {} of memory:", now, NODES[fullest].0, capacities[fullest]);

    let after = cluster(capacities, online, hosts)?;
    let overloads = verify::verify_source(&after);
    assert!(!overloads.is_ok(), "the live state is broken, which is why we plan again");
    let second = quadrille::solve(&after, &Options::default())?;
    print!("{}", render::text(&after, &second, &TextOptions::default()));
    let plan = second.plan.ok_or("there is still room for everybody")?;
    assert!(verify::verify(&after, &plan, &verify::VerifyOptions::default()).is_ok());

    let (online, hosts) = live(&after, &plan, u64::MAX);
    assert!(!online[0], "n1 is off in the end");
    for at in 1..4 {
        let load: u64 = hosts.into_iter().zip(VMS).filter(|&(host, _)| host == at).map(|(_, vm)| vm.1).sum();
        assert!(load <= capacities[at], "{} is not overloaded in the end", NODES[at].0);
    }
    Ok(())
}

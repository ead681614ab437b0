//! A rack goes to maintenance: its VMs leave, its nodes are switched off, and the two
//! replicas of each service never share a node, not even on the way.
//!
//! `cargo run --example drain_a_rack`

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::constraint::offline::Offline;
use quadrille::constraint::spread::Spread;
use quadrille::model::ActionKind;
use quadrille::model::BuildError;
use quadrille::model::Duration;
use quadrille::model::Timed;
use quadrille::render;
use quadrille::render::TextOptions;
use std::error::Error;

fn cluster() -> Result<Instance, BuildError> {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 16, 0);
    let memory = b.resource_with_defaults("memory", 64, 0);
    // A live migration copies about one unit of memory a second.
    b.duration(Timed::Migrate, Duration::Linear { resource: memory, coefficient: 1.0, offset: 0.0 });
    b.duration(Timed::ShutdownNode, Duration::Constant(60));

    let racks = ["east", "west"].map(|rack| [1, 2, 3].map(|number| b.node(&format!("{rack}{number}"))));
    for service in 0..6 {
        // One replica on each side, so that half of them must move.
        let replicas = [0, 1].map(|side: usize| {
            let vm = b.running_vm(&format!("service{service}-{side}"), racks[side][service % 3]);
            b.demand(vm, cpu, 3 + service as u64 % 2).demand(vm, memory, 8 + 4 * (service as u64 % 3));
            vm
        });
        b.constraint(Constraint::new(Spread { vms: replicas.into() }));
    }
    for node in racks[0] {
        b.constraint(Constraint::new(Offline { node }));
    }
    b.build()
}

fn main() -> Result<(), Box<dyn Error>> {
    let instance = cluster()?;
    let outcome = quadrille::solve(&instance, &Options::default())?;
    print!("{}", render::text(&instance, &outcome, &TextOptions::default()));

    let plan = outcome.plan.ok_or("the west rack has room for everybody")?;
    // Six VMs ran on the east rack: six moves, and not one more.
    assert_eq!(outcome.metrics.relocations, 6);
    assert_eq!(outcome.metrics.node_shutdowns, 3);
    for action in &plan.actions {
        if let ActionKind::Migrate { to, .. } = action.kind {
            assert!(instance.node_name(to).starts_with("west"));
        }
    }
    Ok(())
}

//! Three VMs on two nodes; one wants more than its node has left.
//!
//! `cargo run --example quickstart`

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use quadrille::Constraint;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Status;
use quadrille::constraint::preserve::Preserve;
use quadrille::constraint::spread::Spread;
use quadrille::render;
use quadrille::render::TextOptions;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut cluster = InstanceBuilder::new();
    let cpu = cluster.resource("cpu");
    let [n1, n2] = ["n1", "n2"].map(|name| cluster.node(name));
    cluster.capacity(n1, cpu, 8).capacity(n2, cpu, 8);
    let web = cluster.running_vm("web", n1);
    let shop = cluster.running_vm("shop", n1);
    let replica = cluster.running_vm("replica", n2);
    cluster.demand(web, cpu, 3).demand(shop, cpu, 3).demand(replica, cpu, 3);

    // The load of `web` rises to 6, and it must never share a node with its replica.
    cluster.constraint(Constraint::new(Preserve { vm: web, resource: cpu, amount: 6 }));
    cluster.constraint(Constraint::new(Spread { vms: [web, replica].into() }));
    let instance = cluster.build()?;

    let outcome = quadrille::solve(&instance, &Options::default())?;
    print!("{}", render::text(&instance, &outcome, &TextOptions::default()));

    // `shop` makes room; `web` cannot go to the node of its replica.
    assert_eq!(outcome.status, Status::Optimal);
    assert_eq!(outcome.metrics.relocations, 1);
    Ok(())
}

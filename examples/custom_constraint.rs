//! `crowd`: at most so many VMs of a set on one node.
//!
//! # Meaning
//! For every node n: the running members on n are at most `most`.
//!
//! # Discrete and continuous
//! Either; continuous where nothing is said: a member in migration counts on both of
//! its nodes.
//!
//! This rule is not part of Quadrille: it is defined here, in 60 lines, and planned and
//! checked like any other. These very lines are its manual page.
//!
//! `cargo run --example custom_constraint`

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use quadrille::Constraint;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::compile::Builder;
use quadrille::constraint;
use quadrille::constraint::Restriction;
use quadrille::constraint::Restrictions;
use quadrille::constraint::SideConstraint;
use quadrille::constraint::Violation;
use quadrille::constraint::Watch;
use quadrille::constraint::offline::Offline;
use quadrille::model::Configuration;
use quadrille::model::NodeId;
use quadrille::model::VmSet;
use quadrille::render;
use quadrille::render::TextOptions;
use quadrille::side_constraint;
use quadrille::verify;
use std::borrow::Cow;
use std::error::Error;

side_constraint! {
    /// At most so many VMs of the set on one node.
    pub struct Crowd {
        /// The VMs.
        vms("vms"): VmSet,
        /// How many.
        most("most"): u64,
    }
    name = "crowd", btrplace = None, flag = Absent,
    restrictions = Restrictions::Both(Restriction::Continuous), soft = true,
    source = include_str!("custom_constraint.rs");
    check = |rule| if rule.most > 0 { Ok(()) } else { Err("`most` must be at least 1".to_owned()) };
}

impl SideConstraint for Crowd {
    // The meaning, on one configuration: what the checker goes by.
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let mut hosts: Vec<NodeId> = self.vms.iter().flat_map(|&vm| at.hosts(vm)).collect();
        hosts.sort_unstable();
        let crowded: Vec<&[NodeId]> =
            hosts.chunk_by(|a, b| a == b).filter(|guests| guests.len() as u64 > self.most).collect();
        let amount = crowded.iter().map(|guests| guests.len() as u64 - self.most).sum();
        if amount == 0 {
            return Ok(());
        }
        let nodes: Vec<NodeId> = crowded.iter().map(|guests| guests[0]).collect();
        let names = constraint::list(nodes.iter().map(|&node| at.instance().node_name(node)));
        let text = format!("more than {} of the set run on {names}", self.most);
        Err(Violation { amount, vms: self.vms.to_vec(), nodes, text })
    }

    // When to ask again.
    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    // What the planner must know.
    fn post(&self, builder: &mut Builder<'_>) {
        builder.at_most_per_node(&self.vms, u32::try_from(self.most).unwrap_or(u32::MAX));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut b = InstanceBuilder::new();
    let nodes = ["n1", "n2", "n3"].map(|name| b.node(name));
    let databases: VmSet =
        (0..4).map(|number: usize| b.running_vm(&format!("db{number}"), nodes[number % 2])).collect();
    b.constraint(Constraint::new(Offline { node: nodes[0] }));
    b.constraint(Constraint::new(Crowd { vms: databases, most: 2 }));
    let instance = b.build()?;

    println!("{}\n", constraint::manual_page(&Crowd::SIGNATURE).lines().next().unwrap_or_default());
    let outcome = quadrille::solve(&instance, &Options::default())?;
    print!("{}", render::text(&instance, &outcome, &TextOptions::default()));

    // n2 is full with two of them: both must go to n3.
    let plan = outcome.plan.ok_or("n2 and n3 can take two each")?;
    let to: Vec<_> = plan.actions.iter().filter_map(|action| action.kind.destination()).collect();
    assert_eq!(to, [nodes[2], nodes[2]]);
    assert!(verify::verify(&instance, &plan, &verify::VerifyOptions::default()).is_ok());
    Ok(())
}

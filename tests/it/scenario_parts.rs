//! Clusters of independent parts: each is solved and proved on its own.

use crate::common::Spec;
use crate::common::cluster;
use quadrille::Status;
use std::fmt::Write;

/// Racks that nobody leaves, in each of which two VMs that fill their nodes want to
/// change places. Those listed have no third node.
fn swaps(racks: usize, narrow: &[usize]) -> Spec {
    let mut nodes = String::new();
    let mut rules = Vec::new();
    for rack in 0..racks {
        write!(nodes, "a{rack}: x{rack} | b{rack}: y{rack} | ").expect("a string takes all");
        let mut members = format!("a{rack},b{rack}");
        if !narrow.contains(&rack) {
            write!(nodes, "c{rack}: | ").expect("a string takes all");
            write!(members, ",c{rack}").expect("a string takes all");
        }
        rules.push(format!("fence x{rack} {members}; continuous"));
        rules.push(format!("fence y{rack} {members}; continuous"));
        rules.push(format!("fence x{rack} b{rack}"));
        rules.push(format!("fence y{rack} a{rack}"));
    }
    rules.into_iter().fold(cluster(&nodes).cpu("nodes=1 vms=1"), Spec::rule)
}

#[test]
fn every_part_is_proved() {
    // A third move in each rack: that two do not suffice is seen by trying all orders of
    // one rack, not of all of them.
    swaps(12, &[]).plan().moves(36);
}

#[test]
fn parts_run_at_the_same_time() {
    let one = swaps(1, &[]).plan().the_plan().makespan();
    swaps(12, &[]).plan().lasts(one);
}

#[test]
fn one_part_without_a_plan_is_enough() {
    swaps(12, &[7]).no_plan();
}

#[test]
fn a_makespan_is_shared() {
    let spec = swaps(3, &[]).minimise("makespan,relocations");
    let answer = spec.plan();
    assert_eq!(answer.outcome.levels[0].value, swaps(1, &[]).plan().the_plan().makespan(), "{answer}");
}

#[test]
fn a_share_of_the_steps_is_enough_for_each() {
    let options = quadrille::Options { step_limit: Some(2_000), ..Default::default() };
    let instance = swaps(12, &[]).build();
    let outcome = quadrille::solve(&instance, &options).expect("an answer");
    // What a part has begun when its share is spent is finished.
    assert!(outcome.steps <= 2_000 + 12 * 16, "{} steps", outcome.steps);
    assert!(matches!(outcome.status, Status::Optimal | Status::Feasible));
}

#[test]
fn the_first_placement_keeps_to_the_limit_too() {
    let vms: Vec<String> = (0..400).map(|vm| format!("v{vm}")).collect();
    let all = format!("n0: {} | {}", vms.join(" "), (1..9).map(|n| format!("n{n}: |")).collect::<String>());
    let instance = cluster(&all).cpu("nodes=50 vms=1").build();
    let limited = |steps| {
        let options = quadrille::Options { step_limit: Some(steps), ..Default::default() };
        quadrille::solve(&instance, &options).expect("an answer")
    };
    let short = limited(100);
    assert_eq!(short.status, Status::Unknown);
    assert!(short.steps <= 100 + 64, "{} steps", short.steps);
    assert!(limited(100_000).plan.is_some());
}

//! Bounds and proofs: nothing is ever below a bound, wherever the search stops.

use crate::common::Dice;
use crate::generate::PLACEMENT;
use crate::generate::RESOURCES;
use crate::generate::VMS;
use crate::generate::draw;
use crate::generate::fits;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Objective;
use quadrille::Options;
use quadrille::Outcome;
use quadrille::Status;
use quadrille::constraint::Constraint;
use quadrille::constraint::running::Running;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::generate::Spec;
use quadrille::generate::generate;
use quadrille::outcome::Clash;
use quadrille::outcome::Progress;
use quadrille::outcome::StopReason;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

const OBJECTIVES: [&str; 7] = [
    "relocations,mttr",
    "relocations,makespan",
    "makespan",
    "sum_of_ends",
    "mttr",
    "relocation_time",
    "3*relocations+makespan",
];

fn model(name: &str) -> Instance {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/small/{name}.json"));
    let text = std::fs::read(&path).expect("a model");
    format::read_instance(&text, &ReadOptions { lenient: false }).expect("a right model").instance
}

fn value(objective: &Objective, outcome: &Outcome) -> u64 {
    let terms = &objective.levels[0].terms;
    terms.iter().map(|&(weight, metric)| u64::from(weight) * outcome.metrics.get(metric)).sum()
}

/// A plan made for one objective is no better than the bound of another.
#[test]
fn no_plan_is_below_a_bound() {
    let mut dice = Dice::new(31);
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, &crate::generate::ORDER[..3]].concat();
    let (mut compared, mut positive) = (0, 0);
    for _ in 0..120 {
        let (nodes, vms) = dice.of(&[(3, 4), (4, 5), (6, 11), (7, 12)]);
        let mut spec = draw(&mut dice, nodes, vms);
        for vm in &VMS[..vms.min(VMS.len())] {
            let (key, seconds) = (dice.of(&["migrate", "boot", "shutdown"]), 1 + dice.below(5));
            spec = spec.takes(&format!("{vm}.{key}={seconds}"));
        }
        for _ in 0..dice.below(3) {
            let rule = dice.of(&rules);
            if fits(rule, nodes, vms) {
                spec.rules.push(rule.to_owned());
            }
        }
        let instance = spec.build();
        let objectives = OBJECTIVES.map(|text| text.parse::<Objective>().expect("an objective"));
        let outcomes = objectives.clone().map(|objective| {
            let options = Options { objective: Some(objective), step_limit: Some(3_000), ..spec.options() };
            quadrille::solve(&instance, &options).expect("an answer")
        });
        for (objective, bounded) in objectives.iter().zip(&outcomes) {
            let Some(first) = bounded.levels.first() else { continue };
            positive += usize::from(first.bound > 0);
            for other in outcomes.iter().filter(|other| other.plan.is_some()) {
                let value = value(objective, other);
                assert!(
                    first.bound <= value,
                    "{} is at least {}, and {value} is possible\n{spec}",
                    first.level,
                    first.bound
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000 && positive > 200, "{compared} {positive}");
}

/// Whatever the limit on steps: a plan that is right, and a bound that is one.
#[test]
fn limits_leave_a_plan_and_a_bound() {
    for (name, optimum) in [("no_room_for_two", 3), ("exchange_of_seven", 3), ("look_ahead", 2)] {
        let instance = model(name);
        let mut proved = false;
        for limit in (0..40).chain((40..2_000).step_by(97)) {
            let options = Options { step_limit: Some(limit), ..Options::default() };
            let outcome = quadrille::solve(&instance, &options).expect("an answer");
            let Some(plan) = &outcome.plan else {
                assert_eq!(outcome.status, Status::Unknown, "{name} {limit}");
                continue;
            };
            assert!(verify(&instance, plan, &VerifyOptions::default()).is_ok(), "{name} {limit}");
            let first = &outcome.levels[0];
            assert!(first.bound <= optimum && optimum <= first.value, "{name} {limit}: {first:?}");
            proved |= outcome.status == Status::Optimal;
        }
        assert!(proved, "{name}");
    }
}

fn cluster(seed: u64) -> Option<Instance> {
    let spec = Spec {
        nodes: 12,
        vms: 60,
        seed,
        constrained: 60,
        growing: 25,
        drained: 8,
        fenced: 10,
        rack: 6,
        load: Some(80),
        ..Spec::default()
    };
    generate(&spec).ok()
}

#[test]
fn small_clusters_are_proved() {
    let (mut tried, mut better) = (0, 0);
    for instance in (0..40).filter_map(cluster).take(12) {
        let options = Options { step_limit: Some(60_000), ..Options::default() };
        let outcome = quadrille::solve(&instance, &options).expect("an answer");
        assert!(matches!(outcome.status, Status::Optimal | Status::Infeasible), "{:?}", outcome.levels);
        // The bounds at the start are not what proves all of them.
        let options = Options { step_limit: Some(1), ..Options::default() };
        let start = quadrille::solve(&instance, &options).expect("an answer");
        let bound = |outcome: &Outcome| outcome.levels.first().map(|level| level.bound);
        better += usize::from(bound(&start) < bound(&outcome));
        tried += 1;
    }
    assert!(tried >= 10 && better > 0, "{tried} {better}");
}

#[test]
fn proofs_are_the_same_on_any_number_of_threads() {
    for instance in (40..60).filter_map(cluster).take(3) {
        let options =
            |threads| Options { threads: Some(threads), step_limit: Some(20_000), ..Options::default() };
        let one = quadrille::solve(&instance, &options(1)).expect("an answer");
        for threads in [2, 3] {
            let other = quadrille::solve(&instance, &options(threads)).expect("an answer");
            assert_eq!((&one.plan, &one.levels, one.steps), (&other.plan, &other.levels, other.steps));
        }
    }
}

#[test]
fn a_gap_ends_the_search() {
    let instance = model("no_room_for_two");
    let solve = |gap| {
        let options = Options { gap, step_limit: Some(100_000), ..Options::default() };
        quadrille::solve(&instance, &options).expect("an answer")
    };
    let wide = solve(Some(1.0));
    assert_eq!((wide.stop_reason, wide.status), (StopReason::Gap, Status::Feasible));
    let third = solve(Some(0.34));
    assert!(third.levels[0].gap() <= 0.34 && third.steps <= solve(Some(0.0)).steps);
    let none = solve(Some(0.0));
    assert_eq!((none.status, none.levels[0].bound), (Status::Optimal, 3));
}

/// What is told on the way is never above the optimum, and never falls.
#[test]
fn bounds_rise_while_the_search_runs() {
    let instance = model("no_room_for_two");
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let listener = told.clone();
    let options = Options {
        step_limit: Some(100_000),
        progress: Some(Arc::new(move |progress: &Progress| {
            listener.lock().expect("nobody panics").push(progress.clone());
        })),
        ..Options::default()
    };
    quadrille::solve(&instance, &options).expect("an answer");
    let bounds: Vec<u64> = told.lock().expect("nobody panics").iter().map(|news| news.bound).collect();
    assert!(bounds.is_sorted() && bounds.last() == Some(&3), "{bounds:?}");
}

/// Of 41 items of size 4 two fit into each of 20 nodes of size 10: there is room in sum, and
/// no placement. That is no matter of order, and not said to be.
#[test]
fn what_is_wasted_everywhere_leaves_no_room() {
    let mut b = InstanceBuilder::new();
    b.resource_with_defaults("cpu", 10, 4);
    for at in 0..20 {
        b.node(&format!("n{at}"));
    }
    for at in 0..41 {
        let vm = b.ready_vm(&format!("vm{at}"));
        b.constraint(Constraint::new(Running { vm }));
    }
    let instance = b.build().expect("an instance");
    let options = Options { step_limit: Some(200_000), ..Options::default() };
    let outcome = quadrille::solve(&instance, &options).expect("an answer");
    assert_eq!(outcome.status, Status::Infeasible);
    assert_eq!(outcome.conflict.map(|conflict| conflict.clash), Some(Clash::Nowhere));
}

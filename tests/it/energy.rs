//! The objective `energy`: figures by hand, and the planner against one that tries everything.

use crate::brute::Question;
use crate::common::Answer;
use crate::common::Dice;
use crate::common::Spec;
use crate::common::cluster;
use crate::generate::PLACEMENT;
use crate::generate::RESOURCES;
use crate::generate::STATES;
use crate::generate::VMS;
use crate::generate::draw;
use crate::generate::fits;
use crate::timed;
use crate::timed::Ask;
use crate::timed::Star;
use quadrille::Options;
use quadrille::Status;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;

/// Clusters that are drawn.
const DRAWN: usize = 400;

/// Asks for a plan of the fewest joules, which has so many and is proved to be one.
#[track_caller]
fn joules(spec: Spec, expected: u64) -> Answer {
    let answer = spec.minimise("energy").plan();
    assert_eq!(answer.outcome.metrics.energy, expected, "{answer}");
    assert_eq!(answer.outcome.status, Status::Optimal, "{answer}");
    answer
}

#[test]
fn nodes_that_stay_on_draw_until_the_last_end() {
    // 3 s of both, and a migration.
    let spec = cluster("n0: a | n1:").takes("n0.power=100 n1.power=50 a.migrate=3 a.migrationEnergy=20");
    let both = spec.rules(&["fence a n1", "online n0", "online n1"]);
    joules(both, 3 * 150 + 20);
}

#[test]
fn a_node_boots_as_late_as_it_may() {
    // Nobody goes to the node that boots: it does at the last moment.
    let spec = cluster("n0: a | n1: | off: n2").rules(&["fence a n1", "online n0", "online n1", "online n2"]);
    let spec = spec.takes("n0.power=10 n1.power=10 n2.power=100 a.migrate=9 n2.boot=4");
    joules(spec.clone(), 9 * 20 + 4 * 100).has("5:9 boot_node n2");
    // Somebody goes there, while the plan lasts for another reason.
    let spec =
        cluster("n0: a b | n1: | off: n2").rules(&["fence a n1", "fence b n2", "online n0", "online n1"]);
    let spec = spec.takes("n0.power=10 n1.power=10 n2.power=100 a.migrate=20 b.migrate=3 n2.boot=4");
    joules(spec, 20 * 20 + 7 * 100).has("13:17 boot_node n2").has("17:20 migrate b n0 n2");
}

#[test]
fn a_node_that_no_rule_speaks_of_goes_off_early() {
    // n2 is empty and may go: 2 s of it in place of 9.
    let spec = cluster("n0: a | n1: | n2:").rules(&["fence a n1", "online n0", "online n1"]);
    let spec = spec.takes("n0.power=10 n1.power=10 n2.power=100 a.migrate=9 n2.shutdown=2");
    joules(spec.clone(), 9 * 20 + 2 * 100).has("0:2 shutdown_node n2");
    // Nothing is saved by what takes as long as the plan.
    let slow = spec.clone().takes("n2.shutdown=9");
    joules(slow, 9 * 120).actions(1);
    // A rule keeps it on.
    joules(spec.rule("online n2"), 9 * 120).actions(1);
}

#[test]
fn a_node_is_emptied_where_that_saves() {
    // n2 and its VM: b moves in 1 s for 30 J, then 2 s of shutdown; 300 + 30 instead of 900.
    let spec = cluster("n0: a | n1: | n2: b").rules(&["fence a n1", "online n0", "online n1"]);
    let spec = spec.takes("n0.power=10 n1.power=10 n2.power=100 a.migrate=9 n2.shutdown=2 b.migrate=1");
    joules(spec.clone().takes("b.migrationEnergy=30"), 9 * 20 + 3 * 100 + 30).moves(2);
    // Not for more than 600 J.
    joules(spec.clone().takes("b.migrationEnergy=601"), 9 * 120).moves(1);
    // Relocations first: it stays.
    let answer = spec.minimise("relocations,energy").plan();
    assert_eq!(answer.outcome.metrics.energy, 9 * 120);
    assert!(answer.outcome.levels.iter().all(|level| level.value == level.bound), "{answer}");
}

#[test]
fn one_that_draws_less_is_opened() {
    // The VM leaves n0, which goes off; it may go to either of two that are off.
    let spec = cluster("n0: a | off: n1 n2").rules(&["offline n0"]);
    let spec = spec.takes("n0.power=10 n1.power=90 n2.power=40 a.migrate=5 n0.boot=3 n1.boot=3 n2.boot=6");
    // n0 for 6 + 5 + 1 seconds, n2 for 12; or n0 for 3 + 5 + 1, n1 for 9.
    joules(spec, 12 * 10 + 12 * 40).ends_on("a", "n2");
}

#[test]
fn a_plan_that_does_nothing_takes_nothing() {
    joules(cluster("n0: a | n1:").takes("n0.power=10 n1.power=10"), 0).actions(0);
}

/// A small cluster with figures of all kinds.
fn drawn(dice: &mut Dice, networked: bool) -> Spec {
    let (nodes, vms) = dice.of(&[(2, 2), (2, 3), (3, 2), (3, 2), (3, 3)]);
    let mut spec = draw(dice, nodes, vms);
    for at in 0..nodes {
        let (power, boot, shutdown) = (dice.of(&[0, 1, 3, 10]), 1 + dice.below(3), 1 + dice.below(3));
        spec = spec.takes(&format!("n{at}.power={power} n{at}.boot={boot} n{at}.shutdown={shutdown}"));
    }
    for vm in &VMS[..vms] {
        let joules = dice.of(&[0, 1, 6]);
        spec = spec.takes(&format!("{vm}.migrationEnergy={joules} {vm}.boot={}", 1 + dice.below(2)));
        if networked {
            spec = spec.takes(&format!("{vm}.memUsed={} {vm}.hotDirtySize=0", dice.of(&[20, 30])));
        } else {
            spec = spec.takes(&format!("{vm}.migrate={}", 1 + dice.below(3)));
        }
    }
    if networked {
        spec.star = Some((0..nodes).map(|_| dice.of(&[100, 200])).collect());
    }
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES].concat();
    for _ in 0..dice.below(3) {
        let rule = dice.of(&rules);
        if fits(rule, nodes, vms) {
            spec.rules.push(rule.to_owned());
        }
    }
    spec
}

/// A plan that passes verification, or none: the naive replay knows no network.
fn verified(spec: &Spec) -> Answer {
    let instance = spec.build();
    let outcome = quadrille::solve(&instance, &spec.options()).expect("sound");
    let answer = Answer { spec: spec.clone(), instance, outcome };
    if let Some(plan) = &answer.outcome.plan {
        let report = verify(&answer.instance, plan, &VerifyOptions::default());
        assert!(report.is_ok(), "{:?} {answer}", report.findings);
    }
    answer
}

/// The planner finds what the oracle finds, and proves it.
fn compare(seed: u64, networked: bool) {
    let mut dice = Dice::new(seed);
    let (mut compared, mut saved, mut tight) = (0, 0, 0);
    for _ in 0..DRAWN {
        let spec = drawn(&mut dice, networked);
        let instance = spec.build();
        let Some(question) = Question::of(&instance).filter(|question| !question.starts_broken()) else {
            continue;
        };
        let star = spec.star.clone().map(Star);
        for (objective, ask) in [("energy", Ask::Energy), ("relocations,energy", Ask::MovesThenEnergy)] {
            let Ok(best) = timed::best_on(&question, ask, star.as_ref()) else { continue };
            let spec = spec.clone().minimise(objective);
            let answer = if networked { verified(&spec) } else { spec.solve() };
            let Some((first, second)) = best else {
                assert_eq!(answer.outcome.status, Status::Infeasible, "{answer}");
                continue;
            };
            let levels = &answer.outcome.levels;
            let [one, two] = [&levels[0], levels.get(1).unwrap_or(&levels[0])];
            assert!(one.bound <= first, "{first} is possible: {answer}");
            assert_eq!(one.value, first, "{answer}");
            assert_eq!(answer.outcome.status, Status::Optimal, "{answer}");
            if ask == Ask::MovesThenEnergy {
                assert!(two.bound <= second, "{second} is possible: {answer}");
                assert_eq!((two.value, two.bound), (second, second), "{answer}");
            }
            // Without the search, the bound alone: true, and often tight.
            let hasty = Options { step_limit: Some(1), ..spec.options() };
            let outcome = quadrille::solve(&answer.instance, &hasty).expect("sound");
            let bounds: Vec<u64> = outcome.levels.iter().map(|level| level.bound).collect();
            if let [one, two, ..] = bounds[..] {
                assert!(one <= first, "{one} is no bound: {answer}");
                let fewest = ask == Ask::MovesThenEnergy && outcome.levels[0].value == first;
                assert!(!fewest || two <= second, "{two} is no bound: {answer}");
                tight += usize::from(one == first && (!fewest || two == second));
            }
            compared += 1;
            saved += u64::from(answer.outcome.metrics.node_shutdowns + answer.outcome.metrics.node_boots > 0);
        }
    }
    assert!(compared > DRAWN / 2 && saved > 10, "{compared} compared, {saved} with nodes switched");
    assert!(tight * 5 > compared * 2, "{tight} bounds of {compared} are tight");
}

#[test]
fn fewest_joules_of_all_schedules() {
    compare(11, false);
}

#[test]
fn fewest_joules_of_all_schedules_over_a_network() {
    compare(12, true);
}

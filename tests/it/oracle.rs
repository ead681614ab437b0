//! The planner against a planner that tries everything.
//!
//! Every rule alone, with several arguments, over grids of small clusters; pairs of
//! rules and larger clusters are drawn at random, always the same. `QUADRILLE_ORACLE=full`
//! looks at every point of the grids, `QUADRILLE_ORACLE=50` at 50 for each rule.

use crate::brute::Question;
use crate::common::Answer;
use crate::common::Dice;
use crate::common::Spec;
use crate::common::lines;
use crate::generate::ORDER;
use crate::generate::PLACEMENT;
use crate::generate::RESOURCES;
use crate::generate::SOFT;
use crate::generate::STATES;
use crate::generate::SURVIVAL;
use crate::generate::VMS;
use crate::generate::any_rules;
use crate::generate::draw;
use crate::generate::fits;
use crate::generate::grid;
use crate::generate::point;
use crate::replay;
use crate::timed;
use crate::timed::Ask;
use quadrille::Instance;
use quadrille::Options;
use quadrille::Plan;
use quadrille::Status;
use quadrille::model::ActionKind;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use std::collections::BTreeMap;

/// Points of a grid that are looked at for each rule.
const POINTS: usize = 100;
/// Clusters drawn for pairs of rules.
const PAIRS: usize = 1500;
/// Larger clusters drawn.
const LARGER: usize = 300;
/// Steps that a tiny instance may take: more than there are placements.
const STEPS: u64 = 20_000;
/// Mutations tried on a plan.
const MUTATIONS: usize = 12;

/// What went wrong, by kind, with the first instances of each kind.
#[derive(Default)]
struct Findings {
    looked_at: usize,
    plans: usize,
    /// Plans that were tampered with, and refused.
    refused: usize,
    /// Beginnings that break a rule, where plans done at once could do more than plans
    /// done step by step.
    doubtful: usize,
    too_large: usize,
    by_kind: BTreeMap<&'static str, (usize, Vec<String>)>,
}

impl Findings {
    fn add(&mut self, kind: &'static str, text: String) {
        let entry = self.by_kind.entry(kind).or_default();
        entry.0 += 1;
        if entry.1.len() < 2 {
            entry.1.push(text);
        }
    }

    fn expect_none(self) {
        assert!(self.too_large * 20 <= self.looked_at, "{} instances are too large", self.too_large);
        if self.by_kind.is_empty() {
            assert!(self.plans > 0, "no instance of {} had a plan: nothing was tested", self.looked_at);
            assert!(self.refused > self.plans / 4, "only {} mutations are refused", self.refused);
            return;
        }
        let mut text = format!("{} instances, {} with a plan\n", self.looked_at, self.plans);
        for (kind, (count, examples)) in self.by_kind {
            text += &format!("== {count} times: {kind}\n");
            for example in examples {
                text += &format!("{example}\n--\n");
            }
        }
        panic!("{text}");
    }
}

/// Points of each grid to look at, unless the environment asks for another number.
fn points(usual: usize) -> usize {
    match std::env::var("QUADRILLE_ORACLE") {
        Ok(value) if value == "full" => usize::MAX,
        Ok(value) => value.parse().unwrap_or(usual),
        Err(_) => usual,
    }
}

/// As many random draws, more or fewer, as the points of the grids are.
fn draws(usual: usize) -> usize {
    usual * points(POINTS).min(100 * POINTS) / POINTS
}

/// A number of about three fifths of `size` that has no factor in common with it.
fn coprime(size: usize) -> usize {
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (size / 5 * 3..).find(|&step| gcd(step, size) == 1).unwrap_or(1)
}

/// Looks at a rule over the grids.
fn over_grids(rule: Option<&str>, objective: Option<&str>, points: usize, findings: &mut Findings) {
    for (nodes, vms, share) in [(1, 2, 4), (2, 2, 1), (2, 3, 2), (3, 2, 2), (3, 3, 1)] {
        if !rule.is_none_or(|rule| fits(rule, nodes, vms)) {
            continue;
        }
        let size = grid(nodes, vms);
        let wanted = (points / share).max(1);
        // A step that shares no factor with the size visits every point once.
        let step = coprime(size);
        let mut at = rule.map_or(7, |rule| rule.bytes().map(usize::from).sum::<usize>() * 31) % size;
        let mut seen = 0;
        for _ in 0..size {
            at = (at + step) % size;
            let Some(mut spec) = point(at, nodes, vms) else { continue };
            spec.objective = objective.map(str::to_owned);
            if let Some(rule) = rule {
                spec.rules.push(rule.to_owned());
            }
            compare(&spec, findings);
            seen += 1;
            if seen >= wanted {
                break;
            }
        }
    }
}

fn alone(rules: &[&str]) {
    let mut findings = Findings::default();
    for rule in rules {
        over_grids(Some(rule), None, points(POINTS), &mut findings);
    }
    findings.expect_none();
}

/// The comparison: everything that the planner may claim, and does.
fn compare(spec: &Spec, findings: &mut Findings) {
    findings.looked_at += 1;
    let instance = spec.build();
    let question = Question::of(&instance);
    // (value of the first level, may be too high)
    let mut truth: Option<u64> = None;
    let mut doubtful = false;
    if let Some(question) = &question {
        doubtful = question.starts_broken();
        if question.is_timed() {
            match timed::best(question, Ask::Relocations) {
                Ok(best) => truth = best.map(|best| best.0),
                Err(timed::TooLarge) => {
                    findings.too_large += 1;
                    return;
                }
            }
        } else if let Some(best) = question.fewest() {
            truth = Some(best.value);
            let report = verify(&instance, &best.plan, &VerifyOptions::default());
            let faults = replay::faults(&instance, &best.plan, replay::Clock::Own);
            if !faults.is_empty() {
                let plan = lines(&instance, &best.plan).join("\n");
                findings.add("the oracle's plan is wrong", format!("{spec}\n{plan}\n{faults:?}"));
            } else if !report.is_ok() {
                let plan = lines(&instance, &best.plan).join("\n");
                findings.add(
                    "verification refuses a right plan",
                    format!("{spec}\n{plan}\n{:?}", report.findings),
                );
            }
            mutate(spec, &instance, &best.plan, findings);
        }
    }
    let options = Options { step_limit: Some(STEPS), ..spec.options() };
    let outcome = match quadrille::solve(&instance, &options) {
        Ok(outcome) => outcome,
        Err(error) => return findings.add("an error", format!("{error}\n{spec}")),
    };
    let answer = Answer { spec: spec.clone(), instance, outcome };
    let instance = &answer.instance;
    if answer.outcome.status == Status::Unknown {
        return findings.add("neither a plan nor a proof", format!("best is {truth:?}: {answer}"));
    }
    let Some(plan) = &answer.outcome.plan else {
        if answer.outcome.status != Status::Infeasible {
            return findings.add("no plan, but a status that has one", format!("{answer}"));
        }
        if let Some(value) = truth {
            let (narrow, text) = narrow(spec);
            let kind = match narrow {
                Some(_) => "a plan is missed",
                None => "a plan is missed in which a VM moves that starts or stops as well",
            };
            findings.add(kind, format!("one of value {value} exists {text}: {answer}"));
        }
        return;
    };
    findings.plans += 1;
    let report = verify(instance, plan, &VerifyOptions::default());
    let faults = replay::faults(instance, plan, replay::Clock::Own);
    if !report.is_ok() || !faults.is_empty() {
        return findings.add("a plan that is wrong", format!("{:?} {faults:?}: {answer}", report.findings));
    }
    let Some(first) = answer.outcome.levels.first() else {
        return findings.add("a plan without levels", format!("{answer}"));
    };
    match truth {
        None if doubtful => findings.doubtful += 1,
        None => return findings.add("a plan where the oracle finds none", format!("{answer}")),
        Some(value) => {
            if first.value < value {
                if !doubtful {
                    return findings.add("better than the oracle", format!("{value} expected: {answer}"));
                }
                findings.doubtful += 1;
            }
            if first.bound > value {
                let text = format!("{value} is possible {}: {answer}", narrow(spec).1);
                return findings.add("a bound above the optimum", text);
            }
            if answer.outcome.status == Status::Optimal && first.value > value {
                let text = format!("{value} is possible {}: {answer}", narrow(spec).1);
                return findings.add("called optimal, but is not", text);
            }
            if answer.outcome.status == Status::Feasible && first.value > value {
                let text = format!("{value} is possible {}: {answer}", narrow(spec).1);
                findings.add("not optimal on a tiny instance", text);
            }
            second_level(&answer, value, findings);
        }
    }
    mutate(spec, instance, plan, findings);
}

/// For the reader of a failure: does it take moves of VMs that start or stop as well?
fn narrow(spec: &Spec) -> (Option<u64>, String) {
    let instance = spec.build();
    let best = Question::of(&instance).and_then(|mut question| {
        question.movers = false;
        if question.is_timed() {
            timed::best(&question, Ask::Relocations).ok().flatten().map(|best| best.0)
        } else {
            question.fewest().map(|best| best.value)
        }
    });
    (best, format!("({best:?} where VMs that start or stop do not move as well)"))
}

/// Where the planner claims the smallest sum of ends, it is that.
fn second_level(answer: &Answer, fewest: u64, findings: &mut Findings) {
    let [first, second] = &answer.outcome.levels[..] else { return };
    if first.value != fewest || answer.instance.vm_count() > 3 {
        return;
    }
    let has_soft = answer.instance.constraints().iter().any(|constraint| !constraint.is_hard());
    let Some(question) = Question::of(&answer.instance) else { return };
    if has_soft {
        return;
    }
    match timed::best(&question, Ask::Mttr(fewest)) {
        Ok(Some((moves, sum))) if moves == fewest => {
            if second.bound > sum {
                findings.add("a second bound above the optimum", format!("{sum} is possible: {answer}"));
            } else if second.value < sum && !question.starts_broken() {
                findings.add("an mttr below the oracle's", format!("{sum} expected: {answer}"));
            }
        }
        Ok(_) => findings.doubtful += 1,
        Err(timed::TooLarge) => findings.too_large += 1,
    }
}

/// A plan that was tampered with is refused, or fine by the naive replay.
fn mutate(spec: &Spec, instance: &Instance, plan: &Plan, findings: &mut Findings) {
    for mutant in mutants(instance, plan).into_iter().take(MUTATIONS) {
        let report = verify(instance, &mutant, &VerifyOptions::default());
        let faults = replay::faults(instance, &mutant, replay::Clock::Own);
        findings.refused += usize::from(!report.is_ok() && !faults.is_empty());
        if report.is_ok() && !faults.is_empty() {
            let text = lines(instance, &mutant).join("\n");
            findings.add("verification accepts a wrong plan", format!("{spec}\n{text}\n{faults:?}"));
        } else if !report.is_ok() && faults.is_empty() {
            let text = lines(instance, &mutant).join("\n");
            findings.add(
                "verification refuses a plan that is right",
                format!("{spec}\n{text}\n{:?}", report.findings),
            );
        }
    }
}

fn mutants(instance: &Instance, plan: &Plan) -> Vec<Plan> {
    let mut mutants = Vec::new();
    let loose = Plan { actions: plan.actions.clone(), happens_before: Vec::new() };
    for at in 0..plan.actions.len() {
        let mut without = loose.clone();
        without.actions.remove(at);
        mutants.push(without);
        let action = &plan.actions[at];
        for other in instance.node_ids() {
            let mut kind = action.kind;
            match &mut kind {
                ActionKind::Migrate { to: node, .. }
                | ActionKind::Resume { to: node, .. }
                | ActionKind::Boot { node, .. } => *node = other,
                _ => continue,
            }
            if kind != action.kind {
                let mut elsewhere = loose.clone();
                elsewhere.actions[at].kind = kind;
                mutants.push(elsewhere);
            }
        }
        if action.start > 0 {
            let mut sooner = loose.clone();
            sooner.actions[at].start -= 1;
            sooner.actions[at].end -= 1;
            mutants.push(sooner);
            let mut longer = plan.clone();
            longer.actions[at].start -= 1;
            mutants.push(longer);
        }
        if !action.allocations.is_empty() {
            let mut smaller = loose.clone();
            smaller.actions[at].allocations.clear();
            mutants.push(smaller);
        }
    }
    mutants
}

#[test]
fn no_rule_but_states() {
    let mut findings = Findings::default();
    over_grids(None, None, points(10 * POINTS), &mut findings);
    findings.expect_none();
}

#[test]
fn placement_rules_alone() {
    alone(PLACEMENT);
}

#[test]
fn resource_rules_alone() {
    alone(RESOURCES);
}

#[test]
fn state_rules_alone() {
    alone(STATES);
}

#[test]
fn order_rules_alone() {
    alone(ORDER);
}

#[test]
fn fault_tolerance_alone() {
    alone(SURVIVAL);
}

#[test]
fn soft_rules_alone() {
    alone(SOFT);
}

#[test]
fn few_nodes_on() {
    let mut findings = Findings::default();
    for (at, rule) in [PLACEMENT, RESOURCES, STATES, SURVIVAL, SOFT].concat().into_iter().enumerate() {
        let objective = ["nodes_on", "2*nodes_on+relocations", "nodes_on+3*relocations"][at % 3];
        over_grids(Some(rule), Some(objective), points(POINTS / 8), &mut findings);
    }
    over_grids(None, Some("nodes_on"), points(POINTS), &mut findings);
    findings.expect_none();
}

#[test]
fn pairs_of_rules() {
    let rules = any_rules();
    let mut dice = Dice::new(1);
    let mut findings = Findings::default();
    for _ in 0..draws(PAIRS) {
        let (nodes, vms) = dice.of(&[(2, 2), (2, 3), (3, 2), (3, 3)]);
        let mut spec = draw(&mut dice, nodes, vms);
        for _ in 0..2 {
            let rule = dice.of(&rules);
            if fits(rule, nodes, vms) {
                spec.rules.push(rule.to_owned());
            }
        }
        compare(&spec, &mut findings);
    }
    findings.expect_none();
}

#[test]
fn larger_clusters() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES, &ORDER[..3], SURVIVAL].concat();
    let mut dice = Dice::new(2);
    let mut findings = Findings::default();
    for round in 0..draws(LARGER) {
        let (nodes, vms) = if round % 5 == 0 { (4, 5) } else { (3, 4) };
        let mut spec = draw(&mut dice, nodes, vms);
        for _ in 0..dice.below(4) {
            let rule = dice.of(&rules);
            if fits(rule, nodes, vms) {
                spec.rules.push(rule.to_owned());
            }
        }
        compare(&spec, &mut findings);
    }
    findings.expect_none();
}

#[test]
fn durations_of_all_kinds() {
    let rules: Vec<&str> = any_rules().into_iter().filter(|rule| !rule.starts_with("sync")).collect();
    let mut dice = Dice::new(3);
    let mut findings = Findings::default();
    for _ in 0..draws(LARGER) {
        let (nodes, vms) = dice.of(&[(2, 2), (2, 3), (3, 3)]);
        let mut spec = draw(&mut dice, nodes, vms);
        for vm in &VMS[..vms] {
            let (key, seconds) = (dice.of(&["migrate", "boot", "shutdown", "suspend"]), 1 + dice.below(4));
            spec = spec.takes(&format!("{vm}.{key}={seconds}"));
        }
        let rule = dice.of(&rules);
        if fits(rule, nodes, vms) {
            spec.rules.push(rule.to_owned());
        }
        compare(&spec, &mut findings);
    }
    findings.expect_none();
}

/// The oracle's two searches, which share no code for their steps in time, agree where
/// both apply.
#[test]
fn the_two_searches_of_the_oracle_agree() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES].concat();
    let mut dice = Dice::new(4);
    let mut with_plan = 0;
    for _ in 0..draws(LARGER) {
        let (nodes, vms) = dice.of(&[(2, 2), (2, 3), (3, 2)]);
        let mut spec = draw(&mut dice, nodes, vms);
        let rule = dice.of(&rules);
        if fits(rule, nodes, vms) {
            spec.rules.push(rule.to_owned());
        }
        let instance = spec.build();
        let Some(question) = Question::of(&instance) else { continue };
        if question.starts_broken() {
            continue;
        }
        let slow = question.fewest().map(|best| best.value);
        let Ok(timed) = timed::best(&question, Ask::Relocations) else { continue };
        assert_eq!(slow, timed.map(|best| best.0), "for\n{spec}");
        with_plan += usize::from(slow.is_some());
    }
    assert!(with_plan > draws(50), "only {with_plan} instances had a plan");
}

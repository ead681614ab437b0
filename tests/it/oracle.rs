//! The planner against a planner that tries everything.
//!
//! Every rule alone, with several arguments, over grids of small clusters; pairs of
//! rules and larger clusters are drawn at random, always the same. `QUADRILLE_ORACLE=full`
//! looks at every point of the grids instead of at every so many.

use crate::brute::Question;
use crate::common;
use crate::common::Answer;
use crate::common::Dice;
use crate::common::ResourceSpec;
use crate::common::Spec;
use crate::common::VmSpec;
use crate::common::lines;
use crate::replay;
use crate::timed;
use crate::timed::Ask;
use quadrille::Instance;
use quadrille::Plan;
use quadrille::Status;
use quadrille::model::ActionKind;
use quadrille::model::NodeId;
use quadrille::model::Place;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use std::collections::BTreeMap;

/// Points of a grid that are looked at for each rule.
const POINTS: usize = 600;
/// Clusters drawn for pairs of rules.
const PAIRS: usize = 2500;
/// Larger clusters drawn.
const LARGER: usize = 500;
/// Mutations tried on a plan.
const MUTATIONS: usize = 12;

const NODES: [&str; 4] = ["n0", "n1", "n2", "n3"];
const VMS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Where a VM may begin, and what is wished for it.
const FATES: [(&str, &str); 9] = [
    ("running", ""),
    ("running", "ready"),
    ("running", "sleeping"),
    ("running", "killed"),
    ("ready", ""),
    ("ready", "running"),
    ("sleeping", ""),
    ("sleeping", "running"),
    ("ready", "killed"),
];

const PLACEMENT: &[&str] = &[
    "among a,b n0/n1",
    "among a,b n0,n1/n2",
    "among * n1/n0,n2",
    "among a n1",
    "among a,b -",
    "among a,b n0/n1; continuous",
    "among a,b n0,n1/n2; continuous",
    "among * n1/n0,n2; continuous",
    "ban a n0",
    "ban a n0,n1",
    "ban a n0; continuous",
    "ban b n1,n2; continuous",
    "fence a n1",
    "fence b n0,n2",
    "fence a -",
    "fence a n1; continuous",
    "fence b n0,n2; continuous",
    "gather a,b",
    "gather *",
    "gather a,b; continuous",
    "gather *; continuous",
    "lonely a",
    "lonely a,b",
    "lonely a; continuous",
    "lonely a,b; continuous",
    "split a/b",
    "split a,b/c",
    "split a/b; continuous",
    "split a,c/b; continuous",
    "splitAmong a/b n0/n1",
    "splitAmong a,b/c n0,n1/n2",
    "splitAmong a/b n0/n1; continuous",
    "splitAmong a,b/c n0,n1/n2; continuous",
    "spread a,b; discrete",
    "spread *; discrete",
    "spread a,b",
    "spread *",
    "quarantine n0",
    "quarantine n1",
    "root a",
];

const RESOURCES: &[&str] = &[
    "preserve a cpu 1",
    "preserve a cpu 2",
    "preserve a cpu 3",
    "preserve b cpu 2",
    "overbook n0 cpu 1.5",
    "overbook n0 cpu 2",
    "overbook n1 cpu 1",
    "overbook n0 cpu 1.5; discrete",
    "overbook n1 cpu 1; discrete",
    "resourceCapacity n0 cpu 1",
    "resourceCapacity n0,n1 cpu 2",
    "resourceCapacity * cpu 3",
    "resourceCapacity n0 cpu 1; continuous",
    "resourceCapacity n0,n1 cpu 2; continuous",
    "runningCapacity n0 1",
    "runningCapacity n0,n1 1",
    "runningCapacity * 2",
];

const STATES: &[&str] = &[
    "maxOnline n0,n1 1",
    "maxOnline * 1",
    "maxOnline n1 0",
    "maxOnline n0,n1 1; continuous",
    "maxOnline * 2; continuous",
    "online n0",
    "online n1",
    "offline n0",
    "offline n1",
    "running a",
    "ready a",
    "sleeping a",
    "killed a",
];

const ORDER: &[&str] = &[
    "seq a,b",
    "seq b,a",
    "seq c,a,b",
    "noDelay a",
    "noDelay b",
    "deadline a +00:00:01",
    "deadline b +00:00:02",
    "deadline a +00:00:00",
    "precedence a b",
    "precedence b a",
    "serialize a,b",
    "serialize *",
    "sync a,b",
    "sync *",
];

const SURVIVAL: &[&str] =
    &["ft * 1", "ft n0,n1 1", "ft * 2", "ft * 1 aggregate", "ft * 1 slots", "ft n0 1 restart"];

const SOFT: &[&str] = &[
    "spread a,b; discrete; soft 1",
    "spread *; discrete; soft 3",
    "ban a n0; soft 2",
    "fence b n0; soft 1",
    "gather a,b; soft 1",
    "gather *; soft 5",
    "among a,b n0/n1; soft 2",
    "lonely a; soft 1",
    "split a/b; soft 2",
    "splitAmong a/b n0/n1; soft 2",
    "runningCapacity n0 1; soft 1",
    "resourceCapacity n0 cpu 1; soft 2",
    "maxOnline * 1; soft 1",
];

/// What went wrong, by kind, with the first instances of each kind.
#[derive(Default)]
struct Findings {
    looked_at: usize,
    plans: usize,
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
        if self.by_kind.is_empty() {
            assert!(self.plans > 0, "no instance of {} had a plan: nothing was tested", self.looked_at);
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

/// A point of the grid of clusters of `nodes` and `vms`: mixed digits of a number.
/// `None` where the digits contradict each other.
fn point(mut number: usize, nodes: usize, vms: usize) -> Option<Spec> {
    let mut digit = |base: usize| {
        let digit = number % base;
        number /= base;
        digit
    };
    let mut spec = Spec::default();
    let mut capacity = Vec::new();
    for name in &NODES[..nodes] {
        // On with room for 2 or 3, or off with room for 2.
        let kind = digit(3);
        capacity.push(if kind == 1 { 3 } else { 2 });
        spec.nodes.push(common::NodeSpec { name: (*name).to_owned(), online: kind < 2 });
    }
    let mut demand = Vec::new();
    for name in &VMS[..vms] {
        let (state, wish) = FATES[digit(FATES.len())];
        let node = digit(nodes);
        demand.push(1 + digit(2) as u64);
        let place = match state {
            "running" => Place::Running(NodeId::from_index(node)),
            "sleeping" => Place::Sleeping(NodeId::from_index(node)),
            // Where it is makes no difference: once is enough.
            _ if node > 0 => return None,
            _ => Place::Ready,
        };
        if place.node().is_some_and(|node| !spec.nodes[node.index()].online) {
            return None;
        }
        spec.vms.push(VmSpec { name: (*name).to_owned(), place });
        if !wish.is_empty() {
            spec.rules.push(format!("{wish} {name}"));
        }
    }
    spec.resources.push(ResourceSpec { name: "cpu".to_owned(), capacity, demand });
    Some(spec)
}

fn grid(nodes: usize, vms: usize) -> usize {
    3usize.pow(nodes as u32) * (FATES.len() * nodes * 2).pow(vms as u32)
}

/// A random cluster, mostly of running VMs.
fn draw(dice: &mut Dice, nodes: usize, vms: usize) -> Spec {
    let mut spec = Spec::default();
    let mut capacity = Vec::new();
    for name in &NODES[..nodes] {
        capacity.push(2 + dice.below(3) as u64);
        spec.nodes.push(common::NodeSpec { name: (*name).to_owned(), online: !dice.once_in(6) });
    }
    let on: Vec<usize> = (0..nodes).filter(|&node| spec.nodes[node].online).collect();
    let mut demand = Vec::new();
    for name in &VMS[..vms] {
        demand.push(1 + dice.below(2) as u64);
        let (state, wish) = if dice.once_in(3) { dice.of(&FATES) } else { FATES[0] };
        let place = match state {
            "running" if !on.is_empty() => Place::Running(NodeId::from_index(dice.of(&on))),
            "sleeping" if !on.is_empty() => Place::Sleeping(NodeId::from_index(dice.of(&on))),
            _ => Place::Ready,
        };
        spec.vms.push(VmSpec { name: (*name).to_owned(), place });
        let possible = place != Place::Ready || wish == "running" || wish == "killed";
        if !wish.is_empty() && possible {
            spec.rules.push(format!("{wish} {name}"));
        }
    }
    spec.resources.push(ResourceSpec { name: "cpu".to_owned(), capacity, demand });
    spec
}

/// Does every name in the rule exist?
fn fits(rule: &str, nodes: usize, vms: usize) -> bool {
    let head = rule.split(';').next().unwrap_or_default();
    head.split_whitespace().skip(1).flat_map(|word| word.split([',', '/'])).all(|name| {
        NODES.iter().position(|&node| node == name).is_none_or(|at| at < nodes)
            && VMS.iter().position(|&vm| vm == name).is_none_or(|at| at < vms)
    })
}

fn full() -> bool {
    std::env::var("QUADRILLE_ORACLE").is_ok_and(|value| value == "full")
}

/// Looks at a rule over the grids.
fn over_grids(rule: Option<&str>, points: usize, findings: &mut Findings) {
    for (nodes, vms, share) in [(1, 2, 4), (2, 2, 1), (2, 3, 2), (3, 2, 2), (3, 3, 1)] {
        if !rule.is_none_or(|rule| fits(rule, nodes, vms)) {
            continue;
        }
        let size = grid(nodes, vms);
        let wanted = if full() { size } else { points / share };
        // A step that shares no factor with the size visits every point once.
        let step = if full() { 1 } else { (size / 5 * 3) | 1 };
        let mut at = rule.map_or(7, |rule| rule.bytes().map(usize::from).sum::<usize>() * 31) % size;
        let mut seen = 0;
        for _ in 0..size {
            at = (at + step) % size;
            let Some(mut spec) = point(at, nodes, vms) else { continue };
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
        over_grids(Some(rule), POINTS, &mut findings);
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
    let outcome = match quadrille::solve(&instance, &spec.options()) {
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
            findings.add("a plan is missed", format!("one of value {value} exists {}: {answer}", narrow(spec)));
        }
        return;
    };
    findings.plans += 1;
    let report = verify(instance, plan, &VerifyOptions::default());
    let faults = replay::faults(instance, plan, replay::Clock::Own);
    if !report.is_ok() || !faults.is_empty() {
        return findings
            .add("a plan that is wrong", format!("{:?} {faults:?}: {answer}", report.findings));
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
                let text = format!("{value} is possible {}: {answer}", narrow(spec));
                return findings.add("a bound above the optimum", text);
            }
            if answer.outcome.status == Status::Optimal && first.value > value {
                let text = format!("{value} is possible {}: {answer}", narrow(spec));
                return findings.add("called optimal, but is not", text);
            }
            if answer.outcome.status == Status::Feasible && first.value > value {
                let text = format!("{value} is possible {}: {answer}", narrow(spec));
                findings.add("not optimal on a tiny instance", text);
            }
            second_level(&answer, value, findings);
        }
    }
    mutate(spec, instance, plan, findings);
}

/// For the reader of a failure: does it take moves of VMs that start or stop as well?
fn narrow(spec: &Spec) -> String {
    let instance = spec.build();
    let best = Question::of(&instance).and_then(|mut question| {
        question.movers = false;
        if question.is_timed() {
            timed::best(&question, Ask::Relocations).ok().flatten().map(|best| best.0)
        } else {
            question.fewest().map(|best| best.value)
        }
    });
    format!("({best:?} where VMs that start or stop do not move as well)")
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
    over_grids(None, 10 * POINTS, &mut findings);
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

/// Rules that the oracle understands together: `noDelay`, `deadline` and `sync` go through
/// the search with a clock, which is slower.
fn any_rules() -> Vec<&'static str> {
    [PLACEMENT, RESOURCES, STATES, ORDER, SURVIVAL].concat()
}

#[test]
fn pairs_of_rules() {
    let rules = any_rules();
    let mut dice = Dice::new(1);
    let mut findings = Findings::default();
    for _ in 0..PAIRS {
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
    for round in 0..LARGER {
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
    for _ in 0..LARGER {
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
    for _ in 0..LARGER {
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
    assert!(with_plan > 50, "only {with_plan} instances had a plan");
}

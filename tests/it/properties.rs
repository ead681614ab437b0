//! What must be true of every answer, whatever the instance.

use crate::brute::Question;
use crate::common::Answer;
use crate::common::Dice;
use crate::common::Spec;
use crate::generate::ORDER;
use crate::generate::PLACEMENT;
use crate::generate::RESOURCES;
use crate::generate::STATES;
use crate::generate::SURVIVAL;
use crate::generate::any_rules;
use crate::generate::draw;
use crate::generate::fits;
use crate::replay;
use quadrille::Instance;
use quadrille::Options;
use quadrille::Plan;
use quadrille::Status;
use quadrille::compile::Builder;
use quadrille::model::ActionKind;
use quadrille::verify::Conditions;
use quadrille::verify::Finding;
use quadrille::verify::Report;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use quadrille::verify::verify_conditions;

/// Instances for each property.
const ROUNDS: usize = 150;
/// Random durations for each plan.
const RUNS: usize = 100;

/// A random cluster with up to `most` rules of a list.
fn with_rules(dice: &mut Dice, (nodes, vms): (usize, usize), rules: &[&str], most: usize) -> Spec {
    let mut spec = draw(dice, nodes, vms);
    for _ in 0..dice.below(most + 1) {
        let rule = dice.of(rules);
        if fits(rule, nodes, vms) {
            spec.rules.push(rule.to_owned());
        }
    }
    spec
}

/// Some rule of a list that names only what exists.
fn fitting<'r>(dice: &mut Dice, rules: &[&'r str], nodes: usize, vms: usize) -> &'r str {
    loop {
        let rule = dice.of(rules);
        if fits(rule, nodes, vms) {
            return rule;
        }
    }
}

/// What is known of the best value of the first level: it lies between the two. No
/// plan is a value beyond all others.
fn between(answer: &Answer) -> (u64, u64) {
    let first = answer.outcome.levels.first();
    match (answer.outcome.status, first) {
        (Status::Infeasible, _) => (u64::MAX, u64::MAX),
        (Status::Unknown, _) | (_, None) => (0, u64::MAX),
        (_, Some(level)) => (level.bound, level.value),
    }
}

/// How many answers left nothing open.
#[derive(Default)]
struct Proofs {
    answers: usize,
    proved: usize,
}

impl Proofs {
    fn count(&mut self, answer: &Answer) -> (u64, u64) {
        let (least, most) = between(answer);
        self.answers += 1;
        self.proved += usize::from(least == most);
        (least, most)
    }

    /// `harder` may not be better than `easier`.
    fn no_better(&mut self, harder: &Answer, easier: &Answer) {
        let ((_, harder_most), (easier_least, _)) = (self.count(harder), self.count(easier));
        assert!(harder_most >= easier_least, "{harder}\nis better than {easier}");
    }

    /// The instances are small: nearly all must have been settled, or nothing was tested.
    fn suffice(&self) {
        assert!(
            self.proved * 20 >= self.answers * 19,
            "only {} of {} answers leave nothing open",
            self.proved,
            self.answers
        );
    }
}

#[test]
fn a_rule_more_never_helps() {
    // Not among them: overbook, which takes limits away, and wanted states, which
    // change the question.
    let restricting: Vec<&str> = [PLACEMENT, RESOURCES, SURVIVAL, ORDER]
        .concat()
        .into_iter()
        .chain(STATES[..9].iter().copied())
        .filter(|rule| !rule.starts_with("overbook"))
        .collect();
    let mut dice = Dice::new(11);
    let mut proofs = Proofs::default();
    for _ in 0..ROUNDS {
        let size = dice.of(&[(3, 4), (4, 5)]);
        let spec = with_rules(&mut dice, size, &restricting, 2);
        let more = spec.clone().rule(fitting(&mut dice, &restricting, size.0, size.1));
        proofs.no_better(&more.solve(), &spec.solve());
    }
    proofs.suffice();
}

#[test]
fn more_capacity_never_hurts() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES, SURVIVAL].concat();
    let mut dice = Dice::new(12);
    let mut proofs = Proofs::default();
    for _ in 0..ROUNDS {
        let size = dice.of(&[(3, 4), (4, 5)]);
        let spec = with_rules(&mut dice, size, &rules, 2);
        let mut more = spec.clone();
        let node = dice.below(size.0);
        more.resources[0].capacity[node] += 1 + dice.below(3) as u64;
        proofs.no_better(&spec.solve(), &more.solve());
    }
    proofs.suffice();
}

#[test]
fn names_and_their_order_mean_nothing() {
    let rules = any_rules();
    let mut dice = Dice::new(13);
    let mut proofs = Proofs::default();
    for _ in 0..ROUNDS {
        let size = dice.of(&[(2, 3), (3, 4)]);
        let spec = with_rules(&mut dice, size, &rules, 2);
        let other = shuffled(&spec, &mut dice);
        let [one, other] = [spec.solve(), other.solve()];
        let (mine, theirs) = (proofs.count(&one), proofs.count(&other));
        assert!(mine.0 <= theirs.1 && theirs.0 <= mine.1, "{one}\nand {other}");
        for (mine, theirs) in one.outcome.levels.iter().zip(&other.outcome.levels) {
            if mine.value == mine.bound && theirs.value == theirs.bound {
                assert_eq!(mine.value, theirs.value, "{one}\nand {other}");
            }
        }
    }
    proofs.suffice();
}

/// The same question with VMs and nodes in another order and under other names.
fn shuffled(spec: &Spec, dice: &mut Dice) -> Spec {
    let mut other = spec.clone();
    let nodes = dice.permutation(spec.nodes.len());
    let vms = dice.permutation(spec.vms.len());
    other.nodes = nodes.iter().map(|&at| spec.nodes[at].clone()).collect();
    other.vms = vms.iter().map(|&at| spec.vms[at].clone()).collect();
    for vm in &mut other.vms {
        use quadrille::model::NodeId;
        use quadrille::model::Place;
        let moved = |node: NodeId| {
            NodeId::from_index(nodes.iter().position(|&at| at == node.index()).expect("a permutation"))
        };
        vm.place = match vm.place {
            Place::Running(node) => Place::Running(moved(node)),
            Place::Sleeping(node) => Place::Sleeping(moved(node)),
            place => place,
        };
    }
    for (mine, theirs) in other.resources.iter_mut().zip(&spec.resources) {
        mine.capacity = nodes.iter().map(|&at| theirs.capacity[at]).collect();
        mine.demand = vms.iter().map(|&at| theirs.demand[at]).collect();
    }
    renamed(&other, "z_")
}

/// The same with a prefix before all names.
fn renamed(spec: &Spec, prefix: &str) -> Spec {
    let mut other = spec.clone();
    let known = |name: &str| {
        spec.nodes.iter().any(|node| node.name == name) || spec.vms.iter().any(|vm| vm.name == name)
    };
    for node in &mut other.nodes {
        node.name.insert_str(0, prefix);
    }
    for vm in &mut other.vms {
        vm.name.insert_str(0, prefix);
    }
    for (element, _, _) in &mut other.attributes {
        element.insert_str(0, prefix);
    }
    for rule in &mut other.rules {
        let mut text = String::new();
        let mut word = String::new();
        for letter in rule.chars().chain([' ']) {
            if letter.is_alphanumeric() || letter == '_' {
                word.push(letter);
                continue;
            }
            if known(&word) {
                text.push_str(prefix);
            }
            text.push_str(&std::mem::take(&mut word));
            text.push(letter);
        }
        *rule = text;
    }
    other
}

#[test]
fn continuous_implies_discrete() {
    let both: Vec<&str> = any_rules().into_iter().filter(|rule| rule.ends_with("; continuous")).collect();
    let mut dice = Dice::new(14);
    let mut proofs = Proofs::default();
    for _ in 0..ROUNDS {
        let size = dice.of(&[(2, 3), (3, 3), (3, 4)]);
        let spec = with_rules(&mut dice, size, STATES, 1);
        let rule = fitting(&mut dice, &both, size.0, size.1);
        let loose = rule.replace("continuous", "discrete");
        proofs.no_better(&spec.clone().rule(rule).solve(), &spec.rule(loose).solve());
    }
    proofs.suffice();
}

#[test]
fn clusters_apart_are_solved_apart() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES, ORDER]
        .concat()
        .into_iter()
        .filter(|rule| !rule.contains('*'))
        .collect();
    let mut dice = Dice::new(15);
    let mut proofs = Proofs::default();
    for _ in 0..ROUNDS {
        let mut halves = [(2, 3), (3, 3)].map(|size| with_rules(&mut dice, size, &rules, 2));
        halves[1] = renamed(&halves[1], "z_");
        for half in &mut halves {
            let nodes: Vec<String> = half.nodes.iter().map(|node| node.name.clone()).collect();
            let nodes = nodes.join(",");
            for vm in &half.vms {
                half.rules.push(format!("fence {} {nodes}; continuous", vm.name));
            }
        }
        let whole = union(&halves[0], &halves[1]).solve();
        let [one, other] = halves.map(|half| half.solve());
        let (mine, theirs, all) = (proofs.count(&one), proofs.count(&other), proofs.count(&whole));
        let sum = (mine.0.saturating_add(theirs.0), mine.1.saturating_add(theirs.1));
        assert!(sum.0 <= all.1 && all.0 <= sum.1, "{whole}\nis not {one}\nand {other}");
        if [&one, &other, &whole].iter().all(|answer| answer.outcome.status == Status::Optimal) {
            let second = |answer: &Answer| answer.outcome.levels[1].clone();
            let [parts @ .., all] = [second(&one), second(&other), second(&whole)];
            if parts.iter().all(|level| level.value == level.bound) && all.value == all.bound {
                assert_eq!(all.value, parts[0].value + parts[1].value, "{whole}\n{one}\n{other}");
            }
        }
    }
    proofs.suffice();
}

fn union(one: &Spec, other: &Spec) -> Spec {
    use quadrille::model::NodeId;
    use quadrille::model::Place;
    let mut whole = one.clone();
    let shift = |node: NodeId| NodeId::from_index(node.index() + one.nodes.len());
    whole.nodes.extend(other.nodes.iter().cloned());
    whole.vms.extend(other.vms.iter().cloned().map(|mut vm| {
        vm.place = match vm.place {
            Place::Running(node) => Place::Running(shift(node)),
            Place::Sleeping(node) => Place::Sleeping(shift(node)),
            place => place,
        };
        vm
    }));
    for (mine, theirs) in whole.resources.iter_mut().zip(&other.resources) {
        mine.capacity.extend(&theirs.capacity);
        mine.demand.extend(&theirs.demand);
    }
    whole.attributes.extend(other.attributes.iter().cloned());
    whole.rules.extend(other.rules.iter().cloned());
    whole
}

#[test]
fn threads_and_repetition_change_nothing() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, &STATES[..9], SURVIVAL].concat();
    let mut dice = Dice::new(16);
    let mut plans = 0;
    for round in 0..24 {
        let size = dice.of(&[(4, 8), (8, 24), (12, 40)]);
        let mut spec = with_rules(&mut dice, size, &rules, 3);
        for capacity in &mut spec.resources[0].capacity {
            *capacity += 3;
        }
        let instance = spec.build();
        let options = |threads| Options {
            threads: Some(threads),
            seed: round / 2,
            step_limit: Some(20_000),
            ..Options::default()
        };
        let first = quadrille::solve(&instance, &options(1)).expect("an answer");
        plans += usize::from(first.plan.is_some());
        for threads in [1, 2, 4] {
            let again = quadrille::solve(&instance, &options(threads)).expect("an answer");
            assert_eq!(first.plan, again.plan, "{threads} threads\n{spec}");
            assert_eq!(first.levels, again.levels, "{threads} threads\n{spec}");
            assert_eq!(first.status, again.status, "{threads} threads\n{spec}");
            assert_eq!(first.stop_reason, again.stop_reason, "{threads} threads\n{spec}");
        }
    }
    assert!(plans > 6, "only {plans} plans: nothing was tested");
}

/// What the checker sees break when a plan is carried out by its edges.
fn carried_out(instance: &Instance, plan: &Plan) -> Vec<Finding> {
    let mut report = Report::default();
    verify_conditions(instance, plan, &mut report);
    assert!(matches!(report.conditions, Conditions::Tried(runs) if runs >= 16));
    report.findings
}

/// Runs a plan by its edges with random durations: nothing may ever be broken.
fn survives(instance: &Instance, plan: &Plan, dice: &mut Dice, what: &dyn std::fmt::Display) {
    let found = carried_out(instance, plan);
    assert!(found.is_empty(), "{found:?} for\n{what}");
    for run in 0..RUNS {
        let durations: Vec<u64> = plan
            .actions
            .iter()
            .map(|action| match action.kind {
                ActionKind::Allocate { .. } => 0,
                // Now and then one that takes ages.
                _ if dice.once_in(5) => 100 + dice.below(100) as u64,
                _ => 1 + dice.below(9) as u64,
            })
            .collect();
        let done = quadrille::plan::execute(plan, &durations);
        assert_eq!(done.actions.len(), plan.actions.len(), "an action never starts in\n{what}");
        let faults = replay::faults(instance, &done, replay::Clock::Free);
        let lines = crate::common::lines(instance, &done).join("\n");
        let text = crate::common::lines(instance, plan).join("\n");
        assert!(
            faults.is_empty(),
            "run {run} of\n{text}\nby {:?} is\n{lines}\n{faults:?}\nfor\n{what}",
            plan.happens_before
        );
    }
}

#[test]
fn plans_survive_delays() {
    let rules = any_rules();
    let mut dice = Dice::new(17);
    let mut plans = 0;
    for _ in 0..ROUNDS {
        let size = dice.of(&[(3, 4), (4, 6), (6, 12)]);
        let spec = with_rules(&mut dice, size, &rules, 3);
        let instance = spec.build();
        let options = Options { step_limit: Some(20_000), ..spec.options() };
        let outcome = quadrille::solve(&instance, &options).expect("an answer");
        if let Some(plan) = &outcome.plan {
            survives(&instance, plan, &mut dice, &spec);
            plans += usize::from(plan.actions.len() > 1);
        }
    }
    assert!(plans > ROUNDS / 5, "only {plans} plans: nothing was tested");
}

#[test]
fn right_plans_of_any_origin_survive_delays_once_ordered() {
    let rules = [PLACEMENT, RESOURCES, STATES, &ORDER[..3], &ORDER[8..12], SURVIVAL].concat();
    let mut dice = Dice::new(18);
    let mut plans = 0;
    for _ in 0..4 * ROUNDS {
        let size = dice.of(&[(2, 3), (3, 3), (3, 4)]);
        let spec = with_rules(&mut dice, size, &rules, 2);
        let instance = spec.build();
        let Some(best) = Question::of(&instance).and_then(|question| question.fewest()) else { continue };
        let posted = Builder::post_all(&instance);
        let mut plan = best.plan;
        quadrille::plan::order(&instance, &posted, &mut plan);
        survives(&instance, &plan, &mut dice, &spec);
        quadrille::plan::retime(&instance, &posted, &mut plan);
        let report = verify(&instance, &plan, &VerifyOptions::default());
        assert!(report.is_ok(), "{:?} for\n{spec}", report.findings);
        let faults = replay::faults(&instance, &plan, replay::Clock::Own);
        assert!(faults.is_empty(), "{faults:?} for\n{spec}");
        plans += usize::from(plan.actions.len() > 1);
    }
    assert!(plans > ROUNDS / 4, "only {plans} plans: nothing was tested");
}

/// An edge that can be taken away without harm is not there.
#[test]
fn every_edge_is_needed() {
    let mut dice = Dice::new(19);
    let (mut edges, mut needed) = (0, 0);
    for _ in 0..3 * ROUNDS {
        let spec = with_rules(&mut dice, (3, 4), PLACEMENT, 3);
        let instance = spec.build();
        let outcome = quadrille::solve(&instance, &spec.options()).expect("an answer");
        let Some(plan) = outcome.plan else { continue };
        for at in 0..plan.happens_before.len() {
            let mut loose = plan.clone();
            loose.happens_before.remove(at);
            edges += 1;
            let (first, then) = plan.happens_before[at];
            // What comes first takes ages: the other no longer waits for it.
            let durations: Vec<u64> =
                (0..plan.actions.len()).map(|index| if index == first as usize { 1000 } else { 1 }).collect();
            let done = quadrille::plan::execute(&loose, &durations);
            let broken = !replay::faults(&instance, &done, replay::Clock::Free).is_empty();
            let allocates = matches!(plan.actions[then as usize].kind, ActionKind::Allocate { .. });
            assert!(
                !broken || !carried_out(&instance, &loose).is_empty(),
                "{first} -> {then} is not missed in\n{}\nfor\n{spec}",
                crate::common::lines(&instance, &plan).join("\n")
            );
            needed += usize::from(broken || allocates);
        }
    }
    // Edges are exact for what is a conflict; where units are routed, another routing
    // may have been as good.
    assert!(needed * 10 >= edges * 7, "only {needed} of {edges} edges are needed");
    assert!(edges > 40, "only {edges} edges: nothing was tested");
}

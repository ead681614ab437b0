//! Conflicts and ways out: against the planner that tries everything, and on the command line.

use crate::brute::Question;
use crate::common::Dice;
use crate::common::Spec;
use crate::common::cluster;
use crate::generate::PLACEMENT;
use crate::generate::RESOURCES;
use crate::generate::STATES;
use crate::generate::draw;
use crate::generate::fits;
use quadrille::Instance;
use quadrille::Options;
use quadrille::Status;
use quadrille::StopReason;
use quadrille::explain::Change;
use quadrille::explain::Explanation;
use quadrille::explain::Kept;
use quadrille::explain::changed;
use quadrille::explain::explain;
use quadrille::explain::suspended;
use quadrille::generate::Planted;
use quadrille::outcome::Clash;
use quadrille::outcome::Conflict;
use quadrille::outcome::Member;
use quadrille::render;

fn options() -> Options {
    Options { step_limit: Some(2_000_000), ..Options::default() }
}

fn explained(instance: &Instance) -> Explanation {
    explain(instance, &options()).expect("an instance that can be planned for")
}

/// Is there a plan? By trying everything, where that decides; else by the planner.
fn has_plan(instance: &Instance) -> Option<bool> {
    let Some(question) = Question::of(instance) else { return Some(false) };
    if !question.is_timed() && !question.starts_broken() {
        return Some(question.fewest().is_some());
    }
    match quadrille::solve(instance, &options()).expect("an answer").status {
        Status::Infeasible => Some(false),
        Status::Unknown => None,
        Status::Optimal | Status::Feasible => Some(true),
    }
}

fn part(instance: &Instance, members: &[Member]) -> Instance {
    Kept::only(instance, members).instance(instance)
}

/// A conflict is impossible by itself, and possible without any one of its members.
fn check(instance: &Instance, conflict: &Conflict, spec: &Spec) {
    let words = render::clash(instance, conflict);
    assert_ne!(has_plan(&part(instance, &conflict.members)), Some(true), "{words}: {conflict:?}\n{spec}");
    assert!(conflict.minimal, "not minimal: {words}: {conflict:?}\n{spec}");
    for at in 0..conflict.members.len() {
        let mut less = conflict.members.clone();
        let gone = less.remove(at);
        assert_ne!(
            has_plan(&part(instance, &less)),
            Some(false),
            "{gone:?} is not needed: {words}: {conflict:?}\n{spec}"
        );
    }
}

/// After the changes of a way out there is a plan.
fn check_ways(instance: &Instance, explanation: &Explanation, spec: &Spec) {
    for way in &explanation.ways {
        let asleep = way.changes.iter().find_map(|change| match change {
            Change::Suspend(vm) => Some(*vm),
            _ => None,
        });
        let (new, _) = changed(instance, None, &way.changes);
        match asleep {
            Some(vm) => assert!(suspended(&new, vm, &options()).is_some(), "{way:?}\n{spec}"),
            None => assert_ne!(has_plan(&new), Some(false), "{way:?}\n{spec}"),
        }
        // With one unit less it would not do.
        if explanation.conflicts.len() == 1
            && let [Change::Capacity(node, resource, to, from)] = way.changes[..]
            && to > from + 1
        {
            let less = [Change::Capacity(node, resource, to - 1, from)];
            assert_ne!(
                has_plan(&changed(instance, None, &less).0),
                Some(true),
                "{way:?} is too much\n{spec}"
            );
        }
    }
}

#[test]
fn conflicts_are_minimal_and_ways_lead_out() {
    let rules: Vec<&str> = [PLACEMENT, RESOURCES, STATES].concat();
    let mut dice = Dice::new(11);
    let (mut infeasible, mut several, mut ways) = (0, 0, 0);
    for _ in 0..50 {
        let (nodes, vms) = (2 + dice.below(2), 2 + dice.below(2));
        let mut spec = draw(&mut dice, nodes, vms);
        for _ in 0..2 + dice.below(3) {
            let rule = dice.of(&rules);
            if fits(rule, nodes, vms) {
                spec.rules.push(rule.to_owned());
            }
        }
        let instance = spec.build();
        let explanation = explained(&instance);
        if explanation.status != Status::Infeasible {
            assert!(explanation.conflicts.is_empty() && explanation.ways.is_empty());
            continue;
        }
        infeasible += 1;
        several += usize::from(explanation.conflicts.len() > 1);
        ways += explanation.ways.len();
        for conflict in &explanation.conflicts {
            check(&instance, conflict, &spec);
        }
        check_ways(&instance, &explanation, &spec);
        // Rules about states may contradict several others.
        let mut rules: Vec<u32> = explanation.conflicts.iter().flat_map(Conflict::constraints).collect();
        rules.retain(|&index| instance.constraints()[index as usize].rule.wants().is_none());
        let count = rules.len();
        rules.sort_unstable();
        rules.dedup();
        assert_eq!(rules.len(), count, "a rule is in two conflicts: {spec}");
    }
    assert!(infeasible > 12 && several > 0 && ways > 12, "{infeasible} {several} {ways}");
}

/// The rules of the only conflict, in words.
fn rules(instance: &Instance, explanation: &Explanation) -> Vec<String> {
    let [conflict] = &explanation.conflicts[..] else { panic!("{explanation:?}") };
    let rules = conflict.members.iter().filter(|member| matches!(member, Member::Constraint(_)));
    rules.map(|member| render::member(instance, member)).collect()
}

#[test]
fn what_is_said() {
    let said = |spec: Spec| {
        let instance = spec.build();
        let explanation = explained(&instance);
        (rules(&instance, &explanation), render::clash(&instance, &explanation.conflicts[0]))
    };
    let (rules, text) = said(cluster("n0: a b c | n1: | n2: | n3:").cpu("nodes=9 vms=1").rules(&[
        "spread a,b,c",
        "fence a n0,n1,n2",
        "fence b n0,n1,n2",
        "fence c n0,n1,n2",
        "offline n2",
        "ban a n3",
    ]));
    assert_eq!(rules.len(), 5);
    assert_eq!(text, "a, b and c need 3 places of their own, 2 are left (n0, n1)");
    let (rules, text) = said(cluster("n0: a | n1: b").cpu("nodes=8 vms=5").rules(&["gather a,b"]));
    assert_eq!(rules, ["gather({a, b})"]);
    assert_eq!(text, "a and b must share a node and need 10 of cpu: no node of theirs has more than 8");
    let (rules, text) = said(cluster("n0: a | n1: b").cpu("nodes=8 vms=5").rules(&["fence a n1"]));
    assert_eq!(rules, ["fence(a, {n1})"]);
    assert_eq!(
        text,
        "there are places for all, and no order of moves: a (n0 -> n1) waits for b to leave: needs 5 of cpu, \
         3 are free; b (n1 -> n0) waits for a to leave: needs 5 of cpu, 3 are free"
    );
    let (rules, text) = said(cluster("n0: a | n1:").rules(&["running a", "killed a"]));
    assert_eq!(rules, ["running(a)", "killed(a)"]);
    assert_eq!(text, "VM a is asked to be running and to be killed");
    let (rules, text) = said(cluster("n0: a | n1:").rules(&["root a", "fence a n1"]));
    assert_eq!(rules, ["root(a)", "fence(a, {n1})"]);
    assert_eq!(text, "no node that is on at the end may run VM a");
}

#[test]
fn a_swap_is_broken_by_room_or_sleep() {
    let instance = cluster("n0: a | n1: b").cpu("nodes=8 vms=5").rules(&["fence a n1", "fence b n0"]).build();
    let explanation = explained(&instance);
    let ways: Vec<&[Change]> = explanation.ways.iter().map(|way| way.changes.as_slice()).collect();
    assert!(matches!(ways[0], [Change::Suspend(_)]), "{ways:?}");
    let grown = ways.iter().any(|way| matches!(way, [Change::Capacity(_, _, 10, 8)]));
    assert!(grown, "two more are enough: {ways:?}");
}

/// Two rules keep the only other node off: giving up one of them alone would not help.
#[test]
fn a_node_may_be_powered() {
    let rules = ["spread a,b", "offline n1", "offline n1"];
    for (text, said) in [("n0: a b | off: n1", "boot n1"), ("n0: a b | n1:", "keep n1 on")] {
        let instance = cluster(text).rules(&rules).build();
        let explanation = explained(&instance);
        let way = explanation.ways.iter().find(|way| matches!(way.changes[..], [Change::PowerOn(_)]));
        let way = way.unwrap_or_else(|| panic!("{explanation:?}"));
        assert_eq!((way.cost, way.relocations), (6, 1));
        assert!(render::explanation(&instance, &explanation).contains(said), "{said}: {explanation:?}");
        let (new, _) = changed(&instance, None, &way.changes);
        assert_eq!(new.constraints().len(), 2, "spread, and online instead of both");
    }
}

#[test]
fn a_horizon_that_is_too_near() {
    let instance = cluster("n0: a | n1:").takes("a.migrate=10").rules(&["ban a n0"]).build();
    let explanation = explain(&instance, &Options { horizon: Some(4), ..options() }).expect("an answer");
    let [conflict] = &explanation.conflicts[..] else { panic!("{explanation:?}") };
    assert!(conflict.members.contains(&Member::Horizon(4)) && conflict.minimal, "{conflict:?}");
    assert_eq!(conflict.clash, Clash::Late(10));
    assert_eq!(explanation.ways[0].changes, [Change::Horizon(10)]);
}

/// A thousand VMs would take the test too long; the benchmarks have them.
fn planted(kinds: &[Planted], seed: u64) -> Instance {
    let spec = quadrille::generate::Spec { nodes: 60, vms: 240, constrained: 10, seed, ..Default::default() };
    let mut instance = quadrille::generate::generate(&spec).expect("a feasible spec");
    quadrille::generate::plant(&mut instance, kinds, 240, seed).expect("room for it");
    instance
}

#[test]
fn planted_conflicts_are_found() {
    for (seed, kind) in (0u64..).zip(Planted::ALL) {
        let instance = planted(&[kind], seed);
        let explanation = explained(&instance);
        assert_eq!(explanation.conflicts.len(), 1, "{kind:?}");
        let conflict = &explanation.conflicts[0];
        assert!(conflict.minimal, "{kind:?}: {conflict:?}");
        assert!(!explanation.ways.is_empty(), "{kind:?}");
        let outcome = quadrille::solve(&part(&instance, &conflict.members), &options()).expect("an answer");
        assert_eq!(outcome.status, Status::Infeasible, "{kind:?}");
    }
    let instance = planted(&[Planted::GatherChain, Planted::Seats, Planted::RootBan], 3);
    let explanation = explained(&instance);
    assert_eq!(explanation.conflicts.len(), 3);
    assert!(!explanation.ways.is_empty() && explanation.ways.iter().all(|way| way.changes.len() == 3));
}

#[test]
fn whatever_stops_it_a_conflict_is_one() {
    let instance = planted(&[Planted::AmongSeats], 1);
    let whole = explained(&instance);
    for limit in [1, 3, 10, 30, 100, 300, 1_000] {
        let options = Options { step_limit: Some(limit), ..Options::default() };
        let explanation = explain(&instance, &options).expect("an answer");
        for conflict in &explanation.conflicts {
            let outcome =
                quadrille::solve(&part(&instance, &conflict.members), &self::options()).expect("an answer");
            assert_eq!(outcome.status, Status::Infeasible, "limit {limit}");
            assert!(conflict.minimal || explanation.stop_reason == StopReason::Limit);
            assert!(conflict.members.len() >= whole.conflicts[0].members.len());
        }
    }
    let cancelled = options();
    cancelled.cancel.cancel();
    assert_eq!(explain(&instance, &cancelled).expect("an answer").stop_reason, StopReason::Interrupted);
}

#[test]
fn threads_change_nothing() {
    let instance = planted(&[Planted::MaxOnline, Planted::Count], 5);
    let text = |threads| {
        let options = Options { threads: Some(threads), ..options() };
        let explanation = explain(&instance, &options).expect("an answer");
        render::explanation(&instance, &explanation)
    };
    assert_eq!(text(1), text(3));
}

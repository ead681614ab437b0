//! Migrations over a network: durations, who waits for which link, and what the checker sees.

use proptest::prelude::*;
use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Outcome;
use quadrille::Status;
use quadrille::constraint::fence::Fence;
use quadrille::constraint::max_migrations::MaxMigrations;
use quadrille::format;
use quadrille::format::btrplace;
use quadrille::model::ActionKind;
use quadrille::model::Network;
use quadrille::model::NodeId;
use quadrille::model::Plan;
use quadrille::model::Roads;
use quadrille::model::Route;
use quadrille::model::Routing;
use quadrille::model::Value;
use quadrille::render;
use quadrille::verify::CoreRule;
use quadrille::verify::Source;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;

/// How a VM writes: hot size, hot duration, cold rate.
pub(crate) type Dirty = Option<(i64, i64, f64)>;

/// A cluster on a star of links: memory, writes, from, to.
pub(crate) fn cluster(links: &[u64], vms: &[(i64, Dirty, usize, usize)]) -> InstanceBuilder {
    let mut b = InstanceBuilder::new();
    let nodes: Vec<NodeId> = (0..links.len()).map(|at| b.node(&format!("n{at}"))).collect();
    let mut network = Network::star(links.len() as u32, 1);
    for (link, capacity) in network.links.iter_mut().zip(links) {
        link.capacity = *capacity;
    }
    b.network(network);
    for (at, &(memory, dirty, from, to)) in vms.iter().enumerate() {
        let vm = b.running_vm(&format!("vm{at}"), nodes[from]);
        b.vm_attribute(vm, "memUsed", Value::Int(memory));
        if let Some((size, duration, rate)) = dirty {
            b.vm_attribute(vm, "hotDirtySize", Value::Int(size));
            b.vm_attribute(vm, "hotDirtyDuration", Value::Int(duration));
            b.vm_attribute(vm, "coldDirtyRate", Value::Float(rate));
        }
        let fence = Constraint::new(Fence { vm, nodes: [nodes[to]].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
    }
    b
}

#[track_caller]
pub(crate) fn solved(instance: &Instance, objective: &str) -> (Outcome, Plan) {
    let objective = objective.parse().expect("an objective");
    let options = Options { objective: Some(objective), step_limit: Some(20_000), ..Options::default() };
    let outcome = quadrille::solve(instance, &options).expect("sound");
    let plan = outcome.plan.clone().expect("a plan");
    (outcome, plan)
}

fn times(plan: &Plan) -> Vec<(u64, u64)> {
    let mut times: Vec<(u64, u64)> = plan.actions.iter().map(|action| (action.start, action.end)).collect();
    times.sort_unstable();
    times
}

const IDLE: Dirty = Some((0, 2, 0.0));

#[test]
fn one_link_takes_one_after_the_other() {
    let instance = cluster(&[1000; 3], &[(1000, IDLE, 0, 2), (1000, IDLE, 1, 2)]).build().expect("sound");
    let (_, plan) = solved(&instance, "makespan");
    assert_eq!(times(&plan), [(0, 9), (9, 18)]);
    assert!(plan.actions.iter().all(|action| action.bandwidth == 1000));
    // The second waits for the first, however long that takes.
    assert_eq!(plan.happens_before.len(), 1);
    // Opposite directions do not meet.
    let instance = cluster(&[1000; 2], &[(1000, IDLE, 0, 1), (1000, IDLE, 1, 0)]).build().expect("sound");
    let (_, plan) = solved(&instance, "makespan");
    assert_eq!(times(&plan), [(0, 9), (0, 9)]);
    assert_eq!(plan.happens_before, []);
}

#[test]
fn two_sources_and_a_destination() {
    let busy = Some((56, 2, 22.6));
    let vms = [(2000, None, 0, 2), (8000, busy, 0, 2), (7500, busy, 1, 2), (2200, None, 1, 2)];
    let instance = cluster(&[1000; 3], &vms).build().expect("sound");
    let (outcome, _) = solved(&instance, "makespan");
    assert_eq!(outcome.metrics.makespan, 214);
    let (outcome, _) = solved(&instance, "sum_of_ends");
    assert_eq!(outcome.metrics.sum_of_ends, 18 + 38 + 123 + 214);
    // With a wider way in the two sources work side by side.
    let instance = cluster(&[1000, 1000, 10_000], &vms).build().expect("sound");
    let (outcome, plan) = solved(&instance, "sum_of_ends");
    assert_eq!(outcome.metrics.makespan, 109);
    assert_eq!(times(&plan), [(0, 18), (0, 20), (18, 109), (20, 105)]);
}

#[test]
fn who_writes_faster_than_can_be_sent_stays_or_goes_otherwise() {
    let vms = [(4500, Some((10, 2, 200.0)), 0, 1)];
    let outcome = |flag: Option<&str>| {
        let mut b = cluster(&[900; 2], &vms);
        if let Some(flag) = flag {
            b.vm_attribute(quadrille::model::VmId(0), flag, Value::Bool(true));
        }
        quadrille::solve(&b.build().expect("sound"), &Options::default()).expect("sound")
    };
    assert_eq!(outcome(None).status, Status::Infeasible);
    for (flag, seconds) in [("postCopy", 46), ("coldMigration", 45)] {
        let found = outcome(Some(flag));
        assert_eq!((found.status, found.metrics.makespan), (Status::Optimal, seconds), "{flag}");
    }
}

/// VMs of 4 cores on `n0`, too many for it; the other nodes have room for all of them, less
/// of it the further ahead they stand.
fn crowded(links: &[u64], vms: usize) -> Instance {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let nodes: Vec<NodeId> = (0..links.len()).map(|at| b.node(&format!("n{at}"))).collect();
    let mut network = Network::star(links.len() as u32, 1);
    for (at, (link, capacity)) in network.links.iter_mut().zip(links).enumerate() {
        link.capacity = *capacity;
        b.capacity(nodes[at], cpu, if at == 0 { 4 } else { (4 * vms + at) as u64 });
    }
    b.network(network);
    for at in 0..=vms {
        let vm = b.running_vm(&format!("vm{at}"), nodes[0]);
        b.demand(vm, cpu, 4);
        b.vm_attribute(vm, "memUsed", Value::Int(1000));
    }
    b.build().expect("sound")
}

#[test]
fn destinations_that_are_reached_soonest_are_taken() {
    // The tightest node has the slowest link.
    let instance = crowded(&[10_000, 100, 1000], 1);
    let (outcome, plan) = solved(&instance, "relocations,makespan");
    assert_eq!((plan.actions.len(), outcome.metrics.makespan), (1, 9));
    // Side by side into three nodes, rather than one after the other into one.
    let instance = crowded(&[3000, 1000, 1000, 1000], 3);
    let (outcome, plan) = solved(&instance, "relocations,makespan");
    assert_eq!((plan.actions.len(), outcome.metrics.makespan), (3, 9));
    // Where time does not count, neither do links.
    let instance = crowded(&[10_000, 100, 1000], 1);
    let (outcome, _) = solved(&instance, "relocations");
    assert_eq!(outcome.metrics.makespan, 91);
}

#[test]
fn figures_that_are_missing_are_asked_for() {
    let mut b = InstanceBuilder::new();
    let n0 = b.node("n0");
    b.node("n1");
    b.running_vm("web", n0);
    b.network(Network::star(2, 1000));
    let error = quadrille::solve(&b.build().expect("sound"), &Options::default()).expect_err("no memUsed");
    assert!(error.to_string().contains("VM `web`") && error.to_string().contains("memUsed"), "{error}");
}

/// The instance of a document about two nodes on a star, after what is said of its VMs and more.
#[track_caller]
fn star(vms: &str, rest: &str) -> Instance {
    let text = format!(
        r#"{{"schema": "quadrille/instance/1", "nodes": [{{"name": "n0"}}, {{"name": "n1"}}], "vms": [{vms}], {rest}}}"#
    );
    format::native::read_instance(text.as_bytes(), &format::ReadOptions::default()).expect("sound").instance
}

#[test]
fn what_must_stay_needs_no_figures() {
    let vms = r#"{"name": "a", "host": "n0"}, {"name": "b", "host": "n0", "attributes": {"memUsed": 1000}}"#;
    let rest = r#""network": {"star": 1000},
        "constraints": [{"root": {"vm": "a"}}, {"ban": {"vm": "b", "nodes": ["n0"], "continuous": false}}]"#;
    assert_eq!(times(&solved(&star(vms, rest), "makespan").1), [(0, 9)]);
    // A name that is nearly right is told.
    let vms = r#"{"name": "a", "host": "n0", "attributes": {"memused": 1000}}"#;
    let error = quadrille::solve(&star(vms, r#""network": {"star": 1000}"#), &Options::default());
    assert!(error.is_err_and(|error| error.to_string().ends_with("is not known; it has `memused`")));
}

#[test]
fn a_stated_duration_is_that_of_vms_without_memory() {
    let vm = |name: &str, attributes: &str| {
        format!(r#"{{"name": "{name}", "host": "n0", "attributes": {{{attributes}}}}}"#)
    };
    let vms = [vm("a", ""), vm("b", r#""memUsed": 1000, "hotDirtySize": 0"#), vm("c", r#""migrate": 3"#)]
        .join(", ");
    let ban = |name: &str| format!(r#"{{"ban": {{"vm": "{name}", "nodes": ["n0"], "continuous": false}}}}"#);
    let rest = format!(
        r#""durations": {{"migrate": 77}}, "network": {{"star": 1000}}, "constraints": [{}]"#,
        ["a", "b", "c"].map(ban).join(", ")
    );
    let (_, plan) = solved(&star(&vms, &rest), "makespan");
    let mut lengths: Vec<u64> = plan.actions.iter().map(|action| action.end - action.start).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [3, 9, 77]);
    // A second that is stated is one, too.
    let (_, plan) = solved(&star(&vms, &rest.replace("77", "1")), "makespan");
    assert_eq!(plan.actions.iter().map(|action| action.end - action.start).min(), Some(1));
}

#[test]
fn migrations_in_rounds() {
    let vm = |rate: u32, more: &str| {
        format!(
            r#"{{"name": "a", "host": "n0",
                "attributes": {{"memUsed": 4096, "hotDirtySize": 0, "coldDirtyRate": {rate}{more}}}}}"#
        )
    };
    // 900 Mbit/s are 100 MB/s.
    let with = |vm: &str, migration: &str| {
        let rest = format!(
            r#""constraints": [{{"ban": {{"vm": "a", "nodes": ["n0"], "continuous": false}}}}],
                "network": {{"star": 900, "migration": {{{migration}}}}}"#
        );
        let instance = star(vm, &rest);
        let plan = solved(&instance, "makespan").1;
        let flow = Roads::of(&instance).expect("a network").flow_of(&plan.actions[0]).expect("it ends");
        (flow.seconds, flow.downtime.expect("known"))
    };
    // 40.96 + 10.24 + 2.56 + 0.64 s, and 16 MB at the end.
    let (seconds, downtime) = with(&vm(25, ""), r#""model": "rounds", "enough": 16"#);
    assert_eq!((seconds, (downtime * 100.0).round()), (55, 16.0));
    // More is written than can be sent: it stops after three times the memory.
    let (seconds, downtime) = with(&vm(120, ""), r#""model": "rounds", "enough": 16, "working_set": 500"#);
    assert_eq!((seconds, downtime), (131, 5.0));
    let (seconds, downtime) = with(&vm(120, r#", "postCopy": true"#), r#""post_copy_switch": 10"#);
    assert_eq!((seconds, downtime), (51, 10.0));
}

/// The core rules that a plan breaks.
fn broken(instance: &Instance, plan: &Plan) -> Vec<CoreRule> {
    let report = verify(instance, plan, &VerifyOptions::default());
    let rules = report.findings.iter().filter_map(|finding| match finding.source {
        Source::Core(rule) => Some(rule),
        Source::Constraint(_) => None,
    });
    rules.collect()
}

#[test]
fn the_checker_sees_crowded_links_and_wrong_bandwidths() {
    let instance = cluster(&[1000; 3], &[(1000, IDLE, 0, 2), (1000, IDLE, 1, 2)]).build().expect("sound");
    let (_, plan) = solved(&instance, "makespan");
    assert_eq!(broken(&instance, &plan), []);
    let mut crowded = plan.clone();
    crowded.happens_before.clear();
    for action in &mut crowded.actions {
        (action.start, action.end) = (0, 9);
    }
    assert_eq!(broken(&instance, &crowded), [CoreRule::Network]);
    let text = verify(&instance, &crowded, &VerifyOptions::default()).findings[0].violation.text.clone();
    assert_eq!(text, "link 2 to node n2 carries 2000 Mbit/s from 0 s on, of 1000");
    for bandwidth in [0, 500, 1001] {
        let mut other = plan.clone();
        other.actions[0].bandwidth = bandwidth;
        assert!(broken(&instance, &other).contains(&CoreRule::Time), "{bandwidth}");
    }
    // Half of it each, at the same time, is another matter.
    let mut shared = crowded;
    for action in &mut shared.actions {
        (action.bandwidth, action.end) = (500, 18);
    }
    assert_eq!(broken(&instance, &shared), []);
}

#[test]
fn the_checker_sees_that_an_edge_is_missing() {
    let instance = cluster(&[1000; 3], &[(1000, IDLE, 0, 2), (1000, IDLE, 1, 2)]).build().expect("sound");
    let (_, mut plan) = solved(&instance, "makespan");
    let told = |plan: &Plan| {
        let mut report = verify(&instance, plan, &VerifyOptions::default());
        quadrille::verify::verify_conditions(&instance, plan, &mut report);
        report.findings.into_iter().map(|finding| finding.violation.text).collect::<Vec<String>>()
    };
    assert_eq!(told(&plan), [] as [&str; 0]);
    plan.happens_before.clear();
    assert_eq!(
        told(&plan),
        ["carried out by its conditions alone, link 2 to node n2 carries 2000 Mbit/s, of 1000; \
          migrate(vm1, n1, n2) does not wait for the end of migrate(vm0, n0, n2)"]
    );
}

#[test]
fn loads_beyond_64_bits_are_added_up() {
    let most = u64::MAX;
    let mut b = cluster(&[most; 3], &[(1000, IDLE, 0, 2), (1000, IDLE, 1, 2)]);
    b.network(Network::star(3, most));
    let instance = b.build().expect("sound");
    let (_, mut plan) = solved(&instance, "makespan");
    for action in &mut plan.actions {
        (action.end, action.start) = (action.duration(), 0);
    }
    plan.happens_before.clear();
    assert_eq!(broken(&instance, &plan), [CoreRule::Network]);
}

#[test]
fn plans_keep_their_bandwidths_in_files() {
    let instance = cluster(&[1000, 500], &[(1000, IDLE, 0, 1)]).build().expect("sound");
    let (outcome, plan) = solved(&instance, "makespan");
    let written = render::json_text(&render::json(&instance, &outcome, &render::Measured::default()));
    assert!(written.contains("\"bandwidth\": 500"), "{written}");
    let again = format::native::read_plan(written.as_bytes(), &instance).expect("readable");
    assert_eq!(again.actions[0].bandwidth, plan.actions[0].bandwidth);
    let written = btrplace::write_plan(&instance, &plan).expect("writable").text;
    let again = btrplace::read_plan(written.as_bytes(), &instance).expect("readable");
    assert_eq!(again.actions[0].bandwidth, 500);
}

#[test]
fn what_btrplace_cannot_say_of_a_network_does_not_part_a_plan_from_its_instance() {
    let mut b = cluster(&[1000, 500], &[(1000, IDLE, 0, 1)]);
    let mut network = Network::star(2, 1000);
    network.routing = Routing::Shortest;
    network.switches[0].name = Some("core".to_owned());
    b.network(network);
    let instance = b.build().expect("sound");
    let (_, plan) = solved(&instance, "makespan");
    let written = btrplace::write_plan(&instance, &plan).expect("writable").text;
    assert!(written.contains("\"static\""), "{written}");
    let again = btrplace::read_plan(written.as_bytes(), &instance).expect("readable");
    let moves = |plan: &Plan| -> Vec<ActionKind> { plan.actions.iter().map(|action| action.kind).collect() };
    assert_eq!((moves(&again), again.actions[0].bandwidth), (moves(&plan), 1000));
}

/// No channel of a star carries more than its link, whatever the bandwidths.
fn is_carried(instance: &Instance, plan: &Plan) -> bool {
    let network = instance.network().expect("a network");
    let moments = plan.actions.iter().map(|action| action.start);
    moments.into_iter().all(|moment| {
        let mut load = vec![[0u64; 2]; network.links.len()];
        for action in &plan.actions {
            if let ActionKind::Migrate { from, to, .. } = action.kind
                && action.start <= moment
                && moment < action.end
            {
                load[from.index()][0] += action.bandwidth;
                load[to.index()][1] += action.bandwidth;
            }
        }
        let fits = |(load, link): (&[u64; 2], &quadrille::model::Link)| {
            load.iter().all(|&load| load <= link.capacity)
        };
        load.iter().zip(&network.links).all(fits)
    })
}

/// The least last end and the least sum of ends on a star of links, over all ways to go there
/// at once or with one stop, and all orders in which the moves get the earliest moment at which
/// their links are free, and at most so many leave a node, or come to it, at once. Whole nodes:
/// there is room everywhere.
fn brute(links: &[u64], at_once: usize, vms: &[(u64, u64, usize, usize)], stops: bool) -> (u64, u64) {
    let mut best = (u64::MAX, u64::MAX);
    let ways = links.len() - 1;
    let choices = if stops { ways.pow(vms.len() as u32) } else { 1 };
    for choice in 0..choices {
        let mut legs = Vec::new();
        let mut rest = choice;
        for &(seconds, most, from, to) in vms {
            // 0: at once; others: by one of the other nodes.
            let by = (0..links.len())
                .filter(|&node| node != from && node != to)
                .nth((rest % ways).wrapping_sub(1));
            rest /= ways;
            let leg = |from: usize, to: usize| (seconds, most.min(links[from]).min(links[to]), from, to);
            legs.push(by.map_or_else(|| vec![leg(from, to)], |by| vec![leg(from, by), leg(by, to)]));
        }
        let mut next = vec![0; legs.len()];
        place((links, at_once), &legs, &mut next, &mut Vec::new(), &mut best);
    }
    best
}

/// A move: seconds, bandwidth, from, to; with its VM and its end once it is placed.
type Leg = (u64, u64, usize, usize);

fn place(
    (links, at_once): (&[u64], usize),
    legs: &[Vec<Leg>],
    next: &mut [usize],
    placed: &mut Vec<(Leg, usize, u64)>,
    best: &mut (u64, u64),
) {
    if (0..legs.len()).all(|vm| next[vm] == legs[vm].len()) {
        best.0 = best.0.min(placed.iter().map(|leg| leg.2).max().unwrap_or(0));
        best.1 = best.1.min(placed.iter().map(|leg| leg.2).sum());
        return;
    }
    for vm in 0..legs.len() {
        let Some(&leg) = legs[vm].get(next[vm]) else { continue };
        let ready = placed.iter().filter(|placed| placed.1 == vm).map(|placed| placed.2).max().unwrap_or(0);
        let fits = |start: u64| {
            (start..start + leg.0).all(|now| {
                let used = |same: &dyn Fn(&Leg) -> bool| {
                    let running = placed.iter().filter(|(leg, _, end)| *end > now && end - leg.0 <= now);
                    running.filter(|(leg, ..)| same(leg)).map(|(leg, ..)| leg.1).sum::<u64>() + leg.1
                };
                let beside = |same: &dyn Fn(&Leg) -> bool| {
                    let running = placed.iter().filter(|(leg, _, end)| *end > now && end - leg.0 <= now);
                    running.filter(|(leg, ..)| same(leg)).count()
                };
                used(&|other| other.2 == leg.2) <= links[leg.2]
                    && used(&|other| other.3 == leg.3) <= links[leg.3]
                    && beside(&|other| other.2 == leg.2) < at_once
                    && beside(&|other| other.3 == leg.3) < at_once
            })
        };
        let start = (ready..).find(|&start| fits(start)).expect("after all others");
        placed.push((leg, vm, start + leg.0));
        next[vm] += 1;
        place((links, at_once), legs, next, placed, best);
        next[vm] -= 1;
        placed.pop();
    }
}

#[test]
fn links_of_many_widths_bound_plans_that_may_stop_on_the_way() {
    // All share the link of the first node, and no two at once: 30 times 4 s.
    let links: Vec<u64> = (0..21).map(|at| 1000 + at).collect();
    let vms: Vec<_> = (0..30).map(|at| (4, 1000, 0, 1 + at % 20)).collect();
    let (outcome, _) = solved(&timed(&links, &vms).build().expect("sound"), "makespan");
    assert_eq!((outcome.status, outcome.metrics.makespan), (Status::Optimal, 120));
    // Ends add up to no less than one after the other.
    let (outcome, _) = solved(&timed(&links, &vms).build().expect("sound"), "sum_of_ends");
    assert_eq!((outcome.status, outcome.metrics.sum_of_ends), (Status::Optimal, 4 * 30 * 31 / 2));
}

/// Like [`cluster`], with seconds and bandwidths that are given.
fn timed(links: &[u64], vms: &[(u64, u64, usize, usize)]) -> InstanceBuilder {
    let rows: Vec<_> = vms.iter().map(|&(_, _, from, to)| (1, None, from, to)).collect();
    let mut b = cluster(links, &rows);
    for (at, &(seconds, most, ..)) in vms.iter().enumerate() {
        let vm = quadrille::model::VmId(at as u32);
        b.vm_attribute(vm, "migrate", Value::Int(seconds as i64));
        b.vm_attribute(vm, "bandwidth", Value::Int(most as i64));
    }
    b
}

/// Seconds, bandwidth, from and another node.
fn rows(nodes: usize, most: usize) -> impl Strategy<Value = Vec<(u64, u64, usize, usize)>> {
    let row = (1u64..6, prop::sample::select(vec![300u64, 500, 1000]), 0..nodes, 1..nodes);
    prop::collection::vec(
        row.prop_map(move |(seconds, rate, from, far)| (seconds, rate, from, (from + far) % nodes)),
        1..most,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_link_is_crowded_however_long_migrations_take(
        links in prop::collection::vec(prop::sample::select(vec![300u64, 500, 1000, 2000]), 2..5),
        vms in prop::collection::vec((200i64..4000, 0usize..8, 0usize..8), 1..9),
        stretches in prop::collection::vec(0u64..40, 9),
    ) {
        let vms: Vec<_> = vms
            .into_iter()
            .map(|(memory, from, to)| (memory, None, from % links.len(), to % links.len()))
            .collect();
        let instance = cluster(&links, &vms).build().expect("sound");
        let (_, plan) = solved(&instance, "makespan");
        prop_assert!(is_carried(&instance, &plan));
        let durations: Vec<u64> =
            plan.actions.iter().zip(&stretches).map(|(action, stretch)| action.duration() / 2 + stretch).collect();
        prop_assert!(is_carried(&instance, &quadrille::plan::execute(&plan, &durations)));
    }

    #[test]
    fn scaling_memories_and_links_changes_no_schedule(
        links in prop::collection::vec(prop::sample::select(vec![300u64, 500, 1000]), 2..4),
        vms in prop::collection::vec((200i64..4000, 0usize..8, 0usize..8), 1..6),
        factor in 2i64..5,
    ) {
        let scaled = |factor: i64| {
            let links: Vec<u64> = links.iter().map(|link| link * factor as u64).collect();
            let vms: Vec<_> = vms
                .iter()
                .map(|&(memory, from, to)| {
                    let dirty = Some((5 * factor, 2, 1.5 * factor as f64));
                    (memory * factor, dirty, from % links.len(), to % links.len())
                })
                .collect();
            solved(&cluster(&links, &vms).build().expect("sound"), "makespan").1
        };
        let (plain, large) = (scaled(1), scaled(factor));
        prop_assert_eq!(times(&plain), times(&large));
        prop_assert_eq!(plain.happens_before, large.happens_before);
    }

    #[test]
    fn what_is_optimal_is_the_best_of_all_orders(
        links in prop::collection::vec(prop::sample::select(vec![500u64, 1000]), 4),
        vms in rows(4, 6),
    ) {
        let instance = timed(&links, &vms).build().expect("sound");
        let direct = brute(&links, 9, &vms, false);
        for (objective, best) in [("relocations,makespan", direct.0), ("relocations,sum_of_ends", direct.1)] {
            let (outcome, _) = solved(&instance, objective);
            let level = &outcome.levels[1];
            prop_assert!(level.bound <= best && best <= level.value, "{objective} {level:?} {best}");
            // Small ones are solved and proved.
            prop_assert_eq!((level.bound, level.value), (best, best));
        }
    }

    #[test]
    fn what_is_optimal_with_stops_is_the_best_of_all_orders(
        links in prop::collection::vec(prop::sample::select(vec![500u64, 1000]), 3),
        vms in rows(3, 4),
        given in any::<bool>(),
        at_once in 1usize..4,
    ) {
        // On routes that are given, and with so many migrations at once, bounds hold as well.
        let mut b = timed(&links, &vms);
        let nodes: std::sync::Arc<[NodeId]> = (0..links.len() as u32).map(NodeId).collect();
        if given {
            let mut network = Network::star(links.len() as u32, 1);
            network.links.iter_mut().zip(&links).for_each(|(link, &capacity)| link.capacity = capacity);
            let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
            let route = |(from, to): (NodeId, NodeId)| Route { from, to, links: vec![(from.0, false), (to.0, true)] };
            network.routing = Routing::Fixed(pairs.filter(|(from, to)| from != to).map(route).collect());
            b.network(network);
        }
        for direction in ["in", "out"] {
            let (nodes, direction, scope) = (nodes.clone(), direction.to_owned(), "each".to_owned());
            b.constraint(Constraint::new(MaxMigrations { nodes, amount: at_once as u64, direction, scope }));
        }
        let instance = b.build().expect("sound");
        let best = brute(&links, at_once, &vms, true);
        for (objective, best) in [("makespan", best.0), ("sum_of_ends", best.1)] {
            let (outcome, _) = solved(&instance, objective);
            let level = &outcome.levels[0];
            prop_assert!(level.bound <= best, "{objective} {level:?} {best}");
            prop_assert!(level.bound < level.value || level.value <= best, "{objective} {level:?} {best}");
        }
    }

    #[test]
    fn symmetric_networks_have_symmetric_bounds(
        links in prop::collection::vec(prop::sample::select(vec![500u64, 1000]), 4),
        vms in rows(4, 9),
        turn in 1usize..4,
    ) {
        let bound = |links: &[u64], vms: &[(u64, u64, usize, usize)]| {
            let objective = "makespan".parse().expect("an objective");
            // The first plan is near enough: nothing is proved beyond what is known before.
            let options = Options { objective: Some(objective), gap: Some(1.0), ..Options::default() };
            let instance = timed(links, vms).build().expect("sound");
            quadrille::solve(&instance, &options).expect("sound").levels[0].bound
        };
        // All nodes get other names, or all moves go the other way.
        let mut turned = links.clone();
        turned.rotate_right(turn);
        let renamed: Vec<_> = vms
            .iter()
            .map(|&(seconds, rate, from, to)| (seconds, rate, (from + turn) % 4, (to + turn) % 4))
            .collect();
        let back: Vec<_> = vms.iter().map(|&(seconds, rate, from, to)| (seconds, rate, to, from)).collect();
        let known = bound(&links, &vms);
        prop_assert_eq!(known, bound(&turned, &renamed));
        prop_assert_eq!(known, bound(&links, &back));
    }
}

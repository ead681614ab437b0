//! Random schedules, ordered and executed whatever the durations.

mod example;
mod random;
mod world;

use super::*;
use crate::compile::Relationship;
use crate::model::ActionKind;
use crate::model::Plan;
use crate::verify;
use crate::verify::CoreRule;
use random::Case;
use random::Dice;
use world::World;

/// Goes through a plan event by event, in some order that its edges allow; `choose`
/// says which of the possible events comes next: (action, true for its end).
fn interleave(
    case: &Case,
    plan: &Plan,
    mut choose: impl FnMut(&[(u32, bool)]) -> usize,
) -> Result<(), String> {
    let before = plan.predecessors();
    let count = plan.actions.len();
    let (mut started, mut ended) = (vec![false; count], vec![false; count]);
    let mut world = World::new(&case.instance, &case.posted);
    loop {
        let mut possible = Vec::new();
        for at in 0..count {
            if !started[at] {
                if before[at].iter().all(|&first| ended[first as usize]) {
                    possible.push((at as u32, false));
                }
            } else if !ended[at] {
                possible.push((at as u32, true));
            }
        }
        if possible.is_empty() {
            break;
        }
        let (at, is_end) = possible[choose(&possible)];
        let action = &plan.actions[at as usize];
        if is_end {
            ended[at as usize] = true;
            world.end(action)?;
        } else {
            started[at as usize] = true;
            world.start(action)?;
        }
    }
    if ended.iter().all(|&ended| ended) { Ok(()) } else { Err("actions that never start".to_owned()) }
}

/// Replays the times of a plan: at one instant ends, then what takes no time, then starts;
/// where zero durations put linked actions at one instant, in the order of the edges.
fn replay(case: &Case, plan: &Plan) -> Result<(), String> {
    let before = plan.predecessors();
    let count = plan.actions.len();
    let (mut started, mut ended) = (vec![false; count], vec![false; count]);
    let mut world = World::new(&case.instance, &case.posted);
    let mut moments: Vec<u64> = plan.actions.iter().flat_map(|action| [action.start, action.end]).collect();
    moments.sort_unstable();
    moments.dedup();
    for moment in moments {
        for at in 0..count {
            if started[at] && !ended[at] && plan.actions[at].end == moment {
                ended[at] = true;
                world.end(&plan.actions[at])?;
            }
        }
        for instant in [true, false] {
            let mut again = true;
            while again {
                again = false;
                for at in 0..count {
                    let action = &plan.actions[at];
                    let due = action.start == moment && (action.end == moment) == instant;
                    if due && !started[at] && before[at].iter().all(|&first| ended[first as usize]) {
                        started[at] = true;
                        again = true;
                        world.start(action)?;
                        if instant {
                            ended[at] = true;
                            world.end(action)?;
                        }
                    }
                }
            }
        }
    }
    if ended.iter().all(|&ended| ended) { Ok(()) } else { Err("actions that never start".to_owned()) }
}

fn explain(case: &Case, plan: &Plan, what: &str) -> String {
    let mut text = format!("{what}\n{:?}\n", case.posted.relations);
    for (at, action) in plan.actions.iter().enumerate() {
        text +=
            &format!("{at}: {}:{} {:?} {:?}\n", action.start, action.end, action.kind, action.allocations);
    }
    text + &format!("{:?}", plan.happens_before)
}

/// All kinds of cases, ordered.
fn ordered(seed: u64) -> Case {
    let mut case = random::case(seed);
    order(&case.instance, &case.posted, &mut case.plan);
    case
}

const CASES: u64 = 250;

#[test]
fn the_schedule_itself_is_right() {
    let mut actions = 0;
    for seed in 0..CASES {
        let case = ordered(seed);
        actions += case.plan.actions.len();
        replay(&case, &case.plan)
            .unwrap_or_else(|what| panic!("{seed}: {}", explain(&case, &case.plan, &what)));
    }
    assert!(actions > 2_000, "the generator makes plans: {actions} actions");
}

#[test]
fn any_durations_will_do() {
    for seed in 0..CASES {
        let case = ordered(seed);
        let mut dice = Dice::new(seed);
        for round in 0..100 {
            // Some take no time at all, some take very long.
            let durations: Vec<u64> = case
                .plan
                .actions
                .iter()
                .map(|_| match dice.below(4) {
                    0 => 0,
                    1 => 1_000 + dice.below(1_000),
                    _ => dice.below(10),
                })
                .collect();
            let run = execute(&case.plan, &durations);
            assert_eq!(run.actions.len(), case.plan.actions.len());
            replay(&case, &run).unwrap_or_else(|what| {
                panic!("{seed}, round {round}: {what}\n{}", explain(&case, &case.plan, &what))
            });
        }
    }
}

#[test]
fn any_order_of_events_will_do() {
    for seed in 0..CASES {
        let case = ordered(seed);
        let mut dice = Dice::new(seed);
        for round in 0..50 {
            let eager = round % 3;
            let result = interleave(&case, &case.plan, |possible| {
                // Any event; or starts before ends; or the latest first.
                let starts = possible.iter().filter(|(_, is_end)| !is_end).count();
                let all = possible.len();
                if eager > 0 && starts > 0 {
                    let nth = if eager == 1 { dice.below(starts as u64) as usize } else { starts - 1 };
                    return (0..all).filter(|&at| !possible[at].1).nth(nth).unwrap_or(0);
                }
                dice.below(all as u64) as usize
            });
            result.unwrap_or_else(|what| panic!("{seed}: {}", explain(&case, &case.plan, &what)));
        }
    }
}

#[test]
fn hardly_an_edge_is_idle() {
    let (mut edges, mut needed) = (0, 0);
    for seed in 0..CASES {
        let case = ordered(seed);
        let serial = |relation: &(Relationship, _)| matches!(relation.0, Relationship::Survive { .. });
        if case.posted.relations.iter().any(serial) {
            continue;
        }
        for at in 0..case.plan.happens_before.len() {
            let mut fewer = case.plan.clone();
            let (late, _) = fewer.happens_before.remove(at);
            let mut dice = Dice::new(seed);
            edges += 1;
            // The first action of the edge takes for ever; the others come as they like.
            let broken = (0..60).any(|_| {
                let result = interleave(&case, &fewer, |possible| {
                    let others: Vec<usize> =
                        (0..possible.len()).filter(|&at| possible[at] != (late, true)).collect();
                    if others.is_empty() { 0 } else { others[dice.below(others.len() as u64) as usize] }
                });
                result.is_err()
            });
            needed += u32::from(broken);
        }
    }
    assert!(edges > 1_000, "{edges} edges");
    assert!(needed * 100 >= edges * 95, "{needed} of {edges} edges are needed");
}

#[test]
fn retimed_plans_are_right_and_no_later() {
    let mut earlier = 0;
    for seed in 0..CASES {
        let case = ordered(seed);
        let mut plan = case.plan.clone();
        retime(&case.instance, &case.posted, &mut plan);
        replay(&case, &plan).unwrap_or_else(|what| panic!("{seed}: {}", explain(&case, &plan, &what)));
        let times = |plan: &Plan| {
            let mut list: Vec<_> =
                plan.actions.iter().map(|action| (action.kind, action.duration(), action.start)).collect();
            list.sort_unstable();
            list
        };
        for (before, after) in times(&case.plan).iter().zip(times(&plan)) {
            assert_eq!((before.0, before.1), (after.0, after.1));
            assert!(after.2 <= before.2, "{seed}: {after:?} was at {}", before.2);
            earlier += u32::from(after.2 < before.2);
        }
        let mut again = plan.clone();
        order(&case.instance, &case.posted, &mut again);
        replay(&case, &again).unwrap_or_else(|what| panic!("{seed}: {what}"));
        assert_eq!(again.actions, plan.actions);
    }
    assert!(earlier > 100, "{earlier} actions moved");
}

#[test]
fn the_critical_path_has_no_slack() {
    for seed in 0..CASES {
        let plan = &execute(&ordered(seed).plan, &[]);
        let path = critical_path(plan);
        let slack = slack(plan);
        assert_eq!(path.last().map_or(0, |&at| plan.actions[at as usize].end), plan.makespan());
        for &at in &path {
            assert_eq!(slack[at as usize], 0, "{seed}");
        }
        for pair in path.windows(2) {
            assert!(plan.happens_before.contains(&(pair[0], pair[1])));
        }
        // Late by its slack, an action delays nothing; by one second more, everything.
        for at in 0..plan.actions.len() {
            let mut durations: Vec<u64> = plan.actions.iter().map(|action| action.duration()).collect();
            durations[at] += slack[at];
            assert_eq!(execute(plan, &durations).makespan(), plan.makespan(), "{seed}, {at}");
            durations[at] += 1;
            assert_eq!(execute(plan, &durations).makespan(), plan.makespan() + 1, "{seed}, {at}");
        }
    }
}

#[test]
fn circles_never_start() {
    let mut case = ordered(3);
    case.plan.happens_before = vec![(0, 1), (1, 0), (1, 2), (7, 70_000)];
    case.plan.actions.truncate(3);
    assert_eq!(execute(&case.plan, &[]).actions.len(), 0);
    assert!(critical_path(&case.plan).len() <= 3);
    assert_eq!(slack(&case.plan).len(), 3);
}

#[test]
fn input_order_does_not_matter() {
    for seed in 0..40 {
        let case = ordered(seed);
        let mut other = case.plan.clone();
        other.actions.reverse();
        order(&case.instance, &case.posted, &mut other);
        assert_eq!(other, case.plan);
    }
}

#[test]
fn the_checker_agrees() {
    let mut plans = 0;
    for seed in 0..CASES {
        let case = ordered(seed);
        // Copies that are thrown away are no re-instantiation to the checker.
        let steps =
            |clone: fn(&ActionKind) -> bool| case.plan.actions.iter().filter(|a| clone(&a.kind)).count();
        let thrown_away = steps(|kind| matches!(kind, ActionKind::ForgeClone { .. }))
            != steps(|kind| matches!(kind, ActionKind::BootClone { .. }));
        if thrown_away || !verify::verify_source(&case.instance).is_ok() {
            continue;
        }
        let mut retimed = case.plan.clone();
        retime(&case.instance, &case.posted, &mut retimed);
        for plan in [&case.plan, &retimed] {
            plans += 1;
            let report = verify::verify(&case.instance, plan, &verify::VerifyOptions::default());
            // Random durations are not those of the instance; times are no question here.
            let wrong = report.findings.iter().find(|finding| {
                matches!(
                    finding.source,
                    verify::Source::Core(CoreRule::Capacity | CoreRule::Hosting | CoreRule::Order)
                )
            });
            assert!(wrong.is_none(), "{seed}: {wrong:?}\n{}", explain(&case, plan, ""));
        }
    }
    assert!(plans > 50, "{plans} plans");
}

//! The last line: what the plan costs, and what is known of it.

use super::clash::clash;
use super::words::count;
use super::words::seconds;
use crate::model::Instance;
use crate::model::Metrics;
use crate::objective::Metric;
use crate::outcome::Bounded;
use crate::outcome::Outcome;
use crate::outcome::Status;
use crate::outcome::StopReason;

/// One line on an outcome: `7 migrations, 1 boot, 12m30s, sum of ends 1843; optimal
/// (bound 1843) in 0.21 s`. Where the objective has levels, each is named with its own
/// bound: `optimal` speaks of the first. `total_ms` is the time that was needed, where
/// the caller knows it; else the sum of the phases stands in.
pub fn summary(instance: &Instance, outcome: &Outcome, total_ms: impl Into<Option<f64>>) -> String {
    let mut text = match &outcome.plan {
        Some(plan) if plan.actions.is_empty() => "nothing to do".to_owned(),
        Some(_) => figures(&outcome.metrics),
        None => String::new(),
    };
    if !text.is_empty() {
        text.push_str("; ");
    }
    text.push_str(&verdict(instance, outcome));
    text.push_str(&ending(outcome, total_ms.into()));
    text
}

/// `7 migrations, 1 boot, 12m30s, sum of ends 1843`.
fn figures(metrics: &Metrics) -> String {
    let counts = [
        (metrics.migrations, "migration", "migrations"),
        (metrics.reinstantiations, "re-instantiation", "re-instantiations"),
        (metrics.boots, "boot", "boots"),
        (metrics.shutdowns, "shutdown", "shutdowns"),
        (metrics.suspends, "suspend", "suspends"),
        (metrics.resumes, "resume", "resumes"),
        (metrics.kills, "kill", "kills"),
        (metrics.forges, "forging", "forgings"),
        (metrics.allocations, "allocation", "allocations"),
        (metrics.node_boots, "node boot", "node boots"),
        (metrics.node_shutdowns, "node shutdown", "node shutdowns"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|part| part.0 > 0)
        .map(|&(number, one, many)| count(number, one, many))
        .collect();
    parts.push(seconds(metrics.makespan));
    parts.push(format!("sum of ends {}", metrics.sum_of_ends));
    parts.join(", ")
}

/// What is known: the status, and each level with its bound.
fn verdict(instance: &Instance, outcome: &Outcome) -> String {
    match outcome.status {
        Status::Infeasible => match &outcome.conflict {
            Some(conflict) => format!("infeasible: {}", clash(instance, conflict)),
            None => "infeasible: no plan exists".to_owned(),
        },
        Status::Unknown => "no plan found, and no proof that none exists".to_owned(),
        Status::Optimal | Status::Feasible => {
            let word = if outcome.status == Status::Optimal { "optimal" } else { "not proved optimal" };
            match outcome.levels.as_slice() {
                [] => word.to_owned(),
                [only] if only.value == plain(only, &outcome.metrics) => {
                    if outcome.status == Status::Optimal && is_shown(only) {
                        format!("{word} (bound {})", only.bound)
                    } else {
                        format!("{word} ({} {}, {})", title(only), amount(only), bound(only))
                    }
                }
                [first, rest @ ..] => {
                    let mut text = format!("{word}: {}", leading(outcome, first));
                    for level in rest {
                        text.push_str(&format!("; {} {} ({})", title(level), amount(level), bound(level)));
                    }
                    text
                }
            }
        }
    }
}

/// The first level: what the status speaks of.
fn leading(outcome: &Outcome, level: &Bounded) -> String {
    let proved = outcome.status == Status::Optimal;
    let own = plain(level, &outcome.metrics);
    if level.value != own {
        // Penalties are part of the first level.
        return format!(
            "{} {own} and penalties {} make {} ({})",
            title(level),
            level.value.saturating_sub(own),
            level.value,
            bound(level)
        );
    }
    let is_relocations = level.level.terms.as_slice() == [(1, Metric::Relocations)];
    match (is_relocations, proved) {
        (true, true) => format!("{} is the fewest", count(level.value, "relocation", "relocations")),
        (true, false) => format!(
            "{}, at least {} needed",
            count(level.value, "relocation", "relocations"),
            if level.bound == 1 { "1 is".to_owned() } else { format!("{} are", level.bound) }
        ),
        (false, true) => format!("{} {} is the least", title(level), amount(level)),
        (false, false) => format!("{} {} ({})", title(level), amount(level), bound(level)),
    }
}

/// The bound, and how far the value is from it.
fn bound(level: &Bounded) -> String {
    if level.value <= level.bound {
        return format!("bound {}", level.bound);
    }
    // Rounded upwards: a gap that is there never reads as 0.
    let gap = (level.gap() * 1000.0).ceil() / 10.0;
    format!("bound {}, gap {gap} %", level.bound)
}

/// The value of a level without penalties.
fn plain(level: &Bounded, metrics: &Metrics) -> u64 {
    level.level.terms.iter().fold(0u64, |sum, &(weight, metric)| {
        sum.saturating_add(metrics.get(metric).saturating_mul(u64::from(weight)))
    })
}

/// Is its value among the figures of the plan?
fn is_shown(level: &Bounded) -> bool {
    matches!(level.level.terms.as_slice(), [(1, Metric::SumOfEnds | Metric::Makespan)])
}

/// The value of a level, with its unit where it has one of its own.
fn amount(level: &Bounded) -> String {
    match level.level.terms.as_slice() {
        [(1, Metric::Energy)] => format!("{} J", level.value),
        _ => level.value.to_string(),
    }
}

/// The name of a level, for a line.
fn title(level: &Bounded) -> String {
    level.level.to_string().replace('_', " ")
}

/// Why it ended, and how long it took.
fn ending(outcome: &Outcome, total_ms: Option<f64>) -> String {
    let timings = &outcome.timings;
    let phases = timings.compile + timings.place + timings.schedule + timings.verify;
    let took = total_ms
        .or(Some(phases).filter(|&sum| sum > 0.0))
        .filter(|ms| ms.is_finite())
        .map(|ms| format!("{:.2} s", ms / 1e3));
    let why = match outcome.stop_reason {
        StopReason::Proved => None,
        StopReason::Gap => Some("within the gap asked for"),
        StopReason::Limit => Some("stopped by the limit"),
        StopReason::Stalled => Some("no better plan for long"),
        StopReason::Interrupted => Some("interrupted"),
    };
    match (why, took) {
        (None, None) => String::new(),
        (None, Some(took)) => format!(" in {took}"),
        (Some(why), None) => format!("; {why}"),
        (Some(why), Some(took)) => format!("; {why} after {took}"),
    }
}

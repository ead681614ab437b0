//! The pipeline: compile, search, raise, order, verify.

use crate::compile;
use crate::compile::Compiled;
use crate::compile::Refusal;
use crate::constraint::deadline::Deadline;
use crate::explain;
use crate::model::Instance;
use crate::model::Metrics;
use crate::model::Plan;
use crate::objective::Metric;
use crate::objective::Objective;
use crate::outcome::Bounded;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::outcome::Options;
use crate::outcome::Outcome;
use crate::outcome::Phase;
use crate::outcome::PlanError;
use crate::outcome::Progress;
use crate::outcome::Status;
use crate::outcome::StopReason;
use crate::outcome::Timings;
use crate::plan;
use crate::search;
use crate::search::Answer;
use crate::search::Limits;
use crate::search::Settings;
use crate::verify;
use crate::verify::VerifyOptions;
use std::time::Instant;

/// Finds a plan: where every VM goes, and in which order.
///
/// The plan has passed [`verify::verify`]. Without limits the search ends when the
/// plan is proved best or nothing better comes for long.
///
/// # Errors
/// When the instance cannot be planned for as it stands. That there is no plan is
/// not an error but [`Status::Infeasible`].
pub fn solve(instance: &Instance, options: &Options) -> Result<Outcome, PlanError> {
    let settled = Deadline::settle(instance, options.start_of_day);
    let instance = settled.as_ref();
    match options.threads {
        None => solve_here(instance, options, false),
        // The callback is called from this thread of the pool only.
        Some(threads) => in_pool(threads, || solve_here(instance, options, false))?,
    }
}

/// The same, content with the first plan.
pub(crate) fn any_plan(instance: &Instance, options: &Options) -> Result<Outcome, PlanError> {
    solve_here(instance, options, true)
}

/// Runs something with so many worker threads.
pub(crate) fn in_pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> Result<T, PlanError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|error| PlanError::Internal(format!("cannot start {threads} threads: {error}")))?;
    Ok(pool.install(run))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn solve_here(instance: &Instance, options: &Options, any: bool) -> Result<Outcome, PlanError> {
    let start = Instant::now();
    let deadline = options.time_limit.map(|limit| start + limit);
    let tell = |phase, best: Option<&[u64]>, bound, steps| {
        if let Some(progress) = &options.progress {
            progress(&Progress { phase, best: best.map(<[u64]>::to_vec), bound, steps });
        }
    };
    tell(Phase::Compile, None, 0, 0);
    let mut timings = Timings::default();
    if options.strict
        && let Some(conflict) = broken_at_source(instance)
    {
        return Ok(infeasible(conflict, timings));
    }
    let mut compiled = match compile::compile(instance) {
        Ok(compiled) => compiled,
        Err(Refusal::Input(message)) => return Err(PlanError::Input(message)),
        Err(Refusal::Conflict(conflict)) => return Ok(infeasible(*conflict, timings)),
    };
    compiled.problem.project.horizon = options.horizon;
    search::tighten::tighten(&mut compiled.problem.packing);
    timings.compile = milliseconds(start);

    let objective = options.objective.as_ref().unwrap_or_else(|| instance.objective());
    let settings = Settings {
        objective,
        limits: Limits { deadline, steps: options.step_limit, cancel: options.cancel.clone() },
        gap: options.gap,
        seed: options.seed,
        any,
    };
    let clock = Instant::now();
    let answer = search::run(&compiled.problem, &settings, &tell);
    timings.schedule = answer.scheduling * 1000.0;
    timings.place = milliseconds(clock) - timings.schedule;
    let Some(steps) = &answer.steps else { return Ok(without_plan(&compiled, answer, timings)) };

    let clock = Instant::now();
    let mut plan = compile::raise(instance, &compiled, steps);
    plan::order(instance, &compiled.posted, &mut plan);
    retime(instance, &compiled, objective, &mut plan);
    explain::reasons(instance, &compiled, &answer.analysis, &mut plan);
    timings.schedule += milliseconds(clock);

    let clock = Instant::now();
    let report =
        verify::verify(instance, &plan, &VerifyOptions { strict: options.strict, horizon: options.horizon });
    timings.verify = milliseconds(clock);
    if let Some(finding) = report.findings.iter().find(|finding| !finding.soft) {
        return Err(PlanError::Internal(format!(
            "the plan that was found does not pass the checker: {}",
            finding.violation.text
        )));
    }
    let metrics = Metrics::of(instance, &plan);
    let levels = bounded(objective, &metrics, report.penalty, &answer);
    let met = levels.first().is_none_or(|level| level.value <= level.bound);
    Ok(Outcome {
        status: if met { Status::Optimal } else { Status::Feasible },
        stop_reason: answer.stop,
        plan: Some(plan),
        levels,
        metrics,
        conflict: None,
        repaired: report.repaired,
        steps: answer.effort,
        timings,
    })
}

/// Starts everything as early as the edges let it, unless that makes the plan worse: a node that
/// boots earlier draws power for longer.
fn retime(instance: &Instance, compiled: &Compiled, objective: &Objective, plan: &mut Plan) {
    let mut earlier = plan.clone();
    plan::retime(instance, &compiled.posted, &mut earlier);
    let values = |plan: &Plan| {
        let metrics = Metrics::of(instance, plan);
        objective.values(|metric| metrics.get(metric))
    };
    if !objective.counts(Metric::Energy) || values(&earlier) <= values(plan) {
        *plan = earlier;
    }
}

fn bounded(objective: &Objective, metrics: &Metrics, penalty: u64, answer: &Answer) -> Vec<Bounded> {
    let mut extra = penalty;
    objective
        .levels
        .iter()
        .zip(&answer.bounds)
        .map(|(level, &bound)| {
            let value = level
                .terms
                .iter()
                .map(|&(weight, metric)| u64::from(weight).saturating_mul(metrics.get(metric)))
                .fold(std::mem::take(&mut extra), u64::saturating_add);
            debug_assert!(bound <= value, "{level:?}: a bound of {bound} above the value {value}");
            Bounded { level: level.clone(), value, bound: bound.min(value) }
        })
        .collect()
}

/// In strict mode, the first thing that the source breaks and may never be broken.
fn broken_at_source(instance: &Instance) -> Option<Conflict> {
    let report = verify::verify(instance, &Plan::default(), &VerifyOptions { strict: true, horizon: None });
    let finding = report.findings.into_iter().find(|finding| {
        !finding.soft
            && finding.at == Some(0)
            && match finding.source {
                verify::Source::Constraint(at) => {
                    instance.constraints()[at as usize].restriction
                        == crate::constraint::Restriction::Continuous
                }
                verify::Source::Core(rule) => rule == verify::CoreRule::Capacity,
            }
    })?;
    let constraints = match finding.source {
        verify::Source::Constraint(at) => vec![at],
        verify::Source::Core(_) => Vec::new(),
    };
    let verify::Finding { violation, .. } = finding;
    Some(Conflict::of(Clash::Source(violation.text), constraints, violation.vms, violation.nodes))
}

fn infeasible(conflict: Conflict, timings: Timings) -> Outcome {
    Outcome {
        status: Status::Infeasible,
        stop_reason: StopReason::Proved,
        plan: None,
        levels: Vec::new(),
        metrics: Metrics::default(),
        conflict: Some(conflict),
        repaired: Vec::new(),
        steps: 0,
        timings,
    }
}

fn without_plan(compiled: &Compiled, answer: Answer, timings: Timings) -> Outcome {
    let conflict = answer.proof.as_ref().map(|proof| explain::conflict(compiled, proof));
    let status = if conflict.is_some() { Status::Infeasible } else { Status::Unknown };
    Outcome {
        status,
        stop_reason: answer.stop,
        plan: None,
        levels: Vec::new(),
        metrics: Metrics::default(),
        conflict,
        repaired: Vec::new(),
        steps: answer.effort,
        timings,
    }
}

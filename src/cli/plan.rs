//! `quadrille plan`: an instance in, a plan out.

use super::Exit;
use super::Failure;
use super::input::Reading;
use super::limits::Limits;
use super::memory;
use super::output;
use super::progress;
use super::script::Origins;
use super::term::Terminal;
use super::units;
use quadrille::Instance;
use quadrille::Objective;
use quadrille::Options;
use quadrille::Outcome;
use quadrille::PlanError;
use quadrille::Status;
use quadrille::explain;
use quadrille::format;
use quadrille::outcome::Clash;
use quadrille::render;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance; `-` for standard input.
    instance: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    limits: Limits,
    /// Stop once the value of the first level of the objective is proved to be within this
    /// share of the least (1%, 0.5%); 0% once it is proved to be the least.
    #[arg(long, value_name = "PERCENT%", value_parser = units::gap)]
    gap: Option<f64>,
    /// What to minimise, instead of what the instance says: metrics joined by `+` with
    /// weights as `3*makespan`, levels separated by commas. Metrics: relocations, mttr,
    /// sum_of_ends, makespan, relocation_time, nodes_on, energy.
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Option<Objective>,
    /// Refuse a source configuration that breaks a continuous rule, instead of repairing it.
    #[arg(long)]
    strict: bool,
    /// Exit with 5 unless the plan is proved optimal. It is printed all the same.
    #[arg(long)]
    require_optimal: bool,
    /// How to print the plan; without it the name of the output decides (`.json`, `.dot`),
    /// and else it is text.
    #[arg(long, value_enum)]
    format: Option<PlanFormat>,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PlanFormat {
    /// One line an action, with the condition on which it starts.
    Text,
    /// One document with the plan, its figures and its proof.
    Json,
    /// BtrPlace's plan JSON.
    Btrplace,
    /// The conditions only: what waits for what.
    Events,
    /// The graph of actions, for Graphviz.
    Dot,
}

impl Arguments {
    fn format(&self) -> PlanFormat {
        self.format.unwrap_or_else(|| match output::ending(self.output.as_deref()).as_str() {
            "json" => PlanFormat::Json,
            "dot" | "gv" => PlanFormat::Dot,
            _ => PlanFormat::Text,
        })
    }
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let start = Instant::now();
    output::probe(arguments.output.as_deref())?;
    let (instance, origins) = arguments.reading.instance_with_origins(&arguments.instance, terminal)?;
    let read_ms = milliseconds(start.elapsed());

    let line = progress::Line::new(terminal);
    let options = Options {
        objective: arguments.objective.clone(),
        gap: arguments.gap,
        strict: arguments.strict,
        progress: line.callback(),
        ..arguments.limits.options()
    };
    let outcome = quadrille::solve(&instance, &options);
    drop(line);
    let mut outcome = outcome.map_err(|error| match error {
        PlanError::Input(_) => super::input::fault(&arguments.instance, error),
        PlanError::Internal(_) => Failure::internal(error),
    })?;
    name_conflict(&instance, &mut outcome, &options, &origins, terminal);
    let measured = render::Measured {
        read_ms,
        total_ms: milliseconds(start.elapsed()),
        peak_rss_mib: memory::peak_mib(),
    };
    tell(&instance, &outcome, &measured, arguments, terminal);
    print(&instance, &outcome, &measured, arguments, terminal)?;
    let exit = exit(&outcome, arguments.require_optimal);
    // The process ends here: a million parts need not be given back one by one.
    std::mem::forget((instance, outcome));
    Ok(exit)
}

/// Where there is no plan: the smallest conflict that is found soon, and where its rules
/// were stated.
fn name_conflict(
    instance: &Instance,
    outcome: &mut Outcome,
    options: &Options,
    origins: &Origins,
    terminal: &Terminal,
) {
    /// Steps and time that are spent on making it small.
    const STEPS: u64 = 50_000;
    const TIME: Duration = Duration::from_secs(5);
    let Some(conflict) = &mut outcome.conflict else { return };
    if !matches!(conflict.clash, Clash::Source(_)) {
        let time = options.time_limit.unwrap_or(TIME).min(TIME);
        let options = Options {
            time_limit: Some(time),
            step_limit: Some(options.step_limit.unwrap_or(STEPS).min(STEPS)),
            progress: None,
            ..options.clone()
        };
        if let Some(smallest) = explain::smallest(instance, &options) {
            *conflict = smallest;
        }
    }
    origins.tell(instance, conflict, terminal);
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn exit(outcome: &Outcome, require_optimal: bool) -> Exit {
    match outcome.status {
        Status::Optimal => Exit::Done,
        Status::Feasible if require_optimal => Exit::NotOptimal,
        Status::Feasible => Exit::Done,
        Status::Infeasible => Exit::Infeasible,
        Status::Unknown => Exit::Unknown,
    }
}

/// What stands beside the result: the summary where that is not part of it, and timings.
fn tell(
    instance: &Instance,
    outcome: &Outcome,
    measured: &render::Measured,
    arguments: &Arguments,
    terminal: &Terminal,
) {
    if arguments.output.is_some() || !matches!(arguments.format(), PlanFormat::Text) {
        terminal.note(render::summary(instance, outcome, measured.total_ms));
    }
    if !terminal.is_verbose() {
        return;
    }
    let timings = &outcome.timings;
    terminal.note(format_args!(
        "{} steps; read {:.0} ms, compile {:.0} ms, place {:.0} ms, schedule {:.0} ms, verify {:.0} ms, \
         total {:.0} ms{}",
        outcome.steps,
        measured.read_ms,
        timings.compile,
        timings.place,
        timings.schedule,
        timings.verify,
        measured.total_ms,
        measured.peak_rss_mib.map_or_else(String::new, |peak| format!("; {peak:.0} MiB at most"))
    ));
}

fn print(
    instance: &Instance,
    outcome: &Outcome,
    measured: &render::Measured,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let output = arguments.output.as_deref();
    let text = match (arguments.format(), &outcome.plan) {
        (PlanFormat::Json, _) => render::json_text(&render::json(instance, outcome, measured)),
        (PlanFormat::Text, _) => {
            let options = render::TextOptions {
                color: output.is_none() && terminal.colors_results(),
                verbose: terminal.is_verbose(),
                total_ms: Some(measured.total_ms),
            };
            render::text(instance, outcome, &options)
        }
        (PlanFormat::Btrplace, Some(plan)) => {
            let written = format::btrplace::write_plan(instance, plan);
            return super::convert::deliver(written, output, terminal);
        }
        (PlanFormat::Events, Some(plan)) => render::events(instance, plan),
        (PlanFormat::Dot, Some(plan)) => render::dot(instance, plan),
        (PlanFormat::Btrplace | PlanFormat::Events | PlanFormat::Dot, None) => {
            // These formats have no word for "no plan": standard error and the exit code say it.
            if arguments.output.is_none() {
                terminal.error(render::summary(instance, outcome, measured.total_ms));
            }
            return Ok(());
        }
    };
    output::text(output, &text)
}

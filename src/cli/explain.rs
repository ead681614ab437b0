//! `quadrille explain`: why there is no plan.

use super::Exit;
use super::Failure;
use super::input::Reading;
use super::output;
use super::progress;
use super::term::Terminal;
use super::units;
use quadrille::Options;
use quadrille::PlanError;
use quadrille::Status;
use quadrille::explain;
use quadrille::render;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance; `-` for standard input.
    instance: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Stop after this long (500ms, 10s, 2m); what was found by then is printed.
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    time_limit: Option<Duration>,
    /// Stop after so many placements tried, over all questions.
    #[arg(long, value_name = "N")]
    step_limit: Option<u64>,
    /// Seed of all random choices.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Worker threads, all cores by default; they never change the answer.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The last moment at which a plan may end, from its start (90s, 10m).
    #[arg(long, value_name = "TIME", value_parser = units::seconds)]
    horizon: Option<u64>,
    /// The time of day at which the plan starts, for deadlines given as a time of day.
    #[arg(long, value_name = "HH:MM:SS", value_parser = units::time_of_day)]
    start: Option<u32>,
    /// How to print the answer; without it the name of the output decides (`.json`, `.dot`),
    /// and else it is text.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Conflicts in words, one line a member.
    Text,
    /// One document.
    Json,
    /// The conflicts as a graph, for Graphviz.
    Dot,
}

impl Arguments {
    fn format(&self) -> Format {
        self.format.unwrap_or_else(|| match output::ending(self.output.as_deref()).as_str() {
            "json" => Format::Json,
            "dot" | "gv" => Format::Dot,
            _ => Format::Text,
        })
    }
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    output::probe(arguments.output.as_deref())?;
    let instance = arguments.reading.instance(&arguments.instance, terminal)?;
    let options = Options {
        objective: None,
        time_limit: arguments.time_limit,
        step_limit: arguments.step_limit,
        seed: arguments.seed,
        threads: arguments.threads.map(usize::from),
        horizon: arguments.horizon,
        strict: false,
        start_of_day: arguments.start,
        cancel: progress::cancel_on_interrupt(),
        progress: None,
    };
    let explanation = explain::explain(&instance, &options).map_err(|error| match error {
        PlanError::Input(_) => super::input::fault(&arguments.instance, error),
        PlanError::Internal(_) => Failure::internal(error),
    })?;
    let text = match arguments.format() {
        Format::Text => render::explanation(&instance, &explanation),
        Format::Json => render::json_text(&render::explanation_json(&instance, &explanation)),
        Format::Dot => render::explanation_dot(&instance, &explanation),
    };
    output::text(arguments.output.as_deref(), &text)?;
    let exit = match explanation.status {
        Status::Optimal | Status::Feasible => Exit::Done,
        Status::Infeasible => Exit::Infeasible,
        Status::Unknown => Exit::Unknown,
    };
    std::mem::forget((instance, explanation));
    Ok(exit)
}

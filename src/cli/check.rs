//! `quadrille check`: every violation, in words.

use super::Exit;
use super::Failure;
use super::input;
use super::input::Reading;
use super::output;
use super::term::Terminal;
use super::units;
use quadrille::constraint::deadline::Deadline;
use quadrille::render;
use quadrille::verify;
use quadrille::verify::Conditions;
use quadrille::verify::VerifyOptions;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance; `-` for standard input.
    instance: PathBuf,
    /// The plan to replay; without one, the source configuration is checked.
    plan: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Do not forgive a plan what was broken before it.
    #[arg(long, requires = "plan")]
    strict: bool,
    /// The last moment at which the plan may end, from its start (90s, 10m).
    #[arg(long, value_name = "TIME", value_parser = units::seconds, requires = "plan")]
    horizon: Option<u64>,
    /// The time of day at which the plan starts, for deadlines given as a time of day.
    #[arg(long, value_name = "HH:MM:SS", value_parser = units::time_of_day, requires = "plan")]
    start: Option<u32>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum ReportFormat {
    /// One line a violation.
    #[default]
    Text,
    /// One document.
    Json,
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    input::distinct(&arguments.instance, arguments.plan.as_ref())?;
    output::probe(arguments.output.as_deref())?;
    let instance = arguments.reading.instance(&arguments.instance, terminal)?;
    let report = match &arguments.plan {
        None => verify::verify_source(&instance),
        Some(path) => {
            let (plan, has_conditions) = arguments.reading.plan(path, &instance)?;
            let options = VerifyOptions { strict: arguments.strict, horizon: arguments.horizon };
            let settled = Deadline::settle(&instance, arguments.start);
            let mut report = verify::verify(&settled, &plan, &options);
            if has_conditions {
                verify::verify_conditions(&settled, &plan, &mut report);
            } else {
                report.conditions = Conditions::Lacking;
            }
            report
        }
    };
    let text = match arguments.format {
        ReportFormat::Text => render::report(&instance, &report),
        ReportFormat::Json => render::json_text(&render::report_json(&instance, &report)),
    };
    output::text(arguments.output.as_deref(), &text)?;
    let exit = if report.is_ok() { Exit::Done } else { Exit::Violation };
    // The process ends here: a million parts need not be given back one by one.
    std::mem::forget((instance, report));
    Ok(exit)
}

//! `quadrille convert`: the same instance, or plan, in another format.

use super::Exit;
use super::Failure;
use super::input;
use super::input::Reading;
use super::output;
use super::term::Terminal;
use quadrille::Instance;
use quadrille::Outcome;
use quadrille::Plan;
use quadrille::Status;
use quadrille::StopReason;
use quadrille::format::FormatError;
use quadrille::format::WriteOptions;
use quadrille::format::Written;
use quadrille::format::btrplace;
use quadrille::format::native;
use quadrille::model::Metrics;
use quadrille::outcome::Timings;
use quadrille::render;
use quadrille::script;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance; `-` for standard input.
    instance: PathBuf,
    /// A plan for it: it is converted instead of the instance, whose names and numbers it needs.
    plan: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// The format to write; may be left out where the name of the output ends in `.btrp`.
    /// What it cannot say is an error, or a note with `--lenient`.
    #[arg(long, value_enum)]
    format: Option<InstanceFormat>,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A format that can say a whole instance.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum InstanceFormat {
    /// Our own JSON, by names.
    Quadrille,
    /// BtrPlace's JSON, by numbers.
    Btrplace,
    /// A rule file that declares the cluster and states its rules, for people to change.
    Btrp,
}

/// The format that was asked for, or that the name of the output tells.
fn format(arguments: &Arguments) -> Result<InstanceFormat, Failure> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let name = arguments.output.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let is_script = |name: &str| name.strip_suffix(".gz").unwrap_or(name).ends_with(".btrp");
    match name {
        Some(name) if is_script(&name) => Ok(InstanceFormat::Btrp),
        _ => {
            Err(Failure::input("which format? `--format quadrille`, `--format btrplace` or `--format btrp`"))
        }
    }
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    input::distinct(&arguments.instance, arguments.plan.as_ref())?;
    let format = format(arguments)?;
    if arguments.plan.is_some() && matches!(format, InstanceFormat::Btrp) {
        return Err(Failure::input("rule files cannot say plans; write it as `quadrille` or `btrplace`"));
    }
    output::probe(arguments.output.as_deref())?;
    let reading = &arguments.reading;
    let instance = reading.instance(&arguments.instance, terminal)?;
    let output = arguments.output.as_deref();
    match &arguments.plan {
        None => write_instance(&instance, format, reading.lenient, output, terminal)?,
        Some(path) => {
            let (plan, _) = reading.plan(path, &instance)?;
            match format {
                InstanceFormat::Quadrille => {
                    output::text(output, &render::json_text(&document(&instance, plan)))?;
                }
                InstanceFormat::Btrplace => {
                    deliver(btrplace::write_plan(&instance, &plan), output, terminal)?;
                }
                // Refused above.
                InstanceFormat::Btrp => {}
            }
        }
    }
    // The process ends here: a million parts need not be given back one by one.
    std::mem::forget(instance);
    Ok(Exit::Done)
}

/// A plan that comes from elsewhere, as our own document: its actions and figures. Of
/// what a search would know (status, bound, timings) nothing is known.
fn document(instance: &Instance, plan: Plan) -> Value {
    let outcome = Outcome {
        status: Status::Feasible,
        stop_reason: StopReason::Limit,
        metrics: Metrics::of(instance, &plan),
        plan: Some(plan),
        levels: Vec::new(),
        conflict: None,
        repaired: Vec::new(),
        steps: 0,
        timings: Timings::default(),
    };
    let mut document = render::json(instance, &outcome, &render::Measured::default());
    if let Some(keys) = document.as_object_mut() {
        keys.retain(|key, _| matches!(key.as_str(), "schema" | "metrics" | "plan"));
    }
    document
}

/// Writes an instance; what the format cannot say is an error, or a note where `lossy`.
pub(super) fn write_instance(
    instance: &Instance,
    format: InstanceFormat,
    lossy: bool,
    output: Option<&Path>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    match format {
        InstanceFormat::Quadrille => {
            let text = native::write_instance(instance).map_err(Failure::input)?;
            output::text(output, &text)
        }
        InstanceFormat::Btrplace => {
            let options = WriteOptions { lossy };
            deliver(btrplace::write_instance(instance, &options), output, terminal)
        }
        InstanceFormat::Btrp => deliver(script::write(instance, &WriteOptions { lossy }), output, terminal),
    }
}

/// Writes a document and tells its notes.
pub(super) fn deliver(
    written: Result<Written, FormatError>,
    output: Option<&Path>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let written = written.map_err(Failure::input)?;
    for note in &written.notes {
        terminal.note(note);
    }
    output::text(output, &written.text)
}

//! `quadrille lint`: what is probably not meant so in rule files.

use super::Exit;
use super::Failure;
use super::input::Reading;
use super::output;
use super::script::Disk;
use super::script::Form;
use super::term::Terminal;
use quadrille::script;
use quadrille::script::Program;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The rule files, taken together in this order.
    #[arg(required = true, value_name = "FILE.btrp")]
    files: Vec<PathBuf>,
    /// The cluster that the rules are for, where they do not declare it themselves; `-` for
    /// standard input.
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
    /// Leave out what is unknown in the cluster, with a note, instead of refusing it.
    #[arg(long, requires = "cluster")]
    lenient: bool,
    /// Where rule files that import others look for them, before their own folders.
    #[arg(long, value_name = "FOLDER")]
    include: Vec<PathBuf>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let out = arguments.output.as_deref();
    output::probe(out)?;
    let reading = Reading::plain(arguments.lenient);
    let base = arguments.cluster.as_ref().map(|path| reading.instance(path, terminal)).transpose()?;
    let program = Program::load(&arguments.files, &arguments.include, &Disk);
    let found = match program.apply(base) {
        Ok(built) => script::lint(&program, &built),
        Err(diagnostics) => diagnostics,
    };
    let text = match arguments.format {
        Form::Human => {
            script::render::human(program.report(), &found, out.is_none() && terminal.colors_results())
        }
        Form::Json => script::render::json_lines(program.report(), &found),
    };
    output::write(out, |out| out.write_all(text.as_bytes()))?;
    Ok(if found.is_empty() { Exit::Done } else { Exit::Violation })
}

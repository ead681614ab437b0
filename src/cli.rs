//! Arguments in, exit code out; one file a subcommand.

mod check;
mod completions;
mod convert;
mod doc;
mod explain;
mod fmt;
mod generate;
mod input;
mod limits;
mod lint;
mod lsp;
mod man;
mod memory;
mod output;
mod plan;
mod progress;
mod schema;
mod script;
mod term;
mod units;

use clap::Parser;
use clap::Subcommand;
use std::ffi::OsString;
use std::fmt::Display;
use term::Color;
use term::Terminal;

/// What the command returns to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done; also: there was nothing to do.
    Done = 0,
    /// A mistake of ours.
    Internal = 1,
    /// Bad usage or bad input.
    Input = 2,
    /// Proved: there is no plan.
    Infeasible = 3,
    /// A limit or an interrupt came before a plan.
    Unknown = 4,
    /// `--require-optimal`, and the plan is not proved to be.
    NotOptimal = 5,
    /// `check` found a violation, `lint` something to say, `fmt --check` a file in another form.
    Violation = 6,
}

/// Why the command gives up.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    /// Empty where everything has been said.
    message: String,
}

impl Failure {
    /// The fault of the files given, which has been told.
    fn silent() -> Self {
        Self { exit: Exit::Input, message: String::new() }
    }

    /// The fault of the files or arguments given.
    fn input(message: impl Display) -> Self {
        Self { exit: Exit::Input, message: message.to_string() }
    }

    /// Our own fault.
    fn internal(message: impl Display) -> Self {
        Self { exit: Exit::Internal, message: message.to_string() }
    }
}

const EXAMPLES: &str = "\
Examples:
  quadrille plan cluster.json                     place, schedule, print the plan
  quadrille plan cluster.json.gz --format json -o plan.json --time-limit 10s
  quadrille plan cluster.json --rules site.btrp   with the rules of a file besides
  quadrille plan cluster.btrp                     a cluster that a rule file declares
  quadrille check cluster.json plan.json          every violation, in words
  quadrille explain cluster.json                  why there is no plan, and what would help
  quadrille lint site.btrp --cluster cluster.json what is odd about rules
  quadrille fmt site.btrp                         in the usual form, comments kept
  quadrille convert cluster.json -o btrplace.json --format btrplace
  quadrille convert cluster.json -o cluster.btrp  as a rule file, to read and change
  quadrille doc spread                            the manual page of a constraint
  quadrille doc E0101                             what a mistake in a rule file means

Instances and plans are Quadrille JSON or BtrPlace JSON, told apart by content;
gzip is accepted, and `-` reads standard input. A rule file (`.btrp`) may declare
the instance.

Exit codes:
  0  done (also: nothing to do)     4  stopped by a limit without a plan
  1  internal error                 5  --require-optimal not met
  2  bad usage or bad input         6  check, lint or fmt --check found something
  3  infeasible, proved";

const LSP: &str = "\
A language server on standard input and output: mistakes in rule files as one types,
manual pages and values under the cursor, completion, definitions, symbols.

Options that the editor may send with `initialize`:
  include  a list of folders in which `import` looks, before those of the files
  cluster  an instance: what rules are about when they declare no cluster themselves";

/// The options that every subcommand takes.
const COMMON: &str = "Common options";

/// Plans the reconfiguration of clusters of virtual machines: where every VM goes, and in which order.
#[derive(Debug, Parser)]
#[command(name = "quadrille", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = COMMON)]
    color: Color,
    /// No progress and no notes.
    #[arg(short, long, global = true, help_heading = COMMON)]
    quiet: bool,
    /// More notes: timings, repaired rules.
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = COMMON)]
    verbose: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Find a plan and print it.
    Plan(plan::Arguments),
    /// Is the source configuration (or the plan) right? Every violation, in words.
    Check(check::Arguments),
    /// Why is there no plan? The smallest conflicts, and what would help.
    Explain(explain::Arguments),
    /// What is probably not meant so in rule files: names nothing uses, rules that never hold.
    Lint(lint::Arguments),
    /// Write an instance, or a plan, in another format.
    Convert(convert::Arguments),
    /// Print the JSON Schema of a format.
    Schema(schema::Arguments),
    /// Write a synthetic instance.
    Generate(generate::Arguments),
    /// Print the manual page of a constraint or of a mistake, or list the constraints.
    Doc(doc::Arguments),
    /// Write rule files in their usual form: one statement a line, blocks indented.
    Fmt(fmt::Arguments),
    /// Speak with an editor: mistakes, help, completion and definitions in rule files.
    #[command(long_about = LSP)]
    Lsp(lsp::Arguments),
    /// Print what a shell needs to complete the arguments of this command.
    Completions(completions::Arguments),
    /// Print the manual page of this command, or write one for each subcommand into a folder.
    Man(man::Arguments),
}

/// Does what the arguments say; returns the exit code. Prints its own errors.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` come as errors too; a closed pipe is not ours to report.
            let _ = error.print();
            return if error.use_stderr() { Exit::Input as i32 } else { Exit::Done as i32 };
        }
    };
    let terminal = Terminal::new(arguments.color, arguments.quiet, arguments.verbose);
    let result = match arguments.task {
        Task::Plan(arguments) => plan::run(&arguments, &terminal),
        Task::Check(arguments) => check::run(&arguments, &terminal),
        Task::Explain(arguments) => explain::run(&arguments, &terminal),
        Task::Lint(arguments) => lint::run(&arguments, &terminal),
        Task::Convert(arguments) => convert::run(&arguments, &terminal),
        Task::Schema(arguments) => schema::run(&arguments),
        Task::Generate(arguments) => generate::run(&arguments, &terminal),
        Task::Doc(arguments) => doc::run(&arguments),
        Task::Fmt(arguments) => fmt::run(&arguments, &terminal),
        Task::Lsp(arguments) => lsp::run(&arguments),
        Task::Completions(arguments) => completions::run(&arguments),
        Task::Man(arguments) => man::run(&arguments),
    };
    match result {
        Ok(exit) => exit as i32,
        Err(failure) => {
            if !failure.message.is_empty() {
                terminal.error(&failure.message);
            }
            failure.exit as i32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn usage_errors_are_input_errors() {
        let run = |line: &str| run(line.split(' ').map(OsString::from));
        assert_eq!(run("quadrille plan a.json --time-limit soon"), Exit::Input as i32);
        assert_eq!(run("quadrille plan a.json --objective speed"), Exit::Input as i32);
        assert_eq!(run("quadrille plan a.json --start 25:00:00"), Exit::Input as i32);
        assert_eq!(run("quadrille frobnicate"), Exit::Input as i32);
        assert_eq!(run("quadrille plan /does/not/exist.json"), Exit::Input as i32);
    }
}

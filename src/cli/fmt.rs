//! `quadrille fmt`: rule files in their usual form.

use super::Exit;
use super::Failure;
use super::input;
use super::output;
use super::output::is_standard;
use super::script::Disk;
use super::term::Terminal;
use quadrille::script;
use quadrille::script::Files;
use quadrille::script::Report;
use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The rule files, which are written anew; `-` reads standard input and prints the result.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; name the files that would change, and exit with 6 if there are any.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.files.iter().filter(|path| is_standard(path)).count() > 1 {
        return Err(Failure::input("standard input can be read once"));
    }
    let mut different = Vec::new();
    let mut failures = 0usize;
    for path in &arguments.files {
        let text = read(path)?;
        let formatted = match quadrille_dsl::format(&text) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                // The others can still be formatted.
                failures += 1;
                let report = Report::of(&input::name(path), text);
                terminal.verbatim(&script::render::human(&report, &diagnostics, terminal.colors_messages()));
                continue;
            }
        };
        if arguments.check {
            if formatted != text {
                different.push(input::name(path));
            }
        } else if is_standard(path) {
            output::write(None, |out| out.write_all(formatted.as_bytes()))?;
        } else if formatted != text {
            fs::write(path, &formatted)
                .map_err(|error| input::fault(path, format_args!("cannot be written: {error}")))?;
        }
    }
    output::write(None, |out| different.iter().try_for_each(|name| writeln!(out, "{name}")))?;
    match failures {
        0 if different.is_empty() => Ok(Exit::Done),
        0 => Ok(Exit::Violation),
        1 => Err(Failure::input("a file has mistakes and stays as it is")),
        _ => Err(Failure::input(format!("{failures} files have mistakes and stay as they are"))),
    }
}

/// The text of a rule file, or so much of it that it is seen to be too long.
fn read(path: &Path) -> Result<String, Failure> {
    let most = quadrille_dsl::LARGEST as u64;
    let bytes = if is_standard(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        Disk.read(path, most)
    };
    let bytes = bytes.map_err(|error| input::fault(path, format_args!("cannot be read: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(input::fault(path, format_args!("is longer than {} MiB", most >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        input::fault(path, format_args!("is not UTF-8: byte {at} is not part of it"))
    })
}

//! `quadrille completions`: the script that teaches a shell our arguments.

use super::Exit;
use super::Failure;
use super::output;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_complete::generate;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    // The generators write to a vector only: a closed pipe would end them in a panic.
    let mut script = Vec::new();
    generate(arguments.shell, &mut super::Arguments::command(), "quadrille", &mut script);
    output::write(None, |out| out.write_all(&script))?;
    Ok(Exit::Done)
}

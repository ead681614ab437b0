//! `quadrille man`: manual pages in the format of `man`.

use super::Exit;
use super::Failure;
use super::output;
use clap::Command;
use clap::CommandFactory;
use clap_mangen::Man;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write `quadrille.1` and a page for each subcommand into this folder; it is made if need be.
    folder: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut command = super::Arguments::command();
    // Gives each subcommand the options that all have in common.
    command.build();
    let Some(folder) = &arguments.folder else {
        let (_, page) = page(&command)?;
        output::write(None, |out| out.write_all(&page))?;
        return Ok(Exit::Done);
    };
    let fail = |error| Failure::input(format!("{}: cannot be written: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(fail)?;
    let mut pages = vec![page(&command)?];
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        pages.push(page(subcommand)?);
    }
    for (name, page) in pages {
        let path = folder.join(format!("{name}.1"));
        output::write(Some(&path), |out| out.write_all(&page))?;
    }
    Ok(Exit::Done)
}

/// The page of a command and its name; subcommands are called `quadrille-plan` and the like.
fn page(command: &Command) -> Result<(String, Vec<u8>), Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name.as_str())
        .section("1")
        .source(concat!("quadrille ", env!("CARGO_PKG_VERSION")))
        .render(&mut text)
        .map_err(|error| Failure::internal(format!("the manual page of {name}: {error}")))?;
    Ok((name, text))
}

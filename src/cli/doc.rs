//! `quadrille doc`: manual pages.

use super::Exit;
use super::Failure;
use super::output;
use quadrille::constraint;
use quadrille::format;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The constraint; all of them are listed where none is named.
    constraint: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let Some(name) = &arguments.constraint else {
        output::write(None, |out| {
            let width = constraint::REGISTRY.iter().map(|signature| signature.name.len()).max().unwrap_or(0);
            for signature in constraint::REGISTRY {
                let page = constraint::manual_page(signature);
                // The first line of a page is "`name`: what it says."
                let first = page.lines().next().unwrap_or_default();
                let says = first.split_once(": ").map_or(first, |(_, says)| says);
                writeln!(out, "{:width$}  {says}", signature.name)?;
            }
            Ok(())
        })?;
        return Ok(Exit::Done);
    };
    let Some(signature) = constraint::signature(name) else {
        let names = constraint::REGISTRY.iter().map(|signature| signature.name);
        let hint = match format::nearest(name, names) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`quadrille doc` lists them all".to_owned(),
        };
        return Err(Failure::input(format!("no constraint is called `{name}`; {hint}")));
    };
    output::text(None, &constraint::manual_page(signature))?;
    Ok(Exit::Done)
}

//! `quadrille doc`: manual pages.

use super::Exit;
use super::Failure;
use super::output;
use quadrille::constraint;
use quadrille::format;
use quadrille::script;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The constraint, or the code of a mistake in a rule file (`E0101`); all constraints
    /// are listed where none is named.
    #[arg(value_name = "NAME")]
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
    if let Some(text) = script::explain(&name.to_uppercase()) {
        output::write(None, |out| out.write_all(text.as_bytes()))?;
        return Ok(Exit::Done);
    }
    let Some(signature) = constraint::signature(name) else {
        let names = constraint::REGISTRY.iter().map(|signature| signature.name);
        let hint = match format::nearest(name, names) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`quadrille doc` lists them all".to_owned(),
        };
        let what = if is_code(name) { "mistake has the code" } else { "constraint is called" };
        return Err(Failure::input(format!("no {what} `{name}`; {hint}")));
    };
    output::text(None, &constraint::manual_page(signature))?;
    Ok(Exit::Done)
}

/// Does it look like `E0101`?
fn is_code(name: &str) -> bool {
    let digits = name.strip_prefix(['E', 'W', 'e', 'w']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

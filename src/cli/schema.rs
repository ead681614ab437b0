//! `quadrille schema`: the JSON Schema of our own formats.

use super::Exit;
use super::Failure;
use super::output;
use quadrille::format;
use quadrille::format::SchemaKind;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Of which format.
    #[arg(value_enum)]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    /// What `plan` reads.
    Instance,
    /// What `plan --format json` writes.
    Plan,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let kind = match arguments.kind {
        Kind::Instance => SchemaKind::Instance,
        Kind::Plan => SchemaKind::Plan,
    };
    let schema = format::schema(kind);
    output::write(None, |out| writeln!(out, "{schema:#}"))?;
    Ok(Exit::Done)
}

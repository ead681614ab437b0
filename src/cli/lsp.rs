//! `quadrille lsp`: a language server for rule files, on standard input and output.

mod analysis;
mod answer;
mod complete;
mod context;
mod diagnostics;
mod document;
mod location;
mod outline;
mod position;
mod server;
mod wire;

use super::Exit;
use super::Failure;
use server::Event;
use server::Server;
use std::io;
use std::sync::mpsc;
use std::thread;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Editors say it; there is no other way.
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Trees are walked recursively.
const STACK: usize = 64 << 20;

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { stdio: _ } = arguments;
    let (events, incoming) = mpsc::channel();
    let (jobs, wanted) = mpsc::channel();
    let results = events.clone();
    let failed = |error| Failure::internal(format!("no thread could be started: {error}"));
    thread::Builder::new().spawn(move || listen(&events)).map_err(failed)?;
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || analysis::work(&wanted, &results))
        .map_err(failed)?;
    let mut out = io::stdout().lock();
    match Server::new(&mut out, incoming, jobs).run() {
        Ok(Ok(true)) => Ok(Exit::Done),
        // The protocol wants another code where `shutdown` did not come first.
        Ok(Ok(false)) => Ok(Exit::Internal),
        Ok(Err(why)) => Err(Failure::input(format!("standard input: {why}"))),
        Err(error) => Err(Failure::input(format!("standard output: {error}"))),
    }
}

/// Hands on what comes on standard input.
fn listen(events: &mpsc::Sender<Event>) {
    let mut input = io::stdin().lock();
    loop {
        let event = match wire::read(&mut input) {
            Ok(Some(incoming)) => Event::Said(incoming),
            Ok(None) => Event::Silence(None),
            Err(error) => Event::Silence(Some(error.to_string())),
        };
        let last = matches!(event, Event::Silence(_));
        if events.send(event).is_err() || last {
            return;
        }
    }
}

//! What is said on standard error, and in which colours.

use std::env;
use std::fmt;
use std::io;
use std::io::IsTerminal;
use std::io::Write;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
                stream.is_terminal() && !refused && !dumb
            }
        }
    }
}

/// Standard error, and how much to say on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    color: Color,
    quiet: bool,
    verbose: bool,
}

impl Terminal {
    pub(crate) fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        Self { color, quiet, verbose }
    }

    /// Colours for what goes to standard output?
    pub(crate) fn colors_results(&self) -> bool {
        self.color.on(&io::stdout())
    }

    /// Is somebody watching who wants to see progress?
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Was more asked for?
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Is nothing wanted but results and errors?
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Colours for what goes to standard error?
    pub(crate) fn colors_messages(&self) -> bool {
        self.color.on(&io::stderr())
    }

    /// Says what is in form already.
    pub(crate) fn verbatim(&self, text: &str) {
        // Nobody is left to tell when standard error itself fails.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Tells why the command gives up.
    pub(crate) fn error(&self, message: impl fmt::Display) {
        self.say("error", "31", message);
    }

    /// Tells what the user should know though all went well.
    pub(crate) fn note(&self, message: impl fmt::Display) {
        if !self.quiet {
            self.say("note", "36", message);
        }
    }

    fn say(&self, word: &str, code: &str, message: impl fmt::Display) {
        let mut stderr = io::stderr().lock();
        // Nobody is left to tell when standard error itself fails.
        let _ = if self.color.on(&io::stderr()) {
            writeln!(stderr, "\x1b[1;{code}m{word}:\x1b[0m {message}")
        } else {
            writeln!(stderr, "{word}: {message}")
        };
    }
}

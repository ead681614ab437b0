//! Files and standard input.

use super::Failure;
use super::output::is_standard;
use super::script;
use super::script::Origins;
use super::script::Rules;
use super::term::Terminal;
use quadrille::Instance;
use quadrille::Plan;
use quadrille::format;
use quadrille::format::ReadInstance;
use quadrille::format::ReadOptions;
use serde::de::IgnoredAny;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// How instances and plans are read; common to all subcommands that read.
#[derive(Debug, clap::Args)]
pub(super) struct Reading {
    /// Leave out what is unknown, with a note, instead of refusing it.
    #[arg(long)]
    pub(super) lenient: bool,
    /// Refuse texts longer than this, once unpacked (512MiB, 2GB …).
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = super::units::size)]
    max_read_size: u64,
    #[command(flatten)]
    rules: Rules,
}

impl Reading {
    /// As it is where nothing is asked for; without rules.
    pub(super) fn plain(lenient: bool) -> Self {
        Self { lenient, max_read_size: format::LONGEST_TEXT, rules: Rules::default() }
    }

    /// Reads an instance, with the rules that are given besides; notes go to standard error.
    pub(super) fn instance(&self, path: &Path, terminal: &Terminal) -> Result<Instance, Failure> {
        Ok(self.instance_with_origins(path, terminal)?.0)
    }

    /// The same, with the places of its constraints in rule files.
    pub(super) fn instance_with_origins(
        &self,
        path: &Path,
        terminal: &Terminal,
    ) -> Result<(Instance, Origins), Failure> {
        if script::is_script(path) {
            return self.rules.apply(None, Some(path), terminal);
        }
        let instance = self.document(path, terminal)?.instance;
        if self.rules.is_empty() {
            return Ok((instance, Origins::default()));
        }
        self.rules.apply(Some(instance), None, terminal)
    }

    /// Reads an instance that is JSON.
    fn document(&self, path: &Path, terminal: &Terminal) -> Result<ReadInstance, Failure> {
        let bytes = self.bytes(path)?;
        let read = format::read_instance(&bytes, &self.options()).map_err(|error| fault(path, error))?;
        for note in &read.notes {
            terminal.note(format_args!("{}: {note}", name(path)));
        }
        Ok(read)
    }

    /// Reads a plan for an instance, and says whether its format has conditions.
    pub(super) fn plan(&self, path: &Path, instance: &Instance) -> Result<(Plan, bool), Failure> {
        let bytes = self.bytes(path)?;
        let is_btrplace = is_btrplace(&bytes);
        let plan = if is_btrplace {
            format::btrplace::read_plan(&bytes, instance)
        } else {
            format::native::read_plan(&bytes, instance)
        };
        let plan = plan.map_err(|error| fault(path, error))?;
        Ok((plan, !is_btrplace))
    }

    fn options(&self) -> ReadOptions {
        ReadOptions { lenient: self.lenient }
    }

    /// The text of a file, unpacked.
    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        // The readers keep offsets of 32 bits.
        let limit = self.max_read_size.min(format::LONGEST_TEXT);
        let fail = |error: io::Error| fault(path, format_args!("cannot be read: {error}"));
        let mut bytes = Vec::new();
        // Packed or not, what is too long on disk is too long in memory; one byte more tells.
        if is_standard(path) {
            io::stdin().lock().take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
        } else {
            let file = File::open(path).map_err(fail)?;
            let expected = file.metadata().map_or(0, |metadata| metadata.len().min(limit));
            bytes.reserve_exact(usize::try_from(expected).unwrap_or(0) + 1);
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
        }
        format::inflate(bytes, limit).map_err(|error| fault(path, error))
    }
}

/// Is this plan BtrPlace's? Its plans have an origin, ours a schema. What is neither, or
/// no JSON at all, is left to our own reader to refuse.
fn is_btrplace(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Keys {
        origin: Option<IgnoredAny>,
        schema: Option<IgnoredAny>,
    }
    serde_json::from_slice::<Keys>(bytes).is_ok_and(|keys| keys.origin.is_some() && keys.schema.is_none())
}

/// What to call a path in a message.
pub(super) fn name(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// A fault of a file.
pub(super) fn fault(path: &Path, message: impl std::fmt::Display) -> Failure {
    Failure::input(format!("{}: {message}", name(path)))
}

/// Standard input can be read once.
pub(super) fn distinct(first: &Path, second: Option<&PathBuf>) -> Result<(), Failure> {
    match second {
        Some(second) if is_standard(first) && is_standard(second) => {
            Err(Failure::input("the instance and the plan cannot both come from standard input"))
        }
        _ => Ok(()),
    }
}

//! Rule files: read from the disk, their diagnostics on standard error.

use super::Failure;
use super::term::Terminal;
use quadrille::Instance;
use quadrille::outcome::Conflict;
use quadrille::outcome::Member;
use quadrille::render;
use quadrille::script;
use quadrille::script::Diagnostic;
use quadrille::script::Files;
use quadrille::script::Place;
use quadrille::script::Program;
use quadrille::script::Report;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// Rules beside the instance; common to all subcommands that read one.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Rules {
    /// Add what a rule file states. Given more than once, in that order.
    #[arg(long, value_name = "FILE.btrp")]
    rules: Vec<PathBuf>,
    /// Where rule files that import others look for them, before their own folders.
    #[arg(long, value_name = "FOLDER")]
    include: Vec<PathBuf>,
    /// How mistakes in rule files are told.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    diagnostics: Form,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(super) enum Form {
    /// With the lines that they are about.
    #[default]
    Human,
    /// One JSON object a line, for editors.
    Json,
}

/// The disk.
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        // A script without a folder in its path stands in this one.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }
}

/// Where constraints were stated.
#[derive(Default)]
pub(super) struct Origins {
    stated: Option<Stated>,
    form: Form,
}

/// Constraints that rule files stated.
struct Stated {
    program: Program,
    /// How many constraints come before theirs.
    base: usize,
    places: Vec<Place>,
}

impl Origins {
    /// Notes in a conflict where its constraints were stated, and shows the lines that
    /// were, on standard error.
    pub(super) fn tell(&self, instance: &Instance, conflict: &mut Conflict, terminal: &Terminal) {
        let Some(stated) = &self.stated else { return };
        let report = stated.program.report();
        let mut rules = Vec::new();
        for index in conflict.constraints() {
            let Some(at) = (index as usize).checked_sub(stated.base) else { continue };
            let Some(&place) = stated.places.get(at) else { continue };
            rules.push((index, place, render::member(instance, &Member::Constraint(index))));
        }
        conflict.origins = rules
            .iter()
            .filter_map(|(index, place, _)| Some((*index, script::origin(report, *place)?)))
            .collect();
        let rules: Vec<(Place, String)> = rules.into_iter().map(|(_, place, text)| (place, text)).collect();
        let message = format!("no plan: {}", render::clash(instance, conflict));
        if let Some(diagnostic) = script::clash(&rules, &message) {
            tell(report, &[diagnostic], self.form, terminal);
        }
    }
}

fn tell(report: &Report, diagnostics: &[Diagnostic], form: Form, terminal: &Terminal) {
    terminal.verbatim(&match form {
        Form::Human => script::render::human(report, diagnostics, terminal.colors_messages()),
        Form::Json => script::render::json_lines(report, diagnostics),
    });
}

/// Is this a rule file that declares a cluster?
pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "btrp")
}

impl Rules {
    /// Are there any?
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the rule files make of an instance, or of nothing: then `first` declares it.
    pub(super) fn apply(
        &self,
        base: Option<Instance>,
        first: Option<&Path>,
        terminal: &Terminal,
    ) -> Result<(Instance, Origins), Failure> {
        let paths: Vec<PathBuf> =
            first.into_iter().map(Path::to_owned).chain(self.rules.iter().cloned()).collect();
        let program = Program::load(&paths, &self.include, &Disk);
        match program.apply(base) {
            Ok(built) => {
                if !terminal.is_quiet() {
                    self.tell(&program, &built.warnings, terminal);
                }
                let base = built.instance.constraints().len() - built.places.len();
                let stated = Some(Stated { program, base, places: built.places });
                Ok((built.instance, Origins { stated, form: self.diagnostics }))
            }
            Err(diagnostics) => {
                self.tell(&program, &diagnostics, terminal);
                let errors = diagnostics.iter().filter(|d| d.severity == script::Severity::Error).count();
                let codes = diagnostics.iter().find(|d| d.severity == script::Severity::Error);
                let hint =
                    codes.map_or_else(String::new, |d| format!("; `quadrille doc {}` says more", d.code));
                let mistakes =
                    if errors == 1 { "1 mistake".to_owned() } else { format!("{errors} mistakes") };
                Err(match self.diagnostics {
                    Form::Human => Failure::input(format!("{mistakes} in the rule files{hint}")),
                    // Every line is an object.
                    Form::Json => Failure::silent(),
                })
            }
        }
    }

    fn tell(&self, program: &Program, diagnostics: &[Diagnostic], terminal: &Terminal) {
        tell(program.report(), diagnostics, self.diagnostics, terminal);
    }
}

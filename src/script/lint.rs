//! What is sound, but probably not meant so.
//!
//! Names are looked at in the texts ([`names`]), rules in what they tell the planner
//! ([`rules`]): a new constraint is checked by the relations that it is made of.

mod names;
mod rules;

use super::Built;
use super::Place;
use super::Program;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Span;
use rustc_hash::FxHashSet;

/// What is probably not meant so in scripts that have been evaluated: their warnings, and
/// names that nothing uses, names that hide others, rules that always or never hold, that
/// contradict each other, or that are stated twice. By file and place.
///
/// ```
/// use quadrille::script::{Memory, Program, lint};
///
/// let text = "@n : node online; {VM1, VM2} : small running on @n; spread({VM1, VM2}); $x = 1;";
/// let program = Program::load(&["a.btrp".into()], &[], &Memory::default().with("a.btrp", text));
/// let built = program.apply(None).expect("nothing is wrong with it");
/// let codes: Vec<&str> = lint(&program, &built).iter().map(|found| found.code).collect();
/// assert_eq!(codes, ["W0910", "W0907"]);
/// ```
pub fn lint(program: &Program, built: &Built) -> Vec<Diagnostic> {
    let mut found = Found { all: built.warnings.clone(), met: FxHashSet::default() };
    for script in &program.loaded.scripts {
        names::check(script, &built.instance, &mut found);
    }
    rules::check(built, &mut found);
    found.all.sort_by_key(|diagnostic| {
        let label = diagnostic.labels.first();
        (label.map_or(0, |label| label.file), diagnostic.span(), diagnostic.code)
    });
    found.all
}

/// Findings, each once for a place.
struct Found {
    all: Vec<Diagnostic>,
    met: FxHashSet<(Place, &'static str)>,
}

impl Found {
    fn add(&mut self, code: &'static str, place: Place, message: String) -> Option<&mut Diagnostic> {
        if !self.met.insert((place, code)) {
            return None;
        }
        let mut diagnostic = Diagnostic::error(code, place.span, message).warning();
        for label in &mut diagnostic.labels {
            label.file = place.file;
        }
        self.all.push(diagnostic);
        self.all.last_mut()
    }

    /// With another place that has to do with it.
    fn pair(&mut self, code: &'static str, place: Place, message: String, other: Option<Place>, label: &str) {
        if let (Some(diagnostic), Some(other)) = (self.add(code, place, message), other)
            && other != place
        {
            *diagnostic = diagnostic.clone().and(other.file, other.span, label);
        }
    }
}

fn place(file: u32, span: Span) -> Place {
    Place { file, span }
}

#[cfg(test)]
mod tests;

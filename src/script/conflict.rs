//! Rules that clash, told where they were stated.

use super::evaluate::Place;
use super::report::Report;
use crate::outcome::Origin;
use quadrille_dsl::Diagnostic;

/// The diagnostic of a conflict among rules: one label for each statement, with what it
/// says; several rules of one statement are told together. `None` where no rule has a place.
pub fn clash(rules: &[(Place, String)], message: &str) -> Option<Diagnostic> {
    let mut statements: Vec<(Place, &str, usize)> = Vec::new();
    for (place, text) in rules {
        match statements.iter_mut().find(|(known, ..)| known == place) {
            Some((_, _, count)) => *count += 1,
            None => statements.push((*place, text, 1)),
        }
    }
    let mut labels = statements.into_iter().map(|(place, text, count)| match count {
        1 => (place, text.to_owned()),
        more => (place, format!("{text} and {} more", more - 1)),
    });
    let (first, text) = labels.next()?;
    let mut diagnostic = Diagnostic::error("E0701", first.span, message).labelled(text);
    if let Some(label) = diagnostic.labels.first_mut() {
        label.file = first.file;
    }
    for (place, text) in labels {
        diagnostic = diagnostic.and(place.file, place.span, text);
    }
    Some(diagnostic.with_help("`quadrille explain` says what would help"))
}

/// The file, line and column of a place.
pub fn origin(report: &Report, place: Place) -> Option<Origin> {
    let (line, column) = quadrille_dsl::position(report.text(place.file)?, place.span.start as usize);
    Some(Origin { file: report.name(place.file)?.to_owned(), line, column })
}

//! Mistakes, as editors show them.

use super::analysis::Analysis;
use super::location;
use super::position::Lines;
use lsp_types::Diagnostic;
use lsp_types::DiagnosticRelatedInformation;
use lsp_types::DiagnosticSeverity;
use lsp_types::Location;
use lsp_types::NumberOrString;
use quadrille::script::Severity;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names that only a cluster could know.
const UNKNOWN_ELEMENTS: [&str; 2] = ["E0101", "E0102"];

/// What is wrong with a script and what it imports, by file. The script itself is always
/// among them: where nothing is wrong, old complaints are to go.
pub(super) fn all(analysis: &Analysis) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut found: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
    found.insert(analysis.root.clone(), Vec::new());
    let instance = analysis.inspection.instance();
    // Rules for a cluster that we were not given: what it has is not known.
    let rules_only = !analysis.has_cluster && instance.vm_count() == 0 && instance.node_count() == 0;
    let mut lines: BTreeMap<u32, Lines> = BTreeMap::new();
    for diagnostic in analysis.inspection.diagnostics() {
        let mut places = diagnostic.labels.iter().filter_map(|label| {
            let text = analysis.text(label.file)?;
            let lines = lines.entry(label.file).or_insert_with(|| Lines::new(text));
            Some((analysis.path(label.file)?, lines.range(text, label.span), label))
        });
        let Some((path, range, first)) = places.next() else { continue };
        let related: Vec<DiagnosticRelatedInformation> = places
            .filter_map(|(path, range, label)| {
                let location = Location { uri: location::uri(path)?, range };
                let message = if label.text.is_empty() { "see here".to_owned() } else { label.text.clone() };
                Some(DiagnosticRelatedInformation { location, message })
            })
            .collect();
        let mut message = diagnostic.message.clone();
        if !first.text.is_empty() {
            message.push('\n');
            message.push_str(&first.text);
        }
        if let Some(help) = &diagnostic.help {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        let mut severity = match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        };
        if rules_only && UNKNOWN_ELEMENTS.contains(&diagnostic.code) {
            severity = DiagnosticSeverity::INFORMATION;
            message.push_str("\nno cluster was given to look for it: set the option `cluster` of the server");
        }
        found.entry(path.to_owned()).or_default().push(Diagnostic {
            range,
            severity: Some(severity),
            code: Some(NumberOrString::String(diagnostic.code.to_owned())),
            source: Some("quadrille".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            ..Diagnostic::default()
        });
    }
    found
}

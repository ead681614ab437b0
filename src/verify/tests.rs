//! The checker refuses what is wrong, for the right reason, and accepts what is right.

mod mutations;
mod naive;
mod random;
mod rules;
mod scenarios;

use super::*;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Reason;

fn act(start: u64, end: u64, kind: ActionKind) -> Action {
    Action { kind, start, end, allocations: Vec::new(), bandwidth: 0, reason: Reason::Unknown }
}

fn plan(actions: Vec<Action>) -> Plan {
    Plan { actions, happens_before: Vec::new() }
}

/// The faults: where they come from and when.
fn faults(report: &Report) -> Vec<(Option<u64>, Source)> {
    report.findings.iter().filter(|f| !f.soft).map(|f| (f.at, f.source)).collect()
}

fn check(instance: &Instance, plan: &Plan) -> Report {
    verify(instance, plan, &VerifyOptions::default())
}

fn broken_by(report: &Report, source: Source) -> bool {
    report.findings.iter().any(|finding| finding.source == source)
}

fn texts(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.violation.text.as_str()).collect()
}

//! What the checker found, for people and programs.

use super::name;
use super::words;
use crate::constraint::Violation;
use crate::model::Instance;
use crate::verify::Conditions;
use crate::verify::CoreRule;
use crate::verify::Finding;
use crate::verify::Report;
use crate::verify::Source;
use serde_json::Value;
use serde_json::json as value;
use std::fmt::Write;

/// One line for each finding (the moment, the rule, what is wrong), with the VMs and
/// nodes at fault below it, and the count as the last line. Never cut, save long lists
/// of names.
pub fn report(instance: &Instance, report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let moment = finding.at.map_or_else(String::new, |at| format!("at {at} s: "));
        let price = if finding.soft { " (at a price)" } else { "" };
        let _ = writeln!(
            text,
            "{moment}{}{price}: {}",
            rule(instance, finding),
            name::sentence(&finding.violation.text)
        );
        at_fault(&mut text, instance, &finding.violation);
    }
    for (index, moment, violation) in &report.repaired {
        let _ = writeln!(
            text,
            "repaired: {} (constraint {index}) holds from {moment} s on; before the plan, {}",
            words::constraint_at(instance, *index),
            name::sentence(&violation.text)
        );
    }
    if report.conditions == Conditions::Lacking {
        text.push_str("only the times were checked: a plan of this format has no conditions\n");
    }
    text.push_str(&verdict(report));
    text.push('\n');
    text
}

fn rule(instance: &Instance, finding: &Finding) -> String {
    match finding.source {
        Source::Constraint(index) => {
            format!("{} (constraint {index})", words::constraint_at(instance, index))
        }
        Source::Core(rule) => core_name(rule).to_owned(),
    }
}

fn core_name(rule: CoreRule) -> &'static str {
    match rule {
        CoreRule::Capacity => "capacity",
        CoreRule::State => "state",
        CoreRule::Hosting => "hosting",
        CoreRule::Time => "time",
        CoreRule::Order => "order",
        CoreRule::Network => "network",
        CoreRule::Conditions => "conditions",
    }
}

fn at_fault(text: &mut String, instance: &Instance, violation: &Violation) {
    let (vms, nodes) = (name::vms(instance, &violation.vms), name::nodes(instance, &violation.nodes));
    let parts: Vec<String> = [("VMs", vms), ("nodes", nodes)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {names}"))
        .collect();
    if !parts.is_empty() {
        let _ = writeln!(text, "    {}", parts.join("; "));
    }
}

/// The last line.
fn verdict(report: &Report) -> String {
    let soft = report.findings.iter().filter(|finding| finding.soft).count() as u64;
    let hard = report.findings.len() as u64 - soft;
    let mut text = match hard {
        0 => "everything that must hold holds".to_owned(),
        _ => words::count(hard, "violation", "violations"),
    };
    if soft > 0 {
        let _ = write!(text, "; {} at a price", words::count(soft, "rule broken", "rules broken"));
    }
    if report.penalty > 0 {
        let _ = write!(text, "; penalty {}", report.penalty);
    }
    text
}

/// The report as one document, `quadrille/report/1`. Names stand as they are: write it
/// with [`super::json_text`].
pub fn report_json(instance: &Instance, report: &Report) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let (rule, constraint) = match finding.source {
                Source::Constraint(index) => (constraint_name(instance, index), Some(index)),
                Source::Core(rule) => (Some(core_name(rule)), None),
            };
            let mut object = violation(instance, &finding.violation);
            object["at"] = finding.at.into();
            object["rule"] = rule.into();
            object["constraint"] = constraint.into();
            object["soft"] = finding.soft.into();
            object
        })
        .collect();
    let repaired: Vec<Value> = report
        .repaired
        .iter()
        .map(|(index, moment, broken)| {
            let mut object = violation(instance, broken);
            object["rule"] = constraint_name(instance, *index).into();
            object["constraint"] = (*index).into();
            object["holds_from"] = (*moment).into();
            object
        })
        .collect();
    value!({
        "schema": "quadrille/report/1",
        "ok": report.is_ok(),
        "findings": findings,
        "repaired": repaired,
        "penalty": report.penalty,
        "conditions": match report.conditions {
            Conditions::Unchecked => "unchecked",
            Conditions::Lacking => "lacking",
            Conditions::Tried(_) => "tried",
        },
    })
}

fn constraint_name(instance: &Instance, index: u32) -> Option<&'static str> {
    Some(instance.constraints().get(index as usize)?.rule.signature().name)
}

fn violation(instance: &Instance, violation: &Violation) -> Value {
    value!({
        "text": violation.text,
        "amount": violation.amount,
        "vms": name::raw_vms(instance, &violation.vms),
        "nodes": name::raw_nodes(instance, &violation.nodes),
    })
}

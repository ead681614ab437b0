//! Plans for people.

use super::clash;
use super::label;
use super::label::Events;
use super::name;
use super::summary::summary;
use super::travel::Travels;
use super::words;
use super::words::Reasons;
use crate::model::Action;
use crate::model::Instance;
use crate::model::Plan;
use crate::outcome::Conflict;
use crate::outcome::Outcome;
use crate::outcome::Status;
use std::fmt::Write;

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextOptions {
    /// Colours, by the escapes that terminals know.
    pub color: bool,
    /// Conditions of actions that wait for nothing, how late each may be, and the chain
    /// that the length of the plan depends on.
    pub verbose: bool,
    /// How long everything took, in milliseconds, for the last line; the sum of the
    /// phases where it is not known.
    pub total_ms: Option<f64>,
}

/// The width up to which the first column is filled up.
const WIDEST: usize = 48;

/// The outcome: one line for each action (start, end, what it does, its condition in
/// event form, its reason), and [`summary`] as the last line. Without a plan: why not.
pub fn text(instance: &Instance, outcome: &Outcome, options: &TextOptions) -> String {
    let paint = Paint { color: options.color };
    let mut text = String::new();
    if let Some(plan) = &outcome.plan {
        actions(&mut text, instance, plan, options);
    }
    if let Some(conflict) = &outcome.conflict {
        conflict_lines(&mut text, instance, conflict);
    }
    for (index, moment, violation) in &outcome.repaired {
        let _ = writeln!(
            text,
            "repaired: {} holds from {} on; before the plan, {}",
            words::constraint_at(instance, *index),
            words::seconds(*moment),
            name::sentence(&violation.text)
        );
    }
    let code = match outcome.status {
        Status::Optimal => "32",
        Status::Feasible | Status::Unknown => "33",
        Status::Infeasible => "31",
    };
    let _ = writeln!(text, "{}", paint.with(code, &summary(instance, outcome, options.total_ms)));
    text
}

fn actions(text: &mut String, instance: &Instance, plan: &Plan, options: &TextOptions) {
    let paint = Paint { color: options.color };
    let events = Events::of(instance, plan);
    let reasons = Reasons::of(instance, plan);
    let travels = Travels::of(instance, plan);
    let before = plan.predecessors();
    let times: Vec<String> =
        plan.actions.iter().map(|action| format!("{}:{}", action.start, action.end)).collect();
    let what: Vec<String> = plan.actions.iter().map(|action| label::words(instance, &action.kind)).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    let width = what.iter().map(|what| what.chars().count()).filter(|&w| w <= WIDEST).max().unwrap_or(0);
    let (critical, slack) = if options.verbose {
        (super::on_path(plan, &crate::plan::critical_path(plan)), crate::plan::slack(plan))
    } else {
        (Vec::new(), Vec::new())
    };
    for (at, action) in plan.actions.iter().enumerate() {
        let mut notes: Vec<String> = Vec::new();
        if !before[at].is_empty() || options.verbose {
            notes.push(events.condition(at as u32, &before[at]));
        }
        let mut remarks: Vec<String> = reasons.text(action).into_iter().collect();
        remarks.extend(shares(instance, action));
        remarks.extend(travels.figures(action));
        remarks.extend(travels.waits(at, &before[at]));
        if options.verbose {
            remarks.push(match (critical[at], slack[at]) {
                (true, _) => "critical".to_owned(),
                (false, late) => format!("may be {} late", words::seconds(late)),
            });
        }
        if !remarks.is_empty() {
            notes.push(paint.with("2", &format!("# {}", remarks.join("; "))));
        }
        let time = &times[at];
        let _ = write!(text, "{}{} ", paint.with("2", time), " ".repeat(time_width - time.len()));
        if notes.is_empty() {
            text.push_str(&what[at]);
        } else {
            let fill = width.saturating_sub(what[at].chars().count());
            let _ = write!(text, "{}{}  {}", what[at], " ".repeat(fill), notes.join("  "));
        }
        text.push('\n');
    }
}

/// What the VM gets where it goes, if that is something else than it had.
fn shares(instance: &Instance, action: &Action) -> Option<String> {
    if action.allocations.is_empty() {
        return None;
    }
    let list: Vec<String> = action
        .allocations
        .iter()
        .map(|&(resource, amount)| format!("{} {amount}", name::resource(instance, resource)))
        .collect();
    Some(format!("with {}", list.join(", ")))
}

fn conflict_lines(text: &mut String, instance: &Instance, conflict: &Conflict) {
    if !conflict.members.is_empty() {
        text.push_str("these cannot hold together:\n");
        clash::lines(text, instance, conflict);
    }
    if !conflict.vms.is_empty() {
        let _ = writeln!(text, "VMs: {}", name::vms(instance, &conflict.vms));
    }
    if !conflict.nodes.is_empty() {
        let _ = writeln!(text, "nodes: {}", name::nodes(instance, &conflict.nodes));
    }
}

/// The plan without times: for each action the condition on which it starts, `-> a` where
/// there is none, `!b & !c -> d` where b and c must have ended. One line an action.
pub fn events(instance: &Instance, plan: &Plan) -> String {
    let events = Events::of(instance, plan);
    let mut text = String::new();
    for (at, before) in plan.predecessors().iter().enumerate() {
        text.push_str(&events.condition(at as u32, before));
        text.push('\n');
    }
    text
}

struct Paint {
    color: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

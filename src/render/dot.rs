//! The graph of a plan, for Graphviz.

use super::label;
use super::name;
use super::travel::Travels;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use std::fmt::Write;

/// The happens-before graph in the DOT language: an arrow from a to b where b waits for
/// a; the chain that the length of the plan depends on in red. O(actions + edges).
pub fn dot(instance: &Instance, plan: &Plan) -> String {
    let critical = crate::plan::critical_path(plan);
    let is_critical = super::on_path(plan, &critical);
    let mut next: Vec<Option<u32>> = vec![None; plan.actions.len()];
    for pair in critical.windows(2) {
        next[pair[0] as usize] = Some(pair[1]);
    }
    let travels = Travels::of(instance, plan);
    let mut text = String::from(
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n",
    );
    for (at, action) in plan.actions.iter().enumerate() {
        let words = quoted(&label::words(instance, &action.kind));
        let shape = match action.kind {
            ActionKind::BootNode { .. } | ActionKind::ShutdownNode { .. } => {
                ", style=\"rounded,filled\", fillcolor=\"#eeeeee\""
            }
            _ => "",
        };
        let figures = travels.figures(action).map_or_else(String::new, |text| format!("\\n{text}"));
        let color = if is_critical[at] { ", color=red, penwidth=2" } else { "" };
        let _ = writeln!(
            text,
            "  a{at} [label=\"{words}\\n{}:{}{figures}\"{shape}{color}];",
            action.start, action.end
        );
    }
    for &(first, then) in &plan.happens_before {
        let on_path = next.get(first as usize) == Some(&Some(then));
        let mut marks: Vec<String> = Vec::new();
        if let Some(way) = travels.between(first, then) {
            marks.push(format!("label=\"{}\"", quoted(&way)));
        }
        if on_path {
            marks.push("color=red, penwidth=2".to_owned());
        }
        let marks = if marks.is_empty() { String::new() } else { format!(" [{}]", marks.join(", ")) };
        let _ = writeln!(text, "  a{first} -> a{then}{marks};");
    }
    text.push_str("}\n");
    text
}

/// The inside of a quoted string of the DOT language. Backslashes begin escapes in
/// labels, so they are doubled; quotes are escaped; nothing else needs to be.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in name::sentence(text).chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

//! Plans, reports and conflicts for people and programs.
//!
//! Names come from files that anybody may have written: every text here escapes what a
//! terminal, a JSON reader or Graphviz might take for something else.

mod answer;
mod clash;
mod dot;
#[cfg(test)]
mod example;
mod explanation;
mod gantt;
mod json;
mod label;
mod name;
mod report;
mod set;
mod summary;
mod text;
mod travel;
mod words;

pub use answer::Answers;
pub use answer::why_action;
pub use answer::why_bound;
pub use answer::why_not;
pub use answer::why_vm;
pub use clash::clash;
pub use clash::member;
pub use dot::dot;
pub use explanation::explanation;
pub use explanation::explanation_dot;
pub use explanation::explanation_json;
pub use gantt::gantt;
pub use json::Measured;
pub use json::json;
pub use json::json_text;
pub use report::report;
pub use report::report_json;
pub use summary::summary;
pub use text::TextOptions;
pub use text::events;
pub use text::text;

use crate::model::Plan;

/// By action of a plan: is it on the path?
fn on_path(plan: &Plan, path: &[u32]) -> Vec<bool> {
    let mut marks = vec![false; plan.actions.len()];
    for &at in path {
        marks[at as usize] = true;
    }
    marks
}

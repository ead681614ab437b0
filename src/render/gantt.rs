//! The plan as a picture: time to the right, a row for each node.

use super::label;
use super::name;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use std::collections::BTreeMap;
use std::fmt::Write;

const LABELS: u64 = 140;
const CHART: u64 = 1000;
const LANE: u64 = 20;
const TOP: u64 = 30;

/// An SVG picture: a row for each node that the plan touches, in it a bar for each action
/// that comes (blue), goes (orange) or changes something there (grey); a migration is on
/// both of its rows. The chain that the length of the plan depends on has a red border.
pub fn gantt(instance: &Instance, plan: &Plan) -> String {
    let critical = super::on_path(plan, &crate::plan::critical_path(plan));
    // (action, colour) by node; actions without a node lie in the last row.
    let mut rows: BTreeMap<Option<NodeId>, Vec<(usize, &str)>> = BTreeMap::new();
    let mut nowhere = Vec::new();
    for (at, action) in plan.actions.iter().enumerate() {
        let kind = &action.kind;
        let (to, from) = (kind.destination(), kind.origin());
        if let Some(node) = to {
            rows.entry(Some(node)).or_default().push((at, "#8fb8de"));
        }
        if let Some(node) = from.filter(|&node| Some(node) != to) {
            rows.entry(Some(node)).or_default().push((at, "#f2b880"));
        }
        match *kind {
            ActionKind::BootNode { node }
            | ActionKind::ShutdownNode { node }
            | ActionKind::Allocate { node, .. } => {
                rows.entry(Some(node)).or_default().push((at, "#c8c8c8"));
            }
            _ if to.is_none() && from.is_none() => nowhere.push((at, "#c8c8c8")),
            _ => {}
        }
    }
    let makespan = plan.makespan().max(1);
    let x = |time: u64| LABELS as f64 + CHART as f64 * time as f64 / makespan as f64;
    let mut body = String::new();
    let mut top = TOP;
    let named = rows.into_iter().filter_map(|(node, bars)| Some((name::node(instance, node?), bars)));
    let last = (!nowhere.is_empty()).then(|| (String::new(), nowhere));
    for (row, bars) in named.chain(last) {
        let (lanes, count) = lanes(plan, &bars);
        let _ = writeln!(body, "<text x=\"4\" y=\"{}\">{}</text>", top + 14, escaped(&row));
        for (&(at, color), lane) in bars.iter().zip(lanes) {
            let action = &plan.actions[at];
            let (left, y) = (x(action.start), top + lane * LANE + 1);
            // What takes no time is a line.
            let width = (x(action.end) - left).max(2.0);
            let border = if critical[at] { " stroke=\"red\" stroke-width=\"2\"" } else { "" };
            let words = escaped(&label::words(instance, &action.kind));
            let _ = writeln!(
                body,
                "<rect x=\"{left:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{color}\"{border}>\
                 <title>{words} {}:{}</title></rect>",
                LANE - 2,
                action.start,
                action.end
            );
            // A label that would not fit stays in the title.
            let subject = action.kind.vm().map_or_else(String::new, |vm| name::vm(instance, vm));
            if subject.chars().count() as f64 * 7.0 < width {
                let _ = writeln!(
                    body,
                    "<text x=\"{:.1}\" y=\"{}\">{}</text>",
                    left + 3.0,
                    y + 13,
                    escaped(&subject)
                );
            }
        }
        top += count.max(1) * LANE + 4;
        let _ = writeln!(
            body,
            "<line x1=\"0\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\" stroke=\"#dddddd\"/>",
            top - 2,
            LABELS + CHART
        );
    }
    let (width, height) = (LABELS + CHART + 20, top + 6);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for tick in 0..=10u64 {
        let time = (u128::from(makespan) * u128::from(tick) / 10) as u64;
        let _ = writeln!(text, "<text x=\"{:.1}\" y=\"16\" fill=\"#666666\">{time}</text>", x(time));
    }
    text.push_str(&body);
    text.push_str("</svg>\n");
    text
}

/// A lane for each bar, such that no two bars of a lane overlap, and the number of lanes.
fn lanes(plan: &Plan, bars: &[(usize, &str)]) -> (Vec<u64>, u64) {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|&bar| (plan.actions[bars[bar].0].start, bar));
    // When each lane is free again, the first that is free first.
    let mut busy = std::collections::BinaryHeap::new();
    let mut lanes = vec![0; bars.len()];
    let mut count = 0;
    for bar in order {
        let action = &plan.actions[bars[bar].0];
        let lane = match busy.peek() {
            Some(&std::cmp::Reverse((free, lane))) if free <= action.start => {
                busy.pop();
                lane
            }
            _ => {
                count += 1;
                count - 1
            }
        };
        lanes[bar] = lane;
        busy.push(std::cmp::Reverse((action.end.max(action.start.saturating_add(1)), lane)));
    }
    (lanes, count)
}

/// Text for XML; the names in it are free of control characters already.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

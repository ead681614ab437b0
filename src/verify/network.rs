//! What migrations take of the network, moment by moment.

use super::CoreRule;
use super::Finding;
use super::Source;
use super::words;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use crate::model::Roads;

/// Channels that carry more than they can. Each is told once, at the first moment. At one
/// moment ends come before starts. O(n log n) in what the migrations take.
pub(super) fn check_loads(instance: &Instance, plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(roads) = Roads::of(instance) else { return };
    // (moment, is a start, channel, bandwidth)
    let mut events: Vec<(u64, bool, u32, u64)> = Vec::new();
    for action in &plan.actions {
        let ActionKind::Migrate { from, to, .. } = action.kind else { continue };
        if action.start >= action.end {
            continue;
        }
        for &channel in &roads.path(from, to).channels {
            events.push((action.start, true, channel, action.bandwidth));
            events.push((action.end, false, channel, action.bandwidth));
        }
    }
    events.sort_unstable();
    let mut load = vec![0u64; roads.topology().channel_count()];
    let mut told = vec![false; load.len()];
    for (moment, starts, channel, bandwidth) in events {
        let load = &mut load[channel as usize];
        if !starts {
            *load = load.saturating_sub(bandwidth);
            continue;
        }
        *load = load.saturating_add(bandwidth);
        let (which, capacity) = roads.topology().channel(channel);
        if *load > capacity && !std::mem::replace(&mut told[channel as usize], true) {
            let text = format!(
                "{} carries {} Mbit/s from {moment} s on, of {}",
                roads.name(which),
                *load,
                roads.room(which, capacity)
            );
            findings.push(Finding {
                at: Some(moment),
                source: Source::Core(CoreRule::Network),
                soft: false,
                violation: words::violation(*load - capacity, Vec::new(), Vec::new(), text),
            });
        }
    }
}

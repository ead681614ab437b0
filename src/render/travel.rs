//! Migrations over a network, for people.

use super::name;
use crate::model::Action;
use crate::model::Instance;
use crate::model::Mode;
use crate::model::Plan;
use crate::model::Roads;

/// What migrations take of the network, if there is one.
pub(super) struct Travels<'i> {
    roads: Option<Roads<'i>>,
}

impl<'i> Travels<'i> {
    pub(super) fn of(instance: &'i Instance) -> Self {
        Self { roads: Roads::of(instance) }
    }

    /// `1000 Mbit/s, downtime 60 ms`; of how much, where it shares its way; how it is done where that is not pre-copy.
    pub(super) fn figures(&self, action: &Action) -> Option<String> {
        let roads = self.roads.as_ref()?;
        let flow = roads.flow_of(action)?;
        let mut text = match roads.most_of(action) {
            Some(most) if most > action.bandwidth => {
                format!("{} of {most} Mbit/s, to share its way", action.bandwidth)
            }
            _ => format!("{} Mbit/s", action.bandwidth),
        };
        if matches!(flow.mode, Mode::PostCopy | Mode::Cold) {
            text.push_str(", ");
            text.push_str(flow.mode.name());
        }
        if let Some(downtime) = flow.downtime {
            text.push_str(", downtime ");
            text.push_str(&short(downtime));
        }
        Some(text)
    }

    /// The link or switch that one migration waits for until another has ended.
    pub(super) fn between(&self, plan: &Plan, first: u32, then: u32) -> Option<String> {
        let action = |at: u32| plan.actions.get(at as usize);
        let roads = self.roads.as_ref()?;
        let channel = roads.meeting(action(first)?, action(then)?)?;
        Some(name::sentence(&roads.name(channel)).into_owned())
    }

    /// What an action waits for on the network.
    pub(super) fn waits(&self, plan: &Plan, at: usize, before: &[u32]) -> Option<String> {
        let mut ways: Vec<String> =
            before.iter().filter_map(|&first| self.between(plan, first, at as u32)).collect();
        ways.sort_unstable();
        ways.dedup();
        (!ways.is_empty()).then(|| format!("waits for {}", ways.join(", ")))
    }
}

/// A time that may be short: `60 ms`, `0.5 s`, `12 s`.
fn short(seconds: f64) -> String {
    if seconds < 0.0005 {
        return "less than 1 ms".to_owned();
    }
    if seconds < 0.1 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let all = [0.0, 0.0006, 0.0599, 0.0999, 0.5, 5.0, 45.2].map(short);
        assert_eq!(all, ["less than 1 ms", "1 ms", "60 ms", "100 ms", "0.5 s", "5.0 s", "45 s"]);
    }
}

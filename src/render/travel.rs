//! Migrations over a network, for people.

use super::label;
use super::name;
use super::words;
use crate::explain::Waits;
use crate::explain::Why;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Mode;
use crate::model::Plan;
use crate::model::Roads;

/// What migrations take of the network, if there is one.
pub(super) struct Travels<'i> {
    network: Option<(Roads<'i>, Waits<'i>)>,
    instance: &'i Instance,
    plan: &'i Plan,
}

/// Migrations that are named of those that share a way.
const SHOWN: usize = 4;

impl<'i> Travels<'i> {
    pub(super) fn of(instance: &'i Instance, plan: &'i Plan) -> Self {
        let network = Roads::of(instance).map(|roads| (roads, Waits::of(instance, plan)));
        Self { network, instance, plan }
    }

    /// `1000 Mbit/s, downtime 60 ms`; of how much, where it shares its way; how it is done where that is not pre-copy.
    pub(super) fn figures(&self, action: &Action) -> Option<String> {
        let (roads, _) = self.network.as_ref()?;
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

    /// How a migration travels, one sentence each: its bandwidth and what limits it, how it is
    /// done, and with whom it shares its way where it takes a part of it. Nothing for other
    /// actions.
    pub(super) fn details(&self, action: &Action) -> Vec<String> {
        let (Some((roads, _)), ActionKind::Migrate { vm, from, to }) = (&self.network, action.kind) else {
            return Vec::new();
        };
        let (Some(flow), Some(most)) = (roads.flow_of(action), roads.most_of(action)) else {
            return Vec::new();
        };
        let path = roads.path(from, to);
        let rate = action.bandwidth;
        let narrowest = path.channels.iter().map(|&at| roads.topology().channel(at));
        let narrowest = narrowest.min_by_key(|&(channel, capacity)| (capacity, channel));
        let mut first = format!("at {rate} Mbit/s");
        if let Some((channel, capacity)) = narrowest {
            let name = roads.name(channel);
            let name = name::sentence(&name);
            first += &if path.bandwidth < capacity {
                format!(
                    ": no migration may take more than {}; its way is {capacity} Mbit/s wide, {name} the narrowest part of it",
                    path.bandwidth
                )
            } else if most < path.bandwidth {
                let vm = name::vm(self.instance, vm);
                format!(
                    ": {vm} takes no more than {most}; its way is {capacity} Mbit/s wide, {name} the narrowest part of it"
                )
            } else {
                format!("; its way is {capacity} Mbit/s wide, {name} the narrowest part of it")
            };
        }
        let seconds = words::seconds(u64::from(flow.seconds));
        let second = match (flow.mode, flow.downtime) {
            (Mode::Fixed, _) | (_, None) => format!("takes {seconds}, as its attribute `migrate` says"),
            (mode, Some(downtime)) => {
                format!("{} in {seconds}, of which the VM stands still for {}", mode.name(), short(downtime))
            }
        };
        let mut lines = vec![first, second];
        if rate < most {
            lines.push(self.sharing(roads, action, most));
        }
        lines
    }

    /// With whom a migration shares its way, and what it would take alone.
    fn sharing(&self, roads: &Roads<'_>, action: &Action, most: u64) -> String {
        let way = |action: &Action| match action.kind {
            ActionKind::Migrate { from, to, .. } => roads.path(from, to).channels,
            _ => Vec::new(),
        };
        let own = way(action);
        let meets = |other: &&Action| {
            other.start < action.end
                && action.start < other.end
                && other.kind != action.kind
                && way(other).iter().any(|channel| own.contains(channel))
        };
        let others = self.plan.actions.iter().filter(meets);
        let mut names: Vec<String> = others.map(|other| label::words(self.instance, &other.kind)).collect();
        let count = names.len();
        if count > SHOWN {
            names.truncate(SHOWN);
            names.push(format!("{} more", count - SHOWN));
        }
        let mut text = match count {
            0 => "takes a part of its way".to_owned(),
            _ => format!("shares its way with {}", names.join(", ")),
        };
        let whole = Action { bandwidth: most, ..action.clone() };
        if let Some(flow) = roads.flow_of(&whole) {
            text += &format!(
                "; at all {most} Mbit/s it would take {} instead of {}",
                words::seconds(u64::from(flow.seconds)),
                words::seconds(action.duration())
            );
            text += if count > 0 { ", and they would wait" } else { "" };
        }
        text
    }

    /// What one action waits for until another has ended, as far as rules about order, links
    /// and budgets say.
    pub(super) fn between(&self, first: u32, then: u32) -> Option<String> {
        let known = |at: u32| (at as usize) < self.plan.actions.len();
        let (roads, waits) = self.network.as_ref().filter(|_| known(first) && known(then))?;
        match waits.brief(first, then)? {
            Why::Way(channel) => Some(name::sentence(&roads.name(channel)).into_owned()),
            Why::Rule(index) => Some(words::constraint_at(self.instance, index)),
            _ => None,
        }
    }

    /// What an action waits for, in the same sense.
    pub(super) fn waits(&self, at: usize, before: &[u32]) -> Option<String> {
        let mut ways: Vec<String> =
            before.iter().filter_map(|&first| self.between(first, at as u32)).collect();
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

//! No node carries more than it has, at any moment.

use super::Clock;
use super::CoreRule;
use super::Finding;
use super::Source;
use super::replay::Touched;
use super::words;
use crate::constraint::Restriction;
use crate::constraint::list;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// Which limits count: a rule may set one for the end alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before the plan, when it is the plan that is checked, and during it.
    Transit,
    /// After the last event; and the source configuration when it is checked alone.
    Last,
}

/// The load that each node may carry of each resource, and who carries more.
#[derive(Clone)]
pub(super) struct Room<'a> {
    instance: &'a Instance,
    clock: Clock,
    /// Where hard rules put a limit in place of the capacity.
    limits: FxHashMap<(NodeId, ResourceId), Limit>,
    overloads: FxHashMap<(NodeId, ResourceId), Overload>,
}

/// What the rules say of one node and resource: the limit, and who set it.
#[derive(Clone, Copy)]
struct Limit {
    last: (u64, u32),
    /// `None` where every rule is discrete: no limit before the end.
    transit: Option<(u64, u32)>,
}

#[derive(Clone, Default)]
struct Overload {
    /// The most that is forgiven: the least since the plan began, if it began with one.
    forgiven: u64,
    now: u64,
    /// The load and the limit, where they are in the report.
    said: Option<(u64, Option<u32>)>,
}

impl<'a> Room<'a> {
    /// Asks every constraint for its limit, once.
    pub(super) fn new(instance: &'a Instance, clock: Clock) -> Self {
        let mut limits: FxHashMap<(NodeId, ResourceId), Limit> = FxHashMap::default();
        for (index, constraint) in instance.constraints().iter().enumerate() {
            if !constraint.is_hard() {
                continue;
            }
            let Some((node, resource, most)) = constraint.rule.limit(instance) else { continue };
            let mine = (most, index as u32);
            let limit = limits.entry((node, resource)).or_insert(Limit { last: mine, transit: None });
            limit.last = limit.last.min(mine);
            if constraint.restriction == Restriction::Continuous {
                limit.transit = Some(limit.transit.map_or(mine, |other| other.min(mine)));
            }
        }
        Self { instance, clock, limits, overloads: FxHashMap::default() }
    }

    /// The limit and the constraint that set it, where it is not the capacity.
    fn limit(&self, node: NodeId, resource: ResourceId, moment: Moment) -> (u64, Option<u32>) {
        let capacity = self.instance.capacity(node, resource);
        if self.limits.is_empty() {
            return (capacity, None);
        }
        match (self.limits.get(&(node, resource)), moment) {
            (None, _) => (capacity, None),
            (Some(limit), Moment::Last) => (limit.last.0, Some(limit.last.1)),
            (Some(limit), Moment::Transit) => match limit.transit {
                Some((most, constraint)) => (most, Some(constraint)),
                None => (u64::MAX, None),
            },
        }
    }

    /// Looks at the moment before the plan: overloads are forgiven, or reported.
    pub(super) fn check_before(&mut self, at: &Configuration<'_>, strict: bool, findings: &mut Vec<Finding>) {
        for (node, resource) in cells(self.instance) {
            let (most, by) = self.limit(node, resource, Moment::Transit);
            let excess = at.load(node, resource).saturating_sub(most);
            if excess == 0 {
                continue;
            }
            let mut overload = Overload { forgiven: excess, now: excess, said: None };
            if strict {
                overload.said = Some((at.load(node, resource), by));
                let guests = at.guests(node).to_vec();
                findings.push(self.finding(at, Some(0), node, resource, excess, by, guests, ""));
            }
            self.overloads.insert((node, resource), overload);
        }
    }

    /// Looks again at the nodes that the events of an instant touched.
    pub(super) fn check_touched(
        &mut self,
        at: &Configuration<'_>,
        time: u64,
        touched: &Touched,
        findings: &mut Vec<Finding>,
    ) {
        for &node in &touched.nodes {
            for resource in self.instance.resource_ids() {
                let (most, by) = self.limit(node, resource, Moment::Transit);
                let excess = at.load(node, resource).saturating_sub(most);
                if excess == 0 && !self.overloads.contains_key(&(node, resource)) {
                    continue;
                }
                let overload = self.overloads.entry((node, resource)).or_default();
                let (forgiven, before) = (overload.forgiven, overload.now);
                overload.now = excess;
                if excess <= forgiven {
                    overload.forgiven = excess;
                    overload.said = None;
                } else if excess > before {
                    overload.said = Some((at.load(node, resource), by));
                    // At fault is who came or grew just now: the guests as a whole
                    // would make the report quadratic.
                    let from = touched.seats.partition_point(|&(other, _)| other < node);
                    let vms =
                        touched.seats[from..].iter().take_while(|seat| seat.0 == node).map(|seat| seat.1);
                    let vms: Vec<VmId> = vms.filter(|&vm| at.demand_on(vm, node, resource) > 0).collect();
                    let mut note = String::new();
                    if !vms.is_empty() {
                        let names = list(vms.iter().map(|&vm| self.instance.vm_name(vm)));
                        note += &format!("; {names} came or grew");
                    }
                    if forgiven > 0 {
                        note += "; an overload that was there before may not grow";
                    }
                    findings.push(self.finding(at, Some(time), node, resource, excess, by, vms, &note));
                }
            }
        }
    }

    /// Looks at all nodes after the last event.
    pub(super) fn check_last(&self, at: &Configuration<'_>, time: Option<u64>, findings: &mut Vec<Finding>) {
        for (node, resource) in cells(self.instance) {
            let (most, by) = self.limit(node, resource, Moment::Last);
            let excess = at.load(node, resource).saturating_sub(most);
            if excess == 0 {
                continue;
            }
            let said = self.overloads.get(&(node, resource));
            if said.is_some_and(|overload| overload.said == Some((at.load(node, resource), by))) {
                continue;
            }
            let guests = at.guests(node).to_vec();
            findings.push(self.finding(at, time, node, resource, excess, by, guests, ""));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the facts of one sentence")]
    fn finding(
        &self,
        at: &Configuration<'_>,
        time: Option<u64>,
        node: NodeId,
        resource: ResourceId,
        excess: u64,
        by: Option<u32>,
        vms: Vec<VmId>,
        note: &str,
    ) -> Finding {
        let load = at.load(node, resource);
        let mut text = format!(
            "node {} needs {load} of {}",
            self.instance.node_name(node),
            self.instance.resource_name(resource)
        );
        if let Some(time) = time {
            text += &self.clock.at(time);
        }
        text += &format!(", has {}", self.instance.capacity(node, resource));
        if by.is_some() {
            text += &format!(" and may carry {}", load.saturating_sub(excess));
        }
        text += note;
        let source = by.map_or(Source::Core(CoreRule::Capacity), Source::Constraint);
        Finding { at: time, source, violation: words::violation(excess, vms, vec![node], text), soft: false }
    }
}

fn cells(instance: &Instance) -> impl Iterator<Item = (NodeId, ResourceId)> {
    instance.node_ids().flat_map(|node| instance.resource_ids().map(move |resource| (node, resource)))
}

//! `ft`: fault tolerance; the VMs of crashed nodes can be restarted on the others.
//!
//! # Meaning
//! For every set F of `failures` online nodes of `nodes` (no list: all nodes) that crash
//! together, according to `mode`:
//!
//! - `restart` (default), exact: the VMs that run on F can all be placed on the online
//!   nodes outside F, in every resource at once, while the VMs that run there stay where
//!   they are. Crashes of fewer nodes follow from that.
//! - `aggregate`, necessary only: for each resource, what all running VMs hold is at most
//!   the sum of the capacities of the online nodes outside F.
//! - `slots`, sufficient for equal VMs: a slot is the largest amount that any running VM
//!   holds, resource by resource; the online nodes outside F have a slot for every
//!   running VM.
//!
//! Restarted VMs are asked for room only: rules such as `ban`, `fence` and `spread` are
//! not applied to where they restart. The capacity of a node is what `overbook` makes of
//! it. Where fewer than `failures` nodes are online, all of them crash.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at every moment, a VM in migration
//! being restarted for each of its nodes, which asks for more than is needed.
//!
//! # In the language
//! `>>ft({@rack1, @rack2}, 1);` at the end only, `ft({}, 2, "aggregate");` at every moment.
//!
//! # In JSON
//! `{"ft": {"nodes": ["n1", "n2", "n3"], "failures": 1, "mode": "restart", "continuous": false}}`
//!
//! # Compiles to
//! Bins that survive the failure of any `failures` of them.
//!
//! # Cost
//! Checking: `aggregate` and `slots` sort the nodes. `restart` asks (nodes over
//! `failures`) packing questions, nearly all of which quick tests answer; it stops after
//! a fixed number of steps, and what is not answered by then counts as broken, and says
//! so. Planning: a test after each change to a node that the worst crash concerns.
//!
//! # See also
//! `overbook`, `resourceCapacity` (spare room without regard to crashes), `spread`.
//!
//! The amount of a violation is the number of VMs that cannot restart after the worst
//! crash (`restart`), the missing amount, added up over the resources (`aggregate`), or
//! the missing slots (`slots`). BtrPlace has no such rule.

use super::Argument;
use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::compile::FtMode;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::propagator::restart;
use crate::propagator::restart::Crash;
use crate::side_constraint;

side_constraint! {
    /// The VMs of nodes that crash can be restarted on the others.
    pub struct Ft {
        /// The nodes that may crash; none stands for all.
        nodes("nodes"): NodeSet = || Argument::Nodes([].into()),
        /// How many crash together.
        failures("failures"): u64 = || Argument::Amount(1),
        /// What surviving means.
        mode("mode" in ["restart", "aggregate", "slots"]): String = || Argument::Word("restart".to_owned()),
    }
    name = "ft", btrplace = None, flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("ft.rs");
    check = |rule| {
        if rule.failures == 0 {
            return Err("`failures` is at least 1".to_owned());
        }
        match rule.ft_mode() {
            Some(_) => Ok(()),
            None => Err(format!("`mode` is `{}`; expected `restart`, `aggregate` or `slots`", rule.mode)),
        }
    };
}

/// What one check may spend, in comparisons of a VM with a node: about a second.
const BUDGET: u64 = 400_000_000;

impl Ft {
    /// The nodes that may crash.
    pub fn nodes_of(&self, instance: &Instance) -> NodeSet {
        if self.nodes.is_empty() { instance.node_ids().collect() } else { self.nodes.clone() }
    }

    fn ft_mode(&self) -> Option<FtMode> {
        match self.mode.as_str() {
            "restart" => Some(FtMode::Restart),
            "aggregate" => Some(FtMode::Aggregate),
            "slots" => Some(FtMode::Slots),
            _ => None,
        }
    }

    /// `failures` as a number of nodes.
    fn crashes(&self) -> usize {
        usize::try_from(self.failures).unwrap_or(usize::MAX)
    }

    fn restart(&self, at: &Configuration<'_>, nodes: &Nodes, budget: u64) -> Result<(), Violation> {
        let names = at.instance();
        let dims = names.resource_count();
        // One item for each pair of a VM and a node that it holds.
        let mut vms: Vec<VmId> = Vec::new();
        let mut sizes: Vec<u64> = Vec::new();
        let mut guests: Vec<Vec<u32>> = Vec::with_capacity(names.node_count());
        let mut room = Vec::with_capacity(names.node_count() * dims);
        for node in names.node_ids() {
            let mut here = at.guests(node).to_vec();
            // Guests come in no particular order; the answer must not depend on it.
            here.sort_unstable();
            guests.push((vms.len()..vms.len() + here.len()).map(|item| item as u32).collect());
            for &vm in &here {
                sizes.extend(names.resource_ids().map(|resource| at.demand_on(vm, node, resource)));
            }
            vms.append(&mut here);
            for resource in names.resource_ids() {
                let capacity = nodes.capacity[node.index() * dims + resource.index()];
                room.push(capacity.saturating_sub(at.load(node, resource)));
            }
        }
        let crash = Crash {
            dims,
            room: &room,
            open: &nodes.open,
            exposed: &nodes.exposed,
            sizes: &sizes,
            guests: &guests,
        };
        let mut budget = budget;
        let Some(report) = restart::worst_crash(&crash, self.crashes(), &mut budget) else { return Ok(()) };
        let crashed: Vec<NodeId> = report.bins.into_iter().map(NodeId).collect();
        let left: Vec<VmId> =
            report.left.iter().filter_map(|&item| vms.get(item as usize).copied()).collect();
        let what = if left.is_empty() {
            "the step limit ended before every crash was looked at; none that was does harm".to_owned()
        } else {
            let (crash, left) = (super::node_names(names, &crashed), super::vm_names(names, &left));
            match (report.at_least, report.complete) {
                (0, _) => {
                    format!(
                        "if {crash} crash, no way was found within the step limit to restart {left} elsewhere"
                    )
                }
                (_, true) => format!("if {crash} crash, {left} cannot restart elsewhere"),
                (least, false) => format!(
                    "if {crash} crash, {left} cannot restart elsewhere (at least {least} of them; \
                     the step limit ended before every possibility was looked at)"
                ),
            }
        };
        let amount = left.len() as u64;
        Err(Violation::new(amount, left, crashed, what))
    }

    fn aggregate(&self, at: &Configuration<'_>, nodes: &Nodes) -> Result<(), Violation> {
        let names = at.instance();
        let dims = names.resource_count();
        let mut load = vec![0u64; dims];
        for node in names.node_ids() {
            for resource in names.resource_ids() {
                let load = &mut load[resource.index()];
                *load = load.saturating_add(at.load(node, resource));
            }
        }
        let missing = restart::aggregate_shortfall(
            dims,
            &nodes.capacity,
            &nodes.open,
            &nodes.exposed,
            &load,
            self.crashes(),
        );
        let amount = missing.iter().fold(0u64, |sum, &missing| sum.saturating_add(missing));
        let Some(worst) = names.resource_ids().find(|resource| missing[resource.index()] > 0) else {
            return Ok(());
        };
        let crashed = nodes.largest(self.crashes(), |node| nodes.capacity[node * dims + worst.index()]);
        let short: Vec<String> = names
            .resource_ids()
            .filter(|resource| missing[resource.index()] > 0)
            .map(|resource| format!("{} of {}", missing[resource.index()], names.resource_name(resource)))
            .collect();
        let text = format!(
            "if {} crash, the other nodes lack {} for the VMs that run",
            super::node_names(names, &crashed),
            super::list(short.iter().map(String::as_str))
        );
        Err(Violation::new(amount, Vec::new(), crashed, text))
    }

    fn slots(&self, at: &Configuration<'_>, nodes: &Nodes) -> Result<(), Violation> {
        let names = at.instance();
        let dims = names.resource_count();
        let mut slot = vec![0u64; dims];
        let mut running = 0u64;
        for node in names.node_ids() {
            for &vm in at.guests(node) {
                running += 1;
                for resource in names.resource_ids() {
                    let slot = &mut slot[resource.index()];
                    *slot = (*slot).max(at.demand_on(vm, node, resource));
                }
            }
        }
        let missing = restart::slots_shortfall(
            &slot,
            &nodes.capacity,
            &nodes.open,
            &nodes.exposed,
            running,
            self.crashes(),
        );
        if missing == 0 {
            return Ok(());
        }
        let crashed = nodes.largest(self.crashes(), |node| {
            restart::seats(&nodes.capacity[node * dims..][..dims], &slot, running)
        });
        let sizes: Vec<String> = names
            .resource_ids()
            .map(|resource| format!("{} of {}", slot[resource.index()], names.resource_name(resource)))
            .collect();
        let text = format!(
            "if {} crash, the other nodes lack {missing} of {running} slots; a slot is {}",
            super::node_names(names, &crashed),
            super::list(sizes.iter().map(String::as_str))
        );
        Err(Violation::new(missing, Vec::new(), crashed, text))
    }
}

/// What a crash has to do with the nodes at one moment.
struct Nodes {
    /// By node: may it host?
    open: Vec<bool>,
    /// By node: is it one of those that may crash?
    exposed: Vec<bool>,
    /// By node and resource: the largest load.
    capacity: Vec<u64>,
}

impl Nodes {
    fn of(rule: &Ft, at: &Configuration<'_>) -> Self {
        let instance = at.instance();
        let dims = instance.resource_count();
        let mut exposed = vec![rule.nodes.is_empty(); instance.node_count()];
        for &node in rule.nodes.iter() {
            exposed[node.index()] = true;
        }
        let mut capacity = Vec::with_capacity(instance.node_count() * dims);
        for node in instance.node_ids() {
            capacity.extend(instance.resource_ids().map(|resource| instance.capacity(node, resource)));
        }
        let mut limits: Vec<(usize, u64)> = instance
            .constraints()
            .iter()
            .filter(|constraint| constraint.is_hard())
            .filter_map(|constraint| constraint.rule.limit(instance))
            .map(|(node, resource, limit)| (node.index() * dims + resource.index(), limit))
            .collect();
        // Of several, the smallest counts.
        limits.sort_unstable();
        limits.dedup_by_key(|limit| limit.0);
        for (at, limit) in limits {
            capacity[at] = limit;
        }
        let open = instance.node_ids().map(|node| at.is_online(node)).collect();
        Self { open, exposed, capacity }
    }

    /// The exposed nodes on which a crash costs most, in the order of their ids.
    fn largest(&self, count: usize, value: impl Fn(usize) -> u64) -> Vec<NodeId> {
        let mut nodes: Vec<usize> =
            (0..self.open.len()).filter(|&node| self.open[node] && self.exposed[node]).collect();
        nodes.sort_by_key(|&node| (std::cmp::Reverse(value(node)), node));
        nodes.truncate(count);
        nodes.sort_unstable();
        nodes.into_iter().map(NodeId::from_index).collect()
    }
}

impl SideConstraint for Ft {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let nodes = Nodes::of(self, at);
        match self.ft_mode() {
            Some(FtMode::Aggregate) => self.aggregate(at, &nodes),
            Some(FtMode::Slots) => self.slots(at, &nodes),
            Some(FtMode::Restart) | None => self.restart(at, &nodes, BUDGET),
        }
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Everything
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let failures = u32::try_from(self.failures).unwrap_or(u32::MAX);
        let mode = self.ft_mode().unwrap_or(FtMode::Restart);
        builder.survive(&self.nodes_of(builder.instance()), failures, mode);
    }
}

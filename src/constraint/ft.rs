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
//! `>>ft(@n[1..4], 1);` at the end only, `ft(all nodes, 2, "aggregate");` at every moment.
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
const BUDGET: u64 = 200_000_000;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Constraint;
    use crate::constraint::Described;
    use crate::constraint::Ratio;
    use crate::constraint::overbook::Overbook;
    use crate::model::InstanceBuilder;
    use crate::model::NodePhase;
    use crate::model::Place;

    /// Nodes n0, n1, … of capacity 10 that run VMs of these sizes, v0, v1, …
    fn cluster(content: &[&[u64]]) -> InstanceBuilder {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource_with_defaults("cpu", 10, 0);
        let mut count = 0;
        for (at, sizes) in content.iter().enumerate() {
            let node = b.node(&format!("n{at}"));
            for &size in *sizes {
                let vm = b.running_vm(&format!("v{count}"), node);
                b.demand(vm, cpu, size);
                count += 1;
            }
        }
        b
    }

    fn ft(failures: u64, mode: &str) -> Ft {
        Ft { nodes: [].into(), failures, mode: mode.to_owned() }
    }

    fn amount(instance: &Instance, rule: &Ft) -> u64 {
        rule.holds(&Configuration::source(instance)).err().map_or(0, |violation| violation.amount)
    }

    #[test]
    fn three_meanings_of_surviving() {
        // By content: restart, aggregate, slots, for one failure.
        let cases: [(&[&[u64]], [u64; 3]); 5] = [
            // One large VM; a slot of 6 goes once into a node, 2 for 9 VMs.
            (&[&[6], &[1, 1, 1, 1], &[1, 1, 1, 1]], [0, 0, 7]),
            // 7 against holes of 5 and 5; it would fit if others moved.
            (&[&[7], &[5], &[5]], [1, 0, 1]),
            // Not even then.
            (&[&[6], &[6], &[6]], [1, 0, 1]),
            (&[&[3, 2], &[3, 2], &[3, 2], &[3, 2]], [0, 0, 0]),
            // Room for 4 in sum, but in pieces of 3.
            (&[&[4, 3], &[4, 3], &[4]], [1, 0, 1]),
        ];
        for (content, expected) in cases {
            let instance = cluster(content).build().expect("a valid instance");
            let found = ["restart", "aggregate", "slots"].map(|mode| amount(&instance, &ft(1, mode)));
            assert_eq!(found, expected, "{content:?}");
        }
    }

    #[test]
    fn several_failures() {
        let instance = cluster(&[&[3, 2], &[3, 2], &[3, 2], &[3, 2]]).build().expect("a valid instance");
        let of = |mode| [1, 2, 3, 4].map(|failures| amount(&instance, &ft(failures, mode)));
        assert_eq!(of("restart"), [0, 0, 4, 8]);
        assert_eq!(of("aggregate"), [0, 0, 10, 20]);
        assert_eq!(of("slots"), [0, 2, 5, 8]);
        assert_eq!(amount(&instance, &ft(u64::MAX, "restart")), 8);
    }

    #[test]
    fn the_worst_crash_is_named_and_one_migration_mends_it() {
        let instance = cluster(&[&[4, 3], &[4, 3], &[4]]).build().expect("a valid instance");
        let mut at = Configuration::source(&instance);
        let broken = ft(1, "restart").holds(&at).map_err(|v| (v.vms, v.nodes, v.text));
        let text = "if n2 crash, v4 cannot restart elsewhere".to_owned();
        assert_eq!(broken, Err((vec![VmId(4)], vec![NodeId(2)], text)));
        at.enter(VmId(3), NodeId(0), Box::new([3]));
        at.arrive(VmId(3));
        assert_eq!(ft(1, "restart").holds(&at), Ok(()));
    }

    #[test]
    fn only_the_nodes_of_the_rule_crash_and_all_online_ones_help() {
        let mut b = cluster(&[&[6], &[7], &[8], &[]]);
        let dark = b.offline_node("dark");
        let instance = b.build().expect("a valid instance");
        let first = |count: u32| -> NodeSet { (0..count).map(NodeId).collect() };
        let rule = |nodes, failures| Ft { nodes, ..ft(failures, "restart") };
        // The spare node takes the VMs of any one, not those of any two.
        assert_eq!(amount(&instance, &rule(first(3), 1)), 0);
        assert_eq!(amount(&instance, &rule(first(3), 2)), 1);
        assert_eq!(amount(&instance, &rule([dark].into(), 1)), 0);
        let mut at = Configuration::source(&instance);
        at.set_phase(NodeId(3), NodePhase::ShuttingDown);
        assert!(rule(first(3), 1).holds(&at).is_err());
        at.set_phase(dark, NodePhase::Booting);
        assert!(rule(first(3), 1).holds(&at).is_err());
        at.set_phase(dark, NodePhase::Online);
        assert_eq!(rule(first(3), 1).holds(&at), Ok(()));
    }

    #[test]
    fn one_of_two_restarts_where_there_is_room_for_one() {
        // Full in cpu, full in cpu, room for 2 cpu and 5 GB; two VMs of 2 cpu and 3 GB.
        let mut b = InstanceBuilder::new();
        let [cpu, mem] = ["cpu", "mem"].map(|name| b.resource_with_defaults(name, 8, 0));
        let nodes = ["n1", "n3", "n4", "n5"].map(|name| b.node(name));
        for (name, node, size) in [
            ("vm1", nodes[0], [8, 4]),
            ("vm3", nodes[1], [2, 3]),
            ("vm5", nodes[1], [2, 3]),
            ("vm2", nodes[2], [8, 1]),
            ("vm4", nodes[3], [6, 3]),
        ] {
            let vm = b.running_vm(name, node);
            b.demand(vm, cpu, size[0]).demand(vm, mem, size[1]);
        }
        b.offline_node("n2");
        let instance = b.build().expect("a valid instance");
        let rule = Ft { nodes: [nodes[1]].into(), ..ft(1, "restart") };
        assert_eq!(amount(&instance, &rule), 1);
        // Another node wakes up: room for both.
        let mut at = Configuration::source(&instance);
        at.set_phase(NodeId(4), NodePhase::Online);
        assert_eq!(rule.holds(&at), Ok(()));
    }

    #[test]
    fn overbooked_nodes_take_more() {
        let mut b = cluster(&[&[7], &[5], &[5]]);
        let overbook = |ratio, node| Overbook {
            node: NodeId(node),
            resource: crate::model::ResourceId(0),
            ratio: Ratio::new(ratio).expect("a ratio"),
        };
        b.constraint(Constraint::new(overbook(1.2, 1)));
        let mut instance = b.build().expect("a valid instance");
        assert_eq!(amount(&instance, &ft(1, "restart")), 0);
        // The smallest ratio of a node counts.
        instance.add_constraint(Constraint::new(overbook(1.1, 1)));
        assert_eq!(amount(&instance, &ft(1, "restart")), 1);
    }

    #[test]
    fn a_migrant_is_restarted_for_both_its_nodes() {
        let instance = cluster(&[&[5], &[4], &[]]).build().expect("a valid instance");
        let mut at = Configuration::source(&instance);
        assert_eq!(ft(1, "restart").holds(&at), Ok(()));
        at.enter(VmId(0), NodeId(1), Box::new([5]));
        // n1 holds 9: its crash needs room for 4 and 5 beside 5 and nothing.
        assert_eq!(ft(1, "restart").holds(&at), Ok(()));
        at.put(VmId(1), Place::Running(NodeId(2)));
        at.allocate(VmId(1), crate::model::ResourceId(0), 6);
        assert_eq!(ft(1, "restart").holds(&at).map_err(|v| v.nodes), Err(vec![NodeId(2)]));
    }

    #[test]
    fn idle_clusters_and_clusters_without_resources() {
        assert_eq!(amount(&Instance::default(), &ft(1, "restart")), 0);
        let mut b = InstanceBuilder::new();
        let node = b.node("n0");
        let instance = b.build().expect("a valid instance");
        for mode in ["restart", "aggregate", "slots"] {
            assert_eq!(amount(&instance, &ft(1, mode)), 0);
        }
        // Without resources there is always room, but a node is needed all the same.
        let mut b = InstanceBuilder::new();
        assert_eq!(b.node("n0"), node);
        b.running_vm("vm", node);
        let mut alone = Configuration::source(&instance);
        let instance = b.build().expect("a valid instance");
        assert_eq!(amount(&instance, &ft(1, "restart")), 1);
        assert_eq!(amount(&instance, &ft(1, "slots")), 1);
        alone.set_phase(node, NodePhase::Offline);
        assert_eq!(ft(1, "restart").holds(&alone), Ok(()));
    }

    #[test]
    fn defaults_and_wrong_arguments() {
        let parameters = (Ft::SIGNATURE.parameters)();
        let defaults: Vec<Argument> =
            parameters.iter().filter_map(|parameter| parameter.default).map(|d| d()).collect();
        assert_eq!(defaults, ft(1, "restart").arguments());
        assert!((Ft::SIGNATURE.build)(&ft(0, "restart").arguments()).is_err());
        assert!((Ft::SIGNATURE.build)(&ft(1, "replace").arguments()).is_err());
    }

    #[test]
    fn a_step_limit_is_not_silence() {
        let instance =
            cluster(&[&[4, 3], &[4, 3], &[4, 3, 3], &[4, 3, 3]]).build().expect("a valid instance");
        let at = Configuration::source(&instance);
        let rule = ft(1, "restart");
        let nodes = Nodes::of(&rule, &at);
        for budget in 0..60 {
            assert!(rule.restart(&at, &nodes, budget).is_err(), "{budget}");
        }
        let none = rule.restart(&at, &nodes, 0).map_err(|violation| violation.text);
        assert!(none.is_err_and(|text| text.contains("step limit")));
    }
}

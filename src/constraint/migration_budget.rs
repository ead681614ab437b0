//! `migrationBudget`: relocations cost something of their hosts and of the hosts' links.
//!
//! # Meaning
//! At every moment, for each node of `nodes`, over the relocations under way that leave it or
//! come to it:
//!
//! - their costs add up to at most `host`. The cost of a VM is its attribute `migrationCost`;
//!   where it has none, 4 if its disks travel with it (`diskUsed` above 0) and 1 if not.
//! - unless `links` is `unlimited`, their number is at most the sum over the links of the node
//!   of 2 for a link below 1 Gbit/s, 4 from 1 Gbit/s and 8 from 10 Gbit/s on. A node without
//!   links, or an instance without a network, has no such limit.
//!
//! These are the limits that vSphere uses (host 8; a live migration costs 1, one of the storage
//! 4; network 2, 4 or 8). A relocation is under way as in `maxMigrations`. No node: satisfied.
//!
//! # Discrete and continuous
//! Continuous only: nothing is under way at the end.
//!
//! # In the language
//! `migrationBudget(@n[1..4]);`
//! `migrationBudget(@n[1..4], 4, "unlimited");`
//!
//! # In JSON
//! `{"migrationBudget": {"nodes": ["n1", "n2"], "host": 8, "links": "bySpeed"}}`
//!
//! # Compiles to
//! Two channels for each node: one of which each relocation takes its cost, one of which it
//! takes one unit.
//!
//! # Cost
//! Checking: linear in the relocations under way, at each moment that touches the nodes.
//! Planning: constant time for each relocation that starts.
//!
//! # See also
//! `datastoreBudget` (of the storage), `maxMigrations` (a plain number, in one direction or for a
//! set of nodes), `serialize`.
//!
//! The amount of a violation is what the relocations cost beyond the budgets, added up over the
//! nodes. BtrPlace has no such rule.

use super::Argument;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use super::shared::taken_of_each;
use crate::compile::Budget;
use crate::compile::Builder;
use crate::compile::Direction;
use crate::compile::Scope;
use crate::model::Configuration;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::side_constraint;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;

side_constraint! {
    /// Relocations cost something of their hosts, and of the hosts' links.
    pub struct MigrationBudget {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// What the relocations of a node may cost together.
        host("host"): u64 = || Argument::Amount(8),
        /// Do the links of a node limit the number of its relocations?
        links("links" in ["bySpeed", "unlimited"]): String = || Argument::Word("bySpeed".to_owned()),
    }
    name = "migrationBudget", btrplace = None, flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("migration_budget.rs");
    check = |rule| super::shared::one_of("links", &rule.links, &["bySpeed", "unlimited"]);
}

/// How many relocations a link takes at once.
fn of_link(mbit: u64) -> u64 {
    match mbit {
        0..1_000 => 2,
        1_000..10_000 => 4,
        _ => 8,
    }
}

impl MigrationBudget {
    /// By node of the rule that has links: how many relocations they take at once.
    fn of_links(&self, instance: &Instance) -> FxHashMap<NodeId, u64> {
        let mut most: FxHashMap<NodeId, u64> = FxHashMap::default();
        if self.links == "unlimited" {
            return most;
        }
        for link in instance.network().iter().flat_map(|network| &network.links) {
            if let Endpoint::Node(node) = link.end
                && self.nodes.binary_search(&node).is_ok()
            {
                *most.entry(node).or_default() += of_link(link.capacity);
            }
        }
        most
    }
}

impl SideConstraint for MigrationBudget {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let names = at.instance();
        let cost = |vm: VmId| names.migration_cost(vm);
        let taken = taken_of_each(at, &self.nodes, "both", cost);
        if taken.is_empty() {
            return Ok(());
        }
        let links = self.of_links(names);
        let mut text = None;
        let mut excess = 0u64;
        let (mut vms, mut nodes) = (Vec::new(), Vec::new());
        for (node, taken) in taken {
            let under_way = taken.vms.len() as u64;
            let most = links.get(&node).copied().unwrap_or(u64::MAX);
            let dear = taken.amount.saturating_sub(self.host);
            let crowded = under_way.saturating_sub(most);
            if dear + crowded == 0 {
                continue;
            }
            excess = excess.saturating_add(dear).saturating_add(crowded);
            text.get_or_insert_with(|| {
                let relocations = super::vm_names(names, &taken.vms);
                let name = names.node_name(node);
                if dear > 0 {
                    let (cost, budget) = (taken.amount, self.host);
                    format!("the relocations of {relocations} cost {name} {cost} at once, of a budget of {budget}")
                } else {
                    format!("{under_way} relocations use the links of {name} at once: {relocations}; they take {most}")
                }
            });
            nodes.push(node);
            vms.extend(taken.vms);
        }
        text.map_or(Ok(()), |text| Err(Violation::new(excess, vms, nodes, text)))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let instance = builder.instance();
        let costs = |vm: VmId| (vm, instance.migration_cost(vm));
        let special = instance.vm_ids().map(costs).filter(|&(_, cost)| cost != 1).collect();
        let host = Budget::of_one(&self.nodes, Direction::Both, Scope::Each, self.host);
        builder.budget(Budget { special, ..host });
        // Nodes whose links take as much share a budget's description.
        let mut by_most: BTreeMap<u64, Vec<NodeId>> = BTreeMap::new();
        for (node, most) in self.of_links(instance) {
            by_most.entry(most).or_default().push(node);
        }
        for (most, nodes) in by_most {
            builder.budget(Budget::of_one(&nodes.into(), Direction::Both, Scope::Each, most));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Network;
    use crate::model::Value;

    #[test]
    fn hosts_and_links_have_budgets() {
        let mut b = InstanceBuilder::new();
        let n = ["n0", "n1", "n2"].map(|name| b.node(name));
        let v: Vec<VmId> = (0..6).map(|at| b.running_vm(&format!("v{at}"), n[0])).collect();
        b.vm_attribute(v[5], "migrationCost", Value::Int(4));
        let mut network = Network::star(3, 10_000);
        network.links[1].capacity = 1_000;
        network.links[2].capacity = 999;
        b.network(network);
        let instance = b.build().expect("a valid instance");
        let rule = |host, links: &str| MigrationBudget { nodes: n.into(), host, links: links.to_owned() };
        let mut at = Configuration::source(&instance);
        for &vm in &v[..2] {
            at.enter(vm, n[2], [].into());
        }
        assert_eq!(rule(8, "bySpeed").holds(&at), Ok(()));
        at.enter(v[2], n[2], [].into());
        let broken = rule(8, "bySpeed").holds(&at).expect_err("three on a slow link");
        assert_eq!(broken.text, "3 relocations use the links of n2 at once: v0, v1 and v2; they take 2");
        assert_eq!((broken.amount, broken.nodes), (1, vec![n[2]]));
        assert_eq!(rule(3, "unlimited").holds(&at), Ok(()));
        at.enter(v[5], n[1], [].into());
        // 3 + 4 at n0, 4 at n1.
        let broken = rule(3, "unlimited").holds(&at).expect_err("too dear");
        assert_eq!((broken.amount, broken.nodes), (5, vec![n[0], n[1]]));
        assert_eq!(broken.text, "the relocations of v0, v1, v2 and v5 cost n0 7 at once, of a budget of 3");
        assert_eq!([1, 999, 1_000, 9_999, 10_000].map(of_link), [2, 2, 4, 4, 8]);
    }

    #[test]
    fn without_a_network_links_do_not_count() {
        let mut b = InstanceBuilder::new();
        let n = ["n0", "n1"].map(|name| b.node(name));
        let v: Vec<VmId> = (0..9).map(|at| b.running_vm(&format!("v{at}"), n[0])).collect();
        let instance = b.build().expect("a valid instance");
        let rule = MigrationBudget { nodes: n.into(), host: 8, links: "bySpeed".to_owned() };
        let mut at = Configuration::source(&instance);
        for &vm in &v[..8] {
            at.enter(vm, n[1], [].into());
        }
        assert_eq!(rule.holds(&at), Ok(()));
        at.enter(v[8], n[1], [].into());
        assert_eq!(rule.holds(&at).map_err(|broken| broken.amount), Err(2));
        assert_eq!(MigrationBudget { nodes: [].into(), ..rule }.holds(&at), Ok(()));
    }
}

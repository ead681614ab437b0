//! `datastoreBudget`: relocations cost something of the datastores that they read and write.
//!
//! # Meaning
//! At every moment, for each datastore, over the relocations of `vms` under way that touch it:
//! their costs add up to at most `amount`.
//!
//! - A relocation costs 16 where disks of the VM travel with it (`diskUsed` above 0). It touches
//!   the datastore that the VM names, and those that the node it leaves and the node it comes to
//!   name; a datastore that several of them name counts once.
//! - Any other relocation costs 1, and touches the datastore that the VM names.
//!
//! VMs and nodes name a datastore by their attribute `datastore`; who names none touches none.
//! These are the figures of vSphere (a datastore takes 128; a live migration costs it 1, one of
//! the storage 16). A relocation is under way as in `maxMigrations`. No VM: satisfied.
//!
//! # Discrete and continuous
//! Continuous only: nothing is under way at the end.
//!
//! # In the language
//! `datastoreBudget(vm[1..4]);`
//! `datastoreBudget(vm[1..4], 32);`
//!
//! # In JSON
//! `{"datastoreBudget": {"vms": ["vm1", "vm2"], "amount": 128}}`
//!
//! # Compiles to
//! One channel for each datastore, of which the relocations that touch it take their cost.
//!
//! # Cost
//! Checking: linear in the relocations under way, at each moment that touches the VMs.
//! Planning: constant time for each relocation that starts.
//!
//! # See also
//! `migrationBudget` (of hosts and links), `maxMigrations` (a plain number).
//!
//! The amount of a violation is what the relocations cost beyond the budget, added up over the
//! datastores. BtrPlace has no such rule.

use super::Argument;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Budget;
use crate::compile::Builder;
use crate::compile::Direction;
use crate::compile::Scope;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a relocation costs a datastore: of a VM whose disks stay, and of one whose disks travel.
const COSTS: (u64, u64) = (1, 16);

side_constraint! {
    /// Relocations cost something of datastores.
    pub struct DatastoreBudget {
        /// The VMs.
        vms("vms"): VmSet,
        /// What the relocations that touch a datastore may cost together.
        amount("amount"): u64 = || Argument::Amount(128),
    }
    name = "datastoreBudget", btrplace = None, flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("datastore_budget.rs");
    check = |_| Ok(());
}

/// Who names a datastore.
#[derive(Default)]
struct Named {
    nodes: Vec<NodeId>,
    /// With what moving each costs.
    vms: Vec<(VmId, u64)>,
}

fn cost(instance: &Instance, vm: VmId) -> u64 {
    if instance.takes_disks_along(vm) { COSTS.1 } else { COSTS.0 }
}

/// The datastores that a relocation touches, in order, each once.
fn touched(instance: &Instance, vm: VmId, from: NodeId, to: NodeId) -> Vec<Cow<'_, str>> {
    let ends = if instance.takes_disks_along(vm) { &[from, to][..] } else { &[] };
    let of_ends = ends.iter().filter_map(|&node| instance.node_datastore(node));
    let mut touched: Vec<Cow<'_, str>> = instance.vm_datastore(vm).into_iter().chain(of_ends).collect();
    touched.sort_unstable();
    touched.dedup();
    touched
}

impl SideConstraint for DatastoreBudget {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let names = at.instance();
        let mut taken: BTreeMap<Cow<'_, str>, (u64, Vec<VmId>)> = BTreeMap::new();
        for (vm, from, to) in at.in_transit() {
            if self.vms.binary_search(&vm).is_err() {
                continue;
            }
            for store in touched(names, vm, from, to) {
                let (sum, vms) = taken.entry(store).or_default();
                *sum = sum.saturating_add(cost(names, vm));
                vms.push(vm);
            }
        }
        taken.retain(|_, (sum, _)| *sum > self.amount);
        let Some((store, (sum, first))) = taken.first_key_value() else { return Ok(()) };
        let text = format!(
            "the relocations of {} cost the datastore {store} {sum} at once, of a budget of {}",
            super::vm_names(names, first),
            self.amount
        );
        let excess = taken.values().map(|(sum, _)| sum - self.amount).fold(0, u64::saturating_add);
        let vms = taken.into_values().flat_map(|(_, vms)| vms).collect();
        Err(Violation::new(excess, vms, Vec::new(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Vms(Cow::Borrowed(&self.vms))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let instance = builder.instance();
        let costs = |vm: &VmId| (*vm, cost(instance, *vm));
        let travellers = self.vms.iter().filter(|&&vm| instance.takes_disks_along(vm)).map(costs);
        let travellers: Arc<[(VmId, u64)]> = travellers.collect();
        let mut stores: BTreeMap<Cow<'_, str>, Named> = BTreeMap::new();
        for vm in self.vms.iter() {
            if let Some(store) = instance.vm_datastore(*vm) {
                stores.entry(store).or_default().vms.push(costs(vm));
            }
        }
        for node in instance.node_ids().filter(|_| !travellers.is_empty()) {
            if let Some(store) = instance.node_datastore(node) {
                stores.entry(store).or_default().nodes.push(node);
            }
        }
        for Named { nodes, vms } in stores.into_values() {
            let plain = Budget::of_one(&nodes.into(), Direction::Both, Scope::Together, self.amount);
            let special = travellers.clone();
            builder.budget(Budget { usual: 0, special, everywhere: vms.into(), ..plain });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::Value;

    /// Ten VMs on two nodes of the datastore `a`, a node of `b` and one of none; the disks of
    /// the VMs are on `a`, and those of all but the first travel along.
    fn cluster() -> (InstanceBuilder, [NodeId; 4], Vec<VmId>) {
        let mut b = InstanceBuilder::new();
        let nodes = ["a1", "a2", "b1", "none"].map(|name| b.node(name));
        for (node, store) in nodes.into_iter().zip(["a", "a", "b"]) {
            b.node_attribute(node, "datastore", Value::Text(store.into()));
        }
        let vms: Vec<VmId> = (0..10).map(|at| b.running_vm(&format!("v{at}"), nodes[0])).collect();
        b.vm_attribute(vms[0], "datastore", Value::Text("a".into()));
        for &vm in &vms[1..] {
            b.vm_attribute(vm, "diskUsed", Value::Int(500));
        }
        (b, nodes, vms)
    }

    #[test]
    fn a_datastore_takes_one_live_migration_and_seven_of_the_storage() {
        let (b, nodes, vms) = cluster();
        let instance = b.build().expect("a valid instance");
        let rule = |count: usize, amount| DatastoreBudget { vms: vms[..count].into(), amount };
        let mut at = Configuration::source(&instance);
        for &vm in &vms[..8] {
            at.enter(vm, nodes[2], [].into());
        }
        // 1 + 7 × 16 = 113 of `a`.
        assert_eq!(rule(10, 128).holds(&at), Ok(()));
        assert_eq!(rule(10, 112).holds(&at).map_err(|broken| broken.amount), Err(1));
        at.enter(vms[8], nodes[3], [].into());
        let broken = rule(10, 128).holds(&at).expect_err("129");
        assert_eq!((broken.amount, broken.vms.len()), (1, 9));
        assert!(broken.text.ends_with("cost the datastore a 129 at once, of a budget of 128"), "{broken:?}");
        // Others do not count.
        assert_eq!(rule(8, 128).holds(&at), Ok(()));
        assert_eq!(rule(0, 0).holds(&at), Ok(()));
        // 17 too many for `a`, and 12 for `b`.
        assert_eq!(rule(10, 100).holds(&at).map_err(|broken| broken.amount), Err(29 + 12));
    }

    #[test]
    fn a_datastore_at_both_ends_counts_once() {
        let (mut b, nodes, vms) = cluster();
        b.vm_attribute(vms[1], "datastore", Value::Text("c".into()));
        let instance = b.build().expect("a valid instance");
        let touched = |vm: usize, to: usize| touched(&instance, vms[vm], nodes[0], nodes[to]);
        assert_eq!(touched(2, 1), ["a"]);
        assert_eq!(touched(2, 2), ["a", "b"]);
        assert_eq!(touched(1, 2), ["a", "b", "c"]);
        assert_eq!(touched(0, 2), ["a"]);
        assert_eq!(touched(2, 3), ["a"]);
    }
}

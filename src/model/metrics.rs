//! The figures of a plan.

use super::ActionKind;
use super::Instance;
use super::Plan;
use crate::objective::Metric;
use rustc_hash::FxHashMap;

/// Counts and sums over the actions of a plan. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub struct Metrics {
    /// Migrations and re-instantiations; a parked VM counts twice.
    pub relocations: u64,
    pub migrations: u64,
    pub reinstantiations: u64,
    /// Boots of VMs; the clone of a re-instantiation does not count.
    pub boots: u64,
    /// Shutdowns of VMs; the original of a re-instantiation does not count.
    pub shutdowns: u64,
    pub suspends: u64,
    pub resumes: u64,
    pub kills: u64,
    /// Forgings; the clone of a re-instantiation does not count.
    pub forges: u64,
    pub allocations: u64,
    pub node_boots: u64,
    pub node_shutdowns: u64,
    /// The end of the last action.
    pub makespan: u64,
    /// See [`Metric::Mttr`].
    pub mttr: u64,
    /// The sum of the ends of all actions.
    pub sum_of_ends: u64,
    /// The sum of the durations of all relocations.
    pub relocation_time: u64,
    /// Nodes that are online at the end.
    pub nodes_on: u64,
    /// Joules; see [`Metric::Energy`].
    pub energy: u64,
}

impl Metrics {
    /// The figures of a plan for an instance. O(nodes + actions). Sums stop at `u64::MAX`.
    pub fn of(instance: &Instance, plan: &Plan) -> Self {
        let online = instance.node_ids().filter(|&node| instance.is_online(node)).count();
        Self { energy: energy(instance, plan), ..Self::from_online(online as u64, plan) }
    }

    /// The figures of a plan that starts with so many nodes online.
    fn from_online(online: u64, plan: &Plan) -> Self {
        let mut m = Self { makespan: plan.makespan(), ..Self::default() };
        // BtrPlace sums the end of each VM's and each node's transition once.
        let mut vm_end: FxHashMap<u32, u64> = FxHashMap::default();
        let mut forged: FxHashMap<u32, u64> = FxHashMap::default();
        for action in &plan.actions {
            m.sum_of_ends = m.sum_of_ends.saturating_add(action.end);
            match action.kind {
                ActionKind::Migrate { .. } => {
                    m.migrations += 1;
                    m.relocation_time = m.relocation_time.saturating_add(action.duration());
                }
                ActionKind::ForgeClone { vm } => {
                    m.reinstantiations += 1;
                    forged.insert(vm.0, action.start);
                }
                ActionKind::ShutdownOriginal { vm, .. } => {
                    let start = forged.remove(&vm.0).unwrap_or(action.start);
                    m.relocation_time = m.relocation_time.saturating_add(action.end.saturating_sub(start));
                }
                ActionKind::BootClone { .. } => {}
                ActionKind::Boot { .. } => m.boots += 1,
                ActionKind::Shutdown { .. } => m.shutdowns += 1,
                ActionKind::Suspend { .. } => m.suspends += 1,
                ActionKind::Resume { .. } => m.resumes += 1,
                ActionKind::Kill { .. } => m.kills += 1,
                ActionKind::Forge { .. } => m.forges += 1,
                ActionKind::Allocate { .. } => m.allocations += 1,
                ActionKind::BootNode { .. } => {
                    m.node_boots += 1;
                    m.mttr = m.mttr.saturating_add(action.end);
                }
                ActionKind::ShutdownNode { .. } => {
                    m.node_shutdowns += 1;
                    m.mttr = m.mttr.saturating_add(action.end);
                }
            }
            if let Some(vm) = action.kind.vm() {
                let end = vm_end.entry(vm.0).or_default();
                *end = (*end).max(action.end);
            }
        }
        m.relocations = m.migrations + m.reinstantiations;
        m.nodes_on = (online + m.node_boots).saturating_sub(m.node_shutdowns);
        m.mttr = vm_end.values().fold(m.mttr, |sum, &end| sum.saturating_add(end));
        m
    }

    /// One figure.
    pub fn get(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Relocations => self.relocations,
            Metric::Mttr => self.mttr,
            Metric::SumOfEnds => self.sum_of_ends,
            Metric::Makespan => self.makespan,
            Metric::RelocationTime => self.relocation_time,
            Metric::NodesOn => self.nodes_on,
            Metric::Energy => self.energy,
        }
    }
}

/// What the nodes and the live migrations of a plan take, in joules. A node is switched once at
/// most.
fn energy(instance: &Instance, plan: &Plan) -> u64 {
    let end = plan.makespan();
    let mut on: Vec<(u64, u64)> = instance
        .node_ids()
        .map(|node| if instance.is_online(node) { (0, end) } else { (end, end) })
        .collect();
    let mut joules = 0u64;
    for action in &plan.actions {
        match action.kind {
            ActionKind::Migrate { vm, .. } if vm.index() < instance.vm_count() => {
                joules = joules.saturating_add(instance.migration_energy(vm));
            }
            ActionKind::BootNode { node } => {
                on.get_mut(node.index()).into_iter().for_each(|on| on.0 = action.start);
            }
            ActionKind::ShutdownNode { node } => {
                on.get_mut(node.index()).into_iter().for_each(|on| on.1 = action.end);
            }
            _ => {}
        }
    }
    let nodes = instance.node_ids().zip(on).filter(|&(_, (from, until))| from < until);
    nodes.fold(joules, |sum, (node, (from, until))| {
        sum.saturating_add(instance.node_power(node).saturating_mul(until - from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Action;
    use crate::model::InstanceBuilder;
    use crate::model::NodeId;
    use crate::model::Reason;
    use crate::model::ResourceId;
    use crate::model::Value;
    use crate::model::VmId;

    const V: [VmId; 3] = [VmId(0), VmId(1), VmId(2)];
    const N: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];

    fn plan(actions: &[(u64, u64, ActionKind)]) -> Plan {
        let actions = actions
            .iter()
            .map(|&(start, end, kind)| Action {
                kind,
                start,
                end,
                allocations: Vec::new(),
                bandwidth: 0,
                reason: Reason::Unknown,
            })
            .collect();
        Plan { actions, happens_before: Vec::new() }
    }

    fn figures(actions: &[(u64, u64, ActionKind)]) -> Metrics {
        Metrics::from_online(1, &plan(actions))
    }

    fn migrate(vm: VmId, from: NodeId, to: NodeId) -> ActionKind {
        ActionKind::Migrate { vm, from, to }
    }

    #[test]
    fn an_empty_plan_has_no_figures() {
        assert_eq!(figures(&[]), Metrics { nodes_on: 1, ..Metrics::default() });
    }

    #[test]
    fn two_migrations_one_after_the_other() {
        let m = figures(&[(0, 1, migrate(V[0], N[0], N[1])), (1, 2, migrate(V[1], N[1], N[2]))]);
        assert_eq!((m.mttr, m.sum_of_ends, m.makespan, m.relocation_time), (3, 3, 2, 2));
        assert_eq!((m.relocations, m.migrations, m.reinstantiations), (2, 2, 0));
    }

    #[test]
    fn an_allocation_counts_when_it_is_done() {
        let grow = ActionKind::Allocate { vm: V[1], node: N[1], resource: ResourceId(0), amount: 5 };
        let m = figures(&[(0, 7, migrate(V[0], N[0], N[1])), (7, 7, grow)]);
        assert_eq!((m.mttr, m.sum_of_ends, m.allocations, m.relocation_time), (14, 14, 1, 7));
        // Early where the room is there: BtrPlace would wait for the end.
        let m = figures(&[(0, 7, migrate(V[0], N[0], N[1])), (0, 0, grow)]);
        assert_eq!(m.mttr, 7);
    }

    #[test]
    fn a_vm_counts_once_in_mttr_and_each_action_in_the_sum_of_ends() {
        // Parked on n2 on its way to n1, then given a second resource there.
        let grow = ActionKind::Allocate { vm: V[0], node: N[1], resource: ResourceId(1), amount: 5 };
        let m =
            figures(&[(0, 3, migrate(V[0], N[0], N[2])), (4, 7, migrate(V[0], N[2], N[1])), (7, 7, grow)]);
        assert_eq!((m.mttr, m.sum_of_ends), (7, 17));
        assert_eq!((m.relocations, m.relocation_time), (2, 6));
    }

    #[test]
    fn a_reinstantiation_is_one_relocation() {
        // Forging takes 3: 0:3 forge, 3:4 boot of the clone, 4:6 stop of the original.
        let m = figures(&[
            (0, 3, ActionKind::ForgeClone { vm: V[0] }),
            (3, 4, ActionKind::BootClone { vm: V[0], from: N[0], to: N[1] }),
            (4, 6, ActionKind::ShutdownOriginal { vm: V[0], from: N[0] }),
        ]);
        assert_eq!((m.relocations, m.migrations, m.reinstantiations), (1, 0, 1));
        assert_eq!((m.boots, m.shutdowns, m.forges), (0, 0, 0));
        assert_eq!((m.mttr, m.sum_of_ends, m.relocation_time, m.makespan), (6, 13, 6, 6));
    }

    #[test]
    fn every_kind_is_counted_by_its_name() {
        let m = figures(&[
            (0, 1, ActionKind::Boot { vm: V[0], node: N[0] }),
            (0, 2, ActionKind::Shutdown { vm: V[1], node: N[0] }),
            (0, 3, ActionKind::Suspend { vm: V[2], node: N[0] }),
            (3, 7, ActionKind::Resume { vm: VmId(3), from: N[0], to: N[1] }),
            (0, 11, ActionKind::Kill { vm: VmId(4), node: None }),
            (0, 13, ActionKind::Forge { vm: VmId(5) }),
            (0, 17, ActionKind::BootNode { node: N[1] }),
            (7, 19, ActionKind::ShutdownNode { node: N[0] }),
        ]);
        assert_eq!((m.boots, m.shutdowns, m.suspends, m.resumes), (1, 1, 1, 1));
        assert_eq!((m.kills, m.forges, m.node_boots, m.node_shutdowns), (1, 1, 1, 1));
        assert_eq!((m.relocations, m.allocations, m.relocation_time), (0, 0, 0));
        assert_eq!((m.mttr, m.sum_of_ends, m.makespan, m.nodes_on), (73, 73, 19, 1));
    }

    #[test]
    fn figures_are_found_by_their_metric() {
        let m = figures(&[(0, 2, migrate(V[0], N[0], N[1])), (1, 3, ActionKind::BootNode { node: N[2] })]);
        let of = |metric| m.get(metric);
        assert_eq!((of(Metric::Relocations), of(Metric::RelocationTime)), (1, 2));
        assert_eq!((of(Metric::Mttr), of(Metric::SumOfEnds), of(Metric::Makespan)), (5, 5, 3));
        assert_eq!(of(Metric::NodesOn), 2);
    }

    #[test]
    fn energy_is_counted_from_the_start_to_the_last_end() {
        let mut b = InstanceBuilder::new();
        let [on, off] = [b.node("on"), b.offline_node("off")];
        b.node_attribute(on, "power", Value::Int(100));
        b.node_attribute(off, "power", Value::Int(10));
        let vm = b.running_vm("vm", on);
        b.vm_attribute(vm, "migrationEnergy", Value::Int(7));
        let instance = b.build().expect("sound");
        let boot = |start, end| (start, end, ActionKind::BootNode { node: off });
        let stop = |start, end, node| (start, end, ActionKind::ShutdownNode { node });
        let joules = |actions: &[_]| Metrics::of(&instance, &plan(actions)).energy;
        assert_eq!(joules(&[]), 0);
        // Off before the end; on from the start of the boot.
        let move_it = (4, 9, migrate(vm, on, off));
        assert_eq!(joules(&[boot(1, 4), move_it]), 100 * 9 + 10 * 8 + 7);
        assert_eq!(joules(&[boot(1, 4), move_it, stop(9, 12, on)]), 100 * 12 + 10 * 11 + 7);
        // What ends last ends the plan, whatever it is.
        let park = (9, 30, ActionKind::Forge { vm: VmId(9) });
        assert_eq!(joules(&[boot(1, 4), move_it, stop(9, 12, on), park]), 100 * 12 + 10 * 29 + 7);
    }

    #[test]
    fn times_that_make_no_sense_do_not_break_the_sums() {
        let m = figures(&[
            (9, 2, migrate(V[0], N[0], N[1])),
            (0, u64::MAX, migrate(V[1], N[0], N[1])),
            (0, u64::MAX, ActionKind::BootNode { node: N[0] }),
        ]);
        assert_eq!((m.relocation_time, m.sum_of_ends, m.mttr), (u64::MAX, u64::MAX, u64::MAX));
    }
}

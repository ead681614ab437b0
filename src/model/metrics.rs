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
}

impl Metrics {
    /// The figures of a plan. O(actions).
    pub fn of(instance: &Instance, plan: &Plan) -> Self {
        let _ = instance;
        let mut m = Self { makespan: plan.makespan(), ..Self::default() };
        // BtrPlace sums the end of each VM's and each node's transition once.
        let mut vm_end: FxHashMap<u32, u64> = FxHashMap::default();
        let mut forged: FxHashMap<u32, u64> = FxHashMap::default();
        for action in &plan.actions {
            m.sum_of_ends += action.end;
            match action.kind {
                ActionKind::Migrate { .. } => {
                    m.migrations += 1;
                    m.relocation_time += action.duration();
                }
                ActionKind::ForgeClone { vm } => {
                    m.reinstantiations += 1;
                    forged.insert(vm.0, action.start);
                }
                ActionKind::ShutdownOriginal { vm, .. } => {
                    m.relocation_time += action.end - forged.get(&vm.0).copied().unwrap_or(action.start);
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
                    m.mttr += action.end;
                }
                ActionKind::ShutdownNode { .. } => {
                    m.node_shutdowns += 1;
                    m.mttr += action.end;
                }
            }
            if let Some(vm) = action.kind.vm() {
                let end = vm_end.entry(vm.0).or_default();
                *end = (*end).max(action.end);
            }
        }
        m.relocations = m.migrations + m.reinstantiations;
        m.mttr += vm_end.values().sum::<u64>();
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
        }
    }
}

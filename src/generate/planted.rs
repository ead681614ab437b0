//! Instances without a plan, by a reason that is known: conflicts that are hidden among
//! rules that hold.

use super::random::Random;
use crate::constraint::Constraint;
use crate::constraint::SideConstraint;
use crate::constraint::among::Among;
use crate::constraint::ban::Ban;
use crate::constraint::fence::Fence;
use crate::constraint::gather::Gather;
use crate::constraint::lonely::Lonely;
use crate::constraint::max_online::MaxOnline;
use crate::constraint::root::Root;
use crate::constraint::running_capacity::RunningCapacity;
use crate::constraint::split::Split;
use crate::constraint::spread::Spread;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use std::sync::Arc;

/// Why there is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Planted {
    /// VMs are fenced into a few nodes and take more than those have.
    FenceRoom,
    /// VMs are spread over fewer nodes than there are of them.
    Seats,
    /// VMs are gathered and take more than any node has.
    GatherRoom,
    /// A chain of gathers ends in two VMs that are spread.
    GatherChain,
    /// VMs are to be among groups of nodes, none of which has room for them.
    AmongRoom,
    /// VMs are spread and among groups that are too small.
    AmongSeats,
    /// VMs need more nodes of a set than may be on.
    MaxOnline,
    /// VMs are gathered and split.
    SplitGather,
    /// A VM is to be alone and gathered with another.
    LonelyGather,
    /// More VMs are fenced into a few nodes than may run there.
    Count,
    /// A VM is not to move and not to stay.
    RootBan,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 11] = [
        Planted::FenceRoom,
        Planted::Seats,
        Planted::GatherRoom,
        Planted::GatherChain,
        Planted::AmongRoom,
        Planted::AmongSeats,
        Planted::MaxOnline,
        Planted::SplitGather,
        Planted::LonelyGather,
        Planted::Count,
        Planted::RootBan,
    ];
}

/// Adds a conflict of each kind to an instance, and rules that hold as it is, about other
/// VMs, until it has `rules` constraints. Constraints are in a random order.
///
/// # Errors
/// When the instance has too few running VMs or nodes for that.
pub fn plant(instance: &mut Instance, kinds: &[Planted], rules: usize, seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed ^ 0x5eed);
    let mut running: Vec<VmId> =
        instance.vm_ids().filter(|&vm| instance.place(vm).host().is_some()).collect();
    let mut nodes: Vec<NodeId> = instance.node_ids().filter(|&node| instance.is_online(node)).collect();
    shuffle(&mut running, &mut random);
    shuffle(&mut nodes, &mut random);
    let mut plot = Plot { instance, free: running, nodes, rules: Vec::new() };
    for &kind in kinds {
        plot.plant(kind)?;
    }
    while plot.rules.len() + plot.instance.constraints().len() < rules {
        plot.fill(&mut random)?;
    }
    let Plot { rules, .. } = plot;
    instance.constraints.extend(rules);
    shuffle(&mut instance.constraints, &mut random);
    Ok(())
}

fn shuffle<T>(values: &mut [T], random: &mut Random) {
    for at in (1..values.len()).rev() {
        values.swap(at, random.below(at + 1));
    }
}

struct Plot<'a> {
    instance: &'a Instance,
    /// VMs that no conflict speaks of yet.
    free: Vec<VmId>,
    nodes: Vec<NodeId>,
    rules: Vec<Constraint>,
}

impl Plot<'_> {
    fn vm(&mut self) -> Result<VmId, String> {
        self.free.pop().ok_or_else(|| "too few running VMs for these conflicts".to_owned())
    }

    fn vms(&mut self, count: usize) -> Result<Vec<VmId>, String> {
        (0..count).map(|_| self.vm()).collect()
    }

    fn region(&mut self, count: usize) -> Result<Vec<NodeId>, String> {
        if self.nodes.len() < count {
            return Err("too few nodes that are on for these conflicts".to_owned());
        }
        Ok(self.nodes.split_off(self.nodes.len() - count))
    }

    fn state(&mut self, rule: impl SideConstraint) -> Result<(), String> {
        self.rules.push(Constraint::new(rule).discrete()?);
        Ok(())
    }

    fn fence(&mut self, vm: VmId, nodes: &[NodeId]) -> Result<(), String> {
        self.state(Fence { vm, nodes: set(nodes) })
    }

    /// VMs that take more of the first resource than `room`.
    fn more_than(&mut self, room: u64) -> Result<Vec<VmId>, String> {
        let resource = ResourceId::from_index(0);
        if self.instance.resource_count() == 0 {
            return Err("there is no resource of which too much could be taken".to_owned());
        }
        let mut vms = Vec::new();
        let mut sum = 0;
        while sum <= room {
            let vm = self.vm()?;
            sum += self.instance.demand(vm, resource);
            vms.push(vm);
        }
        Ok(vms)
    }

    fn room(&self, nodes: &[NodeId]) -> u64 {
        match self.instance.resources().first() {
            Some(resource) => nodes.iter().map(|node| resource.capacity[node.index()]).sum(),
            None => 0,
        }
    }

    fn plant(&mut self, kind: Planted) -> Result<(), String> {
        match kind {
            Planted::FenceRoom => {
                let region = self.region(2)?;
                for vm in self.more_than(self.room(&region))? {
                    self.fence(vm, &region)?;
                }
            }
            Planted::Seats => {
                let region = self.region(4)?;
                let vms = self.vms(4)?;
                for &vm in &vms {
                    self.fence(vm, &region)?;
                    self.state(Ban { vm, nodes: set(&region[..1]) })?;
                }
                self.state(Spread { vms: set(&vms) })?;
            }
            Planted::GatherRoom => {
                let most = self.instance.node_ids().map(|node| self.room(&[node])).max().unwrap_or(0);
                let vms = self.more_than(most)?;
                self.state(Gather { vms: set(&vms) })?;
            }
            Planted::GatherChain => {
                let vms = self.vms(5)?;
                for pair in vms.windows(2) {
                    self.state(Gather { vms: set(pair) })?;
                }
                self.state(Spread { vms: set(&[vms[0], vms[4]]) })?;
            }
            Planted::AmongRoom => {
                let (one, other) = (self.region(2)?, self.region(2)?);
                let vms = self.more_than(self.room(&one).max(self.room(&other)))?;
                self.state(Among { vms: set(&vms), parts: Arc::from([set(&one), set(&other)]) })?;
            }
            Planted::AmongSeats => {
                let (one, other) = (self.region(2)?, self.region(3)?);
                let vms = self.vms(4)?;
                self.state(Among { vms: set(&vms), parts: Arc::from([set(&one), set(&other)]) })?;
                self.state(Spread { vms: set(&vms) })?;
            }
            Planted::MaxOnline => {
                let region = self.region(5)?;
                let vms = self.vms(3)?;
                for &vm in &vms {
                    self.fence(vm, &region)?;
                }
                self.state(Spread { vms: set(&vms) })?;
                self.state(MaxOnline { nodes: set(&region), amount: 2 })?;
            }
            Planted::SplitGather => {
                let vms = self.vms(4)?;
                self.state(Split { parts: Arc::from([set(&vms[..2]), set(&vms[2..])]) })?;
                self.state(Gather { vms: set(&vms[1..3]) })?;
            }
            Planted::LonelyGather => {
                let vms = self.vms(2)?;
                self.state(Lonely { vms: set(&vms[..1]) })?;
                self.state(Gather { vms: set(&vms) })?;
            }
            Planted::Count => {
                let region = self.region(3)?;
                let vms = self.vms(4)?;
                for &vm in &vms {
                    self.fence(vm, &region)?;
                }
                self.state(RunningCapacity { nodes: set(&region), amount: 3 })?;
            }
            Planted::RootBan => {
                let vm = self.vm()?;
                let host = self.instance.place(vm).host().unwrap_or(NodeId(0));
                self.rules.push(Constraint::new(Root { vm }));
                self.state(Ban { vm, nodes: set(&[host]) })?;
            }
        }
        Ok(())
    }

    /// A rule that holds as things are, about VMs that no conflict speaks of.
    fn fill(&mut self, random: &mut Random) -> Result<(), String> {
        if self.free.len() < 2 || self.nodes.len() < 2 {
            return Err("too few VMs and nodes are left for so many rules".to_owned());
        }
        let pick = |random: &mut Random| self.free[random.below(self.free.len())];
        let (vm, other) = (pick(random), pick(random));
        let host = |vm: VmId| self.instance.place(vm).host().unwrap_or(NodeId(0));
        match random.below(10) {
            0..=3 => {
                let nodes: Vec<NodeId> = (0..1 + random.below(3))
                    .map(|_| self.nodes[random.below(self.nodes.len())])
                    .filter(|&node| node != host(vm))
                    .collect();
                self.state(Ban { vm, nodes: set(&nodes) })
            }
            4..=6 => {
                let mut nodes: Vec<NodeId> =
                    self.nodes.iter().copied().filter(|_| random.below(4) == 0).collect();
                nodes.push(host(vm));
                self.fence(vm, &nodes)
            }
            7 | 8 if host(vm) != host(other) => self.state(Spread { vms: set(&[vm, other]) }),
            _ if vm != other && host(vm) == host(other) => self.state(Gather { vms: set(&[vm, other]) }),
            _ => Ok(()),
        }
    }
}

/// A set for a rule.
fn set<T: Copy + Ord>(members: &[T]) -> Arc<[T]> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    members.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::Status;
    use crate::generate::Spec;
    use crate::generate::generate;

    #[test]
    fn each_conflict_rules_out_every_plan() {
        let spec = Spec { nodes: 30, vms: 120, constrained: 0, growing: 0, ..Spec::default() };
        for kind in Planted::ALL {
            let mut instance = generate(&spec).expect("a feasible spec");
            plant(&mut instance, &[kind], 60, 5).expect("room for it");
            assert!(instance.constraints().len() >= 60);
            let outcome = crate::solve(&instance, &Options::default()).expect("an answer");
            assert_eq!(outcome.status, Status::Infeasible, "{kind:?}");
            let mut sound = generate(&spec).expect("a feasible spec");
            plant(&mut sound, &[], 60, 5).expect("room for it");
            let outcome = crate::solve(&sound, &Options::default()).expect("an answer");
            assert_eq!(outcome.status, Status::Optimal);
        }
    }
}

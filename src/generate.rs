//! Synthetic instances: large, feasible with high probability, the same for a seed.
//!
//! In the manner of the public workload of three-tier applications on a data centre of
//! racks (5,000 servers, up to 30,000 VMs) by which reconfiguration planners are
//! compared:
//!
//! * A node offers 200 points of `uCpu` and 1600 of `memory`, or the smallest multiple
//!   of both that leaves every resource at most 75 % used at the end; or exactly what
//!   makes the load that was asked for.
//! * An application has three tiers of 2 to 10 VMs. A VM takes 6 to 40 points (third
//!   tier: 53) of `uCpu`; the VMs of a tier take 100, 200 or 300 of `memory` alike.
//! * A share of the applications is constrained: each tier is spread, and the third
//!   tier stays within one rack of its pod, a group of racks (among), both continuously.
//!   In five of a hundred the third tier is a pair that stays on one node instead (gather), in two the first
//!   tier has nodes of its own (lonely), in ten the second tier keeps off one rack (ban).
//! * The source configuration breaks none of these and overloads no node.
//! * Load increase: the VMs of 10 % of the applications want 1 to 30 points more.
//! * Node failure: 5 % of the nodes are off and stay off; the VMs that they ran are
//!   ready, and are to run.
//! * Where that is asked, nodes are to be switched off with all VMs on them running
//!   (drained), and VMs are to end in a rack that is drawn for them (fenced).
//!
//! A migration takes one second for each 100 of memory (rounded), the boot and the
//! shutdown of a VM 5 s, anything else 1 s.

mod draw;
mod planted;
mod random;
mod seats;

pub use planted::Planted;
pub use planted::plant;

use crate::constraint::Constraint;
use crate::constraint::among::Among;
use crate::constraint::ban::Ban;
use crate::constraint::fence::Fence;
use crate::constraint::gather::Gather;
use crate::constraint::lonely::Lonely;
use crate::constraint::offline::Offline;
use crate::constraint::preserve::Preserve;
use crate::constraint::running::Running;
use crate::constraint::spread::Spread;
use crate::model::Duration;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::Place;
use crate::model::Timed;
use crate::model::VmId;
use crate::model::VmSet;
use draw::Application;
use draw::Extra;
use draw::Tier;
use random::Random;
use seats::Seats;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What has happened to the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Scenario {
    /// Load increase: applications want more CPU; some nodes are overloaded.
    #[default]
    #[value(name = "li")]
    LoadIncrease,
    /// Node failure: nodes are down, their VMs must start elsewhere.
    #[value(name = "nr")]
    NodeFailure,
    /// Both.
    Mixed,
}

/// What to generate. Shares are percentages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Number of nodes, failed ones included.
    pub nodes: u32,
    /// Number of VMs.
    pub vms: u32,
    /// Of all random choices.
    pub seed: u64,
    /// What has happened.
    pub scenario: Scenario,
    /// Share of the applications that carry constraints.
    pub constrained: u32,
    /// Share of the applications that want more CPU, where the scenario has it.
    pub growing: u32,
    /// Share of the nodes that are down, where the scenario has it.
    pub failed: u32,
    /// Share of the nodes that are to be switched off, whatever the scenario.
    pub drained: u32,
    /// Share of the VMs of applications without constraints that are to end in a rack drawn
    /// at random, whatever the scenario.
    pub fenced: u32,
    /// Nodes behind one leaf switch, about.
    pub rack: u32,
    /// Racks in a pod. Each among names all nodes of one: files grow with it.
    pub pod: u32,
    /// The share of the CPU and of the memory that is used at the end; a whole multiple
    /// of the standard node (see the module) where `None`.
    pub load: Option<u32>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            nodes: 1_000,
            vms: 5_000,
            seed: 0,
            scenario: Scenario::default(),
            constrained: 33,
            growing: 10,
            failed: 5,
            drained: 0,
            fenced: 0,
            rack: 250,
            pod: 4,
            load: None,
        }
    }
}

/// What cannot be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// Why, in one sentence.
    pub message: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}

fn refuse<T>(message: impl Into<String>) -> Result<T, SpecError> {
    Err(SpecError { message: message.into() })
}

/// The most nodes, and the most VMs, that [`generate`] accepts.
pub const LARGEST: u32 = 20_000_000;

/// Generates an instance. About linear in its size: half a million VMs take a second or two.
///
/// # Errors
/// When the figures contradict each other, or the cluster is so small or full that
/// the VMs find no place that satisfies their constraints.
pub fn generate(spec: &Spec) -> Result<Instance, SpecError> {
    check(spec)?;
    let mut random = Random::new(spec.seed);
    let nodes = spec.nodes;
    let failed = match spec.scenario {
        Scenario::LoadIncrease => 0,
        _ => share(nodes, spec.failed).max(u32::from(nodes > 1 && spec.failed > 0)),
    };
    let drained = share(nodes, spec.drained);
    if failed + drained >= nodes && nodes > 0 {
        return refuse(format!("{} of {nodes} nodes down leave none to run the VMs", failed + drained));
    }
    let racks = racks(nodes, spec.rack);
    let applications = draw::applications(spec, nodes - failed, &racks, &mut random);
    let offer = offer(spec, &applications, nodes - failed - drained)?;

    let mut seats = Seats::new(nodes, offer);
    let hosts = seats.seat(&applications, &racks, spec.vms, &mut random)?;
    let down = drawn_nodes(nodes, failed, |node| !seats.is_spare(node), &mut random);
    let up = |node: u32| !seats.is_spare(node) && down.binary_search(&node).is_err();
    let fate = Fate {
        drained: drawn_nodes(nodes, drained, up, &mut random),
        fences: fences(spec, &applications, racks.len(), &mut random),
        down,
    };
    assemble(spec, &applications, offer, &racks, &hosts, &fate)
}

/// VMs of applications without rules of their own, each with a rack.
fn fences(spec: &Spec, applications: &[Application], racks: usize, random: &mut Random) -> Vec<(u32, usize)> {
    let free = applications.iter().filter(|application| !application.constrained && spec.fenced > 0);
    let vms = free.flat_map(|application| &application.tiers).flat_map(Tier::vms);
    let mut fences = Vec::new();
    for vm in vms {
        if random.percent(spec.fenced) {
            fences.push((vm, random.below(racks)));
        }
    }
    fences
}

/// What becomes of nodes and VMs.
struct Fate {
    /// Nodes that are off, ascending.
    down: Vec<u32>,
    /// Nodes that are to be switched off, ascending.
    drained: Vec<u32>,
    /// (VM, the rack where it is to end), by VM.
    fences: Vec<(u32, usize)>,
}

fn check(spec: &Spec) -> Result<(), SpecError> {
    if spec.nodes > LARGEST || spec.vms > LARGEST {
        return refuse(format!("at most {LARGEST} nodes and as many VMs can be generated"));
    }
    if spec.nodes == 0 && spec.vms > 0 {
        return refuse("VMs need at least one node");
    }
    if spec.rack == 0 || spec.pod == 0 {
        return refuse("a rack has at least one node, and a pod at least one rack");
    }
    for (what, value) in [
        ("constrained", spec.constrained),
        ("growing", spec.growing),
        ("failed", spec.failed),
        ("drained", spec.drained),
        ("fenced", spec.fenced),
    ] {
        if value > 100 {
            return refuse(format!("{value} % {what} is more than all"));
        }
    }
    match spec.load {
        Some(load) if !(1..=95).contains(&load) => {
            refuse(format!("a load of {load} % is out of reach; expected 1 to 95"))
        }
        _ => Ok(()),
    }
}

/// `percent` of `all`, rounded.
fn share(all: u32, percent: u32) -> u32 {
    ((u64::from(all) * u64::from(percent) + 50) / 100) as u32
}

/// Cuts the nodes into racks of about equal size.
fn racks(nodes: u32, size: u32) -> Vec<Range<u32>> {
    let count = u64::from((nodes / size).max(1));
    let cut = |at: u64| (at * u64::from(nodes) / count) as u32;
    (0..count).map(|at| cut(at)..cut(at + 1)).collect()
}

/// What every node offers of CPU and memory.
fn offer(spec: &Spec, applications: &[Application], up: u32) -> Result<[u64; 2], SpecError> {
    const STANDARD: [u64; 2] = [200, 1_600];
    const MOST: u64 = 75;
    let mut needed = [0u64; 2];
    for tier in applications.iter().flat_map(|application| &application.tiers) {
        for vm in &tier.cpu {
            needed[0] += u64::from(vm.0 + vm.1);
            needed[1] += u64::from(tier.memory);
        }
    }
    let up = u64::from(up.max(1));
    let Some(load) = spec.load else {
        let times = |at: usize| (needed[at] * 100).div_ceil(up * STANDARD[at] * MOST);
        let times = times(0).max(times(1)).max(1);
        return Ok(STANDARD.map(|amount| amount * times));
    };
    // Below this, two of the largest VMs do not fit side by side and packing is luck.
    const LEAST: [u64; 2] = [166, 600];
    let mut offer = LEAST;
    for (offer, needed) in offer.iter_mut().zip(needed) {
        *offer = (*offer).max((needed * 100).div_ceil(up * u64::from(load)));
    }
    Ok(offer)
}

/// So many nodes at random, ascending. Spare ones stay up: they are what is left to run on.
fn drawn_nodes(nodes: u32, count: u32, may: impl Fn(u32) -> bool, random: &mut Random) -> Vec<u32> {
    let mut candidates: Vec<u32> = (0..nodes).filter(|&node| may(node)).collect();
    let count = (count as usize).min(candidates.len());
    for at in 0..count {
        let other = at + random.below(candidates.len() - at);
        candidates.swap(at, other);
    }
    candidates.truncate(count);
    candidates.sort_unstable();
    candidates
}

fn assemble(
    spec: &Spec,
    applications: &[Application],
    offer: [u64; 2],
    racks: &[Range<u32>],
    hosts: &[u32],
    fate: &Fate,
) -> Result<Instance, SpecError> {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("uCpu", offer[0], 0);
    let memory = b.resource_with_defaults("memory", offer[1], 0);
    b.duration(Timed::Migrate, Duration::Linear { resource: memory, coefficient: 0.01, offset: 0.0 });
    b.duration(Timed::Boot, Duration::Constant(5));
    b.duration(Timed::Shutdown, Duration::Constant(5));

    let is_down = |node: u32| fate.down.binary_search(&node).is_ok();
    for (rack, nodes) in racks.iter().enumerate() {
        for node in nodes.clone() {
            let name = format!("r{rack}n{}", node - nodes.start);
            if is_down(node) {
                b.offline_node(&name)
            } else {
                b.node(&name)
            };
        }
    }
    let groups: Vec<NodeSet> = racks.iter().map(|rack| rack.clone().map(NodeId).collect()).collect();

    let pods: Vec<Arc<[NodeSet]>> = groups.chunks(spec.pod as usize).map(Arc::from).collect();

    const TIERS: [&str; 3] = ["front", "logic", "data"];
    let grows = spec.scenario != Scenario::NodeFailure;
    let mut constraints = Vec::new();
    for (number, application) in applications.iter().enumerate() {
        for (tier, word) in application.tiers.iter().zip(TIERS) {
            for (at, &(now, more)) in tier.cpu.iter().enumerate() {
                let host = hosts[tier.first as usize + at];
                let place = if is_down(host) { Place::Ready } else { Place::Running(NodeId(host)) };
                let vm = b.vm(&format!("app{number}-{word}{at}"), place);
                b.demand(vm, cpu, u64::from(now)).demand(vm, memory, u64::from(tier.memory));
                if place == Place::Ready {
                    constraints.push(Ok(Constraint::new(Running { vm })));
                }
                if grows && more > 0 {
                    let amount = u64::from(now + more);
                    constraints.push(Ok(Constraint::new(Preserve { vm, resource: cpu, amount })));
                }
            }
        }
        if application.constrained {
            // The third tier got a rack when it got its nodes, and with it a pod.
            let host = hosts.get(application.tiers[2].first as usize).copied().unwrap_or_default();
            let rack = racks.partition_point(|rack| rack.end <= host);
            rules(application, &groups, &pods[rack / spec.pod as usize], &mut constraints);
        }
    }
    for &(vm, rack) in &fate.fences {
        let fence = Fence { vm: VmId(vm), nodes: groups[rack].clone() };
        constraints.push(Ok(Constraint::new(fence)));
    }
    for &node in fate.down.iter().chain(&fate.drained) {
        constraints.push(Ok(Constraint::new(Offline { node: NodeId(node) })));
    }
    for constraint in constraints {
        b.constraint(constraint.map_err(|message: String| SpecError { message })?);
    }
    b.build().map_err(|error| SpecError { message: error.message })
}

/// The constraints of an application, as the module describes them.
fn rules(
    application: &Application,
    racks: &[NodeSet],
    pod: &Arc<[NodeSet]>,
    constraints: &mut Vec<Result<Constraint, String>>,
) {
    let vms = |tier: &Tier| -> VmSet { tier.vms().map(VmId).collect() };
    for (at, tier) in application.tiers.iter().enumerate() {
        match (application.extra, at) {
            (Extra::Gather, 2) => {
                constraints.push(Constraint::new(Gather { vms: vms(tier) }).continuous());
                continue;
            }
            (Extra::Lonely, 0) => {
                constraints.push(Constraint::new(Lonely { vms: vms(tier) }).continuous());
                continue;
            }
            (Extra::Ban(rack), 1) => {
                for vm in tier.vms() {
                    let ban = Ban { vm: VmId(vm), nodes: racks[rack].clone() };
                    constraints.push(Constraint::new(ban).continuous());
                }
            }
            _ => {}
        }
        if tier.cpu.len() > 1 {
            constraints.push(Constraint::new(Spread { vms: vms(tier) }).continuous());
        }
        if at == 2 && racks.len() > 1 && !tier.cpu.is_empty() {
            let among = Among { vms: vms(tier), parts: pod.clone() };
            constraints.push(Constraint::new(among).continuous());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Restriction;
    use crate::model::Configuration;

    /// Every continuous rule holds, and nothing is overloaded.
    fn assert_sound(instance: &Instance) {
        let at = Configuration::source(instance);
        for constraint in instance.constraints() {
            if constraint.restriction == Restriction::Continuous {
                assert_eq!(constraint.rule.holds(&at), Ok(()));
            }
        }
        for node in instance.node_ids() {
            for resource in instance.resource_ids() {
                assert!(at.load(node, resource) <= instance.capacity(node, resource));
            }
        }
    }

    fn count(instance: &Instance, name: &str) -> usize {
        instance.constraints().iter().filter(|c| c.rule.signature().name == name).count()
    }

    #[test]
    fn sources_are_sound_in_every_scenario() {
        for scenario in [Scenario::LoadIncrease, Scenario::NodeFailure, Scenario::Mixed] {
            for (nodes, vms) in [(1, 0), (1, 3), (2, 7), (10, 50), (600, 3_000), (600, 6_000)] {
                let spec = Spec { nodes, vms, scenario, constrained: 100, seed: 7, ..Spec::default() };
                let instance = generate(&spec).expect("a feasible spec");
                assert_eq!(instance.node_count(), nodes as usize);
                assert_eq!(instance.vm_count(), vms as usize);
                assert_sound(&instance);
            }
        }
    }

    #[test]
    fn scenarios_have_what_they_say() {
        let spec = Spec { nodes: 1_000, vms: 5_000, constrained: 50, ..Spec::default() };
        let li = generate(&spec).expect("a feasible spec");
        let growing = count(&li, "preserve");
        assert!((300..=800).contains(&growing), "{growing}");
        assert_eq!((count(&li, "running"), count(&li, "offline")), (0, 0));
        for name in ["spread", "among", "gather", "lonely", "ban"] {
            assert!(count(&li, name) > 0, "{name}");
        }
        let mixed = generate(&Spec { scenario: Scenario::Mixed, ..spec.clone() }).expect("a feasible spec");
        assert_eq!(count(&mixed, "offline"), 50);
        assert_eq!(mixed.node_ids().filter(|&node| !mixed.is_online(node)).count(), 50);
        let ready = mixed.vm_ids().filter(|&vm| mixed.place(vm) == Place::Ready).count();
        assert!(ready > 100);
        assert_eq!(count(&mixed, "running"), ready);
        let free = generate(&Spec { constrained: 0, ..spec }).expect("a feasible spec");
        assert_eq!(free.constraints().len(), count(&free, "preserve"));
    }

    #[test]
    fn nodes_are_drained_and_vms_fenced() {
        let spec = Spec { nodes: 40, vms: 200, drained: 10, fenced: 20, rack: 10, ..Spec::default() };
        let instance = generate(&spec).expect("a feasible spec");
        assert_sound(&instance);
        assert_eq!(count(&instance, "offline"), 4);
        assert!(instance.node_ids().all(|node| instance.is_online(node)));
        assert!((20..60).contains(&count(&instance, "fence")));
    }

    #[test]
    fn the_seed_decides() {
        let spec = Spec { nodes: 100, vms: 500, ..Spec::default() };
        assert_eq!(generate(&spec), generate(&spec));
        assert_ne!(generate(&spec), generate(&Spec { seed: 1, ..spec }));
    }

    #[test]
    fn nodes_grow_with_the_load() {
        let capacity = |nodes, vms, load| {
            let spec = Spec { nodes, vms, load, ..Spec::default() };
            let instance = generate(&spec).expect("a feasible spec");
            instance.resources()[0].capacity[0]
        };
        assert_eq!(capacity(500, 1_500, None), 200);
        assert_eq!(capacity(500, 2_500, None), 200);
        assert_eq!(capacity(500, 5_000, None), 400);
        assert!(capacity(500, 2_500, Some(85)) < 200);
    }

    #[test]
    fn contradictions_are_refused() {
        for spec in [
            Spec { nodes: 0, vms: 1, ..Spec::default() },
            Spec { rack: 0, ..Spec::default() },
            Spec { pod: 0, ..Spec::default() },
            Spec { load: Some(100), ..Spec::default() },
            Spec { constrained: 101, ..Spec::default() },
            Spec { drained: 100, ..Spec::default() },
            Spec { fenced: 101, ..Spec::default() },
            Spec { nodes: u32::MAX, ..Spec::default() },
            Spec { failed: 100, scenario: Scenario::NodeFailure, ..Spec::default() },
        ] {
            assert!(generate(&spec).is_err(), "{spec:?}");
        }
    }
}

//! The applications: their tiers, their sizes, which rules they carry.

use super::Random;
use super::Spec;
use std::ops::Range;

/// A rule beside spread and among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    Nothing,
    /// The third tier on one node.
    Gather,
    /// The first tier on nodes of its own.
    Lonely,
    /// The second tier off this rack.
    Ban(usize),
}

/// VMs that do the same.
#[derive(Clone, Debug)]
pub(super) struct Tier {
    /// The number of its first VM; the others follow.
    pub(super) first: u32,
    /// By VM: the points of CPU that it takes, and how many more it wants.
    pub(super) cpu: Vec<(u32, u32)>,
    /// What each VM takes.
    pub(super) memory: u32,
}

impl Tier {
    pub(super) fn vms(&self) -> Range<u32> {
        self.first..self.first + self.cpu.len() as u32
    }
}

/// Three tiers; the last application may have empty ones.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) tiers: [Tier; 3],
    pub(super) constrained: bool,
    pub(super) extra: Extra,
}

/// Draws applications until there are as many VMs as asked for.
pub(super) fn applications(
    spec: &Spec,
    up: u32,
    racks: &[Range<u32>],
    random: &mut Random,
) -> Vec<Application> {
    // A tier that is spread must fit the nodes (the third one: those of a rack) with
    // some to spare, as some of them may be down.
    let smallest_rack = racks.iter().map(|rack| rack.len() as u32).min().unwrap_or(0);
    let largest = [up / 2, up / 2, up.min(smallest_rack) / 2].map(|limit| limit.clamp(1, 10));
    let grows = spec.scenario != super::Scenario::NodeFailure;
    let mut applications = Vec::new();
    let mut first = 0;
    while first < spec.vms {
        let constrained = random.percent(spec.constrained);
        let extra = match random.below(100) {
            0..5 => Extra::Gather,
            5..7 if up >= 20 => Extra::Lonely,
            7..17 if racks.len() > 1 => Extra::Ban(random.below(racks.len())),
            _ => Extra::Nothing,
        };
        let extra = if constrained { extra } else { Extra::Nothing };
        let growing = grows && random.percent(spec.growing);
        let tiers = std::array::from_fn(|at| {
            let most = match (extra, at) {
                (Extra::Gather, 2) => 2,
                (Extra::Lonely, 0) => 3,
                _ => largest[at],
            };
            let count = random.between(2.min(most), most).min(spec.vms - first);
            let memory = random.between(1, 3) * 100;
            let most = if at == 2 { 53 } else { 40 };
            let cpu = (0..count)
                .map(|_| (random.between(6, most), if growing { random.between(1, 30) } else { 0 }))
                .collect();
            let tier = Tier { first, cpu, memory };
            first += count;
            tier
        });
        applications.push(Application { tiers, constrained, extra });
    }
    applications
}

//! A source configuration: every VM on a node, every continuous rule satisfied.

use super::Random;
use super::SpecError;
use super::draw::Application;
use super::draw::Extra;
use super::draw::Tier;
use super::refuse;
use std::ops::Range;

/// Random nodes tried before all nodes are looked at, one after the other.
const TRIES: usize = 32;

/// What is left on each node.
#[derive(Debug)]
pub(super) struct Seats {
    free: Vec<[u64; 2]>,
    /// Nodes for certain VMs only: those of lonely tiers, and spare ones.
    closed: Vec<bool>,
    spare: Vec<bool>,
}

/// Which nodes a VM may take.
struct Allowed<'a> {
    nodes: Range<u32>,
    banned: Range<u32>,
    /// Taken by VMs from which it is to be spread.
    taken: &'a [u32],
}

impl Seats {
    pub(super) fn new(nodes: u32, offer: [u64; 2]) -> Self {
        let nodes = nodes as usize;
        Self { free: vec![offer; nodes], closed: vec![false; nodes], spare: vec![false; nodes] }
    }

    /// A node that is kept empty, for lonely VMs that have to leave theirs.
    pub(super) fn is_spare(&self, node: u32) -> bool {
        self.spare[node as usize]
    }

    /// Gives every VM a node; the answer is by VM. The choosiest VMs come first.
    pub(super) fn seat(
        &mut self,
        applications: &[Application],
        racks: &[Range<u32>],
        vms: u32,
        random: &mut Random,
    ) -> Result<Vec<u32>, SpecError> {
        let mut hosts = vec![0; vms as usize];
        self.seat_lonely(applications, &mut hosts, random)?;
        for application in applications {
            let third = &application.tiers[2];
            if application.constrained && application.extra == Extra::Gather {
                self.seat_together(third, &mut hosts, random)?;
            } else if application.constrained && racks.len() > 1 {
                self.seat_in_a_rack(third, racks, &mut hosts, random)?;
            } else {
                self.seat_anywhere(third, 0..0, application.constrained, &mut hosts, random)?;
            }
        }
        for application in applications {
            for (at, tier) in application.tiers[..2].iter().enumerate() {
                let banned = match application.extra {
                    Extra::Lonely if at == 0 => continue,
                    Extra::Ban(rack) if at == 1 => racks[rack].clone(),
                    _ => 0..0,
                };
                self.seat_anywhere(tier, banned, application.constrained, &mut hosts, random)?;
            }
        }
        Ok(hosts)
    }

    /// One node for each lonely tier if it fits with room to grow, else more.
    fn seat_lonely(
        &mut self,
        applications: &[Application],
        hosts: &mut [u32],
        random: &mut Random,
    ) -> Result<(), SpecError> {
        let lonely: Vec<&Tier> = applications
            .iter()
            .filter(|application| application.extra == Extra::Lonely)
            .map(|application| &application.tiers[0])
            .collect();
        if lonely.is_empty() {
            return Ok(());
        }
        for tier in &lonely {
            let mut host = self.take_empty(random)?;
            for (vm, size) in tier.vms().zip(sizes(tier)) {
                // A VM takes its place with what it will want.
                let grown = [size[0] + 30, size[1]];
                if !self.fits(host, grown) {
                    host = self.take_empty(random)?;
                }
                self.take(vm, host, grown, hosts);
            }
        }
        for _ in 0..2 + lonely.len() / 10 {
            let node = self.take_empty(random)?;
            self.spare[node as usize] = true;
        }
        Ok(())
    }

    /// Closes a node on which there is nothing yet: all are empty or closed.
    fn take_empty(&mut self, random: &mut Random) -> Result<u32, SpecError> {
        let count = self.free.len();
        let from = random.below(count);
        match (from..count).chain(0..from).find(|&node| !self.closed[node]) {
            Some(node) => {
                self.closed[node] = true;
                Ok(node as u32)
            }
            None => refuse("there are too few nodes for the applications that want nodes of their own"),
        }
    }

    fn seat_together(
        &mut self,
        tier: &Tier,
        hosts: &mut [u32],
        random: &mut Random,
    ) -> Result<(), SpecError> {
        let sum = sizes(tier).fold([0, 0], |sum, size| [sum[0] + size[0], sum[1] + size[1]]);
        let allowed = Allowed { nodes: 0..self.free.len() as u32, banned: 0..0, taken: &[] };
        let Some(node) = self.find(sum, &allowed, random) else { return full(tier) };
        for (vm, size) in tier.vms().zip(sizes(tier)) {
            self.take(vm, node, size, hosts);
        }
        Ok(())
    }

    fn seat_in_a_rack(
        &mut self,
        tier: &Tier,
        racks: &[Range<u32>],
        hosts: &mut [u32],
        random: &mut Random,
    ) -> Result<(), SpecError> {
        let from = random.below(racks.len());
        for rack in racks[from..].iter().chain(&racks[..from]) {
            let mut taken: Vec<u32> = Vec::with_capacity(tier.cpu.len());
            for size in sizes(tier) {
                let allowed = Allowed { nodes: rack.clone(), banned: 0..0, taken: &taken };
                match self.find(size, &allowed, random) {
                    Some(node) => taken.push(node),
                    None => break,
                }
            }
            // All nodes differ, so that nothing had to be taken while looking.
            if taken.len() == tier.cpu.len() {
                for ((vm, size), &node) in tier.vms().zip(sizes(tier)).zip(&taken) {
                    self.take(vm, node, size, hosts);
                }
                return Ok(());
            }
        }
        full(tier)
    }

    fn seat_anywhere(
        &mut self,
        tier: &Tier,
        banned: Range<u32>,
        spread: bool,
        hosts: &mut [u32],
        random: &mut Random,
    ) -> Result<(), SpecError> {
        let mut taken: Vec<u32> = Vec::with_capacity(tier.cpu.len());
        for (vm, size) in tier.vms().zip(sizes(tier)) {
            let nodes = 0..self.free.len() as u32;
            let allowed = Allowed { nodes, banned: banned.clone(), taken: &taken };
            let Some(node) = self.find(size, &allowed, random) else { return full(tier) };
            self.take(vm, node, size, hosts);
            if spread {
                taken.push(node);
            }
        }
        Ok(())
    }

    fn find(&self, size: [u64; 2], allowed: &Allowed<'_>, random: &mut Random) -> Option<u32> {
        let (start, count) = (allowed.nodes.start, allowed.nodes.len());
        let suits = |node: &u32| {
            !self.closed[*node as usize]
                && !allowed.banned.contains(node)
                && !allowed.taken.contains(node)
                && self.fits(*node, size)
        };
        for _ in 0..TRIES {
            let node = start + random.below(count) as u32;
            if suits(&node) {
                return Some(node);
            }
        }
        let from = start + random.below(count) as u32;
        (from..allowed.nodes.end).chain(start..from).find(suits)
    }

    fn fits(&self, node: u32, size: [u64; 2]) -> bool {
        let free = &self.free[node as usize];
        size[0] <= free[0] && size[1] <= free[1]
    }

    fn take(&mut self, vm: u32, node: u32, size: [u64; 2], hosts: &mut [u32]) {
        let free = &mut self.free[node as usize];
        free[0] -= size[0];
        free[1] -= size[1];
        hosts[vm as usize] = node;
    }
}

fn sizes(tier: &Tier) -> impl Iterator<Item = [u64; 2]> + '_ {
    tier.cpu.iter().map(|&(cpu, _)| [u64::from(cpu), u64::from(tier.memory)])
}

fn full<T>(tier: &Tier) -> Result<T, SpecError> {
    refuse(format!(
        "no room is left for VMs {} to {}: there are too few nodes, or they are too full",
        tier.first,
        tier.first as usize + tier.cpu.len().saturating_sub(1)
    ))
}

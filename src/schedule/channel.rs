//! What is left of each channel, moment by moment.

use crate::problem::Problem;

/// One channel.
#[derive(Clone, Copy, Debug)]
struct Channel {
    left: u64,
    /// Taken beyond the capacity before the first step: given back before anything is left.
    owed: u64,
    /// How often something was given back.
    version: u32,
}

/// All channels of a problem.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    rows: Vec<Channel>,
}

impl Channels {
    /// Before the first step: what open bins take is taken.
    pub(super) fn new(problem: &Problem) -> Self {
        let Some(transit) = &problem.project.transit else { return Self::default() };
        let rows = transit.capacities().iter().map(|&left| Channel { left, owed: 0, version: 0 });
        let mut channels = Self { rows: rows.collect() };
        for (bin, _) in (0..).zip(&problem.packing.bins).filter(|(_, row)| row.open) {
            for &(channel, amount) in transit.standing(bin) {
                let row = &mut channels.rows[channel as usize];
                row.owed = row.owed.saturating_add(amount.saturating_sub(row.left));
                row.left = row.left.saturating_sub(amount);
            }
        }
        channels
    }

    /// The first that has too little left, with its version.
    pub(super) fn lacking(&self, uses: &[(u32, u64)]) -> Option<(u32, u32)> {
        let lacks = |usage: &&(u32, u64)| self.rows[usage.0 as usize].left < usage.1;
        let &(channel, _) = uses.iter().find(lacks)?;
        Some((channel, self.version(channel)))
    }

    /// Is more taken of any than there is?
    pub(super) fn owes(&self) -> bool {
        self.rows.iter().any(|row| row.owed > 0)
    }

    /// How much of each channel has still to be given back.
    pub(super) fn missing(&self, uses: &[(u32, u64)]) -> Vec<(u32, u64)> {
        let missing = |&(channel, amount): &(u32, u64)| {
            let row = &self.rows[channel as usize];
            let short = amount.saturating_sub(row.left);
            (channel, if short > 0 { short.saturating_add(row.owed) } else { 0 })
        };
        uses.iter().map(missing).collect()
    }

    pub(super) fn version(&self, channel: u32) -> u32 {
        self.rows[channel as usize].version
    }

    /// Takes what is left; whoever takes more has looked before, or does not mind.
    pub(super) fn take(&mut self, uses: &[(u32, u64)]) {
        for &(channel, amount) in uses {
            let row = &mut self.rows[channel as usize];
            row.left = row.left.saturating_sub(amount);
        }
    }

    pub(super) fn give(&mut self, uses: &[(u32, u64)]) {
        for &(channel, amount) in uses {
            let row = &mut self.rows[channel as usize];
            let filled = row.owed.min(amount);
            row.owed -= filled;
            row.left = row.left.saturating_add(amount - filled);
            row.version += 1;
        }
    }
}

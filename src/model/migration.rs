//! How long a live migration takes at a bandwidth, and how long the VM stands still.

use super::Behaviour;
use super::Durations;
use super::Live;
use std::fmt;
use std::fmt::Debug;

/// What a migration has to move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footprint {
    /// Memory in use, in MB.
    pub memory: f64,
    /// Memory that is written all the time, in MB: what is sent while the VM stands still.
    pub hot_size: f64,
    /// Seconds in which all of it is written once.
    pub hot_seconds: f64,
    /// Memory that is written now and then, in MB/s.
    pub cold_rate: f64,
}

impl Footprint {
    /// An idle VM: 5 MB are written every 2 s, and nothing else.
    pub fn idle(memory: f64) -> Self {
        Self { memory, hot_size: 5.0, hot_seconds: 2.0, cold_rate: 0.0 }
    }

    /// Memory that is written hot, in MB/s.
    pub fn hot_rate(&self) -> f64 {
        self.hot_size / self.hot_seconds
    }
}

/// What a migration takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// Seconds from its start to its end.
    pub seconds: f64,
    /// Seconds for which the VM stands still.
    pub downtime: f64,
    /// What is sent, in MB.
    pub traffic: f64,
}

/// A migration that cannot be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MigrationError {
    /// It does not come to an end.
    Endless {
        /// What the VM writes, in MB/s.
        dirty_rate: f64,
        /// What can be sent, in MB/s.
        bandwidth: f64,
    },
    /// It takes longer than any action may, in seconds.
    TooLong(f64),
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MigrationError::Endless { dirty_rate, bandwidth } => write!(
                f,
                "memory is written at {dirty_rate:.1} MB/s, and {bandwidth:.1} MB/s can be sent: a live \
                 migration would never end"
            ),
            MigrationError::TooLong(seconds) => {
                write!(
                    f,
                    "it would take {seconds:.3e} s; no action may take more than {} s",
                    Durations::LONGEST
                )
            }
        }
    }
}

impl std::error::Error for MigrationError {}

/// How migrations behave. An embedder that has measured its own platform brings its own.
pub trait MigrationModel: Debug + Send + Sync {
    /// What moving this takes at a bandwidth in MB/s. What takes longer at a larger one, or ends at
    /// smaller ones only, must say so by [`MigrationModel::least`].
    ///
    /// # Errors
    /// When the migration would not come to an end.
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError>;

    /// No fewer seconds are taken at this bandwidth or any smaller one: what bounds go by, so a
    /// model that can be quicker at a smaller bandwidth must say something else here.
    ///
    /// # Errors
    /// When the migration would come to an end at none of them.
    fn least(&self, footprint: &Footprint, bandwidth: f64) -> Result<f64, MigrationError> {
        self.transfer(footprint, bandwidth).map(|transfer| transfer.seconds)
    }

    /// What migrations take that send memory later.
    fn post_copy(&self) -> PostCopy {
        PostCopy::default()
    }

    /// The same in the words of files, where they have words for it.
    fn behaviour(&self) -> Option<Behaviour> {
        None
    }
}

/// MB/s that a bandwidth in Mbit/s gives: 9 bits a byte, one of them for the protocol
/// (Kherbache, Madelaine, Hermenier, "Scheduling Live Migration of Virtual Machines", IEEE
/// Transactions on Cloud Computing 2017).
pub fn payload(mbit: u64) -> f64 {
    mbit as f64 / 9.0
}

/// Pre-copy as Kherbache, Madelaine and Hermenier model it: the memory once, what was
/// written coldly meanwhile, and the hot pages at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PreCopy;

impl MigrationModel for PreCopy {
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError> {
        let Footprint { memory, hot_size, hot_seconds, cold_rate } = *footprint;
        let hot = footprint.hot_rate();
        let once = memory / bandwidth;
        let slowest = if once > hot_seconds { cold_rate.max(hot) } else { hot };
        if bandwidth <= slowest {
            return Err(MigrationError::Endless { dirty_rate: slowest, bandwidth });
        }
        let rest = if once > hot_seconds {
            let cold = (hot_size + (once - hot_seconds) * cold_rate) / (bandwidth - cold_rate);
            cold + hot_size / bandwidth * (hot / (bandwidth - hot))
        } else {
            hot * once / (bandwidth - hot)
        };
        let seconds = once + rest;
        // What is hot, or has been written since the start, is sent while the VM stands still.
        let downtime = hot_size.min(hot * once) / bandwidth;
        Ok(Transfer { seconds, downtime, traffic: seconds * bandwidth })
    }

    fn behaviour(&self) -> Option<Behaviour> {
        Some(Behaviour::default())
    }
}

/// Pre-copy round by round: all memory, then again and again what was written meanwhile,
/// until little is left or it does not get less (Clark et al., "Live Migration of Virtual
/// Machines", NSDI 2005; the limits are those of Xen).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounds {
    /// Stop when so many MB are left.
    pub enough: f64,
    /// Stop after so many rounds.
    pub most_rounds: u32,
    /// Stop when so many times the memory has been sent.
    pub most_traffic: f64,
    /// The largest set of pages that is written, in MB.
    pub working_set: f64,
    /// Seconds to start again at the destination.
    pub restart: f64,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { enough: 0.2, most_rounds: 29, most_traffic: 3.0, working_set: f64::INFINITY, restart: 0.0 }
    }
}

impl MigrationModel for Rounds {
    /// Always ends: it stops the VM when the rounds lead nowhere.
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError> {
        let rate = footprint.cold_rate + footprint.hot_rate();
        let mut left = footprint.memory;
        let (mut seconds, mut traffic) = (0.0, 0.0);
        let mut round = 0;
        loop {
            let time = left / bandwidth;
            seconds += time;
            traffic += left;
            left = (rate * time).min(self.working_set).min(footprint.memory);
            round += 1;
            if left <= self.enough
                || round >= self.most_rounds
                || traffic > self.most_traffic * footprint.memory
            {
                let downtime = left / bandwidth + self.restart;
                return Ok(Transfer { seconds: seconds + downtime, downtime, traffic: traffic + left });
            }
        }
    }

    /// All memory is sent once in any case. A round more or less can make a larger bandwidth the
    /// slower one.
    fn least(&self, footprint: &Footprint, bandwidth: f64) -> Result<f64, MigrationError> {
        Ok(footprint.memory / bandwidth + self.restart)
    }

    fn behaviour(&self) -> Option<Behaviour> {
        Some(Behaviour { live: Live::Rounds(*self), ..Behaviour::default() })
    }
}

/// Post-copy: the VM runs at its destination at once, and its memory follows
/// (Lagar-Cavilla et al., "SnowFlock", EuroSys 2009).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PostCopy {
    /// Seconds to move what the processors and devices hold.
    pub switch: f64,
}

impl Default for PostCopy {
    fn default() -> Self {
        Self { switch: 0.5 }
    }
}

impl MigrationModel for PostCopy {
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError> {
        let seconds = self.switch + footprint.memory / bandwidth;
        Ok(Transfer { seconds, downtime: self.switch, traffic: footprint.memory })
    }
}

/// A model that follows measured pairs of memory in MB and seconds at a bandwidth: a
/// straight line between them, and on from the last two.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The bandwidth of the measurements, in MB/s; at others the time changes in proportion.
    pub bandwidth: f64,
    /// (memory, seconds), by memory; at least one.
    pub points: Vec<(f64, f64)>,
    /// Seconds for which VMs stand still.
    pub downtime: f64,
}

impl MigrationModel for Measured {
    fn transfer(&self, footprint: &Footprint, bandwidth: f64) -> Result<Transfer, MigrationError> {
        let at = self.points.partition_point(|&(memory, _)| memory < footprint.memory);
        let line = match (self.points.len(), at) {
            (0, _) => footprint.memory / self.bandwidth,
            (1, _) => {
                let (memory, seconds) = self.points[0];
                seconds * footprint.memory / memory
            }
            (count, at) => {
                let high = at.clamp(1, count - 1);
                let ((x0, y0), (x1, y1)) = (self.points[high - 1], self.points[high]);
                y0 + (footprint.memory - x0) * (y1 - y0) / (x1 - x0)
            }
        };
        let seconds = line * self.bandwidth / bandwidth;
        Ok(Transfer { seconds, downtime: self.downtime, traffic: seconds * bandwidth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(memory: f64, (hot_size, hot_seconds, cold_rate): (f64, f64, f64), mbit: u64) -> f64 {
        let footprint = Footprint { memory, hot_size, hot_seconds, cold_rate };
        PreCopy.transfer(&footprint, payload(mbit)).expect("it ends").seconds.round()
    }

    #[test]
    fn published_values() {
        let idle = (5.0, 2.0, 0.0);
        let busy = (56.0, 2.0, 22.6);
        assert_eq!(seconds(2000.0, idle, 1000), 18.0);
        assert_eq!(seconds(2200.0, idle, 1000), 20.0);
        assert_eq!(seconds(8000.0, busy, 1000), 91.0);
        assert_eq!(seconds(7500.0, busy, 1000), 85.0);
        assert_eq!(seconds(2000.0, idle, 10_000), 2.0);
        assert_eq!(seconds(3000.0, idle, 10_000), 3.0);
        assert_eq!(seconds(4000.0, busy, 10_000), 4.0);
        assert_eq!(seconds(5000.0, busy, 10_000), 5.0);
    }

    #[test]
    fn a_migration_that_does_not_end() {
        let footprint = Footprint { memory: 4096.0, hot_size: 10.0, hot_seconds: 1.0, cold_rate: 120.0 };
        let error = PreCopy.transfer(&footprint, 100.0).expect_err("it writes more than can be sent");
        assert_eq!(
            error.to_string(),
            "memory is written at 120.0 MB/s, and 100.0 MB/s can be sent: a live migration would never end"
        );
        let hot = Footprint { cold_rate: 0.0, hot_size: 300.0, ..footprint };
        assert!(PreCopy.transfer(&hot, 100.0).is_err());
        // Post-copy does not care.
        assert_eq!(PostCopy { switch: 0.5 }.transfer(&footprint, 100.0).expect("ends").seconds, 41.46);
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 0.005 * expected.max(1.0), "{found} {expected}");
    }

    #[test]
    fn rounds() {
        let dirty = |rate| Footprint { memory: 4096.0, hot_size: 0.0, hot_seconds: 1.0, cold_rate: rate };
        let model = Rounds { enough: 16.0, ..Rounds::default() };
        let found = model.transfer(&dirty(25.0), 100.0).expect("ends");
        close(found.downtime, 0.16);
        close(found.seconds, 54.56);
        close(found.traffic, 5456.0);
        let model = Rounds { working_set: 500.0, ..model };
        let found = model.transfer(&dirty(120.0), 100.0).expect("is stopped");
        close(found.downtime, 5.0);
        close(found.seconds, 130.96);
        close(found.traffic, 13_096.0);
        // One after the other, or both at once.
        let model = Rounds { enough: 10.0, most_rounds: 1000, most_traffic: 1000.0, ..Rounds::default() };
        let vm = Footprint { memory: 4000.0, ..dirty(40.0) };
        close(model.transfer(&vm, 100.0).expect("ends").seconds, 66.62);
        close(model.transfer(&vm, 50.0).expect("ends").seconds, 399.2);
    }

    #[test]
    fn a_round_more_can_make_more_bandwidth_slower() {
        let footprint = Footprint { memory: 1000.0, hot_size: 0.0, hot_seconds: 1.0, cold_rate: 90.0 };
        let model = Rounds::default();
        let seconds = |rate: u32| model.transfer(&footprint, f64::from(rate)).expect("it ends").seconds;
        assert!((2..300).any(|rate| seconds(rate) > seconds(rate - 1)));
        for rate in 1..300 {
            let least = model.least(&footprint, f64::from(rate)).expect("it ends");
            assert!((1..=rate).all(|smaller| least <= seconds(smaller)), "{rate}");
        }
    }

    #[test]
    fn measurements() {
        let model =
            Measured { bandwidth: 100.0, points: vec![(1000.0, 12.0), (2000.0, 22.0)], downtime: 0.1 };
        let time =
            |memory, bandwidth| model.transfer(&Footprint::idle(memory), bandwidth).expect("ends").seconds;
        assert_eq!(time(1500.0, 100.0), 17.0);
        assert_eq!(time(3000.0, 100.0), 32.0);
        assert_eq!(time(500.0, 100.0), 7.0);
        assert_eq!(time(1000.0, 200.0), 6.0);
    }
}

//! What the moves of a placement take of the channels between bins.

use crate::problem::Passage;
use crate::problem::Transit;

/// The load of every channel: amounts times seconds. What it comes to by its capacity is how
/// long the channel is busy at least, so destinations can be told apart by when all that
/// goes their way would be over.
#[derive(Clone, Debug)]
pub(super) struct Traffic<'p> {
    transit: &'p dyn Transit,
    load: Vec<u64>,
}

impl<'p> Traffic<'p> {
    /// No moves.
    pub(super) fn new(transit: &'p dyn Transit) -> Self {
        Self { transit, load: vec![0; transit.capacities().len()] }
    }

    /// Counts a move.
    pub(super) fn add(&mut self, item: u32, from: u32, to: u32) {
        self.change(item, from, to, u64::saturating_add);
    }

    /// Takes a move that was counted back.
    pub(super) fn remove(&mut self, item: u32, from: u32, to: u32) {
        self.change(item, from, to, u64::saturating_sub);
    }

    fn change(&mut self, item: u32, from: u32, to: u32, with: fn(u64, u64) -> u64) {
        let Some(Passage { seconds, uses, .. }) = self.transit.passage(item, from, to) else { return };
        for (channel, amount) in uses {
            let load = &mut self.load[channel as usize];
            *load = with(*load, amount.saturating_mul(u64::from(seconds)));
        }
    }

    /// Seconds until all channels on the way would be done with what they carry, this move
    /// included; `None` where there is no way.
    pub(super) fn done(&self, item: u32, from: u32, to: u32) -> Option<u64> {
        let Passage { seconds, uses, .. } = self.transit.passage(item, from, to)?;
        let busy = uses.iter().map(|&(channel, amount)| {
            let load = self.load[channel as usize].saturating_add(amount.saturating_mul(u64::from(seconds)));
            load.div_ceil(self.transit.capacities()[channel as usize].max(1))
        });
        Some(busy.fold(u64::from(seconds), u64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One channel of 10 into each bin, moves at 5 for 4 seconds, and none from bin 2.
    #[derive(Debug)]
    struct Doors(Vec<u64>);

    impl Transit for Doors {
        fn capacities(&self) -> &[u64] {
            &self.0
        }

        fn passage(&self, _: u32, from: u32, to: u32) -> Option<Passage> {
            (from != 2).then(|| Passage { seconds: 4, bandwidth: 5, uses: vec![(to, 5)] })
        }
    }

    #[test]
    fn channels_are_done_when_they_have_carried_everything() {
        let doors = Doors(vec![10; 3]);
        let mut traffic = Traffic::new(&doors);
        assert_eq!(traffic.done(0, 0, 1), Some(4));
        for item in 0..3 {
            traffic.add(item, 0, 1);
        }
        assert_eq!((traffic.done(3, 0, 1), traffic.done(3, 1, 0)), (Some(8), Some(4)));
        traffic.remove(2, 0, 1);
        assert_eq!(traffic.done(3, 0, 1), Some(6));
        assert_eq!(traffic.done(0, 2, 0), None);
    }
}

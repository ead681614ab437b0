//! When things end at the earliest, whatever the placement.
//!
//! What happens in every plan: arrivals and departures, moves of those who may not end
//! where they are, bins that must open or close, tasks without a place. They take their
//! time, wait for each other ([`critical`]), share what only one may use ([`machine`]) or the
//! channels of a network ([`channel`], sums of ends by [`split`]), and come to bins that others have to leave first
//! ([`room`]).

pub mod channel;
pub mod critical;
pub mod machine;
pub mod project;
pub mod room;
pub mod split;

use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Role;
use critical::Earliest;

/// Lower bounds on ends, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The sum of the ends of everything that is no move.
    pub others: u64,
    /// By how much the ends of what happens in every plan exceed durations, in sum, beyond
    /// what is in `others`.
    pub waits: u64,
    /// The last end.
    pub makespan: u64,
}

impl Ends {
    /// The bounds, given the items that must move. Where `voluntary` is false nobody else
    /// leaves a bin, save for the bins that are `uncertain`; where `direct` is true everybody
    /// who must move does so once.
    pub fn new(
        problem: &Problem,
        forced: &[u32],
        voluntary: bool,
        direct: bool,
        uncertain: &dyn Fn(u32) -> bool,
    ) -> Self {
        let earliest = Earliest::new(problem, forced);
        let channels = channel::loads(problem, &earliest, forced, direct);
        let serial = machine::serialized(problem, &earliest, forced);
        let rooms = room::waits(problem, &earliest, forced, voluntary, uncertain);
        let moves: u64 = forced.iter().map(|&item| earliest.of_item(item)).sum();
        let taken: u64 = forced.iter().map(|&item| move_takes(&problem.packing, item)).sum();
        Self {
            others: earliest.all() - moves,
            waits: moves.saturating_sub(taken) + serial.excess.max(rooms.excess).max(channels.excess),
            makespan: earliest.last().max(serial.makespan).max(rooms.makespan).max(channels.makespan),
        }
    }

    /// Those who must move end later by so much, in sum, than they would alone.
    pub fn raise_waits(&mut self, problem: &Problem, forced: &[u32], excess: u64) {
        let earliest = Earliest::new(problem, forced);
        let moves = |item: &u32| earliest.of_item(*item) - move_takes(&problem.packing, *item);
        self.waits = self.waits.max(forced.iter().map(moves).sum::<u64>().saturating_add(excess));
    }

    /// The bound on a sum of ends, given one on the seconds that all moves take.
    pub fn sum(&self, moves: u64) -> u64 {
        self.others.saturating_add(self.waits).saturating_add(moves)
    }
}

/// Seconds from the start to the end of an item's move.
pub fn move_takes(packing: &Packing, item: u32) -> u64 {
    let row = &packing.items[item as usize];
    u64::from(row.lead) + u64::from(row.hold)
}

/// Seconds after which an item may have left its bin, be it for a stop on the way.
pub fn leaves_after(packing: &Packing, item: u32) -> u64 {
    let row = &packing.items[item as usize];
    match row.role {
        Role::Depart if row.pinned => u64::from(row.duration),
        Role::Depart => u64::from(row.duration.min(row.leg)),
        _ => move_takes(packing, item).min(u64::from(row.leg)),
    }
}

//! Can the moves of a placement be put in any order, or do some wait for each other?
//!
//! Asked of a relaxation: an item has the smaller of its two sizes all the time, what
//! departs is gone at once, what arrives waits until the end, relations do not count. An
//! item moves once, from where it is to where it ends. If some of the moves have no order
//! even so, every plan with these moves, in which the same others stay, has a stop on the
//! way more.
//!
//! Depth first over the sets of moves that are done. A bin that has room for all who are
//! to come takes them at once: that takes nothing away from anybody.

use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Role;
use crate::schedule::Placement;
use rustc_hash::FxHashSet;

/// Moves beyond which no order is looked for.
const MOST_MOVES: usize = 128;
/// Sets of moves looked at in one question.
const BUDGET: u32 = 20_000;

/// Items that cannot all get where they should without a stop on the way, as long as
/// nobody else leaves the bins that they go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deadlock {
    /// The items.
    pub(super) items: Vec<u32>,
}

/// A set of moves that wait for each other, no move of which could be left out; `None`
/// where there is an order, or the question is too large.
pub(super) fn deadlock(packing: &Packing, placement: &Placement) -> Option<Deadlock> {
    let moves: Vec<u32> = (0..packing.items.len() as u32)
        .filter(|&item| {
            let row = &packing.items[item as usize];
            row.role == Role::Stay && placement.to[item as usize] != row.source
        })
        .collect();
    if moves.len() > MOST_MOVES {
        return None;
    }
    let mut yard = Yard::new(packing, placement, &moves);
    let all = moves.iter().enumerate().fold(0u128, |all, (at, _)| all | 1 << at);
    let mut stuck = yard.stuck(all)?;
    for at in 0..moves.len() {
        let without = stuck & !(1 << at);
        if without != stuck
            && let Some(less) = yard.stuck(without)
        {
            stuck = less;
        }
    }
    // Those that got where they should in the last question play no part.
    if yard.stuck(stuck) != Some(stuck) {
        return None;
    }
    let items = (0..moves.len()).filter(|at| stuck >> at & 1 == 1).map(|at| moves[at]).collect();
    Some(Deadlock { items })
}

struct Move {
    from: u32,
    to: u32,
    size: Vec<u64>,
}

struct Yard<'p> {
    packing: &'p Packing,
    moves: Vec<Move>,
    /// By bin and dimension: what those take who stay.
    stays: Vec<u64>,
    /// The moves that the question is about; all others are gone, and do not come.
    asked: u128,
}

impl<'p> Yard<'p> {
    fn new(packing: &'p Packing, placement: &Placement, moves: &[u32]) -> Self {
        let dims = packing.dims;
        let smaller = |item: u32| -> Vec<u64> {
            packing.now(item).iter().zip(packing.then(item)).map(|(now, then)| *now.min(then)).collect()
        };
        let mut stays = vec![0u64; packing.bins.len() * dims];
        for (item, row) in packing.items.iter().enumerate() {
            if row.role == Role::Stay && placement.to[item] == row.source && row.source != NONE {
                for (load, size) in stays[row.source as usize * dims..].iter_mut().zip(smaller(item as u32)) {
                    *load = load.saturating_add(size);
                }
            }
        }
        let moves = moves
            .iter()
            .map(|&item| Move {
                from: packing.items[item as usize].source,
                to: placement.to[item as usize],
                size: smaller(item),
            })
            .collect();
        Self { packing, moves, stays, asked: 0 }
    }

    /// The moves of the set that no order gets done, after all that can be done without
    /// a choice; `None` where there is an order, or the budget does not suffice.
    fn stuck(&mut self, set: u128) -> Option<u128> {
        self.asked = set;
        let start = self.settle(set);
        if start == 0 {
            return None;
        }
        let mut seen: FxHashSet<u128> = FxHashSet::default();
        let mut open = vec![start];
        let mut budget = BUDGET;
        while let Some(left) = open.pop() {
            if !seen.insert(left) {
                continue;
            }
            budget = budget.checked_sub(1)?;
            let load = self.load(left);
            for at in self.members(left) {
                if self.fits(&load, at) {
                    let next = self.settle(left & !(1 << at));
                    if next == 0 {
                        return None;
                    }
                    open.push(next);
                }
            }
        }
        Some(start)
    }

    fn members(&self, set: u128) -> impl Iterator<Item = usize> + use<> {
        (0..self.moves.len()).filter(move |at| set >> at & 1 == 1)
    }

    /// By bin and dimension: what is there while these moves are still to be done.
    fn load(&self, left: u128) -> Vec<u64> {
        let dims = self.packing.dims;
        let mut load = self.stays.clone();
        for at in self.members(self.asked) {
            let row = &self.moves[at];
            let bin = if left >> at & 1 == 1 { row.from } else { row.to };
            for (load, size) in load[bin as usize * dims..].iter_mut().zip(&row.size) {
                *load = load.saturating_add(*size);
            }
        }
        load
    }

    fn fits(&self, load: &[u64], at: usize) -> bool {
        let row = &self.moves[at];
        let first = row.to as usize * self.packing.dims;
        let room = &self.packing.capacity_now[first..];
        (0..self.packing.dims)
            .all(|dim| row.size[dim] == 0 || load[first + dim].saturating_add(row.size[dim]) <= room[dim])
    }

    /// What is left when every bin with room for all who are to come has taken them.
    fn settle(&self, mut left: u128) -> u128 {
        let dims = self.packing.dims;
        loop {
            let before = left;
            let mut load = self.load(left);
            for at in self.members(left) {
                let row = &self.moves[at];
                for (load, size) in load[row.to as usize * dims..].iter_mut().zip(&row.size) {
                    *load = load.saturating_add(*size);
                }
            }
            for at in self.members(before) {
                let row = &self.moves[at];
                let first = row.to as usize * dims;
                let room = &self.packing.capacity_now[first..];
                if (0..dims).all(|dim| row.size[dim] == 0 || load[first + dim] <= room[dim]) {
                    left &= !(1 << at);
                }
            }
            if left == before {
                return left;
            }
        }
    }
}

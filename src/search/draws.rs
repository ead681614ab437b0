//! What open bins and moves draw in every plan: a lower bound on its joules.
//!
//! A bin that stays open draws until the last end; one that closes until it has, which is after
//! everybody in it could have left, one after the other where they share the way out, and for what
//! their moves draw. A bin that opens draws at least until it has, and as long as what must come
//! there takes. Where rules leave a bin its fate, the less of the two counts; but those that are
//! open at the end must hold what is in bins then: how many they are, and what they hold in each
//! dimension, is a knapsack that is covered at the least price, in fractions (Dantzig 1957).

use super::presolve::Eviction;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Role;
use crate::schedule::bound::channel::Job;
use crate::schedule::bound::channel::least_last;
use crate::schedule::bound::critical::Earliest;
use crate::schedule::bound::leaves_after;

/// What is drawn in every plan.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    /// A second, by bins that are open throughout.
    throughout: u64,
    /// By bins that open or close in any case, while they are open.
    fixed: u64,
    /// Bins of which either may become.
    free: Vec<Free>,
    /// By free bin and dimension: what it holds at the end.
    room: Vec<u64>,
    /// By dimension: what the free bins have to hold.
    need: Vec<u64>,
    /// Bins that are open at the end in any case.
    certain: u64,
    /// What comes to a bin that was closed takes at least so long.
    comes: u64,
    /// No plan ends earlier, since what is open at first cannot hold everything.
    last: u64,
    /// By the moves of those who must move, and of those who leave bins that stay open.
    moves: u64,
    /// The least that a move draws.
    least: u64,
}

/// A bin of free fate.
#[derive(Clone, Copy, Debug)]
struct Free {
    /// A second.
    drawn: u64,
    /// Is it open at first?
    open: bool,
    /// Seconds for which it is open before it has closed, or while it opens.
    seconds: u64,
    /// What moves out of it draw if it stays open, and if it closes.
    moves: (u64, u64),
}

/// What a free bin draws at the least if it is open at the end, and if it is not.
#[derive(Clone, Copy, Debug)]
struct Fate {
    stays: u64,
    goes: u64,
}

/// The items of a bin, as far as it is of interest how they leave it.
#[derive(Clone, Debug, Default)]
struct Guests {
    /// Somebody is in it at the end in any case.
    settled: bool,
    /// Somebody may stay.
    staying: bool,
    /// The last has left it no earlier.
    empty: u64,
    /// What comes there in any case takes so long.
    comes: u64,
    /// By those who may stay: what their moves draw.
    joules: Vec<u64>,
    /// What leaving takes of which channels.
    jobs: Vec<(u32, Job)>,
}

impl Draws {
    /// What is drawn in every plan, given who must move and who must leave which bin. Where
    /// `voluntary` is false nobody leaves a bin but they.
    pub fn of(problem: &Problem, forced: &[u32], evictions: &[Eviction], voluntary: bool) -> Self {
        let packing = &problem.packing;
        let power = &problem.project.power;
        // A copy that takes an item's place draws nothing.
        let of_move = |item: u32| match packing.items[item as usize].lead {
            0 => power.moves.get(item as usize).copied().unwrap_or(0),
            _ => 0,
        };
        let movable = (0..packing.items.len() as u32).filter(|&item| !packing.items[item as usize].pinned);
        let mut draws = Self {
            moves: forced.iter().map(|&item| of_move(item)).fold(0, u64::saturating_add),
            least: movable.map(of_move).min().unwrap_or(0),
            ..Self::default()
        };
        if power.bins.is_empty() && power.moves.is_empty() {
            return draws;
        }
        let guests = guests(problem, forced, &of_move);
        let earliest = Earliest::new(problem, forced);
        draws.need = (0..packing.dims).map(|dim| need(packing, dim)).collect();
        for (bin, (row, guests)) in (0u32..).zip(packing.bins.iter().zip(guests)) {
            let drawn = power.bins.get(bin as usize).copied().unwrap_or(0);
            let eviction = evictions.binary_search_by_key(&bin, |eviction| eviction.bin);
            let eviction = eviction.ok().map(|at| &evictions[at]);
            let all = guests.joules.iter().copied().fold(0, u64::saturating_add);
            let empty = guests.jobs_end(problem).max(guests.empty);
            let evicted = eviction.map_or(0, |eviction| cheapest(guests.joules, eviction.fewest));
            let kept = !voluntary && eviction.is_none() && guests.staying;
            let settled = guests.settled || kept || packing.anchored[bin as usize];
            match (row.open, row.later) {
                (true, Later::Closed) => {
                    let gone = (empty + u64::from(row.closing)).max(earliest.of_close(bin));
                    draws.fixed = draws.fixed.saturating_add(drawn.saturating_mul(gone));
                }
                (false, Later::Closed) => {}
                (true, Later::Free) if !settled => draws.add(
                    packing,
                    bin,
                    Free {
                        drawn,
                        open: true,
                        seconds: empty + u64::from(row.closing),
                        moves: (evicted, all),
                    },
                ),
                (true, _) => {
                    draws.throughout = draws.throughout.saturating_add(drawn);
                    draws.moves = draws.moves.saturating_add(evicted);
                    draws.hold(packing, bin);
                }
                (false, Later::Free) if !settled => draws.add(
                    packing,
                    bin,
                    Free { drawn, open: false, seconds: u64::from(row.opening), moves: (0, 0) },
                ),
                (false, _) => {
                    let seconds = u64::from(row.opening) + guests.comes;
                    draws.fixed = draws.fixed.saturating_add(drawn.saturating_mul(seconds));
                    draws.hold(packing, bin);
                }
            }
        }
        draws.comes = shortest_way_in(packing);
        draws.last = draws.opens_until();
        draws
    }

    /// When somebody has come to a bin that has to open first, if others cannot hold everything.
    fn opens_until(&self) -> u64 {
        let dims = self.need.len();
        let lacks = (0..dims).any(|dim| {
            let open = (0..self.free.len()).filter(|&at| self.free[at].open);
            let room = open.map(|at| self.room[at * dims + dim]).fold(0, u64::saturating_add);
            room < self.need[dim]
        });
        let opening = self.free.iter().filter(|free| !free.open).map(|free| free.seconds).min();
        opening.filter(|_| lacks).map_or(0, |opening| opening + self.comes)
    }

    /// A bin of free fate.
    fn add(&mut self, packing: &Packing, bin: u32, free: Free) {
        self.free.push(free);
        self.room.extend_from_slice(&packing.capacity_then[bin as usize * packing.dims..][..packing.dims]);
    }

    /// A bin that is open at the end.
    fn hold(&mut self, packing: &Packing, bin: u32) {
        self.certain += 1;
        let room = &packing.capacity_then[bin as usize * packing.dims..][..packing.dims];
        self.need.iter_mut().zip(room).for_each(|(need, room)| *need = need.saturating_sub(*room));
    }

    /// No plan takes fewer joules that ends no earlier than `last`, has no fewer moves and
    /// leaves no fewer bins open. O(bins log bins) for each dimension.
    pub fn least(&self, last: u64, fewest_moves: u64, fewest_open: u64) -> u64 {
        let last = last.max(self.last);
        let sure = self.throughout.saturating_mul(last).saturating_add(self.fixed);
        // Whether what moves draw is told by bin or by number, and whether a bin that opens does so
        // for somebody.
        let fates = |by_bin: bool, used: bool| -> Vec<Fate> {
            let comes = if used { self.comes } else { 0 };
            let of = |free: &Free| {
                let seconds =
                    if free.open { (last, free.seconds.min(last)) } else { (free.seconds + comes, 0) };
                let moves = if by_bin { free.moves } else { (0, 0) };
                Fate {
                    stays: free.drawn.saturating_mul(seconds.0).saturating_add(moves.0),
                    goes: free.drawn.saturating_mul(seconds.1).saturating_add(moves.1),
                }
            };
            self.free.iter().map(of).collect()
        };
        let open = fewest_open.saturating_sub(self.certain);
        let free = |by_bin: bool| {
            let fates = [fates(by_bin, false), fates(by_bin, true)];
            let base = fates[0].iter().map(|fate| fate.stays.min(fate.goes)).fold(0, u64::saturating_add);
            base.saturating_add(count_extra(&fates[0], open).max(self.room_extra(&fates[1])))
        };
        let each = free(true).saturating_add(self.moves);
        let counted = free(false).saturating_add(self.least.saturating_mul(fewest_moves));
        sure.saturating_add(each.max(counted))
    }

    /// What is drawn on top by free bins that stay open so that everything has room.
    fn room_extra(&self, fates: &[Fate]) -> u64 {
        let dims = self.need.len();
        let of_dim = |dim: usize| {
            let mut need = self.need[dim];
            let mut rows: Vec<(u64, u64)> = Vec::new();
            for (at, fate) in fates.iter().enumerate() {
                let room = self.room[at * dims + dim].min(self.need[dim]);
                match fate.extra() {
                    0 => need = need.saturating_sub(room),
                    price => rows.push((price, room)),
                }
            }
            rows.retain(|row| row.1 > 0);
            rows.sort_unstable_by(|a, b| {
                (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
            });
            let mut sum = 0u64;
            for (price, room) in rows {
                if room >= need {
                    let part = (u128::from(price) * u128::from(need)).div_ceil(u128::from(room));
                    return sum.saturating_add(u64::try_from(part).unwrap_or(u64::MAX));
                }
                need -= room;
                sum = sum.saturating_add(price);
            }
            sum
        };
        (0..dims).map(of_dim).max().unwrap_or(0)
    }
}

impl Fate {
    /// What staying open draws on top.
    fn extra(&self) -> u64 {
        self.stays.saturating_sub(self.goes)
    }
}

/// What is drawn on top if so many of the bins stay open.
fn count_extra(fates: &[Fate], open: u64) -> u64 {
    let mut prices: Vec<u64> = fates.iter().map(Fate::extra).collect();
    prices.sort_unstable();
    prices.into_iter().take(open as usize).fold(0, u64::saturating_add)
}

/// The least time that it takes somebody to come to another bin than its own.
fn shortest_way_in(packing: &Packing) -> u64 {
    let comes = packing.items.iter().filter_map(|row| {
        let leg = u64::from(row.leg.min(row.hold));
        match row.role {
            Role::Depart => None,
            Role::Stay => (!row.pinned).then_some(leg),
            Role::Arrive => Some(leg.min(u64::from(row.duration))),
        }
    });
    comes.min().unwrap_or(0)
}

impl Guests {
    /// When the last of those that share a way out of the bin is through.
    fn jobs_end(&self, problem: &Problem) -> u64 {
        let Some(transit) = &problem.project.transit else { return 0 };
        let mut rows = self.jobs.clone();
        rows.sort_unstable_by_key(|(channel, job)| (*channel, job.item));
        let of_channel = rows.chunk_by(|a, b| a.0 == b.0).map(|chunk| {
            let jobs: Vec<Job> = chunk.iter().map(|row| row.1).collect();
            least_last(&jobs, transit.capacities()[chunk[0].0 as usize], 0)
        });
        of_channel.max().unwrap_or(0)
    }
}

/// The sum of so many of the smallest.
fn cheapest(mut joules: Vec<u64>, count: u32) -> u64 {
    joules.sort_unstable();
    joules.into_iter().take(count as usize).fold(0, u64::saturating_add)
}

/// What is in bins at the end.
fn need(packing: &Packing, dim: usize) -> u64 {
    let stays = (0u32..).zip(&packing.items).filter(|(_, row)| row.role != Role::Depart);
    stays.map(|(item, _)| packing.then(item)[dim]).fold(0, u64::saturating_add)
}

/// By bin: who is there, who comes.
fn guests(problem: &Problem, forced: &[u32], of_move: &dyn Fn(u32) -> u64) -> Vec<Guests> {
    let packing = &problem.packing;
    let mut found = vec![Guests::default(); packing.bins.len()];
    // Without a draw it does not matter when a bin closes.
    let draws = !problem.project.power.bins.is_empty();
    let transit = problem.project.transit.as_ref().filter(|transit| draws && transit.is_far());
    for (item, row) in (0u32..).zip(&packing.items) {
        let is_forced = forced.binary_search(&item).is_ok();
        if let Some(bin) = packing.settled_in(item) {
            let guests = &mut found[bin as usize];
            guests.settled = true;
            if bin != row.source {
                let leg = u64::from(row.leg.min(row.hold));
                let last = if row.role == Role::Arrive { leg.min(u64::from(row.duration)) } else { leg };
                guests.comes = guests.comes.max(last);
            }
        }
        if row.role == Role::Arrive && row.anchor != NONE {
            let anchor = &mut found[row.anchor as usize];
            anchor.empty = anchor.empty.max(u64::from(row.duration));
        }
        if row.source == NONE {
            continue;
        }
        let guests = &mut found[row.source as usize];
        guests.empty = guests.empty.max(leaves_after(packing, item));
        // What sleeps there keeps it open.
        guests.settled |= row.pinned && row.image;
        if row.role == Role::Stay && !is_forced {
            guests.staying = true;
            guests.joules.push(of_move(item));
        }
        if let Some(transit) = transit
            && row.role == Role::Stay
            && row.lead == 0
            && !row.pinned
        {
            let job = |toll: crate::problem::Toll| {
                let (seconds, amount, work) = (u64::from(toll.seconds), toll.amount, toll.work);
                (toll.channel, Job { item, head: 0, tail: 0, seconds, amount, work })
            };
            let tolls = transit.tolls(item, row.source, NONE).into_iter();
            guests.jobs.extend(tolls.filter(|toll| toll.amount > 0).map(job));
        }
    }
    for extra in problem.project.extras.iter().filter(|extra| extra.anchor != NONE) {
        let anchor = &mut found[extra.anchor as usize];
        anchor.empty = anchor.empty.max(u64::from(extra.duration));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Power;
    use crate::schedule::testing;

    fn bin(open: bool, later: Later) -> crate::problem::Bin {
        crate::problem::Bin { open, later, opening: 2, closing: 1 }
    }

    /// A bin that stays, one with an item that is done in 5 s, and one that may open.
    fn problem(room: u64, later: Later) -> Problem {
        let bins = [(room, bin(true, Later::Open)), (4, bin(true, later)), (4, bin(false, Later::Free))];
        let mut problem = testing::problem(&bins, &[(1, 0, 3, 5, 1)], None).0;
        problem.project.power = Power { bins: vec![10, 100, 50], moves: vec![7] };
        problem
    }

    #[test]
    fn bins_stay_or_go_as_takes_less() {
        let draws = Draws::of(&problem(4, Later::Free), &[0], &[], true);
        // Whether it goes makes no difference where the plan ends first.
        assert_eq!(draws.least(5, 1, 1), 5 * 10 + 5 * 100 + 7);
        // The item has left after 5 s, the bin has closed 1 s later.
        assert_eq!(draws.least(9, 1, 1), 9 * 10 + 6 * 100 + 7);
        // One more that is open at the end: the one that opens for 2 s adds least.
        assert_eq!(draws.least(9, 1, 2), 9 * 10 + 6 * 100 + 7 + 2 * 50);
        assert_eq!(draws.least(9, 1, 3), 9 * 10 + 9 * 100 + 7 + 2 * 50);
        // More moves than are known by bin.
        assert_eq!(draws.least(9, 3, 1), 9 * 10 + 6 * 100 + 3 * 7);
    }

    #[test]
    fn what_is_open_has_room_for_all() {
        // The item may stay, or go to the bin that opens: not to the first, which is too small.
        let mut small = problem(2, Later::Free);
        small.packing.items[0].domain = 0;
        let draws = Draws::of(&small, &[], &[], true);
        assert_eq!(draws.least(9, 0, 1), 9 * 10 + 9 * 100);
        assert_eq!(draws.least(90, 0, 1), 90 * 10 + (6 * 100 + 7) + (2 + 5) * 50);
        // It must go, so another opens, and the plan lasts as long as that takes.
        let mut small = problem(2, Later::Closed);
        small.packing.items[0].domain = 0;
        let draws = Draws::of(&small, &[0], &[], true);
        assert_eq!(draws.least(3, 1, 1), 7 * 10 + 6 * 100 + 7 * 50 + 7);
    }

    #[test]
    fn nobody_leaves_of_free_will_where_moves_are_counted_first() {
        let mut large = problem(4, Later::Free);
        large.packing.items[0].domain = 0;
        let least = |voluntary| Draws::of(&large, &[], &[], voluntary).least(9, 0, 1);
        assert_eq!((least(true), least(false)), (9 * 10 + 6 * 100 + 7, 9 * 10 + 9 * 100));
    }
}

//! Where little room is left over, little may be wasted.
//!
//! All items end somewhere, so the bins hold together what the items take. What a bin can
//! hold of a dimension is bounded by what is in it for sure and the items that may still
//! come: as many as have room in that dimension, and as many as have room in each other
//! one (the bound that takes part of an item, Dantzig 1957). A bin that is full in one
//! dimension wastes what it has of the others, and where the bins hold less together than
//! the items take there is no placement (the balance of Shaw 2004, A constraint for bin
//! packing, over two dimensions at a time). Loads come in multiples of the greatest common
//! divisor of the sizes; what is left beside is no room.
//!
//! What follows: an item with which a bin would waste too much keeps out of it, and one
//! without which it would stays in. Cost: bins times items, times dimensions squared; with
//! what follows, where little may be wasted, times the items once more.

use super::evictions::Piece;
use crate::engine::Atom;
use crate::engine::Propagator;
use crate::engine::Stop;
use crate::engine::Store;
use crate::engine::Var;
use crate::engine::View;
use crate::problem::gcd;
use std::rc::Rc;

/// Dimensions of which more than this share of what is taken is free are not looked at.
const SHARE: u128 = 8;

/// Items that may come, times those that may be in their bins: beyond this it is only seen
/// whether all is lost, not what follows.
const MOST_WORK: usize = 20_000;

/// The rule: what the items take has room in the bins.
#[derive(Clone, Debug)]
pub struct Fill {
    pieces: Rc<[Piece]>,
    /// By bin and dimension: the room for them.
    room: Rc<[Vec<u64>]>,
    /// By bin: the items that may end there.
    guests: Rc<[Vec<u32>]>,
    tight: Rc<[Tight]>,
}

/// A dimension of which little is free.
#[derive(Debug)]
struct Tight {
    dim: usize,
    /// What the items take.
    total: u128,
    /// All sizes are multiples of it.
    unit: u64,
    /// The largest size.
    largest: u64,
    /// By bin and other dimension: the items that may end there, those first that take the
    /// most of this dimension for what they take of the other.
    orders: Vec<Vec<Vec<u32>>>,
}

/// A bin at a point of the search, or as an explanation sees it.
#[derive(Clone, Debug)]
struct Shelf {
    /// What those take who are there for sure.
    load: Vec<u64>,
    /// By item: may it come?
    open: Vec<bool>,
    /// Who is there for sure.
    here: Vec<u32>,
}

impl Fill {
    /// The rule over items and the room that bins have for them; `None` where no dimension
    /// is nearly full.
    pub fn new(pieces: &[Piece], room: &[Vec<u64>]) -> Option<Self> {
        let mut room = room.to_vec();
        let dims = room.first().map_or(0, Vec::len);
        let mut guests = vec![Vec::new(); room.len()];
        for (at, piece) in (0u32..).zip(pieces) {
            piece.bins.iter().for_each(|&bin| guests[bin as usize].push(at));
        }
        let mut tight = Vec::new();
        for dim in 0..dims {
            let size = |at: u32| pieces[at as usize].size[dim];
            let all = || pieces.iter().map(|piece| piece.size[dim]);
            let unit = all().fold(0, gcd);
            if unit == 0 {
                continue;
            }
            for (row, guests) in room.iter_mut().zip(&guests) {
                let most = guests.iter().map(|&at| u128::from(size(at))).sum::<u128>();
                let most = u64::try_from(most).unwrap_or(u64::MAX);
                row[dim] = row[dim].min(most) / unit * unit;
            }
            let total: u128 = all().map(u128::from).sum();
            let free = room.iter().map(|row| u128::from(row[dim])).sum::<u128>().saturating_sub(total);
            if free <= total / SHARE {
                let largest = all().max().unwrap_or(0);
                tight.push(Tight { dim, total, unit, largest, orders: orders(pieces, &guests, dim, dims) });
            }
        }
        (!tight.is_empty()).then(|| Self {
            pieces: pieces.into(),
            room: room.into(),
            guests: guests.into(),
            tight: tight.into(),
        })
    }

    fn size(&self, at: u32, dim: usize) -> u64 {
        self.pieces[at as usize].size[dim]
    }

    /// No more than this can be in the bin of the dimension.
    fn most(&self, tight: &Tight, bin: usize, shelf: &Shelf) -> u64 {
        let room = &self.room[bin];
        let left = |dim: usize| room[dim].saturating_sub(shelf.load[dim]);
        let fits = |at: u32| {
            let mut sizes = self.pieces[at as usize].size.iter().enumerate();
            shelf.open[at as usize] && sizes.all(|(dim, &size)| size == 0 || size <= left(dim))
        };
        let mut more = left(tight.dim);
        for (other, order) in tight.orders[bin].iter().enumerate() {
            let (mut sum, mut free) = (0, left(other));
            for &at in order {
                if sum >= more {
                    break;
                }
                if !fits(at) {
                    continue;
                }
                let gain = self.size(at, tight.dim);
                let takes = if other == tight.dim { 0 } else { self.size(at, other) };
                if takes > free {
                    sum += (u128::from(gain) * u128::from(free) / u128::from(takes)) as u64;
                    break;
                }
                free -= takes;
                sum = sum.saturating_add(gain);
            }
            more = more.min(sum);
        }
        shelf.load[tight.dim].saturating_add(more).min(room[tight.dim]) / tight.unit * tight.unit
    }

    /// Where each bin stands.
    fn shelves(&self, view: &impl View) -> Vec<Shelf> {
        let dims = self.room.first().map_or(0, Vec::len);
        let empty = Shelf { load: vec![0; dims], open: vec![false; self.pieces.len()], here: Vec::new() };
        let mut shelves = vec![empty; self.room.len()];
        for (at, piece) in (0u32..).zip(self.pieces.iter()) {
            match view.value(piece.host) {
                Some(bin) => self.enter(&mut shelves[bin as usize], at),
                None => {
                    let open = piece.bins.iter().filter(|&&bin| view.contains(piece.host, bin as i32));
                    open.for_each(|&bin| shelves[bin as usize].open[at as usize] = true);
                }
            }
        }
        shelves
    }

    fn enter(&self, shelf: &mut Shelf, at: u32) {
        shelf.open[at as usize] = false;
        shelf.here.push(at);
        for (load, size) in shelf.load.iter_mut().zip(&self.pieces[at as usize].size) {
            *load = load.saturating_add(*size);
        }
    }

    /// Statements from which it follows that no more than `allowed` can be in the bin;
    /// `but` is settled by the question. What can be at the most given these.
    fn explain(
        &self,
        tight: &Tight,
        bin: usize,
        shelf: &Shelf,
        but: Option<u32>,
        allowed: u64,
        reason: &mut Vec<Atom>,
    ) -> u64 {
        let mut shelf = shelf.clone();
        let away =
            |shelf: &Shelf, at: u32| !shelf.open[at as usize] && !shelf.here.contains(&at) && but != Some(at);
        let away: Vec<u32> = self.guests[bin].iter().copied().filter(|&at| away(&shelf, at)).collect();
        // Whoever has no room anyway needs no mention.
        let full = shelf.load.clone();
        let fits = |at: u32| {
            let sizes = self.pieces[at as usize].size.iter().enumerate();
            let mut sizes = sizes.filter(|(_, size)| **size > 0);
            sizes.all(|(dim, &size)| full[dim].saturating_add(size) <= self.room[bin][dim])
        };
        let (near, far): (Vec<u32>, Vec<u32>) = away.into_iter().partition(|&at| fits(at));
        far.into_iter().for_each(|at| shelf.open[at as usize] = true);
        for at in near {
            shelf.open[at as usize] = true;
            if self.most(tight, bin, &shelf) > allowed {
                shelf.open[at as usize] = false;
                reason.push(Atom::Not(self.pieces[at as usize].host, bin as i32));
            }
        }
        for at in shelf.here.clone() {
            if but == Some(at) {
                continue;
            }
            let before = shelf.load.clone();
            for (load, size) in shelf.load.iter_mut().zip(&self.pieces[at as usize].size) {
                *load = load.saturating_sub(*size);
            }
            shelf.open[at as usize] = true;
            if self.most(tight, bin, &shelf) > allowed {
                shelf.open[at as usize] = false;
                shelf.load = before;
                reason.push(Atom::Is(self.pieces[at as usize].host, bin as i32));
            }
        }
        self.most(tight, bin, &shelf)
    }

    /// Statements from which it follows that the bins hold less than the items take, one
    /// of them changed by the question: (bin, how it is then, the item).
    fn explain_sum(
        &self,
        tight: &Tight,
        shelves: &[Shelf],
        most: &[u64],
        change: Option<(usize, &Shelf, u32)>,
    ) -> Vec<Atom> {
        let changed = change.map(|(bin, shelf, _)| (bin, self.most(tight, bin, shelf)));
        let holds = |bin: usize| match changed {
            Some((other, most)) if other == bin => most,
            _ => most[bin],
        };
        let sum: u128 = (0..most.len()).map(|bin| u128::from(holds(bin))).sum();
        let mut spare = u64::try_from(tight.total - sum - 1).unwrap_or(u64::MAX);
        let waste = |bin: usize| self.room[bin][tight.dim] - holds(bin);
        let mut order: Vec<usize> = (0..most.len()).filter(|&bin| waste(bin) > 0).collect();
        order.sort_by_key(|&bin| (waste(bin), bin));
        let mut reason = Vec::new();
        for bin in order {
            if waste(bin) <= spare {
                spare -= waste(bin);
                continue;
            }
            let (shelf, but) = match change {
                Some((other, shelf, at)) if other == bin => (shelf, Some(at)),
                _ => (&shelves[bin], None),
            };
            let reached = self.explain(tight, bin, shelf, but, holds(bin) + spare, &mut reason);
            spare -= reached.saturating_sub(holds(bin));
        }
        reason
    }

    /// What follows from how much may be wasted.
    fn keep(
        &self,
        tight: &Tight,
        shelves: &[Shelf],
        most: &[u64],
        slack: u128,
        store: &mut impl Store,
    ) -> Result<(), Stop> {
        for (bin, shelf) in shelves.iter().enumerate() {
            for &at in self.guests[bin].iter().filter(|&&at| shelf.open[at as usize]) {
                let host = self.pieces[at as usize].host;
                let mut with = shelf.clone();
                self.enter(&mut with, at);
                if u128::from(most[bin].saturating_sub(self.most(tight, bin, &with))) > slack {
                    let reason = self.explain_sum(tight, shelves, most, Some((bin, &with, at)));
                    store.imply(Atom::Not(host, bin as i32), &reason)?;
                    continue;
                }
                let mut without = shelf.clone();
                without.open[at as usize] = false;
                if u128::from(most[bin] - self.most(tight, bin, &without)) > slack {
                    let reason = self.explain_sum(tight, shelves, most, Some((bin, &without, at)));
                    store.imply(Atom::Is(host, bin as i32), &reason)?;
                }
            }
        }
        Ok(())
    }
}

/// By bin and other dimension: the items, in the order in which a bound takes them.
fn orders(pieces: &[Piece], guests: &[Vec<u32>], dim: usize, dims: usize) -> Vec<Vec<Vec<u32>>> {
    let size = |at: u32, dim: usize| u128::from(pieces[at as usize].size[dim]);
    let order = |guests: &[u32], other: usize| {
        let mut order: Vec<u32> = guests.iter().copied().filter(|&at| size(at, dim) > 0).collect();
        if other != dim {
            // Where one takes nothing of the other dimension it comes first.
            let cross = |a: u32, b: u32| size(a, dim) * size(b, other);
            order.sort_by(|&a, &b| {
                let free = (size(b, other) == 0).cmp(&(size(a, other) == 0));
                free.then_with(|| cross(b, a).cmp(&cross(a, b))).then(a.cmp(&b))
            });
        }
        order
    };
    guests.iter().map(|guests| (0..dims).map(|other| order(guests, other)).collect()).collect()
}

impl Propagator for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn watched(&self) -> Vec<Var> {
        self.pieces.iter().map(|piece| piece.host).collect()
    }

    fn propagate(&mut self, store: &mut impl Store) -> Result<(), Stop> {
        let shelves = self.shelves(store);
        for tight in self.tight.iter() {
            let most: Vec<u64> =
                (0..).zip(&shelves).map(|(bin, shelf)| self.most(tight, bin, shelf)).collect();
            let sum: u128 = most.iter().map(|&most| u128::from(most)).sum();
            let Some(slack) = sum.checked_sub(tight.total) else {
                return Err(Stop::Conflict(self.explain_sum(tight, &shelves, &most, None)));
            };
            let open = |(shelf, guests): (&Shelf, &Vec<u32>)| {
                guests.iter().filter(|&&at| shelf.open[at as usize]).count() * guests.len()
            };
            let work = || shelves.iter().zip(self.guests.iter()).map(open).sum::<usize>();
            if slack < u128::from(tight.largest) && work() <= MOST_WORK {
                self.keep(tight, &shelves, &most, slack, store)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Domains;
    use crate::engine::testing::check;
    use crate::problem::NONE;
    use crate::random::Random;

    /// Up to five items in two or three bins with little room to spare.
    fn store(random: &mut Random) -> (Vec<Piece>, Vec<Vec<u64>>, Vec<Vec<i32>>) {
        let bins = 2 + random.below(2);
        let dims = 1 + random.below(2);
        let unit = 1 + random.below(3) as u64;
        let mut domains = Vec::new();
        let pieces: Vec<Piece> = (0..3 + random.below(3) as u32)
            .map(|at| {
                let mut allowed: Vec<u32> = (0..bins as u32).filter(|_| random.below(4) > 0).collect();
                if allowed.is_empty() {
                    allowed.push(0);
                }
                domains.push(allowed.iter().map(|&bin| bin as i32).collect());
                let size = (0..dims).map(|_| unit * random.below(5) as u64).collect();
                Piece { host: Var(at), source: NONE, bins: allowed, size, cost: 1 }
            })
            .collect();
        let room = (0..bins)
            .map(|_| {
                let total = |dim: usize| pieces.iter().map(|piece| piece.size[dim]).sum::<u64>();
                (0..dims).map(|dim| (total(dim) / bins as u64) + random.below(4) as u64).collect()
            })
            .collect();
        (pieces, room, domains)
    }

    fn holds(pieces: &[Piece], room: &[Vec<u64>], values: &[i32]) -> bool {
        room.iter().enumerate().all(|(bin, room)| {
            room.iter().enumerate().all(|(dim, &room)| {
                let here = pieces.iter().zip(values).filter(|(_, value)| **value == bin as i32);
                here.map(|(piece, _)| piece.size[dim]).sum::<u64>() <= room
            })
        })
    }

    /// How many rules were posted, and of how many it was seen that they cannot hold.
    fn conclusions(spoil: impl Fn(&mut Vec<Vec<u64>>)) -> Result<usize, String> {
        let mut random = Random::new(5);
        let mut posted = 0;
        for _ in 0..2000 {
            let (pieces, room, domains) = store(&mut random);
            let mut believed = room.clone();
            spoil(&mut believed);
            let Some(rule) = Fill::new(&pieces, &believed) else { continue };
            posted += 1;
            for _ in 0..4 {
                let decided = random.below(8) == 0;
                let narrow = |domain: &Vec<i32>| {
                    let keep = domain[random.below(domain.len())];
                    let all = domain.iter().copied();
                    all.filter(|&value| value == keep || !decided && random.below(3) > 0).collect()
                };
                let narrowed = Domains(domains.iter().map(narrow).collect());
                // It sees to the dimensions that are nearly full; others are not its own.
                let whole = rule.tight.len() == room[0].len();
                let fits = |values: &[i32]| holds(&pieces, &room, values);
                let narrowed = if whole || !decided { narrowed } else { Domains(domains.clone()) };
                if !whole && narrowed.0.iter().all(|domain| domain.len() == 1) {
                    continue;
                }
                check(&rule, &domains, &narrowed, &fits)
                    .map_err(|why| format!("{why}\n{pieces:?} {room:?} {narrowed:?}"))?;
            }
        }
        Ok(posted)
    }

    #[test]
    fn conclusions_follow_from_their_reasons() {
        let posted = conclusions(|_| {});
        assert!(posted.as_ref().is_ok_and(|&posted| posted > 500), "{posted:?}");
    }

    /// The test above sees a rule that knows of too little room.
    #[test]
    fn wrong_rules_are_noticed() {
        let less =
            conclusions(|room| room.iter_mut().flatten().for_each(|room| *room = room.saturating_sub(1)));
        assert!(less.is_err());
    }

    /// Two bins of 8 with 6 and 6 of one dimension in use by what takes all of the other:
    /// what is left over is more than may be.
    #[test]
    fn what_is_full_in_one_dimension_wastes_the_other() {
        let piece = |at: u32, size: [u64; 2], bins: &[u32]| Piece {
            host: Var(at),
            source: NONE,
            bins: bins.to_vec(),
            size: size.to_vec(),
            cost: 1,
        };
        let pieces = [
            piece(0, [6, 10], &[0]),
            piece(1, [6, 10], &[1]),
            piece(2, [2, 1], &[0, 1, 2]),
            piece(3, [1, 1], &[0, 1, 2]),
            piece(4, [8, 1], &[2]),
        ];
        let mut rule = Fill::new(&pieces, &vec![vec![8, 10]; 3]).expect("a tight one");
        let mut domains =
            Domains(pieces.iter().map(|piece| piece.bins.iter().map(|&bin| bin as i32).collect()).collect());
        struct Fixed<'a>(&'a mut Domains);
        impl View for Fixed<'_> {
            fn contains(&self, var: Var, value: i32) -> bool {
                self.0.contains(var, value)
            }
            fn least(&self, var: Var) -> i32 {
                self.0.least(var)
            }
            fn most(&self, var: Var) -> i32 {
                self.0.most(var)
            }
        }
        impl Store for Fixed<'_> {
            fn imply(&mut self, _: Atom, _: &[Atom]) -> Result<(), Stop> {
                Ok(())
            }
        }
        assert!(matches!(rule.propagate(&mut Fixed(&mut domains)), Err(Stop::Conflict(_))));
    }
}

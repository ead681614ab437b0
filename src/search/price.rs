//! A lower bound on the number of moves by prices for places.
//!
//! The Lagrangian relaxation of the rule that every item ends in just one bin (Geoffrion
//! 1974; for packing with assignments Martello and Toth 1990, section 7.2): an item gets a
//! price, which is paid once for certain, and each bin on its own takes those that bring
//! it most: the price for each that stays, the price less the move for each that comes.
//! Whatever the prices, what is paid less what the bins take is no more than the fewest
//! moves. With a price of one move for all, that is the sum of the evictions; prices that
//! rise for items which no bin takes, and fall for those that several take (subgradients;
//! Held, Wolfe and Crowder 1974), see that evicted items have to go somewhere. All in
//! integers: rounding cannot make a bound of what is none.

use super::Limits;
use super::presolve::Analysis;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Role;

/// A move, in units of prices.
const MOVE: i64 = 1 << 20;
/// Changes of the prices.
const ROUNDS: u32 = 400;
/// Rounds without a better bound after which the steps are halved.
const PATIENCE: u32 = 12;
/// Sets looked at for one bin in one round; then the relaxed value counts.
const SETS: u32 = 2_000;
/// Pairs of items and bins beyond which it is not tried.
const MOST_PAIRS: usize = 100_000;

/// A bin's choice: an item, what it brings without its price, and its sizes.
#[derive(Clone, Debug)]
struct Offer {
    /// Index of the item among those with a choice.
    at: u32,
    /// 0 for one that stays, a move for one that comes.
    cost: i64,
}

struct Market<'p> {
    packing: &'p Packing,
    /// The items that must be in a bin, with a choice.
    items: Vec<u32>,
    /// By bin: who may be there.
    offers: Vec<Vec<Offer>>,
    /// By bin and dimension: the room for them.
    room: Vec<Vec<u64>>,
}

/// At least so many moves, and the steps that it took. No more than `target` is tried for.
pub fn fewest_moves(problem: &Problem, analysis: &Analysis, target: u64, limits: &Limits) -> (u64, u64) {
    let packing = &problem.packing;
    let Some(market) = Market::new(packing) else { return (analysis.fewest_moves, 0) };
    let mut prices = vec![MOVE; market.items.len()];
    let mut best = i64::MIN;
    let mut best_prices = prices.clone();
    let (mut step, mut quiet, mut steps) = (1.0f64, 0, 0u64);
    for round in 0..ROUNDS {
        let (value, taken, looked_at) = market.value(&prices);
        steps += 1 + looked_at / 256;
        if value > best {
            (best, quiet) = (value, 0);
            best_prices.clone_from(&prices);
        } else {
            quiet += 1;
        }
        let bound = moves(best);
        if bound >= target || step < 1e-3 || limits.reached(steps).is_some() {
            break;
        }
        if quiet >= PATIENCE {
            (step, quiet) = (step / 2.0, 0);
            prices.clone_from(&best_prices);
            if round + 1 < ROUNDS {
                continue;
            }
        }
        let length: i64 = taken.iter().map(|&times| (1 - times) * (1 - times)).sum();
        if length == 0 {
            break;
        }
        let gap = i64::try_from(target)
            .unwrap_or(i64::MAX)
            .saturating_mul(MOVE)
            .saturating_sub(value)
            .max(MOVE / 8);
        let change = step * gap as f64 / length as f64;
        for (price, &times) in prices.iter_mut().zip(&taken) {
            *price = (*price + (change * (1 - times) as f64) as i64).clamp(0, 64 * MOVE);
        }
    }
    (moves(best).max(analysis.fewest_moves), steps)
}

/// Moves come whole.
fn moves(value: i64) -> u64 {
    u64::try_from(value).map_or(0, |value| value.div_ceil(MOVE as u64))
}

impl<'p> Market<'p> {
    fn new(packing: &'p Packing) -> Option<Self> {
        let mut market = Self {
            packing,
            items: Vec::new(),
            offers: vec![Vec::new(); packing.bins.len()],
            room: (0..packing.bins.len())
                .map(|bin| packing.capacity_then[bin * packing.dims..][..packing.dims].to_vec())
                .collect(),
        };
        let mut pairs = 0;
        for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.role != Role::Depart) {
            let bins: Vec<u32> =
                (0..packing.bins.len() as u32).filter(|&bin| packing.may_end_in(item, bin)).collect();
            if row.role == Role::Stay && bins == [row.source] {
                for (room, size) in market.room[row.source as usize].iter_mut().zip(packing.then(item)) {
                    *room = room.saturating_sub(*size);
                }
                continue;
            }
            pairs += bins.len();
            if pairs > MOST_PAIRS {
                return None;
            }
            let at = market.items.len() as u32;
            market.items.push(item);
            for bin in bins {
                let moves = row.source != NONE && row.source != bin;
                market.offers[bin as usize].push(Offer { at, cost: if moves { MOVE } else { 0 } });
            }
        }
        Some(market)
    }

    /// What the prices prove, how many bins take each item, and how many sets were looked at.
    fn value(&self, prices: &[i64]) -> (i64, Vec<i64>, u64) {
        let mut taken = vec![0; self.items.len()];
        let mut value: i64 = prices.iter().sum();
        let mut looked_at = 0;
        for bin in 0..self.offers.len() {
            let mut knapsack = self.knapsack(bin, prices);
            value -= knapsack.solve();
            looked_at += u64::from(SETS - knapsack.budget);
            for &at in &knapsack.best_set {
                taken[at as usize] += 1;
            }
        }
        (value, taken, looked_at)
    }

    fn knapsack(&self, bin: usize, prices: &[i64]) -> Knapsack {
        let room = &self.room[bin];
        let dims = self.packing.dims;
        let mut goods: Vec<Good> = self.offers[bin]
            .iter()
            .filter_map(|offer| {
                let worth = prices[offer.at as usize] - offer.cost;
                let size = self.packing.then(self.items[offer.at as usize]);
                let fits = size.iter().zip(room).all(|(size, room)| size <= room);
                if worth <= 0 || !fits {
                    return None;
                }
                // The sizes relative to the room, added up, rounded down: never too much.
                let share = |dim: usize| match room[dim] {
                    0 => 0,
                    room => ((u128::from(size[dim]) << 20) / u128::from(room)) as u64,
                };
                let bulk = (0..dims).map(share).sum::<u64>();
                Some(Good { at: offer.at, worth, bulk, size: size.to_vec() })
            })
            .collect();
        // The most for its bulk first; ties by item.
        goods.sort_by(|a, b| {
            let (left, right) =
                (i128::from(a.worth) * i128::from(b.bulk), i128::from(b.worth) * i128::from(a.bulk));
            right.cmp(&left).then(a.at.cmp(&b.at))
        });
        let bulk = (dims as u64) << 20;
        Knapsack {
            goods,
            room: room.clone(),
            bulk,
            best: 0,
            best_set: Vec::new(),
            chosen: Vec::new(),
            budget: SETS,
        }
    }
}

struct Good {
    at: u32,
    worth: i64,
    bulk: u64,
    size: Vec<u64>,
}

/// The most that a bin can take: depth first, with the bound that takes part of an item
/// where only the sum of the relative sizes counts (Dantzig 1957).
struct Knapsack {
    goods: Vec<Good>,
    room: Vec<u64>,
    bulk: u64,
    best: i64,
    best_set: Vec<u32>,
    chosen: Vec<u32>,
    budget: u32,
}

impl Knapsack {
    /// The most, or no less than that where the budget does not suffice.
    fn solve(&mut self) -> i64 {
        let relaxed = self.relaxed(0, self.bulk);
        self.descend(0, 0, self.bulk);
        if self.budget == 0 { relaxed.max(self.best) } else { self.best }
    }

    /// No less than what the goods from here on can bring.
    fn relaxed(&self, from: usize, mut bulk: u64) -> i64 {
        let mut sum = 0;
        for good in &self.goods[from..] {
            if good.bulk > bulk {
                // Rounded up: it is a bound.
                let part = (good.worth as u128 * u128::from(bulk)).div_ceil(u128::from(good.bulk));
                return sum + part as i64;
            }
            bulk -= good.bulk;
            sum += good.worth;
        }
        sum
    }

    fn descend(&mut self, from: usize, sum: i64, bulk: u64) {
        if sum > self.best {
            self.best = sum;
            self.best_set = self.chosen.clone();
        }
        for at in from..self.goods.len() {
            if self.budget == 0 || sum + self.relaxed(at, bulk) <= self.best {
                return;
            }
            let good = &self.goods[at];
            if good.bulk > bulk || good.size.iter().zip(&self.room).any(|(size, room)| size > room) {
                continue;
            }
            self.budget -= 1;
            let (worth, taken) = (good.worth, good.bulk);
            self.chosen.push(good.at);
            for (room, size) in self.room.iter_mut().zip(&self.goods[at].size) {
                *room -= size;
            }
            self.descend(at + 1, sum + worth, bulk - taken);
            for (room, size) in self.room.iter_mut().zip(&self.goods[at].size) {
                *room += size;
            }
            self.chosen.pop();
        }
    }
}

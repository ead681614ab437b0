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
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::gcd;

/// A move, in units of prices.
const MOVE: i64 = 1 << 20;
/// Changes of the prices.
const ROUNDS: u32 = 400;
/// The same, after something was excluded.
const MORE_ROUNDS: u32 = 100;
/// So many moves no single item is worth: where the bound is further from the target,
/// nothing is excluded.
const NEAR: u64 = 4;
/// How often prices are looked for at most.
const PASSES: u32 = 5;
/// Rounds without a better bound after which the steps are halved.
const PATIENCE: u32 = 12;
/// Sets looked at for one bin in one round; then the relaxed value counts.
const SETS: u32 = 2_000;
/// The same for a bin that must take an item, of which there are many.
const FEWER_SETS: u32 = 50;
/// Sets that count as one step.
const SETS_A_STEP: u64 = 256;
/// Sets of which so many may share a bin, beyond which the others are left out.
const MOST_CROWDS: usize = 64;
/// Pairs of items and bins beyond which it is not tried.
const MOST_PAIRS: usize = 100_000;

/// A bin's choice: an item, what it brings without its price, and its sizes.
#[derive(Clone, Copy, Debug)]
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
    /// By item and dimension: its size. Behind the dimensions of the packing there is one for
    /// each set of which so many members may share a bin: 1 for a member.
    sizes: Vec<Vec<u64>>,
    /// By bin and dimension: the room for them.
    room: Vec<Vec<u64>>,
}

/// What the prices prove.
#[derive(Clone, Debug, Default)]
pub struct Priced {
    /// No plan has fewer moves.
    pub bound: u64,
    /// (item, bin), ascending: no plan with fewer moves than the target ends so.
    pub excluded: Vec<(u32, u32)>,
    /// Steps that it took.
    pub steps: u64,
}

/// At least so many moves; no more than `target` is tried for. Where that is not reached,
/// what would raise the bound to the target is excluded (fixing by reduced costs, as
/// Ingargiola and Korsh 1975 do for the knapsack), and prices are found for the rest.
pub fn fewest_moves(problem: &Problem, analysis: &Analysis, target: u64, limits: &Limits) -> Priced {
    let mut priced = Priced { bound: analysis.fewest_moves, ..Priced::default() };
    let Some(mut market) = Market::new(&problem.packing) else { return priced };
    let mut prices = vec![MOVE; market.items.len()];
    for pass in 0..PASSES {
        let rounds = if pass == 0 { ROUNDS } else { MORE_ROUNDS };
        let value = market.climb(&mut prices, rounds, target, limits, &mut priced.steps);
        // After the first pass it holds for plans with fewer moves than the target only.
        priced.bound = priced.bound.max(moves(value).min(target));
        if priced.bound + NEAR < target || priced.bound >= target || limits.reached(priced.steps).is_some() {
            break;
        }
        let Some(excluded) = market.exclude(&prices, target, limits, &mut priced.steps) else {
            priced.bound = target;
            break;
        };
        if excluded.is_empty() {
            break;
        }
        priced.excluded.extend(excluded);
    }
    priced.excluded.sort_unstable();
    priced
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
            sizes: Vec::new(),
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
        market.sizes = market.items.iter().map(|&item| packing.then(item).to_vec()).collect();
        market.add_crowds();
        // What is left beside a multiple of all sizes is no room.
        for dim in 0..packing.dims {
            let unit = market.items.iter().map(|&item| packing.then(item)[dim]).fold(0, gcd);
            if unit > 1 {
                market.room.iter_mut().for_each(|room| room[dim] -= room[dim] % unit);
            }
        }
        Some(market)
    }

    /// A dimension for each set of which at most so many members may share a bin.
    fn add_crowds(&mut self) {
        let packing = self.packing;
        let crowds =
            packing.relations.iter().filter(|relation| relation.penalty.is_none()).filter_map(|relation| {
                match &relation.kind {
                    RelationKind::AtMost { items, most, partition: NONE } => Some((items, *most)),
                    _ => None,
                }
            });
        let mut at_item = vec![NONE; packing.items.len()];
        (0u32..).zip(&self.items).for_each(|(at, &item)| at_item[item as usize] = at);
        for (items, most) in crowds.filter(|(items, most)| items.len() > *most as usize).take(MOST_CROWDS) {
            self.sizes.iter_mut().for_each(|size| size.push(0));
            self.room.iter_mut().for_each(|room| room.push(u64::from(most)));
            for &item in items {
                match (at_item[item as usize], packing.items[item as usize].role) {
                    (_, Role::Depart) => {}
                    // It has no choice: it stays where it is.
                    (NONE, _) => {
                        let room = &mut self.room[packing.items[item as usize].source as usize];
                        if let Some(left) = room.last_mut() {
                            *left = left.saturating_sub(1);
                        }
                    }
                    (at, _) => {
                        if let Some(size) = self.sizes[at as usize].last_mut() {
                            *size = 1;
                        }
                    }
                }
            }
        }
    }

    /// Raises what the prices prove; the best prices, and what they prove.
    fn climb(
        &self,
        prices: &mut Vec<i64>,
        rounds: u32,
        target: u64,
        limits: &Limits,
        steps: &mut u64,
    ) -> i64 {
        let mut best = i64::MIN;
        let mut best_prices = prices.clone();
        let (mut step, mut quiet) = (1.0f64, 0);
        for round in 0..rounds {
            let (value, taken, looked_at) = self.value(prices);
            *steps += 1 + looked_at / SETS_A_STEP;
            if value > best {
                (best, quiet) = (value, 0);
                best_prices.clone_from(prices);
            } else {
                quiet += 1;
            }
            if moves(best) >= target || step < 1e-3 || limits.reached(*steps).is_some() {
                break;
            }
            if quiet >= PATIENCE {
                (step, quiet) = (step / 2.0, 0);
                prices.clone_from(&best_prices);
                if round + 1 < rounds {
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
        *prices = best_prices;
        best
    }

    /// Takes back the offers of which the prices prove that no plan with fewer moves than
    /// the target takes them up; `None` where an item has no other.
    fn exclude(
        &mut self,
        prices: &[i64],
        target: u64,
        limits: &Limits,
        steps: &mut u64,
    ) -> Option<Vec<(u32, u32)>> {
        let bins = self.offers.len();
        let mut takes = vec![0; bins];
        // By item: what the bins lose that would have to do without it, and by bin.
        let mut loss_of = vec![0i64; self.items.len()];
        let mut losses: Vec<Vec<(u32, i64)>> = vec![Vec::new(); bins];
        let mut looked_at = 0;
        for bin in 0..bins {
            let mut knapsack = self.knapsack(bin, prices, &self.room[bin], None);
            takes[bin] = knapsack.solve();
            looked_at += u64::from(SETS - knapsack.budget);
            for &at in &knapsack.best_set {
                let mut without = self.knapsack(bin, prices, &self.room[bin], Some(at));
                let loss = (takes[bin] - without.solve()).max(0);
                looked_at += u64::from(SETS - without.budget);
                loss_of[at as usize] += loss;
                losses[bin].push((at, loss));
            }
        }
        let value = prices.iter().sum::<i64>() - takes.iter().sum::<i64>();
        // A plan that costs more than this has as many moves as the target.
        let most = i64::try_from(target).unwrap_or(i64::MAX).saturating_sub(1).saturating_mul(MOVE);
        let mut excluded = Vec::new();
        for bin in 0..bins {
            if limits.reached(*steps + looked_at / SETS_A_STEP).is_some() {
                break;
            }
            let mut kept = Vec::new();
            for &offer in &self.offers[bin] {
                let item = self.items[offer.at as usize];
                let size = &self.sizes[offer.at as usize];
                let here = losses[bin].iter().find(|row| row.0 == offer.at);
                let elsewhere = loss_of[offer.at as usize] - here.map_or(0, |row| row.1);
                let rest: Option<Vec<u64>> =
                    self.room[bin].iter().zip(size).map(|(room, size)| room.checked_sub(*size)).collect();
                let loss = match rest {
                    None => i64::MAX,
                    // Where it comes without being made to, nothing is lost.
                    Some(_) if here.is_some() => elsewhere,
                    Some(rest) => {
                        looked_at += self.offers[bin].len() as u64;
                        let mut beside = self.knapsack(bin, prices, &rest, Some(offer.at));
                        beside.budget = FEWER_SETS;
                        let with = prices[offer.at as usize] - offer.cost;
                        let loss = |beside: i64| (takes[bin] - beside - with).max(0) + elsewhere;
                        // Mostly the relaxed value shows it.
                        match loss(beside.relaxed(0, beside.bulk)) {
                            enough if value.saturating_add(enough) > most => enough,
                            _ => {
                                let least = beside.solve();
                                looked_at += u64::from(FEWER_SETS - beside.budget);
                                loss(least)
                            }
                        }
                    }
                };
                if value.saturating_add(loss) > most {
                    excluded.push((item, bin as u32));
                } else {
                    kept.push(offer);
                }
            }
            self.offers[bin] = kept;
        }
        *steps += looked_at / SETS_A_STEP;
        let mut homes = vec![false; self.items.len()];
        self.offers.iter().flatten().for_each(|offer| homes[offer.at as usize] = true);
        homes.iter().all(|home| *home).then_some(excluded)
    }

    /// What the prices prove, how many bins take each item, and how many sets were looked at.
    fn value(&self, prices: &[i64]) -> (i64, Vec<i64>, u64) {
        let mut taken = vec![0; self.items.len()];
        let mut value: i64 = prices.iter().sum();
        let mut looked_at = 0;
        for bin in 0..self.offers.len() {
            let mut knapsack = self.knapsack(bin, prices, &self.room[bin], None);
            value -= knapsack.solve();
            looked_at += u64::from(SETS - knapsack.budget);
            for &at in &knapsack.best_set {
                taken[at as usize] += 1;
            }
        }
        (value, taken, looked_at)
    }

    /// What the bin takes with so much room, one item left out.
    fn knapsack(&self, bin: usize, prices: &[i64], room: &[u64], without: Option<u32>) -> Knapsack {
        let dims = self.packing.dims;
        let mut goods: Vec<Good> = self.offers[bin]
            .iter()
            .filter_map(|offer| {
                let worth = prices[offer.at as usize] - offer.cost;
                let size = &self.sizes[offer.at as usize];
                let fits = size.iter().zip(room).all(|(size, room)| size <= room);
                if worth <= 0 || !fits || without == Some(offer.at) {
                    return None;
                }
                // The sizes relative to the room, added up, rounded down: never too much.
                let share = |dim: usize| match room[dim] {
                    0 => 0,
                    room => ((u128::from(size[dim]) << 20) / u128::from(room)) as u64,
                };
                let bulk = (0..dims).map(share).sum::<u64>();
                Some(Good { at: offer.at, worth, bulk, size: size.clone() })
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
            room: room.to_vec(),
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

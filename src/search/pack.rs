//! Packing alone: as few bins as can be, with bounds.
//!
//! In stages, each of which may be the last: bounds by sums and packings in one pass; where
//! the sums leave no slack, contents that waste nothing ([`tight`]); the linear programme
//! over contents of bins ([`generate`]), whose bound is nearly always the optimum or one
//! less; dives along it ([`dive`]) until a packing meets the bound.

pub mod boxes;
pub mod cover;
pub mod dive;
pub mod generate;
pub mod greedy;
#[cfg(feature = "highs")]
pub mod integer;
pub mod knapsack;
pub mod listing;
pub mod master;
pub mod tight;

use super::bound;
use crate::engine::Meter;
use crate::random::Random;
use boxes::Boxes;
use boxes::Filled;
use generate::Generator;
use std::sync::Arc;

/// Work of one stage, so that other parts of the search get their turn.
const STAGE: u64 = 40_000_000;
/// Kinds and classes beyond which there is no linear programme.
const MOST_KINDS: usize = 640;
const MOST_CLASSES: usize = 24;
/// Dives in which nothing better comes before the packing is given up.
const PATIENCE: u32 = 200;
/// Dives before the bound is looked at more closely.
const FIRST_DIVES: u32 = 3;
/// How far a dive strays from what the programme says.
const NOISE: f64 = 0.3;
/// The shares of the bins that dives fill in a step, in turn.
const PACES: [f64; 4] = [0.1, 0.04, 0.1, 0.0];
/// The share of a bin that may be wasted in all where every content is listed.
const SLACK: f64 = 0.25;
/// Kinds after rounding, and the work on their programme.
const MOST_ROUGH: usize = 200;
const ROUGH: u64 = 1_000_000_000;
/// Work of the packings in one pass.
const GREEDY: u64 = 1_000_000_000;
/// Work of a dive.
const DIVING: u64 = 600_000_000;
/// Work of listing contents.
const LISTING: u64 = 1_000_000_000;
/// Work of looking for a cover with listed contents, at first and with the prices of the
/// programme.
const COVERING_FIRST: u64 = 200_000_000;
const COVERING: u64 = 800_000_000;

/// Contents that the programme begins with.
const MOST_SEEDS: usize = 10_000;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Too many kinds: the bound of the programme for sizes that are rounded down.
    Rough,
    /// Contents that waste next to nothing, by the sizes.
    Exact,
    /// The linear programme, as far as that is easy.
    Programme,
    /// A dive.
    Dive,
    /// The bound of the programme; so many times the usual work.
    Prove(u32),
    /// Contents that waste next to nothing, by the prices of the programme.
    Priced,
    /// Nothing.
    Done,
}

/// The best packing so far, and how to get at a better one.
#[derive(Debug)]
pub struct Packer {
    boxes: Arc<Boxes>,
    best: Option<Vec<Filled>>,
    bound: u64,
    generator: Option<Generator>,
    /// Contents to begin with.
    seeds: Vec<Filled>,
    random: Random,
    dives: u32,
    stage: Stage,
    /// How hard the bound was tried last.
    tried: u32,
}

impl Packer {
    /// Sums, and packings in one pass.
    pub fn new(boxes: Boxes, seed: u64, meter: &mut Meter) -> Self {
        let bound = bound::quick(&boxes);
        meter.grant(GREEDY);
        let packings = greedy::all(&boxes, meter);
        let best = packings.iter().min_by_key(|packing| boxes.price(packing)).cloned();
        let seeds = packings.into_iter().flatten().collect();
        let small = boxes.kinds() <= MOST_KINDS && boxes.classes() <= MOST_CLASSES;
        Self {
            boxes: Arc::new(boxes),
            best,
            bound,
            generator: None,
            seeds,
            random: Random::new(seed),
            dives: 0,
            stage: if small { Stage::Exact } else { Stage::Rough },
            tried: 0,
        }
    }

    /// The question.
    pub fn boxes(&self) -> &Boxes {
        &self.boxes
    }

    /// The best packing so far.
    pub fn best(&self) -> Option<&[Filled]> {
        self.best.as_deref()
    }

    /// No packing has fewer paid bins.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Is there nothing more to try?
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done || self.price() <= self.bound
    }

    /// The number of paid bins of the best packing.
    fn price(&self) -> u64 {
        self.best.as_ref().map_or(u64::MAX, |best| self.boxes.price(best))
    }

    /// Another stage. Is the best packing better now, or the bound?
    pub fn advance(&mut self, meter: &mut Meter) -> bool {
        if self.is_done() || meter.is_exhausted() {
            return false;
        }
        let before = (self.price(), self.bound);
        meter.grant(STAGE);
        self.stage = match self.stage {
            Stage::Rough => {
                let rough = Arc::new(self.boxes.rounded(MOST_ROUGH));
                if rough.classes() <= MOST_CLASSES && rough.kinds() <= MOST_KINDS {
                    let mut generator = Generator::new(&rough, &[], std::iter::empty());
                    meter.grant(ROUGH);
                    generator.prove(before.0, meter);
                    self.bound = self.bound.max(generator.bound);
                }
                Stage::Done
            }
            Stage::Exact => {
                meter.grant(LISTING);
                self.list(&tight::sizes(&self.boxes), COVERING_FIRST, meter);
                Stage::Programme
            }
            Stage::Programme => {
                let start = std::mem::take(&mut self.seeds).into_iter();
                let generator = self.generator.get_or_insert_with(|| {
                    Generator::new(&self.boxes, self.best.as_deref().unwrap_or_default(), start)
                });
                generator.solve(before.0, meter);
                self.bound = self.bound.max(generator.bound);
                if generator.settled { Stage::Dive } else { Stage::Programme }
            }
            Stage::Dive => {
                meter.grant(DIVING);
                self.dive(meter);
                match self.generator.as_ref().is_some_and(|generator| generator.done) {
                    false if self.dives.is_multiple_of(FIRST_DIVES) => Stage::Prove(self.tried + 1),
                    _ if self.dives > PATIENCE => Stage::Done,
                    _ => Stage::Dive,
                }
            }
            Stage::Prove(times) => {
                self.tried = times;
                let Some(generator) = &mut self.generator else { return false };
                meter.grant(STAGE << times.min(6));
                generator.prove(before.0, meter);
                self.bound = self.bound.max(generator.bound);
                if generator.done { Stage::Priced } else { Stage::Dive }
            }
            Stage::Priced => {
                let mut prices = tight::sizes(&self.boxes);
                if let Some(generator) = &self.generator
                    && let [most] = generator.prices.1[..]
                {
                    prices.push((generator.prices.0.clone(), most));
                }
                meter.grant(LISTING);
                self.list(&prices, COVERING, meter);
                #[cfg(feature = "highs")]
                self.combine(meter);
                Stage::Dive
            }
            Stage::Done => Stage::Done,
        };
        before != (self.price(), self.bound)
    }

    fn dive(&mut self, meter: &mut Meter) {
        let Some(generator) = &self.generator else { return };
        let noise = if self.dives == 0 { 0.0 } else { NOISE };
        let style = dive::Style { noise, pace: PACES[self.dives as usize % PACES.len()] };
        let goal = (self.bound, self.price());
        if let Some(packing) = dive::dive(&self.boxes, generator, goal, style, &mut self.random, meter) {
            self.best = Some(packing);
        }
        self.dives += 1;
    }

    /// The best packing out of the contents of the programme, where it is better.
    #[cfg(feature = "highs")]
    fn combine(&mut self, meter: &mut Meter) {
        let Some(generator) = &self.generator else { return };
        let (master, price) = (&generator.master, self.price());
        if price <= self.bound {
            return;
        }
        let contents: Vec<Filled> = (0..master.columns()).map(|at| master.column(at).clone()).collect();
        if let Some(packing) = integer::pack(&self.boxes, &contents, price - 1, meter) {
            self.best = Some(packing);
        }
    }

    /// Looks for a packing that meets the bound among contents that waste next to nothing,
    /// or finds out that there is none. Only where all bins are alike.
    fn list(&mut self, prices: &[tight::Prices], covering: u64, meter: &mut Meter) {
        let alike = self.boxes.classes() == 1 && self.boxes.paid[0];
        if !alike || tight::slack(&self.boxes, self.bound, prices).is_none_or(|slack| slack > SLACK) {
            return;
        }
        let seed = self.random.bits();
        match tight::search(&self.boxes, self.bound, prices, (seed, covering), meter) {
            tight::Tight::Found(packing) => self.best = Some(packing),
            tight::Tight::None => self.bound += 1,
            tight::Tight::Unknown(contents) => {
                let contents = contents.into_iter().take(MOST_SEEDS);
                self.seeds.extend(contents.map(|content| Filled { class: 0, content }));
            }
        }
    }
}

#[cfg(test)]
mod tests;

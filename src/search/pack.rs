//! Packing alone: as few bins as can be, with bounds.
//!
//! In stages, each of which may be the last: bounds by sums and packings in one pass; the
//! linear programme over contents of bins ([`generate`]), whose bound is nearly always the
//! optimum or one less; dives along it ([`dive`]) until a packing meets the bound.

pub mod boxes;
pub mod dive;
pub mod generate;
pub mod greedy;
pub mod knapsack;
pub mod master;

use super::Limits;
use super::bound;
use crate::random::Random;
use boxes::Boxes;
use boxes::Filled;
use generate::Generator;
use std::sync::Arc;

/// How often the limits are looked at, in work.
const LOOK: u64 = 4096;
/// Work that counts as one step of the limits.
const STEP: u64 = 256;

/// Counts the work, and knows when it is time to stop.
#[derive(Debug)]
pub struct Meter<'a> {
    limits: &'a Limits,
    /// Steps that were spent before.
    before: u64,
    work: u64,
    /// Where this job ends, in work.
    end: u64,
    next: u64,
    over: bool,
}

impl<'a> Meter<'a> {
    /// A meter within limits of which so many steps are spent.
    pub fn new(limits: &'a Limits, before: u64) -> Self {
        let over = limits.reached(before).is_some();
        Self { limits, before, work: 0, end: u64::MAX, next: LOOK, over }
    }

    /// Counts work.
    #[inline]
    pub fn spend(&mut self, work: u64) {
        self.work += work;
        if self.work >= self.next {
            self.next = self.work + LOOK;
            self.over |= self.limits.reached(self.before + self.steps()).is_some();
        }
    }

    /// Is it time to stop?
    #[inline]
    pub fn is_over(&self) -> bool {
        self.over || self.work >= self.end
    }

    /// Has a limit been reached, of the whole and not of this job alone?
    pub fn is_exhausted(&self) -> bool {
        self.over
    }

    /// Ends the job that starts now after so much work.
    pub fn grant(&mut self, work: u64) {
        self.end = self.work.saturating_add(work);
    }

    /// Steps spent.
    pub fn steps(&self) -> u64 {
        self.work / STEP
    }
}

/// Work of one stage, so that other parts of the search get their turn.
const STAGE: u64 = 40_000_000;
/// Kinds and classes beyond which there is no linear programme.
const MOST_KINDS: usize = 640;
const MOST_CLASSES: usize = 24;
/// Dives in which nothing better comes before the packing is given up.
const PATIENCE: u32 = 400;
/// How far a dive strays from what the programme says.
const NOISE: f64 = 0.3;

/// The best packing so far, and how to get at a better one.
#[derive(Debug)]
pub struct Packer {
    boxes: Arc<Boxes>,
    best: Option<Vec<Filled>>,
    bound: u64,
    generator: Option<Generator>,
    random: Random,
    dives: u32,
    /// Is there nothing more to try?
    done: bool,
}

impl Packer {
    /// Sums, and packings in one pass.
    pub fn new(boxes: Boxes, seed: u64, meter: &mut Meter<'_>) -> Self {
        let bound = bound::sum::fewest(&boxes);
        let best = greedy::best(&boxes, u64::MAX, meter);
        Self {
            boxes: Arc::new(boxes),
            best,
            bound,
            generator: None,
            random: Random::new(seed),
            dives: 0,
            done: false,
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
        self.done || self.price() <= self.bound
    }

    /// The number of paid bins of the best packing.
    fn price(&self) -> u64 {
        self.best.as_ref().map_or(u64::MAX, |best| self.boxes.price(best))
    }

    /// Another stage. Is the best packing better now, or the bound?
    pub fn advance(&mut self, meter: &mut Meter<'_>) -> bool {
        if self.is_done() || meter.is_over() {
            return false;
        }
        let before = (self.price(), self.bound);
        meter.grant(STAGE);
        if self.boxes.kinds() > MOST_KINDS || self.boxes.classes() > MOST_CLASSES {
            self.done = true;
            return false;
        }
        let generator = self.generator.get_or_insert_with(|| {
            Generator::new(&self.boxes, self.best.iter().flatten().cloned())
        });
        if !generator.done {
            generator.solve(before.0, meter);
            self.bound = self.bound.max(generator.bound);
        } else {
            let noise = if self.dives == 0 { 0.0 } else { NOISE };
            if let Some(packing) =
                dive::dive(&self.boxes, generator, before.0, noise, &mut self.random, meter)
            {
                self.best = Some(packing);
            }
            self.dives += 1;
            self.done = self.dives > PATIENCE;
        }
        before != (self.price(), self.bound)
    }
}

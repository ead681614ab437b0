//! Column generation: contents of bins that the linear programme can use, and the bound.
//!
//! Prices of the programme say what a content is worth; the most valuable one enters, until
//! none is worth more than a bin costs. Each round also proves a bound (see
//! [`crate::search::bound::column`]). Prices are pulled towards the best ones so far
//! (Wentges 1997), which saves rounds.

use super::boxes::Boxes;
use super::boxes::Filled;
use super::knapsack::Knapsack;
use super::master::Master;
use crate::engine::Meter;
use crate::search::bound::column;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What a bin costs in the integers of the pricing.
pub const SCALE: u64 = 1 << 26;
/// A content enters when it is worth so much more than the bin costs.
const GAIN: f64 = 1e-6;
/// Looks that one pricing may take while contents come easily, and when none does.
const NODES: u64 = 4_000;
const NODES_LAST: u64 = 30_000_000;
/// Pivots between two pricings.
const PIVOTS: usize = 30;
/// How much the best prices so far count beside the newest.
const PULL: f64 = 0.6;

/// See the module.
#[derive(Debug)]
pub struct Generator {
    boxes: Arc<Boxes>,
    /// The programme.
    pub master: Master,
    sacks: Vec<Knapsack>,
    known: FxHashSet<Filled>,
    /// No packing has fewer paid bins.
    pub bound: u64,
    /// The prices that prove it, and the most that a bin of each class is worth by them.
    pub prices: (Vec<u64>, Vec<u64>),
    /// Prices of the best bound before it was rounded.
    center: Option<(f64, Vec<f64>)>,
    /// Is no content easy to find that would enter?
    pub settled: bool,
    /// Is the programme solved?
    pub done: bool,
}

impl Generator {
    /// For these boxes, beginning with a packing and other contents.
    pub fn new(boxes: &Arc<Boxes>, packing: &[Filled], start: impl Iterator<Item = Filled>) -> Self {
        let mut generator = Self {
            boxes: Arc::clone(boxes),
            master: Master::new(boxes),
            sacks: (0..boxes.classes()).map(|class| Knapsack::new(boxes, class)).collect(),
            known: FxHashSet::default(),
            bound: 0,
            prices: (Vec::new(), Vec::new()),
            center: None,
            settled: false,
            done: false,
        };
        packing.iter().for_each(|filled| generator.add(filled.clone()));
        if generator.master.columns() == packing.len() {
            generator.master.begin(packing);
        }
        start.for_each(|filled| generator.add(filled));
        generator
    }

    fn add(&mut self, filled: Filled) {
        if self.known.insert(filled.clone()) {
            let cost = if self.boxes.paid[filled.class as usize] { 1.0 } else { 0.0 };
            self.master.add(filled, cost);
        }
    }

    /// Rounds until no content that is easy to find is worth entering, or no packing with
    /// fewer bins than `goal` is left.
    pub fn solve(&mut self, goal: u64, meter: &mut Meter) {
        let mut pull = PULL;
        while !self.settled && !meter.is_over() {
            let prices = self.prices_now(pull, meter);
            let added = self.price(&prices, NODES, meter);
            if self.bound >= goal || (added == 0 && pull == 0.0) {
                self.settled = true;
            }
            pull = if added == 0 { 0.0 } else { PULL };
        }
    }

    /// Rounds until the programme is solved, or its bound is as good as it will be.
    pub fn prove(&mut self, goal: u64, meter: &mut Meter) {
        let mut pull = PULL;
        while !self.done && !meter.is_over() {
            let prices = self.prices_now(pull, meter);
            // What rounding of the value cannot change any more.
            let reachable = (self.master.objective() - 1e-4).ceil().max(0.0) as u64;
            if self.bound >= goal || self.bound >= reachable {
                self.done = true;
                break;
            }
            let mut added = self.price(&prices, NODES, meter);
            if added == 0 {
                added = self.price(&prices, NODES_LAST, meter);
            }
            if added == 0 && pull == 0.0 {
                // The pricing gave up, or there is nothing left.
                self.done = !meter.is_over();
            }
            pull = if added == 0 { 0.0 } else { PULL };
        }
    }

    /// The prices of the programme, pulled towards the best so far.
    fn prices_now(&mut self, pull: f64, meter: &mut Meter) -> Vec<f64> {
        if self.center.is_none() {
            // Sizes are good prices to begin with: scarce dimensions count more.
            let sizes = self.sizes();
            self.price(&sizes, NODES, meter);
        }
        // While contents come easily the programme need not be solved to its end each time.
        let pivots = if pull > 0.0 { PIVOTS } else { usize::MAX };
        meter.spend(self.master.solve(pivots) / 16);
        let now = (0..self.boxes.kinds()).map(|kind| self.master.price(kind).max(0.0));
        match &self.center {
            Some((_, center)) if pull > 0.0 => {
                now.zip(center).map(|(now, center)| pull * center + (1.0 - pull) * now).collect()
            }
            _ => now.collect(),
        }
    }

    /// What items take of the largest bins, in the scarcer dimensions more.
    fn sizes(&self) -> Vec<f64> {
        let boxes = &self.boxes;
        let largest =
            |dim: usize| (0..boxes.classes()).map(|class| boxes.capacity(class)[dim]).max().unwrap_or(0);
        let share = |kind: usize, dim: usize| boxes.size(kind)[dim] as f64 / largest(dim).max(1) as f64;
        let need: Vec<f64> = (0..boxes.dims)
            .map(|dim| (0..boxes.kinds()).map(|kind| share(kind, dim) * f64::from(boxes.count[kind])).sum())
            .collect();
        let most = need.iter().copied().fold(0.0, f64::max);
        let weight: Vec<f64> = need.iter().map(|&need| if need >= 0.9 * most { need } else { 0.0 }).collect();
        let all = weight.iter().sum::<f64>().max(1e-9);
        (0..boxes.kinds())
            .map(|kind| (0..boxes.dims).map(|dim| weight[dim] / all * share(kind, dim)).sum())
            .collect()
    }

    /// One pricing. Returns how many contents entered.
    fn price(&mut self, prices: &[f64], nodes: u64, meter: &mut Meter) -> usize {
        let profit: Vec<u64> = prices.iter().map(|price| (price * SCALE as f64) as u64).collect();
        let mut most = vec![0; self.boxes.classes()];
        let mut fresh = Vec::new();
        for (class, most) in most.iter_mut().enumerate() {
            let cost = if self.boxes.paid[class] { 1.0 } else { 0.0 };
            let floor = ((cost + GAIN) * SCALE as f64) as u64;
            let best = self.sacks[class].solve(&profit, &self.boxes.count, floor, nodes, meter);
            *most = best.most;
            fresh.extend(
                best.contents.into_iter().map(|(_, content)| Filled { class: class as u32, content }),
            );
        }
        let bound = column::fewest(&self.boxes, &profit, &most);
        let sharp = self.sharp(&profit, &most);
        if bound > self.bound || self.prices.0.is_empty() {
            self.bound = self.bound.max(bound);
        }
        if self.center.as_ref().is_none_or(|center| sharp > center.0) {
            self.center = Some((sharp, prices.to_vec()));
            self.prices = (profit, most);
        }
        let mut added = 0;
        for filled in fresh {
            let cost = if self.boxes.paid[filled.class as usize] { 1.0 } else { 0.0 };
            let worth: f64 = filled
                .content
                .iter()
                .map(|&(kind, many)| self.master.price(kind as usize) * f64::from(many))
                .sum();
            if worth > cost + self.master.rent(filled.class as usize) + GAIN && !self.known.contains(&filled)
            {
                self.add(filled);
                added += 1;
            }
        }
        added
    }

    /// The bound before rounding, by the scale of a paid bin.
    fn sharp(&self, profit: &[u64], most: &[u64]) -> f64 {
        let total: f64 = self
            .boxes
            .count
            .iter()
            .zip(profit)
            .map(|(&count, &profit)| f64::from(count) * profit as f64)
            .sum();
        (0..self.boxes.classes())
            .filter(|&class| self.boxes.paid[class] && most[class] > 0)
            .map(|scale| {
                let scale = most[scale] as f64;
                let rent: f64 = (0..self.boxes.classes())
                    .map(|class| {
                        let cost = if self.boxes.paid[class] { scale } else { 0.0 };
                        f64::from(self.boxes.bins[class]) * (most[class] as f64 - cost).max(0.0)
                    })
                    .sum();
                (total - rent) / scale
            })
            .fold(0.0, f64::max)
    }
}

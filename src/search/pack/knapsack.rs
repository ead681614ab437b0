//! The most valuable content of one bin: a knapsack with several dimensions.
//!
//! Depth-first branch and bound over kinds in the order of profit by size, where the
//! sizes of all dimensions are added up with weights (a surrogate constraint, Glover
//! 1965): the relaxation to that one dimension is solved by filling in that order
//! (Dantzig 1957). The weights are those that make the bound at the root small, found by
//! a few multiplicative steps.
//!
//! A value that is told to be the largest is. Profits and sizes are integers; bounds take
//! sizes as multiples of 2^-40 of the capacity, rounded down, and weights as multiples of
//! 2^-10, so that every sum of them is exact, and leave room for the rounding of the one
//! division that is left.

use super::boxes::Boxes;
use super::boxes::Content;
use crate::engine::Meter;
use std::sync::Arc;

/// What rounding may do to a bound, in units of profit and as a share of it.
const SLOP: f64 = 0.01;
const RELATIVE: f64 = 1e-12;
/// What shares of a capacity are counted in.
const UNIT: u128 = 1 << 40;
/// What weights are counted in.
const GRAIN: f64 = 1024.0;
/// Steps to better weights, at first and from the weights of the last time.
const STEPS_FIRST: u32 = 40;
const STEPS: u32 = 6;

/// A kind as the search sees it.
#[derive(Clone, Debug)]
struct Choice {
    kind: u32,
    most: u32,
    profit: u64,
    /// Profit as the bound takes it.
    gain: f64,
    /// Its size in all dimensions together.
    weight: f64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Best {
    /// The most valuable content found, and the better ones among those on the way there.
    pub contents: Vec<(u64, Content)>,
    /// No content is worth more.
    pub most: u64,
}

/// Searches the bins of one class; keeps its weights from call to call.
#[derive(Clone, Debug)]
pub struct Knapsack {
    boxes: Arc<Boxes>,
    class: usize,
    /// By dimension: its weight. Adds up to 1.
    weights: Vec<f64>,
    /// What a bin holds in all dimensions together.
    rest: f64,
    fresh: bool,
    /// By kind and dimension: size as a share of the capacity.
    share: Vec<f64>,
    choices: Vec<Choice>,
    /// By choice and dimension: sizes, and the largest gain by share from here on.
    size: Vec<u64>,
    ratio: Vec<f64>,
    /// By dimension: what is left of the bin, and as a share of it.
    left: Vec<u64>,
    room: Vec<f64>,
    /// The choices that have room, those of deeper levels behind those of higher ones.
    list: Vec<u32>,
    taken: Content,
    value: u64,
    best: u64,
    found: Vec<(u64, Content)>,
    /// Profit that the pruned by budget may have.
    open: u64,
    out: bool,
    nodes: u64,
}

impl Knapsack {
    /// For bins of a class.
    pub fn new(boxes: &Arc<Boxes>, class: usize) -> Self {
        let dims = boxes.dims;
        let capacity = boxes.capacity(class);
        let share = (0..boxes.kinds())
            .flat_map(|kind| {
                boxes.size(kind).iter().zip(capacity).map(|(&size, &most)| match most {
                    0 => 0.0,
                    most => (u128::from(size.min(most)) * UNIT / u128::from(most)) as f64 / UNIT as f64,
                })
            })
            .collect();
        Self {
            boxes: Arc::clone(boxes),
            class,
            weights: vec![1.0 / dims.max(1) as f64; dims],
            rest: 1.0,
            fresh: true,
            share,
            choices: Vec::new(),
            size: Vec::new(),
            ratio: Vec::new(),
            left: Vec::new(),
            room: Vec::new(),
            list: Vec::new(),
            taken: Content::new(),
            value: 0,
            best: 0,
            found: Vec::new(),
            open: 0,
            out: false,
            nodes: 0,
        }
    }

    /// The most valuable content that is worth more than `floor`, with at most `count` of
    /// each kind. After `nodes` looks the search ends, and `most` tells what there may still be.
    pub fn solve(
        &mut self,
        profit: &[u64],
        count: &[u32],
        floor: u64,
        nodes: u64,
        meter: &mut Meter,
    ) -> Best {
        let boxes = Arc::clone(&self.boxes);
        let (dims, class) = (boxes.dims, self.class);
        self.choices.clear();
        for kind in (0..boxes.kinds()).filter(|&kind| profit[kind] > 0 && count[kind] > 0) {
            if boxes.fits(kind, class) {
                let most = boxes
                    .size(kind)
                    .iter()
                    .zip(boxes.capacity(class))
                    .filter(|row| *row.0 > 0)
                    .map(|(&size, &room)| room / size)
                    .min()
                    .map_or(count[kind], |most| most.min(u64::from(count[kind])) as u32);
                let gain = profit[kind] as f64;
                self.choices.push(Choice {
                    kind: kind as u32,
                    most,
                    profit: profit[kind],
                    gain,
                    weight: 0.0,
                });
            }
        }
        self.weigh();
        self.size.clear();
        for choice in &self.choices {
            self.size.extend(boxes.size(choice.kind as usize));
        }
        // The best gain by share in each dimension, from the last choice to the first.
        let choices = self.choices.len();
        self.ratio.clear();
        self.ratio.resize((choices + 1) * dims, 0.0);
        for at in (0..choices).rev() {
            for dim in 0..dims {
                let share = self.share[self.choices[at].kind as usize * dims + dim];
                let own = if share > 0.0 { self.choices[at].gain / share } else { f64::INFINITY };
                self.ratio[at * dims + dim] = own.max(self.ratio[(at + 1) * dims + dim]);
            }
        }
        self.left.clear();
        self.left.extend(boxes.capacity(class));
        self.room.clear();
        self.room.extend(self.left.iter().map(|&left| if left > 0 { 1.0 } else { 0.0 }));
        self.taken.clear();
        (self.value, self.best, self.open) = (0, floor, 0);
        (self.out, self.nodes) = (false, nodes);
        self.found.clear();
        self.list.clear();
        self.list.extend(0..choices as u32);
        self.descend(0, self.rest, meter);
        let most = if self.out { self.open.max(self.best) } else { self.best };
        Best { contents: std::mem::take(&mut self.found), most }
    }

    /// Weights of the dimensions that make the bound at the root small, and the order.
    fn weigh(&mut self) {
        let dims = self.boxes.dims;
        let steps = if std::mem::take(&mut self.fresh) { STEPS_FIRST } else { STEPS };
        let mut best: Option<(f64, Vec<f64>)> = None;
        let mut load = vec![0.0; dims];
        for step in 0..=steps {
            self.order();
            // The relaxation, and how full each dimension is in it.
            load.fill(0.0);
            let (mut room, mut bound) = (1.0f64, 0.0);
            for choice in &self.choices {
                let most = f64::from(choice.most);
                let many = if choice.weight * most <= room { most } else { room / choice.weight };
                bound += many * choice.gain;
                room -= many * choice.weight;
                let row = choice.kind as usize * dims;
                load.iter_mut()
                    .zip(&self.share[row..row + dims])
                    .for_each(|(load, share)| *load += many * share);
                if room <= 0.0 {
                    break;
                }
            }
            if best.as_ref().is_none_or(|best| bound < best.0) {
                best = Some((bound, self.weights.clone()));
            }
            if step == steps || dims < 2 {
                break;
            }
            let pace = 1.0 / (1.0 + f64::from(step) * 0.2);
            let mut sum = 0.0;
            for (weight, load) in self.weights.iter_mut().zip(&load) {
                *weight = (*weight * (1.0 + pace * (load - 1.0)).clamp(0.3, 3.0)).max(1e-4);
                sum += *weight;
            }
            self.weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        if let Some((_, weights)) = best {
            self.weights = weights;
        }
        let exact: Vec<f64> =
            self.weights.iter().map(|weight| (weight * GRAIN).floor().max(1.0) / GRAIN).collect();
        let chosen = std::mem::replace(&mut self.weights, exact);
        self.order();
        self.rest = self.weights.iter().sum();
        self.weights = chosen;
    }

    fn order(&mut self) {
        let dims = self.boxes.dims;
        for choice in &mut self.choices {
            let row = choice.kind as usize * dims;
            choice.weight = self.weights.iter().zip(&self.share[row..row + dims]).map(|(w, s)| w * s).sum();
        }
        // Without weight: first of all.
        let ratio = |choice: &Choice| choice.gain / choice.weight;
        self.choices.sort_unstable_by(|a, b| ratio(b).total_cmp(&ratio(a)).then(a.kind.cmp(&b.kind)));
    }

    /// What the choices of the list from a position on may add at most.
    #[inline]
    fn bound(&self, at: usize, rest: f64) -> f64 {
        let dims = self.room.len();
        let first = self.list[at] as usize;
        let mut least = f64::MAX;
        for (room, ratio) in self.room.iter().zip(&self.ratio[first * dims..]) {
            // No room times no size is no number, and that is passed over.
            least = least.min(room * ratio);
        }
        if least < (self.best - self.value.min(self.best)) as f64 {
            return least;
        }
        let (mut rest, mut bound) = (rest, 0.0);
        for &choice in &self.list[at..] {
            let choice = &self.choices[choice as usize];
            let most = f64::from(choice.most);
            let weight = choice.weight * most;
            if weight > rest {
                bound += choice.gain * (rest / choice.weight);
                break;
            }
            bound += most * choice.gain;
            rest -= weight;
            if bound > least {
                break;
            }
        }
        bound.min(least)
    }

    /// Adds to what is taken from the list, which ends with the choices from `from` on that
    /// have room.
    fn descend(&mut self, from: usize, rest: f64, meter: &mut Meter) {
        if self.value > self.best {
            self.best = self.value;
            let mut content = self.taken.clone();
            content.sort_unstable();
            self.found.push((self.value, content));
        }
        let dims = self.boxes.dims;
        let end = self.list.len();
        for at in from..end {
            let upper = self.bound(at, rest);
            let upper = (upper + SLOP + upper * RELATIVE).floor() as u64;
            if upper.saturating_add(self.value) <= self.best {
                return;
            }
            if self.nodes == 0 || meter.is_over() {
                self.out = true;
                self.open = self.open.max(self.value.saturating_add(upper));
                return;
            }
            self.nodes -= 1;
            let choice = self.list[at] as usize;
            let (kind, profit, weight) =
                (self.choices[choice].kind, self.choices[choice].profit, self.choices[choice].weight);
            let size = choice * dims;
            let share = kind as usize * dims;
            let most = (0..dims)
                .filter(|&dim| self.size[size + dim] > 0)
                .map(|dim| self.left[dim] / self.size[size + dim])
                .min()
                .map_or(self.choices[choice].most, |most| {
                    most.min(u64::from(self.choices[choice].most)) as u32
                });
            for many in (1..=most).rev() {
                let times = f64::from(many);
                for dim in 0..dims {
                    self.left[dim] -= self.size[size + dim] * u64::from(many);
                    self.room[dim] -= times * self.share[share + dim];
                }
                self.value += profit * u64::from(many);
                self.taken.push((kind, many));
                for other in at + 1..end {
                    let other = self.list[other];
                    let row = &self.size[other as usize * dims..(other as usize + 1) * dims];
                    if row.iter().zip(&self.left).all(|(size, left)| size <= left) {
                        self.list.push(other);
                    }
                }
                meter.spend(((end - at) * dims) as u64 / 4 + 2);
                self.descend(end, rest - times * weight, meter);
                self.list.truncate(end);
                self.taken.pop();
                self.value -= profit * u64::from(many);
                for dim in 0..dims {
                    self.left[dim] += self.size[size + dim] * u64::from(many);
                    self.room[dim] += times * self.share[share + dim];
                }
            }
        }
    }
}

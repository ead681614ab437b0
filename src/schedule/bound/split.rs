//! Sums of ends where each task counts on all channels that it takes, in parts.
//!
//! The weight of a task is split into parts, one for each channel that it takes and one for its
//! earliest end. Whatever the split, the least weighted sums of the channels, each looked at
//! alone, add up to a bound on the whole (Lagrangian decomposition; Guignard and Kim 1987). On
//! one channel tasks may be interrupted and done at any rate: their mean busy times, weighted,
//! are least where whatever is released and has the most weight for its work goes first (Goemans,
//! Queyranne, Schulz, Skutella and Wang 2002; without heads Smith 1956 and Eastman, Even and
//! Isaacs 1964), and a task ends half of its duration after its mean busy time. Better splits are
//! looked for by subgradients, with the steps of Polyak (1969): weight goes to where a task ends
//! late. Parts are integers, and the bound is computed from them in integers, rounded down.

use crate::engine::Meter;

/// Parts of a weight of one.
const PARTS: u64 = 1 << 12;
/// Parts of a second.
const FINE: u128 = 1 << 16;
/// Rounds of subgradients, and those without a better bound after which steps get shorter.
const ROUNDS: u32 = 240;
const PATIENCE: u32 = 8;
/// Work on a channel, weights and seconds beyond which nothing is computed.
const MOST_WORK: u128 = 1 << 52;
const MOST_WEIGHT: u64 = 1 << 32;
const MOST_SECONDS: u64 = 1 << 40;

/// What a task takes of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The task.
    pub task: u32,
    /// It starts no earlier.
    pub head: u64,
    /// It lasts at least so many seconds.
    pub seconds: u64,
    /// What it takes, times how long, is at least this.
    pub work: u128,
}

/// A share with a part of its task's weight.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The share.
    pub share: Share,
    /// The part.
    pub part: u64,
}

/// Weighted tasks and the channels that they share.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// By task.
    weights: Vec<u64>,
    /// By task: it ends no earlier.
    least: Vec<u64>,
    channels: Vec<Channel>,
    value: u128,
}

/// What tasks share.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// What the caller calls it.
    pub name: u32,
    /// How much there is.
    pub capacity: u64,
    /// What is taken, the most weight for its work first.
    pub parts: Vec<Part>,
}

impl Split {
    /// Tasks by weight and earliest end, that share nothing as yet.
    pub fn new(weights: Vec<u64>, least: Vec<u64>) -> Self {
        let mut split = Self { weights, least, ..Self::default() };
        split.value = split.computed();
        split
    }

    /// Adds a channel. Shares without weight or work are left out, and the whole where numbers
    /// are beyond all measure.
    pub fn add(&mut self, name: u32, capacity: u64, shares: impl IntoIterator<Item = Share>) {
        let counts = |share: &Share| share.work > 0 && self.weights[share.task as usize] > 0;
        let parts = shares.into_iter().filter(counts).map(|share| Part { share, part: 0 });
        let parts: Vec<Part> = parts.collect();
        let work = parts.iter().map(|part| part.share.work).fold(0, u128::saturating_add);
        let small = |part: &Part| {
            let Share { task, head, seconds, .. } = part.share;
            head.max(seconds) <= MOST_SECONDS && self.weights[task as usize] <= MOST_WEIGHT
        };
        if parts.len() > 1 && capacity > 0 && work <= MOST_WORK && parts.iter().all(small) {
            self.channels.push(Channel { name, capacity, parts });
        }
    }

    /// No times of the tasks have a smaller weighted sum of ends.
    pub fn value(&self) -> u64 {
        u64::try_from(rounded_up(self.value)).unwrap_or(u64::MAX)
    }

    /// The channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// By task: the part of its weight that counts at its earliest end.
    pub fn rest(&self) -> Vec<u64> {
        let mut rest: Vec<u64> = self.weights.iter().map(|weight| weight.saturating_mul(PARTS)).collect();
        for part in self.channels.iter().flat_map(|channel| &channel.parts) {
            let rest = &mut rest[part.share.task as usize];
            *rest = rest.saturating_sub(part.part);
        }
        rest
    }

    /// The bound of the parts as they are.
    fn computed(&self) -> u128 {
        let rest = self.rest();
        let own = rest.iter().zip(&self.least).map(|(&part, &least)| at_least(part, least));
        let sum = |channel: &Channel| least_sum(&[(0, channel.capacity)], &channel.parts, |_| {});
        own.chain(self.channels.iter().map(sum)).fold(0, u128::saturating_add)
    }

    /// Looks for better parts until the bound is `target`, the meter is over, or nothing gets
    /// better.
    pub fn improve(&mut self, target: u64, meter: &mut Meter) {
        if self.channels.is_empty() {
            return;
        }
        self.start();
        let shares: usize = self.channels.iter().map(|channel| channel.parts.len()).sum();
        let goal = target as f64;
        let (mut best, mut quiet, mut pace) = (self.clone(), 0, 1.0);
        for _ in 0..ROUNDS {
            meter.spend(8 * shares as u64);
            if best.value() >= target || meter.is_over() || pace < 0.01 {
                break;
            }
            let ends = self.ends();
            self.value = ends.0;
            if self.value > best.value {
                (best, quiet) = (self.clone(), 0);
            } else {
                quiet += 1;
                if quiet == PATIENCE {
                    (quiet, pace) = (0, pace / 2.0);
                    self.clone_from(&best);
                    continue;
                }
            }
            let reached = self.value as f64 / (FINE * u128::from(PARTS)) as f64;
            self.step(&ends.1, pace * (goal - reached).max(goal / 1000.0));
        }
        *self = best;
    }

    /// Each weight on the channel of its task that has the most work.
    fn start(&mut self) {
        let mut busiest: Vec<(f64, usize)> = vec![(0.0, usize::MAX); self.weights.len()];
        for (at, channel) in self.channels.iter().enumerate() {
            let work: u128 = channel.parts.iter().map(|part| part.share.work).sum();
            let load = work as f64 / channel.capacity as f64;
            for part in &channel.parts {
                let known = &mut busiest[part.share.task as usize];
                if load > known.0 {
                    *known = (load, at);
                }
            }
        }
        for (at, Channel { parts, .. }) in self.channels.iter_mut().enumerate() {
            for part in parts.iter_mut() {
                let task = part.share.task as usize;
                part.part = if busiest[task].1 == at { self.weights[task] * PARTS } else { 0 };
            }
            sort(parts);
        }
        self.value = self.computed();
    }

    /// The bound, and by channel and share when the task ends there.
    fn ends(&self) -> (u128, Vec<Vec<f64>>) {
        let rest = self.rest();
        let own = rest.iter().zip(&self.least).map(|(&part, &least)| at_least(part, least));
        let mut value = own.fold(0, u128::saturating_add);
        let ends = self.channels.iter().map(|Channel { capacity, parts, .. }| {
            let mut ends = Vec::with_capacity(parts.len());
            let sum = least_sum(&[(0, *capacity)], parts, |end| ends.push(end as f64 / FINE as f64));
            value = value.saturating_add(sum);
            ends
        });
        let ends = ends.collect();
        (value, ends)
    }

    /// Moves weight to where tasks end late; `gain` is what is hoped for.
    fn step(&mut self, ends: &[Vec<f64>], gain: f64) {
        // By task: channel, share, end; the last is its earliest end.
        let mut of_task: Vec<Vec<(usize, usize, f64)>> = vec![Vec::new(); self.weights.len()];
        for (at, channel) in self.channels.iter().enumerate() {
            for (index, part) in channel.parts.iter().enumerate() {
                of_task[part.share.task as usize].push((at, index, ends[at][index]));
            }
        }
        let mut norm = 0.0;
        for (task, places) in of_task.iter_mut().enumerate().filter(|(_, places)| !places.is_empty()) {
            places.push((usize::MAX, 0, self.least[task] as f64));
            let mean = places.iter().map(|place| place.2).sum::<f64>() / places.len() as f64;
            places.iter_mut().for_each(|place| place.2 -= mean);
            norm += places.iter().map(|place| place.2 * place.2).sum::<f64>();
        }
        if norm <= 0.0 {
            return;
        }
        let rest = self.rest();
        for (task, places) in of_task.iter().enumerate().filter(|(_, places)| !places.is_empty()) {
            let whole = (self.weights[task] * PARTS) as f64;
            let part = |&(at, index, end): &(usize, usize, f64)| {
                let known = if at == usize::MAX { rest[task] } else { self.channels[at].parts[index].part };
                known as f64 + PARTS as f64 * gain / norm * end
            };
            let mut wanted: Vec<f64> = places.iter().map(part).collect();
            project(&mut wanted, whole);
            let mut left = self.weights[task] * PARTS;
            for (&(at, index, _), wanted) in
                places.iter().zip(wanted).filter(|(place, _)| place.0 != usize::MAX)
            {
                let part = (wanted as u64).min(left);
                self.channels[at].parts[index].part = part;
                left -= part;
            }
        }
        self.channels.iter_mut().for_each(|channel| sort(&mut channel.parts));
    }
}

/// The nearest point that is nowhere below zero and adds up to `whole` (Held, Wolfe and Crowder
/// 1974).
fn project(point: &mut [f64], whole: f64) {
    let mut sorted = point.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut off) = (0.0, 0.0);
    for (at, value) in sorted.iter().enumerate() {
        sum += value;
        let next = (sum - whole) / (at + 1) as f64;
        if next < *value {
            off = next;
        }
    }
    point.iter_mut().for_each(|value| *value = (*value - off).max(0.0));
}

/// The most weight for its work first.
fn sort(parts: &mut [Part]) {
    parts.sort_by(|a, b| {
        let (first, second) = (u128::from(a.part) * b.share.work, u128::from(b.part) * a.share.work);
        second.cmp(&first).then(a.share.task.cmp(&b.share.task))
    });
}

/// A part of a weight at a moment, in parts of weights and of seconds.
pub fn at_least(part: u64, moment: u64) -> u128 {
    u128::from(part) * u128::from(moment) * FINE
}

/// Parts of weights and of seconds as whole ones: sums of ends are.
pub fn rounded_up(sum: u128) -> u128 {
    sum.div_ceil(FINE * u128::from(PARTS))
}

/// The least sum of ends, each times its part, on one channel: how much of it there is from
/// which moments on, never less than before. Parts with the most weight for their work come
/// first. Tells the ends, in their order, in parts of seconds.
pub fn least_sum(free: &[(u64, u64)], parts: &[Part], mut end: impl FnMut(u128)) -> u128 {
    let mut moments: Vec<u64> = free.iter().map(|&(from, _)| from).collect();
    moments.extend(parts.iter().map(|part| part.share.head));
    moments.sort_unstable();
    moments.dedup();
    let mut left: Vec<u128> = parts.iter().map(|part| part.share.work).collect();
    // By part: the work done, each bit times its moment.
    let mut busy = vec![0u128; parts.len()];
    let mut level = 0;
    for (at, &from) in moments.iter().enumerate() {
        while free.get(level + 1).is_some_and(|step| step.0 <= from) {
            level += 1;
        }
        let amount = u128::from(free[level].1);
        if from < free[0].0 || amount == 0 {
            continue;
        }
        let room = match moments.get(at + 1) {
            Some(until) => u128::from(until - from) * amount,
            None => u128::MAX,
        };
        let mut used = 0u128;
        for (index, part) in parts.iter().enumerate() {
            if used == room {
                break;
            }
            if left[index] == 0 || part.share.head > from {
                continue;
            }
            let does = left[index].min(room - used);
            let until = used + does;
            busy[index] += FINE * u128::from(from) * does;
            busy[index] += FINE * (until * until - used * used) / (2 * amount);
            left[index] -= does;
            used = until;
        }
    }
    let mut sum = 0u128;
    for (part, busy) in parts.iter().zip(busy) {
        let ends = busy / part.share.work + FINE / 2 * u128::from(part.share.seconds);
        end(ends);
        sum = sum.saturating_add(ends.saturating_mul(u128::from(part.part)));
    }
    sum
}

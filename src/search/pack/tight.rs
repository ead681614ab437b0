//! When no bin may waste much: every content that a packing of so many bins can use, and
//! a search for such contents that cover all items.
//!
//! By some prices no content is worth more than Z and all items together are worth U. A
//! packing of K bins then loses exactly K·Z − U: a bin that loses more cannot be in it. The
//! sizes of each dimension are such prices, those of the linear programme are others
//! (fixing by reduced costs). Where the sum is small few contents are left, and the items
//! are covered with them as in an exact cover: the kind with the fewest contents to choose
//! from first (Knuth 2000), until what is lost is more than may be. All bins are alike here.

use super::Meter;
use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;
use crate::random::Random;

/// Contents beyond which there is no use in going on.
const MOST_CONTENTS: usize = 400_000;
/// Looks while contents are listed.
const LISTING: u64 = 200_000_000;

/// Looks of the first tries to cover.
const TRY: u64 = 1_000;

/// What rounding may do to a sum of shares.
const ROUNDING: f64 = 1e-6;

/// Prices: by kind, and the most that a bin can be worth by them.
pub type Prices = (Vec<u64>, u64);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tight {
    /// A packing.
    Found(Vec<Filled>),
    /// There is none with so many bins.
    None,
    /// It would take too long to find out; contents that such a packing may have.
    Unknown(Vec<Content>),
}

/// Looks for a packing into this many bins of the only class.
pub fn search(boxes: &Boxes, bins: u64, prices: &[Prices], nodes: u64, meter: &mut Meter<'_>) -> Tight {
    let mut budget: Vec<u64> = Vec::with_capacity(prices.len());
    for (price, most) in prices {
        let worth: u128 =
            boxes.count.iter().zip(price).map(|(&count, &price)| u128::from(count) * u128::from(price)).sum();
        let Some(waste) = (u128::from(bins) * u128::from(*most)).checked_sub(worth) else {
            return Tight::None;
        };
        budget.push(u64::try_from(waste).unwrap_or(u64::MAX));
    }
    let mut listing = Listing {
        boxes,
        prices,
        budget: &budget,
        left: boxes.capacity(0).to_vec(),
        worth: vec![0; prices.len()],
        taken: Content::new(),
        list: Vec::new(),
        bulk: (0..boxes.kinds()).map(|kind| bulk(boxes.size(kind), boxes.capacity(0))).collect(),
        waste: boxes.dims as f64,
        found: Vec::new(),
        looks: LISTING,
        complete: true,
    };
    if prices.len() >= boxes.dims {
        // The sizes come first.
        listing.waste = bulk(&budget[..boxes.dims], boxes.capacity(0));
    }
    listing.list.extend((0..boxes.kinds() as u32).filter(|&kind| boxes.count[kind as usize] > 0));
    // Large ones first: they leave little to choose from.
    let bulk = std::mem::take(&mut listing.bulk);
    listing.list.sort_by(|&a, &b| bulk[b as usize].total_cmp(&bulk[a as usize]).then(a.cmp(&b)));
    listing.bulk = bulk;
    listing.descend(0, meter);
    let (contents, complete) = (listing.found, listing.complete);
    let all: Vec<u32> = (0..contents.len() as u32).collect();
    let mut random = Random::new(bins);
    // Short tries with other choices among equals do better than a long one, which may
    // have gone wrong near its start; they get longer, so that the last ones are exact.
    let (mut spent, mut tries) = (0, 0);
    while spent < nodes && !meter.is_over() {
        let length = (TRY << (tries / 16)).min(nodes - spent);
        let mut cover = Cover {
            prices,
            contents: &contents,
            left: boxes.count.clone(),
            chosen: Vec::new(),
            supply: vec![0; boxes.kinds()],
            salt: (0..boxes.kinds()).map(|_| random.bits() as u32 & if tries == 0 { 0 } else { 3 }).collect(),
            nodes: length,
            out: false,
        };
        if cover.descend(bins, &budget, &all, meter) {
            let packing = cover.chosen.into_iter().map(|content| Filled { class: 0, content }).collect();
            return Tight::Found(packing);
        }
        if !cover.out {
            return if complete { Tight::None } else { Tight::Unknown(contents) };
        }
        spent += length;
        tries += 1;
    }
    Tight::Unknown(contents)
}

/// The share of a bin that may be wasted in all, by the sharpest of the prices; `None`
/// where not even that many bins hold everything.
pub fn slack(boxes: &Boxes, bins: u64, prices: &[Prices]) -> Option<f64> {
    let mut least = f64::MAX;
    for (price, most) in prices.iter().filter(|row| row.1 > 0) {
        let worth: u128 =
            boxes.count.iter().zip(price).map(|(&count, &price)| u128::from(count) * u128::from(price)).sum();
        let waste = (u128::from(bins) * u128::from(*most)).checked_sub(worth)?;
        least = least.min(waste as f64 / *most as f64);
    }
    Some(least)
}

/// The share of a capacity that something takes, summed over the dimensions.
fn bulk(size: &[u64], capacity: &[u64]) -> f64 {
    size.iter().zip(capacity).filter(|row| *row.1 > 0).map(|(&size, &most)| size as f64 / most as f64).sum()
}

/// Lists the contents that do not waste too much, save those that are part of another.
struct Listing<'a> {
    boxes: &'a Boxes,
    prices: &'a [Prices],
    budget: &'a [u64],
    left: Vec<u64>,
    worth: Vec<u64>,
    taken: Content,
    /// The kinds that have room, those of deeper levels behind those of higher ones.
    list: Vec<u32>,
    /// By kind: the share of a bin that it takes, summed over the dimensions.
    bulk: Vec<f64>,
    /// What a bin may waste, counted in the same way.
    waste: f64,
    found: Vec<Content>,
    looks: u64,
    complete: bool,
}

impl Listing<'_> {
    fn descend(&mut self, from: usize, meter: &mut Meter<'_>) {
        let end = self.list.len();
        let more = self.most_more(from);
        // What has to be filled yet, as far as rounding allows to tell.
        let need = bulk(&self.left, self.boxes.capacity(0)) - self.waste - ROUNDING;
        if more == 1 {
            let last = from + self.list[from..end].partition_point(|&kind| self.bulk[kind as usize] >= need);
            for at in from..last {
                let kind = self.list[at];
                self.take(kind, 1);
                if self.is_enough() && self.is_whole() {
                    self.found.push(self.taken.clone());
                }
                self.put_back(kind, 1);
            }
            self.looks = self.looks.saturating_sub((last - from) as u64 / 4);
            meter.spend(1 + (last - from) as u64 / 2);
            return;
        }
        for at in from..end {
            // With all of what is left to choose from it may still be worth too little.
            let rest = |price: &[u64]| -> u64 {
                let row = self.list[at..end].iter();
                row.map(|&kind| {
                    price[kind as usize].saturating_mul(u64::from(self.boxes.count[kind as usize]))
                })
                .fold(0, u64::saturating_add)
            };
            let hopeless = self.prices.iter().zip(self.budget).zip(&self.worth).any(
                |(((price, most), budget), worth)| {
                    worth.saturating_add(rest(price)).saturating_add(*budget) < *most
                },
            );
            if hopeless || more as f64 * self.bulk[self.list[at] as usize] < need {
                return;
            }
            let cost = (end - at) as u64;
            if self.looks < cost || self.found.len() > MOST_CONTENTS || meter.is_over() {
                self.complete = false;
                return;
            }
            self.looks -= cost;
            meter.spend(cost * (self.prices.len() + self.boxes.dims) as u64 / 4);
            let kind = self.list[at];
            let size = self.boxes.size(kind as usize);
            let most = size
                .iter()
                .zip(&self.left)
                .filter(|row| *row.0 > 0)
                .map(|(&size, &left)| left / size)
                .min()
                .unwrap_or(u64::MAX)
                .min(u64::from(self.boxes.count[kind as usize])) as u32;
            for many in (1..=most).rev() {
                self.take(kind, many);
                if self.is_enough() && self.is_whole() {
                    self.found.push(self.taken.clone());
                }
                let more = more.saturating_sub(u64::from(many));
                if more > 0 {
                    // Of what is left only such as are not too large; nor too small, where one
                    // alone has to fill the bin.
                    let room = bulk(&self.left, self.boxes.capacity(0));
                    let least = if more == 1 { room - self.waste - ROUNDING } else { 0.0 };
                    let rest = &self.list[at + 1..end];
                    let first = rest.partition_point(|&kind| self.bulk[kind as usize] > room + ROUNDING);
                    let last = rest.partition_point(|&kind| self.bulk[kind as usize] >= least);
                    meter.spend((last.saturating_sub(first) * self.boxes.dims) as u64 / 2);
                    for other in at + 1 + first..at + 1 + last.max(first) {
                        let other = self.list[other];
                        if self.has_room(other) {
                            self.list.push(other);
                        }
                    }
                    self.descend(end, meter);
                    self.list.truncate(end);
                }
                self.put_back(kind, many);
            }
        }
    }

    fn take(&mut self, kind: u32, many: u32) {
        let times = u64::from(many);
        let size = self.boxes.size(kind as usize);
        self.left.iter_mut().zip(size).for_each(|(left, size)| *left -= size * times);
        self.worth
            .iter_mut()
            .zip(self.prices)
            .for_each(|(worth, row)| *worth += row.0[kind as usize] * times);
        self.taken.push((kind, many));
    }

    fn put_back(&mut self, kind: u32, many: u32) {
        let times = u64::from(many);
        let size = self.boxes.size(kind as usize);
        self.taken.pop();
        self.worth
            .iter_mut()
            .zip(self.prices)
            .for_each(|(worth, row)| *worth -= row.0[kind as usize] * times);
        self.left.iter_mut().zip(size).for_each(|(left, size)| *left += size * times);
    }

    /// So many of the rest of the list may have room at once, at most.
    fn most_more(&self, from: usize) -> u64 {
        (0..self.boxes.dims)
            .filter_map(|dim| {
                let sizes = self.list[from..].iter().map(|&kind| self.boxes.size(kind as usize)[dim]);
                self.left[dim].checked_div(sizes.min()?)
            })
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Is what is taken worth enough?
    fn is_enough(&self) -> bool {
        let rows = self.prices.iter().zip(self.budget).zip(&self.worth);
        rows.into_iter().all(|(((_, most), budget), worth)| worth.saturating_add(*budget) >= *most)
    }

    fn has_room(&self, kind: u32) -> bool {
        self.boxes.size(kind as usize).iter().zip(&self.left).all(|(size, left)| size <= left)
    }

    /// Can nothing be added, of the kinds that were passed over either?
    fn is_whole(&self) -> bool {
        (0..self.boxes.kinds() as u32).all(|kind| {
            let taken = self.taken.iter().find(|row| row.0 == kind).map_or(0, |row| row.1);
            taken == self.boxes.count[kind as usize] || !self.has_room(kind)
        })
    }
}

/// Covers the items with contents.
struct Cover<'a> {
    prices: &'a [Prices],
    contents: &'a [Content],
    left: Vec<u32>,
    chosen: Vec<Content>,
    /// By kind: how many of it the contents have at most.
    supply: Vec<u64>,
    /// By kind: breaks ties.
    salt: Vec<u32>,
    nodes: u64,
    out: bool,
}

impl Cover<'_> {
    /// Fills so many bins more, wasting no more than the budget.
    fn descend(&mut self, bins: u64, budget: &[u64], among: &[u32], meter: &mut Meter<'_>) -> bool {
        if self.left.iter().all(|&left| left == 0) {
            return true;
        }
        if bins == 0 {
            return false;
        }
        if self.nodes == 0 || meter.is_over() {
            self.out = true;
            return false;
        }
        self.nodes -= 1;
        meter.spend(among.len() as u64 * (1 + self.prices.len() as u64));
        // What each content would add and lose now.
        self.supply.fill(0);
        let mut losses = vec![0; self.prices.len()];
        let mut open: Vec<u32> = Vec::with_capacity(among.len());
        for &at in among {
            if self.loses(at, budget, &mut losses) {
                continue;
            }
            open.push(at);
            let content = &self.contents[at as usize];
            // So often it can be taken in full, and once more in part.
            let times = content.iter().map(|&(kind, many)| self.left[kind as usize].div_ceil(many)).max();
            for &(kind, many) in content {
                self.supply[kind as usize] += u64::from(many) * u64::from(times.unwrap_or(0));
            }
        }
        let missing = (0..self.left.len()).filter(|&kind| self.left[kind] > 0);
        let spare = |kind: usize| self.supply[kind].checked_sub(u64::from(self.left[kind]));
        let Some(kind) = missing.min_by_key(|&kind| (spare(kind), self.salt[kind], kind)) else {
            return true;
        };
        if spare(kind).is_none() {
            return false;
        }
        let mut ways: Vec<(u64, u32, Content)> = open
            .iter()
            .filter(|&&at| self.contents[at as usize].iter().any(|row| row.0 as usize == kind))
            .map(|&at| {
                self.loses(at, budget, &mut losses);
                let part: Content = self.contents[at as usize]
                    .iter()
                    .map(|&(kind, many)| (kind, many.min(self.left[kind as usize])))
                    .filter(|row| row.1 > 0)
                    .collect();
                let salt = part.iter().map(|row| self.salt[row.0 as usize]).sum::<u32>();
                (losses.iter().fold(0, |sum: u64, &loss| sum.saturating_add(loss)), salt, part)
            })
            .collect();
        ways.sort();
        ways.dedup();
        for (_, _, part) in ways {
            let rest: Option<Vec<u64>> = self
                .prices
                .iter()
                .zip(budget)
                .map(|((price, most), budget)| {
                    let worth: u64 =
                        part.iter().map(|&(kind, many)| price[kind as usize] * u64::from(many)).sum();
                    budget.checked_sub(most.saturating_sub(worth))
                })
                .collect();
            let Some(rest) = rest else { continue };
            part.iter().for_each(|&(kind, many)| self.left[kind as usize] -= many);
            self.chosen.push(part);
            if self.descend(bins - 1, &rest, &open, meter) {
                return true;
            }
            if let Some(part) = self.chosen.pop() {
                part.iter().for_each(|&(kind, many)| self.left[kind as usize] += many);
            }
            if self.out {
                return false;
            }
        }
        false
    }

    /// Does a content lose more than may be, by some prices? Fills in what it loses.
    fn loses(&self, at: u32, budget: &[u64], losses: &mut [u64]) -> bool {
        let content = &self.contents[at as usize];
        for (((price, most), budget), loss) in self.prices.iter().zip(budget).zip(losses) {
            let worth: u64 = content
                .iter()
                .map(|&(kind, many)| price[kind as usize] * u64::from(many.min(self.left[kind as usize])))
                .sum();
            *loss = most.saturating_sub(worth);
            if *loss > *budget {
                return true;
            }
        }
        content.iter().all(|&(kind, _)| self.left[kind as usize] == 0)
    }
}

/// The sizes of each dimension as prices.
pub fn sizes(boxes: &Boxes) -> Vec<Prices> {
    (0..boxes.dims)
        .map(|dim| ((0..boxes.kinds()).map(|kind| boxes.size(kind)[dim]).collect(), boxes.capacity(0)[dim]))
        .collect()
}

//! Every content that a packing can use whose bins waste next to nothing.
//!
//! By the prices of [`tight`](super::tight) a bin may lose no more than the whole packing
//! may. Nor may it have too many items: where every content that is worth enough has m
//! items or more, a packing of N items into K bins has N − m·K to give away beyond that, and
//! no bin has more than m of its own and all of those.

use super::boxes::Boxes;
use super::boxes::Content;
use super::tight::Prices;
use crate::engine::Meter;

/// Contents beyond which there is no use in going on.
const MOST_CONTENTS: usize = 400_000;
/// Looks while contents are listed.
const LOOKS: u64 = 200_000_000;
/// What rounding may do to a sum of shares.
const ROUNDING: f64 = 1e-6;

/// What may be in a bin.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The contents, save those that are part of another.
    pub contents: Vec<Content>,
    /// Is that all of them?
    pub complete: bool,
}

/// The contents of bins of the only class that lose no more than the budget, by each of the
/// prices, of which those of the sizes come first. Every one of the `bins` has such a content.
pub fn list(boxes: &Boxes, bins: u64, prices: &[Prices], budget: &[u64], meter: &mut Meter) -> Listed {
    let mut listing = Listing {
        boxes,
        prices,
        budget,
        left: boxes.capacity(0).to_vec(),
        worth: vec![0; prices.len()],
        taken: Content::new(),
        places: u64::MAX,
        list: (0..boxes.kinds() as u32).filter(|&kind| boxes.count[kind as usize] > 0).collect(),
        bulk: (0..boxes.kinds()).map(|kind| bulk(boxes.size(kind), boxes.capacity(0))).collect(),
        waste: bulk(&budget[..boxes.dims], boxes.capacity(0)),
        found: Vec::new(),
        least: u64::MAX,
        looks: LOOKS,
        complete: true,
    };
    // Large ones first: they leave little to choose from.
    let bulk = std::mem::take(&mut listing.bulk);
    listing.list.sort_by(|&a, &b| bulk[b as usize].total_cmp(&bulk[a as usize]).then(a.cmp(&b)));
    listing.bulk = bulk;
    let may_be_empty = prices.iter().zip(budget).all(|(row, &budget)| budget >= row.1);
    if bins > 0 && !may_be_empty {
        // Some bin has no more than the average.
        let items = boxes.items();
        listing.places = items / bins;
        listing.run(meter);
        let most = listing.least.saturating_add(items.saturating_sub(listing.least.saturating_mul(bins)));
        if !listing.complete || listing.least == u64::MAX || most <= items / bins {
            return Listed { contents: listing.found, complete: listing.complete };
        }
        listing.places = most;
    }
    listing.run(meter);
    Listed { contents: listing.found, complete: listing.complete }
}

/// The share of a capacity that something takes, summed over the dimensions.
fn bulk(size: &[u64], capacity: &[u64]) -> f64 {
    size.iter().zip(capacity).filter(|row| *row.1 > 0).map(|(&size, &most)| size as f64 / most as f64).sum()
}

struct Listing<'a> {
    boxes: &'a Boxes,
    prices: &'a [Prices],
    budget: &'a [u64],
    left: Vec<u64>,
    worth: Vec<u64>,
    taken: Content,
    /// So many items more may be taken.
    places: u64,
    /// The kinds that have room, those of deeper levels behind those of higher ones.
    list: Vec<u32>,
    /// By kind: the share of a bin that it takes, summed over the dimensions.
    bulk: Vec<f64>,
    /// What a bin may waste, counted in the same way.
    waste: f64,
    found: Vec<Content>,
    /// The fewest items that are worth enough.
    least: u64,
    looks: u64,
    complete: bool,
}

impl Listing<'_> {
    /// From the start.
    fn run(&mut self, meter: &mut Meter) {
        self.found.clear();
        if self.places > 0 {
            self.descend(0, meter);
        }
    }

    fn descend(&mut self, from: usize, meter: &mut Meter) {
        let end = self.list.len();
        let more = self.most_more(from).min(self.places);
        // What has to be filled yet, as far as rounding allows to tell.
        let need = bulk(&self.left, self.boxes.capacity(0)) - self.waste - ROUNDING;
        if more == 1 {
            let last = from + self.list[from..end].partition_point(|&kind| self.bulk[kind as usize] >= need);
            for at in from..last {
                let kind = self.list[at];
                self.take(kind, 1);
                self.note();
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
                .min(self.places)
                .min(u64::from(self.boxes.count[kind as usize])) as u32;
            for many in (1..=most).rev() {
                self.take(kind, many);
                self.note();
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
        self.places -= times;
    }

    fn put_back(&mut self, kind: u32, many: u32) {
        let times = u64::from(many);
        let size = self.boxes.size(kind as usize);
        self.taken.pop();
        self.places += times;
        self.worth
            .iter_mut()
            .zip(self.prices)
            .for_each(|(worth, row)| *worth -= row.0[kind as usize] * times);
        self.left.iter_mut().zip(size).for_each(|(left, size)| *left += size * times);
    }

    /// Keeps what is taken, if it is worth enough and nothing can be added.
    fn note(&mut self) {
        if self.is_enough() {
            self.least = self.least.min(self.taken.iter().map(|row| u64::from(row.1)).sum());
            if self.places == 0 || self.is_whole() {
                self.found.push(self.taken.clone());
            }
        }
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

//! When no bin may waste much: a packing of contents that waste next to nothing.
//!
//! By some prices no content is worth more than Z and all items together are worth U. A
//! packing of K bins then loses exactly K·Z − U: a bin that loses more cannot be in it. The
//! sizes of each dimension are such prices, those of the linear programme are others
//! (fixing by reduced costs). Where the sum is small few contents are left ([`listing`]),
//! and the items are covered with them ([`cover`]). All bins are alike here.

use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;
use super::cover;
use super::listing;
use crate::engine::Meter;

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

/// Looks for a packing into this many bins of the only class. The prices of the sizes come
/// first. Once the contents are listed, so much work is spent on covering the items.
pub fn search(
    boxes: &Boxes,
    bins: u64,
    prices: &[Prices],
    (seed, work): (u64, u64),
    meter: &mut Meter,
) -> Tight {
    let mut budget: Vec<u64> = Vec::with_capacity(prices.len());
    for (price, most) in prices {
        let Some(waste) = (u128::from(bins) * u128::from(*most)).checked_sub(worth(boxes, price)) else {
            return Tight::None;
        };
        budget.push(u64::try_from(waste).unwrap_or(u64::MAX));
    }
    let listed = listing::list(boxes, bins, prices, &budget, meter);
    meter.grant(work);
    match cover::search(boxes, &listed.contents, bins, seed, meter) {
        cover::Cover::Found(packing) => Tight::Found(packing),
        cover::Cover::None if listed.complete => Tight::None,
        _ => combine(boxes, listed.contents, bins, meter),
    }
}

/// The last word of an integer programme, where there is a solver for it.
#[cfg(feature = "highs")]
fn combine(boxes: &Boxes, contents: Vec<Content>, bins: u64, meter: &mut Meter) -> Tight {
    let filled: Vec<Filled> =
        contents.iter().map(|content| Filled { class: 0, content: content.clone() }).collect();
    match super::integer::pack(boxes, &filled, bins, meter) {
        Some(packing) => Tight::Found(packing),
        None => Tight::Unknown(contents),
    }
}

#[cfg(not(feature = "highs"))]
fn combine(_: &Boxes, contents: Vec<Content>, _: u64, _: &mut Meter) -> Tight {
    Tight::Unknown(contents)
}

/// The share of a bin that may be wasted in all, by the sharpest of the prices; `None`
/// where not even that many bins hold everything.
pub fn slack(boxes: &Boxes, bins: u64, prices: &[Prices]) -> Option<f64> {
    let mut least = f64::MAX;
    for (price, most) in prices.iter().filter(|row| row.1 > 0) {
        let waste = (u128::from(bins) * u128::from(*most)).checked_sub(worth(boxes, price))?;
        least = least.min(waste as f64 / *most as f64);
    }
    Some(least)
}

/// What all items are worth.
fn worth(boxes: &Boxes, price: &[u64]) -> u128 {
    boxes.count.iter().zip(price).map(|(&count, &price)| u128::from(count) * u128::from(price)).sum()
}

/// The sizes of each dimension as prices.
pub fn sizes(boxes: &Boxes) -> Vec<Prices> {
    (0..boxes.dims)
        .map(|dim| ((0..boxes.kinds()).map(|kind| boxes.size(kind)[dim]).collect(), boxes.capacity(0)[dim]))
        .collect()
}

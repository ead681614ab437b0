//! Packings in one pass: bin after bin, each filled with whatever suits it best.
//!
//! The rules are those of Panigrahy, Talwar, Uyeda and Wieder (2011): the item that points
//! the same way as the room that is left (dot product), or that leaves the shortest rest
//! (L2 norm), dimensions weighted by how scarce they are.

use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;
use crate::engine::Meter;

/// How an item is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The largest first (first fit decreasing, seen from the bin).
    Largest,
    /// Largest dot product with the room that is left.
    Dot,
    /// Shortest rest.
    Norm,
}

/// Every rule with every weighting of the dimensions.
const WAYS: [(Rule, Weighting); 6] = [
    (Rule::Dot, Weighting::Scarce),
    (Rule::Norm, Weighting::Scarce),
    (Rule::Largest, Weighting::Scarce),
    (Rule::Dot, Weighting::Even),
    (Rule::Norm, Weighting::Even),
    (Rule::Largest, Weighting::Even),
];

/// How dimensions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighting {
    /// All alike.
    Even,
    /// By what the items need in them.
    Scarce,
}

/// A packing by each rule that comes to one.
pub fn all(boxes: &Boxes, meter: &mut Meter) -> Vec<Vec<Filled>> {
    WAYS.iter().filter_map(|&(rule, weighting)| pack(boxes, rule, weighting, meter)).collect()
}

/// One packing.
fn pack(boxes: &Boxes, rule: Rule, weighting: Weighting, meter: &mut Meter) -> Option<Vec<Filled>> {
    let dims = boxes.dims;
    // By dimension: one over what the largest bin holds; sizes become shares of it.
    let unit: Vec<f64> = (0..dims)
        .map(|dim| {
            let largest = (0..boxes.classes()).map(|class| boxes.capacity(class)[dim]).max().unwrap_or(0);
            if largest == 0 { 0.0 } else { 1.0 / largest as f64 }
        })
        .collect();
    let share: Vec<f64> =
        boxes.size.iter().enumerate().map(|(at, &size)| size as f64 * unit[at % dims.max(1)]).collect();
    let mut weight = vec![1.0; dims];
    if weighting == Weighting::Scarce {
        for (dim, weight) in weight.iter_mut().enumerate() {
            let need = |kind: usize| share[kind * dims + dim] * f64::from(boxes.count[kind]);
            *weight = (0..boxes.kinds()).map(need).sum::<f64>().max(1e-9);
        }
    }
    let bulk: Vec<f64> = (0..boxes.kinds())
        .map(|kind| share[kind * dims..(kind + 1) * dims].iter().zip(&weight).map(|(s, w)| s * w).sum())
        .collect();
    let mut count = boxes.count.clone();
    let mut kinds: Vec<usize> = (0..boxes.kinds()).filter(|&kind| count[kind] > 0).collect();
    kinds.sort_by(|&a, &b| bulk[b].total_cmp(&bulk[a]).then(a.cmp(&b)));
    let mut order: Vec<usize> = (0..boxes.classes()).collect();
    let room_of = |class: usize| -> f64 {
        let row = boxes.capacity(class).iter().zip(&unit).zip(&weight);
        row.map(|((&capacity, unit), weight)| capacity as f64 * unit * weight).sum()
    };
    order.sort_by(|&a, &b| {
        boxes.paid[a].cmp(&boxes.paid[b]).then(room_of(b).total_cmp(&room_of(a))).then(a.cmp(&b))
    });
    let mut packing = Vec::new();
    for class in order {
        for _ in 0..boxes.bins[class] {
            if kinds.is_empty() {
                return Some(packing);
            }
            let content = fill(boxes, class, rule, (&share, &weight, &unit, &bulk), &kinds, &mut count);
            let looks = kinds.len() as u64 * (1 + content.len() as u64) * (1 + dims as u64);
            meter.spend(1 + looks / 4);
            if meter.is_over() {
                return None;
            }
            if content.is_empty() {
                // Nothing that is left may be in such a bin.
                break;
            }
            packing.push(Filled { class: class as u32, content });
            kinds.retain(|&kind| count[kind] > 0);
        }
    }
    kinds.is_empty().then_some(packing)
}

type Weights<'a> = (&'a [f64], &'a [f64], &'a [f64], &'a [f64]);

/// Fills one bin.
fn fill(
    boxes: &Boxes,
    class: usize,
    rule: Rule,
    (share, weight, unit, bulk): Weights<'_>,
    kinds: &[usize],
    count: &mut [u32],
) -> Content {
    let dims = boxes.dims;
    let mut left = boxes.capacity(class).to_vec();
    let mut room: Vec<f64> = left.iter().zip(unit).map(|(&left, unit)| left as f64 * unit).collect();
    let mut content = Content::new();
    let mut candidates: Vec<usize> = kinds.iter().copied().filter(|&kind| boxes.fits(kind, class)).collect();
    loop {
        candidates.retain(|&kind| {
            count[kind] > 0 && boxes.size(kind).iter().zip(&left).all(|(size, left)| size <= left)
        });
        let score = |kind: usize| -> f64 {
            let row = share[kind * dims..(kind + 1) * dims].iter().zip(&room).zip(weight);
            match rule {
                Rule::Largest => bulk[kind],
                Rule::Dot => row.map(|((share, room), weight)| share * room * weight).sum(),
                Rule::Norm => {
                    -row.map(|((share, room), weight)| weight * (room - share) * (room - share)).sum::<f64>()
                }
            }
        };
        let mut chosen: Option<(f64, usize)> = None;
        for &kind in &candidates {
            let score = score(kind);
            if chosen.is_none_or(|(best, _)| score > best) {
                chosen = Some((score, kind));
            }
        }
        let Some((_, kind)) = chosen else { break };
        count[kind] -= 1;
        match content.iter_mut().find(|row| row.0 == kind as u32) {
            Some(row) => row.1 += 1,
            None => content.push((kind as u32, 1)),
        }
        for (dim, &size) in boxes.size(kind).iter().enumerate() {
            left[dim] -= size;
            room[dim] -= share[kind * dims + dim];
        }
    }
    content.sort_unstable();
    content
}

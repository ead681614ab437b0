//! Dual-feasible functions: sizes are changed so that their sum tells more.
//!
//! A function f from sizes to worths is dual feasible where whatever fits into a capacity
//! of C is worth no more than G together. Two families, applied to each dimension alone
//! (Fekete and Schepers 2001; Clautiaux, Alves and Valério de Carvalho 2010): f0 with λ
//! rounds sizes of more than C − λ up to C and those of less than λ down to 0; u with k
//! rounds (k + 1) x / C down to an integer. A vector of items is as well bounded by each of
//! its dimensions (Alves, Valério de Carvalho, Clautiaux and Rietz 2014). Bins of smaller
//! classes hold no more than the largest, so f for that one is dual feasible for all.

use super::column;
use crate::search::pack::boxes::Boxes;

/// Values of λ that are tried in a dimension.
const MOST_LAMBDAS: usize = 64;
/// The largest k that is tried.
const MOST_K: u64 = 20;

/// The fewest paid bins that any of the functions proves. O(kinds × dimensions × functions).
pub fn fewest(boxes: &Boxes) -> u64 {
    (0..boxes.dims).map(|dim| in_dimension(boxes, dim)).max().unwrap_or(0)
}

fn in_dimension(boxes: &Boxes, dim: usize) -> u64 {
    let largest = (0..boxes.classes()).map(|class| boxes.capacity(class)[dim]).max().unwrap_or(0);
    if largest == 0 {
        return 0;
    }
    // Small enough to be multiplied: sizes rounded down, the capacity up.
    let shift = (64 - largest.leading_zeros()).saturating_sub(40);
    let capacity = (largest >> shift) + u64::from(shift > 0);
    let size: Vec<u64> =
        (0..boxes.kinds()).map(|kind| (boxes.size(kind)[dim] >> shift).min(capacity)).collect();
    let prove = |worth: &dyn Fn(u64) -> u64, most: u64| {
        let price: Vec<u64> = size.iter().map(|&size| worth(size)).collect();
        column::fewest(boxes, &price, &vec![most; boxes.classes()])
    };
    let mut lambdas: Vec<u64> =
        size.iter().copied().filter(|&size| size > 0 && size <= capacity / 2).collect();
    lambdas.sort_unstable();
    lambdas.dedup();
    let every = lambdas.len().div_ceil(MOST_LAMBDAS).max(1);
    let f0 = lambdas.into_iter().step_by(every).map(|lambda| {
        let worth = move |size: u64| match size {
            size if size > capacity - lambda => capacity,
            size if size < lambda => 0,
            size => size,
        };
        prove(&worth, capacity)
    });
    let u = (1..=MOST_K).map(|k| {
        let worth = move |size: u64| {
            if ((k + 1) * size).is_multiple_of(capacity) {
                k * size
            } else {
                (k + 1) * size / capacity * capacity
            }
        };
        prove(&worth, k * capacity)
    });
    f0.chain(u).max().unwrap_or(0)
}

//! The bound that prices prove (Gilmore and Gomory 1961, Farley 1990, Lagrange).
//!
//! Say an item of kind i is worth u_i, and no content of a bin of class k is worth more
//! than Z_k. If a paid bin costs S, then x_k bins of class k give Σ x_k Z_k ≥ Σ b_i u_i,
//! and with at most m_k bins of each class at least
//! (Σ b_i u_i − Σ m_k max(0, Z_k − c_k S)) / S paid bins are needed, whatever S > 0 is.
//! All of it in integers: the prices may come from anywhere, a linear programme solved in
//! floating point included, and the bound holds.

use crate::search::pack::boxes::Boxes;

/// The fewest paid bins that prices prove, given the most that a bin of each class can be
/// worth. More than there are where the items do not fit at all.
pub fn fewest(boxes: &Boxes, price: &[u64], most: &[u64]) -> u64 {
    let total: i128 =
        boxes.count.iter().zip(price).map(|(&count, &price)| i128::from(count) * i128::from(price)).sum();
    let paid: u64 = (0..boxes.classes()).filter(|&k| boxes.paid[k]).map(|k| u64::from(boxes.bins[k])).sum();
    let mut best = 0;
    let mut scales: Vec<i128> =
        (0..boxes.classes()).filter(|&k| boxes.paid[k] && most[k] > 0).map(|k| i128::from(most[k])).collect();
    scales.sort_unstable();
    scales.dedup();
    for scale in scales {
        let rent: i128 = (0..boxes.classes())
            .map(|class| {
                let cost = if boxes.paid[class] { scale } else { 0 };
                i128::from(boxes.bins[class]) * (i128::from(most[class]) - cost).max(0)
            })
            .sum();
        let needed = total - rent;
        if needed > 0 {
            best = best.max(((needed + scale - 1) / scale) as u64);
        }
    }
    best.min(paid + 1)
}

//! A packing out of given contents, as an integer programme for HiGHS.
//!
//! The restricted master of column generation: so many times each content, so that every item
//! is in a bin. What comes out is checked item by item when the bins are filled. That nothing
//! comes out proves nothing: HiGHS calculates in floating point, bounds here are integers.

use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;
use crate::engine::Meter;
use good_lp::Expression;
use good_lp::Solution;
use good_lp::SolverModel;
use good_lp::Variable;
use good_lp::variable;
use good_lp::variables;

/// Contents beyond which it is not tried.
const MOST_CONTENTS: usize = 20_000;
/// Branches of the search.
const NODES: i32 = 2_000;
/// Work that counts for each entry of the programme.
const WORK: u64 = 10_000;

/// A packing with at most so many paid bins, each with a part of one of the contents.
pub fn pack(boxes: &Boxes, contents: &[Filled], most: u64, meter: &mut Meter) -> Option<Vec<Filled>> {
    if contents.len() > MOST_CONTENTS || meter.is_exhausted() {
        return None;
    }
    let mut vars = variables!();
    let mut have = vec![Expression::default(); boxes.kinds()];
    let mut bins = vec![Expression::default(); boxes.classes()];
    let mut paid = Expression::default();
    let mut entries = 0;
    let times: Vec<Variable> = contents
        .iter()
        .map(|filled| {
            let class = filled.class as usize;
            let rows = filled.content.iter();
            let useful = rows.map(|&(kind, many)| boxes.count[kind as usize].div_ceil(many)).max();
            let at_most = useful.unwrap_or(0).min(boxes.bins[class]);
            let times = vars.add(variable().integer().min(0).max(at_most));
            for &(kind, many) in &filled.content {
                have[kind as usize].add_mul(many, times);
            }
            bins[class].add_mul(1, times);
            if boxes.paid[class] {
                paid.add_mul(1, times);
            }
            entries += 1 + filled.content.len() as u64;
            times
        })
        .collect();
    meter.spend(entries.saturating_mul(WORK));
    let model = vars.minimise(paid.clone()).using(good_lp::highs).set_threads(1);
    let mut model = model.set_option("mip_max_nodes", NODES);
    if let Some(seconds) = meter.seconds_left() {
        model = model.set_time_limit(seconds);
    }
    for (have, &count) in have.into_iter().zip(&boxes.count) {
        model = model.with(have.geq(f64::from(count)));
    }
    for (bins, &count) in bins.into_iter().zip(&boxes.bins) {
        model = model.with(bins.leq(f64::from(count)));
    }
    let solution = model.with(paid.leq(most as f64)).solve().ok()?;
    let mut rest = boxes.count.clone();
    let mut packing = Vec::new();
    for (filled, &times) in contents.iter().zip(&times) {
        for _ in 0..solution.value(times).round() as u32 {
            let part = filled.content.iter().map(|&(kind, many)| (kind, many.min(rest[kind as usize])));
            let content: Content = part.filter(|row| row.1 > 0).collect();
            content.iter().for_each(|&(kind, many)| rest[kind as usize] -= many);
            if !content.is_empty() {
                packing.push(Filled { class: filled.class, content });
            }
        }
    }
    (boxes.is_packing(&packing) && boxes.price(&packing) <= most).then_some(packing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::CancelToken;

    /// Four items of one kind and two of another, at most two in a bin.
    #[test]
    fn the_fewest_bins_out_of_contents() {
        let boxes = Boxes {
            dims: 1,
            count: vec![4, 2],
            size: vec![5, 4],
            bins: vec![6],
            paid: vec![true],
            capacity: vec![10],
            fits: vec![true, true],
        };
        let contents: Vec<Filled> = [vec![(0, 2)], vec![(0, 1), (1, 1)], vec![(1, 2)]]
            .into_iter()
            .map(|content| Filled { class: 0, content })
            .collect();
        let mut meter = Meter::new(u64::MAX, None, CancelToken::new());
        let packing = pack(&boxes, &contents, 3, &mut meter).expect("three bins are enough");
        assert!(boxes.is_packing(&packing) && packing.len() == 3);
        assert_eq!(pack(&boxes, &contents, 2, &mut meter), None);
    }
}

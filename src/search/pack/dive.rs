//! Diving: bins are filled with the contents that the linear programme uses most, the
//! programme is solved again for what is left, and so on to the end.
//!
//! Contents for the rest are generated on the way down (Joncour et al. 2010), so the dive
//! is not bound to those that the first programme needed.

use super::Meter;
use super::boxes::Boxes;
use super::boxes::Filled;
use super::generate::Generator;
use super::greedy;
use crate::random::Random;
use std::sync::Arc;

/// A content that is used as much as this is taken as it is.
const WHOLE: f64 = 0.99;

/// The best packing that the dive comes by, if it has fewer paid bins than `most`. One
/// with no more than `enough` ends it.
pub fn dive(
    boxes: &Boxes,
    root: &Generator,
    (enough, mut most): (u64, u64),
    noise: f64,
    random: &mut Random,
    meter: &mut Meter<'_>,
) -> Option<Vec<Filled>> {
    let mut packing: Vec<Filled> = Vec::new();
    let mut best: Option<Vec<Filled>> = None;
    let mut pool: Vec<Filled> = (0..root.master.columns()).map(|at| root.master.column(at).clone()).collect();
    let mut chosen = root.master.solution();
    let mut rest = boxes.clone();
    let mut names: Vec<Filled> = chosen.iter().map(|&(at, _)| root.master.column(at).clone()).collect();
    loop {
        let before = packing.len();
        // The whole ones, then the one that is used most.
        let mut order: Vec<usize> = (0..chosen.len()).collect();
        let key = |at: usize, random: &mut Random| {
            let part = chosen[at].1 - chosen[at].1.floor();
            let part = if chosen[at].1 >= 1.0 { 1.0 + part } else { part };
            part + noise * (random.below(1000) as f64 / 1000.0)
        };
        let keys: Vec<f64> = (0..chosen.len()).map(|at| key(at, random)).collect();
        order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]).then(a.cmp(&b)));
        for at in order {
            let times = (chosen[at].1 + 1.0 - WHOLE).floor() as u32;
            let times = if times == 0 && packing.len() == before { 1 } else { times };
            for _ in 0..times {
                if !take(&mut rest, &names[at], &mut packing) {
                    break;
                }
            }
        }
        let price = boxes.price(&packing);
        if packing.len() == before || price >= most {
            return best;
        }
        // The rest in the plain way may do already.
        if let Some(tail) = greedy::best(&rest, most - price, meter) {
            most = price + boxes.price(&tail);
            best = Some(packing.iter().cloned().chain(tail).collect());
        }
        if meter.is_over() || most <= enough || rest.items() == 0 {
            return best;
        }
        let small = Small::of(&rest);
        pool.retain(|filled| filled.content.iter().all(|&(kind, many)| many <= rest.count[kind as usize]));
        let mut generator = Generator::new(&small.boxes, pool.iter().map(|filled| small.shrink(filled)));
        generator.solve(most - price, meter);
        if generator.bound >= most - price {
            return best;
        }
        pool.extend(
            (pool.len()..generator.master.columns()).map(|at| small.grow(generator.master.column(at))),
        );
        chosen = generator.master.solution();
        names = chosen.iter().map(|&(at, _)| small.grow(generator.master.column(at))).collect();
    }
}

/// Fills one more bin, with as much of the content as is left to be packed.
fn take(rest: &mut Boxes, filled: &Filled, packing: &mut Vec<Filled>) -> bool {
    let class = filled.class as usize;
    if rest.bins[class] == 0 || filled.content.iter().any(|&(kind, many)| rest.count[kind as usize] < many) {
        return false;
    }
    rest.bins[class] -= 1;
    filled.content.iter().for_each(|&(kind, many)| rest.count[kind as usize] -= many);
    packing.push(filled.clone());
    true
}

/// The boxes without the kinds of which nothing is left.
struct Small {
    boxes: Arc<Boxes>,
    kinds: Vec<u32>,
    number: Vec<u32>,
}

impl Small {
    fn of(rest: &Boxes) -> Self {
        let kinds: Vec<u32> =
            (0..rest.kinds() as u32).filter(|&kind| rest.count[kind as usize] > 0).collect();
        let mut number = vec![u32::MAX; rest.kinds()];
        kinds.iter().enumerate().for_each(|(at, &kind)| number[kind as usize] = at as u32);
        let row = |kind: u32, width: usize| kind as usize * width..(kind as usize + 1) * width;
        let boxes = Boxes {
            dims: rest.dims,
            count: kinds.iter().map(|&kind| rest.count[kind as usize]).collect(),
            size: kinds.iter().flat_map(|&kind| rest.size[row(kind, rest.dims)].to_vec()).collect(),
            fits: kinds.iter().flat_map(|&kind| rest.fits[row(kind, rest.classes())].to_vec()).collect(),
            bins: rest.bins.clone(),
            paid: rest.paid.clone(),
            capacity: rest.capacity.clone(),
        };
        Self { boxes: Arc::new(boxes), kinds, number }
    }

    fn shrink(&self, filled: &Filled) -> Filled {
        let content = filled.content.iter().map(|&(kind, many)| (self.number[kind as usize], many)).collect();
        Filled { class: filled.class, content }
    }

    fn grow(&self, filled: &Filled) -> Filled {
        let content = filled.content.iter().map(|&(kind, many)| (self.kinds[kind as usize], many)).collect();
        Filled { class: filled.class, content }
    }
}

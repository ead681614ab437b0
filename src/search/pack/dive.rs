//! Diving: bins are filled with the contents that the linear programme uses most, the
//! programme is solved again for what is left, and so on to the end.
//!
//! Contents for the rest are generated on the way down (Joncour et al. 2010), so the dive
//! is not bound to those that the first programme needed.

use super::boxes::Boxes;
use super::boxes::Filled;
use super::generate::Generator;
use super::greedy;
use crate::engine::Meter;
use crate::random::Random;
use std::sync::Arc;

/// A content that is used as much as this is taken as it is.
const WHOLE: f64 = 0.99;

/// How often a step is taken back in one dive.
const UNDOS: u32 = 40;

/// How a dive goes.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// How far it strays from what the programme says.
    pub noise: f64,
    /// The share of the bins that are filled in one step.
    pub pace: f64,
}

/// Where a dive stands.
#[derive(Clone, Debug)]
struct Depth {
    /// What is still to be packed.
    rest: Boxes,
    packing: Vec<Filled>,
    /// The contents that the programme uses, and how much of each.
    chosen: Vec<(Filled, f64)>,
}

/// The best packing that the dive comes by, if it has fewer paid bins than `most`. One
/// with no more than `enough` ends it. A step after which the programme needs more than
/// `enough` is taken back, some times.
pub fn dive(
    boxes: &Boxes,
    root: &Generator,
    (enough, mut most): (u64, u64),
    style: Style,
    random: &mut Random,
    meter: &mut Meter,
) -> Option<Vec<Filled>> {
    // Less than the programme needs cannot be asked for.
    let enough = enough.max((root.master.objective() - 1e-3).ceil() as u64);
    let mut best: Option<Vec<Filled>> = None;
    let mut pool: Vec<Filled> = (0..root.master.columns()).map(|at| root.master.column(at).clone()).collect();
    let solution = root.master.solution().into_iter();
    let mut now = Depth {
        rest: boxes.clone(),
        packing: Vec::new(),
        chosen: solution.map(|(at, value)| (root.master.column(at).clone(), value)).collect(),
    };
    let mut undos = UNDOS;
    loop {
        let mut next = now.clone();
        let bins = enough.saturating_sub(boxes.price(&now.packing));
        let many = 1 + (bins as f64 * style.pace) as usize;
        let Some(risky) = step(&mut next, many, style.noise, random) else { return best };
        let price = boxes.price(&next.packing);
        if price >= most {
            return best;
        }
        // The rest in the plain way may do already.
        let tails = greedy::all(&next.rest, meter);
        let tail = tails.iter().min_by_key(|tail| boxes.price(tail)).map_or(&[][..], Vec::as_slice);
        if !tails.is_empty() && price + boxes.price(tail) < most {
            most = price + boxes.price(tail);
            best = Some(next.packing.iter().chain(tail).cloned().collect());
        }
        if meter.is_over() || most <= enough || next.rest.items() == 0 {
            return best;
        }
        let small = Small::of(&next.rest);
        let fits = |filled: &&Filled| {
            filled.content.iter().all(|&(kind, many)| many <= next.rest.count[kind as usize])
        };
        let tail: Vec<Filled> = tail.iter().map(|filled| small.shrink(filled)).collect();
        let start = pool.iter().filter(fits).map(|filled| small.shrink(filled));
        let mut generator = Generator::new(&small.boxes, &tail, start);
        let known = generator.master.columns();
        generator.solve(most - price, meter);
        pool.extend((known..generator.master.columns()).map(|at| small.grow(generator.master.column(at))));
        if let Some(risky) = risky
            && undos > 0
            && generator.master.objective() + price as f64 > enough as f64 + 1e-3
        {
            // Without this content, then.
            undos -= 1;
            now.chosen.retain(|row| row.0 != risky);
            continue;
        }
        if generator.bound >= most - price {
            return best;
        }
        let solution = generator.master.solution().into_iter();
        next.chosen = solution.map(|(at, value)| (small.grow(generator.master.column(at)), value)).collect();
        now = next;
    }
}

/// Takes the contents that are used in whole, or so many that are used most; if that is
/// one, which it is. `None` where nothing can be taken.
fn step(now: &mut Depth, many: usize, noise: f64, random: &mut Random) -> Option<Option<Filled>> {
    let keys: Vec<f64> = now
        .chosen
        .iter()
        .map(|row| row.1.min(1.0) + row.1.fract() * 0.01 + noise * (random.below(1000) as f64 / 1000.0))
        .collect();
    let mut order: Vec<usize> = (0..now.chosen.len()).collect();
    order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]).then(a.cmp(&b)));
    let before = now.packing.len();
    for &at in &order {
        let (filled, value) = &now.chosen[at];
        for _ in 0..(value + 1.0 - WHOLE).floor() as u32 {
            if !take(&mut now.rest, filled, &mut now.packing) {
                break;
            }
        }
    }
    for at in order {
        if now.packing.len() >= before + many {
            break;
        }
        if take(&mut now.rest, &now.chosen[at].0, &mut now.packing) && many == 1 {
            return Some(Some(now.chosen[at].0.clone()));
        }
    }
    (now.packing.len() > before).then_some(None)
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

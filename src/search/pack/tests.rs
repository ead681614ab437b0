//! The packing against one that tries everything, on tiny questions.

use super::*;
use crate::outcome::CancelToken;
use knapsack::Knapsack;
use proptest::prelude::*;

fn meter(steps: u64) -> Meter {
    Meter::new(steps, None, CancelToken::default())
}

/// Few items of small sizes; one or two classes of bins, with enough bins of the paid one.
fn boxes() -> impl Strategy<Value = Boxes> {
    let kinds = prop::collection::vec((1u32..3, prop::collection::vec(0u64..9, 3)), 1..5);
    let classes =
        prop::collection::vec((0u32..3, prop::bool::weighted(0.7), prop::collection::vec(4u64..12, 3)), 0..2);
    (1usize..4, kinds, classes, prop::collection::vec(8u64..12, 3)).prop_map(
        |(dims, kinds, mut classes, large)| {
            classes.push((8, true, large));
            let mut boxes = Boxes { dims, ..Boxes::default() };
            for (count, size) in &kinds {
                boxes.count.push(*count);
                boxes.size.extend(&size[..dims]);
            }
            for (bins, paid, capacity) in &classes {
                boxes.bins.push(*bins);
                boxes.paid.push(*paid);
                boxes.capacity.extend(&capacity[..dims]);
            }
            for kind in 0..boxes.kinds() {
                for class in 0..boxes.classes() {
                    boxes.fits.push(
                        boxes.size(kind).iter().zip(boxes.capacity(class)).all(|(size, room)| size <= room),
                    );
                }
            }
            boxes
        },
    )
}

/// The fewest paid bins, by trying every bin for every item.
fn brute(boxes: &Boxes) -> Option<u64> {
    let items: Vec<usize> =
        (0..boxes.kinds()).flat_map(|kind| std::iter::repeat_n(kind, boxes.count[kind] as usize)).collect();
    let mut open: Vec<(usize, Vec<u64>)> = Vec::new();
    let mut left: Vec<u32> = boxes.bins.clone();
    let mut best = None;
    place(boxes, &items, &mut open, &mut left, 0, &mut best);
    best
}

fn place(
    boxes: &Boxes,
    items: &[usize],
    open: &mut Vec<(usize, Vec<u64>)>,
    left: &mut Vec<u32>,
    price: u64,
    best: &mut Option<u64>,
) {
    if best.is_some_and(|best| price >= best) {
        return;
    }
    let Some((&kind, rest)) = items.split_first() else {
        *best = Some(price);
        return;
    };
    let size = boxes.size(kind).to_vec();
    for at in 0..open.len() {
        if boxes.fits(kind, open[at].0) && open[at].1.iter().zip(&size).all(|(room, size)| room >= size) {
            open[at].1.iter_mut().zip(&size).for_each(|(room, size)| *room -= size);
            place(boxes, rest, open, left, price, best);
            open[at].1.iter_mut().zip(&size).for_each(|(room, size)| *room += size);
        }
    }
    for class in 0..boxes.classes() {
        if left[class] > 0 && boxes.fits(kind, class) {
            left[class] -= 1;
            let room = boxes.capacity(class).iter().zip(&size).map(|(room, size)| room - size).collect();
            open.push((class, room));
            place(boxes, rest, open, left, price + u64::from(boxes.paid[class]), best);
            open.pop();
            left[class] += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_are_below_and_packings_above(boxes in boxes()) {
        let truth = brute(&boxes);
        let mut meter = meter(u64::MAX);
        let least = truth.unwrap_or(u64::MAX);
        prop_assert!(bound::sum::fewest(&boxes) <= least);
        prop_assert!(bound::count::fewest(&boxes) <= least);
        prop_assert!(bound::dual_feasible::fewest(&boxes) <= least);
        let rough = boxes.rounded(2);
        prop_assert!(rough.items() == boxes.items() && brute(&rough).unwrap_or(u64::MAX) <= least);
        let shared = Arc::new(boxes.clone());
        let mut generator = Generator::new(&shared, &greedy::all(&boxes, &mut meter).pop().unwrap_or_default(), std::iter::empty());
        generator.prove(u64::MAX, &mut meter);
        prop_assert!(generator.bound <= least, "{} proved, {least} possible", generator.bound);
        let mut packer = Packer::new(boxes.clone(), 0, &mut meter);
        while !packer.is_done() {
            packer.advance(&mut meter);
            prop_assert!(packer.bound() <= least, "{} proved, {least} possible", packer.bound());
        }
        if let Some(best) = packer.best() {
            prop_assert!(boxes.is_packing(best));
            prop_assert!(boxes.price(best) >= least);
            prop_assert!(boxes.price(best) <= least + 1);
        } else {
            prop_assert!(truth.is_none() || boxes.classes() > 1);
        }
    }

    #[test]
    fn any_limit_leaves_a_packing_and_a_bound(boxes in boxes(), steps in 0u64..40) {
        let least = brute(&boxes).unwrap_or(u64::MAX);
        let mut meter = meter(steps);
        let mut packer = Packer::new(boxes.clone(), 0, &mut meter);
        while !packer.is_done() && !meter.is_exhausted() {
            packer.advance(&mut meter);
        }
        prop_assert!(packer.bound() <= least);
        if let Some(best) = packer.best() {
            prop_assert!(boxes.is_packing(best) && boxes.price(best) >= least);
        }
    }

    #[test]
    fn the_best_content_is_found(boxes in boxes(), profits in prop::collection::vec(0u64..50, 4), floor in 0u64..30) {
        let mut meter = meter(u64::MAX);
        let profit: Vec<u64> = profits.into_iter().chain(std::iter::repeat(7)).take(boxes.kinds()).collect();
        for class in 0..boxes.classes() {
            let shared = Arc::new(boxes.clone());
            let mut sack = Knapsack::new(&shared, class);
            let best = sack.solve(&profit, &boxes.count, floor, u64::MAX, &mut meter);
            let truth = richest(&boxes, class, &profit, 0, boxes.capacity(class).to_vec());
            prop_assert_eq!(best.most, truth.max(floor));
            let again = sack.solve(&profit, &boxes.count, floor, 3, &mut meter);
            prop_assert!(again.most >= truth, "cut short it tells {} where {truth} is possible", again.most);
        }
    }

    #[test]
    fn tight_searches_are_right(boxes in boxes()) {
        if boxes.classes() == 1 {
            let truth = brute(&boxes);
            let mut meter = meter(u64::MAX);
            for bins in 1..6 {
                match tight::search(&boxes, bins, &tight::sizes(&boxes), (1, 50_000_000), &mut meter) {
                    tight::Tight::Found(packing) => {
                        prop_assert!(boxes.is_packing(&packing) && packing.len() as u64 <= bins);
                    }
                    tight::Tight::None => prop_assert!(truth.is_none_or(|truth| truth > bins)),
                    tight::Tight::Unknown(_) => {}
                }
            }
        }
    }
}

/// The most that kinds from one on are worth in the room.
fn richest(boxes: &Boxes, class: usize, profit: &[u64], kind: usize, room: Vec<u64>) -> u64 {
    if kind == boxes.kinds() {
        return 0;
    }
    let mut best = 0;
    let mut room = room;
    for many in 0..=boxes.count[kind] {
        best =
            best.max(profit[kind] * u64::from(many) + richest(boxes, class, profit, kind + 1, room.clone()));
        let fits =
            boxes.fits(kind, class) && room.iter().zip(boxes.size(kind)).all(|(room, size)| room >= size);
        if !fits {
            break;
        }
        room.iter_mut().zip(boxes.size(kind)).for_each(|(room, size)| *room -= size);
    }
    best
}

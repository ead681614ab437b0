//! What the items need in a dimension against what the largest bins hold.

use crate::search::pack::boxes::Boxes;

/// The fewest paid bins that the sum of the sizes asks for, in the worst dimension.
/// One more than there are where not even all of them hold that much.
pub fn fewest(boxes: &Boxes) -> u64 {
    (0..boxes.dims)
        .map(|dim| {
            let size = |kind: usize| u128::from(boxes.size(kind)[dim]) * u128::from(boxes.count[kind]);
            let need: u128 = (0..boxes.kinds()).map(size).sum();
            let room: Vec<u64> = (0..boxes.classes()).map(|class| boxes.capacity(class)[dim]).collect();
            needed(boxes, need, &room)
        })
        .max()
        .unwrap_or(0)
        .max(u64::from(nothing_is_free(boxes)))
}

/// Is there an item, and no bin that costs nothing for it?
fn nothing_is_free(boxes: &Boxes) -> bool {
    (0..boxes.kinds()).any(|kind| {
        boxes.count[kind] > 0
            && (0..boxes.classes()).all(|class| boxes.paid[class] || !boxes.fits(kind, class))
    })
}

/// The fewest paid bins that hold so much, by what a bin of each class holds.
pub fn needed(boxes: &Boxes, need: u128, room: &[u64]) -> u64 {
    let mut left = need;
    let mut classes: Vec<usize> = (0..boxes.classes()).collect();
    classes.sort_by_key(|&class| (boxes.paid[class], std::cmp::Reverse(room[class])));
    let mut bins = 0;
    for class in classes {
        let (each, count) = (u128::from(room[class]), u128::from(boxes.bins[class]));
        let used = if each == 0 { count } else { left.div_ceil(each).min(count) };
        if left == 0 {
            break;
        }
        left = left.saturating_sub(used * each);
        if boxes.paid[class] {
            bins += used as u64;
        }
    }
    bins + u64::from(left > 0)
}

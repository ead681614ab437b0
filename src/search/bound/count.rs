//! Items no two of which can share a bin need a bin each.
//!
//! The items of a relation that lets a bin have but one of them are such a set, and so are
//! large items; both are seen in the sizes (see `consolidate`, where such relations become
//! dimensions). A clique in the graph of conflicts is built greedily, from the items with
//! the most conflicts on.

use crate::search::pack::boxes::Boxes;

/// Pairs of kinds times classes beyond which the conflicts are not counted.
const MOST: usize = 1 << 23;

/// The fewest paid bins for a set of items no two of which share one.
pub fn fewest(boxes: &Boxes) -> u64 {
    let kinds = boxes.kinds();
    if kinds.saturating_mul(kinds).saturating_mul(boxes.classes()) > MOST {
        return 0;
    }
    let conflict = |a: usize, b: usize| {
        (0..boxes.classes()).all(|class| {
            let fits = boxes.fits(a, class) && boxes.fits(b, class);
            let mut rows = boxes.size(a).iter().zip(boxes.size(b)).zip(boxes.capacity(class));
            !fits || rows.any(|((&a, &b), &room)| u128::from(a) + u128::from(b) > u128::from(room))
        })
    };
    // With itself: every item of the kind counts, else at most one does.
    let all: Vec<usize> = (0..kinds).filter(|&kind| boxes.count[kind] > 0).collect();
    let degree: Vec<usize> =
        (0..kinds).map(|a| all.iter().filter(|&&b| boxes.count[a] > 0 && conflict(a, b)).count()).collect();
    let mut order = all;
    order.sort_by_key(|&kind| (std::cmp::Reverse(degree[kind]), kind));
    let mut clique: Vec<usize> = Vec::new();
    for kind in order {
        if clique.iter().all(|&other| conflict(kind, other)) {
            clique.push(kind);
        }
    }
    let items: u64 =
        clique.iter().map(|&kind| if conflict(kind, kind) { u64::from(boxes.count[kind]) } else { 1 }).sum();
    let free = |class: &usize| !boxes.paid[*class];
    let unpaid: u64 = (0..boxes.classes()).filter(free).map(|class| u64::from(boxes.bins[class])).sum();
    items.saturating_sub(unpaid)
}

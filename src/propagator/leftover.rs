//! How many items of a few find no room in bins of unequal room?
//!
//! Vector packing with leftovers: greedy packing from above, counting from below, depth
//! first search where the two differ, for as many steps as are given.

/// Items for which room is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Packing<'a> {
    /// Number of dimensions.
    pub dims: usize,
    /// Number of items.
    pub items: usize,
    /// By item, then dimension.
    pub sizes: &'a [u64],
    /// Number of bins.
    pub bins: usize,
    /// By bin, then dimension: what is free.
    pub room: &'a [u64],
}

impl Packing<'_> {
    fn size(&self, item: usize) -> &[u64] {
        &self.sizes[item * self.dims..][..self.dims]
    }
}

/// How many items do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Indices of the items for which no place was found.
    pub left: Vec<usize>,
    /// No packing leaves fewer. Equal to the length of `left` where that is proved.
    pub at_least: usize,
}

/// The fewest items that find no room; a packing that leaves over no more than `enough`
/// will do. `budget` as in [`super::restart::worst_crash`].
pub fn leftover(packing: &Packing<'_>, enough: usize, budget: &mut u64) -> Leftover {
    let dims = packing.dims;
    let mut scale = vec![1u64; dims];
    for vector in packing.room.chunks_exact(dims.max(1)) {
        for (scale, room) in scale.iter_mut().zip(vector) {
            *scale = (*scale).max(*room);
        }
    }
    let mut order: Vec<usize> = (0..packing.items).collect();
    order.sort_by_cached_key(|&item| {
        (std::cmp::Reverse(weight(packing.size(item), &scale)), packing.size(item), item)
    });
    let mut left = greedy(packing, &order, &scale, Fit::Best, budget);
    if left.len() > enough {
        let other = greedy(packing, &order, &scale, Fit::Worst, budget);
        if other.len() < left.len() {
            left = other;
        }
    }
    if left.len() <= enough {
        let at_least = if left.is_empty() { 0 } else { fewest(packing, budget) };
        return Leftover { left, at_least };
    }
    let mut at_least = fewest(packing, budget);
    while at_least < left.len() {
        match pack(packing, &order, at_least, budget) {
            Some(Some(better)) => left = better,
            Some(None) => at_least += 1,
            None => break,
        }
    }
    left.sort_unstable();
    Leftover { left, at_least }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// The bin that is fullest afterwards.
    Best,
    /// The bin that is emptiest afterwards.
    Worst,
}

/// Places one item after the other; those that fit nowhere are left over.
fn greedy(packing: &Packing<'_>, order: &[usize], scale: &[u64], fit: Fit, budget: &mut u64) -> Vec<usize> {
    let dims = packing.dims;
    let mut room = packing.room.to_vec();
    let mut left = Vec::new();
    let mut rest = vec![0; dims];
    for &item in order {
        // Out of budget: what is not placed counts as left over, which errs on the safe side.
        if !spend(budget, packing.bins) {
            left.push(item);
            continue;
        }
        let size = packing.size(item);
        let mut choice: Option<(u64, usize)> = None;
        for bin in 0..packing.bins {
            let free = &room[bin * dims..][..dims];
            if !fits(size, free) {
                continue;
            }
            for (rest, (free, size)) in rest.iter_mut().zip(free.iter().zip(size)) {
                *rest = free - size;
            }
            let value = match fit {
                Fit::Best => weight(&rest, scale),
                Fit::Worst => u64::MAX - thinnest(&rest, scale),
            };
            if choice.is_none_or(|(best, _)| value < best) {
                choice = Some((value, bin));
            }
        }
        match choice {
            Some((_, bin)) => {
                for (free, size) in room[bin * dims..][..dims].iter_mut().zip(size) {
                    *free -= size;
                }
            }
            None => left.push(item),
        }
    }
    left
}

/// No packing leaves fewer items over than this. Two arguments in each dimension: the
/// smallest items add up to more than all the room; and of the items that are at least so
/// large, each bin takes only so many.
fn fewest(packing: &Packing<'_>, budget: &mut u64) -> usize {
    let dims = packing.dims;
    if packing.bins == 0 {
        return packing.items;
    }
    let mut bound = 0;
    for dim in 0..dims {
        let mut order: Vec<usize> = (0..packing.items).collect();
        order.sort_unstable_by_key(|&item| std::cmp::Reverse(packing.size(item)[dim]));
        let total: u128 = (0..packing.bins).map(|bin| u128::from(packing.room[bin * dims + dim])).sum();
        let mut sum = 0u128;
        let mut placed = 0;
        for &item in order.iter().rev() {
            sum += u128::from(packing.size(item)[dim]);
            if sum > total {
                break;
            }
            placed += 1;
        }
        bound = bound.max(packing.items - placed);

        let mut slot = vec![u64::MAX; dims];
        for (at, &item) in order.iter().enumerate() {
            for (slot, size) in slot.iter_mut().zip(packing.size(item)) {
                *slot = (*slot).min(*size);
            }
            let next = order.get(at + 1);
            if next.is_some_and(|&next| packing.size(next)[dim] == packing.size(item)[dim]) || at < bound {
                continue;
            }
            if !spend(budget, packing.bins) {
                return bound;
            }
            let count = at as u64 + 1;
            let mut room = 0u64;
            for bin in 0..packing.bins {
                room += seats(&packing.room[bin * dims..][..dims], &slot, count);
                if room >= count {
                    break;
                }
            }
            bound = bound.max(count.saturating_sub(room) as usize);
        }
    }
    bound
}

/// A packing that leaves over at most `most` items: `Some(Some(left))`; `Some(None)` if
/// there is none; `None` if the budget ran out.
///
/// Depth first, the heaviest item first, into the fullest bins first. An item as large as
/// the one before goes into no earlier bin; of bins with equal room only one is tried.
fn pack(packing: &Packing<'_>, order: &[usize], most: usize, budget: &mut u64) -> Option<Option<Vec<usize>>> {
    let dims = packing.dims;
    let items = order.len();
    let mut bins: Vec<&[u64]> = (0..packing.bins).map(|bin| &packing.room[bin * dims..][..dims]).collect();
    bins.sort_unstable();
    let mut room: Vec<u64> = bins.concat();
    let bins = bins.len();
    // Sums and largest sizes of what is still to come.
    let mut to_come = vec![0u128; (items + 1) * dims];
    let mut largest = vec![0u64; (items + 1) * dims];
    for at in (0..items).rev() {
        for (dim, &size) in packing.size(order[at]).iter().enumerate() {
            to_come[at * dims + dim] = to_come[(at + 1) * dims + dim] + u128::from(size);
            largest[at * dims + dim] = largest[(at + 1) * dims + dim].max(size);
        }
    }
    let mut free: Vec<u128> = vec![0; dims];
    for vector in room.chunks_exact(dims.max(1)) {
        for (free, room) in free.iter_mut().zip(vector) {
            *free += u128::from(*room);
        }
    }
    // By depth: the bin of the item; `bins` says that it is left over.
    let mut choice: Vec<usize> = Vec::with_capacity(items);
    let mut skipped = 0;
    // The bin to try next at this depth; was the one before it tried here, too?
    let mut next = 0;
    let mut resumed = false;
    loop {
        let at = choice.len();
        if at == items {
            let left = order.iter().zip(&choice).filter(|(_, bin)| **bin == bins).map(|(item, _)| *item);
            return Some(Some(left.collect()));
        }
        let size = packing.size(order[at]);
        let mut chosen = None;
        let hopeless = (0..dims).any(|dim| {
            let spared = (most - skipped) as u128 * u128::from(largest[at * dims + dim]);
            to_come[at * dims + dim].saturating_sub(spared) > free[dim]
        });
        if !hopeless && next <= bins {
            for bin in next..bins {
                if !spend(budget, 1) {
                    return None;
                }
                let here = &room[bin * dims..][..dims];
                let tried = (resumed || bin > next) && *here == room[(bin - 1) * dims..][..dims];
                if !tried && fits(size, here) {
                    chosen = Some(bin);
                    break;
                }
            }
            if chosen.is_none() && skipped < most {
                chosen = Some(bins);
            }
        }
        if let Some(bin) = chosen {
            if bin == bins {
                skipped += 1;
            } else {
                for (dim, &size) in size.iter().enumerate() {
                    room[bin * dims + dim] -= size;
                    free[dim] -= u128::from(size);
                }
            }
            choice.push(bin);
            // The like of the item before goes no earlier; the like of one left over is left over.
            let alike = order.get(at + 1).is_some_and(|&following| packing.size(following) == size);
            next = if alike { bin } else { 0 };
            resumed = false;
            continue;
        }
        // Back to the item before, and on from its bin.
        resumed = true;
        let Some(bin) = choice.pop() else { return Some(None) };
        if !spend(budget, 1) {
            return None;
        }
        if bin == bins {
            skipped -= 1;
            next = bins + 1;
        } else {
            for (dim, &size) in packing.size(order[choice.len()]).iter().enumerate() {
                room[bin * dims + dim] += size;
                free[dim] += u128::from(size);
            }
            next = bin + 1;
        }
    }
}

/// How often a size goes into a room, at most `most`.
pub fn seats(room: &[u64], size: &[u64], most: u64) -> u64 {
    room.iter().zip(size).filter_map(|(room, size)| room.checked_div(*size)).min().unwrap_or(most).min(most)
}

pub(super) fn fits(size: &[u64], room: &[u64]) -> bool {
    size.iter().zip(room).all(|(size, room)| size <= room)
}

pub(super) fn spend(budget: &mut u64, steps: usize) -> bool {
    let left = budget.checked_sub(steps as u64);
    *budget = left.unwrap_or(0);
    left.is_some()
}

/// The largest share that a vector has of the scale, in units of 2^-32.
pub(super) fn weight(vector: &[u64], scale: &[u64]) -> u64 {
    let share =
        |(&amount, &scale): (&u64, &u64)| ((u128::from(amount) << 32) / u128::from(scale.max(1))) as u64;
    vector.iter().zip(scale).map(share).max().unwrap_or(0)
}

/// The smallest share that a vector has of the scale, dimensions of scale 0 aside.
pub(super) fn thinnest(vector: &[u64], scale: &[u64]) -> u64 {
    let share = |(&amount, &scale): (&u64, &u64)| ((u128::from(amount) << 32) / u128::from(scale)) as u64;
    vector.iter().zip(scale).filter(|(_, scale)| **scale > 0).map(share).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Numbers that look random; the same on every machine.
    pub(in crate::propagator) struct Dice(pub(in crate::propagator) u64);

    impl Dice {
        pub(in crate::propagator) fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }
    }

    /// Every way to place the items, one after the other.
    pub(in crate::propagator) fn brute(dims: usize, sizes: &[Vec<u64>], room: &mut [Vec<u64>]) -> usize {
        let Some((size, rest)) = sizes.split_first() else { return 0 };
        let mut best = 1 + brute(dims, rest, room);
        for bin in 0..room.len() {
            if fits(size, &room[bin]) {
                (0..dims).for_each(|dim| room[bin][dim] -= size[dim]);
                best = best.min(brute(dims, rest, room));
                (0..dims).for_each(|dim| room[bin][dim] += size[dim]);
            }
        }
        best
    }

    fn solve(sizes: &[u64], room: &[u64]) -> Leftover {
        let packing = Packing { dims: 1, items: sizes.len(), sizes, bins: room.len(), room };
        leftover(&packing, 0, &mut 1_000_000)
    }

    #[test]
    fn by_hand() {
        assert_eq!(solve(&[], &[]), Leftover { left: vec![], at_least: 0 });
        assert_eq!(solve(&[0], &[]), Leftover { left: vec![0], at_least: 1 });
        assert_eq!(solve(&[7], &[5, 5]), Leftover { left: vec![0], at_least: 1 });
        assert_eq!(solve(&[5, 5], &[5, 5]).left, [0usize; 0]);
        // Neither fit alone finds 6 + 2 + 2 and 5 + 3 + 2.
        assert_eq!(solve(&[6, 5, 3, 2, 2, 2], &[10, 10]).left, [0usize; 0]);
        // Room for all in sum, but three large ones and two bins.
        assert_eq!(solve(&[4, 4, 4], &[7, 7]).at_least, 1);
        assert_eq!(solve(&[4, 4, 4], &[7, 7]).left.len(), 1);
    }

    #[test]
    fn as_many_left_over_as_trying_everything_says() {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let mut seen = [0; 4];
        for _ in 0..3000 {
            let dims = 1 + dice.below(3) as usize;
            let items = dice.below(7) as usize;
            let bins = dice.below(4) as usize;
            let mut vectors = |count: usize, end: u64| -> Vec<Vec<u64>> {
                (0..count).map(|_| (0..dims).map(|_| dice.below(end)).collect()).collect()
            };
            let (sizes, mut room) = (vectors(items, 6), vectors(bins, 12));
            let (flat_sizes, flat_room) = (sizes.concat(), room.concat());
            let packing = Packing { dims, items, sizes: &flat_sizes, bins, room: &flat_room };
            let found = leftover(&packing, 0, &mut 1_000_000);
            let expected = brute(dims, &sizes, &mut room);
            assert_eq!((found.left.len(), found.at_least), (expected, expected), "{sizes:?} in {room:?}");
            seen[expected.min(3)] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }

    #[test]
    fn without_a_budget_nothing_is_claimed() {
        let (sizes, room) = ([6, 5, 3, 2, 2, 2], [10, 10]);
        let packing = Packing { dims: 1, items: 6, sizes: &sizes, bins: 2, room: &room };
        for budget in 0..200 {
            let mut left = budget;
            let found = leftover(&packing, 0, &mut left);
            assert_eq!(found.at_least, 0, "{budget}");
            assert!(left <= budget);
        }
        assert_eq!(leftover(&packing, 0, &mut 0).left.len(), 6);
    }

    #[test]
    fn what_cannot_be_settled_ends_with_the_budget() {
        // 40 items of about a third of 13 bins, and no slack to speak of.
        let mut dice = Dice(7);
        let sizes: Vec<u64> = (0..40).map(|_| 330 + dice.below(9)).collect();
        let room = vec![1001; 13];
        let packing = Packing { dims: 1, items: 40, sizes: &sizes, bins: 13, room: &room };
        let mut budget = 100_000;
        let found = leftover(&packing, 0, &mut budget);
        assert!(found.at_least >= 1 && found.at_least <= found.left.len(), "{found:?}");
    }
}

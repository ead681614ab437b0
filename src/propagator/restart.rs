//! Can the items of any k bins that fail together be placed in the others?
//!
//! This is k-resilience as defined by Bin, Biran, Boni, Hadad, Kolodner, Moatti and
//! Lorenz ("Guaranteeing High Availability Goals for Virtual Machine Placement",
//! ICDCS 2011): for every set of k bins, the items in them fit into the room that is left
//! in the other bins, whose own items stay where they are. [`worst_crash`] looks for the
//! set that leaves the most items over. Crashes of fewer bins need not be looked at: the
//! items of a smaller set go where they go when the larger set fails.
//!
//! There are (n over k) sets, and each is a vector packing problem. In order of cost:
//!
//! 1. *Slots.* Take the largest size of all items that can be concerned as a slot; if the
//!    surviving bins have as many slots as items can be concerned, no set that is left
//!    harms. With the bins sorted by their largest item, the light ones go at once.
//! 2. *Symmetry.* Bins with equal room and equal items stand for each other.
//! 3. *One item a hole*, the largest holes first: almost always enough.
//! 4. *Greedy packing*, by best and by worst fit: at most so many are left over.
//! 5. *Counting bounds*: at least so many are left over.
//! 6. *Branch and bound* where the two differ; at most a given number of steps.

use super::leftover::Packing;
use super::leftover::fits;
use super::leftover::leftover;
use super::leftover::spend;
use super::leftover::thinnest;
use super::leftover::weight;

pub use super::leftover::seats;

/// Bins, what is in them and what else would fit.
#[derive(Clone, Copy, Debug)]
pub struct Crash<'a> {
    /// Number of dimensions.
    pub dims: usize,
    /// By bin, then dimension: the room that is left beside the items in the bin.
    pub room: &'a [u64],
    /// By bin: can it take items at all?
    pub open: &'a [bool],
    /// By bin: is it one of those that may fail? Bins that are not open never do.
    pub exposed: &'a [bool],
    /// By item, then dimension.
    pub sizes: &'a [u64],
    /// By bin: the items in it.
    pub guests: &'a [Vec<u32>],
}

/// The worst that can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashReport {
    /// The bins that fail together, in ascending order.
    pub bins: Vec<u32>,
    /// Items of theirs for which no place was found, in ascending order. Empty only
    /// where the budget ended before this set was looked at.
    pub left: Vec<u32>,
    /// At least so many items of these bins are left over whatever is done. Below the
    /// length of `left` only where the budget ended before the search did; 0 means that
    /// it is not even known whether the set does harm.
    pub at_least: usize,
    /// Was every set looked at, and every question answered? If not, another set may be worse.
    pub complete: bool,
}

/// The set of `failures` exposed bins whose items are hardest to place elsewhere; `None`
/// if the items of every set can be placed.
///
/// `budget` is what may be spent, in comparisons of an item with a bin (about a
/// nanosecond each), and is reduced by what was. The answer depends on nothing else. A
/// budget that runs out never yields `None`.
pub fn worst_crash(crash: &Crash<'_>, failures: usize, budget: &mut u64) -> Option<CrashReport> {
    Search::new(crash).run(failures, budget)
}

/// The loads that are missing where only sums are looked at: by dimension, by how much
/// the sum of all items exceeds what the bins can carry without the `failures` exposed
/// ones of the largest capacity. A shortfall proves that a crash cannot be survived, in
/// whatever way the items are placed before or after it.
///
/// `capacity` is by bin, then dimension; `load` is by dimension, over all bins.
pub fn aggregate_shortfall(
    dims: usize,
    capacity: &[u64],
    open: &[bool],
    exposed: &[bool],
    load: &[u64],
    failures: usize,
) -> Vec<u64> {
    (0..dims)
        .map(|dim| {
            let of = |bin: usize| capacity[bin * dims + dim];
            let total = (0..open.len()).filter(|&bin| open[bin]).map(|bin| u128::from(of(bin))).sum::<u128>();
            let mut at_risk: Vec<u64> =
                (0..open.len()).filter(|&bin| open[bin] && exposed[bin]).map(of).collect();
            at_risk.sort_unstable_by(|a, b| b.cmp(a));
            let lost = at_risk.iter().take(failures).map(|&lost| u128::from(lost)).sum::<u128>();
            u64::try_from(u128::from(load[dim]).saturating_sub(total - lost)).unwrap_or(u64::MAX)
        })
        .collect()
}

/// The slots that are missing: a slot is as large as the largest item in every dimension,
/// an item takes one, and the `failures` exposed bins with the most slots are lost.
/// Dimensions in which all items are 0 are passed over. Enough slots are enough room for
/// equal items; with unequal ones the test asks for more than is needed, and by its own
/// habit it looks at the slots of all bins, free or not.
///
/// `capacity` is by bin, then dimension; `slot` by dimension.
pub fn slots_shortfall(
    slot: &[u64],
    capacity: &[u64],
    open: &[bool],
    exposed: &[bool],
    items: u64,
    failures: usize,
) -> u64 {
    let dims = slot.len();
    let slots = |bin: usize| seats(&capacity[bin * dims..][..dims], slot, items);
    let total: u128 = (0..open.len()).filter(|&bin| open[bin]).map(|bin| u128::from(slots(bin))).sum();
    let mut at_risk: Vec<u64> = (0..open.len()).filter(|&bin| open[bin] && exposed[bin]).map(slots).collect();
    at_risk.sort_unstable_by(|a, b| b.cmp(a));
    let lost: u128 = at_risk.iter().take(failures).map(|&lost| u128::from(lost)).sum();
    u64::try_from(u128::from(items).saturating_sub(total - lost)).unwrap_or(u64::MAX)
}

struct Search<'a> {
    crash: Crash<'a>,
    /// The bins that may fail: by the weight of their largest item, the heaviest first;
    /// equal bins side by side.
    exposed: Vec<u32>,
    /// By position in `exposed`: is the bin equal to the one before?
    same: Vec<bool>,
    /// By position in `exposed`, then dimension: the largest size of an item from there on.
    largest: Vec<u64>,
    /// By position in `exposed`: the largest number of items of a bin from there on.
    most: Vec<usize>,
    /// All open bins, the roomiest first.
    roomy: Vec<u32>,
    /// By bin: its items, the heaviest first.
    guests: Vec<Vec<u32>>,
    /// By bin: does it fail in the set at hand?
    failed: Vec<bool>,
    /// The worst set known to do harm.
    worst: Option<CrashReport>,
    /// A set that may or may not do harm.
    undecided: Option<CrashReport>,
    complete: bool,
    /// What one set may spend, so that a hard one does not hide the others.
    share: u64,
}

impl<'a> Search<'a> {
    fn new(crash: &Crash<'a>) -> Self {
        let dims = crash.dims;
        let bins = crash.open.len();
        let mut scale = vec![0u64; dims];
        for vector in crash.sizes.chunks_exact(dims.max(1)) {
            for (scale, size) in scale.iter_mut().zip(vector) {
                *scale = (*scale).max(*size);
            }
        }
        let size = |item: u32| &crash.sizes[item as usize * dims..][..dims];
        let room = |bin: u32| &crash.room[bin as usize * dims..][..dims];
        let weights: Vec<u64> = (0..crash.sizes.len().checked_div(dims).unwrap_or(0))
            .map(|item| weight(size(item as u32), &scale))
            .collect();
        let weigh = |item: u32| weights.get(item as usize).copied().unwrap_or(0);
        let guests: Vec<Vec<u32>> = crash
            .guests
            .iter()
            .map(|items| {
                let mut items = items.clone();
                items.sort_by(|&a, &b| {
                    weigh(b).cmp(&weigh(a)).then_with(|| size(a).cmp(size(b))).then(a.cmp(&b))
                });
                items
            })
            .collect();

        let mut exposed: Vec<u32> =
            (0..bins as u32).filter(|&bin| crash.open[bin as usize] && crash.exposed[bin as usize]).collect();
        let heaviest = |bin: u32| guests[bin as usize].first().map_or(0, |&item| weigh(item));
        let content = |bin: u32| guests[bin as usize].iter().map(|&item| size(item));
        let order = |a: u32, b: u32| {
            heaviest(b)
                .cmp(&heaviest(a))
                .then_with(|| guests[b as usize].len().cmp(&guests[a as usize].len()))
                .then_with(|| content(a).cmp(content(b)))
                .then_with(|| room(a).cmp(room(b)))
        };
        exposed.sort_by(|&a, &b| order(a, b).then(a.cmp(&b)));
        let same =
            (0..exposed.len()).map(|at| at > 0 && order(exposed[at - 1], exposed[at]).is_eq()).collect();

        let mut largest = vec![0; (exposed.len() + 1) * dims];
        let mut most = vec![0; exposed.len() + 1];
        for (at, &bin) in exposed.iter().enumerate().rev() {
            let (before, after) = largest.split_at_mut((at + 1) * dims);
            let here = &mut before[at * dims..];
            here.copy_from_slice(&after[..dims]);
            for size in content(bin) {
                for (here, size) in here.iter_mut().zip(size) {
                    *here = (*here).max(*size);
                }
            }
            most[at] = guests[bin as usize].len().max(most[at + 1]);
        }

        let mut roomy: Vec<u32> = (0..bins as u32).filter(|&bin| crash.open[bin as usize]).collect();
        roomy.sort_by_cached_key(|&bin| (std::cmp::Reverse(thinnest(room(bin), &scale)), bin));
        Self {
            crash: *crash,
            exposed,
            same,
            largest,
            most,
            roomy,
            guests,
            failed: vec![false; bins],
            worst: None,
            undecided: None,
            complete: true,
            share: u64::MAX,
        }
    }

    fn size(&self, item: u32) -> &'a [u64] {
        &self.crash.sizes[item as usize * self.crash.dims..][..self.crash.dims]
    }

    fn room(&self, bin: u32) -> &'a [u64] {
        &self.crash.room[bin as usize * self.crash.dims..][..self.crash.dims]
    }

    fn run(mut self, failures: usize, budget: &mut u64) -> Option<CrashReport> {
        self.share = (*budget / 8).max(100_000);
        let failures = failures.min(self.exposed.len());
        if failures == 0 {
            return None;
        }
        // `chosen` are positions in `exposed`, ascending; `ends[d]` is the position from
        // which on nothing that is added at depth d does harm.
        let mut chosen: Vec<usize> = Vec::new();
        let mut ends = vec![self.harmless_from(&chosen, 0, failures, budget)];
        let mut next = 0;
        loop {
            let missing = failures - chosen.len();
            let first = chosen.last().map_or(0, |&last| last + 1);
            let end = ends.last().copied().unwrap_or(0);
            if *budget == 0 {
                self.complete = false;
                break;
            }
            // Positions that start a set that is long enough and does harm, perhaps.
            if next >= end
                || next + missing > self.exposed.len()
                || !self.can_be_worse(&chosen, next, missing)
            {
                ends.pop();
                let Some(last) = chosen.pop() else { break };
                self.failed[self.exposed[last] as usize] = false;
                next = last + 1;
                continue;
            }
            // An equal bin was passed over at this depth: its sets stand for these.
            if next > first && self.same[next] {
                next += 1;
                continue;
            }
            chosen.push(next);
            self.failed[self.exposed[next] as usize] = true;
            if missing > 1 {
                ends.push(self.harmless_from(&chosen, next + 1, missing - 1, budget));
            } else {
                self.evaluate(&chosen, budget);
                chosen.pop();
                self.failed[self.exposed[next] as usize] = false;
            }
            next += 1;
        }
        if !self.complete && self.worst.is_none() && self.undecided.is_none() {
            let mut bins: Vec<u32> = chosen.iter().map(|&at| self.exposed[at]).collect();
            bins.sort_unstable();
            return Some(CrashReport { bins, left: Vec::new(), at_least: 0, complete: false });
        }
        let complete = self.complete;
        self.worst.or(self.undecided).map(|worst| CrashReport { complete, ..worst })
    }

    /// Could a set that adds `missing` bins from `next` on leave more items over than the
    /// worst one so far?
    fn can_be_worse(&self, chosen: &[usize], next: usize, missing: usize) -> bool {
        let so_far: usize = chosen.iter().map(|&at| self.guests[self.exposed[at] as usize].len()).sum();
        let concerned = so_far.saturating_add(missing.saturating_mul(self.most[next]));
        concerned > self.worst.as_ref().map_or(0, |worst| worst.left.len())
    }

    /// The first position such that no `missing` bins from there on do harm together
    /// with the chosen ones. Exact only in that what it says does no harm does none.
    fn harmless_from(&self, chosen: &[usize], from: usize, missing: usize, budget: &mut u64) -> usize {
        if self.harmless(chosen, from, missing, budget) {
            return from;
        }
        let (mut low, mut high) = (from + 1, self.exposed.len());
        // Just above the leaves, looking for the position pays only where it is near.
        if missing == 1 && !chosen.is_empty() {
            let middle = low + (high - low) / 2;
            if !self.harmless(chosen, middle, missing, budget) {
                return high;
            }
            high = middle;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.harmless(chosen, middle, missing, budget) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The slot test: room for all that can be concerned, were they all as large as the largest.
    fn harmless(&self, chosen: &[usize], from: usize, missing: usize, budget: &mut u64) -> bool {
        let dims = self.crash.dims;
        if !spend(budget, self.roomy.len()) {
            return false;
        }
        let mut slot = self.largest[from * dims..][..dims].to_vec();
        let mut items = missing.saturating_mul(self.most[from]);
        for &at in chosen {
            let guests = &self.guests[self.exposed[at] as usize];
            items = items.saturating_add(guests.len());
            for &item in guests {
                for (slot, size) in slot.iter_mut().zip(self.size(item)) {
                    *slot = (*slot).max(*size);
                }
            }
        }
        let needed = items as u64;
        let (mut total, mut best) = (0u64, 0u64);
        for &bin in &self.roomy {
            if !self.failed[bin as usize] {
                let seats = seats(self.room(bin), &slot, needed);
                total = total.saturating_add(seats);
                best = best.max(seats);
            }
        }
        total.saturating_sub(best.saturating_mul(missing as u64)) >= needed
    }

    /// Looks at one set. `failed` marks its bins.
    fn evaluate(&mut self, chosen: &[usize], budget: &mut u64) {
        let bins = || chosen.iter().map(|&at| self.exposed[at]);
        let concerned: usize = bins().map(|bin| self.guests[bin as usize].len()).sum();
        let worst = self.worst.as_ref().map_or(0, |worst| worst.left.len());
        if concerned <= worst || self.one_each(chosen, budget) {
            return;
        }
        let victims: Vec<u32> = bins().flat_map(|bin| self.guests[bin as usize].iter().copied()).collect();
        let mut sizes = Vec::with_capacity(victims.len() * self.crash.dims);
        let mut smallest = vec![u64::MAX; self.crash.dims];
        for &item in &victims {
            let size = self.size(item);
            sizes.extend_from_slice(size);
            for (smallest, size) in smallest.iter_mut().zip(size) {
                *smallest = (*smallest).min(*size);
            }
        }
        let mut holes = Vec::new();
        let mut hole_count = 0;
        for &bin in &self.roomy {
            if !self.failed[bin as usize] && fits(&smallest, self.room(bin)) {
                holes.extend_from_slice(self.room(bin));
                hole_count += 1;
            }
        }
        // A packing that is broken off says nothing about the set.
        let whole = 2 * victims.len().saturating_mul(hole_count) as u64;
        if !spend(budget, self.roomy.len()) || *budget < whole {
            *budget = 0;
            self.complete = false;
            return;
        }
        let packing = Packing {
            dims: self.crash.dims,
            items: victims.len(),
            sizes: &sizes,
            bins: hole_count,
            room: &holes,
        };
        let mut share = self.share.max(whole).min(*budget);
        *budget -= share;
        let result = leftover(&packing, worst, &mut share);
        *budget += share;
        if result.left.len() <= worst {
            return;
        }
        if result.at_least < result.left.len() {
            self.complete = false;
        }
        let mut left: Vec<u32> = result.left.iter().map(|&at| victims[at]).collect();
        left.sort_unstable();
        let mut bins: Vec<u32> = bins().collect();
        bins.sort_unstable();
        let report = CrashReport { bins, left, at_least: result.at_least, complete: true };
        if report.at_least == 0 {
            self.undecided.get_or_insert(report);
        } else {
            self.worst = Some(report);
        }
    }

    /// One item a hole, the roomiest holes first. True if all found one.
    fn one_each(&self, chosen: &[usize], budget: &mut u64) -> bool {
        let mut holes = self.roomy.iter().filter(|&&bin| !self.failed[bin as usize]);
        let mut steps = 1;
        let mut all = true;
        'items: for &at in chosen {
            for &item in &self.guests[self.exposed[at] as usize] {
                // A roomy bin may be short in one dimension; a few misses are forgiven.
                let found = holes.by_ref().take(4).any(|&bin| {
                    steps += 1;
                    fits(self.size(item), self.room(bin))
                });
                if !found {
                    all = false;
                    break 'items;
                }
            }
        }
        spend(budget, steps) && all
    }
}

#[cfg(test)]
mod tests {
    use super::super::leftover::tests::Dice;
    use super::super::leftover::tests::brute;
    use super::*;

    /// Bins of a capacity in each dimension, with the sizes of their items.
    struct Bins {
        dims: usize,
        room: Vec<u64>,
        open: Vec<bool>,
        exposed: Vec<bool>,
        sizes: Vec<u64>,
        guests: Vec<Vec<u32>>,
    }

    impl Bins {
        fn new(capacity: &[u64], content: &[&[&[u64]]]) -> Self {
            let dims = capacity.len();
            let (mut room, mut sizes, mut guests) = (Vec::new(), Vec::new(), Vec::new());
            for items in content {
                let first = sizes.len() / dims;
                guests.push((first as u32..(first + items.len()) as u32).collect());
                sizes.extend(items.iter().flat_map(|size| size.iter()));
                room.extend(
                    (0..dims).map(|dim| capacity[dim] - items.iter().map(|size| size[dim]).sum::<u64>()),
                );
            }
            let bins = content.len();
            Self { dims, room, open: vec![true; bins], exposed: vec![true; bins], sizes, guests }
        }

        fn one_dim(capacity: u64, content: &[&[u64]]) -> Self {
            let content: Vec<Vec<&[u64]>> =
                content.iter().map(|items| items.iter().map(std::slice::from_ref).collect()).collect();
            let content: Vec<&[&[u64]]> = content.iter().map(Vec::as_slice).collect();
            Self::new(&[capacity], &content)
        }

        fn worst(&self, failures: usize, mut budget: u64) -> Option<CrashReport> {
            let Self { dims, room, open, exposed, sizes, guests } = self;
            let crash = Crash { dims: *dims, room, open, exposed, sizes, guests };
            worst_crash(&crash, failures, &mut budget)
        }

        /// Every set, every way: the fewest items left over by the worst set.
        fn brute(&self, failures: usize) -> usize {
            let bins: Vec<usize> =
                (0..self.open.len()).filter(|&b| self.open[b] && self.exposed[b]).collect();
            let failures = failures.min(bins.len());
            let vector = |all: &[u64], at: usize| all[at * self.dims..][..self.dims].to_vec();
            let mut worst = 0;
            for set in 0..1u32 << bins.len() {
                if set.count_ones() as usize != failures {
                    continue;
                }
                let fails =
                    |bin: usize| bins.iter().position(|&b| b == bin).is_some_and(|at| set >> at & 1 == 1);
                let mut room: Vec<Vec<u64>> = (0..self.open.len())
                    .filter(|&bin| self.open[bin] && !fails(bin))
                    .map(|bin| vector(&self.room, bin))
                    .collect();
                let victims: Vec<Vec<u64>> = (0..self.open.len())
                    .filter(|&bin| fails(bin))
                    .flat_map(|bin| self.guests[bin].iter().map(|&item| vector(&self.sizes, item as usize)))
                    .collect();
                worst = worst.max(brute(self.dims, &victims, &mut room));
            }
            worst
        }
    }

    const ENOUGH: u64 = 1_000_000;

    #[test]
    fn one_large_item_and_room_for_it() {
        let bins = Bins::one_dim(10, &[&[6], &[1, 1, 1, 1], &[1, 1, 1, 1]]);
        assert_eq!(bins.worst(1, ENOUGH), None);
    }

    #[test]
    fn room_in_sum_is_not_enough() {
        let bins = Bins::one_dim(10, &[&[7], &[5], &[5]]);
        let report = bins.worst(1, ENOUGH);
        assert_eq!(report, Some(CrashReport { bins: vec![0], left: vec![0], at_least: 1, complete: true }));
        // Holes of 3, 3 and 6: the last one's 4 finds none of the first two.
        let bins = Bins::one_dim(10, &[&[4, 3], &[4, 3], &[4]]);
        let report = bins.worst(1, ENOUGH).map(|report| (report.bins, report.left));
        assert_eq!(report, Some((vec![2], vec![4])));
        // One item moved from the second to the first mends it.
        assert_eq!(Bins::one_dim(10, &[&[4, 3, 3], &[4], &[4]]).worst(1, ENOUGH), None);
        assert!(Bins::one_dim(10, &[&[6], &[6], &[6]]).worst(1, ENOUGH).is_some());
    }

    #[test]
    fn several_at_once() {
        let bins = Bins::one_dim(10, &[&[3, 2][..]; 4]);
        assert_eq!(bins.worst(2, ENOUGH), None);
        let report = bins.worst(3, ENOUGH).map(|report| (report.bins, report.left.len(), report.at_least));
        assert_eq!(report, Some((vec![0, 1, 2], 4, 4)));
        // More failures than bins: nothing is left to go to.
        let report = bins.worst(9, ENOUGH).map(|report| report.left.len());
        assert_eq!(report, Some(8));
        assert_eq!(bins.worst(0, ENOUGH), None);
    }

    #[test]
    fn a_spare_bin_takes_one_failure() {
        let mut bins = Bins::one_dim(10, &[&[4, 4], &[4, 3], &[5], &[]]);
        bins.room[..3].fill(0);
        bins.exposed[3] = false;
        assert_eq!(bins.worst(1, ENOUGH), None);
        let report = bins.worst(2, ENOUGH).map(|report| (report.bins, report.left.len()));
        assert_eq!(report, Some((vec![0, 1], 2)));
        // Not if it is closed.
        bins.open[3] = false;
        assert!(bins.worst(1, ENOUGH).is_some());
    }

    #[test]
    fn every_dimension_counts() {
        let fits = Bins::new(&[10, 10], &[&[&[6, 1]], &[&[1, 6]], &[&[1, 1]]]);
        assert_eq!(fits.worst(1, ENOUGH), None);
        let crossed = Bins::new(&[10, 10], &[&[&[6, 5]], &[&[5, 1]], &[&[1, 6]]]);
        assert_eq!(crossed.worst(1, ENOUGH).map(|report| report.bins), Some(vec![0]));
    }

    #[test]
    fn as_bad_as_trying_everything_says() {
        let mut dice = Dice(0x2545_F491_4F6C_DD1D);
        let mut seen = [0; 3];
        for _ in 0..4000 {
            let dims = 1 + dice.below(2) as usize;
            let count = 1 + dice.below(5) as usize;
            let (mut sizes, mut guests, mut room) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..count {
                let items = dice.below(3) as u32;
                let first = (sizes.len() / dims) as u32;
                guests.push((first..first + items).collect());
                sizes.extend((0..items as usize * dims).map(|_| dice.below(5)));
                room.extend((0..dims).map(|_| dice.below(10)));
            }
            let open = (0..count).map(|_| dice.below(8) > 0).collect();
            let exposed = (0..count).map(|_| dice.below(8) > 0).collect();
            let bins = Bins { dims, room, open, exposed, sizes, guests };
            for failures in 1..4 {
                let report = bins.worst(failures, ENOUGH);
                let expected = bins.brute(failures);
                let found = report.as_ref().map_or(0, |report| report.left.len());
                assert_eq!(found, expected, "{:?} {:?} {:?} {report:?}", bins.room, bins.sizes, bins.guests);
                assert!(report.is_none_or(|report| report.complete && report.at_least == expected));
                seen[expected.min(2)] += 1;
            }
        }
        assert!(seen.iter().all(|&count| count > 500), "{seen:?}");
    }

    #[test]
    fn a_small_budget_never_says_that_all_is_well_when_it_is_not() {
        let broken = Bins::one_dim(10, &[&[1], &[1], &[4, 3], &[4, 3], &[4, 3, 3], &[4, 3, 3]]);
        let expected = broken.brute(3);
        assert!(expected > 0);
        for budget in 0..400 {
            let report = broken.worst(3, budget);
            let report = report.unwrap_or_else(|| panic!("nothing found with {budget}"));
            assert!(report.at_least <= expected, "{budget}: {report:?}");
            assert!(!report.complete || report.left.len() == expected, "{budget}: {report:?}");
        }
    }

    #[test]
    fn many_bins_are_settled_within_few_steps() {
        let mut dice = Dice(11);
        let count = 5000;
        let (mut sizes, mut guests, mut room) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let mut free = [32u64, 64];
            let mut items = Vec::new();
            for _ in 0..6 {
                let size = [1 + dice.below(4), 1 + dice.below(9)];
                if free[0] >= size[0] && free[1] >= size[1] {
                    items.push((sizes.len() / 2) as u32);
                    sizes.extend(size);
                    free = [free[0] - size[0], free[1] - size[1]];
                }
            }
            guests.push(items);
            room.extend(free);
        }
        let bins = Bins { dims: 2, room, open: vec![true; count], exposed: vec![true; count], sizes, guests };
        assert_eq!(bins.worst(1, 1_000_000), None);
        assert_eq!(bins.worst(2, 1_000_000), None);
        assert_eq!(bins.worst(3, 1_000_000), None);
    }

    #[test]
    fn sums_and_slots() {
        let all = [true; 3];
        // FT by sums: what is left without the largest bin.
        assert_eq!(aggregate_shortfall(1, &[10, 10, 10], &all, &all, &[18], 1), [0]);
        assert_eq!(aggregate_shortfall(1, &[9, 6, 6], &all, &all, &[13], 1), [1]);
        assert_eq!(aggregate_shortfall(1, &[9, 6, 6], &all, &[false, true, true], &[13], 1), [0]);
        // Slots of 2 and 2: 4, 3 and 3; five items.
        let capacity = [9, 9, 9, 6, 6, 6];
        assert_eq!(slots_shortfall(&[2, 2], &capacity, &all, &all, 5, 1), 0);
        assert_eq!(slots_shortfall(&[2, 2], &capacity, &all, &all, 5, 2), 2);
        // A dimension that nobody asks for does not count.
        assert_eq!(slots_shortfall(&[0, 0], &capacity, &all, &all, 5, 2), 0);
        assert_eq!(slots_shortfall(&[0, 0], &capacity, &all, &all, 5, 3), 5);
    }
}

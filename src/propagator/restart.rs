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

/// How many items do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Indices of the items for which no place was found.
    pub left: Vec<usize>,
    /// No packing leaves fewer. Equal to the length of `left` where that is proved.
    pub at_least: usize,
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

/// How often a size goes into a room, at most `most`.
pub fn seats(room: &[u64], size: &[u64], most: u64) -> u64 {
    room.iter().zip(size).filter_map(|(room, size)| room.checked_div(*size)).min().unwrap_or(most).min(most)
}

fn fits(size: &[u64], room: &[u64]) -> bool {
    size.iter().zip(room).all(|(size, room)| size <= room)
}

fn spend(budget: &mut u64, steps: usize) -> bool {
    let left = budget.checked_sub(steps as u64);
    *budget = left.unwrap_or(0);
    left.is_some()
}

/// The largest share that a vector has of the scale, in units of 2^-32.
fn weight(vector: &[u64], scale: &[u64]) -> u64 {
    let share =
        |(&amount, &scale): (&u64, &u64)| ((u128::from(amount) << 32) / u128::from(scale.max(1))) as u64;
    vector.iter().zip(scale).map(share).max().unwrap_or(0)
}

/// The smallest share that a vector has of the scale, dimensions of scale 0 aside.
fn thinnest(vector: &[u64], scale: &[u64]) -> u64 {
    let share = |(&amount, &scale): (&u64, &u64)| ((u128::from(amount) << 32) / u128::from(scale)) as u64;
    vector.iter().zip(scale).filter(|(_, scale)| **scale > 0).map(share).min().unwrap_or(u64::MAX)
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
    worst: Option<CrashReport>,
    complete: bool,
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
            complete: true,
        }
    }

    fn size(&self, item: u32) -> &'a [u64] {
        &self.crash.sizes[item as usize * self.crash.dims..][..self.crash.dims]
    }

    fn room(&self, bin: u32) -> &'a [u64] {
        &self.crash.room[bin as usize * self.crash.dims..][..self.crash.dims]
    }

    fn run(mut self, failures: usize, budget: &mut u64) -> Option<CrashReport> {
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
        if !self.complete && self.worst.is_none() {
            let mut bins: Vec<u32> = chosen.iter().map(|&at| self.exposed[at]).collect();
            bins.sort_unstable();
            return Some(CrashReport { bins, left: Vec::new(), at_least: 0, complete: false });
        }
        let complete = self.complete;
        self.worst.map(|worst| CrashReport { complete, ..worst })
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
        // One deep below the root the leaves cost less than looking for the position.
        if missing == 1 && !chosen.is_empty() {
            return self.exposed.len();
        }
        let (mut low, mut high) = (from + 1, self.exposed.len());
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
        if !spend(budget, self.roomy.len()) {
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
        let result = leftover(&packing, worst, budget);
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
        self.worst = Some(CrashReport { bins, left, at_least: result.at_least, complete: true });
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

/// The fewest items that find no room; a packing that leaves over no more than `enough`
/// will do. `budget` as in [`worst_crash`].
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

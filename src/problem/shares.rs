//! What each bin of a set takes of something while it is open.

use super::BitSet;

/// Bins, and what each of them takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shares {
    bins: BitSet,
    /// By bin, 0 outside the set; empty where each takes one.
    amounts: Vec<u64>,
}

impl Shares {
    /// One for each bin of a set.
    pub fn equal(bins: BitSet) -> Self {
        Self { bins, amounts: Vec::new() }
    }

    /// For each bin of a set what it says; `amounts` by bin, for all that there are.
    pub fn new(bins: BitSet, mut amounts: Vec<u64>) -> Self {
        (0u32..)
            .zip(&mut amounts)
            .filter(|(bin, _)| !bins.contains(*bin))
            .for_each(|(_, amount)| *amount = 0);
        Self { bins, amounts }
    }

    /// The set.
    pub fn bins(&self) -> &BitSet {
        &self.bins
    }

    /// Is the bin one of them?
    pub fn contains(&self, bin: u32) -> bool {
        self.bins.contains(bin)
    }

    /// The bins, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.bins.iter()
    }

    /// Does each take as much as any other?
    pub fn are_equal(&self) -> bool {
        self.amounts.is_empty()
    }

    /// What a bin takes.
    pub fn of(&self, bin: u32) -> u64 {
        match self.amounts.get(bin as usize) {
            Some(&amount) => amount,
            None => u64::from(self.bins.contains(bin)),
        }
    }

    /// What those bins take together that are open.
    pub fn sum(&self, is_open: impl Fn(u32) -> bool) -> u64 {
        self.iter().filter(|&bin| is_open(bin)).map(|bin| self.of(bin)).fold(0, u64::saturating_add)
    }

    /// No more of these bins take so much together: as many as the smallest.
    pub fn most(&self, bins: impl Iterator<Item = u32>, limit: u64) -> u64 {
        if self.are_equal() {
            return limit.min(bins.count() as u64);
        }
        let mut amounts: Vec<u64> = bins.map(|bin| self.of(bin)).collect();
        amounts.sort_unstable();
        let mut sum = 0u64;
        let fits = amounts.iter().take_while(|&&amount| {
            sum = sum.saturating_add(amount);
            sum <= limit
        });
        fits.count() as u64
    }

    /// So many of these bins take at least so much together: no more than the largest.
    pub fn fewest(&self, bins: impl Iterator<Item = u32>, amount: u64) -> u64 {
        let mut amounts: Vec<u64> = bins.map(|bin| self.of(bin)).collect();
        amounts.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = amount;
        let taken = amounts.iter().take_while(|&&amount| {
            let lacks = left > 0;
            left = left.saturating_sub(amount);
            lacks
        });
        taken.count() as u64
    }

    /// The same for a part of the bins, numbered anew: `from` has the old number of each.
    pub fn part(&self, bins: BitSet, from: &[u32]) -> Self {
        if self.are_equal() {
            return Self::equal(bins);
        }
        Self::new(bins, from.iter().map(|&bin| self.of(bin)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bins_take_together() {
        let mut set = BitSet::empty(5);
        [0, 1, 3].into_iter().for_each(|bin| set.insert(bin));
        let equal = Shares::equal(set.clone());
        let shares = Shares::new(set, vec![50, 200, 7, 100, 7]);
        assert_eq!((equal.of(1), equal.of(2), shares.of(1), shares.of(2)), (1, 0, 200, 0));
        assert_eq!((equal.sum(|bin| bin > 0), shares.sum(|bin| bin > 0)), (2, 300));
        assert_eq!(
            [0, 49, 50, 150, 349, 350].map(|limit| shares.most(shares.iter(), limit)),
            [0, 0, 1, 2, 2, 3]
        );
        assert_eq!((equal.most(equal.iter(), 2), equal.most(equal.iter(), 9)), (2, 3));
        assert_eq!(
            [0, 1, 200, 201, 301, 999].map(|amount| shares.fewest(shares.iter(), amount)),
            [0, 1, 1, 2, 3, 3]
        );
        let mut own = BitSet::empty(2);
        own.insert(1);
        assert_eq!(shares.part(own.clone(), &[2, 3]), Shares::new(own.clone(), vec![0, 100]));
        assert_eq!(equal.part(own.clone(), &[2, 3]), Shares::equal(own));
    }
}

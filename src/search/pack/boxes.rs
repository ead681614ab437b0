//! The question of packing alone: kinds of items, classes of bins, as few bins as can be.

use std::collections::BTreeMap;

/// Items of several kinds, to be put into bins of several classes. Items of a kind are
/// alike, bins of a class are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boxes {
    /// Number of dimensions.
    pub dims: usize,
    /// By kind: how many items there are of it.
    pub count: Vec<u32>,
    /// By kind and dimension.
    pub size: Vec<u64>,
    /// By class: how many bins there are of it.
    pub bins: Vec<u32>,
    /// By class: does using a bin of it cost anything? (Others are open in any case.)
    pub paid: Vec<bool>,
    /// By class and dimension.
    pub capacity: Vec<u64>,
    /// By kind and class: may such an item be in such a bin? Never where it is too large.
    pub fits: Vec<bool>,
}

/// What is in a bin: (kind, how many), by kind.
pub type Content = Vec<(u32, u32)>;

/// A bin in use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filled {
    /// Its class.
    pub class: u32,
    /// What is in it.
    pub content: Content,
}

impl Boxes {
    /// Number of kinds.
    pub fn kinds(&self) -> usize {
        self.count.len()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.bins.len()
    }

    /// Number of items.
    pub fn items(&self) -> u64 {
        self.count.iter().map(|&count| u64::from(count)).sum()
    }

    /// Size of an item of a kind.
    #[inline]
    pub fn size(&self, kind: usize) -> &[u64] {
        &self.size[kind * self.dims..(kind + 1) * self.dims]
    }

    /// Capacity of a bin of a class.
    #[inline]
    pub fn capacity(&self, class: usize) -> &[u64] {
        &self.capacity[class * self.dims..(class + 1) * self.dims]
    }

    /// May an item of the kind be in a bin of the class?
    #[inline]
    pub fn fits(&self, kind: usize, class: usize) -> bool {
        self.fits[kind * self.classes() + class]
    }

    /// The same with fewer kinds: sizes are rounded down, so that no more than so many kinds
    /// are left, or as few as rounding to multiples of half of the largest size leaves.
    pub fn rounded(&self, most: usize) -> Self {
        let largest: Vec<u64> = (0..self.dims)
            .map(|dim| (0..self.kinds()).map(|kind| self.size(kind)[dim]).max().unwrap_or(0))
            .collect();
        let mut levels = 64;
        loop {
            let mut rows: BTreeMap<(Vec<u64>, Vec<bool>), u32> = BTreeMap::new();
            for kind in 0..self.kinds() {
                let size = self.size(kind).iter().zip(&largest);
                let size =
                    size.map(|(&size, &largest)| size - size % largest.div_ceil(levels).max(1)).collect();
                let fits = (0..self.classes()).map(|class| self.fits(kind, class)).collect();
                *rows.entry((size, fits)).or_default() += self.count[kind];
            }
            if rows.len() <= most || levels <= 2 {
                return Self {
                    count: rows.values().copied().collect(),
                    size: rows.keys().flat_map(|row| row.0.iter().copied()).collect(),
                    fits: rows.keys().flat_map(|row| row.1.iter().copied()).collect(),
                    ..self.clone()
                };
            }
            levels /= 2;
        }
    }

    /// How many of these bins cost something.
    pub fn price(&self, packing: &[Filled]) -> u64 {
        packing.iter().filter(|bin| self.paid[bin.class as usize]).count() as u64
    }

    /// Is everything in a bin that it may be in, and no bin too full?
    pub fn is_packing(&self, packing: &[Filled]) -> bool {
        let mut left: Vec<i64> = self.count.iter().map(|&count| i64::from(count)).collect();
        let mut bins: Vec<i64> = self.bins.iter().map(|&bins| i64::from(bins)).collect();
        for bin in packing {
            let class = bin.class as usize;
            bins[class] -= 1;
            let mut load = vec![0u128; self.dims];
            for &(kind, many) in &bin.content {
                if !self.fits(kind as usize, class) {
                    return false;
                }
                left[kind as usize] -= i64::from(many);
                for (load, &size) in load.iter_mut().zip(self.size(kind as usize)) {
                    *load += u128::from(size) * u128::from(many);
                }
            }
            if load.iter().zip(self.capacity(class)).any(|(&load, &most)| load > u128::from(most)) {
                return false;
            }
        }
        left.iter().all(|&left| left == 0) && bins.iter().all(|&bins| bins >= 0)
    }
}

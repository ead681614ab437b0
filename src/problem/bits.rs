//! A set of small integers.

/// A set of integers below a fixed length, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BitSet {
    words: Vec<u64>,
    len: usize,
}

impl BitSet {
    /// The empty set of integers below `len`.
    pub fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// All integers below `len`.
    pub fn full(len: usize) -> Self {
        let mut set = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        if !len.is_multiple_of(64)
            && let Some(last) = set.words.last_mut()
        {
            *last = (1 << (len % 64)) - 1;
        }
        set
    }

    /// The bound that all members are below.
    pub fn bound(&self) -> usize {
        self.len
    }

    /// Is it a member?
    #[inline]
    pub fn contains(&self, value: u32) -> bool {
        self.words.get(value as usize / 64).is_some_and(|word| word >> (value % 64) & 1 == 1)
    }

    /// Adds a value below the bound.
    pub fn insert(&mut self, value: u32) {
        self.words[value as usize / 64] |= 1 << (value % 64);
    }

    /// Removes a value.
    pub fn remove(&mut self, value: u32) {
        self.words[value as usize / 64] &= !(1 << (value % 64));
    }

    /// Keeps what the other set has too.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Is there no member?
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Has the other set every member of this one?
    pub fn is_within(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(word, other)| word & !other == 0)
    }

    /// Adds what the other set has.
    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Number of members.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Is every integer below the bound a member?
    pub fn is_full(&self) -> bool {
        self.count() == self.len
    }

    /// The only member, if there is just one.
    pub fn only(&self) -> Option<u32> {
        let mut members = self.iter();
        members.next().filter(|_| members.next().is_none())
    }

    /// The members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let mut set = BitSet::empty(130);
        for value in [0, 63, 64, 129] {
            set.insert(value);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        set.remove(64);
        assert_eq!((set.count(), set.only()), (3, None));
        let mut one = BitSet::empty(130);
        assert_eq!(one.only(), None);
        one.insert(129);
        assert_eq!(one.only(), Some(129));
        assert!(!set.contains(64) && set.contains(129) && !set.contains(500));
        let mut full = BitSet::full(130);
        assert!(full.is_full());
        assert!(set.is_within(&full) && !full.is_within(&set) && !set.is_empty());
        full.intersect(&set);
        assert_eq!(full, set);
        one.unite(&set);
        assert_eq!(one, set);
        assert!(BitSet::empty(130).is_empty());
    }
}

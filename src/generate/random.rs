//! Random numbers that are the same on every machine and in every version.

use crate::random::Random as SplitMix64;

/// xoshiro256** (Blackman and Vigna, 2018), seeded by [`SplitMix64`].
#[derive(Clone, Debug)]
pub(super) struct Random([u64; 4]);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut seeds = SplitMix64::new(seed);
        Self(std::array::from_fn(|_| seeds.bits()))
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 to `limit - 1`; 0 where `limit` is 0. The bias of the
    /// multiplication is below 2^-32 for the limits used here.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below((high - low) as usize + 1) as u32
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_the_same() {
        // From an independent transcription of the published algorithms.
        let mut random = Random::new(0);
        assert_eq!(random.0[0], 0xE220_A839_7B1D_CDAF);
        let drawn: [u64; 3] = std::array::from_fn(|_| random.next());
        assert_eq!(drawn, [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0]);
    }

    #[test]
    fn ranges_are_met_and_kept() {
        let mut random = Random::new(3);
        let mut seen = [0u32; 6];
        for _ in 0..6_000 {
            seen[random.between(10, 15) as usize - 10] += 1;
        }
        assert!(seen.iter().all(|&times| (800..1_200).contains(&times)), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert!(random.percent(100) && !random.percent(0));
    }
}

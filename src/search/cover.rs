//! The fewest items that must leave a bin.
//!
//! A covering knapsack in a few dimensions (Martello and Toth 1990, chapter 2, for one
//! dimension): each row says how much must go, each item how much of each row goes with
//! it. Depth-first, largest first, with a counting bound per row.

/// What must be covered, and by whom.
#[derive(Clone, Debug, Default)]
pub struct Cover {
    /// By row: how much must go.
    pub need: Vec<u64>,
    /// By item: how much of each row it takes along.
    pub weight: Vec<Vec<u64>>,
}

/// Sets of items, by their position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covers {
    /// The fewest items of any cover.
    pub fewest: u32,
    /// Covers of that size: all of them, or the first so many.
    pub sets: Vec<Vec<u32>>,
    /// Is `fewest` proved and `sets` all of them?
    pub complete: bool,
}

impl Cover {
    /// The fewest items that cover all rows, with up to `most` such sets. `None` when
    /// all items together do not. Looks at no more than `budget` partial sets; when
    /// that does not suffice `fewest` is a lower bound and there may be no set.
    pub fn solve(&self, most: usize, budget: &mut u64) -> Option<Covers> {
        let items = self.weight.len();
        for (row, &need) in self.need.iter().enumerate() {
            let sum: u64 = self.weight.iter().map(|weight| weight[row]).sum();
            if sum < need {
                return None;
            }
        }
        if self.need.iter().all(|&need| need == 0) {
            return Some(Covers { fewest: 0, sets: vec![Vec::new()], complete: true });
        }
        // Largest share of what is needed first.
        let share = |item: usize| -> u64 {
            self.need
                .iter()
                .zip(&self.weight[item])
                .filter(|(need, _)| **need > 0)
                .map(|(need, weight)| ((u128::from((*weight).min(*need)) << 20) / u128::from(*need)) as u64)
                .sum()
        };
        let mut order: Vec<u32> = (0..items as u32).collect();
        order.sort_by_key(|&item| (std::cmp::Reverse(share(item as usize)), item));
        // By row: weights sorted downwards, for each suffix of the order. The k largest
        // of a suffix bound what k more items can cover.
        let mut size = self.fewest_by_rows(&order, 0, &self.need) as usize;
        let mut covers = Covers { fewest: size as u32, sets: Vec::new(), complete: true };
        while size <= items {
            let mut chosen = Vec::new();
            let done = self.descend(
                &order,
                0,
                size,
                &self.need.clone(),
                &mut chosen,
                &mut covers.sets,
                most,
                budget,
            );
            covers.fewest = size as u32;
            if !done {
                covers.complete = false;
                return Some(covers);
            }
            if !covers.sets.is_empty() {
                covers.complete = covers.sets.len() < most;
                return Some(covers);
            }
            size += 1;
        }
        None
    }

    /// The fewest of the items from `from` on that cover each row alone.
    fn fewest_by_rows(&self, order: &[u32], from: usize, need: &[u64]) -> u32 {
        let mut fewest = 0;
        let mut weights = Vec::with_capacity(order.len() - from);
        for (row, &need) in need.iter().enumerate() {
            if need == 0 {
                continue;
            }
            weights.clear();
            weights.extend(order[from..].iter().map(|&item| self.weight[item as usize][row]));
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let mut left = need;
            let mut count = 0;
            for &weight in &weights {
                if left == 0 {
                    break;
                }
                left = left.saturating_sub(weight);
                count += 1;
            }
            if left > 0 {
                return u32::MAX;
            }
            fewest = fewest.max(count);
        }
        fewest
    }

    #[allow(clippy::too_many_arguments, reason = "the state of one recursion")]
    fn descend(
        &self,
        order: &[u32],
        from: usize,
        left: usize,
        need: &[u64],
        chosen: &mut Vec<u32>,
        sets: &mut Vec<Vec<u32>>,
        most: usize,
        budget: &mut u64,
    ) -> bool {
        if sets.len() >= most {
            return true;
        }
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        if need.iter().all(|&need| need == 0) {
            // A smaller cover would have been found before.
            let mut set = chosen.clone();
            set.sort_unstable();
            sets.push(set);
            return true;
        }
        if left == 0 || self.fewest_by_rows(order, from, need) as usize > left {
            return true;
        }
        for at in from..order.len() {
            let item = order[at] as usize;
            let rest: Vec<u64> = need
                .iter()
                .zip(&self.weight[item])
                .map(|(need, weight)| need.saturating_sub(*weight))
                .collect();
            if rest == need {
                continue;
            }
            chosen.push(item as u32);
            let done = self.descend(order, at + 1, left - 1, &rest, chosen, sets, most, budget);
            chosen.pop();
            if !done {
                return false;
            }
            if self.fewest_by_rows(order, at + 1, need) as usize > left {
                break;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(need: &[u64], weight: &[&[u64]]) -> Option<Covers> {
        let cover = Cover { need: need.to_vec(), weight: weight.iter().map(|row| row.to_vec()).collect() };
        cover.solve(100, &mut 10_000)
    }

    #[test]
    fn one_row() {
        let found = covers(&[5], &[&[3], &[2], &[4], &[1]]).expect("a cover");
        assert_eq!(found.fewest, 2);
        assert_eq!(found.sets.len(), 4); // 3+2, 3+4, 4+1, 2+4
        assert!(covers(&[11], &[&[3], &[2], &[4], &[1]]).is_none());
    }

    #[test]
    fn two_rows() {
        let found = covers(&[4, 4], &[&[5, 0], &[0, 5], &[3, 3]]).expect("a cover");
        assert_eq!((found.fewest, found.sets), (2, vec![vec![0, 1]]));
    }

    /// Against all subsets.
    #[test]
    fn agrees_with_enumeration() {
        let mut random = crate::search::random::Random::new(7);
        for _ in 0..300 {
            let items = 1 + random.below(7);
            let rows = 1 + random.below(3);
            let weight: Vec<Vec<u64>> =
                (0..items).map(|_| (0..rows).map(|_| random.below(6) as u64).collect()).collect();
            let need: Vec<u64> = (0..rows).map(|_| random.below(12) as u64).collect();
            let covering = |set: u32| {
                (0..rows).all(|row| {
                    let sum: u64 = (0..items).filter(|i| set >> i & 1 == 1).map(|i| weight[i][row]).sum();
                    sum >= need[row]
                })
            };
            let fewest = (0..1u32 << items).filter(|&set| covering(set)).map(u32::count_ones).min();
            let all =
                (0..1u32 << items).filter(|&set| covering(set) && Some(set.count_ones()) == fewest).count();
            let found = Cover { need, weight }.solve(1000, &mut 1_000_000);
            assert_eq!(found.as_ref().map(|found| found.fewest), fewest);
            assert_eq!(found.map_or(0, |found| found.sets.len()), all);
        }
    }
}

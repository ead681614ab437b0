//! Seats: Hall's condition by augmenting paths (Berge 1957, Kuhn 1955).

use rustc_hash::FxHashMap;

/// Gives each row a seat in one of its groups, at most `most` to a group. Cost: rows ×
/// (sum of the lengths of the lists), in the worst case.
///
/// # Errors
/// Rows that have fewer seats together than there are of them, by their names.
pub(super) fn seats(rows: &[(u32, Vec<u32>)], most: u32) -> Result<(), Vec<u32>> {
    let mut taken: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for start in 0..rows.len() {
        // Breadth first: (row, the row and group through which it was reached).
        let mut queue = vec![start];
        let mut from: FxHashMap<u32, usize> = FxHashMap::default();
        let mut seen = vec![false; rows.len()];
        seen[start] = true;
        let mut at = 0;
        let mut free = None;
        'search: while at < queue.len() {
            let row = queue[at];
            at += 1;
            for &group in &rows[row].1 {
                if from.contains_key(&group) {
                    continue;
                }
                from.insert(group, row);
                let holders = taken.entry(group).or_default();
                if (holders.len() as u64) < u64::from(most) {
                    free = Some(group);
                    break 'search;
                }
                for &holder in holders.iter() {
                    if !std::mem::replace(&mut seen[holder], true) {
                        queue.push(holder);
                    }
                }
            }
        }
        let Some(mut group) = free else {
            // Everyone who was reached fights for the same full groups.
            let mut names: Vec<u32> = queue.into_iter().map(|row| rows[row].0).collect();
            names.sort_unstable();
            return Err(names);
        };
        // Along the path each takes the seat that was found for it.
        loop {
            let row = from[&group];
            let old = taken.iter().find(|(_, holders)| holders.contains(&row)).map(|(&group, _)| group);
            taken.entry(group).or_default().push(row);
            let Some(old) = old else { break };
            if let Some(holders) = taken.get_mut(&old) {
                holders.retain(|&holder| holder != row);
            }
            group = old;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_fight_are_named() {
        let rows = |lists: &[&[u32]]| -> Vec<(u32, Vec<u32>)> {
            (0u32..).zip(lists).map(|(at, list)| (at, list.to_vec())).collect()
        };
        assert_eq!(seats(&rows(&[&[0, 1], &[0], &[1, 2]]), 1), Ok(()));
        assert_eq!(seats(&rows(&[&[0, 1], &[5], &[0, 1], &[1, 0]]), 1), Err(vec![0, 2, 3]));
        assert_eq!(seats(&rows(&[&[0, 1], &[0, 1], &[0, 1], &[1, 0]]), 2), Ok(()));
        assert_eq!(seats(&rows(&[&[3], &[]]), 1), Err(vec![1]));
    }

    /// Against trying everything.
    #[test]
    fn agrees_with_trying() {
        fn try_all(rows: &[(u32, Vec<u32>)], used: &mut [u32], most: u32) -> bool {
            let Some((first, rest)) = rows.split_first() else { return true };
            first.1.iter().any(|&group| {
                used[group as usize] += 1;
                let fits = used[group as usize] <= most && try_all(rest, used, most);
                used[group as usize] -= 1;
                fits
            })
        }
        let mut random = crate::random::Random::new(7);
        for _ in 0..2_000 {
            let rows: Vec<(u32, Vec<u32>)> = (0..1 + random.below(6) as u32)
                .map(|name| (name, (0..4u32).filter(|_| random.below(3) == 0).collect()))
                .collect();
            let most = 1 + random.below(2) as u32;
            let found = seats(&rows, most);
            assert_eq!(found.is_ok(), try_all(&rows, &mut [0; 4], most), "{rows:?} {most}");
            if let Err(names) = found {
                let few: Vec<_> = rows.iter().filter(|row| names.contains(&row.0)).cloned().collect();
                assert!(!try_all(&few, &mut [0; 4], most), "{rows:?} {names:?}");
            }
        }
    }
}

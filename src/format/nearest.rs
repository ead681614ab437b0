//! The known name that a misspelt one was meant to be.

use super::reader::quoted;

/// The longest name for which a neighbour is looked for, in characters.
const LONGEST: usize = 64;

/// The candidate closest to `word`, if one is close enough to be meant.
///
/// Close: apart from case the same, or a third of the characters (one at least, three at
/// most) inserted, left out, exchanged or swapped with their neighbour. Of several equally
/// close the first. O(candidates × length²), candidates of another length being free.
pub fn nearest<'n>(word: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut best = None;
    let mut most = (word.len() / 3).clamp(1, 3);
    let mut other = Vec::new();
    for candidate in candidates {
        // A character is one to four bytes.
        if candidate.len() > 4 * (word.len() + most) || candidate.len() + most < word.len() {
            continue;
        }
        other.clear();
        other.extend(candidate.chars().flat_map(char::to_lowercase));
        if other.len().abs_diff(word.len()) > most {
            continue;
        }
        let distance = distance(&word, &other);
        if distance < most || (distance == most && best.is_none()) {
            best = Some(candidate);
            most = distance;
            if distance == 0 {
                break;
            }
        }
    }
    best
}

/// Damerau's distance with adjacent swaps, in three rows.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// So many candidates are listed where none is near.
const LISTED: usize = 12;

/// `; did you mean …?` for the end of a sentence, or what there is to choose from where
/// nothing is near and the choice is small.
pub(super) fn hint<'n>(word: &str, candidates: impl IntoIterator<Item = &'n str>) -> String {
    let mut few: Vec<String> = Vec::new();
    let mut count = 0;
    let listed = candidates.into_iter().inspect(|name| {
        count += 1;
        if count <= LISTED {
            few.push(quoted(name));
        }
    });
    match nearest(word, listed) {
        Some(near) => format!("; did you mean {}?", quoted(near)),
        None if (1..=LISTED).contains(&count) => format!("; expected one of {}", few.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_choose_from() {
        assert_eq!(hint("hots", ["host", "name"]), "; did you mean `host`?");
        assert_eq!(hint("place", ["host", "name"]), "; expected one of `host`, `name`");
        assert_eq!(hint("place", []), "");
        assert_eq!(hint("place", ["host"; 13]), "");
    }

    #[test]
    fn the_one_that_was_meant() {
        let names = ["spread", "split", "splitAmong", "Deadline", "db1", "db2"];
        let near = |word| nearest(word, names);
        assert_eq!(near("spraed"), Some("spread"));
        assert_eq!(near("spred"), Some("spread"));
        assert_eq!(near("deadline"), Some("Deadline"));
        assert_eq!(near("splitamong"), Some("splitAmong"));
        assert_eq!(near("db3"), Some("db1"));
        assert_eq!(near("db2"), Some("db2"));
        assert_eq!(near("quarantine"), None);
        assert_eq!(near(""), None);
        assert_eq!(near(&"x".repeat(100_000)), None);
        assert_eq!(distance(&['a', 'b'], &['b', 'a']), 1);
        assert_eq!(distance(&[], &['b', 'a']), 2);
    }
}

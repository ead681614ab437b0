//! The smallest part of a list that clashes with what is given (QuickXplain: Junker,
//! "Preferred explanations and relaxations for over-constrained problems", AAAI 2004).

/// What a question about a part of the list is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is a plan.
    Possible,
    /// There is none, proved.
    Impossible,
    /// Neither is known: as far as the search goes, as if there were a plan.
    Unknown,
    /// Time is up: nothing more is to be asked.
    Stop,
}

/// Members of `list`, in order, that are impossible together with what is always there,
/// and of which each is needed as far as the answers tell. The whole list must be
/// impossible. `ask` decides about a part of the list; for conflicts of size k among n
/// about 2k log(n/k) + 2k times. Once it answers [`Verdict::Stop`], what was not looked
/// at yet stays in.
pub(super) fn minimal(list: &[u32], ask: &mut dyn FnMut(&[u32]) -> Verdict) -> Vec<u32> {
    let mut run = Run { ask, given: Vec::new(), stopped: false };
    let mut found = run.shrink(list, true);
    found.sort_unstable();
    found
}

struct Run<'a> {
    ask: &'a mut dyn FnMut(&[u32]) -> Verdict,
    /// What is taken for granted at this point of the recursion.
    given: Vec<u32>,
    stopped: bool,
}

impl Run<'_> {
    /// Members of the list that are needed beside what is given; `fresh`: is what is given
    /// alone worth a question?
    fn shrink(&mut self, list: &[u32], fresh: bool) -> Vec<u32> {
        if self.stopped {
            return list.to_vec();
        }
        if fresh {
            match (self.ask)(&self.given) {
                Verdict::Impossible => return Vec::new(),
                Verdict::Stop => {
                    self.stopped = true;
                    return list.to_vec();
                }
                Verdict::Possible | Verdict::Unknown => {}
            }
        }
        if list.len() < 2 {
            return list.to_vec();
        }
        let (first, second) = list.split_at(list.len() / 2);
        let depth = self.given.len();
        self.given.extend(first);
        let right = self.shrink(second, true);
        self.given.truncate(depth);
        self.given.extend(&right);
        let mut left = self.shrink(first, !right.is_empty());
        self.given.truncate(depth);
        left.extend(right);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_member_is_needed() {
        let mut random = Random::new(3);
        for _ in 0..500 {
            let count = 1 + random.below(40);
            let list: Vec<u32> = (0..count as u32).collect();
            // Conflicts that were hidden: a part is impossible if it has all of one.
            let hidden: Vec<Vec<u32>> = (0..1 + random.below(3))
                .map(|_| list.iter().copied().filter(|_| random.below(6) == 0).collect())
                .collect();
            let clashes = |part: &[u32]| hidden.iter().any(|one| one.iter().all(|at| part.contains(at)));
            let mut asked = 0;
            let found = minimal(&list, &mut |part| {
                asked += 1;
                if clashes(part) { Verdict::Impossible } else { Verdict::Possible }
            });
            assert!(clashes(&found), "{hidden:?} {found:?}");
            for at in 0..found.len() {
                let mut less = found.clone();
                less.remove(at);
                assert!(!clashes(&less), "{hidden:?} {found:?}");
            }
            let most = 2 * found.len() * (1 + count.ilog2() as usize) + 2 * found.len() + 2;
            assert!(asked <= most, "{asked} questions for {} of {count}", found.len());
        }
    }

    #[test]
    fn a_search_that_is_stopped_leaves_a_conflict() {
        let list: Vec<u32> = (0..64).collect();
        let hidden = [3, 17, 40];
        for most in 0..40 {
            let mut asked = 0;
            let found = minimal(&list, &mut |part| {
                asked += 1;
                match hidden.iter().all(|at| part.contains(at)) {
                    _ if asked > most => Verdict::Stop,
                    true => Verdict::Impossible,
                    false => Verdict::Unknown,
                }
            });
            assert!(hidden.iter().all(|at| found.contains(at)), "{most}: {found:?}");
        }
    }
}

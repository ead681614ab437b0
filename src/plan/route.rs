//! Routing units from those who give them back to those who take them.

use super::ledger::Account;

/// How many givers of an account are compared before one is chosen.
const WINDOW: usize = 64;

/// The accounts of a plan while its events are gone through.
#[derive(Debug)]
pub(super) struct Routes {
    accounts: Vec<State>,
    /// By action: (account, units given back and not yet taken).
    given: Vec<Vec<(u32, u64)>>,
    /// By action: the last action that it was found to precede, plus one.
    mark: Vec<u32>,
}

#[derive(Debug)]
struct State {
    free: u64,
    deficit: u64,
    /// Who filled the deficit.
    fillers: Vec<u32>,
    /// Who gave units back, in the order of their ends; some have none left.
    pool: Vec<u32>,
    /// How many of the pool have none left.
    dry: usize,
}

impl Routes {
    /// Nothing has happened yet.
    pub(super) fn new(accounts: &[Account], actions: usize) -> Self {
        let accounts = accounts
            .iter()
            .map(|account| State {
                free: account.free,
                deficit: account.deficit,
                fillers: Vec::new(),
                pool: Vec::new(),
                dry: 0,
            })
            .collect();
        Self { accounts, given: vec![Vec::new(); actions], mark: vec![0; actions] }
    }

    /// The action has ended: what it held goes to whoever comes later, after the hole
    /// that was there before the plan is filled.
    pub(super) fn give(&mut self, action: u32, units: &[(u32, u64)]) {
        for &(account, mut amount) in units {
            let state = &mut self.accounts[account as usize];
            if state.deficit > 0 {
                let filled = state.deficit.min(amount);
                state.deficit -= filled;
                amount -= filled;
                state.fillers.push(action);
            }
            if amount > 0 {
                state.pool.push(action);
                self.given[action as usize].push((account, amount));
            }
        }
    }

    /// The action is about to start: finds the units that it takes, and adds to `before`
    /// whomever it must wait for.
    ///
    /// Units of those whom it waits for anyway come first, since they cost no edge; then
    /// what was free at the start; then those who can serve most, the earliest of them.
    pub(super) fn take(&mut self, action: u32, units: &[(u32, u64)], before: &mut Vec<u32>) {
        let stamp = action + 1;
        for &known in before.iter() {
            self.mark[known as usize] = stamp;
        }
        let mut needs = units.to_vec();
        for (account, amount) in &mut needs {
            let state = &mut self.accounts[*account as usize];
            for &filler in &state.fillers {
                if self.mark[filler as usize] != stamp {
                    self.mark[filler as usize] = stamp;
                    before.push(filler);
                }
            }
            if state.deficit > 0 {
                // Taken while the hole is open: it grows again.
                state.deficit = state.deficit.saturating_add(*amount);
                *amount = 0;
            }
        }
        if needs.iter().all(|&(_, amount)| amount == 0) {
            return;
        }
        for &known in before.iter() {
            self.draw(known, &mut needs);
        }
        for (account, amount) in &mut needs {
            let free = &mut self.accounts[*account as usize].free;
            let taken = (*free).min(*amount);
            *free -= taken;
            *amount -= taken;
        }
        for at in 0..needs.len() {
            while needs[at].1 > 0 {
                let Some(giver) = self.best(needs[at], &needs) else {
                    // More than there is: the schedule itself breaks the limit here.
                    let (account, amount) = needs[at];
                    let state = &mut self.accounts[account as usize];
                    state.deficit = state.deficit.saturating_add(amount);
                    needs[at].1 = 0;
                    break;
                };
                self.mark[giver as usize] = stamp;
                before.push(giver);
                self.draw(giver, &mut needs);
            }
        }
    }

    /// Takes from one giver whatever it can give.
    fn draw(&mut self, giver: u32, needs: &mut [(u32, u64)]) {
        for (account, left) in &mut self.given[giver as usize] {
            for (wanted, amount) in needs.iter_mut() {
                let taken = if wanted == account { (*left).min(*amount) } else { 0 };
                if taken > 0 {
                    *left -= taken;
                    *amount -= taken;
                    if *left == 0 {
                        self.accounts[*account as usize].dry += 1;
                    }
                }
            }
        }
    }

    fn left(&self, giver: u32, account: u32) -> u64 {
        let list = &self.given[giver as usize];
        list.iter().filter(|&&(other, _)| other == account).map(|&(_, left)| left).sum()
    }

    /// The giver for a need: who serves the most needs, then gives most, then ended first.
    fn best(&mut self, (account, amount): (u32, u64), needs: &[(u32, u64)]) -> Option<u32> {
        let state = &mut self.accounts[account as usize];
        if state.dry * 2 > state.pool.len() {
            let given = &self.given;
            state.pool.retain(|&giver| {
                given[giver as usize].iter().any(|&(other, left)| other == account && left > 0)
            });
            state.dry = 0;
        }
        let mut best: Option<(usize, u64, u32)> = None;
        let mut seen = 0;
        for &giver in &self.accounts[account as usize].pool {
            let gives = self.left(giver, account).min(amount);
            if gives == 0 {
                continue;
            }
            let serves =
                needs.iter().filter(|&&(other, need)| need > 0 && self.left(giver, other) > 0).count();
            if best.is_none_or(|(most, largest, _)| (serves, gives) > (most, largest)) {
                best = Some((serves, gives, giver));
            }
            seen += 1;
            if seen == WINDOW {
                break;
            }
        }
        best.map(|(_, _, giver)| giver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(routes: &mut Routes, action: u32, units: &[(u32, u64)], known: &[u32]) -> Vec<u32> {
        let mut before = known.to_vec();
        routes.take(action, units, &mut before);
        before
    }

    #[test]
    fn free_units_cost_no_edge() {
        let mut routes = Routes::new(&[Account { free: 3, deficit: 0 }], 8);
        routes.give(0, &[(0, 5)]);
        assert_eq!(before(&mut routes, 1, &[(0, 3)], &[]), [] as [u32; 0]);
        assert_eq!(before(&mut routes, 2, &[(0, 4)], &[]), [0]);
        routes.give(1, &[(0, 3)]);
        assert_eq!(before(&mut routes, 3, &[(0, 4)], &[]), [1, 0]);
    }

    #[test]
    fn whom_one_waits_for_anyway_gives_first() {
        let mut routes = Routes::new(&[Account { free: 3, deficit: 0 }], 8);
        routes.give(0, &[(0, 3)]);
        assert_eq!(before(&mut routes, 1, &[(0, 3)], &[0]), [0]);
        // The free units are still there.
        assert_eq!(before(&mut routes, 2, &[(0, 3)], &[]), [] as [u32; 0]);
    }

    #[test]
    fn one_giver_for_two_needs() {
        let none = Account { free: 0, deficit: 0 };
        let mut routes = Routes::new(&[none, none], 8);
        routes.give(0, &[(0, 2)]);
        routes.give(1, &[(1, 2)]);
        routes.give(2, &[(0, 2), (1, 2)]);
        assert_eq!(before(&mut routes, 3, &[(0, 2), (1, 2)], &[]), [2]);
    }

    #[test]
    fn the_first_units_fill_the_hole() {
        let mut routes = Routes::new(&[Account { free: 0, deficit: 4 }], 8);
        routes.give(0, &[(0, 3)]);
        routes.give(1, &[(0, 3)]);
        routes.give(2, &[(0, 3)]);
        assert_eq!(before(&mut routes, 3, &[(0, 2)], &[]), [0, 1]);
        assert_eq!(before(&mut routes, 4, &[(0, 3)], &[]), [0, 1, 2]);
    }
}

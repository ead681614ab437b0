//! Who takes how much of what all share, and when: a part of the bandwidth now or all of it
//! later; bins that open only where enough is left for moves.

use super::Clock;
use super::State;
use crate::problem::PARTS;
use crate::problem::Passage;
use crate::problem::StepKind;

impl Clock<'_> {
    /// What moves need of the channels of which open bins take something.
    pub(super) fn find_headroom(&mut self) {
        for task in &self.tasks {
            if let StepKind::Open(bin) = task.kind {
                let shared = super::standing(self.problem, bin).iter().map(|&(channel, _)| (channel, 0));
                self.headroom.extend(shared);
            }
        }
        let moves = self.tasks.iter().filter(|task| matches!(task.kind, StepKind::Move { .. }));
        for &(channel, amount) in moves.flat_map(|task| &task.passage).flat_map(|passage| &passage.uses) {
            if let Some(most) = self.headroom.get_mut(&channel) {
                *most = amount.max(*most);
            }
        }
        self.headroom.retain(|_, most| *most > 0);
    }

    /// Would a bin that opens leave too little for the moves that others wait for? Those go
    /// first then, unless all wait.
    pub(super) fn crowds(&self, at: u32) -> bool {
        let uses = self.tasks[at as usize].passage.iter().flat_map(|passage| &passage.uses);
        !self.crowding
            && self.waiting_moves > 0
            && uses.into_iter().any(|&(channel, amount)| {
                let most = self.headroom.get(&channel).copied().unwrap_or(0);
                most > 0 && self.channels.lacking(&[(channel, amount.saturating_add(most))]).is_some()
            })
    }

    /// Could a move that has too little left on its way at its largest rate start now at a part
    /// of it, and end before it could end otherwise? It is to be done so then.
    pub(super) fn shares(&mut self, at: u32) -> bool {
        let Some(transit) = self.problem.project.transit.as_ref().filter(|transit| transit.is_far()) else {
            return false;
        };
        let task = &self.tasks[at as usize];
        let (StepKind::Move { item, from, to, .. }, Some(full)) = (task.kind, &task.passage) else {
            return false;
        };
        if task.duration != u64::from(full.seconds) {
            return false;
        }
        let otherwise = self.freed_at(full).map(|start| start + u64::from(full.seconds));
        let slower = PARTS.iter().skip(1).filter_map(|&part| transit.slower(item, from, to, part));
        let sooner = slower.into_iter().find(|slower| {
            self.channels.lacking(&slower.uses).is_none()
                && otherwise.is_none_or(|end| self.now + u64::from(slower.seconds) < end)
        });
        let Some(slower) = sooner else { return false };
        let task = &mut self.tasks[at as usize];
        task.duration = u64::from(slower.seconds);
        task.passage = Some(slower);
        true
    }

    /// Moves that have to end together and cannot at their largest rates, though nothing runs:
    /// could they at a part of them? They are to be done so then.
    pub(super) fn fit_slower(&mut self, members: &[u32]) -> bool {
        let Some(transit) = self.problem.project.transit.clone().filter(|transit| transit.is_far()) else {
            return false;
        };
        if !self.ends.is_empty() {
            return false;
        }
        let before: Vec<(u64, Option<Passage>)> = members
            .iter()
            .map(|&at| &self.tasks[at as usize])
            .map(|task| (task.duration, task.passage.clone()))
            .collect();
        for &part in &PARTS[1..] {
            for &at in members {
                let task = &mut self.tasks[at as usize];
                if let StepKind::Move { item, from, to, .. } = task.kind
                    && let Some(slower) = transit.slower(item, from, to, part)
                {
                    task.duration = u64::from(slower.seconds);
                    task.passage = Some(slower);
                }
            }
            if self.fit(members) {
                return true;
            }
        }
        for (&at, (duration, passage)) in members.iter().zip(before) {
            let task = &mut self.tasks[at as usize];
            (task.duration, task.passage) = (duration, passage);
        }
        false
    }

    /// When those that run have given back what a move takes; `None` where they never do.
    fn freed_at(&self, wanted: &Passage) -> Option<u64> {
        let running = |at: &u32| self.tasks[*at as usize].state == State::Running;
        let mut ends: Vec<(u64, u32)> = self.ends.iter().map(|end| end.0).collect();
        ends.retain(|(_, at)| self.tasks.get(*at as usize).is_some() && running(at));
        ends.sort_unstable();
        let mut missing = self.channels.missing(&wanted.uses);
        for (end, at) in ends {
            for &(channel, amount) in self.tasks[at as usize].passage.iter().flat_map(|passage| &passage.uses)
            {
                if let Some(row) = missing.iter_mut().find(|row| row.0 == channel) {
                    row.1 = row.1.saturating_sub(amount);
                }
            }
            if missing.iter().all(|&(_, amount)| amount == 0) {
                return Some(end);
            }
        }
        None
    }
}

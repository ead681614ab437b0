//! What may start at a moment, beside what is under way.

use super::OUT;
use super::Space;
use super::State;
use crate::problem::Later;
use crate::problem::Order;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::StepKind;
use crate::problem::TaskRef;
use crate::problem::passage_of;
use crate::propagator::Ledger;

/// A moment of a schedule.
pub(super) struct Scene<'a, 'p> {
    pub(super) space: &'a Space<'p>,
    /// What is in the bins, and what is on its way in both of its bins.
    pub(super) ledger: &'a Ledger<'p>,
    /// What is under way, each with a number.
    pub(super) running: &'a [(u64, StepKind)],
    /// Does it matter what is left of what all share?
    pub(super) carried: bool,
}

impl Scene<'_, '_> {
    /// Everything that may start now, in a fixed order.
    pub(super) fn startable(&self, state: &State, at_first: bool) -> Vec<StepKind> {
        let space = self.space;
        let problem = space.problem;
        let packing = &problem.packing;
        let mut out = Vec::new();
        let busy = |item: u32| self.running.iter().any(|running| item_of(&running.1) == Some(item));
        for slot in 0..space.items() {
            let item = space.active[slot];
            if busy(item) || (!at_first && space.no_delay.contains(&slot)) {
                continue;
            }
            let mut options = Vec::new();
            space.options(state, slot, self.ledger, &mut options);
            out.extend(options.into_iter().filter(|option| self.allowed(option)));
        }
        for (at, &extra) in space.extras.iter().enumerate() {
            let done = state[space.extra_at() + at] == 1;
            let running = self.running.iter().any(|running| running.1 == StepKind::Extra(extra));
            let late = !at_first && space.no_delay_extras.contains(&extra);
            if !done && !running && !late && space.in_sequence(state, TaskRef::Extra(extra)) {
                out.push(StepKind::Extra(extra));
            }
        }
        let switching = |bin: u32| {
            self.running
                .iter()
                .any(|running| matches!(running.1, StepKind::Open(b) | StepKind::Close(b) if b == bin))
        };
        for bin in 0..space.bins as u32 {
            let row = &packing.bins[bin as usize];
            let phase = state[space.bin_at() + bin as usize];
            if switching(bin) {
                continue;
            }
            if phase == 0 && row.later != Later::Closed && self.may_power(state, bin) {
                out.push(StepKind::Open(bin));
            }
            let waits = |item: &u32| {
                let row = &packing.items[*item as usize];
                row.anchor == bin && row.role == Role::Arrive && state[space.slot[item]] == OUT
            };
            let anchored = space.extras.iter().enumerate().any(|(at, &extra)| {
                problem.project.extras[extra as usize].anchor == bin && state[space.extra_at() + at] == 0
            });
            let entering = self.running.iter().any(|running| {
                matches!(running.1, StepKind::Move { to, .. } | StepKind::Arrive { to, .. } if to == bin)
            });
            if phase == 1
                && row.later != Later::Open
                && !packing.anchored[bin as usize]
                && self.ledger.guests(bin).is_empty()
                && !entering
                && !anchored
                && !space.has_image(state, bin)
                && !space.active.iter().any(waits)
            {
                out.push(StepKind::Close(bin));
            }
        }
        // Nothing enters a bin that is closing.
        out.retain(|kind| match *kind {
            StepKind::Move { to, .. } | StepKind::Arrive { to, .. } => {
                !self.running.iter().any(|running| running.1 == StepKind::Close(to))
            }
            _ => true,
        });
        out.retain(|kind| !self.carried || self.is_carried(state, kind));
        out.sort_unstable();
        out
    }

    /// Is there enough left of what all steps, and open bins, share?
    fn is_carried(&self, state: &State, kind: &StepKind) -> bool {
        let problem = self.space.problem;
        let Some(transit) = &problem.project.transit else { return true };
        let takes = |kind: &StepKind| match *kind {
            StepKind::Open(bin) => Some(transit.standing(bin).to_vec()),
            StepKind::Move { .. } => Some(passage_of(problem, kind)??.uses),
            _ => Some(Vec::new()),
        };
        let Some(wanted) = takes(kind) else { return false };
        if wanted.is_empty() {
            return true;
        }
        let mut left = transit.capacities().to_vec();
        let on = (0..self.space.bins as u32).filter(|&bin| self.space.is_open(state, bin));
        let standing = on.flat_map(|bin| transit.standing(bin).to_vec());
        let running = self.running.iter().filter_map(|(_, kind)| takes(kind)).flatten();
        for (channel, amount) in standing.chain(running) {
            left[channel as usize] = left[channel as usize].saturating_sub(amount);
        }
        wanted.iter().all(|&(channel, amount)| left[channel as usize] >= amount)
    }

    /// Orders among moves that depend on what runs now.
    fn allowed(&self, kind: &StepKind) -> bool {
        let StepKind::Move { item, .. } = *kind else { return true };
        let moving = |other: u32| {
            self.running
                .iter()
                .any(|running| matches!(running.1, StepKind::Move { item, .. } if item == other))
        };
        self.space.problem.project.orders.iter().all(|(order, _)| match order {
            Order::Precedence(first, then) if *then == item => !moving(*first),
            Order::Precedence(first, then) if *first == item => !moving(*then),
            Order::Serialize(items) if items.contains(&item) => {
                !items.iter().any(|&other| other != item && moving(other))
            }
            _ => true,
        })
    }

    pub(super) fn may_power(&self, state: &State, bin: u32) -> bool {
        let space = self.space;
        space.powered.iter().all(|&at| {
            let RelationKind::Powered { bins, limit } = &space.problem.packing.relations[at as usize].kind
            else {
                return true;
            };
            if !bins.contains(bin) {
                return true;
            }
            let opening = |other: u32| self.running.iter().any(|running| running.1 == StepKind::Open(other));
            let on = bins.sum(|other| other == bin || space.is_open(state, other) || opening(other));
            on <= *limit
        })
    }
}

pub(super) fn item_of(kind: &StepKind) -> Option<u32> {
    match *kind {
        StepKind::Move { item, .. }
        | StepKind::Arrive { item, .. }
        | StepKind::Depart { item, .. }
        | StepKind::Resize { item, .. } => Some(item),
        _ => None,
    }
}

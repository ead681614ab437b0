//! What a moment still costs at the least.

use super::super::bin_of;
use super::super::scene::item_of;
use super::Cost;
use super::DEPTH;
use super::Moment;
use super::Walk;
use super::plus;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Role;
use crate::problem::StepKind;

impl Walk<'_> {
    /// What comes on top of a moment at the least: what is under way ends; what still has to
    /// be done takes its time; bins that stay draw until then, those that go until they have gone.
    pub(super) fn rest(&self, moment: &Moment) -> Cost {
        let space = &self.space;
        let problem = space.problem;
        let packing = &problem.packing;
        let (state, running) = (&moment.state, &moment.running);
        let running_of = |item: u32| running.iter().find(|(_, kind)| item_of(kind) == Some(item));
        let mut last = running.iter().map(|(left, _)| *left).max().unwrap_or(0);
        let mut rest = [0; DEPTH];
        // By bin: the seconds until it is empty at the earliest, and what comes there in any
        // case takes so long; nothing where somebody stays.
        let mut empty: Vec<Option<u64>> = vec![Some(0); space.bins];
        let mut comes = vec![0u64; space.bins];
        for ((bin, empty), &anchored) in (0u32..).zip(&mut empty).zip(&packing.anchored) {
            if anchored || !space.base.guests(bin).is_empty() {
                *empty = None;
            }
        }
        for (slot, &item) in space.active.iter().enumerate() {
            let row = &packing.items[item as usize];
            let code = state[slot];
            let leg = u64::from(row.leg.min(row.hold));
            let on_its_way = running_of(item);
            if let Some(&(left, kind)) = on_its_way {
                if let StepKind::Move { to, .. } | StepKind::Arrive { to, .. } = kind {
                    // It can leave again only then.
                    let after = left + leg;
                    empty[to as usize] = empty[to as usize].map(|seconds| seconds.max(after));
                }
                if let StepKind::Move { from, .. } | StepKind::Depart { from, .. } = kind {
                    empty[from as usize] = empty[from as usize].map(|seconds| seconds.max(left));
                }
                continue;
            }
            if space.is_out(code) {
                if row.role == Role::Arrive {
                    let takes = u64::from(row.duration);
                    last = last.max(takes);
                    if let Some(bin) = packing.settled_in(item) {
                        comes[bin as usize] = comes[bin as usize].max(takes.min(leg));
                        empty[bin as usize] = None;
                    }
                    if row.anchor != NONE {
                        let empty = &mut empty[row.anchor as usize];
                        *empty = empty.map(|seconds| seconds.max(takes));
                    }
                }
                continue;
            }
            let bin = bin_of(code);
            let stays = row.role != Role::Depart
                && packing.domains[row.domain as usize].contains(bin)
                && packing.bins[bin as usize].later != Later::Closed;
            let leaves = match row.role {
                Role::Depart if row.pinned => u64::from(row.duration),
                Role::Depart => u64::from(row.duration).min(leg),
                _ => leg,
            };
            let here = &mut empty[bin as usize];
            *here = if row.pinned && row.role != Role::Depart {
                None
            } else {
                here.map(|seconds| seconds.max(leaves))
            };
            match row.role {
                Role::Depart => last = last.max(u64::from(row.duration)),
                _ if !stays => {
                    last = last.max(leg);
                    rest = plus(rest, self.rates.of_move(item, leg));
                    if let Some(to) = packing.settled_in(item) {
                        comes[to as usize] = comes[to as usize].max(leg);
                        empty[to as usize] = None;
                    }
                }
                _ => {}
            }
        }
        for (at, extra) in problem.project.extras.iter().enumerate() {
            let kind = StepKind::Extra(at as u32);
            if state[space.extra_at() + at] == 0 && !running.iter().any(|(_, other)| *other == kind) {
                last = last.max(u64::from(extra.duration));
            }
        }
        // (watts, seconds for which it is on, if it closes)
        let mut standing = 0u64;
        let mut joules = 0u64;
        let mut closing: Vec<(u64, u64)> = Vec::new();
        for (bin, row) in packing.bins.iter().enumerate() {
            let drawn = self.rates.drawn(bin);
            let phase = state[space.bin_at() + bin];
            let under_way = running.iter().find(|(_, kind)| {
                matches!(kind, StepKind::Open(other) | StepKind::Close(other) if *other as usize == bin)
            });
            let goes = empty[bin].map(|seconds| seconds + u64::from(row.closing));
            match (phase, under_way) {
                (1, Some(&(left, _))) => joules = joules.saturating_add(drawn.saturating_mul(left)),
                (0, Some(&(left, _))) => {
                    last = last.max(left + comes[bin]);
                    standing = standing.saturating_add(drawn);
                }
                (3, _) => {
                    last = last.max(comes[bin]);
                    standing = standing.saturating_add(drawn);
                }
                (1, None) => match (row.later, goes) {
                    (Later::Closed, Some(seconds)) => {
                        last = last.max(seconds);
                        joules = joules.saturating_add(drawn.saturating_mul(seconds));
                    }
                    (Later::Free, Some(seconds)) => closing.push((drawn, seconds)),
                    _ => standing = standing.saturating_add(drawn),
                },
                (0, None) if row.later == Later::Open || comes[bin] > 0 => {
                    let seconds = u64::from(row.opening) + comes[bin];
                    last = last.max(seconds);
                    joules = joules.saturating_add(drawn.saturating_mul(seconds));
                }
                _ => {}
            }
        }
        joules = joules.saturating_add(standing.saturating_mul(last));
        for (drawn, seconds) in closing {
            joules = joules.saturating_add(drawn.saturating_mul(seconds.min(last)));
        }
        plus(rest, self.rates.of_joules(joules, last))
    }
}

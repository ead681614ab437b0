//! The events of a schedule, in the order in which they take effect.

use super::effect::Effects;
use crate::model::Action;
use crate::model::ActionKind;

/// A position for the start and the end of every action, such that an edge from a to b
/// is possible where a's end has a smaller position than b's start.
///
/// At one instant the ends come first, then what takes no time (first what gives back,
/// then what takes), then the starts. All edges run forward in this order, so there is
/// never a circle, whatever happens at one instant.
#[derive(Debug)]
pub(super) struct Positions {
    /// By action.
    pub(super) start: Vec<u32>,
    /// By action.
    pub(super) end: Vec<u32>,
    /// (action, true for its end), in order.
    pub(super) events: Vec<(u32, bool)>,
}

impl Positions {
    /// O(n log n) in the number of actions.
    pub(super) fn of(actions: &[Action], effects: &[Effects]) -> Self {
        let mut keys: Vec<(u64, u8, u8, u32, bool)> = Vec::with_capacity(actions.len() * 2);
        for (at, action) in actions.iter().enumerate() {
            let index = at as u32;
            if action.end > action.start {
                keys.push((action.start, 2, 0, index, false));
                keys.push((action.end, 0, 0, index, true));
            } else {
                let rank = rank(action, effects.get(at));
                keys.push((action.start, 1, rank, index, false));
                keys.push((action.start, 1, rank, index, true));
            }
        }
        keys.sort_unstable();
        let mut positions =
            Self { start: vec![0; actions.len()], end: vec![0; actions.len()], events: Vec::new() };
        positions.events.reserve_exact(keys.len());
        for (position, (_, _, _, index, is_end)) in keys.into_iter().enumerate() {
            let list = if is_end { &mut positions.end } else { &mut positions.start };
            list[index as usize] = position as u32;
            positions.events.push((index, is_end));
        }
        positions
    }

    /// Has `first` ended when `then` starts?
    pub(super) fn precedes(&self, first: u32, then: u32) -> bool {
        self.end[first as usize] < self.start[then as usize]
    }
}

/// Among actions that take no time at one instant: what makes room comes first.
fn rank(action: &Action, effects: Option<&Effects>) -> u8 {
    match action.kind {
        ActionKind::BootNode { .. } | ActionKind::Forge { .. } | ActionKind::ForgeClone { .. } => 0,
        ActionKind::ShutdownNode { .. } => 3,
        _ if effects.is_some_and(Effects::takes_anything) => 2,
        _ => 1,
    }
}

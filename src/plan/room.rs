//! Rooms: what may hold guests of one class only at a time.
//!
//! A node with guests of two parts that must be apart, a set of VMs that must be in one
//! group: in each, those who come wait for those of another class who have left.

/// One room over time.
///
/// In a valid schedule classes follow each other in phases. Whoever enters a phase waits
/// for those who left the phase before; they entered after the ones before them had left,
/// so it is enough. Where classes are mixed (a rule that is broken before the plan),
/// whoever enters waits for everyone of another class who has left.
#[derive(Debug, Default)]
pub(super) struct Room {
    class: Option<u32>,
    /// (class, action), everyone who has left so far.
    left: Vec<(u32, u32)>,
    /// Where the present phase begins in `left`.
    phase: usize,
    /// Where the phase before it begins.
    before: usize,
    mixed: bool,
}

impl Room {
    /// A guest of this class is about to enter: calls `wait` with everyone whose leaving
    /// must have ended.
    pub(super) fn enter(&mut self, class: u32, mut wait: impl FnMut(u32)) {
        if self.mixed {
            for &(other, action) in &self.left {
                if other != class {
                    wait(action);
                }
            }
            return;
        }
        if self.class != Some(class) {
            self.before = self.phase;
            self.phase = self.left.len();
            self.class = Some(class);
        }
        for &(_, action) in &self.left[self.before..self.phase] {
            wait(action);
        }
    }

    /// A guest of this class has left by this action.
    pub(super) fn leave(&mut self, class: u32, action: u32) {
        match self.class {
            None => self.class = Some(class),
            Some(present) if present != class => self.mixed = true,
            Some(_) => {}
        }
        self.left.push((class, action));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(room: &mut Room, class: u32) -> Vec<u32> {
        let mut list = Vec::new();
        room.enter(class, |action| list.push(action));
        list
    }

    #[test]
    fn classes_take_turns() {
        let mut room = Room::default();
        room.leave(0, 10);
        room.leave(0, 11);
        assert_eq!(waits(&mut room, 1), [10, 11]);
        assert_eq!(waits(&mut room, 1), [10, 11]);
        room.leave(1, 12);
        assert_eq!(waits(&mut room, 0), [12]);
        room.leave(0, 13);
        assert_eq!(waits(&mut room, 2), [13]);
    }

    #[test]
    fn a_mixed_room_forgets_nobody() {
        let mut room = Room::default();
        room.leave(0, 10);
        room.leave(1, 11);
        assert_eq!(waits(&mut room, 1), [10]);
        assert_eq!(waits(&mut room, 2), [10, 11]);
    }
}

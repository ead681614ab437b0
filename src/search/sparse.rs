//! A set of small integers that is changed and walked often.

use crate::problem::NONE;

/// A sparse set (Briggs and Torczon 1993): adding, removing and asking take constant
/// time, walking takes the number of members. The order of the members depends on what
/// was done before.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseSet {
    members: Vec<u32>,
    /// By value: its position among the members, or [`NONE`].
    position: Vec<u32>,
}

impl SparseSet {
    /// The empty set of integers below `len`.
    pub(super) fn empty(len: usize) -> Self {
        Self { members: Vec::new(), position: vec![NONE; len] }
    }

    /// The members.
    pub(super) fn members(&self) -> &[u32] {
        &self.members
    }

    /// Adds a value below the bound, once.
    pub(super) fn insert(&mut self, value: u32) {
        if self.position[value as usize] == NONE {
            self.position[value as usize] = self.members.len() as u32;
            self.members.push(value);
        }
    }

    /// Removes a value, if it is there.
    pub(super) fn remove(&mut self, value: u32) {
        let at = std::mem::replace(&mut self.position[value as usize], NONE);
        if at != NONE {
            self.members.swap_remove(at as usize);
            if let Some(&moved) = self.members.get(at as usize) {
                self.position[moved as usize] = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let mut set = SparseSet::empty(6);
        for value in [4, 0, 5, 4, 2] {
            set.insert(value);
        }
        assert_eq!(set.members(), [4, 0, 5, 2]);
        for value in [0, 0, 3] {
            set.remove(value);
        }
        assert_eq!(set.members(), [4, 2, 5]);
        set.remove(5);
        set.insert(0);
        assert_eq!(set.members(), [4, 2, 0]);
    }
}

//! Amounts that migrations, and nodes that are on, share at every moment.

use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use std::sync::Arc;

/// Which migrations a budget counts, seen from its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Those that come to a node of the set.
    In,
    /// Those that leave a node of the set.
    Out,
    /// Both; once each where the set has one amount.
    Both,
}

/// Does each node of a set have an amount of its own, or has the set one?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Each node has its own.
    Each,
    /// The set has one.
    Together,
}

/// An amount of which running migrations take a share, from their start to their end, and
/// nodes while they are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The nodes, sorted, each once.
    pub nodes: NodeSet,
    /// Which migrations count.
    pub direction: Direction,
    /// Who has the amount.
    pub scope: Scope,
    /// The amount.
    pub most: u64,
    /// What a migration takes …
    pub usual: u64,
    /// … save for these VMs, sorted.
    pub special: Arc<[(VmId, u64)]>,
    /// VMs whose migrations count wherever they go, and what each takes then, sorted; for sets
    /// that have one amount.
    pub everywhere: Arc<[(VmId, u64)]>,
    /// What nodes of the set take while they are on, by node, sorted; nothing where not said.
    pub standing: Arc<[(NodeId, u64)]>,
}

impl Budget {
    /// A budget of which every migration takes one unit, and nothing else.
    pub fn of_one(nodes: &NodeSet, direction: Direction, scope: Scope, most: u64) -> Self {
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let (special, everywhere, standing) = ([].into(), [].into(), [].into());
        Self { nodes: sorted.into(), direction, scope, most, usual: 1, special, everywhere, standing }
    }

    /// What the migration of a VM takes.
    pub fn cost(&self, vm: VmId) -> u64 {
        let known = |costs: &[(VmId, u64)]| {
            let at = costs.binary_search_by_key(&vm, |&(vm, _)| vm).ok()?;
            Some(costs[at].1)
        };
        known(&self.everywhere).or_else(|| known(&self.special)).unwrap_or(self.usual)
    }

    /// What a node takes while it is on.
    pub fn standing(&self, node: NodeId) -> u64 {
        self.standing.binary_search_by_key(&node, |&(node, _)| node).map_or(0, |at| self.standing[at].1)
    }

    /// Does the migration of a VM count wherever it goes?
    pub fn is_everywhere(&self, vm: VmId) -> bool {
        self.everywhere.binary_search_by_key(&vm, |&(vm, _)| vm).is_ok()
    }

    /// What the migration of a VM takes, and whose: of amounts of nodes, or (`None`) of that of
    /// the set. Nothing where it takes nothing.
    pub fn shares(&self, vm: VmId, from: NodeId, to: NodeId) -> impl Iterator<Item = (Option<NodeId>, u64)> {
        let has = |node: NodeId| self.nodes.binary_search(&node).is_ok();
        let leaves = self.direction != Direction::In && has(from);
        let comes = self.direction != Direction::Out && has(to);
        let (one, two) = match self.scope {
            Scope::Each => (leaves.then_some(Some(from)), comes.then_some(Some(to))),
            Scope::Together => ((leaves || comes || self.is_everywhere(vm)).then_some(None), None),
        };
        let cost = self.cost(vm);
        one.into_iter().chain(two).filter(move |_| cost > 0).map(move |owner| (owner, cost))
    }

    /// The owner of the amount that a node takes while it is on.
    pub fn owner(&self, node: NodeId) -> Option<NodeId> {
        match self.scope {
            Scope::Each => Some(node),
            Scope::Together => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: [NodeId; 4] = [NodeId(0), NodeId(1), NodeId(2), NodeId(3)];

    #[test]
    fn who_pays() {
        let owners = |direction, scope, from: usize, to: usize| -> Vec<Option<NodeId>> {
            let budget = Budget::of_one(&[N[1], N[0], N[1]].into(), direction, scope, 2);
            let shares = budget.shares(VmId(0), N[from], N[to]);
            shares.inspect(|share| assert_eq!(share.1, 1)).map(|share| share.0).collect()
        };
        assert_eq!(owners(Direction::Both, Scope::Each, 0, 1), [Some(N[0]), Some(N[1])]);
        assert_eq!(owners(Direction::Both, Scope::Together, 0, 1), [None]);
        assert_eq!(owners(Direction::In, Scope::Each, 0, 1), [Some(N[1])]);
        assert_eq!(owners(Direction::Out, Scope::Each, 0, 1), [Some(N[0])]);
        assert_eq!(owners(Direction::In, Scope::Together, 0, 2), []);
        assert_eq!(owners(Direction::Out, Scope::Together, 2, 0), []);
        assert_eq!(owners(Direction::Both, Scope::Each, 2, 3), []);
    }

    #[test]
    fn who_pays_wherever_it_goes() {
        let budget = Budget {
            special: [(VmId(1), 4), (VmId(3), 2)].into(),
            everywhere: [(VmId(1), 16), (VmId(2), 0)].into(),
            ..Budget::of_one(&[N[0]].into(), Direction::Both, Scope::Together, 128)
        };
        let shares = |vm, from: usize, to: usize| -> Vec<(Option<NodeId>, u64)> {
            budget.shares(VmId(vm), N[from], N[to]).collect()
        };
        assert_eq!(shares(0, 1, 0), [(None, 1)]);
        assert_eq!(shares(0, 1, 2), []);
        assert_eq!(shares(1, 1, 2), [(None, 16)]);
        assert_eq!(shares(1, 0, 2), [(None, 16)]);
        assert_eq!(shares(2, 0, 2), []);
        assert_eq!(shares(3, 0, 2), [(None, 2)]);
    }
}

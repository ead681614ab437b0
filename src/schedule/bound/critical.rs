//! The critical path: the longest chain of what must wait for each other.
//!
//! Kelley and Walker (1959). Sequences, precedences among moves that happen in every plan,
//! bins that open before what can only go there, and close after what has to leave.
//! O(tasks + orders).

use super::leaves_after;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::Role;
use crate::problem::TaskRef;
use rustc_hash::FxHashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Item(u32),
    Extra(u32),
    Open(u32),
    Close(u32),
}

/// Earliest ends.
#[derive(Clone, Debug, Default)]
pub struct Earliest {
    at: FxHashMap<Node, u32>,
    ends: Vec<u64>,
}

struct Graph {
    nodes: Vec<Node>,
    /// By node: it may not start before this, and takes so long.
    time: Vec<(u64, u64)>,
    next: Vec<Vec<u32>>,
    waits: Vec<u32>,
    at: FxHashMap<Node, u32>,
}

impl Graph {
    fn add(&mut self, node: Node, ready: u32, duration: u32) {
        self.at.insert(node, self.nodes.len() as u32);
        self.nodes.push(node);
        self.time.push((u64::from(ready), u64::from(duration)));
        self.next.push(Vec::new());
        self.waits.push(0);
    }

    /// The node starts no earlier than this.
    fn after(&mut self, ready: u64, node: Node) {
        if let Some(&at) = self.at.get(&node) {
            let time = &mut self.time[at as usize];
            time.0 = time.0.max(ready);
        }
    }

    fn edge(&mut self, from: Node, to: Node) {
        if let (Some(&from), Some(&to)) = (self.at.get(&from), self.at.get(&to)) {
            self.next[from as usize].push(to);
            self.waits[to as usize] += 1;
        }
    }
}

impl Earliest {
    /// Of everything that happens in every plan, given the items that must move.
    pub fn new(problem: &Problem, forced: &[u32]) -> Self {
        let packing = &problem.packing;
        let mut graph = Graph {
            nodes: Vec::new(),
            time: Vec::new(),
            next: Vec::new(),
            waits: Vec::new(),
            at: FxHashMap::default(),
        };
        for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.role != Role::Stay) {
            graph.add(Node::Item(item), 0, row.duration);
        }
        for &item in forced {
            // It waits for others when it starts to hold its destination, not before.
            let row = &packing.items[item as usize];
            graph.add(Node::Item(item), row.lead, row.hold);
        }
        for (extra, row) in (0u32..).zip(&problem.project.extras) {
            graph.add(Node::Extra(extra), 0, row.duration);
        }
        for (bin, row) in (0u32..).zip(&packing.bins) {
            match (row.open, row.later) {
                (false, Later::Open) => graph.add(Node::Open(bin), 0, row.opening),
                (true, Later::Closed) => graph.add(Node::Close(bin), 0, row.closing),
                _ => {}
            }
        }
        for (item, row) in (0u32..).zip(&packing.items) {
            if row.role != Role::Stay || forced.binary_search(&item).is_ok() {
                // Its last step is the one that ends there: an arrival may be a shorter move.
                if let Some(bin) = packing.settled_in(item)
                    && (row.role == Role::Stay || row.duration <= row.hold)
                {
                    graph.edge(Node::Open(bin), Node::Item(item));
                }
                if row.source != NONE {
                    graph.after(leaves_after(packing, item), Node::Close(row.source));
                }
                if row.role == Role::Arrive && row.anchor != NONE {
                    graph.edge(Node::Item(item), Node::Close(row.anchor));
                }
            }
        }
        for (extra, row) in (0u32..).zip(&problem.project.extras) {
            if row.anchor != NONE {
                graph.edge(Node::Extra(extra), Node::Close(row.anchor));
            }
        }
        for (order, _) in &problem.project.orders {
            match order {
                Order::Sequence(list) => {
                    let nodes: Vec<Node> = list
                        .iter()
                        .filter(|task| match task {
                            TaskRef::Item(item) => packing.items[*item as usize].role != Role::Stay,
                            TaskRef::Extra(_) => true,
                        })
                        .map(|task| match *task {
                            TaskRef::Item(item) => Node::Item(item),
                            TaskRef::Extra(extra) => Node::Extra(extra),
                        })
                        .collect();
                    nodes.windows(2).for_each(|pair| graph.edge(pair[0], pair[1]));
                }
                Order::Precedence(first, then) => {
                    let moves = |item: &u32| packing.items[*item as usize].role == Role::Stay;
                    if moves(first) && moves(then) {
                        graph.edge(Node::Item(*first), Node::Item(*then));
                    }
                }
                _ => {}
            }
        }
        graph.solve()
    }

    /// The earliest end of what happens to an item in every plan; 0 where nothing does.
    pub fn of_item(&self, item: u32) -> u64 {
        self.at.get(&Node::Item(item)).map_or(0, |&at| self.ends[at as usize])
    }

    /// The earliest end of the closing of a bin that must close; 0 for others.
    pub fn of_close(&self, bin: u32) -> u64 {
        self.at.get(&Node::Close(bin)).map_or(0, |&at| self.ends[at as usize])
    }

    /// The sum of all.
    pub fn all(&self) -> u64 {
        self.ends.iter().fold(0, |sum, end| sum.saturating_add(*end))
    }

    /// The last of all.
    pub fn last(&self) -> u64 {
        self.ends.iter().copied().max().unwrap_or(0)
    }
}

impl Graph {
    /// The longest paths. What waits in a circle for itself counts as if it did not wait.
    fn solve(mut self) -> Earliest {
        let mut start: Vec<u64> = self.time.iter().map(|time| time.0).collect();
        let mut ends: Vec<u64> = self.time.iter().map(|time| time.0 + time.1).collect();
        let mut ready: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|&at| self.waits[at as usize] == 0).collect();
        while let Some(at) = ready.pop() {
            ends[at as usize] = start[at as usize] + self.time[at as usize].1;
            for &next in &std::mem::take(&mut self.next[at as usize]) {
                start[next as usize] = start[next as usize].max(ends[at as usize]);
                self.waits[next as usize] -= 1;
                if self.waits[next as usize] == 0 {
                    ready.push(next);
                }
            }
        }
        Earliest { at: self.at, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Bin;
    use crate::problem::BitSet;
    use crate::problem::Extra;
    use crate::problem::Item;
    use crate::problem::Packing;
    use crate::schedule::testing;

    fn item(source: u32, role: Role, domain: u32) -> Item {
        Item { domain, duration: 4, ..testing::item(source, role, 5) }
    }

    #[test]
    fn opens_moves_and_closes_follow_each_other() {
        let bin = |open, later| Bin { open, later, opening: 3, closing: 2 };
        let mut only = BitSet::empty(2);
        only.insert(1);
        let packing = Packing {
            bins: vec![bin(true, Later::Closed), bin(false, Later::Open)],
            items: vec![item(0, Role::Stay, 1), item(NONE, Role::Arrive, 1)],
            domains: vec![BitSet::full(2), only],
            item_ends: vec![0, 0],
            ..Packing::default()
        };
        let mut problem = Problem { packing, ..Problem::default() };
        problem.project.extras.push(Extra { duration: 1, anchor: NONE });
        let sequence = vec![TaskRef::Item(1), TaskRef::Extra(0)];
        problem.project.orders.push((Order::Sequence(sequence), 0));
        let earliest = Earliest::new(&problem, &[0]);
        // Opens 0:3, moves 3:8, arrives 3:7, the task 7:8; closes after the first leg could
        // have ended, 5:7.
        assert_eq!((earliest.of_item(0), earliest.of_item(1)), (8, 7));
        assert_eq!((earliest.all(), earliest.last()), (3 + 8 + 7 + 8 + 7, 8));
    }
}

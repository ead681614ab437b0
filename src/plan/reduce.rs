//! Transitive reduction: edges that follow from others go.

use petgraph::adj::UnweightedList;
use petgraph::algo::tred::dag_transitive_reduction_closure;
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use petgraph::visit::IntoEdgeReferences;

/// The largest component whose closure is written down whole. It takes time and memory
/// in the square of the component: 150 ms for five chains of 2,000, where following the
/// edges back takes one.
const WHOLE: usize = 256;

/// How many edges are followed back from one action of a larger component, at most.
/// Where that is not enough, an edge that follows from others may stay: harmless.
const FOLLOWED: usize = 20_000;

/// The edges (first, then) that do not follow from others, sorted. `before[b]` holds each
/// a of an edge a → b; `rank` is a position for every action that all edges raise.
///
/// Components of up to 256 actions are reduced exactly, by their transitive closure;
/// in larger ones the search for another way is cut off after 20,000 edges per action.
pub(super) fn reduce(mut before: Vec<Vec<u32>>, rank: &[u32]) -> Vec<(u32, u32)> {
    let mut components = UnionFind::<u32>::new(before.len());
    for (then, list) in before.iter_mut().enumerate() {
        list.sort_unstable();
        list.dedup();
        for &first in list.iter() {
            components.union(first, then as u32);
        }
    }
    let labels = components.into_labeling();
    let mut members: Vec<(u32, u32, u32)> =
        labels.iter().enumerate().map(|(at, &label)| (label, rank[at], at as u32)).collect();
    members.sort_unstable();
    let mut edges = Vec::new();
    let mut small = Small::new(before.len());
    let mut large = Large::new(before.len());
    for component in members.chunk_by(|a, b| a.0 == b.0) {
        match component.len() {
            0 | 1 => {}
            2..=WHOLE => small.reduce(component, &before, &mut edges),
            _ => {
                for &(_, _, then) in component {
                    large.reduce(then, &before, rank, &mut edges);
                }
            }
        }
    }
    edges.sort_unstable();
    edges
}

struct Small {
    /// Position in the component, by action.
    local: Vec<u32>,
}

impl Small {
    fn new(actions: usize) -> Self {
        Self { local: vec![0; actions] }
    }

    fn reduce(&mut self, component: &[(u32, u32, u32)], before: &[Vec<u32>], edges: &mut Vec<(u32, u32)>) {
        // Sorted by rank: a topological order, which is what the algorithm asks for.
        let mut graph = UnweightedList::<u32>::with_capacity(component.len());
        for (at, &(_, _, action)) in component.iter().enumerate() {
            self.local[action as usize] = at as u32;
            graph.add_node();
        }
        for &(_, _, then) in component {
            // Each list of successors comes out sorted by rank as well.
            for &first in &before[then as usize] {
                graph.add_edge(self.local[first as usize], self.local[then as usize], ());
            }
        }
        let (reduced, _) = dag_transitive_reduction_closure(&graph);
        for edge in reduced.edge_references() {
            edges.push((component[edge.source() as usize].2, component[edge.target() as usize].2));
        }
    }
}

struct Large {
    /// By action: the last action from which it was reached, plus one.
    reached: Vec<u32>,
    stack: Vec<u32>,
}

impl Large {
    fn new(actions: usize) -> Self {
        Self { reached: vec![0; actions], stack: Vec::new() }
    }

    /// Keeps a → `then` unless a is found behind another of those that `then` waits for.
    fn reduce(&mut self, then: u32, before: &[Vec<u32>], rank: &[u32], edges: &mut Vec<(u32, u32)>) {
        let list = &before[then as usize];
        let stamp = then + 1;
        let mut followed = 0;
        if list.len() > 1 {
            // Nothing behind the first of them can be one of them.
            let lowest = list.iter().map(|&first| rank[first as usize]).min().unwrap_or(0);
            // The latest first: the ways back from there pass most of the others.
            self.stack.clear();
            self.stack.extend(list);
            self.stack.sort_unstable_by_key(|&first| rank[first as usize]);
            while let Some(at) = self.stack.pop() {
                for &further in &before[at as usize] {
                    if rank[further as usize] < lowest || self.reached[further as usize] == stamp {
                        continue;
                    }
                    self.reached[further as usize] = stamp;
                    self.stack.push(further);
                }
                followed += before[at as usize].len();
                if followed > FOLLOWED {
                    break;
                }
            }
        }
        for &first in list {
            if list.len() == 1 || self.reached[first as usize] != stamp {
                edges.push((first, then));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph on 0..n whose edges lead upwards, by a linear congruence.
    fn random(n: u32, seed: u64) -> Vec<Vec<u32>> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        (0..n)
            .map(|then| {
                let count = if then == 0 { 0 } else { next() % 5 };
                (0..count).map(|_| next() % then).collect()
            })
            .collect()
    }

    fn closure(n: usize, edges: &[(u32, u32)]) -> Vec<Vec<bool>> {
        let mut reach = vec![vec![false; n]; n];
        for &(first, then) in edges {
            reach[first as usize][then as usize] = true;
        }
        for via in 0..n {
            let through = reach[via].clone();
            for row in &mut reach {
                if row[via] {
                    for (cell, &more) in row.iter_mut().zip(&through) {
                        *cell |= more;
                    }
                }
            }
        }
        reach
    }

    #[test]
    fn keeps_the_order_and_nothing_more() {
        for seed in 0..30 {
            let before = random(40, seed);
            let rank: Vec<u32> = (0..40).collect();
            let all: Vec<(u32, u32)> = before
                .iter()
                .enumerate()
                .flat_map(|(then, list)| list.iter().map(move |&first| (first, then as u32)))
                .collect();
            let kept = reduce(before, &rank);
            assert_eq!(closure(40, &all), closure(40, &kept));
            for at in 0..kept.len() {
                let mut fewer = kept.clone();
                fewer.remove(at);
                assert_ne!(closure(40, &fewer), closure(40, &kept), "{:?} follows from the others", kept[at]);
            }
        }
    }

    #[test]
    fn both_ways_agree() {
        for seed in 0..30 {
            let before = random(200, seed);
            let rank: Vec<u32> = (0..200).collect();
            let mut sorted = before.clone();
            let mut large = Large::new(200);
            let mut edges = Vec::new();
            for list in &mut sorted {
                list.sort_unstable();
                list.dedup();
            }
            for then in 0..200 {
                large.reduce(then, &sorted, &rank, &mut edges);
            }
            edges.sort_unstable();
            assert_eq!(edges, reduce(before, &rank));
        }
    }

    #[test]
    fn a_long_chain_with_short_cuts() {
        let n = 10_000;
        let before: Vec<Vec<u32>> =
            (0..n).map(|then: u32| (1..=3).filter_map(|back| then.checked_sub(back)).collect()).collect();
        let rank: Vec<u32> = (0..n).collect();
        let chain: Vec<(u32, u32)> = (1..n).map(|then| (then - 1, then)).collect();
        assert_eq!(reduce(before, &rank), chain);
    }
}

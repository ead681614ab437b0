//! What groups decide before any choice.
//!
//! An item that moves holds both of its bins, so while a continuous relation over groups
//! holds at the start, nobody who stays can ever leave the group: there would be a moment
//! in which the members are in two. Where the groups are the bins, that means nobody moves
//! at all; else the group bounds where all members may be, and may pass through. A member
//! that cannot move decides the group of the others in the same way, at least for the end.
//!
//! Nothing of this excludes a plan. It is what makes the bounds see the groups, lets the
//! first placement keep out of dead ends, and cuts a problem into parts.

use crate::problem::BitSet;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::RelationKind;
use crate::problem::Role;
use rustc_hash::FxHashMap;

/// Bits that new domains may take together; what does not fit stays as wide as it was.
const MOST_BITS: usize = 1 << 28;

/// A part of a relation whose group is known.
struct Decided {
    /// Items, whatever becomes of them.
    items: Vec<u32>,
    partition: u32,
    group: u32,
    /// Even on the way nobody is outside.
    always: bool,
}

/// Narrows domains and pins items. Near-linear in the sizes of the relations.
pub fn tighten(packing: &mut Packing) {
    // Whom continuous relations pin may decide the group of others.
    for continuous in [true, false] {
        let decided: Vec<Decided> = (0..packing.relations.len())
            .filter(|&at| packing.relations[at].continuous || !continuous)
            .flat_map(|at| decided(packing, at))
            .collect();
        let mut narrowed = Narrowed::default();
        for part in decided {
            narrowed.apply(packing, &part);
        }
    }
}

/// The parts of a relation whose group is known.
fn decided(packing: &Packing, at: usize) -> Vec<Decided> {
    let relation = &packing.relations[at];
    if relation.penalty.is_some() {
        return Vec::new();
    }
    let (members, partition): (Vec<(u32, u32)>, u32) = match &relation.kind {
        RelationKind::SameGroup { items, partition } => {
            (items.iter().map(|&item| (0, item)).collect(), *partition)
        }
        RelationKind::GroupsApart { items, partition } => {
            (items.iter().map(|&(item, part)| (part, item)).collect(), *partition)
        }
        _ => return Vec::new(),
    };
    let group = |bin: u32| match packing.partitions.get(partition as usize) {
        Some(partition) => partition.group_of[bin as usize],
        None => bin,
    };
    let row = |item: u32| &packing.items[item as usize];
    let mut members = members;
    members.sort_unstable();
    // (part, group of each of its members that are in a bin).
    let seats: Vec<(u32, u32)> = members
        .iter()
        .filter(|&&(_, item)| row(item).source != NONE)
        .map(|&(part, item)| (part, group(row(item).source)))
        .collect();
    let holds = {
        let mut used = seats.clone();
        used.dedup();
        let one_each = used.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let mut groups: Vec<u32> = used.iter().map(|seat| seat.1).collect();
        groups.sort_unstable();
        one_each && !groups.contains(&NONE) && groups.windows(2).all(|pair| pair[0] != pair[1])
    };
    members
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|part| {
            let stays = |&&(_, item): &&(u32, u32)| row(item).role == Role::Stay;
            let always = relation.continuous && holds;
            let anchor = part.iter().filter(stays).find(|(_, item)| always || row(*item).pinned)?.1;
            let group = group(row(anchor).source);
            let items = part.iter().map(|&(_, item)| item).collect();
            (group != NONE).then_some(Decided { items, partition, group, always })
        })
        .collect()
}

/// The domains that were made: by old domain, partition and group.
#[derive(Default)]
struct Narrowed(FxHashMap<(u32, u32, u32), u32>);

impl Narrowed {
    fn apply(&mut self, packing: &mut Packing, decided: &Decided) {
        for &item in &decided.items {
            let row = packing.items[item as usize];
            if row.role == Role::Depart || row.pinned {
                continue;
            }
            if decided.always && decided.partition == NONE && row.role == Role::Stay {
                packing.items[item as usize].pinned = true;
                continue;
            }
            let domain = self.domain(packing, row.domain, decided);
            let route = if decided.always { self.domain(packing, row.route, decided) } else { row.route };
            let row = &mut packing.items[item as usize];
            (row.domain, row.route) = (domain, route);
        }
    }

    fn domain(&mut self, packing: &mut Packing, domain: u32, decided: &Decided) -> u32 {
        let (partition, group) = (decided.partition, decided.group);
        if let Some(&known) = self.0.get(&(domain, partition, group)) {
            return known;
        }
        let bins = packing.bins.len();
        let old = &packing.domains[domain as usize];
        let mut narrow = BitSet::empty(bins);
        match packing.partitions.get(partition as usize) {
            Some(partition) => {
                let of_group = (0u32..).zip(&partition.group_of).filter(|(_, of)| **of == group);
                of_group
                    .map(|(bin, _)| bin)
                    .filter(|&bin| old.contains(bin))
                    .for_each(|bin| narrow.insert(bin));
            }
            None if old.contains(group) => narrow.insert(group),
            None => {}
        }
        let known = if narrow == *old || packing.domains.len() * bins > MOST_BITS {
            domain
        } else {
            packing.domains.push(narrow);
            packing.domains.len() as u32 - 1
        };
        self.0.insert((domain, partition, group), known);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Bin;
    use crate::problem::Later;
    use crate::problem::Partition;
    use crate::problem::Relation;
    use crate::schedule::testing::item;

    /// Four bins in two groups, items by their source.
    fn packing(sources: &[u32], kind: RelationKind, continuous: bool) -> Packing {
        let bin = Bin { open: true, later: Later::Open, opening: 0, closing: 0 };
        let placed = |&source: &u32| {
            let role = if source == NONE { Role::Arrive } else { Role::Stay };
            item(source, role, 1)
        };
        Packing {
            bins: vec![bin; 4],
            items: sources.iter().map(placed).collect(),
            domains: vec![BitSet::full(4)],
            partitions: vec![Partition { group_of: vec![0, 0, 1, 1], groups: 2 }],
            relations: vec![Relation { kind, continuous, penalty: None, cause: 0 }],
            ..Packing::default()
        }
    }

    fn domain(packing: &Packing, item: usize) -> Vec<u32> {
        packing.domains[packing.items[item].domain as usize].iter().collect()
    }

    #[test]
    fn gathered_items_stay() {
        let kind = || RelationKind::SameGroup { items: vec![0, 1, 2], partition: NONE };
        let mut together = packing(&[2, 2, NONE], kind(), true);
        tighten(&mut together);
        assert!(together.items[0].pinned && together.items[1].pinned && !together.items[2].pinned);
        assert_eq!(domain(&together, 2), [2]);
        // Not together yet, or only asked to be so at the end: all are free.
        for mut free in [packing(&[2, 3, NONE], kind(), true), packing(&[2, 2, NONE], kind(), false)] {
            tighten(&mut free);
            assert!(free.items.iter().all(|item| !item.pinned && item.domain == 0));
        }
    }

    #[test]
    fn groups_bound_places_and_ways() {
        let kind = RelationKind::SameGroup { items: vec![0, 1], partition: 0 };
        let mut groups = packing(&[2, NONE], kind.clone(), true);
        tighten(&mut groups);
        assert_eq!((domain(&groups, 0), domain(&groups, 1)), (vec![2, 3], vec![2, 3]));
        assert_eq!(groups.items[0].route, groups.items[0].domain);
        // One that cannot move decides for the end only.
        let mut pinned = packing(&[2, 0], kind, false);
        pinned.items[0].pinned = true;
        tighten(&mut pinned);
        assert_eq!((domain(&pinned, 1), pinned.items[1].route), (vec![2, 3], 0));
    }

    #[test]
    fn parts_keep_their_groups() {
        let kind = RelationKind::GroupsApart { items: vec![(0, 0), (1, 1), (2, 1)], partition: 0 };
        let mut apart = packing(&[0, 3, NONE], kind.clone(), true);
        tighten(&mut apart);
        assert_eq!((domain(&apart, 0), domain(&apart, 2)), (vec![0, 1], vec![2, 3]));
        let mut mixed = packing(&[0, 1, NONE], kind, true);
        tighten(&mut mixed);
        assert!(mixed.items.iter().all(|item| item.domain == 0));
    }
}

//! Items, bins, sizes, capacities, relations.

use super::BitSet;
use super::Shares;
use petgraph::unionfind::UnionFind;

/// No item, no bin.
pub const NONE: u32 = u32::MAX;

/// What becomes of a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Later {
    /// It is open at the end.
    Open,
    /// It is closed at the end.
    Closed,
    /// Either.
    Free,
}

/// A bin.
#[derive(Clone, Copy, Debug)]
pub struct Bin {
    /// Is it open at the start?
    pub open: bool,
    /// What becomes of it.
    pub later: Later,
    /// Seconds to open it.
    pub opening: u32,
    /// Seconds to close it.
    pub closing: u32,
}

/// What an item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// In a bin before and after, maybe another.
    Stay,
    /// In no bin before, in one after.
    Arrive,
    /// In a bin before, in none after.
    Depart,
}

/// An item.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The bin at the start, or [`NONE`].
    pub source: u32,
    /// What it does.
    pub role: Role,
    /// It may not move from bin to bin.
    pub pinned: bool,
    /// Index in [`Packing::domains`]: the bins that it may end in.
    pub domain: u32,
    /// Index in [`Packing::domains`]: the bins that it may ever enter.
    pub route: u32,
    /// Moving takes `lead` seconds in which it does not hold the destination yet …
    pub lead: u32,
    /// … and then `hold` seconds in which it holds both bins.
    pub hold: u32,
    /// A move to a stop on the way takes this long, holding both bins.
    pub leg: u32,
    /// Arriving or departing takes this long.
    pub duration: u32,
    /// A bin that must stay open until it has arrived, or [`NONE`].
    pub anchor: u32,
    /// When it departs something of it stays in the bin and keeps that open.
    pub image: bool,
}

/// Which group each bin belongs to.
#[derive(Clone, Debug)]
pub struct Partition {
    /// By bin: its group, or [`NONE`] outside all groups.
    pub group_of: Vec<u32>,
    /// Number of groups.
    pub groups: u32,
}

/// What a relation demands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// At most so many of the items in each group of the partition at this index;
    /// [`NONE`] for each bin being a group of its own. An item that moves within a group
    /// counts once.
    AtMost {
        /// The items.
        items: Vec<u32>,
        /// How many.
        most: u32,
        /// Index in [`Packing::partitions`], or [`NONE`].
        partition: u32,
    },
    /// All items in one group of the partition at this index; [`NONE`] for each bin
    /// being a group of its own.
    SameGroup {
        /// The items.
        items: Vec<u32>,
        /// Index in [`Packing::partitions`], or [`NONE`].
        partition: u32,
    },
    /// No bin has items of two parts.
    Apart {
        /// (item, part), by item.
        items: Vec<(u32, u32)>,
    },
    /// A bin with one of the items has none that is not of them.
    Exclusive {
        /// The items, ascending.
        items: Vec<u32>,
    },
    /// Each part in one group, different parts in different groups.
    GroupsApart {
        /// (item, part), by item.
        items: Vec<(u32, u32)>,
        /// Index in [`Packing::partitions`].
        partition: u32,
    },
    /// None of the items in any of the bins.
    Avoid {
        /// The items.
        items: Vec<u32>,
        /// The bins.
        bins: BitSet,
    },
    /// Sizes in a dimension, summed over the bins, stay within the limit.
    Load {
        /// The bins.
        bins: BitSet,
        /// The dimension.
        dim: u32,
        /// The limit.
        limit: u64,
    },
    /// Items, counted over the bins, stay within the limit.
    Count {
        /// The bins.
        bins: BitSet,
        /// The limit.
        limit: u64,
    },
    /// Those of the bins that are open take at most so much together.
    Powered {
        /// The bins, and what each takes.
        bins: Shares,
        /// How much.
        limit: u64,
    },
    /// The items of any `failures` bins of the set fit into what the others have left.
    Survive {
        /// The bins that may fail.
        bins: BitSet,
        /// How many do at once.
        failures: u32,
        /// What surviving means.
        mode: crate::compile::FtMode,
    },
}

/// A relation among items and bins.
#[derive(Clone, Debug)]
pub struct Relation {
    /// What it demands.
    pub kind: RelationKind,
    /// Does it hold at every moment?
    pub continuous: bool,
    /// The price of a unit of violation at the end; `None` where it is hard.
    pub penalty: Option<u32>,
    /// An opaque number that leads back to where it comes from.
    pub cause: u32,
}

/// Vector packing with relations.
#[derive(Clone, Debug, Default)]
pub struct Packing {
    /// Number of dimensions.
    pub dims: usize,
    /// The bins.
    pub bins: Vec<Bin>,
    /// The items.
    pub items: Vec<Item>,
    /// By bin and dimension: the most that it may hold at the end.
    pub capacity_then: Vec<u64>,
    /// By bin and dimension: the most that it may hold before.
    pub capacity_now: Vec<u64>,
    /// By bin and dimension: what it has of its own, whatever rules take away from that.
    pub capacity_own: Vec<u64>,
    /// By item and dimension: its size at the start.
    pub size_now: Vec<u64>,
    /// By item and dimension: its size at the end.
    pub size_then: Vec<u64>,
    /// Distinct sets of bins; the first is full.
    pub domains: Vec<BitSet>,
    /// Distinct partitions of the bins.
    pub partitions: Vec<Partition>,
    /// The relations.
    pub relations: Vec<Relation>,
    /// Relations of item i: `item_relations[item_ends[i - 1]..item_ends[i]]`, each with
    /// the item's part where the relation has parts.
    pub item_relations: Vec<(u32, u32)>,
    /// See `item_relations`.
    pub item_ends: Vec<u32>,
    /// Relations over sets of bins (load, count) by bin.
    pub bin_relations: Vec<Vec<u32>>,
    /// Bins that an immobile load keeps open (an image that lies there).
    pub anchored: Vec<bool>,
}

impl Packing {
    /// Size of an item in every dimension at the start.
    #[inline]
    pub fn now(&self, item: u32) -> &[u64] {
        &self.size_now[item as usize * self.dims..][..self.dims]
    }

    /// Size of an item in every dimension at the end.
    #[inline]
    pub fn then(&self, item: u32) -> &[u64] {
        &self.size_then[item as usize * self.dims..][..self.dims]
    }

    /// Does its size change?
    pub fn resizes(&self, item: u32) -> bool {
        self.now(item) != self.then(item)
    }

    /// Does it grow in some dimension?
    pub fn grows(&self, item: u32) -> bool {
        self.now(item).iter().zip(self.then(item)).any(|(now, then)| then > now)
    }

    /// Relations of an item, with its part.
    #[inline]
    pub fn relations_of(&self, item: u32) -> &[(u32, u32)] {
        let start = if item == 0 { 0 } else { self.item_ends[item as usize - 1] };
        &self.item_relations[start as usize..self.item_ends[item as usize] as usize]
    }

    /// May the item end in the bin, as far as its domain and the bin's fate go?
    #[inline]
    pub fn may_end_in(&self, item: u32, bin: u32) -> bool {
        let row = &self.items[item as usize];
        self.bins[bin as usize].later != Later::Closed
            && self.domains[row.domain as usize].contains(bin)
            && (bin == row.source
                || (self.domains[row.route as usize].contains(bin)
                    && !(row.pinned && row.role == Role::Stay)))
    }

    /// The bin that the item is in at the end in any case, as far as its domain decides
    /// that: the only one left to it, or the one that it cannot leave.
    pub fn settled_in(&self, item: u32) -> Option<u32> {
        let row = &self.items[item as usize];
        match row.role {
            Role::Depart => None,
            Role::Stay if row.pinned => Some(row.source),
            _ => self.domains[row.domain as usize].only(),
        }
        .filter(|&bin| self.may_end_in(item, bin))
    }

    /// The group of a bin in the partition at this index, or [`NONE`] outside all groups;
    /// the bin itself where the index is [`NONE`].
    #[inline]
    pub fn group(&self, partition: u32, bin: u32) -> u32 {
        match self.partitions.get(partition as usize) {
            Some(partition) => partition.group_of[bin as usize],
            None => bin,
        }
    }

    /// Fills `item_relations` and `bin_relations` from `relations`.
    pub fn index_relations(&mut self) {
        let mut rows: Vec<(u32, u32, u32)> = Vec::new();
        self.bin_relations = vec![Vec::new(); self.bins.len()];
        for (at, relation) in self.relations.iter().enumerate() {
            let at = at as u32;
            match &relation.kind {
                RelationKind::AtMost { items, .. }
                | RelationKind::SameGroup { items, .. }
                | RelationKind::Exclusive { items }
                | RelationKind::Avoid { items, .. } => rows.extend(items.iter().map(|&item| (item, at, 0))),
                RelationKind::Apart { items } | RelationKind::GroupsApart { items, .. } => {
                    rows.extend(items.iter().map(|&(item, part)| (item, at, part)));
                }
                RelationKind::Load { bins, .. } | RelationKind::Count { bins, .. } => {
                    for bin in bins.iter() {
                        self.bin_relations[bin as usize].push(at);
                    }
                }
                RelationKind::Powered { .. } | RelationKind::Survive { .. } => {}
            }
        }
        rows.sort_unstable();
        rows.dedup();
        self.item_ends = Vec::with_capacity(self.items.len());
        self.item_relations = rows.iter().map(|&(_, relation, part)| (relation, part)).collect();
        let mut end = 0;
        for item in 0..self.items.len() as u32 {
            while rows.get(end).is_some_and(|row| row.0 == item) {
                end += 1;
            }
            self.item_ends.push(end as u32);
        }
    }
}

impl Packing {
    /// Which items must be in one bin at the end, of those that count.
    pub fn together(&self, counts: impl Fn(u32) -> bool) -> UnionFind<u32> {
        let mut union = UnionFind::new(self.items.len());
        for relation in self.relations.iter().filter(|relation| relation.penalty.is_none()) {
            if let RelationKind::SameGroup { items, partition: NONE } = &relation.kind {
                let mut members = items.iter().copied().filter(|&item| counts(item));
                if let Some(first) = members.next() {
                    members.for_each(|other| {
                        union.union(first, other);
                    });
                }
            }
        }
        union
    }

    /// Is every bin of a ledger within its capacity?
    pub fn load_fits(&self, ledger: &crate::propagator::Ledger<'_>) -> bool {
        (0..self.bins.len() as u32)
            .all(|bin| ledger.load(bin).iter().zip(ledger.capacity(bin)).all(|(load, most)| load <= most))
    }
}

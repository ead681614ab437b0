//! Who is in which bin, and who else may enter.
//!
//! One structure serves two purposes. At [`Moment::Then`] it holds the final bins of
//! the items and enforces every hard relation; at [`Moment::Now`] it holds the bins at
//! one moment of a schedule, an item on its way counting in both of its bins, and
//! enforces the continuous relations only. Entering asks whether the newcomer adds a
//! violation; a bin that is too full already refuses newcomers and lets anybody leave,
//! so a violated start is only ever repaired. Adding, removing and asking cost the
//! number of dimensions plus the number of the item's relations.

use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Relation;
use crate::problem::RelationKind;
use rustc_hash::FxHashMap;

/// Which capacities and relations count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A moment before the last: capacities now, continuous relations.
    Now,
    /// The end: capacities then, all hard relations.
    Then,
}

/// What forbids an item to enter a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Block {
    /// No room in this dimension.
    Dim(u32),
    /// The relation at this index.
    Relation(u32),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Ledger<'p> {
    packing: &'p Packing,
    moment: Moment,
    load: Vec<u64>,
    guests: Vec<Vec<u32>>,
    /// By item: the bins that it holds, or [`NONE`].
    seats: Vec<[u32; 2]>,
    /// Counts by (relation, key); what the key is depends on the relation.
    counts: FxHashMap<(u32, u32), u32>,
    /// By relation: number of distinct groups in use, or the sum of a load or count.
    totals: Vec<u64>,
    /// By bin: the exclusive relations that have an item there.
    exclusive: Vec<Vec<u32>>,
}

impl<'p> Ledger<'p> {
    /// Empty bins.
    pub fn new(packing: &'p Packing, moment: Moment) -> Self {
        Self {
            packing,
            moment,
            load: vec![0; packing.bins.len() * packing.dims],
            guests: vec![Vec::new(); packing.bins.len()],
            seats: vec![[NONE; 2]; packing.items.len()],
            counts: FxHashMap::default(),
            totals: vec![0; packing.relations.len()],
            exclusive: vec![Vec::new(); packing.bins.len()],
        }
    }

    /// The packing.
    pub fn packing(&self) -> &'p Packing {
        self.packing
    }

    /// Does the relation count at this moment?
    #[inline]
    pub fn counts(&self, relation: &Relation) -> bool {
        relation.penalty.is_none() && (self.moment == Moment::Then || relation.continuous)
    }

    /// What a bin holds in every dimension.
    #[inline]
    pub fn load(&self, bin: u32) -> &[u64] {
        &self.load[bin as usize * self.packing.dims..][..self.packing.dims]
    }

    /// The size of an item: at the end its final one. Before, the ledger does not know
    /// which of its two sizes it has; that is the final one where it only grows, else the first.
    pub fn size_of(&self, item: u32) -> &'p [u64] {
        let (now, then) = (self.packing.now(item), self.packing.then(item));
        if self.moment == Moment::Then || now.iter().zip(then).all(|(now, then)| now <= then) {
            then
        } else {
            now
        }
    }

    /// What a bin may hold in every dimension.
    #[inline]
    pub fn capacity(&self, bin: u32) -> &'p [u64] {
        let row = bin as usize * self.packing.dims;
        let all = match self.moment {
            Moment::Now => &self.packing.capacity_now,
            Moment::Then => &self.packing.capacity_then,
        };
        &all[row..row + self.packing.dims]
    }

    /// The items in a bin.
    #[inline]
    pub fn guests(&self, bin: u32) -> &[u32] {
        &self.guests[bin as usize]
    }

    #[inline]
    fn group(&self, partition: u32, bin: u32) -> u32 {
        self.packing.group(partition, bin)
    }

    /// Has the item, which holds this other bin as well, been counted in the group?
    fn is_counted(&self, partition: u32, group: u32, other: u32) -> bool {
        partition != NONE && other != NONE && self.group(partition, other) == group
    }

    /// How many items of an at-most relation are in the group of a bin.
    pub fn members_near(&self, relation: u32, bin: u32) -> u32 {
        match &self.packing.relations[relation as usize].kind {
            RelationKind::AtMost { partition, .. } => self.count(relation, self.group(*partition, bin)),
            _ => 0,
        }
    }

    #[inline]
    fn count(&self, relation: u32, key: u32) -> u32 {
        self.counts.get(&(relation, key)).copied().unwrap_or(0)
    }

    fn raise(&mut self, relation: u32, key: u32) -> u32 {
        let count = self.counts.entry((relation, key)).or_default();
        *count += 1;
        *count
    }

    fn lower(&mut self, relation: u32, key: u32) -> u32 {
        match self.counts.get_mut(&(relation, key)) {
            Some(count) if *count > 1 => {
                *count -= 1;
                *count
            }
            _ => {
                self.counts.remove(&(relation, key));
                0
            }
        }
    }

    /// Is there room for these sizes beside what the bin holds?
    #[inline]
    pub fn has_room(&self, bin: u32, size: &[u64]) -> Result<(), Block> {
        let load = self.load(bin);
        let capacity = self.capacity(bin);
        for dim in 0..size.len() {
            if size[dim] > 0 && load[dim] + size[dim] > capacity[dim] {
                return Err(Block::Dim(dim as u32));
            }
        }
        Ok(())
    }

    /// May an item enter a bin in these sizes? (Domains are the caller's affair.)
    ///
    /// # Errors
    /// The first thing that forbids it.
    #[inline]
    pub fn may_enter(&self, item: u32, bin: u32, size: &[u64]) -> Result<(), Block> {
        self.has_room(bin, size)?;
        self.relations_admit(item, bin, size)
    }

    /// Would the relations let an item enter a bin in these sizes, room or not?
    ///
    /// # Errors
    /// The first relation that forbids it.
    #[inline]
    pub fn relations_admit(&self, item: u32, bin: u32, size: &[u64]) -> Result<(), Block> {
        for &(at, part) in self.packing.relations_of(item) {
            let relation = &self.packing.relations[at as usize];
            if self.counts(relation) && !self.relation_admits(relation, at, (item, part), bin) {
                return Err(Block::Relation(at));
            }
        }
        for &at in &self.packing.bin_relations[bin as usize] {
            let relation = &self.packing.relations[at as usize];
            let more = match relation.kind {
                RelationKind::Load { dim, limit, .. } => (size[dim as usize], limit),
                RelationKind::Count { limit, .. } => (1, limit),
                _ => continue,
            };
            if more.0 > 0 && self.counts(relation) && self.totals[at as usize] + more.0 > more.1 {
                return Err(Block::Relation(at));
            }
        }
        for &at in &self.exclusive[bin as usize] {
            if !self.packing.relations_of(item).iter().any(|&(other, _)| other == at) {
                return Err(Block::Relation(at));
            }
        }
        Ok(())
    }

    fn relation_admits(&self, relation: &Relation, at: u32, (item, part): (u32, u32), bin: u32) -> bool {
        match &relation.kind {
            RelationKind::AtMost { most, partition, .. } => {
                let group = self.group(*partition, bin);
                let held = self.seats[item as usize][0];
                group == NONE || self.count(at, group) < *most || self.is_counted(*partition, group, held)
            }
            RelationKind::SameGroup { partition, .. } => {
                let group = self.group(*partition, bin);
                group != NONE && (self.totals[at as usize] == 0 || self.count(at, group) > 0)
            }
            RelationKind::Apart { .. } => {
                let others = self.guests[bin as usize].iter().any(|&guest| {
                    self.packing
                        .relations_of(guest)
                        .iter()
                        .any(|&(other, theirs)| other == at && theirs != part)
                });
                !others
            }
            RelationKind::Exclusive { .. } => self.count(at, bin) as usize == self.guests[bin as usize].len(),
            RelationKind::GroupsApart { partition, .. } => {
                let group = self.group(*partition, bin);
                if group == NONE {
                    return false;
                }
                let groups = self.packing.partitions[*partition as usize].groups;
                let mine = self.count(at, groups + part * groups + group);
                if mine > 0 {
                    return true;
                }
                // A group that no other part is in; a second one only on the way out of a
                // place that is wrong already.
                self.count(at, group) == 0
                    && (self.count(at, u32::MAX - part) == 0 || self.part_at_fault(at, part, groups))
            }
            RelationKind::Avoid { bins, .. } => !bins.contains(bin),
            _ => true,
        }
    }

    /// Is a part spread over several groups, or does it share one with another part?
    fn part_at_fault(&self, at: u32, part: u32, groups: u32) -> bool {
        let mut used = 0;
        (0..groups).any(|group| {
            let mine = self.count(at, groups + part * groups + group);
            used += u32::from(mine > 0);
            mine > 0 && (used > 1 || self.count(at, group) > mine)
        })
    }

    /// May an item in a bin change its sizes?
    ///
    /// # Errors
    /// The first thing that forbids it.
    pub fn may_resize(&self, bin: u32, from: &[u64], to: &[u64]) -> Result<(), Block> {
        let load = self.load(bin);
        let capacity = self.capacity(bin);
        for dim in 0..from.len() {
            if to[dim] > from[dim] && load[dim] - from[dim] + to[dim] > capacity[dim] {
                return Err(Block::Dim(dim as u32));
            }
        }
        for &at in &self.packing.bin_relations[bin as usize] {
            let relation = &self.packing.relations[at as usize];
            if let RelationKind::Load { dim, limit, .. } = relation.kind {
                let dim = dim as usize;
                if to[dim] > from[dim]
                    && self.counts(relation)
                    && self.totals[at as usize] - from[dim] + to[dim] > limit
                {
                    return Err(Block::Relation(at));
                }
            }
        }
        Ok(())
    }

    /// An item enters a bin, allowed or not.
    pub fn add(&mut self, item: u32, bin: u32, size: &[u64]) {
        let row = bin as usize * self.packing.dims;
        for (load, size) in self.load[row..].iter_mut().zip(size) {
            *load += size;
        }
        self.guests[bin as usize].push(item);
        let seats = &mut self.seats[item as usize];
        let held = seats[0];
        seats[usize::from(held != NONE)] = bin;
        let packing = self.packing;
        for &(at, part) in packing.relations_of(item) {
            match &packing.relations[at as usize].kind {
                RelationKind::AtMost { partition, .. } => {
                    let group = self.group(*partition, bin);
                    if group != NONE && !self.is_counted(*partition, group, held) {
                        self.raise(at, group);
                    }
                }
                RelationKind::Exclusive { .. } => {
                    if self.raise(at, bin) == 1 && self.counts(&packing.relations[at as usize]) {
                        self.exclusive[bin as usize].push(at);
                    }
                }
                RelationKind::SameGroup { partition, .. } => {
                    let group = self.group(*partition, bin);
                    if group != NONE && self.raise(at, group) == 1 {
                        self.totals[at as usize] += 1;
                    }
                }
                RelationKind::GroupsApart { partition, .. } => {
                    let group = self.group(*partition, bin);
                    let groups = packing.partitions[*partition as usize].groups;
                    if group != NONE {
                        self.raise(at, u32::MAX - part);
                        self.raise(at, group);
                        self.raise(at, groups + part * groups + group);
                    }
                }
                _ => {}
            }
        }
        for &at in &packing.bin_relations[bin as usize] {
            match packing.relations[at as usize].kind {
                RelationKind::Load { dim, .. } => self.totals[at as usize] += size[dim as usize],
                RelationKind::Count { .. } => self.totals[at as usize] += 1,
                _ => {}
            }
        }
    }

    /// An item leaves a bin.
    pub fn remove(&mut self, item: u32, bin: u32, size: &[u64]) {
        let row = bin as usize * self.packing.dims;
        for (load, size) in self.load[row..].iter_mut().zip(size) {
            *load -= size;
        }
        let guests = &mut self.guests[bin as usize];
        if let Some(at) = guests.iter().rposition(|&guest| guest == item) {
            guests.swap_remove(at);
        }
        let seats = &mut self.seats[item as usize];
        if seats[0] == bin {
            *seats = [seats[1], NONE];
        } else {
            seats[1] = NONE;
        }
        let held = seats[0];
        let packing = self.packing;
        for &(at, part) in packing.relations_of(item) {
            match &packing.relations[at as usize].kind {
                RelationKind::AtMost { partition, .. } => {
                    let group = self.group(*partition, bin);
                    if group != NONE && !self.is_counted(*partition, group, held) {
                        self.lower(at, group);
                    }
                }
                RelationKind::Exclusive { .. } => {
                    if self.lower(at, bin) == 0 {
                        self.exclusive[bin as usize].retain(|&other| other != at);
                    }
                }
                RelationKind::SameGroup { partition, .. } => {
                    let group = self.group(*partition, bin);
                    if group != NONE && self.lower(at, group) == 0 {
                        self.totals[at as usize] -= 1;
                    }
                }
                RelationKind::GroupsApart { partition, .. } => {
                    let group = self.group(*partition, bin);
                    let groups = packing.partitions[*partition as usize].groups;
                    if group != NONE {
                        self.lower(at, u32::MAX - part);
                        self.lower(at, group);
                        self.lower(at, groups + part * groups + group);
                    }
                }
                _ => {}
            }
        }
        for &at in &packing.bin_relations[bin as usize] {
            match packing.relations[at as usize].kind {
                RelationKind::Load { dim, .. } => self.totals[at as usize] -= size[dim as usize],
                RelationKind::Count { .. } => self.totals[at as usize] -= 1,
                _ => {}
            }
        }
    }

    /// An item in a bin changes its sizes.
    pub fn resize(&mut self, bin: u32, from: &[u64], to: &[u64]) {
        let row = bin as usize * self.packing.dims;
        for (load, (from, to)) in self.load[row..].iter_mut().zip(from.iter().zip(to)) {
            *load = *load - from + to;
        }
        for &at in &self.packing.bin_relations[bin as usize] {
            if let RelationKind::Load { dim, .. } = self.packing.relations[at as usize].kind {
                let total = &mut self.totals[at as usize];
                *total = *total - from[dim as usize] + to[dim as usize];
            }
        }
    }

    /// By how much a relation is broken, from scratch: the measure that penalties are
    /// multiplied with, 0 where it is satisfied. `powered` tells the open bins.
    pub fn violation(&self, at: u32, powered: &dyn Fn(u32) -> bool) -> u64 {
        let relation = &self.packing.relations[at as usize];
        // (bin, item) for each bin that an item holds, by bin.
        let in_bins = |items: &[u32]| -> Vec<(u32, u32)> {
            let mut seats: Vec<(u32, u32)> = items
                .iter()
                .flat_map(|&item| self.seats[item as usize].into_iter().map(move |bin| (bin, item)))
                .filter(|seat| seat.0 != NONE)
                .collect();
            seats.sort_unstable();
            seats
        };
        match &relation.kind {
            RelationKind::AtMost { items, most, partition } => {
                let mut seats = in_bins(items);
                if *partition != NONE {
                    seats.iter_mut().for_each(|seat| seat.0 = self.group(*partition, seat.0));
                    seats.retain(|seat| seat.0 != NONE);
                    seats.sort_unstable();
                    seats.dedup();
                }
                seats
                    .chunk_by(|a, b| a.0 == b.0)
                    .map(|chunk| (chunk.len() as u64).saturating_sub(u64::from(*most)))
                    .sum()
            }
            RelationKind::SameGroup { items, partition } => {
                let mut groups: Vec<u32> = Vec::new();
                let mut outside = 0;
                for (bin, _) in in_bins(items) {
                    match self.group(*partition, bin) {
                        NONE => outside += 1,
                        group => groups.push(group),
                    }
                }
                groups.sort_unstable();
                groups.dedup();
                outside + (groups.len() as u64).saturating_sub(1)
            }
            RelationKind::Apart { items } => {
                let members: Vec<u32> = items.iter().map(|&(item, _)| item).collect();
                let part = |item: u32| items.partition_point(|row| row.0 < item);
                let seats = in_bins(&members);
                seats
                    .chunk_by(|a, b| a.0 == b.0)
                    .filter(|chunk| {
                        let first = items[part(chunk[0].1)].1;
                        chunk.iter().any(|seat| items[part(seat.1)].1 != first)
                    })
                    .map(|chunk| chunk.len() as u64)
                    .sum()
            }
            RelationKind::Exclusive { items } => in_bins(items)
                .chunk_by(|a, b| a.0 == b.0)
                .map(|chunk| {
                    let all = self.guests[chunk[0].0 as usize].len();
                    if all > chunk.len() { all as u64 } else { 0 }
                })
                .sum(),
            RelationKind::GroupsApart { items, partition } => {
                // Parts at fault: outside all groups, in several, or in one with another part.
                let members: Vec<u32> = items.iter().map(|&(item, _)| item).collect();
                let mut used: Vec<(u32, u32)> = Vec::new();
                for (bin, item) in in_bins(&members) {
                    let part = items[items.partition_point(|row| row.0 < item)].1;
                    used.push((self.group(*partition, bin), part));
                }
                used.sort_unstable();
                used.dedup();
                let mut faulty: Vec<u32> = Vec::new();
                for users in used.chunk_by(|a, b| a.0 == b.0) {
                    if users[0].0 == NONE || users.len() > 1 {
                        faulty.extend(users.iter().map(|user| user.1));
                    }
                }
                used.sort_unstable_by_key(|&(_, part)| part);
                faulty.extend(used.windows(2).filter(|pair| pair[0].1 == pair[1].1).map(|pair| pair[0].1));
                faulty.sort_unstable();
                faulty.dedup();
                faulty.len() as u64
            }
            RelationKind::Avoid { items, bins } => {
                in_bins(items).iter().filter(|seat| bins.contains(seat.0)).count() as u64
            }
            RelationKind::Load { limit, .. } | RelationKind::Count { limit, .. } => {
                self.totals[at as usize].saturating_sub(*limit)
            }
            RelationKind::Powered { bins, limit } => bins.sum(powered).saturating_sub(*limit),
            RelationKind::Survive { .. } => super::survive::shortfall(self, at, powered),
        }
    }
}

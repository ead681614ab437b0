//! Is there a last configuration at all, whatever the way there?
//!
//! Items that must share a bin are one unit. First what can be told without a choice:
//! bins that are too small, more units than seats in the bins that a relation leaves them
//! (Hall's condition, by augmenting paths), more load than room in a set of bins, groups
//! in which a set has no place, too few bins that may be open. Then, on small problems,
//! every placement is tried: the unit with the fewest bins first, and of bins that are
//! alike and empty only one.
//!
//! A proof comes with the items that suffice for it, if those are known: the rest of
//! the problem may be forgotten without losing the proof.

mod hall;
mod tree;

use super::Limits;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use rustc_hash::FxHashMap;

/// Domains of units may take so many bits together; larger problems are not looked at.
const MOST_BITS: usize = 1 << 30;

/// Regions (distinct domains) whose room is summed up.
const MOST_REGIONS: usize = 1_500;

/// How often domains are narrowed at most.
const MOST_ROUNDS: usize = 12;

/// What is known of the last configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Possible {
    /// There is one: the bin of each item, [`NONE`] for those that depart.
    Yes(Vec<u32>),
    /// There is none: these items alone, with all relations, have none.
    No(Vec<u32>),
    /// Nothing was found out.
    Unknown,
}

/// Items that are in one bin in any case.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) items: Vec<u32>,
    /// What they take together, by dimension.
    pub(super) size: Vec<u64>,
    /// Where they may be.
    pub(super) domain: BitSet,
    /// Other units that narrowed the domain.
    because: Vec<u32>,
}

/// Units that cannot all be placed.
type Clash = Vec<u32>;

/// The problem in units.
pub(super) struct Units<'p> {
    pub(super) packing: &'p Packing,
    pub(super) units: Vec<Unit>,
    /// By item: its unit, or [`NONE`].
    pub(super) unit_of: Vec<u32>,
    /// Bins that are open at the end in any case.
    pub(super) open: BitSet,
}

/// Looks for a last configuration; `budget` bins are tried at most, and what was tried is
/// taken from it.
pub fn possible(problem: &Problem, budget: &mut u64, limits: &Limits) -> Possible {
    let packing = &problem.packing;
    let mut units = match Units::of(packing) {
        None => return Possible::Unknown,
        Some(units) => units,
    };
    match units.narrow() {
        Err(clash) => Possible::No(units.items_of(clash)),
        Ok(()) => tree::search(&units, budget, limits),
    }
}

impl<'p> Units<'p> {
    /// `None` where that would take too much memory.
    fn of(packing: &'p Packing) -> Option<Self> {
        let (items, bins) = (packing.items.len(), packing.bins.len());
        if items.saturating_mul(bins) > MOST_BITS {
            return None;
        }
        let stays = |item: u32| packing.items[item as usize].role != Role::Depart;
        let union = packing.together(stays);
        let mut closed = BitSet::full(bins);
        let mut open = BitSet::empty(bins);
        for (bin, row) in (0u32..).zip(&packing.bins) {
            match row.later {
                Later::Closed => closed.remove(bin),
                Later::Open => open.insert(bin),
                Later::Free if packing.anchored[bin as usize] => open.insert(bin),
                Later::Free => {}
            }
        }
        for row in packing.items.iter().filter(|row| row.image) {
            // Where it departs; elsewhere only if it moves before, which is left open.
            if row.pinned {
                open.insert(row.source);
            }
        }
        let usable = closed;
        let mut shared: FxHashMap<(u32, u32), BitSet> = FxHashMap::default();
        let mut unit_of = vec![NONE; items];
        let mut at_root: FxHashMap<u32, u32> = FxHashMap::default();
        let mut units: Vec<Unit> = Vec::new();
        for item in (0..items as u32).filter(|&item| stays(item)) {
            let row = &packing.items[item as usize];
            let domain = if row.pinned && row.role == Role::Stay {
                let mut own = BitSet::empty(bins);
                if packing.may_end_in(item, row.source) {
                    own.insert(row.source);
                }
                own
            } else {
                let mut domain = shared
                    .entry((row.domain, row.route))
                    .or_insert_with(|| {
                        let mut both = packing.domains[row.domain as usize].clone();
                        both.intersect(&packing.domains[row.route as usize]);
                        both.intersect(&usable);
                        both
                    })
                    .clone();
                if row.source != NONE && packing.may_end_in(item, row.source) {
                    domain.insert(row.source);
                }
                domain
            };
            let unit = *at_root.entry(union.find(item)).or_insert_with(|| {
                units.push(Unit {
                    items: Vec::new(),
                    size: vec![0; packing.dims],
                    domain: usable.clone(),
                    because: Vec::new(),
                });
                units.len() as u32 - 1
            });
            unit_of[item as usize] = unit;
            let unit = &mut units[unit as usize];
            unit.items.push(item);
            unit.size.iter_mut().zip(packing.then(item)).for_each(|(sum, size)| *sum += size);
            unit.domain.intersect(&domain);
        }
        for unit in &mut units {
            // Room is looked at once for all bins that are large enough for anything.
            let size = &unit.size;
            let small: Vec<u32> = unit
                .domain
                .iter()
                .filter(|&bin| {
                    let row = bin as usize * packing.dims;
                    size.iter().zip(&packing.capacity_then[row..]).any(|(size, room)| size > room)
                })
                .collect();
            small.into_iter().for_each(|bin| unit.domain.remove(bin));
        }
        Some(Self { packing, units, unit_of, open })
    }

    /// The items of units and of those that narrowed their domains.
    fn items_of(&self, mut clash: Clash) -> Vec<u32> {
        let mut seen = vec![false; self.units.len()];
        let mut items = Vec::new();
        while let Some(unit) = clash.pop() {
            if !std::mem::replace(&mut seen[unit as usize], true) {
                items.extend(&self.units[unit as usize].items);
                clash.extend(&self.units[unit as usize].because);
            }
        }
        items.sort_unstable();
        items
    }

    /// Everything that can be told without a choice, until nothing changes.
    fn narrow(&mut self) -> Result<(), Clash> {
        self.broken_units()?;
        for _ in 0..MOST_ROUNDS {
            self.empty_units()?;
            self.seats()?;
            self.regions()?;
            self.powered()?;
            if !self.groups()? {
                break;
            }
        }
        Ok(())
    }

    fn empty_units(&self) -> Result<(), Clash> {
        match (0u32..).zip(&self.units).find(|(_, unit)| unit.domain.is_empty()) {
            Some((at, _)) => Err(vec![at]),
            None => Ok(()),
        }
    }

    /// Members of a unit that may not share a bin.
    fn broken_units(&self) -> Result<(), Clash> {
        for relation in self.packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            let mut seats: Vec<(u32, u32)> = match &relation.kind {
                RelationKind::AtMost { items, .. } => items.iter().map(|&item| (item, 0)).collect(),
                RelationKind::Apart { items } | RelationKind::GroupsApart { items, .. } => items.clone(),
                RelationKind::Exclusive { items } => {
                    self.mixed_unit(items)?;
                    continue;
                }
                _ => continue,
            };
            seats.iter_mut().for_each(|seat| seat.0 = self.unit_of[seat.0 as usize]);
            seats.retain(|seat| seat.0 != NONE);
            seats.sort_unstable();
            let most = match relation.kind {
                RelationKind::AtMost { most, partition: NONE, .. } => most as usize,
                RelationKind::AtMost { .. } => continue,
                _ => {
                    seats.dedup();
                    1
                }
            };
            if let Some(chunk) = seats.chunk_by(|a, b| a.0 == b.0).find(|chunk| chunk.len() > most) {
                return Err(vec![chunk[0].0]);
            }
        }
        Ok(())
    }

    /// A unit with members of a set that is to be alone, and others.
    fn mixed_unit(&self, items: &[u32]) -> Result<(), Clash> {
        let mixed = self
            .members(items)
            .into_iter()
            .find(|&(unit, count)| (count as usize) < self.units[unit as usize].items.len());
        mixed.map_or(Ok(()), |(unit, _)| Err(vec![unit]))
    }

    /// Units with a number of members, of those that a relation lists.
    fn members(&self, items: &[u32]) -> Vec<(u32, u32)> {
        let mut units: Vec<u32> = items.iter().map(|&item| self.unit_of[item as usize]).collect();
        units.retain(|&unit| unit != NONE);
        units.sort_unstable();
        units.chunk_by(|a, b| a == b).map(|chunk| (chunk[0], chunk.len() as u32)).collect()
    }

    /// At-most relations: is there a seat for each member?
    fn seats(&self) -> Result<(), Clash> {
        for relation in self.packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            match &relation.kind {
                RelationKind::AtMost { items, most, partition } => {
                    self.seats_within(items, *most, *partition, None)?;
                }
                RelationKind::Apart { items } => self.parts_apart(items)?,
                RelationKind::GroupsApart { items, partition } => self.parts_in_groups(items, *partition)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Is there a seat for each of the items, at most so many in each group of bins,
    /// inside a set of bins?
    fn seats_within(
        &self,
        items: &[u32],
        most: u32,
        partition: u32,
        inside: Option<&BitSet>,
    ) -> Result<(), Clash> {
        let members = self.members(items);
        let total: u64 = members.iter().map(|member| u64::from(member.1)).sum();
        if total <= u64::from(most) {
            return Ok(());
        }
        // Whoever has at least as many seats as there are members finds one at the end.
        let mut narrow: Vec<(u32, Vec<u32>)> = Vec::new();
        for &(unit, weight) in &members {
            let domain = &self.units[unit as usize].domain;
            let mut groups: Vec<u32> = Vec::new();
            let mut outside = false;
            for bin in domain.iter().filter(|&bin| inside.is_none_or(|inside| inside.contains(bin))) {
                let group = self.packing.group(partition, bin);
                if group == NONE {
                    outside = true;
                    break;
                }
                if groups.last() != Some(&group) {
                    groups.push(group);
                }
                if partition == NONE && groups.len() as u64 * u64::from(most) >= total {
                    outside = true;
                    break;
                }
            }
            if outside {
                continue;
            }
            groups.sort_unstable();
            groups.dedup();
            // Members of one unit go together; their seats are counted one by one, which
            // asks for less.
            for _ in 0..weight {
                narrow.push((unit, groups.clone()));
            }
        }
        hall::seats(&narrow, most).map_err(|mut units| {
            units.dedup();
            units
        })
    }

    /// Parts that share no bin: each has one of its own.
    fn parts_apart(&self, items: &[(u32, u32)]) -> Result<(), Clash> {
        let parts = self.by_part(items);
        // One unit of each part, the one with the least choice.
        let narrow: Vec<(u32, Vec<u32>)> = parts
            .iter()
            .filter_map(|units| {
                units.iter().copied().min_by_key(|&unit| self.units[unit as usize].domain.count())
            })
            .map(|unit| (unit, self.units[unit as usize].domain.iter().collect::<Vec<u32>>()))
            .filter(|(_, bins)| bins.len() < parts.len())
            .collect();
        hall::seats(&narrow, 1)
    }

    fn by_part(&self, items: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut rows: Vec<(u32, u32)> = items
            .iter()
            .map(|&(item, part)| (part, self.unit_of[item as usize]))
            .filter(|row| row.1 != NONE)
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows.chunk_by(|a, b| a.0 == b.0).map(|chunk| chunk.iter().map(|row| row.1).collect()).collect()
    }

    /// Parts in groups of their own: a group for each.
    fn parts_in_groups(&self, items: &[(u32, u32)], partition: u32) -> Result<(), Clash> {
        let mut narrow: Vec<(u32, Vec<u32>)> = Vec::new();
        let parts = self.by_part(items);
        for (at, units) in (0u32..).zip(&parts) {
            let mut fitting = Vec::new();
            for (group, bins) in self.groups_of(partition) {
                if self.fits_group(units, &bins).is_ok() {
                    fitting.push(group);
                }
            }
            if fitting.is_empty() {
                return Err(units.clone());
            }
            narrow.push((at, fitting));
        }
        hall::seats(&narrow, 1)
            .map_err(|short| short.into_iter().flat_map(|part| parts[part as usize].clone()).collect())
    }

    /// The groups of a partition with their bins.
    fn groups_of(&self, partition: u32) -> Vec<(u32, BitSet)> {
        let bins = self.packing.bins.len();
        let Some(partition) = self.packing.partitions.get(partition as usize) else { return Vec::new() };
        let mut groups: Vec<(u32, BitSet)> =
            (0..partition.groups).map(|group| (group, BitSet::empty(bins))).collect();
        for (bin, &group) in (0u32..).zip(&partition.group_of) {
            if let Some((_, bins)) = groups.get_mut(group as usize) {
                bins.insert(bin);
            }
        }
        groups
    }

    /// May all these units be in this set of bins, as far as can be told?
    fn fits_group(&self, units: &[u32], bins: &BitSet) -> Result<(), Clash> {
        let packing = self.packing;
        let mut usable = BitSet::empty(packing.bins.len());
        for &unit in units {
            let mut own = self.units[unit as usize].domain.clone();
            own.intersect(bins);
            if own.is_empty() {
                return Err(vec![unit]);
            }
            usable.unite(&own);
        }
        for dim in 0..packing.dims {
            let need: u128 = units.iter().map(|&unit| u128::from(self.units[unit as usize].size[dim])).sum();
            if need > self.room(&usable, dim) {
                return Err(units.to_vec());
            }
        }
        // At-most relations whose members are among the units.
        let mut near: Vec<u32> = units
            .iter()
            .flat_map(|&unit| &self.units[unit as usize].items)
            .flat_map(|&item| packing.relations_of(item))
            .map(|&(at, _)| at)
            .collect();
        near.sort_unstable();
        for chunk in near.chunk_by(|a, b| a == b).filter(|chunk| chunk.len() > 1) {
            let relation = &packing.relations[chunk[0] as usize];
            if let RelationKind::AtMost { items, most, partition: NONE } = &relation.kind
                && relation.penalty.is_none()
            {
                let inside: Vec<u32> = items
                    .iter()
                    .copied()
                    .filter(|&item| units.contains(&self.unit_of[item as usize]))
                    .collect();
                self.seats_within(&inside, *most, NONE, Some(&usable))?;
            }
        }
        Ok(())
    }

    fn room(&self, bins: &BitSet, dim: usize) -> u128 {
        let packing = self.packing;
        bins.iter().map(|bin| u128::from(packing.capacity_then[bin as usize * packing.dims + dim])).sum()
    }

    /// Sets of bins that must take more than they hold, or more VMs than they may.
    fn regions(&self) -> Result<(), Clash> {
        let packing = self.packing;
        let mut by_domain: FxHashMap<&BitSet, Vec<u32>> = FxHashMap::default();
        for (at, unit) in (0u32..).zip(&self.units) {
            by_domain.entry(&unit.domain).or_default().push(at);
        }
        let mut regions: Vec<(&BitSet, Vec<u32>)> = by_domain.into_iter().collect();
        regions.sort_unstable_by_key(|(_, units)| units[0]);
        for (domain, units) in regions.iter().take(MOST_REGIONS) {
            // Of units with the same domain it is known already.
            let inside: Vec<u32> = if regions.len() <= MOST_REGIONS {
                let within = regions.iter().filter(|(other, _)| other.is_within(domain));
                within.flat_map(|(_, units)| units.iter().copied()).collect()
            } else {
                units.clone()
            };
            for dim in 0..packing.dims {
                let size = |unit: &u32| u128::from(self.units[*unit as usize].size[dim]);
                let need: u128 = inside.iter().map(size).sum();
                let room = self.room(domain, dim);
                if need > room {
                    // The largest first, until it is too much.
                    let mut largest = inside.clone();
                    largest.sort_by_key(|unit| (std::cmp::Reverse(size(unit)), *unit));
                    let mut sum = 0;
                    let enough = largest.iter().take_while(|unit| {
                        let before = sum;
                        sum += size(unit);
                        before <= room
                    });
                    return Err(enough.copied().collect());
                }
            }
        }
        for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            let (bins, limit, dim) = match &relation.kind {
                RelationKind::Load { bins, dim, limit } => (bins, *limit, Some(*dim as usize)),
                RelationKind::Count { bins, limit } => (bins, *limit, None),
                _ => continue,
            };
            let inside: Vec<u32> = (0u32..)
                .zip(&self.units)
                .filter(|(_, unit)| unit.domain.is_within(bins))
                .map(|(at, _)| at)
                .collect();
            let size = |unit: &u32| {
                let unit = &self.units[*unit as usize];
                dim.map_or(unit.items.len() as u128, |dim| u128::from(unit.size[dim]))
            };
            if inside.iter().map(size).sum::<u128>() > u128::from(limit) {
                return Err(inside);
            }
        }
        Ok(())
    }

    /// Bins that may be open: enough for those that need bins of their own?
    fn powered(&self) -> Result<(), Clash> {
        let packing = self.packing;
        for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            let RelationKind::Powered { bins, limit } = &relation.kind else { continue };
            let mut must = bins.bins().clone();
            must.intersect(&self.open);
            // Whoever has but one bin opens it.
            let mut openers = Vec::new();
            for (at, unit) in (0u32..).zip(&self.units) {
                if let Some(bin) = unit.domain.only().filter(|&bin| bins.contains(bin) && !must.contains(bin))
                {
                    must.insert(bin);
                    openers.push(at);
                }
            }
            if bins.sum(|bin| must.contains(bin)) > *limit {
                return Err(openers);
            }
            let usable = |bin: &u32| packing.bins[*bin as usize].later != Later::Closed;
            // As many as could be open if they took the least.
            let limit = bins.most(bins.iter().filter(usable), *limit);
            let bins = bins.bins();
            // Each of these needs a bin of its own.
            for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
                let RelationKind::AtMost { items, most, partition: NONE } = &relation.kind else { continue };
                let mut members: Vec<u32> = self.members(items).into_iter().map(|(unit, _)| unit).collect();
                members.retain(|&unit| self.units[unit as usize].domain.is_within(bins));
                let count: u64 = items
                    .iter()
                    .filter(|&&item| members.binary_search(&self.unit_of[item as usize]).is_ok())
                    .count() as u64;
                if count > limit.saturating_mul(u64::from(*most)) {
                    return Err(members);
                }
            }
            let inside: Vec<u32> = (0u32..)
                .zip(&self.units)
                .filter(|(_, unit)| unit.domain.is_within(bins))
                .map(|(at, _)| at)
                .collect();
            for dim in 0..packing.dims {
                let capacity =
                    |bin: u32| u128::from(packing.capacity_then[bin as usize * packing.dims + dim]);
                let mut rooms: Vec<u128> = bins.iter().filter(usable).map(capacity).collect();
                rooms.sort_unstable_by(|a, b| b.cmp(a));
                let room: u128 = rooms.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).sum();
                let need: u128 =
                    inside.iter().map(|&unit| u128::from(self.units[unit as usize].size[dim])).sum();
                if need > room {
                    return Err(inside);
                }
            }
            if limit == 0 && !inside.is_empty() {
                return Err(inside);
            }
        }
        Ok(())
    }

    /// Sets that share one group of bins: groups in which they have no place are left
    /// out. Has a domain changed?
    fn groups(&mut self) -> Result<bool, Clash> {
        let packing = self.packing;
        let mut changed = false;
        for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            let RelationKind::SameGroup { items, partition } = &relation.kind else { continue };
            if *partition == NONE {
                continue;
            }
            let units: Vec<u32> = self.members(items).into_iter().map(|(unit, _)| unit).collect();
            if units.is_empty() {
                continue;
            }
            let mut left = BitSet::empty(packing.bins.len());
            let mut because: Clash = Vec::new();
            for (_, bins) in self.groups_of(*partition) {
                match self.fits_group(&units, &bins) {
                    Ok(()) => left.unite(&bins),
                    Err(clash) => because.extend(clash),
                }
            }
            because.sort_unstable();
            because.dedup();
            if left.is_empty() {
                because.push(units[0]);
                return Err(because);
            }
            for &unit in &units {
                let row = &mut self.units[unit as usize];
                if !row.domain.is_within(&left) {
                    row.domain.intersect(&left);
                    row.because.extend(&because);
                    changed = true;
                }
            }
        }
        Ok(changed)
    }
}

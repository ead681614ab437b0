//! Few bins open at the end: from the problem to a packing, and back to a placement.
//!
//! Items that cannot be anywhere else are taken off the capacity of their bin; those that
//! must be together become one; bins that are open in any case cost nothing. What relations
//! say about each bin alone (at most so many of a set) becomes a dimension of its own. All
//! other relations are left out: the bound holds all the same, and a packing that breaks
//! one is repaired afterwards.

use super::pack::Packer;
use super::pack::boxes::Boxes;
use super::pack::boxes::Filled;
use crate::engine::Meter;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::schedule::Placement;
use rustc_hash::FxHashMap;

/// Dimensions that relations may add.
const MOST_RELATIONS: usize = 8;
/// Bins that are looked at for the units of a kind that could stay.
const MOST_HERE: usize = 64;
/// Kinds times classes beyond which bins are not told apart.
const MOST_PAIRS: usize = 1 << 24;

/// What makes units alike: sizes, the domains that tell where they may go, and the bins that
/// only who is there already may be in.
type Alike = (Vec<u64>, Vec<u32>, Vec<u32>);

/// The packing of a problem, and the way back.
#[derive(Debug)]
pub(super) struct Consolidation {
    /// The search for few bins.
    pub(super) packer: Packer,
    /// Bins that are open at the end in any case.
    always: u64,
    /// By kind: units, each of them items that go together.
    units: Vec<Vec<Vec<u32>>>,
    /// By class: its bins.
    bins: Vec<Vec<u32>>,
}

impl Consolidation {
    /// From a problem; `None` where it is too large to be looked at in this way.
    pub(super) fn new(problem: &Problem, seed: u64, meter: &mut Meter) -> Option<Self> {
        let packing = &problem.packing;
        let rooms = Rooms::new(packing);
        let units = units(packing);
        let mut kinds: FxHashMap<Alike, u32> = FxHashMap::default();
        let mut rows: Vec<Vec<Vec<u32>>> = Vec::new();
        for unit in units {
            let key =
                (rooms.size(packing, &unit), rooms.regions(packing, &unit), rooms.exceptions(packing, &unit));
            let kind = *kinds.entry(key).or_insert_with(|| {
                rows.push(Vec::new());
                rows.len() as u32 - 1
            });
            rows[kind as usize].push(unit);
        }
        let mut classes: FxHashMap<(Vec<u64>, bool, Vec<bool>, u32), u32> = FxHashMap::default();
        let mut bins: Vec<Vec<u32>> = Vec::new();
        let mut used_regions: Vec<u32> = kinds.keys().flat_map(|key| key.1.iter().copied()).collect();
        used_regions.sort_unstable();
        used_regions.dedup();
        let mut exceptions: Vec<u32> = kinds.keys().flat_map(|key| key.2.iter().copied()).collect();
        exceptions.sort_unstable();
        for bin in 0..packing.bins.len() as u32 {
            if packing.bins[bin as usize].later == Later::Closed {
                continue;
            }
            let inside: Vec<bool> =
                used_regions.iter().map(|&domain| packing.domains[domain as usize].contains(bin)).collect();
            let own = if exceptions.binary_search(&bin).is_ok() { bin } else { NONE };
            let key = (rooms.capacity(bin).to_vec(), !rooms.open[bin as usize], inside, own);
            let class = *classes.entry(key).or_insert_with(|| {
                bins.push(Vec::new());
                bins.len() as u32 - 1
            });
            bins[class as usize].push(bin);
        }
        if rows.len().saturating_mul(bins.len()) > MOST_PAIRS {
            return None;
        }
        let dims = rooms.dims;
        let mut boxes = Boxes {
            dims,
            count: rows.iter().map(|units| units.len() as u32).collect(),
            bins: bins.iter().map(|bins| bins.len() as u32).collect(),
            paid: bins.iter().map(|bins| !rooms.open[bins[0] as usize]).collect(),
            capacity: bins.iter().flat_map(|bins| rooms.capacity(bins[0]).to_vec()).collect(),
            ..Boxes::default()
        };
        for units in &rows {
            let size = rooms.size(packing, &units[0]);
            for bins in &bins {
                let allowed = units[0].iter().all(|&item| packing.may_end_in(item, bins[0]));
                let fits = size.iter().zip(rooms.capacity(bins[0])).all(|(size, room)| size <= room);
                boxes.fits.push(allowed && fits);
            }
            boxes.size.extend(size);
        }
        let always = rooms.open.iter().filter(|&&open| open).count() as u64;
        Some(Self { packer: Packer::new(boxes, seed, meter), always, units: rows, bins })
    }

    /// No plan leaves fewer bins open.
    pub(super) fn bound(&self) -> u64 {
        self.always + self.packer.bound()
    }

    /// Number of bins that the best packing leaves open.
    pub(super) fn value(&self) -> Option<u64> {
        Some(self.always + self.packer.boxes().price(self.packer.best()?))
    }

    /// The best packing as a placement: bins of a class are handed out so that much stays
    /// where it is, then those that are open already.
    pub(super) fn placement(&self, problem: &Problem) -> Option<Placement> {
        let packing = &problem.packing;
        let mut placement = Placement {
            to: (0..packing.items.len() as u32)
                .map(|item| packing.settled_in(item).unwrap_or(NONE))
                .collect(),
            open: packing.bins.iter().map(|bin| bin.later == Later::Open).collect(),
        };
        let best = self.packer.best()?;
        let mut waiting: Vec<Vec<&Vec<u32>>> =
            self.units.iter().map(|units| units.iter().rev().collect()).collect();
        for class in 0..self.bins.len() {
            let filled: Vec<&Filled> = best.iter().filter(|bin| bin.class as usize == class).collect();
            for (filled, bin) in self.hand_out(packing, class, &filled) {
                for &(kind, many) in &filled.content {
                    let units = &mut waiting[kind as usize];
                    for _ in 0..many {
                        let here = |unit: &&Vec<u32>| packing.items[unit[0] as usize].source == bin;
                        let at = units.iter().rposition(here).unwrap_or(units.len().checked_sub(1)?);
                        units.remove(at).iter().for_each(|&item| placement.to[item as usize] = bin);
                    }
                }
            }
        }
        for &bin in placement.to.iter().filter(|&&bin| bin != NONE) {
            placement.open[bin as usize] = true;
        }
        // What stays behind keeps its bin open, unless it has to be brought elsewhere.
        for item in packing.items.iter().filter(|item| item.image) {
            placement.open[item.source as usize] |= packing.bins[item.source as usize].later != Later::Closed;
        }
        Some(placement)
    }

    /// A bin of the class for each content.
    fn hand_out<'f>(&self, packing: &Packing, class: usize, filled: &[&'f Filled]) -> Vec<(&'f Filled, u32)> {
        // By kind: where units of it are now, the bins with most of them first.
        let mut here: Vec<Vec<(u32, u32)>> = vec![Vec::new(); self.units.len()];
        let mut number = vec![false; packing.bins.len()];
        self.bins[class].iter().for_each(|&bin| number[bin as usize] = true);
        for (here, units) in here.iter_mut().zip(&self.units) {
            let sources = units.iter().map(|unit| packing.items[unit[0] as usize].source);
            let mut sources: Vec<u32> =
                sources.filter(|&source| source != NONE && number[source as usize]).collect();
            sources.sort_unstable();
            here.extend(sources.chunk_by(|a, b| a == b).map(|chunk| (chunk.len() as u32, chunk[0])));
            here.sort_by_key(|&(units, bin)| (std::cmp::Reverse(units), bin));
            here.truncate(MOST_HERE);
        }
        let mut pairs: Vec<(u32, u32, usize)> = Vec::new();
        for (at, filled) in filled.iter().enumerate() {
            let mut stay: FxHashMap<u32, u32> = FxHashMap::default();
            for &(kind, many) in &filled.content {
                for &(units, bin) in &here[kind as usize] {
                    *stay.entry(bin).or_default() += many.min(units);
                }
            }
            pairs.extend(stay.into_iter().map(|(bin, stay)| (stay, bin, at)));
        }
        pairs.sort_unstable_by_key(|&(stay, bin, at)| (std::cmp::Reverse(stay), bin, at));
        let mut bin_of = vec![NONE; filled.len()];
        for (_, bin, at) in pairs {
            if bin_of[at] == NONE && number[bin as usize] {
                bin_of[at] = bin;
                number[bin as usize] = false;
            }
        }
        let mut free: Vec<u32> =
            self.bins[class].iter().copied().filter(|&bin| number[bin as usize]).collect();
        free.sort_by_key(|&bin| (std::cmp::Reverse(packing.bins[bin as usize].open), bin));
        let mut free = free.into_iter();
        filled
            .iter()
            .zip(bin_of)
            .filter_map(|(&filled, bin)| Some((filled, if bin == NONE { free.next()? } else { bin })))
            .collect()
    }
}

/// Items that have to be placed, those together that must be in one bin.
fn units(packing: &Packing) -> Vec<Vec<u32>> {
    let items = packing.items.len();
    let mobile =
        |item: u32| packing.items[item as usize].role != Role::Depart && packing.settled_in(item).is_none();
    let union = packing.together(mobile);
    let mut of_root: FxHashMap<u32, usize> = FxHashMap::default();
    let mut units: Vec<Vec<u32>> = Vec::new();
    for item in (0..items as u32).filter(|&item| mobile(item)) {
        let at = *of_root.entry(union.find(item)).or_insert_with(|| {
            units.push(Vec::new());
            units.len() - 1
        });
        units[at].push(item);
    }
    units
}

/// What is left of each bin when the settled items are in, with a dimension for each
/// relation that asks every bin alone.
struct Rooms {
    dims: usize,
    capacity: Vec<u64>,
    /// By bin: is it open at the end in any case?
    open: Vec<bool>,
    /// The relations that are dimensions, from `Packing::dims` on.
    relations: Vec<u32>,
    /// Does the last dimension count the items?
    counts: bool,
}

impl Rooms {
    fn new(packing: &Packing) -> Self {
        let hard = |at: &usize| packing.relations[*at].penalty.is_none();
        let mut members: Vec<(usize, u32)> = (0..packing.relations.len())
            .filter(hard)
            .filter_map(|at| match &packing.relations[at].kind {
                RelationKind::AtMost { items, partition: NONE, .. } => Some((items.len(), at as u32)),
                _ => None,
            })
            .collect();
        members.sort_by_key(|&(members, at)| (std::cmp::Reverse(members), at));
        let relations: Vec<u32> = members.into_iter().take(MOST_RELATIONS).map(|row| row.1).collect();
        let limit_of = |relation: &RelationKind| match relation {
            RelationKind::Count { bins, limit } => Some((bins.only()?, *limit)),
            _ => None,
        };
        let limits: Vec<(u32, u64)> = (0..packing.relations.len())
            .filter(hard)
            .filter_map(|at| limit_of(&packing.relations[at].kind))
            .collect();
        let dims = packing.dims + relations.len() + usize::from(!limits.is_empty());
        let mut rooms = Self {
            dims,
            capacity: Vec::new(),
            open: packing.bins.iter().map(|bin| bin.later == Later::Open).collect(),
            relations,
            counts: !limits.is_empty(),
        };
        // No more than everything together: larger numbers say no more.
        let all: Vec<u32> = (0..packing.items.len() as u32)
            .filter(|&it| packing.items[it as usize].role != Role::Depart)
            .collect();
        let most = rooms.size(packing, &all);
        for bin in 0..packing.bins.len() {
            let own = packing.capacity_then[bin * packing.dims..(bin + 1) * packing.dims].iter().copied();
            let extra = rooms.relations.iter().map(|&at| match &packing.relations[at as usize].kind {
                RelationKind::AtMost { most, .. } => u64::from(*most),
                _ => u64::MAX,
            });
            let mut row: Vec<u64> = own.chain(extra).collect();
            if rooms.counts {
                let limit = limits.iter().filter(|row| row.0 as usize == bin).map(|row| row.1).min();
                row.push(limit.unwrap_or(u64::MAX));
            }
            row.iter_mut().zip(&most).for_each(|(room, &most)| *room = (*room).min(most));
            rooms.capacity.extend(row);
        }
        for item in 0..packing.items.len() as u32 {
            if let Some(bin) = packing.settled_in(item) {
                rooms.open[bin as usize] = true;
                let size = rooms.size(packing, &[item]);
                let row = &mut rooms.capacity[bin as usize * dims..(bin as usize + 1) * dims];
                row.iter_mut().zip(size).for_each(|(room, size)| *room = room.saturating_sub(size));
            }
        }
        rooms
    }

    fn capacity(&self, bin: u32) -> &[u64] {
        &self.capacity[bin as usize * self.dims..(bin as usize + 1) * self.dims]
    }

    /// What items take together.
    fn size(&self, packing: &Packing, unit: &[u32]) -> Vec<u64> {
        let mut size = vec![0u64; self.dims];
        for &item in unit {
            size.iter_mut().zip(packing.then(item)).for_each(|(sum, size)| *sum = sum.saturating_add(*size));
            for (at, &relation) in self.relations.iter().enumerate() {
                let member = packing.relations_of(item).iter().any(|row| row.0 == relation);
                size[packing.dims + at] += u64::from(member);
            }
            if self.counts {
                size[self.dims - 1] += 1;
            }
        }
        size
    }

    /// The domains that tell where items may go, ascending.
    fn regions(&self, packing: &Packing, unit: &[u32]) -> Vec<u32> {
        let rows = unit.iter().map(|&item| &packing.items[item as usize]);
        let mut domains: Vec<u32> = rows.flat_map(|row| [row.domain, row.route]).collect();
        domains.sort_unstable();
        domains.dedup();
        domains
    }

    /// The bins that only who is there already may be in, ascending.
    fn exceptions(&self, packing: &Packing, unit: &[u32]) -> Vec<u32> {
        let rows = unit.iter().map(|&item| &packing.items[item as usize]);
        let mut bins: Vec<u32> = rows
            .filter(|row| row.source != NONE && !packing.domains[row.route as usize].contains(row.source))
            .map(|row| row.source)
            .collect();
        bins.sort_unstable();
        bins.dedup();
        bins
    }
}

//! The placement at the end as variables and rules.
//!
//! Each item with a choice has a variable over the bins that it may end in. What cannot
//! move is taken off the room beforehand. Soft relations and survival of failures are
//! left out, and so is how to get there: the model is a relaxation, what it refutes is
//! impossible, and what it finds has to be checked.

use super::super::presolve::Analysis;
use super::super::presolve::Eviction;
use super::Question;
use super::order::Deadlock;
use crate::engine::Atom;
use crate::engine::Core;
use crate::engine::Var;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::TaskRef;
use crate::propagator::evictions::Crowd;
use crate::propagator::evictions::Evictions;
use crate::propagator::evictions::Piece;
use crate::propagator::evictions::Stage;
use crate::propagator::fill::Fill;
use crate::propagator::sums::Row;
use crate::propagator::sums::Sums;
use crate::schedule::Placement;
use crate::schedule::bound::move_takes;
use crate::schedule::default_open;
use rustc_hash::FxHashMap;

/// Choices (pairs of an item and a bin) beyond which no model is made.
const MOST_CHOICES: usize = 1 << 20;
/// Clauses beyond which none is made.
const MOST_CLAUSES: usize = 1 << 20;

/// The model.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) core: Core,
    /// By slot: the item.
    pub(super) items: Vec<u32>,
    /// By slot: its variable.
    pub(super) hosts: Vec<Var>,
    /// By slot: the bins that it may end in, ascending.
    pub(super) choices: Vec<Vec<u32>>,
    /// By item: its slot, or [`NONE`].
    pub(super) slot: Vec<u32>,
    /// The number of moves, parkings that are known to be needed included.
    pub(super) total: Var,
    /// Is a parking needed?
    pub(super) parking: Var,
    /// The seconds that the moves take in sum, where that is asked.
    pub(super) seconds: Option<Var>,
    /// (bin, is it open at the end?) where that is to be decided.
    pub(super) open: Vec<(u32, Var)>,
    /// What else has to have a value.
    pub(super) others: Vec<Var>,
}

impl Model {
    /// The model with at least and at most so many moves, and where that is asked seconds;
    /// `None` where it would be too large.
    pub(super) fn new(
        question: &Question<'_>,
        (fewest, most): (u64, u64),
        seconds: Option<(u64, u64)>,
    ) -> Option<Self> {
        let Question { problem, analysis, .. } = *question;
        let packing = &problem.packing;
        let mut choices = choices(packing, question.excluded)?;
        let mut core = Core::default();
        let total = core.between(i32::try_from(fewest).ok()?, i32::try_from(most).ok()?);
        let parking = core.between(0, 1);
        let mut model = Self {
            core,
            items: Vec::new(),
            hosts: Vec::new(),
            choices: Vec::new(),
            slot: vec![NONE; packing.items.len()],
            total,
            parking,
            seconds: None,
            open: Vec::new(),
            others: Vec::new(),
        };
        let mut stage = Stage {
            room: (0..packing.bins.len())
                .map(|bin| packing.capacity_then[bin * packing.dims..][..packing.dims].to_vec())
                .collect(),
            base: base(packing, analysis, |_| 1, |eviction| u64::from(eviction.fewest)),
            also: vec![parking],
            ..Stage::default()
        };
        // Bins of what cannot move.
        let mut settled = vec![NONE; packing.items.len()];
        for (item, row) in packing.items.iter().enumerate() {
            if row.role == Role::Depart {
                continue;
            }
            let bins = std::mem::take(&mut choices[item]);
            if row.role == Role::Stay && bins == [row.source] {
                settled[item] = row.source;
                let size = packing.then(item as u32);
                for (room, size) in stage.room[row.source as usize].iter_mut().zip(size) {
                    match room.checked_sub(*size) {
                        Some(left) => *room = left,
                        None => model.core.clause(&[]),
                    }
                }
                continue;
            }
            let values: Vec<i32> = bins.iter().map(|&bin| bin as i32).collect();
            let host = model.core.among(&values);
            model.slot[item] = model.items.len() as u32;
            model.items.push(item as u32);
            model.hosts.push(host);
            stage.pieces.push(Piece {
                host,
                source: if row.role == Role::Stay { row.source } else { NONE },
                bins: bins.clone(),
                size: packing.then(item as u32).to_vec(),
                cost: 1,
            });
            model.choices.push(bins);
        }
        let mut rows = Vec::new();
        let mut clauses = 0;
        for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
            model.relate(packing, &settled, &relation.kind, &mut stage, &mut rows, &mut clauses);
            if clauses > MOST_CLAUSES {
                return None;
            }
        }
        model.alike(problem);
        if !rows.is_empty() {
            let hosts = model.hosts.iter().copied().zip(model.choices.iter().cloned()).collect();
            model.core.post(Sums::new(hosts, rows));
        }
        if let Some((least, most)) = seconds {
            let mut stage = stage.clone();
            stage.also.clear();
            let takes = |item: u32| move_takes(packing, item);
            stage.base = base(packing, analysis, takes, |eviction| eviction.least_ends);
            for (piece, &item) in stage.pieces.iter_mut().zip(&model.items) {
                piece.cost = u32::try_from(takes(item)).ok()?;
            }
            let seconds = model.core.between(i32::try_from(least).ok()?, i32::try_from(most).ok()?);
            model.core.post(Evictions::new(stage, seconds));
            model.seconds = Some(seconds);
        }
        if let Some(fill) = Fill::new(&stage.pieces, &stage.room) {
            model.core.post(fill);
        }
        model.core.post(Evictions::new(stage, total));
        Some(model)
    }

    /// Members of a relation: (slot or [`NONE`], bin where settled, part).
    fn members<'a>(
        &'a self,
        packing: &'a Packing,
        settled: &'a [u32],
        items: impl Iterator<Item = (u32, u32)> + 'a,
    ) -> impl Iterator<Item = (u32, u32, u32)> + 'a {
        items
            .filter(|&(item, _)| packing.items[item as usize].role != Role::Depart)
            .map(|(item, part)| (self.slot[item as usize], settled[item as usize], part))
    }

    fn relate(
        &mut self,
        packing: &Packing,
        settled: &[u32],
        kind: &RelationKind,
        stage: &mut Stage,
        rows: &mut Vec<Row>,
        clauses: &mut usize,
    ) {
        let bins = packing.bins.len();
        let plain = |items: &[u32]| items.iter().map(|&item| (item, 0)).collect::<Vec<_>>();
        match kind {
            RelationKind::AtMost { items, most, partition } => {
                let members: Vec<_> = self.members(packing, settled, plain(items).into_iter()).collect();
                let slots: Vec<u32> = members.iter().map(|row| row.0).filter(|&slot| slot != NONE).collect();
                let taken = |bins: &BitSet| {
                    members.iter().filter(|row| row.1 != NONE && bins.contains(row.1)).count() as u32
                };
                if *partition == NONE {
                    let mut left = vec![*most; bins];
                    for row in members.iter().filter(|row| row.1 != NONE) {
                        match left[row.1 as usize].checked_sub(1) {
                            Some(rest) => left[row.1 as usize] = rest,
                            None => self.core.clause(&[]),
                        }
                    }
                    if left.iter().any(|&most| (most as usize) < slots.len()) {
                        stage.crowds.push(Crowd { members: slots, most: left });
                    }
                    return;
                }
                let groups = &packing.partitions[*partition as usize];
                for group in 0..groups.groups {
                    let mut set = BitSet::empty(bins);
                    (0..bins as u32)
                        .filter(|&bin| groups.group_of[bin as usize] == group)
                        .for_each(|bin| set.insert(bin));
                    let Some(limit) = most.checked_sub(taken(&set)) else {
                        self.core.clause(&[]);
                        return;
                    };
                    if slots.len() > limit as usize {
                        let weights = slots.iter().map(|&slot| (slot, 1)).collect();
                        rows.push(Row { bins: set, weights, limit: u64::from(limit) });
                    }
                }
            }
            RelationKind::Load { bins: set, dim, limit } => {
                let here = settled.iter().enumerate().filter(|row| *row.1 != NONE && set.contains(*row.1));
                let here = here.map(|(item, _)| packing.then(item as u32)[*dim as usize]);
                let Some(limit) = limit.checked_sub(here.fold(0, u64::saturating_add)) else {
                    self.core.clause(&[]);
                    return;
                };
                let weights = self.items.iter().zip(0..);
                let weights = weights.map(|(&item, slot)| (slot, packing.then(item)[*dim as usize]));
                let weights: Vec<(u32, u64)> = weights.filter(|row| row.1 > 0).collect();
                rows.push(Row { bins: set.clone(), weights, limit });
            }
            RelationKind::Count { bins: set, limit } => {
                let here = settled.iter().filter(|&&bin| bin != NONE && set.contains(bin)).count() as u64;
                let Some(limit) = limit.checked_sub(here) else {
                    self.core.clause(&[]);
                    return;
                };
                let weights = (0..self.items.len() as u32).map(|slot| (slot, 1)).collect();
                rows.push(Row { bins: set.clone(), weights, limit });
            }
            RelationKind::SameGroup { items, partition } => {
                let members = plain(items);
                self.one_group_each(packing, settled, &members, *partition, clauses);
            }
            RelationKind::GroupsApart { items, partition } => {
                let used = self.one_group_each(packing, settled, items, *partition, clauses);
                for (at, &first) in used.iter().enumerate() {
                    for &second in &used[at + 1..] {
                        for group in 0..packing.partitions[*partition as usize].groups as i32 {
                            *clauses += 1;
                            self.core.clause(&[Atom::Not(first, group), Atom::Not(second, group)]);
                        }
                    }
                }
            }
            RelationKind::Apart { items } => {
                let members: Vec<_> = self.members(packing, settled, items.iter().copied()).collect();
                self.owners(bins, &members, clauses);
            }
            RelationKind::Exclusive { items } => {
                let inside = |item: u32| u32::from(items.binary_search(&item).is_ok());
                let all = (0..packing.items.len() as u32).map(|item| (item, inside(item)));
                let members: Vec<_> = self.members(packing, settled, all).collect();
                self.owners(bins, &members, clauses);
            }
            RelationKind::Powered { bins: set, limit } => {
                let mut terms = Vec::new();
                for bin in set.iter() {
                    let row = &packing.bins[bin as usize];
                    let held =
                        row.later == Later::Open || packing.anchored[bin as usize] || settled.contains(&bin);
                    let open = match row.later {
                        Later::Closed => continue,
                        _ if held => self.core.between(1, 1),
                        _ => self.core.between(0, 1),
                    };
                    terms.push((set.of(bin), open));
                    self.open.push((bin, open));
                    if held {
                        continue;
                    }
                    for slot in 0..self.items.len() {
                        if self.choices[slot].binary_search(&bin).is_ok() {
                            *clauses += 1;
                            let host = self.hosts[slot];
                            self.core.clause(&[Atom::Not(host, bin as i32), Atom::AtLeast(open, 1)]);
                        }
                    }
                }
                // Too large for the solver, shares are rounded: what is left is implied.
                let all = terms.iter().map(|term| term.0).fold(*limit, u64::saturating_add);
                let scale = all / (i32::MAX as u64 / 2) + 1;
                let terms: Vec<(i32, Var)> =
                    terms.into_iter().map(|(share, open)| ((share / scale) as i32, open)).collect();
                self.core.sum_at_most(&terms, (*limit / scale) as i32);
            }
            // In the choices already; and what is left out.
            RelationKind::Avoid { .. } | RelationKind::Survive { .. } => {}
        }
    }

    /// Each part in one group; the variables of the parts.
    fn one_group_each(
        &mut self,
        packing: &Packing,
        settled: &[u32],
        items: &[(u32, u32)],
        partition: u32,
        clauses: &mut usize,
    ) -> Vec<Var> {
        let mut members: Vec<_> = self.members(packing, settled, items.iter().copied()).collect();
        members.sort_unstable_by_key(|row| row.2);
        let mut used = Vec::new();
        for part in members.chunk_by(|a, b| a.2 == b.2) {
            let mut groups: Vec<i32> = part
                .iter()
                .flat_map(|&(slot, bin, _)| match slot {
                    NONE => vec![bin],
                    slot => self.choices[slot as usize].clone(),
                })
                .map(|bin| packing.group(partition, bin))
                .filter(|&group| group != NONE)
                .map(|group| group as i32)
                .collect();
            groups.sort_unstable();
            groups.dedup();
            let home = self.core.among(&groups);
            self.others.push(home);
            used.push(home);
            for &(slot, bin, _) in part {
                if slot == NONE {
                    match packing.group(partition, bin) {
                        NONE => self.core.clause(&[]),
                        group => self.core.clause(&[Atom::Is(home, group as i32)]),
                    }
                    continue;
                }
                let host = self.hosts[slot as usize];
                let mut of_group: FxHashMap<u32, Vec<Atom>> = FxHashMap::default();
                for &bin in &self.choices[slot as usize] {
                    *clauses += 1;
                    match packing.group(partition, bin) {
                        NONE => self.core.clause(&[Atom::Not(host, bin as i32)]),
                        group => {
                            of_group.entry(group).or_default().push(Atom::Is(host, bin as i32));
                            self.core.clause(&[Atom::Not(host, bin as i32), Atom::Is(home, group as i32)]);
                        }
                    }
                }
                for &group in &groups {
                    *clauses += 1;
                    let mut atoms = of_group.remove(&(group as u32)).unwrap_or_default();
                    atoms.push(Atom::Not(home, group));
                    self.core.clause(&atoms);
                }
            }
        }
        used
    }

    /// No bin has members of two parts.
    fn owners(&mut self, bins: usize, members: &[(u32, u32, u32)], clauses: &mut usize) {
        let mut parts_of: Vec<Vec<i32>> = vec![Vec::new(); bins];
        for &(slot, settled, part) in members {
            match slot {
                NONE => parts_of[settled as usize].push(part as i32),
                slot => {
                    for &bin in &self.choices[slot as usize] {
                        parts_of[bin as usize].push(part as i32);
                    }
                }
            }
        }
        for (bin, parts) in parts_of.iter_mut().enumerate() {
            parts.sort_unstable();
            parts.dedup();
            if parts.len() < 2 {
                continue;
            }
            let owner = self.core.among(parts);
            self.others.push(owner);
            for &(slot, settled, part) in members {
                match slot {
                    NONE if settled as usize == bin => {
                        self.core.clause(&[Atom::Is(owner, part as i32)]);
                    }
                    NONE => {}
                    slot if self.choices[slot as usize].binary_search(&(bin as u32)).is_ok() => {
                        *clauses += 1;
                        let host = self.hosts[slot as usize];
                        self.core.clause(&[Atom::Not(host, bin as i32), Atom::Is(owner, part as i32)]);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Items that nothing tells apart end in bins that ascend with them.
    fn alike(&mut self, problem: &Problem) {
        let packing = &problem.packing;
        let mut special = BitSet::empty(packing.items.len());
        for (order, _) in &problem.project.orders {
            match order {
                Order::Sequence(list) => list.iter().for_each(|task| {
                    if let TaskRef::Item(item) = task {
                        special.insert(*item);
                    }
                }),
                Order::NoDelay(item) | Order::Deadline(item, _) => special.insert(*item),
                Order::NoDelayExtra(_) => {}
                Order::Precedence(first, second) => {
                    special.insert(*first);
                    special.insert(*second);
                }
                Order::Serialize(items) => items.iter().for_each(|&item| special.insert(item)),
                Order::Sync(items) => items.iter().for_each(|row| special.insert(row.0)),
            }
        }
        let mut last: FxHashMap<_, u32> = FxHashMap::default();
        for slot in 0..self.items.len() as u32 {
            let item = self.items[slot as usize];
            if special.contains(item) {
                continue;
            }
            let row = &packing.items[item as usize];
            let key = (
                (row.source, row.role, row.domain, row.route, row.pinned),
                (row.lead, row.hold, row.leg, row.duration, row.anchor),
                (packing.now(item), packing.then(item), packing.relations_of(item)),
            );
            if let Some(before) = last.insert(key, slot) {
                let pair = [(1, self.hosts[before as usize]), (-1, self.hosts[slot as usize])];
                self.core.sum_at_most(&pair, 0);
            }
        }
    }

    /// The moves that wait for each other need a stop on the way, as long as the same
    /// others stay where they go.
    pub(super) fn forbid(&mut self, packing: &Packing, placement: &Placement, deadlock: &Deadlock) {
        let mut atoms = vec![Atom::AtLeast(self.parking, 1)];
        let mut wanted = BitSet::empty(packing.bins.len());
        for &item in &deadlock.items {
            let (slot, to) = (self.slot[item as usize], placement.to[item as usize]);
            wanted.insert(to);
            atoms.push(Atom::Not(self.hosts[slot as usize], to as i32));
        }
        for (slot, &item) in self.items.iter().enumerate() {
            let row = &packing.items[item as usize];
            let stays = row.role == Role::Stay && placement.to[item as usize] == row.source;
            if stays && wanted.contains(row.source) {
                atoms.push(Atom::Not(self.hosts[slot], row.source as i32));
            }
        }
        self.core.clause(&atoms);
    }

    /// The placement that values stand for.
    pub(super) fn placement(&self, packing: &Packing, values: &[i32]) -> Placement {
        let mut to: Vec<u32> = packing.items.iter().map(|row| row.source).collect();
        for (item, row) in packing.items.iter().enumerate() {
            if row.role == Role::Depart {
                to[item] = NONE;
            }
        }
        for (slot, &item) in self.items.iter().enumerate() {
            to[item as usize] = values[self.hosts[slot].0 as usize] as u32;
        }
        let mut open = default_open(packing);
        for &(bin, var) in &self.open {
            open[bin as usize] = values[var.0 as usize] == 1;
        }
        to.iter().filter(|&&bin| bin != NONE).for_each(|&bin| open[bin as usize] = true);
        Placement { to, open }
    }
}

/// By item: the bins that it may end in, ascending; `None` where they are too many.
fn choices(packing: &Packing, excluded: &[(u32, u32)]) -> Option<Vec<Vec<u32>>> {
    let mut sum = 0;
    let mut avoided: FxHashMap<u32, Vec<&BitSet>> = FxHashMap::default();
    for relation in packing.relations.iter().filter(|relation| relation.penalty.is_none()) {
        if let RelationKind::Avoid { items, bins } = &relation.kind {
            items.iter().for_each(|&item| avoided.entry(item).or_default().push(bins));
        }
    }
    (0..packing.items.len() as u32)
        .map(|item| {
            if packing.items[item as usize].role == Role::Depart {
                return Some(Vec::new());
            }
            let avoided = avoided.get(&item).map_or(&[][..], Vec::as_slice);
            let bins: Vec<u32> = (0..packing.bins.len() as u32)
                .filter(|&bin| packing.may_end_in(item, bin))
                .filter(|&bin| !avoided.iter().any(|set| set.contains(bin)))
                .filter(|&bin| excluded.binary_search(&(item, bin)).is_err())
                .collect();
            sum += bins.len();
            (sum <= MOST_CHOICES).then_some(bins)
        })
        .collect()
}

/// By bin: what leaves it in any case costs so much.
fn base(
    packing: &Packing,
    analysis: &Analysis,
    forced: impl Fn(u32) -> u64,
    evicted: impl Fn(&Eviction) -> u64,
) -> Vec<u64> {
    let mut base = vec![0; packing.bins.len()];
    for &item in &analysis.forced {
        base[packing.items[item as usize].source as usize] += forced(item);
    }
    for eviction in &analysis.evictions {
        base[eviction.bin as usize] += evicted(eviction);
    }
    base
}

//! Where everything goes: an assignment that is changed item by item.
//!
//! Two ledgers are kept (see the propagator): the final one, and the "rush" one in which
//! everything that is in a bin at the start still counts, in the larger of its two
//! sizes. A newcomer that fits into both can go at once, nothing has to be awaited; so
//! such bins are preferred, and among them the one that is left with the least room in
//! the scarcest dimension (best fit).

use super::random::Random;
use super::sparse::SparseSet;
use super::traffic::Traffic;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::propagator::Block;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::schedule::Placement;
use std::collections::BTreeSet;
use std::sync::Arc;

/// In a crowded bin only so many guests are asked to make room.
const MOST_GUESTS: usize = 256;

/// Of so many bins that fit, the one that is reached soonest is taken where time counts.
const MOST_WAYS: usize = 16;

/// Larger sets that must come to one bin are not summed up beforehand.
const MOST_COMPANY: usize = 256;

/// What never changes during a search: lists that are looked up often.
#[derive(Debug, Default)]
pub struct Lists {
    /// By domain: its bins, where they are few enough to be walked.
    by_domain: Vec<Option<Vec<u32>>>,
    /// By partition and group: its bins.
    by_group: Vec<Vec<Vec<u32>>>,
    /// The dimension in which the whole is fullest.
    scarce: usize,
}

impl Lists {
    /// O(bins × (domains + partitions)).
    pub fn new(packing: &Packing) -> Self {
        let bins = packing.bins.len();
        let by_domain = packing
            .domains
            .iter()
            .map(|domain| (domain.count() * 4 < bins.max(64)).then(|| domain.iter().collect()))
            .collect();
        let by_group = packing
            .partitions
            .iter()
            .map(|partition| {
                let mut groups = vec![Vec::new(); partition.groups as usize];
                for (bin, &group) in partition.group_of.iter().enumerate() {
                    if group != NONE {
                        groups[group as usize].push(bin as u32);
                    }
                }
                groups
            })
            .collect();
        let total = |values: &[u64], dim: usize| -> f64 {
            values.iter().skip(dim).step_by(packing.dims.max(1)).map(|&value| value.min(1 << 60) as f64).sum()
        };
        let fullness = |dim: usize| {
            let capacity = total(&packing.capacity_then, dim);
            if capacity > 0.0 { total(&packing.size_then, dim) / capacity } else { f64::MAX }
        };
        let scarce = (0..packing.dims).max_by(|&a, &b| fullness(a).total_cmp(&fullness(b))).unwrap_or(0);
        Self { by_domain, by_group, scarce }
    }
}

/// An assignment of items to their last bins.
#[derive(Clone, Debug)]
pub struct Places<'p> {
    packing: &'p Packing,
    lists: Arc<Lists>,
    /// By item: its last bin; [`NONE`] while it has none.
    to: Vec<u32>,
    open: Vec<bool>,
    then: Ledger<'p>,
    rush: Ledger<'p>,
    free: BTreeSet<(u64, u32)>,
    moves: u64,
    missing: SparseSet,
    /// What was changed since the last mark: (item, the bin it was in).
    log: Vec<(u32, u32)>,
    /// Bins opened or closed since the last mark.
    switched: Vec<u32>,
    /// What the moves take on the way, where that is known.
    traffic: Option<Traffic<'p>>,
    /// Does the objective ask how long the moves take?
    hurried: bool,
    /// Bins tried, for limits.
    pub steps: u64,
}

impl<'p> Places<'p> {
    /// Everything stays where it is, fit or not; arrivals and what must leave are missing.
    pub fn new(problem: &'p Problem, lists: Arc<Lists>) -> Self {
        let packing = &problem.packing;
        let mut places = Self {
            packing,
            lists,
            to: vec![NONE; packing.items.len()],
            open: crate::schedule::default_open(&problem.packing),
            then: Ledger::new(packing, Moment::Then),
            rush: Ledger::new(packing, Moment::Now),
            free: BTreeSet::new(),
            moves: 0,
            missing: SparseSet::empty(packing.items.len()),
            log: Vec::new(),
            switched: Vec::new(),
            traffic: problem.project.transit.as_deref().map(Traffic::new),
            hurried: false,
            steps: 0,
        };
        let mut most = vec![0; packing.dims];
        for (item, row) in packing.items.iter().enumerate() {
            let item = item as u32;
            if row.source != NONE {
                for (dim, most) in most.iter_mut().enumerate() {
                    *most = match row.role {
                        Role::Depart => packing.now(item)[dim],
                        _ => packing.now(item)[dim].max(packing.then(item)[dim]),
                    };
                }
                places.rush.add(item, row.source, &most);
            }
            match row.role {
                Role::Depart => {}
                Role::Stay if packing.may_end_in(item, row.source) => {
                    places.then.add(item, row.source, packing.then(item));
                    places.to[item as usize] = row.source;
                }
                _ => places.missing.insert(item),
            }
        }
        for bin in 0..packing.bins.len() as u32 {
            if packing.bins[bin as usize].later != Later::Closed {
                places.free.insert((places.room(bin), bin));
            }
        }
        places
    }

    fn room(&self, bin: u32) -> u64 {
        let scarce = self.lists.scarce;
        match self.then.capacity(bin).get(scarce) {
            Some(capacity) => capacity.saturating_sub(self.then.load(bin)[scarce]),
            None => 0,
        }
    }

    /// The final ledger.
    pub fn then(&self) -> &Ledger<'p> {
        &self.then
    }

    /// Items without a bin.
    pub fn missing(&self) -> &[u32] {
        self.missing.members()
    }

    /// Number of items that end elsewhere than they start.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// The last bin of an item, or [`NONE`].
    pub fn bin(&self, item: u32) -> u32 {
        self.to[item as usize]
    }

    /// Is a bin open at the end?
    pub fn is_open(&self, bin: u32) -> bool {
        self.open[bin as usize]
    }

    /// The assignment as the scheduler takes it.
    pub fn placement(&self) -> Placement {
        Placement { to: self.to.clone(), open: self.open.clone() }
    }

    /// Takes over an assignment.
    pub fn follow(&mut self, placement: &Placement) {
        for (item, &bin) in placement.to.iter().enumerate() {
            let item = item as u32;
            if self.bin(item) != bin {
                self.take(item);
                if bin != NONE {
                    self.put(item, bin);
                }
            }
        }
        self.open.clone_from(&placement.open);
        self.mark();
    }

    /// Decides whether a bin of free fate is open at the end.
    pub fn set_open(&mut self, bin: u32, open: bool) {
        if self.open[bin as usize] != open {
            self.open[bin as usize] = open;
            self.switched.push(bin);
        }
    }

    /// From here on, bins that are reached soonest are the best ones.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Takes an item out of its bin.
    pub fn take(&mut self, item: u32) {
        let bin = self.to[item as usize];
        if bin == NONE {
            return;
        }
        self.log.push((item, bin));
        self.detach(item, bin);
        self.missing.insert(item);
    }

    fn detach(&mut self, item: u32, bin: u32) {
        let had = self.free.remove(&(self.room(bin), bin));
        self.then.remove(item, bin, self.packing.then(item));
        if had {
            self.free.insert((self.room(bin), bin));
        }
        if bin != self.packing.items[item as usize].source {
            self.rush.remove(item, bin, self.packing.then(item));
            let row = &self.packing.items[item as usize];
            if row.source != NONE {
                self.moves -= 1;
                let traffic = self.traffic.iter_mut().filter(|_| row.lead == 0);
                traffic.for_each(|traffic| traffic.remove(item, row.source, bin));
            }
        }
        self.to[item as usize] = NONE;
    }

    fn attach(&mut self, item: u32, bin: u32) {
        let had = self.free.remove(&(self.room(bin), bin));
        self.then.add(item, bin, self.packing.then(item));
        if had {
            self.free.insert((self.room(bin), bin));
        }
        if bin != self.packing.items[item as usize].source {
            self.rush.add(item, bin, self.packing.then(item));
            let row = &self.packing.items[item as usize];
            if row.source != NONE {
                self.moves += 1;
                let traffic = self.traffic.iter_mut().filter(|_| row.lead == 0);
                traffic.for_each(|traffic| traffic.add(item, row.source, bin));
            }
        }
        self.to[item as usize] = bin;
        self.set_open(bin, true);
    }

    /// Puts an item without a bin into one.
    pub fn put(&mut self, item: u32, bin: u32) {
        self.missing.remove(item);
        self.log.push((item, NONE));
        self.attach(item, bin);
    }

    /// Forgets what was logged: from here on, [`Places::undo`] comes back to this.
    pub fn mark(&mut self) {
        self.log.clear();
        self.switched.clear();
    }

    /// A position in the log, for [`Places::undo_to`].
    pub fn position(&self) -> (usize, usize) {
        (self.log.len(), self.switched.len())
    }

    /// Was nothing changed since the last mark?
    pub fn untouched(&self) -> bool {
        self.log.is_empty()
    }

    /// The bins that lost or got an item since the last mark, and those of the items
    /// put back, ascending.
    pub fn touched(&self) -> Vec<u32> {
        let mut bins: Vec<u32> = self
            .log
            .iter()
            .flat_map(|&(item, before)| [before, self.to[item as usize]])
            .filter(|&bin| bin != NONE)
            .collect();
        bins.sort_unstable();
        bins.dedup();
        bins
    }

    /// The items that end elsewhere than they start or have just come, ascending.
    pub fn moved(&self) -> Vec<u32> {
        (0..self.to.len() as u32)
            .filter(|&item| {
                let row = &self.packing.items[item as usize];
                row.role != Role::Depart && self.to[item as usize] != row.source
            })
            .collect()
    }

    /// Back to the last mark.
    pub fn undo(&mut self) {
        self.undo_to((0, 0));
    }

    /// Back to a position in the log.
    pub fn undo_to(&mut self, position: (usize, usize)) {
        while self.log.len() > position.0 {
            let Some((item, before)) = self.log.pop() else { break };
            let now = self.to[item as usize];
            if now != NONE {
                self.detach(item, now);
            }
            if before == NONE {
                self.missing.insert(item);
            } else {
                self.missing.remove(item);
                self.attach(item, before);
            }
        }
        while self.switched.len() > position.1 {
            if let Some(bin) = self.switched.pop() {
                self.open[bin as usize] = !self.open[bin as usize];
            }
        }
    }

    /// May the item end in the bin, beside what is there?
    pub fn fits(&self, item: u32, bin: u32) -> Result<(), Block> {
        self.then.may_enter(item, bin, self.packing.then(item))
    }

    /// Would the relations let the item end in the bin, were there room?
    pub fn would_go(&self, item: u32, bin: u32) -> bool {
        self.then.relations_admit(item, bin, self.packing.then(item)).is_ok()
    }

    /// Could a closed bin of free fate be opened?
    fn may_open(&self, bin: u32) -> bool {
        if self.packing.bins[bin as usize].later == Later::Closed {
            return false;
        }
        self.packing.relations.iter().all(|relation| match &relation.kind {
            RelationKind::Powered { bins, limit } if relation.penalty.is_none() && bins.contains(bin) => {
                bins.sum(|bin| self.open[bin as usize]).saturating_add(bins.of(bin)) <= *limit
            }
            _ => true,
        })
    }

    /// The bin for an item: its own if it may stay, else the best fit; of the `among`
    /// best ones, a random one. Closed bins only if no open one fits.
    pub fn best_bin(&mut self, item: u32, among: usize, random: &mut Random) -> Option<u32> {
        let row = &self.packing.items[item as usize];
        // An item in very many relations costs more than a step to look at.
        self.steps += 1 + self.packing.relations_of(item).len() as u64 / 64;
        if row.role == Role::Stay
            && self.packing.may_end_in(item, row.source)
            && self.open[row.source as usize]
            && self.fits(item, row.source).is_ok()
        {
            return Some(row.source);
        }
        let company = self.company(item);
        let bin = self.best_fit(item, company.as_deref(), among, random);
        if bin.is_none() && company.is_some() { self.best_fit(item, None, among, random) } else { bin }
    }

    /// What all those take who have no bin yet and must come to the same one as the item,
    /// together with it; `None` where it is alone.
    fn company(&self, item: u32) -> Option<Vec<u64>> {
        let packing = self.packing;
        let mut others: Vec<u32> = packing
            .relations_of(item)
            .iter()
            .map(|&(at, _)| &packing.relations[at as usize])
            .filter(|relation| relation.penalty.is_none())
            .filter_map(|relation| match &relation.kind {
                RelationKind::SameGroup { items, partition: NONE } if items.len() <= MOST_COMPANY => {
                    Some(items)
                }
                _ => None,
            })
            .flatten()
            .copied()
            .filter(|&other| {
                let departs = packing.items[other as usize].role == Role::Depart;
                other != item && self.to[other as usize] == NONE && !departs
            })
            .collect();
        others.sort_unstable();
        others.dedup();
        if others.is_empty() {
            return None;
        }
        let mut size = packing.then(item).to_vec();
        for other in others {
            size.iter_mut().zip(packing.then(other)).for_each(|(sum, size)| *sum += size);
        }
        Some(size)
    }

    /// See [`Places::best_bin`]; with room for this much in place of the item's own size.
    fn best_fit(&self, item: u32, company: Option<&[u64]>, among: usize, random: &mut Random) -> Option<u32> {
        let size = company.unwrap_or(self.packing.then(item));
        let source = self.packing.items[item as usize].source;
        let ways =
            self.traffic.as_ref().filter(|_| source != NONE && self.packing.items[item as usize].lead == 0);
        let enough = if self.hurried && ways.is_some() { among.max(MOST_WAYS) } else { among };
        let mut found: Vec<u32> = Vec::new();
        let mut late: Option<u32> = None;
        let mut closed: Option<u32> = None;
        let mut looks = 0u32;
        // True when enough was seen.
        let mut look = |bin: u32| -> bool {
            if !self.packing.may_end_in(item, bin) {
                return false;
            }
            if self.then.may_enter(item, bin, size).is_err() {
                return false;
            }
            if ways.is_some_and(|ways| ways.done(item, source, bin).is_none()) {
                return false;
            }
            if !self.open[bin as usize] {
                if closed.is_none() && self.may_open(bin) {
                    closed = Some(bin);
                }
                return false;
            }
            if self.rush.may_enter(item, bin, size).is_ok() && self.packing.bins[bin as usize].open {
                found.push(bin);
                return found.len() >= enough;
            }
            late.get_or_insert(bin);
            looks += 1;
            looks > 512
        };
        match self.candidates(item) {
            Some(mut bins) => {
                bins.sort_unstable_by_key(|&bin| (self.room(bin), bin));
                for bin in bins {
                    if look(bin) {
                        break;
                    }
                }
            }
            None if self.wants_a_bin_alone(item) => {
                // Empty bins are at the roomy end.
                for &(_, bin) in self.free.iter().rev() {
                    if look(bin) {
                        break;
                    }
                }
            }
            None => {
                let size = size.get(self.lists.scarce).copied().unwrap_or(0);
                for &(_, bin) in self.free.range((size, 0)..) {
                    if look(bin) {
                        break;
                    }
                }
            }
        }
        if found.is_empty() {
            return late.or(closed);
        }
        if let Some(ways) = ways.filter(|_| self.hurried) {
            // The sort is stable: of equals, the best fit.
            found.sort_by_key(|&bin| ways.done(item, source, bin));
            found.truncate(among.max(1));
        }
        Some(found[random.below(found.len())])
    }

    fn wants_a_bin_alone(&self, item: u32) -> bool {
        self.packing.relations_of(item).iter().any(|&(at, _)| {
            let relation = &self.packing.relations[at as usize];
            relation.penalty.is_none() && matches!(relation.kind, RelationKind::Exclusive { .. })
        })
    }

    /// The bins that are worth a look, where they are few.
    fn candidates(&self, item: u32) -> Option<Vec<u32>> {
        let row = &self.packing.items[item as usize];
        for &(at, _) in self.packing.relations_of(item) {
            let relation = &self.packing.relations[at as usize];
            if relation.penalty.is_some() {
                continue;
            }
            if let RelationKind::SameGroup { items, partition } = &relation.kind {
                // A placed member shows the group.
                let placed = items.iter().map(|&other| self.to[other as usize]).find(|&bin| bin != NONE);
                let Some(bin) = placed else { continue };
                return Some(match self.packing.partitions.get(*partition as usize) {
                    None => vec![bin],
                    Some(groups) => match groups.group_of[bin as usize] {
                        NONE => continue,
                        group => self.lists.by_group[*partition as usize][group as usize].clone(),
                    },
                });
            }
        }
        self.lists.by_domain[row.domain as usize].clone()
    }

    /// Places an item by pushing others out of a bin, each of which finds a place in
    /// turn. Leaves everything as it was when that fails.
    pub fn eject(&mut self, item: u32, depth: u32, tabu: &mut Vec<u32>, random: &mut Random) -> bool {
        const BINS: usize = 24;
        const PUSHED: usize = 4;
        let mut bins: Vec<u32> = match self.candidates(item) {
            Some(bins) => bins,
            None if self.packing.bins.len() <= 4 * BINS => (0..self.packing.bins.len() as u32).collect(),
            None => {
                // The bins with the most room, and some others.
                let mut bins: Vec<u32> = self.free.iter().rev().take(BINS).map(|&(_, bin)| bin).collect();
                bins.extend((0..BINS).map(|_| random.below(self.packing.bins.len()) as u32));
                bins
            }
        };
        bins.retain(|&bin| self.open[bin as usize] && self.packing.may_end_in(item, bin));
        random.shuffle(&mut bins);
        bins.truncate(2 * BINS);
        // Few bins leave time for several ways to make room in each.
        let ways_each = (64 / bins.len().max(1)).clamp(1, 8);
        // Crowded bins cost more than a step to look at.
        let crowd: usize = bins.iter().map(|&bin| self.then.guests(bin).len()).sum();
        self.steps += (crowd * ways_each / 1024) as u64;
        let mut ways: Vec<(usize, u32, Vec<u32>)> = bins
            .into_iter()
            .flat_map(|bin| (0..ways_each).map(move |way| (bin, way)))
            .filter_map(|(bin, way)| {
                let pushed = self.pushed_out(item, bin, tabu, PUSHED, way)?;
                let fresh = pushed
                    .iter()
                    .filter(|&&other| {
                        let row = &self.packing.items[other as usize];
                        row.source == bin
                    })
                    .count();
                Some((fresh * 8 + pushed.len(), bin, pushed))
            })
            .collect();
        ways.sort();
        ways.dedup();
        ways.truncate(if depth > 1 { 6 } else { 12 });
        for (_, bin, pushed) in ways {
            self.steps += 1;
            let position = self.position();
            let held = tabu.len();
            for &other in &pushed {
                self.take(other);
            }
            if self.fits(item, bin).is_err() {
                self.undo_to(position);
                continue;
            }
            self.put(item, bin);
            tabu.push(item);
            let settled = pushed.iter().all(|&other| match self.best_bin(other, 1, random) {
                Some(bin) => {
                    self.put(other, bin);
                    true
                }
                None => depth > 1 && self.eject(other, depth - 1, tabu, random),
            });
            tabu.truncate(held);
            if settled {
                return true;
            }
            self.undo_to(position);
        }
        false
    }

    /// Whom an item would have to push out of a bin: few, movable, cheap ones. Of the
    /// ways to make room, the one at this rank.
    fn pushed_out(&self, item: u32, bin: u32, tabu: &[u32], most: usize, mut way: usize) -> Option<Vec<u32>> {
        let packing = self.packing;
        let size = packing.then(item);
        let movable = |other: u32| {
            let row = &packing.items[other as usize];
            !tabu.contains(&other) && (!row.pinned || row.source != bin)
        };
        let mut out: Vec<u32> = Vec::new();
        // Relations first: who must not be beside the item at all.
        for &(at, part) in packing.relations_of(item) {
            let relation = &packing.relations[at as usize];
            if relation.penalty.is_some() {
                continue;
            }
            let member =
                |other: u32| packing.relations_of(other).iter().find(|row| row.0 == at).map(|row| row.1);
            let guests = self.then.guests(bin).iter().copied();
            match &relation.kind {
                RelationKind::AtMost { most, .. } => {
                    let members: Vec<u32> = guests.filter(|&other| member(other).is_some()).collect();
                    let near = self.then.members_near(at, bin) as usize;
                    let excess = (near + 1).saturating_sub(*most as usize);
                    if excess > members.len() {
                        // They sit in other bins of the group.
                        return None;
                    }
                    out.extend(members.into_iter().filter(|&other| movable(other)).take(excess));
                }
                RelationKind::Apart { .. } => {
                    out.extend(guests.filter(|&other| member(other).is_some_and(|theirs| theirs != part)));
                }
                RelationKind::Exclusive { .. } => out.extend(guests.filter(|&other| member(other).is_none())),
                _ => {}
            }
        }
        for &other in self.then.guests(bin) {
            for &(at, _) in packing.relations_of(other) {
                let relation = &packing.relations[at as usize];
                if matches!(relation.kind, RelationKind::Exclusive { .. })
                    && relation.penalty.is_none()
                    && !packing.relations_of(item).iter().any(|row| row.0 == at)
                {
                    out.push(other);
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        if out.len() > most || !out.iter().all(|&other| movable(other)) {
            return None;
        }
        // Then room: the one that covers most of what is missing, the smallest such.
        loop {
            let missing: Vec<u64> = (0..packing.dims)
                .map(|dim| {
                    let gone: u64 = out.iter().map(|&other| packing.then(other)[dim]).sum();
                    if size[dim] == 0 {
                        return 0;
                    }
                    (self.then.load(bin)[dim] - gone + size[dim]).saturating_sub(self.then.capacity(bin)[dim])
                })
                .collect();
            if missing.iter().all(|&missing| missing == 0) {
                break;
            }
            if out.len() >= most {
                return None;
            }
            let mut choice: Vec<(u64, bool, bool, u64, u32)> = self
                .then
                .guests(bin)
                .iter()
                .copied()
                .filter(|&other| movable(other) && !out.contains(&other))
                .take(MOST_GUESTS)
                .map(|other| {
                    let left: u64 = missing
                        .iter()
                        .zip(packing.then(other))
                        .map(|(missing, size)| missing.saturating_sub(*size))
                        .sum();
                    let row = &packing.items[other as usize];
                    let size = packing.then(other).iter().sum::<u64>();
                    (left, row.domain != 0, row.source == bin, size, other)
                })
                .collect();
            choice.sort_unstable();
            let next = choice.get(std::mem::take(&mut way))?.4;
            out.push(next);
        }
        Some(out)
    }
}

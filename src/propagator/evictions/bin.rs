//! One bin at a point of the search: what those cost at least who leave it, and why.

use super::Evictions;
use super::NEVER;
use crate::engine::Atom;

/// What becomes of an item that starts in a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may stay, or leave.
    Open,
    Stays,
    Leaves,
}

/// A bin at a point of the search.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// Who came for sure.
    pub(super) arrived: Vec<u32>,
    /// By dimension: what those take who are there or may stay.
    pub(super) load: Vec<u64>,
    /// What those cost who leave for sure.
    pub(super) cost: u64,
    /// (crowd, members there, those of them that may leave), sorted by crowd.
    pub(super) crowds: Vec<(u32, u32, u32)>,
}

/// A change to a bin that is thought through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) comes: Option<u32>,
    pub(super) leaves: Option<u32>,
}

impl Evictions {
    pub(super) fn enter(&self, scene: &mut Scene, at: u32, open: bool) {
        for (load, size) in scene.load.iter_mut().zip(&self.stage.pieces[at as usize].size) {
            *load = load.saturating_add(*size);
        }
        for &crowd in &self.index.crowds[at as usize] {
            match scene.crowds.binary_search_by_key(&crowd, |row| row.0) {
                Ok(row) => {
                    scene.crowds[row].1 += 1;
                    scene.crowds[row].2 += u32::from(open);
                }
                Err(row) => scene.crowds.insert(row, (crowd, 1, u32::from(open))),
            }
        }
    }

    pub(super) fn leave(&self, scene: &mut Scene, at: u32, open: bool) {
        for (load, size) in scene.load.iter_mut().zip(&self.stage.pieces[at as usize].size) {
            *load = load.saturating_sub(*size);
        }
        for &crowd in &self.index.crowds[at as usize] {
            if let Ok(row) = scene.crowds.binary_search_by_key(&crowd, |row| row.0) {
                scene.crowds[row].1 -= 1;
                scene.crowds[row].2 -= u32::from(open);
            }
        }
    }

    /// The leavers of the bin cost at least so much.
    pub(super) fn least(&self, bin: u32, fates: &[Fate], scene: &Scene, change: Change) -> u64 {
        let pieces = &self.stage.pieces;
        let room = &self.stage.room[bin as usize];
        let mut most = 0;
        for (dim, &room) in room.iter().enumerate() {
            let size = |at: Option<u32>| at.map_or(0, |at| pieces[at as usize].size[dim]);
            let load = (scene.load[dim] - size(change.leaves)).saturating_add(size(change.comes));
            let Some(mut over) = load.checked_sub(room).filter(|&over| over > 0) else { continue };
            let mut count = 0;
            for &at in &self.index.largest[bin as usize][dim] {
                if fates[at as usize] != Fate::Open || change.leaves == Some(at) {
                    continue;
                }
                count += 1;
                over = over.saturating_sub(pieces[at as usize].size[dim]);
                if over == 0 {
                    break;
                }
            }
            if over > 0 {
                return NEVER;
            }
            most = most.max(count);
        }
        let Some(crowded) = self.crowded(bin, fates, scene, change) else { return NEVER };
        let open = |at: &&u32| fates[**at as usize] == Fate::Open && change.leaves != Some(**at);
        let cost = |at: u32| u64::from(pieces[at as usize].cost);
        let leave: u64 = self.index.cheapest[bin as usize]
            .iter()
            .filter(open)
            .take(most.max(crowded) as usize)
            .map(|&at| cost(at))
            .sum();
        (scene.cost + change.leaves.map_or(0, cost) + leave).max(self.stage.base[bin as usize])
    }

    /// How many must leave for the crowds in the bin, those counted that share no member.
    fn crowded(&self, bin: u32, fates: &[Fate], scene: &Scene, change: Change) -> Option<u32> {
        let in_crowd = |at: Option<u32>, crowd: u32| {
            at.is_some_and(|at| self.index.crowds[at as usize].contains(&crowd))
        };
        let over_of = |crowd: u32, count: u32| {
            (count + u32::from(in_crowd(change.comes, crowd)) - u32::from(in_crowd(change.leaves, crowd)))
                .saturating_sub(self.stage.crowds[crowd as usize].most[bin as usize])
        };
        let mut sum = 0;
        let mut counted: Vec<u32> = Vec::new();
        for &(crowd, count, open) in &scene.crowds {
            let over = over_of(crowd, count);
            if over == 0 {
                continue;
            }
            let open = open
                - u32::from(
                    in_crowd(change.leaves, crowd)
                        && change.leaves.is_some_and(|at| fates[at as usize] == Fate::Open),
                );
            if over > open {
                return None;
            }
            let here = |at: &&u32| {
                fates[**at as usize] == Fate::Open && self.stage.pieces[**at as usize].source == bin
            };
            let members: Vec<u32> =
                self.stage.crowds[crowd as usize].members.iter().filter(here).copied().collect();
            if members.iter().all(|at| !counted.contains(at)) {
                sum += over;
                counted.extend(members);
            }
        }
        if let Some(at) = change.comes {
            // The first of its crowd to come: is there room for any?
            let alone = |crowd: &&u32| scene.crowds.binary_search_by_key(*crowd, |row| row.0).is_err();
            let full = |crowd: &u32| self.stage.crowds[*crowd as usize].most[bin as usize] == 0;
            if self.index.crowds[at as usize].iter().filter(alone).any(full) {
                return None;
            }
        }
        Some(sum)
    }

    /// Statements that hold and from which it follows that the leavers of the bin cost at
    /// least `goal` after the change.
    pub(super) fn explain(
        &self,
        bin: u32,
        fates: &[Fate],
        scene: &Scene,
        change: Change,
        goal: u64,
        reason: &mut Vec<Atom>,
    ) {
        if goal <= self.stage.base[bin as usize] {
            return;
        }
        let mut fates = fates.to_vec();
        let mut scene = scene.clone();
        let pieces = &self.stage.pieces;
        // Small ones are the easiest to do without.
        let mut arrived = scene.arrived.clone();
        arrived.sort_by_key(|&at| (pieces[at as usize].size.iter().copied().max(), at));
        for at in arrived {
            if change.comes == Some(at) {
                continue;
            }
            self.leave(&mut scene, at, false);
            if self.least(bin, &fates, &scene, change) < goal {
                self.enter(&mut scene, at, false);
                reason.push(Atom::Is(pieces[at as usize].host, bin as i32));
            }
        }
        for &at in &self.index.own[bin as usize] {
            if change.leaves == Some(at) {
                continue;
            }
            match fates[at as usize] {
                Fate::Open => {}
                Fate::Stays => {
                    self.leave(&mut scene, at, false);
                    self.enter(&mut scene, at, true);
                    fates[at as usize] = Fate::Open;
                    if self.least(bin, &fates, &scene, change) < goal {
                        self.leave(&mut scene, at, true);
                        self.enter(&mut scene, at, false);
                        fates[at as usize] = Fate::Stays;
                        reason.push(Atom::Is(pieces[at as usize].host, bin as i32));
                    }
                }
                // Whoever may not stay leaves without a reason.
                Fate::Leaves if pieces[at as usize].bins.binary_search(&bin).is_err() => {}
                Fate::Leaves => {
                    let cost = u64::from(pieces[at as usize].cost);
                    self.enter(&mut scene, at, true);
                    scene.cost -= cost;
                    fates[at as usize] = Fate::Open;
                    if self.least(bin, &fates, &scene, change) < goal {
                        self.leave(&mut scene, at, true);
                        scene.cost += cost;
                        fates[at as usize] = Fate::Leaves;
                        reason.push(Atom::Not(pieces[at as usize].host, bin as i32));
                    }
                }
            }
        }
    }

    /// Is there room in the bin for the item, so that its coming makes nobody leave?
    pub(super) fn fits(&self, bin: u32, scene: &Scene, at: u32) -> bool {
        let room = &self.stage.room[bin as usize];
        let size = &self.stage.pieces[at as usize].size;
        let crowd_fits = |&crowd: &u32| {
            let here = scene.crowds.binary_search_by_key(&crowd, |row| row.0);
            let here = here.map_or(0, |row| scene.crowds[row].1);
            here < self.stage.crowds[crowd as usize].most[bin as usize]
        };
        (0..room.len()).all(|dim| size[dim] == 0 || scene.load[dim].saturating_add(size[dim]) <= room[dim])
            && self.index.crowds[at as usize].iter().all(crowd_fits)
    }
}

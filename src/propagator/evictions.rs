//! What it costs that items must leave, given what is decided.
//!
//! Vector packing seen from where the items are: in each bin what stays, what came for
//! sure and what may still stay must fit, so some of those that may stay have to leave.
//! In each dimension the largest go first, which bounds how many (the counting bound of a
//! covering knapsack, Martello and Toth 1990, chapter 2); limits on how many members of a
//! set share a bin are counted likewise. So many leave, and cost at least what the
//! cheapest do. Bins share no item, so the bounds add up to a bound on the cost of all
//! leavers, beside what was proved about the bins beforehand. A cost of one each counts
//! the leavers.
//!
//! What follows: the sum is at least that; an item that would make it exceed its limit by
//! leaving stays; a bin that an item would make exceed it by coming is closed to the item,
//! and so is one that it does not fit into at all. Where everything is decided the rule
//! holds exactly if everything fits and the sum is right.
//!
//! Each reason is cut down: a statement is left out where the bound does without. Cost:
//! items, plus pairs of undecided items and bins that the item does not fit into at once,
//! times the size of the bin.

use crate::engine::Atom;
use crate::engine::Propagator;
use crate::engine::Stop;
use crate::engine::Store;
use crate::engine::Var;
use crate::engine::View;
use crate::problem::NONE;
use std::rc::Rc;

/// No number of leavers suffices.
const NEVER: u64 = u64::MAX;

/// An item with a choice.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its last bin.
    pub host: Var,
    /// The bin that it counts as a leaver of when it ends elsewhere, or [`NONE`].
    pub source: u32,
    /// The bins that it may end in, ascending.
    pub bins: Vec<u32>,
    /// Its size by dimension.
    pub size: Vec<u64>,
    /// What it costs when it leaves.
    pub cost: u32,
}

/// Items of which so many may share a bin.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The pieces, by index.
    pub members: Vec<u32>,
    /// By bin: how many there is room for.
    pub most: Vec<u32>,
}

/// What never changes.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// The items.
    pub pieces: Vec<Piece>,
    /// By bin and dimension: the room for them.
    pub room: Vec<Vec<u64>>,
    /// The crowds.
    pub crowds: Vec<Crowd>,
    /// By bin: the leavers cost so much in any case.
    pub base: Vec<u64>,
    /// Variables of value 0 or 1 that cost as much as they are.
    pub also: Vec<Var>,
}

/// The rule: the leavers cost at most `total`, and everything fits.
#[derive(Clone, Debug)]
pub struct Evictions {
    stage: Rc<Stage>,
    index: Rc<Index>,
    total: Var,
}

/// What is looked up often.
#[derive(Debug)]
struct Index {
    /// By bin: the pieces that start there.
    own: Vec<Vec<u32>>,
    /// By bin and dimension: the same, largest first.
    largest: Vec<Vec<Vec<u32>>>,
    /// By bin: the same, cheapest first.
    cheapest: Vec<Vec<u32>>,
    /// By piece: its crowds.
    crowds: Vec<Vec<u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It may stay, or leave.
    Open,
    Stays,
    Leaves,
}

/// A bin at a point of the search.
#[derive(Clone, Debug, Default)]
struct Scene {
    /// Who came for sure.
    arrived: Vec<u32>,
    /// By dimension: what those take who are there or may stay.
    load: Vec<u64>,
    /// What those cost who leave for sure.
    cost: u64,
    /// (crowd, members there, those of them that may leave), sorted by crowd.
    crowds: Vec<(u32, u32, u32)>,
}

/// A change to a bin that is thought through.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    comes: Option<u32>,
    leaves: Option<u32>,
}

impl Evictions {
    /// The rule over a stage; `total` is a variable.
    pub fn new(stage: Stage, total: Var) -> Self {
        let bins = stage.room.len();
        let mut own = vec![Vec::new(); bins];
        for (at, piece) in stage.pieces.iter().enumerate() {
            if piece.source != NONE {
                own[piece.source as usize].push(at as u32);
            }
        }
        let dims = stage.room.first().map_or(0, Vec::len);
        let largest = own
            .iter()
            .map(|own| {
                (0..dims)
                    .map(|dim| {
                        let mut order = own.clone();
                        order.sort_by_key(|&at| (std::cmp::Reverse(stage.pieces[at as usize].size[dim]), at));
                        order
                    })
                    .collect()
            })
            .collect();
        let cheapest = own
            .iter()
            .map(|own| {
                let mut order = own.clone();
                order.sort_by_key(|&at| (stage.pieces[at as usize].cost, at));
                order
            })
            .collect();
        let mut crowds = vec![Vec::new(); stage.pieces.len()];
        for (at, crowd) in stage.crowds.iter().enumerate() {
            crowd.members.iter().for_each(|&member| crowds[member as usize].push(at as u32));
        }
        Self { stage: Rc::new(stage), index: Rc::new(Index { own, largest, cheapest, crowds }), total }
    }

    fn scenes(&self, view: &impl View) -> (Vec<Fate>, Vec<Scene>) {
        let dims = self.stage.room.first().map_or(0, Vec::len);
        let mut scenes = vec![Scene { load: vec![0; dims], ..Scene::default() }; self.stage.room.len()];
        let mut fates = vec![Fate::Open; self.stage.pieces.len()];
        for (at, piece) in self.stage.pieces.iter().enumerate() {
            let value = view.value(piece.host).map(|bin| bin as u32);
            let stays = piece.source != NONE && view.contains(piece.host, piece.source as i32);
            let fate = match value {
                Some(bin) if bin == piece.source => Fate::Stays,
                _ if stays => Fate::Open,
                _ => Fate::Leaves,
            };
            fates[at] = fate;
            if fate == Fate::Leaves {
                if piece.source != NONE {
                    scenes[piece.source as usize].cost += u64::from(piece.cost);
                }
                if let Some(bin) = value {
                    scenes[bin as usize].arrived.push(at as u32);
                    self.enter(&mut scenes[bin as usize], at as u32, false);
                }
            } else {
                self.enter(&mut scenes[piece.source as usize], at as u32, fate == Fate::Open);
            }
        }
        (fates, scenes)
    }

    fn enter(&self, scene: &mut Scene, at: u32, open: bool) {
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

    fn leave(&self, scene: &mut Scene, at: u32, open: bool) {
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
    fn least(&self, bin: u32, fates: &[Fate], scene: &Scene, change: Change) -> u64 {
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
    fn explain(
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

    /// Statements from which it follows that the leavers of the bins that are not in `but`
    /// cost at least `goal`.
    #[allow(clippy::too_many_arguments, reason = "the state of one propagation")]
    fn explain_sum(
        &self,
        fates: &[Fate],
        scenes: &[Scene],
        least: &[u64],
        view: &impl View,
        but: &[u32],
        goal: u64,
        reason: &mut Vec<Atom>,
    ) {
        let counts = |bin: u32| !but.contains(&bin);
        let bins = 0..least.len() as u32;
        let base: u64 =
            bins.clone().filter(|&bin| counts(bin)).map(|bin| self.stage.base[bin as usize]).sum();
        let mut short = goal.saturating_sub(base);
        for &var in &self.stage.also {
            if short > 0 && view.least(var) == 1 {
                reason.push(Atom::AtLeast(var, 1));
                short -= 1;
            }
        }
        for bin in bins.filter(|&bin| counts(bin)) {
            if short == 0 {
                return;
            }
            let gain = (least[bin as usize] - self.stage.base[bin as usize]).min(short);
            if gain > 0 {
                let goal = self.stage.base[bin as usize] + gain;
                self.explain(bin, fates, &scenes[bin as usize], Change::default(), goal, reason);
                short -= gain;
            }
        }
    }

    /// Is there room in the bin for the item, so that its coming makes nobody leave?
    fn fits(&self, bin: u32, scene: &Scene, at: u32) -> bool {
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

impl Propagator for Evictions {
    fn name(&self) -> &'static str {
        "evictions"
    }

    fn watched(&self) -> Vec<Var> {
        let hosts = self.stage.pieces.iter().map(|piece| piece.host);
        hosts.chain(self.stage.also.iter().copied()).chain([self.total]).collect()
    }

    fn propagate(&mut self, store: &mut impl Store) -> Result<(), Stop> {
        let (fates, scenes) = self.scenes(store);
        let mut least = Vec::with_capacity(scenes.len());
        for (bin, scene) in scenes.iter().enumerate() {
            let bin = bin as u32;
            least.push(self.least(bin, &fates, scene, Change::default()));
            if least[bin as usize] == NEVER {
                let mut reason = Vec::new();
                self.explain(bin, &fates, scene, Change::default(), NEVER, &mut reason);
                return Err(Stop::Conflict(reason));
            }
        }
        let also = self.stage.also.iter().filter(|&&var| store.least(var) == 1).count() as u64;
        let sum = least.iter().sum::<u64>() + also;
        let limit = store.most(self.total).max(0);
        if sum > limit as u64 {
            let mut reason = vec![Atom::AtMost(self.total, limit)];
            self.explain_sum(&fates, &scenes, &least, store, &[], limit as u64 + 1, &mut reason);
            return Err(Stop::Conflict(reason));
        }
        if store.least(self.total) < sum as i32 {
            let mut reason = Vec::new();
            self.explain_sum(&fates, &scenes, &least, store, &[], sum, &mut reason);
            store.imply(Atom::AtLeast(self.total, sum as i32), &reason)?;
        }
        let slack = limit as u64 - sum;
        let limits = Limits { limit, slack };
        if slack == 0 {
            for &var in &self.stage.also {
                if store.value(var).is_none() {
                    let mut reason = vec![Atom::AtMost(self.total, limit)];
                    self.explain_sum(&fates, &scenes, &least, store, &[], sum, &mut reason);
                    store.imply(Atom::AtMost(var, 0), &reason)?;
                }
            }
        }
        for at in 0..self.stage.pieces.len() as u32 {
            let piece = &self.stage.pieces[at as usize];
            if store.value(piece.host).is_some() {
                continue;
            }
            let mut raised = 0;
            if fates[at as usize] == Fate::Open {
                let (bin, leaves) = (piece.source, Change { leaves: Some(at), ..Change::default() });
                let after = self.least(bin, &fates, &scenes[bin as usize], leaves);
                // The count of crowds is greedy, and may be worse for knowing more.
                raised = after.saturating_sub(least[bin as usize]);
                if raised > slack {
                    let atom = Atom::Is(piece.host, bin as i32);
                    self.imply(store, atom, &fates, &scenes, &least, limits, &[(bin, leaves, after)])?;
                    continue;
                }
            }
            for &bin in &piece.bins {
                let scene = &scenes[bin as usize];
                if bin == piece.source || self.fits(bin, scene, at) || !store.contains(piece.host, bin as i32)
                {
                    continue;
                }
                let comes = Change { comes: Some(at), ..Change::default() };
                let after = self.least(bin, &fates, scene, comes);
                let more = after.saturating_sub(least[bin as usize]);
                let atom = Atom::Not(piece.host, bin as i32);
                if more > slack {
                    self.imply(store, atom, &fates, &scenes, &least, limits, &[(bin, comes, after)])?;
                } else if more + raised > slack {
                    let leaves = Change { leaves: Some(at), ..Change::default() };
                    let left = least[piece.source as usize] + raised;
                    let changes = [(bin, comes, after), (piece.source, leaves, left)];
                    self.imply(store, atom, &fates, &scenes, &least, limits, &changes)?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Limits {
    limit: i32,
    slack: u64,
}

impl Evictions {
    /// Implies a statement whose opposite would change some bins so that it costs too much:
    /// (bin, change, what its leavers cost then).
    #[allow(clippy::too_many_arguments, reason = "the state of one propagation")]
    fn imply(
        &self,
        store: &mut impl Store,
        atom: Atom,
        fates: &[Fate],
        scenes: &[Scene],
        least: &[u64],
        limits: Limits,
        changes: &[(u32, Change, u64)],
    ) -> Result<(), Stop> {
        let mut reason = Vec::new();
        if let [(bin, change, NEVER)] = *changes {
            self.explain(bin, fates, &scenes[bin as usize], change, NEVER, &mut reason);
            return store.imply(atom, &reason);
        }
        reason.push(Atom::AtMost(self.total, limits.limit));
        let mut goal = limits.limit as u64 + 1;
        let mut but = Vec::new();
        // What is more than needed need not be explained.
        let mut spare = changes.iter().map(|&(bin, _, after)| after - least[bin as usize]).sum::<u64>()
            - limits.slack
            - 1;
        for &(bin, change, after) in changes {
            let less = spare.min(after - least[bin as usize]);
            spare -= less;
            let after = after - less;
            self.explain(bin, fates, &scenes[bin as usize], change, after, &mut reason);
            goal = goal.saturating_sub(after);
            but.push(bin);
        }
        self.explain_sum(fates, scenes, least, store, &but, goal, &mut reason);
        reason.sort_unstable();
        reason.dedup();
        store.imply(atom, &reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Domains;
    use crate::engine::testing::assignments;
    use crate::engine::testing::check;
    use crate::random::Random;

    /// A stage of up to four items in three bins, and the domains of hosts, `also`, total.
    fn stage(random: &mut Random) -> (Stage, Vec<Vec<i32>>) {
        let bins = 2 + random.below(2);
        let dims = 1 + random.below(2);
        let count = 2 + random.below(3);
        let mut domains = Vec::new();
        let pieces: Vec<Piece> = (0..count as u32)
            .map(|at| {
                let mut allowed: Vec<u32> = (0..bins as u32).filter(|_| random.below(4) > 0).collect();
                if allowed.is_empty() {
                    allowed.push(0);
                }
                domains.push(allowed.iter().map(|&bin| bin as i32).collect());
                Piece {
                    host: Var(at),
                    source: if random.below(5) == 0 { NONE } else { random.below(bins) as u32 },
                    bins: allowed,
                    size: (0..dims).map(|_| random.below(5) as u64).collect(),
                    cost: 1 + random.below(3) as u32,
                }
            })
            .collect();
        let room = (0..bins).map(|_| (0..dims).map(|_| random.below(9) as u64).collect()).collect();
        let crowds = (0..random.below(3))
            .map(|_| Crowd {
                members: (0..count as u32).filter(|_| random.below(2) == 0).collect(),
                most: (0..bins).map(|_| random.below(3) as u32).collect(),
            })
            .collect();
        domains.push(vec![0, 1]);
        domains.push((0..=6).collect());
        let also = vec![Var(count as u32)];
        (Stage { pieces, room, crowds, base: vec![0; bins], also }, domains)
    }

    /// The rule, as it is said.
    fn holds(stage: &Stage, values: &[i32]) -> bool {
        let ends_in = |at: u32, bin: usize| values[at as usize] == bin as i32;
        let all = || (0u32..).zip(&stage.pieces);
        let fits = stage.room.iter().enumerate().all(|(bin, room)| {
            room.iter().enumerate().all(|(dim, &room)| {
                let here = all().filter(|(at, _)| ends_in(*at, bin));
                here.map(|(_, piece)| piece.size[dim]).sum::<u64>() <= room
            }) && stage.crowds.iter().all(|crowd| {
                let here = crowd.members.iter().filter(|&&at| ends_in(at, bin)).count();
                here <= crowd.most[bin] as usize
            })
        });
        let leaves = |at: u32, piece: &Piece| piece.source != NONE && !ends_in(at, piece.source as usize);
        let cost: u32 = all().filter(|(at, piece)| leaves(*at, piece)).map(|(_, piece)| piece.cost).sum();
        let count = stage.pieces.len();
        fits && cost as i32 + values[count] <= values[count + 1]
    }

    /// The least that the leavers of each bin cost in any placement that fits.
    fn base(stage: &Stage, domains: &[Vec<i32>]) -> Vec<u64> {
        let right: Vec<Vec<i32>> =
            assignments(domains).into_iter().filter(|values| holds(stage, values)).collect();
        (0..stage.room.len())
            .map(|bin| {
                let cost = |values: &Vec<i32>| {
                    let out = |(at, piece): &(usize, &Piece)| {
                        piece.source == bin as u32 && values[*at] != bin as i32
                    };
                    stage.pieces.iter().enumerate().filter(out).map(|(_, piece)| u64::from(piece.cost)).sum()
                };
                right.iter().map(cost).min().unwrap_or(0)
            })
            .collect()
    }

    fn narrowed(domains: &[Vec<i32>], random: &mut Random) -> Domains {
        let decided = random.below(4) == 0;
        let narrow = |domain: &Vec<i32>| {
            let keep = domain[random.below(domain.len())];
            let all = domain.iter().copied();
            all.filter(|&value| value == keep || !decided && random.below(3) > 0).collect()
        };
        Domains(domains.iter().map(narrow).collect())
    }

    #[test]
    fn conclusions_follow_from_their_reasons() {
        let mut random = Random::new(11);
        for round in 0..3000 {
            let (mut stage, domains) = stage(&mut random);
            if round % 3 == 0 {
                stage.base = base(&stage, &domains);
            }
            let total = Var(domains.len() as u32 - 1);
            let rule = Evictions::new(stage.clone(), total);
            for _ in 0..4 {
                let narrowed = narrowed(&domains, &mut random);
                let checked = check(&rule, &domains, &narrowed, &|values| holds(&stage, values));
                assert_eq!(checked, Ok(()), "{stage:?}\n{narrowed:?}");
            }
        }
    }

    /// The test above sees a rule that is wrong by one.
    #[test]
    fn wrong_rules_are_noticed() {
        let spoil: [fn(&mut Stage); 4] = [
            |stage| stage.room.iter_mut().flatten().for_each(|room| *room += 1),
            |stage| stage.room.iter_mut().flatten().for_each(|room| *room = room.saturating_sub(1)),
            |stage| stage.base.iter_mut().for_each(|base| *base += 1),
            |stage| stage.pieces.iter_mut().for_each(|piece| piece.cost += 1),
        ];
        for spoil in spoil {
            let mut random = Random::new(12);
            let noticed = (0..500).any(|_| {
                let (stage, domains) = stage(&mut random);
                let mut spoilt = stage.clone();
                spoil(&mut spoilt);
                let rule = Evictions::new(spoilt, Var(domains.len() as u32 - 1));
                let narrowed = narrowed(&domains, &mut random);
                check(&rule, &domains, &narrowed, &|values| holds(&stage, values)).is_err()
            });
            assert!(noticed);
        }
    }
}

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

mod bin;

use crate::engine::Atom;
use crate::engine::Propagator;
use crate::engine::Stop;
use crate::engine::Store;
use crate::engine::Var;
use crate::engine::View;
use crate::problem::NONE;
use bin::Change;
use bin::Fate;
use bin::Scene;
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
mod tests;

//! Every order of steps, the cheapest first.
//!
//! A uniform-cost search over the configurations of a few active items, all others
//! staying where they are. One step at a time is enough: doing the steps of a parallel
//! schedule one after the other, in the order in which they end, never adds to what a
//! bin holds at a moment. So if there is any schedule, this search finds one, stops on
//! the way included, and if it runs dry there is none. The exceptions are steps that
//! must be simultaneous (no delay, sync): those are taken as one joint step, in which
//! every item holds both of its bins. Deadlines are left to the caller.
//!
//! Cost is exponential in the number of active items; the caller bounds the steps.

use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::TaskRef;
use crate::problem::duration_of;
use crate::problem::lead_of;
use crate::problem::passage_of;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub mod clocked;
mod scene;
pub mod timed;

/// What counts: `per_move + per_second × duration` for each move, and the bins left open.
#[derive(Clone, Copy, Debug)]
pub struct MoveCost {
    /// For each move.
    pub per_move: u64,
    /// For each second of its duration.
    pub per_second: u64,
    /// For each bin that is open at the end.
    pub per_open: u64,
}

/// What the search ended with.
#[derive(Clone, Debug)]
pub enum Exact {
    /// The cheapest way: its steps (one after the other, joint ones at the same time)
    /// and its cost, penalties included.
    Found(Vec<Step>, u64),
    /// There is none.
    Impossible,
    /// The budget ran out; no way is cheaper than this.
    Budget(u64),
}

/// Ways in which several items act at once that are listed for one configuration.
const MOST_WAYS: usize = 1 << 14;
/// Configurations that are kept: some hundred bytes each.
const MOST_STATES: usize = 1 << 19;

/// Where an item is: out, or in a bin with its first or final size.
const OUT: u16 = 0;

fn seat(bin: u32, resized: bool) -> u16 {
    1 + 2 * bin as u16 + u16::from(resized)
}

fn bin_of(code: u16) -> u32 {
    u32::from((code - 1) / 2)
}

fn is_resized(code: u16) -> bool {
    (code - 1) % 2 == 1
}

/// A configuration: codes of the active items, phases of the bins, flags.
type State = Box<[u16]>;

struct Space<'p> {
    problem: &'p Problem,
    active: Vec<u32>,
    /// By item: its position in `active`, or NONE.
    slot: FxHashMap<u32, usize>,
    bins: usize,
    /// Extra tasks that some order mentions.
    extras: Vec<u32>,
    /// Active items that must start at 0, or not at all.
    no_delay: Vec<usize>,
    no_delay_extras: Vec<u32>,
    /// Groups of slots that move together.
    sync: Vec<Vec<usize>>,
    /// By slot: must the state remember that it moved?
    remember: Vec<bool>,
    /// A ledger with the items that are not active.
    base: Ledger<'p>,
    cost: MoveCost,
    powered: Vec<u32>,
    survive: Vec<u32>,
    /// Do open bins take more of a channel than there is, before the first step?
    owes: bool,
}

/// Do open bins take more of a channel than there is, before the first step?
fn exceeds_at_first(problem: &Problem) -> bool {
    let Some(transit) = &problem.project.transit else { return false };
    let mut left = transit.capacities().to_vec();
    let mut open = (0..).zip(&problem.packing.bins).filter(|(_, row)| row.open);
    open.any(|(bin, _)| {
        transit.standing(bin).iter().any(|&(channel, amount)| {
            let left = &mut left[channel as usize];
            let exceeds = *left < amount;
            *left = left.saturating_sub(amount);
            exceeds
        })
    })
}

#[derive(Clone, Debug)]
struct Joint(Vec<StepKind>);

impl<'p> Space<'p> {
    fn items(&self) -> usize {
        self.active.len()
    }

    fn bin_at(&self) -> usize {
        self.items()
    }

    fn moved_at(&self) -> usize {
        self.items() + self.bins
    }

    fn extra_at(&self) -> usize {
        self.moved_at() + self.items()
    }

    fn started_at(&self) -> usize {
        self.extra_at() + self.extras.len()
    }

    fn size(&self, item: u32, code: u16) -> &'p [u64] {
        if is_resized(code) { self.problem.packing.then(item) } else { self.problem.packing.now(item) }
    }

    fn load(&self, state: &State, ledger: &mut Ledger<'p>, enter: bool) {
        for (slot, &item) in self.active.iter().enumerate() {
            let code = state[slot];
            if !self.is_out(code) {
                if enter {
                    ledger.add(item, bin_of(code), self.size(item, code));
                } else {
                    ledger.remove(item, bin_of(code), self.size(item, code));
                }
            }
        }
    }

    /// Codes from here on: the item has departed, and its image lies in a bin.
    fn image_at(&self) -> u16 {
        1 + 2 * self.bins as u16
    }

    fn is_out(&self, code: u16) -> bool {
        code == OUT || code >= self.image_at()
    }

    fn has_image(&self, state: &State, bin: u32) -> bool {
        (0..self.items()).any(|slot| state[slot] == self.image_at() + bin as u16)
    }

    fn is_open(&self, state: &State, bin: u32) -> bool {
        matches!(state[self.bin_at() + bin as usize], 1 | 3)
    }

    /// May the task run now, as far as sequences go?
    fn in_sequence(&self, state: &State, task: TaskRef) -> bool {
        self.problem.project.orders.iter().all(|(order, _)| {
            let Order::Sequence(tasks) = order else { return true };
            let Some(at) = tasks.iter().position(|&other| other == task) else { return true };
            tasks[..at].iter().all(|&other| self.is_done(state, other))
        })
    }

    fn is_done(&self, state: &State, task: TaskRef) -> bool {
        match task {
            TaskRef::Item(item) => match self.slot.get(&item) {
                Some(&slot) => match self.problem.packing.items[item as usize].role {
                    Role::Arrive => state[slot] != OUT,
                    Role::Depart => self.is_out(state[slot]),
                    Role::Stay => true,
                },
                None => true,
            },
            TaskRef::Extra(extra) => match self.extras.iter().position(|&other| other == extra) {
                Some(at) => state[self.extra_at() + at] == 1,
                None => true,
            },
        }
    }

    /// May the item move now, as far as precedences go?
    fn may_move_by_order(&self, state: &State, item: u32) -> bool {
        self.problem.project.orders.iter().all(|(order, _)| match *order {
            Order::Precedence(first, then) if first == item => match self.slot.get(&then) {
                Some(&slot) => state[self.moved_at() + slot] == 0,
                None => true,
            },
            _ => true,
        })
    }

    /// Everything that one item may do, given a ledger with all others.
    fn options(&self, state: &State, slot: usize, ledger: &Ledger<'p>, out: &mut Vec<StepKind>) {
        let packing = &self.problem.packing;
        let item = self.active[slot];
        let row = &packing.items[item as usize];
        let code = state[slot];
        let route = &packing.domains[row.route as usize];
        if row.role == Role::Depart && self.is_out(code) {
            return;
        }
        if row.role == Role::Depart && self.in_sequence(state, TaskRef::Item(item)) {
            out.push(StepKind::Depart { item, from: bin_of(code) });
        }
        let resizes = packing.resizes(item);
        if code == OUT {
            if !self.in_sequence(state, TaskRef::Item(item)) {
                return;
            }
            for to in 0..self.bins as u32 {
                if !self.is_open(state, to) || !route.contains(to) {
                    continue;
                }
                for resized in [true, false] {
                    if (resized || resizes)
                        && ledger.may_enter(item, to, self.size(item, seat(to, resized))).is_ok()
                    {
                        out.push(StepKind::Arrive { item, to, resized });
                    }
                }
            }
            return;
        }
        let (from, was_resized) = (bin_of(code), is_resized(code));
        if !was_resized && ledger.may_resize(from, packing.now(item), packing.then(item)).is_ok() {
            out.push(StepKind::Resize { item, at: from });
        }
        if row.pinned || !self.may_move_by_order(state, item) {
            return;
        }
        for to in 0..self.bins as u32 {
            if to == from || !self.is_open(state, to) || !route.contains(to) {
                continue;
            }
            for resized in [true, false] {
                if !resized && (was_resized || !resizes) {
                    continue;
                }
                if ledger.may_enter(item, to, self.size(item, seat(to, resized))).is_ok() {
                    out.push(StepKind::Move { item, from, to, resized, was_resized, parking: false });
                }
            }
        }
    }

    /// The state after some simultaneous steps.
    fn after(&self, state: &State, steps: &[StepKind]) -> State {
        let mut next = state.clone();
        for step in steps {
            match *step {
                StepKind::Open(bin) => next[self.bin_at() + bin as usize] = 3,
                StepKind::Close(bin) => next[self.bin_at() + bin as usize] = 2,
                StepKind::Move { item, to, resized, .. } => {
                    let slot = self.slot[&item];
                    next[slot] = seat(to, resized);
                    if self.remember[slot] {
                        next[self.moved_at() + slot] = 1;
                    }
                }
                StepKind::Arrive { item, to, resized } => next[self.slot[&item]] = seat(to, resized),
                StepKind::Depart { item, from } => {
                    let image = self.problem.packing.items[item as usize].image;
                    next[self.slot[&item]] = if image { self.image_at() + from as u16 } else { OUT };
                }
                StepKind::Resize { item, at } => next[self.slot[&item]] = seat(at, true),
                StepKind::Extra(extra) => {
                    if let Some(at) = self.extras.iter().position(|&other| other == extra) {
                        next[self.extra_at() + at] = 1;
                    }
                }
            }
        }
        next
    }

    fn cost_of(&self, step: &StepKind) -> u64 {
        match *step {
            StepKind::Move { item, .. } => {
                let row = &self.problem.packing.items[item as usize];
                self.cost.per_move + self.cost.per_second * u64::from(row.leg.min(row.lead + row.hold))
            }
            _ => 0,
        }
    }

    /// Cost of joint steps: what counts, then bins switched, then the number of steps.
    fn price(&self, steps: &[StepKind]) -> (u64, u32, u32) {
        let bins = steps.iter().filter(|s| matches!(s, StepKind::Open(_) | StepKind::Close(_))).count();
        (steps.iter().map(|step| self.cost_of(step)).sum(), bins as u32, steps.len() as u32)
    }

    fn with_step(&self, ledger: &mut Ledger<'p>, step: &StepKind, enter: bool) {
        let (item, to, resized) = match *step {
            StepKind::Move { item, to, resized, .. } | StepKind::Arrive { item, to, resized } => {
                (item, to, resized)
            }
            StepKind::Resize { item, at } => {
                let (now, then) = (self.problem.packing.now(item), self.problem.packing.then(item));
                let (from, to) = if enter { (now, then) } else { (then, now) };
                ledger.resize(at, from, to);
                return;
            }
            _ => return,
        };
        let size = self.size(item, seat(to, resized));
        if enter {
            ledger.add(item, to, size);
        } else {
            ledger.remove(item, to, size);
        }
    }

    /// All ways in which the slots may act at once, each acting or not; no more than
    /// [`MOST_WAYS`] in `out`.
    fn joint(
        &self,
        state: &State,
        slots: &[usize],
        moves_only: bool,
        ledger: &mut Ledger<'p>,
        chosen: &mut Vec<StepKind>,
        out: &mut Vec<Joint>,
    ) {
        if out.len() >= MOST_WAYS {
            return;
        }
        let Some((&slot, rest)) = slots.split_first() else {
            if !chosen.is_empty() {
                out.push(Joint(chosen.clone()));
            }
            return;
        };
        self.joint(state, rest, moves_only, ledger, chosen, out);
        let mut options = Vec::new();
        self.options(state, slot, ledger, &mut options);
        for option in options {
            if moves_only && !matches!(option, StepKind::Move { .. }) {
                continue;
            }
            self.with_step(ledger, &option, true);
            chosen.push(option);
            self.joint(state, rest, moves_only, ledger, chosen, out);
            chosen.pop();
            self.with_step(ledger, &option, false);
        }
    }

    /// Everything that may be done next. False where there is more than was listed.
    #[must_use]
    fn successors(&self, state: &State, ledger: &mut Ledger<'p>, out: &mut Vec<Joint>) -> bool {
        let packing = &self.problem.packing;
        let started = state[self.started_at()] == 1;
        if !started && (!self.no_delay.is_empty() || !self.no_delay_extras.is_empty()) {
            // Whoever may not wait acts now, or never.
            let mut chosen = Vec::new();
            let mut joint = Vec::new();
            self.joint(state, &self.no_delay, false, ledger, &mut chosen, &mut joint);
            let all = joint.len() < MOST_WAYS;
            joint.push(Joint(Vec::new()));
            for mut way in joint {
                way.0.extend(self.no_delay_extras.iter().map(|&extra| StepKind::Extra(extra)));
                out.push(way);
            }
            return all;
        }
        let mut all = true;
        let mut options = Vec::new();
        for slot in 0..self.items() {
            if self.no_delay.contains(&slot) {
                continue;
            }
            options.clear();
            self.options(state, slot, ledger, &mut options);
            let synced = self.sync.iter().any(|group| group.contains(&slot));
            out.extend(
                options
                    .iter()
                    .filter(|option| !(synced && matches!(option, StepKind::Move { .. })))
                    .map(|&option| Joint(vec![option])),
            );
        }
        for group in &self.sync {
            if group.iter().all(|&slot| state[self.moved_at() + slot] == 0) {
                let mut chosen = Vec::new();
                let mut joint = Vec::new();
                self.joint(state, group, true, ledger, &mut chosen, &mut joint);
                all &= joint.len() < MOST_WAYS;
                out.append(&mut joint);
            }
        }
        for (at, &extra) in self.extras.iter().enumerate() {
            if state[self.extra_at() + at] == 0
                && !self.no_delay_extras.contains(&extra)
                && self.in_sequence(state, TaskRef::Extra(extra))
            {
                out.push(Joint(vec![StepKind::Extra(extra)]));
            }
        }
        for bin in 0..self.bins as u32 {
            let phase = state[self.bin_at() + bin as usize];
            let row = &packing.bins[bin as usize];
            if phase == 0 && row.later != Later::Closed {
                out.push(Joint(vec![StepKind::Open(bin)]));
            }
            let waits =
                |item: &u32| packing.items[*item as usize].anchor == bin && state[self.slot[item]] == OUT;
            if phase == 1
                && row.later != Later::Open
                && !packing.anchored[bin as usize]
                && ledger.guests(bin).is_empty()
                && !self.active.iter().any(waits)
                && !self.has_image(state, bin)
                && !self.extras.iter().enumerate().any(|(at, &extra)| {
                    self.problem.project.extras[extra as usize].anchor == bin
                        && state[self.extra_at() + at] == 0
                })
            {
                out.push(Joint(vec![StepKind::Close(bin)]));
            }
        }
        all
    }

    /// Has every move a way, and is there enough of what those share that are under way
    /// together for sure, and the bins that are open?
    fn passable(&self, state: &State, steps: &[StepKind]) -> bool {
        let Some(transit) = &self.problem.project.transit else { return true };
        let orders = &self.problem.project.orders;
        let apart = |item: u32| {
            orders.iter().any(|(order, _)| match order {
                // Some of its members start when others end.
                Order::Sync(items) => {
                    items.iter().any(|member| member.0 == item) && items.iter().any(|member| member.1)
                }
                _ => false,
            })
        };
        let mut wanted: Vec<(u32, u64)> = Vec::new();
        for step in steps {
            match *step {
                StepKind::Open(bin) => wanted.extend_from_slice(transit.standing(bin)),
                StepKind::Move { item, .. } => {
                    let Some(Some(passage)) = passage_of(self.problem, step) else {
                        // Of what arrives it is not known what it needs to travel.
                        if transit.is_far() && self.problem.packing.items[item as usize].role == Role::Arrive
                        {
                            continue;
                        }
                        return false;
                    };
                    if passage.seconds > 0 && (steps.len() == 1 || !apart(item)) {
                        wanted.extend(passage.uses);
                    }
                }
                _ => {}
            }
        }
        // Over a network moves may share what there is, at a lower rate; and where more is taken
        // at first than there is, some of it may be taken over.
        if wanted.is_empty() || transit.is_far() || self.owes {
            return true;
        }
        let mut left = transit.capacities().to_vec();
        let open = (0..self.bins as u32).filter(|&bin| self.is_open(state, bin));
        let standing = open.flat_map(|bin| transit.standing(bin).iter().copied());
        standing.chain(wanted).all(|(channel, amount)| {
            let left = &mut left[channel as usize];
            let fits = amount <= *left;
            *left = left.saturating_sub(amount);
            fits
        })
    }

    /// Do the relations over bins allow the steps: at no moment more than before?
    fn globally_fine(&self, state: &State, steps: &[StepKind], ledger: &mut Ledger<'p>) -> bool {
        let relations = &self.problem.packing.relations;
        for &at in &self.powered {
            let RelationKind::Powered { bins, limit } = &relations[at as usize].kind else { continue };
            let opened = steps.iter().filter_map(|step| match step {
                StepKind::Open(bin) if bins.contains(*bin) => Some(bins.of(*bin)),
                _ => None,
            });
            let opened: Vec<u64> = opened.collect();
            if !opened.is_empty() {
                let open = bins.sum(|bin| self.is_open(state, bin));
                if opened.into_iter().fold(open, u64::saturating_add) > *limit {
                    return false;
                }
            }
        }
        if !self.survive.is_empty() {
            let before: Vec<u64> = self
                .survive
                .iter()
                .map(|&at| ledger.violation(at, &|bin| self.is_open(state, bin)))
                .collect();
            for step in steps {
                self.with_step(ledger, step, true);
            }
            let opening = |bin: u32| self.is_open(state, bin) && !steps.contains(&StepKind::Close(bin));
            let during: Vec<u64> = self.survive.iter().map(|&at| ledger.violation(at, &opening)).collect();
            for step in steps.iter().rev() {
                self.with_step(ledger, step, false);
            }
            let next = self.after(state, steps);
            self.load(state, ledger, false);
            self.load(&next, ledger, true);
            let after: Vec<u64> = self
                .survive
                .iter()
                .map(|&at| ledger.violation(at, &|bin| self.is_open(&next, bin)))
                .collect();
            self.load(&next, ledger, false);
            self.load(state, ledger, true);
            for at in 0..before.len() {
                if during[at] > before[at] || after[at] > before[at] {
                    return false;
                }
            }
        }
        true
    }

    /// The penalties of a state in which everything is done and what its open bins cost, or
    /// nothing if it is not.
    fn goal(&self, state: &State, then: &mut Ledger<'p>) -> Option<u64> {
        let packing = &self.problem.packing;
        for (slot, &item) in self.active.iter().enumerate() {
            let row = &packing.items[item as usize];
            let code = state[slot];
            match row.role {
                Role::Depart if !self.is_out(code) => return None,
                Role::Depart => {}
                Role::Stay | Role::Arrive => {
                    if code == OUT
                        || (!is_resized(code) && packing.resizes(item))
                        || !packing.domains[row.domain as usize].contains(bin_of(code))
                    {
                        return None;
                    }
                }
            }
        }
        for (bin, row) in packing.bins.iter().enumerate() {
            let open = self.is_open(state, bin as u32);
            if (open && row.later == Later::Closed) || (!open && row.later == Later::Open) {
                return None;
            }
        }
        if (0..self.extras.len()).any(|at| state[self.extra_at() + at] == 0) {
            return None;
        }
        self.load(state, then, true);
        let open = |bin: u32| self.is_open(state, bin);
        let mut fine = packing.load_fits(then);
        let opened = (0..self.bins as u32).filter(|&bin| open(bin)).count() as u64;
        let mut penalty = self.cost.per_open * opened;
        for (at, relation) in packing.relations.iter().enumerate() {
            if !fine {
                break;
            }
            let violation = then.violation(at as u32, &open);
            match relation.penalty {
                None if violation > 0 => fine = false,
                None => {}
                Some(price) => penalty += violation * u64::from(price),
            }
        }
        self.load(state, then, false);
        fine.then_some(penalty)
    }
}

/// The space, its first state, and a final ledger with the items that are not active.
fn new_space<'p>(
    problem: &'p Problem,
    active: &[u32],
    seats: &[(u32, bool)],
    cost: MoveCost,
) -> (Space<'p>, State, Ledger<'p>) {
    let packing = &problem.packing;
    let mut base = Ledger::new(packing, Moment::Now);
    let mut then = Ledger::new(packing, Moment::Then);
    let mut is_active = BitSet::empty(packing.items.len());
    active.iter().for_each(|&item| is_active.insert(item));
    for (item, &(bin, resized)) in seats.iter().enumerate() {
        let item = item as u32;
        if bin != NONE && !is_active.contains(item) {
            base.add(item, bin, if resized { packing.then(item) } else { packing.now(item) });
            if packing.items[item as usize].role != Role::Depart {
                then.add(item, bin, packing.then(item));
            }
        }
    }
    let slot: FxHashMap<u32, usize> = active.iter().enumerate().map(|(slot, &item)| (item, slot)).collect();
    let mut space = Space {
        problem,
        active: active.to_vec(),
        slot,
        bins: packing.bins.len(),
        extras: (0..problem.project.extras.len() as u32).collect(),
        no_delay: Vec::new(),
        no_delay_extras: Vec::new(),
        sync: Vec::new(),
        remember: vec![false; active.len()],
        base,
        cost,
        powered: Vec::new(),
        owes: exceeds_at_first(problem),
        survive: Vec::new(),
    };
    for (order, _) in &problem.project.orders {
        match order {
            Order::NoDelay(item) => space.no_delay.extend(space.slot.get(item)),
            Order::NoDelayExtra(extra) => space.no_delay_extras.push(*extra),
            Order::Precedence(_, then) => {
                if let Some(&slot) = space.slot.get(then) {
                    space.remember[slot] = true;
                }
            }
            Order::Sync(items) => {
                let group: Vec<usize> =
                    items.iter().filter_map(|(item, _)| space.slot.get(item).copied()).collect();
                group.iter().for_each(|&slot| space.remember[slot] = true);
                space.sync.push(group);
            }
            _ => {}
        }
    }
    space.no_delay.sort_unstable();
    space.no_delay.dedup();
    space.no_delay_extras.sort_unstable();
    space.no_delay_extras.dedup();
    for (at, relation) in packing.relations.iter().enumerate() {
        if relation.continuous && relation.penalty.is_none() {
            match relation.kind {
                RelationKind::Powered { .. } => space.powered.push(at as u32),
                RelationKind::Survive { .. } => space.survive.push(at as u32),
                _ => {}
            }
        }
    }

    let mut start = vec![0u16; space.started_at() + 1];
    for (slot, &item) in active.iter().enumerate() {
        let (bin, resized) = seats[item as usize];
        if bin != NONE {
            start[slot] = seat(bin, resized || !packing.resizes(item));
        }
    }
    for (bin, row) in packing.bins.iter().enumerate() {
        start[space.bin_at() + bin] = u16::from(row.open);
    }
    if space.no_delay.is_empty() && space.no_delay_extras.is_empty() {
        start[space.started_at()] = 1;
    }
    let start: State = start.into_boxed_slice();
    (space, start, then)
}

/// Looks for the cheapest way in which the active items get where they may end, the
/// others staying in their `seats` (by item: bin and whether resized; [`NONE`] for
/// items that are in no bin). At most `budget` configurations are looked at, and no more
/// kept than fit into some hundred megabytes.
pub fn search(
    problem: &Problem,
    active: &[u32],
    seats: &[(u32, bool)],
    cost: MoveCost,
    budget: &mut u64,
    limits: &super::Limits,
) -> Exact {
    let packing = &problem.packing;
    let (space, start, mut then) = new_space(problem, active, seats, cost);

    type Price = (u64, u32, u32);
    let mut nodes: Vec<(State, Price, u32, Joint)> =
        vec![(start.clone(), (0, 0, 0), NONE, Joint(Vec::new()))];
    let mut known: FxHashMap<State, u32> = FxHashMap::default();
    known.insert(start, 0);
    let mut queue: BinaryHeap<Reverse<(Price, u32)>> = BinaryHeap::new();
    queue.push(Reverse(((0, 0, 0), 0)));
    let mut best: Option<(u64, u32)> = None;
    let mut ways = Vec::new();
    let mut ledger = space.base.clone();
    while let Some(Reverse((price, at))) = queue.pop() {
        if nodes[at as usize].1 < price {
            continue;
        }
        if best.is_some_and(|(cost, _)| price.0 >= cost) {
            break;
        }
        if *budget == 0 || (budget.is_multiple_of(256) && limits.reached(0).is_some()) {
            return Exact::Budget(price.0);
        }
        *budget -= 1;
        let state = nodes[at as usize].0.clone();
        if let Some(penalty) = space.goal(&state, &mut then) {
            let cost = price.0 + penalty;
            if best.is_none_or(|(other, _)| cost < other) {
                best = Some((cost, at));
            }
            if penalty == 0 {
                break;
            }
        }
        space.load(&state, &mut ledger, true);
        ways.clear();
        if !space.successors(&state, &mut ledger, &mut ways) || nodes.len() > MOST_STATES {
            return Exact::Budget(price.0);
        }
        for way in ways.drain(..) {
            let checked = !space.powered.is_empty() || !space.survive.is_empty();
            if (checked && !space.globally_fine(&state, &way.0, &mut ledger))
                || !space.passable(&state, &way.0)
            {
                continue;
            }
            let mut next = space.after(&state, &way.0);
            next[space.started_at()] = 1;
            let step = space.price(&way.0);
            let price = (price.0 + step.0, price.1 + step.1, price.2 + step.2);
            match known.get(&next) {
                Some(&other) if nodes[other as usize].1 <= price => {}
                Some(&other) => {
                    nodes[other as usize].1 = price;
                    nodes[other as usize].2 = at;
                    nodes[other as usize].3 = way;
                    queue.push(Reverse((price, other)));
                }
                None => {
                    let id = nodes.len() as u32;
                    known.insert(next.clone(), id);
                    nodes.push((next, price, at, way));
                    queue.push(Reverse((price, id)));
                }
            }
        }
        space.load(&state, &mut ledger, false);
    }
    let Some((cost, mut at)) = best else { return Exact::Impossible };
    let mut path = Vec::new();
    while at != NONE {
        path.push(nodes[at as usize].3.0.clone());
        at = nodes[at as usize].2;
    }
    // Only the last move of an item is more than a stop on the way.
    let mut arrived = BitSet::empty(packing.items.len());
    for kind in path.iter_mut().flatten() {
        if let StepKind::Move { item, parking, .. } = kind {
            *parking = arrived.contains(*item);
            arrived.insert(*item);
        }
    }
    path.reverse();
    let mut steps = Vec::new();
    let mut time = 0u64;
    for joint in path {
        let mut end = time;
        let lead = joint.iter().map(|kind| u64::from(lead_of(problem, kind))).max().unwrap_or(0);
        for kind in joint {
            let until = time + lead + u64::from(duration_of(problem, &kind));
            end = end.max(until);
            steps.push(Step { kind, start: time + lead, end: until });
        }
        time = end;
    }
    Exact::Found(steps, cost)
}

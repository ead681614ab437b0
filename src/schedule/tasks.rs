//! The steps of a plan as tasks of a project (RCPSP): what they wait for, what they hold
//! while they run, and what they give back.
//!
//! A resource is a channel of the network, one dimension of a bin, or a group of moves of
//! which no two overlap. A task takes some amounts at its start and gives some at its end:
//! the same ones of channels, but room where it comes and room where it leaves. So bins are
//! reservoirs (Neumann and Schwindt 2002), and turning time around swaps what is taken with
//! what is given. Opens come before arrivals, closes after departures, legs of one item
//! after each other.
//!
//! Relations are left out: whoever makes times with this asks [`super::replay`].

use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::TaskRef;
use crate::problem::lead_of;
use crate::problem::passage_of_step;
use rustc_hash::FxHashMap;

/// Amounts beyond which no sum is made.
const MOST: u64 = u64::MAX >> 12;

/// Lists one after the other.
#[derive(Clone, Debug, Default)]
pub struct Lists<T> {
    from: Vec<u32>,
    all: Vec<T>,
}

impl<T: Copy> Lists<T> {
    fn new(lists: &[Vec<T>]) -> Self {
        let mut made = Self { from: Vec::with_capacity(lists.len() + 1), all: Vec::new() };
        made.from.push(0);
        for list in lists {
            made.all.extend_from_slice(list);
            made.from.push(made.all.len() as u32);
        }
        made
    }

    /// The list at an index.
    #[inline]
    pub fn of(&self, at: u32) -> &[T] {
        &self.all[self.from[at as usize] as usize..self.from[at as usize + 1] as usize]
    }
}

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is taken comes back when the same task ends.
    Renewable,
    /// A dimension of a bin.
    Room,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Tasks {
    /// By task: seconds from its start to its end.
    pub duration: Vec<u64>,
    /// By task: it starts no earlier.
    pub release: Vec<u64>,
    /// By task: (resource, amount) that it takes at its start.
    pub takes: Lists<(u32, i64)>,
    /// By task: (resource, amount) that it gives at its end.
    pub gives: Lists<(u32, i64)>,
    /// By task: those that wait for its end.
    pub next: Lists<u32>,
    /// By task: how many it waits for.
    pub waits: Vec<u32>,
    /// By resource: what is free at first; below zero where a bin is too full.
    pub free: Vec<i64>,
    /// By resource: what it is.
    pub kinds: Vec<Kind>,
}

/// Resources by what they stand for.
#[derive(Default)]
struct Numbers {
    of: FxHashMap<(u8, u32), u32>,
    free: Vec<i64>,
    kinds: Vec<Kind>,
}

impl Numbers {
    fn get(&mut self, class: u8, id: u32, free: impl FnOnce() -> Option<i64>) -> Option<u32> {
        if let Some(&at) = self.of.get(&(class, id)) {
            return Some(at);
        }
        self.free.push(free()?);
        self.kinds.push(if class == ROOM { Kind::Room } else { Kind::Renewable });
        let at = self.free.len() as u32 - 1;
        self.of.insert((class, id), at);
        Some(at)
    }
}

const CHANNEL: u8 = 0;
const ROOM: u8 = 1;
const GROUP: u8 = 2;

fn small(amount: u64) -> Option<i64> {
    (amount < MOST).then_some(amount as i64)
}

impl Tasks {
    /// The project behind a plan, in the order of its steps. `None` where a promise about
    /// time is more than one task after another, or an amount is beyond all measure,
    /// or where open bins take of channels.
    /// O(steps + items + orders).
    pub fn new(problem: &Problem, steps: &[Step]) -> Option<Self> {
        let packing = &problem.packing;
        let transit = problem.project.transit.as_deref();
        // What open bins take changes with the steps that open and close them.
        if transit.is_some_and(|transit| {
            (0..packing.bins.len() as u32).any(|bin| !transit.standing(bin).is_empty())
        }) {
            return None;
        }
        let mut load = vec![0u64; packing.bins.len() * packing.dims];
        for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.source != NONE) {
            let from = row.source as usize * packing.dims;
            for (load, size) in load[from..].iter_mut().zip(packing.now(item)) {
                *load = load.saturating_add(*size);
            }
        }
        let mut numbers = Numbers::default();
        let mut takes: Vec<Vec<(u32, i64)>> = vec![Vec::new(); steps.len()];
        let mut gives = takes.clone();
        let room = |numbers: &mut Numbers, place: u32| {
            let at = place as usize;
            let free = || Some(small(packing.capacity_now[at].min(MOST - 1))? - small(load[at])?);
            numbers.get(ROOM, place, free)
        };
        for (at, step) in steps.iter().enumerate() {
            let (comes, leaves) = sizes(packing, &step.kind);
            for (found, list) in [(comes, &mut takes[at]), (leaves, &mut gives[at])] {
                let Some((bin, amounts)) = found else { continue };
                for (dim, &amount) in amounts.iter().enumerate().filter(|(_, amount)| **amount > 0) {
                    let place = bin * packing.dims as u32 + dim as u32;
                    list.push((room(&mut numbers, place)?, small(amount)?));
                }
            }
            for (channel, amount) in
                passage_of_step(problem, step).flatten().into_iter().flat_map(|passage| passage.uses)
            {
                let free = || small(transit?.capacities()[channel as usize].min(MOST - 1));
                let usage = (numbers.get(CHANNEL, channel, free)?, small(amount)?);
                takes[at].push(usage);
                gives[at].push(usage);
            }
        }
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); steps.len()];
        let of_item = by_item(steps);
        for legs in of_item.values() {
            legs.windows(2).for_each(|pair| next[pair[0] as usize].push(pair[1]));
        }
        add_switches(problem, steps, &mut next);
        add_orders(problem, steps, &of_item, &mut next, |group, task| {
            let at = numbers.get(GROUP, group, || Some(1))?;
            takes[task as usize].push((at, 1));
            gives[task as usize].push((at, 1));
            Some(())
        })?;
        // What can never run short is left out.
        let mut wanted = vec![0i64; numbers.free.len()];
        for &(resource, amount) in takes.iter().flatten() {
            wanted[resource as usize] = wanted[resource as usize].checked_add(amount)?;
        }
        for list in takes.iter_mut().chain(&mut gives) {
            list.retain(|&(resource, _)| wanted[resource as usize] > numbers.free[resource as usize]);
        }
        let mut waits = vec![0u32; steps.len()];
        next.iter().flatten().for_each(|&then| waits[then as usize] += 1);
        Some(Self {
            duration: steps.iter().map(|step| step.end - step.start).collect(),
            release: steps.iter().map(|step| u64::from(lead_of(problem, &step.kind))).collect(),
            takes: Lists::new(&takes),
            gives: Lists::new(&gives),
            next: Lists::new(&next),
            waits,
            free: numbers.free,
            kinds: numbers.kinds,
        })
    }

    /// Number of tasks.
    pub fn count(&self) -> usize {
        self.duration.len()
    }

    /// Some tasks alone, ascending, with heads as releases. What room others
    /// give is there from the start on, and what they take is never taken: whatever times the
    /// whole has, the part has as well.
    pub fn part(&self, keep: &[u32], heads: &[u64]) -> Self {
        let mut number = vec![NONE; self.count()];
        (0u32..).zip(keep).for_each(|(at, &task)| number[task as usize] = at);
        let mut free = self.free.clone();
        for task in (0..self.count() as u32).filter(|&task| number[task as usize] == NONE) {
            let rooms = self.gives.of(task).iter().filter(|usage| self.kinds[usage.0 as usize] == Kind::Room);
            rooms.for_each(|&(room, amount)| free[room as usize] += amount);
        }
        let lists = |all: &Lists<(u32, i64)>| {
            Lists::new(&keep.iter().map(|&task| all.of(task).to_vec()).collect::<Vec<_>>())
        };
        let kept = |task: u32| {
            let then = self.next.of(task).iter().map(|&then| number[then as usize]);
            then.filter(|&then| then != NONE).collect::<Vec<u32>>()
        };
        let next: Vec<Vec<u32>> = keep.iter().map(|&task| kept(task)).collect();
        let mut waits = vec![0u32; keep.len()];
        next.iter().flatten().for_each(|&then| waits[then as usize] += 1);
        Self {
            duration: keep.iter().map(|&task| self.duration[task as usize]).collect(),
            release: keep.iter().map(|&task| heads[task as usize]).collect(),
            takes: lists(&self.takes),
            gives: lists(&self.gives),
            next: Lists::new(&next),
            waits,
            free,
            kinds: self.kinds.clone(),
        }
    }

    /// The same project with time turned around; releases are lost.
    pub fn reversed(&self) -> Self {
        let mut free = self.free.clone();
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.count()];
        for task in 0..self.count() as u32 {
            self.takes.of(task).iter().for_each(|&(at, amount)| free[at as usize] -= amount);
            self.gives.of(task).iter().for_each(|&(at, amount)| free[at as usize] += amount);
            self.next.of(task).iter().for_each(|&then| before[then as usize].push(task));
        }
        Self {
            duration: self.duration.clone(),
            release: vec![0; self.count()],
            takes: self.gives.clone(),
            gives: self.takes.clone(),
            waits: (0..self.count() as u32).map(|task| self.next.of(task).len() as u32).collect(),
            next: Lists::new(&before),
            free,
            kinds: self.kinds.clone(),
        }
    }

    /// The tasks, each after those that it waits for; without those that wait in a circle.
    pub fn order(&self) -> Vec<u32> {
        let mut waits = self.waits.clone();
        let mut order: Vec<u32> = Vec::with_capacity(self.count());
        order.extend((0..self.count() as u32).filter(|&task| waits[task as usize] == 0));
        let mut at = 0;
        while let Some(&task) = order.get(at) {
            at += 1;
            for &then in self.next.of(task) {
                waits[then as usize] -= 1;
                if waits[then as usize] == 0 {
                    order.push(then);
                }
            }
        }
        order
    }

    /// By task: the longest time from its end to the end of what waits for it.
    pub fn tails(&self) -> Vec<u64> {
        let mut tails = vec![0u64; self.count()];
        for task in self.order().into_iter().rev() {
            let then = self.next.of(task).iter();
            let longest = then.map(|&then| tails[then as usize] + self.duration[then as usize]);
            tails[task as usize] = longest.max().unwrap_or(0);
        }
        tails
    }
}

/// A bin and what of it, by dimension.
type Share = Option<(u32, Vec<u64>)>;

/// What a step takes of a bin at its start, and gives of one at its end.
fn sizes(packing: &Packing, kind: &StepKind) -> (Share, Share) {
    let size = |item: u32, resized: bool| {
        if resized { packing.then(item).to_vec() } else { packing.now(item).to_vec() }
    };
    match *kind {
        StepKind::Move { item, from, to, resized, was_resized, .. } => {
            (Some((to, size(item, resized))), Some((from, size(item, was_resized))))
        }
        StepKind::Arrive { item, to, resized } => (Some((to, size(item, resized))), None),
        StepKind::Depart { item, from } => (None, Some((from, size(item, false)))),
        StepKind::Resize { item, at } => {
            let pairs = || packing.now(item).iter().zip(packing.then(item));
            let grows = pairs().map(|(now, then)| then.saturating_sub(*now)).collect();
            let shrinks = pairs().map(|(now, then)| now.saturating_sub(*then)).collect();
            (Some((at, grows)), Some((at, shrinks)))
        }
        StepKind::Open(_) | StepKind::Close(_) | StepKind::Extra(_) => (None, None),
    }
}

/// By item: its steps in turn.
fn by_item(steps: &[Step]) -> FxHashMap<u32, Vec<u32>> {
    let mut of_item: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    let mut turn: Vec<u32> = (0..steps.len() as u32).collect();
    turn.sort_by_key(|&at| (steps[at as usize].start, steps[at as usize].end, at));
    for at in turn {
        if let StepKind::Move { item, .. }
        | StepKind::Arrive { item, .. }
        | StepKind::Depart { item, .. }
        | StepKind::Resize { item, .. } = steps[at as usize].kind
        {
            of_item.entry(item).or_default().push(at);
        }
    }
    of_item
}

/// Opens before what comes, closes after what leaves.
fn add_switches(problem: &Problem, steps: &[Step], next: &mut [Vec<u32>]) {
    let packing = &problem.packing;
    let mut opens = vec![NONE; packing.bins.len()];
    let mut closes = opens.clone();
    for (at, step) in (0u32..).zip(steps) {
        match step.kind {
            StepKind::Open(bin) => opens[bin as usize] = at,
            StepKind::Close(bin) => closes[bin as usize] = at,
            _ => {}
        }
    }
    for (at, step) in (0u32..).zip(steps) {
        let (comes, leaves) = match step.kind {
            StepKind::Move { from, to, .. } => (to, from),
            StepKind::Arrive { item, to, .. } => (to, packing.items[item as usize].anchor),
            StepKind::Depart { from, .. } => (NONE, from),
            StepKind::Extra(extra) => (NONE, problem.project.extras[extra as usize].anchor),
            StepKind::Resize { .. } | StepKind::Open(_) | StepKind::Close(_) => (NONE, NONE),
        };
        let open = opens.get(comes as usize).filter(|&&open| open != NONE);
        open.iter().for_each(|&&open| next[open as usize].push(at));
        let close = closes.get(leaves as usize).filter(|&&close| close != NONE);
        close.iter().for_each(|&&close| next[at as usize].push(close));
    }
}

/// Orders as waits, or as groups (told with the task) of which no two overlap.
fn add_orders(
    problem: &Problem,
    steps: &[Step],
    of_item: &FxHashMap<u32, Vec<u32>>,
    next: &mut [Vec<u32>],
    mut grouped: impl FnMut(u32, u32) -> Option<()>,
) -> Option<()> {
    let none = Vec::new();
    let legs = |item: &u32| of_item.get(item).unwrap_or(&none);
    let moves = |item: &u32| {
        let is_move = |at: &&u32| matches!(steps[**at as usize].kind, StepKind::Move { .. });
        legs(item).iter().filter(is_move).copied().collect::<Vec<u32>>()
    };
    let task_of = |task: &TaskRef| match task {
        TaskRef::Item(item) => legs(item).last().copied(),
        TaskRef::Extra(extra) => {
            let found = steps.iter().position(|step| step.kind == StepKind::Extra(*extra));
            found.map(|at| at as u32)
        }
    };
    for (group, (order, _)) in (0u32..).zip(&problem.project.orders) {
        match order {
            Order::Sequence(tasks) => {
                let tasks: Vec<u32> = tasks.iter().filter_map(task_of).collect();
                tasks.windows(2).for_each(|pair| next[pair[0] as usize].push(pair[1]));
            }
            Order::Precedence(first, then) => {
                if let (Some(&last), Some(&first)) = (moves(first).last(), moves(then).first()) {
                    next[last as usize].push(first);
                }
            }
            Order::Serialize(items) => {
                for task in items.iter().flat_map(moves) {
                    grouped(group, task)?;
                }
            }
            // Looked at when the times are known.
            Order::Deadline(..) => {}
            Order::NoDelay(_) | Order::NoDelayExtra(_) | Order::Sync(_) => return None,
        }
    }
    Some(())
}

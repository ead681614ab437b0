//! Every schedule, the cheapest first, where what counts adds up while time passes.
//!
//! What open bins draw and the time until the last end grow by the second, at a rate that the
//! configuration and what is under way tell; moves add to it when they start. So the search of
//! least cost (Hart, Nilsson and Raphael 1968) over configurations, each with what is under way
//! and for how much longer, finds the best schedule over places, bins that are open and moments
//! at once, stops on the way included. Costs are levels, compared one after the other.
//!
//! Steps start at 0 or when another one ends: going back in time to the last such moment takes
//! nothing from anybody and adds to no cost, save for bins that open, which are better late.
//! With their moments fixed that holds for all others. Between orders and durations alone the
//! moments of a cheapest schedule are whole multiples of what divides all durations (the
//! constraints are differences, whose vertices are integral), so between two ends bins may open
//! at those moments and nothing else may start.

mod rates;
mod rest;

use super::MOST_STATES;
use super::MoveCost;
use super::Space;
use super::State;
use super::exceeds_at_first;
use super::new_space;
use super::scene::Scene;
use super::timed::mark_parkings;
use crate::objective::Level;
use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::duration_of;
use crate::problem::gcd;
use crate::propagator::Ledger;
use crate::search::Limits;
use rates::Rates;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// Levels that are looked at.
const DEPTH: usize = 3;

/// By level, the most important first; 0 for those that are not looked at.
type Cost = [u64; DEPTH];

/// What the search ended with; costs by level, for as many as [`levels`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cheapest {
    /// A cheapest schedule, and its cost.
    Found(Vec<Step>, Vec<u64>),
    /// There is none that costs less than what was known, or none at all.
    None,
    /// The budget ran out; nothing is cheaper than this.
    Budget(Vec<u64>),
}

/// The number of first levels whose value adds up while time passes, of those that are looked
/// at.
pub fn levels(objective: &Objective) -> usize {
    let adds_up = |level: &&Level| {
        level.terms.iter().all(|(_, metric)| !matches!(metric, Metric::Mttr | Metric::SumOfEnds))
    };
    objective.levels.iter().take(DEPTH).take_while(adds_up).count()
}

/// Can the search see everything that the problem promises? Not items that a copy takes the place
/// of, moves that end together, bins that may fail, or channels that are too full at first.
pub fn applies(problem: &Problem, active: &[u32]) -> bool {
    let packing = &problem.packing;
    let fails = |kind: &RelationKind| matches!(kind, RelationKind::Survive { .. });
    active.iter().all(|&item| packing.items[item as usize].lead == 0)
        && !problem.project.orders.iter().any(|(order, _)| matches!(order, Order::Sync(_)))
        && !packing.relations.iter().any(|relation| relation.continuous && fails(&relation.kind))
        && !exceeds_at_first(problem)
}

/// Looks for the cheapest schedule of the active items, the others staying where they are; where
/// a schedule is `known`, for one that costs less. With `carried` false what moves share is left
/// out, so that costs are bounds. At most `budget` configurations are looked at.
pub fn search(
    problem: &Problem,
    active: &[u32],
    objective: &Objective,
    known: Option<&[u64]>,
    carried: bool,
    budget: &mut u64,
    limits: &Limits,
) -> Cheapest {
    let seats: Vec<(u32, bool)> = problem.packing.items.iter().map(|item| (item.source, false)).collect();
    let free = MoveCost { per_move: 0, per_second: 0, per_open: 0 };
    let (space, start, then) = new_space(problem, active, &seats, free);
    let mut walk = Walk {
        rates: Rates::new(objective, &problem.project.power),
        tick: tick(problem, active),
        dated: is_dated(problem),
        known: known.map(cost_of),
        carried,
        ledger: space.base.clone(),
        space,
        then,
        nodes: Vec::new(),
        at: FxHashMap::default(),
        queue: BinaryHeap::new(),
    };
    let depth = levels(objective);
    let cut = |cost: Cost| cost[..depth].to_vec();
    let first = Moment { state: start, running: Vec::new(), between: false, clock: 0 };
    walk.reach(first, [0; DEPTH], 0, NONE, Did::Wait(0));
    while let Some(Reverse((price, _, _, at, ends))) = walk.queue.pop() {
        let node = &walk.nodes[at as usize];
        if ends {
            return Cheapest::Found(walk.steps(at), cut(price));
        }
        if plus(node.price, node.rest) < price {
            continue;
        }
        let looks = budget.is_multiple_of(256) && limits.reached(0).is_some();
        if *budget == 0 || looks || walk.nodes.len() > MOST_STATES {
            return Cheapest::Budget(cut(price));
        }
        *budget -= 1;
        walk.expand(at);
    }
    Cheapest::None
}

fn cost_of(values: &[u64]) -> Cost {
    let mut cost = [0; DEPTH];
    cost.iter_mut().zip(values).for_each(|(cost, value)| *cost = *value);
    cost
}

fn plus(one: Cost, two: Cost) -> Cost {
    std::array::from_fn(|at| one[at].saturating_add(two[at]))
}

/// Does it matter how late it is?
fn is_dated(problem: &Problem) -> bool {
    let orders = &problem.project.orders;
    problem.project.horizon.is_some() || orders.iter().any(|(order, _)| matches!(order, Order::Deadline(..)))
}

/// The largest number of seconds of which everything takes a multiple, where a bin may be better
/// opened between two ends; 0 where none is.
fn tick(problem: &Problem, active: &[u32]) -> u64 {
    let packing = &problem.packing;
    let drawn = |bin: usize| problem.project.power.bins.get(bin).copied().unwrap_or(0);
    let late =
        |(bin, row): (usize, &crate::problem::Bin)| !row.open && row.later != Later::Closed && drawn(bin) > 0;
    if !packing.bins.iter().enumerate().any(late) {
        return 0;
    }
    let mut tick = problem.project.horizon.unwrap_or(0);
    for (order, _) in &problem.project.orders {
        if let Order::Deadline(_, latest) = order {
            tick = gcd(tick, *latest);
        }
    }
    let switches = packing.bins.iter().map(|row| match (row.open, row.later) {
        (true, Later::Open) | (false, Later::Closed) => 0,
        (true, _) => u64::from(row.closing),
        (false, _) => u64::from(row.opening),
    });
    let extras = problem.project.extras.iter().map(|extra| u64::from(extra.duration));
    tick = switches.chain(extras).fold(tick, gcd);
    let all = packing.bins.len() as u32;
    let far = problem.project.transit.as_ref().is_some_and(|transit| transit.is_far());
    for &item in active {
        let row = &packing.items[item as usize];
        if row.role != Role::Stay {
            tick = gcd(tick, u64::from(row.duration));
        }
        if row.pinned {
            continue;
        }
        if !far {
            tick = gcd(gcd(tick, u64::from(row.leg)), u64::from(row.hold));
            continue;
        }
        for (from, to) in (0..all).flat_map(|from| (0..all).map(move |to| (from, to))) {
            let step = StepKind::Move { item, from, to, resized: true, was_resized: true, parking: false };
            if from != to && crate::problem::passage_of(problem, &step).flatten().is_some() {
                tick = gcd(tick, u64::from(duration_of(problem, &step)));
            }
        }
    }
    tick
}

/// A configuration, with what is under way and for how much longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moment {
    state: State,
    running: Vec<(u64, StepKind)>,
    /// Is it a moment at which nothing ends?
    between: bool,
    /// How late it is, where that matters.
    clock: u64,
}

/// How a moment came about.
#[derive(Clone, Copy, Debug)]
enum Did {
    Start(StepKind, u64),
    Wait(u64),
}

struct Node {
    moment: Rc<Moment>,
    price: Cost,
    /// At least so much comes on top.
    rest: Cost,
    steps: u32,
    from: u32,
    did: Did,
}

/// Cost with what comes at least, that part, steps, node, is it an end: the first is the next.
type Entry = Reverse<(Cost, Cost, u32, u32, bool)>;

struct Walk<'p> {
    space: Space<'p>,
    ledger: Ledger<'p>,
    then: Ledger<'p>,
    rates: Rates<'p>,
    tick: u64,
    dated: bool,
    known: Option<Cost>,
    carried: bool,
    nodes: Vec<Node>,
    at: FxHashMap<Rc<Moment>, u32>,
    queue: BinaryHeap<Entry>,
}

impl Walk<'_> {
    /// Notes a way to a moment, if it is the cheapest so far and may lead to something.
    fn reach(&mut self, moment: Moment, price: Cost, steps: u32, from: u32, did: Did) {
        let known = self.at.get(&moment).copied();
        let rest = match known {
            Some(at) if self.nodes[at as usize].price <= price => return,
            Some(at) => self.nodes[at as usize].rest,
            None => self.rest(&moment),
        };
        let all = plus(price, rest);
        if self.known.is_some_and(|known| all >= known) {
            return;
        }
        let moment = Rc::new(moment);
        let id = match known {
            Some(at) => {
                let node = &mut self.nodes[at as usize];
                (node.price, node.steps, node.from, node.did) = (price, steps, from, did);
                at
            }
            None => {
                let id = self.nodes.len() as u32;
                self.at.insert(moment.clone(), id);
                self.nodes.push(Node { moment, price, rest, steps, from, did });
                id
            }
        };
        self.queue.push(Reverse((all, rest, steps, id, false)));
    }

    /// Everything that may come next.
    fn expand(&mut self, at: u32) {
        let Node { moment, price, steps, .. } = &self.nodes[at as usize];
        let (moment, price, steps) = (moment.clone(), *price, *steps);
        let Moment { state, running, between, .. } = &*moment;
        if running.is_empty()
            && let Some(penalty) = self.space.goal(state, &mut self.then)
        {
            let mut all = plus(price, self.rates.of_open(self.open_bins(state)));
            all[0] = all[0].saturating_add(penalty);
            if self.known.is_none_or(|known| all < known) {
                self.queue.push(Reverse((all, [0; DEPTH], steps, at, true)));
            }
        }
        self.space.load(state, &mut self.ledger, true);
        running.iter().for_each(|(_, kind)| self.space.with_step(&mut self.ledger, kind, true));
        let scene = Scene { space: &self.space, ledger: &self.ledger, running, carried: self.carried };
        let startable = scene.startable(state, state[self.space.started_at()] == 0);
        running.iter().rev().for_each(|(_, kind)| self.space.with_step(&mut self.ledger, kind, false));
        self.space.load(state, &mut self.ledger, false);
        let late = |kind: &StepKind| match kind {
            StepKind::Open(bin) => self.rates.drawn(*bin as usize) > 0,
            _ => false,
        };
        let opens = startable.iter().any(late);
        for kind in startable.into_iter().filter(|kind| !between || matches!(kind, StepKind::Open(_))) {
            self.start(&moment, kind, price, steps, at);
        }
        let Some(next) = running.iter().map(|(left, _)| *left).min() else { return };
        self.wait(&moment, next, price, steps, at);
        if opens && self.tick > 0 && self.tick < next {
            self.wait(&moment, self.tick, price, steps, at);
        }
    }

    fn start(&mut self, moment: &Moment, kind: StepKind, price: Cost, steps: u32, from: u32) {
        let problem = self.space.problem;
        let seconds = u64::from(duration_of(problem, &kind));
        if self.dated && !self.in_time(&kind, moment.clock + seconds) {
            return;
        }
        let mut price = price;
        if let StepKind::Move { item, .. } = kind {
            price = plus(price, self.rates.of_move(item, seconds));
        }
        let mut next = moment.clone();
        if seconds == 0 {
            next.state = self.space.after(&moment.state, &[kind]);
        } else {
            next.running.push((seconds, kind));
            next.running.sort_unstable();
        }
        self.reach(next, price, steps + 1, from, Did::Start(kind, seconds));
    }

    /// So many seconds later, none of them after the next end.
    fn wait(&mut self, moment: &Moment, seconds: u64, price: Cost, steps: u32, from: u32) {
        let Moment { state, running, clock, .. } = moment;
        let ended: Vec<StepKind> =
            running.iter().filter(|(left, _)| *left <= seconds).map(|(_, kind)| *kind).collect();
        let on = (0..self.space.bins).filter(|&bin| self.is_on(moment, bin));
        let drawn = on.map(|bin| self.rates.drawn(bin)).fold(0, u64::saturating_add);
        let mut later = self.space.after(state, &ended);
        later[self.space.started_at()] = 1;
        let left = running.iter().filter(|(left, _)| *left > seconds);
        let next = Moment {
            state: later,
            running: left.map(|&(left, kind)| (left - seconds, kind)).collect(),
            between: ended.is_empty(),
            clock: if self.dated { clock + seconds } else { 0 },
        };
        let price = plus(price, self.rates.of_time(drawn, seconds));
        self.reach(next, price, steps, from, Did::Wait(seconds));
    }

    fn in_time(&self, kind: &StepKind, end: u64) -> bool {
        let project = &self.space.problem.project;
        let StepKind::Move { item, .. } = *kind else {
            return project.horizon.is_none_or(|horizon| end <= horizon);
        };
        let dated = project.orders.iter().all(|(order, _)| match order {
            Order::Deadline(other, latest) => *other != item || end <= *latest,
            _ => true,
        });
        dated && project.horizon.is_none_or(|horizon| end <= horizon)
    }

    fn is_on(&self, moment: &Moment, bin: usize) -> bool {
        let opening = |running: &(u64, StepKind)| running.1 == StepKind::Open(bin as u32);
        self.space.is_open(&moment.state, bin as u32) || moment.running.iter().any(opening)
    }

    fn open_bins(&self, state: &State) -> u64 {
        (0..self.space.bins as u32).filter(|&bin| self.space.is_open(state, bin)).count() as u64
    }

    /// The steps that lead to a node.
    fn steps(&self, mut at: u32) -> Vec<Step> {
        let mut did = Vec::new();
        while at != NONE {
            let node = &self.nodes[at as usize];
            did.push(node.did);
            at = node.from;
        }
        let mut now = 0;
        let mut steps = Vec::new();
        for did in did.into_iter().rev() {
            match did {
                Did::Wait(seconds) => now += seconds,
                Did::Start(kind, seconds) => steps.push(Step { kind, start: now, end: now + seconds }),
            }
        }
        mark_parkings(self.space.problem, steps)
    }
}

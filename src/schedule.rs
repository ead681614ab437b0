//! When each step happens, given where everything goes.
//!
//! Serial schedule generation over a simulated clock (Kolisch 1996): at each moment the
//! waiting tasks are tried in the order of their priority, and start as soon as the
//! [`Ledger`] lets them in. What leaves holds its bin until it has left; what comes holds
//! its bin from the start. When nothing runs and nothing can start, the moves wait on
//! each other in a circle: one of them is parked in a third bin, if any has room.

use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Passage;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::TaskRef;
use crate::problem::duration_of;
use crate::problem::lead_of;
use crate::problem::passage_of;
use crate::propagator::Block;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use channel::Channels;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub mod bound;
mod carried;
mod channel;
pub mod detour;
pub mod exact;
pub mod hasten;
pub mod level;
pub mod list;
pub mod reinsert;
pub mod replay;
mod share;
pub mod tasks;
#[cfg(test)]
pub(crate) mod testing;
pub mod thrift;
pub mod turns;
mod value;

pub use carried::is_carried;
pub use hasten::Request;
pub use hasten::hasten;
pub use replay::replays;
pub use value::levels;
pub use value::metric;

/// How to break ties between tasks that could start.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By item: tasks of items with smaller numbers first; empty for the default order.
    pub rank: Vec<u32>,
    /// What comes from outside, and what grows, lets all moves go first.
    pub newcomers_last: bool,
    /// How many parkings may break circles.
    pub parkings: u32,
    /// May moves share a channel, at a part of their rate, where they end sooner so?
    pub share: bool,
}

/// Where everything goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// By item: its last bin, or [`NONE`] for one that departs.
    pub to: Vec<u32>,
    /// By bin: is it open at the end?
    pub open: Vec<bool>,
}

/// The tasks that wait on each other for ever.
#[derive(Clone, Debug, Default)]
pub struct Stuck {
    /// Items that could not get where they should, each with what stopped it.
    pub items: Vec<(u32, Option<Block>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
}

struct Task {
    kind: StepKind,
    state: State,
    lead: u64,
    duration: u64,
    /// The bin whose change may unblock it, with that bin's version when it was tried.
    blocked: Option<(u32, u32)>,
    block: Option<Block>,
    /// What it takes on the way; `None` where there is no way.
    passage: Option<Passage>,
    /// A channel of its way that had too little left, with the channel's version then.
    jammed: Option<(u32, u32)>,
    after: Vec<u32>,
    /// Index into the sync groups.
    sync: u32,
    /// Indices of the groups in which no two may overlap.
    serial: Vec<u32>,
    at_zero: bool,
}

impl Task {
    fn new(problem: &Problem, kind: StepKind) -> Self {
        let mut passage = passage_of(problem, &kind).unwrap_or_else(|| Some(Passage::default()));
        if let (StepKind::Open(bin), Some(passage)) = (kind, &mut passage) {
            passage.uses.extend_from_slice(standing(problem, bin));
        }
        Self {
            lead: u64::from(lead_of(problem, &kind)),
            duration: u64::from(duration_of(problem, &kind)),
            kind,
            state: State::Waiting,
            blocked: None,
            block: None,
            passage,
            jammed: None,
            after: Vec::new(),
            sync: NONE,
            serial: Vec::new(),
            at_zero: false,
        }
    }
}

struct Clock<'p> {
    problem: &'p Problem,
    ledger: Ledger<'p>,
    tasks: Vec<Task>,
    steps: Vec<Step>,
    now: u64,
    ends: BinaryHeap<Reverse<(u64, u32)>>,
    version: Vec<u32>,
    channels: Channels,
    /// The most that a move takes of the channels of which open bins take something.
    headroom: FxHashMap<u32, u64>,
    /// May a bin open that leaves less than that?
    crowding: bool,
    open: Vec<bool>,
    powered: Vec<bool>,
    /// Number of tasks that must end before the bin may close.
    holds_open: Vec<u32>,
    busy_serial: Vec<bool>,
    waiting_moves: usize,
    sync_groups: Vec<(Vec<u32>, FxHashMap<u32, bool>)>,
}

/// Times for a placement, or the tasks that are stuck.
///
/// # Errors
/// When tasks wait on each other and no parking helps, or a task that must start at 0 cannot.
pub fn generate(problem: &Problem, placement: &Placement, rules: &Rules) -> Result<Vec<Step>, Stuck> {
    let mut clock = Clock::new(problem, placement, rules);
    clock.run(rules)?;
    let mut steps = clock.steps;
    steps.sort_by_key(|step| (step.start, step.end, step.kind));
    Ok(steps)
}

impl<'p> Clock<'p> {
    fn new(problem: &'p Problem, placement: &Placement, rules: &Rules) -> Self {
        let packing = &problem.packing;
        let mut clock = Clock {
            problem,
            ledger: Ledger::new(packing, Moment::Now),
            tasks: Vec::new(),
            steps: Vec::new(),
            now: 0,
            ends: BinaryHeap::new(),
            version: vec![0; packing.bins.len()],
            channels: Channels::new(problem),
            headroom: FxHashMap::default(),
            crowding: false,
            open: packing.bins.iter().map(|bin| bin.open).collect(),
            powered: packing.bins.iter().map(|bin| bin.open).collect(),
            holds_open: vec![0; packing.bins.len()],
            busy_serial: Vec::new(),
            waiting_moves: 0,
            sync_groups: Vec::new(),
        };
        for (item, row) in packing.items.iter().enumerate() {
            if row.source != NONE {
                clock.ledger.add(item as u32, row.source, packing.now(item as u32));
            }
        }
        let mut kinds: Vec<(u8, u32, u32, StepKind)> = Vec::new();
        for (bin, row) in packing.bins.iter().enumerate() {
            let bin = bin as u32;
            match (row.open, placement.open[bin as usize]) {
                (false, true) => kinds.push((0, 0, bin, StepKind::Open(bin))),
                (true, false) => kinds.push((6, 0, bin, StepKind::Close(bin))),
                _ => {}
            }
        }
        for (item, row) in packing.items.iter().enumerate() {
            let item = item as u32;
            let rank = rules.rank.get(item as usize).copied().unwrap_or(0);
            let to = placement.to[item as usize];
            match row.role {
                Role::Depart if row.image && !placement.open[row.source as usize] => {
                    // Its image would lie in a closed bin: it goes elsewhere first.
                    let from = row.source;
                    match clock.refuge(item, placement) {
                        Some(to) => {
                            let (resized, parking) = (false, true);
                            let leg = StepKind::Move { item, from, to, resized, was_resized: false, parking };
                            kinds.push((3, rank, item, leg));
                            kinds.push((7, rank, item, StepKind::Depart { item, from: to }));
                        }
                        None => kinds.push((1, rank, item, StepKind::Depart { item, from })),
                    }
                }
                Role::Depart => kinds.push((1, rank, item, StepKind::Depart { item, from: row.source })),
                Role::Arrive => kinds.push((5, rank, item, StepKind::Arrive { item, to, resized: true })),
                Role::Stay if to != row.source => {
                    let kind = StepKind::Move {
                        item,
                        from: row.source,
                        to,
                        resized: true,
                        was_resized: !packing.resizes(item),
                        parking: false,
                    };
                    kinds.push((3, rank, item, kind));
                }
                Role::Stay if packing.resizes(item) => {
                    let class = if packing.grows(item) { 4 } else { 2 };
                    kinds.push((class, rank, item, StepKind::Resize { item, at: row.source }));
                }
                Role::Stay => {}
            }
        }
        for extra in 0..problem.project.extras.len() as u32 {
            kinds.push((1, 0, extra, StepKind::Extra(extra)));
        }
        kinds.sort_by_key(|&(class, rank, id, ref kind)| {
            // Short ones first: that is what a sum of ends likes.
            (class, rank, lead_and_hold(problem, kind), id)
        });
        let mut task_of_item: FxHashMap<u32, u32> = FxHashMap::default();
        let mut task_of_extra: FxHashMap<u32, u32> = FxHashMap::default();
        let mut first_leg: Vec<(u32, u32)> = Vec::new();
        for (_, _, _, kind) in kinds {
            let at = clock.tasks.len() as u32;
            match kind {
                StepKind::Move { item, .. } => {
                    clock.waiting_moves += 1;
                    task_of_item.insert(item, at);
                }
                StepKind::Arrive { item, .. } => {
                    let anchor = packing.items[item as usize].anchor;
                    if anchor != NONE {
                        clock.holds_open[anchor as usize] += 1;
                    }
                    task_of_item.insert(item, at);
                }
                StepKind::Depart { item, .. } | StepKind::Resize { item, .. } => {
                    if let Some(leg) = task_of_item.insert(item, at) {
                        first_leg.push((leg, at));
                    }
                }
                StepKind::Extra(extra) => {
                    let anchor = problem.project.extras[extra as usize].anchor;
                    if anchor != NONE {
                        clock.holds_open[anchor as usize] += 1;
                    }
                    task_of_extra.insert(extra, at);
                }
                _ => {}
            }
            clock.tasks.push(Task::new(problem, kind));
        }
        for (leg, then) in first_leg {
            clock.tasks[then as usize].after.push(leg);
        }
        clock.add_orders(&task_of_item, &task_of_extra);
        clock.find_headroom();
        clock
    }

    /// A bin that stays open and has room for an item now.
    fn refuge(&self, item: u32, placement: &Placement) -> Option<u32> {
        let packing = &self.problem.packing;
        let row = &packing.items[item as usize];
        let route = &packing.domains[row.route as usize];
        (0..packing.bins.len() as u32).find(|&bin| {
            bin != row.source
                && !row.pinned
                && self.open[bin as usize]
                && placement.open[bin as usize]
                && route.contains(bin)
                && self.ledger.may_enter(item, bin, packing.now(item)).is_ok()
        })
    }

    fn add_orders(&mut self, task_of_item: &FxHashMap<u32, u32>, task_of_extra: &FxHashMap<u32, u32>) {
        let moves = |tasks: &[Task], item: &u32| {
            let at = *task_of_item.get(item)?;
            matches!(tasks[at as usize].kind, StepKind::Move { .. }).then_some(at)
        };
        for (order, _) in &self.problem.project.orders {
            match order {
                Order::Sequence(list) => {
                    let list: Vec<u32> = list
                        .iter()
                        .filter_map(|task| match task {
                            TaskRef::Item(item) => task_of_item.get(item).copied(),
                            TaskRef::Extra(extra) => task_of_extra.get(extra).copied(),
                        })
                        .collect();
                    for pair in list.windows(2) {
                        self.tasks[pair[1] as usize].after.push(pair[0]);
                    }
                }
                Order::NoDelay(item) => {
                    if let Some(&at) = task_of_item.get(item) {
                        self.tasks[at as usize].at_zero = true;
                    }
                }
                Order::NoDelayExtra(extra) => {
                    if let Some(&at) = task_of_extra.get(extra) {
                        self.tasks[at as usize].at_zero = true;
                    }
                }
                Order::Precedence(first, then) => {
                    if let (Some(first), Some(then)) = (moves(&self.tasks, first), moves(&self.tasks, then)) {
                        self.tasks[then as usize].after.push(first);
                    }
                }
                Order::Serialize(items) => {
                    let group = self.busy_serial.len() as u32;
                    self.busy_serial.push(false);
                    for item in items {
                        if let Some(at) = moves(&self.tasks, item) {
                            self.tasks[at as usize].serial.push(group);
                        }
                    }
                }
                Order::Sync(items) => {
                    let mut group = Vec::new();
                    let mut post = FxHashMap::default();
                    for (item, post_copy) in items {
                        if let Some(at) = moves(&self.tasks, item) {
                            group.push(at);
                            post.insert(at, *post_copy);
                        }
                    }
                    if group.len() > 1 {
                        for &at in &group {
                            self.tasks[at as usize].sync = self.sync_groups.len() as u32;
                        }
                        self.sync_groups.push((group, post));
                    }
                }
                Order::Deadline(..) => {}
            }
        }
    }

    fn run(&mut self, rules: &Rules) -> Result<(), Stuck> {
        let mut parkings = rules.parkings;
        let mut waiting: Vec<u32> = (0..self.tasks.len() as u32).collect();
        // Those that may not wait come first of all.
        waiting.sort_by_key(|&at| !self.tasks[at as usize].at_zero);
        loop {
            // Start whatever can start now; zero-length ends may let others in.
            loop {
                let before = waiting.len();
                let mut still = Vec::with_capacity(waiting.len());
                for at in waiting.drain(..) {
                    if self.tasks[at as usize].state != State::Waiting || self.try_start(at, rules) {
                        continue;
                    }
                    still.push(at);
                }
                waiting = still;
                if waiting.len() == before || waiting.is_empty() {
                    break;
                }
            }
            if waiting.iter().any(|&at| self.tasks[at as usize].at_zero) {
                return Err(self.stuck(&waiting));
            }
            if let Some(&Reverse((time, _))) = self.ends.peek() {
                self.now = time;
                while let Some(&Reverse((end, at))) = self.ends.peek() {
                    if end > time {
                        break;
                    }
                    self.ends.pop();
                    if at != NONE {
                        self.end(at);
                    }
                }
                continue;
            }
            if waiting.is_empty() {
                return Ok(());
            }
            // Leads that lie ahead.
            let wake =
                waiting.iter().map(|&at| self.tasks[at as usize].lead).filter(|&lead| lead > self.now).min();
            if let Some(wake) = wake {
                self.ends.push(Reverse((wake, NONE)));
                continue;
            }
            if !self.crowding && !self.headroom.is_empty() {
                self.crowding = true;
                continue;
            }
            if parkings == 0 || !self.park(&waiting) {
                return Err(self.stuck(&waiting));
            }
            parkings -= 1;
        }
    }

    fn stuck(&self, waiting: &[u32]) -> Stuck {
        let items = waiting
            .iter()
            .filter_map(|&at| {
                let task = &self.tasks[at as usize];
                match task.kind {
                    StepKind::Move { item, .. }
                    | StepKind::Arrive { item, .. }
                    | StepKind::Depart { item, .. }
                    | StepKind::Resize { item, .. } => Some((item, task.block)),
                    _ => None,
                }
            })
            .collect();
        Stuck { items }
    }

    fn try_start(&mut self, at: u32, rules: &Rules) -> bool {
        let task = &self.tasks[at as usize];
        if task.lead > self.now
            || task.after.iter().any(|&before| self.tasks[before as usize].state != State::Done)
            || task.serial.iter().any(|&group| self.busy_serial[group as usize])
        {
            return false;
        }
        if let Some((bin, version)) = task.blocked
            && self.version[bin as usize] == version
        {
            return false;
        }
        if let Some((channel, version)) = task.jammed
            && self.channels.version(channel) == version
        {
            return false;
        }
        if rules.newcomers_last
            && self.waiting_moves > 0
            && matches!(task.kind, StepKind::Arrive { .. } | StepKind::Resize { .. })
            && !task.at_zero
        {
            let shrinks =
                matches!(task.kind, StepKind::Resize { item, .. } if !self.problem.packing.grows(item));
            if !shrinks {
                return false;
            }
        }
        if task.sync != NONE {
            return self.try_sync(task.sync);
        }
        if matches!(task.kind, StepKind::Open(_)) && self.crowds(at) {
            return false;
        }
        if let Some(jam) = self.jam(at)
            && !(rules.share && self.admits(at).is_ok() && self.shares(at))
        {
            self.tasks[at as usize].jammed = jam;
            return false;
        }
        match self.admits(at) {
            Ok(()) => {
                let (start, duration) = (self.now, self.tasks[at as usize].duration);
                self.start(at, start, start + duration);
                true
            }
            Err(block) => {
                let task = &mut self.tasks[at as usize];
                task.block = block;
                // Only what happens to the bin can make room there; relations may be
                // unblocked from anywhere.
                task.blocked = match (block, task.kind) {
                    (
                        Some(Block::Dim(_)),
                        StepKind::Move { to: bin, .. }
                        | StepKind::Arrive { to: bin, .. }
                        | StepKind::Resize { at: bin, .. },
                    ) => Some((bin, self.version[bin as usize])),
                    _ => None,
                };
                false
            }
        }
    }

    /// Is there enough left of every channel?
    fn carries(&self, passage: &Passage) -> bool {
        self.channels.lacking(&passage.uses).is_none()
    }

    /// What keeps a task off its way: a channel with its version, or nothing that will change.
    #[allow(clippy::option_option, reason = "whether, and by which")]
    fn jam(&self, at: u32) -> Option<Option<(u32, u32)>> {
        let Some(passage) = &self.tasks[at as usize].passage else { return Some(None) };
        self.channels.lacking(&passage.uses).map(Some)
    }

    fn admits(&self, at: u32) -> Result<(), Option<Block>> {
        let packing = &self.problem.packing;
        match self.tasks[at as usize].kind {
            StepKind::Move { item, to, resized, .. } | StepKind::Arrive { item, to, resized } => {
                if !self.open[to as usize] {
                    return Err(None);
                }
                let size = if resized { packing.then(item) } else { packing.now(item) };
                self.ledger.may_enter(item, to, size).map_err(Some)
            }
            StepKind::Resize { item, at } => {
                self.ledger.may_resize(at, packing.now(item), packing.then(item)).map_err(Some)
            }
            StepKind::Open(bin) => {
                for (index, relation) in packing.relations.iter().enumerate() {
                    if let RelationKind::Powered { bins, limit } = &relation.kind
                        && relation.continuous
                        && relation.penalty.is_none()
                        && bins.contains(bin)
                    {
                        let on = bins.sum(|other| other == bin || self.powered[other as usize]);
                        if on > *limit {
                            return Err(Some(Block::Relation(index as u32)));
                        }
                    }
                }
                Ok(())
            }
            StepKind::Close(bin) => {
                let empty = self.ledger.guests(bin).is_empty() && self.holds_open[bin as usize] == 0;
                if empty { Ok(()) } else { Err(None) }
            }
            StepKind::Depart { .. } | StepKind::Extra(_) => Ok(()),
        }
    }

    fn try_sync(&mut self, group: u32) -> bool {
        let (members, post) = self.sync_groups[group as usize].clone();
        let ready = members.iter().all(|&at| {
            let task = &self.tasks[at as usize];
            task.state == State::Waiting
                && task.lead <= self.now
                && task.after.iter().all(|&before| self.tasks[before as usize].state == State::Done)
        });
        if !ready || !(self.fit(&members) || self.fit_slower(&members)) {
            return false;
        }
        let longest = members
            .iter()
            .filter(|at| !post[at])
            .map(|&at| self.tasks[at as usize].duration)
            .max()
            .unwrap_or(0);
        let moment = self.now + longest;
        for &at in &members {
            let duration = self.tasks[at as usize].duration;
            let start = if post[&at] { moment } else { moment - duration };
            self.start(at, start, start + duration);
        }
        true
    }

    /// Could these tasks all be under way at once, from now on?
    fn fit(&mut self, members: &[u32]) -> bool {
        let mut entered = Vec::new();
        for &at in members {
            if self.jam(at).is_some() || self.admits(at).is_err() {
                break;
            }
            self.enter(at);
            entered.push(at);
        }
        let all = entered.len() == members.len();
        for &at in entered.iter().rev() {
            self.unenter(at);
        }
        all
    }

    fn enter(&mut self, at: u32) {
        let packing = &self.problem.packing;
        if let Some(passage) = &self.tasks[at as usize].passage {
            self.channels.take(&passage.uses);
        }
        if let StepKind::Move { item, to, resized, .. } | StepKind::Arrive { item, to, resized } =
            self.tasks[at as usize].kind
        {
            let size = if resized { packing.then(item) } else { packing.now(item) };
            self.ledger.add(item, to, size);
        }
    }

    fn unenter(&mut self, at: u32) {
        let packing = &self.problem.packing;
        self.leave_channels(at);
        if let StepKind::Move { item, to, resized, .. } | StepKind::Arrive { item, to, resized } =
            self.tasks[at as usize].kind
        {
            let size = if resized { packing.then(item) } else { packing.now(item) };
            self.ledger.remove(item, to, size);
        }
    }

    fn leave_channels(&mut self, at: u32) {
        let task = &self.tasks[at as usize];
        match (task.kind, &task.passage) {
            // What it takes it takes for as long as it is open.
            (StepKind::Open(_), _) => {}
            (StepKind::Close(bin), _) => self.channels.give(standing(self.problem, bin)),
            (_, Some(passage)) => self.channels.give(&passage.uses),
            (_, None) => {}
        }
    }

    fn start(&mut self, at: u32, start: u64, end: u64) {
        self.enter(at);
        let kind = self.tasks[at as usize].kind;
        self.tasks[at as usize].state = State::Running;
        for group in self.tasks[at as usize].serial.clone() {
            self.busy_serial[group as usize] = true;
        }
        match kind {
            StepKind::Move { .. } => self.waiting_moves -= 1,
            StepKind::Open(bin) => {
                self.powered[bin as usize] = true;
                self.crowding = false;
            }
            StepKind::Close(bin) => self.open[bin as usize] = false,
            _ => {}
        }
        self.steps.push(Step { kind, start, end });
        if end == self.now {
            self.end(at);
        } else {
            self.ends.push(Reverse((end, at)));
        }
    }

    fn end(&mut self, at: u32) {
        let packing = &self.problem.packing;
        self.leave_channels(at);
        let task = &mut self.tasks[at as usize];
        task.state = State::Done;
        for group in task.serial.clone() {
            self.busy_serial[group as usize] = false;
        }
        match task.kind {
            StepKind::Move { item, from, was_resized, .. } => {
                let size = if was_resized { packing.then(item) } else { packing.now(item) };
                self.ledger.remove(item, from, size);
                self.version[from as usize] += 1;
            }
            StepKind::Depart { item, from } => {
                self.ledger.remove(item, from, packing.now(item));
                self.version[from as usize] += 1;
                // An image keeps its bin open for good.
                self.holds_open[from as usize] += u32::from(packing.items[item as usize].image);
            }
            StepKind::Resize { item, at } => {
                self.ledger.resize(at, packing.now(item), packing.then(item));
                self.version[at as usize] += 1;
            }
            StepKind::Arrive { item, .. } => {
                let anchor = packing.items[item as usize].anchor;
                if anchor != NONE {
                    self.holds_open[anchor as usize] -= 1;
                }
            }
            StepKind::Open(bin) => {
                self.open[bin as usize] = true;
                self.version[bin as usize] += 1;
            }
            StepKind::Close(bin) => self.powered[bin as usize] = false,
            StepKind::Extra(extra) => {
                let anchor = self.problem.project.extras[extra as usize].anchor;
                if anchor != NONE {
                    self.holds_open[anchor as usize] -= 1;
                }
            }
        }
    }

    /// Parks one of the stuck moves in a third bin. The item whose bin is wanted most
    /// and that is the smallest goes first.
    fn park(&mut self, waiting: &[u32]) -> bool {
        let packing = &self.problem.packing;
        let mut wanted: FxHashMap<u32, u32> = FxHashMap::default();
        for &at in waiting.iter() {
            match self.tasks[at as usize].kind {
                StepKind::Move { to, .. } | StepKind::Arrive { to, .. } | StepKind::Resize { at: to, .. } => {
                    *wanted.entry(to).or_default() += 1;
                }
                _ => {}
            }
        }
        let mut candidates: Vec<(Reverse<u32>, u64, u32)> = waiting
            .iter()
            .filter_map(|&at| match self.tasks[at as usize].kind {
                StepKind::Move { item, from, .. } if self.tasks[at as usize].sync == NONE => {
                    let demand = wanted.get(&from).copied()?;
                    Some((Reverse(demand), packing.now(item).iter().sum(), at))
                }
                _ => None,
            })
            .collect();
        candidates.sort_unstable();
        for (_, _, at) in candidates {
            let StepKind::Move { item, from, to, was_resized, .. } = self.tasks[at as usize].kind else {
                continue;
            };
            let size = if was_resized { packing.then(item) } else { packing.now(item) };
            let route = &packing.domains[packing.items[item as usize].route as usize];
            // The bin with the most to spare that fewest want.
            let spare = (0..packing.bins.len() as u32)
                .filter(|&bin| bin != from && bin != to && self.open[bin as usize] && route.contains(bin))
                .filter(|&bin| {
                    // A bin about to close stays open as long as it has a guest.
                    self.ledger.may_enter(item, bin, size).is_ok()
                })
                .min_by_key(|&bin| {
                    let left: u64 = self
                        .ledger
                        .capacity(bin)
                        .iter()
                        .zip(self.ledger.load(bin))
                        .map(|(capacity, load)| (*capacity).min(1 << 40).saturating_sub(*load))
                        .sum();
                    (wanted.get(&bin).copied().unwrap_or(0), Reverse(left), bin)
                });
            let Some(spare) = spare else { continue };
            let leg =
                StepKind::Move { item, from, to: spare, resized: was_resized, was_resized, parking: true };
            let id = self.tasks.len() as u32;
            let serial = self.tasks[at as usize].serial.clone();
            let parked = Task { serial, ..Task::new(self.problem, leg) };
            if parked.passage.as_ref().is_none_or(|passage| !self.carries(passage)) {
                continue;
            }
            self.tasks.push(parked);
            let then = StepKind::Move { item, from: spare, to, resized: true, was_resized, parking: false };
            let task = &mut self.tasks[at as usize];
            let rest = Task::new(self.problem, then);
            (task.kind, task.lead, task.duration, task.passage) =
                (rest.kind, rest.lead, rest.duration, rest.passage);
            task.after.push(id);
            (task.blocked, task.jammed) = (None, None);
            self.waiting_moves += 1;
            let (start, duration) = (self.now, self.tasks[id as usize].duration);
            self.start(id, start, start + duration);
            return true;
        }
        false
    }
}

/// What a bin takes of channels while it is open.
fn standing(problem: &Problem, bin: u32) -> &[(u32, u64)] {
    problem.project.transit.as_ref().map_or(&[], |transit| transit.standing(bin))
}

fn lead_and_hold(problem: &Problem, kind: &StepKind) -> u32 {
    lead_of(problem, kind) + duration_of(problem, kind)
}

/// The bins that are open at the end when nothing asks for a change.
pub fn default_open(packing: &Packing) -> Vec<bool> {
    packing
        .bins
        .iter()
        .map(|bin| match bin.later {
            Later::Open => true,
            Later::Closed => false,
            Later::Free => bin.open,
        })
        .collect()
}

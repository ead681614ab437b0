//! Tasks and the order among them.

use super::PARTS;
use super::Passage;
use super::Problem;
use super::Transit;
use std::sync::Arc;

/// A task that an order may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskRef {
    /// The arrival or departure of an item.
    Item(u32),
    /// The task at this index of [`Project::extras`].
    Extra(u32),
}

/// An order among tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, in this order.
    Sequence(Vec<TaskRef>),
    /// The task starts at 0: the arrival, departure or move of the item …
    NoDelay(u32),
    /// … or a task without a place.
    NoDelayExtra(u32),
    /// The moves of the item end by then.
    Deadline(u32, u64),
    /// The moves of the first end before those of the second start.
    Precedence(u32, u32),
    /// No two moves overlap.
    Serialize(Vec<u32>),
    /// The moves end together; those flagged start together with the ends of the others.
    Sync(Vec<(u32, bool)>),
}

/// A task without a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// How long it takes.
    pub duration: u32,
    /// A bin that must stay open until it has ended, or `NONE`.
    pub anchor: u32,
}

/// What open bins and moves draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// By bin: what it draws in a second, from the start of its opening to the end of its closing.
    /// Empty where no bin draws anything.
    pub bins: Vec<u64>,
    /// By item: what each of its moves draws as a whole, where no copy takes its place.
    pub moves: Vec<u64>,
}

/// Tasks and the order among them.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Tasks without a place.
    pub extras: Vec<Extra>,
    /// Orders, each with its cause.
    pub orders: Vec<(Order, u32)>,
    /// The last moment at which a task may end.
    pub horizon: Option<u64>,
    /// What moves take on the way, where that is known: then how long they take depends on
    /// it, and the durations of items are the least of any way.
    pub transit: Option<Arc<dyn Transit>>,
    /// What open bins and moves draw.
    pub power: Power,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// A bin opens.
    Open(u32),
    /// A bin closes.
    Close(u32),
    /// An item moves.
    Move {
        /// The item.
        item: u32,
        /// Where it is.
        from: u32,
        /// Where it goes.
        to: u32,
        /// Has it its final size there?
        resized: bool,
        /// Was it resized already where it was?
        was_resized: bool,
        /// Is it a stop on the way?
        parking: bool,
    },
    /// An item arrives, in its final size or (false) in its first.
    Arrive {
        /// The item.
        item: u32,
        /// Where.
        to: u32,
        /// Has it its final size there?
        resized: bool,
    },
    /// An item leaves for good.
    Depart {
        /// The item.
        item: u32,
        /// Where it was.
        from: u32,
    },
    /// An item takes its final size where it is.
    Resize {
        /// The item.
        item: u32,
        /// Where it is.
        at: u32,
    },
    /// A task without a place.
    Extra(u32),
}

/// A step of a schedule. A move with a lead starts `lead` seconds before `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// When it starts to hold its destination.
    pub start: u64,
    /// When it ends.
    pub end: u64,
}

/// Seconds before the start of a step in which its destination is not held yet.
pub fn lead_of(problem: &Problem, kind: &StepKind) -> u32 {
    match *kind {
        StepKind::Move { item, parking: false, .. } => problem.packing.items[item as usize].lead,
        _ => 0,
    }
}

/// What a step takes on the way; `None` where nothing is asked of the way, `Some(None)`
/// where there is none.
pub fn passage_of(problem: &Problem, kind: &StepKind) -> Option<Option<Passage>> {
    let transit = problem.project.transit.as_ref()?;
    match *kind {
        StepKind::Move { item, from, to, .. } if lead_of(problem, kind) == 0 => {
            Some(transit.passage(item, from, to))
        }
        StepKind::Move { item, from, to, .. } => {
            let seconds = problem.packing.items[item as usize].hold;
            Some(transit.copy(item, from, to).map(|uses| Passage { seconds, bandwidth: 0, uses }))
        }
        _ => None,
    }
}

/// As [`passage_of`], at the rate that the time of the step tells: the first of [`PARTS`] that
/// takes as long.
pub fn passage_of_step(problem: &Problem, step: &Step) -> Option<Option<Passage>> {
    let full = passage_of(problem, &step.kind)?;
    let (Some(passage), Some(transit)) = (&full, &problem.project.transit) else { return Some(full) };
    let seconds = step.end.saturating_sub(step.start);
    let StepKind::Move { item, from, to, .. } = step.kind else { return Some(full) };
    if !transit.is_far() || u64::from(passage.seconds) == seconds {
        return Some(full);
    }
    let parts = PARTS.iter().skip(1).filter_map(|&part| transit.slower(item, from, to, part));
    Some(parts.into_iter().find(|passage| u64::from(passage.seconds) == seconds).or(full))
}

/// Seconds from the start to the end of a step.
pub fn duration_of(problem: &Problem, kind: &StepKind) -> u32 {
    let packing = &problem.packing;
    if let Some(Some(passage)) = passage_of(problem, kind) {
        return passage.seconds;
    }
    match *kind {
        StepKind::Open(bin) => packing.bins[bin as usize].opening,
        StepKind::Close(bin) => packing.bins[bin as usize].closing,
        StepKind::Move { item, parking: true, .. } => packing.items[item as usize].leg,
        StepKind::Move { item, .. } => packing.items[item as usize].hold,
        StepKind::Arrive { item, .. } | StepKind::Depart { item, .. } => {
            packing.items[item as usize].duration
        }
        StepKind::Resize { .. } => 0,
        StepKind::Extra(extra) => problem.project.extras[extra as usize].duration,
    }
}

//! Does a list of steps keep every rule at every moment?

use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::lead_of;
use crate::propagator::Ledger;
use crate::propagator::Moment;

/// The state of all bins.
struct State<'p> {
    problem: &'p Problem,
    ledger: Ledger<'p>,
    open: Vec<bool>,
    /// From the start of an open to the end of a close.
    powered: Vec<bool>,
    /// What must end before the bin may close.
    holds_open: Vec<u32>,
}

/// Does every step get in when it starts? At one moment ends come first, and what takes no
/// time in the order in which it fits. Orders and channels are not looked at: see
/// [`super::is_carried`]. O(n log n) in the steps, and what the ledger takes.
pub fn replays(problem: &Problem, steps: &[Step]) -> bool {
    let mut state = State::new(problem, steps);
    let mut starts: Vec<&Step> = steps.iter().collect();
    starts.sort_by_key(|step| step.start);
    let mut ends: Vec<&Step> = steps.iter().filter(|step| step.end > step.start).collect();
    ends.sort_by_key(|step| step.end);
    let mut ended = ends.into_iter().peekable();
    for group in starts.chunk_by(|a, b| a.start == b.start) {
        let now = group[0].start;
        while let Some(step) = ended.next_if(|step| step.end <= now) {
            state.end(&step.kind);
        }
        let mut waiting: Vec<&Step> = group.to_vec();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|step| {
                let fits = state.start(step);
                if fits && step.end == now {
                    state.end(&step.kind);
                }
                !fits
            });
            if waiting.len() == before {
                return false;
            }
        }
    }
    true
}

impl<'p> State<'p> {
    fn new(problem: &'p Problem, steps: &[Step]) -> Self {
        let packing = &problem.packing;
        let mut ledger = Ledger::new(packing, Moment::Now);
        for (item, row) in (0u32..).zip(&packing.items).filter(|(_, row)| row.source != NONE) {
            ledger.add(item, row.source, packing.now(item));
        }
        let open: Vec<bool> = packing.bins.iter().map(|bin| bin.open).collect();
        let mut state =
            Self { problem, ledger, powered: open.clone(), open, holds_open: vec![0; packing.bins.len()] };
        for step in steps {
            if let Some(anchor) = state.anchor(&step.kind) {
                state.holds_open[anchor as usize] += 1;
            }
        }
        state
    }

    /// The bin that may not close until the step has ended.
    fn anchor(&self, kind: &StepKind) -> Option<u32> {
        let anchor = match *kind {
            StepKind::Arrive { item, .. } => self.problem.packing.items[item as usize].anchor,
            StepKind::Extra(extra) => self.problem.project.extras[extra as usize].anchor,
            _ => NONE,
        };
        (anchor != NONE).then_some(anchor)
    }

    /// Starts a step if it may.
    fn start(&mut self, step: &Step) -> bool {
        let packing = &self.problem.packing;
        if step.start < u64::from(lead_of(self.problem, &step.kind)) {
            return false;
        }
        match step.kind {
            StepKind::Move { item, to, resized, .. } | StepKind::Arrive { item, to, resized } => {
                let size = if resized { packing.then(item) } else { packing.now(item) };
                let fits = self.open[to as usize] && self.ledger.may_enter(item, to, size).is_ok();
                if fits {
                    self.ledger.add(item, to, size);
                }
                fits
            }
            StepKind::Resize { item, at } => {
                self.ledger.may_resize(at, packing.now(item), packing.then(item)).is_ok()
            }
            StepKind::Open(bin) => {
                let fits = !self.powered[bin as usize] && self.may_power(packing, bin);
                self.powered[bin as usize] |= fits;
                fits
            }
            StepKind::Close(bin) => {
                let empty = self.ledger.guests(bin).is_empty() && self.holds_open[bin as usize] == 0;
                if empty {
                    self.open[bin as usize] = false;
                }
                empty
            }
            StepKind::Depart { .. } | StepKind::Extra(_) => true,
        }
    }

    /// May one more bin be on?
    fn may_power(&self, packing: &Packing, bin: u32) -> bool {
        packing.relations.iter().all(|relation| match &relation.kind {
            RelationKind::Powered { bins, limit }
                if relation.continuous && relation.penalty.is_none() && bins.contains(bin) =>
            {
                bins.sum(|other| other == bin || self.powered[other as usize]) <= *limit
            }
            _ => true,
        })
    }

    /// Ends a step.
    fn end(&mut self, kind: &StepKind) {
        let packing = &self.problem.packing;
        if let Some(anchor) = self.anchor(kind) {
            self.holds_open[anchor as usize] -= 1;
        }
        match *kind {
            StepKind::Move { item, from, was_resized, .. } => {
                let size = if was_resized { packing.then(item) } else { packing.now(item) };
                self.ledger.remove(item, from, size);
            }
            StepKind::Depart { item, from } => {
                self.ledger.remove(item, from, packing.now(item));
                let row = &packing.items[item as usize];
                debug_assert_eq!(row.role, Role::Depart);
                // An image keeps its bin open for good.
                self.holds_open[from as usize] += u32::from(row.image);
            }
            StepKind::Resize { item, at } => {
                self.ledger.resize(at, packing.now(item), packing.then(item));
            }
            StepKind::Open(bin) => self.open[bin as usize] = true,
            StepKind::Close(bin) => self.powered[bin as usize] = false,
            StepKind::Arrive { .. } | StepKind::Extra(_) => {}
        }
    }
}

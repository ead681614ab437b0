//! The fewest moves to a configuration that is right: found and proved.
//!
//! The number of moves is raised from its lower bound: as long as no placement with so few
//! is possible the bound rises, and the first that is possible needs no proof of its own
//! (core-guided search in its simplest form; Fu and Malik 2006). What is learnt about one
//! number holds for the next.

mod guide;
mod model;
mod order;

use super::Limits;
use super::presolve::Analysis;
use crate::engine::Atom;
use crate::engine::Meter;
use crate::engine::Verdict;
use crate::engine::guarded;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Role;
use crate::schedule::Placement;
use crate::schedule::bound::move_takes;
use guide::Repairer;
use model::Model;

/// What is known at the end.
#[derive(Clone, Debug, Default)]
pub struct Fewest {
    /// No plan has fewer moves, stops on the way included.
    pub bound: u64,
    /// There is no placement at all.
    pub impossible: bool,
    /// Steps that were taken.
    pub steps: u64,
    /// The solver gave up by a panic; what is known stays true.
    pub broken: bool,
}

/// Steps that a placement counts for which is found and led to no plan.
const PLACEMENT_TAKES: u64 = 32;

/// Who is told about what is found.
pub trait Listener {
    /// A placement; the number of moves of a plan that leads to it, if there is one.
    fn placement(&mut self, placement: &Placement) -> Option<u64>;

    /// No plan has fewer moves than this.
    fn bound(&mut self, bound: u64);
}

/// The question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// What is known before.
    pub analysis: &'a Analysis,
    /// No plan has fewer moves.
    pub fewest: u64,
    /// The best plan: its placement, and the number of its moves.
    pub best: Option<(&'a Placement, u64)>,
    /// (item, bin), ascending: no plan with fewer moves than the best ends so.
    pub excluded: &'a [(u32, u32)],
}

impl Question<'_> {
    fn guide(&self, model: &Model) -> Repairer {
        let mut crowded = vec![false; self.problem.packing.bins.len()];
        self.analysis.evictions.iter().for_each(|eviction| crowded[eviction.bin as usize] = true);
        let wish = self.best.map(|(placement, _)| placement.to.as_slice());
        Repairer::new(model, &self.problem.packing, &crowded, wish)
    }
}

/// Looks for a plan with fewer moves than the best, or the proof that there is none. Where
/// there is no plan yet the first one ends the search: repair improves it sooner.
pub fn search(question: Question<'_>, steps: u64, limits: &Limits, listener: &mut dyn Listener) -> Fewest {
    let mut answer = Fewest { bound: question.fewest, ..Fewest::default() };
    let mut meter = Meter { steps, deadline: limits.deadline, cancel: limits.cancel.clone() };
    answer.broken = guarded(|| levels(question, &mut answer, &mut meter, listener)).is_none();
    answer.steps = steps - meter.steps;
    answer
}

fn levels(question: Question<'_>, answer: &mut Fewest, meter: &mut Meter, listener: &mut dyn Listener) {
    let packing = &question.problem.packing;
    // Without a plan any number of moves will do.
    let mut most = match question.best {
        Some((_, moves)) => moves.saturating_sub(1),
        None => 2 * packing.items.len() as u64,
    };
    if most < answer.bound {
        return;
    }
    let Some(mut model) = Model::new(&question, (answer.bound, most), None) else { return };
    let mut guide = question.guide(&model);
    let planned = question.best.is_some();
    let mut level = if planned { answer.bound } else { most };
    while level <= most {
        let limit = Atom::AtMost(model.total, level as i32);
        match model.core.solve(&[limit], &mut guide, meter) {
            Verdict::Unknown => return,
            Verdict::Refuted if !planned && level == most => {
                answer.impossible = true;
                return;
            }
            Verdict::Refuted => {
                level += 1;
                answer.bound = level;
                listener.bound(level);
            }
            Verdict::Found(values) => {
                meter.steps = meter.steps.saturating_sub(PLACEMENT_TAKES);
                let placement = model.placement(packing, &values);
                match listener.placement(&placement) {
                    Some(_) if !planned => return,
                    Some(moves) if moves <= level && level == answer.bound => return,
                    Some(moves) => most = most.min(moves.saturating_sub(1)),
                    None => {}
                }
                level = answer.bound;
                let parking = values[model.parking.0 as usize] as u64;
                if moves_of(packing, &placement) + parking > level {
                    continue;
                }
                // It would be found again: it must be known why it leads to no plan.
                if parking == 1 {
                    return;
                }
                match order::deadlock(packing, &placement) {
                    Some(deadlock) => model.forbid(packing, &placement, &deadlock),
                    None => return,
                }
            }
        }
    }
}

/// What is known about the seconds that the moves take in sum.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quickest {
    /// No placement with so few moves has less.
    pub bound: u64,
    /// Steps that were taken.
    pub steps: u64,
    /// The solver gave up by a panic; what is known stays true.
    pub broken: bool,
}

/// Looks for the placement whose moves take the least time in sum, among those with at
/// most so many moves (any number where there is none); `fewest` and `best` of the question
/// are seconds here. Halves what is between the bound and the best.
pub fn quickest(
    question: Question<'_>,
    moves: Option<u64>,
    steps: u64,
    limits: &Limits,
    listener: &mut dyn Listener,
) -> Quickest {
    let mut answer = Quickest { bound: question.fewest, ..Quickest::default() };
    let mut meter = Meter { steps, deadline: limits.deadline, cancel: limits.cancel.clone() };
    answer.broken = guarded(|| halve(question, moves, &mut answer, &mut meter, listener)).is_none();
    answer.steps = steps - meter.steps;
    answer
}

fn halve(
    question: Question<'_>,
    moves: Option<u64>,
    answer: &mut Quickest,
    meter: &mut Meter,
    listener: &mut dyn Listener,
) {
    let packing = &question.problem.packing;
    let Some((_, mut best)) = question.best else { return };
    if best <= answer.bound {
        return;
    }
    let most = moves.unwrap_or(packing.items.len() as u64);
    let seconds = Some((answer.bound, best));
    let Some(mut model) = Model::new(&question, (0, most), seconds) else { return };
    let Some(seconds) = model.seconds else { return };
    let mut guide = question.guide(&model);
    while answer.bound < best {
        let middle = answer.bound + (best - answer.bound) / 2;
        match model.core.solve(&[Atom::AtMost(seconds, middle as i32)], &mut guide, meter) {
            Verdict::Unknown => return,
            Verdict::Refuted => {
                answer.bound = middle + 1;
                listener.bound(answer.bound);
            }
            Verdict::Found(values) => {
                meter.steps = meter.steps.saturating_sub(PLACEMENT_TAKES);
                let placement = model.placement(packing, &values);
                best = best.min(seconds_of(packing, &placement));
                let _ = listener.placement(&placement);
            }
        }
    }
}

/// The number of items that end elsewhere.
fn moves_of(packing: &Packing, placement: &Placement) -> u64 {
    let rows = packing.items.iter().zip(&placement.to);
    rows.filter(|(row, to)| row.role == Role::Stay && **to != row.source).count() as u64
}

/// The seconds that the moves to a placement take in sum.
pub fn seconds_of(packing: &Packing, placement: &Placement) -> u64 {
    (0u32..)
        .zip(&packing.items)
        .filter(|(item, row)| row.role == Role::Stay && placement.to[*item as usize] != row.source)
        .map(|(item, _)| move_takes(packing, item))
        .sum()
}

#[cfg(test)]
mod tests;

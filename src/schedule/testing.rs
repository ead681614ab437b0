//! Small problems on a star of channels, and all their schedules.

use crate::objective::Level;
use crate::objective::Metric;
use crate::objective::Objective;
use crate::problem::Bin;
use crate::problem::BitSet;
use crate::problem::Item;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Passage;
use crate::problem::Problem;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::Toll;
use crate::problem::Transit;
use crate::random::Random;
use crate::schedule;
use crate::schedule::Placement;
use crate::schedule::Rules;
use std::sync::Arc;

/// Two channels a bin, out and in; an item takes its own amount of both.
#[derive(Debug)]
struct Star {
    capacities: Vec<u64>,
    /// By item: seconds, amount.
    rows: Vec<(u32, u64)>,
}

impl Transit for Star {
    fn capacities(&self) -> &[u64] {
        &self.capacities
    }

    fn passage(&self, item: u32, from: u32, to: u32) -> Option<Passage> {
        let (seconds, amount) = self.rows[item as usize];
        let mut uses = vec![(2 * from, amount), (2 * to + 1, amount)];
        uses.sort_unstable();
        Some(Passage { seconds, bandwidth: amount, uses })
    }

    fn tolls(&self, item: u32, from: u32, to: u32) -> Vec<Toll> {
        let (seconds, amount) = self.rows[item as usize];
        let work = u128::from(amount) * u128::from(seconds);
        let toll = |channel| Toll { channel, amount, seconds, work };
        std::iter::once(2 * from).chain((to != NONE).then_some(2 * to + 1)).map(toll).collect()
    }

    fn comes_from(&self, channel: u32, bin: u32) -> bool {
        channel % 2 == 1 || channel / 2 == bin
    }

    fn leads_to(&self, channel: u32, bin: u32) -> bool {
        channel.is_multiple_of(2) || channel / 2 == bin
    }
}

/// An item of any bin: all that is done with it takes so many seconds.
pub(crate) fn item(source: u32, role: Role, seconds: u32) -> Item {
    Item {
        source,
        role,
        pinned: false,
        domain: 0,
        route: 0,
        lead: 0,
        hold: seconds,
        leg: seconds,
        duration: seconds,
        anchor: NONE,
        image: false,
    }
}

/// An item: source, target, size, seconds, what it takes of channels.
pub(crate) type Row = (u32, u32, u64, u32, u64);

/// Items in bins of one dimension, each of which ends in its target; bins of which some open
/// or close. On channels of this capacity, if any.
pub(crate) fn problem(bins: &[(u64, Bin)], rows: &[Row], channels: Option<u64>) -> (Problem, Placement) {
    let only = |bin: u32| {
        let mut set = BitSet::empty(bins.len());
        set.insert(bin);
        set
    };
    let ending = |(at, &(source, _, _, takes, _)): (usize, &Row)| Item {
        domain: 1 + at as u32,
        ..item(source, Role::Stay, takes)
    };
    let mut packing = Packing {
        dims: 1,
        bins: bins.iter().map(|bin| bin.1).collect(),
        items: rows.iter().enumerate().map(ending).collect(),
        domains: std::iter::once(BitSet::full(bins.len()))
            .chain(rows.iter().map(|row| only(row.1)))
            .collect(),
        capacity_now: bins.iter().map(|bin| bin.0).collect(),
        capacity_then: bins.iter().map(|bin| bin.0).collect(),
        size_now: rows.iter().map(|row| row.2).collect(),
        size_then: rows.iter().map(|row| row.2).collect(),
        anchored: vec![false; bins.len()],
        item_ends: vec![0; rows.len()],
        ..Packing::default()
    };
    packing.index_relations();
    let mut problem = Problem { packing, ..Problem::default() };
    if let Some(capacity) = channels {
        let rows = rows.iter().map(|row| (row.3, row.4)).collect();
        problem.project.transit = Some(Arc::new(Star { capacities: vec![capacity; 2 * bins.len()], rows }));
    }
    let open = bins.iter().map(|(_, bin)| bin.later == Later::Open).collect();
    (problem, Placement { to: rows.iter().map(|row| row.1).collect(), open })
}

/// A problem with a plan, its placement and the steps of that plan; long moves first, so that
/// there is something to gain.
pub(crate) fn random(random: &mut Random, items: usize) -> Option<(Problem, Vec<Step>)> {
    let bin = |random: &mut Random| {
        let (open, later) = match random.below(6) {
            0 => (false, Later::Open),
            1 => (true, Later::Closed),
            _ => (true, Later::Open),
        };
        (4 + random.below(4) as u64, Bin { open, later, opening: 2, closing: 1 })
    };
    let bins: Vec<(u64, Bin)> = (0..3).map(|_| bin(random)).collect();
    let rows: Vec<Row> = (0..items)
        .map(|_| {
            let (from, to) = (random.below(3) as u32, random.below(3) as u32);
            let (size, takes) = (1 + random.below(3) as u64, 1 + random.below(3) as u32);
            (from, to, size, takes, 1 + random.below(2) as u64)
        })
        .collect();
    let fits = |bin: usize| {
        let here = rows.iter().filter(|row| row.0 == bin as u32);
        let sizes: Vec<u64> = here.map(|row| row.2).collect();
        sizes.iter().sum::<u64>() <= bins[bin].0 && (bins[bin].1.open || sizes.is_empty())
    };
    let ends = |row: &Row| bins[row.1 as usize].1.later == Later::Open;
    if !(0..3).all(fits) || !rows.iter().all(ends) {
        return None;
    }
    let channels = (random.below(4) > 0).then(|| 2 + random.below(2) as u64);
    let (problem, placement) = problem(&bins, &rows, channels);
    let rules = Rules { rank: rows.iter().map(|row| 10 - row.3).collect(), ..Rules::default() };
    let steps = schedule::generate(&problem, &placement, &rules).ok()?;
    (!steps.is_empty()).then_some((problem, steps))
}

/// One metric alone.
pub(crate) fn objective(metric: Metric) -> Objective {
    Objective { levels: vec![Level::of(metric)] }
}

/// Do the steps keep all that problems of this kind ask?
pub(crate) fn sound(problem: &Problem, steps: &[Step]) -> bool {
    schedule::replays(problem, steps) && schedule::is_carried(problem, steps)
}

/// The least value of all starts from 0 to `last`, by replaying each.
pub(crate) fn brute(problem: &Problem, steps: &[Step], objective: &Objective, last: u64) -> u64 {
    brute_levels(problem, steps, objective, last)[0]
}

/// The least values of all levels, the first ones first.
pub(crate) fn brute_levels(problem: &Problem, steps: &[Step], objective: &Objective, last: u64) -> Vec<u64> {
    let mut best = vec![u64::MAX; objective.levels.len()];
    let mut starts = vec![0u64; steps.len()];
    loop {
        let timed: Vec<Step> = steps
            .iter()
            .zip(&starts)
            .map(|(step, &start)| Step { start, end: start + (step.end - step.start), ..*step })
            .collect();
        let values = schedule::levels(problem, &timed, objective, 0);
        if values < best && sound(problem, &timed) {
            best = values;
        }
        let Some(at) = starts.iter().position(|&start| start < last) else { return best };
        starts[..at].fill(0);
        starts[at] += 1;
    }
}

//! Items covered with listed contents, in so many bins: depth first, guided by a linear
//! programme.
//!
//! The relaxation says how much of each content it uses; the one that it uses most is taken,
//! and where that leads nowhere, forbidden (diving as in Joncour et al. 2010, with every
//! content at hand). Both change bounds only, so a few pivots of the dual simplex
//! (Lemke 1954) solve the programme again, and they are taken back on the way up. The costs
//! of the contents are pulled apart by a tiny amount each, at random: another vertex each
//! try. Short tries come first, since one may have gone wrong near its start; they get
//! longer, so that the last ones are exhaustive.
//!
//! That there is no cover rests on integers alone: a branch counts as refuted where the
//! prices of the programme, rounded, prove that its bins do not suffice.

use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;
use super::master::Master;
use super::master::Resolved;
use crate::engine::Meter;
use crate::random::Random;

/// Contents beyond which it is not tried.
const MOST_CONTENTS: usize = 60_000;
/// Branches that the first tries may give up.
const TRY: u64 = 3;
/// Tries before they get longer.
const TRIES: u32 = 8;
/// Pivots between two looks at the limits.
const PIVOTS: usize = 100;
/// How far costs are pulled apart.
const APART: f64 = 1e-4;
/// More bins than that beyond those that are left are too many: what pulls costs and counts
/// apart is less.
const ROUNDING: f64 = 0.01;
/// What a bin costs in the integers of a proof.
const SCALE: f64 = (1u64 << 30) as f64;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// A packing.
    Found(Vec<Filled>),
    /// There is none.
    None,
    /// It would take too long to find out.
    Unknown,
}

/// Looks for so many bins of the only class, each with a part of one of the contents.
pub fn search(boxes: &Boxes, contents: &[Content], bins: u64, seed: u64, meter: &mut Meter) -> Cover {
    if contents.len() > MOST_CONTENTS || bins > u64::from(boxes.bins[0]) {
        return Cover::Unknown;
    }
    let mut root = Master::new(boxes);
    contents.iter().for_each(|content| root.add(Filled { class: 0, content: content.clone() }, 1.0));
    loop {
        let before = root.pivots();
        meter.spend(root.solve(PIVOTS) / 4);
        if meter.is_over() {
            return Cover::Unknown;
        }
        if root.pivots() == before {
            break;
        }
    }
    let mut random = Random::new(seed);
    for tries in 0u32.. {
        if meter.is_over() {
            break;
        }
        // The copy of the programme; no try is free.
        meter.spend(1 + (boxes.kinds() * boxes.kinds() + contents.len()) as u64 / 16);
        let length = TRY << (tries / TRIES).min(32);
        let mut dive = Dive::new(boxes, contents, bins, length, root.clone(), &mut random);
        match dive.run(meter) {
            Cover::Unknown => {}
            other => return other,
        }
    }
    Cover::Unknown
}

/// Something to be taken back.
#[derive(Debug)]
enum Change {
    /// Of the content so many items of each kind.
    Took(Content),
    Forbade(usize),
    /// In the row there was the variable.
    Pivot(usize, usize),
}

/// A branch that was taken.
#[derive(Debug)]
struct Branch {
    column: usize,
    /// How many changes there were before.
    changes: usize,
    /// Bins before.
    taken: usize,
}

struct Dive<'a> {
    boxes: &'a Boxes,
    contents: &'a [Content],
    bins: u64,
    master: Master,
    /// By kind: items that are in no bin yet.
    rest: Vec<u32>,
    packing: Vec<Content>,
    changes: Vec<Change>,
    branches: Vec<Branch>,
    /// Branches that may still be given up.
    nodes: u64,
    /// Was every branch refuted that was given up?
    certain: bool,
}

impl<'a> Dive<'a> {
    fn new(
        boxes: &'a Boxes,
        contents: &'a [Content],
        bins: u64,
        nodes: u64,
        mut master: Master,
        random: &mut Random,
    ) -> Self {
        master.charge(|_| 1.0 - APART * (random.below(1000) as f64 / 1000.0));
        Self {
            boxes,
            contents,
            bins,
            master,
            rest: boxes.count.clone(),
            packing: Vec::new(),
            changes: Vec::new(),
            branches: Vec::new(),
            nodes,
            certain: true,
        }
    }

    fn run(&mut self, meter: &mut Meter) -> Cover {
        meter.spend(self.master.solve(usize::MAX) / 4);
        loop {
            if self.rest.iter().all(|&rest| rest == 0) {
                let bins = self.packing.drain(..);
                return Cover::Found(bins.map(|content| Filled { class: 0, content }).collect());
            }
            if self.nodes == 0 || meter.is_over() {
                return Cover::Unknown;
            }
            let chosen = if self.is_hopeless(meter) {
                None
            } else {
                let used = self.most_used();
                self.certain &= used.is_some();
                used
            };
            match chosen {
                Some(column) => self.take(column),
                None => {
                    self.nodes -= 1;
                    let Some(branch) = self.branches.pop() else {
                        return if self.certain { Cover::None } else { Cover::Unknown };
                    };
                    self.take_back(&branch, meter);
                    self.changes.push(Change::Forbade(branch.column));
                    self.master.forbid(branch.column, true);
                }
            }
        }
    }

    /// Solves the programme again. Are there too few bins left, or contents?
    fn is_hopeless(&mut self, meter: &mut Meter) -> bool {
        let left = self.bins.saturating_sub(self.packing.len() as u64);
        if left == 0 {
            return true;
        }
        let changes = &mut self.changes;
        let resolved = self.master.resolve(left as f64 + ROUNDING, |row, variable, work| {
            changes.push(Change::Pivot(row, variable));
            meter.spend(work / 4);
            !meter.is_over()
        });
        let prices = match resolved {
            Resolved::Optimal => return false,
            Resolved::Above => (0..self.boxes.kinds()).map(|kind| self.master.price(kind)).collect(),
            Resolved::Infeasible(ray) => ray,
            Resolved::Stuck => Vec::new(),
        };
        self.certain &= self.is_proof(&prices);
        true
    }

    /// Is all that is left worth more than the bins that are left can be, of the contents
    /// that may be taken?
    fn is_proof(&self, prices: &[f64]) -> bool {
        let largest = prices.iter().copied().fold(0.0, f64::max);
        let worth: Vec<u64> =
            prices.iter().map(|price| (price.max(0.0) / largest.max(1e-9) * SCALE) as u64).collect();
        if worth.is_empty() {
            return false;
        }
        let value = |content: &Content| -> u128 {
            content.iter().map(|&(kind, many)| u128::from(worth[kind as usize]) * u128::from(many)).sum()
        };
        let allowed = (0..self.contents.len()).filter(|&column| !self.master.is_forbidden(column));
        let most = allowed.map(|column| value(&self.contents[column])).max().unwrap_or(0);
        let all: u128 =
            self.rest.iter().zip(&worth).map(|(&rest, &worth)| u128::from(rest) * u128::from(worth)).sum();
        all > most * u128::from(self.bins - self.packing.len() as u64)
    }

    /// The content that the programme uses most.
    fn most_used(&self) -> Option<usize> {
        let used = self.master.solution().into_iter();
        let useful = used.filter(|row| self.contents[row.0].iter().any(|row| self.rest[row.0 as usize] > 0));
        useful.max_by(|a, b| a.1.min(1.0).total_cmp(&b.1.min(1.0)).then(b.0.cmp(&a.0))).map(|row| row.0)
    }

    /// One bin more with the content, as far as there is something of it left.
    fn take(&mut self, column: usize) {
        self.branches.push(Branch { column, changes: self.changes.len(), taken: self.packing.len() });
        let part: Content = self.contents[column]
            .iter()
            .map(|&(kind, many)| (kind, many.min(self.rest[kind as usize])))
            .filter(|row| row.1 > 0)
            .collect();
        part.iter().for_each(|&(kind, many)| self.rest[kind as usize] -= many);
        self.master.shift(&part, -1.0);
        self.packing.push(part.clone());
        self.changes.push(Change::Took(part));
    }

    /// As it was before the branch.
    fn take_back(&mut self, branch: &Branch, meter: &mut Meter) {
        while self.changes.len() > branch.changes {
            match self.changes.pop() {
                Some(Change::Took(part)) => {
                    part.iter().for_each(|&(kind, many)| self.rest[kind as usize] += many);
                    self.master.shift(&part, 1.0);
                }
                Some(Change::Forbade(column)) => self.master.forbid(column, false),
                Some(Change::Pivot(row, variable)) => meter.spend(self.master.pivot_back(row, variable) / 4),
                None => break,
            }
        }
        self.packing.truncate(branch.taken);
    }
}

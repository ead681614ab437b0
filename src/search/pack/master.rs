//! The linear programme over contents of bins: a small revised simplex.
//!
//! One row for each kind (at least so many of it are in bins) and one for each class (at
//! most so many bins are used); a column is what a bin may contain (Gilmore and Gomory
//! 1961). Columns come one by one, so the basis is kept as an explicit inverse that each
//! pivot updates. Kinds start with artificial columns of a high price. The right-hand
//! sides are pulled apart by a tiny amount each: ties among them would make the simplex
//! stand still. What is proved never rests on these numbers (see `bound::column`).

use super::boxes::Boxes;
use super::boxes::Content;
use super::boxes::Filled;

/// Smaller reduced costs and pivots count as none.
const EPS: f64 = 1e-7;
const PIVOT: f64 = 1e-7;
/// What it costs not to place an item.
const ARTIFICIAL: f64 = 8.0;
/// After so many pivots the inverse is computed anew.
const REFRESH: usize = 400;

/// Values less than this below nothing count as nothing.
const TOLERANCE: f64 = 1e-7;
/// Smaller pivots are not chosen on the way back to a solution.
const ENTERING: f64 = 1e-6;

/// A weight of a row after which all start anew.
const HEAVY: f64 = 1e8;

/// Variables that are asked how much they gain.
const CANDIDATES: usize = 24;

/// A pivot to come.
#[derive(Debug)]
struct Step {
    /// The entering column, as the basis sees it.
    alpha: Vec<f64>,
    length: f64,
    leaves: usize,
}

/// What came of solving the programme again.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// The best solution is there.
    Optimal,
    /// It is above what was asked for.
    Above,
    /// There is none; prices of the kinds by which no content is worth anything, while what
    /// is to be packed is.
    Infeasible(Vec<f64>),
    /// The numbers stood in the way.
    Stuck,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Master {
    kinds: usize,
    rows: usize,
    rhs: Vec<f64>,
    /// The contents, and what each costs.
    columns: Vec<(Filled, f64)>,
    /// By row: its basic variable. Below `rows` slacks, below `2 × rows` artificial ones,
    /// then columns.
    basis: Vec<usize>,
    is_basic: Vec<bool>,
    /// By column: must it stay out?
    forbidden: Vec<bool>,
    /// By row: how large its entries are, about.
    weight: Vec<f64>,
    /// Column by column.
    inverse: Vec<f64>,
    value: Vec<f64>,
    price: Vec<f64>,
    pivots: usize,
}

impl Master {
    /// Without columns.
    pub fn new(boxes: &Boxes) -> Self {
        let (kinds, rows) = (boxes.kinds(), boxes.kinds() + boxes.classes());
        let mut random = crate::random::Random::new(rows as u64);
        let counts = boxes.count.iter().chain(&boxes.bins);
        let rhs: Vec<f64> = counts
            .map(|&count| f64::from(count) + 1e-6 * (1.0 + random.below(1000) as f64 / 1000.0))
            .collect();
        let basis: Vec<usize> = (0..rows).map(|row| if row < kinds { rows + row } else { row }).collect();
        let mut is_basic = vec![false; 2 * rows];
        basis.iter().for_each(|&variable| is_basic[variable] = true);
        let mut inverse = vec![0.0; rows * rows];
        (0..rows).for_each(|row| inverse[row * rows + row] = 1.0);
        let price = (0..rows).map(|row| if row < kinds { ARTIFICIAL } else { 0.0 }).collect();
        Self {
            kinds,
            rows,
            value: rhs.clone(),
            rhs,
            columns: Vec::new(),
            basis,
            is_basic,
            forbidden: Vec::new(),
            weight: vec![1.0; rows],
            inverse,
            price,
            pivots: 0,
        }
    }

    /// Begins with a packing: each bin is basic in the row of a kind that no other bin has,
    /// and what is left over of the other kinds in theirs. Does nothing where some bin has
    /// no such kind. The columns have been added, in this order and before all others.
    pub fn begin(&mut self, packing: &[Filled]) {
        let rows = self.rows;
        let mut bins_with = vec![0u32; self.kinds];
        let contents = || packing.iter().flat_map(|filled| &filled.content);
        contents().for_each(|row| bins_with[row.0 as usize] += 1);
        let own = |filled: &Filled| filled.content.iter().find(|row| bins_with[row.0 as usize] == 1).copied();
        let Some(own) = packing.iter().map(own).collect::<Option<Vec<(u32, u32)>>>() else { return };
        let mut random = crate::random::Random::new(rows as u64);
        let mut tiny = || 1e-6 * (1.0 + random.below(1000) as f64 / 1000.0);
        self.inverse.fill(0.0);
        self.is_basic.fill(false);
        let mut need = vec![0.0; rows];
        for (row, need) in need.iter_mut().enumerate() {
            // A surplus of the kind, or a slack of the class.
            let sign = if row < self.kinds { -1.0 } else { 1.0 };
            self.basis[row] = row;
            self.inverse[row * rows + row] = sign;
            self.value[row] =
                if row < self.kinds { tiny() } else { (self.rhs[row] - packing.len() as f64).max(1.0) };
            *need = self.value[row] * sign;
        }
        self.price.fill(0.0);
        for (at, (filled, &(kind, many))) in packing.iter().zip(&own).enumerate() {
            let (row, many) = (kind as usize, f64::from(many));
            self.basis[row] = 2 * rows + at;
            need[row] += self.value[row];
            self.value[row] = 1.0 + tiny();
            self.inverse[row * rows + row] = 1.0 / many;
            self.price[row] = self.columns[at].1 / many;
            for (other, amount) in self.entries(2 * rows + at) {
                need[other] += amount * self.value[row];
                if other < self.kinds && other != row {
                    self.inverse[row * rows + other] += amount / many;
                } else if other >= self.kinds {
                    self.inverse[row * rows + other] -= 1.0 / many;
                }
            }
            debug_assert_eq!(&self.columns[at].0, filled);
        }
        self.rhs = need;
        self.basis.iter().for_each(|&variable| self.is_basic[variable] = true);
    }

    /// Adds a content with its cost.
    pub fn add(&mut self, filled: Filled, cost: f64) {
        self.columns.push((filled, cost));
        self.is_basic.push(false);
        self.forbidden.push(false);
    }

    /// Changes what contents cost. The programme is not solved again yet.
    pub fn charge(&mut self, mut cost: impl FnMut(usize) -> f64) {
        self.columns.iter_mut().enumerate().for_each(|(at, column)| column.1 = cost(at));
        self.refresh();
    }

    /// Keeps a content out, or allows it again. The programme is not solved again yet.
    pub fn forbid(&mut self, column: usize, forbidden: bool) {
        self.forbidden[column] = forbidden;
    }

    /// Is the content kept out?
    pub fn is_forbidden(&self, column: usize) -> bool {
        self.forbidden[column]
    }

    /// So many times more of these items have to be packed. The programme is not solved
    /// again yet.
    pub fn shift(&mut self, items: &Content, times: f64) {
        for &(kind, many) in items {
            let amount = f64::from(many) * times;
            let column = &self.inverse[kind as usize * self.rows..(kind as usize + 1) * self.rows];
            self.value.iter_mut().zip(column).for_each(|(value, entry)| *value += entry * amount);
            self.rhs[kind as usize] += amount;
        }
    }

    /// The contents, by their number.
    pub fn column(&self, at: usize) -> &Filled {
        &self.columns[at].0
    }

    /// Number of contents.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Pivots so far.
    pub fn pivots(&self) -> usize {
        self.pivots
    }

    /// Price of one item of a kind.
    pub fn price(&self, kind: usize) -> f64 {
        self.price[kind]
    }

    /// What another bin of a class would save.
    pub fn rent(&self, class: usize) -> f64 {
        -self.price[self.kinds + class]
    }

    /// The value of the solution.
    pub fn objective(&self) -> f64 {
        self.basis.iter().zip(&self.value).map(|(&variable, value)| self.cost(variable) * value).sum()
    }

    /// The contents in use, and how much of each.
    pub fn solution(&self) -> Vec<(usize, f64)> {
        let mut used: Vec<(usize, f64)> = self
            .basis
            .iter()
            .zip(&self.value)
            .filter(|(variable, value)| **variable >= 2 * self.rows && **value > 1e-5)
            .map(|(&variable, &value)| (variable - 2 * self.rows, value))
            .collect();
        used.sort_unstable_by_key(|row| row.0);
        used
    }

    fn cost(&self, variable: usize) -> f64 {
        match variable {
            _ if variable < self.rows => 0.0,
            _ if variable < 2 * self.rows => ARTIFICIAL,
            _ => self.columns[variable - 2 * self.rows].1,
        }
    }

    /// The rows that a variable is in.
    fn entries(&self, variable: usize) -> Vec<(usize, f64)> {
        match variable {
            // Too much of a kind is no harm, a bin less neither.
            _ if variable < self.kinds => vec![(variable, -1.0)],
            _ if variable < self.rows => vec![(variable, 1.0)],
            _ if variable < 2 * self.rows => vec![(variable - self.rows, 1.0)],
            _ => {
                let filled = &self.columns[variable - 2 * self.rows].0;
                let content = filled.content.iter().map(|&(kind, many)| (kind as usize, f64::from(many)));
                content.chain([(self.kinds + filled.class as usize, 1.0)]).collect()
            }
        }
    }

    fn reduced(&self, column: usize) -> f64 {
        let (filled, cost) = &self.columns[column];
        let worth: f64 =
            filled.content.iter().map(|&(kind, many)| self.price[kind as usize] * f64::from(many)).sum();
        cost - worth - self.price[self.kinds + filled.class as usize]
    }

    /// The best solution with the columns that there are, or so many pivots on the way there.
    /// Returns the arithmetic done.
    ///
    /// Of the variables with the least reduced costs the one that gains most enters: asking
    /// costs little beside a pivot, and there are far fewer of those then.
    pub fn solve(&mut self, pivots: usize) -> u64 {
        let rows = self.rows;
        let mut work = 0;
        let mut stale = 0;
        let mut candidates: Vec<(f64, usize)> = Vec::new();
        for _ in 0..pivots.min(20 * rows + 1000) {
            candidates.clear();
            for row in 0..rows {
                let reduced = if row < self.kinds { self.price[row] } else { -self.price[row] };
                if reduced < -EPS && !self.is_basic[row] {
                    candidates.push((reduced, row));
                }
            }
            for column in 0..self.columns.len() {
                if !self.is_basic[2 * rows + column] {
                    let reduced = self.reduced(column);
                    if reduced < -EPS {
                        candidates.push((reduced, 2 * rows + column));
                    }
                }
            }
            work += self.columns.len() as u64 * 8;
            if candidates.is_empty() {
                break;
            }
            if candidates.len() > CANDIDATES {
                candidates.select_nth_unstable_by(CANDIDATES, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                candidates.truncate(CANDIDATES);
            }
            candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut best: Option<(f64, usize, Step)> = None;
            for (at, &(reduced, variable)) in candidates.iter().enumerate() {
                work += 4 * rows as u64;
                let Some(step) = self.step(variable) else { continue };
                let gain = -reduced * step.length;
                if best.as_ref().is_none_or(|best| gain > best.0 * (1.0 + 1e-9)) {
                    best = Some((gain, at, step));
                }
            }
            match best {
                Some((_, at, step)) => {
                    work += self.enter(candidates[at].1, candidates[at].0, &step);
                    work += self.tidy();
                }
                // Numbers that have drifted; once more with fresh ones.
                None if stale > 1 => break,
                None => {
                    stale += 1;
                    work += self.refresh();
                }
            }
        }
        work
    }

    /// Solves the programme again after contents were forbidden or items went, by the dual
    /// simplex, as long as its value is not above `most`. Every pivot is told: the row, the
    /// variable that was in it, and the arithmetic done; the answer is whether to go on.
    pub fn resolve(&mut self, most: f64, mut tell: impl FnMut(usize, usize, u64) -> bool) -> Resolved {
        let rows = self.rows;
        for _ in 0..4 * rows + 100 {
            if self.objective() > most {
                return Resolved::Above;
            }
            // Below nothing, or forbidden and above it.
            let wrong = |row: usize| match self.basis[row] {
                variable if variable >= rows && self.is_out(variable) => self.value[row].abs(),
                _ => -self.value[row],
            };
            let gain = |row: usize| wrong(row) * wrong(row) / self.weight[row];
            let rows_wrong = (0..rows).filter(|&row| wrong(row) > TOLERANCE);
            let Some(row) = rows_wrong.max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(b.cmp(&a))) else {
                return Resolved::Optimal;
            };
            let sign = if self.value[row] < 0.0 { -1.0 } else { 1.0 };
            let own: Vec<f64> = (0..rows).map(|at| sign * self.inverse[at * rows + row]).collect();
            let Some((variable, reduced)) = self.entering(&own) else {
                return Resolved::Infeasible(own[..self.kinds].to_vec());
            };
            let alpha = self.seen(variable);
            if alpha[row].abs() < PIVOT {
                return Resolved::Stuck;
            }
            let left = self.basis[row];
            let step = Step { length: self.value[row] / alpha[row], alpha, leaves: row };
            self.weigh(&step);
            let work = self.enter(variable, reduced, &step) + 16 * self.columns.len() as u64 + self.tidy();
            if !tell(row, left, work) {
                return Resolved::Stuck;
            }
        }
        Resolved::Stuck
    }

    /// Weights of the rows after a step (dual Devex; Forrest and Goldfarb 1992).
    fn weigh(&mut self, step: &Step) {
        let Step { alpha, leaves, .. } = step;
        let own = self.weight[*leaves] / (alpha[*leaves] * alpha[*leaves]);
        for (weight, alpha) in self.weight.iter_mut().zip(alpha) {
            *weight = weight.max(alpha * alpha * own);
        }
        self.weight[*leaves] = own.max(1.0);
        if own > HEAVY {
            self.weight.fill(1.0);
        }
    }

    /// The variable with the least reduced cost for what it adds to the row, and that cost.
    fn entering(&self, own: &[f64]) -> Option<(usize, f64)> {
        let mut best: Option<(f64, f64, usize, f64)> = None;
        let mut look = |variable: usize, alpha: f64, reduced: f64| {
            if alpha > ENTERING {
                let ratio = reduced.max(0.0) / alpha;
                if best.is_none_or(|(least, size, ..)| {
                    ratio < least - 1e-9 || (ratio < least + 1e-9 && alpha > size)
                }) {
                    best = Some((ratio, alpha, variable, reduced));
                }
            }
        };
        for row in (0..self.rows).filter(|&row| !self.is_basic[row]) {
            let sign = if row < self.kinds { -1.0 } else { 1.0 };
            look(row, sign * own[row], -sign * self.price[row]);
        }
        for (at, (filled, _)) in self.columns.iter().enumerate() {
            if !self.is_basic[2 * self.rows + at] && !self.forbidden[at] {
                let alpha: f64 =
                    filled.content.iter().map(|&(kind, many)| own[kind as usize] * f64::from(many)).sum();
                let alpha = alpha + own[self.kinds + filled.class as usize];
                if alpha > ENTERING {
                    look(2 * self.rows + at, alpha, self.reduced(at));
                }
            }
        }
        best.map(|(_, _, variable, reduced)| (variable, reduced))
    }

    /// Is the variable artificial or forbidden?
    fn is_out(&self, variable: usize) -> bool {
        variable.checked_sub(2 * self.rows).is_none_or(|column| self.forbidden[column])
    }

    /// Brings the variable back into the row, as it was before a pivot. Returns the
    /// arithmetic done.
    pub fn pivot_back(&mut self, row: usize, variable: usize) -> u64 {
        let alpha = self.seen(variable);
        if alpha[row].abs() < PIVOT {
            return 0;
        }
        let reduced: f64 = self.cost(variable)
            - self.entries(variable).iter().map(|&(at, amount)| self.price[at] * amount).sum::<f64>();
        let step = Step { length: self.value[row] / alpha[row], alpha, leaves: row };
        self.enter(variable, reduced, &step) + self.tidy()
    }

    /// Computes everything anew from time to time. Returns the arithmetic done.
    fn tidy(&mut self) -> u64 {
        if self.pivots.is_multiple_of(REFRESH) { self.refresh() } else { 0 }
    }

    /// A variable as the basis sees it.
    fn seen(&self, variable: usize) -> Vec<f64> {
        let rows = self.rows;
        let mut alpha = vec![0.0; rows];
        for (at, amount) in self.entries(variable) {
            let column = &self.inverse[at * rows..(at + 1) * rows];
            alpha.iter_mut().zip(column).for_each(|(alpha, entry)| *alpha += entry * amount);
        }
        alpha
    }

    /// How far a variable can rise, and which one leaves for it.
    fn step(&self, variable: usize) -> Option<Step> {
        let rows = self.rows;
        let alpha = self.seen(variable);
        let mut leaves: Option<(f64, usize)> = None;
        for row in 0..rows {
            if alpha[row] > PIVOT {
                let ratio = self.value[row].max(0.0) / alpha[row];
                if leaves.is_none_or(|(least, other)| {
                    ratio < least - 1e-12 || (ratio < least + 1e-12 && alpha[row] > alpha[other])
                }) {
                    leaves = Some((ratio, row));
                }
            }
        }
        leaves.map(|(length, leaves)| Step { alpha, length, leaves })
    }

    fn enter(&mut self, variable: usize, reduced: f64, step: &Step) -> u64 {
        let rows = self.rows;
        let Step { alpha, length, leaves } = step;
        self.pivots += 1;
        let mut work = 0;
        for (column, price) in self.inverse.chunks_exact_mut(rows).zip(&mut self.price) {
            if column[*leaves] == 0.0 {
                continue;
            }
            let own = column[*leaves] / alpha[*leaves];
            column.iter_mut().zip(alpha).for_each(|(entry, alpha)| *entry -= alpha * own);
            column[*leaves] = own;
            *price += reduced * own;
            work += rows as u64;
        }
        self.value.iter_mut().zip(alpha).for_each(|(value, alpha)| *value -= alpha * length);
        self.value[*leaves] = *length;
        self.is_basic[self.basis[*leaves]] = false;
        self.is_basic[variable] = true;
        self.basis[*leaves] = variable;
        work + rows as u64
    }

    /// Computes the inverse, the values and the prices anew (Gauss and Jordan). Of the rows
    /// with a large enough pivot the emptiest is taken (Markowitz 1957), and only entries that
    /// are not zero are looked at. Returns the arithmetic done.
    fn refresh(&mut self) -> u64 {
        let rows = self.rows;
        let mut matrix = vec![0.0; rows * rows];
        let mut filled = vec![0u32; rows];
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(rows);
        for (at, &variable) in self.basis.iter().enumerate() {
            let entries = self.entries(variable);
            order.push((entries.len(), at));
            for (row, amount) in entries {
                matrix[row * rows + at] = amount;
                filled[row] += 1;
            }
        }
        order.sort_unstable();
        let mut inverse = vec![0.0; rows * rows];
        (0..rows).for_each(|row| inverse[row * rows + row] = 1.0);
        // By position in the basis: the row that is solved for it.
        let mut row_of = vec![usize::MAX; rows];
        let mut is_free = vec![true; rows];
        let mut work = 0;
        for (_, at) in order {
            let size = |row: usize| matrix[row * rows + at].abs();
            let most = (0..rows).filter(|&row| is_free[row]).map(size).fold(0.0, f64::max);
            let good = (0..rows).filter(|&row| is_free[row] && size(row) >= 0.1 * most);
            let Some(pivot) = good.min_by_key(|&row| (filled[row], row)).filter(|_| most > 1e-10) else {
                // Singular: keep the drifted one.
                return work;
            };
            (row_of[at], is_free[pivot]) = (pivot, false);
            let scale = matrix[pivot * rows + at];
            let taken = |matrix: &mut [f64]| -> Vec<(usize, f64)> {
                let own = &mut matrix[pivot * rows..(pivot + 1) * rows];
                own.iter_mut().for_each(|entry| *entry /= scale);
                own.iter().copied().enumerate().filter(|row| row.1 != 0.0).collect()
            };
            let (own, own_inverse) = (taken(&mut matrix), taken(&mut inverse));
            for row in (0..rows).filter(|&row| row != pivot) {
                let factor = matrix[row * rows + at];
                if factor != 0.0 {
                    for &(col, entry) in &own {
                        let target = &mut matrix[row * rows + col];
                        let before = *target != 0.0;
                        *target -= factor * entry;
                        if target.abs() < 1e-13 {
                            *target = 0.0;
                        }
                        filled[row] = filled[row] + u32::from(*target != 0.0) - u32::from(before);
                    }
                    for &(col, entry) in &own_inverse {
                        inverse[row * rows + col] -= factor * entry;
                    }
                    work += (own.len() + own_inverse.len()) as u64;
                }
            }
            work += 4 * rows as u64;
        }
        self.price.fill(0.0);
        for (at, &variable) in self.basis.iter().enumerate() {
            let row = &inverse[row_of[at] * rows..(row_of[at] + 1) * rows];
            self.value[at] = row.iter().zip(&self.rhs).map(|(entry, rhs)| entry * rhs).sum();
            let cost = match variable {
                _ if variable < rows => continue,
                _ if variable < 2 * rows => ARTIFICIAL,
                _ => self.columns[variable - 2 * rows].1,
            };
            self.price.iter_mut().zip(row).for_each(|(price, entry)| *price += cost * entry);
        }
        for at in 0..rows {
            for row in 0..rows {
                self.inverse[at * rows + row] = inverse[row_of[row] * rows + at];
            }
        }
        work + (rows * rows) as u64
    }
}

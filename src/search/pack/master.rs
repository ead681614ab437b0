//! The linear programme over contents of bins: a small revised simplex.
//!
//! One row for each kind (at least so many of it are in bins) and one for each class (at
//! most so many bins are used); a column is what a bin may contain (Gilmore and Gomory
//! 1961). Columns come one by one, so the basis is kept as an explicit inverse that each
//! pivot updates. Kinds start with artificial columns of a high price. The right-hand
//! sides are pulled apart by a tiny amount each: ties among them would make the simplex
//! stand still. What is proved never rests on these numbers (see `bound::column`).

use super::boxes::Boxes;
use super::boxes::Filled;

/// Smaller reduced costs and pivots count as none.
const EPS: f64 = 1e-7;
const PIVOT: f64 = 1e-7;
/// What it costs not to place an item.
const ARTIFICIAL: f64 = 8.0;
/// After so many pivots the inverse is computed anew.
const REFRESH: usize = 400;

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

    /// Adds a content.
    pub fn add(&mut self, filled: Filled, paid: bool) {
        self.columns.push((filled, if paid { 1.0 } else { 0.0 }));
        self.is_basic.push(false);
    }

    /// The contents, by their number.
    pub fn column(&self, at: usize) -> &Filled {
        &self.columns[at].0
    }

    /// Number of contents.
    pub fn columns(&self) -> usize {
        self.columns.len()
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
                    if self.pivots.is_multiple_of(REFRESH) {
                        self.refresh();
                        work += (rows * rows * rows) as u64;
                    }
                }
                // Numbers that have drifted; once more with fresh ones.
                None if stale > 1 => break,
                None => {
                    stale += 1;
                    self.refresh();
                }
            }
        }
        work
    }

    /// How far a variable can rise, and which one leaves for it.
    fn step(&self, variable: usize) -> Option<Step> {
        let rows = self.rows;
        let entries = self.entries(variable);
        let mut alpha = vec![0.0; rows];
        for (at, amount) in entries {
            let column = &self.inverse[at * rows..(at + 1) * rows];
            alpha.iter_mut().zip(column).for_each(|(alpha, entry)| *alpha += entry * amount);
        }
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

    /// Computes the inverse, the values and the prices anew (Gauss and Jordan).
    fn refresh(&mut self) {
        let rows = self.rows;
        let mut matrix = vec![0.0; rows * rows];
        for (at, &variable) in self.basis.iter().enumerate() {
            for (row, amount) in self.entries(variable) {
                matrix[row * rows + at] = amount;
            }
        }
        let mut inverse = vec![0.0; rows * rows];
        (0..rows).for_each(|row| inverse[row * rows + row] = 1.0);
        for at in 0..rows {
            let pivot = (at..rows)
                .max_by(|&a, &b| matrix[a * rows + at].abs().total_cmp(&matrix[b * rows + at].abs()))
                .unwrap_or(at);
            if matrix[pivot * rows + at].abs() < 1e-10 {
                // Singular: keep the drifted one.
                return;
            }
            if pivot != at {
                for col in 0..rows {
                    matrix.swap(pivot * rows + col, at * rows + col);
                    inverse.swap(pivot * rows + col, at * rows + col);
                }
            }
            let scale = matrix[at * rows + at];
            let own: Vec<f64> =
                matrix[at * rows..(at + 1) * rows].iter().map(|entry| entry / scale).collect();
            let own_inverse: Vec<f64> =
                inverse[at * rows..(at + 1) * rows].iter().map(|entry| entry / scale).collect();
            for row in 0..rows {
                let factor = matrix[row * rows + at];
                if row != at && factor != 0.0 {
                    let target = &mut matrix[row * rows..(row + 1) * rows];
                    target.iter_mut().zip(&own).for_each(|(entry, own)| *entry -= factor * own);
                    let target = &mut inverse[row * rows..(row + 1) * rows];
                    target.iter_mut().zip(&own_inverse).for_each(|(entry, own)| *entry -= factor * own);
                }
            }
            matrix[at * rows..(at + 1) * rows].copy_from_slice(&own);
            inverse[at * rows..(at + 1) * rows].copy_from_slice(&own_inverse);
        }
        self.price.fill(0.0);
        for (at, &variable) in self.basis.iter().enumerate() {
            let row = &inverse[at * rows..(at + 1) * rows];
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
                self.inverse[at * rows + row] = inverse[row * rows + at];
            }
        }
    }
}

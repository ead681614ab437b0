//! Is there room at all? A linear programme over kinds of items and regions of bins.
//!
//! Items that may go to the same bins form a kind, bins that the same kinds may go to a
//! region. A fraction of each kind goes to each region; no region takes more than its
//! bins hold together, dimension by dimension. When even that has no solution no packing
//! has, and the kinds with the least choice are the reason. Written with good_lp, solved
//! by microlp (or HiGHS, a feature): a few dozen columns for thousands of items.

use super::Proof;
use crate::problem::BitSet;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Problem;
use crate::problem::Role;
use good_lp::Expression;
use good_lp::ResolutionError;
use good_lp::Solution;
use good_lp::SolverModel;
use good_lp::constraint;
#[cfg(feature = "highs")]
use good_lp::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;
use good_lp::variable;
use good_lp::variables;
use rustc_hash::FxHashMap;

/// Kinds beyond which the programme is not written.
const MOST_KINDS: usize = 64;

/// The proof that items do not fit, if the relaxation can tell.
pub fn proof(problem: &Problem) -> Option<Proof> {
    let packing = &problem.packing;
    let bins = packing.bins.len();
    // A pinned item is a kind of its own bin; all others by their domain.
    let mut kinds: Vec<(BitSet, Vec<u64>, Vec<u32>)> = Vec::new();
    let mut fixed = vec![0u64; bins * packing.dims];
    let mut by_domain: FxHashMap<u32, usize> = FxHashMap::default();
    for (item, row) in packing.items.iter().enumerate() {
        let item = item as u32;
        if row.role == Role::Depart {
            continue;
        }
        if row.role == Role::Stay && row.pinned {
            for (sum, size) in fixed[row.source as usize * packing.dims..].iter_mut().zip(packing.then(item))
            {
                *sum += size;
            }
            continue;
        }
        let at = *by_domain.entry(row.domain).or_insert_with(|| {
            let mut domain = packing.domains[row.domain as usize].clone();
            for bin in 0..bins as u32 {
                if packing.bins[bin as usize].later == Later::Closed {
                    domain.remove(bin);
                }
            }
            kinds.push((domain, vec![0; packing.dims], Vec::new()));
            kinds.len() - 1
        });
        for (sum, size) in kinds[at].1.iter_mut().zip(packing.then(item)) {
            *sum += size;
        }
        kinds[at].2.push(item);
    }
    // One kind alone, in one dimension: the shortest reason.
    for (domain, demand, items) in &kinds {
        for (dim, &demand) in demand.iter().enumerate() {
            let room: u128 = domain.iter().map(|bin| u128::from(room_of(problem, &fixed, bin, dim))).sum();
            if u128::from(demand) > room {
                return Some(Proof::Room(items.clone(), domain.iter().collect(), dim as u32));
            }
        }
    }
    if kinds.len() < 2 || kinds.len() > MOST_KINDS {
        return None;
    }
    let mut regions: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for bin in 0..bins as u32 {
        let mask = kinds
            .iter()
            .enumerate()
            .fold(0u64, |mask, (at, kind)| mask | u64::from(kind.0.contains(bin)) << at);
        if mask != 0 {
            regions.entry(mask).or_default().push(bin);
        }
    }
    let mut regions: Vec<(u64, Vec<u32>)> = regions.into_iter().collect();
    regions.sort();
    let room: Vec<Vec<f64>> = regions
        .iter()
        .map(|(_, bins)| {
            (0..packing.dims)
                .map(|dim| bins.iter().map(|&bin| room_of(problem, &fixed, bin, dim) as f64).sum())
                .collect()
        })
        .collect();
    let mut vars = variables!();
    let share: Vec<Vec<Option<good_lp::Variable>>> = (0..kinds.len())
        .map(|kind| {
            regions
                .iter()
                .map(|(mask, _)| (mask >> kind & 1 == 1).then(|| vars.add(variable().min(0).max(1))))
                .collect()
        })
        .collect();
    // What cannot be placed is minimised: 0 exactly where the relaxation has a solution.
    let left: Vec<good_lp::Variable> = kinds.iter().map(|_| vars.add(variable().min(0).max(1))).collect();
    let mut model =
        vars.minimise(left.iter().copied().map(Expression::from).sum::<Expression>()).using(solver);
    for (kind, row) in share.iter().enumerate() {
        let placed: Expression = row.iter().flatten().copied().map(Expression::from).sum();
        model = model.with(constraint!(placed + left[kind] == 1));
    }
    for (region, room) in room.iter().enumerate() {
        for (dim, &room) in room.iter().enumerate() {
            let scale = room.max(1.0);
            let load: Expression = (0..kinds.len())
                .filter_map(|kind| Some(share[kind][region]? * (kinds[kind].1[dim] as f64 / scale)))
                .sum();
            model = model.with(constraint!(load <= room / scale));
        }
    }
    let solution = match model.solve() {
        Ok(solution) => solution,
        Err(ResolutionError::Infeasible) | Err(_) => return None,
    };
    let short: f64 = left.iter().map(|&left| solution.value(left)).sum();
    // Far beyond the rounding of the solver.
    if short < 1e-4 {
        return None;
    }
    let mut items: Vec<u32> = Vec::new();
    let mut where_to = BitSet::empty(bins);
    for (kind, &left) in left.iter().enumerate() {
        if solution.value(left) > 1e-5 {
            items.extend(&kinds[kind].2);
            kinds[kind].0.iter().for_each(|bin| where_to.insert(bin));
        }
    }
    items.sort_unstable();
    Some(Proof::Room(items, where_to.iter().collect(), NONE))
}

fn room_of(problem: &Problem, fixed: &[u64], bin: u32, dim: usize) -> u64 {
    let at = bin as usize * problem.packing.dims + dim;
    problem.packing.capacity_then[at].min(1 << 60).saturating_sub(fixed[at])
}

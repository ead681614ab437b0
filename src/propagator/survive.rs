//! A `Survive` relation, asked of a ledger.

use super::Ledger;
use super::restart;
use super::restart::Crash;
use crate::compile::FtMode;
use crate::problem::NONE;
use crate::problem::RelationKind;

/// What one question may cost, in comparisons of an item with a bin.
const BUDGET: u64 = 20_000_000;

/// By how much a `Survive` relation is broken: items left over after the worst failure
/// (or, in the coarser modes, load or slots that are missing). Where the budget ends
/// before the question is answered it counts as broken.
pub fn shortfall(ledger: &Ledger<'_>, at: u32, powered: &dyn Fn(u32) -> bool) -> u64 {
    let packing = ledger.packing();
    let RelationKind::Survive { bins, failures, mode } = &packing.relations[at as usize].kind else {
        return 0;
    };
    let failures = *failures as usize;
    let count = packing.bins.len() as u32;
    let open: Vec<bool> = (0..count).map(powered).collect();
    let exposed: Vec<bool> = (0..count).map(|bin| bins.contains(bin)).collect();
    let capacity = &packing.capacity_own;
    match mode {
        FtMode::Restart => {
            let mut sizes: Vec<u64> = Vec::new();
            let mut guests: Vec<Vec<u32>> = Vec::with_capacity(count as usize);
            let mut room: Vec<u64> = Vec::with_capacity(capacity.len());
            let mut seats = 0u32;
            for bin in 0..count {
                let mut here = ledger.guests(bin).to_vec();
                here.sort_unstable();
                guests.push((seats..seats + here.len() as u32).collect());
                seats += here.len() as u32;
                for item in here {
                    sizes.extend_from_slice(ledger.size_of(item));
                }
                let load = ledger.load(bin);
                room.extend(
                    capacity[bin as usize * packing.dims..]
                        .iter()
                        .zip(load)
                        .map(|(most, load)| most.saturating_sub(*load)),
                );
            }
            let crash = Crash {
                dims: packing.dims,
                room: &room,
                open: &open,
                exposed: &exposed,
                sizes: &sizes,
                guests: &guests,
            };
            restart::worst_crash(&crash, failures, &mut BUDGET.clone())
                .map_or(0, |report| (report.left.len() as u64).max(1))
        }
        FtMode::Aggregate => {
            let mut load = vec![0u64; packing.dims];
            for bin in 0..count {
                for (sum, load) in load.iter_mut().zip(ledger.load(bin)) {
                    *sum = sum.saturating_add(*load);
                }
            }
            restart::aggregate_shortfall(packing.dims, capacity, &open, &exposed, &load, failures)
                .iter()
                .fold(0, |sum, missing| sum.saturating_add(*missing))
        }
        FtMode::Slots => {
            let mut slot = vec![0u64; packing.dims];
            let mut items = 0;
            for bin in 0..count {
                for &item in ledger.guests(bin) {
                    debug_assert_ne!(item, NONE);
                    items += 1;
                    for (slot, size) in slot.iter_mut().zip(ledger.size_of(item)) {
                        *slot = (*slot).max(*size);
                    }
                }
            }
            restart::slots_shortfall(&slot, capacity, &open, &exposed, items, failures)
        }
    }
}

//! Is there enough on the way for all moves of a schedule?

use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::passage_of;

/// Does every move have a way, and does no channel carry more than its capacity at any
/// moment? At one moment ends come before starts. O(n log n) in what the moves take.
pub fn is_carried(problem: &Problem, steps: &[Step]) -> bool {
    let Some(transit) = &problem.project.transit else { return true };
    // (moment, is a start, channel, rate)
    let mut events: Vec<(u64, bool, u32, u64)> = Vec::new();
    for step in steps {
        match passage_of(problem, &step.kind) {
            None => {}
            Some(None) => return false,
            Some(Some(passage)) => {
                for &(channel, amount) in &passage.uses {
                    events.push((step.start, true, channel, amount));
                    events.push((step.end, false, channel, amount));
                }
            }
        }
    }
    events.sort_unstable();
    let mut left: Vec<u64> = transit.capacities().to_vec();
    events.iter().all(|&(_, starts, channel, rate)| {
        let left = &mut left[channel as usize];
        if !starts {
            *left += rate;
            return true;
        }
        let fits = *left >= rate;
        *left = left.saturating_sub(rate);
        fits
    })
}

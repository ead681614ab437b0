//! Is there enough of what all share for every step of a schedule?

use super::channel::Channels;
use crate::problem::Problem;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::passage_of_step;

/// Does every move have a way, and does no channel carry more than its capacity at any
/// moment, or for good? At one moment ends come before starts. O(n log n) in what the steps take.
pub fn is_carried(problem: &Problem, steps: &[Step]) -> bool {
    let Some(transit) = &problem.project.transit else { return true };
    // (moment, is a start, channel, amount)
    let mut events: Vec<(u64, bool, u32, u64)> = Vec::new();
    for step in steps {
        match step.kind {
            StepKind::Open(bin) => {
                events.extend(transit.standing(bin).iter().map(|&(at, taken)| (step.start, true, at, taken)));
                continue;
            }
            StepKind::Close(bin) => {
                events.extend(transit.standing(bin).iter().map(|&(at, given)| (step.end, false, at, given)));
                continue;
            }
            _ => {}
        }
        match passage_of_step(problem, step) {
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
    let mut channels = Channels::new(problem);
    let carried = events.iter().all(|&(_, starts, channel, amount)| {
        let usage = [(channel, amount)];
        if !starts {
            channels.give(&usage);
            return true;
        }
        let fits = channels.lacking(&usage).is_none();
        channels.take(&usage);
        fits
    });
    carried && !channels.owes()
}

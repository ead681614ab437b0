//! Fewest bins: lower bounds, one file each, all of them exact in integers.

use super::pack::boxes::Boxes;

pub mod column;
pub mod count;
pub mod dual_feasible;
pub mod sum;

/// The best of the bounds that take next to no time.
pub fn quick(boxes: &Boxes) -> u64 {
    sum::fewest(boxes).max(count::fewest(boxes)).max(dual_feasible::fewest(boxes))
}

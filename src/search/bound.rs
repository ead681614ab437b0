//! Fewest bins: lower bounds, one file each, all of them exact in integers.

pub mod column;
pub mod sum;

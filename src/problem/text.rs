//! A stable text form of a problem, for tests and for looking at it.

use super::Later;
use super::NONE;
use super::Problem;
use super::Role;
use std::fmt;

/// One line for each bin, item, relation, extra task and order.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packing = &self.packing;
        for (at, bin) in packing.bins.iter().enumerate() {
            let row = at * packing.dims..(at + 1) * packing.dims;
            let later = match bin.later {
                Later::Open => "open",
                Later::Closed => "closed",
                Later::Free => "free",
            };
            let now = if bin.open { "open" } else { "closed" };
            writeln!(f, "bin {at}: {now}, then {later}, capacity {:?}", &packing.capacity_then[row])?;
        }
        for (at, item) in packing.items.iter().enumerate() {
            let at = at as u32;
            let role = match item.role {
                Role::Stay if item.pinned => "pinned",
                Role::Stay => "stays",
                Role::Arrive => "arrives",
                Role::Depart => "departs",
            };
            write!(f, "item {at}: {role}")?;
            if item.source != NONE {
                write!(f, " from {}", item.source)?;
            }
            write!(f, ", size {:?}", packing.now(at))?;
            if packing.resizes(at) {
                write!(f, " then {:?}", packing.then(at))?;
            }
            let domain = &packing.domains[item.domain as usize];
            if !domain.is_full() {
                write!(f, ", within {:?}", domain.iter().collect::<Vec<_>>())?;
            }
            writeln!(f)?;
        }
        for relation in &packing.relations {
            let when = if relation.continuous { "always" } else { "finally" };
            write!(f, "{when} {:?}", relation.kind)?;
            if let Some(penalty) = relation.penalty {
                write!(f, " or {penalty} each")?;
            }
            writeln!(f)?;
        }
        for (order, _) in &self.project.orders {
            writeln!(f, "{order:?}")?;
        }
        Ok(())
    }
}

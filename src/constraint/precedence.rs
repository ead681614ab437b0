//! `precedence`: one VM is relocated before another.
//!
//! # Meaning
//! Every relocation of `first` ends at or before the start of every relocation of
//! `then`. Satisfied where one of them is not relocated. A VM before itself may not be
//! relocated at all.
//!
//! # Discrete and continuous
//! Continuous only: it speaks of the whole plan.
//!
//! # In the language
//! `before(vm1, vm2);`
//!
//! # In JSON
//! `{"precedence": {"first": "vm1", "then": "vm2"}}`
//!
//! # Compiles to
//! A precedence between the relocation tasks.
//!
//! # Cost
//! Checking: the actions of both. Planning: one precedence.
//!
//! # See also
//! `serialize` (any order), `seq` (changes of state), `deadline`.
//!
//! Deviation from BtrPlace: satisfied, not infeasible, where one of the VMs is not
//! relocated because it does not run; the checker enforces it.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// The relocations of one VM before those of another.
    pub struct Precedence {
        /// The VM that goes first.
        first("vm1"): VmId,
        /// The VM that waits.
        then("vm2"): VmId,
    }
    name = "precedence", btrplace = Some("Precedence"), flag = WrittenFalse,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("precedence.rs");
    check = |_| Ok(());
}

impl SideConstraint for Precedence {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let end = run.relocations_of(self.first).into_iter().map(|(_, end)| end).max();
        let start = run.relocations_of(self.then).into_iter().map(|(start, _)| start).min();
        let (Some(end), Some(start)) = (end, start) else { return Ok(()) };
        if end <= start {
            return Ok(());
        }
        let names = run.instance();
        let text = format!(
            "the relocation of {} starts at {start} s, before that of {} ends at {end} s",
            names.vm_name(self.then),
            names.vm_name(self.first)
        );
        Err(Violation::new(end - start, vec![self.first, self.then], Vec::new(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        if self.first == self.then {
            builder.stay(self.first);
        } else {
            builder.precedence(self.first, self.then);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn ends_before_the_other_starts() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [v0, v1] = ["v0", "v1"].map(|name| b.running_vm(name, n0));
        let instance = b.build().expect("a valid instance");
        let rule = Precedence { first: v0, then: v1 };
        let [m0, m1] = [v0, v1].map(|vm| Migrate { vm, from: n0, to: n1 });
        assert_eq!(over(&rule, &instance, &[(m0, 0, 3), (m1, 3, 5)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(m0, 0, 3), (m1, 2, 5)]).map_err(|v| v.amount), Err(1));
        assert!(over(&rule, &instance, &[(m1, 0, 2), (m0, 2, 5)]).is_err());
        // Not applicable where one stays, or stops.
        assert_eq!(over(&rule, &instance, &[(m1, 0, 2)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(m1, 0, 2), (Shutdown { vm: v0, node: n0 }, 1, 9)]), Ok(()));
        let itself = Precedence { first: v0, then: v0 };
        assert_eq!(over(&itself, &instance, &[(m1, 0, 2)]), Ok(()));
        assert!(over(&itself, &instance, &[(m0, 0, 2)]).is_err());
    }
}

//! `deadline`: the relocations of a VM are over by a moment.
//!
//! # Meaning
//! Every relocation of `vm` ends at or before `timestamp`: `+hh:mm:ss` from the start of
//! the plan, or `hh:mm:ss`, a time of day. A VM that is not relocated satisfies it.
//!
//! A time of day means something only once it is known when the plan starts: it is then
//! the first such moment after the start, on the next day if need be (`--start HH:MM:SS`
//! on the command line; `start_of_day` in a program). Where that is not said, the plan
//! starts at midnight.
//!
//! # Discrete and continuous
//! Continuous only: it speaks of the whole plan.
//!
//! # In the language
//! `before(vm1, "+00:10:00");`
//!
//! # In JSON
//! `{"deadline": {"vm": "vm1", "timestamp": "+00:10:00"}}`
//!
//! # Compiles to
//! A last end of the VM's relocation tasks.
//!
//! # Cost
//! Checking: the actions of the VM. Planning: constant.
//!
//! # See also
//! `noDelay` (a first moment), `precedence`.
//!
//! Deviation from BtrPlace: hours go from 00 to 23, so `+12:00:00` is twelve hours; the
//! clock of the machine is never asked; the checker enforces it.

use super::Argument;
use super::Constraint;
use super::Restrictions;
use super::SideConstraint;
use super::Timestamp;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Instance;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;
use std::borrow::Cow;
use std::sync::Arc;

side_constraint! {
    /// The relocations of the VM are over by then.
    pub struct Deadline {
        /// The VM.
        vm("vm"): VmId,
        /// The last moment at which a relocation may end.
        timestamp("timestamp"): Timestamp,
    }
    name = "deadline", btrplace = Some("Deadline"), flag = WrittenFalse,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("deadline.rs");
    check = |_| Ok(());
}

impl Deadline {
    /// The deadline in seconds from the start of the plan; `None` for a time of day
    /// while it is not known when the plan starts (in seconds from midnight).
    pub fn seconds(&self, start_of_day: Option<u32>) -> Option<u64> {
        const DAY: u32 = 24 * 60 * 60;
        match self.timestamp {
            Timestamp::Relative(seconds) => Some(seconds),
            Timestamp::OfDay(moment) => {
                let start = start_of_day? % DAY;
                let wait = if moment >= start { moment - start } else { moment + DAY - start };
                Some(u64::from(wait))
            }
        }
    }

    /// The same, from the start of a plan that starts at that time of day, in seconds
    /// from midnight.
    pub fn relative_to(&self, start_of_day: u32) -> Self {
        let timestamp = self.seconds(Some(start_of_day)).map_or(self.timestamp, Timestamp::Relative);
        Self { vm: self.vm, timestamp }
    }

    /// The instance for a plan that starts at that time of day: deadlines at a time of day
    /// become such from the start. O(constraints).
    pub fn settle(instance: &Instance, start_of_day: Option<u32>) -> Cow<'_, Instance> {
        let mut settled = Cow::Borrowed(instance);
        let Some(start) = start_of_day else { return settled };
        for (at, constraint) in instance.constraints().iter().enumerate() {
            if let Some(constraint) = Self::settled(constraint, start) {
                settled.to_mut().constraints[at] = constraint;
            }
        }
        settled
    }

    /// The constraint from the start of a plan that starts then, if it is a deadline at a
    /// time of day.
    fn settled(constraint: &Constraint, start_of_day: u32) -> Option<Constraint> {
        if constraint.rule.signature().name != Self::SIGNATURE.name {
            return None;
        }
        let [Argument::Vm(vm), Argument::Time(timestamp @ Timestamp::OfDay(_))] =
            constraint.rule.arguments()[..]
        else {
            return None;
        };
        let rule = Arc::new(Self { vm, timestamp }.relative_to(start_of_day));
        Some(Constraint { rule, ..constraint.clone() })
    }

    /// As [`Deadline::seconds`], a plan of unknown start starting at midnight.
    fn last_end(&self) -> u64 {
        self.seconds(Some(0)).unwrap_or(u64::MAX)
    }
}

impl SideConstraint for Deadline {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let last = self.last_end();
        let late: Vec<u64> =
            run.relocations_of(self.vm).into_iter().map(|(_, end)| end).filter(|&end| end > last).collect();
        let Some(end) = late.iter().max() else { return Ok(()) };
        let text = format!(
            "the relocation of {} ends at {end} s, after its deadline at {last} s ({})",
            run.instance().vm_name(self.vm),
            self.timestamp
        );
        Err(Violation::new(end - last, vec![self.vm], Vec::new(), text))
    }

    fn is_about_moments(&self) -> bool {
        true
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.deadline(self.vm, self.last_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn relocations_end_by_then() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vm = b.running_vm("vm", n0);
        let ready = b.ready_vm("ready");
        let instance = b.build().expect("a valid instance");
        let rule = Deadline { vm, timestamp: Timestamp::Relative(10) };
        let migrate = Migrate { vm, from: n0, to: n1 };
        assert_eq!(over(&rule, &instance, &[]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(migrate, 7, 10)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(migrate, 8, 12)]).map_err(|v| v.amount), Err(2));
        // Other actions, and other VMs, are free.
        assert_eq!(over(&rule, &instance, &[(Suspend { vm, node: n0 }, 20, 21)]), Ok(()));
        assert_eq!(over(&rule, &instance, &[(Boot { vm: ready, node: n0 }, 20, 21)]), Ok(()));
        let cloned = [(ForgeClone { vm }, 0, 9), (BootClone { vm, from: n0, to: n1 }, 9, 10)];
        assert_eq!(over(&rule, &instance, &cloned), Ok(()));
        let stopped = [cloned[0], cloned[1], (ShutdownOriginal { vm, from: n0 }, 10, 11)];
        assert_eq!(over(&rule, &instance, &stopped).map_err(|v| v.amount), Err(1));
    }

    #[test]
    fn times_of_day() {
        let vm = VmId(0);
        let at = |timestamp| Deadline { vm, timestamp };
        let noon = at(Timestamp::OfDay(43_200));
        assert_eq!(noon.seconds(None), None);
        assert_eq!(noon.seconds(Some(43_000)), Some(200));
        assert_eq!(noon.seconds(Some(43_200)), Some(0));
        // Past already: the next day.
        assert_eq!(noon.seconds(Some(43_201)), Some(86_399));
        assert_eq!(noon.last_end(), 43_200);
        assert_eq!(at(Timestamp::Relative(5)).seconds(None), Some(5));
        let hundred = Constraint::new(at(Timestamp::Relative(100)));
        assert_eq!(Deadline::settled(&Constraint::new(noon), 43_100), Some(hundred.clone()));
        assert_eq!(Deadline::settled(&hundred, 43_100), None);
        let other = Constraint::new(super::super::root::Root { vm });
        assert_eq!(Deadline::settled(&other, 43_100), None);
    }
}

//! `seq`: VMs change state one after the other, in the order of a list.
//!
//! # Meaning
//! For consecutive VMs of `vms` among those that change state: the change of the first
//! ends at or before the start of the change of the next. A change of state is a boot,
//! resume, suspend, shutdown, forge or kill. Relocations and allocations do not count,
//! and VMs that keep their state are passed over. No VM is listed twice.
//!
//! # Discrete and continuous
//! Continuous only.
//!
//! # In the language
//! `seq({vm1, vm2, vm3});`
//!
//! # In JSON
//! `{"seq": {"vms": ["vm1", "vm2", "vm3"]}}`
//!
//! # Compiles to
//! A chain of precedences.
//!
//! # Cost
//! Checking: linear in the actions of the VMs. Planning: one precedence for each VM.
//!
//! # See also
//! `precedence` and `serialize` (relocations), `noDelay`.
//!
//! Deviation from BtrPlace: a list may have several VMs that are killed; kills wait for
//! their turn.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::VmSequence;
use super::Watch;
use crate::compile::Builder;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// The VMs change state one after the other, in this order.
    pub struct Seq {
        /// The VMs, in order.
        vms("vms"): VmSequence,
    }
    name = "seq", btrplace = Some("seq"), flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("seq.rs");
    check = |rule| {
        let mut vms = rule.vms.0.to_vec();
        vms.sort_unstable();
        match vms.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err("a VM is listed twice in `vms`; it has one turn only".to_owned()),
            false => Ok(()),
        }
    };
}

impl SideConstraint for Seq {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let mut vms = Vec::new();
        let mut first_fault = None;
        let mut before: Option<(u64, VmId)> = None;
        for &vm in self.vms.0.iter() {
            let changes = run.actions_of(vm).filter(|action| action.kind.is_transition());
            let span = changes.fold(None, |span: Option<(u64, u64)>, action| match span {
                None => Some((action.start, action.end)),
                Some((start, end)) => Some((start.min(action.start), end.max(action.end))),
            });
            let Some((start, end)) = span else { continue };
            if let Some((done, other)) = before
                && done > start
            {
                vms.push(vm);
                first_fault.get_or_insert((other, done, vm, start));
            }
            if before.is_none_or(|(done, _)| done <= end) {
                before = Some((end, vm));
            }
        }
        let Some((first, done, then, start)) = first_fault else { return Ok(()) };
        let names = run.instance();
        let text = format!(
            "{} starts at {start} s, before {} is done at {done} s",
            names.vm_name(then),
            names.vm_name(first)
        );
        let amount = vms.len() as u64;
        vms.push(first);
        Err(Violation::new(amount, vms, Vec::new(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.sequence(&self.vms.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Described;
    use crate::constraint::over;
    use crate::model::ActionKind::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn one_after_the_other_in_list_order() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [runs, stays] = ["runs", "stays"].map(|name| b.running_vm(name, n0));
        let [ready, idle] = ["ready", "idle"].map(|name| b.ready_vm(name));
        let sleeps = b.sleeping_vm("sleeps", n1);
        let instance = b.build().expect("a valid instance");
        let suspend = Suspend { vm: runs, node: n0 };
        let boot = Boot { vm: ready, node: n0 };
        let resume = Resume { vm: sleeps, from: n1, to: n1 };
        let migrate = Migrate { vm: stays, from: n0, to: n1 };
        // Those that keep their state are passed over, wherever they are; migrations too.
        let rule = Seq { vms: VmSequence([idle, runs, stays, ready, sleeps].into()) };
        let good = [(migrate, 0, 1), (suspend, 2, 3), (boot, 3, 4), (resume, 4, 5)];
        assert_eq!(over(&rule, &instance, &good), Ok(()));
        assert_eq!(over(&rule, &instance, &[]), Ok(()));
        let overlap = [(suspend, 2, 3), (boot, 3, 4), (resume, 3, 5)];
        let broken = over(&rule, &instance, &overlap).map_err(|v| (v.amount, v.vms));
        assert_eq!(broken, Err((1, vec![ready, sleeps])));
        let disordered = [(boot, 1, 2), (suspend, 2, 3), (resume, 4, 5)];
        assert!(over(&rule, &instance, &disordered).is_err());
        // Kills wait for their turn.
        let kills = [(Kill { vm: runs, node: Some(n0) }, 0, 1), (Kill { vm: ready, node: None }, 1, 2)];
        assert_eq!(over(&rule, &instance, &kills), Ok(()));
        // A late VM far down the list is compared with the one that ends last.
        let far = [(suspend, 0, 9), (boot, 9, 10), (resume, 3, 4)];
        assert!(over(&rule, &instance, &far).is_err());
    }

    #[test]
    fn a_vm_has_one_turn() {
        let twice = Seq { vms: VmSequence([VmId(1), VmId(0), VmId(1)].into()) };
        assert!((Seq::SIGNATURE.build)(&twice.arguments()).is_err());
        let once = Seq { vms: VmSequence([VmId(1), VmId(0)].into()) };
        assert!((Seq::SIGNATURE.build)(&once.arguments()).is_ok());
    }
}

//! `serialize`: VMs are relocated one at a time.
//!
//! # Meaning
//! No two relocations of different VMs of `vms` overlap: one ends at or before the start
//! of the other. The order is free. Members that are not relocated do not take part.
//!
//! # Discrete and continuous
//! Continuous only: it speaks of the whole plan.
//!
//! # In the language
//! `serialize({vm1, vm2, vm3});`
//!
//! # In JSON
//! `{"serialize": {"vms": ["vm1", "vm2", "vm3"]}}`
//!
//! # Compiles to
//! No overlap among the relocation tasks.
//!
//! # Cost
//! Checking: n log n in the relocations. Planning: a resource of one unit.
//!
//! # See also
//! `precedence` (a given order), `sync` (all at once), `seq` (changes of state).
//!
//! Deviation from BtrPlace: the checker enforces it.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Run;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;

side_constraint! {
    /// One relocation of the VMs at a time.
    pub struct Serialize {
        /// The VMs.
        vms("vms"): VmSet,
    }
    name = "serialize", btrplace = Some("Serialize"), flag = WrittenFalse,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("serialize.rs");
    check = |_| Ok(());
}

impl SideConstraint for Serialize {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let mut spans: Vec<(u64, u64, VmId)> = Vec::new();
        for &vm in self.vms.iter() {
            spans.extend(run.relocations_of(vm).into_iter().map(|(start, end)| (start, end, vm)));
        }
        spans.sort_unstable();
        // By start: the latest end so far, and the latest of any other VM.
        let mut latest: Option<(u64, VmId)> = None;
        let mut runner_up: Option<(u64, VmId)> = None;
        let mut overlaps: Vec<(VmId, VmId, u64)> = Vec::new();
        for &(start, end, vm) in &spans {
            let other = if latest.is_some_and(|(_, last)| last == vm) { runner_up } else { latest };
            if let Some((until, other)) = other
                && until > start
            {
                overlaps.push((other, vm, start));
            }
            match latest {
                Some((until, last)) if last == vm => latest = Some((until.max(end), vm)),
                Some((until, _)) if until > end => {
                    if runner_up.is_none_or(|(second, _)| second < end) {
                        runner_up = Some((end, vm));
                    }
                }
                _ => {
                    runner_up = latest;
                    latest = Some((end, vm));
                }
            }
        }
        let Some(&(one, two, start)) = overlaps.first() else { return Ok(()) };
        let names = run.instance();
        let text = format!(
            "the relocation of {} starts at {start} s, while that of {} is under way",
            names.vm_name(two),
            names.vm_name(one)
        );
        let vms = overlaps.iter().flat_map(|&(one, two, _)| [one, two]).collect();
        Err(Violation::new(overlaps.len() as u64, vms, Vec::new(), text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.serialize(&self.vms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind;
    use crate::model::InstanceBuilder;

    #[test]
    fn one_at_a_time() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vms = ["v0", "v1", "v2", "free"].map(|name| b.running_vm(name, n0));
        let instance = b.build().expect("a valid instance");
        let rule = Serialize { vms: vms[..3].into() };
        let plan = |spans: &[(usize, u64, u64)]| {
            let moves: Vec<_> = spans
                .iter()
                .map(|&(vm, start, end)| (ActionKind::Migrate { vm: vms[vm], from: n0, to: n1 }, start, end))
                .collect();
            over(&rule, &instance, &moves).map_err(|v| (v.amount, v.vms))
        };
        assert_eq!(plan(&[]), Ok(()));
        assert_eq!(plan(&[(2, 0, 3), (0, 3, 4), (1, 4, 9), (3, 0, 9)]), Ok(()));
        assert_eq!(plan(&[(0, 0, 3), (1, 2, 4)]), Err((1, vec![vms[0], vms[1]])));
        // Each of two short ones within a long one; a VM does not overlap with itself.
        assert_eq!(plan(&[(0, 0, 9), (1, 1, 2), (2, 3, 4)]).map_err(|broken| broken.0), Err(2));
        assert_eq!(plan(&[(0, 0, 2), (0, 2, 5), (1, 5, 6)]), Ok(()));
        assert_eq!(plan(&[(1, 0, 4), (0, 4, 9), (0, 9, 10), (2, 8, 10)]).map_err(|broken| broken.0), Err(2));
    }
}

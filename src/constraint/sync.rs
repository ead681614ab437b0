//! `sync`: VMs are relocated together.
//!
//! # Meaning
//! Each member of `vms` that is relocated has a moment: the end of its relocation, or
//! the start of it where the attribute `postCopy` of the VM is true (then it runs on its
//! new node from the start). All these moments are equal. Members that are not
//! relocated do not take part; a member that is relocated twice breaks the rule.
//!
//! # Discrete and continuous
//! Continuous only: it speaks of the whole plan.
//!
//! # In the language
//! `sync({vm1, vm2});`
//!
//! # In JSON
//! `{"sync": {"vms": ["vm1", "vm2"]}}`
//!
//! # Compiles to
//! Equal ends (or starts) of the relocation tasks.
//!
//! # Cost
//! Checking: linear in the relocations. Planning: one equation for each VM.
//!
//! # See also
//! `serialize` (one at a time), `gather` (on one node).
//!
//! Deviation from BtrPlace: members that stay do not tie those that move; the checker
//! enforces it.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Instance;
use crate::model::Run;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmSet;
use crate::side_constraint;

side_constraint! {
    /// The relocations of the VMs end together.
    pub struct Sync {
        /// The VMs.
        vms("vms"): VmSet,
    }
    name = "sync", btrplace = Some("Sync"), flag = WrittenFalse,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("sync.rs");
    check = |_| Ok(());
}

impl Sync {
    /// Is the VM's moment the start of its relocation, instead of the end?
    pub fn is_post_copy(instance: &Instance, vm: VmId) -> bool {
        let attributes = instance.vms().attributes();
        attributes.get(vm.index(), "postCopy").and_then(Value::as_bool) == Some(true)
    }
}

impl SideConstraint for Sync {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let names = run.instance();
        let mut moments: Vec<(u64, VmId)> = Vec::new();
        let mut twice = Vec::new();
        for &vm in self.vms.iter() {
            let moves = run.relocations_of(vm);
            let Some(&(start, end)) = moves.first() else { continue };
            moments.push((if Self::is_post_copy(names, vm) { start } else { end }, vm));
            if moves.len() > 1 {
                twice.push(vm);
            }
        }
        moments.sort_unstable();
        let apart = moments.chunk_by(|a, b| a.0 == b.0).count().saturating_sub(1);
        let amount = (apart + twice.len()) as u64;
        let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return Ok(()) };
        let text = if apart > 0 {
            format!(
                "{} is relocated at {} s, {} at {} s; they are to be relocated together",
                names.vm_name(first.1),
                first.0,
                names.vm_name(last.1),
                last.0
            )
        } else if !twice.is_empty() {
            format!("{} is relocated more than once; it has one moment only", super::vm_names(names, &twice))
        } else {
            return Ok(());
        };
        Err(Violation::new(amount, moments.iter().map(|moment| moment.1).collect(), Vec::new(), text))
    }

    fn is_about_moments(&self) -> bool {
        true
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.sync(&self.vms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::ActionKind;
    use crate::model::InstanceBuilder;

    #[test]
    fn equal_moments() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let vms = ["v0", "v1", "post", "stays", "free"].map(|name| b.running_vm(name, n0));
        b.vm_attribute(vms[2], "postCopy", Value::Bool(true));
        let instance = b.build().expect("a valid instance");
        let rule = Sync { vms: vms[..4].into() };
        let plan = |spans: &[(usize, u64, u64)]| {
            let moves: Vec<_> = spans
                .iter()
                .map(|&(vm, start, end)| (ActionKind::Migrate { vm: vms[vm], from: n0, to: n1 }, start, end))
                .collect();
            over(&rule, &instance, &moves).map_err(|v| (v.amount, v.vms))
        };
        assert_eq!(plan(&[]), Ok(()));
        // Equal ends; the post-copy one starts then; one stays; strangers are free.
        assert_eq!(plan(&[(0, 0, 5), (1, 3, 5), (2, 5, 9), (4, 1, 2)]), Ok(()));
        assert_eq!(plan(&[(0, 0, 5), (1, 0, 4)]), Err((1, vec![vms[0], vms[1]])));
        assert_eq!(plan(&[(0, 0, 5), (2, 0, 5)]), Err((1, vec![vms[0], vms[2]])));
        assert_eq!(plan(&[(0, 0, 5), (0, 5, 6)]), Err((1, vec![vms[0]])));
    }
}

//! `quarantine`: nothing enters a node, and nobody migrates away from it.
//!
//! # Meaning
//! In the whole plan no VM boots on `node`, migrates to it or resumes there, save those
//! that sleep there; no VM that runs there is relocated. VMs there may be shut down,
//! suspended and killed, and the node may be switched off once empty. A node without
//! VMs is fine.
//!
//! # Discrete and continuous
//! Continuous only.
//!
//! # In the language
//! `quarantine(@n1);`
//!
//! # In JSON
//! `{"quarantine": {"node": "n1"}}`
//!
//! # Compiles to
//! A sealed bin.
//!
//! # Cost
//! Checking: the actions at the node. Planning: constant time for each placement tried.
//!
//! # See also
//! `root` (one VM), `ban` (one VM off a node), `offline`.
//!
//! Deviation from BtrPlace: an empty node satisfies it, and a VM may resume where it
//! sleeps.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::ActionKind;
use crate::model::NodeId;
use crate::model::Run;
use crate::model::VmId;
use crate::side_constraint;

side_constraint! {
    /// Nothing enters the node, nobody migrates away from it.
    pub struct Quarantine {
        /// The node.
        node("node"): NodeId,
    }
    name = "quarantine", btrplace = Some("quarantine"), flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("quarantine.rs");
    check = |_| Ok(());
}

impl SideConstraint for Quarantine {
    fn holds_over(&self, run: &Run<'_>) -> Result<(), Violation> {
        let (mut entering, mut leaving): (Vec<VmId>, Vec<VmId>) = (Vec::new(), Vec::new());
        for action in run.actions_at(self.node) {
            match action.kind {
                ActionKind::Resume { from, to, .. } if from == to => {}
                kind if kind.destination() == Some(self.node) => entering.extend(kind.vm()),
                kind if kind.is_relocation() => leaving.extend(kind.vm()),
                _ => {}
            }
        }
        if entering.is_empty() && leaving.is_empty() {
            return Ok(());
        }
        let names = run.instance();
        let node = names.node_name(self.node);
        let mut clauses = Vec::new();
        if !entering.is_empty() {
            clauses.push(format!("{} enter {node}", super::vm_names(names, &entering)));
        }
        if !leaving.is_empty() {
            clauses.push(format!("{} migrate away from {node}", super::vm_names(names, &leaving)));
        }
        let text = format!("{}, which is in quarantine", clauses.join(" and "));
        entering.extend(leaving);
        Err(Violation::new(entering.len() as u64, entering, vec![self.node], text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nothing
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.seal(self.node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::over;
    use crate::model::InstanceBuilder;

    #[test]
    fn no_way_in_no_way_out() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let inside = b.running_vm("inside", n0);
        let outside = b.running_vm("outside", n1);
        let ready = b.ready_vm("ready");
        let here = b.sleeping_vm("here", n0);
        let there = b.sleeping_vm("there", n1);
        let instance = b.build().expect("a valid instance");
        let rule = Quarantine { node: n0 };
        let check = |kind| over(&rule, &instance, &[(kind, 0, 1)]);
        assert_eq!(over(&rule, &instance, &[]), Ok(()));
        for allowed in [
            ActionKind::Shutdown { vm: outside, node: n1 },
            ActionKind::Boot { vm: ready, node: n1 },
            ActionKind::Shutdown { vm: inside, node: n0 },
            ActionKind::Suspend { vm: inside, node: n0 },
            ActionKind::Kill { vm: inside, node: Some(n0) },
            ActionKind::Resume { vm: here, from: n0, to: n0 },
            ActionKind::Resume { vm: here, from: n0, to: n1 },
        ] {
            assert_eq!(check(allowed), Ok(()), "{allowed:?}");
        }
        for (refused, vm) in [
            (ActionKind::Boot { vm: ready, node: n0 }, ready),
            (ActionKind::Migrate { vm: outside, from: n1, to: n0 }, outside),
            (ActionKind::Resume { vm: there, from: n1, to: n0 }, there),
            (ActionKind::BootClone { vm: outside, from: n1, to: n0 }, outside),
            (ActionKind::Migrate { vm: inside, from: n0, to: n1 }, inside),
            (ActionKind::ShutdownOriginal { vm: inside, from: n0 }, inside),
        ] {
            assert_eq!(check(refused).map_err(|v| v.vms), Err(vec![vm]), "{refused:?}");
        }
        // A node without VMs is no fault.
        let mut b = InstanceBuilder::new();
        let node = b.node("n");
        let empty = b.build().expect("a valid instance");
        assert_eq!(over(&Quarantine { node }, &empty, &[]), Ok(()));
    }
}

//! `offline`: a node is off at the end.
//!
//! # Meaning
//! phase(`node`) = offline in the final configuration. Its running VMs leave or stop first, and what sleeps there must have
//! resumed elsewhere or been killed; nothing runs there at the end.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `offline(@n1);`
//!
//! # In JSON
//! `{"offline": {"node": "n1"}}`
//!
//! # Compiles to
//! The wanted state of the node, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `online`, `maxOnline`, `ban` (a node that stays on).
//!
//! Deviation from BtrPlace: a node that keeps an image cannot be switched off; BtrPlace returns a plan
//! that cannot be applied.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// The node is off at the end.
    pub struct Offline {
        /// The node.
        node("node"): NodeId,
    }
    name = "offline", btrplace = Some("offline"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("offline.rs");
    check = |_| Ok(());
}

impl SideConstraint for Offline {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let found = at.phase(self.node);
        if found == NodePhase::Offline {
            return Ok(());
        }
        let text = format!(
            "node {} is {}; offline is asked for",
            at.instance().node_name(self.node),
            super::phase_name(found)
        );
        Err(Violation::new(1, Vec::new(), vec![self.node], text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(std::slice::from_ref(&self.node)))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.node_state(self.node, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn that_phase_only_and_of_that_node() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let instance = b.build().expect("a valid instance");
        let rule = Offline { node: n0 };
        let mut at = Configuration::source(&instance);
        at.set_phase(n0, NodePhase::Offline);
        assert_eq!(rule.holds(&at), Ok(()));
        at.set_phase(n1, NodePhase::Offline);
        for phase in [NodePhase::Booting, NodePhase::Online, NodePhase::ShuttingDown] {
            at.set_phase(n0, phase);
            assert_eq!(rule.holds(&at).map_err(|v| v.nodes), Err(vec![n0]), "{phase:?}");
        }
    }
}

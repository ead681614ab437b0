//! `online`: a node is on at the end.
//!
//! # Meaning
//! phase(`node`) = online in the final configuration. An offline node is booted for it.
//!
//! # Discrete and continuous
//! Discrete only.
//!
//! # In the language
//! `online(@n1);`
//!
//! # In JSON
//! `{"online": {"node": "n1"}}`
//!
//! # Compiles to
//! The wanted state of the node, from which its action follows.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `offline`, `maxOnline`.
//!
//! As in BtrPlace.

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
    /// The node is on at the end.
    pub struct Online {
        /// The node.
        node("node"): NodeId,
    }
    name = "online", btrplace = Some("online"), flag = Absent,
    restrictions = Restrictions::Discrete, soft = false, source = include_str!("online.rs");
    check = |_| Ok(());
}

impl SideConstraint for Online {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let found = at.phase(self.node);
        if found == NodePhase::Online {
            return Ok(());
        }
        let text = format!(
            "node {} is {}; online is asked for",
            at.instance().node_name(self.node),
            super::phase_name(found)
        );
        Err(Violation::new(1, Vec::new(), vec![self.node], text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(std::slice::from_ref(&self.node)))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.node_state(self.node, true);
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
        let rule = Online { node: n0 };
        let mut at = Configuration::source(&instance);
        at.set_phase(n0, NodePhase::Online);
        assert_eq!(rule.holds(&at), Ok(()));
        at.set_phase(n1, NodePhase::Online);
        for phase in [NodePhase::Offline, NodePhase::Booting, NodePhase::ShuttingDown] {
            at.set_phase(n0, phase);
            assert_eq!(rule.holds(&at).map_err(|v| v.nodes), Err(vec![n0]), "{phase:?}");
        }
    }
}

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
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::side_constraint;

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

super::node_goal!(Offline, NodePhase::Offline);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::SideConstraint;
    use crate::model::Configuration;
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

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
use crate::model::NodeId;
use crate::model::NodePhase;
use crate::side_constraint;

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

super::node_goal!(Online, NodePhase::Online);

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

//! `maxOnline`: at most so many nodes of a set are on.
//!
//! # Meaning
//! The number of nodes of `nodes` that are powered is at most `amount`. A node that
//! boots is powered from the start of its boot, a node that shuts down until the end of
//! its shutdown. No node: satisfied.
//!
//! # Discrete and continuous
//! Either; discrete where nothing is said. Continuous: at every moment; a node may start
//! to boot at the moment at which another one has gone off.
//!
//! # In the language
//! `maxOnline({@n1, @n2, @n3}, 2);` at every moment, `>>maxOnline(…)` at the end only.
//!
//! # In JSON
//! `{"maxOnline": {"nodes": ["n1", "n2", "n3"], "amount": 2, "continuous": false}}`
//!
//! # Compiles to
//! The number of bins of a set that are open.
//!
//! # Cost
//! Checking: linear in the nodes. Planning: constant time for each node switched.
//!
//! # See also
//! `online`, `offline` (certain nodes), `runningCapacity` (VMs instead of nodes).
//!
//! Deviation from BtrPlace: nodes that stay off cost nothing in the objective; a negative
//! amount is refused when it is read; too many nodes on before the plan are switched off,
//! not refused, unless the plan is asked to be strict.

use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// At most so many of the nodes are on.
    pub struct MaxOnline {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// The largest number of them that are on.
        amount("amount"): u64,
    }
    name = "maxOnline", btrplace = Some("maxOnline"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Discrete), soft = true, source = include_str!("max_online.rs");
    check = |_| Ok(());
}

impl SideConstraint for MaxOnline {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let on: Vec<NodeId> = self.nodes.iter().copied().filter(|&node| at.is_powered(node)).collect();
        let excess = (on.len() as u64).saturating_sub(self.amount);
        if excess == 0 {
            return Ok(());
        }
        let text = format!(
            "{} nodes are on: {}; {} are allowed",
            on.len(),
            super::node_names(at.instance(), &on),
            self.amount
        );
        Err(Violation::new(excess, Vec::new(), on, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        builder.powered_at_most(&self.nodes, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::NodePhase;

    #[test]
    fn nodes_on_their_way_count() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let n2 = b.offline_node("n2");
        b.node("elsewhere");
        let instance = b.build().expect("a valid instance");
        let rule = MaxOnline { nodes: [n0, n1, n2].into(), amount: 2 };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        at.set_phase(n2, NodePhase::Booting);
        assert_eq!(rule.holds(&at).map_err(|v| (v.amount, v.nodes)), Err((1, vec![n0, n1, n2])));
        at.set_phase(n0, NodePhase::ShuttingDown);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.set_phase(n0, NodePhase::Offline);
        assert_eq!(rule.holds(&at), Ok(()));
        at.set_phase(n2, NodePhase::Online);
        assert_eq!(rule.holds(&at), Ok(()));
        assert_eq!(MaxOnline { nodes: [].into(), amount: 0 }.holds(&at), Ok(()));
    }
}

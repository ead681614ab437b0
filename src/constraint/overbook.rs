//! `overbook`: a node may carry more of a resource than it has.
//!
//! # Meaning
//! If `node` is online, the VMs that hold it hold at most
//! floor(capacity(`node`) × `ratio`) of `resource` between them; that takes the place of
//! the node's capacity. The ratio is 1 or more. Several on a node and resource: the
//! smallest. Nodes without one: ratio 1.
//!
//! # Discrete and continuous
//! Either; continuous where nothing is said. Continuous: at every moment, VMs in
//! migration counting on both nodes. Discrete: at the end; before it the node's load is
//! not looked at, where no continuous one does.
//!
//! # In the language
//! `overbook(@n1, "cpu", 1.5);`, `>>overbook(…)` at the end only.
//!
//! # In JSON
//! `{"overbook": {"node": "n1", "resource": "cpu", "ratio": 1.5, "continuous": true}}`
//!
//! # Compiles to
//! The capacity of the bin.
//!
//! # Cost
//! Checking and planning: constant.
//!
//! # See also
//! `resourceCapacity` (less, or over several nodes), `preserve`.
//!
//! Deviation from BtrPlace: a continuous one is enforced at every moment, not at the end
//! only; a node that carries more than that before the plan is relieved, not refused.

use super::Ratio;
use super::Restriction;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use crate::compile::Builder;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::side_constraint;

side_constraint! {
    /// A node that may carry more of a resource than it has.
    pub struct Overbook {
        /// The node.
        node("node"): NodeId,
        /// The resource.
        resource("rc"): ResourceId,
        /// The load over the capacity, at most.
        ratio("ratio"): Ratio,
    }
    name = "overbook", btrplace = Some("overbook"), flag = Required,
    restrictions = Restrictions::Both(Restriction::Continuous), soft = false, source = include_str!("overbook.rs");
    check = |_| Ok(());
}

impl Overbook {
    /// The largest load of the node, rounded down.
    pub fn largest_load(&self, instance: &Instance) -> u64 {
        self.ratio.times(instance.capacity(self.node, self.resource))
    }
}

impl SideConstraint for Overbook {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let names = at.instance();
        let (load, limit) = (at.load(self.node, self.resource), self.largest_load(names));
        if !at.is_online(self.node) || load <= limit {
            return Ok(());
        }
        let text = format!(
            "node {} carries {load} of {}; {} × {} allows {limit}",
            names.node_name(self.node),
            names.resource_name(self.resource),
            names.capacity(self.node, self.resource),
            self.ratio.get()
        );
        Err(Violation::new(load - limit, at.guests(self.node).to_vec(), vec![self.node], text))
    }

    fn limit(&self, instance: &Instance) -> Option<(NodeId, ResourceId, u64)> {
        Some((self.node, self.resource, self.largest_load(instance)))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::node(&self.node)
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let limit = self.largest_load(builder.instance());
        builder.overbook(self.node, self.resource, limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::NodePhase;
    use crate::model::Place;

    #[test]
    fn load_against_ratio_times_capacity() {
        let mut b = InstanceBuilder::new();
        let cpu = b.resource_with_defaults("cpu", 7, 5);
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let [v0, v1] = ["v0", "v1"].map(|name| b.running_vm(name, n0));
        let instance = b.build().expect("a valid instance");
        let ratio = |ratio| Ratio::new(ratio).expect("a valid ratio");
        let rule = Overbook { node: n0, resource: cpu, ratio: ratio(1.5) };
        assert_eq!(rule.limit(&instance), Some((n0, cpu, 10)));
        let mut at = Configuration::source(&instance);
        assert_eq!(rule.holds(&at), Ok(()));
        let plain = Overbook { node: n0, resource: cpu, ratio: ratio(1.0) };
        assert_eq!(plain.holds(&at).map_err(|v| (v.amount, v.vms)), Err((3, vec![v0, v1])));
        // More for one, less for the other, more again, one of them stops.
        at.allocate(v0, cpu, 6);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(1));
        at.allocate(v1, cpu, 4);
        assert_eq!(rule.holds(&at), Ok(()));
        at.allocate(v0, cpu, 9);
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(3));
        let mut stopped = at.clone();
        stopped.put(v1, Place::Ready);
        assert_eq!(rule.holds(&stopped), Ok(()));
        // In migration it still holds the node.
        at.enter(v1, n1, Box::new([4]));
        assert_eq!(rule.holds(&at).map_err(|v| v.amount), Err(3));
        at.set_phase(n0, NodePhase::Offline);
        assert_eq!(rule.holds(&at), Ok(()));
    }
}

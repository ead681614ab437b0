//! `powerCap`: nodes and the relocations among them draw at most so many watts.
//!
//! # Meaning
//! At every moment, the sum of
//!
//! - the attribute `power` (watts, 0 where it has none) of each node of `nodes` that is on, from
//!   the start of its boot to the end of its shutdown, and
//! - the attribute `migrationPower` (watts, 0) of each VM in relocation that leaves a node of
//!   `nodes` or comes to one, once,
//!
//! is at most `watts`. No node: satisfied.
//!
//! # Discrete and continuous
//! Continuous only: at every moment, the last included. A node may start to boot at the moment
//! at which another one has gone off.
//!
//! # In the language
//! `powerCap(@n[1..4], 800);`
//!
//! # In JSON
//! `{"powerCap": {"nodes": ["n1", "n2", "n3"], "watts": 800}}`
//!
//! # Compiles to
//! A channel of which open bins and moves take what they draw; and what those bins take
//! together that are open at the end.
//!
//! # Cost
//! Checking: linear in the nodes and the relocations under way, at each moment that touches the
//! nodes. Planning: constant time for each relocation or switch that starts.
//!
//! # See also
//! `maxOnline` (a number of nodes), `maxMigrations`. The objective `energy` counts joules.
//!
//! The amount of a violation is in watts. More than `watts` before the plan is brought down, and
//! nothing is added until it is, unless the plan is asked to be strict. BtrPlace has no such
//! rule.

use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use super::shared::taken_together;
use crate::compile::Budget;
use crate::compile::Builder;
use crate::compile::Direction;
use crate::compile::Scope;
use crate::model::Configuration;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::side_constraint;
use std::borrow::Cow;

side_constraint! {
    /// Nodes and relocations draw at most so many watts.
    pub struct PowerCap {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// The cap.
        watts("watts"): u64,
    }
    name = "powerCap", btrplace = None, flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("power_cap.rs");
    check = |_| Ok(());
}

impl SideConstraint for PowerCap {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        let names = at.instance();
        let on: Vec<NodeId> = self.nodes.iter().copied().filter(|&node| at.is_powered(node)).collect();
        let nodes = on.iter().map(|&node| names.node_power(node)).fold(0, u64::saturating_add);
        let moves = taken_together(at, &self.nodes, "both", |vm| names.migration_power(vm));
        let excess = nodes.saturating_add(moves.amount).saturating_sub(self.watts);
        if excess == 0 {
            return Ok(());
        }
        let mut text = format!("{} draw {nodes} W", super::node_names(names, &on));
        if moves.amount > 0 {
            let vms = super::vm_names(names, &moves.vms);
            text += &format!(", the relocations of {vms} {} W", moves.amount);
        }
        text += &format!("; the cap is {} W", self.watts);
        Err(Violation::new(excess, moves.vms, on, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let instance = builder.instance();
        let special = instance.vm_ids().map(|vm| (vm, instance.migration_power(vm)));
        let special = special.filter(|&(_, watts)| watts > 0).collect();
        let standing = self.nodes.iter().map(|&node| (node, instance.node_power(node)));
        let standing = standing.filter(|&(_, watts)| watts > 0).collect();
        let plain = Budget::of_one(&self.nodes, Direction::Both, Scope::Together, self.watts);
        builder.budget(Budget { usual: 0, special, standing, ..plain });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::NodePhase;
    use crate::model::Value;

    #[test]
    fn nodes_that_are_on_and_relocations_draw_power() {
        let mut b = InstanceBuilder::new();
        let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
        let off = b.offline_node("off");
        for (node, watts) in [(n0, 100), (n1, 150), (off, 200)] {
            b.node_attribute(node, "power", Value::Int(watts));
        }
        let elsewhere = b.node("elsewhere");
        let vm = b.running_vm("vm", n0);
        b.vm_attribute(vm, "migrationPower", Value::Int(30));
        let instance = b.build().expect("a valid instance");
        let rule = |watts| PowerCap { nodes: [n0, n1, off].into(), watts };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule(250).holds(&at), Ok(()));
        let broken = rule(249).holds(&at).expect_err("one too many");
        assert_eq!((broken.amount, &broken.nodes[..]), (1, &[n0, n1][..]));
        at.enter(vm, elsewhere, [].into());
        let broken = rule(250).holds(&at).expect_err("30 W more");
        assert_eq!(broken.text, "n0 and n1 draw 250 W, the relocations of vm 30 W; the cap is 250 W");
        assert_eq!((broken.amount, broken.vms), (30, vec![vm]));
        at.set_phase(off, NodePhase::Booting);
        assert_eq!(rule(480).holds(&at), Ok(()));
        assert!(rule(479).holds(&at).is_err());
        at.set_phase(n1, NodePhase::ShuttingDown);
        assert!(rule(479).holds(&at).is_err());
        at.set_phase(n1, NodePhase::Offline);
        assert_eq!(rule(330).holds(&at), Ok(()));
        assert_eq!(PowerCap { nodes: [].into(), watts: 0 }.holds(&at), Ok(()));
    }
}

//! `maxMigrations`: at most so many VMs are relocated at once.
//!
//! # Meaning
//! At every moment, at most `amount` relocations are under way that have to do with a node of
//! `nodes`:
//!
//! - `direction`: `in`, those that come to it; `out`, those that leave it; `both` (default).
//! - `scope`: `each` (default), every node of the set by itself; `together`, all of them as
//!   one, such as a rack, a cluster or a pair of rooms. A relocation from a node of the set to
//!   another counts once for the set.
//!
//! A live migration is under way from its start to its end, a re-instantiation from the boot
//! of the clone to the stop of the original. Boots, stops, suspends and resumes do not count.
//! No node: satisfied.
//!
//! # Discrete and continuous
//! Continuous only: nothing is under way at the end.
//!
//! # In the language
//! `maxMigrations(@n[1..4], 2);`
//! `maxMigrations(@n[1..4], 1, "out");`
//! `maxMigrations(@n[1..4], 4, "both", "together");`
//!
//! # In JSON
//! `{"maxMigrations": {"nodes": ["n1", "n2"], "amount": 2, "direction": "both", "scope": "each"}}`
//!
//! # Compiles to
//! A channel for each node, or for the set, of which each relocation takes one unit.
//!
//! # Cost
//! Checking: linear in the relocations under way, at each moment that touches the nodes.
//! Planning: constant time for each relocation that starts.
//!
//! # See also
//! `migrationBudget` (weighed by VM, and by the speed of links), `serialize` (certain VMs, one
//! at a time), `powerCap`. With a network the capacities of links limit what runs at once in
//! any case.
//!
//! The amount of a violation is the number of relocations beyond the limit, added up over the
//! nodes. BtrPlace has no such rule.

use super::Argument;
use super::Restrictions;
use super::SideConstraint;
use super::Violation;
use super::Watch;
use super::shared::Taken;
use super::shared::taken_of_each;
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
    /// At most so many relocations at once.
    pub struct MaxMigrations {
        /// The nodes.
        nodes("nodes"): NodeSet,
        /// The largest number of relocations at once.
        amount("amount"): u64,
        /// Which relocations count.
        direction("direction" in ["both", "in", "out"]): String = || Argument::Word("both".to_owned()),
        /// Does each node count by itself?
        scope("scope" in ["each", "together"]): String = || Argument::Word("each".to_owned()),
    }
    name = "maxMigrations", btrplace = None, flag = Absent,
    restrictions = Restrictions::Continuous, soft = false, source = include_str!("max_migrations.rs");
    check = |rule| {
        super::shared::one_of("direction", &rule.direction, &super::shared::DIRECTIONS)?;
        super::shared::one_of("scope", &rule.scope, &["each", "together"])
    };
}

impl MaxMigrations {
    /// How the direction reads in a sentence.
    fn under_way(&self) -> &'static str {
        match self.direction.as_str() {
            "in" => "come to",
            "out" => "leave",
            _ => "leave or come to",
        }
    }

    fn sentence(&self, at: &Configuration<'_>, taken: &Taken, nodes: &[NodeId]) -> String {
        let names = at.instance();
        format!(
            "{} VMs {} {} at once: {}; {} allowed",
            taken.vms.len(),
            self.under_way(),
            super::node_names(names, nodes),
            super::vm_names(names, &taken.vms),
            if self.amount == 1 { "1 is".to_owned() } else { format!("{} are", self.amount) }
        )
    }
}

impl SideConstraint for MaxMigrations {
    fn holds(&self, at: &Configuration<'_>) -> Result<(), Violation> {
        if self.scope == "together" {
            let taken = taken_together(at, &self.nodes, &self.direction, |_| 1);
            let excess = taken.amount.saturating_sub(self.amount);
            if excess == 0 {
                return Ok(());
            }
            let text = self.sentence(at, &taken, &self.nodes);
            return Err(Violation::new(excess, taken.vms, self.nodes.to_vec(), text));
        }
        let mut taken = taken_of_each(at, &self.nodes, &self.direction, |_| 1);
        taken.retain(|_, taken| taken.amount > self.amount);
        let Some((&node, first)) = taken.iter().next() else { return Ok(()) };
        let text = self.sentence(at, first, &[node]);
        let excess = taken.values().map(|taken| taken.amount - self.amount).sum();
        let nodes = taken.keys().copied().collect();
        Err(Violation::new(excess, taken.into_values().flat_map(|taken| taken.vms).collect(), nodes, text))
    }

    fn watch(&self) -> Watch<'_> {
        Watch::Nodes(Cow::Borrowed(&self.nodes))
    }

    fn post(&self, builder: &mut Builder<'_>) {
        let direction = match self.direction.as_str() {
            "in" => Direction::In,
            "out" => Direction::Out,
            _ => Direction::Both,
        };
        let scope = if self.scope == "together" { Scope::Together } else { Scope::Each };
        builder.budget(Budget::of_one(&self.nodes, direction, scope, self.amount));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn relocations_under_way_are_counted() {
        let mut b = InstanceBuilder::new();
        let n = ["n0", "n1", "n2"].map(|name| b.node(name));
        let v = ["v0", "v1", "v2"].map(|name| b.running_vm(name, n[0]));
        let w = b.running_vm("w", n[1]);
        let instance = b.build().expect("a valid instance");
        let rule = |nodes: &[usize], amount, direction: &str, scope: &str| MaxMigrations {
            nodes: nodes.iter().map(|&at| n[at]).collect(),
            amount,
            direction: direction.to_owned(),
            scope: scope.to_owned(),
        };
        let mut at = Configuration::source(&instance);
        assert_eq!(rule(&[0], 0, "both", "each").holds(&at), Ok(()));
        let go = |at: &mut Configuration<'_>, vm, to: usize| at.enter(vm, n[to], [].into());
        go(&mut at, v[0], 1);
        go(&mut at, v[1], 1);
        go(&mut at, v[2], 2);
        go(&mut at, w, 0);
        let amount = |rule: MaxMigrations| rule.holds(&at).err().map_or(0, |broken| broken.amount);
        // Four at n0, three at n1, one at n2.
        assert_eq!(amount(rule(&[0, 1, 2], 1, "both", "each")), 5);
        assert_eq!(amount(rule(&[0, 1, 2], 3, "both", "each")), 1);
        assert_eq!(amount(rule(&[0, 1, 2], 2, "out", "each")), 1);
        assert_eq!(amount(rule(&[0, 1, 2], 1, "in", "each")), 1);
        assert_eq!(amount(rule(&[2], 1, "both", "each")), 0);
        // Of a set each counts once.
        assert_eq!(amount(rule(&[0, 1, 2], 3, "both", "together")), 1);
        assert_eq!(amount(rule(&[], 0, "both", "together")), 0);
        assert_eq!(amount(rule(&[0, 1], 4, "both", "together")), 0);
        assert_eq!(amount(rule(&[1, 2], 1, "in", "together")), 2);
        assert_eq!(amount(rule(&[1, 2], 0, "out", "together")), 1);
        let broken = rule(&[0, 1], 3, "both", "each").holds(&at).expect_err("four");
        assert_eq!(broken.text, "4 VMs leave or come to n0 at once: v0, v1, v2 and w; 3 are allowed");
        assert_eq!((broken.vms.len(), broken.nodes), (4, vec![n[0]]));
        at.arrive(v[0]);
        assert_eq!(rule(&[0, 1, 2], 3, "both", "each").holds(&at), Ok(()));
    }

    #[test]
    fn words_are_checked() {
        let build = |direction: &str, scope: &str| {
            (MaxMigrations::SIGNATURE.build)(&[
                Argument::Nodes([].into()),
                Argument::Amount(1),
                Argument::Word(direction.to_owned()),
                Argument::Word(scope.to_owned()),
            ])
        };
        assert!(build("in", "each").is_ok());
        assert!(build("inwards", "each").is_err_and(|error| error.contains("`inwards`")));
        assert!(build("out", "all").is_err_and(|error| error.contains("`each`")));
    }
}

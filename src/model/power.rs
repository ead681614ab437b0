//! What nodes and migrations take beside room: watts, joules, and shares of the limits that
//! operators set.

use super::Attributes;
use super::Instance;
use super::NodeId;
use super::Value;
use super::VmId;
use std::fmt;

/// Attributes of nodes and of VMs that are amounts.
const OF_NODES: [&str; 1] = ["power"];
const OF_VMS: [&str; 3] = ["migrationPower", "migrationEnergy", "migrationCost"];

/// The largest amount, so that sums over a plan stay far from overflowing.
const MOST: f64 = 1.0e12;

/// Joules of a live migration: for each MB, and for each migration (Liu, Xu, Jin, Gong and
/// Liao, "Performance and energy modeling for live migration of virtual machines", HPDC 2011).
const JOULES_A_MB: f64 = 0.512;
const JOULES: f64 = 20.165;

/// An attribute that should be an amount and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountError {
    /// What is wrong, in the user's names.
    pub message: String,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AmountError {}

/// The amount that an attribute says, rounded; `None` where it is not there or no amount.
fn amount(attributes: &Attributes, row: usize, key: &str) -> Option<u64> {
    let value = match attributes.get(row, key)? {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Bool(_) | Value::Text(_) => return None,
    };
    (0.0..=MOST).contains(&value).then(|| value.round() as u64)
}

impl Instance {
    /// Watts of a node while it is on, boot and shutdown included: its attribute `power`, 0
    /// where it has none.
    pub fn node_power(&self, node: NodeId) -> u64 {
        amount(self.nodes().attributes(), node.index(), "power").unwrap_or(0)
    }

    /// Watts that moving a VM takes while it lasts, beside those of the nodes: its attribute
    /// `migrationPower`, 0 where it has none.
    pub fn migration_power(&self, vm: VmId) -> u64 {
        amount(self.vms().attributes(), vm.index(), "migrationPower").unwrap_or(0)
    }

    /// What moving a VM takes of the budgets of its hosts: its attribute `migrationCost`, 1
    /// where it has none.
    pub fn migration_cost(&self, vm: VmId) -> u64 {
        amount(self.vms().attributes(), vm.index(), "migrationCost").unwrap_or(1)
    }

    /// Joules of a live migration of a VM, whatever the bandwidth: its attribute
    /// `migrationEnergy`, or 0.512 J for each MB of `memUsed` and 20.165 J, rounded (Liu et
    /// al., HPDC 2011, the memory sent once); 0 where neither is known.
    pub fn migration_energy(&self, vm: VmId) -> u64 {
        let attributes = self.vms().attributes();
        let of_memory = || {
            let memory = match attributes.get(vm.index(), "memUsed")? {
                Value::Int(value) => *value as f64,
                Value::Float(value) => *value,
                Value::Bool(_) | Value::Text(_) => return None,
            };
            (0.0..=MOST).contains(&memory).then(|| (JOULES_A_MB * memory + JOULES).round() as u64)
        };
        amount(attributes, vm.index(), "migrationEnergy").or_else(of_memory).unwrap_or(0)
    }

    /// Are the attributes that say watts, joules and costs numbers from 0 to 10^12? Costs
    /// nothing where no element has one.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_amounts(&self) -> Result<(), AmountError> {
        let kinds = [("node", self.nodes(), &OF_NODES[..]), ("VM", self.vms(), &OF_VMS[..])];
        for (kind, elements, keys) in kinds {
            let attributes = elements.attributes();
            for key in keys.iter().filter(|key| attributes.key(key).is_some()) {
                let wrong = (0..elements.len()).find(|&row| {
                    attributes.get(row, key).is_some() && amount(attributes, row, key).is_none()
                });
                if let Some(row) = wrong {
                    let found = match attributes.get(row, key) {
                        Some(Value::Bool(value)) => value.to_string(),
                        Some(Value::Int(value)) => value.to_string(),
                        Some(Value::Float(value)) => value.to_string(),
                        Some(Value::Text(text)) => format!("`{text}`"),
                        None => String::new(),
                    };
                    let message = format!(
                        "{kind} `{}` has the attribute `{key}` {found}; expected a number from 0 to 10^12",
                        elements.name(row)
                    );
                    return Err(AmountError { message });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;

    #[test]
    fn attributes_say_what_is_taken() {
        let mut b = InstanceBuilder::new();
        let [plain, known] = ["plain", "known"].map(|name| b.node(name));
        b.node_attribute(known, "power", Value::Float(149.6));
        let [small, large] = ["small", "large"].map(|name| b.running_vm(name, plain));
        b.vm_attribute(large, "memUsed", Value::Int(1000));
        b.vm_attribute(large, "migrationCost", Value::Int(4));
        b.vm_attribute(large, "migrationPower", Value::Int(30));
        b.vm_attribute(small, "migrationEnergy", Value::Int(7));
        let instance = b.build().expect("sound");
        assert_eq!([plain, known].map(|node| instance.node_power(node)), [0, 150]);
        assert_eq!([small, large].map(|vm| instance.migration_cost(vm)), [1, 4]);
        assert_eq!([small, large].map(|vm| instance.migration_power(vm)), [0, 30]);
        // 512 + 20.165 J.
        assert_eq!([small, large].map(|vm| instance.migration_energy(vm)), [7, 532]);
        assert_eq!(instance.check_amounts(), Ok(()));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (value, found) in [
            (Value::Int(-1), "-1"),
            (Value::Float(f64::INFINITY), "inf"),
            (Value::Bool(true), "true"),
            (Value::Text("much".into()), "`much`"),
        ] {
            let mut b = InstanceBuilder::new();
            let node = b.node("n0");
            b.node_attribute(node, "power", value);
            let error = b.build().expect("sound").check_amounts().expect_err("no amount");
            assert!(error.message.contains("node `n0`") && error.message.contains(found), "{error}");
        }
    }
}

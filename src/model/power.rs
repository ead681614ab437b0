//! What nodes and migrations take beside room: watts, joules, and shares of the limits that
//! operators set, datastores among them.

use super::Attributes;
use super::Instance;
use super::NodeId;
use super::Value;
use super::VmId;
use super::figures;
use std::borrow::Cow;

/// The attribute of nodes and of VMs that names a datastore.
const DATASTORE: &str = "datastore";

/// Joules of a live migration: for each MB, and for each migration (Liu, Xu, Jin, Gong and
/// Liao, "Performance and energy modeling for live migration of virtual machines", HPDC 2011).
const JOULES_A_MB: f64 = 0.512;
const JOULES: f64 = 20.165;

/// The amount that an attribute says, rounded; `None` where it is not there.
fn amount(attributes: &Attributes, row: usize, key: &str) -> Option<u64> {
    figures::number(attributes, row, key).map(|value| value.round() as u64)
}

/// A name: a text, or a whole number, which is what `datastore=7` is in the language.
fn name(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(_) | Value::Float(_) => None,
    }
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

    /// Do disks of a VM travel with it? Its attribute `diskUsed` is more than 0.
    pub fn takes_disks_along(&self, vm: VmId) -> bool {
        figures::number(self.vms().attributes(), vm.index(), "diskUsed").is_some_and(|size| size > 0.0)
    }

    /// What moving a VM takes of the budgets of its hosts: its attribute `migrationCost`, or 4
    /// where its disks travel with it, or 1.
    pub fn migration_cost(&self, vm: VmId) -> u64 {
        let usual = if self.takes_disks_along(vm) { 4 } else { 1 };
        amount(self.vms().attributes(), vm.index(), "migrationCost").unwrap_or(usual)
    }

    /// The datastore that a VM names: its attribute `datastore`.
    pub fn vm_datastore(&self, vm: VmId) -> Option<Cow<'_, str>> {
        self.vms().attributes().get(vm.index(), DATASTORE).and_then(name)
    }

    /// The datastore that a node names: its attribute `datastore`.
    pub fn node_datastore(&self, node: NodeId) -> Option<Cow<'_, str>> {
        self.nodes().attributes().get(node.index(), DATASTORE).and_then(name)
    }

    /// Joules of a live migration of a VM, whatever the bandwidth: its attribute
    /// `migrationEnergy`, or 0.512 J for each MB of `memUsed` and `diskUsed` and 20.165 J, rounded
    /// (Liu et al., HPDC 2011, the memory sent once); 0 where neither is known.
    pub fn migration_energy(&self, vm: VmId) -> u64 {
        let attributes = self.vms().attributes();
        let size = |key| figures::number(attributes, vm.index(), key);
        let of_memory = || {
            let sent = size("memUsed")? + size("diskUsed").unwrap_or(0.0);
            Some((JOULES_A_MB * sent + JOULES).round() as u64)
        };
        amount(attributes, vm.index(), "migrationEnergy").or_else(of_memory).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::InstanceBuilder;
    use crate::model::Value;

    #[test]
    fn attributes_say_what_is_taken() {
        let mut b = InstanceBuilder::new();
        let [plain, known] = ["plain", "known"].map(|name| b.node(name));
        b.node_attribute(known, "power", Value::Float(149.6));
        let [small, large] = ["small", "large"].map(|name| b.running_vm(name, plain));
        b.vm_attribute(large, "memUsed", Value::Int(1000));
        b.vm_attribute(large, "migrationCost", Value::Int(7));
        b.vm_attribute(large, "migrationPower", Value::Int(30));
        let wide = b.running_vm("wide", known);
        b.vm_attribute(wide, "diskUsed", Value::Float(0.5));
        b.vm_attribute(wide, "datastore", Value::Text("lun1".into()));
        b.vm_attribute(small, "migrationEnergy", Value::Int(7));
        let instance = b.build().expect("sound");
        assert_eq!([plain, known].map(|node| instance.node_power(node)), [0, 150]);
        assert_eq!([small, large, wide].map(|vm| instance.migration_cost(vm)), [1, 7, 4]);
        assert_eq!([small, wide].map(|vm| instance.vm_datastore(vm)), [None, Some("lun1".into())]);
        assert_eq!(instance.node_datastore(plain), None);
        let mut b = InstanceBuilder::new();
        let vm = b.ready_vm("vm");
        b.vm_attribute(vm, "datastore", Value::Int(3));
        assert_eq!(b.build().expect("sound").vm_datastore(vm), Some("3".into()));
        assert_eq!([small, large].map(|vm| instance.migration_power(vm)), [0, 30]);
        assert_eq!(instance.migration_energy(wide), 0, "its memory is not known");
        // 512 + 20.165 J.
        assert_eq!([small, large].map(|vm| instance.migration_energy(vm)), [7, 532]);
    }
}

//! Orders of tasks, as the search sees them.

use super::super::builder::Relationship;
use super::Compiled;
use crate::model::Instance;
use crate::model::Value;
use crate::model::VmId;
use crate::model::VmState;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Role;
use crate::problem::TaskRef;
use rustc_hash::FxHashMap;

/// Adds what constraints say about order and time, of tasks that there are.
pub(super) fn add_orders(
    instance: &Instance,
    wanted: &[VmState],
    compiled: &mut Compiled,
    extra_of: &FxHashMap<VmId, u32>,
) {
    let items = &compiled.problem.packing.items;
    let item_of = |vm: VmId| compiled.item_of[vm.index()];
    let stays = |vm: VmId| {
        let item = item_of(vm);
        (item != NONE && items[item as usize].role == Role::Stay).then_some(item)
    };
    let mut orders = Vec::new();
    for (relationship, cause) in &compiled.posted.relations {
        let order = match relationship {
            Relationship::Sequence(vms) => {
                let tasks: Vec<TaskRef> = vms
                    .iter()
                    .filter(|vm| instance.place(**vm).state() != wanted[vm.index()])
                    .filter_map(|&vm| match extra_of.get(&vm) {
                        Some(&extra) => Some(TaskRef::Extra(extra)),
                        None => Some(TaskRef::Item(item_of(vm))).filter(|_| item_of(vm) != NONE),
                    })
                    .collect();
                if tasks.len() < 2 {
                    continue;
                }
                Order::Sequence(tasks)
            }
            Relationship::NoDelay(vm) => match (item_of(*vm), extra_of.get(vm)) {
                (_, Some(&extra)) => Order::NoDelayExtra(extra),
                (NONE, None) => continue,
                (item, None) => Order::NoDelay(item),
            },
            Relationship::Deadline(vm, seconds) => match stays(*vm) {
                Some(item) => Order::Deadline(item, *seconds),
                None => continue,
            },
            Relationship::Precedence(first, then) => match (stays(*first), stays(*then)) {
                (Some(first), Some(then)) if first != then => Order::Precedence(first, then),
                _ => continue,
            },
            Relationship::Serialize(vms) => {
                let members: Vec<u32> = vms.iter().filter_map(|&vm| stays(vm)).collect();
                if members.len() < 2 {
                    continue;
                }
                Order::Serialize(members)
            }
            Relationship::Sync(vms) => {
                let post_copy = |vm: VmId| {
                    instance.vms().attributes().get(vm.index(), "postCopy").and_then(Value::as_bool)
                        == Some(true)
                };
                let members: Vec<(u32, bool)> =
                    vms.iter().filter_map(|&vm| Some((stays(vm)?, post_copy(vm)))).collect();
                if members.len() < 2 {
                    continue;
                }
                Order::Sync(members)
            }
            _ => continue,
        };
        orders.push((order, cause.constraint));
    }
    compiled.problem.project.orders = orders;
}

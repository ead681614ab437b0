//! Small plans by hand.

use crate::compile::Cause;
use crate::compile::Posted;
use crate::compile::Relationship;
use crate::model::Action;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Reason;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::plan::critical_path;
use crate::plan::execute;
use crate::plan::order;
use crate::plan::retime;
use crate::plan::slack;

use limit::Limit;

const CPU: ResourceId = ResourceId(0);

/// Nodes with a capacity each, and VMs with a node and a demand each.
fn cluster(capacities: &[u64], vms: &[(u32, u64)]) -> Instance {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    for (at, &capacity) in capacities.iter().enumerate() {
        let node = b.node(&format!("n{at}"));
        b.capacity(node, cpu, capacity);
    }
    for (at, &(node, demand)) in vms.iter().enumerate() {
        let vm = b.vm(&format!("vm{at}"), Place::Running(NodeId(node)));
        b.demand(vm, cpu, demand);
    }
    b.build().expect("a cluster")
}

fn action(kind: ActionKind, start: u64, end: u64) -> Action {
    Action { kind, start, end, allocations: Vec::new(), bandwidth: 0, reason: Reason::Unknown }
}

fn migrate(vm: u32, from: u32, to: u32, start: u64, end: u64) -> Action {
    action(ActionKind::Migrate { vm: VmId(vm), from: NodeId(from), to: NodeId(to) }, start, end)
}

fn posted(relations: Vec<Relationship>) -> Posted {
    let cause = Cause { constraint: 0, continuous: true, penalty: None };
    Posted {
        relations: relations.into_iter().map(|relation| (relation, cause)).collect(),
        ..Posted::default()
    }
}

fn ordered(instance: &Instance, relations: Vec<Relationship>, actions: Vec<Action>) -> Plan {
    let mut plan = Plan { actions, happens_before: vec![(9, 9)] };
    order(instance, &posted(relations), &mut plan);
    plan
}

#[test]
fn the_hello_world_of_the_talk() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource("cpu");
    let mem = b.resource("mem");
    let nodes: Vec<NodeId> = [(8, 10), (8, 10), (4, 6), (4, 8), (3, 8)]
        .iter()
        .enumerate()
        .map(|(at, &(c, m))| {
            let node = b.node(&format!("N{}", at + 1));
            b.capacity(node, cpu, c).capacity(node, mem, m);
            node
        })
        .collect();
    let hosts = [0, 1, 2, 1, 0, 3, 4];
    let demands = [(3, 4), (2, 4), (2, 3), (1, 3), (2, 3), (2, 4), (2, 5)];
    for (at, (&host, &(c, m))) in hosts.iter().zip(&demands).enumerate() {
        let vm = b.running_vm(&format!("VM{}", at + 1), nodes[host]);
        b.demand(vm, cpu, c).demand(vm, mem, m);
    }
    let instance = b.build().expect("a cluster");
    let mut grows = migrate(6, 4, 0, 3, 8);
    grows.allocations = vec![(cpu, 5)];
    let actions = vec![
        action(ActionKind::ShutdownNode { node: NodeId(1) }, 4, 8),
        grows,
        migrate(1, 1, 3, 0, 4),
        migrate(4, 0, 2, 0, 3),
        migrate(3, 1, 4, 0, 3),
    ];
    let plan = ordered(&instance, vec![], actions);
    let vms: Vec<Option<u32>> = plan.actions.iter().map(|a| a.kind.vm().map(|vm| vm.0 + 1)).collect();
    assert_eq!(vms, [Some(4), Some(5), Some(2), Some(7), None]);
    assert_eq!(plan.happens_before, [(0, 4), (1, 3), (2, 4)]);
    // Both chains end at 8; VM4 may be a second late.
    assert_eq!(critical_path(&plan), [1, 3]);
    assert_eq!(slack(&plan), [1, 0, 0, 0, 0]);
    let run = execute(&plan, &[10, 1, 2, 0, 7]);
    let times: Vec<(u64, u64)> = run.actions.iter().map(|a| (a.start, a.end)).collect();
    assert_eq!(times, [(0, 1), (0, 2), (0, 10), (1, 1), (10, 17)]);
    let mut same = plan.clone();
    retime(&instance, &posted(vec![]), &mut same);
    assert_eq!(same, plan);
}

#[test]
fn an_overloaded_node_takes_nobody_before_it_is_well() {
    // 12 of 8 on n0: vm0 and vm1 fill the hole of 4, vm2 makes room, then vm3 comes.
    let instance = cluster(&[8, 20, 20], &[(0, 3), (0, 3), (0, 3), (1, 2), (0, 3)]);
    let actions =
        vec![migrate(0, 0, 1, 0, 1), migrate(1, 0, 1, 0, 2), migrate(2, 0, 2, 0, 3), migrate(3, 1, 0, 3, 4)];
    let plan = ordered(&instance, vec![], actions);
    // What vm1 leaves beyond the hole is enough for vm3: it need not wait for vm2.
    assert_eq!(plan.happens_before, [(0, 3), (1, 3)]);
}

#[test]
fn swaps_in_a_sum_over_nodes() {
    let instance = cluster(&[9, 9, 9], &[(0, 2), (2, 2)]);
    let set = [NodeId(0), NodeId(1)].into();
    let actions = vec![migrate(0, 0, 2, 0, 2), migrate(1, 2, 1, 2, 4)];
    let plan = ordered(&instance, vec![Relationship::LoadAtMost(set, CPU, 3)], actions.clone());
    assert_eq!(plan.happens_before, [(0, 1)]);
    let free = ordered(&instance, vec![], actions);
    assert_eq!(free.happens_before, []);
}

#[test]
fn orders_that_are_asked_for() {
    let instance = cluster(&[9, 9, 9], &[(0, 1), (0, 1), (1, 1)]);
    let moves = vec![migrate(0, 0, 2, 0, 2), migrate(1, 0, 1, 2, 4), migrate(2, 1, 2, 4, 6)];
    let of = |relation| ordered(&instance, vec![relation], moves.clone()).happens_before;
    assert_eq!(of(Relationship::Precedence(VmId(0), VmId(2))), [(0, 2)]);
    // Contrary to the schedule: no edge, no circle.
    assert_eq!(of(Relationship::Precedence(VmId(2), VmId(0))), []);
    assert_eq!(of(Relationship::Serialize([VmId(2), VmId(1), VmId(0)].into())), [(0, 1), (1, 2)]);
    assert_eq!(of(Relationship::Deadline(VmId(2), 6)), []);
    let stops = vec![
        action(ActionKind::Shutdown { vm: VmId(2), node: NodeId(1) }, 0, 1),
        migrate(1, 0, 1, 0, 4),
        action(ActionKind::Kill { vm: VmId(0), node: Some(NodeId(0)) }, 1, 2),
    ];
    let sequence = Relationship::Sequence([VmId(2), VmId(1), VmId(0)].into());
    assert_eq!(ordered(&instance, vec![sequence], stops).happens_before, [(0, 2)]);
}

#[test]
fn a_rule_at_a_price_or_for_the_end_asks_no_edge() {
    let instance = cluster(&[9, 9, 9], &[(0, 1), (1, 1)]);
    let moves = vec![migrate(0, 0, 2, 0, 2), migrate(1, 1, 0, 2, 4)];
    let relation = || Relationship::AtMostPerNode([VmId(0), VmId(1)].into(), 1);
    for (continuous, penalty, edges) in [(true, None, 1), (false, None, 0), (true, Some(3), 0)] {
        let cause = Cause { constraint: 0, continuous, penalty };
        let posted = Posted { relations: vec![(relation(), cause)], ..Posted::default() };
        let mut plan = Plan { actions: moves.clone(), happens_before: vec![] };
        order(&instance, &posted, &mut plan);
        assert_eq!(plan.happens_before.len(), edges);
    }
}

#[test]
fn moves_that_end_together_stay_together() {
    let instance = cluster(&[9, 9, 9], &[(0, 1), (1, 1), (2, 1)]);
    let sync = Relationship::Sync([VmId(0), VmId(1)].into());
    let actions = vec![migrate(0, 0, 2, 10, 15), migrate(1, 1, 2, 13, 15), migrate(2, 2, 0, 6, 9)];
    let mut plan = ordered(&instance, vec![], actions);
    retime(&instance, &posted(vec![sync]), &mut plan);
    let times: Vec<(u32, u64, u64)> =
        plan.actions.iter().map(|a| (a.kind.vm().map_or(9, |vm| vm.0), a.start, a.end)).collect();
    assert_eq!(times, [(2, 0, 3), (0, 0, 5), (1, 3, 5)]);
}

#[test]
fn steps_of_a_reinstantiation_keep_together() {
    // The copy of vm0 has room on n1 only once vm1 has left.
    let instance = cluster(&[9, 3, 9], &[(0, 3), (1, 3)]);
    let actions = vec![
        action(ActionKind::ForgeClone { vm: VmId(0) }, 8, 10),
        action(ActionKind::BootClone { vm: VmId(0), from: NodeId(0), to: NodeId(1) }, 10, 11),
        action(ActionKind::ShutdownOriginal { vm: VmId(0), from: NodeId(0) }, 11, 12),
        migrate(1, 1, 2, 0, 5),
    ];
    let mut plan = ordered(&instance, vec![], actions);
    assert_eq!(plan.happens_before, [(0, 2), (1, 2), (2, 3)]);
    retime(&instance, &posted(vec![]), &mut plan);
    let starts: Vec<u64> = plan.actions.iter().map(|a| a.start).collect();
    assert_eq!(starts, [0, 3, 5, 6]);
}

#[test]
fn strangers_in_a_plan_do_no_harm() {
    let instance = cluster(&[9], &[(0, 1)]);
    let actions = vec![migrate(7, 0, 0, 0, 2), migrate(0, 0, 5, 2, 4), migrate(0, 0, 0, 4, 3)];
    let plan = ordered(&instance, vec![], actions);
    assert_eq!(plan.actions.len(), 3);
}

#[test]
fn a_limit_in_place_of_the_capacity() {
    use crate::constraint::Constraint;
    // Discrete: nothing limits n0 before the end. Continuous: six units, not four.
    for (constraint, edges) in [
        (None, vec![(0, 1), (0, 2)]),
        (Constraint::new(Limit { amount: 6 }).discrete().ok(), vec![]),
        (Constraint::new(Limit { amount: 6 }).continuous().ok(), vec![(0, 2)]),
    ] {
        let mut instance = cluster(&[4, 9], &[(0, 3), (1, 2), (1, 2)]);
        if let Some(constraint) = constraint {
            instance.add_constraint(constraint);
        }
        let actions = vec![migrate(0, 0, 1, 0, 2), migrate(1, 1, 0, 2, 3), migrate(2, 1, 0, 2, 4)];
        assert_eq!(ordered(&instance, vec![], actions).happens_before, edges);
    }
}

mod limit {
    #![allow(unreachable_pub, reason = "the macro makes public types")]

    use super::CPU;
    use crate::compile::Builder;
    use crate::constraint::Restriction;
    use crate::constraint::Restrictions;
    use crate::constraint::SideConstraint;
    use crate::constraint::Watch;
    use crate::model::Instance;
    use crate::model::NodeId;
    use crate::model::ResourceId;

    crate::side_constraint! {
        /// Another limit for the first node.
        pub struct Limit {
            /// The limit.
            amount("amount"): u64,
        }
        name = "limit", btrplace = None, flag = Absent,
        restrictions = Restrictions::Both(Restriction::Discrete), soft = false, source = "";
        check = |_| Ok(());
    }

    impl SideConstraint for Limit {
        fn limit(&self, _: &Instance) -> Option<(NodeId, ResourceId, u64)> {
            Some((NodeId(0), CPU, self.amount))
        }
        fn watch(&self) -> Watch<'_> {
            Watch::Nothing
        }
        fn post(&self, _: &mut Builder<'_>) {}
    }
}

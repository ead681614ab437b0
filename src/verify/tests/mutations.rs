//! A plan with every kind of action is accepted; broken in any way, it is refused.

use super::rules::Rule;
use super::*;
use crate::constraint::spread::Spread;
use crate::model::InstanceBuilder;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::ResourceId;
use crate::model::Value;

struct Case {
    instance: Instance,
    plan: Plan,
    n: Vec<NodeId>,
    cpu: ResourceId,
}

const A: VmId = VmId(0); // migrates n0 to n1 once c has left
const B: VmId = VmId(1); // boots on n4, larger than it was
const C: VmId = VmId(2); // shuts down on n1
const D: VmId = VmId(3); // is suspended on n1
const E: VmId = VmId(4); // is resumed, from n6 to n4
const F: VmId = VmId(5); // sleeps on n6, is killed
const G: VmId = VmId(6); // is forged
const H: VmId = VmId(7); // is re-instantiated, from n6 to n4
const P: VmId = VmId(8); // changes places with q by way of n5
const Q: VmId = VmId(9);
const W: VmId = VmId(10); // grows on n0 once a has left

const SPREAD: u32 = 12;

/// All nodes offer 10 cpu; n4 is switched on, n6 is switched off.
fn case() -> Case {
    use ActionKind::*;
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 10, 0);
    let n: Vec<NodeId> =
        (0..7).map(|i| if i == 4 { b.offline_node("n4") } else { b.node(&format!("n{i}")) }).collect();
    for (name, place, demand) in [
        ("a", Place::Running(n[0]), 6),
        ("b", Place::Ready, 2),
        ("c", Place::Running(n[1]), 5),
        ("d", Place::Running(n[1]), 1),
        ("e", Place::Sleeping(n[6]), 1),
        ("f", Place::Sleeping(n[6]), 3),
        ("g", Place::Init, 0),
        ("h", Place::Running(n[6]), 5),
        ("p", Place::Running(n[2]), 7),
        ("q", Place::Running(n[3]), 7),
        ("w", Place::Running(n[0]), 3),
    ] {
        let vm = b.vm(name, place);
        b.demand(vm, cpu, demand);
    }
    b.vm_attribute(A, "migrate", Value::Int(3)).vm_attribute(C, "shutdown", Value::Int(2));
    b.vm_attribute(G, "template", Value::Text("small".into()));
    b.vm_attribute(H, "template", Value::Text("small".into())).vm_attribute(H, "clone", Value::Bool(true));
    b.vm_attribute(H, "forge", Value::Int(3)).vm_attribute(H, "boot", Value::Int(50));
    b.node_attribute(n[4], "boot", Value::Int(4)).node_attribute(n[6], "shutdown", Value::Int(2));
    for rule in [
        Rule::State(B, VmState::Running),
        Rule::State(C, VmState::Ready),
        Rule::State(D, VmState::Sleeping),
        Rule::State(E, VmState::Running),
        Rule::State(F, VmState::Killed),
        Rule::State(G, VmState::Ready),
        Rule::AtLeast(W, cpu, 8),
        Rule::AtLeast(B, cpu, 4),
        Rule::Node(n[4], true),
        Rule::Node(n[6], false),
        Rule::Within([P].into(), [n[3]].into()),
        Rule::Within([A].into(), [n[1]].into()),
    ] {
        b.constraint(rule.discrete());
    }
    b.constraint(Constraint::new(Spread { vms: [P, Q].into() }));

    let mut actions = vec![
        act(0, 2, Shutdown { vm: C, node: n[1] }),
        act(2, 5, Migrate { vm: A, from: n[0], to: n[1] }),
        act(5, 5, Allocate { vm: W, node: n[0], resource: cpu, amount: 8 }),
        act(0, 1, Migrate { vm: P, from: n[2], to: n[5] }),
        act(1, 2, Migrate { vm: Q, from: n[3], to: n[2] }),
        act(2, 3, Migrate { vm: P, from: n[5], to: n[3] }),
        act(0, 1, Suspend { vm: D, node: n[1] }),
        act(0, 4, BootNode { node: n[4] }),
        act(4, 5, Boot { vm: B, node: n[4] }),
        act(4, 5, Resume { vm: E, from: n[6], to: n[4] }),
        act(0, 1, Kill { vm: F, node: Some(n[6]) }),
        act(0, 1, Forge { vm: G }),
        act(1, 4, ForgeClone { vm: H }),
        act(4, 5, BootClone { vm: H, from: n[6], to: n[4] }),
        act(5, 7, ShutdownOriginal { vm: H, from: n[6] }),
        act(7, 9, ShutdownNode { node: n[6] }),
    ];
    actions[8].allocations = vec![(cpu, 4)];
    let happens_before = vec![
        (0, 1),
        (1, 2),
        (3, 4),
        (4, 5),
        (7, 8),
        (7, 9),
        (7, 13),
        (9, 15),
        (10, 15),
        (12, 13),
        (13, 14),
        (14, 15),
    ];
    let instance = b.build().expect("a valid instance");
    Case { instance, plan: Plan { actions, happens_before }, n, cpu }
}

impl Case {
    /// The faults of the plan once it has been changed.
    fn changed(&self, change: impl FnOnce(&mut Plan)) -> Report {
        let mut plan = self.plan.clone();
        change(&mut plan);
        check(&self.instance, &plan)
    }

    fn replaced(&self, index: usize, kind: ActionKind) -> Report {
        self.changed(|plan| plan.actions[index].kind = kind)
    }

    /// Without the edges, which an action shifted by itself would contradict.
    fn shifted(&self, index: usize, seconds: i64) -> Report {
        self.changed(|plan| {
            plan.happens_before.clear();
            let action = &mut plan.actions[index];
            action.start = action.start.saturating_add_signed(seconds);
            action.end = action.end.saturating_add_signed(seconds);
        })
    }
}

fn without(plan: &mut Plan, index: usize) {
    plan.actions.remove(index);
    plan.happens_before.clear();
}

const STATE: Source = Source::Core(CoreRule::State);
const HOSTING: Source = Source::Core(CoreRule::Hosting);
const CAPACITY: Source = Source::Core(CoreRule::Capacity);
const TIME: Source = Source::Core(CoreRule::Time);
const ORDER: Source = Source::Core(CoreRule::Order);

#[test]
fn the_plan_is_right() {
    let case = case();
    assert_eq!(check(&case.instance, &case.plan), Report::default());
    let options = VerifyOptions { strict: true, horizon: Some(9) };
    assert_eq!(verify(&case.instance, &case.plan, &options), Report::default());
}

#[test]
fn the_order_of_the_list_does_not_matter() {
    let case = case();
    let report = case.changed(|plan| {
        plan.actions.reverse();
        let last = plan.actions.len() as u32 - 1;
        plan.happens_before.iter_mut().for_each(|edge| *edge = (last - edge.0, last - edge.1));
    });
    assert_eq!(report, Report::default());
}

#[test]
fn no_action_can_be_left_out() {
    let case = case();
    let expected = [
        CAPACITY,               // c is in the way of a
        CAPACITY,               // a is in the way of w
        Source::Constraint(6),  // w has not grown
        STATE,                  // p is not on n5
        CAPACITY,               // q is in the way of p
        Source::Constraint(10), // p is parked for ever
        Source::Constraint(2),  // d runs
        HOSTING,                // n4 is off
        Source::Constraint(0),  // b does not run
        HOSTING,                // n6 stores e
        HOSTING,                // n6 stores f
        Source::Constraint(5),  // g has not been forged
        STATE,                  // nothing to boot
        STATE,                  // no clone, no stop
        STATE,                  // a clone for ever
        Source::Constraint(9),  // n6 is on
    ];
    assert_eq!(expected.len(), case.plan.actions.len());
    for (index, expected) in expected.into_iter().enumerate() {
        let report = case.changed(|plan| without(plan, index));
        assert!(broken_by(&report, expected), "without {index}: {:?}", texts(&report));
    }
}

#[test]
fn no_action_can_be_done_twice() {
    let case = case();
    for (index, action) in case.plan.actions.iter().enumerate() {
        for later in [0, 20] {
            let report = case.changed(|plan| {
                let (start, end) = (action.start + later, action.end + later);
                plan.actions.push(Action { start, end, ..action.clone() });
            });
            // To be given the same share again changes nothing.
            let harmless = matches!(action.kind, ActionKind::Allocate { .. });
            assert_eq!(broken_by(&report, STATE), !harmless, "{index} again: {:?}", texts(&report));
            assert_eq!(report.is_ok(), harmless);
        }
    }
}

#[test]
fn actions_take_the_time_that_they_take() {
    let case = case();
    for (index, action) in case.plan.actions.iter().enumerate() {
        let stretched = case.changed(|plan| plan.actions[index].end += 1);
        assert!(broken_by(&stretched, TIME), "{index} stretched");
        let late = case.changed(|plan| plan.actions[index].start += 1);
        assert!(broken_by(&late, TIME), "{index} cut short");
        if action.end > 0 {
            let reversed = case.changed(|plan| {
                let action = &mut plan.actions[index];
                (action.start, action.end) = (action.end.max(1), action.start.min(action.end - 1));
            });
            assert!(broken_by(&reversed, TIME), "{index} reversed");
        }
    }
    // The boot of a clone does not take what the VM's own attribute says.
    let report = case.changed(|plan| plan.actions[13].end += 49);
    assert!(broken_by(&report, TIME));
}

#[test]
fn a_stop_of_the_original_may_take_no_time() {
    let mut b = InstanceBuilder::new();
    let [n0, n1] = ["n0", "n1"].map(|name| b.node(name));
    let v = b.running_vm("v", n0);
    b.vm_attribute(v, "template", Value::Text("t".into())).vm_attribute(v, "clone", Value::Bool(true));
    b.duration(crate::model::Timed::Boot, crate::model::Duration::Constant(5));
    b.constraint(Rule::Within([v].into(), [n1].into()).discrete());
    let instance = b.build().expect("a valid instance");
    let steps = |end| {
        plan(vec![
            act(0, 1, ActionKind::ForgeClone { vm: v }),
            act(1, 6, ActionKind::BootClone { vm: v, from: n0, to: n1 }),
            act(6, end, ActionKind::ShutdownOriginal { vm: v, from: n0 }),
            act(end, end + 1, ActionKind::ShutdownNode { node: n0 }),
        ])
    };
    assert_eq!(check(&instance, &steps(6)), Report::default());
    assert_eq!(faults(&check(&instance, &steps(7))), [(Some(6), TIME)]);
}

#[test]
fn the_horizon_is_the_last_moment() {
    let case = case();
    let late = |horizon| verify(&case.instance, &case.plan, &VerifyOptions { horizon, strict: false });
    assert!(late(Some(9)).is_ok());
    assert_eq!(faults(&late(Some(8))), [(Some(9), TIME)]);
    assert_eq!(texts(&late(Some(8))), ["shutdown_node(n6) ends at 9 s, past the horizon at 8 s"]);
}

#[test]
fn nothing_starts_too_early() {
    let case = case();
    let expected = [
        (1, CAPACITY),                   // a beside c
        (2, CAPACITY),                   // w beside a
        (4, Source::Constraint(SPREAD)), // q beside p
        (5, CAPACITY),                   // p beside q, on n3 this time
        (8, HOSTING),                    // n4 is booting
        (9, HOSTING),
        (13, STATE),   // the clone is being forged
        (14, STATE),   // the clone is booting
        (15, HOSTING), // h is on n6
    ];
    for (index, expected) in expected {
        let report = case.shifted(index, -1);
        assert!(broken_by(&report, expected), "{index} early: {:?}", texts(&report));
    }
}

#[test]
fn a_node_stays_on_until_its_last_image_has_been_read() {
    let case = case();
    // The resume of e ends at 10, after n6 has begun to shut down.
    let report = case.shifted(9, 5);
    assert_eq!(faults(&report), [(Some(7), HOSTING)], "{:?}", texts(&report));
    let report = case.shifted(9, 2);
    assert!(report.is_ok(), "ends as the shutdown starts: {:?}", texts(&report));
    // Starts before, ends during the shutdown.
    let report = case.changed(|plan| {
        without(plan, 10);
        plan.actions[0].start = 0;
    });
    assert!(broken_by(&report, HOSTING));
}

#[test]
fn nobody_goes_where_nobody_can_be() {
    use ActionKind::*;
    let case = case();
    let n = &case.n;
    let expected = [
        (1, Migrate { vm: A, from: n[0], to: n[4] }, HOSTING), // still booting
        (1, Migrate { vm: A, from: n[0], to: n[2] }, CAPACITY), // beside p or q
        (1, Migrate { vm: A, from: n[0], to: n[0] }, STATE),
        (1, Migrate { vm: A, from: n[1], to: n[0] }, STATE),
        (1, Migrate { vm: E, from: n[6], to: n[1] }, STATE), // sleeps
        (5, Migrate { vm: P, from: n[5], to: n[2] }, CAPACITY),
        (8, Boot { vm: B, node: n[6] }, HOSTING), // n6 shuts down under it
        (8, Boot { vm: A, node: n[4] }, STATE),
        (8, Boot { vm: G, node: n[4] }, STATE), // has changed its state already
        (9, Resume { vm: E, from: n[5], to: n[4] }, STATE),
        (9, Resume { vm: B, from: n[6], to: n[4] }, STATE),
        (0, Shutdown { vm: C, node: n[0] }, STATE),
        (0, Shutdown { vm: B, node: n[1] }, STATE),
        (6, Suspend { vm: D, node: n[2] }, STATE),
        (6, Suspend { vm: E, node: n[6] }, STATE),
        (10, Kill { vm: F, node: None }, STATE),
        (10, Kill { vm: G, node: None }, STATE), // there is nothing to kill
        (10, Kill { vm: A, node: Some(n[0]) }, STATE), // nobody asked for that
        (11, Forge { vm: A }, STATE),
        (12, ForgeClone { vm: A }, STATE), // has no template
        (12, ForgeClone { vm: E }, STATE),
        (13, BootClone { vm: H, from: n[5], to: n[4] }, STATE),
        (13, BootClone { vm: H, from: n[6], to: n[6] }, STATE),
        (13, BootClone { vm: A, from: n[0], to: n[5] }, STATE),
        (14, ShutdownOriginal { vm: H, from: n[4] }, STATE),
        (14, Shutdown { vm: H, node: n[6] }, STATE),
        (2, Allocate { vm: W, node: n[1], resource: case.cpu, amount: 8 }, STATE),
        (2, Allocate { vm: C, node: n[1], resource: case.cpu, amount: 8 }, STATE),
        (2, Allocate { vm: W, node: n[0], resource: case.cpu, amount: 11 }, CAPACITY),
        (2, Allocate { vm: W, node: n[0], resource: case.cpu, amount: 7 }, Source::Constraint(6)),
        (2, Allocate { vm: W, node: n[0], resource: case.cpu, amount: u64::MAX }, CAPACITY),
        (7, BootNode { node: n[0] }, STATE),
        (7, ShutdownNode { node: n[4] }, STATE),
        (15, ShutdownNode { node: n[4] }, STATE), // has changed its state already
        (15, BootNode { node: n[6] }, STATE),
        (15, ShutdownNode { node: n[2] }, HOSTING),
    ];
    for (index, kind, expected) in expected {
        let report = case.replaced(index, kind);
        assert!(broken_by(&report, expected), "{kind:?} for {index}: {:?}", texts(&report));
        assert!(!report.is_ok());
    }
}

#[test]
fn a_vm_does_one_thing_at_a_time() {
    use ActionKind::*;
    let case = case();
    let (n, cpu) = (&case.n, case.cpu);
    let intruders = [
        act(3, 4, Suspend { vm: A, node: n[0] }),
        act(3, 3, Allocate { vm: A, node: n[0], resource: cpu, amount: 6 }),
        act(2, 3, Allocate { vm: H, node: n[6], resource: cpu, amount: 5 }),
        act(2, 3, Migrate { vm: H, from: n[6], to: n[5] }),
        act(4, 5, Migrate { vm: H, from: n[6], to: n[5] }),
        act(5, 6, Suspend { vm: H, node: n[6] }),
        act(4, 5, Migrate { vm: B, from: n[4], to: n[5] }),
        act(1, 2, Kill { vm: C, node: Some(n[1]) }),
    ];
    for intruder in intruders {
        let report = case.changed(|plan| plan.actions.push(intruder.clone()));
        assert!(broken_by(&report, STATE), "{intruder:?}: {:?}", texts(&report));
    }
}

#[test]
fn a_vm_changes_its_state_once_and_a_node_too() {
    use ActionKind::*;
    let case = case();
    let n = &case.n;
    for again in [
        act(10, 11, Boot { vm: C, node: n[1] }),
        act(10, 11, Resume { vm: D, from: n[1], to: n[1] }),
        act(10, 11, Shutdown { vm: E, node: n[4] }),
        act(10, 11, Boot { vm: G, node: n[1] }),
        act(10, 11, BootNode { node: n[6] }),
    ] {
        let report = case.changed(|plan| plan.actions.push(again.clone()));
        assert_eq!(faults(&report), [(Some(10), STATE)], "{:?}", texts(&report));
    }
}

#[test]
fn shares_are_given_by_those_who_bring_the_vm_somewhere() {
    let case = case();
    let report = case.changed(|plan| plan.actions[0].allocations = vec![(case.cpu, 1)]);
    assert_eq!(faults(&report), [(Some(0), STATE)]);
    let report = case.changed(|plan| plan.actions[8].allocations = vec![(case.cpu, 4), (case.cpu, 5)]);
    assert!(broken_by(&report, STATE));
    let report = case.changed(|plan| plan.actions[8].allocations = vec![(case.cpu, 3)]);
    assert_eq!(faults(&report), [(Some(9), Source::Constraint(7))]);
    let report = case.changed(|plan| plan.actions[8].allocations = vec![(case.cpu, 5)]);
    assert_eq!(faults(&report), [(Some(4), CAPACITY)]);
    assert_eq!(texts(&report), ["node n4 needs 11 of cpu at 4 s, has 10; b, e and h came or grew"]);
}

#[test]
fn edges_are_respected_and_form_no_circle() {
    let case = case();
    let with = |edge| case.changed(|plan| plan.happens_before.push(edge));
    for &(first, then) in &case.plan.happens_before {
        let report = with((then, first));
        let orders = faults(&report).iter().filter(|fault| fault.1 == ORDER).count();
        assert_eq!(orders, 2, "{then} -> {first}: a wrong time and a circle; {:?}", texts(&report));
    }
    assert_eq!(faults(&with((3, 3))), [(Some(0), ORDER)]);
    assert_eq!(faults(&with((0, 99))), [(Some(0), ORDER)]);
    assert_eq!(faults(&with((99, 0))), [(Some(0), ORDER)]);
    assert_eq!(faults(&with((1, 15))), []);
    assert_eq!(faults(&with((0, 1))), [], "said twice");
}

impl Case {
    /// What is told of the plan, once its edges have been changed, when it is carried out by
    /// them.
    fn carried_out(&self, change: impl FnOnce(&mut Vec<(u32, u32)>)) -> Report {
        let mut plan = self.plan.clone();
        change(&mut plan.happens_before);
        let mut report = check(&self.instance, &plan);
        assert!(report.is_ok(), "its times are right: {:?}", texts(&report));
        verify_conditions(&self.instance, &plan, &mut report);
        assert!(matches!(report.conditions, Conditions::Tried(runs) if runs >= 16));
        report
    }
}

const CONDITIONS: Source = Source::Core(CoreRule::Conditions);

#[test]
fn no_edge_can_be_left_out() {
    let case = case();
    assert_eq!(case.carried_out(|_| {}).findings, []);
    for (at, edge) in case.plan.happens_before.iter().enumerate() {
        let report = case.carried_out(|edges| {
            edges.remove(at);
        });
        let all = faults(&report);
        assert!(!all.is_empty() && all.iter().all(|fault| *fault == (None, CONDITIONS)), "{edge:?}: {all:?}");
    }
    // What is implied may be said or not.
    assert_eq!(case.carried_out(|edges| edges.push((0, 2))).findings, []);
    assert!(faults(&case.carried_out(Vec::clear)).len() > 4);
    let report = case.carried_out(|edges| {
        edges.remove(0);
    });
    assert_eq!(
        texts(&report),
        ["carried out by its conditions alone, node n1 needs 12 of cpu, has 10; a came or grew; \
          migrate(a, n0, n1) does not wait for the end of shutdown(c, n1)"]
    );
}

#[test]
fn a_rule_may_hold_by_the_times_alone() {
    let case = case();
    let report = case.carried_out(|edges| edges.retain(|edge| *edge != (3, 4)));
    assert!(
        texts(&report).iter().any(|text| text
            .starts_with("carried out by its conditions alone, the plan breaks spread (constraint 12): ")),
        "{:?}",
        texts(&report)
    );
    // What is wrong at its own times is told once.
    let mut plan = case.plan.clone();
    plan.actions[1].start -= 1;
    plan.actions[1].end -= 1;
    plan.happens_before.clear();
    let mut report = check(&case.instance, &plan);
    let known = report.findings.len();
    verify_conditions(&case.instance, &plan, &mut report);
    let told = report.findings[known..].iter().filter(|finding| finding.violation.nodes == [case.n[1]]);
    assert_eq!(told.count(), 0, "{:?}", texts(&report));
}

#[test]
fn who_waits_in_a_circle_is_not_carried_out() {
    let case = case();
    let mut plan = case.plan.clone();
    plan.happens_before.push((1, 0));
    let mut report = Report::default();
    verify_conditions(&case.instance, &plan, &mut report);
    assert_eq!((report.findings.len(), report.conditions), (0, Conditions::Unchecked));
}

#[test]
fn a_circle_of_actions_that_take_no_time_is_a_circle() {
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 9, 1);
    let n0 = b.node("n0");
    let vms = ["u", "v", "w"].map(|name| b.running_vm(name, n0));
    let instance = b.build().expect("a valid instance");
    let grow = |vm| act(3, 3, ActionKind::Allocate { vm, node: n0, resource: cpu, amount: 2 });
    let mut plan = plan(vms.map(grow).to_vec());
    plan.happens_before = vec![(0, 1), (1, 2)];
    assert!(check(&instance, &plan).is_ok());
    plan.happens_before.push((1, 0));
    let report = check(&instance, &plan);
    assert_eq!(
        texts(&report),
        ["allocate(u, n0, cpu, 2) and allocate(v, n0, cpu, 2) wait for each other in a circle"]
    );
}

#[test]
fn edges_order_what_takes_no_time() {
    // Two shares for one VM at one instant: the later one in the order of the edges stays.
    let mut b = InstanceBuilder::new();
    let cpu = b.resource_with_defaults("cpu", 9, 1);
    let n0 = b.node("n0");
    let v = b.running_vm("v", n0);
    b.constraint(Rule::AtLeast(v, cpu, 5).discrete());
    let instance = b.build().expect("a valid instance");
    let grow = |amount| act(3, 3, ActionKind::Allocate { vm: v, node: n0, resource: cpu, amount });
    let mut plan = plan(vec![grow(5), grow(2)]);
    plan.happens_before = vec![(1, 0)];
    assert!(check(&instance, &plan).is_ok());
    plan.happens_before = vec![(0, 1)];
    assert_eq!(faults(&check(&instance, &plan)), [(Some(3), Source::Constraint(0))]);
}

#[test]
fn a_plan_of_another_instance_is_refused() {
    use ActionKind::*;
    let case = case();
    let n = &case.n;
    for kind in [
        Migrate { vm: VmId(11), from: n[0], to: n[1] },
        Migrate { vm: A, from: NodeId(7), to: n[1] },
        Migrate { vm: A, from: n[0], to: NodeId(u32::MAX) },
        Allocate { vm: A, node: n[0], resource: ResourceId(1), amount: 1 },
        ShutdownNode { node: NodeId(7) },
    ] {
        assert_eq!(faults(&case.replaced(1, kind)), [(Some(2), STATE)], "{kind:?}");
    }
    let report = case.changed(|plan| plan.actions[8].allocations = vec![(ResourceId(9), 1)]);
    assert_eq!(
        texts(&report),
        ["action 8 of the plan, a boot, names resource 9; the instance has 1 resources"]
    );
}

#[test]
fn the_end_of_time_is_no_danger() {
    let case = case();
    let report = case.changed(|plan| {
        plan.actions[1].start = u64::MAX;
        plan.actions[1].end = u64::MAX;
        plan.actions[5].end = u64::MAX;
    });
    assert!(broken_by(&report, TIME));
}

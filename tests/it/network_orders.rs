//! Orders among migrations over a network, where each takes as long as its bandwidth lets it:
//! what the planner does, and what the checker sees.

use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Options;
use quadrille::Plan;
use quadrille::constraint::SideConstraint;
use quadrille::constraint::Timestamp;
use quadrille::constraint::deadline::Deadline;
use quadrille::constraint::fence::Fence;
use quadrille::constraint::precedence::Precedence;
use quadrille::constraint::serialize::Serialize;
use quadrille::constraint::sync::Sync;
use quadrille::model::Network;
use quadrille::model::NodeId;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::verify::Source;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;

const SHORT: VmId = VmId(0);
const LONG: VmId = VmId(1);

/// Two VMs that have nothing in common but a rule: 9 s and 18 s at their full 1000 Mbit/s.
fn pair(rule: impl SideConstraint) -> Instance {
    let mut b = InstanceBuilder::new();
    let nodes: Vec<NodeId> = (0..4).map(|at| b.node(&format!("n{at}"))).collect();
    b.network(Network::star(4, 1000));
    b.constraint(Constraint::new(rule));
    for (at, (name, memory)) in [("short", 1000), ("long", 2000)].into_iter().enumerate() {
        let vm = b.running_vm(name, nodes[at]);
        b.vm_attribute(vm, "memUsed", Value::Int(memory));
        b.vm_attribute(vm, "hotDirtySize", Value::Int(0));
        let fence = Constraint::new(Fence { vm, nodes: [nodes[at + 2]].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
    }
    b.build().expect("sound")
}

/// (start, end, bandwidth) of the short migration and of the long one.
type Times = [(u64, u64, u64); 2];

#[track_caller]
fn planned(instance: &Instance) -> (Plan, Times) {
    let objective = Some("makespan".parse().expect("an objective"));
    let options = Options { objective, step_limit: Some(20_000), ..Options::default() };
    let plan = quadrille::solve(instance, &options).expect("sound").plan.expect("a plan");
    let of = |vm| {
        let action = plan.actions.iter().find(|action| action.kind.vm() == Some(vm)).expect("moved");
        (action.start, action.end, action.bandwidth)
    };
    let times = [of(SHORT), of(LONG)];
    (plan, times)
}

/// How the rule is broken by a plan with these times: nothing where it is not, and nothing else is
/// ever broken.
#[track_caller]
fn told(instance: &Instance, plan: &Plan, times: Times) -> Option<String> {
    let mut plan = plan.clone();
    plan.happens_before.clear();
    for action in &mut plan.actions {
        let at = usize::from(action.kind.vm() == Some(LONG));
        (action.start, action.end, action.bandwidth) = times[at];
    }
    let report = verify(instance, &plan, &VerifyOptions::default());
    let found: Vec<_> = report.findings.iter().collect();
    assert!(found.iter().all(|finding| finding.source == Source::Constraint(0)), "{found:?}");
    found.first().map(|finding| finding.violation.text.clone())
}

#[test]
fn ends_are_equal_whatever_the_bandwidths() {
    let instance = pair(Sync { vms: [SHORT, LONG].into() });
    let (plan, times) = planned(&instance);
    assert_eq!(times, [(9, 18, 1000), (0, 18, 1000)]);
    assert_eq!(told(&instance, &plan, times), None);
    assert_eq!(told(&instance, &plan, [(0, 18, 500), (0, 18, 1000)]), None);
    assert_eq!(told(&instance, &plan, [(18, 36, 500), (0, 36, 500)]), None);
    let apart = told(&instance, &plan, [(0, 9, 1000), (0, 18, 1000)]).expect("not together");
    assert_eq!(apart, "short is relocated at 9 s, long at 18 s; they are to be relocated together");
    assert!(told(&instance, &plan, [(0, 18, 500), (0, 36, 500)]).is_some());
}

#[test]
fn a_link_is_shared_by_those_that_end_together() {
    let mut b = InstanceBuilder::new();
    let [from, to] = ["n0", "n1"].map(|name| b.node(name));
    b.network(Network::star(2, 1000));
    let vms = ["v0", "v1", "v2"].map(|name| b.running_vm(name, from));
    for vm in vms {
        b.vm_attribute(vm, "memUsed", Value::Int(1000));
        b.vm_attribute(vm, "hotDirtySize", Value::Int(0));
        let fence = Constraint::new(Fence { vm, nodes: [to].into() });
        b.constraint(fence.discrete().expect("a fence may be discrete"));
    }
    b.constraint(Constraint::new(Sync { vms: vms[..2].into() }));
    let instance = b.build().expect("sound");
    let plan = quadrille::solve(&instance, &Options::default()).expect("sound").plan.expect("a plan");
    let of = |vm| {
        let action = plan.actions.iter().find(|action| action.kind.vm() == Some(vm)).expect("moved");
        (action.end, action.duration(), action.bandwidth)
    };
    assert_eq!(of(vms[0]), of(vms[1]));
    assert_eq!((of(vms[0]).1, of(vms[0]).2, of(vms[2]).2), (18, 500, 1000));
    assert_eq!(plan.makespan(), 27);
}

#[test]
fn one_at_a_time_though_no_link_is_shared() {
    let instance = pair(Serialize { vms: [SHORT, LONG].into() });
    let (plan, times) = planned(&instance);
    assert_eq!(times.map(|(start, end, _)| end - start), [9, 18]);
    assert_eq!((plan.makespan(), plan.happens_before.len()), (27, 1));
    assert_eq!(told(&instance, &plan, times), None);
    assert_eq!(told(&instance, &plan, [(18, 36, 500), (0, 18, 1000)]), None);
    // Fast enough at full bandwidth, not at half of it.
    assert_eq!(told(&instance, &plan, [(0, 9, 1000), (9, 27, 1000)]), None);
    let text = told(&instance, &plan, [(0, 18, 500), (9, 27, 1000)]).expect("they overlap");
    assert!(text.contains("long starts at 9 s, while that of short is under way"), "{text}");
}

#[test]
fn one_before_the_other() {
    let instance = pair(Precedence { first: LONG, then: SHORT });
    let (plan, times) = planned(&instance);
    assert_eq!(times, [(18, 27, 1000), (0, 18, 1000)]);
    assert_eq!(told(&instance, &plan, times), None);
    assert!(told(&instance, &plan, [(18, 27, 1000), (0, 36, 500)]).is_some());
    assert_eq!(told(&instance, &plan, [(36, 45, 1000), (0, 36, 500)]), None);
    assert!(told(&instance, &plan, [(0, 9, 1000), (9, 27, 1000)]).is_some());
}

#[test]
fn done_in_time_at_the_bandwidth_that_it_has() {
    let by = |seconds| Deadline { vm: LONG, timestamp: Timestamp::Relative(seconds) };
    let instance = pair(by(18));
    let (plan, times) = planned(&instance);
    assert_eq!(times[1], (0, 18, 1000));
    assert_eq!(told(&instance, &plan, times), None);
    let text = told(&instance, &plan, [times[0], (0, 36, 500)]).expect("late");
    assert!(text.contains("long ends at 36 s, after its deadline at 18 s"), "{text}");
    assert!(told(&instance, &plan, [times[0], (1, 19, 1000)]).is_some());
    let late = quadrille::solve(&pair(by(17)), &Options::default()).expect("sound");
    assert_eq!(late.plan, None);
}

//! From "there is no plan" to the smallest part for which there is none.
//!
//! First as few VMs as possible, starting from those that the proof names: what is left is
//! small, and every question about it is quick. Then their places, constraints,
//! capacities and the horizon. A kind that is not needed goes at once; of one that is,
//! QuickXplain keeps what is needed. What was found needed stays needed when more is left
//! out, so the kinds can be looked at one after the other.

use super::question::Kept;
use super::question::Oracle;
use super::question::is_dropped;
use super::question::starts_anew;
use super::quickxplain;
use super::quickxplain::Verdict;
use crate::compile;
use crate::compile::Refusal;
use crate::constraint::Argument;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmState;
use crate::outcome::Clash;
use crate::outcome::Conflict;
use crate::outcome::Lack;
use crate::outcome::Member;
use crate::problem::BitSet;
use crate::search;
use petgraph::unionfind::UnionFind;

/// Capacities of up to so many nodes are members one by one; of more they are one member.
const ONE_BY_ONE: usize = 24;

/// The smallest part of `kept` without a plan that was found, as a conflict. `kept` must be
/// impossible; it becomes that part.
pub(super) fn shrink(oracle: &mut Oracle<'_>, kept: &mut Kept) -> Conflict {
    let instance = oracle.instance;
    follow_proofs(oracle, kept);
    if kept.network {
        kept.network = false;
        kept.network = instance.network().is_some() && oracle.ask(kept).verdict != Verdict::Impossible;
    }
    let runs = runs_later(instance, kept);
    let vms: Vec<u32> =
        (0..instance.vm_count() as u32).filter(|&vm| kept.vms[vm as usize] && runs[vm as usize]).collect();
    narrow(oracle, kept, &vms, |kept, vm, counts| kept.vms[vm as usize] = counts);
    // Places: mostly none of them matters.
    let anew = starts_anew(instance);
    let placed: Vec<u32> = (0..instance.vm_count() as u32)
        .filter(|&vm| kept.vms[vm as usize] && kept.places[vm as usize] && anew[vm as usize])
        .collect();
    narrow(oracle, kept, &placed, |kept, vm, counts| kept.places[vm as usize] = counts);
    forget_untouched(oracle, kept);
    let constraints: Vec<u32> = (0..instance.constraints().len() as u32)
        .filter(|&at| {
            kept.constraints[at as usize] && is_dropped(instance, &instance.constraints()[at as usize])
        })
        .collect();
    narrow(oracle, kept, &constraints, |kept, at, counts| kept.constraints[at as usize] = counts);
    let mut capacities = Vec::new();
    for resource in instance.resource_ids() {
        capacities.extend(narrow_capacity(oracle, kept, resource));
    }
    if kept.horizon {
        kept.horizon = false;
        kept.horizon = oracle.options().horizon.is_some() && oracle.ask(kept).verdict != Verdict::Impossible;
    }
    let members = members(oracle, kept, capacities);
    confirmed(oracle, members)
}

/// The conflict of some members: without those that turn out not to be needed, and with
/// what is known of how they clash.
pub(super) fn confirmed(oracle: &mut Oracle<'_>, mut members: Vec<Member>) -> Conflict {
    let minimal = confirm(oracle, &mut members);
    let kept = Kept::only(oracle.instance, &members);
    Conflict { members, minimal, ..classify(oracle, &kept) }
}

/// Rules about more VMs tie too many together to be looked at alone.
const TIED: usize = 64;

/// Larger sets of VMs that are tied by rules are not looked at.
const LARGEST: usize = 200;

/// Where nothing is known of the whole: a part of it that is impossible, of VMs that are
/// tied together by rules.
pub(super) fn focus(oracle: &mut Oracle<'_>, kept: &Kept) -> Option<Kept> {
    let instance = oracle.instance;
    let mut union = UnionFind::<u32>::new(instance.vm_count());
    let mut tied = vec![false; instance.vm_count()];
    for (_, one) in kept.constraints.iter().zip(instance.constraints()).filter(|(kept, _)| **kept) {
        let mut vms: Vec<u32> = Vec::new();
        one.rule.arguments().iter().for_each(|argument| argument.for_each_vm(|vm| vms.push(vm.0)));
        if vms.len() <= TIED {
            vms.iter().for_each(|&vm| tied[vm as usize] = true);
            vms.windows(2).for_each(|pair| {
                union.union(pair[0], pair[1]);
            });
        }
    }
    let mut sets: Vec<(u32, u32)> = (0..instance.vm_count() as u32)
        .filter(|&vm| tied[vm as usize] && kept.vms[vm as usize])
        .map(|vm| (union.find(vm), vm))
        .collect();
    sets.sort_unstable();
    for set in sets.chunk_by(|a, b| a.0 == b.0).filter(|set| set.len() <= LARGEST) {
        let mut few = kept.clone();
        few.vms.fill(false);
        set.iter().for_each(|&(_, vm)| few.vms[vm as usize] = true);
        match oracle.ask(&few).verdict {
            Verdict::Impossible => return Some(few),
            Verdict::Stop => return None,
            Verdict::Possible | Verdict::Unknown => {}
        }
    }
    None
}

/// By VM: does a rule that counts ask for it to run?
fn starts_later(instance: &Instance, kept: &Kept) -> Vec<bool> {
    let mut starts = vec![false; instance.vm_count()];
    for (one, _) in instance.constraints().iter().zip(&kept.constraints).filter(|(_, kept)| **kept) {
        if let Some((vm, VmState::Running)) = one.rule.wants() {
            starts[vm.index()] = true;
        }
    }
    starts
}

/// By VM: does it run at the end, or is it in the way until it stops?
fn runs_later(instance: &Instance, kept: &Kept) -> Vec<bool> {
    let mut runs = starts_later(instance, kept);
    for vm in instance.vm_ids() {
        runs[vm.index()] |= instance.place(vm).node().is_some();
    }
    runs
}

/// While a proof names few VMs: only those count, if that is impossible too.
fn follow_proofs(oracle: &mut Oracle<'_>, kept: &mut Kept) {
    for _ in 0..4 {
        let Some(vms) = oracle.ask(kept).vms else { return };
        let mut few = kept.clone();
        few.vms.fill(false);
        for vm in &vms {
            few.vms[vm.index()] = kept.vms[vm.index()];
        }
        if few.vms == kept.vms || oracle.ask(&few).verdict != Verdict::Impossible {
            return;
        }
        *kept = few;
    }
}

/// Leaves out what of a list is not needed: all of it if possible.
fn narrow(oracle: &mut Oracle<'_>, kept: &mut Kept, list: &[u32], set: impl Fn(&mut Kept, u32, bool)) {
    if list.is_empty() {
        return;
    }
    let mut part = kept.clone();
    let needed = quickxplain::minimal(list, &mut |some| {
        list.iter().for_each(|&one| set(&mut part, one, false));
        some.iter().for_each(|&one| set(&mut part, one, true));
        oracle.ask(&part).verdict
    });
    list.iter().for_each(|&one| set(kept, one, false));
    needed.iter().for_each(|&one| set(kept, one, true));
}

/// Leaves out the constraints that speak of VMs, and of none that counts.
fn forget_untouched(oracle: &mut Oracle<'_>, kept: &mut Kept) {
    let mut few = kept.clone();
    for (at, one) in oracle.instance.constraints().iter().enumerate() {
        let mut any = false;
        let mut counts = false;
        for argument in one.rule.arguments() {
            argument.for_each_vm(|vm| {
                any = true;
                counts |= kept.vms[vm.index()];
            });
        }
        few.constraints[at] &= counts || !any || !is_dropped(oracle.instance, one);
    }
    if few.constraints != kept.constraints && oracle.ask(&few).verdict == Verdict::Impossible {
        *kept = few;
    }
}

/// The capacities of a resource that are needed.
fn narrow_capacity(oracle: &mut Oracle<'_>, kept: &mut Kept, resource: ResourceId) -> Vec<Member> {
    let nodes = oracle.instance.node_count();
    let row = resource.index() * nodes..(resource.index() + 1) * nodes;
    let mut part = kept.clone();
    part.capacities[row.clone()].fill(false);
    if oracle.ask(&part).verdict == Verdict::Impossible {
        *kept = part;
        return Vec::new();
    }
    // Nodes that nobody may enter do not matter.
    let allowed = allowed_nodes(oracle.instance, kept);
    for node in 0..nodes {
        part.capacities[row.start + node] =
            allowed.contains(node as u32) && kept.capacities[row.start + node];
    }
    if part.capacities != kept.capacities && oracle.ask(&part).verdict == Verdict::Impossible {
        *kept = part;
    }
    let left: Vec<u32> =
        (0..nodes as u32).filter(|&node| kept.capacities[row.start + node as usize]).collect();
    if left.len() > ONE_BY_ONE {
        return vec![Member::Capacity(left.into_iter().map(NodeId).collect(), resource)];
    }
    narrow(oracle, kept, &left, |kept, node, counts| kept.capacities[row.start + node as usize] = counts);
    let needed = (0..nodes as u32).filter(|&node| kept.capacities[row.start + node as usize]);
    needed.map(|node| Member::Capacity(vec![NodeId(node)], resource)).collect()
}

/// The nodes that the VMs that count may be on at the end.
fn allowed_nodes(instance: &Instance, kept: &Kept) -> BitSet {
    let mut allowed = BitSet::empty(instance.node_count());
    let Ok(mut compiled) = compile::compile(&kept.instance(instance)) else {
        return BitSet::full(instance.node_count());
    };
    search::tighten::tighten(&mut compiled.problem.packing);
    let packing = &compiled.problem.packing;
    for item in 0..packing.items.len() as u32 {
        (0..packing.bins.len() as u32)
            .filter(|&bin| packing.may_end_in(item, bin) || packing.items[item as usize].source == bin)
            .for_each(|bin| allowed.insert(bin));
    }
    allowed
}

/// What counts, as members.
fn members(oracle: &Oracle<'_>, kept: &Kept, capacities: Vec<Member>) -> Vec<Member> {
    let instance = oracle.instance;
    let constraints = instance
        .constraints()
        .iter()
        .enumerate()
        .filter(|&(at, one)| kept.constraints[at] && is_dropped(instance, one));
    let mut members: Vec<Member> = constraints.map(|(at, _)| Member::Constraint(at as u32)).collect();
    let anew = starts_anew(instance);
    let (runs, starts) = (runs_later(instance, kept), starts_later(instance, kept));
    for vm in instance.vm_ids().filter(|vm| kept.vms[vm.index()] && runs[vm.index()]) {
        // One that is to be started is there for that rule.
        if instance.place(vm).host().is_some() || !starts[vm.index()] {
            members.push(Member::Vm(vm));
        }
        if kept.places[vm.index()] && anew[vm.index()] {
            members.push(Member::Place(vm));
        }
    }
    members.extend(capacities);
    if kept.network && instance.network().is_some() {
        members.push(Member::Network);
    }
    if let Some(horizon) = oracle.options().horizon.filter(|_| kept.horizon) {
        members.push(Member::Horizon(horizon));
    }
    members
}

/// Asks for each member whether there is a plan without it; leaves out those that turn
/// out not to be needed. Are all that stay seen to be?
fn confirm(oracle: &mut Oracle<'_>, members: &mut Vec<Member>) -> bool {
    let mut seen = true;
    let mut at = 0;
    while at < members.len() {
        // What is not asked any more is not seen.
        if oracle.stop().is_some() {
            return false;
        }
        let member = members.remove(at);
        match oracle.ask(&Kept::only(oracle.instance, members)).verdict {
            Verdict::Impossible => continue,
            Verdict::Possible => {}
            Verdict::Unknown | Verdict::Stop => seen = false,
        }
        members.insert(at, member);
        at += 1;
    }
    seen
}

/// How the part clashes, in numbers.
fn classify(oracle: &mut Oracle<'_>, kept: &Kept) -> Conflict {
    let instance = oracle.instance;
    let part = kept.instance(instance);
    let runs = runs_later(instance, kept);
    let vms: Vec<VmId> = instance.vm_ids().filter(|vm| kept.vms[vm.index()] && runs[vm.index()]).collect();
    let mut compiled = match compile::compile(&part) {
        Ok(compiled) => compiled,
        Err(Refusal::Conflict(conflict)) => return *conflict,
        Err(Refusal::Input(_)) => return Conflict::default(),
    };
    compiled.problem.project.horizon = oracle.options().horizon.filter(|_| kept.horizon);
    search::tighten::tighten(&mut compiled.problem.packing);
    let found = oracle.prove(&compiled);
    let conflict = found.map_or_else(Conflict::default, |proof| super::conflict(&compiled, &proof));
    // Causes are indices in the part.
    let original = kept.original(instance);
    let rule = |index: u32| original.get(index as usize).copied().unwrap_or(index);
    let nodes: Vec<NodeId> = allowed_nodes(instance, kept).iter().map(NodeId).collect();
    match conflict.clash {
        Clash::Nowhere | Clash::Room(_) | Clash::Seats(..) => {
            let clash = measure(instance, kept, &vms, &nodes).unwrap_or(Clash::Nowhere);
            Conflict::of(clash, Vec::new(), vms, nodes)
        }
        Clash::Broken(index) => Conflict { clash: Clash::Broken(rule(index)), ..conflict },
        Clash::FewOn(index, resource) => {
            Conflict { clash: Clash::FewOn(rule(index), resource), vms, ..conflict }
        }
        Clash::Order => {
            let mut waits = super::deadlock::waits(&compiled, &oracle.limits(None));
            for wait in &mut waits {
                if let Lack::Rule(index) = &mut wait.lack {
                    *index = rule(*index);
                }
            }
            let nodes = if waits.is_empty() { Vec::new() } else { nodes };
            Conflict { vms, nodes, waits, ..conflict }
        }
        Clash::Late(_) => Conflict { vms, ..conflict },
        _ => conflict,
    }
}

/// Numbers for VMs that have no places together.
fn measure(instance: &Instance, kept: &Kept, vms: &[VmId], nodes: &[NodeId]) -> Option<Clash> {
    let rules: Vec<&str> = instance
        .constraints()
        .iter()
        .zip(&kept.constraints)
        .filter(|(one, kept)| **kept && is_dropped(instance, one))
        .map(|(one, _)| one.rule.signature().name)
        .collect();
    let has = |names: &[&str]| rules.iter().any(|rule| names.contains(rule));
    let demand = |vm: &VmId, resource: ResourceId| {
        let asked = instance.constraints().iter().zip(&kept.constraints).filter(|(_, kept)| **kept);
        let least = asked.filter_map(|(one, _)| match one.rule.arguments().as_slice() {
            [Argument::Vm(other), Argument::Resource(what), Argument::Amount(amount)]
                if other == vm && *what == resource && one.rule.signature().name == "preserve" =>
            {
                Some(*amount)
            }
            _ => None,
        });
        least.chain([instance.demand(*vm, resource)]).max().unwrap_or(0)
    };
    let bounded: Vec<ResourceId> = instance
        .resource_ids()
        .filter(|&resource| instance.node_ids().any(|node| kept.capacity(instance, node, resource)))
        .collect();
    if let [resource] = bounded[..] {
        let need: u128 = vms.iter().map(|vm| u128::from(demand(vm, resource))).sum();
        let has_gather = has(&["gather"]);
        let most = nodes.iter().map(|&node| instance.capacity(node, resource)).max().unwrap_or(0);
        if (has_gather || vms.len() == 1) && need > u128::from(most) {
            return Some(Clash::Together(resource, need, most));
        }
        let room: u128 = nodes.iter().map(|&node| u128::from(instance.capacity(node, resource))).sum();
        if need > room && !has(&["maxOnline", "among"]) {
            return Some(Clash::Room(vec![(resource, need, room)]));
        }
    }
    let apart = rules.iter().filter(|rule| matches!(**rule, "spread" | "split")).count();
    if bounded.is_empty()
        && apart == 1
        && has(&["spread"])
        && !has(&["gather", "among", "maxOnline"])
        && vms.len() > nodes.len()
    {
        return Some(Clash::Seats(vms.len() as u64, nodes.len() as u64));
    }
    None
}

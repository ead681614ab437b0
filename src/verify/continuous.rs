//! Constraints that must hold at every moment.

use super::Finding;
use super::Source;
use super::replay::Touched;
use crate::constraint::Restriction;
use crate::constraint::Violation;
use crate::constraint::Watch;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Plan;
use crate::model::VmId;
use rustc_hash::FxHashMap;

/// The hard continuous constraints: which event concerns which, and which are broken.
#[derive(Clone)]
pub(super) struct Continuous<'a> {
    instance: &'a Instance,
    /// All of them.
    constraints: Vec<u32>,
    /// Sorted pairs, for the VMs and nodes of the plan alone: who is asked again
    /// when a VM or a node is touched, or when the company of a VM changes.
    by_vm: Vec<(VmId, u32)>,
    by_node: Vec<(NodeId, u32)>,
    by_neighbour: Vec<(VmId, u32)>,
    always: Vec<u32>,
    broken: FxHashMap<u32, Breach>,
}

#[derive(Clone, Default)]
struct Breach {
    /// How the source configuration broke it.
    before: Option<Violation>,
    /// The most that is forgiven: the least since the plan began, if it began broken.
    forgiven: u64,
    now: Option<Violation>,
    /// Is what is broken now in the report?
    said: bool,
    /// Since when it holds, if it does.
    since: u64,
    /// Was it ever broken more than is forgiven?
    fault: bool,
}

impl<'a> Continuous<'a> {
    /// O(what the constraints watch).
    pub(super) fn new(instance: &'a Instance, plan: &Plan) -> Self {
        let mut continuous = Self {
            instance,
            constraints: Vec::new(),
            by_vm: Vec::new(),
            by_node: Vec::new(),
            by_neighbour: Vec::new(),
            always: Vec::new(),
            broken: FxHashMap::default(),
        };
        let mut acted_vms = vec![false; instance.vm_count()];
        let mut acted_nodes = vec![false; instance.node_count()];
        for action in &plan.actions {
            let (vms, nodes) = super::words::about(&action.kind);
            vms.iter().for_each(|vm| acted_vms[vm.index()] = true);
            nodes.iter().for_each(|node| acted_nodes[node.index()] = true);
        }
        let acts = |vm: VmId| acted_vms.get(vm.index()) == Some(&true);
        let meets = |vm: VmId| {
            acts(vm)
                || vm.index() < instance.vm_count()
                    && instance.place(vm).host().is_some_and(|node| acted_nodes[node.index()])
        };
        for (index, constraint) in instance.constraints().iter().enumerate() {
            if !constraint.is_hard() || constraint.restriction != Restriction::Continuous {
                continue;
            }
            let index = index as u32;
            continuous.constraints.push(index);
            match constraint.rule.watch() {
                Watch::Nothing => {}
                Watch::Vms(vms) => {
                    continuous.by_vm.extend(vms.iter().filter(|&&vm| acts(vm)).map(|&vm| (vm, index)));
                }
                Watch::Nodes(nodes) => {
                    let acted = nodes.iter().filter(|node| acted_nodes.get(node.index()) == Some(&true));
                    continuous.by_node.extend(acted.map(|&node| (node, index)));
                }
                Watch::Neighbours(vms) => {
                    continuous.by_vm.extend(vms.iter().filter(|&&vm| acts(vm)).map(|&vm| (vm, index)));
                    continuous
                        .by_neighbour
                        .extend(vms.iter().filter(|&&vm| meets(vm)).map(|&vm| (vm, index)));
                }
                Watch::Everything => continuous.always.push(index),
            }
        }
        continuous.by_vm.sort_unstable();
        continuous.by_node.sort_unstable();
        continuous.by_neighbour.sort_unstable();
        continuous
    }

    /// Looks at the moment before the plan: what is broken is forgiven, or reported.
    pub(super) fn check_before(&mut self, at: &Configuration<'_>, strict: bool, findings: &mut Vec<Finding>) {
        for &constraint in &self.constraints {
            let Err(violation) = self.holds(constraint, at) else { continue };
            if strict {
                findings.push(finding(constraint, 0, violation.clone(), "; it is broken before the plan"));
            }
            let breach = Breach {
                before: Some(violation.clone()),
                forgiven: violation.amount.max(1),
                now: Some(violation),
                said: strict,
                since: 0,
                fault: strict,
            };
            self.broken.insert(constraint, breach);
        }
    }

    /// Asks again whoever watches what the events of an instant touched.
    pub(super) fn check_touched(
        &mut self,
        at: &Configuration<'_>,
        time: u64,
        touched: &Touched,
        findings: &mut Vec<Finding>,
    ) {
        let mut again = self.always.clone();
        for &vm in &touched.vms {
            again.extend(watchers(&self.by_vm, vm));
        }
        for &node in &touched.nodes {
            again.extend(watchers(&self.by_node, node));
            if !self.by_neighbour.is_empty() {
                for &guest in at.guests(node) {
                    again.extend(watchers(&self.by_neighbour, guest));
                }
            }
        }
        again.sort_unstable();
        again.dedup();
        for constraint in again {
            match self.holds(constraint, at) {
                Ok(()) => self.settle(constraint, time),
                Err(violation) => self.breach(constraint, time, violation, findings),
            }
        }
    }

    /// Takes the verdicts on the final configuration, and says what was repaired:
    /// constraint, moment from which it holds for good, and how it was broken.
    pub(super) fn conclude(
        mut self,
        makespan: u64,
        verdicts: &mut FxHashMap<u32, Violation>,
        findings: &mut Vec<Finding>,
    ) -> Vec<(u32, u64, Violation)> {
        let mut repaired = Vec::new();
        for constraint in std::mem::take(&mut self.constraints) {
            let Some(violation) = verdicts.remove(&constraint) else {
                self.settle(constraint, makespan);
                if let Some(breach) = self.broken.remove(&constraint)
                    && let Some(before) = breach.before
                    && !breach.fault
                {
                    repaired.push((constraint, breach.since, before));
                }
                continue;
            };
            let known = self.broken.get(&constraint);
            let said = known.is_some_and(|breach| breach.said && breach.now.as_ref() == Some(&violation));
            if !said {
                let note = if known.is_some_and(|breach| breach.before.is_some()) {
                    "; the plan does not repair it"
                } else {
                    ""
                };
                findings.push(finding(constraint, makespan, violation, note));
            }
        }
        repaired
    }

    fn holds(&self, constraint: u32, at: &Configuration<'_>) -> Result<(), Violation> {
        self.instance.constraints()[constraint as usize].rule.holds(at)
    }

    fn settle(&mut self, constraint: u32, time: u64) {
        if let Some(breach) = self.broken.get_mut(&constraint)
            && breach.now.take().is_some()
        {
            breach.forgiven = 0;
            breach.said = false;
            breach.since = time;
        }
    }

    fn breach(&mut self, constraint: u32, time: u64, violation: Violation, findings: &mut Vec<Finding>) {
        let breach = self.broken.entry(constraint).or_default();
        let amount = violation.amount.max(1);
        if amount <= breach.forgiven {
            breach.forgiven = amount;
            breach.said = false;
        } else {
            breach.fault = true;
            if !breach.said || breach.now.as_ref() != Some(&violation) {
                let note = if breach.forgiven > 0 { "; worse than it was before" } else { "" };
                findings.push(finding(constraint, time, violation.clone(), note));
                breach.said = true;
            }
        }
        breach.now = Some(violation);
    }
}

fn watchers<Id: Copy + Ord>(pairs: &[(Id, u32)], of: Id) -> impl Iterator<Item = u32> {
    let from = pairs.partition_point(|&(other, _)| other < of);
    pairs[from..].iter().take_while(move |&&(other, _)| other == of).map(|&(_, constraint)| constraint)
}

fn finding(constraint: u32, time: u64, mut violation: Violation, note: &str) -> Finding {
    violation.text.push_str(note);
    Finding { at: Some(time), source: Source::Constraint(constraint), violation, soft: false }
}

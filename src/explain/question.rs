//! Parts of an instance, and whether there is a plan for them.

use super::quickxplain::Verdict;
use crate::compile;
use crate::compile::Compiled;
use crate::compile::Refusal;
use crate::constraint::Argument;
use crate::constraint::Constraint;
use crate::constraint::running::Running;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::ResourceId;
use crate::model::VmId;
use crate::model::VmState;
use crate::objective::Objective;
use crate::outcome::Member;
use crate::outcome::Options;
use crate::outcome::StopReason;
use crate::search;
use crate::search::Limits;
use crate::search::Proof;
use crate::search::Settings;
use std::time::Instant;

/// A capacity without limit: more than all amounts together.
const NO_LIMIT: u64 = 1 << 60;

/// What of an instance counts; the rest is as if it had not been said.
///
/// A VM that does not count is ready and stays so. One whose place does not count is ready
/// and is to run, wherever it may. Capacities that do not count are without limit.
#[derive(Clone, Debug)]
pub struct Kept {
    /// By constraint.
    pub constraints: Vec<bool>,
    /// By VM.
    pub vms: Vec<bool>,
    /// By VM: does it start where it is?
    pub places: Vec<bool>,
    /// By resource, then node.
    pub capacities: Vec<bool>,
    /// The network; without it migrations take what durations say.
    pub network: bool,
    /// The last moment at which the plan may end.
    pub horizon: bool,
}

impl Kept {
    /// Everything.
    pub fn all(instance: &Instance) -> Self {
        Self {
            constraints: vec![true; instance.constraints().len()],
            vms: vec![true; instance.vm_count()],
            places: vec![true; instance.vm_count()],
            capacities: vec![true; instance.node_count() * instance.resource_count()],
            network: true,
            horizon: true,
        }
    }

    /// The part that has these members, and what conflicts do not name: rules that give room
    /// (`overbook`), soft ones, and rules that stop VMs of whose states no member speaks.
    pub fn only(instance: &Instance, members: &[Member]) -> Self {
        // VMs of whose states the members speak themselves.
        let spoken_of: Vec<VmId> = members
            .iter()
            .filter_map(|member| match member {
                Member::Constraint(index) => Some(instance.constraints()[*index as usize].rule.wants()?.0),
                _ => None,
            })
            .collect();
        let mut constraints = background(instance);
        for (kept, one) in constraints.iter_mut().zip(instance.constraints()) {
            *kept &= one.rule.wants().is_none_or(|(vm, _)| !spoken_of.contains(&vm));
        }
        let mut kept = Self {
            constraints,
            vms: vec![false; instance.vm_count()],
            places: starts_anew(instance).iter().map(|anew| !anew).collect(),
            capacities: vec![false; instance.node_count() * instance.resource_count()],
            network: false,
            horizon: false,
        };
        for member in members {
            kept.set(instance, member, true);
        }
        kept
    }

    /// Lets a member count, or not.
    pub fn set(&mut self, instance: &Instance, member: &Member, counts: bool) {
        match member {
            Member::Constraint(index) => {
                let index = *index as usize;
                self.constraints[index] = counts;
                // A VM that runs nowhere is there for those who want it in some state.
                if let Some((vm, _)) = instance.constraints()[index].rule.wants()
                    && instance.place(vm).host().is_none()
                {
                    self.vms[vm.index()] = counts;
                    self.places[vm.index()] = counts;
                }
            }
            Member::Vm(vm) => {
                self.vms[vm.index()] = counts;
            }
            Member::Place(vm) => self.places[vm.index()] = counts,
            Member::Capacity(nodes, resource) => {
                for node in nodes {
                    self.capacities[resource.index() * instance.node_count() + node.index()] = counts;
                }
            }
            Member::Network => self.network = counts,
            Member::Horizon(_) => self.horizon = counts,
        }
    }

    /// Is the capacity of a node in a resource kept?
    pub fn capacity(&self, instance: &Instance, node: NodeId, resource: ResourceId) -> bool {
        self.capacities[resource.index() * instance.node_count() + node.index()]
    }

    /// By constraint of the part: its index in the instance. (Constraints that the part adds
    /// come after these.)
    pub(super) fn original(&self, instance: &Instance) -> Vec<u32> {
        let counts = |&at: &u32| {
            let rule = &instance.constraints()[at as usize].rule;
            let gone = rule.wants().is_some_and(|(vm, _)| !self.vms[vm.index()]);
            // What overbooks a node that is without limit would limit it.
            let limit = rule.limit(instance);
            let unlimited = limit.is_some_and(|(node, resource, _)| !self.capacity(instance, node, resource));
            self.constraints[at as usize] && !gone && !unlimited
        };
        (0..self.constraints.len() as u32).filter(counts).collect()
    }

    /// The part as an instance of its own, with the same ids of VMs, nodes and resources;
    /// its constraints are those that count, in order.
    pub fn instance(&self, instance: &Instance) -> Instance {
        let wants = |constraint: &Constraint| constraint.rule.wants();
        let rules = self.original(instance).into_iter();
        let constraints = rules.map(|at| instance.constraints()[at as usize].clone()).collect();
        let mut part = Instance { constraints, ..instance.clone() };
        if !self.network {
            part.network = None;
        }
        // VMs that are to be started, and those of which some rule that counts wants a state.
        let (mut starts, mut wanted) = (vec![false; instance.vm_count()], vec![false; instance.vm_count()]);
        for (vm, state) in instance.constraints().iter().filter_map(wants) {
            starts[vm.index()] |= state == VmState::Running;
        }
        part.constraints.iter().filter_map(wants).for_each(|(vm, _)| wanted[vm.index()] = true);
        let anew = starts_anew(instance);
        for vm in instance.vm_ids() {
            let at = vm.index();
            // Nobody asks any more for one that was to be started.
            let idle = starts[at] && !wanted[at] && instance.place(vm).host().is_none();
            if !self.vms[at] || idle {
                if !matches!(part.places[at], Place::Init | Place::Killed) {
                    part.places[at] = Place::Ready;
                }
            } else if !self.places[at] && anew[at] {
                part.places[at] = Place::Ready;
                part.constraints.push(Constraint::new(Running { vm }));
            }
        }
        for (resource, row) in
            part.resources.iter_mut().zip(self.capacities.chunks(instance.node_count().max(1)))
        {
            for (capacity, _) in resource.capacity.iter_mut().zip(row).filter(|(_, kept)| !**kept) {
                *capacity = NO_LIMIT;
            }
        }
        part
    }
}

/// By VM: may it be taken as not being anywhere before the plan? That asks for more on a
/// node that nothing may enter, and one that is to stop would not be there at all.
pub(super) fn starts_anew(instance: &Instance) -> Vec<bool> {
    let mut anew: Vec<bool> = instance.vm_ids().map(|vm| instance.place(vm).host().is_some()).collect();
    let mut sealed = vec![false; instance.node_count()];
    for constraint in instance.constraints() {
        if let Some((vm, state)) = constraint.rule.wants()
            && state != VmState::Running
        {
            anew[vm.index()] = false;
        }
        if let ("quarantine", [Argument::Node(node)]) =
            (constraint.rule.signature().name, constraint.rule.arguments().as_slice())
        {
            sealed[node.index()] = true;
        }
    }
    for vm in instance.vm_ids() {
        if instance.place(vm).host().is_some_and(|node| sealed[node.index()]) {
            anew[vm.index()] = false;
        }
    }
    anew
}

/// By constraint: is it there for every part? Those that no part may be without; of rules
/// that stop a VM the first that can be followed.
pub(super) fn background(instance: &Instance) -> Vec<bool> {
    let mut stopped = vec![false; instance.vm_count()];
    let stays = |constraint: &Constraint| {
        !is_dropped(instance, constraint)
            && constraint.rule.wants().is_none_or(|(vm, state)| {
                compile::is_reachable(instance.place(vm).state(), state)
                    && !std::mem::replace(&mut stopped[vm.index()], true)
            })
    };
    instance.constraints().iter().map(stays).collect()
}

/// Is it a rule that a part may be without? Soft rules forbid nothing; `overbook` says what
/// a capacity is; a rule that stops a VM makes room.
pub(super) fn is_dropped(instance: &Instance, constraint: &Constraint) -> bool {
    constraint.is_hard()
        && constraint.rule.limit(instance).is_none()
        && constraint.rule.wants().is_none_or(|(_, state)| state == VmState::Running)
}

/// Answers questions about parts of an instance, within limits.
pub(super) struct Oracle<'i> {
    pub(super) instance: &'i Instance,
    options: &'i Options,
    deadline: Option<Instant>,
    /// Steps of all questions together.
    pub(super) steps: u64,
    /// How many questions there were.
    pub(super) questions: u64,
    /// Questions that found no answer.
    pub(super) unknown: u64,
    objective: Objective,
}

/// An answer, with what it was read from.
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    /// VMs that suffice for the proof, where it names them.
    pub(super) vms: Option<Vec<VmId>>,
}

/// Steps that one question may take, however many there are left.
const STEPS_EACH: u64 = 40_000;

impl<'i> Oracle<'i> {
    pub(super) fn new(instance: &'i Instance, options: &'i Options, deadline: Option<Instant>) -> Self {
        Self {
            instance,
            options,
            deadline,
            steps: 0,
            questions: 0,
            unknown: 0,
            objective: Objective::default(),
        }
    }

    /// What limits the search.
    pub(super) fn options(&self) -> &'i Options {
        self.options
    }

    /// Options for the planner, with this horizon and what is left of the limits.
    pub(super) fn options_for(&self, horizon: Option<u64>) -> Options {
        let time_limit = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let limits = self.limits(Some(STEPS_EACH));
        Options {
            objective: Some(self.objective.clone()),
            horizon,
            time_limit,
            step_limit: limits.steps,
            threads: None,
            progress: None,
            ..self.options.clone()
        }
    }

    /// The proof that there is no plan for a problem, if it is found.
    pub(super) fn prove(&mut self, compiled: &Compiled) -> Option<Proof> {
        let answer = self.run(compiled);
        answer.proof
    }

    fn run(&mut self, compiled: &Compiled) -> search::Answer {
        let settings = Settings {
            objective: &self.objective,
            limits: self.limits(Some(STEPS_EACH)),
            gap: None,
            seed: self.options.seed,
            any: true,
        };
        let answer = search::run(&compiled.problem, &settings, &|_, _, _, _| {});
        self.steps += answer.effort.max(1);
        answer
    }

    /// Is there time for more questions? Else: why not.
    pub(super) fn stop(&self) -> Option<StopReason> {
        self.limits(None).reached(self.steps)
    }

    pub(super) fn limits(&self, most: Option<u64>) -> Limits {
        let left = self.options.step_limit.map(|most| most.saturating_sub(self.steps));
        let steps = match (left, most) {
            (Some(left), Some(most)) => Some(left.min(most)),
            (None, most) => most,
            (left, None) => left.map(|left| left.saturating_add(self.steps)),
        };
        Limits { deadline: self.deadline, steps, cancel: self.options.cancel.clone() }
    }

    /// Is there a plan for a part?
    pub(super) fn ask(&mut self, kept: &Kept) -> Answer {
        let part = kept.instance(self.instance);
        let horizon = self.options.horizon.filter(|_| kept.horizon);
        self.ask_instance(&part, horizon)
    }

    /// Is there a plan for an instance?
    pub(super) fn ask_instance(&mut self, part: &Instance, horizon: Option<u64>) -> Answer {
        if self.stop().is_some() {
            return Answer { verdict: Verdict::Stop, vms: None };
        }
        self.questions += 1;
        let mut compiled = match compile::compile(part) {
            Ok(compiled) => compiled,
            Err(Refusal::Conflict(conflict)) => {
                self.steps += 1;
                return Answer { verdict: Verdict::Impossible, vms: Some(conflict.vms) };
            }
            // Amounts past all bounds: nothing can be said.
            Err(Refusal::Input(_)) => return Answer { verdict: Verdict::Unknown, vms: None },
        };
        compiled.problem.project.horizon = horizon;
        search::tighten::tighten(&mut compiled.problem.packing);
        let answer = self.run(&compiled);
        let verdict = match (&answer.proof, &answer.steps) {
            (Some(_), _) => Verdict::Impossible,
            (None, Some(_)) => Verdict::Possible,
            (None, None) if self.stop().is_some() => Verdict::Stop,
            (None, None) => Verdict::Unknown,
        };
        self.unknown += u64::from(verdict == Verdict::Unknown);
        let vms = answer.proof.as_ref().and_then(|proof| concerned(&compiled, proof));
        Answer { verdict, vms }
    }
}

/// The VMs that suffice for a proof, where it names them.
fn concerned(compiled: &Compiled, proof: &Proof) -> Option<Vec<VmId>> {
    match proof {
        // Others may be why it cannot be earlier.
        Proof::Exhausted | Proof::Late(_) | Proof::Overdue(_) => None,
        Proof::Powered(..) => None,
        _ => {
            let conflict = super::conflict(compiled, proof);
            (!conflict.vms.is_empty()).then_some(conflict.vms)
        }
    }
}

//! Plans carried out by their conditions alone, however long each action takes.

use super::Clock;
use super::Conditions;
use super::CoreRule;
use super::Finding;
use super::Report;
use super::Source;
use super::capacity::Room;
use super::continuous::Continuous;
use super::network::Overload;
use super::network::Ways;
use super::play;
use super::replay::Replay;
use super::timing;
use super::words;
use crate::constraint::Violation;
use crate::model::ActionKind;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::Plan;
use crate::model::Run;
use crate::model::VmId;
use crate::random::Random;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// How often a plan is carried out: at least and at most, and how many events and VMs are
/// gone through together in between.
const RUNS: (usize, usize) = (16, 400);
const WORK: usize = 2_000_000;

/// Carries the plan out, and adds what breaks. All that the actions name must exist.
pub(super) fn check(instance: &Instance, plan: &Plan, report: &mut Report) {
    let ranks = timing::check_order(instance, plan, &mut Vec::new());
    let count = plan.actions.len();
    let known = |&&(first, then): &&(u32, u32)| (first as usize) < count && (then as usize) < count;
    let mut edges: Vec<(u32, u32)> = plan.happens_before.iter().filter(known).copied().collect();
    if edges.iter().any(|&(first, then)| ranks[first as usize] >= ranks[then as usize]) {
        // Who waits in a circle never starts: the report says so already.
        return;
    }
    edges.sort_unstable_by_key(|&(first, then)| (ranks[first as usize], then));
    let mut trial = Trial::new(instance, plan, ranks, edges);
    let work = 2 * count + instance.vm_count() / 4 + 1;
    let runs = (WORK / work).clamp(RUNS.0, RUNS.1);
    for run in 0..runs {
        trial.carry_out(|action| stretched(plan, run, action));
        report.conditions = Conditions::Tried(run as u32 + 1);
        // What breaks at all mostly breaks soon.
        if run >= RUNS.0 && !trial.found.is_empty() {
            break;
        }
    }
    report.findings.append(&mut trial.found);
}

/// How long an action takes in a run: as stated in the first one, and then from a moment to
/// millions of them. Alike for each action by itself, for all that leave a node, that come to
/// one, or that concern a VM, in turn: what is freed late is freed late as a whole.
fn stretched(plan: &Plan, run: usize, action: u32) -> u64 {
    let stated = &plan.actions[action as usize];
    if run == 0 || matches!(stated.kind, ActionKind::Allocate { .. }) {
        return stated.duration();
    }
    let (node, vm) = (|node: Option<NodeId>| node.map(|node| node.0), stated.kind.vm().map(|vm| vm.0));
    let group = match run % 4 {
        1 => Some(action),
        2 => node(stated.kind.origin()),
        3 => node(stated.kind.destination()),
        _ => vm,
    };
    let seed = |of: u64, kind: u64| Random::new((run as u64) << 40 ^ of << 2 ^ kind).bits();
    let exponent = seed(group.map_or(u64::from(action), u64::from), u64::from(group.is_some())) % 21;
    // Not two alike: events at one moment are fewer states than events in turn.
    (1 << (2 * exponent)) + seed(u64::from(action), 2) % (1 + (1 << exponent))
}

/// A plan that is carried out again and again.
struct Trial<'a> {
    instance: &'a Instance,
    plan: &'a Plan,
    ranks: Vec<u32>,
    /// The actions, each after all that it waits for; and the edges in the same order.
    order: Vec<u32>,
    edges: Vec<(u32, u32)>,
    room: Room<'a>,
    continuous: Continuous<'a>,
    ways: Option<Ways<'a>>,
    actions_of: ActionsOf,
    /// Where the VMs of the plan end at its own times.
    last: Vec<(Place, Vec<u64>)>,
    /// What is broken at its own times, or has been told.
    told: FxHashSet<Subject>,
    found: Vec<Finding>,
}

/// What is seen of one run.
struct Seen {
    findings: Vec<Finding>,
    overloads: Vec<Overload>,
    /// Where the VMs of the plan end, and with what.
    last: Vec<(Place, Vec<u64>)>,
}

/// What a finding is about; told once.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Subject {
    Constraint(u32),
    Channel(u32),
    Core(CoreRule, Vec<VmId>, Vec<NodeId>),
    End,
}

impl Subject {
    fn of(finding: &Finding) -> Self {
        match finding.source {
            Source::Constraint(index) => Subject::Constraint(index),
            // Who came last differs from run to run.
            Source::Core(CoreRule::Capacity) => {
                Subject::Core(CoreRule::Capacity, Vec::new(), finding.violation.nodes.clone())
            }
            Source::Core(rule) => {
                Subject::Core(rule, finding.violation.vms.clone(), finding.violation.nodes.clone())
            }
        }
    }
}

/// Actions by the VMs and nodes that they are about.
#[derive(Default)]
struct ActionsOf {
    vms: FxHashMap<VmId, Vec<u32>>,
    nodes: FxHashMap<NodeId, Vec<u32>>,
}

impl<'a> Trial<'a> {
    fn new(instance: &'a Instance, plan: &'a Plan, ranks: Vec<u32>, edges: Vec<(u32, u32)>) -> Self {
        let mut order: Vec<u32> = (0..plan.actions.len() as u32).collect();
        order.sort_unstable_by_key(|&action| ranks[action as usize]);
        let mut room = Room::new(instance, Clock::Free);
        let mut continuous = Continuous::new(instance, plan);
        let source = Configuration::source(instance);
        room.check_before(&source, false, &mut Vec::new());
        continuous.check_before(&source, false, &mut Vec::new());
        let mut actions_of = ActionsOf::default();
        for (at, action) in (0u32..).zip(&plan.actions) {
            let (vms, nodes) = words::about(&action.kind);
            vms.into_iter().for_each(|vm| actions_of.vms.entry(vm).or_default().push(at));
            nodes.into_iter().for_each(|node| actions_of.nodes.entry(node).or_default().push(at));
        }
        let ways = Ways::of(instance, plan);
        let mut trial = Self {
            instance,
            plan,
            ranks,
            order,
            edges,
            room,
            continuous,
            ways,
            actions_of,
            last: Vec::new(),
            told: FxHashSet::default(),
            found: Vec::new(),
        };
        let Seen { findings, overloads, last } = trial.replay(plan);
        trial.told.extend(findings.iter().map(Subject::of));
        trial.told.extend(overloads.iter().map(|over| Subject::Channel(over.channel)));
        trial.last = last;
        trial
    }

    /// What is seen of a plan at its times.
    fn replay(&self, run: &Plan) -> Seen {
        let mut replay = Replay::new(self.instance, run, Clock::Free);
        let (mut room, mut continuous) = (self.room.clone(), self.continuous.clone());
        let (mut limits, mut findings) = (Vec::new(), Vec::new());
        play(&mut replay, &self.ranks, &mut room, &mut continuous, &mut limits, &mut findings);
        findings.append(&mut limits);
        let whole = Run::new(self.instance, run);
        for (index, constraint) in self.instance.constraints().iter().enumerate() {
            if constraint.is_hard()
                && !constraint.rule.is_about_moments()
                && let Err(violation) = constraint.rule.holds_over(&whole)
            {
                let source = Source::Constraint(index as u32);
                findings.push(Finding { at: None, source, violation, soft: false });
            }
        }
        let held = |vm| self.instance.resource_ids().map(|of| replay.at.demand(vm, of)).collect();
        let last = replay.acted_on().into_iter().map(|vm| (replay.at.place(vm), held(vm))).collect();
        let overloads = self.ways.as_ref().map_or_else(Vec::new, |ways| ways.overloads(run));
        Seen { findings, overloads, last }
    }

    /// One run, in which actions take so long.
    fn carry_out(&mut self, duration: impl Fn(u32) -> u64) {
        let mut run = self.plan.clone();
        let mut ready = vec![0u64; run.actions.len()];
        let mut edges = self.edges.iter().peekable();
        for &at in &self.order {
            let action = &mut run.actions[at as usize];
            action.start = ready[at as usize];
            action.end = action.start.saturating_add(duration(at));
            while let Some(&(_, then)) = edges.next_if(|&&(first, _)| first == at) {
                let ready = &mut ready[then as usize];
                *ready = (*ready).max(action.end);
            }
        }
        let Seen { findings, overloads, last } = self.replay(&run);
        // After an action that could not be done, the rest is another plan.
        let state = |finding: &&Finding| finding.source == Source::Core(CoreRule::State);
        let until = findings.iter().filter(state).filter_map(|finding| finding.at).min();
        let counts = |at: Option<u64>| at.is_none_or(|at| until.is_none_or(|until| at <= until));
        for finding in findings {
            if counts(finding.at) && (finding.at.is_some() || until.is_none()) {
                self.tell(&run, Subject::of(&finding), &finding);
            }
        }
        for over in overloads {
            if let Some(ways) = &self.ways
                && counts(Some(over.moment))
            {
                let finding = ways.finding(&over, Clock::Free);
                self.tell(&run, Subject::Channel(over.channel), &finding);
            }
        }
        if until.is_none() && last != self.last {
            let text = "VMs end elsewhere, or with other shares, than at the times of the plan".to_owned();
            let violation = words::violation(1, Vec::new(), Vec::new(), text);
            let finding = Finding { at: None, source: Source::Core(CoreRule::State), violation, soft: false };
            self.tell(&run, Subject::End, &finding);
        }
    }

    /// Puts a finding of a run into the words of the plan, if it is a new one.
    fn tell(&mut self, run: &Plan, subject: Subject, finding: &Finding) {
        if self.told.contains(&subject) {
            return;
        }
        let Violation { amount, vms, nodes, text } = &finding.violation;
        let mut text = match finding.source {
            Source::Constraint(index) => {
                let name = self.instance.constraints()[index as usize].rule.signature().name;
                format!(
                    "carried out by its conditions alone, the plan breaks {name} (constraint {index}): {text}"
                )
            }
            Source::Core(_) => format!("carried out by its conditions alone, {text}"),
        };
        if let Some((first, then)) = finding.at.and_then(|at| self.unasked(run, at, &subject, finding)) {
            let name = |action: u32| words::action(self.instance, &self.plan.actions[action as usize].kind);
            text += &format!("; {} does not wait for the end of {}", name(then), name(first));
        }
        let violation = Violation { amount: *amount, vms: vms.clone(), nodes: nodes.clone(), text };
        self.found.push(Finding {
            at: None,
            source: Source::Core(CoreRule::Conditions),
            violation,
            soft: false,
        });
        self.told.insert(subject);
    }

    /// An action that has started in a run before another has ended, which it follows at the
    /// times of the plan: (the one before, the one that does not wait).
    fn unasked(&self, run: &Plan, at: u64, subject: &Subject, finding: &Finding) -> Option<(u32, u32)> {
        let concerned: Vec<u32> = if let (Subject::Channel(channel), Some(ways)) = (subject, &self.ways) {
            (0..run.actions.len() as u32).filter(|&action| ways.takes(action, *channel)).collect()
        } else {
            let vms = finding.violation.vms.iter().filter_map(|vm| self.actions_of.vms.get(vm));
            let nodes = finding.violation.nodes.iter().filter_map(|node| self.actions_of.nodes.get(node));
            let mut concerned: Vec<u32> = vms.chain(nodes).flatten().copied().collect();
            concerned.sort_unstable();
            concerned.dedup();
            concerned
        };
        let stated = |action: u32| &self.plan.actions[action as usize];
        let carried = |action: u32| &run.actions[action as usize];
        let is_capacity = finding.source == Source::Core(CoreRule::Capacity);
        let nodes = &finding.violation.nodes;
        let is_at = |node: Option<NodeId>| !is_capacity || node.is_none_or(|node| nodes.contains(&node));
        let open: Vec<u32> = concerned
            .iter()
            .copied()
            .filter(|&action| carried(action).end > at && is_at(stated(action).kind.origin()))
            .collect();
        let earliest = open.iter().map(|&action| stated(action).end).min()?;
        let begun = concerned.into_iter().filter(|&action| {
            carried(action).start <= at
                && stated(action).start >= earliest
                && is_at(stated(action).kind.destination())
        });
        let later = begun.min_by_key(|&action| (stated(action).start, action))?;
        let first =
            open.into_iter().filter(|&action| action != later && stated(action).end <= stated(later).start);
        Some((first.max_by_key(|&action| (stated(action).end, action))?, later))
    }
}

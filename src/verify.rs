//! Is the source configuration, or a plan, right? Every violation, in words.
//!
//! Looks at the instance and the plan only; knows nothing of compiling and solving.

mod capacity;
mod conditions;
mod continuous;
mod network;
mod replay;
#[cfg(test)]
mod tests;
mod timing;
mod words;

use crate::constraint::Constraint;
use crate::constraint::Strength;
use crate::constraint::Violation;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::Plan;
use crate::model::Run;
use crate::model::VmId;
use crate::model::VmState;
use capacity::Room;
use continuous::Continuous;
use network::Ways;
use replay::Replay;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use timing::core;

/// Where a violation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The constraint at this index of the instance.
    Constraint(u32),
    /// A rule that holds without being asked for: capacities, states, hosting windows.
    Core(CoreRule),
}

/// The rules that hold without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoreRule {
    /// A node carries more of a resource than it has.
    Capacity,
    /// An action in a state in which it cannot be done, or a state that was asked for and not reached.
    State,
    /// A node hosts while it is off, booting or shutting down.
    Hosting,
    /// Times: an end before a start, a duration that is not the action's own.
    Time,
    /// An edge that the times contradict, or a circle of edges.
    Order,
    /// A link or a switch carries more than it can, or a way is none.
    Network,
    /// What the times keep breaks when the plan is carried out by its conditions alone.
    Conditions,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The moment, in seconds; `None` for the source configuration without a plan, and for
    /// what other durations would bring about.
    pub at: Option<u64>,
    /// Which rule.
    pub source: Source,
    /// How it is broken.
    pub violation: Violation,
    /// True for a broken soft constraint: a price, not a fault.
    pub soft: bool,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong, by time, then rule. Never cut.
    pub findings: Vec<Finding>,
    /// Continuous constraints that the source breaks and the plan repairs without ever
    /// making them worse: (constraint, the moment from which it holds for good, how it was broken).
    pub repaired: Vec<(u32, u64, Violation)>,
    /// Total price of the soft constraints that the final configuration breaks.
    pub penalty: u64,
    /// Was the plan carried out by its conditions, too?
    pub conditions: Conditions,
}

/// What is known of a plan whose actions take longer, or shorter, than it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conditions {
    /// Nothing: nobody has asked.
    #[default]
    Unchecked,
    /// Nothing: the plan comes from a format that has no conditions.
    Lacking,
    /// [`verify_conditions`] carried it out so often, with other durations each time.
    Tried(u32),
}

impl Report {
    /// Is nothing wrong (soft constraints aside)?
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.soft)
    }

    /// Adds a broken constraint, with its price if it is soft.
    fn add(&mut self, at: Option<u64>, index: u32, constraint: &Constraint, violation: Violation) {
        let soft = match constraint.strength {
            Strength::Hard => false,
            Strength::Soft(price) => {
                let price = u64::from(price).saturating_mul(violation.amount.max(1));
                self.penalty = self.penalty.saturating_add(price);
                true
            }
        };
        self.findings.push(Finding { at, source: Source::Constraint(index), violation, soft });
    }

    /// Adds what the capacities and limits found, save what the rule that set a limit
    /// has said itself, and sorts.
    fn conclude(&mut self, limits: Vec<Finding>) {
        let said: FxHashSet<(Option<u64>, u32)> = self
            .findings
            .iter()
            .filter_map(|finding| match finding.source {
                Source::Constraint(index) => Some((finding.at, index)),
                Source::Core(_) => None,
            })
            .collect();
        self.findings.extend(limits.into_iter().filter(|finding| match finding.source {
            Source::Constraint(index) => !said.contains(&(finding.at, index)),
            Source::Core(_) => true,
        }));
        let rank = |source| match source {
            Source::Core(rule) => (0, rule as u32),
            Source::Constraint(index) => (1, index),
        };
        self.findings.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.at, rank(finding.source), finding.soft);
            let (mine, theirs) = (&one.violation, &other.violation);
            key(one)
                .cmp(&key(other))
                .then_with(|| mine.nodes.cmp(&theirs.nodes))
                .then_with(|| mine.vms.cmp(&theirs.vms))
                .then_with(|| mine.text.cmp(&theirs.text))
        });
    }
}

/// Which lapses of the source configuration are forgiven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Refuse a source that breaks a continuous constraint or a capacity.
    pub strict: bool,
    /// The last moment at which a plan may end.
    pub horizon: Option<u64>,
}

/// Checks the source configuration: what is wrong now?
///
/// Capacities (or the limits that rules put in their place) and every placement
/// constraint, discrete and continuous alike. Rules that wish for another state,
/// such as a VM to boot, a node to switch off or a VM to get a larger share, are
/// what a plan is for: that they are not met yet is not reported (see
/// [`SideConstraint::is_goal`](crate::constraint::SideConstraint::is_goal)).
/// O(VMs + nodes + what the constraints look at).
pub fn verify_source(instance: &Instance) -> Report {
    let mut report = Report::default();
    let at = Configuration::source(instance);
    let mut limits = Vec::new();
    Room::new(instance, Clock::Stated).check_last(&at, None, &mut limits);
    for (index, constraint) in instance.constraints().iter().enumerate() {
        if constraint.rule.is_goal() {
            continue;
        }
        if let Err(violation) = constraint.rule.holds(&at) {
            report.add(None, index as u32, constraint, violation);
        }
    }
    report.conclude(limits);
    report
}

/// Checks a plan against its instance.
///
/// The events are replayed in the order of time; at one instant ends come first,
/// then actions that take no time, then starts. What lasts between two instants is
/// looked at, as far as the events touched it:
///
/// * every action is done in the state that it needs, and takes the time that it takes;
/// * nodes host nothing while they are off, booting or shutting down;
/// * no node carries more than it has, VMs on the move counted on both of their nodes;
/// * hard continuous constraints hold at every moment, all constraints at the end;
/// * every VM ends in the state that a rule wants, or else in the state it was in;
/// * the edges form no circle, and the times respect them.
///
/// A constraint or capacity that is broken before the plan is forgiven while it is
/// never broken more than before, and unless [`VerifyOptions::strict`]. An action that
/// cannot be done is reported and skipped, and the replay goes on. Soft constraints
/// are asked at the end; what they cost is in [`Report::penalty`].
///
/// Near-linear in the size of the instance and the plan, beside the cost of asking
/// the continuous constraints again whose VMs or nodes an instant touches.
pub fn verify(instance: &Instance, plan: &Plan, options: &VerifyOptions) -> Report {
    let mut report = Report { findings: timing::unknown_elements(instance, plan), ..Report::default() };
    if !report.findings.is_empty() {
        // The plan is of another instance: nothing further can be said of it.
        report.conclude(Vec::new());
        return report;
    }
    let findings = &mut report.findings;
    timing::check_times(instance, plan, options.horizon, findings);
    if let Some(ways) = Ways::of(instance, plan) {
        ways.check(plan, findings);
        findings.extend(ways.overloads(plan).into_iter().map(|over| ways.finding(&over, Clock::Stated)));
    }
    let ranks = timing::check_order(instance, plan, findings);

    let mut replay = Replay::new(instance, plan, Clock::Stated);
    let mut room = Room::new(instance, Clock::Stated);
    let mut continuous = Continuous::new(instance, plan);
    let mut limits = Vec::new();
    room.check_before(&replay.at, options.strict, &mut limits);
    continuous.check_before(&replay.at, options.strict, findings);
    let makespan = play(&mut replay, &ranks, &mut room, &mut continuous, &mut limits, findings);

    replay.check_finished(makespan, findings);
    room.check_last(&replay.at, Some(makespan), &mut limits);
    let mut verdicts: FxHashMap<u32, Violation> = FxHashMap::default();
    for (index, constraint) in instance.constraints().iter().enumerate() {
        if let Err(violation) = constraint.rule.holds(&replay.at) {
            verdicts.insert(index as u32, violation);
        }
    }
    check_states(instance, &replay, makespan, &verdicts, findings);
    report.repaired = continuous.conclude(makespan, &mut verdicts, findings);
    let run = Run::new(instance, plan);
    for (index, constraint) in instance.constraints().iter().enumerate() {
        if let Some(violation) = verdicts.remove(&(index as u32)) {
            report.add(Some(makespan), index as u32, constraint, violation);
        }
        if let Err(violation) = constraint.rule.holds_over(&run) {
            report.add(Some(makespan), index as u32, constraint, violation);
        }
    }
    report.conclude(limits);
    report
}

/// Carries a plan out by its conditions (its happens-before edges) alone, and adds what breaks
/// to what [`verify`] has reported of it: in words, and each node, way and rule once.
///
/// Every action starts as soon as all that it waits for has ended; first with the durations
/// that the plan states, then with others, of which some are very long: pseudo-random, and
/// the same every time. Capacities, ways, states and the hard continuous rules must hold all the
/// same, and so must orders that rules ask for. Moments may not: a deadline, or moves that are
/// to end together, are not looked at
/// ([`SideConstraint::is_about_moments`](crate::constraint::SideConstraint::is_about_moments)).
/// A plan that passes has been tried, not proved.
///
/// As often as a plan is small: 16 to 400 times the cost of a replay.
pub fn verify_conditions(instance: &Instance, plan: &Plan, report: &mut Report) {
    if timing::unknown_elements(instance, plan).is_empty() {
        conditions::check(instance, plan, report);
    }
}

/// Goes through the events of a plan, and looks at what lasts between two instants. Gives
/// the moment of the last event.
fn play<'a>(
    replay: &mut Replay<'a>,
    ranks: &[u32],
    room: &mut Room<'a>,
    continuous: &mut Continuous<'a>,
    limits: &mut Vec<Finding>,
    findings: &mut Vec<Finding>,
) -> u64 {
    let events = events(replay.plan, ranks);
    let makespan = events.last().map_or(0, |event| event.time);
    for instant in events.chunk_by(|one, other| one.time == other.time) {
        for event in instant {
            if event.step != Step::End {
                replay.start(event.action, findings);
            }
            if event.step != Step::Start {
                replay.end(event.action);
            }
        }
        let time = instant[0].time;
        if time < makespan {
            replay.touched.tidy();
            room.check_touched(&replay.at, time, &replay.touched, limits);
            continuous.check_touched(&replay.at, time, &replay.touched, findings);
        }
        replay.touched.clear();
    }
    makespan
}

/// Whose moments a replay goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Those of the plan.
    Stated,
    /// Those of a run that only shows what may happen: no text names them.
    Free,
}

impl Clock {
    /// A moment in a sentence: ` at 5 s`, or nothing.
    fn at(self, moment: u64) -> String {
        match self {
            Clock::Stated => format!(" at {moment} s"),
            Clock::Free => String::new(),
        }
    }
}

/// Every VM ends in the state that is wanted, or keeps its own.
fn check_states(
    instance: &Instance,
    replay: &Replay<'_>,
    makespan: u64,
    verdicts: &FxHashMap<u32, Violation>,
    findings: &mut Vec<Finding>,
) {
    let mut wishes: Vec<(VmId, VmState, u32)> = Vec::new();
    for (index, constraint) in instance.constraints().iter().enumerate() {
        if constraint.is_hard()
            && let Some((vm, state)) = constraint.rule.wants()
        {
            wishes.push((vm, state, index as u32));
        }
    }
    wishes.sort_unstable();
    let mut report = |vm, text| {
        let nodes = replay.at.place(vm).node().into_iter().collect();
        findings.push(core(makespan, CoreRule::State, words::violation(1, vec![vm], nodes, text)));
    };
    for wishes in wishes.chunk_by(|one, other| one.0 == other.0) {
        let (vm, wanted, index) = wishes[0];
        let name = instance.vm_name(vm);
        if let Some(other) = wishes.iter().find(|wish| wish.1 != wanted) {
            let of = |index: u32| instance.constraints()[index as usize].rule.signature().name;
            report(
                vm,
                format!(
                    "{name} cannot end {} (constraint {index}, {}) and {} (constraint {}, {})",
                    words::state(wanted),
                    of(index),
                    words::state(other.1),
                    other.2,
                    of(other.2)
                ),
            );
        } else if replay.at.state(vm) != wanted && !wishes.iter().any(|wish| verdicts.contains_key(&wish.2)) {
            let state = words::state(replay.at.state(vm));
            report(vm, format!("{name} ends {state}, it is wanted {}", words::state(wanted)));
        }
    }
    for vm in replay.acted_on() {
        let (before, after) = (instance.place(vm).state(), replay.at.state(vm));
        let at = wishes.partition_point(|wish| wish.0 < vm);
        if before != after && wishes.get(at).is_none_or(|wish| wish.0 != vm) {
            let (name, after, before) = (instance.vm_name(vm), words::state(after), words::state(before));
            report(vm, format!("{name} ends {after}; it was {before}, and no rule wants that to change"));
        }
    }
}

/// What happens to an action at an instant, in the order in which it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    End,
    /// Start and end of an action that takes no time.
    Whole,
    Start,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    time: u64,
    step: Step,
    /// Respects the edges among actions that take no time.
    rank: u32,
    action: u32,
}

fn events(plan: &Plan, ranks: &[u32]) -> Vec<Event> {
    let mut events = Vec::with_capacity(2 * plan.actions.len());
    for (index, (action, &rank)) in plan.actions.iter().zip(ranks).enumerate() {
        let mut push = |time, step| events.push(Event { time, step, rank, action: index as u32 });
        if action.end > action.start {
            push(action.start, Step::Start);
            push(action.end, Step::End);
        } else {
            push(action.start, Step::Whole);
        }
    }
    events.sort_unstable();
    events
}

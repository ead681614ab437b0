//! Plans written as text, to be accepted or refused by the checker.

use crate::common::Spec;
use crate::replay;
use quadrille::Instance;
use quadrille::Plan;
use quadrille::model::Action;
use quadrille::model::ActionKind;
use quadrille::model::NodeId;
use quadrille::model::Reason;
use quadrille::model::ResourceId;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::verify::CoreRule;
use quadrille::verify::Source;
use quadrille::verify::verify;

/// Reads actions as [`crate::common::line`] writes them, separated by `|`:
/// `0:3 migrate a n0 n1 cpu=2 | 3:5 boot b n0 | 4:6 boot_node n2`.
pub(crate) fn plan(instance: &Instance, text: &str) -> Plan {
    let mut actions: Vec<Action> = text
        .split('|')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| action(instance, line).unwrap_or_else(|| panic!("`{line}` is no action")))
        .collect();
    actions.sort_by_key(|action| (action.start, action.end));
    Plan { actions, happens_before: Vec::new() }
}

fn action(instance: &Instance, line: &str) -> Option<Action> {
    let (shares, mut words): (Vec<&str>, Vec<&str>) =
        line.split_whitespace().partition(|word| word.contains('='));
    let (start, end) = words.remove(0).split_once(':')?;
    let name = words.remove(0);
    let vm = |at: usize| Some(VmId::from_index(instance.vms().find(words.get(at)?)?));
    let node = |at: usize| Some(NodeId::from_index(instance.nodes().find(words.get(at)?)?));
    let kind = match name {
        "migrate" => ActionKind::Migrate { vm: vm(0)?, from: node(1)?, to: node(2)? },
        "resume" => ActionKind::Resume { vm: vm(0)?, from: node(1)?, to: node(2)? },
        "boot" => ActionKind::Boot { vm: vm(0)?, node: node(1)? },
        "shutdown" => ActionKind::Shutdown { vm: vm(0)?, node: node(1)? },
        "suspend" => ActionKind::Suspend { vm: vm(0)?, node: node(1)? },
        "kill" => ActionKind::Kill { vm: vm(0)?, node: node(1) },
        "forge" => ActionKind::Forge { vm: vm(0)? },
        "allocate" => ActionKind::Allocate {
            vm: vm(0)?,
            node: node(1)?,
            resource: instance.resource_named(words.get(2)?)?,
            amount: words.get(3)?.parse().ok()?,
        },
        "forge_clone" => ActionKind::ForgeClone { vm: vm(0)? },
        "boot_clone" => ActionKind::BootClone { vm: vm(0)?, from: node(1)?, to: node(2)? },
        "shutdown_original" => ActionKind::ShutdownOriginal { vm: vm(0)?, from: node(1)? },
        "boot_node" => ActionKind::BootNode { node: node(0)? },
        "shutdown_node" => ActionKind::ShutdownNode { node: node(0)? },
        _ => return None,
    };
    let share = |pair: &str| -> Option<(ResourceId, u64)> {
        let (resource, amount) = pair.split_once('=')?;
        Some((instance.resource_named(resource)?, amount.parse().ok()?))
    };
    let allocations = shares.into_iter().map(share).collect::<Option<Vec<_>>>()?;
    Some(Action {
        kind,
        start: start.parse().ok()?,
        end: end.parse().ok()?,
        allocations,
        bandwidth: 0,
        reason: Reason::Unknown,
    })
}

impl Spec {
    /// The instance in which the actions of a plan last as long as the text says.
    fn lasting(&self, text: &str) -> (Instance, Plan) {
        let mut spec = self.clone();
        for line in text.split('|').map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (start, end) = words[0].split_once(':').expect("start:end");
            let seconds = end.parse::<i64>().expect("an end") - start.parse::<i64>().expect("a start");
            let key = match words[1] {
                "allocate" | "boot_clone" | "shutdown_original" => continue,
                "boot_node" => "boot",
                "shutdown_node" => "shutdown",
                "forge_clone" => "forge",
                other => other,
            };
            spec.attributes.push((words[2].to_owned(), key.to_owned(), Value::Int(seconds)));
        }
        let instance = spec.build();
        let plan = plan(&instance, text);
        (instance, plan)
    }

    /// Expects a plan to be right, by the checker and by the naive replay.
    pub(crate) fn accepts(&self, text: &str) -> &Self {
        let (instance, plan) = self.lasting(text);
        let report = verify(&instance, &plan, &self.verify_options());
        assert!(report.is_ok(), "`{text}` is refused: {:?}\nfor\n{self}", report.findings);
        let faults = replay::faults(&instance, &plan, replay::Clock::Own);
        assert!(faults.is_empty(), "`{text}` is refused by the replay: {faults:?}\nfor\n{self}");
        self
    }

    /// Expects a plan to break a rule of this name, by the checker and by the replay.
    pub(crate) fn refuses(&self, text: &str, rule: &str) -> &Self {
        let (instance, plan) = self.lasting(text);
        let report = verify(&instance, &plan, &self.verify_options());
        let named = report.findings.iter().any(|finding| match finding.source {
            Source::Constraint(at) => instance.constraints()[at as usize].rule.signature().name == rule,
            Source::Core(_) => false,
        });
        assert!(named && !report.is_ok(), "`{text}` breaks no `{rule}`: {:?}\nfor\n{self}", report.findings);
        if !self.strict {
            let faults = replay::faults(&instance, &plan, replay::Clock::Own);
            assert!(!faults.is_empty(), "the replay accepts `{text}`\nfor\n{self}");
        }
        self
    }

    /// Expects a plan to break a rule that holds without being asked for.
    pub(crate) fn breaks(&self, text: &str, rule: CoreRule) -> &Self {
        let (instance, plan) = self.lasting(text);
        let report = verify(&instance, &plan, &self.verify_options());
        let found = report.findings.iter().any(|finding| finding.source == Source::Core(rule));
        assert!(found && !report.is_ok(), "`{text}` breaks no {rule:?}: {:?}\nfor\n{self}", report.findings);
        let faults = replay::faults(&instance, &plan, replay::Clock::Own);
        assert!(!faults.is_empty() || self.strict, "the replay accepts `{text}`\nfor\n{self}");
        self
    }

    /// Expects a plan to be refused for its times alone.
    pub(crate) fn breaks_the_clock(&self, text: &str) -> &Self {
        let (instance, plan) = self.lasting(text);
        let report = verify(&instance, &plan, &self.verify_options());
        let found = report.findings.iter().any(|finding| finding.source == Source::Core(CoreRule::Time));
        assert!(found, "`{text}` keeps the times: {:?}\nfor\n{self}", report.findings);
        self
    }
}

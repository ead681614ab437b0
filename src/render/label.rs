//! Actions in words, and as events.

use super::name;
use crate::model::ActionKind;
use crate::model::Instance;
use crate::model::Plan;
use rustc_hash::FxHashMap;

/// What an action does, for a line: `migrate VM4 (N2 -> N5)`.
pub(super) fn words(instance: &Instance, kind: &ActionKind) -> String {
    use ActionKind::*;
    let vm = |vm| name::vm(instance, vm);
    let node = |node| name::node(instance, node);
    let verb = kind.name();
    match *kind {
        Migrate { vm: v, from, to } => format!("{verb} {} ({} -> {})", vm(v), node(from), node(to)),
        Resume { vm: v, from, to } if from != to => {
            format!("{verb} {} ({} -> {})", vm(v), node(from), node(to))
        }
        Resume { vm: v, to: n, .. }
        | Boot { vm: v, node: n }
        | Shutdown { vm: v, node: n }
        | Suspend { vm: v, node: n }
        | Kill { vm: v, node: Some(n) } => format!("{verb} {} ({})", vm(v), node(n)),
        Kill { vm: v, node: None } | Forge { vm: v } => format!("{verb} {}", vm(v)),
        ForgeClone { vm: v } => format!("{verb} clone of {}", vm(v)),
        BootClone { vm: v, from, to } => {
            format!("{verb} clone of {} ({} -> {})", vm(v), node(from), node(to))
        }
        ShutdownOriginal { vm: v, from } => format!("{verb} original of {} ({})", vm(v), node(from)),
        Allocate { vm: v, node: n, resource, amount } => {
            format!("{verb} {} {} {amount} ({})", vm(v), name::resource(instance, resource), node(n))
        }
        BootNode { node: n } => format!("boot {}", node(n)),
        ShutdownNode { node: n } => format!("shutdown {}", node(n)),
    }
}

/// As an event, as short as can be: `migrate(VM4)`.
fn short(instance: &Instance, kind: &ActionKind) -> String {
    use ActionKind::*;
    match *kind {
        BootNode { node } => format!("boot({})", name::node(instance, node)),
        ShutdownNode { node } => format!("shutdown({})", name::node(instance, node)),
        Allocate { vm, resource, .. } => {
            format!("allocate({}, {})", name::vm(instance, vm), name::resource(instance, resource))
        }
        _ => format!("{}({})", verb(kind), kind.vm().map_or_else(String::new, |vm| name::vm(instance, vm))),
    }
}

/// As an event, with everything that is to be known: `migrate(VM4, N2, N5)`.
fn long(instance: &Instance, kind: &ActionKind) -> String {
    use ActionKind::*;
    let nodes = match *kind {
        Migrate { from, to, .. } | Resume { from, to, .. } | BootClone { from, to, .. } => vec![from, to],
        Boot { node, .. } | Shutdown { node, .. } | Suspend { node, .. } => vec![node],
        Kill { node, .. } => node.into_iter().collect(),
        ShutdownOriginal { from, .. } => vec![from],
        Forge { .. } | ForgeClone { .. } => Vec::new(),
        Allocate { vm, node, resource, amount } => {
            return format!(
                "allocate({}, {}, {}, {amount})",
                name::vm(instance, vm),
                name::node(instance, node),
                name::resource(instance, resource)
            );
        }
        BootNode { node } | ShutdownNode { node } => {
            return format!("{}({})", kind.name(), name::node(instance, node));
        }
    };
    let mut text =
        format!("{}({}", verb(kind), kind.vm().map_or_else(String::new, |vm| name::vm(instance, vm)));
    for node in nodes {
        text.push_str(", ");
        text.push_str(&name::node(instance, node));
    }
    text.push(')');
    text
}

fn verb(kind: &ActionKind) -> &'static str {
    match kind {
        ActionKind::ForgeClone { .. } => "forge_clone",
        ActionKind::BootClone { .. } => "boot_clone",
        ActionKind::ShutdownOriginal { .. } => "shutdown_original",
        _ => kind.name(),
    }
}

/// The events of a plan, each with a label that no other has.
pub(super) struct Events {
    /// The label in conditions.
    labels: Vec<String>,
    /// The label behind the arrow of a condition.
    targets: Vec<String>,
}

impl Events {
    pub(super) fn of(instance: &Instance, plan: &Plan) -> Self {
        let kinds = || plan.actions.iter().map(|action| &action.kind);
        let mut labels: Vec<String> = kinds().map(|kind| short(instance, kind)).collect();
        // Short where that is clear, else long, else with its number.
        replace_repeated(&mut labels, |at| long(instance, &plan.actions[at].kind));
        let clear: Vec<String> = labels.clone();
        replace_repeated(&mut labels, |at| format!("{}#{at}", clear[at]));
        let targets = kinds()
            .zip(labels.iter().zip(&clear))
            .map(|(kind, (label, clear))| match kind {
                ActionKind::BootNode { .. } | ActionKind::ShutdownNode { .. } => label.clone(),
                _ if label != clear => label.clone(),
                _ => long(instance, kind),
            })
            .collect();
        Self { labels, targets }
    }

    /// The label of an action in the conditions of others.
    pub(super) fn label(&self, at: u32) -> &str {
        self.labels.get(at as usize).map_or("", String::as_str)
    }

    /// An action with its condition: `!migrate(VM5) -> migrate(VM7, N5, N1)`, or
    /// `-> migrate(VM5)` where it waits for nothing.
    pub(super) fn condition(&self, at: u32, before: &[u32]) -> String {
        if before.is_empty() {
            return format!("-> {}", self.label(at));
        }
        let mut text = String::new();
        for (nth, &first) in before.iter().enumerate() {
            if nth > 0 {
                text.push_str(" & ");
            }
            text.push('!');
            text.push_str(self.label(first));
        }
        text.push_str(" -> ");
        text.push_str(self.targets.get(at as usize).map_or("", String::as_str));
        text
    }
}

fn replace_repeated(labels: &mut [String], other: impl Fn(usize) -> String) {
    let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
    for label in labels.iter() {
        *counts.entry(label).or_default() += 1;
    }
    let repeated: Vec<usize> = (0..labels.len())
        .filter(|&at| counts.get(labels[at].as_str()).is_some_and(|&count| count > 1))
        .collect();
    for at in repeated {
        labels[at] = other(at);
    }
}

//! What several rules share: sentences, sets, and the meaning of rules that differ by a word.

mod goal;
mod traffic;

pub(super) use goal::in_phase;
pub(super) use goal::in_state;
pub(super) use goal::node_goal;
pub(super) use goal::vm_goal;
pub(super) use traffic::DIRECTIONS;
pub(super) use traffic::Taken;
pub(super) use traffic::taken_of_each;
pub(super) use traffic::taken_together;

use super::Violation;
use crate::model::Configuration;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::NodeSet;
use crate::model::VmId;
use crate::model::VmSet;
use std::borrow::Cow;
use std::sync::Arc;

/// Names for a sentence: `a`, `a and b`, `a, b and c`; at most a dozen.
pub fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const MOST: usize = 12;
    let names: Vec<&str> = names.collect();
    if let Some((shown, more)) = names.split_at_checked(MOST)
        && !more.is_empty()
    {
        return format!("{} and {} more", shown.join(", "), more.len());
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The names of VMs for a sentence.
pub(super) fn vm_names(instance: &Instance, vms: &[VmId]) -> String {
    list(vms.iter().map(|&vm| instance.vm_name(vm)))
}

/// The names of nodes for a sentence.
pub(super) fn node_names(instance: &Instance, nodes: &[NodeId]) -> String {
    list(nodes.iter().map(|&node| instance.node_name(node)))
}

/// The rules about where one VM may run: broken by each node that it holds and that is
/// `wrong`. `why` ends the sentence.
pub(super) fn runs_on_none(
    at: &Configuration<'_>,
    vm: VmId,
    wrong: impl Fn(NodeId) -> bool,
    why: &str,
) -> Result<(), Violation> {
    let held: Vec<NodeId> = at.hosts(vm).filter(|&node| wrong(node)).collect();
    if held.is_empty() {
        return Ok(());
    }
    let names = at.instance();
    let text = format!("{} runs on {}, {why}", names.vm_name(vm), node_names(names, &held));
    Err(Violation::new(held.len() as u64, vec![vm], held, text))
}

/// The nodes that the VMs hold, in order, each once.
pub(super) fn hosts(at: &Configuration<'_>, vms: &[VmId]) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = vms.iter().flat_map(|&vm| at.hosts(vm)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// The group of a node; the first one listed where several have it.
pub(super) fn group_of(groups: &[NodeSet], node: NodeId) -> Option<usize> {
    groups.iter().position(|group| group.binary_search(&node).is_ok())
}

/// The members of several sets, each once.
pub(super) fn union(sets: &[VmSet]) -> Cow<'_, [VmId]> {
    if let [only] = sets {
        return Cow::Borrowed(only);
    }
    let mut all: Vec<VmId> = sets.iter().flat_map(|set| set.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    Cow::Owned(all)
}

/// Refuses a word that is none of those expected.
pub(super) fn one_of(parameter: &str, word: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&word) {
        return Ok(());
    }
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    Err(format!("`{parameter}` is `{word}`; expected one of {}", words.join(", ")))
}

/// Refuses sets that have an element in common.
pub(super) fn disjoint<T: Ord + Copy>(sets: &[Arc<[T]>], name: &str) -> Result<(), String> {
    let mut all: Vec<(T, usize)> = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        all.extend(set.iter().map(|&element| (element, at)));
    }
    all.sort_unstable();
    match all.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1) {
        Some(pair) => Err(format!(
            "sets {} and {} of `{name}` have an element in common; they must be disjoint",
            pair[0].1 + 1,
            pair[1].1 + 1
        )),
        None => Ok(()),
    }
}

/// What a rule says to a plan of these actions, each with start and end.
#[cfg(test)]
pub(super) fn over(
    rule: &impl super::SideConstraint,
    instance: &Instance,
    actions: &[(crate::model::ActionKind, u64, u64)],
) -> Result<(), Violation> {
    use crate::model::Action;
    use crate::model::Plan;
    use crate::model::Reason;
    use crate::model::Run;
    let actions = actions
        .iter()
        .map(|&(kind, start, end)| Action {
            kind,
            start,
            end,
            allocations: Vec::new(),
            bandwidth: 0,
            reason: Reason::Unknown,
        })
        .collect();
    let plan = Plan { actions, happens_before: Vec::new() };
    rule.holds_over(&Run::new(instance, &plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..14).map(|at| format!("v{at}")).collect();
        let text = |count: usize| list(names[..count].iter().map(String::as_str));
        assert_eq!(text(0), "");
        assert_eq!(text(1), "v0");
        assert_eq!(text(3), "v0, v1 and v2");
        assert_eq!(text(12), "v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10 and v11");
        assert_eq!(text(14), "v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11 and 2 more");
    }

    #[test]
    fn sets_with_a_common_element_are_found() {
        let sets = |sets: &[&[u32]]| -> Vec<Arc<[u32]>> { sets.iter().map(|set| (*set).into()).collect() };
        assert_eq!(disjoint(&sets(&[&[1, 2], &[], &[3]]), "parts"), Ok(()));
        let message = disjoint(&sets(&[&[1, 2], &[4], &[2, 3]]), "parts");
        assert!(message.is_err_and(|message| message.contains("sets 1 and 3 of `parts`")));
    }

    #[test]
    fn unions_and_groups() {
        let set = |ids: &[u32]| -> VmSet { ids.iter().copied().map(VmId).collect() };
        let all = union(&[set(&[1, 3]), set(&[0, 3])]).into_owned();
        assert_eq!(all, [VmId(0), VmId(1), VmId(3)]);
        let groups: Vec<NodeSet> = vec![[NodeId(0), NodeId(2)].into(), [NodeId(2), NodeId(3)].into()];
        assert_eq!(group_of(&groups, NodeId(2)), Some(0));
        assert_eq!(group_of(&groups, NodeId(3)), Some(1));
        assert_eq!(group_of(&groups, NodeId(1)), None);
    }
}

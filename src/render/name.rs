//! Names and sentences, made harmless.

use crate::constraint::list;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::ResourceId;
use crate::model::VmId;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// Would the character stand for itself between quotes?
pub(super) fn is_plain(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || c.escape_debug().len() == 1
}

/// A name as it stands in a line: itself where it is a plain word, else between quotes
/// with escapes, so that no name looks like two, ends a line or moves the cursor.
pub(super) fn word(name: &str) -> Cow<'_, str> {
    let is_word = |c: char| c.is_alphanumeric() && is_plain(c) || "_-.:#@/+$%*".contains(c);
    if !name.is_empty() && name.chars().all(is_word) {
        return Cow::Borrowed(name);
    }
    let mut text = String::with_capacity(name.len() + 2);
    text.push('"');
    for c in name.chars() {
        match c {
            '\'' => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
    }
    text.push('"');
    Cow::Owned(text)
}

/// A sentence with whatever is not printable escaped; quotes and spaces stay.
pub(super) fn sentence(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_debug());
        }
    }
    Cow::Owned(escaped)
}

/// The name of a VM, raw. An id that the instance has not is still printed.
pub(super) fn raw_vm(instance: &Instance, vm: VmId) -> Cow<'_, str> {
    if vm.index() < instance.vm_count() {
        Cow::Borrowed(instance.vm_name(vm))
    } else {
        Cow::Owned(format!("unknown-vm-{}", vm.0))
    }
}

/// The name of a node, raw.
pub(super) fn raw_node(instance: &Instance, node: NodeId) -> Cow<'_, str> {
    if node.index() < instance.node_count() {
        Cow::Borrowed(instance.node_name(node))
    } else {
        Cow::Owned(format!("unknown-node-{}", node.0))
    }
}

/// The name of a resource, raw.
pub(super) fn raw_resource(instance: &Instance, resource: ResourceId) -> Cow<'_, str> {
    if resource.index() < instance.resource_count() {
        Cow::Borrowed(instance.resource_name(resource))
    } else {
        Cow::Owned(format!("unknown-resource-{}", resource.0))
    }
}

/// The name of a VM, for a line.
pub(super) fn vm(instance: &Instance, vm: VmId) -> String {
    word(&raw_vm(instance, vm)).into_owned()
}

/// The name of a node, for a line.
pub(super) fn node(instance: &Instance, node: NodeId) -> String {
    word(&raw_node(instance, node)).into_owned()
}

/// The name of a resource, for a line.
pub(super) fn resource(instance: &Instance, resource: ResourceId) -> String {
    word(&raw_resource(instance, resource)).into_owned()
}

/// The names of VMs, raw.
pub(super) fn raw_vms<'i>(instance: &'i Instance, vms: &[VmId]) -> Vec<Cow<'i, str>> {
    vms.iter().map(|&vm| raw_vm(instance, vm)).collect()
}

/// The names of nodes, raw.
pub(super) fn raw_nodes<'i>(instance: &'i Instance, nodes: &[NodeId]) -> Vec<Cow<'i, str>> {
    nodes.iter().map(|&node| raw_node(instance, node)).collect()
}

/// The names of VMs, for a line.
pub(super) fn vms(instance: &Instance, vms: &[VmId]) -> String {
    several(vms.iter().map(|&one| vm(instance, one)))
}

/// The names of nodes, for a line.
pub(super) fn nodes(instance: &Instance, nodes: &[NodeId]) -> String {
    several(nodes.iter().map(|&one| node(instance, one)))
}

/// VMs for a sentence: few by their names, many by what their names start with:
/// `db* (12)`.
pub(super) fn vm_groups(instance: &Instance, vms: &[VmId]) -> String {
    groups(vms.iter().map(|&one| raw_vm(instance, one)))
}

/// The same for nodes.
pub(super) fn node_groups(instance: &Instance, nodes: &[NodeId]) -> String {
    groups(nodes.iter().map(|&one| raw_node(instance, one)))
}

/// A name without the number at its end.
pub(super) fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Up to so many names are written out.
const WRITTEN_OUT: usize = 4;

fn groups<'i>(names: impl ExactSizeIterator<Item = Cow<'i, str>>) -> String {
    let names: Vec<Cow<'_, str>> = names.collect();
    let words = |names: &[&str]| {
        let words: Vec<Cow<'_, str>> = names.iter().map(|name| word(name)).collect();
        list(words.iter().map(Cow::as_ref))
    };
    let plain: Vec<&str> = names.iter().map(Cow::as_ref).collect();
    if plain.len() <= WRITTEN_OUT {
        return words(&plain);
    }
    let mut by_stem: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut at_stem: FxHashMap<&str, usize> = FxHashMap::default();
    for name in plain {
        let stem = stem(name);
        let at = *at_stem.entry(stem).or_insert_with(|| {
            by_stem.push((stem, Vec::new()));
            by_stem.len() - 1
        });
        by_stem[at].1.push(name);
    }
    let texts: Vec<String> = by_stem
        .iter()
        .flat_map(|(stem, names)| match names.as_slice() {
            many if many.len() > 2 && !stem.is_empty() => {
                vec![format!("{} ({})", word(&format!("{stem}*")), many.len())]
            }
            few => few.iter().map(|name| word(name).into_owned()).collect(),
        })
        .collect();
    list(texts.iter().map(String::as_str))
}

/// At most a dozen names for a line, by commas.
fn several(names: impl ExactSizeIterator<Item = String>) -> String {
    const MOST: usize = 12;
    let count = names.len();
    let mut text = names.take(MOST).collect::<Vec<_>>().join(", ");
    if count > MOST {
        text.push_str(&format!(" and {} more", count - MOST));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_grouped() {
        let text = |names: &[&str]| groups(names.iter().map(|&name| Cow::Borrowed(name)));
        assert_eq!(text(&["db1", "db2", "db3"]), "db1, db2 and db3");
        assert_eq!(text(&["db1", "db2", "web", "db3", "db10", "a b1"]), "db* (4), web and \"a b1\"");
        assert_eq!(text(&["1", "2", "3", "4", "5"]), "1, 2, 3, 4 and 5");
    }

    #[test]
    fn names_that_would_mislead_are_quoted() {
        for plain in ["VM1", "vm#12", "@rack-1/n.2", "größe"] {
            assert_eq!(word(plain), plain);
        }
        assert_eq!(word(""), "\"\"");
        assert_eq!(word("a b"), "\"a b\"");
        assert_eq!(word("a) & !b"), "\"a) & !b\"");
        assert_eq!(word("x\"y\\z"), "\"x\\\"y\\\\z\"");
        assert_eq!(word("\u{1b}[31mred\n"), "\"\\u{1b}[31mred\\n\"");
        // Control characters past ASCII, and letters that turn the line round.
        assert_eq!(word("\u{9b}2J"), "\"\\u{9b}2J\"");
        assert_eq!(word("a\u{202e}b"), "\"a\\u{202e}b\"");
        assert_eq!(sentence("a \"b\" isn't\r\u{7}"), "a \"b\" isn't\\r\\u{7}");
    }
}

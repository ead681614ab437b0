//! Selections: `all vms tagged "db" by "rack"`.

use super::declare;
use super::evaluate::Run;
use super::operate;
use super::value::Items;
use super::value::Set;
use super::value::Type;
use super::value::Value;
use super::world::Element;
use crate::model::NodeId;
use crate::model::Value as Attribute;
use crate::model::VmId;
use quadrille_dsl::Filter;
use quadrille_dsl::Selection;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// A filter with its operands evaluated.
enum Test<'p> {
    Tagged(&'p str),
    Named(&'p str),
    Has(&'p str),
    /// True for `==`.
    With(&'p str, bool, Attribute),
    On(FxHashSet<NodeId>),
    In(FxHashSet<u32>),
}

impl<'p> Run<'p, '_> {
    /// What a selection finds, in the order of declaration.
    pub(super) fn select(&mut self, selection: &'p Selection, span: Span) -> Value {
        let mut tests = Vec::new();
        let mut sound = true;
        for filter in &selection.filters {
            match self.test(filter, selection.nodes) {
                Some(test) => tests.push(test),
                None => sound = false,
            }
        }
        if !sound {
            return Value::Unknown;
        }
        let instance = self.session.world.instance();
        let count = if selection.nodes { instance.node_count() } else { instance.vm_count() };
        if !self.work(span, (count as u64).saturating_mul(1 + tests.len() as u64)) {
            return Value::Unknown;
        }
        let element = |id: u32| {
            if selection.nodes { Element::Node(NodeId(id)) } else { Element::Vm(VmId(id)) }
        };
        let found: Vec<u32> =
            (0..count as u32).filter(|&id| tests.iter().all(|test| self.passes(element(id), test))).collect();
        let none = found.is_empty();
        if none {
            let what = if selection.nodes { "node" } else { "VM" };
            self.warning("W0902", span, format!("this selects no {what}"));
        }
        let set = |ids: &[u32]| {
            if selection.nodes {
                Set::of_nodes(ids.iter().copied().map(NodeId).collect::<Vec<_>>())
            } else {
                Set::of_vms(ids.iter().copied().map(VmId).collect::<Vec<_>>())
            }
        };
        let value = match &selection.by {
            None => operate::sized(set(&found)),
            Some(word) => {
                let mut groups: Vec<Vec<u32>> = Vec::new();
                let mut places: FxHashMap<String, usize> = FxHashMap::default();
                for id in found {
                    let Some(value) = self.session.world.attribute(element(id), &word.value) else {
                        continue;
                    };
                    let at = *places.entry(declare::attribute_text(value)).or_insert(groups.len());
                    match groups.get_mut(at) {
                        Some(group) => group.push(id),
                        None => groups.push(vec![id]),
                    }
                }
                if groups.is_empty() && !none {
                    let message = format!("nothing that is selected has the attribute `{}`", word.value);
                    self.warning("W0902", word.span, message);
                }
                let shape = Type { degree: 2, ..set(&[]).shape };
                let sets: Vec<Set> = groups.iter().map(|group| set(group)).collect();
                operate::sized(Set::new(Items::Sets(sets.into()), shape))
            }
        };
        self.or_unknown(span, value)
    }

    /// Evaluates the operands of a filter.
    fn test(&mut self, filter: &'p Spanned<Filter>, nodes: bool) -> Option<Test<'p>> {
        match &filter.value {
            Filter::Tagged(word) => Some(Test::Tagged(&word.value)),
            Filter::Named(word) => Some(Test::Named(word.value.strip_prefix('@').unwrap_or(&word.value))),
            Filter::With(word, None) => Some(Test::Has(&word.value)),
            Filter::With(word, Some((equal, value))) => {
                let operand = self.value(value);
                match declare::attribute_of(&operand) {
                    Some(attribute) => Some(Test::With(&word.value, *equal, attribute)),
                    None => {
                        if !operand.is_unknown() {
                            let found = operand.type_name();
                            let message = format!("an attribute is a number or a text, this is a {found}");
                            self.error("E0211", value.span, message);
                        }
                        None
                    }
                }
            }
            Filter::On(expression) if nodes => {
                self.value(expression);
                self.error(
                    "E0211",
                    filter.span,
                    "`on` selects VMs by the nodes that they are on; these are nodes",
                );
                None
            }
            Filter::On(expression) => match self.value(expression) {
                Value::Unknown => None,
                Value::Node(node) => Some(Test::On([node].into_iter().collect())),
                Value::Set(Set { items: Items::Nodes(nodes), .. }) => {
                    Some(Test::On(nodes.iter().copied().collect()))
                }
                Value::Set(set) if set.is_empty() => Some(Test::On(FxHashSet::default())),
                other => {
                    let message = format!("`on` takes nodes, this is a {}", other.type_name());
                    self.error("E0211", expression.span, message);
                    None
                }
            },
            Filter::In(expression) => match (self.value(expression), nodes) {
                (Value::Unknown, _) => None,
                (Value::Node(node), true) => Some(Test::In([node.0].into_iter().collect())),
                (Value::Vm(vm), false) => Some(Test::In([vm.0].into_iter().collect())),
                (Value::Set(Set { items: Items::Nodes(nodes), .. }), true) => {
                    Some(Test::In(nodes.iter().map(|node| node.0).collect()))
                }
                (Value::Set(Set { items: Items::Vms(vms), .. }), false) => {
                    Some(Test::In(vms.iter().map(|vm| vm.0).collect()))
                }
                (Value::Set(set), _) if set.is_empty() => Some(Test::In(FxHashSet::default())),
                (other, _) => {
                    let what = if nodes { "nodes" } else { "VMs" };
                    let message = format!("`in` takes {what} here, this is a {}", other.type_name());
                    self.error("E0211", expression.span, message);
                    None
                }
            },
        }
    }

    fn passes(&self, element: Element, test: &Test<'_>) -> bool {
        let world = &self.session.world;
        match test {
            Test::Tagged(tag) => world.has_tag(element, tag),
            Test::Named(pattern) => {
                let (name, prefix) = match element {
                    Element::Vm(vm) => (world.instance().vm_name(vm), self.prefix()),
                    Element::Node(node) => {
                        let name = world.instance().node_name(node);
                        (name.strip_prefix('@').unwrap_or(name), None)
                    }
                };
                let local = prefix.and_then(|prefix| name.strip_prefix(prefix)?.strip_prefix('.'));
                matches(pattern, name) || local.is_some_and(|local| matches(pattern, local))
            }
            Test::Has(key) => world.attribute(element, key).is_some(),
            Test::With(key, equal, wanted) => {
                world.attribute(element, key).is_some_and(|value| same(value, wanted) == *equal)
            }
            Test::On(nodes) => match element {
                Element::Vm(vm) => {
                    world.instance().place(vm).node().is_some_and(|node| nodes.contains(&node))
                }
                Element::Node(_) => false,
            },
            Test::In(ids) => match element {
                Element::Vm(vm) => ids.contains(&vm.0),
                Element::Node(node) => ids.contains(&node.0),
            },
        }
    }
}

/// Attributes of files may be texts where a script has numbers.
fn same(a: &Attribute, b: &Attribute) -> bool {
    match (a, b) {
        (Attribute::Bool(a), Attribute::Int(b)) | (Attribute::Int(b), Attribute::Bool(a)) => {
            i64::from(*a) == *b
        }
        (Attribute::Int(a), Attribute::Float(b)) | (Attribute::Float(b), Attribute::Int(a)) => {
            *a as f64 == *b
        }
        _ => a == b || declare::attribute_text(a) == declare::attribute_text(b),
    }
}

/// Is it of the pattern, in which `*` is anything and `?` one character? Its length times
/// that of the name, at most.
fn matches(pattern: &str, name: &str) -> bool {
    let (mut p, mut n) = (pattern.chars(), name.chars());
    // Where to go on when it does not fit: after the last star, and one character later.
    let mut again: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let name_now = n.clone();
        match (p.next(), n.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                again = Some((p.clone(), name_now.clone()));
                n = name_now;
            }
            (Some('?'), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => {
                let Some((after, from)) = &mut again else { return false };
                if from.next().is_none() {
                    return false;
                }
                (p, n) = (after.clone(), from.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("web-*", "web-1", true),
            ("web-*", "web-", true),
            ("web-*", "db-1", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?b*d", "abcd", true),
            ("*1", "web-11", true),
            ("*a*b", "aab", true),
            ("*a*b", "aac", false),
            ("ä?", "äü", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_take_no_time() {
        let name = "a".repeat(20_000);
        assert!(!matches("*a*a*a*a*a*a*a*a*b", &name));
    }
}

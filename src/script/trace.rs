//! What editors ask of scripts: what variables hold, and where things were declared.

use super::Place;
use super::Program;
use super::evaluate;
use super::evaluate::Run;
use super::load;
use super::value::Value;
use super::world::Element;
use super::world::World;
use crate::constraint::Signature;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::VmId;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Span;
use quadrille_dsl::Tree;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// So many types of one variable are kept.
const TYPES: usize = 4;

/// The values that a variable had at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Their types: `vm`, `set<set<node>>`; mostly one.
    pub types: BTreeSet<String>,
    /// The fewest and the most members, where there were sets.
    pub sizes: Option<(usize, usize)>,
    /// The value as text, where there was one only, and no set.
    pub text: Option<String>,
}

/// What is met while scripts are evaluated.
#[derive(Debug, Default)]
pub(super) struct Trace {
    seen: FxHashMap<Place, Seen>,
    declared: FxHashMap<Element, Place>,
}

impl Run<'_, '_> {
    /// A variable has a value at a place.
    pub(super) fn met(&mut self, span: Span, value: &Value) {
        let Some(trace) = &mut self.session.trace else { return };
        let Some(shape) = value.shape() else { return };
        let place = Place { file: self.script.file, span };
        let first = !trace.seen.contains_key(&place);
        let seen = trace.seen.entry(place).or_default();
        if let Value::Set(set) = value {
            let size = set.len();
            let (least, most) = seen.sizes.unwrap_or((size, size));
            seen.sizes = Some((least.min(size), most.max(size)));
        }
        if seen.types.len() < TYPES {
            seen.types.insert(shape.name());
        }
        let scalar = !matches!(value, Value::Set(_));
        if first && scalar {
            seen.text = Some(value.text(&self.session.world));
        } else if seen.text.as_ref().is_some_and(|text| !scalar || *text != value.text(&self.session.world)) {
            seen.text = None;
        }
    }

    /// VMs and nodes were declared.
    pub(super) fn met_declaration(&mut self, span: Span, elements: &[(Element, bool)]) {
        let Some(trace) = &mut self.session.trace else { return };
        let place = Place { file: self.script.file, span };
        for (element, _) in elements {
            trace.declared.entry(*element).or_insert(place);
        }
    }
}

/// What is known of scripts that were evaluated, sound or not.
#[derive(Debug)]
pub struct Inspection {
    diagnostics: Vec<Diagnostic>,
    world: World,
    trace: Trace,
}

impl Inspection {
    /// Errors and warnings, by file and place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The cluster as far as it came; nothing of it has been checked as a whole.
    pub fn instance(&self) -> &Instance {
        self.world.instance()
    }

    /// The values of the variable that stands at a place, from sign to end.
    pub fn seen(&self, place: Place) -> Option<&Seen> {
        self.trace.seen.get(&place)
    }

    /// The VM that a script calls so; `namespace` where the script names its own.
    pub fn vm(&self, namespace: Option<&str>, name: &str) -> Option<VmId> {
        self.world.vm(namespace, name, &mut String::new())
    }

    /// The node of a name, without `@`.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.world.node(name, &mut String::new())
    }

    /// Where a VM was declared; none for those of the cluster.
    pub fn vm_declaration(&self, vm: VmId) -> Option<Place> {
        self.trace.declared.get(&Element::Vm(vm)).copied()
    }

    /// Where a node was declared; none for those of the cluster.
    pub fn node_declaration(&self, node: NodeId) -> Option<Place> {
        self.trace.declared.get(&Element::Node(node)).copied()
    }

    /// The template of a VM.
    pub fn vm_template(&self, vm: VmId) -> Option<String> {
        self.world.attribute(Element::Vm(vm), "template").map(super::declare::attribute_text)
    }

    /// The template of a node.
    pub fn node_template(&self, node: NodeId) -> Option<String> {
        self.world.attribute(Element::Node(node), "template").map(super::declare::attribute_text)
    }
}

/// How a constraint is stated: `spread(vms: set<vm>)`; what may be left out in square brackets.
pub fn usage(signature: &Signature) -> String {
    super::lower::signature_text(signature.name, &(signature.parameters)())
}

/// A script of a program, for those who look into it.
#[derive(Clone, Copy, Debug)]
pub struct Script<'p> {
    script: &'p load::Script,
}

impl<'p> Script<'p> {
    /// The index of its text in the report.
    pub fn file(self) -> u32 {
        self.script.file
    }

    /// Its namespace, written or not.
    pub fn namespace(self) -> &'p str {
        &self.script.namespace
    }

    /// Its namespace where it is written, so that names of VMs begin with it.
    pub fn prefix(self) -> Option<&'p str> {
        self.script.written.then_some(self.namespace())
    }

    /// What is written in it.
    pub fn tree(self) -> &'p Tree {
        &self.script.tree
    }

    /// The variables that its included documents give it, without `$`.
    pub fn included(self) -> impl Iterator<Item = String> {
        self.script.includes.iter().flat_map(|include| {
            let values = include.value.iter().flat_map(|document| &document.values);
            values.map(|(path, _)| format!("{}{path}", include.name.value))
        })
    }
}

impl Program {
    /// The scripts that were read: first those that were asked for.
    pub fn scripts(&self) -> impl Iterator<Item = Script<'_>> {
        self.loaded.scripts.iter().map(|script| Script { script })
    }

    /// Evaluates like [`Program::apply`], and keeps what an editor wants to know, whether or
    /// not there are errors.
    pub fn inspect(&self, base: Option<Instance>) -> Inspection {
        let outcome = evaluate::evaluate(&self.loaded, World::new(base), Some(Trace::default()));
        Inspection {
            diagnostics: outcome.log.finish(),
            world: outcome.world,
            trace: outcome.trace.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Memory;

    #[test]
    fn an_editor_learns_what_was_met() {
        let text = "namespace a; @n[1..2] : node; VM[1..3] : small; $x = VM[1..3]; \
                    for $v in $x { spread($x); $k = 1; } spread(Nobody);";
        let program = Program::load(&["a.btrp".into()], &[], &Memory::default().with("a.btrp", text));
        let found = program.inspect(None);
        assert_eq!(found.diagnostics().len(), 1, "{:?}", found.diagnostics());
        let at = |needle: &str, length: usize| {
            let start = text.find(needle).expect("it is there") as u32;
            Place { file: 0, span: Span { start, end: start + length as u32 } }
        };
        let set = found.seen(at("$x =", 2)).expect("given a value");
        assert_eq!((set.types.first().map(String::as_str), set.sizes), (Some("set<vm>"), Some((3, 3))));
        let member = found.seen(at("$v in", 2)).expect("given a value");
        assert_eq!((member.types.first().map(String::as_str), &member.text), (Some("vm"), &None));
        assert_eq!(found.seen(at("$k", 2)).and_then(|seen| seen.text.as_deref()), Some("1"));
        let vm = found.vm(Some("a"), "VM2").expect("declared");
        assert_eq!(found.vm_declaration(vm), Some(at("VM[1..3] :", 8)));
        assert_eq!(found.vm_template(vm).as_deref(), Some("small"));
        let node = found.node("n1").expect("declared");
        assert_eq!(found.node_declaration(node), Some(at("@n[1..2]", 8)));
        let script = program.scripts().next().expect("one");
        assert_eq!((script.namespace(), script.prefix(), script.file()), ("a", Some("a"), 0));
    }
}

//! Instances as rule files.
//!
//! What comes out declares the whole cluster and states its rules, and gives an equal
//! instance when it is read again. It is meant to be read and changed by people:
//! neighbours that are alike are declared together, rules that say the same of several
//! VMs become one statement, sets that occur often get a name.

mod elements;
mod names;
mod network;
mod rules;

use super::limits;
use crate::format::FormatError;
use crate::format::WriteOptions;
use crate::format::Written;
use crate::model::Duration;
use crate::model::Instance;
use crate::model::Timed;
use crate::objective::Objective;
use names::Names;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Lines are broken behind this column where they can be.
const WIDTH: usize = 100;

/// Writes an instance as a rule file that declares everything in it.
///
/// ```
/// use quadrille::format::WriteOptions;
/// use quadrille::model::InstanceBuilder;
/// use quadrille::script::write;
///
/// let mut b = InstanceBuilder::new();
/// let node = b.node("n1");
/// b.running_vm("web", node);
/// let written = write(&b.build()?, &WriteOptions::default())?;
/// assert!(written.text.contains("web : plain running on @n1;"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What rule files cannot say: numbers and further names of VMs and nodes, VMs that are to be
/// forged or are killed, attributes that are texts but look like numbers, routes over one of
/// several links between the same switches.
/// With `lossy` these are left out with a note. Names that cannot be told apart, and
/// instances for which a rule file would be too long, are errors in any case.
pub fn write(instance: &Instance, options: &WriteOptions) -> Result<Written, FormatError> {
    let mut losses = Losses { lossy: options.lossy, kept: Vec::new(), counts: BTreeMap::new() };
    let names = Names::new(instance, &mut losses)?;
    let mut out = Out::default();
    let count = |number: usize, one: &str| {
        let ending = if number == 1 { "" } else { "s" };
        format!("{number} {one}{ending}")
    };
    let [nodes, vms] = [count(instance.node_count(), "node"), count(instance.vm_count(), "VM")];
    out.line(&format!("// {nodes}, {vms}, {}", count(instance.constraints().len(), "rule")));
    let resources = resources(instance, &mut out, &mut losses)?;
    let subject = Subject { instance, names: &names, resources: &resources };
    elements::write(subject, &mut out, &mut losses)?;
    network::write(instance, &names, &mut out, &mut losses)?;
    rules::write(subject, &mut out, &mut losses)?;
    if instance.objective != Objective::default() {
        out.gap();
        out.statement(&format!("minimise {}", objective(&instance.objective)));
    }
    if out.text.len() as u64 > limits::FILE_BYTES {
        return Err(FormatError::whole(format!(
            "the rule file would have {} bytes; {} are the most that are read",
            out.text.len(),
            limits::FILE_BYTES
        )));
    }
    Ok(Written { text: out.text, notes: losses.told() })
}

/// What is written: the instance, its elements under the names that they have in rule
/// files, and which of its resources such files can name.
#[derive(Clone, Copy)]
struct Subject<'a> {
    instance: &'a Instance,
    names: &'a Names,
    resources: &'a [bool],
}

/// What the language cannot say.
struct Losses {
    lossy: bool,
    kept: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Losses {
    /// Something is lost: an error, or a note.
    fn add(&mut self, kind: &'static str, text: impl FnOnce() -> String) -> Result<(), FormatError> {
        /// More of a kind are counted.
        const KEPT: usize = 5;
        if !self.lossy {
            return Err(FormatError::whole(format!("rule files cannot say this: {}", text())));
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push(text());
        } else if *count == KEPT + 1 {
            self.kept.push(format!("and more of that: {kind}"));
        }
        Ok(())
    }

    fn told(self) -> Vec<String> {
        self.kept
    }
}

/// The text as it grows.
#[derive(Default)]
struct Out {
    text: String,
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// An empty line between sections.
    fn gap(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn statement(&mut self, text: &str) {
        self.wrapped(text, "");
        self.text.push_str(";\n");
    }

    /// Text that is broken behind commas and before `+` where it is long.
    fn wrapped(&mut self, text: &str, indent: &str) {
        self.text.push_str(indent);
        if indent.len() + text.len() <= WIDTH {
            self.text.push_str(text);
            return;
        }
        let (mut column, mut start, mut quoted, mut escaped) = (indent.len(), 0, false, false);
        let mut first = true;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                // Both neighbours are ASCII, so this is between characters.
                b' ' if !quoted => {
                    let breaks = text[..at].ends_with(',') || text[at..].starts_with(" +");
                    if breaks {
                        self.piece(&text[start..at], &mut column, &mut first, indent);
                        start = at + 1;
                    }
                }
                _ => {}
            }
        }
        self.piece(&text[start..], &mut column, &mut first, indent);
    }

    fn piece(&mut self, piece: &str, column: &mut usize, first: &mut bool, indent: &str) {
        if std::mem::replace(first, false) {
        } else if *column + piece.len() < WIDTH {
            self.text.push(' ');
            *column += 1;
        } else {
            self.text.push('\n');
            self.text.push_str(indent);
            self.text.push_str("    ");
            *column = indent.len() + 4;
        }
        self.text.push_str(piece);
        *column += piece.len();
    }
}

/// Writes the resources and what holds where nothing else is said; which resources can
/// be named.
fn resources(instance: &Instance, out: &mut Out, losses: &mut Losses) -> Result<Vec<bool>, FormatError> {
    let mut sound = Vec::new();
    for resource in instance.resources() {
        // An option of that name is a tag.
        let is_name = resource.name != "tag";
        if !is_name {
            losses.add("resources", || format!("`{}` is no name for a resource", resource.name))?;
        }
        sound.push(is_name);
    }
    let known = || instance.resources().iter().zip(&sound).filter(|(_, sound)| **sound).map(|(r, _)| r);
    let list: Vec<String> = known().map(|resource| names::title(&resource.name)).collect();
    if !list.is_empty() {
        out.gap();
        out.statement(&format!("resource {}", list.join(", ")));
    }
    let mut defaults: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    for resource in known() {
        for (list, amount) in defaults.iter_mut().zip([resource.default_demand, resource.default_capacity]) {
            if i64::try_from(amount).is_err() {
                losses.add("amounts", || format!("a default of `{}` is {amount}", resource.name))?;
            } else if amount != 0 {
                list.push(format!("{}={amount}", names::title(&resource.name)));
            }
        }
    }
    for kind in Timed::ALL {
        let of_node = matches!(kind, Timed::BootNode | Timed::ShutdownNode);
        let text = match instance.durations().stated(kind) {
            None => continue,
            Some(Duration::Constant(seconds)) => seconds.to_string(),
            Some(Duration::Linear { resource, coefficient, offset }) => {
                let named = sound.get(resource.index()).copied().unwrap_or(false);
                if !named || !coefficient.is_finite() || !offset.is_finite() {
                    losses.add("durations", || format!("the duration of `{}`", kind.name()))?;
                    continue;
                }
                let sign = if offset.is_sign_negative() { '-' } else { '+' };
                let name = instance.resource_name(resource);
                names::quoted(&format!("{coefficient}*{name} {sign} {}", offset.abs()))
            }
        };
        // A resource of that name would be meant instead.
        if known().any(|resource| resource.name == kind.attribute()) {
            losses.add("durations", || format!("a resource is called `{}`", kind.attribute()))?;
            continue;
        }
        if let Some(list) = defaults.get_mut(usize::from(of_node)) {
            list.push(format!("{}={text}", kind.attribute()));
        }
    }
    if defaults.iter().any(|list| !list.is_empty()) {
        out.gap();
    }
    for (name, list) in ["default.vm", "default.node"].iter().zip(defaults) {
        if !list.is_empty() {
            out.statement(&format!("template {name}<{}>", list.join(", ")));
        }
    }
    Ok(sound)
}

fn objective(objective: &Objective) -> String {
    let mut text = String::new();
    for (at, level) in objective.levels.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}{level}");
    }
    text
}

#[cfg(test)]
mod tests;

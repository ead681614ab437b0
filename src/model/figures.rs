//! Attributes that mean something to planning, and what they must say: figures, flags, names.
//!
//! Attributes are free. Those that are listed here are read by somebody, so what they cannot
//! say is refused with the instance, and not when a plan happens to need it.

use super::Attributes;
use super::Durations;
use super::Elements;
use super::Footprint;
use super::Instance;
use super::NodeId;
use super::Part;
use super::Value;
use super::VmId;
use std::fmt;

/// The largest amount, so that sums over a plan stay far from overflowing.
const MOST: f64 = 1.0e12;

/// What an attribute must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// A number from 0 to 10^12.
    Amount,
    /// Mbit/s: a number from 1 to 10^12.
    Bandwidth,
    /// Whole seconds from 1 to [`Durations::LONGEST`].
    Seconds,
    /// True or false.
    Flag,
    /// A text, or a whole number that is meant as one.
    Name,
}

/// The attributes of VMs.
const OF_VMS: [(&str, Figure); 20] = [
    ("memUsed", Figure::Amount),
    ("hotDirtySize", Figure::Amount),
    ("hotDirtyDuration", Figure::Amount),
    ("coldDirtyRate", Figure::Amount),
    ("diskUsed", Figure::Amount),
    ("bandwidth", Figure::Bandwidth),
    ("postCopy", Figure::Flag),
    ("coldMigration", Figure::Flag),
    ("clone", Figure::Flag),
    ("migrationPower", Figure::Amount),
    ("migrationEnergy", Figure::Amount),
    ("migrationCost", Figure::Amount),
    ("datastore", Figure::Name),
    ("migrate", Figure::Seconds),
    ("boot", Figure::Seconds),
    ("shutdown", Figure::Seconds),
    ("suspend", Figure::Seconds),
    ("resume", Figure::Seconds),
    ("kill", Figure::Seconds),
    ("forge", Figure::Seconds),
];
/// The attributes of nodes.
const OF_NODES: [(&str, Figure); 4] = [
    ("power", Figure::Amount),
    ("datastore", Figure::Name),
    ("boot", Figure::Seconds),
    ("shutdown", Figure::Seconds),
];

fn listed(list: &[(&'static str, Figure)], key: &str) -> Option<Figure> {
    list.iter().find(|(known, _)| *known == key).map(|&(_, figure)| figure)
}

impl Figure {
    /// What an attribute of VMs must say, if it means something.
    pub(crate) fn of_vms(key: &str) -> Option<Self> {
        listed(&OF_VMS, key)
    }

    /// What an attribute of nodes must say, if it means something.
    pub(crate) fn of_nodes(key: &str) -> Option<Self> {
        listed(&OF_NODES, key)
    }

    /// Does a value say it?
    pub(crate) fn is(self, value: &Value) -> bool {
        let within = |least: f64| value.as_number().is_some_and(|number| (least..=MOST).contains(&number));
        match self {
            Figure::Amount => within(0.0),
            Figure::Bandwidth => within(1.0),
            Figure::Seconds => {
                value.as_int().is_some_and(|seconds| (1..=i64::from(Durations::LONGEST)).contains(&seconds))
            }
            Figure::Flag => value.as_bool().is_some(),
            // A whole number is what `datastore=7` is in rule files.
            Figure::Name => matches!(value, Value::Text(_) | Value::Int(_)),
        }
    }

    /// What is expected, in words.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Figure::Amount => "a number from 0 to 10^12",
            Figure::Bandwidth => "Mbit/s: a number from 1 to 10^12",
            Figure::Seconds => "a whole number of seconds from 1 to 100000000",
            Figure::Flag => "true or false",
            Figure::Name => "a name: a text",
        }
    }
}

/// The names of attributes that mean something, of VMs or of nodes.
pub(crate) fn known_attributes(of_nodes: bool) -> impl Iterator<Item = &'static str> {
    let list = if of_nodes { &OF_NODES[..] } else { &OF_VMS[..] };
    let template = (!of_nodes).then_some("template");
    list.iter().map(|&(key, _)| key).chain(template)
}

/// The attribute that a name was probably meant to be: the same apart from case, or, if it is no
/// short one, apart from one character. None for one of them itself.
pub(crate) fn meant_by<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// Shorter ones are an edit away from too many words.
    const SHORT: usize = 4;
    let word = name.to_lowercase();
    let mut near = None;
    for other in known {
        if other == name {
            return None;
        }
        if other.len().abs_diff(name.len()) > 1 {
            continue;
        }
        let lower = other.to_lowercase();
        let is_near =
            lower == word || (lower.len() > SHORT && is_one_edit(lower.as_bytes(), word.as_bytes()));
        if is_near && near.is_none() {
            near = Some(other);
        }
    }
    near
}

/// Does one of two words become the other when a byte is put in, taken out or changed, or when
/// two neighbours change places?
fn is_one_edit(a: &[u8], b: &[u8]) -> bool {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let same = long.iter().zip(short).take_while(|(x, y)| x == y).count();
    let (long, short) = (&long[same..], &short[same..]);
    match (long, short) {
        ([_, rest @ ..], _) if long.len() == short.len() + 1 => rest == short,
        ([x, rest @ ..], [y, others @ ..]) if long.len() == short.len() => {
            let swapped = rest.first() == Some(y) && others.first() == Some(x);
            rest == others || (swapped && rest[1..] == others[1..])
        }
        _ => false,
    }
}

/// What is wrong with the hot memory of a VM whose size in MB and whose seconds, as far as it
/// says them, are these.
pub(crate) fn fault_of_hot_memory(size: Option<f64>, seconds: Option<f64>) -> Option<&'static str> {
    let in_no_time = seconds == Some(0.0) && size.unwrap_or(Footprint::idle(0.0).hot_size) > 0.0;
    in_no_time.then_some("its hot memory is written in no time: `hotDirtyDuration` is 0")
}

/// An attribute that does not say what it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureError {
    /// Whose attribute it is, and which.
    pub part: Part,
    /// What is wrong, in the user's names.
    pub message: String,
}

impl fmt::Display for FigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FigureError {}

impl Instance {
    /// Do attributes that mean something say what they must? Costs nothing for those that no
    /// element has.
    ///
    /// # Errors
    /// The first that does not, by elements.
    pub fn check_figures(&self) -> Result<(), FigureError> {
        check("node", self.nodes(), &OF_NODES, |row, key| Part::Node(NodeId::from_index(row), key))?;
        check("VM", self.vms(), &OF_VMS, |row, key| Part::Vm(VmId::from_index(row), key))?;
        let attributes = self.vms().attributes();
        if attributes.key("hotDirtyDuration").is_none() {
            return Ok(());
        }
        for vm in self.vm_ids() {
            let [size, seconds] =
                ["hotDirtySize", "hotDirtyDuration"].map(|key| number(attributes, vm.index(), key));
            if let Some(fault) = fault_of_hot_memory(size, seconds) {
                let message = format!("VM `{}`: {fault}", self.vm_name(vm));
                return Err(FigureError { part: Part::Vm(vm, "hotDirtyDuration"), message });
            }
        }
        Ok(())
    }
}

/// The number that an attribute is; `None` where it is not there or none.
pub(super) fn number(attributes: &Attributes, row: usize, key: &str) -> Option<f64> {
    attributes.get(row, key)?.as_number()
}

fn check(
    kind: &str,
    elements: &Elements,
    list: &[(&'static str, Figure)],
    part: impl Fn(usize, &'static str) -> Part,
) -> Result<(), FigureError> {
    let attributes = elements.attributes();
    let met: Vec<(&'static str, u16, Figure)> =
        list.iter().filter_map(|&(key, figure)| Some((key, attributes.key(key)?, figure))).collect();
    if met.is_empty() {
        return Ok(());
    }
    for row in 0..elements.len() {
        for &(key, interned, figure) in &met {
            let Some(value) = attributes.get_key(row, interned).filter(|value| !figure.is(value)) else {
                continue;
            };
            let message = format!(
                "{kind} `{}` has the attribute `{key}` {}; expected {}",
                elements.name(row),
                value.said(),
                figure.expected()
            );
            return Err(FigureError { part: part(row, key), message });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BuildError;
    use crate::model::InstanceBuilder;

    fn built(of_node: bool, key: &str, value: Value) -> Result<Instance, BuildError> {
        let mut b = InstanceBuilder::new();
        let node = b.node("n0");
        let vm = b.running_vm("web", node);
        if of_node {
            b.node_attribute(node, key, value);
        } else {
            b.vm_attribute(vm, key, value);
        }
        b.build()
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        let text = |text: &str| Value::Text(text.into());
        for (key, value, said) in [
            ("memUsed", Value::Int(-4), "-4; expected a number from 0 to 10^12"),
            ("memUsed", text("lots"), "`lots`; expected a number from 0 to 10^12"),
            ("memUsed", Value::Float(1e300), "; expected a number from 0 to 10^12"),
            ("coldDirtyRate", Value::Float(f64::NAN), "NaN; expected a number"),
            ("diskUsed", Value::Int(-9), "-9; expected a number"),
            ("bandwidth", Value::Int(0), "0; expected Mbit/s: a number from 1 to 10^12"),
            ("migrate", Value::Int(0), "0; expected a whole number of seconds from 1 to 100000000"),
            ("migrate", text("3*mem + 1"), "`3*mem + 1`; expected a whole number of seconds"),
            ("boot", Value::Float(1.5), "1.5; expected a whole number of seconds"),
            ("postCopy", text("yes"), "`yes`; expected true or false"),
            ("coldMigration", Value::Int(1), "1; expected true or false"),
            ("clone", text("true"), "`true`; expected true or false"),
            ("migrationPower", Value::Bool(true), "true; expected a number from 0 to 10^12"),
            ("datastore", Value::Bool(true), "true; expected a name: a text"),
        ] {
            let error = built(false, key, value).expect_err(said);
            assert!(error.message.starts_with(&format!("VM `web` has the attribute `{key}` ")), "{error}");
            assert!(error.message.contains(said), "{error}");
            assert_eq!(error.part, Part::Vm(VmId(0), key_of(key)));
        }
        let error = built(true, "power", Value::Float(f64::INFINITY)).expect_err("no amount");
        assert_eq!(
            error.message,
            "node `n0` has the attribute `power` inf; expected a number from 0 to 10^12"
        );
        assert_eq!(error.part, Part::Node(NodeId(0), "power"));
        // What means something for VMs alone is free on nodes.
        assert!(built(true, "memUsed", text("lots")).is_ok());
    }

    fn key_of(key: &str) -> &'static str {
        known_attributes(false).find(|known| *known == key).expect("one that is known")
    }

    #[test]
    fn hot_memory_takes_time() {
        let error = built(false, "hotDirtyDuration", Value::Int(0)).expect_err("5 MB in no time");
        assert!(error.message.contains("`web`") && error.message.contains("in no time"), "{error}");
        assert_eq!(fault_of_hot_memory(Some(0.0), Some(0.0)), None);
        assert_eq!(fault_of_hot_memory(Some(1.0), None), None);
    }

    #[test]
    fn names_that_were_meant() {
        let near = |name| meant_by(name, known_attributes(false));
        for (name, meant) in [
            ("memused", "memUsed"),
            ("coldDirtyrate", "coldDirtyRate"),
            ("postcopy", "postCopy"),
            ("memUse", "memUsed"),
            ("memUsedd", "memUsed"),
            ("mumUsed", "memUsed"),
            ("memUesd", "memUsed"),
            ("Boot", "boot"),
        ] {
            assert_eq!(near(name), Some(meant), "{name}");
        }
        for name in ["memUsed", "boots", "bill", "mem", "usedMem", "rack", ""] {
            assert_eq!(near(name), None, "{name}");
        }
    }

    #[test]
    fn the_longest_time_is_told() {
        assert!(Figure::Seconds.expected().ends_with(&Durations::LONGEST.to_string()));
    }
}

//! How long actions take.

use super::Instance;
use super::NodeId;
use super::ResourceId;
use super::VmId;
use std::fmt;

/// The kinds of actions that have a duration of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timed {
    /// Live migration of a VM.
    Migrate,
    /// Boot of a VM.
    Boot,
    /// Shutdown of a VM.
    Shutdown,
    /// Suspend of a VM.
    Suspend,
    /// Resume of a VM.
    Resume,
    /// Kill of a VM.
    Kill,
    /// Forging a VM from its template.
    Forge,
    /// Boot of a node.
    BootNode,
    /// Shutdown of a node.
    ShutdownNode,
}

impl Timed {
    /// All kinds.
    pub const ALL: [Timed; 9] = [
        Timed::Migrate,
        Timed::Boot,
        Timed::Shutdown,
        Timed::Suspend,
        Timed::Resume,
        Timed::Kill,
        Timed::Forge,
        Timed::BootNode,
        Timed::ShutdownNode,
    ];

    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Timed::Migrate => "migrate",
            Timed::Boot => "boot",
            Timed::Shutdown => "shutdown",
            Timed::Suspend => "suspend",
            Timed::Resume => "resume",
            Timed::Kill => "kill",
            Timed::Forge => "forge",
            Timed::BootNode => "boot_node",
            Timed::ShutdownNode => "shutdown_node",
        }
    }

    /// The attribute of the VM or node that overrides the model.
    pub fn attribute(self) -> &'static str {
        match self {
            Timed::BootNode => "boot",
            Timed::ShutdownNode => "shutdown",
            other => other.name(),
        }
    }
}

/// How long one kind of action takes, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Duration {
    /// Always the same.
    Constant(u32),
    /// `round(coefficient × x + offset)`, x being the VM's demand (or the node's
    /// capacity) of the resource before the plan.
    Linear {
        /// The resource.
        resource: ResourceId,
        /// Seconds per unit.
        coefficient: f64,
        /// Seconds.
        offset: f64,
    },
}

/// The duration of every kind of action, one second where nothing is stated; an attribute of
/// the VM or node wins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Durations {
    stated: [Option<Duration>; 9],
}

/// A duration that is not a positive number of seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationError {
    /// The kind of action.
    pub kind: Timed,
    /// The VM's or node's name.
    pub element: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the duration of `{}` on {} is {}; expected a whole number of seconds from 1 to {}",
            self.kind.name(),
            self.element,
            self.found,
            Durations::LONGEST
        )
    }
}

impl std::error::Error for DurationError {}

impl Durations {
    /// The longest duration of one action, in seconds: about 3 years.
    pub const LONGEST: u32 = 100_000_000;

    /// The model of a kind of action.
    pub fn get(&self, kind: Timed) -> Duration {
        self.stated(kind).unwrap_or(Duration::Constant(1))
    }

    /// The model of a kind of action, if one was stated.
    pub fn stated(&self, kind: Timed) -> Option<Duration> {
        self.stated[kind as usize]
    }

    /// Sets the model of a kind of action.
    pub fn set(&mut self, kind: Timed, duration: Duration) {
        self.stated[kind as usize] = Some(duration);
    }
}

impl Instance {
    /// How long an action on a VM takes, in seconds.
    ///
    /// # Errors
    /// When the attribute or the model does not yield 1 to [`Durations::LONGEST`].
    pub fn vm_duration(&self, kind: Timed, vm: VmId) -> Result<u32, DurationError> {
        let given = self.vms.attributes().get(vm.index(), kind.attribute());
        self.duration(kind, given, |resource| self.demand(vm, resource), || self.vm_name(vm).to_owned())
    }

    /// How long the clone of a VM takes to boot, in seconds: the clone has no
    /// attributes, so this is what the model says.
    ///
    /// # Errors
    /// As [`Instance::vm_duration`].
    pub fn clone_boot_duration(&self, vm: VmId) -> Result<u32, DurationError> {
        let demand = |resource| self.demand(vm, resource);
        self.duration(Timed::Boot, None, demand, || self.vm_name(vm).to_owned())
    }

    /// How long an action on a node takes, in seconds.
    ///
    /// # Errors
    /// As [`Instance::vm_duration`].
    pub fn node_duration(&self, kind: Timed, node: NodeId) -> Result<u32, DurationError> {
        let given = self.nodes.attributes().get(node.index(), kind.attribute());
        self.duration(
            kind,
            given,
            |resource| self.capacity(node, resource),
            || self.node_name(node).to_owned(),
        )
    }

    fn duration(
        &self,
        kind: Timed,
        given: Option<&super::Value>,
        amount: impl Fn(ResourceId) -> u64,
        name: impl Fn() -> String,
    ) -> Result<u32, DurationError> {
        let seconds = match given {
            Some(value) => match value.as_int() {
                Some(seconds) => seconds as f64,
                None => return Err(DurationError { kind, element: name(), found: value.said() }),
            },
            None => match self.durations.get(kind) {
                Duration::Constant(seconds) => f64::from(seconds),
                Duration::Linear { resource, coefficient, offset } => {
                    (coefficient * amount(resource) as f64 + offset).round()
                }
            },
        };
        if (1.0..=f64::from(Durations::LONGEST)).contains(&seconds) {
            Ok(seconds as u32)
        } else {
            Err(DurationError { kind, element: name(), found: format!("{seconds}") })
        }
    }
}

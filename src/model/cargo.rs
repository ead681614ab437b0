//! What a VM needs to travel, and what it takes at a bandwidth.

use super::Durations;
use super::Footprint;
use super::Instance;
use super::MigrationError;
use super::MigrationModel;
use super::Timed;
use super::Transfer;
use super::Value;
use super::VmId;
use super::figures;
use super::payload;
use std::fmt;
use std::sync::Arc;

/// How a migration is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// For as long as the attribute `migrate`, or the duration for all VMs, says, whatever the
    /// bandwidth.
    Fixed,
    /// Live: memory first, then the VM.
    PreCopy,
    /// Live: the VM first, then its memory. For VMs with the attribute `postCopy`.
    PostCopy,
    /// The VM stands still for the whole time. For VMs with the attribute `coldMigration` for
    /// which pre-copy would never end, or take more than twice as long.
    Cold,
}

impl Mode {
    /// The word that texts and files use.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Fixed => "fixed",
            Mode::PreCopy => "pre-copy",
            Mode::PostCopy => "post-copy",
            Mode::Cold => "cold",
        }
    }
}

/// A migration at some bandwidth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Whole seconds from its start to its end, at least 1.
    pub seconds: u32,
    /// Seconds for which the VM stands still; not known where the time is fixed.
    pub downtime: Option<f64>,
    /// How it is done.
    pub mode: Mode,
}

/// What a VM needs to travel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cargo {
    /// Seconds, where they are given.
    fixed: Option<u32>,
    /// Where it is not fixed.
    footprint: Option<Footprint>,
    /// Its disks, in MB: they are sent before the memory.
    disk: f64,
    /// It takes no more than so many Mbit/s (attribute `bandwidth`).
    pub most: u64,
    post_copy: bool,
    cold: bool,
}

/// A VM that cannot travel on a network for lack of figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CargoError {
    /// What is wrong, in the user's names.
    pub message: String,
}

impl fmt::Display for CargoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CargoError {}

impl Cargo {
    /// What the attributes of a VM say: `memUsed` (MB), `hotDirtySize` (MB, 5 where nothing
    /// is said), `hotDirtyDuration` (s, 2), `coldDirtyRate` (MB/s, 0), `diskUsed` (MB that
    /// travel along, 0), `bandwidth` (Mbit/s at most), `postCopy`, `coldMigration`; or
    /// `migrate` (s), which no bandwidth changes. A duration of migrations that is stated for
    /// all VMs is that of those without `memUsed`.
    ///
    /// # Errors
    /// None of `memUsed`, `migrate` and such a duration; a duration by a resource that is none.
    pub fn of(instance: &Instance, vm: VmId) -> Result<Self, CargoError> {
        let attributes = instance.vms().attributes();
        let number = |key| figures::number(attributes, vm.index(), key);
        let flag = |key| attributes.get(vm.index(), key).and_then(Value::as_bool) == Some(true);
        let idle = Footprint::idle(0.0);
        let memory = number("memUsed");
        let mut footprint = Footprint {
            memory: memory.unwrap_or(0.0),
            hot_size: number("hotDirtySize").unwrap_or(idle.hot_size),
            hot_seconds: number("hotDirtyDuration").unwrap_or(idle.hot_seconds),
            cold_rate: number("coldDirtyRate").unwrap_or(idle.cold_rate),
        };
        if footprint.hot_size == 0.0 {
            footprint.hot_seconds = footprint.hot_seconds.max(1.0);
        }
        let disk = number("diskUsed").unwrap_or(0.0);
        let most = number("bandwidth").map_or(u64::MAX, |most| most as u64);
        let is_given = attributes.get(vm.index(), Timed::Migrate.attribute()).is_some()
            || (memory.is_none() && instance.durations().stated(Timed::Migrate).is_some());
        let fixed = is_given.then(|| instance.vm_duration(Timed::Migrate, vm)).transpose();
        let fixed = fixed.map_err(|error| CargoError { message: error.to_string() })?;
        if fixed.is_none() && memory.is_none() {
            let mut names = attributes.of(vm.index()).map(|(name, _)| name);
            let meant = names.find(|name| figures::meant_by(name, ["memUsed"]).is_some());
            let meant = meant.map_or_else(String::new, |name| format!("; it has `{name}`"));
            let message = format!(
                "VM `{}`, which may travel on the network, has no attribute `memUsed`: how long it travels is not \
                 known{meant}",
                instance.vm_name(vm)
            );
            return Err(CargoError { message });
        }
        let footprint = memory.map(|_| footprint);
        Ok(Self { fixed, footprint, disk, most, post_copy: flag("postCopy"), cold: flag("coldMigration") })
    }

    /// Is its time the same at every bandwidth?
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// What it takes at a bandwidth in Mbit/s. Only where it may stand still does it ever take
    /// longer at a larger one: see [`Cargo::least`].
    ///
    /// # Errors
    /// When a live migration would never end, and the VM may not travel otherwise; when it
    /// would take longer than [`Durations::LONGEST`].
    pub fn flow(&self, model: &dyn MigrationModel, bandwidth: u64) -> Result<Flow, MigrationError> {
        if let Some(seconds) = self.fixed {
            return Ok(Flow { seconds, downtime: None, mode: Mode::Fixed });
        }
        let footprint = self.footprint.unwrap_or(Footprint::idle(0.0));
        let rate = payload(bandwidth);
        if self.post_copy {
            let transfer = model.post_copy().transfer(&footprint, rate)?;
            return self.timed(transfer, rate, Mode::PostCopy);
        }
        let live = model.transfer(&footprint, rate).and_then(|live| self.timed(live, rate, Mode::PreCopy));
        if !self.cold {
            return live;
        }
        let still = self.still(bandwidth)?;
        Ok(live.ok().filter(|live| u64::from(live.seconds) <= 2 * u64::from(still.seconds)).unwrap_or(still))
    }

    /// What it takes if the VM stands still all the time.
    fn still(&self, bandwidth: u64) -> Result<Flow, MigrationError> {
        let rate = payload(bandwidth);
        let memory = self.footprint.map_or(0.0, |footprint| footprint.memory);
        let seconds = memory / rate;
        let transfer = Transfer { seconds, downtime: self.disk / rate + seconds, traffic: memory };
        self.timed(transfer, rate, Mode::Cold)
    }

    /// In whole seconds, the disks first.
    fn timed(&self, transfer: Transfer, rate: f64, mode: Mode) -> Result<Flow, MigrationError> {
        let seconds = (self.disk / rate + transfer.seconds).round().max(1.0);
        if seconds <= f64::from(Durations::LONGEST) {
            Ok(Flow { seconds: seconds as u32, downtime: Some(transfer.downtime), mode })
        } else {
            Err(MigrationError::TooLong(seconds))
        }
    }

    /// The least seconds that it takes at this bandwidth or any smaller one.
    ///
    /// # Errors
    /// As [`Cargo::flow`], at the bandwidth.
    pub fn least(&self, model: &dyn MigrationModel, bandwidth: u64) -> Result<u32, MigrationError> {
        let flow = self.flow(model, bandwidth)?;
        if matches!(flow.mode, Mode::Fixed | Mode::PostCopy) {
            return Ok(flow.seconds);
        }
        let rate = payload(bandwidth);
        let footprint = self.footprint.unwrap_or(Footprint::idle(0.0));
        let live = model.least(&footprint, rate).and_then(|seconds| {
            self.timed(Transfer { seconds, downtime: 0.0, traffic: 0.0 }, rate, Mode::PreCopy)
        });
        if !self.cold {
            return Ok(live?.seconds);
        }
        // At a smaller one it may be done standing still, which is quicker, or the other way round.
        let still = self.still(bandwidth)?.seconds;
        Ok(live.map_or(still, |live| live.seconds.min(still)))
    }
}

/// A model of migrations that instances share. Two are equal when files say the same of them,
/// or, of those that files cannot say, when they describe themselves alike.
#[derive(Clone)]
pub struct SharedModel(Arc<dyn MigrationModel>);

impl SharedModel {
    /// Shares a model.
    pub fn new(model: impl MigrationModel + 'static) -> Self {
        Self(Arc::new(model))
    }

    /// The model.
    pub fn get(&self) -> &dyn MigrationModel {
        &*self.0
    }
}

impl Default for SharedModel {
    fn default() -> Self {
        Self::new(super::PreCopy)
    }
}

impl fmt::Debug for SharedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for SharedModel {
    fn eq(&self, other: &Self) -> bool {
        match (self.0.behaviour(), other.0.behaviour()) {
            (None, None) => Arc::ptr_eq(&self.0, &other.0) || format!("{self:?}") == format!("{other:?}"),
            (one, other) => one == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceBuilder;
    use crate::model::PreCopy;

    fn cargo(attributes: &[(&str, Value)]) -> Result<Cargo, CargoError> {
        let mut builder = InstanceBuilder::new();
        let vm = builder.ready_vm("web");
        for (key, value) in attributes {
            builder.vm_attribute(vm, key, value.clone());
        }
        Cargo::of(&builder.build().expect("sound"), vm)
    }

    #[test]
    fn attributes_say_what_a_vm_needs() {
        let sound = cargo(&[("memUsed", Value::Int(2000)), ("bandwidth", Value::Int(500))]).expect("sound");
        assert_eq!(sound.most, 500);
        let flow = sound.flow(&PreCopy, 1000).expect("ends");
        assert_eq!((flow.seconds, flow.mode), (18, Mode::PreCopy));
        // 9,000 MB of disks at 111 MB/s, and then the memory.
        let disk = cargo(&[("memUsed", Value::Int(2000)), ("diskUsed", Value::Int(9000))]).expect("sound");
        assert_eq!(disk.flow(&PreCopy, 1000).expect("ends").seconds, 81 + 18);
        let fixed = cargo(&[("migrate", Value::Int(7))]).expect("sound");
        assert_eq!(fixed.flow(&PreCopy, 1), Ok(Flow { seconds: 7, downtime: None, mode: Mode::Fixed }));
        let error = cargo(&[]).expect_err("nothing is known");
        assert!(
            error.message.contains("`web`") && error.message.contains("no attribute `memUsed`"),
            "{error}"
        );
    }

    #[test]
    fn who_cannot_go_live_goes_otherwise() {
        let busy = [("memUsed", Value::Int(4500)), ("coldDirtyRate", Value::Int(200))];
        let with = |flag: &'static str| {
            let mut attributes = busy.to_vec();
            attributes.push((flag, Value::Bool(true)));
            cargo(&attributes).expect("sound").flow(&PreCopy, 900)
        };
        assert!(cargo(&busy).expect("sound").flow(&PreCopy, 900).is_err());
        let flow = with("postCopy").expect("ends");
        assert_eq!((flow.seconds, flow.mode), (46, Mode::PostCopy));
        assert_eq!(flow.downtime, Some(0.5));
        let flow = with("coldMigration").expect("ends");
        assert_eq!((flow.seconds, flow.mode, flow.downtime), (45, Mode::Cold, Some(45.0)));
    }

    #[test]
    fn who_hardly_gets_there_live_stands_still() {
        // 111.1 MB/s are sent at 1000 Mbit/s, and 111 written.
        let slow = [("memUsed", Value::Int(4500)), ("coldDirtyRate", Value::Int(111))];
        let flow = |extra: &[(&str, Value)], bandwidth| {
            let attributes: Vec<(&str, Value)> = slow.iter().chain(extra).cloned().collect();
            let cargo = cargo(&attributes).expect("sound");
            (cargo.flow(&PreCopy, bandwidth), cargo.least(&PreCopy, bandwidth))
        };
        let cold = [("coldMigration", Value::Bool(true))];
        assert!(flow(&[], 1000).0.is_ok_and(|flow| flow.seconds > 38_000));
        let (still, least) = flow(&cold, 1000);
        assert_eq!(still.map(|flow| (flow.seconds, flow.mode)), Ok((41, Mode::Cold)));
        assert_eq!(least, Ok(41));
        // Live, but quicker if less is sent.
        let (live, least) = flow(&cold, 2000);
        assert_eq!(live.map(|flow| flow.mode), Ok(Mode::PreCopy));
        assert!(least.is_ok_and(|least| least == 20));
        let post = flow(&[("postCopy", Value::Bool(true))], 1000).0;
        assert_eq!(post.map(|flow| (flow.seconds, flow.mode)), Ok((41, Mode::PostCopy)));
        // What takes longer than anything may is refused.
        let huge = cargo(&[("memUsed", Value::Float(1e12))]).expect("sound");
        assert!(matches!(huge.flow(&PreCopy, 1000), Err(MigrationError::TooLong(_))));
    }
}

//! The mapping: which VMs and nodes there are, and where and in what state they are.

use crate::format::Context;
use crate::format::field::once;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::table::Numbering;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::Place;
use crate::model::VmId;

/// What the mapping declares.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    pub(super) vms: Numbering,
    pub(super) nodes: Numbering,
    pub(super) places: Vec<Place>,
    pub(super) online: Vec<bool>,
}

/// A VM with the number of its node, and where in the text it is declared.
struct Vm {
    number: u32,
    at: usize,
    state: State,
    host: u32,
}

#[derive(Clone, Copy)]
enum State {
    /// Introduced by a plan; not part of the mapping.
    Init,
    Ready,
    Running,
    Sleeping,
}

/// Is it a VM that no mapping can declare: one that is yet to be forged, or is gone?
pub(super) fn is_absent(instance: &Instance, vm: VmId) -> bool {
    matches!(instance.place(vm), Place::Init | Place::Killed)
}

/// An integer by which a document names a VM or a node.
pub(super) fn number(reader: &mut Reader<'_>, what: &str) -> Parsed<u32> {
    Ok(reader.unsigned(u64::from(u32::MAX), what)? as u32)
}

/// The same as the key of an object.
pub(super) fn number_of_key(key: &str, what: &str, at: usize) -> Parsed<u32> {
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    match key.parse() {
        Ok(number) if plain => Ok(number),
        _ => fault(at, format!("expected {what} as the key, found {}", quoted(key))),
    }
}

/// The integer of a VM, for messages.
pub(super) const VM: &str = "a VM: its integer, from 0 to 4294967295";
/// The integer of a node, for messages.
pub(super) const NODE: &str = "a node: its integer, from 0 to 4294967295";

/// Reads a mapping. The VMs of `introduced` are there as well, in the state Init,
/// unless the mapping declares them.
pub(super) fn read(reader: &mut Reader<'_>, introduced: &[u32], context: &mut Context) -> Parsed<Mapping> {
    let start = reader.here();
    let mut vms: Vec<Vm> = Vec::new();
    let mut nodes: Vec<(u32, usize, bool)> = Vec::new();
    let (mut ready, mut online, mut offline) = (None, None, None);
    reader.object("the mapping: an object with the keys `readyVMs`, `onlineNodes` and `offlineNodes`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "readyVMs" => {
                once(&ready, "readyVMs", reader)?;
                ready = Some(());
                declare(reader, State::Ready, 0, &mut vms)?;
            }
            "onlineNodes" => {
                once(&online, "onlineNodes", reader)?;
                online = Some(());
                reader.object("an object of online nodes, by their integers")?;
                while let Some(key) = reader.key()? {
                    let number = number_of_key(&key, NODE, reader.key_at())?;
                    nodes.push((number, reader.key_at(), true));
                    hosted(reader, number, &mut vms, context)?;
                }
            }
            "offlineNodes" => {
                once(&offline, "offlineNodes", reader)?;
                offline = Some(());
                reader.array("an array of offline nodes")?;
                while reader.element()? {
                    let at = reader.here();
                    nodes.push((number(reader, NODE)?, at, false));
                }
            }
            _ => reader.skip()?,
        }
    }
    for (slot, key) in [(ready, "readyVMs"), (online, "onlineNodes"), (offline, "offlineNodes")] {
        if slot.is_none() {
            context.missing(key, start)?;
        }
    }

    nodes.sort_unstable();
    if let Some(pair) = nodes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return fault(pair[0].1.max(pair[1].1), format!("node {} is declared twice", pair[0].0));
    }
    vms.sort_unstable_by_key(|vm| (vm.number, vm.at));
    if let Some(pair) = vms.windows(2).find(|pair| pair[0].number == pair[1].number) {
        let [first, second] = [&pair[0], &pair[1]].map(|vm| match vm.state {
            State::Init => "forged".to_owned(),
            State::Ready => "ready".to_owned(),
            State::Running => format!("running on node {}", vm.host),
            State::Sleeping => format!("sleeping on node {}", vm.host),
        });
        let number = pair[0].number;
        return fault(pair[1].at, format!("VM {number} is declared twice: {first}, and {second}"));
    }
    let declared = vms.len();
    for &number in introduced {
        if vms[..declared].binary_search_by_key(&number, |vm| vm.number).is_err() {
            vms.push(Vm { number, at: start, state: State::Init, host: 0 });
        }
    }
    if vms.len() > declared {
        vms.sort_by_key(|vm| vm.number);
        vms.dedup_by_key(|vm| vm.number);
    }
    let online = nodes.iter().map(|node| node.2).collect();
    let nodes = Numbering::new(nodes.into_iter().map(|node| node.0).collect());
    let places = vms
        .iter()
        .map(|vm| {
            let host = NodeId(nodes.get(vm.host).unwrap_or_default());
            match vm.state {
                State::Init => Place::Init,
                State::Ready => Place::Ready,
                State::Running => Place::Running(host),
                State::Sleeping => Place::Sleeping(host),
            }
        })
        .collect();
    let vms = Numbering::new(vms.into_iter().map(|vm| vm.number).collect());
    Ok(Mapping { vms, nodes, places, online })
}

/// What an online node hosts.
fn hosted(reader: &mut Reader<'_>, host: u32, vms: &mut Vec<Vm>, context: &mut Context) -> Parsed<()> {
    let start = reader.here();
    let (mut running, mut sleeping) = (None, None);
    reader.object("an online node: an object with the keys `runningVMs` and `sleepingVMs`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "runningVMs" => {
                once(&running, "runningVMs", reader)?;
                running = Some(());
                declare(reader, State::Running, host, vms)?;
            }
            "sleepingVMs" => {
                once(&sleeping, "sleepingVMs", reader)?;
                sleeping = Some(());
                declare(reader, State::Sleeping, host, vms)?;
            }
            _ => reader.skip()?,
        }
    }
    for (slot, key) in [(running, "runningVMs"), (sleeping, "sleepingVMs")] {
        if slot.is_none() {
            context.missing(key, start)?;
        }
    }
    Ok(())
}

fn declare(reader: &mut Reader<'_>, state: State, host: u32, vms: &mut Vec<Vm>) -> Parsed<()> {
    reader.array("an array of VMs")?;
    while reader.element()? {
        let at = reader.here();
        vms.push(Vm { number: number(reader, VM)?, at, state, host });
    }
    Ok(())
}

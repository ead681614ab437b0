//! `quadrille generate`: synthetic instances.

use super::Exit;
use super::Failure;
use super::convert;
use super::convert::InstanceFormat;
use super::term::Terminal;
use super::units;
use quadrille::generate;
use quadrille::generate::Planted;
use quadrille::generate::Scenario;
use quadrille::generate::Spec;
use std::path::PathBuf;

const ABOUT: &str = "\
Three-tier applications on a data centre of racks, in the manner of the workload by which
reconfiguration planners are compared. The same arguments yield the same instance.

  li     load increase: the VMs of some applications want up to 30 points more CPU
  nr     node failure: some nodes are down, the VMs that they ran are to start elsewhere
  mixed  both

A node offers 200 of uCpu and 1600 of memory, or the smallest multiple of both that is at
most 75 % used at the end; --load sets the share that is used exactly. Constrained
applications have their tiers spread and the third one within a rack of its pod, always;
some also gather, keep to themselves or keep off a rack.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = ABOUT)]
pub(super) struct Arguments {
    /// Number of nodes.
    #[arg(long, value_name = "N")]
    nodes: u32,
    /// Number of VMs.
    #[arg(long, value_name = "M", conflicts_with = "ratio", required_unless_present = "ratio")]
    vms: Option<u32>,
    /// VMs for each node, instead of their number.
    #[arg(long, value_name = "R")]
    ratio: Option<u32>,
    /// Seed of all random choices.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// What has happened to the cluster.
    #[arg(long, value_enum, default_value_t = Scenario::LoadIncrease)]
    scenario: Scenario,
    /// Share of the applications that carry constraints, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "33", value_parser = units::percent)]
    constrained: u32,
    /// Share of the applications that want more CPU (li, mixed), in percent.
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = units::percent)]
    growing: u32,
    /// Share of the nodes that are down (nr, mixed), in percent.
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = units::percent)]
    offline: u32,
    /// Share of the nodes that are to be switched off with their VMs running, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = units::percent)]
    drained: u32,
    /// Share of the VMs of applications without rules that are to end in a rack drawn at
    /// random, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = units::percent)]
    fenced: u32,
    /// Nodes in a rack, about.
    #[arg(long, value_name = "N", default_value_t = 250)]
    rack: u32,
    /// Racks in a pod: the rule that keeps a tier within a rack names the nodes of one pod.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pod: u32,
    /// Share of CPU and memory that is used at the end, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = units::percent)]
    load: Option<u32>,
    /// Hide a conflict among the rules, so that there is no plan. Given more than once, one
    /// of each kind.
    #[arg(long, value_name = "KIND", value_enum)]
    plant: Vec<Planted>,
    /// Add rules that hold as things are until there are so many.
    #[arg(long, value_name = "N", default_value_t = 0)]
    rules: u32,
    /// The format of the instance.
    #[arg(long, value_enum, default_value_t = InstanceFormat::Quadrille)]
    format: InstanceFormat,
    /// Where to write; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    super::output::probe(arguments.output.as_deref())?;
    let spec = Spec {
        nodes: arguments.nodes,
        vms: match (arguments.vms, arguments.ratio) {
            (Some(vms), _) => vms,
            (None, ratio) => arguments.nodes.saturating_mul(ratio.unwrap_or_default()),
        },
        seed: arguments.seed,
        scenario: arguments.scenario,
        constrained: arguments.constrained,
        growing: arguments.growing,
        failed: arguments.offline,
        drained: arguments.drained,
        fenced: arguments.fenced,
        rack: arguments.rack,
        pod: arguments.pod,
        load: arguments.load,
    };
    let mut instance = generate::generate(&spec).map_err(Failure::input)?;
    if !arguments.plant.is_empty() || arguments.rules > 0 {
        generate::plant(&mut instance, &arguments.plant, arguments.rules as usize, arguments.seed)
            .map_err(Failure::input)?;
    }
    // BtrPlace files say durations VM by VM; that is another way to say the same.
    convert::write_instance(&instance, arguments.format, true, arguments.output.as_deref(), terminal)?;
    // Half a million names are not worth giving back one by one.
    std::mem::forget(instance);
    Ok(Exit::Done)
}

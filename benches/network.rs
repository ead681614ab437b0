//! Migrations over a network: makespans against bounds and the best known.
//!
//! `cargo bench --bench network -- --help` lists the options; README.md beside this file
//! tells how to read the table.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

use clap::Parser;
use flate2::read::GzDecoder;
use quadrille::Constraint;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Objective;
use quadrille::Options as PlanOptions;
use quadrille::constraint::fence::Fence;
use quadrille::format;
use quadrille::model::Endpoint;
use quadrille::model::Link;
use quadrille::model::Network;
use quadrille::model::Routing;
use quadrille::model::Switch;
use quadrille::model::Value as Attribute;
use quadrille::objective::Level;
use quadrille::objective::Metric;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Plans the instances of `migration_scheduling`, and prints a table.
#[derive(Debug, Parser)]
struct Options {
    /// Archives, without `.tar.gz`, and `tree`: generated clusters of `--nodes` nodes below a
    /// tree of three levels, with five migrations a node.
    #[arg(
        long,
        default_value = "micro,testbed,random_vms_scale,random_infra_scale,random_decommissioning_vms_scale,\
                         random_decommissioning_infra_scale,tree"
    )]
    archives: String,
    /// Only instances whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Seconds for each instance.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// What is minimised.
    #[arg(long, default_value = "relocations,makespan")]
    objective: String,
    /// Nodes of the generated clusters.
    #[arg(long, default_value = "200,2000")]
    nodes: String,
    /// Prints a line for each instance.
    #[arg(long)]
    each: bool,
    /// Folder of the data, in which `migration_scheduling` is looked for; $QUADRILLE_DATA where
    /// not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is known of an instance.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    best: Option<f64>,
    bound: Option<f64>,
    sum: Option<f64>,
}

/// What came out. Value and bound are those of the first level that is the makespan alone, or a
/// sum of ends, for plans as good in the levels before; 0 where there is none.
#[derive(Debug)]
struct Figures {
    value: u64,
    bound: u64,
    makespan: u64,
    sum: u64,
    /// Is every level proved?
    optimal: bool,
    seconds: f64,
}

fn main() -> Fallible<()> {
    let options = Options::parse();
    let data = options.data.clone().or_else(|| std::env::var_os("QUADRILLE_DATA").map(PathBuf::from));
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let data = data.join("migration_scheduling");
    if !data.is_dir() {
        eprintln!("{}: skipped, there is no such folder", data.display());
        return Ok(());
    }
    let known = known(&data)?;
    println!(
        "{:<36} {:>5} {:>7} {:>7} {:>8} {:>8} {:>10} {:>5} {:>7} {:>8} {:>8}",
        "archive",
        "count",
        "proved",
        "optimal",
        "gap, %",
        "known, %",
        "to best, %",
        "above",
        "sum, %",
        "mean, s",
        "most, s"
    );
    for archive in options.archives.split(',') {
        let mut rows: Vec<(Figures, Known)> = Vec::new();
        let found = if archive == "tree" { trees(&options.nodes) } else { read(&data, archive)? };
        for (name, text) in found {
            if options.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let instance = match archive {
                "micro" => micro(&text)?,
                "testbed" => testbed(&text)?,
                "tree" => tree(text.parse()?)?,
                _ => whole(&text)?,
            };
            let figures = measure(&instance, &options)?;
            let known = known.get(&name).copied().unwrap_or_default();
            if options.each {
                println!("  {name} {figures:?} {known:?}");
            }
            rows.push((figures, known));
        }
        if !rows.is_empty() {
            println!("{}", line(archive, &rows));
        }
    }
    Ok(())
}

fn line(archive: &str, rows: &[(Figures, Known)]) -> String {
    let mean = |shares: Vec<f64>| {
        let count = shares.len().max(1) as f64;
        100.0 * shares.into_iter().sum::<f64>() / count
    };
    let share = |value: u64, of: f64| (value as f64 - of) / of.max(1.0);
    let proved = rows.iter().filter(|row| row.0.value <= row.0.bound).count();
    let optimal = rows.iter().filter(|row| row.0.optimal).count();
    let gap = |row: &(Figures, Known)| share(row.0.value, row.0.bound as f64);
    let to_known = |row: &(Figures, Known)| Some(share(row.0.makespan, row.1.bound?));
    let to_best = |row: &(Figures, Known)| Some(share(row.0.makespan, row.1.best?));
    let above = rows.iter().filter(|row| row.1.best.is_some_and(|best| row.0.makespan as f64 > best)).count();
    let sum = |row: &(Figures, Known)| Some(share(row.0.sum, row.1.sum?));
    let most = rows.iter().map(|row| row.0.seconds).fold(0.0, f64::max);
    format!(
        "{archive:<36} {:>5} {proved:>7} {optimal:>7} {:>8.2} {:>8.2} {:>10.2} {above:>5} {:>7.2} {:>8.2} {most:>8.2}",
        rows.len(),
        mean(rows.iter().map(gap).collect()),
        mean(rows.iter().filter_map(to_known).collect()),
        mean(rows.iter().filter_map(to_best).collect()),
        mean(rows.iter().filter_map(sum).collect()),
        rows.iter().map(|row| row.0.seconds).sum::<f64>() / rows.len() as f64,
    )
}

fn measure(instance: &Instance, options: &Options) -> Fallible<Figures> {
    let objective: Objective = options.objective.parse()?;
    let timed = [Metric::Makespan, Metric::SumOfEnds, Metric::Mttr];
    let alone = |level: &Level| timed.iter().any(|&metric| level.terms == Level::of(metric).terms);
    let timed = objective.levels.iter().position(alone);
    let plan_options = PlanOptions {
        objective: Some(objective),
        time_limit: Some(Duration::from_secs_f64(options.seconds)),
        ..PlanOptions::default()
    };
    let start = Instant::now();
    let outcome = quadrille::solve(instance, &plan_options)?;
    if outcome.plan.is_none() {
        return Err(format!("no plan: {:?}", outcome.conflict).into());
    }
    let level = timed.and_then(|at| outcome.levels.get(at));
    Ok(Figures {
        value: level.map_or(0, |level| level.value),
        bound: level.map_or(0, |level| level.bound),
        makespan: outcome.metrics.makespan,
        sum: outcome.metrics.sum_of_ends,
        optimal: outcome.levels.iter().all(|level| level.value <= level.bound),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Name and number of nodes of each generated cluster.
fn trees(nodes: &str) -> Vec<(String, String)> {
    nodes.split(',').map(|nodes| (format!("tree/{nodes}"), nodes.to_owned())).collect()
}

/// Name and text of each instance, by name.
fn read(data: &Path, archive: &str) -> Fallible<Vec<(String, String)>> {
    let file = fs::File::open(data.join(format!("{archive}.tar.gz")))?;
    let mut found = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        // The testbed's plan for a cluster without a view of the network takes no bandwidth.
        let blind = path.to_string_lossy().contains("BtrPlace");
        if !blind && path.extension().is_some_and(|extension| extension == "json") {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            found.push((path.with_extension("").to_string_lossy().into_owned(), text));
        }
    }
    found.sort();
    Ok(found)
}

fn known(data: &Path) -> Fallible<BTreeMap<String, Known>> {
    let text = fs::read_to_string(data.join("best_known.csv"))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| header.iter().position(|title| *title == name);
    let number = |fields: &[&str], name| column(name).and_then(|at| fields.get(at)?.parse().ok());
    let known = lines.map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let known = Known {
            best: number(&fields, "best_known_makespan"),
            bound: number(&fields, "lower_bound_makespan"),
            sum: number(&fields, "optimal_sum_of_ends"),
        };
        (fields[0].to_owned(), known)
    });
    Ok(known.collect())
}

/// A whole instance: the default objective and the marks of BtrPlace's are taken as they are.
fn whole(text: &str) -> Fallible<Instance> {
    let read = format::read_instance(text.as_bytes(), &format::ReadOptions { lenient: true })?;
    Ok(read.instance)
}

/// The instance behind a published plan: who goes where, for how long and at which bandwidth.
fn micro(text: &str) -> Fallible<Instance> {
    let plan: Value = serde_json::from_str(text)?;
    let origin = &plan["origin"];
    let mut b = InstanceBuilder::new();
    let nodes: Vec<_> = (0..4).map(|at| b.node(&format!("n{at}"))).collect();
    let mut vms = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let running = &origin["mapping"]["onlineNodes"][at.to_string()]["runningVMs"];
        for vm in running.as_array().ok_or("an array")? {
            let id = vm.as_u64().ok_or("a number")?;
            vms.insert(id, b.running_vm(&format!("vm{id}"), *node));
        }
    }
    for view in origin["views"].as_array().ok_or("an array")? {
        let resource = b.resource(view["rcId"].as_str().ok_or("a name")?);
        for (at, node) in nodes.iter().enumerate() {
            b.capacity(*node, resource, view["nodes"][at.to_string()].as_u64().unwrap_or(0));
        }
        for (id, vm) in &vms {
            b.demand(*vm, resource, view["vms"][id.to_string()].as_u64().unwrap_or(0));
        }
    }
    let field = |action: &Value, key: &str| action[key].as_u64().ok_or("a number");
    for action in plan["actions"].as_array().ok_or("an array")? {
        let vm = *vms.get(&field(action, "vm")?).ok_or("a VM")?;
        let seconds = field(action, "end")? - field(action, "start")?;
        b.vm_attribute(vm, "migrate", Attribute::Int(seconds as i64));
        b.vm_attribute(vm, "bandwidth", Attribute::Int(field(action, "bw")? as i64));
        let to = nodes[field(action, "to")? as usize];
        b.constraint(Constraint::new(Fence { vm, nodes: [to].into() }).discrete()?);
    }
    let link =
        |at: usize, capacity| Link { number: at as u32, capacity, switch: 0, end: Endpoint::Node(nodes[at]) };
    b.network(Network {
        switches: vec![Switch::new(0, None, None)],
        links: [500, 500, 1000, 1000]
            .into_iter()
            .enumerate()
            .map(|(at, capacity)| link(at, capacity))
            .collect(),
        routing: Routing::Tree,
        ..Network::default()
    });
    Ok(b.build()?)
}

/// The instance behind the plan of a testbed: the durations and bandwidths of the plan, and the
/// network and the nodes to boot and to shut down of its model.
fn testbed(text: &str) -> Fallible<Instance> {
    let mut plan: Value = serde_json::from_str(text)?;
    let actions = plan["actions"].take();
    let mut model = plan["origin"].take();
    let mut constraints = Vec::new();
    for action in actions.as_array().ok_or("an array")? {
        match action["id"].as_str() {
            Some("migrateVM") => {
                let seconds =
                    action["end"].as_u64().ok_or("a number")? - action["start"].as_u64().unwrap_or(0);
                let attributes = &mut model["attributes"]["vms"][action["vm"].to_string()];
                attributes["migrate"] = seconds.into();
                attributes["bandwidth"] = action["bw"].clone();
                constraints.push(
                    json!({"id": "fence", "vm": action["vm"], "nodes": [action["to"]], "continuous": false}),
                );
            }
            Some("bootNode") => {
                constraints.push(json!({"id": "online", "node": action["node"], "continuous": false}))
            }
            Some("shutdownNode") => {
                constraints.push(json!({"id": "offline", "node": action["node"], "continuous": false}));
            }
            _ => {}
        }
    }
    let objective = json!({"id": "minimizeMTTRMigrationScheduling"});
    whole(&json!({"model": model, "constraints": constraints, "objective": objective}).to_string())
}

/// Numbers that look random (SplitMix64; Steele, Lea and Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

/// Racks of 40 nodes on 10 Gbit/s, five racks on an aggregation switch with 100 Gbit/s each,
/// and 200 Gbit/s from there to the core. Five VMs a node, each of which goes to some other.
fn tree(nodes: usize) -> Fallible<Instance> {
    let mut numbers = Numbers(1);
    let mut b = InstanceBuilder::new();
    let memory = b.resource("memory");
    let ids: Vec<_> = (0..nodes).map(|at| b.node(&format!("n{at}"))).collect();
    for &node in &ids {
        b.capacity(node, memory, 512);
    }
    for at in 0..5 * nodes {
        let from = at % nodes;
        let to = (from + 1 + numbers.below(nodes as u64 - 1) as usize) % nodes;
        let size = [2, 4, 8, 16, 32][numbers.below(5) as usize];
        let vm = b.running_vm(&format!("vm{at}"), ids[from]);
        b.demand(vm, memory, size);
        b.vm_attribute(
            vm,
            "memUsed",
            Attribute::Int(1000 * size as i64 * (50 + numbers.below(50) as i64) / 100),
        );
        b.vm_attribute(vm, "hotDirtySize", Attribute::Int(5 + numbers.below(90) as i64));
        b.vm_attribute(vm, "hotDirtyDuration", Attribute::Int(2));
        b.vm_attribute(vm, "coldDirtyRate", Attribute::Int(numbers.below(20) as i64));
        b.constraint(Constraint::new(Fence { vm, nodes: [ids[to]].into() }).discrete()?);
    }
    let racks = nodes.div_ceil(40) as u32;
    let groups = racks.div_ceil(5);
    let mut links: Vec<Link> = Vec::new();
    let mut link = |capacity, switch, end| {
        links.push(Link { number: links.len() as u32, capacity, switch, end });
    };
    // Switches: the racks, the aggregation, the core.
    for (at, &node) in ids.iter().enumerate() {
        link(10_000, at as u32 / 40, Endpoint::Node(node));
    }
    for rack in 0..racks {
        link(100_000, racks + rack / 5, Endpoint::Switch(rack));
    }
    for group in 0..groups {
        link(200_000, racks + groups, Endpoint::Switch(racks + group));
    }
    let switches = (0..racks + groups + 1).map(|number| Switch::new(number, None, None)).collect();
    b.network(Network { switches, links, ..Network::default() });
    Ok(b.build()?)
}

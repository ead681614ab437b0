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
use quadrille::Status;
use quadrille::constraint::fence::Fence;
use quadrille::format;
use quadrille::model::Endpoint;
use quadrille::model::Link;
use quadrille::model::Network;
use quadrille::model::Routing;
use quadrille::model::Switch;
use quadrille::model::Value as Attribute;
use serde_json::Value;
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
    /// Archives, without `.tar.gz`.
    #[arg(
        long,
        default_value = "micro,random_vms_scale,random_infra_scale,random_decommissioning_vms_scale,\
                         random_decommissioning_infra_scale"
    )]
    archives: String,
    /// Only instances whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Seconds for each instance.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// What is minimised.
    #[arg(long, default_value = "makespan,sum_of_ends")]
    objective: String,
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

/// What came out.
#[derive(Debug)]
struct Figures {
    makespan: u64,
    bound: u64,
    sum: u64,
    proved: bool,
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
        "{:<36} {:>5} {:>7} {:>9} {:>10} {:>9} {:>9} {:>8}",
        "archive", "count", "proved", "gap, %", "to best, %", "above", "sum, %", "time (s)"
    );
    for archive in options.archives.split(',') {
        let mut rows: Vec<(Figures, Known)> = Vec::new();
        for (name, text) in read(&data, archive)? {
            if options.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let instance = if archive == "micro" { micro(&text)? } else { whole(&text)? };
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
    let proved = rows.iter().filter(|row| row.0.proved).count();
    let gap = |row: &(Figures, Known)| {
        let bound = row.1.bound.unwrap_or(0.0).max(row.0.bound as f64);
        (row.0.makespan as f64 - bound) / bound.max(1.0)
    };
    let to_best = |row: &(Figures, Known)| Some((row.0.makespan as f64 - row.1.best?) / row.1.best?);
    let above = rows.iter().filter(|row| row.1.best.is_some_and(|best| row.0.makespan as f64 > best)).count();
    let sum = |row: &(Figures, Known)| Some((row.0.sum as f64 - row.1.sum?) / row.1.sum?);
    format!(
        "{archive:<36} {:>5} {proved:>7} {:>9.2} {:>10.2} {above:>9} {:>9.2} {:>8.2}",
        rows.len(),
        mean(rows.iter().map(gap).collect()),
        mean(rows.iter().filter_map(to_best).collect()),
        mean(rows.iter().filter_map(sum).collect()),
        rows.iter().map(|row| row.0.seconds).sum::<f64>() / rows.len() as f64,
    )
}

fn measure(instance: &Instance, options: &Options) -> Fallible<Figures> {
    let objective: Objective = options.objective.parse()?;
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
    Ok(Figures {
        makespan: outcome.metrics.makespan,
        bound: outcome.levels.first().map_or(0, |level| level.bound),
        sum: outcome.metrics.sum_of_ends,
        proved: outcome.status == Status::Optimal,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Name and text of each instance, by name.
fn read(data: &Path, archive: &str) -> Fallible<Vec<(String, String)>> {
    let file = fs::File::open(data.join(format!("{archive}.tar.gz")))?;
    let mut found = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.extension().is_some_and(|extension| extension == "json") {
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
        switches: vec![Switch { number: 0, capacity: None }],
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

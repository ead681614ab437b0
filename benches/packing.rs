//! Vector bin packing: VMs to be started on identical nodes that are off, on as few as can be.
//!
//! `cargo bench --bench packing -- --help` lists the options; README.md beside this file
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
use quadrille::constraint::running::Running;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Plans instances of vector bin packing with the objective `nodes_on`, and prints a table.
#[derive(Debug, Parser)]
struct Options {
    /// Every so manieth instance of each class.
    #[arg(long, default_value_t = 10)]
    every: usize,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Archives, without `.tar.gz`.
    #[arg(long, default_value = "ct01,triplet,new,panigrahy")]
    archives: String,
    /// Only instances whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Seconds for each instance.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Instances at the same time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Prints a line for each instance.
    #[arg(long)]
    each: bool,
    /// Folder of the data, in which `vbp` is looked for; $QUADRILLE_DATA where not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// An instance as it stands in its file.
#[derive(Debug)]
struct Vbp {
    archive: String,
    name: String,
    capacity: Vec<u64>,
    /// Sizes, and how many there are of them.
    kinds: Vec<(Vec<u64>, u32)>,
}

/// What came out.
#[derive(Debug)]
struct Figures {
    nodes: u64,
    bound: u64,
    proved: bool,
    seconds: f64,
}

fn main() -> Fallible<()> {
    let options = Options::parse();
    let data = options.data.clone().or_else(|| std::env::var_os("QUADRILLE_DATA").map(PathBuf::from));
    let data =
        data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")).join("vbp");
    if !data.is_dir() {
        eprintln!("{}: skipped, there is no such folder", data.display());
        return Ok(());
    }
    let best = best_known(&data)?;
    let mut by_class: BTreeMap<String, Vec<Vbp>> = BTreeMap::new();
    for archive in options.archives.split(',') {
        for vbp in read(&data, archive)? {
            if options.filter.as_ref().is_none_or(|filter| vbp.name.contains(filter.as_str())) {
                by_class.entry(class(&vbp)).or_default().push(vbp);
            }
        }
    }
    let chosen: Vec<(String, Vbp)> = by_class
        .into_iter()
        .flat_map(|(class, instances)| {
            let chosen = instances.into_iter().skip(options.first).step_by(options.every.max(1));
            chosen.map(move |vbp| (class.clone(), vbp)).collect::<Vec<_>>()
        })
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs.max(1)).build()?;
    let results: Vec<(String, &Vbp, Figures)> = pool.install(|| {
        chosen
            .par_iter()
            .map(|(class, vbp)| Ok::<_, String>((class.clone(), vbp, measure(vbp, options.seconds)?)))
            .collect::<Result<_, _>>()
    })?;
    println!(
        "{:<26} {:>5} {:>7} {:>8} {:>8} {:>8} {:>7} {:>8}",
        "class", "count", "proved", "gap", "excess", "worst", "known", "time (s)"
    );
    let mut start = 0;
    for rows in results.chunk_by(|a, b| a.0 == b.0) {
        if options.each {
            for (_, vbp, figures) in rows {
                let best = best.get(&vbp.name).copied();
                println!("  {}/{} {figures:?} best known {best:?}", vbp.archive, vbp.name);
            }
        }
        println!("{}", line(&rows[0].0, rows, &best));
        start += rows.len();
    }
    println!("{} instances", start);
    Ok(())
}

/// The row of a class.
fn line(class: &str, rows: &[(String, &Vbp, Figures)], best: &BTreeMap<String, u64>) -> String {
    let count = rows.len() as f64;
    let proved = rows.iter().filter(|row| row.2.proved).count();
    let gap: u64 = rows.iter().map(|row| row.2.nodes - row.2.bound).sum();
    let excess: Vec<i64> =
        rows.iter().filter_map(|row| Some(row.2.nodes as i64 - *best.get(&row.1.name)? as i64)).collect();
    let seconds: f64 = rows.iter().map(|row| row.2.seconds).sum();
    format!(
        "{class:<26} {:>5} {:>6.0}% {:>8.3} {:>8.3} {:>8} {:>7} {:>8.2}",
        rows.len(),
        100.0 * proved as f64 / count,
        gap as f64 / count,
        excess.iter().sum::<i64>() as f64 / excess.len().max(1) as f64,
        excess.iter().max().copied().unwrap_or(0),
        excess.len(),
        seconds / count
    )
}

/// The class of an instance: its archive and its name without the last number.
fn class(vbp: &Vbp) -> String {
    let parts: Vec<&str> = vbp.name.split('_').collect();
    let class = match vbp.archive.as_str() {
        "ct01" => parts[..2].join("_"),
        _ => format!("{} {} dims", parts[0], vbp.capacity.len()),
    };
    format!("{} {class}", vbp.archive)
}

/// By instance: the fewest bins known.
fn best_known(data: &Path) -> Fallible<BTreeMap<String, u64>> {
    let text = fs::read_to_string(data.join("best_known.csv"))?;
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| head.iter().position(|&other| other == name).ok_or("a column is missing");
    let (name, best) = (column("instance")?, column("best_known")?);
    let mut known = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        if let (Some(name), Some(best)) =
            (fields.get(name), fields.get(best).and_then(|best| best.parse().ok()))
        {
            known.insert((*name).to_owned(), best);
        }
    }
    Ok(known)
}

/// The instances of an archive, by name.
fn read(data: &Path, archive: &str) -> Fallible<Vec<Vbp>> {
    let file = fs::File::open(data.join(format!("{archive}.tar.gz")))?;
    let mut instances = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".vbp")) else {
            continue;
        };
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        instances.push(parse(archive, name, &text).map_err(|error| format!("{archive}/{name}: {error}"))?);
    }
    instances.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(instances)
}

/// One instance. Some triplets have sizes below zero; a constant is added to all sizes of
/// such a dimension and three times as much to the bin, which holds three items.
fn parse(archive: &str, name: &str, text: &str) -> Fallible<Vbp> {
    let mut numbers = text.split_whitespace().map(str::parse::<i64>);
    let mut next = || numbers.next().ok_or("it ends too early")?.map_err(|error| error.to_string());
    let dims = next()?;
    let mut capacity = (0..dims).map(|_| next()).collect::<Result<Vec<i64>, String>>()?;
    let kinds = next()?;
    let mut rows: Vec<(Vec<i64>, u32)> = Vec::new();
    for _ in 0..kinds {
        let sizes = (0..dims).map(|_| next()).collect::<Result<Vec<i64>, String>>()?;
        rows.push((sizes, u32::try_from(next()?)?));
    }
    for (dim, capacity) in capacity.iter_mut().enumerate() {
        let least = rows.iter().map(|row| row.0[dim]).min().unwrap_or(0);
        if least < 0 {
            rows.iter_mut().for_each(|row| row.0[dim] -= least);
            *capacity -= 3 * least;
        }
    }
    let positive = |numbers: Vec<i64>| numbers.into_iter().map(|number| number as u64).collect();
    Ok(Vbp {
        archive: archive.to_owned(),
        name: name.to_owned(),
        capacity: positive(capacity),
        kinds: rows.into_iter().map(|(sizes, count)| (positive(sizes), count)).collect(),
    })
}

/// One VM for each item, to be started on one of as many nodes, all of them off.
fn instance(vbp: &Vbp) -> Result<Instance, String> {
    let mut b = InstanceBuilder::new();
    let resources: Vec<_> = (0..vbp.capacity.len()).map(|dim| b.resource(&format!("r{dim}"))).collect();
    let items: u32 = vbp.kinds.iter().map(|kind| kind.1).sum();
    for at in 0..items {
        let node = b.offline_node(&format!("n{at}"));
        for (&resource, &capacity) in resources.iter().zip(&vbp.capacity) {
            b.capacity(node, resource, capacity);
        }
    }
    let sizes = vbp.kinds.iter().flat_map(|(sizes, count)| std::iter::repeat_n(sizes, *count as usize));
    for (at, sizes) in sizes.enumerate() {
        let vm = b.ready_vm(&format!("v{at}"));
        for (&resource, &size) in resources.iter().zip(sizes) {
            b.demand(vm, resource, size);
        }
        b.constraint(Constraint::new(Running { vm }));
    }
    b.build().map_err(|error| error.to_string())
}

fn measure(vbp: &Vbp, seconds: f64) -> Result<Figures, String> {
    let instance = instance(vbp)?;
    let objective: Objective = "nodes_on".parse().map_err(|error| format!("{error}"))?;
    let options = PlanOptions {
        objective: Some(objective),
        time_limit: Some(Duration::from_secs_f64(seconds)),
        threads: Some(1),
        ..PlanOptions::default()
    };
    let clock = Instant::now();
    let outcome = quadrille::solve(&instance, &options).map_err(|error| format!("{}: {error}", vbp.name))?;
    let level = outcome.levels.first().ok_or_else(|| format!("{}: no plan", vbp.name))?;
    Ok(Figures {
        nodes: level.value,
        bound: level.bound,
        proved: outcome.status == Status::Optimal,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

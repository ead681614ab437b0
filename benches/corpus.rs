//! Whole-process benchmark: from the compressed file to the verified plan on disk.
//!
//! `cargo bench --bench corpus -- --help` lists the options; README.md beside this
//! file tells how to read the table.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

use clap::Parser;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Runs `quadrille plan` on the data folder and on generated instances, and prints a table.
#[derive(Debug, Parser)]
struct Options {
    /// Runs of each instance; the table shows the median time and the largest memory.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Only instances whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Time limit of each run; without one a run ends when nothing better comes for long.
    #[arg(long)]
    time_limit: Option<String>,
    /// Generated instances: numbers of nodes, each with ten times as many VMs. `none` for none.
    #[arg(long, default_value = "3125,6250,12500,25000,50000")]
    sizes: String,
    /// Folder of the data, in which `btrplace_tdsc` is looked for; $QUADRILLE_DATA where not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Writes the figures for a later `--compare`.
    #[arg(long)]
    save: Option<PathBuf>,
    /// Prints the figures beside those of an earlier run.
    #[arg(long)]
    compare: Option<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The figures of one instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figures {
    seconds: f64,
    peak_mib: Option<f64>,
    status: String,
    relocations: Option<u64>,
    best_known: Option<u64>,
    mttr: Option<u64>,
    bound: Option<u64>,
}

fn main() -> Fallible<()> {
    let options = Options::parse();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    fs::create_dir_all(&work)?;
    let data = options.data.clone().or_else(|| std::env::var_os("QUADRILLE_DATA").map(PathBuf::from));
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let mut instances = corpus(&data)?;
    instances.extend(generated(&options.sizes, &work, options.filter.as_deref())?);
    if let Some(filter) = &options.filter {
        instances.retain(|(name, ..)| name.contains(filter.as_str()));
    }
    let earlier: BTreeMap<String, Figures> = match &options.compare {
        Some(path) => serde_json::from_slice(&fs::read(path)?)?,
        None => BTreeMap::new(),
    };
    println!(
        "{:<22} {:>9} {:>10} {:>9} {:>9} {:>10} {:>10}  status{}",
        "instance",
        "time (s)",
        "peak (MiB)",
        "moves",
        "best",
        "mttr",
        "bound",
        if options.compare.is_some() { "  against the earlier run" } else { "" }
    );
    let mut all = BTreeMap::new();
    for (name, path, best_known) in instances {
        let figures = measure(&path, &work, &options, best_known)?;
        println!("{}{}", row(&name, &figures), comparison(&figures, earlier.get(&name)));
        all.insert(name, figures);
    }
    if let Some(path) = &options.save {
        fs::write(path, serde_json::to_string_pretty(&all)? + "\n")?;
    }
    Ok(())
}

/// The instances of the data folder with the fewest moves known, by name.
fn corpus(data: &Path) -> Fallible<Vec<(String, PathBuf, Option<u64>)>> {
    let folder = data.join("btrplace_tdsc");
    if !folder.is_dir() {
        eprintln!("{}: skipped, there is no such folder", folder.display());
        return Ok(Vec::new());
    }
    let table = fs::read_to_string(folder.join("best_known.csv")).unwrap_or_default();
    let mut lines = table.lines();
    let column = lines.next().and_then(|head| head.split(',').position(|name| name == "optimum_migrations"));
    let best: BTreeMap<&str, u64> = lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Some((*fields.first()?, fields.get(column?)?.parse().ok()?))
        })
        .collect();
    let mut instances = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json.gz")) {
            let name = name.to_owned();
            let best = best.get(name.as_str()).copied();
            instances.push((name, path, best));
        }
    }
    instances.sort();
    Ok(instances)
}

/// Generated instances, kept from run to run.
fn generated(
    sizes: &str,
    work: &Path,
    filter: Option<&str>,
) -> Fallible<Vec<(String, PathBuf, Option<u64>)>> {
    let mut instances = Vec::new();
    if sizes == "none" {
        return Ok(instances);
    }
    for size in sizes.split(',') {
        let nodes: u32 = size.trim().parse().map_err(|_| format!("`{size}` is not a number of nodes"))?;
        let name = format!("generated_{nodes}_{}", u64::from(nodes) * 10);
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let path = work.join(format!("{name}.json.gz"));
        if !path.exists() {
            let status = Command::new(env!("CARGO_BIN_EXE_quadrille"))
                .args(["generate", "--scenario", "mixed", "--ratio", "10", "--seed", "1", "--nodes"])
                .arg(nodes.to_string())
                .arg("-o")
                .arg(&path)
                .status()?;
            if !status.success() {
                return Err(format!("{name} could not be generated").into());
            }
        }
        instances.push((name, path, None));
    }
    Ok(instances)
}

fn measure(path: &Path, work: &Path, options: &Options, best_known: Option<u64>) -> Fallible<Figures> {
    let output = work.join("plan.json");
    let mut seconds = Vec::new();
    let mut peak_mib: Option<f64> = None;
    let mut document = Value::Null;
    let mut exit = None;
    for _ in 0..options.runs.max(1) {
        // A run that fails must not be taken for the one before it.
        let _ = fs::remove_file(&output);
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_quadrille"))
            .args(["plan", "--quiet", "--format", "json"])
            .args(options.time_limit.iter().flat_map(|limit| ["--time-limit", limit]))
            .arg("-o")
            .arg(&output)
            .arg(path)
            .stdin(Stdio::null())
            .status()?;
        seconds.push(start.elapsed().as_secs_f64());
        exit = status.code();
        document = match fs::read(&output) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(_) => Value::Null,
        };
        let peak = document["peak_rss_mib"].as_f64();
        peak_mib = peak_mib.into_iter().chain(peak).reduce(f64::max);
    }
    seconds.sort_by(f64::total_cmp);
    let metrics = &document["metrics"];
    let status = match document["status"].as_str() {
        Some(status) => status.to_owned(),
        None => format!("exit {}", exit.map_or_else(|| "by signal".to_owned(), |code| code.to_string())),
    };
    Ok(Figures {
        seconds: seconds[seconds.len() / 2],
        peak_mib,
        status,
        relocations: metrics["relocations"].as_u64(),
        best_known,
        mttr: metrics["mttr"].as_u64(),
        bound: document["objective"]["bound"].as_u64(),
    })
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn row(name: &str, figures: &Figures) -> String {
    format!(
        "{name:<22} {:>9.3} {:>10} {:>9} {:>9} {:>10} {:>10}  {}",
        figures.seconds,
        figures.peak_mib.map_or_else(|| "-".to_owned(), |peak| format!("{peak:.0}")),
        number(figures.relocations),
        number(figures.best_known),
        number(figures.mttr),
        number(figures.bound),
        figures.status
    )
}

fn comparison(now: &Figures, earlier: Option<&Figures>) -> String {
    let Some(earlier) = earlier else { return String::new() };
    let change = |now: Option<u64>, then: Option<u64>| match (now, then) {
        (Some(now), Some(then)) if now == then => "=".to_owned(),
        (Some(now), Some(then)) => format!("{:+}", i128::from(now) - i128::from(then)),
        _ => "?".to_owned(),
    };
    format!(
        "  time x{:.2}, moves {}, mttr {}{}",
        now.seconds / earlier.seconds.max(1e-9),
        change(now.relocations, earlier.relocations),
        change(now.mttr, earlier.mttr),
        if now.status == earlier.status { String::new() } else { format!(", was {}", earlier.status) }
    )
}

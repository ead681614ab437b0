//! How many random clusters are proved optimal, and how long that takes.
//!
//! `cargo bench --bench proofs -- --help` lists the options; README.md beside this file
//! tells how to read the table.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

use clap::Parser;
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Proves the fewest relocations of generated clusters of several sizes and loads.
#[derive(Debug, Parser)]
struct Options {
    /// Clusters of each row.
    #[arg(long, default_value_t = 20)]
    count: u64,
    /// Sizes, as NODESxVMS.
    #[arg(long, default_value = "20x100,50x300")]
    sizes: String,
    /// Shares of CPU and memory that are used at the end, in percent.
    #[arg(long, default_value = "60,75,90")]
    loads: String,
    /// Time limit of each run, by size.
    #[arg(long, default_value = "5s,30s")]
    limits: String,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Fallible<()> {
    let options = Options::parse();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proofs");
    fs::create_dir_all(&work)?;
    println!(
        "{:<8} {:>5} {:>6} {:>9} {:>9} {:>12} {:>12} {:>9}",
        "cluster", "load", "rules", "clusters", "optimal", "median (s)", "longest (s)", "gap"
    );
    let limits: Vec<&str> = options.limits.split(',').collect();
    for (at, size) in options.sizes.split(',').enumerate() {
        let limit = limits.get(at).or(limits.last()).ok_or("no limit is given")?;
        for load in options.loads.split(',') {
            for rules in [false, true] {
                row(&options, &work, size, load, rules, limit)?;
            }
        }
    }
    Ok(())
}

/// One row: clusters of a size and load, with rules or without.
fn row(options: &Options, work: &Path, size: &str, load: &str, rules: bool, limit: &str) -> Fallible<()> {
    let (mut seconds, mut optimal, mut gap, mut refused) = (Vec::new(), 0, 0.0f64, 0);
    let mut seed = 0;
    while (seconds.len() as u64) < options.count && refused < 10 * options.count {
        seed += 1;
        let Some(path) = generated(work, size, load, rules, seed)? else {
            refused += 1;
            continue;
        };
        let output = work.join("plan.json");
        let _ = fs::remove_file(&output);
        let start = Instant::now();
        let _ = Command::new(env!("CARGO_BIN_EXE_quadrille"))
            .args(["plan", "--quiet", "--format", "json", "--gap", "0%", "--time-limit", limit, "-o"])
            .args([&output, &path])
            .status()?;
        seconds.push(start.elapsed().as_secs_f64());
        let document: Value = match fs::read(&output) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(_) => Value::Null,
        };
        // That there is no plan is an answer as well, if it is proved.
        let proved = matches!(document["status"].as_str(), Some("optimal" | "infeasible"));
        optimal += u64::from(proved);
        if !proved {
            println!("  not proved: {} {}", path.display(), document["objective"]);
            gap = gap.max(document["objective"]["gap"].as_f64().unwrap_or(1.0));
        }
    }
    seconds.sort_by(f64::total_cmp);
    let (Some(median), Some(longest)) = (seconds.get(seconds.len() / 2), seconds.last()) else {
        return Err(format!("no cluster of {size} can be generated").into());
    };
    println!(
        "{size:<8} {load:>4}% {:>6} {:>9} {optimal:>9} {median:>12.3} {longest:>12.3} {:>8.1}%",
        if rules { "yes" } else { "no" },
        seconds.len(),
        gap * 100.0
    );
    Ok(())
}

/// A cluster with drained nodes and grown VMs; with rules also spread tiers and fences.
/// `None` where such a cluster is too full to be seated.
fn generated(work: &Path, size: &str, load: &str, rules: bool, seed: u64) -> Fallible<Option<PathBuf>> {
    let (nodes, vms) = size.split_once('x').ok_or_else(|| format!("`{size}` is not NODESxVMS"))?;
    let path = work.join(format!("{size}-{load}-{rules}-{seed}.json"));
    let (constrained, fenced) = if rules { ("60", "10") } else { ("0", "0") };
    let status = Command::new(env!("CARGO_BIN_EXE_quadrille"))
        .args([
            "generate",
            "--quiet",
            "--scenario",
            "li",
            "--growing",
            "25",
            "--drained",
            "6",
            "--rack",
            "10",
        ])
        .args(["--nodes", nodes, "--vms", vms, "--load", load, "--seed", &seed.to_string()])
        .args(["--constrained", constrained, "--fenced", fenced, "-o"])
        .arg(&path)
        .status()?;
    Ok(status.success().then_some(path))
}

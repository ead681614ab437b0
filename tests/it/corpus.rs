//! Instances in files, with what is known of their plans.

use crate::brute::Question;
use crate::replay;
use crate::timed;
use crate::timed::Ask;
use quadrille::Instance;
use quadrille::Options;
use quadrille::Status;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Steps for a model of our own.
const STEPS: u64 = 500_000;
/// Packed size up to which public files are solved without optimisation of the code.
const SMALL: u64 = 100_000;

fn read(path: &Path) -> Instance {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = format::inflate(bytes, format::LONGEST_TEXT)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read = format::read_instance(&text, &ReadOptions { lenient: true });
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display())).instance
}

fn models() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("models")];
    let mut models = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder of models").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".expect.json") {
                models.push(path);
            }
        }
    }
    models.sort();
    models
}

#[test]
fn models_are_planned_as_expected() {
    let models = models();
    assert!(models.len() >= 12, "only {} models", models.len());
    let mut faults = Vec::new();
    for path in models {
        let expect: Value = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
        let model = path.to_string_lossy().replace(".expect.json", ".json");
        let instance = read(Path::new(&model));
        let options = Options { step_limit: Some(STEPS), ..Options::default() };
        let outcome =
            quadrille::solve(&instance, &options).unwrap_or_else(|error| panic!("{model}: {error}"));
        let mut say = |what: &str, found: &str| {
            if expect.get(what).is_some_and(|wanted| wanted.to_string().trim_matches('"') != found) {
                faults.push(format!("{model}: {what} is {found}, expected {}", expect[what]));
            }
        };
        say("status", outcome.status.name());
        if let Some(plan) = &outcome.plan {
            say("relocations", &outcome.metrics.relocations.to_string());
            say("mttr", &outcome.metrics.mttr.to_string());
            say("makespan", &outcome.metrics.makespan.to_string());
            let report = verify(&instance, plan, &VerifyOptions::default());
            assert!(report.is_ok(), "{model}: {:?}", report.findings);
            let wrong = replay::faults(&instance, plan, replay::Clock::Own);
            assert!(wrong.is_empty(), "{model}: {wrong:?}");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is expected of the smallest models was not made up.
#[test]
fn expectations_are_those_of_the_oracle() {
    let mut checked = 0;
    for path in models() {
        let expect: Value = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
        let model = path.to_string_lossy().replace(".expect.json", ".json");
        let instance = read(Path::new(&model));
        if instance.vm_count() > 5 || instance.node_count() > 4 {
            continue;
        }
        let question = Question::of(&instance).expect("wishes that agree");
        let best = question.fewest();
        assert_eq!(expect["status"] == "infeasible", best.is_none(), "{model}");
        checked += 1;
        let Some(best) = best else { continue };
        if instance.constraints().iter().all(|constraint| constraint.is_hard()) {
            assert_eq!(expect["relocations"], best.value, "{model}");
            if let (Ok(Some((_, sum))), Some(wanted)) =
                (timed::best(&question, Ask::Mttr(best.value)), expect.get("mttr"))
            {
                assert_eq!(*wanted, sum, "{model}");
            }
        }
    }
    assert!(checked >= 12, "only {checked} models are small enough");
}

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("QUADRILLE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
        .join("btrplace_tdsc");
    folder.is_dir().then_some(folder)
}

/// The column of a name in a table, by instance.
fn column<'t>(table: &'t str, instance: &str, name: &str) -> Option<&'t str> {
    let mut lines = table.lines();
    let at = lines.next()?.split(',').position(|head| head == name)?;
    let row = lines.find(|line| line.split(',').next() == Some(instance))?;
    row.split(',').nth(at).filter(|cell| !cell.is_empty())
}

#[test]
#[allow(clippy::print_stdout, reason = "says that the data is absent")]
fn public_instances_are_solved_with_the_fewest_relocations() {
    let Some(folder) = data() else {
        println!("skipped: no public data (set QUADRILLE_DATA)");
        return;
    };
    let table = fs::read_to_string(folder.join("best_known.csv")).expect("the table of what is known");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("readable")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".json.gz"))
        .collect();
    files.sort();
    let mut solved = 0;
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().replace(".json.gz", "");
        if cfg!(debug_assertions) && fs::metadata(&path).expect("a size").len() > SMALL {
            println!("{name}: left to a build with optimisation");
            continue;
        }
        let instance = read(&path);
        let outcome = quadrille::solve(&instance, &Options::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let plan =
            outcome.plan.as_ref().unwrap_or_else(|| panic!("{name}: no plan, {}", outcome.status.name()));
        let report = verify(&instance, plan, &VerifyOptions::default());
        assert!(report.is_ok(), "{name}: {:?}", report.findings.iter().take(3).collect::<Vec<_>>());
        if let Some(fewest) = column(&table, &name, "optimum_migrations") {
            assert_eq!(outcome.metrics.relocations.to_string(), fewest, "relocations of {name}");
        }
        if name.starts_with("li_") || name.starts_with("nr_") {
            assert_eq!(outcome.status, Status::Optimal, "{name}");
        }
        solved += 1;
    }
    assert!(solved > 0, "no file in {}", folder.display());
}

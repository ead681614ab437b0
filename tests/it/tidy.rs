//! The repository itself: nothing forgotten, nothing too long.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Lines beyond which a file is to be split.
const LONGEST: usize = 900;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder, sorted; none where there is no such folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<PathBuf> {
    let folders = ["src", "dsl/src", "tests", "examples", "benches"];
    let all = folders.iter().flat_map(|folder| files(folder));
    all.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

#[test]
fn no_file_is_too_long() {
    let sources = sources();
    assert!(sources.len() > 20, "where are the sources?");
    for path in sources {
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    // In two pieces, so as not to find themselves.
    let words =
        [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("#[igno", "re]"), concat!("FIX", "ME")];
    for path in sources() {
        let text = fs::read_to_string(&path).expect("readable");
        for word in words {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn every_model_is_documented() {
    for path in files("models") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name == "README.md" || name.ends_with(".expect.json") {
            continue;
        }
        // In the page of its folder, or in the one above.
        let pages = path.ancestors().skip(1).take(2);
        let text: String =
            pages.filter_map(|folder| fs::read_to_string(folder.join("README.md")).ok()).collect();
        let stem = name.split('.').next().unwrap_or(&name);
        let told = text.contains(&format!("`{stem}`")) || text.contains(&format!("`{name}`"));
        assert!(told, "no README.md says what {} is", path.display());
    }
}

#[test]
fn every_expectation_has_its_instance() {
    for path in files("models") {
        let name = path.to_string_lossy();
        if let Some(stem) = name.strip_suffix(".expect.json") {
            let found =
                [".json", ".json.gz", ".btrp"].iter().any(|end| Path::new(&format!("{stem}{end}")).exists());
            assert!(found, "{name} is about nothing");
        }
    }
}

#[test]
fn every_rule_is_tried_against_the_oracle() {
    use crate::generate::any_rules;
    let tried = any_rules();
    for signature in quadrille::constraint::REGISTRY {
        let name = signature.name;
        assert!(tried.iter().any(|rule| rule.split(' ').next() == Some(name)), "`{name}` is never tried");
    }
}

#[test]
fn every_rule_has_a_manual_page_with_all_headings() {
    let headings = [
        "# Meaning",
        "# Discrete and continuous",
        "# In the language",
        "# In JSON",
        "# Compiles to",
        "# Cost",
        "# See also",
    ];
    for signature in quadrille::constraint::REGISTRY {
        let page = quadrille::constraint::manual_page(signature);
        let mut rest = page.as_str();
        for heading in headings {
            let at = rest.find(heading);
            assert!(at.is_some(), "the page of `{}` has no `{heading}` in its place", signature.name);
            rest = &rest[at.unwrap_or(0)..];
        }
    }
}

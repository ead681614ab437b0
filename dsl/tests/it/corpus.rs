//! The files of `tests/ok`, `tests/err` and `examples`, and what is expected of them.
//!
//! `UPDATE=1 cargo test -p quadrille-dsl` writes what is expected anew; read the difference.

use crate::dump;
use quadrille_dsl::format;
use quadrille_dsl::parse;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

pub(crate) fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "btrp"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, text)
    };
    files.into_iter().map(read).collect()
}

/// Compares with the file beside, or writes it.
fn expect(path: &Path, extension: &str, found: &str, failures: &mut Vec<String>) {
    let beside = path.with_extension(extension);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&beside, found).unwrap_or_else(|error| panic!("{}: {error}", beside.display()));
        return;
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    if expected != found {
        let line = expected.lines().zip(found.lines()).position(|(a, b)| a != b);
        let line = line.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or("nothing").to_owned();
        failures.push(format!(
            "{}, line {}:\n  expected {}\n  found    {}",
            beside.display(),
            line + 1,
            at(&expected),
            at(found)
        ));
    }
}

#[test]
fn sound_files() {
    let mut failures = Vec::new();
    for (path, text) in files("tests/ok") {
        let (tree, diagnostics) = parse(&text);
        assert_eq!(dump::diagnostics(&text, &diagnostics), "", "{}", path.display());
        expect(&path, "tree", &dump::tree(&text, &tree), &mut failures);
        let formatted = format(&text).unwrap_or_else(|_| panic!("{} is sound", path.display()));
        expect(&path, "formatted", &formatted, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn faulty_files() {
    let mut failures = Vec::new();
    for (path, text) in files("tests/err") {
        let (tree, diagnostics) = parse(&text);
        assert_ne!(diagnostics, [], "{}", path.display());
        assert_eq!(format(&text).as_ref(), Err(&diagnostics), "{}", path.display());
        let mut found = dump::diagnostics(&text, &diagnostics);
        found += "---- what is left\n";
        found += &dump::tree(&text, &tree);
        expect(&path, "expected", &found, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn examples() {
    for (path, text) in files("examples") {
        let (_, diagnostics) = parse(&text);
        assert_eq!(dump::diagnostics(&text, &diagnostics), "", "{}", path.display());
        assert_eq!(format(&text).as_ref(), Ok(&text), "{} is formatted", path.display());
    }
}

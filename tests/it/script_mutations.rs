//! Scripts with random damage: nothing panics, places lie in the text, and formatting keeps
//! the meaning of what is still sound.

use crate::script::apply;
use proptest::prelude::*;
use quadrille::script::Diagnostic;
use quadrille::script::Memory;
use quadrille::script::Program;
use quadrille::script::lint;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// All scripts of the syntax crate, sound or not.
static SCRIPTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut scripts = Vec::new();
    for folder in ["dsl/tests/ok", "dsl/tests/err", "dsl/examples"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut paths: Vec<_> = fs::read_dir(&folder)
            .expect("a folder of scripts")
            .map(|entry| entry.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|end| end == "btrp"))
            .collect();
        paths.sort();
        scripts.extend(paths.iter().map(|path| fs::read_to_string(path).expect("readable")));
    }
    scripts
});

/// The smallest pieces that mean something, blanks among them.
fn pieces(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last == 2 || last != kind(c)) {
            pieces.push(&text[start..at]);
            start = at;
        }
        last = Some(kind(c));
    }
    pieces.push(&text[start..]);
    pieces
}

/// What is done to a script: which change, where, and with which piece of which script.
type Damage = (u8, prop::sample::Index, prop::sample::Index, prop::sample::Index);

fn damaged(script: &str, damages: &[Damage]) -> String {
    let mut found: Vec<&str> = pieces(script);
    for (change, at, other, script) in damages {
        if found.is_empty() {
            break;
        }
        let at = at.index(found.len());
        let donor = pieces(&SCRIPTS[script.index(SCRIPTS.len())]);
        let piece = donor[other.index(donor.len())];
        match change {
            0 => {
                found.remove(at);
            }
            1 => found.insert(at, piece),
            2 => found[at] = piece,
            3 => {
                let other = other.index(found.len());
                found.swap(at, other);
            }
            // A stretch of another script.
            4 => {
                let from = other.index(donor.len());
                found.splice(at..at, donor[from..].iter().take(40).copied());
            }
            _ => found.truncate(at),
        }
    }
    found.concat()
}

fn check_places(found: &[Diagnostic], texts: &[&str]) -> Result<(), TestCaseError> {
    for diagnostic in found {
        for label in &diagnostic.labels {
            let text = texts[label.file as usize];
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            prop_assert!(text.get(start..end).is_some(), "{diagnostic:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn damaged_scripts_are_survived(
        script in any::<prop::sample::Index>(),
        damages in prop::collection::vec((0u8..6, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let cluster = "resource cpu; @n[1..4] : node<cpu=8> online; VM[1..4] : small<cpu=1> running on @n1;";
        let text = damaged(&SCRIPTS[script.index(SCRIPTS.len())], &damages);
        let files = Memory::default().with("cluster.btrp", cluster).with("rules.btrp", text.as_str());
        let program = Program::load(&["cluster.btrp".into(), "rules.btrp".into()], &[], &files);
        // Places are those in the text behind a byte order mark.
        let texts = [cluster, text.strip_prefix('\u{feff}').unwrap_or(&text)];
        check_places(program.inspect(None).diagnostics(), &texts)?;
        let built = program.apply(None);
        match &built {
            Ok(built) => check_places(&lint(&program, built), &texts)?,
            Err(found) => check_places(found, &texts)?,
        }
        if let Ok(formatted) = quadrille_dsl::format(&text) {
            prop_assert_eq!(quadrille_dsl::format(&formatted), Ok(formatted.clone()));
            let again = apply(&[("rules.btrp", &formatted)], None);
            let first = apply(&[("rules.btrp", &text)], None);
            match (first, again) {
                (Ok(first), Ok(again)) => prop_assert_eq!(first.instance, again.instance),
                (Err(first), Err(again)) => prop_assert_eq!(first.len(), again.len()),
                (first, again) => prop_assert!(false, "{:?}\n{:?}", first.is_ok(), again.is_ok()),
            }
        }
    }
}

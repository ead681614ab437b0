//! What each code means.

const PAGE: &str = include_str!("codes.md");

/// All codes with the first line of their explanation, in order.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(": "))
}

/// What a code means, how the mistake looks and how it is put right. It starts with
/// the code and a title.
pub fn explain(code: &str) -> Option<&'static str> {
    if code.contains(['\n', '#', ':']) || code.is_empty() {
        return None;
    }
    let start = PAGE.find(&format!("\n## {code}: "))? + "\n## ".len();
    let rest = PAGE.get(start..)?;
    let end = rest.find("\n## ").map_or(rest.len(), |end| end + 1);
    let text = rest.get(..end)?;
    // One line feed at the end is enough.
    Some(text.strip_suffix('\n').filter(|text| text.ends_with('\n')).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Diagnostic;
    use crate::script::Memory;
    use crate::script::Program;
    use crate::script::lint;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// The codes that sources write, tests left out.
    fn used(folder: &str, codes: &mut BTreeSet<String>) {
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("a file").path()),
                );
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            if path.ends_with("codes.rs") || path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            for piece in text.split('"') {
                let code = piece.len() == 5
                    && piece.starts_with(['E', 'W'])
                    && piece[1..].bytes().all(|byte| byte.is_ascii_digit());
                if code {
                    codes.insert(piece.to_owned());
                }
            }
        }
    }

    #[test]
    fn every_code_is_explained_and_every_explanation_is_used() {
        let mut written = BTreeSet::new();
        used("src/script", &mut written);
        used("dsl/src", &mut written);
        let explained: BTreeSet<String> = codes().map(|(code, _)| code.to_owned()).collect();
        assert_eq!(written, explained);
        assert_eq!(codes().count(), explained.len(), "one is explained twice");
    }

    #[test]
    fn explanations_are_found() {
        let text = explain("E0101").expect("it is there");
        assert!(text.starts_with("E0101: there is no such VM\n"), "{text}");
        assert!(!text.contains("E0102"));
        assert!(explain("E0314").is_some_and(|text| text.ends_with("boot=30>;\n")));
        for unknown in ["", "E9999", "E01", "\n## E0101", "E0101: x"] {
            assert!(explain(unknown).is_none(), "{unknown}");
        }
    }

    fn example<'t>(text: &'t str, heading: &str) -> Option<String> {
        let (_, rest) = text.split_once(&format!("\n{heading}:\n\n"))?;
        let lines: Vec<&'t str> = rest.lines().map_while(|line| line.strip_prefix("    ")).collect();
        Some(lines.join("\n"))
    }

    /// What is said of a script that is given together with a small cluster. What only a
    /// look at sound scripts finds is asked for by its code.
    fn said(script: &str, code: &str) -> Vec<Diagnostic> {
        let files = Memory::default()
            .with(
                "cluster.btrp",
                "resource cpu, mem; @n[1..4] : node<cpu=8> online; VM[1..4] : small<cpu=1> running on @n1;",
            )
            .with("rules.btrp", script)
            .with(
                "other.btrp",
                "$pool = VM[1..2]; $secret = VM3; export $pool to *; export $secret to nobody;",
            )
            .with("circle.btrp", "import rules;")
            .with("latin.btrp", b"$x = \"\xe4\";".as_slice())
            .with("site.json", r#"{"limit": 4}"#)
            .with("broken.json", "{");
        let paths = ["cluster.btrp".into(), "rules.btrp".into()];
        let program = Program::load(&paths, &[], &files);
        match program.apply(None) {
            Ok(built) if code >= "W0907" && code != "W0915" => {
                lint(&program, &built).into_iter().filter(|found| found.code == code).collect()
            }
            Ok(built) if code == "E0701" => {
                let found = crate::explain::smallest(&built.instance, &crate::Options::default());
                let rules: Vec<_> = found
                    .iter()
                    .flat_map(|conflict| conflict.constraints())
                    .map(|index| (built.places[index as usize], String::new()))
                    .collect();
                crate::script::clash(&rules, "no plan").into_iter().collect()
            }
            Ok(built) => built.warnings,
            Err(diagnostics) => diagnostics,
        }
    }

    #[test]
    fn examples_are_what_they_say() {
        let mut shown = 0;
        let mut strange = Vec::new();
        for (code, _) in codes() {
            let text = explain(code).expect("it is listed");
            let (wrong, right) = (example(text, "Wrong"), example(text, "Right"));
            assert_eq!(wrong.is_some(), right.is_some(), "{code}");
            let (Some(wrong), Some(right)) = (wrong, right) else {
                assert!(code.starts_with("E06"), "{code} has no example");
                continue;
            };
            let found: Vec<&str> = said(&wrong, code).iter().map(|diagnostic| diagnostic.code).collect();
            if found != [code] {
                strange.push(format!("{code}: {found:?} in {wrong}"));
            }
            for diagnostic in said(&right, code) {
                strange.push(format!("{code}: {} in {right}", diagnostic.message));
            }
            shown += 1;
        }
        assert!(strange.is_empty(), "{}", strange.join("\n"));
        assert!(shown > 50);
    }
}

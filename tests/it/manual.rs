//! The manual: what the book says is run, and the pages that are made from the source are up to date.
//!
//! A fence of the book is a language and words, separated by commas:
//!
//! * `btrp`: a whole script without errors and warnings. A line `$x = …; // = E` says that the
//!   value of `$x` is then that of `E`.
//! * `btrp,fragment`: is parsed only.
//! * `btrp,error=E0101+E0201` and `btrp,warning=W0901`: gives exactly these codes.
//! * `btrp,file=NAME.btrp` and `json,file=NAME.json`: is kept under that name for the blocks that
//!   follow on the page; otherwise a script has the name of its namespace.
//! * `btrp,cluster=NAME.json`: is about that cluster.
//! * `sh`: is run where the files of the page are; `sh,exit=3` says how it ends, `sh,stderr` that
//!   what it says on standard error counts too.
//! * `text` right after `sh`: is what that prints. Times that were needed are not compared.
//!
//! `UPDATE=1 cargo test --test it manual` writes what is made, and what is printed, into the book.

use quadrille::constraint;
use quadrille::format;
use quadrille::script;
use quadrille::script::Diagnostic;
use quadrille::script::Files;
use quadrille::script::Program;
use quadrille::script::Severity;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

/// Fences that show what other programs read.
const OTHERS: [&str; 4] = ["console", "lisp", "lua", "toml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn book() -> PathBuf {
    root().join("docs/src")
}

/// Is the book to be mended?
fn update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages, by their paths in the book.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![book()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the book").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let name = path.strip_prefix(book()).expect("it is in the book");
                pages.push(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    pages.sort();
    pages
}

/// A fenced block.
#[derive(Debug)]
struct Block {
    language: String,
    words: Vec<String>,
    /// The line after the fence that opens it, from 0.
    first: usize,
    /// The line of the fence that closes it.
    last: usize,
    text: String,
}

impl Block {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// What stands after `key=`.
    fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The codes after `key=`, sorted.
    fn codes(&self, key: &str) -> Vec<String> {
        let mut codes: Vec<String> =
            self.value(key).into_iter().flat_map(|codes| codes.split('+')).map(str::to_owned).collect();
        codes.sort();
        codes
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.trim().split(',').map(str::to_owned);
                let language = words.next().unwrap_or_default();
                let words = words.collect();
                open = Some(Block { language, words, first: at + 1, last: at, text: String::new() });
            }
            (Some(block), Some("")) => {
                block.last = at;
                blocks.extend(open.take());
            }
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What is run for a page, where, and what came of it.
struct Page {
    name: String,
    folder: PathBuf,
    faults: Vec<String>,
    /// Lines from and to, and what is to stand there.
    changes: Vec<(usize, usize, String)>,
}

impl Page {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual").join(name.replace('/', "-"));
        // What an earlier run has left would hide what is missing.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Self { name: name.to_owned(), folder, faults: Vec::new(), changes: Vec::new() }
    }

    fn fault(&mut self, block: &Block, what: impl AsRef<str>) {
        self.faults.push(format!("docs/src/{}:{}: {}", self.name, block.first, what.as_ref()));
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(plain, "{}: {name} is no name of a file", self.name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        fs::write(path, text).expect("a temporary file");
    }

    fn quadrille(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quadrille"));
        command.args(arguments).current_dir(&self.folder).output().expect("the command starts")
    }

    fn script(&mut self, block: &Block) {
        let name = block.value("file").map_or_else(|| file_name(&block.text), str::to_owned);
        if block.has("fragment") {
            let (_, found) = quadrille_dsl::parse(&block.text);
            for diagnostic in found {
                self.fault(block, diagnostic.describe(&block.text));
            }
        } else {
            self.write(&name, &with_assertions(&block.text));
            let cluster = block.value("cluster").map(|name| self.folder.join(name));
            let (found, said) = evaluate(&self.folder, &name, cluster.as_deref());
            for (key, severity) in [("error", Severity::Error), ("warning", Severity::Warning)] {
                let expected = block.codes(key);
                let found = codes(&found, severity);
                if found != expected {
                    self.fault(block, format!("{key}s: expected {expected:?}, found {found:?}\n{said}"));
                }
            }
        }
        if block.value("file").is_some() {
            self.write(&name, &block.text);
        } else if !block.has("fragment") {
            fs::remove_file(self.folder.join(&name)).expect("it was just written");
        }
    }

    fn json(&mut self, block: &Block) {
        if let Err(error) = serde_json::from_str::<Value>(&block.text) {
            self.fault(block, error.to_string());
        }
        if let Some(name) = block.value("file") {
            self.write(name, &block.text);
        }
    }

    /// `expected` is the block after this one, where that is what it prints.
    fn commands(&mut self, block: &Block, expected: Option<&Block>) {
        let home = Path::new(env!("CARGO_BIN_EXE_quadrille")).parent().expect("a folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::iter::once(home).chain(std::env::split_paths(&path)).collect();
        let folders = std::env::join_paths(folders).expect("the target folder has a plain name");
        let streams = if block.has("stderr") { "exec 2>&1\n" } else { "" };
        let mut command = Command::new("sh");
        command.args(["-euc", &format!("{streams}{}", block.text)]);
        command.env("PATH", folders).env("NO_COLOR", "1").current_dir(&self.folder);
        let output = command.output().expect("there is a shell");
        let exit = block.value("exit").unwrap_or("0");
        if output.status.code().map(|code| code.to_string()).as_deref() != Some(exit) {
            self.fault(
                block,
                format!(
                    "expected exit code {exit}, found {}\n{}{}",
                    output.status,
                    text(&output.stdout),
                    text(&output.stderr)
                ),
            );
        }
        let Some(expected) = expected else { return };
        let found = text(&output.stdout);
        if masked(&found) == masked(&expected.text) {
            return;
        }
        if update() {
            self.changes.push((expected.first, expected.last, found));
        } else {
            self.fault(expected, format!("expected\n{}found\n{found}", expected.text));
        }
    }

    fn run(&mut self) {
        let path = book().join(&self.name);
        let page = read(&path);
        let blocks = blocks(&page);
        for (at, block) in blocks.iter().enumerate() {
            match block.language.as_str() {
                "btrp" => self.script(block),
                "json" => self.json(block),
                "sh" => {
                    let next = blocks.get(at + 1).filter(|next| next.language == "text");
                    self.commands(block, next);
                }
                "text" => {}
                other if OTHERS.contains(&other) => {}
                other => self.fault(block, format!("nobody knows what to do with `{other}`")),
            }
        }
        if !self.changes.is_empty() {
            let mut lines: Vec<&str> = page.lines().collect();
            for (first, last, text) in self.changes.iter().rev() {
                lines.splice(*first..*last, text.lines());
            }
            fs::write(path, lines.join("\n") + "\n").expect("the book can be written");
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The file in which a script must stand.
fn file_name(script: &str) -> String {
    let first = script.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("//"));
    let namespace = first.and_then(|line| line.strip_prefix("namespace "));
    let namespace = namespace.and_then(|rest| rest.split(';').next()).unwrap_or("script");
    format!("{}.btrp", namespace.rsplit('.').next().unwrap_or(namespace).trim())
}

/// A script that is refused unless what its comments say of values is true.
fn with_assertions(script: &str) -> String {
    let mut checked = String::new();
    for line in script.lines() {
        let claim = line.split_once("// = ").and_then(|(code, value)| {
            let variable = code.trim_start().strip_prefix('$')?.split([' ', '=']).next()?;
            Some((code, variable, value))
        });
        let _ = match claim {
            // Any statement that cannot be accepted would do.
            Some((code, variable, value)) => {
                writeln!(checked, "{code} if ${variable} != ({value}) {{ preserve(0, 0, 0); }}")
            }
            None => writeln!(checked, "{line}"),
        };
    }
    checked
}

/// The files of a page.
struct Folder<'a>(&'a Path);

impl Files for Folder<'_> {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.0.join(path))?.take(most + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let inside = |path: PathBuf| path.strip_prefix(self.0).map(Path::to_owned).unwrap_or(path);
        fs::read_dir(self.0.join(folder))?.map(|entry| entry.map(|entry| inside(entry.path()))).collect()
    }
}

/// What is wrong with a script, and the same in words.
fn evaluate(folder: &Path, name: &str, cluster: Option<&Path>) -> (Vec<Diagnostic>, String) {
    let base = cluster.map(|path| {
        let read = format::read_instance(read(path).as_bytes(), &format::ReadOptions::default());
        read.expect("the cluster of the page").instance
    });
    let program = Program::load(&[name.into()], &[], &Folder(folder));
    let found = match program.apply(base) {
        Ok(built) => built.warnings,
        Err(found) => found,
    };
    let said = script::render::human(program.report(), &found, false);
    (found, said)
}

/// The codes of errors, or of warnings, sorted.
fn codes(found: &[Diagnostic], severity: Severity) -> Vec<String> {
    let found = found.iter().filter(|diagnostic| diagnostic.severity == severity);
    let mut codes: Vec<String> = found.map(|diagnostic| diagnostic.code.to_owned()).collect();
    codes.sort();
    codes
}

/// The same without the times that were needed: `0.02 s`.
fn masked(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let mut out: Vec<&str> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let unit = words.get(at + 1).map(|next| next.trim_end_matches([',', ';', '.', ')']));
            let number = word.contains('.') && word.parse::<f64>().is_ok();
            out.push(if number && unit == Some("s") { "_" } else { word });
        }
        lines.push(out.join(" "));
    }
    lines.join("\n")
}

#[test]
fn every_block_of_the_book_is_true() {
    let mut faults = Vec::new();
    for name in pages() {
        let mut page = Page::new(&name);
        page.run();
        faults.append(&mut page.faults);
    }
    assert!(faults.is_empty(), "{} faults:\n\n{}", faults.len(), faults.join("\n\n"));
}

/// Compares a file with what it should be, or writes it.
fn expect(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    assert!(update(), "{} is out of date; UPDATE=1 cargo test --test it manual", path.display());
    fs::write(path, text).expect("the book can be written");
}

#[test]
fn the_page_of_codes_is_what_the_command_says() {
    let mut page = String::from(
        "# Codes\n\nWhat `quadrille doc` says of each code of a [diagnostic](diagnostics.md).\n",
    );
    for (code, _) in script::codes() {
        let _ = write!(page, "\n{}\n", script::explain(code).unwrap_or_default().trim_end());
    }
    expect(&book().join("language/codes.md"), &page);
}

#[test]
fn the_pages_of_constraints_are_those_of_the_command() {
    let folder = book().join("constraints");
    fs::create_dir_all(&folder).expect("a folder of the book");
    let mut names = BTreeSet::new();
    for signature in constraint::REGISTRY {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quadrille"));
        let output = command.args(["doc", signature.name]).output().expect("the command starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        expect(&folder.join(format!("{}.md", signature.name)), &text(&output.stdout));
        names.insert(format!("{}.md", signature.name));
    }
    for entry in fs::read_dir(&folder).expect("a folder of the book").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(names.contains(&name), "docs/src/constraints/{name} is about no constraint");
    }

    // Their list in the table of contents is below the page about all of them.
    let path = book().join("SUMMARY.md");
    let summary = read(&path);
    let is_one = |line: &&str| line.starts_with("  - [") && line.contains("](constraints/");
    let mut lines: Vec<String> = summary.lines().filter(|line| !is_one(line)).map(str::to_owned).collect();
    let above = lines.iter().position(|line| line.ends_with("](constraints.md)"));
    let above = above.expect("the table of contents has the page constraints.md");
    let entries =
        constraint::REGISTRY.iter().map(|signature| format!("  - [{0}](constraints/{0}.md)", signature.name));
    lines.splice(above + 1..above + 1, entries);
    expect(&path, &(lines.join("\n") + "\n"));

    let overview = read(&book().join("constraints.md"));
    for signature in constraint::REGISTRY {
        let link = format!("[`{0}`](constraints/{0}.md)", signature.name);
        assert!(overview.contains(&link), "docs/src/constraints.md does not say what {link} is for");
    }
}

/// The code between backquotes in a section of a manual page.
fn examples(page: &str, heading: &str) -> Vec<String> {
    let section = page.split_once(heading).map_or("", |(_, rest)| rest);
    let section = section.split("\n# ").next().unwrap_or_default().replace('\n', " ");
    section.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_examples_of_constraints_are_accepted() {
    let mut page = Page::new("examples-of-constraints");
    let mut faults = Vec::new();
    for signature in constraint::REGISTRY {
        let text = constraint::manual_page(signature);
        let scripts: Vec<String> = examples(&text, "\n# In the language\n");
        let scripts: Vec<&String> = scripts.iter().filter(|example| !example.contains('…')).collect();
        assert!(!scripts.is_empty(), "`{}` shows no example in the language", signature.name);
        for example in scripts {
            let script = format!(
                "resource cpu, mem;\n@n[1..4] : server<cpu=8, mem=64> online;\n\
                 vm[1..4] : small<cpu=1, mem=1> running on @n1;\n{example}\n"
            );
            page.write("example.btrp", &script);
            let (found, said) = evaluate(&page.folder, "example.btrp", None);
            if !found.is_empty() {
                faults.push(format!("{example}\n{said}"));
            }
        }
        let nodes = r#"{"name": "n1"}, {"name": "n2"}, {"name": "n3"}, {"name": "n4"}"#;
        let vms = [1, 2, 3, 4].map(|n| format!(r#"{{"name": "vm{n}", "host": "n1"}}"#)).join(", ");
        for example in examples(&text, "\n# In JSON\n") {
            let instance = format!(
                r#"{{"schema": "quadrille/instance/1", "resources": [{{"name": "cpu"}}, {{"name": "mem"}}],
                 "nodes": [{nodes}], "vms": [{vms}], "constraints": [{example}]}}"#
            );
            page.write("example.json", &instance);
            let output = page.quadrille(&["convert", "example.json", "--format", "quadrille"]);
            if !output.status.success() {
                faults.push(format!("{example}: {}", self::text(&output.stderr)));
            }
        }
    }
    page.faults.append(&mut faults);
    assert!(page.faults.is_empty(), "{}", page.faults.join("\n"));
}

/// The targets of the links of a page, without those in listings.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        }
        if inside {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.extend(targets.map(str::to_owned));
    }
    links
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn links_lead_somewhere() {
    for name in pages() {
        let path = book().join(&name);
        for link in links(&read(&path)) {
            if link.starts_with("http") {
                continue;
            }
            let (file, fragment) = link.split_once('#').map_or((link.as_str(), None), |(f, a)| (f, Some(a)));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(target.is_file(), "docs/src/{name}: {link} leads nowhere");
            if let Some(fragment) = fragment {
                let page = read(&target);
                let headings = page.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
                let found = headings.map(anchor).any(|anchor| anchor == fragment);
                assert!(found, "docs/src/{name}: {link} has no such heading");
            }
        }
    }
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let listed: Vec<String> = links(&read(&book().join("SUMMARY.md")));
    for page in pages() {
        let count = listed.iter().filter(|link| **link == page).count();
        assert!(page == "SUMMARY.md" || count == 1, "docs/src/{page} is listed {count} times");
    }
}

#[test]
fn the_files_of_editors_are_sound() {
    let editors = root().join("editors");
    let grammar = read(&editors.join("quadrille.tmLanguage.json"));
    expect(&editors.join("vscode/syntaxes/quadrille.tmLanguage.json"), &grammar);
    let grammar: Value = serde_json::from_str(&grammar).expect("the grammar is JSON");
    let mut wanted = Vec::new();
    includes(&grammar, &mut wanted);
    for name in wanted {
        let known = name.strip_prefix('#').is_some_and(|name| grammar["repository"][name].is_object());
        assert!(known, "the grammar has no {name}");
    }
    for name in ["package.json", "language-configuration.json"] {
        let file = read(&editors.join("vscode").join(name));
        serde_json::from_str::<Value>(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let package: Value = serde_json::from_str(&read(&editors.join("vscode/package.json"))).expect("JSON");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(package["contributes"]["grammars"][0]["scopeName"], grammar["scopeName"]);
}

/// Every `include` of a grammar.
fn includes(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            found.extend(entries.get("include").and_then(Value::as_str).map(str::to_owned));
            entries.values().for_each(|value| includes(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| includes(value, found)),
        _ => {}
    }
}

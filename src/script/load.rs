//! Files: scripts, what they import, what they include.

use super::fault::Fault;
use super::include;
use super::include::Included;
use super::limits;
use super::report::Report;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Severity;
use quadrille_dsl::Span;
use quadrille_dsl::Statement;
use quadrille_dsl::Tree;
use quadrille_dsl::Word;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// Where scripts are read from: the disk, the open buffers of an editor, a table in a test.
///
/// The library itself reads no file.
pub trait Files {
    /// The content of a file, or its first `most + 1` bytes if it is longer.
    ///
    /// # Errors
    /// Where there is no such file, or it cannot be read.
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>>;

    /// The files of a folder, in any order: for `import a.*`.
    ///
    /// # Errors
    /// Where there is no such folder, or it cannot be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
}

/// Files in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Their contents by path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Memory {
    /// The same with one file more.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let bytes = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let length = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[..length].to_vec())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let inside = |path: &&PathBuf| path.parent() == Some(folder);
        let found: Vec<PathBuf> = self.files.keys().filter(inside).cloned().collect();
        if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
    }
}

/// An import, and what it stands for.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) span: Span,
    /// The namespace, or what stands before `.*`.
    pub(super) path: String,
    /// Indices of scripts, each with the namespace under which its symbols are known.
    pub(super) scripts: Vec<(usize, String)>,
    /// Was it not found, or a circle? Then nothing is known of what it would have given.
    pub(super) faulty: bool,
}

/// An included document.
#[derive(Debug)]
pub(super) struct Include {
    pub(super) name: Word,
    /// None where it could not be read, which has been said.
    pub(super) value: Option<Included>,
}

/// A script that was read.
#[derive(Debug)]
pub(super) struct Script {
    /// The index of its text.
    pub(super) file: u32,
    pub(super) namespace: String,
    /// Was the namespace written?
    pub(super) written: bool,
    pub(super) tree: Tree,
    pub(super) imports: Vec<Import>,
    pub(super) includes: Vec<Include>,
    /// Was there something that could not be read?
    pub(super) broken: bool,
}

/// Scripts that were read, with everything that they import.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) scripts: Vec<Script>,
    /// The scripts that were asked for.
    pub(super) roots: Vec<usize>,
    /// All scripts, each after those that it imports.
    pub(super) order: Vec<usize>,
    /// Where imports were looked for.
    pub(super) folders: Vec<PathBuf>,
    pub(super) report: Report,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads scripts and what they need.
pub(super) fn load(paths: &[PathBuf], folders: &[PathBuf], files: &dyn Files) -> Loaded {
    let mut loader = Loader {
        files,
        folders: folders.iter().map(|folder| normal(folder)).collect(),
        by_path: FxHashMap::default(),
        read: 0,
        out: Loaded::default(),
    };
    for path in paths {
        if let Some(root) = loader.script(&normal(path), None, None) {
            loader.out.roots.push(root);
            let folder = loader.home(root, &normal(path));
            if !loader.folders.contains(&folder) {
                loader.folders.push(folder);
            }
        }
    }
    // Scripts that are imported are appended on the way.
    let mut at = 0;
    while at < loader.out.scripts.len() {
        loader.imports(at);
        loader.includes(at);
        at += 1;
    }
    loader.order();
    loader.out.folders = loader.folders;
    loader.out
}

/// The path without `.` and, where possible, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

struct Loader<'f> {
    files: &'f dyn Files,
    folders: Vec<PathBuf>,
    by_path: FxHashMap<PathBuf, Option<usize>>,
    read: usize,
    out: Loaded,
}

/// The file could not be read: is that because there is none?
enum Unread {
    Missing,
    Said,
}

impl Loader<'_> {
    fn say(&mut self, file: u32, span: Span, fault: Box<Fault>) {
        self.out.diagnostics.push(fault.at(file, span));
    }

    /// Reads a text; `from` is the place that asks for it, none for the command itself.
    fn text(&mut self, path: &Path, most: u64, from: Option<(u32, Span)>) -> Result<String, Unread> {
        let name = path.display().to_string();
        let mut fail = |fault: Box<Fault>| {
            let (file, span) =
                from.unwrap_or_else(|| (self.out.report.add(&name, String::new()), Span::default()));
            self.out.diagnostics.push(fault.at(file, span));
            Err(Unread::Said)
        };
        if self.read >= limits::FILES {
            return fail(Fault::new("E0609", format!("more than {} files are read", limits::FILES)));
        }
        let bytes = match self.files.read(path, most) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && from.is_some() => {
                return Err(Unread::Missing);
            }
            Err(error) => return fail(Fault::new("E0502", format!("{name} cannot be read: {error}"))),
        };
        self.read += 1;
        if bytes.len() as u64 > most {
            let code = if most == limits::FILE_BYTES { "E0602" } else { "E0610" };
            return fail(Fault::new(code, format!("{name} is longer than {} MiB", most >> 20)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
                Some(rest) => rest.to_owned(),
                None => text,
            }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                fail(Fault::new("E0502", format!("{name} is not UTF-8: byte {at} is not part of it")))
            }
        }
    }

    /// Reads a script once; its index. `expected` is the namespace that an import names.
    fn script(&mut self, path: &Path, expected: Option<&str>, from: Option<(u32, Span)>) -> Option<usize> {
        if let Some(&known) = self.by_path.get(path) {
            return known;
        }
        let text = match self.text(path, limits::FILE_BYTES, from) {
            Ok(text) => text,
            // What is missing here may be in the next folder.
            Err(Unread::Missing) => return None,
            Err(Unread::Said) => {
                self.by_path.insert(path.to_owned(), None);
                return None;
            }
        };
        let (tree, found) = quadrille_dsl::parse(&text);
        let broken = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let file = self.out.report.add(&path.display().to_string(), text);
        for mut diagnostic in found {
            for label in &mut diagnostic.labels {
                label.file = file;
            }
            self.out.diagnostics.push(diagnostic);
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let written = tree.statements.iter().find_map(|statement| match &statement.value {
            Statement::Namespace(word) => Some(word.clone()),
            _ => None,
        });
        if let Some(word) = &written {
            let local = word.value.rsplit('.').next().unwrap_or_default();
            if local != stem {
                let message = format!("the script `{}` stands in a file of another name", word.value);
                let fault = Fault::new("E0504", message)
                    .help(format!("call the file `{local}.btrp`, or the namespace `{stem}`"));
                self.say(file, word.span, fault);
            }
        }
        let namespace = written.as_ref().map(|word| word.value.clone());
        let namespace = namespace.or_else(|| expected.map(str::to_owned)).unwrap_or(stem);
        let index = self.out.scripts.len();
        self.out.scripts.push(Script {
            file,
            namespace,
            written: written.is_some(),
            tree,
            imports: Vec::new(),
            includes: Vec::new(),
            broken,
        });
        self.by_path.insert(path.to_owned(), Some(index));
        Some(index)
    }

    /// The folder in which `import` looks for the neighbours of a script.
    fn home(&self, script: usize, path: &Path) -> PathBuf {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let Some(script) = self.out.scripts.get(script).filter(|script| script.written) else {
            return folder;
        };
        // `a.b.c` in `x/a/b/c.btrp`: `x`.
        let mut home = folder.clone();
        for package in script.namespace.rsplit('.').skip(1) {
            if home.file_name().is_none_or(|name| name != package) {
                return folder;
            }
            home.pop();
        }
        home
    }

    fn imports(&mut self, index: usize) {
        let file = self.out.scripts[index].file;
        let wanted: Vec<(Span, Word, bool)> = self.out.scripts[index]
            .tree
            .statements
            .iter()
            .filter_map(|statement| match &statement.value {
                Statement::Import { path, all } => Some((statement.span, path.clone(), *all)),
                _ => None,
            })
            .collect();
        for (span, path, all) in wanted {
            let before = self.out.diagnostics.len();
            let scripts = if all { self.folder(index, &path) } else { self.single(file, &path) };
            for (script, expected) in &scripts {
                let script = &self.out.scripts[*script];
                if script.written && script.namespace != *expected {
                    let message = format!("`{expected}` calls itself `{}`", script.namespace);
                    self.say(file, path.span, Fault::new("E0504", message));
                }
            }
            if scripts.is_empty() && self.out.diagnostics.len() == before {
                let what = if all { format!("{}.*", path.value) } else { path.value.clone() };
                let folders: Vec<String> =
                    self.folders.iter().map(|folder| format!("`{}`", shown(folder))).collect();
                let fault = Fault::new("E0501", format!("`{what}` is not found"))
                    .help(format!("it was looked for in {}", folders.join(", ")));
                self.say(file, path.span, fault);
            }
            let faulty = scripts.is_empty();
            self.out.scripts[index].imports.push(Import { span, path: path.value, scripts, faulty });
        }
    }

    fn single(&mut self, file: u32, path: &Word) -> Vec<(usize, String)> {
        let relative: PathBuf = path.value.split('.').collect();
        for folder in self.folders.clone() {
            let candidate = folder.join(&relative).with_added_extension("btrp");
            let before = self.out.diagnostics.len();
            if let Some(found) = self.script(&candidate, Some(&path.value), Some((file, path.span))) {
                return vec![(found, path.value.clone())];
            }
            if self.out.diagnostics.len() > before {
                break;
            }
        }
        Vec::new()
    }

    fn folder(&mut self, from: usize, path: &Word) -> Vec<(usize, String)> {
        let file = self.out.scripts[from].file;
        let relative: PathBuf = path.value.split('.').collect();
        for folder in self.folders.clone() {
            let Ok(mut found) = self.files.list(&folder.join(&relative)) else { continue };
            found.retain(|path| path.extension().is_some_and(|extension| extension == "btrp"));
            found.sort();
            let mut scripts = Vec::new();
            for found in found {
                let stem =
                    found.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                let namespace = format!("{}.{stem}", path.value);
                let script = self.script(&normal(&found), Some(&namespace), Some((file, path.span)));
                // A script of that folder means the others.
                scripts.extend(script.filter(|&script| script != from).map(|script| (script, namespace)));
                if self.read >= limits::FILES {
                    break;
                }
            }
            if !scripts.is_empty() {
                return scripts;
            }
        }
        Vec::new()
    }

    fn includes(&mut self, index: usize) {
        let file = self.out.scripts[index].file;
        let wanted: Vec<(Word, Word)> = self.out.scripts[index]
            .tree
            .statements
            .iter()
            .filter_map(|statement| match &statement.value {
                Statement::Include { file, name } => Some((file.clone(), name.clone())),
                _ => None,
            })
            .collect();
        let own = self.out.report.name(file).map(PathBuf::from).unwrap_or_default();
        for (path, name) in wanted {
            let beside = own.parent().unwrap_or(Path::new("")).to_owned();
            let folders: Vec<PathBuf> = std::iter::once(beside).chain(self.folders.iter().cloned()).collect();
            let mut text = Err(Unread::Missing);
            for folder in folders {
                let candidate = normal(&folder.join(&path.value));
                text = self.text(&candidate, limits::INCLUDE_BYTES, Some((file, path.span)));
                if !matches!(text, Err(Unread::Missing)) {
                    break;
                }
            }
            let value = match text {
                Ok(text) => match include::read(&text) {
                    Ok(value) => Some(value),
                    Err(message) => {
                        let message = format!("`{}` is of no use: {message}", path.value);
                        self.say(file, path.span, Fault::new("E0506", message));
                        None
                    }
                },
                Err(Unread::Missing) => {
                    let fault = Fault::new("E0501", format!("`{}` is not found", path.value));
                    self.say(file, path.span, fault);
                    None
                }
                Err(Unread::Said) => None,
            };
            self.out.scripts[index].includes.push(Include { name, value });
        }
    }

    /// Puts scripts after what they import; an import that closes a circle is an error.
    fn order(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let count = self.out.scripts.len();
        let mut states = vec![State::New; count];
        let mut circles = Vec::new();
        for start in 0..count {
            if states[start] != State::New {
                continue;
            }
            // A script, and the position of its next import and of the next script in that.
            let mut path: Vec<(usize, usize, usize)> = vec![(start, 0, 0)];
            states[start] = State::Open;
            while let Some((script, import, within)) = path.last_mut() {
                let imports = &self.out.scripts[*script].imports;
                let Some(edge) = imports.get(*import) else {
                    states[*script] = State::Done;
                    self.out.order.push(*script);
                    path.pop();
                    continue;
                };
                let Some(&(next, _)) = edge.scripts.get(*within) else {
                    (*import, *within) = (*import + 1, 0);
                    continue;
                };
                let (from, at) = (*script, *import);
                *within += 1;
                match states[next] {
                    State::Done => {}
                    State::New => {
                        states[next] = State::Open;
                        path.push((next, 0, 0));
                    }
                    State::Open => {
                        let first = path.iter().position(|step| step.0 == next).unwrap_or(0);
                        let names: Vec<usize> = path[first..].iter().map(|step| step.0).collect();
                        circles.push((from, at, next, names));
                    }
                }
            }
        }
        for (from, at, next, names) in circles {
            let mut text = String::new();
            for &script in &names {
                text.push_str(&self.out.scripts[script].namespace);
                text.push_str(" -> ");
            }
            text.push_str(&self.out.scripts[next].namespace);
            let script = &mut self.out.scripts[from];
            let file = script.file;
            let Some(import) = script.imports.get_mut(at) else { continue };
            import.scripts.retain(|(script, _)| *script != next);
            import.faulty = true;
            let span = import.span;
            self.say(file, span, Fault::new("E0503", format!("scripts import each other: {text}")));
        }
    }
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() }
}

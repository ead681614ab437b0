//! Evaluation beside the conversation: a thread that reads and evaluates scripts as they
//! stand in the buffers, the last wish for each first.

use super::super::script::Disk;
use super::server::Event;
use quadrille::Instance;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::script::Files;
use quadrille::script::Inspection;
use quadrille::script::Program;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;

/// The texts of the open documents, by path.
pub(super) type Texts = Arc<BTreeMap<PathBuf, Arc<str>>>;

/// Open buffers before the disk.
struct Buffers<'t> {
    texts: &'t BTreeMap<PathBuf, Arc<str>>,
}

impl Files for Buffers<'_> {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let Some(text) = self.texts.get(path) else { return Disk.read(path, most) };
        let length = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX).min(text.len());
        let mut bytes = text.as_bytes().get(..length).unwrap_or_default().to_vec();
        // The reader drops a byte order mark; blanks keep all places where they are.
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.iter_mut().take('\u{feff}'.len_utf8()).for_each(|byte| *byte = b' ');
        }
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found: Vec<PathBuf> =
            self.texts.keys().filter(|path| path.parent() == Some(folder)).cloned().collect();
        match Disk.list(folder) {
            Ok(paths) => found.extend(paths),
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => {}
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Job {
    /// Read the cluster that rules are evaluated on.
    Cluster(PathBuf),
    /// Evaluate a script.
    Script { root: PathBuf, stamp: u64, texts: Texts, folders: Arc<[PathBuf]> },
}

/// A script that was evaluated.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) root: PathBuf,
    /// Which wish it answers.
    pub(super) stamp: u64,
    pub(super) program: Program,
    pub(super) inspection: Inspection,
    /// Was there a cluster to evaluate it on?
    pub(super) has_cluster: bool,
    texts: Texts,
}

impl Analysis {
    /// The text of a file of the report as the editor sees it.
    pub(super) fn text(&self, file: u32) -> Option<&str> {
        let report = self.program.report();
        let open = report.name(file).and_then(|name| self.texts.get(Path::new(name)));
        open.map(|text| &**text).or_else(|| report.text(file))
    }

    /// The path of a file of the report.
    pub(super) fn path(&self, file: u32) -> Option<&Path> {
        self.program.report().name(file).map(Path::new)
    }

    /// Did it read a file?
    pub(super) fn has_read(&self, path: &Path) -> bool {
        (0..self.program.report().len() as u32).any(|file| self.path(file) == Some(path))
    }
}

/// Works until nobody gives it work any more.
pub(super) fn work(jobs: &Receiver<Job>, events: &Sender<Event>) {
    let mut cluster: Option<Instance> = None;
    let mut waiting: Vec<Job> = Vec::new();
    loop {
        if waiting.is_empty() {
            match jobs.recv() {
                Ok(job) => waiting.push(job),
                Err(_) => return,
            }
        }
        while let Ok(job) = jobs.try_recv() {
            // A later text of a script makes an earlier one pointless.
            if let Job::Script { root: new, .. } = &job {
                waiting.retain(|old| !matches!(old, Job::Script { root, .. } if root == new));
            }
            waiting.push(job);
        }
        match waiting.remove(0) {
            Job::Cluster(path) => match read(&path) {
                Ok(instance) => cluster = Some(instance),
                Err(message) => {
                    let message = format!("{}: {message}", path.display());
                    if events.send(Event::Trouble(message)).is_err() {
                        return;
                    }
                }
            },
            Job::Script { root, stamp, texts, folders } => {
                let program =
                    Program::load(std::slice::from_ref(&root), &folders, &Buffers { texts: &texts });
                let inspection = program.inspect(cluster.clone());
                let has_cluster = cluster.is_some();
                let analysis = Analysis { root, stamp, program, inspection, has_cluster, texts };
                if events.send(Event::Analysed(Arc::new(analysis))).is_err() {
                    return;
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<Instance, String> {
    let bytes = Disk.read(path, format::LONGEST_TEXT).map_err(|error| error.to_string())?;
    let bytes = format::inflate(bytes, format::LONGEST_TEXT).map_err(|error| error.to_string())?;
    let read = format::read_instance(&bytes, &ReadOptions { lenient: true });
    read.map(|read| read.instance).map_err(|error| error.to_string())
}

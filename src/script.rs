//! Rule files: scripts that declare VMs and nodes and state constraints.
//!
//! [`Program::load`] reads scripts and what they import, through [`Files`], so that
//! open buffers of an editor can be read as well as a disk. [`Program::apply`] evaluates
//! them: on their own, where they declare a whole cluster, or on top of one that was
//! loaded. What is wrong is told by [`Diagnostic`]s, all mistakes of all files at once;
//! the [`Report`] holds the texts that they point into.
//!
//! ```
//! use quadrille::script::{Memory, Program};
//!
//! let files = Memory::default().with(
//!     "web.btrp",
//!     r#"
//!     resource cpu;
//!     @n[1..2] : node<cpu=4> online;
//!     VM[1..2] : small<cpu=2> running on @n1;
//!     spread(VM[1..2]);
//!     "#,
//! );
//! let program = Program::load(&["web.btrp".into()], &[], &files);
//! let built = program.apply(None).expect("nothing is wrong with it");
//! assert_eq!(built.instance.vm_count(), 2);
//! assert_eq!(built.instance.constraints().len(), 1);
//! ```

mod assign;
mod codes;
mod conflict;
mod declare;
mod evaluate;
mod expression;
mod fault;
mod include;
mod limits;
mod lint;
mod load;
mod log;
mod lost;
mod lower;
mod network;
mod operate;
pub mod render;
mod report;
mod scope;
mod select;
mod symbol;
mod trace;
mod value;
mod world;
mod write;

pub use codes::codes;
pub use codes::explain;
pub use conflict::clash;
pub use conflict::origin;
pub use evaluate::Place;
pub use lint::lint;
pub use load::Files;
pub use load::Memory;
pub use quadrille_dsl::Diagnostic;
pub use quadrille_dsl::Severity;
pub use report::Report;
pub use trace::Inspection;
pub use trace::Script;
pub use trace::Seen;
pub use trace::usage;
pub use write::write;

use crate::model::Instance;
use load::Loaded;
use std::fmt::Write as _;
use std::path::PathBuf;
use world::World;

/// Scripts that were read, with everything that they import and include.
#[derive(Debug)]
pub struct Program {
    loaded: Loaded,
}

/// An instance that scripts have made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The instance.
    pub instance: Instance,
    /// What is probably not meant so.
    pub warnings: Vec<Diagnostic>,
    /// Where the last constraints of the instance were stated: one place for each that
    /// the scripts added.
    pub places: Vec<Place>,
}

impl Program {
    /// Reads scripts. `import a.b` is looked for as `a/b.btrp` in the folders, then beside
    /// the scripts themselves. Never fails: what is wrong is told by [`Program::apply`].
    pub fn load(paths: &[PathBuf], folders: &[PathBuf], files: &dyn Files) -> Self {
        Self { loaded: load::load(paths, folders, files) }
    }

    /// Where imports are looked for: the folders that were given, then those of the scripts.
    pub fn folders(&self) -> &[PathBuf] {
        &self.loaded.folders
    }

    /// The texts that were read, for rendering diagnostics.
    pub fn report(&self) -> &Report {
        &self.loaded.report
    }

    /// Evaluates the scripts, in the order in which they were given. With a base, what
    /// they state is added to it; without one, the instance is what they declare.
    ///
    /// # Errors
    /// All errors of all files, and the warnings among them, by file and place.
    pub fn apply(&self, base: Option<Instance>) -> Result<Built, Vec<Diagnostic>> {
        let outcome = evaluate::evaluate(&self.loaded, World::new(base), None);
        let failed = outcome.log.errors() > 0;
        let found = outcome.log.finish();
        if failed {
            return Err(found);
        }
        let mut instance = outcome.world.finish();
        instance.constraints.extend(outcome.constraints);
        if let Some(objective) = outcome.objective {
            instance.objective = objective;
        }
        Ok(Built { instance, warnings: found, places: outcome.places })
    }

    /// Which script imports which: one line a script, indented below who imports it.
    /// What a script imports is shown where it is first met.
    pub fn dependencies(&self) -> String {
        let mut text = String::new();
        let mut shown = vec![false; self.loaded.scripts.len()];
        let mut open: Vec<(usize, usize)> = self.loaded.roots.iter().rev().map(|&root| (root, 0)).collect();
        while let Some((index, depth)) = open.pop() {
            let Some(script) = self.loaded.scripts.get(index) else { continue };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{:width$}{}", "", script.namespace, width = 2 * depth);
            if let Some(shown) = shown.get_mut(index)
                && !std::mem::replace(shown, true)
            {
                let imports = script.imports.iter().flat_map(|import| &import.scripts);
                let imports: Vec<usize> = imports.map(|(script, _)| *script).collect();
                open.extend(imports.into_iter().rev().map(|script| (script, depth + 1)));
            }
        }
        text
    }
}

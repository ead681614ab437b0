//! Where results go: standard output, or a file, compressed where its name says so.

use super::Failure;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

/// Is this a path for standard input or output?
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses a file that could not be written later, before hours of work are lost.
pub(super) fn probe(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| !is_standard(path)) else { return Ok(()) };
    let fail = |why: &str| Err(Failure::input(format!("{}: {why}", path.display())));
    if path.is_dir() {
        return fail("is a directory; expected a file to write");
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            fail("cannot be written: there is no such directory")
        }
        _ => Ok(()),
    }
}

/// What the name of a file ends in, in small letters, `.gz` left out; empty where there is none.
pub(super) fn ending(path: Option<&Path>) -> String {
    let name = path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map(|(_, ending)| ending.to_owned()).unwrap_or_default()
}

/// Writes a text as [`write`] does.
pub(super) fn text(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    write(path, |out| out.write_all(text.as_bytes()))
}

/// Writes the result to `path`, or to standard output. Reports a failed write, save that
/// a reader who has seen enough of standard output (a closed pipe) is no failure.
pub(super) fn write(
    path: Option<&Path>,
    result: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| !is_standard(path)) else {
        let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        return match result(&mut stdout).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::input(format!("standard output: {error}")))
            }
            _ => Ok(()),
        };
    };
    let fail = |error: io::Error| Failure::input(format!("{}: cannot be written: {error}", path.display()));
    let file = File::create(path).map_err(fail)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        let encoder = GzEncoder::new(file, Compression::fast());
        let mut buffer = BufWriter::with_capacity(1 << 16, encoder);
        result(&mut buffer).map_err(fail)?;
        let encoder = buffer.into_inner().map_err(|error| fail(error.into_error()))?;
        encoder.finish().map_err(fail)?;
    } else {
        let mut buffer = BufWriter::with_capacity(1 << 16, file);
        result(&mut buffer).and_then(|()| buffer.flush()).map_err(fail)?;
    }
    Ok(())
}

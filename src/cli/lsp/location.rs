//! Addresses of documents, as editors write them, and paths.

use lsp_types::Uri;
use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;

/// The path of a document; for one that is no file, its address as if it were a path.
pub(super) fn path(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return PathBuf::from(text) };
    // `file://host/path`: the host says nothing to us.
    let plain = decoded(rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default()));
    let drive = plain.as_bytes();
    if drive.len() > 2 && drive[1].is_ascii_alphabetic() && drive[2] == b':' {
        return PathBuf::from(&plain[1..]);
    }
    PathBuf::from(plain)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address of a file.
pub(super) fn uri(path: &Path) -> Option<Uri> {
    let text = path.to_string_lossy();
    if let Some((scheme, _)) = text.split_once(':')
        && scheme.len() > 1
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Uri::from_str(&text).ok();
    }
    let mut address = String::from("file://");
    if !text.starts_with('/') {
        address.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'\\' => address.push('/'),
            b'/' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    Uri::from_str(&address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths() {
        for (address, expected) in [
            ("file:///home/a%20b/%C3%A4.btrp", "/home/a b/ä.btrp"),
            ("file:///c%3A/rules/x.btrp", "c:/rules/x.btrp"),
            ("file:///%zz%4", "/%zz%4"),
            ("untitled:Untitled-1", "untitled:Untitled-1"),
        ] {
            if let Ok(uri) = Uri::from_str(address) {
                assert_eq!(path(&uri), PathBuf::from(expected));
            }
        }
        let there = uri(Path::new("/home/a b/ä+.btrp")).expect("an address");
        assert_eq!(there.as_str(), "file:///home/a%20b/%C3%A4%2B.btrp");
        assert_eq!(path(&there), PathBuf::from("/home/a b/ä+.btrp"));
    }
}

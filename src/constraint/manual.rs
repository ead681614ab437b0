//! The manual page of a constraint: the `//!` lines of its file.

use super::Signature;

/// The manual page, in Markdown.
pub fn manual_page(signature: &Signature) -> String {
    let mut page = String::new();
    for line in signature.source.lines() {
        let Some(text) = line.strip_prefix("//!") else { break };
        page.push_str(text.strip_prefix(' ').unwrap_or(text));
        page.push('\n');
    }
    page
}

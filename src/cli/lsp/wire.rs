//! Messages on standard input: a header with a length, and JSON.

use lsp_server::Message;
use std::io;
use std::io::BufRead;
use std::io::Read;

/// The longest message in bytes: more than the longest rule file with every character escaped.
const LONGEST: u64 = 128 << 20;
/// The longest line of a header.
const LONGEST_HEADER: u64 = 4096;

/// What comes from the editor.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    /// A message that is no JSON; reading can go on behind it.
    Garbled(String),
    /// JSON, but no message of the protocol.
    Invalid(String),
}

/// Reads one message; none at the end. An error means that nothing more can be understood.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let mut length = None;
    let mut begun = false;
    loop {
        let mut line = Vec::new();
        input.take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return if begun { Err(broken("the input ends within a header")) } else { Ok(None) };
        }
        begun = true;
        if line.last() != Some(&b'\n') {
            return Err(broken("a line of a header is too long, or the input ends in it"));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let Some(length) = length else { return Err(broken("a header says no length")) };
    if length > LONGEST {
        return Err(broken("a message is too long"));
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(broken("the input ends within a message"));
    }
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(error) if error.is_syntax() || error.is_eof() => Incoming::Garbled(error.to_string()),
        Err(error) => Incoming::Invalid(error.to_string()),
    }))
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_does_not_stop_the_next_one() {
        let good = r#"{"jsonrpc":"2.0","id":1,"method":"shutdown"}"#;
        let mut text = String::new();
        for body in ["{", "[1]", good] {
            text.push_str(&format!("Content-Type: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
        }
        let mut input = text.as_bytes();
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Garbled(_)))));
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Invalid(_)))));
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Message(Message::Request(_))))));
        assert!(matches!(read(&mut input), Ok(None)));
    }

    #[test]
    fn headers_that_lie_are_refused() {
        for text in [
            "Content-Length: 99999999999999\r\n\r\n",
            "Content-Length: 5\r\n\r\n{}",
            "X: 1\r\n\r\n",
            "Content-Le",
        ] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text}");
        }
        let long = "x".repeat(10_000);
        assert!(read(&mut long.as_bytes()).is_err());
    }
}

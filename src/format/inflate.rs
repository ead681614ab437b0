//! Gzip.

use super::FormatError;
use flate2::bufread::MultiGzDecoder;
use std::io::Read;

/// The bytes of a document that may be compressed by gzip, which its first two bytes
/// tell; several members one after the other are one document.
///
/// # Errors
/// When the compressed data is cut off or damaged, or when more than `limit` bytes
/// come out: memory stays below that, whatever the data claims.
pub fn inflate(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, FormatError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        if bytes.len() as u64 > limit {
            return Err(too_long(limit));
        }
        return Ok(bytes);
    }
    // The last four bytes say how long the last member is, which is a hint and no more:
    // deflate makes at most 1032 bytes of one.
    let hint = match bytes.last_chunk::<4>() {
        Some(size) => u64::from(u32::from_le_bytes(*size)).min(bytes.len() as u64 * 1032).min(limit),
        None => 0,
    };
    let mut inflated = Vec::with_capacity(hint as usize + 1);
    let mut decoder = MultiGzDecoder::new(bytes.as_slice()).take(limit.saturating_add(1));
    match decoder.read_to_end(&mut inflated) {
        Ok(_) if inflated.len() as u64 > limit => Err(too_long(limit)),
        Ok(_) => Ok(inflated),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(FormatError::whole(format!(
            "the gzip data is cut off: it ends after {} bytes of text, in the middle of a member",
            inflated.len()
        ))),
        Err(error) => Err(FormatError::whole(format!(
            "the gzip data is damaged after {} bytes of text: {error}",
            inflated.len()
        ))),
    }
}

fn too_long(limit: u64) -> FormatError {
    FormatError::whole(format!("the text is longer than {limit} bytes, the most that is read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("written to memory");
        encoder.finish().expect("written to memory")
    }

    #[test]
    fn what_is_not_gzip_passes() {
        assert_eq!(inflate(b"{}".to_vec(), 2), Ok(b"{}".to_vec()));
        assert_eq!(inflate(Vec::new(), 0), Ok(Vec::new()));
        assert!(inflate(b"{ }".to_vec(), 2).is_err());
    }

    #[test]
    fn members_are_joined() {
        let bytes = [gzip(b"{\"a\""), gzip(b": 1}")].concat();
        assert_eq!(inflate(bytes, 100), Ok(b"{\"a\": 1}".to_vec()));
    }

    #[test]
    fn damage_is_told() {
        let whole = gzip(&b"a text that is long enough to be cut".repeat(100));
        for cut in [2, 5, 12, whole.len() / 2, whole.len() - 1] {
            let error = inflate(whole[..cut].to_vec(), 1 << 20).expect_err("it is cut off");
            assert!(error.message.contains("cut off"), "{error}");
        }
        let mut bad = whole.clone();
        let at = bad.len() - 6;
        bad[at] ^= 0xff;
        assert!(inflate(bad, 1 << 20).is_err());
        let mut tail = whole;
        tail.extend_from_slice(b"rubbish");
        assert!(inflate(tail, 1 << 20).is_err());
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let bomb = gzip(&vec![0; 50_000_000]);
        let error = inflate(bomb.clone(), 1_000_000).expect_err("it is too long");
        assert!(error.message.contains("1000000"), "{error}");
        // A length that the data does not keep costs nothing.
        let mut liar = gzip(b"{}");
        let at = liar.len() - 4;
        liar[at..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(inflate(liar, u64::MAX).is_err());
    }
}

//! Canonical bytes: what hashes are taken over.
//!
//! Every field is written with its length or in a fixed width, in a fixed order, behind a tag that names the format, so
//! that two different things never give the same bytes. These bytes are part of the ledger: changing them breaks every
//! chain that exists, so a new format gets a new tag.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Collects canonical bytes.
#[derive(Debug)]
pub struct Canon(Vec<u8>);

impl Canon {
    /// Starts with the tag of the format.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        let mut canon = Self(Vec::with_capacity(256));
        canon.text(tag);
        canon
    }

    /// Starts again in the same memory.
    pub fn restart(&mut self, tag: &str) {
        self.0.clear();
        self.text(tag);
    }

    /// A text: its length in bytes, then its bytes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Bytes: their number, then they.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// A text that may be absent; absent and empty differ.
    pub fn maybe_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.flag(true).text(text),
            None => self.flag(false),
        }
    }

    /// An integer of 64 bits.
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// An integer of 128 bits.
    pub fn wide(&mut self, value: i128) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// An integer that may be absent.
    pub fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.flag(true).int(value),
            None => self.flag(false),
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    /// How many of something follow.
    pub fn count(&mut self, count: usize) -> &mut Self {
        self.0.extend_from_slice(&(count as u64).to_be_bytes());
        self
    }

    /// SHA-256 over the bytes so far.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Sha256::digest(&self.0).into()
    }

    /// The bytes so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Base64 of RFC 4648, padded, as secrets and signatures of webhooks are written.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

/// Lower-case hexadecimal, as hashes are shown.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, written) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), written);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }
}

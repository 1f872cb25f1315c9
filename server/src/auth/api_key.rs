//! The form of API keys: `scrip_` + 8 public characters + `_` + 40 secret ones + 6 of checksum, all base 62.
//!
//! The public part names the key in lists and logs. The checksum lets a mistyped or invented key be refused without a
//! look-up, and lets secret scanners tell a real key from noise. Stored is only SHA-256 of the whole: a key has some 238
//! bits of chance, so a slow hash would add nothing but load.

use sha2::{Digest, Sha256};

const START: &str = "scrip_";
const PREFIX_LEN: usize = 8;
const SECRET_LEN: usize = 40;
const CHECKSUM_LEN: usize = 6;
const KEY_LEN: usize = START.len() + PREFIX_LEN + 1 + SECRET_LEN + CHECKSUM_LEN;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 62 that a byte reaches: bytes from here on are drawn again, so that no letter is likelier.
const FAIR_BELOW: u8 = 248;

/// A new key: shown once, then only its prefix and hash are known.
pub struct FreshKey {
    /// The whole key, for its owner.
    pub text: String,
    /// Its public part.
    pub prefix: String,
    /// What is stored of it.
    pub hash: [u8; 32],
}

impl FreshKey {
    /// Draws one.
    #[must_use]
    pub fn draw() -> Self {
        let prefix = random_text(PREFIX_LEN);
        let body = format!("{START}{prefix}_{}", random_text(SECRET_LEN));
        let text = format!("{body}{}", checksum(&body));
        Self { hash: hash(&text), prefix, text }
    }
}

/// What would be stored of `text`, if it has the form of a key and its checksum fits.
#[must_use]
pub fn hash_if_well_formed(text: &str) -> Option<[u8; 32]> {
    let rest = text.strip_prefix(START)?;
    let word = |b: u8| b.is_ascii_alphanumeric();
    let (prefix, secret) = rest.split_once('_')?;
    let formed = text.len() == KEY_LEN && prefix.len() == PREFIX_LEN && prefix.bytes().chain(secret.bytes()).all(word);
    // ASCII by now, so the cut is at a character.
    let (body, sum) = formed.then(|| text.split_at(KEY_LEN - CHECKSUM_LEN))?;
    (checksum(body) == sum).then(|| hash(text))
}

/// Text of `len` characters of the alphabet, each equally likely.
#[must_use]
pub fn random_text(len: usize) -> String {
    let mut text = String::with_capacity(len);
    while text.len() < len {
        let fair = store::random::bytes::<64>().into_iter().filter(|byte| *byte < FAIR_BELOW);
        text.extend(fair.take(len - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    text
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn checksum(body: &str) -> String {
    let mut number = hash(body).iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut letters = [0_u8; CHECKSUM_LEN];
    for letter in &mut letters {
        // A remainder of 62 fits any integer.
        *letter = ALPHABET[usize::try_from(number % 62).unwrap_or_default()];
        number /= 62;
    }
    letters.iter().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_key_is_well_formed_and_a_changed_one_is_not() {
        let key = FreshKey::draw();
        assert_eq!(key.text.len(), KEY_LEN);
        assert_eq!(hash_if_well_formed(&key.text), Some(key.hash));
        assert!(key.text.starts_with(&format!("scrip_{}_", key.prefix)));
        for position in START.len()..KEY_LEN {
            let mut changed = key.text.clone().into_bytes();
            changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(hash_if_well_formed(&changed), None, "at {position}");
        }
    }

    #[test]
    fn hostile_keys_are_refused_without_a_panic() {
        let long = format!("scrip_{}", "é".repeat(100));
        for text in ["", "scrip_", "scrip__", "scrip_abcdefgh_", &long, &"scrip_".repeat(1_000)] {
            assert_eq!(hash_if_well_formed(text), None, "{text}");
        }
    }
}

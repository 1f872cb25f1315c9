//! Codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds, which every app knows), and recovery codes.

use super::api_key::random_text;
use ledger::Timestamp;
use sha2::{Digest, Sha256};
use store::second_factor::RECOVERY_CODES;
use totp_rs::{Builder, Secret, Totp};

/// RFC 4226 §4 asks for 128 bits at least and recommends 160.
const SECRET_BYTES: usize = 20;
const STEP_S: u64 = 30;
/// A step back and one ahead: phones' clocks drift, and people type slowly.
const SKEW_STEPS: u16 = 1;
/// 16 letters of 62 are 95 bits: a fast hash of it cannot be guessed.
const CODE_LEN: usize = 16;
const GROUP: usize = 4;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A new secret, in base 32.
#[must_use]
pub fn new_secret() -> String {
    Secret::new(Box::new(store::random::bytes::<SECRET_BYTES>())).to_base32()
}

/// The step whose code `typed` is, within [`SKEW_STEPS`] of `now`.
#[must_use]
pub fn step_of(secret: &str, typed: &str, now: Timestamp) -> Option<i64> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let seconds = u64::try_from(now.micros() / MICROS_PER_SECOND).ok()?;
    let step = totp(secret)?.check(&code, seconds)?;
    i64::try_from(step).ok()
}

fn totp(secret: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret).ok()?;
    Builder::new().with_secret(secret).with_skew(SKEW_STEPS).with_step_duration(STEP_S).build().ok()
}

/// The code at an instant, as an app would show it.
#[must_use]
pub fn code_at(secret: &str, now: Timestamp) -> Option<String> {
    let seconds = u64::try_from(now.micros() / MICROS_PER_SECOND).ok()?;
    Some(totp(secret)?.generate(seconds).to_string())
}

/// New recovery codes, in groups that can be written down.
#[must_use]
pub fn recovery_codes() -> Vec<String> {
    let code = || {
        let letters: Vec<char> = random_text(CODE_LEN).chars().collect();
        letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// What is stored of a recovery code; `None` where `typed` has not the form of one. Hyphens and spaces do not matter.
#[must_use]
pub fn recovery_hash(typed: &str) -> Option<[u8; 32]> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let formed = code.len() == CODE_LEN && code.bytes().all(|b| b.is_ascii_alphanumeric());
    formed.then(|| Sha256::digest(code.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six digits of its eight.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let secret = Secret::new(Box::new(*b"12345678901234567890")).to_base32();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let now = Timestamp::from_micros(seconds * MICROS_PER_SECOND);
            assert_eq!(code_at(&secret, now).as_deref(), Some(code));
            assert_eq!(step_of(&secret, &format!(" {} {} ", &code[..3], &code[3..]), now), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_of_two_steps_ago_and_what_is_none_are_refused() {
        let secret = new_secret();
        let at = |seconds: i64| Timestamp::from_micros(seconds * MICROS_PER_SECOND);
        let code = code_at(&secret, at(1_795_262_400)).expect("a code");
        assert!(step_of(&secret, &code, at(1_795_262_400 + 30)).is_some());
        for later in [60, 90, -60] {
            let other = code_at(&secret, at(1_795_262_400 + later)).expect("a code");
            assert!(other == code || step_of(&secret, &other, at(1_795_262_400)).is_none());
        }
        for bad in ["", "12345", "1234567", "abcdef", "\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}\u{0666}"] {
            assert_eq!(step_of(&secret, bad, at(1_795_262_400)), None, "{bad}");
        }
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let codes = recovery_codes();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let hash = recovery_hash(&codes[0]).expect("a code");
        assert_eq!(recovery_hash(&format!(" {} ", codes[0].replace('-', " "))), Some(hash));
        assert_ne!(recovery_hash(&codes[1]), Some(hash));
        assert_eq!(recovery_hash("123456"), None);
    }
}

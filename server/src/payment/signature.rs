//! Signatures of messages: HMAC-SHA256 over the time of signing and the body, as `t=1795262400,v1=5257a8…`. Stripe's scheme, which the
//! sandbox uses too. A secret can be replaced while both are sent: any of several `v1` counts.

use super::Forged;
use ledger::Timestamp;
use ledger::canon::hex;
use sha2::{Digest, Sha256};

/// How old a signature may be, and how far ahead the signer's clock.
pub const TOLERANCE_S: i64 = 300;
/// Block of SHA-256 in bytes.
const BLOCK: usize = 64;

/// HMAC-SHA256 (RFC 2104).
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new_with_prefix(block.map(|byte| byte ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    let outer = Sha256::new_with_prefix(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// The header of a body that is signed now.
#[must_use]
pub fn sign(secret: &[u8], body: &[u8], now: Timestamp) -> String {
    let seconds = (now.micros() / 1_000_000).to_string();
    let mac = hmac_sha256(secret, &[seconds.as_bytes(), b".", body]);
    format!("t={seconds},v1={}", hex(&mac))
}

/// Checks a header against a body.
///
/// # Errors
/// [`Forged::Signature`], [`Forged::Stale`].
pub fn check(secret: &[u8], header: &str, body: &[u8], now: Timestamp) -> Result<(), Forged> {
    let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let seconds = pairs().find(|(name, _)| *name == "t").map(|(_, value)| value).ok_or(Forged::Signature)?;
    let expected = hex(&hmac_sha256(secret, &[seconds.as_bytes(), b".", body]));
    let mut given = pairs().filter(|(name, _)| *name == "v1");
    if !given.any(|(_, value)| same(value.as_bytes(), expected.as_bytes())) {
        return Err(Forged::Signature);
    }
    let at: i64 = seconds.parse().map_err(|_| Forged::Signature)?;
    let age = (now.micros() / 1_000_000).abs_diff(at);
    if age > TOLERANCE_S.unsigned_abs() { Err(Forged::Stale) } else { Ok(()) }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let mac = |key: &[u8], data: &[u8]| hex(&hmac_sha256(key, &[data]));
        assert_eq!(mac(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let data = b"what do ya want for nothing?";
        assert_eq!(mac(b"Jefe", data), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let data = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(mac(&[0xaa; 131], data), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn only_what_was_signed_a_short_while_ago_is_believed() {
        let header = sign(b"secret", b"body", NOW);
        let later = |seconds: i64| Timestamp::from_micros(NOW.micros() + seconds * 1_000_000);
        assert_eq!(check(b"secret", &header, b"body", NOW), Ok(()));
        assert_eq!(check(b"secret", &format!("{header},v1=00"), b"body", later(300)), Ok(()));
        assert_eq!(check(b"secret", &header, b"body", later(301)), Err(Forged::Stale));
        assert_eq!(check(b"secret", &header, b"body", later(-301)), Err(Forged::Stale));
        assert_eq!(check(b"other", &header, b"body", NOW), Err(Forged::Signature));
        assert_eq!(check(b"secret", &header, b"Body", NOW), Err(Forged::Signature));
        let moved = header.replace("t=1795262400", "t=1795262401");
        for header in ["", "t=1795262400", "v1=00", "t=x,v1=00", moved.as_str(), &header[..header.len() - 1]] {
            assert_eq!(check(b"secret", header, b"body", NOW), Err(Forged::Signature), "{header}");
        }
    }
}

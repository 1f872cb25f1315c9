//! Signatures of what is sent: Standard Webhooks 1.0. HMAC-SHA256 over id, time and body, each attempt with its own time, so that what
//! somebody recorded cannot be sent again later.

use crate::payment::signature::hmac_sha256;
use ledger::Timestamp;
use ledger::canon::base64;

/// What a secret begins with, as people copy it.
const PREFIX: &str = "whsec_";

/// A secret as people copy it: `whsec_…`.
#[must_use]
pub fn secret_text(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", base64(secret))
}

/// The headers of an attempt. Several secrets sign side by side, with a space between.
#[must_use]
pub fn headers(secrets: &[[u8; 32]], id: &str, at: Timestamp, body: &str) -> Vec<(&'static str, String)> {
    let seconds = (at.micros() / 1_000_000).to_string();
    let sign = |secret: &[u8; 32]| {
        let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", body.as_bytes()];
        format!("v1,{}", base64(&hmac_sha256(secret, &parts)))
    };
    let signature = secrets.iter().map(sign).collect::<Vec<_>>().join(" ");
    vec![("webhook-id", id.to_owned()), ("webhook-timestamp", seconds), ("webhook-signature", signature)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_signs_id_time_and_body() {
        let now = Timestamp::from_micros(1_795_262_400_000_000);
        let one = headers(&[[1; 32]], "msg_1", now, "{}");
        assert_eq!(one[1], ("webhook-timestamp", "1795262400".to_owned()));
        let both = headers(&[[2; 32], [1; 32]], "msg_1", now, "{}");
        let (two, first) = both[2].1.split_once(' ').expect("two signatures");
        assert!(first == one[2].1 && two != first && two.starts_with("v1,"), "{both:?}");
        let later = Timestamp::from_micros(now.micros() + 1_000_000);
        for other in [
            headers(&[[1; 32]], "msg_2", now, "{}"),
            headers(&[[1; 32]], "msg_1", later, "{}"),
            headers(&[[1; 32]], "msg_1", now, "{ }"),
        ] {
            assert_ne!(other[2], one[2]);
        }
        assert_eq!(secret_text(&[0; 32]), format!("whsec_{}=", "A".repeat(43)));
    }
}

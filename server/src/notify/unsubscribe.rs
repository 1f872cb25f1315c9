//! Links by which somebody asks for no more mails without signing in: whose mails is in the address, and a signature that only this
//! installation can make. All that such a link can do is to end mails.

use crate::payment::signature::{hmac_sha256, same};
use ledger::OrgId;
use ledger::canon::hex;
use store::UserId;

/// Where they lead.
pub const PATH: &str = "/unsubscribe";
/// How much of the signature is in the address: 128 bits.
const SIGN_BYTES: usize = 16;

/// The link of a member of an org.
#[must_use]
pub fn link(base_url: &str, key: &[u8; 32], org: OrgId, user: UserId) -> String {
    format!("{base_url}{PATH}?org={}&user={}&sign={}", org.0, user.0, sign(key, org, user))
}

/// Whether such a link was made by this installation.
#[must_use]
pub fn is_ours(key: &[u8; 32], org: OrgId, user: UserId, given: &str) -> bool {
    same(sign(key, org, user).as_bytes(), given.as_bytes())
}

fn sign(key: &[u8; 32], org: OrgId, user: UserId) -> String {
    let mac = hmac_sha256(key, &[format!("unsubscribe {} {}", org.0, user.0).as_bytes()]);
    hex(&mac[..SIGN_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_one_member_of_one_org() {
        let made = link("https://scrip.example.com", &[7; 32], OrgId(1), UserId(2));
        let (_, given) = made.split_once("sign=").expect("signed");
        assert!(made.starts_with("https://scrip.example.com/unsubscribe?org=1&user=2&sign=") && given.len() == 32);
        assert!(is_ours(&[7; 32], OrgId(1), UserId(2), given));
        for (key, org, user) in [([8; 32], 1, 2), ([7; 32], 2, 2), ([7; 32], 1, 1), ([7; 32], 12, 2)] {
            assert!(!is_ours(&key, OrgId(org), UserId(user), given));
        }
        assert!(!is_ours(&[7; 32], OrgId(1), UserId(2), "") && !is_ours(&[7; 32], OrgId(1), UserId(2), &given[1..]));
    }
}

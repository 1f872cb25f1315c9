//! What mails say, in the name that the product has there.

use super::mail::Mail;
use ledger::Role;

/// Asks somebody to join an org.
#[must_use]
pub fn invitation(to: &str, product: &str, org: &str, by: &str, role: Role, link: &str) -> Mail {
    let role = role.with_article();
    Mail {
        to: to.to_owned(),
        subject: format!("{by} invites you to {org} on {product}"),
        text: format!(
            "{by} asks you to join {org} on {product}, where you would be {role}.\n\nTo accept, open this link within 7 days. It works once:\n\n{link}\n\n\
             If you do not know them, do nothing: the link ends by itself.\n"
        ),
    }
}

/// Lets somebody set a new password.
#[must_use]
pub fn reset(to: &str, product: &str, link: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: format!("Set a new password for {product}"),
        text: format!(
            "Somebody asked for a new password for {to} on {product}.\n\nTo set one, open this link within an hour. It works once:\n\n{link}\n\n\
             If it was not you, do nothing: your password stays as it is.\n"
        ),
    }
}

/// Tells somebody that their password is another now.
#[must_use]
pub fn password_changed(to: &str, product: &str, how: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: format!("Your password for {product} was changed"),
        text: format!(
            "The password of {to} on {product} was {how}, and everybody who was signed in with the old one is signed out.\n\n\
             If it was not you, set a new one with \"Forgot password?\" on the sign-in page and tell whoever runs this server.\n"
        ),
    }
}

/// Tells somebody that their account can be entered by another passkey now.
#[must_use]
pub fn passkey_added(to: &str, name: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "A passkey was added to your account on Scrip".to_owned(),
        text: format!(
            "A passkey named \"{name}\" was added to the account of {to} on Scrip. Whoever has it can sign in as you.\n\n\
             If it was not you, remove it on the Security page, change your password and tell whoever runs your Scrip.\n"
        ),
    }
}

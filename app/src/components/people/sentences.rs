//! What came of a form about people, by the code in the page's address, so that nobody can make a page say something else.

use super::parts::Line;

/// The line for a code after `done=`.
pub(super) fn done(code: &str) -> Option<Line> {
    Some(Line::Done(match code {
        "invited" => "The invitation is on its way.",
        "revoked" => "The invitation is taken back: its link no longer works.",
        "role" => "The role is changed, from the next click on.",
        "removed" => "They are no member any more, from their next click on.",
        "password" => "Your password is changed. Everybody else who was signed in as you is signed out.",
        "totp_begun" => "One more step: add the key to your app, then type the code that it shows.",
        "totp_off" => "The second step is off. Your recovery codes no longer work.",
        "passkey_added" => "The passkey is added. From now on it signs you in, without email and password.",
        "passkey_renamed" => "The passkey is renamed.",
        "passkey_removed" => "The passkey is removed: it signs nobody in any more. Delete it on your device too.",
        "unlinked" => "That account no longer signs you in.",
        "reset" => "Your new password is set. Sign in with it.",
        "everywhere" => "You are signed out everywhere.",
        "left" => "You left the organization.",
        "session" => "That browser is signed out.",
        "session_gone" => "That browser was signed out already.",
        "others" => "Everywhere else you are signed out.",
        "sent" => {
            "If there is an account with this address, a mail with a link is on its way. It works for an hour. Nothing there? \
             Look in the spam folder, or ask whoever runs this server."
        }
        _ => return None,
    }))
}

/// The line for a code after `error=`.
pub(super) fn wrong(code: &str) -> Line {
    Line::Wrong(match code {
        "bad_email" => "This is no email address. Check it and try again.",
        "bad_role" => "Choose a role.",
        "invited_often" => {
            "This address was sent several invitations just now. Wait a quarter of an hour, or pass the last one on."
        }
        "is_member" => "They are a member already. Change their role in the list.",
        "too_many" => "There are too many open invitations. Take some back first.",
        "last_owner" => "An organization has an owner: make somebody else an owner first.",
        "owners_only" => "Only owners may make, change or remove owners: ask one of them.",
        "member_gone" => "They are no member any more.",
        "invitation_gone" => "This invitation was accepted or taken back meanwhile.",
        "password_wrong" => "This is not your present password. Check it and try again.",
        "password_throttled" => "Too many wrong passwords. Wait a quarter of an hour, then try again.",
        "passwords_differ" => "The two new passwords are not the same. Type them again.",
        "password_too_short" => "The password is too short: at least 10 characters. Four words do well.",
        "password_too_long" => "The password is too long: at most 128 characters.",
        "password_common" => "This password is among the first that are guessed. Choose another: four words do well.",
        "password_personal" => {
            "This password is made of your email, your organization or the product\u{2019}s name. Choose another."
        }
        "code" => "This code is not right, or was used before. Type the one that the app shows now.",
        "code_throttled" => "Too many wrong codes. Wait a quarter of an hour, then try again.",
        "throttled" => "Too many attempts. Wait a minute, then try again.",
        "code_late" => "That took too long. Sign in again.",
        "no_org" => "You belong to no organization any more. Ask whoever ran it to invite you again.",
        "credentials" => "This email and password do not belong together. Check both and try again.",
        "passkey" => "The passkey did not prove who you are. Try again, or sign in another way.",
        "passkey_late" => "That took too long, or was answered before. Try again.",
        "passkey_unknown" => {
            "This passkey belongs to no account here any more. Sign in another way, and delete it on your device."
        }
        "passkey_unverified" => {
            "The device did not check that it is you. Set up a PIN or a fingerprint on it, then try again."
        }
        "passkey_copied" => {
            "This passkey has signed in elsewhere since, so that it may have been copied. Sign in another way, remove it on the \
             Security page and add a new one."
        }
        "passkey_address" => "Passkeys are not available at this address.",
        "passkey_name" => "A passkey\u{2019}s name has up to 60 characters. Choose a shorter one.",
        "passkey_known" => "This passkey is there already.",
        "passkey_many" => "There are 20 passkeys: remove one first.",
        "passkey_gone" => "This passkey was removed meanwhile.",
        "oidc_down" => "The service you wanted to sign in with does not answer. Try again, or sign in another way.",
        "oidc_denied" => "You were not signed in there, or stopped it. Try again, or sign in another way.",
        "oidc_late" => "That took too long, or began in another browser. Begin again here.",
        "oidc_refused" => {
            "The service did not let this server sign you in. Try again; if it stays so, tell whoever runs this server."
        }
        "oidc_other" => "The service\u{2019}s answer is not meant for this server. Tell whoever runs it.",
        "oidc_nonce" => "The service\u{2019}s answer belongs to another sign-in. Begin again here.",
        "oidc_expired" => {
            "The service\u{2019}s answer is over already. Try again; if it stays so, a clock is wrong: tell whoever runs this server."
        }
        "oidc_signature" => "The service\u{2019}s answer is not signed by it. Tell whoever runs this server.",
        "oidc_unverified" => {
            "The service does not say that your email is verified. Verify it there, or sign in another way."
        }
        "oidc_domain" => {
            "Accounts with this email address may not sign in this way. Use another account, or sign in another way."
        }
        "oidc_unknown" => {
            "There is no account here with your email. Ask an owner or admin of your organization to invite you."
        }
        "oidc_linked" => {
            "Another account there signs you in already. Use that one, or sign in another way and turn it off on the Security page."
        }
        "oidc_not_invited" => {
            "The invitation is for another email address. Sign in there with the account that has it."
        }
        "totp_is_on" => "The second step is on already.",
        "totp_late" => "This key is no longer waiting for its code. Begin again.",
        "link_late" => "This link was used or is over. Ask for a new one.",
        "invitation_late" => "This link was used, taken back or is over. Ask for a new one.",
        "sign_in_first" => "Sign in as whoever was invited first.",
        "other_account" => "You are signed in as somebody else.",
        _ => "This was not taken. Check what is typed and send it again.",
    })
}

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
        "totp_is_on" => "The second step is on already.",
        "totp_late" => "This key is no longer waiting for its code. Begin again.",
        "link_late" => "This link was used or is over. Ask for a new one.",
        "invitation_late" => "This link was used, taken back or is over. Ask for a new one.",
        "sign_in_first" => "Sign in as whoever was invited first.",
        "other_account" => "You are signed in as somebody else.",
        _ => "This was not taken. Check what is typed and send it again.",
    })
}

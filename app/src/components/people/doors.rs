//! Pages before one is signed in: signing in, the second step, a forgotten password, an invitation.

use super::data::{Invited, Way};
use super::parts::{Field, Line, hidden, hint, label, paragraph, told};
use super::passkeys;
use crate::backend::people::WaysIn;
use crate::markup::Markup;
use crate::query;

const ERROR_ID: &str = "door-error";
const PASSWORD_RULE: &str = "At least 10 characters: four words do well.";

/// Email and password, and whatever else signs in here.
pub(super) fn sign_in(line: Option<&Line>, next: &str, ways: &WaysIn) -> Markup {
    let wrong = matches!(line, Some(Line::Wrong(_))).then_some(ERROR_ID);
    let email = Markup::new("input").attr("type", "email").attr("name", "email").attr("autocomplete", "username");
    let email = email.attr("required", "").attr("autofocus", "").maybe_attr("aria-describedby", wrong);
    let form = Markup::new("form").attr("method", "post").attr("action", "/sign-in");
    let form = form
        .child(hidden("next", next))
        .child(label("Email", email))
        .child(Field::password("Password", "password", "current-password").markup())
        .child(wide("Sign in"))
        .child(
            Markup::new("p")
                .child(quiet_link("/forgot-password", "Forgot password?"))
                .text(" \u{b7} ")
                .child(quiet_link("/help", "Help")),
        );
    let mut others = Vec::new();
    if ways.no_passkeys.is_none() {
        let ask = passkeys::form_of_script("enter", "other-way").child(passkeys::told_by_script());
        others.push(ask.child(hidden("next", next)).child(other("Sign in with a passkey")));
    }
    others.extend(ways.elsewhere.as_ref().map(|(name, _)| elsewhere(&format!("Sign in with {name}"), "next", next)));
    if ways.no_passkeys.is_none() {
        others.extend(passkeys::script());
    }
    let others = (!others.is_empty()).then(|| Markup::new("div").class("other-ways").children(others));
    let panel = Markup::new("div")
        .class("panel")
        .child(Markup::new("h1").text(&format!("Sign in to {}", crate::platform::product())));
    panel.children(told(line, ERROR_ID)).child(form).children(others)
}

fn other(text: &str) -> Markup {
    Markup::new("button").class("button wide").text(text)
}

/// A link to the service elsewhere. No form: a page may send its forms nowhere else, not even by a redirect.
fn elsewhere(text: &str, name: &'static str, value: &str) -> Markup {
    let mut query = String::new();
    query::push(&mut query, name, value);
    let link = Markup::new("a").class("button wide").attr("href", &format!("/sign-in/oidc?{query}"));
    link.attr("rel", "external").text(text)
}

/// The code that signs in.
pub(super) fn code(line: Option<&Line>, next: &str) -> Markup {
    let mut code = Field::code("Code of your app, or a recovery code");
    code.wrong = matches!(line, Some(Line::Wrong(_))).then_some(ERROR_ID);
    door("/sign-in/code", "Second step", line)
        .child(hidden("next", next))
        .child(code.markup())
        .child(wide("Sign in"))
        .child(Markup::new("p").child(quiet_link("/sign-in", "Sign in as somebody else")))
}

/// Asks for a link.
pub(super) fn forgot(line: Option<&Line>, mail: bool) -> Markup {
    if !mail {
        let text = "Mail is not set up on this server, so no link can be sent. Ask whoever runs it for a new password.";
        return closed("Forgot password", text);
    }
    let email = Field {
        label: "Email",
        name: "email",
        kind: "email",
        autocomplete: "username",
        value: String::new(),
        wrong: None,
    };
    door("/forgot-password", "Forgot password", line)
        .child(hint("You get a mail with a link that lets you set a new one."))
        .child(email.markup())
        .child(wide("Send link"))
        .child(Markup::new("p").child(quiet_link("/sign-in", "Back to sign in")))
}

/// Sets a new password, where the link is still good.
pub(super) fn reset(line: Option<&Line>, email: Option<&str>, token: &str) -> Markup {
    let Some(email) = email else {
        let text = "This link was used or is over: it works once, for an hour.";
        return closed("New password", text)
            .child(Markup::new("p").child(quiet_link("/forgot-password", "Ask for a new one")));
    };
    let door = door("/reset-password", "New password", line).child(hidden("token", token));
    door.children(new_password(email)).child(wide("Set password"))
}

/// Joins an org.
pub(super) fn invitation(line: Option<&Line>, invited: &Invited, token: &str, ways: &WaysIn) -> Markup {
    let Invited::Open { org, email, role, by, way } = invited else {
        let text = "This link was used, taken back or is over: it works once, for 7 days. Ask whoever invited you for a new one.";
        return closed("Invitation", text);
    };
    let asks = paragraph(&format!("{by} asks you to join {org}, where you would be {}.", role.with_article()));
    let door = || door("/invitation", &format!("Join {org}"), line).child(hidden("token", token)).child(asks.clone());
    let service = |words: &str| {
        let name = ways.elsewhere.as_ref().map(|(name, _)| name);
        name.map(|name| elsewhere(&format!("{words} with {name}"), "invitation", token))
    };
    match way {
        Way::Click => door().child(hint(&format!("You are signed in as {email}."))).child(wide("Join")),
        Way::New => {
            let form = door().children(new_password(email)).child(hint(PASSWORD_RULE));
            form.child(wide("Make an account and join")).children(service("Join"))
        }
        Way::SignIn => {
            let mut query = String::new();
            query::push(&mut query, "next", &format!("/invitation?token={token}"));
            let sign_in = Markup::new("a").class("button primary wide").attr("href", &format!("/sign-in?{query}"));
            let sign_in = sign_in.attr("rel", "external").text("Sign in to join");
            closed(&format!("Join {org}"), &format!("There is an account for {email}."))
                .child(asks)
                .child(sign_in)
                .children(service("Join"))
        }
        Way::Other(other) => {
            let text = format!(
                "The invitation is for {email}, and you are signed in as {other}. Sign out, then open the link again."
            );
            let out = Markup::new("form").attr("method", "post").attr("action", "/sign-out").child(wide("Sign out"));
            closed(&format!("Join {org}"), &text).child(out)
        }
    }
}

/// An email that is fixed, for password managers too, and the new password twice.
fn new_password(email: &str) -> Vec<Markup> {
    let input = Markup::new("input").attr("name", "username").attr("autocomplete", "username").attr("readonly", "");
    vec![
        label("Email", input.attr("value", email)),
        Field::password("New password", "password", "new-password").markup(),
        Field::password("New password again", "again", "new-password").markup(),
    ]
}

/// A form in the middle of the page.
fn door(action: &str, title: &str, line: Option<&Line>) -> Markup {
    let form = Markup::new("form").class("panel").attr("method", "post").attr("action", action);
    form.child(Markup::new("h1").text(title)).children(told(line, ERROR_ID))
}

/// The same where there is nothing to fill in.
fn closed(title: &str, text: &str) -> Markup {
    Markup::new("div").class("panel").child(Markup::new("h1").text(title)).child(paragraph(text))
}

fn wide(text: &str) -> Markup {
    Markup::new("button").class("button primary wide").text(text)
}

fn quiet_link(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

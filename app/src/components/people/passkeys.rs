//! Passkeys on the Security page. Adding one needs the script that talks to the device (`public/passkeys.js`): it shows what is
//! hidden here, and hides what is said to those who have no script.

use super::data::{PasskeyLine, Passkeys};
use super::parts::{Field, behind, button, form, hidden, hint, label, panel, paragraph, primary};
use crate::markup::{Markup, cell, row, time};
use leptos::nonce::use_nonce;

const PAGE: &str = "/settings/security";
/// Longest name of a passkey.
const MAX_NAME: &str = "60";

/// The panel.
pub(super) fn panel_of(passkeys: &Passkeys) -> Markup {
    let panel = panel("passkeys", "Passkeys").child(paragraph(
        "A passkey signs you in with your fingerprint, face or PIN: no email, no password, no code. It cannot be guessed, and \
         works on no other site.",
    ));
    let panel = panel.children(list(&passkeys.lines));
    match passkeys.none {
        Some(why) => panel.child(hint(why)),
        None => panel.children(adding(passkeys.fresh)),
    }
}

fn list(lines: &[PasskeyLine]) -> Option<Markup> {
    let heads = ["Name", "Added", "Last used", "Change"];
    let rows = lines.iter().map(line);
    (!lines.is_empty()).then(|| crate::markup::table("table-scroll in-panel", "Passkeys", &heads, rows, None))
}

fn line(line: &PasskeyLine) -> Markup {
    let id = line.id.to_string();
    let which = || Markup::new("span").class("visually-hidden").text(&format!(" {}", line.name));
    let name = Markup::new("input").attr("name", "name").attr("maxlength", MAX_NAME).attr("required", "");
    let rename = form(PAGE, "passkey_rename")
        .child(hidden("passkey", &id))
        .child(label("Name", name.attr("value", &line.name)))
        .child(button("Rename").child(which()));
    let remove = form(PAGE, "passkey_remove")
        .child(hidden("passkey", &id))
        .child(hint("It signs nobody in any more."))
        .child(button("Remove").child(which()));
    let change = Markup::new("div").class("people-change");
    let change = change.child(behind("Rename…", [rename])).child(behind("Remove…", [remove]));
    let used = line.used.as_ref().map_or_else(|| cell("Never"), |used| Markup::new("td").child(time(used)));
    let added = Markup::new("td").child(time(&line.added));
    row(Markup::new("span").text(&line.name), [added, used, Markup::new("td").child(change)])
}

fn adding(fresh: bool) -> Vec<Markup> {
    let name = Markup::new("input").attr("name", "name").attr("maxlength", MAX_NAME).attr("autocomplete", "off");
    let password = (!fresh).then(|| Field::password("Your password", "present", "current-password").markup());
    let form = form_of_script("add", "people-form")
        .child(told_by_script())
        .child(label("Name of the new one", name.attr("placeholder", "My phone")))
        .children(password)
        .child(primary("Add passkey"));
    [form].into_iter().chain(script()).collect()
}

/// A form that only the script sends.
pub(super) fn form_of_script(what: &str, class: &str) -> Markup {
    Markup::new("form").attr("data-passkey", what).attr("hidden", "").class(class)
}

/// Where the script says what was wrong.
pub(super) fn told_by_script() -> Markup {
    Markup::new("p").class("form-error").attr("role", "alert").attr("data-passkey-told", "").attr("hidden", "")
}

/// The script, and what is said where it cannot run.
pub(super) fn script() -> [Markup; 2] {
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    let script = Markup::new("script").attr("src", "/passkeys.js").attr("type", "module");
    let without = Markup::new("p").class("muted").attr("data-passkey-without", "");
    [
        without.text("Passkeys need JavaScript, and a browser that knows them."),
        script.maybe_attr("nonce", nonce.as_deref()),
    ]
}

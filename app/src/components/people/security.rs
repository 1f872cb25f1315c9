//! One's own account: password, second step, where one is signed in.

use super::data::{Factor, Security, SessionLine};
use super::parts::{Field, Line, behind, button, fields, form, hidden, hint, news, panel, paragraph, primary, told};
use super::passkeys;
use crate::backend::people::Shown;
use crate::format;
use crate::markup::{Markup, cell, row, time};

const PAGE: &str = "/settings/security";
const ERROR_ID: &str = "security-error";
/// White around a QR code, in modules: scanners need it (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

/// The page.
pub(super) fn page(security: &Security, line: Option<&Line>, shown: Option<&Shown>) -> Vec<Markup> {
    let mut page = Vec::new();
    page.extend(told(line, ERROR_ID));
    if let Some(Shown::Codes(codes)) = shown {
        page.push(codes_panel(codes));
    }
    page.extend([password(security), passkeys::panel_of(&security.passkeys), second(&security.factor)]);
    page.extend(security.elsewhere.as_ref().map(|(name, linked)| elsewhere(name, *linked, security.passkeys.fresh)));
    page.push(sessions(security));
    page
}

fn password(security: &Security) -> Markup {
    // So that password managers know whose it is.
    let who = hidden("username", &security.email).attr("autocomplete", "username");
    let change = fields(PAGE, "password")
        .child(who)
        .child(Field::password("Present password", "present", "current-password").markup())
        .child(Field::password("New password", "password", "new-password").markup())
        .child(Field::password("New password again", "again", "new-password").markup())
        .child(primary("Change password"));
    let rule = "At least 10 characters: four words do well. Wherever else you are signed in, you are signed out by it.";
    panel("password", "Password")
        .child(paragraph(&format!("You sign in as {}.", security.email)))
        .child(hint(rule))
        .child(change)
}

fn second(factor: &Factor) -> Markup {
    let panel = panel("second", "Second step");
    match factor {
        Factor::Off => panel
            .child(paragraph("Off. Whoever knows your password can sign in as you."))
            .child(hint("With it, signing in also asks for a code that an authenticator app on your phone shows."))
            .child(
                fields(PAGE, "totp_begin")
                    .child(Field::password("Your password", "present", "current-password").markup())
                    .child(primary("Set up")),
            ),
        Factor::Begun { key, uri, picture } => panel.children(setting_up(key, uri, picture.as_ref())),
        Factor::On { since, codes_left } => panel.children(is_on(since, *codes_left)),
    }
}

fn elsewhere(name: &str, linked: bool, fresh: bool) -> Markup {
    let panel = panel("elsewhere", name);
    if !linked {
        let text =
            format!("Off. To turn it on, sign out and sign in with {name}, with an account that has your email.");
        return panel.child(paragraph(&text));
    }
    let password = (!fresh).then(|| Field::password("Your password", "present", "current-password").markup());
    let off = fields(PAGE, "unlink").children(password).child(button("Turn off"));
    let again = hint("Signing in there with your email turns it on again.");
    let text = format!("On. Your account at {name} signs you in here. A second step is asked for as always.");
    panel.child(paragraph(&text)).child(behind("Turn off…", [again, off]))
}

fn setting_up(key: &str, uri: &str, picture: Option<&(usize, String)>) -> Vec<Markup> {
    let scan = paragraph("1. Scan this with your authenticator app, or type the key into it.");
    let qr = picture.map(|(width, path)| {
        let size = width + 2 * QUIET;
        let view_box = format!("-{QUIET} -{QUIET} {size} {size}");
        Markup::new("svg")
            .class("qr")
            .attr("viewBox", &view_box)
            .attr("role", "img")
            .attr("aria-label", "QR code of the key below")
            .child(Markup::new("path").attr("d", path))
    });
    let link = Markup::new("a").attr("href", uri).attr("rel", "external").text("Open in an app on this device");
    let key = Markup::new("p").child(Markup::new("code").class("people-key").text(key));
    let confirm = fields(PAGE, "totp_confirm")
        .child(Field::code("2. The code that the app shows now").markup())
        .child(primary("Turn on"));
    let mut steps = vec![scan];
    steps.extend(qr);
    steps.extend([key, Markup::new("p").child(link), confirm]);
    steps
}

fn is_on(since: &crate::server_fns::Moment, codes_left: i64) -> Vec<Markup> {
    let on = Markup::new("p").text("On since ").child(time(since)).text(".");
    let left = match codes_left {
        0 => "No recovery code is left: make new ones, or a lost phone locks you out.".to_owned(),
        left => {
            format!("{} left, for when the phone is lost.", format::counted(left, "recovery code", "recovery codes"))
        }
    };
    let renew = fields(PAGE, "codes").child(Field::code("Code of your app").markup()).child(button("Make new codes"));
    let off = fields(PAGE, "totp_off")
        .child(Field::password("Your password", "present", "current-password").markup())
        .child(Field::code("Code of your app, or a recovery code").markup())
        .child(button("Turn off"));
    let renew = [hint("The old ones stop working."), renew];
    vec![on, paragraph(&left), behind("New recovery codes…", renew), behind("Turn off…", [off])]
}

fn codes_panel(codes: &[String]) -> Markup {
    let code = |code: &String| Markup::new("li").child(Markup::new("code").text(code));
    news("codes", "Your recovery codes")
        .child(paragraph("The second step is on. Keep these codes where your phone is not: each signs you in once instead of the app."))
        .child(Markup::new("ul").class("people-codes").children(codes.iter().map(code)))
        .child(hint("They are shown only now."))
}

fn sessions(security: &Security) -> Markup {
    let heads = ["Browser", "Address", "Signed in", "Last seen", "This one?"];
    let rows = security.sessions.iter().map(session);
    let others = form(PAGE, "end_others").child(button("Sign out everywhere else"));
    let all = form(PAGE, "end_all").child(button("Sign out everywhere"));
    panel("sessions", "Where you are signed in")
        .child(crate::markup::table("table-scroll in-panel", "Sessions", &heads, rows, None))
        .child(Markup::new("div").class("people-change").child(others).child(all))
}

fn session(line: &SessionLine) -> Markup {
    let end = if line.this {
        Markup::new("td").child(Markup::new("span").class("badge small first").text("This one"))
    } else {
        let which = Markup::new("span").class("visually-hidden").text(&format!(" of {}", line.device));
        let end = form(PAGE, "end").child(hidden("session", &line.id)).child(button("Sign out").child(which));
        Markup::new("td").child(end)
    };
    let at = |moment| Markup::new("td").child(time(moment));
    row(Markup::new("span").text(&line.device), [cell(&line.address), at(&line.created), at(&line.seen), end])
}

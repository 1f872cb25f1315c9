//! Who belongs to the org, who was asked, and what each role may.

use super::data::{InvitationLine, MemberLine, Members, table};
use super::parts::{
    Field, Line, behind, button, fields, form, hidden, hint, label, news, panel, paragraph, primary, told,
};
use crate::backend::people::Shown;
use crate::format;
use crate::markup::{Markup, cell, row, span, time};
use crate::query;
use ledger::Role;

const PAGE: &str = "/settings/members";
const ERROR_ID: &str = "members-error";

/// The page.
pub(super) fn page(members: &Members, line: Option<&Line>, shown: Option<&Shown>, search: &str) -> Vec<Markup> {
    let mut page = Vec::new();
    page.extend(told(line, ERROR_ID));
    page.extend(shown.and_then(link_panel));
    page.push(people(members));
    if let Some(may_not) = &members.may_not {
        page.push(panel("invite", "Invitations").child(paragraph(may_not)));
    } else {
        page.push(invitations(members, line, search));
    }
    page.push(roles(members));
    page.push(leaving(members));
    page
}

fn people(members: &Members) -> Markup {
    let count = format::counted(i64::try_from(members.members.len()).unwrap_or(i64::MAX), "person", "people");
    let title = format!("{count} in {}", members.org);
    let heads = ["Email", "Role", "Since", "Second step", "What you may change"];
    let rows = members.members.iter().map(|member| person(members, member));
    panel("people", &title).child(crate::markup::table("table-scroll", "Members", &heads, rows, None))
}

fn person(members: &Members, member: &MemberLine) -> Markup {
    let mut name = Markup::new("span").class("people-name").child(span(&member.email));
    if member.you {
        name = name.child(Markup::new("span").class("badge small").text("You"));
    }
    let second = if member.second_factor { cell("On") } else { Markup::new("td").class("muted").text("Off") };
    let change = if member.changeable { change(members, member) } else { Markup::new("td").class("muted").text("–") };
    row(name, [cell(member.role.title()), Markup::new("td").child(time(&member.since)), second, change])
}

fn change(members: &Members, member: &MemberLine) -> Markup {
    let id = member.id.to_string();
    let role = form(PAGE, "role")
        .child(hidden("member", &id))
        .child(choice(members.role, member.role, &format!("Role of {}", member.email)))
        .child(button("Change role"));
    let remove = form(PAGE, "remove")
        .child(hidden("member", &id))
        .child(paragraph(&format!(
            "{} will see nothing of {} any more, from their next click on.",
            member.email, members.org
        )))
        .child(button("Remove"));
    let parts = Markup::new("div").class("people-change").child(role);
    // One leaves by oneself further down, where it says what follows.
    let parts = if member.you { parts } else { parts.child(behind("Remove…", [remove])) };
    Markup::new("td").child(parts)
}

/// The roles that somebody who is `actor` may give.
fn choice(actor: Role, chosen: Role, name: &str) -> Markup {
    let given = Role::ALL.into_iter().filter(|role| ledger::member::check_making(actor, *role).is_ok());
    let option = |role: Role| {
        let option = Markup::new("option").attr("value", role.as_str());
        option.maybe_attr("selected", (role == chosen).then_some("")).text(role.title())
    };
    Markup::new("select").attr("name", "role").attr("aria-label", name).children(given.map(option))
}

fn invitations(members: &Members, line: Option<&Line>, search: &str) -> Markup {
    let typed = query::parse(search);
    let typed =
        |name: &str| typed.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let wrong = matches!(line, Some(Line::Wrong(_))) && !typed("email").is_empty();
    let email = Field {
        label: "Email",
        name: "email",
        kind: "email",
        autocomplete: "off",
        value: typed("email"),
        wrong: wrong.then_some(ERROR_ID),
    };
    let role = Role::parse(&typed("role")).unwrap_or(Role::Member);
    let way = if members.mail {
        "They get a mail with a link that works once, for 7 days."
    } else {
        "Mail is not set up on this server, so you get a link to pass on yourself. It works once, for 7 days. To send mail, \
         whoever runs the server sets smtp_url and mail_from."
    };
    let ask = fields(PAGE, "invite")
        .child(email.markup())
        .child(label("Role", choice(members.role, role, "Role")))
        .child(primary("Invite"));
    let panel = panel("invite", "Invitations").child(hint(way)).child(ask);
    if members.invitations.is_empty() {
        return panel;
    }
    let heads = ["Email", "Role", "Asked by", "Link works until", "What you may change"];
    let rows = members.invitations.iter().map(|invitation| asked(members, invitation));
    panel.child(crate::markup::table("table-scroll", "Open invitations", &heads, rows, None))
}

fn asked(members: &Members, invitation: &InvitationLine) -> Markup {
    let id = invitation.id.to_string();
    let until = Markup::new("td").child(time(&invitation.until));
    let until =
        if invitation.over { until.child(Markup::new("span").class("badge small").text("Over")) } else { until };
    let act = |act: &str, text: &str| {
        form(PAGE, act).child(hidden("invitation", &id)).child(
            button(text)
                .child(Markup::new("span").class("visually-hidden").text(&format!(" for {}", invitation.email))),
        )
    };
    let again = if members.mail { "Send again" } else { "New link" };
    let acts = Markup::new("div").class("people-change").child(act("resend", again)).child(act("revoke", "Take back"));
    let cells = [cell(invitation.role.title()), cell(&invitation.by), until, Markup::new("td").child(acts)];
    row(span(&invitation.email), cells)
}

fn link_panel(shown: &Shown) -> Option<Markup> {
    let Shown::Link { email, link, failed } = shown else { return None };
    let why = if *failed {
        "The mail could not be sent; the log of the server says why. Pass the link on yourself:"
    } else {
        "Mail is not set up on this server. Pass the link on yourself:"
    };
    let input = Markup::new("input").attr("readonly", "").attr("value", link).attr("autocomplete", "off");
    Some(
        news("link", &format!("Link for {email}"))
            .child(paragraph(why))
            .child(label("Works once, for 7 days. It is shown only now.", input)),
    )
}

fn roles(members: &Members) -> Markup {
    let mut heads = vec!["What one may do"];
    heads.extend(Role::ALL.map(Role::title));
    let rows = table().into_iter().map(|(words, may)| {
        let cells = may.into_iter().map(|may| {
            let td = Markup::new("td").class(if may { "role-may" } else { "role-may muted" });
            td.text(if may { "Yes" } else { "No" })
        });
        row(span(words), cells)
    });
    let you = format!("You are {} here. Owners alone make, change and remove owners.", members.role.with_article());
    let operators = "Giving and correcting credits and laying down rate cards is for whoever runs the installation, whatever their role.";
    panel("roles", "What each role may do").child(paragraph(&you)).child(hint(operators)).child(crate::markup::table(
        "table-scroll roles-table",
        "Roles",
        &heads,
        rows,
        None,
    ))
}

fn leaving(members: &Members) -> Markup {
    let panel = panel("leave", &format!("Leave {}", members.org));
    if members.last_owner {
        return panel.child(paragraph(
            "You are the only owner, and an organization has one: make somebody else an owner first.",
        ));
    }
    let text = "You will see nothing of it any more. To come back, somebody has to invite you.";
    let leave = Markup::new("form").attr("method", "post").attr("action", "/settings/leave").child(button("Leave now"));
    panel.child(paragraph(text)).child(behind("Leave…", [leave]))
}

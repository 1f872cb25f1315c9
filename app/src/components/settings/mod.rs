//! The pages of settings and of help: one frame with a list of them, and the page that the address names.
//!
//! They stand still as Grants does ([`crate::platform::still_page`]): server-rendered, plain forms, links that are
//! `rel="external"`. What somebody's role may not do is explained in the page's place.

pub mod audit;
pub mod deletion;
pub mod fields;
pub mod keys;
pub mod organization;
pub mod terminology;

use crate::backend::Backend;
use crate::components::billing;
use crate::components::error_panel::ErrorPanel;
use crate::components::help;
use crate::components::notifications;
use crate::components::operator;
use crate::components::people::{self, MEMBERS, SECURITY};
use crate::components::still::Still;
use crate::components::webhooks;
use crate::error::AppError;
use crate::markup::Markup;
use crate::pages::not_found::{self, NotFoundPage};
use crate::query;
use crate::words;
use deletion::DELETION;
use ledger::{Permission, Role};
use leptos::either::{Either, EitherOf3, EitherOf4};
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos_router::hooks::use_location;
use organization::ORGANIZATION;
use terminology::TERMINOLOGY;

/// The section of those who run the installation.
const OPERATOR: &str = "Operator";

/// A page in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    path: &'static str,
    title: &'static str,
    /// What it needs; `None` where it is everybody's own.
    permission: Option<Permission>,
}

const fn open(path: &'static str, title: &'static str) -> Entry {
    Entry { path, title, permission: None }
}

/// Pages that are listed together.
struct Section {
    title: &'static str,
    /// In the order of the list.
    entries: &'static [Entry],
}

const SECTIONS: [Section; 3] = [
    Section {
        title: "Settings",
        entries: &[
            Entry { path: ORGANIZATION, title: "Organization", permission: Some(Permission::ManageSettings) },
            open(TERMINOLOGY, "Terminology"),
            open(MEMBERS, "Members"),
            Entry { path: "/settings/keys", title: "API keys", permission: Some(Permission::ManageKeys) },
            Entry { path: webhooks::PATH, title: "Webhooks", permission: Some(Permission::ManageSettings) },
            open(notifications::channel::PATH, "Notifications"),
            open(SECURITY, "Security"),
            Entry { path: "/settings/audit", title: "Audit log", permission: Some(Permission::SeeAudit) },
            Entry { path: DELETION, title: "Export and delete", permission: Some(Permission::DeleteOrg) },
        ],
    },
    Section {
        title: OPERATOR,
        entries: &[
            open(operator::ORGANIZATIONS, "Organizations"),
            open(billing::purchase::OPERATOR, "Payments"),
            open(operator::JOBS, "Jobs"),
            open(operator::VERIFY, "Verify"),
            open(operator::BACKUPS, "Backups"),
            open(billing::seller::PATH, "Seller"),
            open(billing::reconcile::PATH, "Reconciliation"),
        ],
    },
    Section {
        title: "Help",
        entries: &[
            open(help::HELP, "Where to begin"),
            open(help::TEXTS[0].0, help::TEXTS[0].1),
            open(help::TEXTS[1].0, help::TEXTS[1].1),
            open(help::TEXTS[2].0, help::TEXTS[2].1),
            open(help::TEXTS[3].0, help::TEXTS[3].1),
            open(help::EXPLORER, "Try the API"),
        ],
    },
];

fn find(path: &str) -> Option<(&'static Section, Entry)> {
    // A webhook's own page is refused as the list of them is.
    let path = if path.starts_with(webhooks::BELOW) { webhooks::PATH } else { path };
    const { &SECTIONS }.iter().find_map(|section| {
        let entry = section.entries.iter().find(|entry| entry.path == path)?;
        Some((section, *entry))
    })
}

/// The pages that somebody may open, each with its section, address and title.
pub fn entries(role: Role, operator: bool) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let sections = const { &SECTIONS }.iter().filter(move |section| section.title != OPERATOR || operator);
    sections.flat_map(move |section| {
        let entries = section.entries.iter();
        let entries = entries.filter(move |entry| entry.permission.is_none_or(|permission| role.may(permission)));
        entries.map(|entry| (section.title, entry.path, entry.title))
    })
}

/// The title of the page at an address.
#[must_use]
pub fn title(path: &str) -> &'static str {
    find(path).map_or(not_found::TITLE, |(_, entry)| entry.title)
}

/// The page that the address names, once it is read.
#[must_use]
pub fn report() -> impl IntoView {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let Some((section, entry)) = find(&path) else {
        return Either::Left(view! { <NotFoundPage/> });
    };
    let filled = ScopedFuture::new(async move {
        words::provide().await;
        let backend = Backend::current();
        let refusal = match entry.permission {
            Some(permission) => backend.allowed(permission).err(),
            None if section.title == OPERATOR => backend.operator().err(),
            None => None,
        };
        match refusal {
            Some(AppError::Refused { problem }) => EitherOf3::A(view! { <MayNot entry problem/> }),
            Some(error) => EitherOf3::B(view! { <ErrorPanel error retry=|()| ()/> }),
            None => EitherOf3::C(body(entry, &search).await),
        }
    });
    Either::Right(view! {
        <div class="page settings">
            <Nav section current=entry.path/>
            <div class="settings-body">{Suspend::new(filled)}</div>
        </div>
    })
}

async fn body(entry: Entry, search: &str) -> impl IntoView + use<> {
    let backend = Backend::current();
    let typed = query::parse(search);
    let get = |name: &str| typed.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let failed = |error| EitherOf4::C(view! { <ErrorPanel error retry=|()| ()/> });
    match entry.path {
        MEMBERS | SECURITY => match people::settings(entry.path, entry.title, search).await {
            Ok(markup) => EitherOf4::D(Still(markup)),
            Err(error) => failed(error),
        },
        ORGANIZATION => match backend.organization(search).await {
            Ok(view) => EitherOf4::D(Still(organization::page(&view))),
            Err(error) => failed(error),
        },
        TERMINOLOGY => match backend.terminology(search).await {
            Ok(view) => EitherOf4::D(Still(terminology::page(&view))),
            Err(error) => failed(error),
        },
        path if path.starts_with(help::HELP) => match help::page(path).await {
            Ok(markup) => EitherOf4::D(Still(markup)),
            Err(error) => failed(error),
        },
        DELETION => match backend.deletion().await {
            Ok(view) => EitherOf4::D(Still(deletion::page(&view, get("error"), get("done")))),
            Err(error) => failed(error),
        },
        path if path.starts_with("/operator/") => match operator::page(path, search).await {
            Ok(markup) => EitherOf4::D(Still(markup)),
            Err(error) => failed(error),
        },
        "/settings/audit" => match backend.audit(search).await {
            Ok(view) => EitherOf4::A(view! { <audit::AuditPage view/> }),
            Err(error) => failed(error),
        },
        _ => match backend.keys(search).await {
            Ok(view) => EitherOf4::B(view! { <keys::KeysPage view typed/> }),
            Err(error) => failed(error),
        },
    }
}

/// A page that is read whole before it is sent, in the frame of settings.
pub fn frame(backend: &Backend, current: &str, body: impl IntoIterator<Item = Markup>) -> Markup {
    let entries = SECTIONS[0].entries.iter().map(|entry| {
        let link = Markup::new("a").attr("href", entry.path).attr("rel", "external");
        let link = link.maybe_attr("aria-current", (entry.path == current).then_some("page"));
        Markup::new("li").child(link.text(entry.title))
    });
    let operator = backend.operator().is_ok().then(|| {
        let link = Markup::new("a").attr("href", operator::ORGANIZATIONS).attr("rel", "external");
        Markup::new("li").child(link.text("Operator\u{2026}"))
    });
    let list = Markup::new("ul").children(entries).children(operator);
    let nav = Markup::new("nav").class("settings-nav").attr("aria-label", SECTIONS[0].title).child(list);
    let body = Markup::new("div").class("settings-body").children(body);
    Markup::new("div").class("page settings").child(nav).child(body)
}

#[component]
fn Nav(section: &'static Section, current: &'static str) -> impl IntoView {
    let links = section.entries.iter().map(|Entry { path, title, .. }| {
        view! { <li><a href=*path rel="external" aria-current=(*path == current).then_some("page")>{*title}</a></li> }
    });
    let links = links.collect_view();
    let operator = section.title != OPERATOR && Backend::current().operator().is_ok();
    let operator =
        operator.then(|| view! { <li><a href=operator::ORGANIZATIONS rel="external">"Operator\u{2026}"</a></li> });
    view! { <nav class="settings-nav" aria-label=section.title><ul>{links}{operator}</ul></nav> }
}

#[component]
fn MayNot(entry: Entry, problem: String) -> impl IntoView {
    view! {
        <div class="page-head"><h1>{entry.title}</h1></div>
        <section class="panel" aria-labelledby="may-not"><h2 id="may-not">"Not for your role"</h2><p class="muted">{problem}</p></section>
    }
}

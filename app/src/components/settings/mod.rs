//! The pages of settings: one frame with a list of them, and the page that the address names.
//!
//! They stand still as Grants does ([`crate::platform::still_page`]): server-rendered, plain forms, links that are
//! `rel="external"`. What somebody's role may not do is explained in the page's place.

pub mod audit;
pub mod fields;
pub mod keys;
pub mod organization;
pub mod terminology;

use crate::backend::Backend;
use crate::components::error_panel::ErrorPanel;
use crate::components::people::{self, MEMBERS, SECURITY};
use crate::components::still::Still;
use crate::error::AppError;
use crate::pages::not_found::NotFoundPage;
use crate::query;
use crate::words;
use ledger::Permission;
use leptos::either::{Either, EitherOf3, EitherOf4};
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos_router::hooks::use_location;
use organization::ORGANIZATION;
use terminology::TERMINOLOGY;

/// A page of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    path: &'static str,
    title: &'static str,
    /// What it needs; `None` where it is everybody's own.
    permission: Option<Permission>,
}

/// The pages there are, in the order of the list.
const ENTRIES: [Entry; 6] = [
    Entry { path: ORGANIZATION, title: "Organization", permission: Some(Permission::ManageSettings) },
    Entry { path: TERMINOLOGY, title: "Terminology", permission: None },
    Entry { path: MEMBERS, title: "Members", permission: None },
    Entry { path: "/settings/keys", title: "API keys", permission: Some(Permission::ManageKeys) },
    Entry { path: SECURITY, title: "Security", permission: None },
    Entry { path: "/settings/audit", title: "Audit log", permission: Some(Permission::SeeAudit) },
];

/// The title of the page at an address.
#[must_use]
pub fn title(path: &str) -> &'static str {
    ENTRIES.iter().find(|entry| entry.path == path).map_or("Settings", |entry| entry.title)
}

/// The page that the address names, once it is read.
#[must_use]
pub fn report() -> impl IntoView {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let Some(entry) = ENTRIES.into_iter().find(|entry| entry.path == path) else {
        return Either::Left(view! { <NotFoundPage/> });
    };
    let filled = ScopedFuture::new(async move {
        words::provide().await;
        let refusal = entry.permission.and_then(|permission| Backend::current().allowed(permission).err());
        match refusal {
            Some(AppError::Refused { problem }) => EitherOf3::A(view! { <MayNot entry problem/> }),
            Some(error) => EitherOf3::B(view! { <ErrorPanel error retry=|()| ()/> }),
            None => EitherOf3::C(body(entry, &search).await),
        }
    });
    Either::Right(view! {
        <div class="page settings">
            <Nav current=entry.path/>
            <div class="settings-body">{Suspend::new(filled)}</div>
        </div>
    })
}

async fn body(entry: Entry, search: &str) -> impl IntoView + use<> {
    let backend = Backend::current();
    let typed = query::parse(search);
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

#[component]
fn Nav(current: &'static str) -> impl IntoView {
    let links = ENTRIES.map(|Entry { path, title, .. }| {
        view! { <li><a href=path rel="external" aria-current=(path == current).then_some("page")>{title}</a></li> }
    });
    view! { <nav class="settings-nav" aria-label="Settings"><ul>{links}</ul></nav> }
}

#[component]
fn MayNot(entry: Entry, problem: String) -> impl IntoView {
    view! {
        <div class="page-head"><h1>{entry.title}</h1></div>
        <section class="panel" aria-labelledby="may-not"><h2 id="may-not">"Not for your role"</h2><p class="muted">{problem}</p></section>
    }
}

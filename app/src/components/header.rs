//! The top of every page: where one is, whose figures these are, and the way out.

use super::filled::{Filled, any};
use super::still::Still;
use super::theme_switch::ThemeSwitch;
use crate::app::SessionResource;
use crate::platform;
use crate::server_fns::session::SessionInfo;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Where the main pages are: address, name, whether the page stands still, so that the browser loads it, and what addresses lie
/// in its section besides those below its own.
const NAV: [(&str, &str, bool, &[&str]); 15] = [
    ("/", "Overview", false, &[]),
    ("/analytics", "Analytics", false, &[]),
    ("/usage", "Usage", true, &["/runs/"]),
    (WORKFLOWS, "Workflows", true, &[]),
    ("/customers", "Customers", true, &["/users/", "/tenants/", "/interactions/"]),
    ("/projects", "Projects", true, &[]),
    ("/reports", "Reports", true, &[]),
    ("/grants", "Grants", true, &[]),
    ("/billing", "Billing", true, &[]),
    ("/alerts", "Alerts", true, &[]),
    ("/ledger", "Ledger", false, &[]),
    ("/rate-card", "Rate card", false, &[]),
    ("/settings", "Settings", true, &[]),
    ("/help", "Help", true, &[]),
    ("/search", "Search", true, &[]),
];
/// The page that is called what the org calls its workflows.
const WORKFLOWS: &str = "/workflows";

/// The header. Without a session it has nothing but the name and the theme.
#[component]
pub fn Header(
    /// Who is looking.
    who: SessionResource,
) -> impl IntoView {
    let org = who.shown(|who| any(who.ok().flatten().map(|who| view! { <Org who/> })));
    let leave = who.shown(|who| any(who.ok().flatten().map(|who| Still(who.leave))));
    view! {
        <header class="header">
            <a class="brand" href="/">
                <svg class="mark" width="20" height="20" aria-hidden="true"><use href="/icons.svg#mark"></use></svg>
                {platform::product()}
            </a>
            <Filled shown=org/>
            <div class="header-end">
                <ThemeSwitch/>
                <Filled shown=leave/>
            </div>
        </header>
    }
}

#[component]
fn Org(who: SessionInfo) -> impl IntoView {
    let path = use_location().pathname;
    let links = NAV.map(|(href, title, external, more)| {
        // A page leads back to the section it is in.
        let inside = format!("{href}/");
        let is_here = move |path: &String| {
            path == href || path.starts_with(&inside) || more.iter().any(|more| path.starts_with(more))
        };
        let current = move || path.with(&is_here).then_some("page");
        let title = if href == WORKFLOWS { who.words.workflows.clone() } else { title.to_owned() };
        view! { <a href=href rel=external.then_some("external") aria-current=current>{title}</a> }
    });
    view! {
        {Still(who.whose)}
        <nav class="nav" aria-label="Main">
            {links}
        </nav>
    }
}

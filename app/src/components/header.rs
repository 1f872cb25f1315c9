//! The top of every page: where one is, whose figures these are, and the way out.

use super::filled::{Filled, any};
use super::icon::Icon;
use super::still::Still;
use super::theme_switch::ThemeSwitch;
use crate::app::SessionResource;
use crate::platform;
use crate::server_fns::session::SessionInfo;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The header. Without a session it has nothing but the name and the theme.
#[component]
pub fn Header(
    /// Who is looking.
    who: SessionResource,
) -> impl IntoView {
    let org = who.shown(|who| any(who.ok().flatten().map(|who| view! { <Org who/> })));
    let leave = who.shown(|who| any(who.ok().flatten().map(|who| view! { <SignOut who/> })));
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
    let current = move |here: &'static str| move || (path.get() == here).then_some("page");
    let settings = move || path.get().starts_with("/settings").then_some("page");
    let help = move || path.get().starts_with("/help").then_some("page");
    let synthetic = who.synthetic.then(|| {
        view! { <span class="badge" title="This organization was filled with made-up usage.">"Synthetic sample data"</span> }
    });
    let org = match who.switcher {
        Some(switcher) => Either::Left(Still(switcher)),
        None => Either::Right(view! { <span class="org-name">{who.org}</span> }),
    };
    view! {
        <div class="org">
            {org}
            {synthetic}
        </div>
        <nav class="nav" aria-label="Main">
            <a href="/" aria-current=current("/")>"Overview"</a>
            <a href="/analytics" aria-current=current("/analytics")>"Analytics"</a>
            <a href="/grants" rel="external" aria-current=current("/grants")>"Grants"</a>
            <a href="/ledger" aria-current=current("/ledger")>"Ledger"</a>
            <a href="/rate-card" aria-current=current("/rate-card")>"Rate card"</a>
            <a href="/settings" rel="external" aria-current=settings>"Settings"</a>
            <a href="/help" rel="external" aria-current=help>"Help"</a>
        </nav>
    }
}

#[component]
fn SignOut(who: SessionInfo) -> impl IntoView {
    view! {
        <form class="sign-out" method="post" action="/sign-out">
            <button class="button quiet" title=format!("Signed in as {}", who.email)>
                <Icon name="leave"/>
                <span>"Sign out"</span>
            </button>
        </form>
    }
}

//! Members, one's own account, and the pages through which people come in. Server only: these pages stand still (see
//! `components/grants/mod.rs`), every form is plain, and what came of it is a code in the address of the page.

pub mod data;

mod doors;
mod members;
mod parts;
mod security;
mod sentences;

use crate::backend::Backend;
use crate::backend::people::{Shown, mail};
use crate::components::error_panel::ErrorPanel;
use crate::components::still::Still;
use crate::error::AppError;
use crate::markup::Markup;
use crate::{query, words};
use leptos::either::Either;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// A page, put together.
struct Page {
    title: &'static str,
    class: &'static str,
    parts: Vec<Markup>,
}

/// What the page at this address shows, once it is read.
#[must_use]
pub fn report() -> impl IntoView {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let filled = ScopedFuture::new(async move {
        words::provide().await;
        match page(&path, &search).await {
            Ok(Page { title, class, parts }) => Either::Left(view! {
                <Title text=title/>
                {Still(Markup::new("div").class(class).children(parts))}
            }),
            // Without a script "Try again" is a link to this address.
            Err(error) => Either::Right(view! { <div class="page"><ErrorPanel error retry=|()| ()/></div> }),
        }
    });
    view! { {Suspend::new(filled)} }
}

async fn page(path: &str, search: &str) -> Result<Page, AppError> {
    let backend = Backend::current();
    let pairs = query::parse(search);
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let line = value("error").map(sentences::wrong).or_else(|| sentences::done(value("done")?));
    let line = line.as_ref();
    let shown = use_context::<Shown>();
    let settings = |title, parts| Page { title, class: "page settings-page", parts: headed(title, parts) };
    let door = |title, part| Page { title, class: "page sign-in", parts: vec![part] };
    let token = value("token").unwrap_or_default();
    Ok(match path {
        "/settings/members" => {
            settings("Members", members::page(&backend.members().await?, line, shown.as_ref(), search))
        }
        "/settings/security" => settings("Security", security::page(&backend.security().await?, line, shown.as_ref())),
        "/sign-in/code" => door("Second step", doors::code(line, value("next").unwrap_or("/"))),
        "/forgot-password" => door("Forgot password", doors::forgot(line, mail())),
        "/reset-password" => door("New password", doors::reset(line, backend.reset_of(token).await?.as_deref(), token)),
        "/invitation" => door("Invitation", doors::invitation(line, &backend.invited(token).await?, token)),
        _ => return Err(AppError::NotFound),
    })
}

fn headed(title: &str, parts: Vec<Markup>) -> Vec<Markup> {
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(title));
    std::iter::once(head).chain(parts).collect()
}

//! Pages that are read whole before the first byte is sent, so that status and title are those of what was found. Server only: they
//! stand still ([`crate::pages::still`]), their links are `rel="external"`, their forms plain.
//!
//! One folder per noun under `components/`, each with an `async fn page(&Asked) -> Result<Written, AppError>`, listed in [`page`].

use crate::backend::{Backend, Org};
use crate::components::alerts;
use crate::components::billing::{self, purchase};
use crate::components::customers::{self, data::Who};
use crate::components::error_panel::ErrorPanel;
use crate::components::notifications;
use crate::components::projects;
use crate::components::reports;
use crate::components::runs;
use crate::components::search;
use crate::components::still::Still;
use crate::components::webhooks;
use crate::components::workflows;
use crate::error::AppError;
use crate::markup::Markup;
use crate::pages::not_found::NotFoundPage;
use crate::query;
use leptos::either::EitherOf3;
use leptos::prelude::*;

/// A page, ready to be sent.
#[derive(Debug, Clone)]
pub struct Written {
    /// What it is called in the head, and in its `<h1>`.
    pub title: String,
    /// All of `<main>`: a `<div class="page">`.
    pub body: Markup,
}

/// What came of reading it. The server puts it into the context of the page.
#[derive(Debug, Clone)]
pub struct Outcome(pub Result<Written, AppError>);

/// What a page is asked for.
pub struct Asked<'r> {
    /// The store, and who looks at it.
    pub backend: &'r Backend,
    /// The viewer's org: zone and words among others.
    pub org: Org,
    /// Where the browser reached the server, for lines to copy.
    pub origin: String,
    /// The address, by its segments, decoded.
    pub path: Vec<String>,
    /// What stands behind `?`.
    pub query: Vec<(String, String)>,
}

impl Asked<'_> {
    /// The first value of that name, `""` where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
}

/// What an address asks for.
///
/// # Errors
/// [`AppError::NotSignedIn`], or what the store says.
pub async fn asked<'r>(backend: &'r Backend, origin: String, path: &str, search: &str) -> Result<Asked<'r>, AppError> {
    let viewer = backend.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
    let org = backend.store.org(viewer.org).await?;
    let path: Vec<String> = path.split('/').skip(1).map(query::segment).collect();
    Ok(Asked { backend, org, origin, path, query: query::parse(search) })
}

/// The page at an address.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::NotFound`], or what the page says.
pub async fn page(backend: &Backend, origin: String, path: &str, search: &str) -> Result<Written, AppError> {
    let asked = asked(backend, origin, path, search).await?;
    match asked.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["customers"] => customers::list::page(&asked, Who::User).await,
        ["customers", "tenants"] => customers::list::page(&asked, Who::Tenant).await,
        ["customers", "interactions"] => customers::interactions::page(&asked, None).await,
        ["interactions", id] => customers::interaction::page(&asked, id, None).await,
        ["users", id] => customers::one::page(&asked, Who::User, id).await,
        ["tenants", id] => customers::one::page(&asked, Who::Tenant, id).await,
        ["usage"] => runs::list::page(&asked).await,
        ["workflows"] => workflows::page(&asked).await,
        ["workflows", _] => workflows::one::page(&asked, None).await,
        ["runs", _] => runs::run::page(&asked).await,
        ["search"] => search::page(&asked).await,
        ["billing"] => billing::home::page(&asked).await,
        ["billing", "top-up"] => billing::top_up::page(&asked).await,
        ["billing", "plan"] => billing::plan::page(&asked).await,
        ["billing", "purchases"] => purchase::list::page(&asked).await,
        ["billing", "invoices"] => billing::invoices::page(&asked).await,
        ["billing", "payments"] => billing::payments::page(&asked).await,
        ["billing", "details"] => billing::details::page(&asked).await,
        ["alerts"] => alerts::list::page(&asked).await,
        ["alerts", "new"] => alerts::one::new_page(&asked).await,
        ["alerts", "budgets", id] => alerts::budget::page(&asked, id).await,
        ["alerts", id] => alerts::one::page(&asked, id).await,
        ["notifications"] => notifications::page(&asked).await,
        ["settings", "notifications"] => notifications::channel::page(&asked).await,
        ["settings", "webhooks"] => webhooks::page(&asked).await,
        ["settings", "webhooks", id] => webhooks::one::page(&asked, id).await,
        ["settings", "webhooks", id, delivery] => webhooks::delivery::page(&asked, id, delivery).await,
        ["projects"] => projects::page(&asked).await,
        ["reports"] => reports::page(&asked).await,
        _ => Err(AppError::NotFound),
    }
}

/// What is shown of it.
#[must_use]
pub fn report(Outcome(page): Outcome) -> impl IntoView {
    match page {
        Ok(page) => EitherOf3::A(Still(page.body)),
        Err(AppError::NotFound) => EitherOf3::B(view! { <NotFoundPage/> }),
        // "Try again" is a link to this address.
        Err(error) => EitherOf3::C(view! { <div class="page"><ErrorPanel error retry=|()| ()/></div> }),
    }
}

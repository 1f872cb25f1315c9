//! What the two sides do differently: the server's half.
#![allow(clippy::missing_const_for_fn, reason = "the browser's half of the same functions is not const")]

use crate::backend::settings::Installed;
use crate::calendar::{Day, parse_iso};
use crate::components::{grants, people, settings, written};
use crate::error::AppError;
use crate::pages::not_found;
use crate::query;
use crate::rows;
use crate::server_fns::answer::Told;
use crate::theme::Theme;
use ledger::Installation;
use leptos::either::EitherOf4;
use leptos::prelude::{GetUntracked as _, IntoView, WithUntracked as _, use_context};
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_location;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::Pin;

/// The theme that the request's cookie names.
#[must_use]
pub fn theme() -> Theme {
    let parts = use_context::<axum::http::request::Parts>();
    let cookies = parts.as_ref().and_then(|p| p.headers.get(axum::http::header::COOKIE)).and_then(|v| v.to_str().ok());
    cookies.map_or(Theme::System, Theme::of_cookies)
}

/// What the product is called for whoever looks.
#[must_use]
pub fn product() -> String {
    use_context::<Installed>().map_or_else(|| Installation::default().product, |installed| installed.product)
}

/// A title on its way into HTML, where the framework puts it as it is: a name may hold anything.
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "the browser's half gives it back")]
pub fn title(text: String) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Where help is found: an email address or a page.
#[must_use]
pub fn support() -> Option<String> {
    Some(use_context::<Installed>()?.support?.as_str().to_owned())
}

/// Nobody clicks here.
#[must_use]
pub fn link_of(_: &web_sys::MouseEvent) -> Option<(String, bool)> {
    None
}

/// The day that somebody has picked in the calendar who has no script: the first of two, until the other one is picked.
#[must_use]
pub fn picked() -> Option<Day> {
    let said = use_location().search.with_untracked(|search| query::parse(search));
    let of = |wanted: &str| said.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    of("day").filter(|_| of("from").is_none()).and_then(parse_iso)
}

/// Nothing happens here.
pub fn rewrite_address(_: &str) {}

/// Nothing happens here.
#[must_use]
pub fn opens(_: &web_sys::MouseEvent) -> bool {
    false
}

/// See the browser's half.
#[must_use]
pub fn data_id(_: &web_sys::Event) -> Option<String> {
    None
}

/// Nobody points here.
pub fn hold_pointer(_: &web_sys::Event) {}

/// What would listen in a browser.
pub struct Listening;

/// Nothing happens here.
#[must_use]
pub fn listen(_: &str, _: &'static [&'static str], _: Box<dyn FnMut(web_sys::Event)>) -> Option<Listening> {
    None
}

/// Only the browser can remember it.
pub fn set_theme(_: Theme) {}

/// How a server function is reached: it is called.
pub type Way = fn(String) -> Pin<Box<dyn Future<Output = Told> + Send>>;

/// How a server function is reached.
#[must_use]
pub fn way<F>() -> Way
where
    F: ServerFn<Error = AppError> + DeserializeOwned + 'static,
    F::Output: Serialize,
{
    |question| {
        Box::pin(async move {
            let asked: F = rows::read(&question).map_err(|_| AppError::Outdated)?;
            let answer = asked.run_body().await?;
            Ok(rows::write(&answer).map_err(|_| AppError::Internal { request_id: None })?.into())
        })
    }
}

/// Asks a server function, by texts: a page is made from what its browser will read.
pub async fn ask(way: Way, question: String) -> Told {
    way(question).await
}

/// Answers 404.
pub fn page_not_found() {
    answer_status(404);
}

/// Answers with that status instead of the framework's own: its errors are all the server's fault.
pub fn answer_status(status: u16) {
    let status = axum::http::StatusCode::from_u16(status).ok();
    if let Some((response, status)) = use_context::<leptos_axum::ResponseOptions>().zip(status) {
        response.set_status(status);
    }
}

/// Members of a JSON object, where they are texts.
#[must_use]
pub fn members<const N: usize>(json: &str, names: [&str; N]) -> Option<[Option<String>; N]> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    Some(names.map(|name| object.get(name)?.as_str().map(str::to_owned)))
}

/// Nothing has a width here.
#[must_use]
pub fn width_of(_: &str) -> Option<u32> {
    None
}

/// Nothing has the focus here.
pub fn focus(_: String) {}

/// Nothing is painted here.
pub fn after_paint(_: impl FnOnce() + 'static) {}

/// Nothing is open here.
pub fn close_popover(_: &str) {}

/// Nothing is clicked here.
#[must_use]
pub fn act(_: &web_sys::Event) -> bool {
    false
}

/// No key is pressed here.
#[must_use]
pub fn is_on_page(_: &web_sys::KeyboardEvent) -> bool {
    false
}

/// Nothing is typed here.
#[must_use]
pub fn text_of(_: &str) -> Option<String> {
    None
}

/// Nothing happens here.
#[must_use]
pub fn is_from(_: &web_sys::Event, _: &str) -> bool {
    false
}

/// Nothing happens here.
#[must_use]
pub fn attribute_of(_: &web_sys::Event, _: &str) -> Option<String> {
    None
}

/// Nothing is marked here.
pub fn select(_: &str, _: u32, _: u32) {}

/// Nothing is looked at here.
pub fn carry_over(_: &web_sys::Element, _: &web_sys::Element) {}

/// Nobody waits here.
pub fn watch(_: impl Fn() + Clone + 'static, _: std::time::Duration) {}

/// Nobody waits here.
pub fn unwatch() {}

/// The page that stands still at this address.
#[must_use]
pub fn still_page() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    match use_context::<written::Outcome>() {
        Some(outcome) => EitherOf4::A(written::report(outcome)),
        None if path == grants::PATH => EitherOf4::B(grants::report()),
        None if people::title(&path).is_some() => EitherOf4::C(people::report()),
        None => EitherOf4::D(settings::report()),
    }
}

/// What it is called.
#[must_use]
pub fn still_title() -> String {
    if let Some(written::Outcome(outcome)) = use_context() {
        return outcome.map_or_else(|_| not_found::TITLE.to_owned(), |page| page.title);
    }
    match use_location().pathname.get_untracked().as_str() {
        grants::PATH => "Grants".to_owned(),
        path => people::title(path).unwrap_or_else(|| settings::title(path)).to_owned(),
    }
}

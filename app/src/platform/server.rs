//! What the two sides do differently: the server's half.
#![allow(clippy::missing_const_for_fn, reason = "the browser's half of the same functions is not const")]

use crate::pages::Still;
use crate::theme::Theme;
use leptos::either::EitherOf3;
use leptos::prelude::{GetUntracked as _, IntoView, use_context};
use leptos_router::hooks::use_location;

/// The theme that the request's cookie names.
#[must_use]
pub fn theme() -> Theme {
    let parts = use_context::<axum::http::request::Parts>();
    let cookies = parts.as_ref().and_then(|p| p.headers.get(axum::http::header::COOKIE)).and_then(|v| v.to_str().ok());
    cookies.map_or(Theme::System, Theme::of_cookies)
}

/// Only the browser can remember it.
pub fn set_theme(_: Theme) {}

/// Answers 404.
pub fn page_not_found() {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
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

/// A page that stands still.
#[must_use]
pub fn still_page(page: Still) -> impl IntoView {
    match page {
        Still::Grants => EitherOf3::A(crate::components::grants::report()),
        Still::Settings => EitherOf3::B(crate::components::settings::report()),
        Still::Doors => EitherOf3::C(crate::components::people::report()),
    }
}

/// What such a page of several is called.
#[must_use]
pub fn still_title() -> String {
    let path = use_location().pathname.get_untracked();
    let door = crate::components::people::title(&path);
    door.unwrap_or_else(|| crate::components::settings::title(&path)).to_owned()
}

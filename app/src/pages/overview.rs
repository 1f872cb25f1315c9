//! How much is left, what used it, will it last.

use crate::components::filled::{FilledPage, any, report};
use crate::components::live::Live;
use crate::components::still::Still;
use crate::server_fns::answer;
use crate::server_fns::overview::{GetOverview, Overview};
use leptos::prelude::*;
use leptos_meta::Title;

/// The page. It stays up to date while it is open.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let overview = answer(|| GetOverview {});
    let live = Live::new(move || overview.ask_again());
    let shown = report(overview, move |Overview { parts, as_of }| {
        live.shows(as_of);
        any(parts.into_iter().map(Still).collect_view())
    });
    view! {
        <Title text="Overview"/>
        {live.around(view! { <FilledPage shown cards=8/> })}
    }
}

//! Why a panel is empty, and what to do.

use crate::error::AppError;
use crate::platform;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The error's sentence, a way to try again, the request id.
///
/// "Try again" is a link to the page itself, so that it works without a script; with one it only asks again.
#[component]
#[allow(clippy::needless_pass_by_value, reason = "components own their properties")]
pub fn ErrorPanel(
    /// What went wrong.
    error: AppError,
    /// Asks again.
    #[prop(into)]
    retry: Callback<()>,
) -> impl IntoView {
    let location = use_location();
    let href = match error {
        AppError::NotSignedIn => "/sign-in".to_owned(),
        _ => format!("{}?{}", location.pathname.get_untracked(), location.search.get_untracked()),
    };
    let signed_out = error == AppError::NotSignedIn;
    let again = move |event: web_sys::MouseEvent| {
        if !signed_out {
            event.prevent_default();
            retry.run(());
        }
    };
    let request_id =
        error.request_id().map(|id| view! { <p class="request-id">"Request " <code>{id.to_owned()}</code></p> });
    let support = platform::support().map(|support| {
        let href = if support.contains("://") { support.clone() } else { format!("mailto:{support}") };
        view! { <p class="muted">"Help: " <a href=href rel="external">{support}</a></p> }
    });
    view! {
        <div class="panel error-panel" role="alert" data-code=error.code()>
            <p>{error.to_string()}</p>
            {request_id}
            {support}
            <a class="button" href=href rel="external" on:click=again>
                {if signed_out { "Sign in" } else { "Try again" }}
            </a>
        </div>
    }
}

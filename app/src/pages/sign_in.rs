//! The sign-in form. Plain HTML: the server's own route takes it, with or without a script.

use crate::platform;
use crate::query;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// Email, password, and where to go on.
#[component]
pub fn SignInPage() -> impl IntoView {
    let pairs = query::parse(&use_location().search.get_untracked());
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let error = value("error").map(|code| {
        let text = match code.as_str() {
            "throttled" => "Too many attempts. Wait a minute, then try again.",
            "code_late" => "That took too long. Sign in again.",
            "no_org" => "You belong to no organization any more. Ask whoever ran it to invite you again.",
            "credentials" => "This email and password do not belong together. Check both and try again.",
            _ => "Signing in did not work. Try again.",
        };
        view! { <p id="sign-in-error" class="form-error" role="alert">{text}</p> }
    });
    let done = value("done").and_then(|code| match code.as_str() {
        "reset" => Some("Your new password is set. Sign in with it."),
        "everywhere" => Some("You are signed out everywhere."),
        "left" => Some("You left the organization."),
        _ => None,
    });
    let done = done.map(|text| view! { <p class="notice" role="status">{text}</p> });
    let described = error.is_some().then_some("sign-in-error");
    let next = value("next").filter(|next| is_local(next)).unwrap_or_else(|| "/".to_owned());
    view! {
        <Title text="Sign in"/>
        <div class="page sign-in">
            <form class="panel" method="post" action="/sign-in">
                <h1>"Sign in to " {platform::product()}</h1>
                {error}
                {done}
                <input type="hidden" name="next" value=next/>
                <label class="field">
                    <span>"Email"</span>
                    <input type="email" name="email" autocomplete="username" required autofocus aria-describedby=described/>
                </label>
                <label class="field">
                    <span>"Password"</span>
                    <input type="password" name="password" autocomplete="current-password" required/>
                </label>
                <button class="button primary wide">"Sign in"</button>
                <p><a href="/forgot-password" rel="external">"Forgot password?"</a>" · "<a href="/help" rel="external">"Help"</a></p>
            </form>
        </div>
    }
}

/// A path of ours: an address elsewhere, also one that only looks like a path (`//host`, `/\host`), is not followed.
fn is_local(next: &str) -> bool {
    next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_paths_of_ours_are_followed() {
        assert!(is_local("/analytics?from=2026-11-01"));
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "", "analytics", "/a\nb"] {
            assert!(!is_local(next), "{next}");
        }
    }
}

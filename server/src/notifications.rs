//! What people do about what they are told: read it, say how they want to hear, and ask for no more mails by the link in one.

use crate::access::SignedIn;
use crate::notify::unsubscribe::{self, is_ours};
use crate::pages::{PageRequest, problem_of, written_out};
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::components::notifications::{PATH, channel};
use app::components::written::Written;
use app::markup::Markup;
use app::query;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use ledger::{MessageId, OrgId};
use store::outbox::person::PersonChannel;
use store::{StoreError, UserId};

type Pairs = Vec<(String, String)>;

fn get<'a>(form: &'a Pairs, name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// Marks one message as read, or all up to it.
///
/// # Errors
/// What the store says.
pub async fn read(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let viewer = viewer.ok_or_else(|| problem_of(&AppError::NotSignedIn))?;
    let form = query::parse(&body);
    if let Some(id) = MessageId::parse(get(&form, "message")) {
        app.store.mark_read(viewer.org, viewer.user, id, get(&form, "do") == "all").await?;
    }
    Ok(Redirect::to(PATH))
}

/// Sets how somebody wants to hear.
///
/// # Errors
/// What the store says.
pub async fn wishes(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let viewer = viewer.ok_or_else(|| problem_of(&AppError::NotSignedIn))?;
    let wrong = |code: &str| Ok(Redirect::to(&format!("{}?error={code}", channel::PATH)));
    let Some(wanted) = wanted(&query::parse(&body)) else { return wrong("bad_hours") };
    match app.store.set_person_channel(viewer.org, viewer.user, wanted).await {
        Ok(()) => Ok(Redirect::to(&format!("{}?done=saved", channel::PATH))),
        Err(StoreError::BadRange(_)) => wrong("bad_zone"),
        Err(error) => Err(error.into()),
    }
}

/// What the form says; none where an hour is no hour, or one of two is missing.
fn wanted(form: &Pairs) -> Option<PersonChannel> {
    let quiet = match (get(form, "quiet_from"), get(form, "quiet_until")) {
        ("", "") => None,
        (from, until) => Some((minute(from)?, minute(until)?)),
    };
    let when = get(form, "mail");
    let digest_at = if when == "daily" { Some(minute(get(form, "digest_at"))?) } else { None };
    let known = matches!(when, "once" | "daily" | "never");
    known.then(|| PersonChannel { mail: when != "never", zone: get(form, "zone").to_owned(), quiet, digest_at })
}

/// `07:30` as minutes since midnight. Some browsers send seconds too.
fn minute(text: &str) -> Option<u32> {
    let mut parts =
        text.split(':').map(|part| part.parse::<u32>().ok().filter(|_| part.len() == 2 && !part.starts_with('+')));
    let (hour, minute) = (parts.next()??, parts.next()??);
    (hour < 24 && minute < 60 && parts.all(|part| part.is_some())).then_some(hour * 60 + minute)
}

/// Whose mails a link is to end: none where its signature is not ours.
async fn whose(app: &AppState, search: Option<&str>) -> Result<Option<(OrgId, UserId)>, Problem> {
    let pairs = query::parse(search.unwrap_or_default());
    let number = |name: &str| get(&pairs, name).parse::<i64>().ok().filter(|number| *number > 0);
    let Some((org, user)) = number("org").zip(number("user")) else { return Ok(None) };
    let (org, user) = (OrgId(org), UserId(user));
    let key = app.store.link_key().await?;
    Ok(is_ours(&key, org, user, get(&pairs, "sign")).then_some((org, user)))
}

/// Asks whether mails are to end. A GET ends none: programs that look at mails follow their links.
///
/// # Errors
/// What the store says.
pub async fn ask(
    State(app): State<AppState>,
    RawQuery(search): RawQuery,
    page: PageRequest,
) -> Result<Response, Problem> {
    let Some((org, _)) = whose(&app, search.as_deref()).await? else {
        return Ok(shown(&app, page, StatusCode::NOT_FOUND, not_ours()).await);
    };
    let name = match app.store.org(org).await {
        Ok(org) => org.name,
        Err(_) => return Ok(shown(&app, page, StatusCode::NOT_FOUND, not_ours()).await),
    };
    let action = format!("{}?{}", unsubscribe::PATH, search.unwrap_or_default());
    let form = Markup::new("form").attr("method", "post").attr("action", &action);
    let press = Markup::new("button").class("button primary").text("No more of these mails");
    let text = format!("No more mails about {name}? Letters about its payments and invoices come all the same.");
    let panel = vec![Markup::new("p").text(&text), form.child(Markup::new("p").class("form-foot").child(press))];
    Ok(shown(&app, page, StatusCode::OK, panel).await)
}

/// Ends mails: from the page, or by the one POST of a mail program (RFC 8058).
///
/// # Errors
/// What the store says.
pub async fn end(
    State(app): State<AppState>,
    RawQuery(search): RawQuery,
    page: PageRequest,
) -> Result<Response, Problem> {
    let Some((org, user)) = whose(&app, search.as_deref()).await? else {
        return Ok(shown(&app, page, StatusCode::NOT_FOUND, not_ours()).await);
    };
    match app.store.unsubscribe(org, user).await {
        Ok(()) | Err(StoreError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let text = "No more of these mails come. What you are told stands in the app, and there you can turn them on again: \
                Settings, Notifications.";
    Ok(shown(&app, page, StatusCode::OK, vec![Markup::new("p").attr("role", "status").text(text)]).await)
}

fn not_ours() -> Vec<Markup> {
    let text = "This link is not whole. Open it from the mail again, or sign in and go to Settings, Notifications.";
    vec![Markup::new("p").text(text)]
}

async fn shown(app: &AppState, page: PageRequest, status: StatusCode, panel: Vec<Markup>) -> Response {
    let title = "Unsubscribe".to_owned();
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title));
    let panel = Markup::new("section").class("panel").attr("aria-label", &title).children(panel);
    let body = Markup::new("div").class("page").child(head).child(panel);
    let request = Request::from_parts(page.into_parts(), Body::empty());
    let mut response = written_out(app, None, request, Ok(Written { title, body })).await.into_response();
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_browsers_send_them_and_nothing_else_is() {
        assert_eq!(minute("07:30"), Some(450));
        assert_eq!(minute("23:59:59"), Some(1_439));
        for bad in ["", "7:30", "24:00", "12:60", "12", "-1:00", "12:00:x", "１２:00", "+1:00"] {
            assert_eq!(minute(bad), None, "{bad}");
        }
        let form = |pairs: &[(&str, &str)]| {
            wanted(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let quiet = form(&[("mail", "once"), ("zone", "UTC"), ("quiet_from", "22:00"), ("quiet_until", "07:00")]);
        assert_eq!(quiet.expect("wanted").quiet, Some((1_320, 420)));
        assert!(form(&[("mail", "once"), ("quiet_from", "22:00")]).is_none());
        assert!(form(&[("mail", "daily")]).is_none() && form(&[("mail", "hourly")]).is_none());
        assert!(!form(&[("mail", "never")]).expect("wanted").mail);
    }
}

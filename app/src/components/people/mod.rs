//! Members, one's own account, and the pages through which people come in. Server only: these pages stand still (see
//! `components/grants/mod.rs`), every form is plain, and what came of it is a code in the address of the page.

pub mod data;

mod doors;
mod members;
pub(crate) mod parts;
mod passkeys;
mod security;
mod sentences;

use self::parts::Line;
use crate::backend::Backend;
use crate::backend::people::{Shown, mail, ways_in};
use crate::components::error_panel::ErrorPanel;
use crate::components::still::Still;
use crate::error::AppError;
use crate::markup::Markup;
use crate::query;
use leptos::either::Either;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos_router::hooks::use_location;

/// Address of the Members page.
pub const MEMBERS: &str = "/settings/members";
/// Address of the Security page.
pub const SECURITY: &str = "/settings/security";
const SIGN_IN: &str = "/sign-in";
const CODE: &str = "/sign-in/code";
const FORGOT: &str = "/forgot-password";
const RESET: &str = "/reset-password";
const INVITATION: &str = "/invitation";

/// The sentence for what was wrong with a form about people.
#[must_use]
pub fn problem(code: &str) -> &'static str {
    match sentences::wrong(code) {
        Line::Done(text) | Line::Wrong(text) => text,
    }
}

/// The title of a page before one is signed in.
#[must_use]
pub fn title(path: &str) -> Option<&'static str> {
    match path {
        SIGN_IN => Some("Sign in"),
        CODE => Some("Second step"),
        FORGOT => Some("Forgot password"),
        RESET => Some("New password"),
        INVITATION => Some("Invitation"),
        _ => None,
    }
}

/// The page before one is signed in that the address names, once it is read.
#[must_use]
pub fn report() -> impl IntoView {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let filled = ScopedFuture::new(async move {
        match door(&path, &search).await {
            Ok(markup) => Either::Left(Still(markup)),
            // Without a script "Try again" is a link to this address.
            Err(error) => Either::Right(view! { <ErrorPanel error retry=|()| ()/> }),
        }
    });
    view! { <div class="page sign-in">{Suspend::new(filled)}</div> }
}

async fn door(path: &str, search: &str) -> Result<Markup, AppError> {
    let backend = Backend::current();
    let asked = Asked::parse(search);
    let (line, token) = (asked.line.as_ref(), asked.get("token"));
    Ok(match path {
        SIGN_IN => doors::sign_in(line, asked.get("next"), &ways_in()),
        CODE => doors::code(line, asked.get("next")),
        FORGOT => doors::forgot(line, mail()),
        RESET => doors::reset(line, backend.reset_of(token).await?.as_deref(), token),
        INVITATION => doors::invitation(line, &backend.invited(token).await?, token, &ways_in()),
        _ => return Err(AppError::NotFound),
    })
}

/// What stands in the frame of settings.
///
/// # Errors
/// What the store says.
pub async fn settings(path: &str, title: &str, search: &str) -> Result<Markup, AppError> {
    let backend = Backend::current();
    let asked = Asked::parse(search);
    let (line, shown) = (asked.line.as_ref(), use_context::<Shown>());
    let parts = if path == MEMBERS {
        members::page(&backend.members().await?, line, shown.as_ref(), search)
    } else {
        security::page(&backend.security().await?, line, shown.as_ref())
    };
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(title));
    Ok(Markup::new("div").class("people").child(head).children(parts))
}

/// What the address says.
struct Asked {
    pairs: Vec<(String, String)>,
    /// What came of a form.
    line: Option<Line>,
}

impl Asked {
    fn parse(search: &str) -> Self {
        let mut asked = Self { pairs: query::parse(search), line: None };
        asked.line = match asked.get("error") {
            "" => sentences::done(asked.get("done")),
            code => Some(sentences::wrong(code)),
        };
        asked
    }

    fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

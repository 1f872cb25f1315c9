//! What the browser asks the server. All by POST under `/api/fn/`, one file each; the org comes from the session, never
//! from the request.

pub mod analytics;
pub mod event;
pub mod ledger;
pub mod overview;
pub mod rate_card;
pub mod session;

use crate::calendar::{date_and_clock, date_and_seconds};
use crate::error::AppError;
use crate::rows::RowsText;
use ::ledger::Timestamp;
use chrono::NaiveDateTime;
use leptos::prelude::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::pin::Pin;

/// What a server function answers, as pages hold it.
pub type Answer<T> = Resource<Result<T, AppError>, RowsText>;

/// Asks a server function, and again whenever what it is asked changes. The first answer comes with the page.
pub fn answer<S, T, A>(
    asked: impl Fn() -> S + Send + Sync + 'static,
    ask: impl Fn(S) -> A + Send + Sync + 'static,
) -> Answer<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    A: Future<Output = Result<T, AppError>> + Send + 'static,
{
    // Behind a pointer, so that what waits for the answer is compiled for each kind of answer, not for each question.
    let ask = move |asked| -> Pin<Box<dyn Future<Output = Result<T, AppError>> + Send>> { Box::pin(ask(asked)) };
    Resource::new_with_options(asked, ask, false)
}

/// An instant, with the words for it that the server chose in the org's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339, for machines.
    pub iso: String,
    /// For people.
    pub text: String,
}

impl Moment {
    /// From an instant and what the org's clock said then.
    #[must_use]
    pub fn new(at: Timestamp, local: NaiveDateTime) -> Self {
        Self { iso: at.to_string(), text: date_and_clock(local) }
    }

    /// The same to the second: for lists, where much happens within a minute.
    #[must_use]
    pub fn exact(at: Timestamp, local: NaiveDateTime) -> Self {
        Self { iso: at.to_string(), text: date_and_seconds(local) }
    }
}

//! `GET /live`: tells an open page that its org's ledger has moved, so that it asks for its figures again.
//!
//! A stream of server-sent events. `?seen=entry_12` (`entry_12.1795…` for a page that shows payments, too: when one changed last), and `Last-Event-ID` where a browser comes again, say what the page has
//! seen, `?seen=bell_2_17` what the bell has; `moved` with what there is now says that there is more. The writer wakes the stream, so nothing is asked of
//! the database while nothing happens. Bounds: [`MAX_STREAMS`] in all and [`MAX_STREAMS_PER_ORG`], one event in
//! [`LEAST_APART`], a sign of life every [`BEAT_EVERY`], when it is also asked whether the session still is. It ends with
//! the session, when its browser looks at another org, and when the server stops.

use crate::access::SignedIn;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::{Viewer, outbox};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use ledger::{EntrySeq, OrgId};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::HeadWatch;
use tokio_util::sync::CancellationToken;

/// Streams at once: each is a task and a connection.
pub const MAX_STREAMS: usize = 2_048;
/// Of one org: it must not take those of all others. A page that is looked at has two: its own, and the bell's.
pub const MAX_STREAMS_PER_ORG: usize = 128;
/// A busy service books many times a second; nobody reads that fast.
const LEAST_APART: Duration = Duration::from_secs(1);
/// Proxies give up on silence after a minute or so.
const BEAT_EVERY: Duration = Duration::from_secs(20);
/// After which time a browser comes again whose stream broke.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// All streams there are.
#[derive(Debug, Default)]
pub struct Streams {
    orgs: Mutex<HashMap<OrgId, usize>>,
    closing: CancellationToken,
}

impl Streams {
    /// Ends all, since the server stops.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// A place for one more, while there is one.
    fn enter(self: &Arc<Self>, org: OrgId) -> Option<Place> {
        let mut orgs = self.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = orgs.get(&org).copied().unwrap_or(0);
        if of_org >= MAX_STREAMS_PER_ORG || orgs.values().sum::<usize>() >= MAX_STREAMS {
            return None;
        }
        orgs.insert(org, of_org + 1);
        Some(Place { streams: Arc::clone(self), org })
    }
}

/// Taken by a stream as long as it lives.
struct Place {
    streams: Arc<Streams>,
    org: OrgId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut orgs = self.streams.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        match orgs.get_mut(&self.org) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(orgs.remove(&self.org)),
        }
    }
}

/// News of the org of whoever is signed in.
///
/// # Errors
/// 503 where too many listen.
pub async fn live(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again"))?;
    let place = app.streams.enter(viewer.org).ok_or_else(|| {
        let told = "too many pages wait for news at once: reload this one now and then instead";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", told)
    })?;
    let again = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = again.or_else(|| query.as_deref().and_then(|query| query.strip_prefix("seen=")));
    // Before the chain is read: what is booked in between is not missed.
    let watch = app.store.watch_head(viewer.org);
    let seen = seen.map(Seen::parse).unwrap_or_default();
    let stream = Stream { app, viewer, seen, watch, _place: place, begun: false };
    // A proxy that keeps what it is sent would keep the news.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(futures::stream::unfold(Some(stream), Stream::next))).into_response())
}

/// What a page has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    /// The end of the chain.
    head: Option<EntrySeq>,
    /// When a payment changed last; `None` for a page that shows none.
    payments: Option<i64>,
    /// What somebody was told: how much of it is unread, and the newest; nothing else counts for what asks for it.
    bell: Option<(u32, i64)>,
}

impl Seen {
    fn parse(text: &str) -> Self {
        if let Some(bell) = text.strip_prefix("bell_") {
            let (unread, newest) = bell.split_once('_').unwrap_or((bell, ""));
            let bell = (unread.parse().unwrap_or(0), newest.parse().unwrap_or(0));
            return Self { bell: Some(bell), ..Self::default() };
        }
        let (head, payments) = text.split_once('.').map_or((text, None), |(head, payments)| (head, Some(payments)));
        Self { head: EntrySeq::parse(head), payments: payments.map(|at| at.parse().unwrap_or(0)), bell: None }
    }
}

struct Stream {
    app: AppState,
    viewer: Viewer,
    seen: Seen,
    watch: HeadWatch,
    _place: Place,
    begun: bool,
}

impl Stream {
    async fn next(this: Option<Self>) -> Option<(Result<Event, Infallible>, Option<Self>)> {
        let mut this = this?;
        if std::mem::replace(&mut this.begun, true) {
            let closing = this.app.streams.closing.clone();
            tokio::select! {
                () = closing.cancelled() => return None,
                () = this.watch.moved() => tokio::time::sleep(LEAST_APART).await,
                () = tokio::time::sleep(BEAT_EVERY) => {}
            }
            if !this.is_signed_in().await {
                return None;
            }
        }
        let event = this.news().await.unwrap_or_else(|| Event::default().comment("nothing new").retry(COME_AGAIN));
        Some((Ok(event), Some(this)))
    }

    /// What somebody was told beyond what they have seen.
    async fn told(&mut self) -> Option<Event> {
        let bell = self.app.store.bell(self.viewer.org, self.viewer.user).await.ok()?;
        if self.seen.bell == Some(bell) {
            return None;
        }
        self.seen.bell = Some(bell);
        let text = outbox::seen(bell);
        Some(Event::default().event("moved").id(text.clone()).data(text))
    }

    /// Where the chain has grown beyond what the page has seen.
    async fn news(&mut self) -> Option<Event> {
        if self.seen.bell.is_some() {
            return self.told().await;
        }
        // What cannot be read now is read at the next beat.
        let head = self.app.store.head(self.viewer.org).await.ok()?.seq;
        let payments = match self.seen.payments {
            Some(_) => Some(self.app.store.payments_changed(self.viewer.org).await.ok()?),
            None => None,
        };
        let now = Seen { head: Some(head), payments, bell: None };
        if self.seen == now {
            return None;
        }
        self.seen = now;
        let text = payments.map_or_else(|| head.to_string(), |payments| format!("{head}.{payments}"));
        Some(Event::default().event("moved").id(text.clone()).data(text))
    }

    async fn is_signed_in(&self) -> bool {
        // Where it cannot be said, the browser comes again and is asked.
        let org = self.app.store.session_org(self.viewer.session).await.ok().flatten();
        org == Some(self.viewer.org)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_cannot_take_the_places_of_all_others() {
        let streams = Arc::new(Streams::default());
        let taken: Vec<_> = (0..MAX_STREAMS_PER_ORG).filter_map(|_| streams.enter(OrgId(1))).collect();
        assert!(taken.len() == MAX_STREAMS_PER_ORG && streams.enter(OrgId(1)).is_none());
        let others = i64::try_from(MAX_STREAMS / MAX_STREAMS_PER_ORG).expect("few");
        let rest: Vec<_> = (2..=others)
            .flat_map(|org| (0..MAX_STREAMS_PER_ORG).map(move |_| OrgId(org)))
            .filter_map(|org| streams.enter(org))
            .collect();
        assert!(taken.len() + rest.len() == MAX_STREAMS && streams.enter(OrgId(99)).is_none());
        drop((taken, rest));
        assert!(streams.orgs.lock().expect("alive").is_empty() && streams.enter(OrgId(1)).is_some());
    }
}

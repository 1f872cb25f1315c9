//! The app's way to the store, and the only one. Server only.
//!
//! The server puts a [`Backend`] into the context of every page and server function; whose org is read follows from the
//! viewer in it. Each answer is put together here: server functions only pass it on.

use crate::calendar::{Day, date_and_seconds};
use crate::components::difference::difference;
use crate::components::empty_state::first_event;
use crate::components::events_table::EventLine;
use crate::components::overview_cards::{Figures, cards, head, last_events};
use crate::error::{AppError, RequestId};
use crate::format;
use crate::server_fns::Moment;
use crate::server_fns::analytics::{Analytics, Compared, DEFAULT_DAYS};
use crate::server_fns::overview::{DAYS, EVENTS, Overview, Recent};
use crate::server_fns::session::SessionInfo;
use crate::usage_chart::Usage;
use crate::view::{View, can_have};
use ::ledger::cube::{MAX_BUCKETS, MeterInfo};
use ::ledger::{Interval, Meter, OrgId, Permission, Quantity, Role, Timestamp};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use chrono::NaiveDateTime;
use leptos::prelude::{expect_context, use_context};
use store::{By, CubeQuery, EventPage, EventRow, Org, Range, StoreError, Wide};

pub mod audit;
pub mod deletion;
pub mod desk;
mod grants;
pub mod keys;
mod operator;
pub mod people;
pub mod rate_card;
pub mod settings;
pub mod setup;
mod timeline;

pub use store::{Store, UserId};

pub mod event;
pub mod ledger;

/// The store, and who looks at it.
#[derive(Clone)]
pub struct Backend {
    /// The store.
    pub store: Store,
    /// Who is signed in; `None` on the sign-in page.
    pub viewer: Option<Viewer>,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The person.
    pub user: UserId,
    /// SHA-256 of the token of the session.
    pub session: [u8; 32],
    /// By which they sign in.
    pub email: String,
    /// Whose figures they see.
    pub org: OrgId,
    /// What they may do there.
    pub role: Role,
    /// Whether they may give, adjust and correct credits: whoever runs the installation, whatever the org.
    pub operator: bool,
    /// From where, for the audit log.
    pub address: Option<String>,
}

impl Viewer {
    /// Who changes something, for the ledger and the audit log.
    #[must_use]
    pub fn by(&self) -> By {
        By::user(&self.email, self.address.clone())
    }
}

impl Backend {
    /// Whoever is signed in, if their role may do that. The guard of routes asks the same before; a page that is reached in
    /// another way says it too.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or a sentence that says who may.
    pub fn allowed(&self, permission: Permission) -> Result<&Viewer, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        if viewer.role.may(permission) {
            return Ok(viewer);
        }
        Err(AppError::Refused { problem: permission.refusal(viewer.role) })
    }

    /// That of the request being answered.
    #[must_use]
    pub fn current() -> Self {
        expect_context::<Self>()
    }

    /// The head of the page.
    ///
    /// # Errors
    /// What the store says.
    pub async fn session(&self) -> Result<Option<SessionInfo>, AppError> {
        let Some(viewer) = &self.viewer else { return Ok(None) };
        let org = self.store.org(viewer.org).await?;
        let warning = grants::warning(&self.store, &org, viewer.operator).await?;
        let email = viewer.email.clone();
        let switcher = people::switcher(&self.store, viewer).await?;
        Ok(Some(SessionInfo { org: org.name, switcher, synthetic: org.synthetic, words: org.words, email, warning }))
    }

    /// The Overview page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn overview(&self) -> Result<Overview, AppError> {
        let origin = origin();
        let id = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?.org;
        let org = self.store.org(id).await?;
        let now = self.store.now();
        let today = local_day(&org, now)?;
        let query = days(today.plus_days(1 - DAYS), today, Interval::Day);
        let cube = self.store.cube(id, &query).await?;
        let balance = self.store.balance(id).await?;
        let low_balance = self.store.org_settings(id).await?.low_balance;
        let totals = self.store.totals(id).await?;
        let rows = self.store.events(id, &EventPage { before: None, limit: EVENTS }).await?;
        let events = rows.iter().map(|row| event_line(&org, &cube.meters, row)).collect::<Result<Vec<_>, _>>()?;
        let as_of = Moment::new(now, local(&org, now)?);
        // Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them.
        let recent = Usage::of(&cube, &View::default()).unwrap_or_default().total.credits;
        let (granted, spent, event_count) = (totals.granted, totals.spent, totals.events);
        let used = event_count > 0;
        Ok(Overview {
            head: head(&as_of),
            cards: cards(&org.words, &Figures { balance, low_balance, granted, spent, recent, event_count }),
            events: if used { last_events(&org.words, &events) } else { first_event(&origin, &org.name, &cube.meters) },
            recent: used.then(|| Recent { zone: org.zone.name().to_owned(), cube, as_of: as_of.text }),
            difference: difference(&org.words, totals.difference),
        })
    }

    /// The Analytics page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], [`AppError::BadRange`], or what the store says.
    pub async fn analytics(&self, query: &str) -> Result<Analytics, AppError> {
        let org = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?.org;
        analytics(&self.store, org, &View::parse(query)).await
    }
}

/// The usage of an org that a view shows.
///
/// # Errors
/// [`AppError::BadRange`] for more bars than a cube has, or what the store says.
pub async fn analytics(store: &Store, id: OrgId, view: &View) -> Result<Analytics, AppError> {
    let org = store.org(id).await?;
    let now = store.now();
    let today = local_day(&org, now)?;
    let (from, to) = view.days(today).unwrap_or((today.plus_days(1 - DEFAULT_DAYS), today));
    let interval = view.interval_over(from, to);
    if !can_have(interval, from, to) {
        return Err(AppError::BadRange {
            problem: format!("This range gives more than {MAX_BUCKETS} bars. Choose a shorter one, or wider bars."),
        });
    }
    let wide = Wide { facet: view.group.facet().cloned(), chosen: view.facets.clone(), ..Wide::default() };
    let query = |from, to| CubeQuery { wide: wide.clone(), ..days(from, to, interval) };
    let cube = store.cube(id, &query(from, to)).await?;
    let compared = match view.compare.map(|compare| compare.days((from, to))) {
        Some((from, to)) => Some(Compared { from, to, cube: store.cube(id, &query(from, to)).await? }),
        None => None,
    };
    // What the view is made from is what is held against the ledger.
    let differs = if wide.is_asked() { store.wide_difference(id).await? } else { store.totals(id).await?.difference };
    let difference = difference(&org.words, differs);
    Ok(Analytics { from, to, today, cube, compared, difference, as_of: Moment::new(now, local(&org, now)?) })
}

fn days(from: Day, to: Day, interval: Interval) -> CubeQuery {
    CubeQuery::new(Range::Days(from.date(), to.date()), interval)
}

fn event_line(org: &Org, meters: &[MeterInfo], row: &EventRow) -> Result<EventLine, AppError> {
    let event = &row.event;
    let local = local(org, row.occurred_at)?;
    Ok(EventLine {
        seq: row.seq,
        time: Moment { iso: row.occurred_at.to_string(), text: date_and_seconds(local) },
        operation: event.operation.to_string(),
        quantities: quantities(meters, row),
        source: event.source.to_string(),
        project: event.project.as_ref().map(|p| p.name.as_ref().unwrap_or(&p.id).to_string()),
        status: event.status,
        credits: row.credits,
    })
}

/// Service, or title where it has none, and amount of each quantity, in the order of the rate card.
fn quantities(meters: &[MeterInfo], row: &EventRow) -> Vec<(String, String)> {
    let place = |meter: &Meter| meters.iter().position(|m| m.meter == *meter).unwrap_or(meters.len());
    let mut ordered: Vec<_> = row.event.quantities.iter().map(|(m, q)| (place(m), m, *q)).collect();
    ordered.sort_by_key(|(place, _, _)| *place);
    let told = |(place, meter, quantity): (usize, &Meter, Quantity)| {
        let Some(info) = meters.get(place) else { return (meter.to_string(), format::quantity(quantity)) };
        let name = if info.service.is_empty() { &info.title } else { &info.service };
        let unit = event::unit_of(info);
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        (name.clone(), format::quantity(quantity) + &unit)
    };
    ordered.into_iter().map(told).collect()
}

/// What the org's clock said at an instant.
fn local(org: &Org, at: Timestamp) -> Result<NaiveDateTime, AppError> {
    let utc = at.to_chrono().ok_or(AppError::Internal { request_id: request_id() })?;
    Ok(utc.with_timezone(&org.zone).naive_local())
}

/// An instant as operators read it, whatever org it is about.
fn utc_moment(at: Timestamp) -> Result<Moment, AppError> {
    let utc = at.to_chrono().ok_or(AppError::Internal { request_id: request_id() })?;
    Ok(Moment { iso: at.to_string(), text: format!("{} UTC", date_and_seconds(utc.naive_utc())) })
}

fn local_day(org: &Org, at: Timestamp) -> Result<Day, AppError> {
    Day::new(local(org, at)?.date()).ok_or(AppError::Internal { request_id: request_id() })
}

/// Where the browser reached us. A proxy that terminates TLS says so in `x-forwarded-proto`; the answer goes to the
/// same browser only, so a forged header deceives nobody else.
#[must_use]
pub fn origin() -> String {
    use_context::<Parts>().map_or_else(|| origin_of(&HeaderMap::new()), |parts| origin_of(&parts.headers))
}

/// The same for a handler that has the request itself.
#[must_use]
pub fn origin_of(headers: &HeaderMap) -> String {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let scheme = header("x-forwarded-proto").filter(|s| *s == "https").unwrap_or("http");
    let is_host = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    format!("{scheme}://{}", header("host").filter(is_host).unwrap_or("127.0.0.1:3000"))
}

fn request_id() -> Option<String> {
    use_context::<RequestId>().map(|id| id.0)
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let request_id = request_id();
        match error {
            StoreError::Refused(refusal) => Self::Refused { problem: refusal.to_string() },
            StoreError::BadRange(problem) => Self::BadRange { problem: problem.to_owned() },
            StoreError::Busy | StoreError::Stopped => Self::Busy { request_id },
            StoreError::NotFound(_) => Self::NotFound,
            error @ (StoreError::Conflict(_)
            | StoreError::TooLarge
            | StoreError::FileExists(_)
            | StoreError::Database(_)
            | StoreError::Internal(_)) => {
                tracing::error!(?error, ?request_id, "a page could not be filled");
                Self::Internal { request_id }
            }
        }
    }
}

//! The app's way to the store, and the only one. Server only.
//!
//! The server puts a [`Backend`] into the context of every page and server function; whose org is read follows from the
//! viewer in it. Each answer is put together here: server functions only pass it on.

use crate::calendar::{Day, date_and_seconds};
use crate::components::banner::More;
use crate::components::difference::difference;
use crate::error::{AppError, RequestId};
use crate::markup::Markup;
use crate::server_fns::Moment;
use crate::server_fns::analytics::{Analytics, Compared, DEFAULT_DAYS};
use crate::server_fns::session::SessionInfo;
use crate::view::{View, can_have};
use ::ledger::cube::MAX_BUCKETS;
use ::ledger::{Dimension, Interval, OrgId, Permission, Role, Timestamp};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use chrono::NaiveDateTime;
use leptos::prelude::{expect_context, use_context};
use store::{By, CubeQuery, Narrow, Range, StoreError, Wide};

pub mod alerts;
pub mod audit;
mod customers;
pub mod deletion;
pub mod desk;
mod events_csv;
mod export;
mod focus;
mod grants;
pub mod interactions;
mod invoices;
pub mod keys;
mod operator;
pub mod outbox;
mod overview;
mod part;
mod paying;
pub mod people;
pub mod plans;
mod projects;
pub mod purchases;
pub mod rate_card;
mod report;
mod runs;
pub mod runs_csv;
mod saved_views;
mod search;
pub mod settings;
pub mod setup;
mod timeline;
pub mod top_up;
pub mod transactions;
mod workflows;

pub use export::EventsCsv;
pub(crate) use overview::refused;
pub use store::{Operation, Org, Store, UserId};

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

    /// How they come by more credits.
    #[must_use]
    pub fn more(&self) -> More {
        match (self.operator, self.role.may(Permission::ManageBilling)) {
            (true, _) => More::Give,
            (false, true) => More::Buy,
            (false, false) => More::Ask,
        }
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
        let warning = grants::warning(&self.store, &org, viewer.more()).await?;
        let switcher = people::switcher(&self.store, viewer, &org.name).await?;
        let synthetic = org.synthetic.then(|| {
            let badge = Markup::new("span").class("badge");
            badge.attr("title", "This organization was filled with made-up usage.").text("Synthetic sample data")
        });
        let whose = Markup::new("div").class("org").child(switcher).children(synthetic);
        let whose = whose.child(outbox::bell_link(self.bell().await?));
        Ok(Some(SessionInfo { whose, leave: leave(&viewer.email), words: org.words, warning }))
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
    let wide = wide(view);
    let narrow = view.is_narrow().then(|| shown_of(view, view.group.clone()));
    let query = |from, to| CubeQuery { wide: wide.clone(), narrow: narrow.clone(), ..days(from, to, interval) };
    let cube = store.cube(id, &query(from, to)).await?;
    let compared = match view.compare.map(|compare| compare.days((from, to))) {
        Some((from, to)) => Some(Compared { from, to, cube: store.cube(id, &query(from, to)).await? }),
        None => None,
    };
    // What the view is made from is what is held against the ledger.
    let difference = difference(&org.words, store.difference(id, &wide).await?);
    let reach = part::reach(store, &org, (from, to)).await?;
    let as_of = Moment::new(now, local(&org, now)?);
    let last = if cube.calls.is_empty() { store.last_day(id).await?.and_then(Day::new) } else { None };
    Ok(Analytics { from, to, today, cube, compared, reach, last, difference, as_of, origin: origin() })
}

/// The form that signs out.
fn leave(email: &str) -> Markup {
    let button = Markup::new("button").class("button quiet").attr("title", &format!("Signed in as {email}"));
    let button = button.child(icon("leave")).child(Markup::new("span").text("Sign out"));
    Markup::new("form").class("sign-out").attr("method", "post").attr("action", "/sign-out").child(button)
}

/// A decoration from `public/icons.svg`: whatever it stands for is also said in words.
fn icon(name: &str) -> Markup {
    let icon = format!(
        "<svg class=\"icon\" width=\"16\" height=\"16\" aria-hidden=\"true\"><use href=\"/icons.svg#{name}\"></use></svg>"
    );
    Markup::new("span").class("glyph").drawing(&icon)
}

/// What a view asks beyond what the rollups tell apart.
fn wide(view: &View) -> Wide {
    Wide { facet: view.group.facet().cloned(), chosen: view.facets.clone(), ..Wide::default() }
}

/// What is shown of a view that is told apart by one dimension.
fn shown_of(view: &View, group: Dimension) -> Narrow {
    Narrow::new(vec![group], view.sources.clone(), view.projects.clone())
}

fn days(from: Day, to: Day, interval: Interval) -> CubeQuery {
    CubeQuery::new(Range::Days(from.date(), to.date()), interval)
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

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let request_id = request_id();
        match error {
            StoreError::Refused(refusal) => Self::Refused { problem: refusal.to_string() },
            error @ StoreError::Pruned { .. } => Self::Refused { problem: capitalized(&error.to_string()) },
            StoreError::Subscription(refusal) => Self::Refused { problem: refusal.to_string() },
            StoreError::NoSale(refusal) => Self::Refused { problem: refusal.to_string() },
            StoreError::NoRefund(refusal) => Self::Refused { problem: refusal.to_string() },
            StoreError::TooMany(problem) => Self::Refused { problem: problem.to_owned() },
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

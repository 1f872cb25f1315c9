//! Messages and where they go, as pages show them.

use super::audit::Deleted;
use super::people::moment;
use super::{Backend, Viewer};
use crate::error::AppError;
use crate::markup::Markup;
use crate::server_fns::Moment;
use ledger::{DeliveryId, EndpointId, MessageId, Permission, Timestamp};
use store::Org;

pub use store::calendar::zone_names;
pub use store::outbox::delivery::{Attempt, Delivery, DeliveryPage, DeliveryRow, Message, Sent, State};
pub use store::outbox::endpoint::{Endpoint, HEALTH_DAYS, Health, MAX_COUNTED};
pub use store::outbox::inbox::Told;
pub use store::outbox::person::PersonChannel;

/// Rows of a page.
const ROWS: u32 = 50;

/// An instant in the org's zone.
///
/// # Errors
/// Beyond what a calendar holds.
pub fn told_at(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    moment(org, at)
}

/// What the bell and open pages have seen: how much is unread, and the newest message.
#[must_use]
pub fn seen((unread, newest): (u32, i64)) -> String {
    format!("bell_{unread}_{newest}")
}

impl Backend {
    fn person(&self) -> Result<&Viewer, AppError> {
        self.viewer.as_ref().ok_or(AppError::NotSignedIn)
    }

    /// Endpoints of the viewer's org, and how each fares.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn endpoints(&self) -> Result<Vec<(Endpoint, Health)>, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        Ok(self.store.endpoints_with_health(viewer.org).await?)
    }

    /// How one of them fares.
    ///
    /// # Errors
    /// As [`Backend::endpoints`].
    pub async fn endpoint_health(&self, id: EndpointId) -> Result<Health, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        Ok(self.store.endpoint_health(viewer.org, id).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or as [`Backend::endpoints`].
    pub async fn endpoint(&self, id: &str) -> Result<Endpoint, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let id = EndpointId::parse(id).ok_or(AppError::NotFound)?;
        Ok(self.store.endpoint(viewer.org, id).await?)
    }

    /// An endpoint that was deleted.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there never was one, or as [`Backend::endpoints`].
    pub async fn deleted_endpoint(&self, org: &Org, id: &str) -> Result<Deleted, AppError> {
        self.allowed(Permission::ManageSettings)?;
        let id = EndpointId::parse(id).ok_or(AppError::NotFound)?;
        self.deleted(org, "endpoint.delete", id.to_string()).await
    }

    /// A page of its deliveries, newest first, and where the next begins.
    ///
    /// # Errors
    /// As [`Backend::endpoints`].
    pub async fn deliveries(
        &self,
        endpoint: EndpointId,
        state: Option<State>,
        before: Option<DeliveryId>,
    ) -> Result<(Vec<DeliveryRow>, Option<DeliveryId>), AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let page = DeliveryPage { endpoint: Some(endpoint), state, before: before.map(|id| id.0), limit: ROWS + 1 };
        let mut rows = self.store.deliveries(viewer.org, page).await?;
        let is_full = rows.len() > ROWS as usize;
        rows.truncate(ROWS as usize);
        let next = rows.last().filter(|_| is_full).map(|row| row.id);
        Ok((rows, next))
    }

    /// A delivery with what was sent and what came of it.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or as [`Backend::endpoints`].
    pub async fn delivery(&self, id: &str) -> Result<Delivery, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let id = DeliveryId::parse(id).ok_or(AppError::NotFound)?;
        Ok(self.store.delivery(viewer.org, id).await?)
    }

    /// A page of what the viewer was told, newest first, and where the next begins.
    ///
    /// # Errors
    /// What the store says.
    pub async fn inbox(
        &self,
        unread: bool,
        before: Option<MessageId>,
    ) -> Result<(Vec<Told>, Option<MessageId>), AppError> {
        let viewer = self.person()?;
        let mut rows = self.store.inbox(viewer.org, viewer.user, unread, before, ROWS + 1).await?;
        let is_full = rows.len() > ROWS as usize;
        rows.truncate(ROWS as usize);
        let next = rows.last().filter(|_| is_full).map(|row| row.message.id);
        Ok((rows, next))
    }

    /// How much of it is unread, and the newest message.
    ///
    /// # Errors
    /// What the store says.
    pub async fn bell(&self) -> Result<(u32, i64), AppError> {
        let viewer = self.person()?;
        Ok(self.store.bell(viewer.org, viewer.user).await?)
    }

    /// How the viewer wants to hear.
    ///
    /// # Errors
    /// What the store says.
    pub async fn person_channel(&self) -> Result<PersonChannel, AppError> {
        let viewer = self.person()?;
        Ok(self.store.person_channel(viewer.org, viewer.user).await?)
    }
}

/// The way to what one was told, with how much of it is unread; `public/bell.js` keeps it up to date.
pub(super) fn bell_link((unread, newest): (u32, i64)) -> Markup {
    let count = match unread {
        0 => String::new(),
        store::outbox::inbox::MAX_COUNTED.. => "99+".to_owned(),
        unread => unread.to_string(),
    };
    let label = if unread == 0 { "Notifications".to_owned() } else { format!("Notifications, {count} unread") };
    Markup::new("a")
        .class("bell")
        .attr("href", "/notifications")
        .attr("rel", "external")
        .attr("aria-label", &label)
        .attr("title", "Notifications")
        .attr("data-bell", &seen((unread, newest)))
        .child(super::icon("bell"))
        .child(Markup::new("b").text(&count))
}

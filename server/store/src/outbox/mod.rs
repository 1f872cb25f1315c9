//! The outbox: what people and other systems are to hear, as rows written in the transaction that caused them.
//!
//! [`Tx::announce`] writes a message and everybody who hears of it: a delivery for each endpoint, a line in the inbox
//! of each person. So a message is neither lost nor told of something that was undone; jobs carry it, at least once, under an id that
//! stays. A crash between sending and noting sends it again, under the same id.
//!
//! [`caused`] is what the ledger itself gives to tell. People hear when they want to ([`person`]), by [`mail`] and in their [`inbox`].
//!
//! Cost: a row, and one per endpoint and person. Bounds: [`endpoint::MAX_ENDPOINTS`] and the members of the org.

pub(crate) mod caused;
pub mod delivery;
pub mod endpoint;
mod expiring;
pub mod inbox;
pub mod mail;
pub mod person;
mod prune;

use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::user::UserId;
use delivery::Message;
use ledger::canon::hex;
use ledger::{DeliveryId, EndpointId, MessageId, MessageKind, Money, OrgId, Role, Timestamp};
use rusqlite::{Row, params};
use serde_json::Value;
use std::collections::BTreeSet;

/// Who is to hear of a message, besides the endpoints subscribed to its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// These people, as far as they are members.
    pub people: Vec<UserId>,
    /// Everybody who is one of these.
    pub roles: Vec<Role>,
    /// These endpoints, whatever they are subscribed to.
    pub endpoints: Vec<EndpointId>,
    /// Whether the app shows it to these people.
    pub in_app: bool,
    /// Whether a mail is sent to those of them who want mails.
    pub mail: bool,
}

impl Recipients {
    /// Whoever hears of a kind where nobody chose.
    #[must_use]
    pub fn of(kind: MessageKind) -> Self {
        let audience = kind.audience();
        Self { roles: audience.roles, in_app: audience.in_app, mail: audience.mail, ..Self::default() }
    }
}

impl Tx<'_> {
    /// Writes a message, and who hears of it. `data` is what its webhook says in `data`: amounts as decimal strings of six places,
    /// instants as RFC 3339; no secrets. In a past that is being made nobody hears of it.
    pub(crate) fn announce(
        &mut self,
        org: OrgId,
        kind: MessageKind,
        data: &Value,
        to: &Recipients,
    ) -> Result<MessageId, StoreError> {
        let now = self.now().micros();
        let public_id = format!("msg_{}", hex(&crate::random::bytes::<16>()));
        let sql = "INSERT INTO message (org_id, message_id, kind, public_id, data, made_at)
            SELECT ?1, coalesce(max(message_id), 0) + 1, ?2, ?3, ?4, ?5 FROM message WHERE org_id = ?1 RETURNING message_id";
        let values = params![org.0, kind.as_str(), public_id, data.to_string(), now];
        let id = MessageId(self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?);
        if self.is_past {
            return Ok(id);
        }
        self.deliver(org, id, kind, &to.endpoints)?;
        if to.in_app || to.mail {
            self.tell_people(org, id, to)?;
        }
        // Bell and pages show it at once.
        self.moved(org);
        Ok(id)
    }

    /// A delivery for each endpoint that hears of it.
    fn deliver(
        &mut self,
        org: OrgId,
        id: MessageId,
        kind: MessageKind,
        named: &[EndpointId],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let sql = "SELECT endpoint_id, kinds FROM endpoint
            WHERE org_id = ?1 AND disabled IS NULL AND deleted_at IS NULL ORDER BY endpoint_id";
        let mut select = self.conn.prepare_cached(sql)?;
        let mut rows = select.query([org.0])?;
        while let Some(row) = rows.next()? {
            let (endpoint, kinds): (i64, String) = (row.get(0)?, row.get(1)?);
            let kinds: Vec<String> = serde_json::from_str(&kinds)?;
            let subscribed = kind.is_offered() && (kinds.is_empty() || kinds.iter().any(|name| name == kind.as_str()));
            if !subscribed && !named.contains(&EndpointId(endpoint)) {
                continue;
            }
            insert_delivery(self, org, id, EndpointId(endpoint), Some(now))?;
        }
        Ok(())
    }

    /// A line in the inbox of each person who hears of it.
    fn tell_people(&mut self, org: OrgId, id: MessageId, to: &Recipients) -> Result<(), StoreError> {
        let now = self.now();
        let mut select = self.conn.prepare_cached("SELECT user_id, role FROM member WHERE org_id = ?1")?;
        let members = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let members: Vec<(i64, String)> = members.collect::<Result<_, _>>()?;
        let named = |user: i64, role: &str| {
            to.people.contains(&UserId(user)) || Role::parse(role).is_some_and(|role| to.roles.contains(&role))
        };
        let people: BTreeSet<i64> =
            members.into_iter().filter(|(user, role)| named(*user, role)).map(|(user, _)| user).collect();
        for user in people {
            let mail_at = if to.mail { person::mail_at(self.conn, org, UserId(user), now)? } else { None };
            let mail_at = mail_at.map(Timestamp::micros);
            let insert = "INSERT INTO inbox (org_id, user_id, message_id, in_app, mail_at) VALUES (?1, ?2, ?3, ?4, ?5)";
            self.conn.prepare_cached(insert)?.execute(params![org.0, user, id.0, to.in_app, mail_at])?;
        }
        Ok(())
    }
}

/// An amount of money without its currency.
pub(crate) fn decimal(money: Money) -> String {
    let text = money.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Puts a message on its way to an endpoint; without `next_try_at` it waits for somebody to send it.
fn insert_delivery(
    tx: &Tx<'_>,
    org: OrgId,
    message: MessageId,
    endpoint: EndpointId,
    next_try_at: Option<Timestamp>,
) -> Result<DeliveryId, StoreError> {
    let insert = "INSERT INTO delivery (org_id, delivery_id, message_id, endpoint_id, state, made_at, next_try_at)
        SELECT ?1, coalesce(max(delivery_id), 0) + 1, ?2, ?3, 'waiting', ?4, ?5 FROM delivery WHERE org_id = ?1
        RETURNING delivery_id";
    let values = params![org.0, message.0, endpoint.0, tx.now().micros(), next_try_at.map(Timestamp::micros)];
    Ok(DeliveryId(tx.conn.prepare_cached(insert)?.query_row(values, |row| row.get(0))?))
}

/// Number, kind, public id, data and time of a message, from that column on.
fn message_of(row: &Row<'_>, from: usize) -> Result<Message, StoreError> {
    let (kind, data): (String, String) = (row.get(from + 1)?, row.get(from + 3)?);
    Ok(Message {
        id: MessageId(row.get(from)?),
        kind: MessageKind::parse(&kind).ok_or_else(|| unreadable("kind of message"))?,
        public_id: row.get(from + 2)?,
        data: serde_json::from_str(&data)?,
        made_at: Timestamp::from_micros(row.get(from + 4)?),
    })
}

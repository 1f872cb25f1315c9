//! What the ledger itself gives to tell: grants that come and expire, holds that run out, and a balance that crosses a line.
//!
//! Each is announced in the transaction that books it. What is told late (a grant of the past, usage of an import) is history and not news:
//! see [`RECENT_US`]. A balance is weighed once per transaction and org, after everything in it is booked.

use super::Recipients;
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::{grant, settings};
use ledger::crossing::{Level, Told, weigh};
use ledger::{Account, Credits, Entry, EntryKind, Grant, GrantId, GrantKind, Hold, MessageKind, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

/// How old a grant or usage may be that is news: services report late, imports report months.
pub(crate) const RECENT_US: i64 = 86_400_000_000;

/// What is known of an org's balance besides the balance.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watch {
    /// What was last said of it.
    told: Option<Told>,
    /// The org's own limit.
    pub(crate) limit: Option<Credits>,
}

impl Watch {
    pub(crate) fn load(conn: &Connection, org: OrgId) -> Result<Self, StoreError> {
        let sql = "SELECT state, paused FROM balance_told WHERE org_id = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
        let found = conn.prepare_cached(sql)?.query_row([org.0], row).optional()?;
        let told = found.map(|(state, paused)| {
            let level = Level::parse(&state).ok_or_else(|| unreadable("state of a balance"))?;
            Ok::<_, StoreError>(Told { level, paused })
        });
        Ok(Self { told: told.transpose()?, limit: settings::low_balance(conn, org)? })
    }
}

impl Tx<'_> {
    /// Announces what an entry means by itself. `hold`: the one that it ends; `given`: the grant that it gives.
    pub(crate) fn announce_entry(
        &mut self,
        org: OrgId,
        entry: &Entry,
        hold: Option<Hold>,
        given: Option<&Grant>,
    ) -> Result<(), StoreError> {
        if let Some(grant) = given.filter(|grant| self.is_recent(grant.effective_at)) {
            self.tell_all(org, MessageKind::GrantCreated, &created(grant))?;
        }
        match &entry.draft.kind {
            EntryKind::Expiry { grant } | EntryKind::Rollover { grant, .. } => self.announce_expiry(org, *grant, entry),
            EntryKind::HoldExpiry { .. } => match hold {
                Some(hold) => self.tell_all(org, MessageKind::HoldExpired, &expired(&hold, entry.draft.happened_at)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn announce_expiry(&mut self, org: OrgId, id: GrantId, entry: &Entry) -> Result<(), StoreError> {
        let lost = entry.draft.postings.iter().filter(|posting| posting.account == Account::Expired);
        let lost = Credits::sum(lost.map(|posting| posting.amount))?;
        if !lost.is_positive() {
            return Ok(());
        }
        let Some(grant) = grant::find(self.conn, org, id)? else { return Ok(()) };
        // It was over when it was told: nobody ever had it.
        if grant.expires_at.zip(grant::given_at(self.conn, org, id)?).is_some_and(|(end, given)| given >= end) {
            return Ok(());
        }
        let data = json!({"grant": id.to_string(), "kind": grant.kind.as_str(), "amount": grant.amount.to_string(),
            "expired": lost.to_string(), "expired_at": entry.draft.happened_at.to_string(), "url": "/grants"});
        let kind = MessageKind::GrantExpired;
        // What a plan gives ends every month: no news for people.
        let to = if grant.kind == GrantKind::Plan { Recipients::default() } else { Recipients::of(kind) };
        self.announce(org, kind, &data, &to).map(drop)
    }

    fn is_recent(&self, at: Timestamp) -> bool {
        at.micros() >= self.now().micros().saturating_sub(RECENT_US)
    }

    /// Announces to whoever hears of that kind where nobody chose.
    pub(crate) fn tell_all(&mut self, org: OrgId, kind: MessageKind, data: &Value) -> Result<(), StoreError> {
        self.announce(org, kind, data, &Recipients::of(kind)).map(drop)
    }

    /// Looks whether the balances of orgs that booked something have crossed a line, and says so.
    pub(crate) fn weigh_all(&mut self) -> Result<(), StoreError> {
        self.take_unweighed().into_iter().try_for_each(|(org, is_told)| self.weigh(org, is_told))
    }

    fn weigh(&mut self, id: OrgId, is_told: bool) -> Result<(), StoreError> {
        self.org(id)?;
        let now = self.now();
        let org = self.org(id)?;
        let (before, policy, balance) = (org.watch, org.position.policy, org.position.balance(now)?);
        let (told, news) = weigh(before.told, &balance, before.limit);
        if told == before.told {
            return Ok(());
        }
        org.watch.told = told;
        if let Some(told) = told {
            let sql = "INSERT INTO balance_told (org_id, state, paused) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET state = excluded.state, paused = excluded.paused";
            self.conn.prepare_cached(sql)?.execute(params![id.0, told.level.as_str(), told.paused])?;
        }
        // What a past crossed is where the next crossing begins.
        if !is_told {
            return Ok(());
        }
        let paused = news.contains(&MessageKind::OrgPaused);
        let depleted = news.contains(&MessageKind::BalanceDepleted);
        for kind in news {
            let mut data =
                json!({"available": balance.available.to_string(), "debt": balance.debt.to_string(), "url": "/"});
            if matches!(kind, MessageKind::OrgPaused | MessageKind::OrgResumed) {
                data["policy"] = json!(policy.name());
            } else {
                data["held"] = json!(balance.held.to_string());
                data["state"] = json!(balance.state);
            }
            if let (MessageKind::BalanceLow, Some(limit)) = (kind, before.limit) {
                data["limit"] = json!(limit.to_string());
            }
            // Systems hear of each crossing, people of the last: what is paused is used up, and what is used up is low.
            let of_more = match kind {
                MessageKind::BalanceLow => depleted,
                MessageKind::BalanceDepleted => paused,
                _ => false,
            };
            let to = if of_more { Recipients::default() } else { Recipients::of(kind) };
            self.announce(id, kind, &data, &to)?;
        }
        Ok(())
    }
}

fn created(grant: &Grant) -> Value {
    json!({"grant": grant.id.to_string(), "kind": grant.kind.as_str(), "amount": grant.amount.to_string(),
        "expires_at": grant.expires_at.map(|at| at.to_string()), "description": grant.description, "url": "/grants"})
}

fn expired(hold: &Hold, at: Timestamp) -> Value {
    json!({"hold": hold.id.to_string(), "amount": hold.amount.to_string(), "meter": hold.meter.as_str(),
        "source": hold.source.as_str(), "expired_at": at.to_string(), "url": "/grants"})
}

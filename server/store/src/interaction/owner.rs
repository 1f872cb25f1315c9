//! Mapping interactions to users and tenants.
//!
//! The view `owned_event` is the only place that says for whom an event counts. Whatever reads events for sums reads it there, so
//! that a mapping needs to be right once: readers of the tail, the job, `verify`, exports. What is added up already is moved in the
//! transaction of the mapping ([`wide::owned_anew`]). Each mapping is noted in the audit log, which is its history.
//!
//! Cost: some look-ups per event of the interaction, and the days that they are in written again at the levels that tell users or
//! tenants apart. Bounds: [`MAX_MOVED`] events per interaction and transaction, [`MAX_TOGETHER`] interactions per transaction; [`StoreError::Busy`]
//! while the job catches up with more than [`MAX_TAIL`] events.

use crate::Store;
use crate::audit::{AuditRow, By, Change};
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::once::{Done, Once};
use crate::retention::{Kept, kept, pruned_to};
use crate::tx::Tx;
use crate::{trace, wide};
use ledger::{Label, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Events of one interaction that can be moved: a tenth of a second of the writer's time. What has more is no interaction.
const MAX_MOVED: usize = 10_000;
/// Interactions that are mapped in one transaction.
const MAX_TOGETHER: usize = 100;
/// Events that are in wide usage and in no trace yet: more of them there are only right after an update or a large import.
const MAX_TAIL: i64 = 100_000;
/// What is noted.
pub(crate) const ACTION: &str = "interaction.map";
/// What the audit log puts before the id of an interaction.
pub(crate) const TARGET: &str = "interaction:";
const TOO_MANY: &str = "this interaction has more than 10,000 events, more than can be moved at once: map interactions before they grow so large";

/// What an interaction is to be mapped to. What is left out stays what its events say; where both are, it is mapped to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Which.
    pub interaction: Label,
    /// To whom.
    pub user: Option<Label>,
    /// To which of the customers.
    pub tenant: Option<Label>,
}

/// What an interaction is mapped to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// Which.
    pub interaction: Label,
    /// To whom, if to anybody.
    pub user: Option<Label>,
    /// To which of the customers.
    pub tenant: Option<Label>,
    /// Since when; none where it is mapped to nobody.
    pub at: Option<Timestamp>,
    /// By whom.
    pub by: Option<String>,
}

/// What became of one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was mapped.
    Changed,
    /// It was mapped so before.
    Unchanged,
    /// It has more events than can be moved.
    TooMany,
    /// Events of it are pruned: for whom they counted stays.
    Pruned,
}

/// As it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ids {
    user: i64,
    tenant: i64,
}

impl Store {
    /// Maps an interaction, once for a key. Mapping it as it is mapped changes nothing and is not noted.
    ///
    /// # Errors
    /// [`StoreError::TooMany`], [`StoreError::Pruned`], or another request with the same key.
    pub async fn map_interaction(
        &self,
        org: OrgId,
        by: By,
        mapping: Mapping,
        once: Option<Once>,
    ) -> Result<Done<Mapped>, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.once(org, once.as_ref(), |tx| {
                let done = tx.map_some(org, &by, &[&mapping])?;
                if done.contains(&Outcome::TooMany) {
                    return Err(StoreError::TooMany(TOO_MANY));
                }
                if done.contains(&Outcome::Pruned)
                    && let Kept { days, pruned: Some((_, until)) } = kept(tx.conn, org)?
                {
                    return Err(StoreError::Pruned { until, days });
                }
                mapped(tx.conn, org, &mapping.interaction)
            })
        };
        self.writer().call(0, run).await
    }

    /// Maps many interactions, some in a transaction; the same one twice counts as it is said last. Tells what became of each.
    ///
    /// # Errors
    /// Where the database fails. Those before are mapped then, and doing it again does no harm.
    pub async fn map_interactions(
        &self,
        org: OrgId,
        by: By,
        mappings: Vec<Mapping>,
    ) -> Result<Vec<(Label, Outcome)>, StoreError> {
        let mut wanted: BTreeMap<Label, Mapping> = BTreeMap::new();
        wanted.extend(mappings.into_iter().map(|mapping| (mapping.interaction.clone(), mapping)));
        let mut waiting = self.read(move |conn| by_age(conn, org, wanted)).await?;
        let mut outcomes = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let now: Vec<Mapping> = waiting.drain(..waiting.len().min(MAX_TOGETHER)).collect();
            let (some, by) = (now.clone(), by.clone());
            let run = move |tx: &mut Tx<'_>| tx.map_some(org, &by, &some.iter().collect::<Vec<_>>());
            let done = self.writer().call(0, run).await?;
            let rest = now[done.len()..].to_vec();
            outcomes.extend(now.into_iter().map(|mapping| mapping.interaction).zip(done));
            waiting.splice(0..0, rest);
        }
        Ok(outcomes)
    }

    /// Whether events or mappings ever named that user.
    ///
    /// # Errors
    /// What the database says.
    pub async fn knows_user(&self, org: OrgId, user: Label) -> Result<bool, StoreError> {
        self.read(move |conn| Ok(number(conn, org, Kind::User, user.as_str())?.is_some())).await
    }

    /// Whether events or mappings ever named that tenant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn knows_tenant(&self, org: OrgId, tenant: Label) -> Result<bool, StoreError> {
        self.read(move |conn| Ok(number(conn, org, Kind::Tenant, tenant.as_str())?.is_some())).await
    }

    /// What an interaction is mapped to; to nobody where nobody said so, also where no event named it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mapping(&self, org: OrgId, interaction: Label) -> Result<Mapped, StoreError> {
        self.read(move |conn| mapped(conn, org, &interaction)).await
    }

    /// How an interaction was mapped, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mapping_history(
        &self,
        org: OrgId,
        interaction: &Label,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.audit_of(org, target(interaction), limit).await
    }
}

impl Tx<'_> {
    /// Maps the first of them that can be moved together, at least one. Tells what became of those.
    fn map_some(&mut self, org: OrgId, by: &By, mappings: &[&Mapping]) -> Result<Vec<Outcome>, StoreError> {
        let (conn, zone) = (self.conn, self.org(org)?.zone);
        let (mut outcomes, mut events, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers = Vec::with_capacity(mappings.len());
        for mapping in mappings {
            numbers.push(number(conn, org, Kind::Interaction, mapping.interaction.as_str())?);
        }
        let known: Vec<i64> = numbers.iter().flatten().copied().collect();
        let mut events_of = events_of(conn, org, &known, MAX_MOVED + 1)?;
        for (mapping, known) in mappings.iter().zip(numbers) {
            let own = known.and_then(|known| events_of.remove(&known)).unwrap_or_default();
            if own.len() > MAX_MOVED {
                outcomes.push(Outcome::TooMany);
                continue;
            }
            if !outcomes.is_empty() && events.len() + own.len() > MAX_MOVED {
                break;
            }
            let before = known.map_or_else(|| Ok(Ids::default()), |known| ids(conn, org, known))?;
            let is_nobody = mapping.user.is_none() && mapping.tenant.is_none();
            if known.is_none() && is_nobody {
                outcomes.push(Outcome::Unchanged);
                continue;
            }
            let names = &mut self.org(org)?.dimensions;
            let after = Ids {
                user: names.id(conn, org, Kind::User, mapping.user.as_ref())?,
                tenant: names.id(conn, org, Kind::Tenant, mapping.tenant.as_ref())?,
            };
            if before == after {
                outcomes.push(Outcome::Unchanged);
                continue;
            }
            if let Some(known) = known
                && trace::pruned::Pruned::find(conn, org, (Kind::Interaction as i64, known))?.is_some()
            {
                outcomes.push(Outcome::Pruned);
                continue;
            }
            let interaction = names.id(conn, org, Kind::Interaction, Some(&mapping.interaction))?;
            events.extend(own);
            changed.push((*mapping, interaction, before, after));
            outcomes.push(Outcome::Changed);
        }
        wide::owned_anew(conn, org, zone, &events, || {
            changed.iter().try_for_each(|(mapping, interaction, before, after)| {
                let before = json!({
                    "user": name(conn, org, Kind::User, before.user)?,
                    "tenant": name(conn, org, Kind::Tenant, before.tenant)?,
                });
                let said = json!({ "user": mapping.user, "tenant": mapping.tenant });
                let target = target(&mapping.interaction);
                self.note(org, by, Change { action: ACTION, target, before: Some(before), after: Some(said) })?;
                put(conn, org, *interaction, *after)?;
                trace::owned_anew(conn, org, *interaction)
            })
        })?;
        self.count_anew(org)?;
        Ok(outcomes)
    }
}

/// What the audit log calls an interaction.
fn target(interaction: &Label) -> String {
    format!("{TARGET}{}", interaction.as_str())
}

/// Those whose events came together together, so that each day is written again as seldom as can be.
fn by_age(conn: &Connection, org: OrgId, wanted: BTreeMap<Label, Mapping>) -> Result<Vec<Mapping>, StoreError> {
    let mut numbered = Vec::with_capacity(wanted.len());
    for (interaction, mapping) in wanted {
        let known = number(conn, org, Kind::Interaction, interaction.as_str())?;
        numbered.push((known.unwrap_or(i64::MAX), mapping));
    }
    numbered.sort_by_key(|(known, _)| *known);
    Ok(numbered.into_iter().map(|(_, mapping)| mapping).collect())
}

/// The number of a name that there is.
pub(crate) fn number(conn: &Connection, org: OrgId, kind: Kind, value: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value = ?3";
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind as i64, value], |row| row.get(0)).optional()?)
}

/// The name of a number; none for 0.
pub(crate) fn name(conn: &Connection, org: OrgId, kind: Kind, id: i64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind as i64, id], |row| row.get(0)).optional()?)
}

fn ids(conn: &Connection, org: OrgId, interaction: i64) -> Result<Ids, StoreError> {
    let sql = "SELECT user_id, tenant_id FROM interaction_owner WHERE org_id = ?1 AND interaction_id = ?2";
    let found = conn
        .prepare_cached(sql)?
        .query_row([org.0, interaction], |row| Ok(Ids { user: row.get(0)?, tenant: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Writes what an interaction is mapped to, as it was noted last.
fn put(conn: &Connection, org: OrgId, interaction: i64, to: Ids) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM interaction_owner WHERE org_id = ?1 AND interaction_id = ?2")?
        .execute([org.0, interaction])?;
    if to != Ids::default() {
        conn.prepare_cached(
            "INSERT INTO interaction_owner (org_id, interaction_id, user_id, tenant_id, mapped_at, mapped_by)
             SELECT ?1, ?2, ?3, ?4, at, actor FROM audit WHERE org_id = ?1 ORDER BY audit_seq DESC LIMIT 1",
        )?
        .execute([org.0, interaction, to.user, to.tenant])?;
    }
    Ok(())
}

fn mapped(conn: &Connection, org: OrgId, interaction: &Label) -> Result<Mapped, StoreError> {
    let found: Option<(i64, i64, i64, String)> = conn
        .prepare_cached(
            "SELECT o.user_id, o.tenant_id, o.mapped_at, o.mapped_by FROM dimension d
             JOIN interaction_owner o ON o.org_id = d.org_id AND o.interaction_id = d.id
             WHERE d.org_id = ?1 AND d.kind = ?2 AND d.value = ?3",
        )?
        .query_row(params![org.0, Kind::Interaction as i64, interaction.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let label = |kind, id| -> Result<Option<Label>, StoreError> {
        Ok(name(conn, org, kind, id)?.map(|text| Label::kept(&text)).transpose()?)
    };
    let (user, tenant) = found.as_ref().map_or((0, 0), |found| (found.0, found.1));
    Ok(Mapped {
        interaction: interaction.clone(),
        user: label(Kind::User, user)?,
        tenant: label(Kind::Tenant, tenant)?,
        at: found.as_ref().map(|found| Timestamp::from_micros(found.2)),
        by: found.map(|found| found.3),
    })
}

/// The events of interactions that are in wide usage, at most so many of each.
///
/// Cost: a look-up each, and one pass over events that are in no trace yet.
fn events_of(
    conn: &Connection,
    org: OrgId,
    interactions: &[i64],
    limit: usize,
) -> Result<FxHashMap<i64, Vec<i64>>, StoreError> {
    let mut found: FxHashMap<i64, Vec<i64>> = FxHashMap::default();
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut traced = conn.prepare_cached(
        "SELECT seq FROM trace_event WHERE org_id = ?1 AND kind = 9 AND id = ?2 AND seq > ?4 LIMIT ?3",
    )?;
    let pruned_to = pruned_to(conn, org)?;
    for interaction in interactions {
        let events = traced.query_map([org.0, *interaction, most, pruned_to], |row| row.get(0))?;
        found.insert(*interaction, events.collect::<Result<_, _>>()?);
    }
    let (after, last) = (trace::made(conn, org)?.0, wide::last_event(conn, org)?);
    if last - after > MAX_TAIL {
        return Err(StoreError::Busy);
    }
    let mut tail = conn.prepare_cached(
        "SELECT interaction_id, seq FROM event WHERE org_id = ?1 AND seq > ?2 AND seq <= ?3 AND interaction_id > 0",
    )?;
    let mut rows = tail.query([org.0, after, last])?;
    while let Some(row) = rows.next()? {
        if let Some(events) = found.get_mut(&row.get(0)?).filter(|events| events.len() < limit) {
            events.push(row.get(1)?);
        }
    }
    Ok(found)
}

//! The end of an org: asked for by an owner who has exported it, final after a month, then deleted in small steps.
//!
//! open → ending (everything can be read, nothing is taken, an owner may keep it) → being deleted → a line in `org_deleted`.
//!
//! A deletion goes on after a crash where it was. Cost: [`STEP`] rows per commit, so that nobody else waits. What is
//! append-only lets go of an org only while `org_ending.begun_at` is set (see the triggers of migration 9).

use crate::audit::{By, Change};
use crate::dump::{self, Table};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::{Store, entry};
use ledger::entry::Head;
use ledger::{OrgId, Refusal, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use serde_json::json;
use std::sync::{PoisonError, RwLock};

/// Days between asking and the end.
pub const GRACE_DAYS: i64 = 30;
/// Days for which an export counts as made before.
pub const EXPORT_DAYS: i64 = 7;
/// Rows deleted in one commit.
const STEP: u32 = 2_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// An org that will be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// When its deletion begins.
    pub ends_at: Timestamp,
}

/// What is left of an org that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its id, never given again.
    pub org: OrgId,
    /// Who asked for it.
    pub asked_by: String,
    /// When it was over.
    pub deleted_at: Timestamp,
    /// How many entries its ledger had.
    pub entries: i64,
    /// The hash of the last.
    pub head_hash: [u8; 32],
}

/// When orgs end: in memory, since every write asks.
#[derive(Default)]
pub(crate) struct Endings(RwLock<FxHashMap<OrgId, Timestamp>>);

impl Endings {
    pub(crate) fn load(conn: &Connection) -> Result<Self, rusqlite::Error> {
        let mut select = conn.prepare("SELECT org_id, ends_at FROM org_ending")?;
        let rows = select.query_map([], |row| Ok((OrgId(row.get(0)?), Timestamp::from_micros(row.get(1)?))))?;
        Ok(Self(RwLock::new(rows.collect::<Result<_, _>>()?)))
    }

    fn set(&self, org: OrgId, ends_at: Option<Timestamp>) {
        let mut endings = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match ends_at {
            Some(at) => endings.insert(org, at),
            None => endings.remove(&org),
        };
    }

    fn get(&self, org: OrgId) -> Option<Timestamp> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&org).copied()
    }
}

impl Store {
    /// When the org ends; `None` for nearly all. Costs a look into memory.
    #[must_use]
    pub fn ends_at(&self, org: OrgId) -> Option<Timestamp> {
        self.endings().get(org)
    }

    /// Notes that a full export of the org was made, to its last line.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_export(&self, org: OrgId, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "INSERT INTO org_export (org_id, made_at, made_by) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET made_at = excluded.made_at, made_by = excluded.made_by";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, tx.now().micros(), by.actor])?;
            let change = Change { action: "org.export", target: org.to_string(), before: None, after: None };
            tx.note(org, &by, change)
        };
        self.writer().call(0, run).await
    }

    /// When the org was last exported.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn exported_at(&self, org: OrgId) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |conn| exported(conn, org)).await
    }

    /// The end that was asked for, if one was.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ending(&self, org: OrgId) -> Result<Option<Ending>, StoreError> {
        self.read(move |conn| ending(conn, org)).await
    }

    /// Asks for the end of an org. From now on nothing is taken for it.
    ///
    /// # Errors
    /// [`Refusal::ExportFirst`]; [`StoreError::Conflict`] where it was asked for before.
    pub async fn end_org(&self, org: OrgId, by: By) -> Result<Ending, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now();
            let days = |days: i64| Timestamp::from_micros(now.micros().saturating_add(days * MICROS_PER_DAY));
            if ending(tx.conn, org)?.is_some() {
                return Err(StoreError::Conflict("end of the organization"));
            }
            if exported(tx.conn, org)?.is_none_or(|at| at < days(-EXPORT_DAYS)) {
                return Err(Refusal::ExportFirst.into());
            }
            let new = Ending { asked_by: by.actor.clone(), asked_at: now, ends_at: days(GRACE_DAYS) };
            tx.conn
                .prepare_cached("INSERT INTO org_ending (org_id, asked_at, asked_by, ends_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![org.0, now.micros(), new.asked_by, new.ends_at.micros()])?;
            let after = Some(json!({ "ends_at": new.ends_at.to_string() }));
            tx.note(org, &by, Change { action: "org.end", target: org.to_string(), before: None, after })?;
            Ok(new)
        };
        let done: Ending = self.writer().call(0, run).await?;
        self.endings().set(org, Some(done.ends_at));
        Ok(done)
    }

    /// Keeps an org after all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where no end was asked for, or the deletion has begun.
    pub async fn keep_org(&self, org: OrgId, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM org_ending WHERE org_id = ?1 AND begun_at IS NULL";
            if tx.conn.prepare_cached(sql)?.execute([org.0])? == 0 {
                return Err(StoreError::NotFound("end of the organization"));
            }
            tx.note(org, &by, Change { action: "org.keep", target: org.to_string(), before: None, after: None })
        };
        self.writer().call(0, run).await?;
        self.endings().set(org, None);
        Ok(())
    }

    /// Deletes some rows of an org whose time is over; tells how many, 0 where there is nothing to do.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn delete_some(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let Some((org, begun)) = self.read(move |conn| over(conn, now)).await? else { return Ok(0) };
        if !begun {
            self.writer().call(0, move |tx| begin(tx, org)).await?;
            self.keys().forget();
        }
        let tables = self.read(dump::tables).await?;
        // Children before parents; the org itself last.
        for table in tables.into_iter().rev().filter(|table| table.name != "org") {
            let deleted = self.writer().call(0, move |tx| step(tx, org, &table)).await?;
            if deleted > 0 {
                return Ok(deleted);
            }
        }
        self.writer().call(0, move |tx| finish(tx, org)).await?;
        self.endings().set(org, None);
        Ok(1)
    }

    /// Orgs that were deleted, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deleted_orgs(&self, limit: u32) -> Result<Vec<Deleted>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT org_id, asked_by, deleted_at, entries, head_hash FROM org_deleted
                ORDER BY deleted_at DESC, org_id DESC LIMIT ?1";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map([limit], |row| {
                Ok(Deleted {
                    org: OrgId(row.get(0)?),
                    asked_by: row.get(1)?,
                    deleted_at: Timestamp::from_micros(row.get(2)?),
                    entries: row.get(3)?,
                    head_hash: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }
}

/// An org whose time is over, and whether its deletion has begun.
fn over(conn: &Connection, now: Timestamp) -> Result<Option<(OrgId, bool)>, StoreError> {
    let sql =
        "SELECT org_id, begun_at IS NOT NULL FROM org_ending WHERE ends_at <= ?1 ORDER BY ends_at, org_id LIMIT 1";
    let found = conn.prepare_cached(sql)?.query_row([now.micros()], |row| Ok((OrgId(row.get(0)?), row.get(1)?)));
    Ok(found.optional()?)
}

/// From here on there is no way back. What is left of the org afterwards is written first.
fn begin(tx: &mut Tx<'_>, org: OrgId) -> Result<(), StoreError> {
    // What was taken in the same commit is booked, so that the chain ends where it says.
    tx.settle_all()?;
    tx.forget(org);
    let head = entry::last(tx.conn, org)?.map_or(Head::START, |(head, _)| head);
    let now = tx.now().micros();
    tx.conn.prepare_cached("UPDATE org_ending SET begun_at = ?2 WHERE org_id = ?1")?.execute([org.0, now])?;
    tx.conn
        .prepare_cached(
            "INSERT INTO org_deleted (org_id, created_at, asked_at, asked_by, deleted_at, entries, head_hash)
             SELECT o.org_id, o.created_at, e.asked_at, e.asked_by, ?2, ?3, ?4
             FROM org o JOIN org_ending e ON e.org_id = o.org_id WHERE o.org_id = ?1",
        )?
        .execute(params![org.0, now, head.seq.0, head.hash.as_slice()])?;
    // Nobody looks at what is half gone.
    for sql in [
        "UPDATE session SET org_id = NULL WHERE org_id = ?1",
        "UPDATE user SET last_org_id = NULL WHERE last_org_id = ?1",
        "DELETE FROM member WHERE org_id = ?1",
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, 0) WHERE org_id = ?1",
    ] {
        tx.conn.prepare_cached(sql)?.execute([org.0])?;
    }
    Ok(())
}

fn step(tx: &mut Tx<'_>, org: OrgId, table: &Table) -> Result<u64, StoreError> {
    let (name, key) = (&table.name, table.key.join(", "));
    let sql = format!(
        "DELETE FROM {name} WHERE ({key}) IN (SELECT {key} FROM {name} WHERE org_id = ?1 ORDER BY {key} LIMIT {STEP})"
    );
    let deleted = tx.conn.prepare_cached(&sql)?.execute([org.0])?;
    u64::try_from(deleted).map_err(|_| unreadable("number of rows"))
}

fn finish(tx: &mut Tx<'_>, org: OrgId) -> Result<(), StoreError> {
    for sql in ["DELETE FROM org_ending WHERE org_id = ?1", "DELETE FROM org WHERE org_id = ?1"] {
        tx.conn.prepare_cached(sql)?.execute([org.0])?;
    }
    let now = tx.now().micros();
    tx.conn.prepare_cached("UPDATE org_deleted SET deleted_at = ?2 WHERE org_id = ?1")?.execute([org.0, now])?;
    Ok(())
}

fn exported(conn: &Connection, org: OrgId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT made_at FROM org_export WHERE org_id = ?1";
    let found = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    Ok(found.map(Timestamp::from_micros))
}

fn ending(conn: &Connection, org: OrgId) -> Result<Option<Ending>, StoreError> {
    let sql = "SELECT asked_by, asked_at, ends_at FROM org_ending WHERE org_id = ?1";
    let found = conn.prepare_cached(sql)?.query_row([org.0], |row| {
        let (asked_at, ends_at) = (Timestamp::from_micros(row.get(1)?), Timestamp::from_micros(row.get(2)?));
        Ok(Ending { asked_by: row.get(0)?, asked_at, ends_at })
    });
    Ok(found.optional()?)
}

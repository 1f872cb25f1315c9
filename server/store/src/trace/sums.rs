//! Adding events up to traces: the one place that says what a trace is.

use super::pruned::Pruned;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::retention::pruned_to;
use crate::rows;
use ledger::{OrgId, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// The kinds of traces, in the order of [`Fact::ids`].
pub(crate) const KINDS: [Kind; 2] = [Kind::Run, Kind::Interaction];

/// Kind and number of a trace.
pub(crate) type Key = (i64, i64);

/// What traces count of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    /// Run and interaction; 0 where it names none.
    ids: [i64; 2],
    /// Workflow, project, and for whom it counts: user and tenant.
    said: [i64; 4],
    pub(crate) failed: i64,
    pub(crate) bytes: i64,
    pub(crate) micros: i64,
    pub(crate) stands: bool,
}

impl Fact {
    /// Columns of [`Self::SQL`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            ids: [row.get(2)?, row.get(3)?],
            said: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
            failed: row.get(8)?,
            bytes: row.get(9)?,
            micros: row.get(10)?,
            stands: row.get(11)?,
        })
    }

    /// The project that it names; 0 for none.
    pub(super) const fn project(&self) -> i64 {
        self.said[1]
    }

    /// What it says to a kind of trace: a run has no user of its own, it may do something for several.
    const fn said_to(&self, kind: i64) -> [i64; 4] {
        let [workflow, project, user, tenant] = self.said;
        if kind == Kind::Interaction as i64 { [workflow, project, user, tenant] } else { [workflow, project, 0, 0] }
    }

    /// The traces that it is in.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        KINDS.into_iter().zip(self.ids).filter(|(_, id)| *id != 0).map(|(kind, id)| (kind as i64, id))
    }
}

/// Events of a range, as [`Fact::read`] wants them.
const EVENTS: &str =
    "SELECT e.seq, e.occurred_at, e.run_id, e.interaction_id, e.workflow_id, e.project_id, e.user_id, e.tenant_id,
        e.failed, e.bytes,
        (SELECT coalesce(sum(c.credits), 0) FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq),
        NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
    FROM owned_event e WHERE e.org_id = ?1 AND e.seq > ?2 AND e.seq <= ?3 ORDER BY e.seq";

/// Calls `take` with each event of `after ..= last`, until it says that it is enough.
pub(crate) fn each(
    conn: &Connection,
    org: OrgId,
    (after, last): (i64, i64),
    mut take: impl FnMut(Fact) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(EVENTS)?;
    let mut rows = statement.query(params![org.0, after, last])?;
    while let Some(row) = rows.next()? {
        if !take(Fact::read(row)?)? {
            break;
        }
    }
    Ok(())
}

/// Workflows with meters that they used in `after ..= last`.
pub(crate) fn uses(conn: &Connection, org: OrgId, (after, last): (i64, i64)) -> Result<FxHashSet<Key>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.workflow_id, c.meter_id FROM event e JOIN charge c ON c.org_id = e.org_id AND c.seq = e.seq
         WHERE e.org_id = ?1 AND e.seq > ?2 AND e.seq <= ?3 AND e.workflow_id <> 0",
    )?;
    let found = statement.query_map(params![org.0, after, last], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A row of `trace`, without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) events: i64,
    pub(crate) failed: i64,
    pub(crate) bytes: i64,
    pub(crate) micros: i64,
    pub(crate) workflow: i64,
    pub(crate) project: i64,
    pub(crate) one_project: bool,
    /// Of an interaction: for whom it counts.
    pub(crate) user: i64,
    pub(crate) tenant: i64,
}

impl Sums {
    /// Its columns, in the order of [`Self::read`].
    pub(crate) const COLUMNS: &str =
        "first_at, last_at, events, failed, bytes, credits, workflow_id, project_id, one_project, user_id, tenant_id";

    /// From a row, from a column on.
    pub(crate) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            first_at: row.get(from)?,
            last_at: row.get(from + 1)?,
            events: row.get(from + 2)?,
            failed: row.get(from + 3)?,
            bytes: row.get(from + 4)?,
            micros: row.get(from + 5)?,
            workflow: row.get(from + 6)?,
            project: row.get(from + 7)?,
            one_project: match row.get(from + 8)? {
                0 => false,
                1 => true,
                other => return Err(rusqlite::Error::IntegralValueOutOfRange(from + 8, other)),
            },
            user: row.get(from + 9)?,
            tenant: row.get(from + 10)?,
        })
    }

    /// The row of a trace.
    pub(crate) fn find(conn: &Connection, org: OrgId, key: Key) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {} FROM trace WHERE org_id = ?1 AND kind = ?2 AND id = ?3", Self::COLUMNS);
        let mut statement = conn.prepare_cached(&sql)?;
        Ok(statement.query_row(params![org.0, key.0, key.1], |row| Self::read(row, 0)).optional()?)
    }
}

/// Sums while they are added up, with where they stand that are said by one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adding {
    sums: Sums,
    /// When and by which event each of [`Said::ALL`] is said.
    said: [(i64, i64); 4],
}

impl Adding {
    /// With one event, of a kind of trace.
    pub(crate) const fn new(fact: &Fact, kind: i64) -> Self {
        let [workflow, project, user, tenant] = fact.said_to(kind);
        let sums = Sums {
            first_at: fact.at,
            last_at: fact.at,
            events: 1,
            failed: fact.failed,
            bytes: fact.bytes,
            micros: fact.micros,
            workflow,
            project,
            one_project: true,
            user,
            tenant,
        };
        Self { sums, said: [(fact.at, fact.seq); 4] }
    }

    /// As a row says it, from a column on: columns of [`Sums::COLUMNS`], then when and by which event each is said.
    pub(super) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        let sums = Sums::read(row, from)?;
        let mut said = [(0, 0); 4];
        for (place, at) in said.iter_mut().zip((from + 11..).step_by(2)) {
            *place = (row.get(at)?, row.get(at + 1)?);
        }
        Ok(Self { sums, said })
    }

    /// When and by which event workflow, project, user and tenant are said.
    pub(super) const fn said(&self) -> [(i64, i64); 4] {
        self.said
    }

    /// What they are.
    pub(crate) const fn sums(&self) -> Sums {
        self.sums
    }

    /// With one more.
    pub(crate) fn add(&mut self, fact: &Fact, kind: i64) -> Result<(), StoreError> {
        let (one, place) = (Self::new(fact, kind).sums, (fact.at, fact.seq));
        let before = self.sums;
        self.sums = with(&before, &one)?;
        let earlier = |kept: i64, said: i64, at: &mut (i64, i64)| {
            let wins = said != 0 && (kept == 0 || place < *at);
            *at = if wins { place } else { *at };
            if wins { said } else { kept }
        };
        for (column, at) in Said::ALL.into_iter().zip(&mut self.said) {
            *column.of_mut(&mut self.sums) = earlier(column.of(&before), column.of(&one), at);
        }
        Ok(())
    }

    /// With what is there already, before any of these are.
    pub(crate) fn onto(self, conn: &Connection, org: OrgId, key: Key, there: &Sums) -> Result<Sums, StoreError> {
        let mut sums = with(there, &self.sums)?;
        for (column, said) in Said::ALL.into_iter().zip(self.said) {
            let (kept, new) = (column.of(there), column.of(&self.sums));
            // Nearly always they agree, and nothing is looked up.
            let earlier = kept == 0
                || (new != 0 && new != kept && first_saying(conn, org, key, column)?.is_none_or(|(at, _)| said < at));
            *column.of_mut(&mut sums) = if earlier { new } else { kept };
        }
        Ok(sums)
    }
}

/// All that adds up; workflow and project are those of the first, for the caller to decide.
fn with(first: &Sums, second: &Sums) -> Result<Sums, StoreError> {
    let sum = |a: i64, b: i64| a.checked_add(b).ok_or(StoreError::Refused(Refusal::AmountOverflow));
    Ok(Sums {
        first_at: first.first_at.min(second.first_at),
        last_at: first.last_at.max(second.last_at),
        events: sum(first.events, second.events)?,
        failed: sum(first.failed, second.failed)?,
        bytes: sum(first.bytes, second.bytes)?,
        micros: sum(first.micros, second.micros)?,
        one_project: first.one_project && second.one_project && first.project == second.project,
        ..*first
    })
}

/// What the first event says that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Workflow,
    Project,
    User,
    Tenant,
}

impl Said {
    pub(super) const ALL: [Self; 4] = [Self::Workflow, Self::Project, Self::User, Self::Tenant];

    const fn column(self) -> &'static str {
        match self {
            Self::Workflow => "workflow_id",
            Self::Project => "project_id",
            Self::User => "user_id",
            Self::Tenant => "tenant_id",
        }
    }

    pub(super) const fn of(self, sums: &Sums) -> i64 {
        match self {
            Self::Workflow => sums.workflow,
            Self::Project => sums.project,
            Self::User => sums.user,
            Self::Tenant => sums.tenant,
        }
    }

    const fn of_mut(self, sums: &mut Sums) -> &mut i64 {
        match self {
            Self::Workflow => &mut sums.workflow,
            Self::Project => &mut sums.project,
            Self::User => &mut sums.user,
            Self::Tenant => &mut sums.tenant,
        }
    }
}

/// When and by which event something is said, and what.
type Saying = ((i64, i64), i64);

/// When and by which event one of these is said of a trace, and what it is, of the events that are in it.
fn first_saying(conn: &Connection, org: OrgId, (kind, id): Key, column: Said) -> Result<Option<Saying>, StoreError> {
    let sql = format!(
        "SELECT t.at, t.seq, e.{0} FROM trace_event t JOIN owned_event e ON e.org_id = t.org_id AND e.seq = t.seq
         WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND t.seq > ?4 AND e.{0} <> 0 ORDER BY t.at, t.seq LIMIT 1",
        column.column()
    );
    let read = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
    let pruned_to = pruned_to(conn, org)?;
    let kept = conn.prepare_cached(&sql)?.query_row(params![org.0, kind, id, pruned_to], read).optional()?;
    let gone = Pruned::find(conn, org, (kind, id))?.and_then(|pruned| pruned.saying(column));
    Ok([kept, gone].into_iter().flatten().min())
}

/// What is left of a trace without an event, which is not in `trace_event` any more; `None` where nothing is.
///
/// Cost: some look-ups, unless the event said workflow or project, and others of the trace said another: then its events
/// are gone through until one does.
pub(crate) fn without(
    conn: &Connection,
    org: OrgId,
    key: Key,
    there: &Sums,
    gone: &Fact,
) -> Result<Option<Sums>, StoreError> {
    let take = |a: i64, b: i64| a.checked_sub(b).ok_or(StoreError::Refused(Refusal::AmountOverflow));
    let events = take(there.events, 1)?;
    if events <= 0 {
        return Ok(None);
    }
    let ends = "SELECT (SELECT at FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND seq > ?4 ORDER BY at LIMIT 1),
                       (SELECT at FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND seq > ?4 ORDER BY at DESC LIMIT 1)";
    let read = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?]);
    let kept: [Option<i64>; 2] =
        conn.prepare_cached(ends)?.query_row(params![org.0, key.0, key.1, pruned_to(conn, org)?], read)?;
    let pruned = Pruned::find(conn, org, key)?.map(|pruned| pruned.sums());
    let (first, last) = (pruned.map(|sums| sums.first_at), pruned.map(|sums| sums.last_at));
    let nothing = || rows::unreadable("events of a trace");
    let first_at = [kept[0], first].into_iter().flatten().min().ok_or_else(nothing)?;
    let last_at = kept[1].max(last).ok_or_else(nothing)?;
    let mut sums = Sums {
        first_at,
        last_at,
        events,
        failed: take(there.failed, gone.failed)?,
        bytes: take(there.bytes, gone.bytes)?,
        micros: take(there.micros, gone.micros)?,
        ..*there
    };
    for (column, said) in Said::ALL.into_iter().zip(gone.said_to(key.0)) {
        if said != 0 && said == column.of(there) {
            *column.of_mut(&mut sums) = first_saying(conn, org, key, column)?.map_or(0, |(_, id)| id);
        }
    }
    if !there.one_project {
        sums.one_project = !says_another(conn, org, key, sums.project)?;
    }
    Ok(Some(sums))
}

/// Whether an event of a trace says of its project anything else.
fn says_another(conn: &Connection, org: OrgId, (kind, id): Key, project: i64) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq
               WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND t.seq > ?5 AND e.project_id <> ?4)";
    let values = params![org.0, kind, id, project, pruned_to(conn, org)?];
    let kept: bool = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok(kept || Pruned::find(conn, org, (kind, id))?.is_some_and(|pruned| pruned.says_another(project)))
}

/// Events added up by trace.
#[derive(Debug, Default)]
pub(crate) struct ByTrace(pub(crate) BTreeMap<Key, Adding>);

impl ByTrace {
    /// With an event, in each trace that it is in.
    pub(crate) fn add(&mut self, fact: &Fact) -> Result<(), StoreError> {
        for key in fact.keys() {
            match self.0.get_mut(&key) {
                Some(adding) => adding.add(fact, key.0)?,
                None => drop(self.0.insert(key, Adding::new(fact, key.0))),
            }
        }
        Ok(())
    }
}

/// For whom an interaction counts, as far as the job has reached it, once that has changed.
pub(crate) fn owned_anew(conn: &Connection, org: OrgId, interaction: i64) -> Result<(), StoreError> {
    let key = (Kind::Interaction as i64, interaction);
    let first = |column| Ok::<_, StoreError>(first_saying(conn, org, key, column)?.map_or(0, |(_, id)| id));
    let (user, tenant) = (first(Said::User)?, first(Said::Tenant)?);
    conn.prepare_cached("UPDATE trace SET user_id = ?4, tenant_id = ?5 WHERE org_id = ?1 AND kind = ?2 AND id = ?3")?
        .execute(params![org.0, key.0, key.1, user, tenant])?;
    Ok(())
}

//! Adding events up to traces: the one place that says what a trace is.

use crate::dimension::Kind;
use crate::error::StoreError;
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
    workflow: i64,
    project: i64,
    failed: i64,
    bytes: i64,
    micros: i64,
    pub(crate) stands: bool,
}

impl Fact {
    /// Columns of [`Self::SQL`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            ids: [row.get(2)?, row.get(3)?],
            workflow: row.get(4)?,
            project: row.get(5)?,
            failed: row.get(6)?,
            bytes: row.get(7)?,
            micros: row.get(8)?,
            stands: row.get(9)?,
        })
    }

    /// The traces that it is in.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        KINDS.into_iter().zip(self.ids).filter(|(_, id)| *id != 0).map(|(kind, id)| (kind as i64, id))
    }
}

/// Events of a range, as [`Fact::read`] wants them.
const EVENTS: &str =
    "SELECT e.seq, e.occurred_at, e.run_id, e.interaction_id, e.workflow_id, e.project_id, e.failed, e.bytes,
        (SELECT coalesce(sum(c.credits), 0) FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq),
        NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
    FROM event e WHERE e.org_id = ?1 AND e.seq > ?2 AND e.seq <= ?3 ORDER BY e.seq";

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
}

impl Sums {
    /// Its columns, in the order of [`Self::read`].
    pub(crate) const COLUMNS: &str =
        "first_at, last_at, events, failed, bytes, credits, workflow_id, project_id, one_project";

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
        })
    }

    /// The row of a trace.
    pub(crate) fn find(conn: &Connection, org: OrgId, key: Key) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT first_at, last_at, events, failed, bytes, credits, workflow_id, project_id, one_project
                   FROM trace WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
        let mut statement = conn.prepare_cached(sql)?;
        Ok(statement.query_row(params![org.0, key.0, key.1], |row| Self::read(row, 0)).optional()?)
    }
}

/// Sums while they are added up, with where they stand that are said by one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adding {
    sums: Sums,
    /// When and by which event workflow and project are said.
    said: [(i64, i64); 2],
}

impl Adding {
    /// With one event.
    pub(crate) const fn new(fact: &Fact) -> Self {
        let sums = Sums {
            first_at: fact.at,
            last_at: fact.at,
            events: 1,
            failed: fact.failed,
            bytes: fact.bytes,
            micros: fact.micros,
            workflow: fact.workflow,
            project: fact.project,
            one_project: true,
        };
        Self { sums, said: [(fact.at, fact.seq); 2] }
    }

    /// What they are.
    pub(crate) const fn sums(&self) -> Sums {
        self.sums
    }

    /// With one more.
    pub(crate) fn add(&mut self, fact: &Fact) -> Result<(), StoreError> {
        let (one, place) = (Self::new(fact).sums, (fact.at, fact.seq));
        let before = self.sums;
        self.sums = with(&before, &one)?;
        let earlier = |kept: i64, said: i64, at: &mut (i64, i64)| {
            let wins = said != 0 && (kept == 0 || place < *at);
            *at = if wins { place } else { *at };
            if wins { said } else { kept }
        };
        self.sums.workflow = earlier(before.workflow, one.workflow, &mut self.said[0]);
        self.sums.project = earlier(before.project, one.project, &mut self.said[1]);
        Ok(())
    }

    /// With what is there already, before any of these are.
    pub(crate) fn onto(self, conn: &Connection, org: OrgId, key: Key, there: &Sums) -> Result<Sums, StoreError> {
        let mut sums = with(there, &self.sums)?;
        for (column, said) in Said::BOTH.into_iter().zip(self.said) {
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
#[derive(Debug, Clone, Copy)]
enum Said {
    Workflow,
    Project,
}

impl Said {
    const BOTH: [Self; 2] = [Self::Workflow, Self::Project];

    const fn of(self, sums: &Sums) -> i64 {
        match self {
            Self::Workflow => sums.workflow,
            Self::Project => sums.project,
        }
    }

    const fn of_mut(self, sums: &mut Sums) -> &mut i64 {
        match self {
            Self::Workflow => &mut sums.workflow,
            Self::Project => &mut sums.project,
        }
    }
}

/// When and by which event something is said, and what.
type Saying = ((i64, i64), i64);

/// When and by which event a trace's workflow or project is said, and what it is, of the events in `trace_event`.
fn first_saying(conn: &Connection, org: OrgId, (kind, id): Key, column: Said) -> Result<Option<Saying>, StoreError> {
    let sql = match column {
        Said::Workflow => {
            "SELECT t.at, t.seq, e.workflow_id FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq
             WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND e.workflow_id <> 0 ORDER BY t.at, t.seq LIMIT 1"
        }
        Said::Project => {
            "SELECT t.at, t.seq, e.project_id FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq
             WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND e.project_id <> 0 ORDER BY t.at, t.seq LIMIT 1"
        }
    };
    let read = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind, id], read).optional()?)
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
    let ends = "SELECT (SELECT at FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 ORDER BY at LIMIT 1),
                       (SELECT at FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 ORDER BY at DESC LIMIT 1)";
    let (first_at, last_at) =
        conn.prepare_cached(ends)?.query_row(params![org.0, key.0, key.1], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut sums = Sums {
        first_at,
        last_at,
        events,
        failed: take(there.failed, gone.failed)?,
        bytes: take(there.bytes, gone.bytes)?,
        micros: take(there.micros, gone.micros)?,
        ..*there
    };
    for (column, said) in Said::BOTH.into_iter().zip([gone.workflow, gone.project]) {
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
               WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND e.project_id <> ?4)";
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind, id, project], |row| row.get(0))?)
}

/// Events added up by trace.
#[derive(Debug, Default)]
pub(crate) struct ByTrace(pub(crate) BTreeMap<Key, Adding>);

impl ByTrace {
    /// With an event, in each trace that it is in.
    pub(crate) fn add(&mut self, fact: &Fact) -> Result<(), StoreError> {
        for key in fact.keys() {
            match self.0.get_mut(&key) {
                Some(adding) => adding.add(fact)?,
                None => drop(self.0.insert(key, Adding::new(fact))),
            }
        }
        Ok(())
    }
}

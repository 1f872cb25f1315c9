//! Lists of traces: a page of any order, by a place in it, however many there are.
//!
//! Where few can be meant (an id, a name, a short time), those are looked up and put in order. Otherwise an index is walked from the
//! cursor on, at most [`WALK`] rows, whatever is filtered: then the page is short, says so, and leads on from there.

use super::lookup;
use super::made;
use super::pruned::Pruned;
use super::sums::{self, ByTrace, Key, Sums};
use super::within;
use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::mark::newest_event;
use crate::wide::Used;
use ledger::event::Place;
use ledger::{Credits, OrgId, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// Traces on a page, at most.
pub const MAX_PAGE: u32 = 200;
/// Rows of an index that a page looks at.
const WALK: usize = 4_000;
/// Traces that are looked up one by one and put in order.
const FEW: usize = 1_000;
/// Events that are taken from their rows: more of them wait only right after a large import.
const MAX_TAIL: i64 = 100_000;

/// What is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceKind {
    /// One run of a workflow.
    Run,
    /// One interaction with somebody.
    Interaction,
}

impl TraceKind {
    pub(super) const fn dimension(self) -> Kind {
        match self {
            Self::Run => Kind::Run,
            Self::Interaction => Kind::Interaction,
        }
    }
}

/// In which order: newest, dearest, largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By when its last event happened.
    #[default]
    Time,
    /// By what it cost.
    Credits,
    /// By data transferred.
    Data,
}

/// A place in an order, and in which direction to go from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCursor {
    value: i64,
    id: i64,
    back: bool,
}

impl TraceCursor {
    /// As it stands in an address.
    #[must_use]
    pub fn text(self) -> String {
        format!("{}{:x}.{:x}", if self.back { 'b' } else { 'c' }, self.value, self.id)
    }

    /// From an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let back = text.starts_with('b');
        let (value, id) = text.strip_prefix(['b', 'c'])?.split_once('.')?;
        // As it is printed: of a negative number the bits.
        let number = |hex: &str| u64::from_str_radix(hex, 16).ok().map(u64::cast_signed);
        Some(Self { value: number(value)?, id: number(id)?, back })
    }
}

/// Which traces. Empty lists and `None` let everything through; `""` in a list stands for what is not said.
#[derive(Debug, Clone)]
pub struct TraceQuery {
    /// What is listed.
    pub kind: TraceKind,
    /// In which order.
    pub sort: Sort,
    /// Whose last event happened at this instant or later.
    pub from: Option<Timestamp>,
    /// Whose last event happened before this instant.
    pub before: Option<Timestamp>,
    /// Of these workflows, by id.
    pub workflows: Vec<String>,
    /// Of these projects, by id.
    pub projects: Vec<String>,
    /// Whether an event of it failed.
    pub failed: Option<bool>,
    /// Whether its workflow is an AI agent.
    pub agent: Option<bool>,
    /// Of interactions: only those that count for one of these users, `""` for those that count for nobody.
    pub users: Vec<String>,
    /// Of interactions: only those that count for one of these tenants, `""` for those that count for none.
    pub tenants: Vec<String>,
    /// Of interactions: only those that count for a user or a tenant, or only those that count for neither.
    pub mapped: Option<bool>,
    /// Whether the period is of events, each counted where it happened, and not of last events.
    pub overlapping: bool,
    /// Whose id begins so, or whose name.
    pub search: String,
    /// Only what is of this project and of no other.
    pub only_project: Option<String>,
    /// From where on.
    pub cursor: Option<TraceCursor>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

impl TraceQuery {
    /// The newest of a kind.
    #[must_use]
    pub const fn new(kind: TraceKind) -> Self {
        Self {
            kind,
            sort: Sort::Time,
            from: None,
            before: None,
            workflows: Vec::new(),
            projects: Vec::new(),
            failed: None,
            agent: None,
            users: Vec::new(),
            tenants: Vec::new(),
            mapped: None,
            overlapping: false,
            search: String::new(),
            only_project: None,
            cursor: None,
            limit: 50,
        }
    }
}

/// A run or an interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its id, and its own name where it was said.
    pub place: Place,
    /// The workflow that the first of its events names.
    pub workflow: Option<Place>,
    /// The project that the first of its events names.
    pub project: Option<Place>,
    /// Whether that workflow is an AI agent.
    pub agent: bool,
    /// When its first event happened.
    pub first_at: Timestamp,
    /// When its last one did.
    pub last_at: Timestamp,
    /// Events that stand.
    pub events: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// Data transferred.
    pub bytes: i64,
    /// What it cost.
    pub credits: Credits,
    /// Of an interaction: the user it counts for; empty where nobody said so.
    pub user: String,
    /// Of an interaction: the tenant it counts for; empty where nobody said so.
    pub tenant: String,
    /// What of it happened in the period, where not all of it did: see [`TraceQuery::overlapping`].
    pub within: Option<Used>,
    /// Whether that may lack something: events of it are pruned, and how many of them happened in the period is not known any more.
    pub short: bool,
    /// Events of it whose detail is pruned; every sum has them.
    pub pruned: i64,
}

/// A page of them.
#[derive(Debug, Clone)]
pub struct TracePage {
    /// In the order asked for.
    pub traces: Vec<Trace>,
    /// Where the page before begins.
    pub back: Option<TraceCursor>,
    /// Where the next page begins.
    pub on: Option<TraceCursor>,
    /// Whether all were looked at that could stand on it; otherwise `on` (or `back`) goes on looking.
    pub whole: bool,
}

impl Store {
    /// A page of traces.
    ///
    /// # Errors
    /// [`StoreError::Busy`] right after a large import; what the database says.
    pub async fn traces(&self, org: OrgId, query: TraceQuery) -> Result<TracePage, StoreError> {
        self.read(move |conn| page(conn, org, &query)).await
    }
}

/// Traces of events that are in none yet, with what is there of them.
pub(super) struct Tail {
    pub(super) sums: FxHashMap<i64, Sums>,
    /// Workflows that are AI agents.
    pub(super) agents: FxHashSet<i64>,
    /// The events themselves, by trace: when, and their number.
    pub(super) events: FxHashMap<i64, Vec<(i64, i64)>>,
}

impl Tail {
    pub(super) fn read(conn: &Connection, org: OrgId, kind: Kind) -> Result<Self, StoreError> {
        let (after, _) = made(conn, org)?;
        let newest = newest_event(conn, org)?;
        if newest - after > MAX_TAIL {
            return Err(StoreError::Busy);
        }
        let mut by_trace = ByTrace::default();
        let mut events: FxHashMap<i64, Vec<(i64, i64)>> = FxHashMap::default();
        sums::each(conn, org, (after, newest), |fact| {
            if fact.stands {
                by_trace.add(&fact)?;
                for (_, id) in fact.keys().filter(|(of, _)| *of == kind as i64) {
                    events.entry(id).or_default().push((fact.at, fact.seq));
                }
            }
            Ok(true)
        })?;
        let mut sums = FxHashMap::default();
        for (key, adding) in by_trace.0.into_iter().filter(|((of, _), _)| *of == kind as i64) {
            let whole = match Sums::find(conn, org, key)? {
                Some(there) => adding.onto(conn, org, key, &there)?,
                None => adding.sums(),
            };
            sums.insert(key.1, whole);
        }
        let mut statement = conn.prepare_cached("SELECT meter_id FROM meter WHERE org_id = ?1 AND agent = 1")?;
        let meters: FxHashSet<i64> =
            statement.query_map([org.0], |row| row.get(0))?.collect::<Result<_, rusqlite::Error>>()?;
        let mut agents = FxHashSet::default();
        if !meters.is_empty() {
            let mut statement =
                conn.prepare_cached("SELECT workflow_id, meter_id FROM workflow_meter WHERE org_id = ?1")?;
            let known = statement.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let known: Vec<Key> = known.collect::<Result<_, _>>()?;
            let uses = sums::uses(conn, org, (after, newest))?;
            agents =
                known.into_iter().chain(uses).filter(|(_, meter)| meters.contains(meter)).map(|(w, _)| w).collect();
        }
        Ok(Self { sums, agents, events })
    }

    /// The sums of a trace, whether or not the job has reached all of it.
    pub(super) fn find(&self, conn: &Connection, org: OrgId, key: Key) -> Result<Option<Sums>, StoreError> {
        self.sums.get(&key.1).copied().map_or_else(|| Sums::find(conn, org, key), |sums| Ok(Some(sums)))
    }
}

/// A query in the numbers of rows.
struct Wanted<'q> {
    conn: &'q Connection,
    org: OrgId,
    query: &'q TraceQuery,
    tail: Tail,
    workflows: FxHashSet<i64>,
    projects: FxHashSet<i64>,
    users: FxHashSet<i64>,
    tenants: FxHashSet<i64>,
    only: Option<i64>,
}

/// Number and sums of a trace.
type Found = (i64, Sums);

fn page(conn: &Connection, org: OrgId, query: &TraceQuery) -> Result<TracePage, StoreError> {
    let kind = query.kind.dimension();
    // A project that nothing was ever of has no number: -1 is none's.
    let only = query.only_project.as_deref().map(|id| lookup::number(conn, org, Kind::Project, id)).transpose()?;
    let wanted = Wanted {
        conn,
        org,
        query,
        tail: Tail::read(conn, org, kind)?,
        workflows: lookup::numbers(conn, org, Kind::Workflow, &query.workflows)?,
        projects: lookup::numbers(conn, org, Kind::Project, &query.projects)?,
        users: lookup::numbers(conn, org, Kind::User, &query.users)?,
        tenants: lookup::numbers(conn, org, Kind::Tenant, &query.tenants)?,
        only: only.map(|number| number.unwrap_or(-1)),
    };
    let limit = query.limit.clamp(1, MAX_PAGE) as usize;
    let back = query.cursor.is_some_and(|cursor| cursor.back);
    let (mut found, edge) = match wanted.few()? {
        Some(few) => (few, None),
        None => wanted.walk(limit + 1)?,
    };
    let place = |(id, sums): &Found| (value(query.sort, sums), *id);
    found.retain(|found| wanted.is_ahead(place(found)) && edge.is_none_or(|edge| !beyond(edge, place(found), back)));
    found.sort_unstable_by_key(place);
    if !back {
        found.reverse();
    }
    let is_full = found.len() > limit;
    found.truncate(limit);
    // Where to go on in the direction of the walk, and where one came from.
    let last = if is_full { found.last().map(place) } else { edge };
    let ahead = last.map(|(value, id)| TraceCursor { value, id, back });
    let first = found.first().map(place).or_else(|| query.cursor.map(|cursor| (cursor.value, cursor.id)));
    let behind = first.filter(|_| query.cursor.is_some());
    let behind = behind.map(|(value, id)| TraceCursor { value, id, back: !back });
    if back {
        found.reverse();
    }
    let mut traces: Vec<Trace> =
        found.iter().map(|found| trace(conn, org, kind, &wanted.tail, found)).collect::<Result<_, _>>()?;
    if query.overlapping {
        for (trace, (id, sums)) in traces.iter_mut().zip(&found) {
            let within = within::sums(conn, org, (kind as i64, *id), sums, wanted.period(), &wanted.tail)?;
            (trace.within, trace.short) = within.map_or((None, false), |(used, short)| (Some(used), short));
        }
        // What was before the period and after it, and not in it.
        traces.retain(|trace| trace.short || trace.within.is_none_or(|within| within.events > 0));
    }
    let (back, on) = if back { (ahead, behind) } else { (behind, ahead) };
    Ok(TracePage { traces, back, on, whole: is_full || edge.is_none() })
}

/// Whether a place comes after another in the direction of a walk.
fn beyond(from: Key, place: Key, back: bool) -> bool {
    if back { place > from } else { place < from }
}

const fn value(sort: Sort, sums: &Sums) -> i64 {
    match sort {
        Sort::Time => sums.last_at,
        Sort::Credits => sums.micros,
        Sort::Data => sums.bytes,
    }
}

/// A trace with its names.
pub(super) fn trace(
    conn: &Connection,
    org: OrgId,
    kind: Kind,
    tail: &Tail,
    (id, sums): &Found,
) -> Result<Trace, StoreError> {
    let name = |kind, id| -> Result<String, StoreError> {
        Ok(lookup::place(conn, org, kind, id)?.map_or_else(String::new, |place| place.id.as_str().to_owned()))
    };
    Ok(Trace {
        place: lookup::place(conn, org, kind, *id)?.ok_or_else(|| crate::rows::unreadable("trace"))?,
        workflow: lookup::place(conn, org, Kind::Workflow, sums.workflow)?,
        project: lookup::place(conn, org, Kind::Project, sums.project)?,
        agent: tail.agents.contains(&sums.workflow),
        first_at: Timestamp::from_micros(sums.first_at),
        last_at: Timestamp::from_micros(sums.last_at),
        events: sums.events,
        failed: sums.failed,
        bytes: sums.bytes,
        credits: Credits::from_micros(sums.micros),
        user: name(Kind::User, sums.user)?,
        tenant: name(Kind::Tenant, sums.tenant)?,
        within: None,
        short: false,
        pruned: Pruned::find(conn, org, (kind as i64, *id))?.map_or(0, |pruned| pruned.sums().events),
    })
}

impl Wanted<'_> {
    fn kind(&self) -> i64 {
        self.query.kind.dimension() as i64
    }

    /// The instants of the period: from the first to before the second.
    fn period(&self) -> (i64, i64) {
        let micros = |at: Option<Timestamp>, none| at.map_or(none, Timestamp::micros);
        (micros(self.query.from, i64::MIN), micros(self.query.before, i64::MAX))
    }

    /// Whether a trace is wanted, whatever its name and place.
    fn counts(&self, sums: &Sums) -> bool {
        let (query, (from, before)) = (self.query, self.period());
        (query.workflows.is_empty() || self.workflows.contains(&sums.workflow))
            && (query.projects.is_empty() || self.projects.contains(&sums.project))
            && query.failed.is_none_or(|failed| failed == (sums.failed > 0))
            && query.agent.is_none_or(|agent| agent == self.tail.agents.contains(&sums.workflow))
            && self.only.is_none_or(|project| sums.project == project && sums.one_project)
            && (query.users.is_empty() || self.users.contains(&sums.user))
            && (query.tenants.is_empty() || self.tenants.contains(&sums.tenant))
            && query.mapped.is_none_or(|mapped| mapped == ((sums.user, sums.tenant) != (0, 0)))
            && sums.last_at >= from
            && (if query.overlapping { sums.first_at } else { sums.last_at }) < before
    }

    fn is_called(&self, id: i64) -> Result<bool, StoreError> {
        let search = &self.query.search;
        let place =
            if search.is_empty() { None } else { lookup::place(self.conn, self.org, self.query.kind.dimension(), id)? };
        Ok(search.is_empty() || place.is_some_and(|place| lookup::begins_with(&place, search)))
    }

    /// Whether a place lies ahead of the cursor.
    fn is_ahead(&self, place: Key) -> bool {
        self.query.cursor.is_none_or(|cursor| beyond((cursor.value, cursor.id), place, cursor.back))
    }

    /// All that are wanted, where only few can be.
    fn few(&self) -> Result<Option<Vec<Found>>, StoreError> {
        let (query, (from, before)) = (self.query, self.period());
        let unknown = |asked: &[String], known: &FxHashSet<i64>| !asked.is_empty() && known.is_empty();
        if unknown(&query.users, &self.users) || unknown(&query.tenants, &self.tenants) {
            return Ok(Some(Vec::new()));
        }
        // Those that reach beyond the period are told by their first event.
        let before = if query.overlapping { i64::MAX } else { before };
        let mut ids = if !query.search.is_empty() {
            lookup::beginning_with(self.conn, self.org, query.kind.dimension(), &query.search, FEW + 1)?
        } else if let Some((index, owner, number)) = self.owner() {
            let sql = format!(
                "SELECT id FROM trace INDEXED BY {index} WHERE org_id = ?1 AND kind = 9 AND {owner} AND last_at >= ?3 AND last_at < ?4
                 LIMIT ?5"
            );
            self.some(&sql, number, (from, before))?
        } else if query.sort != Sort::Time && (query.from.is_some() || query.before.is_some()) {
            let sql = "SELECT id FROM trace INDEXED BY trace_by_time
                       WHERE org_id = ?1 AND kind = ?2 AND last_at >= ?3 AND last_at < ?4 LIMIT ?5";
            self.some(sql, self.kind(), (from, before))?
        } else {
            return Ok(None);
        };
        if ids.len() > FEW {
            return Ok(None);
        }
        ids.extend(self.tail.sums.keys());
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(sums) = self.tail.find(self.conn, self.org, (self.kind(), id))?
                && self.counts(&sums)
                && self.is_called(id)?
            {
                found.push((id, sums));
            }
        }
        Ok(Some(found))
    }

    /// At most one more than few.
    fn some(&self, sql: &str, which: i64, (from, before): (i64, i64)) -> Result<FxHashSet<i64>, StoreError> {
        let few = i64::try_from(FEW + 1).unwrap_or(i64::MAX);
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_map(params![self.org.0, which, from, before, few], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The index that leads to those that count for one user or tenant, or for nobody, and the number to look for in it.
    fn owner(&self) -> Option<(&'static str, &'static str, i64)> {
        let (by_user, by_tenant) = (("trace_by_user", "user_id = ?2"), ("trace_by_tenant", "tenant_id = ?2"));
        let one = |numbers: &FxHashSet<i64>, asked: &[String]| match (asked.len(), numbers.iter().next()) {
            (1, Some(number)) => Some(*number),
            _ => None,
        };
        let query = self.query;
        let user = one(&self.users, &query.users).or((query.mapped == Some(false)).then_some(0));
        user.map(|user| (by_user.0, by_user.1, user))
            .or_else(|| one(&self.tenants, &query.tenants).map(|tenant| (by_tenant.0, by_tenant.1, tenant)))
    }

    /// The next `count` that are wanted, and where the walk ended if it was not at the end.
    fn walk(&self, count: usize) -> Result<(Vec<Found>, Option<Key>), StoreError> {
        let (sort, back) = (self.query.sort, self.query.cursor.is_some_and(|cursor| cursor.back));
        let (from, before) = if sort == Sort::Time { self.period() } else { (i64::MIN, i64::MAX) };
        let start = match self.query.cursor {
            Some(cursor) => (cursor.value, cursor.id),
            None => (before, i64::MIN),
        };
        // Where there is no cursor, `before` itself is not meant: no place lies behind its first number.
        let bound = if back { before.saturating_sub(1) } else { from };
        let workflow = (sort == Sort::Time && self.workflows.len() == 1 && self.query.kind == TraceKind::Run)
            .then(|| self.workflows.iter().next().copied())
            .flatten();
        let sql = walk_sql(sort, back, workflow.is_some());
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows =
            statement.query(params![self.org.0, workflow.unwrap_or_else(|| self.kind()), start.0, start.1, bound])?;
        let (mut found, mut looked, mut edge) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            let (id, sums): Found = (row.get(0)?, Sums::read(row, 1)?);
            looked += 1;
            if !self.tail.sums.contains_key(&id) && self.counts(&sums) && self.is_called(id)? {
                found.push((id, sums));
            }
            if found.len() >= count || looked >= WALK {
                edge = Some((value(sort, &sums), id));
                break;
            }
        }
        for (id, sums) in &self.tail.sums {
            if self.counts(sums) && self.is_called(*id)? {
                found.push((*id, *sums));
            }
        }
        Ok((found, edge))
    }
}

/// A walk along an index from a place on.
fn walk_sql(sort: Sort, back: bool, of_workflow: bool) -> String {
    let (column, index) = match (sort, of_workflow) {
        (Sort::Time, true) => ("last_at", "trace_by_workflow"),
        (Sort::Time, false) => ("last_at", "trace_by_time"),
        (Sort::Credits, _) => ("credits", "trace_by_credits"),
        (Sort::Data, _) => ("bytes", "trace_by_bytes"),
    };
    let of = if of_workflow { "kind = 5 AND workflow_id = ?2" } else { "kind = ?2" };
    let (ahead, bound, order) = if back { (">", "<=", "ASC") } else { ("<", ">=", "DESC") };
    format!(
        "SELECT id, {} FROM trace INDEXED BY {index} WHERE org_id = ?1 AND {of} AND ({column}, id) {ahead} (?3, ?4)
         AND {column} {bound} ?5 ORDER BY {column} {order}, id {order}",
        Sums::COLUMNS
    )
}

//! The events behind a view of usage, for a file: all that its figures count, in the order of acceptance.
//!
//! An event that was voided is counted by no chart, so it is not here; what replaced it is. Read in windows of
//! [`WINDOW`] places of the org's events, each in a snapshot of its own: memory stays flat however many there are, and a
//! slow reader holds nothing up. Cost: one pass over the org's events, whatever the range, since they lie in the order of
//! acceptance; names are looked up once each, [`MAX_NAMES`] of them at a time.

use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::mark::newest_event;
use crate::retention::{check_kept, kept};
use ledger::cube::MeterInfo;
use ledger::{Credits, EventSeq, Meter, OrgId, Quantity, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Places looked at in one read.
const WINDOW: i64 = 4_000;
/// Names kept in memory: those of the runs of a busy org are endless.
const MAX_NAMES: usize = 50_000;
/// Dimensions of an event, in the order of their columns.
const KINDS: [Kind; 9] = [
    Kind::Operation,
    Kind::Source,
    Kind::Project,
    Kind::Workflow,
    Kind::Run,
    Kind::Module,
    Kind::User,
    Kind::Tenant,
    Kind::Interaction,
];

/// Which events. An empty list lets everything through; `""` in one stands for what an event does not say.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Meters by name: events that used at least one of them; only those are listed and counted.
    pub types: Vec<String>,
    /// Sources.
    pub sources: Vec<String>,
    /// Projects by id.
    pub projects: Vec<String>,
    /// Workflows by id.
    pub workflows: Vec<String>,
    /// Users.
    pub users: Vec<String>,
    /// Tenants.
    pub tenants: Vec<String>,
    /// `succeeded`, `failed`.
    pub statuses: Vec<String>,
    /// Attributes, each a name and its value; of one name any of the values.
    pub attributes: Vec<(String, String)>,
}

/// An id, and what it is called where that was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The id; empty where nothing was said.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
}

/// An event of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedEvent {
    /// Its place in the org's events.
    pub seq: EventSeq,
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Operation, source, project, workflow, run, module, user, tenant, interaction.
    pub places: [Arc<Told>; 9],
    /// Whether it failed.
    pub failed: bool,
    /// Data transferred.
    pub bytes: i64,
    /// Free text.
    pub description: Option<String>,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// What was used and what it cost, per meter of [`EventExport::meters`]; `None` where it used none of it.
    pub used: Vec<Option<(Quantity, Credits)>>,
}

/// An export under way.
pub struct EventExport {
    store: Store,
    org: OrgId,
    wanted: Arc<Wanted>,
    names: Names,
    meters: Vec<MeterInfo>,
    after: i64,
    last: i64,
    pruned: Option<Timestamp>,
}

type Names = FxHashMap<(usize, i64), Arc<Told>>;

/// The filter, in the numbers that events have.
struct Wanted {
    from: i64,
    before: i64,
    /// Per dimension of [`KINDS`].
    ids: [Option<FxHashSet<i64>>; 9],
    failed: Option<FxHashSet<bool>>,
    attributes: Vec<(String, Vec<String>)>,
    /// Place of each meter wanted among the columns.
    meters: FxHashMap<i64, usize>,
    all_types: bool,
}

impl Store {
    /// Begins to list the events of an org from an instant to before another.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Pruned`] where none of the range are kept; or where the database fails.
    pub async fn events_behind(
        &self,
        org: OrgId,
        range: (Timestamp, Timestamp),
        filter: EventFilter,
    ) -> Result<EventExport, StoreError> {
        self.org(org).await?;
        let (wanted, meters, last, kept) = self
            .read(move |conn| {
                let (wanted, meters) = Wanted::read(conn, org, range, &filter)?;
                Ok((wanted, meters, newest_event(conn, org)?, kept(conn, org)?))
            })
            .await?;
        let (after, until) = kept.pruned.map_or((0, None), |(last, until)| (last.0, Some(until)));
        let pruned = until.filter(|until| range.0 <= *until);
        if let Some(until) = until.filter(|until| range.1 <= *until) {
            return Err(StoreError::Pruned { until, days: kept.days });
        }
        let names = Names::default();
        Ok(EventExport { store: self.clone(), org, wanted: Arc::new(wanted), names, meters, after, last, pruned })
    }
}

impl EventExport {
    /// The meters that are listed, in the order of the rate card.
    #[must_use]
    pub fn meters(&self) -> &[MeterInfo] {
        &self.meters
    }

    /// Where the range begins before events that are pruned: when the last of those was booked. They are not in the file.
    #[must_use]
    pub const fn pruned(&self) -> Option<Timestamp> {
        self.pruned
    }

    /// Some more events, possibly none; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] where those that come next were pruned meanwhile; where the database fails.
    pub async fn next(&mut self) -> Result<Option<Vec<ExportedEvent>>, StoreError> {
        if self.after >= self.last {
            return Ok(None);
        }
        let (low, high) = (self.after, (self.after + WINDOW).min(self.last));
        let (org, wanted, mut names) = (self.org, Arc::clone(&self.wanted), std::mem::take(&mut self.names));
        let (found, names) = self
            .store
            .read(move |conn| {
                if names.len() > MAX_NAMES {
                    names.clear();
                }
                check_kept(conn, org, EventSeq(low + 1))?;
                let found = window(conn, org, low, high, &wanted, &mut names)?;
                Ok((found, names))
            })
            .await?;
        (self.after, self.names) = (high, names);
        Ok(Some(found))
    }
}

impl Wanted {
    fn read(
        conn: &Connection,
        org: OrgId,
        range: (Timestamp, Timestamp),
        filter: &EventFilter,
    ) -> Result<(Self, Vec<MeterInfo>), StoreError> {
        let mut select = conn.prepare_cached(
            "SELECT meter_id, name, title, unit, service FROM meter WHERE org_id = ?1 ORDER BY meter_id",
        )?;
        let (mut meters, mut infos) = (FxHashMap::default(), Vec::new());
        let mut rows = select.query([org.0])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            if filter.types.is_empty() || filter.types.contains(&name) {
                meters.insert(row.get(0)?, infos.len());
                let (title, unit, service) = (row.get(2)?, row.get(3)?, row.get(4)?);
                infos.push(MeterInfo { meter: Meter::parse(&name)?, title, unit, service });
            }
        }
        let ids = |kind, values: &[String]| ids(conn, org, kind, values);
        let mut attributes: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in &filter.attributes {
            match attributes.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value.clone()),
                None => attributes.push((name.clone(), vec![value.clone()])),
            }
        }
        let failed: FxHashSet<bool> = filter
            .statuses
            .iter()
            .filter_map(|status| match status.as_str() {
                "failed" => Some(true),
                "succeeded" => Some(false),
                _ => None,
            })
            .collect();
        let wanted = Self {
            from: range.0.micros(),
            before: range.1.micros(),
            ids: [
                None,
                ids(Kind::Source, &filter.sources)?,
                ids(Kind::Project, &filter.projects)?,
                ids(Kind::Workflow, &filter.workflows)?,
                None,
                None,
                ids(Kind::User, &filter.users)?,
                ids(Kind::Tenant, &filter.tenants)?,
                None,
            ],
            failed: (!filter.statuses.is_empty()).then_some(failed),
            attributes,
            meters,
            all_types: filter.types.is_empty(),
        };
        Ok((wanted, infos))
    }

    fn is_in(&self, ids: &[i64; 9], failed: bool) -> bool {
        let listed = |(wanted, id): (&Option<FxHashSet<i64>>, &i64)| wanted.as_ref().is_none_or(|set| set.contains(id));
        self.ids.iter().zip(ids).all(listed) && self.failed.as_ref().is_none_or(|set| set.contains(&failed))
    }

    fn has_attributes(&self, said: &[(String, String)]) -> bool {
        self.attributes.iter().all(|(name, values)| {
            let value = said.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
            values.iter().any(|wanted| wanted == value)
        })
    }
}

/// The numbers of those of `values` that the org knows; `None` where all are wanted.
fn ids(conn: &Connection, org: OrgId, kind: Kind, values: &[String]) -> Result<Option<FxHashSet<i64>>, StoreError> {
    if values.is_empty() {
        return Ok(None);
    }
    let mut select = conn.prepare_cached("SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value = ?3")?;
    let mut found = FxHashSet::default();
    for value in values {
        let id = match value.as_str() {
            "" => Some(0),
            value => select.query_row(params![org.0, kind as i64, value], |row| row.get(0)).optional()?,
        };
        found.extend(id);
    }
    Ok(Some(found))
}

fn window(
    conn: &Connection,
    org: OrgId,
    low: i64,
    high: i64,
    wanted: &Wanted,
    names: &mut Names,
) -> Result<Vec<ExportedEvent>, StoreError> {
    let mut select = conn.prepare_cached(
        "SELECT e.operation_id, e.source_id, e.project_id, e.workflow_id, e.run_id, e.module_id, e.user_id, e.tenant_id,
                e.interaction_id, e.failed, e.seq, e.occurred_at, e.bytes, e.description, e.attributes, i.external_id
         FROM owned_event e JOIN identity i ON i.org_id = e.org_id AND i.seq = e.seq
         WHERE e.org_id = ?1 AND e.seq > ?2 AND e.seq <= ?3 AND e.occurred_at >= ?4 AND e.occurred_at < ?5
           AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
         ORDER BY e.seq",
    )?;
    let mut name_of =
        conn.prepare_cached("SELECT value, name FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id = ?3")?;
    let mut rows = select.query(params![org.0, low, high, wanted.from, wanted.before])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut ids = [0_i64; 9];
        for (column, id) in ids.iter_mut().enumerate() {
            *id = row.get(column)?;
        }
        let failed: bool = row.get(9)?;
        if !wanted.is_in(&ids, failed) {
            continue;
        }
        let attributes: Vec<(String, String)> =
            row.get::<_, Option<String>>(14)?.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
        if !wanted.has_attributes(&attributes) {
            continue;
        }
        let mut places: [Arc<Told>; 9] = Default::default();
        for (kind, place) in places.iter_mut().enumerate() {
            *place = told(&mut name_of, org, kind, ids[kind], names)?;
        }
        found.push(ExportedEvent {
            seq: EventSeq(row.get(10)?),
            id: row.get(15)?,
            occurred_at: Timestamp::from_micros(row.get(11)?),
            places,
            failed,
            bytes: row.get(12)?,
            description: row.get(13)?,
            attributes,
            used: vec![None; wanted.meters.len()],
        });
    }
    fill(conn, org, wanted, &mut found)?;
    if !wanted.all_types {
        found.retain(|event| event.used.iter().any(Option::is_some));
    }
    Ok(found)
}

/// Adds to events, which are in order, what they used and what it cost.
fn fill(conn: &Connection, org: OrgId, wanted: &Wanted, found: &mut [ExportedEvent]) -> Result<(), StoreError> {
    let Some((low, high)) = found.first().zip(found.last()).map(|(first, last)| (first.seq.0, last.seq.0)) else {
        return Ok(());
    };
    let mut select = conn.prepare_cached(
        "SELECT seq, meter_id, quantity, quantity_micros, credits FROM charge
         WHERE org_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
    )?;
    let mut rows = select.query([org.0, low, high])?;
    let mut place = 0;
    while let Some(row) = rows.next()? {
        let seq = EventSeq(row.get(0)?);
        while found.get(place).is_some_and(|event| event.seq < seq) {
            place += 1;
        }
        let (Some(event), Some(column)) = (found.get_mut(place), wanted.meters.get(&row.get(1)?)) else { continue };
        if event.seq == seq {
            let quantity = Quantity::from_parts(row.get(2)?, row.get(3)?);
            event.used[*column] = Some((quantity, Credits::from_micros(row.get(4)?)));
        }
    }
    Ok(())
}

fn told(
    select: &mut CachedStatement<'_>,
    org: OrgId,
    kind: usize,
    id: i64,
    names: &mut Names,
) -> Result<Arc<Told>, StoreError> {
    if let Some(known) = names.get(&(kind, id)) {
        return Ok(Arc::clone(known));
    }
    let found = match id {
        0 => None,
        id => {
            let row = |row: &rusqlite::Row<'_>| Ok(Told { id: row.get(0)?, name: row.get(1)? });
            select.query_row(params![org.0, KINDS[kind] as i64, id], row).optional()?
        }
    };
    let found = Arc::new(found.unwrap_or_default());
    names.insert((kind, id), Arc::clone(&found));
    Ok(found)
}

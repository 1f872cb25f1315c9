//! Meters and sets of meters.

use crate::Store;
use crate::error::StoreError;
use crate::rows;
use ledger::cube::MeterInfo;
use ledger::{Credits, Meter, OrgId, Quantity, RateLine, Refusal};
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// What the writer remembers of an org's meters, and their sums over all time.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    ids: FxHashMap<Meter, i64>,
    sets: FxHashMap<Vec<i64>, i64>,
    totals: FxHashMap<i64, (Credits, Quantity)>,
    changed: FxHashSet<i64>,
}

impl Meters {
    pub(crate) fn load(conn: &Connection, org: OrgId) -> Result<Self, StoreError> {
        let mut meters = Self::default();
        meters.load_ids(conn, org)?;
        let mut statement = conn.prepare_cached("SELECT set_id, members FROM meter_set WHERE org_id = ?1")?;
        let mut found = statement.query([org.0])?;
        while let Some(row) = found.next()? {
            let members: String = row.get(1)?;
            meters.sets.insert(rows::members(&members), row.get(0)?);
        }
        let mut statement = conn
            .prepare_cached("SELECT meter_id, credits, quantity, quantity_micros FROM meter_total WHERE org_id = ?1")?;
        let mut found = statement.query([org.0])?;
        while let Some(row) = found.next()? {
            let total = (Credits::from_micros(row.get(1)?), Quantity::from_parts(row.get(2)?, row.get(3)?));
            meters.totals.insert(row.get(0)?, total);
        }
        Ok(meters)
    }

    /// Takes up the meters that have rows.
    pub(crate) fn load_ids(&mut self, conn: &Connection, org: OrgId) -> Result<(), StoreError> {
        let mut statement = conn.prepare_cached("SELECT meter_id, name FROM meter WHERE org_id = ?1")?;
        let mut found = statement.query([org.0])?;
        while let Some(row) = found.next()? {
            let name: String = row.get(1)?;
            self.ids.insert(Meter::parse(&name)?, row.get(0)?);
        }
        Ok(())
    }

    /// The number of a meter that a rate card names.
    pub(crate) fn id(&self, meter: &Meter) -> Result<i64, StoreError> {
        self.ids.get(meter).copied().ok_or_else(|| StoreError::Internal(format!("meter {meter} has no row")))
    }

    /// The number of a meter that may have no row yet: what a hold without a meter of its own counts for.
    pub(crate) fn id_or_add(&mut self, conn: &Connection, org: OrgId, meter: &Meter) -> Result<i64, StoreError> {
        if let Some(id) = self.ids.get(meter) {
            return Ok(*id);
        }
        let id = conn
            .prepare_cached(
                "INSERT INTO meter (org_id, meter_id, name, title, unit)
                 SELECT ?1, coalesce(max(meter_id), 0) + 1, ?2, ?3, 'operation' FROM meter WHERE org_id = ?1 RETURNING meter_id",
            )?
            .query_row(params![org.0, meter.as_str(), title_of(meter)], |row| row.get(0))?;
        self.ids.insert(meter.clone(), id);
        Ok(id)
    }

    /// Whether a rate card names it.
    pub(crate) fn knows(&self, meter: &Meter) -> bool {
        self.ids.contains_key(meter)
    }

    /// Their names, as a sentence.
    pub(crate) fn names(&self) -> String {
        let mut names: Vec<&str> = self.ids.keys().map(Meter::as_str).collect();
        names.sort_unstable();
        if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) }
    }

    /// The number of a set of meters; a new set gets the next.
    pub(crate) fn set(&mut self, conn: &Connection, org: OrgId, members: &[i64]) -> Result<i64, StoreError> {
        if let Some(id) = self.sets.get(members) {
            return Ok(*id);
        }
        let mut members = members.to_vec();
        members.sort_unstable();
        if let Some(id) = self.sets.get(&members) {
            return Ok(*id);
        }
        let text = members.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let id = conn
            .prepare_cached(
                "INSERT INTO meter_set (org_id, set_id, members)
                 SELECT ?1, coalesce(max(set_id), 0) + 1, ?2 FROM meter_set WHERE org_id = ?1 RETURNING set_id",
            )?
            .query_row(params![org.0, text], |row| row.get(0))?;
        self.sets.insert(members, id);
        Ok(id)
    }

    /// A meter's sums with this added, if they still fit the columns of every rollup.
    pub(crate) fn total_with(
        &self,
        meter: i64,
        credits: Credits,
        quantity: Quantity,
    ) -> Result<(Credits, Quantity), Refusal> {
        let (old_credits, old_quantity) = self.totals.get(&meter).copied().unwrap_or_default();
        let sum = old_quantity.plus(quantity)?;
        sum.parts()?;
        Ok((old_credits.plus(credits)?, sum))
    }

    /// Remembers a meter's new sums.
    pub(crate) fn put_total(&mut self, meter: i64, total: (Credits, Quantity)) {
        self.totals.insert(meter, total);
        self.changed.insert(meter);
    }

    pub(crate) fn write_totals(&mut self, conn: &Connection, org: OrgId) -> Result<(), StoreError> {
        for meter in self.changed.drain() {
            let (credits, quantity) = self.totals.get(&meter).copied().unwrap_or_default();
            let (whole, micros) = quantity.parts()?;
            conn.prepare_cached(
                "INSERT INTO meter_total (org_id, meter_id, credits, quantity, quantity_micros) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET credits = excluded.credits, quantity = excluded.quantity, quantity_micros = excluded.quantity_micros",
            )?
            .execute(params![org.0, meter, credits.micros(), whole, micros])?;
        }
        Ok(())
    }
}

/// Writes meters that the org does not have yet: those described, and those that lines name.
pub(crate) fn insert_new(
    conn: &Connection,
    org: OrgId,
    meters: &[MeterInfo],
    lines: &[RateLine],
) -> Result<(), StoreError> {
    let mut all: Vec<MeterInfo> = meters.to_vec();
    for line in lines {
        if !all.iter().any(|info| info.meter == line.meter) {
            let (title, unit) = (title_of(&line.meter), "unit".to_owned());
            all.push(MeterInfo { meter: line.meter.clone(), title, unit, service: String::new() });
        }
    }
    for info in &all {
        conn.prepare_cached(
            "INSERT INTO meter (org_id, meter_id, name, title, unit, service)
             SELECT ?1, coalesce(max(meter_id), 0) + 1, ?2, ?3, ?4, ?5 FROM meter WHERE org_id = ?1 HAVING true
             ON CONFLICT (org_id, name) DO NOTHING",
        )?
        .execute(params![org.0, info.meter.as_str(), info.title, info.unit, info.service])?;
    }
    Ok(())
}

/// Says which meters make a workflow that uses them an AI agent.
pub(crate) fn mark_agents(conn: &Connection, org: OrgId, agents: &[Meter]) -> Result<(), StoreError> {
    let mut mark = conn.prepare_cached("UPDATE meter SET agent = 1 WHERE org_id = ?1 AND name = ?2")?;
    for meter in agents {
        mark.execute(params![org.0, meter.as_str()])?;
    }
    Ok(())
}

/// `input_tokens` as people read it: `Input tokens`.
fn title_of(meter: &Meter) -> String {
    let words = meter.as_str().replace(['_', '-', '.'], " ");
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

impl Store {
    /// The org's meters as people see them, in the order of its rate card.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn meters(&self, org: OrgId) -> Result<Vec<MeterInfo>, StoreError> {
        let found: Vec<(String, String, String, String)> =
            sqlx::query_as("SELECT name, title, unit, service FROM meter WHERE org_id = ?1 ORDER BY meter_id")
                .bind(org.0)
                .fetch_all(self.reader())
                .await?;
        found
            .into_iter()
            .map(|(name, title, unit, service)| Ok(MeterInfo { meter: Meter::parse(&name)?, title, unit, service }))
            .collect()
    }
}

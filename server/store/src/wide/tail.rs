//! Events as rows of wide usage: those that are in no segment yet, or are to be.

use super::attributes::AttributeSets;
use super::segment::{ATTRIBUTES, FAILED, Fact, PROJECT, Part, QUARTER, SET, SOURCE, TENANT, USER, WORKFLOW, added_up};
use crate::error::StoreError;
use crate::rollup::quarter_of;
use crate::rows::{members, unreadable};
use ledger::{OrgId, Quantity, Timestamp};
use rusqlite::{Connection, Row, ToSql, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// The numbers of sets of meters, by their meters.
pub(crate) type Sets = FxHashMap<Vec<i64>, i64>;

/// Those of an org.
pub(crate) fn sets(conn: &Connection, org: OrgId) -> Result<Sets, StoreError> {
    let mut statement = conn.prepare_cached("SELECT members, set_id FROM meter_set WHERE org_id = ?1")?;
    let found = statement.query_map([org.0], |row| Ok((members(&row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The events `after ..= last` that stand, each a row.
pub(crate) fn events(
    conn: &Connection,
    org: OrgId,
    (after, last): (i64, i64),
    sets: &Sets,
    attributes: &mut AttributeSets,
) -> Result<Vec<Fact>, StoreError> {
    let is_in = |column: &str| format!("{column} > ?2 AND {column} <= ?3");
    read(conn, is_in, params![org.0, after, last], sets, attributes)
}

/// Those of some events that stand.
pub(crate) fn these(
    conn: &Connection,
    org: OrgId,
    events: &[i64],
    attributes: &mut AttributeSets,
) -> Result<Vec<Fact>, StoreError> {
    let is_in = |column: &str| format!("{column} IN (SELECT value FROM json_each(?2))");
    read(conn, is_in, params![org.0, serde_json::to_string(events)?], &sets(conn, org)?, attributes)
}

/// The events whose numbers are in what `values` say; user and tenant are those that they count for.
fn read(
    conn: &Connection,
    is_in: impl Fn(&str) -> String,
    values: &[&dyn ToSql],
    sets: &Sets,
    attributes: &mut AttributeSets,
) -> Result<Vec<Fact>, StoreError> {
    let mut gone =
        conn.prepare_cached(&format!("SELECT event_seq FROM voided WHERE org_id = ?1 AND {}", is_in("event_seq")))?;
    let gone: FxHashSet<i64> = gone.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut charges = conn.prepare_cached(&format!(
        "SELECT seq, meter_id, credits, quantity, quantity_micros FROM charge
         WHERE org_id = ?1 AND {} ORDER BY seq, meter_id",
        is_in("seq")
    ))?;
    let mut charges = charges.query(values)?;
    let mut charge = charges.next()?;
    let mut events = conn.prepare_cached(&format!(
        "SELECT seq, occurred_at, source_id, project_id, workflow_id, user_id, tenant_id, failed, bytes, attributes
         FROM owned_event WHERE org_id = ?1 AND {} ORDER BY seq",
        is_in("seq")
    ))?;
    let mut events = events.query(values)?;
    let mut facts = Vec::new();
    let (mut meters, mut parts) = (Vec::new(), Vec::new());
    while let Some(event) = events.next()? {
        let seq: i64 = event.get(0)?;
        meters.clear();
        while let Some(row) = charge
            && row.get::<_, i64>(0)? == seq
        {
            meters.push(row.get(1)?);
            let quantity = Quantity::from_parts(row.get(3)?, row.get(4)?);
            parts.push(Part { micros: row.get(2)?, quantity: quantity.micros() });
            charge = charges.next()?;
        }
        let parts = std::mem::take(&mut parts);
        if !gone.contains(&seq) {
            let set = sets.get(&meters).copied().ok_or_else(|| unreadable("set of meters"))?;
            facts.push(fact(event, set, parts, attributes)?);
        }
    }
    added_up(facts)
}

/// One event by its number.
pub(crate) fn event(
    conn: &Connection,
    org: OrgId,
    seq: i64,
    attributes: &mut AttributeSets,
) -> Result<Option<Fact>, StoreError> {
    let found = events(conn, org, (seq - 1, seq), &sets(conn, org)?, attributes)?;
    Ok(found.into_iter().next())
}

fn fact(row: &Row<'_>, set: i64, parts: Vec<Part>, attributes: &mut AttributeSets) -> Result<Fact, StoreError> {
    let mut key = [0; 9];
    key[SET] = set;
    key[QUARTER] = quarter_of(Timestamp::from_micros(row.get(1)?));
    for (place, column) in [(SOURCE, 2), (PROJECT, 3), (WORKFLOW, 4), (USER, 5), (TENANT, 6), (FAILED, 7)] {
        key[place] = row.get(column)?;
    }
    let said = row.get_ref(9)?.as_str_or_null().map_err(|_| unreadable("attributes"))?;
    key[ATTRIBUTES] = attributes.number(said);
    Ok(Fact { key, events: 1, bytes: row.get(8)?, parts })
}

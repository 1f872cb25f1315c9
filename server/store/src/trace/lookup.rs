//! Names of dimensions, both ways.

use crate::dimension::Kind;
use crate::error::StoreError;
use ledger::event::Place;
use ledger::{Label, OrgId};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashSet;

/// The number of an id; `None` where nothing was ever called so.
pub(crate) fn number(conn: &Connection, org: OrgId, kind: Kind, value: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value = ?3";
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind as i64, value], |row| row.get(0)).optional()?)
}

/// The numbers of ids, `""` being 0: what is not said.
pub(super) fn numbers(
    conn: &Connection,
    org: OrgId,
    kind: Kind,
    values: &[String],
) -> Result<FxHashSet<i64>, StoreError> {
    let mut found = FxHashSet::default();
    for value in values {
        found.extend(if value.is_empty() { Some(0) } else { number(conn, org, kind, value)? });
    }
    Ok(found)
}

/// What a number stands for; `None` for 0.
pub(crate) fn place(conn: &Connection, org: OrgId, kind: Kind, id: i64) -> Result<Option<Place>, StoreError> {
    let sql = "SELECT value, name FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
    let found: Option<(String, Option<String>)> = conn
        .prepare_cached(sql)?
        .query_row(params![org.0, kind as i64, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let read = |(id, name): (String, Option<String>)| -> Result<Place, StoreError> {
        Ok(Place { id: Label::kept(&id)?, name: name.map(|name| Label::kept(&name)).transpose()? })
    };
    found.map(read).transpose()
}

/// Numbers of those whose id begins with a text, or their name in any case of letters; at most `limit` of each.
pub(super) fn beginning_with(
    conn: &Connection,
    org: OrgId,
    kind: Kind,
    text: &str,
    limit: usize,
) -> Result<FxHashSet<i64>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = FxHashSet::default();
    for sql in [
        "SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value >= ?3 AND value < ?4 LIMIT ?5",
        "SELECT id FROM dimension INDEXED BY dimension_by_name WHERE org_id = ?1 AND kind = ?2 AND name IS NOT NULL
            AND name COLLATE NOCASE >= ?3 AND name COLLATE NOCASE < ?4 LIMIT ?5",
    ] {
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![org.0, kind as i64, text, past(text), limit], |row| row.get(0))?;
        for row in rows {
            found.insert(row?);
        }
    }
    Ok(found)
}

/// Whether it would be among those.
pub(super) fn begins_with(place: &Place, text: &str) -> bool {
    let named = |name: &Label| {
        let (name, text) = (name.as_str().as_bytes(), text.as_bytes());
        name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    place.id.as_str().starts_with(text) || place.name.as_ref().is_some_and(named)
}

/// A text after all that begin with this one.
fn past(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

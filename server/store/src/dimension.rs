//! Names that events bring, as small numbers per org and kind.

use crate::error::StoreError;
use ledger::event::Place;
use ledger::{Label, OrgId};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

/// What a name names. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Operation = 1,
    Source = 2,
    Project = 3,
    Workflow = 4,
    Run = 5,
    Module = 6,
    User = 7,
    Tenant = 8,
    Interaction = 9,
}

/// Names remembered per org: the busy ones stay, a flood of new runs only empties the memory now and then.
const MAX_NAMES: usize = 50_000;

#[derive(Debug, Clone)]
struct Known {
    id: i64,
    name: Option<Label>,
}

/// What the writer remembers of an org's names.
#[derive(Debug, Default)]
pub(crate) struct Dimensions {
    known: [FxHashMap<Label, Known>; 10],
    count: usize,
}

impl Dimensions {
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// The number of a label, 0 where there is none; a new label gets the next.
    pub(crate) fn id(
        &mut self,
        conn: &Connection,
        org: OrgId,
        kind: Kind,
        label: Option<&Label>,
    ) -> Result<i64, StoreError> {
        label.map_or(Ok(0), |label| self.place_id(conn, org, kind, label, None))
    }

    /// The number of a place, whose newest name is kept.
    pub(crate) fn place(
        &mut self,
        conn: &Connection,
        org: OrgId,
        kind: Kind,
        place: Option<&Place>,
    ) -> Result<i64, StoreError> {
        place.map_or(Ok(0), |place| self.place_id(conn, org, kind, &place.id, place.name.as_ref()))
    }

    fn place_id(
        &mut self,
        conn: &Connection,
        org: OrgId,
        kind: Kind,
        label: &Label,
        name: Option<&Label>,
    ) -> Result<i64, StoreError> {
        if self.count >= MAX_NAMES {
            *self = Self::default();
        }
        let known = &mut self.known[kind as usize];
        if let Some(found) = known.get_mut(label) {
            if name.is_some() && found.name.as_ref() != name {
                rename(conn, org, kind, found.id, name)?;
                found.name = name.cloned();
            }
            return Ok(found.id);
        }
        let found = find_or_add(conn, org, kind, label, name)?;
        let id = found.id;
        known.insert(label.clone(), found);
        self.count += 1;
        Ok(id)
    }
}

fn find_or_add(
    conn: &Connection,
    org: OrgId,
    kind: Kind,
    label: &Label,
    name: Option<&Label>,
) -> Result<Known, StoreError> {
    let found: Option<(i64, Option<String>)> = conn
        .prepare_cached("SELECT id, CASE WHEN is_renamed = 1 THEN said ELSE name END FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value = ?3")?
        .query_row(params![org.0, kind as i64, label.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, old)) = found {
        if name.is_some() && old.as_deref() != name.map(Label::as_str) {
            rename(conn, org, kind, id, name)?;
        }
        return Ok(Known { id, name: name.cloned() });
    }
    let id = conn
        .prepare_cached(
            "INSERT INTO dimension (org_id, kind, id, value, name)
             SELECT ?1, ?2, coalesce(max(id), 0) + 1, ?3, ?4 FROM dimension WHERE org_id = ?1 AND kind = ?2
             RETURNING id",
        )?
        .query_row(params![org.0, kind as i64, label.as_str(), name.map(Label::as_str)], |row| row.get(0))?;
    Ok(Known { id, name: name.cloned() })
}

/// What events call it. A name that people gave it stays.
fn rename(conn: &Connection, org: OrgId, kind: Kind, id: i64, name: Option<&Label>) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE dimension SET said = CASE WHEN is_renamed = 1 THEN ?4 END, name = CASE WHEN is_renamed = 1 THEN name ELSE ?4 END
         WHERE org_id = ?1 AND kind = ?2 AND id = ?3",
    )?
        .execute(params![org.0, kind as i64, id, name.map(Label::as_str)])?;
    Ok(())
}

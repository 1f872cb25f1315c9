//! Which attributes came together: each combination is a number, so that a row of wide usage needs one.

use crate::error::StoreError;
use crate::rows::unreadable;
use ledger::OrgId;
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

/// Combinations of attributes that an org's charts can tell apart. Beyond it are ids, which belong into users, tenants, runs or
/// interactions; charts by attribute are refused then rather than wrong.
pub const MAX_SETS: usize = 10_000;
/// Stands for every combination beyond [`MAX_SETS`].
pub(crate) const TOO_MANY: i64 = -1;

/// The combinations that an org has, and new ones that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct AttributeSets {
    known: FxHashMap<String, i64>,
    fresh: Vec<(i64, String)>,
}

impl AttributeSets {
    pub(crate) fn load(conn: &Connection, org: OrgId) -> Result<Self, StoreError> {
        let mut statement = conn.prepare_cached("SELECT members, set_id FROM attribute_set WHERE org_id = ?1")?;
        let known = statement.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { known: known.collect::<Result<_, _>>()?, fresh: Vec::new() })
    }

    /// The number of a combination, as the event's row has it.
    pub(crate) fn number(&mut self, members: Option<&str>) -> i64 {
        let Some(members) = members else { return 0 };
        if let Some(known) = self.known.get(members) {
            return *known;
        }
        if self.known.len() >= MAX_SETS {
            return TOO_MANY;
        }
        let number = i64::try_from(self.known.len() + 1).unwrap_or(TOO_MANY);
        self.known.insert(members.to_owned(), number);
        self.fresh.push((number, members.to_owned()));
        number
    }

    /// What was met for the first time.
    pub(crate) fn fresh(self) -> Vec<(i64, String)> {
        self.fresh
    }

    /// The combinations beyond those that are written: their values of one name.
    pub(crate) fn fresh_values(&self, name: &str) -> Result<Vec<(i64, String)>, StoreError> {
        let mut values = Vec::new();
        for (number, members) in &self.fresh {
            values.extend(pairs(members)?.into_iter().find(|(n, _)| n == name).map(|(_, value)| (*number, value)));
        }
        Ok(values)
    }
}

fn pairs(members: &str) -> Result<Vec<(String, String)>, StoreError> {
    serde_json::from_str(members).map_err(|_| unreadable("attributes"))
}

/// Writes combinations.
pub(crate) fn write(conn: &Connection, org: OrgId, fresh: &[(i64, String)]) -> Result<(), StoreError> {
    let mut set = conn.prepare_cached("INSERT INTO attribute_set (org_id, set_id, members) VALUES (?1, ?2, ?3)")?;
    let mut one = conn.prepare_cached("INSERT INTO attribute (org_id, name, set_id, value) VALUES (?1, ?2, ?3, ?4)")?;
    for (number, members) in fresh {
        set.execute(params![org.0, number, members])?;
        for (name, value) in pairs(members)? {
            one.execute(params![org.0, name, number, value])?;
        }
    }
    Ok(())
}

/// The value of an attribute in each combination that has it.
pub(crate) fn values(conn: &Connection, org: OrgId, name: &str) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT set_id, value FROM attribute WHERE org_id = ?1 AND name = ?2")?;
    let found = statement.query_map(params![org.0, name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The names of all attributes, each found by one look-up behind the one before.
pub(crate) fn names(conn: &Connection, org: OrgId, limit: usize) -> Result<Vec<String>, StoreError> {
    let mut next = conn.prepare_cached("SELECT min(name) FROM attribute WHERE org_id = ?1 AND name > ?2")?;
    let mut names: Vec<String> = Vec::new();
    while names.len() < limit {
        let after = names.last().map_or("", String::as_str);
        let found: Option<String> = next.query_row(params![org.0, after], |row| row.get(0))?;
        let Some(name) = found else { break };
        names.push(name);
    }
    Ok(names)
}

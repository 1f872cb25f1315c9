//! Mapped interactions: each row is what its newest note in the audit log says, and there is no other; names that notes use are there.
//!
//! What the rows lead to is compared where wide usage is. Memory: one note.

use super::Problems;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::interaction::owner::{ACTION, TARGET, number};
use ledger::OrgId;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// A row: user, tenant, when and by whom.
type Row = (i64, i64, i64, String);

pub(super) fn finish(conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
    let mut notes = conn.prepare(
        "SELECT target, after, at, actor, audit_seq = (SELECT max(audit_seq) FROM audit n
                WHERE n.org_id = a.org_id AND n.target = a.target AND n.action = a.action)
         FROM audit a WHERE org_id = ?1 AND action = ?2",
    )?;
    let mut notes = notes.query(params![org.0, ACTION])?;
    let mut expected = 0_i64;
    while let Some(note) = notes.next()? {
        let (target, after): (String, Option<String>) = (note.get(0)?, note.get(1)?);
        let said: Value = after.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let id = target.strip_prefix(TARGET).unwrap_or_default();
        let known = |kind, id: Option<&str>| id.map_or(Ok(Some(0)), |id| number(conn, org, kind, id));
        let of = |field: &str| said.get(field).and_then(Value::as_str);
        let (interaction, user, tenant) =
            (known(Kind::Interaction, Some(id))?, known(Kind::User, of("user"))?, known(Kind::Tenant, of("tenant"))?);
        let (Some(interaction), Some(user), Some(tenant)) = (interaction, user, tenant) else {
            problems.say(format!("interaction {id} was mapped to a name that is not there"));
            continue;
        };
        if !note.get::<_, bool>(4)? {
            continue;
        }
        let wanted: Option<Row> = ((user, tenant) != (0, 0)).then_some((user, tenant, note.get(2)?, note.get(3)?));
        expected += i64::from(wanted.is_some());
        if row(conn, org, interaction)? != wanted {
            problems.say(format!("interaction {id} is not mapped as it was noted last"));
        }
    }
    let found: i64 =
        conn.query_row("SELECT count(*) FROM interaction_owner WHERE org_id = ?1", [org.0], |row| row.get(0))?;
    if found != expected {
        problems.say(format!("{found} interactions are mapped, {expected} of them by what was noted"));
    }
    Ok(())
}

fn row(conn: &Connection, org: OrgId, interaction: i64) -> Result<Option<Row>, StoreError> {
    let sql = "SELECT user_id, tenant_id, mapped_at, mapped_by FROM interaction_owner
               WHERE org_id = ?1 AND interaction_id = ?2";
    Ok(conn
        .prepare_cached(sql)?
        .query_row([org.0, interaction], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?)
}

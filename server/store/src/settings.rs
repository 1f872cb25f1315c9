//! What the installation and its orgs are set to. Every change counts from the next request on and is noted, with what was
//! before. What the installation is set to belongs to no org: it is noted in the one from which it was changed.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::org::zone_named;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::settings::check_product;
use ledger::words::{UnitPosition, Words};
use ledger::{Credits, Currency, Installation, OrgId, OrgSettings, Refusal, Support};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

/// What an org pays with where it does not say.
const CURRENCY: &str = "USD";

/// Words of an org's own, in the place of the installation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnWords {
    /// What the product is called there; as in the installation where there is none.
    pub product: Option<String>,
    /// How credits and workflows are called.
    pub words: Words,
}

impl OwnWords {
    fn check(&self) -> Result<(), Refusal> {
        self.product.as_deref().map_or(Ok(()), check_product)?;
        self.words.check()
    }
}

impl Store {
    /// What the installation is set to.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn installation(&self) -> Result<Installation, StoreError> {
        self.read(installation).await
    }

    /// Sets the installation, from an org whose log notes it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the field.
    pub async fn set_installation(&self, by: By, org: OrgId, new: Installation) -> Result<(), StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            let before = installation(tx.conn)?;
            write_installation(tx.conn, &new)?;
            let (before, after) = (Some(installation_json(&before)), Some(installation_json(&new)));
            let change = Change { action: "installation.settings", target: "installation".to_owned(), before, after };
            if change.before == change.after { Ok(()) } else { tx.note(org, &by, change) }
        };
        self.writer().call(0, run).await
    }

    /// Words of the org's own; `None` where it has the installation's.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn own_words(&self, org: OrgId) -> Result<Option<OwnWords>, StoreError> {
        self.read(move |conn| own_words(conn, org)).await
    }

    /// Gives an org words of its own, or the installation's again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the word; [`StoreError::NotFound`] for the org.
    pub async fn set_words(&self, by: By, org: OrgId, new: Option<OwnWords>) -> Result<(), StoreError> {
        new.as_ref().map_or(Ok(()), OwnWords::check)?;
        let run = move |tx: &mut Tx<'_>| {
            crate::org::zone(tx.conn, org)?;
            let before = own_words(tx.conn, org)?;
            write_words(tx.conn, org, new.as_ref())?;
            let (before, after) = (before.as_ref().map(words_json), new.as_ref().map(words_json));
            let change = Change { action: "org.words", target: org.to_string(), before, after };
            if change.before == change.after { Ok(()) } else { tx.note(org, &by, change) }
        };
        self.writer().call(0, run).await
    }

    /// What an org is set to.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn org_settings(&self, org: OrgId) -> Result<OrgSettings, StoreError> {
        self.read(move |conn| org_settings(conn, org)).await
    }

    /// Whether the zone of an org can still change: nothing has been counted by it yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn zone_is_free(&self, org: OrgId) -> Result<bool, StoreError> {
        self.read(move |conn| zone_is_free(conn, org)).await
    }

    /// Sets an org; it counts from the next request on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the field, or for a zone by which something has been counted;
    /// [`StoreError::BadRange`] for a zone that does not exist; [`StoreError::Conflict`] for a name that is taken.
    pub async fn set_org_settings(&self, by: By, org: OrgId, new: OrgSettings) -> Result<(), StoreError> {
        new.check()?;
        zone_named(&new.zone)?;
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.set_org_settings(&by, org, &new)).await
    }
}

impl Tx<'_> {
    fn set_org_settings(&mut self, by: &By, org: OrgId, new: &OrgSettings) -> Result<(), StoreError> {
        let before = org_settings(self.conn, org)?;
        if before == *new {
            return Ok(());
        }
        let taken = "SELECT 1 FROM org WHERE name = ?1 AND org_id <> ?2";
        if self.conn.prepare_cached(taken)?.exists(params![new.name, org.0])? {
            return Err(StoreError::Conflict("name of an organization"));
        }
        if before.zone != new.zone {
            // What was due under the old zone is booked by it, and keeps it from changing.
            self.settle_due(org)?;
            if !zone_is_free(self.conn, org)? {
                return Err(Refusal::ZoneInUse.into());
            }
            self.org(org)?.zone = zone_named(&new.zone)?;
        }
        let sql = "UPDATE org SET name = ?2, zone = ?3 WHERE org_id = ?1";
        self.conn.prepare_cached(sql)?.execute(params![org.0, new.name, new.zone])?;
        write_org_setting(self.conn, org, new)?;
        self.org(org)?.watch.limit = new.low_balance;
        self.weigh_later(org);
        let (before, after) = (Some(settings_json(&before)), Some(settings_json(new)));
        self.note(org, by, Change { action: "org.settings", target: org.to_string(), before, after })
    }
}

/// Days, cycles and ends of rollovers are counted by the zone; prices and grants that were given once are not.
fn zone_is_free(conn: &Connection, org: OrgId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM entry WHERE org_id = ?1 AND kind NOT IN ('rate_card', 'grant') LIMIT 1";
    let cycles = "SELECT 1 FROM billing_cycle WHERE org_id = ?1 LIMIT 1";
    Ok(!conn.prepare_cached(sql)?.exists([org.0])? && !conn.prepare_cached(cycles)?.exists([org.0])?)
}

fn words_of(row: &Row<'_>, first: usize) -> Result<Words, StoreError> {
    let position: String = row.get(first + 1)?;
    Ok(Words {
        unit: row.get(first)?,
        unit_position: UnitPosition::parse(&position).ok_or_else(|| unreadable("unit position"))?,
        decimals: row.get(first + 2)?,
        workflow: row.get(first + 3)?,
        workflows: row.get(first + 4)?,
    })
}

/// What the installation is set to.
pub(crate) fn installation(conn: &Connection) -> Result<Installation, StoreError> {
    let sql = "SELECT product, support, unit, unit_position, decimals, workflow, workflows FROM installation";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let row = rows.next()?.ok_or_else(|| unreadable("installation"))?;
    let support: Option<String> = row.get(1)?;
    let support = support.map(|text| Support::parse(&text).map_err(|_| unreadable("support contact"))).transpose()?;
    Ok(Installation { product: row.get(0)?, words: words_of(row, 2)?, support })
}

/// Writes what the installation is set to.
pub(crate) fn write_installation(conn: &Connection, new: &Installation) -> Result<(), StoreError> {
    let Words { unit, unit_position, decimals, workflow, workflows } = &new.words;
    conn.prepare_cached(
        "UPDATE installation SET product = ?1, support = ?2, unit = ?3, unit_position = ?4, decimals = ?5, workflow = ?6,
             workflows = ?7",
    )?
    .execute(params![
        new.product,
        new.support.as_ref().map(Support::as_str),
        unit,
        unit_position.as_str(),
        decimals,
        workflow,
        workflows
    ])?;
    Ok(())
}

/// How an org calls credits and workflows: in words of its own, or those of the installation.
pub(crate) fn words(conn: &Connection, org: OrgId) -> Result<Words, StoreError> {
    match own_words(conn, org)? {
        Some(own) => Ok(own.words),
        None => Ok(installation(conn)?.words),
    }
}

fn own_words(conn: &Connection, org: OrgId) -> Result<Option<OwnWords>, StoreError> {
    let sql = "SELECT product, unit, unit_position, decimals, workflow, workflows FROM org_words WHERE org_id = ?1";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([org.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(OwnWords { product: row.get(0)?, words: words_of(row, 1)? }))
}

/// Writes an org's own words, or takes them away.
pub(crate) fn write_words(conn: &Connection, org: OrgId, new: Option<&OwnWords>) -> Result<(), StoreError> {
    let Some(OwnWords { product, words }) = new else {
        conn.prepare_cached("DELETE FROM org_words WHERE org_id = ?1")?.execute([org.0])?;
        return Ok(());
    };
    let Words { unit, unit_position, decimals, workflow, workflows } = words;
    conn.prepare_cached(
        "INSERT INTO org_words (org_id, unit, unit_position, decimals, workflow, workflows, product)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET unit = excluded.unit, unit_position = excluded.unit_position,
             decimals = excluded.decimals, workflow = excluded.workflow, workflows = excluded.workflows,
             product = excluded.product",
    )?
    .execute(params![org.0, unit, unit_position.as_str(), decimals, workflow, workflows, product])?;
    Ok(())
}

fn org_settings(conn: &Connection, org: OrgId) -> Result<OrgSettings, StoreError> {
    let sql = "SELECT o.name, o.zone, coalesce(s.currency, ?2), s.contact, s.low_balance, s.retention_days
               FROM org o LEFT JOIN org_setting s ON s.org_id = o.org_id WHERE o.org_id = ?1";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![org.0, CURRENCY])?;
    let row = rows.next()?.ok_or(StoreError::NotFound("organization"))?;
    let (currency, low_balance): (String, Option<i64>) = (row.get(2)?, row.get(4)?);
    Ok(OrgSettings {
        name: row.get(0)?,
        zone: row.get(1)?,
        currency: Currency::parse(&currency).map_err(|_| unreadable("currency"))?,
        contact: row.get(3)?,
        low_balance: low_balance.map(Credits::from_micros),
        retention_days: row.get(5)?,
    })
}

/// From where down an org's balance is low.
pub(crate) fn low_balance(conn: &Connection, org: OrgId) -> Result<Option<Credits>, StoreError> {
    let sql = "SELECT low_balance FROM org_setting WHERE org_id = ?1";
    let found: Option<Option<i64>> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    Ok(found.flatten().map(Credits::from_micros))
}

/// Writes what is not in the row of the org itself.
pub(crate) fn write_org_setting(conn: &Connection, org: OrgId, new: &OrgSettings) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO org_setting (org_id, currency, contact, low_balance, retention_days) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET currency = excluded.currency, contact = excluded.contact,
             low_balance = excluded.low_balance, retention_days = excluded.retention_days",
    )?
    .execute(params![
        org.0,
        new.currency.as_str(),
        new.contact,
        new.low_balance.map(Credits::micros),
        new.retention_days
    ])?;
    Ok(())
}

pub(crate) fn installation_json(of: &Installation) -> Value {
    json!({"product": of.product, "words": of.words, "support": of.support.as_ref().map(Support::as_str)})
}

fn words_json(of: &OwnWords) -> Value {
    json!({"product": of.product, "words": of.words})
}

fn settings_json(of: &OrgSettings) -> Value {
    json!({
        "name": of.name, "zone": of.zone, "currency": of.currency, "contact": of.contact,
        "low_balance": of.low_balance, "retention_days": of.retention_days,
    })
}

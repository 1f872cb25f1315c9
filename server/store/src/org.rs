//! Organizations.

use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::offer::Offers;
use crate::rows::unreadable;
use crate::settings::OwnWords;
use crate::tx::{OrgTotals, Tx};
use crate::{Store, meter, rate_card, settings};
use chrono_tz::Tz;
use ledger::cube::MeterInfo;
use ledger::entry::{Draft, GENESIS, Head};
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::words::{UnitPosition, Words};
use ledger::{Credits, EntryKind, EntrySeq, Meter, OrgId, RateCard, RateCardVersion, RateLine, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// What people call it; unique in the installation.
    pub name: String,
    /// Whose days and months are its days and months.
    pub zone: Tz,
    /// Whether its usage is made up.
    pub synthetic: bool,
    /// How its people call credits and workflows: in words of its own, or those of the installation.
    pub words: Words,
    /// Whether they are its own.
    pub own_words: bool,
    /// What the product is called there.
    pub product: String,
    /// Since when it exists.
    pub created_at: Timestamp,
}

/// What makes an org.
#[derive(Debug, Clone)]
pub struct NewOrg {
    /// Its name.
    pub name: String,
    /// IANA name of its zone.
    pub zone: String,
    /// Whether its usage will be made up.
    pub synthetic: bool,
    /// How its people call credits and workflows.
    pub words: Words,
    /// Its meters as people see them; those that only the lines name are described by their name.
    pub meters: Vec<MeterInfo>,
    /// Those of them that make a workflow that uses them an AI agent.
    pub agents: Vec<Meter>,
    /// The first version of its rate card.
    pub lines: Vec<RateLine>,
    /// What it can subscribe to and buy.
    pub offers: Offers,
}

/// Sums over an org's whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// All credits ever given.
    pub granted: Credits,
    /// All credits ever spent.
    pub spent: Credits,
    /// What the charts' sums say beyond the ledger: 0, always.
    pub difference: Credits,
    /// All events ever accepted.
    pub events: i64,
    /// The end of the org's chain.
    pub chain: Head,
}

/// An org with its words, or those of the installation.
macro_rules! select_org {
    ($which:literal) => {
        concat!(
            "SELECT o.org_id, o.name, o.zone, o.synthetic, o.created_at, w.org_id IS NOT NULL, coalesce(w.product, i.product),
                    coalesce(w.unit, i.unit), coalesce(w.unit_position, i.unit_position), coalesce(w.decimals, i.decimals),
                    coalesce(w.workflow, i.workflow), coalesce(w.workflows, i.workflows)
             FROM org o CROSS JOIN installation i LEFT JOIN org_words w ON w.org_id = o.org_id ",
            $which
        )
    };
}

/// Id, name, zone, whether made up, since when; whether the words are its own, product; unit, its position, decimals,
/// workflow, workflows.
type OrgRow = (i64, String, String, bool, i64, bool, String, String, String, u8, String, String);

fn org_of(row: OrgRow) -> Result<Org, StoreError> {
    let (id, name, zone, synthetic, created_at, own_words, product, unit, position, decimals, workflow, workflows) =
        row;
    let zone = zone.parse().map_err(|_| unreadable("time zone"))?;
    let unit_position = UnitPosition::parse(&position).ok_or_else(|| unreadable("unit position"))?;
    let words = Words { unit, unit_position, decimals, workflow, workflows };
    let created_at = Timestamp::from_micros(created_at);
    Ok(Org { id: OrgId(id), name, zone, synthetic, words, own_words, product, created_at })
}

impl Store {
    /// Makes an org with the first version of its rate card, as the command line does.
    ///
    /// # Errors
    /// As [`Store::create_org_by`].
    pub async fn create_org(&self, new: NewOrg) -> Result<Org, StoreError> {
        self.create_org_by(By::command(), new).await
    }

    /// Makes an org with the first version of its rate card.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the name is taken; [`StoreError::Refused`] for a bad name, word, zone or rate line.
    pub async fn create_org_by(&self, by: By, new: NewOrg) -> Result<Org, StoreError> {
        check_text("name", &new.name, MAX_LABEL_BYTES)?;
        new.words.check()?;
        let zone = zone_named(&new.zone)?;
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.create_org(&by, &new, zone)).await
    }

    /// The org of that id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn org(&self, id: OrgId) -> Result<Org, StoreError> {
        let found: Option<OrgRow> =
            sqlx::query_as(select_org!("WHERE o.org_id = ?1")).bind(id.0).fetch_optional(self.reader()).await?;
        org_of(found.ok_or(StoreError::NotFound("organization"))?)
    }

    /// The org of that name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn org_by_name(&self, name: &str) -> Result<Option<Org>, StoreError> {
        let found: Option<OrgRow> =
            sqlx::query_as(select_org!("WHERE o.name = ?1")).bind(name).fetch_optional(self.reader()).await?;
        found.map(org_of).transpose()
    }

    /// All orgs, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn orgs(&self) -> Result<Vec<Org>, StoreError> {
        let found: Vec<OrgRow> = sqlx::query_as(select_org!("ORDER BY o.name")).fetch_all(self.reader()).await?;
        found.into_iter().map(org_of).collect()
    }

    /// Sums over the org's whole life, with the difference between charts and ledger.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn totals(&self, org: OrgId) -> Result<Totals, StoreError> {
        // One statement, so that all of it is one instant.
        let found: (i64, i64, i64, i64, Option<i64>, Option<Vec<u8>>) = sqlx::query_as(
            "SELECT
               -coalesce((SELECT balance FROM account WHERE org_id = ?1 AND account = 'funding' AND number = 0), 0),
               coalesce((SELECT balance FROM account WHERE org_id = ?1 AND account = 'consumed' AND number = 0), 0),
               coalesce((SELECT sum(credits) FROM usage_day WHERE org_id = ?1), 0),
               coalesce((SELECT events FROM org_total WHERE org_id = ?1), 0),
               (SELECT seq FROM entry WHERE org_id = ?1 ORDER BY seq DESC LIMIT 1),
               (SELECT hash FROM entry WHERE org_id = ?1 ORDER BY seq DESC LIMIT 1)",
        )
        .bind(org.0)
        .fetch_one(self.reader())
        .await?;
        let (granted, spent, charted, events, seq, hash) = found;
        let (spent, charted) = (Credits::from_micros(spent), Credits::from_micros(charted));
        let hash = hash.map_or(Ok(GENESIS), |hash| hash.try_into().map_err(|_| unreadable("hash")))?;
        let chain = Head { seq: EntrySeq(seq.unwrap_or(0)), hash };
        Ok(Totals { granted: Credits::from_micros(granted), spent, difference: charted.minus(spent)?, events, chain })
    }
}

impl Tx<'_> {
    /// Makes an org, as [`Store::create_org_by`]; the caller has checked what it is made of.
    pub(crate) fn create_org(&mut self, by: &By, new: &NewOrg, zone: Tz) -> Result<Org, StoreError> {
        let taken = self.conn.prepare_cached("SELECT 1 FROM org WHERE name = ?1")?.exists([&new.name])?;
        if taken {
            return Err(StoreError::Conflict("name of an organization"));
        }
        let created_at = self.now();
        let id = self
            .conn
            .prepare_cached(
                // The id of an org that was deleted is never given again.
                "INSERT INTO org (org_id, name, zone, synthetic, created_at)
                 SELECT 1 + max(coalesce((SELECT max(org_id) FROM org), 0), coalesce((SELECT max(org_id) FROM org_deleted), 0)),
                    ?1, ?2, ?3, ?4
                 RETURNING org_id",
            )?
            .query_row(params![new.name, zone.name(), new.synthetic, created_at.micros()], |row| {
                row.get(0).map(OrgId)
            })?;
        let installation = settings::installation(self.conn)?;
        // What it calls as the installation does goes on doing so.
        let own_words = new.words != installation.words;
        if own_words {
            settings::write_words(self.conn, id, Some(&OwnWords { product: None, words: new.words.clone() }))?;
        }
        meter::insert_new(self.conn, id, &new.meters, &new.lines)?;
        meter::mark_agents(self.conn, id, &new.agents)?;
        let card = RateCard { version: RateCardVersion(1), effective_at: created_at, lines: new.lines.clone() };
        let terms = rate_card::insert(self.conn, id, created_at, &card)?;
        let kind = EntryKind::RateCard { version: card.version, terms };
        let draft = Draft { kind, happened_at: created_at, cause: "command".to_owned(), postings: Vec::new() };
        self.book(id, draft)?;
        let after = json!({"name": new.name, "zone": new.zone, "synthetic": new.synthetic});
        let change = Change { action: "org.create", target: id.to_string(), before: None, after: Some(after) };
        self.note(id, by, change)?;
        self.offer_all(id, by, &new.offers)?;
        let (name, words, product) = (new.name.clone(), new.words.clone(), installation.product);
        Ok(Org { id, name, zone, synthetic: new.synthetic, words, own_words, product, created_at })
    }
}

/// The zone of that IANA name.
pub(crate) fn zone_named(name: &str) -> Result<Tz, StoreError> {
    name.parse().map_err(|_| StoreError::BadRange("no such time zone: use an IANA name such as Europe/Berlin"))
}

/// An org's zone, inside the writer.
pub(crate) fn zone(conn: &Connection, id: OrgId) -> Result<Tz, StoreError> {
    let zone: Option<String> = conn
        .prepare_cached("SELECT zone FROM org WHERE org_id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    zone.ok_or(StoreError::NotFound("organization"))?.parse().map_err(|_| unreadable("time zone"))
}

/// Up to which event identities are merged, and the sums that bound the rollups.
pub(crate) fn totals(conn: &Connection, id: OrgId) -> Result<(i64, OrgTotals), StoreError> {
    let found = conn
        .prepare_cached("SELECT merged_seq, events, failed, bytes FROM org_total WHERE org_id = ?1")?
        .query_row([id.0], |row| {
            Ok((row.get(0)?, OrgTotals { events: row.get(1)?, failed: row.get(2)?, bytes: row.get(3)? }))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Writes the sums that bound the rollups.
pub(crate) fn write_totals(conn: &Connection, id: OrgId, totals: OrgTotals) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO org_total (org_id, events, failed, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET events = excluded.events, failed = excluded.failed, bytes = excluded.bytes",
    )?
    .execute(params![id.0, totals.events, totals.failed, totals.bytes])?;
    Ok(())
}

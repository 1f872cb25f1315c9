//! Rate cards: versions that are laid down and never change.
//!
//! A version is bound into the chain by its entry. It rates what is booked from its time on; what was rated stays as it
//! was. The version in force is the newest whose time has come, so a version laid down later takes the place of one that
//! was scheduled before.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::meter;
use crate::once::{Done, Once};
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::canon::Hash;
use ledger::card::{self, LineOrigin, MAX_VERSIONS, Prices};
use ledger::cube::MeterInfo;
use ledger::entry::Draft;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::{
    BillingCycle, Credits, CycleUse, EntryKind, Meter, OrgId, Quantity, RateCard, RateCardVersion, RateLine, Refusal,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Versions on one page, at most.
pub const MAX_PAGE: u32 = 100;
/// Longest JSON of a version's lines: all versions are read when a ledger is verified.
pub const MAX_CARD_BYTES: usize = 64 * 1024;
/// Farthest time ahead at which a version may take effect, in microseconds: ten years.
const MAX_AHEAD_US: i64 = 3_652 * 86_400_000_000;

/// A version to lay down.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NewRateCard {
    /// In the order in which they are tried.
    pub lines: Vec<RateLine>,
    /// Meters as people see them; those that the org has already stay as they are.
    pub meters: Vec<MeterInfo>,
    /// From when it rates; now where it is not said.
    pub effective_at: Option<Timestamp>,
    /// The newest version that its author saw; refused where another was laid down since.
    pub replaces: Option<RateCardVersion>,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    /// It rates what is booked now.
    InForce,
    /// Its time comes.
    Scheduled,
    /// Another took its place.
    Superseded,
    /// Another took its place before its time came.
    NeverInForce,
}

impl CardStatus {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Scheduled => "scheduled",
            Self::Superseded => "superseded",
            Self::NeverInForce => "never_in_force",
        }
    }
}

/// A version as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardState {
    /// What it says.
    pub card: RateCard,
    /// Where it stands.
    pub status: CardStatus,
    /// When it was laid down.
    pub created_at: Timestamp,
    /// By whom or what; not known of versions from before they had entries.
    pub cause: Option<String>,
    /// Versions that were scheduled and never come into force, since this one takes their place.
    #[serde(default)]
    pub overtakes: Vec<RateCardVersion>,
}

/// Which versions are wanted: newest first.
#[derive(Debug, Clone, Copy)]
pub struct CardPage {
    /// Only those before this one.
    pub before: Option<RateCardVersion>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

impl Store {
    /// Lays down the next version. The same lines as those of the newest version are no new version.
    ///
    /// # Errors
    /// [`Refusal::EmptyRateCard`], [`Refusal::BadRateLine`] for the first bad line, [`Refusal::RateCardChanged`], [`Refusal::EffectiveInThePast`],
    /// [`Refusal::TooMany`] beyond [`MAX_VERSIONS`].
    pub async fn put_rate_card(
        &self,
        org: OrgId,
        by: impl Into<By>,
        new: NewRateCard,
        once: Option<Once>,
    ) -> Result<Done<CardState>, StoreError> {
        let by = by.into();
        for info in &new.meters {
            check_text("title", &info.title, MAX_LABEL_BYTES)?;
            check_text("unit", &info.unit, MAX_LABEL_BYTES)?;
            if !info.service.is_empty() {
                check_text("service", &info.service, MAX_LABEL_BYTES)?;
            }
        }
        let put = move |tx: &mut Tx<'_>| {
            let laid = tx.put_rate_card(org, &by.actor, &new)?;
            let after = json!({"lines": laid.card.lines.len()});
            let (target, after) = (laid.card.version.to_string(), Some(after));
            tx.note(org, &by, Change { action: "rate_card.create", target, before: None, after })?;
            Ok(laid)
        };
        self.writer().call(0, move |tx| tx.once(org, once.as_ref(), &put)).await
    }

    /// A page of versions.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rate_cards(&self, org: OrgId, page: CardPage) -> Result<Vec<CardState>, StoreError> {
        let now = self.now();
        let before = page.before.map_or(i64::MAX, |version| version.0);
        let run = move |conn: &Connection| states(conn, org, now, before, page.limit.min(MAX_PAGE));
        self.read(run).await
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn rate_card_version(&self, org: OrgId, version: RateCardVersion) -> Result<CardState, StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| state(conn, org, now, version);
        self.read(run).await
    }

    /// All versions, to rate by. Cost: one row per version, at most [`MAX_VERSIONS`].
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn prices(&self, org: OrgId) -> Result<Prices, StoreError> {
        self.read(move |conn| prices(conn, org)).await
    }

    /// The rate card in force now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the org has none.
    pub async fn rate_card(&self, org: OrgId) -> Result<RateCard, StoreError> {
        let now = self.now();
        self.read(move |conn| card_at(conn, org, now)).await
    }
}

impl Tx<'_> {
    fn put_rate_card(&mut self, id: OrgId, cause: &str, new: &NewRateCard) -> Result<CardState, StoreError> {
        self.settle_due(id)?;
        let now = self.now();
        if new.lines.is_empty() {
            return Err(Refusal::EmptyRateCard.into());
        }
        if let Some(wrong) = card::problems(&new.lines).into_iter().next() {
            return Err(Refusal::BadRateLine { line: wrong.line, problem: wrong.problem }.into());
        }
        let newest = self.org(id)?.prices.cards().last().cloned();
        let newest_version = newest.as_ref().map_or(RateCardVersion(0), |card| card.version);
        if new.replaces.is_some_and(|seen| seen != newest_version) {
            return Err(Refusal::RateCardChanged { newest: newest_version }.into());
        }
        let same =
            |card: &RateCard| card.lines == new.lines && new.effective_at.is_none_or(|at| at == card.effective_at);
        if newest.as_ref().is_some_and(same) {
            return state(self.conn, id, now, newest_version);
        }
        if new.effective_at.is_some_and(|at| at < now) {
            return Err(Refusal::EffectiveInThePast.into());
        }
        let effective_at = new.effective_at.unwrap_or(now);
        if effective_at.micros() > now.micros().saturating_add(MAX_AHEAD_US) {
            return Err(Refusal::EffectiveTooFar.into());
        }
        if newest_version.0 >= MAX_VERSIONS {
            return Err(Refusal::TooManyVersions.into());
        }
        let card = RateCard { version: RateCardVersion(newest_version.0 + 1), effective_at, lines: new.lines.clone() };
        meter::insert_new(self.conn, id, &new.meters, &new.lines)?;
        let terms = insert(self.conn, id, now, &card)?;
        let kind = EntryKind::RateCard { version: card.version, terms };
        self.book(id, Draft { kind, happened_at: now, cause: cause.to_owned(), postings: Vec::new() })?;
        let version = card.version;
        let (conn, org) = (self.conn, self.org(id)?);
        org.meters.load_ids(conn, id)?;
        org.prices.push(card);
        state(conn, id, now, version)
    }
}

/// Writes a version. Tells the hash of its terms.
pub(crate) fn insert(conn: &Connection, org: OrgId, now: Timestamp, card: &RateCard) -> Result<Hash, StoreError> {
    RateCard::check(&card.lines)?;
    let json = serde_json::to_string(&card.lines)?;
    if json.len() > MAX_CARD_BYTES {
        return Err(Refusal::RateCardTooLong { max: MAX_CARD_BYTES }.into());
    }
    conn.prepare_cached(
        "INSERT INTO rate_card (org_id, version, effective_at, lines, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![org.0, card.version.0, card.effective_at.micros(), json, now.micros()])?;
    Ok(RateCard::terms(card.version, card.effective_at, &json))
}

/// All versions of an org's rate card.
pub(crate) fn prices(conn: &Connection, org: OrgId) -> Result<Prices, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT version, effective_at, lines FROM rate_card WHERE org_id = ?1 ORDER BY version")?;
    let mut found = statement.query([org.0])?;
    let mut prices = Prices::default();
    while let Some(row) = found.next()? {
        prices.push(card_of_row(row)?);
    }
    Ok(prices)
}

fn card_of_row(row: &rusqlite::Row<'_>) -> Result<RateCard, StoreError> {
    let lines: String = row.get(2)?;
    Ok(RateCard {
        version: RateCardVersion(row.get(0)?),
        effective_at: Timestamp::from_micros(row.get(1)?),
        lines: serde_json::from_str(&lines)?,
    })
}

/// The rate card in force at an instant.
pub(crate) fn card_at(conn: &Connection, org: OrgId, at: Timestamp) -> Result<RateCard, StoreError> {
    let sql = "SELECT version, effective_at, lines FROM rate_card WHERE org_id = ?1 AND effective_at <= ?2
               ORDER BY version DESC LIMIT 1";
    let found = conn.prepare_cached(sql)?.query_row([org.0, at.micros()], |row| Ok(card_of_row(row))).optional()?;
    found.ok_or(StoreError::NotFound("rate card"))?
}

/// A version of an org's rate card: its own, or what captured holds are charged by.
pub(crate) fn card_of(
    conn: &Connection,
    org: OrgId,
    version: RateCardVersion,
    meter: &Meter,
) -> Result<RateCard, StoreError> {
    if version == RateCardVersion::CAPTURES {
        return Ok(RateCard::of_captures(meter.clone()));
    }
    let sql = "SELECT version, effective_at, lines FROM rate_card WHERE org_id = ?1 AND version = ?2";
    let found = conn.prepare_cached(sql)?.query_row([org.0, version.0], |row| Ok(card_of_row(row))).optional()?;
    found.ok_or_else(|| unreadable("rate card"))?
}

/// What a tiered line has of a billing cycle.
pub(crate) fn tier_use(
    conn: &Connection,
    org: OrgId,
    origin: LineOrigin,
    cycle: BillingCycle,
) -> Result<CycleUse, StoreError> {
    let sql =
        "SELECT used, used_micros, owed FROM tier_use WHERE org_id = ?1 AND version = ?2 AND line = ?3 AND cycle = ?4";
    let found = conn
        .prepare_cached(sql)?
        .query_row([org.0, origin.version.0, origin.line.0, cycle.number()], |row| {
            let used = Quantity::from_parts(row.get(0)?, row.get(1)?);
            Ok(CycleUse { used, owed: Credits::from_micros(row.get(2)?) })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

const STATE: &str = "SELECT c.version, c.effective_at, c.lines, c.created_at,
       (SELECT e.cause FROM entry e WHERE e.org_id = c.org_id AND e.kind = 'rate_card' AND e.version = c.version),
       EXISTS (SELECT 1 FROM rate_card l WHERE l.org_id = c.org_id AND l.version > c.version AND l.effective_at <= max(c.effective_at, ?2)),
       EXISTS (SELECT 1 FROM rate_card l WHERE l.org_id = c.org_id AND l.version > c.version AND l.effective_at <= c.effective_at
               AND l.created_at < c.effective_at),
       (SELECT group_concat(o.version) FROM rate_card o WHERE o.org_id = c.org_id AND o.version < c.version
        AND c.effective_at <= o.effective_at AND c.created_at < o.effective_at
        AND NOT EXISTS (SELECT 1 FROM rate_card b WHERE b.org_id = c.org_id AND b.version > o.version AND b.version < c.version
                        AND b.effective_at <= o.effective_at AND b.created_at < o.effective_at))
     FROM rate_card c WHERE c.org_id = ?1 ";

fn state_of(row: &rusqlite::Row<'_>, now: Timestamp) -> Result<CardState, StoreError> {
    let card = card_of_row(row)?;
    let status = match (row.get::<_, bool>(6)?, row.get::<_, bool>(5)?, card.effective_at <= now) {
        (true, ..) => CardStatus::NeverInForce,
        (false, true, _) => CardStatus::Superseded,
        (false, false, true) => CardStatus::InForce,
        (false, false, false) => CardStatus::Scheduled,
    };
    let overtakes: Option<String> = row.get(7)?;
    let overtakes = overtakes.iter().flat_map(|list| list.split(',')).filter_map(|version| version.parse().ok());
    let mut overtakes: Vec<RateCardVersion> = overtakes.map(RateCardVersion).collect();
    overtakes.sort_unstable();
    let created_at = Timestamp::from_micros(row.get(3)?);
    Ok(CardState { card, status, created_at, cause: row.get(4)?, overtakes })
}

fn state(conn: &Connection, org: OrgId, now: Timestamp, version: RateCardVersion) -> Result<CardState, StoreError> {
    let mut statement = conn.prepare_cached(&format!("{STATE} AND c.version = ?3"))?;
    let found = statement.query_row([org.0, now.micros(), version.0], |row| Ok(state_of(row, now))).optional()?;
    found.ok_or(StoreError::NotFound("rate card"))?
}

fn states(
    conn: &Connection,
    org: OrgId,
    now: Timestamp,
    before: i64,
    limit: u32,
) -> Result<Vec<CardState>, StoreError> {
    let sql = format!("{STATE} AND c.version < ?3 ORDER BY c.version DESC LIMIT ?4");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![org.0, now.micros(), before, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(state_of(row, now)?);
    }
    Ok(found)
}

//! Making segments: the job's half reads and adds up, the writer's half puts down.

use super::attributes::{self, AttributeSets};
use super::level::Level;
use super::segment::{Fact, QUARTER, Segment, added_up, cost, write};
use super::{last_event, tail};
use crate::Store;
use crate::calendar;
use crate::error::StoreError;
use crate::mark::{newest_event, waiting};
use crate::org;
use crate::rollup::{Days, quarter_of};
use chrono_tz::Tz;
use ledger::{EventSeq, OrgId};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// Events that one step takes up: some 50 ms beside the writer, and a few MB.
pub(crate) const STEP: i64 = 32_768;
/// Events that wait before a step is worth a day's rewriting; readers take as many from their rows in a millisecond.
const ENOUGH: i64 = 256;

/// A day at a level: what it costs, and its bytes.
struct LevelOfDay {
    level: Level,
    day: i64,
    credits: i64,
    data: Vec<u8>,
}

/// Days to be put down, with what they were made from: if that has changed since, they are made again.
struct Made {
    org: OrgId,
    after: i64,
    last: i64,
    changes: (i64, i64),
    segments: Vec<LevelOfDay>,
    attributes: Vec<(i64, String)>,
}

impl Store {
    /// Takes up events that are in no segment or no trace ([`crate::trace`]) yet, of every org that has enough of them, a step each.
    /// Tells how many events that were; 0 where nobody has enough.
    ///
    /// # Errors
    /// What the database says.
    pub async fn widen(&self) -> Result<u64, StoreError> {
        self.widen_from(ENOUGH).await
    }

    /// The same for orgs of which at least so many events wait.
    ///
    /// # Errors
    /// What the database says.
    pub async fn widen_from(&self, enough: i64) -> Result<u64, StoreError> {
        let waiting = self.read(move |conn| waiting(conn, "wide_org", enough)).await?;
        let mut events = 0;
        for org in waiting {
            let made = self.read(move |conn| make(conn, org)).await?;
            let count = u64::try_from(made.last - made.after).unwrap_or_default();
            let put = self.writer().call(0, move |tx| put(tx.conn, &made)).await?;
            events += if put { count } else { 0 };
        }
        Ok(events + self.trace_from(enough).await?)
    }
}

fn make(conn: &Connection, org: OrgId) -> Result<Made, StoreError> {
    let after = last_event(conn, org)?;
    let last = newest_event(conn, org)?.min(after + STEP);
    let mut sets = AttributeSets::load(conn, org)?;
    let facts = tail::events(conn, org, (after, last), &tail::sets(conn, org)?, &mut sets)?;
    let zone = org::zone(conn, org)?;
    let mut segments = Vec::new();
    for (day, facts) in by_day(zone, facts)? {
        segments.extend(with(conn, org, zone, day, &facts)?);
    }
    Ok(Made { org, after, last, changes: changes(conn, org)?, segments, attributes: sets.fresh() })
}

fn by_day(zone: Tz, facts: Vec<Fact>) -> Result<BTreeMap<i64, Vec<Fact>>, StoreError> {
    let mut days = Days::new(zone);
    let mut by_day: BTreeMap<i64, Vec<Fact>> = BTreeMap::new();
    for fact in facts {
        by_day.entry(days.of(fact.key[QUARTER])?).or_default().push(fact);
    }
    Ok(by_day)
}

/// A day's segments with more in them.
fn with(conn: &Connection, org: OrgId, zone: Tz, day: i64, facts: &[Fact]) -> Result<Vec<LevelOfDay>, StoreError> {
    let mut there = conn.prepare_cached("SELECT data FROM wide_day WHERE org_id = ?1 AND level = ?2 AND day = ?3")?;
    let mut segments = Vec::with_capacity(Level::ALL.len());
    for (level, mut facts) in levels(zone, day, facts)? {
        // What moves from one user to another is nothing new to a level that tells no users apart.
        if facts.is_empty() {
            continue;
        }
        let data: Option<Vec<u8>> = there.query_row(params![org.0, level.number, day], |row| row.get(0)).optional()?;
        if let Some(data) = data {
            facts.extend(Segment::read(&data)?.facts());
        }
        let facts = added_up(facts)?;
        segments.push(LevelOfDay { level, day, credits: cost(&facts)?.micros(), data: write(&facts)? });
    }
    Ok(segments)
}

/// Makes every level of every day from the most detailed one, which alone is there: after a release that has other levels than the one
/// before. Events may be pruned, so it is not made from them.
pub(crate) fn make_levels(conn: &Connection) -> Result<(), StoreError> {
    let mut days = conn.prepare("SELECT org_id, day FROM wide_day")?;
    let days = days.query_map([], |row| Ok((OrgId(row.get(0)?), row.get(1)?)))?;
    let days: Vec<(OrgId, i64)> = days.collect::<Result<_, _>>()?;
    let mut full = conn.prepare("SELECT data FROM wide_day WHERE org_id = ?1 AND level = ?2 AND day = ?3")?;
    for (org, day) in days {
        let data: Vec<u8> = full.query_row(params![org.0, Level::FULL.number, day], |row| row.get(0))?;
        // Nothing is there yet at the other levels, so what is added to them is all of it.
        let made = levels(org::zone(conn, org)?, day, &Segment::read(&data)?.facts())?;
        let mut segments = Vec::with_capacity(made.len());
        for (level, facts) in made.into_iter().skip(1) {
            segments.push(LevelOfDay { level, day, credits: cost(&facts)?.micros(), data: write(&facts)? });
        }
        put_segments(conn, org, &segments)?;
    }
    Ok(())
}

/// Rows of a day as each level has them.
fn levels(zone: Tz, day: i64, facts: &[Fact]) -> Result<Vec<(Level, Vec<Fact>)>, StoreError> {
    let first = quarter_of(calendar::day_start(zone, calendar::date_of(day)?)?);
    let mut made: Vec<(Level, Vec<Fact>)> = Vec::with_capacity(Level::ALL.len());
    for level in Level::ALL {
        let from = made.get(level.from).map_or(facts, |(_, facts)| facts);
        made.push((level, added_up(level.of(from, first))?));
    }
    Ok(made)
}

/// What moves when events are taken back or interactions mapped, of which each is noted in the audit log.
pub(crate) fn changes(conn: &Connection, org: OrgId) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT (SELECT count(*) FROM voided WHERE org_id = ?1),
                      (SELECT coalesce(max(audit_seq), 0) FROM audit WHERE org_id = ?1)";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Puts days down, unless events were taken back, mapped, or segments made since they were made.
fn put(conn: &Connection, made: &Made) -> Result<bool, StoreError> {
    let org = made.org;
    if last_event(conn, org)? != made.after || changes(conn, org)? != made.changes {
        return Ok(false);
    }
    put_segments(conn, org, &made.segments)?;
    attributes::write(conn, org, &made.attributes)?;
    conn.prepare_cached(
        "INSERT INTO wide_org (org_id, last_event) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET last_event = excluded.last_event",
    )?
    .execute([org.0, made.last])?;
    Ok(true)
}

fn put_segments(conn: &Connection, org: OrgId, segments: &[LevelOfDay]) -> Result<(), StoreError> {
    let mut put = conn.prepare_cached(
        "INSERT INTO wide_day (org_id, level, day, credits, data) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET credits = excluded.credits, data = excluded.data",
    )?;
    for LevelOfDay { level, day, credits, data } in segments {
        put.execute(params![org.0, level.number, day, credits, data])?;
    }
    Ok(())
}

/// Takes an event out of its day, if it is in there; called before it is marked as voided.
pub(crate) fn take_back(conn: &Connection, org: OrgId, zone: Tz, event: EventSeq) -> Result<(), StoreError> {
    if event.0 > last_event(conn, org)? {
        return Ok(());
    }
    // Its attributes have their number since it was taken up.
    let mut sets = AttributeSets::load(conn, org)?;
    let Some(fact) = tail::event(conn, org, event.0, &mut sets)? else { return Ok(()) };
    let day = Days::new(zone).of(fact.key[QUARTER])?;
    put_segments(conn, org, &with(conn, org, zone, day, &[fact.negated()])?)
}

/// Does what changes the user or tenant that events count for, and moves those of them that are in their days.
pub(crate) fn owned_anew(
    conn: &Connection,
    org: OrgId,
    zone: Tz,
    events: &[i64],
    change: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let last = last_event(conn, org)?;
    let inside: Vec<i64> = events.iter().copied().filter(|event| *event <= last).collect();
    if inside.is_empty() {
        return change();
    }
    let mut sets = AttributeSets::load(conn, org)?;
    let mut facts: Vec<Fact> = tail::these(conn, org, &inside, &mut sets)?.into_iter().map(Fact::negated).collect();
    change()?;
    facts.extend(tail::these(conn, org, &inside, &mut sets)?);
    for (day, facts) in by_day(zone, added_up(facts)?)? {
        put_segments(conn, org, &with(conn, org, zone, day, &facts)?)?;
    }
    Ok(())
}

//! What `verify` needs of wide usage: to read segments, and to make them again.

pub(crate) use super::last_event;
pub(crate) use super::level::Level;
pub(crate) use super::segment::{FAILED, Fact, PROJECT, QUARTER, SET, SOURCE, cost};

use super::attributes::AttributeSets;
use super::merge::STEP;
use super::segment::{Segment, added_up};
use super::tail;
use crate::calendar;
use crate::error::StoreError;
use crate::rollup::{Days, quarter_of};
use chrono_tz::Tz;
use ledger::OrgId;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// What the events `after ..= last` add up to that stand.
pub(crate) fn facts_of(conn: &Connection, org: OrgId, range: (i64, i64)) -> Result<Vec<Fact>, StoreError> {
    tail::events(conn, org, range, &tail::sets(conn, org)?, &mut AttributeSets::load(conn, org)?)
}

/// The days that have segments.
pub(crate) fn days(conn: &Connection, org: OrgId) -> Result<BTreeSet<i64>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT day FROM wide_day WHERE org_id = ?1")?;
    let found = statement.query_map([org.0], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What the events `after ..= last` add up to that stand, a step of them at a time.
pub(crate) fn each_step(
    conn: &Connection,
    org: OrgId,
    (mut after, last): (i64, i64),
    mut take: impl FnMut(&Fact),
) -> Result<(), StoreError> {
    let (sets, mut attributes) = (tail::sets(conn, org)?, AttributeSets::load(conn, org)?);
    while after < last {
        let next = last.min(after + STEP);
        tail::events(conn, org, (after, next), &sets, &mut attributes)?.iter().for_each(&mut take);
        after = next;
    }
    Ok(())
}

/// Credits and rows of a day at a level.
pub(crate) fn segment(
    conn: &Connection,
    org: OrgId,
    level: Level,
    day: i64,
) -> Result<Option<(i64, Vec<Fact>)>, StoreError> {
    let found: Option<(i64, Vec<u8>)> = conn
        .prepare_cached("SELECT credits, data FROM wide_day WHERE org_id = ?1 AND level = ?2 AND day = ?3")?
        .query_row(params![org.0, level.number, day], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(credits, data)| Ok((credits, Segment::read(&data)?.facts()))).transpose()
}

/// What a level must have of a day whose rows are `detailed`; rows of another day are left out, so that they show.
pub(crate) fn at_level(zone: Tz, level: Level, day: i64, detailed: &[Fact]) -> Result<Vec<Fact>, StoreError> {
    let first = quarter_of(calendar::day_start(zone, calendar::date_of(day)?)?);
    let mut days = Days::new(zone);
    let mut own = Vec::with_capacity(detailed.len());
    for fact in detailed {
        if days.of(fact.key[QUARTER])? == day {
            own.push(fact.clone());
        }
    }
    added_up(level.of(&own, first))
}

//! Wide usage: its segments are what the events that stand add up to, at every level of detail, and there is no other.
//!
//! The most detailed level is compared with the events by fingerprint, a step of events in memory; the others with that one, a
//! day in memory.

use super::Problems;
use super::fingerprint::Fingerprints;
use crate::error::StoreError;
use crate::mark::newest_event;
use crate::retention::check::fact_print;
use crate::retention::{Base, Print};
use crate::wide::check::{self, Fact, Level};
use chrono_tz::Tz;
use ledger::OrgId;
use rusqlite::{Connection, params};

const CALLS: u8 = 0;
const PARTS: u8 = 1;

pub(super) fn finish(
    conn: &Connection,
    org: OrgId,
    zone: Tz,
    base: Option<&Base>,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let prints = Fingerprints::default();
    let newest = newest_event(conn, org)?;
    let last = check::last_event(conn, org)?;
    if last > newest {
        problems.say(format!("wide usage was made up to event_{last}, but there is none"));
        return Ok(());
    }
    let pruned_to = base.map_or(0, |base| base.last_event);
    if last < pruned_to {
        problems.say(format!("wide usage was made up to event_{last}, but events up to event_{pruned_to} are pruned"));
        return Ok(());
    }
    // Of pruned events there is but the base, whose print is not as fast.
    let mut kept = (0_u128, base.map(|base| base.facts_print));
    let mut found = (0_u128, base.map(|_| Print::default()));
    let add = |sum: &mut (u128, Option<Print>), fact: &Fact| match &mut sum.1 {
        Some(sum) => sum.add(fact_print(fact)),
        None => sum.0 = sum.0.wrapping_add(print(&prints, fact)),
    };
    check::each_step(conn, org, (pruned_to, last), |fact| add(&mut kept, fact))?;
    for day in check::days(conn, org)? {
        let mut detailed = Vec::new();
        for level in Level::ALL {
            let Some((credits, facts)) = check::segment(conn, org, level, day)? else {
                problems.say(format!("wide usage of day {day} is not there at level {}", level.number));
                continue;
            };
            if level == Level::FULL {
                facts.iter().for_each(|fact| add(&mut found, fact));
                detailed = facts.clone();
            }
            if facts != check::at_level(zone, level, day, &detailed)? || credits != check::cost(&facts)?.micros() {
                problems
                    .say(format!("wide usage of day {day} at level {} is not what that day adds up to", level.number));
            }
        }
    }
    if found != kept {
        problems.say(format!("wide usage is not what the events up to event_{last} add up to"));
    }
    let bound = base.and_then(|base| base.names.get(&-2).copied()).unwrap_or(0);
    attributes(conn, org, bound, problems)
}

fn print(prints: &Fingerprints, fact: &Fact) -> u128 {
    let calls = prints.of(CALLS, (fact.key, 0), [fact.events.into(), fact.bytes.into(), 0]);
    let parts = fact.parts.iter().zip(0_i64..);
    parts.fold(calls, |sum, (part, number)| {
        sum.wrapping_add(prints.of(PARTS, (fact.key, number), [part.micros.into(), part.quantity, 0]))
    })
}

/// What is there beside what is looked up, and combinations of attributes against their parts and the events; those up to `bound`
/// are bound by what was pruned.
fn attributes(conn: &Connection, org: OrgId, bound: i64, problems: &mut Problems) -> Result<(), StoreError> {
    let count = |sql: &str| -> Result<i64, StoreError> { Ok(conn.query_row(sql, params![org.0], |row| row.get(0))?) };
    let beyond =
        format!("SELECT count(*) FROM wide_day WHERE org_id = ?1 AND level NOT BETWEEN 0 AND {}", Level::ALL.len() - 1);
    if count(&beyond)? > 0 {
        problems.say("wide usage has a level that there is not".to_owned());
    }
    let strange = "SELECT count(*) FROM attribute_set s WHERE org_id = ?1 AND set_id > ?2 AND members NOT IN
                   (SELECT attributes FROM event e WHERE e.org_id = ?1 AND attributes IS NOT NULL)";
    if conn.query_row(strange, [org.0, bound], |row| row.get::<_, i64>(0))? > 0 {
        problems.say("attributes are kept together that no event brought".to_owned());
    }
    let differ = "SELECT count(*) FROM (
        SELECT s.set_id, json_extract(j.value, '$[0]') AS name, json_extract(j.value, '$[1]') AS value
        FROM attribute_set s, json_each(CASE WHEN json_valid(s.members) THEN s.members ELSE '[]' END) j WHERE s.org_id = ?1
        EXCEPT SELECT set_id, name, value FROM attribute WHERE org_id = ?1)";
    let beside = "SELECT (SELECT count(*) FROM attribute WHERE org_id = ?1) - (
        SELECT count(*) FROM attribute_set s, json_each(CASE WHEN json_valid(s.members) THEN s.members ELSE '[]' END)
        WHERE s.org_id = ?1)";
    if count(differ)? != 0 || count(beside)? != 0 {
        problems.say("attributes are not what their combinations are made of".to_owned());
    }
    Ok(())
}

//! Periods in which usage is added up, and what was used in one.
//!
//! A period begins and ends between two quarters of an hour, since that is what rollups tell apart: so what is counted event by
//! event, and what is counted anew from the rollups, are the same figure.

use crate::calendar::{self, ZoneCalendar};
use crate::error::StoreError;
use crate::rollup::{QUARTER_US, quarter_of};
use crate::subscription::in_force;
use crate::usage::{CubeQuery, Range, cube};
use crate::wide::{Narrow, Wide};
use chrono::Timelike;
use chrono_tz::Tz;
use ledger::alert::{Per, Scope};
use ledger::cube::{Figures, Filter};
use ledger::{Credits, Facet, Interval, Months as _, OrgId, Refusal, Stretch, Timestamp};
use rusqlite::{Connection, params};

/// Microseconds in an hour.
pub(super) const HOUR_US: i64 = 3_600_000_000;

/// A billing cycle, and what the plan gives in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// From when until when.
    pub(crate) stretch: Stretch,
    /// What plans gave in it; `None` where they gave nothing.
    pub(crate) given: Option<Credits>,
}

impl Cycle {
    /// The cycle in which an instant lies: the subscription's, or the calendar month where there is none.
    pub(crate) fn of(conn: &Connection, org: OrgId, zone: Tz, at: Timestamp) -> Result<Self, StoreError> {
        let known = in_force(conn, org)?.map(|subscribed| subscribed.terms.cycle.part);
        let stretch = match known.filter(|part| part.holds(at)) {
            Some(part) => part,
            None => past_cycle(conn, org, at)?.map_or_else(|| ZoneCalendar(zone).month_of(at), Ok)?,
        };
        let sql = "SELECT sum(amount) FROM credit_grant WHERE org_id = ?1 AND kind = 'plan' AND effective_at >= ?2 AND effective_at < ?3";
        let values = params![org.0, stretch.from.micros(), stretch.to.micros()];
        let given: Option<i64> = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        Ok(Self { stretch, given: given.filter(|given| *given > 0).map(Credits::from_micros) })
    }

    /// The cycle as usage is counted in it: its ends moved back to the quarter of an hour that they lie in.
    pub(crate) fn counted(&self) -> Result<Stretch, StoreError> {
        by_quarters(self.stretch)
    }
}

fn by_quarters(stretch: Stretch) -> Result<Stretch, StoreError> {
    let floor = |at: Timestamp| Timestamp::from_micros(quarter_of(at) * QUARTER_US);
    Ok(Stretch::new(floor(stretch.from), floor(stretch.to))?)
}

/// The cycle of a subscription in which an instant lay.
fn past_cycle(conn: &Connection, org: OrgId, at: Timestamp) -> Result<Option<Stretch>, StoreError> {
    let sql = "SELECT begins_at, ends_at FROM billing_cycle WHERE org_id = ?1 AND begins_at <= ?2 AND ends_at > ?2
               ORDER BY cycle_id DESC LIMIT 1";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([org.0, at.micros()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Stretch::new(Timestamp::from_micros(row.get(0)?), Timestamp::from_micros(row.get(1)?))?))
}

/// The period in which an instant lies, its ends moved back to the quarter of an hour that they lie in.
pub(crate) fn period_of(zone: Tz, per: Per, at: Timestamp, cycle: &Cycle) -> Result<Stretch, StoreError> {
    let stretch = match per {
        Per::Hour => {
            let local = calendar::local(zone, at)?;
            let passed =
                i64::from(local.minute() * 60 + local.second()) * 1_000_000 + at.micros().rem_euclid(1_000_000);
            let from = at.micros() - passed;
            Stretch::new(Timestamp::from_micros(from), Timestamp::from_micros(from + HOUR_US))?
        }
        Per::Day => {
            let date = calendar::local(zone, at)?.date_naive();
            let next = date.succ_opt().ok_or(Refusal::TimeOutOfRange)?;
            Stretch::new(calendar::day_start(zone, date)?, calendar::day_start(zone, next)?)?
        }
        Per::Cycle => cycle.stretch,
    };
    by_quarters(stretch)
}

/// What is asked of a cube to see a scope, but for credit types, sources and projects.
pub(super) fn wide_of(scope: &Scope) -> Wide {
    let facets = [(Facet::Workflow, &scope.workflow), (Facet::User, &scope.user), (Facet::Tenant, &scope.tenant)];
    let chosen = facets.into_iter().filter_map(|(facet, asked)| Some((facet, asked.as_ref()?.to_string()))).collect();
    Wide { chosen, ..Wide::default() }
}

/// The rest of a scope.
pub(super) fn filter_of(scope: &Scope) -> Filter {
    let one = |asked: Option<String>| asked.into_iter().collect();
    Filter {
        types: one(scope.meter.as_ref().map(ToString::to_string)),
        sources: one(scope.source.as_ref().map(ToString::to_string)),
        projects: one(scope.project.as_ref().map(ToString::to_string)),
    }
}

/// What was used in a range of a scope, in steps.
pub(super) fn used(
    conn: &Connection,
    org: OrgId,
    scope: &Scope,
    (range, interval): (Range, Interval),
    now: Timestamp,
) -> Result<Vec<(Timestamp, Figures)>, StoreError> {
    let filter = filter_of(scope);
    let narrow = Some(Narrow::new(Vec::new(), filter.sources.clone(), filter.projects.clone()));
    let query = CubeQuery { wide: wide_of(scope), narrow, ..CubeQuery::new(range, interval) };
    let cube = cube(conn, org, &query, now)?;
    let slice = cube.slice(&filter, &[])?;
    Ok(cube.buckets.iter().map(|bucket| bucket.start).zip(slice.points).collect())
}

/// What was used in a period of a scope. `None` where right now nobody can say: a large import is being taken up.
pub(crate) fn spent(
    conn: &Connection,
    org: OrgId,
    scope: &Scope,
    period: Stretch,
    now: Timestamp,
) -> Result<Option<Credits>, StoreError> {
    if !scope.is_wide() {
        return spent_in_rollups(conn, org, scope, period).map(Some);
    }
    let zone = crate::org::zone(conn, org)?;
    // Whole days of the zone are read at a level of detail that knows less, and faster.
    let (first, last) =
        (calendar::local(zone, period.from)?.date_naive(), Timestamp::from_micros(period.to.micros() - 1));
    let last = calendar::local(zone, last)?.date_naive();
    let next = last.succ_opt().ok_or(Refusal::TimeOutOfRange)?;
    let is_days = calendar::day_start(zone, first)? == period.from && calendar::day_start(zone, next)? == period.to;
    let range = if is_days { Range::Days(first, last) } else { Range::Instants(period.from, period.to) };
    match used(conn, org, scope, (range, Interval::None), now) {
        Ok(points) => Ok(Some(Credits::sum(points.iter().map(|(_, figures)| figures.credits))?)),
        Err(StoreError::Busy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What was used in a stretch between quarters of an hour, in all.
pub(crate) fn spent_between(conn: &Connection, org: OrgId, stretch: Stretch) -> Result<Credits, StoreError> {
    spent_in_rollups(conn, org, &Scope::default(), stretch)
}

/// Names that no event ever brought have no number: nothing was used of them.
fn spent_in_rollups(conn: &Connection, org: OrgId, scope: &Scope, period: Stretch) -> Result<Credits, StoreError> {
    let sql = "SELECT coalesce(sum(u.credits), 0) FROM usage_quarter u
        WHERE u.org_id = ?1 AND u.bucket >= ?2 AND u.bucket < ?3
          AND (?4 IS NULL OR u.meter_id = (SELECT meter_id FROM meter WHERE org_id = ?1 AND name = ?4))
          AND (?5 IS NULL OR u.source_id = (SELECT id FROM dimension WHERE org_id = ?1 AND kind = 2 AND value = ?5))
          AND (?6 IS NULL OR u.project_id = (SELECT id FROM dimension WHERE org_id = ?1 AND kind = 3 AND value = ?6))";
    let values = params![
        org.0,
        quarter_of(period.from),
        quarter_of(period.to),
        scope.meter.as_ref().map(ledger::Meter::as_str),
        scope.source.as_ref().map(ledger::Label::as_str),
        scope.project.as_ref().map(ledger::Label::as_str),
    ];
    Ok(Credits::from_micros(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?))
}

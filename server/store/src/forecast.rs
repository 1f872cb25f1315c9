//! What is foretold of an org: how long credits last, and where the billing cycle is headed. The one place for pages, API and alerts.
//!
//! Cost: day sums of twenty weeks (a row per day, type, source and project; never the events), quarters of an hour of the at most two
//! days that a cycle shares with another, and the stretches of three runways.

use crate::alert::{Cycle, spent_between};
use crate::calendar::{ZoneCalendar, date_of, day_number, day_start, number_of};
use crate::error::StoreError;
use crate::overview::{DayUse, meters, next_grant, used_by_day};
use crate::position::Reading;
use chrono_tz::Tz;
use ledger::cube::MeterInfo;
use ledger::forecast::{Band, PAST_DAYS};
use ledger::pace::{Basis, PACE_DAYS, Pace, pace};
use ledger::runway::{Lasts, Runway, runway};
use ledger::{Credits, Meter, OrgId, Stretch, Timestamp};
use rusqlite::Connection;

/// Days over which the parts of meters are taken, today included.
const PARTS_DAYS: i64 = 30;

/// An end that is farther ahead has no band: it costs more steps than it tells.
const BAND_WITHIN_US: i64 = 366 * 86_400_000_000;

/// How long credits last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// From what that is told; `None` where nothing was used.
    pub basis: Option<Basis>,
    /// How long, at what is expected to be used.
    pub runway: Runway,
    /// How long where more is used than in nine of ten cases; the same as expected where there is no band.
    pub soonest: Lasts,
    /// How long where less is used than in nine of ten cases.
    pub latest: Lasts,
}

/// Where a billing cycle is headed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// From what that is told.
    pub basis: Basis,
    /// What it will have come to by the end of today and of each day after it, until its own end.
    pub days: Vec<Credits>,
    /// What it will have come to at its end.
    pub end: Band,
}

/// A billing cycle and the one before it, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleDays {
    /// From when until when; the ends lie between quarters of an hour.
    pub cycle: Stretch,
    /// What was used on each of its days until today; its first day may have begun before it.
    pub days: Vec<Credits>,
    /// The cycle before, until this one began.
    pub before: Stretch,
    /// What was used on each of its days.
    pub days_before: Vec<Credits>,
    /// Where it is headed; `None` where nothing was used.
    pub projection: Option<Projection>,
}

/// Usage of an org by day, as far back as forecasts look.
pub(crate) struct Past {
    /// What was used on each day, today last.
    days: Vec<i64>,
    /// What each meter had of it of late.
    parts: Vec<(Meter, Credits)>,
}

impl Past {
    /// From days that were read already: all from the first of [`PAST_DAYS`] days before today on.
    pub(crate) fn of(meters: &[MeterInfo], used: &[DayUse], today: i64) -> Result<Self, StoreError> {
        let mut days = vec![0_i64; usize::try_from(PAST_DAYS).unwrap_or_default() + 1];
        let mut parts = vec![Credits::ZERO; meters.len()];
        for day in used {
            // What happens tomorrow, by a clock that is ahead, is not known today.
            let back = today - number_of(day.date);
            let Some(place) = usize::try_from(PAST_DAYS - back).ok().filter(|_| back >= 0) else { continue };
            days[place] = days[place].saturating_add(day.credits.micros());
            if back < PARTS_DAYS {
                parts[day.meter] = parts[day.meter].plus(day.credits)?;
            }
        }
        Ok(Self { days, parts: meters.iter().map(|info| info.meter.clone()).zip(parts).collect() })
    }
}

/// How long what is there lasts.
pub(crate) fn ahead(conn: &Connection, id: OrgId, zone: Tz, reading: &Reading) -> Result<Ahead, StoreError> {
    let today = day_number(zone, reading.as_of)?;
    let (ids, meters) = meters(conn, id)?;
    let used = used_by_day(conn, id, &ids, today - PAST_DAYS)?;
    ahead_of(conn, id, zone, reading, &Past::of(&meters, &used, today)?)
}

/// The same, of usage that was read already.
pub(crate) fn ahead_of(
    conn: &Connection,
    id: OrgId,
    zone: Tz,
    reading: &Reading,
    past: &Past,
) -> Result<Ahead, StoreError> {
    let (next, calendar) = (next_grant(conn, id, reading)?, ZoneCalendar(zone));
    let told = pace(&past.days, PACE_DAYS - 1);
    let at = |of: fn(&Band) -> i64| -> Result<Runway, StoreError> {
        let daily = told.as_ref().map_or_else(Vec::new, |told| told.daily(&past.parts, of));
        Ok(runway(&reading.position, reading.as_of, &daily, next, &calendar)?)
    };
    let expected = at(|band| band.expected)?;
    let ends_soon = match expected.lasts {
        Lasts::Until(end) => end.micros() - reading.as_of.micros() <= BAND_WITHIN_US,
        Lasts::Unused | Lasts::Beyond => false,
    };
    let is_known = ends_soon && told.as_ref().is_some_and(|told| told.total.low < told.total.high);
    let (soonest, latest) = if is_known {
        (at(|band| band.high)?.lasts, at(|band| band.low)?.lasts)
    } else {
        (expected.lasts, expected.lasts)
    };
    let basis = told.map(|told| told.basis).filter(|_| expected.lasts != Lasts::Unused);
    Ok(Ahead { basis, runway: expected, soonest, latest })
}

/// Where a cycle is headed of which so much is used, from what was used on each day, today last.
pub(crate) fn projection(spent: Credits, days: &[i64], ahead: i64) -> Option<Projection> {
    let today = *days.last()?;
    let told: Pace = pace(days, usize::try_from(ahead).ok()?)?;
    let with = |more: i64| spent.micros().saturating_add(more);
    let rest = told.whole_rest(today);
    let end = Band { low: with(rest.low), expected: with(rest.expected), high: with(rest.high) };
    let days = told.rest(today).into_iter().map(|more| Credits::from_micros(with(more))).collect();
    Some(Projection { basis: told.basis, days, end })
}

/// Whole days after the one of an instant until the last one of a cycle.
pub(crate) fn days_after(zone: Tz, now: Timestamp, cycle: Stretch) -> Result<i64, StoreError> {
    let last = Timestamp::from_micros(cycle.to.micros() - 1);
    Ok(day_number(zone, last)? - day_number(zone, now)?)
}

/// The billing cycle, day by day, with the one before it. `used` are the days of a year, `past` what was made of them.
pub(crate) fn cycle_use(
    conn: &Connection,
    id: OrgId,
    zone: Tz,
    now: Timestamp,
    (used, past): (&[DayUse], &Past),
) -> Result<CycleDays, StoreError> {
    let cycle = Cycle::of(conn, id, zone, now)?.counted()?;
    let before = Cycle::of(conn, id, zone, Timestamp::from_micros(cycle.from.micros() - 1))?.counted()?;
    let before = Stretch::new(before.from, before.to.min(cycle.from))?;
    let mut days = by_day(conn, id, zone, cycle, used)?;
    let spent = Credits::sum(days.iter().copied())?;
    let projection = projection(spent, &past.days, days_after(zone, now, cycle)?);
    let passed = day_number(zone, now)? - day_number(zone, cycle.from)? + 1;
    days.truncate(usize::try_from(passed).unwrap_or_default());
    Ok(CycleDays { cycle, days, before, days_before: by_day(conn, id, zone, before, used)?, projection })
}

/// What was used on each day of a stretch; of a day that lies in it only in part, that part.
fn by_day(
    conn: &Connection,
    id: OrgId,
    zone: Tz,
    stretch: Stretch,
    used: &[DayUse],
) -> Result<Vec<Credits>, StoreError> {
    let (first, last) =
        (day_number(zone, stretch.from)?, day_number(zone, Timestamp::from_micros(stretch.to.micros() - 1))?);
    let mut days = vec![Credits::ZERO; usize::try_from(last - first + 1).unwrap_or_default()];
    for day in used {
        let place = usize::try_from(number_of(day.date) - first).ok();
        if let Some(sum) = place.and_then(|place| days.get_mut(place)) {
            *sum = sum.plus(day.credits)?;
        }
    }
    for (place, day) in [(0, first), (days.len() - 1, last)] {
        let (from, to) = (day_start(zone, date_of(day)?)?, day_start(zone, date_of(day + 1)?)?);
        let part = Stretch::new(from.max(stretch.from), to.min(stretch.to))?;
        if (part.from, part.to) != (from, to) {
            days[place] = spent_between(conn, id, part)?;
        }
    }
    Ok(days)
}

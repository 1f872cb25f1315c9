//! What a rule would have said over the last month: the same measures, the same decisions, of a time that is over.
//!
//! Cost: what is left is read at [`STEPS`] instants, a look-up per grant each; usage comes from the rollups by day or hour.

use super::each;
use super::facts::{expiring, failed_share, hours_left, unusual};
use super::look::balance_measure;
use super::period::{Cycle, HOUR_US, used};
use crate::Store;
use crate::calendar::{date_of, day_number};
use crate::error::StoreError;
use crate::forecast::{ahead, projection};
use crate::position::{At, Reading, read};
use crate::usage::Range;
use chrono_tz::Tz;
use ledger::alert::{Kind, Measure, Per, Scope, Side, Unit, Watch, replay, share_of};
use ledger::cube::{Figures, MAX_BUCKETS};
use ledger::forecast::PAST_DAYS;
use ledger::{Credits, Interval, OrgId, Timestamp};
use rusqlite::Connection;

/// Days that are looked back at, today included.
pub const DAYS: i64 = 31;
/// Instants at which what is left is read: four a day.
const STEPS: i64 = DAYS * 4;
const DAY_US: i64 = 24 * HOUR_US;

/// Usage by hour, day or cycle.
type Used = Vec<(Timestamp, Figures)>;

/// What a rule would have measured.
pub type Point = Measure;

/// What a rule would have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// Its figures, oldest first.
    pub points: Vec<Point>,
    /// Those at which it would have fired.
    pub fired: Vec<Point>,
    /// What its figures count.
    pub unit: Unit,
    /// Which way they cross the threshold.
    pub side: Side,
    /// Over how many days.
    pub days: i64,
}

impl Store {
    /// What a rule would have said in the last [`DAYS`] days.
    ///
    /// # Errors
    /// What is wrong with its terms; [`StoreError::Busy`] while a large import is being taken up.
    pub async fn simulate_alert(
        &self,
        org: OrgId,
        kind: Kind,
        scope: Scope,
        margin_percent: u32,
    ) -> Result<Simulation, StoreError> {
        kind.check(&scope)?;
        let now = self.now();
        self.read(move |conn| {
            let past = Past { conn, org, zone: crate::org::zone(conn, org)?, now, scope: &scope };
            let points = past.points(&kind)?;
            let fired = replay(Watch { side: kind.side(), margin_percent }, &points);
            Ok(Simulation { points, fired, unit: kind.unit(), side: kind.side(), days: DAYS })
        })
        .await
    }

    /// What was used on each of the last days of an org, today last: what forecasts are made from.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn daily_usage(&self, org: OrgId, days: u32) -> Result<Vec<i64>, StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let scope = Scope::default();
            let past = Past { conn, org, zone: crate::org::zone(conn, org)?, now, scope: &scope };
            Ok(past.days(i64::from(days))?.into_iter().map(|(_, figures)| figures.credits.micros()).collect())
        })
        .await
    }
}

struct Past<'p> {
    conn: &'p Connection,
    org: OrgId,
    zone: Tz,
    now: Timestamp,
    scope: &'p Scope,
}

impl Past<'_> {
    fn points(&self, kind: &Kind) -> Result<Vec<Point>, StoreError> {
        match *kind {
            Kind::BalanceBelow { .. } | Kind::BalanceBelowShare { .. } => self.balances(kind),
            Kind::CycleUsage { percent } => self.cycles(Some(percent), None),
            Kind::SpendAbove { amount, per: Per::Cycle } => self.cycles(None, Some(amount.micros())),
            Kind::SpendAbove { amount, per: Per::Day } => self.spends(self.days(DAYS)?, amount.micros()),
            Kind::SpendAbove { amount, per: Per::Hour } => self.spends(self.hours()?, amount.micros()),
            Kind::UnusualSpend { minimum } => {
                let days = self.days(DAYS + PAST_DAYS)?;
                let spent: Vec<i64> = days.iter().map(|(_, figures)| figures.credits.micros()).collect();
                let at = |place: usize| unusual(&spent[..=place], minimum, days[place].0, days[place].0);
                Ok(self.last_days(days.len()).filter_map(at).collect())
            }
            Kind::RunwayBelow { days } => self.runways(i64::from(days) * 24),
            Kind::ProjectedAbove { percent } => self.projections(percent),
            Kind::GrantsExpiring { amount, days } => {
                let of = |reading: &Reading| {
                    let until = Timestamp::from_micros(reading.as_of.micros() + i64::from(days) * DAY_US);
                    expiring(&reading.position, reading.as_of, until).map(|sum| Some((sum.micros(), amount.micros())))
                };
                self.readings(DAYS, of)
            }
            Kind::NoUsage { hours } => Ok(idle(&self.hours()?, i64::from(hours))),
            Kind::FailedShare { percent, hours, calls } => Ok(failed(&self.hours()?, percent, hours, calls)),
            Kind::PaymentFailed | Kind::TopUpFailed | Kind::KeyChanged | Kind::RateCardChanged => {
                let from = Timestamp::from_micros(self.now.micros() - DAYS * DAY_US);
                let each = each::instants(self.conn, self.org, kind, from)?;
                let point =
                    |(at, number): (Timestamp, i64)| Measure { at, value: number, threshold: number - 1, period: None };
                Ok(each.into_iter().zip(1..).map(point).collect())
            }
        }
    }

    /// The places of the last days in a series of so many.
    fn last_days(&self, count: usize) -> std::ops::Range<usize> {
        count.saturating_sub(usize::try_from(DAYS).unwrap_or_default())..count
    }

    /// Usage by day, today last.
    fn days(&self, days: i64) -> Result<Used, StoreError> {
        let today = day_number(self.zone, self.now)?;
        let range = Range::Days(date_of(today - days + 1)?, date_of(today)?);
        used(self.conn, self.org, self.scope, (range, Interval::Day), self.now)
    }

    /// Usage by hour, in as many cubes as it takes.
    fn hours(&self) -> Result<Used, StoreError> {
        let today = day_number(self.zone, self.now)?;
        let at_once = i64::try_from(MAX_BUCKETS / 25).unwrap_or(1);
        let (mut first, mut hours) = (today - DAYS + 1, Vec::new());
        while first <= today {
            let last = (first + at_once - 1).min(today);
            let range = Range::Days(date_of(first)?, date_of(last)?);
            hours.extend(used(self.conn, self.org, self.scope, (range, Interval::Hour), self.now)?);
            first = last + 1;
        }
        hours.retain(|(start, _)| *start <= self.now);
        Ok(hours)
    }

    fn spends(&self, periods: Used, threshold: i64) -> Result<Vec<Point>, StoreError> {
        let point = |(start, figures): (Timestamp, Figures)| {
            let value = figures.credits.micros();
            Measure { at: start, value, threshold, period: Some(start) }
        };
        Ok(periods.into_iter().map(point).collect())
    }

    /// What was left at each instant.
    fn balances(&self, kind: &Kind) -> Result<Vec<Point>, StoreError> {
        let mut cycle: Option<Cycle> = None;
        let of = |reading: &Reading| {
            let at = reading.as_of;
            let known = match cycle.filter(|cycle| cycle.stretch.holds(at)) {
                Some(cycle) => cycle,
                None => Cycle::of(self.conn, self.org, self.zone, at)?,
            };
            cycle = Some(known);
            let available = reading.position.available(at)?;
            Ok(balance_measure(kind, known.given, available, at).map(|of| (of.value, of.threshold)))
        };
        self.readings(STEPS, of)
    }

    /// Reads where the ledger stood at so many instants until now, as it was known then, and measures each.
    fn readings(
        &self,
        steps: i64,
        mut of: impl FnMut(&Reading) -> Result<Option<(i64, i64)>, StoreError>,
    ) -> Result<Vec<Point>, StoreError> {
        let first = self.first_instant()?;
        let mut points = Vec::new();
        for step in (0..steps).rev() {
            let at = Timestamp::from_micros(self.now.micros() - step * (DAYS * DAY_US / steps));
            if first.is_none_or(|first| at < first) {
                continue;
            }
            let at = At { as_of: Some(at), as_known_at: Some(at) };
            let reading = read(self.conn, self.org, at, self.now)?;
            if let Some((value, threshold)) = of(&reading)? {
                points.push(Measure { at: reading.as_of, value, threshold, period: None });
            }
        }
        Ok(points)
    }

    /// When anything but prices was booked first: before that nobody had anything to be told of.
    fn first_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT booked_at FROM entry WHERE org_id = ?1 AND kind <> 'rate_card' ORDER BY seq LIMIT 1";
        let mut select = self.conn.prepare_cached(sql)?;
        let mut rows = select.query([self.org.0])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(Timestamp::from_micros))
    }

    fn runways(&self, threshold: i64) -> Result<Vec<Point>, StoreError> {
        self.readings(DAYS, |reading| {
            let lasts = ahead(self.conn, self.org, self.zone, reading)?.runway.lasts;
            Ok(hours_left(lasts, reading.as_of).map(|hours| (hours, threshold)))
        })
    }

    /// What was used in each cycle until the end of each day, against a share of its plan or an amount.
    fn cycles(&self, percent: Option<u32>, amount: Option<i64>) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        for (cycle, days) in self.by_cycle()? {
            let given = cycle.given.zip(percent).map(|(given, percent)| share_of(given, percent));
            let Some(threshold) = amount.or(given) else { continue };
            let mut value = 0_i64;
            for (at, figures) in days {
                value = value.saturating_add(figures.credits.micros());
                points.push(Measure { at, value, threshold, period: Some(cycle.stretch.from) });
            }
        }
        Ok(self.shown(points))
    }

    /// What each cycle was foretold to take, at the end of each day.
    fn projections(&self, percent: u32) -> Result<Vec<Point>, StoreError> {
        let all: Vec<i64> = self.days(2 * DAYS + PAST_DAYS)?.iter().map(|(_, of)| of.credits.micros()).collect();
        let today = day_number(self.zone, self.now)?;
        let mut points = Vec::new();
        for (cycle, days) in self.by_cycle()? {
            let Some(given) = cycle.given else { continue };
            let last = day_number(self.zone, Timestamp::from_micros(cycle.stretch.to.micros() - 1))?;
            let mut spent = Credits::ZERO;
            for (at, figures) in days {
                spent = spent.plus(figures.credits)?;
                let day = day_number(self.zone, at)?;
                let known = all.len().saturating_sub(usize::try_from(today - day).unwrap_or_default());
                let first = known.saturating_sub(usize::try_from(PAST_DAYS).unwrap_or_default() + 1);
                let Some(told) = projection(spent, &all[first..known], last - day) else { continue };
                let (value, threshold) = (told.end.expected, share_of(given, percent));
                points.push(Measure { at, value, threshold, period: Some(cycle.stretch.from) });
            }
        }
        Ok(self.shown(points))
    }

    /// Days of usage by the cycle in which they lie, from the first day of the cycle in which the month looked at begins.
    fn by_cycle(&self) -> Result<Vec<(Cycle, Used)>, StoreError> {
        let mut cycles: Vec<(Cycle, Used)> = Vec::new();
        for (start, figures) in self.days(2 * DAYS)? {
            match cycles.last_mut() {
                Some((cycle, days)) if cycle.stretch.holds(start) => days.push((start, figures)),
                _ => cycles.push((Cycle::of(self.conn, self.org, self.zone, start)?, vec![(start, figures)])),
            }
        }
        Ok(cycles)
    }

    /// Those of the month that is looked at.
    fn shown(&self, points: Vec<Point>) -> Vec<Point> {
        let from = self.now.micros() - DAYS * DAY_US;
        let first = points.iter().position(|point| point.at.micros() > from).unwrap_or(points.len());
        points.into_iter().skip(first).collect()
    }
}

/// For how many hours nothing was used, at the end of each hour.
fn idle(hours: &[(Timestamp, Figures)], threshold: i64) -> Vec<Point> {
    let (mut idle, mut was_used) = (0_i64, false);
    let mut points = Vec::new();
    for (at, figures) in hours {
        (idle, was_used) = if figures.events > 0 { (0, true) } else { (idle + 1, was_used) };
        if was_used {
            points.push(Measure { at: *at, value: idle, threshold, period: None });
        }
    }
    points
}

/// The share of calls that failed in the hours before each hour's end.
fn failed(hours: &[(Timestamp, Figures)], percent: u32, window: u32, calls: u32) -> Vec<Point> {
    let window = usize::try_from(window).unwrap_or(usize::MAX);
    let point = |(place, (at, _)): (usize, &(Timestamp, Figures))| {
        let last = &hours[(place + 1).saturating_sub(window)..=place];
        let (events, failed) = last.iter().fold((0, 0), |(e, f), (_, of)| (e + of.events, f + of.failed));
        let value = failed_share(events, failed, calls);
        Measure { at: *at, value, threshold: i64::from(percent) * 100, period: None }
    };
    hours.iter().enumerate().map(point).collect()
}

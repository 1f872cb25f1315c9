//! What rules measure, from the tables: for the job, for pages, and day by day for what a rule would have said.
//!
//! Cost: a position for rules about what is left, a cube of twelve weeks of days per scope for what is foretold, a cube of hours for
//! rules about calls. Each is made once, whoever asks for it.

use super::each;
use super::look::{Fact, Facts as Found, balance_measure};
use super::period::{Cycle, HOUR_US, period_of, spent, used};
use super::row::{self, AlertRule};
use super::watching::counts;
use crate::Store;
use crate::calendar::{date_of, day_number, day_start};
use crate::error::StoreError;
use crate::forecast::{ahead, days_after, projection};
use crate::position::{At, Reading, read};
use crate::usage::Range;
use chrono_tz::Tz;
use ledger::alert::{Kind, Measure, Scope, share_of};
use ledger::cube::Figures;
use ledger::forecast::{Forecast, PAST_DAYS, forecast};
use ledger::runway::Lasts;
use ledger::{Credits, Interval, OrgId, Position, Timestamp};
use rusqlite::{Connection, OptionalExtension};

const DAY_US: i64 = 24 * HOUR_US;

/// A rule, and what it measures now; `None` where there is nothing to measure by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The rule.
    pub rule: AlertRule,
    /// What it measures.
    pub measure: Option<Measure>,
}

impl Store {
    /// All rules of an org with what they measure now, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn alerts_measured(&self, org: OrgId) -> Result<Vec<Measured>, StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let mut facts = Facts::new(conn, org, now)?;
            let rules = row::all(conn, org)?;
            rules.into_iter().map(|rule| Ok(Measured { measure: facts.measure_now(&rule)?, rule })).collect()
        })
        .await
    }
}

/// What the job measures, and whether it keeps quiet: usage of the past came in since it looked last.
pub(super) fn of(conn: &Connection, org: OrgId, now: Timestamp) -> Result<(Found, bool), StoreError> {
    let sql = "SELECT past_at IS NOT NULL FROM alert_org WHERE org_id = ?1";
    let quiet: Option<bool> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    let mut facts = Facts::new(conn, org, now)?;
    let (mut found, mut is_whole) = (Vec::new(), true);
    for rule in row::all(conn, org)? {
        if rule.kind.looked() != ledger::alert::Looked::ByJob {
            continue;
        }
        match facts.facts(&rule) {
            Ok(facts) => found.extend(facts.into_iter().map(|fact| (rule.id, fact))),
            // Right after a large import nobody can add up a part of usage; the next look can.
            Err(StoreError::Busy) => is_whole = false,
            Err(error) => return Err(error),
        }
    }
    Ok((Found { found, is_whole }, quiet.unwrap_or(false)))
}

/// What is known of an org at an instant, read when it is asked for.
pub(super) struct Facts<'c> {
    conn: &'c Connection,
    org: OrgId,
    zone: Tz,
    pub(super) now: Timestamp,
    reading: Option<Reading>,
    cycle: Option<Cycle>,
    days: Vec<(Scope, Vec<i64>)>,
}

impl<'c> Facts<'c> {
    pub(super) fn new(conn: &'c Connection, org: OrgId, now: Timestamp) -> Result<Self, StoreError> {
        let zone = crate::org::zone(conn, org)?;
        Ok(Self { conn, org, zone, now, reading: None, cycle: None, days: Vec::new() })
    }

    /// What the job measures for a rule: a figure, or whatever happened since it told last.
    fn facts(&mut self, rule: &AlertRule) -> Result<Vec<Fact>, StoreError> {
        if rule.kind.side() == ledger::alert::Side::Each {
            let measure = |value| Measure { at: self.now, value, threshold: rule.seen, period: None };
            let news = each::since(self.conn, self.org, &rule.kind, rule.seen)?;
            return Ok(news.into_iter().map(|(number, detail)| Fact { measure: measure(number), detail }).collect());
        }
        Ok(self.measure(&rule.kind, &rule.scope, rule.made_at)?.map(Fact::from).into_iter().collect())
    }

    /// What a rule measures now, as pages show it.
    fn measure_now(&mut self, rule: &AlertRule) -> Result<Option<Measure>, StoreError> {
        // While nobody can add up a large import, nothing is said of what it touches.
        let found = match rule.counted.period.zip(rule.counted.spent).filter(|_| counts(&rule.kind)) {
            Some((period, spent)) if self.is_now(&rule.kind, period)? => self.usage(&rule.kind, period.from, spent),
            _ => self.measure(&rule.kind, &rule.scope, rule.made_at),
        };
        match found {
            Err(StoreError::Busy) => Ok(None),
            found => found,
        }
    }

    fn is_now(&mut self, kind: &Kind, period: ledger::Stretch) -> Result<bool, StoreError> {
        let Some(per) = kind.per() else { return Ok(false) };
        Ok(period_of(self.zone, per, self.now, &self.cycle()?)? == period)
    }

    /// What a rule measures; `None` where there is nothing to measure by, or it is about what happens each time.
    pub(super) fn measure(
        &mut self,
        kind: &Kind,
        scope: &Scope,
        since: Timestamp,
    ) -> Result<Option<Measure>, StoreError> {
        let now = self.now;
        let standing = |value: i64, threshold: i64| Some(Measure { at: now, value, threshold, period: None });
        Ok(match *kind {
            Kind::BalanceBelow { .. } | Kind::BalanceBelowShare { .. } => {
                let given = self.cycle()?.given;
                let available = self.position()?.available(now)?;
                balance_measure(kind, given, available, now)
            }
            Kind::CycleUsage { .. } | Kind::SpendAbove { .. } => {
                let Some(per) = kind.per() else { return Ok(None) };
                let period = period_of(self.zone, per, now, &self.cycle()?)?;
                match spent(self.conn, self.org, scope, period, now)? {
                    Some(spent) => self.usage(kind, period.from, spent)?,
                    None => None,
                }
            }
            Kind::UnusualSpend { minimum } => {
                let today = Timestamp::from_micros(day_start(self.zone, self.today(now)?)?.micros());
                unusual(self.days(scope)?, minimum, now, today)
            }
            Kind::RunwayBelow { days } => self.runway()?.and_then(|hours| standing(hours, i64::from(days) * 24)),
            Kind::ProjectedAbove { percent } => self.projected(scope, percent)?,
            Kind::GrantsExpiring { amount, days } => {
                let until = Timestamp::from_micros(now.micros() + i64::from(days) * DAY_US);
                standing(expiring(self.position()?, now, until)?.micros(), amount.micros())
            }
            Kind::NoUsage { hours } => standing(self.idle(scope, hours, since)?, i64::from(hours)),
            Kind::FailedShare { percent, hours, calls } => {
                let last = self.hours(scope, hours)?;
                let (events, failed) = last.iter().fold((0, 0), |(e, f), (_, of)| (e + of.events, f + of.failed));
                standing(failed_share(events, failed, calls), i64::from(percent) * 100)
            }
            Kind::PaymentFailed | Kind::TopUpFailed | Kind::KeyChanged | Kind::RateCardChanged => None,
        })
    }

    fn usage(&mut self, kind: &Kind, from: Timestamp, spent: Credits) -> Result<Option<Measure>, StoreError> {
        let threshold = match kind {
            Kind::SpendAbove { amount, .. } => Some(amount.micros()),
            Kind::CycleUsage { percent } => self.cycle()?.given.map(|given| share_of(given, *percent)),
            _ => None,
        };
        let measure = |threshold| Measure { at: self.now, value: spent.micros(), threshold, period: Some(from) };
        Ok(threshold.map(measure))
    }

    pub(super) fn cycle(&mut self) -> Result<Cycle, StoreError> {
        let cycle = match self.cycle {
            Some(cycle) => cycle,
            None => Cycle::of(self.conn, self.org, self.zone, self.now)?,
        };
        self.cycle = Some(cycle);
        Ok(cycle)
    }

    fn reading(&mut self) -> Result<&Reading, StoreError> {
        if self.reading.is_none() {
            self.reading = Some(read(self.conn, self.org, At::default(), self.now)?);
        }
        self.reading.as_ref().ok_or(StoreError::NotFound("organization"))
    }

    fn position(&mut self) -> Result<&Position, StoreError> {
        Ok(&self.reading()?.position)
    }

    fn today(&self, at: Timestamp) -> Result<chrono::NaiveDate, StoreError> {
        date_of(day_number(self.zone, at)?)
    }

    /// What was used on each of the last days, today last.
    fn days(&mut self, scope: &Scope) -> Result<&[i64], StoreError> {
        let place = match self.days.iter().position(|(known, _)| known == scope) {
            Some(place) => place,
            None => {
                let today = self.today(self.now)?;
                let first = date_of(day_number(self.zone, self.now)? - PAST_DAYS)?;
                let days = used(self.conn, self.org, scope, (Range::Days(first, today), Interval::Day), self.now)?;
                let days = days.into_iter().map(|(_, figures)| figures.credits.micros()).collect();
                self.days.push((scope.clone(), days));
                self.days.len() - 1
            }
        };
        Ok(&self.days[place].1)
    }

    /// In how many hours everything is used up, by forecast; `None` where nothing is used.
    fn runway(&mut self) -> Result<Option<i64>, StoreError> {
        self.reading()?;
        let Some(reading) = &self.reading else { return Ok(None) };
        let lasts = ahead(self.conn, self.org, self.zone, reading)?.runway.lasts;
        Ok(hours_left(lasts, self.now))
    }

    /// What will have been used when the cycle ends.
    fn projected(&mut self, scope: &Scope, percent: u32) -> Result<Option<Measure>, StoreError> {
        let (cycle, now, zone) = (self.cycle()?, self.now, self.zone);
        let Some(given) = cycle.given else { return Ok(None) };
        let period = period_of(zone, ledger::alert::Per::Cycle, now, &cycle)?;
        let Some(spent) = spent(self.conn, self.org, scope, period, now)? else { return Ok(None) };
        let after = days_after(zone, now, period)?;
        let Some(told) = projection(spent, self.days(scope)?, after) else { return Ok(None) };
        let value = told.end.expected;
        let threshold = share_of(given, percent);
        Ok(Some(Measure { at: now, value, threshold, period: Some(period.from) }))
    }

    /// Usage of the last hours, by hour.
    fn hours(&self, scope: &Scope, hours: u32) -> Result<Vec<(Timestamp, Figures)>, StoreError> {
        let from = self.now.micros() - i64::from(hours) * HOUR_US;
        let to = Timestamp::from_micros(self.now.micros() + 1);
        used(self.conn, self.org, scope, (Range::Instants(Timestamp::from_micros(from), to), Interval::None), self.now)
    }

    /// For how many hours nothing was used, as far as anybody asks; nobody waits for longer than the rule is there.
    fn idle(&self, scope: &Scope, hours: u32, since: Timestamp) -> Result<i64, StoreError> {
        let known = (self.now.micros() - since.micros()).max(0) / HOUR_US;
        let is_used = self.hours(scope, hours)?.iter().any(|(_, figures)| figures.events > 0);
        Ok(if is_used { 0 } else { known.min(i64::from(hours)) })
    }
}

/// What is left of grants that expire before an instant.
pub(super) fn expiring(position: &Position, now: Timestamp, until: Timestamp) -> Result<Credits, StoreError> {
    let ends = |at: Option<Timestamp>| at.is_some_and(|at| now < at && at <= until);
    let slots = position.slots.iter().filter(|slot| ends(slot.grant.expires_at));
    Ok(Credits::sum(slots.map(|slot| slot.left))?)
}

/// The share of calls that failed, in hundredths of a percent; nothing where there were fewer than say something.
pub(super) fn failed_share(events: i64, failed: i64, calls: u32) -> i64 {
    if events < i64::from(calls).max(1) { 0 } else { failed.saturating_mul(10_000) / events }
}

/// In how many hours everything is used up; `None` where nothing is used.
pub(super) fn hours_left(lasts: Lasts, now: Timestamp) -> Option<i64> {
    match lasts {
        Lasts::Unused => None,
        Lasts::Beyond => Some(i64::MAX),
        Lasts::Until(at) => Some((at.micros() - now.micros()).max(0) / HOUR_US),
    }
}

/// What is unusual about today, which may cost more than it should already, or about yesterday, which cost less. The last of `days`
/// is today. The value is by how much it is outside of its band, the threshold what is worth being told.
pub(super) fn unusual(days: &[i64], minimum: Credits, now: Timestamp, today: Timestamp) -> Option<Measure> {
    let (spent, before) = days.split_last()?;
    let measure = |off: i64| Measure { at: now, value: off, threshold: minimum.micros(), period: Some(today) };
    let told = one_day(before)?;
    let above = if *spent > told.high { spent.saturating_sub(told.expected) } else { 0 };
    let (yesterday, earlier) = before.split_last()?;
    let below = one_day(earlier)
        .map_or(0, |told| if *yesterday < told.low { told.expected.saturating_sub((*yesterday).max(0)) } else { 0 });
    Some(measure(above.max(below)))
}

/// What the day after these is to cost.
fn one_day(days: &[i64]) -> Option<ledger::forecast::Band> {
    let Forecast { days, .. } = forecast(days, 1)?;
    days.into_iter().next()
}

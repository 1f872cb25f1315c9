//! What rules measure, from the tables: for the job, for pages, and day by day for what a rule would have said.
//!
//! Cost: a position for rules about what is left, a cube of twelve weeks of days per scope for what is foretold, a cube of hours for
//! rules about calls. Each is made once, whoever asks for it.

use super::look::{Fact, balance_measure};
use super::period::{Cycle, HOUR_US, period_of, spent, used};
use super::row::{self, AlertRule};
use super::watching::counts;
use crate::Store;
use crate::calendar::{date_of, day_number, day_start};
use crate::error::StoreError;
use crate::overview;
use crate::position::{At, Reading, read};
use crate::usage::Range;
use chrono_tz::Tz;
use ledger::alert::{Kind, Measure, Scope, share_of};
use ledger::cube::Figures;
use ledger::forecast::{Forecast, PAST_DAYS, forecast};
use ledger::runway::Lasts;
use ledger::{Credits, Interval, OrgId, Position, RuleId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

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

/// What the job measures, and whether it keeps quiet: usage of long ago came in since it looked last.
pub(super) fn of(conn: &Connection, org: OrgId, now: Timestamp) -> Result<(Vec<(RuleId, Fact)>, bool), StoreError> {
    let sql = "SELECT past_at IS NOT NULL FROM alert_org WHERE org_id = ?1";
    let quiet: Option<bool> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    let mut facts = Facts::new(conn, org, now)?;
    let mut found = Vec::new();
    for rule in row::all(conn, org)? {
        if rule.kind.looked() != ledger::alert::Looked::ByJob {
            continue;
        }
        match facts.fact(&rule) {
            Ok(fact) => found.extend(fact.map(|fact| (rule.id, fact))),
            // Right after a large import nobody can add up a part of usage; the next look can.
            Err(StoreError::Busy) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((found, quiet.unwrap_or(false)))
}

/// The newest of what happens each time, behind a number: its number, and what it was. `None` where there is none, or the rule is
/// about something else.
pub(super) fn last_of(
    conn: &Connection,
    org: OrgId,
    kind: &Kind,
    seen: i64,
) -> Result<Option<(i64, String)>, StoreError> {
    let sql = match kind {
        Kind::KeyChanged => {
            "SELECT audit_seq, CASE action WHEN 'key.create' THEN 'Made: ' WHEN 'key.rotate' THEN 'Rotated: ' ELSE 'Revoked: ' END || target
             FROM audit WHERE org_id = ?1 AND audit_seq > ?2 AND action IN ('key.create', 'key.rotate', 'key.revoke')
             ORDER BY audit_seq DESC LIMIT 1"
        }
        Kind::RateCardChanged => {
            "SELECT version, 'Version ' || version FROM rate_card WHERE org_id = ?1 AND version > ?2 ORDER BY version DESC LIMIT 1"
        }
        Kind::PaymentFailed => {
            "SELECT changed_at, 'payment_' || payment_id FROM payment WHERE org_id = ?1 AND changed_at > ?2 AND state = 'failed'
             ORDER BY changed_at DESC LIMIT 1"
        }
        // What people turned on or off is no failure.
        Kind::TopUpFailed => {
            "SELECT at, reason FROM (
                 SELECT at, reason FROM top_up WHERE org_id = ?1 AND at > ?2
                     AND (outcome IN ('capped', 'no_method', 'no_package') OR (outcome = 'turned_off' AND reason NOT LIKE 'By %'))
                 UNION ALL SELECT y.changed_at, 'The payment failed' FROM payment y
                     JOIN purchase p ON p.org_id = y.org_id AND p.purchase_id = y.purchase_id AND p.cause = 'top_up'
                     WHERE y.org_id = ?1 AND y.changed_at > ?2 AND y.state = 'failed')
             ORDER BY at DESC LIMIT 1"
        }
        _ => return Ok(None),
    };
    let found = conn.prepare_cached(sql)?.query_row([org.0, seen], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
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

    /// What the job measures for a rule.
    fn fact(&mut self, rule: &AlertRule) -> Result<Option<Fact>, StoreError> {
        if rule.kind.side() == ledger::alert::Side::Each {
            let last = last_of(self.conn, self.org, &rule.kind, rule.seen)?;
            let measure = |value| Measure { at: self.now, value, threshold: rule.seen, period: None };
            return Ok(last.map(|(number, detail)| Fact { measure: measure(number), detail }));
        }
        Ok(self.measure(&rule.kind, &rule.scope, rule.made_at)?.map(Fact::from))
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
        let runway = overview::lasts(self.conn, self.org, reading)?;
        Ok(match runway.lasts {
            Lasts::Unused => None,
            Lasts::Beyond => Some(i64::MAX),
            Lasts::Until(at) => Some((at.micros() - self.now.micros()).max(0) / HOUR_US),
        })
    }

    /// What will have been used when the cycle ends.
    fn projected(&mut self, scope: &Scope, percent: u32) -> Result<Option<Measure>, StoreError> {
        let (cycle, now, zone) = (self.cycle()?, self.now, self.zone);
        let Some(given) = cycle.given else { return Ok(None) };
        let period = period_of(zone, ledger::alert::Per::Cycle, now, &cycle)?;
        let Some(spent) = spent(self.conn, self.org, scope, period, now)? else { return Ok(None) };
        let last = Timestamp::from_micros(period.to.micros() - 1);
        let ahead = day_number(zone, last)? - day_number(zone, now)?;
        let days = self.days(scope)?;
        let Some(rest) = rest_of(days, ahead) else { return Ok(None) };
        let value = spent.micros().saturating_add(rest);
        // Exactly the plan is not more than it.
        let threshold = share_of(given, percent).saturating_add(1);
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

/// What the rest of today and so many days after it will take, by forecast; `None` where too little is known to foretell.
pub(super) fn rest_of(days: &[i64], ahead: i64) -> Option<i64> {
    let (today, before) = days.split_last()?;
    let told = forecast(before, usize::try_from(ahead + 1).ok()?)?;
    let rest_of_today = (told.days.first()?.expected - today).max(0);
    let later = told.days[1..].iter().map(|day| day.expected).fold(0_i64, i64::saturating_add);
    Some(later.saturating_add(rest_of_today))
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

/// When something happened that a rule tells each time, in a stretch of time: number and instant.
pub(super) fn each_since(
    conn: &Connection,
    org: OrgId,
    kind: &Kind,
    from: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let sql = match kind {
        Kind::KeyChanged => {
            "SELECT at FROM audit WHERE org_id = ?1 AND at >= ?2 AND action IN ('key.create', 'key.rotate', 'key.revoke') ORDER BY audit_seq"
        }
        Kind::RateCardChanged => {
            "SELECT at FROM audit WHERE org_id = ?1 AND at >= ?2 AND action = 'rate_card.create' ORDER BY audit_seq"
        }
        Kind::PaymentFailed => {
            "SELECT changed_at FROM payment WHERE org_id = ?1 AND changed_at >= ?2 AND state = 'failed' ORDER BY changed_at"
        }
        Kind::TopUpFailed => {
            "SELECT at FROM top_up WHERE org_id = ?1 AND at >= ?2
                 AND (outcome IN ('capped', 'no_method', 'no_package') OR (outcome = 'turned_off' AND reason NOT LIKE 'By %')) ORDER BY at"
        }
        _ => return Ok(Vec::new()),
    };
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params![org.0, from.micros()], |row| row.get(0).map(Timestamp::from_micros))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! Looking at an org's rules inside the writer's transaction, and saying what came of it.
//!
//! Balance, usage and budgets are looked at with the commit that changes them ([`Tx::look_at_all`]); the job brings what it measured of
//! the rest ([`Tx::look_with`]). Either way the state of a rule, the history and the message are written together.

use super::budget::scope_of;
use super::period::{Cycle, period_of, spent};
use super::row::AlertRule;
use super::tell::{Told, budget_message, data};
use super::watching::{Watching, counts};
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::alert::{Decision, Kind, Measure, Side, decide, share_of};
use ledger::budget::Standing;
use ledger::{Credits, FiringId, MessageKind, OrgId, RuleId, Timestamp};
use rusqlite::params;

/// Usage that is older than a day when it comes in was imported: what it crosses is noted, and nobody is told.
const PAST_US: i64 = 86_400_000_000;

/// A measure, and what happened where a figure does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) measure: Measure,
    pub(crate) detail: String,
}

/// What a job measured.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) found: Vec<(RuleId, Fact)>,
    /// Whether it could measure all that there is.
    pub(crate) is_whole: bool,
}

impl From<Measure> for Fact {
    fn from(measure: Measure) -> Self {
        Self { measure, detail: String::new() }
    }
}

impl Tx<'_> {
    /// Looks at the alerts of every org whose ledger has moved in this commit. What was ingested must have been settled.
    pub(crate) fn look_at_all(&mut self) -> Result<(), StoreError> {
        for org in self.booked() {
            match self.look_at_alerts(org) {
                // An org that was being made and is not there after all.
                Ok(()) | Err(StoreError::NotFound(_)) => {}
                // No alert is worth refusing usage for: what cannot be measured is looked at again with the next commit.
                Err(StoreError::Refused(refusal)) => tracing::warn!(%org, %refusal, "alerts were not looked at"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks at what is looked at in the transaction that changes it.
    pub(crate) fn look_at_alerts(&mut self, org: OrgId) -> Result<(), StoreError> {
        self.look(org, &[], None)
    }

    /// The same where what holds already is no news.
    pub(super) fn look_quietly(&mut self, org: OrgId) -> Result<(), StoreError> {
        self.look(org, &[], Some("already"))
    }

    /// The same, with what the job measured of the rest; `quiet` where usage of the past came in since it looked last. Where it could
    /// not measure all, it is quiet the next time too: what an import did must not be news once it can be added up.
    pub(crate) fn look_with(&mut self, org: OrgId, facts: &Facts, quiet: bool) -> Result<(), StoreError> {
        self.org(org)?;
        if quiet && facts.is_whole {
            let sql = "UPDATE alert_org SET past_at = NULL WHERE org_id = ?1";
            self.conn.prepare_cached(sql)?.execute([org.0])?;
        }
        self.look(org, &facts.found, quiet.then_some("imported"))
    }

    fn look(&mut self, org: OrgId, facts: &[(RuleId, Fact)], silence: Option<&'static str>) -> Result<(), StoreError> {
        // Taken out meanwhile, since telling looks at the org.
        let Some(mut watching) = self.org(org)?.alerts.take() else { return Ok(()) };
        let looked = self.look_through(org, &mut watching, facts, silence);
        self.org(org)?.alerts = Some(watching);
        looked
    }

    fn look_through(
        &mut self,
        org: OrgId,
        watching: &mut Watching,
        facts: &[(RuleId, Fact)],
        silence: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let is_past = watching.take_newest().is_some_and(|newest| newest.micros() < now.micros() - PAST_US);
        if is_past {
            let sql = "INSERT INTO alert_org (org_id, past_at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET past_at = excluded.past_at";
            self.conn.prepare_cached(sql)?.execute([org.0, now.micros()])?;
        }
        let silence = silence.or_else(|| is_past.then_some("imported"));
        self.count_up(org, watching, now)?;
        let cycle = watching.cycle;
        for rule in &mut watching.rules {
            if let Some(measure) = self.measure(org, rule, cycle.as_ref(), now)? {
                self.follow_measure(org, rule, &measure.into(), silence)?;
            }
            // What another look told meanwhile is not told again; what happened at one instant is told all the same.
            let (id, is_each, seen) = (rule.id, rule.kind.side() == Side::Each, rule.seen);
            let news = facts.iter().filter(|(of, fact)| *of == id && (!is_each || fact.measure.value > seen));
            for (_, fact) in news {
                self.follow_measure(org, rule, fact, silence)?;
            }
            self.wake(org, rule, now)?;
        }
        self.look_at_budgets(org, watching, silence.is_some())?;
        watching.write(self.conn, org)
    }

    /// Begins the periods that have come, and counts anew what is to be.
    fn count_up(&mut self, org: OrgId, watching: &mut Watching, now: Timestamp) -> Result<(), StoreError> {
        let (conn, zone) = (self.conn, self.org(org)?.zone);
        let cycle = match watching.cycle.filter(|cycle| cycle.stretch.holds(now)) {
            Some(cycle) => cycle,
            None => Cycle::of(conn, org, zone, now)?,
        };
        watching.cycle = Some(cycle);
        let rules = watching.rules.iter_mut().filter(|rule| counts(&rule.kind));
        let rules = rules.filter_map(|rule| Some((rule.kind.per()?, rule.scope.clone(), &mut rule.counted)));
        let budgets = watching.budgets.iter_mut();
        let budgets = budgets.map(|budget| (budget.terms.per, scope_of(&budget.terms), &mut budget.counted));
        let mut is_anew = false;
        for (per, scope, counted) in rules.chain(budgets) {
            let period = period_of(zone, per, now, &cycle)?;
            if counted.period != Some(period) || counted.spent.is_none() {
                counted.begin(period, spent(conn, org, &scope, period, now)?);
                is_anew = true;
            }
        }
        if is_anew {
            watching.touch();
        }
        Ok(())
    }

    /// What a rule measures that is looked at in the transaction; `None` for others, and where there is nothing to measure by.
    fn measure(
        &mut self,
        org: OrgId,
        rule: &AlertRule,
        cycle: Option<&Cycle>,
        now: Timestamp,
    ) -> Result<Option<Measure>, StoreError> {
        let given = cycle.and_then(|cycle| cycle.given);
        let counted = rule.counted.period.zip(rule.counted.spent);
        let usage = |threshold: i64| {
            let (period, spent) = counted?;
            Some(Measure { at: now, value: spent.micros(), threshold, period: Some(period.from) })
        };
        Ok(match rule.kind {
            Kind::BalanceBelow { .. } | Kind::BalanceBelowShare { .. } => {
                let available = self.org(org)?.position.available(now)?;
                balance_measure(&rule.kind, given, available, now)
            }
            Kind::CycleUsage { percent } => given.and_then(|given| usage(share_of(given, percent))),
            Kind::SpendAbove { amount, .. } => usage(amount.micros()),
            _ => None,
        })
    }

    /// Does what follows from a measure.
    fn follow_measure(
        &mut self,
        org: OrgId,
        rule: &mut AlertRule,
        fact: &Fact,
        silence: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let decision = decide(rule.watch(), &rule.state, &fact.measure);
        if decision == Decision::default() {
            return Ok(());
        }
        let now = self.now();
        if let Some(firing) = rule.firing.take().filter(|_| decision.resolves) {
            self.resolve(org, rule, firing, &fact.measure)?;
            rule.acknowledged = false;
        }
        if decision.fires {
            let silence = silence.or_else(|| silent(rule, now));
            let firing = self.fire(org, rule, fact, silence)?;
            rule.firing = (rule.kind.side() != Side::Each).then_some(firing);
            if rule.firing.is_none() {
                rule.seen = fact.measure.value;
            }
        }
        rule.state = rule.state.after(rule.watch(), decision, &fact.measure);
        self.write_state(org, rule)
    }

    /// Writes that a rule came to hold, and has people told unless it is to be silent.
    fn fire(
        &mut self,
        org: OrgId,
        rule: &AlertRule,
        fact: &Fact,
        silence: Option<&'static str>,
    ) -> Result<FiringId, StoreError> {
        let (now, measure) = (self.now(), &fact.measure);
        let is_over = (rule.kind.side() == Side::Each).then_some(now.micros());
        let sql = "INSERT INTO alert_firing (org_id, firing_id, rule_id, title, terms, detail, fired_at, value, threshold, silence, resolved_at)
             SELECT ?1, coalesce(max(firing_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM alert_firing WHERE org_id = ?1
             RETURNING firing_id";
        let terms = serde_json::to_string(&rule.kind)?;
        let (value, threshold) = (measure.value, measure.threshold);
        let values =
            params![org.0, rule.id.0, rule.title, terms, fact.detail, now.micros(), value, threshold, silence, is_over];
        let firing = self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(FiringId))?;
        if silence.is_none() {
            let data = data(rule, firing, &Told { value, threshold, detail: &fact.detail });
            self.announce(org, MessageKind::AlertFired, &data, &rule.recipients)?;
        }
        self.moved(org);
        Ok(firing)
    }

    /// Writes that it is over, and says so to whoever was told that it began.
    fn resolve(&mut self, org: OrgId, rule: &AlertRule, firing: FiringId, measure: &Measure) -> Result<(), StoreError> {
        let now = self.now();
        let sql =
            "UPDATE alert_firing SET resolved_at = ?3 WHERE org_id = ?1 AND firing_id = ?2 RETURNING silence IS NULL";
        let values = params![org.0, firing.0, now.micros()];
        let was_told: bool = self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        if was_told && rule.voice.speaks(now) {
            let told = Told { value: measure.value, threshold: measure.threshold, detail: "" };
            self.announce(org, MessageKind::AlertResolved, &data(rule, firing, &told), &rule.recipients)?;
        }
        self.moved(org);
        Ok(())
    }

    /// Ends a silence that is over; what holds still is said then.
    fn wake(&mut self, org: OrgId, rule: &mut AlertRule, now: Timestamp) -> Result<(), StoreError> {
        if rule.voice.snoozed_until.is_none_or(|until| until > now) {
            return Ok(());
        }
        let wakes = rule.voice.wakes(now, rule.firing.is_some(), rule.acknowledged);
        rule.voice.snoozed_until = None;
        if let Some(firing) = rule.firing.filter(|_| wakes) {
            let sql = "UPDATE alert_firing SET silence = NULL WHERE org_id = ?1 AND firing_id = ?2 RETURNING value, threshold, detail";
            let (value, threshold, detail): (i64, i64, String) = self
                .conn
                .prepare_cached(sql)?
                .query_row([org.0, firing.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let data = data(rule, firing, &Told { value, threshold, detail: &detail });
            self.announce(org, MessageKind::AlertFired, &data, &rule.recipients)?;
        }
        self.write_state(org, rule)
    }

    fn write_state(&mut self, org: OrgId, rule: &AlertRule) -> Result<(), StoreError> {
        let sql = "UPDATE alert_rule SET firing_id = ?3, fired_at = ?4, fired_in = ?5, seen = ?6, snoozed_until = ?7
                   WHERE org_id = ?1 AND rule_id = ?2";
        let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            rule.id.0,
            rule.firing.map(|firing| firing.0),
            micros(rule.firing.and(rule.state.firing).map(|firing| firing.since)),
            micros(rule.state.fired_in),
            rule.seen,
            micros(rule.voice.snoozed_until),
        ])?;
        Ok(())
    }

    fn look_at_budgets(&mut self, org: OrgId, watching: &mut Watching, is_quiet: bool) -> Result<(), StoreError> {
        for budget in &mut watching.budgets {
            let Some((period, spent)) = budget.counted.period.zip(budget.counted.spent) else { continue };
            let standing = budget.terms.standing(spent);
            if standing <= budget.told_in(period.from) {
                continue;
            }
            budget.told = (standing, Some(period.from));
            self.write_standing(org, budget.id, budget.told)?;
            if !is_quiet {
                let kind = if standing == Standing::Exceeded {
                    MessageKind::BudgetExceeded
                } else {
                    MessageKind::BudgetWarned
                };
                self.announce(org, kind, &budget_message(budget, spent, period), &budget.recipients)?;
            }
            self.moved(org);
        }
        Ok(())
    }
}

/// Why a rule may not speak now.
fn silent(rule: &AlertRule, now: Timestamp) -> Option<&'static str> {
    match rule.voice.speaks(now) {
        true => None,
        false if rule.voice.muted => Some("muted"),
        false => Some("snoozed"),
    }
}

/// What a rule about the balance measures.
pub(super) fn balance_measure(
    kind: &Kind,
    given: Option<Credits>,
    available: Credits,
    at: Timestamp,
) -> Option<Measure> {
    let threshold = match kind {
        Kind::BalanceBelow { amount } => amount.micros(),
        Kind::BalanceBelowShare { percent } => share_of(given?, *percent),
        _ => return None,
    };
    Some(Measure { at, value: available.micros(), threshold, period: None })
}

//! Alerts and budgets: their rules as rows, looked at where what they watch changes.
//!
//! Read it in this order: [`row`] (a rule as it stands) → [`period`] (in what usage is added up) → `watching` (what the writer counts as
//! events come in) → `look` (decided by [`ledger::alert`], written and told in one transaction) → `facts` and `each` (what only a job measures)
//! → [`simulate`] (what a rule would have said) → [`history`] → [`budget`].
//!
//! The state of a rule is in its row and the message in the outbox, both written in the transaction that changes what the rule
//! watches: a restart neither forgets nor repeats anything.

pub mod budget;
mod each;
mod facts;
pub mod history;
mod look;
mod period;
mod row;
pub mod simulate;
mod tell;
mod watching;

pub use budget::Budget;
pub use facts::Measured;
pub use history::{FiringPage, FiringRow};
pub use row::{AlertRule, Counted};
pub use simulate::{Point, Simulation};
pub use tell::figure;

pub(crate) use budget::{Asking, admit, all as budgets_of, scope_of};
pub(crate) use period::{Cycle, period_of, spent, spent_between};
pub(crate) use row::{all as rules_of, recipients_json};
pub(crate) use watching::Watching;
pub(crate) use watching::counts;

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::once::{Done, Once};
use crate::outbox::Recipients;
use crate::tx::Tx;
use ledger::alert::{DEFAULT_PERCENTS, Kind, Looked, MARGIN_PERCENT, MAX_RULES, MAX_SNOOZE_S, Scope, check_words};
use ledger::{OrgId, Refusal, Role, RuleId, Timestamp};
use row::{check_recipients, next_number};
use rusqlite::{Connection, params};
use serde_json::json;

/// Who makes the rules that an org with a plan begins with.
pub(crate) const JOB: &str = "job:alerts";

/// Who changes something, and what makes it the same as another request.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub by: By,
    /// `None` where no key was sent.
    pub once: Option<Once>,
}

impl From<By> for Author {
    fn from(by: By) -> Self {
        Self { by, once: None }
    }
}

/// A rule as people want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// What people call it.
    pub title: String,
    /// What it watches for.
    pub kind: Kind,
    /// Of which part of usage.
    pub scope: Scope,
    /// Who hears of it.
    pub recipients: Recipients,
    /// How far it must come back to be over, in percent.
    pub margin_percent: u32,
}

/// Whoever hears of an alert where nobody chose: those who manage alerts for the org, in the app and by mail.
#[must_use]
pub fn default_recipients() -> Recipients {
    let roles = vec![Role::Owner, Role::Admin, Role::Billing];
    Recipients { roles, in_app: true, mail: true, ..Recipients::default() }
}

/// What is done to a rule besides changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It says nothing for so many seconds; 0 ends that.
    Snooze(i64),
    /// It says nothing at all, or speaks again.
    Mute(bool),
    /// Somebody has seen to what it fired.
    Acknowledge,
}

impl Store {
    /// All rules of an org, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn alerts(&self, org: OrgId) -> Result<Vec<AlertRule>, StoreError> {
        self.read(move |conn| row::all(conn, org)).await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn alert(&self, org: OrgId, id: RuleId) -> Result<AlertRule, StoreError> {
        self.read(move |conn| row::find(conn, org, id)).await
    }

    /// Makes a rule, or changes one. What holds already is told at once. A rule that watches for the same as before keeps its state.
    ///
    /// # Errors
    /// What is wrong with its terms; [`StoreError::NotFound`] for one that is not there; [`StoreError::TooMany`].
    pub async fn set_alert(
        &self,
        org: OrgId,
        author: Author,
        id: Option<RuleId>,
        new: NewRule,
    ) -> Result<Done<RuleId>, StoreError> {
        check_words(&new.title, new.margin_percent)?;
        new.kind.check(&new.scope)?;
        let run =
            move |tx: &mut Tx<'_>| tx.once(org, author.once.as_ref(), |tx| tx.set_alert(org, &author.by, id, &new));
        self.writer().call(0, run).await
    }

    /// Takes a rule away; its history stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_alert(&self, org: OrgId, by: By, id: RuleId) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.delete_alert(org, &by, id)).await
    }

    /// Silences a rule, lets it speak again, or acknowledges what it fired.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Refusal::BadAlert`] for a time that is too long; also where nothing is firing.
    pub async fn act_on_alert(&self, org: OrgId, author: Author, id: RuleId, act: Act) -> Result<Done<()>, StoreError> {
        let run =
            move |tx: &mut Tx<'_>| tx.once(org, author.once.as_ref(), |tx| tx.act_on_alert(org, &author.by, id, act));
        self.writer().call(0, run).await
    }

    /// The orgs whose alerts the job looks at: those with rules that nothing else looks at, with a period that is over, with a silence
    /// that ends, or with a plan and no rules yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn orgs_to_look_at(&self) -> Result<Vec<OrgId>, StoreError> {
        let now = self.now();
        self.read(move |conn| to_look_at(conn, now)).await
    }

    /// Looks at what time alone changes, and at what only a job measures; makes the rules that an org with a plan begins with. Tells how
    /// many rules fired.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn look_at_alerts(&self, org: OrgId) -> Result<u64, StoreError> {
        let now = self.now();
        let (facts, quiet) = self.read(move |conn| facts::of(conn, org, now)).await?;
        let run = move |tx: &mut Tx<'_>| {
            tx.settle_due(org)?;
            let before = history::newest(tx.conn, org)?;
            tx.begin_with_defaults(org)?;
            tx.look_with(org, &facts, quiet)?;
            Ok(u64::try_from(history::newest(tx.conn, org)? - before).unwrap_or_default())
        };
        self.writer().call(0, run).await
    }
}

fn to_look_at(conn: &Connection, now: Timestamp) -> Result<Vec<OrgId>, StoreError> {
    let sql = "SELECT r.org_id FROM alert_rule r WHERE r.by_job = 1
        UNION SELECT r.org_id FROM alert_rule r WHERE r.snoozed_until IS NOT NULL AND r.snoozed_until <= ?1
        UNION SELECT r.org_id FROM alert_rule r WHERE r.firing_id IS NOT NULL AND r.counted_to IS NOT NULL AND r.counted_to <= ?1
        UNION SELECT s.org_id FROM subscription s WHERE s.ended_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM alert_org a WHERE a.org_id = s.org_id AND a.has_defaults = 1)
        EXCEPT SELECT g.org_id FROM org_ending g WHERE g.begun_at IS NOT NULL";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map([now.micros()], |row| row.get(0).map(OrgId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Tx<'_> {
    /// Reads an org's rules again.
    pub(crate) fn watch_anew(&mut self, org: OrgId) -> Result<(), StoreError> {
        let watching = Watching::load(self.conn, org)?;
        self.org(org)?.alerts = watching;
        Ok(())
    }

    /// Has counted anew what was counted from events: one was taken back, or counts for somebody else now.
    pub(crate) fn count_anew(&mut self, org: OrgId) -> Result<(), StoreError> {
        if let Some(watching) = &mut self.org(org)?.alerts {
            watching.forget_counts();
        }
        // Looked at with the commit, though nothing may be booked.
        self.moved(org);
        Ok(())
    }

    fn set_alert(&mut self, org: OrgId, by: &By, id: Option<RuleId>, new: &NewRule) -> Result<RuleId, StoreError> {
        self.settle_due(org)?;
        check_recipients(self.conn, org, &new.recipients)?;
        let before = id.map(|id| row::find(self.conn, org, id)).transpose()?;
        let (id, action) = match &before {
            Some(before) => (before.id, "alert.change"),
            None => (self.new_rule(org)?, "alert.create"),
        };
        let is_same = before.as_ref().is_some_and(|before| (before.kind, &before.scope) == (new.kind, &new.scope));
        // What it fired was about something else.
        if let Some(firing) = before.as_ref().and_then(|before| before.firing).filter(|_| !is_same) {
            let sql = "UPDATE alert_firing SET resolved_at = ?3 WHERE org_id = ?1 AND firing_id = ?2";
            self.conn.prepare_cached(sql)?.execute([org.0, firing.0, self.now().micros()])?;
        }
        let before = before.map(|before| json!({"title": before.title, "terms": before.kind, "scope": before.scope}));
        let after = Some(json!({"title": new.title, "terms": new.kind, "scope": new.scope,
            "margin_percent": new.margin_percent, "recipients": recipients_json(&new.recipients)?}));
        self.note(org, by, Change { action, target: id.to_string(), before, after })?;
        let made_at = self.noted_at(org)?;
        self.write_rule(org, (by, made_at), id, new, (false, is_same))?;
        self.watch_anew(org)?;
        self.look_at_alerts(org)?;
        Ok(id)
    }

    fn new_rule(&mut self, org: OrgId) -> Result<RuleId, StoreError> {
        let sql = "SELECT count(*) FROM alert_rule WHERE org_id = ?1";
        let count: i64 = self.conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?;
        if usize::try_from(count).is_ok_and(|count| count >= MAX_RULES) {
            return Err(StoreError::TooMany("there are 200 rules already: take some away"));
        }
        Ok(RuleId(next_number(self.conn, org, "last_rule")?))
    }

    /// Puts a rule down; one that watches for something else than before begins anew.
    fn write_rule(
        &mut self,
        org: OrgId,
        (by, made_at): (&By, Timestamp),
        id: RuleId,
        new: &NewRule,
        (is_default, is_same): (bool, bool),
    ) -> Result<(), StoreError> {
        let anew = "muted = muted, firing_id = NULL, fired_at = NULL, fired_in = NULL, seen = excluded.seen, counted_from = NULL,
            counted_to = NULL, counted = NULL, snoozed_until = NULL";
        let sql = format!(
            "INSERT INTO alert_rule (org_id, rule_id, title, kind, terms, scope, recipients, margin_percent, by_job, is_default,
                                     made_at, made_by, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT DO UPDATE SET title = excluded.title, kind = excluded.kind, terms = excluded.terms, scope = excluded.scope,
                 recipients = excluded.recipients, margin_percent = excluded.margin_percent, by_job = excluded.by_job, {}",
            if is_same { "muted = muted" } else { anew }
        );
        // What happened before is no news.
        let seen = each::newest(self.conn, org, &new.kind)?;
        self.conn.prepare_cached(&sql)?.execute(params![
            org.0,
            id.0,
            new.title,
            new.kind.as_str(),
            serde_json::to_string(&new.kind)?,
            serde_json::to_string(&new.scope)?,
            recipients_json(&new.recipients)?,
            new.margin_percent,
            new.kind.looked() == Looked::ByJob,
            is_default,
            made_at.micros(),
            by.actor,
            seen,
        ])?;
        Ok(())
    }

    fn delete_alert(&mut self, org: OrgId, by: &By, id: RuleId) -> Result<(), StoreError> {
        self.org(org)?;
        let rule = row::find(self.conn, org, id)?;
        if let Some(firing) = rule.firing {
            let sql = "UPDATE alert_firing SET resolved_at = ?3 WHERE org_id = ?1 AND firing_id = ?2";
            self.conn.prepare_cached(sql)?.execute([org.0, firing.0, self.now().micros()])?;
        }
        self.conn
            .prepare_cached("DELETE FROM alert_rule WHERE org_id = ?1 AND rule_id = ?2")?
            .execute([org.0, id.0])?;
        let before = Some(json!({"title": rule.title, "terms": rule.kind, "scope": rule.scope}));
        self.note(org, by, Change { action: "alert.delete", target: id.to_string(), before, after: None })?;
        self.watch_anew(org)
    }

    fn act_on_alert(&mut self, org: OrgId, by: &By, id: RuleId, act: Act) -> Result<(), StoreError> {
        self.org(org)?;
        let (conn, now) = (self.conn, self.now());
        let rule = row::find(conn, org, id)?;
        let (action, after) = match act {
            Act::Snooze(seconds) => {
                if !(0..=MAX_SNOOZE_S).contains(&seconds) {
                    let problem = "a rule can be snoozed for up to 2678400 seconds (31 days): mute it instead";
                    return Err(Refusal::BadAlert { problem }.into());
                }
                let until = Timestamp::from_micros(now.micros() + seconds * 1_000_000);
                let sql = "UPDATE alert_rule SET snoozed_until = ?3 WHERE org_id = ?1 AND rule_id = ?2";
                conn.prepare_cached(sql)?.execute([org.0, id.0, until.micros()])?;
                ("alert.snooze", json!({"until": until}))
            }
            Act::Mute(muted) => {
                let sql = "UPDATE alert_rule SET muted = ?3 WHERE org_id = ?1 AND rule_id = ?2";
                conn.prepare_cached(sql)?.execute(params![org.0, id.0, muted])?;
                ("alert.mute", json!({"muted": muted}))
            }
            Act::Acknowledge => {
                let problem = "this alert is not firing: there is nothing to acknowledge";
                let firing = rule.firing.ok_or(Refusal::BadAlert { problem })?;
                let sql = "UPDATE alert_firing SET acknowledged_at = ?3, acknowledged_by = ?4
                           WHERE org_id = ?1 AND firing_id = ?2 AND acknowledged_at IS NULL";
                conn.prepare_cached(sql)?.execute(params![org.0, firing.0, now.micros(), by.actor])?;
                ("alert.acknowledge", json!({"firing": firing.to_string()}))
            }
        };
        self.note(org, by, Change { action, target: id.to_string(), before: None, after: Some(after) })?;
        self.watch_anew(org)?;
        self.look_at_alerts(org)?;
        self.moved(org);
        Ok(())
    }

    /// Gives an org with a plan the rules that it begins with, once. What is used already is no news.
    fn begin_with_defaults(&mut self, org: OrgId) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM alert_org WHERE org_id = ?1 AND has_defaults = 1";
        let has = self.conn.prepare_cached(sql)?.exists([org.0])?;
        if has || crate::subscription::in_force(self.conn, org)?.is_none() {
            return Ok(());
        }
        let by = By::from(JOB.to_owned());
        for percent in DEFAULT_PERCENTS {
            let id = self.new_rule(org)?;
            let new = NewRule {
                title: format!("{percent}% of the plan"),
                kind: Kind::CycleUsage { percent },
                scope: Scope::default(),
                recipients: default_recipients(),
                margin_percent: MARGIN_PERCENT,
            };
            self.write_rule(org, (&by, self.now()), id, &new, (true, false))?;
        }
        let sql = "UPDATE alert_org SET has_defaults = 1 WHERE org_id = ?1";
        self.conn.prepare_cached(sql)?.execute([org.0])?;
        self.watch_anew(org)?;
        self.look_quietly(org)
    }
}

//! Alerts and budgets: their rows against what was noted when people made them, and what they count against usage.
//!
//! - A rule and a budget say what their newest note in the audit log says, were made when and by whom the first one says, and there is
//!   no other. Rules that Scrip made itself say what such rules say.
//! - What is counted is what usage adds up to in that period.
//! - Whatever is used as far as a rule or a budget reaches was told in that period. It may have been told and be less by now: usage that
//!   was taken back un-says nothing.
//! - What a rule is firing is in the history and not over, and nothing else is not over.
//!
//! Not looked at, since nothing says what it should be: when people want to be left alone (`snoozed_until`), what was told last of what
//! happens each time (`seen`), when a rule fired last (`fired_in`, beyond what is counted), the words and figures of the history, and the
//! outbox: messages and attempts are news of the ledger and kept for a time. Memory: a note and a row for each rule and budget.

use super::Problems;
use crate::alert::{
    AlertRule, Budget, Counted, Cycle, JOB, budgets_of, counts, period_of, recipients_json, rules_of, scope_of, spent,
};
use crate::error::StoreError;
use chrono_tz::Tz;
use ledger::alert::{Kind, Looked, Per, Scope, share_of};
use ledger::budget::Standing;
use ledger::{BudgetId, OrgId, RuleId, Stretch};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest billing cycle.
const MAX_CYCLE_US: i64 = 32 * 86_400_000_000;

/// What was noted of a rule or a budget.
#[derive(Debug, Default)]
struct Noted {
    /// When, and by whom.
    made: Option<(i64, String)>,
    /// Nothing where it was too long to be noted.
    last: Value,
    muted: bool,
    is_gone: bool,
}

pub(super) fn finish(conn: &Connection, org: OrgId, zone: Tz, problems: &mut Problems) -> Result<(), StoreError> {
    let (rules, budgets) = (rules_of(conn, org)?, budgets_of(conn, org)?);
    let mut noted = notes(conn, org, "alert.%")?;
    let last_rule = noted.keys().filter_map(|id| RuleId::parse(id)).map(|id| id.0).max();
    for rule in &rules {
        let id = rule.id.to_string();
        let note = noted.remove(&id).unwrap_or_default();
        check_rule(rule, &note, problems)?;
        check_row(conn, org, rule, problems)?;
        let counted = if counts(&rule.kind) { rule.kind.per() } else { None };
        let subject = (id, counted, &rule.scope, &rule.counted);
        if let Some(period) = check_counted(conn, org, zone, subject, problems)? {
            check_fired(conn, org, zone, rule, period, problems)?;
        }
    }
    gone(&noted, "alerts", problems);
    check_last(conn, org, "last_rule", last_rule.max(rules.iter().map(|rule| rule.id.0).max()), problems)?;
    let mut noted = notes(conn, org, "budget.%")?;
    let last_budget = noted.keys().filter_map(|id| BudgetId::parse(id)).map(|id| id.0).max();
    for budget in &budgets {
        let id = budget.id.to_string();
        let note = noted.remove(&id).unwrap_or_default();
        check_budget(budget, &note, problems)?;
        let subject = (id, Some(budget.terms.per), &scope_of(&budget.terms), &budget.counted);
        check_counted(conn, org, zone, subject, problems)?;
        check_standing(budget, problems);
    }
    gone(&noted, "budgets", problems);
    check_last(conn, org, "last_budget", last_budget.max(budgets.iter().map(|budget| budget.id.0).max()), problems)?;
    check_history(conn, org, problems)
}

/// What was noted, by what it is about.
fn notes(conn: &Connection, org: OrgId, actions: &str) -> Result<BTreeMap<String, Noted>, StoreError> {
    let sql =
        "SELECT target, action, at, actor, after FROM audit WHERE org_id = ?1 AND action LIKE ?2 ORDER BY audit_seq";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![org.0, actions])?;
    let mut noted: BTreeMap<String, Noted> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (action, after): (String, Option<String>) = (row.get(1)?, row.get(4)?);
        let after = after.map_or(Ok(Value::Null), |text| serde_json::from_str(&text))?;
        let note = noted.entry(row.get(0)?).or_default();
        match action.split_once('.').map_or("", |(_, what)| what) {
            "create" => {
                note.made = Some((row.get(2)?, row.get(3)?));
                note.last = after;
            }
            "change" => note.last = after,
            "mute" => note.muted = after["muted"] == json!(true),
            "delete" => note.is_gone = true,
            _ => {}
        }
    }
    Ok(noted)
}

/// What was made and is not there, though nobody took it away.
fn gone(noted: &BTreeMap<String, Noted>, what: &str, problems: &mut Problems) {
    for (id, _) in noted.iter().filter(|(_, note)| note.made.is_some() && !note.is_gone) {
        problems.say(format!("{id} was noted among the {what} and is not there"));
    }
}

fn check_rule(rule: &AlertRule, note: &Noted, problems: &mut Problems) -> Result<(), StoreError> {
    let (id, said) = (rule.id, &note.last);
    let is_noted = match &note.made {
        Some((at, by)) => (*at, by) == (rule.made_at.micros(), &rule.made_by) && !rule.is_default && !note.is_gone,
        None => rule.is_default && rule.made_by == JOB,
    };
    if !is_noted {
        problems.say(format!("{id} was not made when, by whom or as it says"));
    }
    let mut is_same = rule.voice.muted == note.muted;
    if said.is_null() && note.made.is_none() {
        let is_default =
            |percent: u32| rule.kind == Kind::CycleUsage { percent } && rule.title == format!("{percent}% of the plan");
        is_same &= rule.scope.is_everything() && ledger::alert::DEFAULT_PERCENTS.into_iter().any(is_default);
    } else if !said.is_null() {
        is_same &= said["title"] == json!(rule.title)
            && said["terms"] == json!(rule.kind)
            && said["scope"] == json!(rule.scope)
            && (said["margin_percent"].is_null() || said["margin_percent"] == json!(rule.margin_percent))
            && (said["recipients"].is_null() || said["recipients"] == json!(recipients_json(&rule.recipients)?));
    }
    if !is_same {
        problems.say(format!("{id} is not what was noted of it last"));
    }
    Ok(())
}

/// Columns beside the terms, which say no more than these.
fn check_row(conn: &Connection, org: OrgId, rule: &AlertRule, problems: &mut Problems) -> Result<(), StoreError> {
    let sql = "SELECT kind, by_job, terms, scope, recipients FROM alert_rule WHERE org_id = ?1 AND rule_id = ?2";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let found: (String, bool, String, String, String) = conn.prepare_cached(sql)?.query_row([org.0, rule.id.0], row)?;
    let texts = (serde_json::to_string(&rule.kind)?, serde_json::to_string(&rule.scope)?);
    let expected = (rule.kind.as_str().to_owned(), rule.kind.looked() == Looked::ByJob, texts.0, texts.1);
    if (found.0, found.1, found.2, found.3) != expected || found.4 != recipients_json(&rule.recipients)? {
        problems.say(format!("{}: its row does not say what its terms say", rule.id));
    }
    Ok(())
}

fn check_budget(budget: &Budget, note: &Noted, problems: &mut Problems) -> Result<(), StoreError> {
    let is_made = note.made.as_ref().is_some_and(|(at, by)| (*at, by) == (budget.made_at.micros(), &budget.made_by));
    let mut said = note.last.clone();
    let to = said.as_object_mut().and_then(|said| said.remove("recipients"));
    let is_same = (said.is_null() || said == json!(budget.terms))
        && to.is_none_or(|to| recipients_json(&budget.recipients).is_ok_and(|is| to == json!(is)));
    if !is_made || note.is_gone || !is_same {
        problems.say(format!("{} is not what was noted of it last", budget.id));
    }
    Ok(())
}

/// Whether what is counted is what was used; the period where it is counted at all. A `per` of `None` counts nothing.
fn check_counted(
    conn: &Connection,
    org: OrgId,
    zone: Tz,
    (id, per, scope, counted): (String, Option<Per>, &Scope, &Counted),
    problems: &mut Problems,
) -> Result<Option<Stretch>, StoreError> {
    let (Some(period), Some(per)) = (counted.period, per) else {
        if counted.period.is_some() || counted.spent.is_some() {
            problems.say(format!("{id} counts usage, of no period"));
        }
        return Ok(None);
    };
    let is_period = match per {
        // Which cycle it was may have been decided otherwise since.
        Per::Cycle => period.to.micros() - period.from.micros() <= MAX_CYCLE_US,
        Per::Hour | Per::Day => {
            let month = Cycle::of(conn, org, zone, period.from)?;
            period_of(zone, per, period.from, &month)? == period
        }
    };
    if !is_period {
        problems.say(format!("{id} counts from {} to {}, which is no {}", period.from, period.to, per.words()));
        return Ok(None);
    }
    let Some(is) = counted.spent else { return Ok(None) };
    // Right after a large import nobody can say.
    if let Some(used) = spent(conn, org, scope, period, period.to)?.filter(|used| *used != is) {
        problems.say(format!("{id} counts {is} since {}, and {used} was used", period.from));
    }
    Ok(Some(period))
}

/// A rule whose usage is as much as it watches for has fired in that period.
fn check_fired(
    conn: &Connection,
    org: OrgId,
    zone: Tz,
    rule: &AlertRule,
    period: Stretch,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let threshold = match rule.kind {
        Kind::SpendAbove { amount, .. } => Some(amount.micros()),
        Kind::CycleUsage { percent } => {
            Cycle::of(conn, org, zone, period.from)?.given.map(|given| share_of(given, percent))
        }
        _ => None,
    };
    let spent = rule.counted.spent.map(|spent| spent.micros());
    if threshold.zip(spent).is_some_and(|(threshold, spent)| spent >= threshold)
        && rule.state.fired_in != Some(period.from)
    {
        problems.say(format!("{} should have fired in the period since {}", rule.id, period.from));
    }
    Ok(())
}

fn check_standing(budget: &Budget, problems: &mut Problems) {
    let Some((period, spent)) = budget.counted.period.zip(budget.counted.spent) else { return };
    let told = if budget.told.1 == Some(period.from) { budget.told.0 } else { Standing::Within };
    if budget.terms.standing(spent) > told {
        problems.say(format!("{} is used further than was told since {}", budget.id, period.from));
    }
}

/// Numbers are given once: the last one is that of the newest there ever was.
fn check_last(
    conn: &Connection,
    org: OrgId,
    column: &'static str,
    newest: Option<i64>,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let sql = format!("SELECT coalesce(max({column}), 0) FROM alert_org WHERE org_id = ?1");
    let last: i64 = conn.query_row(&sql, [org.0], |row| row.get(0))?;
    if last != newest.unwrap_or(0) {
        problems.say(format!("alert_org.{column} is {last}, the newest there was is {}", newest.unwrap_or(0)));
    }
    Ok(())
}

/// What is firing and what is not over are the same, one by one.
fn check_history(conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(r.rule_id, f.rule_id) FROM
            (SELECT * FROM alert_rule WHERE org_id = ?1 AND firing_id IS NOT NULL) r
        FULL JOIN (SELECT * FROM alert_firing WHERE org_id = ?1 AND resolved_at IS NULL) f
            ON f.firing_id = r.firing_id AND f.rule_id = r.rule_id
        WHERE r.rule_id IS NULL OR f.rule_id IS NULL";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([org.0])?;
    while let Some(row) = rows.next()? {
        problems.say(format!("{}: what it is firing is not what its history says", RuleId(row.get(0)?)));
    }
    Ok(())
}

//! Budgets as rows: made, changed and taken away by people, told of and enforced by what is counted.

use super::Author;
use super::period::{Cycle, period_of};
use super::row::{Counted, check_recipients, counted_of, next_number, recipients, recipients_json};
use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::org;
use crate::outbox::Recipients;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::alert::Per;
use ledger::budget::{MAX_BUDGETS, Standing, Terms, Whose};
use ledger::{BudgetId, Credits, Label, OrgId, Refusal, Timestamp};
use rusqlite::{Connection, Row, params};
use serde_json::json;

/// A budget as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its number within the org.
    pub id: BudgetId,
    /// What it says.
    pub terms: Terms,
    /// Who hears of it.
    pub recipients: Recipients,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// The farthest that was told, in the period that began then.
    pub told: (Standing, Option<Timestamp>),
    /// The usage that it counts.
    pub counted: Counted,
}

const SELECT: &str =
    "SELECT budget_id, title, whose, id, amount, per, warn_percent, pauses, recipients, made_at, made_by, standing,
        standing_in, counted_from, counted_to, counted FROM budget WHERE org_id = ?1";

/// All budgets of an org, oldest first.
pub(crate) fn all(conn: &Connection, org: OrgId) -> Result<Vec<Budget>, StoreError> {
    let mut select = conn.prepare_cached(&format!("{SELECT} ORDER BY budget_id"))?;
    let mut rows = select.query([org.0])?;
    let mut budgets = Vec::new();
    while let Some(row) = rows.next()? {
        budgets.push(budget_of(row)?);
    }
    Ok(budgets)
}

fn find(conn: &Connection, org: OrgId, id: BudgetId) -> Result<Budget, StoreError> {
    let mut select = conn.prepare_cached(&format!("{SELECT} AND budget_id = ?2"))?;
    let mut rows = select.query([org.0, id.0])?;
    rows.next()?.map(budget_of).transpose()?.ok_or(StoreError::NotFound("budget"))
}

fn budget_of(row: &Row<'_>) -> Result<Budget, StoreError> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let text = |column| row.get::<_, String>(column);
    let terms = Terms {
        title: text(1)?,
        whose: Whose::parse(&text(2)?).ok_or_else(|| unreadable("budget"))?,
        id: Label::kept(&text(3)?)?,
        amount: Credits::from_micros(row.get(4)?),
        per: Per::parse(&text(5)?).ok_or_else(|| unreadable("budget"))?,
        warn_percent: row.get(6)?,
        pauses: row.get(7)?,
    };
    let standing = Standing::parse(&text(11)?).ok_or_else(|| unreadable("budget"))?;
    Ok(Budget {
        id: BudgetId(row.get(0)?),
        terms,
        recipients: recipients(&text(8)?)?,
        made_at: Timestamp::from_micros(row.get(9)?),
        made_by: text(10)?,
        told: (standing, at(12)?),
        counted: counted_of(at(13)?, at(14)?, row.get(15)?),
    })
}

impl Budget {
    /// The farthest that was told in a period.
    pub(super) fn told_in(&self, period: Timestamp) -> Standing {
        if self.told.1 == Some(period) { self.told.0 } else { Standing::Within }
    }
}

impl Store {
    /// All budgets of an org, oldest first, each with what is used of it now.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn budgets(&self, org: OrgId) -> Result<Vec<Budget>, StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let mut budgets = all(conn, org)?;
            for budget in &mut budgets {
                bring_up(conn, org, budget, now)?;
            }
            Ok(budgets)
        })
        .await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn budget(&self, org: OrgId, id: BudgetId) -> Result<Budget, StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let mut budget = find(conn, org, id)?;
            bring_up(conn, org, &mut budget, now)?;
            Ok(budget)
        })
        .await
    }

    /// Makes a budget, or changes one; what was used in its period before counts.
    ///
    /// # Errors
    /// What is wrong with its terms; [`StoreError::NotFound`] for one that is not there; [`StoreError::TooMany`].
    pub async fn set_budget(
        &self,
        org: OrgId,
        author: Author,
        id: Option<BudgetId>,
        terms: Terms,
        to: Recipients,
    ) -> Result<crate::Done<BudgetId>, StoreError> {
        terms.check()?;
        let run = move |tx: &mut Tx<'_>| {
            tx.once(org, author.once.as_ref(), |tx| tx.set_budget(org, &author.by, id, &terms, &to))
        };
        self.writer().call(0, run).await
    }

    /// Takes a budget away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_budget(&self, org: OrgId, by: By, id: BudgetId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let budget = find(tx.conn, org, id)?;
            tx.conn
                .prepare_cached("DELETE FROM budget WHERE org_id = ?1 AND budget_id = ?2")?
                .execute([org.0, id.0])?;
            tx.watch_anew(org)?;
            let before = Some(json!(budget.terms));
            tx.note(org, &by, Change { action: "budget.delete", target: id.to_string(), before, after: None })
        };
        self.writer().call(0, run).await
    }
}

/// Where its period is over, or usage is to be counted anew, what a budget counts now.
fn bring_up(conn: &Connection, id: OrgId, budget: &mut Budget, now: Timestamp) -> Result<(), StoreError> {
    let zone = org::zone(conn, id)?;
    let period = period_of(zone, budget.terms.per, now, &Cycle::of(conn, id, zone, now)?)?;
    if budget.counted.period != Some(period) || budget.counted.spent.is_none() {
        let spent = super::period::spent(conn, id, &scope_of(&budget.terms), period, now)?;
        budget.counted.begin(period, spent);
    }
    Ok(())
}

/// The usage that a budget is about.
pub(crate) fn scope_of(terms: &Terms) -> ledger::alert::Scope {
    let id = |whose| (terms.whose == whose).then(|| terms.id.clone());
    ledger::alert::Scope {
        project: id(Whose::Project),
        user: id(Whose::User),
        tenant: id(Whose::Tenant),
        ..ledger::alert::Scope::default()
    }
}

impl Tx<'_> {
    fn set_budget(
        &mut self,
        org: OrgId,
        by: &By,
        id: Option<BudgetId>,
        terms: &Terms,
        to: &Recipients,
    ) -> Result<BudgetId, StoreError> {
        self.org(org)?;
        check_recipients(self.conn, org, to)?;
        let before = id.map(|id| find(self.conn, org, id)).transpose()?;
        let id = match id {
            Some(id) => id,
            None => {
                let sql = "SELECT count(*) FROM budget WHERE org_id = ?1";
                let count: i64 = self.conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?;
                if usize::try_from(count).is_ok_and(|count| count >= MAX_BUDGETS) {
                    return Err(StoreError::TooMany("there are 1000 budgets already: take some away"));
                }
                BudgetId(next_number(self.conn, org, "last_budget")?)
            }
        };
        let action = if before.is_some() { "budget.change" } else { "budget.create" };
        let (before, mut after) = (before.map(|before| json!(before.terms)), json!(terms));
        after["recipients"] = json!(recipients_json(to)?);
        let after = Some(after);
        self.note(org, by, Change { action, target: id.to_string(), before, after })?;
        let made_at = self.noted_at(org)?;
        let sql = "INSERT INTO budget (org_id, budget_id, title, whose, id, amount, per, warn_percent, pauses, recipients, made_at, made_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT DO UPDATE SET title = excluded.title, whose = excluded.whose, id = excluded.id, amount = excluded.amount,
                 per = excluded.per, warn_percent = excluded.warn_percent, pauses = excluded.pauses, recipients = excluded.recipients,
                 standing = 'within', standing_in = NULL, counted_from = NULL, counted_to = NULL, counted = NULL";
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            id.0,
            terms.title,
            terms.whose.as_str(),
            terms.id.as_str(),
            terms.amount.micros(),
            terms.per.as_str(),
            terms.warn_percent,
            terms.pauses,
            recipients_json(to)?,
            made_at.micros(),
            by.actor,
        ])?;
        self.watch_anew(org)?;
        self.look_at_alerts(org)?;
        Ok(id)
    }

    /// Puts down how far a budget was told to be used.
    pub(super) fn write_standing(
        &mut self,
        org: OrgId,
        id: BudgetId,
        told: (Standing, Option<Timestamp>),
    ) -> Result<(), StoreError> {
        let sql = "UPDATE budget SET standing = ?3, standing_in = ?4 WHERE org_id = ?1 AND budget_id = ?2";
        let values = params![org.0, id.0, told.0.as_str(), told.1.map(Timestamp::micros)];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// For whom work asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asking<'a> {
    pub(crate) project: Option<&'a Label>,
    pub(crate) user: Option<&'a Label>,
    pub(crate) tenant: Option<&'a Label>,
}

/// Whether the budgets that pause let work begin that is to cost so much.
///
/// # Errors
/// [`Refusal::BudgetExceeded`] of the first that does not.
pub(crate) fn admit(
    conn: &Connection,
    id: OrgId,
    asking: Asking<'_>,
    asked: Credits,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "{SELECT} AND pauses = 1 AND ((whose = 'project' AND id = ?2) OR (whose = 'user' AND id = ?3) OR (whose = 'tenant' AND id = ?4))"
    );
    let mut select = conn.prepare_cached(&sql)?;
    let text = |label: Option<&Label>| label.map(ToString::to_string);
    let mut rows = select.query(params![id.0, text(asking.project), text(asking.user), text(asking.tenant)])?;
    while let Some(row) = rows.next()? {
        let mut budget = budget_of(row)?;
        bring_up(conn, id, &mut budget, now)?;
        // Where right now nobody can say what was used, nothing is refused.
        let admitted: Result<(), Refusal> =
            budget.counted.spent.map_or(Ok(()), |spent| budget.terms.admit(spent, asked));
        admitted?;
    }
    Ok(())
}

//! Auto top-up: its rule, its history, and the one transaction that looks at how things stand and opens a purchase.

use crate::Store;
use crate::audit::{By, Change};
use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::payment::{For, NewPayment, method};
use crate::purchase::{Cause, NewPurchase, quote};
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::top_up::{Decision, Facts, MAX_FAILURES, Rule, Why, decide};
use ledger::{Credits, Currency, Money, Months as _, OrgId, PackageId, PurchaseId, Stretch, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Rows of the history that are read at once.
pub const MAX_ROWS: u32 = 100;
/// Who buys where nobody is there.
const JOB: &str = "job:top_up";
/// How often people are told again why nothing is bought: once a day.
const AGAIN_US: i64 = 86_400_000_000;

/// What an org asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    /// When something is bought.
    pub rule: Rule,
    /// What is bought.
    pub package: PackageId,
    /// How many credits, for a custom amount and only then.
    pub credits: Option<Credits>,
    /// Whether it turned itself off.
    pub gave_up: bool,
}

/// What auto top-up did, or why it did nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpRow {
    /// Its number within the org.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What was available then.
    pub available: Credits,
    /// `bought`, `capped`, `no_method`, `no_package`, `turned_on`, `turned_off`.
    pub outcome: String,
    /// What it bought.
    pub purchase: Option<PurchaseId>,
    /// Why, for people.
    pub reason: String,
}

impl Store {
    /// What an org asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn top_up(&self, org: OrgId) -> Result<Option<TopUp>, StoreError> {
        self.read(move |conn| rule(conn, org)).await
    }

    /// The newest of what it did, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn top_ups(&self, org: OrgId, limit: u32) -> Result<Vec<TopUpRow>, StoreError> {
        self.read(move |conn| history(conn, org, limit)).await
    }

    /// The orgs that have it on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn orgs_with_top_up(&self) -> Result<Vec<OrgId>, StoreError> {
        let run = |conn: &Connection| {
            let mut select = conn.prepare_cached("SELECT org_id FROM top_up_rule WHERE is_on = 1")?;
            let rows = select.query_map([], |row| row.get(0).map(OrgId))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }

    /// Sets what is asked for, and turns it on or off. Only a person does that.
    ///
    /// # Errors
    /// [`StoreError::BadRange`] for a cap below one purchase, or where nobody can be charged; what the package is refused for.
    pub async fn set_top_up(&self, org: OrgId, by: By, new: TopUp) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.set_top_up(org, &by, &new)).await
    }

    /// Looks whether something is to be bought now, and opens the purchase. The job of payments charges it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn run_top_up(&self, org: OrgId) -> Result<Option<PurchaseId>, StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.run_top_up(org)).await
    }
}

impl Tx<'_> {
    fn set_top_up(&mut self, org: OrgId, by: &By, new: &TopUp) -> Result<(), StoreError> {
        self.settle_due(org)?;
        let gross = quote(self.conn, org, new.package, new.credits)?.gross()?;
        if new.rule.threshold.is_negative()
            || new.rule.cap.currency != gross.currency
            || new.rule.cap.minor < gross.minor
        {
            return Err(StoreError::BadRange(
                "the cap of a month must be at least what one purchase costs with its tax",
            ));
        }
        if new.rule.is_on && method::default_method(self.conn, org)?.is_none() {
            return Err(StoreError::BadRange("store a payment method first: auto top-up charges it"));
        }
        let before = rule(self.conn, org)?;
        let sql = "INSERT INTO top_up_rule (org_id, is_on, threshold, package_id, credits, cap_minor, changed_at, changed_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET is_on = excluded.is_on, threshold = excluded.threshold, package_id = excluded.package_id,
                 credits = excluded.credits, cap_minor = excluded.cap_minor, failures = 0, off_because = NULL,
                 changed_at = excluded.changed_at, changed_by = excluded.changed_by";
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            new.rule.is_on,
            new.rule.threshold.micros(),
            new.package.0,
            new.credits.map(Credits::micros),
            new.rule.cap.minor,
            self.now().micros(),
            by.actor,
        ])?;
        // Whoever sets it while it is on turns it on anew: failures before that are looked after.
        if new.rule.is_on || before.is_some_and(|before| before.rule.is_on) {
            let outcome = if new.rule.is_on { "turned_on" } else { "turned_off" };
            self.write_top_up(org, outcome, None, &format!("By {}", by.actor))?;
        }
        let (before, after) = (before.map(|before| json!(before)), Some(json!(new)));
        self.note(org, by, Change { action: "top_up.set", target: org.to_string(), before, after })
    }

    fn run_top_up(&mut self, org: OrgId) -> Result<Option<PurchaseId>, StoreError> {
        self.settle_due(org)?;
        let Some(asked) = rule(self.conn, org)?.filter(|asked| asked.rule.is_on) else { return Ok(None) };
        let facts = self.facts(org, &asked)?;
        self.tell_failures(org, facts.failures)?;
        match decide(&asked.rule, &facts) {
            Decision::Rest => Ok(None),
            Decision::Buy => self.buy_top_up(org, &asked, &facts).map(Some),
            Decision::Without(why) => self.tell_why(org, why).map(|()| None),
            Decision::TurnOff => {
                let reason = format!("{MAX_FAILURES} payments in a row failed");
                let sql = "UPDATE top_up_rule SET is_on = 0, off_because = ?2 WHERE org_id = ?1";
                self.conn.prepare_cached(sql)?.execute(params![org.0, reason])?;
                self.write_top_up(org, "turned_off", None, &reason)?;
                self.tell(org, "top_up_off", &json!({"reason": reason})).map(|_| None)
            }
        }
    }

    fn facts(&mut self, org: OrgId, asked: &TopUp) -> Result<Facts, StoreError> {
        let known = self.org(org)?;
        let zone = known.zone;
        let now = self.now();
        let available = self.org(org)?.position.available(now)?;
        let month = ZoneCalendar(zone).month_of(now)?;
        let price = quote(self.conn, org, asked.package, asked.credits).and_then(|quote| Ok(quote.gross()?));
        let price = match price {
            Ok(price) => Some(price),
            Err(StoreError::NoSale(_) | StoreError::NotFound(_) | StoreError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let sql = "SELECT max(at) FROM top_up WHERE org_id = ?1 AND outcome = 'bought'";
        let last_at: Option<i64> = self.conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?;
        Ok(Facts {
            now,
            available,
            price,
            can_charge: method::default_method(self.conn, org)?.is_some(),
            spent_minor: spent(self.conn, org, month, asked.rule.cap.currency)?,
            under_way: under_way(self.conn, org)?,
            last_at: last_at.map(Timestamp::from_micros),
            failures: failures(self.conn, org)?,
        })
    }

    fn buy_top_up(&mut self, org: OrgId, asked: &TopUp, facts: &Facts) -> Result<PurchaseId, StoreError> {
        let by = By { actor: JOB.to_owned(), address: None };
        let new = NewPurchase { package: asked.package, credits: asked.credits, cause: Cause::TopUp };
        let (purchase, amount) = self.open_purchase(org, &by, &new)?;
        let method = method::default_method(self.conn, org)?.ok_or(StoreError::NotFound("payment method"))?;
        let payment = NewPayment {
            of: For::Purchase(purchase),
            provider: method.provider.as_str(),
            method: Some(method.id),
            amount,
        };
        self.open_payment(org, &payment)?;
        let reason = format!("{} available, below {}", facts.available, asked.rule.threshold);
        self.write_top_up(org, "bought", Some(purchase), &reason)?;
        Ok(purchase)
    }

    /// Says once a day, or when it becomes another, why nothing is bought.
    fn tell_why(&mut self, org: OrgId, why: Why) -> Result<(), StoreError> {
        let (outcome, reason) = match why {
            Why::Capped => ("capped", "Another purchase would cost more than the cap of the month"),
            Why::NoMethod => ("no_method", "No payment method is stored"),
            Why::NoPackage => ("no_package", "The package is not offered any more"),
        };
        let now = self.now().micros();
        let last = history(self.conn, org, 1)?.into_iter().next();
        if last.is_some_and(|last| last.outcome == outcome && now - last.at.micros() < AGAIN_US) {
            return Ok(());
        }
        self.write_top_up(org, outcome, None, reason)?;
        self.tell(org, "top_up_failed", &json!({"reason": reason})).map(drop)
    }

    /// Tells of failures that nobody was told of yet.
    fn tell_failures(&mut self, org: OrgId, failures: u32) -> Result<(), StoreError> {
        let sql = "UPDATE top_up_rule SET failures = ?2 WHERE org_id = ?1 AND failures <> ?2 RETURNING 1";
        let changed = self.conn.prepare_cached(sql)?.exists(params![org.0, failures])?;
        if !changed || failures == 0 {
            return Ok(());
        }
        let facts = json!({"reason": "The payment failed", "failures": failures, "off_after": MAX_FAILURES});
        self.tell(org, "top_up_failed", &facts).map(drop)
    }

    fn write_top_up(
        &mut self,
        org: OrgId,
        outcome: &str,
        purchase: Option<PurchaseId>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let available = self.org(org)?.position.available(now)?;
        let sql = "INSERT INTO top_up (org_id, top_up_id, at, available, outcome, purchase_id, reason)
             SELECT ?1, coalesce(max(top_up_id), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM top_up WHERE org_id = ?1";
        let values =
            params![org.0, now.micros(), available.micros(), outcome, purchase.map(|purchase| purchase.0), reason];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

fn rule(conn: &Connection, org: OrgId) -> Result<Option<TopUp>, StoreError> {
    let sql = "SELECT r.is_on, r.threshold, r.package_id, r.credits, r.cap_minor, p.currency, r.off_because IS NOT NULL
               FROM top_up_rule r JOIN package p ON p.org_id = r.org_id AND p.package_id = r.package_id WHERE r.org_id = ?1";
    let found = conn.prepare_cached(sql)?.query_row([org.0], |row| {
        let currency: String = row.get(5)?;
        let credits = row.get::<_, Option<i64>>(3)?.map(Credits::from_micros);
        Ok((row.get(0)?, row.get(1)?, PackageId(row.get(2)?), credits, row.get(4)?, currency, row.get(6)?))
    });
    let Some((is_on, threshold, package, credits, minor, currency, gave_up)) = found.optional()? else {
        return Ok(None);
    };
    let currency = Currency::parse(&currency).map_err(|_| unreadable("currency"))?;
    let rule = Rule { is_on, threshold: Credits::from_micros(threshold), cap: Money { minor, currency } };
    Ok(Some(TopUp { rule, package, credits, gave_up }))
}

fn history(conn: &Connection, org: OrgId, limit: u32) -> Result<Vec<TopUpRow>, StoreError> {
    let sql = "SELECT top_up_id, at, available, outcome, purchase_id, reason FROM top_up
               WHERE org_id = ?1 ORDER BY top_up_id DESC LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params![org.0, limit.min(MAX_ROWS)], |row| {
        Ok(TopUpRow {
            id: row.get(0)?,
            at: Timestamp::from_micros(row.get(1)?),
            available: Credits::from_micros(row.get(2)?),
            outcome: row.get(3)?,
            purchase: row.get::<_, Option<i64>>(4)?.map(PurchaseId),
            reason: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was bought this way in a month and is paid or under way.
fn spent(conn: &Connection, org: OrgId, month: Stretch, currency: Currency) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(sum(net_minor + tax_minor), 0) FROM purchase
               WHERE org_id = ?1 AND cause = 'top_up' AND made_at >= ?2 AND made_at < ?3 AND currency = ?4
                 AND (paid_at IS NOT NULL OR closed_at IS NULL)";
    let values = params![org.0, month.from.micros(), month.to.micros(), currency.as_str()];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

fn under_way(conn: &Connection, org: OrgId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM purchase WHERE org_id = ?1 AND cause = 'top_up' AND paid_at IS NULL AND closed_at IS NULL LIMIT 1";
    Ok(conn.prepare_cached(sql)?.exists([org.0])?)
}

/// Purchases that came to nothing since one was paid, or a person turned it on.
fn failures(conn: &Connection, org: OrgId) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM top_up t JOIN purchase p ON p.org_id = t.org_id AND p.purchase_id = t.purchase_id
         WHERE t.org_id = ?1 AND p.closed_at IS NOT NULL AND p.paid_at IS NULL AND t.top_up_id > coalesce(
             (SELECT max(s.top_up_id) FROM top_up s LEFT JOIN purchase q ON q.org_id = s.org_id AND q.purchase_id = s.purchase_id
              WHERE s.org_id = ?1 AND (s.outcome = 'turned_on' OR q.paid_at IS NOT NULL)), 0)";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?)
}

//! From items to an issued invoice.
//!
//! 1. **Draft**: an org's open items of a month that is over go onto the invoice of that month, one per currency.
//! 2. **Wait**: the draft's grace is for usage that comes late; it counts from the end of the month.
//! 3. **Issue**: the next number without a gap, the frozen document, what is due. In one transaction, so that a crash leaves either a
//!    draft or an invoice. From then on nothing of it changes but how it stands.
//!
//! The job may run days late: months are done in their order, each by itself.

use crate::calendar::{cycle, day_start, local, number_of};
use crate::error::StoreError;
use crate::outbox::decimal;
use crate::position::{self, At};
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::{seller, settings};
use chrono::NaiveDate;
use chrono_tz::Tz;
use ledger::invoice::{Document, Item, ItemKind, Party, State, UsageLine, days_after, figures, number};
use ledger::{BillingCycle, Credits, Currency, InvoiceId, MessageKind, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

const HOUR_US: i64 = 3_600_000_000;
/// How long a draft waits at least, however late the job is: what else was late (cycles that begin, payments) comes in meanwhile.
const LEAST_GRACE_US: i64 = HOUR_US;
/// For how many months before it an invoice tells usage that came late: beyond a year an invoice would be read for what it is not, and
/// the charts have it anyway.
const LATE_MONTHS: i64 = 12;

/// An invoice as far as its document is made from it.
pub(super) struct Row {
    pub(super) id: InvoiceId,
    pub(super) month: BillingCycle,
    pub(super) currency: Currency,
    pub(super) finalises_at: Timestamp,
}

/// Credits of a credit type in a month that no invoice has told yet.
pub(super) struct Untold {
    month: i64,
    meter: i64,
    title: String,
    credits: i64,
}

impl Tx<'_> {
    /// Puts open items of months that are over onto the invoices of those months; tells how many drafts that made.
    pub(super) fn draft_invoices(&mut self, org: OrgId, zone: Tz) -> Result<usize, StoreError> {
        let now = self.now();
        let grace = i64::from(seller::seller(self.conn)?.unwrap_or_default().grace_hours) * HOUR_US;
        let this_month = cycle(zone, now)?.number();
        let mut made = 0;
        for (happened_at, currency) in oldest_items(self.conn, org)? {
            // Where the invoice of its month is issued already, which only a clock that jumped can cause, the next one takes it.
            let mut month = cycle(zone, happened_at)?.number();
            while month < this_month && is_issued(self.conn, org, month, currency)? {
                month += 1;
            }
            if month >= this_month {
                continue;
            }
            let (_, end) = bounds(zone, month)?;
            let finalises_at = Timestamp::from_micros((end.micros() + grace).max(now.micros() + LEAST_GRACE_US));
            let sql = "INSERT INTO invoice (org_id, invoice_id, month, currency, state, drafted_at, finalises_at)
                 SELECT ?1, coalesce(max(invoice_id), 0) + 1, ?2, ?3, 'draft', ?4, ?5 FROM invoice WHERE org_id = ?1
                 ON CONFLICT (org_id, month, currency) DO NOTHING";
            let values = params![org.0, month, currency.as_str(), now.micros(), finalises_at.micros()];
            made += self.conn.prepare_cached(sql)?.execute(values)?;
            let take = "UPDATE invoice_item SET invoice_id =
                    (SELECT invoice_id FROM invoice WHERE org_id = ?1 AND month = ?2 AND currency = ?3)
                 WHERE org_id = ?1 AND invoice_id IS NULL AND currency = ?3 AND happened_at < ?4";
            self.conn.prepare_cached(take)?.execute(params![org.0, month, currency.as_str(), end.micros()])?;
        }
        Ok(made)
    }

    /// Issues the drafts that have waited long enough, oldest month first; tells how many.
    pub(super) fn issue_invoices(&mut self, org: OrgId, zone: Tz) -> Result<usize, StoreError> {
        let now = self.now();
        let drafts = rows(self.conn, org, "state = 'draft' ORDER BY month, invoice_id")?;
        let mut issued = 0;
        for draft in drafts {
            // Numbers follow the months: a later one waits for an earlier one.
            if draft.finalises_at > now {
                break;
            }
            self.issue(org, zone, &draft)?;
            issued += 1;
        }
        Ok(issued)
    }

    fn issue(&mut self, org: OrgId, zone: Tz, draft: &Row) -> Result<(), StoreError> {
        let now = self.now();
        let ordinal: i64 = self
            .conn
            .prepare_cached("SELECT coalesce(max(ordinal), 0) + 1 FROM invoice WHERE org_id = ?1")?
            .query_row([org.0], |row| row.get(0))?;
        let untold = untold(self.conn, org, draft.month.number())?;
        let document = document(self.conn, (org, zone), draft, &untold, (Some(ordinal), now))?;
        let due_days = i64::from(seller::seller(self.conn)?.unwrap_or_default().due_days);
        let (due_at, totals) = (days_after(now, due_days), document.totals);
        let (state, paid_at) = if totals.due == 0 { (State::Paid, Some(now)) } else { (State::Open, None) };
        let sql =
            "UPDATE invoice SET state = ?3, ordinal = ?4, issued_at = ?5, due_at = ?6, net_minor = ?7, tax_minor = ?8,
                due_minor = ?9, document = ?10, next_try_at = ?5, paid_at = ?11
             WHERE org_id = ?1 AND invoice_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            draft.id.0,
            state.as_str(),
            ordinal,
            now.micros(),
            due_at.micros(),
            totals.net,
            totals.tax,
            totals.due,
            serde_json::to_string(&document)?,
            paid_at.map(Timestamp::micros),
        ])?;
        write_told(self.conn, org, draft.id, &untold)?;
        let facts = facts(org, draft.id, &document);
        self.tell(org, "invoice_issued", &facts)?;
        let mut data = said(draft.id, &document);
        data["due"] = json!(decimal(document.money(totals.due)));
        data["due_at"] = json!(due_at.to_string());
        self.tell_all(org, MessageKind::InvoiceCreated, &data)?;
        if state == State::Paid {
            self.tell_all(org, MessageKind::InvoicePaid, &said(draft.id, &document))?;
        }
        Ok(())
    }
}

/// What messages say of an invoice.
pub(super) fn said(id: InvoiceId, document: &Document) -> serde_json::Value {
    let total = document.money(document.totals.gross);
    json!({"invoice": id.to_string(), "number": document.number, "total": decimal(total), "currency": document.currency.as_str(),
        "url": format!("/billing/invoices/{id}")})
}

/// What mails about an invoice are made of.
pub(super) fn facts(org: OrgId, id: InvoiceId, document: &Document) -> serde_json::Value {
    json!({
        "invoice": id,
        "number": document.number,
        "org": org,
        "month": document.month,
        "total": document.money(document.totals.gross).to_string(),
        "due": document.money(document.totals.due).to_string(),
        "due_minor": document.totals.due,
        "due_on": document.due,
        "path": format!("/billing/invoices/{id}"),
    })
}

/// The oldest open item of each currency.
fn oldest_items(conn: &Connection, org: OrgId) -> Result<Vec<(Timestamp, Currency)>, StoreError> {
    let sql = "SELECT DISTINCT happened_at, currency FROM invoice_item WHERE org_id = ?1 AND invoice_id IS NULL
        ORDER BY happened_at";
    let mut select = conn.prepare_cached(sql)?;
    let found = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(i64, String)> = found.collect::<Result<_, _>>()?;
    found.into_iter().map(|(at, code)| Ok((Timestamp::from_micros(at), Currency::parse(&code)?))).collect()
}

fn is_issued(conn: &Connection, org: OrgId, month: i64, currency: Currency) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM invoice WHERE org_id = ?1 AND month = ?2 AND currency = ?3 AND ordinal IS NOT NULL";
    Ok(conn.prepare_cached(sql)?.exists(params![org.0, month, currency.as_str()])?)
}

/// Invoices of an org of which `which` is true.
pub(super) fn rows(conn: &Connection, org: OrgId, which: &'static str) -> Result<Vec<Row>, StoreError> {
    let sql = format!("SELECT invoice_id, month, currency, finalises_at FROM invoice WHERE org_id = ?1 AND {which}");
    let mut select = conn.prepare_cached(&sql)?;
    let found = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let found: Vec<(i64, i64, String, i64)> = found.collect::<Result<_, _>>()?;
    let row = |(id, month, currency, finalises_at): (i64, i64, String, i64)| {
        Ok(Row {
            id: InvoiceId(id),
            month: BillingCycle::from_number(month).ok_or_else(|| unreadable("month"))?,
            currency: Currency::parse(&currency)?,
            finalises_at: Timestamp::from_micros(finalises_at),
        })
    };
    found.into_iter().map(row).collect()
}

/// The first instant of a month, and of the next.
pub(super) fn bounds(zone: Tz, month: i64) -> Result<(Timestamp, Timestamp), StoreError> {
    let start = |number| -> Result<Timestamp, StoreError> { day_start(zone, first_day(number)?) };
    Ok((start(month)?, start(month + 1)?))
}

fn first_day(month: i64) -> Result<NaiveDate, StoreError> {
    let cycle = BillingCycle::from_number(month).ok_or_else(|| unreadable("month"))?;
    NaiveDate::from_ymd_opt(cycle.year, cycle.month, 1).ok_or_else(|| unreadable("month"))
}

fn day(zone: Tz, at: i64) -> Result<NaiveDate, StoreError> {
    Ok(local(zone, Timestamp::from_micros(at))?.date_naive())
}

/// All that an invoice says: as it was issued, or as it would be now.
pub(super) fn document(
    conn: &Connection,
    (org, zone): (OrgId, Tz),
    row: &Row,
    untold: &[Untold],
    (ordinal, issued_at): (Option<i64>, Timestamp),
) -> Result<Document, StoreError> {
    let seller = seller::seller(conn)?.unwrap_or_default();
    let tax = seller::tax(conn, org)?;
    let items = items(conn, org, zone, row.id)?;
    let made = figures(&items, &tax, row.currency, credit(conn, org, row.currency)?)?;
    let (_, end) = bounds(zone, row.month.number())?;
    let at = At { as_of: Some(end), as_known_at: None };
    let debt = position::read(conn, org, at, issued_at.max(end))?.position.balance(end)?.debt;
    Ok(Document {
        number: ordinal.map(|ordinal| number(org, ordinal)),
        month: row.month,
        zone: zone.name().to_owned(),
        issued: day(zone, issued_at.micros())?,
        due: day(zone, days_after(issued_at, i64::from(seller.due_days)).micros())?,
        seller: seller.party,
        bank: seller.bank,
        buyer: buyer(conn, org)?,
        currency: row.currency,
        lines: made.lines,
        taxes: made.taxes,
        totals: made.totals,
        words: settings::words(conn, org)?,
        usage: told(untold)?,
        debt,
    })
}

/// Whoever the org's invoices are made out to: the org by its name, where nobody said more.
fn buyer(conn: &Connection, org: OrgId) -> Result<Party, StoreError> {
    if let Some(details) = seller::details(conn, org)? {
        return Ok(details.party);
    }
    let name = conn.prepare_cached("SELECT name FROM org WHERE org_id = ?1")?.query_row([org.0], |row| row.get(0))?;
    Ok(Party { name, ..Party::default() })
}

/// Credit that the invoice issued last has left.
pub(super) fn credit(conn: &Connection, org: OrgId, currency: Currency) -> Result<i64, StoreError> {
    let sql = "SELECT document FROM invoice WHERE org_id = ?1 AND currency = ?2 AND ordinal IS NOT NULL
        ORDER BY ordinal DESC LIMIT 1";
    let last: Option<String> =
        conn.prepare_cached(sql)?.query_row(params![org.0, currency.as_str()], |row| row.get(0)).optional()?;
    let last: Option<Document> = last.as_deref().map(serde_json::from_str).transpose()?;
    Ok(last.map_or(0, |document| document.totals.credit_after))
}

/// What is on an invoice.
fn items(conn: &Connection, org: OrgId, zone: Tz, id: InvoiceId) -> Result<Vec<Item>, StoreError> {
    items_where(conn, org, zone, "invoice_id = ?2", id.0)
}

/// What is not on any invoice yet, of a currency.
pub(super) fn open_items(conn: &Connection, org: OrgId, zone: Tz, currency: Currency) -> Result<Vec<Item>, StoreError> {
    items_where(conn, org, zone, "invoice_id IS NULL AND currency = ?2", currency.as_str())
}

fn items_where(
    conn: &Connection,
    org: OrgId,
    zone: Tz,
    which: &'static str,
    value: impl rusqlite::ToSql,
) -> Result<Vec<Item>, StoreError> {
    let sql = format!(
        "SELECT kind, description, happened_at, from_at, to_at, net_minor, tax_minor, tax_name FROM invoice_item
         WHERE org_id = ?1 AND {which} ORDER BY happened_at, item_id"
    );
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query(params![org.0, value])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, from, to): (String, Option<i64>, Option<i64>) = (row.get(0)?, row.get(3)?, row.get(4)?);
        let (tax, name): (Option<i64>, Option<String>) = (row.get(6)?, row.get(7)?);
        let period = from.zip(to).map(|(from, to)| Ok::<_, StoreError>((day(zone, from)?, day(zone, to)?)));
        items.push(Item {
            kind: ItemKind::parse(&kind).ok_or_else(|| unreadable("kind of an item"))?,
            description: row.get(1)?,
            on: day(zone, row.get(2)?)?,
            period: period.transpose()?,
            net: row.get(5)?,
            settled: tax.zip(name),
        });
    }
    Ok(items)
}

/// Usage of a month that no invoice has told, and of earlier months what has come since their invoices told theirs.
pub(super) fn untold(conn: &Connection, org: OrgId, month: i64) -> Result<Vec<Untold>, StoreError> {
    let sql =
        "SELECT DISTINCT month FROM invoice WHERE org_id = ?1 AND month >= ?2 AND month < ?3 AND ordinal IS NOT NULL
        ORDER BY month";
    let mut select = conn.prepare_cached(sql)?;
    let told = select.query_map(params![org.0, month - LATE_MONTHS, month], |row| row.get(0))?;
    let mut months: Vec<i64> = told.collect::<Result<_, _>>()?;
    months.push(month);
    let mut untold = Vec::new();
    for month in months {
        let (from, to) = (number_of(first_day(month)?), number_of(first_day(month + 1)?));
        let sql = "SELECT m.meter_id, m.title, sum(u.credits) AS credits
             FROM (SELECT meter_id, credits FROM usage_day WHERE org_id = ?1 AND bucket >= ?2 AND bucket < ?3
                 UNION ALL SELECT meter_id, -credits FROM invoice_usage WHERE org_id = ?1 AND month = ?4) u
             JOIN meter m ON m.org_id = ?1 AND m.meter_id = u.meter_id
             GROUP BY m.meter_id HAVING sum(u.credits) <> 0 ORDER BY credits DESC, m.meter_id";
        let mut select = conn.prepare_cached(sql)?;
        let mut rows = select.query(params![org.0, from, to, month])?;
        while let Some(row) = rows.next()? {
            untold.push(Untold { month, meter: row.get(0)?, title: row.get(1)?, credits: row.get(2)? });
        }
    }
    Ok(untold)
}

fn told(untold: &[Untold]) -> Result<Vec<UsageLine>, StoreError> {
    let line = |of: &Untold| {
        let month = BillingCycle::from_number(of.month).ok_or_else(|| unreadable("month"))?;
        Ok(UsageLine { title: of.title.clone(), month, credits: Credits::from_micros(of.credits) })
    };
    untold.iter().map(line).collect()
}

fn write_told(conn: &Connection, org: OrgId, id: InvoiceId, untold: &[Untold]) -> Result<(), StoreError> {
    let sql = "INSERT INTO invoice_usage (org_id, month, meter_id, invoice_id, credits) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = conn.prepare_cached(sql)?;
    for Untold { month, meter, credits, .. } in untold {
        insert.execute(params![org.0, month, meter, id.0, credits])?;
    }
    Ok(())
}

//! Reconciliation: what providers, payments, purchases, grants, invoices and the ledger say of the same money, side by side.
//!
//! Each check reads rows and nothing else; what differs is listed for an operator and never mended here, since which side is right is for
//! somebody to find out. [`crate::verify`] checks the ledger in itself; this checks the ledger against the money.
//!
//! Cost: a pass over what was bought, paid and invoiced. Bounds: [`MAX_PER_CHECK`] findings of a kind.

use crate::Store;
use crate::error::{OpenError, StoreError};
use crate::invoice::paid;
use crate::open;
use ledger::OrgId;
use ledger::invoice::Document;
use rusqlite::Connection;
use std::path::Path;

/// Findings of one kind that are listed: where there are more, the first ones say enough.
pub const MAX_PER_CHECK: usize = 200;

/// Two sides that do not say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// A stable code.
    pub code: &'static str,
    /// Whose; none where no org is known.
    pub org: Option<OrgId>,
    /// What it is about: `payment_3 of purchase_2`.
    pub about: String,
    /// What differs, and what to do.
    pub says: &'static str,
}

/// What was compared, and what differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Purchases, payments, refunds, items, invoices.
    pub compared: [i64; 5],
    /// By check, then by org.
    pub differences: Vec<Difference>,
}

/// A comparison: its code, what a finding means, and the statement that finds org and subject.
struct Check {
    code: &'static str,
    says: &'static str,
    sql: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        code: "paid_without_credits",
        says: "The payment succeeded, and its purchase gave no credits. Look at the provider, then give them or refund it.",
        sql: "SELECT p.org_id, 'payment_' || p.payment_id || ' of purchase_' || p.purchase_id FROM payment p
            JOIN purchase u ON u.org_id = p.org_id AND u.purchase_id = p.purchase_id
            WHERE p.state = 'succeeded' AND u.grant_id IS NULL AND p.refunded_minor < p.amount_minor AND p.dispute <> 'lost'",
    },
    Check {
        code: "credits_without_payment",
        says: "The purchase gave credits, and no payment for it succeeded. Look at the provider, then take them back or note the payment.",
        sql: "SELECT u.org_id, 'purchase_' || u.purchase_id FROM purchase u WHERE u.grant_id IS NOT NULL
            AND u.net_minor + u.tax_minor > 0 AND NOT EXISTS (SELECT 1 FROM payment p
                WHERE p.org_id = u.org_id AND p.purchase_id = u.purchase_id AND p.state = 'succeeded')",
    },
    Check {
        code: "payment_amount_differs",
        says: "The payment is of another amount or currency than the purchase.",
        sql: "SELECT p.org_id, 'payment_' || p.payment_id || ' of purchase_' || p.purchase_id FROM payment p
            JOIN purchase u ON u.org_id = p.org_id AND u.purchase_id = p.purchase_id
            WHERE p.state = 'succeeded' AND (p.amount_minor <> u.net_minor + u.tax_minor OR p.currency <> u.currency)",
    },
    Check {
        code: "paid_twice",
        says: "More was paid for it than it costs, and not given back. Refund what is too much.",
        sql: "SELECT u.org_id, 'purchase_' || u.purchase_id FROM purchase u JOIN payment p
            ON p.org_id = u.org_id AND p.purchase_id = u.purchase_id AND p.state = 'succeeded' AND p.refunded_minor < p.amount_minor
                AND p.dispute <> 'lost'
            GROUP BY u.org_id, u.purchase_id HAVING count(*) > 1
            UNION ALL SELECT i.org_id, 'invoice_' || i.invoice_id FROM invoice i JOIN payment p
            ON p.org_id = i.org_id AND p.invoice_id = i.invoice_id AND p.state = 'succeeded'
            GROUP BY i.org_id, i.invoice_id HAVING sum(p.amount_minor - p.refunded_minor) > i.due_minor",
    },
    Check {
        code: "grant_differs",
        says: "The grant that the purchase gave is not there, or is of other credits, cost or kind.",
        sql: "SELECT u.org_id, 'grant_' || u.grant_id || ' of purchase_' || u.purchase_id FROM purchase u
            LEFT JOIN credit_grant g ON g.org_id = u.org_id AND g.grant_id = u.grant_id
            WHERE u.grant_id IS NOT NULL AND (g.grant_id IS NULL OR g.kind <> 'purchase' OR g.amount <> u.credits
                OR g.cost_minor IS NOT u.net_minor OR g.cost_currency IS NOT u.currency)",
    },
    Check {
        code: "grant_of_two",
        says: "One grant stands for two purchases or cycles: one of them gave nothing.",
        sql: "SELECT org_id, 'grant_' || grant_id FROM (
                SELECT org_id, grant_id FROM purchase WHERE grant_id IS NOT NULL
                UNION ALL SELECT org_id, grant_id FROM billing_cycle WHERE grant_id IS NOT NULL)
            GROUP BY org_id, grant_id HAVING count(*) > 1",
    },
    Check {
        code: "grant_not_booked",
        says: "The ledger has no posting that gives these credits: run scrip verify.",
        sql: "SELECT g.org_id, 'grant_' || g.grant_id FROM (
                SELECT org_id, grant_id, credits FROM purchase WHERE grant_id IS NOT NULL
                UNION ALL SELECT c.org_id, c.grant_id, (SELECT amount FROM credit_grant x
                    WHERE x.org_id = c.org_id AND x.grant_id = c.grant_id) FROM billing_cycle c WHERE c.grant_id IS NOT NULL) g
            WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.org_id = g.org_id AND p.account = 'grant'
                AND p.number = g.grant_id AND p.amount = g.credits)",
    },
    Check {
        code: "cycle_grant_differs",
        says: "The grant of the cycle is not there, or is not a plan\u{2019}s.",
        sql: "SELECT c.org_id, 'grant_' || c.grant_id || ' of cycle_' || c.cycle_id FROM billing_cycle c
            LEFT JOIN credit_grant g ON g.org_id = c.org_id AND g.grant_id = c.grant_id
            WHERE c.grant_id IS NOT NULL AND g.kind IS NOT 'plan'",
    },
    Check {
        code: "purchase_not_invoiced",
        says: "What was bought and paid is to be invoiced once, with its net and tax, and is not.",
        sql: "SELECT u.org_id, 'purchase_' || u.purchase_id FROM purchase u LEFT JOIN invoice_item t
            ON t.org_id = u.org_id AND t.purchase_id = u.purchase_id AND t.kind = 'purchase'
                AND t.net_minor = u.net_minor AND t.tax_minor IS u.tax_minor AND t.currency = u.currency
            WHERE u.paid_at IS NOT NULL GROUP BY u.org_id, u.purchase_id HAVING count(t.item_id) <> 1",
    },
    Check {
        code: "invoiced_not_bought",
        says: "It is to be invoiced as bought, and its purchase is not paid.",
        sql: "SELECT t.org_id, 'item_' || t.item_id FROM invoice_item t
            LEFT JOIN purchase u ON u.org_id = t.org_id AND u.purchase_id = t.purchase_id
            WHERE t.kind = 'purchase' AND u.paid_at IS NULL",
    },
    Check {
        code: "refunded_differs",
        says: "The payment says that another amount was given back than its refunds do.",
        sql: "SELECT p.org_id, 'payment_' || p.payment_id FROM payment p LEFT JOIN refund r
            ON r.org_id = p.org_id AND r.payment_id = p.payment_id AND r.state = 'succeeded'
            GROUP BY p.org_id, p.payment_id HAVING coalesce(sum(r.amount_minor), 0) <> p.refunded_minor",
    },
    Check {
        code: "dispute_not_followed",
        says: "The payer\u{2019}s bank took money back, and the payment does not say so. Look at the provider.",
        sql: "SELECT p.org_id, 'payment_' || p.payment_id FROM payment p
            WHERE p.state = 'succeeded' AND p.dispute = 'lost' AND p.refunded_minor < max(1, p.disputed_minor)",
    },
    Check {
        code: "refund_not_booked",
        says: "The refund took credits, and the ledger has no entry of that.",
        sql: "SELECT r.org_id, 'refund_' || r.refund_id FROM refund r
            LEFT JOIN entry e ON e.org_id = r.org_id AND e.seq = r.entry_seq
            WHERE r.credits > 0 AND r.state <> 'failed' AND e.seq IS NULL",
    },
    Check {
        code: "refund_not_invoiced",
        says: "What was given back of a purchase is to be on an invoice as a credit note of its amount, and is not.",
        sql: "SELECT r.org_id, 'refund_' || r.refund_id FROM refund r WHERE r.state = 'succeeded' AND r.credits > 0
            AND r.amount_minor <> -coalesce((SELECT sum(t.net_minor + t.tax_minor) FROM invoice_item t
                WHERE t.org_id = r.org_id AND t.refund_id = r.refund_id AND t.kind = 'credit_note'), 0)",
    },
    Check {
        code: "invoice_number_missing",
        says: "The numbers of its invoices have a gap.",
        sql: "SELECT org_id, count(ordinal) || ' invoices, the last number is ' || max(ordinal) FROM invoice
            WHERE ordinal IS NOT NULL GROUP BY org_id HAVING count(ordinal) <> max(ordinal)",
    },
    Check {
        code: "invoice_sum_differs",
        says: "The invoice says another sum than what is on it.",
        sql: "SELECT i.org_id, 'invoice_' || i.invoice_id FROM invoice i LEFT JOIN invoice_item t
            ON t.org_id = i.org_id AND t.invoice_id = i.invoice_id
            WHERE i.ordinal IS NOT NULL GROUP BY i.org_id, i.invoice_id HAVING coalesce(sum(t.net_minor), 0) <> i.net_minor
                OR sum(t.currency <> i.currency) > 0",
    },
    Check {
        code: "item_nowhere",
        says: "It says that it is on an invoice, and there is no such invoice.",
        sql: "SELECT t.org_id, 'item_' || t.item_id FROM invoice_item t
            LEFT JOIN invoice i ON i.org_id = t.org_id AND i.invoice_id = t.invoice_id
            WHERE t.invoice_id IS NOT NULL AND i.invoice_id IS NULL",
    },
    Check {
        code: "invoice_not_paid",
        says: "The invoice counts as paid, and its payments come to less.",
        sql: concat!(
            "SELECT i.org_id, 'invoice_' || i.invoice_id FROM invoice i WHERE i.state = 'paid' AND i.due_minor > ",
            paid!()
        ),
    },
    Check {
        code: "payment_unknown_to_provider",
        says: "The payment succeeded, and there is no reference of its provider: nobody there can be asked about it.",
        sql: "SELECT p.org_id, 'payment_' || p.payment_id FROM payment p WHERE p.state = 'succeeded' AND p.provider <> 'bank_transfer'
            AND NOT EXISTS (SELECT 1 FROM payment_reference f WHERE f.org_id = p.org_id AND f.payment_id = p.payment_id)",
    },
    Check {
        code: "message_not_taken",
        says: "The provider told of a payment that is not known here, or of other money than was asked for. Look for it there.",
        sql: "SELECT (SELECT f.org_id FROM payment_reference f WHERE f.provider = m.provider AND f.reference = m.reference),
            m.provider || ' ' || m.kind || ' ' || m.message_id || ': ' || m.reference
            FROM provider_message m WHERE m.outcome IN ('unknown_payment', 'mismatch')",
    },
];

impl Store {
    /// Compares everything, of every org.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reconcile(&self) -> Result<Reconciled, StoreError> {
        self.read(reconcile).await
    }
}

/// The same of a data folder, with or without a server.
///
/// # Errors
/// Where there is no database that can be read.
pub fn folder(dir: &Path) -> Result<Reconciled, OpenError> {
    let path = open::existing(dir)?;
    let conn = open::open_current(&path)?;
    let failed = |error: StoreError| match error {
        StoreError::Database(error) => open::open_error(&path, &error),
        other => OpenError::Io { path: path.clone(), reason: other.to_string() },
    };
    // One snapshot, also while a server writes.
    conn.execute_batch("BEGIN").map_err(|error| failed(error.into()))?;
    reconcile(&conn).map_err(failed)
}

/// Compares everything on one snapshot.
pub(crate) fn reconcile(conn: &Connection) -> Result<Reconciled, StoreError> {
    let tables = ["purchase", "payment", "refund", "invoice_item", "invoice"];
    let mut found = Reconciled::default();
    for (place, table) in tables.into_iter().enumerate() {
        found.compared[place] = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    }
    for Check { code, says, sql } in CHECKS {
        let mut select = conn.prepare(&format!("{sql} LIMIT {MAX_PER_CHECK}"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (org, about): (Option<i64>, String) = (row.get(0)?, row.get(1)?);
            found.differences.push(Difference { code, org: org.map(OrgId), about, says });
        }
    }
    documents(conn, &mut found.differences)?;
    // An org that is half gone is not whole any more.
    let mut going = conn.prepare("SELECT 1 FROM org_ending WHERE org_id = ?1 AND begun_at IS NOT NULL")?;
    let mut kept = Vec::with_capacity(found.differences.len());
    for difference in found.differences.drain(..) {
        if difference.org.map_or(Ok(false), |org| going.exists([org.0]))? {
            continue;
        }
        kept.push(difference);
    }
    found.differences = kept;
    Ok(found)
}

/// What issued invoices say is what their rows say: in sum, line by line, and what is to be paid.
fn documents(conn: &Connection, found: &mut Vec<Difference>) -> Result<(), StoreError> {
    let says = "What the invoice says does not add up to what its row says.";
    let sql =
        "SELECT org_id, invoice_id, document, net_minor, tax_minor, due_minor FROM invoice WHERE ordinal IS NOT NULL";
    let mut select = conn.prepare(sql)?;
    let mut rows = select.query([])?;
    let mut listed = 0;
    while let Some(row) = rows.next()? {
        let (org, id, text): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (net, tax, due): (i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let document: Option<Document> = serde_json::from_str(&text).ok();
        let adds_up = document.is_some_and(|document| {
            let sum =
                |of: fn(&ledger::invoice::Line) -> i64| document.lines.iter().map(of).map(i128::from).sum::<i128>();
            let totals = document.totals;
            (totals.net, totals.tax, totals.due) == (net, tax, due)
                && (sum(|line| line.net), sum(|line| line.tax)) == (net.into(), tax.into())
        });
        if !adds_up && listed < MAX_PER_CHECK {
            listed += 1;
            let about = format!("invoice_{id}");
            found.push(Difference { code: "document_differs", org: Some(OrgId(org)), about, says });
        }
    }
    Ok(())
}

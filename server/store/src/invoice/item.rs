//! What is to be invoiced: written in the transaction of what it tells, taken by the invoice of the month it happened in.

use crate::error::StoreError;
use crate::tx::Tx;
use ledger::{CycleId, ItemId, Money, OrgId, PurchaseId, RefundId, Timestamp};
use rusqlite::params;

/// What an item is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// A part of a plan's cycle.
    Plan { cycle: CycleId, from: Timestamp, to: Timestamp },
    /// Credits that were bought and paid for.
    Purchase(PurchaseId),
    /// What was given back of a purchase.
    CreditNote(RefundId),
    /// What an operator put right.
    Adjustment,
}

/// Something to be invoiced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewItem {
    /// What it is for.
    pub(crate) of: Of,
    /// What people read.
    pub(crate) description: String,
    /// Net; below zero for what is given back.
    pub(crate) net: Money,
    /// Its tax and what that is called, where it was settled before, with a payment.
    pub(crate) tax: Option<(i64, String)>,
}

impl Tx<'_> {
    /// Puts down something to be invoiced, as of now.
    pub(crate) fn add_item(&mut self, org: OrgId, item: &NewItem) -> Result<ItemId, StoreError> {
        self.add_item_at(org, item, self.now())
    }

    /// Puts down something to be invoiced, as of when it happened.
    pub(crate) fn add_item_at(&mut self, org: OrgId, item: &NewItem, at: Timestamp) -> Result<ItemId, StoreError> {
        let (kind, period, cycle, purchase, refund) = match &item.of {
            Of::Plan { cycle, from, to } => ("plan", Some((from.micros(), to.micros())), Some(cycle.0), None, None),
            Of::Purchase(purchase) => ("purchase", None, None, Some(purchase.0), None),
            Of::CreditNote(refund) => ("credit_note", None, None, None, Some(refund.0)),
            Of::Adjustment => ("adjustment", None, None, None, None),
        };
        let sql =
            "INSERT INTO invoice_item (org_id, item_id, kind, description, net_minor, tax_minor, tax_name, currency,
                                             happened_at, from_at, to_at, cycle_id, purchase_id, refund_id)
             SELECT ?1, coalesce(max(item_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
             FROM invoice_item WHERE org_id = ?1 RETURNING item_id";
        let id = self.conn.prepare_cached(sql)?.query_row(
            params![
                org.0,
                kind,
                item.description,
                item.net.minor,
                item.tax.as_ref().map(|(minor, _)| minor),
                item.tax.as_ref().map(|(_, name)| name),
                item.net.currency.as_str(),
                at.micros(),
                period.map(|(from, _)| from),
                period.map(|(_, to)| to),
                cycle,
                purchase,
                refund,
            ],
            |row| row.get(0),
        )?;
        Ok(ItemId(id))
    }
}

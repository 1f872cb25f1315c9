//! Invoices. What is to be invoiced is put down as it happens ([`item`]); the job drafts the month that is over, waits for late usage,
//! issues ([`make`]) and sees to it that it is paid ([`dun`]), as people do too ([`pay`]); pages and API read ([`read`]).
//!
//! Whether an invoice is paid follows from the rows of its payments alone; the state in its own row is what was last made of them.

pub(crate) mod item;

mod dun;
mod make;
mod pay;
mod read;

/// What payments of invoice `i` brought, less what went back: the one place that says when an invoice is paid.
macro_rules! paid {
    () => {
        "coalesce((SELECT sum(p.amount_minor - p.refunded_minor) FROM payment p
            WHERE p.org_id = i.org_id AND p.invoice_id = i.invoice_id AND p.state = 'succeeded'), 0)"
    };
}
pub(crate) use paid;

pub use pay::OpenInvoice;
pub(crate) use read::expected;
pub use read::{Invoice, InvoicePage, InvoiceRow, OpenItems};

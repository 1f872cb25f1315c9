//! Invoices. What is to be invoiced is put down as it happens ([`item`]); the job drafts the month that is over, waits for late usage,
//! issues ([`make`]) and sees to it that it is paid ([`dun`]); pages and API read ([`read`]).
//!
//! Whether an invoice is paid follows from the rows of its payments alone; the state in its own row is what was last made of them.

pub(crate) mod item;

mod dun;
mod make;
mod read;

pub use read::{Invoice, InvoicePage, InvoiceRow, OpenItems};

//! `scrip reconcile`

use super::{Failure, one_line};
use crate::config::{Config, Flags};
use clap::Args;
use store::Reconciled;

/// Exit status where nothing can be said, to tell that from a difference.
const NOT_COMPARED: u8 = 2;

/// Compare payments with purchases, grants, invoices and the ledger
///
/// Reads everything and changes nothing, also while a server writes. Prints each difference with what it means; nothing is mended.
/// Exit status: 0 everything says the same, 1 something differs, 2 it could not be compared.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip reconcile --data /var/lib/scrip")]
pub struct Reconcile {}

impl Reconcile {
    pub(super) fn run(&self, flags: &Flags) -> Result<(), Failure> {
        let compared = || Ok(store::reconcile::folder(&Config::load(flags)?.data)?);
        let found: Reconciled = compared().map_err(|failure: Failure| failure.with_status(NOT_COMPARED))?;
        for difference in &found.differences {
            let org = difference.org.map_or_else(|| "no organization".to_owned(), |org| org.to_string());
            println!("{}: {org}: {}: {}", difference.code, one_line(&difference.about), difference.says);
        }
        let [purchases, payments, refunds, items, invoices] = found.compared;
        println!(
            "compared: {purchases} purchases, {payments} payments, {refunds} refunds, {items} items, {invoices} invoices"
        );
        match found.differences.len() {
            0 => Ok(()),
            1 => Err(Failure::new("1 difference: look at both sides and put the wrong one right")),
            many => Err(Failure::new(format!("{many} differences: look at both sides and put the wrong one right"))),
        }
    }
}

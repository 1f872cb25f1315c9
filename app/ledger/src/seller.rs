//! Who sells and who buys, as invoices say it.

use crate::invoice::Party;
use crate::label::{MAX_LABEL_BYTES, check_text};
use crate::refusal::Refusal;
use crate::settings::is_email;
use crate::tax::Tax;

/// Longest address or account in bytes: some lines.
pub const MAX_LINES_BYTES: usize = 1_000;
/// Most lines of an address or an account: they stand beside each other at the head of an invoice.
pub const MAX_LINES: usize = 8;
/// Longest number of a taxpayer in bytes, and longest name of a tax.
pub const MAX_SHORT_BYTES: usize = 64;
/// 100 % in millionths: no tax is above it.
pub const MAX_TAX_MILLIONTHS: u32 = 1_000_000;
/// Longest wait for late usage: invoices are expected within the first days of a month.
pub const MAX_GRACE_HOURS: u32 = 240;
/// Longest time to pay.
pub const MAX_DUE_DAYS: u32 = 365;

/// Who sells: of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seller {
    /// Name, address, number of the taxpayer.
    pub party: Party,
    /// Where to transfer money to, in lines.
    pub bank: String,
    /// On what is sold.
    pub tax: Tax,
    /// How many hours a draft waits for late usage after its month is over.
    pub grace_hours: u32,
    /// Within how many days an invoice is to be paid.
    pub due_days: u32,
}

impl Default for Seller {
    /// Nobody yet: what it is in force until an operator says more.
    fn default() -> Self {
        Self { party: Party::default(), bank: String::new(), tax: Tax::default(), grace_hours: 24, due_days: 14 }
    }
}

/// Who buys: of an org.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BillingDetails {
    /// Name, address, number of the taxpayer.
    pub party: Party,
    /// Where mails about money go; `None`: to those who manage billing.
    pub email: Option<String>,
    /// Its own tax where it is another than the seller's: none at all where its name is empty.
    pub tax: Option<Tax>,
}

impl Seller {
    /// Checks what invoices will say.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the field.
    pub fn check(&self) -> Result<(), Refusal> {
        check_party(&self.party)?;
        check_lines("bank", &self.bank)?;
        check_tax(&self.tax)?;
        at_most("grace_hours", self.grace_hours, MAX_GRACE_HOURS)?;
        at_most("due_days", self.due_days, MAX_DUE_DAYS)
    }
}

impl BillingDetails {
    /// Checks what invoices will say.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the field.
    pub fn check(&self) -> Result<(), Refusal> {
        check_party(&self.party)?;
        self.tax.as_ref().map_or(Ok(()), check_tax)?;
        match &self.email {
            Some(email) if !is_email(email) || email.len() > MAX_LABEL_BYTES => {
                let problem = "is no email address; leave it empty for those who manage billing".to_owned();
                Err(Refusal::BadLabel { field: "email", problem })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn check_party(party: &Party) -> Result<(), Refusal> {
    check_text("name", &party.name, MAX_LABEL_BYTES)?;
    check_lines("address", &party.address)?;
    if party.tax_number.is_empty() {
        return Ok(());
    }
    check_text("tax_number", &party.tax_number, MAX_SHORT_BYTES)
}

/// Lines that are seen, or none.
fn check_lines(field: &'static str, text: &str) -> Result<(), Refusal> {
    let too_long = text.len() > MAX_LINES_BYTES || text.lines().count() > MAX_LINES;
    if too_long {
        let problem = format!("is longer than {MAX_LINES} lines, or {MAX_LINES_BYTES} letters");
        return Err(Refusal::BadLabel { field, problem });
    }
    text.lines().filter(|line| !line.is_empty()).try_for_each(|line| check_text(field, line, MAX_LINES_BYTES))
}

fn check_tax(tax: &Tax) -> Result<(), Refusal> {
    at_most("tax", tax.millionths, MAX_TAX_MILLIONTHS)?;
    if !tax.name.is_empty() {
        return check_text("tax_name", &tax.name, MAX_SHORT_BYTES);
    }
    let problem = "is needed where there is a rate: such as VAT".to_owned();
    if tax.millionths == 0 { Ok(()) } else { Err(Refusal::BadLabel { field: "tax_name", problem }) }
}

fn at_most(field: &'static str, value: u32, most: u32) -> Result<(), Refusal> {
    if value <= most { Ok(()) } else { Err(Refusal::BadLabel { field, problem: format!("is at most {most}") }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_invoices_say_is_checked_field_by_field() {
        let party =
            Party { name: "Acme".to_owned(), address: "Way 1\n1010 Vienna".to_owned(), tax_number: String::new() };
        let good = Seller { party: party.clone(), ..Seller::default() };
        assert_eq!(good.check(), Ok(()));
        let field = |seller: Seller| match seller.check() {
            Err(Refusal::BadLabel { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let tax = |name: &str, millionths| Tax { name: name.to_owned(), millionths };
        assert_eq!(field(Seller { party: Party::default(), ..good.clone() }), "name");
        assert_eq!(
            field(Seller { party: Party { address: "x\n".repeat(9), ..party.clone() }, ..good.clone() }),
            "address"
        );
        assert_eq!(field(Seller { bank: "\u{202e}".to_owned(), ..good.clone() }), "bank");
        assert_eq!(field(Seller { tax: tax("", 190_000), ..good.clone() }), "tax_name");
        assert_eq!(field(Seller { tax: tax("VAT", 1_000_001), ..good.clone() }), "tax");
        assert_eq!(field(Seller { grace_hours: 241, ..good.clone() }), "grace_hours");
        assert_eq!(field(Seller { due_days: 366, ..good }), "due_days");
        let details = |email: &str| BillingDetails { party: party.clone(), email: Some(email.to_owned()), tax: None };
        assert_eq!(details("pay@acme.example").check(), Ok(()));
        assert!(details("pay@acme.example, other@acme.example").check().is_err() && details("").check().is_err());
    }
}

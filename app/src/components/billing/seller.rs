//! `/operator/seller`: who sells, at which tax, and when invoices are issued and due. Of the whole installation.

use super::sheet::tax_text;
use crate::components::people::parts::{fields, hint, panel, primary};
use crate::components::settings::fields::{Field, Typed, wrong};
use crate::components::settings::organization::notice;
use crate::markup::Markup;
use ledger::seller::Seller;

/// Address of the page.
pub const PATH: &str = "/operator/seller";
/// The form.
pub const FORM: &str = "seller";
const ERROR_ID: &str = "seller-error";

/// What the page shows.
pub struct Shown {
    /// What is in force.
    pub seller: Seller,
    /// What was typed.
    pub typed: Typed,
}

/// The page.
#[must_use]
pub fn page(view: &Shown) -> Markup {
    let about = "What invoices of every organization say from now on, and when they are issued. Those that are issued stay as they are.";
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Seller"));
    let head = head.child(Markup::new("p").class("muted").text(about));
    let saved = (view.typed.get("done") == Some("saved")).then(|| notice("The seller is saved."));
    Markup::new("div").class("settings-page").child(head).children(saved).child(form(view))
}

fn form(Shown { seller, typed }: &Shown) -> Markup {
    let field = Field { typed, form: FORM, error_id: ERROR_ID };
    let (grace, due) = (seller.grace_hours.to_string(), seller.due_days.to_string());
    let number = [("type", "number"), ("min", "0"), ("required", "")];
    let grid = Markup::new("div").class("settings-fields").children([
        field.line(
            "Name",
            "name",
            &seller.party.name,
            &[("required", ""), ("maxlength", "200"), ("autocomplete", "organization")],
            None,
        ),
        field.line(
            "Tax number",
            "tax_number",
            &seller.party.tax_number,
            &[("maxlength", "64"), ("autocomplete", "off")],
            Some("Such as a VAT id; may be empty"),
        ),
        field.lines("Address", "address", &seller.party.address, Some("As it should stand on invoices, line by line")),
        field.lines(
            "Where to transfer money to",
            "bank",
            &seller.bank,
            Some("Account holder, IBAN, BIC: at the end of invoices"),
        ),
        field.line(
            "Tax is called",
            "tax_name",
            &seller.tax.name,
            &[("maxlength", "64"), ("autocomplete", "off")],
            Some("Such as VAT; empty where no tax is added"),
        ),
        field.line(
            "Its rate in percent",
            "tax",
            &tax_text(seller.tax.millionths),
            &[("inputmode", "decimal"), ("autocomplete", "off")],
            Some("Organizations can have another: in their billing details"),
        ),
        field.line(
            "Drafts wait for late usage, in hours",
            "grace_hours",
            &grace,
            &number,
            Some("After the month is over"),
        ),
        field.line("Invoices are to be paid within, in days", "due_days", &due, &number, None),
    ]);
    let form = fields(PATH, FORM).children(wrong(typed, FORM, ERROR_ID)).child(grid);
    let form = form.child(Markup::new("p").class("form-foot").child(primary("Save")));
    panel("seller", "Who sells")
        .child(form)
        .child(hint("What was bought before keeps the tax that it was bought with."))
}

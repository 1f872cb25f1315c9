//! `/billing/details`: what an org's invoices are made out to, and where mails about money go.

use super::sheet::tax_text;
use super::{button, head};
use crate::components::people::parts::{fields, hint, panel, primary};
use crate::components::settings::fields::{Field, Typed, wrong};
use crate::components::settings::organization::notice;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::Markup;
use ledger::seller::BillingDetails;
use ledger::tax::Tax;

/// Address of the page.
pub const PATH: &str = "/billing/details";
/// The form.
pub const FORM: &str = "details";
const ERROR_ID: &str = "details-error";

/// What the page shows.
pub struct Details {
    /// What is in force.
    pub details: BillingDetails,
    /// The tax that is in force, its own or the seller's.
    pub tax: Tax,
    /// Whether the viewer may change the tax.
    pub operator: bool,
    /// What was typed.
    pub typed: Typed,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let view = asked.backend.billing_details_shown(asked.query.clone()).await?;
    let about = "What invoices are made out to from now on. Those that are issued stay as they are.";
    let saved = (view.typed.get("done") == Some("saved")).then(|| notice("The billing details are saved."));
    let body = Markup::new("div")
        .class("page settings-page")
        .child(head("Billing details", about, [button("/billing/invoices", "Invoices")]))
        .children(saved)
        .child(form(&view));
    Ok(Written { title: "Billing details".to_owned(), body })
}

fn form(view: &Details) -> Markup {
    let Details { details, tax, operator, typed } = view;
    let field = Field { typed, form: FORM, error_id: ERROR_ID };
    let party = &details.party;
    let email = details.email.as_deref().unwrap_or_default();
    let grid = Markup::new("div").class("settings-fields").children([
        field.line(
            "Name",
            "name",
            &party.name,
            &[("required", ""), ("maxlength", "200"), ("autocomplete", "organization")],
            None,
        ),
        field.line(
            "Email for invoices",
            "email",
            email,
            &[("type", "email"), ("maxlength", "200"), ("autocomplete", "email")],
            Some("Empty: everybody who manages billing gets them"),
        ),
        field.lines("Address", "address", &party.address, Some("As it should stand on invoices, line by line")),
        field.line(
            "Tax number",
            "tax_number",
            &party.tax_number,
            &[("maxlength", "64"), ("autocomplete", "off")],
            Some("Such as a VAT id; may be empty"),
        ),
    ]);
    let grid = if *operator { grid.children(tax_fields(&field, details)) } else { grid };
    let form = fields(PATH, FORM).children(wrong(typed, FORM, ERROR_ID)).child(grid);
    let form = form.child(Markup::new("p").class("form-foot").child(primary("Save")));
    let taxed = match tax.title().as_str() {
        "" => "No tax is added to what you buy.".to_owned(),
        title => format!("{title} is added to what you buy. If another tax applies to you, ask whoever sells to you."),
    };
    panel("details", "Made out to").child(form).child(hint(&taxed))
}

/// A tax of the org's own: for operators, since it decides what is paid.
fn tax_fields(field: &Field<'_>, details: &BillingDetails) -> [Markup; 3] {
    let own = details.tax.as_ref();
    let rate = own.map(|tax| tax_text(tax.millionths)).unwrap_or_default();
    [
        field.choice(
            "Tax (operators only)",
            "own_tax",
            if own.is_some() { "own" } else { "seller" },
            &[("seller", "As the seller\u{2019}s"), ("own", "Another")],
        ),
        field.line(
            "Name of the other tax",
            "tax_name",
            own.map_or("", |tax| tax.name.as_str()),
            &[("maxlength", "64"), ("autocomplete", "off")],
            Some("Empty for none at all"),
        ),
        field.line("Its rate in percent", "tax", &rate, &[("inputmode", "decimal"), ("autocomplete", "off")], None),
    ]
}

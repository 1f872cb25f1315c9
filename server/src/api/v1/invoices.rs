//! `GET /api/v1/invoices`, `/invoices/{id}` and `/invoices/{id}/pdf`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::invoices::pdf_of;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use ledger::invoice::State as Standing;
use ledger::{InvoiceId, Money};
use serde::{Deserialize, Serialize};
use store::{Invoice, InvoicePage, InvoiceRow};
use utoipa::{IntoParams, ToSchema};

/// Which invoices.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvoiceQuery {
    /// Only those that are `draft`, `open`, `paid` or `uncollectible`.
    state: Option<String>,
    /// Only those of months of this year.
    year: Option<i32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// An invoice. Money is in decimal strings of its currency.
#[derive(Serialize, ToSchema)]
pub struct InvoiceItem {
    #[schema(example = "invoice_3")]
    id: String,
    /// What people call it; none for a draft.
    #[schema(example = "S12-0003")]
    number: Option<String>,
    /// The month that it tells, in the organization's time zone.
    #[schema(example = "2026-11")]
    month: String,
    /// `draft`, `open`, `paid` or `uncollectible`.
    state: &'static str,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// Net and tax.
    #[schema(example = "119.00")]
    total: String,
    /// What is to be paid: less what was paid when it was bought, and less credit.
    #[schema(example = "23.80")]
    due: String,
    /// What of that is paid.
    #[schema(example = "0.00")]
    paid: String,
    /// When it was issued; for a draft, when it will be.
    #[schema(format = DateTime)]
    issued_at: String,
    /// Until when it is to be paid.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// When all was paid.
    #[schema(format = DateTime)]
    paid_at: Option<String>,
}

/// A page of invoices, newest first.
#[derive(Serialize, ToSchema)]
pub struct InvoiceList {
    items: Vec<InvoiceItem>,
    next_cursor: Option<String>,
}

/// An invoice with its lines.
#[derive(Serialize, ToSchema)]
pub struct InvoiceDetail {
    #[serde(flatten)]
    invoice: InvoiceItem,
    /// What is charged.
    lines: Vec<LineItem>,
    /// What taxes come to.
    taxes: Vec<TaxItem>,
    /// Of the total, what was paid when it was bought; below zero where more was given back.
    settled: String,
    /// Credit from earlier invoices.
    credit_before: String,
    /// Credit that is left for later ones.
    credit_after: String,
    /// Credits that were used: costs no money.
    usage: Vec<UsageItem>,
}

/// A line of money.
#[derive(Serialize, ToSchema)]
pub struct LineItem {
    /// `plan`, `purchase`, `credit_note` or `adjustment`.
    kind: &'static str,
    description: String,
    net: String,
    tax: String,
    /// Whether it was paid, or given back, before.
    settled: bool,
    /// Of a plan: the first day.
    from: Option<String>,
    /// Of a plan: the day after the last.
    to: Option<String>,
}

/// All lines of one tax.
#[derive(Serialize, ToSchema)]
pub struct TaxItem {
    /// Empty where there is none.
    name: String,
    net: String,
    tax: String,
}

/// What was used of one credit type in one month.
#[derive(Serialize, ToSchema)]
pub struct UsageItem {
    title: String,
    /// An earlier month than the invoice's where an invoice of that month did not have it yet.
    month: String,
    /// Credits, as a decimal string.
    credits: String,
}

impl InvoiceItem {
    fn new(row: &InvoiceRow) -> Self {
        let money = |minor| Money { minor, currency: row.currency }.decimal();
        Self {
            id: row.id.to_string(),
            number: row.number.clone(),
            month: row.month.to_string(),
            state: row.state.as_str(),
            currency: row.currency.as_str().to_owned(),
            total: money(row.gross),
            due: money(row.due),
            paid: money(row.paid),
            issued_at: row.issued_at.to_string(),
            due_at: row.due_at.map(|at| at.to_string()),
            paid_at: row.paid_at.map(|at| at.to_string()),
        }
    }
}

impl InvoiceDetail {
    fn new(Invoice { row, document, .. }: &Invoice) -> Self {
        let money = |minor| document.money(minor).decimal();
        let lines = document.lines.iter().map(|line| LineItem {
            kind: line.kind.as_str(),
            description: line.description.clone(),
            net: money(line.net),
            tax: money(line.tax),
            settled: line.settled,
            from: line.period.map(|(from, _)| from.to_string()),
            to: line.period.map(|(_, to)| to.to_string()),
        });
        let taxes =
            document.taxes.iter().map(|of| TaxItem { name: of.name.clone(), net: money(of.net), tax: money(of.tax) });
        let usage = document.usage.iter().map(|line| UsageItem {
            title: line.title.clone(),
            month: line.month.to_string(),
            credits: line.credits.to_string(),
        });
        Self {
            invoice: InvoiceItem::new(row),
            lines: lines.collect(),
            taxes: taxes.collect(),
            settled: money(document.totals.settled),
            credit_before: money(document.totals.credit_before),
            credit_after: money(document.totals.credit_after),
            usage: usage.collect(),
        }
    }
}

/// List invoices
///
/// Newest first, drafts among them.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/invoices", operation_id = "list_invoices", tag = "Invoices", params(InvoiceQuery),
    responses(
        (status = 200, description = "A page of invoices", body = InvoiceList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<InvoiceList>, Problem> {
    let query: InvoiceQuery = page::query(query)?;
    let wrong = || page::bad_query("state must be draft, open, paid or uncollectible");
    let state = query.state.as_deref().map(|text| Standing::parse(text).ok_or_else(wrong)).transpose()?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(InvoiceId);
    let limit = page::limit(query.limit)?.min(100);
    let wanted = InvoicePage { state, year: query.year, before, limit: limit + 1 };
    let mut rows = app.store.invoices(caller.org, wanted).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.id.0);
    Ok(Json(InvoiceList { items: rows.iter().map(InvoiceItem::new).collect(), next_cursor }))
}

/// Get an invoice
///
/// With its lines, its taxes, and the usage that it tells. Of a draft, as it would be now.
///
/// # Errors
/// No such invoice in this org.
#[utoipa::path(
    get, path = "/api/v1/invoices/{id}", operation_id = "get_invoice", tag = "Invoices",
    params(("id" = String, Path, description = "The invoice's id", example = "invoice_3")),
    responses(
        (status = 200, description = "The invoice", body = InvoiceDetail),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<InvoiceDetail>, Problem> {
    Ok(Json(InvoiceDetail::new(&find(&app, &caller, &id).await?)))
}

/// Get an invoice as PDF
///
/// The same words as its page. There is none of a draft.
///
/// # Errors
/// No such invoice in this org, or only a draft.
#[utoipa::path(
    get, path = "/api/v1/invoices/{id}/pdf", operation_id = "get_invoice_pdf", tag = "Invoices",
    params(("id" = String, Path, description = "The invoice's id", example = "invoice_3")),
    responses(
        (status = 200, description = "The invoice", content_type = "application/pdf", body = String),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn pdf(State(app): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let invoice = find(&app, &caller, &id).await?;
    if invoice.row.state == Standing::Draft {
        return Err(Problem::not_found("this invoice is a draft: it can be had when it is issued"));
    }
    pdf_of(&invoice.document).await
}

async fn find(app: &AppState, caller: &Caller, id: &str) -> Result<Invoice, Problem> {
    let id = InvoiceId::parse(id).ok_or_else(|| Problem::not_found("there is no such invoice"))?;
    Ok(app.store.invoice(caller.org, id).await?)
}

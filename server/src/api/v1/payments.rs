//! `GET /api/v1/payments`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use ledger::{Money, PaymentId};
use serde::{Deserialize, Serialize};
use store::payment::list::Wanted;
use store::{PaidFor, PaymentLine, PaymentPage};
use utoipa::{IntoParams, ToSchema};

/// Which payments.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PaymentQuery {
    /// Only those that `succeeded`, `failed`, or are `open`: under way.
    state: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// An attempt to be paid.
#[derive(Serialize, ToSchema)]
pub struct PaymentItem {
    #[schema(example = "payment_7")]
    id: String,
    /// The purchase that it is for.
    purchase: Option<String>,
    /// The invoice that it is for.
    invoice: Option<String>,
    /// `sandbox`, `stripe` or `bank_transfer`.
    provider: String,
    /// What was charged where nobody was there.
    #[schema(example = "Visa ending in 4242")]
    method: Option<String>,
    /// With tax.
    #[schema(example = "119.00")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// `created`, `pending`, `needs_action`, `succeeded`, `failed` or `cancelled`.
    state: String,
    /// What of it was given back.
    refunded: String,
    /// `none`, `open`, `won` or `lost`.
    dispute: String,
    /// Why it failed.
    failure: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    changed_at: String,
}

/// A page of payments, newest first.
#[derive(Serialize, ToSchema)]
pub struct PaymentList {
    items: Vec<PaymentItem>,
    next_cursor: Option<String>,
}

impl PaymentItem {
    fn new(line: PaymentLine) -> Self {
        let (purchase, invoice) = match &line.paid_for {
            PaidFor::Purchase(id, _) => (Some(id.to_string()), None),
            PaidFor::Invoice(id, _) => (None, Some(id.to_string())),
        };
        Self {
            id: line.id.to_string(),
            purchase,
            invoice,
            provider: line.provider,
            method: line.method,
            amount: line.amount.decimal(),
            currency: line.amount.currency.as_str().to_owned(),
            state: line.state,
            refunded: Money { minor: line.refunded, ..line.amount }.decimal(),
            dispute: line.dispute,
            failure: line.failure,
            created_at: line.created_at.to_string(),
            changed_at: line.changed_at.to_string(),
        }
    }
}

/// List payments
///
/// Every attempt to be paid, newest first, whatever it was for.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/payments", operation_id = "list_payments", tag = "Invoices", params(PaymentQuery),
    responses(
        (status = 200, description = "A page of payments", body = PaymentList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<PaymentList>, Problem> {
    let query: PaymentQuery = page::query(query)?;
    let wrong = || page::bad_query("state must be succeeded, failed or open");
    let standing = query.state.as_deref().map(|text| Wanted::parse(text).ok_or_else(wrong)).transpose()?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(PaymentId);
    let limit = page::limit(query.limit)?.min(100);
    let wanted = PaymentPage { standing, before, limit: limit + 1, ..PaymentPage::default() };
    let mut rows = app.store.payments(caller.org, wanted).await?;
    let next_cursor = page::cut(&mut rows, limit, |line| line.id.0);
    Ok(Json(PaymentList { items: rows.into_iter().map(PaymentItem::new).collect(), next_cursor }))
}

//! `GET /api/v1/purchases`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use ledger::PurchaseId;
use serde::{Deserialize, Serialize};
use store::purchase::Purchase;
use utoipa::{IntoParams, ToSchema};

/// Which purchases.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PurchaseQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// Credits that were ordered. Money is in decimal strings of its currency.
#[derive(Serialize, ToSchema)]
pub struct PurchaseItem {
    #[schema(example = "purchase_4")]
    id: String,
    /// What people read.
    #[schema(example = "Package of 1,000 credits")]
    title: String,
    /// What it gives.
    #[schema(example = "1000.000000")]
    credits: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// Without tax.
    #[schema(example = "100.00")]
    net: String,
    #[schema(example = "19.00")]
    tax: String,
    /// What was, or is, to be paid.
    #[schema(example = "119.00")]
    total: String,
    /// `paid`, `open` or `given_up`. What was given up may be paid all the same.
    #[schema(example = "paid")]
    state: &'static str,
    /// What made somebody buy: `person`, `top_up` or `operator`.
    #[schema(example = "person")]
    cause: &'static str,
    /// The payment that paid for it.
    #[schema(example = "payment_7")]
    payment: Option<String>,
    /// The grant that it gave.
    #[schema(example = "grant_9")]
    grant: Option<String>,
    #[schema(format = DateTime)]
    made_at: String,
    /// When the money was there, and the credits.
    #[schema(format = DateTime)]
    paid_at: Option<String>,
}

/// A page of purchases, newest first.
#[derive(Serialize, ToSchema)]
pub struct PurchaseList {
    items: Vec<PurchaseItem>,
    next_cursor: Option<String>,
}

impl PurchaseItem {
    fn new(purchase: &Purchase) -> Result<Self, store::StoreError> {
        let quote = &purchase.quote;
        Ok(Self {
            id: purchase.id.to_string(),
            title: quote.title.clone(),
            credits: quote.credits.to_string(),
            currency: quote.net.currency.as_str().to_owned(),
            net: quote.net.decimal(),
            tax: quote.tax.decimal(),
            total: quote.gross()?.decimal(),
            state: match (purchase.paid_at, purchase.closed_at) {
                (Some(_), _) => "paid",
                (None, Some(_)) => "given_up",
                (None, None) => "open",
            },
            cause: purchase.cause.as_str(),
            payment: purchase.paid_by.map(|id| id.to_string()),
            grant: purchase.grant.map(|id| id.to_string()),
            made_at: purchase.made_at.to_string(),
            paid_at: purchase.paid_at.map(|at| at.to_string()),
        })
    }
}

/// List purchases
///
/// Every order of credits, newest first, whether it was paid or not. What paid for it is among the payments.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/purchases", operation_id = "list_purchases", tag = "Invoices", params(PurchaseQuery),
    responses(
        (status = 200, description = "A page of purchases", body = PurchaseList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<PurchaseList>, Problem> {
    let query: PurchaseQuery = page::query(query)?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(PurchaseId);
    let limit = page::limit(query.limit)?;
    let mut rows = app.store.purchases(caller.org, before, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |purchase| purchase.id.0);
    let items = rows.iter().map(PurchaseItem::new).collect::<Result<_, _>>()?;
    Ok(Json(PurchaseList { items, next_cursor }))
}

//! `POST /api/v1/corrections`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::balance::BalanceFigures;
use super::events::CloudEvent;
use super::members::{Members, bad, needed};
use super::once::{Replayed, Write};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use ledger::event::Form;
use ledger::{Event, Refusal};
use serde::Serialize;
use store::correction::{GrantChange, RollupChange};
use store::{Correction, CorrectionRequest};
use utoipa::ToSchema;

/// What to correct. Which members are needed depends on `kind`.
#[derive(ToSchema)]
#[schema(example = json!({"kind": "void", "event": "event_12", "reason": "Reported twice by a retry", "preview": true}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `asked` reads it")]
pub struct CorrectionBody {
    /// `void` takes an event back, `replace` lets another stand in its place, `adjust` gives or takes credits.
    #[schema(pattern = "^(void|replace|adjust)$")]
    kind: String,
    /// Why, in a person's words; always needed.
    reason: String,
    /// Only say what would happen; book nothing.
    preview: Option<bool>,
    /// `void`, `replace`: which event.
    #[schema(example = "event_12")]
    event: Option<String>,
    /// `replace`: what should have been reported, with an id of its own.
    with: Option<CloudEvent>,
    /// `adjust`: above zero gives a new grant, below takes from what is left, in the order in which it is spent.
    #[schema(example = "-5")]
    amount: Option<String>,
    /// `adjust` below zero: only from this grant.
    grant: Option<String>,
    /// `adjust` above zero: when the new grant expires.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Correct the ledger
///
/// Nothing is changed: a correction is a new entry that names the old. Voiding reverses what was charged in reverse order;
/// what comes back to a grant that has expired expires again. Analytics follow where the event happened; the books stay
/// closed where they are closed, and the correction counts in the cycle of now.
///
/// # Errors
/// A correction that makes no sense, or was made before.
#[utoipa::path(
    post, path = "/api/v1/corrections", operation_id = "correct", tag = "Corrections", request_body = CorrectionBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 200, description = "What would happen (`preview`)", body = CorrectionItem),
        (status = 201, description = "Booked", body = CorrectionItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `ledger:write`"),
        (status = 404, description = "`not_found`: no such event"),
        (status = 410, description = "`details_pruned`: details of it are no longer kept"),
        (status = 409, description = "`already_voided`, `event_conflict`, `idempotency_conflict`"),
        (status = 422, description = "`missing_reason`, `adjustment_is_zero`, `adjustment_too_large`, `unknown_grant`, `bad_id`, `bad_kind`, `bad_amount`, `contradiction`, `missing_field`, `unknown_field`, or what is wrong with the event in `with`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    let (request, preview) = asked(write.members)?;
    let done = app.store.correct(write.org, write.caller.by(), request, preview, write.once).await?;
    let status = if preview { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Replayed(done.replayed), Json(CorrectionItem::new(done.answer)?)))
}

fn asked(mut members: Members) -> Result<(CorrectionRequest, bool), Problem> {
    let (kind, preview) = (needed("kind", members.text("kind")?)?, members.flag("preview")?);
    let reason = members.text("reason")?.ok_or(Refusal::MissingReason)?;
    let request = match kind.as_str() {
        "void" => CorrectionRequest::Void { event: needed("event", members.event("event")?)?, reason },
        "replace" => {
            let event = needed("event", members.event("event")?)?;
            let with = needed("with", members.raw("with"))?;
            let with = Box::new(Event::from_json(with.get(), Form::Plain)?);
            CorrectionRequest::Replace { event, reason, with }
        }
        "adjust" => {
            let amount = needed("amount", members.credits("amount")?)?;
            let (grant, expires_at) = (members.grant("grant")?, members.time("expires_at")?);
            CorrectionRequest::Adjust { amount, grant, expires_at, reason }
        }
        _ => return Err(bad("bad_kind", "kind must be void, replace or adjust")),
    };
    members.finish()?;
    Ok((request, preview))
}

/// What a correction does.
#[derive(Serialize, ToSchema)]
#[schema(title = "Correction", example = json!({
    "booked": true, "kind": "void", "entries": ["entry_9"], "event": "event_12", "replacement": null,
    "happened_in": "2026-10", "booked_in": "2026-11", "closed_cycle": true,
    "before": {"available": "90.000000", "held": "0.000000", "settled": "90.000000", "debt": "0.000000", "state": "active"},
    "after": {"available": "100.000000", "held": "0.000000", "settled": "100.000000", "debt": "0.000000", "state": "active"},
    "grants": [{"grant": "grant_1", "before": "90.000000", "after": "100.000000", "change": "10.000000"}],
    "analytics": [{"day": "2026-10-30", "meter": "export", "source": "api", "project": null, "credits": "-10.000000", "quantity": "-10"}]
}))]
pub struct CorrectionItem {
    /// Whether it is booked; otherwise it is what would happen.
    booked: bool,
    kind: &'static str,
    /// The entries that it makes, in their order.
    entries: Vec<String>,
    /// The event that is taken back.
    event: Option<String>,
    /// The event that stands in its place.
    replacement: Option<String>,
    /// The billing cycle in which the event happened.
    happened_in: Option<String>,
    /// The billing cycle in which this is booked.
    booked_in: String,
    /// Whether the event's cycle is over: it is not reopened.
    closed_cycle: bool,
    before: BalanceFigures,
    after: BalanceFigures,
    /// Grants of which more or less is left.
    grants: Vec<GrantChangeItem>,
    /// What changes in analytics, by day of the org's zone.
    analytics: Vec<AnalyticsChangeItem>,
}

/// A grant of which more or less is left.
#[derive(Serialize, ToSchema)]
pub struct GrantChangeItem {
    grant: String,
    before: String,
    after: String,
    change: String,
}

/// What changes in analytics on one day.
#[derive(Serialize, ToSchema)]
pub struct AnalyticsChangeItem {
    day: String,
    meter: String,
    source: String,
    project: Option<String>,
    credits: String,
    quantity: String,
}

impl CorrectionItem {
    fn new(correction: Correction) -> Result<Self, Problem> {
        let Correction { booked, entries, event, replacement, happened_in, booked_in, before, after, grants, rollups } =
            correction;
        let kind = match (event, replacement) {
            (None, _) => "adjust",
            (Some(_), None) => "void",
            (Some(_), Some(_)) => "replace",
        };
        Ok(Self {
            booked,
            kind,
            entries: entries.iter().map(ToString::to_string).collect(),
            event: event.map(|seq| seq.to_string()),
            replacement: replacement.map(|seq| seq.to_string()),
            happened_in: happened_in.map(|cycle| cycle.to_string()),
            booked_in: booked_in.to_string(),
            closed_cycle: happened_in.is_some_and(|cycle| cycle < booked_in),
            before: before.into(),
            after: after.into(),
            grants: grants.iter().map(GrantChangeItem::new).collect::<Result<_, _>>()?,
            analytics: rollups.iter().map(AnalyticsChangeItem::new).collect(),
        })
    }
}

impl GrantChangeItem {
    fn new(GrantChange { grant, before, after }: &GrantChange) -> Result<Self, Refusal> {
        let change = after.minus(*before)?;
        let [before, after, change] = [*before, *after, change].map(|amount| amount.to_string());
        Ok(Self { grant: grant.to_string(), before, after, change })
    }
}

impl AnalyticsChangeItem {
    fn new(change: &RollupChange) -> Self {
        let RollupChange { day, meter, source, project, credits, quantity } = change;
        Self {
            day: day.clone(),
            meter: meter.to_string(),
            source: source.to_string(),
            project: project.as_ref().map(ToString::to_string),
            credits: credits.to_string(),
            quantity: quantity.to_string(),
        }
    }
}

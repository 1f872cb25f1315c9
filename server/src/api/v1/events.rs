//! `POST /api/v1/events`, `GET /api/v1/events` and `GET /api/v1/events/{id}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::body::{self, Media};
use super::{lines, page};
use crate::access::Caller;
use crate::ingest::{MAX_ERRORS, Tally, confine, settle};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::card_text::write_line;
use ledger::cube::MeterInfo;
use ledger::event::{Place, Status};
use ledger::{EntrySeq, Event, EventSeq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::calendar::cycle;
use store::event::Explained;
use store::{EventDetail, EventPage, EventRow, StoreError, Tz};
use utoipa::{IntoParams, ToSchema};

/// A usage event as CloudEvents 1.0 writes it.
#[derive(ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "id": "call-4711", "source": "api", "type": "ai_text", "time": "2026-11-21T08:15:30Z",
    "data": { "quantities": { "input_tokens": 4808, "completion_tokens": 10 }, "project": "chat", "user": "u-7" }
}))]
#[allow(dead_code, reason = "describes the wire for the documentation; the ledger crate reads it")]
pub struct CloudEvent {
    /// `1.0`. Needed in `application/cloudevents+json` and `-batch+json`.
    specversion: Option<String>,
    /// Unique per source; sending it again with the same content costs nothing.
    id: String,
    /// Where the credits were spent: `api`, `platform`, …
    source: String,
    /// What was done; the meter too, where `data.quantities` is not given.
    r#type: String,
    /// `user/…` or `tenant/…`.
    subject: Option<String>,
    /// When it happened; now where it is not said.
    #[schema(format = DateTime)]
    time: Option<String>,
    /// What was used, where and by whom.
    data: Option<EventData>,
}

/// The data of a usage event.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the wire for the documentation; the ledger crate reads it")]
pub struct EventData {
    /// How much of the meter that `type` names; 1 where it is not said.
    #[schema(value_type = Option<f64>)]
    quantity: Option<String>,
    /// How much of each meter.
    #[schema(value_type = Option<BTreeMap<String, f64>>)]
    quantities: Option<BTreeMap<String, String>>,
    /// Credits consumed, where the rate card says `reported`.
    credits: Option<String>,
    /// An id, or `{"id", "name"}`.
    #[schema(value_type = Option<String>)]
    project: Option<String>,
    /// An id, or `{"id", "name"}`.
    #[schema(value_type = Option<String>)]
    workflow: Option<String>,
    /// An id, or `{"id", "name"}`.
    #[schema(value_type = Option<String>)]
    run: Option<String>,
    /// An id, or `{"id", "name"}`.
    #[schema(value_type = Option<String>)]
    module: Option<String>,
    /// The customer's own id of a person.
    user: Option<String>,
    /// The customer's own id of one of their customers.
    tenant: Option<String>,
    /// The customer's own id of an interaction.
    interaction: Option<String>,
    /// `succeeded` (default) or `failed`.
    status: Option<String>,
    /// Data transferred, in bytes.
    bytes: Option<i64>,
    /// Compute units used: a formula may charge them.
    #[schema(value_type = Option<f64>)]
    compute_units: Option<String>,
    /// Free text.
    description: Option<String>,
    /// Up to 16 more facts.
    attributes: Option<BTreeMap<String, String>>,
}

/// Report usage
///
/// One event, a batch of up to 10,000, or any number as lines. Good items are kept, bad ones named. The answer is sent
/// after the commit is on disk. With a single event that is not accepted, the problem is that event's own; the counts
/// are members of every problem that comes after items were read.
///
/// What it crosses is told (alerts, budgets, the low balance), unless all that is booked together happened more than a day ago: that is
/// history, which `GET /api/v1/alerts/history` has with `silence` `imported`. Lines are booked in pieces, so a stream whose last lines are
/// of today is told of what those cross. A past that must be quiet to its end is brought in by `scrip import`.
///
/// # Errors
/// A body whose items cannot be told apart, or none of which is accepted.
#[utoipa::path(
    post, path = "/api/v1/events", operation_id = "report_usage", tag = "Events",
    request_body(
        description = "Binary mode (`ce-` headers with `data` as the body) is read too.",
        content(
            (CloudEvent = "application/json"),
            (CloudEvent = "application/cloudevents+json"),
            (Vec<CloudEvent> = "application/cloudevents-batch+json"),
            (String = "application/x-ndjson"),
        )
    ),
    responses(
        (status = 200, description = "At least one event was accepted, now or before", body = Tally),
        (status = 400, description = "`not_json`, `bad_utf8`, `body_broken`"),
        (status = 403, description = "`missing_scope`: `events:write`"),
        (status = 408, description = "`timeout`"),
        (status = 409, description = "`event_conflict`: the only event was accepted before with other content"),
        (status = 413, description = "`body_too_large`, `too_many_items`"),
        (status = 415, description = "`unsupported_media_type`"),
        (status = 422, description = "`none_accepted`, `empty_batch`, or the code of the only event: `missing_field`, `unknown_field`, `unknown_meter`, `negative_quantity`, `bad_quantity`, `quantity_too_large`, `bad_number`, `time_out_of_range`, `bad_label`, `wrong_project`, …"),
        (status = 503, description = "`busy`: send the same again after `Retry-After`"),
    )
)]
pub async fn post(State(app): State<AppState>, caller: Caller, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let tally = match Media::of(&parts.headers)? {
        Media::Lines => lines::settle_stream(&app, &caller, &parts.headers, body).await?,
        media => {
            let items = body::read(&app.config, media, &parts.headers, body).await?;
            let items = confine(&caller, 0, items);
            settle(&app.store, caller.org, caller.cause(), 0, items, MAX_ERRORS).await?
        }
    };
    answer(tally)
}

fn answer(tally: Tally) -> Result<Response, Problem> {
    if tally.accepted + tally.duplicate > 0 {
        return Ok(Json(tally).into_response());
    }
    let problem = match (tally.items(), tally.errors.first()) {
        (0, _) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_batch", "there is no event in it: send one"),
        (1, Some(error)) => {
            let conflict = error.code == "event_conflict";
            let status = if conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
            Problem::new(status, error.code.clone(), error.detail.clone())
        }
        _ => {
            let detail = "none of the events was accepted: `errors` says why for each";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "none_accepted", detail)
        }
    };
    Err(problem.with(tally))
}

/// Which page of events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Events on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List events
///
/// Newest first. Follow `next_cursor` until it is null; events that come in meanwhile are not met on later pages. Where an
/// organization keeps details of events for some time only, older ones are not listed: `pruned_until` says until when.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "Events", params(ListQuery),
    responses(
        (status = 200, description = "A page of events", body = EventList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `project_key`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<EventList>, Problem> {
    let EventPage { before, limit } = asked(query)?;
    // One more than was asked for says whether there is another page.
    let mut rows = app.store.events(caller.org, &EventPage { before, limit: limit + 1 }).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.seq.0);
    let meters = app.store.meters(caller.org).await?;
    let pruned_until = app.store.kept(caller.org).await?.pruned.map(|(_, until)| until.to_string());
    let items = rows.iter().map(|row| EventItem::new(row, &meters)).collect();
    Ok(Json(EventList { items, next_cursor, pruned_until }))
}

fn asked(query: Option<String>) -> Result<EventPage, Problem> {
    let query: ListQuery = page::query(query)?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(EventSeq);
    Ok(EventPage { before, limit: page::limit(query.limit)? })
}

/// Get an event, explained
///
/// Which line of which version of the rate card charged it, the arithmetic, what was carried, and who paid.
///
/// # Errors
/// No such event in this org.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", operation_id = "get_event", tag = "Events",
    params(("id" = String, Path, description = "As listed", example = "event_12")),
    responses(
        (status = 200, description = "The event", body = EventItem),
        (status = 403, description = "`missing_scope`: `usage:read`"),
        (status = 404, description = "`not_found`"),
        (status = 410, description = "`details_pruned`: details of it are no longer kept"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EventItem>, Problem> {
    let unknown =
        || Problem::not_found("there is no such event: ids look like event_12, as GET /api/v1/events lists them");
    let seq = EventSeq::parse(&id).ok_or_else(unknown)?;
    let detail = app.store.event(caller.org, seq).await?;
    if !caller.reaches(detail.row.event.project.as_ref().map(|project| project.id.as_str())) {
        return Err(unknown());
    }
    let voided = app.store.voided(caller.org, seq).await?.map(VoidedItem::new);
    let billing_cycle = CycleItem::new(app.store.org(caller.org).await?.zone, &detail)?;
    let item = EventItem::explained(&detail, &app.store.meters(caller.org).await?);
    Ok(Json(EventItem { voided: Some(voided), billing_cycle: Some(billing_cycle), ..item }))
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub struct EventList {
    /// Newest first.
    items: Vec<EventItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
    /// When the last event was booked whose details are no longer kept; not there where all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pruned_until: Option<String>,
}

/// An event that was accepted.
#[derive(Serialize, ToSchema)]
pub struct EventItem {
    /// Ours: `event_12`.
    #[schema(example = "event_12")]
    id: String,
    /// The sender's.
    event_id: String,
    /// Where the credits were spent.
    source: String,
    /// What was done.
    #[serde(rename = "type")]
    operation: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    /// When it was accepted; only where one event is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    accepted_at: Option<String>,
    /// The correction that took it back, or null; only where one event is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<VoidedItem>)]
    voided: Option<Option<VoidedItem>>,
    /// The months to which it belongs; only where one event is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_cycle: Option<CycleItem>,
    /// `succeeded` or `failed`.
    status: EventStatus,
    /// What it cost.
    #[schema(example = "0.003100")]
    credits: String,
    /// The ledger entry that booked it.
    #[schema(example = "entry_3")]
    entry: String,
    /// Per quantity.
    charges: Vec<ChargeItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<PlaceItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<PlaceItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<PlaceItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<PlaceItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction: Option<String>,
    /// Data transferred, in bytes.
    bytes: i64,
    /// Compute units used.
    #[schema(example = "3.5")]
    compute_units: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

/// What took an event back.
#[derive(Serialize, ToSchema)]
pub struct VoidedItem {
    /// The entry.
    #[schema(example = "entry_9")]
    entry: String,
    /// The event that stands in its place, if one does.
    #[schema(example = "event_13")]
    replacement: Option<String>,
}

/// Months of the calendar in the org's zone.
#[derive(Serialize, ToSchema)]
pub struct CycleItem {
    /// When it happened.
    #[schema(example = "2026-10")]
    happened: String,
    /// When it was booked.
    #[schema(example = "2026-11")]
    booked: String,
    /// Whether it was booked after its month was over: that month was not reopened.
    late: bool,
}

/// How an operation ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(title = "Status")]
enum EventStatus {
    Succeeded,
    Failed,
}

/// Somewhere in the customer's product.
#[derive(Serialize, ToSchema)]
pub struct PlaceItem {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// What one quantity cost.
#[derive(Serialize, ToSchema)]
pub struct ChargeItem {
    /// The meter.
    #[schema(example = "input_tokens")]
    meter: String,
    /// What lists of transactions call it, where the meter has a name for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ai_data")]
    service: Option<String>,
    /// In the meter's unit.
    #[schema(example = "4808")]
    quantity: String,
    /// What it cost.
    #[schema(example = "0.002884")]
    credits: String,
    /// Version of the rate card.
    rate_card: String,
    /// Line of that version, counted from 1.
    line: i64,
    /// The line as a rate card's text has it; only where one event is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "input_tokens: 0.6 per 1000000")]
    line_text: Option<String>,
    /// Why it cost that; only where one event is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationItem>,
}

/// The arithmetic of a charge.
#[derive(Serialize, ToSchema)]
pub struct ExplanationItem {
    /// The rule, as a rate card's text has it.
    #[schema(example = "0.6 per 1000000")]
    rule: String,
    /// The arithmetic.
    #[schema(example = "4808 × 0.6 ÷ 1000000 = 0.002884")]
    arithmetic: String,
    /// What a formula's sum is made of: base, processing time, data volume, compute, what the minimum adds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartItem>,
    /// Where the billing cycle stood in the tiers before; only for lines that have tiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "9500 used in 2026-11, tier 1 of 3")]
    tier_before: Option<String>,
    /// Where it stands after.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_after: Option<String>,
    /// What was carried from events before.
    carry_before: String,
    /// What is carried on.
    carry_after: String,
    /// Which grants paid, in their order; `debt` for what none covered. Where the charge is below zero, the grant as which
    /// credits came back, below zero too.
    paid_by: Vec<Payment>,
}

/// Part of a formula's sum.
#[derive(Serialize, ToSchema)]
pub struct PartItem {
    /// What it is for.
    #[schema(example = "Processing time")]
    name: String,
    #[schema(example = "120 s × 0.02")]
    arithmetic: String,
    /// Exact, in as many decimals as it takes.
    #[schema(example = "2.4")]
    credits: String,
}

/// Part of a charge.
#[derive(Serialize, ToSchema)]
pub struct Payment {
    #[schema(example = "grant_1")]
    account: String,
    credits: String,
}

impl EventItem {
    fn new(row: &EventRow, meters: &[MeterInfo]) -> Self {
        let Event { id, source, operation, status, bytes, description, .. } = &row.event;
        let event = &row.event;
        let text = |label: &Option<ledger::Label>| label.as_ref().map(ToString::to_string);
        Self {
            id: row.seq.to_string(),
            event_id: id.to_string(),
            source: source.to_string(),
            operation: operation.to_string(),
            time: row.occurred_at.to_string(),
            accepted_at: None,
            voided: None,
            billing_cycle: None,
            status: if *status == Status::Failed { EventStatus::Failed } else { EventStatus::Succeeded },
            credits: row.credits.to_string(),
            entry: row.entry.to_string(),
            charges: row.charges.iter().map(|charge| ChargeItem::new(charge, meters)).collect(),
            project: event.project.as_ref().map(PlaceItem::new),
            workflow: event.workflow.as_ref().map(PlaceItem::new),
            run: event.run.as_ref().map(PlaceItem::new),
            module: event.module.as_ref().map(PlaceItem::new),
            user: text(&event.user),
            tenant: text(&event.tenant),
            interaction: text(&event.interaction),
            bytes: *bytes,
            compute_units: ledger::decimal::trimmed(i128::from(event.compute_micros), ledger::quantity::DECIMALS),
            description: description.clone(),
            attributes: event.attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }
    }

    fn explained(detail: &EventDetail, meters: &[MeterInfo]) -> Self {
        let charges = detail.explained.iter().map(|explained| ChargeItem {
            explanation: Some(ExplanationItem::new(explained)),
            line_text: Some(write_line(&explained.line)),
            ..ChargeItem::new(&explained.charge, meters)
        });
        let charges = charges.collect();
        Self { accepted_at: Some(detail.accepted_at.to_string()), charges, ..Self::new(&detail.row, meters) }
    }
}

impl VoidedItem {
    fn new((entry, replacement): (EntrySeq, Option<EventSeq>)) -> Self {
        Self { entry: entry.to_string(), replacement: replacement.map(|seq| seq.to_string()) }
    }
}

impl CycleItem {
    fn new(zone: Tz, detail: &EventDetail) -> Result<Self, StoreError> {
        let (happened, booked) = (cycle(zone, detail.row.occurred_at)?, cycle(zone, detail.accepted_at)?);
        Ok(Self { happened: happened.to_string(), booked: booked.to_string(), late: happened < booked })
    }
}

impl PlaceItem {
    fn new(place: &Place) -> Self {
        Self { id: place.id.to_string(), name: place.name.as_ref().map(ToString::to_string) }
    }
}

impl ChargeItem {
    fn new(charge: &ledger::settle::Charge, meters: &[MeterInfo]) -> Self {
        let service = meters.iter().find(|info| info.meter == charge.meter).map(|info| info.service.clone());
        Self {
            meter: charge.meter.to_string(),
            service: service.filter(|service| !service.is_empty()),
            quantity: charge.quantity.to_string(),
            credits: charge.credits.to_string(),
            rate_card: charge.version.to_string(),
            line: charge.line.0,
            line_text: None,
            explanation: None,
        }
    }
}

impl ExplanationItem {
    fn new(Explained { why, paid, .. }: &Explained) -> Self {
        let [tier_before, tier_after] = why.tiers.clone().map_or([None, None], |places| places.map(Some));
        Self {
            rule: why.rule.clone(),
            arithmetic: why.arithmetic.clone(),
            parts: why.parts.iter().map(PartItem::new).collect(),
            tier_before,
            tier_after,
            carry_before: why.carry_before.clone(),
            carry_after: why.carry_after.clone(),
            paid_by: paid.iter().map(|(account, credits)| Payment::new(*account, *credits)).collect(),
        }
    }
}

impl PartItem {
    fn new(part: &ledger::explain::Part) -> Self {
        Self { name: part.name.clone(), arithmetic: part.arithmetic.clone(), credits: part.credits.clone() }
    }
}

impl Payment {
    fn new(account: ledger::Account, credits: ledger::Credits) -> Self {
        Self { account: account.to_string(), credits: credits.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_limits_are_checked() {
        let page = |query: &str| asked(Some(query.to_owned()));
        let first = page("limit=7").expect("valid");
        assert_eq!((first.before, first.limit), (None, 7));
        let later = page(&format!("cursor={}", page::cursor_of(300))).expect("valid");
        assert_eq!((later.before, later.limit), (Some(EventSeq(300)), page::DEFAULT_LIMIT));
        for query in ["limit=0", "limit=101", "limit=x", "limt=1", "cursor=", "cursor=c-1", "cursor=300"] {
            assert_eq!(page(query).expect_err(query).status.as_u16(), 400);
        }
    }
}

//! `GET` and `PUT /api/v1/rate-cards`, `GET /api/v1/rate-cards/{version}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::members::{Members, bad, bad_field};
use super::once::{Replayed, Write};
use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{FromRequest, Path, RawQuery, Request, State};
use axum::response::IntoResponse;
use ledger::card::{self, LineProblem};
use ledger::cube::MeterInfo;
use ledger::{Meter, RateCardVersion, RateLine, Timestamp, card_text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::rate_card::{CardPage, CardState, NewRateCard};
use utoipa::{IntoParams, ToSchema};

/// A version to lay down: `lines` or `text`, not both.
#[derive(ToSchema)]
#[schema(example = json!({
    "lines": [
        {"meter": "viewer_session", "sources": ["platform"], "rule": "free"},
        {"meter": "viewer_session", "rule": "block", "price": "1", "size": "600", "counted": "per_event"},
        {"meter": "export", "rule": "unit", "price": "1"}
    ],
    "effective_at": "2026-12-01T00:00:00Z", "replaces": 1
}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_card` reads it")]
pub struct RateCardBody {
    /// In the order in which they are tried; the first that matches wins.
    #[schema(value_type = Option<Vec<Object>>, min_items = 1, max_items = 500)]
    lines: Option<Vec<()>>,
    /// The same as text, one line each: `export: 1 each`. At most 64 KiB. Comments are not kept.
    text: Option<String>,
    /// What people read of meters that are new; those that there are stay as they are.
    meters: Option<Vec<MeterBody>>,
    /// From when it rates what is booked; now where it is not said. Never in the past.
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// The newest version that you saw: 409 where another was laid down since. 0 where you saw none.
    #[schema(example = 1)]
    replaces: Option<i64>,
}

/// A meter as people see it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterBody {
    #[schema(example = "input_tokens")]
    meter: String,
    /// What people read: "Input tokens".
    title: String,
    /// The unit of its quantities: "token", "s".
    unit: String,
    /// What lists of transactions call it.
    #[serde(default)]
    service: String,
}

/// Lay down a rate card
///
/// The next version. What was rated before is never rated again; a line that stays as it was keeps what it carries and
/// where it is in its tiers. The same lines as those of the newest version are no new version: that is the answer then.
/// A version that was scheduled for the new one's time or later never comes into force: `overtakes` names it.
///
/// # Errors
/// A card with lines that cannot be used, each named.
#[utoipa::path(
    put, path = "/api/v1/rate-cards", operation_id = "put_rate_card", tag = "Rate cards", request_body = RateCardBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 200, description = "The newest version", body = RateCardItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `ledger:write`"),
        (status = 409, description = "`rate_card_changed`, `idempotency_conflict`"),
        (status = 422, description = "`bad_rate_line` with `errors: [{line, detail}]`, `empty_rate_card`, `effective_in_the_past`, `effective_too_far`, `too_many_versions`, `rate_card_too_long`, `missing_field`, `unknown_field`, `bad_field`, `bad_meter`, `bad_label`, `bad_time`, `time_out_of_range`, `contradiction`"),
    )
)]
pub async fn put(State(app): State<AppState>, CardWrite(write): CardWrite) -> Result<impl IntoResponse, Problem> {
    let new = new_card(write.members)?;
    let done = app.store.put_rate_card(write.org, write.caller.by(), new, write.once).await?;
    Ok((Replayed(done.replayed), Json(RateCardItem::new(done.answer))))
}

/// A write whose body may be larger than others: a card escaped, or with white space between its members.
pub struct CardWrite(Write);

impl FromRequest<AppState> for CardWrite {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        Ok(Self(Write::read(request, app, MAX_BODY_BYTES, too_long).await?))
    }
}

/// Most bytes of a card's body.
const MAX_BODY_BYTES: usize = 4 * card_text::MAX_TEXT_BYTES;

fn too_long() -> String {
    format!(
        "the rate card is longer than is kept: at most {} lines and {} KiB; leave out comments, or lines that say the same",
        card::MAX_LINES,
        card_text::MAX_TEXT_BYTES / 1024
    )
}

fn new_card(mut members: Members) -> Result<NewRateCard, Problem> {
    let (lines, text) = (members.raw("lines"), members.text("text")?);
    let meters = members.raw("meters").map(|raw| meters_of(&raw)).transpose()?.unwrap_or_default();
    let (effective_at, replaces) = (members.time("effective_at")?, members.whole("replaces")?.map(RateCardVersion));
    members.finish()?;
    let lines = match (lines, text) {
        (Some(lines), None) => lines_of(&lines)?,
        (None, Some(text)) if text.len() > card_text::MAX_TEXT_BYTES => {
            return Err(Problem::too_large("body_too_large", too_long()));
        }
        (None, Some(text)) => card_text::parse(&text).map_err(wrong_lines)?,
        (None, None) => return Err(bad("missing_field", "send the card as lines, or as text")),
        (Some(_), Some(_)) => return Err(bad("contradiction", "send either lines or text, not both")),
    };
    Ok(NewRateCard { lines, meters, effective_at, replaces })
}

/// Every line is read, so that one answer names all that is wrong.
fn lines_of(raw: &RawValue) -> Result<Vec<RateLine>, Problem> {
    let not_lines = |_| bad_field("lines", "must be an array of objects");
    let raw: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).map_err(not_lines)?;
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(&raw).take(card::MAX_LINES + 1) {
        match card::read_line(line.get()) {
            Ok(line) => lines.push(line),
            Err(problem) => wrong.push(LineProblem::new(number, problem)),
        }
    }
    if wrong.is_empty() {
        wrong = card::problems(&lines);
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong_lines(wrong)) }
}

#[derive(Serialize)]
struct WrongLines {
    errors: Vec<WrongLine>,
}

#[derive(Serialize)]
struct WrongLine {
    line: usize,
    detail: String,
}

fn wrong_lines(wrong: Vec<LineProblem>) -> Problem {
    let detail = match wrong.as_slice() {
        [one] => format!("line {}: {}", one.line, one.problem),
        [first, ..] => format!("{} lines cannot be used; line {}: {}", wrong.len(), first.line, first.problem),
        [] => String::new(),
    };
    let errors = wrong.into_iter().map(|LineProblem { line, problem }| WrongLine { line, detail: problem }).collect();
    bad("bad_rate_line", detail).with(WrongLines { errors })
}

fn meters_of(raw: &RawValue) -> Result<Vec<MeterInfo>, Problem> {
    let bodies: Vec<MeterBody> = serde_json::from_str(raw.get())
        .map_err(|_| bad_field("meters", "must be an array of objects with meter, title, unit and service as texts"))?;
    if bodies.len() > card::MAX_LINES {
        return Err(bad_field("meters", &format!("must be at most {}", card::MAX_LINES)));
    }
    let info = |MeterBody { meter, title, unit, service }| {
        Ok(MeterInfo { meter: Meter::parse(&meter)?, title, unit, service })
    };
    bodies.into_iter().map(info).collect()
}

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RateCardQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Versions on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List rate cards
///
/// Newest first. One is `in_force`: it rates what is booked now.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/rate-cards", operation_id = "list_rate_cards", tag = "Rate cards", params(RateCardQuery),
    responses(
        (status = 200, description = "A page of versions", body = RateCardList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<RateCardList>, Problem> {
    let RateCardQuery { cursor, limit } = page::query(query)?;
    let before = cursor.as_deref().map(page::number_of).transpose()?.map(RateCardVersion);
    let limit = page::limit(limit)?;
    // One more than was asked for says whether there is another page.
    let mut states = app.store.rate_cards(caller.org, CardPage { before, limit: limit + 1 }).await?;
    let next_cursor = page::cut(&mut states, limit, |state| state.card.version.0);
    Ok(Json(RateCardList { items: states.into_iter().map(RateCardItem::new).collect(), next_cursor }))
}

/// Get a rate card
///
/// # Errors
/// No such version in this org.
#[utoipa::path(
    get, path = "/api/v1/rate-cards/{version}", operation_id = "get_rate_card", tag = "Rate cards",
    params(("version" = i64, Path, description = "As listed", example = 1)),
    responses(
        (status = 200, description = "The version", body = RateCardItem),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(version): Path<String>,
) -> Result<Json<RateCardItem>, Problem> {
    let unknown = || Problem::not_found("there is no such version: GET /api/v1/rate-cards lists those there are");
    let version = version.parse().map_err(|_| unknown())?;
    Ok(Json(RateCardItem::new(app.store.rate_card_version(caller.org, RateCardVersion(version)).await?)))
}

/// A page of versions.
#[derive(Serialize, ToSchema)]
pub struct RateCardList {
    /// Newest first.
    items: Vec<RateCardItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// One version of an org's prices.
#[derive(Serialize, ToSchema)]
#[schema(title = "RateCard", example = json!({
    "version": 1, "status": "in_force", "effective_at": "2026-11-01T00:00:00Z", "created_at": "2026-11-01T00:00:00Z",
    "cause": "operator", "overtakes": [], "lines": [{"meter": "export", "rule": "unit", "price": "1"}], "text": "export: 1 each\n"
}))]
pub struct RateCardItem {
    version: i64,
    /// `in_force`, `scheduled`, `superseded`, or `never_in_force`: a later version took its place before its time came.
    status: &'static str,
    /// From when it rates what is booked.
    #[schema(value_type = String, format = DateTime)]
    effective_at: Timestamp,
    /// When it was laid down.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// By whom or what.
    cause: Option<String>,
    /// Versions that were scheduled for this one's time or later: they never come into force, since this one takes their
    /// place.
    #[schema(example = json!([]))]
    overtakes: Vec<i64>,
    /// In the order in which they are tried.
    #[schema(value_type = Vec<Object>)]
    lines: Vec<RateLine>,
    /// The same as people write it.
    text: String,
}

impl RateCardItem {
    fn new(CardState { card, status, created_at, cause, overtakes }: CardState) -> Self {
        let text = card_text::write(&card.lines);
        Self {
            version: card.version.0,
            status: status.as_str(),
            effective_at: card.effective_at,
            created_at,
            cause,
            overtakes: overtakes.into_iter().map(|version| version.0).collect(),
            lines: card.lines,
            text,
        }
    }
}

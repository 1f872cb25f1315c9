//! `GET /api/v1/ledger`, `/ledger/{id}` and `/ledger/proof/{event}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use ledger::canon::hex;
use ledger::entry::Head;
use ledger::merkle::Proof;
use ledger::{Entry, EntryKind, EntrySeq, EventSeq, GrantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::entry::Line;
use store::{EntryPage, EntryRow, EventProof};
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryQuery {
    /// Only of this kind: `usage`, `grant`, `expiry`, `rollover`, `repayment`, `hold`, `extension`, `capture`, `release`,
    /// `hold_expiry`, `void`, `adjustment` or `rate_card`.
    kind: Option<String>,
    /// Only those that post on this grant.
    #[param(example = "grant_1")]
    grant: Option<String>,
    /// Only those booked then or later.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only those booked before then.
    #[param(format = DateTime)]
    to: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List entries
///
/// Newest first, each with its postings, which sum to zero, and what each account held after it. `chain_head` is the end
/// of the org's chain of hashes: whoever notes it can tell later whether anything before it was changed.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/ledger", operation_id = "list_entries", tag = "Ledger", params(EntryQuery),
    responses(
        (status = 200, description = "A page of entries", body = EntryList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<EntryList>, Problem> {
    let page = asked(query)?;
    let limit = page.limit;
    // One more than was asked for says whether there is another page.
    let (mut rows, head) = app.store.entries(caller.org, EntryPage { limit: limit + 1, ..page }).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.entry.seq.0);
    Ok(Json(EntryList {
        items: rows.iter().map(EntryItem::new).collect(),
        next_cursor,
        chain_head: HeadItem::new(head),
    }))
}

fn asked(query: Option<String>) -> Result<EntryPage, Problem> {
    let query: EntryQuery = page::query(query)?;
    let kind = query.kind.filter(|kind| !kind.is_empty());
    if kind.as_deref().is_some_and(|kind| !EntryKind::NAMES.contains(&kind)) {
        return Err(page::bad_query(format!("kind must be one of {}", EntryKind::NAMES.join(", "))));
    }
    let no_grant = || page::bad_query("grant must be the id of a grant, such as grant_1");
    Ok(EntryPage {
        kind,
        grant: query.grant.map(|id| GrantId::parse(&id).ok_or_else(no_grant)).transpose()?,
        from: page::time("from", query.from)?,
        to: page::time("to", query.to)?,
        before: query.cursor.as_deref().map(page::number_of).transpose()?.map(EntrySeq),
        limit: page::limit(query.limit)?,
    })
}

/// Get an entry
///
/// # Errors
/// No such entry in this org.
#[utoipa::path(
    get, path = "/api/v1/ledger/{id}", operation_id = "get_entry", tag = "Ledger",
    params(("id" = String, Path, description = "As listed", example = "entry_12")),
    responses(
        (status = 200, description = "The entry", body = EntryItem),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EntryItem>, Problem> {
    let unknown =
        || Problem::not_found("there is no such entry: ids look like entry_12, as GET /api/v1/ledger lists them");
    let seq = EntrySeq::parse(&id).ok_or_else(unknown)?;
    Ok(Json(EntryItem::new(&app.store.entry(caller.org, seq).await?)))
}

/// Prove an event
///
/// That the event is in the ledger as it is shown: `leaf` is its canonical bytes; `leaf_hash` is SHA-256 over a zero byte
/// and those; with `path` it leads to `root` (RFC 6962), which `entry` binds, whose hash follows `previous_hash`.
///
/// # Errors
/// No such event in this org.
#[utoipa::path(
    get, path = "/api/v1/ledger/proof/{event}", operation_id = "prove_event", tag = "Ledger",
    params(("event" = String, Path, description = "As listed", example = "event_12")),
    responses(
        (status = 200, description = "The proof", body = ProofItem),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
        (status = 410, description = "`details_pruned`: details of it are no longer kept"),
    )
)]
pub async fn prove(
    State(app): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
) -> Result<Json<ProofItem>, Problem> {
    let unknown =
        || Problem::not_found("there is no such event: ids look like event_12, as GET /api/v1/events lists them");
    let proof = app.store.proof(caller.org, EventSeq::parse(&event).ok_or_else(unknown)?).await?;
    // Entries are final: reading it again cannot meet another one.
    let row = app.store.entry(caller.org, proof.entry.seq).await?;
    Ok(Json(ProofItem::new(&proof, &row)))
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
pub struct EntryList {
    /// Newest first.
    items: Vec<EntryItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
    chain_head: HeadItem,
}

/// The end of an org's chain.
#[derive(Serialize, ToSchema)]
pub struct HeadItem {
    /// Null before the first.
    #[schema(example = "entry_9")]
    entry: Option<String>,
    hash: String,
}

impl HeadItem {
    fn new(head: Head) -> Self {
        Self { entry: (head.seq.0 > 0).then(|| head.seq.to_string()), hash: hex(&head.hash) }
    }
}

/// A ledger transaction. What it names depends on its kind.
#[derive(Serialize, ToSchema)]
#[schema(title = "Entry", example = json!({
    "id": "entry_3", "kind": "usage", "happened_at": "2026-11-21T08:15:30Z", "booked_at": "2026-11-21T08:15:30Z",
    "cause": "key:9f86d081", "first_event": "event_1", "last_event": "event_40", "root": "5f…", "hash": "8c…",
    "postings": [{"account": "grant_1", "amount": "-3.000000", "balance": "97.000000"},
                 {"account": "consumed", "amount": "3.000000", "balance": "3.000000"}]
}))]
pub struct EntryItem {
    id: String,
    kind: &'static str,
    /// As of when it counts.
    #[schema(value_type = String, format = DateTime)]
    happened_at: Timestamp,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime)]
    booked_at: Timestamp,
    /// Who or what caused it.
    cause: String,
    #[serde(flatten)]
    names: Names,
    /// SHA-256 over the previous entry's hash and all of this.
    hash: String,
    /// They sum to zero.
    postings: Vec<PostingItem>,
}

/// What an entry names.
#[derive(Serialize, ToSchema, Default)]
pub struct Names {
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// `rollover`: the grant that the rest became.
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    /// `extension`: until when the hold lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `capture`: what the work counts as. `void`: what is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// `void`: the event that stands in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<String>,
    /// Merkle root over its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// `rate_card`: which version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Hash of what was agreed about the grant, the hold or the rate card.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<String>,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A line of an entry.
#[derive(Serialize, ToSchema)]
pub struct PostingItem {
    /// A grant, a hold, or `debt`, `funding`, `consumed`, `expired`, `adjustment`.
    #[schema(example = "grant_1")]
    account: String,
    amount: String,
    /// What the account held after it.
    balance: String,
}

impl EntryItem {
    fn new(EntryRow { entry, lines }: &EntryRow) -> Self {
        let Entry { seq, booked_at, draft, hash, .. } = entry;
        Self {
            id: seq.to_string(),
            kind: draft.kind.name(),
            happened_at: draft.happened_at,
            booked_at: *booked_at,
            cause: draft.cause.clone(),
            names: Names::of(&draft.kind),
            hash: hex(hash),
            postings: lines.iter().map(PostingItem::new).collect(),
        }
    }
}

impl Names {
    fn of(kind: &EntryKind) -> Self {
        let id = |id: &dyn ToString| Some(id.to_string());
        let none = Self::default();
        match kind {
            EntryKind::RateCard { version, terms } => Self { version: id(version), terms: Some(hex(terms)), ..none },
            EntryKind::Grant { grant, terms } => {
                Self { grant: id(grant), terms: terms.as_ref().map(|terms| hex(terms)), ..none }
            }
            EntryKind::Usage { first, last, root } => {
                Self { first_event: id(first), last_event: id(last), root: Some(hex(root)), ..none }
            }
            EntryKind::Expiry { grant } | EntryKind::Repayment { grant } => Self { grant: id(grant), ..none },
            EntryKind::Rollover { grant, child, terms } => {
                Self { grant: id(grant), child: id(child), terms: Some(hex(terms)), ..none }
            }
            EntryKind::Hold { hold, terms } => Self { hold: id(hold), terms: Some(hex(terms)), ..none },
            EntryKind::Extension { hold, until } => Self { hold: id(hold), until: Some(*until), ..none },
            EntryKind::Capture { hold, event, root } => {
                Self { hold: id(hold), event: id(event), root: Some(hex(root)), ..none }
            }
            EntryKind::Release { hold } | EntryKind::HoldExpiry { hold } => Self { hold: id(hold), ..none },
            EntryKind::Void { event, replacement, refund, reason, tiers: _ } => Self {
                event: id(event),
                replacement: replacement.map(|seq| seq.to_string()),
                grant: refund.map(|(grant, _)| grant.to_string()),
                terms: refund.map(|(_, terms)| hex(&terms)),
                reason: Some(reason.clone()),
                ..none
            },
            EntryKind::Adjustment { grant, terms, reason } => Self {
                grant: id(grant),
                terms: terms.as_ref().map(|terms| hex(terms)),
                reason: Some(reason.clone()),
                ..none
            },
        }
    }
}

impl PostingItem {
    fn new(Line { posting, balance }: &Line) -> Self {
        let (amount, balance) = (posting.amount.to_string(), balance.to_string());
        Self { account: posting.account.to_string(), amount, balance }
    }
}

/// That an event is in the ledger. Hashes and bytes in hexadecimal.
#[derive(Serialize, ToSchema)]
#[schema(title = "Proof")]
pub struct ProofItem {
    #[schema(example = "event_12")]
    event: String,
    /// The event's canonical bytes.
    leaf: String,
    leaf_hash: String,
    /// Its place among the entry's events, counted from 0.
    index: u64,
    /// How many events the entry covers.
    size: u64,
    /// The neighbours on the way to the root, lowest first.
    path: Vec<String>,
    root: String,
    /// The entry that binds the root.
    entry: EntryItem,
    /// The hash of the entry before.
    previous_hash: String,
    /// The end of the chain now.
    chain_head: HeadItem,
}

impl ProofItem {
    fn new(proof: &EventProof, row: &EntryRow) -> Self {
        // The root of a tree of one leaf is that leaf's hash.
        let leaf_hash = Proof { index: 0, size: 1, path: Vec::new() }.root(&proof.leaf).unwrap_or_default();
        let root = proof.proof.root(&proof.leaf).unwrap_or_default();
        Self {
            event: proof.seq.to_string(),
            leaf: hex(&proof.leaf),
            leaf_hash: hex(&leaf_hash),
            index: proof.proof.index,
            size: proof.proof.size,
            path: proof.proof.path.iter().map(|hash| hex(hash)).collect(),
            root: hex(&root),
            entry: EntryItem::new(row),
            previous_hash: hex(&proof.previous),
            chain_head: HeadItem::new(proof.head),
        }
    }
}

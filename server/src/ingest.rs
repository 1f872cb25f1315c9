//! Settling many events at once: what was readable goes to the store in one call, what was not is named.
//!
//! The JSON API and the import both come through here. A bad item costs its neighbours nothing. At most
//! [`MAX_ERRORS`] items are described; the others are only counted, so that an answer stays small.

use crate::access::Caller;
use ledger::event::Form;
use ledger::{Credits, Event, OrgId, Refusal};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::{Ingested, Outcome, Store, StoreError};
use utoipa::ToSchema;

/// Items described in one answer.
pub const MAX_ERRORS: usize = 100;
/// How much of an item's id is repeated.
const MAX_ID_CHARS: usize = 128;

/// An item as it was read: an event, or why it is none.
pub type Item = Result<Event, ItemError>;

/// Why an item was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemError {
    /// Its place in what was sent, from 0.
    #[schema(example = 2)]
    pub index: u64,
    /// Its id, if one could be read.
    #[schema(example = "run-7/step-3")]
    pub id: Option<String>,
    /// Stable; what programs compare.
    #[schema(example = "unknown_meter")]
    pub code: Cow<'static, str>,
    /// What to do.
    pub detail: String,
}

impl ItemError {
    /// From a rule that said no.
    #[must_use]
    pub fn refused(index: u64, id: Option<&str>, refusal: &Refusal) -> Self {
        Self { index, id: id.map(shown), code: Cow::Borrowed(refusal.code()), detail: refusal.to_string() }
    }
}

/// What became of the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// Rated and posted now.
    #[schema(example = 2)]
    pub accepted: u64,
    /// Accepted before with the same content: nothing was posted.
    #[schema(example = 0)]
    pub duplicate: u64,
    /// Not accepted: see `errors`.
    #[schema(example = 1)]
    pub rejected: u64,
    /// Credits charged for what was accepted now.
    #[schema(value_type = String, example = "0.003100")]
    pub credits: Credits,
    /// Credits available afterwards.
    #[schema(value_type = String, example = "9.996900")]
    pub balance: Credits,
    /// The items that were not accepted, the first 100 of them.
    pub errors: Vec<ItemError>,
    /// How many more were not accepted than `errors` describes.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub errors_omitted: u64,
    /// How many are described at most.
    #[serde(skip, default = "max_errors")]
    #[schema(ignore)]
    most_errors: usize,
}

const fn max_errors() -> usize {
    MAX_ERRORS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Tally {
    /// Before anything was settled.
    #[must_use]
    pub const fn new(balance: Credits) -> Self {
        Self {
            accepted: 0,
            duplicate: 0,
            rejected: 0,
            credits: Credits::ZERO,
            balance,
            errors: Vec::new(),
            errors_omitted: 0,
            most_errors: MAX_ERRORS,
        }
    }

    /// How many items it counts.
    #[must_use]
    pub const fn items(&self) -> u64 {
        self.accepted + self.duplicate + self.rejected
    }

    /// Counts an item that was not accepted.
    pub fn reject(&mut self, error: ItemError) {
        self.rejected += 1;
        if self.errors.len() < self.most_errors {
            self.errors.push(error);
        } else {
            self.errors_omitted += 1;
        }
    }

    /// Adds what became of later items.
    ///
    /// # Errors
    /// Where the credits do not fit; each part alone was posted.
    pub fn add(&mut self, later: Self) -> Result<(), Refusal> {
        self.accepted += later.accepted;
        self.duplicate += later.duplicate;
        self.credits = self.credits.plus(later.credits)?;
        self.balance = later.balance;
        let described = later.errors.len() as u64;
        later.errors.into_iter().for_each(|error| self.reject(error));
        self.rejected += later.rejected - described;
        self.errors_omitted += later.errors_omitted;
        Ok(())
    }
}

/// Settles items in one store call; at most [`store::MAX_BATCH`]. `first` is the place of the first. At most
/// `most_errors` items are described.
///
/// # Errors
/// Where the store could not take them at all: then none was.
pub async fn settle(
    store: &Store,
    org: OrgId,
    cause: String,
    first: u64,
    items: Vec<Item>,
    most_errors: usize,
) -> Result<Tally, StoreError> {
    settle_by(store, org, first, items, most_errors, async |events| store.ingest(org, cause, events).await).await
}

/// The same for a past that is brought in; all items that were not accepted are described.
///
/// # Errors
/// As [`settle`].
pub async fn import(store: &Store, org: OrgId, cause: String, items: Vec<Item>) -> Result<Tally, StoreError> {
    settle_by(store, org, 0, items, usize::MAX, async |events| store.import(org, cause, events).await).await
}

async fn settle_by(
    store: &Store,
    org: OrgId,
    first: u64,
    items: Vec<Item>,
    most_errors: usize,
    take: impl AsyncFnOnce(Vec<Event>) -> Result<Ingested, StoreError>,
) -> Result<Tally, StoreError> {
    let (mut events, mut places, mut errors) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new());
    for (index, item) in (first..).zip(items) {
        match item {
            Ok(event) => {
                places.push((index, event.id.to_string()));
                events.push(event);
            }
            Err(error) => errors.push(error),
        }
    }
    let mut tally = if events.is_empty() {
        Tally::new(store.balance(org).await?.available)
    } else {
        let ingested = take(events).await?;
        let mut tally = Tally { credits: ingested.credits, ..Tally::new(ingested.balance.available) };
        for (outcome, (index, id)) in ingested.outcomes.into_iter().zip(places) {
            match outcome {
                Outcome::Accepted { .. } => tally.accepted += 1,
                Outcome::Duplicate { .. } => tally.duplicate += 1,
                Outcome::Refused(refusal) => errors.push(ItemError::refused(index, Some(&id), &refusal)),
            }
        }
        tally
    };
    tally.most_errors = most_errors;
    errors.sort_by_key(|error| error.index);
    errors.into_iter().for_each(|error| tally.reject(error));
    crate::telemetry::count_events(tally.accepted, tally.duplicate, tally.rejected);
    Ok(tally)
}

/// Refuses the events outside of the project that a key is bound to. `first` is the place of the first.
#[must_use]
pub fn confine(caller: &Caller, first: u64, items: Vec<Item>) -> Vec<Item> {
    if caller.project.is_none() {
        return items;
    }
    let check = |(index, item): (u64, Item)| {
        let event = item?;
        if caller.reaches(event.project.as_ref().map(|project| project.id.as_str())) {
            return Ok(event);
        }
        let (id, detail) = (Some(shown(event.id.as_str())), caller.only_project());
        Err(ItemError { index, id, code: Cow::Borrowed("wrong_project"), detail })
    };
    (first..).zip(items).map(check).collect()
}

/// Reads one item of JSON text.
///
/// # Errors
/// What is wrong with it.
pub fn read_item(index: u64, text: &str, form: Form) -> Item {
    // What reads objects would take an array of their values too.
    let event = if text.trim_start().starts_with('{') {
        Event::from_json(text, form)
    } else {
        Err(Refusal::BadEvent { problem: "an event is a JSON object".to_owned() })
    };
    event.map_err(|refusal| ItemError::refused(index, id_of(text).as_deref(), &refusal))
}

/// The id of an item that is no event: whatever can be found, for whoever looks for the mistake.
#[must_use]
pub fn id_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: Option<serde_json::Value>,
    }
    if !text.trim_start().starts_with('{') {
        return None;
    }
    match serde_json::from_str::<OnlyId>(text).ok()?.id? {
        serde_json::Value::String(id) => Some(id),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Cut and without what a terminal or a log would act on.
fn shown(id: &str) -> String {
    id.chars().filter(|c| !c.is_control()).take(MAX_ID_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(count: u64) -> Tally {
        let mut tally = Tally::new(Credits::ZERO);
        for index in 0..count {
            tally.reject(ItemError::refused(index, None, &Refusal::NegativeQuantity));
        }
        tally
    }

    #[test]
    fn all_are_counted_and_the_first_hundred_named() {
        let mut tally = rejected(60);
        tally.add(rejected(150)).expect("fits");
        assert_eq!((tally.rejected, tally.errors.len(), tally.errors_omitted), (210, 100, 110));
    }

    #[test]
    fn ids_are_found_in_bad_items_cleaned_and_cut() {
        let read = |text: &str| read_item(3, text, Form::Plain).expect_err("no event");
        assert_eq!(read(r#"{"id":7}"#).id.as_deref(), Some("7"));
        assert_eq!(read(r#"{"id":"a\u001b[31m"}"#).id.as_deref(), Some("a[31m"));
        assert_eq!(read(r#"{"id":["deep"]}"#).id, None);
        assert_eq!(read("[1]").id, None);
        let long = read(&format!(r#"{{"id":"{}"}}"#, "x".repeat(10_000)));
        assert_eq!((long.index, long.id.map(|id| id.len())), (3, Some(MAX_ID_CHARS)));
    }
}

//! What lists and readings are asked by: limits, cursors and instants in the address.

use super::members::instant;
use crate::problem::Problem;
use serde::de::DeserializeOwned;
use store::At;

/// Things on a page where nothing is said.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most things on a page.
pub const MAX_LIMIT: u32 = 100;

/// Reads the parameters of an address.
///
/// # Errors
/// 400 `bad_query`, also for a parameter that is not known.
pub fn query<T: DeserializeOwned>(text: Option<String>) -> Result<T, Problem> {
    serde_urlencoded::from_str(&text.unwrap_or_default()).map_err(|error| bad_query(error.to_string()))
}

/// How many are wanted.
///
/// # Errors
/// 400 `bad_query`.
pub fn limit(said: Option<u32>) -> Result<u32, Problem> {
    let limit = said.unwrap_or(DEFAULT_LIMIT);
    let fits = (1..=MAX_LIMIT).contains(&limit);
    fits.then_some(limit).ok_or_else(|| bad_query(format!("limit must be 1 to {MAX_LIMIT}")))
}

/// A cursor is a place in an order, written so that nobody is tempted to compute one.
#[must_use]
pub fn cursor_of(number: i64) -> String {
    format!("c{number:x}")
}

/// The place that a cursor names.
///
/// # Errors
/// 400 `bad_cursor`.
pub fn number_of(cursor: &str) -> Result<i64, Problem> {
    let number = cursor.strip_prefix('c').and_then(|hex| i64::from_str_radix(hex, 16).ok());
    number.filter(|number| *number > 0).ok_or_else(bad_cursor)
}

/// 400: what was given is no cursor of this list.
#[must_use]
pub fn bad_cursor() -> Problem {
    Problem::bad_request("bad_cursor", "use next_cursor of the page before as it was given")
}

/// Cuts a list that was read with one thing too many; tells the cursor of the next page if there is one.
pub fn cut<T>(items: &mut Vec<T>, limit: u32, number: impl Fn(&T) -> i64) -> Option<String> {
    let is_full = items.len() > limit as usize;
    items.truncate(limit as usize);
    items.last().filter(|_| is_full).map(|last| cursor_of(number(last)))
}

/// An instant in an address, where an unescaped + of an offset arrives as a space.
///
/// # Errors
/// 400 `bad_query`.
pub fn time(name: &'static str, said: Option<String>) -> Result<Option<ledger::Timestamp>, Problem> {
    let read = |text: String| instant(name, &text.replace(' ', "+")).map_err(|problem| bad_query(problem.detail));
    said.map(read).transpose()
}

/// The two times of a reading.
///
/// # Errors
/// 400 `bad_query`.
pub fn at(as_of: Option<String>, as_known_at: Option<String>) -> Result<At, Problem> {
    Ok(At { as_of: time("as_of", as_of)?, as_known_at: time("as_known_at", as_known_at)? })
}

/// 400: the address cannot be read.
#[must_use]
pub fn bad_query(detail: impl Into<String>) -> Problem {
    Problem::bad_request("bad_query", detail)
}

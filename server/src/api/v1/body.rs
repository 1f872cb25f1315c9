//! Reading the body of `POST /api/v1/events`: four content types become one list of items. How bytes come in, and what
//! headers say of them, other writes read here too.
//!
//! The body as a whole is refused only where items cannot be told apart: not JSON, not UTF-8, too large, too many.
//! Whatever is wrong inside an item is that item's problem. Items stay raw text until each is read, so nesting depth and
//! size of one harm no other.

use crate::config::Config;
use crate::ingest::{Item, ItemError, read_item};
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures::StreamExt as _;
use ledger::event::{BinaryAttributes, Event, Form};
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::time::Duration;

/// What the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// One CloudEvent in structured mode.
    Structured,
    /// One CloudEvent in binary mode: attributes in `ce-` headers, `data` in the body.
    Binary,
    /// An array of CloudEvents.
    Batch,
    /// An object or an array of the same shape, `specversion` not needed.
    Plain,
    /// One object per line, read as a stream.
    Lines,
}

impl Media {
    /// What the headers say it is.
    ///
    /// # Errors
    /// 415 naming what is read.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let is_binary = headers.contains_key("ce-specversion") || headers.contains_key("ce-type");
        let Some(essence) = essence(headers).map_err(unsupported)? else {
            // An event without data has no content type.
            return if is_binary { Ok(Self::Binary) } else { Err(unsupported("no content type")) };
        };
        match essence.as_str() {
            "application/cloudevents+json" => Ok(Self::Structured),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            "application/json" if is_binary => Ok(Self::Binary),
            "application/json" => Ok(Self::Plain),
            other => Err(unsupported(other)),
        }
    }
}

/// The content type in lower case without its parameters, if one is said; what is wrong with it, where it is of no use.
fn essence(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err("a Content-Encoding");
    }
    let Some(said) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let said = said.to_str().map_err(|_| "a content type that is not ASCII")?;
    let (essence, parameters) = said.split_once(';').unwrap_or((said, ""));
    let other_charset = |p: &str| {
        let value = p.trim().to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned);
        value.is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"))
    };
    if parameters.split(';').any(other_charset) {
        return Err("a charset other than UTF-8");
    }
    Ok(Some(essence.trim().to_ascii_lowercase()))
}

fn unsupported(said: &str) -> Problem {
    let known = "application/json, application/cloudevents+json, application/cloudevents-batch+json or \
                 application/x-ndjson, in UTF-8";
    not_read(said, known)
}

fn not_read(said: &str, known: &str) -> Problem {
    let said: String = said.chars().filter(|c| !c.is_control()).take(100).collect();
    let detail = format!("{said} is not read here: send {known}");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

/// Makes sure that the headers say JSON.
///
/// # Errors
/// 415.
pub fn only_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |said: &str| not_read(said, "application/json, in UTF-8");
    match essence(headers).map_err(refuse)?.as_deref() {
        Some("application/json") => Ok(()),
        Some(other) => Err(refuse(other)),
        None => Err(refuse("no content type")),
    }
}

/// Makes sure that the headers say CSV.
///
/// # Errors
/// 415.
pub fn only_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |said: &str| not_read(said, "text/csv, in UTF-8");
    match essence(headers).map_err(refuse)?.as_deref() {
        Some("text/csv") => Ok(()),
        Some(other) => Err(refuse(other)),
        None => Err(refuse("no content type")),
    }
}

/// A body's text.
///
/// # Errors
/// 400 `bad_utf8`.
pub fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the body is not UTF-8: the byte at {} cannot be read", error.valid_up_to());
        Problem::bad_request("bad_utf8", detail)
    })
}

/// Reads all items of a body that is not a stream.
///
/// # Errors
/// Where items cannot be told apart.
pub async fn read(config: &Config, media: Media, headers: &HeaderMap, body: Body) -> Result<Vec<Item>, Problem> {
    let max = config.max_body_bytes;
    let too_large = || format!("the body is above {max} bytes: send it in parts");
    let bytes = collect(config, max, headers, body, too_large).await?;
    let text = utf8(&bytes)?;
    let form = if media == Media::Plain { Form::Plain } else { Form::CloudEvent };
    let is_list = text.trim_start().starts_with('[');
    match media {
        Media::Binary => Ok(vec![binary(headers, text)?]),
        Media::Structured if is_list => {
            Err(not_json("a batch needs the content type application/cloudevents-batch+json"))
        }
        Media::Batch if !is_list => Err(not_json("a batch is an array of events")),
        Media::Plain | Media::Batch if is_list => list(text, form, config.max_batch_items),
        Media::Plain | Media::Batch | Media::Structured | Media::Lines => {
            let one: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error))?;
            Ok(vec![read_item(0, one.get(), form)])
        }
    }
}

/// The whole body, if it has at most `max` bytes and keeps coming in; `advice` says what to do with a larger one.
///
/// # Errors
/// 413, 408, or 400 where the connection broke.
pub async fn collect(
    config: &Config,
    max: usize,
    headers: &HeaderMap,
    body: Body,
    advice: impl Fn() -> String,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::too_large("body_too_large", advice());
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    let mut pieces = Pieces::new(config, body);
    let mut whole = Vec::with_capacity(usize::try_from(declared.unwrap_or_default()).unwrap_or_default());
    while let Some(piece) = pieces.next().await? {
        if whole.len() + piece.len() > max {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(Bytes::from(whole))
}

/// A body, piece by piece; a client that stops sending is not waited for.
pub struct Pieces {
    stream: axum::body::BodyDataStream,
    patience: Duration,
}

impl Pieces {
    /// Over `body`.
    #[must_use]
    pub fn new(config: &Config, body: Body) -> Self {
        Self { stream: body.into_data_stream(), patience: Duration::from_secs(config.request_timeout_s) }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// 408 where nothing came in time, 400 where the connection broke.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body stopped coming in: send it again");
        let broken = |_| Problem::bad_request("body_broken", "the body broke off: send it again");
        let piece = tokio::time::timeout(self.patience, self.stream.next()).await.map_err(|_| late())?;
        piece.transpose().map_err(broken)
    }
}

fn list(text: &str, form: Form, max: usize) -> Result<Vec<Item>, Problem> {
    match serde_json::from_str::<RawList<'_>>(text).map_err(|error| syntax(&error))? {
        RawList::Items(items) if items.len() <= max => {
            Ok((0_u64..).zip(items).map(|(index, raw)| read_item(index, raw.get(), form)).collect())
        }
        RawList::Items(_) | RawList::TooMany => {
            let detail = format!("a batch has at most {max} events: send it in parts, or as application/x-ndjson");
            Err(Problem::too_large("too_many_items", detail))
        }
    }
}

/// The items of an array, unread; no more than any batch may have are kept.
enum RawList<'a> {
    Items(Vec<&'a RawValue>),
    TooMany,
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for RawList<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = RawList<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut kept: Vec<&'de RawValue> = Vec::new();
                while let Some(item) = items.next_element()? {
                    if kept.len() == store::MAX_BATCH {
                        while items.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        return Ok(RawList::TooMany);
                    }
                    kept.push(item);
                }
                Ok(RawList::Items(kept))
            }
        }
        deserializer.deserialize_seq(Items)
    }
}

fn binary(headers: &HeaderMap, body: &str) -> Result<Item, Problem> {
    let attribute = |name: &str| headers.get(name).map(|value| decoded(name, value.as_bytes())).transpose();
    let attributes = BinaryAttributes {
        specversion: attribute("ce-specversion")?,
        id: attribute("ce-id")?,
        source: attribute("ce-source")?,
        operation: attribute("ce-type")?,
        subject: attribute("ce-subject")?,
        time: attribute("ce-time")?,
    };
    if !body.trim().is_empty() {
        // Told apart from what is wrong with the event: this is no JSON at all.
        serde_json::from_str::<&RawValue>(body).map_err(|error| syntax(&error))?;
    }
    let id = attributes.id.clone();
    Ok(Event::from_binary(attributes, body).map_err(|refusal| ItemError::refused(0, id.as_deref(), &refusal)))
}

/// The text of a `ce-` header: percent-encoded UTF-8, as CloudEvents' HTTP binding §3.1.3.2 says.
fn decoded(name: &str, value: &[u8]) -> Result<String, Problem> {
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("bad_utf8", format!("the header {name} is not UTF-8")))
}

/// 400 `not_json`, in words.
#[must_use]
pub fn not_json(detail: &str) -> Problem {
    Problem::bad_request("not_json", format!("the body cannot be read: {detail}"))
}

fn syntax(error: &serde_json::Error) -> Problem {
    let said: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    not_json(&format!("it is not JSON: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn media(content_type: &'static str, binary: bool) -> Result<Media, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if binary {
            headers.insert("ce-type", HeaderValue::from_static("x"));
        }
        Media::of(&headers).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn content_types_are_told_apart() {
        assert_eq!(media("application/json", false), Ok(Media::Plain));
        assert_eq!(media("Application/JSON; charset=UTF-8", false), Ok(Media::Plain));
        assert_eq!(media("application/json", true), Ok(Media::Binary));
        assert_eq!(media("application/cloudevents+json; charset=\"utf-8\"", true), Ok(Media::Structured));
        assert_eq!(media("application/cloudevents-batch+json", false), Ok(Media::Batch));
        assert_eq!(media("application/x-ndjson", false), Ok(Media::Lines));
        for other in ["text/plain", "application/xml", "application/json; charset=latin1", ""] {
            assert_eq!(media(other, false), Err(415), "{other}");
        }
    }

    #[test]
    fn headers_are_percent_decoded() {
        assert_eq!(decoded("ce-id", b"a%20b%E2%82%AC%zz%").expect("UTF-8"), "a b€%zz%");
        assert!(decoded("ce-id", b"%ff").is_err());
    }

    #[test]
    fn deep_nesting_and_long_lists_cost_nothing() {
        let deep = format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
        let items = list(&deep, Form::Plain, 10).expect("an array of one");
        assert_eq!(items[0].as_ref().expect_err("no event").code, "bad_event");
        let many = format!("[{}1]", "1,".repeat(100_000));
        assert_eq!(list(&many, Form::Plain, 10_000).expect_err("too many").code, "too_many_items");
        let few = list("[1,2,3]", Form::Plain, 2).expect_err("too many");
        assert_eq!(few.code, "too_many_items");
        assert_eq!(list("[1,2", Form::Plain, 2).expect_err("cut").code, "not_json");
    }
}

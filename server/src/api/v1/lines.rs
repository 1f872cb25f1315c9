//! `application/x-ndjson`: events settled while they come in, so that a body may be larger than memory should hold.
//!
//! Every [`SLICE`] lines are one store call. Bounds: a line, the body, the time between two pieces. What was settled
//! before something went wrong stays settled, and the problem says how much that was: sending all of it again is safe.

use super::body::Pieces;
use crate::access::Caller;
use crate::ingest::{Item, ItemError, MAX_ERRORS, Tally, confine, read_item, settle};
use crate::problem::Problem;
use crate::state::AppState;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use ledger::event::Form;
use std::borrow::Cow;
use std::time::Duration;
use store::StoreError;

/// Lines of one store call: large enough for a commit to be cheap per line, small enough not to hold up others.
const SLICE: usize = 1_000;
/// Longest line: every label, attribute and text of one event at its limit fits.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// How often, and how long apart, a full queue is tried again before the stream is given up: some five seconds.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Settles a stream of lines.
///
/// # Errors
/// Where the stream cannot be read to its end, with what became of the lines before.
pub async fn settle_stream(app: &AppState, caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Tally, Problem> {
    let max = app.config.max_stream_bytes;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    let mut stream = Stream::new(app, caller, app.store.balance(caller.org).await?.available);
    let mut pieces = Pieces::new(&app.config, body);
    let mut read_bytes = 0_u64;
    let ended = loop {
        match pieces.next().await {
            Ok(Some(piece)) => {
                read_bytes += piece.len() as u64;
                if read_bytes > max {
                    break Err(too_large(max));
                }
                if let Err(problem) = stream.take(&piece).await {
                    break Err(problem);
                }
            }
            Ok(None) => break stream.finish().await,
            Err(problem) => break Err(problem),
        }
    };
    match ended {
        Ok(()) => Ok(stream.tally),
        Err(problem) => Err(problem.with(&stream.tally)),
    }
}

fn too_large(max: u64) -> Problem {
    Problem::too_large("body_too_large", format!("a stream of lines is above {max} bytes: send it in parts"))
}

struct Stream<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    /// The line that is coming in, up to one byte more than it may have.
    line: Vec<u8>,
    items: Vec<Item>,
    /// Place of the next line that is not blank.
    next: u64,
    tally: Tally,
}

impl<'a> Stream<'a> {
    fn new(app: &'a AppState, caller: &'a Caller, balance: ledger::Credits) -> Self {
        Self { app, caller, line: Vec::new(), items: Vec::with_capacity(SLICE), next: 0, tally: Tally::new(balance) }
    }

    async fn take(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
            if self.items.len() >= SLICE {
                self.settle().await?;
            }
        }
        self.keep(rest);
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) {
        let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end_line(&mut self) {
        let line = self.line.trim_ascii();
        if !line.is_empty() {
            self.items.push(read_line(self.next, line, self.line.len() > MAX_LINE_BYTES));
            self.next += 1;
        }
        self.line.clear();
    }

    async fn finish(&mut self) -> Result<(), Problem> {
        self.end_line();
        if self.items.is_empty() { Ok(()) } else { self.settle().await }
    }

    /// One store call. A full queue is waited for: the stream's sender feels that as back-pressure.
    async fn settle(&mut self) -> Result<(), Problem> {
        let items = std::mem::replace(&mut self.items, Vec::with_capacity(SLICE));
        let first = self.next - items.len() as u64;
        let items = confine(self.caller, first, items);
        for _ in 0..TRIES {
            let cause = self.caller.cause();
            match settle(&self.app.store, self.caller.org, cause, first, items.clone(), MAX_ERRORS).await {
                Err(StoreError::Busy) => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(error) => return Err(error.into()),
                Ok(later) => return self.tally.add(later).map_err(Problem::from),
            }
        }
        Err(StoreError::Busy.into())
    }
}

fn read_line(index: u64, line: &[u8], is_cut: bool) -> Item {
    let error = |code, detail| ItemError { index, id: None, code: Cow::Borrowed(code), detail };
    if is_cut {
        return Err(error("line_too_long", format!("the line is above {MAX_LINE_BYTES} bytes: split the event")));
    }
    let text = std::str::from_utf8(line).map_err(|bad| {
        error("bad_utf8", format!("the line is not UTF-8: its byte at {} cannot be read", bad.valid_up_to()))
    })?;
    if let Err(bad) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let said: String = bad.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(error("not_json", format!("the line is not JSON: {said}")));
    }
    read_item(index, text, Form::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_line_has_its_own_code() {
        let code = |line: &[u8], is_cut| read_line(0, line, is_cut).expect_err("bad").code;
        assert_eq!(code(b"{", false), "not_json");
        assert_eq!(code(b"\xff", false), "bad_utf8");
        assert_eq!(code(b"{}", true), "line_too_long");
        assert_eq!(code(b"{}", false), "missing_field");
        assert_eq!(code(b"[1]", false), "bad_event");
    }
}

//! Many interactions mapped by one CSV: columns `interaction`, `user` and `tenant` in any order, by comma or semicolon. Bad lines are
//! named, good ones are done.
//!
//! The page and the API read it here. Bounds: [`MAX_BYTES`], [`MAX_LINES`]; of what is wrong at most [`MAX_TOLD`] lines are told.

use csv::{ReaderBuilder, StringRecord};
use ledger::{Label, OrgId, Refusal};
use serde::Serialize;
use std::collections::HashMap;
use store::interaction::{Mapping, Outcome};
use store::{By, Store, StoreError};
use utoipa::ToSchema;

/// Most bytes of a CSV.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most lines below its head: some seconds of work, in small steps.
pub const MAX_LINES: usize = 10_000;
/// Lines that are told to be wrong; how many there are is counted.
pub const MAX_TOLD: usize = 100;

/// A line that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(title = "MappingError")]
pub struct BadLine {
    /// From 1 on; the head is line 1.
    #[schema(example = 7)]
    pub line: u64,
    /// A stable code.
    #[schema(example = "bad_label")]
    pub code: &'static str,
    /// What to do.
    pub detail: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Interactions that are mapped otherwise than before.
    pub mapped: usize,
    /// Interactions that were mapped so already.
    pub unchanged: usize,
    /// Lines that were not done.
    pub rejected: usize,
    /// The first of those.
    pub errors: Vec<BadLine>,
}

impl Report {
    fn reject(&mut self, line: u64, code: &'static str, detail: String) {
        self.rejected += 1;
        if self.errors.len() < MAX_TOLD {
            self.errors.push(BadLine { line, code, detail });
        }
    }
}

/// A CSV that cannot be read at all: a code and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable(pub &'static str, pub String);

/// Reads a CSV and maps what it says.
///
/// # Errors
/// Where its columns cannot be told or it has too many lines, which does nothing; outside, what the store says.
pub async fn map(store: &Store, org: OrgId, by: By, text: &str) -> Result<Result<Report, Unreadable>, StoreError> {
    let (good, mut report) = match read(text) {
        Ok(read) => read,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let lines: HashMap<Label, u64> = good.iter().map(|(line, m)| (m.interaction.clone(), *line)).collect();
    let mappings = good.into_iter().map(|(_, mapping)| mapping).collect();
    for (interaction, outcome) in store.map_interactions(org, by, mappings).await? {
        match outcome {
            Outcome::Changed => report.mapped += 1,
            Outcome::Unchanged => report.unchanged += 1,
            Outcome::Pruned => {
                let line = lines.get(&interaction).copied().unwrap_or_default();
                let why = "details of its events are no longer kept, so for whom they counted stays as it is";
                report.reject(line, "details_pruned", why.to_owned());
            }
            Outcome::TooMany => {
                let line = lines.get(&interaction).copied().unwrap_or_default();
                report.reject(line, "too_many", StoreError::TooMany("it has more than 10,000 events").to_string());
            }
        }
    }
    report.errors.sort_by_key(|bad| bad.line);
    Ok(Ok(report))
}

type Read = (Vec<(u64, Mapping)>, Report);

fn read(text: &str) -> Result<Read, Unreadable> {
    let text = text.trim_start_matches('\u{FEFF}');
    let head = text.lines().next().unwrap_or_default();
    let delimiter = if head.contains(';') && !head.contains(',') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let columns = columns(reader.headers().ok())?;
    let (mut good, mut report) = (Vec::new(), Report::default());
    let mut seen: HashMap<Label, u64> = HashMap::new();
    let mut record = StringRecord::new();
    let mut lines = Lines { text: text.as_bytes(), place: 0, line: 1 };
    loop {
        let line = lines.at(reader.position().byte());
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                report.reject(line, "unreadable", error.to_string());
                continue;
            }
        }
        if good.len() + report.rejected >= MAX_LINES {
            let detail = format!("it has more than {MAX_LINES} lines: send it in parts");
            return Err(Unreadable("too_many_items", detail));
        }
        match mapping(&record, &columns) {
            Ok(mapping) => match seen.insert(mapping.interaction.clone(), line) {
                None => good.push((line, mapping)),
                Some(first) => {
                    seen.insert(mapping.interaction.clone(), first);
                    let detail = format!("line {first} maps this interaction already: leave one of them out");
                    report.reject(line, "repeated", detail);
                }
            },
            Err((code, detail)) => report.reject(line, code, detail),
        }
    }
    Ok((good, report))
}

/// Counts lines as people do: the reader's own count is one behind where lines end as on Windows.
struct Lines<'t> {
    text: &'t [u8],
    place: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of what begins at a byte or after the ends of lines there; bytes come in order.
    fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let ends = self.text[byte..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let to = byte + ends;
        self.line += self.text[self.place..to].iter().filter(|b| **b == b'\n').count() as u64;
        self.place = to;
        self.line
    }
}

/// Where interaction, user and tenant stand.
struct Columns {
    interaction: usize,
    user: Option<usize>,
    tenant: Option<usize>,
    count: usize,
}

fn columns(head: Option<&StringRecord>) -> Result<Columns, Unreadable> {
    let bad = || {
        let detail =
            "the first line must name the columns: interaction, and user, tenant or both; nothing else is read";
        Unreadable("bad_head", detail.to_owned())
    };
    let names: Vec<String> = head.ok_or_else(bad)?.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let (interaction, user, tenant) = (place("interaction").ok_or_else(bad)?, place("user"), place("tenant"));
    let count = 1 + usize::from(user.is_some()) + usize::from(tenant.is_some());
    if count == 1 || names.len() != count {
        return Err(bad());
    }
    Ok(Columns { interaction, user, tenant, count })
}

fn mapping(record: &StringRecord, columns: &Columns) -> Result<Mapping, (&'static str, String)> {
    if record.len() != columns.count {
        return Err(("bad_line", format!("it has {} columns, the first line {}", record.len(), columns.count)));
    }
    let said = |refusal: Refusal| (refusal.code(), refusal.to_string());
    let label = |field: &'static str, place: Option<usize>| {
        let text = place.and_then(|place| record.get(place)).map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| Label::parse(field, text)).transpose().map_err(said)
    };
    let interaction = label("interaction", Some(columns.interaction))?;
    let interaction = interaction.ok_or_else(|| said(Refusal::MissingField { field: "interaction" }))?;
    let (user, tenant) = (label("user", columns.user)?, label("tenant", columns.tenant)?);
    if user.is_none() && tenant.is_none() {
        return Err(("maps_to_nobody", "it names neither user nor tenant".to_owned()));
    }
    Ok(Mapping { interaction, user, tenant })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Vec<String>, Vec<(u64, &'static str)>) {
        let (good, report) = read(text).expect("readable");
        let name = |label: Option<Label>| label.map_or_else(|| "-".to_owned(), |label| label.to_string());
        let good =
            good.into_iter().map(|(line, m)| format!("{line} {} {} {}", m.interaction, name(m.user), name(m.tenant)));
        (good.collect(), report.errors.into_iter().map(|bad| (bad.line, bad.code)).collect())
    }

    #[test]
    fn good_lines_are_read_and_bad_ones_named() {
        let text = "\u{FEFF}Tenant,interaction,user\r\nt1,i1,u1\r\n,i2,\" u,2 \"\nt3,,u3\n,i4,\nt5,i1,u5\nt6,i6\nt\u{202e}7,i7,u7\n\nt8,i8,\n";
        let (good, bad) = told(text);
        assert_eq!(good, ["2 i1 u1 t1", "3 i2 u,2 -", "10 i8 - t8"]);
        assert_eq!(
            bad,
            [(4, "missing_field"), (5, "maps_to_nobody"), (6, "repeated"), (7, "bad_line"), (8, "bad_label")]
        );
        assert_eq!(told("interaction;user\ni;u").0, ["2 i u -"]);
        let windows = "interaction,user\r\na,b\r\n\r\nc,\r\n\"d\r\n\",e\r\nf,\r\n";
        assert_eq!(
            told(windows),
            (vec!["2 a b -".to_owned(), "5 d e -".to_owned()], vec![(4, "maps_to_nobody"), (7, "maps_to_nobody")])
        );
    }

    #[test]
    fn what_has_no_columns_is_not_guessed() {
        for text in
            ["", "interaction", "i1,u1,t1", "interaction,user,user", "interaction,user,note\na,b,c", "user,tenant"]
        {
            assert_eq!(read(text).expect_err(text).0, "bad_head", "{text}");
        }
        let many: String = (0..=MAX_LINES).map(|n| format!("i{n},u\n")).collect();
        assert_eq!(read(&format!("interaction,user\n{many}")).expect_err("too many").0, "too_many_items");
    }
}

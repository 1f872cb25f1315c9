//! The CSV of the events behind a view: a line each, with all that they said, and what each meter used and cost.

use crate::exports::line;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use ledger::cube::MeterInfo;
use ledger::{Credits, Timestamp};
use store::ExportedEvent;

/// The columns before those of the meters.
const COLUMNS: [&str; 20] = [
    "event",
    "id",
    "time_utc",
    "time_local",
    "operation",
    "source",
    "project",
    "project_name",
    "workflow",
    "workflow_name",
    "run",
    "module",
    "user",
    "tenant",
    "interaction",
    "status",
    "bytes",
    "description",
    "attributes",
    "credits",
];

/// The first line.
#[must_use]
pub fn head(meters: &[MeterInfo]) -> String {
    let per_meter = meters.iter().flat_map(|m| [m.meter.to_string(), format!("{}_credits", m.meter)]);
    let cells: Vec<String> = COLUMNS.iter().map(|column| (*column).to_owned()).chain(per_meter).collect();
    let mut text = String::new();
    line(&mut text, cells.iter().map(String::as_str));
    text
}

/// A line of an event, with its time in UTC and in the org's zone.
pub fn row(text: &mut String, event: &ExportedEvent, zone: Tz) {
    let [operation, source, project, workflow, run, module, user, tenant, interaction] = &event.places;
    let name = |place: &store::event_export::Told| place.name.clone().unwrap_or_default();
    // Together they are at most what the ledger charged for the event, which fits.
    let credits = Credits::sum(event.used.iter().flatten().map(|(_, credits)| *credits)).unwrap_or_default();
    let (seq, utc, local) = (event.seq.to_string(), event.occurred_at.to_string(), local(event.occurred_at, zone));
    let (project_name, workflow_name) = (name(project), name(workflow));
    let (bytes, credits) = (event.bytes.to_string(), credits.to_string());
    let attributes = attributes(&event.attributes);
    let said: [&str; COLUMNS.len()] = [
        &seq,
        &event.id,
        &utc,
        &local,
        &operation.id,
        &source.id,
        &project.id,
        &project_name,
        &workflow.id,
        &workflow_name,
        &run.id,
        &module.id,
        &user.id,
        &tenant.id,
        &interaction.id,
        if event.failed { "failed" } else { "succeeded" },
        &bytes,
        event.description.as_deref().unwrap_or_default(),
        &attributes,
        &credits,
    ];
    let used: Vec<String> = event
        .used
        .iter()
        .flat_map(|used| {
            used.map_or_else(Default::default, |(quantity, credits)| [quantity.to_string(), credits.to_string()])
        })
        .collect();
    line(text, said.into_iter().chain(used.iter().map(String::as_str)));
}

/// A last line where the days begin before events whose details are no longer kept, booked up to an instant.
#[must_use]
pub fn pruned(until: Timestamp, zone: Tz, meters: usize) -> String {
    let mut cells = [""; COLUMNS.len()];
    let (utc, local) = (until.to_string(), local(until, zone));
    let say = "details of events booked up to this time are no longer kept, and are not in this file";
    (cells[0], cells[2], cells[3], cells[17]) = ("pruned", &utc, &local, say);
    let mut text = String::new();
    line(&mut text, cells.into_iter().chain(std::iter::repeat_n("", 2 * meters)));
    text
}

/// As a JSON object, so that any text of theirs stays one cell; nothing where there are none.
fn attributes(attributes: &[(String, String)]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let object: serde_json::Map<String, serde_json::Value> =
        attributes.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::Value::Object(object).to_string()
}

/// `2026-11-12T11:00:00+01:00`: with the offset, since one hour a year is there twice.
fn local(at: Timestamp, zone: Tz) -> String {
    at.to_chrono()
        .map_or_else(String::new, |utc| utc.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{EventSeq, Meter, Quantity};
    use std::sync::Arc;
    use store::event_export::Told;

    #[test]
    fn a_line_has_every_column_both_times_and_no_formula() {
        let told = |id: &str| Arc::new(Told { id: id.to_owned(), name: Some("=1+1".to_owned()) });
        let meter = |name: &str| MeterInfo {
            meter: Meter::parse(name).expect("a meter"),
            title: String::new(),
            unit: String::new(),
            service: String::new(),
        };
        let event = ExportedEvent {
            seq: EventSeq(7),
            id: "@SUM(A1)".to_owned(),
            occurred_at: Timestamp::parse("time", "2026-10-25T00:30:00Z").expect("a time"),
            places: ["op", "api", "p1", "w1", "", "", "=cmd|' /C calc'!A0", "", ""].map(told),
            failed: true,
            bytes: 12,
            description: Some("two\nlines, \"quoted\"".to_owned()),
            attributes: vec![("region".to_owned(), "eu".to_owned())],
            used: vec![Some((Quantity::from_units(3), Credits::from_micros(1_500_000))), None],
        };
        let mut text = head(&[meter("export"), meter("token")]);
        row(&mut text, &event, chrono_tz::Europe::Berlin);
        let (head, row) = text.split_once("\r\n").expect("two lines");
        assert!(head.ends_with("attributes,credits,export,export_credits,token,token_credits"), "{head}");
        assert!(
            row.starts_with("event_7,\"'@SUM(A1)\",2026-10-25T00:30:00Z,2026-10-25T02:30:00+02:00,op,api,p1,\"'=1+1\""),
            "{row}"
        );
        assert!(row.contains("\"'=cmd|' /C calc'!A0\"") && row.contains("\"two\nlines, \"\"quoted\"\"\""), "{row}");
        assert!(row.ends_with("\"{\"\"region\"\":\"\"eu\"\"}\",1.500000,3,1.500000,,\r\n"), "{row}");
    }
}

//! Reading events: CloudEvents 1.0 in, [`Event`] out; whatever is wrong with one is said here.
//!
//! Parsed once, at the edge. Cost: one pass over the text, no recursion (what is not looked at is skipped iteratively, so
//! that depth is no attack).
//!
//! Sources: CloudEvents 1.0.2 §3 (attributes) and its JSON format §3.1; what `data` holds is DESIGN §5.

use super::{Event, MAX_ATTRIBUTES, MAX_BYTES, MAX_COMPUTE_UNITS, MAX_QUANTITIES, Place, REPORTED_DECIMALS, Status};
use crate::decimal;
use crate::label::{Label, MAX_TEXT_BYTES, Meter, check_text};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// Whether CloudEvents' own obligations (`specversion`) hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Came as a CloudEvent: `specversion` must be there and say 1.0.
    CloudEvent,
    /// Came as plain JSON of the same shape: `specversion` may be left out.
    Plain,
}

/// The attributes of a CloudEvent in binary mode: what the `ce-` headers say.
#[derive(Debug, Default)]
pub struct BinaryAttributes {
    /// `ce-specversion`.
    pub specversion: Option<String>,
    /// `ce-id`.
    pub id: Option<String>,
    /// `ce-source`.
    pub source: Option<String>,
    /// `ce-type`.
    pub operation: Option<String>,
    /// `ce-subject`.
    pub subject: Option<String>,
    /// `ce-time`.
    pub time: Option<String>,
}

impl Event {
    /// Reads one event from JSON text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_json(text: &str, form: Form) -> Result<Self, Refusal> {
        let wire: Wire<'_> = object(text, "the event")?;
        wire.check(form)
    }

    /// Reads one event from `ce-` headers and a JSON body, which may be empty.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_binary(attributes: BinaryAttributes, body: &str) -> Result<Self, Refusal> {
        let data = if body.trim().is_empty() { None } else { Some(object(body, "data")?) };
        let wire = Wire {
            specversion: attributes.specversion,
            id: attributes.id,
            source: attributes.source,
            operation: attributes.operation,
            subject: attributes.subject,
            time: attributes.time,
            data: None,
            data_base64: None,
        };
        wire.check_with(data, Form::CloudEvent)
    }
}

/// Reads a JSON object. Said to be one first, since the reader of a struct takes an array of its values as well.
fn object<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, Refusal> {
    if !text.trim_start().starts_with('{') {
        return Err(Refusal::BadEvent { problem: format!("{what} is not a JSON object") });
    }
    serde_json::from_str(text).map_err(|error| refusal_of_json(&error, what))
}

/// The words of a JSON error without what could be an attack on a log or a page, and bounded.
fn refusal_of_json(error: &serde_json::Error, what: &str) -> Refusal {
    let problem: String = error.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
    if problem.contains("unknown field") {
        Refusal::UnknownField { problem: format!("{what} has an {problem}") }
    } else {
        Refusal::BadEvent { problem: format!("{what}: {problem}") }
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    #[serde(rename = "type")]
    operation: Option<String>,
    subject: Option<String>,
    time: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Data<'a> {
    #[serde(borrow)]
    quantity: Option<&'a RawValue>,
    #[serde(borrow)]
    quantities: Option<Members<'a>>,
    #[serde(borrow)]
    credits: Option<&'a RawValue>,
    project: Option<WirePlace>,
    workflow: Option<WirePlace>,
    run: Option<WirePlace>,
    module: Option<WirePlace>,
    user: Option<WireId>,
    tenant: Option<WireId>,
    interaction: Option<WireId>,
    status: Option<Status>,
    #[serde(borrow)]
    bytes: Option<&'a RawValue>,
    #[serde(borrow)]
    compute_units: Option<&'a RawValue>,
    description: Option<String>,
    #[serde(borrow)]
    attributes: Option<Members<'a>>,
}

impl Wire<'_> {
    fn check(self, form: Form) -> Result<Event, Refusal> {
        let data = self.data.map(|raw| object(raw.get(), "data")).transpose()?;
        self.check_with(data, form)
    }

    fn check_with(self, data: Option<Data<'_>>, form: Form) -> Result<Event, Refusal> {
        match (self.specversion.as_deref(), form) {
            (Some("1.0"), _) | (None, Form::Plain) => {}
            (None, Form::CloudEvent) => return Err(Refusal::MissingField { field: "specversion" }),
            (Some(_), _) => return Err(Refusal::Contradiction { problem: "specversion is not \"1.0\"" }),
        }
        if self.data_base64.is_some() {
            return Err(Refusal::Contradiction { problem: "data_base64 is not read: send data as JSON" });
        }
        let operation = required("type", self.operation)?;
        let data = data.unwrap_or_default();
        let quantities = quantities(&operation, data.quantity, data.quantities)?;
        let reported = data.credits.map(reported_credits).transpose()?;
        if reported.is_some() && quantities.len() > 1 {
            return Err(Refusal::Contradiction {
                problem: "data.credits beside several quantities: send one event for each that reports its credits",
            });
        }
        let (subject_user, subject_tenant) = parties_of_subject(self.subject.as_deref())?;
        Ok(Event {
            id: required("id", self.id)?,
            source: required("source", self.source)?,
            operation,
            time: self.time.map(|t| Timestamp::parse("time", &t)).transpose()?,
            quantities,
            reported,
            project: place("data.project", data.project)?,
            workflow: place("data.workflow", data.workflow)?,
            run: place("data.run", data.run)?,
            module: place("data.module", data.module)?,
            user: agreeing(party("data.user", data.user)?, subject_user)?,
            tenant: agreeing(party("data.tenant", data.tenant)?, subject_tenant)?,
            interaction: party("data.interaction", data.interaction)?,
            status: data.status.unwrap_or_default(),
            bytes: data.bytes.map(|raw| scaled("data.bytes", raw, 0, MAX_BYTES)).transpose()?.unwrap_or(0),
            compute_micros: data
                .compute_units
                .map(|raw| scaled("data.compute_units", raw, 6, MAX_COMPUTE_UNITS))
                .transpose()?
                .unwrap_or(0),
            description: description(data.description)?,
            attributes: attributes(data.attributes)?,
        })
    }
}

fn required(field: &'static str, text: Option<String>) -> Result<Label, Refusal> {
    Label::parse(field, &text.ok_or(Refusal::MissingField { field })?)
}

fn quantities(
    operation: &Label,
    single: Option<&RawValue>,
    several: Option<Members<'_>>,
) -> Result<Vec<(Meter, Quantity)>, Refusal> {
    match (single, several) {
        (Some(_), Some(_)) => {
            Err(Refusal::Contradiction { problem: "data.quantity beside data.quantities: send one of them" })
        }
        (single, None) => {
            let quantity = single.map_or(Ok(Quantity::ONE), |raw| Quantity::parse(number_text(raw)))?;
            Ok(vec![(Meter::parse(operation.as_str())?, quantity)])
        }
        (None, Some(Members(members))) => {
            if members.is_empty() {
                return Err(Refusal::MissingField { field: "data.quantities: at least one quantity" });
            }
            if members.len() > MAX_QUANTITIES {
                return Err(Refusal::TooMany { field: "data.quantities", max: MAX_QUANTITIES });
            }
            let mut read = Vec::with_capacity(members.len());
            for (name, raw) in members {
                read.push((Meter::parse(&name)?, Quantity::parse(number_text(raw))?));
            }
            read.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(read)
        }
    }
}

/// A JSON number as it was written, or the content of a JSON string: exact either way, never through a float.
fn number_text(raw: &RawValue) -> &str {
    let text = raw.get();
    text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text)
}

fn reported_credits(raw: &RawValue) -> Result<i64, Refusal> {
    let bad = |reason| Refusal::BadReportedCredits { reason };
    let pico = decimal::parse(number_text(raw), REPORTED_DECIMALS).map_err(bad)?;
    if pico < 0 {
        return Err(bad(decimal::DecimalError::Syntax));
    }
    i64::try_from(pico).map_err(|_| bad(decimal::DecimalError::TooLarge))
}

/// A number from 0 to `max`, in 10^-`decimals`.
fn scaled(field: &'static str, raw: &RawValue, decimals: u32, max: i128) -> Result<i64, Refusal> {
    let value = decimal::parse(number_text(raw), decimals).ok().filter(|value| *value >= 0);
    let value = value.filter(|value| *value <= max * 10_i128.pow(decimals));
    value.and_then(|value| i64::try_from(value).ok()).ok_or(Refusal::BadNumber { field, max, decimals })
}

fn place(field: &'static str, wire: Option<WirePlace>) -> Result<Option<Place>, Refusal> {
    let Some(wire) = wire else { return Ok(None) };
    let id = Label::parse(field, &wire.id)?;
    let name = wire.name.map(|name| Label::parse(field, &name)).transpose()?;
    Ok(Some(Place { id, name }))
}

fn party(field: &'static str, wire: Option<WireId>) -> Result<Option<Label>, Refusal> {
    wire.map(|WireId(id)| Label::parse(field, &id)).transpose()
}

fn parties_of_subject(subject: Option<&str>) -> Result<(Option<Label>, Option<Label>), Refusal> {
    let Some(subject) = subject else { return Ok((None, None)) };
    match subject.split_once('/') {
        Some(("user", id)) => Ok((Some(Label::parse("subject", id)?), None)),
        Some(("tenant", id)) => Ok((None, Some(Label::parse("subject", id)?))),
        _ => Err(Refusal::Contradiction { problem: "subject is neither user/… nor tenant/…" }),
    }
}

fn agreeing(said: Option<Label>, subject: Option<Label>) -> Result<Option<Label>, Refusal> {
    match (said, subject) {
        (Some(a), Some(b)) if a != b => {
            Err(Refusal::Contradiction { problem: "subject and data name different parties" })
        }
        (Some(a), _) => Ok(Some(a)),
        (None, b) => Ok(b),
    }
}

fn description(text: Option<String>) -> Result<Option<String>, Refusal> {
    if let Some(text) = &text {
        check_text("data.description", text, MAX_TEXT_BYTES)?;
    }
    Ok(text)
}

fn attributes(members: Option<Members<'_>>) -> Result<Vec<(Label, Label)>, Refusal> {
    let Some(Members(members)) = members else { return Ok(Vec::new()) };
    if members.len() > MAX_ATTRIBUTES {
        return Err(Refusal::TooMany { field: "data.attributes", max: MAX_ATTRIBUTES });
    }
    let mut read = Vec::with_capacity(members.len());
    for (name, raw) in members {
        let value: String = serde_json::from_str(raw.get()).map_err(|_| Refusal::BadLabel {
            field: "data.attributes",
            problem: "has a value that is not a string".to_owned(),
        })?;
        read.push((Label::parse("data.attributes", &name)?, Label::parse("data.attributes", &value)?));
    }
    read.sort();
    Ok(read)
}

/// The members of an object in their order, values unread; a name that comes twice is an error, as one of them would be lost.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Self::Value = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    // One more than is allowed is enough to be refused for: the rest is not kept.
                    if members.len() <= MAX_QUANTITIES.max(MAX_ATTRIBUTES) {
                        if members.iter().any(|(n, _)| *n == name) {
                            return Err(de::Error::custom("a name comes twice"));
                        }
                        members.push((name, value));
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Pairs).map(Members)
    }
}

/// An id as a string or as an integer, as many systems have them.
struct WireId(String);

/// An id, or an object of id and name.
struct WirePlace {
    id: String,
    name: Option<String>,
}

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdOrObject { object: false }).map(|place| Self(place.id))
    }
}

impl<'de> Deserialize<'de> for WirePlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdOrObject { object: true })
    }
}

struct IdOrObject {
    object: bool,
}

impl<'de> Visitor<'de> for IdOrObject {
    type Value = WirePlace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.object { "an id, or an object of id and name" } else { "an id" })
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<WirePlace, E> {
        Ok(WirePlace { id: id.to_owned(), name: None })
    }

    fn visit_u64<E: de::Error>(self, id: u64) -> Result<WirePlace, E> {
        Ok(WirePlace { id: id.to_string(), name: None })
    }

    fn visit_i64<E: de::Error>(self, id: i64) -> Result<WirePlace, E> {
        Ok(WirePlace { id: id.to_string(), name: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WirePlace, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Object {
            id: WireId,
            name: Option<String>,
        }
        if !self.object {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        }
        let Object { id: WireId(id), name } = Object::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(WirePlace { id, name })
    }
}

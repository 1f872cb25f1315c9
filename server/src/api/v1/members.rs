//! The body of a write: one JSON object, read member by member, each with a problem of its own.
//!
//! Members stay raw text until they are asked for, so that no number ever becomes a float and deep nesting costs nothing.
//! What nobody asked for is refused: a mistyped member must not pass for one that was not said. `null` says nothing.
//! Two members of one name are refused too, since readers disagree on which of them counts.

use super::body::not_json;
use crate::problem::Problem;
use axum::http::StatusCode;
use ledger::decimal::DecimalError;
use ledger::{Credits, EventSeq, GrantId, Label, Meter, Quantity, Refusal, Timestamp};
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Objects and arrays inside one another: events need four.
const MAX_DEPTH: u32 = 16;

/// The members of an object that nobody has asked for yet.
#[derive(Debug, Default)]
pub struct Members {
    left: BTreeMap<String, Box<RawValue>>,
    asked: Vec<&'static str>,
}

impl Members {
    /// Reads an object; nothing at all is an empty one.
    ///
    /// # Errors
    /// 400 `not_json` for anything else.
    pub fn read(text: &str) -> Result<Self, Problem> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let object: Object = serde_json::from_str(text).map_err(|error| syntax(&error))?;
        Ok(Self { left: object.0, asked: Vec::new() })
    }

    /// The same for every way to write the same members: what a request is compared by.
    ///
    /// # Errors
    /// 400 `not_json` where it is nested too deeply or names a member twice.
    pub fn canonical(&self) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::new();
        write_object(&self.left, MAX_DEPTH, &mut out)?;
        Ok(out)
    }

    /// A member as it was sent.
    pub fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.asked.push(name);
        self.left.remove(name).filter(|raw| raw.get() != "null")
    }

    /// A text.
    ///
    /// # Errors
    /// 422 `bad_field`.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let text = |raw: Box<RawValue>| serde_json::from_str(raw.get()).map_err(|_| bad_field(name, "must be a text"));
        self.raw(name).map(text).transpose()
    }

    /// An amount: a decimal string, and only that, since numbers are floats to most writers.
    ///
    /// # Errors
    /// 422 `bad_amount`, `amount_overflow`.
    pub fn credits(&mut self, name: &'static str) -> Result<Option<Credits>, Problem> {
        let no_text = || Problem::from(Refusal::BadAmount { reason: DecimalError::Syntax });
        let read = |raw: Box<RawValue>| -> Result<Credits, Problem> {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| no_text())?;
            Ok(Credits::parse(&text)?)
        };
        self.raw(name).map(read).transpose()
    }

    /// A quantity: a number or a decimal string, read exactly.
    ///
    /// # Errors
    /// 422 `bad_quantity`, `negative_quantity`, `quantity_too_large`.
    pub fn quantity(&mut self, name: &'static str) -> Result<Option<Quantity>, Problem> {
        let read = |raw: Box<RawValue>| {
            let text: Option<String> = serde_json::from_str(raw.get()).ok();
            Quantity::parse(text.as_deref().unwrap_or_else(|| raw.get()))
        };
        Ok(self.raw(name).map(read).transpose()?)
    }

    /// A whole number.
    ///
    /// # Errors
    /// 422 `bad_field` for what is none, or beyond `i64`.
    pub fn whole(&mut self, name: &'static str) -> Result<Option<i64>, Problem> {
        let read = |raw: Box<RawValue>| raw.get().parse().map_err(|_| bad_field(name, "must be a whole number"));
        self.raw(name).map(read).transpose()
    }

    /// Yes or no; no where it is not said.
    ///
    /// # Errors
    /// 422 `bad_field`.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, Problem> {
        match self.raw(name).as_deref().map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(bad_field(name, "must be true or false")),
        }
    }

    /// An instant.
    ///
    /// # Errors
    /// 422 `bad_time`, `time_out_of_range`.
    pub fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let read = |raw: Box<RawValue>| -> Result<Timestamp, Problem> {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| Refusal::BadTime { field: name })?;
            instant(name, &text)
        };
        self.raw(name).map(read).transpose()
    }

    /// A name.
    ///
    /// # Errors
    /// 422 `bad_field`, `bad_label`.
    pub fn label(&mut self, name: &'static str) -> Result<Option<Label>, Problem> {
        Ok(self.text(name)?.map(|text| Label::parse(name, &text)).transpose()?)
    }

    /// The name of a meter.
    ///
    /// # Errors
    /// 422 `bad_field`, `bad_meter`.
    pub fn meter(&mut self, name: &'static str) -> Result<Option<Meter>, Problem> {
        Ok(self.text(name)?.map(|text| Meter::parse(&text)).transpose()?)
    }

    /// The id of an event.
    ///
    /// # Errors
    /// 422 `bad_id`.
    pub fn event(&mut self, name: &'static str) -> Result<Option<EventSeq>, Problem> {
        let detail = "must be the id of an event, such as event_12: entries and corrections cannot be voided";
        let read = |text: String| EventSeq::parse(&text).ok_or_else(|| bad("bad_id", format!("{name} {detail}")));
        self.text(name)?.map(read).transpose()
    }

    /// The id of a grant.
    ///
    /// # Errors
    /// 422 `bad_id`.
    pub fn grant(&mut self, name: &'static str) -> Result<Option<GrantId>, Problem> {
        let detail = || bad("bad_id", format!("{name} must be the id of a grant, such as grant_1"));
        self.text(name)?.map(|text| GrantId::parse(&text).ok_or_else(detail)).transpose()
    }

    /// Several texts.
    ///
    /// # Errors
    /// 422 `bad_field`.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Problem> {
        let read = |raw: Box<RawValue>| {
            serde_json::from_str(raw.get()).map_err(|_| bad_field(name, "must be an array of texts"))
        };
        self.raw(name).map(read).transpose()
    }

    /// An object inside.
    ///
    /// # Errors
    /// 422 `bad_field`.
    pub fn object(&mut self, name: &'static str) -> Result<Option<Self>, Problem> {
        let read = |raw: Box<RawValue>| {
            let object = raw.get().starts_with('{').then(|| Self::read(raw.get()).ok()).flatten();
            object.ok_or_else(|| bad_field(name, "must be an object"))
        };
        self.raw(name).map(read).transpose()
    }

    /// Whether nothing was said at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Says that this was all that is understood.
    ///
    /// # Errors
    /// 422 `unknown_field` naming the first member that is left, and those there are.
    pub fn finish(self) -> Result<(), Problem> {
        let Some(name) = self.left.keys().next() else { return Ok(()) };
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        let known = if self.asked.is_empty() { "nothing".to_owned() } else { self.asked.join(", ") };
        Err(bad("unknown_field", format!("there is no member \"{name}\" here: remove it; known: {known}")))
    }
}

/// What must be said.
///
/// # Errors
/// 422 `missing_field`.
pub fn needed<T>(name: &'static str, value: Option<T>) -> Result<T, Problem> {
    Ok(value.ok_or(Refusal::MissingField { field: name })?)
}

/// Reads an instant that may lie in the future.
///
/// # Errors
/// 422 `bad_time`, `time_out_of_range`.
pub fn instant(name: &'static str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(name, text).map_err(|refusal| match refusal {
        Refusal::TimeOutOfRange => bad(refusal.code(), format!("{name} must be from the year 2000 to 2199")),
        refusal => refusal.into(),
    })
}

/// 422 of that code.
#[must_use]
pub fn bad(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

/// 422 `bad_field`: of the wrong type.
#[must_use]
pub fn bad_field(name: &str, problem: &str) -> Problem {
    bad("bad_field", format!("{name} {problem}"))
}

fn syntax(error: &serde_json::Error) -> Problem {
    let said: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    not_json(&format!("it is not one JSON object: {said}"))
}

/// An object whose members are unread.
struct Object(BTreeMap<String, Box<RawValue>>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

fn write_object(members: &BTreeMap<String, Box<RawValue>>, depth: u32, out: &mut Vec<u8>) -> Result<(), Problem> {
    out.push(b'{');
    for (name, value) in members {
        out.extend_from_slice(&serde_json::to_vec(name).map_err(|error| syntax(&error))?);
        out.push(b':');
        write_value(value, depth, out)?;
        out.push(b',');
    }
    out.push(b'}');
    Ok(())
}

/// Members sorted, no white space, texts escaped one way; numbers as they were sent.
fn write_value(value: &RawValue, depth: u32, out: &mut Vec<u8>) -> Result<(), Problem> {
    let deeper = || depth.checked_sub(1).ok_or_else(|| not_json("it is nested too deeply"));
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let object: Object = serde_json::from_str(text).map_err(|error| syntax(&error))?;
            write_object(&object.0, deeper()?, out)?;
        }
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
            out.push(b'[');
            for item in &items {
                write_value(item, deeper()?, out)?;
                out.push(b',');
            }
            out.push(b']');
        }
        Some(b'"') => {
            let said: String = serde_json::from_str(text).map_err(|error| syntax(&error))?;
            out.extend_from_slice(&serde_json::to_vec(&said).map_err(|error| syntax(&error))?);
        }
        _ => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Members {
        Members::read(text).expect("an object")
    }

    fn code<T: fmt::Debug>(result: Result<T, Problem>) -> String {
        result.expect_err("refused").code.into_owned()
    }

    #[test]
    fn the_same_members_are_the_same_request_however_they_are_written() {
        let one = members(r#"{"a":"é","b":{"x":[1, 2],"y":null}}"#).canonical().expect("fits");
        let other = members(" { \"b\" : {\"y\": null, \"x\":[1,2]}, \"a\":\"\\u00e9\"}").canonical().expect("fits");
        assert_eq!(one, other);
        for different in [r#"{"a":"é","b":{"x":[2,1],"y":null}}"#, r#"{"a":"é","b":{"x":[12],"y":null}}"#, "{}"] {
            assert_ne!(members(different).canonical().expect("fits"), one, "{different}");
        }
    }

    #[test]
    fn what_is_no_object_is_no_json_for_us() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(code(members(&deep).canonical()), "not_json");
        for text in ["[]", "1", "\"a\"", "{", "{}{}", r#"{"a":1,"a":2}"#, r#"{"a":NaN}"#] {
            assert_eq!(code(Members::read(text)), "not_json", "{text}");
        }
        assert_eq!(code(members(r#"{"a":{"b":1,"b":2}}"#).canonical()), "not_json");
    }

    #[test]
    fn every_member_is_what_it_should_be() {
        let text = r#"{"a":5,"b":1e400,"c":"x","d":[],"e":"9223372036855","f":"yes","g":99999999999999999999}"#;
        let mut all = members(text);
        assert_eq!(code(all.credits("a")), "bad_amount");
        assert_eq!(code(all.quantity("b")), "quantity_too_large");
        assert_eq!(code(all.whole("c")), "bad_field");
        assert_eq!(code(all.object("d")), "bad_field");
        assert_eq!(code(all.credits("e")), "amount_overflow");
        assert_eq!(code(all.flag("f")), "bad_field");
        assert_eq!(code(all.whole("g")), "bad_field");
        assert_eq!(all.text("h").expect("nothing"), None);
        all.finish().expect("all asked for");
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        let mut all = members(r#"{"amount":"5","amont":"6","nothing":null}"#);
        assert_eq!(all.credits("amount").expect("an amount"), Some(Credits::from_micros(5_000_000)));
        assert!(all.text("nothing").expect("null").is_none());
        let problem = all.finish().expect_err("left");
        assert!(problem.detail.contains("amont") && problem.detail.contains("amount, nothing"), "{}", problem.detail);
    }
}

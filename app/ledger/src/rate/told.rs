//! What is wrong with a line that was sent as JSON, in words of the line: which member, what it must be.

use super::line::MEMBERS;
use super::price::Price;
use crate::decimal;
use crate::label::{Label, Meter};
use crate::quantity::{DECIMALS as QUANTITY_DECIMALS, MAX_UNITS, MICROS_PER_UNIT};
use serde_json::{Map, Value};

const RULES: [&str; 6] = ["unit", "block", "tiers", "formula", "reported", "free"];
const TIER: [&str; 2] = ["up_to", "price"];

/// The first member that cannot be read, and why; `None` where each by itself can.
pub(crate) fn wrong_member(json: &str) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(json) else { return Some("it is not JSON".to_owned()) };
    let Value::Object(members) = value else { return Some("it is not a JSON object".to_owned()) };
    if let Some(problem) = unknown(&members, &MEMBERS, "a line") {
        return Some(problem);
    }
    let missing = ["meter", "rule"].into_iter().find(|name| !members.contains_key(*name));
    if let Some(name) = missing {
        return Some(format!("`{name}` is missing: every line has `meter` and `rule`"));
    }
    members.iter().find_map(|(name, value)| member(name, value).err())
}

fn unknown(members: &Map<String, Value>, known: &[&str], of: &str) -> Option<String> {
    let name = members.keys().find(|name| !known.contains(&name.as_str()))?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    Some(format!("`{name}` is not known: {of} can have {}", known.join(", ")))
}

fn member(name: &str, value: &Value) -> Result<(), String> {
    let text = || value.as_str().ok_or(format!("`{name}` must be a text"));
    let one_of = |all: &[&str]| match value.as_str() {
        Some(text) if all.contains(&text) => Ok(()),
        _ => Err(format!("`{name}` must be one of \"{}\"", all.join("\", \""))),
    };
    match name {
        "meter" => Meter::parse(text()?).map(drop).map_err(|refusal| refusal.to_string()),
        "rule" => one_of(&RULES),
        "counted" => one_of(&["per_event", "accumulated"]),
        "mode" => one_of(&["graduated", "volume"]),
        "per" => match value.as_i64() {
            Some(_) => Ok(()),
            None => Err("`per` must be a whole number such as 1000000".to_owned()),
        },
        "size" | "up_to" => size(name, value),
        "sources" => {
            let all = value.as_array().ok_or("`sources` must be an array of texts")?;
            all.iter()
                .try_for_each(|source| label("source", source.as_str().ok_or("`sources` must be an array of texts")?))
        }
        "attributes" => {
            let all = value.as_object().ok_or("`attributes` must be an object of texts")?;
            all.iter().try_for_each(|(name, value)| {
                label("attribute", name)?;
                label("attribute value", value.as_str().ok_or("`attributes` must be an object of texts")?)
            })
        }
        "tiers" => {
            let all = value.as_array().ok_or("`tiers` must be an array of objects")?;
            (1..)
                .zip(all)
                .try_for_each(|(number, value)| tier(value).map_err(|wrong| format!("tier {number}: {wrong}")))
        }
        _ => price(name, value),
    }
}

fn label(field: &'static str, text: &str) -> Result<(), String> {
    Label::parse(field, text).map(drop).map_err(|refusal| refusal.to_string())
}

fn price(name: &str, value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or(format!("`{name}` must be a decimal in quotes such as \"0.60\""))?;
    Price::parse(text).map(drop).map_err(|wrong| format!("`{name}` {wrong}"))
}

fn size(name: &str, value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or(format!("`{name}` must be a decimal in quotes such as \"600\""))?;
    match decimal::parse(text, QUANTITY_DECIMALS) {
        Ok(micros) if (0..=MAX_UNITS * MICROS_PER_UNIT).contains(&micros) => Ok(()),
        Ok(_) => Err(format!("`{name}` must be from 0 to {MAX_UNITS}")),
        Err(wrong) => Err(format!("`{name}` {wrong}")),
    }
}

fn tier(value: &Value) -> Result<(), String> {
    let members = value.as_object().ok_or("it is not a JSON object")?;
    if let Some(problem) = unknown(members, &TIER, "a tier") {
        return Err(problem);
    }
    if !members.contains_key("price") {
        return Err("`price` is missing".to_owned());
    }
    members.iter().try_for_each(|(name, value)| member(name, value))
}

//! What the columns of a file mean: TOML in `presets/imports/`, or a file of one's own.

use super::rows::Row;
use chrono::NaiveDateTime;
use ledger::{Quantity, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// The mappings there are, by name.
const EMBEDDED: [(&str, &str); 3] = [
    ("azure-llm", include_str!("../../../presets/imports/azure-llm.toml")),
    ("mooncake", include_str!("../../../presets/imports/mooncake.toml")),
    ("focus", include_str!("../../../presets/imports/focus.toml")),
];
/// Distinct blocks remembered: some 200 MB. A trace beyond it would have to be cut anyway.
const MAX_BLOCKS: usize = 5_000_000;

/// What the columns of a file mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What it is called on the command line.
    pub name: String,
    /// What people read.
    pub title: String,
    /// How rows are written.
    pub format: Format,
    /// Values that mean nothing is there.
    #[serde(default)]
    pub nulls: Vec<String>,
    /// Rows that count; others are rejected.
    #[serde(default)]
    pub only: Vec<Only>,
    /// The event's id; made of the row's content where it is not said.
    pub id: Option<Text>,
    /// The event's type.
    #[serde(rename = "type")]
    pub operation: Text,
    /// The event's source.
    pub source: Text,
    /// When it happened.
    pub time: Time,
    /// How much of each meter.
    #[serde(default)]
    pub quantities: BTreeMap<String, Amount>,
    /// Credits that the row reports.
    pub credits: Option<Text>,
    /// Where.
    pub project: Option<Text>,
    /// Where.
    pub workflow: Option<Text>,
    /// On whose behalf.
    pub user: Option<Text>,
    /// On whose behalf.
    pub tenant: Option<Text>,
    /// More facts.
    #[serde(default)]
    pub attributes: BTreeMap<String, Text>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated, with a head.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// A condition for a row to count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// Which column.
    pub column: String,
    /// What it must hold.
    pub equals: String,
}

/// Where a text comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// The same for every row.
    Value(String),
    /// The row says.
    Column(String),
}

/// Where a time comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Time {
    /// RFC 3339.
    Rfc3339 {
        /// Which column.
        column: String,
    },
    /// Another pattern without a zone: UTC.
    Pattern {
        /// Which column.
        column: String,
        /// In strftime's letters.
        is: String,
    },
    /// Milliseconds since a beginning.
    Milliseconds {
        /// Which column.
        column: String,
        /// The beginning.
        since: Timestamp,
    },
}

/// Where a quantity comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Amount {
    /// The row says.
    Column(String),
    /// `size` for each leading block of the list that an earlier row had, at most what `within` says; left out where 0.
    RepeatedBlocks {
        /// The list.
        column: String,
        /// Units of one block.
        size: i64,
        /// Column that bounds it.
        within: String,
    },
    /// What the column has beyond another quantity of this row; left out where 0.
    Rest {
        /// Which column.
        column: String,
        /// The other quantity.
        without: String,
    },
}

/// Why a mapping cannot be used, or a row not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Bad {
    /// Stable.
    pub code: &'static str,
    /// What to do.
    pub reason: String,
}

impl Bad {
    /// Of that code.
    pub fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl Mapping {
    /// The embedded mapping of that name, or the one in the file of that path.
    ///
    /// # Errors
    /// Which there are, or what is wrong with it.
    pub fn named(name: &str) -> Result<Self, Bad> {
        if let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        if !Path::new(name).is_file() {
            let known = EMBEDDED.map(|(name, _)| name).join(", ");
            return Err(Bad::new(
                "bad_mapping",
                format!("there is no mapping \"{name}\": choose {known}, or name a file"),
            ));
        }
        let text =
            std::fs::read_to_string(name).map_err(|error| Bad::new("bad_mapping", format!("{name}: {error}")))?;
        Self::parse(name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Bad> {
        let mapping: Self =
            toml::from_str(text).map_err(|error| Bad::new("bad_mapping", format!("the mapping {name}: {error}")))?;
        for amount in mapping.quantities.values() {
            if let Amount::Rest { without, .. } = amount
                && !matches!(mapping.quantities.get(without), Some(Amount::RepeatedBlocks { .. }))
            {
                let reason =
                    format!("the mapping {name}: there is no quantity {without} of repeated_blocks to leave out");
                return Err(Bad::new("bad_mapping", reason));
            }
        }
        Ok(mapping)
    }

    /// Moves the beginning of times that are counted from one.
    ///
    /// # Errors
    /// Where times are not counted from one.
    pub fn set_since(&mut self, begin: Timestamp) -> Result<(), Bad> {
        match &mut self.time {
            Time::Milliseconds { since, .. } => {
                *since = begin;
                Ok(())
            }
            Time::Rfc3339 { .. } | Time::Pattern { .. } => Err(Bad::new(
                "bad_mapping",
                format!("--since: the times of {} say themselves when they are", self.name),
            )),
        }
    }

    /// The column's value; `None` where it means nothing.
    fn column<'r>(&self, row: &'r Row, name: &str) -> Result<Option<&'r String>, Bad> {
        let missing = || Bad::new("missing_column", format!("the row has no {name}"));
        let value = row.get(name).ok_or_else(missing)?;
        Ok(Some(value).filter(|value| !self.nulls.contains(value)))
    }

    fn needed<'r>(&self, row: &'r Row, name: &str) -> Result<&'r String, Bad> {
        self.column(row, name)?.ok_or_else(|| Bad::new("missing_column", format!("{name} is empty")))
    }

    fn text(&self, row: &Row, text: &Text) -> Result<Option<String>, Bad> {
        match text {
            Text::Value(value) => Ok(Some(value.clone())),
            Text::Column(name) => Ok(self.column(row, name)?.cloned()),
        }
    }

    fn time(&self, row: &Row) -> Result<Timestamp, Bad> {
        let bad = |column: &str, why: String| Bad::new("bad_time", format!("{column}: {why}"));
        match &self.time {
            Time::Rfc3339 { column } => {
                Timestamp::parse("time", self.needed(row, column)?).map_err(|refusal| bad(column, refusal.to_string()))
            }
            Time::Pattern { column, is } => {
                let parsed = NaiveDateTime::parse_from_str(self.needed(row, column)?, is);
                let parsed = parsed.map_err(|error| bad(column, format!("{error}; expected {is}")))?;
                Ok(Timestamp::from_micros(parsed.and_utc().timestamp_micros()))
            }
            Time::Milliseconds { column, since } => {
                let millis: i64 =
                    self.needed(row, column)?.parse().map_err(|_| bad(column, "no whole number".to_owned()))?;
                let micros = millis.checked_mul(1_000).and_then(|micros| micros.checked_add(since.micros()));
                micros.map(Timestamp::from_micros).ok_or_else(|| bad(column, "too large".to_owned()))
            }
        }
    }
}

/// Makes events of rows; remembers what earlier rows had.
pub struct Mapper {
    mapping: Mapping,
    blocks: HashSet<u64>,
}

impl Mapper {
    /// By that mapping.
    #[must_use]
    pub fn new(mapping: Mapping) -> Self {
        Self { mapping, blocks: HashSet::new() }
    }

    /// The event of a row as JSON text in the API's plain form; `made_id` is its id where no column has one.
    ///
    /// # Errors
    /// What the row lacks.
    pub fn event(&mut self, row: &Row, made_id: &str) -> Result<String, Bad> {
        for only in &self.mapping.only {
            if self.mapping.column(row, &only.column)? != Some(&only.equals) {
                let reason = format!("{} is not {}", only.column, only.equals);
                return Err(Bad::new("not_usage", reason));
            }
        }
        // Before anything else can fail, so that what later rows find in the cache does not depend on this one's errors.
        let quantities = self.quantities(row)?;
        let mapping = &self.mapping;
        let mut event = Map::new();
        let id = match &mapping.id {
            Some(id) => mapping.text(row, id)?,
            None => Some(made_id.to_owned()),
        };
        put(&mut event, "id", id);
        put(&mut event, "type", mapping.text(row, &mapping.operation)?);
        put(&mut event, "source", mapping.text(row, &mapping.source)?);
        put(&mut event, "time", Some(mapping.time(row)?.to_string()));
        event.insert("data".to_owned(), Value::Object(self.data(row, quantities)?));
        Ok(Value::Object(event).to_string())
    }

    fn data(&self, row: &Row, quantities: Map<String, Value>) -> Result<Map<String, Value>, Bad> {
        let mapping = &self.mapping;
        let mut data = Map::new();
        if !quantities.is_empty() {
            data.insert("quantities".to_owned(), Value::Object(quantities));
        }
        let members = [
            ("credits", &mapping.credits),
            ("project", &mapping.project),
            ("workflow", &mapping.workflow),
            ("user", &mapping.user),
            ("tenant", &mapping.tenant),
        ];
        for (name, text) in members {
            if let Some(text) = text {
                let value = mapping.text(row, text)?;
                if name == "credits" {
                    not_negative(value.as_deref())?;
                }
                put(&mut data, name, value);
            }
        }
        let mut attributes = Map::new();
        for (name, text) in &mapping.attributes {
            put(&mut attributes, name, mapping.text(row, text)?);
        }
        if !attributes.is_empty() {
            data.insert("attributes".to_owned(), Value::Object(attributes));
        }
        Ok(data)
    }

    fn quantities(&mut self, row: &Row) -> Result<Map<String, Value>, Bad> {
        let mut repeated: BTreeMap<String, i64> = BTreeMap::new();
        for (meter, amount) in &self.mapping.quantities {
            if let Amount::RepeatedBlocks { column, size, within } = amount {
                let bound = whole(within, self.mapping.needed(row, within)?)?;
                let leading = leading_blocks(&mut self.blocks, column, self.mapping.needed(row, column)?)?;
                repeated.insert(meter.clone(), leading.saturating_mul(*size).min(bound));
            }
        }
        let mut quantities = Map::new();
        for (meter, amount) in &self.mapping.quantities {
            let quantity = match amount {
                Amount::Column(column) => Some(self.mapping.needed(row, column)?.clone()),
                Amount::RepeatedBlocks { .. } => some_above_zero(repeated.get(meter).copied().unwrap_or_default()),
                Amount::Rest { column, without } => {
                    let all = whole(column, self.mapping.needed(row, column)?)?;
                    some_above_zero(all - repeated.get(without).copied().unwrap_or_default())
                }
            };
            put(&mut quantities, meter, quantity);
        }
        Ok(quantities)
    }
}

fn put(members: &mut Map<String, Value>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), Value::String(value));
    }
}

/// What a bill gives back is no usage; said here in the words of a bill, before the ledger says it in its own.
fn not_negative(credits: Option<&str>) -> Result<(), Bad> {
    if credits.is_some_and(|credits| credits.starts_with('-')) {
        return Err(Bad::new(
            "negative_credits",
            "the cost is below zero: give credits back with a grant of kind refund",
        ));
    }
    Ok(())
}

fn some_above_zero(quantity: i64) -> Option<String> {
    (quantity > 0).then(|| Quantity::from_units(quantity).to_string())
}

fn whole(column: &str, text: &str) -> Result<i64, Bad> {
    let number: Option<i64> = text.parse().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| Bad::new("bad_quantity", format!("{column} is no whole number from 0 on")))
}

/// How many blocks at the beginning were there before; then all of them are known.
fn leading_blocks(known: &mut HashSet<u64>, column: &str, list: &str) -> Result<i64, Bad> {
    let blocks: Vec<u64> = serde_json::from_str(list)
        .map_err(|_| Bad::new("bad_blocks", format!("{column} is no list of whole numbers")))?;
    let leading = blocks.iter().take_while(|block| known.contains(block)).count();
    if known.len() + blocks.len() > MAX_BLOCKS {
        return Err(Bad::new("too_many_blocks", format!("the file has more than {MAX_BLOCKS} blocks: split it")));
    }
    known.extend(blocks);
    i64::try_from(leading).map_err(|_| Bad::new("bad_blocks", format!("{column} is too long")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Row {
        Row::new(1, fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn event(mapper: &mut Mapper, fields: &[(&str, &str)]) -> Result<String, Bad> {
        mapper.event(&row(fields), "row-1")
    }

    #[test]
    fn every_mapping_loads_under_its_name() {
        for (name, _) in EMBEDDED {
            assert_eq!(Mapping::named(name).expect(name).name, name);
        }
        assert!(Mapping::named("nothing").expect_err("unknown").reason.contains("azure-llm"));
    }

    #[test]
    fn an_azure_row_becomes_a_call() {
        let mut mapper = Mapper::new(Mapping::named("azure-llm").expect("loads"));
        let fields =
            [("TIMESTAMP", "2023-11-16 18:15:46.6805900"), ("ContextTokens", "374"), ("GeneratedTokens", "44")];
        let expected = serde_json::json!({
            "id": "row-1", "type": "ai_text", "source": "api", "time": "2023-11-16T18:15:46.680590Z",
            "data": {"quantities": {"completion_tokens": "44", "input_tokens": "374"}}
        });
        assert_eq!(event(&mut mapper, &fields), Ok(expected.to_string()));
        let late = [("TIMESTAMP", "16.11.2023"), ("ContextTokens", "374"), ("GeneratedTokens", "44")];
        assert_eq!(event(&mut mapper, &late).expect_err("no time").code, "bad_time");
        assert_eq!(event(&mut mapper, &[]).expect_err("no columns").code, "missing_column");
    }

    #[test]
    fn leading_blocks_that_were_there_before_are_cached() {
        let mut mapper = Mapper::new(Mapping::named("mooncake").expect("loads"));
        let mut quantities = |ids: &str, input: &str| {
            let fields = [("timestamp", "1500"), ("input_length", input), ("output_length", "10"), ("hash_ids", ids)];
            let event: Value = serde_json::from_str(&event(&mut mapper, &fields).expect("an event")).expect("JSON");
            assert_eq!(event["time"], "2024-11-21T00:00:01.500Z");
            let quantity = |name: &str| event["data"]["quantities"][name].as_str().map(str::to_owned);
            (quantity("input_tokens"), quantity("cached_tokens"))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(quantities("[1,2,3]", "1500"), (some("1500"), None));
        assert_eq!(quantities("[1,2,9]", "1500"), (some("476"), some("1024")));
        assert_eq!(
            quantities("[8,1,2]", "1500"),
            (some("1500"), None),
            "only leading blocks are served from the cache"
        );
        assert_eq!(quantities("[1,2,3]", "1500"), (None, some("1500")), "never more than there is");
    }

    #[test]
    fn a_bill_names_its_costs_and_only_usage_counts() {
        let mut mapper = Mapper::new(Mapping::named("focus").expect("loads"));
        let mut fields = vec![
            ("Id", "7"),
            ("ChargeCategory", "Usage"),
            ("ProviderName", "AWS"),
            ("ChargePeriodStart", "2024-09-18 22:00:00"),
            ("BilledCost", "0.00000080000"),
            ("SubAccountName", "NULL"),
            ("ServiceName", "Queue"),
            ("RegionId", "NULL"),
        ];
        let expected = serde_json::json!({
            "id": "7", "type": "cloud_cost", "source": "AWS", "time": "2024-09-18T22:00:00Z",
            "data": {"credits": "0.00000080000", "attributes": {"service": "Queue"}}
        });
        assert_eq!(event(&mut mapper, &fields), Ok(expected.to_string()));
        fields[1].1 = "Credit";
        assert_eq!(event(&mut mapper, &fields).expect_err("no usage").code, "not_usage");
        (fields[1].1, fields[4].1) = ("Usage", "-0.5");
        assert_eq!(event(&mut mapper, &fields).expect_err("given back").code, "negative_credits");
    }

    #[test]
    fn a_mapping_that_leaves_out_what_is_not_there_is_refused() {
        let text = include_str!("../../../presets/imports/mooncake.toml")
            .replace("without = \"cached_tokens\"", "without = \"x\"");
        assert!(Mapping::parse("m", &text).expect_err("no x").reason.contains("no quantity x"));
    }
}

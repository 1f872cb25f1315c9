//! From a file's text to a preset, or to everything that is wrong with it.
//!
//! Each table is read by itself, so that a mistake in one hides none in another; what tables say about each other is
//! checked when all could be read.

use super::plan::{Package, Plan};
use super::shape::Shape;
use super::{MeterText, Preset, Source, check};
use ledger::{RateLine, Words};
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Tables of one kind that are read: far more than any preset has.
const MAX_TABLES: usize = 1_000;
/// What a preset may say at the top.
const KNOWN: &str =
    "name, title, description, rate_card, [words], [[sources]], [[meters]], [[plans]], [[packages]], [sample]";

/// One thing that is wrong with a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// On which line of the file, from 1 on.
    pub line: Option<usize>,
    /// In which table.
    pub place: String,
    /// What, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A value and the line on which it stands.
pub(super) struct Located<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) name: Option<Located<String>>,
    pub(super) title: Option<Located<String>>,
    pub(super) description: Option<Located<String>>,
    pub(super) words: Option<Located<Words>>,
    pub(super) sources: Vec<Located<Source>>,
    pub(super) meters: Vec<Located<MeterText>>,
    /// The card's text; its line is that of the card's first line.
    pub(super) rate_card: Option<Located<String>>,
    /// Its lines, where all could be read.
    pub(super) lines: Option<Vec<RateLine>>,
    pub(super) plans: Vec<Located<Plan>>,
    pub(super) packages: Vec<Located<Package>>,
    pub(super) sample: Option<Located<Shape>>,
}

/// Collects what is wrong, and knows where.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
    /// How many of them are tables that could not be read.
    unread: usize,
}

/// Reads and checks a preset.
///
/// # Errors
/// Everything that is wrong with it, from the top to the bottom.
pub(super) fn preset(text: &str) -> Result<Preset, Vec<Problem>> {
    let mut reader = Reader { text, problems: Vec::new(), unread: 0 };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.toml("the file", error);
    }
    if !errors.is_empty() {
        return Err(reader.problems);
    }
    let sheet = reader.sheet(table.into_inner());
    reader.unread = reader.problems.len();
    check::sheet(&sheet, &mut reader);
    match (reader.problems.is_empty(), sheet.done()) {
        (true, Some(preset)) => Ok(preset),
        _ => {
            reader.problems.sort_by_key(|problem| problem.line);
            Err(reader.problems)
        }
    }
}

impl Reader<'_> {
    /// Notes what is wrong.
    pub(super) fn problem(&mut self, line: Option<usize>, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { line, place: place.into(), what: what.into() });
    }

    /// Whether a table of that kind is there but could not be read: what refers to it is not to blame.
    pub(super) fn unread(&self, place: &str) -> bool {
        self.problems.iter().take(self.unread).any(|problem| problem.place.starts_with(place))
    }

    /// The line on which something stands.
    pub(super) fn line_of(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
    }

    fn toml(&mut self, place: &str, error: &toml::de::Error) {
        let line = error.span().map(|span| self.line_of(&span));
        // Its message may span lines; a problem is one.
        let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        self.problem(line, place, what);
    }

    fn sheet(&mut self, table: DeTable<'_>) -> Sheet {
        let mut sheet = Sheet::default();
        for (key, value) in table {
            let name: &str = key.get_ref();
            match name {
                "name" => sheet.name = self.value(name, value),
                "title" => sheet.title = self.value(name, value),
                "description" => sheet.description = self.value(name, value),
                "rate_card" => self.card(value, &mut sheet),
                "words" => sheet.words = self.value("[words]", value),
                "sources" => sheet.sources = self.list("sources", value),
                "meters" => sheet.meters = self.list("meters", value),
                "plans" => sheet.plans = self.list("plans", value),
                "packages" => sheet.packages = self.list("packages", value),
                "sample" => sheet.sample = self.value("[sample]", value),
                unknown => {
                    let line = self.line_of(&key.span());
                    self.problem(Some(line), unknown, format!("a preset has no such key: it has {KNOWN}"));
                }
            }
        }
        sheet
    }

    fn value<T: DeserializeOwned>(&mut self, place: &str, value: Spanned<DeValue<'_>>) -> Option<Located<T>> {
        let line = self.line_of(&value.span());
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(value) => Some(Located { line, value }),
            Err(error) => {
                self.all_wrong::<T>(place, value, error);
                None
            }
        }
    }

    /// What is wrong with a table, key by key: what is told of one is left out, and the rest read again. A key that is
    /// missing then may only be one that was left out.
    fn all_wrong<T: DeserializeOwned>(&mut self, place: &str, mut value: Spanned<DeValue<'_>>, first: toml::de::Error) {
        let line = self.line_of(&value.span());
        let (mut error, mut left_out) = (Some(first), false);
        while let Some(wrong) = error.take() {
            let is_missing = wrong.message().starts_with("missing field");
            if !(is_missing && left_out) {
                let known = self.problems.len();
                self.toml(place, &wrong);
                self.problems.iter_mut().skip(known).for_each(|problem| problem.line = problem.line.or(Some(line)));
            }
            let (Some(span), DeValue::Table(table), false) = (wrong.span(), value.get_mut(), is_missing) else {
                return;
            };
            let holds = |key: &Range<usize>, value: &Range<usize>| key.start <= span.start && span.end <= value.end;
            let before = table.len();
            let rest = std::mem::take(table).into_iter();
            *table = rest.filter(|(key, value)| !holds(&key.span(), &value.span())).collect();
            left_out = true;
            if table.len() < before {
                error = T::deserialize(ValueDeserializer::from(value.clone())).err();
            }
        }
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> Vec<Located<T>> {
        let line = self.line_of(&value.span());
        let DeValue::Array(values) = value.into_inner() else {
            self.problem(Some(line), name, format!("write [[{name}]], once for each"));
            return Vec::new();
        };
        if values.len() > MAX_TABLES {
            self.problem(Some(line), name, format!("has {} entries; at most {MAX_TABLES} are read", values.len()));
            return Vec::new();
        }
        let values = values.into_iter().zip(1..);
        values.filter_map(|(value, number)| self.value(&format!("[[{name}]] {number}"), value)).collect()
    }

    fn card(&mut self, value: Spanned<DeValue<'_>>, sheet: &mut Sheet) {
        // The newline right after the quotes is not part of the text.
        let opens = self.text.get(value.span()).unwrap_or_default().trim_start_matches(['\'', '"']);
        let skipped = usize::from(opens.starts_with(['\n', '\r']));
        let Some(mut card) = self.value::<String>("rate_card", value) else { return };
        card.line += skipped;
        // Behind as many empty lines as stand before it, so that problems name lines of the file.
        let text = "\n".repeat(card.line - 1) + &card.value;
        match ledger::card_text::parse(&text) {
            Ok(lines) => sheet.lines = Some(lines),
            Err(problems) => {
                for problem in problems {
                    self.problem(Some(problem.line), "rate_card", problem.problem);
                }
            }
        }
        sheet.rate_card = Some(card);
    }
}

impl Sheet {
    /// The preset, where nothing is missing.
    fn done(self) -> Option<Preset> {
        fn plain<T>(all: Vec<Located<T>>) -> Vec<T> {
            all.into_iter().map(|one| one.value).collect()
        }
        Some(Preset {
            name: self.name?.value,
            title: self.title?.value,
            description: self.description?.value,
            words: self.words?.value,
            sources: plain(self.sources),
            meters: plain(self.meters),
            rate_card: self.rate_card?.value,
            lines: self.lines?,
            plans: plain(self.plans),
            packages: plain(self.packages),
            sample: self.sample.map(|sample| sample.value),
        })
    }
}

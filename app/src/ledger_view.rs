//! What a ledger URL says: which entries, and at which instant the ledger is looked at. One type for the page, its links,
//! its forms and the export.
//!
//! Parsing never fails: what cannot be read is left out. Printing is canonical, so that equal views have equal URLs.

use crate::calendar::{Day, parse_bound};
use crate::query;
use ledger::{EntryKind, EntrySeq, GrantId};

/// Longest text of an instant that is looked at: `2026-11-21T10:00:00.000`.
const MAX_INSTANT_BYTES: usize = 32;

/// The state of the ledger page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerView {
    /// Only entries of this kind ([`EntryKind::NAMES`]).
    pub kind: Option<&'static str>,
    /// Only entries that post on this grant.
    pub grant: Option<GrantId>,
    /// Only entries booked on this day or later.
    pub from: Option<Day>,
    /// Only entries booked on this day or earlier.
    pub to: Option<Day>,
    /// Only entries before this one.
    pub before: Option<EntrySeq>,
    /// The one entry that was asked for: it comes first, and open.
    pub entry: Option<EntrySeq>,
    /// The instant looked at, as the URL writes it ([`crate::zone_clock::ZoneClock::instant`]); now where there is none.
    pub at: Option<String>,
    /// What was booked later does not count; same form.
    pub known: Option<String>,
}

impl LedgerView {
    /// Reads a query string, with or without `?`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut view = Self::default();
        for (name, value) in query::parse(text) {
            match name.as_str() {
                "kind" => view.kind = EntryKind::NAMES.into_iter().find(|kind| *kind == value),
                "grant" => view.grant = GrantId::parse(value.trim()).or_else(|| numbered(&value)),
                "from" => view.from = parse_bound(&value),
                "to" => view.to = parse_bound(&value),
                "before" => view.before = EntrySeq::parse(&value),
                "entry" => view.entry = EntrySeq::parse(&value),
                "at" => view.at = instant(value),
                "known" => view.known = instant(value),
                _ => {}
            }
        }
        if let (Some(from), Some(to)) = (view.from, view.to)
            && from > to
        {
            (view.from, view.to) = (Some(to), Some(from));
        }
        view
    }

    /// The first filter that is said and cannot be read: a file that leaves it out would pass for a filtered one.
    #[must_use]
    pub fn unread(&self, text: &str) -> Option<String> {
        let is_read = |name: &str| match name {
            "kind" => self.kind.is_some(),
            "grant" => self.grant.is_some(),
            "from" => self.from.is_some(),
            "to" => self.to.is_some(),
            _ => true,
        };
        query::parse(text).into_iter().find(|(name, value)| !value.is_empty() && !is_read(name)).map(|(name, _)| name)
    }

    /// What chooses the entries.
    #[must_use]
    pub fn entries(&self) -> Self {
        Self { at: None, known: None, ..self.clone() }
    }

    /// What chooses the instant.
    #[must_use]
    pub fn instants(&self) -> Self {
        Self { at: self.at.clone(), known: self.known.clone(), ..Self::default() }
    }

    /// The same filters without a place in the list.
    #[must_use]
    pub fn from_the_newest(&self) -> Self {
        Self { before: None, entry: None, ..self.clone() }
    }

    /// The same view further down the list.
    #[must_use]
    pub fn before(&self, before: EntrySeq) -> Self {
        Self { before: Some(before), entry: None, ..self.clone() }
    }

    /// The same view at another instant, in seconds since 1970; `None` for now.
    #[must_use]
    pub fn at_second(&self, second: Option<i64>) -> Self {
        Self { at: second.map(|second| second.to_string()), ..self.clone() }
    }

    /// The same view as things are now.
    #[must_use]
    pub fn now(&self) -> Self {
        self.entries()
    }

    /// Whether only some entries are wanted.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.grant.is_some() || self.from.is_some() || self.to.is_some()
    }

    /// The pairs of the query string, for hidden fields of a form.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.kind.map(|kind| ("kind", kind.to_owned())));
        pairs.extend(self.grant.map(|grant| ("grant", grant.to_string())));
        pairs.extend(self.from.map(|day| ("from", day.iso())));
        pairs.extend(self.to.map(|day| ("to", day.iso())));
        pairs.extend(self.before.map(|seq| ("before", seq.to_string())));
        pairs.extend(self.entry.map(|seq| ("entry", seq.to_string())));
        pairs.extend(self.at.clone().map(|at| ("at", at)));
        pairs.extend(self.known.clone().map(|known| ("known", known)));
        pairs
    }

    /// The query string, without `?`.
    #[must_use]
    pub fn query(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.pairs() {
            query::push(&mut text, name, &value);
        }
        text
    }

    /// The address of the ledger page in this state.
    #[must_use]
    pub fn href(&self) -> String {
        self.at_path("/ledger")
    }

    /// An address with this state behind it.
    #[must_use]
    pub fn at_path(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}

/// What a kind of entry is called, for its name ([`EntryKind::NAMES`]).
#[must_use]
pub fn kind_title(kind: &str) -> &'static str {
    match kind {
        "usage" => "Usage",
        "grant" => "Grant",
        "expiry" => "Expiry",
        "rollover" => "Rollover",
        "repayment" => "Debt repaid",
        "hold" => "Hold",
        "extension" => "Hold extended",
        "capture" => "Hold captured",
        "release" => "Hold released",
        "hold_expiry" => "Hold expired",
        "void" => "Event voided",
        "adjustment" => "Adjustment",
        "rate_card" => "Rate card",
        _ => "Entry",
    }
}

/// People type the number alone, too.
fn numbered(text: &str) -> Option<GrantId> {
    GrantId::parse(&format!("{}{}", GrantId::PREFIX, text.trim()))
}

fn instant(text: String) -> Option<String> {
    let plain = (1..=MAX_INSTANT_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:T.".contains(&byte));
    plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(text: &str) -> String {
        LedgerView::parse(text).query()
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(view("?kind=&grant=&from=&to=&at=&known="), "");
        assert_eq!(view("kind=nonsense&grant=hold_1&before=12&at=now&known=x"), "");
        assert_eq!(view("grant=3&kind=usage&before=entry_120"), "kind=usage&grant=grant_3&before=entry_120");
        assert_eq!(view("from=2026-11-21&to=2026-11-01"), "from=2026-11-01&to=2026-11-21");
        assert_eq!(view("at=1763716500&known=2026-11-21T10%3A00"), "at=1763716500&known=2026-11-21T10%3A00");
    }

    /// A file named after a filter that was left out would pass for a filtered one.
    #[test]
    fn a_filter_that_is_said_and_cannot_be_read_is_named() {
        let unread = |text: &str| LedgerView::parse(text).unread(text);
        for text in ["", "kind=&grant=&from=&to=", "kind=usage&grant=3&from=2026-11-01&to=2026-11-21", "other=x"] {
            assert_eq!(unread(text), None, "{text}");
        }
        for (text, name) in [
            ("kind=Usage", "kind"),
            ("kind=usage&grant=hold_1", "grant"),
            ("from=yesterday", "from"),
            ("to=2026-13-01", "to"),
        ] {
            assert_eq!(unread(text).as_deref(), Some(name), "{text}");
        }
        assert_eq!(unread("to=x&kind=y").as_deref(), Some("to"), "the first one");
        // The page leaves them out, as it must not refuse a link that somebody cut.
        assert_eq!(unread("at=now&known=x&before=12"), None);
    }

    #[test]
    fn every_kind_has_a_title() {
        let titles: std::collections::BTreeSet<_> = EntryKind::NAMES.into_iter().map(kind_title).collect();
        assert!(titles.len() == EntryKind::NAMES.len() && !titles.contains("Entry"));
    }

    #[test]
    fn a_view_is_made_of_entries_and_instants() {
        let whole = LedgerView::parse("kind=grant&before=entry_9&at=5&known=7");
        assert_eq!(whole.entries().query(), "kind=grant&before=entry_9");
        assert_eq!(whole.instants().query(), "at=5&known=7");
        assert_eq!(whole.from_the_newest().href(), "/ledger?kind=grant&at=5&known=7");
        assert_eq!(whole.at_second(Some(6)).now().query(), "kind=grant&before=entry_9");
        assert!(whole.is_filtered() && !whole.instants().is_filtered());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let once = LedgerView::parse(&text);
            prop_assert_eq!(LedgerView::parse(&once.query()), once);
        }
    }
}

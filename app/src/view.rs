//! What an analytics URL says: range, credit type, sources, grouping. One type for the page, its links and the export,
//! so that a link shows a colleague the same view and a file holds the same figures.
//!
//! Parsing never fails: what cannot be read is left out, since people edit and cut URLs. Printing is canonical (fixed
//! order, defaults left out), so that equal views have equal URLs.

use crate::calendar::{Day, parse_bound, parse_iso};
use crate::query;
use ledger::{Dimension, Filter};

/// Sources that one view can choose; more would not fit a URL.
pub const MAX_SOURCES: usize = 64;
/// Longest name that is looked at: what a label can have (`ledger::label::MAX_LABEL_BYTES`).
const MAX_NAME_BYTES: usize = 256;

/// The state of the analytics page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// First and last day; `None` for the default, the last 30 days.
    pub range: Option<(Day, Day)>,
    /// The one credit type chosen, by the meter's name; `None` for all.
    pub credit_type: Option<String>,
    /// The sources chosen, sorted; all where empty.
    pub sources: Vec<String>,
    /// What the colours tell apart.
    pub group: Dimension,
}

impl Default for View {
    fn default() -> Self {
        Self { range: None, credit_type: None, sources: Vec::new(), group: Dimension::Type }
    }
}

impl View {
    /// Reads a query string, with or without `?`.
    ///
    /// One bound alone means that day; swapped bounds are put right. `day` stands for both bounds: it is what the
    /// calendar submits where no script runs.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut view = Self::default();
        let (mut from, mut to) = (None, None);
        for (name, value) in query::parse(text) {
            match name.as_str() {
                "from" => from = parse_bound(&value).or(from),
                "to" => to = parse_bound(&value).or(to),
                "day" => (from, to) = (parse_iso(&value).or(from), parse_iso(&value).or(to)),
                "type" => view.credit_type = Some(value).filter(|v| is_name(v)),
                "source" if is_name(&value) && view.sources.len() < MAX_SOURCES => view.sources.push(value),
                "group" => view.group = Dimension::parse(&value).unwrap_or(view.group),
                _ => {}
            }
        }
        view.sources.sort();
        view.sources.dedup();
        view.range = from.or(to).zip(to.or(from)).map(|(a, b)| (a.min(b), a.max(b)));
        view
    }

    /// The query string, without `?`; empty for the default view.
    #[must_use]
    pub fn query(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.pairs() {
            query::push(&mut text, name, &value);
        }
        text
    }

    /// The pairs of the query string, for hidden fields of a form.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some((from, to)) = self.range {
            pairs.push(("from", from.iso()));
            pairs.push(("to", to.iso()));
        }
        pairs.extend(self.credit_type.iter().map(|name| ("type", name.clone())));
        pairs.extend(self.sources.iter().map(|source| ("source", source.clone())));
        if self.group != Dimension::Type {
            pairs.push(("group", self.group.as_str().to_owned()));
        }
        pairs
    }

    /// The address of the analytics page in this state.
    #[must_use]
    pub fn href(&self) -> String {
        self.at("/analytics")
    }

    /// An address with this state behind it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The same view of other days.
    #[must_use]
    pub fn with_range(&self, from: Day, to: Day) -> Self {
        Self { range: Some((from.min(to), from.max(to))), ..self.clone() }
    }

    /// The same view of one credit type, or of all.
    #[must_use]
    pub fn with_type(&self, name: Option<&str>) -> Self {
        Self { credit_type: name.map(str::to_owned), ..self.clone() }
    }

    /// The same view told apart otherwise.
    #[must_use]
    pub fn with_group(&self, group: Dimension) -> Self {
        Self { group, ..self.clone() }
    }

    /// The same view with that source added or taken away.
    #[must_use]
    pub fn with_source(&self, source: &str, chosen: bool) -> Self {
        let mut sources: Vec<String> = self.sources.iter().filter(|s| *s != source).cloned().collect();
        if chosen {
            sources.push(source.to_owned());
            sources.sort();
        }
        Self { sources, ..self.clone() }
    }

    /// The same view of all sources.
    #[must_use]
    pub fn with_all_sources(&self) -> Self {
        Self { sources: Vec::new(), ..self.clone() }
    }

    /// What the ledger's cube is asked for.
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter {
            types: self.credit_type.iter().cloned().collect(),
            sources: self.sources.clone(),
            projects: Vec::new(),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(text: &str) -> String {
        View::parse(text).query()
    }

    #[test]
    fn bounds_are_completed_and_put_in_order() {
        assert_eq!(view("?from=2026-11-21&to=2026-11-01"), "from=2026-11-01&to=2026-11-21");
        assert_eq!(view("to=2026-11-01"), "from=2026-11-01&to=2026-11-01");
        assert_eq!(view("from=2026-11-01&day=2026-02-28&to=x"), "from=2026-02-28&to=2026-02-28");
        assert_eq!(view("from=2026-02-30&to="), "");
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(view("type=&source=&group=colour&utm_source=x"), "");
        assert_eq!(view(&format!("type={}", "x".repeat(300))), "");
        assert_eq!(view("source=web&source=api&source=web&group=source"), "source=api&source=web&group=source");
        let many: String = (0..500).map(|i| format!("source={i}&")).collect();
        assert_eq!(View::parse(&many).sources.len(), MAX_SOURCES);
    }

    #[test]
    fn sources_come_and_go() {
        let both = View::default().with_source("web", true).with_source("api", true).with_source("api", true);
        assert_eq!(both.sources, ["api", "web"]);
        assert_eq!(both.with_source("api", false).sources, ["web"]);
    }

    proptest! {
        #[test]
        fn a_printed_view_reads_back(
            range in prop::option::of((0..70_000i32, 0..70_000i32)),
            credit_type in prop::option::of(".{1,20}"),
            sources in prop::collection::btree_set(".{1,20}", 0..6),
            group in 0..3usize,
        ) {
            let day = |n: i32| Day::from_number(730_120 + n).expect("between 2000 and 2191");
            let range = range.map(|(a, b)| (day(a.min(b)), day(a.max(b))));
            let view = View { range, credit_type, sources: sources.into_iter().collect(), group: Dimension::ALL[group].0 };
            prop_assert_eq!(View::parse(&format!("?{}", view.query())).query(), view.query());
            prop_assert_eq!(View::parse(&view.query()), view);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let once = View::parse(&text);
            prop_assert_eq!(View::parse(&once.query()), once);
        }
    }
}

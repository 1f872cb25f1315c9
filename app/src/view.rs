//! What an analytics URL says: range, filters, grouping, kind of chart. One type for the page, its links and the exports,
//! so that a link shows a colleague the same view and a file holds the same figures.
//!
//! Parsing never fails: what cannot be read is left out, since people edit and cut URLs. Printing is canonical (fixed
//! order, defaults left out), so that equal views have equal URLs.

use crate::calendar::{Day, parse_iso};
use crate::query;
use crate::span::Bound;
use ledger::cube::MAX_BUCKETS;
use ledger::{Dimension, Facet, Filter, Interval};

/// Values that one view can choose of a dimension; more would not fit a URL.
pub const MAX_VALUES: usize = 64;
/// Series that are told apart where the view does not say it; the rest is "Other".
pub const TOP: u8 = crate::colors::SLOTS;
/// What a view may say instead.
pub const TOPS: [u8; 3] = [5, TOP, 20];
/// Longest name that is looked at: what a label can have (`ledger::label::MAX_LABEL_BYTES`).
const MAX_NAME_BYTES: usize = 256;

/// How usage is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Bars side by side.
    Bars,
    /// Bars on top of each other.
    #[default]
    Stacked,
    /// A line each.
    Lines,
    /// Running totals.
    Cumulative,
}

impl Kind {
    /// All, with their names in the URL.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Bars, "bars"), (Self::Stacked, "stacked"), (Self::Lines, "lines"), (Self::Cumulative, "cumulative")];

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(kind, _)| kind)
    }

    /// Its name in the URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or("stacked", |(_, name)| name)
    }
}

/// What a range is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// As many days, right before.
    Previous,
    /// The same days, a year before.
    Year,
}

impl Compare {
    /// All, with their names in the URL.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Previous, "previous"), (Self::Year, "year")];

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(compare, _)| compare)
    }

    /// Its name in the URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(compare, _)| *compare == self).map_or("previous", |(_, name)| name)
    }

    /// The days that the range is compared with.
    #[must_use]
    pub fn days(self, (from, to): (Day, Day)) -> (Day, Day) {
        match self {
            Self::Previous => (from.plus_days(-from.days_until(to)), from.plus_days(-1)),
            Self::Year => (from.plus_months(-12), to.plus_months(-12)),
        }
    }
}

/// The state of the analytics page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Both ends, as they were said; `None` for the default, the last 30 days.
    pub range: Option<(Bound, Bound)>,
    /// The width of a bar; `None` for what fits the range.
    pub interval: Option<Interval>,
    /// The credit types chosen, by the meter's name, sorted; all where empty.
    pub types: Vec<String>,
    /// The sources chosen, sorted; all where empty.
    pub sources: Vec<String>,
    /// The projects chosen by id, sorted, `""` for usage without one; all where empty.
    pub projects: Vec<String>,
    /// What else is chosen, sorted: several values of one facet are any of them, several facets all of them. `""` for usage
    /// that does not say it.
    pub facets: Vec<(Facet, String)>,
    /// What the colours tell apart.
    pub group: Dimension,
    /// How many series are told apart, one of [`TOPS`]; the rest is "Other".
    pub top: u8,
    /// How it is drawn.
    pub kind: Kind,
    /// What it is compared with.
    pub compare: Option<Compare>,
    /// The series that the legend hides, by id, sorted.
    pub hidden: Vec<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            range: None,
            interval: None,
            types: Vec::new(),
            sources: Vec::new(),
            projects: Vec::new(),
            facets: Vec::new(),
            group: Dimension::Type,
            top: TOP,
            kind: Kind::default(),
            compare: None,
            hidden: Vec::new(),
        }
    }
}

impl View {
    /// Reads a query string, with or without `?`.
    ///
    /// One bound alone means that day, a term alone everything since then; days in the wrong order are put right. `day` stands
    /// for both bounds, behind a `from` for the other one: it is what the calendar submits where no script runs.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut view = Self::default();
        let (mut from, mut to) = (None, None);
        for (name, value) in query::parse(text) {
            // What no name can be is no name to look for, and a page cannot hold it: browsers drop a zero byte that the server wrote.
            if [&name, &value].iter().any(|text| text.len() > MAX_NAME_BYTES || text.bytes().any(|byte| byte < b' ')) {
                continue;
            }
            match name.as_str() {
                "from" => from = Bound::parse(&value).or(from),
                "to" => to = Bound::parse(&value).or(to),
                "day" => {
                    let day = parse_iso(&value).map(Bound::Day);
                    (from, to) = (from.filter(|_| to.is_none()).or(day), day.or(to));
                }
                "interval" => {
                    view.interval = Interval::parse(&value).filter(|i| *i != Interval::None).or(view.interval);
                }
                "type" if !value.is_empty() => view.types.push(value),
                "source" if !value.is_empty() => view.sources.push(value),
                "project" => view.projects.push(value),
                "group" => view.group = Dimension::parse(&value).unwrap_or(view.group),
                "top" => view.top = value.parse().ok().filter(|top| TOPS.contains(top)).unwrap_or(view.top),
                "chart" => view.kind = Kind::parse(&value).unwrap_or(view.kind),
                "compare" => view.compare = Compare::parse(&value).or(view.compare),
                "hide" => view.hidden.push(value),
                name => view.facets.extend(Facet::parse(name).map(|facet| (facet, value))),
            }
        }
        [&mut view.types, &mut view.sources, &mut view.projects, &mut view.hidden].into_iter().for_each(tidy);
        tidy(&mut view.facets);
        view.range = range(from, to);
        view
    }

    /// The query string, without `?`; empty for the default view.
    #[must_use]
    pub fn query(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.pairs() {
            query::push(&mut text, &name, &value);
        }
        text
    }

    /// The pairs of the query string, for hidden fields of a form.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut push = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
        if let Some((from, to)) = self.range {
            push("from", &from.to_string());
            push("to", &to.to_string());
        }
        self.interval.into_iter().for_each(|interval| push("interval", interval.as_str()));
        self.types.iter().for_each(|value| push("type", value));
        self.sources.iter().for_each(|value| push("source", value));
        self.projects.iter().for_each(|value| push("project", value));
        self.facets.iter().for_each(|(facet, value)| push(&facet.name(), value));
        if self.group != Dimension::Type {
            push("group", &self.group.name());
        }
        if self.top != TOP {
            push("top", &self.top.to_string());
        }
        if self.kind != Kind::default() {
            push("chart", self.kind.as_str());
        }
        self.compare.into_iter().for_each(|compare| push("compare", compare.as_str()));
        self.hidden.iter().for_each(|value| push("hide", value));
        pairs
    }

    /// What only the server can answer, as the query string of a view: range, interval, facets, comparison. All else is sliced
    /// from what it answered, so two views with the same question ask it once.
    #[must_use]
    pub fn question(&self) -> String {
        let (range, interval, facets, compare) = (self.range, self.interval, self.facets.clone(), self.compare);
        let asked = Self { range, interval, facets, compare, ..Self::default() };
        if !self.is_narrow() {
            return asked.query();
        }
        let (group, sources, projects) = (self.group.clone(), self.sources.clone(), self.projects.clone());
        Self { group, sources, projects, ..asked }.query()
    }

    /// Whether it tells so much apart that the server may leave out what it does not show: which sources, which projects.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.group.facet().is_some() || self.interval == Some(Interval::Hour)
    }

    /// First and last day, as seen from today; `None` for the default.
    #[must_use]
    pub fn days(&self, today: Day) -> Option<(Day, Day)> {
        let (from, to) = self.range?;
        let (from, to) = (from.day(today), to.day(today));
        Some((from.min(to), from.max(to)))
    }

    /// The width of a bar over these days: the one chosen where the range can have it, otherwise the one that fits.
    #[must_use]
    pub fn interval_over(&self, from: Day, to: Day) -> Interval {
        self.interval.filter(|interval| can_have(*interval, from, to)).unwrap_or_else(|| fitting(from, to))
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
        Self { range: Some((Bound::Day(from.min(to)), Bound::Day(from.max(to)))), ..self.clone() }
    }

    /// The same view of one credit type, or of all.
    #[must_use]
    pub fn with_type(&self, name: Option<&str>) -> Self {
        Self { types: name.into_iter().map(str::to_owned).collect(), ..self.clone() }
    }

    /// The same view told apart otherwise. What the legend hid were series of what it was told apart by before.
    #[must_use]
    pub fn with_group(&self, group: Dimension) -> Self {
        Self { group, hidden: Vec::new(), ..self.clone() }
    }

    /// The same view with that value of a dimension added or taken away.
    #[must_use]
    pub fn with_value(&self, dimension: &Dimension, value: &str, chosen: bool) -> Self {
        let mut view = self.clone();
        match dimension {
            Dimension::Type => set(&mut view.types, value.to_owned(), chosen),
            Dimension::Source => set(&mut view.sources, value.to_owned(), chosen),
            Dimension::Project => set(&mut view.projects, value.to_owned(), chosen),
            Dimension::Facet(facet) => set(&mut view.facets, (facet.clone(), value.to_owned()), chosen),
        }
        view
    }

    /// The same view of everything.
    #[must_use]
    pub fn without_filters(&self) -> Self {
        let none = Vec::new;
        Self { types: none(), sources: none(), projects: none(), facets: Vec::new(), ..self.clone() }
    }

    /// What the ledger's cube is asked for; facets were the server's to filter.
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter { types: self.types.clone(), sources: self.sources.clone(), projects: self.projects.clone() }
    }
}

/// Whether the days give bars of that width, and not too many.
#[must_use]
pub fn can_have(interval: Interval, from: Day, to: Day) -> bool {
    let days = usize::try_from(from.days_until(to)).unwrap_or(usize::MAX);
    let bars = match interval {
        // A day may have 25 hours.
        Interval::Hour => days.saturating_mul(24).saturating_add(1),
        Interval::Day => days,
        Interval::Week => days / 7 + 2,
        Interval::Month => days / 28 + 2,
        Interval::None => 1,
    };
    bars <= MAX_BUCKETS
}

/// Hours of up to two days, days of up to a quarter, weeks of up to a year and a half, months beyond.
fn fitting(from: Day, to: Day) -> Interval {
    match from.days_until(to) {
        ..=2 => Interval::Hour,
        3..=100 => Interval::Day,
        101..=550 => Interval::Week,
        _ => Interval::Month,
    }
}

fn range(from: Option<Bound>, to: Option<Bound>) -> Option<(Bound, Bound)> {
    match (from, to) {
        (Some(Bound::Day(from)), Some(Bound::Day(to))) => Some((Bound::Day(from.min(to)), Bound::Day(from.max(to)))),
        (Some(from), Some(to)) => Some((from, to)),
        (Some(day @ Bound::Day(_)), None) | (None, Some(day @ Bound::Day(_))) => Some((day, day)),
        (Some(term), None) => Some((term, Bound::NOW)),
        (None, _) => None,
    }
}

fn tidy<T: Ord>(values: &mut Vec<T>) {
    values.sort();
    values.dedup();
    values.truncate(MAX_VALUES);
}

fn set<T: Ord>(values: &mut Vec<T>, value: T, chosen: bool) {
    values.retain(|known| *known != value);
    if chosen {
        values.push(value);
        values.sort();
    }
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
        assert_eq!(view("day=2026-02-28&to=x"), "from=2026-02-28&to=2026-02-28");
        assert_eq!(view("from=2026-11-01&day=2026-02-28"), "from=2026-02-28&to=2026-11-01");
        assert_eq!(view("from=2026-11-01&to=2026-11-02&day=2026-02-28"), "from=2026-02-28&to=2026-02-28");
        assert_eq!(view("from=2026-02-30&to="), "");
        assert_eq!(view("from=now-7d"), "from=now-7d&to=now");
        assert_eq!(view("from=now/M&to=now"), "from=now%2FM&to=now");
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(view("type=&source=&group=colour&utm_source=x&top=7&chart=pie&compare=me&interval=none"), "");
        assert_eq!(view(&format!("type={}", "x".repeat(300))), "");
        assert_eq!(
            view("group=attribute.%00&attribute.%00=x&user=%00&source=a%00b&hide=%0D&project=%1f&user=ada"),
            "user=ada"
        );
        assert_eq!(view("source=web&source=api&source=web&group=source"), "source=api&source=web&group=source");
        let many: String = (0..200).map(|i| format!("source={i}&")).collect();
        assert_eq!(View::parse(&many).sources.len(), MAX_VALUES);
    }

    #[test]
    fn values_come_and_go() {
        let user = Dimension::Facet(Facet::User);
        let both =
            View::default().with_value(&Dimension::Source, "web", true).with_value(&Dimension::Source, "api", true);
        assert_eq!(both.with_value(&user, "ada", true).query(), "source=api&source=web&user=ada");
        assert_eq!(both.with_value(&Dimension::Source, "api", false).sources, ["web"]);
        assert_eq!(both.without_filters(), View::default());
    }

    #[test]
    fn only_what_the_server_knows_is_asked_of_it() {
        let whole = "from=now-7d&to=now&interval=hour&type=a&source=b&project=c&workflow=w&status=failed&attribute.region=eu&\
                     group=user&top=5&chart=lines&compare=year&hide=x";
        let asked = "from=now-7d&to=now&interval=hour&source=b&project=c&workflow=w&status=failed&attribute.region=eu&group=user&\
                     compare=year";
        assert_eq!(View::parse(whole).question(), asked);
        let days = View { interval: None, group: Dimension::Source, ..View::parse(whole) };
        assert_eq!(days.question(), "from=now-7d&to=now&workflow=w&status=failed&attribute.region=eu&compare=year");
        assert_eq!(View::parse("group=source&type=a").question(), "");
    }

    #[test]
    fn bars_are_as_wide_as_the_range_needs() {
        let day = |text| parse_iso(text).expect("a day");
        let over = |query: &str, from, to| View::parse(query).interval_over(day(from), day(to));
        assert_eq!(over("", "2026-11-21", "2026-11-21"), Interval::Hour);
        assert_eq!(over("", "2026-10-23", "2026-11-21"), Interval::Day);
        assert_eq!(over("interval=month", "2026-10-23", "2026-11-21"), Interval::Month);
        assert_eq!(over("interval=hour", "2026-01-01", "2026-11-21"), Interval::Week);
        assert_eq!(over("interval=day", "2020-01-01", "2026-11-21"), Interval::Month);
    }

    #[test]
    fn a_period_is_compared_with_as_many_days_before_or_with_those_of_last_year() {
        let day = |text| parse_iso(text).expect("a day");
        let range = (day("2026-11-01"), day("2026-11-21"));
        assert_eq!(Compare::Previous.days(range), (day("2026-10-11"), day("2026-10-31")));
        assert_eq!(Compare::Year.days(range), (day("2025-11-01"), day("2025-11-21")));
    }

    fn values() -> impl Strategy<Value = Vec<String>> {
        prop::collection::btree_set("\\PC{1,20}", 0..4).prop_map(|set| set.into_iter().collect())
    }

    fn facet() -> impl Strategy<Value = Facet> {
        prop_oneof![
            Just(Facet::Workflow),
            Just(Facet::User),
            Just(Facet::Tenant),
            Just(Facet::Status),
            "\\PC{1,10}".prop_map(Facet::Attribute)
        ]
    }

    proptest! {
        #[test]
        fn a_printed_view_reads_back(
            range in prop::option::of((0..70_000i32, 0..70_000i32)),
            (types, sources, projects, hidden) in (values(), values(), values(), values()),
            facets in prop::collection::btree_set((facet(), "\\PC{0,20}"), 0..4),
            group in prop_oneof![facet().prop_map(Dimension::Facet), (0..3usize).prop_map(|i| Dimension::BASE[i].clone())],
            (interval, top, kind, compare) in (0..5usize, 0..3usize, 0..4usize, 0..3usize),
        ) {
            let day = |n: i32| Bound::Day(Day::from_number(730_120 + n).expect("between 2000 and 2191"));
            let view = View {
                range: range.map(|(a, b)| (day(a.min(b)), day(a.max(b)))),
                interval: Some(Interval::ALL[interval].0).filter(|i| *i != Interval::None),
                facets: facets.into_iter().collect(),
                top: TOPS[top],
                kind: Kind::ALL[kind].0,
                compare: Compare::ALL.get(compare).map(|(compare, _)| *compare),
                types, sources, projects, hidden, group,
            };
            prop_assert_eq!(View::parse(&format!("?{}", view.query())).query(), view.query());
            prop_assert_eq!(View::parse(&view.question()).question(), view.question());
            prop_assert_eq!(View::parse(&view.query()), view);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let once = View::parse(&text);
            prop_assert_eq!(View::parse(&once.query()), once);
        }
    }
}

//! From the cube to what is drawn: series in a fixed order with fixed colours, buckets with their words.
//!
//! Pure, so that the server's first paint, the browser's redraw and the exported files agree. The table shows the same
//! series as the chart: those with most credits, as many as the view tells apart, and all else as "Other", so that they
//! add up to the total to the last micro-credit. `plot` is what the chart makes of them. Cost: one slice of each cube.

pub mod plot;

use crate::calendar::{Day, clock, offset};
use crate::charts;
use crate::colors;
use crate::format;
use crate::server_fns::analytics::Compared;
use crate::view::View;
use ledger::cube::{AxisValue, Bucket, Figures, Series as Sliced};
use ledger::{Credits, Cube, Dimension, Interval, Refusal, Slice, Words};
use plot::Plot;

/// The id of what is added up.
pub const OTHER: &str = "*";
/// Days from which only the first of each month is named below the axis.
const MONTHS_FROM_DAYS: usize = 100;

/// One series of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What `hide=` calls it: the id of what it stands for, or [`OTHER`].
    pub id: String,
    /// What people read.
    pub title: String,
    /// Its colour.
    pub color: u8,
    /// Credits over the whole range.
    pub total: Credits,
    /// Credits per bucket.
    pub points: Vec<Credits>,
    /// Whether the chart leaves it out.
    pub hidden: bool,
}

/// A view of a cube, ready to be drawn and tabulated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The time axis.
    pub buckets: Vec<charts::Bucket>,
    /// In the order in which they are stacked and listed.
    pub series: Vec<Series>,
    /// Everything in the view, per bucket.
    pub points: Vec<Figures>,
    /// Everything in the view.
    pub total: Figures,
    /// What the chart draws.
    pub plot: Plot,
}

impl Usage {
    /// What the view shows of the cube.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn of(cube: &Cube, view: &View) -> Result<Self, Refusal> {
        Self::beside(cube, None, view)
    }

    /// What the view shows of the cube, beside what it is compared with.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn beside(cube: &Cube, compared: Option<&Compared>, view: &View) -> Result<Self, Refusal> {
        let Slice { total, points, series } = cube.slice(&view.filter(), std::slice::from_ref(&view.group))?;
        let series = ordered(cube, view, series)?;
        let buckets: Vec<charts::Bucket> = axis(cube);
        let plot = Plot::of(&buckets, &series, compared, view)?;
        Ok(Self { buckets, series, points, total, plot })
    }

    /// What there is to see, for those who do not see it.
    #[must_use]
    pub fn description(&self, words: &Words) -> String {
        let (Some(first), Some(last)) = (self.buckets.first(), self.buckets.last()) else {
            return String::new();
        };
        let total = format::amount(words, self.total.credits);
        let most = self
            .series
            .iter()
            .max_by_key(|s| s.total)
            .filter(|s| s.total.is_positive() && s.total <= self.total.credits);
        let most =
            most.map_or(String::new(), |s| format!(" Most of it: {}, {}.", s.title, format::amount(words, s.total)));
        let before = self.plot.before.as_ref().map_or(String::new(), |before| {
            format!(" Compared with {}: {}.", before.range, format::amount(words, before.total.credits))
        });
        format!("{total} from {} to {}.{before}{most} The table below has every figure.", first.label, last.label)
    }

    /// Whether the last bucket with anything to say is still going on.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.incomplete)
    }

    /// The titles of what the chart leaves out.
    #[must_use]
    pub fn hidden(&self) -> Vec<&str> {
        self.series.iter().filter(|s| s.hidden).map(|s| s.title.as_str()).collect()
    }

    /// The series to hide where one is clicked: that one too, or not any more.
    #[must_use]
    pub fn toggled(&self, id: &str) -> Vec<String> {
        self.ids(|s| s.hidden != (s.id == id))
    }

    /// The series to hide where one is wanted alone: all others, or none where it is alone already.
    #[must_use]
    pub fn isolated(&self, id: &str) -> Vec<String> {
        let is_alone = self.series.iter().all(|s| s.hidden == (s.id != id));
        self.ids(|s| !is_alone && s.id != id)
    }

    /// The same for the second click of two, of which the first has hidden or shown that series.
    #[must_use]
    pub fn isolated_by_the_second(&self, id: &str) -> Vec<String> {
        // It was alone before the first click where now all are hidden.
        let was_alone = self.series.iter().all(|s| s.hidden);
        self.ids(|s| !was_alone && s.id != id)
    }

    /// Ids of some series, in the order of a view.
    fn ids(&self, which: impl Fn(&Series) -> bool) -> Vec<String> {
        let mut ids: Vec<String> = self.series.iter().filter(|s| which(s)).map(|s| s.id.clone()).collect();
        ids.sort();
        ids
    }
}

/// What the view's `hide=` calls a value; nothing stands for those that are added up. Injective.
fn id_of(value: Option<&str>) -> String {
    match value {
        None => OTHER.to_owned(),
        Some(id) if id.starts_with(OTHER) => format!("{OTHER}{id}"),
        Some(id) => id.to_owned(),
    }
}

/// What a sliced series stands for.
fn value_of(series: &Sliced) -> Option<&str> {
    series.key.first().and_then(|(_, id)| id.as_deref())
}

/// Credit types in the order of the rate card, everything else largest first, and what is added up last.
fn ordered(cube: &Cube, view: &View, sliced: Vec<Sliced>) -> Result<Vec<Series>, Refusal> {
    let slots = colors::slots(cube, &view.group);
    let place = |id: &str| {
        let index = match view.group {
            Dimension::Type => cube.meters.iter().position(|m| m.meter.as_str() == id),
            Dimension::Source => cube.sources.iter().position(|s| s == id),
            Dimension::Project => cube.projects.iter().position(|p| p.as_ref().map_or("", |p| p.id.as_str()) == id),
            Dimension::Facet(_) => cube.facet.iter().flat_map(|axis| &axis.values).position(|value| match value {
                AxisValue::Named(named) => named.id == id,
                AxisValue::Unsaid => id.is_empty(),
                AxisValue::Others(_) => false,
            }),
        };
        index.map_or((usize::MAX, colors::OTHER), |i| (i, slots.get(i).copied().unwrap_or(colors::OTHER)))
    };
    let (named, added): (Vec<Sliced>, Vec<Sliced>) = sliced.into_iter().partition(|s| value_of(s).is_some());
    let (mut told, mut rest) = (named, added);
    let few = told.len().min(usize::from(view.top));
    rest.extend(told.drain(few..));
    let mut placed: Vec<(usize, Series)> = told
        .into_iter()
        .map(|s| {
            let value = value_of(&s).unwrap_or("");
            let (index, color) = place(value);
            let id = id_of(Some(value));
            let points = s.points.iter().map(|p| p.credits).collect();
            let hidden = view.hidden.contains(&id);
            // Others come largest first already.
            let index = if view.group == Dimension::Type { index } else { 0 };
            (index, Series { id, title: s.title, color, total: s.total.credits, points, hidden })
        })
        .collect();
    // A stable sort of at most twenty: the library's would be more code than all of this.
    let mut series = Vec::with_capacity(placed.len() + 1);
    while let Some(first) = (0..placed.len()).min_by_key(|i| placed[*i].0) {
        series.push(placed.remove(first).1);
    }
    if !rest.is_empty() {
        series.push(added_up(cube, view, &rest)?);
    }
    Ok(series)
}

fn added_up(cube: &Cube, view: &View, rest: &[Sliced]) -> Result<Series, Refusal> {
    let at = |bucket: usize| Credits::sum(rest.iter().filter_map(|s| s.points.get(bucket)).map(|p| p.credits));
    let id = id_of(None);
    Ok(Series {
        title: "Other".to_owned(),
        color: colors::OTHER,
        total: Credits::sum(rest.iter().map(|s| s.total.credits))?,
        points: (0..cube.buckets.len()).map(at).collect::<Result<_, _>>()?,
        hidden: view.hidden.contains(&id),
        id,
    })
}

/// The buckets of a cube in words.
fn axis(cube: &Cube) -> Vec<charts::Bucket> {
    let months = cube.interval == Interval::Day && cube.buckets.len() >= MONTHS_FROM_DAYS;
    // Hours of several days say which day begins.
    let days = cube.interval == Interval::Hour && cube.buckets.len() > 25;
    // Where the clocks change, an hour is there twice.
    let shifts = cube.buckets.first().map(offset) != cube.buckets.last().map(offset);
    let words = |bucket| {
        let mut words = axis_bucket(bucket, cube.interval, months, days);
        if shifts && cube.interval == Interval::Hour {
            words.label.push_str(&format!(" (UTC{})", offset(bucket)));
        }
        words
    };
    cube.buckets.iter().map(words).collect()
}

/// What a stretch of time is called: "Week of 16 Nov 2026".
#[cfg(feature = "ssr")]
pub(crate) fn bucket_label(bucket: &Bucket, interval: Interval) -> String {
    axis_bucket(bucket, interval, false, false).label
}

fn axis_bucket(bucket: &Bucket, interval: Interval, months: bool, days: bool) -> charts::Bucket {
    let day = Day::new(bucket.local.date());
    let text = |f: fn(Day) -> String| day.map_or(String::new(), f);
    let (label, tick) = match interval {
        Interval::Hour => {
            let clock = clock(bucket.local);
            let tick = if days && clock == "00:00" { text(Day::short) } else { clock.clone() };
            (format!("{}, {clock}", text(Day::medium)), tick)
        }
        Interval::Day if months => {
            let first = day.is_some_and(|d| d.number() == 1);
            (text(Day::with_weekday), if first { text(|d| d.month_short().to_owned()) } else { String::new() })
        }
        Interval::Day => (text(Day::with_weekday), text(Day::short)),
        Interval::Week => (format!("Week of {}", text(Day::medium)), text(Day::short)),
        Interval::Month => (text(Day::month_title), text(|d| d.month_short().to_owned())),
        Interval::None => (text(Day::medium), text(Day::short)),
    };
    charts::Bucket { label, tick, incomplete: bucket.incomplete }
}

#[cfg(test)]
pub(crate) use tests::specimen_cube;

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::cube::{Calls, Cell, MeterInfo, Named};
    use ledger::{Meter, Quantity, Timestamp};

    /// Three days, three meters, two sources, a project: enough for every rule here.
    pub(crate) fn specimen_cube() -> Cube {
        let meter = |name: &str, title: &str| MeterInfo {
            meter: Meter::parse(name).expect("a meter"),
            title: title.to_owned(),
            unit: "token".to_owned(),
            service: String::new(),
        };
        let bucket = |day: i64| {
            let start = Timestamp::from_micros((20_769 + day) * 86_400_000_000);
            Bucket {
                start,
                end: Timestamp::from_micros(start.micros() + 86_400_000_000),
                local: start.to_chrono().expect("in range").naive_utc(),
                incomplete: day == 2,
            }
        };
        let cell = |bucket, meter, source, project, micros, units| Cell {
            bucket,
            meter,
            source,
            project,
            facet: 0,
            micros,
            quantity: Quantity::from_units(units),
        };
        Cube {
            zone: "Europe/Berlin".to_owned(),
            interval: Interval::Day,
            buckets: (0..3).map(bucket).collect(),
            meters: vec![meter("input_tokens", "Input tokens"), meter("output", "Output"), meter("images", "Images")],
            sources: vec!["web".to_owned(), "=api".to_owned()],
            projects: vec![None, Some(Named { id: "p1".to_owned(), name: "Project one".to_owned() })],
            facet: None,
            narrow: false,
            sets: vec![vec![0, 1], vec![0]],
            cells: vec![
                cell(0, 0, 0, 0, 1_500_000, 2_500),
                cell(0, 1, 0, 0, 40, 10),
                cell(2, 0, 1, 1, -500_000, 100),
                cell(2, 1, 1, 1, 7_000_000, 7),
            ],
            calls: vec![
                Calls { bucket: 0, set: 0, source: 0, project: 0, facet: 0, events: 3, failed: 1, bytes: 0 },
                Calls { bucket: 2, set: 0, source: 1, project: 1, facet: 0, events: 2, failed: 0, bytes: 0 },
            ],
        }
    }

    #[test]
    fn series_keep_the_order_of_the_rate_card_and_its_colours() {
        let usage = Usage::of(&specimen_cube(), &View::default()).expect("fits");
        let shown: Vec<_> = usage.series.iter().map(|s| (s.title.as_str(), s.color, s.total.micros())).collect();
        assert_eq!(shown, [("Input tokens", 0, 1_000_000), ("Output", 1, 7_000_040)]);
        let one = Usage::of(&specimen_cube(), &View::parse("type=output")).expect("fits");
        assert_eq!(one.series.iter().map(|s| s.color).collect::<Vec<_>>(), [1]);
        assert_eq!(one.total.events, 5);
    }

    #[test]
    fn the_legend_hides_from_the_chart_and_from_nothing_else() {
        let usage = |query: &str| Usage::of(&specimen_cube(), &View::parse(query)).expect("fits");
        let (all, one) = (usage(""), usage("hide=output"));
        assert_eq!((one.total, one.series.len(), one.hidden()), (all.total, 2, vec!["Output"]));
        assert_eq!(one.plot.series.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Input tokens"]);
        assert_eq!(one.plot.totals, [1_500_000, 0, -500_000]);
        assert_eq!((one.toggled("output"), all.toggled("output")), (vec![], vec!["output".to_owned()]));
        assert_eq!((all.isolated("output"), one.isolated("input_tokens")), (vec!["input_tokens".to_owned()], vec![]));
        // Twice on the same: hidden, then alone; or alone, then with all others again.
        assert_eq!(usage("hide=output").isolated_by_the_second("output"), ["input_tokens"]);
        assert_eq!(usage("hide=input_tokens&hide=output").isolated_by_the_second("output"), Vec::<String>::new());
    }

    #[test]
    fn running_totals_stop_where_nothing_has_happened_yet() {
        let mut cube = specimen_cube();
        let drawn = |cube: &Cube| Usage::of(cube, &View::parse("chart=cumulative")).expect("fits").plot;
        assert_eq!(drawn(&cube).totals, [1_500_040, 1_500_040, 8_000_040]);
        assert!(drawn(&cube).has_total && drawn(&cube).is_cumulative);
        cube.buckets[1].incomplete = true;
        assert_eq!(drawn(&cube).totals, [1_500_040, 1_500_040], "the third day is to come");
        assert_eq!(Usage::of(&cube, &View::default()).expect("fits").plot.totals.len(), 3);
    }

    #[test]
    fn like_is_compared_with_like() {
        let days = |cube: &Cube| Day::new(cube.buckets[0].local.date()).expect("a day");
        let mut before = specimen_cube();
        before.cells.push(Cell { meter: 2, micros: 9, ..before.cells[0] });
        let compared = Compared { from: days(&before), to: days(&before), cube: before };
        let of = |query: &str| {
            let usage = Usage::beside(&specimen_cube(), Some(&compared), &View::parse(query)).expect("fits");
            usage.plot.before.map(|b| (b.totals, b.total.credits.micros())).expect("compared")
        };
        assert_eq!(of(""), (vec![1_500_049, 0, 6_500_000], 8_000_049));
        assert_eq!(of("type=output"), (vec![40, 0, 7_000_000], 7_000_040));
        assert_eq!(
            of("hide=output"),
            (vec![1_500_009, 0, -500_000], 8_000_049),
            "what is not told apart here is other"
        );
        assert_eq!(of("hide=*").0, [1_500_049, 0, 6_500_000], "nothing is hidden where there is no other");
        assert_eq!(of("chart=cumulative").0, [1_500_049, 1_500_049, 8_000_049]);
    }

    #[test]
    fn ids_of_the_legend_are_never_the_same() {
        let ids = [None, Some(""), Some("*"), Some("**"), Some("a"), Some("a*")].map(id_of);
        assert!(ids.iter().enumerate().all(|(i, id)| !ids[..i].contains(id)), "{ids:?}");
    }

    #[test]
    fn buckets_have_their_words() {
        let usage = Usage::of(&specimen_cube(), &View::default()).expect("fits");
        assert_eq!(usage.buckets[0].label, "Thu 12 Nov 2026");
        assert_eq!(usage.buckets[0].tick, "12 Nov");
        assert!(usage.in_progress());
        assert!(
            usage.description(&Words::default()).starts_with("8.00 credits from Thu 12 Nov 2026 to Sat 14 Nov 2026.")
        );
    }

    #[test]
    fn many_series_are_added_up_without_loss() {
        let mut cube = specimen_cube();
        cube.sources = (0..40).map(|i| format!("s{i:02}")).collect();
        cube.cells = (0..40).map(|i| Cell { source: i, micros: 10 + i64::from(i), ..cube.cells[0] }).collect();
        cube.calls.clear();
        let usage = Usage::of(&cube, &View::parse("group=source")).expect("fits");
        assert_eq!(usage.series.len(), 9);
        // The largest are told apart, whatever the order of their names.
        assert!(usage.series.iter().all(|s| s.title == "Other" || s.title.as_str() >= "s32"));
        assert_eq!(usage.series[8].title, "Other");
        assert_eq!(Credits::sum(usage.series.iter().map(|s| s.total)), Ok(usage.total.credits));
    }
}

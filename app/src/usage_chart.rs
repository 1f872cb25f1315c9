//! From the cube to what is drawn: series in a fixed order with fixed colours, buckets with their words.
//!
//! Pure, so that the server's first paint, the browser's redraw and the exported table agree. The table shows the same
//! series as the chart; beyond [`MAX_SERIES`] the smallest are added up. Cost: one slice of the cube.

use crate::calendar::{Day, clock};
use crate::charts;
use crate::colors;
use crate::format;
use crate::view::View;
use ledger::cube::{AxisValue, Bucket, Figures, Series as Sliced};
use ledger::{Credits, Cube, Dimension, Interval, Refusal, Slice, Words};

/// Series that are told apart. More could be neither read in a legend nor found in a table.
pub const MAX_SERIES: usize = 24;
/// Days from which only the first of each month is named below the axis.
const MONTHS_FROM_DAYS: usize = 100;

/// One series of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What people read.
    pub title: String,
    /// Its colour.
    pub color: u8,
    /// Credits over the whole range.
    pub total: Credits,
    /// Credits per bucket.
    pub points: Vec<Credits>,
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
}

impl Usage {
    /// What the view shows of the cube.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn of(cube: &Cube, view: &View) -> Result<Self, Refusal> {
        let Slice { total, points, series } = cube.slice(&view.filter(), std::slice::from_ref(&view.group))?;
        let series = ordered(cube, &view.group, series)?;
        let months = cube.interval == Interval::Day && cube.buckets.len() >= MONTHS_FROM_DAYS;
        let buckets = cube.buckets.iter().map(|bucket| axis_bucket(bucket, cube.interval, months)).collect();
        Ok(Self { buckets, series, points, total })
    }

    /// What the charts take.
    #[must_use]
    pub fn drawn(&self) -> Vec<charts::Series> {
        let values = |series: &Series| series.points.iter().map(|c| c.micros()).collect();
        let drawn = |s: &Series| charts::Series { name: s.title.clone(), color: s.color, values: values(s) };
        self.series.iter().map(drawn).collect()
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
        format!("{total} from {} to {}.{most} The table below has every figure.", first.label, last.label)
    }

    /// Whether the last bucket with anything to say is still going on.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.incomplete)
    }
}

/// Series in the order of the cube's own lists, those without a colour of their own last and largest first.
fn ordered(cube: &Cube, group: &Dimension, sliced: Vec<Sliced>) -> Result<Vec<Series>, Refusal> {
    let slots = colors::slots(cube, group);
    let place = |series: &Sliced| {
        let Some(id) = series.key.first().and_then(|(_, id)| id.as_deref()) else { return (usize::MAX, colors::OTHER) };
        let index = match group {
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
    // Sliced comes largest first, which is the order of those without a colour; the sort is stable.
    let mut placed: Vec<((usize, u8), Sliced)> = sliced.into_iter().map(|s| (place(&s), s)).collect();
    placed.sort_by_key(|((index, color), _)| if *color == colors::OTHER { usize::MAX } else { *index });
    let mut series: Vec<Series> = placed
        .into_iter()
        .map(|((_, color), s)| Series {
            title: s.title,
            color,
            total: s.total.credits,
            points: s.points.iter().map(|p| p.credits).collect(),
        })
        .collect();
    if series.len() > MAX_SERIES {
        let rest = series.split_off(MAX_SERIES - 1);
        series.push(added_up(&rest)?);
    }
    Ok(series)
}

fn added_up(rest: &[Series]) -> Result<Series, Refusal> {
    let buckets = rest.iter().map(|s| s.points.len()).max().unwrap_or(0);
    let at = |bucket: usize| Credits::sum(rest.iter().filter_map(|s| s.points.get(bucket).copied()));
    Ok(Series {
        title: format!("{} others", rest.len()),
        color: colors::OTHER,
        total: Credits::sum(rest.iter().map(|s| s.total))?,
        points: (0..buckets).map(at).collect::<Result<_, _>>()?,
    })
}

fn axis_bucket(bucket: &Bucket, interval: Interval, months: bool) -> charts::Bucket {
    let day = Day::new(bucket.local.date());
    let text = |f: fn(Day) -> String| day.map_or(String::new(), f);
    let (label, tick) = match interval {
        Interval::Hour => (format!("{}, {}", text(Day::medium), clock(bucket.local)), clock(bucket.local)),
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
        assert_eq!(usage.series.len(), MAX_SERIES);
        assert_eq!(usage.series[MAX_SERIES - 1].title, "17 others");
        assert_eq!(Credits::sum(usage.series.iter().map(|s| s.total)), Ok(usage.total.credits));
    }
}

//! The drawing that server and browser must agree on to the byte.

use super::{BarChart, Bucket, LineChart, Series, Shape, Spark, UsageChart, running};

/// Every kind of chart with every feature, drawn from fixed figures: stacks of nine series with corrections below the
/// baseline, tiny values beside large ones, incomplete buckets, thinned and escaped labels, enough bars to be drawn
/// as paths, lines that end early, a sparkline, every kind beside what it is compared with. Several `<svg>` elements, one after the other; ids begin with
/// `specimen`.
pub fn specimen() -> String {
    let buckets = |count: usize| -> Vec<Bucket> {
        let day = |i: usize| Bucket {
            label: format!("day <{i}>"),
            tick: format!("{} Nov & on", i + 1),
            incomplete: i + 2 >= count,
        };
        (0..count).map(day).collect()
    };
    let (month, year) = (buckets(31), buckets(366));
    let title = "Credits \"used\" & <corrected>";
    let bars = |id, buckets, series| {
        let description = "31 Tage · süß";
        BarChart { id, title, description, width: 960, height: 280, buckets, series, unit: "credits", decimals: 6 }
            .draw()
            .svg
    };
    let few = series(9, month.len());
    let many = series(3, year.len());
    let mut lines = series(2, month.len());
    if let Some(first) = lines.first_mut() {
        first.values.truncate(20);
    }
    let values: Vec<i64> = many.iter().flat_map(|s| s.values.iter().copied().step_by(9)).collect();
    [
        bars("specimen-month", &month, &few),
        bars("specimen-year", &year, &many),
        LineChart {
            id: "specimen-line",
            title,
            description: "",
            width: 641,
            height: 241,
            buckets: &month,
            series: &lines,
            unit: "",
            decimals: 6,
            fill: true,
        }
        .draw()
        .svg,
        compared("specimen-stacked", &month, &few, Shape::Stacked),
        compared("specimen-grouped", &month, &lines, Shape::Grouped),
        compared("specimen-lines", &year, &many, Shape::Lines),
        Spark { id: "specimen-spark", title, description: "", width: 121, height: 33, values: &values, color: 8 }
            .draw(),
    ]
    .concat()
}

/// A chart beside figures that are half of its own, a bucket later.
fn compared(id: &str, buckets: &[Bucket], series: &[Series], shape: Shape) -> String {
    let halves = |s: &Series| [0].into_iter().chain(s.values.iter().map(|v| v / 2)).collect::<Vec<_>>();
    let before = series.first().map(halves).unwrap_or_default();
    let total = series.first().map(|s| running(&s.values)).unwrap_or_default();
    let (title, description, unit) = ("Compared", "", "credits");
    let chart = BarChart { id, title, description, width: 720, height: 280, buckets, series, unit, decimals: 2 };
    UsageChart { chart, shape, total: &total, before: &before }.draw().svg
}

/// Figures over nine orders of magnitude from a linear congruential generator: no randomness, no floats.
fn series(count: u8, length: usize) -> Vec<Series> {
    let mut state = 0x5c71_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = i64::try_from(state >> 24).unwrap_or(0) >> ((state >> 20) % 16);
        if (state >> 16).is_multiple_of(7) { -value / 2 } else { value }
    };
    (0..count)
        .map(|color| Series { name: format!("series {color}"), color, values: (0..length).map(|_| next()).collect() })
        .collect()
}

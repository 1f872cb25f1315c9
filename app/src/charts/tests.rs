//! What holds for every drawing, whatever it is given.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn buckets(count: usize) -> Vec<Bucket> {
    let bucket = |i: usize| Bucket {
        label: String::new(),
        tick: if i % 5 == 3 { String::new() } else { format!("{i} <Nov>") },
        incomplete: i + 1 == count,
    };
    (0..count).map(bucket).collect()
}

/// Values of every magnitude, many of them 0 or negative.
fn figures(
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
) -> impl Strategy<Value = (usize, Vec<Series>)> {
    let value = prop_oneof![Just(0), (any::<i64>(), 0..64u32).prop_map(|(v, shift)| v >> shift), 1..2_000_000i64];
    columns.prop_flat_map(move |count| {
        let line = prop::collection::vec(value.clone(), 0..=count + 2);
        prop::collection::vec(line, rows.clone()).prop_map(move |lines| {
            let series =
                |(i, values): (usize, _)| Series { name: String::new(), color: u8::try_from(i).unwrap_or(8), values };
            (count, lines.into_iter().enumerate().map(series).collect())
        })
    })
}

fn bars(buckets: &[Bucket], series: &[Series], width: u32, height: u32) -> Drawing {
    BarChart { id: "c", title: "T", description: "D", width, height, buckets, series, unit: "credits", decimals: 6 }
        .draw()
}

fn lines(buckets: &[Bucket], series: &[Series], width: u32, height: u32) -> Drawing {
    LineChart {
        id: "c",
        title: "T",
        description: "D",
        width,
        height,
        buckets,
        series,
        unit: "",
        decimals: 6,
        fill: true,
    }
    .draw()
}

/// An element: its name, attributes, and the text right behind its tag.
#[derive(Debug)]
struct Element<'a> {
    name: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    text: &'a str,
    /// How many elements it is in.
    depth: usize,
}

impl Element<'_> {
    fn px(&self, name: &str) -> f64 {
        self.attributes.get(name).and_then(|v| v.parse().ok()).unwrap_or(f64::NAN)
    }
}

/// Reads the SVG, strictly: it panics at what is not well-formed.
fn read(svg: &str) -> Vec<Element<'_>> {
    let (mut open, mut found) = (Vec::<&str>::new(), Vec::new());
    for tag in svg.strip_prefix('<').expect("starts with a tag").split('<') {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(
            text.split('&')
                .skip(1)
                .all(|e| e.split_once(';').is_some_and(|(e, _)| ["amp", "lt", "gt", "quot"].contains(&e)))
        );
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = BTreeMap::new();
        while !rest.is_empty() {
            let (key, value) = rest.split_once("=\"").expect("name=\"");
            let (value, after) = value.split_once('"').expect("a value ends");
            assert!(attributes.insert(key.trim_start(), value).is_none(), "{key} twice");
            rest = after;
        }
        let depth = open.len();
        if !empty {
            open.push(name);
        }
        found.push(Element { name, attributes, text, depth });
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

/// What no drawing may contain.
fn check(svg: &str) -> Vec<Element<'_>> {
    for never in ["NaN", "inf", "rgb", "style="] {
        assert!(!svg.contains(never), "{never}");
    }
    assert!(svg.match_indices('#').all(|(at, _)| svg[..at].ends_with("url(")), "a literal colour");
    let elements = read(svg);
    let ids: Vec<_> = elements.iter().filter_map(|e| e.attributes.get("id")).collect();
    assert!(ids.iter().enumerate().all(|(i, id)| !ids[..i].contains(id)));
    let root = elements.first().expect("an element");
    assert!(["aria-labelledby", "aria-describedby"].iter().all(|name| ids.contains(&&root.attributes[name])));
    labels_do_not_touch(&elements);
    elements
}

/// What the browser takes apart is put together again by what it finds.
fn check_pieces(drawing: &Drawing) {
    let pieces = drawing.pieces();
    let whole: String = pieces.iter().map(|(_, text)| *text).collect();
    assert_eq!(format!("{}{whole}</svg>", drawing.head()), drawing.svg);
    assert!(drawing.head().starts_with("<svg ") && drawing.head().matches('<').count() == 1);
    for (kind, text) in pieces {
        let elements = read(text);
        let inside = elements.iter().filter(|e| e.depth > 0).count();
        assert_eq!(elements.len() - inside, 1, "one element and what is in it: {text}");
        let is_path = elements[0].name == "path";
        assert_eq!(is_path, kind >= PATHS, "{text}");
        assert!(!is_path || elements[0].attributes.keys().eq(&["class", "d"]), "{text}");
    }
}

/// The rectangles of a path of bars.
fn rects(path: &str) -> Vec<Rect> {
    let rect = |bar: &str| {
        let numbers: Vec<f64> = bar.split(['M', ' ', 'h', 'v']).filter_map(|n| n.parse().ok()).collect();
        let [x, y, w, h, _] = numbers[..] else { panic!("no bar: {bar}") };
        Rect { x, y, w, h }
    };
    path.split_terminator('z').map(rect).collect()
}

fn labels_do_not_touch(elements: &[Element<'_>]) {
    let mut rows = BTreeMap::<_, Vec<(f64, f64)>>::new();
    for label in elements.iter().filter(|e| e.name == "text") {
        let text = label.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let width = f64::from(text::width(&text)) / 10.0;
        let x = label.px("x")
            - match label.attributes.get("text-anchor") {
                Some(&"middle") => width / 2.0,
                Some(_) => width,
                None => 0.0,
            };
        assert!(x >= -0.1 && x + width <= elements[0].px("width") + 0.1, "{label:?} leaves the drawing");
        rows.entry(label.attributes["y"]).or_default().push((x, x + width));
    }
    for row in rows.values() {
        assert!(row.windows(2).all(|pair| pair[1].0 - pair[0].1 > 9.0), "{row:?}");
    }
}

#[test]
fn the_specimen_has_not_changed() {
    // FNV-1a. The browser's bytes are compared with the server's in the browser tests; this notices a change of both.
    let hash =
        specimen().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    assert_eq!(format!("{hash:016x}"), "c48ccb3d55fb42cf", "look at the charts, then write the new hash here");
    for svg in specimen().split_inclusive("</svg>") {
        check(svg);
    }
}

#[test]
fn nothing_to_show_is_shown_calmly() {
    for (buckets, series) in [(vec![], vec![]), (buckets(30), vec![]), (buckets(1), vec![series(&[0]), series(&[])])] {
        for drawing in [bars(&buckets, &series, 640, 240), lines(&buckets, &series, 640, 240)] {
            let elements = check(&drawing.svg);
            assert!(elements.iter().all(|e| e.name != "rect"));
            assert!(elements.iter().any(|e| e.attributes.get("class") == Some(&"axis")));
            assert_eq!(drawing.geometry.baseline, drawing.geometry.plot.y + drawing.geometry.plot.h);
        }
    }
    check(&Spark { id: "s", title: "", description: "", width: 0, height: 0, values: &[], color: 0 }.draw());
    check(&Spark { id: "s", title: "", description: "", width: 120, height: 32, values: &[7], color: 0 }.draw());
}

fn series(values: &[i64]) -> Series {
    Series { name: String::new(), color: 0, values: values.to_vec() }
}

#[test]
fn a_single_bucket_is_a_bar_in_the_middle() {
    let geometry = bars(&buckets(1), &[series(&[5_000_000])], 640, 240).geometry;
    let (bar, plot) = (geometry.mark(0, 0).expect("a bar"), geometry.plot);
    assert_eq!(bar.w, 48.0);
    assert!((bar.x - plot.x - (plot.x + plot.w - bar.x - bar.w)).abs() <= 1.0);
    assert_eq!(bar.y + bar.h, geometry.baseline);
}

#[test]
fn hundreds_of_bars_stand_shoulder_to_shoulder() {
    let geometry = bars(&buckets(400), &[series(&[1_000_000; 400])], 640, 240).geometry;
    let bars: Vec<_> = (0..400).filter_map(|i| geometry.mark(i, 0)).collect();
    assert!(bars.windows(2).all(|pair| pair[0].x + pair[0].w == pair[1].x));
    assert!(bars.iter().all(|bar| bar.w >= 1.0 && bar.h >= 1.0));
}

#[test]
fn a_day_that_gave_more_back_than_it_cost_hangs_below_the_baseline() {
    let days = [series(&[2_000_000, 1_000_000, 0]), series(&[1_000_000, -4_000_000, -1])];
    let Drawing { svg, geometry, .. } = bars(&buckets(3), &days, 640, 240);
    let labels: Vec<_> = check(&svg).into_iter().filter(|e| e.name == "text").map(|e| e.text.to_owned()).collect();
    assert!(labels.contains(&"\u{2212}4".to_owned()) && labels.contains(&"0".to_owned()), "{labels:?}");
    let mark = |bucket, series| geometry.mark(bucket, series).expect("a mark");
    // What was used that day stands above, what came back hangs below: their difference is the day's figure.
    assert_eq!(mark(1, 0).y + mark(1, 0).h, geometry.baseline);
    assert_eq!(mark(1, 1).y, geometry.baseline);
    assert!((mark(1, 1).h - mark(1, 0).h * 4.0).abs() <= 2.0, "{:?} {:?}", mark(1, 0), mark(1, 1));
    assert_eq!((mark(2, 1).y, mark(2, 1).h), (geometry.baseline, 1.0));
    assert!(mark(1, 1).y + mark(1, 1).h <= geometry.plot.y + geometry.plot.h);
}

#[test]
fn the_pointer_finds_its_bucket() {
    let geometry = bars(&buckets(31), &[series(&[1; 31])], 640, 240).geometry;
    for (i, slot) in geometry.slots.iter().enumerate() {
        assert_eq!(geometry.bucket_at(slot.x), Some(i));
        assert_eq!(geometry.bucket_at(slot.x + slot.w - 0.1), Some(i));
    }
    assert_eq!((geometry.bucket_at(-5.0), geometry.bucket_at(9999.0)), (Some(0), Some(30)));
    assert_eq!((geometry.mark(0, 1), geometry.mark(31, 0)), (None, None));
    assert_eq!(Geometry::default().bucket_at(1.0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bars_are_where_the_geometry_says((count, series) in figures(0..64, 0..10), width in 0..2000u32, height in 0..600u32) {
        let drawing = bars(&buckets(count), &series, width, height);
        // Every bar of a series is in its path, and nothing else is.
        let mut drawn = BTreeMap::<_, Vec<Rect>>::new();
        for path in check(&drawing.svg).iter().filter(|e| e.name == "path" && e.attributes["class"].starts_with('s')) {
            if let Some(series) = path.attributes["class"].strip_prefix('s').and_then(|s| s.parse::<usize>().ok()) {
                drawn.entry(series).or_default().extend(rects(path.attributes["d"]));
            }
        }
        for s in 0..8.min(series.len()) {
            let marks = (0..count).filter_map(|b| drawing.geometry.mark(b, s)).filter(|mark| mark.h > 0.0);
            prop_assert_eq!(drawn.remove(&s).unwrap_or_default(), marks.collect::<Vec<_>>());
        }
        let values = |b: usize| series.iter().map(move |s| s.values.get(b).copied().unwrap_or(0)).enumerate();
        for b in 0..count {
            for (s, value) in values(b) {
                let mark = drawing.geometry.mark(b, s).expect("a mark");
                prop_assert_eq!(mark.h > 0.0, value != 0);
                prop_assert!(mark.y >= drawing.geometry.plot.y && mark.y + mark.h <= drawing.geometry.plot.y + drawing.geometry.plot.h);
                let base = drawing.geometry.baseline;
                prop_assert!(value == 0 || (value > 0) == (mark.y + mark.h <= base) && (value < 0) == (mark.y >= base));
            }
        }
    }

    #[test]
    fn every_kind_keeps_its_figures((count, series) in figures(1..40, 0..8), (before, more) in figures(1..40, 1..2), width in 0..2000u32) {
        let before = if before > 20 { more[0].values.clone() } else { Vec::new() };
        let buckets = buckets(count);
        for shape in [Shape::Stacked, Shape::Grouped, Shape::Lines] {
            let chart = BarChart { id: "c", title: "T", description: "D", width, height: 240, buckets: &buckets, series: &series, unit: "", decimals: 6 };
            let drawing = UsageChart { chart, shape, total: &[], before: &before }.draw();
            check_pieces(&drawing);
            let Drawing { svg, geometry, .. } = drawing;
            let elements = check(&svg);
            prop_assert_eq!(elements.iter().any(|e| e.attributes.get("class") == Some(&"before")), !before.iter().take(count).all(|v| *v == 0) || (shape == Shape::Lines && !before.is_empty()));
            for (b, s) in (0..count).flat_map(|b| (0..series.len()).map(move |s| (b, s))) {
                let value = series[s].values.get(b).copied();
                let (mark, plot) = (geometry.mark(b, s).expect("a mark"), geometry.plot);
                prop_assert!(mark.y >= plot.y && mark.y + mark.h <= plot.y + plot.h, "{shape:?} {mark:?}");
                if shape == Shape::Grouped {
                    let value = value.unwrap_or(0);
                    prop_assert_eq!(mark.h > 0.0, value != 0);
                    prop_assert!(value == 0 || (value > 0) == (mark.y + mark.h <= geometry.baseline));
                    // Side by side: none begins before the one to its left.
                    prop_assert!(s == 0 || mark.x >= geometry.mark(b, s - 1).expect("a mark").x);
                }
                if shape == Shape::Lines && value.is_some() {
                    // On tenths of a pixel, where the baseline is on whole ones.
                    prop_assert!(value != Some(0) || (mark.y - geometry.baseline).abs() <= 1.0);
                }
            }
        }
    }

    #[test]
    fn grouped_bars_are_as_high_as_their_values(values in prop::collection::vec(0..1_000_000_000i64, 1..8)) {
        let of = |v: &i64| Series { name: String::new(), color: 0, values: vec![*v] };
        let (series, buckets) = (values.iter().map(of).collect::<Vec<_>>(), buckets(1));
        let chart = BarChart { id: "c", title: "T", description: "D", width: 640, height: 240, buckets: &buckets, series: &series, unit: "", decimals: 6 };
        let geometry = UsageChart { chart, shape: Shape::Grouped, total: &[], before: &[] }.draw().geometry;
        let heights: Vec<f64> = (0..values.len()).map(|s| geometry.mark(0, s).expect("a mark").h).collect();
        for (i, j) in (0..values.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            prop_assert!(values[i] < values[j] || heights[i] >= heights[j]);
            // Half as much is half as high, give or take the pixel to which each is rounded.
            #[allow(clippy::cast_precision_loss, reason = "values below 2^30")]
            let (a, b) = (values[i] as f64, values[j] as f64);
            prop_assert!(a.min(b) == 0.0 || (heights[i] * b - heights[j] * a).abs() <= 1.01 * (a + b));
        }
    }

    #[test]
    fn running_totals_end_at_the_total(values in prop::collection::vec(-1_000_000_000i64..1_000_000_000, 0..400)) {
        let running = running(&values);
        prop_assert_eq!(running.last().copied().unwrap_or(0), values.iter().sum::<i64>());
        prop_assert_eq!(running.len(), values.len());
        prop_assert!(running.windows(2).zip(&values[1.min(values.len())..]).all(|(pair, v)| pair[1] - pair[0] == *v));
    }

    #[test]
    fn slots_share_the_plot((count, series) in figures(1..500, 0..3), width in 0..2000u32) {
        let geometry = bars(&buckets(count), &series, width, 200).geometry;
        prop_assert_eq!(geometry.slots[0].x, geometry.plot.x);
        prop_assert!(geometry.slots.windows(2).all(|w| w[0].x + w[0].w == w[1].x));
        let last = geometry.slots[count - 1];
        prop_assert_eq!(last.x + last.w, geometry.plot.x + geometry.plot.w);
    }

    #[test]
    fn lines_stay_inside((count, series) in figures(0..64, 0..4), width in 0..2000u32, height in 0..600u32) {
        let Drawing { svg, geometry: Geometry { plot, marks, .. }, .. } = lines(&buckets(count), &series, width, height);
        check(&svg);
        prop_assert!(marks.iter().all(|m| m.y >= plot.y && m.y <= plot.y + plot.h));
        let values: Vec<_> = series.iter().flat_map(|s| s.values.iter().copied()).collect();
        check(&Spark { id: "s", title: "", description: "", width, height, values: &values, color: 3 }.draw());
    }

    #[test]
    fn drawing_twice_gives_the_same_bytes((count, series) in figures(0..64, 0..10)) {
        let once = bars(&buckets(count), &series, 960, 280);
        prop_assert_eq!(once, bars(&buckets(count), &series, 960, 280));
    }
}

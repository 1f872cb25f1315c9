//! A chart as a file: what the page gives it (colours, font, title, legend) goes along.
//!
//! The drawing itself stays as it is, byte for byte; around it come a margin, its title above and its legend below.
//! Colours are literal here, because other programs than browsers know no custom properties.

use super::palette::{DARK, LIGHT, Palette};
use super::role::Role;
use super::svg::{UNIT, escape};
use super::{Series, text};

/// The rules that the page uses, after the comment on top.
const RULES: &str = include_str!("../../../style/chart.css");

const FONT: &str = "system-ui, \"Segoe UI\", Roboto, \"Helvetica Neue\", Arial, sans-serif";

const MARGIN_PX: i32 = 16;
/// Above the drawing, for the title.
const TITLE_PX: i32 = 28;
/// One line below the title.
const NOTE_PX: i32 = 16;
/// One line of the legend.
const LINE_PX: i32 = 20;
/// The legend's coloured square.
const SWATCH_PX: i32 = 10;
/// Between a square and its name.
const NAME_GAP_PX: i32 = 6;
/// Longest name in the legend: what is longer is cut, so that names stay beside each other and nothing leaves the picture.
const NAME_PX: i32 = 320;
/// Between two entries of the legend.
const ENTRY_GAP_PX: i32 = 16;

/// What stands around a drawing that leaves the page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// Dark instead of light.
    pub dark: bool,
    /// Lines below the title: what range, under which filters, as of when.
    pub notes: &'a [String],
    /// The legend's entries for what has a colour.
    pub series: &'a [Series],
    /// What the line of the total is called, where there is one.
    pub total: Option<&'a str>,
    /// What the compared range is called, where there is one.
    pub before: Option<&'a str>,
}

/// A drawing as a file of its own: with a background, a margin, its title, and a legend of `series` (which may be
/// empty). `svg` is what a chart of this module drew; anything else comes back unchanged.
pub fn standalone(svg: &str, dark: bool, series: &[Series]) -> String {
    Surroundings { dark, series, ..Surroundings::default() }.around(svg)
}

impl Surroundings<'_> {
    /// The same with all that.
    #[must_use]
    pub fn around(&self, svg: &str) -> String {
        self.framed(svg).unwrap_or_else(|| svg.to_owned())
    }

    fn framed(&self, svg: &str) -> Option<String> {
        let palette = if self.dark { &DARK } else { &LIGHT };
        let (head, body) = svg.split_once("</desc>")?;
        let body = body.strip_suffix("</svg>")?;
        let (_, named) = head.split_once("<title ")?;
        let title = named.split_once('>')?.1.split_once("</title>")?.0;
        let (before, size) = head.split_once("viewBox=\"0 0 ")?;
        let (size, after) = size.split_once('"')?;
        let (width, height) = size.split_once(' ')?;
        let (width, height): (i32, i32) = (width.parse().ok()?, height.parse().ok()?);
        // What follows the view box is its size again; the file is larger.
        let after = after.split_once(" font-size")?.1;

        let (legend, lines) = self.legend(width, height + MARGIN_PX);
        let head_px = TITLE_PX + i32::try_from(self.notes.len()).ok()? * NOTE_PX;
        let (x, y) = (-MARGIN_PX, -MARGIN_PX - head_px);
        let (w, h) = (width + 2 * MARGIN_PX, height + 2 * MARGIN_PX + head_px + lines * LINE_PX);
        let (rules, surface, label) = (rules(palette), palette.surface, palette.label);
        let first = y + MARGIN_PX + 10; // its baseline
        let mut notes = String::new();
        for (i, note) in (1..).zip(self.notes) {
            notes.push_str(&format!("<text class=\"label\" x=\"0\" y=\"{}\">", first + 4 + i * NOTE_PX));
            escape(&mut notes, &fitted(note, width));
            notes.push_str("</text>");
        }
        Some(format!(
            "{before}viewBox=\"{x} {y} {w} {h}\" width=\"{w}\" height=\"{h}\" font-size{after}</desc>\
             <style>.chart {{ font-family: {FONT}; }}\n{rules}</style>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{surface}\"/>\
             <text x=\"0\" y=\"{first}\" font-size=\"13\" font-weight=\"600\" fill=\"{label}\">{title}</text>\
             {notes}{body}{legend}</svg>"
        ))
    }

    /// The legend from `top` downwards, wrapped at `width`, and its number of lines.
    fn legend(&self, width: i32, top: i32) -> (String, i32) {
        let (mut svg, mut x, mut line) = (String::new(), 0, 0);
        let series = self.series.iter().map(|s| (Role::Series(s.color), s.name.as_str()));
        let lines = [(Role::Total, self.total), (Role::Before, self.before)];
        let entries: Vec<_> = series.chain(lines.into_iter().filter_map(|(role, name)| Some((role, name?)))).collect();
        for (role, name) in &entries {
            let name = &fitted(name, width.min(NAME_PX) - SWATCH_PX - NAME_GAP_PX);
            let length = SWATCH_PX + NAME_GAP_PX + text::width(name) / UNIT + 1;
            if x > 0 && x + length > width {
                (x, line) = (0, line + 1);
            }
            let y = top + line * LINE_PX;
            let (class, name_x) = (role.class(), x + SWATCH_PX + NAME_GAP_PX);
            svg.push_str(&match role {
                Role::Total | Role::Before => {
                    format!("<path class=\"{class}\" d=\"M{x} {}h{SWATCH_PX}\"/>", y + SWATCH_PX / 2)
                }
                _ => format!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{SWATCH_PX}\" height=\"{SWATCH_PX}\" rx=\"2\"/>"
                ),
            });
            svg.push_str(&format!("<text class=\"label\" x=\"{name_x}\" y=\"{}\">", y + SWATCH_PX - 1));
            escape(&mut svg, name);
            svg.push_str("</text>");
            x += length + ENTRY_GAP_PX;
        }
        (svg, if entries.is_empty() { 0 } else { line + 1 })
    }
}

/// As much of a text as has room, and an ellipsis for the rest.
fn fitted(whole: &str, width_px: i32) -> String {
    let fits = |text: &str| text::width(text) <= width_px * UNIT;
    if fits(whole) {
        return whole.to_owned();
    }
    let mut cut = String::from("\u{2026}");
    for (at, c) in whole.char_indices() {
        cut.insert(at, c);
        if !fits(&cut) {
            cut.remove(at);
            break;
        }
    }
    cut
}

/// The rules with the palette's values in place of the custom properties.
fn rules(palette: &Palette) -> String {
    let rules = RULES.rsplit("*/").next().unwrap_or(RULES).trim().to_owned();
    palette.properties().fold(rules, |rules, (name, color)| rules.replace(&format!("var({name})"), color))
}

#[cfg(test)]
mod tests {
    use super::super::{BarChart, Bucket};
    use super::*;

    fn series() -> Vec<Series> {
        let names = ["Input tokens", "Viewer <sessions>", "Exports & more", "Rest"];
        let series = |(name, color): (&str, u8)| Series { name: name.to_owned(), color, values: vec![1] };
        names.into_iter().zip([0, 1, 7, 8]).map(series).collect()
    }

    fn chart() -> String {
        let buckets = [Bucket { label: String::new(), tick: "16".to_owned(), incomplete: true }];
        let (id, title, series) = ("c", "This & that", series());
        BarChart {
            id,
            title,
            description: "",
            width: 200,
            height: 120,
            buckets: &buckets,
            series: &series,
            unit: "",
            decimals: 6,
        }
        .draw()
        .svg
    }

    #[test]
    fn a_file_needs_no_page() {
        let drawn = chart();
        let body = drawn.split_once("</desc>").and_then(|(_, body)| body.strip_suffix("</svg>")).expect("a body");
        for (dark, palette) in [(false, LIGHT), (true, DARK)] {
            let file = standalone(&drawn, dark, &series());
            assert!(!file.contains("var(") && !file.contains("/*"), "{file}");
            assert!(palette.properties().all(|(_, color)| file.contains(color)), "{file}");
            assert!(file.contains(body) && file.contains(">This &amp; that</text>"), "{file}");
            assert!(file.contains("viewBox=\"-16 -44 232 240\" width=\"232\" height=\"240\""), "{file}");
        }
    }

    #[test]
    fn the_legend_wraps_and_is_escaped() {
        let series = series();
        let of = |series: &[Series]| Surroundings { series, ..Surroundings::default() }.legend(200, 0);
        let (svg, lines) = of(&series);
        assert_eq!(lines, 3);
        assert!(svg.contains(">Viewer &lt;sessions&gt;</text>"), "{svg}");
        assert_eq!(of(&[]), (String::new(), 0));
    }

    #[test]
    fn what_was_asked_stands_below_the_title() {
        let notes = ["1 – 21 Nov 2026, Europe/Berlin".to_owned(), "Source: <api>".to_owned()];
        let file = Surroundings { notes: &notes, before: Some("Before"), ..Surroundings::default() }.around(&chart());
        assert!(file.contains(">Source: &lt;api&gt;</text>") && file.contains("<path class=\"before\""), "{file}");
        assert!(file.contains("viewBox=\"-16 -76 232 232\""), "{file}");
    }

    #[test]
    fn what_is_no_chart_stays() {
        assert_eq!(standalone("<svg></svg>", true, &[]), "<svg></svg>");
    }

    #[test]
    fn nothing_leaves_the_picture_however_long_it_is_called() {
        let long = |c: &str| c.repeat(256);
        let series: Vec<_> = ["W", "\u{5b57}", "a "]
            .map(|c| Series { name: long(c), color: 0, values: vec![1] })
            .into_iter()
            .chain(series())
            .collect();
        let notes = [format!("Not shown: {}", long("m")), "short".to_owned()];
        let file = Surroundings { notes: &notes, series: &series, ..Surroundings::default() }.around(&chart());
        let texts: Vec<&str> = file.split("class=\"label\" x=\"0\"").skip(1).collect();
        assert_eq!(texts.len(), 2);
        for text in file.split("</text>").filter_map(|text| text.rsplit_once('>')).map(|(_, text)| text) {
            assert!(text::width(text) <= 200 * UNIT, "{text}");
        }
        assert!(file.contains("\u{2026}") && file.contains(">short<") && file.contains(">Exports &amp; more<"));
        assert_eq!(fitted("\u{5b57}", 0), "\u{2026}");
    }
}

//! The colours behind the classes of a drawing, for two uses: the style sheets take them as custom properties, and
//! a drawing that leaves the page takes them along.
//!
//! The eight categorical colours were searched for by computer: hues people can name, each at least 3:1 against
//! white and against near-black alike (so an exported chart survives being pasted anywhere), and every pair as far
//! apart as such a set allows for normal sight and for missing red, green or blue cones. The tests hold both. Slots
//! are ordered so that the first few and any two neighbours differ most.

/// One theme's values. A colour is `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// What charts stand on.
    pub surface: &'static str,
    /// `--series-0` to `--series-7`.
    pub series: [&'static str; 8],
    /// `--series-other`: neutral, for what is left.
    pub other: &'static str,
    /// `--grid`: barely there.
    pub grid: &'static str,
    /// `--axis`: the line at zero.
    pub axis: &'static str,
    /// `--label`: text.
    pub label: &'static str,
}

/// On white.
pub const LIGHT: Palette = Palette {
    surface: "#ffffff",
    series: ["#2663fd", "#a88c00", "#0b8f70", "#cc679e", "#96560a", "#1c9ad7", "#cd4c54", "#7d569c"],
    other: "#686d76",
    grid: "#e9ebef",
    axis: "#a9b0bb",
    label: "#5a6270",
};

/// On near-black.
pub const DARK: Palette = Palette {
    surface: "#0e1116",
    series: ["#3162fe", "#b28d01", "#249876", "#d571ac", "#a36219", "#069ae8", "#d55761", "#8862a3"],
    other: "#737881",
    grid: "#20262e",
    axis: "#4b5462",
    label: "#98a2b0",
};

/// The rules that the page uses, after the comment on top.
const RULES: &str = include_str!("../../../style/chart.css");

/// A drawing as a file of its own: the same bytes plus a style sheet with literal colours, a background and a font.
/// `svg` is what a chart of this module drew; anything else comes back unchanged.
pub fn standalone(svg: &str, dark: bool) -> String {
    let palette = if dark { &DARK } else { &LIGHT };
    let Some((head, body)) = svg.split_once("</desc>") else {
        return svg.to_owned();
    };
    let mut rules = RULES.rsplit("*/").next().unwrap_or(RULES).replace("var(--surface)", palette.surface);
    for (slot, color) in palette.series.iter().enumerate() {
        rules = rules.replace(&format!("var(--series-{slot})"), color);
    }
    let rest = [("other", palette.other), ("grid", palette.grid), ("axis", palette.axis), ("label", palette.label)];
    for (name, color) in rest {
        let prefix = if name == "other" { "series-" } else { "" };
        rules = rules.replace(&format!("var(--{prefix}{name})"), color);
    }
    let surface = palette.surface;
    format!(
        "{head}</desc><style>.chart {{ font-family: system-ui, \"Segoe UI\", Roboto, sans-serif; }}{rules}</style>\
         <rect width=\"100%\" height=\"100%\" fill=\"{surface}\"/>{body}"
    )
}

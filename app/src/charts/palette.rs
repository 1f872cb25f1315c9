//! The colours behind the classes of a drawing, for two uses: the style sheets take them as custom properties, and
//! a drawing that leaves the page takes them along.
//!
//! The eight categorical colours were searched for by computer: hues people can name, each at least 3:1 against
//! white and against near-black alike (so an exported chart survives being pasted anywhere), and every pair as far
//! apart as such a set allows for normal sight and for missing red, green or blue cones. The tests hold both. Slots
//! are ordered so that the first few and any two neighbours differ most.
//!
//! Twelve more are for views that tell twenty series apart. So many colours cannot be equally far from each other on two
//! backgrounds: these stand out from their own alone, no two of all are alike, and whoever cannot tell two apart has the order
//! of the legend and the words of the tooltip.

/// One theme's values. A colour is `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// What charts stand on.
    pub surface: &'static str,
    /// `--series-0` to `--series-7`.
    pub series: [&'static str; 8],
    /// `--series-9` to `--series-20`: see the module.
    pub more: [&'static str; 12],
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
    series: ["#165fd4", "#369ebc", "#a44918", "#9c74fe", "#a78709", "#1a724c", "#e81f87", "#d87971"],
    more: [
        "#4b0f4b", "#0f3c00", "#000fb4", "#693c87", "#87003c", "#3c0087", "#a53ca5", "#004b4b", "#f05ab4", "#783c0f",
        "#3c2dd2", "#4b874b",
    ],
    other: "#6e757d",
    grid: "#e9ebef",
    axis: "#a9b0bb",
    label: "#5a6270",
};

/// On near-black.
pub const DARK: Palette = Palette {
    surface: "#0e1116",
    series: ["#2366e4", "#22a0b6", "#ae5313", "#9c80fe", "#ab9119", "#0a7d4a", "#e42986", "#de7577"],
    more: [
        "#a5d2ff", "#96c378", "#87b4f0", "#963ca5", "#ffa5a5", "#9669c3", "#c3a5c3", "#4be1d2", "#d278d2", "#ff964b",
        "#695ac3", "#c3e187",
    ],
    other: "#6f757e",
    grid: "#20262e",
    axis: "#4b5462",
    label: "#98a2b0",
};

impl Palette {
    /// The custom properties, in order: name (with its dashes) and value.
    pub fn properties(&self) -> impl Iterator<Item = (String, &'static str)> {
        let series = self.series.into_iter().enumerate().map(|(slot, color)| (format!("--series-{slot}"), color));
        let rest = [
            ("--series-other", self.other),
            ("--grid", self.grid),
            ("--axis", self.axis),
            ("--label", self.label),
            ("--surface", self.surface),
        ];
        let more = (9..).zip(self.more).map(|(slot, color): (u8, _)| (format!("--series-{slot}"), color));
        series.chain(more).chain(rest.map(|(name, color)| (name.to_owned(), color)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Triple = [f64; 3];

    /// Linear light of `#rrggbb`.
    fn linear(color: &str) -> Triple {
        [1, 3, 5].map(|i| {
            let byte = u8::from_str_radix(&color[i..i + 2], 16).expect("two hex digits");
            let c = f64::from(byte) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: [Triple; 3], v: Triple) -> Triple {
        matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }

    /// WCAG 2 contrast.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |color| times([[0.2126, 0.7152, 0.0722], [0.0; 3], [0.0; 3]], linear(color))[0] + 0.05;
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    /// Full dichromacy after Machado, Oliveira & Fernandes 2009, on linear light; the first is normal sight.
    const SIGHTS: [[Triple; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    /// OKLab, whose distances are about even to the eye.
    fn oklab(v: Triple) -> Triple {
        let lms = times(
            [
                [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
                [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
                [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
            ],
            v.map(|c| c.clamp(0.0, 1.0)),
        );
        times(
            [
                [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
                [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
                [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
            ],
            lms.map(f64::cbrt),
        )
    }

    fn distance(sight: [Triple; 3], a: &str, b: &str) -> f64 {
        let (a, b) = (oklab(times(sight, linear(a))), oklab(times(sight, linear(b))));
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }

    fn categories(palette: &Palette) -> Vec<&'static str> {
        palette.series.into_iter().chain([palette.other]).collect()
    }

    #[test]
    fn every_colour_stands_out_from_both_backgrounds() {
        for color in [&LIGHT, &DARK].into_iter().flat_map(categories) {
            for surface in [LIGHT.surface, DARK.surface] {
                assert!(contrast(color, surface) >= 3.0, "{color} on {surface}: {}", contrast(color, surface));
            }
        }
    }

    #[test]
    fn twenty_colours_stand_out_and_no_two_are_alike() {
        for palette in [LIGHT, DARK] {
            let colors: Vec<_> = categories(&palette).into_iter().chain(palette.more).collect();
            for (i, a) in colors.iter().enumerate() {
                assert!(contrast(a, palette.surface) >= 3.0, "{a}");
                for b in &colors[..i] {
                    let [normal, rest @ ..] = SIGHTS.map(|sight| distance(sight, a, b));
                    assert!(normal >= 0.08, "{a} and {b}: {normal}");
                    assert!(rest.iter().all(|distance| *distance >= 0.05), "{a} and {b}: {rest:?}");
                }
            }
        }
    }

    #[test]
    fn text_is_readable_and_the_grid_recedes() {
        for palette in [LIGHT, DARK] {
            assert!(contrast(palette.label, palette.surface) >= 4.5);
            assert!(contrast(palette.grid, palette.surface) < 1.3);
            assert!(contrast(palette.axis, palette.surface) > contrast(palette.grid, palette.surface));
        }
    }

    #[test]
    fn colour_blind_people_can_tell_them_apart() {
        for palette in [LIGHT, DARK] {
            let colors = categories(&palette);
            for (i, a) in colors.iter().enumerate() {
                for (sight, b) in SIGHTS.iter().flat_map(|sight| colors[..i].iter().map(move |b| (sight, b))) {
                    assert!(distance(*sight, a, b) >= 0.06, "{a} and {b}: {}", distance(*sight, a, b));
                }
            }
        }
    }
}

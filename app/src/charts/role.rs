//! What is drawn in a chart, by its part rather than its colour.
//!
//! plotters knows colours only. A role therefore travels as a colour that means nothing, and comes out of the backend
//! as a CSS class: the style sheet alone says what it looks like, on either background.

use plotters::style::Color;
use plotters_backend::{BackendColor, BackendStyle};

/// What a colour is for; the style sheet says which colour that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One of the categorical colours, 0 to 7 and 9 to 20; anything else is the neutral "other", which is 8.
    Series(u8),
    Grid,
    Axis,
    Label,
    /// The line between two segments of one bar.
    Gap,
    /// Stripes over what is not complete yet.
    Hatch,
    /// What all series of a bucket come to, where that is drawn by itself.
    Total,
    /// What it came to in the range that this one is compared with.
    Before,
    /// The bar of [`Role::Before`], behind all others.
    Ghost,
    /// What keeps a line apart from the bars that it crosses.
    Halo,
}

/// The first two bytes of a colour that is a role: unlike any that plotters draws with by itself.
const SENTINEL: (u8, u8) = (0x5c, 0x1b);

impl Role {
    const CLASSES: [&'static str; 30] = [
        "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16",
        "s17", "s18", "s19", "s20", "grid", "axis", "label", "gap", "hatch", "total", "before", "ghost", "halo",
    ];

    /// Its number, below 100.
    pub(super) fn index(self) -> u8 {
        match self {
            Self::Series(slot) => {
                if slot > 20 {
                    8
                } else {
                    slot
                }
            }
            Self::Grid => 21,
            Self::Axis => 22,
            Self::Label => 23,
            Self::Gap => 24,
            Self::Hatch => 25,
            Self::Total => 26,
            Self::Before => 27,
            Self::Ghost => 28,
            Self::Halo => 29,
        }
    }

    /// Its CSS class.
    pub(super) fn class(self) -> &'static str {
        Self::CLASSES.get(usize::from(self.index())).copied().unwrap_or("s8")
    }

    /// The class of a role's colour. Any other colour is a mistake of this folder and gets the text's class, which is
    /// at least visible on every background.
    pub(super) fn class_of(color: BackendColor) -> &'static str {
        let (a, b, index) = color.rgb;
        debug_assert!((a, b) == SENTINEL, "a literal colour reached the SVG");
        Self::CLASSES.get(usize::from(index)).copied().filter(|_| (a, b) == SENTINEL).unwrap_or("label")
    }
}

impl Color for Role {
    fn to_backend_color(&self) -> BackendColor {
        BackendColor { alpha: 1.0, rgb: (SENTINEL.0, SENTINEL.1, self.index()) }
    }
}

impl BackendStyle for Role {
    fn color(&self) -> BackendColor {
        self.to_backend_color()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_comes_back_as_its_class() {
        let others = [
            Role::Grid,
            Role::Axis,
            Role::Label,
            Role::Gap,
            Role::Hatch,
            Role::Total,
            Role::Before,
            Role::Ghost,
            Role::Halo,
        ];
        for role in (0..21).map(Role::Series).chain(others) {
            assert_eq!(Role::class_of(role.to_backend_color()), role.class());
        }
        assert_eq!((Role::Series(7).class(), Role::Series(200).class(), Role::Series(20).class()), ("s7", "s8", "s20"));
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "literal colour"))]
    fn a_literal_colour_is_noticed() {
        assert_eq!(Role::class_of(BackendColor { alpha: 1.0, rgb: (255, 0, 0) }), "label");
    }
}

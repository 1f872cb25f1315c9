//! Text is measured by a fixed table, never by a font: the server has none, the browser's may not have arrived yet,
//! and both must lay a chart out to the same byte.
//!
//! Each width is the largest that Inter, Roboto, Noto Sans, Open Sans and Liberation Sans (Arial's metrics) give the
//! character, with tabular figures, rounded up. A label may be drawn narrower than measured, so labels that do not
//! overlap by this table do not overlap on the screen. Kerning is ignored. Cost: one look-up per character.

use std::convert::Infallible;

use plotters::element::{Drawable, PointCollection};
use plotters::style::Color as _;
use plotters_backend::text_anchor::Pos;
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontFamily};

use super::role::Role;
use super::svg::UNIT;

/// Size of every text in a chart, in px. The drawing carries it as an attribute; no style sheet repeats it.
pub(super) const SIZE: i32 = 11;

/// What characters outside the table take: the width of an em. Latin letters are narrower, CJK is exactly this.
const FALLBACK: i32 = 1000;

/// Advance widths of U+0020 to U+007E in thousandths of an em.
#[rustfmt::skip]
const WIDTHS: [u16; 95] = [
    // space ! " # $ % & ' ( ) * + , - . /
    280, 290, 470, 650, 650, 990, 740, 300, 400, 400, 650, 650, 280, 650, 280, 420,
    // 0-9 : ; < = > ?
    650, 650, 650, 650, 650, 650, 650, 650, 650, 650, 280, 280, 650, 650, 650, 560,
    // @ A-O
    1020, 690, 670, 730, 730, 670, 620, 780, 750, 340, 580, 680, 570, 910, 760, 790,
    // P-Z [ \ ] ^ _
    670, 790, 730, 670, 650, 750, 690, 990, 690, 680, 630, 400, 420, 400, 580, 560,
    // ` a-o
    340, 570, 620, 580, 620, 590, 370, 620, 620, 260, 260, 550, 260, 940, 620, 610,
    // p-z { | } ~
    620, 620, 420, 530, 370, 620, 570, 820, 550, 570, 560, 400, 560, 400, 680,
];

/// Width of one line of text at [`SIZE`], in tenths of a pixel, rounded up. Text beyond a few thousand characters
/// saturates: nothing that long is a label.
pub(super) fn width(text: &str) -> i32 {
    let em = text.chars().map(advance).fold(0, i32::saturating_add);
    em.saturating_mul(SIZE * UNIT).saturating_add(999) / 1000
}

fn advance(c: char) -> i32 {
    match c {
        ' '..='~' => u32::from(c)
            .checked_sub(0x20)
            .and_then(|i| WIDTHS.get(usize::try_from(i).ok()?))
            .map_or(FALLBACK, |&w| w.into()),
        '\u{2212}' | '\u{2013}' | '×' => 660,
        '·' | '\u{2009}' | '\u{202f}' | '\u{a0}' => 290,
        'à'..='ö' | 'ø'..='ÿ' => 630,
        _ => FALLBACK,
    }
}

/// One line of text, as a plotters element. (plotters' own text carries a font, which in the browser asks the
/// document for sizes.)
pub(super) struct Label<'a> {
    pub text: &'a str,
    /// The anchor, in backend units.
    pub at: BackendCoord,
    pub anchor: Pos,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Label<'_> {
    type IntoIter = [BackendCoord; 1];
    type Point = BackendCoord;

    fn point_iter(self) -> Self::IntoIter {
        [self.at]
    }
}

impl<DB: DrawingBackend> Drawable<DB> for Label<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut at: I,
        backend: &mut DB,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<DB::ErrorType>> {
        at.next().map_or(Ok(()), |at| backend.draw_text(self.text, &Face(self.anchor), at))
    }
}

/// The one way text looks in a chart.
struct Face(Pos);

impl BackendTextStyle for Face {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        Role::Label.to_backend_color()
    }

    fn size(&self) -> f64 {
        f64::from(SIZE * UNIT)
    }

    fn anchor(&self) -> Pos {
        Pos { h_pos: self.0.h_pos, v_pos: self.0.v_pos }
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::SansSerif
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (width(text), SIZE * UNIT)))
    }

    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: BackendCoord,
        _: F,
    ) -> Result<Result<(), E>, Infallible> {
        Ok(Ok(())) // letters are the browser's to draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_tabular() {
        let one = width("1111");
        assert!(('0'..='9').all(|d| width(&d.to_string().repeat(4)) == one));
        assert_eq!(one, 286); // 4 × 0.65 em × 11 px
    }

    #[test]
    fn longer_text_is_never_narrower() {
        let text = "Thu 16 Nov 2023 · 1,234.5k — café 漢";
        let widths: Vec<_> = text.char_indices().map(|(i, _)| width(&text[..i])).collect();
        assert!(widths.is_sorted());
        assert_eq!(width(""), 0);
    }
}
